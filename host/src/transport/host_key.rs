//! Is this the host that it claims to be? A strict reading of OpenSSH's `known_hosts` files.
//!
//! The rules are those of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": plain, hashed and `[host]:port` names, lists,
//! patterns with `*`, `?` and `!`, and the markers `@revoked` and `@cert-authority`. A revoked key is refused whatever
//! else is written. A host with any recorded key that presents another one, also one of another type, has changed: it
//! is not new. Only [`record`] and [`learn`] write.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use russh::keys::ssh_key::public::KeyData;
use russh::keys::ssh_key::{Algorithm, HashAlg, PublicKey};
use sha2::{Digest as _, Sha256};

use self::line::{Entry, Marker, Place};
use self::revocation::RevocationList;
use crate::bounded::{self, ReadError};

mod certificate;
#[cfg(test)]
mod differential;
mod line;
mod record;
mod revocation;
mod rotation;

pub use self::record::record;
pub use self::rotation::{Gone, Learning, LeftAlone, Rotation, learn};

/// The port that is left out of names in `known_hosts`.
const SSH_PORT: u16 = 22;

/// Largest file that is read: some two hundred thousand hosts.
const FILE_MAX_BYTES: u64 = 64 << 20;

/// The recorded host keys of one or several files, in the order of the files.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    paths: Vec<PathBuf>,
    entries: Vec<Entry>,
    /// A list in OpenSSH's binary form, and its file.
    revoked: Option<(PathBuf, RevocationList)>,
    warnings: Vec<String>,
    /// Where a new host would be recorded, and how.
    learning: Learning,
    demands: Demands,
}

/// What a host's key must be beside recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    /// The bits that an RSA key must have at least.
    pub rsa_bits: Option<u32>,
    /// What authorities may sign certificates with; `None` is anything.
    pub signatures: Option<Vec<Algorithm>>,
}

/// What the files say about a key that a host presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The key is recorded for this host.
    Known {
        /// The file.
        file: PathBuf,
        /// Its line, counted from 1.
        line: usize,
    },
    /// No key is recorded for this host.
    Unknown,
    /// Another key is recorded for this host.
    Changed {
        /// The file.
        file: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// Algorithm of the recorded key, as the file names it.
        recorded_type: String,
        /// `SHA256:` fingerprint of the recorded key.
        recorded_fingerprint: String,
    },
    /// This key must not be accepted for this host.
    Revoked {
        /// The file.
        file: PathBuf,
        /// Its line, counted from 1; a revocation list has none.
        line: Option<usize>,
    },
}

