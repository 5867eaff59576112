//! A prompt was accepted, or one that asks for the rest: what is typed at login, what goes on, what is taken back.

use std::mem;
use std::time::{Duration, Instant};

use super::{Effect, Idle, Intent, Machine, Setup, State};
use crate::limits::{
    INTERRUPT_STEP_WAIT, KILL_TRIES_MAX, PROMPT_ENDED, PROMPT_PASSED, PROMPT_PASSED_MIN_CHARS, PROMPT_PASSED_TIMES, PROMPTS_KNOWN_MAX,
    SETUP_LINE_MAX, SETUP_SENDS_MAX,
};
use crate::session::timers::Timer;
use crate::session::view::{Ready, View};

impl Machine {
    pub(super) fn on_incomplete(&mut self, now: Instant, what: &str) -> Vec<Effect> {
        let State::Running(running) = &mut self.state else { return Vec::new() };
        if running.text_wants().is_none()
            && let Some(line) = running.lines.pop_front()
        {
            return self.type_line(now, line);
        }
        if running.cancelled || running.manual {
            return Vec::new();
        }
        running.incomplete = Some(what.to_owned());
        self.cancel(now)
    }

    /// Takes back what was typed. The key gets lost where the device is busy with the line: it is typed again after a while.
    pub(super) fn cancel(&mut self, now: Instant) -> Vec<Effect> {
        let State::Running(running) = &mut self.state else { return Vec::new() };
        running.cancelled = true;
        running.lines.clear();
        let tried = running.cancels;
        running.cancels += 1;
        if running.cancels < KILL_TRIES_MAX {
            self.timers.set(Timer::Cancel, now + INTERRUPT_STEP_WAIT);
        }
        self.note_typing(now);
        vec![Effect::Type(Intent::Cancel { tried })]
    }

    pub(super) fn on_ready(&mut self, now: Instant, ready: Ready) -> Vec<Effect> {
        if !self.stream.is_echoed() && ready.proof != "mark" {
            return Vec::new();
        }
        let ready = self.marked(ready);
        self.remember(&ready);
        self.in_secret = false;
        let before = self.ready.replace(ready.clone());
        // A prompt without marks behind one with them: another shell, or the same whose prompt was replaced.
        let had_mark =
            before.as_ref().is_some_and(|before| before.proof == "mark") || self.running().is_some_and(|running| running.from_mark);
        let unmarked = ready.proof != "mark" && had_mark;
        match mem::replace(&mut self.state, State::Closed) {
            State::Login { .. } => {
                self.timers.clear(Timer::Login);
                vec![self.prepare(now, Setup::default(), ready)]
            }
            State::Setup(mut setup) => {
                // Where its echo was not known again, a mark tells that it has run.
                let done = || self.stream.last_mark('D').filter(|_| ready.proof == "mark").map(|mark| mark.start);
                if let (Some(begins), Some(ends)) = (setup.begins.take(), self.stream.output_start().or_else(done)) {
                    self.note_own(begins, ends);
                }
                self.go_on_setup(now, setup, ready)
            }
            State::Running(running) => {
                let mut effects = self.go_on_running(now, running, &ready);
                if unmarked && self.is_idle() {
                    effects.push(self.prepare(now, Setup::default(), ready));
                }
                effects
            }
            State::Idle(idle) => {
                // In the prompt's own row it is what somebody has typed behind it.
                let is_same_row = self.stream.rows_done() == idle.rows_done;
                if let (Some(before), Some(ready)) = (before.filter(|_| is_same_row), &mut self.ready)
                    && ready.prompt.starts_with(before.prompt.trim_end())
                {
                    ready.prompt = before.prompt;
                }
                self.state = State::Idle(idle);
                Vec::new()
            }
            State::Closed => Vec::new(),
        }
    }

    /// A cancel key was typed as a line of its own. Where it brings no prompt, the next one is tried.
    pub fn on_cancel_typed(&mut self, now: Instant) {
        if let State::Running(running) = &mut self.state {
            running.cancels = 1;
            self.timers.set(Timer::Cancel, now + INTERRUPT_STEP_WAIT);
        }
    }

