//! The task that owns a session: takes input, asks the machine, performs the effects, waits.
//!
//! It decides nothing about the device. It never waits for a caller, and for a plugin only as long as a call may last.

mod ending;
mod keys;
mod leftover;
mod listening;
mod person;
mod record;
mod reports;
mod secrets;
mod travel;
mod typing;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::sleep_until;

use self::keys::Keys;
use self::record::Record;
use self::secrets::{Found, Lookup};
use self::travel::Travel;
use super::audience::Audience;
use super::command::{Ending, Limit, Started, State};
use super::machine::{Effect, Intent, Machine, Setting};
use super::profile::{Place, Profile};
use super::queue::{Queue, Reply, still_wanted};
use super::records::Records;
use super::report::{Report, ScreenReport, removed};
use super::request::{Act, Look, Request};
use super::stream::Stream;
use super::view::{Question, Readings, View};
use super::witness::{Case, Witness};
use super::{Accepted, Phase, Refusal, Renewal, RunRequest, SendRequest, SessionHandle, Status, Stop, now};
use crate::author::Author;
use crate::cast::Cast;
use crate::ids::CommandId;
use crate::limits::{COMMANDS_KEPT, COMMANDS_QUEUED_MAX, VIEW_RECENT_MAX_BYTES, VIEW_TAIL_MAX_BYTES};
use crate::plugin::session::SessionPlugins;
use crate::policy::approved::{Approved, Payload};
use crate::policy::{self, Manner, Purpose, Verdict};
use crate::recording::{Entry, Tape};
use crate::screen::Screen;
use crate::secret::redact::Redactor;
use crate::terminal::text::last_bytes;
use crate::transport::{Line, LineEvent, Order, Reader, Writer};

/// How long bytes that may be the beginning of a secret are held back.
pub(super) const HOLD: Duration = Duration::from_millis(30);

struct Actor {
    profile: Profile,
    machine: Machine,
    plugins: SessionPlugins,
    reader: Reader,
    writer: Writer,
    redactor: Redactor,
    /// The same of what is typed where it is shown, which may come key by key.
    typed_redactor: Redactor,
    /// The same of what is recorded, which has time: it gives out nothing before it is certain.
    recorded_redactor: Redactor,
    screen: Option<Screen>,
    keys: Keys,
    audience: Audience,
    /// Parts of the log that are the session's own setting up: nobody wants to see them.
    setups: VecDeque<(u64, u64)>,
    /// Where one has begun that goes on.
    setup_from: Option<u64>,
    /// Who wrote last, as the recording has it.
    written_by: Option<Author>,
    records: Records<Record>,
    waiting: Queue,
    /// What is typed behind those who wait: for the command that they begin.
    sends: VecDeque<(SendRequest, oneshot::Sender<Result<u64, Refusal>>)>,
    /// Those who wait are kept from typing until then.
    held_until: Option<Instant>,
    travel: Option<Travel>,
    mailbox: mpsc::Receiver<Request>,
    status: watch::Sender<Status>,
    lookup: Lookup,
    /// As many chunks were taken as one turn allows; whether more is there is not known.
    undrained: bool,
    held_since: Option<Instant>,
    used_at: Instant,
    ended: Option<String>,
    /// Somebody wanted the end.
    is_wanted_end: bool,
    exit: Option<i32>,
    tape: Option<Tape>,
    cast: Cast,
    seen: Vec<u8>,
    /// What failed of its plugins, until all of them work again.
    degraded: Option<String>,
    /// Plugins of the configuration that counts now. They judge at once, and take the rest over when nothing runs.
    next: Option<SessionPlugins>,
    /// What callers should know since the configuration has changed.
    note: Option<String>,
    /// What the first one should know of a session that does not look like its type.
    doubt: Option<String>,
    /// The first prompt was there.
    has_opened: bool,
}

