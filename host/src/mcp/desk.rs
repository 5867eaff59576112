//! What every call about files has in common: a line that policy judges, the way to the files, and an end that is recorded.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use super::Caller;
use super::conceal::each_text;
use super::programs::{Channels, Sudo};
use super::reply::{self, Reply};
use super::tools::Arguments;
use crate::audit::record::Filed;
use crate::directory::Directory;
use crate::files::FilesError;
use crate::files::name::{given, shown};
use crate::files::program::Programs;
use crate::files::remote::Remote;
use crate::files::sftp::Sftp;
use crate::files::shell::Shell;
use crate::files::single::command_for;
use crate::ids::SessionId;
use crate::limits::{JUDGED_APART_MAX, JUDGED_LINE_BYTES};
use crate::policy::{Purpose, Verdict};
use crate::secret::redact::Redactor;
use crate::session::Refusal;
use crate::session::errand::{Errand, Permit};
use crate::transport::ssh::{ConnectError, Connection, Stream};

/// Why a call about files ends early.
pub(super) enum Stop {
    /// Policy.
    Refused(String, Refusal),
    /// The account on the device may not.
    Denied(String),
    /// Something else; the sentence says it.
    Failed(String),
}

impl Stop {
    pub(super) fn reply(self) -> Result<Reply, String> {
        match self {
            Self::Refused(session, refusal) => Ok(reply::refused(&session, &refusal)),
            Self::Denied(why) | Self::Failed(why) => Err(why),
        }
    }

    /// Without secrets that are known: a name may hold one.
    pub(super) fn concealed(self, known: &Redactor) -> Self {
        match self {
            Self::Denied(why) => Self::Denied(known.text(&why)),
            Self::Failed(why) => Self::Failed(known.text(&why)),
            Self::Refused(session, mut refusal) => {
                if let Refusal::Denied(verdict) | Refusal::ApprovalNeeded(verdict, _) = &mut refusal {
                    verdict.decision.reason = known.text(&verdict.decision.reason);
                }
                Self::Refused(session, refusal)
            }
        }
    }

    /// Why, for those who keep it.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Refused(..) => "refused",
            Self::Denied(why) | Self::Failed(why) => why,
        }
    }
}

