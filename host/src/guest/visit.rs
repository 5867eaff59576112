//! One guest, from its coming to its going.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::interval;
use zeroize::Zeroize as _;

use super::list::Listed;
use super::stage::{Frame, Seat};
use super::wire::{Data, Rule, Say, SessionState, Tell};
use super::words::for_people;
use super::{Guest, Guests, errand, list};
use crate::author::Author;
use crate::daemon::hello::VERSION;
use crate::ids::{CommandId, SessionId};
use crate::limits::{GUEST_LINE_MAX_BYTES, GUEST_STATE_EVERY, NOTE_MAX_BYTES};
use crate::policy::approval::{Answer, COMMAND_LINE, VIEWER, at_a_terminal};
use crate::secret::given;
use crate::session::{SessionHandle, Stop};

/// Parts of a command's output on their way to a guest.
const RUN_QUEUE: usize = 16;

struct Visit<W> {
    guests: Arc<Guests>,
    guest: Guest,
    author: Author,
    write: W,
    seat: Option<Seat>,
    /// All sessions as they were told last, where that is wanted.
    listed: Option<Listed>,
    state: Option<SessionState>,
    /// Where what is opened or runs for the guest tells of it.
    tells: mpsc::Sender<Tell>,
}

/// Serves a guest until it goes.
pub(super) async fn visit<R, W>(guests: Arc<Guests>, guest: Guest, read: R, write: W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let author = Author::person(&guest.name);
    let (tells, mut told) = mpsc::channel(RUN_QUEUE);
    let mut visit = Visit { guests, guest, author, write, seat: None, listed: None, state: None, tells };
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    let mut ticks = interval(GUEST_STATE_EVERY);
    let welcome = Tell::Welcome { you: visit.guest.name.clone(), may_type: visit.guest.may_type, version: VERSION.to_owned() };
    if visit.tell(&welcome).await.is_none() {
        return;
    }
    loop {
        let frame = async {
            match &mut visit.seat {
                Some(seat) => seat.frames.recv().await,
                None => std::future::pending().await,
            }
        };
        let mut limited = (&mut read).take((GUEST_LINE_MAX_BYTES - line.len()) as u64);
        let done = tokio::select! {
            biased;
            // What was read of a line is kept when something else comes first.
            read = limited.read_until(b'\n', &mut line) => {
                if !read.is_ok_and(|count| count > 0) || line.last() != Some(&b'\n') {
                    return;
                }
                let said = serde_json::from_slice::<Say>(&line);
                // It may hold the answer to a password question.
                line.zeroize();
                match said {
                    Ok(said) => visit.hear(said).await,
                    Err(error) => visit.tell(&Tell::Refused { why: format!("that is no message of a guest: {error}") }).await,
                }
            }
            frame = frame => visit.show(frame).await,
            Some(told) = told.recv() => visit.tell(&told).await,
            _ = ticks.tick() => visit.look().await,
        };
        if done.is_none() {
            return;
        }
    }
}

impl<W: AsyncWrite + Unpin> Visit<W> {
    /// Tells the guest something. `None` when it has gone.
    async fn tell(&mut self, told: &Tell) -> Option<()> {
        let mut text = serde_json::to_vec(told).ok()?;
        text.push(b'\n');
        self.write.write_all(&text).await.ok()?;
        self.write.flush().await.ok()
    }

    async fn show(&mut self, frame: Result<Frame, RecvError>) -> Option<()> {
        let told = match frame {
            Ok(Frame::Output(bytes, total)) => {
                if let Some(seat) = &mut self.seat {
                    seat.seen = Some(total);
                }
                if bytes.is_empty() {
                    return Some(());
                }
                Tell::Output { data: Data(bytes.to_vec()) }
            }
            Ok(Frame::Typed(line)) => Tell::Typed { by: line.by, text: line.text },
            Ok(Frame::Ended(why)) => {
                self.seat = None;
                Tell::Ended { why }
            }
            // Too slow, or drawn anew.
            Ok(Frame::Redraw) | Err(_) => match &mut self.seat {
                Some(seat) => seat.picture(),
                None => return Some(()),
            },
        };
        self.tell(&told).await
    }

