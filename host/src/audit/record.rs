//! One record: the line that it is, and the hash by which the next one names it.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{hex, instant};

/// The version of the lines.
pub const VERSION: u64 = 1;
/// Bytes of a line around what a record says.
const FRAME_BYTES: usize = 256;

/// The SHA-256 of a line without its newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first record of all has before it.
    pub const NONE: Self = Self([0; 32]);

    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of a piece of text that came bit by bit.
    #[must_use]
    pub fn from_state(state: Sha256) -> Self {
        Self(state.finalize().into())
    }

    /// From 64 hexadecimal digits as they are shown.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.chunks_exact(2).filter_map(|pair| Some(pair.first()? << 4 | pair.last()?)).collect();
        let fits = digits.len() == 64;
        fits.then(|| bytes.try_into().ok().map(Self)).flatten()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::digits(&self.0))
    }
}

/// What every record has.
#[derive(Debug, Clone, Deserialize)]
pub struct Link {
    /// The version of the line.
    pub v: u64,
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written.
    pub at: String,
    /// What it is.
    pub kind: String,
    /// The hash of the record before it.
    pub prev: String,
}

impl Link {
    /// Reads a line without its newline. `None` when it is no record.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let link: Self = serde_json::from_slice(line).ok()?;
        (link.v == VERSION && link.seq > 0 && Hash::parse(&link.prev).is_some()).then_some(link)
    }
}

/// What a record tells.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Entry<'a> {
    /// A process begins to write.
    Start(&'a About),
    /// Somebody is logged in to a device.
    Open(&'a Opened<'a>),
    /// The session is over.
    Close(&'a Closed<'a>),
    /// Policy has decided.
    Verdict(&'a Decided<'a>),
    /// A command has ended.
    End(&'a Ended<'a>),
    /// A file was read, written or copied.
    File(&'a Filed),
    /// The configuration was read again.
    Configuration(&'a Configuration),
    /// A secret is typed.
    Secret(&'a Typed<'a>),
    /// The recorded keys of a host have changed.
    HostKeys(&'a HostKeysChanged),
    /// The record before this one, signed.
    Head(&'a Signed),
    /// Bytes before this record that are none: a write that was interrupted.
    Torn(&'a Torn),
    /// Records that were there and are gone.
    Cut(&'a Cut),
}

impl Entry<'_> {
    /// The word of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Open(_) => "open",
            Self::Close(_) => "close",
            Self::Verdict(_) => "verdict",
            Self::End(_) => "end",
            Self::File(_) => "file",
            Self::Configuration(_) => "configuration",
            Self::Secret(_) => "secret",
            Self::HostKeys(_) => "host_keys",
            Self::Head(_) => "head",
            Self::Torn(_) => "torn",
            Self::Cut(_) => "cut",
        }
    }
}

/// Who writes: the process and for whom it works.
#[derive(Debug, Clone, Default, Serialize)]
pub struct About {
    /// The program's version.
    pub version: String,
    /// The machine's name.
    pub host: Option<String>,
    /// The account's number.
    pub uid: u32,
    /// The account's name.
    pub user: Option<String>,
    /// The person behind it, as far as the environment tells: who called sudo, or who logged in.
    pub person: Option<String>,
    /// The account that logged in, where the kernel knows it.
    pub login_uid: Option<u32>,
    /// The process that started this one.
    pub parent: Option<u32>,
    /// Its name.
    pub parent_name: Option<String>,
    /// The configuration in force.
    #[serde(flatten)]
    pub configuration: Configuration,
}

/// A configuration that counts from now on, or one that was refused.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Configuration {
    /// Its file.
    pub file: Option<String>,
    /// The file's digest.
    pub digest: Option<String>,
    /// How strict policy is where the device does not say.
    pub policy_mode: String,
    /// What is wrong with it: the one before stays in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub complaints: Vec<String>,
    /// What changed with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// A session that begins.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Opened<'a> {
    /// Its name.
    pub session: String,
    /// The device.
    pub device: &'a str,
    /// Where the device is: host and port, or `local`.
    pub address: &'a str,
    /// The account on it.
    pub user: &'a str,
    /// What it is.
    pub device_type: &'a str,
    /// The recording of all of it.
    pub recording: Option<&'a str>,
}

/// A session that is over.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Closed<'a> {
    /// Its name.
    pub session: String,
    /// The device.
    pub device: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// A line that somebody wants typed, and what policy says of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Decided<'a> {
    /// Who, as the client says it.
    pub caller: Cow<'a, str>,
    /// The session.
    pub session: String,
    /// The device.
    pub device: &'a str,
    /// The account on the device.
    pub user: &'a str,
    /// The command that it became, or that it is typed into.
    pub command_id: Option<String>,
    /// What for: `query`, `run`, `send`.
    pub purpose: &'a str,
    /// The text, exactly, with known secrets by their names.
    pub text: Cow<'a, str>,
    /// Where only the beginning of the text is here: the whole one's length and digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole: Option<Torn>,
    /// Keys after the text, by name.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub keys: &'a [String],
    /// Lines that go with it, into its mode and out again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub way: Vec<String>,
    /// The mode that it runs in.
    pub mode: &'a str,
    /// With elevated rights.
    pub privileged: bool,
    /// `read` where a plugin proves it, else `change`.
    pub lane: &'a str,
    /// By which rule.
    pub lane_rule: &'a str,
    /// The decision.
    pub decision: &'a str,
    /// By which rule.
    pub rule: Cow<'a, str>,
    /// Why.
    pub reason: Cow<'a, str>,
    /// Why the caller wants it, as it says.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub caller_reason: Cow<'a, str>,
    /// How strict policy is.
    pub policy_mode: String,
    /// Who agreed, where somebody was asked.
    pub approver: Option<&'a str>,
    /// On which way they agreed: `elicitation`, `command line` or `viewer`.
    pub channel: Option<&'a str>,
    /// The number of the question.
    pub request: Option<&'a str>,
}

impl Decided<'_> {
    /// Is it proven that it changes nothing?
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.lane == "read"
    }
}