    /// A prompt stood there, and the device has printed something behind it since: a message to all terminals, for one. Devices do
    /// not draw it again. Or the prompt stands behind output that has no end of row, where no plugin knows it.
    pub(super) fn look_for_passed_prompt(&mut self, now: Instant) -> Option<Vec<Effect>> {
        let State::Running(running) = &mut self.state else { return None };
        // The row that was typed in is the old prompt's, alone where the device sends nothing back.
        let rows = usize::try_from(self.stream.rows_done().saturating_sub(self.typed_rows + 1)).unwrap_or(usize::MAX);
        // Where marks tell the end, a prompt without one is a program's.
        let waits = running.goal.is_some() || running.asked.is_some() || running.manual || running.from_mark;
        if waits || !self.stream.is_echoed() {
            return None;
        }
        let tail = self.stream.tail();
        let glued = self.known.iter().find(|known| tail.trim_end().ends_with(known.prompt.trim()));
        let is_glued = glued.is_some();
        let of_row = |row: &[u8]| {
            let same = self.known.iter().find(|known| known.prompt.trim().as_bytes() == row);
            same.cloned().or_else(|| self.known.iter().find_map(|known| renamed(known, std::str::from_utf8(row).ok()?, &running.text)))
        };
        let ready = glued.cloned().or_else(|| self.stream.rows_back(rows).find_map(of_row))?;
        let is_behind =
            is_glued || !tail.trim().is_empty() || self.stream.rows_back(rows).find(|row| !row.is_empty()).and_then(of_row).is_none();
        let least = if is_behind { PROMPT_PASSED } else { PROMPT_ENDED };
        let silence = least.max(Duration::from_millis(u64::from(self.settle_time.ms()) * PROMPT_PASSED_TIMES));
        if now < self.last_byte + silence {
            self.timers.set(Timer::Settle, self.last_byte + silence);
            return Some(Vec::new());
        }
        if !is_glued {
            running.warn("the device has printed something behind its prompt; it stands at the end of the output");
        }
        Some(self.on_ready(now, Ready { proof: "pattern".to_owned(), ..ready }))
    }

    /// The same of the first prompt, which nobody knows yet: the row is shown once more to the plugins, who were about to take it for
    /// one, after the silence that they have asked for. Where a row stands there, it may be a question, or the rest of that one.
    pub(super) fn look_for_passed_login(&mut self, now: Instant) -> Option<Vec<Effect>> {
        let State::Login { asked: None, .. } = &self.state else { return None };
        let (_, asked) = self.passed.as_ref()?;
        if !self.stream.tail().trim().is_empty() || self.stream.holds_screen() {
            return None;
        }
        let silence = PROMPT_PASSED.max(Duration::from_millis(u64::from(self.settle_time.ms()) * PROMPT_PASSED_TIMES)).max(*asked);
        if now < self.last_byte + silence {
            self.timers.set(Timer::Settle, self.last_byte + silence);
            return Some(Vec::new());
        }
        let (row, _) = self.passed.take()?;
        Some(vec![Effect::Ask(Box::new(View { tail: row, ..self.view(now) }))])
    }

    /// A plugin is shown the last row, and can only guess where in it the prompt begins: output may be left before it, and another
    /// prompt may end like this one. The mark at its beginning tells.
    fn marked(&self, ready: Ready) -> Ready {
        let is_end = ready.proof == "mark" && self.stream.tail().ends_with(&ready.prompt);
        match self.stream.marked_prompt().filter(|_| is_end) {
            Some(prompt) => Ready { prompt, ..ready },
            None => ready,
        }
    }

    /// Remembers a prompt that only its look tells, if it is long enough not to be any row of any output.
    fn remember(&mut self, ready: &Ready) {
        let prompt = ready.prompt.trim();
        if ready.proof == "mark" || prompt.len() < PROMPT_PASSED_MIN_CHARS || !prompt.contains(char::is_alphanumeric) {
            return;
        }
        self.known.retain(|known| known.prompt.trim() != prompt);
        if self.known.len() == PROMPTS_KNOWN_MAX {
            self.known.pop_front();
        }
        self.known.push_back(ready.clone());
    }

    /// The sends that the plugins want typed after login, with the texts of their lines.
    #[must_use]
    pub fn on_prepared(&mut self, now: Instant, sends: Vec<(String, String)>) -> Vec<Effect> {
        let State::Setup(mut setup) = mem::replace(&mut self.state, State::Closed) else { return Vec::new() };
        setup.waiting = false;
        setup.sends = sends.into();
        if setup.sends.is_empty() || setup.typed as usize >= SETUP_SENDS_MAX {
            self.become_idle();
            return vec![Effect::Opened];
        }
        self.type_next_send(now, setup)
    }

    fn type_next_send(&mut self, now: Instant, mut setup: Setup) -> Vec<Effect> {
        let Some((plugin, name)) = setup.sends.pop_front() else { return Vec::new() };
        setup.typed += 1;
        setup.cancelled = false;
        self.state = State::Setup(setup);
        self.timers.set(Timer::Setup, now + SETUP_LINE_MAX);
        vec![Effect::Type(Intent::Send { plugin, name })]
    }

