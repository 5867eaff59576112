//! The operations of SFTP, and those that OpenSSH adds where the server has them.

use std::sync::Arc;

use bytes::Bytes;

use super::link::{Link, Reply, Waiting};
use super::wire::{Attrs, Fields, Malformed, Name, answer, open, put_string, put_u32, put_u64, request};
use super::{Code, FilesError, words};
use crate::limits::{FOLDER_ENTRIES_MAX, SFTP_CHUNK_MAX_BYTES, SFTP_CHUNK_PLAIN_BYTES};

/// What a server can beyond the draft.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras {
    /// A rename that replaces what is there, in one step.
    pub replaces: bool,
    /// Bytes reach the disk before the answer.
    pub syncs: bool,
    /// It says how much it takes at once.
    pub limits: bool,
    /// It copies by itself.
    pub copies: bool,
    /// It knows the names of accounts.
    pub accounts: bool,
}

/// A connection to a server, shared by all that use it.
#[derive(Debug, Clone)]
pub struct Sftp {
    link: Arc<Link>,
    /// What the server can beyond the draft.
    pub extras: Extras,
    /// Bytes of one read.
    pub read_bytes: u32,
    /// Bytes of one write.
    pub write_bytes: u32,
}

/// Why there is no answer to use.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The server says why.
    Status(Code, String),
    /// The connection.
    Link(FilesError),
}

impl From<Malformed> for Fault {
    fn from(error: Malformed) -> Self {
        Self::Link(FilesError::Broken(format!("sent {error}")))
    }
}

impl From<FilesError> for Fault {
    fn from(error: FilesError) -> Self {
        Self::Link(error)
    }
}

impl Fault {
    /// With what was to be done.
    #[must_use]
    pub fn at(self, act: &'static str, path: &[u8]) -> FilesError {
        match self {
            Self::Status(code, what) => FilesError::remote(act, path, code, what),
            Self::Link(error) => error,
        }
    }

    fn strange(kind: u8) -> Self {
        Self::Link(FilesError::Broken(format!("gave an answer of type {kind}, which is none to what was asked")))
    }
}

/// An open file or folder on the server. Dropping it closes it.
#[derive(Debug)]
pub struct Handle {
    name: Bytes,
    link: Arc<Link>,
    is_open: bool,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.is_open {
            self.link.send_off(request::CLOSE, |out| put_string(out, &self.name));
        }
    }
}

impl Handle {
    fn write(&self, out: &mut Vec<u8>) {
        put_string(out, &self.name);
    }
}

/// Bytes of a handle (draft section 6.3).
const HANDLE_MAX_BYTES: usize = 256;

