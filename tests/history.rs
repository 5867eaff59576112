//! Who ran what: through the real program, over its restarts, from several processes at once.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{PASSWORD, Sshd, account};

fn entries(client: &mut Client, arguments: Value) -> Vec<Value> {
    let page = client.call("ssh_history", arguments);
    assert_eq!(page["ok"], true, "{page}");
    page["entries"].as_array().unwrap().clone()
}

/// The newest entry of a command.
fn entry(client: &mut Client, command: &str) -> Value {
    let found = entries(client, json!({"query": command, "limit": 1}));
    found.first().unwrap_or_else(|| panic!("`{command}` is not in the history")).clone()
}

/// The program's command line in a client's state folder.
fn shown(client: &Client, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let done = command.arg("history").args(arguments).env("XDG_STATE_HOME", client.state.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn what_was_run_refused_and_stopped_is_known_after_a_restart() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "linux");
    let mut client = Client::start(&config);
    client.run("web1", "echo fine");
    client.run("web1#2", "sh -c 'exit 7'");
    client.run("web1", "rm -rf /");
    client.call("ssh_query", json!({"targets": ["web1"], "command": "touch /tmp/never"}));
    let running = client.call("ssh_run", json!({"target": "web1", "command": "sleep 601", "wait_s": 0.5}));
    assert_eq!(entry(&mut client, "sleep 601")["state"], "running");
    client.call("ssh_interrupt", json!({"command_id": running["command_id"]}));
    client.call("ssh_send", json!({"session": "web1", "text": "echo typed", "keys": ["enter"], "wait_s": 30, "expect": "^typed"}));
    client.call("ssh_run", json!({"target": "web1#2", "command": "sleep 602", "wait_s": 0.5}));
    let check = |client: &mut Client| {
        let fine = entry(client, "echo fine");
        assert_eq!((fine["state"].as_str(), fine["exit_code"].as_i64(), fine["who"].as_str()), (Some("done"), Some(0), Some("test")));
        assert_eq!(
            (fine["target"].as_str(), fine["session"].as_str(), fine["decision"].as_str()),
            (Some("web1"), Some("web1"), Some("allow"))
        );
        assert!(fine["duration_ms"].is_u64() && fine["command_id"].is_string() && fine["output_bytes"] == 6, "{fine}");
        let failed = entry(client, "exit 7");
        assert_eq!((failed["exit_code"].as_i64(), failed["failed"].as_bool()), (Some(7), Some(true)), "{failed}");
        assert_eq!(failed["session"], "web1#2");
        let asked = entry(client, "rm -rf");
        assert_eq!((asked["state"].as_str(), asked["decision"].as_str()), (Some("approval_needed"), Some("ask")), "{asked}");
        assert!(asked["rule"].as_str().unwrap().starts_with("guard."), "{asked}");
        assert_eq!(entry(client, "touch /tmp/never")["state"], "denied");
        assert_eq!(entry(client, "sleep 601")["state"], "interrupted");
        assert_eq!(entry(client, "echo typed")["exit_code"], 0);
    };
    check(&mut client);
    let state = Arc::clone(&client.state);
    drop(client);
    let mut client = Client::start_in(state, &config, &[]);
    check(&mut client);
    assert_eq!(entry(&mut client, "sleep 602")["state"], "lost", "its session was closed with the process");
    let file = client.state.path().join("jackfield/history.sqlite");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let table = shown(&client, &["--target", "web1#2", "--since", "1h"]);
    assert!(table.contains("exit=7") && !table.contains("echo fine"), "{table}");
    let one: Value = serde_json::from_str(&shown(&client, &["--json", "--limit", "1", "echo"])).unwrap();
    assert_eq!((one["entries"][0]["command"].as_str(), one["total"].as_u64()), (Some("echo typed"), Some(2)), "{one}");
}

#[test]
fn a_crash_leaves_a_command_that_the_next_process_calls_lost() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "linux");
    let mut first = Client::start(&config);
    first.run("web1", "true");
    first.call("ssh_run", json!({"target": "web1", "command": "sleep 603", "wait_s": 0.5}));
    let mut second = Client::start_in(Arc::clone(&first.state), &config, &[]);
    assert_eq!(entry(&mut second, "sleep 603")["state"], "running", "its process lives");
    assert_eq!(entry(&mut first, "sleep 603")["state"], "running");
    first.kill();
    let mut third = Client::start_in(Arc::clone(&second.state), &config, &[]);
    assert_eq!(entry(&mut third, "sleep 603")["state"], "lost");
    third.run("web1", "true");
    third.call("ssh_run", json!({"target": "web1", "command": "sleep 604", "wait_s": 0.5}));
    assert_eq!(entry(&mut third, "sleep 604")["state"], "running");
    third.kill();
    assert!(shown(&second, &["sleep 604"]).contains("lost"), "the command line looks too");
}

