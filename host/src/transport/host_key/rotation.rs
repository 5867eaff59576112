//! Further keys of a host whose key is known: learned once it has proven them, and old ones forgotten (OpenSSH's `UpdateHostKeys`).
//!
//! A host announces all its keys after the login (PROTOCOL section 2.5, `hostkeys-00@openssh.com`). Only files of the user change, and
//! only lines that name this host alone. A host that an authority or a pattern stands for is left as it is: what its lines
//! mean was somebody's decision.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fmt, fs};

use russh::keys::PublicKey;

use super::line::{Entry, Marker, Naming};
use super::{KnownHosts, Trust, blob_fingerprint, host_name, known_hosts_line, record};

/// Held while a file is written anew: what another connection has learned in between is not lost.
static WRITING: Mutex<()> = Mutex::new(());

/// What is recorded of hosts by the program itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learning {
    /// The user's own files; the first one gets new lines.
    pub files: Vec<PathBuf>,
    /// Names are written as hashes (`HashKnownHosts`).
    pub hashed: bool,
    /// Keys that a host proves are recorded without a question (`UpdateHostKeys`).
    pub by_itself: bool,
}

/// What an announcement changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Keys that are not recorded. They count once they are proven.
    pub new: Vec<PublicKey>,
    /// Lines with keys that the host has no more.
    pub gone: Vec<Gone>,
}

/// A line with a key that the host has no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The file.
    pub file: PathBuf,
    /// Its line, counted from 1.
    pub line: usize,
    /// The key's type.
    pub key_type: String,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// Why nothing is learned of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftAlone {
    /// The key that it presented is not in the user's own files.
    NotOwn,
    /// The key that it presented is not among those that it announces.
    NotAnnounced,
    /// An authority is trusted for it.
    Authority,
    /// A line with a pattern fits its name.
    Pattern,
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOwn => "its key is not recorded in your own known_hosts files",
            Self::NotAnnounced => "the key that it showed is not among those that it announces",
            Self::Authority => "its keys are certified by an authority",
            Self::Pattern => "a line with a pattern stands for it",
        })
    }
}

impl Rotation {
    /// Is everything recorded as it is?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty()
    }
}

impl KnownHosts {
    /// What the announced keys of a host change in the user's own files. `presented` is the key that it logged us in with.
    ///
    /// # Errors
    ///
    /// Why this host is left alone.
    pub fn rotation(
        &self,
        (host, port): (&str, u16),
        presented: &PublicKey,
        announced: &[PublicKey],
        own: &[PathBuf],
    ) -> Result<Rotation, LeftAlone> {
        let name = host_name(host, port);
        let blob = |key: &PublicKey| key.to_bytes().unwrap_or_default();
        let announced: BTreeMap<Vec<u8>, &PublicKey> = announced.iter().map(|key| (blob(key), key)).collect();
        if !announced.contains_key(&blob(presented)) {
            return Err(LeftAlone::NotAnnounced);
        }
        let entries: Vec<&Entry> = self.matching(&name).collect();
        if entries.iter().any(|entry| entry.marker == Marker::CertAuthority) {
            return Err(LeftAlone::Authority);
        }
        let is_own = |entry: &Entry| own.contains(&self.path(entry));
        let recorded: Vec<&Entry> = entries.into_iter().filter(|entry| entry.marker == Marker::None).collect();
        if recorded.iter().any(|entry| entry.naming() == Naming::Pattern) {
            return Err(LeftAlone::Pattern);
        }
        if !recorded.iter().any(|entry| is_own(entry) && entry.blob == blob(presented)) {
            return Err(LeftAlone::NotOwn);
        }
        let new = announced.values().filter(|key| self.check(host, port, key).is_learnable());
        // Of a type that is not understood here nobody knows whether it was announced.
        let is_gone = |entry: &&&Entry| {
            is_own(entry) && entry.naming() == Naming::Alone && entry.is_decodable() && !announced.contains_key(&entry.blob)
        };
        // A key that other names have as well may be this host's under them: it goes on to be one.
        let is_elsewhere =
            |gone: &Entry| self.entries.iter().any(|entry| entry.marker == Marker::None && entry.blob == gone.blob && !entry.is_for(&name));
        let gone = recorded.iter().filter(is_gone).filter(|entry| !is_elsewhere(entry)).map(|entry| Gone {
            file: self.path(entry),
            line: entry.place.line,
            key_type: entry.key_type.clone(),
            fingerprint: blob_fingerprint(&entry.blob),
        });
        Ok(Rotation { new: new.map(|key| (*key).clone()).collect(), gone: gone.collect() })
    }
}

