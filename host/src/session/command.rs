//! One command: from its approved lines to its end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::ids::CommandId;
use crate::limits::CLEAR_AWAY_MAX;
use crate::policy::approved::{Approved, Behind};
use crate::session::machine::Effect;
use crate::session::view::{Question, Ready};

/// What is told of a command whose caller has gone when it began.
pub(super) const UNWANTED: &str = "it was stopped: nobody waited for it any more";

/// Words that end a session wherever they are known.
const LEAVING: [&str; 7] = ["exit", "quit", "logout", "logoff", "bye", "q", "disconnect"];

/// How far a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// It waits for an answer.
    NeedsInput,
    /// It ended by itself.
    Done,
    /// It ended after somebody asked for it.
    Interrupted,
    /// The line ended while it ran.
    Lost,
    /// The connection had ended before, or gave no session for it: nothing was run. Callers are told that it is lost, and why.
    Unstarted,
}

impl State {
    /// The word in a result.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::NeedsInput => "needs_input",
            Self::Done => "done",
            Self::Interrupted => "interrupted",
            Self::Lost | Self::Unstarted => "lost",
        }
    }

    /// Is it not known how it ended, or did it not even begin?
    #[must_use]
    pub fn is_lost(self) -> bool {
        matches!(self, Self::Lost | Self::Unstarted)
    }

    /// The same of one that somebody had asked to stop: what had not begun by then is wanted by nobody any more.
    #[must_use]
    pub fn once_stopped(self) -> Self {
        if matches!(self, Self::Done | Self::Unstarted) { Self::Interrupted } else { self }
    }

    /// Has it ended?
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Interrupted) || self.is_lost()
    }
}

/// How long a command may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// After so long it is stopped.
    pub after: Duration,
    /// What its caller is told then.
    pub told: String,
}

impl Limit {
    /// What is left of the time that its caller gave, when so much was spent before.
    #[must_use]
    pub fn of_caller(limit: Duration, spent: Duration) -> Self {
        let told = format!("it was stopped after {} s, as its caller wanted", limit.as_secs_f64());
        Self { after: limit.saturating_sub(spent), told }
    }

    /// The time of a line that clears away behind it, which is none of the caller's.
    #[must_use]
    pub fn of_clearing_away() -> Self {
        let seconds = CLEAR_AWAY_MAX.as_secs();
        Self { after: CLEAR_AWAY_MAX, told: format!("what clears away behind it did not end within {seconds} s and was stopped") }
    }
}

/// A command that policy let through.
#[derive(Debug)]
pub struct Started {
    /// Its id.
    pub id: CommandId,
    /// Who wants it.
    pub caller: String,
    /// Its text as the caller gave it.
    pub text: String,
    /// What to type, line by line.
    pub lines: VecDeque<Approved>,
    /// The goal that it starts.
    pub goal: Option<String>,
    /// When it is stopped.
    pub limit: Option<Limit>,
    /// The first prompt ends it; lines that are left then are given back.
    pub one_prompt: bool,
    /// A person typed it and sees to it: no page is turned, nothing unfinished is taken back.
    pub manual: bool,
}

/// A command that runs.
#[derive(Debug)]
pub struct Running {
    /// Its id.
    pub id: CommandId,
    /// Its text.
    pub text: String,
    /// Lines not typed yet.
    pub lines: VecDeque<Approved>,
    /// The goal being carried through.
    pub goal: Option<String>,
    /// What the program asks.
    pub asked: Option<Question>,
    /// It was seen on the screen of a full-screen program, and stands as long as that holds the screen.
    pub asked_on_screen: bool,
    /// What its caller has typed before it started.
    pub held: Vec<Approved>,
    /// The row that the first of it is for.
    pub held_row: String,
    /// Its caller has stopped it before it started: which of the cancel keys is typed then.
    pub held_cancel: Option<usize>,
    /// Pages turned.
    pub pages: u32,
    /// Dialog steps taken.
    pub goal_steps: u32,
    /// Secrets typed for the goal.
    pub secrets_typed: Vec<String>,
    /// Their failure, told when the command ends.
    pub secrets_failed: Vec<Effect>,
    /// Why the goal failed.
    pub goal_failed: Option<String>,
    /// The plugin that went through a dialog for it has failed.
    pub given_up: bool,
    /// What is missing of an unfinished line.
    pub incomplete: Option<String>,
    /// The cancel key was typed.
    pub cancelled: bool,
    /// How often it was typed because a part is missing.
    pub cancels: usize,
    /// Somebody asked for the end.
    pub interrupted: bool,
    /// How many lines had begun when the cancel key was typed for that: a shell goes on with those of the same text behind it.
    pub stopped_at: Option<usize>,
    /// Lines of the text that may begin behind the one that is stopped.
    pub lines_left: usize,
    /// How long it may run, and how often it was stopped since.
    pub limit: Option<(Limit, usize)>,
    /// Lines typed.
    pub typed: usize,
    /// A prompt came where the device was to ask for a text.
    pub text_refused: bool,
    /// The first prompt ends it.
    pub one_prompt: bool,
    /// It began at a prompt that a mark proved.
    pub from_mark: bool,
    /// The shell that its lines were given to, where its prompt tells that.
    pub shell: Option<u32>,
    /// A person typed it and sees to it.
    pub manual: bool,
    /// Outputs of the lines before the last one.
    pub pieces: Vec<(u64, u64)>,
    /// When it started.
    pub started_at: Instant,
    /// The log's end then.
    pub log_start: u64,
    /// The mode that it was typed in.
    pub mode: String,
    warnings: Vec<String>,
}

