//! People at the command line: what they see, run, lock, stop.

use std::time::Duration;

use jackfield::guest::wire::{Say, Tell};
use jackfield::limits::{CONTROL_ANSWER_MAX, RUN_TURN_MAX};
use serde_json::json;

use super::{HERE, House, recordings};
use crate::support::client::Client;
use crate::support::guest::Guest;
use crate::support::process::{pause, until};

/// This machine, where `touch` needs a person's word.
const ASKING: &str = "[device.here]\nlocal = true\ntype = \"linux\"\n[policy]\nmode = \"full\"\n[[policy.rule]]\nname = \"ask-first\"\n\
                      effect = \"ask\"\ncommand = [\"touch\"]\nreason = \"it is a test\"\n";

#[test]
fn a_command_runs_as_if_it_ran_here() {
    let house = House::new(HERE);
    assert_eq!(house.said(&["run", "here", "--", "echo one; echo two"]), "one\ntwo\n");
    assert_eq!(house.output(&["run", "here", "--", "(exit 7)"]).status.code(), Some(7));
    let many = house.said(&["run", "here", "--", "seq 100000"]);
    assert!(many == (1..=100_000).map(|number| format!("{number}\n")).collect::<String>(), "{} bytes", many.len());
    let report: serde_json::Value = serde_json::from_str(&house.said(&["run", "--json", "here", "--", "printf abc"])).unwrap();
    assert_eq!((report["output"].as_str(), report["exit_code"].as_i64()), (Some("abc"), Some(0)));
    let unknown = house.output(&["run", "nowhere", "--", "true"]);
    assert_eq!(unknown.status.code(), Some(126));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nowhere"));
    // History has the person's name, which no client can take.
    let history = house.said(&["history"]);
    assert!(history.contains("person anna"), "{history}");
    let mut client = house.client("person anna");
    client.run("here", "true");
    until("it is in the history", || house.said(&["history", "--limit", "1"]).contains("client person anna"));
}

