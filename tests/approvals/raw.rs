//! On raw lines, where a caller can lie: no answer, an old one, a forged one, somebody else's, one for another line.

use std::time::Instant;

use serde_json::{Value, json};

use super::{COMMAND, Scene, call, is_let_through, is_privileged, no};
use crate::support::client::{Client, state};
use crate::support::lab::Devices;

/// A yes, as a form brings it.
fn yes() -> Value {
    json!({"action": "accept", "content": {"decision": "allow_once"}})
}

/// A caller of the newer era: each of its calls says who it is and what it can.
struct Newer<'a> {
    client: &'a mut Client,
    name: &'a str,
}

impl Newer<'_> {
    /// A call with what it brings beside its arguments.
    fn call(&mut self, tool: &str, arguments: &Value, brought: &Value) -> Value {
        let mut params = json!({"name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": self.name, "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}});
        params.as_object_mut().unwrap().extend(brought.as_object().unwrap().clone());
        let answer = self.client.request("tools/call", &params);
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].clone()
    }

    fn run(&mut self, command: &str, brought: &Value) -> Value {
        self.call("ssh_run", &json!({"target": "switch1", "command": command}), brought)
    }

    /// The question that the call brings: the request's name, and the state to bring back.
    fn asked(&mut self, command: &str, brought: &Value) -> (String, String) {
        let result = self.run(command, brought);
        let (id, asked) = result["inputRequests"].as_object().unwrap_or_else(|| panic!("{result}")).iter().next().unwrap();
        let message = asked["params"]["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("\n  | {command}\n")) && message.starts_with(&format!("{} wants to run", self.name)),
            "{message}"
        );
        (id.clone(), result["requestState"].as_str().unwrap().to_owned())
    }
}

fn brought(id: &str, answer: &Value, state: &str) -> Value {
    json!({"inputResponses": {id: answer}, "requestState": state})
}

fn structure(result: &Value) -> &Value {
    &result["structuredContent"]
}

#[test]
fn no_answer_and_a_late_one_type_nothing() {
    let scene = Scene::start();
    let mut client = scene.able();
    let begun = Instant::now();
    let number = client.post("ssh_run", call());
    let asked = client.next();
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    let (id, result) = client.answer();
    let took_s = begun.elapsed().as_secs_f64();
    assert!(id == number && (39.0..60.0).contains(&took_s), "{took_s} s: {result}");
    assert_eq!((result["state"].as_str(), result["approval"]["request"].as_str()), (Some("approval_needed"), Some("a1")), "{result}");
    assert!(result["next"].as_str().unwrap().starts_with("The user was asked and has not decided."), "{result}");
    client.write(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes()}));
    // The same call is asked about again: the late word is nobody's.
    client.post("ssh_run", call());
    let again = client.next();
    assert_eq!(again["method"], "elicitation/create", "{again}");
    assert_eq!(scene.erased(), 0);
    client.write(&json!({"jsonrpc": "2.0", "id": again["id"], "result": {"action": "decline"}}));
    let (_, result) = client.answer();
    assert_eq!(result["state"], "denied", "{result}");
    assert!(result["error"]["message"].as_str().unwrap().contains("the user of test was asked and said no"), "{result}");
    assert_eq!(scene.erased(), 0);
}

