//! Secrets from every source, typed by the runtime alone: in nothing that it writes or answers, and gone from its memory afterwards.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use jackfield::demo;
use jackfield::lab::{Description, Lab, Options};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::install_missing;
use crate::support::sshd::{PASSWORD, Sshd, account, sudoers};

fn jackfield() -> Command {
    Command::new(env!("CARGO_BIN_EXE_jackfield"))
}

/// Exit status and all that was printed, with this on standard input.
fn fed(command: &mut Command, input: &str) -> (bool, String) {
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = process.wait_with_output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr))
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn the_keyring_of_a_desktop_keeps_a_secret() {
    install_missing(&[("gnome-keyring-daemon", "gnome-keyring"), ("dbus-run-session", "dbus")]);
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("jackfield.toml");
    fs::write(
        &config,
        "[device.sw1]\ntype = \"cisco_ios\"\nsecrets.enable = { keyring = \"core\" }\nsecrets.none = { keyring = \"absent\" }\n",
    )
    .unwrap();
    // The value goes by standard input; each line of the script says how it ended.
    let script = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; \
        cat | $0 secret set core; echo set=$?; \
        $0 --config $1 secret test sw1 enable; echo test=$?; \
        $0 --config $1 secret test sw1 none; echo none=$?; \
        $0 --config $1 secret list; echo list=$?; \
        $0 --config $1 secret list --json; \
        grep -rlF 'value of 25 letters: abcd' $2; echo searched";
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", script, env!("CARGO_BIN_EXE_jackfield")]).arg(&config).arg(home.path());
    command.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path()).env_remove("XDG_DATA_HOME").env_remove("DISPLAY");
    let (_, text) = fed(&mut command, "value of 25 letters: abcd\n");
    for words in [
        "`core` is in the Secret Service",
        "set=0",
        "enable of sw1 from keyring core: 16 to 31 bytes",
        "test=0",
        "cannot read `absent` from the keyring: the Secret Service has no such entry",
        "none=1",
        "yes  sw1  enable  from keyring core",
        "list=1",
        "\"resolves\":true",
        "\"resolves\":false",
    ] {
        assert!(text.contains(words), "no `{words}` in: {text}");
    }
    assert!(!text.contains("letters: abcd") && text.contains("}\nsearched"), "{text}");
}

/// A shell that goes on behind Ctrl-C finds the terminal as it was.
#[test]
fn a_question_that_is_interrupted_leaves_the_terminal_as_it_was() {
    let (mut terminal, inside) = pty_process::blocking::open().unwrap();
    let script = "trap : INT; $0 secret set nobody; echo status=$?; stty -a; echo over";
    // What starts tests in the background has them ignore SIGINT.
    let shell = ["--default-signal=INT", "sh", "-c", script, env!("CARGO_BIN_EXE_jackfield")];
    let shell = pty_process::blocking::Command::new("env").args(shell);
    let mut process = shell.spawn(inside).unwrap();
    let (mut seen, mut piece, mut is_asked) = (String::new(), [0; 4096], false);
    // The terminal ends with its last program.
    while let Ok(count @ 1..) = terminal.read(&mut piece) {
        seen += &String::from_utf8_lossy(&piece[..count]);
        if !is_asked && seen.contains("Value of `nobody`: ") {
            is_asked = true;
            terminal.write_all(b"half\x03").unwrap();
        }
    }
    process.wait().unwrap();
    assert!(seen.contains("`: \r\nstatus=130\r\n") && !seen.contains("half"), "{seen}");
    let words: Vec<&str> = seen.split_whitespace().collect();
    assert!(["isig", "icanon", "echo", "over"].iter().all(|word| words.contains(word)), "{seen}");
}

#[test]
fn the_keyring_of_the_kernel_is_used_where_no_desktop_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("jackfield.toml");
    let name = format!("jft-{}", std::process::id());
    fs::write(&config, format!("[device.sw1]\ntype = \"cisco_ios\"\npassword = {{ keyring = \"{name}\" }}\n")).unwrap();
    let bare = || {
        let mut command = jackfield();
        command
            .arg("--config")
            .arg(&config)
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .env("XDG_RUNTIME_DIR", folder.path());
        command
    };
    let (stored, text) = fed(bare().args(["secret", "set", &name]), "kernel-value\n");
    if stored {
        assert!(text.contains("is in the kernel's keyring, which forgets it at a reboot"), "{text}");
        let (good, text) = fed(bare().args(["secret", "test", "sw1", "password"]), "");
        assert!(good && text.contains("8 to 15 bytes") && !text.contains("kernel-value"), "{text}");
    } else {
        // A container may keep the kernel's keyring from its programs: then both are named, and what each said.
        assert!(text.contains("there is no Secret Service: ") && text.contains("; the kernel's keyring: "), "{text}");
    }
    // What cannot be typed as one line is not stored.
    for wrong in ["", "two\nlines\n"] {
        let (good, text) = fed(bare().args(["secret", "set", &name]), wrong);
        assert!(!good && text.contains("standard input") && !text.contains("lines\n"), "{text}");
    }
}

