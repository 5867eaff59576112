//! What destroys, restarts or locks out on IOS and its relatives.

use jackfield_plugin::text::{self, Search, split_once};
use std::iter;

use crate::abbreviation::{Stopped, shortens};
use crate::family::{Dialect, Place};
use crate::posix;
use crate::verdict::{Danger, excerpt, first, heaviest};

const fn stop(full: &'static str, least: &'static str, rule: &'static str) -> Stopped {
    Stopped { full, least, rule }
}

const WIPE: &str = "ios.wipe";
const OUTAGE: &str = "ios.outage";
const LOCKOUT: &str = "ios.lockout";
const CODE: &str = "ios.code";
const PERSIST: &str = "ios.persist";
/// One file or one part of the configuration.
const REMOVE: &str = "ios.remove";

/// On all of them. Which interface carries the session nobody here knows, so each may.
const ALL: [Stopped; 58] = [
    stop("reload", "rel", OUTAGE),
    stop("write erase", "wr e", WIPE),
    stop("erase", "er", WIPE),
    stop("format", "fo", WIPE),
    stop("delete", "del", REMOVE),
    stop("rmdir", "rm", REMOVE),
    stop("squeeze", "squ", WIPE),
    stop("partition", "part", WIPE),
    stop("factory-reset", "fa", WIPE),
    stop("configure replace", "conf rep", WIPE),
    stop("crypto key zeroize", "cr k z", LOCKOUT),
    stop("no username", "no user", LOCKOUT),
    stop("no aaa new-model", "no aaa n", LOCKOUT),
    stop("no ip ssh", "no ip ss", LOCKOUT),
    stop("no router", "no ro", REMOVE),
    stop("debug all", "deb al", OUTAGE),
    stop("redundancy force-switchover", "red f", OUTAGE),
    stop("config-register", "config-r", OUTAGE),
    stop("hw-module", "hw", OUTAGE),
    stop("transport input none", "tra i n", LOCKOUT),
    stop("transport input telnet", "tra i te", LOCKOUT),
    stop("no transport input", "no tra i", LOCKOUT),
    stop("no ip routing", "no ip routi", LOCKOUT),
    stop("no ip default-gateway", "no ip default-g", LOCKOUT),
    stop("no aaa authentication login default", "no aaa authe l d", LOCKOUT),
    stop("clear line", "cle lin", LOCKOUT),
    stop("shutdown", "shu", LOCKOUT),
    stop("no interface", "no int", LOCKOUT),
    stop("default interface", "def int", LOCKOUT),
    stop("no ip address", "no ip ad", LOCKOUT),
    stop("configure revert", "conf rev", WIPE),
    stop("no vlan", "no vl", LOCKOUT),
    stop("no vrf", "no vrf", LOCKOUT),
    stop("no ip vrf", "no ip vrf", LOCKOUT),
    stop("ip access-group", "ip access-g", LOCKOUT),
    stop("access-class", "access-c", LOCKOUT),
    stop("no line", "no lin", LOCKOUT),
    stop("aaa new-model", "aaa n", LOCKOUT),
    stop("aaa authentication login default", "aaa authe l d", LOCKOUT),
    stop("no ipv6 address", "no ipv6 ad", LOCKOUT),
    stop("ipv6 traffic-filter", "ipv6 traf", LOCKOUT),
    stop("ipv6 access-group", "ipv6 access-g", LOCKOUT),
    // The interface loses its addresses.
    stop("vrf forwarding", "vrf forw", LOCKOUT),
    stop("ip vrf forwarding", "ip vrf forw", LOCKOUT),
    stop("switchport trunk allowed vlan none", "sw tr a v n", LOCKOUT),
    stop("switchport trunk allowed vlan remove", "sw tr a v r", LOCKOUT),
    // An access list that is gone lets everything through, and a line of a numbered one takes all of it away.
    stop("no ip access-list", "no ip access-l", REMOVE),
    stop("no ipv6 access-list", "no ipv6 access-l", REMOVE),
    stop("no access-list", "no access-l", REMOVE),
    stop("no spanning-tree vlan", "no span v", OUTAGE),
    stop("clear tcp", "cle tcp", LOCKOUT),
    stop("boot system", "boo sy", CODE),
    stop("no boot system", "no boo sy", CODE),
    stop("no service password-recovery", "no serv password-r", LOCKOUT),
    stop("no crypto map", "no cr ma", OUTAGE),
    stop("bgp shutdown", "bgp sh", OUTAGE),
    stop("no ip forwarding", "no ip forw", OUTAGE),
    stop("no ipv6 forwarding", "no ipv6 forw", OUTAGE),
];

