//! A command from its first line to its end, and what its caller types or stops meanwhile.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use super::{Effect, Intent, Machine, State};
use crate::author::Author;
use crate::limits::{INPUT_AFTER_START, INPUT_HELD_MAX, INTERRUPT_STEP_WAIT, KILL_TRIES_MAX, LOGIN_MAX};
use crate::policy::approved::{Approved, Payload};
use crate::session::command::{Limit, Running, Started, UNWANTED};
use crate::session::timers::{Timer, Timers};
use crate::session::view::Ready;

/// What a terminal sends for Ctrl-C.
const INTERRUPT_KEY: u8 = 0x03;

/// Keys behind which a terminal gives a program what was typed: Ctrl-C, Ctrl-D, line feed, Enter.
const LINE_ENDS: [u8; 4] = [INTERRUPT_KEY, 0x04, b'\n', b'\r'];

fn is_secret(typed: &Approved) -> bool {
    matches!(typed.payload(), Payload::Secret { .. })
}

impl Machine {
    /// The caller had the program stopped by a signal.
    pub fn on_stop_asked(&mut self) {
        if let State::Running(running) = &mut self.state {
            running.stop_lines();
        }
    }

    /// Who wants the lines that are still to be typed.
    #[must_use]
    pub fn next_author(&self) -> Option<&Author> {
        self.running().filter(|running| !running.manual)?.lines.front().map(Approved::author)
    }

    /// Nothing more of the running command is typed.
    pub fn on_lines_stopped(&mut self, why: &str) {
        if let State::Running(running) = &mut self.state {
            running.warn(why);
            running.stop_lines();
        }
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
        if idle.shell.is_some() && idle.shell != self.stream.last_pid() {
            running.warn(
                "the shell of the command before was left meanwhile: this one ran in another shell, with that one's host, user, directory and variables",
            );
        }
        running.from_mark = self.ready.as_ref().is_some_and(|ready| ready.proof == "mark");
        running.shell = self.stream.last_pid();
        let first = running.lines.pop_front();
        match &running.limit {
            Some((limit, _)) => self.timers.set(Timer::Kill, now + limit.after),
            None => self.timers.clear(Timer::Kill),
        }
        self.state = State::Running(Box::new(running));
        first.map(|line| self.type_line(now, line)).unwrap_or_default()
    }

    pub(super) fn type_line(&mut self, now: Instant, line: Approved) -> Vec<Effect> {
        let echo = line.echo().map(str::to_owned);
        if let State::Running(running) = &mut self.state {
            running.typed += line.lines().count();
        }
        self.begin_line(now, echo.as_deref());
        vec![Effect::Write(line)]
    }

    /// The output of the line that has ended stays part of the answer.
    fn keep_output(&mut self, prompt: &str) {
        let (start, end) = (self.stream.output_start(), self.stream.output_end_before(prompt, None));
        if let State::Running(running) = &mut self.state {
            let start = start.unwrap_or_else(|| running.behind_pieces());
            running.pieces.push((start, end.max(start)));
        }
    }

    /// Types the text that the device has said to take.
    pub(super) fn type_text(&mut self, now: Instant) -> Option<Vec<Effect>> {
        let State::Running(running) = &mut self.state else { return None };
        let behind = running.text_wants()?;
        if !self.stream.is_echoed() || !behind.is_shown(&self.stream.last_row(), &self.stream.tail()) {
            return None;
        }
        let text = running.lines.pop_front()?;
        Some(self.type_line(now, text))
    }

    /// A line is about to be typed, with the echo that should come back.
    pub(super) fn begin_line(&mut self, now: Instant, echo: Option<&str>) {
        let prompt = self.ready.as_ref().map_or("", |ready| ready.prompt.as_str());
        self.stream.on_typed_at(prompt, echo.filter(|_| self.echoes));
        self.typed_rows = self.stream.rows_done();
        self.started_at = None;
        self.note_typing(now);
    }

    /// Something is about to be typed into what runs.
    pub(super) fn note_typing(&mut self, now: Instant) {
        self.typed_at = now;
        self.typed_log_end = self.stream.log().end();
        self.awaits_answer = true;
        self.last_byte = now;
        self.revision += 1;
        // What stood there was answered.
        (self.nearly, self.passed) = (None, None);
        self.timers.clear(Timer::Settle);
        self.timers.clear(Timer::Question);
        self.timers.clear(Timer::Echo);
    }

