//! A session's logic, without waiting, clock, socket or plugin: `(now, input) -> effects`.
//!
//! The actor feeds it bytes and answers and performs the effects. Whatever the chunks are, the effects that reach
//! the device are the same: decisions are taken only when the reader is drained or a timer fires.
//!
//! Silence alone never ends a command. It ends by a prompt that a plugin accepted (with a mark at once, else after
//! the silence that the plugin asked for and behind the echo), by the end of the line, or not at all.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use crate::ids::CommandId;
use crate::limits::{
    ECHO_GRACE, GOAL_STEPS_MAX, INTERRUPT_STEP_WAIT, KILL_TRIES_MAX, LOGIN_MAX, LOOK_AGAIN_MAX, PAGES_MAX, SCREEN_STANDS,
    SECRET_AFTER_LINE_MAX, SETTLE_MAX_MS, SETTLE_MIN_MS, SETTLE_START_MS, SETUP_SENDS_MAX, VIEW_COMMAND_MAX_BYTES,
};
use crate::policy::approved::Approved;
use crate::session::command::{Ending, Running, Started};
use crate::session::stream::Stream;
use crate::session::timers::{Timer, Timers};
use crate::session::view::{Phase, Question, Reading, Readings, Ready, Step, Stepping, View};
use crate::terminal::text::first_bytes;

/// What the machine wants typed. Policy turns it into [`Approved`] bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// A send of a plugin's manifest.
    Send {
        /// The plugin.
        plugin: String,
        /// The send's name.
        name: String,
    },
    /// A secret and Enter.
    Secret {
        /// The plugin that asked.
        plugin: String,
        /// The secret's name.
        name: String,
    },
    /// What the device type says stops a command, in its order.
    Cancel {
        /// How many were tried before.
        tried: usize,
    },
}

/// What the actor has to do.
#[derive(Debug)]
pub enum Effect {
    /// Show the plugins this view and bring the answer.
    Ask(Box<View>),
    /// Show the plugins the screen that a full-screen program has drawn, and bring the question that they see there. The view
    /// lacks the rows.
    AskScreen(Box<View>),
    /// Ask the prompt plugin what to type after login.
    Prepare(Box<View>, Ready),
    /// Type this once policy has approved it.
    Type(Intent),
    /// Type these bytes.
    Write(Approved),
    /// The session is ready for its first command.
    Opened,
    /// The login takes too long, or asks something.
    LoginWaits(Option<Question>),
    /// A command asks something.
    Asked(CommandId, Question),
    /// A command has ended.
    Ended(Box<Ending>),
    /// A secret was refused by the device.
    SecretFailed(String),
}

/// What a session is doing.
#[derive(Debug)]
enum State {
    Login { asked: Option<Question>, told: bool },
    Setup(Setup),
    Idle(Idle),
    Running(Box<Running>),
    Closed,
}

#[derive(Debug, Default)]
struct Setup {
    sends: VecDeque<(String, String)>,
    typed: u32,
    line: String,
    waiting: bool,
}

#[derive(Debug)]
struct Idle {
    rows_done: u64,
    log_end: u64,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    stream: Stream,
    state: State,
    timers: Timers,
    /// The last accepted prompt.
    ready: Option<Ready>,
    last_byte: Instant,
    typed_at: Instant,
    typed_log_end: u64,
    settle_ms: u32,
    /// An answer to an older revision is dropped.
    revision: u64,
    /// What the plugins were last asked about; the same view is not shown twice.
    asked: Option<(u64, u64, u64)>,
    facts: Vec<(String, String)>,
    echoes: bool,
}

/// What does not change during a session.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Facts for the views, beside those that the machine adds.
    pub facts: Vec<(String, String)>,
    /// Does the device send typed lines back?
    pub echoes: bool,
}