const CISCO: [Stopped; 19] = [
    stop("install", "ins", CODE),
    stop("request platform software package", "req p s pac", CODE),
    stop("license smart factory", "lic s f", OUTAGE),
    stop("archive download-sw", "ar d", CODE),
    stop("upgrade", "up", CODE),
    stop("test crash", "tes cra", OUTAGE),
    stop("redundancy reload", "red rel", OUTAGE),
    stop("redundancy switch-activity", "red sw", OUTAGE),
    stop("clear crypto sa", "cle cr sa", OUTAGE),
    stop("clear crypto session", "cle cr ses", OUTAGE),
    stop("clear crypto isakmp", "cle cr is", OUTAGE),
    stop("clear crypto ikev2", "cle cr ik", OUTAGE),
    stop("clear ip eigrp neighbors", "cle ip ei", OUTAGE),
    stop("software install", "soft ins", CODE),
    stop("guestshell destroy", "guests des", CODE),
    stop("tclsh", "tcl", CODE),
    stop("guestshell run", "guests ru", CODE),
    stop("request platform software system shell", "req p s sy sh", CODE),
    stop("diagnostic start", "diagn sta", OUTAGE),
];

const EOS: [Stopped; 13] = [
    stop("no management ssh", "no man ssh", LOCKOUT),
    stop("rollback clean-config", "rol", WIPE),
    stop("zerotouch", "zer", WIPE),
    stop("bash", "bas", CODE),
    stop("clear session", "cle ses", LOCKOUT),
    stop("reset system storage", "res sys st", WIPE),
    stop("configure checkpoint restore", "conf ch r", WIPE),
    stop("agent", "agent", OUTAGE),
    stop("extension", "exten", CODE),
    stop("daemon", "dae", CODE),
    stop("action bash", "act bas", CODE),
    stop("no mlag", "no ml", OUTAGE),
    stop("spanning-tree mode none", "span m no", OUTAGE),
];

const FRR: [Stopped; 3] = [stop("clear", "cle", OUTAGE), stop("no service", "no serv", PERSIST), stop("start-shell", "start", CODE)];

/// The first danger in a command. A key that acts at once vanishes from the line, so the words around it are read
/// as one.
pub(super) fn find(command: &str, dialect: Dialect, place: Place) -> Option<Danger> {
    let configures = place == Place::Config || command.lines().any(leads_to_an_interface);
    let of_line = |line: &str| if configures { shuts_down(line) } else { None }.or_else(|| line_danger(line, dialect));
    let of_lines = |text: &str| heaviest(text.lines().filter_map(of_line));
    let Some(key) = command.chars().find(|c| matches!(c, '?' | '\t')) else { return of_lines(command) };
    let joined = || of_lines(&command.replaced("?", "").replaced("\t", ""));
    let found = first(of_lines(command).into_iter().chain(iter::once_with(joined).flatten()));
    let name = if key == '?' { "`?`" } else { "the tab" };
    let live = || Danger::new("ios.live-key", format!("{name} acts at once here, before Enter")).advise("Leave it out.");
    Some(found.unwrap_or_else(live))
}

fn line_danger(line: &str, dialect: Dialect) -> Option<Danger> {
    let all: Vec<&str> = text::words(line);
    let prefixes = all.iter().take(all.len().saturating_sub(1)).take_while(|word| shortens(word, "do", 2)).count();
    let words = all.get(prefixes..).unwrap_or_default();
    let found = command_danger(words, dialect);
    // `default x` is `no x` where nothing is configured at first.
    let taken_back = || match words {
        [first, rest @ ..] if shortens(first, "default", 3) => {
            let none: Vec<&str> = iter::once("no").chain(rest.iter().copied()).collect();
            command_danger(&none, dialect).filter(|_| !rest.is_empty()).map(|found| danger(found.rule, words, what(found.rule)))
        }
        _ => None,
    };
    first(found.into_iter().chain(iter::once_with(taken_back).flatten()))
}

fn command_danger(words: &[&str], dialect: Dialect) -> Option<Danger> {
    if let Some(danger) = deletes_all(words) {
        return Some(danger);
    }
    let tables: &[&[Stopped]] = match dialect {
        Dialect::Cisco => &[&ALL, &CISCO],
        Dialect::Eos => &[&ALL, &EOS],
        Dialect::Frr => &[&ALL, &FRR],
        Dialect::Any => &[&ALL, &CISCO, &EOS, &FRR],
    };
    let stopped = tables.iter().flat_map(|table| table.iter()).find(|stopped| stopped.is(words) && !is_harmless(stopped, words));
    if let Some(stopped) = stopped {
        let found = danger(stopped.rule, words, what(stopped.rule));
        let run = match stopped.full {
            "bash" => words.get(1..),
            "guestshell run" => words.get(2..),
            _ => None,
        };
        let inner = run.and_then(|words| posix::foreign_danger(&words.join(" ")));
        return first([found].into_iter().chain(inner));
    }
    copies_over(words).or_else(|| clears_all(words)).or_else(|| drops_default_route(words)).or_else(|| defines(words, dialect))
}