    /// The lines that the command that has just ended gives back.
    #[must_use]
    pub fn take_rest(&mut self) -> VecDeque<Approved> {
        mem::take(&mut self.rest)
    }

    /// The caller types something into the running program, or at the prompt.
    #[must_use]
    pub fn on_input(&mut self, now: Instant, typed: Approved) -> Vec<Effect> {
        // One that is given by its name is looked up first: what is typed meanwhile may be it as well.
        self.in_secret = self.may_want_secret() && !LINE_ENDS.iter().any(|&key| typed.holds(key));
        if let State::Running(running) = &mut self.state
            && typed.holds(INTERRUPT_KEY)
            && (running.one_prompt || !running.lines.is_empty())
        {
            // Who presses it wants the end of all the lines, not the next one typed.
            running.stop_lines();
        }
        let due = self.takes_input_at();
        match &mut self.state {
            // A person sees what takes their keys, and loses none.
            State::Running(running) if now < due && !typed.author().is_person() => {
                // It is answered, only not typed yet.
                running.asked = None;
                if running.held.is_empty() {
                    running.held_row = self.stream.tail().trim_end().to_owned();
                }
                running.held.push(typed);
                self.timers.set(Timer::Held, due);
                return Vec::new();
            }
            State::Running(running) => running.asked = None,
            State::Login { asked, told } => {
                *asked = None;
                *told = false;
                self.timers.set(Timer::Login, now + LOGIN_MAX);
            }
            _ => {}
        }
        self.note_typing(now);
        vec![Effect::Write(typed)]
    }

    /// A secret that was asked for by its name is typed, whole, or will not be.
    pub fn on_secret_over(&mut self) {
        self.in_secret = false;
    }

    /// When what is typed reaches the command and not the line editor that has its line.
    fn takes_input_at(&self) -> Instant {
        self.started_at.map_or(self.typed_at + INPUT_HELD_MAX, |started| started + INPUT_AFTER_START)
    }

    /// Does the command that was typed run? As long as the shell's line editor has it, that would take what is meant for the command.
    pub(super) fn note_start(&mut self, now: Instant) {
        let State::Running(running) = &self.state else { return };
        let runs = if self.tells_start { self.stream.is_started() } else { self.stream.is_echoed() };
        if runs && self.started_at.is_none() {
            self.started_at = Some(now);
            if !running.held.is_empty() || running.held_cancel.is_some() {
                self.timers.set(Timer::Held, now + INPUT_AFTER_START);
            }
        }
    }

    /// Types what was kept back until the command runs.
    pub(super) fn type_held(&mut self, now: Instant) -> Vec<Effect> {
        let State::Running(running) = &mut self.state else { return Vec::new() };
        let cancel = running.held_cancel.take().map(|tried| Effect::Type(Intent::Cancel { tried }));
        running.cancelled |= cancel.is_some();
        let mut held = mem::take(&mut running.held);
        if held.is_empty() && cancel.is_none() {
            return Vec::new();
        }
        if cancel.is_some() {
            running.stopped_at = Some(self.stream.lines_begun());
        }
        // A secret is for what asked when it was given, and for nothing that asks by now.
        if self.stream.tail().trim_end() != running.held_row && held.iter().any(is_secret) {
            held.retain(|typed| !is_secret(typed));
            running.warn("the secret was not typed: what asked for it had gone on before the command ran; look at the screen");
            self.in_secret = false;
        }
        running.asked = None;
        self.timers.clear(Timer::Held);
        if held.is_empty() && cancel.is_none() {
            // Nothing is typed. What stands there was not told as long as something was kept back, and nothing else may come.
            return self.look_again(now);
        }
        self.note_typing(now);
        cancel.into_iter().chain(held.into_iter().map(Effect::Write)).collect()
    }

    /// The caller asked for the running command to be stopped.
    #[must_use]
    pub fn on_interrupt(&mut self, now: Instant, tried: usize) -> Vec<Effect> {
        let (begun, due) = (self.stream.lines_begun(), self.takes_input_at());
        if let State::Running(running) = &mut self.state {
            running.stop_lines();
            running.held.clear();
            running.asked = None;
            if now < due {
                // bash that is interrupted between the last key of a line and its start runs the line without its first letter.
                running.held_cancel = Some(tried);
                self.timers.set(Timer::Held, due);
                return Vec::new();
            }
            running.stopped_at = Some(begun);
            running.cancelled = true;
        }
        self.note_typing(now);
        vec![Effect::Type(Intent::Cancel { tried })]
    }

