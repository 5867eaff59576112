//! One line of a `known_hosts` file: for which hosts it is, and with which key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::ssh_key::{Algorithm, HashAlg, PublicKey};
use sha1::Sha1;

use crate::wildcard::fits;

/// Longest pattern that OpenSSH looks at; a longer one ends the list without a match.
const PATTERN_MAX_BYTES: usize = 1_022;

/// Bytes of a SHA-1 value, and so of salt and hash of a hashed name.
const HASH_BYTES: usize = 20;

/// One line with a host key.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) marker: Marker,
    hosts: Hosts,
    /// Algorithm as the line and the key both name it.
    pub(super) key_type: String,
    /// The key in wire format. Kept as bytes, so that a key of a type that this build cannot use still counts as recorded.
    pub(super) blob: Vec<u8>,
    pub(super) place: Place,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Index into the paths.
    pub(super) file: usize,
    /// Counted from 1.
    pub(super) line: usize,
}

/// What a line says about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    None,
    CertAuthority,
    Revoked,
}

/// How a line names a host that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// It names that host and no other.
    Alone,
    /// Among others.
    Among,
    /// By a pattern, which may fit hosts that nobody knows yet.
    Pattern,
}

/// The first field of a line.
#[derive(Debug, Clone)]
enum Hosts {
    /// Comma-separated patterns, in lower case.
    Patterns(Vec<u8>),
    /// One name, as HMAC-SHA1 under a salt.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl Entry {
    /// Reads a line; `None` for an empty one and for a comment.
    pub(super) fn parse(line: &[u8], place: Place) -> Result<Option<Self>, String> {
        let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
        let mut word = next_word(&mut rest);
        if word.is_empty() || word.starts_with(b"#") {
            return Ok(None);
        }
        let marker = match word {
            b"@revoked" => Marker::Revoked,
            b"@cert-authority" => Marker::CertAuthority,
            _ if word.starts_with(b"@") => return Err(format!("unknown marker `{}`", word.escape_ascii())),
            _ => Marker::None,
        };
        if marker != Marker::None {
            word = next_word(&mut rest);
            if word.starts_with(b"@") {
                return Err("more than one marker".to_owned());
            }
        }
        let hosts = Hosts::parse(word)?;
        let key_type = next_word(&mut rest);
        let blob = next_word(&mut rest);
        if blob.is_empty() {
            return Err("no key".to_owned());
        }
        let (key_type, blob) = read_key(key_type, blob)?;
        Ok(Some(Self { marker, hosts, key_type, blob, place }))
    }

    /// Whether the line is for the host of this name, which is in lower case and has its port.
    pub(super) fn is_for(&self, name: &str) -> bool {
        match &self.hosts {
            Hosts::Patterns(patterns) => list_matches(patterns, name.as_bytes()),
            Hosts::Hashed { salt, hash } => {
                Hmac::<Sha1>::new_from_slice(salt).is_ok_and(|mac| mac.chain_update(name).verify_slice(hash).is_ok())
            }
        }
    }

    /// How it names a host that it is for.
    pub(super) fn naming(&self) -> Naming {
        match &self.hosts {
            Hosts::Hashed { .. } => Naming::Alone,
            Hosts::Patterns(patterns) if patterns.iter().any(|byte| b"*?!".contains(byte)) => Naming::Pattern,
            Hosts::Patterns(patterns) if patterns.contains(&b',') => Naming::Among,
            Hosts::Patterns(_) => Naming::Alone,
        }
    }

    /// Is its key of a type that this build understands?
    pub(super) fn is_decodable(&self) -> bool {
        is_decodable(&self.key_type)
    }

    /// The algorithms by which a host proves that it has this key, the best first.
    pub(super) fn signature_algorithms(&self) -> Vec<Algorithm> {
        match Algorithm::new(&self.key_type) {
            Ok(Algorithm::Rsa { .. }) => [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None].map(|hash| Algorithm::Rsa { hash }).to_vec(),
            Ok(algorithm) => vec![algorithm],
            Err(_) => Vec::new(),
        }
    }
}

/// A name as a line may hide it, under a salt of its own (`HashKnownHosts`). As it is where this machine gives no random numbers.
pub(super) fn hashed(name: &str) -> String {
    let mut salt = [0; HASH_BYTES];
    let Ok(mac) = getrandom::fill(&mut salt).map_err(drop).and_then(|()| Hmac::<Sha1>::new_from_slice(&salt).map_err(drop)) else {
        return name.to_owned();
    };
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(mac.chain_update(name).finalize().into_bytes()))
}

impl Hosts {
    fn parse(word: &[u8]) -> Result<Self, String> {
        let Some(hashed) = word.strip_prefix(b"|") else { return Ok(Self::Patterns(word.to_ascii_lowercase())) };
        let bad = || format!("bad hashed name `{}`", word.escape_ascii());
        let fields: Vec<&[u8]> = hashed.split(|byte| *byte == b'|').collect();
        let [b"1", salt, hash] = fields.as_slice() else { return Err(bad()) };
        let decode = |field: &[u8]| STANDARD.decode(field).ok().filter(|bytes| bytes.len() == HASH_BYTES);
        let (Some(salt), Some(hash)) = (decode(salt), decode(hash)) else { return Err(bad()) };
        Ok(Self::Hashed { salt, hash })
    }
}

