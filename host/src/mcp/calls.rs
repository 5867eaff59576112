//! What every tool call goes through, and the tools that open sessions and run something there. Each of the others has a module of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::bounds::capped;
use super::lists::{hosts, identified, kind_word, sessions};
use super::opening::{self, Unopened};
use super::reply::{self, Reply};
use super::tools::Arguments;
use super::{Caller, Patience};
use crate::author::Author;
use crate::config::Delay;
use crate::directory::{Directory, LineKind};
use crate::fleet::{Rollout, plain_end};
use crate::ids::{CommandId, MAIN, SessionId};
use crate::limits::{
    self, CALLER_REASON_MAX_CHARS, IDLE_CLOSE, KILL_AFTER_MAX, LOOK_EVERY, OUTPUT_DEFAULT_CHARS, PROGRAM_TRIES, QUERY_TARGETS_MAX,
    TYPED_AHEAD_SETTLE,
};
use crate::policy::Purpose;
use crate::session::command::State;
use crate::session::journey::Keep;
use crate::session::report::OutputQuery;
use crate::session::search::{expression, first_line};
use crate::session::{Accepted, Phase, Refusal, RunRequest, SendRequest, SessionHandle, Status, Stop};
use crate::terminal::text::{escaped, escaped_line};

/// Budget of each target of a query.
const QUERY_DEFAULT_CHARS: usize = 8_000;
/// How long a typed answer is waited for.
const SEND_WAIT_S: f64 = 1.5;

/// Tools that reach a device.
const REACHING: [&str; 12] = [
    "ssh_fleet",
    "ssh_forward",
    "ssh_open",
    "ssh_query",
    "ssh_run",
    "ssh_output",
    "ssh_interrupt",
    "ssh_send",
    "ssh_screen",
    "ssh_file_read",
    "ssh_file_write",
    "ssh_transfer",
];

/// Calls a tool whose arguments were checked.
pub async fn call(directory: &Arc<Directory>, caller: &Caller, tool: &str, arguments: &Arguments) -> Reply {
    let limits = directory.world().config.limits;
    let reaches = REACHING.contains(&tool);
    if reaches && let Err(message) = directory.quota().call(&caller.name, &limits, Instant::now()) {
        return Reply::failed(&message);
    }
    // Each with room of its own: else every call would take, and be moved about with, as much as the largest of them needs.
    let result = match tool {
        "ssh_hosts" => hosts(directory, arguments),
        "ssh_open" => Box::pin(open(directory, caller, arguments)).await,
        "ssh_sessions" => Ok(sessions(directory, arguments)),
        "ssh_close" => Box::pin(close(directory, caller, arguments)).await,
        "ssh_query" => Box::pin(query(directory, caller, arguments)).await,
        "ssh_fleet" => Box::pin(super::fleet::fleet(directory, caller, arguments)).await,
        "ssh_run" => Ok(Box::pin(run(directory, caller, arguments)).await),
        "ssh_output" => Box::pin(super::output::output(directory, caller, arguments)).await,
        "ssh_interrupt" => Box::pin(super::interrupt::interrupt(directory, caller, arguments)).await,
        "ssh_send" => Box::pin(send(directory, caller, arguments)).await,
        "ssh_screen" => Box::pin(screen(directory, arguments)).await,
        "ssh_lock" => super::lock::lock(directory, caller, arguments),
        "ssh_forward" => Box::pin(super::forward::forward(directory, caller, arguments)).await,
        "ssh_file_read" => Box::pin(super::files::read(directory, caller, arguments)).await,
        "ssh_file_write" => Box::pin(super::files::write(directory, caller, arguments)).await,
        "ssh_transfer" => Box::pin(super::transfer::transfer(directory, caller, arguments)).await,
        "ssh_history" => Box::pin(super::history::history(directory, arguments)).await,
        "ssh_info" => Box::pin(super::info::info(directory, caller, arguments)).await,
        _ => Err(format!("there is no tool `{tool}`")),
    };
    let mut reply = result.unwrap_or_else(|message| Reply::failed(&message));
    if reaches {
        note(directory, caller, &reply);
        super::handover::tell(directory, caller, &mut reply).await;
    }
    super::conceal::conceal(reply, &directory.world().config)
}

