//! A session without a terminal: a shell behind a pipe, or a channel of its own for each command.
//!
//! Standard output and standard error stay apart, nothing is echoed, no line is too long, and nobody answers questions. A
//! piped shell keeps directory and variables and tells the ends by marks on both of its outputs; a channel of its own ends
//! with the protocol's exit status.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::command::State;
use super::journal::Ended;
use super::profile::{Place, Profile};
use super::queue::Queue;
use super::report::{OutputQuery, Report, ScreenReport, output};
use super::stream::Stream;
use super::witness::{Apart, Case, Witness};
use super::{Accepted, Phase, Refusal, Request, RunRequest, SessionHandle, Status, Stop, now};
use crate::cast::Cast;
use crate::ids::CommandId;
use crate::limits::{COMMANDS_KEPT, INTERRUPT_STEP_WAIT, LINE_CHUNKS, LOGIN_MAX, OUTPUT_DEFAULT_CHARS, PROGRAMS_KEPT, PROGRAMS_MAX};
use crate::plugin::manifest::PipeSpec;
use crate::plugin::session::SessionPlugins;
use crate::policy::approved::{Approved, Payload, Program};
use crate::policy::{self, Manner, Verdict};
use crate::secret::redact::Redactor;
use crate::transport::ssh::Connection;
use crate::transport::{Line, LineEvent, Order, Reader, Writer};

/// What there is no terminal for.
const NO_TERMINAL: &str = "this session has no terminal; run the command in the device's main session (target without `#`), which has one";
/// Share of a reply's budget for standard error.
const ERRORS_SHARE: usize = 4;

/// How commands get to the device.
#[derive(Debug)]
pub enum Way {
    /// To a shell that reads them from a pipe.
    Pipe(Line, PipeSpec),
    /// Each on a channel of its own.
    Programs(Connection),
}

/// Starts a session on a connection.
#[must_use]
pub fn start(mut profile: Profile, way: Way) -> SessionHandle {
    let phase = if matches!(way, Way::Pipe(..)) { Phase::Opening } else { Phase::Ready };
    let (status, watch) =
        watch::channel(Status { phase, prompt: String::new(), mode: String::new(), cwd: None, log_bytes: 0, degraded: None });
    let (handle, mailbox) = SessionHandle::channel(&profile, watch);
    let (events_in, events) = mpsc::channel(LINE_CHUNKS);
    profile.teach_masks();
    let cast = profile.cast();
    profile.witness_open(&cast);
    let way = match way {
        Way::Pipe(line, spec) => Open::Pipe(Box::new(Pipe {
            spec,
            reader: line.reader,
            writer: line.writer,
            streams: Streams::new(&mut profile, &cast),
            running: None,
            is_open: false,
            cwd: None,
            deadline: now() + LOGIN_MAX,
        })),
        Way::Programs(connection) => Open::Programs { connection, events: events_in },
    };
    let lane = Lane {
        plugins: SessionPlugins::new(Arc::clone(&profile.kind)),
        note: profile.note.clone(),
        cast,
        profile,
        way,
        events,
        records: VecDeque::new(),
        waiting: Queue::default(),
        mailbox,
        status,
        used_at: now(),
        ended: None,
    };
    tokio::spawn(lane.run());
    handle
}

/// One output of a program: masked, logged, searched for marks.
struct Side {
    stream: Stream,
    redactor: Redactor,
    cast: Cast,
}

impl Side {
    fn push(&mut self, bytes: &[u8]) {
        let shown = self.redactor.push(bytes);
        self.stream.push(&shown);
        self.cast.lines(&shown, now());
    }

    /// What may be the beginning of a secret is none after all.
    fn flush(&mut self) {
        let held = self.redactor.flush();
        self.stream.push(&held);
        self.cast.lines(&held, now());
    }

    /// Where the last command's output lies, and the mark behind it.
    fn done(&self) -> Option<(u64, u64, &str)> {
        let done = self.stream.last_mark('D')?;
        Some((self.stream.output_start()?, done.start, done.body.as_str()))
    }
}

struct Streams {
    out: Side,
    err: Side,
}

