//! Paths whose removal or change hurts the whole system.

use jackfield_plugin::text::Search;
use std::str::Chars;

use crate::verdict::listed;

/// Stands for text that is not known before the command runs.
pub(super) const UNKNOWN: char = '\u{e000}';
/// As [`UNKNOWN`], but printed by a program that is trusted to print shell code.
pub(super) const TRUSTED: char = '\u{e001}';

/// A longer pattern is not compared: it counts as fitting every name.
const PATTERN_MAX_BYTES: usize = 255;

/// What is done to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It and all below it goes.
    Remove,
    /// Its rights, its owner or its place change.
    Change,
}

/// Why a path must be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    System,
    Home,
    Tmp,
    /// What it is depends on something that is not known here.
    Unknown,
}

const FIRST: &str = "bin boot dev etc home lib lib32 lib64 libx32 media mnt nix opt proc root run sbin snap srv sys usr var Applications \
    Library System Users";
/// Of no interest to `chmod -R` and `mv`.
const DATA: &str = "media mnt opt snap srv";
const ETC: &str = "NetworkManager default init.d kubernetes ld.so.conf.d netplan network pam.d pki security ssh ssl sudoers.d sysconfig \
    systemd udev";
const USR: &str = "bin etc include lib lib32 lib64 libexec local sbin share";
const VAR: &str = "backups db lib lock log mail opt run spool www";
const VAR_LIB: &str = "ceph containerd docker dpkg elasticsearch etcd influxdb kubelet libvirt mongo mongodb mysql pgsql postgresql rancher \
    redis rpm systemd";
/// Files without which nobody logs in or the system does not start.
const CRITICAL: &str = "passwd shadow group gshadow sudoers fstab";
/// Devices that take anything and keep nothing, and memory that only looks like a device.
const HARMLESS_DEVICES: &str = "null zero full random urandom stdin stdout stderr tty fd pts shm tcp udp";

/// A path made absolute as far as the working directory is known.
#[derive(Debug)]
pub(super) struct Located<'a> {
    pub(super) names: Vec<&'a str>,
    /// From where it counts.
    pub(super) from: From,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Root,
    Home,
    /// The working directory, or so many levels above it.
    Here(usize),
}

pub(super) fn locate<'a>(path: &'a str, cwd: Option<&'a str>) -> Located<'a> {
    let mut located = Located { names: Vec::new(), from: From::Here(0) };
    if !path.starts_with(['/', '~']) {
        for part in cwd.unwrap_or_default().split_inclusive('/') {
            located.enter(part);
        }
    }
    path.split_inclusive('/').for_each(|part| located.enter(part));
    located
}

impl<'a> Located<'a> {
    fn enter(&mut self, part: &'a str) {
        let first = self.names.is_empty() && self.from == From::Here(0);
        match part.trim_end_matches('/') {
            "" if first && part == "/" => self.from = From::Root,
            "~" if first => self.from = From::Home,
            "~root" if first => (self.from, self.names) = (From::Root, vec!["root"]),
            user if first && user.starts_with('~') => (self.from, self.names) = (From::Root, vec!["home", user]),
            "" | "." => {}
            ".." => {
                if self.names.pop().is_none()
                    && let From::Here(up) = &mut self.from
                {
                    *up += 1;
                }
            }
            name => self.names.push(name),
        }
    }
}

/// What a recursive act on this path would hurt.
pub(super) fn harm(path: &str, cwd: Option<&str>, act: Act) -> Option<Harm> {
    if !path.contains([UNKNOWN, TRUSTED]) {
        return known_harm(path, cwd, act);
    }
    // Where nothing but the unknown names the place, it may be any.
    let bare: String = path.chars().filter(|c| !matches!(*c, UNKNOWN | TRUSTED)).collect();
    if bare.chars().all(|c| matches!(c, '/' | '*' | '.' | '?')) {
        return Some(Harm::Unknown);
    }
    let filled: String = path.chars().map(|c| if matches!(c, UNKNOWN | TRUSTED) { 'x' } else { c }).collect();
    let when_empty = known_harm(&bare, cwd, act).filter(|harm| *harm == Harm::System);
    known_harm(&filled, cwd, act).filter(|harm| *harm != Harm::Unknown).or(when_empty)
}

fn known_harm(path: &str, cwd: Option<&str>, act: Act) -> Option<Harm> {
    let mut located = locate(path, cwd);
    let mut content = false;
    while located.names.last().is_some_and(|name| is_everything(name)) {
        located.names.pop();
        content = true;
    }
    let names = located.names.as_slice();
    match located.from {
        From::Root => system_harm(names, content, act),
        From::Home => match names {
            [] if act == Act::Remove => Some(Harm::Home),
            [".ssh"] => Some(Harm::Home),
            _ => None,
        },
        From::Here(0) => (names.is_empty() && content).then_some(Harm::Unknown),
        From::Here(_) if names.is_empty() => Some(Harm::Unknown),
        From::Here(_) => system_harm(names, content, act).filter(|harm| *harm == Harm::System),
    }
}

