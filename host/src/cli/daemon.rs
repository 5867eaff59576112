//! `jackfield status`, `stop`, `restart` and `service`: the process that holds the sessions, from outside.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use serde_json::json;
use tokio::time::sleep;

use super::paint::{DIM, DOUBT, GOOD, painted, say, say_line};
use super::runtime::block_on;
use crate::daemon::client::{self, Server, names};
use crate::daemon::hello::{VERSION, Want};
use crate::daemon::status::Status;
use crate::daemon::{Name, launch, log};
use crate::guest::words::for_people;
use crate::limits::CLOSE_MAX;
use crate::startup;

/// How often a process that ends is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a process may take to end beside what closing a session takes.
const END_MAX: Duration = Duration::from_secs(20);

/// Every process that holds sessions. Of one that is there and cannot be asked it is said why.
pub(super) async fn servers() -> Result<Vec<Server>, String> {
    looked().await.map(|(servers, _)| servers)
}

/// The same; and whether these are all that there are.
async fn looked() -> Result<(Vec<Server>, bool), String> {
    let (servers, unheard) = client::servers().await.map_err(|error| format!("cannot look for running servers: {error}"))?;
    for why in &unheard {
        // Nobody is left to tell if standard error is gone.
        let _ = writeln!(anstream::stderr(), "jackfield: a process that holds sessions cannot be asked: {why}");
    }
    Ok((servers, unheard.is_empty()))
}

/// Shows every process that holds sessions.
///
/// # Errors
///
/// A sentence for standard error.
pub fn status(file: Option<&Path>, json: bool) -> Result<ExitCode, String> {
    block_on(async {
        let mut all = Vec::new();
        let (servers, are_all) = looked().await?;
        for mut server in servers {
            // One that has just gone has no status.
            if let Ok(status) = server.status().await {
                all.push(status);
            }
        }
        if json {
            say(&format!("{}\n", json!({"servers": all})));
            return Ok(ExitCode::SUCCESS);
        }
        let log = log::path(&Name::of(startup::config_file(file).as_deref())).map(|path| path.display().to_string()).unwrap_or_default();
        if all.is_empty() {
            let other = if are_all { "" } else { "other " };
            say_line(&format!("no {other}jackfield runs that holds sessions; the daemon's log is {log}"));
            return Ok(ExitCode::SUCCESS);
        }
        for status in &all {
            let what = if status.is_daemon { "daemon" } else { "server of one client" };
            say_line(&format!("{} {what}, process {}, version {}", painted(GOOD, "running"), status.process, status.version));
            if status.version != VERSION {
                let next = match status.is_daemon {
                    true => format!("`jackfield restart{}` has this one take over", option(status)),
                    false => "that one ends with its client".to_owned(),
                };
                say_line(&painted(DOUBT, &format!("  this program is version {VERSION}: {next}")));
            }
            let file = status.file.as_deref().unwrap_or("none");
            say_line(&format!("  configuration {file}"));
            let sessions = if status.sessions.is_empty() { "none".to_owned() } else { status.sessions.join(", ") };
            say_line(&format!("  sessions      {sessions}"));
            if !status.busy.is_empty() {
                say_line(&format!("  busy          {}", status.busy.join(", ")));
            }
            let memory = status.memory_bytes / 1024 / 1024;
            say_line(&format!("  clients {}, people {}, up {}, {memory} MiB", status.clients, status.guests, up(status.up_s)));
        }
        say_line(&painted(DIM, &format!("log: {log}")));
        Ok(ExitCode::SUCCESS)
    })?
}

/// How long a process has been running, by the two units that count.
fn up(seconds: u64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// Ends the daemon of this configuration, or all.
///
/// # Errors
///
/// A sentence for standard error, with what would be lost.
pub fn stop(file: Option<&Path>, all: bool, now: bool) -> Result<ExitCode, String> {
    let own = Name::of(startup::config_file(file).as_deref()).socket();
    block_on(async {
        let mut names = names().map_err(|error| format!("cannot look for running servers: {error}"))?;
        names.retain(|name| all || *name == own);
        if names.is_empty() {
            say_line(if all { "no jackfield runs that holds sessions" } else { "no daemon runs for this configuration" });
            return Ok(ExitCode::SUCCESS);
        }
        let mut failed = Vec::new();
        for name in names {
            // One that does not end keeps no other from it.
            match end(&name, now).await {
                Ok(told) => say_line(&told),
                Err(why) => failed.push(why),
            }
        }
        if failed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(failed.join("; ")) }
    })?
}

