//! The audit record: through the real program, on real servers, with a full disk, and killed at any moment.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jackfield::audit::record::{About, Decided};
use jackfield::audit::verify::{self, Verified};
use jackfield::audit::{Audit, files};
use jackfield::lab::Description;
use jackfield::limits::COMMAND_MAX_BYTES;
use serde_json::{Value, json};

use crate::support::client::{Client, program, state};
use crate::support::install_missing;
use crate::support::lab::Devices;
use crate::support::packages::{must, python};
use crate::support::process::until;
use crate::support::sshd::{PASSWORD, Sshd, account};

fn folder(client: &Client) -> PathBuf {
    client.state.path().join("jackfield/audit")
}

/// `jackfield audit` in a client's state folder.
fn audit(client: &Client, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.arg("audit").args(arguments).env("XDG_STATE_HOME", client.state.path()).current_dir(client.state.path()).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The events that `audit show` tells, the oldest first.
pub fn events(client: &Client, arguments: &[&str]) -> Vec<Value> {
    let output = audit(client, &[&["show", "--json", "--limit", "1000"], arguments].concat());
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    shown["events"].as_array().unwrap().iter().rev().cloned().collect()
}

/// The event of a text.
fn event<'a>(events: &'a [Value], text: &str) -> &'a Value {
    let found = events.iter().find(|event| event["text"].as_str().is_some_and(|own| own.contains(text)));
    found.unwrap_or_else(|| panic!("nothing has `{text}`: {events:#?}"))
}

fn is_whole(folder: &Path) -> Verified {
    let verified = verify::folder(folder, None).unwrap();
    assert!(verified.wrong == 0, "{verified:#?}");
    verified
}

#[test]
fn the_callers_reason_is_shown_to_who_decides_and_recorded() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::bare(state(), &server.device("web1", "jft-bash", "linux"), &[]).greeted(&json!({"elicitation": {}}));
    let call = |command: &str, reason: &str| json!({"target": "web1", "command": command, "reason": reason, "wait_s": 40});
    assert_eq!(client.call("ssh_run", call("echo fine", "to see"))["exit_code"], 0);
    client.post("ssh_run", call("rm -rf /", "make\nroom"));
    let asked = loop {
        let message = client.next();
        if message["method"] == "elicitation/create" {
            break message;
        }
    };
    let shown = asked["params"]["message"].as_str().unwrap();
    assert!(shown.contains("\n  | rm -rf /\nThe reason that it gives: make\\nroom\n"), "{shown}");
    client.write(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}}));
    assert_eq!(client.answer().1["state"], "denied");
    let events = events(&client, &[]);
    for (command, reason) in [("echo fine", "to see"), ("rm -rf", "make\nroom")] {
        let entry = &client.call("ssh_history", json!({"query": command, "limit": 1}))["entries"][0];
        assert_eq!(entry["reason"], reason, "{entry}");
        assert_eq!(event(&events, command)["caller_reason"], reason);
    }
    is_whole(&folder(&client));
}

