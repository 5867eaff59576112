//! What a guest of the sessions and their holder say to each other: a JSON object a line on a socket, a text message of a WebSocket.
//!
//! The terminal, the browser and the tests speak it. Bytes of a terminal travel in base64.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::transport::questions::Question;

pub use crate::author::{Author, AuthorKind};
pub use crate::session::lock::{LockState, Rule};

/// Bytes as they go to or come from a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data(pub Vec<u8>);

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// What a person answers, a password or a one-time code: wiped when nobody needs it any more, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply(Zeroizing<String>);

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl Reply {
    /// As a secret.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::from_bytes(self.0.as_bytes().to_vec())
    }

    /// As it is.
    #[must_use]
    pub fn into_text(self) -> Zeroizing<String> {
        self.0
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reply")
    }
}

/// What a guest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Say {
    /// Tell me of all sessions now, and whenever something changes.
    List,
    /// My values of the environment variables that the greeting has named.
    Bring {
        /// Each by its name.
        variables: BTreeMap<String, Reply>,
    },
    /// Show me this session. A guest is at one session at a time.
    Enter {
        /// Its name, or that of a device whose main session is meant.
        session: String,
        /// Columns and rows of the guest's terminal, 0 if the session is to keep its size.
        #[serde(default)]
        columns: u16,
        /// Rows.
        #[serde(default)]
        rows: u16,
    },
    /// Show it no longer.
    Leave,
    /// Type these bytes into the session that is shown.
    Type {
        /// The bytes.
        data: Data,
    },
    /// The guest's terminal has another size, which the session's takes.
    Resize {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// Set who may type.
    Lock {
        /// The session.
        session: String,
        /// Who may.
        rule: Rule,
        /// The one agent, by its client's name.
        #[serde(default)]
        agent: Option<String>,
        /// Ends by itself after so many seconds without typing of the one who took it; without it, when it is taken back.
        #[serde(default)]
        seconds: Option<u64>,
    },
    /// Agents and people may type again.
    Unlock {
        /// The session.
        session: String,
    },
    /// Stop all input of agents, in every session, or let it go on.
    Panic {
        /// Stop it?
        on: bool,
    },
    /// A person's word about something that waits for it.
    Decide {
        /// The request.
        id: String,
        /// Yes or no.
        allow: bool,
    },
    /// The answer to what a server asks at login.
    Answer {
        /// The question.
        id: String,
        /// The answer.
        answer: Reply,
    },
    /// Type what interrupts a command on this device type.
    Interrupt {
        /// The session.
        session: String,
        /// The command that is meant: another one that has begun since goes on. Without it, whatever runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
    },
    /// Open a device's session.
    Open {
        /// The device, or `device#name`.
        session: String,
    },
    /// Run a command, as an agent would; its output comes as [`Tell::Text`], its end as [`Tell::Finished`].
    Run {
        /// The device or session.
        session: String,
        /// The command.
        command: String,
        /// It is stopped after so many seconds.
        #[serde(default)]
        kill_after_s: Option<u64>,
        /// The mode that it needs: entered before and left after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<String>,
        /// What becomes of a candidate configuration: `check`, `now`, `confirmed` or `confirm`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
        /// Why it is wanted; empty where nothing is said.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// What a session has shown, as text: [`Tell::Text`] and [`Tell::LogEnd`].
    Log {
        /// The session.
        session: String,
        /// From this byte of the log on.
        #[serde(default)]
        offset: Option<u64>,
        /// Only the last lines.
        #[serde(default)]
        tail: Option<usize>,
        /// From the first command since this time, in milliseconds of Unix time.
        #[serde(default)]
        since_ms: Option<i64>,
    },
    /// Close a session.
    Close {
        /// The session.
        session: String,
    },
    /// What people and agents should know of a session.
    Note {
        /// The session.
        session: String,
        /// The text; empty takes it away.
        text: String,
    },
}

/// What runs in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningState {
    /// The command's id.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Whose it is.
    pub by: Author,
    /// Since when, in milliseconds of Unix time.
    pub since_ms: u64,
}

/// Somebody who watches a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestState {
    /// Who.
    pub name: String,
    /// `attach`, `watch` or `viewer`.
    pub by: String,
    /// May type.
    pub may_type: bool,
}

