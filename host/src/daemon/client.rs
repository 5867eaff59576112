//! A connection to a running server, for the command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::control::{ANSWER, APPROVALS, DEV, DRAIN, LINK, Link, QUESTIONS, RELOAD, REPLY, STATUS, STOP, Said};
use super::hello::{Greeting, Hello, PROTOCOL, Want, line, say};
use super::status::Status;
use super::{DAEMON, SUFFIX, lock_file, within};
use crate::account;
use crate::limits::CONTROL_ANSWER_MAX;
use crate::policy::approval::Request;
use crate::renewal::Report;
use crate::startup;
use crate::transport::questions::Question;

/// A connection to a running server.
#[derive(Debug)]
pub struct Server {
    /// Its process.
    pub process: u32,
    /// Its version.
    pub version: String,
    /// Its socket's name.
    pub name: String,
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Server {
    /// Connects to the server behind this socket.
    ///
    /// # Errors
    ///
    /// When there is none, or it does not understand this program.
    pub async fn connect(name: &str, want: Want) -> Result<Self, String> {
        let (greeting, read, write) = greeted(name, want).await?;
        greeting.check()?;
        Ok(Self { process: greeting.process, version: greeting.jackfield, name: name.to_owned(), read, write })
    }

    /// The process behind this socket and its version, where it speaks another protocol and can be asked nothing.
    pub async fn stranger(name: &str) -> Option<(Pid, String)> {
        let (greeting, read, _write) = greeted(name, Want::Control).await.ok()?;
        // The system's word, not its own.
        let stream: &UnixStream = read.get_ref().as_ref();
        let process = stream.peer_cred().ok()?.pid().and_then(Pid::from_raw)?;
        (greeting.protocol != PROTOCOL).then_some((process, greeting.jackfield))
    }

    /// Its streams, for what follows the greeting.
    #[must_use]
    pub fn into_streams(self) -> (BufReader<OwnedReadHalf>, OwnedWriteHalf) {
        (self.read, self.write)
    }

    /// How it stands.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn status(&mut self) -> Result<Status, String> {
        self.ask(STATUS).await
    }

    /// A link that logs a browser in, once.
    ///
    /// # Errors
    ///
    /// When it has ended, or there is none.
    pub async fn link(&mut self, may_type: bool, port: u16) -> Result<String, String> {
        let wanted = serde_json::to_string(&Link { may_type, port }).map_err(|error| error.to_string())?;
        self.ask::<Result<String, String>>(&format!("{LINK}{wanted}")).await?
    }

    /// Asks it to end.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn stop(&mut self) -> Result<Status, String> {
        self.ask(STOP).await
    }

    /// Asks it to end unless something runs: how it stood then.
    ///
    /// # Errors
    ///
    /// When it has ended, or does not know this question.
    pub async fn drain(&mut self) -> Result<Status, String> {
        self.ask(DRAIN).await
    }

    /// Has it read its configuration again.
    ///
    /// # Errors
    ///
    /// When it has ended, or refuses.
    pub async fn reload(&mut self) -> Result<Report, String> {
        self.ask(RELOAD).await
    }

    /// The same with the pins of these files skipped, as long as this value lives.
    ///
    /// # Errors
    ///
    /// When it has ended, or refuses.
    pub async fn dev(&mut self, files: &[PathBuf]) -> Result<Report, String> {
        let files = serde_json::to_string(files).map_err(|error| error.to_string())?;
        self.ask(&format!("{DEV}{files}")).await
    }

    /// What waits for a person's word.
    ///
    /// # Errors
    ///
    /// When it has ended, or refuses.
    pub async fn approvals(&mut self) -> Result<Vec<Request>, String> {
        self.ask(APPROVALS).await
    }

    /// Gives one.
    ///
    /// # Errors
    ///
    /// When it has ended, or refuses.
    pub async fn answer(&mut self, id: &str, allow: bool) -> Result<(), String> {
        let said = Said { id: id.to_owned(), allow, person: account::name() };
        let said = serde_json::to_string(&said).map_err(|error| error.to_string())?;
        let refused: Option<String> = self.ask(&format!("{ANSWER}{said}")).await?;
        refused.map_or(Ok(()), Err)
    }

    /// What servers ask at login.
    ///
    /// # Errors
    ///
    /// When it has ended, or refuses.
    pub async fn questions(&mut self) -> Result<Vec<Question>, String> {
        self.ask(QUESTIONS).await
    }

    /// Answers one.
    ///
    /// # Errors
    ///
    /// When it has ended, or refuses.
    pub async fn reply(&mut self, id: &str, answer: &Zeroizing<String>) -> Result<(), String> {
        let refused: Option<String> = self.ask(&Zeroizing::new(format!("{REPLY}{id} {}", **answer))).await?;
        refused.map_or(Ok(()), Err)
    }

    async fn ask<T: DeserializeOwned>(&mut self, line: &str) -> Result<T, String> {
        let asked = async {
            self.write.write_all(Zeroizing::new(format!("{line}\n")).as_bytes()).await?;
            let mut text = String::new();
            self.read.read_line(&mut text).await?;
            Ok::<_, io::Error>(text)
        };
        let text = timeout(CONTROL_ANSWER_MAX, asked).await.map_err(|_| hangs(Some(self.process)))?;
        let text = text.map_err(|error| format!("it has ended: {error}"))?;
        serde_json::from_str(&text).map_err(|_| "it has ended, or is another version of jackfield".to_owned())
    }
}

