//! `jackfield plugin`: what a vendor and an operator type, through the real program, and signatures with the real `ssh-keygen`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::component::replaced;
use crate::support::install_missing;

/// A folder with a copy of a test plugin.
struct Desk {
    folder: tempfile::TempDir,
}

/// What a command said.
struct Said {
    ok: bool,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::copy(Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("faulty.wasm"), desk.path("faulty.wasm")).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env_remove("JACKFIELD_CONFIG").env("XDG_CONFIG_HOME", self.folder.path());
        let done = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { ok: done.status.success(), out: text(&done.stdout), err: text(&done.stderr) }
    }

    fn plugin(&self, arguments: &[&str]) -> Said {
        self.run(env!("CARGO_BIN_EXE_jackfield"), &[&["plugin"], arguments].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.plugin(&[arguments, &["--json"]].concat());
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {} {}", said.out, said.err))
    }

    /// Writes the plugin as `bare.wasm`, whose section has another name: then there is no manifest.
    fn bare(&self) {
        let wasm = std::fs::read(self.path("faulty.wasm")).unwrap();
        std::fs::write(self.path("bare.wasm"), replaced(&wasm, b"jackfield:manifest", b"jackfield:no-more!")).unwrap();
    }

    /// A new key of this kind.
    fn key(&self, kind: &str) {
        install_missing(&[("ssh-keygen", "openssh-client")]);
        let made = self.run("ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", "", "-f", kind]);
        assert!(made.ok, "{}", made.err);
    }

    /// A signers' file with this key.
    fn allow(&self, principal: &str, options: &str, kind: &str) {
        self.write("allowed_signers", &format!("{principal} {options} {}", self.read(&format!("{kind}.pub"))));
    }
}

#[test]
fn check_shows_each_step_and_where_it_ends() {
    let desk = Desk::new();
    let good = desk.json(&["check", "faulty.wasm"]);
    assert_eq!(good["ok"], true);
    assert!(good["steps"].as_array().unwrap().iter().all(|step| step["state"] == "ok"), "{good}");
    let wasm = std::fs::read(desk.path("faulty.wasm")).unwrap();
    let mut spoilt = wasm.clone();
    spoilt[wasm.len() / 2..][..64].fill(0xff);
    let state = |checked: &Value, name: &str| {
        let steps = checked["steps"].as_array().unwrap();
        steps
            .iter()
            .find(|step| step["step"] == name)
            .map(|step| (step["state"].as_str().unwrap().to_owned(), step["found"].to_string()))
            .unwrap()
    };
    for (name, bytes, step, word) in [
        ("cut.wasm", wasm[..wasm.len() / 2].to_vec(), "component", "is damaged or cut off"),
        ("spoilt.wasm", spoilt, "component", "is damaged or cut off"),
        ("script.wasm", b"#!/bin/sh\necho hello\n".to_vec(), "component", "begins with `#!/bin/sh`"),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec(), "component", "core module and no component; `jackfield plugin pack"),
        ("bare.wasm", b"\0asm\x0d\0\x01\0".to_vec(), "manifest", "jackfield plugin pack"),
        ("net.wasm", replaced(&wasm, b"jackfield:plugin/host@0.1.0", b"wasi:sockets/network@0.2.30"), "imports", "wasi:sockets/network"),
        ("next.wasm", replaced(&wasm, b"jackfield:plugin/prompt@0.1.0", b"jackfield:plugin/prompt@0.9.0"), "imports", "0.9.0"),
    ] {
        std::fs::write(desk.path(name), bytes).unwrap();
        let checked = desk.json(&["check", name]);
        assert_eq!(checked["ok"], false, "{name}");
        let (found, why) = state(&checked, step);
        assert!(found == "wrong" && why.contains(word) && !why.contains("\\n"), "{name}: {checked}");
        // Whatever is told to be right says what was seen.
        assert!(checked["steps"].as_array().unwrap().iter().all(|step| step["state"] != "ok" || step["found"] != ""), "{name}: {checked}");
        assert_eq!(state(&checked, "start").0, "not reached", "{name}");
    }
    // Rows about which nobody is asked.
    desk.bare();
    let settings = "[config.fault]\ndefault = \"\"\n[config.role]\ndefault = \"\"\n";
    let trigger = |role: &str| format!("[[trigger]]\nfor = \"{role}\"\nname = \"any\"\nmatch = '>$'\n");
    let triggers = trigger("prompt") + &trigger("pager");
    desk.write("plugin.toml", &format!("schema = 1\nname = \"idle\"\nversion = \"1.0.0\"\n{settings}{triggers}"));
    assert!(desk.plugin(&["pack", "bare.wasm", "--manifest", "plugin.toml", "--out", "idle.wasm"]).ok);
    let idle = desk.json(&["check", "idle.wasm"]);
    let (found, why) = state(&idle, "manifest");
    assert!(idle["ok"] == true && found == "unsure" && why.contains("triggers for `pager`, which never count"), "{idle}");
    let absent = desk.plugin(&["check", "absent.wasm"]);
    assert!(!absent.ok && absent.out.contains("cannot read plugin"), "{} {}", absent.out, absent.err);
}

