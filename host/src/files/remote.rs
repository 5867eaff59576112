//! Files of a device, by whichever way it has: a file service, or programs of its shell.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use super::FilesError;
use super::like::{self, Lost};
use super::name::{beside, random};
use super::program::{Programs, Running};
use super::sftp::{Sftp, done};
use super::shell::Shell;
use super::stream::{Sink, Source, Start};
use super::wire::{Attrs, Name};
use crate::limits::SFTP_GATHER_BYTES;

/// The way to a device's files.
#[derive(Debug, Clone)]
pub enum Remote {
    /// SFTP.
    Sftp(Sftp),
    /// Programs of a POSIX shell.
    Shell(Shell),
}

/// Calls the operation of the same name.
macro_rules! either {
    ($self:ident, $act:literal, $path:expr, $sftp:ident => $over_sftp:expr, $shell:ident => $over_shell:expr) => {
        match $self {
            Self::Sftp($sftp) => $over_sftp.await.map_err(|fault| fault.at($act, $path)),
            Self::Shell($shell) => $over_shell.await,
        }
    };
}

impl Remote {
    /// Attributes, of a link itself.
    ///
    /// # Errors
    ///
    /// What the device says; so for all that follow.
    pub async fn lstat(&self, path: &[u8]) -> Result<Attrs, FilesError> {
        either!(self, "look at", path, sftp => sftp.lstat(path), shell => shell.lstat(path))
    }

