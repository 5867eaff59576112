//! Telnet: GNU inetutils' server with the system's login, and FRR's VTY on its own port.

use super::*;
use crate::support::frr::{SECRETS, Zebra};
use crate::support::sshd::free_port;
use crate::support::telnetd;

fn device(name: &str, port: u16, kind: &str, more: &str) -> String {
    format!("[device.{name}]\nline = \"telnet\"\nhost = \"127.0.0.1\"\nport = {port}\ntype = \"{kind}\"\n{more}\n")
}

/// The account and its password, for the usual two questions.
const ACCOUNT: &str = "user = \"jft-bash\"\npassword = { env = \"JFT_WORD\" }\n";

#[test]
fn a_server_by_telnet_is_as_exact_as_by_ssh() {
    account("jft-bash", Path::new("/bin/bash"));
    let (port, server) = (telnetd::serve(Path::new("/bin/login")), Sshd::start());
    let hop = server.device("hop", "jft-bash", "linux");
    let config = [
        hop,
        device("console", port, "linux", ACCOUNT),
        device("behind", port, "linux", &format!("{ACCOUNT}via = \"hop\"\n")),
        device("unknown", port, "auto", ACCOUNT),
        device("nobody", free_port(), "linux", ACCOUNT),
    ];
    let mut client = Client::start_with(&config.concat(), &[WORD]);
    let opened = open(&mut client, "console");
    assert_eq!(opened["ok"], true, "{opened}");
    assert!(opened["warnings"].to_string().contains("unencrypted"), "{opened}");
    for device in ["console", "behind", "unknown"] {
        is_exact(&mut client, device);
    }
    carries_everything(&mut client, "console");
    let terminal = client.run("console", "echo $TERM; stty size; tty | cut -c1-8");
    assert_eq!(terminal["output"], "xterm-256color\n50 200\n/dev/pts\n", "{terminal}");
    // The interrupt key reaches the program there.
    let running = client.call("ssh_run", json!({"target": "console", "command": "sleep 60", "wait_s": 1}));
    assert_eq!(running["state"], "running", "{running}");
    let stopped = client.call("ssh_interrupt", json!({"session": "console"}));
    assert_eq!(stopped["ok"], true, "{stopped}");
    is_exact(&mut client, "console");
    // What is opened again goes through the login again.
    client.call("ssh_close", json!({"session": "console"}));
    is_exact(&mut client, "console");
    let pipe = client.call("ssh_open", json!({"host": "console", "tty": false}));
    assert!(pipe["error"]["message"].as_str().unwrap().contains("only in a terminal"), "{pipe}");
    assert!(refused(&mut client, "nobody").contains("cannot reach `nobody`"));
    client.has_written_no(PASSWORD);
}

#[test]
fn a_wrong_password_by_telnet_is_told_counted_and_not_tried_for_ever() {
    account("jft-bash", Path::new("/bin/bash"));
    let port = telnetd::serve(Path::new("/bin/login"));
    let mut client = Client::start_with(&device("console", port, "linux", ACCOUNT), &[("JFT_WORD", "wrong horse 17")]);
    for _ in 0..3 {
        let why = refused(&mut client, "console");
        assert!(why.starts_with("login step 2 of [device.console] typed the secret `password` and it was refused"), "{why}");
        assert!(why.contains("login:`"), "{why}");
    }
    let why = refused(&mut client, "console");
    assert!(why.contains("was refused 3 times within an hour"), "{why}");
    client.has_written_no("wrong horse 17");
}

#[test]
fn the_vty_of_frr_is_reached_on_its_own_port() {
    let zebra = Zebra::start(600);
    let password = "password = { env = \"JFT_VTY\" }\nsecrets.enable = { env = \"JFT_ENABLE\" }\n";
    let own = "[[device.own.login]]\nexpect = '^Password: $'\nsecret = \"password\"\n";
    let wrong = password.replace("JFT_VTY", "JFT_ENABLE");
    let config = [
        device("edge1", zebra.port(), "frr_vty", password),
        device("own", zebra.port(), "frr_vty", &format!("{password}{own}")),
        device("wrong", zebra.port(), "frr_vty", &wrong),
    ];
    let mut client = Client::start_with(&config.concat(), &SECRETS);
    let mut outputs = Vec::new();
    for name in ["edge1", "own"] {
        let opened = open(&mut client, name);
        assert_eq!((opened["ok"].as_bool(), opened["state"].as_str()), (Some(true), Some("ready")), "{opened}");
        let enabled = client.run(name, "enable");
        assert_eq!((enabled["mode"].as_str(), enabled["failed"].as_bool()), (Some("privileged"), Some(false)), "{enabled}");
        let config = client.run(name, "show running-config");
        assert_eq!(config["state"], "done", "{config}");
        outputs.push(config["output"].as_str().unwrap().to_owned());
    }
    assert!(outputs[0].lines().count() > 600 && outputs[0] == outputs[1], "{}", outputs[0].lines().count());
    let why = refused(&mut client, "wrong");
    assert!(why.contains("login step 1 of [device.wrong] typed the secret `password` and it was refused"), "{why}");
    for (_, secret) in &SECRETS[..1] {
        client.has_written_no(secret);
    }
}