#[test]
fn each_decision_each_secret_and_each_end_is_recorded() {
    account("jft-sudo", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = format!("{}secrets.sudo = {{ env = \"JFT_SUDO\" }}\n", server.device("web1", "jft-sudo", "linux"));
    let mut client = Client::start_with(&config, &[("JFT_SUDO", PASSWORD)]);
    client.run("web1", "echo fine");
    let changed = client.run("web1", "touch /tmp/jft-audit; sh -c 'exit 7'");
    client.run("web1", "rm -rf /");
    client.run("web1", &format!("echo '{PASSWORD}' | wc -c"));
    client.run("web1", "sudo -k id -u");
    client.call("ssh_send", json!({"session": "web1", "text": "echo typed", "keys": ["enter"], "wait_s": 30, "expect": "^typed"}));
    client.call("ssh_run", json!({"target": "web1", "command": "read -rsp 'Password: ' x", "wait_s": 30}));
    client.call("ssh_send", json!({"session": "web1", "text": "what-a-person-types", "keys": ["enter"], "wait_s": 5}));
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    client.run("web1#pipe", "echo piped; echo wrong >&2");
    client.call("ssh_run", json!({"target": "web1", "command": "echo apart", "lane": "exec"}));
    client.call("ssh_query", json!({"targets": ["web1"], "command": "touch /tmp/jft-never"}));
    let process = client.process_id();
    let held = Arc::clone(&client.state);
    let config_file = client.folder().join("jackfield.toml");
    drop(client);
    let client = Client::start_in(held, &config, &[]);
    let events = events(&client, &[]);
    let start = events.iter().find(|event| event["process"] == process).unwrap();
    assert_eq!((start["kind"].as_str(), start["file"].as_str()), (Some("start"), config_file.to_str()), "{start}");
    let digest = String::from_utf8(Command::new("sha256sum").arg(&config_file).output().unwrap().stdout).unwrap();
    assert_eq!(start["digest"].as_str().unwrap(), format!("sha256:{}", digest.split(' ').next().unwrap()));
    assert_eq!((start["parent"].as_u64(), start["uid"].as_u64()), (Some(u64::from(std::process::id())), Some(0)), "{start}");
    let of_kind = |kind: &str| events.iter().find(|event| event["kind"] == kind && event["session"] == "web1").unwrap();
    let (opened, closed) = (of_kind("open"), of_kind("close"));
    assert!(opened["address"].as_str().unwrap().starts_with("127.0.0.1:") && opened["user"] == "jft-sudo", "{opened}");
    assert_eq!((opened["device_type"].as_str(), closed["reason"].as_str()), (Some("linux"), Some("closed on request")), "{closed}");
    let fine = event(&events, "echo fine");
    for (key, expected) in [
        ("caller", "test"),
        ("device", "web1"),
        ("session", "web1"),
        ("user", "jft-sudo"),
        ("text", "echo fine"),
        ("lane", "read"),
        ("decision", "allow"),
        ("purpose", "run"),
        ("policy_mode", "safe"),
    ] {
        assert_eq!(fine[key], expected, "{key}: {fine}");
    }
    let end = &fine["end"];
    assert_eq!((end["state"].as_str(), end["exit_code"].as_i64(), end["output_bytes"].as_u64()), (Some("done"), Some(0), Some(6)), "{end}");
    assert_eq!(end["command_id"], fine["command_id"]);
    assert_eq!(end["log"][0][1].as_u64().unwrap() - end["log"][0][0].as_u64().unwrap(), 6, "{end}");
    let failed = event(&events, "touch /tmp/jft-audit");
    assert_eq!((&failed["command_id"], failed["lane"].as_str()), (&changed["command_id"], Some("change")), "{failed}");
    assert_eq!((failed["end"]["exit_code"].as_i64(), failed["end"]["failed"].as_bool()), (Some(7), Some(true)), "{failed}");
    let asked = event(&events, "rm -rf /");
    assert!(asked["decision"] == "ask" && asked["rule"].as_str().unwrap().starts_with("guard.") && asked["end"].is_null(), "{asked}");
    assert_eq!(event(&events, "jft-never")["decision"], "deny");
    assert_eq!(event(&events, "| wc -c")["text"], "echo '[secret:sudo]' | wc -c");
    assert_eq!(event(&events, "echo typed")["end"]["state"], "done", "{events:#?}");
    let errors = &event(&events, "echo piped")["end"]["errors"];
    assert_eq!(errors[1].as_u64().unwrap() - errors[0].as_u64().unwrap(), 6, "{errors}");
    assert_eq!(event(&events, "echo apart")["session"], "web1#exec");
    event(&events, "[an answer to a password question]");
    let secret = events.iter().find(|event| event["kind"] == "secret").unwrap();
    let sudo = event(&events, "sudo -k id -u");
    assert_eq!((secret["name"].as_str(), secret["goal"].as_str()), (Some("sudo"), Some("sudo")), "{secret}");
    assert_eq!(secret["command_id"], sudo["command_id"]);
    for hidden in [PASSWORD, "what-a-person-types"] {
        client.has_written_no(hidden);
    }
    assert_eq!(fs::metadata(folder(&client)).unwrap().permissions().mode() & 0o777, 0o700);
    let whole = audit(&client, &["verify"]);
    assert!(whole.status.success() && text(&whole).starts_with("whole  "), "{}", text(&whole));
    let table = text(&audit(&client, &["show", "--target", "web1#pipe"]));
    assert!(table.contains("echo piped") && !table.contains("echo apart") && table.contains("done exit=0"), "{table}");
}

#[test]
fn a_transfer_that_is_given_up_while_it_is_planned_is_recorded_as_over() {
    // It takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[device.far]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"anna\"\ntype = \"linux\"\npassword = {{ env = \"HOME\" }}\n[files]\nroots = [\"{}\"]\n",
        folder.path().display()
    );
    let mut client = Client::start(&config);
    // The plugins that judge are there before the time counts.
    client.call("ssh_info", json!({"topic": "policy", "target": "far", "command": "cat /etc/hostname"}));
    let copy = json!({"target": "far", "direction": "down", "local": "x", "remote": "/etc/hostname", "wait_s": 3});
    let why = client.error("ssh_transfer", copy);
    assert!(why.contains("comparing both sides took longer than 3 s; nothing was copied"), "{why}");
    until("its end is recorded", || event(&events(&client, &[]), "/etc/hostname")["end"]["failed"] == true);
}