#[test]
fn a_value_is_asked_for_on_a_terminal_without_echo() {
    install_missing(&[("script", "bsdutils")]);
    let folder = tempfile::tempdir().unwrap();
    // A terminal of its own, into which the value is typed.
    let line = format!("{} secret set jft-typed", env!("CARGO_BIN_EXE_jackfield"));
    let mut command = Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .env("XDG_RUNTIME_DIR", folder.path());
    let (_, text) = fed(&mut command, "typed-in-secret\n");
    assert!(text.contains("Value of `jft-typed`: "), "{text}");
    // `script` itself may show what was typed before the program turned the echo off, once; the program never repeats it.
    let behind = text.split("Value of `jft-typed`: ").nth(1).unwrap_or_default();
    assert!(!behind.contains("typed-in-secret"), "{text}");
}

#[test]
fn devices_and_secrets_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("jackfield.toml");
    let open = folder.path().join("open");
    private(&open, "x\n");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&config, "[device.sw1]\ntype = \"cisco_ios\"\nsecrets.enable = { file = \"open\" }\nsecrets.cred = { credential = \"c\" }\n")
        .unwrap();
    for (arguments, words) in [
        (["secret", "test", "sw2", "enable"], "there is no device `sw2`; did you mean `sw1`? `jackfield devices` lists them"),
        (["secret", "test", "printer", "enable"], "there is no device `printer`; `jackfield devices` lists them"),
        (["secret", "test", "sw1", "enabel"], "`sw1` has no secret `enabel`; it has: cred, enable"),
        (["secret", "test", "sw1", "enable"], "is open to other users (mode 644); run `chmod 600"),
        (["secret", "test", "sw1", "cred"], "`CREDENTIALS_DIRECTORY` is not set"),
    ] {
        let (good, text) = fed(jackfield().arg("--config").arg(&config).args(arguments).env_remove("CREDENTIALS_DIRECTORY"), "");
        assert!(!good && text.contains(words), "{text}");
    }
}

/// Where a value stands in a process's memory, by the name of the mapping. The environment that it was started with is not its own.
fn in_memory(process: u32, value: &str) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    for map in maps.lines() {
        let fields: Vec<&str> = map.split_whitespace().collect();
        let (range, rights, name) = (fields[0], fields[1], fields.get(5).copied().unwrap_or("heap or stack of a thread"));
        if !rights.starts_with("rw") || name == "[stack]" {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        // A page that cannot be read holds nothing of the program's.
        if memory.seek(SeekFrom::Start(start)).is_err() || memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        let count = memchr_count(&bytes, value.as_bytes());
        if count > 0 {
            found.push(format!("{count} in {name} {range}"));
        }
    }
    found
}

fn memchr_count(bytes: &[u8], value: &[u8]) -> usize {
    bytes.windows(value.len()).filter(|part| *part == value).count()
}

/// Everything that was answered.
struct Talk {
    client: Client,
    replies: String,
}

impl Talk {
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.client.request("tools/call", &json!({"name": tool, "arguments": arguments}));
        self.replies.push_str(&answer.to_string());
        answer["result"]["structuredContent"].clone()
    }

    fn run(&mut self, target: &str, command: &str) -> Value {
        self.call("ssh_run", json!({"target": target, "command": command, "wait_s": 40}))
    }
}

fn switch() -> Description {
    let (name, text) = jackfield::plugin::catalog::LAB_DEVICES.iter().find(|(_, text)| text.contains("name = \"switch1\"")).unwrap();
    Description::parse(name, text).unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "memory is looked at after the tasks of closed sessions have ended")]
