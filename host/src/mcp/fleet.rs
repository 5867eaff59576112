//! `ssh_fleet`: a rollout that each target takes part in as by `ssh_run`. It goes on when the call's time is over.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::calls::{self, Wanted};
use super::conceal;
use super::handover;
use super::reply::{self, Reply};
use super::tools::Arguments;
use super::{Caller, Patience, bounds};
use crate::directory::{Directory, LineKind};
use crate::fleet::{CANARY, End, MAX_FAILURES, PARALLEL, Pace, Rest, Rollout, Sheet, Told, named_twice};
use crate::ids::SessionId;
use crate::limits::{
    APPROVAL_OPEN_MAX, BESIDE_MAX, FLEET_CHARS, FLEET_CHARS_MIN, FLEET_PARALLEL_MAX, FLEET_TARGETS_MAX, INTERRUPT_STEP_WAIT,
    KILL_AFTER_MAX, OPEN_MAX, ROLLOUT_KEPT_MAX,
};
use crate::policy::Purpose;
use crate::session::RunRequest;
use crate::session::command::State;
use crate::session::journey::Keep;
use crate::session::report::OutputQuery;

/// Begins a rollout, or goes on with the one of this call.
pub(super) async fn fleet(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let wait = arguments.usual_wait(caller.ceiling_s);
    let (targets, pace) = (targets(arguments)?, pace(arguments));
    are_known(directory, &targets)?;
    let command = arguments.text_or_empty("command");
    let (mode, commit) = (arguments.text("mode"), arguments.text("commit"));
    let keep = commit.map(|word| Keep::parse(word).ok_or_else(|| not_commit(word))).transpose()?;
    let request = RunRequest {
        mode: mode.map(str::to_owned),
        keep,
        why: calls::reason(arguments),
        ..RunRequest::new(command, Purpose::Run, &caller.name)
    };
    let key = format!("{}\0{targets:?}\0{command:?}\0{mode:?}\0{commit:?}\0{pace:?}", caller.name);
    // Those that found no room would count as failed.
    let pace = Pace { parallel: pace.parallel.min(directory.world().config.limits.commands), ..pace };
    let rollout = directory.rollouts().claim(key, &caller.name, targets, pace)?;
    let is_taken_up = rollout.take_up();
    if is_taken_up {
        tokio::spawn(carry_out(Arc::clone(directory), Arc::clone(&rollout), request));
    }
    let ended_before = (!is_taken_up && !rollout.runs()).then(|| old_news(&rollout));
    let mut patience = Patience::new(caller);
    if patience.wait(wait, || progress(&rollout), rollout.rests()).await.is_none() && patience.has_given_up() {
        rollout.end_early();
    }
    Ok(told(&rollout, &caller.name).with_warnings(ended_before.as_slice()))
}

/// What who makes a call again is told where its end was told to nobody, as a call was cut off.
fn old_news(rollout: &Rollout) -> String {
    let (id, seconds) = (rollout.id, rollout.sheet().rests_for().as_secs());
    format!(
        "an earlier call began this rollout, and it ended {seconds} s ago: nothing was run now. After {id} the same call begins a new one"
    )
}

fn pace(arguments: &Arguments) -> Pace {
    let count = |name: &str, default: usize| arguments.count(name).map_or(default, |count| usize::try_from(count).unwrap_or(usize::MAX));
    Pace {
        canary: count("canary", CANARY),
        parallel: count("parallel", PARALLEL).clamp(1, FLEET_PARALLEL_MAX),
        max_failures: count("max_failures", MAX_FAILURES).max(1),
    }
}

fn targets(arguments: &Arguments) -> Result<Vec<String>, String> {
    let targets = arguments.texts("targets");
    if targets.is_empty() || targets.len() > FLEET_TARGETS_MAX {
        return Err(format!("`targets` of ssh_fleet names {} devices; name 1 to {FLEET_TARGETS_MAX}", targets.len()));
    }
    if let Some(twice) = named_twice(&targets) {
        return Err(format!("`targets` of ssh_fleet names `{twice}` twice; name each target once"));
    }
    Ok(targets)
}

/// A name that stands for nothing is a slip: it is told before anything is run anywhere. A session goes on without its device.
fn are_known(directory: &Arc<Directory>, targets: &[String]) -> Result<(), String> {
    for id in targets.iter().map(|target| SessionId::parse(target)) {
        if directory.find(&id).is_none() {
            directory.device(&id.device).map_err(|error| format!("{error}; nothing was run"))?;
        }
    }
    Ok(())
}

fn not_commit(word: &str) -> String {
    format!("`commit` of ssh_fleet is `{word}`, it takes one of: check, now, confirmed, confirm")
}

