//! A session's logic, without waiting, clock, socket or plugin: `(now, input) -> effects`.
//!
//! The actor feeds it bytes and answers and performs the effects. Whatever the chunks are, the effects that reach
//! the device are the same: decisions are taken only when the reader is drained or a timer fires.
//!
//! Silence alone never ends a command. It ends by a prompt that a plugin accepted (with a mark at once, else after
//! the silence that the plugin asked for and behind the echo), by the end of the line, or not at all.

mod dialog;
mod prompt;
mod running;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regex::Regex;

use crate::ids::CommandId;
use crate::limits::{
    ECHO_GRACE, LOGIN_MAX, LOOK_AGAIN_MAX, PROMPT_STOOD, SETTLE_ASKED_MAX_MS, SETTLE_ASKED_MIN_MS, SETUP_LINES_KEPT, VIEW_COMMAND_MAX_BYTES,
};
use crate::policy::approved::Approved;
use crate::session::command::{Ending, Running};
use crate::session::settle::SettleTime;
use crate::session::stream::Stream;
use crate::session::timers::{Timer, Timers};
use crate::session::view::{Phase, Question, Reading, Readings, Ready, View};
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
    /// What the device type says empties a half-typed line.
    Erase,
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
    /// Where in the log it begins, with the prompt before it.
    begins: Option<u64>,
    waiting: bool,
    cancelled: bool,
}

