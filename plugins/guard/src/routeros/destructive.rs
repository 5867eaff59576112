//! What destroys, restarts or locks out on RouterOS.

use crate::abbreviation::{Stopped, shortens};
use crate::verdict::{Danger, excerpt, first, heaviest};

use super::parse::{Parsed, Statement, Word, parse};
use super::read;

const WIPE: &str = "routeros.wipe";
const OUTAGE: &str = "routeros.outage";
const LOCKOUT: &str = "routeros.lockout";
const CODE: &str = "routeros.code";
/// One entry of the configuration.
const REMOVE: &str = "routeros.remove";

/// How many texts may hold one another.
const TEXTS_MAX: usize = 4;

const fn stop(full: &'static str, least: &'static str, rule: &'static str) -> Stopped {
    Stopped { full, least, rule }
}

/// Paths from the root.
const STOPPED: [Stopped; 22] = [
    stop("system reset-configuration", "sy res", WIPE),
    stop("system reboot", "sy reb", OUTAGE),
    stop("system shutdown", "sy sh", OUTAGE),
    stop("system routerboard", "sy ro", CODE),
    stop("system package", "sy pac", CODE),
    stop("system backup load", "sy b l", WIPE),
    stop("system ssh", "sy ss", CODE),
    stop("system ssh-exec", "sy ssh-", CODE),
    stop("system telnet", "sy te", CODE),
    stop("system license", "sy lic", OUTAGE),
    stop("disk format-drive", "di fo", WIPE),
    stop("tool flood-ping", "to fl", OUTAGE),
    stop("import", "im", CODE),
    stop("certificate reset-certificate-cache", "cert reset", OUTAGE),
    stop("partitions repartition", "par rep", WIPE),
    stop("partitions restore-config-from", "par res", WIPE),
    stop("partitions copy-to", "par co", WIPE),
    stop("partitions activate", "par a", OUTAGE),
    stop("interface lte firmware-upgrade", "in lt fi", CODE),
    stop("ip dhcp-client release", "ip dhcp-c rel", LOCKOUT),
    stop("routing bgp session reset", "ro bg se rese", OUTAGE),
    stop("ip ipsec active-peers kill-connections", "ip ips ac k", OUTAGE),
];

/// Settings by which an interface, a bridge or the whole router carries nothing any more, or a service cannot be reached as before.
const CUTTING: [(&str, &str, &str); 9] = [
    ("bridge", "vlan-filtering", "y"),
    ("settings", "ip-forward", "n"),
    ("settings", "disable-ipv6", "y"),
    ("service", "port", ""),
    ("service", "address", ""),
    ("address", "address", ""),
    ("address", "interface", ""),
    ("filter", "action", "drop"),
    ("filter", "action", "reject"),
];

/// Verbs that need no path when the prompt already stands in their menu.
const VERBS: [Stopped; 8] = [
    stop("reset-configuration", "reset-c", WIPE),
    stop("reboot", "reb", OUTAGE),
    stop("shutdown", "shu", OUTAGE),
    stop("format-drive", "form", WIPE),
    stop("load", "loa", WIPE),
    stop("upgrade", "upg", CODE),
    stop("install", "inst", CODE),
    stop("import", "imp", CODE),
];

/// Arguments whose text is run later.
const CODE_ARGUMENTS: [&str; 17] = [
    "do",
    "else",
    "source",
    "script",
    "up-script",
    "down-script",
    "test-script",
    "lease-script",
    "on-event",
    "on-up",
    "on-down",
    "on-error",
    "on-login",
    "on-logout",
    "on-master",
    "on-backup",
    "on-fail",
];

pub(super) fn find(parsed: &Parsed) -> Option<Danger> {
    in_text(parsed, 0)
}

fn in_text(parsed: &Parsed, texts: usize) -> Option<Danger> {
    if parsed.too_deep {
        return Some(Danger::new("routeros.too-deep", "it nests deeper than is read"));
    }
    statements(&parsed.statements, texts)
}

fn statements(list: &[Statement], texts: usize) -> Option<Danger> {
    heaviest(list.iter().flat_map(|statement| {
        let inner = statement.words.iter().flat_map(|word| &word.inner);
        let inner = inner.filter_map(move |inner| statements(&inner.statements, texts));
        let own = || if read::prove(statement).is_ok() { None } else { own_danger(statement, texts) };
        inner.chain(core::iter::once_with(own).flatten())
    }))
}

fn own_danger(statement: &Statement, texts: usize) -> Option<Danger> {
    first(statement_danger(statement).into_iter().chain(hidden(statement, texts)))
}

