//! `jackfield run`: a command on a device, as if it ran here.

use std::io::IsTerminal as _;
use std::mem;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::visitor::{Visitor, aside, unanswered};
use crate::cli::answer::is_at_terminal;
use crate::cli::approve::says_yes;
use crate::cli::paint::{is_read, say};
use crate::guest::wire::{ApprovalState, RunReport, Say, Tell};
use crate::limits::FLEET_OUTPUT_MAX_BYTES;
use crate::terminal::text::{escaped, escaped_line};
use crate::transport::questions::Question;

/// What the statuses are, for the help.
pub(super) const HELP: &str = "Examples:
  jackfield run web1 -- uptime
  jackfield run core-sw1 -- show version
  jackfield run --mode config --commit confirmed rt1 -- set system ntp server 192.0.2.1
  jackfield run --json web1 -- systemctl is-active nginx

Status: that of the command. Where the device tells none, 0, or 1 if the command failed. Else:
  124  it ran as long as --kill-after allows and was stopped
  126  nothing was run: refused, not reached, or a person's approval or answer is needed first
  130  somebody interrupted it
  141  nobody reads its output any more, as behind `| head`: it is interrupted
  255  it is not known how it ended: the line ended, or it asks something and waits";

/// The status where a command failed and has none of its own.
pub(super) const FAILED: u8 = 1;
/// The status where it was stopped because it ran too long, as of timeout(1).
const TIMED_OUT: u8 = 124;
/// The status where nothing was run, as of a shell that may not run a program.
pub(super) const REFUSED: u8 = 126;
/// The status where somebody interrupted it and it has none of its own, as of a shell.
pub(super) const INTERRUPTED: u8 = 130;
/// The status where nobody reads its output any more, as of what a shell ends then.
const UNREAD: u8 = 141;
/// The status where it is not known how it ended.
const LOST: u8 = 255;

/// How long a command may print nothing before it is said what it does not get.
const SILENT_MAX: Duration = Duration::from_secs(4);

/// How a command is run.
#[derive(Debug, Clone, Default, Args)]
pub struct Manner {
    /// The mode that the command needs, such as config: entered before and left after
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// What becomes of a candidate configuration; without it, it is shown and thrown away
    #[arg(long, value_name = "HOW", value_parser = ["check", "now", "confirmed", "confirm"])]
    commit: Option<String>,
    /// Why, for the history, the audit record and whoever is asked
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// Stop it after so many seconds, and wait no longer than that for its turn
    #[arg(long, value_name = "SECONDS", value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    kill_after: Option<u64>,
}

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) session: String,
    pub(super) command: String,
    pub(super) manner: Manner,
    /// Its output is collected, and nothing is asked.
    pub(super) json: bool,
    /// It is one of many: no more of its output is collected than is shown of one, and what comes with the last of it.
    pub(super) among: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum End {
    /// It has ended, or stands.
    Finished(Box<RunReport>),
    /// Nothing was run; why.
    Refused(String),
    /// Nothing was run: a server asks something at login, and nobody can be asked here.
    Asks(Question),
    /// Nothing was run: a person has to agree first.
    NeedsApproval(Box<ApprovalState>),
    /// Nobody reads its output any more. It ends with this program.
    Unread,
}

/// Runs it and gives its status.
pub(super) async fn run(file: Option<&Path>, wanted: &Wanted) -> ExitCode {
    let mut output = String::new();
    let end = carried(file, wanted, &mut output).await.unwrap_or_else(End::Refused);
    let status = ExitCode::from(status(&end));
    if wanted.json {
        say(&format!("{}\n", as_json(wanted, &end, &output)));
        return status;
    }
    let sentences = said(wanted, &end);
    let is_in_row = !output.is_empty() && !output.ends_with('\n');
    if is_in_row && !sentences.is_empty() && std::io::stdout().is_terminal() {
        say("\n");
    }
    for sentence in sentences {
        aside(&sentence);
    }
    status
}

