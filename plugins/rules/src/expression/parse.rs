//! The syntax of expressions.

use super::Look;
use super::class::{Ranges, Set, named, others};

/// How deep groups and repetitions may stand in one another.
const DEPTH_MAX: u32 = 50;

/// A part of an expression.
pub(super) struct Node {
    pub(super) kind: Kind,
    /// How deep other parts stand in it.
    depth: u32,
}

pub(super) enum Kind {
    Empty,
    Char(char),
    /// By its number.
    Set(usize),
    Look(Look),
    Group(Box<Node>),
    /// How often at least, and at most.
    Repeat(Box<Node>, u32, Option<u32>),
    Row(Vec<Node>),
    Either(Vec<Node>),
}

impl Node {
    pub(super) fn leaf(kind: Kind) -> Self {
        Self { kind, depth: 0 }
    }

    fn around(kind: impl FnOnce(Box<Self>) -> Kind, inner: Self) -> Self {
        let depth = inner.depth + 1;
        Self { kind: kind(Box::new(inner)), depth }
    }

    /// Of several nodes: none is empty, one is itself.
    fn of(kind: impl FnOnce(Vec<Self>) -> Kind, mut nodes: Vec<Self>) -> Self {
        match nodes.len() {
            0 => Self::leaf(Kind::Empty),
            1 => nodes.pop().unwrap_or_else(|| Self::leaf(Kind::Empty)),
            _ => {
                let depth = nodes.iter().map(|node| node.depth).max().unwrap_or_default() + 1;
                Self { kind: kind(nodes), depth }
            }
        }
    }
}

pub(super) type Read<T> = Result<T, &'static str>;

const UNCLOSED_GROUP: &str = "a group has no `)`";
const BAD_FLAGS: &str = "flags are not as in `(?i-s:x)`";
const BAD_NAME: &str = "the name of a group is not as in `(?<name>x)`";
const BAD_REPEAT: &str = "a repetition is not as in `x{2,5}`";
pub(super) const BAD_ESCAPE: &str = "an escape is not known";
const BAD_NUMBER: &str = "a character's number is not as in `\\x41` or `\\u{1f600}`";

