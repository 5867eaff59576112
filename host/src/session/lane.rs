//! A session without a terminal: a shell behind a pipe, or a channel of its own for each command.
//!
//! Standard output and standard error stay apart, nothing is echoed, no line is too long, and nobody answers questions. A
//! piped shell keeps directory and variables and tells the ends by marks on both of its outputs; a channel of its own ends
//! with the protocol's exit status.

mod pipe;
mod program;
mod record;
mod reports;
mod streams;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use self::program::{ProgramEvent, carry};
use self::record::Record;
use self::streams::Streams;
use super::command::{State, UNWANTED};
use super::lock::Held;
use super::profile::{Place, Profile};
use super::queue::{Queue, Reply, still_wanted};
use super::records::{Records, Remembered as _};
use super::report::{Report, ScreenReport};
use super::request::{Act, Look, Request, Sent};
use super::witness::Case;
use super::{Accepted, Phase, Refusal, RunRequest, SessionHandle, Status, Stop, now};
use crate::cast::Cast;
use crate::ids::CommandId;
use crate::limits::{COMMANDS_KEPT, INTERRUPT_STEP_WAIT, LINE_CHUNKS, LOGIN_MAX, PROGRAMS_KEPT, PROGRAMS_MAX};
use crate::plugin::manifest::PipeSpec;
use crate::plugin::session::SessionPlugins;
use crate::policy::approved::{Approved, Program};
use crate::policy::{self, Manner, Verdict};
use crate::secret::redact::Redactor;
use crate::transport::ssh::{Connection, Places};
use crate::transport::{Line, LineEvent, Order, Reader, Writer};

/// What there is no terminal for.
const NO_TERMINAL: &str = "this session has no terminal; run the command in the device's main session (target without `#`), which has one";
/// Why a session has ended whose line somebody had closed.
const HUNG_UP: &str = "the line was closed on request";
/// The mode of a shell, for policy.
const MODE: &str = "shell";

/// How commands get to the device.
#[derive(Debug)]
pub enum Way {
    /// To a shell that reads them from a pipe.
    Pipe(Box<Line>, PipeSpec),
    /// Each on a channel of its own.
    Programs(Connection),
}

/// Starts a session on a connection.
#[must_use]
pub fn start(mut profile: Profile, way: Way) -> SessionHandle {
    let phase = if matches!(way, Way::Pipe(..)) { Phase::Opening } else { Phase::Ready };
    let (prompt, mode) = (String::new(), String::new());
    let (status, watch) = watch::channel(Status { phase, prompt, mode, cwd: None, log_bytes: 0, size: (0, 0), degraded: None });
    let (handle, mailbox) = SessionHandle::channel(&profile, watch);
    let (events_in, events) = mpsc::channel(LINE_CHUNKS);
    let redactor = profile.teach_masks();
    let cast = profile.cast();
    profile.witness_open(&cast);
    // Each program has a log of its own.
    let kept = if matches!(way, Way::Pipe(..)) { COMMANDS_KEPT } else { PROGRAMS_KEPT };
    let way = match way {
        Way::Pipe(line, spec) => Open::Pipe(Box::new(Pipe {
            spec,
            reader: line.reader,
            writer: line.writer,
            streams: Streams::new(&mut profile, &cast),
            running: None,
            is_open: false,
            cwd: None,
            told: (0, 0),
            notes: Vec::new(),
            deadline: now() + LOGIN_MAX,
        })),
        Way::Programs(connection) => Open::Programs { places: connection.places(), connection, events: events_in },
    };
    let lane = Lane {
        plugins: SessionPlugins::new(Arc::clone(&profile.kind)),
        note: profile.note.clone(),
        cast,
        redactor,
        profile,
        way,
        events,
        records: Records::up_to(kept),
        waiting: Queue::default(),
        mailbox,
        status,
        used_at: now(),
        ended: None,
        is_end_told: false,
    };
    tokio::spawn(lane.run());
    handle
}

struct Pipe {
    spec: PipeSpec,
    reader: Reader,
    writer: Writer,
    streams: Streams,
    running: Option<CommandId>,
    is_open: bool,
    /// As the last command's end has told it.
    cwd: Option<String>,
    /// Where the last command's end was told on both outputs.
    told: (u64, u64),
    /// What the next command should tell of what was between.
    notes: Vec<String>,
    /// When the shell must have answered its first command.
    deadline: Instant,
}