/// Why the host's key is not accepted, with what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyError {
    /// No key is recorded.
    #[error(
        "host key of `{device}` is not known: {host} presented {key_type} {fingerprint}; \
         check the fingerprint with the owner, then run `jackfield hostkey accept {device}`, or add this line to {file}: {entry}"
    )]
    Unknown {
        /// The device.
        device: String,
        /// Its address, as `known_hosts` writes it.
        host: String,
        /// Algorithm of the presented key.
        key_type: String,
        /// Fingerprint of the presented key.
        fingerprint: String,
        /// The file to add the line to.
        file: String,
        /// The line to add.
        entry: String,
        /// The fingerprint as a picture.
        art: String,
    },
    /// Another key is recorded.
    #[error(
        "host key of `{device}` changed: presented {key_type} {fingerprint}, recorded in {file} line {line}: \
         {recorded_type} {recorded_fingerprint}; somebody may stand between you and the host; if the change is expected, \
         check the new fingerprint with the owner, run `ssh-keygen -R {} -f {}`, then `jackfield hostkey accept {device}`",
        shell_word(host),
        shell_word(file)
    )]
    Changed {
        /// The device.
        device: String,
        /// Its address, as `known_hosts` writes it.
        host: String,
        /// Algorithm of the presented key.
        key_type: String,
        /// Fingerprint of the presented key.
        fingerprint: String,
        /// File of the recorded key.
        file: String,
        /// Line of the recorded key.
        line: usize,
        /// Algorithm of the recorded key.
        recorded_type: String,
        /// Fingerprint of the recorded key.
        recorded_fingerprint: String,
    },
    /// The host shows a certificate of a trusted authority that is not good for it.
    #[error(
        "host certificate of `{device}` is not accepted: {what}; it is `{id}`, signed by {authority}, trusted in {file} line {line}; \
         ask the owner for a new certificate of the host"
    )]
    Certificate {
        /// The device.
        device: String,
        /// What is wrong with it.
        what: String,
        /// What the authority called it.
        id: String,
        /// Fingerprint of the authority's key.
        authority: String,
        /// File that trusts the authority.
        file: String,
        /// Its line.
        line: usize,
    },
    /// The key is an RSA key that the ssh configuration holds to be too short, recorded or not.
    #[error(
        "host key of `{device}` is too short: {fingerprint} is an RSA key of {bits} bits, and `RequiredRSASize` wants {least}; \
         ask the owner for a longer key or one of another type"
    )]
    Short {
        /// The device.
        device: String,
        /// Fingerprint of the presented key.
        fingerprint: String,
        /// The bits that it has.
        bits: u32,
        /// The bits that it should have.
        least: u32,
    },
    /// The key is revoked.
    #[error(
        "host key of `{device}` is revoked: {key_type} {fingerprint} {}; do not connect, and ask the owner for the host's new key",
        revoked_by(file, *line)
    )]
    Revoked {
        /// The device.
        device: String,
        /// Algorithm of the presented key.
        key_type: String,
        /// Fingerprint of the presented key.
        fingerprint: String,
        /// File that says so.
        file: String,
        /// Its line; a revocation list has none.
        line: Option<usize>,
    },
}

/// A `known_hosts` file that exists and cannot be used. Going on without it could miss a revoked key.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read the known_hosts file `{}`: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A revocation list is not understood.
    #[error("the list of revoked keys in `{}` cannot be used: {what}; make it anew with `ssh-keygen -k`", path.display())]
    RevocationList {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A line among revoked keys is not understood.
    #[error(
        "line {line} of the revoked keys in `{}` cannot be used: {what}; a line holds one public key, `TYPE BASE64`: correct it, or take it out",
        path.display()
    )]
    RevokedLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The file is larger than what is read.
    #[error("the known_hosts file `{}` is larger than {FILE_MAX_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