#[test]
fn a_name_of_this_program_in_the_place_of_a_file_is_told_with_what_shows_it() {
    let desk = Desk::new();
    for (name, what) in [
        ("posix-shell", "; `posix-shell` is a bundled plugin"),
        ("posix-shel", "; did you mean `posix-shell`? it is a bundled plugin"),
        ("linux", "; `linux` is a device type, which plugins of this program serve: "),
    ] {
        for command in ["check", "verify", "pin"] {
            let said = desk.plugin(&[command, name]);
            let text = said.out + &said.err;
            assert!(!said.ok && text.contains(what) && text.contains("; `jackfield plugin inspect "), "{command} {name}: {text}");
        }
    }
    let inspected = desk.plugin(&["inspect", "posix-shel"]);
    assert!(!inspected.ok && inspected.err.contains("did you mean `posix-shell`?"), "{}", inspected.err);
}

/// Before its manifest is read a plugin is called like its file.
#[test]
fn what_the_kit_does_not_take_is_told_by_the_plugin_s_name() {
    let desk = Desk::new();
    desk.bare();
    let wasm = std::fs::read(desk.path("faulty.wasm")).unwrap();
    let net = replaced(&wasm, b"jackfield:plugin/host@0.1.0", b"wasi:sockets/network@0.2.30");
    std::fs::write(desk.path("net.wasm"), net).unwrap();
    for (file, told) in
        [("net.wasm", "plugin `faulty` imports `wasi:sockets/network"), ("bare.wasm", "manifest of plugin `bare`: no section")]
    {
        let said = desk.plugin(&["test", file]);
        assert!(!said.ok && said.err.contains(told), "{file}: {}", said.err);
    }
}

/// Nobody writes to the pipe: whoever opens it waits for ever.
#[test]
fn a_pipe_in_the_place_of_a_plugin_is_told_at_once() {
    let desk = Desk::new();
    assert!(desk.run("mkfifo", &["pipe.wasm"]).ok);
    desk.write("plugin.toml", "schema = 1\nname = \"packed\"\nversion = \"1.0.0\"\n");
    for arguments in [
        &["check", "pipe.wasm"][..],
        &["inspect", "pipe.wasm"],
        &["pin", "pipe.wasm"],
        &["test", "pipe.wasm"],
        &["pack", "pipe.wasm", "--manifest", "plugin.toml"],
        &["sign", "pipe.wasm", "--key", "ed25519"],
        &["verify", "pipe.wasm"],
    ] {
        let program = ["90", env!("CARGO_BIN_EXE_jackfield"), "plugin"];
        let said = desk.run("timeout", &[&program, arguments].concat());
        assert!(!said.ok && (said.out + &said.err).contains("it is not a file"), "{arguments:?}");
    }
    // Nor is one waited for in the place of a signature.
    assert!(desk.run("mkfifo", &["faulty.wasm.sig"]).ok);
    for command in ["check", "inspect", "verify"] {
        let said = desk.run("timeout", &["90", env!("CARGO_BIN_EXE_jackfield"), "plugin", command, "faulty.wasm"]);
        assert!((said.out + &said.err).contains("it is not a file"), "{command}");
    }
}