/// By the same name it may be another device there.
#[test]
fn a_session_of_another_configuration_is_not_taken_for_one_of_ones_own_device() {
    let house = House::new(HERE);
    house.said(&["open", "here"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.toml");
    std::fs::write(&file, HERE).unwrap();
    let other = file.to_str().unwrap();
    for command in ["close", "lock", "log", "watch"] {
        let told = house.complaint(&["--config", other, command, "here"]);
        assert!(told.contains("`here` is open under another configuration only"), "{command}: {told}");
    }
    let open = |arguments: &[&str]| {
        let listed: serde_json::Value = serde_json::from_str(&house.said(&[arguments, &["devices", "--json"]].concat())).unwrap();
        listed["devices"][0]["sessions"].clone()
    };
    assert_eq!((open(&[]), open(&["--config", other])), (json!(["here"]), json!([])));
    // Who has no such device means the one that is open.
    std::fs::write(&file, "").unwrap();
    assert_eq!(house.said(&["--config", other, "close", "here"]), "here closed\n");
    assert_eq!(house.sessions(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_session_that_nobody_watches_is_listed_with_the_size_of_its_terminal() {
    let house = House::new(HERE);
    let size = house.client("agent").call("ssh_run", json!({"target": "here", "command": "stty size", "wait_s": 20}));
    let listed = house.sessions();
    assert_eq!(size["output"].as_str().map(str::trim), Some(format!("{} {}", listed[0]["rows"], listed[0]["columns"]).as_str()));
}

/// As a program does that runs here: with Ctrl-C, a time limit around it, its terminal.
#[test]
fn a_command_ends_with_the_program_that_waits_for_it() {
    let house = House::new(HERE);
    house.said(&["run", "here", "--", "true"]);
    for signal in ["INT", "TERM", "KILL"] {
        // What starts tests in the background has them ignore SIGINT.
        let mut waits = std::process::Command::new("env");
        waits.args(["--default-signal=INT", env!("CARGO_BIN_EXE_jackfield"), "run", "here", "--", "sleep 6471"]);
        let mut waits = house.as_here(waits).spawn().unwrap();
        until("it runs", || house.said(&["ps"]).contains("sleep 6471"));
        let sent = std::process::Command::new("kill").args(["-s", signal, &waits.id().to_string()]).status().unwrap();
        assert!(sent.success() && !waits.wait().unwrap().success());
        assert_eq!(house.said(&["run", "here", "--", "echo free"]), "free\n", "{signal}");
    }
}

/// As what stands before `| head` does.
#[test]
fn what_nobody_reads_any_more_ends() {
    use std::io::Read as _;
    use std::process::Stdio;

    let house = House::new(HERE);
    let status_of_unread = |arguments: &[&str]| {
        let mut process = house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        process.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        process.wait().unwrap().code()
    };
    let endless = ["run", "here", "--", "while :; do echo 6473; sleep 0.1; done"];
    assert_eq!(status_of_unread(&endless), Some(141));
    assert_eq!(house.said(&["run", "here", "--", "echo free"]), "free\n");
    let mut goes_on = house.command(&endless).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it runs", || house.said(&["ps"]).contains("echo 6473"));
    for arguments in [["log", "here", "--follow"].as_slice(), &["watch", "here"]] {
        assert_eq!(status_of_unread(arguments), Some(0), "{arguments:?}");
    }
    goes_on.kill().unwrap();
    goes_on.wait().unwrap();
}

/// Half a file is not told as a whole one.
#[test]
fn what_cannot_be_written_is_told() {
    let house = House::new(HERE);
    for arguments in [["run", "here", "--", "echo lost"].as_slice(), &["devices"], &["ps", "--json"], &["completion", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let done = house.command(arguments).stdout(full).output().unwrap();
        let told = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(1) && told.contains("cannot write standard output: No space left"), "{arguments:?}: {told}");
    }
}

#[test]
fn what_takes_long_is_told_meanwhile() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::Stdio;

    // It takes calls and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let far =
        format!("[device.far]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"anna\"\ntype = \"linux\"\npassword = {{ env = \"HOME\" }}\n");
    let house = House::new(&format!("{HERE}{far}"));
    let mut connects = house.command(&["run", "far", "--", "true"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(connects.stderr.take().unwrap()).read_line(&mut first).unwrap();
    connects.kill().unwrap();
    connects.wait().unwrap();
    assert_eq!(first, "jackfield: `far` is still connecting\n");

    let mut agent = house.client("agent");
    agent.call("ssh_open", json!({"host": "here", "wait_s": 40}));
    let begun = agent.call("ssh_run", json!({"target": "here", "command": "sleep 15", "wait_s": 1}));
    assert_eq!(begun["state"], "running", "{begun}");
    let waited = house.output(&["run", "here", "--", "echo after"]);
    let why = String::from_utf8_lossy(&waited.stderr);
    assert!(
        why.contains("`here` is busy: c1 of agent") && why.contains("still runs; this waits for its turn. `jackfield watch here`"),
        "{why}"
    );
    assert_eq!((waited.stdout.as_slice(), waited.status.code()), (&b"after\n"[..], Some(0)));

    // A program that reads is not given what stands here, as its session is shared with others.
    let mut reads = house.command(&["run", "--kill-after", "12", "here", "--", "cat"]);
    let mut reads = reads.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = reads.stdin.take().unwrap();
    input.write_all(b"of this program\n").unwrap();
    let ended = reads.wait_with_output().unwrap();
    let why = String::from_utf8_lossy(&ended.stderr);
    assert!(why.contains("what stands on standard input here is not passed on to it"), "{why}");
    assert_eq!(ended.status.code(), Some(124), "{why}");
}

#[test]
fn what_needs_a_persons_word_is_not_run_without_a_terminal() {
    let house = House::new(ASKING);
    let touch = ["run", "here", "--", "touch /tmp/jft-no-such-thing"];
    let why = house.complaint(&touch);
    assert!(why.contains("needs a person's approval: it is a test; nothing was run") && why.contains("jackfield approve a1"), "{why}");
    assert_eq!(house.output(&touch).status.code(), Some(126));
    let asked = house.output(&["run", "--json", "here", "--", "touch /tmp/jft-no-such-thing"]);
    let told: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!((asked.status.code(), told["state"].as_str()), (Some(126), Some("approval_needed")), "{told}");
    assert!(told["approval"]["id"].is_string() && told["failure"] == "it is a test", "{told}");
}

/// Statuses and sentences of what did not come to its end: a script must not take it for done.
#[test]
fn what_did_not_end_by_itself_has_a_status_and_a_sentence_of_its_own() {
    let house = House::new(HERE);
    let opened = house.said(&["open", "here"]);
    assert!(opened.starts_with("here opened: ") && opened.ends_with(", type linux\n"), "{opened}");
    let run = |arguments: &[&str]| {
        let done = house.output(&[&["run"], arguments].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code().unwrap(), text(&done.stdout), text(&done.stderr))
    };
    let (status, output, told) = run(&["--kill-after", "5", "here", "--", "echo part; sleep 5713"]);
    assert!(status == 124 && output.starts_with("part\n") && told.contains("stopped after 5 s"), "{status} {output} {told}");
    let (status, output, told) = run(&["--kill-after", "0", "here", "--", "echo never"]);
    assert!(status == 2 && output.is_empty() && told.contains("--kill-after"), "{status} {output} {told}");
    let (status, _, told) = run(&["here", "--", "read -p 'Sure? [y/n] ' x"]);
    assert!(status == 255 && told.contains("it asks `Sure? [y/n]` and waits; `jackfield attach here`"), "{status} {told}");
    let started = std::time::Instant::now();
    let (status, _, told) = run(&["here", "--", "true"]);
    assert!(status == 126 && told.contains("asks `Sure? [y/n]` and waits; nothing was run"), "{status} {told}");
    assert!(started.elapsed() < RUN_TURN_MAX, "it waited for its turn");
    let waits = house.output(&["open", "here"]);
    let told = String::from_utf8_lossy(&waits.stderr);
    assert!(waits.status.code() == Some(255) && told.contains("`jackfield attach here` shows it and takes the answer"), "{told}");
    house.said(&["close", "here"]);
    let (status, told, _) = run(&["--json", "here", "--", "read -p 'Sure? [y/n] ' x"]);
    assert!(status == 255 && told.contains("\"state\":\"needs_input\""), "{status} {told}");
    house.said(&["close", "here"]);
    let (status, output, told) = run(&["here", "--", "echo part; kill -9 $$"]);
    assert!(status == 255 && output == "part\n" && told.contains("the line ended while it ran: "), "{status} {output} {told}");
    let (status, output, _) = run(&["--json", "nowhere", "--", "true"]);
    let refused: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((status, refused["state"].as_str()), (126, Some("refused")), "{refused}");
    let (status, _, told) = run(&["--config", "/nonexistent.toml", "here", "--", "true"]);
    assert!(status == 126 && told.contains("jackfield: cannot read the configuration `/nonexistent.toml`"), "{status} {told}");
    assert!(!told.contains("jackfield: jackfield: "), "{told}");
}

#[test]
fn a_name_that_is_nothing_is_not_said_to_be_opened() {
    let house = House::new(HERE);
    let why = house.complaint(&["close", "hree"]);
    assert!(why.contains("Did you mean `here`?") && !why.contains("jackfield open"), "{why}");
    let why = house.complaint(&["close", "here"]);
    assert!(why.contains("`jackfield open here` opens it"), "{why}");
    let why = house.complaint(&["open", "hree"]);
    assert!(why.contains("did you mean `here`? `jackfield devices` lists them"), "{why}");
}

/// A prompt that comes behind something in the same row, in any pieces, holds up no agent.
#[test]
fn an_agent_goes_on_behind_whatever_a_person_has_finished() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    for round in 0..12 {
        let mut anna = Guest::come(house.state.path(), "anna", true);
        anna.enter("here");
        anna.types("read -rsp 'Password: ' x\r");
        until("it is read", || house.sessions()[0]["state"] == "running");
        // Also in pieces, and a key too many for what has ended.
        for key in ["se", "cret", "\r", ["", "printf abc\r", "true\r\r"][round % 3]] {
            anna.types(key);
        }
        anna.say(&Say::Leave);
        let told = agent.call("ssh_run", json!({"target": "here", "command": format!("echo {round}"), "wait_s": 20}));
        assert_eq!(told["output"], format!("{round}\n"), "{told}");
    }
}

/// A house whose session has typed a secret, and the agent who had it typed.
fn with_a_known_secret(more: &str) -> (House, Client) {
    let house =
        House::new(&format!("{}{more}", HERE.replace("[policy]", "secrets.word = { command = \"echo S3kr1t-Falcon9\" }\n[policy]")));
    let mut agent = house.client("agent");
    let asks = "bash -c 'read -rsp \"Password: \" x; echo'";
    let asked = agent.call("ssh_run", json!({"target": "here", "command": asks, "wait_s": 20}));
    assert_eq!(asked["state"], "needs_input", "{asked}");
    agent.call("ssh_send", json!({"session": "here", "secret": "word"}));
    agent.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 20}));
    (house, agent)
}

/// A secret that the session has typed is no agent's to read, also where a person types it into a line that everybody sees.
#[test]
fn a_known_secret_in_a_persons_line_is_told_to_no_agent() {
    let (house, mut agent) = with_a_known_secret("");
    house.said(&["run", "here", "--", "echo S3kr1t-Falcon9"]);
    let mut anna = Guest::come(house.state.path(), "anna", true);
    anna.enter("here");
    // In one piece, before the device has sent any of it back.
    anna.types("sleep 12 # S3kr1t-Falcon9\r");
    until("it runs", || house.sessions()[0]["running"]["text"] == "sleep 12 # [secret:word]");
    anna.say(&Say::Leave);
    let told = agent.call("ssh_run", json!({"target": "here", "command": "true", "wait_s": 40}));
    let typed = told["meanwhile"]["typed"].to_string();
    assert!(typed.contains("echo [secret:word]") && typed.contains("sleep 12 # [secret:word]"), "{told}");
    assert!(!told.to_string().contains("Falcon9"), "{told}");
}

#[test]
fn a_recording_has_no_known_secret_that_is_typed_key_by_key() {
    let (house, _agent) = with_a_known_secret("[audit]\nrecordings = true\n");
    let mut anna = Guest::come(house.state.path(), "anna", true);
    anna.enter("here");
    for key in "true # S3kr1t-Falcon9\r".chars() {
        anna.types(&key.to_string());
    }
    let typed = || recorded(&house, "i");
    until("it is written", || typed().contains("true # [secret:word]\r"));
    assert!(!typed().contains("Falcon9"), "{}", typed());
}

/// What recordings have of one kind of event.
fn recorded(house: &House, kind: &str) -> String {
    let text = recordings(house).concat();
    let events = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    events.filter(|event| event[1] == kind).map(|event| event[2].as_str().unwrap().to_owned()).collect()
}

/// Each letter is shown before it is known what they make up.
#[test]
fn a_known_secret_that_is_typed_slowly_stays_nowhere() {
    let (house, mut agent) = with_a_known_secret("[audit]\nrecordings = true\n");
    let mut anna = Guest::come(house.state.path(), "anna", true);
    anna.enter("here");
    // Somebody has looked at it before.
    agent.call("ssh_screen", json!({"session": "here"}));
    for key in "true # S3kr1t-Falcon9".chars() {
        anna.types(&key.to_string());
        pause(Duration::from_millis(60));
    }
    until("it is shown", || agent.call("ssh_screen", json!({"session": "here"})).to_string().contains("*[secret:word]"));
    anna.types(" x\r");
    until("it is written", || recorded(&house, "o").contains("true # [secret:word] x"));
    let mut said = vec![recorded(&house, "o")];
    for (tool, arguments) in [
        ("ssh_run", json!({"target": "here", "command": "true", "wait_s": 20})),
        ("ssh_output", json!({"session": "here"})),
        ("ssh_screen", json!({"session": "here"})),
        ("ssh_history", json!({})),
    ] {
        said.push(agent.call(tool, arguments).to_string());
    }
    for text in said {
        assert!(!text.contains("S3k") && !text.contains("Falcon"), "{text}");
    }
}

/// A browser enters again when it was too slow for what came, and has other tabs.
#[test]
fn who_enters_again_or_leaves_one_of_two_places_types_on() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    let drawn = |guest: &Guest| until("it is drawn", || guest.take().iter().any(|told| matches!(told, Tell::Screen { .. })));
    let mut anna = Guest::come(house.state.path(), "anna", true);
    anna.enter("here");
    drawn(&anna);
    let busy = || json!({"target": "here", "command": "true", "wait_s": 1});
    anna.types("tr");
    until("she types there", || {
        agent.call("ssh_run", busy())["error"]["message"].as_str().is_some_and(|why| why.contains("anna is typing"))
    });
    let mut other = Guest::come(house.state.path(), "anna", true);
    other.enter("here");
    drawn(&other);
    other.say(&Say::Leave);
    until("the other place is empty", || house.sessions()[0]["guests"].as_array().is_some_and(|guests| guests.len() == 1));
    anna.enter("here");
    drawn(&anna);
    let kept = agent.error("ssh_run", busy());
    assert!(kept.contains("anna is typing"), "{kept}");
    anna.say(&Say::Leave);
    assert_eq!(agent.call("ssh_run", json!({"target": "here", "command": "true", "wait_s": 20}))["state"], "done");
}

/// A person's answer at the command line ends their typing as one in the viewer does.
#[test]
fn who_answers_a_request_has_done_with_typing() {
    let house = House::new(ASKING);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    let asked = agent.call("ssh_run", json!({"target": "here", "command": "touch /tmp/jft-no-such-thing"}));
    assert_eq!(asked["state"], "approval_needed", "{asked}");
    let mut anna = Guest::come(house.state.path(), "anna", true);
    anna.enter("here");
    anna.types("true\r");
    let busy = || json!({"target": "here", "command": "true", "wait_s": 1});
    until("she types there", || {
        agent.call("ssh_run", busy())["error"]["message"].as_str().is_some_and(|why| why.contains("anna is typing"))
    });
    house.said(&["deny", "a1"]);
    assert_eq!(agent.call("ssh_run", json!({"target": "here", "command": "true", "wait_s": 10}))["state"], "done");
}

/// What is drawn for one size looks wrong in another: a recording has each that a person gave the terminal.
#[test]
fn a_recording_has_the_sizes_that_a_person_gave_the_terminal() {
    let house = House::new(&format!("{HERE}[audit]\nrecordings = true\n"));
    let mut agent = house.client("agent");
    let mut has_size = |size: &str| agent.run("here", "stty size")["output"] == format!("{size}\n");
    assert!(has_size("50 200"));
    let mut anna = Guest::come(house.state.path(), "anna", true);
    anna.say(&Say::Enter { session: "here".to_owned(), columns: 70, rows: 20 });
    until("it has her size", || has_size("20 70"));
    anna.say(&Say::Leave);
    until("it has its own size again", || has_size("50 200"));
    let sizes = || {
        let text = recordings(&house).concat();
        let events = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        events.filter(|event| event[1] == "r").map(|event| event[2].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    until("it is written", || sizes() == ["70x20", "200x50"]);
}

/// Which way a yes came is what an audit is about: `jackfield run` asks at a terminal, as `jackfield approve` does.
#[test]
fn a_yes_at_a_terminal_is_recorded_as_one() {
    let house = House::new(ASKING);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    let mut anna = Guest::come(house.state.path(), "anna", true);
    let file = house.state.path().join("jft-agreed");
    let command = format!("touch {}", file.display());
    let run = || {
        let (session, command) = ("here".to_owned(), command.clone());
        Say::Run { session, command, kill_after_s: None, mode: None, commit: None, reason: String::new() }
    };
    anna.say(&run());
    let mut asked = None;
    until("she is asked", || {
        asked = anna.take().into_iter().find_map(|told| match told {
            Tell::NeedsApproval { approval } => Some(approval.id),
            _ => None,
        });
        asked.is_some()
    });
    anna.say(&Say::Decide { id: asked.unwrap(), allow: true });
    anna.say(&run());
    until("it has run", || file.exists());
    let shown: serde_json::Value = serde_json::from_str(&house.said(&["audit", "show", "--json"])).unwrap();
    let agreed = shown["events"].as_array().unwrap().iter().find(|event| event["approver"].is_string());
    let agreed = agreed.unwrap_or_else(|| panic!("nobody has agreed: {shown}"));
    assert_eq!((agreed["text"].as_str(), agreed["channel"].as_str()), (Some(command.as_str()), Some("command line")), "{agreed}");
    let approver = agreed["approver"].as_str().unwrap();
    assert!(approver.starts_with("anna at a terminal (uid "), "{agreed}");
}

#[test]
fn locks_keep_agents_out_and_people_in() {
    let house = House::new(HERE);
    let (mut one, mut two) = (house.client("one"), house.client("two"));
    one.run("here", "true");
    let taken = one.call("ssh_lock", json!({"session": "here", "action": "take", "ttl_s": 600}));
    assert_eq!((taken["rule"].as_str(), taken["holder"].as_str()), (Some("one_agent"), Some("agent one")));
    let kept = two.error("ssh_run", json!({"target": "here", "command": "true", "wait_s": 1}));
    assert!(kept.contains("agent one has this session's input for itself"), "{kept}");
    let kept = two.error("ssh_send", json!({"session": "here", "text": "x"}));
    assert!(kept.contains("agent one"), "{kept}");
    assert!(two.error("ssh_close", json!({"session": "here"})).contains("agent one"));
    assert!(two.error("ssh_lock", json!({"session": "here", "action": "release"})).contains("force_release"));
    two.call("ssh_lock", json!({"session": "here", "action": "force_release"}));
    assert_eq!(two.run("here", "echo mine")["output"], "mine\n");
    // A person's lock.
    house.said(&["lock", "here"]);
    for client in [&mut one, &mut two] {
        let kept = client.error("ssh_run", json!({"target": "here", "command": "true"}));
        assert!(kept.contains("person anna has this session's input for people alone"), "{kept}");
        let kept = client.error("ssh_lock", json!({"session": "here", "action": "force_release"}));
        assert!(kept.contains("an agent cannot take it away"), "{kept}");
    }
    assert_eq!(house.said(&["run", "here", "--", "echo person"]), "person\n");
    let why = house.complaint(&["lock", "here", "--agent", ""]);
    assert!(why.contains("which agent? give its client's name"), "{why}");
    house.said(&["lock", "here", "--agent", "two"]);
    assert!(one.error("ssh_run", json!({"target": "here", "command": "true"})).contains("for agent two alone"));
    assert_eq!(two.run("here", "echo two")["output"], "two\n");
    house.said(&["unlock", "here"]);
    assert_eq!(one.run("here", "echo free")["output"], "free\n");
}

#[test]
fn a_rollout_that_is_stopped_types_nothing_where_a_person_keeps_agents_out() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.call("ssh_open", json!({"host": "here", "wait_s": 40}));
    let begun = agent.call("ssh_fleet", json!({"targets": ["here"], "command": "sleep 5741", "wait_s": 1}));
    assert_eq!(begun["running"], json!(["here"]), "{begun}");
    until("it runs", || house.sessions().first().is_some_and(|session| session["running"]["text"].is_string()));
    house.said(&["lock", "here"]);
    let stopped = agent.call("ssh_interrupt", json!({"command_id": begun["command_id"]}));
    let here = &stopped["results"][0];
    assert_eq!(here["state"], "running", "{stopped}");
    assert!(here["warnings"].to_string().contains("was not stopped: person anna has this session's input for people alone"), "{stopped}");
    house.said(&["unlock", "here"]);
    assert_eq!(agent.call("ssh_interrupt", json!({"command_id": here["command_id"]}))["state"], "interrupted");
}

/// A person's key takes a while, and agents begin one command after another.
#[test]
fn an_interrupt_ends_the_command_that_was_meant_and_no_other() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    let before = agent.run("here", "true");
    let begun = agent.call("ssh_run", json!({"target": "here", "command": "sleep 300", "wait_s": 1}));
    let mut anna = Guest::come(house.state.path(), "anna", true);
    let interrupt = |command: &serde_json::Value| {
        let command = Some(command["command_id"].as_str().unwrap().to_owned());
        Say::Interrupt { session: "here".to_owned(), command }
    };
    anna.say(&interrupt(&before));
    until("it was heard", || anna.answers() == 1);
    let answer = anna.take().into_iter().find(|told| matches!(told, Tell::Refused { .. }));
    assert!(matches!(&answer, Some(Tell::Refused { why }) if why.contains("does not run any more")), "{answer:?}");
    let goes_on = agent.call("ssh_output", json!({"command_id": begun["command_id"]}));
    assert_eq!(goes_on["state"], "running", "{goes_on}");
    anna.say(&interrupt(&begun));
    let ended = agent.call("ssh_output", json!({"command_id": begun["command_id"], "wait_s": 30}));
    assert_eq!(ended["state"], "interrupted", "{ended}");
}

#[test]
fn what_asks_another_agent_is_waited_for_until_it_is_answered() {
    let house = House::new(HERE);
    let (mut one, mut two) = (house.client("one"), house.client("two"));
    let asked = one.run("here", "read -r -p 'Go on? [y/n] ' answer");
    assert_eq!(asked["state"], "needs_input", "{asked}");
    two.post("ssh_run", json!({"target": "here", "command": "echo two", "wait_s": 30}));
    pause(Duration::from_millis(500));
    one.call("ssh_send", json!({"session": "here", "text": "y", "keys": ["enter"]}));
    assert_eq!(two.answer().1["output"], "two\n");
    // Or as long as the caller wants.
    one.run("here", "read -r -p 'Go on? [y/n] ' answer");
    let told = two.error("ssh_run", json!({"target": "here", "command": "echo two", "wait_s": 1}));
    assert!(told.contains("waits for an answer: Go on? [y/n]"), "{told}");
}

#[test]
fn panic_stops_every_agent_at_once_and_only_a_person_ends_it() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    agent.call("ssh_lock", json!({"session": "here", "action": "take"}));
    agent.post("ssh_run", json!({"target": "here", "command": "sleep 8; echo through", "wait_s": 40}));
    until("it runs", || house.sessions().first().is_some_and(|session| session["running"]["text"].is_string()));
    assert!(house.said(&["panic"]).contains("all input of agents is stopped"));
    // What runs goes on.
    assert_eq!(agent.answer().1["output"], "through\n");
    for (tool, arguments) in [
        ("ssh_run", json!({"target": "here", "command": "true"})),
        ("ssh_run", json!({"target": "here#new", "command": "true"})),
        ("ssh_send", json!({"session": "here", "text": "x"})),
        ("ssh_close", json!({"session": "here"})),
    ] {
        let why = agent.error(tool, arguments);
        assert!(why.contains("person anna has stopped all input of agents"), "{tool}: {why}");
    }
    assert!(house.said(&["ps"]).contains("person anna has stopped all input of agents"));
    // A process that starts later hears of it too.
    let mut other = house.alone("other");
    assert!(other.error("ssh_run", json!({"target": "here", "command": "true"})).contains("person anna has stopped all input of agents"));
    house.said(&["panic", "--end"]);
    other.run("here", "true");
    // So does every one that runs, in whichever of them it is said.
    let mut anna = Guest::come(house.state.path(), "anna", true);
    anna.say(&Say::Panic { on: true });
    until("it was heard", || anna.answers() == 1);
    for client in [&mut agent, &mut other] {
        let why = client.error("ssh_run", json!({"target": "here", "command": "true"}));
        assert!(why.contains("person anna has stopped all input of agents"), "{why}");
    }
    house.said(&["panic", "--end"]);
    assert_eq!(agent.run("here", "echo again")["output"], "again\n");
    assert_eq!(house.alone("third").run("here", "echo free")["output"], "free\n");
}

