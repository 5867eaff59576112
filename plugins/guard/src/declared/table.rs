//! A family's words, read once: an instance judges many lines of few families.

use std::cell::RefCell;
use std::rc::Rc;

use jackfield_plugin::words::Pattern;
use jackfield_plugin::{Fact, Request};

/// What the names of the facts begin with.
pub(super) const FACTS: &str = "words.";

pub(super) const CODE: &str = "declared.code";

/// The lists that stop a command: fact, rule, what it does.
const STOPS: [(&str, &str, &str); 5] = [
    ("words.wipe", "declared.wipe", "erases files or configuration"),
    ("words.outage", "declared.outage", "stops or restarts the device or a part of it"),
    ("words.lockout", "declared.lockout", "may lock everybody out"),
    ("words.code", CODE, "installs or starts code"),
    ("words.remove", "declared.remove", "removes or ends something"),
];

/// Words that some families have in front of a command of the other modes.
pub(crate) const PREFIXES: [&str; 2] = ["do", "run"];

/// Families that an instance keeps; one that was not used for longer is read again.
const KEPT_MAX: usize = 8;

/// A family's words.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) stops: Vec<Stop>,
    pub(super) reads: Vec<Pattern>,
    pub(super) filters: Vec<Pattern>,
    /// What begins like something in `stops` and is harmless all the same.
    pub(super) harmless: Vec<Pattern>,
    /// What hands data to another machine, or shows what is secret.
    pub(super) copy_out: Vec<Pattern>,
    /// Its lines are those of cmd.exe and PowerShell.
    pub(super) is_windows: bool,
    pub(super) modes: Vec<String>,
    pub(super) separators: Vec<String>,
    /// Those of [`PREFIXES`] that the family has.
    pub(super) prefixes: Vec<String>,
    /// The facts that it was read from.
    facts: Vec<Fact>,
}

/// A list of words that stop a command.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) rule: &'static str,
    pub(super) what: &'static str,
    pub(super) words: Vec<Pattern>,
}

thread_local! {
    /// The last used one stands last. An instance has one thread.
    static KEPT: RefCell<Vec<Rc<Table>>> = const { RefCell::new(Vec::new()) };
}

impl Table {
    /// The words of the request's family.
    pub(crate) fn of(request: &Request) -> Rc<Self> {
        KEPT.with_borrow_mut(|kept| {
            let known = kept.iter().position(|table| table.is_of(request));
            let table = match known {
                Some(at) => kept.remove(at),
                None => Rc::new(Self::read(request)),
            };
            if kept.len() == KEPT_MAX {
                kept.remove(0);
            }
            kept.push(Rc::clone(&table));
            table
        })
    }

    fn is_of(&self, request: &Request) -> bool {
        let same = |(one, other): (&Fact, &Fact)| one.name == other.name && one.value == other.value;
        told(request).count() == self.facts.len() && told(request).zip(&self.facts).all(same)
    }

    fn read(request: &Request) -> Self {
        let words = |name| list(request, name).filter(|entry| prefix(entry).is_none()).map(Pattern::new).collect();
        let texts = |name| list(request, name).map(str::to_owned).collect();
        Self {
            stops: STOPS.map(|(name, rule, what)| Stop { rule, what, words: words(name) }).into(),
            reads: words("words.reads"),
            filters: words("words.filters"),
            harmless: words("words.harmless"),
            copy_out: words("words.copy_out"),
            is_windows: list(request, "words.grammar").any(|name| name == "windows"),
            modes: texts("words.modes"),
            separators: texts("words.separators"),
            prefixes: list(request, "words.reads").filter_map(prefix).map(str::to_owned).collect(),
            facts: told(request).map(|fact| Fact { name: fact.name.clone(), value: fact.value.clone() }).collect(),
        }
    }
}

/// `run ..` among the reads.
fn prefix(entry: &str) -> Option<&str> {
    entry.strip_suffix(" ..").filter(|word| PREFIXES.contains(word))
}

/// Does the piece begin with one of them?
pub(super) fn fits(patterns: &[Pattern], piece: &str) -> bool {
    let words: Vec<&str> = piece.split_ascii_whitespace().collect();
    patterns.iter().any(|pattern| pattern.begins(&words))
}

fn told(request: &Request) -> impl Iterator<Item = &Fact> {
    request.facts.iter().filter(|fact| fact.name.starts_with(FACTS))
}

fn list<'a>(request: &'a Request, name: &str) -> impl Iterator<Item = &'a str> {
    let fact = request.facts.iter().find(|fact| fact.name == name);
    fact.map_or("", |fact| fact.value.as_str()).lines().filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(reads: &str) -> Request {
        let mut request = crate::corpus::request("acme_olt", "exec", "", "run", "safe");
        request.facts.push(Fact { name: "words.reads".to_owned(), value: reads.to_owned() });
        request
    }

    #[test]
    fn the_words_of_one_family_never_count_for_another() {
        let reads = |word: &str, command: &str| fits(&Table::of(&request(word)).reads, command);
        for _ in 0..2 {
            for family in 0..KEPT_MAX + 2 {
                let word = format!("show{family}");
                assert!(reads(&word, &word) && !reads(&word, "show"), "{word}");
            }
        }
        assert!(KEPT.with_borrow(Vec::len) <= KEPT_MAX);
    }

    #[test]
    fn words_are_read_once() {
        let first = Table::of(&request("show"));
        // What else is told of the device is no word.
        let mut other = request("show");
        other.facts.insert(0, Fact { name: "tag".to_owned(), value: "lab".to_owned() });
        assert!(Rc::ptr_eq(&first, &Table::of(&other)));
        assert!(!Rc::ptr_eq(&first, &Table::of(&request("list"))));
    }
}
