//! Network devices: FRR's real VTY behind a login, and the lab's.

use std::process::Command;

use serde_json::json;

use crate::support::client::Client;
use crate::support::frr::{self, SECRETS, Zebra};
use crate::support::sshd::{Sshd, account};

#[test]
fn the_vty_of_frr_pages_enables_and_fails_as_it_should() {
    let zebra = Zebra::start(600);
    account("jft-frr", &zebra.shell());
    let server = Sshd::start();
    let paged = "[plugin.cisco-enable]\nconfig = { paging = \"pages\" }\n";
    let device = frr::device(&server, "edge1", "jft-frr");
    let mut outputs = Vec::new();
    for plugin in ["", paged] {
        let mut client = Client::start_with(&format!("{device}{plugin}"), &SECRETS);
        let opened = client.call("ssh_open", json!({"host": "edge1", "wait_s": 40}));
        assert_eq!(opened["state"], "needs_input", "the VTY asks for its own password: {opened}");
        let answered = client.call("ssh_send", json!({"session": "edge1", "secret": "vty", "wait_s": 40, "expect": "edge1> "}));
        assert!(answered["ok"].as_bool().unwrap(), "{answered}");
        let enabled = client.run("edge1", "enable");
        assert_eq!((enabled["mode"].as_str(), enabled["failed"].as_bool()), (Some("privileged"), Some(false)), "{enabled}");
        let wrong = client.run("edge1", "show nonsense");
        assert_eq!(wrong["failed"], true, "{wrong}");
        let config = client.run("edge1", "show running-config");
        assert_eq!(config["state"], "done", "{config}");
        outputs.push(config["output"].as_str().unwrap().to_owned());
    }
    assert!(outputs[0].lines().count() > 600, "{}", outputs[0].lines().count());
    assert_eq!(outputs[0], outputs[1], "paged and not paged");
}

#[test]
fn the_demo_is_right() {
    let done = Command::new(env!("CARGO_BIN_EXE_jackfield")).arg("demo").output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}");
    assert!(text.contains(" right, 0 wrong"));
}
