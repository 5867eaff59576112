//! `ssh_output`: a command's or a session's output, read, searched and waited for.

use std::sync::Arc;

use super::Caller;
use super::bounds::capped;
use super::calls::{about, rollout};
use super::reply::{self, Reply};
use super::tools::Arguments;
use crate::directory::Directory;
use crate::ids::CommandId;
use crate::limits::OUTPUT_DEFAULT_CHARS;
use crate::session::command::State;
use crate::session::report::{OutputQuery, Range, Report};
use crate::session::search::{before_last_chars, before_last_lines};
use crate::session::{Phase, SessionHandle};

/// Shows what a command or a session has printed, or waits for more of it.
pub(super) async fn output(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    if let Some(rollout) = rollout(directory, arguments) {
        return super::fleet::output(caller, &rollout, arguments).await;
    }
    let named: Option<CommandId> = arguments.text("command_id").and_then(|text| text.parse().ok());
    if let Some(id) = named.filter(|id| directory.transfers().has(*id)) {
        return Err(format!("{id} is a transfer: make the same ssh_transfer call again, which waits for it and tells its end"));
    }
    let (handle, command) = about(directory, arguments)?;
    let mut query = wanted(directory, arguments, &handle, command)?;
    let wait = arguments.wait(0.0, caller.ceiling_s);
    let session = handle.id.to_string();
    let until = arguments.text("until").unwrap_or("exit");
    let chosen = arguments.again(&["grep", "context", "format"]);
    let told = |mut report: Report| {
        report.warnings.extend(arguments.count("offset").and_then(|offset| behind_end(offset, &report.range)));
        reply::part(&handle.id.device, &session, report, &chosen)
    };
    if until == "match" && query.grep.is_none() {
        return Err("`until=match` of ssh_output waits for a line that `grep` matches; give `grep`, or until=output".to_owned());
    }
    let mut looks = handle.looks();
    // Asked before each report: what comes between the two is not left out.
    let mut rests = has_come_to_rest(&handle, until);
    let first = searched(&handle, &query).await?;
    if wait.is_zero() {
        return Ok(told(first));
    }
    let known_end = query.offset.unwrap_or_else(|| first.range.output_end.max(first.range.end));
    // How it goes on is seen without searching all of it again.
    let is_searched = query.grep.is_some() && until != "match";
    let brief = OutputQuery { offset: None, tail: Some(1), grep: None, max_chars: 1, raw: false, ..query.clone() };
    let waiting = async {
        let mut report = first;
        loop {
            let done = match until {
                "output" => report.range.output_end.max(report.range.end) > known_end,
                "match" if query.grep.is_some() && report.output.is_empty() => {
                    // What was searched is not searched again.
                    query.offset = Some(report.range.end);
                    false
                }
                "match" => !report.output.is_empty(),
                _ => false,
            };
            let over = match command {
                Some(_) => report.state.is_over() || report.state == State::NeedsInput,
                None => rests || report.state == State::NeedsInput,
            };
            if done || over {
                return if is_searched { searched(&handle, &query).await } else { Ok::<_, String>(report) };
            }
            looks.next().await;
            rests = has_come_to_rest(&handle, until);
            report = if is_searched { handle.report(brief.clone()).await? } else { searched(&handle, &query).await? };
        }
    };
    let progress = || format!("{session}: {} bytes in the log", reply::grouped(handle.status().log_bytes));
    let report = match caller.wait(wait, progress, waiting).await {
        Some(report) => report?,
        None => searched(&handle, &query).await?,
    };
    Ok(told(report))
}

/// What part of the output is wanted.
fn wanted(directory: &Directory, arguments: &Arguments, handle: &SessionHandle, command: Option<CommandId>) -> Result<OutputQuery, String> {
    let query = OutputQuery {
        command,
        offset: arguments.count("offset"),
        tail: arguments.count("tail").and_then(|lines| usize::try_from(lines).ok()),
        grep: arguments.text("grep").map(str::to_owned),
        context: arguments.count("context").and_then(|lines| usize::try_from(lines).ok()).unwrap_or_default(),
        max_chars: capped(directory, arguments.max_chars(OUTPUT_DEFAULT_CHARS)),
        raw: arguments.text("format") == Some("base64"),
        errors: arguments.text("stream") == Some("stderr"),
    };
    if query.errors && handle.commons.has_terminal {
        return Err(format!("`{}` has a terminal, where standard error comes with the output; leave `stream` out", handle.id));
    }
    if query.raw && (query.grep.is_some() || query.tail.is_some()) {
        return Err("`format=base64` of ssh_output gives bytes, and `grep` and `tail` choose lines; leave one out".to_owned());
    }
    Ok(query)
}

/// What is said where nothing was at an offset, nor will be for long.
fn behind_end(offset: u64, range: &Range) -> Option<String> {
    let end = range.output_end;
    (end > 0 && offset > end).then(|| format!("offset={offset} lies behind the end, which is {end}; offsets are those that `range` tells"))
}

/// Does nothing more come in a session? What is waited for there may also come by itself, while no command runs.
fn has_come_to_rest(handle: &SessionHandle, until: &str) -> bool {
    match handle.status().phase {
        Phase::Closed(_) => true,
        Phase::Ready | Phase::NeedsInput(_) => until == "exit",
        Phase::Busy(_) | Phase::Opening => false,
    }
}

/// What a query brings. A large log is searched part by part, so that its session can do something else in between.
pub(super) async fn searched(handle: &SessionHandle, query: &OutputQuery) -> Result<Report, String> {
    let mut report = handle.report(query.clone()).await?;
    while report.range.goes_on {
        let more = handle.report(OutputQuery { offset: Some(report.range.end), ..query.clone() }).await?;
        let mut output = report.output + &more.output;
        let chars = output.chars().count();
        match query.tail {
            Some(tail) => {
                let from = before_last_lines(&output, tail).max(before_last_chars(&output, query.max_chars));
                output.drain(..from);
            }
            // What has no room as a whole comes with the next call.
            None if chars > query.max_chars && more.output.len() < output.len() => {
                output.truncate(output.len() - more.output.len());
                return Ok(Report { output, ..report });
            }
            None => {}
        }
        let range = Range { start: report.range.start, removed: report.range.removed + more.range.removed, ..more.range };
        // Standard error was searched at first.
        report = Report { output, range, errors: report.errors, ..more };
    }
    Ok(report)
}
