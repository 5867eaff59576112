//! Commands of device families without a grammar here, by their shortest form.

use jackfield_plugin::text;
use jackfield_plugin::words::begin;

use crate::abbreviation::Stopped;
use crate::verdict::{Danger, excerpt};

const WIPE: &str = "other.wipe";
const OUTAGE: &str = "other.outage";
const LOCKOUT: &str = "other.lockout";
const CODE: &str = "other.code";

const fn stop(full: &'static str, least: &'static str, rule: &'static str) -> Stopped {
    Stopped { full, least, rule }
}

/// What means the same wherever it is a command at all. Words that are ordinary somewhere are left to the plugins of
/// their platforms.
const STOPPED: [Stopped; 64] = [
    stop("add system image", "add s", CODE),
    stop("admin factory-reset", "ad fac", WIPE),
    stop("admin reboot", "ad reb", OUTAGE),
    stop("admin reload", "ad rel", OUTAGE),
    stop("admin rollback", "ad rol", WIPE),
    stop("auto-confirm", "auto-", OUTAGE),
    stop("boot-loader", "boot-", CODE),
    stop("checkpoint rollback", "che rol", WIPE),
    stop("clear configure", "cl conf", WIPE),
    stop("config-register", "config-r", OUTAGE),
    stop("configure replace", "conf rep", WIPE),
    stop("crypto key zeroize", "cr k z", LOCKOUT),
    stop("debug all", "deb al", OUTAGE),
    stop("diagnose debug", "diag deb", OUTAGE),
    stop("disable cli prompting", "dis cli pr", OUTAGE),
    stop("erase", "era", WIPE),
    stop("execute disconnect-admin-session", "exe disc", LOCKOUT),
    stop("execute erase-disk", "exe era", WIPE),
    stop("execute factoryreset", "exe fac", WIPE),
    stop("execute formatlogdisk", "exe for", WIPE),
    stop("execute ha failover", "exe ha fai", OUTAGE),
    stop("execute reboot", "exe reb", OUTAGE),
    stop("execute restore", "exe rest", WIPE),
    stop("execute shutdown", "exe shu", OUTAGE),
    stop("factory-configuration", "factory-", WIPE),
    stop("factory-reset", "factory-", WIPE),
    stop("file delete", "fi del", WIPE),
    stop("file format", "fi for", WIPE),
    stop("format", "form", WIPE),
    stop("fw unloadlocal", "fw unl", OUTAGE),
    stop("graceful restart", "gr res", OUTAGE),
    stop("hw-module", "hw-", OUTAGE),
    stop("license smart factory", "lic s fac", OUTAGE),
    stop("lock database override", "lock data", LOCKOUT),
    stop("no failover", "no fail", OUTAGE),
    stop("no feature", "no fea", LOCKOUT),
    stop("no password", "no pass", LOCKOUT),
    stop("no username", "no user", LOCKOUT),
    stop("reboot", "reb", OUTAGE),
    stop("reload", "rel", OUTAGE),
    stop("redundancy force-switchover", "redu fo", OUTAGE),
    stop("request chassis", "req ch", OUTAGE),
    stop("request high-availability", "req hi", OUTAGE),
    stop("request platform software package", "req p s pac", CODE),
    stop("request restart", "req rest", OUTAGE),
    stop("request shutdown", "req sh", OUTAGE),
    stop("request system halt", "req sy h", OUTAGE),
    stop("request system power-off", "req sy po", OUTAGE),
    stop("request system private-data-reset", "req sy pri", WIPE),
    stop("request system reboot", "req sy reb", OUTAGE),
    stop("request system snapshot", "req sy sn", WIPE),
    stop("request system software", "req sy so", CODE),
    stop("request system storage cleanup", "req sy st", WIPE),
    stop("request system zeroize", "req sy z", WIPE),
    stop("request vmhost", "req vmh", OUTAGE),
    stop("reset recycle-bin", "res rec", WIPE),
    stop("reset saved-configuration", "res sa", WIPE),
    stop("restore factory-default", "rest fac", WIPE),
    stop("schedule reboot", "sch reb", OUTAGE),
    stop("tools perform", "too per", OUTAGE),
    stop("unconfigure", "unconf", WIPE),
    stop("undo local-user", "undo loc", LOCKOUT),
    stop("write erase", "wr e", WIPE),
    stop("zeroize", "zeroi", WIPE),
];

/// What begins like a danger and is none: it shows, clears counters, or ends what somebody debugs.
const HARMLESS: [&str; 23] = [
    "diag[nose] deb[ug] dis[able] $",
    "diag[nose] deb[ug] rese[t] $",
    "diag[nose] deb[ug] inf[o] $",
    "diag[nose] deb[ug] crash[log] r[ead] $",
    "diag[nose] deb[ug] config-e[rror-log] r[ead] $",
    "diag[nose] deb[ug] authd fsso list $",
    "diag[nose] deb[ug] authd fsso server-status $",
    "diag[nose] deb[ug] rating $",
    "diag[nose] deb[ug] report $",
    "req[uest] sy[stem] so[ftware] inf[o] $",
    "req[uest] sy[stem] so[ftware] che[ck] $",
    "req[uest] sy[stem] so[ftware] li[st] $",
    "ad[min] rol[lback] v[iew]",
    "ad[min] rol[lback] c[ompare]",
    "ad[min] rol[lback] s[ave]",
    "cl[ear] arp",
    "cl[ear] int[erfaces] stat[istics]",
    "cl[ear] bgp .. so[ft]",
    "cl[ear] ip bgp .. so[ft]",
    "co[py] r[unning-config]",
    "conf[igure] .. no shu[tdown] $",
    "del[ete] int[erfaces] .. desc[ription] $",
    "del[ete] int[erfaces] .. dis[able] $",
];

pub(super) fn is_harmless(line: &str) -> bool {
    HARMLESS.iter().any(|pattern| begin(pattern, line))
}

/// The danger in one line.
pub(super) fn find(line: &str) -> Option<Danger> {
    let all: Vec<&str> = text::words(line);
    let is_prefix = |word: &&&str| word.eq_ignore_ascii_case("do") || word.eq_ignore_ascii_case("run");
    let prefixes = all.iter().take(all.len().saturating_sub(1)).take_while(is_prefix).count();
    let words = all.get(prefixes..).unwrap_or_default();
    let stopped = STOPPED.iter().find(|stopped| stopped.is(words) && !is_harmless(&words.join(" ")));
    let rule = stopped.map(|stopped| stopped.rule).or_else(|| removes_files(words))?;
    let what = match rule {
        WIPE => "erases files or configuration",
        OUTAGE => "stops or restarts the device",
        LOCKOUT => "may lock everybody out",
        _ => "installs code",
    };
    Some(Danger::new(rule, format!("{} {what}", excerpt(line))))
}

/// `delete bootflash:x`: in a configuration the word takes a line away, which is a change like others.
fn removes_files(words: &[&str]) -> Option<&'static str> {
    let (first, rest) = words.split_first()?;
    let file = rest.iter().any(|word| {
        word.starts_with('/')
            || word.split_once(':').is_some_and(|(disk, _)| !disk.is_empty() && disk.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    });
    (crate::abbreviation::shortens(first, "delete", 3) && file).then_some(WIPE)
}