enum Open {
    Pipe(Box<Pipe>),
    Programs { connection: Connection, events: mpsc::Sender<(CommandId, ProgramEvent)>, places: watch::Receiver<Places> },
}

/// A command as its way takes it.
enum Given {
    Line(Approved),
    Program(Program),
}

struct Lane {
    profile: Profile,
    /// Masks commands, and keeps what is masked at the device as long as the session is open.
    redactor: Redactor,
    cast: Cast,
    plugins: SessionPlugins,
    way: Open,
    events: mpsc::Receiver<(CommandId, ProgramEvent)>,
    records: Records<Record>,
    waiting: Queue,
    mailbox: mpsc::Receiver<Request>,
    status: watch::Sender<Status>,
    used_at: Instant,
    ended: Option<String>,
    /// Somebody wanted the end, or a command's result tells of it.
    is_end_told: bool,
    /// What callers should know since the configuration has changed.
    note: Option<String>,
}

enum Woken {
    Pipe(LineEvent),
    Program(CommandId, ProgramEvent),
    Act(Act),
    /// Nobody can ask for anything any more.
    Unheld,
    /// The connection for programs has ended.
    Gone(String),
    /// It may have a place for another one.
    Places,
    Timer,
}

impl Lane {
    async fn run(mut self) {
        Box::pin(self.profile.recall_masks()).await;
        self.set_up();
        while self.ended.is_none() {
            let mut woken = Some(self.wait().await);
            while let Some(next) = woken {
                let is_output = matches!(next, Woken::Pipe(_) | Woken::Program(..));
                self.on_woken(next);
                woken = if is_output { self.behind_output().await } else { None };
            }
            self.start_next().await;
            self.publish();
            self.profile.commons.stir();
        }
        self.close().await;
    }

    fn on_woken(&mut self, woken: Woken) {
        match woken {
            Woken::Pipe(event) => self.on_pipe(event),
            Woken::Program(id, event) => self.on_program(id, event),
            Woken::Act(act) => self.on_act(act),
            Woken::Unheld => self.ended = Some("nobody uses the session".to_owned()),
            Woken::Gone(why) => {
                self.profile.commons.lose_line();
                self.ended = Some(why);
            }
            Woken::Timer => self.on_timer(),
            // Who waits is looked at behind everything.
            Woken::Places => {}
        }
    }

    /// Who asks something, or what is due. Output is taken before both, and where it comes without a pause they would wait for ever: they
    /// have their turn between two pieces of it.
    async fn behind_output(&mut self) -> Option<Woken> {
        // Behind a program's end comes first whether its connection still is.
        let goes_on = matches!(self.way, Open::Pipe(_)) || self.running().is_some();
        if self.ended.is_some() || !goes_on {
            return None;
        }
        if self.deadline() <= now() {
            return Some(Woken::Timer);
        }
        match self.mailbox.try_recv() {
            Ok(request) => self.heard(Some(request)).await,
            Err(mpsc::error::TryRecvError::Disconnected) => self.heard(None).await,
            Err(mpsc::error::TryRecvError::Empty) => None,
        }
    }

    /// When the next thing is due.
    fn deadline(&self) -> Instant {
        let mut deadline = self.used_at + self.profile.idle_close;
        if let Open::Pipe(pipe) = &self.way
            && !pipe.is_open
        {
            deadline = deadline.min(pipe.deadline);
        }
        if let Open::Programs { places, .. } = &self.way
            && !self.waiting.is_empty()
        {
            deadline = places.borrow().due(now()).map_or(deadline, |due| due.min(deadline));
        }
        let kills = self.records.running().filter_map(|record| record.kill_at);
        let held = self.streams().filter_map(|streams| streams.held_until());
        kills.map(|(at, _)| at).chain(held).fold(deadline, Instant::min)
    }

