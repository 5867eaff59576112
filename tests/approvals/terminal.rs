//! At a terminal: `jackfield approve` shows the whole text and wants a word; `jackfield deny` says no from anywhere.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{COMMAND, Scene, call, is_let_through, is_privileged, no};
use crate::support::client::{Client, state};
use crate::support::sshd::{Sshd, account};

/// A client whose user cannot be asked through it.
fn plain(scene: &Scene, state: Arc<tempfile::TempDir>) -> Client {
    let mut client = Client::start_in(state, &scene.devices.config, &[]);
    is_privileged(&client.run("switch1", "enable"));
    client
}

/// The name of the request that the call makes.
fn request(client: &mut Client) -> String {
    let result = client.call("ssh_run", call());
    assert_eq!(result["state"], "approval_needed", "{result}");
    let id = result["approval"]["request"].as_str().unwrap().to_owned();
    assert!(result["next"].as_str().unwrap().contains(&format!("`jackfield approve {id}` in a terminal")), "{result}");
    id
}

/// The program without a terminal.
fn apart(client: &Client, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.args(arguments).env("XDG_STATE_HOME", client.state.path()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The program in a terminal, where a person types this once it is asked: what the screen was given, and whether it ended well.
pub fn at_a_terminal(client: &Client, arguments: &[&str], typed: &str) -> (String, bool) {
    let (mut terminal, inside) = pty_process::blocking::open().unwrap();
    terminal.resize(pty_process::Size::new(24, 200)).unwrap();
    let command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let mut process = command.args(arguments).env("XDG_STATE_HOME", client.state.path()).spawn(inside).unwrap();
    let (mut seen, mut piece, mut answered) = (Vec::new(), [0; 4096], false);
    // The terminal ends with its last program.
    while let Ok(count @ 1..) = terminal.read(&mut piece) {
        seen.extend_from_slice(&piece[..count]);
        if !answered && String::from_utf8_lossy(&seen).contains("through once:") {
            answered = true;
            terminal.write_all(typed.as_bytes()).unwrap();
        }
    }
    (String::from_utf8_lossy(&seen).into_owned(), process.wait().unwrap().success())
}

#[test]
fn only_the_word_at_a_terminal_lets_the_next_same_call_through() {
    let scene = Scene::start();
    let mut client = plain(&scene, state());
    let id = request(&mut client);
    assert_eq!(request(&mut client), id, "the same call is the same request");
    let listed: Value = serde_json::from_slice(&apart(&client, &["approve", "--json"]).stdout).unwrap();
    let entry = &listed["requests"][0];
    assert_eq!((entry["process"].as_u64(), entry["request"]["id"].as_str()), (Some(u64::from(client.process_id())), Some(id.as_str())));
    let subject = &entry["request"]["subject"];
    assert_eq!((subject["text"].as_str(), subject["caller"].as_str()), (Some(COMMAND), Some("test")), "{listed}");
    assert!(!listed.to_string().contains("token"), "{listed}");

    let refused = apart(&client, &["approve", &id]);
    assert!(!refused.status.success() && said(&refused).contains("is approved at a terminal only"), "{refused:?}");
    assert_eq!(scene.erased(), 0);

    let (screen, well) = at_a_terminal(&client, &["approve", &id], "allow\r");
    assert!(well && screen.contains("test wants to run this on switch1 (session switch1, account switch1, mode privileged):"), "{screen}");
    assert!(screen.contains("\r\n  | write erase\r\n") && screen.contains("(rule guard.destructive.ios.wipe)"), "{screen}");
    assert!(screen.trim_end().ends_with(&id), "{screen}");
    assert_eq!(scene.erased(), 0, "a yes types nothing by itself");
    is_let_through(&client.call("ssh_run", call()));
    client.call("ssh_send", no());
    assert_eq!(scene.erased(), 1);

    for typed in ["yes\r", "\r", "allow it\r", "ALLOW\r", "\u{4}"] {
        let id = request(&mut client);
        // Without a name it is the only one.
        let (screen, well) = at_a_terminal(&client, &["approve"], typed);
        assert!(!well && screen.contains(&format!("denied {id}")), "{typed:?}: {screen}");
        let result = client.call("ssh_run", call());
        assert_eq!(result["state"], "denied", "{typed:?}: {result}");
        assert!(result["error"]["message"].as_str().unwrap().contains("at a terminal (uid 0) was asked and said no"), "{result}");
    }
    let id = request(&mut client);
    let denied = apart(&client, &["deny", &id]);
    assert!(denied.status.success() && said(&denied) == format!("denied {id}\n"), "{denied:?}");
    assert_eq!(client.call("ssh_run", call())["state"], "denied");
    for gone in [apart(&client, &["deny", &id]), apart(&client, &["approve", &id])] {
        assert!(!gone.status.success() && said(&gone).contains(&format!("no request `{id}` waits")), "{gone:?}");
    }
    assert_eq!(said(&apart(&client, &["approve"])), "nothing waits for approval\n");
    assert_eq!(scene.erased(), 1);
}

#[test]
fn two_servers_that_have_the_same_request_are_told_apart() {
    let (one, two) = (Scene::start(), Scene::start());
    let mut first = plain(&one, state());
    let mut second = plain(&two, Arc::clone(&first.state));
    assert_eq!((request(&mut first), request(&mut second)), ("a1".to_owned(), "a1".to_owned()));
    let names = [&first, &second].map(|client| format!("{}/a1", client.process_id()));
    for command in ["approve", "deny"] {
        let unsure = apart(&first, &[command, "a1"]);
        assert!(!unsure.status.success() && names.iter().all(|name| said(&unsure).contains(name)), "{unsure:?}");
    }
    let table = said(&apart(&first, &["approve"]));
    assert!(names.iter().all(|name| table.contains(name)) && table.matches(COMMAND).count() == 2, "{table}");
    let (screen, well) = at_a_terminal(&first, &["approve", &names[1]], "allow\r");
    assert!(well, "{screen}");
    assert!(apart(&first, &["deny", "a1"]).status.success(), "one is left");
    assert_eq!(first.call("ssh_run", call())["state"], "denied");
    is_let_through(&second.call("ssh_run", call()));
    assert_eq!((one.erased(), two.erased()), (0, 1));
    // A server that has gone has nothing that waits.
    second.call("ssh_send", no());
    request(&mut second);
    second.kill();
    assert_eq!(said(&apart(&first, &["approve"])), "nothing waits for approval\n");
    let nothing = json!({"requests": []});
    assert_eq!(serde_json::from_slice::<Value>(&apart(&first, &["approve", "--json"]).stdout).unwrap(), nothing);
}

#[test]
fn a_yes_to_a_relative_path_is_for_its_directory_only() {
    account("jft-cwd", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start_in(state(), &server.device("web1", "jft-cwd", "linux"), &[]);
    let asked = |client: &mut Client, directory: &str| {
        assert_eq!(client.run("web1", &format!("cd {directory}"))["exit_code"], 0, "{directory}");
        let result = client.run("web1", "rm -rf lib");
        assert_eq!(result["state"], "approval_needed", "{directory}: {result}");
        result["approval"]["request"].as_str().unwrap().to_owned()
    };
    let id = asked(&mut client, "/usr");
    let (screen, well) = at_a_terminal(&client, &["approve", &id], "allow\r");
    assert!(well && screen.contains("account jft-cwd, mode shell, directory /usr):"), "{screen}");
    assert_ne!(asked(&mut client, "/"), id, "the same words are another question there");
}
