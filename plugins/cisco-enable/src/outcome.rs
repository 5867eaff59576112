//! Was the command refused? These devices have no exit status, only words.

use jackfield_plugin::text::{begins, holds, listed, rows, whole};
use jackfield_plugin::{Exchange, Failure};

/// In a long answer only so many rows at each end can be the device's verdict; what lies between is content.
const EDGE_ROWS: usize = 3;

/// Words behind the percent sign that begin a note about a line that was taken, in small letters. They go before all others.
const NOTES: [&str; 33] = [
    "warning",
    "note",
    "info:",
    "success",
    "generating ",
    "writing ",
    "saving ",
    "applying ",
    "not all config may be removed",
    "portfast",
    "access vlan does not exist. creating",
    "voice vlan does not exist. creating",
    "login disabled on line",
    // What is said around a question, above all about keys and certificates.
    "please answer",
    "please re-enter",
    "please enter",
    "do you",
    "you already have",
    "they will",
    "key pair import succeeded",
    "keys to be removed",
    "the key modulus size is",
    "all router certs",
    "be sure to",
    "removing an enrolled",
    "include the",
    "the subject name in",
    "the fully-qualified domain name in",
    "the serial number in",
    "certificate request",
    "start certificate enrollment",
    "create a challenge password",
    "trustpoint ca certificate accepted",
];

/// The same, wherever they stand behind the percent sign.
const NOTES_INSIDE: [&str; 10] = [
    "warning",
    "deprecated",
    " will be ",
    " will only ",
    "take effect",
    "may impact ",
    "removed due to ",
    " been removed",
    "legal lat node name",
    "successfully",
];

/// Words behind the percent sign that begin a failure, in small letters, and its kind.
const WORDS: [(&str, &str); 40] = [
    ("incomplete", "incomplete"),
    ("command incomplete", "incomplete"),
    ("invalid", "refused"),
    ("ambiguous", "refused"),
    ("unknown", "refused"),
    ("unrecognized", "refused"),
    ("unavailable", "refused"),
    ("access denied", "refused"),
    ("authorization", "refused"),
    ("authentication", "refused"),
    ("configuration mode is locked", "refused"),
    ("denied", "refused"),
    ("sorry", "refused"),
    ("incorrect", "refused"),
    ("bad", "error"),
    ("error", "error"),
    ("not ", "error"),
    ("no such", "error"),
    ("no password set", "error"),
    ("cannot", "error"),
    ("can't", "error"),
    ("unable", "error"),
    ("failed", "error"),
    ("specify", "error"),
    ("configuration failed", "error"),
    ("there is no", "error"),
    ("malformed", "error"),
    ("too large", "error"),
    ("duplicate sequence", "error"),
    ("user not present", "error"),
    ("more than", "error"),
    ("subnet", "error"),
    ("prefix length", "error"),
    ("password:  timeout expired", "error"),
    ("connection ", "error"),
    ("destination unreachable", "error"),
    ("inconsistent", "error"),
    ("please define", "error"),
    ("login invalid", "error"),
    ("range command", "error"),
];

/// The same, wherever they stand behind the percent sign.
const WORDS_INSIDE: [&str; 7] = ["overlaps with ", "failure", "failed", "error", " not ", " cannot ", " already "];

/// How a row without a percent sign begins that refuses any line.
const REFUSED: [&str; 7] = [
    "Command authorization failed",
    "Command rejected",
    "Command Rejected",
    "Configuration locked",
    "Configuration is locked",
    "Configuration mode is locked",
    "Maximum number of pending sessions",
];

/// How a row without a percent sign begins that refuses a line of configuration, in small letters.
const PLAIN: [&str; 8] = ["bad mask ", "bgp is already running", "unable to ", "cannot ", "can't ", "could not ", "failed to ", "invalid "];

/// The first line that says so, if one does.
pub(crate) fn judge(exchange: &Exchange) -> Option<Failure> {
    let rows = verdict_rows(exchange);
    let found = |look: &dyn Fn(&str) -> Option<&'static str>| {
        rows.iter().find_map(|row| Some(Failure { line: (*row).to_owned(), kind: look(row)?.to_owned() }))
    };
    let configures = configures(exchange);
    // A failed name look-up is followed by the line that says what came of it.
    found(&failure_kind).or_else(|| found(&|row| unknown_kind(row).filter(|_| configures))).or_else(|| found(&lookup_kind))
}

/// Is it a line of configuration? What only shows something there may print rows of any kind.
fn configures(exchange: &Exchange) -> bool {
    let shows = listed("do sh sho show", exchange.command.split_ascii_whitespace().next().unwrap_or_default());
    exchange.mode.starts_with("config") && !shows
}

