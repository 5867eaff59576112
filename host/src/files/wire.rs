//! The bytes of SFTP version 3 (draft-ietf-secsh-filexfer-02, and what OpenSSH adds to it): numbers, strings and attributes.
//!
//! Names are bytes, never text. Each length that comes in is checked against what is there before anything is kept.

use bytes::{Buf, Bytes};

/// The version that is spoken. OpenSSH, and so nearly everybody, speaks no other.
pub const VERSION: u32 = 3;

/// Packet types of requests.
pub mod request {
    /// Says the version.
    pub const INIT: u8 = 1;
    /// Opens a file.
    pub const OPEN: u8 = 3;
    /// Closes a handle.
    pub const CLOSE: u8 = 4;
    /// Reads from a file.
    pub const READ: u8 = 5;
    /// Writes to a file.
    pub const WRITE: u8 = 6;
    /// Attributes, of a link itself.
    pub const LSTAT: u8 = 7;
    /// Attributes of an open file.
    pub const FSTAT: u8 = 8;
    /// Sets attributes.
    pub const SETSTAT: u8 = 9;
    /// Sets attributes of an open file.
    pub const FSETSTAT: u8 = 10;
    /// Opens a folder.
    pub const OPENDIR: u8 = 11;
    /// Some entries of a folder.
    pub const READDIR: u8 = 12;
    /// Removes a file.
    pub const REMOVE: u8 = 13;
    /// Makes a folder.
    pub const MKDIR: u8 = 14;
    /// Removes an empty folder.
    pub const RMDIR: u8 = 15;
    /// The whole path of something.
    pub const REALPATH: u8 = 16;
    /// Attributes, of what a link leads to.
    pub const STAT: u8 = 17;
    /// Gives another name.
    pub const RENAME: u8 = 18;
    /// Where a link leads.
    pub const READLINK: u8 = 19;
    /// Makes a link.
    pub const SYMLINK: u8 = 20;
    /// What is not in the draft.
    pub const EXTENDED: u8 = 200;
}

/// Packet types of answers.
pub mod answer {
    /// The server's version.
    pub const VERSION: u8 = 2;
    /// Done, or why not.
    pub const STATUS: u8 = 101;
    /// An open handle.
    pub const HANDLE: u8 = 102;
    /// Bytes of a file.
    pub const DATA: u8 = 103;
    /// Names with attributes.
    pub const NAME: u8 = 104;
    /// Attributes.
    pub const ATTRS: u8 = 105;
    /// The answer to what is not in the draft.
    pub const EXTENDED: u8 = 201;
}

/// Flags of an open request.
pub mod open {
    /// Reads.
    pub const READ: u32 = 0x01;
    /// Writes.
    pub const WRITE: u32 = 0x02;
    /// Makes it where it is not there.
    pub const CREATE: u32 = 0x08;
    /// Empties it.
    pub const TRUNCATE: u32 = 0x10;
    /// Only if it is not there; follows no link.
    pub const EXCLUSIVE: u32 = 0x20;
}

const ATTR_SIZE: u32 = 0x01;
const ATTR_OWNER: u32 = 0x02;
const ATTR_MODE: u32 = 0x04;
const ATTR_TIMES: u32 = 0x08;
const ATTR_EXTENDED: u32 = 0x8000_0000;

/// Extended attributes that a server may send with one file.
const ATTR_EXTENDED_MAX: u32 = 64;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket, or something that the server does not name.
    Other,
}

impl Kind {
    /// The kind that the type bits of a mode say (POSIX `S_IFMT`).
    #[must_use]
    pub fn of_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Folder,
            0o120_000 => Self::Link,
            _ => Self::Other,
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Link => "link",
            Self::Other => "other",
        }
    }
}

/// Attributes: each may be unknown, or not meant to be set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attrs {
    /// Bytes.
    pub size: Option<u64>,
    /// User and group by number.
    pub owner: Option<(u32, u32)>,
    /// Type and permission bits.
    pub mode: Option<u32>,
    /// When it was read and written, in seconds since 1970.
    pub times: Option<(u32, u32)>,
}

impl Attrs {
    /// Only a mode.
    #[must_use]
    pub fn with_mode(mode: u32) -> Self {
        Self { mode: Some(mode), ..Self::default() }
    }

