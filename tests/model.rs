//! Random requests against a model of what a session must answer: nothing hangs, no byte is lost, no status is another's.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

/// Sequences of requests; each begins where the one before left the session.
const SEQUENCES: u64 = 500;
/// Requests of a sequence.
const LENGTH: usize = 6;

/// What the session does, as far as the requests so far say.
enum Doing {
    Nothing,
    /// It sleeps.
    Sleeps(String),
    /// It waits for a line.
    Reads(String),
}

struct Model {
    client: Client,
    random: fastrand::Rng,
    target: &'static str,
    doing: Doing,
    /// Commands that have ended: id, output, state.
    ended: Vec<(String, String, String)>,
    trace: Vec<String>,
}

impl Model {
    fn step(&mut self) {
        let choice = self.random.u8(..10);
        match (&self.doing, choice) {
            (Doing::Nothing, 0..=2) => self.echo(),
            (Doing::Nothing, 3) => self.status(),
            (Doing::Nothing, 4) => self.many_lines(),
            (Doing::Nothing, 5) => self.start("sleep 600"),
            (Doing::Nothing, 6) => self.start("read -r x; echo \"got:$x\""),
            (Doing::Nothing, 7) => self.nothing_to_stop(),
            (Doing::Reads(_), 0..=4) => self.answer(),
            (Doing::Sleeps(_) | Doing::Reads(_), 5 | 6) => self.interrupt(),
            (Doing::Sleeps(_) | Doing::Reads(_), 7) => self.busy(),
            (Doing::Sleeps(_) | Doing::Reads(_), 8) => self.still_runs(),
            _ => self.look_back(),
        }
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.trace.push(format!("{tool} {arguments}"));
        let result = self.client.call(tool, arguments);
        self.trace.push(format!("  {result}"));
        result
    }

    fn check(&self, is_right: bool, what: &str) {
        assert!(is_right, "{what}:\n{}", self.trace.join("\n"));
    }

    fn token(&mut self) -> String {
        format!("t{:08x}", self.random.u32(..))
    }

    fn whole(&mut self, command: &str, output: &str, status: i64) {
        let result = self.call("ssh_run", json!({"target": self.target, "command": command, "max_chars": 1_000_000}));
        let seen = (result["output"].as_str(), result["exit_code"].as_i64(), result["state"].as_str());
        self.check(seen == (Some(output), Some(status), Some("done")), "another output or status");
        self.remember(&result);
    }

    fn remember(&mut self, result: &Value) {
        let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        self.ended.push((text("command_id"), text("output"), text("state")));
        self.ended.drain(..self.ended.len().saturating_sub(50));
    }

    fn echo(&mut self) {
        let token = self.token();
        self.whole(&format!("echo {token}"), &format!("{token}\n"), 0);
    }

    fn status(&mut self) {
        let status = self.random.i64(0..120);
        self.whole(&format!("(exit {status})"), "", status);
    }

    fn many_lines(&mut self) {
        let count = self.random.usize(1..4000);
        let lines: String = (1..=count).map(|number| format!("{number}\n")).collect();
        self.whole(&format!("seq {count}"), &lines, 0);
    }

    fn start(&mut self, command: &str) {
        let mut start = || self.call("ssh_run", json!({"target": self.target, "command": command, "wait_s": 0.01}));
        // A busy machine may not get to it in so short a time; it says so and has typed nothing.
        let is_late =
            |result: &Value| result["error"]["message"].as_str().is_some_and(|why| why.contains("did not get to it; nothing was typed"));
        let result = (0..50).map(|_| start()).find(|result| !is_late(result)).unwrap_or_default();
        let id = result["command_id"].as_str().unwrap_or_default().to_owned();
        self.check(matches!(result["state"].as_str(), Some("running" | "needs_input")), "it does not run");
        self.doing = if command.starts_with("sleep") { Doing::Sleeps(id) } else { Doing::Reads(id) };
    }

    fn id(&self) -> String {
        match &self.doing {
            Doing::Nothing => String::new(),
            Doing::Sleeps(id) | Doing::Reads(id) => id.clone(),
        }
    }

    fn answer(&mut self) {
        let (id, token) = (self.id(), self.token());
        self.call("ssh_send", json!({"session": self.target, "text": token, "keys": ["enter"], "wait_s": 0}));
        let result = self.call("ssh_output", json!({"command_id": id, "wait_s": 40}));
        let output = result["output"].as_str().unwrap_or_default();
        // What was typed is shown where the terminal echoes it.
        let is_right = output.ends_with(&format!("got:{token}\n")) && result["exit_code"] == 0 && result["state"] == "done";
        self.check(is_right, "the answer did not arrive");
        self.remember(&result);
        self.doing = Doing::Nothing;
    }

    fn interrupt(&mut self) {
        let id = self.id();
        let stopped = self.call("ssh_interrupt", json!({"command_id": id}));
        self.check(stopped["state"] == "interrupted" && stopped["prompt_back"] == true, "it does not stop");
        let result = self.call("ssh_output", json!({"command_id": id}));
        self.check(result["state"] == "interrupted" && result["exit_code"] == 130, "it is not told as interrupted");
        self.remember(&result);
        self.doing = Doing::Nothing;
    }

    fn busy(&mut self) {
        let id = self.id();
        let result = self.call("ssh_run", json!({"target": self.target, "command": "echo no", "wait_s": 0.01}));
        let message = result["error"]["message"].as_str().unwrap_or_default();
        self.check(message.contains(&id) && message.contains("busy"), "the second caller is not told who has the session");
    }

    fn still_runs(&mut self) {
        let id = self.id();
        let result = self.call("ssh_output", json!({"command_id": id}));
        self.check(matches!(result["state"].as_str(), Some("running" | "needs_input")), "it has ended");
    }

    fn nothing_to_stop(&mut self) {
        let result = self.call("ssh_interrupt", json!({"session": self.target}));
        self.check(result["error"]["message"].as_str().is_some_and(|message| message.contains("nothing runs")), "something was stopped");
    }

    fn look_back(&mut self) {
        let Some(at) = self.random.usize(..self.ended.len().max(1)).checked_sub(0).filter(|at| *at < self.ended.len()) else { return };
        let (id, output, state) = self.ended[at].clone();
        let result = self.call("ssh_output", json!({"command_id": id, "max_chars": 1_000_000}));
        self.check(result["output"] == output.as_str() && result["state"] == state.as_str(), "an old output has changed");
    }
}

#[test]
fn random_requests_get_what_the_model_says() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.run("web1", "true");
    let mut model =
        Model { client, random: fastrand::Rng::new(), target: "web1", doing: Doing::Nothing, ended: Vec::new(), trace: Vec::new() };
    for seed in 0..SEQUENCES {
        model.random = fastrand::Rng::with_seed(seed);
        model.trace = vec![format!("seed {seed}")];
        for _ in 0..LENGTH {
            model.step();
        }
    }
}
