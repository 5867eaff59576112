//! Sessions that outlive their clients: the daemon, the way to it, and people beside agents.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Instant;

use jackfield::daemon::hello::PROTOCOL;
use jackfield::limits::DAEMON_END_MAX;
use serde_json::{Value, json};

use crate::support::client::{Client, state};
use crate::support::install_missing;
use crate::support::process::{children, until};

pub(crate) mod login;
mod model;
mod people;
mod terminal;

/// A configuration with this machine as its only device.
const HERE: &str = "[device.here]\nlocal = true\ntype = \"linux\"\n[policy]\nmode = \"full\"\n";

/// A state folder with a configuration; what runs in it ends with it.
pub(crate) struct House {
    pub(crate) state: Arc<tempfile::TempDir>,
    pub(crate) config: PathBuf,
}

impl House {
    pub(crate) fn new(config: &str) -> Self {
        // What looks for processes and ends them.
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| install_missing(&[("pgrep", "procps")]));
        let state = state();
        let file = state.path().join("jackfield.toml");
        std::fs::write(&file, config).unwrap();
        Self { state, config: file }
    }

    /// A command of the program, as a person runs it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        command.args(arguments);
        self.as_here(command)
    }

    /// A command with the configuration, the state and the account of this house.
    pub(crate) fn as_here(&self, mut command: Command) -> Command {
        command.env("JACKFIELD_CONFIG", &self.config).env("XDG_STATE_HOME", self.state.path());
        // The shell is the account's, whoever runs the tests.
        command.env("USER", "anna").env_remove("SHELL").env("JACKFIELD_LOG", "debug").stdin(Stdio::null());
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, when all is well.
    pub(crate) fn said(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of.
    pub(crate) fn complaint(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(!output.status.success(), "{arguments:?} went well: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    /// A client by way of the daemon.
    pub(crate) fn client(&self, name: &str) -> Client {
        Client::called(&mut self.relay(), Arc::clone(&self.state), name)
    }

    /// A client of a process of its own.
    pub(crate) fn alone(&self, name: &str) -> Client {
        let mut command = self.command(&["mcp", "--in-process"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Client::called(&mut command, Arc::clone(&self.state), name)
    }

    pub(crate) fn relay(&self) -> Command {
        let mut command = self.command(&["mcp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    pub(crate) fn status(&self) -> Vec<Value> {
        let status: Value = serde_json::from_str(&self.said(&["status", "--json"])).unwrap();
        status["servers"].as_array().unwrap().clone()
    }

    /// The daemon's process.
    pub(crate) fn daemon(&self) -> u32 {
        let servers = self.status();
        let [server] = servers.as_slice() else { panic!("not one server: {servers:?}") };
        u32::try_from(server["process"].as_u64().unwrap()).unwrap()
    }

    pub(crate) fn sessions(&self) -> Vec<Value> {
        let listed: Value = serde_json::from_str(&self.said(&["ps", "--json"])).unwrap();
        listed["sessions"].as_array().unwrap().clone()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.output(&["stop", "--all", "--now"]);
    }
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

#[test]
fn a_client_that_is_killed_leaves_its_command_running_and_the_next_reads_all_of_it() {
    let house = House::new(HERE);
    let mut first = house.client("first");
    first.run("here", "cd /tmp");
    first.post("ssh_run", json!({"target": "here", "command": "seq 1 3; sleep 8; seq 4 2000", "wait_s": 30}));
    until("the command runs", || house.sessions().first().is_some_and(|session| session["running"]["text"].is_string()));
    first.kill();
    let mut second = house.client("second");
    let entry = second.call("ssh_history", json!({"limit": 1}))["entries"][0].clone();
    let id = entry["command_id"].as_str().unwrap().to_owned();
    let done = second.call("ssh_output", json!({"command_id": id, "wait_s": 40, "max_chars": 50_000}));
    let wanted: String = (1..=2000).map(|number| format!("{number}\n")).collect();
    assert_eq!((done["state"].as_str(), done["exit_code"].as_i64()), (Some("done"), Some(0)));
    assert_eq!(done["output"], wanted);
    assert_eq!(second.run("here", "pwd")["output"], "/tmp\n", "the session is the same");
}

#[test]
fn a_client_that_is_closed_leaves_its_command_running() {
    let house = House::new(HERE);
    let mut first = house.client("first");
    first.run("here", "true");
    // Longer than what is on its way is waited for when a client closes.
    first.post("ssh_run", json!({"target": "here", "command": "sleep 9; echo to the end", "wait_s": 30}));
    until("the command runs", || house.sessions().first().is_some_and(|session| session["running"]["text"].is_string()));
    drop(first);
    let mut second = house.client("second");
    let id = second.call("ssh_history", json!({"limit": 1}))["entries"][0]["command_id"].clone();
    let done = second.call("ssh_output", json!({"command_id": id, "wait_s": 40}));
    assert_eq!((done["state"].as_str(), done["output"].as_str()), (Some("done"), Some("to the end\n")), "{done}");
}

#[test]
fn a_daemon_that_is_killed_is_replaced_and_the_next_call_says_what_was_lost() {
    let house = House::new(&format!("{HERE}[audit]\nrecordings = true\n"));
    let mut client = house.client("test");
    client.run("here", "cd /tmp; echo before the cut");
    let daemon = house.daemon();
    until("the ledger has the session", || {
        let run = house.state.path().join("jackfield/run");
        std::fs::read_dir(run).unwrap().flatten().any(|entry| {
            entry.path().extension().is_some_and(|ending| ending == "sessions")
                && std::fs::read_to_string(entry.path()).unwrap().contains("here")
        })
    });
    let posted = client.post("ssh_run", json!({"target": "here", "command": "sleep 61", "wait_s": 30}));
    until("the command runs", || house.sessions().first().is_some_and(|session| session["running"]["text"] == "sleep 61"));
    // Recordings are written in short turns.
    until("it is recorded", || recordings(&house).first().is_some_and(|first| first.contains("sleep 61")));
    kill(daemon);
    let answer = client.next();
    assert_eq!(answer["id"], posted);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("has ended: ") && message.contains("held here"), "{message}");
    let next = client.run("here", "pwd");
    assert_ne!(next["output"], "/tmp\n", "another session");
    let lost = next["lost"].as_str().unwrap();
    assert!(lost.contains("held here ended without saying goodbye") && lost.contains("`sleep 61` ran there"), "{lost}");
    assert!(client.run("here", "pwd")["lost"].is_null(), "it is told once");
    assert_ne!(house.daemon(), daemon);
    let shown = recordings(&house);
    let first = shown.first().unwrap();
    assert!(first.contains("before the cut") && first.contains("sleep 61"), "{first}");
}

#[test]
fn a_daemon_whose_folder_was_removed_leaves_the_next_one_alone() {
    let house = House::new(HERE);
    house.said(&["open", "here"]);
    let first = house.daemon();
    until("the folder is gone", || std::fs::remove_dir_all(house.state.path().join("jackfield")).is_ok());
    house.said(&["open", "here"]);
    let second = house.daemon();
    assert_ne!(second, first);
    assert!(Command::new("kill").arg(first.to_string()).status().unwrap().success());
    until("the first one has ended", || jackfield::startup::has_ended(first));
    assert_eq!(house.daemon(), second);
}

#[test]
fn a_call_is_told_lost_also_where_another_one_with_its_id_was_refused() {
    let house = House::new(HERE);
    let mut client = house.client("test");
    client.run("here", "true");
    let posted = client.post("ssh_run", json!({"target": "here", "command": "sleep 62", "wait_s": 40}));
    until("the command runs", || house.sessions().first().is_some_and(|session| session["running"]["text"] == "sleep 62"));
    client.write(&json!({"jsonrpc": "2.0", "id": posted, "method": "ping"}));
    let mut answer = || loop {
        let message = client.next();
        if message["id"] == posted {
            break message["error"]["message"].as_str().unwrap().to_owned();
        }
    };
    assert!(answer().contains("is in flight and goes on"));
    kill(house.daemon());
    assert!(answer().contains("has ended: "));
}

/// The recordings, the oldest first; each line of them is whole.
fn recordings(house: &House) -> Vec<String> {
    let folder = house.state.path().join("jackfield/recordings");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    texts
        .inspect(|text| {
            let whole: Vec<&str> = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
            assert!(!whole.is_empty());
            for line in whole {
                serde_json::from_str::<Value>(line).unwrap();
            }
        })
        .collect()
}

#[test]
fn a_hundred_clients_that_start_at_once_get_one_daemon() {
    let house = House::new(HERE);
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "crowd", "version": "1"}}});
    let mut clients: Vec<_> = (0..100).map(|_| house.relay().spawn().unwrap()).collect();
    for client in &mut clients {
        writeln!(client.stdin.as_mut().unwrap(), "{hello}").unwrap();
    }
    let outputs: Vec<Output> = clients.into_iter().map(|client| client.wait_with_output().unwrap()).collect();
    for output in &outputs {
        assert!(output.status.success());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["result"]["serverInfo"]["name"], "jackfield");
    }
    house.daemon();
    let daemons = Command::new("pgrep").args(["-f", "--", &format!("--config {} daemon", house.config.display())]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&daemons.stdout).lines().count(), 1);
}

#[test]
fn a_daemon_of_another_version_is_named_with_the_way_out() {
    let house = House::new(HERE);
    house.said(&["open", "here"]);
    let run = house.state.path().join("jackfield/run");
    let socket = std::fs::read_dir(&run).unwrap().flatten().map(|entry| entry.path());
    let socket = socket.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "sock")).unwrap();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o700);
    house.said(&["stop", "--now"]);
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let other = std::thread::spawn(move || {
        // Some look whether anybody listens before they ask.
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut reader = std::io::BufReader::new(&stream);
            if std::io::BufRead::read_line(&mut reader, &mut line).is_ok_and(|count| count > 0) {
                writeln!(&stream, "{}", json!({"jackfield": "9.9.9", "protocol": 9, "process": 1})).unwrap();
                return;
            }
        }
    });
    let why = house.complaint(&["mcp"]);
    assert!(why.contains("version 9.9.9 and speaks protocol 9") && why.contains("`kill 1` ends it"), "{why}");
    other.join().unwrap();
    std::fs::remove_file(socket).unwrap();
}

