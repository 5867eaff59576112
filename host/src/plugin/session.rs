//! The plugins of one session: who is asked what, in which order, and what each wants to remember.

use std::sync::Arc;

use super::answer::{self, LOGIN};
use super::bindings::jackfield::plugin::types::DialogReport;
use super::device_type::DeviceType;
use super::fault::Fault;
use super::load::{Plugin, call_plugin};
use super::manifest::Role;
use super::roles::{Decision, Effect, Exchange, Failure, Hit, Lane, Page, Phase, Question, Reading, Ready, Request, Step, View};
use super::triggers::LastRow;
use crate::limits::{LOGIN_SENDS_MAX, PAGES_WITHOUT_ROW_MAX, PLUGIN_DECIDE_MAX, PLUGIN_INSPECT_MAX};
use crate::session::view::{Readings, Stepping};

/// The plugins of one session and their memos.
#[derive(Debug)]
pub struct SessionPlugins {
    kind: Arc<DeviceType>,
    prompt_memos: Memos,
    dialog_memos: Memos,
    /// What the row hit that each plugin of the type was shown last.
    last_rows: Vec<LastRow>,
    /// Plugin whose goal runs.
    goal_owner: Option<String>,
    /// Plugin that read the last prompt.
    prompt_owner: Option<String>,
    /// What failed and nobody was told yet.
    untold: Option<String>,
    paging: Paging,
    /// Lines typed for dialogs before the first prompt.
    login_sends: u32,
}

/// Pages turned that brought no row.
#[derive(Debug, Default)]
struct Paging {
    without_row: u32,
    rows_done: u64,
    /// It turned too many: it is not asked again before the next command.
    stopped: Option<String>,
}

impl Paging {
    fn count(&mut self, rows_done: u64) -> u32 {
        self.without_row = if rows_done == self.rows_done { self.without_row + 1 } else { 0 };
        self.rows_done = rows_done;
        self.without_row
    }
}

/// What each plugin wants to remember of one role, by its name. There are few.
#[derive(Debug, Default)]
struct Memos(Vec<(String, Vec<u8>)>);

impl Memos {
    fn of(&self, plugin: &Plugin) -> &[u8] {
        self.0.iter().find(|(name, _)| name == plugin.name()).map_or(&[], |(_, memo)| memo)
    }

    fn keep(&mut self, plugin: &Plugin, memo: Vec<u8>) {
        match self.0.iter_mut().find(|(name, _)| name == plugin.name()) {
            Some((_, kept)) => *kept = memo,
            None => self.0.push((plugin.name().to_owned(), memo)),
        }
    }
}

/// A plugin's hits on the present row.
struct Asked<'a> {
    plugin: &'a Arc<Plugin>,
    hits: Vec<Hit<'a>>,
}

impl Asked<'_> {
    fn concerns(&self, role: Role, tail: &str) -> bool {
        self.plugin.triggers.concern(role, &self.hits, tail)
    }
}

impl SessionPlugins {
    /// With empty memos.
    #[must_use]
    pub fn new(kind: Arc<DeviceType>) -> Self {
        let last_rows = kind.plugins.iter().map(|_| LastRow::default()).collect();
        Self {
            kind,
            prompt_memos: Memos::default(),
            dialog_memos: Memos::default(),
            last_rows,
            goal_owner: None,
            prompt_owner: None,
            untold: None,
            paging: Paging::default(),
            login_sends: 0,
        }
    }

    /// The device type.
    #[must_use]
    pub fn kind(&self) -> &Arc<DeviceType> {
        &self.kind
    }

    /// A fault of a role that nobody stands in for: the next answer says what is missing.
    fn note(&mut self, fault: &Fault, missing: &str) {
        self.untold = Some(format!("degraded: {fault}; {missing}"));
    }

