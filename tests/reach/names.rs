//! What OpenSSH's client configuration names is reached as `ssh NAME` reaches it.

use super::*;

/// A configuration of OpenSSH for this server.
fn write(server: &Sshd) -> PathBuf {
    let folder = server.folder.path().display();
    let marker = file(server, "ran").display().to_string();
    let text = format!(
        "Host web1\n  HostName 127.0.0.1\n  Port {port}\n  User jft-bash\n\
         Host behind\n  HostName 127.0.0.1\n  Port {port}\n  User jft-bash\n  ProxyJump web1\n\
         Host far\n  HostName 127.0.0.1\n  Port {port}\n  User jft-bash\n  ProxyJump jft-bash@web1:{port},behind\n\
         Host program\n  HostName 127.0.0.1\n  Port {port}\n  User jft-bash\n  ProxyCommand ssh -F %d/none -i {folder}/id -o UserKnownHostsFile={folder}/known_hosts -p %p -W %h:%p %r@127.0.0.1\n\
         Host alias\n  HostName 127.0.0.1\n  Port {port}\n  User jft-bash\n  HostKeyAlias the-one\n\
         Host wild*\n  HostName 127.0.0.1\n\
         Match host none exec \"touch {marker}\"\n  User nobody\n\
         Match exec \"touch {marker}\"\n  IdentitiesOnly no\n\
         Host *\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known_hosts\n",
        port = server.port
    )
    .replace("-F %d/none", "-F /dev/null");
    let config = file(server, "ssh_config");
    fs::write(&config, text).unwrap();
    let known = fs::read_to_string(file(server, "known_hosts")).unwrap();
    let key = known.split_once(' ').unwrap().1;
    fs::write(file(server, "known_hosts"), format!("{known}the-one {key}")).unwrap();
    config
}

#[test]
fn names_of_the_ssh_configuration_are_devices() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = write(&server);
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{}\"\n[device.web1]\ntype = \"linux\"\n", config.display()));
    let hosts = client.call("ssh_hosts", json!({}));
    let names: Vec<&str> = hosts["hosts"].as_array().unwrap().iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["alias", "behind", "far", "program", "web1"], "patterns are no names");
    let host = |name: &str| hosts["hosts"].as_array().unwrap().iter().find(|host| host["name"] == name).unwrap().clone();
    assert_eq!(host("behind")["via"], "web1");
    assert_eq!(
        (host("web1")["address"].as_str(), host("web1")["user"].as_str()),
        (Some(format!("127.0.0.1:{}", server.port).as_str()), Some("jft-bash"))
    );
    for device in ["web1", "behind", "far", "program", "alias"] {
        opened(&mut client, device);
        answers(&mut client, device);
    }
    assert!(!file(&server, "ran").exists(), "commands of the configuration run only where the operator allows it");
    let said = client.error("ssh_open", json!({"host": "wildcat"}));
    assert!(said.contains("there is no device `wildcat`"), "{said}");
}

#[test]
fn what_the_table_says_wins_and_the_doctor_says_where_it_stands() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = write(&server);
    let own = "[ssh]\nconfig = false\n[device.web1]\nuser = \"root\"\n";
    let client = Client::start(own);
    let resolve = |device: &str| -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        command.args(["doctor", device, "--resolve-only", "--json", "--ssh-config"]).arg(&config);
        let out = command.arg("--config").arg(client.folder().join("jackfield.toml")).output().unwrap();
        serde_json::from_slice::<Value>(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"))["steps"][0]["facts"].clone()
    };
    let web1 = resolve("web1");
    assert_eq!((web1["user"].as_str(), web1["port"].as_u64()), (Some("root"), Some(u64::from(server.port))), "{web1}");
    assert!(web1["from"].to_string().contains(&format!("port {}:3", config.display())), "{web1}");
    assert_eq!(web1["keys"], json!([file(&server, "id").display().to_string()]));
    assert_eq!(web1["known_hosts"][0], json!(file(&server, "known_hosts").display().to_string()));
    let far = resolve("far");
    assert_eq!(far["way"], format!("through jft-bash@web1:{}, then behind", server.port), "{far}");
    // Without it nobody knows the name.
    let out = Command::new(env!("CARGO_BIN_EXE_jackfield"))
        .args(["doctor", "behind", "--config"])
        .arg(client.folder().join("jackfield.toml"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&out.stderr).contains("there is no device `behind`"), "{out:?}");
}