/// It can be asked nothing, and is not passed over.
#[test]
fn a_daemon_of_another_version_is_told_of_and_ended() {
    let house = House::new(HERE);
    install_missing(&[("python3", "python3")]);
    house.said(&["open", "here"]);
    let run = house.state.path().join("jackfield/run");
    let socket = std::fs::read_dir(&run).unwrap().flatten().map(|entry| entry.path());
    let socket = socket.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "sock")).unwrap();
    house.said(&["stop", "--now"]);
    let answers = [
        "import socket, sys",
        "s = socket.socket(socket.AF_UNIX)",
        "s.bind(sys.argv[1])",
        "s.listen()",
        "while True:",
        "    c = s.accept()[0]",
        r#"    if c.makefile().readline(): c.sendall(b'{"jackfield": "9.9.9", "protocol": 9, "process": 1}\n')"#,
    ];
    let mut other = Command::new("python3").args(["-c", &answers.join("\n")]).arg(&socket).spawn().unwrap();
    let process = other.id();
    // Its process has gone once somebody has taken its status.
    let ended = std::thread::spawn(move || other.wait().unwrap());
    until("it listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    for looks in ["ps", "status", "approve", "answer"] {
        let listed = String::from_utf8(house.output(&[looks]).stderr).unwrap();
        assert!(listed.contains("cannot be asked: ") && listed.contains("version 9.9.9"), "{looks}: {listed}");
    }
    for (looks, none) in [("ps", "no other session is open; "), ("status", "no other jackfield runs that holds sessions; ")] {
        let said = house.said(&[looks]);
        assert!(said.starts_with(none), "{said}");
    }
    for arguments in [["panic"].as_slice(), &["panic", "--end"]] {
        let why = house.complaint(arguments);
        assert!(why.contains("a process does not hear it") && why.contains("version 9.9.9"), "{why}");
    }
    let why = house.complaint(&["restart"]);
    assert!(why.contains(&format!("process {process} is version 9.9.9")) && why.contains("`--now` ends it"), "{why}");
    let said = house.said(&["restart", "--now"]);
    assert!(said.contains(&format!("process {process}, version 9.9.9, has ended")), "{said}");
    ended.join().unwrap();
    assert_ne!(house.daemon(), process);
}

