//! Host keys that change: what a known host proves is recorded, and what it has no more is forgotten, where that is wanted.

use super::*;
use crate::audit::events;
use crate::support::process::until;

/// A server whose keys are those that the file names when it starts: it starts anew for each connection.
struct Changing(Sshd);

impl Changing {
    fn start() -> Self {
        account("jft-bash", Path::new("/bin/bash"));
        let server = Sshd::start();
        for (name, kind) in [("second", "ecdsa"), ("third", "rsa")] {
            key_pair(&file(&server, name), kind, "");
        }
        let this = Self(server);
        this.has(&["host"]);
        this
    }

    /// It has these keys from now on.
    fn has(&self, keys: &[&str]) {
        let usual = fs::read_to_string(file(&self.0, "sshd_config")).unwrap();
        let others = usual.lines().filter(|line| !line.starts_with("HostKey")).map(str::to_owned);
        let keys = keys.iter().map(|key| format!("HostKey {}", file(&self.0, key).display()));
        fs::write(file(&self.0, "now"), keys.chain(others).map(|line| line + "\n").collect::<String>()).unwrap();
    }

    fn way(&self) -> String {
        let sshd = crate::support::find("sshd").unwrap();
        format!("{} -i -e -f {}", sshd.display(), file(&self.0, "now").display())
    }

    /// A device with these lines more.
    fn device(&self, lines: &str) -> String {
        let words: Vec<String> = self.way().split(' ').map(|word| format!("{word:?}")).collect();
        format!("{}proxy = [{}]\n{lines}", self.0.device("web1", "jft-bash", "linux"), words.join(", "))
    }

    /// Types and fingerprints of keys as the record names them.
    fn named(&self, keys: &[&str]) -> Vec<String> {
        let named = |key: &&str| {
            let file = file(&self.0, &format!("{key}.pub"));
            let print = Command::new("ssh-keygen").arg("-lf").arg(&file).output().unwrap().stdout;
            let print = String::from_utf8(print).unwrap().split(' ').nth(1).unwrap().to_owned();
            format!("{} {print}", fs::read_to_string(file).unwrap().split(' ').next().unwrap())
        };
        let mut all: Vec<String> = keys.iter().map(named).collect();
        all.sort();
        all
    }

    /// The keys that a file of the server's folder has for it now.
    fn recorded(&self, known_hosts: &Path) -> Vec<String> {
        let found =
            Command::new("ssh-keygen").args(["-lF", &format!("[127.0.0.1]:{}", self.0.port), "-f"]).arg(known_hosts).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        let mut prints: Vec<String> =
            found.lines().filter_map(|line| line.split(' ').find(|word| word.starts_with("SHA256:"))).map(str::to_owned).collect();
        prints.sort();
        prints
    }

    /// Waits until a file has these keys and no others.
    fn until_recorded(&self, known_hosts: &Path, keys: &[&str]) {
        let mut expected: Vec<String> = self.named(keys).iter().map(|name| name.split_once(' ').unwrap().1.to_owned()).collect();
        expected.sort();
        until(&format!("{} holds {keys:?}", known_hosts.display()), || self.recorded(known_hosts) == expected);
    }
}