/// A command that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// Its id.
    pub id: CommandId,
    /// Done, interrupted or lost.
    pub state: State,
    /// Its text.
    pub text: String,
    /// The mode that it was typed in.
    pub mode: String,
    /// Lines typed.
    pub typed: usize,
    /// The parts of the log that are its output, in order.
    pub pieces: Vec<(u64, u64)>,
    /// The prompt that ended it.
    pub ready: Option<Ready>,
    /// Exit status, where the device tells it.
    pub status: Option<i32>,
    /// It failed whatever the status says; why.
    pub failure: Option<String>,
    /// Why it failed, where the device does not say it.
    pub unsaid: Option<String>,
    /// How long it took.
    pub duration: Duration,
    /// Secrets that were typed for its goal, of which the dialog does not say that they were refused.
    pub secrets: Vec<String>,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

impl Running {
    /// A command whose first line is about to be typed.
    #[must_use]
    pub fn new(started: Started, now: Instant, log_start: u64, mode: &str) -> Self {
        let lines_left = started.text.trim().lines().count().saturating_sub(1);
        Self {
            id: started.id,
            text: started.text,
            lines: started.lines,
            goal: started.goal,
            asked: None,
            asked_on_screen: false,
            held: Vec::new(),
            held_row: String::new(),
            held_cancel: None,
            pages: 0,
            goal_steps: 0,
            secrets_typed: Vec::new(),
            secrets_failed: Vec::new(),
            goal_failed: None,
            given_up: false,
            incomplete: None,
            cancelled: false,
            cancels: 0,
            interrupted: false,
            stopped_at: None,
            lines_left,
            limit: started.limit.map(|limit| (limit, 0)),
            typed: 0,
            text_refused: false,
            one_prompt: started.one_prompt,
            from_mark: false,
            shell: None,
            manual: started.manual,
            pieces: Vec::new(),
            started_at: now,
            log_start,
            mode: mode.to_owned(),
            warnings: Vec::new(),
        }
    }

    /// What the device must show before what is typed next, where that is a text and no command.
    #[must_use]
    pub fn text_wants(&self) -> Option<&Behind> {
        self.lines.front().and_then(Approved::behind)
    }

    /// Somebody wants its end: the lines that are left are not typed.
    pub fn stop_lines(&mut self) {
        self.interrupted = true;
        self.lines.clear();
    }

    /// Adds something that the caller should know, once.
    pub fn warn(&mut self, text: &str) {
        warn_once(&mut self.warnings, text);
    }

    /// The goal is over and not reached.
    pub fn fail_goal(&mut self, why: &str) {
        self.goal = None;
        self.goal_failed.get_or_insert_with(|| why.to_owned());
    }

    /// Where an output begins whose own beginning is not known: behind what the lines before it have brought.
    #[must_use]
    pub fn behind_pieces(&self) -> u64 {
        self.pieces.last().map_or(self.log_start, |before| before.1)
    }

    /// What the caller should know so far.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// It ended at a prompt.
    #[must_use]
    pub fn end(self, now: Instant, ready: Option<&Ready>, range: (Option<u64>, u64), log_end: u64) -> Ending {
        let state = if self.interrupted { State::Interrupted } else { State::Done };
        let status = ready.and_then(|ready| ready.status);
        self.into_ending(now, state, ready.cloned(), status, range, log_end)
    }