/// A device that asks in words of its own, which only the plugin of last resort takes for a question, and for one only once they have
/// stood for a while. Who answers before is answering all the same.
#[test]
fn a_password_that_is_asked_for_in_other_words_is_recorded_by_nobody() {
    let text = "name = \"box\"\ntype = \"cisco_ios\"\npassword = \"pw-of-the-box\"\n[secrets]\npin = \"the-right-one\"\n\
        [mode.user]\nprompt = \"box>\"\nstart = true\n[errors]\nunknown = \"?\"\n[[command]]\nmatch = \"unlock\"\nask = \"pin\"\n\
        [dialog.pin]\nquestion = \"PIN: \"\nkind = \"secret\"\nsecret = \"pin\"\ntries = 1\n\
        correct = { print = \"unlocked\" }\nwrong = { print = \"still locked\" }\n";
    let devices = Devices::start(vec![Description::parse("box", text).unwrap()]);
    let mut client = devices.client("[policy]\nmode = \"full\"\n");
    client.run("box", "show clock");
    let begun = client.call("ssh_run", json!({"target": "box", "command": "unlock", "wait_s": 1}));
    assert_eq!(begun["state"], "running", "it is too early to call it a question: {begun}");
    let answered = client.call("ssh_send", json!({"session": "box", "text": "what-an-agent-types", "keys": ["enter"], "wait_s": 5}));
    assert!(answered.to_string().contains("still locked"), "{answered}");
    let events = events(&client, &[]);
    event(&events, "[an answer to a password question]");
    client.has_written_no("what-an-agent-types");
}

