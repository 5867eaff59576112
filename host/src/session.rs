//! A session: a device, a line, and the state of what runs there.
//!
//! [`machine`] decides, purely; [`actor`] is the one task that owns a session and performs what was decided. [`lane`] is the
//! task of a session without a terminal. Everybody else holds a [`SessionHandle`].

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::author::Author;
use crate::config::PolicyMode;
use crate::ids::{CommandId, SessionId};
use crate::limits::SESSION_MAILBOX;
use crate::plugin::device_type::DeviceType;
use crate::policy::{Purpose, Verdict, approval};
use crate::transport::Welcome;

use self::audience::Watched;
use self::commons::Commons;
use self::journey::Keep;
use self::looks::Looks;
use self::report::{Meanwhile, OutputQuery, Report, ScreenReport};
use self::request::{Act, Look, Request, Sent};

pub mod actor;
pub mod audience;
pub mod command;
pub mod commons;
pub mod errand;
pub mod handover;
pub mod hidden;
pub mod journal;
pub mod journey;
pub mod lane;
pub mod lock;
pub mod log;
pub mod looks;
pub mod machine;
mod pieces;
pub mod profile;
mod queue;
mod records;
pub mod render;
pub mod report;
mod request;
pub mod search;
pub mod settle;
pub mod stream;
pub mod timers;
pub mod view;
mod witness;

/// How far a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Connecting or logging in.
    Opening,
    /// The login asks something, or shows no prompt.
    NeedsInput(String),
    /// Ready for a command.
    Ready,
    /// A command runs.
    Busy(CommandId),
    /// Over; why.
    Closed(String),
}

impl Phase {
    /// The word in a result.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Opening => "connecting",
            Self::NeedsInput(_) => "needs_input",
            Self::Ready => "ready",
            Self::Busy(_) => "running",
            Self::Closed(_) => "closed",
        }
    }
}

/// What everybody may know of a session at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How far it is.
    pub phase: Phase,
    /// The last prompt.
    pub prompt: String,
    /// Its mode.
    pub mode: String,
    /// The working directory, where it is known.
    pub cwd: Option<String>,
    /// Bytes in the log so far.
    pub log_bytes: u64,
    /// Columns and rows of the terminal; none where there is none.
    pub size: (u16, u16),
    /// A plugin that failed, and what is missing or stands in for it.
    pub degraded: Option<String>,
}

/// What a caller may be refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// Policy says no.
    Denied(Box<Verdict>),
    /// Policy wants a person to agree, who was not asked yet or has not answered.
    ApprovalNeeded(Box<Verdict>, Box<approval::Request>),
    /// It cannot be done; why, and what to do.
    Cannot(String),
    /// The session is over; why.
    Closed(String),
}

/// Why a session has not answered.
#[derive(Debug)]
enum Unheard {
    /// It has too much to do, and goes on.
    Crowded(String),
    /// It is over.
    Over(String),
}

impl From<Unheard> for Refusal {
    fn from(unheard: Unheard) -> Self {
        match unheard {
            Unheard::Crowded(why) => Self::Cannot(why),
            Unheard::Over(why) => Self::Closed(why),
        }
    }
}

/// A command of a caller.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Its text.
    pub text: String,
    /// What for.
    pub purpose: Purpose,
    /// Who.
    pub caller: String,
    /// After so long it is stopped.
    pub kill_after: Option<Duration>,
    /// The mode that it needs: entered before and left after.
    pub mode: Option<String>,
    /// What becomes of a candidate configuration.
    pub keep: Option<Keep>,
    /// Keys were pressed that change the text in a way that only the device knows.
    pub unknown: bool,
    /// Why, as the caller says; empty where it said nothing.
    pub why: String,
}

impl RunRequest {
    /// A command that may run as long as it likes.
    #[must_use]
    pub fn new(text: &str, purpose: Purpose, caller: &str) -> Self {
        Self {
            text: text.to_owned(),
            purpose,
            caller: caller.to_owned(),
            kill_after: None,
            mode: None,
            keep: None,
            unknown: false,
            why: String::new(),
        }
    }
}

impl RunRequest {
    /// Who wants it.
    #[must_use]
    pub fn author(&self) -> Author {
        Author::of_caller(&self.caller)
    }
}

/// A command that was let through.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its id.
    pub id: CommandId,
    /// How far it is.
    pub state: watch::Receiver<command::State>,
    /// What policy said.
    pub verdict: Verdict,
}

/// What a caller types.
#[derive(Debug, Clone, Default)]
pub struct SendRequest {
    /// Text, as it is.
    pub text: String,
    /// Keys after it, by name.
    pub keys: Vec<String>,
    /// A secret after them, by name.
    pub secret: Option<String>,
    /// Who.
    pub caller: String,
}

impl SendRequest {
    /// Who types.
    #[must_use]
    pub fn author(&self) -> Author {
        Author::of_caller(&self.caller)
    }
}

/// How to stop a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The cancel keys of the device type.
    Interrupt,
    /// A termination signal.
    Terminate,
    /// A kill signal.
    Kill,
    /// Close the line.
    Hangup,
}

