//! Devices and programs without a grammar here: nothing is proven to be a read, and what destroys by the words
//! of any grammar is stopped.

use crate::posix;
use crate::routeros;
use crate::verdict::{Assessment, Danger, Doubt, excerpt, first, heaviest};
use jackfield_plugin::text::{self, Search};

mod table;

/// How many lines are read one by one as a shell would. More of them are read together, where a quote in one may hide
/// the next.
const LINES_MAX: usize = 200;

/// Judges a command of a device type that no grammar fits, in this mode.
pub(crate) fn assess(command: &str, device_type: &str, mode: &str) -> Assessment {
    let place = [device_type, mode].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" in mode ");
    let doubt = Doubt::new("other.no-grammar", format!("no grammar for {} proves what a line does", excerpt(&place)));
    Assessment { proof: Err(doubt), read_rule: "", unfinished: None, danger: find(command, mode) }
}

/// Does it only begin like what is stopped?
pub(crate) fn is_harmless(line: &str) -> bool {
    table::is_harmless(line)
}

/// The first danger in any grammar.
pub(crate) fn find(command: &str, mode: &str) -> Option<Danger> {
    // A port of a switch is shut down like this.
    let counts = |line: &&str| !(line.trim().is_empty() || mode.holds("conf") && line.trim() == "shutdown");
    let lines = || command.lines().filter(counts);
    let one_by_one = lines().take(LINES_MAX + 1).count() <= LINES_MAX;
    let shell = || if one_by_one { first(lines().filter_map(posix::foreign_danger)) } else { posix::foreign_danger(command) };
    let found = lines().filter_map(table::find);
    let found = found.chain(core::iter::once_with(|| database(command)).flatten()).chain(core::iter::once_with(shell).flatten());
    let found = found.chain(core::iter::once_with(|| posix::program_danger(command)).flatten());
    heaviest(found.chain(lines().filter(|line| text::trim_start(line).starts_with('/')).filter_map(routeros::danger)))
}

fn database(command: &str) -> Option<Danger> {
    sql(command).or_else(|| unstructured(command)).map(|found| Danger::new("other.wipe", format!("{} destroys data", excerpt(&found))))
}

/// A statement that destroys what a database holds, in the text as it stands or without its comments.
pub(crate) fn sql(text: &str) -> Option<String> {
    let found = |text: &str| text.split(';').map(str::trim).find(|statement| destroys(statement)).map(str::to_owned);
    found(text).or_else(|| found(&uncommented(text)))
}

/// Everything that Redis or MongoDB holds.
fn unstructured(text: &str) -> Option<String> {
    let empties = |word: &str| ["flushall", "flushdb"].iter().any(|known| word.trim_matches(['"', '\'']).eq_ignore_ascii_case(known));
    // The data of another one takes the place of its own.
    let replaces = |line: &str| {
        let first = line.split_whitespace().next().unwrap_or_default();
        ["replicaof", "slaveof"].iter().any(|known| first.eq_ignore_ascii_case(known))
    };
    let is_found = |line: &&str| line.split_whitespace().take(2).any(empties) || line.holds(".dropDatabase(") || replaces(line);
    let mut found = text.lines().filter(is_found);
    found.next().map(str::to_owned)
}

fn destroys(statement: &str) -> bool {
    const OBJECTS: [&str; 21] = [
        "database",
        "schema",
        "table",
        "tablespace",
        "keyspace",
        "user",
        "role",
        "owned",
        "index",
        "view",
        "materialized",
        "temporary",
        "foreign",
        "sequence",
        "type",
        "domain",
        "extension",
        "function",
        "procedure",
        "trigger",
        "event",
    ];
    // What holds no data of a table.
    const KEPT: [&str; 10] = ["constraint", "default", "not", "index", "key", "primary", "foreign", "check", "identity", "expression"];
    let mut words = statement.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '`')).filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is = |word: &str, known: &str| word.eq_ignore_ascii_case(known);
    if is(first, "drop") {
        return OBJECTS.iter().any(|object| is(second, object));
    }
    if is(first, "alter") && is(second, "table") {
        let takes = |verb: &str, what: &str| is(verb, "drop") && !KEPT.iter().any(|kept| is(what, kept));
        let empties =
            |verb: &str, what: &str| is(verb, "truncate") && is(what, "partition") || is(verb, "discard") && is(what, "tablespace");
        let rest: Vec<&str> = words.collect();
        return rest.windows(2).any(|pair| matches!(pair, [verb, what] if takes(verb, what) || empties(verb, what)));
    }
    let mut limited = || words.any(|word| is(word, "where"));
    is(first, "truncate") && !second.is_empty() && !second.starts_with('-') || is(first, "delete") && is(second, "from") && !limited()
}

