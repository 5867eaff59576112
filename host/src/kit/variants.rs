//! Harder sessions, made of the recorded ones: hostile output in front of the prompt, spoofed pages and questions, slow echoes, a goal
//! that is reached already. A variant comes out like its recording, with nothing else typed.

use std::time::Duration;

use super::recordings::{Played, cuts};
use super::report::Check;
use super::rows;
use super::subject::Subject;
use crate::plugin::session::SessionPlugins;
use crate::recording::{Entry, Outcome, Recording};
use crate::replay::{outcome, told};
use crate::session::report::Report;
use crate::transport::replay::Cut;

/// Random cuts of a variant.
const CUTS: u64 = 2;
/// How long a device takes that is slow.
const SLOW: Duration = Duration::from_secs(3);
/// How long a spoofed question stands. Longer than a plugin waits before it believes one.
const STANDS: Duration = Duration::from_secs(4);
/// When a message comes that is late: the host has typed its line by then.
const LATE: Duration = Duration::from_millis(200);
/// Between the pieces of an output row: shorter than any prompt's silence.
const HESITATION: Duration = Duration::from_millis(15);

/// A request of a recording: its place and what it is like.
struct Request<'a> {
    /// Where its entries begin and end.
    from: usize,
    to: usize,
    text: &'a str,
    expected: &'a Outcome,
}

/// All variants of all recordings.
///
/// # Errors
///
/// When no runtime can be had.
pub fn checks(subject: &Subject, played: &[Played]) -> Result<Vec<Check>, String> {
    let mut hostile = Check::new("hostile output", "configurations, logs and messages in front of the prompt end no command");
    let mut spoofed = Check::new("spoofed pages", "complete rows that look like pages and questions are output: nothing is typed");
    let mut question = Check::new("spoofed question", "a password question in a command's output is given no secret");
    let mut message =
        Check::new("messages", "a message behind the prompt or in front of the echo, with the prompt drawn again, ends no command");
    let mut slow = Check::new("slow echo", "a device that takes seconds to echo and to answer changes nothing");
    let mut reached = Check::new("goal reached", "a goal that asks for nothing is reached without a secret");
    for one in played {
        let quiet = |request: &Request<'_>| plain(one, request);
        let pieces: Vec<Entry> = rows::output().into_iter().flat_map(hesitant).collect();
        play(&mut hostile, one, "hostile output", &with_output(&one.recording, &quiet, &pieces), true, &mut contains);
        let rows: String = rows::spoofs().into_iter().map(|row| format!("{row}\r\n")).collect();
        // The last rows must not read like a refusal.
        let whole = [Entry::Output(format!("{rows}end of the text\r\nthat was all\r\nreally\r\n").into_bytes())];
        play(&mut spoofed, one, "spoofed pages", &with_output(&one.recording, &quiet, &whole), false, &mut alike);
        let asks =
            [Entry::Output(b"Password: ".to_vec()), Entry::Silence(STANDS), Entry::Output(b"\r\nnever mind\r\nend\r\nof it\r\n".to_vec())];
        play(&mut question, one, "spoofed question", &with_output(&one.recording, &quiet, &asks), false, &mut alike);
        play(&mut message, one, "messages", &with_messages(&one.recording), true, &mut alike);
        play(&mut slow, one, "slow echo", &slowed(&one.recording), false, &mut crate::replay::exact);
        if let Some(variant) = already_there(&one.recording) {
            play(&mut reached, one, "goal reached", &variant, false, &mut alike);
        }
    }
    let none = if played.is_empty() {
        "no recordings of it were given"
    } else {
        "no recording has a command that ends well, starts no goal and is asked nothing"
    };
    let no_goal = "no recording has a secret typed for a command";
    let mut checks: Vec<Check> = [hostile, spoofed, question, slow].into_iter().map(|check| check.or_not_tested(none)).collect();
    checks.push(message.or_not_tested("no recording has a prompt without control sequences"));
    if subject.asks_for_secrets() {
        checks.push(reached.or_not_tested(no_goal));
    }
    Ok(checks)
}

type Compare<'a> = &'a mut (dyn FnMut(&Outcome, &Report) -> Result<(), String> + Send);

fn play(check: &mut Check, one: &Played, what: &str, variant: &Recording, cut_up: bool, compare: Compare<'_>) {
    if variant.entries == one.recording.entries {
        return;
    }
    let whole: Cut = Box::new(|length| (length, Duration::ZERO));
    let all = if cut_up { cuts(variant, CUTS) } else { vec![("nowhere".to_owned(), whole)] };
    for (name, cut) in all {
        let played = one.play(variant, cut, compare).map_err(|why| format!("{}, {what}, cut {name}: {why}", one.name));
        let failed = played.is_err();
        check.case(played);
        if failed {
            break;
        }
    }
}

/// The same end, whatever the output is now.
fn alike(expected: &Outcome, report: &Report) -> Result<(), String> {
    let came = outcome(report);
    let told = told::difference_at_end(&came, expected);
    if told.is_empty() { Ok(()) } else { Err(format!("comes out otherwise: {told}")) }
}

/// The same end, and the hostile rows stand in the output if any do.
fn contains(expected: &Outcome, report: &Report) -> Result<(), String> {
    alike(expected, report)?;
    let came = outcome(report).output;
    let rows = rows::output();
    let Some(first) = rows.first().filter(|first| came.contains(*first)) else { return Ok(()) };
    match rows.iter().find(|row| !came.contains(row.trim_end())) {
        Some(lost) => Err(format!("comes out with the row {} and without {}", told::row(first), told::row(lost))),
        None => Ok(()),
    }
}

