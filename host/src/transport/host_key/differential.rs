//! Compares our reading of random `known_hosts` files with that of the real `ssh-keygen`.

use std::path::Path;
use std::process::{Command, Stdio};

use super::line::Marker;
use super::tests::{ECDSA, RSA, ed25519};
use super::{KnownHosts, blob_fingerprint};

/// Names to record and to ask for. Few and alike, so that patterns hit often.
const NAMES: [&str; 10] =
    ["web1", "web2", "web10", "w", "10.0.0.1", "10.0.0.12", "::1", "sw.example.com", "[web1]:2222", "[10.0.0.1]:2222"];

/// Line, marker and fingerprint of each line that is for a host.
type Found = Vec<(usize, &'static str, String)>;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices.get(self.roll(choices.len())).unwrap()
    }

    /// A name as it stands, in other case, or with some of its characters turned into wildcards.
    fn pattern(&mut self) -> String {
        let name = self.of(&NAMES);
        let style = self.roll(4);
        let mut pattern = String::new();
        for letter in name.chars() {
            match (style, self.roll(5)) {
                (1, _) => pattern.push(letter.to_ascii_uppercase()),
                (2, 0) => pattern.push('?'),
                (2 | 3, 1) => pattern.push('*'),
                (3, 0 | 2) => {}
                _ => pattern.push(letter),
            }
        }
        if self.roll(6) == 0 { format!("!{pattern}") } else { pattern }
    }

    fn key(&mut self) -> String {
        match self.roll(5) {
            0 => ECDSA.to_owned(),
            1 => RSA.to_owned(),
            2 => ["ssh-ed25519 AAAA", "ssh-ed25519", "ssh-rsa !!", ""].get(self.roll(4)).unwrap().to_string(),
            _ => ed25519(u8::try_from(self.roll(4)).unwrap()).to_openssh().unwrap(),
        }
    }

    fn line(&mut self) -> String {
        if self.roll(10) == 0 {
            return self.of(&["", "# comment", "  ", "@mystery web1 ssh-rsa AAAA", "|1|zz|zz ssh-rsa AAAA", "web1"]).to_owned();
        }
        let marker = self.of(&["", "", "", "", "@revoked ", "@cert-authority "]);
        let patterns: Vec<String> = (0..1 + self.roll(3)).map(|_| self.pattern()).collect();
        let blank = self.of(&[" ", "\t", "  \t "]);
        let end = self.of(&["", " comment", "\r"]);
        format!("{marker}{}{blank}{}{end}", patterns.join(","), self.key())
    }
}

/// What `ssh-keygen -l -F NAME` finds.
fn theirs(file: &Path, name: &str) -> Found {
    let output = Command::new("ssh-keygen").arg("-l").arg("-F").arg(name).arg("-f").arg(file).output();
    let text = String::from_utf8(output.expect_openssh().stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.chunks(2).map(|pair| {
        let [head, key] = pair else { unreachable!("each hit has two lines: {text}") };
        let mut words = head.rsplit_once("line ").unwrap().1.split(' ');
        let line = words.next().unwrap().parse().unwrap();
        let marker = match words.next() {
            Some("REVOKED") => "revoked",
            Some("CA") => "ca",
            _ => "",
        };
        (line, marker, key.split(' ').find(|word| word.starts_with("SHA256:")).unwrap().to_owned())
    });
    pairs.collect()
}

fn ours(known: &KnownHosts, name: &str) -> Found {
    let entries = known.matching(name).map(|entry| {
        let marker = match entry.marker {
            Marker::Revoked => "revoked",
            Marker::CertAuthority => "ca",
            Marker::None => "",
        };
        (entry.place.line, marker, blob_fingerprint(&entry.blob))
    });
    entries.collect()
}

/// A clear reason instead of "file not found" on a machine without OpenSSH.
trait NeedsOpenSsh<T> {
    fn expect_openssh(self) -> T;
}

impl<T> NeedsOpenSsh<T> for std::io::Result<T> {
    fn expect_openssh(self) -> T {
        self.unwrap_or_else(|error| panic!("this test needs ssh-keygen (package openssh-client): {error}"))
    }
}

#[test]
fn random_files_read_as_ssh_keygen_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let mut hits = 0;
    for seed in 1..=40_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let file = directory.path().join(format!("known_hosts-{seed}"));
        let text: Vec<String> = (0..12).map(|_| dice.line()).collect();
        std::fs::write(&file, text.join("\n") + "\n").unwrap();
        // It refuses a file with a bad line, so some files stay as they are.
        if seed % 2 == 0 {
            let mut hash = Command::new("ssh-keygen");
            hash.arg("-H").arg("-f").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).status().expect_openssh();
        }
        let known = KnownHosts::load([&file]).unwrap();
        for name in NAMES {
            let (ours, theirs) = (ours(&known, name), theirs(&file, name));
            hits += ours.len();
            assert_eq!(ours, theirs, "seed {seed}: {name} in\n{}", String::from_utf8_lossy(&std::fs::read(&file).unwrap()));
        }
    }
    assert!(hits > 300, "only {hits} hits: the files test little");
}

#[test]
fn hashed_files_read_as_ssh_keygen_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("known_hosts");
    let lines: Vec<String> = (0_u8..).zip(NAMES).map(|(seed, name)| format!("{name} {}\n", ed25519(seed).to_openssh().unwrap())).collect();
    std::fs::write(&file, lines.concat()).unwrap();
    let mut hash = Command::new("ssh-keygen");
    let status = hash.arg("-H").arg("-f").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).status().expect_openssh();
    assert!(status.success());
    // Letters of a name may stand in a hash.
    assert!(std::fs::read_to_string(&file).unwrap().lines().all(|line| line.starts_with("|1|")), "the names must be hashed");
    let known = KnownHosts::load([&file]).unwrap();
    for (index, name) in NAMES.into_iter().enumerate() {
        let found = ours(&known, name);
        assert_eq!(found, theirs(&file, name), "{name}");
        assert_eq!(found.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [index + 1], "{name}");
    }
}
