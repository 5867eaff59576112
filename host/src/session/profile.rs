//! What a session is about and who may use it: the same for a terminal and for lanes without one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::journal::Journal;
use super::log::ByteLog;
use super::{Refusal, RunRequest};
use crate::config::PolicyMode;
use crate::ids::SessionId;
use crate::plugin::device_type::DeviceType;
use crate::plugin::session::SessionPlugins;
use crate::policy::{self, Line, Manner, Verdict};
use crate::recording::Taped;
use crate::secret::book::SecretBook;
use crate::secret::look::Mask;
use crate::secret::redact::Redactor;
use crate::secret::{Secret, SecretSource};

/// What makes logs: each takes a file of its own once it is long.
pub type Logs = Box<dyn FnMut() -> ByteLog + Send + Sync>;

/// What a session needs to know of its device.
pub struct Profile {
    /// The session's name.
    pub id: SessionId,
    /// The device type.
    pub kind: Arc<DeviceType>,
    /// The account's name.
    pub user: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// How strict policy is.
    pub policy: PolicyMode,
    /// Secrets by name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Secrets that logged in: they are masked too.
    pub login_secrets: Vec<(String, Secret)>,
    /// Failed tries of secrets, shared by the device's sessions.
    pub book: SecretBook,
    /// Where its logs go.
    pub logs: Logs,
    /// Random digits that prove marks and questions.
    pub nonce: String,
    /// Columns and rows.
    pub size: (u16, u16),
    /// When nobody uses it for so long it is closed.
    pub idle_close: Duration,
    /// Who records it.
    pub recorder: Option<mpsc::Sender<Taped>>,
    /// Who is told what was run.
    pub journal: Journal,
    /// What its callers should know.
    pub note: Option<String>,
    /// Secrets are taken out of what callers are given by their look.
    pub mask: bool,
    /// Secrets that may also be typed where the session has gone on to another host.
    pub secrets_elsewhere: Vec<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Profile {
    /// What callers are not shown, unless the operator wants the exact text.
    pub(super) fn hidden(&self) -> Option<&Mask> {
        self.mask.then_some(&self.kind.mask)
    }

    /// A short text of the device as callers are shown it.
    pub(super) fn shown(&self, text: &str) -> String {
        self.hidden().map_or_else(|| text.to_owned(), |mask| mask.text(text).0)
    }

    /// A command as the journal keeps it: there secrets are taken out in any case.
    pub(super) fn kept(&self, command: &str) -> String {
        self.kind.mask.text(command).0
    }

    /// Masks what logged in.
    pub(super) fn redactor(&self) -> Redactor {
        let mut redactor = Redactor::default();
        for (name, secret) in &self.login_secrets {
            redactor.learn(name, secret);
        }
        redactor
    }

    /// Has the journal mask what logged in.
    pub(super) fn teach_journal(&self) {
        for (name, secret) in &self.login_secrets {
            self.journal.learn(name, secret);
        }
    }

    /// What policy says of a line in this mode.
    pub(super) async fn judge(&self, plugins: &SessionPlugins, place: Place<'_>, request: &RunRequest) -> Verdict {
        let Place { mode, privileged, manner } = place;
        let line = Line {
            device: &self.id.device,
            tags: &self.tags,
            mode,
            privileged,
            manner,
            text: &request.text,
            purpose: request.purpose,
            caller: &request.caller,
        };
        policy::judge(plugins, &line, self.policy).await
    }

    /// The same of a command, which is refused unless it is allowed. The journal hears of a refusal.
    pub(super) fn admit(&self, request: &RunRequest, verdict: Verdict) -> Result<Verdict, Refusal> {
        self.journal.judged(&self.id, &request.caller, &self.kept(&request.text), &verdict);
        Refusal::unless_allowed(verdict)
    }
}

/// Where a line would go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) mode: &'a str,
    pub(super) privileged: bool,
    pub(super) manner: Manner,
}