/// How a command ended.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ended<'a> {
    /// The session.
    pub session: String,
    /// The device.
    pub device: &'a str,
    /// The command.
    pub command_id: String,
    /// The record of its verdict.
    pub verdict: Option<u64>,
    /// `done`, `interrupted` or `lost`.
    pub state: &'a str,
    /// Exit status, where the device tells it.
    pub exit_code: Option<i32>,
    /// It failed, as far as anybody can tell.
    pub failed: bool,
    /// How long it took.
    pub duration_ms: u64,
    /// Bytes that the device sent for it.
    pub output_bytes: u64,
    /// Where they lie in the session's log.
    pub log: Vec<(u64, u64)>,
    /// The same of standard error, where it is apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<(u64, u64)>,
    /// Where they lie in the session's recording, if there is one.
    pub recording: Option<Recorded>,
}

/// A file that was read, written or copied. What was in it is nowhere but by its fingerprint.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Filed {
    /// The session.
    pub session: String,
    /// The device.
    pub device: String,
    /// What it belongs to.
    pub command_id: String,
    /// The record of its verdict.
    pub verdict: Option<u64>,
    /// `read`, `write`, `up`, `down` or `delete`.
    pub direction: &'static str,
    /// The path on the device.
    pub path: String,
    /// The path on this machine, of a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// Bytes that went.
    pub bytes: u64,
    /// How many files, of a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// The fingerprint of the file, where all of it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The fingerprint of what was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256_before: Option<String>,
}

/// A part of a recording.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recorded {
    /// Its file.
    pub file: String,
    /// Seconds from its beginning.
    pub from_s: f64,
    /// The same of the end.
    pub to_s: f64,
}

/// A secret that is typed. Its value is nowhere.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Typed<'a> {
    /// The session.
    pub session: String,
    /// The device.
    pub device: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The dialog that asked for it, or `send` where a caller had it typed.
    pub goal: Option<String>,
    /// The command that runs.
    pub command_id: Option<String>,
}

/// The recorded keys of a host have changed, because it has proven others.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HostKeysChanged {
    /// The device.
    pub device: String,
    /// Types and fingerprints of keys that are recorded from now on.
    pub learned: Vec<String>,
    /// The same of keys that are not any more.
    pub forgotten: Vec<String>,
    /// Why nothing was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A signature of the record before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Signed {
    /// Of the text that [`super::key::statement`] gives.
    pub signature: String,
}

/// Bytes by their number and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// How many.
    pub bytes: u64,
    /// Their hash.
    pub sha256: String,
}

impl Torn {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: Hash::of(bytes).to_string() }
    }
}

/// Records that are gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cut {
    /// The first one that is gone.
    pub from: u64,
    /// The last one of which is known that it was there.
    pub to: u64,
    /// Its hash.
    pub sha256: String,
}

/// A record but for its place in the chain.
#[derive(Debug)]
pub(super) struct Unchained {
    at: String,
    kind: &'static str,
    /// What it says, as JSON.
    body: String,
}

impl Unchained {
    /// Of what happened at this time.
    pub(super) fn of(entry: &Entry<'_>, at_ms: i64) -> Result<Self, serde_json::Error> {
        Ok(Self { at: instant::shown(at_ms), kind: entry.kind(), body: serde_json::to_string(entry)? })
    }
}

/// Lines in the making: each is chained to the one before.
#[derive(Debug)]
pub(super) struct Lines {
    /// The number of the last record.
    pub(super) seq: u64,
    /// Its hash.
    pub(super) hash: Hash,
    /// The lines, with their newlines.
    pub(super) text: Vec<u8>,
    at_ms: i64,
    /// Who writes: `"process":…,"run":…`.
    writer: String,
}

impl Lines {
    /// After this record, at this time, by this process.
    pub(super) fn after(seq: u64, hash: Hash, at_ms: i64, writer: &str) -> Self {
        Self { seq, hash, text: Vec::new(), at_ms, writer: writer.to_owned() }
    }

    /// Adds a record.
    pub(super) fn add(&mut self, entry: &Entry<'_>) -> Result<(), serde_json::Error> {
        self.chain(&Unchained::of(entry, self.at_ms)?);
        Ok(())
    }

    /// Gives a record its place.
    pub(super) fn chain(&mut self, Unchained { at, kind, body }: &Unchained) {
        let start = self.text.len();
        self.text.reserve(body.len() + FRAME_BYTES);
        let (seq, hash, writer) = (self.seq + 1, self.hash, &self.writer);
        // Writing into memory cannot fail.
        let _ = write!(self.text, r#"{{"v":{VERSION},"seq":{seq},"at":"{at}","kind":"{kind}","prev":"{hash}",{writer}"#);
        let fields = body.strip_prefix('{').unwrap_or_default();
        self.text.extend_from_slice(if fields == "}" { b"" } else { b"," });
        self.text.extend_from_slice(fields.as_bytes());
        self.hash = Hash::of(self.text.get(start..).unwrap_or_default());
        self.seq = seq;
        self.text.push(b'\n');
    }
}
