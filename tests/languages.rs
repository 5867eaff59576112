//! Plugins that are not written in Rust: built from `examples/` with compilers from the registries, pinned, loaded and asked by the
//! real program on real devices.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use jackfield::limits::PLUGIN_DECIDE_MAX;
use jackfield::plugin::device_type::DeviceType;

use jackfield::plugin::load::{Source, Spec};
use jackfield::plugin::manifest::Interfaces;
use jackfield::plugin::roles::{Effect, Phase, Reading, Request, View};
use jackfield::plugin::session::SessionPlugins;
use serde_json::json;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

use crate::support::catalog::loader;
use crate::support::client::Client;
use crate::support::component::digest;
use crate::support::frr::Zebra;
use crate::support::packages::{folder, must, node_program, python};
use crate::support::sshd::{Sshd, account};

/// A C compiler with a libc for WebAssembly, as a Python package.
const ZIG: &str = "ziglang==0.17.1";
/// QuickJS as a component.
const QUICKJS: &str = "componentize-qjs@0.4.5";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// An example's folder.
fn example(language: &str) -> PathBuf {
    root().join("examples").join(language)
}

/// What an author does with `jackfield`.
fn jackfield(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.args(arguments).env_remove("JACKFIELD_CONFIG");
    command
}

/// The module or component with the manifest of the example.
fn packed(language: &str, made: &Path) -> PathBuf {
    let file = folder("languages").join(format!("{language}.wasm"));
    let manifest = example(language).join("plugin.toml");
    must(jackfield(&["plugin", "pack"]).arg(made).arg("--manifest").arg(manifest).arg("--out").arg(&file));
    file
}

/// Zig compiles its libc once for all that are built here.
fn compiler_cache(command: &mut Command) {
    let cache = folder("languages").join("c/cache");
    command.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
}

/// What a C author does with `wit-bindgen c`, `zig cc` and `jackfield plugin pack`.
fn c_plugin() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = folder("languages").join("c");
        std::fs::create_dir_all(&out).unwrap();
        let mut resolve = Resolve::default();
        resolve.push_path(root().join("wit")).unwrap();
        let (package, _) = resolve.push_path(example("c").join("plugin.wit")).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        let mut files = Files::default();
        wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files).unwrap();
        for (name, bytes) in files.iter() {
            std::fs::write(out.join(name), bytes).unwrap();
        }
        let mut zig = Command::new(python("zig", &[ZIG]));
        zig.args([
            "-m",
            "ziglang",
            "cc",
            "--target=wasm32-wasi",
            "-mexec-model=reactor",
            "-Wl,-z,stack-size=65536",
            "-Os",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-I",
        ])
        .arg(&out);
        compiler_cache(&mut zig);
        must(
            zig.arg(example("c").join("plugin.c"))
                .args(["device.c", "device_component_type.o"].map(|file| out.join(file)))
                .arg("-s")
                .arg("-o")
                .arg(out.join("core.wasm")),
        );
        packed("c", &out.join("core.wasm"))
    })
}

/// What a JavaScript author does with `componentize-qjs`.
fn javascript_plugin() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let tool = node_program("quickjs", &[QUICKJS], "componentize-qjs");
        let out = folder("languages").join("javascript");
        let wit = out.join("wit");
        std::fs::create_dir_all(wit.join("deps/jackfield")).unwrap();
        for entry in std::fs::read_dir(root().join("wit"))
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "wit"))
        {
            std::fs::copy(entry.path(), wit.join("deps/jackfield").join(entry.file_name())).unwrap();
        }
        std::fs::copy(example("javascript").join("plugin.wit"), wit.join("plugin.wit")).unwrap();
        let file = out.join("component.wasm");
        let mut quickjs = Command::new(tool);
        // Nothing of WASI is left: what QuickJS would ask for traps.
        quickjs.args(["--sync", "--opt-size", "--stub-wasi", "--wit"]).arg(&wit).arg("--js").arg(example("javascript").join("plugin.js"));
        must(quickjs.arg("-o").arg(&file));
        packed("javascript", &file)
    })
}

fn table(name: &str, file: &Path, more: &str) -> String {
    let bytes = std::fs::read(file).unwrap();
    format!("[plugin.{name}]\npath = {file:?}\ndigest = \"sha256:{}\"\n{more}\n", digest(&bytes))
}

