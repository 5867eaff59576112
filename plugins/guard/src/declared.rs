//! Device families whose words are data: the device type's own plugin tells them in its manifest, as facts of each request.
//!
//! `words.reads`, `words.filters`, `words.wipe`, `words.outage`, `words.lockout` and `words.code` hold one word pattern a line,
//! `words.modes` the modes in which reads are known, `words.separators` what separates commands on one line. A read needs every word of
//! the proof; a danger needs one match, in any piece. What destroys by the words of any other grammar is stopped here too.

mod table;

use jackfield_plugin::Request;

pub(crate) use self::table::Table;
use self::table::{FACTS, fits};
use crate::other;
use crate::verdict::{Assessment, Danger, Doubt, Proof, excerpt, heaviest};

/// Characters that join, redirect or substitute somewhere. None of them belongs to the words of a read.
const SIGNS: [char; 10] = [';', '&', '`', '$', '<', '>', '(', ')', '{', '}'];
/// The same behind `|`, where an expression may stand.
const FILTER_SIGNS: [char; 5] = [';', '&', '`', '<', '>'];

/// Does this request come with a family's words?
pub(crate) fn is_told(request: &Request) -> bool {
    request.facts.iter().any(|fact| fact.name.starts_with(FACTS))
}

/// Judges a command by the words of its family.
pub(crate) fn assess(command: &str, mode: &str, table: &Table) -> Assessment {
    let danger = find(command, table);
    let proof = match &danger {
        Some(danger) => Err(Doubt::new("declared.danger", danger.reason.clone())),
        None => prove(command, mode, table),
    };
    Assessment { proof, read_rule: "read.declared", unfinished: None, danger }
}

/// What stops it, in any piece of any line.
pub(crate) fn danger(command: &str, request: &Request) -> Option<Danger> {
    find(command, &Table::of(request))
}

fn find(command: &str, table: &Table) -> Option<Danger> {
    let mut pieces = vec![command];
    for sign in table.separators.iter().map(String::as_str).chain(["\n", "|", "$(", "`"]) {
        pieces = pieces.into_iter().flat_map(|piece| piece.split(sign)).collect();
    }
    // `shutdown` of a port is a change like others, unless the family's own words stop it.
    let elsewhere = || other::find(command, "config");
    heaviest(pieces.into_iter().filter_map(|piece| stopped(piece, table)).chain(core::iter::once_with(elsewhere).flatten()))
}

fn stopped(piece: &str, table: &Table) -> Option<Danger> {
    let inner = without_prefix(piece).unwrap_or(piece);
    let stop = table.stops.iter().find(|stop| fits(&stop.words, piece) || fits(&stop.words, inner))?;
    Some(Danger::new(stop.rule, format!("{} {}", excerpt(piece), stop.what)))
}

/// What separates the commands of a line.
pub(crate) fn separators(request: &Request) -> Vec<char> {
    Table::of(request).separators.iter().filter_map(|sign| sign.chars().next()).chain(['\n']).collect()
}

/// Is every line a read?
fn prove(command: &str, mode: &str, table: &Table) -> Proof {
    if command.trim().is_empty() {
        return Err(Doubt::new("declared.empty", "an empty line may confirm a question"));
    }
    command.lines().filter(|line| !line.trim().is_empty()).try_for_each(|line| prove_line(line, mode, table))
}

fn prove_line(line: &str, mode: &str, table: &Table) -> Proof {
    let mut pieces = line.split('|');
    let first = pieces.next().unwrap_or_default();
    let inner = without_prefix(first);
    if inner.is_none() && !table.modes.iter().any(|known| known == mode) {
        return Err(Doubt::new("declared.mode", format!("in the mode {} no word is known to read only", excerpt(mode))));
    }
    if let Some(sign) = first.chars().find(|c| SIGNS.contains(c)) {
        return Err(Doubt::new("declared.sign", format!("`{sign}` may join, redirect or substitute")));
    }
    if !fits(&table.reads, inner.unwrap_or(first)) {
        return Err(Doubt::new("declared.unknown-command", format!("{} is not known to read only", excerpt(first))));
    }
    for filter in pieces {
        if !fits(&table.filters, filter) || filter.contains(FILTER_SIGNS) || filter.contains("$(") {
            return Err(Doubt::new("declared.filter", format!("{} behind `|` is not known to read only", excerpt(filter))));
        }
    }
    Ok(())
}