#[test]
fn what_is_no_plain_yes_types_nothing() {
    let scene = Scene::start();
    let mut client = scene.able();
    let mut newer = Client::bare(state(), &scene.devices.config, &[]);
    let mut newer = Newer { client: &mut newer, name: "newer" };
    is_privileged(structure(&newer.run("enable", &json!({}))));
    for (answer, decided) in [
        (json!({"action": "accept"}), "approval_needed"),
        (json!({"action": "accept", "content": {}}), "approval_needed"),
        (json!({"action": "accept", "content": {"decision": true}}), "approval_needed"),
        (json!({"action": "accept", "content": {"decision": "allow"}}), "approval_needed"),
        (json!({"action": "accept", "content": {"approve": true}}), "approval_needed"),
        (json!({"action": "cancel", "content": {"decision": "allow_once"}}), "approval_needed"),
        (json!({"action": "decline", "content": {"decision": "allow_once"}}), "denied"),
        (json!({"action": "accept", "content": {"decision": "deny"}}), "denied"),
        (json!("allow_once"), "approval_needed"),
        (json!(null), "approval_needed"),
    ] {
        client.post("ssh_run", call());
        let asked = client.next();
        client.write(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": answer}));
        let (_, result) = client.answer();
        assert_eq!(result["state"], decided, "{answer}: {result}");
        let (id, state) = newer.asked(COMMAND, &json!({}));
        let result = newer.run(COMMAND, &brought(&id, &answer, &state));
        assert_eq!(structure(&result)["state"], decided, "{answer}: {result}");
    }
    assert_eq!(scene.erased(), 0);
}

#[test]
fn a_state_is_good_for_its_own_request_and_for_once() {
    let scene = Scene::start();
    let mut client = Client::bare(state(), &scene.devices.config, &[]);
    let mut own = Newer { client: &mut client, name: "own" };
    is_privileged(structure(&own.run("enable", &json!({}))));
    let (id, state) = own.asked(COMMAND, &json!({}));
    assert_eq!(own.asked(COMMAND, &json!({})), (id.clone(), state.clone()), "asked again it is the same request");

    // Forged, cut, empty, none at all; an answer to another request's name.
    let digit = if state.starts_with('0') { "1" } else { "0" };
    for forged in [format!("{digit}{}", &state[1..]), state[..state.len() - 1].to_owned(), String::new(), ".".to_owned()] {
        assert_eq!(own.asked(COMMAND, &brought(&id, &yes(), &forged)).0, id, "{forged}");
    }
    assert_eq!(own.asked(COMMAND, &json!({"inputResponses": {&id: yes()}})).0, id);
    let other_name = own.run(COMMAND, &brought("a77", &yes(), &state));
    assert_eq!(structure(&other_name)["state"], "approval_needed", "{other_name}");
    assert_eq!(scene.erased(), 0);

    // Another caller has the state: its call is a request of its own, and the first one is still open.
    let mut other = Newer { client: own.client, name: "other" };
    let theirs = other.asked(COMMAND, &brought(&id, &yes(), &state));
    assert_ne!(theirs.0, id);
    let mut own = Newer { client: other.client, name: "own" };
    assert_eq!(own.asked(COMMAND, &json!({})).0, id);
    assert_eq!(scene.erased(), 0);

    // A byte more, another case, another line: each is asked about by itself, however fresh the yes is.
    for changed in ["write  erase", "write erasE", "erase startup-config"] {
        assert_ne!(own.asked(changed, &brought(&id, &yes(), &state)).0, id, "{changed}");
        assert_eq!(scene.erased(), 0, "{changed}");
    }
    // The yes was said all the same, for this and for once.
    is_let_through(structure(&own.run(COMMAND, &json!({}))));
    own.call("ssh_send", &no(), &json!({}));
    assert_eq!(scene.erased(), 1);
    for _ in 0..2 {
        assert_ne!(own.asked(COMMAND, &brought(&id, &yes(), &state)).0, id, "a used state is worth nothing");
    }
    assert_eq!(scene.erased(), 1);
}

#[test]
fn the_same_answer_twice_at_once_types_once() {
    let scene = Scene::start();
    let mut client = Client::bare(state(), &scene.devices.config, &[]);
    let mut newer = Newer { client: &mut client, name: "newer" };
    is_privileged(structure(&newer.run("enable", &json!({}))));
    let (id, state) = newer.asked(COMMAND, &json!({}));
    for number in 901..911 {
        let params = json!({"name": "ssh_run", "arguments": {"target": "switch1", "command": COMMAND, "wait_s": 30}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "newer", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}},
            "inputResponses": {&id: yes()}, "requestState": state});
        newer.client.write(&json!({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}));
    }
    let mut through = 0;
    for _ in 901..911 {
        let answer = newer.client.next();
        if answer["result"]["structuredContent"]["state"] == "needs_input" {
            is_let_through(structure(&answer["result"]));
            through += 1;
        }
    }
    assert_eq!((through, scene.erased()), (1, 1));
}

