//! One view, shown to every role of one instance: what each answers, and whether the contract allows it.

use std::time::{Duration, Instant};

use crate::config::LANES;
use crate::limits::{MEMO_MAX_BYTES, MODE_MAX_BYTES, PLUGIN_DECIDE_MAX, PLUGIN_INSPECT_MAX};
use crate::plugin::bindings::jackfield::plugin::types as contract;
use crate::plugin::fault::{Fault, FaultKind, kind_of};
use crate::plugin::instance::Instance;
use crate::plugin::load::{Call, Plugin};
use crate::plugin::manifest::Role;
use crate::plugin::roles::{Hit, Reading, Step, View};

/// Everything that the roles are asked about at one moment.
#[derive(Debug, Clone)]
pub struct Case {
    /// What the host shows.
    pub view: View,
    /// What the plugin said last.
    pub memo: Vec<u8>,
    /// A command line, for the roles that judge one.
    pub command: String,
    /// The operator's mode and the purpose, for policy.
    pub policy: (&'static str, &'static str),
    /// The goal that is asked about.
    pub goal: String,
}

/// What the roles answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// The prompt.
    pub prompt: Option<contract::PromptReport>,
    /// What to type after login.
    pub prepare: Option<Vec<String>>,
    /// The pager.
    pub page: Option<Option<contract::Page>>,
    /// The goals.
    pub goals: Option<Vec<String>>,
    /// The goal of the command.
    pub claim: Option<Option<String>>,
    /// The question.
    pub asking: Option<Option<contract::Question>>,
    /// The next step.
    pub next: Option<contract::DialogReport>,
    /// The failure.
    pub failure: Option<Option<contract::Failure>>,
    /// The lane.
    pub lane: Option<contract::Lane>,
    /// The decision.
    pub decision: Option<contract::Decision>,
    /// The score.
    pub score: Option<u32>,
}

