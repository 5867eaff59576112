//! `ssh_transfer`: a plan that policy judges file by file, then its work, which goes on when the call's time is over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Caller;
use super::desk::{Desk, Found, READS, Stop, Underway, WRITES, Way, path_of, with_base, word};
use super::reply::{self, Reply};
use super::tools::Arguments;
use crate::audit::record::Filed;
use crate::directory::Directory;
use crate::files::FilesError;
use crate::files::local::{Local, within};
use crate::files::name::{given, join, sha2_hex, shown};
use crate::files::plan::{Plan, Wanted, top_of};
use crate::files::program::Programs;
use crate::files::running::{Claim, End, Place, Started, Targets};
use crate::files::single::{Single, command_for};
use crate::files::transfer::{Direction, Options, Outcome, Progress, Transfer};
use crate::files::tree::Ignore;
use crate::limits::TRANSFER_LISTED_MAX;
use crate::policy::{Effect, Purpose, Verdict};
use crate::session::errand::Permit;

/// What a call wants.
struct Call {
    direction: Direction,
    local: Vec<u8>,
    remote: Vec<u8>,
    options: Options,
    dry_run: bool,
    key: String,
}

impl Call {
    fn of(arguments: &Arguments, caller: &Caller) -> Result<Self, String> {
        let direction = if arguments.text("direction") == Some("up") { Direction::Up } else { Direction::Down };
        let local = given(arguments.text_or_empty("local"))?;
        let local = match (local.strip_prefix(b"~"), std::env::var_os("HOME")) {
            (Some(below), Some(home)) if below.is_empty() || below.first() == Some(&b'/') => [home.as_encoded_bytes(), below].concat(),
            _ => local,
        };
        let flag = |name: &str| arguments.flag(name);
        let options = Options {
            wanted: Wanted { sync: flag("sync").unwrap_or(true), delete: flag("delete") == Some(true) },
            checksum: flag("checksum") == Some(true),
            verify: true,
            ignore: Ignore::new(&arguments.texts("ignore")).map_err(|error| error.to_string())?,
        };
        let key = ["target", "direction", "local", "remote"].map(|name| arguments.text_or_empty(name)).join("\0");
        let flags = format!("{:?} {} {:?}", options.wanted, options.checksum, arguments.texts("ignore"));
        let remote = path_of(arguments.text_or_empty("remote"))?;
        let dry_run = flag("dry_run") == Some(true);
        Ok(Self { direction, local, remote, options, dry_run, key: format!("{}\0{key}\0{flags}", caller.name) })
    }

    fn word(&self) -> &'static str {
        if self.direction == Direction::Up { "up" } else { "down" }
    }

    /// The command that would read or write one of its files on the device.
    fn command(&self) -> &'static str {
        if self.direction == Direction::Up { WRITES } else { READS }
    }

    /// What a person reads behind the line.
    fn bound(&self) -> String {
        let Self { options, .. } = self;
        let delete = if options.wanted.delete { ", deleting what the source does not have" } else { "" };
        format!(" # ssh_transfer {} {}{delete}", self.word(), shown(&self.local))
    }
}

pub(super) async fn transfer(directory: &Directory, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let wait = arguments.usual_wait(caller.ceiling_s);
    let started = tokio::time::Instant::now();
    let call = Call::of(arguments, caller)?;
    // What would be done is looked at anew, whatever runs.
    let place = if call.dry_run {
        None
    } else {
        match directory.transfers().claim(&call.key, Instant::now())? {
            Claim::Known(running) => return Ok(wait_for(directory, caller, &call, running, wait).await),
            Claim::Free(place) => Some(place),
        }
    };
    let work = begin(directory, caller, arguments, &call, place);
    let begun = caller.wait(wait, || format!("comparing {} and {}", shown(&call.local), shown(&call.remote)), work).await;
    match begun {
        Some(Ok(Begun::Done(reply))) => Ok(*reply),
        Some(Ok(Begun::Runs(running))) => Ok(wait_for(directory, caller, &call, *running, wait.saturating_sub(started.elapsed())).await),
        Some(Err(stop)) => stop.reply(),
        None => Err(format!(
            "comparing both sides took longer than {} s; nothing was copied. Call again with a larger wait_s, or take a smaller folder",
            wait.as_secs()
        )),
    }
}

enum Begun {
    Done(Box<Reply>),
    Runs(Box<Started>),
}