/// Remembers what was refused, and who has read text that is not trusted.
fn note(directory: &Arc<Directory>, caller: &Caller, reply: &Reply) {
    let world = directory.world();
    if !reply.fields.contains_key("results") {
        count_denial(directory, caller, reply);
    }
    let several = reply.fields.get("results").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    for result in several.chain([&reply.fields]) {
        let Some(session) = result.get("session").and_then(Value::as_str) else { continue };
        let (device, _) = SessionId::parts(session);
        if world.config.devices.get(device).is_some_and(|device| device.untrusted) {
            directory.taint().mark(&caller.name, device, Instant::now());
        }
    }
}

/// Counts it where policy has refused something. That of one target among several is counted where it was refused: their answer may be told
/// again, or to somebody else.
pub(super) fn count_denial(directory: &Arc<Directory>, caller: &Caller, reply: &Reply) {
    if reply.fields.get("state").and_then(Value::as_str) == Some("denied") {
        directory.quota().denied(&caller.name, &directory.world().config.limits, Instant::now());
    }
}

/// A session that must be there already.
pub(super) fn open_session(directory: &Arc<Directory>, name: &str) -> Result<SessionHandle, String> {
    directory.named(&SessionId::parse(name)).map_err(|why| format!("{why}. ssh_open opens one"))
}

async fn open(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let host = arguments.text_or_empty("host");
    let lane = if arguments.flag("tty") == Some(false) { LineKind::Pipe } else { LineKind::Terminal };
    let name = arguments.text("name").unwrap_or(if lane == LineKind::Pipe { "pipe" } else { MAIN });
    let id = if host.contains('#') { SessionId::parse(host) } else { SessionId { device: host.to_owned(), name: name.to_owned() } };
    if let Some(other) = arguments.text("name").filter(|name| *name != id.name) {
        return Err(format!("`host` of ssh_open names the session `{}`, and `name` names `{other}`; give one of the two", id.name));
    }
    let size = (size_of(arguments, "cols")?, size_of(arguments, "rows")?);
    let wait = arguments.usual_wait(caller.ceiling_s);
    let work = async {
        let (handle, reused) = opening::open(directory, caller, &id, lane, size).await?;
        handle.opened_by(Author::agent(&caller.name));
        handle.until(|status| status.phase != Phase::Opening).await;
        Ok::<_, Unopened>((handle, reused))
    };
    let progress = || connecting(directory, &id.device);
    let Some(opened) = caller.wait(wait, progress, work).await else {
        let handle = directory.find(&id);
        let next = format!("Still {}; call ssh_open again.", progress());
        let state = handle.map_or("connecting", |handle| handle.status().phase.word());
        let mut fields = Map::from_iter([("session".to_owned(), id.to_string().into()), ("state".to_owned(), state.into())]);
        fields.extend(directory.connects_before(&id.device).map(|before| ("waiting_before".to_owned(), before.into())));
        return Ok(Reply::new(fields.into(), format!("{id} {state}")).with_next(&next));
    };
    let (handle, reused) = match opened {
        Ok(opened) => opened,
        Err(unopened) => return Ok(unopened.reply(&id)),
    };
    let status = handle.status();
    if let Phase::Closed(why) = &status.phase {
        return Err(format!("`{id}` closed while logging in: {why}"));
    }
    let mut fields = fields_of_open(directory, &id, &status, reused);
    let words: Vec<String> = fields.iter().filter_map(word_of_open).collect();
    let mut text = format!("{}{}", words.join(" "), if reused { " reused" } else { "" });
    let mut warnings = handle.welcome.warnings.clone();
    let host_key = Some(handle.welcome.host_key.clone()).filter(|key| !key.is_empty());
    for (name, value) in [("viewer", directory.page_of(&id)), ("host_key", host_key)] {
        if let Some(value) = value {
            text = format!("{text}\n{name}: {value}");
            fields.insert(name.to_owned(), value.into());
        }
    }
    if let Some((identity, found)) = identified(directory, &id.device) {
        fields.insert("identified".to_owned(), found);
        for reason in identity.reasons().iter().take(if identity.certain { 1 } else { usize::MAX }) {
            text = format!("{text}\ntype by what it shows: {reason}");
        }
        warnings.extend(identity.warning(&id.device));
    }
    for warning in &warnings {
        text = format!("{text}\nwarning: {warning}");
    }
    if !warnings.is_empty() {
        fields.insert("warnings".to_owned(), json!(warnings));
    }
    let banner = directory.known_secrets(&id.device).text(handle.welcome.banner.trim());
    if !banner.is_empty() {
        fields.insert("banner".to_owned(), escaped(&banner).into());
        text = format!("{text}\n{}", reply::fenced(&escaped(&banner)));
    }
    let next = match &status.phase {
        Phase::NeedsInput(question) => format!("The login waits: {question}. Look with ssh_screen, answer with ssh_send."),
        _ => String::new(),
    };
    Ok(Reply::new(Value::Object(fields), text).with_next(&next))
}