    /// Tells what has changed since the last time.
    async fn look(&mut self) -> Option<()> {
        if let Some(seat) = &self.seat {
            let mut state = list::session(&self.guests, &seat.stage.handle);
            // That alone is nothing new.
            let idle = std::mem::take(&mut state.idle_s);
            if self.state.as_ref() != Some(&state) {
                self.state = Some(state.clone());
                let session = Box::new(SessionState { idle_s: idle, ..state });
                self.tell(&Tell::State { session }).await?;
            }
        }
        if let Some(last) = &self.listed {
            let now = Listed::now(&self.guests);
            if let Some(news) = now.news_since(last) {
                self.listed = Some(now);
                self.tell(&news).await?;
            }
        }
        Some(())
    }

    async fn hear(&mut self, said: Say) -> Option<()> {
        let looks = matches!(said, Say::List | Say::Enter { .. } | Say::Leave | Say::Log { .. });
        let outcome = if looks || self.guest.may_type { self.act(said).await } else { Err("this guest may only look".to_owned()) };
        match outcome {
            Ok(None) => Some(()),
            Ok(Some(told)) => self.tell(&told).await,
            Err(why) => self.tell(&Tell::Refused { why: for_people(&why) }).await,
        }
    }

    fn session(&self, name: &str) -> Result<SessionHandle, String> {
        let id = SessionId::parse(name);
        self.guests.directory.find(&id).ok_or_else(|| format!("there is no session `{id}`; it may have been closed"))
    }

    /// A person's word about what waits.
    fn decide(&self, id: &str, allow: bool) -> Result<String, String> {
        let answer = if allow { Answer::Allow } else { Answer::Deny };
        // `jackfield run` asks its person, too: a yes there is none of a browser.
        let (by, channel) = match self.guest.uid {
            Some(uid) => (at_a_terminal(&self.guest.name, uid), COMMAND_LINE),
            None => (self.guest.name.clone(), VIEWER),
        };
        self.guests.directory.decide(id, answer, &self.author, (&by, channel))?;
        Ok(format!("{} {id}", if allow { "allowed" } else { "denied" }))
    }

    async fn act(&mut self, said: Say) -> Result<Option<Tell>, String> {
        let done = |text: String| Ok(Some(Tell::Done { text }));
        match said {
            Say::List => {
                let now = Listed::now(&self.guests);
                let all = now.whole();
                self.listed = Some(now);
                return Ok(Some(all));
            }
            Say::Enter { session, columns, rows } => return self.enter(&session, (columns, rows)).await.map(Some),
            // A page of a browser has no environment of its own.
            Say::Bring { variables } if self.guest.uid.is_some() => {
                given::take(variables.into_iter().map(|(name, value)| (name, value.into_text())));
            }
            Say::Bring { .. } => {}
            Say::Leave => self.seat = None,
            Say::Type { data } => self.seated()?.stage.handle.person(self.author.clone(), data.0).await?,
            Say::Resize { columns, rows } => self.seated()?.resize((columns, rows)).await?,
            Say::Lock { session, rule, agent, seconds } => {
                return done(self.lock(&session, rule, agent, seconds.map(Duration::from_secs))?);
            }
            Say::Unlock { session } => {
                self.session(&session)?.commons.lock.release(&self.author, true, Instant::now())?;
                return done(format!("{session}: {}", shown(Rule::Everyone)));
            }
            Say::Panic { on } => {
                self.guests.directory.set_halt(on.then(|| self.author.to_string()));
                return done(if on { "all input of agents is stopped" } else { "agents may type again" }.to_owned());
            }
            Say::Decide { id, allow } => return done(self.decide(&id, allow)?),
            Say::Answer { id, answer } => {
                self.guests.directory.questions().answer(&id, answer.secret())?;
                return done(format!("answered {id}"));
            }
            Say::Interrupt { session, command } => {
                let unknown = |()| "a command's id is like c41".to_owned();
                let command = command.map(|id| id.parse::<CommandId>().map_err(unknown)).transpose()?;
                let sent = self.session(&session)?.stop(Stop::Interrupt, 0, command).await?;
                return done(format!("{session}: sent {sent}"));
            }
            // The guest may answer meanwhile what is asked at login.
            Say::Open { session } => {
                let (directory, id) = (Arc::clone(&self.guests.directory), SessionId::parse(&session));
                self.guests.home.spawn(errand::opened(directory, id, self.author.clone(), self.tells.clone()));
            }
            Say::Run { session, command, kill_after_s, mode, commit, reason } => {
                let run = errand::Run { session, command, kill_after_s, mode, commit, reason, by: self.author.clone() };
                self.guests.home.spawn(errand::run(Arc::clone(&self.guests.directory), run, self.tells.clone()));
            }
            Say::Log { session, offset, tail, since_ms } => {
                let handle = self.session(&session)?;
                let (text, end) = errand::log(&handle, offset, tail, since_ms).await?;
                if !text.is_empty() && self.tell(&Tell::Text { text }).await.is_none() {
                    return Ok(None);
                }
                return Ok(Some(end));
            }
            Say::Close { session } => {
                let handle = self.session(&session)?;
                self.guests.directory.close(&handle.id).await;
                return done(format!("{session} closed"));
            }
            Say::Note { session, text } => return done(self.note(&session, text.trim())?),
        }
        Ok(None)
    }