/// Who agrees that a change is looked at does not agree that it stays.
#[test]
fn a_yes_to_a_check_is_none_to_a_commit() {
    let devices = Devices::some(&["junos1"]);
    let mut client = Client::bare(state(), &devices.config, &[]);
    let mut newer = Newer { client: &mut client, name: "newer" };
    let with = |commit: &str| json!({"target": "junos1", "command": "delete system login user x", "mode": "config", "commit": commit, "wait_s": 20});
    let asked = newer.call("ssh_run", &with("check"), &json!({}));
    let message = asked["inputRequests"]["a1"]["params"]["message"].as_str().unwrap_or_else(|| panic!("{asked}"));
    assert!(message.contains(", mode config, commit check):\n  | delete system login user x\n"), "{message}");
    let brought = brought("a1", &yes(), asked["requestState"].as_str().unwrap());
    for commit in ["now", "confirmed"] {
        let other = newer.call("ssh_run", &with(commit), &brought);
        assert!(other["inputRequests"].is_object() && other["inputRequests"]["a1"].is_null(), "{commit}: {other}");
    }
    assert!(!devices.lines("junos1").iter().any(|line| line.contains("login") || line.contains("commit")));
    let checked = newer.call("ssh_run", &with("check"), &json!({}));
    assert_eq!(structure(&checked)["lines"]["candidate"], "discarded", "{checked}");
    assert!(!devices.lines("junos1").iter().any(|line| line == "commit"));
}

/// What a person reads is what would be typed, and nothing in it passes for the host's own words.
#[test]
fn the_question_is_not_painted_by_the_command() {
    let scene = Scene::start();
    let mut client =
        Client::bare(state(), &format!("[policy]\nmode = \"full\"\n{}", scene.devices.config), &[]).greeted(&json!({"elicitation": {}}));
    is_privileged(&client.run("switch1", "enable"));
    let run = |command: &str| ("ssh_run", json!({"target": "switch1", "command": command}));
    let send = |text: &str, keys: &[&str]| ("ssh_send", json!({"session": "switch1", "text": text, "keys": keys, "wait_s": 0}));
    // The call, what is asked about line by line, or nothing where it is refused at once.
    let table: [(_, Option<&[&str]>); 7] = [
        (run("write erase\nAllowed (rule none).\n\nshow clock"), Some(&["write erase", "Allowed (rule none).", "", "show clock"])),
        (run("write erase\u{1b}[2J\u{1b}[Hshow clock"), None),
        (run("write erase\rshow clock"), None),
        (run("write erase \u{202e}kcolc wohs"), None),
        (run("write erase ! \u{200b}"), Some(&["write erase ! \\u{200b}"])),
        (send("", &["up", "up", "enter"]), Some(&["\\x1b[A\\x1b[A"])),
        (send("show clock", &["ctrl-u", "backspace", "f5", "enter"]), Some(&["show clock\\x15\\x7f\\x1b[15~"])),
    ];
    for ((tool, arguments), expected) in table {
        client.post(tool, arguments.clone());
        let mut message = client.next();
        assert_eq!(message["method"] == "elicitation/create", expected.is_some(), "{arguments}: {message}");
        if let Some(expected) = expected {
            let asked = message["params"]["message"].as_str().unwrap().to_owned();
            assert!(!asked.chars().any(|ch| ch.is_control() && ch != '\n'), "{asked:?}");
            let lines: Vec<&str> = asked.lines().filter_map(|line| line.strip_prefix("  | ")).collect();
            assert_eq!(lines, expected, "{asked}");
            assert_eq!(asked.lines().count(), lines.len() + 4, "{asked}");
            client.write(&json!({"jsonrpc": "2.0", "id": message["id"], "result": {"action": "decline"}}));
            message = client.next();
        }
        assert_eq!(message["result"]["structuredContent"]["state"], "denied", "{arguments}: {message}");
    }
    assert_eq!(scene.erased(), 0);
}
