//! What a caller types into a session, or stops: judged as the line that it makes up.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::{
    Actor, Case, CommandId, Order, Purpose, Question, Refusal, RunRequest, SendRequest, Started, State, Stop, Verdict, Witness, now,
};
use crate::config::header;
use crate::policy;
use crate::policy::approved::Approved;
use crate::policy::keys::Assembled;
use crate::session::Sent;
use crate::session::profile::Place;

impl Actor {
    /// Text, keys, a secret: judged as the line that they make up.
    pub(super) async fn on_send(&mut self, request: SendRequest) -> Result<u64, Refusal> {
        self.may_type(&request.author())?;
        let before = self.machine.stream().log().end();
        let mut bytes = request.text.clone().into_bytes();
        let application = self.machine.stream().application_cursor();
        for key in &request.keys {
            let key_bytes = policy::keys::bytes(key, application, &self.profile.kind.terminal.enter);
            let known = policy::keys::KEY_NAMES.join(", ");
            let unknown = || Refusal::Cannot(format!("`{key}` is no key; keys are: {known}"));
            bytes.extend(key_bytes.ok_or_else(unknown)?);
        }
        if request.secret.is_some() && !bytes.is_empty() {
            return Err(Refusal::Cannot("give `secret` alone: it is typed by itself, with Enter".to_owned()));
        }
        if let Some(name) = &request.secret {
            self.send_secret(&request, name).await?;
            return Ok(before);
        }
        if bytes.is_empty() {
            return Err(Refusal::Cannot("nothing to type: give `text`, `keys` or `secret`".to_owned()));
        }
        self.send_bytes(&request, bytes).await?;
        Ok(before)
    }

    async fn send_secret(&mut self, request: &SendRequest, name: &str) -> Result<(), Refusal> {
        if !self.profile.secrets.contains_key(name) {
            let known: Vec<&str> = self.profile.secrets.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
            return Err(Refusal::Cannot(format!("`{}` has no secret `{name}`; {known}", self.profile.id.device)));
        }
        if !self.asks_secret() {
            let why = "nothing on the screen asks for a password now; a secret is typed only at such a question. Look with ssh_screen";
            return Err(Refusal::Cannot(why.to_owned()));
        }
        if !self.profile.secrets_elsewhere.iter().any(|own| own == name)
            && let Some(why) = self.elsewhere()
        {
            let device = &self.profile.id.device;
            return Err(Refusal::Cannot(format!(
                "{why}, and `{name}` is a secret of `{device}`, so it is not typed there; connect to that host as a device of its own. Only the operator can allow it, with `secrets_elsewhere = [\"{name}\"]` in {}",
                header("device", device)
            )));
        }
        let asked = RunRequest::new(&format!("[secret:{name}]"), Purpose::Send, &request.caller);
        let command = self.machine.running().map(|running| running.id);
        self.profile.witness(Case::new(&asked, self.place(self.machine.mode()), &policy::secret_verdict(), command)).await?;
        let approved = policy::secret(name, &self.profile.kind).by(request.author());
        self.answer(approved).await;
        Ok(())
    }

    fn asks_secret(&self) -> bool {
        self.machine.question().is_some_and(Question::wants_secret)
    }

    /// Why what asks may be another host than the session's own.
    fn elsewhere(&self) -> Option<String> {
        if self.machine.question().is_some_and(|question| question.kind == "remote-password") {
            return Some("another host asks for this password".to_owned());
        }
        // Modes are the plugins' words; these two are the contract's for what is not the device itself.
        let mode = self.machine.mode();
        matches!(mode, "remote-shell" | "unknown").then(|| format!("the session is in the mode `{mode}`, which may be on another host"))
    }

