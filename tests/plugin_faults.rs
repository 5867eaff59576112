//! Plugins that misbehave: each is a clear error or does what the table of faults says; others do not notice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jackfield::plugin::catalog::{BUNDLED, Catalog};
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::load::Spec;
use serde_json::json;

use crate::support::catalog::{catalog, loader};

use crate::support::client::Client;
use crate::support::component::{digest, replaced};
use crate::support::sshd::{Sshd, account};

fn component() -> PathBuf {
    Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("faulty.wasm")
}

fn config(server: &Sshd, plugins: &str, fault: &str, role: &str) -> String {
    let file = component();
    let digest = digest(&std::fs::read(&file).unwrap());
    format!(
        "{}{}[type.odd]\nplugins = [{plugins}]\n[plugin.faulty]\npath = {file:?}\ndigest = \"sha256:{digest}\"\nconfig = {{ fault = \"{fault}\", role = \"{role}\" }}\n",
        server.device("web1", "jft-bash", "odd"),
        server.device("web2", "jft-bash", "linux"),
    )
}

#[test]
fn a_policy_plugin_that_fails_denies_and_others_do_not_notice() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    for (fault, word) in [("trap", "trapped"), ("loop", "did not return within"), ("memory", "more memory")] {
        let mut client = Client::start(&config(&server, "\"posix-shell\", \"faulty\"", fault, "policy"));
        let message = client.error("ssh_run", json!({"target": "web1", "command": "true"}));
        assert!(message.contains("`faulty`") && message.contains(word), "{fault}: {message}");
        // Why a plugin panicked is in the log alone.
        let why = "the setting asks for a trap";
        assert!(!message.contains(why) && (fault != "trap" || client.log().contains(why)), "{fault}: {message}\n{}", client.log());
        assert_eq!(client.run("web2", "echo fine")["output"], "fine\n");
    }
}

#[test]
fn a_prompt_plugin_that_fails_is_replaced_and_every_answer_says_so() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    // Without its policy role: a plugin that is off denies.
    let bytes = replaced(&std::fs::read(component()).unwrap(), b"jackfield:plugin/policy@0.1.0", b"jackfield:absent/policy@0.1.0");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompt.wasm");
    std::fs::write(&file, &bytes).unwrap();
    let good = digest(&std::fs::read(component()).unwrap());
    for fault in ["trap", "loop", "big-memo", "long-mode"] {
        let config = config(&server, "\"faulty\", \"generic-prompt\", \"guard\"", fault, "prompt").replace(&good, &digest(&bytes));
        let mut client = Client::start(&config.replace(&component().display().to_string(), &file.display().to_string()));
        let result = client.run("web1", "echo fine");
        assert_eq!(result["output"], "fine\n", "{fault}: {result}");
        assert!(result["warnings"].to_string().contains("degraded"), "{fault}: {result}");
    }
}

#[test]
fn a_file_that_is_not_the_pinned_one_is_refused() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let good = digest(&std::fs::read(component()).unwrap());
    let config = config(&server, "\"posix-shell\", \"faulty\"", "none", "policy").replace(&good, &"0".repeat(64));
    let mut client = Client::start(&config);
    let message = client.error("ssh_run", json!({"target": "web1", "command": "true"}));
    assert!(message.contains("is not the pinned file") && message.contains(&good), "{message}");
}

/// Names in the component are changed in place, so that it wants what nobody gets.
#[test]
fn the_network_and_another_track_of_the_contract_are_refused_by_name() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    for (from, to, words) in [
        ("jackfield:plugin/host@0.1.0", "wasi:sockets/network@0.2.30", "imports `wasi:sockets/network"),
        ("jackfield:plugin/prompt@0.1.0", "jackfield:plugin/prompt@0.0.9", "speaks `jackfield:plugin/prompt@0.0.9`"),
    ] {
        let bytes = replaced(&std::fs::read(component()).unwrap(), from.as_bytes(), to.as_bytes());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("odd.wasm");
        std::fs::write(&file, &bytes).unwrap();
        let good = digest(&std::fs::read(component()).unwrap());
        let config = config(&server, "\"posix-shell\", \"faulty\"", "none", "policy").replace(&good, &digest(&bytes));
        let config = config.replace(&component().display().to_string(), &file.display().to_string());
        let mut client = Client::start(&config);
        let message = client.error("ssh_run", json!({"target": "web1", "command": "true"}));
        assert!(message.contains(words), "{from}: {message}");
    }
}

/// What a plugin remembers, and what is typed for it, goes by the name in its manifest.
#[tokio::test]
async fn two_plugins_of_one_name_do_not_serve_a_type_together() {
    let wasm: &'static [u8] = BUNDLED.iter().find(|(name, _)| *name == "cisco-enable").unwrap().1;
    let with = async |name: &str| {
        let catalog = Catalog::new(vec![Spec::embedded(name, wasm)], BTreeMap::new(), loader());
        let plugins = catalog.plugins_of("cisco_ios").unwrap();
        DeviceType::load("cisco_ios", &plugins, &catalog).await.map(|kind| kind.plugins.len())
    };
    let error = with("my-ios").await.unwrap_err().to_string();
    assert!(
        error.starts_with("plugins `cisco-enable` and `my-ios` of device type `cisco_ios` both have the `name` `cisco-enable`"),
        "{error}"
    );
    assert!(
        error.contains("build one with another `name`, leave one out, or put its file") && error.contains("[plugin.cisco-enable]"),
        "{error}"
    );
    // In its place it is alone.
    assert!(with("cisco-enable").await.unwrap() > 1);
    let catalog = catalog();
    let own = |plugin: String| (catalog.check(&plugin).unwrap().manifest.name, plugin);
    let names: Vec<(String, String)> = catalog.plugin_names().into_iter().map(own).collect();
    assert!(names.iter().all(|(own, configured)| own == configured), "no two of the bundled ones: {names:?}");
}
