//! The login steps of a device: a dialog of the operator's, typed on a line before its session begins.
//!
//! A step is answered when the last, unterminated row fits its pattern and has stood for a moment, once, and the next step begins when
//! that row has gone on. A secret is typed at such a row only, and once for each step; the same question again is its refusal.

use std::time::Duration;

use regex::Regex;
use tokio::time::{Instant, timeout};

use super::first_screen::FirstScreen;
use crate::config::{LoginAnswer, LoginStep, USUAL_NAME, header};
use crate::limits::{LOGIN_PROMPT_STANDS, LOGIN_RESULT_MAX, LOGIN_STEP_MAX, LOGIN_STEP_SETTLE, LOGIN_STEPS_MAX_BYTES, LOGIN_WAKE_AFTER};
use crate::plugin::device_type::DeviceType;
use crate::policy::{self, approved::Approved, approved::Payload};
use crate::secret::Secret;
use crate::secret::book::SecretBook;
use crate::secret::redact::Redactor;
use crate::terminal::text::{escaped, last_bytes};
use crate::transport::{Line, LineEvent, Order, Typed};

/// Bytes of the last words in an error.
const SHOWN_BYTES: usize = 200;

/// What a login needs beside the line.
pub(super) struct Login<'a> {
    /// The device's name.
    pub(super) device: &'a str,
    /// Its steps.
    pub(super) steps: &'a [LoginStep],
    /// What `{user}` stands for.
    pub(super) user: &'a str,
    /// The secrets that the steps name.
    pub(super) secrets: &'a [(String, Secret)],
    /// Who counts refusals.
    pub(super) book: &'a SecretBook,
    /// The device's type, as far as it is known.
    pub(super) kind: &'a DeviceType,
    /// Columns and rows.
    pub(super) size: (u16, u16),
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing yet.
    Wait,
    /// Type the answer of this step.
    Answer(usize),
    /// The session may begin.
    Begin,
    /// The secret of this step was wrong.
    Refused(usize),
}

/// Where a login stands. It knows no line and no clock.
struct Progress {
    /// Pattern, is it a secret's, may it be passed over.
    steps: Vec<(Option<Regex>, bool, bool)>,
    next: usize,
    /// The steps that were answered, and at which rows.
    answered: Vec<(usize, String)>,
    /// How a name is usually asked for.
    name: Option<Regex>,
}

impl Progress {
    fn new(steps: &[LoginStep]) -> Self {
        let steps = steps.iter().map(|step| (step.pattern(), step.secret().is_some(), step.optional));
        Self { steps: steps.collect(), next: 0, answered: Vec::new(), name: Regex::new(USUAL_NAME).ok() }
    }

    /// What to do at this last row, which has stood for so long. It is not the row that was answered last.
    fn at(&self, row: &str, stands: Duration) -> Next {
        if row.trim().is_empty() || stands < LOGIN_STEP_SETTLE {
            return Next::Wait;
        }
        for (index, (pattern, _, optional)) in self.steps.iter().enumerate().skip(self.next) {
            if pattern.as_ref().is_some_and(|pattern| pattern.is_match(row)) {
                return Next::Answer(index);
            }
            if !optional {
                break;
            }
        }
        if let Some(step) = self.refused(row) {
            return Next::Refused(step);
        }
        match self.only_optional() {
            true if self.next >= self.steps.len() || stands >= LOGIN_PROMPT_STANDS => Next::Begin,
            _ => Next::Wait,
        }
    }

    /// The secret that was typed last, where its question, or an earlier one just as it was, or that for the name comes again.
    fn refused(&self, row: &str) -> Option<usize> {
        let step = self.secret_typed_last()?;
        let (pattern, ..) = self.steps.get(step)?;
        let fits = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(row));
        let name = fits(&self.name) && self.steps.iter().take(step).any(|(earlier, ..)| fits(earlier));
        (fits(pattern) || name || self.answered.iter().any(|(_, earlier)| earlier == row)).then_some(step)
    }

    fn secret_typed_last(&self) -> Option<usize> {
        let (step, _) = self.answered.last()?;
        self.steps.get(*step).filter(|(_, secret, _)| *secret).map(|_| *step)
    }

    fn on_answered(&mut self, step: usize, row: &str) {
        self.answered.push((step, row.to_owned()));
        self.next = step + 1;
    }

    /// Nothing more has to be typed.
    fn only_optional(&self) -> bool {
        self.steps.iter().skip(self.next).all(|(.., optional)| *optional)
    }
}

