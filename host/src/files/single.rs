//! Copies one whole file between this machine and a device that has no more than the copy protocol.
//!
//! Nothing is compared before or afterwards: the device cannot. What comes gets its name here when it is whole; what goes is on the device
//! under its own name from the first byte on.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::FilesError;
use super::local::{self, Local, Unkept};
use super::name::shown;
use super::program::Programs;
use super::running::Targets;
use super::scp::{Coming, Going, name_of};
use super::transfer::{Direction, Outcome, Progress, blocking};
use super::tree::Entry;
use super::wire::Kind;
use crate::hex::digits;
use crate::limits::SFTP_GATHER_BYTES;

/// Such a copy.
#[derive(Debug, Clone)]
pub struct Single {
    /// What starts programs on the device.
    pub programs: Arc<dyn Programs>,
    /// What is started.
    pub command: String,
    /// The place on this machine.
    pub local: Local,
    /// The place on the device.
    pub path: Vec<u8>,
    /// Where to.
    pub direction: Direction,
    /// The largest file that is taken.
    pub max_bytes: u64,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// The files of the device that others write.
    pub targets: Targets,
}

/// Why a path cannot be named to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPlain;

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it takes paths of letters, digits and `._/:+@%-` only, not beginning with `-`")
    }
}

/// The command with this path in the place of `{path}`. A device without a shell has no quotes that could be relied on.
///
/// # Errors
///
/// When the path holds anything that a device might take for more than a path.
pub fn command_for(template: &str, path: &[u8]) -> Result<String, NotPlain> {
    let text = str::from_utf8(path).map_err(|_| NotPlain)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:+@%-".contains(&byte);
    let is_path = !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain);
    if is_path { Ok(template.replace("{path}", text)) } else { Err(NotPlain) }
}

impl Single {
    /// The same with a file that goes to a folder of this machine going into it.
    ///
    /// # Errors
    ///
    /// When what is here cannot be copied so.
    pub async fn aimed(self) -> Result<Self, FilesError> {
        let own = self.local.clone();
        let here = blocking(move || own.look()).await?.map(|entry| entry.kind);
        let place = || shown(&self.local.whole(b""));
        match (self.direction, here) {
            (Direction::Up, Some(Kind::File)) | (Direction::Down, Some(Kind::File) | None) => Ok(self),
            (Direction::Down, Some(Kind::Folder)) => Ok(Self { local: self.local.with(name_of(&self.path)), ..self }),
            (Direction::Up, None) => Err(FilesError::Refused(format!("there is nothing at `{}` on this machine", place()))),
            (_, Some(kind)) => Err(FilesError::Refused(format!("the device copies single files, and `{}` is a {}", place(), kind.word()))),
        }
    }

    /// Copies it.
    ///
    /// # Errors
    ///
    /// What either side says.
    pub async fn carry_out(self) -> Result<Outcome, FilesError> {
        self.progress.files_total.store(1, Ordering::Relaxed);
        let (bytes, sha256) = match self.direction {
            Direction::Up => {
                let _taken = self.targets.take(&self.path)?;
                self.up().await?
            }
            Direction::Down => self.down().await?,
        };
        self.progress.files.store(1, Ordering::Relaxed);
        Ok(Outcome { files: 1, bytes, sha256: Some(sha256), ..Outcome::default() })
    }

    async fn up(&self) -> Result<(u64, String), FilesError> {
        let own = self.local.clone();
        let opening = blocking(move || {
            let (dir, name) = own.parent(b"")?;
            local::open(&dir, &name).map_err(|error| FilesError::local("read", &own.whole(b""), &error))
        });
        let (file, entry) = opening.await?;
        if entry.size > self.max_bytes {
            return Err(FilesError::too_much(entry.size, self.max_bytes));
        }
        self.progress.bytes_total.store(entry.size, Ordering::Relaxed);
        let running = self.programs.start(&self.command).await?;
        let mut going = Going::begin(running, &self.path, entry.size, entry.mode).await?;
        let (mut file, mut hash, mut buffer) = (tokio::fs::File::from_std(file), Sha256::new(), vec![0; SFTP_GATHER_BYTES]);
        loop {
            let got = file.read(&mut buffer).await.map_err(|error| FilesError::local("read", &self.local.whole(b""), &error))?;
            let bytes = buffer.get(..got).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            going.write(bytes).await?;
            hash.update(bytes);
            self.progress.bytes.fetch_add(u64::try_from(got).unwrap_or(0), Ordering::Relaxed);
        }
        going.finish().await?;
        Ok((entry.size, digits(&hash.finalize())))
    }

