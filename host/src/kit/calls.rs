//! One view, shown to every role of one instance: what each answers, and whether the contract allows it.

use std::pin::pin;
use std::time::{Duration, Instant};

use crate::config::LANES;
use crate::limits::{PLUGIN_DECIDE_MAX, PLUGIN_INSPECT_MAX};
use crate::plugin::answer::{self, LOGIN};
use crate::plugin::bindings::jackfield::plugin::types as contract;
use crate::plugin::fault::{Fault, FaultKind, kind_of};
use crate::plugin::instance::Instance;
use crate::plugin::load::{Call, Plugin};
use crate::plugin::manifest::{Manifest, Role};
use crate::plugin::promptly::promptly;
use crate::plugin::roles::{Phase, Reading, View};

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
        let yielded = $call.instance.yielded();
        let meter = Meter::start(&mut $call.instance, $limit);
        let instance = &mut *$call.instance;
        let result = match &instance.roles.$role {
            None => None,
            Some($guest) => {
                let $store = &mut instance.store;
                // As in a session, which a plugin that waits would hold up; here the clock would jump over its sleep.
                let answered = promptly(yielded, pin!($ask)).await;
                Some(answered)
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
        // An engine that does not count says so with an error, which takes longer to make than many a call.
        let fuel = instance.fuel_used();
        Self { start: Instant::now(), fuel }
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
    let hits = plugin.triggers.hits(&case.view.tail);
    let lists = case.view.lists(&hits);
    let shown = case.view.shown(&lists, &case.memo);
    let mut answers = device(plugin, call, case, &shown, costs).await?;
    let request = request(case);
    let tail = format!("{}\n{}\n", case.view.recent, case.view.tail);
    let exchange = exchange(case, &tail);
    answers.failure =
        ask!(plugin, call, costs, "outcome.judge", PLUGIN_INSPECT_MAX, outcome, |role, store| role.call_judge(store, exchange.clone()));
    answers.lane =
        ask!(plugin, call, costs, "policy.classify", PLUGIN_DECIDE_MAX, policy, |role, store| role.call_classify(store, request.clone()));
    answers.decision =
        ask!(plugin, call, costs, "policy.decide", PLUGIN_DECIDE_MAX, policy, |role, store| role.call_decide(store, request.clone()));
    answers.score = ask!(plugin, call, costs, "identify.score", PLUGIN_INSPECT_MAX, identify, |role, store| role.call_score(
        store,
        &case.command,
        &case.view.recent,
        shown.clone()
    ));
    Ok(answers)
}

/// The roles that are shown a view.
async fn device(plugin: &Plugin, call: &mut Call, case: &Case, shown: &contract::View<'_>, costs: &mut Costs) -> Result<Answers, String> {
    let mut answers = Answers {
        prompt: ask!(plugin, call, costs, "prompt.inspect", PLUGIN_INSPECT_MAX, prompt, |role, store| role
            .call_inspect(store, shown.clone())),
        ..Answers::default()
    };
    if let Some(contract::PromptReport { reading: Reading::Ready(ready), .. }) = &answers.prompt {
        answers.prepare = ask!(plugin, call, costs, "prompt.prepare", PLUGIN_INSPECT_MAX, prompt, |role, store| role.call_prepare(
            store,
            ready,
            shown.clone()
        ));
    }
    answers.page =
        ask!(plugin, call, costs, "pager.inspect", PLUGIN_INSPECT_MAX, pager, |role, store| role.call_inspect(store, shown.clone()));
    answers.goals = ask!(plugin, call, costs, "dialog.goals", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_goals(store));
    answers.claim = ask!(plugin, call, costs, "dialog.claim", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_claim(
        store,
        &case.command,
        &case.view.mode
    ));
    answers.asking =
        ask!(plugin, call, costs, "dialog.asking", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_asking(store, shown.clone()));
    let goal = carried(case, &answers);
    answers.next =
        ask!(plugin, call, costs, "dialog.next", PLUGIN_INSPECT_MAX, dialog, |role, store| role.call_next(store, &goal, shown.clone()));
    Ok(answers)
}

/// The goal that the next step is asked about.
fn carried(case: &Case, answers: &Answers) -> String {
    answers.claim.clone().flatten().unwrap_or_else(|| case.goal.clone())
}

fn request(case: &Case) -> contract::Request<'_> {
    let (policy_mode, purpose) = case.policy;
    contract::Request {
        device: "kit",
        device_type: case.view.facts.iter().find(|(name, _)| *name == "device-type").map_or("", |(_, kind)| kind),
        mode: &case.view.mode,
        privileged: case.view.echoed,
        command: &case.command,
        purpose,
        caller: "kit",
        policy_mode,
        facts: &[],
    }
}

