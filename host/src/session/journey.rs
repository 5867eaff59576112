//! A command's way through the modes of a device: there, its lines one by one, what becomes of a candidate configuration, and back.
//!
//! Pure, like the machine: it is told how each step ended and says the next one. A line is typed only in the mode that it is meant
//! for. Where one fails, or leads out of the mode, the rest is not typed.

use std::collections::{BTreeSet, VecDeque};

use super::command::{State, warn_once};
use crate::limits::LEVELS_MAX;
use crate::plugin::device_type::SendName;
use crate::plugin::modes::{Act, Candidate, Modes, Way};
use crate::policy::approved::Approved;

/// What became of a candidate configuration: thrown away.
pub const DISCARDED: &str = "discarded";
/// What became of a candidate configuration: it stays there, neither in force nor thrown away.
pub const PENDING: &str = "pending";
/// What became of a candidate configuration: nobody knows, as its commit was stopped, or its line ended meanwhile.
pub const UNKNOWN: &str = "unknown";
/// What became of a candidate configuration: in force, and taken back unless it is confirmed.
pub const IN_FORCE_FOR_NOW: &str = "committed-for-now";

/// A word that is shortened to fewer letters may be another one.
const COMMIT_SHORTENED_MIN: usize = 3;

/// What is wanted of a candidate configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    /// Shown, checked and thrown away.
    #[default]
    Check,
    /// In force from now on.
    Now,
    /// In force for a time; the device takes it back unless it is confirmed.
    Confirmed,
    /// Confirms what is in force for a time.
    Confirm,
}

impl Keep {
    /// The words in a call, with what each needs of the device.
    const WORDS: [(&'static str, Self, Option<Act>); 4] = [
        ("check", Self::Check, None),
        ("now", Self::Now, Some(Act::Commit)),
        ("confirmed", Self::Confirmed, Some(Act::Confirmed)),
        ("confirm", Self::Confirm, Some(Act::Confirm)),
    ];

    /// What a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, ..)| *known == word).map(|(_, keep, _)| *keep)
    }

    /// Those that a device has.
    #[must_use]
    pub fn words(candidate: &Candidate) -> Vec<&'static str> {
        let has = |act: &Option<Act>| act.is_none_or(|act| candidate.acts.contains_key(&act));
        Self::WORDS.iter().filter(|(.., act)| has(act)).map(|(word, ..)| *word).collect()
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, keep, _)| *keep == self).map_or("check", |(word, ..)| word)
    }

    /// What is done when the lines are in.
    fn acts(self) -> &'static [Act] {
        match self {
            Self::Check => &[Act::Diff, Act::Check, Act::Discard],
            Self::Now => &[Act::Diff, Act::Commit],
            Self::Confirmed => &[Act::Diff, Act::Confirmed],
            Self::Confirm => &[Act::Confirm],
        }
    }
}

/// Where a command goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The ways there. A journey takes them.
    pub there: Vec<Way>,
    /// The mode that the lines are meant for; `None` is wherever they lead.
    pub mode: Option<String>,
    /// Where the session stands, and comes back to.
    pub home: String,
    /// What becomes of the candidate configuration, where there is one.
    pub keep: Option<(Keep, Candidate)>,
}

impl Route {
    /// The route to a mode.
    ///
    /// # Errors
    ///
    /// A sentence when the device has no such mode, no way leads there, or there is no such candidate.
    pub fn to(modes: &Modes, home: &str, name: &str, keep: Option<Keep>) -> Result<Self, String> {
        let known = || {
            let names: Vec<&str> = modes.names().into_iter().collect();
            if names.is_empty() {
                ": no ways between modes are known of this device type".to_owned()
            } else {
                format!("; modes: {}", names.join(", "))
            }
        };
        let mode = modes.resolve(name).ok_or_else(|| format!("there is no mode `{name}` here{}", known()))?;
        let there = modes.way(home, mode);
        let there = there.ok_or_else(|| format!("the session is in mode `{home}`, and no way is known from there to `{mode}`"))?;
        let candidate = modes.candidate.as_ref().filter(|candidate| candidate.mode == mode);
        let keep = match (keep, candidate) {
            (None, candidate) => candidate.map(|candidate| (Keep::default(), candidate.clone())),
            (Some(_), None) => return Err(no_candidate(name)),
            (Some(keep), Some(candidate)) => {
                let words = Keep::words(candidate);
                if !words.contains(&keep.word()) {
                    return Err(format!("this device type has no `commit={}`; it has: {}", keep.word(), words.join(", ")));
                }
                Some((keep, candidate.clone()))
            }
        };
        Ok(Self { there, mode: Some(mode.to_owned()), home: home.to_owned(), keep })
    }