/// Reads an expression.
pub(super) fn parse(text: &str) -> Read<(Node, Vec<Set>)> {
    let flags = Flags::default();
    let mut parser = Parser { text: text.chars().collect(), at: 0, flags, names: Vec::new(), sets: Vec::new(), depth: 0 };
    let node = parser.alternatives()?;
    if node.depth > DEPTH_MAX { Err("it nests too deep") } else { Ok((node, parser.sets)) }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`
    pub(super) ignores_case: bool,
    /// `m`
    has_lines: bool,
    /// `s`
    dot_is_all: bool,
    /// `R`
    any_line_end: bool,
    /// `x`
    skips_space: bool,
}

pub(super) struct Parser {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) flags: Flags,
    /// Of groups.
    names: Vec<String>,
    pub(super) sets: Vec<Set>,
    depth: u32,
}

impl Parser {
    pub(super) fn here(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// Goes on by one. Is something left?
    pub(super) fn bump(&mut self) -> bool {
        self.at = self.text.len().min(self.at + 1);
        self.at < self.text.len()
    }

    /// The same, and over white space and remarks where the flags say so.
    pub(super) fn bump_over_space(&mut self) -> bool {
        self.bump();
        self.skip_space();
        self.at < self.text.len()
    }

    fn bump_if(&mut self, expected: &str) -> bool {
        let fits = expected.chars().enumerate().all(|(place, c)| self.text.get(self.at + place) == Some(&c));
        self.at += if fits { expected.len() } else { 0 };
        fits
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(c) = self.here().filter(|_| self.flags.skips_space) {
            if c == '#' {
                while self.here().is_some_and(|c| c != '\n') {
                    self.bump();
                }
            } else if !c.is_whitespace() {
                return;
            }
            self.bump();
        }
    }

    /// The character behind this one, behind white space where the flags say so.
    pub(super) fn peek_over_space(&self) -> Option<char> {
        let mut behind = self.text.iter().copied().skip(self.at + 1);
        let mut in_remark = false;
        behind.find(|c| {
            let skips = self.flags.skips_space && (c.is_whitespace() || !in_remark && *c == '#' || in_remark && *c == '\n');
            in_remark = skips && (in_remark && *c != '\n' || *c == '#');
            !skips
        })
    }

    /// Up to the end, or to the bracket that closes the group.
    fn alternatives(&mut self) -> Read<Node> {
        let depth = self.depth;
        if depth > DEPTH_MAX {
            return Err("it nests too deep");
        }
        self.depth += 1;
        let (mut either, mut row) = (Vec::new(), Vec::new());
        loop {
            self.skip_space();
            match self.here() {
                None => break,
                Some('(') => {
                    let flags = self.flags;
                    // Flags without a group count up to the end of this one.
                    if let Some(group) = self.group()? {
                        row.push(group);
                        self.flags = flags;
                    }
                    if self.here() != Some(')') {
                        return Err(UNCLOSED_GROUP);
                    }
                    self.bump();
                }
                Some(')') if depth == 0 => return Err("a `)` closes no group"),
                Some(')') => break,
                Some('|') => {
                    either.push(Node::of(Kind::Row, core::mem::take(&mut row)));
                    self.bump();
                }
                Some('[') => row.push(self.class()?),
                Some(sign @ ('?' | '*' | '+' | '{')) => {
                    let node = row.pop().ok_or("a repetition repeats nothing")?;
                    row.push(self.repetition(node, sign)?);
                }
                Some(c) => {
                    self.bump();
                    row.push(self.single(c)?);
                }
            }
        }
        self.depth = depth;
        either.push(Node::of(Kind::Row, row));
        Ok(Node::of(Kind::Either, either))
    }

    fn repetition(&mut self, node: Node, sign: char) -> Read<Node> {
        let (least, most) = match sign {
            '?' => (0, Some(1)),
            '*' => (0, None),
            '+' => (1, None),
            _ => self.counts()?,
        };
        // As few as possible, or as many: the same texts fit.
        let goes_on = if sign == '{' { self.bump_over_space() } else { self.bump() };
        if goes_on && self.here() == Some('?') {
            self.bump();
        }
        if most.is_some_and(|most| least > most) {
            return Err(BAD_REPEAT);
        }
        Ok(match (least, most) {
            (0, Some(0)) => Node::leaf(Kind::Empty),
            (1, Some(1)) => node,
            _ => Node::around(|node| Kind::Repeat(node, least, most), node),
        })
    }

    /// `{2,5}`, up to the bracket that closes it.
    fn counts(&mut self) -> Read<(u32, Option<u32>)> {
        self.bump_over_space();
        let least = self.count()?;
        let mut most = Some(least);
        if self.here() == Some(',') {
            self.bump_over_space();
            most = if self.here() == Some('}') { None } else { Some(self.count()?) };
        }
        if self.here() == Some('}') { Ok((least, most)) } else { Err(BAD_REPEAT) }
    }

    fn count(&mut self) -> Read<u32> {
        while self.here().is_some_and(char::is_whitespace) {
            self.bump();
        }
        let mut count: Option<u32> = None;
        while let Some(digit) = self.here().and_then(|c| c.to_digit(10)) {
            let next = count.unwrap_or_default().checked_mul(10).and_then(|count| count.checked_add(digit));
            count = Some(next.ok_or(BAD_REPEAT)?);
            self.bump_over_space();
        }
        while self.here().is_some_and(char::is_whitespace) {
            self.bump_over_space();
        }
        count.ok_or(BAD_REPEAT)
    }

    /// Behind `(`; none where there are only flags.
    fn group(&mut self) -> Read<Option<Node>> {
        self.bump_over_space();
        if ["?=", "?!", "?<=", "?<!"].iter().any(|sign| self.bump_if(sign)) {
            return Err("what stands before or behind cannot be looked at");
        }
        if self.bump_if("?P<") || self.bump_if("?<") {
            self.name()?;
        } else if self.bump_if("?") {
            let start = self.at;
            self.read_flags()?;
            if self.here() == Some(')') {
                return if self.at == start { Err(BAD_FLAGS) } else { Ok(None) };
            }
            self.bump();
            return self.alternatives().map(Some);
        }
        let inner = self.alternatives()?;
        Ok(Some(Node::around(Kind::Group, inner)))
    }

    fn name(&mut self) -> Read<()> {
        let mut name = String::new();
        loop {
            let c = self.here().ok_or(BAD_NAME)?;
            self.bump();
            let may_begin = c == '_' || c.is_ascii_alphabetic() || !c.is_ascii();
            let may_stand = may_begin || !name.is_empty() && (c.is_ascii_digit() || matches!(c, '.' | '[' | ']'));
            match c {
                '>' if !name.is_empty() && !self.names.contains(&name) => break,
                c if may_stand => name.push(c),
                _ => return Err(BAD_NAME),
            }
        }
        self.names.push(name);
        Ok(())
    }

    /// Up to `:` or `)`.
    fn read_flags(&mut self) -> Read<()> {
        let (mut seen, mut turns_on, mut before) = (Vec::new(), true, ' ');
        let mut flags = self.flags;
        while let Some(c) = self.here().filter(|c| !matches!(c, ':' | ')')) {
            if seen.contains(&c) {
                return Err(BAD_FLAGS);
            }
            seen.push(c);
            match c {
                '-' => turns_on = false,
                'i' => flags.ignores_case = turns_on,
                'm' => flags.has_lines = turns_on,
                's' => flags.dot_is_all = turns_on,
                'R' => flags.any_line_end = turns_on,
                'x' => flags.skips_space = turns_on,
                // Whether as much as possible fits and what letters are beyond ASCII makes no difference here.
                'U' | 'u' => {}
                _ => return Err(BAD_FLAGS),
            }
            before = c;
            self.bump();
        }
        self.flags = flags;
        if before == '-' || self.here().is_none() { Err(BAD_FLAGS) } else { Ok(()) }
    }

    /// A character that was passed.
    fn single(&mut self, c: char) -> Read<Node> {
        let flags = self.flags;
        Ok(match c {
            '\\' => return self.escape(),
            '.' if flags.dot_is_all => self.set(Vec::new(), true),
            '.' if flags.any_line_end => self.set(vec![(0xa, 0xa), (0xd, 0xd)], true),
            '.' => self.set(vec![(0xa, 0xa)], true),
            '^' | '$' => Node::leaf(Kind::Look(match (c, flags.has_lines, flags.any_line_end) {
                ('^', false, _) => Look::Start,
                ('^', _, false) => Look::LineStart,
                ('^', _, true) => Look::AnyLineStart,
                (_, false, _) => Look::End,
                (_, _, false) => Look::LineEnd,
                (_, _, true) => Look::AnyLineEnd,
            })),
            c => self.char(c),
        })
    }

    pub(super) fn set(&mut self, ranges: Ranges, is_negated: bool) -> Node {
        self.sets.push(Set { ranges, is_negated });
        Node::leaf(Kind::Set(self.sets.len() - 1))
    }

    fn char(&mut self, c: char) -> Node {
        if !self.flags.ignores_case || !c.is_ascii_alphabetic() {
            return Node::leaf(Kind::Char(c));
        }
        let other = u32::from(c) ^ 0x20;
        self.set(vec![(u32::from(c), u32::from(c)), (other, other)], false)
    }

    /// Behind the backslash.
    pub(super) fn escape(&mut self) -> Read<Node> {
        let c = self.here().ok_or(BAD_ESCAPE)?;
        if matches!(c, 'x' | 'u' | 'U') {
            let number = self.number(c)?;
            return Ok(self.char(number));
        }
        self.bump();
        let look = match c {
            'd' | 'D' => return Ok(self.class_of("digit", c == 'D')),
            's' | 'S' => return Ok(self.class_of("space", c == 'S')),
            'w' | 'W' => return Ok(self.class_of("word", c == 'W')),
            'a' => return Ok(self.char('\x07')),
            'f' => return Ok(self.char('\x0c')),
            't' => return Ok(self.char('\t')),
            'n' => return Ok(self.char('\n')),
            'r' => return Ok(self.char('\r')),
            'v' => return Ok(self.char('\x0b')),
            'A' => Look::Start,
            'z' => Look::End,
            'b' => self.word_look()?,
            'B' => Look::NotWord,
            '<' => Look::WordStart,
            '>' => Look::WordEnd,
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => return Ok(self.char(c)),
            _ => return Err(BAD_ESCAPE),
        };
        Ok(Node::leaf(Kind::Look(look)))
    }

    fn class_of(&mut self, name: &str, is_negated: bool) -> Node {
        let ranges = named(name).unwrap_or_default();
        self.set(if is_negated { others(&ranges) } else { ranges }, false)
    }

    /// `\b`, or `\b{start}` and such. What else stands in brackets counts repetitions.
    fn word_look(&mut self) -> Read<Look> {
        let start = self.at;
        if self.here() != Some('{') {
            return Ok(Look::Word);
        }
        self.bump_over_space();
        let mut name = String::new();
        while let Some(c) = self.here().filter(|c| c.is_ascii_alphabetic() || *c == '-') {
            name.push(c);
            self.bump_over_space();
        }
        if name.is_empty() && self.here().is_some() {
            self.at = start;
            return Ok(Look::Word);
        }
        if self.here() != Some('}') {
            return Err(BAD_ESCAPE);
        }
        self.bump();
        match name.as_str() {
            "start" => Ok(Look::WordStart),
            "end" => Ok(Look::WordEnd),
            "start-half" => Ok(Look::NoWordBefore),
            "end-half" => Ok(Look::NoWordBehind),
            _ => Err(BAD_ESCAPE),
        }
    }

    /// `\x41`, `\u0041`, `\U00000041`, or any number of digits in brackets.
    fn number(&mut self, kind: char) -> Read<char> {
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            _ => 8,
        };
        self.bump_over_space();
        let in_brackets = self.here() == Some('{');
        if in_brackets {
            self.bump_over_space();
        }
        let mut code: u32 = 0;
        let mut read = 0;
        while in_brackets || read < digits {
            let c = self.here().ok_or(BAD_NUMBER)?;
            if in_brackets && c == '}' && read > 0 {
                self.bump_over_space();
                break;
            }
            let digit = c.to_digit(16).ok_or(BAD_NUMBER)?;
            code = code.checked_mul(16).ok_or(BAD_NUMBER)? + digit;
            read += 1;
            self.bump_over_space();
        }
        char::from_u32(code).ok_or(BAD_NUMBER)
    }
}