/// One that goes in that moment, or is broken.
#[test]
fn a_process_that_says_nothing_keeps_nobody_from_the_others() {
    let house = House::new(HERE);
    house.said(&["open", "here"]);
    // Before the daemon in every list.
    let socket = house.state.path().join("jackfield/run/daemon--broken.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            // Some look whether anybody listens before they ask.
            if std::io::BufRead::read_line(&mut std::io::BufReader::new(&stream), &mut line).is_ok_and(|count| count > 0) {
                let greeting = json!({"jackfield": "0", "protocol": PROTOCOL, "process": 1});
                let welcome = json!({"is": "welcome", "you": "anna", "may_type": true, "version": "0"});
                // Who asks may have gone.
                let _ = (&stream).write_all(format!("{greeting}\n{welcome}\n").as_bytes());
            }
        }
    });
    let printed = |arguments: &[&str]| {
        let done = house.output(arguments);
        (done.status.success(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    };
    let (well, told) = printed(&["ps"]);
    assert!(well && told.contains("here ") && told.contains("cannot be asked: "), "{told}");
    let (well, told) = printed(&["stop", "--all", "--now"]);
    assert!(!well && told.contains("has ended; closed: here"), "{told}");
    std::fs::remove_file(socket).unwrap();
}

/// Nobody has asked for more than it says by itself.
#[test]
fn the_log_of_a_daemon_says_when_and_why_it_ended() {
    let house = House::new(HERE);
    assert!(house.command(&["open", "here"]).env_remove("JACKFIELD_LOG").status().unwrap().success());
    let status = house.said(&["status"]);
    let log = status.lines().find_map(|line| line.strip_prefix("log: ")).unwrap().to_owned();
    house.said(&["stop", "--now"]);
    let log = std::fs::read_to_string(log).unwrap();
    let (time, line) = log.lines().last().unwrap().split_once(' ').unwrap();
    assert_eq!(line, "jackfield: warn: the daemon ends: somebody asked it to");
    assert!(jackfield::instant::parse(time, 0).is_some(), "{log}");
}

#[test]
fn a_wrong_configuration_is_told_to_who_starts_the_daemon() {
    let house = House::new("[device.x]\nhots = \"10.0.0.1\"\n");
    for arguments in [&["mcp"][..], &["open", "x"], &["viewer", "--print"]] {
        let why = house.complaint(arguments);
        assert!(why.contains("hots") && why.contains("host"), "{why}");
        assert_eq!(why.matches("jackfield: ").count(), 1, "{why}");
    }
    assert!(house.status().is_empty());
}

#[test]
fn a_device_that_the_daemon_has_not_read_yet_is_told_apart_from_one_that_is_nowhere() {
    let house = House::new(HERE);
    let mut client = house.client("agent");
    let there = "[device.there]\nlocal = true\ntype = \"linux\"\n";
    std::fs::write(&house.config, format!("{HERE}{there}")).unwrap();
    let way = "was added to the configuration after it was read; `jackfield plugin reload` has it read again";
    for why in [client.error("ssh_open", json!({"host": "there"})), client.error("ssh_run", json!({"target": "there", "command": "true"}))]
    {
        assert!(why.contains(way), "{why}");
    }
    for arguments in [&["open", "there"][..], &["run", "there", "--", "true"]] {
        let why = house.complaint(arguments);
        assert!(why.contains(way), "{why}");
    }
    let why = house.complaint(&["run", "nowhere", "--", "true"]);
    assert!(why.contains("there is no device `nowhere`") && !why.contains("reload"), "{why}");
    std::fs::write(&house.config, format!("{HERE}{there}prt = 22\n")).unwrap();
    let why = house.complaint(&["run", "there", "--", "true"]);
    assert!(why.contains("has errors") && why.contains("`jackfield check`"), "{why}");
    std::fs::write(&house.config, format!("{HERE}{there}")).unwrap();
    house.said(&["plugin", "reload"]);
    assert_eq!(house.said(&["run", "there", "--", "echo", "yes"]), "yes\n");
}

#[test]
fn a_client_gives_the_daemon_its_own_values_of_variables() {
    const VALUE: &str = "given-by-a-client-7";
    let house =
        House::new("[device.here]\nlocal = true\ntype = \"linux\"\nsecrets.own = { env = \"JFT_GIVEN\" }\n[policy]\nmode = \"full\"\n");
    // Started by somebody who does not have the variable.
    house.said(&["open", "here"]);
    let ask =
        json!({"target": "here", "command": format!("read -rsp 'Password: ' x; echo; [ \"$x\" = {VALUE:?} ] && echo right"), "wait_s": 60});
    let mut without = house.client("without");
    let asked = without.call("ssh_run", ask.clone());
    assert_eq!(asked["state"], "needs_input", "{asked}");
    without.call("ssh_send", json!({"session": "here", "secret": "own"}));
    assert_eq!(without.call("ssh_screen", json!({"session": "here"}))["ok"], true);
    without.call("ssh_interrupt", json!({"session": "here"}));
    let mut command = house.relay();
    command.env("JFT_GIVEN", VALUE);
    let mut with = Client::called(&mut command, Arc::clone(&house.state), "with");
    let asked = with.call("ssh_run", ask);
    assert_eq!(asked["state"], "needs_input", "{asked}");
    with.call("ssh_send", json!({"session": "here", "secret": "own"}));
    let done = with.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 60}));
    assert!(done["output"].as_str().unwrap().contains("right"), "{done}");
}