#[test]
fn a_plugin_in_c_serves_a_real_router() {
    let zebra = Zebra::start_open(300);
    account("jft-c", &zebra.shell());
    let server = Sshd::start();
    let plugin = table("vty-in-c", c_plugin(), "");
    // The same router through the plugin in this program, with pages turned off.
    let config = format!("{plugin}{}{}", server.device("inc", "jft-c", "example_vty"), server.device("inrust", "jft-c", "frr_vty"));
    let mut client = Client::start(&config);
    let first = client.run("inc", "show version");
    assert!(first["output"].as_str().unwrap().starts_with("Quagga") || first["output"].as_str().unwrap().contains("FRRouting"), "{first}");
    assert_eq!((first["state"].as_str(), first["mode"].as_str()), (Some("done"), Some("user_exec")), "{first}");
    let enabled = client.run("inc", "enable");
    assert_eq!(
        (enabled["mode"].as_str(), enabled["confidence"].as_str(), enabled["failed"].as_bool()),
        (Some("privileged"), Some("learned"), Some(false)),
        "{enabled}"
    );
    client.run("inrust", "enable");
    let paged = client.run("inc", "show running-config");
    let whole = client.run("inrust", "show running-config");
    assert!(whole["output"].as_str().unwrap().lines().count() > 300, "{whole}");
    assert_eq!(paged["output"], whole["output"]);
    for (command, words) in [("show nonsense", "Unknown command"), ("show", "Command incomplete")] {
        let refused = client.run("inc", command);
        assert_eq!(refused["failed"], true, "{refused}");
        let line = refused["failure"].as_str().unwrap();
        assert!(line.starts_with("% ") && line.contains(words), "{refused}");
    }
    assert_eq!(client.run("inc", "configure terminal")["mode"], "config");
    assert_eq!(client.run("inc", "end")["mode"], "privileged");
    let plugins = client.call("ssh_info", json!({"topic": "plugins"}));
    let own = plugins["plugins"].as_array().unwrap().iter().find(|entry| entry["name"] == "vty-in-c").unwrap().clone();
    assert_eq!((own["state"].as_str(), &own["roles"]), (Some("ready"), &json!(["prompt", "pager", "outcome"])), "{own}");
}

/// Fewer than a vendor's: these pass as they are.
const VIEWS: &str = "3000";

/// The kit's report on a plugin; it must pass, and these checks must find something to try.
fn conforms(file: &Path, arguments: &[&str], tried: &[&str]) {
    let run = || {
        let mut test = jackfield(&["plugin", "test"]);
        let done = test.arg(file).args(arguments).args(["--conformance", "--json", "--views", VIEWS]).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        (done, report)
    };
    let (mut done, mut report) = run();
    // Where only the time is wrong that calls take, the machine may be busy.
    for _ in 0..2 {
        let checks = report["checks"].as_array().into_iter().flatten();
        let failed: Vec<&str> = checks.filter(|check| check["state"] == "failed").filter_map(|check| check["check"].as_str()).collect();
        if failed != ["times"] {
            break;
        }
        (done, report) = run();
    }
    assert!(done.status.success() && report["passed"] == true, "{report} {}", String::from_utf8_lossy(&done.stderr));
    let checks = report["checks"].as_array().unwrap();
    let passed = |name: &&str| checks.iter().any(|check| check["check"] == **name && check["state"] == "passed");
    assert!(tried.iter().all(passed), "{report}");
}

const WITH_RECORDINGS: [&str; 11] = [
    "recordings",
    "hostile output",
    "spoofed pages",
    "spoofed question",
    "slow echo",
    "messages",
    "settling",
    "random views",
    "purity",
    "times",
    "memory",
];

#[test]
fn the_plugin_in_c_passes_the_kit_that_ours_pass() {
    conforms(c_plugin(), &[example("c").join("recordings").to_str().unwrap()], &WITH_RECORDINGS);
}

#[test]
fn the_plugin_in_javascript_passes_the_kit_that_ours_pass_times_too() {
    let settings = r#"{"deny": "^git push\nsystemctl +(stop|restart)", "failures": "^fatal: ", "why": "ask the web team first"}"#;
    conforms(javascript_plugin(), &["--max-parts", "32", "--settings", settings], &["random views", "purity", "times", "memory"]);
}

