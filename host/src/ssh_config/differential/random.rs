//! Random configurations: few names and values, so that blocks apply often and lines meet.

/// Names to ask for.
pub(super) const NAMES: [&str; 3] = ["web1", "db", "a.example.com"];

const PATTERNS: [&str; 14] =
    ["web1", "db", "web?", "*", "!web1", "!db", "*.example.com", "a.*", "WEB1", "web1.example.com", "db.lan", "10.0.0.*", "?*", "*b*"];
const USERS: [&str; 5] = ["ann", "bob", "a*", "*", "!ann"];

/// Keywords with the values that they may get, good ones and some bad.
const SETTINGS: [(&str, &[&str]); 37] = [
    ("AddressFamily", &["inet", "any"]),
    ("BindAddress", &["10.0.0.9", "%h"]),
    ("CanonicalizeHostname", &["no", "yes", "always"]),
    ("CertificateFile", &["~/c1", "c2", "/c/%r"]),
    ("CheckHostIP", &["yes", "no", "true"]),
    ("Compression", &["yes", "no"]),
    ("ConnectTimeout", &["5", "1m", "none"]),
    ("ConnectionAttempts", &["2", "3"]),
    ("DynamicForward", &["1080", "localhost:1081"]),
    ("ForwardAgent", &["yes", "no", "~/agent", "$SOCK"]),
    ("GlobalKnownHostsFile", &["/g1 /g2", "none", "~/g"]),
    ("HashKnownHosts", &["yes", "no"]),
    ("HostKeyAlias", &["Alias", "%h"]),
    ("HostName", &["%h.lan", "web1.example.com", "10.0.0.1", "DB", "%h"]),
    ("IdentitiesOnly", &["yes", "no"]),
    ("IdentityAgent", &["none", "~/a/%h", "${SOCK}", "SSH_AUTH_SOCK"]),
    ("IdentityFile", &["~/.ssh/id_a", "id_b", "~/.ssh/%h", "none", "\"~/with blank\""]),
    ("LocalForward", &["8080 a:80", "[::1]:8081 b:1", "8082 /s/%h"]),
    ("PasswordAuthentication", &["yes", "no"]),
    ("Port", &["22", "2222", "70", "\"23\"", "24 # why"]),
    ("PreferredAuthentications", &["publickey", "password,publickey"]),
    ("ProxyCommand", &["nc %h %p", "none", "\"quoted\" # all"]),
    ("ProxyJump", &["gate", "u@gate:2200,far", "none", "ssh://x:22"]),
    ("RemoteCommand", &["echo %h", "none"]),
    ("RemoteForward", &["0", "9000 a:1"]),
    ("RequestTTY", &["yes", "no", "auto"]),
    ("SendEnv", &["LANG LC_*", "-LC_*", "A"]),
    ("ServerAliveCountMax", &["1", "9"]),
    ("ServerAliveInterval", &["30", "1h"]),
    ("SetEnv", &["A=1 B=2", "\"C=x y\""]),
    ("StrictHostKeyChecking", &["yes", "no", "ask", "accept-new", "off"]),
    ("Tcpkeepalive", &["yes", "no"]),
    ("UpdateHostKeys", &["yes", "no", "ask"]),
    ("User", &["ann", "bob", "'carl'", "a\\ b"]),
    ("UserKnownHostsFile", &["~/k1 k2", "none", "/k/%n/%p", "/k/${PART}"]),
    ("IgnoreUnknown", &["Mystery*", "x,mystery"]),
    ("Host", &["web1", "*"]),
];