/// Plans, and starts it in the place that is kept for it; without one nothing is started.
async fn begin(
    directory: &Directory,
    caller: &Caller,
    arguments: &Arguments,
    call: &Call,
    place: Option<Place<'_>>,
) -> Result<Begun, Stop> {
    let settings = directory.world().config.files.clone();
    let local = within(&settings.roots, &call.local)?;
    let desk = Desk::open(directory, caller, arguments).await?;
    let known = desk.errand.known().clone();
    begin_at(directory, desk, call, local, settings.max_bytes, place).await.map_err(|stop| stop.concealed(&known))
}

/// The same on a device.
async fn begin_at(
    directory: &Directory,
    desk: Desk,
    call: &Call,
    local: Local,
    max_bytes: u64,
    place: Option<Place<'_>>,
) -> Result<Begun, Stop> {
    let line = desk.whole_line(call.command(), &call.remote)?;
    let verdict = desk.judge(&line, Purpose::Run).await;
    let permit = Arc::new(desk.admit(&format!("{line}{}", call.bound()), Purpose::Run, verdict).await?);
    let begun = Underway::new(&desk, &permit, "its caller waited no longer: nothing was copied");
    let planned = async {
        let way = match desk.found(directory, &permit).await? {
            Found::Files(way) => way,
            Found::Copies(programs, _) => {
                let targets = directory.transfers().targets(&desk.device);
                return single(&desk, call, local, programs, (max_bytes, targets)).await.map(Planned::Single);
            }
        };
        let mut transfer = Transfer {
            remote: way.remote.clone(),
            programs: way.programs.clone(),
            local,
            path: call.remote.clone(),
            direction: call.direction,
            options: call.options.clone(),
            progress: Arc::<Progress>::default(),
            targets: directory.transfers().targets(&desk.device),
        };
        let mut plan = transfer.plan().await?;
        if plan.bytes() > max_bytes {
            return Err(FilesError::too_much(plan.bytes(), max_bytes).into());
        }
        judge_plan(&desk, call, &transfer, &mut plan).await?;
        Ok(Planned::Files(Box::new((way, transfer, plan))))
    };
    let planned = match planned.await {
        Ok(planned) => planned,
        Err(stop) => {
            desk.stopped(&permit, &stop);
            begun.ended(Some(stop.why()), Vec::new());
            return Err(stop);
        }
    };
    let Some(place) = place else {
        begun.ended(None, Vec::new());
        let plan = match &planned {
            Planned::Files(planned) => dry(call, &planned.2),
            Planned::Single(single) => dry_single(call, single),
        };
        return Ok(Begun::Done(Box::new(with_base(plan, &desk, &permit))));
    };
    begun.goes_on();
    let started = match planned {
        Planned::Files(planned) => {
            let (way, transfer, plan) = *planned;
            let (path, local, progress) = (transfer.path.clone(), shown(&transfer.local.whole(b"")), Arc::clone(&transfer.progress));
            let work = async move {
                let done = transfer.carry_out(plan).await;
                // The streams of the transfer end with their connection.
                drop(way);
                done
            };
            let next = "What was copied stays. The same call goes on from there.";
            spawn(call.word(), desk, permit, Copied { path, local, progress, next }, work)
        }
        Planned::Single(single) => {
            // The copy protocol has no way to begin in the middle.
            let next = match call.direction {
                Direction::Up => "The device may have a part of it under that name. The same call copies it from its beginning.",
                Direction::Down => "Nothing of it was kept here. The same call copies it from its beginning.",
            };
            let (path, local, progress) = (single.path.clone(), shown(&single.local.whole(b"")), Arc::clone(&single.progress));
            let copied = Copied { path, local, progress, next };
            spawn(call.word(), desk, permit, copied, single.carry_out())
        }
    };
    place.fill(started.clone());
    Ok(Begun::Runs(Box::new(started)))
}

/// What is to be done.
enum Planned {
    /// By a file service or a shell.
    Files(Box<(Way, Transfer, Plan)>),
    /// One file by the copy protocol.
    Single(Single),
}

/// The copy of one file on a device that has no more than that.
async fn single(
    desk: &Desk,
    call: &Call,
    local: Local,
    programs: Arc<dyn Programs>,
    (max_bytes, targets): (u64, Targets),
) -> Result<Single, Stop> {
    let copy = desk.errand.copy().ok_or_else(|| format!("`{}` does not copy files", desk.device))?;
    let template = if call.direction == Direction::Up { &copy.store } else { &copy.fetch };
    let command = command_for(template, &call.remote).map_err(|why| why.to_string())?;
    let (path, direction, progress) = (call.remote.clone(), call.direction, Arc::<Progress>::default());
    Ok(Single { programs, command, local, path, direction, max_bytes, progress, targets }.aimed().await?)
}