fn jackfield(client: &Client, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.args(arguments).env("XDG_STATE_HOME", client.state.path());
    if arguments.first() != Some(&"audit") {
        command.arg("--config").arg(client.folder().join("jackfield.toml"));
    }
    let out = command.output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

/// The records of host keys, the oldest first: what was learned, what was forgotten.
fn records(client: &Client) -> Vec<[Vec<String>; 2]> {
    let events = events(client, &[]).into_iter().filter(|event| event["kind"] == "host_keys");
    let texts = |list: &Value| {
        let mut texts: Vec<String> = list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
        texts.sort();
        texts
    };
    events.map(|event| [texts(&event["learned"]), texts(&event["forgotten"])]).collect()
}

#[test]
fn keys_that_a_known_host_proves_are_recorded_and_those_that_it_has_no_more_forgotten() {
    let server = Changing::start();
    let known = file(&server.0, "known_hosts");
    server.has(&["host", "second", "third"]);
    let mut client = Client::start(&server.device("update_host_keys = true\n"));
    answers(&mut client, "web1");
    server.until_recorded(&known, &["host", "second", "third"]);
    // The host's old key is gone, and it is known by what was learned.
    server.has(&["second", "third"]);
    client.call("ssh_close", json!({"session": "web1"}));
    answers(&mut client, "web1");
    server.until_recorded(&known, &["second", "third"]);
    assert!(fs::read_to_string(file(&server.0, "known_hosts.old")).unwrap().contains("ssh-ed25519"));
    let expected = [[server.named(&["second", "third"]), vec![]], [vec![], server.named(&["host"])]];
    until("both changes are on record", || records(&client) == expected);
    let (_, table) = jackfield(&client, &["audit", "show"]);
    assert!(table.contains("the host has proven its keys: 2 learned, 0 forgotten"), "{table}");
    server.has(&["host"]);
    client.call("ssh_close", json!({"session": "web1"}));
    let why = refused(&mut client, "web1");
    assert!(why.contains("changed"), "a key that was forgotten is a changed one: {why}");
}

#[test]
fn other_files_than_the_usual_one_change_only_when_somebody_says_so() {
    let server = Changing::start();
    let known = file(&server.0, "known_hosts");
    server.has(&["host", "second"]);
    let mut client = Client::start(&server.device(""));
    let before = fs::read(&known).unwrap();
    answers(&mut client, "web1");
    let (good, said) = jackfield(&client, &["doctor", "web1", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let finding = said["steps"].as_array().unwrap().iter().find(|finding| finding["step"] == "host keys").unwrap();
    assert!(good && finding["state"] == "doubt" && finding["next"] == "run `jackfield hostkey update web1`", "{finding}");
    let (done, said) = jackfield(&client, &["hostkey", "update", "web1"]);
    assert!(!done && said.contains("at a terminal, or with --yes"), "{said}");
    assert_eq!(fs::read(&known).unwrap(), before);
    let (done, said) = jackfield(&client, &["hostkey", "update", "web1", "--yes"]);
    assert!(done && said.contains(&server.named(&["second"])[0]) && said.contains("1 learned, 0 forgotten"), "{said}");
    server.until_recorded(&known, &["host", "second"]);
    let (done, said) = jackfield(&client, &["hostkey", "update", "web1"]);
    assert!(done && said.contains("all 2 keys of `web1` are recorded"), "{said}");
    // A pattern is somebody's decision.
    let text = fs::read_to_string(&known).unwrap();
    fs::write(&known, text.replace(&format!("[127.0.0.1]:{} ecdsa", server.0.port), "[127.*]:* ecdsa")).unwrap();
    let (done, said) = jackfield(&client, &["hostkey", "update", "web1", "--yes"]);
    assert!(!done && said.contains("a line with a pattern stands for it"), "{said}");
}

#[test]
fn the_ssh_configuration_says_whether_and_how_keys_are_learned() {
    let server = Changing::start();
    server.has(&["host", "third"]);
    let known = file(&server.0, "known_hosts");
    let known_hosts = known.display().to_string();
    let own = |more: &str| {
        let (way, port, key) = (server.way(), server.0.port, file(&server.0, "id"));
        let text = format!(
            "Host web1\n  HostName 127.0.0.1\n  Port {port}\n  User jft-bash\n  IdentityFile {}\n  IdentitiesOnly yes\n  ProxyCommand {way}\n  UserKnownHostsFile {known_hosts}\n{more}",
            key.display()
        );
        fs::write(file(&server.0, "ssh_config"), text).unwrap();
    };
    let config = format!("[ssh]\nconfig = \"{}\"\n[device.web1]\ntype = \"linux\"\n", file(&server.0, "ssh_config").display());
    own("  UpdateHostKeys no\n");
    let mut first = Client::start(&config);
    answers(&mut first, "web1");
    own("  HashKnownHosts yes\n  UpdateHostKeys yes\n");
    let before = fs::read_to_string(&known).unwrap();
    let mut second = Client::start(&config);
    answers(&mut second, "web1");
    server.until_recorded(&known, &["host", "third"]);
    let after = fs::read_to_string(&known).unwrap();
    let new = after.strip_prefix(&before).unwrap();
    assert!(new.lines().count() == 1 && new.starts_with("|1|"), "{new}");
}

#[test]
fn a_revocation_list_of_ssh_keygen_counts() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let folder = server.folder.path().display().to_string();
    let text = format!(
        "Host web1\n  HostName 127.0.0.1\n  Port {}\n  User jft-bash\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known_hosts\n  RevokedHostKeys {folder}/krl\n",
        server.port
    );
    fs::write(file(&server, "ssh_config"), text).unwrap();
    let mut client = Client::start(&format!("[ssh]\nconfig = \"{folder}/ssh_config\"\n[device.web1]\ntype = \"linux\"\n"));
    assert!(refused(&mut client, "web1").contains("krl"), "a list that is not there must not let keys pass");
    must(Command::new("ssh-keygen").args(["-q", "-k", "-f"]).arg(file(&server, "krl")).arg(file(&server, "id.pub")));
    answers(&mut client, "web1");
    client.call("ssh_close", json!({"session": "web1"}));
    must(Command::new("ssh-keygen").args(["-q", "-k", "-u", "-f"]).arg(file(&server, "krl")).arg(file(&server, "host.pub")));
    let why = refused(&mut client, "web1");
    assert!(why.contains("is revoked") && why.contains(&format!("is in the list of revoked keys {folder}/krl")), "{why}");
    fs::write(file(&server, "krl"), b"SSHKRL\n\0\0\0\0\x02").unwrap();
    let why = refused(&mut client, "web1");
    assert!(why.contains("it has version 2 of the form, and 1 is known"), "{why}");
}
