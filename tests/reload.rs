//! The configuration is read again under live sessions: plugins are swapped, refused, brought back; nothing that runs is disturbed.

use std::io::{BufRead, BufReader, Lines};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::component::{digest, replaced};
use crate::support::sshd::{Sshd, account};

/// A generation of the plugin: its file's content, what it does where, the policy's mode.
struct Generation {
    bytes: Vec<u8>,
    attack: &'static str,
    at: &'static str,
    mode: &'static str,
}

struct Scene {
    server: Sshd,
    folder: tempfile::TempDir,
}

impl Scene {
    fn digest(generation: &Generation) -> String {
        format!("sha256:{}", digest(&generation.bytes))
    }

    /// Writes the plugin's file; the configuration that pins it.
    fn config(&self, generation: &Generation, devices: &[&str]) -> String {
        let path = self.folder.path().join("acme.wasm");
        std::fs::write(&path, &generation.bytes).unwrap();
        let devices: String = devices.iter().map(|name| self.server.device(name, "jft-bash", "odd")).collect();
        format!(
            "{devices}[type.odd]\nplugins = [\"posix-shell\", \"acme\", \"guard\"]\n[plugin.acme]\npath = {path:?}\ndigest = {:?}\n\
             config = {{ attack = {:?}, at = {:?} }}\n[policy]\nmode = {:?}\n",
            Self::digest(generation),
            generation.attack,
            generation.at,
            generation.mode
        )
    }
}

/// `jackfield plugin reload`: what it printed, and whether all was well.
fn reload(client: &Client) -> (Value, String, bool) {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        command.args(["plugin", "reload"]).args(arguments).env("XDG_STATE_HOME", client.state.path()).output().unwrap()
    };
    let first = run(&["--json"]);
    let json: Value = serde_json::from_slice(&first.stdout).unwrap_or_else(|error| panic!("{error}: {first:?}"));
    // Read once more, nothing is left to do, or the same is wrong.
    let second = run(&[]);
    (json["servers"][0]["report"].clone(), String::from_utf8_lossy(&second.stdout).into_owned(), first.status.success())
}

fn write(client: &Client, config: &str) {
    std::fs::write(client.folder().join("jackfield.toml"), config).unwrap();
}

