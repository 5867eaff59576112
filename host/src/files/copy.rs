//! Copies one file, up or down: small ones in one piece, big ones in many, with what an earlier try left.

use std::io::{self, Read as _, Write as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::local::{self, Local, WholeFile};
use super::name::{beside, join, sha2_hex, shown, split_inside};
use super::plan::Copy;
use super::program::fingerprint_of_start;
use super::remote::{Remote, Writing};
use super::running::Taken;
use super::stream::Start;
use super::transfer::{Direction, Transfer, attrs_of, blocking, locked};
use super::tree::Entry;
use super::{Code, FilesError};
use crate::hex::digits;
use crate::limits::{LOCAL_READ_BYTES, TRANSFER_PIECES_QUEUED, TRANSFER_SMALL_READ_AHEAD};

/// Below these a file is made when it is read, and has a size only then; what is said before is none.
const MADE_WHEN_READ: [&[u8]; 2] = [b"/proc/", b"/sys/"];

/// A file that was copied.
#[derive(Debug, Clone)]
pub struct Copied {
    /// Its path from the top.
    pub path: Vec<u8>,
    /// Its bytes.
    pub bytes: u64,
    /// Of these, bytes that were there already.
    pub resumed: u64,
    /// Its fingerprint on this machine.
    pub sha256: String,
    /// The device has said the same one.
    pub is_verified: bool,
}

/// What copies of one transfer share.
#[derive(Debug)]
pub struct Job {
    transfer: Transfer,
    /// Where its top really lies on the device.
    top: Vec<u8>,
    /// The folder that was used last: most files lie beside another one.
    last: Mutex<Option<(Vec<u8>, Arc<Dir>)>>,
}

/// A small file of this machine that was read.
#[derive(Debug)]
pub struct Small {
    file: WholeFile,
    sha256: String,
}

/// A file on this machine while it is copied.
#[derive(Debug, Clone)]
struct Here {
    dir: Arc<Dir>,
    name: Vec<u8>,
    whole: Vec<u8>,
}

impl Here {
    fn fail(&self, act: &'static str, error: &io::Error) -> FilesError {
        FilesError::local(act, &self.whole, error)
    }
}

fn count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn changed(path: &[u8]) -> FilesError {
    FilesError::remote("copy", path, Code::Failure, "it changed while it was copied; call again")
}

/// The fingerprint of a file on this machine.
///
/// # Errors
///
/// When it cannot be read.
pub fn print_here(local: &Local, path: &[u8]) -> Result<String, FilesError> {
    let (dir, name) = local.parent(path)?;
    let here = Here { dir: Arc::new(dir), name, whole: local.whole(path) };
    let read = || {
        let (mut file, entry) = local::open(&here.dir, &here.name)?;
        let mut hash = Sha256::new();
        hash_start(&mut file, entry.size, &mut hash)?;
        Ok(digits(&hash.finalize()))
    };
    read().map_err(|error: io::Error| here.fail("read", &error))
}

/// Adds the first bytes of a file to a fingerprint.
fn hash_start(file: &mut std::fs::File, bytes: u64, hash: &mut Sha256) -> io::Result<()> {
    let mut buffer = vec![0; LOCAL_READ_BYTES];
    let mut left = bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let got = file.read(buffer.get_mut(..most).unwrap_or_default())?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(buffer.get(..got).unwrap_or_default());
        left -= u64::try_from(got).unwrap_or(left);
    }
    Ok(())
}

/// The fingerprint of a file on the device, or of its first bytes, by reading it.
///
/// # Errors
///
/// When it cannot be read, or is shorter.
pub async fn print_by_reading(remote: &Remote, path: &[u8], first: Option<u64>) -> Result<String, FilesError> {
    let end = match first {
        Some(first) => Some(first),
        None => remote.stat(path).await?.size,
    };
    let mut source = remote.source(path, 0, end).await?;
    let (mut hash, mut got) = (Sha256::new(), 0);
    while let Some(bytes) = source.next().await? {
        got += count(&bytes);
        hash.update(&bytes);
    }
    if first.is_some_and(|first| first != got) {
        return Err(changed(path));
    }
    Ok(digits(&hash.finalize()))
}