/// A new project in C: the commands of its own page, but that the compiler is the one that the other tests installed.
#[test]
fn a_new_project_in_c_builds_and_passes_the_kit() {
    let folder = tempfile::tempdir().unwrap();
    let python = python("zig", &[ZIG]);
    let program = Path::new(env!("CARGO_BIN_EXE_jackfield")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for (name, roles, tried) in [
        ("acme-olt", "prompt,pager", &WITH_RECORDINGS[..]),
        ("acme-sw", "identify,prompt,pager,dialog,outcome,policy", &["recordings", "secret named", "wrong secret", "no secret"]),
        ("site_rules", "policy", &["recordings", "random views"]),
    ] {
        must(jackfield(&["plugin", "new", name, "--lang", "c", "--role", roles]).current_dir(folder.path()));
        let project = folder.path().join(name);
        std::os::unix::fs::symlink(python.parent().unwrap().parent().unwrap(), project.join(".tools")).unwrap();
        let page = std::fs::read_to_string(project.join("README.md")).unwrap();
        let commands = crate::guide::commands(&page);
        let install = format!("python3 -m venv .tools\n.tools/bin/pip install {ZIG} ");
        assert!(commands.starts_with(&install), "{commands}");
        let others: String = commands.lines().skip(2).map(|line| format!("{line}\n")).collect();
        assert!(others.contains("sh build.sh") && others.contains("--conformance"), "{others}");
        let mut shell = Command::new("sh");
        compiler_cache(shell.env("PATH", &path));
        must(shell.args(["-e", "-c", &others.replace("--conformance", "")]).current_dir(&project));
        let file = project.join(format!("{}.wasm", name.replace('-', "_")));
        conforms(&file, &[project.join("recordings").to_str().unwrap()], tried);
        if roles.contains("prompt") {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(is_sure_of_one_name_alone(&file));
        }
    }
}

/// A row that has stayed, long after the last command.
fn idle(tail: &str) -> View {
    View {
        rows_done: 0,
        revision: 0,
        tail: tail.to_owned(),
        recent: String::new(),
        marks: Vec::new(),
        phase: Phase::Idle,
        prompt: None,
        mode: String::new(),
        command: String::new(),
        echoed: true,
        bytes_since_send: 7,
        quiet_ms: 5_000,
        settle_ms: 50,
        goal: None,
        facts: Vec::new(),
    }
}

/// A prompt is the learned one only where it has the name that was learned.
async fn is_sure_of_one_name_alone(file: &Path) {
    let plugin = loader().load(&Spec { source: Source::File(file.to_owned()), ..Spec::embedded("own", &[]) }).await.unwrap();
    let mut plugins = SessionPlugins::new(Arc::new(DeviceType::of("own", vec![plugin])));
    for (tail, proof) in [("edge1#", "pattern"), ("edge1#", "learned"), ("core1#", "pattern"), ("core1#", "learned")] {
        match plugins.ask(&idle(tail)).await.prompt {
            Some(Reading::Ready(ready)) => assert_eq!(ready.proof, proof, "{tail}"),
            other => panic!("{tail}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn another_routers_prompt_is_not_the_learned_one_for_the_plugin_in_c() {
    is_sure_of_one_name_alone(c_plugin()).await;
}

/// In C it is easy to forget to free something: 20,000 views would be seven times the memory that an instance may have.
#[tokio::test]
async fn a_plugin_in_c_keeps_nothing() {
    let file = c_plugin();
    let interfaces = Interfaces::from_component(&std::fs::read(file).unwrap()).unwrap();
    assert!(interfaces.imports.iter().all(|import| import.starts_with("jackfield:plugin/")), "{interfaces:?}");
    let spec = Spec { source: Source::File(file.to_owned()), ..Spec::embedded("vty-in-c", &[]) };
    let plugin = loader().load(&spec).await.unwrap();
    let mut plugins = SessionPlugins::new(Arc::new(DeviceType::of("example_vty", vec![Arc::clone(&plugin)])));
    let view = View {
        recent: "x".repeat(2048),
        marks: vec!["m".repeat(500); 8],
        command: "c".repeat(1024),
        facts: vec![("a", "b".repeat(500).into())],
        ..idle("edge1# ")
    };
    for round in 0..20_000 {
        let readings = plugins.ask(&view).await;
        assert!(matches!(readings.prompt, Some(Reading::Ready(ref ready)) if ready.privileged), "{round}: {readings:?}");
        assert_eq!(readings.degraded, None, "{round}");
    }
    assert_eq!(plugin.health().0, 0);
}

#[test]
fn a_plugin_in_javascript_judges_the_commands_of_a_real_server() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let rules = "max_parts = 32\nconfig = { deny = \"\"\"\n^git push\nsystemctl +(stop|restart) +(nginx|postgres)\n\"\"\", why = \"ask the web team first\" }";
    let config = format!(
        "[type.web]\nplugins = [\"posix-shell\", \"sudo\", \"site-rules\", \"guard\"]\n{}{}",
        table("site-rules", javascript_plugin(), rules),
        server.device("web1", "jft-bash", "web")
    );
    let mut client = Client::start(&config);
    let fine = client.run("web1", "echo fine");
    assert_eq!((fine["output"].as_str(), fine["exit_code"].as_i64()), (Some("fine\n"), Some(0)), "{fine}");
    for (command, rule) in [("git push origin main", "site.deny-1"), ("sudo systemctl  restart nginx", "site.deny-2")] {
        let denied = client.run("web1", command);
        assert_eq!(denied["state"], "denied", "{denied}");
        assert!(denied["verdict"].to_string().contains(rule) && denied.to_string().contains("ask the web team first"), "{denied}");
    }
    // What it does not deny is left to the others: the guard proves reads and stops what destroys.
    let read = client.call("ssh_query", json!({"targets": ["web1"], "command": "cat /etc/hostname"}));
    assert_eq!(read["results"][0]["state"], "done", "{read}");
    assert_eq!(client.run("web1", "rm -rf /")["state"], "approval_needed");
    for _ in 0..50 {
        assert_eq!(client.run("web1", "true")["exit_code"], 0);
    }
    let plugins = client.call("ssh_info", json!({"topic": "plugins"}));
    let own = plugins["plugins"].as_array().unwrap().iter().find(|entry| entry["name"] == "site-rules").unwrap().clone();
    assert_eq!((own["state"].as_str(), &own["roles"]), (Some("ready"), &json!(["outcome", "policy"])), "{own}");

    // Its own check of the settings is told with the place.
    let wrong = config.replace("^git push", "^git (push");
    let message = Client::start(&wrong).error("ssh_run", json!({"target": "web1", "command": "true"}));
    assert!(message.contains("deny") && message.contains("is no regular expression"), "{message}");
}

/// What does not fit without the operator's word, and that what fits with it keeps to the bounds of time and memory.
#[tokio::test]
async fn a_plugin_in_javascript_has_more_parts_than_usual_and_stays_within_the_other_bounds() {
    let spec = |max_parts| Spec { source: Source::File(javascript_plugin().to_owned()), max_parts, ..Spec::embedded("site-rules", &[]) };
    let loader = loader();
    let refused = loader.load(&spec(None)).await.unwrap_err().to_string();
    assert!(refused.contains("resource limit exceeded") && refused.contains("raise `max_parts` in [plugin.site-rules]"), "{refused}");
    let mut settings = spec(Some(32));
    settings.settings.insert("deny".to_owned(), "^reload".into());
    let plugin = loader.load(&settings).await.unwrap();
    assert!(plugin.manifest.wasi.is_empty());
    let plugins = SessionPlugins::new(Arc::new(DeviceType::of("web", vec![Arc::clone(&plugin)])));
    let endless = "x".repeat(4096);
    let request = |command| Request {
        device: "web1",
        device_type: "web",
        mode: "shell",
        privileged: false,
        command,
        purpose: "run",
        caller: "test",
        policy_mode: "safe",
        facts: &[],
    };
    let started = std::time::Instant::now();
    for round in 0..5_000 {
        let command = if round % 2 == 0 { "reload now" } else { endless.as_str() };
        let decided = plugins.decide(&request(command)).await;
        let effect = decided[0].1.as_ref().unwrap().effect;
        assert_eq!(effect, if round % 2 == 0 { Effect::Deny } else { Effect::Abstain }, "{round}");
    }
    // 84 µs on a busy machine of two processors.
    assert!(started.elapsed() / 5_000 < PLUGIN_DECIDE_MAX / 5, "{:?}", started.elapsed() / 5_000);
    assert_eq!(plugin.health().0, 0);
}