    /// A shell that was given several lines at once goes on with the next one when one is stopped: that is stopped too.
    pub(super) fn stop_next_line(&mut self, now: Instant) -> Vec<Effect> {
        let begun = self.stream.lines_begun();
        let State::Running(running) = &mut self.state else { return Vec::new() };
        if running.lines_left == 0 || running.stopped_at.is_none_or(|stopped| begun <= stopped) {
            return Vec::new();
        }
        running.lines_left -= 1;
        running.stopped_at = Some(begun);
        running.warn("a line behind the one that was stopped had begun; it was stopped too, but may have had effect");
        self.note_typing(now);
        vec![Effect::Type(Intent::Cancel { tried: 0 })]
    }

    /// Its caller has gone in the moment in which it began: nobody knows that it runs. It is stopped like one that has run too long.
    pub fn on_unwanted(&mut self, now: Instant) {
        if let State::Running(running) = &mut self.state {
            running.limit = Some((Limit { after: Duration::ZERO, told: UNWANTED.to_owned() }, 0));
            self.timers.set(Timer::Kill, now);
        }
    }

    /// The command has run too long: the cancel keys, again and again for a while.
    pub(super) fn on_kill(&mut self, now: Instant) -> Vec<Effect> {
        let due = self.takes_input_at();
        let State::Running(running) = &mut self.state else { return Vec::new() };
        let Some((limit, tried)) = &mut running.limit else { return Vec::new() };
        if now < due {
            // As for an interrupt. It may start before then.
            self.timers.set(Timer::Kill, due.min(now + INPUT_AFTER_START));
            return Vec::new();
        }
        let (text, count) = (limit.told.clone(), *tried);
        *tried += 1;
        if count >= KILL_TRIES_MAX {
            running.warn("it does not stop; ssh_interrupt how=hangup closes the line");
            return Vec::new();
        }
        running.warn(&text);
        self.timers.set(Timer::Kill, now + INTERRUPT_STEP_WAIT);
        self.on_interrupt(now, count)
    }

    pub(super) fn go_on_running(&mut self, now: Instant, mut running: Box<Running>, ready: &Ready) -> Vec<Effect> {
        // An empty line at the end is for what is not finished.
        let only_end = running.lines.len() == 1 && running.lines.front().is_some_and(|line| line.echo() == Some(""));
        if running.text_wants().is_some() {
            running.lines.clear();
            running.text_refused = true;
        }
        if running.one_prompt {
            self.rest = mem::take(&mut running.lines);
        } else if let Some(line) = running.lines.pop_front().filter(|_| !only_end) {
            self.state = State::Running(running);
            // A text's rows lie before its echo.
            if line.behind().is_none() {
                self.keep_output(&ready.prompt);
            }
            return self.type_line(now, line);
        }
        if !running.held.is_empty() {
            // The shell would take it for a command.
            running.warn("the command had ended before what was sent to it could be typed; it was not typed");
        }
        let entered = running.from_mark && ready.proof != "mark" || running.shell.is_some() && running.shell != self.stream.last_pid();
        let lines = || running.text.lines().filter(|line| !line.trim().is_empty()).count();
        if entered && (1..lines()).contains(&self.stream.lines_begun()) {
            running.warn(
                "another shell or program answers now: lines behind the one that started it may not have run; they run when it ends, or never if it took the shell's place",
            );
        }
        let answers = self.stream.last_pid().filter(|_| ready.proof == "mark");
        if running.shell.is_some() && answers.is_some() && running.shell != answers && !running.leaves() {
            running.warn(
                "another shell answers now than the one that it was typed into: that one has ended, as the status tells, or has started it; the next command runs in another shell, with that one's host, user, directory and variables",
            );
        }
        self.tells_start = self.stream.is_started();
        let mut effects = mem::take(&mut running.secrets_failed);
        let range = (self.stream.output_start(), self.stream.output_end_before(&ready.prompt, self.context.as_ref()));
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
                let range = (self.stream.output_start(), self.stream.output_end_at_close());
                vec![Effect::Ended(Box::new(running.lose(now, status, range, self.stream.log().end())))]
            }
            _ => Vec::new(),
        }
    }
}
