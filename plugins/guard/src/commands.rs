//! The commands in a line, each by itself: what the operator's rules are matched against.

use jackfield_plugin::Request;
use jackfield_plugin::text::Search;

use crate::family::Grammar;
use crate::posix::Listing;
use crate::{declared, posix, routeros};

/// How many commands are listed. A line with more of them is not told apart.
const LISTED_MAX: usize = 64;
/// How long they may be together, in bytes.
const LISTED_MAX_BYTES: usize = 32 * 1024;

/// Takes a line apart as its grammar does, word by word.
pub(crate) fn of(command: &str, grammar: Grammar, cwd: Option<&str>, request: &Request) -> Listing {
    let commands = match grammar {
        Grammar::Posix => return posix::listing(command, cwd),
        // Its quotes differ, so there may be others.
        Grammar::Csh => return Listing { is_whole: false, ..posix::listing(command, cwd) },
        Grammar::Ios(..) if command.has_any("?\t") => None,
        Grammar::Ios(..) => Some(lines(command, &['\n'], &["do"])),
        Grammar::RouterOs => routeros::commands(command),
        Grammar::Declared => {
            let separators = declared::separators(request);
            let own = declared::prefixes(request);
            let mut listed = lines(command, &separators, &own.iter().map(String::as_str).collect::<Vec<_>>());
            // A rule against it counts behind any prefix, and for what a key leaves; one that allows it must allow the whole line.
            let left = declared::left(command, request);
            for text in [Some(command), left.as_deref()].into_iter().flatten() {
                let others: Vec<_> =
                    lines(text, &separators, &declared::PREFIXES).into_iter().filter(|line| !listed.contains(line)).collect();
                listed.extend(others);
            }
            Some(listed)
        }
        Grammar::Other => Some(lines(command, &['\n', ';'], &[])),
    };
    Listing { is_whole: commands.is_some(), commands: commands.unwrap_or_default(), ..Listing::default() }
}

/// As the contract has them: none where they cannot all be told or there are too many.
pub(crate) fn shown(Listing { commands, is_whole, .. }: &Listing) -> Vec<String> {
    let bytes: usize = commands.iter().flatten().map(|word| word.len() + 1).sum();
    let fit = *is_whole && commands.len() <= LISTED_MAX && bytes <= LISTED_MAX_BYTES;
    if fit { commands.iter().map(|line| line.join(" ")).collect() } else { Vec::new() }
}

/// Lines without remarks, and without the words that only lead to a command of another mode.
fn lines(command: &str, separators: &[char], leading: &[&str]) -> Vec<Vec<String>> {
    let leads = |word: &&&str| leading.iter().any(|known| word.eq_ignore_ascii_case(known));
    let pieces = command.split(separators).map(str::split_whitespace);
    let words = pieces.map(|words| {
        let words: Vec<&str> = words.collect();
        let skipped = words.iter().take(words.len().saturating_sub(1)).take_while(leads).count();
        words.into_iter().skip(skipped).map(str::to_owned).collect::<Vec<_>>()
    });
    words.filter(|words| words.first().is_some_and(|word| !word.starts_with('!'))).collect()
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;

    use super::*;
    use crate::corpus::request;
    use crate::family::Setting;

    fn listed(device_type: &str, mode: &str, command: &str) -> Vec<String> {
        let mut request = request(device_type, mode, command, "run", "safe");
        if device_type == "acme_olt" {
            let fact = |name: &str, value: &str| Fact { name: name.to_owned(), value: value.to_owned() };
            request.facts = vec![fact("words.reads", "sh[ow]\ndo .."), fact("words.separators", ";")];
        }
        shown(&of(command, Grammar::of(&request, Setting::Auto), None, &request))
    }

    #[test]
    fn a_shell_s_commands_are_told_apart() {
        for (command, expected) in [
            ("systemctl  restart 'nginx'", &["systemctl restart nginx"][..]),
            ("sudo -u root systemctl stop x", &["sudo -u root systemctl stop x", "systemctl stop x"]),
            ("linux64 systemctl stop x", &["linux64 systemctl stop x", "systemctl stop x"]),
            ("nice unbuffer toybox stop x", &["nice unbuffer toybox stop x", "stop x"]),
            ("ip netns exec n systemctl stop x", &["ip netns exec n systemctl stop x", "systemctl stop x"]),
            ("chronic --a systemctl stop x", &["chronic --a systemctl stop x", "stop x", "systemctl stop x"]),
            ("env -S 'systemctl stop x'", &["env -S systemctl stop x", "systemctl stop x"]),
            ("flock /tmp/l -c 'systemctl stop x'", &["flock /tmp/l -c systemctl stop x", "systemctl stop x"]),
            ("sudo", &["sudo"]),
            ("cd /srv && ls | wc -l", &["cd /srv", "ls", "wc -l"]),
            ("sh -c 'reboot now; ls'", &["sh -c reboot now; ls", "reboot now", "ls"]),
            ("x=reb; ${x}oot", &["x=reb", "reboot"]),
            ("echo x > /etc/motd 2>&1", &["> /etc/motd", "echo x"]),
            ("LD_PRELOAD=./x.so systemctl status", &["LD_PRELOAD=./x.so", "systemctl status"]),
            ("echo $(id -u)", &["id -u", "echo …"]),
            ("systemctl $1 nginx", &["systemctl … nginx"]),
            ("$x nginx", &[]),
            ("f() { reboot; }; f", &[]),
            ("echo 'a", &[]),
            ("curl x | sh", &[]),
            ("echo 'a\\'; b", &[]),
            ("x=$(b); c", &[]),
        ] {
            assert_eq!(listed("linux", "shell", command), expected, "{command}");
        }
        assert!(listed("linux", "shell", &"ls;".repeat(1000)).is_empty());
        assert!(listed("linux", "tcsh", "ls").is_empty());
    }

    #[test]
    fn lines_of_devices_are_told_apart() {
        for (kind, mode, command, expected) in [
            ("cisco_ios", "config", "! x\ndo  show   run | i x\nint Gi1", &["show run | i x", "int Gi1"][..]),
            ("cisco_ios", "privileged", "rel?oad", &[]),
            ("mikrotik_routeros", "menu", "/ip/address remove 1; :put [/system reboot]", &["ip address remove 1", "system reboot", ":put"]),
            ("mikrotik_routeros", "menu", "/system \"reboot", &[]),
            ("mikrotik_routeros", "menu", "/system re?boot", &["system re?boot", "system reboot"]),
            ("acme_olt", "config", "do show a; run sh -c b", &["show a", "run sh -c b", "sh -c b"]),
            ("acme_olt", "config", "rel?oad", &["rel?oad", "reload"]),
            ("linux", "psql", "select 1; drop table t", &["select 1", "drop table t"]),
        ] {
            assert_eq!(listed(kind, mode, command), expected, "{command}");
        }
    }
}
