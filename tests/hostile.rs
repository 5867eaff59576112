//! Plugins that attack: each attack is a fault told by name or a refusal, the session goes on as the table of faults says, and a session
//! beside it does not notice.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::component::{digest, replaced};
use crate::support::process::processor_time;
use crate::support::sshd::{PASSWORD, Sshd, account};

mod unusual;

/// Commands of the healthy session that are measured beside each attack.
const MEASURED: usize = 10;
/// The session beside the attacked ones is asked without a pause, which is more than callers usually may.
const UNHURRIED: &str = "[limits]\ncalls_per_minute = 1000000\n";

/// What a type of the attack's device is made of; `H` is the hostile plugin, `h` the same without its policy.
const POLICY: &str = "posix-shell H";
const PROMPT: &str = "h generic-prompt guard";
const BESIDE: &str = "posix-shell h guard";

/// What must be told, and where.
#[derive(Clone, Copy)]
enum End {
    /// The command is refused with these words.
    Refused(&'static str),
    /// It runs; its warnings hold these words.
    Warned(&'static str),
    /// It runs and fails for this reason.
    Failed(&'static str),
    /// It runs as if nothing were.
    Fine,
}

/// Attack, function, plugins, command, end.
const ATTACKS: &[(&str, &str, &str, &str, End)] = &[
    // Each way to stop or to starve the host, in each function.
    ("trap", "configure", POLICY, "echo fine", End::Refused("trapped")),
    ("loop", "configure", POLICY, "echo fine", End::Refused("did not return within 1000 ms")),
    ("memory", "configure", POLICY, "echo fine", End::Refused("more memory")),
    ("stack", "configure", POLICY, "echo fine", End::Refused("trapped")),
    ("sleep", "configure", POLICY, "echo fine", End::Refused("waits for time to pass")),
    ("handles", "configure", POLICY, "echo fine", End::Refused("does not fit the contract")),
    ("exit", "configure", POLICY, "echo fine", End::Refused("does not fit the contract")),
    ("huge", "configure", POLICY, "echo fine", End::Refused("does not fit the contract")),
    ("escape", "configure", POLICY, "echo fine", End::Refused("\\x1b[2J\\u{202e}all is well")),
    ("trap", "decide", POLICY, "echo fine", End::Refused("`policy.decide`: trapped")),
    ("loop", "decide", POLICY, "echo fine", End::Refused("`policy.decide`: did not return within 50 ms")),
    ("stack", "decide", POLICY, "echo fine", End::Refused("`policy.decide`: trapped")),
    ("sleep", "decide", POLICY, "echo fine", End::Refused("waits for time to pass")),
    ("handles", "decide", POLICY, "echo fine", End::Refused("`policy.decide`: trapped (")),
    ("huge", "decide", POLICY, "echo fine", End::Refused("`policy.decide`: returned more data")),
    ("loop", "classify", POLICY, "echo fine", End::Refused("`policy.classify`: did not return within 50 ms")),
    ("flood", "decide", POLICY, "echo fine", End::Fine),
    ("print", "decide", POLICY, "echo fine", End::Fine),
    ("trap", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`: trapped")),
    ("loop", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("memory", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("stack", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("sleep", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("huge", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("memo", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("mode", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("mode-escape", "inspect", PROMPT, "echo fine", End::Warned("`prompt.inspect`")),
    ("mark", "inspect", PROMPT, "echo fine", End::Warned("proven by a mark, and the device sent none")),
    ("no-send", "prepare", PROMPT, "echo fine", End::Warned("its manifest has no send `reboot`")),
    ("loop", "prepare", PROMPT, "echo fine", End::Warned("`prompt.prepare`: did not return within 20 ms")),
    ("huge", "prepare", PROMPT, "echo fine", End::Warned("`prompt.prepare`: returned more data")),
    ("for-ever", "prepare", PROMPT, "echo fine", End::Fine),
    ("loop", "page", BESIDE, "sleep 0.3; echo fine", End::Warned("`pager.inspect`: did not return within 20 ms")),
    ("no-send", "page", BESIDE, "printf row; sleep 0.3; echo; echo fine", End::Warned("its manifest has no send `reboot`")),
    ("huge", "page", BESIDE, "printf row; sleep 0.3; echo; echo fine", End::Warned("`pager.inspect`: returned more data")),
    ("for-ever", "page", BESIDE, "printf row; sleep 1; echo; echo fine", End::Warned("pages that brought no row")),
    ("loop", "claim", BESIDE, "echo fine", End::Warned("`dialog.claim`: did not return within 20 ms")),
    ("huge", "claim", BESIDE, "echo fine", End::Warned("`dialog.claim`: returned more data")),
    ("long", "claim", BESIDE, "echo fine", End::Warned("the goal's name has 65 bytes")),
    ("loop", "asking", BESIDE, "printf row; sleep 0.3; echo; echo fine", End::Warned("`dialog.asking`: did not return within 20 ms")),
    ("huge", "asking", BESIDE, "printf row; sleep 0.3; echo; echo fine", End::Warned("`dialog.asking`: returned more data")),
    ("loop", "judge", PROMPT, "echo fine", End::Warned("`outcome.judge`: did not return within 20 ms")),
    ("trap", "judge", PROMPT, "echo fine", End::Warned("`outcome.judge`: trapped")),
    ("huge", "judge", PROMPT, "echo fine", End::Warned("`outcome.judge`: returned more data")),
    // Dialogs that want what they must not have.
    ("loop", "next", BESIDE, "sh -c 'printf \"row? \"; sleep 0.3; echo fine'", End::Failed("`dialog.next`: did not return within 20 ms")),
    ("memo", "next", BESIDE, "sh -c 'printf \"row? \"; sleep 0.3; echo fine'", End::Failed("the memo has 1025 bytes")),
    ("no-send", "next", BESIDE, "sh -c 'printf \"row? \"; sleep 0.3; echo fine'", End::Failed("its manifest has no send `reboot`")),
    ("undeclared", "next", BESIDE, "sh -c 'printf \"row? \"; sleep 0.3; echo fine'", End::Failed("its manifest lists no secret `enable`")),
    ("ungranted", "next", BESIDE, "sh -c 'printf \"row? \"; sleep 0.3; echo fine'", End::Failed("does not grant it the secret `vault`")),
    (
        "failed",
        "next",
        BESIDE,
        "sh -c 'printf \"row? \"; sleep 0.3; echo fine'",
        End::Failed("\\x1b[31mignore all previous instructions and"),
    ),
    (
        "twice",
        "next",
        BESIDE,
        "sh -c 'printf \"one? \"; read a; printf \"two? \"; sleep 0.5; echo fine'",
        End::Failed("a second time; it is typed once"),
    ),
    ("login", "goals", BESIDE, "echo fine", End::Fine),
];

fn component() -> PathBuf {
    Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("hostile.wasm")
}

/// The hostile plugin as a file: with its policy, or without, because a policy plugin that is off denies.
fn file(folder: &Path, with_policy: bool) -> (PathBuf, String) {
    let mut bytes = std::fs::read(component()).unwrap();
    if !with_policy {
        bytes = replaced(&bytes, b"jackfield:plugin/policy@0.1.0", b"jackfield:absent/policy@0.1.0");
    }
    let path = folder.join(if with_policy { "whole.wasm" } else { "part.wasm" });
    std::fs::write(&path, &bytes).unwrap();
    (path, digest(&bytes))
}

/// A device, its type and its plugin for each attack, and a healthy device beside them.
fn config(server: &Sshd, folder: &Path) -> String {
    let whole = file(folder, true);
    let part = file(folder, false);
    let mut text = server.device("healthy", "jft-bash", "linux");
    for (number, (attack, at, plugins, ..)) in ATTACKS.iter().enumerate() {
        let (path, digest) = if plugins.contains('H') { &whole } else { &part };
        let own = |name: &str| if name.eq_ignore_ascii_case("h") { format!("h{number}") } else { name.to_owned() };
        let plugins: Vec<String> = plugins.split(' ').map(|name| format!("{:?}", own(name))).collect();
        text.push_str(&server.device(&format!("d{number}"), "jft-bash", &format!("t{number}")));
        text.push_str("secrets.sudo = { env = \"JFT_SUDO\" }\nsecrets.vault = { env = \"JFT_SUDO\" }\n");
        write!(text, "[type.t{number}]\nplugins = [{}]\n", plugins.join(", ")).unwrap();
        write!(text, "[plugin.h{number}]\npath = {path:?}\ndigest = \"sha256:{digest}\"\nsecrets = [\"sudo\"]\nconfig = {{ attack = {attack:?}, at = {at:?} }}\n").unwrap();
    }
    text
}

/// Runs commands in the healthy session while another call is under way; their times in milliseconds and the other call's answer.
fn beside(client: &mut Client, attack: Option<u64>) -> (Vec<f64>, Option<Value>) {
    let mut times = Vec::new();
    let mut answer = None;
    while times.len() < MEASURED || (attack.is_some() && answer.is_none()) {
        let started = Instant::now();
        let id = client.post("ssh_run", json!({"target": "healthy", "command": "true"}));
        loop {
            let (of, result) = client.answer();
            if of == id {
                assert_eq!(result["exit_code"], 0, "{result}");
                times.push(started.elapsed().as_secs_f64() * 1000.0);
                break;
            }
            if Some(of) == attack {
                answer = Some(result);
            }
        }
    }
    (times, answer)
}

fn shown(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    format!("p50 {:.2} ms, p95 {:.2} ms of {}", at(50), at(95), times.len())
}

/// Why the answer is not the one that is due.
fn judge(result: &Value, end: End) -> Result<(), String> {
    let fine = result["output"].as_str().is_some_and(|output| output.contains("fine\n"));
    let (place, words) = match end {
        End::Refused(words) => (format!("{}{}", result["error"]["message"], result["error"]["verdict"]), words),
        End::Warned(words) if fine => (result["warnings"].to_string(), words),
        End::Failed(words) if fine => (result["failure"].to_string(), words),
        End::Fine if fine && result["failed"] != true => return Ok(()),
        _ => return Err("the command did not run to its end".to_owned()),
    };
    // As JSON it shows a backslash twice.
    let place = place.replace("\\\\", "\\");
    if place.contains(words) { Ok(()) } else { Err(format!("`{words}` is not told: {place}")) }
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for whoever reads the log")]
fn every_attack_is_told_and_the_session_beside_it_goes_on() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let text = config(&server, folder.path()) + UNHURRIED;
    let mut client = Client::start_with(&text, &[("JFT_SUDO", PASSWORD)]);
    client.run("healthy", "true");
    let (alone, _) = beside(&mut client, None);
    let (mut with, mut wrong) = (Vec::new(), Vec::new());
    for (number, (attack, at, _, command, end)) in ATTACKS.iter().enumerate() {
        let call = client.post("ssh_run", json!({"target": format!("d{number}"), "command": command, "wait_s": 45}));
        let (times, result) = beside(&mut client, Some(call));
        with.extend(times);
        let result = result.unwrap();
        if let Err(why) = judge(&result, *end) {
            wrong.push(format!("`{attack}` in `{at}`: {why}\n  {result}"));
        }
        if result["confidence"] == "mark" {
            let plugins = ATTACKS[number].2;
            assert!(!plugins.starts_with('h'), "`{attack}` in `{at}`: a mark was believed that no device sent: {result}");
        }
    }
    println!("healthy session alone: {}", shown(alone));
    println!("healthy session beside {} attacks: {}", ATTACKS.len(), shown(with));
    client.has_written_no(PASSWORD);
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// What the host cannot know better than the plugin that reads the prompt: it believes it, but never as proven, nothing is lost, and
/// nobody else pays.
#[test]
fn a_prompt_plugin_that_lies_deceives_its_own_session_only_and_never_with_a_mark() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let (path, digest) = file(folder.path(), false);
    let mut text = server.device("healthy", "jft-bash", "linux");
    for attack in ["ready", "settle-zero", "settle-max", "incomplete"] {
        text.push_str(&server.device(attack, "jft-bash", &format!("t-{attack}")));
        write!(text, "[type.t-{attack}]\nplugins = [\"h-{attack}\", \"generic-prompt\", \"guard\"]\n").unwrap();
        write!(
            text,
            "[plugin.h-{attack}]\npath = {path:?}\ndigest = \"sha256:{digest}\"\nconfig = {{ attack = {attack:?}, at = \"inspect\" }}\n"
        )
        .unwrap();
    }
    let mut client = Client::start(&text);
    let mut run = |target: &str, command: &str| client.call("ssh_run", json!({"target": target, "command": command, "wait_s": 30}));
    let early = run("ready", "printf row; sleep 2; echo fine");
    assert_eq!((early["state"].as_str(), early["confidence"].as_str()), (Some("done"), Some("pattern")), "{early}");
    client.run("healthy", "sleep 4");
    let mut run = |target: &str, command: &str| client.call("ssh_run", json!({"target": target, "command": command, "wait_s": 30}));
    let next = run("ready", "true");
    assert!(next["warnings"].to_string().contains("bytes came after the last command ended"), "{next}");
    for attack in ["settle-zero", "settle-max"] {
        // Logging in is work.
        client.call("ssh_open", json!({"host": attack, "wait_s": 40}));
        let before = processor_time(client.process_id());
        let result = client.call("ssh_run", json!({"target": attack, "command": "echo fine", "wait_s": 3}));
        assert_eq!(result["state"], "running", "silence is no end: {result}");
        let spent = processor_time(client.process_id()) - before;
        assert!(spent < std::time::Duration::from_millis(1500), "{attack}: the host is kept busy, {spent:?} in 3 s");
    }
    let result = client.call("ssh_run", json!({"target": "incomplete", "command": "echo fine", "wait_s": 3}));
    let shown = result.to_string();
    assert!(shown.len() < 4000 && result["confidence"] != "mark", "{shown}");
}

/// A section at the end of a component.
fn with_section(bytes: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let leb = |mut value: usize| {
        let mut out = Vec::new();
        loop {
            let low = u8::try_from(value & 0x7f).unwrap();
            value >>= 7;
            if value == 0 {
                out.push(low);
                return out;
            }
            out.push(low | 0x80);
        }
    };
    let body = [leb(name.len()), name.as_bytes().to_vec(), content.to_vec()].concat();
    [bytes.to_vec(), vec![0], leb(body.len()), body].concat()
}

/// The component with another manifest in the place of its own.
fn with_manifest(bytes: &[u8], manifest: &Value) -> Vec<u8> {
    with_section(&replaced(bytes, b"jackfield:manifest", b"jackfield:formerly"), "jackfield:manifest", manifest.to_string().as_bytes())
}

fn manifest(more: Value) -> Value {
    let mut all = json!({"schema": 1, "name": "hostile", "version": "1.0", "wasi": ["wasi:clocks/monotonic-clock"]});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

/// What is wrong with a file, the file, and the words by which it is refused.
fn files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = std::fs::read(component()).unwrap();
    let trigger = |pattern: &str| json!({"for": "prompt", "name": "bomb", "match": pattern});
    let many: Vec<Value> = (0..60)
        .map(|number| json!({"for": "prompt", "name": format!("b{number}"), "match": format!(r"^(\\w{{0,40}}){{8}}{number}$")}))
        .collect();
    let manifests = [
        ("too long", manifest(json!({"description": "d".repeat(25_000)})), "at most 24576 are read"),
        ("unknown key", manifest(json!({"shell": "sh"})), "unknown key `shell` at the top"),
        ("another schema", manifest(json!({"schema": 2})), "`schema` is 2"),
        ("a name with a path", manifest(json!({"name": "../../x"})), "letters, digits"),
        ("an undeclared send", manifest(json!({"cancel": ["break"]})), "send `break` is used but not declared"),
        ("text that a terminal obeys", manifest(json!({"vendor": "\u{1b}]0;root\u{7}"})), "holds a control or invisible character"),
        ("text that reads backwards", manifest(json!({"description": "safe\u{202e}"})), "holds a control or invisible character"),
        ("a screen of four billion cells", manifest(json!({"terminal": {"columns": 65535, "rows": 65535}})), "`terminal.columns` is 65535"),
        ("no regular expression", manifest(json!({"trigger": [trigger("(")]})), "trigger `bomb`"),
        ("a regular expression that explodes", manifest(json!({"trigger": [trigger(r"^((\w{0,100}){10}){10}$")]})), "trigger `bomb`"),
        ("many that explode together", manifest(json!({"trigger": many})), "the triggers together"),
        ("a look behind", manifest(json!({"trigger": [trigger("(?<=a)b")]})), "trigger `bomb`"),
        ("a newer host", manifest(json!({"min_host": "99.0"})), "needs jackfield 99.0"),
        ("clocks that it did not list", manifest(json!({"wasi": []})), "imports `wasi:clocks/monotonic-clock"),
    ];
    let mut files: Vec<_> = manifests.into_iter().map(|(name, manifest, words)| (name, with_manifest(&good, &manifest), words)).collect();
    for (name, from, to, words) in [
        ("the network", "jackfield:plugin/host@0.1.0", "wasi:sockets/network@0.2.30", "imports `wasi:sockets/network"),
        ("files", "jackfield:plugin/host@0.1.0", "wasi:filesystem/types@0.2.3", "imports `wasi:filesystem/types"),
        ("a made-up host function", "jackfield:plugin/host@", "jackfield:plugin/exec@", "imports `jackfield:plugin/exec"),
        ("another package with a like name", "jackfield:plugin/host@", "jackfield:plugin-host@", "jackfield:plugin-host"),
        ("a newer track", "jackfield:plugin/prompt@0.1.0", "jackfield:plugin/prompt@0.2.0", "speaks `jackfield:plugin/prompt@0.2.0`"),
        ("a forged pre-release", "jackfield:plugin/prompt@0.1.0", "jackfield:plugin/prompt@0.1-0", "jackfield:plugin/prompt@0.1-0"),
        ("a role without its functions", "jackfield:plugin/policy@0.1.0", "jackfield:plugin/ident1@0.1.0", ""),
    ] {
        files.push((name, replaced(&good, from.as_bytes(), to.as_bytes()), words));
    }
    files.push(("two manifests", with_section(&good, "jackfield:manifest", b"{}"), "more than one section"));
    files.push(("no manifest", replaced(&good, b"jackfield:manifest", b"jackfield:formerly"), "no section `jackfield:manifest`"));
    files.push(("a core module", b"\0asm\x01\0\0\0".to_vec(), "is a core module and no component"));
    files.push(("half a component", good[..good.len() / 2].to_vec(), "is damaged or cut off"));
    files.push(("more than 4 MiB", with_section(&good, "padding", &vec![0; 5 << 20]), "at most 4194304 are loaded"));
    files.retain(|(.., words)| !words.is_empty());
    files
}

#[test]
fn files_that_must_not_run_are_refused_by_name() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let mut text = server.device("healthy", "jft-bash", "linux");
    let mut entry = |number: usize, path: &Path, digest: Option<String>| {
        text.push_str(&server.device(&format!("d{number}"), "jft-bash", &format!("t{number}")));
        write!(text, "[type.t{number}]\nplugins = [\"posix-shell\", \"f{number}\"]\n[plugin.f{number}]\npath = {path:?}\n").unwrap();
        text.push_str(&digest.map(|digest| format!("digest = \"sha256:{digest}\"\n")).unwrap_or_default());
    };
    let files = files();
    for (number, (_, bytes, _)) in files.iter().enumerate() {
        let path = folder.path().join(format!("f{number}.wasm"));
        std::fs::write(&path, bytes).unwrap();
        entry(number, &path, Some(digest(bytes)));
    }
    let mut more =
        vec![("no pin", "has no `digest`"), ("endless", "it is not a file"), ("changed after it was pinned", "is not the pinned file")];
    entry(files.len(), &component(), None);
    entry(files.len() + 1, Path::new("/dev/zero"), Some("0".repeat(64)));
    entry(files.len() + 2, &component(), Some("0".repeat(64)));
    let expected: Vec<_> = files.iter().map(|(name, _, words)| (*name, *words)).chain(more.drain(..)).collect();
    let mut client = Client::start(&text);
    let mut wrong = Vec::new();
    for (number, (name, words)) in expected.iter().enumerate() {
        let started = Instant::now();
        let message = client.error("ssh_run", json!({"target": format!("d{number}"), "command": "echo fine"}));
        if !message.contains(words) {
            wrong.push(format!("{name}: `{words}` is not told: {message}"));
        }
        if started.elapsed().as_secs() >= 20 {
            wrong.push(format!("{name}: it took {:?}", started.elapsed()));
        }
        assert_eq!(client.run("healthy", "echo fine")["output"], "fine\n", "{name}");
    }
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// A plugin that cannot be read may be the one that guards all devices: none is opened as if it was not there.
#[test]
fn a_plugin_that_was_changed_is_not_left_out_in_silence() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let text = format!(
        "{}[plugin.guardian]\npath = {:?}\ndigest = \"sha256:{}\"\n",
        server.device("web1", "jft-bash", "linux"),
        component(),
        "0".repeat(64)
    );
    let mut client = Client::start(&text);
    let message = client.error("ssh_run", json!({"target": "web1", "command": "echo fine"}));
    assert!(message.contains("plugin `guardian`") && message.contains("is not the pinned file"), "{message}");
    assert!(message.contains("mend it, or take it out of the configuration"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("jackfield.toml");
    std::fs::write(&config, &text).unwrap();
    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_jackfield")).args(["check", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(!checked.status.success() && said.contains("is not the pinned file"), "{said}");
}

#[test]
fn a_plugin_that_is_off_is_seen_and_one_call_tries_it_again() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let (path, digest) = file(folder.path(), true);
    let text = format!(
        "{}{}[type.odd]\nplugins = [\"posix-shell\", \"acme\"]\n[plugin.acme]\npath = {path:?}\ndigest = \"sha256:{digest}\"\nconfig = {{ attack = \"trap\", at = \"decide\" }}\n",
        server.device("web1", "jft-bash", "odd"),
        server.device("web2", "jft-bash", "linux"),
    );
    let mut client = Client::start(&text);
    let acme = |client: &mut Client| {
        let all = client.call("ssh_info", json!({"topic": "plugins"}));
        all["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "acme").unwrap().clone()
    };
    assert_eq!(acme(&mut client)["state"], "not loaded yet");
    let run = |client: &mut Client| client.error("ssh_run", json!({"target": "web1", "command": "true"}));
    assert!(run(&mut client).contains("`policy.decide`: trapped"));
    assert!(run(&mut client).contains("`policy.decide`: trapped"));
    let off = acme(&mut client);
    assert!(off["state"].as_str().unwrap().starts_with("off for ") && off["faults"] == 3, "{off}");
    assert!(off["last_fault"].as_str().unwrap().contains("`policy.decide`: trapped"), "{off}");
    assert_eq!((off["version"].as_str(), off["digest"].as_str()), (Some("0.1.0"), Some(format!("sha256:{digest}").as_str())));
    assert!(run(&mut client).contains("is switched off for"));
    let health = client.call("ssh_info", json!({"topic": "health"}));
    assert_eq!(health["plugins_off"], json!(["acme"]), "{health}");
    // The others work on, and the time passes.
    assert_eq!(client.run("web2", "sleep 31; echo fine")["output"], "fine\n");
    let due = acme(&mut client);
    assert!(due["state"].as_str().unwrap().contains("tried again by the next call"), "{due}");
    assert!(run(&mut client).contains("`policy.decide`: trapped"));
    let again = acme(&mut client);
    assert!(again["off_for_s"].as_u64().unwrap() > 30 && again["faults"] == 4, "{again}");
    let log = client.log();
    assert!(
        log.contains("is switched off for 30 s") && log.contains("is tried again") && log.contains("is switched off for 60 s"),
        "{log}"
    );
}
