//! Host keys and certificates: what is trusted, what is asked, what is refused.

use super::*;

/// Runs `jackfield hostkey`.
fn hostkey(client: &Client, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let out = command.arg("hostkey").args(arguments).arg("--config").arg(client.folder().join("jackfield.toml")).output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

#[test]
fn a_new_host_is_recorded_by_its_fingerprint_and_a_changed_one_is_not() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "linux").replace("/known_hosts\"", "/new/known_hosts\"");
    let mut client = Client::start(&config);
    let why = refused(&mut client, "web1");
    // Whoever is told types it in another folder than the client has started the program in.
    let next = format!("`jackfield hostkey accept web1 --config {}`", client.folder().join("jackfield.toml").display());
    assert!(why.contains("rule host-key.new") && why.contains(&next), "{why}");
    let (known, shown) = hostkey(&client, &["show", "web1", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert!(!known && shown["state"] == "unknown", "{shown}");
    let print = shown["fingerprint"].as_str().unwrap().to_owned();
    let theirs = Command::new("ssh-keygen").arg("-lf").arg(file(&server, "host.pub")).output().unwrap();
    assert!(String::from_utf8_lossy(&theirs.stdout).contains(&print), "{print}");
    let (_, picture) = hostkey(&client, &["show", "web1"]);
    let theirs = Command::new("ssh-keygen").arg("-lvf").arg(file(&server, "host.pub")).output().unwrap();
    let theirs = String::from_utf8_lossy(&theirs.stdout).into_owned();
    // The frame names the key's type differently; the picture in it is the same.
    for row in theirs.lines().skip(2).take(9) {
        assert!(picture.contains(row), "{picture}\n{theirs}");
    }
    let (done, said) = hostkey(&client, &["accept", "web1", "--fingerprint", "SHA256:wrong"]);
    assert!(!done && said.contains("nothing is recorded"), "{said}");
    let (done, said) = hostkey(&client, &["accept", "web1"]);
    assert!(!done && said.contains("at a terminal"), "{said}");
    assert!(!file(&server, "new").exists());
    let (done, said) = hostkey(&client, &["accept", "web1", "--fingerprint", &print]);
    assert!(done && said.contains("recorded"), "{said}");
    let (done, said) = hostkey(&client, &["accept", "web1", "--fingerprint", &print]);
    assert!(done && said.contains("recorded already"), "{said}");
    // Its owner says that it is another one.
    let (done, said) = hostkey(&client, &["accept", "web1", "--fingerprint", "SHA256:wrong"]);
    assert!(!done && said.contains(&format!("presents {print}, not SHA256:wrong, and that key is recorded in ")), "{said}");
    answers(&mut client, "web1");
    // OpenSSH reads what was written.
    let found = Command::new("ssh-keygen")
        .args(["-F", &format!("[127.0.0.1]:{}", server.port), "-f"])
        .arg(file(&server, "new/known_hosts"))
        .output();
    assert!(found.unwrap().status.success());
    // Another key at the same address.
    let line = fs::read_to_string(file(&server, "new/known_hosts")).unwrap();
    key_pair(&file(&server, "other"), "ed25519", "");
    let other = fs::read_to_string(file(&server, "other.pub")).unwrap();
    fs::write(file(&server, "new/known_hosts"), format!("{} {other}", line.split(' ').next().unwrap())).unwrap();
    client.call("ssh_close", json!({"session": "web1"}));
    let why = refused(&mut client, "web1");
    assert!(why.contains("changed"), "{why}");
    let (done, said) = hostkey(&client, &["accept", "web1", "--fingerprint", &print]);
    assert!(!done && said.contains("changed"), "{said}");
    let (known, said) = hostkey(&client, &["show", "web1"]);
    assert!(!known && said.contains("\nchanged  ") && !said.contains("not known"), "{said}");
}

#[test]
fn a_new_host_is_trusted_when_a_person_agrees() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "linux").replace("/known_hosts\"", "/new/known_hosts\"");
    let mut client = Client::start(&config);
    let result = client.call("ssh_run", json!({"target": "web1", "command": "echo fine"}));
    assert_eq!((result["state"].as_str(), result["verdict"]["rule"].as_str()), (Some("approval_needed"), Some("host-key.new")), "{result}");
    assert!(!file(&server, "new").exists(), "nothing is recorded before somebody agrees");
    let mut agreeing = Client::start_agreeing(&config, &[]);
    answers(&mut agreeing, "web1");
    let entry = |name: &str| {
        let text = fs::read_to_string(file(&server, name)).unwrap();
        text.split_whitespace().take(3).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(entry("new/known_hosts"), entry("known_hosts"));
    answers(&mut client, "web1");
}

