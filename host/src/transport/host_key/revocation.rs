//! Key revocation lists in OpenSSH's binary form (PROTOCOL.krl, `ssh-keygen -k`), as `RevokedHostKeys` names them.
//!
//! A list names keys, fingerprints of keys, and certificates of an authority by serial number or identity. A signature of the list is
//! skipped, as OpenSSH does where it has no key to check it with: who may write the file decides what is revoked.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// What a list begins with.
pub(super) const MAGIC: &[u8] = b"SSHKRL\n\0";
/// The version of the form that is understood.
const FORMAT: u32 = 1;

/// A revocation list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RevocationList {
    /// Keys as they go over the wire.
    keys: BTreeSet<Vec<u8>>,
    sha1: BTreeSet<Vec<u8>>,
    sha256: BTreeSet<Vec<u8>>,
    certificates: Vec<Certificates>,
}

/// Revoked certificates of one authority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Certificates {
    /// Its key; empty stands for every authority.
    authority: Vec<u8>,
    serials: Vec<RangeInclusive<u64>>,
    bitmaps: Vec<Bitmap>,
    identities: BTreeSet<Vec<u8>>,
}

/// Serial numbers from the first one on, a bit each; the last byte holds the lowest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bitmap {
    first: u64,
    bits: Vec<u8>,
}

impl RevocationList {
    /// Reads a list.
    ///
    /// # Errors
    ///
    /// What is wrong with it. A list that is only partly understood would let revoked keys pass.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = Reader(bytes);
        reader.take(MAGIC.len())?;
        let format = reader.number32()?;
        if format != FORMAT {
            return Err(format!("it has version {format} of the form, and {FORMAT} is known"));
        }
        // Its own version, its date, flags, what is reserved, a comment.
        reader.take(3 * size_of::<u64>())?;
        reader.text()?;
        reader.text()?;
        let mut list = Self::default();
        while !reader.0.is_empty() {
            let kind = reader.byte()?;
            let mut section = Reader(reader.text()?);
            match kind {
                1 => list.certificates.push(Certificates::parse(&mut section)?),
                2 => list.keys.append(&mut section.texts()?),
                3 => list.sha1.append(&mut section.texts()?),
                // A signature stands at the end, and others may follow. The first text is the key, and here the section.
                4 => drop(reader.text()?),
                5 => list.sha256.append(&mut section.texts()?),
                255 => section.extension()?,
                other => return Err(format!("it has a section of kind {other}, which is not known")),
            }
        }
        Ok(list)
    }

    /// Is this key revoked, given as it goes over the wire?
    pub(super) fn has_key(&self, blob: &[u8]) -> bool {
        self.keys.contains(blob) || self.sha256.contains(&Sha256::digest(blob)[..]) || self.sha1.contains(&Sha1::digest(blob)[..])
    }

    /// Is a certificate of this authority revoked by its serial number or its identity?
    pub(super) fn has_certificate(&self, authority: &[u8], serial: u64, identity: &str) -> bool {
        self.certificates
            .iter()
            .filter(|one| one.authority.is_empty() || one.authority == authority)
            // A serial number of 0 stands for none.
            .any(|one| one.identities.contains(identity.as_bytes()) || serial != 0 && one.has_serial(serial))
    }
}

impl Certificates {
    fn parse(section: &mut Reader<'_>) -> Result<Self, String> {
        let mut found = Self { authority: section.text()?.to_vec(), ..Self::default() };
        section.text()?;
        while !section.0.is_empty() {
            let kind = section.byte()?;
            let mut part = Reader(section.text()?);
            match kind {
                0x20 => {
                    while !part.0.is_empty() {
                        let serial = part.number64()?;
                        found.serials.push(serial..=serial);
                    }
                }
                0x21 => found.serials.push(part.number64()?..=part.number64()?),
                0x22 => found.bitmaps.push(Bitmap { first: part.number64()?, bits: part.text()?.to_vec() }),
                0x23 => found.identities.append(&mut part.texts()?),
                0x39 => part.extension()?,
                other => return Err(format!("it revokes certificates in a way of kind {other:#x}, which is not known")),
            }
        }
        Ok(found)
    }

    fn has_serial(&self, serial: u64) -> bool {
        self.serials.iter().any(|range| range.contains(&serial)) || self.bitmaps.iter().any(|bitmap| bitmap.has(serial))
    }
}