impl Sftp {
    /// Shakes hands over a stream that speaks SFTP.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn start<S>(stream: S) -> Result<Self, FilesError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let (link, extensions) = Link::start(stream).await?;
        let has = |name: &str, version: &str| extensions.iter().any(|(known, value)| known == name && value == version);
        let extras = Extras {
            replaces: has("posix-rename@openssh.com", "1"),
            syncs: has("fsync@openssh.com", "1"),
            limits: has("limits@openssh.com", "1"),
            copies: has("copy-data", "1"),
            accounts: has("users-groups-by-id@openssh.com", "1"),
        };
        let (read_bytes, write_bytes) = (SFTP_CHUNK_PLAIN_BYTES, SFTP_CHUNK_PLAIN_BYTES);
        let mut sftp = Self { link: Arc::new(link), extras, read_bytes, write_bytes };
        if extras.limits {
            sftp.ask_limits().await.map_err(|fault| fault.at("ask for limits of", b"/"))?;
        }
        Ok(sftp)
    }

    async fn ask_limits(&mut self) -> Result<(), Fault> {
        let reply = self.extended("limits@openssh.com", |_| {}).await?.reply().await?;
        let mut fields = body(reply, answer::EXTENDED)?;
        let (_packet, read, write) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let bounded = |said: u64| {
            let said = u32::try_from(said).unwrap_or(u32::MAX);
            // Zero means that it does not say.
            if said == 0 { SFTP_CHUNK_PLAIN_BYTES } else { said.clamp(1024, SFTP_CHUNK_MAX_BYTES) }
        };
        (self.read_bytes, self.write_bytes) = (bounded(read), bounded(write));
        Ok(())
    }

    async fn extended(&self, name: &str, fill: impl FnOnce(&mut Vec<u8>)) -> Result<Waiting, FilesError> {
        let whole = |out: &mut Vec<u8>| {
            put_string(out, name.as_bytes());
            fill(out);
        };
        self.link.send(request::EXTENDED, 256, whole).await
    }

    async fn on_path(&self, kind: u8, path: &[u8]) -> Result<Waiting, FilesError> {
        self.link.send(kind, path.len() + 8, |out| put_string(out, path)).await
    }

    async fn on_handle(&self, kind: u8, handle: &Handle) -> Result<Waiting, FilesError> {
        self.link.send(kind, 64, |out| handle.write(out)).await
    }

    /// Attributes, of a link itself.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn lstat(&self, path: &[u8]) -> Result<Attrs, Fault> {
        attrs(self.on_path(request::LSTAT, path).await?).await
    }

    /// Attributes, of what a link leads to.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn stat(&self, path: &[u8]) -> Result<Attrs, Fault> {
        attrs(self.on_path(request::STAT, path).await?).await
    }

    /// Attributes of an open file.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn fstat(&self, handle: &Handle) -> Result<Attrs, Fault> {
        attrs(self.on_handle(request::FSTAT, handle).await?).await
    }

    /// Sets attributes by path; links are followed.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn setstat(&self, path: &[u8], attrs: &Attrs) -> Result<(), Fault> {
        let fill = |out: &mut Vec<u8>| {
            put_string(out, path);
            attrs.write(out);
        };
        done(self.link.send(request::SETSTAT, path.len() + 64, fill).await?).await
    }

    /// Sets attributes of an open file; the answer is waited for with [`done`].
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub async fn fsetstat(&self, handle: &Handle, attrs: &Attrs) -> Result<Waiting, FilesError> {
        let fill = |out: &mut Vec<u8>| {
            handle.write(out);
            attrs.write(out);
        };
        self.link.send(request::FSETSTAT, 128, fill).await
    }

    /// Opens a file by flags of [`open`].
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn open(&self, path: &[u8], flags: u32, attrs: &Attrs) -> Result<Handle, Fault> {
        let fill = |out: &mut Vec<u8>| {
            put_string(out, path);
            put_u32(out, flags);
            attrs.write(out);
        };
        let waiting = self.link.send(request::OPEN, path.len() + 64, fill).await?;
        self.handle(waiting).await
    }

    /// Opens a file to be read.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn open_read(&self, path: &[u8]) -> Result<Handle, Fault> {
        self.open(path, open::READ, &Attrs::default()).await
    }

    async fn handle(&self, waiting: Waiting) -> Result<Handle, Fault> {
        let name = body(waiting.reply().await?, answer::HANDLE)?.string()?;
        if name.len() > HANDLE_MAX_BYTES {
            return Err(Fault::Link(FilesError::Broken(format!(
                "named an open file with {} bytes, at most {HANDLE_MAX_BYTES} are",
                name.len()
            ))));
        }
        // Its own bytes: a slice would keep the whole buffer that it came in.
        Ok(Handle { name: Bytes::copy_from_slice(&name), link: Arc::clone(&self.link), is_open: true })
    }

    /// Asks for bytes of a file; the answer is waited for with [`data`].
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub async fn read(&self, handle: &Handle, offset: u64, length: u32) -> Result<Waiting, FilesError> {
        let fill = |out: &mut Vec<u8>| {
            handle.write(out);
            put_u64(out, offset);
            put_u32(out, length);
        };
        self.link.send(request::READ, 64, fill).await
    }

    /// Writes bytes to a file; the answer is waited for with [`done`].
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub async fn write(&self, handle: &Handle, offset: u64, bytes: &[u8]) -> Result<Waiting, FilesError> {
        let fill = |out: &mut Vec<u8>| {
            handle.write(out);
            put_u64(out, offset);
            put_string(out, bytes);
        };
        self.link.send(request::WRITE, bytes.len() + 64, fill).await
    }

    /// Closes; the answer is waited for with [`done`].
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub async fn close(&self, mut handle: Handle) -> Result<Waiting, FilesError> {
        let waiting = self.on_handle(request::CLOSE, &handle).await;
        handle.is_open = false;
        waiting
    }

    /// Has the bytes of a file reach the disk, where the server can.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn sync(&self, handle: &Handle) -> Result<(), Fault> {
        if !self.extras.syncs {
            return Ok(());
        }
        done(self.extended("fsync@openssh.com", |out| handle.write(out)).await?).await
    }

    /// The entries of a folder, without itself and the one above.
    ///
    /// # Errors
    ///
    /// What the server says; more entries than are taken; a name that is none.
    pub async fn list(&self, path: &[u8]) -> Result<Vec<Name>, Fault> {
        let waiting = self.on_path(request::OPENDIR, path).await?;
        let handle = self.handle(waiting).await?;
        let mut all = Vec::new();
        loop {
            // Two at once: the second one brings the rest, or the end, of most folders.
            let pair = [self.on_handle(request::READDIR, &handle).await?, self.on_handle(request::READDIR, &handle).await?];
            let mut is_over = false;
            for waiting in pair {
                match names(waiting).await {
                    Ok(some) if some.is_empty() => is_over = true,
                    Ok(some) => all.extend(some),
                    Err(Fault::Status(Code::End, _)) => is_over = true,
                    Err(fault) => return Err(fault),
                }
            }
            if all.len() > FOLDER_ENTRIES_MAX {
                return Err(Fault::Status(
                    Code::Failure,
                    format!("it has more than {FOLDER_ENTRIES_MAX} entries, the most that are taken"),
                ));
            }
            if is_over {
                break;
            }
        }
        drop(self.close(handle).await?);
        all.retain(|entry| entry.name != "." && entry.name != "..");
        match all.iter().find(|entry| !super::name::is_single(&entry.name)) {
            Some(wrong) => {
                Err(Fault::Link(FilesError::Broken(format!("lists a name that is none: `{}`", super::name::shown(&wrong.name)))))
            }
            None => Ok(all),
        }
    }

    /// Removes a file or a link.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn remove(&self, path: &[u8]) -> Result<(), Fault> {
        done(self.on_path(request::REMOVE, path).await?).await
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn remove_folder(&self, path: &[u8]) -> Result<(), Fault> {
        done(self.on_path(request::RMDIR, path).await?).await
    }

    /// Makes a folder.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn make_folder(&self, path: &[u8], mode: u32) -> Result<(), Fault> {
        let fill = |out: &mut Vec<u8>| {
            put_string(out, path);
            Attrs::with_mode(mode).write(out);
        };
        done(self.link.send(request::MKDIR, path.len() + 64, fill).await?).await
    }

    /// The whole path of something, links resolved.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn whole_path(&self, path: &[u8]) -> Result<Vec<u8>, Fault> {
        one_name(self.on_path(request::REALPATH, path).await?).await
    }

    /// Where a link leads.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn read_link(&self, path: &[u8]) -> Result<Vec<u8>, Fault> {
        one_name(self.on_path(request::READLINK, path).await?).await
    }

    /// Makes a link. The order of its fields is that of OpenSSH, which the others follow, not that of the draft.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn make_link(&self, path: &[u8], leads_to: &[u8]) -> Result<(), Fault> {
        let fill = |out: &mut Vec<u8>| {
            put_string(out, leads_to);
            put_string(out, path);
        };
        done(self.link.send(request::SYMLINK, path.len() + leads_to.len() + 16, fill).await?).await
    }

    /// Gives another name, replacing what has it where the server can. Where it cannot, it fails if something has it.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Fault> {
        let fill = |out: &mut Vec<u8>| {
            put_string(out, from);
            put_string(out, to);
        };
        let waiting = if self.extras.replaces {
            self.extended("posix-rename@openssh.com", fill).await?
        } else {
            self.link.send(request::RENAME, from.len() + to.len() + 16, fill).await?
        };
        done(waiting).await
    }

    /// Gives another name only if nothing has it, so far as the server keeps to the draft.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn rename_new(&self, from: &[u8], to: &[u8]) -> Result<(), Fault> {
        let fill = |out: &mut Vec<u8>| {
            put_string(out, from);
            put_string(out, to);
        };
        done(self.link.send(request::RENAME, from.len() + to.len() + 16, fill).await?).await
    }

    /// The names of accounts and groups by their numbers, in that order; none where the server does not tell.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn accounts(&self, users: &[u32], groups: &[u32]) -> Result<(Vec<Bytes>, Vec<Bytes>), Fault> {
        if !self.extras.accounts {
            return Ok((Vec::new(), Vec::new()));
        }
        let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        let fill = |out: &mut Vec<u8>| {
            put_string(out, &numbers(users));
            put_string(out, &numbers(groups));
        };
        let mut fields = body(self.extended("users-groups-by-id@openssh.com", fill).await?.reply().await?, answer::EXTENDED)?;
        let mut part = || {
            let mut list = Fields(fields.string()?);
            let mut names = Vec::new();
            while !list.0.is_empty() {
                names.push(list.string()?);
            }
            Ok::<_, Malformed>(names)
        };
        Ok((part()?, part()?))
    }
}