    async fn down(&self) -> Result<(u64, String), FilesError> {
        let running = self.programs.start(&self.command).await?;
        let mut coming = Coming::begin(running, &self.path).await?;
        if coming.size > self.max_bytes {
            return Err(FilesError::too_much(coming.size, self.max_bytes));
        }
        self.progress.bytes_total.store(coming.size, Ordering::Relaxed);
        let whole = self.local.whole(b"");
        let fail = |error: std::io::Error| FilesError::local("write", &whole, &error);
        let own = self.local.clone();
        let (unkept, file) = blocking(move || {
            let (dir, name) = own.parent(b"")?;
            Unkept::open(dir, name).map_err(|error| FilesError::local("write", &own.whole(b""), &error))
        })
        .await?;
        let (mut file, mut hash) = (tokio::fs::File::from_std(file), Sha256::new());
        // Last, so that it goes before the file is closed, wherever this ends.
        let unkept = unkept;
        while let Some(bytes) = coming.next().await? {
            file.write_all(&bytes).await.map_err(fail)?;
            hash.update(&bytes);
            self.progress.bytes.fetch_add(u64::try_from(bytes.len()).unwrap_or(0), Ordering::Relaxed);
        }
        file.flush().await.map_err(fail)?;
        let entry = Entry { kind: Kind::File, size: coming.size, mode: coming.mode, mtime: None, leads_to: Vec::new() };
        let file = file.into_std().await;
        let done = blocking(move || Ok(unkept.complete(&file, &entry)));
        done.await?.map_err(fail)?;
        Ok((coming.size, digits(&hash.finalize())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::program::{Boxed, Running};

    /// A program that says this and ends.
    #[derive(Debug)]
    struct Says(&'static [u8]);

    impl Programs for Says {
        fn start<'a>(&'a self, _: &'a str) -> Boxed<'a, Result<Running, FilesError>> {
            let (output, status) = (Box::new(self.0), Box::pin(std::future::ready(Ok::<_, FilesError>(Some(1)))));
            let running = Running { input: Box::new(tokio::io::sink()), output, errors: Box::new(tokio::io::empty()), status };
            Box::pin(std::future::ready(Ok(running)))
        }
    }

    #[tokio::test]
    async fn of_a_file_that_does_not_come_whole_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let roots = [folder.path().to_owned()];
        for (said, is_whole) in
            [(&b"C0644 5 f\nhel"[..], false), (b"C0644 5 f\nhello\x01read error\n", false), (b"C0644 5 f\nhello\0", true)]
        {
            let single = Single {
                programs: Arc::new(Says(said)),
                command: String::new(),
                local: local::within(&roots, b"f").unwrap(),
                path: b"flash:f".to_vec(),
                direction: Direction::Down,
                max_bytes: 100,
                progress: Arc::default(),
                targets: Targets::default(),
            };
            assert_eq!(single.carry_out().await.is_ok(), is_whole);
            let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(names, if is_whole { vec!["f"] } else { Vec::new() });
        }
    }

    #[test]
    fn only_plain_paths_are_named_to_a_device() {
        assert_eq!(command_for("scp -t {path}", b"flash:/d/x-1.bin").unwrap(), "scp -t flash:/d/x-1.bin");
        for path in [&b""[..], b"-r", b"a b", b"a;b", b"a|b", b"$x", b"a\nb", b"\xff", b"a'b", b"{path}", b"a?"] {
            assert_eq!(command_for("scp -t {path}", path), Err(NotPlain), "{}", path.escape_ascii());
        }
    }
}
