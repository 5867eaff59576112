//! Random moments of a session: no call may trap, break the contract or take long, and all must repeat.

use std::sync::Arc;

use fastrand::Rng;

use super::calls::{Answers, Case, Costs, ask_all, breaches, concerns};
use super::grown::Grown;
use super::measure;
use super::recordings::Played;
use super::report::{Check, Report};
use super::subject::{Subject, runtime};
use super::{Wanted, rows, words};
use crate::limits::{
    KIT_CALL_MAX, KIT_CALL_TRIES, KIT_MEMORY_MAX_BYTES, MEMO_MAX_BYTES, VIEW_COMMAND_MAX_BYTES, VIEW_RECENT_MAX_BYTES, VIEW_TAIL_MAX_BYTES,
};
use crate::plugin::bindings::jackfield::plugin::types::PromptReport;
use crate::plugin::load::{Call, Plugin};
use crate::plugin::manifest::Role;
use crate::plugin::roles::{Phase, Reading, Step, View};
use crate::recording::Entry;
use crate::replay::told::row;
use crate::terminal::text::{first_bytes, last_bytes};

/// One view of so many is also shown to an instance that has seen nothing: starting one takes as long as many calls.
const FRESH_EVERY: u32 = 50;
/// Ends of rows that prompts, pagers and questions have.
const ENDS: [&str; 12] = ["#", ">", "$ ", "% ", ": ", "? ", "]", ")", "> ", "# ", "…", ""];
/// Characters that plugins find hard.
const ALPHABET: &str = "abcXYZ019 #>$%:()[]{}<>@~/\\-_.,;'\"`|&*+=?!\t\u{1b}äé日🦀\u{200b}\u{202e}\u{fffd}";

/// The nonce of the sessions that the views are of.
pub const NONCE: &str = "0123456789abcdef";

/// Makes views.
#[derive(Debug)]
pub struct Views {
    random: Rng,
    rows: Vec<String>,
    grown: Grown,
    commands: Vec<String>,
    /// Memos that the plugin returned: its own words, met at the wrong time.
    memos: Vec<Vec<u8>>,
    modes: Vec<String>,
    secrets: Vec<String>,
    kinds: Vec<String>,
    goals: Vec<String>,
}

impl Views {
    /// From the kit's rows and lines, and those of the recordings.
    #[must_use]
    pub fn new(plugin: &Plugin, played: &[Played], seed: u64) -> Self {
        let mut rows = rows::all();
        rows.extend(played.iter().flat_map(|one| super::recordings::rows(&one.recording)));
        let mut commands = rows::commands();
        let recorded = played.iter().flat_map(|one| &one.recording.entries);
        commands.extend(recorded.filter_map(|entry| if let Entry::Run(line) = entry { Some(line.clone()) } else { None }));
        let mut modes = ["", "exec", "shell", "config"].map(str::to_owned).to_vec();
        modes.extend(plugin.manifest.modes.values().cloned());
        modes.extend(plugin.manifest.transitions.iter().map(|transition| transition.to.clone()));
        Self {
            random: Rng::with_seed(seed),
            rows,
            grown: Grown::new(plugin, played),
            commands,
            memos: vec![Vec::new()],
            modes,
            secrets: plugin.manifest.secrets.clone(),
            kinds: plugin.manifest.types.iter().cloned().chain(["linux".to_owned()]).collect(),
            goals: vec!["login".to_owned(), "of tomorrow".to_owned()],
        }
    }

    /// Remembers what the plugin said, for later views.
    pub fn learn(&mut self, answers: &Answers) {
        let memos = [answers.prompt.as_ref().map(|report| &report.memo), answers.next.as_ref().map(|report| &report.memo)];
        for memo in memos.into_iter().flatten() {
            if !self.memos.contains(memo) && self.memos.len() < 64 {
                self.memos.push(memo.clone());
            }
        }
        if let Some(PromptReport { reading: Reading::Ready(ready), .. }) = &answers.prompt
            && !self.modes.contains(&ready.mode)
            && self.modes.len() < 64
        {
            self.modes.push(ready.mode.clone());
        }
        for goal in answers.goals.iter().flatten().chain(answers.claim.iter().flatten()) {
            if !self.goals.contains(goal) && self.goals.len() < 16 {
                self.goals.push(goal.clone());
            }
        }
    }

