//! Classes of characters: `[a-z]`, `\w`, `[[:alpha:]]`.

use super::parse::{BAD_ESCAPE, Kind, Node, Parser, Read};

const UNCLOSED: &str = "a class has no `]`";
const BAD_RANGE: &str = "a range of a class is not as in `a-z`";

/// The first and the last character of each range.
pub(super) type Ranges = Vec<(u32, u32)>;

/// A set of characters.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) ranges: Ranges,
    pub(super) is_negated: bool,
}

impl Set {
    pub(super) fn holds(&self, c: char) -> bool {
        let code = u32::from(c);
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&code)) != self.is_negated
    }
}

impl Parser {
    pub(super) fn class(&mut self) -> Read<Node> {
        let mut ranges = Ranges::new();
        self.bump_over_space();
        let is_negated = self.here() == Some('^');
        if is_negated {
            self.bump_over_space();
        }
        while self.here() == Some('-') {
            ranges.push(('-'.into(), '-'.into()));
            self.bump_over_space();
        }
        if ranges.is_empty() && self.here() == Some(']') {
            ranges.push((']'.into(), ']'.into()));
            self.bump_over_space();
        }
        loop {
            self.skip_space();
            let c = self.here().ok_or(UNCLOSED)?;
            match c {
                '[' => ranges.extend(self.posix_class().ok_or("classes do not stand in one another")?),
                ']' => break,
                '&' | '-' | '~' if self.text.get(self.at + 1) == Some(&c) => return Err("classes have no operators"),
                _ => self.class_range(&mut ranges)?,
            }
        }
        self.bump();
        if self.flags.ignores_case {
            let folded: Ranges = ranges.iter().filter_map(|range| folded(*range)).collect();
            ranges.extend(folded);
        }
        Ok(self.set(ranges, is_negated))
    }

    fn class_range(&mut self, ranges: &mut Ranges) -> Read<()> {
        let first = self.class_item()?;
        self.skip_space();
        let next = self.here().ok_or(UNCLOSED)?;
        if next != '-' || matches!(self.peek_over_space(), Some(']' | '-')) {
            ranges.extend(first);
            return Ok(());
        }
        if !self.bump_over_space() {
            return Err(UNCLOSED);
        }
        let last = self.class_item()?;
        match (first.as_slice(), last.as_slice()) {
            ([(first, one)], [(last, other)]) if first == one && last == other && first <= last => ranges.push((*first, *last)),
            _ => return Err(BAD_RANGE),
        }
        Ok(())
    }

    fn class_item(&mut self) -> Read<Ranges> {
        let c = self.here().ok_or(UNCLOSED)?;
        self.bump();
        let node = if c == '\\' { self.escape()? } else { Node::leaf(Kind::Char(c)) };
        match node.kind {
            Kind::Char(c) => Ok(vec![(c.into(), c.into())]),
            Kind::Set(_) => Ok(self.sets.pop().map(|set| set.ranges).unwrap_or_default()),
            _ => Err(BAD_ESCAPE),
        }
    }

    /// `[:alpha:]`, none where it is another bracket.
    fn posix_class(&mut self) -> Option<Ranges> {
        let rest: String = self.text.iter().skip(self.at).take(POSIX_MAX).collect();
        let inner = rest.strip_prefix("[:")?;
        let (name, _) = inner.split_once(":]")?;
        let ranges = named(name.strip_prefix('^').unwrap_or(name))?;
        self.at += name.len() + 4;
        Some(if name.starts_with('^') { others(&ranges) } else { ranges })
    }
}

/// No name of a class is as long with its brackets.
const POSIX_MAX: usize = 16;

/// The classes that have a name.
pub(super) fn named(name: &str) -> Option<Ranges> {
    let pairs = match name {
        "alnum" => "09AZaz",
        "alpha" => "AZaz",
        "ascii" => "\x00\x7f",
        "blank" => "\t\t  ",
        "cntrl" => "\x00\x1f\x7f\x7f",
        "digit" => "09",
        "graph" => "!~",
        "lower" => "az",
        "print" => " ~",
        "punct" => "!/:@[`{~",
        "space" => "\t\r  ",
        "upper" => "AZ",
        "word" => "09AZ__az",
        "xdigit" => "09AFaf",
        _ => return None,
    };
    Some(pairs.as_bytes().chunks_exact(2).filter_map(|pair| Some((u32::from(*pair.first()?), u32::from(*pair.get(1)?)))).collect())
}

/// What is in none of the ranges, which stand in order.
pub(super) fn others(ranges: &Ranges) -> Ranges {
    let mut others = Ranges::new();
    let mut next = 0;
    for (first, last) in ranges {
        if next < *first {
            others.push((next, first - 1));
        }
        next = last + 1;
    }
    others.push((next, u32::from(char::MAX)));
    others
}

/// The letters of a range in the other case: the small ones, or the capitals where it has no small ones.
fn folded((first, last): (u32, u32)) -> Option<(u32, u32)> {
    let part = |from: char, to: char| {
        let (first, last) = (first.max(from.into()), last.min(to.into()));
        (first <= last).then_some((first ^ 0x20, last ^ 0x20))
    };
    part('a', 'z').or_else(|| part('A', 'Z'))
}
