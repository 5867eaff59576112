//! `jackfield plugin dev`: running servers take a developer's file as it is, without its pin, as long as this command runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use super::reload::shown;
use crate::cli::daemon::servers;
use crate::cli::paint::say;
use crate::cli::runtime::block_on;
use crate::daemon::client::Server;
use crate::limits::DEV_LOOK_EVERY;

/// What tells that a file has changed.
type Stamp = Vec<Option<(SystemTime, u64)>>;

/// Has every server of this account load the files, and load them again when they change, until it is interrupted.
///
/// # Errors
///
/// When a file is not there, or no server runs or takes them.
pub fn run(files: &[PathBuf], watch: bool) -> Result<ExitCode, String> {
    let real = |file: &PathBuf| file.canonicalize().map_err(|error| format!("cannot find `{}`: {error}", file.display()));
    let files: Vec<PathBuf> = files.iter().map(real).collect::<Result<_, _>>()?;
    // What changes while the servers load is loaded again.
    let before = stamps(&files);
    block_on(async {
        let found = servers().await?;
        if found.is_empty() {
            let help = "start `jackfield mcp` with a configuration that has the file as a plugin's `path`";
            return Err(format!("no server of this account runs; {help}"));
        }
        let mut servers = Vec::new();
        for mut server in found {
            let report = server.dev(&files).await;
            say(&shown(server.process, &report));
            if report.is_ok_and(|report| report.complaints.is_empty()) {
                servers.push(server);
            }
        }
        if servers.is_empty() {
            return Err("no running server takes the file; what is wrong stands above".to_owned());
        }
        say("THE PIN OF EACH FILE IS SKIPPED as long as this runs; end it with Ctrl-C, then the pins count again\n");
        tokio::select! {
            ended = follow(&files, before, &mut servers), if watch => ended,
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| error.to_string()),
        }
    })??;
    Ok(ExitCode::SUCCESS)
}

/// Looks at the files; a change that has settled is loaded. Ends when the last server has gone.
async fn follow(files: &[PathBuf], mut loaded: Stamp, servers: &mut Vec<Server>) -> Result<(), String> {
    let mut seen = loaded.clone();
    while !servers.is_empty() {
        tokio::time::sleep(DEV_LOOK_EVERY).await;
        let now = stamps(files);
        // A compiler is still writing what changes between two looks.
        if now == seen && now != loaded && now.iter().all(Option::is_some) {
            loaded.clone_from(&now);
            let mut alive = Vec::new();
            for mut server in servers.drain(..) {
                let report = server.reload().await;
                say(&shown(server.process, &report));
                if report.is_ok() {
                    alive.push(server);
                }
            }
            *servers = alive;
        }
        seen = now;
    }
    Err("the last server has ended".to_owned())
}

fn stamps(files: &[PathBuf]) -> Stamp {
    files.iter().map(|file| stamp(file)).collect()
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