impl Login<'_> {
    /// Goes through the steps; `wake` is typed where the line shows nothing by itself. What the line shows meanwhile stays with it;
    /// says how much of that had come when the last answer was typed.
    ///
    /// # Errors
    ///
    /// Which step failed, and what the line shows.
    pub(super) async fn follow(&self, line: &mut Line, mut wake: Option<Approved>) -> Result<usize, String> {
        let mut screen = FirstScreen::new(self.size);
        let mut progress = Progress::new(self.steps);
        // The row that was answered last, until it has gone on.
        let mut stale: Option<(String, u64)> = None;
        let (mut since, mut changed, mut typed_at) = (Instant::now(), Instant::now(), 0);
        loop {
            match timeout(LOGIN_STEP_SETTLE, line.reader.next()).await {
                Ok(LineEvent::Data(bytes) | LineEvent::Error(bytes)) => {
                    screen.take(&bytes, line, self.kind);
                    changed = Instant::now();
                }
                Ok(LineEvent::Exit(Ok(status))) => return Err(self.ended(&progress, &screen, &format!("it ended with status {status}"))),
                Ok(LineEvent::Exit(Err(why)) | LineEvent::Closed(why)) => return Err(self.ended(&progress, &screen, &why)),
                Err(_) => {}
            }
            if screen.stream.has_tail() {
                wake = None;
            } else if changed.elapsed() >= LOGIN_WAKE_AFTER
                && let Some(keys) = wake.take()
            {
                self.order(line, &keys)?;
            }
            let row = screen.stream.tail();
            stale = stale.filter(|(old, rows)| *old == row && *rows == screen.stream.rows_done());
            let next = if stale.is_some() { Next::Wait } else { progress.at(&row, changed.elapsed()) };
            match next {
                Next::Answer(step) => {
                    self.answer(line, step)?;
                    progress.on_answered(step, &row);
                    (since, typed_at, stale) = (Instant::now(), screen.bytes.len(), Some((row, screen.stream.rows_done())));
                }
                Next::Refused(step) => return Err(self.refused(step, &screen)),
                Next::Begin => break,
                Next::Wait if progress.only_optional() && since.elapsed() >= LOGIN_RESULT_MAX => break,
                Next::Wait => self.patience(&progress, since, &screen)?,
            }
        }
        line.seen.append(&mut screen.bytes);
        Ok(typed_at)
    }

    /// Types the answer of a step.
    fn answer(&self, line: &Line, step: usize) -> Result<(), String> {
        let answer = self.steps.get(step).map(|step| &step.answer);
        answer.map_or(Ok(()), |answer: &LoginAnswer| self.order(line, &policy::login_step(answer, self.user, self.kind)))
    }

    fn order(&self, line: &Line, approved: &Approved) -> Result<(), String> {
        let typed = match approved.payload() {
            Payload::Bytes(bytes) => Typed::from(bytes.clone()),
            Payload::Secret { name, enter } => {
                let secret = self.secrets.iter().find(|(known, _)| known == name).map(|(_, secret)| secret);
                let secret = secret.ok_or_else(|| format!("`{}` has no secret `{name}` for its login steps", self.device))?;
                Typed::secret(secret, enter)
            }
        };
        line.writer.order(Order::Write(typed)).map_err(|why| format!("the line of `{}` takes nothing: {why}", self.device))
    }

    fn patience(&self, progress: &Progress, since: Instant, screen: &FirstScreen) -> Result<(), String> {
        let full = screen.bytes.len() > LOGIN_STEPS_MAX_BYTES;
        if !full && (progress.only_optional() || since.elapsed() < LOGIN_STEP_MAX) {
            return Ok(());
        }
        let waited = match full {
            true => format!("was shown more than {} KiB", LOGIN_STEPS_MAX_BYTES / 1024),
            false => format!("waited {} s", LOGIN_STEP_MAX.as_secs()),
        };
        let expect = self.steps.get(progress.next).map_or("a prompt", |step| step.expect.as_str());
        Err(format!("{} {waited} for `{expect}`; {}", self.named(progress.next), self.shows(screen)))
    }

    fn refused(&self, step: usize, screen: &FirstScreen) -> String {
        let name = self.count(step);
        format!(
            "{} typed the secret `{name}` and it was refused: the device asks again; {}; correct it first",
            self.named(step),
            self.shows(screen)
        )
    }

    /// A line that ends right behind a secret has refused it.
    fn ended(&self, progress: &Progress, screen: &FirstScreen, why: &str) -> String {
        let shows = self.shows(screen);
        match progress.secret_typed_last() {
            Some(step) => {
                let name = self.count(step);
                format!("{} typed the secret `{name}` and the line ended, so it counts as refused: {why}; {shows}", self.named(step))
            }
            None => format!("{} was not reached, the line ended: {why}; {shows}", self.named(progress.next)),
        }
    }

    /// Counts a refusal; the secret's name.
    fn count(&self, step: usize) -> &str {
        let name = self.steps.get(step).and_then(LoginStep::secret).unwrap_or_default();
        self.book.on_failure(self.device, name, std::time::Instant::now());
        name
    }

    fn named(&self, step: usize) -> String {
        match self.steps.len() {
            0 => format!("the login of {}", header("device", self.device)),
            all => format!("login step {} of {}", step.min(all - 1) + 1, header("device", self.device)),
        }
    }

    /// The last words of the line, without what was typed in secret.
    fn shows(&self, screen: &FirstScreen) -> String {
        let mut redactor = Redactor::default();
        for (name, secret) in self.secrets {
            redactor.learn(name, secret);
        }
        let words = redactor.whole(screen.last_words().as_bytes());
        let words = String::from_utf8_lossy(&words);
        match words.trim() {
            "" => "the line shows nothing".to_owned(),
            words => format!("the line shows: `{}`", escaped(last_bytes(words, SHOWN_BYTES))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(rows: &[(&str, bool, bool)]) -> Vec<LoginStep> {
        let answer = |secret| if secret { LoginAnswer::Secret("password".to_owned()) } else { LoginAnswer::Send("x".to_owned()) };
        let step = |(expect, secret, optional): &(&str, bool, bool)| LoginStep {
            expect: (*expect).to_owned(),
            answer: answer(*secret),
            optional: *optional,
        };
        rows.iter().map(step).collect()
    }

    /// What is done at each of these rows, all of which have stood for a while.
    fn check(steps: &[LoginStep], rows: &[&str], expected: &[Next]) {
        let mut progress = Progress::new(steps);
        let done: Vec<Next> = rows
            .iter()
            .map(|row| {
                let next = progress.at(row, LOGIN_PROMPT_STANDS);
                if let Next::Answer(step) = next {
                    progress.on_answered(step, row);
                }
                next
            })
            .collect();
        assert_eq!(done, expected, "{rows:?}");
    }

    #[test]
    fn steps_run_in_order_and_a_prompt_ends_them() {
        use Next::{Answer, Begin, Wait};
        let console = steps(&[("login: $", false, true), ("word: $", true, true)]);
        check(&console, &["", "a login: ", "Password: ", "", "a$ "], &[Wait, Answer(0), Answer(1), Wait, Begin]);
        check(&console, &["Password: ", "a> "], &[Answer(1), Begin]);
        check(&console, &["root@a:~# "], &[Begin]);
        let menu = steps(&[("word: $", true, false), ("device: $", false, false), ("sure", false, true)]);
        check(&menu, &["a$ ", "Password: ", "a$ ", "Select a device: ", "b# "], &[Wait, Answer(0), Wait, Answer(1), Begin]);
        check(&menu, &["Password: ", "Select a device: ", "Are you sure? "], &[Answer(0), Answer(1), Answer(2)]);
    }

    #[test]
    fn a_question_that_comes_again_is_a_refusal() {
        use Next::{Answer, Begin, Refused};
        let console = steps(&[("login: $", false, true), ("word: $", true, true)]);
        check(&console, &["a login: ", "Password: ", "a login: "], &[Answer(0), Answer(1), Refused(1)]);
        check(&console, &["Password: ", "Password: "], &[Answer(1), Refused(1)]);
        check(&console, &["Password: ", "b login: "], &[Answer(1), Refused(1)]);
        // The prompt of the next host looks like that of the one before, and is another one.
        let hop = steps(&[("> $", false, false), ("word: $", true, false)]);
        check(&hop, &["a> ", "Password: ", "b> "], &[Answer(0), Answer(1), Begin]);
        check(&hop, &["a> ", "Password: ", "a> "], &[Answer(0), Answer(1), Refused(1)]);
        // Two passwords in a row: the next step's question is its own.
        let two = steps(&[("word: $", true, false), ("word: $", true, false)]);
        check(&two, &["Password: ", "Password: ", "Password: "], &[Answer(0), Answer(1), Refused(1)]);
    }

    #[test]
    fn a_row_is_answered_once_it_stands() {
        let progress = Progress::new(&steps(&[("word: $", true, true)]));
        assert_eq!(progress.at("Password: ", Duration::ZERO), Next::Wait);
        assert_eq!(progress.at("a$ ", LOGIN_STEP_SETTLE), Next::Wait);
        assert_eq!(progress.at("a$ ", LOGIN_PROMPT_STANDS), Next::Begin);
    }
}