fn a_secret_of_every_kind_is_in_nothing_that_is_written_or_said_and_then_gone() {
    const SUDO: &str = PASSWORD;
    const ENV: &str = "from-environment-8421";
    const COMMAND: &str = "from-command-9173";
    const FILE: &str = "from-file-5526";
    const CREDENTIAL: &str = "from-credential-6604";
    const PASSPHRASE: &str = "opens the key 3391";
    account("jft-secret", Path::new("/bin/bash"));
    sudoers("jft-secret", "jft-secret ALL=(ALL) ALL\nDefaults:jft-secret timestamp_timeout=0\n");
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, value) in [("password", PASSWORD), ("file", FILE), ("printed", COMMAND), ("cred", CREDENTIAL), ("phrase", PASSPHRASE)] {
        private(&path(name), &format!("{value}\n"));
    }
    // A key that a passphrase opens, for the same account.
    let locked = server.folder.path().join("locked");
    fs::copy(server.folder.path().join("id"), &locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o600)).unwrap();
    let changed = Command::new("ssh-keygen").args(["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f"]).arg(&locked).status().unwrap();
    assert!(changed.success());
    // And a switch of the lab.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lab = runtime.block_on(async { Lab::start(vec![switch()], Options::default()).unwrap() });
    let written = path("lab.toml");
    demo::write_config(&lab, &written).unwrap();
    let enable = fs::read_to_string(path("lab-switch1-enable")).unwrap();
    let login = fs::read_to_string(path("lab-switch1-password")).unwrap();

    let by_key = server.device("web1", "jft-secret", "linux");
    let by_password: String = server
        .device("web2", "jft-secret", "linux")
        .lines()
        .filter(|line| !line.starts_with("key ="))
        .map(|line| format!("{line}\n"))
        .collect();
    let by_locked_key = server.device("web3", "jft-secret", "linux").replace("/id\"", "/locked\"");
    let config = format!(
        "{by_key}secrets.sudo = {{ file = \"{0}/password\" }}\nsecrets.env = {{ env = \"JFT_ENV\" }}\nsecrets.command = {{ command = \"cat {0}/printed\" }}\n\
         secrets.file = {{ file = \"{0}/file\" }}\nsecrets.cred = {{ credential = \"cred\" }}\n\
         {by_password}password = {{ file = \"{0}/password\" }}\n\
         {by_locked_key}secrets.key-passphrase = {{ file = \"{0}/phrase\" }}\n{1}",
        folder.path().display(),
        fs::read_to_string(&written).unwrap()
    );
    let variables = [("JFT_ENV", ENV), ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    let mut talk = Talk { client: Client::start_with(&config, &variables), replies: String::new() };
    // Each is typed, and the device got exactly it.
    assert_eq!(talk.run("web1", "sudo id -un")["output"], "root\n");
    for (name, value) in [("env", ENV), ("command", COMMAND), ("file", FILE), ("cred", CREDENTIAL)] {
        let asked =
            talk.run("web1", "read -rs -p 'Password: ' word; echo; printf %s \"$word\" | sha256sum | cut -c1-16; printf '%s\\n' \"$word\"");
        assert_eq!(asked["ask_kind"], "password", "{asked}");
        let sent = talk.call("ssh_send", json!({"session": "web1", "secret": name, "wait_s": 40, "expect": "^.secret:"}));
        let output = sent["output"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned();
        // What the device repeats is shown by its name.
        assert!(output.contains(&sha(value)) && output.contains(&format!("[secret:{name}]")), "{sent}");
    }
    for target in ["web2", "web3"] {
        assert_eq!(talk.run(target, "echo in")["output"], "in\n", "{target}");
    }
    assert_eq!(talk.run("switch1", "enable")["mode"], "privileged");
    // A device that only asks in their words gets nothing, neither for a password nor for sudo's: two seconds later nothing was typed.
    for fake in ["Password: ", "[sudo] password for jft-secret: "] {
        let asked = talk.run("web1", &format!("read -rs -t 2 -p '{fake}' word; echo; echo \"got ${{#word}}\""));
        std::thread::sleep(std::time::Duration::from_millis(2500));
        let ended = talk.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 40}));
        assert_eq!(
            (ended["state"].as_str(), ended["output"].as_str()),
            (Some("done"), Some(format!("{fake}\ngot 0\n").as_str())),
            "{ended}"
        );
    }
    // What a caller types himself is kept by its name.
    talk.run("web1", &format!("true {FILE}"));
    for (tool, arguments) in [
        ("ssh_screen", json!({"session": "web1"})),
        ("ssh_output", json!({"session": "web1", "offset": 0, "max_chars": 1_000_000})),
        ("ssh_history", json!({})),
        ("ssh_sessions", json!({})),
        ("ssh_info", json!({"topic": "health"})),
    ] {
        talk.call(tool, arguments);
    }
    let raw = talk.call("ssh_output", json!({"session": "web1", "offset": 0, "format": "base64", "max_chars": 1_000_000}));
    talk.replies.push_str(&decoded(raw["output"].as_str().unwrap()));
    // A recording of the same, by the command line.
    let recording = path("session.rec");
    let recorded = jackfield()
        .args(["--config"])
        .arg(talk.client.folder().join("jackfield.toml"))
        .args(["record", "web1", "sudo id -un", &format!("true {SUDO}"), "exit", "--out"])
        .arg(&recording)
        .env("XDG_STATE_HOME", path("record-state"))
        .envs(variables)
        .status()
        .unwrap();
    assert!(recorded.success());

    let values = [SUDO, ENV, COMMAND, FILE, CREDENTIAL, PASSPHRASE, enable.trim(), login.trim()];
    for session in ["web1", "web2", "web3", "switch1"] {
        let closed = talk.call("ssh_close", json!({"session": session}));
        assert_eq!(closed["closed"], true, "{closed}");
    }
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let recording = fs::read_to_string(&recording).unwrap();
    assert!(recording.contains("! run true [secret:sudo]\n"), "{recording}");
    assert!(recording.contains("* sudo ") && !recording.contains("settings guard "), "{recording}");
    for value in values {
        assert!(!talk.replies.contains(value), "`{value}` was answered");
        talk.client.has_written_no(value);
        assert!(!recording.contains(value) && !contains(&path("record-state"), value), "`{value}` is in a recording");
    }
    assert!(talk.replies.contains("true [secret:file]"), "the history names it");
    // That one the caller has said himself: his words went through the protocol and the policy plugins, and no wiping reaches those.
    let left: Vec<String> = values
        .iter()
        .filter(|value| **value != FILE)
        .map(|value| (value, in_memory(talk.client.process_id(), value)))
        .filter(|(_, places)| !places.is_empty())
        .map(|(value, places)| format!("{value}: {}", places.join(", ")))
        .collect();
    assert!(left.is_empty(), "in the memory of the process after its sessions were closed:\n{}", left.join("\n"));
}

