//! What is done for a caller on a device without a line: judged, approved, and recorded as a command is.
//!
//! Policy plugins judge lines. So what is done with a file is put to them as the line that would do the same.

use super::journal::{Ended, State};
use super::profile::{Place, Profile};
use super::witness::{Case, Witness};
use super::{Refusal, RunRequest, now};
use crate::audit::record::Filed;
use crate::ids::CommandId;
use crate::plugin::manifest::CopySpec;
use crate::plugin::session::SessionPlugins;
use crate::policy::approved::Program;
use crate::policy::{self, Manner, Purpose, Verdict};
use crate::secret::look::Mask;
use crate::secret::redact::Redactor;
use crate::secret::{self, Secret};

/// Whoever does it.
pub struct Errand {
    profile: Profile,
    plugins: SessionPlugins,
    known: Redactor,
}

impl std::fmt::Debug for Errand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Errand").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Something that may be done, and is on record.
#[derive(Debug)]
pub struct Permit {
    /// Its number among the commands.
    pub id: CommandId,
    /// What policy said.
    pub verdict: Verdict,
    /// What its caller should know.
    pub warning: Option<String>,
    witness: Witness,
    started: std::time::Instant,
}

impl Permit {
    /// The program that does it, on a channel of its own.
    ///
    /// # Errors
    ///
    /// Why it may not run.
    pub fn program(&self, text: &str) -> Result<Program, String> {
        policy::program(&self.verdict, text)
    }
}

impl Errand {
    /// For the device of this profile.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        let known = profile.teach_masks();
        let plugins = SessionPlugins::new(std::sync::Arc::clone(&profile.kind));
        Self { profile, plugins, known }
    }

    /// Takes what was typed or given at the device before anybody was there now.
    pub async fn recall_masks(&self) {
        self.profile.recall_masks().await;
    }

    /// Masks what was typed or given at the device, also where the operator wants the exact text.
    #[must_use]
    pub fn known(&self) -> &Redactor {
        &self.known
    }

    /// The name under which it is done.
    #[must_use]
    pub fn session(&self) -> String {
        self.profile.id.to_string()
    }

    /// Does the device have a shell whose programs can be used?
    #[must_use]
    pub fn has_programs(&self) -> bool {
        self.profile.kind.pipe.is_some()
    }

    /// How files are copied where there is neither a file service nor a shell, if a plugin says so.
    #[must_use]
    pub fn copy(&self) -> Option<&CopySpec> {
        self.profile.kind.copy.as_ref().filter(|_| !self.has_programs())
    }

    /// What callers are not shown, unless the operator wants the exact text.
    #[must_use]
    pub fn mask(&self) -> Option<&Mask> {
        self.profile.hidden()
    }

    /// Is it one plugin alone that judges? Where there are several, as with rules of the operator, a pattern may be meant for a whole line,
    /// so that each line must hold one thing.
    #[must_use]
    pub fn has_one_judge(&self) -> bool {
        self.plugins.judges() == 1
    }

    fn place(&self) -> Place<'static> {
        Place { mode: "", privileged: self.profile.user == "root", cwd: None, manner: Manner::Whole }
    }

    /// What policy says of a line.
    pub async fn judge(&self, line: &str, purpose: Purpose, caller: &str) -> Verdict {
        self.profile.judge(&self.plugins, self.place(), &RunRequest::new(line, purpose, caller)).await
    }

    /// Lets something be done, or not: the text says what, exactly, and is what a person agrees to.
    ///
    /// # Errors
    ///
    /// Who says no, or is to be asked.
    pub async fn admit(&self, text: &str, purpose: Purpose, caller: &str, verdict: Verdict) -> Result<Permit, Refusal> {
        let request = RunRequest::new(text, purpose, caller);
        let verdict = self.profile.admit(&request, self.place(), verdict).await?;
        let id = CommandId::next();
        let witness = self.profile.witness(Case::new(&request, self.place(), &verdict, Some(id))).await?;
        self.profile.journal.begun(id, &self.profile.id, caller, &self.profile.kept(text), &verdict);
        Ok(Permit { id, verdict, warning: witness.warning.clone(), witness, started: now() })
    }

    /// Nothing was done by it, as something else must be asked first: its approval is good for the next try.
    pub fn give_back(&self, permit: &Permit) {
        if let Some(approval) = &permit.verdict.approval {
            self.profile.approvals.give_back(&approval.request, now());
        }
    }

    /// A secret of the device, to be given to what was let through. The record says so before anybody has it.
    ///
    /// # Errors
    ///
    /// Why it may not be given, or cannot be had.
    pub async fn secret(&self, permit: &Permit, name: &str) -> Result<Secret, String> {
        let device = &self.profile.id.device;
        self.profile.book.check(device, name, now())?;
        let secret = secret::resolve_of(device, name, self.profile.secrets.get(name)).await?;
        self.profile.teach_mask(name, &secret);
        self.profile.witness_secret(name, Some(name.to_owned()), Some(permit.id)).await?;
        Ok(secret)
    }

    /// Has the device this secret?
    #[must_use]
    pub fn has_secret(&self, name: &str) -> bool {
        self.profile.secrets.contains_key(name)
    }

    /// The device has refused a secret.
    pub fn secret_refused(&self, name: &str) {
        self.profile.book.on_failure(&self.profile.id.device, name, now());
    }

    /// It has ended: what was done with which files, by their fingerprints.
    pub fn ended(&self, permit: &Permit, failure: Option<&str>, files: Vec<Filed>) {
        let bytes = files.iter().map(|file| file.bytes).sum();
        let ended = Ended {
            state: State::Done,
            exit_code: None,
            failed: failure.is_some(),
            duration: now().saturating_duration_since(permit.started),
            output_bytes: bytes,
        };
        self.profile.witness_files(permit.id, ended, &permit.witness, files);
    }
}