/// The text without comments. Where one ends that began otherwise than it is read here, a statement may begin.
pub(crate) fn uncommented(text: &str) -> String {
    let (mut bare, mut rest) = (String::new(), text);
    let mut quoted = false;
    let mut next = |rest: &str| {
        rest.bytes().enumerate().find_map(|(at, byte)| {
            quoted ^= byte == b'\'';
            let comment = rest.get(at..).filter(|_| !quoted)?;
            behind_comment(comment).map(|behind| (at, comment.len() - behind.len()))
        })
    };
    while let Some((at, length)) = next(rest) {
        bare.push_str(rest.get(..at).unwrap_or_default());
        bare.push(if rest.get(at..).is_some_and(|comment| comment.starts_with("*/")) { ';' } else { ' ' });
        rest = rest.get(at + length..).unwrap_or_default();
    }
    bare.push_str(rest);
    bare
}

/// The text without the comments in front. None where databases differ in their ends.
pub(crate) fn behind_comments(text: &str) -> Option<&str> {
    let mut rest = text::trim_start(text);
    while let Some(behind) = behind_comment(rest) {
        rest = text::trim_start(behind);
    }
    let comments = text.get(..text.len() - rest.len())?;
    (text::split(comments, "/*").len() == text::split(comments, "*/").len()).then_some(rest)
}

/// What stands behind a comment. Of one that MySQL runs only the sign is taken.
fn behind_comment(text: &str) -> Option<&str> {
    match text.as_bytes() {
        [b'-', b'-', ..] | [b'#', ..] => {
            Some(text.bytes().position(|byte| byte == b'\n').and_then(|end| text.get(end..)).unwrap_or_default())
        }
        [b'/', b'*', b'!', ..] => text.get(3..).map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        [b'/', b'*', ..] => Some(text::split_once(text.get(2..)?, "*/").map_or("", |(_, behind)| behind)),
        [b'*', b'/', ..] => text.get(2..),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(command: &str, mode: &str) -> Option<&'static str> {
        find(command, mode).map(|danger| danger.rule)
    }

    #[test]
    fn words_of_every_grammar_are_stopped() {
        for (command, expected) in [
            ("rm -rf /", "posix.wipe"),
            ("'; rm -rf /", "posix.wipe"),
            ("!rm -rf /", "posix.wipe"),
            ("import os; os.system('rm -rf /')", "posix.wipe"),
            ("reload", "other.outage"),
            ("wr er", "other.wipe"),
            ("/system reset-configuration", "routeros.wipe"),
            ("DROP DATABASE shop;", "other.wipe"),
            ("select 1; drop table t", "other.wipe"),
            ("delete from users", "other.wipe"),
            ("truncate logs", "other.wipe"),
            ("FLUSHALL", "other.wipe"),
            ("get x\n\"flushdb\" async", "other.wipe"),
            ("3 flushall", "other.wipe"),
            ("db.dropDatabase()", "other.wipe"),
            ("REPLICAOF 192.0.2.1 6379", "other.wipe"),
            ("slaveof no one", "other.wipe"),
            ("drop materialized view v", "other.wipe"),
            ("drop temporary table t", "other.wipe"),
            ("drop sequence s", "other.wipe"),
            ("alter table t drop column c", "other.wipe"),
            ("alter table t add a int, drop c;", "other.wipe"),
            ("alter table t truncate partition p", "other.wipe"),
            ("alter table t discard tablespace", "other.wipe"),
            ("/* show */ drop table users;", "other.wipe"),
            ("# show\n-- it\ndrop table t", "other.wipe"),
            ("select 1; /* a; b */ DROP /* c */ TABLE t", "other.wipe"),
            ("/* /* */ drop/**/table t", "other.wipe"),
            ("/* /* */ */ drop table t", "other.wipe"),
            ("/*! it */ drop table t", "other.wipe"),
            ("-- don't\ndrop table t", "other.wipe"),
            ("/*!50000 drop table t */", "other.wipe"),
            ("select '; /* '; drop table t -- */", "other.wipe"),
            ("delete from \"t\" /* where */", "other.wipe"),
            ("delete from t -- where\n", "other.wipe"),
            ("request system zeroize", "other.wipe"),
            ("req sys reb", "other.outage"),
            ("req sy z", "other.wipe"),
            ("exec factoryreset", "other.wipe"),
            ("reset saved-configuration", "other.wipe"),
            ("delete bootflash:x", "other.wipe"),
            ("shutdown", "posix.outage"),
        ] {
            assert_eq!(rule(command, ""), Some(expected), "{command}");
        }
    }

    #[test]
    fn ordinary_lines_are_not() {
        for command in [
            "show version",
            "clear",
            "get a flushall",
            "select * from t where a = 1",
            "delete from t\nwhere id = 3",
            "delete from (t) -- the old ones\nwhere id = 3",
            "-- drop table t",
            "# delete from t",
            "/* drop table t",
            "truncate --size 0 x",
            "alter table t add column drop_at date",
            "alter table t drop constraint c",
            "alter table t alter column c drop default",
            "update t set color = '#fff' where id = 3",
            "commit",
            "configure",
            "y",
            "",
            "delete interfaces ge-0/0/0 unit 0",
            "set system host-name it's",
            "!--- a comment",
            "snmp-server community a!b",
            "print('reboot')",
            "os.listdir('/')",
        ] {
            let found = rule(command, "");
            assert_eq!(found, None, "{command}");
        }
        assert_eq!(rule("interface Eth1/1\nshutdown", "config-if"), None);
    }
}