fn system_harm(names: &[&str], content: bool, act: Act) -> Option<Harm> {
    let system = match names {
        [] => true,
        ["tmp"] => return (act == Act::Remove && !content).then_some(Harm::Tmp),
        [first] => any(FIRST, first) && (act == Act::Remove || !listed(DATA, first)),
        ["home" | "Users", _] => return (act == Act::Remove).then_some(Harm::Home),
        ["home" | "Users", _, ".ssh"] | ["root", ".ssh"] => return Some(Harm::Home),
        ["dev", device, ..] => !listed(HARMLESS_DEVICES, device),
        ["boot" | "proc" | "sys", ..] => true,
        ["bin" | "sbin" | "lib" | "lib32" | "lib64" | "libx32", _] => true,
        ["etc", name] => any(ETC, name) || any(CRITICAL, name),
        ["usr", name] => any(USR, name),
        ["usr", "local", name] => any("bin lib sbin", name),
        ["var", name] if act == Act::Remove => any(VAR, name),
        ["var", name] => any("lib", name),
        ["var", "lib", name] => any(VAR_LIB, name),
        _ => false,
    };
    system.then_some(Harm::System)
}

/// The root, or a directory of the system right below it.
pub(super) fn is_top(path: &str) -> bool {
    let located = locate(path, None);
    located.from == From::Root && matches!(located.names.as_slice(), [] | [_]) && system_harm(&located.names, true, Act::Change).is_some()
}

/// A file that must be there for anybody to log in, or a switch of the kernel.
pub(super) fn is_critical_file(path: &str, cwd: Option<&str>) -> bool {
    let located = locate(path, cwd);
    located.from == From::Root
        && match located.names.as_slice() {
            ["etc", name] => any(CRITICAL, name),
            ["proc", "sysrq-trigger"] | ["sys", "power", "state"] => true,
            _ => false,
        }
}

/// A disk, or another device that must not be written to.
pub(super) fn is_device(path: &str, cwd: Option<&str>) -> bool {
    let located = locate(path, cwd);
    located.from == From::Root
        && matches!(located.names.as_slice(), ["dev", device, ..] if !listed(HARMLESS_DEVICES, device) && !device.starts_with("tty"))
}

/// A pattern for every name: `*`, `.*`, `.[!.]*`.
fn is_everything(name: &str) -> bool {
    let mut in_set = false;
    let mut stars = false;
    for c in name.chars() {
        match c {
            '[' => in_set = true,
            ']' => in_set = false,
            '*' => stars = true,
            _ if in_set || matches!(c, '?' | '.') => {}
            _ => return false,
        }
    }
    stars
}

fn any(names: &str, pattern: &str) -> bool {
    names.split(' ').any(|name| fits(pattern, name))
}

/// Does a file name pattern fit? A set of characters fits any character.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?', '[']) {
        return pattern == name;
    }
    if pattern.len() > PATTERN_MAX_BYTES {
        return true;
    }
    let (mut signs, mut rest) = (pattern.chars(), name.chars());
    // Behind the last star, and what of the name it has not taken yet.
    let mut star: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        match (next_sign(&mut signs), rest.as_str().is_empty()) {
            (None, true) => return true,
            (Some(Sign::Any), _) => star = Some((signs.clone(), rest.clone())),
            (Some(sign), false) if rest.next().is_some_and(|c| sign == Sign::One || sign == Sign::Is(c)) => {}
            _ => {
                let Some((behind, left)) = &mut star else { return false };
                if left.next().is_none() {
                    return false;
                }
                (signs, rest) = (behind.clone(), left.clone());
            }
        }
    }
}

/// A sign of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Any,
    One,
    Is(char),
}