    /// Waits for what may change something. Who only looks is told meanwhile: that is no turn, in which those who look would wake
    /// themselves and each other for ever.
    async fn wait(&mut self) -> Woken {
        loop {
            let deadline = self.deadline();
            // Programs that run tell their end themselves.
            let is_idle = self.running().is_none();
            let is_wanted = !self.waiting.is_empty();
            let gone = match &self.way {
                Open::Programs { connection, .. } if is_idle => Some(connection.clone()),
                _ => None,
            };
            let gone = async {
                match gone {
                    Some(connection) => connection.ended().await,
                    None => std::future::pending().await,
                }
            };
            let way = async {
                match &mut self.way {
                    Open::Pipe(pipe) => Woken::Pipe(pipe.reader.next().await),
                    Open::Programs { places, .. } => {
                        if !is_wanted || places.changed().await.is_err() {
                            std::future::pending::<()>().await;
                        }
                        Woken::Places
                    }
                }
            };
            let asked = tokio::select! {
                // A connection that has ended takes no further command.
                biased;
                why = gone => return Woken::Gone(why),
                woken = way => return woken,
                Some((id, event)) = self.events.recv() => return Woken::Program(id, event),
                asked = self.mailbox.recv() => asked,
                () = sleep_until(deadline.into()) => return Woken::Timer,
            };
            if let Some(woken) = self.heard(asked).await {
                return woken;
            }
        }
    }

    /// What somebody asks. A look is told at once.
    async fn heard(&mut self, asked: Option<Request>) -> Option<Woken> {
        match asked {
            Some(Request::Look(look)) => {
                self.on_look(look).await;
                None
            }
            Some(Request::Act(act)) => Some(Woken::Act(act)),
            None => Some(Woken::Unheld),
        }
    }

    /// All that outputs go to.
    fn streams(&self) -> impl Iterator<Item = &Streams> {
        let piped = match &self.way {
            Open::Pipe(pipe) => Some(&pipe.streams),
            Open::Programs { .. } => None,
        };
        piped.into_iter().chain(self.records.iter().filter_map(|record| record.own.as_deref()))
    }

    /// What was held back, because it might have been the beginning of a secret, was none: a mark may be in it.
    fn release_held(&mut self) {
        if let Open::Pipe(pipe) = &mut self.way {
            pipe.streams.release_held();
            self.look();
        }
        for own in self.records.iter_mut().filter_map(|record| record.own.as_mut()) {
            own.release_held();
        }
    }

    /// Stops what has run too long: politely, then not.
    fn kill_late(&mut self) {
        let late = |record: &&mut Record| !record.is_over() && record.kill_at.is_some_and(|(at, _)| at <= now());
        let Some(record) = self.records.iter_mut().find(late) else { return };
        let Some((at, tried)) = &mut record.kill_at else { return };
        let how = [Stop::Interrupt, Stop::Terminate, Stop::Kill].get(*tried).copied().unwrap_or(Stop::Hangup);
        (*at, *tried) = (now() + INTERRUPT_STEP_WAIT, *tried + 1);
        let id = record.id;
        if *tried == 1 && !record.warnings.iter().any(|warning| warning == UNWANTED) {
            record.warnings.push("it ran as long as its caller allowed, and was stopped".to_owned());
        }
        // A program whose channel takes no order any more tells its end itself; the others beside it run on.
        if let Err(why) = self.stop(how, Some(id))
            && matches!(self.way, Open::Pipe(_))
        {
            self.ended = Some(why);
        }
    }

    fn on_timer(&mut self) {
        if self.streams().any(|streams| streams.held_until().is_some_and(|until| until <= now())) {
            self.release_held();
        }
        self.kill_late();
        if let Open::Pipe(pipe) = &self.way
            && !pipe.is_open
            && now() >= pipe.deadline
        {
            let said = pipe.streams.err.stream.recent();
            self.ended = Some(format!("no shell answers on the pipe within {} s; it said: {said}", LOGIN_MAX.as_secs()));
        } else if now() >= self.used_at + self.profile.idle_close {
            if self.running().is_none() {
                self.ended = Some(format!("nobody used it for {} s", self.profile.idle_close.as_secs()));
            }
            self.used_at = now();
        }
    }

    fn running(&self) -> Option<CommandId> {
        self.records.running().next_back().map(|record| record.id)
    }

    /// Can another command start?
    fn is_free(&self) -> bool {
        match &self.way {
            Open::Pipe(pipe) => pipe.is_open && pipe.running.is_none(),
            Open::Programs { connection, places, .. } => {
                self.records.running().count() < PROGRAMS_MAX && !connection.is_closed() && places.borrow().has_one(now())
            }
        }
    }

    async fn on_look(&self, look: Look) {
        match look {
            Look::Report(query, reply) => drop(reply.send(self.report(&query))),
            Look::Screen(_, reply) => drop(reply.send(ScreenReport::default())),
            Look::Meanwhile(_, reply) => drop(reply.send(None)),
            Look::Judge(request, reply) => drop(reply.send(self.judge(&request).await)),
        }
    }