fn what(report: &Value) -> (String, String) {
    let acme = report["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "acme");
    let acme = acme.unwrap_or_else(|| panic!("{report}"));
    (acme["what"].as_str().unwrap().to_owned(), acme["why"].as_str().unwrap().to_owned())
}

/// Nothing was worth a warning.
fn is_quiet(result: &Value) -> bool {
    result["warnings"].as_array().is_none_or(Vec::is_empty)
}

fn component() -> Vec<u8> {
    let file: PathBuf = Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("hostile.wasm");
    // Without its policy: a policy plugin that is off denies.
    replaced(&std::fs::read(file).unwrap(), b"jackfield:plugin/policy@0.1.0", b"jackfield:absent/policy@0.1.0")
}

#[test]
fn a_plugin_is_swapped_under_a_running_command_and_one_that_does_not_load_leaves_the_other() {
    account("jft-bash", Path::new("/bin/bash"));
    let scene = Scene { server: Sshd::start(), folder: tempfile::tempdir().unwrap() };
    let good = || Generation { bytes: component(), attack: "none", at: "nowhere", mode: "full" };
    // A custom section more: another digest.
    let other = [component(), vec![0, 2, 1, b'x']].concat();
    let mut client = Client::start(&scene.config(&good(), &["web1", "web2"]));
    let one = client.run("web1", "cd /tmp; export KEPT=7; echo one");
    assert!(one["output"] == "one\n" && is_quiet(&one), "{one}");

    // Swapped while a command runs: that one ends on the old generation, the next one begins on the new.
    let slow = client.post("ssh_run", json!({"target": "web1", "command": "sleep 4; echo slow", "wait_s": 30}));
    // The call is answered at once: by then the server has read the one before.
    client.request("ping", &json!({}));
    let next = Generation { bytes: other.clone(), attack: "trap", at: "claim", ..good() };
    write(&client, &scene.config(&next, &["web1", "web2", "web3"]));
    let (report, text, well) = reload(&client);
    assert!(well, "{report}");
    assert_eq!(what(&report), ("swapped".to_owned(), format!("{} -> {}", Scene::digest(&good()), Scene::digest(&next))));
    assert!(report["changes"].to_string().contains("new       device web3"), "{report}");
    assert!(text.contains("kept      acme"), "{text}");
    let (id, ended) = client.answer();
    assert_eq!((id, ended["output"].as_str(), ended["exit_code"].as_i64()), (slow, Some("slow\n"), Some(0)), "{ended}");
    assert!(is_quiet(&ended) && ended["confidence"] == "mark", "{ended}");
    let two = client.run("web1", "echo $KEPT $PWD");
    assert_eq!((two["output"].as_str(), two["confidence"].as_str()), (Some("7 /tmp\n"), Some("mark")), "{two}");
    assert!(two["warnings"].to_string().contains("`dialog.claim`: trapped"), "{two}");
    assert_eq!(client.run("web3", "echo three")["output"], "three\n");

    // One that does not load: the generation in force stays, and it is said why.
    let broken = Generation { bytes: b"\0asm\x01\0\0\0".to_vec(), ..good() };
    write(&client, &scene.config(&broken, &["web1", "web2", "web3"]));
    let (report, text, well) = reload(&client);
    let (word, why) = what(&report);
    assert!(
        !well && word == "refused" && why.contains("is a core module and no component") && why.ends_with("the one before stays in force"),
        "{report}"
    );
    assert!(text.contains("refused   acme"), "{text}");
    assert_eq!(client.run("web1", "echo still")["output"], "still\n");

    // A file with errors changes nothing, and each of them is told.
    write(&client, &format!("{}[device.web9]\nprt = 1\nusr = \"x\"\n", scene.config(&good(), &["web1"])));
    let (report, text, well) = reload(&client);
    assert!(!well && report["complaints"].as_array().unwrap().len() == 2 && report["changes"] == json!([]), "{report}");
    assert!(text.contains("the last good configuration stays in force"), "{text}");
    assert_eq!(client.run("web2", "echo two")["output"], "two\n");

    // Back to the first one, and a stricter policy for the session that is open.
    let read_only = Generation { mode: "read-only", ..good() };
    write(&client, &scene.config(&read_only, &["web1", "web2"]));
    let (report, _, well) = reload(&client);
    assert!(well && what(&report).0 == "swapped", "{report}");
    let back = client.run("web1", "echo $KEPT");
    assert!(back["output"] == "7\n" && is_quiet(&back), "{back}");
    let denied = client.run("web1", "touch /tmp/jft-reload");
    assert_eq!(denied["state"], "denied", "{denied}");
    assert!(report["changes"].to_string().contains("session web3: device `web3` is no longer"), "{report}");
    let gone = client.run("web3", "echo on");
    assert!(gone["output"] == "on\n" && gone["warnings"].to_string().contains("no longer in the configuration"), "{gone}");
    let plugins = client.call("ssh_info", json!({"topic": "plugins"}));
    assert!(plugins.to_string().contains(&Scene::digest(&good())), "{plugins}");

    // The signal does the same.
    write(&client, &scene.config(&good(), &["web1", "web2"]));
    Command::new("kill").args(["-HUP", &client.process_id().to_string()]).status().unwrap();
    let allowed = (0..900).any(|_| client.run("web1", "sleep 0.1; touch /tmp/jft-reload")["state"] == "done");
    assert!(allowed, "{}", client.log());
}

#[test]
fn why_a_plugin_cannot_be_read_is_told_beside_the_type_that_is_unknown_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.wasm");
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/museum/0.1.0/box.wasm")).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let mut client = Client::start(&format!(
        "[device.box1]\nhost = \"127.0.0.1\"\nport = 1\nuser = \"anna\"\ntype = \"box\"\n\
         [plugin.box]\npath = {path:?}\ndigest = \"sha256:{}\"\n",
        digest(&bytes)
    ));
    client.request("ping", &json!({}));
    std::fs::write(&path, [bytes, vec![0, 2, 1, b'x']].concat()).unwrap();
    let (report, text, well) = reload(&client);
    let complaints: Vec<&str> = report["complaints"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let [cause, name] = complaints[..] else { panic!("{report}") };
    assert!(!well && cause.contains("plugin `box` is not the pinned file"), "{report}");
    assert!(name.contains("unknown device type `box`") && text.contains("nothing has changed"), "{report} {text}");
    // A developer is told the same, and not to start what runs.
    std::fs::write(&path, b"\0asm").unwrap();
    let mut dev = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let said = dev.args(["plugin", "dev"]).arg(&path).env("XDG_STATE_HOME", client.state.path()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(!said.status.success() && out.contains("unknown device type `box`"), "{out} {err}");
    assert!(err.contains("what is wrong stands above") && !err.contains("jackfield mcp"), "{err}");
}

#[test]
fn a_plugin_that_is_new_in_the_configuration_and_cannot_be_loaded_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.wasm");
    std::fs::write(&path, component()).unwrap();
    let device = "[device.web1]\nhost = \"127.0.0.1\"\nport = 1\nuser = \"anna\"\ntype = \"linux\"\n";
    let mut client = Client::start(device);
    client.request("ping", &json!({}));
    let config = |bytes: &[u8]| format!("{device}[plugin.acme]\npath = {path:?}\ndigest = \"sha256:{}\"\n", digest(bytes));
    write(&client, &config(b"another file"));
    let (report, text, well) = reload(&client);
    let (found, why) = what(&report);
    assert!(!well && found == "unusable" && why.contains("is not the pinned file"), "{report}");
    assert!(text.contains("unusable  acme"), "{text}");
    // One that is as it should be is loaded when a device wants it: there is nothing to tell.
    write(&client, &config(&component()));
    let (report, _, well) = reload(&client);
    assert!(well && report["complaints"] == json!([]), "{report}");
}

