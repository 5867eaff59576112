//! What was released stays: the contract's text, and the plugins that were built against it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jackfield::kit::{self, State, Wanted};
use jackfield::plugin::load::Source;
use serde::Deserialize;
use serde_json::json;

use crate::support::client::Client;
use crate::support::component::digest;
use crate::support::frr::Zebra;
use crate::support::sshd::{Sshd, account};

/// The version that is being made.
const NOW: &str = env!("CARGO_PKG_VERSION");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `wit/released.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Released {
    interface: BTreeMap<String, Interface>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase", tag = "status")]
enum Interface {
    /// May be edited until this version is out.
    Draft { version: String },
    /// Never again.
    Released { version: String, sha256: String },
}

/// The text without comments and layout, which may be improved.
fn essence(wit: &str) -> String {
    let code = wit.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// What is wrong with this file of the contract.
fn objection(name: &str, text: &str, known: Option<&Interface>) -> Option<String> {
    let now = digest(essence(text).as_bytes());
    match known {
        None => Some(format!(
            "`wit/{name}.wit` is not in `wit/released.toml`; enter it there, as a draft of {NOW} or with `sha256 = \"{now}\"`"
        )),
        Some(Interface::Draft { version }) if version != NOW => Some(format!(
            "`wit/{name}.wit` is a draft of {version}, and this is {NOW}: plugins of {version} speak it; set it to `released` with `sha256 = \"{now}\"`"
        )),
        Some(Interface::Released { version, sha256 }) if *sha256 != now => Some(format!(
            "`wit/{name}.wit` was edited, and plugins out there speak it as it was released with {version}. Put it back; a new function goes into a \
             new interface in a file of its own, a changed type into a new track of the package that the host serves beside this one"
        )),
        Some(_) => None,
    }
}

#[test]
fn a_released_interface_is_not_edited() {
    let released: Released = toml::from_str(&std::fs::read_to_string(root().join("wit/released.toml")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut found = 0;
    for entry in std::fs::read_dir(root().join("wit")).unwrap().flatten() {
        let file = entry.path();
        let text = std::fs::read_to_string(&file).unwrap();
        // Worlds only name interfaces; a plugin does not notice one more.
        if file.extension().is_none_or(|extension| extension != "wit") || !essence(&text).contains(" interface ") {
            continue;
        }
        found += 1;
        let name = file.file_stem().unwrap().to_str().unwrap();
        wrong.extend(objection(name, &text, released.interface.get(name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(found, released.interface.len(), "an interface of `wit/released.toml` has no file");
}

#[test]
fn an_edit_is_told_with_what_to_do_instead() {
    let text = "package a:b@0.1.0;\n/// About it.\ninterface i { f: func(); }\n";
    let of = |text: &str| Interface::Released { version: "0.1.0".to_owned(), sha256: digest(essence(text).as_bytes()) };
    assert_eq!(objection("i", &text.replace("About it.", "Said better."), Some(&of(text))), None);
    let edited = objection("i", &text.replace("f: func()", "f: func(x: u32)"), Some(&of(text))).unwrap();
    assert!(edited.contains("a new function goes into a new interface"), "{edited}");
    let late = objection("i", text, Some(&Interface::Draft { version: "0.0.1".to_owned() })).unwrap();
    assert!(late.contains("set it to `released`"), "{late}");
    assert!(objection("i", text, None).unwrap().contains("enter it there"));
}

/// The plugins of a release, by name.
fn pieces(release: &str) -> Vec<(String, PathBuf)> {
    let folder = root().join("tests/museum").join(release);
    let files = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{NOW} keeps a plugin of each release in `{}`: {error}", folder.display()));
    let plugins = files.flatten().map(|entry| entry.path()).filter(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    plugins.map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), file)).collect()
}

#[test]
fn plugins_of_every_release_load_and_pass_the_kit() {
    let changes = std::fs::read_to_string(root().join("host/CHANGELOG.md")).unwrap();
    let releases: Vec<&str> = changes.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(releases.contains(&NOW), "{releases:?}");
    for release in releases {
        let pieces = pieces(release);
        assert!(!pieces.is_empty(), "no plugin of {release} was kept");
        for (name, file) in pieces {
            let wanted = Wanted {
                source: Source::File(file.clone()),
                settings: serde_json::Map::new(),
                max_parts: None,
                max_file_bytes: None,
                recordings: Some(file.with_extension("rec")),
                conformance: true,
                bench: false,
                fuel: false,
                views: 500,
                seed: 1,
                cuts: 4,
            };
            let report = kit::run(&wanted).unwrap_or_else(|error| panic!("`{name}` of {release} does not load any more: {error}"));
            assert!(report.passed(), "`{name}` of {release}: {:?}", report.checks);
            assert!(report.checks.iter().any(|check| check.name == "recordings" && check.state == State::Passed), "{name}");
        }
    }
}

#[test]
fn a_plugin_of_0_1_0_serves_a_real_router() {
    let (_, file) = pieces("0.1.0").into_iter().find(|(name, _)| name == "vty-in-c").unwrap();
    let zebra = Zebra::start_open(60);
    account("jft-museum", &zebra.shell());
    let server = Sshd::start();
    let pin = digest(&std::fs::read(&file).unwrap());
    let plugin = format!("[plugin.vty-in-c]\npath = {file:?}\ndigest = \"sha256:{pin}\"\n");
    let mut client = Client::start(&format!("{plugin}{}", server.device("edge1", "jft-museum", "example_vty")));
    let enabled = client.run("edge1", "enable");
    assert_eq!((enabled["mode"].as_str(), enabled["failed"].as_bool()), (Some("privileged"), Some(false)), "{enabled}");
    let shown = client.run("edge1", "show running-config");
    assert_eq!(shown["output"].as_str().unwrap().matches("ip prefix-list").count(), 60, "{shown}");
    let refused = client.run("edge1", "show nonsense");
    assert!(refused["failed"] == true && refused["failure"].as_str().unwrap().contains("Unknown command"), "{refused}");
    let plugins = client.call("ssh_info", json!({"topic": "plugins"}));
    let own = plugins["plugins"].as_array().unwrap().iter().find(|entry| entry["name"] == "vty-in-c").unwrap().clone();
    assert_eq!((own["state"].as_str(), own["digest"].as_str()), (Some("ready"), Some(format!("sha256:{pin}").as_str())), "{own}");
}