impl Streams {
    fn new(profile: &mut Profile, cast: &Cast) -> Self {
        let mut side = || Side { stream: Stream::new((profile.logs)(), &profile.nonce), redactor: profile.redactor(), cast: cast.clone() };
        Self { out: side(), err: side() }
    }

    fn take(&mut self, event: &LineEvent) {
        match event {
            LineEvent::Data(bytes) => self.out.push(bytes),
            LineEvent::Error(bytes) => self.err.push(bytes),
            LineEvent::Exit(_) | LineEvent::Closed(_) => {
                self.out.flush();
                self.err.flush();
            }
        }
    }

    fn expect_marks(&mut self) {
        self.out.stream.on_typed(None);
        self.err.stream.on_typed(None);
    }

    fn bytes(&self) -> u64 {
        self.out.stream.log().end() + self.err.stream.log().end()
    }
}

struct Pipe {
    spec: PipeSpec,
    reader: Reader,
    writer: Writer,
    streams: Streams,
    running: Option<CommandId>,
    is_open: bool,
    cwd: Option<String>,
    /// When the shell must have answered its first command.
    deadline: Instant,
}

enum Open {
    Pipe(Box<Pipe>),
    Programs { connection: Connection, events: mpsc::Sender<(CommandId, ProgramEvent)> },
}

/// A command as its way takes it.
enum Given {
    Line(Approved),
    Program(Program),
}

/// What a channel of its own tells.
enum ProgramEvent {
    Started(Writer),
    Line(LineEvent),
    Failed(String),
}

/// A command, while it runs and later.
struct Record {
    id: CommandId,
    text: String,
    state: watch::Sender<State>,
    rule: (String, String),
    started_at: Instant,
    duration: Option<Duration>,
    status: Option<i32>,
    failure: Option<String>,
    cwd: Option<String>,
    warnings: Vec<String>,
    /// Parts of the session's streams, or of its own; the end is open while it runs.
    out: (u64, Option<u64>),
    err: (u64, Option<u64>),
    own: Option<Box<Streams>>,
    writer: Option<Writer>,
    interrupted: bool,
    /// When it is stopped, and by how many signals it was so far.
    kill_at: Option<(Instant, usize)>,
    witness: Witness,
    cast: Cast,
    /// Where it begins in the recording.
    cast_from: f64,
}

impl Record {
    fn is_over(&self) -> bool {
        self.duration.is_some()
    }

    fn end(&mut self, state: State, profile: &Profile) {
        if self.is_over() {
            return;
        }
        let duration = now().saturating_duration_since(self.started_at);
        let state = if self.interrupted && state == State::Done { State::Interrupted } else { state };
        self.duration = Some(duration);
        self.writer = None;
        self.state.send_replace(state);
        let part = |(start, end): (u64, Option<u64>)| (start, end.unwrap_or(start).max(start));
        let (out, err) = (part(self.out), part(self.err));
        let output_bytes = out.1 - out.0 + err.1 - err.0;
        let failed = self.has_failed(state);
        let ended = Ended { state: state.into(), exit_code: self.status, failed, duration, output_bytes };
        let recording = self.cast.part(self.cast_from, now());
        profile.witness_end_apart(self.id, ended, &self.witness, Apart { log: out, errors: err, recording });
    }

    fn has_failed(&self, state: State) -> bool {
        self.failure.is_some() || self.status.is_some_and(|status| status != 0) || state == State::Lost
    }
}

struct Lane {
    profile: Profile,
    cast: Cast,
    plugins: SessionPlugins,
    way: Open,
    events: mpsc::Receiver<(CommandId, ProgramEvent)>,
    records: VecDeque<Record>,
    waiting: Queue,
    mailbox: mpsc::Receiver<Request>,
    status: watch::Sender<Status>,
    used_at: Instant,
    ended: Option<String>,
    /// What callers should know since the configuration has changed.
    note: Option<String>,
}

enum Woken {
    Pipe(LineEvent),
    Program(CommandId, ProgramEvent),
    Request(Option<Request>),
    Timer,
}

impl Lane {
    async fn run(mut self) {
        self.set_up();
        while self.ended.is_none() {
            match self.wait().await {
                Woken::Pipe(event) => self.on_pipe(event),
                Woken::Program(id, event) => self.on_program(id, event),
                Woken::Request(Some(request)) => self.on_request(request).await,
                Woken::Request(None) => self.ended = Some("nobody uses the session".to_owned()),
                Woken::Timer => self.on_timer(),
            }
            self.start_next().await;
            self.publish();
        }
        self.close().await;
    }

