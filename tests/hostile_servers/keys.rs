//! A host whose key is another one than before.

use super::*;
use crate::audit::events;
use crate::support::process::until;
use crate::support::script::Script;

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

#[test]
fn keys_that_a_host_does_not_prove_are_not_recorded() {
    let server = Script::start("asyncssh==2.24.1", "hostile_servers/server.py", &[]);
    let folder = tempfile::tempdir().unwrap();
    let names = ["no-proof", "wrong-proof", "right-proof"];
    let known = |name: &str| folder.path().join(name);
    let devices = names.map(|name| {
        fs::copy(server.known_hosts(), known(name)).unwrap();
        let own = server.device(name, name).replace(server.known_hosts().to_str().unwrap(), known(name).to_str().unwrap());
        own + "update_host_keys = true\n"
    });
    let mut client = Client::start(&devices.concat());
    for name in names {
        let result = client.call("ssh_run", json!({"target": name, "command": "true", "lane": "exec"}));
        assert_eq!(result["output"], "fine\n", "{result}");
    }
    let records = || -> std::collections::BTreeMap<String, Value> {
        let of_keys = events(&client, &[]).into_iter().filter(|event| event["kind"] == "host_keys");
        of_keys.map(|event| (event["device"].as_str().unwrap().to_owned(), event)).collect()
    };
    until("each of them is on record", || records().len() == names.len());
    let records = records();
    for (name, why) in [("no-proof", "it refuses to"), ("wrong-proof", "a signature is wrong")] {
        assert!(records[name]["refused"].as_str().unwrap().contains(why), "{:#?}", records[name]);
        assert_eq!(fs::read(known(name)).unwrap(), fs::read(server.known_hosts()).unwrap());
    }
    assert_eq!(records["right-proof"]["learned"].as_array().unwrap().len(), 1);
    assert_eq!(fs::read_to_string(known("right-proof")).unwrap().lines().count(), 2);
}