/// Keywords, each with the pieces that its argument is put together from: mostly signs with a meaning.
const JUNK: &[(&str, &[&str])] = &[
    ("", &["Port", "User", " ", "=", "\"", "'", "\\", "#", "a", "22", "\t", ",", "\x0c", "\r"]),
    ("User ", &["a", "b", "\"", "'", "\\", "#", " ", "\t", "=", "%u", "\\ "]),
    ("Port 7\nHost ", &["web1", "w", "*", "?", "!", ",", " ", "\"", "'", "#", "\\"]),
    ("Port 7\nMatch host ", &["web1", "w", "*", "?", "!", ",", " ", "\"", "#", "=", "all", "user"]),
    ("Match ", &["host", "all", "final", "user", "!", " ", "=", "web1", "*", "\"", "#", ",", "localuser"]),
    ("ProxyJump ", &["a", "b", "@", ":", "/", "[", "]", ",", "22", "0", "ssh://", ".", "%h", ";", "::1", "\"", "-"]),
    ("ProxyJump ssh://", &["a", "b", "%41", "%20", "+", "@", ":", "22", "/", ".", ";", ",ssh://", "_", "["]),
    ("ProxyCommand ", &["a", "=", " ", "\"", "'", "#", "%h", "\\", "none"]),
    ("LocalForward ", &["a", ":", "2000", "[", "]", "/", "*", "\\", " ", " b:3000", "::1", "0"]),
    ("RemoteForward ", &["a", ":", "2000", "[", "]", "/", "*", "\\", " ", " b:3000", "0"]),
    ("DynamicForward ", &["a", ":", "2000", "[", "]", "/", "*", "\\", "0"]),
    ("HostName ", &["1", "255", "256", ".", "0x", "0", "a", "F", "%h", "%%", "-"]),
    ("HostName ", &["::", ":", "1", "0", "ffff", "A", "1.2.3.4", "00", "%"]),
    ("ConnectTimeout ", &["1", "20", "s", "M", "h", "d", "w", "x", "none", "0", "999999", " "]),
    ("ConnectionAttempts ", &["1", "0", "+", "-", "x", "2147483647", " "]),
    ("Port ", &["1", "0", "+", "-", "x", "65535", "ssh", "http", "\" 22\""]),
    ("UserKnownHostsFile ", &["~", "/", "%h", "%", "${PART}", "${", "}", "$", "a", " ", "none", "root", "\"", "'"]),
    ("IdentityAgent ", &["~", "/", "%h", "%%", "${PART}", "${", "}", "$", "a", "_", "-", "none", "1"]),
    ("RekeyLimit ", &["1", "5", "6", "K", "G", "m", "default", "none", " ", "0", "x", "h"]),
    ("IPQoS ", &["af11", "cs0", "none", "1", "255", "256", "0x1f", "x", " ", "lowdelay", "EF"]),
    ("EscapeChar ", &["~", "^", "a", "none", "[", "?", " "]),
    ("TunnelDevice ", &["any", "0", "1", ":", "x", "ANY"]),
    ("AddKeysToAgent ", &["yes", "confirm", "ask", " ", "1", "h", "no", "x"]),
    ("ControlPersist ", &["yes", "no", "1", "h", "x", "0", "YES"]),
    ("PermitRemoteOpen ", &["any", "none", "a", ":", "1", "*", " ", "[::1]", "0"]),
];

/// Lines that ssh refuses, or may.
const WRONG: [&str; 14] = [
    "Port x",
    "Port",
    "CheckHostIP maybe",
    "User \"a",
    "Mystery yes",
    "MysteryTwo yes",
    "ProxyJump a,,b",
    "ConnectTimeout 1x",
    "UserKnownHostsFile %Z",
    "HostName %p",
    "Match host",
    "Port 22 23",
    "IdentityAgent ${NOPE}",
    "LocalForward 80",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())]
    }

    fn list(&mut self, choices: &[&str], between: &str) -> String {
        (0..1 + self.roll(3)).map(|_| self.of(choices)).collect::<Vec<_>>().join(between)
    }

    fn criterion(&mut self) -> String {
        let negated = self.of(&["", "", "", "!"]);
        let text = match self.roll(9) {
            0 | 1 => format!("host {}", self.list(&PATTERNS, ",")),
            2 | 3 => format!("originalhost {}", self.list(&PATTERNS, ",")),
            4 => format!("user {}", self.list(&USERS, ",")),
            5 => "localuser *".to_owned(),
            6 => self.of(&["final", "canonical"]).to_owned(),
            7 => self.of(&["exec true", "exec false", "exec \"test %h = web1\"", "exec \"test %p = 22\""]).to_owned(),
            _ => format!("host=\"{}\"", self.list(&PATTERNS, ",")),
        };
        format!("{negated}{text}")
    }

    fn line(&mut self, includes: &[&str]) -> String {
        match self.roll(40) {
            0..=7 => format!("Host {}", self.list(&PATTERNS, " ")),
            8..=12 => format!("Match {}", (0..1 + self.roll(2)).map(|_| self.criterion()).collect::<Vec<_>>().join(" ")),
            13 => self.of(&["Match all", "Match final all", "Match !all", "# comment", "", "Match canonical all"]).to_owned(),
            14..=16 if !includes.is_empty() => format!("Include {}", self.of(includes)),
            17 if self.roll(4) == 0 => self.of(&WRONG).to_owned(),
            _ => {
                let (keyword, values) = self.of(&SETTINGS);
                let value = self.of(values);
                let keyword = match self.roll(4) {
                    0 => keyword.to_ascii_uppercase(),
                    1 => keyword.to_ascii_lowercase(),
                    _ => keyword.to_owned(),
                };
                let before = self.of(&["", "  ", "\t"]);
                let between = self.of(&[" ", " ", " = ", "=", "\t"]);
                format!("{before}{keyword}{between}{value}{}", self.of(&["", "", " ", "\r"]))
            }
        }
    }

    fn text(&mut self, includes: &[&str]) -> String {
        (0..4 + self.roll(14)).map(|_| self.line(includes) + "\n").collect()
    }
}

/// The files that this seed makes.
pub(super) fn files(seed: u64) -> Vec<(&'static str, String)> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let config = dice.text(&["one.conf", "two.conf", "*.conf", "\"one.conf\" two.conf", "~/.ssh/[o]ne.conf", "absent"]);
    vec![("config", config), ("one.conf", dice.text(&["two.conf"])), ("two.conf", dice.text(&[]))]
}

/// One line of junk.
pub(super) fn junk(seed: u64) -> String {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (before, pieces) = dice.of(JUNK);
    let argument: String = (0..1 + dice.roll(6)).map(|_| dice.of(pieces)).collect();
    format!("{before}{argument}\nConnectTimeout 77\n")
}