/// A line of configuration prints nothing as a rule, so a row that begins with a percent sign and is neither a message to the log
/// nor a known note counts as a failure. Where that is wrong, the block stops at a line that was taken, and the row is told; the
/// other way round the lines that follow would be typed in another place than meant: an address on an interface that is not in
/// its VRF.
fn unknown_kind(row: &str) -> Option<&'static str> {
    let refused = match row.strip_prefix('%') {
        Some(text) => {
            !is_syslog(text) && text.bytes().any(|b| b.is_ascii_alphabetic()) && !is_note(&text.trim_start().to_ascii_lowercase())
        }
        None => {
            let small = row.to_ascii_lowercase();
            small.ends_with(" failed") || begins(&small, &PLAIN)
        }
    };
    refused.then_some("error")
}

fn verdict_rows(exchange: &Exchange) -> Vec<&str> {
    let mut rows = filled_rows(&exchange.head);
    let same = exchange.head == exchange.tail;
    if same && rows.len() <= 2 * EDGE_ROWS {
        return rows;
    }
    let tail = filled_rows(&exchange.tail);
    let skipped = tail.len().saturating_sub(EDGE_ROWS);
    rows.truncate(EDGE_ROWS);
    rows.extend_from_slice(tail.get(skipped..).unwrap_or_default());
    rows
}

fn filled_rows(text: &str) -> Vec<&str> {
    rows(text).map(str::trim).filter(|row| !row.is_empty()).collect()
}

fn failure_kind(row: &str) -> Option<&'static str> {
    if let Some(text) = row.strip_prefix('%') {
        return if is_syslog(text) { None } else { percent_kind(text.trim_start()) };
    }
    if begins(row, &REFUSED) {
        return Some("refused");
    }
    let error = row.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("error:"));
    (error || is_down(row) || is_file_line(row)).then_some("error")
}

fn percent_kind(text: &str) -> Option<&'static str> {
    // FRR puts the daemon's name in front: `[ZEBRA] Unknown command`.
    let plain = text.strip_prefix('[').and_then(|inner| inner.split_once(']')).map_or(text, |(_, rest)| rest.trim_start());
    let small = plain.to_ascii_lowercase();
    if begins(&small, &NOTES) {
        return None;
    }
    if let Some((_, kind)) = WORDS.iter().find(|(word, _)| small.starts_with(word)) {
        return Some(kind);
    }
    (!is_note(&small) && WORDS_INSIDE.iter().any(|word| holds(&small, word))).then_some("error")
}

/// The line was taken, and the device adds something.
fn is_note(small: &str) -> bool {
    begins(small, &NOTES) || NOTES_INSIDE.iter().any(|words| holds(small, words))
}

/// `SYS-5-CONFIG_I: ...` is a message to the log and no answer.
fn is_syslog(text: &str) -> bool {
    let Some((code, _)) = text.split_once(':') else { return false };
    let mut parts = code.rsplitn(3, '-');
    let capitals =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_-".contains(&b));
    let (Some(name), Some(level), Some(facility)) = (parts.next(), parts.next(), parts.next()) else { return false };
    capitals(name) && capitals(facility) && level.len() == 1 && level.bytes().all(|b| b.is_ascii_digit())
}

/// vtysh says `bgpd is not running`, without a percent sign.
fn is_down(row: &str) -> bool {
    row.strip_suffix(" is not running").is_some_and(|daemon| !daemon.is_empty() && !daemon.contains(' '))
}

/// vtysh reading a file: `line 3: % Unknown command`.
fn is_file_line(row: &str) -> bool {
    let rest = row.strip_prefix("line ").and_then(|rest| rest.split_once(':'));
    rest.is_some_and(|(number, text)| whole(number).is_some() && text.starts_with(" %"))
}