/// The fields of an answer of the type that fits; a status instead is a fault.
fn body(reply: Reply, wanted: u8) -> Result<Fields, Fault> {
    let mut fields = Fields(reply.body);
    match reply.kind {
        kind if kind == wanted => Ok(fields),
        answer::STATUS => {
            let code = fields.u32()?;
            let said = fields.string().unwrap_or_default();
            Err(status(code, &said))
        }
        other => Err(Fault::strange(other)),
    }
}

fn status(code: u32, said: &[u8]) -> Fault {
    let (code, own) = match code {
        1 => (Code::End, "it ends there"),
        2 => (Code::Missing, "there is no such file or folder"),
        3 => (Code::Denied, "the account may not"),
        8 => (Code::Unsupported, "the server does not know how"),
        _ => (Code::Failure, ""),
    };
    // The server's words only where the code says nothing: they are text of a device.
    let said = words(&String::from_utf8_lossy(said));
    let what = match (own, said.as_str()) {
        ("", "" | "Failure") => "the server says only that it failed (is it in the way of something, or is the disk full?)".to_owned(),
        ("", said) => said.to_owned(),
        (own, _) => own.to_owned(),
    };
    Fault::Status(code, what)
}

/// Was it done?
///
/// # Errors
///
/// What the server says.
pub async fn done(waiting: Waiting) -> Result<(), Fault> {
    let reply = waiting.reply().await?;
    if reply.kind != answer::STATUS {
        return Err(Fault::strange(reply.kind));
    }
    let mut fields = Fields(reply.body);
    match fields.u32()? {
        0 => Ok(()),
        code => {
            let said = fields.string().unwrap_or_default();
            Err(status(code, &said))
        }
    }
}

