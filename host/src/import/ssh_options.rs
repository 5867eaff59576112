//! Options of the program `ssh` as Ansible hands them over: what says something of a device, and what is left behind.

use super::found::{Found, Jump};
use super::intake::key_shown;
use super::report::Notes;
use super::{fits, words};
use crate::limits::IMPORT_NESTING_MAX;

/// Parts of algorithms' names that only old devices need.
const OLD: [&str; 7] = ["sha1", "ssh-rsa", "ssh-dss", "cbc", "3des", "arcfour", "md5"];

/// Options that are the matter of the runtime itself.
const OWN_MATTER: [&str; 9] = [
    "controlmaster",
    "controlpath",
    "controlpersist",
    "connecttimeout",
    "connectionattempts",
    "batchmode",
    "loglevel",
    "compression",
    "tcpkeepalive",
];

/// Says of a device that its host keys are checked.
pub(super) fn unchecked(name: &str, what: &str, notes: &mut Notes) {
    let why = "host keys are checked here: `jackfield hostkey accept NAME` records a new one after you have compared it";
    notes.left(Some(name), what, why);
}

/// Takes the options of a line; `what` is the key that it stands in.
pub(super) fn read(found: &mut Found, what: &str, line: &str, notes: &mut Notes) {
    let name = found.name.clone();
    let Some(words) = words::split(line) else {
        notes.left(Some(&name), what, "it has a quote that is never closed");
        return;
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut letters = word.chars();
        let (Some('-'), Some(flag)) = (letters.next(), letters.next()) else {
            notes.left(Some(&name), what, "it has a word that is no option of ssh");
            continue;
        };
        let glued = letters.as_str();
        let mut argument = || if glued.is_empty() { words.next() } else { Some(glued.to_owned()) };
        match flag {
            'o' => option(found, &argument().unwrap_or_default(), notes),
            'J' => jump(found, &argument().unwrap_or_default(), notes),
            'p' => found.set_port("`-p`", argument(), notes),
            'l' => found.set_user("`-l`", argument(), notes),
            'i' => found.set_key("`-i`", argument(), notes),
            'A' => lent(&name, notes),
            'C' | 'q' | 'v' | 'T' | 't' | '4' | '6' | 'x' | 'a' | 'k' => {}
            'F' => {
                argument();
                notes.left(Some(&name), "`-F`", "`[ssh] config = \"FILE\"` names the file for all devices");
            }
            'L' | 'R' | 'D' | 'W' | 'c' | 'm' | 'S' | 'b' | 'B' | 'e' | 'E' | 'I' | 'Q' | 'w' => {
                argument();
                notes.left(Some(&name), &format!("`-{flag}`"), "there is nothing like it here");
            }
            _ => notes.left(Some(&name), what, "it has an option that is not known here"),
        }
    }
}

/// `Name=value` or `Name value`.
fn option(found: &mut Found, text: &str, notes: &mut Notes) {
    let name = found.name.clone();
    let (key, value) = text.split_once(['=', ' ']).unwrap_or((text, ""));
    let value = words::value(value);
    match key.to_ascii_lowercase().as_str() {
        "proxyjump" => jump(found, &value, notes),
        "proxycommand" => command(found, &value, notes),
        "port" => found.set_port("`Port`", Some(value), notes),
        "user" => found.set_user("`User`", Some(value), notes),
        "identityfile" => found.set_key("`IdentityFile`", Some(value), notes),
        "identityagent" if value == "none" => found.agent = Some(false),
        "stricthostkeychecking" if value == "yes" => {}
        "stricthostkeychecking" => unchecked(&name, "`StrictHostKeyChecking`", notes),
        "userknownhostsfile" if value == "/dev/null" => unchecked(&name, "`UserKnownHostsFile=/dev/null`", notes),
        "userknownhostsfile" if fits::wrong_path(&value).is_none() && !value.contains(' ') => found.known_hosts = Some(value),
        "forwardagent" if value == "yes" => lent(&name, notes),
        "forwardagent" => {}
        "serveraliveinterval" => found.keepalive = value.parse::<u64>().ok().and_then(|seconds| fits::delay(seconds.saturating_mul(1000))),
        "serveralivecountmax" => {}
        "kexalgorithms" | "hostkeyalgorithms" | "ciphers" | "macs" | "pubkeyacceptedalgorithms" | "pubkeyacceptedkeytypes" => {
            algorithms(found, key, &value, notes);
        }
        own if OWN_MATTER.contains(&own) => {
            notes.left(Some(&name), &key_shown(key), "sessions share connections and have waits of their own")
        }
        _ => notes.left(Some(&name), &key_shown(key), "there is nothing like it here"),
    }
}