#[test]
fn what_is_done_to_the_record_is_told_by_the_command_line() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "linux");
    let mut client = Client::start(&config);
    for number in 0..4 {
        client.run("web1", &format!("echo {number}"));
    }
    let state = Arc::clone(&client.state);
    drop(client);
    let client = Client::start_in(state, &config, &[]);
    let file = files::newest(&folder(&client));
    let copy = client.state.path().join("copy.jsonl");
    let exported = audit(&client, &["export", "--out", copy.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", text(&exported));
    let whole = fs::read(&file).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), whole);
    let again = audit(&client, &["export", "--out", copy.to_str().unwrap()]);
    assert_eq!(text(&again), format!("jackfield: `{}` is there already: name a new file with `--out`\n", copy.display()));
    let key = folder(&client).join("audit.pub");
    let alone = audit(&client, &["verify", "--key", key.to_str().unwrap(), copy.to_str().unwrap()]);
    assert!(alone.status.success(), "{}", text(&alone));
    let recent = audit(&client, &["export", "--since", "1h"]);
    assert_eq!(recent.stdout, whole);
    assert!(audit(&client, &["export", "--since", "2000-01-01T00:00:00Z"]).stdout.len() == whole.len());
    // A record that lacks only its newline is whole, and nobody hides it by that.
    fs::write(&file, whole.strip_suffix(b"\n").unwrap()).unwrap();
    assert!(audit(&client, &["verify"]).status.success());
    assert_eq!(audit(&client, &["export"]).stdout, whole);
    let changed = String::from_utf8(whole.clone()).unwrap().replace("\"echo 2\"", "\"echo 9\"");
    fs::write(&file, changed).unwrap();
    let broken = audit(&client, &["verify"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(text(&broken).contains("audit.jsonl:7: record 7 is not the one that record 8 follows"), "{}", text(&broken));
    let told: Value = serde_json::from_slice(&audit(&client, &["verify", "--json"]).stdout).unwrap();
    assert_eq!((told["whole"].as_bool(), told["problems"][0]["line"].as_u64()), (Some(false), Some(7)), "{told}");
    let refused = audit(&client, &["export"]);
    assert!(!refused.status.success() && refused.stdout.is_empty() && text(&refused).contains("nothing is exported"), "{}", text(&refused));
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(text(&audit(&client, &["verify"])).contains("are cut off: record"));
    fs::write(&file, &whole).unwrap();
    assert!(audit(&client, &["verify"]).status.success());
    let nothing = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let none = command.args(["audit", "verify"]).env("XDG_STATE_HOME", nothing.path()).current_dir(nothing.path()).output().unwrap();
    assert!(text(&none).contains("there is no audit record in"), "{}", text(&none));
}

#[test]
fn processes_write_one_chain_at_once() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "linux");
    let first = Client::start(&config);
    let second = Client::start_in(Arc::clone(&first.state), &config, &[]);
    let folder = folder(&first);
    let state = Arc::clone(&first.state);
    std::thread::scope(|scope| {
        for (name, mut client) in [("first", first), ("second", second)] {
            scope.spawn(move || {
                (0..25).for_each(|number| assert_eq!(client.run("web1", &format!("echo {name}-{number}."))["exit_code"], 0));
                client.call("ssh_close", json!({"session": "web1"}));
            });
        }
    });
    let mut last = Client::start_in(state, &config, &[]);
    last.run("web1", "true");
    // Twice: a start, a session, 25 commands with two records each, the session's end, a head. Then a start, a session, a command.
    let all = 2 * 54 + 4;
    // The answer comes before the record of its command's end.
    until("the last record is written", || is_whole(&folder).records >= all);
    let whole = is_whole(&folder);
    assert!(whole.records == all && whole.torn.is_empty(), "{whole:#?}");
    let events = events(&last, &["--since", "1h"]);
    for name in ["first", "second"] {
        let own = |event: &&Value| event["text"].as_str().is_some_and(|text| text.starts_with(&format!("echo {name}-")));
        let ended: Vec<&Value> = events.iter().filter(own).collect();
        assert_eq!(ended.len(), 25);
        assert!(ended.iter().all(|event| event["end"]["exit_code"] == 0 && event["run"] == event["end"]["run"]), "{ended:#?}");
    }
}

