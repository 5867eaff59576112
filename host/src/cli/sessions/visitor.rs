//! A person's program as a guest of the process that holds the sessions.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::super::answer::{asked, is_at_terminal};
use crate::account;
use crate::daemon::client::{Server, is_daemon, names};
use crate::daemon::hello::Want;
use crate::daemon::{Name, launch};
use crate::guest::wire::{Reply, Say, Tell};
use crate::guest::words::for_people;
use crate::ids::{SessionId, open_are};
use crate::nearest::nearest;
use crate::terminal::text::{escaped, escaped_line};
use crate::transport::questions::Question;

/// What to say where the other process is not understood. It may be that of another configuration.
pub(super) const ANOTHER_VERSION: &str =
    "the process that holds the sessions is another version of jackfield; `jackfield status` says which command has this one take over";

/// A connection as a guest.
pub(super) struct Visitor {
    /// The other process.
    pub(super) process: u32,
    /// Its socket's name.
    server: String,
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

/// What came of opening a session.
pub(super) enum Opened {
    /// It is open; a sentence.
    Done(String),
    /// A server asks something at login, and nobody can be asked here.
    Asks(Question),
}

/// A sentence beside the output.
pub(super) fn aside(sentence: &str) {
    let _ = writeln!(anstream::stderr(), "jackfield: {}", escaped(sentence));
}

/// What to say where a server asks at login and nobody can be asked here; `next` is what to do afterwards.
pub(super) fn unanswered(question: &Question, next: &str) -> String {
    let Question { id, device, prompt, .. } = question;
    let prompt = escaped_line(prompt);
    format!("`{device}` asks at login: `{prompt}`; `jackfield answer {id}` takes the answer at a terminal, {next}")
}

/// What to say of a session that is not there: a device can be opened, another name is a mistake.
fn absent(session: &str, open: &[String], devices: &[String]) -> String {
    let are = open_are(open);
    if devices.contains(&SessionId::parse(session).device) {
        return format!("there is no session `{session}`; {are}. `jackfield open {session}` opens it");
    }
    let near = nearest(session, open.iter().chain(devices).map(String::as_str));
    let next = near.map_or_else(|| "`jackfield devices` lists the devices".to_owned(), |near| format!("Did you mean `{near}`?"));
    format!("there is no session and no device `{session}`; {are}. {next}")
}

/// Is this the socket of another configuration's daemon? Its sessions are of that one's devices, whatever their names.
fn is_of_another(name: &str, own: &str) -> bool {
    name != own && is_daemon(name)
}

fn want(by: &str, may_type: bool) -> Want {
    Want::Guest { name: account::name(), by: by.to_owned(), may_type }
}

impl Visitor {
    /// At the daemon for this configuration, which is started if need be. What it does for this guest it does with the guest's own values
    /// of variables.
    pub(super) async fn of_daemon(file: Option<&Path>, by: &str, may_type: bool) -> Result<Self, String> {
        let connected = launch::connect_or_start(file, &want(by, may_type)).map_err(|why| for_people(&why))?;
        let failed = |error: std::io::Error| error.to_string();
        connected.stream.set_nonblocking(true).map_err(failed)?;
        let (read, write) = UnixStream::from_std(connected.stream).map_err(failed)?.into_split();
        let (process, server) = (connected.greeting.process, Name::of(file).socket());
        let mut visitor = Self { process, server, read: BufReader::new(read), write }.welcomed().await?;
        let variables: BTreeMap<String, Reply> =
            launch::variables(&connected.greeting).into_iter().map(|(name, value)| (name, value.into())).collect();
        // An older daemon asks for none, and does not know the word.
        if !variables.is_empty() {
            visitor.say(&Say::Bring { variables }).await?;
        }
        Ok(visitor)
    }

    async fn welcomed(mut self) -> Result<Self, String> {
        match self.hear().await? {
            Tell::Welcome { .. } => Ok(self),
            Tell::Refused { why } => Err(why),
            _ => Err(ANOTHER_VERSION.to_owned()),
        }
    }

    async fn of(server: &str, by: &str, may_type: bool) -> Result<Self, String> {
        let server = Server::connect(server, want(by, may_type)).await?;
        let (process, name) = (server.process, server.name.clone());
        let (read, write) = server.into_streams();
        Self { process, server: name, read, write }.welcomed().await
    }

    /// At every process that holds sessions; and why, of each that is there and cannot be asked.
    pub(super) async fn all(by: &str, may_type: bool) -> Result<(Vec<Self>, Vec<String>), String> {
        let running = || names().map_err(|error| format!("cannot look for running servers: {error}"));
        let (mut visitors, mut unheard) = (Vec::new(), Vec::new());
        for name in running()? {
            match Self::of(&name, by, may_type).await {
                Ok(visitor) => visitors.push(visitor),
                Err(why) => {
                    // One that has just gone holds nothing.
                    if running()?.contains(&name) {
                        unheard.push(why);
                    }
                }
            }
        }
        Ok((visitors, unheard))
    }

