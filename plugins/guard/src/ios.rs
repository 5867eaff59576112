//! Cisco IOS and what speaks like it: Arista EOS, FRR. Every line of a command is judged by itself.

use crate::abbreviation::{calls_shell, clears, shortens};
use crate::family::{Dialect, Place};
use crate::filters::Bars;
use crate::reach::shows_secret;
use crate::verdict::{Assessment, Danger, Doubt, Proof, excerpt};
use jackfield_plugin::text::{self, Search};

mod destructive;

/// Words that begin a read in the exec modes, with their shortest form that means nothing else.
const READS: [(&str, usize); 15] = [
    ("show", 2),
    ("ping", 2),
    // No other word begins so, and what is ambiguous does not run.
    ("traceroute", 2),
    ("mtrace", 3),
    ("dir", 3),
    ("more", 3),
    ("verify", 3),
    ("where", 3),
    ("who", 3),
    ("pwd", 3),
    ("cd", 2),
    ("list", 3),
    ("find", 4),
    ("help", 4),
    // Of EOS.
    ("diff", 4),
];

/// What may stand behind `|`, with its shortest form.
const FILTERS: [(&str, usize); 13] = [
    ("include", 1),
    ("exclude", 1),
    ("begin", 1),
    ("section", 1),
    ("count", 1),
    ("grep", 1),
    ("json", 1),
    ("no-more", 1),
    ("nz", 2),
    // Programs of EOS, which read only.
    ("egrep", 5),
    ("head", 4),
    ("tail", 4),
    ("wc", 2),
];

/// What writes behind `|`. A longer word than these is part of an expression.
const WRITES: [&str; 5] = ["redirect", "tee", "append", "file", "save"];

/// Judges a command.
pub(crate) fn assess(command: &str, dialect: Dialect, place: Place) -> Assessment {
    let proof = prove(command, dialect, place);
    let danger = if proof.is_ok() { None } else { destructive::find(command, dialect, place) };
    Assessment { proof, read_rule: "read.ios.allowed", unfinished: None, danger }
}

/// Judges a line that is typed where no prompt stands: `?` shows help there.
pub(crate) fn answer_danger(line: &str, dialect: Dialect, place: Place) -> Option<Danger> {
    destructive::find(&line.replaced("?", "").replaced("\t", ""), dialect, place)
}

/// Is every line a read?
pub(crate) fn prove(command: &str, dialect: Dialect, place: Place) -> Proof {
    if command.trim().is_empty() {
        return Err(Doubt::new("ios.empty", "an empty line may confirm a question"));
    }
    command.lines().try_for_each(|line| prove_line(line, dialect, place))
}

fn prove_line(line: &str, dialect: Dialect, place: Place) -> Proof {
    if line.has_any("?\t") {
        return Err(Doubt::new("ios.live-key", "`?` and the tab act at once here"));
    }
    // A comment.
    if line.trim().is_empty() || text::trim_start(line).starts_with('!') {
        return Ok(());
    }
    let (head, tail) = line.split_once('|').map_or((line, None), |(head, tail)| (head, Some(tail)));
    let mut words: Vec<&str> = text::words(head);
    let done = words.first().is_some_and(|word| word.eq_ignore_ascii_case("do"));
    if done {
        words.remove(0);
    }
    let Some(first) = words.first().copied() else { return Err(Doubt::new("ios.empty", "nothing stands before `|`")) };
    // EOS shows there, too. `sh` may be short for `shutdown`.
    let shows = dialect == Dialect::Eos && first.eq_ignore_ascii_case("show");
    if place == Place::Config && !done && !shows {
        return match words.as_slice() {
            [only] if ["end", "exit"].contains(&only.to_ascii_lowercase().as_str()) => Ok(()),
            _ => Err(Doubt::new(
                "ios.config-mode",
                format!("in configuration mode {} may change the configuration, `do show` reads", excerpt(first)),
            )),
        };
    }
    // `watch show ...` repeats it.
    let watched = words.strip_prefix(&["watch"]).filter(|_| dialect_shell(dialect)).map(|words| match words {
        [seconds, rest @ ..] if seconds.bytes().all(|c| c.is_ascii_digit()) => rest,
        words => words,
    });
    // The one-letter name that IOS itself gives it.
    let pings = dialect == Dialect::Cisco && words.len() > 1 && first.eq_ignore_ascii_case("p");
    if !pings {
        reads(watched.unwrap_or(&words))?;
    }
    if shows_secret(line) {
        return Err(Doubt::new("ios.secret-file", format!("{} shows what is secret", excerpt(line))));
    }
    if head.has('>') {
        return Err(Doubt::new("ios.redirect", "`>` writes to a file"));
    }
    tail.map_or(Ok(()), |tail| filters(head, tail, dialect))
}

