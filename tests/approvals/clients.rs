//! Through the clients of others, in both eras of the protocol: the inspector's connections, and the official Python package.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{COMMAND, Scene, call, is_let_through, is_privileged, no};
use crate::clients::{ERAS, newest_inspector, official, official_at};
use crate::door::Door;
use crate::support::packages;

/// Connections of the inspector, kept by a process of its own.
struct Inspector {
    program: PathBuf,
    folder: tempfile::TempDir,
    /// Where its process is found, and what it lets in.
    variables: Vec<(String, String)>,
}

impl Inspector {
    fn start() -> Self {
        let program = newest_inspector("mcpdo");
        let mut inspector = Self { program, folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        let shown = packages::must(inspector.command().arg("private"));
        let variable = |line: &str| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('\'').to_owned()))
        };
        inspector.variables = shown.lines().filter_map(variable).collect();
        assert_eq!(inspector.variables.len(), 2, "{shown}");
        inspector
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let own = self.program.parent().unwrap().display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{own}:{path}"))
            .env("HOME", self.folder.path())
            .env("MCP_INSPECTOR_SECRET_STORE", "memory")
            .envs(self.variables.iter().cloned());
        command
    }

    /// What a command of it prints, whatever its end.
    fn ask(&self, arguments: &[&str]) -> Value {
        let done = self.command().args(["--format", "json"]).args(arguments).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}{err}"))
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        let _ = self.command().args(["daemon", "stop"]).output();
    }
}

#[test]
fn the_inspectors_user_decides_in_both_eras() {
    let scene = Scene::start();
    let inspector = Inspector::start();
    let file = inspector.folder.path().join("jackfield.toml");
    std::fs::write(&file, &scene.devices.config).unwrap();
    let (config, state) = (file.display().to_string(), format!("XDG_STATE_HOME={}", inspector.folder.path().display()));
    for (number, era) in ["legacy", "modern"].into_iter().enumerate() {
        let at = format!("@{era}");
        let connect = ["connect", "--era", era, "--elicit", "form", "-e", &state, &at, "--"];
        let program = [env!("CARGO_BIN_EXE_jackfield"), "mcp", "--in-process", "--config", &config];
        let connected = inspector.ask(&[&connect[..], &program[..]].concat());
        assert_eq!(connected["protocolEra"], era, "{connected}");
        let tool = |name: &str, arguments: Value| inspector.ask(&[&at, "tools/call", name, &arguments.to_string()]);
        is_privileged(&tool("ssh_run", json!({"target": "switch1", "command": "enable"}))["structuredContent"]);
        // The call comes back with what its user is asked, and ends with the answer.
        let decide = |word: &[&str]| {
            let asked = tool("ssh_run", call());
            let pending = &asked["elicitationPending"];
            assert!(pending["message"].as_str().is_some_and(|message| message.contains("\n  | write erase\n")), "{asked}");
            let id = pending["elicitationId"].as_str().unwrap();
            let result = inspector.ask(&[&[at.as_str(), "elicitation/respond", id], word].concat());
            result["structuredContent"].clone()
        };
        for word in ["decision:=deny", "--decline"] {
            let denied = decide(&[word]);
            assert_eq!(denied["state"], "denied", "{era}: {denied}");
        }
        for word in ["--cancel", "{}"] {
            let undecided = decide(&[word]);
            assert_eq!(undecided["state"], "approval_needed", "{era} {word}: {undecided}");
        }
        assert_eq!(scene.erased(), number, "{era}");
        is_let_through(&decide(&["decision:=allow_once"]));
        assert_eq!(tool("ssh_send", no())["structuredContent"]["ok"], true);
        assert_eq!(scene.erased(), number + 1, "{era}");
        assert!(decide(&["decision:=deny"])["state"] == "denied", "{era}: the yes was for once");
    }
    assert_eq!(scene.erased(), 2);
}

/// What the official client's user decides, call by call. As a client with full access answers by itself: an empty form.
fn decisions() -> Value {
    let decided = |action: &str, content: Value| json!(["ssh_run", call(), [action, content]]);
    json!([
        ["ssh_run", {"target": "switch1", "command": "enable"}],
        decided("accept", json!({"decision": "deny"})),
        decided("decline", Value::Null),
        decided("cancel", Value::Null),
        decided("accept", json!({})),
        decided("accept", Value::Null),
        decided("accept", json!({"decision": "allow_once"})),
        ["ssh_send", no()],
        decided("decline", Value::Null),
    ])
}

/// What comes of it.
fn are_as_decided(era: &str, seen: &Value) {
    let result = |at: usize| &seen["results"][at]["result"];
    is_privileged(result(0));
    let states: Vec<&str> = (1..6).map(|at| result(at)["state"].as_str().unwrap_or_default()).collect();
    assert_eq!(states, ["denied", "denied", "approval_needed", "approval_needed", "approval_needed"], "{era}: {seen}");
    is_let_through(result(6));
    assert_eq!(result(8)["state"], "denied", "{era}: {seen}");
    for at in [1, 2, 3, 4, 5, 6, 8] {
        let asked = seen["results"][at]["asked"].as_array().unwrap();
        assert!(asked.len() == 1 && asked[0].as_str().unwrap().contains(&format!("\n  | {COMMAND}\n")), "{era}, call {at}: {seen}");
    }
}

#[test]
fn the_official_clients_user_decides_in_both_eras() {
    let scene = Scene::start();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("jackfield.toml");
    std::fs::write(&config, &scene.devices.config).unwrap();
    for (number, (era, _)) in ERAS.into_iter().enumerate() {
        are_as_decided(era, &official(era, &decisions(), &config, |command| command.env("XDG_STATE_HOME", folder.path())));
        assert_eq!(scene.erased(), number + 1, "{era}");
    }
}

#[test]
fn the_official_clients_user_decides_through_the_http_door_as_well() {
    let scene = Scene::start();
    let door = Door::to(&scene.devices.config);
    for (number, (era, revision)) in ERAS.into_iter().enumerate() {
        let seen = official_at(era, &decisions(), &door.url(), Door::TOKEN);
        assert_eq!(seen["revision"], revision);
        are_as_decided(era, &seen);
        assert_eq!(scene.erased(), number + 1, "{era}");
    }
}