/// Whether a pattern of the list fits and no pattern with `!` does.
fn list_matches(patterns: &[u8], name: &[u8]) -> bool {
    let mut found = false;
    for pattern in patterns.split(|byte| *byte == b',') {
        let (negated, pattern) = match pattern.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        if pattern.len() > PATTERN_MAX_BYTES {
            return false;
        }
        if fits(pattern, name) {
            if negated {
                return false;
            }
            found = true;
        }
    }
    found
}

/// Checks that the key can be decoded and is of the type that the line names.
fn read_key(key_type: &[u8], encoded: &[u8]) -> Result<(String, Vec<u8>), String> {
    let key_type = String::from_utf8_lossy(key_type).into_owned();
    let unreadable = || format!("cannot decode the {} key", key_type.escape_debug());
    let blob = STANDARD.decode(encoded).map_err(|_| unreadable())?;
    if blob_type(&blob) != Some(key_type.as_bytes()) {
        return Err(unreadable());
    }
    match PublicKey::from_bytes(&blob) {
        Ok(_) => Ok((key_type, blob)),
        Err(_) if is_decodable(&key_type) => Err(unreadable()),
        Err(_) => Ok((key_type, blob)),
    }
}

/// The type name that stands, length first, at the start of a key.
fn blob_type(blob: &[u8]) -> Option<&[u8]> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Whether this build knows what a key of this type looks like, so that one it cannot decode is damaged.
fn is_decodable(key_type: &str) -> bool {
    matches!(Algorithm::new(key_type), Ok(Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. }))
}

/// Takes the next word; words are separated by spaces and tabs.
fn next_word<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = rest.iter().position(|byte| !is_blank(byte)).unwrap_or(rest.len());
    let (_, line) = rest.split_at(start);
    let (word, after) = line.split_at(line.iter().position(is_blank).unwrap_or(line.len()));
    *rest = after;
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { file: 0, line: 1 };
    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    #[test]
    fn patterns_follow_openssh() {
        for (patterns, name, expected) in [
            ("web1", "web1", true),
            ("web1", "web10", false),
            ("web?", "web1", true),
            ("web?", "web", false),
            ("web*", "web", true),
            ("*", "anything", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("a*b*c", "a.b.b.c", true),
            ("a*b*c", "a.b.c.d", false),
            ("db1,web*", "web7", true),
            ("web*,!web7", "web7", false),
            ("!web7,web*", "web8", true),
            ("!web7", "web8", false),
            ("[10.0.0.1]:2222", "[10.0.0.1]:2222", true),
            ("10.0.0.1", "[10.0.0.1]:2222", false),
            ("[*]:2222", "[10.0.0.1]:2222", true),
            ("", "", true),
        ] {
            assert_eq!(list_matches(patterns.as_bytes(), name.as_bytes()), expected, "{patterns} for {name}");
        }
        let long = format!("{},web1", "x".repeat(PATTERN_MAX_BYTES + 1));
        assert!(!list_matches(long.as_bytes(), b"web1"));
    }

    #[test]
    fn hostile_patterns_cost_little() {
        let pattern = "*a".repeat(500);
        assert!(!fits(pattern.as_bytes(), "a".repeat(499).as_bytes()));
        assert!(!fits(b"*a*a*a*a*a*a*a*a*a*a*b", "a".repeat(1_000).as_bytes()));
    }

    #[test]
    fn lines_are_read_whatever_their_blanks_and_case() {
        for line in [
            format!("web1 {ED25519}"),
            format!("\t WEB1\t {} \r", ED25519.replace(' ', "\t")),
            format!("web1 {ED25519} comment with spaces"),
            format!("@revoked\tweb1 {ED25519} \u{fc}"),
        ] {
            let entry = Entry::parse(line.as_bytes(), PLACE);
            assert!(entry.is_ok_and(|entry| entry.is_some_and(|entry| entry.is_for("web1"))), "{line}");
        }
        for line in ["", "  \t", "# web1 ssh-ed25519 AAAA", "  # x", "\r"] {
            assert!(matches!(Entry::parse(line.as_bytes(), PLACE), Ok(None)), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let one_zero_more = format!("web1 {ED25519}AAAA");
        for (line, expected) in [
            ("web1", "no key"),
            ("web1 ssh-ed25519", "no key"),
            ("web1 ssh-ed25519 AAAA", "cannot decode the ssh-ed25519 key"),
            ("web1 ssh-ed25519 !!!", "cannot decode the ssh-ed25519 key"),
            (&one_zero_more, "cannot decode the ssh-ed25519 key"),
            ("web1 ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", "cannot decode the ssh-rsa key"),
            ("web1 1024 35 1234567", "cannot decode the 1024 key"),
            ("@mystery web1 ssh-ed25519 AAAA", "unknown marker `@mystery`"),
            ("@revoked @revoked web1 ssh-ed25519 AAAA", "more than one marker"),
            ("|1|AAAA|AAAA ssh-ed25519 AAAA", "bad hashed name `|1|AAAA|AAAA`"),
            ("|2|x ssh-ed25519 AAAA", "bad hashed name `|2|x`"),
        ] {
            assert_eq!(Entry::parse(line.as_bytes(), PLACE).err().as_deref(), Some(expected), "{line}");
        }
        assert_eq!(Entry::parse(b"@r\xff x y z", PLACE).err().as_deref(), Some("unknown marker `@r\\xff`"));
    }
}