    async fn send_bytes(&mut self, request: &SendRequest, bytes: Vec<u8>) -> Result<(), Refusal> {
        let mut typed = self.keys.line.clone();
        let lines = typed.on_typed(&bytes);
        let at_prompt = self.machine.is_idle();
        let is_asked = self.machine.question().is_some();
        let purpose = if at_prompt { Purpose::Run } else { Purpose::Send };
        let pending = typed.pending();
        // More keys than Enter run what history or completion has made: one alone on an empty line has made nothing yet.
        let may_run = at_prompt && pending.unknown && !(self.keys.line.is_untouched() && bytes.len() == 1);
        let is_there = !pending.text.is_empty() || pending.raw.is_some() || may_run;
        let typed_lines: Vec<&Assembled> = lines.iter().chain(is_there.then_some(&pending)).collect();
        let verdict = self.judge_typed(&typed_lines, purpose, request).await?;
        let Some(approved) = policy::keys(&verdict, bytes) else { return Err(Refusal::Denied(Box::new(verdict))) };
        let approved = approved.by(request.author());
        let begins = at_prompt && lines.iter().any(|line| !line.text.trim().is_empty());
        let text = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
        // A command is recorded by its lines, which may have come in pieces; what is typed otherwise as it came.
        let judged = RunRequest::new(if begins { &text } else { &request.text }, purpose, &request.caller);
        let id = if begins { Some(CommandId::next()) } else { self.machine.running().map(|running| running.id) };
        let keys = if begins { &[] } else { request.keys.as_slice() };
        let witness = self.witness_typed(&judged, keys, &verdict, id).await?;
        self.keys.line.clone_from(&typed);
        self.on_callers_turn(&request.author(), &request.text);
        // A line at the prompt is a command, one that is asked for an answer; what comes behind may be left to the next prompt.
        self.keys.leftover.on_typed(lines.len() > usize::from(at_prompt || is_asked));
        if at_prompt && !begins && !typed.is_untouched() {
            self.keys.leftover.on_unsent();
        }
        match id {
            Some(id) if begins => {
                let goal = self.plugins.claim(&text, self.machine.mode()).await;
                let lines = VecDeque::from([approved]);
                let caller = request.caller.clone();
                let started = Started { id, caller, text, lines, goal, limit: None, one_prompt: false, manual: false };
                let (_, effects) = self.begin(started, verdict, witness);
                self.keys.line = typed;
                self.perform(effects).await;
            }
            _ if self.machine.may_want_secret() => self.answer(approved.hidden()).await,
            _ => self.answer(approved).await,
        }
        Ok(())
    }

    /// What policy says of all lines together, and a person where it wants one asked: who agrees, agrees to all of it.
    async fn judge_typed(&self, lines: &[&Assembled], purpose: Purpose, request: &SendRequest) -> Result<Verdict, Refusal> {
        let together = if self.is_in_shell() { together(lines) } else { Vec::new() };
        let is_unknown = lines.iter().any(|line| line.unknown);
        let mut texts: Vec<(&str, bool)> = together.iter().map(|text| (text.as_str(), is_unknown)).collect();
        for line in lines {
            texts.extend([Some(&line.text), line.raw.as_ref()].into_iter().flatten().map(|text| (text.as_str(), line.unknown)));
        }
        let mut strictest: Option<Verdict> = None;
        for (text, unknown) in texts {
            let asked = RunRequest { unknown, ..RunRequest::new(text, purpose, &request.caller) };
            let verdict = self.judge(&asked).await;
            strictest = Some(match strictest {
                Some(kept) => kept.or_stricter(verdict),
                None => verdict,
            });
        }
        let Some(mut strictest) = strictest else {
            // Keys that complete no line.
            return Ok(self.judge(&RunRequest::new("", Purpose::Send, &request.caller)).await);
        };
        let texts: Vec<&str> = lines.iter().map(|line| line.exact()).collect();
        let whole = RunRequest::new(&texts.join("\n"), purpose, &request.caller);
        // A yes is bound to a directory where that is known: what runs now may leave it before the line is read.
        let place = self.place(self.machine.mode());
        let place = if self.machine.is_idle() { place } else { Place { cwd: None, ..place } };
        if self.machine.may_want_secret() {
            // It may be the password, which is shown to nobody.
            if strictest.decision.effect == policy::Effect::Ask {
                strictest.decision.effect = policy::Effect::Deny;
            }
            if !strictest.allows() {
                self.witness_typed(&whole, &request.keys, &strictest, None).await?;
                return Err(Refusal::Denied(Box::new(strictest)));
            }
            return Ok(strictest);
        }
        self.profile.admit(&whole, place, strictest).await
    }