/// Starts a session on an open line.
#[must_use]
pub fn start(mut profile: Profile, line: Line) -> SessionHandle {
    let (prompt, mode, size) = (String::new(), String::new(), profile.size);
    let status = Status { phase: Phase::Opening, prompt, mode, cwd: None, log_bytes: 0, size, degraded: None };
    let (status, watch) = watch::channel(status);
    let (handle, mailbox) = SessionHandle::channel(&profile, watch);
    let log = (profile.logs)();
    let missing: Vec<String> = profile.kind.secrets().into_iter().filter(|name| !profile.secrets.contains_key(name)).collect();
    let facts = vec![
        ("nonce", profile.nonce.as_str().into()),
        ("device-type", profile.kind.name.as_str().into()),
        ("user", profile.user.as_str().into()),
        ("missing-secrets", missing.join(",").into()),
    ];
    let setting = Setting { facts, echoes: profile.kind.terminal.echoes, context: profile.kind.context.clone() };
    let redactor = profile.teach_masks();
    let (typed_redactor, recorded_redactor) = (profile.redactor(), profile.redactor());
    let cast = profile.cast();
    profile.witness_open(&cast);
    let now = now();
    let actor = Actor {
        machine: Machine::new(Stream::new(log, &profile.nonce).on_columns(profile.size.0), setting, now),
        plugins: SessionPlugins::new(Arc::clone(&profile.kind)),
        reader: line.reader,
        writer: line.writer,
        redactor,
        typed_redactor,
        recorded_redactor,
        screen: None,
        keys: Keys::default(),
        audience: Audience::default(),
        setups: VecDeque::new(),
        setup_from: None,
        written_by: None,
        records: Records::up_to(COMMANDS_KEPT),
        waiting: Queue::default(),
        sends: VecDeque::new(),
        held_until: None,
        travel: None,
        mailbox,
        status,
        lookup: Lookup::default(),
        undrained: false,
        held_since: None,
        used_at: now,
        ended: None,
        is_wanted_end: false,
        exit: None,
        tape: None,
        cast,
        seen: line.seen,
        degraded: None,
        next: None,
        note: profile.note.clone(),
        doubt: None,
        has_opened: false,
        profile,
    };
    tokio::spawn(actor.run());
    handle
}

/// What woke the actor.
enum Woken {
    Line(LineEvent),
    Undrained,
    Act(Act),
    /// Nobody can ask for anything any more.
    Unheld,
    Timer,
    /// Who may type has changed.
    Lock,
    Secret(Found),
}

impl Actor {
    async fn run(mut self) {
        self.start_tape();
        Box::pin(self.profile.recall_masks()).await;
        // What it does takes much more room than that it waits, as thousands of sessions do: the room is there only as long.
        Box::pin(self.begin_with_seen()).await;
        while self.ended.is_none() {
            let woken = self.wait().await;
            Box::pin(self.on_woken(woken)).await;
        }
        Box::pin(self.close()).await;
    }

    async fn on_woken(&mut self, woken: Woken) {
        match woken {
            Woken::Line(event) => self.on_line(event).await,
            Woken::Undrained => self.drain().await,
            Woken::Act(act) => self.on_act(act).await,
            Woken::Unheld => self.ended = Some("nobody uses the session".to_owned()),
            Woken::Timer => self.on_timer().await,
            Woken::Lock => {
                self.heed_lock();
                self.go_on_waiting().await;
            }
            Woken::Secret(found) => self.on_secret(found).await,
        }
        self.take_next().await;
        self.type_kept().await;
        self.type_sends().await;
        self.publish();
        self.profile.commons.stir();
    }

    fn on_renewal(&mut self, renewal: Renewal) {
        self.profile.policy = renewal.policy;
        self.note = renewal.note;
        if let Some(kind) = renewal.kind {
            self.next = Some(SessionPlugins::new(kind));
        }
    }

    /// What ran has ended on the plugins that it began with: those of the new configuration take over, with empty memos, and learn
    /// the prompt that stands there.
    async fn take_next(&mut self) {
        if self.machine.is_idle() && self.ended.is_none() && self.swap() {
            let effects = self.machine.look_again(now());
            self.perform(effects).await;
        }
    }

    fn swap(&mut self) -> bool {
        let Some(next) = self.next.take() else { return false };
        self.profile.kind = Arc::clone(next.kind());
        self.plugins = next;
        self.degraded = None;
        true
    }

