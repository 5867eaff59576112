//! Who may write what the program obeys, what callers may know of a device, and what the configuration may look like.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::packages::{must, python};
use crate::support::sshd::{Sshd, account};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Exit status and all that was printed.
fn ran(command: &mut Command) -> (bool, String) {
    let done = command.output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr))
}

fn jackfield() -> Command {
    Command::new(env!("CARGO_BIN_EXE_jackfield"))
}

#[test]
fn what_others_may_write_is_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let config = path("jackfield.toml");
    let check = || ran(jackfield().args(["check", "--config"]).arg(&config));
    fs::write(&config, "[device.web1]\ntype = \"linux\"\n").unwrap();
    assert!(check().0, "{}", check().1);
    mode(&config, 0o666);
    let (good, text) = check();
    assert!(!good && text.contains("(mode 666)") && text.contains("chmod go-w"), "{text}");
    mode(&config, 0o600);
    mode(folder.path(), 0o777);
    let (good, text) = check();
    assert!(!good && text.contains("the folder") && text.contains("(mode 777)"), "{text}");
    mode(folder.path(), 0o700);
    // A plugin, and the table of a device type.
    let plugin = format!(
        "{}[plugin.a]\npath = \"a.wasm\"\ndigest = \"sha256:{}\"\n[type.t]\nplugins = [\"a\"]\n",
        "[device.d]\ntype = \"t\"\n",
        "0".repeat(64)
    );
    for (name, text) in [("a.wasm", plugin.as_str()), ("t.toml", "[type.t]\ndeclared = \"t.toml\"\n")] {
        fs::write(&config, text).unwrap();
        fs::write(path(name), "").unwrap();
        mode(&path(name), 0o622);
        let (good, text) = check();
        assert!(!good && text.contains("other users may write the") && text.contains(name), "{text}");
    }
}

/// The operator is told by a thread of its own.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn until_said(state: &Path, words: &str) -> bool {
    (0..2000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        Command::new("grep").args(["-rqF", words]).arg(state).args(["--include", "stderr.txt"]).status().unwrap().success()
    })
}

#[test]
fn the_state_folder_is_closed_to_others() {
    let state = Arc::new(tempfile::tempdir().unwrap());
    let own = state.path().join("jackfield");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("old"), "").unwrap();
    mode(&own, 0o755);
    mode(&own.join("old"), 0o644);
    let client = Client::start_in(Arc::clone(&state), "", &[]);
    let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((bits(&own), bits(&own.join("old"))), (0o700, 0o600));
    assert!(until_said(state.path(), "was open to other users (mode 755) and is now closed"));
    let open = must(Command::new("find").arg(&own).args(["(", "-type", "f", "-o", "-type", "d", ")", "-perm", "/077"]));
    assert_eq!(open, "", "open to others");
    drop(client);
    // Somebody else's folder is not used.
    must(Command::new("chown").arg("-h").arg("nobody").arg(own.as_path()));
    let _client = Client::start_in(Arc::clone(&state), "", &[]);
    assert!(until_said(state.path(), "must be a folder of this user"));
}

/// The program as another user sees it, with this folder in the place of `/etc/jackfield`.
fn as_user(user: &str, program: &Path, etc: &Path, arguments: &[&str]) -> (bool, String) {
    fs::create_dir_all("/etc/jackfield").unwrap();
    let script = "mount --bind \"$1\" /etc/jackfield && shift && exec runuser -u \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]).arg(etc).args([user, "--"]).arg(program).args(arguments);
    ran(command.current_dir("/").env("HOME", format!("/var/lib/{user}")).env_remove("XDG_STATE_HOME"))
}

