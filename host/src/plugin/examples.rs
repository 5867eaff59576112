//! Proves a declaration by its own examples: each is shown to the plugins as a session would, and what they make of it must be
//! what the declaration says.

use std::sync::Arc;

use super::device_type::DeviceType;
use super::roles::{Effect, Exchange, Fact, Phase, Reading, Request, View};
use super::session::{Classified, SessionPlugins, compose};
use crate::config::Declaration;
use crate::config::declaration::{Example, Kind, Mode};
use crate::terminal::text::escaped;

/// Silence after which everything that can count counts.
const QUIET_MS: u32 = 600_000;

/// Examples that are judged in another way than the declaration says, each in a sentence that begins with file and line.
pub async fn wrong(declaration: &Declaration, kind: &Arc<DeviceType>) -> Vec<String> {
    let mut proof = Proof { declaration, kind, wrong: Vec::new() };
    for mode in &declaration.modes {
        proof.mode(mode).await;
    }
    for pager in &declaration.pagers {
        for example in &pager.examples {
            let seen = proof.seen(example, Phase::Running).await;
            proof.expect(example, "a pager's marker", seen == Seen::Page, &seen);
        }
    }
    for question in &declaration.questions {
        for example in &question.examples {
            let seen = proof.seen(example, Phase::Running).await;
            // A row may say by itself that it is the password of another host.
            let elsewhere = matches!(question.kind, "password" | "code") && seen == Seen::Question("remote-password".to_owned());
            let right = elsewhere || seen == Seen::Question(question.kind.to_owned());
            proof.expect(example, &format!("a question of the kind `{}`", question.kind), right, &seen);
        }
        for example in &question.not_questions {
            let seen = proof.seen(example, Phase::Running).await;
            proof.expect(example, "no question", !matches!(seen, Seen::Question(_)), &seen);
        }
    }
    for example in &declaration.banners {
        let seen = proof.seen(example, Phase::Login).await;
        proof.expect(example, "no prompt", !matches!(seen, Seen::Prompt(_) | Seen::Incomplete), &seen);
    }
    proof.errors().await;
    proof.policy().await;
    proof.sensitive();
    proof.blocks();
    proof.wrong
}

/// What the plugins make of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Output, or something to wait for.
    Nothing,
    /// A prompt of this mode.
    Prompt(String),
    /// A line that asks for its rest.
    Incomplete,
    /// A pager's marker.
    Page,
    /// A question of this kind.
    Question(String),
}

impl Seen {
    /// Shows the plugins a view.
    pub async fn of(plugins: &mut SessionPlugins, view: &View) -> Self {
        let readings = plugins.ask(view).await;
        match (readings.page, readings.question, readings.prompt) {
            (Some(_), ..) => Self::Page,
            (_, Some(question), _) => Self::Question(question.kind),
            (.., Some(Reading::Ready(ready))) => Self::Prompt(ready.mode),
            (.., Some(Reading::Incomplete(_))) => Self::Incomplete,
            _ => Self::Nothing,
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("output"),
            Self::Prompt(mode) => write!(f, "a prompt of the mode `{mode}`"),
            Self::Incomplete => f.write_str("an unfinished line"),
            Self::Page => f.write_str("a pager's marker"),
            Self::Question(kind) => write!(f, "a question of the kind `{kind}`"),
        }
    }
}

struct Proof<'a> {
    declaration: &'a Declaration,
    kind: &'a Arc<DeviceType>,
    wrong: Vec<String>,
}