    /// Waits for what may change something. Who only looks is told meanwhile: that is no turn, in which those who look would wake
    /// themselves and each other for ever.
    async fn wait(&mut self) -> Woken {
        loop {
            let idle = self.used_at + self.profile.idle_close;
            let held = self.held_since.map(|since| since + HOLD);
            let kept = self.keys_kept_until();
            let deadline = [self.machine.next_deadline(), held, self.held_until, kept].into_iter().flatten().fold(idle, Instant::min);
            let undrained = self.undrained;
            let asked = tokio::select! {
                event = self.reader.next() => return Woken::Line(event),
                () = yield_now(), if undrained => return Woken::Undrained,
                asked = self.mailbox.recv() => asked,
                () = self.profile.commons.lock.changed() => return Woken::Lock,
                found = self.lookup.found() => return Woken::Secret(found),
                () = sleep_until(deadline.into()) => return Woken::Timer,
            };
            match asked {
                Some(Request::Look(look)) => Box::pin(self.on_look(look)).await,
                Some(Request::Act(act)) => return Woken::Act(act),
                None => return Woken::Unheld,
            }
        }
    }

    async fn on_timer(&mut self) {
        if self.held_since.is_some_and(|since| since + HOLD <= now()) {
            self.release_held();
            let effects = self.machine.on_drained(now());
            self.perform(effects).await;
        }
        let effects = self.machine.on_timer(now());
        self.perform(effects).await;
        if self.held_until.is_some_and(|until| until <= now()) {
            self.go_on_waiting().await;
        }
        if now() >= self.used_at + self.profile.idle_close && self.machine.running().is_none() {
            self.ended = Some(format!("nobody used it for {} s", self.profile.idle_close.as_secs()));
        } else if now() >= self.used_at + self.profile.idle_close {
            // Something runs: it is asked again after another while.
            self.used_at = now();
        }
    }

    async fn perform(&mut self, effects: Vec<Effect>) {
        let mut todo: VecDeque<Effect> = effects.into();
        self.answer_queries();
        while let Some(effect) = todo.pop_front() {
            let more = match effect {
                Effect::Ask(view) => {
                    let readings = self.plugins.ask(&view).await;
                    self.note_health(&readings);
                    self.machine.on_readings(now(), readings)
                }
                Effect::AskScreen(mut view) => {
                    self.show_screen(&mut view);
                    let question = self.plugins.ask_screen(&view).await;
                    self.machine.on_screen_read(now(), view.revision, question)
                }
                Effect::Prepare(view, ready) => {
                    let sends = self.plugins.prepare(&view, &ready).await;
                    self.machine.on_prepared(now(), sends)
                }
                Effect::Type(intent) => {
                    self.note_setup();
                    self.on_intent(&intent);
                    Vec::new()
                }
                Effect::Write(approved) => {
                    self.write(&approved);
                    Vec::new()
                }
                Effect::Asked(id, question) => {
                    self.profile.commons.asks(Some(self.profile.shown(question.text.trim())));
                    self.set_state(id, State::NeedsInput);
                    Vec::new()
                }
                Effect::Ended(ending) => self.on_ended(*ending).await,
                Effect::SecretFailed(name) => {
                    self.note_refused(&name);
                    Vec::new()
                }
                Effect::Opened => {
                    // Later it is another shell inside, or a program that is known.
                    if !std::mem::replace(&mut self.has_opened, true) {
                        self.note_doubt();
                    }
                    self.end_setup();
                    Vec::new()
                }
                Effect::LoginWaits(_) => {
                    self.give_up_setup();
                    Vec::new()
                }
            };
            // What follows from an effect comes before what was behind it.
            more.into_iter().rev().for_each(|effect| todo.push_front(effect));
            if todo.is_empty() && self.machine.is_idle() {
                todo.extend(self.start_next().await);
            }
        }
    }

    /// A shell takes the lines that mark its prompts. What does not is perhaps none, and policy reads its lines as a shell's.
    fn note_doubt(&mut self) {
        let is_marked = self.machine.ready().is_some_and(|ready| ready.proof == "mark");
        if self.profile.kind.pipe.is_some() && !is_marked {
            let kind = &self.profile.kind.name;
            self.doubt = Some(format!(
                "nothing here answers as a shell of type `{kind}` does: ends are told by the prompt's look and no exit status is known; if it is another device, set its `type`"
            ));
        }
    }

    /// A plugin that failed makes the session degraded, until a prompt is read without one.
    fn note_health(&mut self, readings: &Readings) {
        if readings.degraded.is_some() {
            self.degraded.clone_from(&readings.degraded);
        } else if readings.prompt.is_some() {
            self.degraded = None;
        }
    }