#[test]
fn a_sudo_that_reads_its_password_elsewhere_is_typed_nothing() {
    let home = account("jft-stdin", Path::new("/bin/bash"));
    sudoers("jft-stdin", "jft-stdin ALL=(ALL) ALL\nDefaults:jft-stdin timestamp_timeout=0\n");
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("sudo");
    private(&source, &format!("{PASSWORD}\n"));
    fs::write(home.join("pw.txt"), format!("{PASSWORD}\n")).unwrap();
    let mut client =
        Client::start(&format!("{}secrets.sudo = {{ file = \"{}\" }}\n", server.device("web1", "jft-stdin", "linux"), source.display()));
    for line in [
        "sudo -k; echo bad | sudo -S id",
        "PW=; echo \"$PW\" | sudo -S true && sudo id",
        "read -r P < pw.txt; echo $P | sudo -S sleep 1",
        "cat pw.txt | sudo -S sleep 1",
        "sudo -S id -u < pw.txt; sudo -k",
    ] {
        let ran = client.run("web1", line);
        assert_eq!((ran["state"].as_str(), &ran["ask_kind"]), (Some("done"), &Value::Null), "{line}: {ran}");
        assert!(!ran.to_string().contains("[secret:sudo]"), "{line}: {ran}");
    }
    // One that reads the terminal is answered as ever; what was typed stands in no history.
    assert_eq!(client.run("web1", "sudo -k; sudo id -un")["output"], "root\n");
    let history = client.run("web1", "history; history -a; cat ~/.bash_history");
    assert!(!history.to_string().contains("secret:sudo"), "{history}");
    assert!(!fs::read_to_string(home.join(".bash_history")).unwrap_or_default().contains(PASSWORD));
}

fn contains(folder: &Path, value: &str) -> bool {
    Command::new("grep").arg("-rqF").arg(value).arg(folder).status().unwrap().success()
}

fn sha(value: &str) -> String {
    let (_, text) = fed(&mut Command::new("sha256sum"), value);
    text.chars().take(16).collect()
}

fn decoded(base64: &str) -> String {
    let (_, text) = fed(Command::new("base64").arg("-d"), base64);
    text
}
