//! Who logs in, and with what.

use std::os::unix::net::UnixListener;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::{LineEnding, private, public};

use super::*;

/// An agent with a key, on a socket in the server's folder.
fn agent(server: &Sshd, key: &Path, passphrase: &str) -> (Running, PathBuf) {
    let socket = file(server, &format!("agent-{}", key.file_name().unwrap().to_string_lossy()));
    let agent = Running::start(Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket));
    until("the agent listens", || socket.exists());
    let ask = file(server, "ask");
    fs::write(&ask, format!("#!/bin/sh\necho '{passphrase}'\n")).unwrap();
    fs::set_permissions(&ask, fs::Permissions::from_mode(0o755)).unwrap();
    let mut add = Command::new("ssh-add");
    add.arg(key).env("SSH_AUTH_SOCK", &socket).env("SSH_ASKPASS", &ask).env("SSH_ASKPASS_REQUIRE", "force").stdin(Stdio::null());
    must(&mut add);
    (agent, socket)
}

/// The device with this in place of its key and agent.
fn device(server: &Sshd, name: &str, lines: &str) -> String {
    let key = format!("key = \"{}/id\"\n", server.folder.path().display());
    let plain = server.device(name, "jft-bash", "linux").replace(&key, "").replace("agent = false\n", "");
    format!("{plain}{lines}\n")
}

#[test]
fn agents_sign_for_keys_that_are_locked_or_not_here() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        key_pair(&folder.join("locked"), "rsa", "open sesame");
        format!("AuthorizedKeysFile {0}/id.pub {0}/locked.pub", folder.display())
    });
    let folder = server.folder.path().display().to_string();
    let (_one, socket) = agent(&server, &file(&server, "id"), "");
    let (_two, other) = agent(&server, &file(&server, "locked"), "open sesame");
    let none = format!("{folder}/nobody");
    let config = [
        device(&server, "held", &format!("agent = \"{}\"", socket.display())),
        // The key is encrypted: its public half says which of the agent's is meant.
        device(&server, "locked", &format!("key = \"{folder}/locked\"\nagent = \"{}\"", other.display())),
        device(&server, "public", &format!("key = \"{folder}/locked.pub\"\nagent = \"{}\"", other.display())),
        device(
            &server,
            "opened",
            &format!("key = \"{folder}/locked\"\nagent = false\nsecrets.key-passphrase = {{ env = \"JFT_PHRASE\" }}"),
        ),
        device(&server, "shut", &format!("key = \"{folder}/locked\"\nagent = false")),
        device(&server, "absent", &format!("key = \"{folder}/locked\"\nagent = \"{none}\"")),
    ];
    let mut client = Client::start_with(&config.concat(), &[("JFT_PHRASE", "open sesame"), ("HOME", &folder)]);
    for device in ["held", "locked", "public", "opened"] {
        answers(&mut client, device);
    }
    let why = refused(&mut client, "shut");
    assert!(why.contains("is encrypted") && why.contains("secrets.key-passphrase"), "{why}");
    let why = refused(&mut client, "absent");
    assert!(why.contains(&none), "{why}");
    client.has_written_no("open sesame");
}

#[test]
fn agents_sign_for_keys_of_which_only_the_public_half_can_be_read() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        let (pem, authorized) = (folder.join("pem"), folder.join("away.pub"));
        must(Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-m", "PEM", "-N", "open sesame", "-f"]).arg(&pem));
        fs::copy(pem.with_extension("pub"), &authorized).unwrap();
        fs::set_permissions(&authorized, fs::Permissions::from_mode(0o644)).unwrap();
        format!("AuthorizedKeysFile {}", authorized.display())
    });
    let folder = server.folder.path().display().to_string();
    let (_agent, socket) = agent(&server, &file(&server, "pem"), "open sesame");
    let socket = socket.display();
    let names = format!(
        "Host named\n  HostName 127.0.0.1\n  Port {}\n  User jft-bash\n  IdentityFile {folder}/away\n  IdentitiesOnly yes\n  IdentityAgent {socket}\n  UserKnownHostsFile {folder}/known_hosts\n",
        server.port
    );
    fs::write(file(&server, "ssh_config"), names).unwrap();
    let config = [
        format!("[ssh]\nconfig = \"{folder}/ssh_config\"\n[device.named]\ntype = \"linux\"\n"),
        device(&server, "pem", &format!("key = \"{folder}/pem\"\nagent = \"{socket}\"")),
        device(&server, "away", &format!("key = \"{folder}/away\"\nagent = \"{socket}\"")),
    ];
    let mut client = Client::start(&config.concat());
    for device in ["named", "pem", "away"] {
        answers(&mut client, device);
    }
}