#[test]
fn a_full_disk_stops_changes_and_says_so_while_reads_go_on() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let state = Arc::new(tempfile::tempdir().unwrap());
    let place = state.path().join("record");
    fs::create_dir(&place).unwrap();
    let config = format!("[audit]\nfolder = \"{}\"\n{}", place.display(), server.device("web1", "jft-bash", "linux"));
    let file = state.path().join("jackfield.toml");
    fs::write(&file, config).unwrap();
    // The program alone sees the small disk.
    let mount = format!("mount -t tmpfs -o size=128k,mode=0700 tmpfs '{}' && exec \"$0\" \"$@\"", place.display());
    let wanted = program(&file, state.path());
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &mount]).arg(wanted.get_program()).args(wanted.get_args());
    command.envs(wanted.get_envs().filter_map(|(name, value)| Some((name, value?)))).stderr(Stdio::null());
    let mut client = Client::on(&mut command, Arc::clone(&state));
    let seen = PathBuf::from(format!("/proc/{}/root{}", client.process_id(), place.display()));
    assert_eq!(client.run("web1", "touch /tmp/jft-before")["exit_code"], 0);
    let mut filler = fs::File::create(seen.join("filler")).unwrap();
    while filler.write_all(&[0; 512]).is_ok() {}
    let read = client.run("web1", "echo read");
    for number in 0..40 {
        client.run("web1", &format!("echo {number}"));
    }
    assert_eq!(read["output"], "read\n", "{read}");
    let read = client.run("web1", "echo still");
    assert_eq!(read["output"], "still\n", "{read}");
    let warning = read["warnings"].to_string();
    assert!(warning.contains("not in the audit record") && warning.contains("No space left"), "{read}");
    let shown = client.request("tools/call", &json!({"name": "ssh_file_read", "arguments": {"target": "web1", "path": "/etc/hosts"}}));
    let shown = &shown["result"];
    for told in [shown["structuredContent"]["warnings"].to_string(), shown["content"][0]["text"].to_string()] {
        assert!(told.contains("not in the audit record"), "{told} in {shown}");
    }
    let marker = state.path().join("never");
    let error = client.error("ssh_run", json!({"target": "web1", "command": format!("touch {}", marker.display())}));
    for part in ["nothing was typed", "No space left", "audit.jsonl", "free space there", "Reads go on"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    let piped = client.error("ssh_run", json!({"target": "web1#pipe", "command": format!("touch {}", marker.display())}));
    assert!(piped.contains("nothing was typed"), "{piped}");
    assert!(!marker.exists());
    let health = client.call("ssh_info", json!({"topic": "health"}));
    assert!(health["audit"]["state"] == "failing" && health["audit"]["missing"].as_u64() > Some(2), "{health}");
    drop(filler);
    fs::remove_file(seen.join("filler")).unwrap();
    assert_eq!(client.run("web1", "touch /tmp/jft-after")["exit_code"], 0);
    let health = client.call("ssh_info", json!({"topic": "health"}));
    assert_eq!(health["audit"]["state"], "ok", "{health}");
    let whole = is_whole(&seen);
    assert!(whole.torn.len() <= 1, "{whole:#?}");
}