impl Job {
    /// Of this transfer, whose top really lies there on the device.
    #[must_use]
    pub fn new(transfer: Transfer, top: Vec<u8>) -> Self {
        Self { transfer, top, last: Mutex::new(None) }
    }

    /// Reads small files of this machine one after the other on a thread of its own, some before they are asked for: a thread for
    /// each would cost more than to read it.
    #[must_use]
    pub fn read_ahead(self: &Arc<Self>, copies: Vec<Copy>) -> mpsc::Receiver<(Copy, Result<Small, FilesError>)> {
        let (give, take) = mpsc::channel(TRANSFER_SMALL_READ_AHEAD);
        let job = Arc::clone(self);
        // It ends with its list, or when nobody takes any more.
        drop(tokio::task::spawn_blocking(move || {
            for copy in copies {
                let read = job.read_small(&copy);
                if give.blocking_send((copy, read)).is_err() {
                    return;
                }
            }
        }));
        take
    }

    fn read_small(&self, copy: &Copy) -> Result<Small, FilesError> {
        let (dir, name) = match self.known_folder(&copy.path) {
            Some(known) => known,
            None => self.note_folder(&copy.path, self.transfer.local.parent(&copy.path)?),
        };
        let here = Here { dir, name, whole: self.transfer.local.whole(&copy.path) };
        let read = local::read_small(&here.dir, &here.name, self.transfer.remote.chunk());
        let file = read.map_err(|error| here.fail("read", &error))?;
        Ok(Small { sha256: sha2_hex(&file.bytes), file })
    }

    /// Copies a file that was read.
    ///
    /// # Errors
    ///
    /// Why it was not copied. Nothing of it stays, where the device still answers.
    pub async fn copy_read(&self, copy: Copy, small: Result<Small, FilesError>) -> Result<Copied, FilesError> {
        let Small { file, sha256 } = small?;
        let there = self.there(&copy.path);
        let part = part_there(&there)?;
        let _taken = self.take(&copy.path)?;
        let mut sink = self.new_part(&part).await?;
        let written = async {
            sink.write(&file.bytes).await?;
            sink.finish(attrs_of(&file.entry)).await?;
            self.transfer.remote.replace(&part, &there).await
        };
        let written = written.await;
        if let Err(error) = &written
            && !error.is_broken()
        {
            // Nothing goes on from the part of a small file, and it would keep its folder from being deleted.
            let _ = self.transfer.remote.remove(&part).await;
        }
        written?;
        self.moved(count(&file.bytes));
        Ok(Copied { path: copy.path, bytes: count(&file.bytes), resumed: 0, sha256, is_verified: false })
    }

    fn there(&self, path: &[u8]) -> Vec<u8> {
        if path.is_empty() { self.transfer.path.clone() } else { join(&self.transfer.path, path) }
    }

    /// Is the file small enough to be copied in one piece?
    #[must_use]
    pub fn is_small(&self, copy: &Copy) -> bool {
        copy.entry.size <= u64::try_from(self.transfer.remote.chunk()).unwrap_or(u64::MAX)
    }

    /// Copies one file. One that is small and goes up is read first, with [`read_ahead`](Self::read_ahead).
    ///
    /// # Errors
    ///
    /// Why it was not copied. What was copied of a big one stays as a part.
    pub async fn copy(&self, copy: Copy) -> Result<Copied, FilesError> {
        let here = self.here(&copy.path).await?;
        let there = self.there(&copy.path);
        let done = match self.transfer.direction {
            Direction::Down if self.is_small(&copy) => self.down_small(here, &there, &copy.entry).await?,
            Direction::Down => self.down_big(here, &there, &copy.entry).await?,
            Direction::Up => {
                let _taken = self.take(&copy.path)?;
                self.up_big(here, &there).await?
            }
        };
        Ok(Copied { path: copy.path, ..done })
    }