/// How an open session stands, and how it may be used.
fn fields_of_open(directory: &Arc<Directory>, id: &SessionId, status: &Status, reused: bool) -> Map<String, Value> {
    let mut fields = reply::session_fields(&id.to_string(), status);
    // A session goes on without its device.
    if let Ok(device) = directory.device(&id.device) {
        fields.insert("platform".to_owned(), kind_word(directory, &id.device, &device).into());
        fields.insert("access".to_owned(), directory.world().config.policy_for(&device).word().into());
        let idle = device.idle_close.map_or(Some(IDLE_CLOSE), Delay::duration);
        fields.insert("idle_close_s".to_owned(), json!(idle.map(|idle| idle.as_secs())));
    }
    fields.insert("reused".to_owned(), reused.into());
    fields
}

/// The same in the text, where it says something there.
fn word_of_open((key, value): (&String, &Value)) -> Option<String> {
    match (key.as_str(), value) {
        (_, Value::String(value)) => Some(format!("{key}={value}")),
        ("idle_close_s", Value::Number(seconds)) => Some(format!("{key}={seconds}")),
        _ => None,
    }
}

/// Columns or rows, where they are given.
fn size_of(arguments: &Arguments, key: &str) -> Result<Option<u16>, String> {
    let Some(count) = arguments.count(key) else { return Ok(None) };
    let (least, most) = (limits::TERMINAL_SIZES.start(), limits::TERMINAL_SIZES.end());
    let size = u16::try_from(count).ok().filter(|size| limits::TERMINAL_SIZES.contains(size));
    size.map(Some).ok_or_else(|| format!("`{key}` of ssh_open is {count}; it takes {least} to {most}"))
}

/// What is told while a device is connected to, with its place where it has to wait for its turn.
fn connecting(directory: &Directory, device: &str) -> String {
    match directory.connects_before(device) {
        None => format!("connecting to {device}"),
        Some(0) => format!("connecting to {device}: it waits for its turn and is the next one"),
        Some(before) => format!("connecting to {device}: it waits for its turn, and {before} other connections come before it"),
    }
}

async fn close(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let name = arguments.text_or_empty("session");
    let handle = open_session(directory, name)?;
    handle.commons.lock.check(&Author::agent(&caller.name), Instant::now()).map_err(|held| held.why)?;
    if let Phase::Busy(command) = handle.status().phase {
        return Err(format!("`{name}` runs {command}; stop it with ssh_interrupt command_id={command} first"));
    }
    directory.close(&handle.id).await;
    Ok(Reply::new(json!({"session": name, "closed": true}), format!("{name} closed")))
}