#[test]
fn a_person_gives_the_daemon_their_own_values_of_variables() {
    let far = "[device.far]\nhost = \"127.0.0.1\"\nport = 1\nuser = \"ops\"\ntype = \"linux\"\n";
    let house = House::new(&format!("{far}password = {{ env = \"JFT_BROUGHT\" }}\n"));
    // Started by somebody who does not have the variable.
    let why = house.complaint(&["open", "far"]);
    assert!(why.contains("environment variable `JFT_BROUGHT` is not set"), "{why}");
    for arguments in [&["open", "far"][..], &["run", "far", "--", "true"]] {
        let tried = house.command(arguments).env("JFT_BROUGHT", "a-value-of-my-own").output().unwrap();
        let why = String::from_utf8(tried.stderr).unwrap();
        assert!(why.contains("cannot reach `far`"), "{arguments:?}: {why}");
    }
}

#[test]
fn a_restart_that_waits_for_commands_waits_for_rollouts_too() {
    let house = House::new(&format!("{HERE}[device.there]\nlocal = true\ntype = \"linux\"\n"));
    let mut client = house.client("test");
    client.post("ssh_fleet", json!({"targets": ["here", "there"], "command": "sleep 8", "wait_s": 40}));
    until("the command runs", || house.sessions().first().is_some_and(|session| session["running"]["text"].is_string()));
    let said = house.said(&["restart", "--drain"]);
    assert!(said.contains("waiting for here, rollout c"), "{said}");
    let (_, told) = client.answer();
    assert_eq!((&told["state"], &told["done"]), (&json!("done"), &json!(2)), "{told}");
}