    /// A file that goes up, for this transfer alone: what is written meanwhile has one name.
    fn take(&self, path: &[u8]) -> Result<Taken, FilesError> {
        let whole = if path.is_empty() { self.top.clone() } else { join(&self.top, path) };
        self.transfer.targets.take(&whole)
    }

    async fn here(&self, path: &[u8]) -> Result<Here, FilesError> {
        let whole = self.transfer.local.whole(path);
        if let Some((dir, name)) = self.known_folder(path) {
            return Ok(Here { dir, name, whole });
        }
        let (local, inside) = (self.transfer.local.clone(), path.to_vec());
        let (dir, name) = self.note_folder(path, blocking(move || local.parent(&inside)).await?);
        Ok(Here { dir, name, whole })
    }

    /// The folder of a file and its name there, where it is the one that was used last.
    fn known_folder(&self, path: &[u8]) -> Option<(Arc<Dir>, Vec<u8>)> {
        let (folder, name) = split_inside(path);
        let last = locked(&self.last);
        let (_, dir) = last.as_ref().filter(|(last, _)| !path.is_empty() && last == folder)?;
        Some((Arc::clone(dir), name.to_vec()))
    }

    fn note_folder(&self, path: &[u8], (dir, name): (Dir, Vec<u8>)) -> (Arc<Dir>, Vec<u8>) {
        let dir = Arc::new(dir);
        if !path.is_empty() {
            *locked(&self.last) = Some((split_inside(path).0.to_vec(), Arc::clone(&dir)));
        }
        (dir, name)
    }

