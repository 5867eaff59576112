//! A host whose key is another one than before.

use super::*;

#[test]
fn a_host_that_comes_back_with_a_key_of_another_type_only_is_refused_as_changed() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let path = |name: &str| server.folder.path().join(name).display().to_string();
    crate::support::packages::must(std::process::Command::new("ssh-keygen").args(["-q", "-t", "ecdsa", "-N", "", "-f", &path("other")]));
    // The server that answers is the one that the file says now.
    let with = |key: &str| {
        let lines = fs::read_to_string(path("sshd_config")).unwrap().replace(&path("host"), &path(key));
        fs::write(path("now"), lines).unwrap();
    };
    let sshd = crate::support::find("sshd").unwrap().display().to_string();
    let way = format!("proxy = [\"{sshd}\", \"-i\", \"-e\", \"-f\", \"{}\"]\n", path("now"));
    with("host");
    let mut client = Client::start(&format!("{}{way}", server.device("web1", "jft-bash", "linux")));
    answers(&mut client, "web1");
    client.call("ssh_close", json!({"session": "web1"}));
    with("other");
    for lane in ["terminal", "exec"] {
        let mut arguments = json!({"target": "web1", "command": "echo fine", "wait_s": 20});
        if lane == "exec" {
            arguments["lane"] = json!("exec");
        }
        let result = client.call("ssh_run", arguments);
        told(&unclear(&result, "web1", "changed: presented ecdsa-sha2-nistp256 SHA256:"));
        assert!(result["error"]["message"].as_str().unwrap().contains("line 1: ssh-ed25519 SHA256:"), "{result}");
    }
    // It is trusted again once the old key is back.
    with("host");
    answers(&mut client, "web1");
}