/// 5 MiB: the operator may allow more than 4.
#[test]
fn a_large_plugin_is_taken_by_every_command_where_that_is_allowed() {
    let desk = Desk::new();
    desk.key("ed25519");
    desk.allow("plugins@acme.example", "", "ed25519");
    let mut wasm = std::fs::read(desk.path("faulty.wasm")).unwrap();
    // A custom section of the name `x`, with its length in LEB128.
    let length = wasm.len() + 5 + (5 << 20);
    wasm.extend_from_slice(&[0, 0x80, 0x80, 0xc0, 0x02, 1, b'x']);
    wasm.resize(length, 0);
    std::fs::write(desk.path("big.wasm"), &wasm).unwrap();
    for arguments in [
        &["check", "big.wasm"][..],
        &["inspect", "big.wasm"],
        &["test", "big.wasm"],
        &["sign", "big.wasm", "--key", "ed25519"],
        &["verify", "big.wasm", "--allowed-signers", "allowed_signers"],
    ] {
        let refused = desk.plugin(arguments);
        assert!(!refused.ok && (refused.out + &refused.err).contains("`--max-file-bytes`"), "{arguments:?}");
        let taken = desk.plugin(&[arguments, &["--max-file-bytes", "8000000"]].concat());
        assert!(taken.ok, "{arguments:?}: {} {}", taken.out, taken.err);
    }
    // The same without its manifest.
    desk.write("plugin.toml", "schema = 1\nname = \"big\"\nversion = \"1.0.0\"\n");
    std::fs::write(desk.path("bare.wasm"), replaced(&wasm, b"jackfield:manifest", b"jackfield:no-more!")).unwrap();
    let pack = ["pack", "bare.wasm", "--manifest", "plugin.toml", "--out", "packed.wasm"];
    let refused = desk.plugin(&pack);
    assert!(!refused.ok && refused.err.contains("more than 4194304 bytes"), "{}", refused.err);
    let packed = desk.plugin(&[&pack[..], &["--max-file-bytes", "8000000"]].concat());
    assert!(packed.ok, "{}", packed.err);

    // Pinned, the bound goes into the configuration, and counts there from then on.
    let refused = desk.plugin(&["pin", "big.wasm", "--write"]);
    assert!(!refused.ok && refused.err.contains("raise `max_file_bytes` in [plugin.big]"), "{}", refused.err);
    let pinned = desk.plugin(&["pin", "big.wasm", "--write", "--max-file-bytes", "8000000"]);
    assert!(pinned.ok, "{}", pinned.err);
    assert!(desk.read("jackfield.toml").contains("max_file_bytes = 8000000\n"), "{}", desk.read("jackfield.toml"));
    wasm.extend_from_slice(b"\0\x03\x02hi");
    std::fs::write(desk.path("big.wasm"), &wasm).unwrap();
    let again = desk.plugin(&["pin", "big.wasm", "--write"]);
    assert!(again.ok, "{}", again.err);
    // What one plugin may have is no other's.
    let other = desk.plugin(&["pin", "big.wasm", "--name", "other", "--write"]);
    assert!(!other.ok && other.err.contains("nothing was pinned"), "{}", other.err);
}

/// A folder's recordings are those of the plugin that is made there.
#[test]
fn recordings_here_are_not_played_to_a_plugin_from_elsewhere() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("recordings")).unwrap();
    desk.write("recordings/box.rec", "no recording\n");
    let bundled = desk.plugin(&["test", "posix-shell"]);
    assert!(bundled.ok && bundled.err.contains("`recordings` here is not played"), "{} {}", bundled.out, bundled.err);
    let own = desk.plugin(&["test", "faulty.wasm"]);
    assert!(!own.ok && own.err.contains("box.rec"), "{} {}", own.out, own.err);
}

