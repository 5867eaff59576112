//! Files that hold secrets: whoever shows or copies one gives it away, also where nothing is changed.

use crate::verdict::listed;
use jackfield_plugin::text::Search;

use super::base_name;
use super::paths::{From, fits, locate};
use super::start;

/// Such files, by the end of their path. The first name must stand there as it is, unless it is the whole path.
const FILES: [&str; 30] = [
    "etc/shadow",
    "etc/shadow-",
    "etc/gshadow",
    "etc/gshadow-",
    "etc/master.passwd",
    "etc/spwd.db",
    "etc/krb5.keytab",
    "etc/security/opasswd",
    "etc/ssh/ssh_host_rsa_key",
    "etc/ssh/ssh_host_ecdsa_key",
    "etc/ssh/ssh_host_ed25519_key",
    "etc/ssh/ssh_host_dsa_key",
    "etc/kubernetes/admin.conf",
    ".ssh/id_rsa",
    ".ssh/id_ecdsa",
    ".ssh/id_ed25519",
    ".ssh/id_dsa",
    ".ssh/identity",
    ".aws/credentials",
    ".kube/config",
    ".docker/config.json",
    ".config/gh/hosts.yml",
    "proc/1/environ",
    "proc/1/mem",
    "proc/self/environ",
    "proc/self/mem",
    "proc/kcore",
    "dev/mem",
    "dev/kmem",
    "run/secrets/x",
];
/// The same in the account's own folder, wherever that is.
const OWN: &str = ".pgpass .netrc .my.cnf .git-credentials .vault-token .pypirc";
/// Further ones by patterns.
const FAMILIES: [&str; 11] = [
    ".ssh/id_*",
    ".ssh/*.pem",
    ".gnupg/private-keys-v1.d/*",
    "etc/ssh/ssh_host_*_key",
    "etc/ssl/private/*",
    "tls/private/*",
    "letsencrypt/live/*/privkey.pem",
    "letsencrypt/archive/*/privkey*.pem",
    "proc/*/environ",
    "proc/*/mem",
    "run/secrets/*",
];

/// Programs that tell of a file what is not in it, its name for one, or change it without showing it.
const HARMLESS: &str = "ls stat test [ [[ file find readlink realpath basename dirname du wc cksum md5sum sha1sum sha224sum sha256sum sha384sum \
    sha512sum b2sum sum getfacl lsattr namei which type command cd pushd tree exa eza ssh ssh-add ssh-keygen ssh-copy-id autossh mosh sshfs \
    rm unlink shred chmod chown chgrp chattr setfacl chcon restorecon mv touch mkdir rmdir ln visudo export set unset declare local echo printf";
/// Programs that show what is in a file: where every file of a folder is a secret, any word of theirs may be one.
const READERS: &str = "cat tac nl head tail less more most view vi vim nano grep egrep fgrep rg zcat zgrep cut sort uniq diff cmp sed awk gawk mawk \
    cp scp rsync sftp tar zip gzip base64 base32 xxd od hexdump strings openssl gpg curl wget nc ncat dd tee";
/// Commands that print keys and secrets: a program, and words that must all stand behind it, with `|` between choices.
const PRINTS: [(&str, &[&str]); 5] = [
    ("wg", &["show", "private-key|preshared-keys|dump"]),
    ("wg", &["showconf"]),
    ("kubectl", &["view", "--raw|--flatten"]),
    ("oc", &["view", "--raw|--flatten"]),
    ("podman", &["inspect", "--showsecret"]),
];
/// Lists of `getent` without secrets. What stands behind one of these is looked for there.
const OPEN_LISTS: &str = "passwd group hosts ahosts ahostsv4 ahostsv6 services networks protocols aliases ethers initgroups netgroup rpc";
/// What has `find` start a program with what it finds.
const STARTS: &str = "-exec -execdir -ok -okdir";

