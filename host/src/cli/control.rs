//! A running server's socket, by which this account's other programs talk to it.
//!
//! It lies in a folder for the account alone, and whoever connects must be the account itself. One line asks, one line answers.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::limits::{CONTROL_ANSWER_MAX, CONTROL_LINE_MAX_BYTES};
use crate::renewal::{Renewer, Report};
use crate::startup;

/// What a socket's name ends with.
const SUFFIX: &str = ".sock";
/// The one thing that a server can be asked.
pub(super) const RELOAD: &str = "reload";

/// A socket that is there as long as the server is.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next one that looks finds nobody behind it and removes it.
        let _ = fs::remove_file(&self.path);
    }
}

impl Control {
    /// Listens, and answers as long as the value lives and the runtime does.
    pub(super) fn start(renewer: Arc<Renewer>) -> io::Result<Self> {
        let folder = startup::run_folder()?;
        let name = format!("{}{SUFFIX}", std::process::id());
        let path = folder.join(&name);
        // A process that had our number has left it.
        let _ = fs::remove_file(&path);
        let listener = within(&folder, &name, |path| UnixListener::bind(path))?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if is_own(&stream) {
                    tokio::spawn(answer(stream, Arc::clone(&renewer)));
                }
            }
        });
        Ok(Self { path })
    }
}

/// A socket's path has a hundred bytes; through the folder's own handle it is short wherever the folder is.
fn within<T>(folder: &Path, name: &str, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let handle = File::open(folder)?;
    work(&PathBuf::from(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd())))
}

fn is_own(stream: &UnixStream) -> bool {
    let own = fs::metadata("/proc/self").map(|metadata| metadata.uid());
    matches!((stream.peer_cred(), own), (Ok(peer), Ok(own)) if peer.uid() == own)
}

async fn answer(stream: UnixStream, renewer: Arc<Renewer>) {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(CONTROL_LINE_MAX_BYTES));
    if !matches!(timeout(CONTROL_ANSWER_MAX, reader.read_line(&mut line)).await, Ok(Ok(_))) || line.trim() != RELOAD {
        return;
    }
    let report = renewer.renew().await;
    let text = serde_json::to_string(&report).unwrap_or_default() + "\n";
    // Whoever asked may have gone: it is in the log.
    let _ = write.write_all(text.as_bytes()).await;
}

/// Asks every running server of this account. What is left of one that has gone is removed.
pub(super) async fn reload_all() -> io::Result<Vec<(u32, Result<Report, String>)>> {
    let folder = startup::run_folder()?;
    let mut reports = Vec::new();
    let mut names: Vec<String> = fs::read_dir(&folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    for name in names {
        let Some(process) = name.strip_suffix(SUFFIX).and_then(|process| process.parse().ok()) else { continue };
        let handle = File::open(&folder)?;
        let path = format!("/proc/self/fd/{}/{name}", handle.as_raw_fd());
        match UnixStream::connect(&path).await {
            Ok(stream) => reports.push((process, reload(stream).await)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => drop(fs::remove_file(folder.join(&name))),
            Err(error) => reports.push((process, Err(error.to_string()))),
        }
    }
    Ok(reports)
}

async fn reload(stream: UnixStream) -> Result<Report, String> {
    let asked = async {
        let (read, mut write) = stream.into_split();
        write.write_all(format!("{RELOAD}\n").as_bytes()).await?;
        let mut text = String::new();
        BufReader::new(read).read_line(&mut text).await?;
        Ok::<_, io::Error>(text)
    };
    let text = timeout(CONTROL_ANSWER_MAX, asked).await.map_err(|_| "it does not answer".to_owned())?.map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|_| "it gives no answer; is it another version of jackfield?".to_owned())
}