/// Does a command of the exec modes read?
fn reads(words: &[&str]) -> Proof {
    let first = words.first().copied().unwrap_or_default();
    let second = words.get(1).copied().unwrap_or_default();
    if READS.iter().any(|(full, least)| shortens(first, full, *least)) && !calls_shell(words) {
        if clears(words) {
            return Err(Doubt::new("ios.unknown-command", format!("{} clears what it shows", excerpt(&words.join(" ")))));
        }
        // Traces of IOS-XE go to a file by one of its options.
        if shortens(second, "logging", 3) && words.iter().skip(2).any(|word| shortens(word, "to-file", 2)) {
            return Err(Doubt::new("ios.unknown-command", format!("{} writes a file", excerpt(&words.join(" ")))));
        }
        // FRR writes `show ... json` to the terminal, too; there is no other word of `show` that changes anything.
        return Ok(());
    }
    let known = match first.to_ascii_lowercase().as_str() {
        _ if shortens(first, "terminal", 3) => {
            shortens(second, "length", 3)
                || shortens(second, "width", 3)
                || shortens(second, "no", 2) && words.get(2).is_some_and(|word| shortens(word, "monitor", 3))
        }
        // Prints the configuration.
        _ if shortens(first, "write", 2) => shortens(second, "terminal", 1),
        "enable" | "en" | "disable" => return Err(Doubt::new("ios.privilege", format!("{} changes the privilege level", excerpt(first)))),
        "exit" | "quit" | "logout" | "lo" => return Err(Doubt::new("ios.session", format!("{} ends the session", excerpt(first)))),
        _ => false,
    };
    if known { Ok(()) } else { Err(Doubt::new("ios.unknown-command", format!("{} is not known to read only", excerpt(&words.join(" "))))) }
}

/// The first filter must be known; a further `|` may belong to its expression.
fn filters(head: &str, tail: &str, dialect: Dialect) -> Proof {
    let is_known = |word: &str| FILTERS.iter().any(|(full, least)| shortens(word, full, *least));
    let mut bars = Bars::new(head, tail);
    for (place, piece) in tail.split('|').enumerate() {
        let mut words = piece.split_whitespace();
        let word = words.next().unwrap_or_default();
        if place == 0 && !is_known(word) {
            return Err(Doubt::new("ios.filter", format!("{} behind `|` is not known to read only", excerpt(word))));
        }
        let writes = WRITES.iter().any(|full| shortens(word, full, 1)) && words.next().is_some();
        let is_text = bars.may_be_text(piece, false);
        let starts = dialect_shell(dialect) && !word.is_empty() && !is_known(word) && !is_text;
        if place > 0 && (writes || starts) {
            return Err(Doubt::new("ios.filter", format!("{} behind `|` may write", excerpt(word))));
        }
        bars.pass(piece, is_text);
    }
    if dialect_shell(dialect) && tail.has_any("><;&`$(") {
        return Err(Doubt::new("ios.redirect", "`>` writes to a file"));
    }
    Ok(())
}

/// A real shell stands behind `|`.
fn dialect_shell(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Eos | Dialect::Any)
}
