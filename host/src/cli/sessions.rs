//! What people do with sessions at a terminal: see them, open and close them, run, attach, watch, lock.

use std::borrow::Cow;
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use self::visitor::{Visitor, aside};
use super::paint::{BAD, DIM, DOUBT, GOOD, NAME, columns, painted, painted_table, say, say_line};
use super::runtime::block_on;
use crate::account;
use crate::author::Author;
use crate::config::{Config, Device, TypeChoice};
use crate::directory::place::Place;
use crate::guest::wire::{LockState, Rule, Say, SessionState, Tell};
use crate::history::query::one_line;
use crate::session::lock::Halt;
use crate::startup;

pub mod attach;
pub mod fleet;
pub mod log;
mod open;
pub mod run;
mod visitor;

/// Columns below which a table has only what is needed most.
const NARROW: usize = 90;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List open sessions: state, what runs, who may type, who watches
    #[command(after_help = "Examples:\n  jackfield ps\n  jackfield ps --json | jq '.sessions[] | select(.state == \"needs_input\")'")]
    Ps {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the devices of the configuration, and which have an open session
    #[command(after_help = "Examples:\n  jackfield devices\n  jackfield devices --json")]
    Devices {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Run a command on a device and end with its status
    #[command(after_help = run::HELP)]
    Run {
        /// Print one JSON object at the end instead of the output as it comes, whatever becomes of the command, and ask nothing
        #[arg(long)]
        json: bool,
        /// How
        #[command(flatten)]
        manner: run::Manner,
        /// The device, or device#session
        device: String,
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Run a command on many devices: on a canary first, then in batches, and no further than so many failures
    Fleet(fleet::Fleet),
    /// Use a session's terminal: type, with agents waiting meanwhile. Ctrl-] d leaves it
    #[command(after_help = "Examples:\n  jackfield attach web1\n  jackfield attach core-sw1#2")]
    Attach {
        /// The session; a device's main session is opened if need be
        session: String,
    },
    /// Follow a session's terminal without touching it. Ctrl-C leaves it
    #[command(after_help = "Example:\n  jackfield watch web1")]
    Watch {
        /// The session
        session: String,
    },
    /// Print what a session has shown
    #[command(after_help = "Examples:\n  jackfield log web1 --tail 50\n  jackfield log web1 --since 10m\n  jackfield log web1 --follow")]
    Log {
        /// The session
        session: String,
        /// Only the last lines
        #[arg(long, value_name = "LINES", conflicts_with = "since")]
        tail: Option<usize>,
        /// Only from the first command since then: 10m, 2h, or an instant such as 2026-11-21T08:00:00Z
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// Go on with what comes
        #[arg(long)]
        follow: bool,
    },
    /// Open a device's session and wait for the end of its login
    #[command(after_help = open::HELP)]
    Open {
        /// The device, or device#session
        session: String,
    },
    /// Close a session
    #[command(after_help = "Example:\n  jackfield close web1")]
    Close {
        /// The session
        session: String,
    },
    /// Keep agents from typing into a session, or all but one
    #[command(after_help = "Examples:\n  jackfield lock web1\n  jackfield lock web1 --for 10m\n  jackfield lock web1 --agent claude-code")]
    Lock {
        /// The session
        session: String,
        /// This one agent may type, by its client's name
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        /// Ends by itself when it was not used for so long: 30s, 10m, 2h
        #[arg(long = "for", value_name = "TIME")]
        length: Option<String>,
    },
    /// Let agents type into a session again
    #[command(after_help = "Example:\n  jackfield unlock web1")]
    Unlock {
        /// The session
        session: String,
    },
    /// Stop all input of agents now, in every session
    #[command(after_help = "Examples:\n  jackfield panic\n  jackfield panic --end")]
    Panic {
        /// Let it go on
        #[arg(long)]
        end: bool,
    },
    /// Say what people and agents should know of a session
    #[command(after_help = "Example:\n  jackfield note core-sw1 'maintenance until 6:00, ask Anna before reloads'")]
    Note {
        /// The session
        session: String,
        /// The text, of 500 bytes at most; without it the note is taken away
        #[arg(default_value = "")]
        text: String,
    },
}

/// Runs one of them.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: Command, file: Option<&Path>) -> Result<ExitCode, String> {
    let file = startup::config_file(file);
    let file = file.as_deref();
    match command {
        Command::Ps { json } => block_on(ps(json))?,
        Command::Devices { json } => block_on(devices(file, json))?,
        Command::Run { json, manner, device, command } => {
            let wanted = run::Wanted { session: device, command: command.join(" "), manner, json, among: false };
            block_on(run::run(file, &wanted))
        }
        Command::Fleet(wanted) => block_on(fleet::fleet(file, wanted)),
        Command::Attach { session } => attach::attach(file, &session),
        Command::Watch { session } => attach::watch(file, &session),
        Command::Log { session, tail, since, follow } => block_on(log::log(file, &session, tail, since.as_deref(), follow))?,
        Command::Open { session } => block_on(open::open(file, &session))?,
        Command::Close { session } => block_on(act(file, session, |session| Say::Close { session }))?,
        Command::Lock { session, agent, length } => {
            let seconds = length.as_deref().map(log::seconds).transpose()?;
            let rule = if agent.is_some() { Rule::OneAgent } else { Rule::People };
            block_on(act(file, session, |session| Say::Lock { session, rule, agent, seconds }))?
        }
        Command::Unlock { session } => block_on(act(file, session, |session| Say::Unlock { session }))?,
        Command::Panic { end } => block_on(panic(!end))?,
        Command::Note { session, text } => block_on(act(file, session, |session| Say::Note { session, text }))?,
    }
}

async fn act(file: Option<&Path>, session: String, say: impl FnOnce(String) -> Say) -> Result<ExitCode, String> {
    let mut visitor = Visitor::at(file, &session, "command line", true).await?;
    told(visitor.ask(&say(session)).await)
}

fn told(answer: Result<String, String>) -> Result<ExitCode, String> {
    say_line(&answer?);
    Ok(ExitCode::SUCCESS)
}

/// Everywhere: a server that does not hear it is told of.
async fn panic(on: bool) -> Result<ExitCode, String> {
    // First where every process looks: one that does not answer holds up no other.
    let kept = keep_halt(on);
    let (mut visitors, unheard) = Visitor::all("command line", true).await?;
    let unheard = unheard.into_iter().map(|why| format!("a process does not hear it: {why}"));
    let mut failed: Vec<String> = kept.err().into_iter().chain(unheard).collect();
    if visitors.is_empty() && failed.is_empty() {
        let told = if on { "is stopped too, until `jackfield panic --end`" } else { "goes on" };
        say_line(&format!("no jackfield runs that holds sessions; input of agents in one that starts {told}"));
    }
    for visitor in &mut visitors {
        match visitor.ask(&Say::Panic { on }).await {
            Ok(text) => say_line(&format!("process {}: {text}", visitor.process)),
            Err(why) => failed.push(format!("process {}: {why}", visitor.process)),
        }
    }
    if failed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(failed.join("; ")) }
}