    fn pick(&mut self, list: fn(&Self) -> &Vec<String>) -> String {
        let count = list(self).len();
        let at = self.random.usize(..count.max(1));
        list(self).get(at).cloned().unwrap_or_default()
    }

    fn noise(&mut self, most: usize) -> String {
        let letters: Vec<char> = ALPHABET.chars().collect();
        let length = self.random.usize(..=most);
        (0..length).filter_map(|_| letters.get(self.random.usize(..letters.len())).copied()).collect()
    }

    /// A row of the plugin's own kind, so many times of four; else any.
    fn own_row(&mut self, times: u8) -> String {
        let own = self.random.u8(..4) < times;
        own.then(|| self.grown.row(&mut self.random)).flatten().unwrap_or_else(|| self.row())
    }

    fn row(&mut self) -> String {
        let row = self.pick(|views| &views.rows);
        let end = ENDS.get(self.random.usize(..ENDS.len())).copied().unwrap_or_default();
        match self.random.u8(..10) {
            0..4 => row,
            4..6 => row.chars().take(self.random.usize(..=row.chars().count())).collect(),
            6 => row + end,
            7 => self.noise(40) + end,
            8 => self.noise(200),
            _ => row.repeat(1 + self.random.usize(..40)),
        }
    }

    /// A moment.
    pub fn moment(&mut self) -> Case {
        let recent: Vec<String> = (0..self.random.usize(..6)).map(|_| self.own_row(1)).collect();
        let command = match self.random.u8(..6) {
            0 => self.noise(120),
            _ => self.pick(|views| &views.commands),
        };
        let phases = [Phase::Login, Phase::Setup, Phase::Idle, Phase::Running, Phase::Goal];
        let phase = phases.get(self.random.usize(..phases.len())).copied().unwrap_or(Phase::Running);
        let marks = ["A", "B", "C", "D;0", "D;1", "D;x;y", "", "P;k=v"].map(str::to_owned);
        let marks = (0..self.random.usize(..4)).filter_map(|_| marks.get(self.random.usize(..marks.len())).cloned()).collect();
        let tail = self.own_row(2);
        let tail = last_bytes(&tail, VIEW_TAIL_MAX_BYTES).to_owned();
        let view = View {
            revision: 0,
            rows_done: 0,
            bytes_since_send: if self.random.bool() { tail.len() as u64 } else { self.random.u64(..10_000) },
            recent: last_bytes(&recent.join("\n"), VIEW_RECENT_MAX_BYTES).to_owned(),
            marks,
            phase,
            prompt: if self.random.bool() { Some(last_bytes(&self.own_row(2), VIEW_TAIL_MAX_BYTES).to_owned()) } else { None },
            mode: self.pick(|views| &views.modes),
            command: if self.random.bool() { first_bytes(&command, VIEW_COMMAND_MAX_BYTES).to_owned() } else { String::new() },
            echoed: self.random.u8(..4) > 0,
            quiet_ms: self.random.u32(..5_000),
            settle_ms: self.random.u32(1..1_000),
            goal: (phase == Phase::Goal).then(|| self.pick(|views| &views.goals)),
            facts: self.facts(),
            tail,
        };
        let memo = match self.random.u8(..4) {
            0 => (0..self.random.usize(..=MEMO_MAX_BYTES)).map(|_| self.random.u8(..)).collect(),
            _ => self.memos.get(self.random.usize(..self.memos.len())).cloned().unwrap_or_default(),
        };
        let policies = [("read-only", "query"), ("safe", "run"), ("full", "run"), ("safe", "send"), ("full", "query")];
        let policy = policies.get(self.random.usize(..policies.len())).copied().unwrap_or(("safe", "run"));
        Case { view, memo, command, policy, goal: self.pick(|views| &views.goals) }
    }