/// How a part of such a path begins.
const BEGINNINGS: [&[u8]; 30] = [
    b"shadow",
    b"gshadow",
    b"master.pa",
    b"spwd",
    b"krb5.keytab",
    b"opasswd",
    b"ssh_host",
    b"admin.conf",
    b".ssh",
    b".aws",
    b".kube",
    b".docker",
    b"hosts.yml",
    b".gnupg",
    b"id_",
    b"environ",
    b"mem",
    b"kcore",
    b"kmem",
    b"secret",
    b"private",
    b"preshared",
    b"privkey",
    b"identity",
    b".my.cnf",
    b".pgpass",
    b".netrc",
    b".git-cred",
    b".vault-tok",
    b".pypirc",
];
/// The first signs of all these.
const FIRST: &[u8] = b".aeghikmops";

/// The signs of a file name pattern.
const PATTERN: [char; 3] = ['*', '?', '['];

/// May a text name such a file, where a shell replaces nothing in it?
pub(super) fn may_be_named(text: &str, cwd: Option<&str>) -> bool {
    let is_quote = |c: char| matches!(c, '\'' | '"' | '\\' | '\n');
    let may_be = |text: &str| begins_somewhere(text) || holds_kind(text);
    may_be(text) || cwd.is_some_and(begins_somewhere) || text.contains(is_quote) && may_be(&text.replace(is_quote, ""))
}

/// A cluster's kinds of objects may be written in any case.
fn holds_kind(text: &str) -> bool {
    text.as_bytes().windows(6).any(|part| part.eq_ignore_ascii_case(b"secret"))
}

/// Does any part of a path in it begin so?
fn begins_somewhere(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at_start = true;
    for (place, byte) in bytes.iter().enumerate() {
        if at_start && FIRST.contains(byte) {
            let rest = bytes.get(place..).unwrap_or_default();
            if BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning)) {
                return true;
            }
        }
        at_start = !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_' | b'-');
    }
    false
}

/// What a command does with files of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Their content goes somewhere.
    Shown,
    /// Their name is printed, which another program may take for a file.
    Named,
}

/// Does it print what such a file holds, or secrets of its own?
fn prints(line: &[String]) -> bool {
    let Some((program, words)) = line.split_first() else { return false };
    let program = base_name(program);
    // `--raw=true` is `--raw`.
    let has = |choices: &str| words.iter().any(|word| choices.split('|').any(|choice| word.split('=').next() == Some(choice)));
    PRINTS.iter().any(|(name, wanted)| *name == program && wanted.iter().all(|choices| has(choices)))
        || program == "getent" && prints_of_lists(words)
        || matches!(program, "kubectl" | "oc") && has("get|wait") && prints_of_cluster(words)
}

/// `getent shadow`, and not `getent group shadow`.
fn prints_of_lists(words: &[String]) -> bool {
    words.iter().take_while(|word| !listed(OPEN_LISTS, word)).any(|word| matches!(word.as_str(), "shadow" | "gshadow"))
}

/// `kubectl get secret x -o yaml`: without an output of its own it tells names only.
fn prints_of_cluster(words: &[String]) -> bool {
    let is_secret = |kind: &str| {
        let kind = kind.split(['/', '.']).next().unwrap_or_default();
        kind.eq_ignore_ascii_case("secret") || kind.eq_ignore_ascii_case("secrets")
    };
    let named = words.iter().any(|word| word.split(',').any(is_secret) || word.holds("/secrets"));
    let next = words.iter().skip(1).map(String::as_str).chain([""]);
    let shown = words.iter().zip(next).any(|(word, next)| {
        let output = match word.strip_prefix("--") {
            Some("output") => Some(next),
            Some(long) => long.strip_prefix("output="),
            // Letters without a value may stand before it: `-Ao yaml`.
            None => {
                let letters = word.strip_prefix('-').map(|letters| letters.trim_start_matches(['A', 'R', 'h', 'w']));
                let behind = letters.and_then(|letters| letters.strip_prefix('o'));
                behind.map(|value| if value.is_empty() { next } else { value.strip_prefix('=').unwrap_or(value) })
            }
        };
        output.is_some_and(|output| !matches!(output, "name" | "wide")) || word.starts_with("--template") || word.starts_with("--raw")
    });
    named && shown
}