    fn on_act(&mut self, act: Act) {
        if act.is_use() {
            self.used_at = now();
        }
        match act {
            Act::Run(request, reply) => self.waiting.add(&self.profile.id, request, reply),
            Act::Send(_, reply) => drop(reply.send(Err(Refusal::Cannot(NO_TERMINAL.to_owned())))),
            Act::Stop(how, _, command, reply) => drop(reply.send(self.stop(how, command))),
            Act::Watch(reply) => drop(reply.send(Err(NO_TERMINAL.to_owned()))),
            Act::Person(_, _, reply) | Act::Resize(_, reply) => drop(reply.send(Err(NO_TERMINAL.to_owned()))),
            Act::Renew(renewal, reply) => {
                self.profile.policy = renewal.policy;
                self.note = renewal.note;
                if let Some(kind) = renewal.kind {
                    // Without a terminal plugins only judge.
                    self.plugins = SessionPlugins::new(kind);
                }
                let _ = reply.send(());
            }
            Act::Close(reply) => {
                self.ended = Some("closed on request".to_owned());
                self.is_end_told = true;
                let _ = reply.send(());
            }
        }
    }

    async fn start_next(&mut self) {
        while self.ended.is_none() && self.is_free() {
            let (lock, at) = (&self.profile.commons.lock, now());
            self.waiting.refuse_held(|request| lock.check(&request.author(), at).map_err(|held| Held { until: None, ..held }));
            let Some((request, reply)) = self.waiting.next(|_| true) else { return };
            let started = self.start_command(&request, &reply).await;
            if let Err(Ok(Accepted { id, .. })) = reply.send(started) {
                self.give_up(id);
            }
        }
    }

    async fn judge(&self, request: &RunRequest) -> Verdict {
        self.profile.judge(&self.plugins, self.place(), request).await
    }