    /// Which goal does this line start? The goal's owner is remembered, its memo starts empty.
    pub async fn claim(&mut self, command: &str, mode: &str) -> Option<String> {
        self.goal_owner = None;
        self.paging = Paging::default();
        let kind = Arc::clone(&self.kind);
        for plugin in kind.plugins.iter().filter(|plugin| plugin.has("dialog")) {
            match claimed(plugin, command, mode).await {
                Ok(Some(goal)) => {
                    self.goal_owner = Some(plugin.name().to_owned());
                    self.dialog_memos.keep(plugin, Vec::new());
                    return Some(goal);
                }
                Ok(None) => {}
                Err(fault) => self.note(&fault, "its dialogs are not carried through"),
            }
        }
        None
    }

    /// Shows the view to those whom it concerns; the first claim ends the round.
    pub async fn ask(&mut self, view: &View) -> Readings {
        let kind = Arc::clone(&self.kind);
        let plugins = kind.plugins.iter().zip(&mut self.last_rows);
        let asked: Vec<Asked<'_>> =
            plugins.map(|(plugin, last)| Asked { plugin, hits: plugin.triggers.hits_again(&view.tail, last) }).collect();
        let mut readings = Readings { revision: view.revision, ..Readings::default() };
        self.round(view, &asked, &mut readings).await;
        if matches!(view.phase, Phase::Running | Phase::Goal) && readings.degraded.is_none() {
            readings.degraded = self.untold.take();
        }
        readings
    }