#[test]
fn what_an_administrator_decides_cannot_be_loosened_by_the_user() {
    let user = "jft-admin";
    let home = account(user, Path::new("/bin/bash"));
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o755);
    let program = folder.path().join("jackfield");
    fs::copy(env!("CARGO_BIN_EXE_jackfield"), &program).unwrap();
    let etc = folder.path().join("etc");
    fs::create_dir(&etc).unwrap();
    let policy = etc.join("policy.toml");
    let config = home.join("own.toml");
    let judges = "[plugin.guard.config]\nfamily = \"posix\"\n[type.unjudged]\nplugins = [\"posix-shell\"]\n";
    fs::write(&config, format!("[device.web1]\ntype = \"linux\"\npolicy = \"full\"\n[policy]\nmode = \"full\"\n{judges}")).unwrap();
    must(Command::new("chown").arg(user).arg(&config));
    let check = || as_user(user, &program, &etc, &["check", "--config", config.to_str().unwrap()]);
    // Without the file nothing changes.
    let (good, text) = check();
    assert!(good && !text.contains("managed"), "{text}");
    fs::write(&policy, "[policy]\nmode = \"read-only\"\n").unwrap();
    let (good, text) = check();
    assert!(good && text.contains("no device has more than policy mode read-only"), "{text}");
    // Who could choose the judge could choose the judgement.
    assert!(text.contains("[plugin.guard], [type.unjudged] do not count"), "{text}");
    // The server obeys it too, without any device being asked.
    let calls = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "ssh_info", "arguments": {"topic": "policy", "target": "web1", "command": "touch /tmp/x"}}}),
    ];
    let input = home.join("calls");
    fs::write(&input, calls.map(|call| call.to_string()).join("\n") + "\n").unwrap();
    must(Command::new("chown").arg(user).arg(&input));
    // Its input ends once it has answered.
    let said = home.join("said");
    let _ = fs::remove_file(&said);
    let script = format!(
        "(cat {0}; for n in $(seq 300); do grep -q policy_mode {1} 2>/dev/null && break; sleep 0.3; done) | {2} mcp --config {3} | tee {1}",
        input.display(),
        said.display(),
        program.display(),
        config.display()
    );
    let (_, text) = as_user(user, Path::new("/bin/sh"), &etc, &["-c", &script]);
    let (stopped, said) = as_user(user, &program, &etc, &["--config", config.to_str().unwrap(), "stop"]);
    assert!(stopped, "{said}");
    assert!(text.contains("\"policy_mode\":\"read-only\"") && text.contains("\"decision\":\"deny\""), "{text}");
    // One that the user may change is none: then nothing runs.
    for (owner, bits, words) in [(user, 0o644, "belongs to the user"), ("root", 0o666, "(mode 666)"), ("root", 0o664, "(mode 664)")] {
        must(Command::new("chown").arg(owner).arg(&policy));
        mode(&policy, bits);
        let (good, text) = check();
        assert!(!good && text.contains("managed policy") && text.contains(words), "{owner} {bits:o}: {text}");
    }
    must(Command::new("chown").arg("root").arg(&policy));
    mode(&policy, 0o644);
    mode(&etc, 0o777);
    assert!(!check().0, "{}", check().1);
    mode(&etc, 0o755);
    for (text, words) in [("[device.web1]\n", "unknown key `device`"), ("[policy]\nmode = \"none\"\n", "policy.toml:2:1")] {
        fs::write(&policy, text).unwrap();
        let (good, told) = check();
        assert!(!good && told.contains(words), "{told}");
    }
}

#[test]
fn a_concealed_device_is_known_by_its_name_alone() {
    let user = "jft-concealed";
    account(user, Path::new("/bin/sh"));
    let server = Sshd::start();
    let (port, folder) = (server.port.to_string(), server.folder.path().display().to_string());
    let device = |name: &str| format!("{}conceal = true\n", server.device(name, user, "linux"));
    let unreachable = device("gone").replace(&port, "1").replace("127.0.0.1", "127.0.0.9");
    fs::write(server.folder.path().join("no_hosts"), "").unwrap();
    fs::write(server.folder.path().join("wrong_hosts"), "").unwrap();
    let unknown = device("unknown").replace("known_hosts\"", "no_hosts\"");
    must(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(server.folder.path().join("other")));
    let refused = device("refused").replace("/id\"", "/other\"");
    let mut client = Client::start(&[device("web1"), unreachable, unknown, refused].join("\n"));
    let mut replies: Vec<Value> = Vec::new();
    for (tool, arguments) in [
        ("ssh_hosts", json!({})),
        ("ssh_hosts", json!({"query": "127.0"})),
        ("ssh_hosts", json!({"query": user})),
        ("ssh_open", json!({"host": "web1", "wait_s": 40})),
        ("ssh_run", json!({"target": "web1", "command": "echo hello"})),
        ("ssh_run", json!({"target": "gone", "command": "true"})),
        ("ssh_open", json!({"host": "unknown", "wait_s": 40})),
        ("ssh_open", json!({"host": "refused", "wait_s": 40})),
        ("ssh_sessions", json!({})),
        ("ssh_screen", json!({"session": "web1"})),
        ("ssh_history", json!({})),
        ("ssh_info", json!({"topic": "health"})),
        ("ssh_info", json!({"topic": "platforms"})),
        ("ssh_info", json!({"topic": "platforms", "target": "web1"})),
        ("ssh_info", json!({"topic": "plugins"})),
        ("ssh_info", json!({"topic": "policy", "target": "web1", "command": "ls"})),
        ("ssh_query", json!({"targets": ["web1", "refused"], "command": "ls", "wait_s": 40})),
        ("ssh_fleet", json!({"targets": ["refused", "web1"], "command": "true", "wait_s": 40})),
    ] {
        // The whole answer, structure and text.
        let answer = client.request("tools/call", &json!({"name": tool, "arguments": arguments}));
        assert!(answer["result"].is_object(), "{answer}");
        replies.push(answer);
    }
    assert_eq!(replies[1]["result"]["structuredContent"]["total"], 0, "an address cannot be guessed: {}", replies[1]);
    assert_eq!(replies[4]["result"]["structuredContent"]["output"], "hello\n", "{}", replies[4]);
    let failed =
        [5, 6, 7].map(|index| replies[index]["result"]["structuredContent"]["error"]["message"].as_str().unwrap_or_default().to_owned());
    assert!(
        failed[0].contains("cannot reach `gone`") && failed[1].contains("unknown") && failed[2].contains("cannot log in"),
        "{failed:?}"
    );
    for reply in &replies[16..] {
        assert!(reply["result"]["isError"] != true && reply.to_string().contains("cannot log in to"), "an error among answers: {reply}");
    }
    for reply in &replies {
        // The account's folder is what the device says of itself.
        let text = reply.to_string().replace(&folder, "").replace(&format!("/var/lib/{user}"), "");
        for hidden in ["127.0.0.1", "127.0.0.9", port.as_str(), user] {
            assert!(!text.contains(hidden), "`{hidden}` is in {text}");
        }
    }
}