/// A session in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// Its name.
    pub session: String,
    /// The device's name.
    pub device: String,
    /// The device's type.
    pub kind: String,
    /// `connecting`, `needs_input`, `ready`, `running` or `closed`.
    pub state: String,
    /// What the device asks a person or an agent, or why the session is closed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The device's mode.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// The prompt.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// The working directory, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// What runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningState>,
    /// How the last command that failed did so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Who may type.
    pub lock: LockState,
    /// Who watches.
    #[serde(default)]
    pub guests: Vec<GuestState>,
    /// Who opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<Author>,
    /// What people and agents should know of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
    /// Bytes in its log.
    pub log_bytes: u64,
    /// Seconds since something was typed or asked.
    pub idle_s: u64,
    /// Its terminal can be seen and typed into; a lane of single programs cannot.
    pub has_terminal: bool,
    /// What one should know of how it was opened: a host key, a type that is not sure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Something that waits for a person's word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalState {
    /// Its name.
    pub id: String,
    /// The session or device.
    pub target: String,
    /// Who wants it.
    pub caller: String,
    /// Exactly what would be typed.
    pub text: String,
    /// The working directory there, where it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cwd: String,
    /// Why a person is asked.
    pub reason: String,
    /// Why who wants it does, as it says; empty where it said nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// It can be answered for so many seconds.
    pub seconds_left: u64,
}

/// How a command of [`Say::Run`] stands, or ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The session.
    pub session: String,
    /// The command's number.
    pub command_id: String,
    /// `done`, `interrupted`, `lost`, `needs_input` where it waits for an answer, or `running` where it was stopped and does not end.
    pub state: String,
    /// Exit status, where the device tells it.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// It failed.
    pub failed: bool,
    /// It ran as long as it might and was stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
    /// Why it failed, where it is not the exit status; why its line ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What one should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What a guest is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Tell {
    /// The first message: who the guest is here.
    Welcome {
        /// The name by which others see the guest.
        you: String,
        /// May type, lock, decide; else it only looks.
        may_type: bool,
        /// jackfield's version.
        version: String,
    },
    /// All sessions and all that waits, after [`Say::List`] and at changes.
    Sessions {
        /// The sessions.
        sessions: Vec<SessionState>,
        /// What waits for a person.
        approvals: Vec<ApprovalState>,
        /// What servers ask whoever logs in.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        questions: Vec<Question>,
        /// Who stopped all input of agents, if somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        panic: Option<String>,
        /// The devices of the configuration, for opening.
        devices: Vec<String>,
    },
    /// The session that is shown: clear the terminal, give it this size and these bytes. Comes at first, when the size changes, and
    /// when the guest was too slow for what came.
    Screen {
        /// The session.
        session: String,
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
        /// What draws it.
        data: Data,
        /// Bytes that the guest was too slow for, since the last message.
        #[serde(default)]
        skipped: u64,
    },
    /// More output. Neither here nor in [`Tell::Screen`] is anything that a terminal would answer.
    Output {
        /// The bytes.
        data: Data,
    },
    /// Somebody typed a line, or a plugin or jackfield something.
    Typed {
        /// Who.
        by: Author,
        /// What, as far as the terminal shows it; what it hides is `[hidden]`.
        text: String,
    },
    /// The session that is shown has changed its state.
    State {
        /// The state.
        session: Box<SessionState>,
    },
    /// Output of a command, or of the log.
    Text {
        /// The text.
        text: String,
    },
    /// That is all of the log for now.
    LogEnd {
        /// Where it goes on.
        next: u64,
        /// More is there already.
        more: bool,
    },
    /// A person's word is needed first; with [`Say::Decide`] and the same again it goes on.
    NeedsApproval {
        /// What for.
        approval: ApprovalState,
    },
    /// A server asks something at login, before there is a session; once it is answered the login goes on.
    Asks {
        /// What.
        question: Question,
    },
    /// What is wanted takes its time: the line is still being opened, or something else runs first. It goes on.
    Waits {
        /// What for.
        why: String,
    },
    /// A command has ended, or waits for an answer.
    Finished {
        /// How.
        report: RunReport,
    },
    /// What was said was done.
    Done {
        /// A sentence.
        text: String,
    },
    /// What was said was not done.
    Refused {
        /// Why, and what to do.
        why: String,
    },
    /// The session that was shown is over.
    Ended {
        /// Why.
        why: String,
    },
}
