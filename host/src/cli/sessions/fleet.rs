//! `jackfield fleet`: a command on many devices, on a few first and then in batches. Each target goes the way of `jackfield run`.

use std::cell::RefCell;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::Style;
use clap::Args;
use clap::builder::RangedU64ValueParser;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::run;
use super::visitor::{Visitor, aside};
use crate::account;
use crate::cli::answer::is_at_terminal;
use crate::cli::hidden;
use crate::cli::paint::{BAD, DIM, DOUBT, GOOD, HEAD, painted, painted_table, say, say_line};
use crate::fleet::{CANARY, End, MAX_FAILURES, PARALLEL, Pace, Rest, Rollout, Sheet, Told, named_twice};
use crate::guest::wire::{ApprovalState, Say, Tell};
use crate::history::query::one_line;
use crate::ids::SessionId;
use crate::limits::{FLEET_OUTPUT_MAX_BYTES, FLEET_PARALLEL_MAX, FLEET_TARGETS_MAX};
use crate::terminal::text::escaped;
use crate::transport::pty::is_ignored;

/// What the statuses are, for the help.
const HELP: &str = "Examples:
  jackfield fleet web1 web2 web3 -- sudo systemctl reload nginx
  jackfield fleet --pause --parallel 2 web1 web2 web3 web4 web5 -- sudo apt-get -y upgrade
  jackfield fleet --mode config --commit confirmed rt1 rt2 -- set system ntp server 192.0.2.1
  jackfield fleet --json $(jackfield devices --json | jq -r '.devices[] | select(.tags | index(\"edge\")) | .name') -- uptime

Status: 0 when it succeeded everywhere. Else:
  1    it was run everywhere, and failed somewhere
  3    it stopped, as a canary or so many as --max-failures failed; the others were not begun
  126  it stopped, as a person's approval or answer is needed first, or nothing was run at all
  130  somebody stopped it: with Ctrl-C, SIGTERM or SIGHUP, or by another word than yes behind a pause";

/// The status where others were not begun as it failed on some.
const STOPPED: u8 = 3;

/// A rollout as it is wanted.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Fleet {
    /// So many come first; nothing more is begun when one of them fails
    #[arg(long, value_name = "COUNT", default_value_t = CANARY)]
    canary: usize,
    /// Then so many at once
    #[arg(long, value_name = "COUNT", default_value_t = PARALLEL,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=FLEET_PARALLEL_MAX as u64))]
    parallel: usize,
    /// Begin nothing more when so many have failed
    #[arg(long, value_name = "COUNT", default_value_t = MAX_FAILURES, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    max_failures: usize,
    /// Show behind each batch what came of it, and ask at the terminal whether to go on
    #[arg(long, conflicts_with = "json")]
    pause: bool,
    #[command(flatten)]
    manner: run::Manner,
    /// Print one JSON object at the end, whatever becomes of it, and ask nothing
    #[arg(long)]
    json: bool,
    /// The devices, or device#session, those that come first at the beginning
    #[arg(required = true, value_name = "TARGET")]
    target: Vec<String>,
    /// The command
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Carries it out and gives its status.
pub(super) async fn fleet(file: Option<&Path>, wanted: Fleet) -> ExitCode {
    let json = wanted.json;
    match carried(file, wanted).await {
        Ok(rollout) => {
            report(&rollout, json);
            ExitCode::from(status(&rollout.sheet()))
        }
        Err(why) => {
            if json {
                say(&format!("{}\n", json!({"ok": false, "state": "refused", "failure": why})));
            } else {
                aside(&why);
            }
            ExitCode::from(run::REFUSED)
        }
    }
}

async fn carried(file: Option<&Path>, wanted: Fleet) -> Result<Arc<Rollout>, String> {
    let Fleet { canary, parallel, max_failures, pause, manner, json, target: targets, command } = wanted;
    if targets.len() > FLEET_TARGETS_MAX {
        return Err(format!("{} targets are named, and {FLEET_TARGETS_MAX} are the most; nothing was run", targets.len()));
    }
    if let Some(twice) = named_twice(&targets) {
        return Err(format!("`{twice}` is named twice; name each target once. Nothing was run"));
    }
    if pause && !is_at_terminal() {
        return Err("--pause asks at a terminal, and there is none; nothing was run".to_owned());
    }
    are_devices(file, &targets).await?;
    let pace = Pace { canary, parallel, max_failures };
    let rollout = Arc::new(Rollout::new(String::new(), account::name(), targets, pace));
    let wanted = run::Wanted {
        command: command.join(" "),
        manner,
        // What is asked is asked between two batches.
        json: true,
        among: true,
        ..run::Wanted::default()
    };
    let course = Course { file, wanted, rollout: Arc::clone(&rollout), pause, asks: !json && is_at_terminal(), open: RefCell::default() };
    ends_at_interrupt(Arc::clone(&rollout), json);
    course.carry_out().await;
    Ok(rollout)
}