fn exchange<'a>(case: &'a Case, tail: &'a str) -> contract::Exchange<'a> {
    contract::Exchange { command: &case.command, mode: &case.view.mode, head: &case.view.recent, tail, status: None }
}

/// Is the role asked about this row at all? The host asks about those that its triggers know.
#[must_use]
pub fn concerns(plugin: &Plugin, role: Role, tail: &str) -> bool {
    plugin.triggers.concern(role, &plugin.triggers.hits(tail), tail)
}

/// What the contract forbids and an answer does all the same: what the host makes a fault of, and a lane that no policy names.
#[must_use]
pub fn breaches(manifest: &Manifest, case: &Case, answers: &Answers) -> Vec<String> {
    let goals = answers.goals.as_deref().unwrap_or_default();
    let goal = carried(case, answers);
    // Before the first prompt the host asks about its own goal alone, else while a goal runs.
    let by_itself = case.view.phase == Phase::Login && goal == LOGIN && goals.contains(&goal);
    let phase = if by_itself { Phase::Login } else { Phase::Goal };
    let claim = answers.claim.iter().flatten().filter(|_| answer::may_claim(goals));
    // The operator grants all that the manifest lists.
    let dialog = |report| answer::check_dialog(manifest, &manifest.secrets, phase, report);
    let checked = [
        ("prompt.inspect", answers.prompt.as_ref().map(|report| answer::check_prompt(&case.view, report))),
        ("prompt.prepare", answers.prepare.as_ref().map(|sends| answer::check_prepared(manifest, sends))),
        ("pager.inspect", answers.page.iter().flatten().next().map(|page| answer::check_page(manifest, page))),
        ("dialog.claim", claim.map(|goal| answer::check_claim(goals, goal)).next()),
        ("dialog.next", answers.next.as_ref().map(dialog)),
        ("policy.classify", answers.lane.as_ref().map(check_lane)),
        ("identify.score", answers.score.map(answer::check_score)),
    ];
    checked.into_iter().filter_map(|(function, checked)| Some(format!("{function}: {}", checked?.err()?))).collect()
}

