//! A plugin's triggers: regular expressions on the last row, compiled into one set.

use std::ops::Range;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::manifest::{Role, TriggerSpec};
use super::roles::{Fact, Hit};
use crate::limits::{TRIGGER_COMPILED_MAX_BYTES, TRIGGERS_COMPILED_MAX_BYTES};

/// The triggers of one plugin.
#[derive(Debug, Default)]
pub struct Triggers {
    set: RegexSet,
    each: Vec<Trigger>,
}

#[derive(Debug)]
struct Trigger {
    role: Role,
    name: String,
    pattern: Regex,
    /// Names of the groups.
    groups: Vec<String>,
    veto: Option<Regex>,
}

/// What a row hit, without the text: the prompt behind one command is that behind the one before it.
#[derive(Debug, Default)]
pub struct LastRow {
    row: Option<String>,
    found: Vec<Found>,
}

/// A trigger that matches: its number, and each group's number and place.
#[derive(Debug)]
struct Found {
    trigger: usize,
    groups: Vec<(usize, Range<usize>)>,
}

impl Triggers {
    /// Compiles them.
    ///
    /// # Errors
    ///
    /// The trigger that is not a regular expression or is too large, and why.
    pub fn compile(specs: &[TriggerSpec]) -> Result<Self, String> {
        let complain = |spec: &TriggerSpec, error: regex::Error| format!("trigger `{}`: {}", spec.name, in_short(&error.to_string()));
        let mut each = Vec::with_capacity(specs.len());
        for spec in specs {
            let pattern = compile(&spec.pattern).map_err(|error| complain(spec, error))?;
            let veto = spec.veto.as_deref().map(compile).transpose().map_err(|error| complain(spec, error))?;
            let groups = pattern.capture_names().flatten().map(str::to_owned).collect();
            each.push(Trigger { role: spec.role, name: spec.name.clone(), pattern, groups, veto });
        }
        let vetoes = || specs.iter().filter_map(|spec| spec.veto.as_deref());
        together(specs.iter().map(|spec| spec.pattern.as_str()).chain(vetoes()))?;
        let set = together(specs.iter().map(|spec| spec.pattern.as_str()))?;
        Ok(Self { set, each })
    }

    /// Has the role triggers at all? One without is asked about every row.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.each.iter().any(|trigger| trigger.role == role)
    }

    /// Is the role asked about a row with these hits? One without triggers is, about every row with text.
    #[must_use]
    pub fn concern(&self, role: Role, hits: &[Hit<'_>], row: &str) -> bool {
        if self.has(role) { hits.iter().any(|hit| hit.role == role) } else { !row.is_empty() }
    }

    /// Which triggers match the row, with what they captured, in the manifest's order.
    #[must_use]
    pub fn hits<'a>(&'a self, row: &'a str) -> Vec<Hit<'a>> {
        self.told(&self.find(row), row)
    }

    /// The same for who looks at one row after the other, each time with the same `last` of its own: the same row again is not searched.
    #[must_use]
    pub fn hits_again<'a>(&'a self, row: &'a str, last: &mut LastRow) -> Vec<Hit<'a>> {
        if last.row.as_deref() != Some(row) {
            *last = LastRow { found: self.find(row), row: Some(row.to_owned()) };
        }
        self.told(&last.found, row)
    }

    fn find(&self, row: &str) -> Vec<Found> {
        let matched = self.set.matches(row);
        let found = |trigger: usize| Some(Found { trigger, groups: self.each.get(trigger)?.groups(row)? });
        matched.iter().filter_map(found).collect()
    }

    fn told<'a>(&'a self, found: &[Found], row: &'a str) -> Vec<Hit<'a>> {
        found.iter().filter_map(|found| Some(self.each.get(found.trigger)?.hit(&found.groups, row))).collect()
    }
}

impl Trigger {
    /// What its groups have captured in a row that its pattern matches. None where a veto stops it.
    fn groups(&self, row: &str) -> Option<Vec<(usize, Range<usize>)>> {
        if self.veto.as_ref().is_some_and(|veto| veto.is_match(row)) {
            return None;
        }
        // Groups cost more than the match itself: they are looked for where there are some.
        if self.groups.is_empty() {
            return Some(Vec::new());
        }
        let found = self.pattern.captures(row)?;
        let group = |(number, name): (usize, &String)| Some((number, found.name(name)?.range()));
        Some(self.groups.iter().enumerate().filter_map(group).collect())
    }