/// Has the server answer on a connection that was held until now.
fn let_through(held: TcpStream, port: u16) {
    let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let back = (server.try_clone().unwrap(), held.try_clone().unwrap());
    for (mut from, mut into) in [(held, server), back] {
        std::thread::spawn(move || std::io::copy(&mut from, &mut into));
    }
}

#[test]
fn a_session_that_is_being_opened_goes_on_with_what_is_read_meanwhile() {
    account("jft-bash", Path::new("/bin/bash"));
    let scene = Scene { server: Sshd::start(), folder: tempfile::tempdir().unwrap() };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = scene.server.device_behind(listener.local_addr().unwrap().port(), "web1", "jft-bash", "odd");
    let config = |generation: &Generation| scene.config(generation, &[]) + &device;
    let first = Generation { bytes: component(), attack: "none", at: "nowhere", mode: "full" };
    let mut client = Client::start(&config(&first));
    let opening = client.post("ssh_open", json!({"host": "web1", "wait_s": 40}));
    let (held, _) = listener.accept().unwrap();

    // The device takes its time; meanwhile there is another plugin and a stricter policy.
    let next = Generation { bytes: [component(), vec![0, 2, 1, b'x']].concat(), attack: "trap", at: "claim", mode: "read-only" };
    write(&client, &config(&next));
    let (report, _, well) = reload(&client);
    assert!(well && what(&report).0 == "swapped", "{report}");
    let_through(held, scene.server.port);
    let (id, opened) = client.answer();
    assert!(id == opening && opened["error"].is_null(), "{opened}");
    let denied = client.run("web1", "touch /tmp/jft-opening");
    assert_eq!(denied["state"], "denied", "{denied}");
    let read = client.run("web1", "echo one");
    assert!(read["output"] == "one\n" && read["warnings"].to_string().contains("`dialog.claim`: trapped"), "{read}");
}