/// What policy says of the steps of a plan, by their paths from the top.
#[derive(Default)]
struct Judged {
    asked: Vec<(Vec<u8>, Verdict)>,
    denied: Vec<(Vec<u8>, Verdict)>,
    /// Where nothing is done, nor below.
    kept: BTreeSet<Vec<u8>>,
}

impl Judged {
    /// Judges steps. Those that are denied come back.
    async fn refused(&mut self, desk: &Desk, command: &str, top: &[u8], paths: &[Vec<u8>]) -> Result<BTreeSet<Vec<u8>>, Stop> {
        let whole: Vec<Vec<u8>> = paths.iter().map(|path| below(top, path)).collect();
        let mut denied = BTreeSet::new();
        for (number, verdict) in desk.refused(command, &whole, Purpose::Run).await? {
            let Some(path) = paths.get(number) else { continue };
            if verdict.decision.effect == Effect::Ask {
                self.asked.push((path.clone(), verdict));
            } else {
                denied.insert(path.clone());
                self.denied.push((path.clone(), verdict));
            }
        }
        Ok(denied)
    }

    /// Takes what is left out from the plan, and says so there. What is still to be asked about comes back.
    fn settle(self, plan: &mut Plan, top: &[u8]) -> Option<Verdict> {
        let Self { asked, denied, kept } = self;
        let say = |(path, verdict): &(Vec<u8>, Verdict)| {
            format!("`{}` is left out: {} (rule {})", shown(&below(top, path)), verdict.decision.reason, verdict.decision.rule)
        };
        plan.left_out.extend(denied.iter().map(say));
        for (path, steps) in plan.leave_out(&kept) {
            plan.left_out.push(format!("with it {steps} steps at `{}` or below are left out", shown(&below(top, &path))));
        }
        asked.into_iter().find(|(path, _)| top_of(path, &kept).is_none()).map(|(_, verdict)| verdict)
    }
}

/// A path of the plan as a whole one.
fn below(top: &[u8], path: &[u8]) -> Vec<u8> {
    if path.is_empty() { top.to_vec() } else { join(top, path) }
}

/// Has policy judge what the plan does on the device: what is denied is left out, what is to be asked about is asked as a whole.
async fn judge_plan(desk: &Desk, call: &Call, transfer: &Transfer, plan: &mut Plan) -> Result<(), Stop> {
    let top = transfer.path.clone();
    // Links in the way to the top lead elsewhere than was said.
    let top = transfer.remote.whole_path(&top).await.unwrap_or(top);
    let mut judged = Judged::default();
    let copies: Vec<Vec<u8>> = plan.copies.iter().map(|copy| copy.path.clone()).collect();
    // That its folder gets another time is no step of its own.
    let is_one = copies.len() == 1 && plan.steps() - plan.altered().count() == 1;
    let refused = judged.refused(desk, call.command(), &top, &copies).await?;
    if is_one && let Some((path, verdict)) = judged.denied.pop() {
        let line = format!("{} {}", call.command(), word(&below(&top, &path)));
        return desk.agree(&format!("{line}{}", call.bound()), Purpose::Run, verdict).await;
    }
    plan.copies.retain(|copy| !refused.contains(&copy.path));
    judged.kept.extend(refused);
    if call.direction == Direction::Up {
        judge_changes(desk, &mut judged, &top, plan).await?;
    }
    if let Some(verdict) = judged.settle(plan, &top) {
        let lines = plan.lines(20).join("\n");
        let whole = plan.lines(usize::MAX).join("\n");
        let text = format!(
            "{} {}{}\n{lines}\n# {} steps, sha256 of all {}",
            call.command(),
            word(&top),
            call.bound(),
            plan.steps(),
            sha2_hex(whole.as_bytes())
        );
        desk.agree(&text, Purpose::Run, verdict).await?;
    }
    Ok(())
}

/// What else is changed on the device.
async fn judge_changes(desk: &Desk, judged: &mut Judged, top: &[u8], plan: &mut Plan) -> Result<(), Stop> {
    let in_the_way: Vec<Vec<u8>> = plan.in_the_way.iter().map(|(path, _)| path.clone()).collect();
    let refused = judged.refused(desk, "rm -f", top, &in_the_way).await?;
    judged.kept.extend(plan.keep_in_the_way(&refused));
    let removals: Vec<Vec<u8>> = plan.removals.iter().map(|(path, _)| path.clone()).collect();
    let refused = judged.refused(desk, "rm -f", top, &removals).await?;
    plan.removals.retain(|(path, _)| !refused.contains(path));
    judge_settings(desk, judged, top, plan).await?;
    let made: Vec<Vec<u8>> = plan.folders.iter().chain(plan.links.iter().map(|(path, _)| path)).cloned().collect();
    let refused = judged.refused(desk, WRITES, top, &made).await?;
    plan.folders.retain(|path| !refused.contains(path));
    plan.links.retain(|(path, _)| !refused.contains(path));
    judged.kept.extend(refused);
    Ok(())
}