/// A connection to the server behind this socket, and what it said of itself.
async fn greeted(name: &str, want: Want) -> Result<(Greeting, BufReader<OwnedReadHalf>, OwnedWriteHalf), String> {
    let folder = startup::run_folder().map_err(|error| error.to_string())?;
    greeted_in(&folder, name, want).await
}

async fn greeted_in(folder: &Path, name: &str, want: Want) -> Result<(Greeting, BufReader<OwnedReadHalf>, OwnedWriteHalf), String> {
    let gone = |error: io::Error| format!("nobody listens on `{name}`: {error}");
    let stream = within(folder, name, |path| std::os::unix::net::UnixStream::connect(path)).map_err(gone)?;
    stream.set_nonblocking(true).map_err(gone)?;
    let stream = UnixStream::from_std(stream).map_err(gone)?;
    // The system's word: it may never say anything itself.
    let process = stream.peer_cred().ok().and_then(|peer| u32::try_from(peer.pid()?).ok());
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let greeted = async {
        say(&mut write, &Hello::new(want).line()).await?;
        line(&mut read).await
    };
    let said = timeout(CONTROL_ANSWER_MAX, greeted).await.map_err(|_| hangs(process))?;
    let said = said.map_err(|error| format!("it has ended: {error}"))?;
    let greeting: Greeting = serde_json::from_str(&said).map_err(|_| "it is no jackfield".to_owned())?;
    Ok((greeting, read, write))
}

/// What to say of a process that is there and silent: whoever looks for it has no other way to its number.
fn hangs(process: Option<u32>) -> String {
    let seconds = CONTROL_ANSWER_MAX.as_secs();
    match process {
        Some(process) => format!("process {process} does not answer within {seconds} s; `kill -KILL {process}` ends it and its sessions"),
        None => format!("it does not answer within {seconds} s"),
    }
}

/// Every running server of this account, daemons first; and why, of each that is there and cannot be asked. What is left of one that has
/// gone is removed.
///
/// # Errors
///
/// When the folder cannot be read.
pub async fn servers() -> io::Result<(Vec<Server>, Vec<String>)> {
    let (mut servers, mut unheard) = (Vec::new(), Vec::new());
    for name in names()? {
        match Server::connect(&name, Want::Control).await {
            Ok(server) => servers.push(server),
            // One that has just gone holds nothing.
            Err(why) if names()?.contains(&name) => unheard.push(why),
            Err(_) => {}
        }
    }
    Ok((servers, unheard))
}

/// The sockets of running servers, those of daemons first. What is left of a server that has gone is removed.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn names() -> io::Result<Vec<String>> {
    names_in(&startup::run_folder()?)
}

/// Is this the socket of a configuration's daemon, and not of a client's own process?
#[must_use]
pub fn is_daemon(name: &str) -> bool {
    name.starts_with(DAEMON)
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.strip_suffix(SUFFIX).is_some_and(|stem| stem.starts_with(DAEMON) || stem.parse::<u32>().is_ok()));
    names.sort_by_key(|name| (!name.starts_with(DAEMON), name.clone()));
    names.retain(|name| {
        let gone = within(folder, name, |path| std::os::unix::net::UnixStream::connect(path)).is_err();
        if gone {
            remove_left(folder, name);
        }
        !gone
    });
    Ok(names)
}

/// Removes a socket that nobody listens behind, unless its server is there and is only about to listen: the file comes before that.
fn remove_left(folder: &Path, name: &str) {
    let stem = name.strip_suffix(SUFFIX).unwrap_or(name);
    // A daemon has its lock before its socket and as long as it lives; it waits for us where it is just starting.
    let lock = || lock_file(&folder.join(format!("{stem}.lock"))).ok().filter(|lock| lock.try_lock().is_ok());
    let (is_left, _lock) = match stem.parse::<i32>().ok().and_then(Pid::from_raw) {
        Some(process) => (test_kill_process(process) == Err(Errno::SRCH), None),
        None => lock().map_or((false, None), |lock| (true, Some(lock))),
    };
    if is_left {
        let _ = fs::remove_file(folder.join(name));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_process_that_hangs_is_named_with_what_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let _silent = UnixListener::bind(folder.path().join("daemon-1.sock")).unwrap();
        let why = greeted_in(folder.path(), "daemon-1.sock", Want::Control).await.map(|(greeting, ..)| greeting).unwrap_err();
        let own = std::process::id();
        assert_eq!(why, format!("process {own} does not answer within 60 s; `kill -KILL {own}` ends it and its sessions"));
    }

    #[test]
    fn a_socket_is_removed_only_once_its_server_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let (own, gone) = (format!("{}.sock", std::process::id()), format!("{}.sock", gone.id()));
        // As between the two steps of a server that begins to listen: the file is there, and nobody behind it.
        let left = |name: &str| drop(UnixListener::bind(folder.join(name)).unwrap());
        [own.as_str(), gone.as_str(), "daemon-1.sock", "daemon-2.sock"].into_iter().for_each(left);
        let _serves = UnixListener::bind(folder.join("daemon-3.sock")).unwrap();
        let starting = lock_file(&folder.join("daemon-1.lock")).unwrap();
        starting.try_lock().unwrap();
        assert_eq!(names_in(folder).unwrap(), ["daemon-3.sock"]);
        let is_there = |name: &str| folder.join(name).exists();
        assert_eq!([own.as_str(), gone.as_str(), "daemon-1.sock", "daemon-2.sock"].map(is_there), [true, false, true, false]);
        drop(starting);
        names_in(folder).unwrap();
        assert!(!is_there("daemon-1.sock"));
    }
}
