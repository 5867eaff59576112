//! What cannot be read, and what is said of it: never the content.

use super::*;

fn why(sources: &[Source], from: Option<Kind>) -> String {
    import(sources, &Options { from, ..Options::default() }).unwrap_err()
}

#[test]
fn a_file_of_no_known_kind_is_asked_about() {
    for text in ["hello hunter2\n", "{\"password\": \"hunter2\"}", "- hunter2\n", "a: 1\n", "web1\nweb2\n", "SECRET=hunter2\n"] {
        let said = why(&[source("x/notes", text)], None);
        assert!(said.contains("x/notes") && said.contains("--from") && said.contains("ansible, env, hosts-json"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

/// Standard input is so where the program before it has failed: no kind of file would help.
#[test]
fn an_empty_file_is_told_to_be_empty() {
    for text in ["", "\n \n"] {
        assert_eq!(why(&[source("x/notes", text)], None), "x/notes is empty: there is nothing to import");
    }
}

#[test]
fn a_configuration_of_openssh_needs_no_import() {
    let said = why(&[source("x/config", "# mine\n\tHost web1\n  HostName 192.0.2.1\n  User hunter2\n")], None);
    assert!(said.contains("x/config looks like a configuration of OpenSSH, which needs no import") && said.contains("[ssh]"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn an_error_names_the_place_and_repeats_nothing() {
    for (kind, text, expected) in [
        (Kind::HostsJson, "{\"hosts\": [{\"password\": hunter2}]}", "line 1"),
        (Kind::HostsJson, "{\"hosts\": [\"hunter2\"]}", "host 1 is no object"),
        (Kind::HostsJson, "{\"hunter2\": 1}", "has no list `hosts`"),
        (Kind::Profiles, "{\"profiles\": {\"a\": \"hunter2\"}}", "profile 1 is no object"),
        (Kind::SessionConfig, "{\"devices\": {}}", "has no list `devices`"),
        (Kind::Env, "{\"mcpServers\": {}}", "has no server with `env` or `args`"),
        (Kind::Env, "hunter2", "has neither rows"),
        (Kind::Ansible, "[web]\nweb1 ansible_password=a hunter2", "line 2 has a word without `=`"),
        (Kind::Ansible, "[web]\nweb1 ansible_password='hunter2", "line 2 has a quote"),
        (Kind::Ansible, "[web:vars]\nhunter2", "line 2 is no variable"),
        (Kind::Ansible, "[web]\nansible_password=hunter2", "line 2 begins with a variable where a host belongs"),
        (Kind::Ansible, "[web:hunter2]\n", "line 1 is no heading"),
        (Kind::Ansible, "web[1:hunter2]\n", "line 1 has a range"),
        (Kind::Ansible, "plugin: amazon.aws.aws_ec2\n", "ansible-inventory --list"),
        (Kind::Nornir, "a: [hunter2", "is no YAML"),
        (Kind::Netmiko, "hunter2", "has no devices at its top"),
        (Kind::Oxidized, "sw1;ios;admin;hunter2", "line 1 is not `NAME:MODEL`"),
    ] {
        let said = why(&[source("file", text)], Some(kind));
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_delimiter_that_is_not_that_of_the_config_is_said() {
    let config =
        "source:\n  csv:\n    file: /etc/oxidized/router.db\n    delimiter: !ruby/regexp /:/\n    map: {name: 0, model: 1, password: 2}\n";
    let said = why(&[source("router.db", "sw1;ios;hunter2\n"), beside("config", config)], None);
    assert!(said.contains("line 1") && said.contains("delimiter") && !said.contains("hunter2"), "{said}");
}

#[test]
fn other_delimiters_are_read() {
    for (delimiter, row) in [
        ("';'", "sw1;ios;hunter2"),
        ("!ruby/regexp /,/", "sw1,ios,hunter2"),
        (r"!ruby/regexp /\|/", "sw1|ios|hunter2"),
        (r"!ruby/regexp /\s+/", "sw1  ios hunter2"),
    ] {
        let config =
            format!("source:\n  csv:\n    file: router.db\n    delimiter: {delimiter}\n    map: {{name: 0, model: 1, password: 2}}\n");
        let imported = import(&[source("router.db", row), beside("config", &config)], &Options::default()).unwrap();
        assert!(imported.toml.ends_with("[device.sw1]\ntype = \"cisco_ios\"\npassword = { keyring = \"sw1\" }\n"), "{}", imported.toml);
    }
}

#[test]
fn nothing_grows_without_an_end() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        let _ = writeln!(laughs, "a{level}: &a{level} [{}]", vec![format!("*a{before}"); 9].join(", "));
    }
    assert!(why(&[source("hosts.yaml", &laughs)], Some(Kind::Nornir)).contains("is no YAML that can be read"));
    let deep = format!("a: {}", "[".repeat(5000));
    assert!(why(&[source("hosts.yaml", &deep)], Some(Kind::Nornir)).contains("is no YAML that can be read"));
    assert!(why(&[source("i", "n[0:9999]\nm[0:9999]\n")], Some(Kind::Ansible)).contains("more than 10000 hosts"));
    // Templates that double each other.
    let mut variables: String = (0..40).map(|n| format!("v{n}={{{{ v{m} }}}}{{{{ v{m} }}}}\n", m = n + 1)).collect();
    variables += "v40=x\nansible_host={{ v0 }}\n";
    let imported = import(&[source("i", &format!("[g]\nweb1\n[g:vars]\n{variables}"))], &Options::default()).unwrap();
    assert!(told(&imported).contains("too many templates"), "{}", told(&imported));
}

#[test]
fn groups_and_jumps_in_a_circle_come_to_an_end() {
    let groups = "[a]\nx\n[a:children]\nb\n[b:children]\na\nc\n[c:children]\nb\n";
    let imported = import(&[source("i", groups)], &Options::default()).unwrap();
    assert!(imported.toml.contains("[device.x]\ntags = [\"a\", \"b\", \"c\"]"), "{}", imported.toml);
    let jumps = "x ansible_ssh_common_args='-J y'\ny ansible_ssh_common_args='-J z'\nz ansible_ssh_common_args='-J x'\n";
    let imported = import(&[source("i", jumps)], &Options::default()).unwrap();
    assert_eq!(imported.toml.matches("via = ").count(), 2, "{}", imported.toml);
    assert!(told(&imported).contains("go in a circle"));
}

#[test]
fn the_nearer_group_counts_more() {
    let groups = "[inner]\nx\n[outer:children]\ninner\n[outer:vars]\nansible_user=outer\nansible_port=1\n";
    let text = format!("{groups}[inner:vars]\nansible_user=inner\n[all:vars]\nansible_port=2\n");
    let imported = import(&[source("i", &text)], &Options::default()).unwrap();
    assert!(imported.toml.contains("port = 1\nuser = \"inner\""), "{}", imported.toml);
}

#[test]
fn one_chain_of_jumps_does_not_change_another() {
    let text = "b ansible_host=192.0.2.1\nx ansible_ssh_common_args='-J a,b'\ny ansible_ssh_common_args='-J b'\n";
    let imported = import(&[source("i", text)], &Options::default()).unwrap();
    let toml = &imported.toml;
    assert!(toml.contains("[device.b]\nhost = \"192.0.2.1\"\n\n"), "{toml}");
    assert!(toml.contains("[device.y]\nvia = \"b\"\n"), "{toml}");
    assert!(toml.contains("[device.x]\nvia = \"b-2\"\n"), "{toml}");
    assert!(toml.contains("[device.b-2]  # a jump host\nhost = \"b\"\nvia = \"a\"\n"), "{toml}");
}

#[test]
fn a_configuration_that_nobody_could_read_is_not_made() {
    let key = format!("ansible_ssh_private_key_file=/{}", "k".repeat(400));
    let variables = format!("ansible_host=192.0.2.1 ansible_user=somebody ansible_password=hunter2 ansible_become=1 {key}");
    let hosts: String = (0..9_000).map(|n| format!("host-with-a-long-name-{n} {variables}\n")).collect();
    let said = why(&[source("i", &hosts)], Some(Kind::Ansible));
    assert!(said.contains("9000 devices would have") && said.contains("4194304"), "{said}");
}

#[test]
fn a_folder_may_have_other_files() {
    let listed = |path: &str, bytes: &[u8]| Source { path: PathBuf::from(path), bytes: Zeroizing::new(bytes.to_vec()), role: Role::Listed };
    let files = [
        listed("i/hosts", b"web1 ansible_host=192.0.2.1\n"),
        listed("i/site.yml", b"- hosts: all\n  tasks: []\n"),
        listed("i/README.md", b"# hunter2\n"),
        listed("i/picture.png", b"\x89PNG\xff"),
    ];
    let imported = import(&files, &Options::default()).unwrap();
    assert!(imported.toml.ends_with("[device.web1]\nhost = \"192.0.2.1\"\n"), "{}", imported.toml);
    let said = told(&imported);
    assert!(
        said.contains("i/site.yml") && said.contains("i/README.md") && said.contains("i/picture.png") && !said.contains("hunter2"),
        "{said}"
    );
    assert!(import(&files[2..], &Options::default()).unwrap_err().contains("no devices in these files"));
}
