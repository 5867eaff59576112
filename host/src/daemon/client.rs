//! A connection to a running server, for the command line.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::control::{ANSWER, APPROVALS, DEV, LINK, Link, QUESTIONS, RELOAD, REPLY, STATUS, STOP, Said};
use super::hello::{Greeting, Hello, Want, line, say};
use super::status::Status;
use super::{DAEMON, SUFFIX, within};
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
        let folder = startup::run_folder().map_err(|error| error.to_string())?;
        let gone = |error: io::Error| format!("nobody listens on `{name}`: {error}");
        let stream = within(&folder, name, |path| std::os::unix::net::UnixStream::connect(path)).map_err(gone)?;
        stream.set_nonblocking(true).map_err(gone)?;
        let stream = UnixStream::from_std(stream).map_err(gone)?;
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        let greeted = async {
            say(&mut write, &Hello::new(want).line()).await?;
            line(&mut read).await
        };
        let said = timeout(CONTROL_ANSWER_MAX, greeted).await.map_err(|_| "it does not answer".to_owned())?;
        let said = said.map_err(|error| format!("it has ended: {error}"))?;
        let greeting: Greeting = serde_json::from_str(&said).map_err(|_| "it is no jackfield".to_owned())?;
        greeting.check()?;
        Ok(Self { process: greeting.process, version: greeting.jackfield, name: name.to_owned(), read, write })
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
        let text = timeout(CONTROL_ANSWER_MAX, asked).await.map_err(|_| "it does not answer".to_owned())?;
        let text = text.map_err(|error| format!("it has ended: {error}"))?;
        serde_json::from_str(&text).map_err(|_| "it has ended, or is another version of jackfield".to_owned())
    }
}

/// Every running server of this account, daemons first. What is left of one that has gone is removed.
///
/// # Errors
///
/// When the folder cannot be read.
pub async fn servers() -> io::Result<Vec<Server>> {
    let mut servers = Vec::new();
    for name in names()? {
        if let Ok(server) = Server::connect(&name, Want::Control).await {
            servers.push(server);
        }
    }
    Ok(servers)
}

/// The sockets of running servers, those of daemons first. What is left of a server that has gone is removed.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn names() -> io::Result<Vec<String>> {
    let folder = startup::run_folder()?;
    let mut names: Vec<String> = fs::read_dir(&folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.strip_suffix(SUFFIX).is_some_and(|stem| stem.starts_with(DAEMON) || stem.parse::<u32>().is_ok()));
    names.sort_by_key(|name| (!name.starts_with(DAEMON), name.clone()));
    names.retain(|name| {
        let gone = within(&folder, name, |path| std::os::unix::net::UnixStream::connect(path)).is_err();
        if gone {
            // Nobody listens behind it, or it went away just now.
            let _ = fs::remove_file(folder.join(name));
        }
        !gone
    });
    Ok(names)
}