/// A mistyped word that IOS takes for a host name. With `[OK]` the name was found.
fn lookup_kind(row: &str) -> Option<&'static str> {
    (row.starts_with("Translating \"") && !row.ends_with("[OK]")).then_some("error")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{CONFIG_ERRORS, CONFIG_NOTES, ERRORS, NOT_ERRORS};

    fn verdict(output: &str) -> Option<Failure> {
        judge(&Exchange { command: "x".into(), mode: "privileged".into(), head: output.into(), tail: output.into(), status: None })
    }

    fn in_config(command: &str, output: &str) -> Option<String> {
        let exchange = Exchange { command: command.into(), mode: "config".into(), head: output.into(), tail: output.into(), status: None };
        judge(&exchange).map(|failure| failure.line)
    }

    fn failure(line: &str, kind: &str) -> Option<Failure> {
        Some(Failure { line: line.into(), kind: kind.into() })
    }

    #[test]
    fn every_known_error_is_a_failure_with_its_line() {
        for line in ERRORS {
            assert_eq!(verdict(&format!("\n{line}\n")).map(|failure| failure.line).as_deref(), Some(*line));
        }
    }

    #[test]
    fn what_only_looks_like_an_error_is_none() {
        for line in NOT_ERRORS {
            assert_eq!(verdict(line), None, "{line}");
        }
        for line in ["", "%", "%%", "[OK]", "line 3: description", "Translating \"web1\"...domain server (192.0.2.1) [OK]"] {
            assert_eq!(verdict(line), None, "{line}");
        }
    }

    #[test]
    fn a_line_of_configuration_fails_by_each_row_that_is_no_known_note() {
        for line in ERRORS.iter().chain(CONFIG_ERRORS) {
            assert_eq!(in_config("ip address 192.0.2.1", &format!("{line}\n")).as_deref(), Some(*line));
        }
        for line in CONFIG_NOTES {
            assert_eq!(in_config("ip address 192.0.2.1", &format!("{line}\n")), None, "{line}");
        }
        for line in ["", "%", "%%", "% 42", "R1(config-if)#"] {
            assert_eq!(in_config("ip address 192.0.2.1", line), None, "{line}");
        }
    }

    #[test]
    fn what_only_shows_something_from_configuration_mode_prints_what_it_likes() {
        for command in ["do show ip bgp", "show version", "sh run"] {
            assert_eq!(in_config(command, "% A row of content\n"), None, "{command}");
            assert!(in_config(command, "% Invalid input detected at '^' marker.\n").is_some(), "{command}");
        }
        assert_eq!(verdict("% A row of content"), None);
    }

    #[test]
    fn a_known_error_is_named_before_a_row_that_nobody_knows() {
        let rows = "% Something is odd\n% Invalid input detected at '^' marker.\n";
        assert_eq!(in_config("x", rows).as_deref(), Some("% Invalid input detected at '^' marker."));
    }

    #[test]
    fn the_kind_tells_a_refused_line_from_one_that_ran() {
        let caret = "     ^\n% Invalid input detected at '^' marker.\n\n";
        assert_eq!(verdict(caret), failure("% Invalid input detected at '^' marker.", "refused"));
        assert_eq!(verdict("% Incomplete command.\n"), failure("% Incomplete command.", "incomplete"));
        assert_eq!(verdict("% Command incomplete.\n"), failure("% Command incomplete.", "incomplete"));
        assert_eq!(verdict("% [ZEBRA] Unknown command: x\n"), failure("% [ZEBRA] Unknown command: x", "refused"));
        assert_eq!(verdict("% 192.0.2.0 overlaps with Vlan1\n"), failure("% 192.0.2.0 overlaps with Vlan1", "error"));
        assert_eq!(verdict("error: no such file\n"), failure("error: no such file", "error"));
        assert_eq!(verdict("line 3: % Unknown command: foo\n"), failure("line 3: % Unknown command: foo", "error"));
    }

    #[test]
    fn a_name_look_up_is_named_only_when_nothing_better_follows() {
        let lookup = "Translating \"foo\"...domain server (255.255.255.255)";
        let better = "% Unknown command or computer name, or unable to find computer address";
        assert_eq!(verdict(&format!("{lookup}\n{better}\n")), failure(better, "refused"));
        assert_eq!(verdict(lookup), failure(lookup, "error"));
    }

    #[test]
    fn an_error_inside_a_long_answer_is_content() {
        let row = "interface Vlan1\n";
        let inside = format!("{}% Invalid input detected\n{}", row.repeat(4), row.repeat(4));
        assert_eq!(verdict(&inside), None);
        let at_the_end = format!("{}%Error opening tftp://192.0.2.1/x (Timed out)\n", row.repeat(20));
        assert_eq!(verdict(&at_the_end), failure("%Error opening tftp://192.0.2.1/x (Timed out)", "error"));
        let at_the_start = format!("% Incomplete command.\n{}", row.repeat(20));
        assert_eq!(verdict(&at_the_start).map(|failure| failure.kind).as_deref(), Some("incomplete"));
    }

    #[test]
    fn of_a_very_long_answer_both_ends_are_read() {
        let exchange = |head: &str, tail: &str| Exchange {
            command: "copy".into(),
            mode: "privileged".into(),
            head: head.into(),
            tail: tail.into(),
            status: None,
        };
        assert!(judge(&exchange("!!!!\n!!!!\n", "!!!!\n%Error reading tftp\n")).is_some());
        assert!(judge(&exchange("% Access denied\n", "!!!!\n")).is_some());
        assert!(judge(&exchange("!!!!\n", "????\n")).is_none());
    }
}
