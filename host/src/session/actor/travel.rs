//! Commands that go through modes: each step is a command of the machine, the journey says which.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Accepted, Actor, Case, Effect, Ending, Refusal, Reply, RunRequest, Started, Verdict, now, still_wanted};
use crate::ids::CommandId;
use crate::plugin::device_type::SendName;
use crate::plugin::modes::{Modes, Way};
use crate::policy::approved::Approved;
use crate::policy::{self, Purpose};
use crate::session::command::{Limit, Running, State, warn_once};
use crate::session::journey::{Ended, Journey, Route, Step};
use crate::session::machine::Intent;

/// A command on its way.
pub(super) struct Travel {
    id: CommandId,
    request: RunRequest,
    journey: Journey,
    started_at: Instant,
    warnings: Vec<String>,
}

impl Travel {
    /// The parts of the log that are its output so far.
    pub(super) fn pieces(&self) -> Vec<(u64, u64)> {
        self.journey.outcome().pieces.clone()
    }

    /// The next step and how long it may take. The caller's time is for the way there, the lines and the commit; what clears away
    /// behind them has its own, or nothing would be left as it was.
    fn next(&mut self, modes: &Modes, mode: &str) -> Option<(Step, Option<Limit>)> {
        let spent = now().saturating_duration_since(self.started_at);
        let limit = self.request.kill_after.map(|limit| Limit::of_caller(limit, spent));
        let mut step = self.journey.next(modes, mode);
        if let Some(limit) = limit.as_ref().filter(|limit| limit.after.is_zero())
            && step.is_some()
            && !self.journey.is_clearing_away()
        {
            // A line that is stopped as soon as it is typed may have effect all the same.
            warn_once(&mut self.warnings, &limit.told);
            self.journey.run_out(modes, mode);
            step = self.journey.next(modes, mode);
        }
        let limit = if self.journey.is_clearing_away() { limit.map(|_| Limit::of_clearing_away()) } else { limit };
        step.map(|step| (step, limit))
    }
}

impl Actor {
    /// Does a command go through modes? Several lines may, where the device has some. Where a refusal is known by its text they go one
    /// by one too, so that each is judged by what came behind it.
    pub(super) fn travels(&self, request: &RunRequest) -> bool {
        let several = request.text.trim_end().contains('\n') && !self.machine.stream().takes_paste();
        let kind = &self.profile.kind;
        let one_by_one = || !kind.modes.is_empty() || kind.plugins.iter().any(|plugin| !plugin.failures.is_empty());
        request.mode.is_some() || request.keep.is_some() || several && one_by_one()
    }

    /// When the command began of which this is a step, or all.
    pub(super) fn begun_at(&self, running: &Running) -> Instant {
        self.travel.as_ref().map_or(running.started_at, |travel| travel.started_at)
    }

    /// A person may have stopped the input of whoever wants what runs: nothing more of it is typed.
    pub(super) fn heed_lock(&mut self) {
        let Some(author) = self.machine.next_author() else { return };
        if let Some(why) = self.profile.commons.lock.stops(author, now()) {
            self.machine.on_lines_stopped(&why);
        }
    }

    /// Starts a command that goes through modes: policy judges all of it before anything is typed.
    pub(super) async fn set_out(&mut self, request: &RunRequest, reply: &Reply) -> Result<(Accepted, Vec<Effect>), Refusal> {
        let home = self.machine.mode().to_owned();
        let modes = &self.profile.kind.modes;
        let route = match (&request.mode, request.keep) {
            (Some(mode), keep) => Route::to(modes, &home, mode, keep).map_err(Refusal::Cannot)?,
            (None, Some(_)) => return Err(Refusal::Cannot("`commit` needs `mode`, such as `config`".to_owned())),
            (None, None) => Route::free(&home),
        };
        let text = request.text.trim_end_matches(['\n', '\r']);
        if text.trim().is_empty() && request.keep.is_none() {
            return Err(Refusal::Cannot("`command` is empty: nothing to run in that mode".to_owned()));
        }
        let commit = route.commit().and_then(|send| self.send(send));
        if let Some(commit) = commit.as_ref().and_then(Approved::echo) {
            text.lines().try_for_each(|line| route.check_line(commit, line)).map_err(Refusal::Cannot)?;
        }
        // All of it is judged before anything is asked: who agrees, agrees to the whole.
        let mode = route.mode.clone().unwrap_or_else(|| home.clone());
        let mut verdict = self.judge_in(&mode, &RunRequest::new(text, request.purpose, &request.caller)).await;
        let mut lines_of_way = Vec::new();
        let there = route.there.iter().map(|way| (way.from.as_str(), &way.send));
        let back = route.judged_acts().map(|send| (mode.as_str(), send));
        for (from, send) in there.chain(back) {
            let Some((line, said)) = self.judge_send(from, send, request).await else { continue };
            verdict = verdict.or_stricter(said);
            lines_of_way.push(line);
        }
        let verdict = self.profile.admit(request, self.place(&mode), verdict).await?;
        let lines = if text.trim().is_empty() { VecDeque::new() } else { self.lines(&verdict, text, false)? };
        let lines = lines.into_iter().map(|line| line.by(request.author())).collect();
        still_wanted(reply)?;
        let id = CommandId::next();
        let case = Case { way: lines_of_way, ..Case::new(request, self.place(&mode), &verdict, Some(id)) };
        let witness = self.profile.witness(case).await?;
        self.on_callers_turn(&request.author(), &request.text);
        let accepted = self.remember(id, &request.caller, &request.text, verdict, witness);
        let journey = Journey::new(route, lines);
        self.travel = Some(Travel { id, request: request.clone(), journey, started_at: now(), warnings: Vec::new() });
        let effects = self.take_step().await;
        Ok((accepted, effects))
    }