    fn hit<'a>(&'a self, groups: &[(usize, Range<usize>)], row: &'a str) -> Hit<'a> {
        let capture =
            |(number, place): &(usize, Range<usize>)| Some(Fact { name: self.groups.get(*number)?, value: row.get(place.clone())? });
        Hit { role: self.role, trigger: &self.name, captures: groups.iter().filter_map(capture).collect() }
    }
}

/// All patterns in one: what they take together is bounded.
fn together<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<RegexSet, String> {
    let set = RegexSetBuilder::new(patterns).size_limit(TRIGGERS_COMPILED_MAX_BYTES).build();
    set.map_err(|error| format!("the triggers together: {}", in_short(&error.to_string())))
}

/// A pattern of a plugin or of a declaration, bounded.
///
/// # Errors
///
/// When it is not a regular expression or is too large.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(TRIGGER_COMPILED_MAX_BYTES).build()
}

/// Why a pattern is none, without the picture that the regex engine draws of the place: its last line says what is wrong there.
#[must_use]
pub fn in_short(why: &str) -> &str {
    why.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, pattern: &str, veto: Option<&str>) -> TriggerSpec {
        TriggerSpec { role: Role::Prompt, name: name.to_owned(), pattern: pattern.to_owned(), veto: veto.map(str::to_owned) }
    }

    #[test]
    fn a_veto_stops_a_hit_and_captures_have_names() {
        let triggers = Triggers::compile(&[
            spec("config", r"^(?P<host>[a-z0-9]+)\((?P<ctx>[a-z]+)\)#$", Some(r"\(tcl\)")),
            spec("exec", r"^(?P<host>[a-z0-9]+)[>#]$", None),
        ])
        .unwrap();
        let names = |row: &str| triggers.hits(row).into_iter().map(|hit| hit.trigger.to_owned()).collect::<Vec<_>>();
        assert_eq!(names("r1(config)#"), ["config"]);
        assert_eq!(names("r1(tcl)#"), Vec::<String>::new());
        assert_eq!(names("r1>"), ["exec"]);
        let hits = triggers.hits("r1(config)#");
        let captures = [Fact { name: "host", value: "r1" }, Fact { name: "ctx", value: "config" }];
        assert_eq!(hits.first().unwrap().captures, captures);
    }

    #[test]
    fn a_row_hits_what_it_hits_whatever_came_before_it() {
        let triggers = Triggers::compile(&[
            spec("at", r"^(?:(?P<user>[a-z]+)@)?(?P<host>[a-z0-9]+)[>#]$", Some("^root@")),
            spec("sign", "[>#]$", None),
        ])
        .unwrap();
        let mut last = LastRow::default();
        for row in ["", "tom@r1>", "tom@r1>", "tim@r1>", "r1#", "root@r1#", "root@r1#", "no", "", "tom@r1>"] {
            // Another text at another place.
            let again = row.to_owned();
            assert_eq!(triggers.hits_again(&again, &mut last), triggers.hits(row), "{row}");
        }
        assert_eq!(triggers.hits_again("tom@r1>", &mut last).first().unwrap().captures.len(), 2);
    }

    #[test]
    fn a_role_without_triggers_is_asked_about_every_row_with_text() {
        let triggers = Triggers::compile(&[spec("exec", "^r1>$", None)]).unwrap();
        let asked = |role, row: &str| triggers.concern(role, &triggers.hits(row), row);
        assert!(asked(Role::Prompt, "r1>") && !asked(Role::Prompt, "r2>"));
        assert!(asked(Role::Pager, "r2>") && !asked(Role::Pager, ""));
    }

    #[test]
    fn a_trigger_that_compiles_to_too_much_is_refused_by_name() {
        let error = Triggers::compile(&[spec("huge", r"^(\w{0,500}){20}$", None)]).unwrap_err();
        assert!(error.starts_with("trigger `huge`"), "{error}");
    }
}
