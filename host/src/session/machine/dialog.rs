//! What a plugin wants answered: the steps of a dialog, a pager's page, a question in a row or on the screen.

use std::mem;
use std::time::{Duration, Instant};

use super::{Effect, Intent, Machine, State, Stepped};
use crate::limits::{EDITOR_STANDS, GIVEN_UP_STANDS, GOAL_STEPS_MAX, LOGIN_MAX, PAGES_MAX, SCREEN_STANDS, SECRET_AFTER_LINE_MAX};
use crate::session::timers::Timer;
use crate::session::view::{Question, Step, Stepping};
use crate::terminal::text::escaped_line;

impl Machine {
    /// The secret that was asked for cannot be typed: its goal fails, what was asked is left to the caller.
    #[must_use]
    pub fn on_secret_missing(&mut self, now: Instant, why: &str) -> Vec<Effect> {
        let row = mem::take(&mut self.secret_row);
        let text = if self.stream.has_tail() { self.stream.tail() } else { row };
        if let State::Running(running) = &mut self.state {
            running.warn(why);
            if running.goal.is_some() {
                running.fail_goal(why);
            }
        }
        if text.trim().is_empty() {
            return Vec::new();
        }
        self.on_question(now, Question { kind: "password".to_owned(), text, after_ms: 0 })
    }

    /// The last row asks nothing. Where a full-screen program runs and is silent, its screen may.
    pub(super) fn look_at_screen(&mut self, now: Instant) -> Vec<Effect> {
        if !matches!(self.state, State::Running(_)) || !self.stream.holds_screen() {
            return Vec::new();
        }
        let due = self.last_byte + SCREEN_STANDS;
        if now < due {
            self.timers.set(Timer::Question, due);
            return Vec::new();
        }
        let mut view = self.view(now);
        view.facts.push(("shown", "screen".into()));
        vec![Effect::AskScreen(Box::new(view))]
    }

    /// What the plugins answer to [`Effect::AskScreen`].
    #[must_use]
    pub fn on_screen_read(&mut self, now: Instant, revision: u64, question: Option<Question>) -> Vec<Effect> {
        if question.is_none() && revision == self.revision {
            // Who knows such screens has failed, perhaps: it is looked at again, later and later.
            self.timers.set(Timer::Question, now + SCREEN_STANDS.max(self.quiet(now) / 4));
        }
        let (State::Running(running), Some(question), true) = (&mut self.state, question, revision == self.revision) else {
            return Vec::new();
        };
        if !running.held.is_empty() {
            return Vec::new();
        }
        running.asked_on_screen = true;
        match running.asked.replace(question.clone()) {
            None => vec![Effect::Asked(running.id, question)],
            // The same program goes on with another text.
            Some(_) => Vec::new(),
        }
    }

    pub(super) fn on_step(&mut self, now: Instant, Stepping { plugin, step, strip, is_fault }: Stepping, at_prompt: bool) -> Stepped {
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
                self.go_on_login(now);
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
                self.secret_row = self.stream.tail();
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
            Step::Failed(why) if is_fault => {
                if let State::Running(running) = &mut self.state {
                    running.warn(&why);
                    running.fail_goal(&why);
                    running.given_up = true;
                }
                Stepped::GoOn
            }
            Step::Failed(why) => self.on_goal_failed(&why, at_prompt),
        }
    }

    /// A plugin has failed in a dialog: what asked may wait for an answer still, which is the caller's now.
    pub(super) fn look_at_given_up(&mut self, now: Instant) -> Option<Vec<Effect>> {
        let State::Running(running) = &self.state else { return None };
        if !running.given_up || running.asked.is_some() || !self.stream.has_tail() {
            return None;
        }
        let after_ms = u32::try_from(GIVEN_UP_STANDS.as_millis()).unwrap_or(u32::MAX);
        Some(self.on_question(now, Question { kind: "unknown".to_owned(), text: self.stream.tail(), after_ms }))
    }

    /// The shell has told that its command runs, and has switched its own line editor off: now somebody else's waits. What the command
    /// has entered shows a prompt that nobody expects of its words. A row like that ends nothing; its caller is asked.
    pub(super) fn look_at_editor(&mut self, now: Instant) -> Option<Vec<Effect>> {
        let State::Running(running) = &self.state else { return None };
        let waits = self.stream.is_only_started() && self.stream.takes_paste() && self.stream.has_tail();
        if !waits || self.stream.holds_screen() || running.asked.is_some() {
            return None;
        }
        let row = self.stream.tail();
        let text = format!("{} (looks like a prompt: a line editor waits; whether the command has ended is not known)", row.trim());
        let after_ms = u32::try_from(EDITOR_STANDS.as_millis()).unwrap_or(u32::MAX);
        Some(self.on_question(now, Question { kind: "unknown".to_owned(), text, after_ms }))
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

    /// Something was typed for a login that has waited for somebody: it is told again when it does not go on.
    fn go_on_login(&mut self, now: Instant) {
        if let State::Login { told: told @ true, .. } = &mut self.state {
            *told = false;
            self.timers.set(Timer::Login, now + LOGIN_MAX);
        }
    }

    pub(super) fn on_page(&mut self, now: Instant, plugin: String, send: String, strip: &str) -> Vec<Effect> {
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
        self.go_on_login(now);
        vec![Effect::Type(Intent::Send { plugin, name: send })]
    }

    pub(super) fn on_question(&mut self, now: Instant, question: Question) -> Vec<Effect> {
        let due = self.last_byte + Duration::from_millis(u64::from(question.after_ms));
        if now < due {
            self.timers.set(Timer::Question, due);
            return Vec::new();
        }
        // A row of the device, unless a plugin has put it in words: callers are told it beside the host's own.
        let question = Question { text: escaped_line(&question.text), ..question };
        match &mut self.state {
            State::Running(running) if !running.held.is_empty() => Vec::new(),
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
}