    /// Lines that may lead anywhere.
    #[must_use]
    pub fn free(home: &str) -> Self {
        Self { there: Vec::new(), mode: None, home: home.to_owned(), keep: None }
    }

    /// The sends that put something in force, which policy judges like lines.
    pub fn judged_acts(&self) -> impl Iterator<Item = &SendName> {
        let acts = self.keep.iter().flat_map(|(keep, candidate)| keep.acts().iter().map(move |act| (act, candidate)));
        let acts = acts.filter(|(act, _)| act.puts_in_force());
        acts.filter_map(|(act, candidate)| candidate.acts.get(act))
    }

    /// The send that puts the candidate configuration in force.
    #[must_use]
    pub fn commit(&self) -> Option<&SendName> {
        self.keep.as_ref()?.1.acts.get(&Act::Commit)
    }

    /// Refuses a line that does by itself what `commit` says: what became of the candidate would not be known. `commit` is the
    /// line of the device's own command for it.
    ///
    /// # Errors
    ///
    /// A sentence that names the line and what to say instead.
    pub fn check_line(&self, commit: &str, line: &str) -> Result<(), String> {
        let Some((_, candidate)) = &self.keep else { return Ok(()) };
        let first = |text: &'_ str| text.split_whitespace().next().unwrap_or_default().to_owned();
        let (verb, word) = (first(commit), first(line));
        let shortened = word.len() >= COMMIT_SHORTENED_MIN && verb.starts_with(&word);
        if verb.is_empty() || !shortened && !word.starts_with(&verb) {
            return Ok(());
        }
        let line = line.trim();
        let words: Vec<&str> = Keep::words(candidate).into_iter().filter(|word| *word != "check").collect();
        Err(format!("leave `{line}` out of the lines: what becomes of them is said by the call's own `commit` ({})", words.join(", ")))
    }

    /// The send for an act, which stays that of the type that the route was made on.
    fn act(&self, act: Act) -> Option<Step> {
        let (_, candidate) = self.keep.as_ref()?;
        candidate.acts.get(&act).map(|send| Step::Act(act, send.clone()))
    }
}

fn no_candidate(name: &str) -> String {
    format!("this device type has no candidate configuration: in mode `{name}` each line is in force at once; leave `commit` out")
}

/// What to type next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A way to another mode.
    Go(Way),
    /// The caller's lines, up to the next prompt.
    Lines,
    /// An act on the candidate configuration, and the send for it.
    Act(Act, SendName),
}

/// How a step ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// How it ended.
    pub state: Option<State>,
    /// The mode of the prompt that ended it.
    pub mode: String,
    /// Exit status, where the device tells it.
    pub status: Option<i32>,
    /// It failed; why.
    pub failure: Option<String>,
    /// Lines typed.
    pub typed: usize,
    /// Its parts of the log.
    pub pieces: Vec<(u64, u64)>,
    /// Lines that were not typed.
    pub rest: VecDeque<Approved>,
}

/// A line that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Its number, from 1.
    pub number: usize,
    /// The line.
    pub line: String,
    /// What the device said.
    pub error: String,
}

/// What has come of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Lines typed.
    pub typed: usize,
    /// Lines in all.
    pub of: usize,
    /// Lines that failed.
    pub errors: Vec<LineError>,
    /// What became of the candidate configuration: `committed`, `committed-for-now`, `confirmed`, `discarded`, `pending`.
    pub candidate: Option<&'static str>,
    /// Each line that went through is in force at once: there is no candidate configuration.
    pub at_once: bool,
    /// Why it failed beside the lines.
    pub failure: Option<String>,
    /// What the caller should know.
    pub warnings: Vec<String>,
    /// The parts of the log that are its output.
    pub pieces: Vec<(u64, u64)>,
    /// Exit status of the last line, where the device tells it.
    pub status: Option<i32>,
    /// Somebody stopped it.
    pub interrupted: bool,
    /// The line ended meanwhile.
    pub lost: bool,
}

