//! The regular expressions of rules: does one fit, and no more.
//!
//! The syntax is that of the crate `regex-lite`; the tests compare with it. A text is read once: all ways to fit are followed together,
//! so that no expression takes longer than its length times that of the text.

use self::class::Set;
use self::parse::{Kind, Node};

mod class;
mod parse;

/// So many steps an expression has at most: `(a{1000}){1000}` is short to write.
const STEPS_MAX: usize = 200_000;

/// An expression that can be held against texts.
#[derive(Debug)]
pub(crate) struct Expression {
    steps: Vec<Step>,
    sets: Vec<Set>,
}

/// What fits at a place, or where to go on.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// This character.
    Char(char),
    /// A character of the set of this number.
    Set(usize),
    /// No character, but what stands around.
    Look(Look),
    /// The next step, or that one.
    Fork(usize),
    Jump(usize),
    /// All of it fits.
    End,
}

/// What must stand around a place.
#[derive(Clone, Copy, Debug)]
enum Look {
    Start,
    End,
    /// Of a line.
    LineStart,
    LineEnd,
    /// Of a line that may end in `\r\n` or `\r`.
    AnyLineStart,
    AnyLineEnd,
    /// A word begins or ends.
    Word,
    NotWord,
    WordStart,
    WordEnd,
    /// No word stands before, or behind.
    NoWordBefore,
    NoWordBehind,
}

impl Expression {
    /// Reads one.
    pub(crate) fn new(text: &str) -> Result<Self, &'static str> {
        let (node, sets) = parse::parse(text)?;
        let mut expression = Self { steps: Vec::new(), sets };
        expression.add(&node)?;
        expression.step(Step::End)?;
        Ok(expression)
    }

    fn step(&mut self, step: Step) -> Result<usize, &'static str> {
        if self.steps.len() >= STEPS_MAX {
            return Err("it is too large");
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    /// Where the next step will stand.
    fn next(&self) -> usize {
        self.steps.len()
    }

    fn set(&mut self, place: usize, step: Step) {
        if let Some(old) = self.steps.get_mut(place) {
            *old = step;
        }
    }

    fn add(&mut self, node: &Node) -> Result<(), &'static str> {
        match &node.kind {
            Kind::Empty => {}
            Kind::Char(c) => drop(self.step(Step::Char(*c))?),
            Kind::Set(set) => drop(self.step(Step::Set(*set))?),
            Kind::Look(look) => drop(self.step(Step::Look(*look))?),
            Kind::Row(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Kind::Group(node) => self.add(node)?,
            Kind::Either(nodes) => self.either(nodes)?,
            Kind::Repeat(node, least, most) => self.repeat(node, *least, *most)?,
        }
        Ok(())
    }

    fn either(&mut self, nodes: &[Node]) -> Result<(), &'static str> {
        let mut jumps = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            if place + 1 == nodes.len() {
                self.add(node)?;
                break;
            }
            let fork = self.step(Step::End)?;
            self.add(node)?;
            jumps.push(self.step(Step::End)?);
            self.set(fork, Step::Fork(self.next()));
        }
        let end = self.next();
        jumps.into_iter().for_each(|jump| self.set(jump, Step::Jump(end)));
        Ok(())
    }

    fn repeat(&mut self, node: &Node, least: u32, most: Option<u32>) -> Result<(), &'static str> {
        // What has no steps is no more when it is repeated.
        let before = self.next();
        for _ in 0..least {
            self.add(node)?;
            if self.next() == before {
                return Ok(());
            }
        }
        let Some(most) = most else {
            let fork = self.step(Step::End)?;
            self.add(node)?;
            self.step(Step::Jump(fork))?;
            self.set(fork, Step::Fork(self.next()));
            return Ok(());
        };
        let mut forks = Vec::new();
        for _ in least..most {
            forks.push(self.step(Step::End)?);
            self.add(node)?;
        }
        let end = self.next();
        forks.into_iter().for_each(|fork| self.set(fork, Step::Fork(end)));
        Ok(())
    }

    /// Does it fit somewhere in the text?
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let is_anchored = matches!(self.steps.first(), Some(Step::Look(Look::Start)));
        let (mut now, mut next) = (Places::new(self.steps.len()), Places::new(self.steps.len()));
        let mut rest = text.chars();
        loop {
            let at = text.len() - rest.as_str().len();
            if at == 0 || !is_anchored {
                self.reach(&mut now, 0, text, at);
            }
            if now.has_ended {
                return true;
            }
            let Some(c) = rest.next().filter(|_| !now.waiting.is_empty() || !is_anchored) else { return false };
            next.clear();
            for &place in &now.waiting {
                let fits = match self.steps.get(place) {
                    Some(Step::Char(own)) => *own == c,
                    Some(Step::Set(set)) => self.sets.get(*set).is_some_and(|set| set.holds(c)),
                    _ => false,
                };
                if fits {
                    self.reach(&mut next, place + 1, text, at + c.len_utf8());
                }
            }
            core::mem::swap(&mut now, &mut next);
        }
    }

    /// Adds a step and all to which it leads without a character.
    fn reach(&self, places: &mut Places, first: usize, text: &str, at: usize) {
        let mut open = vec![first];
        while let Some(place) = open.pop() {
            let Some(is_known) = places.known.get_mut(place) else { continue };
            if core::mem::replace(is_known, places.round) == places.round {
                continue;
            }
            match self.steps.get(place) {
                Some(Step::Char(_) | Step::Set(_)) => places.waiting.push(place),
                Some(Step::Look(look)) if look.holds(text.as_bytes(), at) => open.push(place + 1),
                Some(Step::Fork(other)) => open.extend([*other, place + 1]),
                Some(Step::Jump(other)) => open.push(*other),
                Some(Step::End) => places.has_ended = true,
                Some(Step::Look(_)) | None => {}
            }
        }
    }
}

/// The steps that are reached at one place of the text.
struct Places {
    /// Those that wait for a character.
    waiting: Vec<usize>,
    /// The round in which each step was reached last.
    known: Vec<usize>,
    round: usize,
    has_ended: bool,
}

impl Places {
    fn new(steps: usize) -> Self {
        Self { waiting: Vec::new(), known: vec![0; steps], round: 1, has_ended: false }
    }

    fn clear(&mut self) {
        self.waiting.clear();
        self.round += 1;
    }
}

impl Look {
    fn holds(self, text: &[u8], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| text.get(at)).copied();
        let behind = text.get(at).copied();
        let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match self {
            Self::Start => before.is_none(),
            Self::End => behind.is_none(),
            Self::LineStart => matches!(before, None | Some(b'\n')),
            Self::LineEnd => matches!(behind, None | Some(b'\n')),
            Self::AnyLineStart => matches!(before, None | Some(b'\n')) || before == Some(b'\r') && behind != Some(b'\n'),
            Self::AnyLineEnd => matches!(behind, None | Some(b'\r')) || behind == Some(b'\n') && before != Some(b'\r'),
            Self::Word => is_word(before) != is_word(behind),
            Self::NotWord => is_word(before) == is_word(behind),
            Self::WordStart => !is_word(before) && is_word(behind),
            Self::WordEnd => is_word(before) && !is_word(behind),
            Self::NoWordBefore => !is_word(before),
            Self::NoWordBehind => !is_word(behind),
        }
    }
}

#[cfg(test)]
mod tests;
