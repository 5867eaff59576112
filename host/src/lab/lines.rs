//! Lines of output, made one at a time so that a long text costs no memory, and the filters behind them.

use std::collections::{BTreeMap, VecDeque};

use regex::Regex;

use super::faults::mix;
use super::spec::{FilterKind, Generate};
use super::text::expand;

/// What a command prints, line by line.
#[derive(Debug)]
pub(super) struct Source {
    lines: Lines,
    filter: Option<Filter>,
}

#[derive(Debug)]
enum Lines {
    Text(VecDeque<String>),
    Made(Box<Made>),
}

impl Source {
    /// A text whose placeholders are already filled.
    pub(super) fn text(text: &str) -> Self {
        Self { lines: Lines::Text(split(text).into()), filter: None }
    }

    /// A text made by rule.
    pub(super) fn made(rule: &Generate, vars: BTreeMap<String, String>) -> Self {
        Self { lines: Lines::Made(Box::new(Made::new(rule, vars))), filter: None }
    }

    /// The same lines behind a filter.
    pub(super) fn filtered(mut self, filter: Option<Filter>) -> Self {
        self.filter = filter;
        self
    }

    /// The next line that is shown.
    pub(super) fn next_line(&mut self) -> Option<String> {
        let Some(filter) = &mut self.filter else { return self.lines.next() };
        for line in self.lines.by_ref() {
            if filter.shows(&line) {
                return Some(line);
            }
        }
        filter.total()
    }
}

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        match self {
            Self::Text(lines) => lines.pop_front(),
            Self::Made(made) => made.next(),
        }
    }
}

/// Lines of a text; a newline at its very end begins no further line.
fn split(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.strip_suffix('\n').unwrap_or(text).split('\n').map(str::to_owned).collect()
}

/// Lines made by rule.
#[derive(Debug)]
struct Made {
    head: VecDeque<String>,
    blocks: Vec<Vec<String>>,
    tail: VecDeque<String>,
    /// Lines still to come between head and tail.
    body_left: usize,
    /// Block in use, counted from 0 without end, and the line in it.
    place: (u64, usize),
    line: u64,
    vars: BTreeMap<String, String>,
}

impl Made {
    fn new(rule: &Generate, vars: BTreeMap<String, String>) -> Self {
        let (head, tail) = (split(&rule.head), split(&rule.tail));
        Self {
            body_left: rule.lines.saturating_sub(head.len() + tail.len()),
            head: head.into(),
            tail: tail.into(),
            blocks: rule.block.iter().map(|block| split(block)).filter(|block| !block.is_empty()).collect(),
            place: (0, 0),
            line: 0,
            vars,
        }
    }

    fn body(&mut self) -> Option<String> {
        if self.body_left == 0 || self.blocks.is_empty() {
            return None;
        }
        self.body_left -= 1;
        let (number, place) = self.place;
        let kinds = self.blocks.len() as u64;
        let block = self.blocks.get(usize::try_from(number % kinds).unwrap_or(0))?;
        let line = block.get(place).cloned()?;
        self.place = if place + 1 < block.len() { (number, place + 1) } else { (number + 1, 0) };
        // Each kind of block counts by itself, so that its names have no gaps.
        Some(self.fill(&line, number / kinds + 1))
    }

    fn fill(&self, line: &str, n: u64) -> String {
        expand(line, |name| match name {
            "n" => Some(n.to_string()),
            "line" => Some((self.line + 1).to_string()),
            "hi" => Some(((n >> 8) & 0xff).to_string()),
            "lo" => Some((n & 0xff).to_string()),
            "hex" => Some(format!("{:08x}", mix(n) & 0xffff_ffff)),
            _ => self.vars.get(name).cloned(),
        })
    }
}

impl Iterator for Made {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let line = if let Some(line) = self.head.pop_front() {
            self.fill(&line, 0)
        } else if let Some(line) = self.body() {
            line
        } else {
            let line = self.tail.pop_front()?;
            self.fill(&line, 0)
        };
        self.line += 1;
        Some(line)
    }
}

/// A filter behind a command.
#[derive(Debug)]
pub(super) struct Filter {
    kind: FilterKind,
    pattern: Regex,
    hits: u64,
    /// What `count` says at the end, once.
    total: Option<String>,
}

impl Filter {
    /// A pattern that is no regular expression is taken as plain text.
    pub(super) fn new(kind: FilterKind, pattern: &str, total: &str) -> Option<Self> {
        let pattern = Regex::new(pattern).or_else(|_| Regex::new(&regex::escape(pattern))).ok()?;
        let total = (kind == FilterKind::Count).then(|| total.to_owned());
        Some(Self { kind, pattern, hits: 0, total })
    }

    fn shows(&mut self, line: &str) -> bool {
        let hit = self.pattern.is_match(line);
        self.hits += u64::from(hit);
        match self.kind {
            FilterKind::Keep => hit,
            FilterKind::Drop => !hit,
            FilterKind::From => self.hits > 0,
            FilterKind::Count => false,
        }
    }

    fn total(&mut self) -> Option<String> {
        let text = self.total.take()?;
        Some(expand(&text, |name| (name == "n").then(|| self.hits.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut source: Source) -> Vec<String> {
        std::iter::from_fn(|| source.next_line()).collect()
    }

    fn rule(lines: usize) -> Generate {
        Generate {
            lines,
            head: "first {host}".to_owned(),
            block: vec!["a{n}\n  b{line} ".to_owned(), "\nc{hi}.{lo} {hex}".to_owned()],
            tail: "end\n".to_owned(),
        }
    }

    fn made(lines: usize) -> Vec<String> {
        all(Source::made(&rule(lines), BTreeMap::from([("host".to_owned(), "sw".to_owned())])))
    }

    #[test]
    fn made_lines_have_the_number_asked_for_and_are_the_same_each_time() {
        let lines = made(5000);
        assert_eq!(lines.len(), 5000);
        assert_eq!(lines, made(5000));
        let first: Vec<_> = lines.iter().take(7).map(String::as_str).collect();
        assert_eq!(first, ["first sw", "a1", "  b3 ", "", "c0.1 89025cc1", "a2", "  b7 "]);
        assert_eq!(lines.last().map(String::as_str), Some("end"));
    }

    #[test]
    fn head_and_tail_alone_are_a_text_too() {
        assert_eq!(made(2), ["first sw", "end"]);
    }

    #[test]
    fn blank_lines_stay() {
        assert_eq!(all(Source::text("\na\n\n b \n")), ["", "a", "", " b "]);
        assert!(all(Source::text("")).is_empty());
    }

    #[test]
    fn filters_show_what_their_word_says() {
        let shown = |kind, pattern| all(Source::text("one\ntwo\nthree\n").filtered(Filter::new(kind, pattern, "{n} lines")));
        assert_eq!(shown(FilterKind::Keep, "^t"), ["two", "three"]);
        assert_eq!(shown(FilterKind::Drop, "^t"), ["one"]);
        assert_eq!(shown(FilterKind::From, "tw"), ["two", "three"]);
        assert_eq!(shown(FilterKind::Keep, "("), Vec::<String>::new());
        assert_eq!(shown(FilterKind::Count, "o"), ["2 lines"]);
    }
}