impl Trust {
    /// May a key of which the files say this be learned?
    fn is_learnable(&self) -> bool {
        matches!(self, Self::Unknown | Self::Changed { .. })
    }
}

/// Brings the user's own files up to date with the keys of a host, of which `proven` are proven. Gives what was changed.
///
/// # Errors
///
/// What the system said of a file; that one is as before then.
pub fn learn(
    learning: &Learning,
    (host, port): (&str, u16),
    presented: &PublicKey,
    announced: &[PublicKey],
    proven: &[PublicKey],
) -> io::Result<Rotation> {
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let known = KnownHosts::load(&learning.files).map_err(io::Error::other)?;
    let Ok(mut rotation) = known.rotation((host, port), presented, announced, &learning.files) else { return Ok(Rotation::default()) };
    rotation.new.retain(|key| proven.contains(key));
    let lines: Vec<String> = rotation.new.iter().map(|key| known_hosts_line(host, port, key, learning.hashed)).collect();
    if let Some(file) = learning.files.first().filter(|_| !lines.is_empty()) {
        record(file, &lines.join("\n"))?;
    }
    // What is new is written before anything goes.
    for file in &learning.files {
        let gone: BTreeSet<usize> = rotation.gone.iter().filter(|gone| gone.file == *file).map(|gone| gone.line).collect();
        if !gone.is_empty() {
            without(file, &gone)?;
        }
    }
    Ok(rotation)
}