/// `no ip route vrf MGMT 0.0.0.0 0.0.0.0 ..`
fn drops_default_route(words: &[&str]) -> Option<Danger> {
    let [no, ip, route, rest @ ..] = words else { return None };
    let is = shortens(no, "no", 2) && (shortens(ip, "ip", 2) || shortens(ip, "ipv6", 3)) && shortens(route, "route", 2);
    let all = |row: &[&str]| matches!(row, ["0.0.0.0", "0.0.0.0"]);
    let one = rest.iter().any(|word| matches!(*word, "0.0.0.0/0" | "0/0" | "::/0"));
    (is && (one || rest.windows(2).any(all))).then(|| danger(LOCKOUT, words, what(LOCKOUT)))
}

fn leads_to_an_interface(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| shortens(word, "interface", 3))
}

/// `sh` alone is short for `shutdown` where an interface is configured, and for `show` elsewhere.
fn shuts_down(line: &str) -> Option<Danger> {
    let word = text::trim(line);
    word.eq_ignore_ascii_case("sh").then(|| danger(LOCKOUT, &[word], what(LOCKOUT)))
}

/// `delete /force` asks nothing, `delete /recursive` takes all of a folder.
fn deletes_all(words: &[&str]) -> Option<Danger> {
    let (delete, rest) = words.split_first()?;
    let option = |word: &&str| word.strip_prefix('/').is_some_and(|name| shortens(name, "force", 1) || shortens(name, "recursive", 1));
    (shortens(delete, "delete", 3) && rest.iter().any(option)).then(|| danger(WIPE, words, what(WIPE)))
}

/// What the tables stop and need not.
fn is_harmless(stopped: &Stopped, words: &[&str]) -> bool {
    let last = words.last().copied().unwrap_or_default();
    match stopped.full {
        "clear" => words.get(1).is_none() || words.iter().skip(1).any(|word| shortens(word, "counters", 4)),
        "clear tcp" => words.get(2).is_some_and(|word| shortens(word, "statistics", 2)),
        "reload" => shortens(last, "cancel", 4),
        _ => false,
    }
}

/// Copying over the configuration that the device starts with or runs. Saving the running one is a change like others.
fn copies_over(words: &[&str]) -> Option<Danger> {
    let (copy, rest) = words.split_first()?;
    if !shortens(copy, "copy", 3) {
        return None;
    }
    let operands: Vec<&str> = rest.iter().copied().filter(|word| !word.starts_with('/')).collect();
    let (source, target) = (operands.first()?, operands.get(1)?);
    let is = |word: &str, full: &str, least: usize| shortens(word, full, least) || word.to_ascii_lowercase().ends_with(full);
    let running = |word: &str| is(word, "running-config", 3);
    let startup = |word: &str| is(word, "startup-config", 4) || word.to_ascii_lowercase().starts_with("nvram:");
    (startup(target) && !running(source) || running(target))
        .then(|| danger(PERSIST, words, "replaces or merges a configuration from elsewhere"))
}

/// Every session of a routing protocol at once, or every route.
fn clears_all(words: &[&str]) -> Option<Danger> {
    let has = |full: &str, least: usize| words.iter().any(|word| shortens(word, full, least));
    let all = words.contains(&"*");
    let bgp = (all || has("all", 3)) && has("bgp", 2) && !has("soft", 2);
    let sessions = bgp || has("ospf", 4) && has("process", 4) || all && has("ldp", 3);
    let routes = all && (has("route", 2) || has("isis", 4));
    (words.first().is_some_and(|word| shortens(word, "clear", 3)) && (sessions || routes))
        .then(|| danger(OUTAGE, words, "drops every session of a routing protocol, or every route"))
}

/// `alias exec x reload`, on EOS `alias x reload`, `action 1 cli command "reload"`: a command that will run later.
fn defines(words: &[&str], dialect: Dialect) -> Option<Danger> {
    let first = words.first()?;
    let later = if shortens(first, "alias", 2) {
        let named = if dialect == Dialect::Eos { 2 } else { 3 };
        words.get(named..)?.join(" ")
    } else if shortens(first, "schedule", 3) {
        split_once(&words.join(" "), " command ")?.1.to_owned()
    } else if shortens(first, "action", 3) && words.contains(&"cli") {
        split_once(&words.join(" "), "command ")?.1.trim_matches(['"', ' ']).to_owned()
    } else {
        return None;
    };
    // An alias of an alias is no command yet, so this goes one level deep.
    let next = later.split_whitespace().next()?;
    if shortens(next, "alias", 2) || shortens(next, "schedule", 3) { None } else { line_danger(&later, dialect) }
}

fn danger(rule: &'static str, words: &[&str], what: &str) -> Danger {
    let shown: Vec<&str> = words.iter().copied().take(6).collect();
    Danger::new(rule, format!("{} {what}", excerpt(&shown.join(" "))))
}

fn what(rule: &str) -> &'static str {
    match rule {
        WIPE => "erases files or configuration",
        OUTAGE => "stops or restarts what carries traffic",
        LOCKOUT => "may lock everybody out",
        CODE => "runs or installs code",
        REMOVE => "removes what may be needed",
        _ => "changes how the configuration is kept",
    }
}