    /// Puts what a terminal shows into a view: the cursor's row is the last one, the others come before it.
    fn show_screen(&self, view: &mut View) {
        let report = match &self.screen {
            Some(screen) => screen.shown(),
            // Nobody has asked to see it, so it is not kept up to date for this alone.
            None => Screen::replay(self.machine.stream().log(), self.profile.size).shown(),
        };
        view.tail = last_bytes(&report.0, VIEW_TAIL_MAX_BYTES).to_owned();
        view.recent = last_bytes(&report.1, VIEW_RECENT_MAX_BYTES).to_owned();
    }

    /// What every terminal answers by itself.
    fn answer_queries(&mut self) {
        let queries = self.machine.take_queries();
        let cursor = (self.machine.stream().cursor_column(), self.profile.size.1);
        for query in queries {
            if let Some(answer) = policy::answer(&query, &self.profile.kind, cursor) {
                self.write(&answer);
                if self.machine.runs_under_marks() {
                    self.keys.leftover.on_answered();
                }
            }
        }
    }

    fn on_intent(&mut self, intent: &Intent) {
        let author = match intent {
            Intent::Send { plugin, .. } | Intent::Secret { plugin, .. } => Author::plugin(plugin),
            Intent::Cancel { .. } | Intent::Erase => Author::runtime(),
        };
        match policy::intent(intent, &self.profile.kind, self.profile.filling()).map(|approved| approved.by(author)) {
            Ok(approved) => {
                if let Some(line) = approved.echo() {
                    self.machine.on_setup_line(now(), line);
                }
                self.write(&approved);
            }
            Err(why) => crate::diagnostics::warn(&format!("session `{}`: {why}", self.profile.id)),
        }
    }

    fn write(&mut self, approved: &Approved) {
        self.note_author(approved);
        match approved.payload() {
            Payload::Bytes(bytes) => {
                if !approved.is_hidden() {
                    self.cast.input(&self.typed_redactor.push(bytes), now());
                }
                self.tape(|tape| tape.note(Entry::Typed(bytes.clone()), now()));
                // What is answered or stopped by this wants no secret any more.
                self.lookup.give_up();
                self.order(Order::Write(bytes.clone().into()));
            }
            Payload::Secret { name, enter } => self.look_up(name.clone(), enter.clone(), approved.author().clone()),
        }
    }

    fn order(&mut self, order: Order) {
        if let Err(why) = self.writer.order(order) {
            self.profile.commons.lose_line();
            self.ended.get_or_insert(why);
        }
    }

    async fn on_look(&mut self, look: Look) {
        match look {
            Look::Report(query, reply) => drop(reply.send(self.report(&query))),
            Look::Screen(since, reply) => drop(reply.send(self.screen_report(since))),
            Look::Meanwhile(agent, reply) => drop(reply.send(self.meanwhile(&agent))),
            Look::Judge(request, reply) => {
                // A report, which is asked for behind every command, takes no room for that.
                let verdict = Box::pin(self.judge(&request)).await;
                let _ = reply.send(verdict);
            }
        }
    }

    async fn on_act(&mut self, act: Act) {
        if act.is_use() {
            self.used_at = now();
        }
        match act {
            Act::Run(request, reply) => {
                self.waiting.add(&self.profile.id, request, reply);
                if self.machine.is_idle() {
                    let effects = self.start_next().await;
                    self.perform(effects).await;
                }
            }
            Act::Send(request, reply) => {
                self.sends.push_back((request, reply));
                self.type_sends().await;
            }
            Act::Stop(how, tried, command, reply) => {
                let stopped = self.on_stop(how, tried, command).await;
                let _ = reply.send(stopped);
            }
            Act::Watch(reply) => drop(reply.send(Ok(self.watched()))),
            Act::Person(who, bytes, reply) => {
                let typed = self.on_persons_keys(who, bytes).await;
                let _ = reply.send(typed);
            }
            Act::Resize(size, reply) => drop(reply.send(self.on_resize(size))),
            Act::Renew(renewal, reply) => {
                self.on_renewal(*renewal);
                let _ = reply.send(());
            }
            Act::Close(reply) => {
                self.ended = Some("closed on request".to_owned());
                self.is_wanted_end = true;
                let _ = reply.send(());
            }
        }
    }