/// What reads the output of a command reads a rollout: all of it, or nothing.
pub(super) async fn output(caller: &Caller, rollout: &Rollout, arguments: &Arguments) -> Result<Reply, String> {
    let has = |name: &str| arguments.text(name).is_some() || arguments.count(name).is_some_and(|count| count > 0);
    if let Some(name) = ["grep", "tail", "offset"].into_iter().find(|name| has(name)) {
        let id = rollout.id;
        return Err(format!(
            "`{name}` of ssh_output is for the output of one command, and {id} is a rollout; give the command_id of one of its targets, which ssh_output command_id={id} tells once it has ended"
        ));
    }
    Ok(wait_for(caller, rollout, arguments.wait(0.0, caller.ceiling_s)).await)
}

/// Waits for a rollout, and tells how it stands. Nothing is asked by it: it does not go on with what waits for a person.
async fn wait_for(caller: &Caller, rollout: &Rollout, wait: Duration) -> Reply {
    caller.wait(wait, || progress(rollout), rollout.rests()).await;
    Reply { approvals: Vec::new(), ..told(rollout, &caller.name) }
}

/// Ends a rollout early, with the commands that run for it.
pub(super) async fn stop(caller: &Caller, rollout: &Rollout) -> Result<Reply, String> {
    let (sheet, id) = (rollout.sheet(), rollout.id);
    if !matches!(sheet.rest, None | Some(Rest::Waits)) {
        return Err(format!("{id} does not run: the rollout has ended; ssh_output command_id={id} tells how"));
    }
    rollout.end_early();
    Ok(wait_for(caller, rollout, BESIDE_MAX + INTERRUPT_STEP_WAIT * 4).await)
}

/// The rollout itself, which belongs to nobody's call.
async fn carry_out(directory: Arc<Directory>, rollout: Arc<Rollout>, request: RunRequest) {
    let caller = Caller::absent(&rollout.caller, rollout.stop.clone());
    loop {
        let batch = rollout.next_batch();
        if batch.is_empty() {
            return;
        }
        let calls = batch.iter().map(|number| {
            let (directory, caller, rollout, request) = (&directory, &caller, &rollout, request.clone());
            async move {
                let told = on_target(directory, caller, rollout, *number, request).await;
                rollout.on_told(*number, told);
            }
        });
        join_all(calls).await;
    }
}

/// One target, as by `ssh_run`; its end is waited for.
async fn on_target(directory: &Arc<Directory>, caller: &Caller, rollout: &Rollout, number: usize, request: RunRequest) -> Told {
    let target = rollout.targets.get(number).map_or("", String::as_str);
    let chars = (FLEET_CHARS / rollout.targets.len().max(1)).max(FLEET_CHARS_MIN);
    let query = OutputQuery { max_chars: bounds::capped(directory, chars), ..OutputQuery::default() };
    let wanted = Wanted { request, lane: LineKind::Terminal, end_within: Some(KILL_AFTER_MAX) };
    // Who is stopped meanwhile begins nothing more, also by what it began before.
    let stopped = directory.quota().stopped(&caller.name, &directory.world().config.limits, Instant::now());
    let mut reply = match stopped {
        Some(why) => Reply::failed(&why),
        None => calls::one(directory, caller, target, wanted, OPEN_MAX, query).await,
    };
    calls::count_denial(directory, caller, &reply);
    handover::tell(directory, caller, &mut reply).await;
    // It may be an error, which the whole is not.
    let mut reply = conceal::conceal(reply, &directory.world().config);
    reply.fields.entry("target").or_insert_with(|| target.into());
    let is_well = !reply.error
        && reply.fields.get("state").and_then(Value::as_str) == Some(State::Done.word())
        && reply.fields.get("failed") != Some(&Value::Bool(true));
    let end = match (reply.approvals.is_empty(), is_well) {
        (false, _) => End::Asked,
        (true, true) => End::Well,
        (true, false) => End::Badly,
    };
    let Reply { fields, text, error, approvals } = reply;
    Told { end, fields, text, error, approvals }
}

fn progress(rollout: &Rollout) -> String {
    let (well, badly) = (rollout.count(End::Well), rollout.count(End::Badly));
    format!("{}: {well} of {} done, {badly} failed", rollout.id, rollout.targets.len())
}

/// How a rollout stands. An end is told as a whole; while it goes on only how far it is. Who began it has then heard of its end: somebody
/// else who reads it would have the same call do everything twice.
fn told(rollout: &Rollout, to: &str) -> Reply {
    let sheet = rollout.sheet();
    let (id, well, badly) = (rollout.id, sheet.count(End::Well), sheet.count(End::Badly));
    let (running, pending) = rollout.left(&sheet);
    let state = sheet.word();
    let mut text = format!("{id} {state}: {well} done, {badly} failed, {} running, {} pending", running.len(), pending.len());
    if let Some(because) = rollout.because(&sheet) {
        let _ = write!(text, "; stopped because {because}");
    }
    for (name, targets) in [("running", &running), ("pending", &pending)] {
        if !targets.is_empty() {
            let _ = write!(text, "\n{name}: {}", targets.join(", "));
        }
    }
    if sheet.rest.is_some() {
        text.push_str(&results(&sheet));
    }
    let mut reply = Reply::new(json!({"ok": sheet.is_well(), "command_id": id.to_string()}), text);
    reply.fields.extend(rollout.fields(&sheet));
    match sheet.rest {
        None => reply.with_next(&format!("It goes on. Call ssh_output command_id={id} wait_s=30, or ssh_interrupt command_id={id}.")),
        Some(Rest::Waits) => asks(reply, &sheet),
        Some(_) => {
            if rollout.caller == to {
                rollout.on_heard();
            }
            let next = "What is pending was not begun. Find out what went wrong, then call ssh_fleet with the pending targets.";
            if pending.is_empty() { reply } else { reply.with_next(next) }
        }
    }
}

