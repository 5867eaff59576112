//! Redirections and here-documents.

use core::mem;
use jackfield_plugin::text::Search;

use super::super::syntax::{Body, Operator, Part, Redirection, Word};
use super::Reader;

/// A here-document whose body is still to come.
#[derive(Debug)]
pub(super) struct Awaited {
    delimiter: String,
    /// Nothing is replaced in the body.
    quoted: bool,
    /// `<<-`: tabs in front are taken away.
    strip: bool,
    place: usize,
}

/// Longer ones first.
const OPERATORS: [(&str, Operator); 11] = [
    ("&>>", Operator::Write),
    ("&>", Operator::Write),
    ("<<<", Operator::Text),
    ("<&", Operator::Reuse),
    ("<>", Operator::Write),
    ("<", Operator::Read),
    (">>", Operator::Write),
    (">|", Operator::Write),
    (">&", Operator::Duplicate),
    (">", Operator::Write),
    ("", Operator::Read),
];

impl Reader<'_> {
    /// A redirection if one begins here, with the number in front of it.
    pub(in super::super) fn redirection(&mut self) -> Option<Redirection> {
        let sign = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
        let number = self.rest().strip_suffix(sign).unwrap_or_default();
        let numbered = !number.is_empty();
        if !sign.starts_with(['<', '>', '&']) || sign.starts_with("<(") || sign.starts_with(">(") || numbered && sign.starts_with('&') {
            return None;
        }
        if sign.starts_with("<<") && !sign.starts_with("<<<") {
            self.rest = sign.chars();
            return Some(self.document());
        }
        let (text, operator) = OPERATORS.iter().find(|(text, _)| sign.starts_with(text)).filter(|(text, _)| !text.is_empty())?;
        self.rest = sign.chars();
        self.take(text);
        // Programs write to 1 and 2, and a connection takes it.
        let operator = match operator {
            Operator::Read if number.ends_with(['1', '2']) => Operator::Write,
            Operator::Reuse if number.ends_with(['1', '2']) => Operator::Duplicate,
            operator => *operator,
        };
        let target = self.target();
        if operator == Operator::Text {
            self.faults.refused("`<<<`");
        }
        // A pattern for numbers in zsh: `<1-9>`.
        if *text == "<" && self.peek() == Some('>') && target.shown().chars().all(|c| c.is_ascii_digit() || c == '-') {
            self.faults.disputed("numbers between `<` and `>`");
        }
        Some(Redirection { operator, target })
    }

    fn target(&mut self) -> Word {
        self.skip_blanks();
        let word = self.word();
        if word.parts.is_empty() {
            self.faults.unexpected("a redirection without a target");
        }
        word
    }

    /// At `<<`.
    fn document(&mut self) -> Redirection {
        self.take("<<");
        let strip = self.take("-");
        let before = self.rest();
        let target = self.target();
        let written = before.get(..before.len() - self.rest().len()).unwrap_or_default();
        if written.has_any("$`(") {
            self.faults.disputed("`$` or a bracket in the end word of a here-document");
        }
        // ksh93 never finds such a one.
        if !written.is_ascii() {
            self.faults.disputed("a letter beyond ASCII in the end word of a here-document");
        }
        let quoted = target.parts.iter().any(|part| matches!(part, Part::Text { quoted: true, .. }));
        let place = self.bodies.len();
        self.bodies.push(Body::default());
        self.awaited.push(Awaited { delimiter: target.shown(), quoted, strip, place });
        Redirection { operator: Operator::Document(place), target }
    }

    /// At a newline: takes it, and the bodies that begin behind it.
    pub(in super::super) fn newline(&mut self) {
        let is_between = self.depth == 0 && self.awaited.is_empty();
        if is_between {
            self.end_of_row();
        }
        self.bump();
        self.line_start = true;
        self.rows += usize::from(is_between);
        for awaited in mem::take(&mut self.awaited) {
            let text = self.body(&awaited);
            let replaced = |inner: &mut Reader<'_>| {
                let mut word = Word::default();
                inner.double(&mut word, None);
                word
            };
            let word = if awaited.quoted { Word::default() } else { self.within(&text, replaced) };
            if let Some(place) = self.bodies.get_mut(awaited.place) {
                *place = Body { text, word };
            }
        }
    }

    fn body(&mut self, awaited: &Awaited) -> String {
        let mut text = String::new();
        while !self.rest().is_empty() {
            let line = self.rest().split('\n').next().unwrap_or_default();
            self.take(line);
            self.take("\n");
            let line = if awaited.strip { line.trim_start_matches('\t') } else { line };
            if line == awaited.delimiter {
                return text;
            }
            // Behind a bracket that is open some shells end it there.
            if line.strip_prefix(awaited.delimiter.as_str()).is_some_and(|behind| behind.starts_with(')')) {
                self.faults.disputed("a bracket behind the end word of a here-document");
            }
            // It goes on in the next line, and some shells look for the end word in both together.
            if !awaited.quoted && line.ends_with('\\') {
                self.faults.disputed("a backslash at the end of a line of a here-document");
            }
            text.push_str(line);
            text.push('\n');
        }
        self.faults.unclosed("the here-document");
        text
    }
}