    /// The session that the guest is shown.
    fn seated(&self) -> Result<&Seat, String> {
        self.seat.as_ref().ok_or_else(|| "no session is shown: enter one first".to_owned())
    }

    async fn enter(&mut self, session: &str, (columns, rows): (u16, u16)) -> Result<Tell, String> {
        // Who comes again to the same session has not left it: the seat before is given back behind the new one.
        let _before = self.seat.take();
        self.state = None;
        let mut seat = self.guests.enter(&SessionId::parse(session), &self.guest).await?;
        if columns > 0 && rows > 0 && self.guest.may_type {
            seat.resize((columns, rows)).await?;
        }
        let picture = seat.picture();
        self.seat = Some(seat);
        Ok(picture)
    }

    /// Who may type in a session from now on, or for so long.
    fn lock(&self, session: &str, rule: Rule, agent: Option<String>, length: Option<Duration>) -> Result<String, String> {
        let (handle, now) = (self.session(session)?, Instant::now());
        if let Some(why) = handle.closed().filter(|_| rule != Rule::Everyone) {
            return Err(format!(
                "`{session}` is closed: {why}; there is nothing to lock. Open it again with `jackfield open {session}` first"
            ));
        }
        let lock = &handle.commons.lock;
        match (rule, agent.filter(|name| !name.trim().is_empty())) {
            (Rule::Everyone, _) => lock.release(&self.author, true, now)?,
            (Rule::People, _) => lock.take(&self.author, None, length, now)?,
            (Rule::OneAgent, Some(agent)) => lock.take(&self.author, Some(Author::agent(&agent)), length, now)?,
            (Rule::OneAgent, None) => return Err("which agent? give its client's name".to_owned()),
        }
        Ok(format!("{session}: {}", shown(rule)))
    }

    /// Puts a note at a session, or takes it away.
    fn note(&self, session: &str, text: &str) -> Result<String, String> {
        let handle = self.session(session)?;
        let (length, most) = (text.len(), NOTE_MAX_BYTES);
        if length > most {
            return Err(format!("a note has at most {most} bytes, this one has {length}; nothing was noted"));
        }
        handle.commons.set_note(text);
        Ok(format!("{session}: {}", if text.is_empty() { "its note is taken away" } else { "noted" }))
    }
}

fn shown(rule: Rule) -> &'static str {
    match rule {
        Rule::Everyone => "agents and people may type",
        Rule::People => "only people may type",
        Rule::OneAgent => "one agent and people may type",
    }
}