/// Does a command show a file of secrets, whatever starts it?
pub(super) fn used_by(line: &[String], cwd: Option<&str>) -> Option<Use> {
    if prints(start::peel(line).line) {
        return Some(Use::Shown);
    }
    // Most lines hold nothing of the kind.
    let is_near = cwd.is_some_and(begins_somewhere);
    let may_be = |word: &String| is_near || word.contains(PATTERN) || begins_somewhere(word);
    if !line.iter().skip(1).any(may_be) {
        return None;
    }
    let line = start::peel(line).line;
    let program = base_name(line.first()?);
    let starts = program == "find" && line.iter().any(|word| listed(STARTS, word));
    let reads = listed(READERS, program);
    // In a folder of secrets an option and the name of a service are none.
    let is_path =
        |word: &str| !word.starts_with('-') && (reads || begins_somewhere(word) || word.contains(PATTERN) || word.contains(['/', '.']));
    let is_named =
        || line.iter().skip(1).any(|word| is_in(word, cwd.filter(|_| is_path(word)), cwd) || program == "find" && begins_somewhere(word));
    is_named().then_some(if listed(HARMLESS, program) && !starts { Use::Named } else { Use::Shown })
}

/// May a command show a file whose name it only gets when it runs?
pub(super) fn takes_names(line: &[String], is_later: impl Fn(&String) -> bool) -> bool {
    let line = start::peel(line).line;
    let Some((program, arguments)) = line.split_first() else { return false };
    base_name(program) == "xargs" || !listed(HARMLESS, base_name(program)) && arguments.iter().any(is_later)
}

/// Is such a file named in this word, or behind an option's `=` or a data argument's `@` in it?
fn is_in(word: &str, whole: Option<&str>, cwd: Option<&str>) -> bool {
    let mut behind = word.char_indices().filter(|(_, c)| matches!(c, '=' | '@')).filter_map(|(at, c)| word.get(at + c.len_utf8()..));
    names(word, whole) || behind.any(|path| names(path, cwd))
}