async fn run(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Reply {
    let target = arguments.text_or_empty("target");
    let query = OutputQuery { max_chars: capped(directory, arguments.usual_chars()), ..OutputQuery::default() };
    let kill_after = arguments.seconds("kill_after_s").filter(|limit| !limit.is_zero()).map(|limit| limit.min(KILL_AFTER_MAX));
    let lane = if arguments.text("lane") == Some("exec") { LineKind::Programs } else { LineKind::Terminal };
    let request = RunRequest {
        kill_after,
        mode: arguments.text("mode").map(str::to_owned),
        keep: arguments.text("commit").and_then(Keep::parse),
        why: reason(arguments),
        ..RunRequest::new(arguments.text_or_empty("command"), Purpose::Run, &caller.name)
    };
    one(directory, caller, target, Wanted { request, lane, end_within: None }, arguments.usual_wait(caller.ceiling_s), query).await
}

/// Why the caller wants it, as it says.
pub(super) fn reason(arguments: &Arguments) -> String {
    arguments.text_or_empty("reason").trim().chars().take(CALLER_REASON_MAX_CHARS).collect()
}

/// A command, and on which lane.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) request: RunRequest,
    pub(super) lane: LineKind,
    /// Its end is waited for so long once it has begun; nothing is what the call has left.
    pub(super) end_within: Option<Duration>,
}

/// One command on one target, opening the session if need be.
pub(super) async fn one(
    directory: &Arc<Directory>,
    caller: &Caller,
    target: &str,
    Wanted { request, lane, end_within }: Wanted,
    wait: Duration,
    query: OutputQuery,
) -> Reply {
    let started = tokio::time::Instant::now();
    let left = || wait.saturating_sub(started.elapsed());
    let mut patience = Patience::new(caller);
    let id = opening::id_of(target, lane);
    // What was opened without a terminal stays so when it has ended.
    let had_none = |old: SessionHandle| old.closed().is_some() && !old.commons.has_terminal && id.name != opening::EXEC;
    let lane = if lane == LineKind::Terminal && directory.find(&id).is_some_and(had_none) { LineKind::Pipe } else { lane };
    // A program needs nothing that a session keeps: where a connection had ended before, another one does as well.
    let mut tries = if lane == LineKind::Programs { PROGRAM_TRIES } else { 1 };
    loop {
        tries -= 1;
        let opening = opening::open(directory, caller, &id, lane, (None, None));
        let handle = match patience.wait(left().max(LOOK_EVERY), || connecting(directory, &id.device), opening).await {
            Some(Ok((handle, _))) => {
                handle.opened_by(Author::agent(&caller.name));
                handle
            }
            Some(Err(unopened)) => return unopened.reply(&id),
            None => {
                return Reply::failed(&format!(
                    "still {}; nothing was run. Call again, or ssh_open host={target} wait_s=45",
                    connecting(directory, &id.device)
                ));
            }
        };
        let session = handle.id.to_string();
        let limits = directory.world().config.limits;
        if let Err(message) = directory.quota().device(&caller.name, &handle.id.device, &limits, Instant::now()) {
            return Reply::failed(&message);
        }
        // A command waits a little for its turn, even if the time is over: the answer to "busy" takes a moment, and what was typed
        // before has to come to rest.
        let least = if handle.status().phase == Phase::Ready { TYPED_AHEAD_SETTLE + LOOK_EVERY } else { LOOK_EVERY };
        let turn = || left().max(least);
        let rooms = directory.rooms();
        let crowd = || rooms.crowd(&handle.id).unwrap_or_else(|| "others came before it".to_owned());
        let room = patience.wait(turn(), || format!("{session}: waiting: {}", crowd()), rooms.take(&handle.id, limits));
        let mut room = match room.await {
            Some(Ok(room)) => room,
            Some(Err(message)) => return Reply::failed(&message),
            None => return Reply::failed(&format!("{}; nothing was run. Wait for one with ssh_output, or call again", crowd())),
        };
        match in_turn(&handle, &mut patience, turn(), request.clone()).await {
            Ok(accepted) => {
                let state = accepted.state.clone();
                room.is_for(state.clone());
                let reply = finish(&handle, &mut patience, target, accepted, end_within.unwrap_or_else(left), query.clone()).await;
                if tries == 0 || *state.borrow() != State::Unstarted {
                    return reply;
                }
            }
            Err(Refusal::Closed(_)) if tries > 0 => {}
            Err(refusal) => return reply::refused(&session, &refusal),
        }
    }
}