fn algorithms(found: &mut Found, key: &str, value: &str, notes: &mut Notes) {
    let name = found.name.clone();
    let added = value.strip_prefix(['-', '^']).map_or(value, |_| "");
    if OLD.iter().any(|old| added.contains(old)) {
        found.legacy = true;
        notes.changed(Some(&name), &key_shown(key), "it allows old algorithms: `algorithms = \"legacy\"` does so here");
    } else {
        notes.left(Some(&name), &key_shown(key), "there are two sets here, `algorithms = \"default\"` and \"legacy\"");
    }
}

fn lent(name: &str, notes: &mut Notes) {
    notes.left(Some(name), "the forwarded agent", "your agent signs here too, but is not lent: `forward_agent = true` would do that");
}

/// Hops with commas between them.
fn jump(found: &mut Found, text: &str, notes: &mut Notes) {
    if text == "none" {
        return;
    }
    let hops: Option<Vec<Jump>> = text.split(',').take(IMPORT_NESTING_MAX).map(|hop| Jump::parse(hop.trim())).collect();
    match hops {
        Some(hops) if !hops.is_empty() => found.jumps = hops,
        _ => notes.left(Some(&found.name), "`ProxyJump`", "it names something that is no host; write `via` for it"),
    }
}

/// `ssh -W %h:%p HOP` is a jump; another program without a shell's signs is a proxy.
fn command(found: &mut Found, text: &str, notes: &mut Notes) {
    if text == "none" {
        return;
    }
    let name = found.name.clone();
    let Some(words) = words::split(text) else {
        notes.left(Some(&name), "`ProxyCommand`", "it has a quote that is never closed");
        return;
    };
    let program = words.first().map(|program| program.rsplit('/').next().unwrap_or(program));
    if program == Some("ssh") {
        match hop(&words, &name, notes) {
            Some(hop) => found.jumps = vec![hop],
            None => notes.left(Some(&name), "`ProxyCommand`", "it is not `ssh -W %h:%p HOST`; write `via` for it"),
        }
        return;
    }
    let wants_shell = text.contains(['|', ';', '&', '<', '>', '$', '`', '*', '(']);
    match program {
        // The words may hold a password, as those of some proxies do.
        Some(_) if !wants_shell && !words.iter().any(|word| holds_account(word)) => found.proxy = words,
        _ => notes.left(Some(&name), "`ProxyCommand`", "it needs a shell or holds an account; write `proxy` for it as a list of words"),
    }
}

/// May this word of a proxy, or the one behind it, be a password?
fn holds_account(word: &str) -> bool {
    word.contains("pass") || word.contains('@') || word.contains("auth") || word == "-pw"
}