    fn place(&self) -> Place<'_> {
        let cwd = match &self.way {
            Open::Pipe(pipe) => pipe.cwd.as_deref(),
            // Each begins in a directory of its own.
            Open::Programs { .. } => None,
        };
        Place { mode: MODE, privileged: self.profile.user == "root", cwd, manner: Manner::Whole }
    }

    /// Its caller has gone in the moment in which it began: nobody knows that it runs.
    fn give_up(&mut self, id: CommandId) {
        if let Some(record) = self.records.running_mut(id) {
            record.warnings.push(UNWANTED.to_owned());
            record.kill_at = Some((now(), 0));
        }
    }

    async fn start_command(&mut self, request: &RunRequest, reply: &Reply) -> Result<Accepted, Refusal> {
        if request.mode.is_some() || request.keep.is_some() {
            return Err(Refusal::Cannot(
                "modes are those of a terminal; leave `mode` and `commit` out, or use the device's usual session".to_owned(),
            ));
        }
        let verdict = self.profile.admit(request, self.place(), self.judge(request).await).await?;
        let given = self.given(request, &verdict)?;
        still_wanted(reply)?;
        let id = CommandId::next();
        let witness = self.profile.witness(Case::new(request, self.place(), &verdict, Some(id))).await?;
        let (state, watch) = watch::channel(State::Running);
        let rule = (policy::effect_word(verdict.decision.effect).to_owned(), verdict.decision.rule.clone());
        let mut record = Record {
            id,
            state,
            rule,
            started_at: now(),
            duration: None,
            status: None,
            failure: None,
            cwd: None,
            warnings: self.note.iter().chain(&witness.warning).cloned().chain(self.profile.commons.take_loss_before()).collect(),
            out: (0, None),
            err: (0, None),
            own: None,
            writer: None,
            interrupted: false,
            kill_at: request.kill_after.map(|limit| (now() + limit, 0)),
            witness,
            cast: self.cast.clone(),
            cast_from: self.cast.seconds(now()),
        };
        match (&mut self.way, given) {
            (Open::Pipe(pipe), Given::Line(approved)) => {
                (record.out.0, record.err.0) = pipe.told;
                record.warnings.append(&mut pipe.notes);
                pipe.running = Some(id);
                self.write(&approved);
            }
            (Open::Pipe(_), Given::Program(_)) | (Open::Programs { .. }, Given::Line(_)) => {}
            (Open::Programs { connection, events, .. }, Given::Program(program)) => {
                record.own = Some(Box::new(Streams::new(&mut self.profile, &self.cast)));
                let place = connection.place();
                tokio::spawn(carry(connection.clone(), place, program, id, events.clone()));
            }
        }
        self.cast.mark(&id.to_string(), now());
        self.cast.input(&self.redactor.whole(format!("{}\n", request.text).as_bytes()), now());
        let kept = self.profile.kept(&request.text);
        self.profile.journal.begun(id, &self.profile.id, &request.caller, &kept, &verdict);
        let author = request.author();
        if !author.is_person() {
            // That renews an agent's lock.
            self.profile.commons.lock.on_typed(&author, now());
        }
        self.profile.commons.begun(id, kept, author, 0);
        self.records.begin(record);
        Ok(Accepted { id, state: watch, verdict })
    }

    /// A command as the device gets it, if it can be run at all.
    fn given(&self, request: &RunRequest, verdict: &Verdict) -> Result<Given, Refusal> {
        let given = match &self.way {
            Open::Pipe(pipe) => policy::piped(verdict, &request.text, &pipe.spec).map(Given::Line),
            Open::Programs { .. } => policy::shell_program(verdict, &request.text).map(Given::Program),
        };
        given.map_err(|why| Refusal::Cannot(format!("the command cannot be run: {why}")))
    }

    /// A command is over.
    fn end(&mut self, id: CommandId, state: State) {
        if let Some(record) = self.records.of_mut(id) {
            record.end(state, &self.profile);
        }
        self.records.ended(id);
    }

    fn stop(&mut self, how: Stop, command: Option<CommandId>) -> Result<Sent, String> {
        if how == Stop::Hangup && command.is_none() {
            self.ended = Some(HUNG_UP.to_owned());
            self.is_end_told = true;
            return Ok("hang up".into());
        }
        let wanted = command.or_else(|| self.running());
        let Some(record) = wanted.and_then(|wanted| self.records.running_mut(wanted)) else {
            return Err(format!("nothing runs in `{}`", self.profile.id));
        };
        record.interrupted = true;
        if how == Stop::Hangup && matches!(self.way, Open::Pipe(_)) {
            // Its line is the session's.
            self.ended = Some(HUNG_UP.to_owned());
            return Ok("hang up".into());
        }
        let (order, word) = match how {
            Stop::Interrupt => (Order::Signal("INT"), "SIGINT"),
            Stop::Terminate => (Order::Signal("TERM"), "SIGTERM"),
            Stop::Kill => (Order::Signal("KILL"), "SIGKILL"),
            Stop::Hangup => (Order::Close, "hang up"),
        };
        let writer = match &self.way {
            Open::Pipe(pipe) => Some(&pipe.writer),
            Open::Programs { .. } => record.writer.as_ref(),
        };
        if let Some(writer) = writer {
            writer.order(order)?;
        }
        Ok(word.into())
    }

    /// Tells everybody who waits, and answers questions about the past as long as somebody holds the session.
    async fn close(mut self) {
        let why = self.ended.clone().unwrap_or_else(|| "the session has ended".to_owned());
        if let Open::Pipe(pipe) = &self.way {
            // What its shell has kept is gone, and nobody has heard of it.
            if pipe.is_open && self.running().is_none() && !self.is_end_told {
                self.profile.commons.note_loss(&why);
            }
            let _ = pipe.writer.order(Order::Close);
        }
        for record in self.records.iter_mut() {
            if let Some(writer) = record.writer.take() {
                let _ = writer.order(Order::Close);
            }
            record.end(State::Lost, &self.profile);
            if let Some(own) = &mut record.own {
                own.end();
            }
        }
        if let Open::Pipe(pipe) = &mut self.way {
            pipe.streams.end();
        }
        // A program whose channel opens by now is not to run on.
        self.events.close();
        while let Ok((_, event)) = self.events.try_recv() {
            program::give_up(event);
        }
        // Nothing is read any more: what was needed for that is wiped, also where somebody still asks about the past.
        self.redactor = Redactor::default();
        self.profile.login_secrets.clear();
        self.cast.end();
        self.profile.witness_close(&why);
        self.publish();
        self.profile.commons.stir();
        self.waiting.close(&why);
        while let Some(request) = self.mailbox.recv().await {
            match request {
                Request::Look(look) => self.on_look(look).await,
                Request::Act(act) => act.refuse(&why),
            }
        }
    }
}
