//! Programs that start another one with their last arguments, as `sudo` does.

use crate::verdict::listed;
use jackfield_plugin::text::Search;

use super::base_name;

/// How many programs may start one another.
const CHAIN_MAX: usize = 32;

/// A command line without the programs that only start it.
#[derive(Debug)]
pub(super) struct Started<'a> {
    pub(super) line: &'a [String],
    /// Lines that it may be instead, where an option may or may not take the next word.
    pub(super) also: Vec<&'a [String]>,
}

/// Long options that take no value; another one may take the next word.
const FLAGS: &str = "--background --foreground --fork --ignore-environment --login --mount --net --no-block --non-interactive --pid --pipe \
    --preserve-env --preserve-status --pty --scope --set-home --shell --stdin";

/// Each with the letters of options that take a value, and the number of operands before the command.
const STARTERS: [(&str, &str, usize); 71] = [
    ("!", "", 0),
    ("and", "", 0),
    ("begin", "", 0),
    ("builtin", "", 0),
    ("busybox", "", 0),
    ("caffeinate", "tw", 0),
    ("catchsegv", "", 0),
    ("ccache", "", 0),
    ("cgexec", "g", 0),
    ("chronic", "", 0),
    ("chroot", "", 1),
    ("chrt", "TPD", 1),
    ("command", "", 0),
    ("coproc", "", 0),
    ("dbus-run-session", "", 0),
    ("do", "", 0),
    ("doas", "uC", 0),
    ("eatmydata", "", 0),
    ("else", "", 0),
    ("env", "uC", 0),
    ("exec", "a", 0),
    ("fakeroot", "lsib", 0),
    ("faketime", "f", 1),
    ("firejail", "", 0),
    ("flock", "wE", 1),
    ("gosu", "", 1),
    ("if", "", 0),
    ("ionice", "cnpPu", 0),
    ("linux32", "", 0),
    ("linux64", "", 0),
    ("ltrace", "aeloSpunx", 0),
    ("lvm", "", 0),
    ("nice", "n", 0),
    ("nocorrect", "", 0),
    ("noglob", "", 0),
    ("nohup", "", 0),
    ("not", "", 0),
    ("nsenter", "tSG", 0),
    ("numactl", "CNmipP", 0),
    ("or", "", 0),
    ("pkexec", "u", 0),
    ("prlimit", "p", 0),
    ("proxychains", "f", 0),
    ("proxychains4", "f", 0),
    ("run0", "uD", 0),
    ("runcon", "turl", 1),
    ("setarch", "", 1),
    ("setpriv", "", 0),
    ("setsid", "", 0),
    ("sshpass", "pfdeP", 0),
    ("stdbuf", "ioe", 0),
    ("strace", "abeEIoOpPsSuX", 0),
    ("su-exec", "", 1),
    ("sudo", "ughpCTrtRDUac", 0),
    ("systemd-cat", "tp", 0),
    ("systemd-inhibit", "", 0),
    ("systemd-run", "pHMuE", 0),
    ("taskset", "", 1),
    ("then", "", 0),
    ("time", "fo", 0),
    ("timeout", "ks", 1),
    ("torify", "", 0),
    ("torsocks", "aPp", 0),
    ("toybox", "", 0),
    ("unbuffer", "", 0),
    ("unshare", "SGRw", 0),
    ("until", "", 0),
    ("valgrind", "", 0),
    ("while", "", 0),
    ("xvfb-run", "enfps", 0),
    ("{", "", 0),
];

/// Takes the starting programs away. Nothing may be left.
pub(super) fn peel(line: &[String]) -> Started<'_> {
    let mut started = Started { line, also: Vec::new() };
    for _ in 0..CHAIN_MAX {
        started.line = skip_assignments(started.line);
        let Some(program) = started.line.first().map(|program| base_name(program)) else { break };
        if let Some(inner) = if program == "ip" { namespace(started.line) } else { None } {
            started.line = inner;
            continue;
        }
        let starter = STARTERS.binary_search_by(|(name, ..)| (*name).cmp(program)).ok().and_then(|place| STARTERS.get(place));
        let Some((_, values, operands)) = starter else { break };
        let command = |inner| skip_assignments(inner).get(*operands..).unwrap_or_default();
        let mut readings = behind_options(started.line, values).into_iter().map(command);
        started.line = readings.next().unwrap_or_default();
        started.also.extend(readings);
    }
    started
}

fn skip_assignments(line: &[String]) -> &[String] {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let count = line.iter().take_while(|word| word.split_once('=').is_some_and(|(name, _)| is_name(name))).count();
    line.get(count..).unwrap_or_default()
}

/// What stands behind the options, read in each way: a long one may or may not take the next word, and others may stand behind that.
fn behind_options<'a>(line: &'a [String], values: &str) -> Vec<&'a [String]> {
    let mut readings = Vec::new();
    let mut rest = line.get(1..).unwrap_or_default();
    while let Some((option, behind)) = rest.split_first() {
        if option == "--" {
            rest = behind;
            break;
        }
        let Some(letters) = option.strip_prefix('-').filter(|letters| !letters.is_empty()) else { break };
        rest = behind;
        let long = letters.starts_with('-');
        if !long && letters.chars().last().is_some_and(|last| values.has(last)) {
            rest = behind.get(1..).unwrap_or_default();
        } else if long && !letters.has('=') && !listed(FLAGS, option) && behind.first().is_some_and(|next| !next.starts_with('-')) {
            readings.push(behind);
            rest = behind.get(1..).unwrap_or_default();
        }
    }
    readings.push(rest);
    readings
}

/// `ip netns exec NAME command`, `ip vrf exec NAME command`.
fn namespace(line: &[String]) -> Option<&[String]> {
    let place = line.iter().position(|word| word == "exec")?;
    let object = line.get(place.checked_sub(1)?)?;
    if matches!(object.as_str(), "netns" | "net" | "vrf") { line.get(place + 2..) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peeled(line: &str) -> (String, Vec<String>) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let started = peel(&words);
        (started.line.join(" "), started.also.iter().map(|line| line.join(" ")).collect())
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(STARTERS.is_sorted_by(|a, b| a.0 < b.0), "{:?}", STARTERS.windows(2).find(|pair| pair[0].0 >= pair[1].0));
    }

    #[test]
    fn what_only_starts_a_command_is_taken_away() {
        for (line, expected) in [
            ("sudo -u root rm x", "rm x"),
            ("sudo -nu root -- rm x", "rm x"),
            ("/usr/bin/env A=b C=d rm x", "rm x"),
            ("A=b rm x", "rm x"),
            ("timeout -k 5 10 nice -n 5 nohup rm x", "rm x"),
            ("flock /tmp/l rm x", "rm x"),
            ("ip netns exec blue rm x", "rm x"),
            ("chroot /mnt rm x", "rm x"),
            ("rm x", "rm x"),
            ("sudo", ""),
        ] {
            assert_eq!(peeled(line).0, expected, "{line}");
        }
    }

    #[test]
    fn an_option_that_is_not_known_is_read_both_ways() {
        assert_eq!(peeled("sudo --user root rm x"), ("root rm x".to_owned(), vec!["rm x".to_owned()]));
        assert_eq!(peeled("sudo -n --stdin rm x"), ("rm x".to_owned(), vec![]));
        assert_eq!(peeled("sudo --user root -E --group a rm x").1, ["a rm x", "rm x"]);
        assert_eq!(peeled("chroot --userspec a:b /mnt rm x").1, ["rm x"]);
    }
}