/// A command's turn, waited for at most so long. Behind a question of the caller's own command it is not waited for: nobody else is likely
/// to answer that. What asks somebody else may be answered meanwhile. What begins in the moment in which it is given up is given all the
/// same: it would run on, and its caller would hear that nothing was typed.
async fn in_turn(handle: &SessionHandle, patience: &mut Patience<'_>, limit: Duration, request: RunRequest) -> Result<Accepted, Refusal> {
    let by = request.author();
    let asked = async {
        // Where nothing runs nothing asks, and most commands have their turn then: that costs no timer.
        handle.until(|status| status.phase != Phase::Ready).await;
        // An answer may be on its way: calls come in no order.
        sleep(LOOK_EVERY).await;
        let mut looks = handle.looks();
        while handle.asks().is_none_or(|(_, whose)| whose != by) {
            looks.next().await;
        }
    };
    let given_up = async {
        patience.wait(limit, || turn_before(handle), asked).await;
        handle.busy(&by)
    };
    handle.run_unless(request, given_up).await
}

/// What is told to who waits for a turn.
fn turn_before(handle: &SessionHandle) -> String {
    let id = &handle.id;
    match handle.asks() {
        Some((question, whose)) => format!("{id}: waiting for its turn: what {whose} runs there asks {question}"),
        None => format!("{id}: waiting for its turn"),
    }
}

async fn finish(
    handle: &SessionHandle,
    patience: &mut Patience<'_>,
    target: &str,
    accepted: Accepted,
    wait: Duration,
    query: OutputQuery,
) -> Reply {
    let session = handle.id.to_string();
    let Accepted { id, mut state, .. } = accepted;
    let mut held: Option<String> = None;
    // A session that ends says so first.
    let settled = async { state.wait_for(|state| state.is_over() || *state == State::NeedsInput).await.is_ok() };
    let progress = || format!("{session}: {id} runs, {} bytes in the log", reply::grouped(handle.status().log_bytes));
    if patience.wait(wait, progress, settled).await.is_none() && patience.has_given_up() {
        // Nobody wants its end any more: it is stopped as by hand, and by nobody who is kept out.
        match handle.commons.lock.check(&Author::agent(&patience.caller.name), Instant::now()) {
            Ok(()) => drop(super::interrupt::stop(handle, id, Stop::Interrupt).await),
            Err(kept_out) => held = Some(format!("{id} was not stopped: {}", kept_out.why)),
        }
    }
    match handle.report(OutputQuery { command: Some(id), ..query }).await {
        Ok(mut report) => {
            report.warnings.extend(held);
            reply::command(target, &session, report)
        }
        Err(message) => Reply::failed(&message),
    }
}