/// Writes a file without some of its lines: whoever reads it sees the old one or the new one. The old one stays beside it, as `.old`.
fn without(file: &Path, gone: &BTreeSet<usize>) -> io::Result<()> {
    // A link stays a link.
    let file = fs::canonicalize(file)?;
    let folder = file.parent().ok_or_else(|| io::Error::other("it lies in no folder"))?;
    let text = fs::read(&file)?;
    let kept = text.split_inclusive(|byte| *byte == b'\n').enumerate().filter(|(at, _)| !gone.contains(&(at + 1)));
    let mut out = tempfile::NamedTempFile::new_in(folder)?;
    out.write_all(&kept.flat_map(|(_, line)| line.to_vec()).collect::<Vec<u8>>())?;
    out.as_file().set_permissions(fs::metadata(&file)?.permissions())?;
    out.as_file().sync_all()?;
    let mut old = file.clone().into_os_string();
    old.push(".old");
    fs::copy(&file, old)?;
    out.persist(&file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::tests::{ECDSA, ed25519, key, written};
    use super::*;

    struct Files {
        folder: tempfile::TempDir,
        learning: Learning,
    }

    /// The user's own file and a second one, then one of the system.
    fn files(own: &str, second: &str) -> Files {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("known_hosts"), folder.path().join("known_hosts2")];
        for (path, text) in paths.iter().zip([own, second]) {
            fs::write(path, text).unwrap();
        }
        Files { learning: Learning { files: paths.to_vec(), hashed: false, by_itself: true }, folder }
    }

    impl Files {
        fn planned(&self, presented: &PublicKey, announced: &[PublicKey]) -> Result<(usize, Vec<usize>), LeftAlone> {
            let known = KnownHosts::load(&self.learning.files).unwrap();
            let found = known.rotation(("Web1", 2222), presented, announced, &self.learning.files)?;
            Ok((found.new.len(), found.gone.iter().map(|gone| gone.line).collect()))
        }

        fn learn(&self, announced: &[PublicKey], proven: &[PublicKey]) -> Rotation {
            learn(&self.learning, ("Web1", 2222), &ed25519(1), announced, proven).unwrap()
        }

        fn text(&self, name: &str) -> String {
            fs::read_to_string(self.folder.path().join(name)).unwrap()
        }
    }

    #[test]
    fn new_keys_are_learned_and_old_ones_forgotten() {
        let files =
            files(&format!("[web1]:2222 {}\n# mine\n[web1]:2222 {}", written(1), written(2)), &format!("[web1]:2222 {}\n", written(3)));
        fs::set_permissions(&files.learning.files[0], fs::Permissions::from_mode(0o640)).unwrap();
        let announced = [ed25519(1), key(ECDSA), ed25519(4)];
        assert_eq!(files.planned(&ed25519(1), &announced), Ok((2, vec![3, 1])));
        // One of them is not proven.
        let done = files.learn(&announced, &[ed25519(4)]);
        assert_eq!((done.new, done.gone.len()), (vec![ed25519(4)], 2));
        assert_eq!(files.text("known_hosts"), format!("[web1]:2222 {}\n# mine\n[web1]:2222 {}\n", written(1), written(4)));
        assert_eq!(files.text("known_hosts2"), "");
        assert!(files.text("known_hosts.old").contains(&written(2)));
        assert_eq!(fs::metadata(&files.learning.files[0]).unwrap().permissions().mode() & 0o777, 0o640);
        let unproven = files.learn(&announced, &[ed25519(4)]);
        assert!(unproven.is_empty(), "{unproven:?}");
    }

    #[test]
    fn hashed_names_are_found_and_written() {
        let mut files = files(&format!("{}\n", known_hosts_line("web1", 2222, &ed25519(1), true)), "");
        files.learning.hashed = true;
        let announced = [ed25519(1), ed25519(2)];
        assert_eq!(files.learn(&announced, &announced).new, [ed25519(2)]);
        let text = files.text("known_hosts");
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.starts_with("|1|")) && !text.contains("web1"), "{text}");
        assert_eq!(files.planned(&ed25519(2), &announced), Ok((0, vec![])));
    }

    #[test]
    fn hosts_that_are_left_alone() {
        let announced = [ed25519(1), ed25519(2)];
        let line = |hosts: &str, number| format!("{hosts} {}\n", written(number));
        for (own, expected) in [
            (line("[web1]:2222", 3), LeftAlone::NotOwn),
            (line("web1", 1), LeftAlone::NotOwn),
            (line("[web1]:2222", 1) + &line("[web*]:2222", 3), LeftAlone::Pattern),
            (line("[web1]:2222,![web2]:2222", 1), LeftAlone::Pattern),
            (line("[web1]:2222", 1) + &line("@cert-authority [web1]:2222", 3), LeftAlone::Authority),
        ] {
            assert_eq!(files(&own, "").planned(&ed25519(1), &announced), Err(expected), "{own}");
        }
        let own = files(&line("[web1]:2222", 1), "");
        assert_eq!(own.planned(&ed25519(1), &announced[1..]), Err(LeftAlone::NotAnnounced));
        // A key in a file that is not the user's own proves the host, and changes nothing.
        let known = KnownHosts::load(&own.learning.files).unwrap();
        assert_eq!(known.rotation(("web1", 2222), &ed25519(1), &announced, &own.learning.files[1..]), Err(LeftAlone::NotOwn));
    }

    #[test]
    fn lines_that_say_more_than_this_host_stay() {
        let dss = "ssh-dss AAAAB3NzaC1kc3MAAAABCQ==";
        let own = format!(
            "[web1]:2222 {one}\n[web1]:2222,db1 {two}\n[web1]:2222 {three}\ndb2 {three}\n[web1]:2222 {dss}\n@revoked [web1]:2222 {four}\n",
            one = written(1),
            two = written(2),
            three = written(3),
            four = written(4)
        );
        let files = files(&own, "");
        // Two names, a key of another name too, a type that is not understood, and a revoked key is not learned.
        assert_eq!(files.planned(&ed25519(1), &[ed25519(1), ed25519(4)]), Ok((0, vec![])));
        files.learn(&[ed25519(1), ed25519(4)], &[ed25519(4)]);
        assert_eq!(files.text("known_hosts"), own);
        assert!(!files.folder.path().join("known_hosts.old").exists());
    }
}