/// Has it run and collects its output, which a person sees when it comes.
pub(super) async fn carried(file: Option<&Path>, wanted: &Wanted, output: &mut String) -> Result<End, String> {
    let mut visitor = Visitor::of_daemon(file, "run", true).await?;
    let Wanted { session, command, manner: Manner { mode, commit, reason, kill_after: kill_after_s }, .. } = wanted.clone();
    let asked = Say::Run { session, command, kill_after_s, mode, commit, reason };
    visitor.say(&asked).await?;
    // Of many it would be told as many times.
    let mut is_silent = !wanted.among;
    loop {
        let told = match heard(&mut visitor, &mut is_silent).await {
            Ok(told) => told,
            Err(why) => return Ok(End::Finished(Box::new(gone(wanted, why)))),
        };
        match told {
            Tell::Text { text } if wanted.json => {
                is_silent = false;
                if !wanted.among || output.len() <= FLEET_OUTPUT_MAX_BYTES {
                    output.push_str(&text);
                }
            }
            Tell::Text { text } => {
                is_silent = false;
                // Who reads it sees it when it comes.
                if !is_read(&text) {
                    return Ok(End::Unread);
                }
                // Only how it ends counts.
                *output = text;
            }
            Tell::NeedsApproval { approval } if wanted.json || !is_at_terminal() => return Ok(End::NeedsApproval(Box::new(approval))),
            Tell::NeedsApproval { approval } => {
                let allow = agreed(&approval)?;
                visitor.ask(&Say::Decide { id: approval.id, allow }).await?;
                if !allow {
                    return Err("denied; nothing was run".to_owned());
                }
                visitor.say(&asked).await?;
            }
            Tell::Asks { question } if wanted.json || !is_at_terminal() => return Ok(End::Asks(question)),
            Tell::Asks { question } => visitor.answer(&question).await?,
            Tell::Refused { why } => return Ok(End::Refused(why)),
            Tell::Waits { why } => aside(&why),
            Tell::Finished { report } => return Ok(End::Finished(Box::new(report))),
            _ => {}
        }
    }
}

/// What comes next. A command that stays silent may read what nobody gives it, which is told once.
async fn heard(visitor: &mut Visitor, is_silent: &mut bool) -> Result<Tell, String> {
    let mut next = pin!(visitor.hear());
    if let Ok(told) = timeout(SILENT_MAX, &mut next).await {
        return told;
    }
    if mem::take(is_silent) && has_input() {
        aside("it has printed nothing yet; what stands on standard input here is not passed on to it");
    }
    next.await
}

/// Does something stand on standard input that no person types?
fn has_input() -> bool {
    let input = std::io::stdin();
    !input.is_terminal() && rustix::io::ioctl_fionread(&input).is_ok_and(|bytes| bytes > 0)
}

/// The other process has gone, and with it what is known of the command.
fn gone(wanted: &Wanted, why: String) -> RunReport {
    RunReport { session: wanted.session.clone(), state: "lost".to_owned(), failed: true, failure: Some(why), ..RunReport::default() }
}

fn status(end: &End) -> u8 {
    let report = match end {
        End::Finished(report) => report,
        End::Unread => return UNREAD,
        End::Refused(_) | End::Asks(_) | End::NeedsApproval(_) => return REFUSED,
    };
    let own = report.exit_code.map(|code| u8::try_from(code).unwrap_or(FAILED));
    match (report.state.as_str(), own) {
        ("lost" | "needs_input", _) => LOST,
        _ if report.timed_out => TIMED_OUT,
        (_, Some(own)) => own,
        ("interrupted", None) => INTERRUPTED,
        (_, None) if report.failed => FAILED,
        (_, None) => 0,
    }
}

/// What a person is told beside the output.
pub(super) fn said(wanted: &Wanted, end: &End) -> Vec<String> {
    let report = match end {
        End::Refused(why) => return vec![why.clone()],
        End::Asks(question) => return vec![format!("{}; nothing was run", unanswered(question, "then run it again"))],
        End::NeedsApproval(approval) => {
            let (reason, id) = (reason(approval), &approval.id);
            return vec![format!(
                "it needs a person's approval: {reason}; nothing was run. Run it at a terminal, or `jackfield approve {id}` and run it again"
            )];
        }
        // As of a program that runs here.
        End::Unread => return Vec::new(),
        End::Finished(report) => report,
    };
    let asks = (report.state == "needs_input").then(|| {
        let (asked, session) = (report.ask.as_deref().unwrap_or_default(), &wanted.session);
        format!("it asks `{asked}` and waits; `jackfield attach {session}` takes the answer, `jackfield close {session}` ends it")
    });
    let cut = (report.state == "interrupted" && !report.timed_out).then(|| "somebody interrupted it".to_owned());
    report.warnings.iter().chain(&report.failure).cloned().chain(asks).chain(cut).collect()
}

