//! A running server's socket, by which this account's other programs talk to it.
//!
//! It lies in a folder for the account alone, and whoever connects must be the account itself. One line asks, one line answers.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::limits::{CONTROL_ANSWER_MAX, CONTROL_READ_MAX_BYTES};
use crate::policy::approval::{Answer, Approvals, Request};
use crate::private::own_user;
use crate::renewal::{Renewer, Report};
use crate::secret::Secret;
use crate::startup;
use crate::transport::questions::{Question, Questions};

/// What a socket's name ends with.
const SUFFIX: &str = ".sock";
/// Asks a server to read its configuration again.
const RELOAD: &str = "reload";
/// Asks what waits for a person's word.
const APPROVALS: &str = "approvals";
/// Gives one.
const ANSWER: &str = "answer ";
/// Asks what servers ask at login.
const QUESTIONS: &str = "questions";
/// Answers one.
const REPLY: &str = "reply ";
/// Asks the same with the pins of these files skipped as long as the connection lasts.
const DEV: &str = "dev ";

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
    pub(super) fn start(renewer: Arc<Renewer>, approvals: Approvals, questions: Questions) -> io::Result<Self> {
        let folder = startup::run_folder()?;
        let name = format!("{}{SUFFIX}", std::process::id());
        let path = folder.join(&name);
        // A process that had our number has left it.
        let _ = fs::remove_file(&path);
        let listener = within(&folder, &name, |path| UnixListener::bind(path))?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if is_own(&stream) {
                    tokio::spawn(answer(stream, Arc::clone(&renewer), approvals.clone(), questions.clone()));
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
    matches!((stream.peer_cred(), own_user()), (Ok(peer), Ok(own)) if peer.uid() == own)
}

async fn answer(stream: UnixStream, renewer: Arc<Renewer>, approvals: Approvals, questions: Questions) {
    let uid = stream.peer_cred().map(|peer| peer.uid()).unwrap_or_default();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read.take(CONTROL_READ_MAX_BYTES)).lines();
    let mut develops = false;
    loop {
        // A developer's connection lasts; who asks for anything else does it at once.
        let line = match develops {
            true => lines.next_line().await,
            false => timeout(CONTROL_ANSWER_MAX, lines.next_line()).await.unwrap_or(Ok(None)),
        };
        let Ok(Some(line)) = line else { break };
        let line = Zeroizing::new(line);
        if let Some(text) = about_approval(&line, uid, &approvals).or_else(|| about_question(&line, &questions)) {
            if write.write_all((text + "\n").as_bytes()).await.is_err() {
                break;
            }
            continue;
        }
        let report = match line.strip_prefix(DEV).map(serde_json::from_str::<Vec<PathBuf>>) {
            Some(Ok(files)) if !develops => match renewer.begin_dev(files).await {
                Ok(report) => {
                    develops = true;
                    report
                }
                Err(why) => Report { complaints: vec![why], ..Report::default() },
            },
            None if *line == RELOAD => renewer.renew().await,
            _ => break,
        };
        let text = serde_json::to_string(&report).unwrap_or_default() + "\n";
        if write.write_all(text.as_bytes()).await.is_err() {
            break;
        }
    }
    if develops {
        renewer.end_dev().await;
    }
}

/// A person's word, as it travels.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    id: String,
    allow: bool,
    by: String,
}

/// What is asked or said about approvals, and the reply.
fn about_approval(line: &str, uid: u32, approvals: &Approvals) -> Option<String> {
    if line == APPROVALS {
        return serde_json::to_string(&approvals.open(Instant::now())).ok();
    }
    let said: Said = serde_json::from_str(line.strip_prefix(ANSWER)?).ok()?;
    let answer = if said.allow { Answer::Allow } else { Answer::Deny };
    let taken = approvals.answer(&said.id, answer, &format!("{} (uid {uid})", said.by), "command line", Instant::now());
    serde_json::to_string(&taken.err()).ok()
}

/// What is asked or said about questions of servers, and the reply.
fn about_question(line: &str, questions: &Questions) -> Option<String> {
    if line == QUESTIONS {
        return serde_json::to_string(&questions.open()).ok();
    }
    let (id, answer) = line.strip_prefix(REPLY)?.split_once(' ')?;
    let secret = Secret::from_bytes(answer.as_bytes().to_vec());
    serde_json::to_string(&questions.answer(id, secret).err()).ok()
}

/// A connection to a running server.
#[derive(Debug)]
pub(super) struct Server {
    /// Its process.
    pub(super) process: u32,
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Server {
    /// Has it read its configuration again.
    pub(super) async fn reload(&mut self) -> Result<Report, String> {
        self.ask(RELOAD).await
    }

    /// The same with the pins of these files skipped, as long as this value lives.
    pub(super) async fn dev(&mut self, files: &[PathBuf]) -> Result<Report, String> {
        let files = serde_json::to_string(files).map_err(|error| error.to_string())?;
        self.ask(&format!("{DEV}{files}")).await
    }

    /// What waits for a person's word.
    pub(super) async fn approvals(&mut self) -> Result<Vec<Request>, String> {
        self.ask(APPROVALS).await
    }

    /// Gives one.
    pub(super) async fn answer(&mut self, id: &str, allow: bool, by: &str) -> Result<(), String> {
        let said = Said { id: id.to_owned(), allow, by: by.to_owned() };
        let said = serde_json::to_string(&said).map_err(|error| error.to_string())?;
        let refused: Option<String> = self.ask(&format!("{ANSWER}{said}")).await?;
        refused.map_or(Ok(()), Err)
    }

    /// What servers ask at login.
    pub(super) async fn questions(&mut self) -> Result<Vec<Question>, String> {
        self.ask(QUESTIONS).await
    }

    /// Answers one.
    pub(super) async fn reply(&mut self, id: &str, answer: &Zeroizing<String>) -> Result<(), String> {
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

/// Every running server of this account. What is left of one that has gone is removed.
pub(super) async fn servers() -> io::Result<Vec<Server>> {
    let folder = startup::run_folder()?;
    let mut names: Vec<String> = fs::read_dir(&folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let mut servers = Vec::new();
    for name in names {
        let Some(process) = name.strip_suffix(SUFFIX).and_then(|process| process.parse().ok()) else { continue };
        let handle = File::open(&folder)?;
        let path = format!("/proc/self/fd/{}/{name}", handle.as_raw_fd());
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                let (read, write) = stream.into_split();
                servers.push(Server { process, read: BufReader::new(read), write });
            }
            // Nobody listens behind it, or it went away just now.
            Err(_) => drop(fs::remove_file(folder.join(&name))),
        }
    }
    Ok(servers)
}