    async fn wait(&mut self) -> Woken {
        let mut deadline = self.used_at + self.profile.idle_close;
        if let Open::Pipe(pipe) = &self.way
            && !pipe.is_open
        {
            deadline = deadline.min(pipe.deadline);
        }
        let kills = self.records.iter().filter(|record| !record.is_over()).filter_map(|record| record.kill_at);
        let deadline = kills.map(|(at, _)| at).fold(deadline, Instant::min);
        let piped = async {
            match &mut self.way {
                Open::Pipe(pipe) => pipe.reader.next().await,
                Open::Programs { .. } => std::future::pending().await,
            }
        };
        tokio::select! {
            event = piped => Woken::Pipe(event),
            Some((id, event)) = self.events.recv() => Woken::Program(id, event),
            request = self.mailbox.recv() => Woken::Request(request),
            () = sleep_until(deadline.into()) => Woken::Timer,
        }
    }

    /// The piped shell is told its part, and proves that it answers by an empty command.
    fn set_up(&mut self) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        pipe.streams.expect_marks();
        let first = policy::pipe_first(&pipe.spec, &self.profile.nonce);
        self.write(&first);
    }

    fn write(&mut self, approved: &Approved) {
        let Open::Pipe(pipe) = &self.way else { return };
        let Payload::Bytes(bytes) = approved.payload() else { return };
        if let Err(why) = pipe.writer.order(Order::Write(bytes.clone())) {
            self.ended = Some(why);
        }
    }

    fn on_pipe(&mut self, event: LineEvent) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        pipe.streams.take(&event);
        // What came together is looked at together.
        for _ in 0..LINE_CHUNKS {
            match (&event, pipe.reader.ready()) {
                (LineEvent::Exit(_) | LineEvent::Closed(_), _) => break,
                (_, Some(next @ (LineEvent::Data(_) | LineEvent::Error(_)))) => pipe.streams.take(&next),
                (_, Some(end)) => {
                    pipe.streams.take(&end);
                    self.look();
                    return self.on_end(end);
                }
                (_, None) => break,
            }
        }
        self.look();
        self.on_end(event);
    }

    fn on_end(&mut self, event: LineEvent) {
        match event {
            LineEvent::Exit(Ok(status)) => self.ended = Some(format!("the shell has ended with status {status}")),
            LineEvent::Exit(Err(why)) | LineEvent::Closed(why) => self.ended = Some(why),
            LineEvent::Data(_) | LineEvent::Error(_) => {}
        }
    }

    /// Have both outputs told the end?
    fn look(&mut self) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        let (Some((out_start, out_end, mark)), Some((err_start, err_end, _))) = (pipe.streams.out.done(), pipe.streams.err.done()) else {
            return;
        };
        let (status, cwd) = ending(mark);
        let restarted = pipe.streams.out.stream.last_mark('X').is_some();
        let start_of = |side: &Side| side.stream.first_mark('C').map(|mark| mark.start);
        let started = (start_of(&pipe.streams.out), start_of(&pipe.streams.err));
        if cwd.is_some() {
            pipe.cwd.clone_from(&cwd);
        }
        let running = pipe.running.take();
        if running.is_none() && pipe.is_open {
            return;
        }
        pipe.is_open = true;
        pipe.streams.expect_marks();
        if let Some(record) = self.records.iter_mut().find(|record| Some(record.id) == running) {
            for (name, before, started) in [("output", record.out.0, started.0), ("standard error", record.err.0, started.1)] {
                if let Some(late) = started.map(|started| started - before).filter(|late| *late > 0) {
                    record.warnings.push(format!("{late} bytes of {name} came after the last command ended"));
                }
            }
            (record.out, record.err) = ((out_start, Some(out_end)), (err_start, Some(err_end)));
            (record.status, record.cwd) = (status, cwd);
            if restarted {
                let what = "it ended the shell; a new one runs in the same directory, and variables that were not exported are gone";
                record.warnings.push(what.to_owned());
            }
            record.end(State::Done, &self.profile);
            self.used_at = now();
        }
        if restarted {
            let setup = policy::pipe_setup(&pipe.spec, &self.profile.nonce);
            self.write(&setup);
        }
    }

    fn on_program(&mut self, id: CommandId, event: ProgramEvent) {
        let Some(record) = self.records.iter_mut().find(|record| record.id == id) else { return };
        match event {
            ProgramEvent::Started(writer) if record.interrupted => drop(writer.order(Order::Close)),
            ProgramEvent::Started(writer) => record.writer = Some(writer),
            ProgramEvent::Failed(why) => {
                record.failure = Some(why);
                record.end(State::Lost, &self.profile);
            }
            ProgramEvent::Line(event) => {
                let Some(own) = &mut record.own else { return };
                own.take(&event);
                let end = match event {
                    LineEvent::Data(_) | LineEvent::Error(_) => return,
                    LineEvent::Exit(Ok(status)) => {
                        record.status = Some(status);
                        State::Done
                    }
                    LineEvent::Exit(Err(why)) => {
                        record.failure = Some(why);
                        State::Done
                    }
                    LineEvent::Closed(why) => {
                        record.failure = Some(why);
                        State::Lost
                    }
                };
                (record.out.1, record.err.1) = (Some(own.out.stream.log().end()), Some(own.err.stream.log().end()));
                record.end(end, &self.profile);
                self.used_at = now();
            }
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
        if *tried == 1 {
            record.warnings.push("it ran as long as its caller allowed, and was stopped".to_owned());
        }
        if let Err(why) = self.stop(how, Some(id)) {
            self.ended = Some(why);
        }
    }

    fn on_timer(&mut self) {
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
        self.records.iter().rev().find(|record| !record.is_over()).map(|record| record.id)
    }

    /// Can another command start?
    fn is_free(&self) -> bool {
        match &self.way {
            Open::Pipe(pipe) => pipe.is_open && pipe.running.is_none(),
            Open::Programs { .. } => self.records.iter().filter(|record| !record.is_over()).count() < PROGRAMS_MAX,
        }
    }

    async fn on_request(&mut self, request: Request) {
        self.used_at = now();
        match request {
            Request::Run(request, reply) => self.waiting.add(&self.profile.id, request, reply),
            Request::Report(query, reply) => drop(reply.send(self.report(&query))),
            Request::Send(_, reply) => drop(reply.send(Err(Refusal::Cannot(NO_TERMINAL.to_owned())))),
            Request::Stop(how, _, command, reply) => drop(reply.send(self.stop(how, command))),
            Request::Screen(_, reply) => drop(reply.send(ScreenReport::default())),
            Request::Judge(request, reply) => drop(reply.send(self.judge(&request).await)),
            Request::Renew(renewal, reply) => {
                self.profile.policy = renewal.policy;
                self.note = renewal.note;
                if let Some(kind) = renewal.kind {
                    // Without a terminal plugins only judge.
                    self.plugins = SessionPlugins::new(kind);
                }
                let _ = reply.send(());
            }
            Request::Close(reply) => {
                self.ended = Some("closed on request".to_owned());
                let _ = reply.send(());
            }
        }
    }

    async fn start_next(&mut self) {
        while self.ended.is_none() && self.is_free() {
            let Some((request, reply)) = self.waiting.next() else { return };
            let started = self.start_command(&request).await;
            // Who no longer waits finds the command in the list.
            let _ = reply.send(started);
        }
    }

    async fn judge(&self, request: &RunRequest) -> Verdict {
        self.profile.judge(&self.plugins, self.place(), request).await
    }

    fn place(&self) -> Place<'static> {
        Place { mode: MODE, privileged: self.profile.user == "root", manner: Manner::Whole }
    }

    async fn start_command(&mut self, request: &RunRequest) -> Result<Accepted, Refusal> {
        if request.mode.is_some() || request.keep.is_some() {
            return Err(Refusal::Cannot(
                "modes are those of a terminal; leave `mode` and `commit` out, or use the device's usual session".to_owned(),
            ));
        }
        let verdict = self.profile.admit(request, self.place(), self.judge(request).await).await?;
        let given = self.given(request, &verdict)?;
        let id = CommandId::next();
        let witness = self.profile.witness(Case::new(request, self.place(), &verdict, Some(id))).await?;
        let (state, watch) = watch::channel(State::Running);
        let rule = (policy::effect_word(verdict.decision.effect).to_owned(), verdict.decision.rule.clone());
        let mut record = Record {
            id,
            text: request.text.clone(),
            state,
            rule,
            started_at: now(),
            duration: None,
            status: None,
            failure: None,
            cwd: None,
            warnings: self.note.iter().chain(&witness.warning).cloned().collect(),
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
                record.out.0 = pipe.streams.out.stream.log().end();
                record.err.0 = pipe.streams.err.stream.log().end();
                pipe.running = Some(id);
                self.write(&approved);
            }
            (Open::Pipe(_), Given::Program(_)) | (Open::Programs { .. }, Given::Line(_)) => {}
            (Open::Programs { connection, events }, Given::Program(program)) => {
                record.own = Some(Box::new(Streams::new(&mut self.profile, &self.cast)));
                tokio::spawn(carry(connection.clone(), program, id, events.clone()));
            }
        }
        self.cast.mark(&id.to_string(), now());
        self.cast.input(&self.profile.redactor().whole(format!("{}\n", request.text).as_bytes()), now());
        self.profile.journal.begun(id, &self.profile.id, &request.caller, &request.text, &verdict);
        self.remember(record);
        Ok(Accepted { id, state: watch, verdict })
    }

    /// A command as the device gets it, if it can be run at all.
    fn given(&self, request: &RunRequest, verdict: &Verdict) -> Result<Given, Refusal> {
        let given = match &self.way {
            Open::Pipe(pipe) => policy::piped(verdict, &request.text, &pipe.spec).map(Given::Line),
            Open::Programs { .. } => policy::program(verdict, &request.text).map(Given::Program),
        };
        given.map_err(|why| Refusal::Cannot(format!("the command cannot be run: {why}")))
    }

    fn remember(&mut self, record: Record) {
        self.records.push_back(record);
        let kept = if matches!(self.way, Open::Pipe(_)) { COMMANDS_KEPT } else { PROGRAMS_KEPT };
        // Programs that run are at most as many as are kept.
        while self.records.len() > kept && self.records.front().is_some_and(Record::is_over) {
            self.records.pop_front();
        }
    }

    fn stop(&mut self, how: Stop, command: Option<CommandId>) -> Result<String, String> {
        if how == Stop::Hangup && command.is_none() {
            self.ended = Some("the line was closed on request".to_owned());
            return Ok("hang up".to_owned());
        }
        let wanted = command.or_else(|| self.running());
        let record = self.records.iter_mut().find(|record| Some(record.id) == wanted && !record.is_over());
        let Some(record) = record else { return Err(format!("nothing runs in `{}`", self.profile.id)) };
        record.interrupted = true;
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
        Ok(word.to_owned())
    }

    fn report(&self, query: &OutputQuery) -> Result<Report, String> {
        let Some(id) = query.command else {
            return Err(format!("`{}` has no terminal log; ask for a command by command_id", self.profile.id));
        };
        let Some(record) = self.records.iter().find(|record| record.id == id) else {
            return Err(format!("`{}` does not remember {id}", self.profile.id));
        };
        let shared = match &self.way {
            Open::Pipe(pipe) => Some(&pipe.streams),
            Open::Programs { .. } => None,
        };
        let Some(streams) = record.own.as_deref().or(shared) else { return Err("its output is gone".to_owned()) };
        let part = |side: &Side, (start, end): (u64, Option<u64>), query: &OutputQuery| {
            let stream = &side.stream;
            let start = if record.own.is_none() && end.is_none() { stream.output_start().unwrap_or(start).max(start) } else { start };
            output(&stream.source(), &[(start, end.unwrap_or_else(|| stream.log().end()).max(start))], query)
        };
        let wanted = if query.errors { (&streams.err, record.err) } else { (&streams.out, record.out) };
        let (text, range) = part(wanted.0, wanted.1, query)?;
        let (errors, errors_range) = if query.errors || query.offset.is_some() {
            Default::default()
        } else {
            let budget = query.max_chars.max(OUTPUT_DEFAULT_CHARS) / ERRORS_SHARE;
            part(&streams.err, record.err, &OutputQuery { max_chars: budget, grep: query.grep.clone(), ..OutputQuery::default() })?
        };
        let state = *record.state.borrow();
        Ok(Report {
            command: Some(id),
            text: record.text.clone(),
            state,
            exit_code: record.status,
            failed: record.is_over() && record.has_failed(state),
            failure: record.failure.clone(),
            output: text,
            range,
            errors: Some((errors, errors_range.total)).filter(|_| !query.errors && query.offset.is_none()),
            duration: record.duration.unwrap_or_else(|| now().saturating_duration_since(record.started_at)),
            idle: Duration::ZERO,
            prompt: String::new(),
            cwd: record.cwd.clone(),
            mode: MODE.to_owned(),
            confidence: record.is_over().then(|| if record.own.is_some() { "protocol" } else { "mark" }.to_owned()),
            ask: None,
            warnings: record.warnings.clone(),
            rule: Some(record.rule.clone()),
            journey: None,
        })
    }

    fn publish(&self) {
        let (opening, cwd, pipe_bytes) = match &self.way {
            Open::Pipe(pipe) => (!pipe.is_open, pipe.cwd.clone(), pipe.streams.bytes()),
            Open::Programs { .. } => (false, None, 0),
        };
        let own: u64 = self.records.iter().filter_map(|record| record.own.as_ref()).map(|own| own.bytes()).sum();
        let phase = match (&self.ended, self.running()) {
            (Some(why), _) => Phase::Closed(why.clone()),
            (None, _) if opening => Phase::Opening,
            (None, Some(id)) => Phase::Busy(id),
            (None, None) => Phase::Ready,
        };
        let status = Status { phase, prompt: String::new(), mode: MODE.to_owned(), cwd, log_bytes: pipe_bytes + own, degraded: None };
        self.status.send_if_modified(|old| {
            let changed = (&old.phase, &old.cwd) != (&status.phase, &status.cwd);
            *old = status;
            changed
        });
    }

    /// Tells everybody who waits, and answers questions about the past as long as somebody holds the session.
    async fn close(mut self) {
        let why = self.ended.clone().unwrap_or_else(|| "the session has ended".to_owned());
        if let Open::Pipe(pipe) = &self.way {
            let _ = pipe.writer.order(Order::Close);
        }
        for record in &mut self.records {
            if let Some(writer) = record.writer.take() {
                let _ = writer.order(Order::Close);
            }
            record.end(State::Lost, &self.profile);
        }
        self.cast.end();
        self.profile.witness_close(&why);
        self.publish();
        self.waiting.close(&why);
        while let Some(request) = self.mailbox.recv().await {
            if let Some(past) = request.refuse(&why) {
                self.on_request(past).await;
            }
        }
    }
}