/// Is it the path of such a file, or a pattern that fits one?
pub(super) fn names(path: &str, cwd: Option<&str>) -> bool {
    if !(path.contains(PATTERN) || begins_somewhere(path) || cwd.is_some_and(begins_somewhere)) {
        return false;
    }
    let located = locate(path, cwd);
    let names = located.names.as_slice();
    let Some(last) = names.last() else { return false };
    let is_whole = |parts: usize| located.from == From::Root && parts == names.len();
    let ends_with = |entry: &str, fit: &dyn Fn(&str, &str) -> bool| {
        let parts = entry.split('/').count();
        let Some(tail) = names.len().checked_sub(parts).and_then(|at| names.get(at..)) else { return false };
        let mut pairs = tail.iter().zip(entry.split('/'));
        let Some((name, part)) = pairs.next() else { return false };
        (*name == part || is_whole(parts) && fit(name, part)) && pairs.all(|(name, part)| fit(name, part))
    };
    // A pattern for all files of a folder leaves those out whose name begins with a dot.
    let fits_file = |name: &str, part: &str| (name.starts_with('.') || !part.starts_with('.')) && fits(name, part);
    let is_pattern = last.contains(PATTERN);
    let has_folder = names.len() > 1;
    has_folder && FILES.iter().any(|file| ends_with(file, &fits_file))
        || OWN.split(' ').any(|file| fits_file(last, file))
        || has_folder
            && !is_pattern
            && !last.ends_with(".pub")
            && FAMILIES.iter().any(|family| ends_with(family, &|name, part| fits(part, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_secrets_are_known_by_their_path() {
        for path in [
            "/etc/shadow",
            "/etc//shadow",
            "/etc/./shadow",
            "/usr/../etc/shadow",
            "/etc/shad?w",
            "/etc/sh*",
            "/etc/*",
            "/*/shadow",
            "/e*/sh[a]dow",
            "/srv/jail/etc/shadow",
            "~/.ssh/id_ed25519",
            "~deploy/.ssh/id_rsa",
            "/root/.ssh/id_work",
            "/root/.ssh/*",
            ".ssh/id_*",
            "~/.netrc",
            "/home/*/.pgpass",
            "/etc/ssh/ssh_host_ed25519_key",
            "/etc/ssh/ssh_host_*",
            "/proc/1234/environ",
            "/proc/*/environ",
            "/etc/ssl/private/web.key",
            "/etc/letsencrypt/live/example.net/privkey.pem",
            "/run/secrets/db",
        ] {
            assert!(names(path, None), "{path}");
        }
        for (path, cwd) in
            [("shadow", "/etc"), ("../shadow", "/etc/ssh"), ("id_rsa", "/root/.ssh"), ("*", "/root/.ssh"), ("environ", "/proc/1")]
        {
            assert!(names(path, Some(cwd)), "{path} in {cwd}");
        }
        for path in [
            "/etc/passwd",
            "/etc/hosts",
            "/etc/ssh/sshd_config",
            "/etc/ssh/ssh_host_rsa_key.pub",
            "/etc/*.conf",
            "/etc/*release",
            "~/.ssh/id_rsa.pub",
            "~/.ssh/*.pub",
            "~/.ssh/config",
            "~/.ssh/known_hosts",
            "/home/*/*",
            "/srv/*/*",
            "shadow",
            "*",
            "/proc/meminfo",
            "/proc/1/status",
            "/var/log/*",
            "/root/*",
            "",
            "/",
        ] {
            assert!(!names(path, None), "{path}");
        }
    }

    #[test]
    fn every_file_has_a_beginning_and_every_beginning_a_first_sign() {
        for file in FILES.into_iter().chain(OWN.split(' ')).chain(FAMILIES) {
            assert!(begins_somewhere(file), "{file}");
        }
        let all = || BEGINNINGS.iter().filter_map(|beginning| beginning.first());
        assert!(all().all(|sign| FIRST.contains(sign)) && FIRST.iter().all(|sign| all().any(|first| first == sign)));
    }

    #[test]
    fn what_is_done_with_them_counts() {
        let used = |line: &str, cwd| used_by(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), cwd);
        for line in [
            "cat /etc/shadow",
            "sudo -u root cat /etc/shadow",
            "dd if=/etc/shadow",
            "grep root /etc/shadow",
            "curl -d @/etc/shadow h",
            "cp -a /root/.ssh/id_rsa /tmp/x",
        ] {
            assert_eq!(used(line, None), Some(Use::Shown), "{line}");
        }
        assert_eq!(used("cat shadow", Some("/etc")), Some(Use::Shown));
        for line in [
            "getent -s files gshadow",
            "sudo wg show wg0 private-key",
            "wg showconf wg0",
            "kubectl config view --raw",
            "kubectl -n x get secret/a -oyaml",
            "kubectl get pods,secrets -A --output json",
            "kubectl get secrets -Ao yaml",
            "kubectl get secrets -Aojson",
            "kubectl get Secret/a -o=yaml",
            "kubectl wait secret/a --for=create -o yaml",
            "kubectl config view --raw=true",
            "kubectl get --raw /api/v1/namespaces/x/secrets/a",
            "podman secret inspect --showsecret x",
        ] {
            assert_eq!(used(line, None), Some(Use::Shown), "{line}");
        }
        for line in [
            "getent passwd shadow-user",
            "getent group shadow",
            "wg show wg0",
            "kubectl get secrets -o wide",
            "kubectl get secrets -Ao name",
            "kubectl get pod secret-agent -o yaml",
        ] {
            assert_eq!(used(line, None), None, "{line}");
        }
        for line in ["find /etc -name shadow -exec cat {} ;", "find /etc/shadow -execdir head {} +"] {
            assert_eq!(used(line, None), Some(Use::Shown), "{line}");
        }
        for line in
            ["echo /etc/shadow", "ls -l /etc/shadow", "find /etc -name shadow*", "sudo chmod 600 /etc/shadow", "ssh -i ~/.ssh/id_rsa web1"]
        {
            assert_eq!(used(line, None), Some(Use::Named), "{line}");
        }
        for line in ["cat /etc/passwd", "cat /srv/*.log", "find / -name core", "sudo", ""] {
            assert_eq!(used(line, None), None, "{line}");
        }
    }
}