#[test]
fn recordings_are_played_by_the_usual_player_and_hold_no_secret() {
    account("jft-sudo", Path::new("/bin/bash"));
    let server = Sshd::start();
    let device = format!("{}secrets.sudo = {{ env = \"JFT_SUDO\" }}\n", server.device("web1", "jft-sudo", "linux"));
    let config = format!("[audit]\nrecordings = true\n{device}");
    let mut client = Client::start_with(&config, &[("JFT_SUDO", PASSWORD)]);
    let place = client.state.path().join("jackfield/recordings");
    client.run("web1", "printf 'h\\303\\251llo %s\\n' world");
    client.run("web1", "sudo -k id -u");
    client.run("web1", &format!("echo 'it is {PASSWORD}'"));
    client.call("ssh_run", json!({"target": "web1", "command": "read -rsp 'Password: ' x", "wait_s": 30}));
    client.call("ssh_send", json!({"session": "web1", "text": "what-a-person-types", "keys": ["enter"], "wait_s": 5}));
    let rows = client.run("web1", "seq 1 2000; echo the end");
    assert!(rows["output"].as_str().unwrap().ends_with("the end\n"));
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    client.run("web1#pipe", "echo piped; echo wrong >&2");
    let health = client.call("ssh_info", json!({"topic": "health"}));
    assert_eq!((health["recordings"]["state"].as_str(), health["recordings"]["open"].as_u64()), (Some("ok"), Some(2)), "{health}");
    let names = || {
        let mut names: Vec<String> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert!(names().iter().all(|name| name.ends_with(".cast.part")) && names().len() == 2, "{:?}", names());
    let process = client.process_id();
    let state = Arc::clone(&client.state);
    drop(client);
    let begun = Instant::now();
    while Path::new(&format!("/proc/{process}")).exists() && begun.elapsed() < Duration::from_secs(10) {
        std::thread::yield_now();
    }
    let names = names();
    assert!(names.iter().all(|name| name.ends_with(".cast")) && names.len() == 2, "{names:?}");
    let [main, pipe] = names.as_slice() else { panic!("{names:?}") };
    assert!(main.contains("-web1-main-") && pipe.contains("-web1-pipe-"), "{names:?}");
    let player = python("asciinema", &["asciinema==2.4.0"]).with_file_name("asciinema");
    let played = |name: &str| must(Command::new(&player).arg("cat").arg(place.join(name)));
    let shown = played(main);
    assert!(shown.contains("héllo world") && shown.contains("1999\r\n2000\r\nthe end"), "{shown}");
    assert!(shown.contains("it is [secret:sudo]"), "{shown}");
    assert!(played(pipe).contains("piped\r\n") && played(pipe).contains("wrong\r\n"), "{}", played(pipe));
    let text = fs::read_to_string(place.join(main)).unwrap();
    assert!(text.contains(r#""i", "[secret:sudo]"#) && text.contains(r#""i", "#) && text.contains(r#""m", "c1""#), "{text}");
    let client = Client::start_in(state, &config, &[("JFT_SUDO", PASSWORD)]);
    for hidden in [PASSWORD, "what-a-person-types"] {
        client.has_written_no(hidden);
    }
    // The audit record says which part of which recording belongs to a command.
    let events = events(&client, &[]);
    let part = &event(&events, "seq 1 2000")["end"]["recording"];
    assert_eq!(part["file"].as_str(), Some(main.as_str()), "{part}");
    let within = |line: &Value| line[0].as_f64() >= part["from_s"].as_f64() && line[0].as_f64() <= part["to_s"].as_f64();
    let events: Vec<Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let output: String = events.iter().filter(|line| line[1] == "o" && within(line)).map(|line| line[2].as_str().unwrap()).collect();
    assert!(output.contains("1999\r\n2000") && !output.contains("world"), "{output}");
}

/// Where a process that this story starts writes its record.
const WRITES_TO: &str = "JFT_AUDIT_FOLDER";
/// The signal for a file that is too large, on Linux.
const XFSZ: i32 = 25;

/// Writes until it is killed. Long lines are those that a kill can cut.
fn write_for_ever(folder: &str) -> ! {
    let audit = Audit::start(Some(folder.into()), About::default(), "0123");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let long = "x".repeat(COMMAND_MAX_BYTES);
    loop {
        for text in ["echo fine", &long] {
            let decided = Decided { text: text.into(), lane: "read", decision: "allow", ..Decided::default() };
            runtime.block_on(audit.verdict(decided)).unwrap();
        }
    }
}

/// A process that writes a record there until it is killed.
fn writer(mut program: Command, folder: &Path) -> Child {
    program.args(["--exact", "audit::a_kill_at_any_moment_leaves_a_record_that_is_whole_up_to_there"]);
    program.env(WRITES_TO, folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_kill_at_any_moment_leaves_a_record_that_is_whole_up_to_there() {
    if let Ok(folder) = std::env::var(WRITES_TO) {
        write_for_ever(&folder);
    }
    let itself = std::env::current_exe().unwrap();
    let seed = std::env::var("JFT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut torn = 0;
    for _ in 0..20 {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("audit");
        let mut records = 0;
        let mut check = |folder: &Path| {
            if jackfield::audit::exists(folder) {
                let whole = verify::folder(folder, None).unwrap();
                assert!(whole.wrong == 0 && whole.records >= records, "after {records} records, JFT_SEED={seed}: {whole:#?}");
                records = whole.records;
            }
        };
        for _ in 0..10 {
            let mut writer = writer(Command::new(&itself), &folder);
            // Some are killed while they begin.
            let is_early = random.u8(..) < 40;
            let size = || fs::metadata(files::newest(&folder)).map_or(0, |metadata| metadata.len());
            let before = size();
            let begun = Instant::now();
            while !is_early && size() == before {
                assert!(begun.elapsed() < Duration::from_secs(120), "it does not begin");
                std::thread::yield_now();
            }
            let pause = Duration::from_micros(random.u64(..if is_early { 40_000 } else { 4_000 }));
            let begun = Instant::now();
            while begun.elapsed() < pause {
                std::hint::spin_loop();
            }
            writer.kill().unwrap();
            writer.wait().unwrap();
            check(&folder);
        }
        // A kill seldom hits a write. The system kills in the middle of one where a file would grow beyond a bound, in blocks of 512 bytes.
        for _ in 0..3 {
            let written = fs::metadata(files::newest(&folder)).map_or(0, |metadata| metadata.len());
            let blocks = written / 512 + random.u64(1..400);
            let mut bounded = Command::new("sh");
            bounded.args(["-c", "ulimit -c 0; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]).arg(&itself);
            let ended = writer(bounded, &folder).wait().unwrap();
            assert_eq!(ended.signal(), Some(XFSZ), "{blocks} blocks, JFT_SEED={seed}: {ended}");
            check(&folder);
        }
        torn += is_whole(&folder).torn.len();
    }
    assert!(torn >= 20, "{torn} of 60 writes were cut: the story proves little; JFT_SEED={seed}");
}

/// A power failure cannot be played, but what is asked of the system can be seen.
#[test]
fn a_head_is_on_the_disk_before_it_counts_and_no_command_waits_for_that() {
    const FOLDER: &str = "JFT_AUDIT_HEADS";
    if let Ok(folder) = std::env::var(FOLDER) {
        let audit = Audit::start(Some(folder.into()), About::default(), "0123");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..100 {
            let decided = Decided { text: "echo fine".into(), lane: "read", decision: "allow", ..Decided::default() };
            runtime.block_on(audit.verdict(decided)).unwrap();
        }
        return audit.finish();
    }
    install_missing(&[("strace", "strace")]);
    let place = tempfile::tempdir().unwrap();
    let (folder, calls) = (place.path().join("audit"), place.path().join("calls"));
    let mut traced = Command::new("strace");
    traced.args(["-f", "-y", "-e", "trace=fdatasync,?link,?linkat,?rename,?renameat,?renameat2", "-o"]).arg(&calls);
    let story = "audit::a_head_is_on_the_disk_before_it_counts_and_no_command_waits_for_that";
    must(traced.arg(std::env::current_exe().unwrap()).args(["--exact", story]).env(FOLDER, &folder));
    is_whole(&folder);
    let text = fs::read_to_string(&calls).unwrap();
    let (mut synced, mut named) = (Vec::new(), 0);
    for call in text.lines() {
        // `.head.` and sixteen digits.
        let Some(draft) = call.split("/.head.").nth(1).and_then(|rest| rest.get(..16)) else { continue };
        if call.contains("fdatasync(") {
            synced.push(draft);
        } else {
            named += 1;
            assert!(synced.contains(&draft), "it has its name before the disk has it:\n{text}");
        }
    }
    // The first one, the last one, and one for each second between them.
    assert!((2..50).contains(&named), "{named} heads of 100 commands:\n{text}");
}