#[test]
fn host_certificates_are_good_for_their_names_and_time_only() {
    account("jft-bash", Path::new("/bin/bash"));
    // The server's key gets its certificate before it starts.
    let certified = |options: &[&str]| {
        let server = Sshd::start_with(|folder| {
            key_pair(&folder.join("authority"), "ed25519", "");
            let mut sign = Command::new("ssh-keygen");
            sign.args(["-q", "-s"]).arg(folder.join("authority")).args(["-I", "the-host"]).args(options).arg(folder.join("host.pub"));
            must(&mut sign);
            format!("HostCertificate {}", folder.join("host-cert.pub").display())
        });
        let authority = fs::read_to_string(file(&server, "authority.pub")).unwrap();
        fs::write(file(&server, "known_hosts"), format!("@cert-authority * {authority}")).unwrap();
        let config = server.device("web1", "jft-bash", "linux");
        (server, Client::start(&config))
    };
    let (server, mut client) = certified(&["-h", "-n", "127.0.0.1", "-V", "+1h"]);
    answers(&mut client, "web1");
    let before = fs::read_to_string(file(&server, "known_hosts")).unwrap();
    for arguments in [&["show", "web1"][..], &["accept", "web1", "--fingerprint", "SHA256:any"]] {
        let (known, said) = hostkey(&client, arguments);
        assert!(known && said.contains("certified by an authority"), "{said}");
    }
    let (known, shown) = hostkey(&client, &["show", "web1", "--json"]);
    assert!(known && shown.contains("\"state\":\"certified\""), "{shown}");
    assert_eq!(fs::read_to_string(file(&server, "known_hosts")).unwrap(), before, "there is nothing to record");
    // Its own key is revoked afterwards.
    let revoked = format!("@revoked * {}", fs::read_to_string(file(&server, "host.pub")).unwrap());
    let known = fs::read_to_string(file(&server, "known_hosts")).unwrap();
    fs::write(file(&server, "known_hosts"), format!("{known}{revoked}")).unwrap();
    client.call("ssh_close", json!({"session": "web1"}));
    assert!(refused(&mut client, "web1").contains("is revoked"));
    for (options, why) in [
        (&["-h", "-n", "other.example", "-V", "+1h"][..], "it is for other.example, not for 127.0.0.1"),
        (&["-h", "-n", "127.0.0.1", "-V", "20200101:20200102"], "it has expired"),
        (&["-h", "-n", "127.0.0.1", "-V", "+1d:+2d"], "it is not valid yet"),
    ] {
        let (_server, mut client) = certified(options);
        let said = refused(&mut client, "web1");
        assert!(said.contains(why), "{said}");
        for arguments in [&["show", "web1"][..], &["accept", "web1", "--fingerprint", "SHA256:any"]] {
            let (known, said) = hostkey(&client, arguments);
            assert!(!known && said.contains(why), "{said}");
        }
    }
}

