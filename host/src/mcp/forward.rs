//! `ssh_forward`, and forwards in lists.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::Caller;
use super::calls::open_session;
use super::reply::{self, Reply};
use super::tools::Arguments;
use crate::audit::record::Ended;
use crate::directory::Directory;
use crate::directory::permit::Act;
use crate::forward::{self, End, Forward, Kind, Wanted, decide};
use crate::ids::SessionId;
use crate::session::SessionHandle;

/// Opens or closes one.
pub(super) async fn forward(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let name = arguments.text_or_empty("session");
    let id = SessionId::parse(name);
    // One that waits for its connection outlives its session.
    let is_waiting = || !directory.forwards().list(Some(&id.to_string())).is_empty();
    match arguments.text_or_empty("action") {
        "close" if is_waiting() => close(directory, &id, arguments),
        "close" => close(directory, &open_session(directory, name)?.id, arguments),
        _ => open(directory, caller, &open_session(directory, name)?, arguments).await,
    }
}

fn wanted(arguments: &Arguments) -> Result<Wanted, String> {
    let kind = Kind::of(arguments.text("kind").unwrap_or("local")).unwrap_or(Kind::Local);
    let listen = End::parse(arguments.text("listen").unwrap_or("0"))?;
    let to = match (arguments.text("to"), kind) {
        (Some(_), Kind::Socks) => return Err("a SOCKS forward goes where each connection says; leave `to` out".to_owned()),
        (Some(to), _) => Some(End::parse(to)?),
        (None, Kind::Socks) => None,
        (None, _) => return Err(format!("a {} forward comes out somewhere: say where with to=host:port", kind.word())),
    };
    Ok(Wanted { kind, listen, to, keep: arguments.flag("keep").unwrap_or(false) })
}

async fn open(directory: &Arc<Directory>, caller: &Caller, session: &SessionHandle, arguments: &Arguments) -> Result<Reply, String> {
    let wanted = wanted(arguments)?;
    let world = directory.world();
    let device = world.device(&session.id.device).map_err(|error| error.to_string())?;
    let act = Act {
        device: &session.id.device,
        session: session.id.to_string(),
        user: device.user.as_deref().unwrap_or_default(),
        caller: &caller.name,
        purpose: "forward",
        text: wanted.to_string(),
        decision: decide(&world.config.forward, world.config.policy_for(device), &wanted),
    };
    if let Err(refusal) = directory.permit(act).await {
        return Ok(reply::refused(&session.id.to_string(), &refusal));
    }
    let (wait, name) = (arguments.usual_wait(caller.ceiling_s), session.id.to_string());
    let opening = forward::open(directory, session, &caller.name, wanted);
    let Some(forward) = caller.wait(wait, || format!("opening a forward through {name}"), opening).await else {
        return Err(format!(
            "opening a forward through `{name}` took longer than {} s; none is open. ssh_info topic=health target={} shows where the way stops",
            wait.as_secs(),
            session.id.device
        ));
    };
    let forward = forward?;
    let text = format!("{} {} through {}", forward.id, forward.wanted, forward.session);
    let until = if forward.wanted.keep {
        "It comes back after a lost connection, and closes when the session is closed"
    } else {
        "It closes with the session"
    };
    let next = format!("{until}, or with ssh_forward session={} action=close id={}.", forward.session, forward.id);
    Ok(Reply::new(fields(&forward), text).with_next(&next))
}

fn close(directory: &Arc<Directory>, session: &SessionId, arguments: &Arguments) -> Result<Reply, String> {
    let id = arguments.text("id").ok_or("say which forward to close with id=; ssh_sessions lists them")?;
    let name = session.to_string();
    if !directory.forwards().list(Some(&name)).iter().any(|forward| forward.id == id) {
        let open: Vec<String> = directory.forwards().list(Some(&name)).into_iter().map(|forward| forward.id).collect();
        let open = if open.is_empty() { "it has none".to_owned() } else { format!("it has: {}", open.join(", ")) };
        return Err(format!("session `{name}` has no forward `{id}`; {open}"));
    }
    let forward = directory.forwards().close(id)?;
    directory.audit().end(&Ended {
        session: name.clone(),
        device: &session.device,
        command_id: forward.id.clone(),
        state: "done",
        output_bytes: forward.counts.received.load(Ordering::Relaxed),
        ..Ended::default()
    });
    let mut fields = fields(&forward);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("closed".to_owned(), true.into());
    }
    Ok(Reply::new(fields, format!("{} closed: {}", forward.id, forward.wanted)))
}

/// A forward in a list.
pub(super) fn fields(forward: &Forward) -> Value {
    let counts = &forward.counts;
    let number = |count: &std::sync::atomic::AtomicUsize| count.load(Ordering::Relaxed);
    let down = counts.down().map(|down| json!({"seconds": down.since.elapsed().as_secs(), "why": down.why}));
    let state = if down.is_some() { "down" } else { "open" };
    json!({"id": forward.id, "session": forward.session, "state": state, "down": down, "keep": forward.wanted.keep, "kind": forward.wanted.kind.word(), "listen": forward.wanted.listen.to_string(),
        "to": forward.wanted.to.as_ref().map(ToString::to_string), "opened_by": forward.caller, "connections": number(&counts.open),
        "connections_total": number(&counts.total), "connections_failed": number(&counts.failed),
        "bytes_sent": counts.sent.load(Ordering::Relaxed), "bytes_received": counts.received.load(Ordering::Relaxed),
        "last_trouble": Some(counts.trouble()).filter(|why| !why.is_empty())})
}

/// The same as a line.
pub(super) fn line(forward: &Forward) -> String {
    let open = forward.counts.open.load(Ordering::Relaxed);
    let down = forward.counts.down().map(|down| format!(" down for {} s, tried again: {}", down.since.elapsed().as_secs(), down.why));
    format!("{} {} connections={open}{}", forward.id, forward.wanted, down.unwrap_or_default())
}