    /// Its line ended. With an exit status the program ended the session itself (`exit 3`), where its end would have been told by a
    /// mark, or it is a line that does that. Else somebody may have ended the session below it.
    #[must_use]
    pub fn lose(mut self, now: Instant, status: Option<i32>, range: (Option<u64>, u64), log_end: u64) -> Ending {
        if status.is_some() && !self.from_mark && !self.leaves() && !self.manual {
            self.warn("the device ended the session while it ran: whether it came to its end is not known");
        }
        let status = status.filter(|_| self.from_mark || self.leaves());
        let state = if status.is_some() { State::Done } else { State::Lost };
        if status.is_some() && !self.manual {
            self.warn(
                "it ended the session: the next command opens a new one, which knows nothing of this one's directory, variables and modes",
            );
        }
        self.into_ending(now, state, None, status, range, log_end)
    }

    /// Is its last line one that ends sessions?
    #[must_use]
    pub fn leaves(&self) -> bool {
        let line = self.text.trim().lines().next_back().unwrap_or_default();
        let word = line.split(|ch: char| ch.is_whitespace() || ch == '(').next().unwrap_or_default();
        let word = word.trim_start_matches(['/', '\\', '.', ':']).trim_end_matches(';');
        LEAVING.iter().any(|known| word.eq_ignore_ascii_case(known))
    }

    fn into_ending(
        mut self,
        now: Instant,
        state: State,
        ready: Option<Ready>,
        status: Option<i32>,
        (start, end): (Option<u64>, u64),
        log_end: u64,
    ) -> Ending {
        let end = end.min(log_end);
        let start = start.unwrap_or_else(|| self.behind_pieces());
        self.pieces.push((start.min(end), end));
        let is_one_line = !self.text.trim().contains('\n');
        let incomplete = self.incomplete.map(|what| match is_one_line {
            true => format!("incomplete input ({what}): nothing of it ran, the line was cancelled"),
            false => format!("incomplete input ({what}): that part was cancelled; what stands before it in the text may have run"),
        });
        Ending {
            id: self.id,
            state,
            text: self.text,
            mode: self.mode,
            typed: self.typed,
            pieces: self.pieces,
            ready,
            status,
            failure: self.goal_failed.or(incomplete),
            unsaid: self.text_refused.then(|| "the device did not ask for the text behind it; the text was not typed".to_owned()),
            duration: now.saturating_duration_since(self.started_at),
            secrets: self.secrets_typed,
            warnings: self.warnings,
        }
    }
}

/// Adds something that a caller should know, unless it is told already.
pub(super) fn warn_once(warnings: &mut Vec<String>, text: &str) {
    if !warnings.iter().any(|warning| warning == text) {
        warnings.push(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(text: &str, from_mark: bool, status: Option<i32>) -> (State, Option<i32>) {
        let (now, lines) = (Instant::now(), VecDeque::new());
        let (id, caller, text) = (CommandId::next(), "test".to_owned(), text.to_owned());
        let started = Started { id, caller, text, lines, goal: None, limit: None, one_prompt: false, manual: false };
        let mut running = Running::new(started, now, 0, "");
        running.from_mark = from_mark;
        let ending = running.lose(now, status, (None, 0), 0);
        (ending.state, ending.status)
    }

    /// A status that comes with the session's end is that of its program. Wrong success would be worse than none.
    #[test]
    fn the_end_of_a_session_is_not_taken_for_a_commands() {
        assert_eq!(ended("set -e; false", true, Some(1)), (State::Done, Some(1)));
        assert_eq!(ended("show tech", false, Some(0)), (State::Lost, None));
        assert_eq!(ended("exit", false, Some(0)), (State::Done, Some(0)));
        assert_eq!(ended("configure\n/QUIT ;", false, Some(3)), (State::Done, Some(3)));
        assert_eq!(ended("quit()", false, Some(0)), (State::Done, Some(0)));
        assert_eq!(ended("exit", true, None), (State::Lost, None));
    }

    /// Callers begin once more what was not begun.
    #[test]
    fn what_was_stopped_before_it_began_is_not_begun_again() {
        assert_eq!(State::Unstarted.once_stopped(), State::Interrupted);
        assert_eq!(State::Done.once_stopped(), State::Interrupted);
        assert_eq!(State::Lost.once_stopped(), State::Lost);
    }
}