impl Machine {
    /// A machine whose line has just opened.
    #[must_use]
    pub fn new(stream: Stream, setting: Setting, now: Instant) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Login, now + LOGIN_MAX);
        Self {
            stream,
            state: State::Login { asked: None, told: false },
            timers,
            ready: None,
            last_byte: now,
            typed_at: now,
            typed_log_end: 0,
            settle_ms: SETTLE_START_MS,
            revision: 0,
            asked: None,
            facts: setting.facts,
            echoes: setting.echoes,
        }
    }

    /// The session's bytes and what they mean.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The last accepted prompt.
    #[must_use]
    pub fn ready(&self) -> Option<&Ready> {
        self.ready.as_ref()
    }

    /// The device's mode, empty before the first prompt.
    #[must_use]
    pub fn mode(&self) -> &str {
        self.ready.as_ref().map_or("", |ready| ready.mode.as_str())
    }

    /// Can a command be typed?
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle(_))
    }

    /// Has the first prompt not been accepted yet?
    #[must_use]
    pub fn is_opening(&self) -> bool {
        matches!(self.state, State::Login { .. } | State::Setup(_))
    }

    /// The running command.
    #[must_use]
    pub fn running(&self) -> Option<&Running> {
        match &self.state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    /// What is being asked and not answered.
    #[must_use]
    pub fn question(&self) -> Option<&Question> {
        match &self.state {
            State::Login { asked, .. } => asked.as_ref(),
            State::Running(running) => running.asked.as_ref(),
            _ => None,
        }
    }

    /// Does the login wait for somebody? With what it asks, if that is known.
    #[must_use]
    pub fn login_waits(&self) -> Option<Option<&Question>> {
        match &self.state {
            State::Login { told: true, asked } => Some(asked.as_ref()),
            _ => None,
        }
    }

    /// Takes what the device may have asked the terminal and should be told.
    ///
    /// What a shell's command prints may be anything: an answer to a question in a file would be typed into the shell. So
    /// while a command runs under marks only a full-screen program is answered.
    pub fn take_queries(&mut self) -> Vec<Vec<u8>> {
        let queries = self.stream.take_queries();
        let printed = self.running().is_some() && self.stream.marks_heard() > 0 && !self.stream.alternate_screen();
        if printed { Vec::new() } else { queries }
    }

    /// The secret that was asked for cannot be typed: the goal fails, what was asked is left to the caller.
    #[must_use]
    pub fn on_secret_missing(&mut self, now: Instant, why: &str) -> Vec<Effect> {
        let text = self.stream.tail();
        let State::Running(running) = &mut self.state else { return Vec::new() };
        running.warn(why);
        running.fail_goal(why);
        self.on_question(now, Question { kind: "password".to_owned(), text, after_ms: 0 })
    }

    /// The caller had the program stopped by a signal.
    pub fn on_stop_asked(&mut self) {
        if let State::Running(running) = &mut self.state {
            running.interrupted = true;
            running.lines.clear();
        }
    }

    /// Milliseconds since the last byte came.
    #[must_use]
    pub fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_byte)
    }

    /// When [`on_timer`](Self::on_timer) wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Bytes came. Nothing is decided before the reader is drained.
    pub fn on_bytes(&mut self, now: Instant, bytes: &[u8]) {
        if self.stream.log().end() == self.typed_log_end && !bytes.is_empty() {
            self.measure(now);
        }
        self.stream.push(bytes);
        self.last_byte = now;
        self.revision += 1;
        self.timers.clear(Timer::Settle);
        self.timers.clear(Timer::Question);
        match &mut self.state {
            // A full-screen program that only draws on still wants what it wanted.
            State::Running(running) if running.asked_on_screen && self.stream.holds_screen() => {}
            State::Running(running) => running.asked = None,
            State::Login { asked, .. } => *asked = None,
            _ => {}
        }
    }

    /// The first answer to something typed tells how long to wait for a second one.
    fn measure(&mut self, now: Instant) {
        let round_trip = u32::try_from(now.saturating_duration_since(self.typed_at).as_millis()).unwrap_or(u32::MAX);
        let wanted = round_trip.saturating_mul(3).clamp(SETTLE_MIN_MS, SETTLE_MAX_MS);
        self.settle_ms = if wanted > self.settle_ms { wanted } else { (self.settle_ms * 7 + wanted) / 8 };
    }

    /// The reader is drained.
    #[must_use]
    pub fn on_drained(&mut self, now: Instant) -> Vec<Effect> {
        if !self.stream.is_echoed() && self.stream.has_row_since_typed() && self.stream.has_tail() {
            self.timers.set(Timer::Echo, self.last_byte + ECHO_GRACE);
        }
        self.ask(now, false)
    }

    /// A timer that [`next_deadline`](Self::next_deadline) named has passed.
    #[must_use]
    pub fn on_timer(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Settle | Timer::Question => effects.extend(self.ask(now, true)),
                Timer::Echo => {
                    if !self.stream.is_echoed() {
                        self.stream.give_up_echo();
                        if let State::Running(running) = &mut self.state {
                            running.warn("the device did not send the command back; the output may begin with it");
                        }
                        effects.extend(self.ask(now, true));
                    }
                }
                Timer::Kill => effects.extend(self.on_kill(now)),
                Timer::Cancel => effects.extend(self.cancel(now)),
                Timer::Login => {
                    if let State::Login { told, asked } = &mut self.state
                        && !mem::replace(told, true)
                    {
                        effects.push(Effect::LoginWaits(asked.clone()));
                    }
                }
            }
        }
        effects
    }

    fn ask(&mut self, now: Instant, again: bool) -> Vec<Effect> {
        let wanted = match &self.state {
            State::Closed => false,
            State::Setup(setup) => !setup.waiting,
            _ => true,
        };
        // That output has started is no question. A line editor that takes pasted text waits, even behind an empty prompt.
        let quiet = self.stream.marks_heard() == 0 || self.stream.is_only_started();
        let nothing = !self.stream.has_tail() && quiet && !self.stream.takes_paste();
        let key = (self.stream.log().end(), self.stream.marks_heard(), self.revision);
        if !wanted || (!again && self.asked == Some(key)) {
            return Vec::new();
        }
        if nothing {
            return self.look_at_screen(now);
        }
        self.asked = Some(key);
        vec![Effect::Ask(Box::new(self.view(now)))]
    }

    /// The last row asks nothing. Where a full-screen program runs and is silent, its screen may.
    fn look_at_screen(&mut self, now: Instant) -> Vec<Effect> {
        if !matches!(self.state, State::Running(_)) || !self.stream.holds_screen() {
            return Vec::new();
        }
        let due = self.last_byte + SCREEN_STANDS;
        if now < due {
            self.timers.set(Timer::Question, due);
            return Vec::new();
        }
        let mut view = self.view(now);
        view.facts.push(("shown".to_owned(), "screen".to_owned()));
        vec![Effect::AskScreen(Box::new(view))]
    }

    /// What the plugins answer to [`Effect::AskScreen`].
    #[must_use]
    pub fn on_screen_read(&mut self, revision: u64, question: Option<Question>) -> Vec<Effect> {
        let (State::Running(running), Some(question), true) = (&mut self.state, question, revision == self.revision) else {
            return Vec::new();
        };
        running.asked_on_screen = true;
        match running.asked.replace(question.clone()) {
            None => vec![Effect::Asked(running.id, question)],
            // The same program goes on with another text.
            Some(_) => Vec::new(),
        }
    }

    /// What a plugin is shown now.
    #[must_use]
    pub fn view(&self, now: Instant) -> View {
        let (phase, command, goal) = match &self.state {
            State::Login { .. } => (Phase::Login, "", None),
            State::Setup(setup) => (Phase::Setup, setup.line.as_str(), None),
            State::Running(running) => {
                let phase = if running.goal.is_some() { Phase::Goal } else { Phase::Running };
                (phase, running.text.as_str(), running.goal.clone())
            }
            State::Idle(_) | State::Closed => (Phase::Idle, "", None),
        };
        View {
            revision: self.revision,
            tail: self.stream.tail(),
            recent: self.stream.recent(),
            marks: self.stream.marks(),
            phase,
            prompt: self.ready.as_ref().map(|ready| ready.prompt.clone()),
            mode: self.mode().to_owned(),
            command: first_bytes(command, VIEW_COMMAND_MAX_BYTES).to_owned(),
            echoed: self.stream.is_echoed(),
            bytes_since_send: self.stream.log().end().saturating_sub(self.typed_log_end),
            quiet_ms: u32::try_from(self.quiet(now).as_millis()).unwrap_or(u32::MAX),
            settle_ms: self.settle_ms,
            goal,
            facts: self.facts(),
        }
    }

    /// What the session's facts are now.
    fn facts(&self) -> Vec<(String, String)> {
        let mut facts = self.facts.clone();
        if let Some(on) = self.stream.bracketed_paste() {
            facts.push(("bracketed-paste".to_owned(), if on { "on" } else { "off" }.to_owned()));
        }
        if self.stream.alternate_screen() {
            facts.push(("screen".to_owned(), "alternate".to_owned()));
        }
        if self.running().is_some_and(|running| running.interrupted) {
            facts.push(("interrupted".to_owned(), "yes".to_owned()));
        }
        if self.stream.application_cursor() {
            facts.push(("cursor-keys".to_owned(), "application".to_owned()));
        }
        facts
    }

    /// The plugins' answer to [`Effect::Ask`].
    #[must_use]
    pub fn on_readings(&mut self, now: Instant, readings: Readings) -> Vec<Effect> {
        if readings.revision != self.revision {
            return Vec::new();
        }
        if let Some(degraded) = readings.degraded
            && let State::Running(running) = &mut self.state
        {
            running.warn(&degraded);
        }
        let stepped = readings.step.map(|stepping| self.on_step(now, stepping, readings.prompt.is_some()));
        match stepped {
            Some(Stepped::Typed(effects)) => return effects,
            Some(Stepped::GoOn) | None => {}
        }
        if let Some((plugin, page)) = readings.page {
            return self.on_page(now, plugin, page.send, &page.strip);
        }
        if let Some(question) = readings.question {
            // The last row of a full-screen program is made of pieces from anywhere.
            return if self.stream.holds_screen() { self.look_at_screen(now) } else { self.on_question(now, question) };
        }
        match readings.prompt {
            None | Some(Reading::NotYet) => {
                if readings.unsure && self.quiet(now) < LOOK_AGAIN_MAX {
                    self.settle(now, self.settle_ms);
                }
                self.look_at_screen(now)
            }
            Some(Reading::Settle(ms)) => {
                self.settle(now, ms);
                Vec::new()
            }
            Some(Reading::Incomplete(what)) => self.on_incomplete(now, &what),
            Some(Reading::Ready(ready)) => self.on_ready(now, ready),
        }
    }

    fn settle(&mut self, now: Instant, ms: u32) {
        let at = self.last_byte + Duration::from_millis(u64::from(ms));
        // A plugin that asks for less silence than there was is asked again soon, not in a loop.
        let at = at.max(now + Duration::from_millis(u64::from(SETTLE_MIN_MS)));
        self.timers.set(Timer::Settle, at);
    }

    fn on_step(&mut self, now: Instant, Stepping { plugin, step, strip }: Stepping, at_prompt: bool) -> Stepped {
        let in_goal = matches!(&self.state, State::Running(running) if running.goal.is_some());
        let typed_at = self.typed_at;
        let echoed = self.stream.is_echoed();
        if let State::Running(running) = &mut self.state {
            running.goal_steps += 1;
            if running.goal_steps > GOAL_STEPS_MAX {
                running.fail_goal(&format!("the dialog took more than {GOAL_STEPS_MAX} steps"));
                return Stepped::GoOn;
            }
        }
        match step {
            Step::Wait => Stepped::GoOn,
            Step::Send(name) => {
                self.stream.haunt(&strip);
                self.note_typing(now);
                Stepped::Typed(vec![Effect::Type(Intent::Send { plugin, name })])
            }
            Step::Secret(name) if in_goal => {
                let State::Running(running) = &mut self.state else { return Stepped::GoOn };
                let refusal = if running.secrets_typed.contains(&name) {
                    Some(format!("`{plugin}` asked for the secret `{name}` a second time; it is typed once"))
                } else if !echoed {
                    Some(format!("the device asked for the secret `{name}` before it sent the command back"))
                } else if now.saturating_duration_since(typed_at) > SECRET_AFTER_LINE_MAX {
                    Some(format!("the device asked for the secret `{name}` too late after the command"))
                } else {
                    None
                };
                if let Some(refusal) = refusal {
                    running.fail_goal(&refusal);
                    return Stepped::GoOn;
                }
                running.secrets_typed.push(name.clone());
                self.stream.haunt(&strip);
                self.note_typing(now);
                Stepped::Typed(vec![Effect::Type(Intent::Secret { plugin, name })])
            }
            // Outside a goal nobody may have a secret typed: the login goal has none, a question is the caller's.
            Step::Secret(_) => Stepped::GoOn,
            Step::Ask(question) => Stepped::Typed(self.on_question(now, question)),
            Step::Done(_) => {
                if let State::Running(running) = &mut self.state {
                    running.goal = None;
                }
                Stepped::GoOn
            }
            Step::Failed(why) => self.on_goal_failed(&why, at_prompt),
        }
    }

    fn on_goal_failed(&mut self, why: &str, at_prompt: bool) -> Stepped {
        let State::Running(running) = &mut self.state else { return Stepped::GoOn };
        running.fail_goal(why);
        let effects: Vec<Effect> = mem::take(&mut running.secrets_typed).into_iter().map(Effect::SecretFailed).collect();
        if at_prompt || effects.is_empty() {
            running.secrets_failed.extend(effects);
            return Stepped::GoOn;
        }
        Stepped::Typed(effects)
    }

    fn on_page(&mut self, now: Instant, plugin: String, send: String, strip: &str) -> Vec<Effect> {
        match &mut self.state {
            State::Running(running) if running.pages >= PAGES_MAX => {
                running.fail_goal(&format!("stopped after {PAGES_MAX} pages"));
                return self.cancel(now);
            }
            State::Running(running) => running.pages += 1,
            State::Login { .. } | State::Setup(_) => {}
            State::Idle(_) | State::Closed => return Vec::new(),
        }
        self.stream.haunt(strip);
        self.note_typing(now);
        vec![Effect::Type(Intent::Send { plugin, name: send })]
    }

    fn on_question(&mut self, now: Instant, question: Question) -> Vec<Effect> {
        let due = self.last_byte + Duration::from_millis(u64::from(question.after_ms));
        if now < due {
            self.timers.set(Timer::Question, due);
            return Vec::new();
        }
        match &mut self.state {
            State::Running(running) if running.asked.is_none() => {
                running.asked_on_screen = false;
                running.asked = Some(question.clone());
                vec![Effect::Asked(running.id, question)]
            }
            State::Login { asked, told } if asked.is_none() => {
                *asked = Some(question.clone());
                *told = true;
                vec![Effect::LoginWaits(Some(question))]
            }
            _ => Vec::new(),
        }
    }

    fn on_incomplete(&mut self, now: Instant, what: &str) -> Vec<Effect> {
        let State::Running(running) = &mut self.state else { return Vec::new() };
        if let Some(line) = running.lines.pop_front() {
            return self.type_line(now, line);
        }
        if running.cancelled {
            return Vec::new();
        }
        running.incomplete = Some(what.to_owned());
        self.cancel(now)
    }

    /// Takes back what was typed. The key gets lost where the device is busy with the line: it is typed again after a while.
    fn cancel(&mut self, now: Instant) -> Vec<Effect> {
        let State::Running(running) = &mut self.state else { return Vec::new() };
        running.cancelled = true;
        running.lines.clear();
        running.cancels += 1;
        if running.cancels < KILL_TRIES_MAX {
            self.timers.set(Timer::Cancel, now + INTERRUPT_STEP_WAIT);
        }
        self.note_typing(now);
        vec![Effect::Type(Intent::Cancel { tried: 0 })]
    }

    fn on_ready(&mut self, now: Instant, ready: Ready) -> Vec<Effect> {
        if !self.stream.is_echoed() && ready.proof != "mark" {
            return Vec::new();
        }
        let before = self.ready.replace(ready.clone());
        // A prompt without marks behind one with them: another shell, or the same whose prompt was replaced.
        let unmarked = ready.proof != "mark" && before.is_some_and(|before| before.proof == "mark");
        match mem::replace(&mut self.state, State::Closed) {
            State::Login { .. } => {
                self.timers.clear(Timer::Login);
                vec![self.prepare(now, Setup::default(), ready)]
            }
            State::Setup(setup) => self.go_on_setup(now, setup, ready),
            State::Running(running) => {
                let mut effects = self.go_on_running(now, running, &ready);
                if unmarked && self.is_idle() {
                    effects.push(self.prepare(now, Setup::default(), ready));
                }
                effects
            }
            State::Idle(idle) => {
                self.state = State::Idle(idle);
                Vec::new()
            }
            State::Closed => Vec::new(),
        }
    }

    /// The sends that the plugins want typed after login, with the texts of their lines.
    #[must_use]
    pub fn on_prepared(&mut self, sends: Vec<(String, String)>) -> Vec<Effect> {
        let State::Setup(mut setup) = mem::replace(&mut self.state, State::Closed) else { return Vec::new() };
        setup.waiting = false;
        setup.sends = sends.into();
        if setup.sends.is_empty() || setup.typed as usize >= SETUP_SENDS_MAX {
            self.become_idle();
            return vec![Effect::Opened];
        }
        self.type_next_send(setup)
    }

    fn type_next_send(&mut self, mut setup: Setup) -> Vec<Effect> {
        let Some((plugin, name)) = setup.sends.pop_front() else { return Vec::new() };
        setup.typed += 1;
        self.state = State::Setup(setup);
        vec![Effect::Type(Intent::Send { plugin, name })]
    }

    /// A send of `prepare` is about to be typed: this is its line, to wait for its echo.
    pub fn on_setup_line(&mut self, now: Instant, line: &str) {
        if let State::Setup(setup) = &mut self.state {
            setup.line = line.to_owned();
            self.begin_line(now, Some(line));
        }
    }

    fn go_on_setup(&mut self, now: Instant, setup: Setup, ready: Ready) -> Vec<Effect> {
        if setup.sends.is_empty() { vec![self.prepare(now, setup, ready)] } else { self.type_next_send(setup) }
    }

    /// Asks what to type at this prompt before the next command.
    fn prepare(&mut self, now: Instant, setup: Setup, ready: Ready) -> Effect {
        self.state = State::Setup(Setup { waiting: true, ..setup });
        Effect::Prepare(Box::new(self.view(now)), ready)
    }

    fn become_idle(&mut self) {
        self.timers.clear(Timer::Kill);
        self.timers.clear(Timer::Cancel);
        self.state = State::Idle(Idle { rows_done: self.stream.rows_done(), log_end: self.stream.log().end() });
    }

    /// Starts a command. The lines are approved; `paste` types them in brackets as one.
    #[must_use]
    pub fn on_run(&mut self, now: Instant, started: Started) -> Vec<Effect> {
        let State::Idle(idle) = &self.state else { return Vec::new() };
        let late = (self.stream.rows_done() > idle.rows_done).then(|| (idle.log_end, self.stream.log().end()));
        let mut running = Running::new(started, now, self.stream.log().end(), self.mode());
        if let Some((from, to)) = late {
            running.warn(&format!("{} bytes came after the last command ended, at offset {from}", to - from));
        }
        let first = running.lines.pop_front();
        match running.kill_after {
            Some((limit, _)) => self.timers.set(Timer::Kill, now + limit),
            None => self.timers.clear(Timer::Kill),
        }
        self.state = State::Running(Box::new(running));
        first.map(|line| self.type_line(now, line)).unwrap_or_default()
    }

    fn type_line(&mut self, now: Instant, line: Approved) -> Vec<Effect> {
        let echo = line.echo().map(str::to_owned);
        let is_first = match &mut self.state {
            State::Running(running) => !mem::replace(&mut running.typed_first, true),
            _ => true,
        };
        if !is_first {
            // The output of the lines before stays part of the answer.
            self.keep_start();
        }
        self.begin_line(now, echo.as_deref());
        vec![Effect::Write(line)]
    }

    fn keep_start(&mut self) {
        let (start, end) = (self.stream.output_start(), self.stream.output_end());
        if let State::Running(running) = &mut self.state
            && let Some(start) = start
        {
            running.pieces.push((start, end.max(start)));
        }
    }

    /// A line is about to be typed, with the echo that should come back.
    fn begin_line(&mut self, now: Instant, echo: Option<&str>) {
        self.stream.on_typed(echo.filter(|_| self.echoes));
        self.note_typing(now);
    }

    /// Something is about to be typed into what runs.
    fn note_typing(&mut self, now: Instant) {
        self.typed_at = now;
        self.typed_log_end = self.stream.log().end();
        self.last_byte = now;
        self.revision += 1;
        self.timers.clear(Timer::Settle);
        self.timers.clear(Timer::Question);
        self.timers.clear(Timer::Echo);
    }

    /// The caller types something into the running program, or at the prompt.
    pub fn on_input(&mut self, now: Instant) {
        match &mut self.state {
            State::Running(running) => running.asked = None,
            State::Login { asked, told } => {
                *asked = None;
                *told = false;
                self.timers.set(Timer::Login, now + LOGIN_MAX);
            }
            _ => {}
        }
        self.note_typing(now);
    }

    /// The caller asked for the running command to be stopped.
    #[must_use]
    pub fn on_interrupt(&mut self, now: Instant, tried: usize) -> Vec<Effect> {
        if let State::Running(running) = &mut self.state {
            running.interrupted = true;
            running.cancelled = true;
            running.lines.clear();
            running.asked = None;
        }
        self.note_typing(now);
        vec![Effect::Type(Intent::Cancel { tried })]
    }

    /// The command has run too long: the cancel keys, again and again for a while.
    fn on_kill(&mut self, now: Instant) -> Vec<Effect> {
        let State::Running(running) = &mut self.state else { return Vec::new() };
        let Some((limit, tried)) = &mut running.kill_after else { return Vec::new() };
        let (text, count) = (format!("it was stopped after {} s, as its caller wanted", limit.as_secs_f64()), *tried);
        *tried += 1;
        if count >= KILL_TRIES_MAX {
            running.warn("it does not stop; ssh_interrupt how=hangup closes the line");
            return Vec::new();
        }
        running.warn(&text);
        self.timers.set(Timer::Kill, now + INTERRUPT_STEP_WAIT);
        self.on_interrupt(now, count)
    }

    fn go_on_running(&mut self, now: Instant, mut running: Box<Running>, ready: &Ready) -> Vec<Effect> {
        // An empty line at the end is for what is not finished.
        let only_end = running.lines.len() == 1 && running.lines.front().is_some_and(|line| line.echo() == Some(""));
        if let Some(line) = running.lines.pop_front().filter(|_| !only_end) {
            self.state = State::Running(running);
            return self.type_line(now, line);
        }
        let mut effects = mem::take(&mut running.secrets_failed);
        let range = (self.stream.output_start(), self.stream.output_end());
        self.become_idle();
        let ending = running.end(now, Some(ready), range, self.stream.log().end());
        effects.push(Effect::Ended(Box::new(ending)));
        effects
    }

    /// The line has ended: what runs is lost, or has ended with the line.
    #[must_use]
    pub fn on_closed(&mut self, now: Instant, status: Option<i32>) -> Vec<Effect> {
        self.revision += 1;
        self.timers = Timers::default();
        match mem::replace(&mut self.state, State::Closed) {
            State::Running(running) => {
                let end = self.stream.log().end();
                let range = (self.stream.output_start(), end);
                vec![Effect::Ended(Box::new(running.lose(now, status, range, end)))]
            }
            _ => Vec::new(),
        }
    }
}

enum Stepped {
    /// The step typed something or waits for the caller: the view is stale.
    Typed(Vec<Effect>),
    GoOn,
}