/// Ends a server; says what was lost.
async fn end(name: &str, now: bool) -> Result<String, String> {
    let mut server = match Server::connect(name, Want::Control).await {
        Ok(server) => server,
        Err(why) => return end_stranger(name, now, why).await,
    };
    let status = server.status().await?;
    let held = [("holds", &status.sessions), ("is at work in", &status.busy)].into_iter().filter(|(_, names)| !names.is_empty());
    let held: Vec<String> = held.map(|(does, names)| format!("{does} {}", names.join(", "))).collect();
    if !held.is_empty() && !now {
        return Err(format!(
            "process {} {}: they would be lost. `jackfield close` closes one, {}`--now` ends it at once",
            status.process,
            held.join(" and "),
            drains(&status)
        ));
    }
    server.stop().await?;
    farewell(server, &status).await
}

/// What ends a server without loss, as part of a sentence. That of one client has nobody after it.
fn drains(status: &Status) -> String {
    let command = || format!("`jackfield restart --drain{}` waits for what runs, ", option(status));
    if status.is_daemon { command() } else { String::new() }
}

/// The option that a command needs to mean this server's configuration; none where it finds that by itself.
fn option(status: &Status) -> String {
    let found = Name::of(startup::config_file(None).as_deref());
    let file = status.file.as_deref().filter(|file| Name::of(Some(Path::new(file))) != found);
    file.map(|file| format!(" --config {file}")).unwrap_or_default()
}

/// Waits until a server that is asked to end has gone; says what was lost.
async fn farewell(server: Server, status: &Status) -> Result<String, String> {
    let process = status.process;
    drop(server);
    let sessions = u32::try_from(status.sessions.len()).unwrap_or(u32::MAX);
    gone(process, END_MAX + CLOSE_MAX.saturating_mul(sessions)).await?;
    let lost = if status.sessions.is_empty() { String::new() } else { format!("; closed: {}", status.sessions.join(", ")) };
    Ok(format!("process {process} has ended{lost}"))
}

/// Ends a server that speaks another protocol: what it holds it cannot be asked.
async fn end_stranger(name: &str, now: bool, why: String) -> Result<String, String> {
    let Some((pid, version)) = Server::stranger(name).await else { return Err(why) };
    let process = pid.as_raw_pid().unsigned_abs();
    if !now {
        return Err(format!("process {process} is version {version} and cannot be asked what it holds; `--now` ends it and its sessions"));
    }
    kill_process(pid, Signal::TERM).map_err(|error| format!("process {process} cannot be ended: {error}"))?;
    gone(process, 2 * END_MAX).await?;
    Ok(format!("process {process}, version {version}, has ended"))
}