impl From<FilesError> for Stop {
    fn from(error: FilesError) -> Self {
        if error.is_denied() { Self::Denied(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// A path as a word of the line that policy judges.
pub(super) fn word(path: &[u8]) -> String {
    // No program takes it for an option.
    let path = if path.starts_with(b"-") { [b"./", path].concat() } else { path.to_vec() };
    let text = shown(&path);
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%,~".contains(letter);
    match text.chars().all(is_plain) || text.starts_with("$'") {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// What shows a file in a POSIX shell, and what writes one.
pub(super) const READS: &str = "cat";
pub(super) const WRITES: &str = "tee";

/// Work on files of one device for one caller.
pub(super) struct Desk {
    pub(super) device: String,
    pub(super) errand: Arc<Errand>,
    pub(super) caller: String,
    sudo: bool,
}

/// What there is to work on the files with.
pub(super) enum Found {
    /// A file service, or programs of a shell.
    Files(Way),
    /// The copy protocol alone. Why there is nothing better.
    Copies(Arc<dyn Programs>, String),
}

/// The way to the files, once it may be gone.
pub(super) struct Way {
    pub(super) remote: Remote,
    pub(super) programs: Option<Arc<dyn Programs>>,
    /// Without it the streams end.
    pub(super) connection: Connection,
}

impl Desk {
    pub(super) async fn open(directory: &Directory, caller: &Caller, arguments: &Arguments) -> Result<Self, Stop> {
        let device = SessionId::parse(arguments.text_or_empty("target")).device;
        let limits = directory.world().config.limits;
        directory.quota().device(&caller.name, &device, &limits, Instant::now())?;
        let errand = directory.errand(&device).await.map_err(|error| error.to_string())?;
        errand.recall_masks().await;
        let sudo = arguments.flag("sudo") == Some(true);
        if sudo && !errand.has_programs() {
            return Err(Stop::Failed(format!("`{device}` has no shell with sudo; leave `sudo` out")));
        }
        Ok(Self { device, errand: Arc::new(errand), caller: caller.name.clone(), sudo })
    }

    /// A line as it would be typed for the same end.
    pub(super) fn line(&self, words: &str) -> String {
        if self.sudo { format!("sudo {words}") } else { words.to_owned() }
    }

    /// The line that would show or write all of a file, as policy judges it.
    pub(super) fn whole_line(&self, command: &str, path: &[u8]) -> Result<String, String> {
        let Some(copy) = self.errand.copy() else { return Ok(self.line(&format!("{command} {}", word(path)))) };
        let line = if command == WRITES { &copy.writes } else { &copy.reads };
        command_for(line, path).map_err(|why| format!("`{}` on `{}` cannot be named: {why}", shown(path), self.device))
    }

    /// What for, as policy is told: what needs more rights than the account has is more than a read.
    pub(super) fn reading(&self) -> Purpose {
        if self.sudo { Purpose::Run } else { Purpose::Query }
    }

    /// What may help an account that may not, where the tool has it.
    pub(super) fn hinted(&self, stop: Stop) -> Stop {
        match stop {
            Stop::Denied(why) if !self.sudo && self.errand.has_programs() => {
                Stop::Denied(format!("{why}; sudo=true may help where it is allowed"))
            }
            other => other,
        }
    }

    pub(super) async fn judge(&self, line: &str, purpose: Purpose) -> Verdict {
        self.errand.judge(line, purpose, &self.caller).await
    }

    /// Lets it be done, or ends the call.
    pub(super) async fn admit(&self, text: &str, purpose: Purpose, verdict: Verdict) -> Result<Permit, Stop> {
        let admitted = self.errand.admit(text, purpose, &self.caller, verdict).await;
        admitted.map_err(|refusal| Stop::Refused(self.errand.session(), refusal))
    }

    /// Connects and finds the way to the files.
    pub(super) async fn way(&self, directory: &Directory, permit: &Arc<Permit>) -> Result<Way, Stop> {
        match self.found(directory, permit).await? {
            Found::Files(way) => Ok(way),
            Found::Copies(_, why) => {
                let device = &self.device;
                Err(Stop::Failed(format!("`{device}` has no SFTP ({why}); single files are copied by ssh_transfer, and shown by ssh_run")))
            }
        }
    }

    /// The same, also where there is no more than the copy protocol.
    pub(super) async fn found(&self, directory: &Directory, permit: &Arc<Permit>) -> Result<Found, Stop> {
        let programs_on = |connection: &Connection| -> Arc<dyn Programs> {
            let sudo = self.sudo.then(|| Sudo::of(Arc::clone(&self.errand)));
            Arc::new(Channels { connection: connection.clone(), permit: Arc::clone(permit), sudo })
        };
        if self.sudo && self.errand.has_programs() {
            let connection = directory.bulk(&self.device).await.map_err(|error| error.to_string())?;
            let programs = programs_on(&connection);
            let remote = Remote::Shell(Shell::new(Arc::clone(&programs)));
            return Ok(Found::Files(Way { remote, programs: Some(programs), connection }));
        }
        let (connection, opened) = self.file_transfer(directory).await?;
        let started = programs_on(&connection);
        let programs = self.errand.has_programs().then(|| Arc::clone(&started));
        let why = match opened {
            Ok(stream) => match Sftp::start(stream).await {
                Ok(sftp) => return Ok(Found::Files(Way { remote: Remote::Sftp(sftp), programs, connection })),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        match &programs {
            Some(own) => Ok(Found::Files(Way { remote: Remote::Shell(Shell::new(Arc::clone(own))), programs, connection })),
            None if self.errand.copy().is_some() => Ok(Found::Copies(started, why)),
            None => Err(Stop::Failed(format!("`{}` has no SFTP ({why}) and no shell whose programs could be used instead", self.device))),
        }
    }

    /// The server's own file transfer, if it has one, on a connection with room for it.
    async fn file_transfer(&self, directory: &Directory) -> Result<(Connection, Result<Stream, ConnectError>), Stop> {
        loop {
            let connection = directory.bulk(&self.device).await.map_err(|error| error.to_string())?;
            match connection.subsystem("sftp").await {
                // It has as many sessions as the server gives, which it knows now.
                Err(ConnectError::Full { .. }) => {}
                opened => return Ok((connection, opened)),
            }
        }
    }

    /// Which of these paths policy does not let through with this command, and what it says. Many go into one line.
    pub(super) async fn refused(&self, command: &str, paths: &[Vec<u8>], purpose: Purpose) -> Result<Vec<(usize, Verdict)>, Stop> {
        let words: Vec<String> = paths.iter().map(|path| word(path)).collect();
        let mut ranges = Vec::new();
        let (mut start, mut size) = (0, 0);
        for (at, word) in words.iter().enumerate() {
            if at > start && (size + word.len() > JUDGED_LINE_BYTES || !self.errand.has_one_judge()) {
                ranges.push(start..at);
                (start, size) = (at, 0);
            }
            size += word.len() + 1;
        }
        ranges.push(start..words.len());
        ranges.reverse();
        let mut refused = Vec::new();
        while let Some(range) = ranges.pop() {
            let some = words.get(range.clone()).unwrap_or_default();
            if some.is_empty() {
                continue;
            }
            let verdict = self.judge(&self.line(&format!("{command} {}", some.join(" "))), purpose).await;
            if verdict.allows() {
                continue;
            }
            if range.len() == 1 {
                refused.push((range.start, verdict));
                if refused.len() > JUDGED_APART_MAX {
                    let verdict = refused.pop().map(|(_, verdict)| verdict.decision.reason).unwrap_or_default();
                    return Err(Stop::Failed(format!("policy refuses more than {JUDGED_APART_MAX} of the files, for example: {verdict}")));
                }
                continue;
            }
            let middle = range.start + range.len() / 2;
            ranges.push(middle..range.end);
            ranges.push(range.start..middle);
        }
        Ok(refused)
    }

    /// A link may lead to what the path did not say: that is judged too.
    pub(super) async fn judge_real(&self, command: &str, given: &[u8], real: &[u8], purpose: Purpose, bound: &str) -> Result<(), Stop> {
        if given == real {
            return Ok(());
        }
        let line = self.line(&format!("{command} {}", word(real)));
        let verdict = self.judge(&line, purpose).await;
        if verdict.allows() { Ok(()) } else { self.agree(&format!("{line}{bound}"), purpose, verdict).await }
    }

    /// Lets more be done under a permit that is there, or ends the call.
    pub(super) async fn agree(&self, text: &str, purpose: Purpose, verdict: Verdict) -> Result<(), Stop> {
        let agreed = self.admit(text, purpose, verdict).await?;
        // The work has a record of its own.
        self.errand.ended(&agreed, None, Vec::new());
        Ok(())
    }

    /// A call has stopped before anything was done. What was approved for it is good for its next try, if that is what it waits for.
    pub(super) fn stopped(&self, permit: &Permit, stop: &Stop) {
        if matches!(stop, Stop::Refused(_, Refusal::ApprovalNeeded(..))) {
            self.errand.give_back(permit);
        }
    }

    pub(super) fn filed(direction: &'static str, path: &[u8]) -> Filed {
        Filed { direction, path: shown(path), ..Filed::default() }
    }
}

/// The path of a call; `~` is the account's own folder, where a file service begins.
pub(super) fn path_of(text: &str) -> Result<Vec<u8>, String> {
    let path = given(text)?;
    Ok(match path.as_slice() {
        b"~" | b"~/" => b".".to_vec(),
        [b'~', b'/', rest @ ..] => rest.to_vec(),
        _ => path,
    })
}

/// What has begun and is recorded as such. Where its call is given up it has ended all the same, as far as anybody can say.
pub(super) struct Underway<'a> {
    desk: &'a Desk,
    permit: &'a Permit,
    given_up: &'static str,
    is_over: bool,
}

impl<'a> Underway<'a> {
    /// `given_up` is what is recorded when nobody waits for its end any more.
    pub(super) fn new(desk: &'a Desk, permit: &'a Permit, given_up: &'static str) -> Self {
        Self { desk, permit, given_up, is_over: false }
    }

    /// It has ended: why it failed, and what was done with which files.
    pub(super) fn ended(mut self, failure: Option<&str>, files: Vec<Filed>) {
        self.is_over = true;
        self.desk.errand.ended(self.permit, failure, files);
    }

    /// It goes on without its call, and its end is recorded there.
    pub(super) fn goes_on(mut self) {
        self.is_over = true;
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.desk.errand.ended(self.permit, Some(self.given_up), Vec::new());
        }
    }
}

/// What every answer about files says, without secrets that are known.
pub(super) fn with_base(mut reply: Reply, desk: &Desk, permit: &Permit) -> Reply {
    let known = desk.errand.known();
    // A name may hold one too.
    reply.fields.values_mut().for_each(|value| each_text(value, &|text| known.text(text)));
    reply.text = known.text(&reply.text);
    let mut fields = Map::new();
    fields.insert("target".to_owned(), desk.device.clone().into());
    fields.insert("session".to_owned(), desk.errand.session().into());
    fields.insert("origin".to_owned(), "device".into());
    fields.append(&mut reply.fields);
    let mut warnings: Vec<Value> = fields.get("warnings").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(warning) = &permit.warning {
        reply.text = format!("warning: {warning}\n{}", reply.text);
        warnings.push(warning.clone().into());
    }
    if !warnings.is_empty() {
        fields.insert("warnings".to_owned(), warnings.into());
    }
    Reply { fields, ..reply }
}