    fn facts(&mut self) -> Vec<(&'static str, Arc<str>)> {
        let missing = if self.random.bool() { self.secrets.join(",") } else { String::new() };
        let mut facts = vec![
            ("nonce", NONCE.into()),
            ("device-type", self.pick(|views| &views.kinds).into()),
            ("user", "admin".into()),
            ("missing-secrets", missing.into()),
        ];
        for (name, value) in [
            ("proof", "mark"),
            ("bracketed-paste", "on"),
            ("screen", "alternate"),
            ("interrupted", "yes"),
            ("cursor-keys", "application"),
            ("shown", "screen"),
        ] {
            if self.random.u8(..8) == 0 {
                facts.push((name, value.into()));
            }
        }
        facts
    }
}

/// Shows so many views to the plugin: traps and breaches, purity, times, memory.
///
/// # Errors
///
/// When no runtime or instance can be had.
pub fn checks(subject: &Subject, played: &[Played], wanted: &Wanted, report: &mut Report) -> Result<Vec<Check>, String> {
    let mut traps = Check::new("random views", "no view makes a call trap, run late or break the contract");
    let mut pure = Check::new("purity", "a call repeats: the same answer from a used and from a fresh instance");
    let mut memory = Check::new("memory", "instances stay within the memory that the kit allows");
    if wanted.views == 0 {
        let none = |name| Check::not_tested(name, "no random views were wanted");
        return Ok(["random views", "purity", "times", "memory"].map(none).to_vec());
    }
    let mut costs = Costs::new();
    let each = wanted.views.div_ceil(u32::try_from(subject.loaded.len()).unwrap_or(1).max(1));
    for plugin in &subject.loaded {
        let mut trial = Trial {
            plugin,
            views: Views::new(plugin, played, wanted.seed),
            costs: &mut costs,
            traps: &mut traps,
            pure: &mut pure,
            report,
            peak: 0,
        };
        runtime()?.block_on(trial.run(each))?;
        let peak = trial.peak;
        report.views += each;
        report.memory_bytes = report.memory_bytes.max(peak);
        let within = if peak <= KIT_MEMORY_MAX_BYTES {
            Ok(())
        } else {
            Err(format!("an instance took {peak} bytes, the kit allows {KIT_MEMORY_MAX_BYTES}"))
        };
        memory.case(within);
    }
    report.times = measure::figures(&costs);
    let mut times = Check::new("times", "99 of 100 calls take less than a millisecond");
    for figures in &report.times {
        let most = u64::try_from(KIT_CALL_MAX.as_nanos()).unwrap_or(u64::MAX);
        let slow =
            format!("{}: 99 of 100 calls take up to {} µs, at most {} are allowed", figures.function, figures.p99 / 1000, most / 1000);
        times.case(if figures.p99 <= most { Ok(()) } else { Err(slow) });
    }
    let none = "no call that was tried was answered";
    let (pure, times) = (pure.or_not_tested(none), times.or_not_tested(none));
    Ok([Some(traps), reached(subject, report), Some(pure), Some(times), Some(memory)].into_iter().flatten().collect())
}

/// Roles that are shown views, and their words.
const VIEWERS: [(Role, &str); 3] = [(Role::Prompt, "prompt"), (Role::Pager, "pager"), (Role::Dialog, "dialog")];

/// Was every role really asked? Nothing, where none is shown views.
fn reached(subject: &Subject, report: &Report) -> Option<Check> {
    let mut check = Check::new("roles reached", "every role that is shown views was asked about some that concern it");
    for (_, role) in VIEWERS.into_iter().filter(|(_, role)| subject.has(role)) {
        if !report.reached.iter().any(|reached| reached.role == role) {
            let why = format!("no random view reached `{role}`: what its triggers match, their vetoes exclude");
            return Some(Check::not_tested("roles reached", &why));
        }
        check.case(Ok(()));
    }
    (check.cases > 0).then_some(check)
}