    /// A send that a command needs, judged like a line of its caller. A key is no line; it was granted with the plugin.
    async fn judge_send(&self, mode: &str, send: &SendName, request: &RunRequest) -> Option<(String, Verdict)> {
        let approved = self.send(send);
        let line = approved.as_ref().and_then(Approved::echo)?;
        let verdict = self.judge_in(mode, &RunRequest::new(line, Purpose::Run, &request.caller)).await;
        Some((line.to_owned(), verdict))
    }

    fn send(&self, SendName { plugin, name }: &SendName) -> Option<Approved> {
        let intent = Intent::Send { plugin: plugin.clone(), name: name.clone() };
        policy::intent(&intent, &self.profile.kind, self.profile.filling()).ok()
    }

    /// Types the next step, or ends the command.
    async fn take_step(&mut self) -> Vec<Effect> {
        let mode = self.machine.mode().to_owned();
        let idle = self.machine.is_idle();
        let Some(travel) = &mut self.travel else { return Vec::new() };
        if !idle {
            travel.journey.give_up();
        }
        let mut next = travel.next(&self.profile.kind.modes, &mode);
        if next.is_some()
            && let Some(why) = self.profile.commons.lock.stops(&travel.request.author(), now())
        {
            travel.journey.stop(&mode, &why);
            next = None;
        }
        let Some((step, limit)) = next else {
            self.arrive();
            return Vec::new();
        };
        let (text, lines) = match step {
            Step::Lines => (travel.journey.next_text().to_owned(), travel.journey.take_lines()),
            Step::Go(Way { send, .. }) | Step::Act(_, send) => {
                let approved = self.send(&send);
                let text = approved.as_ref().and_then(Approved::echo).unwrap_or_default().to_owned();
                (text, approved.into_iter().collect())
            }
        };
        let goal = self.plugins.claim(&text, &mode).await;
        let Some(travel) = &self.travel else { return Vec::new() };
        let started =
            Started { id: travel.id, caller: travel.request.caller.clone(), text, lines, goal, limit, one_prompt: true, manual: false };
        self.machine.on_run(now(), started)
    }

    /// A step has ended.
    pub(super) async fn go_on(&mut self, ending: Ending, failure: Option<String>) -> Vec<Effect> {
        let rest = self.machine.take_rest();
        let Some(travel) = &mut self.travel else { return Vec::new() };
        for warning in &ending.warnings {
            warn_once(&mut travel.warnings, warning);
        }
        let mode = self.machine.mode().to_owned();
        let ended =
            Ended { state: Some(ending.state), mode, status: ending.status, failure, typed: ending.typed, pieces: ending.pieces, rest };
        travel.journey.on_ended(&self.profile.kind.modes, ended);
        self.take_step().await
    }

    /// The command is over.
    fn arrive(&mut self) {
        let Some(travel) = self.travel.take() else { return };
        let outcome = travel.journey.outcome().clone();
        let state = match (outcome.lost, outcome.interrupted) {
            (true, _) => State::Lost,
            (false, true) => State::Interrupted,
            (false, false) => State::Done,
        };
        let mut warnings = travel.warnings;
        warnings.extend(outcome.warnings.clone());
        let ending = Ending {
            id: travel.id,
            state,
            text: travel.request.text,
            mode: self.machine.mode().to_owned(),
            typed: outcome.typed,
            pieces: outcome.pieces.clone(),
            ready: self.machine.ready().cloned().filter(|_| !outcome.lost),
            status: outcome.status,
            failure: None,
            unsaid: None,
            duration: now().saturating_duration_since(travel.started_at),
            secrets: Vec::new(),
            warnings,
        };
        let failure = outcome.sentence();
        if let Some(record) = self.records.of_mut(travel.id) {
            record.journey = Some(outcome);
        }
        self.conclude(ending, failure);
    }
}