#[test]
fn what_the_ssh_configuration_wants_of_a_connection_counts() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|_| "AcceptEnv JFT_*".to_owned());
    let config = write(&server);
    let text = fs::read_to_string(&config).unwrap();
    let own = "Host web1\n  SetEnv JFT_ONE=first\n  BindAddress 127.0.0.9\nHost alias\n  PubkeyAuthentication no\n";
    fs::write(&config, format!("{own}{text}")).unwrap();
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{}\"\n[device.web1]\ntype = \"linux\"\n", config.display()));
    for lane in ["session", "exec"] {
        let command = "echo $JFT_ONE ${SSH_CONNECTION%% *}";
        let result = client.call("ssh_run", json!({"target": "web1", "command": command, "lane": lane}));
        assert_eq!(result["output"], "first 127.0.0.9\n", "{lane}: {result}");
    }
    let why = refused(&mut client, "alias");
    assert!(why.contains("the ssh configuration leaves out publickey"), "{why}");
}

#[test]
fn a_configuration_that_ssh_refuses_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    fs::write(&config, "Host web1\n  Prot 22\n").unwrap();
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{}\"\n[device.web1]\ntype = \"linux\"\n", config.display()));
    let why = refused(&mut client, "web1");
    assert!(why.contains("config:2") && why.contains("cannot be used"), "{why}");
}

/// As ssh does it: of the hosts that `ProxyJump` names, only the first one goes a way of its own.
#[test]
fn what_a_later_jump_host_would_go_over_by_itself_is_left_alone() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = write(&server);
    let text = fs::read_to_string(&config).unwrap();
    let host = |name: &str, more: &str| format!("Host {name}\n  HostName 127.0.0.1\n  Port {}\n  User jft-bash\n{more}", server.port);
    let own = [
        format!("Host aside\n  HostName 127.0.0.1\n  Port {}\n  User jft-bash\n", free_port()),
        host("crossed", "  ProxyJump aside\n"),
        host("over", "  ProxyJump web1,crossed\n"),
        host("first", "  ProxyJump crossed,web1\n"),
    ];
    fs::write(&config, format!("{}{text}", own.concat())).unwrap();
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{}\"\n[device.web1]\ntype = \"linux\"\n", config.display()));
    opened(&mut client, "over");
    answers(&mut client, "over");
    let why = refused(&mut client, "first");
    assert!(why.contains("cannot reach `aside`"), "{why}");
}

#[test]
fn a_reload_that_changes_the_name_of_a_host_key_has_it_looked_up_again() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = write(&server);
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{}\"\n[device.alias]\ntype = \"linux\"\n", config.display()));
    answers(&mut client, "alias");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("HostKeyAlias the-one", "HostKeyAlias another")).unwrap();
    must(Command::new(env!("CARGO_BIN_EXE_jackfield")).args(["plugin", "reload"]).env("XDG_STATE_HOME", client.state.path()));
    let why = refused(&mut client, "alias#2");
    assert!(why.contains("host-key.new") || why.contains("is not known"), "{why}");
    answers(&mut client, "alias");
}

#[test]
fn after_a_reload_what_a_host_key_is_judged_by_and_what_is_lent_count_for_what_is_opened() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = write(&server);
    let socket = file(&server, "agent");
    let _agent = Running::start(Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket));
    until("the agent listens", || socket.exists());
    let table = |more: &str| {
        let socket = socket.display();
        format!("[ssh]\nconfig = \"{}\"\n[device.web1]\ntype = \"linux\"\nagent = \"{socket}\"\n{more}", config.display())
    };
    let mut client = Client::start(&table(""));
    let reload = |client: &Client| {
        must(Command::new(env!("CARGO_BIN_EXE_jackfield")).args(["plugin", "reload"]).env("XDG_STATE_HOME", client.state.path()));
    };
    let lent = |client: &mut Client, device: &str| client.run(device, "ssh-add -l > /dev/null 2>&1; echo $?")["output"].clone();
    // 1 is an agent without a key, 2 is none.
    assert_eq!(lent(&mut client, "web1"), "2\n");
    fs::write(client.folder().join("jackfield.toml"), table("forward_agent = true\n")).unwrap();
    reload(&client);
    assert_eq!(lent(&mut client, "web1#2"), "1\n");
    fs::copy(file(&server, "host.pub"), file(&server, "revoked")).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("RevokedHostKeys {}\n{text}", file(&server, "revoked").display())).unwrap();
    reload(&client);
    let why = refused(&mut client, "web1#3");
    assert!(why.contains("is revoked"), "{why}");
    assert_eq!(lent(&mut client, "web1#2"), "1\n", "what is open stays");
}