    async fn round(&mut self, view: &View, asked: &[Asked<'_>], readings: &mut Readings) {
        readings.step = self.step(view, asked).await;
        if readings.step.is_some() {
            return;
        }
        match self.page(view, asked).await {
            Ok(page) => readings.page = page,
            Err(fault) => self.note(&fault, "no key is pressed for it"),
        }
        if readings.page.is_some() {
            return;
        }
        // What only reads like a question may be the prompt of a device that another plugin knows.
        let stand_in = stand_in(asked).map(|one| one.plugin.name());
        let (last, others): (Vec<_>, Vec<_>) =
            asked.iter().filter(|one| one.concerns(Role::Dialog, &view.tail)).partition(|one| Some(one.plugin.name()) == stand_in);
        readings.question = self.question(view, &others).await;
        if readings.question.is_some() {
            return;
        }
        let (prompt, degraded) = self.prompt(view, asked).await;
        if matches!(prompt, None | Some(Reading::NotYet)) {
            readings.guess = self.question(view, &last).await;
        }
        if let (Some(Reading::Ready(ready)), Phase::Goal) = (&prompt, view.phase) {
            readings.step = self.step_at_prompt(view, ready, asked).await;
        }
        let doubtful = |one: &Asked<'_>| one.hits.iter().any(|hit| matches!(hit.role, Role::Pager | Role::Dialog));
        readings.unsure = asked.iter().any(doubtful);
        readings.prompt = prompt;
        readings.degraded = degraded;
    }

    async fn question(&mut self, view: &View, asked: &[&Asked<'_>]) -> Option<Question> {
        question(view, asked.iter().copied()).await.unwrap_or_else(|fault| {
            self.note(&fault, "whether the device asks something is not known");
            None
        })
    }

    /// The running goal's owner, or during login everybody with such a goal, when the row concerns him.
    async fn step(&mut self, view: &View, asked: &[Asked<'_>]) -> Option<Stepping> {
        let goal = match (&view.goal, view.phase) {
            (Some(goal), _) => goal.clone(),
            (None, Phase::Login) => LOGIN.to_owned(),
            _ => return None,
        };
        for one in asked.iter().filter(|one| one.plugin.has("dialog") && one.concerns(Role::Dialog, &view.tail)) {
            let owns = match view.phase {
                Phase::Login => self.has_login_goal(one.plugin).await,
                _ => self.goal_owner.as_deref() == Some(one.plugin.name()),
            };
            if owns && let Some(stepping) = self.next(one, &goal, view).await {
                return Some(stepping);
            }
        }
        None
    }

    async fn has_login_goal(&self, plugin: &Plugin) -> bool {
        plugin.goals().await.is_ok_and(|goals| goals.iter().any(|goal| goal == LOGIN))
    }

    /// The accepted prompt is shown to the goal's owner before it ends the command.
    async fn step_at_prompt(&mut self, view: &View, ready: &Ready, asked: &[Asked<'_>]) -> Option<Stepping> {
        let owner = self.goal_owner.clone()?;
        let goal = view.goal.clone()?;
        let mut view = view.clone();
        view.prompt = Some(ready.prompt.clone());
        view.mode.clone_from(&ready.mode);
        let one = asked.iter().find(|one| one.plugin.name() == owner)?;
        self.next(one, &goal, &view).await
    }

    /// `None` is "wait", or a fault: then no key is pressed and no secret typed.
    async fn next(&mut self, one: &Asked<'_>, goal: &str, view: &View) -> Option<Stepping> {
        let plugin = one.plugin;
        let stepping = |step, strip, is_fault| Stepping { plugin: plugin.name().to_owned(), step, strip, is_fault };
        let lists = view.lists(&one.hits);
        let shown = view.shown(&lists, self.dialog_memos.of(plugin));
        let report =
            call_plugin!(plugin, "dialog.next", PLUGIN_INSPECT_MAX, dialog, |dialog, store| dialog.call_next(store, goal, shown.clone()));
        let checked = report.and_then(|report| {
            let checked = answer::check_dialog(&plugin.manifest, &plugin.secrets, view.phase, &report);
            answer::allowed(plugin, "dialog.next", checked)?;
            self.count_login_send(plugin, view.phase, &report.step)?;
            Ok(DialogReport { step: answer::step(report.step), ..report })
        });
        match checked {
            // Before the first prompt there is nothing to give up: the others are asked.
            Ok(DialogReport { step: Step::Failed(_), .. }) if view.phase == Phase::Login => None,
            Err(fault) if view.phase == Phase::Login => {
                self.note(&fault, "the dialogs before the first prompt were left to others");
                None
            }
            Ok(report) => {
                self.dialog_memos.keep(plugin, report.memo);
                (report.step != Step::Wait).then(|| stepping(report.step, report.strip, false))
            }
            Err(fault) => Some(stepping(Step::Failed(format!("{fault}; the dialog was given up")), String::new(), true)),
        }
    }

    fn count_login_send(&mut self, plugin: &Plugin, phase: Phase, step: &Step) -> Result<(), Fault> {
        if phase != Phase::Login || !matches!(step, Step::Send(_)) {
            return Ok(());
        }
        self.login_sends += 1;
        if self.login_sends <= LOGIN_SENDS_MAX {
            return Ok(());
        }
        Err(plugin.broke_contract("dialog.next", format!("it typed {LOGIN_SENDS_MAX} times before the first prompt")))
    }

    /// Which pager waits? A plugin that goes on turning pages that bring no row is not believed any more.
    async fn page(&mut self, view: &View, asked: &[Asked<'_>]) -> Result<Option<(String, Page)>, Fault> {
        let mut failed = Ok(None);
        for one in asked.iter().filter(|one| one.plugin.has("pager") && one.concerns(Role::Pager, &view.tail)) {
            let plugin = one.plugin;
            if self.paging.stopped.as_deref() == Some(plugin.name()) {
                continue;
            }
            let lists = view.lists(&one.hits);
            let shown = view.shown(&lists, &[]);
            let page =
                call_plugin!(plugin, "pager.inspect", PLUGIN_INSPECT_MAX, pager, |pager, store| pager.call_inspect(store, shown.clone()));
            let allowed = |page: &Page| answer::allowed(plugin, "pager.inspect", answer::check_page(&plugin.manifest, page));
            match page.and_then(|page| page.iter().try_for_each(allowed).map(|()| page)) {
                Ok(None) => {}
                Ok(Some(page)) if self.paging.count(view.rows_done) <= PAGES_WITHOUT_ROW_MAX => {
                    return Ok(Some((plugin.name().to_owned(), page)));
                }
                Ok(Some(_)) => {
                    self.paging.stopped = Some(plugin.name().to_owned());
                    let what = format!("it turned {PAGES_WITHOUT_ROW_MAX} pages that brought no row");
                    failed = Err(plugin.broke_contract("pager.inspect", what));
                }
                Err(fault) => failed = Err(fault),
            }
        }
        failed
    }

    /// The first prompt plugin that has something to say reads the prompt. The last of several only stands in for one that fails.
    async fn prompt(&mut self, view: &View, asked: &[Asked<'_>]) -> (Option<Reading>, Option<String>) {
        let readers = || asked.iter().filter(|one| one.plugin.has("prompt"));
        let stand_in = stand_in(asked);
        let first = readers().count() - usize::from(stand_in.is_some());
        let mut said = None;
        for one in readers().take(first).filter(|one| !view.marks.is_empty() || one.concerns(Role::Prompt, &view.tail)) {
            match self.inspect(one, view).await {
                Ok(Reading::NotYet) => said = Some(Reading::NotYet),
                Ok(reading) => return (Some(reading), None),
                Err(fault) => return self.stand_in(view, stand_in, &fault).await,
            }
        }
        (said, None)
    }

    async fn stand_in(&mut self, view: &View, last: Option<&Asked<'_>>, fault: &Fault) -> (Option<Reading>, Option<String>) {
        let degraded = |stand_in: &str| Some(format!("degraded: {fault}; {stand_in}"));
        let Some(last) = last else { return (None, degraded("nothing else can read this prompt")) };
        match self.inspect(last, view).await {
            Ok(reading) => (Some(reading), degraded(&format!("`{}` reads the prompt instead", last.plugin.name()))),
            Err(second) => (None, degraded(&second.to_string())),
        }
    }

    async fn inspect(&mut self, one: &Asked<'_>, view: &View) -> Result<Reading, Fault> {
        let plugin = one.plugin;
        let lists = view.lists(&one.hits);
        let shown = view.shown(&lists, self.prompt_memos.of(plugin));
        let report =
            call_plugin!(plugin, "prompt.inspect", PLUGIN_INSPECT_MAX, prompt, |prompt, store| prompt.call_inspect(store, shown.clone()))?;
        answer::allowed(plugin, "prompt.inspect", answer::check_prompt(view, &report))?;
        let reading = answer::reading(report.reading);
        self.prompt_memos.keep(plugin, report.memo);
        if matches!(reading, Reading::Ready(_)) && self.prompt_owner.as_deref() != Some(plugin.name()) {
            self.prompt_owner = Some(plugin.name().to_owned());
        }
        Ok(reading)
    }

    /// The question on the screen of a full-screen program: whoever knows dialogs is shown it, the first claim counts.
    pub async fn ask_screen(&self, view: &View) -> Option<Question> {
        let asked: Vec<Asked<'_>> = all(&self.kind, view).collect();
        question(view, asked.iter()).await.unwrap_or_default()
    }

    /// What the plugin that read the prompt wants typed there: the sends' plugin and names.
    pub async fn prepare(&mut self, view: &View, ready: &Ready) -> Vec<(String, String)> {
        let kind = Arc::clone(&self.kind);
        let Some(plugin) = kind.plugins.iter().find(|plugin| self.prompt_owner.as_deref() == Some(plugin.name())) else {
            return Vec::new();
        };
        let hits = plugin.triggers.hits(&view.tail);
        let lists = view.lists(&hits);
        let shown = view.shown(&lists, self.prompt_memos.of(plugin));
        let sends = call_plugin!(plugin, "prompt.prepare", PLUGIN_INSPECT_MAX, prompt, |prompt, store| prompt.call_prepare(
            store,
            ready,
            shown.clone()
        ));
        let sends = sends.and_then(|sends| {
            answer::allowed(plugin, "prompt.prepare", answer::check_prepared(&plugin.manifest, &sends))?;
            Ok(sends)
        });
        match sends {
            Ok(sends) => sends.into_iter().map(|name| (plugin.name().to_owned(), name)).collect(),
            Err(fault) => {
                self.note(&fault, "what it types after login was not typed");
                Vec::new()
            }
        }
    }

    /// Did a command fail that has no exit status to say so? The manifests' texts come before the plugins' own judgement. With what
    /// the caller should know when a plugin that may have known it failed.
    pub async fn judge(&self, exchange: &Exchange<'_>) -> (Option<Failure>, Option<String>) {
        if let Some(failure) = self.kind.plugins.iter().find_map(|plugin| plugin.failures.find(exchange)) {
            return (Some(failure), None);
        }
        let mut degraded = None;
        for plugin in self.kind.plugins.iter().filter(|plugin| plugin.has("outcome")) {
            let judged = call_plugin!(plugin, "outcome.judge", PLUGIN_INSPECT_MAX, outcome, |outcome, store| outcome
                .call_judge(store, exchange.clone()));
            match judged {
                Ok(Some(failure)) => return (Some(Failure { line: answer::told(&failure.line), ..failure }), degraded),
                Ok(None) => {}
                Err(fault) => degraded = Some(format!("degraded: {fault}; whether the command failed is not known")),
            }
        }
        (None, degraded)
    }

    /// What each policy plugin says of a line, with its name.
    pub async fn decide(&self, request: &Request<'_>) -> Vec<(String, Result<Decision, Fault>)> {
        let mut decisions = Vec::new();
        for plugin in self.kind.plugins.iter().filter(|plugin| plugin.has("policy")) {
            let decided = call_plugin!(plugin, "policy.decide", PLUGIN_DECIDE_MAX, policy, |policy, store| policy
                .call_decide(store, request.clone()));
            decisions.push((plugin.name().to_owned(), decided.map(answer::decision)));
        }
        decisions
    }

    /// How many policy plugins the type has.
    #[must_use]
    pub fn judges(&self) -> usize {
        self.kind.plugins.iter().filter(|plugin| plugin.has("policy")).count()
    }

    /// What kind of line it is: what destroys, leaves or takes rights if one policy plugin says so, else a read if one proves it
    /// and none fails. `None` where no plugin can tell.
    ///
    /// # Errors
    ///
    /// When a policy plugin fails.
    pub async fn classify(&self, request: &Request<'_>) -> Result<Option<Classified>, Fault> {
        let mut kept: Option<Classified> = None;
        for plugin in self.kind.plugins.iter().filter(|plugin| plugin.has("policy")) {
            let said = call_plugin!(plugin, "policy.classify", PLUGIN_DECIDE_MAX, policy, |policy, store| policy
                .call_classify(store, request.clone()))?;
            let said = Classified { plugin: plugin.name().to_owned(), lane: answer::lane(said) };
            if !said.lane.lane.is_empty() && kept.as_ref().is_none_or(|kept| said.weight() > kept.weight()) {
                kept = Some(said);
            }
        }
        Ok(kept)
    }
}

/// What a plugin says of a line's kind.
#[derive(Debug, Clone)]
pub struct Classified {
    /// The plugin.
    pub plugin: String,
    /// What it says.
    pub lane: Lane,
}

impl Classified {
    /// Is it proven to be a read?
    #[must_use]
    pub fn reads(&self) -> bool {
        self.lane.lane == "read"
    }

    /// May it run without a person's word where changes may?
    #[must_use]
    pub fn is_ordinary(&self) -> bool {
        matches!(self.lane.lane.as_str(), "read" | "change" | "privilege")
    }

    /// The plugin's rule, by the plugin's name too.
    #[must_use]
    pub fn rule(&self) -> String {
        format!("{}.{}", self.plugin, self.lane.rule)
    }

    /// A proof counts more than what is only not known to be one, and less than a danger that somebody sees.
    fn weight(&self) -> u32 {
        match self.lane.lane.as_str() {
            "change" => 0,
            "read" => 1,
            "privilege" => 2,
            "exfiltration" => 3,
            _ => 4,
        }
    }
}

/// Every plugin of the type with its hits.
fn all<'a>(kind: &'a DeviceType, view: &'a View) -> impl Iterator<Item = Asked<'a>> {
    kind.plugins.iter().map(|plugin| Asked { plugin, hits: plugin.triggers.hits(&view.tail) })
}

/// The last of several plugins that read prompts: it knows the device least.
fn stand_in<'a, 'k>(asked: &'a [Asked<'k>]) -> Option<&'a Asked<'k>> {
    asked.iter().filter(|one| one.plugin.has("prompt")).skip(1).last()
}

/// Which goal does this line start, if any? Who has none beside the login is not asked.
async fn claimed(plugin: &Plugin, command: &str, mode: &str) -> Result<Option<String>, Fault> {
    let goals = plugin.goals().await?;
    if !answer::may_claim(goals) {
        return Ok(None);
    }
    let goal = call_plugin!(plugin, "dialog.claim", PLUGIN_INSPECT_MAX, dialog, |dialog, store| dialog.call_claim(store, command, mode))?;
    if let Some(goal) = &goal {
        answer::allowed(plugin, "dialog.claim", answer::check_claim(goals, goal))?;
    }
    Ok(goal)
}

async fn question<'a>(view: &View, asked: impl Iterator<Item = &'a Asked<'a>>) -> Result<Option<Question>, Fault> {
    let mut failed = Ok(None);
    for one in asked.filter(|one| one.plugin.has("dialog")) {
        let plugin = one.plugin;
        let lists = view.lists(&one.hits);
        let shown = view.shown(&lists, &[]);
        let asking =
            call_plugin!(plugin, "dialog.asking", PLUGIN_INSPECT_MAX, dialog, |dialog, store| dialog.call_asking(store, shown.clone()));
        match asking {
            Ok(Some(question)) => return Ok(Some(answer::question(question))),
            Ok(None) => {}
            Err(fault) => failed = Err(fault),
        }
    }
    failed
}

/// Puts the answers of several policy plugins together: deny, then ask, then allow, then nothing. A plugin that
/// failed denies.
#[must_use]
pub fn compose(decisions: Vec<(String, Result<Decision, Fault>)>) -> Decision {
    let said = |(plugin, decided): (String, Result<Decision, Fault>)| match decided {
        Ok(decision) => Decision { rule: format!("{plugin}.{}", decision.rule), ..decision },
        Err(fault) => Decision {
            effect: Effect::Deny,
            rule: format!("{plugin}.fault"),
            reason: format!("a policy plugin that fails denies: {fault}"),
        },
    };
    let strictness = |decision: &Decision| match decision.effect {
        Effect::Abstain => 0,
        Effect::Allow => 1,
        Effect::Ask => 2,
        Effect::Deny => 3,
    };
    // The first of the strictest: its order is the operator's.
    let strictest = decisions.into_iter().map(said).reduce(|kept, next| if strictness(&next) > strictness(&kept) { next } else { kept });
    strictest.unwrap_or_else(|| Decision { effect: Effect::Abstain, rule: String::new(), reason: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(effect: Effect, rule: &str) -> (String, Result<Decision, Fault>) {
        ("p".to_owned(), Ok(Decision { effect, rule: rule.to_owned(), reason: String::new() }))
    }

    #[test]
    fn the_strictest_answer_wins_and_silence_denies() {
        let all = || vec![decision(Effect::Allow, "a"), decision(Effect::Deny, "d"), decision(Effect::Ask, "q")];
        assert_eq!(compose(all()).rule, "p.d");
        assert_eq!(compose(vec![decision(Effect::Allow, "a"), decision(Effect::Ask, "q")]).effect, Effect::Ask);
        assert_eq!(compose(vec![decision(Effect::Abstain, "x"), decision(Effect::Allow, "a")]).effect, Effect::Allow);
        assert_eq!(compose(vec![decision(Effect::Abstain, "x")]).effect, Effect::Abstain);
        assert_eq!(compose(Vec::new()).effect, Effect::Abstain);
    }

    #[test]
    fn a_policy_plugin_that_fails_denies() {
        let fault = Fault {
            plugin: "acme".to_owned(),
            version: "1".to_owned(),
            function: "policy.decide",
            kind: super::super::fault::FaultKind::Memory,
            printed: Box::default(),
        };
        let composed = compose(vec![decision(Effect::Allow, "a"), ("acme".to_owned(), Err(fault))]);
        assert_eq!((composed.effect, composed.rule.as_str()), (Effect::Deny, "acme.fault"));
    }
}
