//! What a session is about and who may use it: the same for a terminal and for lanes without one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::commons::Commons;
use super::journal::Journal;
use super::log::ByteLog;
use super::render::Source;
use super::report::{OutputQuery, Range, changed, output};
use super::witness::Case;
use super::{Refusal, RunRequest, now};
use crate::audit::Audit;
use crate::cast::{Cast, Casts, Heading};
use crate::config::PolicyMode;
use crate::ids::SessionId;
use crate::plugin::device_type::DeviceType;
use crate::plugin::roles::{Decision, Effect};
use crate::plugin::session::SessionPlugins;
use crate::policy::approval::{Approvals, Subject, Word};
use crate::policy::taint::Taint;
use crate::policy::{self, Filling, Line, Manner, Verdict};
use crate::recording::Taped;
use crate::secret::book::SecretBook;
use crate::secret::look::Mask;
use crate::secret::redact::Redactor;
use crate::secret::{self, Secret, SecretSource};
use crate::transport::Welcome;

/// What makes logs: each takes a file of its own once it is long.
pub type Logs = Box<dyn FnMut() -> ByteLog + Send + Sync>;

/// What a session needs to know of its device.
pub struct Profile {
    /// The session's name.
    pub id: SessionId,
    /// The device type.
    pub kind: Arc<DeviceType>,
    /// What its line showed when it opened.
    pub welcome: Arc<Welcome>,
    /// Where the device is: host and port, or `local`.
    pub address: String,
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
    /// What persons are asked.
    pub approvals: Approvals,
    /// Who has read text of an untrusted device.
    pub taint: Taint,
    /// Who is told what was run.
    pub journal: Journal,
    /// What holds each decision before anything is typed.
    pub audit: Audit,
    /// What records what it shows, where the configuration wants that.
    pub casts: Casts,
    /// What its callers should know.
    pub note: Option<String>,
    /// Secrets are taken out of what callers are given by their look.
    pub mask: bool,
    /// What everybody at the session shares.
    pub commons: Arc<Commons>,
    /// Secrets that may also be typed where the session has gone on to another host.
    pub secrets_elsewhere: Vec<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Profile {
    /// What stands in place of the placeholders of a send. Who logged in at a console is not known.
    pub(super) fn filling(&self) -> Filling<'_> {
        Filling { nonce: &self.nonce, user: (!self.welcome.server_id.is_empty()).then_some(self.user.as_str()) }
    }

    /// What callers are not shown, unless the operator wants the exact text.
    pub(super) fn hidden(&self) -> Option<&Mask> {
        self.mask.then_some(&self.kind.mask)
    }

    /// A short text as callers are shown it: of the device, or as a person has typed it, who may have typed what is masked where the
    /// device sends it back.
    pub(super) fn shown(&self, text: &str) -> String {
        let text = self.redactor().text(text);
        match self.hidden() {
            Some(mask) => mask.text(&text).0,
            None => text,
        }
    }

    /// A part of an output as callers are shown it. What the cursor has put together may be a secret that stood nowhere in one piece.
    pub(super) fn output(&self, source: &Source<'_>, pieces: &[(u64, u64)], query: &OutputQuery) -> Result<(String, Range), String> {
        let known = self.redactor();
        let (text, range) = output(&Source { known: Some(&known), ..*source }, pieces, query)?;
        if query.raw {
            return Ok((text, range));
        }
        // Also one of several rows.
        Ok((changed(&text, |part| known.text(part)), range))
    }

    /// A command as the journal keeps it: there what looks like a secret is taken out in any case.
    pub(super) fn kept(&self, command: &str) -> String {
        self.kind.mask.text(&self.redactor().text(command)).0
    }

    /// Masks what any session of the device has typed or given.
    pub(super) fn redactor(&self) -> Redactor {
        Redactor::sharing(self.book.masks(&self.id.device))
    }

    /// The same, and has everybody mask what logged in: the redactor is what keeps it known.
    pub(super) fn teach_masks(&self) -> Redactor {
        let redactor = self.redactor();
        for (name, secret) in &self.login_secrets {
            self.teach_mask(name, secret);
        }
        redactor
    }

    /// Has what is kept, and everybody at the device, mask this from now on.
    pub(super) fn teach_mask(&self, name: &str, secret: &Secret) {
        self.book.on_use(&self.id.device, name, secret);
        self.journal.learn(name, secret);
        self.audit.learn(name, secret);
    }

    /// Masks what was typed or given while others were at the device, who have gone and taken the values along: as far as they can be had
    /// without asking anybody.
    pub(super) async fn recall_masks(&self) {
        for name in self.book.forgotten(&self.id.device) {
            if let Some(source @ (SecretSource::Env(_) | SecretSource::File(_) | SecretSource::Credential(_))) = self.secrets.get(&name)
                && let Ok(secret) = secret::resolve(source).await
            {
                self.teach_mask(&name, &secret);
            }
        }
    }

