//! Acts that are no lines, such as a forward: the same questions, the same record as for what is typed.

use std::time::Instant;

use crate::audit::record::Decided;
use crate::author::Author;
use crate::ids::SessionId;
use crate::plugin::roles::Decision;
use crate::policy::approval::{Answer, Subject};
use crate::policy::{Verdict, effect_word};
use crate::session::Refusal;
use crate::session::profile::settle;

use super::Directory;

/// What somebody wants to do at a device.
#[derive(Debug, Clone)]
pub struct Act<'a> {
    /// The device.
    pub device: &'a str,
    /// The session that it is done through.
    pub session: String,
    /// The account there.
    pub user: &'a str,
    /// Who wants it.
    pub caller: &'a str,
    /// One word for what it is: `forward`.
    pub purpose: &'static str,
    /// Exactly what, as a person reads it.
    pub text: String,
    /// What policy says.
    pub decision: Decision,
}

impl Directory {
    /// A person's word about what waits, and how the record names them and the way it came. Who gives it has done with typing there.
    ///
    /// # Errors
    ///
    /// When nothing of that name waits.
    pub fn decide(&self, id: &str, answer: Answer, person: &Author, (by, channel): (&str, &'static str)) -> Result<(), String> {
        let now = Instant::now();
        let about = self.approvals.open(now).into_iter().find(|request| request.id == id).map(|request| request.subject.session);
        self.approvals.answer(id, answer, by, channel, now)?;
        if let Some(handle) = about.and_then(|session| self.find(&SessionId::parse(&session))) {
            handle.commons.lock.on_left(person);
        }
        Ok(())
    }

    /// Lets it be done, or says why not. A person is asked where policy wants that. It is in the audit record when this returns.
    ///
    /// # Errors
    ///
    /// When it may not be done, or not yet, or cannot be recorded.
    pub async fn permit(&self, act: Act<'_>) -> Result<Verdict, Refusal> {
        let verdict = Verdict::of(act.decision);
        let subject = |rule: String| Subject {
            device: act.device.to_owned(),
            session: act.session.clone(),
            user: act.user.to_owned(),
            mode: String::new(),
            cwd: String::new(),
            caller: act.caller.to_owned(),
            purpose: act.purpose.to_owned(),
            text: act.text.clone(),
            commit: String::new(),
            rule,
        };
        let said = settle(&self.approvals, &self.taint, act.caller, verdict, subject);
        let verdict = match &said {
            Ok(verdict) => verdict,
            Err(Refusal::Denied(verdict) | Refusal::ApprovalNeeded(verdict, _)) => verdict.as_ref(),
            Err(_) => return said,
        };
        let world = self.world();
        let mode = world.device(act.device).map_or(world.config.policy, |device| world.config.policy_for(device));
        let decided = Decided {
            caller: act.caller.into(),
            session: act.session.clone(),
            device: act.device,
            user: act.user,
            purpose: act.purpose,
            text: act.text.as_str().into(),
            lane: "change",
            decision: effect_word(verdict.decision.effect),
            rule: verdict.decision.rule.as_str().into(),
            reason: verdict.decision.reason.as_str().into(),
            policy_mode: mode.to_string(),
            approver: verdict.approval.as_ref().map(|approval| approval.by.as_str()),
            channel: verdict.approval.as_ref().map(|approval| approval.channel),
            ..Decided::default()
        };
        match self.audit.verdict(decided).await {
            Err(error) if verdict.allows() => {
                Err(Refusal::Cannot(format!("it cannot be written into the audit record, so it is not done: {error}")))
            }
            _ => said,
        }
    }
}
