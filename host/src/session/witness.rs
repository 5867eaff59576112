//! What sessions have the audit record hold: each decision before anything is typed, and each end.

use super::command::Ending;
use super::journal::Ended as Told;
use super::profile::{Place, Profile};
use super::{Refusal, RunRequest};
use crate::audit::record::{Closed, Decided, Ended, Filed, Opened, Recorded, Typed};
use crate::cast::Cast;
use crate::ids::CommandId;
use crate::policy::{Purpose, Verdict, effect_word};

/// What stands for a text that may be a password.
const HIDDEN: &str = "[an answer to a password question]";

/// A decision, and what it is about.
pub(super) struct Case<'a> {
    pub(super) request: &'a RunRequest,
    pub(super) place: Place<'a>,
    pub(super) verdict: &'a Verdict,
    /// The command that it becomes, or that it is typed into.
    pub(super) command: Option<CommandId>,
    /// Keys after the text.
    pub(super) keys: &'a [String],
    /// Lines that lead into its mode and out again.
    pub(super) way: Vec<String>,
    /// It may be a password.
    pub(super) is_hidden: bool,
}

impl<'a> Case<'a> {
    /// A command as it was given.
    pub(super) fn new(request: &'a RunRequest, place: Place<'a>, verdict: &'a Verdict, command: Option<CommandId>) -> Self {
        Self { request, place, verdict, command, keys: &[], way: Vec::new(), is_hidden: false }
    }
}

/// Where the outputs of a command without a terminal lie.
pub(super) struct Apart {
    pub(super) log: (u64, u64),
    pub(super) errors: (u64, u64),
    pub(super) recording: Option<Recorded>,
}

/// A decision that is in the record, or that did not need to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness {
    /// The record's number.
    pub(super) record: Option<u64>,
    /// What its caller should know.
    pub(super) warning: Option<String>,
}

impl Profile {
    /// A session has begun.
    pub(super) fn witness_open(&self, cast: &Cast) {
        self.audit.opened(&Opened {
            session: self.id.to_string(),
            device: &self.id.device,
            address: &self.address,
            user: &self.user,
            device_type: &self.kind.name,
            recording: cast.name(),
        });
    }

    /// It is over.
    pub(super) fn witness_close(&self, why: &str) {
        self.audit.closed(&Closed { session: self.id.to_string(), device: &self.id.device, reason: why });
    }

    /// Has the record hold a decision. Nothing may be typed before, and nothing at all if this is an error.
    pub(super) async fn witness(&self, case: Case<'_>) -> Result<Witness, Refusal> {
        let allows = case.verdict.allows();
        let decided = self.decided(case);
        let is_read = decided.is_read();
        match self.audit.verdict(decided).await {
            Ok(record) => Ok(Witness { record, warning: None }),
            Err(_) if !allows => Ok(Witness::default()),
            Err(error) if is_read => {
                Ok(Witness { record: None, warning: Some(format!("this is not in the audit record, as reads may be without: {error}")) })
            }
            Err(error) => {
                let why = format!("nothing was typed: what may change something runs only when it is recorded, and {error}. Reads go on");
                Err(Refusal::Cannot(why))
            }
        }
    }

    fn decided<'a>(&'a self, case: Case<'a>) -> Decided<'a> {
        let Case { request, place, verdict, command, keys, way, is_hidden } = case;
        // What is typed into a running program is no command: a read that is proven of its words says nothing.
        let lane = verdict.lane.as_ref().filter(|_| request.purpose != Purpose::Send);
        let (lane, lane_rule) = lane.map_or(("change", ""), |lane| (lane.lane.as_str(), lane.rule.as_str()));
        Decided {
            caller: request.caller.as_str().into(),
            session: self.id.to_string(),
            device: &self.id.device,
            user: &self.user,
            command_id: command.map(|id| id.to_string()),
            purpose: request.purpose.word(),
            text: if is_hidden { HIDDEN } else { request.text.as_str() }.into(),
            keys: if is_hidden { &[] } else { keys },
            way,
            mode: place.mode,
            privileged: place.privileged,
            lane,
            lane_rule,
            decision: effect_word(verdict.decision.effect),
            rule: verdict.decision.rule.as_str().into(),
            reason: if is_hidden { "" } else { verdict.decision.reason.as_str() }.into(),
            caller_reason: verdict.why.as_str().into(),
            policy_mode: self.policy.to_string(),
            approver: verdict.approval.as_ref().map(|approval| approval.by.as_str()),
            channel: verdict.approval.as_ref().map(|approval| approval.channel),
            ..Decided::default()
        }
    }

    /// A secret is about to be typed. It must not be if this is an error.
    pub(super) async fn witness_secret(&self, name: &str, goal: Option<String>, command: Option<CommandId>) -> Result<(), String> {
        let command_id = command.map(|id| id.to_string());
        let typed = Typed { session: self.id.to_string(), device: &self.id.device, name, goal, command_id };
        self.audit.secret(&typed).await.map_err(|error| format!("the secret was not typed: {error}"))
    }

    /// A command is over.
    pub(super) fn witness_end(&self, ending: &Ending, failure: Option<&String>, witness: &Witness, recording: Option<Recorded>) {
        self.journal.ended(ending, failure);
        let told = Told::of(ending, failure);
        self.audit.end(&Ended { log: ending.pieces.clone(), recording, ..self.ended(ending.id, &told, witness) });
    }

    /// The same of a command without a terminal, whose outputs lie apart.
    pub(super) fn witness_end_apart(&self, id: CommandId, told: Told, witness: &Witness, apart: Apart) {
        let Apart { log, errors, recording } = apart;
        self.audit.end(&Ended { log: vec![log], errors: Some(errors), recording, ..self.ended(id, &told, witness) });
        self.journal.ended_as(id, told);
    }

    /// The same of what was done with files.
    pub(super) fn witness_files(&self, id: CommandId, told: Told, witness: &Witness, files: Vec<Filed>) {
        for file in files {
            let (session, device, command_id) = (self.id.to_string(), self.id.device.clone(), id.to_string());
            self.audit.file(&Filed { session, device, command_id, verdict: witness.record, ..file });
        }
        self.audit.end(&self.ended(id, &told, witness));
        self.journal.ended_as(id, told);
    }

    fn ended<'a>(&'a self, id: CommandId, told: &Told, witness: &Witness) -> Ended<'a> {
        Ended {
            session: self.id.to_string(),
            device: &self.id.device,
            command_id: id.to_string(),
            verdict: witness.record,
            state: told.state.word(),
            exit_code: told.exit_code,
            failed: told.failed,
            duration_ms: u64::try_from(told.duration.as_millis()).unwrap_or(u64::MAX),
            output_bytes: told.output_bytes,
            ..Ended::default()
        }
    }
}
