//! What a server can do once a key is trusted and somebody logs in.

use super::*;
use crate::support::script::Script;

/// What has to come of it.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The program's output.
    Output(&'static str),
    /// The call fails with these words.
    Error(&'static str),
}

use End::{Error, Output};

/// A call that hangs comes back without its end before that.
const MOST: Duration = Duration::from_secs(60);

/// Accounts with what has to come of a program there.
const PROGRAMS: &[(&str, End)] = &[
    ("banners", Output("fine\n")),
    ("adjusts", Output("fine\n")),
    ("strangers", Output("fine\n")),
    ("opens", Output("2700 of 2700 refused, 0 opened\n")),
    ("requests", Output("0 granted, 20000 refused\n")),
    ("unread", Output("fine\n")),
    ("rekeys", Output(REKEYED)),
    ("ignores", Output("fine\n")),
    ("late-banners", Output("fine\n")),
    ("host-keys", Output("fine\n")),
    ("after-close", Output("fine\n")),
    ("confirms", Error("the connection broke: it sent a malformed packet")),
    ("goodbye", Error("the device ended the connection: \\x1b[2J\\x1b]0;owned\\x07\\u{202e} all is well")),
    ("signal", Error("the program was ended by signal \\x1b[2J")),
    ("leaves-at-login", Error("it closed the connection")),
    ("goodbye-at-login", Error("the device ended the connection")),
    ("no-channel", Error("opens no session: Unknown code 77")),
    ("nonsense", Error("sends and sends, and does not answer the request for a program")),
    ("leaves-at-request", Error("closed the connection")),
    ("rounds", Error("it asked more than 8 times")),
    ("prompts", Error("it asks 10000 questions at once")),
    ("count", Error("it sent a malformed packet")),
    ("questions", Error("\\x1b[2J\\x1b]0;owned")),
];

/// Each number in an exchange of its own.
const REKEYED: &str = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 fine\n";

fn device(server: &Script, name: &str) -> String {
    server.device(name, name) + "password = { env = \"JFT_WORD\" }\n"
}

fn client(server: &Script, names: &[&str]) -> (Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config: String = names.iter().map(|name| device(server, name)).collect();
    let variables = [("JFT_WORD", "correct horse 41"), ("HOME", folder.path().to_str().unwrap())];
    (Client::start_with(&config, &variables), folder)
}

fn start() -> Script {
    Script::start("asyncssh==2.24.1", "hostile_servers/server.py", &[])
}

#[test]
fn every_attack_on_a_login_or_a_program_ends_well_or_in_a_sentence() {
    let server = start();
    let names: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).chain(["healthy"]).collect();
    let (mut client, _home) = client(&server, &names);
    let run = |name: &str| json!({"target": name, "command": "true", "lane": "exec", "wait_s": 45});
    assert_eq!(client.call("ssh_run", run("healthy"))["output"], "fine\n");
    let mut wrong = Vec::new();
    for (name, end) in PROGRAMS {
        let (result, mut how) = watched(&mut client, "ssh_run", run(name), MOST);
        match end {
            Output(text) if result["output"] == *text && result["exit_code"] == 0 => {}
            Output(text) => how.push(format!("not {text:?}: {}", short(&result.to_string()))),
            Error(words) => how.extend(unclear(&result, name, words)),
        }
        wrong.extend(how.into_iter().map(|why| format!("{name}: {why}")));
    }
    assert_eq!(client.call("ssh_run", run("healthy"))["output"], "fine\n");
    client.has_written_no("correct horse 41");
    told(&wrong);
}

#[test]
fn malformed_messages_end_the_connection_with_a_sentence_and_the_next_call_opens_another_one() {
    let server = start();
    let names: Vec<String> = (1..=24).map(|seed| format!("garbage-{seed}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["healthy"]).collect();
    let (mut client, _home) = client(&server, &names);
    let mut wrong = Vec::new();
    for name in &names[..24] {
        for _ in 0..2 {
            let arguments = json!({"target": name, "command": "true", "lane": "exec", "wait_s": 45});
            let (result, how) = watched(&mut client, "ssh_run", arguments, MOST);
            let all = how.into_iter().chain(unclear(&result, name, "the connection broke: it sent a "));
            wrong.extend(all.map(|why| format!("{name}: {why}")));
        }
    }
    assert_eq!(client.call("ssh_run", json!({"target": "healthy", "command": "true", "lane": "exec"}))["output"], "fine\n");
    told(&wrong);
}

#[test]
fn output_beyond_the_window_is_kept_whole_and_costs_no_memory() {
    let server = start();
    let (mut client, _home) = client(&server, &["overflow"]);
    let arguments = json!({"target": "overflow", "command": "true", "lane": "exec", "wait_s": 45, "max_chars": 2000});
    let (result, wrong) = watched(&mut client, "ssh_run", arguments, MOST);
    told(&wrong);
    assert_eq!((result["exit_code"].as_i64(), result["range"]["total"].as_u64()), (Some(0), Some(1500 * 30_000 + 5)), "{result}");
    assert!(result["output"].as_str().unwrap().ends_with("fine\n"), "{result}");
}

/// A connection may live and start nothing any more. It keeps one program waiting, and not every one behind it.
#[test]
fn a_lane_whose_connection_starts_nothing_any_more_is_opened_anew() {
    let server = start();
    let (mut client, _home) = client(&server, &["deaf"]);
    let mut run = || client.call("ssh_run", json!({"target": "deaf", "command": "true", "lane": "exec", "wait_s": 40}));
    told(&unclear(&run(), "deaf", "no answer within"));
    let next = run();
    assert_eq!(next["output"], "fine\n", "{next}");
}

/// A lane for programs outlives no connection: what comes later gets a new one.
#[test]
fn a_lane_whose_connection_has_ended_is_opened_anew() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let run = |client: &mut Client, command: &str| client.call("ssh_run", json!({"target": "web1", "command": command, "lane": "exec"}));
    let first = run(&mut client, "echo $PPID")["output"].as_str().unwrap().trim().to_owned();
    // The server's process of this connection, in the middle of a command and between two.
    let result = run(&mut client, "kill -KILL $PPID; sleep 5");
    assert_eq!((result["state"].as_str(), result["failed"].as_bool()), (Some("lost"), Some(true)), "{result}");
    let second = run(&mut client, "echo $PPID");
    assert_eq!(second["exit_code"], 0, "{second}");
    let second = second["output"].as_str().unwrap().trim().to_owned();
    assert_ne!(first, second);
    run(&mut client, "(sleep 0.2; kill -KILL $PPID) > /dev/null 2>&1 &");
    client.call("ssh_run", json!({"target": "web1", "command": "sleep 1"}));
    let third = run(&mut client, "echo $PPID");
    assert_eq!((third["exit_code"].as_i64(), third["output"] != json!(format!("{second}\n"))), (Some(0), true), "{third}");
}