#[derive(Debug)]
struct Idle {
    rows_done: u64,
    log_end: u64,
    /// The shell whose prompt it is, where that tells its process.
    shell: Option<u32>,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    stream: Stream,
    state: State,
    timers: Timers,
    /// The last accepted prompt.
    ready: Option<Ready>,
    /// Prompts that were accepted for their look, the last one at the end.
    known: VecDeque<Ready>,
    /// The login's last row, which a plugin takes for a prompt if it stays, and the silence that it asks for.
    nearly: Option<(String, Duration)>,
    /// Such a row that has stood for a while, and behind which something was printed. Nothing was typed since.
    passed: Option<(String, Duration)>,
    /// The last row when the last command had ended, before anybody has typed behind the prompt.
    clean_prompt: String,
    last_byte: Instant,
    typed_at: Instant,
    typed_log_end: u64,
    /// Nothing has come since something was typed.
    awaits_answer: bool,
    /// Rows that were complete when the last line was typed.
    typed_rows: u64,
    settle_time: SettleTime,
    /// An answer to an older revision is dropped.
    revision: u64,
    /// With this revision a plugin takes the last row for a question for a password, perhaps only after a silence.
    secret_asked: Option<u64>,
    /// What may be a password is being typed key by key: it may be, up to the key that sends it.
    in_secret: bool,
    /// The row for which a secret was wanted last: it is taken out of the output when that is typed.
    secret_row: String,
    /// What the plugins were last asked about; the same view is not shown twice.
    asked: Option<(u64, u64, u64)>,
    facts: Vec<(&'static str, Arc<str>)>,
    echoes: bool,
    /// Rows before the prompt that belong to it.
    context: Option<Regex>,
    /// The last command told its start by a mark, so the next one will.
    tells_start: bool,
    /// When the command that was typed was seen to run.
    started_at: Option<Instant>,
    /// Lines that the last command gave back.
    rest: VecDeque<Approved>,
    /// Where in the log lines stand that have set the session up, oldest first.
    own: VecDeque<(u64, u64)>,
}

/// What does not change during a session.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Facts for the views, beside those that the machine adds.
    pub facts: Vec<(&'static str, Arc<str>)>,
    /// Does the device send typed lines back?
    pub echoes: bool,
    /// What a row looks like that is printed right before the prompt and belongs to it.
    pub context: Option<Regex>,
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
            known: VecDeque::new(),
            nearly: None,
            passed: None,
            clean_prompt: String::new(),
            last_byte: now,
            typed_at: now,
            typed_log_end: 0,
            awaits_answer: false,
            typed_rows: 0,
            settle_time: SettleTime::default(),
            revision: 0,
            secret_asked: None,
            in_secret: false,
            secret_row: String::new(),
            asked: None,
            facts: setting.facts,
            echoes: setting.echoes,
            context: setting.context,
            tells_start: false,
            started_at: None,
            rest: VecDeque::new(),
            own: VecDeque::new(),
        }
    }

    /// The session's bytes and what they mean.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The parts of the log without the lines that have set the session up. They are the host's, and the prompt comes again behind them.
    #[must_use]
    pub fn shown_log(&self) -> Vec<(u64, u64)> {
        let log = self.stream.log();
        let mut from = log.start();
        let mut pieces = Vec::new();
        for &(begins, ends) in &self.own {
            if from < begins {
                pieces.push((from, begins));
            }
            from = from.max(ends);
        }
        pieces.push((from, log.end()));
        pieces
    }

    fn note_own(&mut self, begins: u64, ends: u64) {
        if self.own.len() == SETUP_LINES_KEPT {
            self.own.pop_front();
        }
        self.own.push_back((begins, ends));
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

    /// Are lines typed now that set the session up?
    #[must_use]
    pub fn is_setting_up(&self) -> bool {
        matches!(self.state, State::Setup(_))
    }

    /// Has the first prompt not been accepted yet?
    #[must_use]
    pub fn is_opening(&self) -> bool {
        matches!(self.state, State::Login { .. } | State::Setup(_))
    }

    /// Does nothing stand behind the prompt of the last command's end? What a program has left may be before it.
    #[must_use]
    pub fn is_at_prompt(&self) -> bool {
        let as_it_was = || self.stream.tail().trim_end() == self.clean_prompt.trim_end();
        self.is_idle() && (as_it_was() || self.behind_prompt().is_some_and(|text| text.is_empty()))
    }

    /// Does something stand behind the prompt in the last row?
    #[must_use]
    pub fn has_unfinished_line(&self) -> bool {
        self.is_idle() && self.behind_prompt().is_some_and(|text| !text.is_empty())
    }

    /// Is the line that runs still being shown at its prompt, and nothing else?
    #[must_use]
    pub fn is_echoing(&self) -> bool {
        self.stream.is_echoing(&self.clean_prompt)
    }

    /// Has a full-screen program the screen?
    #[must_use]
    pub fn is_full_screen(&self) -> bool {
        self.stream.alternate_screen()
    }

    /// What stands behind the prompt in the last row, if the prompt is there. What a full-screen program has left may be before it.
    fn behind_prompt(&self) -> Option<String> {
        let tail = self.stream.tail();
        // The end may be seen before the prompt's text has come, and a shell whose terminal gets another size draws the prompt alone.
        let known = self.ready.as_ref().map_or("", |ready| ready.prompt.as_str());
        let prompts = [self.clean_prompt.as_str(), known].map(str::trim_end).into_iter().filter(|prompt| !prompt.is_empty());
        let end = prompts.filter_map(|prompt| tail.rfind(prompt).map(|at| at + prompt.len())).next()?;
        tail.get(end..).map(|text| text.trim().to_owned())
    }

    /// The line that is being typed, as the device shows it: what stands behind the prompt, or the whole last row.
    #[must_use]
    pub fn shown_line(&self) -> String {
        self.behind_prompt().unwrap_or_else(|| self.stream.tail().trim().to_owned())
    }

    /// The terminal has so many columns from now on.
    pub fn set_columns(&mut self, columns: u16) {
        self.stream.set_columns(columns);
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

    /// May what is typed now be a password? Also where it is too early to call the last row a question.
    #[must_use]
    pub fn may_want_secret(&self) -> bool {
        self.in_secret || self.secret_asked == Some(self.revision) || self.question().is_some_and(Question::wants_secret)
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
        let printed = self.runs_under_marks() && !self.stream.alternate_screen();
        if printed { Vec::new() } else { queries }
    }

    /// Does a command run in a shell that marks its end? What is typed now and not taken by the command is left to that shell.
    #[must_use]
    pub fn runs_under_marks(&self) -> bool {
        self.running().is_some() && self.stream.marks_heard() > 0
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

    /// The newest bytes turn out to be a part of a secret: these are in their place from now on.
    pub fn cover(&mut self, bytes: &[u8]) {
        self.stream.cover(bytes);
    }

    /// Bytes came. Nothing is decided before the reader is drained.
    pub fn on_bytes(&mut self, now: Instant, bytes: &[u8]) {
        if !bytes.is_empty() && mem::take(&mut self.awaits_answer) {
            self.settle_time.answered(now.saturating_duration_since(self.typed_at));
        }
        let stood = self.nearly.take().filter(|_| self.quiet(now) >= PROMPT_STOOD);
        self.passed = stood.or_else(|| self.passed.take());
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

    /// The reader is drained.
    #[must_use]
    pub fn on_drained(&mut self, now: Instant) -> Vec<Effect> {
        if !self.stream.is_echoed() && self.stream.has_row_since_typed() && self.stream.has_tail() {
            self.timers.set(Timer::Echo, self.last_byte + ECHO_GRACE);
        }
        self.note_start(now);
        let mut effects = self.stop_next_line(now);
        effects.extend(self.ask(now, false));
        effects
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
                Timer::Setup => effects.extend(self.on_setup_stuck(now)),
                Timer::Held => effects.extend(self.type_held(now)),
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

    /// Other plugins are asked from now on: what stands there is shown to them.
    #[must_use]
    pub fn look_again(&mut self, now: Instant) -> Vec<Effect> {
        self.revision += 1;
        self.ask(now, true)
    }

    fn ask(&mut self, now: Instant, again: bool) -> Vec<Effect> {
        if let Some(effects) = self.type_text(now) {
            return effects;
        }
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
            let passed = self.look_for_passed_prompt(now).or_else(|| self.look_for_passed_login(now));
            return passed.unwrap_or_else(|| self.look_at_screen(now));
        }
        self.asked = Some(key);
        vec![Effect::Ask(Box::new(self.view(now)))]
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
            rows_done: self.stream.rows_done(),
            bytes_since_send: self.stream.log().end().saturating_sub(self.typed_log_end),
            quiet_ms: u32::try_from(self.quiet(now).as_millis()).unwrap_or(u32::MAX),
            settle_ms: self.settle_time.ms(),
            goal,
            facts: self.facts(),
        }
    }

    /// What the session's facts are now.
    fn facts(&self) -> Vec<(&'static str, Arc<str>)> {
        let mut facts = self.facts.clone();
        if let Some(ready) = &self.ready {
            facts.push(("proof", ready.proof.as_str().into()));
        }
        if let Some(on) = self.stream.bracketed_paste() {
            facts.push(("bracketed-paste", if on { "on" } else { "off" }.into()));
        }
        if self.stream.alternate_screen() {
            facts.push(("screen", "alternate".into()));
        }
        if self.running().is_some_and(|running| running.interrupted) {
            facts.push(("interrupted", "yes".into()));
        }
        if self.stream.application_cursor() {
            facts.push(("cursor-keys", "application".into()));
        }
        facts
    }

    /// The plugins' answer to [`Effect::Ask`].
    #[must_use]
    pub fn on_readings(&mut self, now: Instant, readings: Readings) -> Vec<Effect> {
        if readings.revision != self.revision {
            return Vec::new();
        }
        if let Some(degraded) = &readings.degraded
            && let State::Running(running) = &mut self.state
        {
            running.warn(degraded);
        }
        let stepped = readings.step.map(|stepping| self.on_step(now, stepping, readings.prompt.is_some()));
        match stepped {
            Some(Stepped::Typed(effects)) => return effects,
            Some(Stepped::GoOn) | None => {}
        }
        // A guess hides what is typed, and does nothing else before it has stood long enough to be told: nothing is typed for it.
        let guess = readings.guess.filter(|_| !self.stream.holds_screen());
        if readings.question.iter().chain(&guess).any(Question::wants_secret) {
            self.secret_asked = Some(self.revision);
        }
        let manual = self.running().is_some_and(|running| running.manual);
        if let Some((plugin, page)) = readings.page.filter(|_| !manual) {
            return self.on_page(now, plugin, page.send, &page.strip);
        }
        if let Some(question) = readings.question {
            // The last row of a full-screen program is made of pieces from anywhere.
            return if self.stream.holds_screen() { self.look_at_screen(now) } else { self.on_question(now, question) };
        }
        match readings.prompt {
            None | Some(Reading::NotYet) => {
                // What a plugin that failed would have said is not known: nothing else may come that has it asked again.
                if readings.degraded.is_some() || readings.unsure && self.quiet(now) < LOOK_AGAIN_MAX {
                    self.settle(now, self.settle_time.ms());
                }
                let passed = |this: &mut Self| this.look_for_passed_prompt(now);
                let told = self.look_at_given_up(now).or_else(|| passed(self)).or_else(|| self.look_at_editor(now));
                let told = told.or_else(|| guess.map(|question| self.on_question(now, question)));
                let told = told.or_else(|| self.look_for_passed_login(now));
                told.unwrap_or_else(|| self.look_at_screen(now))
            }
            Some(Reading::Settle(ms)) => {
                let is_login = matches!(self.state, State::Login { .. });
                self.nearly = (is_login && self.stream.has_tail()).then(|| (self.stream.tail(), asked_silence(ms)));
                self.settle(now, ms);
                Vec::new()
            }
            Some(Reading::Incomplete(what)) => self.on_incomplete(now, &what),
            Some(Reading::Ready(ready)) => self.on_ready(now, ready),
        }
    }

    fn settle(&mut self, now: Instant, ms: u32) {
        let at = self.last_byte + asked_silence(ms);
        let least = Duration::from_millis(u64::from(SETTLE_ASKED_MIN_MS));
        // A plugin that asks for less silence than there was is asked again later and later, not in a loop.
        let least = if at > now { least } else { least.max(self.quiet(now) / 4) };
        let at = at.max(now + least);
        self.timers.set(Timer::Settle, at);
    }
}

/// The silence that a plugin asks for, as far as it is heeded.
fn asked_silence(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms.min(SETTLE_ASKED_MAX_MS)))
}

#[derive(Debug)]
enum Stepped {
    /// The step typed something or waits for the caller: the view is stale.
    Typed(Vec<Effect>),
    GoOn,
}