/// How long each call took, or how many instructions.
pub type Costs = Vec<(&'static str, u64)>;

/// Calls one function, notes its cost, and ends the round with a sentence when it fails.
macro_rules! ask {
    ($plugin:expr, $call:expr, $costs:expr, $name:literal, $limit:expr, $role:ident, |$guest:ident, $store:ident| $ask:expr) => {{
        let meter = Meter::start(&mut $call.instance, $limit);
        let instance = &mut *$call.instance;
        let result = match &instance.roles.$role {
            None => None,
            Some($guest) => {
                let $store = &mut instance.store;
                Some($ask.await)
            }
        };
        match result {
            None => None,
            Some(Ok(answer)) => {
                $costs.push(($name, meter.cost(&$call.instance)));
                Some(answer)
            }
            Some(Err(error)) => {
                let kind = kind_of(&error, $limit, $call.instance.refused());
                return Err(fault($plugin, $name, kind));
            }
        }
    }};
}

/// The cost of one call.
struct Meter {
    start: Instant,
    fuel: u64,
}

impl Meter {
    fn start(instance: &mut Instance, limit: Duration) -> Self {
        instance.arm(limit);
        Self { start: Instant::now(), fuel: instance.fuel_used() }
    }

    /// Instructions where the engine counts them, else nanoseconds.
    fn cost(&self, instance: &Instance) -> u64 {
        let took = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let fuel = instance.fuel_used();
        if fuel > 0 { fuel - self.fuel } else { took }
    }
}

fn fault(plugin: &Plugin, function: &'static str, kind: FaultKind) -> String {
    Fault { plugin: plugin.name().to_owned(), version: plugin.manifest.version.clone(), function, kind, printed: Box::default() }
        .to_string()
}

/// Asks every role that the plugin has.
///
/// # Errors
///
/// The call that failed, as a sentence. The instance is then of no more use.
pub async fn ask_all(plugin: &Plugin, call: &mut Call, case: &Case, costs: &mut Costs) -> Result<Answers, String> {
    let hits: Vec<Hit> = plugin.triggers.hits(&case.view.tail).into_iter().map(|(_, hit)| hit).collect();
    let shown = case.view.for_plugin(&hits, &case.memo);
    let mut answers = device(plugin, call, case, &shown, costs).await?;
    let request = request(case);
    let exchange = exchange(case);
    answers.failure =
        ask!(plugin, call, costs, "outcome.judge", PLUGIN_INSPECT_MAX, outcome, |role, store| role.call_judge(store, &exchange));
    answers.lane =
        ask!(plugin, call, costs, "policy.classify", PLUGIN_DECIDE_MAX, policy, |role, store| role.call_classify(store, &request));
    answers.decision =
        ask!(plugin, call, costs, "policy.decide", PLUGIN_DECIDE_MAX, policy, |role, store| role.call_decide(store, &request));
    answers.score = ask!(plugin, call, costs, "identify.score", PLUGIN_INSPECT_MAX, identify, |role, store| role.call_score(
        store,
        &case.command,
        &case.view.recent,
        &shown
    ));
    Ok(answers)
}

/// The roles that are shown a view.
async fn device(plugin: &Plugin, call: &mut Call, case: &Case, shown: &contract::View, costs: &mut Costs) -> Result<Answers, String> {
    let mut answers = Answers {
        prompt: ask!(plugin, call, costs, "prompt.inspect", PLUGIN_INSPECT_MAX, prompt, |role, store| role.call_inspect(store, shown)),
        ..Answers::default()
    };
    if let Some(contract::PromptReport { reading: Reading::Ready(ready), .. }) = &answers.prompt {
        answers.prepare =
            ask!(plugin, call, costs, "prompt.prepare", PLUGIN_INSPECT_MAX, prompt, |role, store| role.call_prepare(store, ready, shown));
    }
    answers.page = ask!(plugin, call, costs, "pager.inspect", PLUGIN_INSPECT_MAX, pager, |role, store| role.call_inspect(store, shown));
    answers.goals = ask!(plugin, call, costs, "dialog.goals", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_goals(store));
    answers.claim = ask!(plugin, call, costs, "dialog.claim", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_claim(
        store,
        &case.command,
        &case.view.mode
    ));
    answers.asking = ask!(plugin, call, costs, "dialog.asking", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_asking(store, shown));
    let goal = answers.claim.clone().flatten().unwrap_or_else(|| case.goal.clone());
    answers.next = ask!(plugin, call, costs, "dialog.next", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_next(store, &goal, shown));
    Ok(answers)
}

fn request(case: &Case) -> contract::Request {
    let (policy_mode, purpose) = case.policy;
    contract::Request {
        device: "kit".to_owned(),
        device_type: case.view.facts.iter().find(|(name, _)| name == "device-type").map(|(_, kind)| kind.clone()).unwrap_or_default(),
        mode: case.view.mode.clone(),
        privileged: case.view.echoed,
        command: case.command.clone(),
        purpose: purpose.to_owned(),
        caller: "kit".to_owned(),
        policy_mode: policy_mode.to_owned(),
        facts: Vec::new(),
    }
}

fn exchange(case: &Case) -> contract::Exchange {
    contract::Exchange {
        command: case.command.clone(),
        mode: case.view.mode.clone(),
        head: case.view.recent.clone(),
        tail: format!("{}\n{}\n", case.view.recent, case.view.tail),
        status: None,
    }
}

/// Is the role asked about this row at all? The host asks about those that its triggers know.
#[must_use]
pub fn concerns(plugin: &Plugin, role: Role, tail: &str) -> bool {
    if plugin.triggers.has(role) { plugin.triggers.hits(tail).iter().any(|(of, _)| *of == role) } else { !tail.is_empty() }
}

/// What the contract forbids and an answer does all the same.
#[must_use]
pub fn breaches(plugin: &Plugin, answers: &Answers) -> Vec<String> {
    let mut wrong = Vec::new();
    let sends = &plugin.manifest.sends;
    let mut send = |function: &str, name: &String| {
        if !sends.contains_key(name) {
            wrong.push(format!("{function} names the send `{name}`, which its manifest does not declare"));
        }
    };
    if let Some(Some(page)) = &answers.page {
        send("pager.inspect", &page.send);
    }
    answers.prepare.iter().flatten().for_each(|name| send("prompt.prepare", name));
    if let Some(Step::Send(name)) = answers.next.as_ref().map(|report| &report.step) {
        send("dialog.next", name);
    }
    if let Some(Step::Secret(name)) = answers.next.as_ref().map(|report| &report.step)
        && !plugin.manifest.secrets.contains(name)
    {
        wrong.push(format!("dialog.next wants the secret `{name}`, which its manifest does not list"));
    }
    let memos = [
        ("prompt.inspect", answers.prompt.as_ref().map(|report| &report.memo)),
        ("dialog.next", answers.next.as_ref().map(|report| &report.memo)),
    ];
    for (function, memo) in memos {
        if let Some(memo) = memo.filter(|memo| memo.len() > MEMO_MAX_BYTES) {
            wrong.push(format!("{function} returns a memo of {} bytes, at most {MEMO_MAX_BYTES} are kept", memo.len()));
        }
    }
    if let Some(contract::PromptReport { reading: Reading::Ready(ready), .. }) = &answers.prompt
        && ready.mode.len() > MODE_MAX_BYTES
    {
        wrong.push(format!("prompt.inspect names a mode of {} bytes, at most {MODE_MAX_BYTES} are allowed", ready.mode.len()));
    }
    if let Some(lane) = answers.lane.as_ref().filter(|lane| !lane.lane.is_empty() && !LANES.contains(&lane.lane.as_str())) {
        wrong.push(format!("policy.classify says the lane `{}`; it is {}, or empty where it cannot tell", lane.lane, LANES.join(", ")));
    }
    wrong
}