async fn query(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let targets = arguments.texts("targets");
    if targets.is_empty() || targets.len() > QUERY_TARGETS_MAX {
        return Err(format!("`targets` of ssh_query names {} devices; name 1 to {QUERY_TARGETS_MAX}", targets.len()));
    }
    let command = arguments.text_or_empty("command");
    let wait = arguments.usual_wait(caller.ceiling_s);
    let query = OutputQuery { max_chars: capped(directory, arguments.max_chars(QUERY_DEFAULT_CHARS)), ..OutputQuery::default() };
    let wanted = Wanted { request: RunRequest::new(command, Purpose::Query, &caller.name), lane: LineKind::Terminal, end_within: None };
    let calls = targets.iter().map(|target| {
        let (wanted, query) = (wanted.clone(), query.clone());
        async move {
            let mut reply = one(directory, caller, target, wanted, wait, query).await;
            count_denial(directory, caller, &reply);
            // Each is about a session of its own, and may be an error among answers.
            super::handover::tell(directory, caller, &mut reply).await;
            super::conceal::conceal(reply, &directory.world().config)
        }
    });
    let replies = join_all(calls).await;
    if let [reply] = replies.as_slice() {
        let mut reply = reply.clone();
        let result = Value::Object(reply.fields.clone());
        // An error is where every tool has it.
        let keep: &[&str] = if reply.error { &["ok", "next", "error", "state", "verdict"] } else { &["ok", "next"] };
        reply.fields.retain(|name, _| keep.contains(&name.as_str()));
        reply.fields.insert("results".to_owned(), vec![result].into());
        return Ok(reply);
    }
    Ok(many(&targets, &replies))
}

/// Answers of several targets; equal ones are shown once.
fn many(targets: &[String], replies: &[Reply]) -> Reply {
    let mut groups: Vec<(Vec<&str>, &str)> = Vec::new();
    for (target, reply) in targets.iter().zip(replies) {
        let output = reply.fields.get("output").and_then(Value::as_str);
        let Some(output) = output.filter(|_| !reply.error) else { continue };
        match groups.iter_mut().find(|(_, known)| *known == output) {
            Some((members, _)) => members.push(target),
            None => groups.push((vec![target], output)),
        }
    }
    let text = match (groups.as_slice(), same_end(replies)) {
        ([(members, output)], Some(end)) if members.len() == replies.len() => {
            let id = |reply: &Reply| reply.fields.get("command_id").and_then(Value::as_str).unwrap_or_default().to_owned();
            let members: Vec<String> = replies.iter().zip(targets).map(|(reply, target)| format!("{target} {}", id(reply))).collect();
            format!("equal on {}: {end}\n{}", members.join(", "), reply::fenced(output))
        }
        _ => replies.iter().zip(targets).map(|(reply, target)| format!("== {target}\n{}", reply.text)).collect::<Vec<_>>().join("\n\n"),
    };
    let shown: Vec<Value> = groups
        .iter()
        .filter(|(members, _)| members.len() > 1)
        .map(|(members, output)| json!({"targets": members, "output": output}))
        .collect();
    let results: Vec<Value> = replies.iter().map(|reply| Value::Object(reply.fields.clone())).collect();
    let failed = replies.iter().all(|reply| reply.error);
    let reply = Reply::new(json!({"ok": !failed, "results": results, "groups": shown}), text);
    let approvals = replies.iter().flat_map(|reply| reply.approvals.clone()).collect();
    Reply { error: failed, approvals, ..reply }
}

/// How all of these commands ended, where they ended alike and no answer says anything that holds for its target alone.
fn same_end(replies: &[Reply]) -> Option<String> {
    let mut ends = replies.iter().map(|reply| plain_end(reply.error, &reply.fields));
    let first = ends.next()??;
    ends.all(|end| end.as_ref() == Some(&first)).then_some(first)
}

/// The session that a call is about: by name, or by a command that it remembers.
pub(super) fn about(directory: &Arc<Directory>, arguments: &Arguments) -> Result<(SessionHandle, Option<CommandId>), String> {
    let Some(text) = arguments.text("command_id") else {
        let name = arguments.text("session").ok_or("give `command_id` or `session`")?;
        return Ok((open_session(directory, name)?, None));
    };
    let id: CommandId = text.parse().map_err(|()| format!("`{text}` is no command id; they look like c41"))?;
    if let Some(handle) = directory.of_command(id) {
        return Ok((handle, Some(id)));
    }
    Err(format!("no session remembers {id}; its session was closed, or it is long ago. ssh_sessions lists what is open"))
}

/// The rollout that a call is about, if it is about one.
pub(super) fn rollout(directory: &Directory, arguments: &Arguments) -> Option<Arc<Rollout>> {
    directory.rollouts().find(arguments.text("command_id")?.parse().ok()?)
}

