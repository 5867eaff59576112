//! Long commands that are stopped, and many commands at once: a call comes back in time, and each answer is its own command's.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::{until, until_gone, with_words};
use crate::support::sshd::{Sshd, account};

/// Sessions that are open at once, and commands in all.
const SESSIONS: usize = 20;
const COMMANDS: usize = 200;
/// How often a time is taken that is not as it should be.
const TRIES: usize = 4;

fn setting(user: &str, shell: &str) -> (Sshd, Client) {
    account(user, Path::new(shell));
    let server = Sshd::start();
    let mut client = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", user, "linux")));
    client.run("web1", "true");
    (server, client)
}

/// The time that a caller sees.
fn timed(work: impl FnOnce() -> Value) -> (Value, f64) {
    let begun = std::time::Instant::now();
    let result = work();
    (result, begun.elapsed().as_secs_f64())
}

#[test]
fn a_long_command_comes_back_in_time_and_leaves_nothing_when_it_is_stopped() {
    for (user, shell, marker) in [("jft-bash", "/bin/bash", "300.4721"), ("jft-dash", "/bin/dash", "300.4722")] {
        let (_server, mut client) = setting(user, shell);
        let arguments = json!({"target": "web1", "command": format!("sleep {marker}"), "wait_s": 2});
        // The best of some tries: what holds up the machine for a moment is no fault of the program.
        let mut took: Vec<(f64, f64)> = Vec::new();
        while took.len() < TRIES && !took.iter().any(|(run_s, stop_s)| (1.8..2.2).contains(run_s) && *stop_s < 2.0) {
            let (result, run_s) = timed(|| client.call("ssh_run", arguments.clone()));
            assert_eq!(result["state"], "running", "{result}");
            until("it runs", || !with_words(&format!("sleep {marker}")).is_empty());
            let (stopped, stop_s) = timed(|| client.call("ssh_interrupt", json!({"command_id": result["command_id"]})));
            assert_eq!((stopped["state"].as_str(), stopped["prompt_back"].as_bool()), (Some("interrupted"), Some(true)), "{stopped}");
            until_gone(&format!("sleep {marker}"));
            let ended = client.call("ssh_output", json!({"command_id": result["command_id"]}));
            assert_eq!((ended["state"].as_str(), ended["exit_code"].as_i64()), (Some("interrupted"), Some(130)), "{ended}");
            assert_eq!(client.run("web1", "echo fine")["output"], "fine\n");
            assert!(run_s > 1.8, "it came back after {run_s} s");
            took.push((run_s, stop_s));
        }
        assert!(took.iter().any(|(run_s, _)| *run_s < 2.2) && took.iter().any(|(_, stop_s)| *stop_s < 2.0), "it took {took:?} s");
    }
}

#[test]
fn a_background_job_holds_nobody_up_and_ends_with_its_session() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    let (result, took_s) = timed(|| client.run("web1", "sleep 300.4723 &"));
    assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(0)), "{result}");
    assert!(took_s < 30.0, "it took {took_s} s");
    let message = client.error("ssh_interrupt", json!({"session": "web1"}));
    assert!(message.contains("nothing runs"), "{message}");
    assert!(!with_words("sleep 300.4723").is_empty(), "the job goes on");
    // Its output later is told, and belongs to no command.
    client.run("web1", "(sleep 0.5; echo late; echo later) &");
    let meanwhile = client.run("web1", "sleep 4; echo own");
    let output = meanwhile["output"].as_str().unwrap();
    assert!(output.ends_with("own\n") && output.replace("late\nlater\n", "").ends_with("own\n"), "{meanwhile}");
    assert_eq!(client.run("web1", "echo exact")["output"], "exact\n");
    client.call("ssh_close", json!({"session": "web1"}));
    until("the job has ended with its session", || {
        client.call("ssh_sessions", json!({}));
        with_words("sleep 300.4723").is_empty()
    });
}