#[test]
fn an_agent_signs_for_certificates_that_are_only_files() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        key_pair(&folder.join("authority"), "ed25519", "");
        format!("TrustedUserCAKeys {}", folder.join("authority.pub").display())
    });
    let folder = server.folder.path().display().to_string();
    for name in ["held", "other"] {
        key_pair(&file(&server, name), "rsa", "");
    }
    // The agent takes the key before there is a certificate beside it, which it would take as well.
    let (_agent, socket) = agent(&server, &file(&server, "held"), "");
    must(Command::new("ssh-add").arg(file(&server, "other")).env("SSH_AUTH_SOCK", &socket));
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-s"]).arg(file(&server, "authority")).args(["-I", "test", "-n", "jft-bash", "-V", "+1h"]);
    must(sign.arg(file(&server, "held.pub")));
    fs::copy(file(&server, "held-cert.pub"), file(&server, "moved.pub")).unwrap();
    fs::remove_file(file(&server, "held")).unwrap();
    let socket = socket.display();
    let config = [
        device(&server, "named", &format!("certificate = \"{folder}/moved.pub\"\nagent = \"{socket}\"")),
        device(&server, "beside", &format!("key = \"{folder}/held\"\nagent = \"{socket}\"")),
        device(&server, "without", &format!("agent = \"{socket}\"")),
    ];
    let mut client = Client::start_with(&config.concat(), &[("HOME", &folder)]);
    for device in ["named", "beside"] {
        answers(&mut client, device);
    }
    let why = refused(&mut client, "without");
    assert!(why.contains("2 keys of agent"), "{why}");
}

#[test]
fn a_key_of_a_hardware_token_does_not_end_the_login() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|folder| {
        let own = folder.join(".ssh");
        let (path, authorized) = (own.join("id_ed25519_sk"), folder.join("token.pub"));
        let token = private::SkEd25519::new(public::SkEd25519::from(public::Ed25519PublicKey([7; 32])), 1, vec![7; 32]).unwrap();
        let key = PrivateKey::from(token);
        fs::create_dir(&own).unwrap();
        fs::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&authorized, key.public_key().to_openssh().unwrap()).unwrap();
        fs::set_permissions(&authorized, fs::Permissions::from_mode(0o644)).unwrap();
        format!("AuthorizedKeysFile {}", authorized.display())
    });
    let folder = server.folder.path().display().to_string();
    let config = device(&server, "web1", "agent = false\npassword = { env = \"JFT_PASSWORD\" }");
    let mut client = Client::start_with(&config, &[("JFT_PASSWORD", PASSWORD), ("HOME", &folder)]);
    answers(&mut client, "web1");
}

#[test]
fn keys_that_lie_here_and_in_the_agent_are_offered_once() {
    account("jft-bash", Path::new("/bin/bash"));
    // Three keys that it does not know, and the password.
    let server = Sshd::start_with(|folder| {
        fs::create_dir(folder.join(".ssh")).unwrap();
        for kind in ["rsa", "ecdsa", "ed25519"] {
            key_pair(&folder.join(".ssh").join(format!("id_{kind}")), kind, "");
        }
        "MaxAuthTries 4".to_owned()
    });
    let folder = server.folder.path().display().to_string();
    let own = |kind: &str| server.folder.path().join(".ssh").join(format!("id_{kind}"));
    let (_agent, socket) = agent(&server, &own("rsa"), "");
    for kind in ["ecdsa", "ed25519"] {
        must(Command::new("ssh-add").arg(own(kind)).env("SSH_AUTH_SOCK", &socket).stdin(Stdio::null()));
    }
    let config = device(&server, "web1", &format!("agent = \"{}\"\npassword = {{ env = \"JFT_PASSWORD\" }}", socket.display()));
    let mut client = Client::start_with(&config, &[("JFT_PASSWORD", PASSWORD), ("HOME", &folder)]);
    answers(&mut client, "web1");
}