/// Had the role something to say?
fn answered(role: Role, answers: &Answers) -> bool {
    match role {
        Role::Prompt => answers.prompt.as_ref().is_some_and(|report| matches!(report.reading, Reading::Ready(_))),
        Role::Pager => matches!(answers.page, Some(Some(_))),
        Role::Dialog => {
            let steps = answers.next.as_ref().is_some_and(|report| !matches!(report.step, Step::Wait));
            steps || matches!(answers.asking, Some(Some(_)))
        }
    }
}

/// One plugin and its views.
struct Trial<'a> {
    plugin: &'a Plugin,
    views: Views,
    costs: &'a mut Costs,
    traps: &'a mut Check,
    pure: &'a mut Check,
    report: &'a mut Report,
    peak: usize,
}

impl Trial<'_> {
    async fn run(&mut self, count: u32) -> Result<(), String> {
        let mut used = self.instance().await?;
        for number in 0..count {
            let case = self.views.moment();
            let before = self.costs.len();
            let asked = ask_all(self.plugin, &mut used, &case, self.costs).await;
            self.peak = self.peak.max(used.instance.memory_bytes());
            match asked {
                Ok(answers) => {
                    for (role, word) in VIEWERS.into_iter().filter(|(_, word)| self.plugin.has(word)) {
                        if concerns(self.plugin, role, &case.view.tail) {
                            self.report.reach(word, answered(role, &answers));
                        }
                    }
                    let wrong = breaches(&self.plugin.manifest, &case, &answers);
                    self.traps.case(wrong.first().map_or(Ok(()), |wrong| Err(told(wrong, &case))));
                    self.again(&mut used, &case, before).await?;
                    if number.is_multiple_of(FRESH_EVERY) {
                        self.repeat(&mut used, &case, &answers).await?;
                    }
                    self.views.learn(&answers);
                }
                Err(fault) => {
                    self.traps.case(Err(told(&fault, &case)));
                    used = self.instance().await?;
                }
            }
        }
        Ok(())
    }

    async fn instance(&self) -> Result<Call, String> {
        self.plugin.trial().await.map_err(|fault| fault.to_string())
    }

    /// A call that took long is tried again: the machine may have done something else, and the least is what it costs.
    async fn again(&mut self, used: &mut Call, case: &Case, from: usize) -> Result<(), String> {
        let most = u64::try_from(KIT_CALL_MAX.as_nanos()).unwrap_or(u64::MAX);
        for _ in 0..KIT_CALL_TRIES {
            if self.costs.iter().skip(from).all(|(_, cost)| *cost <= most) {
                break;
            }
            let mut second = Costs::new();
            ask_all(self.plugin, used, case, &mut second).await?;
            for ((_, first), (_, second)) in self.costs.iter_mut().skip(from).zip(second) {
                *first = (*first).min(second);
            }
        }
        Ok(())
    }

    async fn repeat(&mut self, used: &mut Call, case: &Case, first: &Answers) -> Result<(), String> {
        let mut nothing = Costs::new();
        let again = ask_all(self.plugin, used, case, &mut nothing).await;
        let mut new = self.instance().await?;
        let fresh = ask_all(self.plugin, &mut new, case, &mut nothing).await;
        for (whose, answers) in [("the same instance", again), ("a fresh instance", fresh)] {
            let wrong = match answers {
                Ok(answers) if answers == *first => None,
                Ok(answers) => Some(words::difference(first, &answers)),
                Err(fault) => Some(format!("fails: {fault}")),
            };
            self.pure.case(wrong.map_or(Ok(()), |wrong| Err(told(&format!("{whose} {wrong}"), case))));
        }
        Ok(())
    }
}

/// What is wrong, and where.
fn told(wrong: &str, case: &Case) -> String {
    let (tail, command) = (row(&case.view.tail), row(&case.command));
    format!("{wrong}, at the row {tail} with the command {command} in phase `{}`", case.view.phase.word())
}