/// A slip of the keys in the last name is not told only when the others are through.
async fn are_devices(file: Option<&Path>, targets: &[String]) -> Result<(), String> {
    let mut visitor = Visitor::of_daemon(file, "fleet", true).await?;
    let Tell::Sessions { devices, .. } = visitor.list().await? else { return Ok(()) };
    let mut whys = Vec::new();
    for target in targets.iter().filter(|target| !devices.contains(&SessionId::parse(target).device)) {
        // Who would open it says best why it cannot.
        whys.extend(visitor.open(target).await.err());
    }
    if whys.is_empty() { Ok(()) } else { Err(format!("{}; nothing was run", whys.join("; "))) }
}

/// A rollout on its way.
struct Course<'f> {
    file: Option<&'f Path>,
    /// What is run on each target.
    wanted: run::Wanted,
    rollout: Arc<Rollout>,
    pause: bool,
    /// Somebody can be asked here.
    asks: bool,
    /// What a person is to be asked, of which target.
    open: RefCell<Vec<(usize, run::End)>>,
}

impl Course<'_> {
    async fn carry_out(&self) {
        while self.rollout.take_up() {
            self.batches().await;
            if self.rollout.sheet().rest != Some(Rest::Waits) || !self.asks {
                return;
            }
            if let Err(why) = self.ask().await {
                aside(&why);
                return;
            }
        }
    }

    async fn batches(&self) {
        // Whoever was asked about something just now has not to say again that it may go on.
        let mut before: Vec<usize> = Vec::new();
        loop {
            let upcoming = self.rollout.upcoming();
            if self.pause && !before.is_empty() && !upcoming.is_empty() && !self.may_go_on(&before, &upcoming) {
                self.rollout.end_early();
            }
            let batch = self.rollout.next_batch();
            if batch.is_empty() {
                return;
            }
            let are_first = batch.iter().all(|number| *number < self.rollout.pace.canary);
            aside(&format!("{}: {}", if are_first { "canary" } else { "next" }, self.names(&batch)));
            join_all(batch.iter().map(|number| self.on_target(*number))).await;
            before = batch;
        }
    }

    fn target(&self, number: usize) -> &str {
        self.rollout.targets.get(number).map_or("", String::as_str)
    }

    fn names(&self, numbers: &[usize]) -> String {
        numbers.iter().map(|number| self.target(*number)).collect::<Vec<_>>().join(", ")
    }

    /// One target, as by `jackfield run`.
    async fn on_target(&self, number: usize) {
        let wanted = run::Wanted { session: self.target(number).to_owned(), ..self.wanted.clone() };
        let mut output = String::new();
        let end = run::carried(self.file, &wanted, &mut output).await.unwrap_or_else(run::End::Refused);
        let told = told(&wanted, &end, &mut output);
        let (style, how, is_asked) = (style(told.end), ended(&told), told.end == End::Asked);
        self.rollout.on_told(number, told);
        if is_asked {
            self.open.borrow_mut().push((number, end));
        }
        let (well, badly, all) = (self.rollout.count(End::Well), self.rollout.count(End::Badly), self.rollout.targets.len());
        let name = painted(style, &escaped(&wanted.session));
        // A closed pipe is the reader's choice.
        let _ = writeln!(anstream::stderr(), "jackfield: {name}: {}; {well} of {all} done, {badly} failed", escaped(&how));
    }

    /// Shows what came of a batch and reads a person's word at the terminal.
    fn may_go_on(&self, before: &[usize], batch: &[usize]) -> bool {
        let mut sheet = self.rollout.sheet();
        for (number, told) in sheet.told.iter_mut().enumerate() {
            told.take_if(|_| !before.contains(&number));
        }
        let (well, badly) = (self.rollout.count(End::Well), self.rollout.count(End::Badly));
        let question = format!("{well} done, {badly} failed. Type `yes` to go on with {}:", self.names(batch));
        say(&format!("\n{}{} ", outputs(&sheet), painted(DOUBT, &question)));
        let _ = std::io::stdout().flush();
        let mut word = String::new();
        std::io::stdin().lock().read_line(&mut word).is_ok() && word.trim() == "yes"
    }

    /// Asks at the terminal what the targets of a batch wait for: the same of several once.
    async fn ask(&self) -> Result<(), String> {
        let mut visitor = Visitor::of_daemon(self.file, "fleet", true).await?;
        let mut approvals: Vec<(usize, ApprovalState)> = Vec::new();
        let mut open = self.open.take();
        // In the order of the targets, not of their answers.
        open.sort_by_key(|(number, _)| *number);
        for (number, end) in open {
            match end {
                run::End::Asks(question) => visitor.answer(&question).await?,
                run::End::NeedsApproval(approval) => approvals.push((number, *approval)),
                run::End::Finished(_) | run::End::Refused(_) | run::End::Unread => {}
            }
        }
        while let Some((_, first)) = approvals.first().cloned() {
            let is_same = |other: &ApprovalState| other.text == first.text && other.cwd == first.cwd && other.reason == first.reason;
            let (same, others): (Vec<_>, Vec<_>) = approvals.into_iter().partition(|(_, other)| is_same(other));
            approvals = others;
            let numbers: Vec<usize> = same.iter().map(|(number, _)| *number).collect();
            say_line(&format!("\n{}", painted(HEAD, &format!("On {}:", escaped(&self.names(&numbers))))));
            let allow = run::agreed(&first)?;
            for (number, approval) in same {
                if let Err(late) = visitor.ask(&Say::Decide { id: approval.id, allow }).await {
                    // It is asked about again.
                    aside(&late);
                }
                if !allow {
                    self.rollout.on_told(number, unrun(self.target(number), "denied", "denied; nothing was run"));
                }
            }
        }
        Ok(())
    }
}

