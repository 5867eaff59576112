//! What a caller types into a session, or stops: judged as the line that it makes up.

use std::collections::VecDeque;

use super::{Actor, CommandId, Order, Purpose, Refusal, RunRequest, SendRequest, Started, State, Stop, now};
use crate::policy;
use crate::policy::approved::Approved;

impl Actor {
    /// Text, keys, a secret: judged as the line that they make up.
    pub(super) async fn on_send(&mut self, request: SendRequest) -> Result<u64, Refusal> {
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
            self.send_secret(name).await?;
            return Ok(before);
        }
        if bytes.is_empty() {
            return Err(Refusal::Cannot("nothing to type: give `text`, `keys` or `secret`".to_owned()));
        }
        self.send_bytes(&request, bytes).await?;
        Ok(before)
    }

    async fn send_secret(&mut self, name: &str) -> Result<(), Refusal> {
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
                "{why}, and `{name}` is a secret of `{device}`, so it is not typed there; connect to that host as a device of its own. Only the operator can allow it, with `secrets_elsewhere = [\"{name}\"]` in [device.{device}]"
            )));
        }
        let approved = policy::secret(name, &self.profile.kind);
        self.answer(approved).await;
        Ok(())
    }

    fn asks_secret(&self) -> bool {
        self.machine.question().is_some_and(|question| matches!(question.kind.as_str(), "password" | "code" | "remote-password"))
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
        let mut typed = self.typed.clone();
        let lines = typed.on_typed(&bytes);
        let at_prompt = self.machine.is_idle();
        let purpose = if at_prompt { Purpose::Run } else { Purpose::Send };
        let mut verdict = None;
        let pending = typed.pending();
        for line in lines.iter().chain((!pending.text.is_empty()).then_some(&pending)) {
            let said = self.judge(&RunRequest::new(&line.text, purpose, &request.caller)).await;
            // An answer to a password question is no command, and may be the password.
            if !self.asks_secret() {
                self.profile.journal.judged(&self.profile.id, &request.caller, &self.profile.kept(&line.text), &said);
            }
            verdict = Some(Refusal::unless_allowed(said)?);
        }
        let verdict = match verdict {
            Some(verdict) => verdict,
            // Keys that complete no line, or an empty one.
            None => self.judge(&RunRequest::new("", Purpose::Send, &request.caller)).await,
        };
        let Some(approved) = policy::keys(&verdict, bytes) else { return Err(Refusal::Denied(Box::new(verdict))) };
        self.typed = typed;
        match lines.first() {
            Some(line) if at_prompt && !line.text.trim().is_empty() => {
                let text = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
                let goal = self.plugins.claim(&text, self.machine.mode()).await;
                let lines = VecDeque::from([approved]);
                let caller = request.caller.clone();
                let started = Started { id: CommandId::next(), caller, text, lines, goal, kill_after: None, one_prompt: false };
                let (_, effects) = self.begin(started, verdict);
                self.perform(effects).await;
            }
            _ => {
                self.answer(approved).await;
            }
        }
        Ok(())
    }

    /// What asked something is answered: it runs on.
    async fn answer(&mut self, approved: Approved) {
        let effects = self.machine.on_input(now(), approved);
        self.perform(effects).await;
        if let Some(id) = self.machine.running().map(|running| running.id) {
            self.set_state(id, State::Running);
        }
    }

    pub(super) async fn on_stop(&mut self, how: Stop, tried: usize) -> Result<String, String> {
        if how == Stop::Hangup {
            self.ended = Some("the line was closed on request".to_owned());
            return Ok("hang up".to_owned());
        }
        let Some(id) = self.machine.running().map(|running| running.id) else {
            return Err(format!("nothing runs in `{}`", self.profile.id));
        };
        self.set_state(id, State::Running);
        match how {
            Stop::Interrupt => {
                let effects = self.machine.on_interrupt(now(), tried);
                self.perform(effects).await;
                Ok("interrupt key".to_owned())
            }
            Stop::Terminate | Stop::Kill => {
                let name = if how == Stop::Kill { "KILL" } else { "TERM" };
                self.machine.on_stop_asked();
                self.order(Order::Signal(name));
                Ok(format!("signal {name}"))
            }
            Stop::Hangup => Ok(String::new()),
        }
    }
}