/// The bytes that were asked for; none at the end of the file.
///
/// # Errors
///
/// What the server says, or more than was asked for.
pub async fn data(waiting: Waiting, length: u32) -> Result<Option<Bytes>, Fault> {
    let bytes = match body(waiting.reply().await?, answer::DATA) {
        Ok(mut fields) => fields.string()?,
        Err(Fault::Status(Code::End, _)) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    if bytes.is_empty() || u32::try_from(bytes.len()).map_or(true, |got| got > length) {
        return Err(Fault::Link(FilesError::Broken(format!("sent {} bytes where 1 to {length} were asked for", bytes.len()))));
    }
    Ok(Some(bytes))
}

async fn attrs(waiting: Waiting) -> Result<Attrs, Fault> {
    Ok(body(waiting.reply().await?, answer::ATTRS)?.attrs()?)
}

async fn names(waiting: Waiting) -> Result<Vec<Name>, Fault> {
    Ok(body(waiting.reply().await?, answer::NAME)?.names()?)
}

async fn one_name(waiting: Waiting) -> Result<Vec<u8>, Fault> {
    let names = names(waiting).await?;
    match names.first() {
        Some(only) if names.len() == 1 => Ok(only.name.to_vec()),
        _ => Err(Fault::Link(FilesError::Broken(format!("gave {} names where one was asked for", names.len())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_server_says_is_invisible() {
        let said = "no\u{1b} room\n\u{202e}left\u{e0041}".as_bytes();
        let fault = status(4, said);
        assert!(matches!(&fault, Fault::Status(Code::Failure, what) if what == "no room\\u{202e}left\\u{e0041}"), "{fault:?}");
    }
}