/// Waits until a process has gone.
async fn gone(process: u32, patience: Duration) -> Result<(), String> {
    let limit = Instant::now() + patience;
    while !startup::has_ended(process) {
        if Instant::now() > limit {
            return Err(format!("process {process} does not end; its log says why, `kill {process}` asks again"));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Ends the daemon and starts it again, as this version of the program.
///
/// # Errors
///
/// A sentence for standard error, with what would be lost.
pub fn restart(file: Option<&Path>, drain: bool, now: bool) -> Result<ExitCode, String> {
    let file = startup::config_file(file);
    let name = Name::of(file.as_deref()).socket();
    block_on(async {
        let runs = names().map_err(|error| format!("cannot look for running servers: {error}"))?.contains(&name);
        if runs {
            let ended = if drain { drained(&name).await } else { end(&name, now).await };
            say_line(&ended?);
        }
        let connected = launch::connect_or_start(file.as_deref(), &Want::Control).map_err(|why| for_people(&why))?;
        say_line(&format!("process {} runs, version {}", connected.greeting.process, connected.greeting.jackfield));
        Ok(ExitCode::SUCCESS)
    })?
}

/// Has a server end once nothing runs in any session; says what was lost. Who is there may begin something until then.
async fn drained(name: &str) -> Result<String, String> {
    let mut told = Vec::new();
    loop {
        let mut server = Server::connect(name, Want::Control).await?;
        let status = match server.drain().await {
            Ok(status) if status.busy.is_empty() => return farewell(server, &status).await,
            Ok(status) => status,
            // One from before there was this question: it is looked at, then ended.
            Err(_) => match Server::connect(name, Want::Control).await?.status().await? {
                status if status.busy.is_empty() => return end(name, true).await,
                status => status,
            },
        };
        if told != status.busy {
            say_line(&format!("waiting for {}", status.busy.join(", ")));
            told = status.busy;
        }
        sleep(LOOK_EVERY * 10).await;
    }
}

/// Prints what has a service manager keep the daemon.
///
/// # Errors
///
/// When this program's own place is not known.
pub fn service(file: Option<&Path>, launchd: bool) -> Result<ExitCode, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program's own place is not known: {error}"))?;
    let program = program.display().to_string();
    let file = startup::config_file(file).map(|file| std::fs::canonicalize(&file).unwrap_or(file).display().to_string());
    say(&if launchd { plist(&program, file.as_deref()) } else { unit(&program, file.as_deref()) });
    Ok(ExitCode::SUCCESS)
}

/// A systemd user unit (systemd.service(5)).
fn unit(program: &str, file: Option<&str>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"));
    let config = file.map(|file| format!(" --config {}", quoted(file))).unwrap_or_default();
    format!(
        "# ~/.config/systemd/user/jackfield.service, then: systemctl --user enable --now jackfield\n[Unit]\nDescription=jackfield: sessions with devices\n\n[Service]\nExecStart={}{config} daemon\nExecReload=/bin/kill -HUP $MAINPID\nRestart=on-failure\n\n[Install]\nWantedBy=default.target\n",
        quoted(program)
    )
}

/// A launchd agent (launchd.plist(5)).
fn plist(program: &str, file: Option<&str>) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut arguments = vec![program];
    arguments.extend(file.into_iter().flat_map(|file| ["--config", file]));
    arguments.push("daemon");
    let arguments: String = arguments.iter().map(|argument| format!("    <string>{}</string>\n", escaped(argument))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- ~/Library/LaunchAgents/jackfield.plist, then: launchctl load -w that file -->\n<plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>jackfield</string>\n  <key>ProgramArguments</key>\n  <array>\n{arguments}  </array>\n  <key>RunAtLoad</key>\n  <true/>\n</dict>\n</plist>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_process_has_gone_also_where_its_parent_does_not_ask_how_it_ended() {
        let mut process = std::process::Command::new("true").spawn().unwrap();
        while std::fs::read_link(format!("/proc/{}/exe", process.id())).is_ok() {
            std::thread::yield_now();
        }
        assert_eq!(gone(process.id(), Duration::from_secs(1)).await, Ok(()));
        process.wait().unwrap();
    }

    #[test]
    fn how_long_a_process_runs_is_read_at_a_glance() {
        let told = [59, 61, 3_599, 3_600, 86_399, 86_400, 1_000_000].map(up);
        assert_eq!(told, ["59 s", "1 min 1 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 0 h", "11 d 13 h"]);
    }

    #[test]
    fn a_next_step_means_the_server_that_it_is_told_of() {
        let status = |file: Option<&str>, is_daemon| Status { file: file.map(str::to_owned), is_daemon, ..Status::default() };
        let other = "/etc/a-place-of-its-own/other.toml";
        let drain = format!("`jackfield restart --drain --config {other}` waits for what runs, ");
        assert_eq!(drains(&status(Some(other), true)), drain);
        assert_eq!(drains(&status(Some(other), false)), "");
        assert_eq!(drains(&status(None, true)), "`jackfield restart --drain` waits for what runs, ");
    }
}
