//! `jackfield plugin reload`: running servers read their configuration again, and say what came of it.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::control;

/// Asks every server of this account.
///
/// # Errors
///
/// When servers cannot be looked for.
pub fn run(json: bool) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let reports = runtime.block_on(control::reload_all()).map_err(|error| format!("cannot look for running servers: {error}"))?;
    let failed = reports.iter().any(|(_, report)| report.as_ref().map_or(true, |report| report.has_failed()));
    let mut out = String::new();
    if json {
        let one = |(process, report): &(u32, Result<_, String>)| match report {
            Ok(report) => json!({"process": process, "report": report}),
            Err(why) => json!({"process": process, "error": why}),
        };
        let servers: Vec<Value> = reports.iter().map(one).collect();
        out = format!("{}\n", json!({"ok": !failed, "servers": servers}));
    } else {
        if reports.is_empty() {
            out.push_str("no server of this account runs; the next one reads the configuration when it starts\n");
        }
        for (process, report) in &reports {
            match report {
                Ok(report) => {
                    out.push_str(&format!("server {process}, {}\n", report.file.as_deref().unwrap_or("no configuration file")));
                    report.lines().iter().for_each(|line| out.push_str(&format!("  {line}\n")));
                }
                Err(why) => out.push_str(&format!("server {process}: {why}\n")),
            }
        }
    }
    // A closed pipe is the reader's choice.
    let _ = anstream::stdout().write_all(out.as_bytes());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