    /// At the process that has this session: the daemon for the configuration first. That of another configuration counts only where this
    /// one does not have the device: by the same name it may be another one there.
    pub(super) async fn at(file: Option<&Path>, session: &str, by: &str, may_type: bool) -> Result<Self, String> {
        let id = SessionId::parse(session);
        let session = id.to_string();
        let own = Name::of(file).socket();
        let mut names = names().map_err(|error| format!("cannot look for running servers: {error}"))?;
        names.sort_by_key(|name| *name != own);
        let (mut open, mut devices) = (Vec::new(), None);
        let mut is_elsewhere = false;
        for name in names {
            let Ok(mut visitor) = Self::of(&name, by, may_type).await else { continue };
            let Tell::Sessions { sessions, .. } = visitor.list().await? else { continue };
            if sessions.iter().any(|own| own.session == session) {
                if is_of_another(&name, &own) && devices.get_or_insert_with(|| super::device_names(file)).contains(&id.device) {
                    is_elsewhere = true;
                    continue;
                }
                // The list is not wanted any more: a new connection does not have it.
                return Self::of(&name, by, may_type).await;
            }
            open.extend(sessions.into_iter().map(|own| own.session));
        }
        if is_elsewhere {
            return Err(format!(
                "`{session}` is open under another configuration only, where it may be another device; `jackfield status` names that one, \
                 for `--config`"
            ));
        }
        Err(absent(&session, &open, &devices.unwrap_or_else(|| super::device_names(file))))
    }

    /// Is it at a process that may hold sessions of this configuration's devices? One of a client's own does not say whose it holds.
    pub(super) fn may_be_of(&self, file: Option<&Path>) -> bool {
        !is_of_another(&self.server, &Name::of(file).socket())
    }

    /// Says something.
    pub(super) async fn say(&mut self, said: &Say) -> Result<(), String> {
        let mut line = serde_json::to_vec(said).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let gone = |error: std::io::Error| format!("the process that holds the sessions has gone: {error}");
        self.write.write_all(&line).await.map_err(gone)?;
        self.write.flush().await.map_err(gone)
    }

    /// What comes next. May be dropped while it waits only if nothing is heard afterwards.
    pub(super) async fn hear(&mut self) -> Result<Tell, String> {
        let mut line = String::new();
        let gone = || "the process that holds the sessions has gone; `jackfield status` names its log".to_owned();
        let count = self.read.read_line(&mut line).await.map_err(|_| gone())?;
        if count == 0 {
            return Err(gone());
        }
        serde_json::from_str(&line).map_err(|_| ANOTHER_VERSION.to_owned())
    }

    /// All sessions.
    pub(super) async fn list(&mut self) -> Result<Tell, String> {
        self.say(&Say::List).await?;
        loop {
            match self.hear().await? {
                told @ Tell::Sessions { .. } => return Ok(told),
                Tell::Refused { why } => return Err(why),
                _ => {}
            }
        }
    }

    /// Says something and waits for the answer to it.
    pub(super) async fn ask(&mut self, said: &Say) -> Result<String, String> {
        self.say(said).await?;
        loop {
            match self.hear().await? {
                Tell::Done { text } => return Ok(text),
                Tell::Refused { why } => return Err(why),
                _ => {}
            }
        }
    }

    /// Opens a session. What is asked at login is asked here, where somebody can be asked; else it is given back.
    pub(super) async fn open(&mut self, session: &str) -> Result<Opened, String> {
        self.say(&Say::Open { session: session.to_owned() }).await?;
        loop {
            match self.hear().await? {
                Tell::Done { text } => return Ok(Opened::Done(text)),
                Tell::Refused { why } => return Err(why),
                Tell::Asks { question } if !is_at_terminal() => return Ok(Opened::Asks(question)),
                Tell::Asks { question } => self.answer(&question).await?,
                Tell::Waits { why } => aside(&why),
                _ => {}
            }
        }
    }

    /// Asks at this terminal what a server wants to know and hands the answer over.
    pub(super) async fn answer(&self, question: &Question) -> Result<(), String> {
        let answer = asked(question)?;
        // By a way of its own: what is told here is of the login.
        let mut server = Server::connect(&self.server, Want::Control).await?;
        if let Err(late) = server.reply(&question.id, &answer).await {
            // What came of the login is told next.
            aside(&late);
        }
        Ok(())
    }

    /// Its two directions.
    pub(super) fn into_parts(self) -> (BufReader<OwnedReadHalf>, OwnedWriteHalf) {
        (self.read, self.write)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_a_device_that_is_there_is_said_to_be_opened() {
        let absent = |session: &str| {
            let devices = ["switch1".to_owned(), "web1".to_owned()];
            super::absent(session, &["switch1".to_owned()], &devices)
        };
        assert_eq!(absent("web1"), "there is no session `web1`; open are: switch1. `jackfield open web1` opens it");
        assert!(absent("web1#2").ends_with("`jackfield open web1#2` opens it"));
        assert_eq!(absent("swtch1"), "there is no session and no device `swtch1`; open are: switch1. Did you mean `switch1`?");
        assert!(absent("printer").ends_with("`jackfield devices` lists the devices"));
    }
}