    /// Attributes, of what a link leads to.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn stat(&self, path: &[u8]) -> Result<Attrs, FilesError> {
        either!(self, "look at", path, sftp => sftp.stat(path), shell => shell.stat(path))
    }

    /// The entries of a folder.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn list(&self, path: &[u8]) -> Result<Vec<Name>, FilesError> {
        either!(self, "list", path, sftp => sftp.list(path), shell => shell.list(path))
    }

    /// Where a link leads.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn read_link(&self, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        either!(self, "read the link", path, sftp => sftp.read_link(path), shell => shell.read_link(path))
    }

    /// The whole path, links resolved.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn whole_path(&self, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        either!(self, "find", path, sftp => sftp.whole_path(path), shell => shell.whole_path(path))
    }

    /// Makes a folder.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn make_folder(&self, path: &[u8], mode: u32) -> Result<(), FilesError> {
        either!(self, "make the folder", path, sftp => sftp.make_folder(path, mode), shell => shell.make_folder(path, mode))
    }

    /// Removes a file or link.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn remove(&self, path: &[u8]) -> Result<(), FilesError> {
        either!(self, "delete", path, sftp => sftp.remove(path), shell => shell.remove(path))
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn remove_folder(&self, path: &[u8]) -> Result<(), FilesError> {
        either!(self, "delete the folder", path, sftp => sftp.remove_folder(path), shell => shell.remove_folder(path))
    }

    /// Makes a link.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn make_link(&self, path: &[u8], to: &[u8]) -> Result<(), FilesError> {
        either!(self, "make the link", path, sftp => sftp.make_link(path, to), shell => shell.make_link(path, to))
    }

    /// Sets attributes; links are followed.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn set(&self, path: &[u8], attrs: &Attrs) -> Result<(), FilesError> {
        either!(self, "set mode, owner or time of", path, sftp => sftp.setstat(path, attrs), shell => shell.set(path, attrs))
    }

    /// Does a rename replace what has the name, in one step?
    #[must_use]
    pub fn replaces(&self) -> bool {
        match self {
            Self::Sftp(sftp) => sftp.extras.replaces,
            Self::Shell(_) => true,
        }
    }

    /// Gives a file a name that another one may have. Where the server cannot replace, the other one is set aside first: it is never lost,
    /// but for a moment nothing has the name.
    ///
    /// # Errors
    ///
    /// What the device says. The one that had the name has it still, or again.
    pub async fn replace(&self, from: &[u8], to: &[u8]) -> Result<(), FilesError> {
        let renamed = either!(self, "rename to", to, sftp => sftp.rename(from, to), shell => shell.rename(from, to));
        let Self::Sftp(sftp) = self else { return renamed };
        let Err(error) = renamed else { return Ok(()) };
        if sftp.extras.replaces || error.is_broken() || sftp.lstat(to).await.is_err() {
            return Err(error);
        }
        // A name of its own: one that a lost connection left behind is in nobody's way.
        let aside = beside(to, &format!("old-{}", random())).ok_or(error)?;
        let at = |fault: super::sftp::Fault| fault.at("rename", to);
        sftp.rename_new(to, &aside).await.map_err(at)?;
        if let Err(fault) = sftp.rename_new(from, to).await {
            sftp.rename_new(&aside, to).await.map_err(at)?;
            return Err(at(fault));
        }
        sftp.remove(&aside).await.map_err(at)
    }

    /// Opens a file to be read from a place on, up to its size where that is known.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn source(&self, path: &[u8], offset: u64, end: Option<u64>) -> Result<Reading, FilesError> {
        let way = match self {
            Self::Sftp(sftp) => {
                let handle = sftp.open_read(path).await.map_err(|fault| fault.at("read", path))?;
                Way::Sftp(Source::new(sftp, handle, offset, end))
            }
            Self::Shell(shell) => {
                Way::Shell(shell.source(path, offset).await?, end.filter(|end| *end > 0).map(|end| end.saturating_sub(offset)))
            }
        };
        Ok(Reading { way, path: path.to_vec() })
    }

    /// Opens a file to be written.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn sink(&self, path: &[u8], start: Start, mode: u32) -> Result<Writing, FilesError> {
        let way = match self {
            Self::Sftp(sftp) => {
                WriteWay::Sftp(Sink::open(sftp, path, start, mode).await.map_err(|fault| fault.at("write", path))?, sftp.clone())
            }
            Self::Shell(shell) => WriteWay::Shell(shell.sink(path, start, mode).await?, shell.clone()),
        };
        Ok(Writing { way, path: path.to_vec() })
    }

    /// Makes a file, for its account alone, with what another one has beyond mode, owner and times; also what of that could not be had.
    /// A file service has no words for it. Where there are no programs beside it, or they see other files, nothing is known of it.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn sink_like(&self, path: &[u8], other: &[u8], programs: Option<&Arc<dyn Programs>>) -> Result<(Writing, Lost), FilesError> {
        let (way, lost) = match self {
            Self::Sftp(sftp) => {
                let sink = Sink::open(sftp, path, Start::New, 0o600).await.map_err(|fault| fault.at("write", path))?;
                let mut lost = Lost::default();
                if let Some(programs) = programs {
                    // That the programs are not to be had ends nothing.
                    lost = like::onto(programs.as_ref(), path, other).await.unwrap_or_default();
                    let shut = async { done(sftp.fsetstat(&sink.handle, &Attrs::with_mode(0o600)).await?).await };
                    shut.await.map_err(|fault| fault.at("set mode of", path))?;
                }
                (WriteWay::Sftp(sink, sftp.clone()), lost)
            }
            Self::Shell(shell) => {
                let (running, lost) = shell.sink_like(path, other).await?;
                (WriteWay::Shell(running, shell.clone()), lost)
            }
        };
        Ok((Writing { way, path: path.to_vec() }, lost))
    }

    /// Bytes that one request takes; a smaller file is copied in one.
    #[must_use]
    pub fn chunk(&self) -> usize {
        match self {
            Self::Sftp(sftp) => usize::try_from(sftp.read_bytes.min(sftp.write_bytes)).unwrap_or(usize::MAX),
            Self::Shell(_) => SFTP_GATHER_BYTES,
        }
    }
}

#[derive(Debug)]
enum Way {
    Sftp(Source),
    Shell(Running, Option<u64>),
}

/// A file that is read.
#[derive(Debug)]
pub struct Reading {
    way: Way,
    path: Vec<u8>,
}

impl Reading {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FilesError> {
        match &mut self.way {
            Way::Sftp(source) => source.next().await.map_err(|fault| fault.at("read", &self.path)),
            Way::Shell(running, left) => {
                if *left == Some(0) {
                    return Ok(None);
                }
                let mut bytes = vec![0; SFTP_GATHER_BYTES];
                let got = running.output.read(&mut bytes).await.map_err(|error| FilesError::Broken(format!("is gone: {error}")))?;
                if got == 0 {
                    *left = Some(0);
                    running.ended("read", &self.path).await?;
                    return Ok(None);
                }
                bytes.truncate(got);
                if let Some(left) = left {
                    bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                }
                Ok(Some(Bytes::from(bytes)))
            }
        }
    }
}

