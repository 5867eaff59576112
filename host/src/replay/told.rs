//! How a replay that comes out differently is told: what differs alone, in words.

use crate::recording::Outcome;
use crate::session::{Phase, SessionHandle};
use crate::terminal::text::{escaped_line, first_bytes};

/// The longest part of a row that is shown.
const SHOWN_MAX_BYTES: usize = 160;

/// What is not as it should be; empty where both are the same.
#[must_use]
pub fn difference(came: &Outcome, expected: &Outcome) -> String {
    let mut told = end(came, expected);
    told.extend(output(&came.output, &expected.output));
    told.join("; ")
}

/// The same without the output.
#[must_use]
pub fn difference_at_end(came: &Outcome, expected: &Outcome) -> String {
    end(came, expected).join("; ")
}

fn end(came: &Outcome, expected: &Outcome) -> Vec<String> {
    let mut told = Vec::new();
    if came.state != expected.state {
        told.push(format!("its state is `{}` instead of `{}`", came.state, expected.state));
    }
    if came.exit != expected.exit {
        told.push(format!("its exit status is {} instead of {}", status(came.exit), status(expected.exit)));
    }
    if came.failed != expected.failed {
        let failed = if came.failed { "it counts as failed and should not" } else { "it should count as failed and does not" };
        told.push(failed.to_owned());
    }
    if came.mode != expected.mode {
        told.push(format!("the mode behind it is `{}` instead of `{}`", came.mode, expected.mode));
    }
    told
}

fn status(exit: Option<i32>) -> String {
    exit.map_or_else(|| "unknown".to_owned(), |status| status.to_string())
}

/// The first row that differs.
fn output(came: &str, expected: &str) -> Option<String> {
    if came == expected {
        return None;
    }
    let (mut left, mut right) = (came.lines(), expected.lines());
    for number in 1_usize.. {
        return Some(match (left.next(), right.next()) {
            (Some(left), Some(right)) if left == right => continue,
            (Some(left), Some(right)) => format!("row {number} of its output is {} instead of {}", row(left), row(right)),
            (Some(left), None) => format!("its output goes on with row {number}, {}, where it should end", row(left)),
            (None, Some(right)) => format!("its output ends before row {number}, which should be {}", row(right)),
            (None, None) if came.ends_with('\n') => "its output ends with an end of row, which is too much".to_owned(),
            (None, None) => "its output ends without an end of row".to_owned(),
        });
    }
    None
}

/// A row between back quotes, as far as it can be shown.
#[must_use]
pub fn row(text: &str) -> String {
    let shown = first_bytes(text, SHOWN_MAX_BYTES);
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", escaped_line(shown))
}

/// Where a session stands that does not go on.
#[must_use]
pub fn stands(session: &SessionHandle) -> String {
    let status = session.status();
    let prompt = if status.prompt.is_empty() { String::new() } else { format!(", its last prompt was {}", row(&status.prompt)) };
    format!("the session {}{prompt}", phase(&status.phase))
}

/// How far a session is.
#[must_use]
pub fn phase(phase: &Phase) -> String {
    match phase {
        Phase::Opening => "has shown no prompt yet".to_owned(),
        Phase::NeedsInput(asks) => format!("waits for an answer to {}", row(asks)),
        Phase::Ready => "is ready for a command".to_owned(),
        Phase::Busy(id) => format!("runs the command {id}"),
        Phase::Closed(why) => format!("is closed: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(output: &str) -> Outcome {
        Outcome { state: "done".to_owned(), exit: None, failed: false, mode: "exec".to_owned(), output: output.to_owned() }
    }

    #[test]
    fn only_what_differs_is_told() {
        let expected = outcome("one\ntwo\n");
        assert_eq!(difference(&expected, &expected), "");
        let other = Outcome { state: "lost".to_owned(), exit: Some(1), failed: true, mode: "config".to_owned(), ..expected.clone() };
        let told = "its state is `lost` instead of `done`; its exit status is 1 instead of unknown; it counts as failed and should not; \
            the mode behind it is `config` instead of `exec`";
        assert_eq!(difference(&other, &expected), told);
        assert_eq!(difference_at_end(&outcome("else"), &expected), "");
    }

    #[test]
    fn the_first_row_that_differs_is_shown() {
        for (came, expected, told) in [
            ("one\ntow \n", "one\ntwo\n", "row 2 of its output is `tow ` instead of `two`"),
            ("one\n\u{1b}[K\n", "one\n", "its output goes on with row 2, `\\x1b[K`, where it should end"),
            ("", "one\n", "its output ends before row 1, which should be `one`"),
            ("one", "one\n", "its output ends without an end of row"),
            ("one\n", "one", "its output ends with an end of row, which is too much"),
        ] {
            assert_eq!(difference(&outcome(came), &outcome(expected)), told);
        }
        assert!(row(&"x".repeat(500)).ends_with("x…`"));
    }
}