/// `jackfield plugin dev --watch` at work on a file.
struct Developer {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Developer {
    fn start(client: &Client, file: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        command.args(["plugin", "dev", "--watch"]).arg(file).env("XDG_STATE_HOME", client.state.path()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut dev = Self { process, lines };
        dev.until("THE PIN OF EACH FILE IS SKIPPED");
        dev
    }

    /// Waits until it says this.
    fn until(&mut self, words: &str) {
        assert!(self.lines.any(|line| line.unwrap().contains(words)), "`{words}` is not told");
    }

    /// Ctrl-C.
    fn end(mut self) {
        Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap();
        self.process.wait().unwrap();
    }
}

/// What is told of the plugin.
fn acme(client: &mut Client) -> Value {
    let all = client.call("ssh_info", json!({"topic": "plugins"}));
    all["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "acme").unwrap().clone()
}

/// Is this generation in force again, soon after the developer has ended?
fn is_back(client: &mut Client, generation: &Generation) -> bool {
    (0..900).any(|_| {
        client.run("web1", "sleep 0.1");
        acme(client)["digest"] == Scene::digest(generation).as_str()
    })
}

#[test]
fn a_developers_file_is_loaded_without_its_pin_and_gives_way_when_he_ends() {
    account("jft-bash", Path::new("/bin/bash"));
    let scene = Scene { server: Sshd::start(), folder: tempfile::tempdir().unwrap() };
    let generation = |bytes| Generation { bytes, attack: "none", at: "nowhere", mode: "full" };
    let (pinned, other) = (generation(component()), generation([component(), vec![0, 2, 1, b'x']].concat()));
    let mut client = Client::start(&scene.config(&pinned, &["web1"]));
    let one = client.run("web1", "echo one");
    assert!(one["output"] == "one\n" && is_quiet(&one), "{one}");
    let file = scene.folder.path().join("acme.wasm");
    let mut dev = Developer::start(&client, &file);
    let warned = client.run("web1", "echo two");
    assert!(warned["output"] == "two\n" && warned["warnings"].to_string().contains("without its pin"), "{warned}");

    // Changed, and then broken: the last one that loads stays.
    std::fs::write(&file, &other.bytes).unwrap();
    dev.until("swapped   acme");
    let shown = acme(&mut client);
    assert!(shown["digest"] == Scene::digest(&other).as_str() && shown["unpinned"] == true, "{shown}");
    std::fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    dev.until("refused   acme");
    assert_eq!(acme(&mut client)["digest"], Scene::digest(&other).as_str());
    assert_eq!(client.run("web1", "echo three")["output"], "three\n");

    // He ends: what has no pin gives way to what was in force before, although its file is gone.
    dev.end();
    let back = is_back(&mut client, &pinned);
    let shown = acme(&mut client);
    assert!(back && shown["unpinned"].is_null(), "{shown}");
    assert!(shown["load_error"].as_str().unwrap().contains("is not the pinned file"), "{shown}");
    let four = client.run("web1", "echo four");
    assert!(four["output"] == "four\n" && is_quiet(&four), "{four}");
}

#[test]
fn a_developers_file_gives_way_also_when_the_configuration_is_broken_meanwhile() {
    account("jft-bash", Path::new("/bin/bash"));
    let scene = Scene { server: Sshd::start(), folder: tempfile::tempdir().unwrap() };
    let generation = |bytes| Generation { bytes, attack: "none", at: "nowhere", mode: "full" };
    let (pinned, other) = (generation(component()), generation([component(), vec![0, 2, 1, b'x']].concat()));
    let config = scene.config(&pinned, &["web1"]);
    let mut client = Client::start(&config);
    assert_eq!(client.run("web1", "echo one")["output"], "one\n");
    let file = scene.folder.path().join("acme.wasm");
    let mut dev = Developer::start(&client, &file);
    std::fs::write(&file, &other.bytes).unwrap();
    dev.until("swapped   acme");
    assert_eq!(acme(&mut client)["digest"], Scene::digest(&other).as_str());

    // Nobody has mended the file when he ends: its last good content stays in force, pins and all.
    write(&client, &format!("{config}[device.web9\n"));
    dev.end();
    let back = is_back(&mut client, &pinned);
    let shown = acme(&mut client);
    assert!(back && shown["unpinned"].is_null(), "{shown}");
    let two = client.run("web1", "echo two");
    assert!(two["output"] == "two\n" && is_quiet(&two), "{two}");

    // Mended, it does not bring the developer's file back.
    write(&client, &config);
    let (report, _, well) = reload(&client);
    let (word, why) = what(&report);
    assert!(!well && word == "refused" && why.contains("is not the pinned file"), "{report}");
    let shown = acme(&mut client);
    assert!(shown["digest"] == Scene::digest(&pinned).as_str() && shown["unpinned"].is_null(), "{shown}");
}

#[test]
fn a_developers_file_gives_way_also_where_its_pin_is_gone_from_the_configuration() {
    account("jft-bash", Path::new("/bin/bash"));
    let scene = Scene { server: Sshd::start(), folder: tempfile::tempdir().unwrap() };
    let generation = |bytes| Generation { bytes, attack: "none", at: "nowhere", mode: "full" };
    let (pinned, other) = (generation(component()), generation([component(), vec![0, 2, 1, b'x']].concat()));
    let config = scene.config(&pinned, &["web1"]);
    let mut client = Client::start(&config);
    assert_eq!(client.run("web1", "echo one")["output"], "one\n");
    // While he is at work nobody needs it.
    let bare = config.replace(&format!("digest = {:?}\n", Scene::digest(&pinned)), "");
    assert_ne!(bare, config);
    write(&client, &bare);
    let file = scene.folder.path().join("acme.wasm");
    let mut dev = Developer::start(&client, &file);
    std::fs::write(&file, &other.bytes).unwrap();
    dev.until("swapped   acme");
    assert_eq!(acme(&mut client)["digest"], Scene::digest(&other).as_str());

    // A file without a pin is not loaded: the one that was pinned serves the session again.
    dev.end();
    let back = is_back(&mut client, &pinned);
    let shown = acme(&mut client);
    assert!(back && shown["unpinned"].is_null(), "{shown}");
    assert!(shown["load_error"].as_str().unwrap().contains("has no `digest`"), "{shown}");
    let two = client.run("web1", "echo two");
    assert!(two["output"] == "two\n" && is_quiet(&two), "{two}");
}

#[test]
fn what_is_opened_after_a_reload_goes_the_new_way() {
    account("jft-bash", Path::new("/bin/bash"));
    let (server, first, second) = (Sshd::start(), Sshd::start(), Sshd::start());
    let config = |bastion: &Sshd| {
        let bastion = bastion.device("bastion", "jft-bash", "linux");
        format!("{}via = \"bastion\"\n{bastion}", server.device("web1", "jft-bash", "linux"))
    };
    let mut client = Client::start(&config(&first));
    // The server sees the bastion's end of the connection.
    let mut way = |name: &str| client.run(name, "echo $SSH_CONNECTION")["output"].as_str().unwrap_or_default().to_owned();
    let before = way("web1");
    assert!(!before.is_empty() && way("web1#2") == before, "they share a connection");
    write(&client, &config(&second));
    let (report, _, well) = reload(&client);
    assert!(well, "{report}");
    let mut way = |name: &str| client.run(name, "echo $SSH_CONNECTION")["output"].as_str().unwrap_or_default().to_owned();
    let after = way("web1#3");
    assert!(!after.is_empty() && after != before, "{after}");
    assert_eq!((way("web1"), way("web1#4")), (before, after), "what is open stays, and what comes shares the new one");
}

#[test]
fn after_a_reload_secrets_are_looked_up_once_more_and_not_with_each_call() {
    account("jft-bash", Path::new("/bin/bash"));
    let (server, folder) = (Sshd::start(), tempfile::tempdir().unwrap());
    let asked = folder.path().join("asked");
    let command = format!("echo x >> '{}'; echo word", asked.display());
    let config = |more: &str| format!("{}password = {{ command = {command:?} }}\n{more}", server.device("web1", "jft-bash", "linux"));
    let mut client = Client::start(&config(""));
    let lookups = |client: &mut Client| {
        let read = client.call("ssh_file_read", json!({"target": "web1", "path": "/etc/os-release"}));
        assert_eq!(read["ok"], true, "{read}");
        std::fs::read_to_string(&asked).unwrap().lines().count()
    };
    assert_eq!((lookups(&mut client), lookups(&mut client)), (1, 1));
    write(&client, &config("[device.web2]\nhost = \"192.0.2.1\"\n"));
    let (report, _, well) = reload(&client);
    assert!(well, "{report}");
    assert_eq!((lookups(&mut client), lookups(&mut client), lookups(&mut client)), (2, 2, 2));
}