impl KnownHosts {
    /// Reads the files. One that does not exist is empty; lines that cannot be read are skipped with a warning.
    pub fn load<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, LoadError> {
        let mut known = Self::default();
        for path in paths {
            let path = path.as_ref();
            let text = read(path)?;
            let file = known.paths.len();
            known.paths.push(path.to_owned());
            for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
                match Entry::parse(line, Place { file, line: index + 1 }) {
                    Ok(entry) => known.entries.extend(entry),
                    Err(reason) => known.warnings.push(format!("{} line {}: {reason}; the line is skipped", path.display(), index + 1)),
                }
            }
        }
        Ok(known)
    }

    /// The same, and a file of keys that no host may have: public keys, one a line, or a revocation list of `ssh-keygen -k`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or the list or a line of it is not understood.
    pub fn load_with<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, revoked: Option<&Path>) -> Result<Self, LoadError> {
        let mut known = Self::load(paths)?;
        let Some(path) = revoked else { return Ok(known) };
        // Unlike the others it must be there: without it a revoked key would be taken.
        let text = bounded::read(path, FILE_MAX_BYTES).map_err(|error| match error {
            ReadError::Io(cause) => LoadError::Read { path: path.to_owned(), cause },
            ReadError::TooLong { .. } => LoadError::TooLarge { path: path.to_owned() },
        })?;
        if text.starts_with(revocation::MAGIC) {
            let list = RevocationList::parse(&text);
            let list = list.map_err(|what| LoadError::RevocationList { path: path.to_owned(), what })?;
            known.revoked = Some((path.to_owned(), list));
            return Ok(known);
        }
        let file = known.paths.len();
        known.paths.push(path.to_owned());
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() || line.trim_ascii_start().starts_with(b"#") {
                continue;
            }
            let number = index + 1;
            let line = [b"@revoked * ".as_slice(), line.trim_ascii_start()].concat();
            // OpenSSH connects to nobody then, either: the line may name the very key that the host shows.
            let entry = Entry::parse(&line, Place { file, line: number });
            known.entries.extend(entry.map_err(|what| LoadError::RevokedLine { path: path.to_owned(), line: number, what })?);
        }
        Ok(known)
    }

    /// The same, where a new host is to be recorded as this says.
    #[must_use]
    pub fn recorded_as(self, learning: &Learning) -> Self {
        Self { learning: learning.clone(), ..self }
    }

    /// The same, where keys that do not meet this are refused.
    #[must_use]
    pub fn demanding(self, demands: Demands) -> Self {
        Self { demands, ..self }
    }

    /// The lines that were skipped, and why.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The algorithms recorded for this host: offer only these, so that the host presents the key that is recorded.
    ///
    /// Empty for a new host: offer all. An RSA key stands for its three signature algorithms, the best first. A recorded
    /// algorithm may be one that this build cannot speak.
    pub fn known_types(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let name = host_name(host, port);
        let mut types = Vec::new();
        for entry in self.matching(&name).filter(|entry| entry.marker == Marker::None) {
            for algorithm in entry.signature_algorithms() {
                if !types.contains(&algorithm) {
                    types.push(algorithm);
                }
            }
        }
        types
    }

    /// What the files say about this key.
    ///
    /// As in OpenSSH, a host on another port than 22 may be recorded without the port: such a line can prove a key, but
    /// not that it changed, because another server may listen on port 22.
    pub fn check(&self, host: &str, port: u16, key: &PublicKey) -> Trust {
        let Ok(blob) = key.to_bytes() else { return Trust::Unknown };
        let with_port = self.check_name(&host_name(host, port), &blob);
        if with_port != Trust::Unknown || port == SSH_PORT {
            return with_port;
        }
        match self.check_name(&host_name(host, SSH_PORT), &blob) {
            Trust::Changed { .. } => Trust::Unknown,
            other => other,
        }
    }

    /// Accepts only a recorded key; everything else is an error that says what to do.
    pub fn verify(&self, device: &str, host: &str, port: u16, key: &PublicKey) -> Result<(), Box<HostKeyError>> {
        let device = device.to_owned();
        let (key_type, print) = (key.algorithm().as_str().to_owned(), fingerprint(key));
        let shown = host_name(host, port);
        let own = self.learning.files.first().or_else(|| self.paths.first());
        let trust = self.check(host, port, key);
        let short = short_of(key.key_data(), self.demands.rsa_bits).filter(|_| !matches!(trust, Trust::Revoked { .. }));
        if let Some((bits, least)) = short {
            return Err(Box::new(HostKeyError::Short { device, fingerprint: print, bits, least }));
        }
        Err(Box::new(match trust {
            Trust::Known { .. } => return Ok(()),
            Trust::Unknown => HostKeyError::Unknown {
                device,
                entry: known_hosts_line(host, port, key, self.learning.hashed),
                art: picture(key),
                host: shown,
                key_type,
                fingerprint: print,
                file: own.map_or_else(|| "a known_hosts file".to_owned(), |path| path.display().to_string()),
            },
            Trust::Changed { file, line, recorded_type, recorded_fingerprint } => HostKeyError::Changed {
                device,
                host: shown,
                key_type,
                fingerprint: print,
                file: file.display().to_string(),
                line,
                recorded_type,
                recorded_fingerprint,
            },
            Trust::Revoked { file, line } => {
                HostKeyError::Revoked { device, key_type, fingerprint: print, file: file.display().to_string(), line }
            }
        }))
    }

    fn check_name(&self, name: &str, blob: &[u8]) -> Trust {
        if let Some((file, _)) = self.revoked.as_ref().filter(|(_, list)| list.has_key(blob)) {
            return Trust::Revoked { file: file.clone(), line: None };
        }
        let entries: Vec<&Entry> = self.matching(name).collect();
        let of = |marker: Marker| entries.iter().filter(move |entry| entry.marker == marker);
        if let Some(entry) = of(Marker::Revoked).find(|entry| entry.blob == blob) {
            return Trust::Revoked { file: self.path(entry), line: Some(entry.place.line) };
        }
        if let Some(entry) = of(Marker::None).find(|entry| entry.blob == blob) {
            return Trust::Known { file: self.path(entry), line: entry.place.line };
        }
        // A `@cert-authority` line says nothing about a plain key, so it neither proves it nor makes it a change.
        match of(Marker::None).next() {
            None => Trust::Unknown,
            Some(entry) => Trust::Changed {
                file: self.path(entry),
                line: entry.place.line,
                recorded_type: entry.key_type.clone(),
                recorded_fingerprint: blob_fingerprint(&entry.blob),
            },
        }
    }

    fn matching<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.is_for(name))
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        self.paths.get(entry.place.file).cloned().unwrap_or_default()
    }
}

