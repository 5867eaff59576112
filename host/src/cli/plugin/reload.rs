//! `jackfield plugin reload`: running servers read their configuration again, and say what came of it.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::daemon::servers;
use crate::cli::paint::say;
use crate::cli::runtime::block_on;
use crate::renewal::Report;

/// Asks every server of this account.
///
/// # Errors
///
/// When servers cannot be looked for.
pub fn run(json: bool) -> Result<ExitCode, String> {
    let mut reports = Vec::new();
    block_on(async {
        for mut server in servers().await? {
            reports.push((server.process, server.reload().await));
        }
        Ok::<_, String>(())
    })??;
    let failed = reports.iter().any(|(_, report)| report.as_ref().map_or(true, Report::has_failed));
    let out = if json {
        let one = |(process, report): &(u32, Result<_, String>)| match report {
            Ok(report) => json!({"process": process, "report": report}),
            Err(why) => json!({"process": process, "error": why}),
        };
        let servers: Vec<Value> = reports.iter().map(one).collect();
        format!("{}\n", json!({"ok": !failed, "servers": servers}))
    } else if reports.is_empty() {
        "no server of this account runs; the next one reads the configuration when it starts\n".to_owned()
    } else {
        reports.iter().map(|(process, report)| shown(*process, report)).collect()
    };
    say(&out);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What a server said, for a person.
pub(super) fn shown(process: u32, report: &Result<Report, String>) -> String {
    match report {
        Ok(report) => {
            let file = report.file.as_deref().map_or_else(String::new, |file| format!(", {file}"));
            let lines: Vec<String> = report.lines().iter().map(|line| format!("  {line}\n")).collect();
            format!("server {process}{file}\n{}", lines.concat())
        }
        Err(why) => format!("server {process}: {why}\n"),
    }
}