async fn send(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let handle = open_session(directory, arguments.text_or_empty("session"))?;
    let session = handle.id.to_string();
    let expect = arguments.text("expect");
    if let Some(pattern) = expect {
        // Before anything is typed.
        expression("expect", pattern)?;
    }
    let request = SendRequest {
        text: arguments.text_or_empty("text").to_owned(),
        keys: arguments.texts("keys"),
        secret: arguments.text("secret").map(str::to_owned),
        caller: caller.name.clone(),
    };
    let was_busy = matches!(handle.status().phase, Phase::Busy(_));
    let mut looks = handle.looks();
    let before = match handle.send(request).await {
        Ok(before) => before,
        Err(refusal) => return Ok(reply::refused(&session, &refusal)),
    };
    let query = OutputQuery { offset: Some(before), max_chars: capped(directory, OUTPUT_DEFAULT_CHARS), ..OutputQuery::default() };
    // Also what has no room in the answer.
    let mut awaited = expect.map(|pattern| OutputQuery { grep: Some(pattern.to_owned()), ..query.clone() });
    let mut line = None;
    let waiting = async {
        loop {
            looks.next().await;
            // Asked first: what comes before its end is part of the answer.
            let (back, closed) = (was_busy && handle.status().phase == Phase::Ready, handle.closed().is_some());
            line = matched(&handle, &mut awaited).await?;
            let report = handle.report(query.clone()).await?;
            let ready = expect.is_none() && (report.ask.is_some() || back);
            if line.is_some() || ready || closed {
                return Ok::<_, String>(report);
            }
        }
    };
    let wait = arguments.wait(SEND_WAIT_S, caller.ceiling_s);
    let report = match caller.wait(wait, || format!("{session}: waiting for an answer"), waiting).await {
        Some(report) => report?,
        None => {
            line = matched(&handle, &mut awaited).await?;
            handle.report(query).await?
        }
    };
    let phase = handle.status().phase;
    let ask = report.ask.is_some().then(|| reply::asks(&session, &report));
    let mut reply = reply::command(&handle.id.device, &session, report);
    let word = if ask.is_some() { State::NeedsInput.word() } else { phase.word() };
    reply.fields.insert("state".to_owned(), word.into());
    if expect.is_some() {
        let told = line.as_deref().map(|line| format!("matched line: {}", escaped_line(line)));
        let told = told.unwrap_or_else(|| "no line matches `expect`".to_owned());
        reply.text = format!("{told}\n{}", reply.text);
        reply.fields.insert("matched_line".to_owned(), line.into());
    }
    reply.text = format!("{session} {word}\n{}", reply.text);
    let next = match phase {
        Phase::Busy(id) => {
            reply.fields.insert("command_id".to_owned(), id.to_string().into());
            ask.unwrap_or_else(|| {
                format!("{id} runs. ssh_output command_id={id} wait_s=30, ssh_screen session={session}, or ssh_send again.")
            })
        }
        _ => String::new(),
    };
    Ok(reply.with_next(&next))
}

/// The first line that matches what is waited for, if it has come. What was searched is not searched again.
async fn matched(handle: &SessionHandle, awaited: &mut Option<OutputQuery>) -> Result<Option<String>, String> {
    let Some(query) = awaited else { return Ok(None) };
    let found = super::output::searched(handle, query).await?;
    query.offset = Some(found.range.end);
    Ok(first_line(&found.output).map(str::to_owned))
}

async fn screen(directory: &Arc<Directory>, arguments: &Arguments) -> Result<Reply, String> {
    let handle = open_session(directory, arguments.text_or_empty("session"))?;
    if !handle.commons.has_terminal {
        return Err(format!("`{}` has no terminal, so no screen; ssh_output command_id shows what a command has printed", handle.id));
    }
    let report = handle.screen(arguments.count("since")).await?;
    Ok(reply::screen(&handle.id.to_string(), &report))
}

#[cfg(test)]
mod tests;
