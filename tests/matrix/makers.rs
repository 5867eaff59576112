//! Servers of other makers than OpenSSH, each with what it has: keys, passwords, questions, terminals, programs, ways to others.

use super::*;

/// The account's home on servers that look for its keys there: a folder of one's own, which only they see.
const MOUNT: &str = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";

/// A folder with a key pair `id`, whose public half may log in where the folder `home` is the account's home.
fn home() -> tempfile::TempDir {
    let place = account("jft-bash", Path::new("/bin/bash"));
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    key_pair(&folder.path().join("id"), "ed25519", "256");
    let home = folder.path().join("home");
    fs::create_dir_all(home.join(".ssh")).unwrap();
    fs::copy(folder.path().join("id.pub"), home.join(".ssh/authorized_keys")).unwrap();
    for entry in [home.clone(), home.join(".ssh"), home.join(".ssh/authorized_keys")] {
        fs::set_permissions(entry, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    must(Command::new("chown").args(["-R", "jft-bash"]).arg(&home));
    assert!(place.is_dir());
    folder
}

/// The words that start a program with the folder's `home` in the place of the account's.
fn at_home(folder: &Path, program: &[&str]) -> Vec<String> {
    let home = folder.join("home").display().to_string();
    let words = ["unshare", "-m", "sh", "-c", MOUNT, "sh", &home, "/var/lib/jft-bash"];
    words.iter().chain(program).map(|word| (*word).to_owned()).collect()
}

fn device(name: &str, way: &str, user: &str, folder: &Path) -> String {
    let known = folder.join("known_hosts").display().to_string();
    format!("[device.{name}]\nhost = \"127.0.0.1\"\n{way}\nuser = \"{user}\"\ntype = \"linux\"\nagent = false\nknown_hosts = \"{known}\"\n")
}

#[test]
fn dropbear_carries_sessions_and_leads_to_others() {
    install_missing(&[("dropbear", "dropbear-bin"), ("dropbearkey", "dropbear-bin")]);
    let folder = home();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let made = Command::new("dropbearkey").args(["-t", kind, "-f", &path(kind)]).output().unwrap();
        let said = String::from_utf8(made.stdout).unwrap();
        let public = said.lines().find(|line| line.contains(" AAAA")).unwrap();
        let known = fs::read_to_string(path("known_hosts")).unwrap_or_default();
        fs::write(path("known_hosts"), format!("{known}at-{kind} {public}\n")).unwrap();
    }
    let beyond = Sshd::start();
    let key = format!("key = \"{}\"\n", path("id"));
    let (mut config, mut running) = (String::new(), Vec::new());
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let port = crate::support::sshd::free_port();
        let known = fs::read_to_string(path("known_hosts")).unwrap();
        fs::write(path("known_hosts"), known.replace(&format!("at-{kind} "), &format!("[127.0.0.1]:{port} "))).unwrap();
        let listens = format!("127.0.0.1:{port}");
        let words = at_home(folder.path(), &["dropbear", "-F", "-E", "-p", &listens, "-r", &path(kind), "-P", &path("pid")]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        running.push(Running(command.spawn().unwrap()));
        crate::support::until_listens("127.0.0.1", port, "dropbear");
        config += &(device(kind, &format!("port = {port}"), "jft-bash", folder.path()) + &key);
        if kind == "ed25519" {
            let by_word = |name: &str, secret: &str| {
                let plain = device(name, &format!("port = {port}"), "jft-bash", folder.path());
                format!("{plain}password = {{ env = \"{secret}\" }}\n")
            };
            config += &(by_word("word", "JFT_WORD") + &by_word("wrong", "JFT_WRONG"));
        }
    }
    let via = |name: &str| format!("{}via = \"ed25519\"\n", beyond.device(name, "jft-bash", "linux"));
    let closed = format!("port = {}\n", crate::support::sshd::free_port());
    config += &(via("beyond") + &via("closed").replace(&format!("port = {}\n", beyond.port), &closed));
    let variables = [("JFT_WORD", PASSWORD), ("JFT_WRONG", "wrong horse"), ("HOME", &path("home"))];
    let mut client = Client::start_with(&config, &variables);
    for device in ["ed25519", "word", "beyond"] {
        carries(&mut client, device, &["terminal", "exec"]);
    }
    for device in ["ecdsa", "rsa"] {
        carries(&mut client, device, &["exec"]);
    }
    let why = refused(&mut client, "wrong");
    assert_eq!(why.split("; the server takes").next(), Some("`jft-bash` cannot log in to `wrong`: the password is not accepted"), "{why}");
    let why = refused(&mut client, "closed");
    assert!(why.contains("the way to `closed`") && why.contains("`ed25519`"), "{why}");
    client.has_written_no("wrong horse");
}

#[test]
fn tinyssh_carries_sessions() {
    install_missing(&[("tinysshd", "tinysshd"), ("tinysshd-makekey", "tinysshd")]);
    let folder = home();
    let path = |name: &str| folder.path().join(name).display().to_string();
    must(Command::new(crate::support::find("tinysshd-makekey").unwrap()).arg(path("keys")));
    let printed = Command::new(crate::support::find("tinysshd-printkey").unwrap()).arg(path("keys")).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let public = printed.lines().find(|line| line.starts_with("ssh-ed25519 ")).unwrap_or_else(|| panic!("{printed}"));
    fs::write(path("known_hosts"), format!("127.0.0.1 {public}\n")).unwrap();
    let words = at_home(folder.path(), &[crate::support::find("tinysshd").unwrap().to_str().unwrap(), &path("keys")]);
    let way = format!("proxy = {words:?}");
    key_pair(&folder.path().join("stranger"), "ed25519", "256");
    let with = |name: &str, key: &str| format!("{}key = \"{}\"\n", device(name, &way, "jft-bash", folder.path()), path(key));
    let mut client = Client::start_with(&(with("tiny", "id") + &with("stranger", "stranger")), &[("HOME", &path("home"))]);
    carries(&mut client, "tiny", &["terminal"]);
    // It ends the connection with the only session, sometimes only while the next program is asked for: each gets one of its own.
    for _ in 0..10 {
        carries(&mut client, "tiny", &["exec"]);
    }
    let why = refused(&mut client, "stranger");
    assert!(why.contains("`stranger`") && why.contains("is not accepted"), "{why}");
}

/// The right answers, as the scripts know them.
const WORD: &str = "correct horse 41";
const CODE: &str = "314159";
const SECRETS: [(&str, &str); 4] = [("JFT_WORD", WORD), ("JFT_WRONG", "wrong horse"), ("JFT_CODE", CODE), ("JFT_OLD", "271828")];

/// The script's server with a key pair that may log in.
fn script(package: &str, name: &str) -> (Script, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    key_pair(&folder.path().join("id"), "ed25519", "256");
    let server = Script::start(package, name, &[folder.path().join("id.pub").as_os_str()]);
    (server, folder)
}

/// Keys, passwords and two rounds of questions; every lane.
fn check(server: &Script, folder: &Path) {
    let word = "password = { env = \"JFT_WORD\" }\n";
    let code = |secret: &str| format!("{word}answers.\"verification code\" = \"otp\"\nsecrets.otp = {{ env = \"{secret}\" }}\n");
    let config = [
        server.device("key", "bob") + &format!("key = \"{}\"\n", folder.join("id").display()),
        server.device("word", "bob") + word,
        server.device("wrong", "bob") + "password = { env = \"JFT_WRONG\" }\n",
        server.device("asked", "asked") + &code("JFT_CODE"),
        server.device("old", "asked") + &code("JFT_OLD"),
    ];
    let home = folder.display().to_string();
    let variables = [&SECRETS[..], &[("HOME", &home)]].concat();
    let mut client = Client::start_with(&config.concat(), &variables);
    carries(&mut client, "key", &["terminal", "exec"]);
    for device in ["word", "asked"] {
        carries(&mut client, device, &["exec"]);
    }
    for (device, user, what) in [("wrong", "bob", "the password"), ("old", "asked", "the answer to its question")] {
        let why = refused(&mut client, device);
        assert!(why.starts_with(&format!("`{user}` cannot log in to `{device}`: {what} is not accepted; the server takes ")), "{why}");
    }
    for secret in [WORD, CODE, "wrong horse", "271828"] {
        client.has_written_no(secret);
    }
}

#[test]
fn asyncssh_carries_sessions() {
    let (server, folder) = script("asyncssh==2.24.1", "matrix/asyncssh_server.py");
    check(&server, folder.path());
}

/// Debian has no server program of libssh; this is the library that small servers are made of.
#[test]
fn paramiko_carries_sessions() {
    let (server, folder) = script("paramiko==5.1.0", "matrix/paramiko_server.py");
    check(&server, folder.path());
}