/// Before anything is asked of the device, which is not known here.
#[test]
fn a_recording_that_cannot_be_written_is_not_begun() {
    let desk = Desk::new();
    for (out, why) in [("absent/box.rec", "No such file"), (".", "is a directory")] {
        let said = desk.run(env!("CARGO_BIN_EXE_jackfield"), &["record", "nobody", "reload", "--out", out]);
        assert!(!said.ok && said.err.contains(&format!("cannot write `{out}`: ")) && said.err.contains(why), "{out}: {}", said.err);
    }
}

#[test]
fn inspect_and_list_show_what_is_granted() {
    let desk = Desk::new();
    let about = desk.json(&["inspect", "faulty.wasm"]);
    assert_eq!(about["roles"], json!(["identify", "prompt", "policy"]), "{about}");
    assert!(about["digest"].as_str().unwrap().starts_with("sha256:") && about["bytes"]["code"].as_u64().unwrap() > 10_000);
    let shell = desk.plugin(&["inspect", "posix-shell"]);
    assert!(shell.ok && shell.out.contains("may type without asking the policy") && shell.out.contains("signal.run"), "{}", shell.out);
    let unknown = desk.plugin(&["inspect", "posix-shel"]);
    assert!(!unknown.ok && unknown.err.contains("posix-shell"), "{}", unknown.err);
    let list = desk.json(&["list"]);
    let names: Vec<&str> = list["plugins"].as_array().unwrap().iter().map(|plugin| plugin["name"].as_str().unwrap()).collect();
    assert!(["guard", "posix-shell", "sudo"].iter().all(|name| names.contains(name)), "{names:?}");
}

/// All that is granted with the digest, beside what is typed and started: it is shown with its values, in both forms.
#[test]
fn inspect_shows_whatever_the_digest_grants() {
    let desk = Desk::new();
    desk.bare();
    desk.write(
        "plugin.toml",
        r#"
            schema = 1
            name = "shown"
            version = "1.0.0"
            [terminal]
            enter = "\r\n"
            login_suffix = "+ct80"
            [copy]
            fetch = "scp -f {path}"
            store = "scp -t {path}"
            reads = "show file {path}"
            writes = "copy terminal {path}"
            [facts]
            "words.reads" = "show\nping"
            [[query]]
            ask = "\u001b[5n"
            answer = "\u001b[0n"
            [[block]]
            opens = '^banner (?P<end>[#~])$'
            shows = '^Enter the text'
            sign = "> "
        "#,
    );
    let packed = desk.plugin(&["pack", "bare.wasm", "--manifest", "plugin.toml", "--out", "shown.wasm"]);
    assert!(packed.ok, "{}", packed.err);
    let about = desk.json(&["inspect", "shown.wasm"]);
    for (key, expected) in [
        ("terminal", json!({"enter": "\r\n", "login_suffix": "+ct80"})),
        (
            "copy",
            json!({"fetch": "scp -f {path}", "store": "scp -t {path}", "reads": "show file {path}", "writes": "copy terminal {path}", "types": []}),
        ),
        ("facts", json!({"words.reads": "show\nping"})),
        ("queries", json!([{"ask": "\u{1b}[5n", "answer": "\u{1b}[0n"}])),
        ("blocks", json!([{"opens": "^banner (?P<end>[#~])$", "end": null, "shows": "^Enter the text", "sign": "> ", "types": []}])),
    ] {
        assert_eq!(about[key], expected, "{about}");
    }
    let shown = desk.plugin(&["inspect", "shown.wasm"]);
    for row in [
        r"  enter         \r\n",
        "  login_suffix  +ct80",
        "  fetch         scp -f {path}",
        "  store         scp -t {path}",
        "  reads         show file {path}",
        "  writes        copy terminal {path}",
        r"  words.reads   show\nping",
        r"  ask           \u{1b}[5n",
        r"  answer        \u{1b}[0n",
        "  opens         ^banner (?P<end>[#~])$",
        "  shows         ^Enter the text",
        "  sign          > ",
    ] {
        assert!(shown.out.lines().any(|line| line == row), "`{row}`\n{}", shown.out);
    }
}