#[test]
fn secrets_never_reach_the_file() {
    account("jft-sudo", Path::new("/bin/bash"));
    let server = Sshd::start();
    let device = server.device("web1", "jft-sudo", "linux");
    let without_key: String = device.lines().filter(|line| !line.starts_with("key")).map(|line| format!("{line}\n")).collect();
    let config = format!("{without_key}password = {{ env = \"JFT_PASSWORD\" }}\nsecrets.never = {{ env = \"JFT_NEVER\" }}\n");
    let never = "a-secret-nobody-typed";
    let mut client = Client::start_with(&config, &[("JFT_PASSWORD", PASSWORD), ("JFT_NEVER", never), ("HOME", "/nonexistent")]);
    client.run("web1", &format!("echo '{PASSWORD}' {never} | wc -c"));
    let masked = entry(&mut client, "wc -c");
    assert_eq!(masked["command"], "echo '[secret:password]' [secret:never] | wc -c");
    client.has_written_no(PASSWORD);
    client.has_written_no(never);
    let output = "output-of-a-device";
    client.run("web1", &format!("echo {} | rev", output.chars().rev().collect::<String>()));
    client.call("ssh_close", json!({"session": "web1"}));
    // As the terminal has it, with a carriage return.
    assert_eq!(entry(&mut client, "rev")["output_bytes"], output.len() as u64 + 2);
    client.has_written_no(output);
}

#[test]
fn two_processes_write_at_once_and_pages_hold_still() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "linux");
    let first = Client::start(&config);
    let second = Client::start_in(Arc::clone(&first.state), &config, &[]);
    let mut clients = std::thread::scope(|scope| {
        let work = |mut client: Client, name: &'static str| {
            scope.spawn(move || {
                (0..12).for_each(|number| assert_eq!(client.run("web1", &format!("echo {name}-{number}."))["exit_code"], 0));
                client
            })
        };
        let working = [work(first, "first"), work(second, "second")];
        working.map(|work| work.join().unwrap())
    });
    // Who reads the history has his own notes written; another process's come some milliseconds later.
    clients[1].call("ssh_history", json!({}));
    let client = &mut clients[0];
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = client.call("ssh_history", json!({"query": "echo", "limit": 5, "cursor": cursor}));
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.iter().all(|entry| entry["state"] == "done"), "{page}");
        seen.extend(entries.iter().map(|entry| entry["command"].as_str().unwrap().to_owned()));
        // What is new meanwhile moves nothing.
        client.run("web1", "echo meanwhile");
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    for name in ["first", "second"] {
        let own: Vec<&String> = seen.iter().filter(|command| command.contains(name)).collect();
        let expected: Vec<String> = (0..12).rev().map(|number| format!("echo {name}-{number}.")).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
    assert_eq!(seen.len(), 24);
    // Both have a command of the same id; the run tells them apart.
    let page = client.call("ssh_history", json!({"query": "-0."}));
    let (one, other) = (&page["entries"][0], &page["entries"][1]);
    assert_eq!(one["command_id"], other["command_id"]);
    assert_ne!(one["run"], other["run"]);
}

#[test]
fn wrong_arguments_are_told_with_what_is_accepted() {
    let mut client = Client::start("[device.web1]\nhost = \"192.0.2.1\"\ntype = \"linux\"\n");
    let mut error = |arguments| client.error("ssh_history", arguments);
    let since = error(json!({"since": "yesterday"}));
    assert!(since.contains("`yesterday`") && since.contains("2h"), "{since}");
    assert!(error(json!({"limit": 201})).contains("is 201; it takes 1 to 200"));
    assert!(error(json!({"limit": 0})).contains("is 0; it takes 1 to 200"));
    assert!(error(json!({"cursor": "c41"})).contains("`c41`; it takes next_cursor"));
    assert!(error(json!({"target": "wep1"})).contains("did you mean `web1`? ssh_hosts lists them"));
    let page = client.call("ssh_history", json!({"target": "web1"}));
    assert_eq!((page["total"].as_u64(), page["entries"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let health = client.call("ssh_info", json!({"topic": "health"}));
    assert_eq!(health["history"]["state"], "ok", "{health}");
}

#[test]
fn a_broken_disk_stops_no_command() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let state = Arc::new(tempfile::tempdir().unwrap());
    std::fs::create_dir_all(state.path().join("jackfield")).unwrap();
    std::fs::write(state.path().join("jackfield/history.sqlite"), "no database ".repeat(500)).unwrap();
    let mut client = Client::start_in(state, &server.device("web1", "jft-bash", "linux"), &[]);
    for number in 0..3 {
        assert_eq!(client.run("web1", &format!("echo {number}"))["output"], format!("{number}\n"));
    }
    assert!(client.error("ssh_history", json!({})).contains("move the file away"));
    let health = client.call("ssh_info", json!({"topic": "health"}));
    assert_eq!(health["history"]["state"], "failing", "{health}");
    assert!(health["history"]["dropped"].as_u64() >= Some(3), "{health}");
    let told =
        Command::new("grep").args(["-rhc", "the history is incomplete"]).arg(client.state.path()).arg("--include=stderr.txt").output();
    assert_eq!(String::from_utf8(told.unwrap().stdout).unwrap(), "1\n");
}