#[test]
fn a_key_that_is_refused_for_its_length_is_not_called_known_nor_recorded() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        must(Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]).arg(folder.join("rsa")));
        format!("HostKey {}\nHostKeyAlgorithms rsa-sha2-512", folder.join("rsa").display())
    });
    let recorded = file(&server, "known_hosts");
    let text = format!(
        "Host web1\n  HostName 127.0.0.1\n  Port {}\n  User jft-bash\n  RequiredRSASize 3072\n  UserKnownHostsFile {}\n",
        server.port,
        recorded.display()
    );
    fs::write(file(&server, "ssh_config"), text).unwrap();
    let config = format!("[ssh]\nconfig = \"{}\"\n[device.web1]\ntype = \"linux\"\n", file(&server, "ssh_config").display());
    let client = Client::start(&config);
    let public = fs::read_to_string(file(&server, "rsa.pub")).unwrap();
    for line in [String::new(), format!("[127.0.0.1]:{} {public}", server.port)] {
        fs::write(&recorded, &line).unwrap();
        let (known, shown) = hostkey(&client, &["show", "web1", "--json"]);
        let shown: Value = serde_json::from_str(shown.lines().next().unwrap_or_default()).unwrap_or_else(|_| panic!("{shown}"));
        assert!(!known && shown["state"] == "refused" && shown["why"].to_string().contains("is too short"), "{shown}");
        let (known, said) = hostkey(&client, &["show", "web1"]);
        assert!(!known && said.contains("\nrefused  ") && said.contains("`RequiredRSASize` wants 3072"), "{said}");
        let (done, said) = hostkey(&client, &["accept", "web1", "--fingerprint", shown["fingerprint"].as_str().unwrap()]);
        assert!(!done && said.contains("`RequiredRSASize` wants 3072"), "{said}");
        assert_eq!(fs::read_to_string(&recorded).unwrap(), line, "a record would be of no use");
    }
}

#[test]
fn the_key_of_a_jump_host_that_is_no_device_is_accepted_by_its_name() {
    account("jft-bash", Path::new("/bin/bash"));
    let (server, gate) = (Sshd::start(), Sshd::start());
    let config = file(&server, "ssh_config");
    let text = format!(
        "Host inner\n  HostName 127.0.0.1\n  Port {}\n  User jft-bash\n  ProxyJump jft-bash@127.0.0.1:{}\n\
         Host *\n  IdentityFile {}\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n",
        server.port,
        gate.port,
        file(&server, "id").display(),
        file(&gate, "id").display(),
        file(&server, "new/known_hosts").display()
    );
    fs::write(&config, text).unwrap();
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{}\"\n[device.inner]\ntype = \"linux\"\n", config.display()));
    for (name, port) in [("127.0.0.1", gate.port), ("inner", server.port)] {
        let why = refused(&mut client, "inner");
        assert!(why.contains(&format!("jackfield hostkey accept {name}")), "{why}");
        let (known, shown) = hostkey(&client, &["show", name, "--json"]);
        let shown: Value = serde_json::from_str(shown.lines().next().unwrap_or_default()).unwrap_or_else(|_| panic!("{shown}"));
        assert!(!known && shown["host"] == format!("[127.0.0.1]:{port}"), "{shown}");
        let (done, said) = hostkey(&client, &["accept", name, "--fingerprint", shown["fingerprint"].as_str().unwrap()]);
        assert!(done && said.contains("recorded"), "{said}");
    }
    answers(&mut client, "inner");
    let (_, said) = hostkey(&client, &["show", "127.0.0.2"]);
    assert!(said.contains("there is no device `127.0.0.2`"), "{said}");
}

#[test]
fn user_certificates_log_in_as_their_principals() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        key_pair(&folder.join("authority"), "ed25519", "");
        format!("TrustedUserCAKeys {}", folder.join("authority.pub").display())
    });
    let cert = |name: &str, kind: &str, options: &[&str]| {
        key_pair(&file(&server, name), kind, "");
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-s"]).arg(file(&server, "authority")).args(["-I", name]).args(options).arg(file(&server, &format!("{name}.pub")));
        must(&mut sign);
        let key = format!("key = \"{}/id\"", server.folder.path().display());
        let own = format!("key = \"{}\"", file(&server, name).display());
        server.device(name, "jft-bash", "linux").replace(&key, &own)
    };
    let mut config = [
        cert("good", "ecdsa", &["-n", "jft-bash", "-V", "+1h"]),
        // Signed with SHA-2: with SHA-1 no server takes it.
        cert("rsa", "rsa", &["-n", "jft-bash", "-V", "+1h"]),
        cert("expired", "ecdsa", &["-n", "jft-bash", "-V", "20200101:20200102"]),
        cert("stranger", "ecdsa", &["-n", "somebody", "-V", "+1h"]),
        cert("elsewhere", "ecdsa", &["-n", "jft-bash", "-V", "+1h"]),
    ]
    .concat();
    // A certificate that lies elsewhere is named.
    fs::rename(file(&server, "elsewhere-cert.pub"), file(&server, "moved.pub")).unwrap();
    config = format!("{config}certificate = \"{}\"\n", file(&server, "moved.pub").display());
    let mut client = Client::start(&config);
    for device in ["good", "rsa", "elsewhere"] {
        answers(&mut client, device);
    }
    for device in ["expired", "stranger"] {
        let why = refused(&mut client, device);
        assert!(why.contains("the certificate of key"), "{why}");
    }
}