/// The bits of an RSA key, and those that it should have, where it has fewer.
pub fn short_of(key: &KeyData, least: Option<u32>) -> Option<(u32, u32)> {
    let (key, least) = (key.rsa()?, least?);
    // Its own count is of whole bytes.
    let unused = key.n().as_positive_bytes()?.first().map_or(0, |byte| byte.leading_zeros());
    let bits = key.key_size().saturating_sub(unused);
    (bits < least).then_some((bits, least))
}

/// `SHA256:` and the unpadded base64 digest, as `ssh-keygen -l` prints it.
pub fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The fingerprint as the picture that `ssh-keygen -lv` draws.
pub fn picture(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_randomart(&format!("[{}]", key.algorithm()))
}

/// The line that records this key for this host; hashed, it does not tell which one that is.
pub fn known_hosts_line(host: &str, port: u16, key: &PublicKey, hashed: bool) -> String {
    let blob = key.to_bytes().unwrap_or_default();
    let name = host_name(host, port);
    let name = if hashed { line::hashed(&name) } else { name };
    format!("{name} {} {}", key.algorithm().as_str(), STANDARD.encode(blob))
}

/// The host as `known_hosts` names it: lower case, with the port where it is not 22.
pub fn host_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == SSH_PORT { host } else { format!("[{host}]:{port}") }
}

fn blob_fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let path = path.to_owned();
    match bounded::read(&path, FILE_MAX_BYTES) {
        Err(ReadError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(ReadError::Io(cause)) => Err(LoadError::Read { path, cause }),
        Err(ReadError::TooLong { .. }) => Err(LoadError::TooLarge { path }),
        Ok(text) => Ok(text),
    }
}

fn revoked_by(file: &str, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("is marked `@revoked` in {file} line {line}"),
        None => format!("is in the list of revoked keys {file}"),
    }
}