#[test]
fn panic_is_held_up_by_no_process_that_hangs() {
    let house = House::new(HERE);
    house.said(&["open", "here"]);
    let daemon = house.daemon().to_string();
    let signal = |name: &str| {
        assert!(std::process::Command::new("kill").args(["-s", name, &daemon]).status().unwrap().success());
    };
    let mut other = house.alone("other");
    other.run("here", "true");
    signal("STOP");
    let begun = std::time::Instant::now();
    let mut panic = house.command(&["panic"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    until("it is said", || house.state.path().join("jackfield/halted").exists());
    let why = other.error("ssh_run", json!({"target": "here", "command": "true"}));
    assert!(why.contains("person anna has stopped all input of agents"), "{why}");
    assert!(begun.elapsed() < CONTROL_ANSWER_MAX / 2);
    signal("CONT");
    assert!(panic.wait().unwrap().success());
}

#[test]
fn lines_that_are_not_typed_yet_are_not_when_somebody_stops_them() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    // A shell that takes one line at a time.
    agent.run("here", "dash");
    let lines =
        |seconds: u32| json!({"target": "here", "command": format!("echo one; sleep {seconds}\necho two\necho three"), "wait_s": 40});
    let runs = || house.sessions().first().is_some_and(|session| session["running"]["text"].is_string());
    agent.post("ssh_run", lines(10));
    until("it runs", runs);
    house.said(&["panic"]);
    let told = agent.answer().1;
    assert_eq!((&told["state"], &told["output"]), (&json!("interrupted"), &json!("one\n")), "{told}");
    assert!(told["warnings"].to_string().contains("person anna has stopped all input of agents"), "{told}");
    house.said(&["panic", "--end"]);
    let mut other = house.client("other");
    agent.post("ssh_run", lines(30));
    until("it runs", runs);
    pause(Duration::from_secs(3));
    other.call("ssh_send", json!({"session": "here", "keys": ["ctrl-c"]}));
    let told = agent.answer().1;
    assert_eq!(told["state"], "interrupted", "{told}");
    let output = told["output"].as_str().unwrap();
    assert!(output.starts_with("one") && !output.contains("two"), "{told}");
    assert_eq!(agent.run("here", "echo again")["output"], "again\n");
}

#[test]
fn a_secret_that_is_looked_up_while_somebody_stops_all_input_is_not_typed() {
    let slow = "type = \"linux\"\nsecrets.late = { command = \"sh -c 'sleep 8; echo s3cret-late'\" }\n";
    let house = House::new(&HERE.replace("type = \"linux\"\n", slow));
    let mut agent = house.client("agent");
    let asks = "bash -c 'read -rsp \"Password: \" x; echo; echo got:$x'";
    let asked = agent.call("ssh_run", json!({"target": "here", "command": asks, "wait_s": 40}));
    assert_eq!(asked["state"], "needs_input", "{asked}");
    agent.call("ssh_send", json!({"session": "here", "secret": "late", "wait_s": 0}));
    house.said(&["panic"]);
    let told = agent.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 40}));
    assert_eq!(told["state"], "needs_input", "{told}");
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("`late` was not typed: person anna has stopped all input of agents"), "{told}");
    house.said(&["panic", "--end"]);
    agent.call("ssh_send", json!({"session": "here", "secret": "late", "wait_s": 0}));
    let told = agent.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 40}));
    assert_eq!(told["output"], "Password: \ngot:[secret:late]\n", "{told}");
}