impl Bitmap {
    fn has(&self, serial: u64) -> bool {
        let Some(place) = serial.checked_sub(self.first).and_then(|place| usize::try_from(place).ok()) else { return false };
        self.bits.iter().rev().nth(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
    }
}

/// The rest of some bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("it ends in the middle")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], String> {
        let (taken, rest) = self.0.split_first_chunk().ok_or("it ends in the middle")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    fn number32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_be_bytes)
    }

    fn number64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_be_bytes)
    }

    /// Bytes with their length before them.
    fn text(&mut self) -> Result<&'a [u8], String> {
        let length = self.number32()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Such texts up to the end.
    fn texts(&mut self) -> Result<BTreeSet<Vec<u8>>, String> {
        let mut found = BTreeSet::new();
        while !self.0.is_empty() {
            found.insert(self.text()?.to_vec());
        }
        Ok(found)
    }

    /// An extension; none is known, and one that must be understood is an error.
    fn extension(&mut self) -> Result<(), String> {
        let name = self.text()?;
        let is_critical = self.byte()? != 0;
        self.text()?;
        if is_critical { Err(format!("it demands the extension `{}`, which is not known", name.escape_ascii())) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use russh::keys::ssh_key::PublicKey;

    use super::*;

    fn ssh_keygen(folder: &Path, arguments: &[&str]) {
        let done = Command::new("ssh-keygen").current_dir(folder).args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// A list that `ssh-keygen` makes of this specification.
    fn made(folder: &Path, specification: &str) -> Vec<u8> {
        std::fs::write(folder.join("spec"), specification).unwrap();
        let _ = std::fs::remove_file(folder.join("krl"));
        ssh_keygen(folder, &["-q", "-k", "-f", "krl", "-s", "ca.pub", "spec"]);
        std::fs::read(folder.join("krl")).unwrap()
    }

    fn keys(names: &[&str]) -> (tempfile::TempDir, Vec<Vec<u8>>) {
        let folder = tempfile::tempdir().unwrap();
        let blob = |name: &&str| {
            ssh_keygen(folder.path(), &["-q", "-t", "ed25519", "-N", "", "-f", name]);
            let text = std::fs::read_to_string(folder.path().join(name).with_extension("pub")).unwrap();
            PublicKey::from_openssh(&text).unwrap().to_bytes().unwrap()
        };
        let blobs = names.iter().map(blob).collect();
        (folder, blobs)
    }

    #[test]
    fn keys_and_fingerprints_that_ssh_keygen_revokes() {
        let (folder, blobs) = keys(&["ca", "one", "two", "three", "four"]);
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let specification = format!("key: {}sha1: {}sha256: {}", text("one.pub"), text("two.pub"), text("three.pub"));
        let list = RevocationList::parse(&made(folder.path(), &specification)).unwrap();
        assert_eq!(blobs.iter().map(|blob| list.has_key(blob)).collect::<Vec<_>>(), [false, true, true, true, false]);
    }

    #[test]
    fn certificates_that_ssh_keygen_revokes() {
        let (folder, blobs) = keys(&["ca", "other"]);
        // Far apart, near together and many: lists, ranges and bitmaps.
        let many: String = (0..200).filter(|number| number % 3 == 0).map(|number| format!("serial: {}\n", 5_000 + number)).collect();
        let specification = format!("serial: 7\nserial: 1000-2000\nserial: 18446744073709551615\nid: web1-cert\n{many}");
        let bytes = made(folder.path(), &specification);
        let list = RevocationList::parse(&bytes).unwrap();
        for serial in (0..7_000).chain([u64::MAX - 1, u64::MAX]) {
            let expected = matches!(serial, 7 | 1_000..=2_000 | u64::MAX) || (5_000..5_200).contains(&serial) && (serial - 5_000) % 3 == 0;
            assert_eq!(list.has_certificate(&blobs[0], serial, "x"), expected, "{serial}");
        }
        assert!(list.has_certificate(&blobs[0], 1, "web1-cert") && !list.has_certificate(&blobs[1], 7, "web1-cert"));
        assert!(!list.has_key(&blobs[0]));
        // Cut anywhere it is an error or, between two sections, a shorter list; never a panic.
        for end in 0..bytes.len() {
            if let Ok(shorter) = RevocationList::parse(&bytes[..end]) {
                assert_ne!(shorter, list);
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let text = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        let heading = [MAGIC, &[0, 0, 0, 1], &[0; 24], &text(b""), &text(b"mine")].concat();
        let list = |sections: &[u8]| RevocationList::parse(&[&heading, sections].concat());
        assert_eq!(list(&[]), Ok(RevocationList::default()));
        let section = |kind: u8, content: &[u8]| [&[kind][..], &text(content)].concat();
        assert_eq!(list(&section(9, b"")).unwrap_err(), "it has a section of kind 9, which is not known");
        let extension = |critical: u8| section(255, &[text(b"x"), vec![critical], text(b"y")].concat());
        assert_eq!(list(&extension(0)), Ok(RevocationList::default()));
        assert_eq!(list(&extension(1)).unwrap_err(), "it demands the extension `x`, which is not known");
        assert_eq!(list(&[section(4, b"key"), text(b"signature")].concat()), Ok(RevocationList::default()));
        assert_eq!(list(&section(2, &[0, 0, 0, 9, 1])).unwrap_err(), "it ends in the middle");
        let part = section(1, &[text(b""), text(b""), section(0x24, b"")].concat());
        assert_eq!(list(&part).unwrap_err(), "it revokes certificates in a way of kind 0x24, which is not known");
        let newer = [MAGIC, &[0, 0, 0, 2]].concat();
        assert_eq!(RevocationList::parse(&newer).unwrap_err(), "it has version 2 of the form, and 1 is known");
    }
}