#[test]
fn a_certificate_goes_with_the_key_that_it_certifies_and_ends_no_login() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        key_pair(&folder.join("authority"), "ed25519", "");
        format!("TrustedUserCAKeys {}", folder.join("authority.pub").display())
    });
    for name in ["first", "second"] {
        key_pair(&file(&server, name), "ed25519", "");
    }
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-s"]).arg(file(&server, "authority")).args(["-I", "test", "-n", "jft-bash", "-V", "+1h"]);
    must(sign.arg(file(&server, "second.pub")));
    // Not beside its key: only its name in the configuration leads there.
    fs::rename(file(&server, "second-cert.pub"), file(&server, "moved.pub")).unwrap();
    let folder = server.folder.path().display().to_string();
    let host = |name: &str, keys: &[&str], certificate: &str| {
        let keys: String = keys.iter().map(|key| format!("  IdentityFile {folder}/{key}\n")).collect();
        format!(
            "Host {name}\n  HostName 127.0.0.1\n  Port {}\n  User jft-bash\n{keys}  CertificateFile {folder}/{certificate}\n  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known_hosts\n",
            server.port
        )
    };
    let hosts = [
        host("second", &["first", "second"], "moved.pub"),
        // The key itself is enough there.
        host("unfit", &["id"], "moved.pub"),
        host("absent", &["id"], "nothing.pub"),
        host("stranger-key", &["first"], "moved.pub"),
    ];
    fs::write(file(&server, "ssh_config"), hosts.concat()).unwrap();
    let table = |name: &str| format!("[device.{name}]\ntype = \"linux\"\nagent = false\n");
    let tables: String = ["second", "unfit", "absent", "stranger-key"].map(table).concat();
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{folder}/ssh_config\"\n{tables}"));
    for device in ["second", "unfit", "absent"] {
        answers(&mut client, device);
    }
    let why = refused(&mut client, "stranger-key");
    assert!(why.contains("is not accepted") && why.contains("moved.pub` is for none of the keys"), "{why}");
}

#[test]
fn old_algorithms_are_an_explicit_choice_that_is_shown() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        key_pair(&folder.join("rsa"), "rsa", "");
        format!(
            "HostKey {}\nHostKeyAlgorithms ssh-rsa\nKexAlgorithms diffie-hellman-group14-sha1\nCiphers aes128-cbc\nMACs hmac-sha1",
            folder.join("rsa").display()
        )
    });
    let public = fs::read_to_string(file(&server, "rsa.pub")).unwrap();
    fs::write(file(&server, "known_hosts"), format!("[127.0.0.1]:{} {public}", server.port)).unwrap();
    let plain = server.device("plain", "jft-bash", "linux");
    let old = format!("{}algorithms = \"legacy\"\n", server.device("old", "jft-bash", "linux"));
    let mut client = Client::start(&format!("{plain}{old}"));
    let why = refused(&mut client, "plain");
    assert!(why.contains("no key exchange in common; the device offers diffie-hellman-group14-sha1"), "{why}");
    assert!(why.contains("set `algorithms = \"legacy\"` in [device.plain]"), "{why}");
    let result = opened(&mut client, "old");
    let weak = result["warnings"].to_string();
    for name in ["diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc", "hmac-sha1"] {
        assert!(weak.contains(name), "{result}");
    }
    answers(&mut client, "old");
}