/// What came of the targets as text: equal outputs once, then what there is more to tell of.
fn results(sheet: &Sheet) -> String {
    let (groups, apart) = sheet.groups();
    let equal = groups.iter().map(|group| {
        let members: Vec<String> = group.members.iter().map(|(target, command)| format!("{target} {command}")).collect();
        format!("\n\n== {}: {}\n{}", members.join(", "), group.end, reply::fenced(group.output))
    });
    equal.chain(apart.iter().map(|told| format!("\n\n== {}\n{}", told.field("target"), told.text))).collect()
}

/// A rollout that waits for a person.
fn asks(reply: Reply, sheet: &Sheet) -> Reply {
    let approvals: Vec<_> = sheet.told.iter().flatten().flat_map(|told| told.approvals.clone()).collect();
    let requests: Vec<String> = approvals.iter().map(|request| format!("`jackfield approve {}`", request.id)).collect();
    let next = format!(
        "Nothing was typed there. Tell the user what you want to do and why. They agree with {} in a terminal; then make the same ssh_fleet call again within {} min: it goes on where it stopped. The requests stay open for {} min.",
        requests.join(", "),
        ROLLOUT_KEPT_MAX.as_secs() / 60,
        APPROVAL_OPEN_MAX.as_secs() / 60
    );
    Reply { error: true, approvals, ..reply }.with_next(&next)
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::fleet::Rollouts;
    use crate::limits::APPROVALS_MAX;
    use crate::mcp::tools::TOOLS;

    #[test]
    fn no_more_go_at_once_than_can_be_asked_about() {
        let definition = TOOLS.iter().find(|tool| tool.name == "ssh_fleet").unwrap();
        let given = json!({"targets": ["web1"], "command": "true", "parallel": 200, "max_failures": 0});
        let arguments = Arguments::check(definition, given.as_object().cloned().unwrap()).unwrap();
        assert_eq!(pace(&arguments), Pace { canary: 1, parallel: FLEET_PARALLEL_MAX, max_failures: 1 });
        const { assert!(2 * FLEET_PARALLEL_MAX <= APPROVALS_MAX) };
    }

    #[test]
    fn the_same_call_begins_a_new_one_once_who_began_it_has_heard_of_its_end() {
        let rollouts = Rollouts::default();
        let pace = Pace { canary: 1, parallel: 1, max_failures: 1 };
        let claim = || rollouts.claim("key".to_owned(), "one", vec!["web1".to_owned()], pace).unwrap();
        let rollout = claim();
        assert!(rollout.take_up());
        assert_eq!(rollout.next_batch(), [0]);
        rollout.on_told(0, Told { end: End::Well, fields: Map::new(), text: String::new(), error: false, approvals: Vec::new() });
        assert!(rollout.next_batch().is_empty());
        for (to, is_known) in [("two", true), ("one", false)] {
            assert_eq!(told(&rollout, to).fields["state"], "done");
            assert_eq!(claim().id == rollout.id, is_known, "{to}");
        }
    }

    #[test]
    fn equal_outputs_are_told_once_and_text_of_a_device_is_marked() {
        let pace = Pace { canary: 0, parallel: 2, max_failures: 1 };
        let rollout = Rollout::new(String::new(), "one".to_owned(), vec!["web1".to_owned(), "web2".to_owned()], pace);
        assert!(rollout.take_up());
        for number in rollout.next_batch() {
            let fields = json!({"target": rollout.targets[number], "command_id": "c8", "state": "done", "origin": "device", "output": "x\n",
                "range": {"start": 0}});
            let warnings: Vec<String> = if number == 0 { Vec::new() } else { vec!["look".to_owned()] };
            let Reply { fields, text, error, approvals } = Reply::new(fields, "x".to_owned()).with_warnings(&warnings);
            rollout.on_told(number, Told { end: End::Well, fields, text, error, approvals });
        }
        assert!(rollout.next_batch().is_empty());
        let told = told(&rollout, "one").fields;
        assert_eq!(told["results"][0], json!({"target": "web1", "command_id": "c8", "state": "done"}));
        assert_eq!((&told["results"][1]["origin"], &told["results"][1]["output"]), (&json!("device"), &json!("x\n")));
        assert_eq!(told["groups"], json!([{"targets": ["web1"], "origin": "device", "output": "x\n"}]));
    }
}