/// Keeps it for all processes, also for those that start later.
fn keep_halt(on: bool) -> Result<(), String> {
    let file = startup::halt_file(&startup::private_state()?);
    let by = Author::person(&account::name()).to_string();
    Halt::write(&file, on.then_some(by.as_str())).map_err(|error| format!("cannot keep it in `{}`: {error}", file.display()))
}

/// The sessions of every process that holds some and is wanted, and who has stopped all input of agents; and whether all of them could be
/// asked.
async fn everywhere(is_wanted: impl Fn(&Visitor) -> bool) -> Result<(Vec<SessionState>, Option<String>, bool), String> {
    let ((sessions, halted), unheard) = looked_everywhere(is_wanted).await?;
    unheard.iter().for_each(|why| aside(&format!("a process that holds sessions cannot be asked: {why}")));
    Ok((sessions, halted, unheard.is_empty()))
}

/// The same; and why, of each process that cannot be asked.
async fn looked_everywhere(is_wanted: impl Fn(&Visitor) -> bool) -> Result<((Vec<SessionState>, Option<String>), Vec<String>), String> {
    let mut sessions = Vec::new();
    let mut halted = None;
    let (visitors, mut unheard) = Visitor::all("command line", false).await?;
    for mut visitor in visitors.into_iter().filter(is_wanted) {
        match visitor.list().await {
            Ok(Tell::Sessions { sessions: open, panic, .. }) => {
                halted = halted.or(panic);
                sessions.extend(open);
            }
            Ok(_) => {}
            // The others have theirs all the same.
            Err(why) => unheard.push(why),
        }
    }
    Ok(((sessions, halted), unheard))
}

async fn ps(json: bool) -> Result<ExitCode, String> {
    let (sessions, halted, are_all) = everywhere(|_| true).await?;
    if json {
        say(&format!("{}\n", json!({"sessions": sessions, "panic": halted})));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(by) = halted {
        say_line(&painted(BAD, &format!("person {by} has stopped all input of agents; `jackfield panic --end` lets it go on")));
    }
    if sessions.is_empty() {
        let other = if are_all { "" } else { "other " };
        say_line(&format!("no {other}session is open; `jackfield open DEVICE` opens one"));
        return Ok(ExitCode::SUCCESS);
    }
    let narrow = columns() < NARROW;
    let rows: Vec<Vec<String>> = sessions.iter().map(|session| row(session, narrow)).collect();
    let headings: &[&str] = if narrow {
        &["SESSION", "STATE", "RUNS OR ASKS"]
    } else {
        &["SESSION", "TYPE", "STATE", "INPUT", "WATCHED BY", "IDLE", "RUNS OR ASKS"]
    };
    let style = |number: usize| match sessions.get(number).map(|session| session.state.as_str()) {
        Some("ready") => GOOD,
        Some("running") => NAME,
        Some("needs_input") => DOUBT,
        Some("closed") => DIM,
        _ => anstyle::Style::new(),
    };
    say(&painted_table(headings, &rows, style));
    Ok(ExitCode::SUCCESS)
}

fn row(session: &SessionState, narrow: bool) -> Vec<String> {
    let what = match (&session.running, session.detail.as_str()) {
        (Some(running), "") => format!("{} {} ({})", running.id, first_line(&running.text), running.by),
        (Some(running), asks) => format!("{} {}: asks {asks}", running.id, first_line(&running.text)),
        (None, "") => session.last_error.as_ref().map(|error| format!("last error: {error}")).unwrap_or_default(),
        (None, detail) => detail.to_owned(),
    };
    let note = if session.note.is_empty() { String::new() } else { format!("  [{}]", session.note) };
    let what = one_line(&(what + &note));
    let (name, state) = (session.session.clone(), session.state.clone());
    if narrow {
        return vec![name, state, what];
    }
    let guests: Vec<String> = session.guests.iter().map(|guest| format!("{} ({})", guest.name, guest.by)).collect();
    vec![name, session.kind.clone(), state, input(&session.lock), guests.join(", "), idle(session.idle_s), what]
}

/// A command of several lines by its first one.
fn first_line(text: &str) -> Cow<'_, str> {
    match text.trim_end().split_once('\n') {
        Some((first, _)) => Cow::Owned(format!("{} …", first.trim_end())),
        None => Cow::Borrowed(text),
    }
}