#[derive(Debug)]
enum WriteWay {
    Sftp(Sink, Sftp),
    Shell(Running, Shell),
}

/// A file that is written.
#[derive(Debug)]
pub struct Writing {
    way: WriteWay,
    path: Vec<u8>,
}

impl Writing {
    /// Writes what follows.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        match &mut self.way {
            WriteWay::Sftp(sink, _) => sink.write(bytes).await.map_err(|fault| fault.at("write", &self.path)),
            WriteWay::Shell(running, _) => match tokio::io::AsyncWriteExt::write_all(&mut running.input, bytes).await {
                Ok(()) => Ok(()),
                // Why is what the program says.
                Err(error) => {
                    running.ended("write", &self.path).await?;
                    Err(FilesError::Broken(format!("is gone: {error}")))
                }
            },
        }
    }

    /// Waits until all of it is written, sets its attributes, closes it.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn finish(self, attrs: Attrs) -> Result<(), FilesError> {
        let path = self.path;
        match self.way {
            WriteWay::Sftp(sink, sftp) => {
                let close = async {
                    // The server works a handle's requests off in order: no need to wait between them.
                    let attributes = sftp.fsetstat(&sink.handle, &attrs).await?;
                    let (writes, handle) = sink.part();
                    let close = sftp.close(handle).await?;
                    for waiting in writes.into_iter().chain([attributes, close]) {
                        done(waiting).await?;
                    }
                    Ok(())
                };
                close.await.map_err(|fault: super::sftp::Fault| fault.at("write", &path))
            }
            WriteWay::Shell(mut running, shell) => {
                let shut = running.end_input().await;
                running.ended("write", &path).await?;
                shut.map_err(|error| FilesError::Broken(format!("is gone: {error}")))?;
                shell.set(&path, &attrs).await
            }
        }
    }
}

/// A file whose bytes are written, and that is open still.
#[derive(Debug)]
pub enum Settled {
    /// Over SFTP.
    Sftp(Sftp, super::sftp::Handle, Vec<u8>),
    /// By programs.
    Shell(Shell, Vec<u8>),
}

impl Writing {
    /// Waits until all of it is written.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn settle(self) -> Result<Settled, FilesError> {
        let path = self.path;
        match self.way {
            WriteWay::Sftp(sink, sftp) => {
                let handle = sink.finish().await.map_err(|fault| fault.at("write", &path))?;
                Ok(Settled::Sftp(sftp, handle, path))
            }
            WriteWay::Shell(mut running, shell) => {
                let shut = running.end_input().await;
                running.ended("write", &path).await?;
                shut.map_err(|error| FilesError::Broken(format!("is gone: {error}")))?;
                Ok(Settled::Shell(shell, path))
            }
        }
    }
}

impl Settled {
    /// What it is now.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn attrs(&self) -> Result<Attrs, FilesError> {
        match self {
            Self::Sftp(sftp, handle, path) => sftp.fstat(handle).await.map_err(|fault| fault.at("look at", path)),
            Self::Shell(shell, path) => shell.lstat(path).await,
        }
    }

    /// Sets attributes.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn set(&self, attrs: &Attrs) -> Result<(), FilesError> {
        match self {
            Self::Sftp(sftp, handle, path) => {
                let set = async { done(sftp.fsetstat(handle, attrs).await?).await };
                set.await.map_err(|fault| fault.at("set mode or owner of", path))
            }
            Self::Shell(shell, path) => shell.set(path, attrs).await,
        }
    }

    /// Has its bytes reach the disk, where the device can, and closes it.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn close(self) -> Result<(), FilesError> {
        match self {
            Self::Sftp(sftp, handle, path) => {
                let close = async {
                    sftp.sync(&handle).await?;
                    done(sftp.close(handle).await?).await
                };
                close.await.map_err(|fault| fault.at("write", &path))
            }
            Self::Shell(shell, path) => shell.sync(&path).await,
        }
    }
}
