//! Texts by which a refused or failed command is known, from a plugin's manifest.
//!
//! They stand in the manifest and not in code because they are patterns and nothing else: the host has a regex engine, and a plugin
//! that needs one for this alone would be twice as large.

use regex::Regex;

use super::manifest::FailureSpec;
use super::roles::{Exchange, Failure};
use super::triggers::{compile, in_short};
use crate::limits::FAILURE_EDGE_ROWS;

/// The texts of one plugin, in the manifest's order.
#[derive(Debug, Default)]
pub struct Failures {
    each: Vec<Text>,
}

#[derive(Debug)]
struct Text {
    kind: String,
    pattern: Regex,
    veto: Option<Regex>,
}

impl Failures {
    /// Compiles them.
    ///
    /// # Errors
    ///
    /// The one that is not a regular expression or is too large, and why.
    pub fn compile(specs: &[FailureSpec]) -> Result<Self, String> {
        let text = |spec: &FailureSpec| {
            let complain = |error: regex::Error| format!("failure `{}`: {}", spec.pattern, in_short(&error.to_string()));
            let veto = spec.veto.as_deref().map(compile).transpose().map_err(complain)?;
            Ok(Text { kind: spec.kind.clone(), pattern: compile(&spec.pattern).map_err(complain)?, veto })
        };
        Ok(Self { each: specs.iter().map(text).collect::<Result<_, String>>()? })
    }

    /// Does it know none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// The row that says that the command failed. The first text that fits any row counts, so that one in words goes before a
    /// caret. In a long output only the rows at its ends are a verdict: a log may hold every text.
    #[must_use]
    pub fn find(&self, exchange: &Exchange<'_>) -> Option<Failure> {
        if self.is_empty() {
            return None;
        }
        let rows = verdict_rows(exchange);
        self.each.iter().find_map(|text| {
            let row = rows.iter().find(|row| text.fits(row))?;
            Some(Failure { line: row.trim().to_owned(), kind: text.kind.clone() })
        })
    }
}

impl Text {
    fn fits(&self, row: &str) -> bool {
        self.pattern.is_match(row) && !self.veto.as_ref().is_some_and(|veto| veto.is_match(row))
    }
}

fn verdict_rows<'a>(exchange: &Exchange<'a>) -> Vec<&'a str> {
    let filled = |text| str::lines(text).map(str::trim_end).filter(|row| !row.is_empty()).collect::<Vec<_>>();
    let head = filled(exchange.head);
    if exchange.head == exchange.tail && head.len() <= 2 * FAILURE_EDGE_ROWS {
        return head;
    }
    let tail = filled(exchange.tail);
    let skipped = tail.len().saturating_sub(FAILURE_EDGE_ROWS);
    head.into_iter().take(FAILURE_EDGE_ROWS).chain(tail.into_iter().skip(skipped)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(output: &str) -> Option<(String, String)> {
        let spec = |kind: &str, pattern: &str, veto: Option<&str>| FailureSpec {
            kind: kind.to_owned(),
            pattern: pattern.to_owned(),
            veto: veto.map(str::to_owned),
        };
        let specs = [spec("error", "^error: ", Some("^error: 0$")), spec("refused", r"^\s*\^$", None)];
        let failures = Failures::compile(&specs).unwrap();
        let exchange = Exchange { command: "", mode: "", head: output, tail: output, status: None };
        failures.find(&exchange).map(|failure| (failure.line, failure.kind))
    }

    #[test]
    fn the_first_text_that_fits_any_row_counts() {
        let told = |line: &str, kind: &str| Some((line.to_owned(), kind.to_owned()));
        assert_eq!(found("   ^\nerror: no such thing\n"), told("error: no such thing", "error"));
        assert_eq!(found("   ^\nsomething\n"), told("^", "refused"));
        assert_eq!(found("error: 0\nfine\n"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn in_the_middle_of_a_long_output_it_is_content() {
        let rows = |at: usize| (0..20).map(|row| if row == at { "error: x\n" } else { "text\n" }).collect::<String>();
        assert_eq!(found(&rows(10)), None);
        assert!(found(&rows(2)).is_some() && found(&rows(17)).is_some());
        assert!(found(&rows(3)).is_none() && found(&rows(16)).is_none());
    }

    #[test]
    fn a_text_that_is_no_pattern_is_named() {
        let spec = FailureSpec { kind: "error".to_owned(), pattern: "(".to_owned(), veto: None };
        assert!(Failures::compile(&[spec]).unwrap_err().starts_with("failure `(`"));
    }
}