impl Outcome {
    /// Why it failed, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let line = self.errors.first().map(|error| format!("line {} of {}, `{}`: {}", error.number, self.of, error.line, error.error));
        match (line, &self.failure) {
            (Some(line), Some(failure)) => Some(format!("{line}; {failure}")),
            (line, failure) => line.or_else(|| failure.clone()),
        }
    }
}

#[derive(Debug)]
enum Stage {
    There(VecDeque<Way>),
    Lines,
    Acts(VecDeque<Act>),
    Back(VecDeque<Way>),
    Over,
}

/// A command on its way.
#[derive(Debug)]
pub struct Journey {
    route: Route,
    stage: Stage,
    lines: VecDeque<Approved>,
    texts: Vec<String>,
    /// Lines typed on the way back.
    left: usize,
    outcome: Outcome,
}

impl Journey {
    /// A command that is about to set out.
    #[must_use]
    pub fn new(mut route: Route, lines: VecDeque<Approved>) -> Self {
        let texts: Vec<String> = lines.iter().flat_map(Approved::lines).map(str::to_owned).collect();
        let at_once = route.mode.is_some() && route.keep.is_none();
        let outcome = Outcome { of: texts.len(), at_once, ..Outcome::default() };
        let there = std::mem::take(&mut route.there).into();
        Self { stage: Stage::There(there), route, lines, texts, left: 0, outcome }
    }

    /// What has come of it so far.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The caller's lines that are not typed yet.
    #[must_use]
    pub fn take_lines(&mut self) -> VecDeque<Approved> {
        std::mem::take(&mut self.lines)
    }

    /// The next line's text.
    #[must_use]
    pub fn next_text(&self) -> &str {
        self.texts.get(self.outcome.typed).map_or("", String::as_str)
    }

    /// What to type now, in this mode. `None`: it is over.
    pub fn next(&mut self, modes: &Modes, mode: &str) -> Option<Step> {
        loop {
            let (step, then) = match &mut self.stage {
                Stage::There(ways) => (ways.front().cloned().map(Step::Go), Stage::Lines),
                Stage::Lines => ((!self.lines.is_empty()).then_some(Step::Lines), Stage::Acts(self.acts(mode))),
                Stage::Acts(acts) => (acts.front().and_then(|act| self.route.act(*act)), Stage::Back(self.way_back(modes, mode))),
                Stage::Back(ways) => (ways.front().cloned().map(Step::Go), Stage::Over),
                Stage::Over => return None,
            };
            if step.is_some() {
                return step;
            }
            self.stage = then;
        }
    }

    /// Is what is typed now meant to leave things as they were: changes thrown away, the way back?
    #[must_use]
    pub fn is_clearing_away(&self) -> bool {
        match &self.stage {
            Stage::Back(_) => true,
            Stage::Acts(acts) => acts.front() == Some(&Act::Discard),
            Stage::There(_) | Stage::Lines | Stage::Over => false,
        }
    }