#[test]
fn servers_that_want_two_proofs_get_both() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|_| "AuthenticationMethods publickey,password\nMaxAuthTries 2".to_owned());
    let key = format!("key = \"{}/id\"\nagent = false\n", server.folder.path().display());
    let config = [
        device(&server, "both", &format!("{key}password = {{ env = \"JFT_PASSWORD\" }}")),
        device(&server, "half", &key),
        device(&server, "wrong", &format!("{key}password = {{ env = \"JFT_WRONG\" }}")),
    ];
    let mut client = Client::start_with(&config.concat(), &[("JFT_PASSWORD", PASSWORD), ("JFT_WRONG", "wrong horse")]);
    answers(&mut client, "both");
    let why = refused(&mut client, "half");
    assert!(why.contains("a first step was accepted") && why.contains("the server takes password"), "{why}");
    let why = refused(&mut client, "wrong");
    assert!(why.contains("the password is not accepted"), "{why}");
    client.has_written_no("wrong horse");
}

#[test]
fn a_wrong_password_is_not_tried_until_the_account_is_locked() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = device(&server, "web1", "agent = false\nkey = \"/dev/null\"\npassword = { env = \"JFT_WRONG\" }")
        .replace("key = \"/dev/null\"\n", "");
    let folder = server.folder.path().display().to_string();
    let mut client = Client::start_with(&config, &[("JFT_WRONG", "wrong horse"), ("HOME", &folder)]);
    for _ in 0..3 {
        assert!(refused(&mut client, "web1").contains("the password is not accepted"));
    }
    let why = refused(&mut client, "web1");
    assert!(why.contains("so that no account is locked"), "{why}");
}

#[test]
fn a_wrong_password_behind_an_accepted_key_counts_too() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|_| "AuthenticationMethods publickey,password".to_owned());
    let key = format!("key = \"{}/id\"\nagent = false\n", server.folder.path().display());
    let config = device(&server, "web1", &format!("{key}password = {{ env = \"JFT_WRONG\" }}"));
    let mut client = Client::start_with(&config, &[("JFT_WRONG", "wrong horse")]);
    for _ in 0..3 {
        assert!(refused(&mut client, "web1").contains("the password is not accepted"));
    }
    let why = refused(&mut client, "web1");
    assert!(why.contains("so that no account is locked"), "{why}");
}

#[test]
fn an_agent_is_lent_only_where_the_configuration_says_so() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let (_agent, socket) = agent(&server, &file(&server, "id"), "");
    let with = format!("agent = \"{}\"", socket.display());
    let config = [device(&server, "lent", &format!("{with}\nforward_agent = true")), device(&server, "kept", &with)];
    let mut client = Client::start(&config.concat());
    let result = opened(&mut client, "lent");
    assert!(result["warnings"].to_string().contains("your agent is lent"), "{result}");
    // The key signs there for a login to the same server.
    let again = format!(
        "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p {} jft-bash@127.0.0.1 echo signed 2>/dev/null",
        server.port
    );
    assert_eq!(client.run("lent", &again)["output"], "signed\n");
    assert_eq!(client.run("lent", "ssh-add -l | wc -l")["output"], "1\n");
    assert_eq!(client.run("kept", "echo ${SSH_AUTH_SOCK:-none}")["output"], "none\n");
}

/// Some agents do not know what binds them to a connection; who asks on the device hears of that.
#[test]
fn an_agent_that_cannot_be_lent_keeps_nobody_waiting() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let socket = file(&server, "old-agent");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut length = [0; 4];
            while stream.read_exact(&mut length).is_ok() {
                let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
                stream.read_exact(&mut request).unwrap();
                stream.write_all(&[0, 0, 0, 1, 5]).unwrap();
            }
        }
    });
    let lines = format!("key = {:?}\nagent = {socket:?}\nforward_agent = true", file(&server, "id"));
    let mut client = Client::start(&device(&server, "lent", &lines));
    let result = client.run("lent", "ssh-add -l; echo $?");
    assert_eq!(result["state"], "done", "{result}");
    assert!(!result["output"].as_str().unwrap().ends_with("0\n"), "{result}");
    until("the operator is told", || client.log().contains("cannot bind what it signs"));
}
