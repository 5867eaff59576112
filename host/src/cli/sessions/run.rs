//! `jackfield run`: a command on a device, as if it ran here.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::visitor::Visitor;
use crate::cli::approve::says_yes;
use crate::cli::paint::say;
use crate::guest::wire::{ApprovalState, Say, Tell};

/// The status where a command failed and has none of its own.
const FAILED: u8 = 1;
/// The status where it is not known how it ended.
const LOST: u8 = 255;
/// The status where nothing was run, as of a shell that may not run a program.
const REFUSED: u8 = 126;

/// What is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) session: String,
    pub(super) command: String,
    pub(super) kill_after: Option<u64>,
    pub(super) json: bool,
}

/// Runs it and gives its status.
pub(super) async fn run(file: Option<&Path>, wanted: &Wanted) -> Result<ExitCode, String> {
    let mut visitor = Visitor::of_daemon(file, "run", true).await?;
    let (session, command, kill_after_s) = (wanted.session.clone(), wanted.command.clone(), wanted.kill_after);
    let asked = Say::Run { session, command, kill_after_s };
    visitor.say(&asked).await?;
    let mut output = String::new();
    loop {
        match visitor.hear().await? {
            Tell::Text { text } if wanted.json => output.push_str(&text),
            Tell::Text { text } => {
                say(&text);
                // Who reads it sees it when it comes.
                let _ = std::io::stdout().flush();
            }
            Tell::NeedsApproval { approval } => {
                let allow = agreed(&approval)?;
                visitor.ask(&Say::Decide { id: approval.id, allow }).await?;
                if !allow {
                    return Err("denied; nothing was run".to_owned());
                }
                visitor.say(&asked).await?;
            }
            Tell::Refused { why } => {
                let _ = writeln!(anstream::stderr(), "jackfield: {why}");
                return Ok(ExitCode::from(REFUSED));
            }
            Tell::Finished { report } => {
                let status = report.exit_code.and_then(|code| u8::try_from(code).ok());
                let status = match (status, report.state.as_str(), report.failed) {
                    (Some(status), ..) => status,
                    (None, "lost", _) => LOST,
                    (None, _, true) => FAILED,
                    (None, _, false) => 0,
                };
                if wanted.json {
                    let mut value = serde_json::to_value(&report).map_err(|error| error.to_string())?;
                    if let Some(fields) = value.as_object_mut() {
                        fields.insert("output".to_owned(), output.into());
                    }
                    say(&format!("{value}\n"));
                } else {
                    for warning in report.warnings.iter().chain(&report.failure) {
                        let _ = writeln!(anstream::stderr(), "jackfield: {warning}");
                    }
                    if report.state == "needs_input" {
                        let _ = writeln!(
                            anstream::stderr(),
                            "jackfield: it asks something and waits: {}; `jackfield attach {}` answers",
                            report.ask.unwrap_or_default(),
                            wanted.session
                        );
                        return Ok(ExitCode::from(LOST));
                    }
                }
                return Ok(ExitCode::from(status));
            }
            _ => {}
        }
    }
}

/// Asks at the terminal.
fn agreed(approval: &ApprovalState) -> Result<bool, String> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(format!(
            "it needs a person's approval: {}; run it at a terminal, or `jackfield approve {}` and run it again",
            approval.reason, approval.id
        ));
    }
    let text: Vec<String> = approval.text.lines().map(|line| format!("  | {}", crate::terminal::text::escaped(line))).collect();
    says_yes(&format!("{}\n{}", approval.reason, text.join("\n")))
}
