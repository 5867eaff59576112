//! Was the command refused? There is no exit status, and no output at all is a good answer.

use jackfield_plugin::{Exchange, Failure};

/// In a long answer only so many rows at each end can be the router's verdict; what lies between is content.
const EDGE_ROWS: usize = 3;

/// What is said of a value that does not fit.
const MISFITS: [&str; 2] = [" out of range", " expects range of "];

/// How a verdict begins, and its kind.
const BEGINNINGS: [(&str, &str); 17] = [
    ("expected end of command", "refused"),
    ("expected command name", "refused"),
    ("expected closing", "incomplete"),
    ("not enough permissions", "refused"),
    ("ambiguous ", "refused"),
    ("input does not match any value of", "refused"),
    ("invalid value for", "refused"),
    ("invalid value of", "refused"),
    ("no such command", "refused"),
    ("cannot change builtin", "error"),
    ("couldn't perform action", "error"),
    ("missing value", "incomplete"),
    ("no such item", "error"),
    ("failure: ", "error"),
    ("interrupted", "error"),
    ("action timed out", "error"),
    ("action failed", "error"),
];

/// The first line that says so, if one does.
pub(crate) fn judge(exchange: &Exchange) -> Option<Failure> {
    verdict_rows(exchange).into_iter().find_map(|row| Some(Failure { line: row.to_owned(), kind: kind(row)?.to_owned() }))
}

fn verdict_rows(exchange: &Exchange) -> Vec<&str> {
    let head = filled_rows(&exchange.head);
    if exchange.head == exchange.tail && head.len() <= 2 * EDGE_ROWS {
        return head;
    }
    let tail = filled_rows(&exchange.tail);
    let skipped = tail.len().saturating_sub(EDGE_ROWS);
    head.into_iter().take(EDGE_ROWS).chain(tail.into_iter().skip(skipped)).collect()
}

fn filled_rows(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|row| !row.is_empty()).collect()
}

fn kind(row: &str) -> Option<&'static str> {
    if let Some((_, kind)) = BEGINNINGS.iter().find(|(beginning, _)| row.starts_with(beginning)) {
        return Some(kind);
    }
    let refused = row.starts_with("bad command name ") || row.starts_with("syntax error ");
    if refused && names_a_place(row) {
        return Some("refused");
    }
    // The fields of a print are set to the right, so this one may have spaces in front.
    let failed = row.trim_start() == "status: failed";
    let misfit = row.starts_with("value ") && MISFITS.iter().any(|words| holds(row, words));
    (failed || misfit).then_some("error")
}

/// `(line 1 column 8)` at the end.
fn names_a_place(row: &str) -> bool {
    let place = row.strip_suffix(')').and_then(|row| row.rsplit_once('(')).map(|(_, place)| place);
    let mut words = place.unwrap_or_default().split(' ');
    let mut pair = |name: &str| words.next() == Some(name) && words.next().is_some_and(|number| number.parse::<u32>().is_ok());
    pair("line") && pair("column")
}

/// Like `contains`, without the searcher of the standard library.
fn holds(row: &str, words: &str) -> bool {
    row.as_bytes().windows(words.len()).any(|part| part == words.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ERRORS, NOT_ERRORS, OUTPUT};

    fn verdict(output: &str) -> Option<Failure> {
        judge(&Exchange { command: "x".into(), mode: "root_menu".into(), head: output.into(), tail: output.into(), status: None })
    }

    fn failure(line: &str, kind: &str) -> Option<Failure> {
        Some(Failure { line: line.into(), kind: kind.into() })
    }

    #[test]
    fn every_known_error_is_a_failure_with_its_line() {
        for line in ERRORS {
            assert_eq!(verdict(&format!("{line}\n")).map(|failure| failure.line).as_deref(), Some(*line));
        }
        for line in [
            "expected command name (line 1 column 1)",
            "expected closing brace (line 1 column 9)",
            "ambiguous value of interface, more than one possible value matches input",
            "value of distance out of range (1..255)",
            "value of vlan-ids expects range of integer numbers",
            "no such command prefix",
            "invalid value of mtu, should be 68..65535",
            "couldn't perform action - not enough permissions (9)",
            "cannot change builtin",
            "missing value(s) of argument(s) address",
            "action timed out - try again, if error continues contact MikroTik support",
            "      status: failed",
            "interrupted",
        ] {
            assert_eq!(verdict(line).map(|failure| failure.line).as_deref(), Some(line));
        }
    }

    #[test]
    fn nothing_at_all_is_a_good_answer_and_so_is_output() {
        for output in NOT_ERRORS.iter().chain(OUTPUT).chain(&[
            "",
            "\n",
            "bad command name",
            "syntax error in comment",
            ";;; failure: of the link",
            "status: failed once",
            "value of the range",
        ]) {
            assert_eq!(verdict(output), None, "{output}");
        }
    }

    #[test]
    fn the_kind_tells_a_refused_line_from_one_that_ran() {
        let bad = "bad command name foo (line 1 column 1)";
        assert_eq!(verdict(bad), failure(bad, "refused"));
        let exists = "failure: already have device with such name";
        assert_eq!(verdict(exists), failure(exists, "error"));
        let open = "expected closing brace (line 1 column 9)";
        assert_eq!(verdict(open), failure(open, "incomplete"));
    }

    #[test]
    fn an_error_inside_a_long_answer_is_content() {
        let row = "add address=192.0.2.1\n";
        assert_eq!(verdict(&format!("{}failure: x\n{}", row.repeat(4), row.repeat(4))), None);
        assert!(verdict(&format!("{}failure: x\n", row.repeat(9))).is_some());
        assert!(verdict(&format!("failure: x\n{}", row.repeat(9))).is_some());
    }
}