    /// The prompt behind a line that we typed does not come: the line is cancelled, then a person is asked.
    pub(super) fn on_setup_stuck(&mut self, now: Instant) -> Vec<Effect> {
        let State::Setup(setup) = &mut self.state else { return Vec::new() };
        if mem::replace(&mut setup.cancelled, true) {
            self.state = State::Login { asked: None, told: true };
            return vec![Effect::LoginWaits(None)];
        }
        self.timers.set(Timer::Setup, now + SETUP_LINE_MAX);
        self.note_typing(now);
        vec![Effect::Type(Intent::Cancel { tried: 0 })]
    }

    /// A send of `prepare` is about to be typed: this is its line, to wait for its echo.
    pub fn on_setup_line(&mut self, now: Instant, line: &str) {
        if let State::Setup(setup) = &mut self.state {
            // What was left in the row before the prompt is not the host's.
            let prompt = self.ready.as_ref().map_or("", |ready| ready.prompt.trim_end());
            let is_prompts = self.stream.tail().trim_end() == prompt;
            setup.begins = Some(if is_prompts { self.stream.row_start() } else { self.stream.log().end() });
            setup.line = line.to_owned();
            self.begin_line(now, Some(line));
        }
    }

    fn go_on_setup(&mut self, now: Instant, setup: Setup, ready: Ready) -> Vec<Effect> {
        if setup.sends.is_empty() { vec![self.prepare(now, setup, ready)] } else { self.type_next_send(now, setup) }
    }

    /// Asks what to type at this prompt before the next command.
    fn prepare(&mut self, now: Instant, setup: Setup, ready: Ready) -> Effect {
        self.state = State::Setup(Setup { waiting: true, ..setup });
        Effect::Prepare(Box::new(self.view(now)), ready)
    }

    pub(super) fn become_idle(&mut self) {
        self.timers.clear(Timer::Kill);
        self.timers.clear(Timer::Cancel);
        self.timers.clear(Timer::Setup);
        self.timers.clear(Timer::Held);
        self.clean_prompt = self.stream.tail();
        // What came along with the prompt, behind it, is no part of what has ended.
        let (log_end, rows_done) = self.stream.prompt_end().unwrap_or_else(|| (self.stream.log().end(), self.stream.rows_done()));
        self.state = State::Idle(Idle { rows_done, log_end, shell: self.stream.last_pid() });
    }

    /// This was typed before the prompt came and not sent. What of it stands behind the prompt already is not the prompt's.
    pub fn on_typed_ahead(&mut self, typed: &str) {
        if typed.trim().is_empty() {
            return;
        }
        let ready = self.ready.as_mut().map(|ready| &mut ready.prompt);
        for prompt in [&mut self.clean_prompt].into_iter().chain(ready) {
            if let Some(rest) = prompt.trim_end().strip_suffix(typed.trim_end()) {
                *prompt = rest.to_owned();
            }
        }
    }
}

/// The known prompt with another name in it, which stands as a word in the line that runs: the device's own name was changed.
fn renamed(known: &Ready, row: &str, line: &str) -> Option<Ready> {
    let in_name = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_' | '.');
    let prompt = known.prompt.trim();
    let differs = prompt.bytes().zip(row.bytes()).position(|(one, other)| one != other)?;
    // Names that begin alike differ as a whole.
    let before = prompt.get(..differs)?.trim_end_matches(in_name);
    let behind = prompt.get(before.len()..)?.trim_start_matches(in_name);
    let name = row.strip_prefix(before)?.strip_suffix(behind)?;
    let is_word = !name.is_empty() && name.chars().all(in_name) && line.split(|ch| !in_name(ch)).any(|word| word == name);
    (is_word && !behind.is_empty()).then(|| Ready { prompt: row.to_owned(), ..known.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_prompt_is_the_known_one_with_a_name_from_the_line() {
        let is = |prompt: &str, row: &str, line: &str| {
            let known =
                Ready { prompt: prompt.to_owned(), mode: String::new(), privileged: false, status: None, cwd: None, proof: String::new() };
            renamed(&known, row, line).is_some()
        };
        assert!(is("sw1(config)# ", "new-7(config)#", "hostname new-7"));
        assert!(is("sw1#", "sw12#", "hostname sw12"));
        assert!(is("[admin@MikroTik] > ", "[admin@r-1] >", "/system identity set name=r-1"));
        for (prompt, row, line) in [
            ("sw1#", "new-7#", "show running-config"),
            ("sw1#", "new-7(config)#", "hostname new-7"),
            ("sw1#", "new-7>", "hostname new-7"),
            ("sw1#", "a new-7#", "hostname new-7"),
            ("sw1#", "sw1#", "hostname sw1"),
            ("sw1#", "#", "hostname x"),
        ] {
            assert!(!is(prompt, row, line), "{row}");
        }
    }
}
