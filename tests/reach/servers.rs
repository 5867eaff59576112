//! Servers that are set up in odd ways.

use super::*;

#[test]
fn a_banner_of_100_kb_is_cut_and_the_session_opens() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        fs::write(folder.join("banner"), "Authorised use only. ".repeat(5_000)).unwrap();
        format!("Banner {}", folder.join("banner").display())
    });
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let result = opened(&mut client, "web1");
    assert!(result["banner"].as_str().unwrap().starts_with("Authorised use only."), "{result}");
    answers(&mut client, "web1");
}

#[test]
fn a_server_that_gives_no_terminal_still_runs_commands() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|_| "PermitTTY no".to_owned());
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let why = refused(&mut client, "web1");
    assert!(why.contains("it refuses a terminal"), "{why}");
    let result = client.call("ssh_run", json!({"target": "web1", "command": "echo fine", "lane": "exec"}));
    assert_eq!((result["exit_code"].as_i64(), result["output"].as_str()), (Some(0), Some("fine\n")), "{result}");
}

#[test]
fn a_forced_command_is_told_as_what_it_is() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|_| "ForceCommand echo only this; exit 5".to_owned());
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let result = client.call("ssh_open", json!({"host": "web1", "wait_s": 20}));
    assert!(result.to_string().contains("only this") || result["ok"] == false, "{result}");
    let result = client.call("ssh_run", json!({"target": "web1", "command": "echo fine", "lane": "exec"}));
    assert_eq!((result["exit_code"].as_i64(), result["output"].as_str()), (Some(5), Some("only this\n")), "{result}");
}

#[test]
fn keys_are_exchanged_anew_in_the_middle_of_output() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|_| "RekeyLimit 1M".to_owned());
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    for lane in ["terminal", "exec"] {
        let mut arguments = json!({"target": "web1", "command": "seq 1000000 | tee /dev/stderr 2>/dev/null | cksum; seq 1000000", "wait_s": 45, "max_chars": 2000});
        if lane == "exec" {
            arguments["lane"] = json!("exec");
        }
        let result = client.call("ssh_run", arguments);
        assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(0)), "{lane}: {result}");
        assert!(result["output"].as_str().unwrap().ends_with("999999\n1000000\n"), "{lane}");
    }
}