    fn moved(&self, bytes: u64) {
        self.transfer.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    async fn down_small(&self, here: Here, there: &[u8], entry: &Entry) -> Result<Copied, FilesError> {
        let has_size = !MADE_WHEN_READ.iter().any(|top| there.starts_with(top));
        let chunk = u64::try_from(self.transfer.remote.chunk()).unwrap_or(u64::MAX);
        // Without a size one byte more than is taken tells that there is too much.
        let enough = if has_size { entry.size } else { chunk.saturating_add(1) };
        let mut bytes = Vec::with_capacity(usize::try_from(entry.size).unwrap_or(0));
        if enough > 0 {
            let mut source = self.transfer.remote.source(there, 0, has_size.then_some(entry.size)).await?;
            while count(&bytes) < enough
                && let Some(more) = source.next().await?
            {
                bytes.extend_from_slice(&more);
            }
        }
        if has_size && count(&bytes) != enough {
            return Err(changed(there));
        }
        if !has_size && count(&bytes) >= enough {
            let what = format!("it does not say how large it is, and has more than {chunk} bytes; ssh_run shows it in parts");
            return Err(FilesError::remote("copy", there, Code::Failure, what));
        }
        let (entry, size) = (entry.clone(), count(&bytes));
        self.moved(size);
        let write = move || {
            local::write_small(&here.dir, &here.name, &bytes, &entry).map_err(|error| here.fail("write", &error))?;
            Ok(sha2_hex(&bytes))
        };
        Ok(Copied { path: Vec::new(), bytes: size, resumed: 0, sha256: blocking(write).await?, is_verified: false })
    }

    /// A part that nobody else made: what has its name goes first, and no link is followed.
    async fn new_part(&self, part: &[u8]) -> Result<Writing, FilesError> {
        let remote = &self.transfer.remote;
        match remote.sink(part, Start::New, 0o600).await {
            Err(error) if !error.is_broken() && remote.lstat(part).await.is_ok() => {
                remote.remove(part).await?;
                remote.sink(part, Start::New, 0o600).await
            }
            opened => opened,
        }
    }

    async fn down_big(&self, here: Here, there: &[u8], entry: &Entry) -> Result<Copied, FilesError> {
        let (resumed, hash) = self.kept_here(&here, there, entry).await?;
        self.moved(resumed);
        let (give, take) = mpsc::channel::<Bytes>(TRANSFER_PIECES_QUEUED);
        let own = here.clone();
        let writing = blocking(move || write_pieces(&own, resumed, hash, take));
        let reading = async {
            let mut source = self.transfer.remote.source(there, resumed, Some(entry.size)).await?;
            let mut left = entry.size.saturating_sub(resumed);
            while left > 0
                && let Some(bytes) = source.next().await?
            {
                left = left.saturating_sub(count(&bytes));
                self.moved(count(&bytes));
                // Who writes has failed: it says why.
                if give.send(bytes).await.is_err() {
                    break;
                }
            }
            drop(give);
            Ok::<_, FilesError>(left)
        };
        let (written, left) = tokio::join!(writing, reading);
        let (file, sha256, size) = written?;
        if left? > 0 || size != entry.size {
            return Err(changed(there));
        }
        let is_verified = self.is_same(there, &sha256, resumed > 0).await?;
        let entry = entry.clone();
        blocking(move || local::complete(&here.dir, &here.name, &file, &entry).map_err(|error| here.fail("write", &error))).await?;
        Ok(Copied { path: Vec::new(), bytes: size, resumed, sha256, is_verified })
    }

    /// How much of an earlier try is good, with the fingerprint so far.
    async fn kept_here(&self, here: &Here, there: &[u8], entry: &Entry) -> Result<(u64, Sha256), FilesError> {
        let (own, size) = (here.clone(), entry.size);
        let look = move || {
            let part = local::part_of(&own.name);
            let found = local::open(&own.dir, &part).ok().filter(|(_, part)| part.size > 0 && part.size <= size);
            let hashed = found.and_then(|(mut file, part)| {
                let mut hash = Sha256::new();
                hash_start(&mut file, part.size, &mut hash).ok().map(|()| (part.size, hash))
            });
            Ok(hashed.unwrap_or_default())
        };
        let (bytes, hash) = blocking(look).await?;
        if bytes == 0 {
            return Ok((0, hash));
        }
        let print = self.print_of_start(there, bytes).await?;
        Ok(if digits(&hash.clone().finalize()) == print { (bytes, hash) } else { (0, Sha256::new()) })
    }

    /// The fingerprint of the first bytes of a file on the device: by a program, else by reading them.
    async fn print_of_start(&self, path: &[u8], bytes: u64) -> Result<String, FilesError> {
        if let Some(programs) = &self.transfer.programs {
            match fingerprint_of_start(programs, path, bytes).await {
                Err(error) if error.is_broken() => return Err(error),
                Err(_) => {}
                found => return found,
            }
        }
        print_by_reading(&self.transfer.remote, path, Some(bytes)).await
    }

    async fn up_big(&self, here: Here, there: &[u8]) -> Result<Copied, FilesError> {
        let part = part_there(there)?;
        let (kept, hash) = self.kept_there(&here, &part).await?;
        self.moved(kept);
        let (give, take) = mpsc::channel::<Vec<u8>>(TRANSFER_PIECES_QUEUED);
        let own = here.clone();
        let reading = blocking(move || read_pieces(&own, kept, hash, &give));
        let writing = async {
            // An end of the writing ends the reading, by its queue.
            let mut take = take;
            let start = if kept > 0 { Start::At(kept) } else { Start::Fresh };
            let mut sink = if kept > 0 { self.transfer.remote.sink(&part, start, 0o600).await? } else { self.new_part(&part).await? };
            while let Some(bytes) = take.recv().await {
                sink.write(&bytes).await?;
                self.moved(count(&bytes));
            }
            Ok::<_, FilesError>(sink)
        };
        let (read, written) = tokio::join!(reading, writing);
        let sink = written?;
        let (entry, sha256, size) = read?;
        sink.finish(attrs_of(&entry)).await?;
        let is_verified = self.is_same(&part, &sha256, kept > 0).await?;
        self.transfer.remote.replace(&part, there).await?;
        Ok(Copied { path: Vec::new(), bytes: size, resumed: kept, sha256, is_verified })
    }

    async fn kept_there(&self, here: &Here, part: &[u8]) -> Result<(u64, Sha256), FilesError> {
        let size = match self.transfer.remote.lstat(part).await {
            Ok(attrs) if attrs.kind() == super::wire::Kind::File => attrs.size.unwrap_or(0),
            Err(error) if error.is_broken() => return Err(error),
            _ => 0,
        };
        let own = here.clone();
        let look = move || {
            let (mut file, entry) = local::open(&own.dir, &own.name).map_err(|error| own.fail("read", &error))?;
            let mut hash = Sha256::new();
            let fits = size > 0 && size <= entry.size && hash_start(&mut file, size, &mut hash).is_ok();
            Ok(if fits { Some(hash) } else { None })
        };
        let Some(hash) = blocking(look).await? else { return Ok((0, Sha256::new())) };
        let print = self.print_of_start(part, size).await?;
        Ok(if digits(&hash.clone().finalize()) == print { (size, hash) } else { (0, Sha256::new()) })
    }

    /// Compares before the file gets its name. What was put together from two tries always is.
    async fn is_same(&self, path: &[u8], sha256: &str, is_resumed: bool) -> Result<bool, FilesError> {
        if !self.transfer.options.verify && !is_resumed {
            return Ok(false);
        }
        let by_program = match &self.transfer.programs {
            Some(programs) => super::program::fingerprints(programs, &[path.to_vec()]).await,
            None => Ok(Vec::new()),
        };
        let print = match by_program {
            Err(error) if error.is_broken() => return Err(error),
            Ok(found) if !found.is_empty() => found.into_iter().next().flatten(),
            // Read again, it would be the same bytes by the same way.
            _ if self.transfer.direction == Direction::Down && !is_resumed => return Ok(false),
            _ => Some(print_by_reading(&self.transfer.remote, path, None).await?),
        };
        if print.as_deref() == Some(sha256) { Ok(true) } else { Err(changed(path)) }
    }
}

/// Where a file is written to on the device until it is whole.
fn part_there(path: &[u8]) -> Result<Vec<u8>, FilesError> {
    beside(path, "part")
        .ok_or_else(|| FilesError::Refused(format!("`{}` on the device names no file; give the file's whole path", shown(path))))
}

/// Writes the pieces of a file to its part; the part, its fingerprint and size.
fn write_pieces(
    here: &Here,
    kept: u64,
    mut hash: Sha256,
    mut pieces: mpsc::Receiver<Bytes>,
) -> Result<(std::fs::File, String, u64), FilesError> {
    let mut write = || {
        let mut file = local::open_part(&here.dir, &here.name, (kept > 0).then_some(kept))?;
        let mut size = kept;
        while let Some(piece) = pieces.blocking_recv() {
            file.write_all(&piece)?;
            hash.update(&piece);
            size += count(&piece);
        }
        Ok((file, digits(&hash.finalize_reset()), size))
    };
    write().map_err(|error: io::Error| here.fail("write", &error))
}

/// Reads the pieces of a file; what it is, its fingerprint and size.
fn read_pieces(here: &Here, kept: u64, mut hash: Sha256, pieces: &mpsc::Sender<Vec<u8>>) -> Result<(Entry, String, u64), FilesError> {
    let mut read = || {
        let (mut file, entry) = local::open(&here.dir, &here.name)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(kept))?;
        let mut size = kept;
        while size < entry.size {
            let most = usize::try_from(entry.size - size).unwrap_or(usize::MAX).min(LOCAL_READ_BYTES);
            let mut piece = vec![0; most];
            let got = file.read(&mut piece)?;
            if got == 0 {
                return Err(io::Error::other("it became shorter while it was read"));
            }
            piece.truncate(got);
            hash.update(&piece);
            size += count(&piece);
            if pieces.blocking_send(piece).is_err() {
                break;
            }
        }
        Ok((entry, digits(&hash.finalize_reset()), size))
    };
    read().map_err(|error: io::Error| here.fail("read", &error))
}