/// What changes for a live session when the configuration was read again.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Its device type with the plugins in force; `None` leaves those that it has.
    pub kind: Option<Arc<DeviceType>>,
    /// How strict policy is.
    pub policy: PolicyMode,
    /// What its callers should know from now on.
    pub note: Option<String>,
}

/// The runtime's clock, which a replay turns by hand.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A way to a session's task.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    /// The session's name.
    pub id: SessionId,
    /// The device type that it was opened with.
    pub kind: String,
    /// What its line showed when it opened.
    pub welcome: Arc<Welcome>,
    /// What everybody at it shares beside its line.
    pub commons: Arc<Commons>,
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<Status>,
}

impl SessionHandle {
    fn channel(profile: &profile::Profile, status: watch::Receiver<Status>) -> (Self, mpsc::Receiver<Request>) {
        let (requests, mailbox) = mpsc::channel(SESSION_MAILBOX);
        let commons = Arc::clone(&profile.commons);
        let (id, kind, welcome) = (profile.id.clone(), profile.kind.name.clone(), Arc::clone(&profile.welcome));
        (Self { id, kind, welcome, commons, requests, status }, mailbox)
    }

    /// What is known now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Notes who opened it; the first one counts.
    pub fn opened_by(&self, by: Author) {
        // Somebody was first.
        let _ = self.commons.opened_by.set(by);
    }

    /// Waits until the status is as wanted, or the session is over.
    pub async fn until(&self, wanted: impl FnMut(&Status) -> bool) {
        let mut status = self.status.clone();
        // The task's end is a change too.
        let _ = status.wait_for(wanted).await.is_ok();
    }