fn next_sign(signs: &mut Chars<'_>) -> Option<Sign> {
    Some(match signs.next()? {
        '*' => Sign::Any,
        '?' => Sign::One,
        '[' if signs.as_str().has(']') => {
            signs.by_ref().take_while(|c| *c != ']').for_each(drop);
            Sign::One
        }
        c => Sign::Is(c),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removal(path: &str) -> Option<Harm> {
        harm(&path.replace('$', &UNKNOWN.to_string()), None, Act::Remove)
    }

    #[test]
    fn system_directories_are_not_removed() {
        for path in [
            "/",
            "//",
            "/*",
            "/.",
            "/..",
            "/./*",
            "/etc",
            "/etc/",
            "/etc/*",
            "//etc//",
            "/usr/../etc",
            "/e*",
            "/???",
            "/[eu]*",
            "/usr/lib",
            "/usr/local/bin",
            "/var/log/*",
            "/var/lib/mysql",
            "/boot/grub",
            "/dev/sda",
            "/proc/1",
            "/bin/x",
            "../../etc",
            "/etc/ssh",
            "/.[!.]*",
            "$/etc",
            "/$",
            "/etc/$",
            "/var/lib/$",
            "/b{in",
            "/home",
            "/root",
            "/root/*",
        ] {
            let expected = if path == "/b{in" {
                None
            } else if path == "/$" {
                Some(Harm::Unknown)
            } else {
                Some(Harm::System)
            };
            assert_eq!(removal(path), expected, "{path}");
        }
    }

    #[test]
    fn homes_are_not_removed_and_what_is_in_them_may_be() {
        for path in ["~", "~/", "~/*", "~/.*", "/home/alice", "/home/alice/*", "/home/*", "~/.ssh", "/home/a/.ssh", "~bob", "/root/.ssh"] {
            let expected = if path == "/home/*" { Harm::System } else { Harm::Home };
            assert_eq!(removal(path), Some(expected), "{path}");
        }
        for path in ["~/build", "/home/alice/build", "/root/x", "~/a/.."] {
            assert_eq!(removal(path), if path == "~/a/.." { Some(Harm::Home) } else { None }, "{path}");
        }
    }

    #[test]
    fn ordinary_directories_may_go() {
        for path in [
            "build",
            "./build",
            "/tmp/x/y",
            "/tmp/*",
            "/var/lib/apt/lists/*",
            "/var/cache/apt",
            "/opt/app",
            "/etc/nginx/sites-enabled/x",
            "/usr/local/app",
            "/srv/www/old",
            "../build",
            "node_modules",
            "$/node_modules",
            "/tmp/$",
            "/home/$/build",
            "dist/*",
            "/data",
            "/var/log/nginx/*.gz",
            "/dev/shm/x",
            "x*",
            "$-build",
            "/usr/src/x",
            "/t*",
        ] {
            assert_eq!(removal(path), None, "{path}");
        }
    }

    #[test]
    fn what_nobody_knows_is_told() {
        for path in ["$", "$/", "$/*", "*", "./*", "..", "../*", "$/$", ".*"] {
            assert_eq!(removal(path), Some(Harm::Unknown), "{path}");
        }
        assert_eq!(removal("/tmp"), Some(Harm::Tmp));
    }

    #[test]
    fn a_known_directory_decides() {
        assert_eq!(harm("*", Some("/"), Act::Remove), Some(Harm::System));
        assert_eq!(harm("etc", Some("/"), Act::Remove), Some(Harm::System));
        assert_eq!(harm("*", Some("/tmp/x"), Act::Remove), None);
        assert_eq!(harm("..", Some("/etc/x"), Act::Remove), Some(Harm::System));
        assert_eq!(harm("*", Some("~"), Act::Remove), Some(Harm::Home));
    }

    #[test]
    fn changing_owners_is_judged_less_strictly() {
        for (path, expected) in [
            ("/", Some(Harm::System)),
            ("/usr", Some(Harm::System)),
            ("/etc/ssh", Some(Harm::System)),
            ("/home/alice", None),
            ("/var/www", None),
            ("/opt", None),
            ("~", None),
        ] {
            assert_eq!(harm(path, None, Act::Change), expected, "{path}");
        }
    }

    #[test]
    fn devices_and_critical_files_are_known_by_any_spelling() {
        for path in ["/dev/sda", "//dev//sda1", "/dev/../dev/nvme0n1", "/dev/mapper/x", "/dev/disk/by-id/x"] {
            assert!(is_device(path, None), "{path}");
        }
        for path in ["/dev/null", "/dev/shm/x", "/dev/tty1", "dev/sda", "/dev", "/tmp/dev/sda"] {
            assert!(!is_device(path, None), "{path}");
        }
        assert!(is_critical_file("/etc//passwd", None) && is_critical_file("shadow", Some("/etc")));
        assert!(is_critical_file("/etc/pass*", None) && is_critical_file("/proc/sysrq-trigger", None));
        assert!(!is_critical_file("/etc/hosts", None) && !is_critical_file("etc/passwd", None));
    }

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, expected) in [
            ("*", "etc", true),
            ("e*", "etc", true),
            ("e*c", "etc", true),
            ("???", "etc", true),
            ("??", "etc", false),
            ("[a-f]tc", "etc", true),
            ("*x*", "etc", false),
            ("etc", "etc", true),
            ("[tc", "etc", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