fn check_lane(said: &contract::Lane) -> Result<(), String> {
    if said.lane.is_empty() || LANES.contains(&said.lane.as_str()) {
        return Ok(());
    }
    Err(format!("the lane is `{}`; it is {}, or empty where it cannot tell", answer::told(&said.lane), LANES.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kit::rows;
    use crate::limits::{GOAL_MAX_BYTES, MEMO_MAX_BYTES, MODE_MAX_BYTES, PLUGIN_TEXT_MAX_BYTES, SETUP_SENDS_MAX, VIEW_TAIL_MAX_BYTES};
    use crate::plugin::roles::Step;

    fn found(phase: Phase, answers: Answers) -> Vec<String> {
        let manifest = json!({"schema": 1, "name": "p", "version": "1", "sends": {"next": " "}, "secrets": ["enable"]});
        breaches(&serde_json::from_value(manifest).unwrap(), &rows::case("r1> ", phase, 0), &answers)
    }

    fn ready(change: impl FnOnce(&mut contract::Ready)) -> Answers {
        let text = |text: &str| text.to_owned();
        let (prompt, mode, proof) = (text("r1> "), text("exec"), text("pattern"));
        let mut ready = contract::Ready { prompt, mode, privileged: false, status: None, cwd: None, proof };
        change(&mut ready);
        Answers { prompt: Some(contract::PromptReport { reading: Reading::Ready(ready), memo: Vec::new() }), ..Answers::default() }
    }

    fn next(step: Step, memo: usize, strip: usize) -> Answers {
        let report = contract::DialogReport { step, memo: vec![0; memo], strip: "x".repeat(strip) };
        Answers { goals: Some(vec!["login".to_owned()]), next: Some(report), ..Answers::default() }
    }

    fn page(send: &str, strip: usize) -> Answers {
        Answers { page: Some(Some(contract::Page { send: send.to_owned(), strip: "x".repeat(strip) })), ..Answers::default() }
    }

    fn claim(goal: &str) -> Answers {
        Answers { goals: Some(vec!["enable".to_owned()]), claim: Some(Some(goal.to_owned())), ..Answers::default() }
    }

    /// What the host makes a fault of fails the kit too.
    #[test]
    fn every_breach_of_the_contract_is_found() {
        let secret = || Step::Secret("enable".to_owned());
        for (answers, expected) in [
            (ready(|ready| ready.mode = "m".repeat(MODE_MAX_BYTES + 1)), "prompt.inspect: the mode has"),
            (ready(|ready| ready.mode = "a\tb".to_owned()), "prompt.inspect: the mode holds the control character"),
            (ready(|ready| ready.proof = "p".repeat(MODE_MAX_BYTES + 1)), "prompt.inspect: the proof has"),
            (ready(|ready| ready.prompt = "p".repeat(VIEW_TAIL_MAX_BYTES + 1)), "prompt.inspect: the prompt has"),
            (ready(|ready| ready.cwd = Some("/".repeat(PLUGIN_TEXT_MAX_BYTES + 1))), "prompt.inspect: the working directory has"),
            (ready(|ready| ready.proof = "mark".to_owned()), "prompt.inspect: it calls the prompt proven by a mark"),
            (
                Answers { prepare: Some(vec!["next".to_owned(); SETUP_SENDS_MAX + 1]), ..Answers::default() },
                "prompt.prepare: it names 17 sends",
            ),
            (Answers { prepare: Some(vec!["reboot".to_owned()]), ..Answers::default() }, "prompt.prepare: its manifest has no send"),
            (page("reboot", 0), "pager.inspect: its manifest has no send"),
            (page("next", VIEW_TAIL_MAX_BYTES + 1), "pager.inspect: `strip` has"),
            (claim(""), "dialog.claim: the goal's name has 0 bytes"),
            (claim(&"g".repeat(GOAL_MAX_BYTES + 1)), "dialog.claim: the goal's name has"),
            (claim("sudo"), "dialog.claim: it claimed `sudo`"),
            (next(Step::Wait, MEMO_MAX_BYTES + 1, 0), "dialog.next: the memo has"),
            (next(Step::Wait, 0, VIEW_TAIL_MAX_BYTES + 1), "dialog.next: `strip` has"),
            (next(Step::Secret("root".to_owned()), 0, 0), "dialog.next: its manifest lists no secret"),
            (next(secret(), 0, 0), "dialog.next: it asks for the secret `enable` while no goal runs"),
            (Answers { score: Some(101), ..Answers::default() }, "identify.score: it says 101"),
        ] {
            let found = found(Phase::Login, answers);
            assert!(found.len() == 1 && found.iter().all(|found| found.starts_with(expected)), "{expected}: {found:?}");
        }
        let fine = [ready(|_| ()), page("next", VIEW_TAIL_MAX_BYTES), claim("enable"), next(Step::Wait, MEMO_MAX_BYTES, 0)];
        for answers in fine {
            assert_eq!(found(Phase::Login, answers), Vec::<String>::new());
        }
        assert_eq!(found(Phase::Goal, next(secret(), 0, 0)), Vec::<String>::new());
    }
}