/// Modes and times of what is there already. Those of new folders belong to what makes them.
async fn judge_settings(desk: &Desk, judged: &mut Judged, top: &[u8], plan: &mut Plan) -> Result<(), Stop> {
    let files: Vec<Vec<u8>> = plan.touch.iter().map(|(path, _)| path.clone()).collect();
    let refused = judged.refused(desk, WRITES, top, &files).await?;
    plan.touch.retain(|(path, _)| !refused.contains(path));
    let new: BTreeSet<&Vec<u8>> = plan.folders.iter().collect();
    let old: Vec<Vec<u8>> = plan.finish.iter().map(|(path, _)| path).filter(|path| !new.contains(path)).cloned().collect();
    let (altered, alike): (Vec<Vec<u8>>, Vec<Vec<u8>>) = old.into_iter().partition(|path| plan.altered.contains(path));
    let refused = judged.refused(desk, WRITES, top, &altered).await?;
    // Those that are as they are to be only get back the time that work in them takes from them: without that, nothing is left out.
    let mut unsaid = Judged::default();
    let mut untouched = unsaid.refused(desk, WRITES, top, &alike).await?;
    untouched.extend(unsaid.asked.into_iter().map(|(path, _)| path));
    plan.finish.retain(|(path, _)| !refused.contains(path) && !untouched.contains(path));
    Ok(())
}

fn dry(call: &Call, plan: &Plan) -> Reply {
    let lines = plan.lines(TRANSFER_LISTED_MAX);
    let fields = json!({"state": "planned", "direction": call.word(), "files": plan.copies.len(), "bytes": plan.bytes(), "skipped": plan.skipped,
        "plan": lines, "problems": plan.left_out});
    let mut rows = lines;
    rows.extend(plan.left_out.iter().map(|what| format!("not done: {what}")));
    let head = format!(
        "planned: {} files, {} bytes; {} are alike. Nothing was done",
        plan.copies.len(),
        reply::grouped(plan.bytes()),
        plan.skipped
    );
    Reply::new(fields, format!("{head}\n{}", reply::fenced(&rows.join("\n")))).with_next("To do it, make the same call without dry_run.")
}

fn dry_single(call: &Call, single: &Single) -> Reply {
    let plan = format!("{} ({} by the copy protocol; nothing is compared)", shown(&single.path), call.word());
    let fields = json!({"state": "planned", "direction": call.word(), "files": 1, "plan": [plan]});
    Reply::new(fields, format!("planned: 1 file\n{}\nNothing was done", reply::fenced(&plan)))
        .with_next("To do it, make the same call without dry_run.")
}

/// What is copied, for the record.
struct Copied {
    path: Vec<u8>,
    local: String,
    progress: Arc<Progress>,
    /// What stays of it and what the same call does, where it fails.
    next: &'static str,
}

/// Starts the work, which belongs to nobody's call.
fn spawn(
    direction: &'static str,
    desk: Desk,
    permit: Arc<Permit>,
    copied: Copied,
    work: impl Future<Output = Result<Outcome, FilesError>> + Send + 'static,
) -> Started {
    let (tell, end) = watch::channel::<End>(None);
    let stop = CancellationToken::new();
    let Copied { path, local, progress, next } = copied;
    let started = Started {
        id: permit.id,
        caller: desk.caller.clone(),
        device: desk.device.clone(),
        session: desk.errand.session(),
        progress,
        end,
        next,
        stop: stop.clone(),
        since: Instant::now(),
    };
    tokio::spawn(async move {
        let done = tokio::select! {
            done = work => done,
            () = stop.cancelled() => Err(FilesError::Refused("it was stopped on request".to_owned())),
        };
        let known = desk.errand.known();
        let done = done.map(|outcome| outcome.concealed(known)).map_err(|error| error.concealed(known));
        let filed = |direction: &'static str, path: &[u8]| Desk::filed(direction, path);
        let (failure, files) = match &done {
            Ok(outcome) => {
                let copied = Filed {
                    local: Some(local),
                    bytes: outcome.bytes,
                    files: u64::try_from(outcome.files).ok(),
                    sha256: outcome.sha256.clone(),
                    ..filed(direction, &path)
                };
                let deleted = outcome.deleted.iter().take(TRANSFER_LISTED_MAX).map(|path| filed("delete", path.as_bytes()));
                let whole: Vec<Filed> = std::iter::once(copied).chain(deleted).collect();
                (outcome.problems.first().cloned(), whole)
            }
            Err(error) => (Some(error.to_string()), Vec::new()),
        };
        desk.errand.ended(&permit, failure.as_deref(), files);
        tell.send_replace(Some(Arc::new(done)));
    });
    started
}

