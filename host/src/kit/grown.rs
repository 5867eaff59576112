//! Rows that a plugin is likely to answer: made of its own triggers and recordings, and then spoilt.
//!
//! Noise seldom looks like a prompt. What a trigger's pattern describes does, and so does what a device really showed.

use fastrand::Rng;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::recordings::{self, Played};
use super::views::NONCE;
use crate::limits::VIEW_TAIL_MAX_BYTES;
use crate::plugin::load::Plugin;
use crate::plugin::manifest::Role;

/// More than so many repetitions say nothing new.
const TIMES_MAX: u32 = 6;
/// Likely characters, tried before any other of a class.
const LIKELY: &str = "abcRXYZ019-_./ :#>$%(~";
/// How often one of them is tried.
const LIKELY_TRIES: usize = 4;
/// What a noisy line puts into a row.
const NOISE: [&str; 8] = ["\u{1b}", "\u{1b}[K", "\u{7}", "\t", "\u{fffd}", "\u{200b}", "日", " "];

/// Where such rows come from.
#[derive(Debug)]
pub struct Grown {
    /// The patterns of each role's triggers, and of failures.
    patterns: Vec<Vec<Hir>>,
    /// Rows of the recordings that a trigger knows.
    rows: Vec<String>,
}

impl Grown {
    /// From the plugin's manifest and its recordings.
    #[must_use]
    pub fn new(plugin: &Plugin, played: &[Played]) -> Self {
        let parse = |pattern: &str| regex_syntax::parse(pattern).ok();
        let triggers = |role: Role| plugin.manifest.triggers.iter().filter(move |trigger| trigger.role == role);
        let mut patterns: Vec<Vec<Hir>> = [Role::Prompt, Role::Pager, Role::Dialog]
            .into_iter()
            .map(|role| triggers(role).filter_map(|trigger| parse(&trigger.pattern)).collect())
            .collect();
        patterns.push(plugin.manifest.failures.iter().filter_map(|failure| parse(&failure.pattern)).collect());
        patterns.retain(|list| !list.is_empty());
        let rows = played.iter().flat_map(|one| {
            let rows = recordings::rows(&one.recording).into_iter();
            rows.map(|row| row.replace(&one.recording.nonce, NONCE)).collect::<Vec<_>>()
        });
        // A marker that was wiped stands in front of a carriage return.
        let parts = rows.flat_map(|row| row.split('\r').map(str::to_owned).collect::<Vec<_>>());
        let mut rows: Vec<String> = parts.filter(|row| !plugin.triggers.hits(row).is_empty()).collect();
        rows.sort();
        rows.dedup();
        Self { patterns, rows }
    }

    /// A row, if there is anything to make one of.
    pub fn row(&self, random: &mut Rng) -> Option<String> {
        let recorded = random.bool();
        let row = match random.choice(&self.rows).filter(|_| recorded || self.patterns.is_empty()) {
            Some(row) => row.clone(),
            None => {
                let patterns = random.choice(&self.patterns)?;
                let pattern = random.choice(patterns)?;
                let mut row = String::new();
                write(pattern, random, &mut row);
                row
            }
        };
        Some(spoilt(row, random))
    }
}

/// A text that the pattern fits, but for what it demands of the place.
fn write(pattern: &Hir, random: &mut Rng, out: &mut String) {
    if out.len() >= VIEW_TAIL_MAX_BYTES {
        return;
    }
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(character(class, random)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(TIMES_MAX));
            for _ in 0..random.u32(repetition.min..=most.max(repetition.min)) {
                write(&repetition.sub, random, out);
            }
        }
        // Another session's nonce is known by none.
        HirKind::Capture(capture) if capture.name.as_deref() == Some("nonce") => out.push_str(NONCE),
        HirKind::Capture(capture) => write(&capture.sub, random, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, random, out)),
        HirKind::Alternation(choices) => {
            if let Some(one) = random.choice(choices) {
                write(one, random, out);
            }
        }
    }
}

fn character(class: &Class, random: &mut Rng) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class.iter().map(|range| (char::from(range.start()), char::from(range.end()))).collect(),
    };
    let likely: Vec<char> = LIKELY.chars().collect();
    for _ in 0..LIKELY_TRIES {
        let one = random.choice(&likely).copied()?;
        if ranges.iter().any(|(first, last)| (*first..=*last).contains(&one)) {
            return Some(one);
        }
    }
    let (first, last) = random.choice(&ranges).copied()?;
    Some(random.char(first..=last))
}

/// The same, or cut, doubled, in other letters, with other digits, or with noise in it.
fn spoilt(row: String, random: &mut Rng) -> String {
    let place = |random: &mut Rng, row: &str| {
        let at = random.usize(..=row.chars().count());
        row.char_indices().nth(at).map_or(row.len(), |(index, _)| index)
    };
    match random.u8(..10) {
        0..5 => row,
        5 => row.chars().take(random.usize(..=row.chars().count())).collect(),
        6 => row.repeat(2),
        7 => row.chars().map(|ch| if random.bool() { ch.to_ascii_uppercase() } else { ch.to_ascii_lowercase() }).collect(),
        8 => row.chars().map(|ch| if ch.is_ascii_digit() { random.digit(10) } else { ch }).collect(),
        _ => {
            let at = place(random, &row);
            let noise = random.choice(NOISE).unwrap_or_default();
            let (before, behind) = row.split_at(at);
            format!("{before}{noise}{behind}")
        }
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn what_a_pattern_describes_fits_it() {
        let mut random = Rng::with_seed(1);
        for pattern in
            [r"^(?P<host>[A-Za-z0-9][A-Za-z0-9_.\-]*)(?:\((?P<ctx>config[a-z-]*)\))?[>#] *$", r"^ ?--More-- *$", r"^.{3,}[^ ]\d{2}$"]
        {
            let (hir, regex) = (regex_syntax::parse(pattern).unwrap(), Regex::new(pattern).unwrap());
            for _ in 0..200 {
                let mut row = String::new();
                write(&hir, &mut random, &mut row);
                assert!(regex.is_match(&row), "{pattern}: {row:?}");
            }
        }
    }

    #[test]
    fn a_pattern_without_end_does() {
        let mut row = String::new();
        write(&regex_syntax::parse(r"^(((a{40}){40}){40})*$").unwrap(), &mut Rng::with_seed(3), &mut row);
        assert!(row.len() <= VIEW_TAIL_MAX_BYTES, "{}", row.len());
    }

    #[test]
    fn a_seed_says_what_comes() {
        let grown = Grown { patterns: vec![vec![regex_syntax::parse("^[a-z]+[0-9]*#$").unwrap()]], rows: vec!["sw1>".to_owned()] };
        let rows = |seed| -> Vec<String> {
            let mut random = Rng::with_seed(seed);
            (0..50).filter_map(|_| grown.row(&mut random)).collect()
        };
        assert_eq!(rows(5), rows(5));
        assert_ne!(rows(5), rows(6));
        assert!(rows(5).iter().any(|row| row == "sw1>") && rows(5).iter().any(|row| row.ends_with('#')));
    }
}