/// A row in two pieces.
fn hesitant(row: &str) -> Vec<Entry> {
    let middle = row.char_indices().nth(row.chars().count() / 2).map_or(0, |(at, _)| at);
    let (left, right) = row.split_at(middle);
    vec![Entry::Output(left.as_bytes().to_vec()), Entry::Silence(HESITATION), Entry::Output(format!("{right}\r\n").into_bytes())]
}

fn requests(recording: &Recording) -> Vec<Request<'_>> {
    let mut found = Vec::new();
    let mut started = None;
    for (at, entry) in recording.entries.iter().enumerate() {
        match (entry, started) {
            (Entry::Run(text), _) => started = Some((at, text)),
            (Entry::Outcome(expected), Some((from, text))) => {
                found.push(Request { from, to: at, text, expected });
                started = None;
            }
            _ => {}
        }
    }
    found
}

/// A command that ended well, starts no goal and was asked nothing.
fn plain(one: &Played, request: &Request<'_>) -> bool {
    let asked = one
        .recording
        .entries
        .get(request.from..request.to)
        .into_iter()
        .flatten()
        .any(|entry| matches!(entry, Entry::Secret { .. } | Entry::Answer(_)));
    let mode = &request.expected.mode;
    let claimed = || {
        let claim = async { SessionPlugins::new(std::sync::Arc::clone(&one.kind)).claim(request.text, mode).await };
        super::subject::runtime().is_ok_and(|runtime| runtime.block_on(claim).is_some())
    };
    request.expected.state == "done" && !request.expected.failed && !asked && !claimed()
}

/// Puts entries in front of the row with the prompt that ends each of these requests.
fn with_output(recording: &Recording, wanted: &dyn Fn(&Request<'_>) -> bool, pieces: &[Entry]) -> Recording {
    let mut variant = recording.clone();
    // From the end, so that places stay what they are.
    for request in requests(recording).into_iter().rev().filter(|request| wanted(request)) {
        let entries = recording.entries.get(request.from..request.to).unwrap_or_default();
        let last = entries.iter().rposition(|entry| matches!(entry, Entry::Output(_)));
        let Some(at) = last.map(|at| request.from + at) else { continue };
        let Some(Entry::Output(bytes)) = recording.entries.get(at) else { continue };
        let Some(row) = bytes.iter().rposition(|byte| *byte == b'\n') else { continue };
        let (before, prompt) = bytes.split_at(row + 1);
        let new = [Entry::Output(before.to_vec())].into_iter().chain(pieces.iter().cloned()).chain([Entry::Output(prompt.to_vec())]);
        variant.entries.splice(at..=at, new);
    }
    variant
}

/// A message after the prompt, and the prompt again: at once for every second command, for the others once the line was typed. Left
/// out where the prompt has control sequences: such a line editor draws it in its own way.
fn with_messages(recording: &Recording) -> Recording {
    let mut variant = recording.clone();
    for (number, request) in requests(recording).iter().enumerate().rev() {
        let shown = recording.entries.get(..request.from).into_iter().flatten().rev().find_map(|entry| match entry {
            Entry::Output(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        let prompt = shown.and_then(|bytes| bytes.rsplit(|byte| *byte == b'\n').next()).unwrap_or_default();
        if prompt.is_empty() || prompt.contains(&0x1b) || request.expected.failed {
            continue;
        }
        let output = Entry::Output([b"\r\n", rows::message().as_bytes(), b"\r\n", prompt].concat());
        let late = if number.is_multiple_of(2) { None } else { Some(Entry::Silence(LATE)) };
        variant.entries.splice(request.from + 1..request.from + 1, late.into_iter().chain([output]));
    }
    variant
}

/// Silence before each answer of the device. Not where a command failed: somebody may have lost his patience there.
fn slowed(recording: &Recording) -> Recording {
    let mut variant = recording.clone();
    let failed: Vec<(usize, usize)> =
        requests(recording).iter().filter(|request| request.expected.failed).map(|request| (request.from, request.to)).collect();
    variant.entries = recording
        .entries
        .iter()
        .enumerate()
        .flat_map(|(at, entry)| match entry {
            Entry::Typed(_) | Entry::Secret { .. } if !failed.iter().any(|(from, to)| (from..to).contains(&&at)) => {
                vec![entry.clone(), Entry::Silence(SLOW)]
            }
            _ => vec![entry.clone()],
        })
        .collect();
    variant
}

/// The device asks for no secret: what followed it follows the echo. None where no request has exactly one secret and a good end.
fn already_there(recording: &Recording) -> Option<Recording> {
    let mut variant = recording.clone();
    for request in requests(recording).into_iter().rev() {
        let entries = recording.entries.get(request.from..request.to)?;
        let secrets: Vec<usize> =
            entries.iter().enumerate().filter(|(_, entry)| matches!(entry, Entry::Secret { .. })).map(|(at, _)| at).collect();
        let [secret] = secrets.as_slice() else { continue };
        let answered = entries.iter().any(|entry| matches!(entry, Entry::Answer(_)));
        let Some(Entry::Output(question)) = secret.checked_sub(1).and_then(|at| entries.get(at)) else { continue };
        if answered || request.expected.failed || request.expected.state != "done" {
            continue;
        }
        let echo = question.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let at = request.from + secret;
        let echo = Entry::Output(question.get(..echo)?.to_vec());
        variant.entries.splice(at - 1..=at, [echo]);
        // The device's line end behind the secret would be an empty row.
        if let Some(Entry::Output(after)) = variant.entries.get_mut(at)
            && let Some(rest) = after.strip_prefix(b"\r\n")
        {
            *after = rest.to_vec();
        }
    }
    (variant != *recording).then_some(variant)
}