    /// Is a shell what reads lines here? These are the contract's words for the modes of shells.
    pub(super) fn is_in_shell(&self) -> bool {
        let mode = self.machine.mode();
        self.profile.kind.pipe.is_some() && (mode.ends_with("shell") || mode.ends_with("csh"))
    }

    async fn witness_typed(
        &self,
        request: &RunRequest,
        keys: &[String],
        verdict: &Verdict,
        command: Option<CommandId>,
    ) -> Result<Witness, Refusal> {
        let case = Case::new(request, self.place(self.machine.mode()), verdict, command);
        self.profile.witness(Case { keys, is_hidden: self.machine.may_want_secret(), ..case }).await
    }

    /// What asked something is answered: it runs on.
    pub(super) async fn answer(&mut self, approved: Approved) {
        let effects = self.machine.on_input(now(), approved);
        self.perform(effects).await;
        self.profile.commons.asks(None);
        if let Some(id) = self.machine.running().map(|running| running.id) {
            self.set_state(id, State::Running);
        }
    }

    /// Stops this command, or whatever runs.
    pub(super) async fn on_stop(&mut self, how: Stop, tried: usize, command: Option<CommandId>) -> Result<Sent, String> {
        let running = self.machine.running().map(|running| running.id);
        if let Some(wanted) = command.filter(|wanted| running != Some(*wanted)) {
            return Err(format!("{wanted} does not run any more"));
        }
        if how == Stop::Hangup {
            self.ended = Some("the line was closed on request".to_owned());
            self.is_wanted_end = true;
            return Ok("hang up".into());
        }
        let Some(id) = running else { return Err(format!("nothing runs in `{}`", self.profile.id)) };
        // What is stopped wants no secret any more.
        self.lookup.give_up();
        self.set_state(id, State::Running);
        match how {
            Stop::Interrupt => {
                let effects = self.machine.on_interrupt(now(), tried);
                self.perform(effects).await;
                Ok("interrupt key".into())
            }
            Stop::Terminate | Stop::Kill => {
                let name = if how == Stop::Kill { "KILL" } else { "TERM" };
                let sent = self.signal(name)?;
                self.machine.on_stop_asked();
                Ok(sent)
            }
            Stop::Hangup => Ok("".into()),
        }
    }

    /// Sends a signal to what stands in the terminal's foreground, where a plugin knows how; else to the line's own program, as SSH does.
    fn signal(&mut self, name: &'static str) -> Result<Sent, String> {
        let what = format!("signal {name}");
        let (Some(spec), Some(pid)) = (&self.profile.kind.signal, self.machine.stream().shell_pid()) else {
            self.order(Order::Signal(name));
            return Ok(Sent { what, told: None });
        };
        // In the foreground here is what leads there.
        if let Some(elsewhere) = self.elsewhere() {
            return Err(format!("{what} would end the way there and not the command: {elsewhere}"));
        }
        let (tell, told) = oneshot::channel();
        let program = policy::signal(spec, name, pid);
        self.order(Order::Beside(program, tell));
        Ok(Sent { what, told: Some(told) })
    }
}

/// Lines of a shell as it reads them, one behind the other: the first may make of the next what that is not by itself (`cd /`). Where keys
/// erase, also as if they did not.
fn together(lines: &[&Assembled]) -> Vec<String> {
    if lines.len() < 2 {
        return Vec::new();
    }
    let erased: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let raw: Vec<&str> = lines.iter().map(|line| line.raw.as_deref().unwrap_or(&line.text)).collect();
    let mut texts = vec![erased.join("\n")];
    if raw != erased {
        texts.push(raw.join("\n"));
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::keys::LineAssembler;

    #[test]
    fn lines_that_are_typed_at_once_are_read_together_too() {
        let of = |typed: &str| together(&LineAssembler::default().on_typed(typed.as_bytes()).iter().collect::<Vec<_>>());
        assert_eq!(of("cd /\nrm -rf etc\n"), ["cd /\nrm -rf etc"]);
        assert_eq!(of("cd /x\u{7f}\nls\n"), ["cd /\nls", "cd /x\nls"]);
        assert!(of("ls\n").is_empty() && of("").is_empty());
    }
}