    /// Begins to record what it shows.
    pub(super) fn cast(&self) -> Cast {
        let (kind, terminal) = (self.kind.name.as_str(), self.kind.terminal.kind.as_str());
        let heading = Heading { session: &self.id, user: &self.user, kind, terminal, size: self.size };
        self.casts.record(&heading, now())
    }

    /// What policy says of a line in this mode.
    pub(super) async fn judge(&self, plugins: &SessionPlugins, place: Place<'_>, request: &RunRequest) -> Verdict {
        let Place { mode, privileged, cwd, manner } = place;
        let line = Line {
            device: &self.id.device,
            tags: &self.tags,
            mode,
            privileged,
            cwd,
            manner,
            text: &request.text,
            unknown: request.unknown,
            purpose: request.purpose,
            caller: &request.caller,
        };
        policy::judge(plugins, &line, self.policy).await
    }

    /// The same of a command, which is refused unless it is allowed, by policy or by a person. The journal hears of a refusal, the
    /// audit record has it.
    pub(super) async fn admit(&self, request: &RunRequest, place: Place<'_>, verdict: Verdict) -> Result<Verdict, Refusal> {
        let why = if request.why.is_empty() { String::new() } else { self.kept(&request.why) };
        let verdict = Verdict { why, ..verdict };
        let said = self.answered(request, place, verdict);
        let verdict = match &said {
            Ok(verdict) => verdict,
            Err(Refusal::Denied(verdict) | Refusal::ApprovalNeeded(verdict, _)) => verdict.as_ref(),
            Err(_) => return said,
        };
        if !verdict.allows() {
            self.journal.judged(&self.id, &request.caller, &self.kept(&request.text), verdict);
            self.witness(Case::new(request, place, verdict, None)).await?;
        }
        said
    }

    /// What policy says, and a person where policy wants one asked.
    pub(super) fn answered(&self, request: &RunRequest, place: Place<'_>, verdict: Verdict) -> Result<Verdict, Refusal> {
        let subject = |rule: String| Subject {
            device: self.id.device.clone(),
            session: self.id.to_string(),
            user: self.user.clone(),
            mode: place.mode.to_owned(),
            cwd: place.cwd.unwrap_or_default().to_owned(),
            caller: request.caller.clone(),
            purpose: request.purpose.word().to_owned(),
            text: request.text.clone(),
            commit: request.keep.map(|keep| keep.word().to_owned()).unwrap_or_default(),
            rule,
        };
        settle(&self.approvals, &self.taint, &request.caller, verdict, subject)
    }
}

/// What policy says to a caller who may have read text that is not trusted: changes are asked about then.
#[must_use]
pub fn heeding(taint: &Taint, caller: &str, verdict: Verdict) -> Verdict {
    let reads = verdict.lane.as_ref().is_some_and(|lane| lane.lane == "read");
    let Some(device) = taint.of(caller, now()).filter(|_| verdict.allows() && !reads) else { return verdict };
    let reason = format!("the caller has read text of `{device}`, which the operator does not trust; a person looks at its changes");
    Verdict { decision: Decision { effect: Effect::Ask, rule: "untrusted-text".to_owned(), reason }, ..verdict }
}

/// What policy says of something, and a person where policy wants one asked. `subject` says what exactly, under a rule's name.
///
/// # Errors
///
/// When it may not be done, or not yet.
pub fn settle(
    approvals: &Approvals,
    taint: &Taint,
    caller: &str,
    verdict: Verdict,
    subject: impl FnOnce(String) -> Subject,
) -> Result<Verdict, Refusal> {
    let mut verdict = heeding(taint, caller, verdict);
    match verdict.decision.effect {
        Effect::Allow => return Ok(verdict),
        Effect::Deny | Effect::Abstain => return Err(Refusal::Denied(Box::new(verdict))),
        Effect::Ask => {}
    }
    match approvals.word(subject(verdict.decision.rule.clone()), &verdict.decision.reason, &verdict.why, now()) {
        Word::Given(approval) => {
            verdict.decision.effect = Effect::Allow;
            verdict.approval = Some(approval);
            Ok(verdict)
        }
        Word::Refused(approval) => {
            verdict.decision.effect = Effect::Deny;
            verdict.decision.reason = format!("{} was asked and said no", approval.by);
            verdict.approval = Some(approval);
            Err(Refusal::Denied(Box::new(verdict)))
        }
        Word::Open(request) => Err(Refusal::ApprovalNeeded(Box::new(verdict), request)),
        Word::Unshown(why) => {
            verdict.decision.effect = Effect::Deny;
            verdict.decision.reason = why;
            Err(Refusal::Denied(Box::new(verdict)))
        }
    }
}

/// Where a line would go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) mode: &'a str,
    pub(super) privileged: bool,
    /// The working directory, where the shell there has proven it by a mark.
    pub(super) cwd: Option<&'a str>,
    pub(super) manner: Manner,
}