/// Who may type, in a few words.
pub(super) fn input(lock: &LockState) -> String {
    let holder = lock.holder.as_ref().map(ToString::to_string).unwrap_or_default();
    match lock.rule {
        Rule::Everyone if lock.typing => format!("{holder} types"),
        Rule::Everyone => "everyone".to_owned(),
        Rule::People => format!("people ({holder})"),
        Rule::OneAgent => format!("one agent ({holder})"),
    }
}

fn idle(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

async fn devices(file: Option<&Path>, json: bool) -> Result<ExitCode, String> {
    let config = startup::config(file)?;
    let (mut open, ..) = everywhere(|visitor| visitor.may_be_of(file)).await?;
    open.retain(|session| session.state != "closed");
    let sessions_of = |name: &str| -> Vec<String> {
        open.iter().filter(|session| session.device == *name).map(|session| session.session.clone()).collect()
    };
    if json {
        let devices = config.devices.iter().map(|(name, device)| {
            let (kind, address) = (kind(device), address(&config, name, device));
            json!({"name": name, "type": kind, "address": address, "tags": device.tags, "sessions": sessions_of(name)})
        });
        say(&format!("{}\n", json!({"devices": devices.collect::<Vec<_>>()})));
        return Ok(ExitCode::SUCCESS);
    }
    if config.devices.is_empty() {
        let own = config.file.as_ref().map_or_else(|| "jackfield.toml".to_owned(), |file| file.display().to_string());
        say_line(&format!("no device is configured; add [device.NAME] to {own}, or see `jackfield import --help`"));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = config
        .devices
        .iter()
        .map(|(name, device)| {
            vec![name.clone(), kind(device), address(&config, name, device), device.tags.join(","), sessions_of(name).join(" ")]
        })
        .collect();
    say(&painted_table(&["DEVICE", "TYPE", "ADDRESS", "TAGS", "OPEN"], &rows, |_| anstyle::Style::new()));
    Ok(ExitCode::SUCCESS)
}

fn kind(device: &Device) -> String {
    match &device.device_type {
        TypeChoice::Auto => "auto".to_owned(),
        TypeChoice::Named(name) => name.to_string(),
    }
}

fn address(config: &Config, name: &str, device: &Device) -> String {
    if device.conceal { "concealed".to_owned() } else { Place::listed_address(config, name, device) }
}

/// The devices of a configuration, for completion: what is wrong is not the moment's.
pub(super) fn device_names(file: Option<&Path>) -> Vec<String> {
    startup::config(file).map(|config| config.devices.into_keys().collect()).unwrap_or_default()
}

/// The open sessions, for the same.
pub(super) fn session_names(_: Option<&Path>) -> Vec<String> {
    let listed = block_on(looked_everywhere(|_| true)).and_then(|listed| listed);
    listed.map(|((sessions, _), _)| sessions.into_iter().map(|session| session.session).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::wire::{Author, RunningState};

    fn shown(session: SessionState) -> String {
        row(&session, true).pop().unwrap()
    }

    #[test]
    fn a_session_takes_one_row_whatever_runs_and_asks_there() {
        let by = Author::person("anna");
        let running = RunningState { id: "c7".to_owned(), text: "show version\nshow log\n".to_owned(), by, since_ms: 0 };
        let runs = SessionState { running: Some(running), ..SessionState::default() };
        assert_eq!(shown(runs.clone()), "c7 show version … (person anna)");
        assert_eq!(shown(SessionState { detail: "Sure?\r\n[y/n]".to_owned(), ..runs }), "c7 show version …: asks Sure?\\r\\n[y/n]");
        let failed = SessionState { last_error: Some("one\ntwo".to_owned()), note: "a\nb".to_owned(), ..SessionState::default() };
        assert_eq!(shown(failed), "last error: one\\ntwo  [a\\nb]");
    }
}