#[test]
fn the_published_schema_is_the_readers_and_takes_the_examples() {
    let printed = must(jackfield().args(["check", "--schema"]));
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/jackfield.schema.json");
    assert_eq!(fs::read_to_string(&published).unwrap_or_default(), printed, "run `jackfield check --schema > docs/jackfield.schema.json`");
    let readme = include_str!("../README.md");
    let examples: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    // Blocks that are indented are another program's configuration.
    let examples: Vec<&str> = examples.into_iter().filter(|text| text.starts_with('[')).collect();
    assert!(examples.len() >= 2, "{}", examples.len());
    let python = python("schema", &["jsonschema==4.25.1"]);
    let script = "import json, sys, tomllib, jsonschema\n\
        schema = json.load(open(sys.argv[1])); v = jsonschema.Draft202012Validator(schema); v.check_schema(schema)\n\
        print(json.dumps([[e.message for e in v.iter_errors(tomllib.loads(t))] for t in json.load(open(sys.argv[2]))]))";
    let good = [
        "[device.a]\nidle_close = \"never\"\nkeepalive = 30\nagent = false\nknown_hosts = [\"a\"]\nproxy = [\"nc\", \"%h\"]\nmask = false\n",
        "[plugin.a]\npath = \"a.wasm\"\nconfig = { x = [1, { y = 2 }] }\nisolation = \"session\"\n",
        "[forward]\nkinds = [\"local\", \"local\"]\n",
    ];
    let bad = [
        "[device.a]\nhots = \"x\"\n",
        "devices = 1\n",
        "[device.a]\nport = 70000\n",
        "[device.a]\npassword = \"hunter2\"\n",
        "[device.a]\npassword = { env = \"A\", file = \"b\" }\n",
        "[policy]\nmode = \"none\"\n",
        "[type.a]\nmode = [{ nmae = \"x\" }]\n",
        "[plugin.a]\ndigest = \"sha256:12\"\n",
        "[device.a]\ntags = [\"a\", \"a\"]\n",
        "[type.a]\nline_max = 0\n",
        "[http]\nlisten = \"127.0.0.1:7340\"\n",
        "[limits]\nsessions = 9000\n",
        "[forward]\nto = []\n",
        "[[policy.rule]]\nname = \"a\"\neffect = \"allow\"\ndevices = []\n",
    ];
    let declared: Vec<String> = jackfield::plugin::catalog::DECLARED_TYPES.iter().map(|(name, text)| under(name, text)).collect();
    let right = examples.iter().copied().chain(good).chain(declared.iter().map(String::as_str));
    let texts: Vec<&str> = right.chain(bad).collect();
    // An argument may not be so long.
    let given = tempfile::NamedTempFile::new().unwrap();
    fs::write(given.path(), json!(texts).to_string()).unwrap();
    let told = must(Command::new(python).args(["-c", script]).arg(&published).arg(given.path()));
    let told: Vec<Vec<String>> = serde_json::from_str(&told).unwrap();
    let first_bad = texts.len() - bad.len();
    for (index, (text, errors)) in texts.iter().zip(&told).enumerate() {
        assert_eq!(errors.is_empty(), index < first_bad, "{errors:?} in\n{text}");
    }
}

/// A declaration as a part of the configuration: each table one level deeper.
fn under(name: &str, text: &str) -> String {
    let deeper = |line: &str| match (line.strip_prefix("[["), line.strip_prefix('[')) {
        (Some(rest), _) => format!("[[type.{name}.{rest}"),
        (None, Some(rest)) if line.ends_with(']') && !line.contains('"') => format!("[type.{name}.{rest}"),
        _ => line.to_owned(),
    };
    format!("[type.{name}]\n{}", text.lines().map(deeper).collect::<Vec<_>>().join("\n"))
}