/// Ctrl-C, a time limit around it, or a terminal that goes away ends the program wherever it is, also while somebody is asked, and tells how far it came. What runs on
/// the targets ends with it.
fn ends_at_interrupt(rollout: Arc<Rollout>, json: bool) {
    let restore = hidden::restorer();
    tokio::spawn(async move {
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
        // Who has it go on behind a login that is over, as with nohup, means that.
        let mut hung_up = (is_ignored(SignalKind::hangup()) == Some(false)).then(|| signal(SignalKind::hangup()).ok()).flatten();
        let hangs_up = async {
            match &mut hung_up {
                Some(hung_up) => hung_up.recv().await.is_some(),
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
            terminated = terminated.recv() => terminated.is_some(),
            hung_up = hangs_up => hung_up,
        };
        if !ended {
            return;
        }
        rollout.end_early();
        let sheet = rollout.sheet();
        for number in sheet.batch.iter().filter(|number| sheet.told.get(**number).is_some_and(Option::is_none)) {
            let target = rollout.targets.get(*number).map_or("", String::as_str);
            rollout.on_told(*number, unrun(target, "interrupted", "stopped here: it is interrupted there, or not begun"));
        }
        // Nothing comes next: it rests.
        let _ = rollout.next_batch();
        restore();
        report(&rollout, json);
        std::process::exit(run::INTERRUPTED.into());
    });
}

/// What is told of a target.
fn told(wanted: &run::Wanted, end: &run::End, output: &mut String) -> Told {
    let mut sentences = run::said(wanted, end);
    let is_cut = output.len() > FLEET_OUTPUT_MAX_BYTES;
    if is_cut {
        output.truncate(output.floor_char_boundary(FLEET_OUTPUT_MAX_BYTES));
        sentences.push(format!(
            "of its output only the first {} kB are here; `jackfield log {}` has all",
            output.len() / 1000,
            wanted.session
        ));
    }
    let mut fields = Map::from_iter([("target".to_owned(), wanted.session.as_str().into())]);
    let Value::Object(own) = run::as_json(wanted, end, output) else { return unrun(&wanted.session, "lost", "") };
    fields.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
    if let (true, Some(cut)) = (is_cut, sentences.last()) {
        let mut warnings = fields.get("warnings").and_then(Value::as_array).cloned().unwrap_or_default();
        warnings.push(cut.as_str().into());
        fields.insert("warnings".to_owned(), warnings.into());
    }
    let (end, error) = match end {
        run::End::Finished(report) if report.state == "done" && !report.failed => (End::Well, false),
        run::End::Finished(_) | run::End::Unread => (End::Badly, false),
        run::End::Refused(_) => (End::Badly, true),
        run::End::Asks(_) | run::End::NeedsApproval(_) => (End::Asked, true),
    };
    Told { end, fields, text: sentences.join("\n"), error, approvals: Vec::new() }
}

/// What is told of a target that somebody here kept from its end.
fn unrun(target: &str, state: &str, why: &str) -> Told {
    let fields = [("target", Value::from(target)), ("state", state.into()), ("failed", true.into()), ("failure", why.into())];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Told { end: End::Badly, fields, text: why.to_owned(), error: true, approvals: Vec::new() }
}

fn style(end: End) -> Style {
    match end {
        End::Well => GOOD,
        End::Badly => BAD,
        End::Asked => DOUBT,
    }
}

/// How it ended on a target, in a few words.
fn ended(told: &Told) -> String {
    told.plain_end().unwrap_or_else(|| match told.text.lines().next() {
        Some(why) => format!("{}, {why}", state(told)),
        None => state(told).to_owned(),
    })
}

/// Its state; what has ended and failed is not told as done.
fn state(told: &Told) -> &str {
    let has_failed = told.end == End::Badly && told.field("state") == "done";
    if has_failed { "failed" } else { told.field("state") }
}

fn status(sheet: &Sheet) -> u8 {
    match sheet.rest {
        Some(Rest::Done) if sheet.is_well() => 0,
        Some(Rest::Done) => run::FAILED,
        Some(Rest::Canary | Rest::Failures) => STOPPED,
        Some(Rest::Request) => run::INTERRUPTED,
        None | Some(Rest::Waits) => run::REFUSED,
    }
}

/// Tells what came of it: to a program as one object, to a person as outputs, a table and a sentence.
fn report(rollout: &Rollout, json: bool) {
    let sheet = rollout.sheet();
    if json {
        let mut fields = Map::from_iter([("ok".to_owned(), sheet.is_well().into())]);
        fields.extend(rollout.fields(&sheet));
        say(&format!("{}\n", Value::Object(fields)));
        return;
    }
    say(&format!("\n{}{}", outputs(&sheet), table(rollout, &sheet)));
    let _ = std::io::stdout().flush();
    aside(&sentence(rollout, &sheet));
}

/// What the targets printed: what is equal once, then those of which there is more to tell.
fn outputs(sheet: &Sheet) -> String {
    let part = |head: &str, output: &str| {
        let newline = if output.is_empty() || output.ends_with('\n') { "" } else { "\n" };
        format!("{}\n{output}{newline}", painted(HEAD, &format!("== {}", escaped(head))))
    };
    let (groups, apart) = sheet.groups();
    let equal = groups.iter().map(|group| {
        let names: Vec<&str> = group.members.iter().map(|(target, _)| *target).collect();
        format!("{}\n", part(&format!("{}: {}", names.join(", "), group.end), group.output))
    });
    let others = apart.iter().map(|told| {
        let says: Vec<String> = told.text.lines().map(|line| format!("{}\n", painted(DOUBT, &escaped(line)))).collect();
        format!("{}{}\n", part(&format!("{}: {}", told.field("target"), state(told)), told.field("output")), says.concat())
    });
    equal.chain(others).collect()
}

fn table(rollout: &Rollout, sheet: &Sheet) -> String {
    let row = |(target, told): (&String, &Option<Told>)| {
        let Some(told) = told else { return vec![target.clone(), "not begun".to_owned()] };
        let exit = told.fields.get("exit_code").map(ToString::to_string).unwrap_or_default();
        let took = told.fields.get("duration_ms").and_then(Value::as_u64).map(|ms| format!("{}.{} s", ms / 1000, ms % 1000 / 100));
        let why = told.text.lines().next().map(one_line).unwrap_or_default();
        vec![target.clone(), state(told).to_owned(), exit, took.unwrap_or_default(), why]
    };
    let rows: Vec<Vec<String>> = rollout.targets.iter().zip(&sheet.told).map(row).collect();
    let style = |number: usize| sheet.told.get(number).and_then(Option::as_ref).map_or(DIM, |told| style(told.end));
    painted_table(&["TARGET", "STATE", "EXIT", "TOOK", "WHY"], &rows, style)
}

/// How far it came, and what is left to do.
fn sentence(rollout: &Rollout, sheet: &Sheet) -> String {
    let because = rollout.because(sheet).map(|because| format!("; stopped because {because}")).unwrap_or_default();
    let (_, left) = rollout.left(sheet);
    let left = match (left.is_empty(), sheet.rest) {
        (true, _) => String::new(),
        (false, Some(Rest::Waits)) => format!("; after that run it for these alone, or all begins anew: {}", left.join(" ")),
        (false, _) => format!("; not begun: {}", left.join(", ")),
    };
    format!("{} done, {} failed{because}{left}", sheet.count(End::Well), sheet.count(End::Badly))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::wire::RunReport;

    /// How each of these ended, told of a rollout that begins nothing more.
    fn rollout(ends: &[run::End], outputs: &[&str], pace: Pace) -> Rollout {
        let targets = (1..=ends.len()).map(|number| format!("w{number}")).collect();
        let rollout = Rollout::new(String::new(), "anna".to_owned(), targets, pace);
        assert!(rollout.take_up());
        loop {
            let batch = rollout.next_batch();
            if batch.is_empty() {
                return rollout;
            }
            for number in batch {
                let wanted = run::Wanted { session: rollout.targets[number].clone(), ..run::Wanted::default() };
                rollout.on_told(number, told(&wanted, &ends[number], &mut outputs[number].to_owned()));
            }
        }
    }

    fn done(exit_code: i32) -> run::End {
        let (state, command_id) = ("done".to_owned(), "c7".to_owned());
        run::End::Finished(Box::new(RunReport {
            state,
            command_id,
            exit_code: Some(exit_code),
            failed: exit_code != 0,
            ..RunReport::default()
        }))
    }

    #[test]
    fn what_a_device_refused_is_told_as_failed_and_not_as_done() {
        let report =
            RunReport { state: "done".to_owned(), failed: true, failure: Some("% Invalid input".to_owned()), ..RunReport::default() };
        let rollout = rollout(&[run::End::Finished(Box::new(report))], &["^\n"], PACE);
        let sheet = rollout.sheet();
        assert_eq!(ended(sheet.told[0].as_ref().unwrap()), "failed, % Invalid input");
        assert!(outputs(&sheet).contains("== w1: failed"), "{}", outputs(&sheet));
    }

    const PACE: Pace = Pace { canary: 1, parallel: 8, max_failures: 1 };

    #[test]
    fn equal_outputs_stand_once_and_each_target_has_a_row() {
        let rollout = rollout(&[done(0), done(0), done(2)], &["x\n", "x\n", "y"], PACE);
        let sheet = rollout.sheet();
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        assert_eq!(plain(&outputs(&sheet)), "== w1, w2: done exit=0\nx\n\n== w3: done exit=2 FAILED\ny\n\n");
        let rows: Vec<String> = plain(&table(&rollout, &sheet)).lines().skip(1).map(str::to_owned).collect();
        assert!(rows.len() == 3 && rows[0].starts_with("w1      done    0 ") && rows[2].starts_with("w3      failed  2 "), "{rows:#?}");
        assert_eq!(sentence(&rollout, &sheet), "2 done, 1 failed");
        assert_eq!(status(&sheet), 1);
        let fields = rollout.fields(&sheet);
        assert_eq!(fields["groups"][0], json!({"targets": ["w1", "w2"], "origin": "device", "output": "x\n", "exit_code": 0}));
        assert!(fields["results"][0]["output"].is_null() && fields["results"][2]["target"] == "w3", "{fields:?}");
    }

    #[test]
    fn the_status_tells_what_failed_from_what_was_not_begun_and_what_waits() {
        let no = || run::End::Refused("no".to_owned());
        let ends = |first, second| {
            let rollout = rollout(&[first, second], &["", ""], PACE);
            let sheet = rollout.sheet();
            (status(&sheet), sentence(&rollout, &sheet))
        };
        assert_eq!(ends(done(0), done(0)), (0, "2 done, 0 failed".to_owned()));
        assert_eq!(ends(done(0), no()), (1, "1 done, 1 failed".to_owned()));
        assert_eq!(ends(no(), done(0)), (3, "0 done, 1 failed; stopped because a canary failed: w1; not begun: w2".to_owned()));
        let (status, told) = ends(done(0), run::End::NeedsApproval(Box::default()));
        assert!(
            status == 126 && told.starts_with("1 done, 0 failed; stopped because a person has to agree on w2; after that run it"),
            "{told}"
        );
        assert!(told.ends_with(": w2"), "{told}");
    }

    #[test]
    fn of_a_long_output_its_beginning_is_kept_and_that_is_told() {
        let wanted = run::Wanted { session: "w1".to_owned(), ..run::Wanted::default() };
        let mut output = "ä".repeat(FLEET_OUTPUT_MAX_BYTES);
        let told = told(&wanted, &done(0), &mut output);
        assert!(told.field("output").len() <= FLEET_OUTPUT_MAX_BYTES && told.end == End::Well);
        assert!(told.plain_end().is_none() && told.text.contains("`jackfield log w1` has all"), "{}", told.text);
        assert_eq!(told.fields["warnings"][0], told.text.as_str());
    }
}