#[test]
fn an_agent_is_told_once_what_people_did_and_what_they_noted() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "cd /");
    house.said(&["run", "here", "--", "cd /tmp && echo moved"]);
    house.said(&["note", "here", "mind the gap"]);
    let told = agent.run("here", "pwd");
    assert_eq!(told["output"], "/tmp\n");
    assert_eq!(told["meanwhile"]["typed"], json!([{"by": "person anna", "text": "cd /tmp && echo moved"}]));
    assert!(told["meanwhile"]["output"].as_str().unwrap().contains("moved"));
    assert_eq!(told["note"], "mind the gap");
    assert!(agent.run("here", "pwd")["meanwhile"].is_null());
    let log = house.said(&["log", "here", "--tail", "6"]);
    assert!(log.contains("moved"), "{log}");
    // Who reads the text alone is told, too, and who only queries.
    let seen = agent.request("tools/call", &json!({"name": "ssh_run", "arguments": {"target": "here", "command": "pwd"}}));
    assert!(seen["result"]["content"][0]["text"].as_str().unwrap().starts_with("note: mind the gap\n"), "{seen}");
    house.said(&["run", "here", "--", "echo again"]);
    let query = agent.call("ssh_query", json!({"targets": ["here"], "command": "pwd"}));
    let told = &query["results"][0];
    assert_eq!((&told["note"], &told["meanwhile"]["typed"][0]["text"]), (&json!("mind the gap"), &json!("echo again")), "{query}");
    assert!(house.complaint(&["note", "here", &"x".repeat(501)]).contains("at most 500 bytes"));
    assert!(house.said(&["note", "here"]).contains("its note is taken away"));
    assert!(agent.run("here", "pwd")["note"].is_null());
    let sessions = agent.call("ssh_sessions", json!({}));
    assert_eq!(sessions["sessions"][0]["opened_by"], "agent agent");
    assert_eq!(sessions["sessions"][0]["host"], "here");
    house.said(&["close", "here"]);
    assert!(house.complaint(&["log", "here"]).contains("there is no session `here`"));
}