impl Proof<'_> {
    async fn mode(&mut self, mode: &Mode) {
        let prompt = Seen::Prompt(mode.name.clone());
        for example in &mode.examples {
            let seen = self.seen(example, Phase::Running).await;
            let (expected, right) = match mode.kind {
                Kind::Incomplete => ("an unfinished line".to_owned(), seen == Seen::Incomplete),
                _ => (prompt.to_string(), seen == prompt),
            };
            self.expect(example, &expected, right, &seen);
        }
        for example in &mode.not_prompts {
            let seen = self.seen(example, Phase::Running).await;
            let right = seen != prompt && !(mode.kind == Kind::Incomplete && seen == Seen::Incomplete);
            self.expect(example, &format!("no prompt of the mode `{}`", mode.name), right, &seen);
        }
    }

    async fn errors(&mut self) {
        for group in &self.declaration.errors {
            for example in &group.examples {
                let failed = self.failed(&example.text).await;
                let right = failed.as_deref() == Some(example.text.trim());
                let shown = failed.map_or_else(|| "a good answer".to_owned(), |line| format!("the failure `{line}`"));
                self.expect(example, "a refused command", right, &shown);
            }
            for example in &group.not_errors {
                let failed = self.failed(&example.text).await;
                self.expect(example, "no failure", failed.is_none(), "one");
            }
        }
    }

    async fn policy(&mut self) {
        let words = &self.declaration.policy;
        let kind = Arc::clone(self.kind);
        let facts: Vec<Fact<'_>> = kind.facts.iter().map(|(name, value)| Fact { name, value }).collect();
        for example in &words.read_examples {
            let said = self.plugins().classify(&self.request(&example.text, &facts)).await.ok().flatten();
            let right = said.as_ref().is_some_and(Classified::reads);
            self.expect(example, "proven to be a read", right, &said.map_or_else(String::new, |said| said.lane.reason));
        }
        for example in &words.stopped_examples {
            let request = self.request(&example.text, &facts);
            let decision = compose(self.plugins().decide(&request).await);
            let said = self.plugins().classify(&request).await.ok().flatten();
            let right = match decision.effect {
                Effect::Deny | Effect::Ask => true,
                Effect::Abstain => said.is_none_or(|said| !said.is_ordinary()),
                Effect::Allow => false,
            };
            self.expect(example, "stopped in the mode `safe`", right, &decision.reason);
        }
    }

    fn sensitive(&mut self) {
        let kind = Arc::clone(self.kind);
        for group in &self.declaration.sensitive {
            for example in &group.examples {
                let (shown, removed) = kind.mask.text(&example.text);
                self.expect(example, "a row with a secret", removed > 0, &format!("`{shown}`"));
            }
            for example in &group.not_sensitive {
                let (shown, removed) = kind.mask.text(&example.text);
                self.expect(example, "shown as it is", removed == 0, &format!("`{shown}`"));
            }
        }
    }

    fn blocks(&mut self) {
        let kind = Arc::clone(self.kind);
        for block in &self.declaration.blocks {
            for (examples, opens) in [(&block.examples, true), (&block.not_blocks, false)] {
                for example in examples {
                    let found = kind.blocks.is_opened_by(&example.text);
                    let [expected, seen] =
                        [opens, found].map(|opens| if opens { "a line that opens a text" } else { "a command by itself" });
                    self.expect(example, expected, found == opens, seen);
                }
            }
        }
    }

    fn request<'a>(&'a self, command: &'a str, facts: &'a [Fact<'a>]) -> Request<'a> {
        Request {
            device: "example",
            device_type: &self.kind.name,
            mode: self.declaration.policy.modes.first().map_or("", String::as_str),
            privileged: false,
            command,
            purpose: "run",
            caller: "check",
            policy_mode: "safe",
            facts,
        }
    }

    fn plugins(&self) -> SessionPlugins {
        SessionPlugins::new(Arc::clone(self.kind))
    }

    /// A session that has seen nothing else is shown the row. The row ends what a question of several rows ends with.
    async fn seen(&self, example: &Example, phase: Phase) -> Seen {
        let (recent, tail) = example.text.rsplit_once('\n').unwrap_or(("", &example.text));
        let view = View {
            revision: 0,
            tail: tail.to_owned(),
            recent: recent.to_owned(),
            marks: Vec::new(),
            phase,
            prompt: None,
            mode: String::new(),
            command: String::new(),
            echoed: true,
            rows_done: 0,
            bytes_since_send: example.text.len() as u64,
            quiet_ms: QUIET_MS,
            settle_ms: 50,
            goal: None,
            facts: vec![("device-type", self.kind.name.as_str().into())],
        };
        Seen::of(&mut self.plugins(), &view).await
    }

    async fn failed(&self, line: &str) -> Option<String> {
        let output = format!("{line}\n");
        let exchange = Exchange { command: "", mode: "", head: &output, tail: &output, status: None };
        self.plugins().judge(&exchange).await.0.map(|failure| failure.line)
    }

    fn expect(&mut self, example: &Example, expected: &str, right: bool, seen: &(impl std::fmt::Display + ?Sized)) {
        if right {
            return;
        }
        let (file, line) = (self.declaration.file.display(), example.line);
        self.wrong.push(format!("{file}:{line}: the example `{}` must be {expected} and is taken for {seen}", escaped(&example.text)));
    }
}