/// The text as one word of a POSIX shell line: the brackets of `[host]:port` would be expanded.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use russh::keys::ssh_key::public::{Ed25519PublicKey, KeyData};

    use super::*;

    /// Public keys made for these tests; the private halves were thrown away.
    pub(super) const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJB62kpaIXrrsQhktKrGHfNhlZgMjwtvzcg/p7ZO+Kk1z9tYgHDZly0leNaHwTLGdOKos1brOTe1fgKy4URJOSw=";
    pub(super) const RSA: &str = "\
         ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC54ixE+tTWz/WyTA1LEixrN5rp+pjrSJctC+BGU45FQdUKLyfeJguz6OZ66711RFtTAB7gWKglEsg96bGVcx5743E7zWehkwhRsLp1JAl3/RWILwLk0vYGJkxovr+2RA8BHzZgfaDriA/d1xzRJY3CBvap/L/JkDn6wTgoKVx/Fw==";

    /// A key that differs for each number.
    pub(super) fn ed25519(number: u8) -> PublicKey {
        PublicKey::from(KeyData::Ed25519(Ed25519PublicKey([number; 32])))
    }

    pub(super) fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).unwrap()
    }

    /// A key as it stands in a file.
    pub(super) fn written(number: u8) -> String {
        ed25519(number).to_openssh().unwrap()
    }

    /// Loads files with these contents; they are called `0`, `1` and so on.
    fn load(contents: &[&str]) -> KnownHosts {
        let directory = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (0..contents.len()).map(|index| directory.path().join(index.to_string())).collect();
        for (path, content) in paths.iter().zip(contents) {
            std::fs::write(path, content).unwrap();
        }
        let mut known = KnownHosts::load(&paths).unwrap();
        // Short names, so that the expected texts stay readable.
        known.paths = (0..contents.len()).map(|index| PathBuf::from(index.to_string())).collect();
        known
    }

    fn known(file: &str, line: usize) -> Trust {
        Trust::Known { file: PathBuf::from(file), line }
    }

    fn revoked(file: &str, line: usize) -> Trust {
        Trust::Revoked { file: PathBuf::from(file), line: Some(line) }
    }

    #[test]
    fn a_recorded_key_is_known_and_its_place_is_told() {
        let hosts = load(&[&format!("# hosts\nweb1,10.0.0.1 {}\n", written(1)), &format!("[web2]:2222 {}\n", written(2))]);
        assert_eq!(hosts.check("web1", 22, &ed25519(1)), known("0", 2));
        assert_eq!(hosts.check("WEB1", 22, &ed25519(1)), known("0", 2));
        assert_eq!(hosts.check("10.0.0.1", 22, &ed25519(1)), known("0", 2));
        assert_eq!(hosts.check("web2", 2222, &ed25519(2)), known("1", 1));
        assert_eq!(hosts.check("web2", 22, &ed25519(2)), Trust::Unknown);
        assert_eq!(hosts.check("web3", 22, &ed25519(1)), Trust::Unknown);
    }

    #[test]
    fn another_key_is_a_change_also_when_its_type_differs() {
        let hosts = load(&[&format!("web1 {ECDSA}\n")]);
        for presented in [ed25519(1), key(RSA)] {
            let expected = Trust::Changed {
                file: PathBuf::from("0"),
                line: 1,
                recorded_type: "ecdsa-sha2-nistp256".to_owned(),
                recorded_fingerprint: "SHA256:A90BPtHktorVgIon45e+mtax/LjiaamGcJ178MXpJxI".to_owned(),
            };
            assert_eq!(hosts.check("web1", 22, &presented), expected);
        }
        assert_eq!(hosts.check("web1", 22, &key(ECDSA)), known("0", 1));
    }

    #[test]
    fn one_fitting_line_is_enough_in_any_file() {
        let hosts = load(&[&format!("web1 {}\nweb1 {RSA}", written(1)), &format!("web* {}", written(3))]);
        assert_eq!(hosts.check("web1", 22, &ed25519(3)), known("1", 1));
        assert!(matches!(hosts.check("web1", 22, &ed25519(4)), Trust::Changed { line: 1, .. }));
    }

    #[test]
    fn a_recorded_key_of_a_type_we_cannot_use_still_makes_a_change() {
        // The start of an `ssh-dss` key, which this build cannot decode.
        let dss = STANDARD.encode([&7_u32.to_be_bytes()[..], b"ssh-dss", &[0, 0, 0, 1, 9]].concat());
        let hosts = load(&[&format!("web1 ssh-dss {dss}\n")]);
        assert!(matches!(hosts.check("web1", 22, &ed25519(1)), Trust::Changed { .. }));
    }

    #[test]
    fn a_revoked_key_is_refused_whatever_else_is_written() {
        let hosts = load(&[&format!("web1 {}\n", written(1)), &format!("@revoked * {}\n", written(1))]);
        assert_eq!(hosts.check("web1", 22, &ed25519(1)), revoked("1", 1));
        assert_eq!(hosts.check("new", 2222, &ed25519(1)), revoked("1", 1));
        assert_eq!(hosts.check("new", 22, &ed25519(2)), Trust::Unknown);
        let named = load(&[&format!("@revoked web1 {}\n", written(1))]);
        assert_eq!(named.check("web1", 2222, &ed25519(1)), revoked("0", 1));
        assert_eq!(named.check("web2", 22, &ed25519(1)), Trust::Unknown);
    }

    #[test]
    fn an_authority_line_never_stands_for_a_plain_key() {
        let hosts = load(&[&format!("@cert-authority * {}\n", written(1))]);
        assert_eq!(hosts.check("web1", 22, &ed25519(1)), Trust::Unknown);
        assert_eq!(hosts.check("web1", 22, &ed25519(2)), Trust::Unknown);
        assert!(hosts.known_types("web1", 22).is_empty());
    }

    #[test]
    fn a_line_without_port_proves_a_key_on_another_port_but_no_change() {
        let hosts = load(&[&format!("web1 {}\n", written(1))]);
        assert_eq!(hosts.check("web1", 2222, &ed25519(1)), known("0", 1));
        assert_eq!(hosts.check("web1", 2222, &ed25519(2)), Trust::Unknown);
        assert!(hosts.known_types("web1", 2222).is_empty());
    }

    #[test]
    fn known_types_are_those_of_the_host() {
        let hosts = load(&[&format!("web1 {}\nweb1 {RSA}\nweb* {}\nweb2 {ECDSA}\n", written(1), written(2))]);
        let names: Vec<String> = hosts.known_types("web1", 22).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]);
        assert!(hosts.known_types("db1", 22).is_empty());
    }

    #[test]
    fn damaged_lines_are_skipped_with_a_warning() {
        let hosts = load(&[&format!("web1 ssh-ed25519 AAAA\n\u{ff}\u{1b}x\nweb1 {}\n", written(1))]);
        assert_eq!(hosts.check("web1", 22, &ed25519(1)), known("0", 3));
        let warnings: Vec<&str> = hosts.warnings().iter().filter_map(|text| text.split_once(" line ")).map(|(_, text)| text).collect();
        assert_eq!(warnings, ["1: cannot decode the ssh-ed25519 key; the line is skipped", "2: no key; the line is skipped"]);
    }

    #[test]
    fn text_that_is_not_utf8_harms_only_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known_hosts");
        let content = [b"web1\xff,\xfe ssh-ed25519 \xff\n".as_slice(), format!("web1 {} ", written(1)).as_bytes(), b"\xfc\n"].concat();
        std::fs::write(&path, content).unwrap();
        let hosts = KnownHosts::load([&path]).unwrap();
        assert_eq!(hosts.warnings().len(), 1);
        assert!(matches!(hosts.check("web1", 22, &ed25519(1)), Trust::Known { line: 2, .. }));
    }

    #[test]
    fn a_missing_file_is_empty_and_an_unreadable_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let hosts = KnownHosts::load([directory.path().join("absent")]).unwrap();
        assert_eq!(hosts.check("web1", 22, &ed25519(1)), Trust::Unknown);
        let error = KnownHosts::load([directory.path()]).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the known_hosts file `"), "{error}");
    }

    #[test]
    fn a_line_among_revoked_keys_that_is_not_understood_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("revoked");
        let load = |text: String| {
            std::fs::write(&path, text).unwrap();
            KnownHosts::load_with([directory.path().join("absent")], Some(&path)).map_err(|error| error.to_string())
        };
        let good = load(format!("# lost\n\n {} web1\r\n{ECDSA}\n", written(1))).unwrap();
        assert!(matches!(good.check("web1", 22, &ed25519(1)), Trust::Revoked { line: Some(3), .. }));
        assert!(matches!(good.check("web1", 22, &key(ECDSA)), Trust::Revoked { line: Some(4), .. }));
        // As `known_hosts` writes it, cut off, and as `ssh-keygen -l` prints it.
        for line in [format!("web1 {}", written(1)), "ssh-ed25519 AAAAC3Nza".to_owned(), "256 SHA256:abc web1 (ED25519)".to_owned()] {
            let why = load(format!("{ECDSA}\n{line}\n")).unwrap_err();
            assert!(why.starts_with("line 2 of the revoked keys in `") && why.contains("cannot be used: "), "{line}: {why}");
        }
    }

    #[test]
    fn errors_say_what_to_do_next() {
        let hosts = load(&[&format!("[web1]:2222 {ECDSA}\n@revoked web3 {RSA}\n")]);
        let text = |host, port, presented: &PublicKey| hosts.verify("core", host, port, presented).map_err(|error| error.to_string());
        assert_eq!(text("web1", 2222, &key(ECDSA)), Ok(()));
        assert_eq!(
            text("Web1", 2222, &key(RSA)).unwrap_err(),
            "host key of `core` changed: presented ssh-rsa SHA256:aMuUu5sTZHenG04nw+bD2tj58m4/39lUP7fM19kF7X4, recorded in 0 line 1: \
             ecdsa-sha2-nistp256 SHA256:A90BPtHktorVgIon45e+mtax/LjiaamGcJ178MXpJxI; somebody may stand between you and the host; \
             if the change is expected, check the new fingerprint with the owner, run `ssh-keygen -R '[web1]:2222' -f '0'`, then `jackfield hostkey accept core`"
        );
        assert_eq!(
            text("web2", 22, &key(ECDSA)).unwrap_err(),
            format!(
                "host key of `core` is not known: web2 presented ecdsa-sha2-nistp256 \
                 SHA256:A90BPtHktorVgIon45e+mtax/LjiaamGcJ178MXpJxI; check the fingerprint with the owner, \
                 then run `jackfield hostkey accept core`, or add this line to 0: web2 {ECDSA}"
            )
        );
        assert_eq!(
            text("web3", 22, &key(RSA)).unwrap_err(),
            "host key of `core` is revoked: ssh-rsa SHA256:aMuUu5sTZHenG04nw+bD2tj58m4/39lUP7fM19kF7X4 is marked `@revoked` \
             in 0 line 2; do not connect, and ask the owner for the host's new key"
        );
    }

    #[test]
    fn an_rsa_key_that_is_shorter_than_the_configuration_wants_is_refused_recorded_or_not() {
        let hosts = |least| load(&[&format!("web1 {RSA}\nweb3 {ECDSA}\n")]).demanding(Demands { rsa_bits: Some(least), signatures: None });
        let text = |least, host, key: &PublicKey| hosts(least).verify("core", host, 22, key).map_err(|error| error.to_string());
        assert_eq!(text(1024, "web1", &key(RSA)), Ok(()));
        assert_eq!(text(2048, "web3", &key(ECDSA)), Ok(()));
        for host in ["web1", "web2", "web3"] {
            assert_eq!(
                text(1025, host, &key(RSA)).unwrap_err(),
                "host key of `core` is too short: SHA256:aMuUu5sTZHenG04nw+bD2tj58m4/39lUP7fM19kF7X4 is an RSA key of 1024 bits, \
                 and `RequiredRSASize` wants 1025; ask the owner for a longer key or one of another type"
            );
        }
        let revoked = load(&[&format!("@revoked * {RSA}")]).demanding(Demands { rsa_bits: Some(2048), signatures: None });
        let error = revoked.verify("core", "web1", 22, &key(RSA)).unwrap_err();
        assert!(matches!(*error, HostKeyError::Revoked { .. }), "{error}");
    }

    #[test]
    fn a_new_host_is_recorded_in_the_users_own_file_and_hidden_where_he_wants_that() {
        let learning = Learning { files: vec![PathBuf::from("own")], hashed: true, by_itself: false };
        match *load(&[""]).recorded_as(&learning).verify("core", "web1", 2222, &ed25519(1)).unwrap_err() {
            HostKeyError::Unknown { file, entry, .. } => {
                assert!(file == "own" && entry.starts_with("|1|"), "{file}: {entry}");
                assert_eq!(load(&[&entry]).check("web1", 2222, &ed25519(1)), known("0", 1));
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_line_to_add_makes_the_key_known() {
        let hosts = load(&[&known_hosts_line("Web1", 2222, &ed25519(7), false)]);
        assert_eq!(hosts.check("web1", 2222, &ed25519(7)), known("0", 1));
    }
}