/// Who looks at a file sees what stands in it: nothing of it is for the terminal to obey.
#[test]
fn what_a_vendor_writes_is_shown_as_text() {
    let desk = Desk::new();
    desk.bare();
    desk.write(
        "plugin.toml",
        r#"
            schema = 1
            name = "odd"
            version = "1.0.0"
            [config.lines]
            default = "\u009b2J\u202e"
            description = "\u001b[2J\nall is well"
        "#,
    );
    let pack = ["pack", "bare.wasm", "--manifest", "plugin.toml", "--out", "odd.wasm"];
    let packed = desk.plugin(&pack);
    assert!(packed.ok, "{}", packed.err);
    let shown = desk.plugin(&["inspect", "odd.wasm"]);
    assert!(shown.out.contains(r#"lines = "\x9b2J\u{202e}"  \x1b[2J\nall is well"#), "{}", shown.out);
    let checked = desk.plugin(&["check", "odd.wasm"]);
    assert!(checked.ok && checked.out.contains(r#"takes its defaults {"lines":"\x9b2J\u{202e}"}"#), "{}", checked.out);

    // Nor is what is said of a file that is not loaded.
    let failure = r#"match = "\u001b[2J(""#;
    desk.write("plugin.toml", &format!("schema = 1\nname = \"odd\"\nversion = \"1.0.0\"\n[[failure]]\nkind = \"error\"\n{failure}\n"));
    assert!(desk.plugin(&pack).ok);
    let wrong = desk.plugin(&["check", "odd.wasm"]);
    assert!(!wrong.ok && wrong.out.contains(r"failure `\x1b[2J(`"), "{}", wrong.out);
    let wasm = std::fs::read(desk.path("faulty.wasm")).unwrap();
    let other = replaced(&wasm, b"jackfield:plugin/prompt@0.1.0", b"jackfield:plugin/prompt@\x1b[2J.");
    std::fs::write(desk.path("other.wasm"), other).unwrap();
    let refused = desk.plugin(&["inspect", "other.wasm"]);
    assert!(!refused.ok && refused.err.contains(r"speaks `jackfield:plugin/prompt@\x1b[2J.`"), "{}", refused.err);
}

#[test]
fn a_component_without_a_manifest_is_packed() {
    let desk = Desk::new();
    desk.bare();
    desk.write(
        "plugin.toml",
        "schema = 1\nname = \"packed\"\nversion = \"2.0.0\"\n[config.fault]\ndefault = \"\"\n[config.role]\ndefault = \"\"\n",
    );
    let packed = desk.plugin(&["pack", "bare.wasm", "--manifest", "plugin.toml", "--out", "packed.wasm"]);
    assert!(packed.ok, "{}", packed.err);
    let checked = desk.plugin(&["check", "packed.wasm"]);
    assert!(checked.ok && checked.out.contains("packed 2.0.0"), "{}", checked.out);
    let twice = desk.plugin(&["pack", "faulty.wasm", "--manifest", "plugin.toml"]);
    assert!(!twice.ok && twice.err.contains("more than one section"), "{}", twice.err);
}

#[test]
fn a_slip_in_a_manifest_is_told_by_its_key_and_table_with_the_right_word() {
    let desk = Desk::new();
    desk.bare();
    for (lines, told) in [
        ("ordr = 5", "unknown key `ordr` at the top; did you mean `order`? known keys: "),
        ("[terminal]\necho = \"ful\"", "`echo` in [terminal] cannot be `ful`; did you mean `full`? known words: full, redraw, none"),
        ("[[failure]]\nkind = \"refuse\"\nmatch = \"^no\"", "`kind` in [[failure]] number 1 cannot be `refuse`; did you mean `refused`? "),
        ("[[failure]]\nkind = \"refused\"\nmatch = \"(\"", "failure `(`: unclosed group"),
        ("[sends]\nmark = \"echo {noncee}{enter}\"", "send `mark` holds `{noncee}`, which is no placeholder; did you mean `{nonce}`? "),
        (
            "[sends]\nmark = \"{config.falt}\"",
            "did you mean `{config.fault}`? known are `{enter}`, `{nonce}`, `{user}`, `{config.fault}`, `{config.role}`",
        ),
        ("[pipe]\nstart = \"sh\"\nsetup = \"\"\nrun = \"eval x\"", "`run` in [pipe] holds `{command}` 0 times; it must stand there once"),
    ] {
        let settings = "[config.fault]\ndefault = \"\"\n[config.role]\ndefault = \"\"\n";
        desk.write("plugin.toml", &format!("schema = 1\nname = \"slip\"\nversion = \"1.0.0\"\n{lines}\n{settings}"));
        let packed = desk.plugin(&["pack", "bare.wasm", "--manifest", "plugin.toml", "--out", "slip.wasm"]);
        // What only the loader finds is told by the check.
        let why = if packed.ok { desk.plugin(&["check", "slip.wasm"]).out } else { packed.err };
        assert!(why.contains(told), "{lines}\n{why}");
    }
}

#[test]
fn pin_writes_into_a_configuration_and_leaves_the_rest_of_it() {
    let desk = Desk::new();
    let before = "# Our devices.\n[device.web1]   # the web server\nhost = \"192.0.2.1\"\n\n[policy]\nmode = \"safe\" # for now\n";
    desk.write("jackfield.toml", before);
    let shown = desk.plugin(&["pin", "faulty.wasm"]);
    assert!(shown.ok && shown.out.contains("[plugin.faulty]\npath = \"faulty.wasm\"\n"), "{}", shown.out);
    assert!(!shown.out.contains("takes the place"), "{}", shown.out);
    let instead = desk.plugin(&["pin", "faulty.wasm", "--name", "sudo"]);
    assert!(instead.ok && instead.out.contains("# it takes the place of the bundled plugin `sudo`, "), "{}", instead.out);
    assert_eq!(desk.read("jackfield.toml"), before);
    // What would not load is not pinned.
    let signer = ["pin", "faulty.wasm", "--write", "--signer", "plugins@acme.example"];
    let unsigned = desk.plugin(&signer);
    assert!(!unsigned.ok && unsigned.err.contains("must be signed by `plugins@acme.example`"), "{}", unsigned.err);
    std::fs::write(desk.path("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let core = desk.plugin(&["pin", "core.wasm", "--write"]);
    assert!(!core.ok && core.err.contains("is a core module"), "{}", core.err);
    assert_eq!(desk.read("jackfield.toml"), before);
    desk.key("ed25519");
    desk.allow("plugins@acme.example", "", "ed25519");
    let sign = || assert!(desk.plugin(&["sign", "faulty.wasm", "--key", "ed25519"]).ok);
    sign();
    let written = desk.plugin(&signer);
    assert!(written.ok, "{}", written.err);
    let after = desk.read("jackfield.toml");
    assert!(
        after.starts_with(before) && after.contains("path = \"faulty.wasm\"") && after.contains("signer = \"plugins@acme.example\""),
        "{after}"
    );
    // A new build, and a comment that somebody wrote meanwhile.
    desk.write("jackfield.toml", &after.replace("path = \"faulty.wasm\"", "path = \"faulty.wasm\" # built here"));
    let mut wasm = std::fs::read(desk.path("faulty.wasm")).unwrap();
    wasm.extend_from_slice(b"\0\x03\x02hi");
    std::fs::write(desk.path("faulty.wasm"), wasm).unwrap();
    let old = desk.plugin(&["pin", "faulty.wasm", "--write"]);
    assert!(!old.ok && old.err.contains("is not of this file"), "{}", old.err);
    sign();
    assert!(desk.plugin(&["pin", "faulty.wasm", "--write"]).ok);
    let again = desk.read("jackfield.toml");
    assert!(again != after && again.contains("# built here") && again.matches("digest").count() == 1, "{again}");
    desk.write("jackfield.toml", "[device.web1\n");
    let broken = desk.plugin(&["pin", "faulty.wasm", "--write"]);
    assert!(!broken.ok && desk.read("jackfield.toml") == "[device.web1\n", "{}", broken.err);
}

/// A reload takes all of a configuration or nothing of it.
#[test]
fn pin_writes_nothing_that_a_server_would_refuse() {
    let desk = Desk::new();
    std::fs::copy(Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("hostile.wasm"), desk.path("hostile.wasm")).unwrap();
    let device = "[device.d1]\nhost = \"192.0.2.1\"\n";
    desk.write("jackfield.toml", device);
    let grant = ["pin", "hostile.wasm", "--grant", "sudo"];
    let why = "[plugin.hostile] is granted the secret `sudo`, which no device has; devices have: none";
    let shown = desk.plugin(&grant);
    assert!(shown.ok && shown.out.contains("secrets = [\"sudo\"]") && shown.out.contains(why), "{} {}", shown.out, shown.err);
    let write = [&grant[..], &["--write"]].concat();
    let refused = desk.plugin(&write);
    assert!(!refused.ok && refused.err.contains(why) && refused.err.contains("nothing was pinned"), "{}", refused.err);
    assert_eq!(desk.read("jackfield.toml"), device);

    // Once a device has it; what else is wrong there is told, and stays the operator's.
    let device = format!("{device}secrets.sudo = {{ env = \"NONE\" }}\n");
    desk.write("jackfield.toml", &device);
    let written = desk.plugin(&write);
    assert!(written.ok && !written.out.contains("until that is mended"), "{} {}", written.out, written.err);
    assert!(desk.read("jackfield.toml").contains("secrets = [\"sudo\"]"), "{}", desk.read("jackfield.toml"));
    desk.write("jackfield.toml", &format!("{device}[device.d2]\nhost = \"192.0.2.2\"\ntype = \"acme_next\"\n"));
    let told = desk.plugin(&write);
    let other = told.out.contains("unknown device type `acme_next` in [device.d2]") && told.out.contains("until that is mended");
    assert!(told.ok && other && desk.read("jackfield.toml").contains("[plugin.hostile]"), "{} {}", told.out, told.err);
}

#[test]
fn signatures_are_those_of_ssh_keygen_both_ways() {
    let desk = Desk::new();
    for kind in ["ed25519", "rsa", "ecdsa"] {
        desk.key(kind);
        desk.allow("plugins@acme.example", "namespaces=\"jackfield-plugin\"", kind);
        // Ours, checked by theirs.
        let signed = desk.plugin(&["sign", "faulty.wasm", "--key", kind]);
        assert!(signed.ok, "{kind}: {}", signed.err);
        let check = "ssh-keygen -Y verify -f allowed_signers -I plugins@acme.example -n jackfield-plugin -s faulty.wasm.sig < faulty.wasm";
        let theirs = desk.run("sh", &["-c", check]);
        assert!(theirs.ok, "{kind}: {} {}", theirs.out, theirs.err);
        // Theirs, checked by ours.
        std::fs::remove_file(desk.path("faulty.wasm.sig")).unwrap();
        let theirs = desk.run("ssh-keygen", &["-q", "-Y", "sign", "-n", "jackfield-plugin", "-f", kind, "faulty.wasm"]);
        assert!(theirs.ok, "{kind}: {}", theirs.err);
        let ours = desk.plugin(&["verify", "faulty.wasm", "--allowed-signers", "allowed_signers", "--signer", "plugins@acme.example"]);
        assert!(ours.ok && ours.out.contains("plugins@acme.example"), "{kind}: {}", ours.err);
        let inspected = desk.json(&["inspect", "faulty.wasm", "--allowed-signers", "allowed_signers"]);
        assert_eq!(inspected["signature"]["signers"], json!(["plugins@acme.example"]), "{inspected}");
    }
}

#[test]
fn a_key_with_a_passphrase_is_left_to_ssh_keygen() {
    let desk = Desk::new();
    install_missing(&[("ssh-keygen", "openssh-client")]);
    assert!(desk.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "a passphrase", "-f", "locked"]).ok);
    let said = desk.plugin(&["sign", "faulty.wasm", "--key", "locked"]);
    assert!(!said.ok && said.err.contains("passphrase") && said.err.contains("ssh-keygen -Y sign -n jackfield-plugin"), "{}", said.err);
    let said = desk.plugin(&["sign", "faulty.wasm", "--key", "locked.pub"]);
    assert!(!said.ok && said.err.contains("public key"), "{}", said.err);
}

/// The signature that a configuration demands: each way to lack it, and the one to have it.
#[test]
fn a_plugin_loads_only_with_the_signature_that_is_demanded() {
    let desk = Desk::new();
    desk.key("ed25519");
    desk.key("ecdsa");
    desk.allow("plugins@acme.example", "", "ed25519");
    assert!(desk.plugin(&["sign", "faulty.wasm", "--key", "ed25519"]).ok);
    assert!(desk.plugin(&["pin", "faulty.wasm", "--write", "--signer", "plugins@acme.example"]).ok);
    for file in ["allowed_signers", "faulty.wasm.sig"] {
        std::fs::remove_file(desk.path(file)).unwrap();
    }
    let config = desk.read("jackfield.toml")
        + "[type.odd]\nplugins = [\"faulty\"]\n[device.d1]\nhost = \"192.0.2.1\"\ntype = \"odd\"\n[device.d1.password]\nenv = \"NONE\"\n";
    desk.write("jackfield.toml", &config);
    let refused = |word: &str| {
        let said = desk.run(env!("CARGO_BIN_EXE_jackfield"), &["check", "--config", "jackfield.toml"]);
        assert!(
            !said.ok && said.out.contains("must be signed by `plugins@acme.example`") && said.out.contains(word),
            "{word}: {}",
            said.out
        );
    };
    let sign = |key: &str, namespace: &str| {
        let _ = std::fs::remove_file(desk.path("faulty.wasm.sig"));
        assert!(desk.run("ssh-keygen", &["-q", "-Y", "sign", "-n", namespace, "-f", key, "faulty.wasm"]).ok);
    };
    refused("there is no signature");
    desk.write("faulty.wasm.sig", "hello\n");
    refused("is no signature");
    sign("ed25519", "jackfield-plugin");
    refused("there is no file");
    desk.allow("plugins@acme.example", "", "ecdsa");
    refused("in no line of the allowed signers");
    desk.allow("others@acme.example", "", "ed25519");
    refused("the key of `others@acme.example`");
    desk.allow("plugins@acme.example", "valid-before=\"20200101Z\"", "ed25519");
    refused("has expired");
    desk.allow("plugins@acme.example", "namespaces=\"file\"", "ed25519");
    refused("other `namespaces`");
    desk.allow("plugins@acme.example", "", "ed25519");
    sign("ed25519", "file");
    refused("is for `file`");
    desk.write("other.wasm", "another file");
    assert!(desk.plugin(&["sign", "other.wasm", "--key", "ed25519"]).ok);
    std::fs::copy(desk.path("other.wasm.sig"), desk.path("faulty.wasm.sig")).unwrap();
    refused("is not of this file");
    sign("ed25519", "jackfield-plugin");
    let good = desk.run(env!("CARGO_BIN_EXE_jackfield"), &["check", "--config", "jackfield.toml"]);
    assert!(good.ok, "{} {}", good.out, good.err);
    // The keys may be elsewhere.
    std::fs::rename(desk.path("allowed_signers"), desk.path("keys")).unwrap();
    refused("there is no file");
    desk.write("jackfield.toml", &format!("{config}[signing]\nallowed_signers = \"keys\"\n"));
    let good = desk.run(env!("CARGO_BIN_EXE_jackfield"), &["check", "--config", "jackfield.toml"]);
    assert!(good.ok, "{} {}", good.out, good.err);
    // The server says the same as the check.
    std::fs::remove_file(desk.path("faulty.wasm.sig")).unwrap();
    let path = format!("path = {:?}", desk.path("faulty.wasm"));
    let mut client = Client::start(&config.replace("path = \"faulty.wasm\"", &path));
    let message = client.error("ssh_run", json!({"target": "d1", "command": "true"}));
    assert!(message.contains("must be signed by"), "{message}");
}
