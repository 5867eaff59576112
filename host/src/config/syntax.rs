//! Errors of the TOML text itself, in our words.

use std::path::Path;

use toml::de::Error;

use super::diagnostic::{Diagnostic, Lines};

/// Adds the syntax errors to what else was found. On a line that is no TOML, nothing else is worth saying.
pub(super) fn merge(faults: &[Error], text: &str, file: &Path, others: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let lines = Lines::new(text);
    let mut merged: Vec<Diagnostic> = Vec::new();
    for fault in faults {
        let span = fault.span().unwrap_or(0..0);
        let position = lines.position(span.start);
        // The first error of a line is the cause, the others follow from it.
        if merged.iter().any(|earlier| earlier.line == position.line && earlier.column <= position.column) {
            continue;
        }
        merged.retain(|earlier| earlier.line != position.line);
        let (message, help) = describe(fault.message(), text.get(span).unwrap_or_default());
        let (line, column) = (position.line, position.column);
        merged.push(Diagnostic { file: file.to_owned(), line, column, path: String::new(), message, help });
    }
    let broken: Vec<usize> = merged.iter().map(|diagnostic| diagnostic.line).collect();
    merged.extend(others.into_iter().filter(|diagnostic| !broken.contains(&diagnostic.line)));
    merged
}

/// The parser's text, or a better one for the slips that people make. Of the source only keys are repeated, never values.
fn describe(parser: &str, source: &str) -> (String, Option<String>) {
    let is_word = source.starts_with(|first: char| first.is_alphabetic() || "/~.".contains(first));
    let is_value = parser.starts_with("string values must be quoted") || parser.starts_with("invalid float");
    if is_word && is_value {
        return ("a text must stand in quotes".to_owned(), Some("for example `user = \"netops\"`".to_owned()));
    }
    if parser == "duplicate key" {
        return (format!("key `{}` is there twice", source.escape_debug()), None);
    }
    if parser.starts_with("string values must be quoted") {
        return ("a value is missing after `=`".to_owned(), None);
    }
    (parser.to_owned(), None)
}