    /// Types what callers send, but not before a command that was wanted earlier has begun, nor among the lines that set a session up.
    async fn type_sends(&mut self) {
        let comes_later = |this: &Self| {
            this.machine.is_setting_up() || this.machine.is_idle() && this.waiting.first(|request| this.may_now(request)).is_some()
        };
        while !self.sends.is_empty() && (!comes_later(self) || self.sends.len() > COMMANDS_QUEUED_MAX) {
            let Some((request, reply)) = self.sends.pop_front() else { return };
            if !reply.is_closed() {
                // Each turn would take, and move, as much room: so what most turns do not do has room of its own.
                let sent = Box::pin(self.on_send(request)).await;
                let _ = reply.send(sent);
            }
        }
    }

    /// The next caller who still waits gets the session.
    async fn start_next(&mut self) -> Vec<Effect> {
        self.swap();
        let (lock, at) = (self.profile.commons.lock.clone(), now());
        let (held_until, somebody) = self.waiting.refuse_held(|request| lock.check(&request.author(), at));
        self.held_until = held_until;
        if self.ended.is_some() || !self.keys.kept.is_empty() || !somebody {
            return Vec::new();
        }
        if let Some(effects) = self.take_back().await {
            return effects;
        }
        while let Some((request, reply)) = self.waiting.next(|request| lock.check(&request.author(), at).is_ok()) {
            match self.start_command(&request, &reply).await {
                Ok((accepted, effects)) => {
                    let is_told = reply.send(Ok(accepted)).is_ok();
                    if !is_told {
                        self.machine.on_unwanted(now());
                    }
                    if is_told || !effects.is_empty() {
                        return effects;
                    }
                }
                Err(refusal) => drop(reply.send(Err(refusal))),
            }
        }
        Vec::new()
    }

    fn may_now(&self, request: &RunRequest) -> bool {
        self.profile.commons.lock.check(&request.author(), now()).is_ok()
    }

    async fn judge(&self, request: &RunRequest) -> Verdict {
        self.judge_in(self.machine.mode(), request).await
    }

    /// What policy says of a line in a mode, perhaps another one than the session is in.
    async fn judge_in(&self, mode: &str, request: &RunRequest) -> Verdict {
        self.profile.judge(self.next.as_ref().unwrap_or(&self.plugins), self.place(mode), request).await
    }

    fn place<'a>(&'a self, mode: &'a str) -> Place<'a> {
        let ready = self.machine.ready();
        // What a prompt only looks like says nothing of where a line would run.
        let cwd = ready.filter(|ready| ready.proof == "mark" && ready.mode == mode).and_then(|ready| ready.cwd.as_deref());
        Place { mode, privileged: ready.is_some_and(|ready| ready.privileged), cwd, manner: Manner::Typed }
    }

    async fn start_command(&mut self, request: &RunRequest, reply: &Reply) -> Result<(Accepted, Vec<Effect>), Refusal> {
        if self.travels(request) {
            return Box::pin(self.set_out(request, reply)).await;
        }
        let verdict = self.profile.admit(request, self.place(self.machine.mode()), self.judge(request).await).await?;
        let lines = self.lines(&verdict, &request.text, self.machine.stream().takes_paste())?;
        let goal = self.plugins.claim(&request.text, self.machine.mode()).await;
        let (caller, text) = (request.caller.clone(), request.text.clone());
        still_wanted(reply)?;
        let id = CommandId::next();
        let witness = self.profile.witness(Case::new(request, self.place(self.machine.mode()), &verdict, Some(id))).await?;
        let lines = lines.into_iter().map(|line| line.by(request.author())).collect();
        self.on_callers_turn(&request.author(), &request.text);
        let limit = request.kill_after.map(|limit| Limit::of_caller(limit, Duration::ZERO));
        let started = Started { id, caller, text, lines, goal, limit, one_prompt: false, manual: false };
        Ok(self.begin(started, verdict, witness))
    }

    /// What is typed of a text that was let through.
    fn lines(&self, verdict: &Verdict, text: &str, pastes: bool) -> Result<VecDeque<Approved>, Refusal> {
        // What is not known may be a shell.
        let is_program = self.profile.kind.pipe.is_some() && !self.is_in_shell() && self.machine.mode() != "unknown";
        let reader = policy::LineReader { pastes, line_max: self.machine.stream().line_max(), is_program };
        let lines = policy::command(verdict, text, &self.profile.kind, &reader);
        lines.map_err(|why| Refusal::Cannot(format!("the command cannot be typed: {why}")))
    }