/// The mode of a shell, for policy.
const MODE: &str = "shell";

/// Opens a channel for a command and carries what it says to the session.
async fn carry(connection: Connection, program: Program, id: CommandId, events: mpsc::Sender<(CommandId, ProgramEvent)>) {
    let line = match connection.program(&program).await {
        Ok(line) => line,
        // A session that has ended listens no longer.
        Err(error) => return drop(events.send((id, ProgramEvent::Failed(error.to_string()))).await),
    };
    let Line { mut reader, writer, .. } = line;
    if events.send((id, ProgramEvent::Started(writer))).await.is_err() {
        return;
    }
    loop {
        let event = reader.next().await;
        let is_end = matches!(event, LineEvent::Exit(_) | LineEvent::Closed(_));
        if events.send((id, ProgramEvent::Line(event))).await.is_err() || is_end {
            return;
        }
    }
}

/// Status and directory of `D;status;nonce;cwd`.
fn ending(mark: &str) -> (Option<i32>, Option<String>) {
    let mut fields = mark.splitn(4, ';').skip(1);
    let status = fields.next().and_then(|status| status.parse().ok());
    let cwd = fields.nth(1).filter(|cwd| !cwd.is_empty()).map(str::to_owned);
    (status, cwd)
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn a_mark_tells_status_and_directory() {
        assert_eq!(ending("D;3;0123;/a;b c"), (Some(3), Some("/a;b c".to_owned())));
        assert_eq!(ending("D;;0123"), (None, None));
    }
}
