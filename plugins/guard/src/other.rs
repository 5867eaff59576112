//! Devices and programs without a grammar here: nothing is proven to be a read, and what destroys by the words
//! of any grammar is stopped.

use crate::posix;
use crate::routeros;
use crate::verdict::{Assessment, Danger, Doubt, excerpt, first, heaviest, listed};
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
    sql(command).map(|found| Danger::new("other.wipe", format!("{} destroys data", excerpt(found))))
}

/// A statement that destroys what a database holds. One may begin behind every end of another and of a comment: what stands in quotes is
/// not told from the rest.
pub(crate) fn sql(text: &str) -> Option<&str> {
    let begins = |(at, pair): (usize, &[u8])| match pair {
        [b';', _] => Some(at + 1),
        [b'*', b'/'] => Some(at + 2),
        _ => None,
    };
    let starts = core::iter::once(0).chain(text.as_bytes().windows(2).enumerate().filter_map(begins));
    let statement = starts.map(|at| uncommented(text.get(at..).unwrap_or_default())).find(|statement| destroys(statement))?;
    statement.split(';').next().map(str::trim)
}

fn destroys(statement: &str) -> bool {
    const OBJECTS: &str = "database schema table tablespace keyspace user role owned index view";
    let mut rest = statement;
    let first = word(&mut rest).to_ascii_lowercase();
    match first.as_str() {
        "drop" => listed(OBJECTS, &word(&mut rest).to_ascii_lowercase()),
        // The program of that name has options.
        "truncate" => !text::trim_start(rest).starts_with('-') && !word(&mut rest).is_empty(),
        "delete" => {
            let mut words = core::iter::from_fn(|| Some(word(&mut rest)).filter(|word| !word.is_empty()));
            words.next().is_some_and(|from| from.eq_ignore_ascii_case("from")) && !words.any(|word| word.eq_ignore_ascii_case("where"))
        }
        _ => false,
    }
}

/// The next word of a statement, without what stands around it; none at its end.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let parts = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '`');
    loop {
        let bare = uncommented(rest).trim_start_matches(parts);
        if bare.len() == rest.len() {
            break;
        }
        *rest = bare;
    }
    let end = rest.find(|c| parts(c) || c == ';').unwrap_or(rest.len());
    let end = text::find(rest, "/*").map_or(end, |comment| comment.min(end));
    let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
    *rest = behind;
    word
}

/// The text without the comments in front. One within another ends differently in each database, so it stays; of one that MySQL runs only
/// the sign is taken.
pub(crate) fn uncommented(text: &str) -> &str {
    let mut rest = text::trim_start(text);
    loop {
        let behind = match rest.as_bytes() {
            [b'-', b'-', ..] | [b'#', ..] => rest.split_once('\n').map_or("", |(_, behind)| behind),
            [b'/', b'*', b'!', ..] => rest.get(3..).unwrap_or_default().trim_start_matches(|c: char| c.is_ascii_digit()),
            [b'/', b'*', ..] => match text::split_once(rest.get(2..).unwrap_or_default(), "*/") {
                Some((comment, behind)) if !comment.holds("/*") => behind,
                _ => return rest,
            },
            _ => return rest,
        };
        rest = text::trim_start(behind);
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
            ("/* show */ drop table users;", "other.wipe"),
            ("# show\n-- it\ndrop table t", "other.wipe"),
            ("select 1; /* a; b */ DROP /* c */ TABLE t", "other.wipe"),
            ("/* /* */ drop/**/table t", "other.wipe"),
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
            "select * from t where a = 1",
            "delete from t\nwhere id = 3",
            "delete from (t) -- the old ones\nwhere id = 3",
            "-- drop table t",
            "# delete from t",
            "/* drop table t",
            "truncate --size 0 x\nls",
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