    fn begin(&mut self, started: Started, verdict: Verdict, witness: Witness) -> (Accepted, Vec<Effect>) {
        let accepted = self.remember(started.id, &started.caller, &started.text, verdict, witness);
        (accepted, self.machine.on_run(now(), started))
    }

    /// A command begins: the journal hears of it, and its caller gets a way to follow it.
    fn remember(&mut self, id: CommandId, caller: &str, text: &str, verdict: Verdict, witness: Witness) -> Accepted {
        let kept = self.profile.kept(text);
        self.profile.journal.begun(id, &self.profile.id, caller, &kept, &verdict);
        let log_end = self.machine.stream().log().end();
        self.profile.commons.begun(id, kept, Author::of_caller(caller), log_end);
        let cast_from = self.cast.seconds(now());
        self.cast.mark(&id.to_string(), now());
        let (state, watch) = watch::channel(State::Running);
        let rule = (policy::effect_word(verdict.decision.effect).to_owned(), verdict.decision.rule.clone());
        self.records.begin(Record { id, state, ending: None, failure: None, rule, journey: None, witness, cast_from });
        self.forget_typed();
        Accepted { id, state: watch, verdict }
    }

    fn publish(&self) {
        self.note_busy();
        // What had asked may have gone on by itself.
        if self.machine.question().is_none() {
            self.profile.commons.asks(None);
        }
        let phase = match (&self.ended, self.machine.running()) {
            (Some(why), _) => Phase::Closed(why.clone()),
            (None, Some(running)) => Phase::Busy(running.id),
            (None, None) if self.machine.is_idle() => Phase::Ready,
            (None, None) => match self.machine.login_waits() {
                Some(question) => Phase::NeedsInput(question.map_or_else(|| "no prompt was recognised".to_owned(), asked)),
                None => Phase::Opening,
            },
        };
        let ready = self.machine.ready();
        let (prompt, cwd) = (ready.map_or("", |ready| ready.prompt.as_str()), ready.and_then(|ready| ready.cwd.as_deref()));
        let mode = self.machine.mode();
        let log_bytes = self.machine.stream().log().end();
        let size = self.profile.size;
        // Nobody is woken by a count of bytes or another size.
        self.status.send_if_modified(|old| {
            (old.log_bytes, old.size) = (log_bytes, size);
            let same = old.phase == phase
                && old.prompt == prompt
                && old.mode == mode
                && old.cwd.as_deref() == cwd
                && old.degraded == self.degraded;
            if !same {
                let (prompt, mode, cwd) = (prompt.to_owned(), mode.to_owned(), cwd.map(str::to_owned));
                *old = Status { phase, prompt, mode, cwd, log_bytes, size, degraded: self.degraded.clone() };
            }
            !same
        });
    }

    /// Tells everybody who waits, and answers questions about the past as long as somebody holds the session.
    async fn close(mut self) {
        let why = self.ended.clone().unwrap_or_else(|| "the session has ended".to_owned());
        // The end may have been the last piece of a turn: what came before it may have ended what ran.
        let effects = self.machine.on_drained(now());
        self.perform(effects).await;
        if self.machine.is_idle() && !self.is_wanted_end {
            self.profile.commons.note_loss(&why);
        }
        let effects = self.machine.on_closed(now(), self.exit);
        for effect in effects {
            if let Effect::Ended(ending) = effect {
                self.on_ended(*ending).await;
            }
        }
        self.order(Order::Close);
        self.cast.output(&self.recorded_redactor.flush(), now());
        self.cast.input(&self.typed_redactor.flush(), now());
        // Nothing is typed or read any more: what was needed for that is wiped, also where somebody still asks about the past.
        for redactor in [&mut self.redactor, &mut self.typed_redactor, &mut self.recorded_redactor] {
            *redactor = Redactor::default();
        }
        self.audience = Audience::default();
        self.profile.login_secrets.clear();
        self.ended = Some(why.clone());
        self.cast.end();
        self.profile.witness_close(&why);
        self.publish();
        self.profile.commons.stir();
        self.waiting.close(&why);
        for (_, reply) in self.sends.drain(..) {
            let _ = reply.send(Err(Refusal::Closed(why.clone())));
        }
        while let Some(request) = self.mailbox.recv().await {
            match request {
                Request::Look(look) => self.on_look(look).await,
                Request::Act(act) => act.refuse(&why),
            }
        }
    }
}

fn asked(question: &Question) -> String {
    format!("the device asks `{}`", question.text.trim())
}