fn statement_danger(statement: &Statement) -> Option<Danger> {
    let path = statement.path();
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let stopped = STOPPED.iter().chain(VERBS.iter().filter(|_| !statement.is_absolute())).find(|stopped| stopped.is(&words));
    if let Some(stopped) = stopped.filter(|_| !shows_resources(&words)) {
        return Some(danger(stopped.rule, statement));
    }
    let verbs = words.get(usize::from(statement.is_absolute())..).unwrap_or_default();
    let user = words.first().is_some_and(|word| shortens(word, "user", 2));
    if user && verbs.iter().any(|word| ["remove", "set", "disable"].iter().any(|verb| shortens(word, verb, 2))) {
        return Some(danger(LOCKOUT, statement));
    }
    // One letter may do where no other verb begins with it.
    let removes = |word: &&str| ["remove", "unset", "disable"].iter().any(|verb| shortens(word, verb, 1));
    if verbs.iter().any(removes) {
        if carries_sessions(&words) {
            return Some(danger(LOCKOUT, statement));
        }
        // All files that a search finds, not one by its name.
        if words.first().is_some_and(|word| shortens(word, "file", 2)) && statement.words.iter().any(|word| !word.inner.is_empty()) {
            return Some(danger(WIPE, statement));
        }
        return Some(danger(REMOVE, statement).advise("Say which change is wanted, and have the operator do it."));
    }
    let sets = words.iter().any(|word| shortens(word, "set", 2));
    if sets && (statement.words.iter().any(turns_off) || cuts(statement, &words)) || drops_all(statement, &words) {
        return Some(danger(LOCKOUT, statement));
    }
    None
}

/// `/sys res print`: what resets takes no such word.
fn shows_resources(words: &[&str]) -> bool {
    matches!(words, [system, "res", print, ..] if shortens(system, "system", 2) && shortens(print, "print", 2))
}

fn cuts(statement: &Statement, words: &[&str]) -> bool {
    statement.words.iter().filter_map(Word::named).any(|(name, value)| {
        let value = value.trim_matches('"').to_ascii_lowercase();
        let is_in = |menu: &str| words.iter().any(|word| shortens(word, menu, 3));
        CUTTING.iter().any(|(menu, setting, begins)| name == *setting && value.starts_with(*begins) && is_in(menu))
    })
}

/// What this very session may come in by: which interface, address or service it is, only the router knows.
fn carries_sessions(words: &[&str]) -> bool {
    let begins = |place: usize, full: &str, least: usize| words.get(place).is_some_and(|word| shortens(word, full, least));
    begins(0, "interface", 2) || begins(0, "ip", 2) && (begins(1, "address", 2) || begins(1, "service", 2))
}

/// `disabled=yes`
fn turns_off(word: &Word) -> bool {
    word.named().is_some_and(|(name, value)| shortens(name, "disabled", 4) && value.to_ascii_lowercase().starts_with(['y', 't']))
}

/// A filter that drops without asking for more.
fn drops_all(statement: &Statement, words: &[&str]) -> bool {
    let value =
        |wanted: &str| statement.words.iter().filter_map(Word::named).find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
    let plain = ["chain", "action", "comment", "disabled", "log", "log-prefix", "place-before"];
    words.iter().any(|word| matches!(*word, "filter" | "raw"))
        && words.contains(&"add")
        && matches!(value("chain"), "input" | "forward" | "output" | "prerouting")
        && matches!(value("action"), "drop" | "reject" | "tarpit")
        && statement.words.iter().filter_map(Word::named).all(|(name, _)| plain.contains(&name))
}

/// Texts that the router will run.
fn hidden(statement: &Statement, texts: usize) -> impl Iterator<Item = Danger> {
    let runs = statement.words.first().is_some_and(|word| matches!(word.text.as_str(), ":execute" | ":parse"));
    statement.words.iter().enumerate().filter_map(move |(place, word)| {
        let text = match word.named() {
            // Names of arguments may be shortened.
            Some((name, text)) if CODE_ARGUMENTS.iter().any(|full| shortens(name, full, 2)) => text,
            _ if runs && place == 1 => word.text.strip_prefix("script=").unwrap_or(&word.text),
            _ => return None,
        };
        if texts >= TEXTS_MAX {
            return Some(Danger::new("routeros.too-deep", "too many texts hold one another"));
        }
        if runs && (text.starts_with('$') || !word.inner.is_empty() && !word.quoted) {
            return Some(danger("routeros.hidden-code", statement).advise("Write the command out as it shall run."));
        }
        in_text(&parse(text), texts + 1)
    })
}

fn danger(rule: &'static str, statement: &Statement) -> Danger {
    let what = match rule {
        WIPE => "takes configuration or data away",
        OUTAGE => "stops or restarts the router",
        LOCKOUT => "may lock everybody out",
        CODE => "runs or installs code, or leaves the router",
        _ => "runs what is only known later",
    };
    Danger::new(rule, format!("{} {what}", excerpt(&statement.shown())))
}