#[test]
fn what_does_not_heed_the_interrupt_key_is_told_and_stopped_with_more() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    // The interrupt key twice, then the quit key.
    let run = |client: &mut Client, command: &str| {
        let result = client.call("ssh_run", json!({"target": "web1", "command": command, "wait_s": 3}));
        assert_eq!(result["state"], "running", "{result}");
        result["command_id"].clone()
    };
    let id = run(&mut client, "bash -c 'trap \"\" INT; sleep 300.4724; true'");
    let stopped = client.call("ssh_interrupt", json!({"command_id": id}));
    assert_eq!((stopped["state"].as_str(), stopped["prompt_back"].as_bool()), (Some("interrupted"), Some(true)), "{stopped}");
    assert_eq!(stopped["sent"].as_array().unwrap().len(), 3, "{stopped}");
    until_gone("sleep 300.4724");
    // Neither key helps: it is told what goes on, and hanging up is what is left.
    let id = run(&mut client, "bash -c 'trap \"\" INT QUIT HUP; sleep 300.4725; true'");
    let stopped = client.call("ssh_interrupt", json!({"command_id": id}));
    assert_eq!((stopped["state"].as_str(), stopped["prompt_back"].as_bool()), (Some("running"), Some(false)), "{stopped}");
    assert!(stopped["next"].as_str().unwrap().contains("did not stop"), "{stopped}");
    assert!(!with_words("sleep 300.4725").is_empty());
    let hung_up = client.call("ssh_interrupt", json!({"command_id": id, "how": "hangup"}));
    assert_eq!((hung_up["state"].as_str(), hung_up["prompt_back"].as_bool()), (Some("interrupted"), Some(false)), "{hung_up}");
    assert!(hung_up["next"].as_str().unwrap().contains("may go on"), "what may be left running is told: {hung_up}");
    assert!(!with_words("sleep 300.4725").is_empty(), "it does not heed the hang-up either");
    assert_eq!(client.run("web1", "pkill -f '^sleep 300[.]4725'; echo fine")["output"], "fine\n", "the next call has a new session");
    until_gone("sleep 300.4725");
}

#[test]
fn a_command_behind_a_question_comes_back_with_it_at_once() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    let asked = client.run("web1", "read -r -p 'Go on? [y/n] ' answer; echo \"<$answer>\"");
    assert_eq!(asked["state"], "needs_input", "{asked}");
    for (tool, call) in [("ssh_run", json!({"target": "web1"})), ("ssh_query", json!({"targets": ["web1"]}))] {
        let mut call = call;
        (call["command"], call["wait_s"]) = ("uptime".into(), 20.into());
        let (told, took_s) = timed(|| client.error(tool, call).into());
        let told = told.as_str().unwrap();
        assert!(told.contains("waits for an answer: Go on? [y/n]; nothing was typed"), "{told}");
        assert!(told.contains("ssh_send") && told.contains("ssh_interrupt"), "{told}");
        // It would wait for twenty.
        assert!(took_s < 15.0, "{tool}: it took {took_s} s");
    }
    // Behind its answer a command has its turn.
    let sent = client.post("ssh_send", json!({"session": "web1", "text": "y", "keys": ["enter"]}));
    let next = client.post("ssh_run", json!({"target": "web1", "command": "echo next"}));
    let answers = BTreeMap::from([client.answer(), client.answer()]);
    assert_eq!((&answers[&sent]["ok"], answers[&next]["output"].as_str()), (&true.into(), Some("next\n")), "{answers:?}");
    let ended = client.call("ssh_output", json!({"command_id": asked["command_id"]}));
    assert!(ended["output"].as_str().unwrap().ends_with("<y>\n"), "{ended}");
}

/// A command counts up in its session and prints what it has: an exact answer is one in its turn.
#[test]
fn two_hundred_commands_on_twenty_sessions_get_their_own_answers_in_order() {
    account("jft-bash", Path::new("/bin/bash"));
    account("jft-dash", Path::new("/bin/dash"));
    let server = Sshd::start();
    let mut config = String::new();
    for number in 0..SESSIONS / 2 {
        config += &(server.device(&format!("d{number}"), ["jft-bash", "jft-dash"][number % 2], "linux") + "policy = \"full\"\n");
    }
    let mut client = Client::start(&config);
    let mut wanted = BTreeMap::new();
    for number in 0..COMMANDS {
        let session = number % SESSIONS;
        let target = format!("d{}{}", session / 2, ["", "#two"][session % 2]);
        let (turn, status) = (number / SESSIONS + 1, number % 97);
        let rows = "row\n".repeat(number);
        let command = format!("turn=$((turn+1)); echo \"{target} $turn\"; yes row | head -n {number}; (exit {status})");
        let call = client.post("ssh_run", json!({"target": target, "command": command, "wait_s": 45, "max_chars": 100_000}));
        wanted.insert(call, (target.clone(), format!("{target} {turn}\n{rows}"), status));
    }
    let mut order: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for _ in 0..COMMANDS {
        let (call, result) = client.answer();
        let (target, output, status) = &wanted[&call];
        assert_eq!((result["target"].as_str(), result["output"].as_str()), (Some(target.as_str()), Some(output.as_str())), "{result}");
        assert_eq!((result["state"].as_str(), result["exit_code"].as_u64()), (Some("done"), Some(*status as u64)), "{result}");
        order.entry(target.clone()).or_default().push(result["command_id"].as_str().unwrap()[1..].parse().unwrap());
    }
    assert_eq!(order.len(), SESSIONS);
    assert!(order.values().all(|ids| ids.len() == COMMANDS / SESSIONS));
}