pub(super) fn as_json(wanted: &Wanted, end: &End, output: &str) -> Value {
    let mut value = match end {
        End::Finished(report) => serde_json::to_value(report).unwrap_or_default(),
        End::Refused(why) => json!({"session": wanted.session, "state": "refused", "failed": true, "failure": why}),
        End::Unread => json!({"session": wanted.session, "state": "interrupted", "failed": true}),
        End::Asks(question) => {
            let failure = unanswered(question, "then run it again");
            json!({"session": wanted.session, "state": "needs_input", "failed": true, "failure": failure, "ask": question.prompt, "question": question.id})
        }
        End::NeedsApproval(approval) => {
            json!({"session": wanted.session, "state": "approval_needed", "failed": true, "failure": reason(approval), "approval": approval})
        }
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("output".to_owned(), output.into());
    }
    value
}

/// Why a person is asked, without the words that say so.
fn reason(approval: &ApprovalState) -> &str {
    approval.reason.trim_start_matches("Needs a person's approval: ").trim_end_matches('.')
}

/// Asks at the terminal.
pub(super) fn agreed(approval: &ApprovalState) -> Result<bool, String> {
    let text: Vec<String> = approval.text.lines().map(|line| format!("  | {}", escaped(line))).collect();
    let place = if approval.cwd.is_empty() { String::new() } else { format!("\nIn the directory {}:", escaped_line(&approval.cwd)) };
    says_yes(&format!("{}{place}\n{}", approval.reason, text.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted { session: "sw1".to_owned(), command: "show log".to_owned(), ..Wanted::default() }
    }

    fn finished(state: &str, exit_code: Option<i32>, change: impl FnOnce(&mut RunReport)) -> End {
        let mut report = RunReport { state: state.to_owned(), exit_code, ..RunReport::default() };
        change(&mut report);
        End::Finished(Box::new(report))
    }

    #[test]
    fn the_status_is_the_commands_own_or_says_what_kept_it_from_one() {
        let plain = |state, code| status(&finished(state, code, |_| ()));
        assert_eq!([plain("done", Some(7)), plain("done", None), plain("done", Some(-1))], [7, 0, 1]);
        assert_eq!([plain("interrupted", Some(0)), plain("interrupted", None)], [0, 130]);
        assert_eq!([plain("lost", None), plain("needs_input", None)], [255, 255]);
        assert_eq!(status(&finished("done", None, |report| report.failed = true)), 1);
        for (state, code) in [("interrupted", None), ("interrupted", Some(130)), ("running", None)] {
            assert_eq!(status(&finished(state, code, |report| report.timed_out = true)), 124);
        }
        assert_eq!(status(&End::Refused("no".to_owned())), 126);
        assert_eq!([status(&End::NeedsApproval(Box::default())), status(&End::Unread)], [126, 141]);
    }

    #[test]
    fn what_waits_or_was_lost_is_told_with_the_next_step() {
        let asks = finished("needs_input", None, |report| report.ask = Some("Really? [y/n]".to_owned()));
        let [sentence] = said(&wanted(), &asks).try_into().unwrap();
        assert!(sentence.contains("it asks `Really? [y/n]` and waits") && sentence.contains("`jackfield attach sw1`"), "{sentence}");
        let lost = finished("lost", None, |report| report.failure = Some("the line ended while it ran: it closed".to_owned()));
        assert_eq!(said(&wanted(), &lost), ["the line ended while it ran: it closed"]);
    }

    #[test]
    fn a_reason_says_once_that_a_person_is_needed() {
        let reason = "Needs a person's approval: `reload` may not come back.".to_owned();
        let needed = End::NeedsApproval(Box::new(ApprovalState { id: "a1".to_owned(), reason, ..ApprovalState::default() }));
        let [sentence] = said(&wanted(), &needed).try_into().unwrap();
        assert!(sentence.starts_with("it needs a person's approval: `reload` may not come back; nothing was run."), "{sentence}");
        assert!(sentence.contains("`jackfield approve a1`"), "{sentence}");
    }

    #[test]
    fn json_is_told_whatever_came_of_it() {
        let refused = as_json(&wanted(), &End::Refused("no".to_owned()), "");
        assert_eq!(refused, json!({"session": "sw1", "state": "refused", "failed": true, "failure": "no", "output": ""}));
        let needed = as_json(&wanted(), &End::NeedsApproval(Box::default()), "");
        assert_eq!((&needed["state"], needed["approval"].is_object()), (&json!("approval_needed"), true));
        assert_eq!(as_json(&wanted(), &finished("lost", None, |_| ()), "par")["output"], "par");
    }
}