/// The command behind `do` or `run`, which take one of the other modes.
fn without_prefix(piece: &str) -> Option<&str> {
    let (first, rest) = piece.trim().split_once(' ')?;
    (first.eq_ignore_ascii_case("do") || first.eq_ignore_ascii_case("run")).then_some(rest)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;

    use super::*;

    fn request(mode: &str) -> Request {
        let fact = |(name, value): (&str, &str)| Fact { name: name.to_owned(), value: value.to_owned() };
        Request {
            device: "box".to_owned(),
            device_type: "acme_olt".to_owned(),
            mode: mode.to_owned(),
            privileged: false,
            command: String::new(),
            purpose: "run".to_owned(),
            caller: String::new(),
            policy_mode: "safe".to_owned(),
            facts: [
                ("words.modes", "exec\nadmin"),
                ("words.reads", "sh[ow]\nping"),
                ("words.filters", "match\ncount"),
                ("words.outage", "reb[oot]\nreq[uest] sys[tem] h[alt]"),
                ("words.wipe", "del[ete] $"),
                ("words.separators", ";"),
            ]
            .map(fact)
            .into(),
        }
    }

    fn judged(command: &str, request: &Request) -> Assessment {
        assess(command, &request.mode, &Table::of(request))
    }

    fn rule(command: &str, mode: &str) -> &'static str {
        let assessment = judged(command, &request(mode));
        match (&assessment.danger, &assessment.proof) {
            (Some(danger), _) => danger.rule,
            (None, Ok(())) => assessment.read_rule,
            (None, Err(doubt)) => doubt.rule,
        }
    }

    #[test]
    fn a_read_needs_a_known_word_in_a_known_mode() {
        for (command, mode, expected) in [
            ("show version", "exec", "read.declared"),
            ("sh ver | match a.b | count", "admin", "read.declared"),
            ("show a\nping b", "exec", "read.declared"),
            ("do show version", "config", "read.declared"),
            ("show version", "config", "declared.mode"),
            ("set x", "exec", "declared.unknown-command"),
            ("showx", "exec", "declared.unknown-command"),
            ("show a\nset b", "exec", "declared.unknown-command"),
            ("show a | save b", "exec", "declared.filter"),
            ("show a | match b > c", "exec", "declared.filter"),
            ("show a; set b", "exec", "declared.sign"),
            ("show $(set b)", "exec", "declared.sign"),
            ("show a > b", "exec", "declared.sign"),
            ("", "exec", "declared.empty"),
        ] {
            assert_eq!(rule(command, mode), expected, "{command} in {mode}");
        }
    }

    #[test]
    fn the_family_s_words_are_stopped_in_every_piece() {
        for command in
            ["reboot", "reb now", "show a; reboot", "do reboot", "show a\nreboot", "show a | reboot", "show `reboot`", "req sys h"]
        {
            assert_eq!(rule(command, "exec"), "declared.outage", "{command}");
        }
        assert_eq!(rule("delete", "config"), "declared.wipe");
        assert_eq!(rule("delete interfaces x", "config"), "declared.mode");
        // Words of other grammars.
        assert_eq!(rule("write erase", "exec"), "other.wipe");
        assert_eq!(rule("shutdown", "config"), "declared.mode");
    }

    #[test]
    fn only_a_request_with_words_is_judged_by_them() {
        let mut told = request("exec");
        assert!(is_told(&told));
        told.facts.clear();
        assert!(!is_told(&told));
    }
}