    /// Its caller's time is over: nothing is typed any more but what clears away.
    pub fn run_out(&mut self, modes: &Modes, mode: &str) {
        self.outcome.interrupted = true;
        self.lines.clear();
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::There(ways) => {
                let wanted = ways.back().map_or(mode, |way| way.to.as_str());
                self.outcome.failure = Some(format!("mode `{wanted}` was not reached in time, no line was typed"));
                self.stage = Stage::Back(self.way_back(modes, mode));
            }
            Stage::Lines => {
                self.note_untyped();
                self.stage = Stage::Acts(self.acts(mode));
            }
            Stage::Acts(_) => self.stage = Stage::Acts(self.clearing_away()),
            stage @ (Stage::Back(_) | Stage::Over) => self.stage = stage,
        }
    }

    /// The session takes no further line.
    pub fn give_up(&mut self) {
        if !self.outcome.lost && !matches!(self.stage, Stage::Over) {
            self.warn("the session did not come back to a prompt that takes a line; the rest was not typed");
        }
        self.stage = Stage::Over;
    }

    /// A person has stopped its caller's input: nothing more is typed for it, also not what clears away.
    pub fn stop(&mut self, mode: &str, why: &str) {
        self.outcome.interrupted = true;
        self.warn(why);
        if self.outcome.typed < self.outcome.of {
            self.note_untyped();
        }
        self.note_pending();
        if self.route.mode.is_some() && self.route.home != mode {
            self.warn(&format!("the session stays in mode `{mode}`: the way back was not typed either"));
        }
        self.lines.clear();
        self.stage = Stage::Over;
    }

    /// A step has ended.
    pub fn on_ended(&mut self, modes: &Modes, ended: Ended) {
        match ended.state {
            Some(State::Lost) => {
                self.outcome.lost = true;
                if matches!(&self.stage, Stage::Acts(acts) if acts.front().is_some_and(|act| act.puts_in_force())) {
                    self.outcome.candidate = Some(UNKNOWN);
                }
                self.outcome.pieces.extend(ended.pieces);
                self.stage = Stage::Over;
                return;
            }
            Some(State::Interrupted) => self.outcome.interrupted = true,
            _ => {}
        }
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::There(ways) => self.on_went(ways, ended, modes),
            Stage::Lines => self.on_lines(ended, modes),
            Stage::Acts(acts) => self.on_acted(acts, ended),
            Stage::Back(ways) => self.on_left(ways, &ended.mode),
            Stage::Over => {}
        }
    }

    /// Some devices leave one level of their configuration at a time.
    fn on_left(&mut self, mut ways: VecDeque<Way>, mode: &str) {
        self.left += 1;
        match ways.front() {
            Some(way) if way.to == mode => {
                ways.pop_front();
            }
            Some(way) if way.from == mode && self.left < LEVELS_MAX => {}
            _ => return self.stay(mode, "the way back", "did not work"),
        }
        self.stage = Stage::Back(ways);
    }

    fn on_went(&mut self, mut ways: VecDeque<Way>, ended: Ended, modes: &Modes) {
        let Some(way) = ways.pop_front() else { return };
        if way.to == ended.mode && !self.outcome.interrupted {
            self.stage = Stage::There(ways);
            return;
        }
        let why = ended.failure.unwrap_or_else(|| format!("the device is in mode `{}`", ended.mode));
        self.outcome.failure = Some(format!("mode `{}` was not reached, no line was typed: {why}", way.to));
        self.outcome.pieces.extend(ended.pieces);
        self.lines.clear();
        self.stage = Stage::Back(self.way_back(modes, &ended.mode));
    }

    fn on_lines(&mut self, ended: Ended, modes: &Modes) {
        self.outcome.pieces.extend(ended.pieces);
        self.outcome.status = ended.status;
        let before = self.outcome.typed;
        self.outcome.typed += ended.typed;
        let more = self.outcome.typed < self.outcome.of;
        let last = self.texts.get(self.outcome.typed.saturating_sub(1)).cloned().unwrap_or_default();
        let left = match &self.route.mode {
            Some(wanted) => (*wanted != ended.mode).then(|| format!("it led out of mode `{wanted}` to `{}`", ended.mode)),
            None => missed(modes, &last, &ended.mode),
        };
        let strict = self.route.mode.is_some();
        let left = left.filter(|_| more);
        let stops = ended.failure.is_some() && strict || left.is_some() || self.outcome.interrupted || ended.rest.is_empty();
        let error = ended.failure.or(left);
        if let Some(error) = error {
            let number = if self.outcome.typed > before + 1 { before + 1 } else { self.outcome.typed };
            let line = self.texts.get(number.saturating_sub(1)).cloned().unwrap_or_default();
            self.outcome.errors.push(LineError { number, line, error });
        }
        if stops && more {
            self.note_untyped();
        }
        self.lines = if stops { VecDeque::new() } else { ended.rest };
        self.stage = Stage::Lines;
    }

    fn note_untyped(&mut self) {
        self.warn(&format!("{} of {} lines were typed, the rest was not", self.outcome.typed, self.outcome.of));
    }

    fn on_acted(&mut self, mut acts: VecDeque<Act>, ended: Ended) {
        let Some(act) = acts.pop_front() else { return };
        self.outcome.pieces.extend(ended.pieces);
        if ended.failure.is_none() && ended.state != Some(State::Interrupted) {
            self.outcome.candidate = match act {
                _ if self.outcome.candidate == Some(UNKNOWN) => Some(UNKNOWN),
                Act::Commit => Some("committed"),
                Act::Confirmed => Some(IN_FORCE_FOR_NOW),
                Act::Confirm => Some("confirmed"),
                Act::Discard => Some(DISCARDED),
                Act::Diff | Act::Check => self.outcome.candidate,
            };
            self.stage = Stage::Acts(acts);
            return;
        }
        // A device that was told to stop may have gone on to the end.
        if act.puts_in_force() && ended.state == Some(State::Interrupted) {
            self.outcome.candidate = Some(UNKNOWN);
        }
        let why = ended.failure.unwrap_or_else(|| "it was stopped".to_owned());
        let what = match act {
            Act::Diff => "the difference could not be shown",
            Act::Check => "the check failed",
            Act::Commit | Act::Confirmed => "the commit failed",
            Act::Confirm => "the commit could not be confirmed",
            Act::Discard => "the changes could not be discarded",
        };
        self.outcome.failure.get_or_insert_with(|| format!("{what}: {why}"));
        self.stage = Stage::Acts(if act == Act::Discard { VecDeque::new() } else { self.clearing_away() });
    }

    /// What is done with the candidate configuration when the lines are in.
    fn acts(&self, mode: &str) -> VecDeque<Act> {
        let Some((keep, candidate)) = &self.route.keep else { return VecDeque::new() };
        // A line that committed and left has taken care of it; nothing was typed where nothing is to keep.
        if candidate.mode != mode || self.outcome.of == 0 && *keep == Keep::Check {
            return VecDeque::new();
        }
        let failed = !self.outcome.errors.is_empty() || self.outcome.interrupted;
        if failed { self.clearing_away() } else { self.only(keep.acts()) }
    }

    /// What is done where it is not to be kept.
    fn clearing_away(&self) -> VecDeque<Act> {
        // Who only confirms has put nothing in. What is in force for a time stays there until the device takes it back.
        let only_confirms = self.outcome.of == 0 && matches!(self.route.keep, Some((Keep::Confirm, _)));
        if only_confirms { VecDeque::new() } else { self.only(&[Act::Discard]) }
    }

    fn only(&self, wanted: &[Act]) -> VecDeque<Act> {
        let has = |act: &Act| self.route.keep.as_ref().is_some_and(|(_, candidate)| candidate.acts.contains_key(act));
        wanted.iter().copied().filter(has).collect()
    }

    /// The way back to where the session stood.
    fn way_back(&mut self, modes: &Modes, mode: &str) -> VecDeque<Way> {
        self.note_pending();
        if self.route.mode.is_none() {
            // Lines that may lead anywhere stay where they led.
            return VecDeque::new();
        }
        let way = modes.way(mode, &self.route.home);
        if way.is_none() {
            self.stay(mode, "no way back", "is known");
        }
        way.unwrap_or_default().into()
    }

    fn note_pending(&mut self) {
        if self.route.keep.is_some() && self.outcome.candidate.is_none() && self.outcome.typed > 0 {
            self.outcome.candidate = Some(PENDING);
        }
    }

    fn stay(&mut self, mode: &str, way: &str, what: &str) {
        self.warn(&format!("the session stays in mode `{mode}`: {way} to `{}` {what}", self.route.home));
    }

    /// Adds something that the caller should know, once.
    fn warn(&mut self, text: &str) {
        warn_once(&mut self.outcome.warnings, text);
    }
}

/// Did a line that is a way to another mode not lead there?
fn missed(modes: &Modes, line: &str, mode: &str) -> Option<String> {
    let targets: BTreeSet<&str> = modes.led_to(line).collect();
    (!targets.is_empty() && !targets.contains(mode)).then(|| {
        let wanted: Vec<&str> = targets.into_iter().collect();
        format!("it did not lead to mode `{}`, the device is in mode `{mode}`", wanted.join("` or `"))
    })
}

#[cfg(test)]
mod tests;