/// Waits for it as long as its caller does. Whose it is stands in every answer: who reads of a device that is not trusted is known by it.
async fn wait_for(directory: &Directory, caller: &Caller, call: &Call, running: Started, wait: Duration) -> Reply {
    let base = [("target", running.device.clone()), ("session", running.session.clone()), ("origin", "device".to_owned())];
    let mut reply = end_of(directory, caller, call, running, wait).await;
    reply.fields.extend(base.map(|(name, value)| (name.to_owned(), value.into())));
    reply
}

async fn end_of(directory: &Directory, caller: &Caller, call: &Call, running: Started, wait: Duration) -> Reply {
    let progress = Arc::clone(&running.progress);
    let percent = || {
        let (done, all) = (progress.bytes.load(Ordering::Relaxed), progress.bytes_total.load(Ordering::Relaxed));
        let files = progress.files.load(Ordering::Relaxed);
        format!("{files} files, {} of {} bytes", reply::grouped(done), reply::grouped(all))
    };
    let mut end = running.end.clone();
    let ended = async {
        let ended = end.wait_for(Option::is_some).await;
        ended.ok().and_then(|end| end.clone())
    };
    let id = running.id;
    let Some(done) = caller.wait(wait, percent, ended).await else {
        let (files, bytes) = (progress.files.load(Ordering::Relaxed), progress.bytes.load(Ordering::Relaxed));
        let fields = json!({"transfer_id": id.to_string(), "state": "running", "direction": call.word(), "files": files, "bytes": bytes,
            "files_total": progress.files_total.load(Ordering::Relaxed), "bytes_total": progress.bytes_total.load(Ordering::Relaxed)});
        let next = format!("It goes on. Make the same ssh_transfer call again to wait for it, or ssh_interrupt command_id={id}.");
        return Reply::new(fields, format!("{id} running: {}", percent())).with_next(&next);
    };
    directory.transfers().forget(&call.key, id);
    match done.as_deref() {
        Some(Ok(outcome)) => told(call, &id.to_string(), outcome, running.since.elapsed()),
        Some(Err(error)) => {
            let failed = Reply::failed(&error.to_string());
            let mut reply = failed.with_next(running.next);
            reply.fields.insert("transfer_id".to_owned(), id.to_string().into());
            reply.fields.insert("state".to_owned(), if error.is_broken() { "lost" } else { "interrupted" }.into());
            reply
        }
        None => Reply::failed("the transfer ended without a word; look into the log of this server"),
    }
}

fn told(call: &Call, id: &str, outcome: &Outcome, took: Duration) -> Reply {
    let Outcome { files, bytes, resumed, skipped, made, verified, deleted, problems, problem_count, sha256 } = outcome;
    let listed: Vec<&String> = deleted.iter().take(TRANSFER_LISTED_MAX).collect();
    let state = if *problem_count == 0 { "done" } else { "incomplete" };
    let mut fields = json!({"ok": *problem_count == 0, "transfer_id": id, "state": state, "direction": call.word(), "files": files, "bytes": bytes,
        "resumed_bytes": resumed, "skipped": skipped, "made": made, "verified": verified, "deleted": listed, "deleted_count": deleted.len(),
        "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX)});
    if let Some(fields) = fields.as_object_mut() {
        if let Some(sha256) = sha256 {
            fields.insert("sha256".to_owned(), sha256.clone().into());
        }
        if !problems.is_empty() {
            fields.insert("problems".to_owned(), problems.clone().into());
            fields.insert("problem_count".to_owned(), (*problem_count).into());
        }
    }
    let mut text = format!(
        "{id} {state} {}: {files} files, {} bytes ({} from an earlier try), {skipped} alike, {verified} verified, {} deleted, {:.1}s",
        call.word(),
        reply::grouped(*bytes),
        reply::grouped(*resumed),
        deleted.len(),
        took.as_secs_f64()
    );
    if let Some(sha256) = sha256 {
        text = format!("{text} sha256={sha256}");
    }
    let rows: Vec<String> =
        listed.iter().map(|path| format!("deleted {path}")).chain(problems.iter().map(|what| format!("not done: {what}"))).collect();
    if !rows.is_empty() {
        text = format!("{text}\n{}", reply::fenced(&rows.join("\n")));
    }
    Reply::new(fields, text)
}