    /// For somebody who looks at it again and again until something has come of it: to be had before the first look.
    #[must_use]
    pub fn looks(&self) -> Looks<'_> {
        Looks::of(self)
    }

    /// Why it is over, if it is.
    #[must_use]
    pub fn closed(&self) -> Option<String> {
        match &self.status.borrow().phase {
            Phase::Closed(why) => Some(why.clone()),
            _ if self.requests.is_closed() => Some("the session has ended".to_owned()),
            _ => None,
        }
    }

    fn gone(&self) -> String {
        self.closed().unwrap_or_else(|| "the session has ended".to_owned())
    }

    async fn ask<T, R: Into<Request>>(&self, request: impl FnOnce(oneshot::Sender<T>) -> R) -> Result<T, String> {
        self.answered(request).await.map_err(|(Unheard::Crowded(why) | Unheard::Over(why))| why)
    }

    async fn answered<T, R: Into<Request>>(&self, request: impl FnOnce(oneshot::Sender<T>) -> R) -> Result<T, Unheard> {
        let (reply, answer) = oneshot::channel();
        self.put(request(reply))?;
        answer.await.map_err(|_| Unheard::Over(self.gone()))
    }

    fn put(&self, request: impl Into<Request>) -> Result<(), Unheard> {
        self.requests.try_send(request.into()).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Unheard::Crowded(format!("`{}` has {SESSION_MAILBOX} requests waiting; try again in a moment", self.id))
            }
            mpsc::error::TrySendError::Closed(_) => Unheard::Over(self.gone()),
        })
    }

    /// Runs a command. Waits for its turn, at most `wait`.
    ///
    /// # Errors
    ///
    /// When it is refused, or others had the session all the time.
    pub async fn run(&self, request: RunRequest, wait: Duration) -> Result<Accepted, Refusal> {
        let by = request.author();
        timeout(wait, self.run_in_turn(request)).await.unwrap_or_else(|_| Err(Refusal::Cannot(self.busy(&by))))
    }

    /// Runs a command. Waits for its turn as long as the caller does.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub async fn run_in_turn(&self, request: RunRequest) -> Result<Accepted, Refusal> {
        self.answered(|reply| Act::Run(request, reply)).await?
    }

    /// Runs a command. Waits for its turn until there is a reason not to: what has begun by then is given all the same, and nothing
    /// begins behind it.
    ///
    /// # Errors
    ///
    /// When it is refused, or the reason.
    pub async fn run_unless(&self, request: RunRequest, reason: impl Future<Output = String>) -> Result<Accepted, Refusal> {
        let mut reason = pin!(reason);
        if let Poll::Ready(why) = poll_fn(|context| Poll::Ready(reason.as_mut().poll(context))).await {
            return Err(Refusal::Cannot(why));
        }
        let (reply, mut answer) = oneshot::channel();
        let taken = async {
            self.put(Act::Run(request, reply))?;
            (&mut answer).await.map_err(|_| Unheard::Over(self.gone()))
        };
        tokio::select! {
            biased;
            // What has begun needs no reason: it may cost a timer to look for one.
            taken = taken => taken?,
            why = reason => {
                answer.close();
                answer.try_recv().unwrap_or(Err(Refusal::Cannot(why)))
            }
        }
    }

    /// The question that what runs waits with, and whose command it is. Time alone does not end that.
    #[must_use]
    pub fn asks(&self) -> Option<(String, Author)> {
        let activity = self.commons.activity();
        let question = activity.asks?.lines().next_back().unwrap_or_default().trim().to_owned();
        Some((question, activity.running?.by))
    }

    /// What to say when a command's turn did not come.
    #[must_use]
    pub fn busy(&self, by: &Author) -> String {
        let id = &self.id;
        if let Err(held) = self.commons.lock.check(by, now()) {
            return held.why;
        }
        match (self.status().phase, self.asks()) {
            (Phase::Busy(command), Some((question, _))) => format!(
                "{command} in `{id}` waits for an answer: {question}; nothing was typed. Look with ssh_screen, answer with ssh_send, stop it with ssh_interrupt, or open another session with ssh_open"
            ),
            (Phase::Busy(command), None) => format!(
                "`{id}` is busy with {command}; nothing was typed. Wait with ssh_output command_id={command} wait_s=30, stop it with ssh_interrupt, or open another session with ssh_open"
            ),
            (Phase::NeedsInput(question), _) => format!(
                "`{id}` is not logged in: {question}. Look with ssh_screen, answer with ssh_send, or ssh_close and check the device's `type`"
            ),
            (Phase::Opening, _) => format!("`{id}` is still connecting; call again"),
            (Phase::Ready | Phase::Closed(_), _) if !self.commons.has_terminal => {
                format!("`{id}` did not get to it; nothing was run. Call again")
            }
            (Phase::Ready | Phase::Closed(_), _) => {
                format!(
                    "`{id}` did not get to it; nothing was typed. What a person has started there may go on: look with ssh_screen, or call again"
                )
            }
        }
    }

    /// What a command or the session has brought.
    ///
    /// # Errors
    ///
    /// A sentence for the caller.
    pub async fn report(&self, query: OutputQuery) -> Result<Report, String> {
        let (reply, answer) = oneshot::channel();
        // It waits for room: whoever heard of too many requests in place of what a command has done would run it again.
        self.requests.send(Look::Report(query, reply).into()).await.map_err(|_| self.gone())?;
        answer.await.map_err(|_| self.gone())?
    }

    /// Types something. Gives the log's end before it.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub async fn send(&self, request: SendRequest) -> Result<u64, Refusal> {
        self.answered(|reply| Act::Send(request, reply)).await?
    }

    /// One step of stopping what runs, this command or the only one; `tried` counts the steps before. Says what was sent.
    ///
    /// # Errors
    ///
    /// When nothing runs, the line is gone, or the signal does not reach it.
    pub async fn stop(&self, how: Stop, tried: usize, command: Option<CommandId>) -> Result<String, String> {
        let Sent { what, told } = self.ask(|reply| Act::Stop(how, tried, command, reply)).await??;
        match told {
            None => Ok(what),
            Some(told) => {
                let told = told.await.unwrap_or_else(|_| Err("the line has ended".to_owned()));
                told.map(|()| what.clone()).map_err(|why| format!("{what} does not reach it: {why}"))
            }
        }
    }

    /// The terminal as it is now.
    ///
    /// # Errors
    ///
    /// When the session is over.
    pub async fn screen(&self, since: Option<u64>) -> Result<ScreenReport, String> {
        self.ask(|reply| Look::Screen(since, reply)).await
    }

    /// Lets somebody watch: the past, then what comes. There is one such place; who has it shares it.
    ///
    /// # Errors
    ///
    /// When the session is over.
    pub async fn watch(&self) -> Result<Watched, String> {
        self.ask(Act::Watch).await?
    }

    /// What a person types.
    ///
    /// # Errors
    ///
    /// When the session is over, or what is typed cannot be recorded.
    pub async fn person(&self, who: Author, bytes: Vec<u8>) -> Result<(), String> {
        self.ask(|reply| Act::Person(who, bytes, reply)).await?
    }

    /// Gives the terminal another size: columns and rows.
    ///
    /// # Errors
    ///
    /// When the session is over or has no terminal.
    pub async fn resize(&self, size: (u16, u16)) -> Result<(), String> {
        self.ask(|reply| Act::Resize(size, reply)).await?
    }

    /// What people did here that this agent was not told. It is told once.
    pub async fn meanwhile(&self, agent: &str) -> Option<Meanwhile> {
        if !self.commons.handover.has_news(agent) {
            return None;
        }
        self.ask(|reply| Look::Meanwhile(agent.to_owned(), reply)).await.ok()?
    }

    /// What policy would say now.
    ///
    /// # Errors
    ///
    /// When the session is over.
    pub async fn judge(&self, request: RunRequest) -> Result<Verdict, String> {
        self.ask(|reply| Look::Judge(request, reply)).await
    }

    /// Has it go on with what a changed configuration says.
    ///
    /// # Errors
    ///
    /// When the session is over or too busy to hear of it.
    pub async fn renew(&self, renewal: Renewal) -> Result<(), String> {
        self.ask(|reply| Act::Renew(Box::new(renewal), reply)).await
    }

    /// Closes it.
    pub async fn close(&self) {
        // A session that has ended is closed.
        let _ = self.ask(Act::Close).await;
    }
}

#[cfg(test)]
mod tests;