#[test]
fn stop_and_restart_say_what_would_be_lost() {
    let house = House::new(HERE);
    assert_eq!(house.said(&["stop"]), "no daemon runs for this configuration\n");
    assert_eq!(house.said(&["stop", "--all"]), "no jackfield runs that holds sessions\n");
    house.said(&["open", "here"]);
    let why = house.complaint(&["stop"]);
    assert!(why.contains("holds here: they would be lost") && why.contains("`jackfield restart --drain` waits"), "{why}");
    let before = house.daemon();
    let mut client = house.client("test");
    client.post("ssh_run", json!({"target": "here", "command": "sleep 10; echo drained", "wait_s": 40}));
    until("the command runs", || house.sessions().first().is_some_and(|session| session["running"]["text"].is_string()));
    let shell = children(before);
    assert!(!shell.is_empty());
    let said = house.said(&["restart", "--drain"]);
    assert!(said.contains("waiting for here") && said.contains("closed: here"), "{said}");
    assert_eq!(client.answer().1["output"], "drained\n");
    assert_ne!(house.daemon(), before);
    until("its shells have gone", || shell.iter().all(|process| !PathBuf::from(format!("/proc/{process}")).exists()));
    // The client goes on with the new one.
    assert_eq!(client.run("here", "echo on")["output"], "on\n");
    let started = Instant::now();
    house.said(&["stop", "--now"]);
    assert!(started.elapsed() < DAEMON_END_MAX);
}