/// The host of `ssh [options] -W %h:%p [options] HOST`.
fn hop(words: &[String], name: &str, notes: &mut Notes) -> Option<Jump> {
    let mut words = words.iter().skip(1);
    let (mut place, mut forwards) = (None, false);
    let (mut user, mut port, mut key) = (None, None, None);
    while let Some(word) = words.next() {
        let mut letters = word.chars();
        let (Some('-'), Some(flag)) = (letters.next(), letters.next()) else {
            place.get_or_insert(word.as_str());
            continue;
        };
        let glued = letters.as_str();
        let mut argument = || if glued.is_empty() { words.next().cloned() } else { Some(glued.to_owned()) };
        match flag {
            'W' => forwards = argument()?.contains("%h"),
            'p' => port = Some(argument()?.parse::<u16>().ok().filter(|port| *port != 0)?),
            'l' => user = Some(argument()?).filter(|user| fits::is_user(user)),
            'i' => key = Some(argument()?).filter(|key| fits::wrong_path(key).is_none()),
            'o' => {
                let option = argument()?.to_ascii_lowercase();
                if option.starts_with("stricthostkeychecking") || option.starts_with("userknownhostsfile") {
                    unchecked(name, "`StrictHostKeyChecking` of its jump host", notes);
                }
            }
            'q' | 'A' | 'a' | 'x' | 'C' | 'T' | 'v' | '4' | '6' => {}
            _ => return None,
        }
    }
    let mut hop = Jump::parse(place?).filter(|_| forwards)?;
    hop.user = hop.user.or(user);
    hop.port = hop.port.or(port);
    hop.key = key;
    Some(hop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> (Found, Vec<super::super::report::Note>) {
        let (mut found, mut notes) = (Found::named("d"), Notes::default());
        read(&mut found, "`args`", line, &mut notes);
        (found, notes.finish(str::to_owned))
    }

    #[test]
    fn jumps_are_read_in_each_form() {
        let hop = Jump { host: "bastion".to_owned(), user: Some("ops".to_owned()), port: Some(2222), key: None };
        for line in [
            "-J ops@bastion:2222",
            "-Jops@bastion:2222",
            "-o ProxyJump=ops@bastion:2222",
            "-oProxyJump=ops@bastion:2222",
            "-o ProxyCommand=\"ssh -W %h:%p -q -p 2222 ops@bastion\"",
            "-o 'ProxyCommand ssh -p2222 -l ops bastion -W %h:%p'",
        ] {
            assert_eq!(found(line).0.jumps, std::slice::from_ref(&hop), "{line}");
        }
        assert_eq!(found("-J a,b").0.jumps.len(), 2);
    }

    #[test]
    fn host_keys_are_never_left_unchecked() {
        for line in ["-o StrictHostKeyChecking=no", "-oStrictHostKeyChecking=accept-new -o UserKnownHostsFile=/dev/null"] {
            let (found, notes) = found(line);
            assert_eq!(found.known_hosts, None);
            assert!(notes.iter().all(|note| note.why.contains("host keys are checked")), "{notes:?}");
            assert!(!notes.is_empty());
        }
    }

    #[test]
    fn a_proxy_is_a_list_of_words_and_never_holds_an_account() {
        assert_eq!(found("-o ProxyCommand='nc -X 5 -x p:1080 %h %p'").0.proxy, ["nc", "-X", "5", "-x", "p:1080", "%h", "%p"]);
        for line in [
            "-o ProxyCommand='nc %h %p | tee x'",
            "-o ProxyCommand='corkscrew u:pass@p 1 %h %p'",
            "-o ProxyCommand='plink -pw x9 b -nc %h:%p'",
            "-o ProxyCommand='ssh b nc %h %p'",
        ] {
            let (found, notes) = found(line);
            assert!(found.proxy.is_empty() && found.jumps.is_empty() && notes.len() == 1, "{line}");
        }
    }

    #[test]
    fn old_algorithms_are_the_legacy_set() {
        assert!(found("-o KexAlgorithms=+diffie-hellman-group14-sha1").0.legacy);
        assert!(found("-oHostKeyAlgorithms=+ssh-rsa -oCiphers=+aes128-cbc").0.legacy);
        assert!(!found("-o Ciphers=aes256-gcm@openssh.com").0.legacy);
        assert!(!found("-o KexAlgorithms=-diffie-hellman-group14-sha1").0.legacy);
    }
}