    /// What it is. A server that tells no mode is taken to speak of files.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.mode.map_or(Kind::File, Kind::of_mode)
    }

    /// Appends them.
    pub fn write(&self, out: &mut Vec<u8>) {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = flag(self.size.is_some(), ATTR_SIZE)
            | flag(self.owner.is_some(), ATTR_OWNER)
            | flag(self.mode.is_some(), ATTR_MODE)
            | flag(self.times.is_some(), ATTR_TIMES);
        put_u32(out, flags);
        if let Some(size) = self.size {
            put_u64(out, size);
        }
        if let Some((user, group)) = self.owner {
            put_u32(out, user);
            put_u32(out, group);
        }
        if let Some(mode) = self.mode {
            put_u32(out, mode);
        }
        if let Some((read, written)) = self.times {
            put_u32(out, read);
            put_u32(out, written);
        }
    }
}

/// An entry of a folder, as the server names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: Bytes,
    /// The line that `ls -l` would show; only to be shown.
    pub long: Bytes,
    /// Attributes of it, of a link itself.
    pub attrs: Attrs,
}

/// Appends a number.
pub fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// Appends a number.
pub fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// Appends a string. One that is longer than its length field can say is cut, which the server then refuses.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(bytes);
}

/// What came in is shorter than it says, or says something that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a packet that is shorter than it says")]
pub struct Malformed;

/// Reads what came in, in order.
#[derive(Debug)]
pub struct Fields(pub Bytes);

impl Fields {
    /// A byte.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.0.try_get_u8().map_err(|_| Malformed)
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// When it is cut.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.0.try_get_u32().map_err(|_| Malformed)
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// When it is cut.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.0.try_get_u64().map_err(|_| Malformed)
    }

    /// A string, without a copy.
    ///
    /// # Errors
    ///
    /// When it is longer than what is there.
    pub fn string(&mut self) -> Result<Bytes, Malformed> {
        let length = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if length > self.0.len() {
            return Err(Malformed);
        }
        Ok(self.0.split_to(length))
    }

    /// Attributes.
    ///
    /// # Errors
    ///
    /// When they are cut.
    pub fn attrs(&mut self) -> Result<Attrs, Malformed> {
        let flags = self.u32()?;
        let has = |bit: u32| flags & bit != 0;
        let mut attrs = Attrs::default();
        if has(ATTR_SIZE) {
            attrs.size = Some(self.u64()?);
        }
        if has(ATTR_OWNER) {
            attrs.owner = Some((self.u32()?, self.u32()?));
        }
        if has(ATTR_MODE) {
            attrs.mode = Some(self.u32()?);
        }
        if has(ATTR_TIMES) {
            attrs.times = Some((self.u32()?, self.u32()?));
        }
        if has(ATTR_EXTENDED) {
            let count = self.u32()?;
            if count > ATTR_EXTENDED_MAX {
                return Err(Malformed);
            }
            for _ in 0..count {
                self.string()?;
                self.string()?;
            }
        }
        Ok(attrs)
    }

    /// Entries of a folder. An entry takes at least 12 bytes, so a false count cannot make room for more than came.
    ///
    /// # Errors
    ///
    /// When they are cut.
    pub fn names(&mut self) -> Result<Vec<Name>, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if count > self.0.len() / 12 {
            return Err(Malformed);
        }
        (0..count).map(|_| Ok(Name { name: self.string()?, long: self.string()?, attrs: self.attrs()? })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back_as_they_were() {
        let all = Attrs { size: Some(1 << 40), owner: Some((1, 2)), mode: Some(0o100_644), times: Some((3, 4)) };
        for attrs in [all, Attrs::default(), Attrs::with_mode(0o600), Attrs { mode: None, ..all }] {
            let mut out = Vec::new();
            attrs.write(&mut out);
            assert_eq!(Fields(Bytes::from(out)).attrs(), Ok(attrs));
        }
    }

    #[test]
    fn a_false_length_is_refused_and_makes_no_room() {
        let cut = |bytes: &[u8]| Fields(Bytes::copy_from_slice(bytes));
        assert_eq!(cut(&[0xff, 0xff, 0xff, 0xff, 1]).string(), Err(Malformed));
        assert_eq!(cut(&[0xff, 0xff, 0xff, 0xff]).names(), Err(Malformed));
        assert_eq!(cut(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).attrs(), Err(Malformed));
        assert_eq!(cut(&[0, 0, 0]).u32(), Err(Malformed));
    }
}
