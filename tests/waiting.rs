//! Programs that wait for a person: each comes back with its question, is answered, and ends with its own status and output.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::install_missing;
use crate::support::sshd::{PASSWORD, Sshd, account, sudoers};

/// Longer than any question takes to be told.
const WAIT_S: u32 = 45;
/// A question is told well before the wait is over.
const TOLD_MS: u64 = 35_000;
/// A password that is not the account's.
const WRONG: &str = "wrong-7-password-of-nobody";
/// A password that passes the rules for new ones.
const NEW: &str = "Quite-another-9-horse";

/// What is done about a question.
#[derive(Clone, Copy)]
enum Answer {
    /// A line and Enter.
    Line(&'static str),
    /// Keys by name.
    Keys(&'static [&'static str]),
    /// Text, then keys.
    Typed(&'static str, &'static [&'static str]),
    /// A secret by name.
    Secret(&'static str),
}

use Answer::{Keys, Line, Secret, Typed};

/// A program, its questions with their answers, and its end.
struct Case {
    command: String,
    /// Kind, a part of the question, the answer.
    questions: &'static [(&'static str, &'static str, Answer)],
    /// The whole output as a regular expression.
    output: &'static str,
    status: i64,
}

fn case(command: &str, questions: &'static [(&'static str, &'static str, Answer)], output: &'static str, status: i64) -> Case {
    Case { command: command.to_owned(), questions, output, status }
}

/// Plays the cases side by side, each with a process of its own: most of their time is silence.
fn play(config: &str, cases: &[Case]) {
    let secrets = [("JFT_OWN", PASSWORD), ("JFT_NEW", NEW), ("JFT_WRONG", WRONG)];
    let names = "secrets.own = { env = \"JFT_OWN\" }\nsecrets.new = { env = \"JFT_NEW\" }\nsecrets.wrong = { env = \"JFT_WRONG\" }\nsecrets_elsewhere = [\"own\", \"new\", \"wrong\"]\n";
    let config = format!("{config}policy = \"full\"\n{names}");
    std::thread::scope(|scope| {
        for case in cases {
            let config = &config;
            scope.spawn(move || {
                let mut client = Client::start_agreeing(config, &secrets);
                play_one(&mut client, case);
                for (_, secret) in secrets {
                    client.has_written_no(secret);
                }
            });
        }
    });
}

fn play_one(client: &mut Client, case: &Case) {
    let command = &case.command;
    client.run("web1", "cd \"$(mktemp -d)\"");
    let arguments = json!({"target": "web1", "command": command, "wait_s": WAIT_S, "max_chars": 1_000_000});
    let mut result = client.call("ssh_run", arguments);
    let mut so_far_ms = 0;
    for (number, (kind, text, answer)) in case.questions.iter().enumerate() {
        let context = || format!("{command}, question {}: {result}", number + 1);
        assert_eq!(result["state"], "needs_input", "{}", context());
        assert_eq!(result["ask_kind"], *kind, "{}", context());
        assert!(result["ask"].as_str().unwrap().contains(text), "{}", context());
        let duration_ms = result["duration_ms"].as_u64().unwrap();
        assert!(duration_ms - so_far_ms < TOLD_MS, "{}", context());
        so_far_ms = duration_ms;
        let screen = client.call("ssh_screen", json!({"session": "web1"}));
        let last = text.lines().last().unwrap_or_default();
        assert!(screen["rows"].to_string().contains(&json!(last).to_string()[1..json!(last).to_string().len() - 1]), "{command}: {screen}");
        let sent = client.call("ssh_send", answer_of(*answer));
        assert_eq!(sent["ok"], true, "{command}: {sent}");
        let id = &result["command_id"];
        result = client.call("ssh_output", json!({"command_id": id, "wait_s": WAIT_S, "max_chars": 1_000_000}));
    }
    let end = (result["state"].as_str(), result["exit_code"].as_i64(), result["confidence"].as_str());
    assert_eq!(end, (Some("done"), Some(case.status), Some("mark")), "{command}: {result}");
    let output = result["output"].as_str().unwrap();
    let whole = Regex::new(&format!("(?s)^(?:{})$", case.output)).unwrap();
    assert!(whole.is_match(output), "{command}: {output:?}");
    assert_eq!(client.run("web1", "echo fine")["output"], "fine\n", "{command}");
}

fn answer_of(answer: Answer) -> Value {
    let mut arguments = match answer {
        Line(text) => json!({"text": text, "keys": ["enter"]}),
        Keys(keys) => json!({"keys": keys}),
        Typed(text, keys) => json!({"text": text, "keys": keys}),
        Secret(name) => json!({"secret": name}),
    };
    arguments["session"] = "web1".into();
    arguments["wait_s"] = 0.into();
    arguments
}

/// A server, and the configuration of a device on it.
fn device(user: &str) -> (Sshd, String) {
    account(user, Path::new("/bin/bash"));
    let wanted = [
        ("vim", "vim"),
        ("nano", "nano"),
        ("top", "procps"),
        ("htop", "htop"),
        ("dialog", "dialog"),
        ("whiptail", "whiptail"),
        ("man", "man-db"),
        ("fdisk", "fdisk"),
        ("gpg", "gpg"),
        ("gpg-agent", "gpg-agent"),
        ("passwd", "passwd"),
        ("dpkg-scanpackages", "dpkg-dev"),
        ("python3", "python3"),
    ];
    install_missing(&wanted);
    let server = Sshd::start();
    let config = server.device("web1", user, "linux");
    (server, config)
}

fn script(server: &Sshd, name: &str, text: &str) -> PathBuf {
    let file = server.folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    file
}

#[test]
fn questions_of_the_shell_and_of_small_tools_are_told_and_answered() {
    let (_server, config) = device("jft-wait");
    let cases = [
        case("read -p 'Name: ' name; echo \"hello $name\"; (exit 3)", &[("unknown", "Name:", Line("bob"))], "Name: bob\nhello bob\n", 3),
        case("read -s -p 'Password: ' word; echo; echo ${#word}", &[("password", "Password:", Secret("own"))], "Password: \n16\n", 0),
        case("/usr/bin/python3 -c 'print(\"got\", input(\"Name? \"))'", &[("unknown", "Name?", Line("bob"))], "Name\\? bob\ngot bob\n", 0),
        case(
            "touch x; rm -i x; ls",
            &[("yes-no", "rm: remove regular empty file 'x'?", Line("y"))],
            "rm: remove regular empty file 'x'\\? y\n",
            0,
        ),
        case(
            "echo a > a; echo b > b; cp -i a b; cat b",
            &[("yes-no", "cp: overwrite 'b'?", Line("n"))],
            "cp: overwrite 'b'\\? n\n(?:cp: not replacing 'b'\n)?b\n",
            0,
        ),
        case(
            "select file in one two; do echo \"took $file\"; break; done",
            &[("menu", "#?", Line("2"))],
            "1\\) one\n2\\) two\n#\\? 2\ntook two\n",
            0,
        ),
        case(
            "truncate -s 1M disk; /usr/sbin/fdisk disk",
            &[("menu", "Command (m for help):", Line("p")), ("menu", "Command (m for help):", Line("q"))],
            "\n?Welcome to fdisk.*Command \\(m for help\\): p\n.*Disk disk: 1 MiB.*Command \\(m for help\\): q\n\n?",
            0,
        ),
    ];
    play(&config, &cases);
}

#[test]
fn keys_and_passphrases_are_asked_for_and_typed_by_name() {
    let (server, config) = device("jft-wait-keys");
    let script = script(
        &server,
        "secure",
        "#!/bin/sh\nstty -echo; printf 'Enter current password for root (enter for none): '; read -r word; stty echo; echo\n\
         test \"$word\" = 'correct horse 41' && echo 'OK, successfully used password, moving on...'\n\
         printf 'Remove anonymous users? [Y/n] '; read -r yes; echo \" ... $yes\"\n\
         printf 'Host name of the server: '; read -r name; printf 'Port (3306): '; read -r port\necho \"$name $port\"; exit 4\n",
    );
    let secure = Case { command: script.display().to_string(), ..case("", &[], "", 0) };
    let cases = [
        Case {
            questions: &[
                ("password", "Enter current password for root (enter for none):", Secret("own")),
                ("yes-no", "Remove anonymous users? [Y/n]", Line("n")),
                ("unknown", "Host name of the server:", Line("db1")),
                ("unknown", "Port (3306):", Keys(&["enter"])),
            ],
            output: "Enter current password for root \\(enter for none\\): \nOK, successfully used password, moving on\\.\\.\\.\n\
                     Remove anonymous users\\? \\[Y/n\\] n\n \\.\\.\\. n\nHost name of the server: db1\nPort \\(3306\\): \ndb1 \n",
            status: 4,
            ..secure
        },
        case(
            "ssh-keygen -q -t ed25519 -N '' -f key; ssh-keygen -t ed25519 -N '' -f key",
            &[("yes-no", "Overwrite (y/n)?", Line("n"))],
            "Generating public/private ed25519 key pair.\nkey already exists.\nOverwrite \\(y/n\\)\\? n\n",
            1,
        ),
        case(
            "ssh-keygen -t ed25519; ls",
            &[
                ("filename", "Enter file in which to save the key", Line("./id")),
                ("password", "Enter passphrase (empty for no passphrase):", Secret("own")),
                ("password", "Enter same passphrase again:", Secret("wrong")),
                ("password", "Enter passphrase (empty for no passphrase):", Secret("own")),
                ("password", "Enter same passphrase again:", Secret("own")),
            ],
            "Generating.*: \\./id\nEnter passphrase \\(empty for no passphrase\\): \nEnter same passphrase again: \n\
             Passphrases do not match\\.  Try again\\.\n.*Your public key has been saved in \\./id\\.pub\n.*\nid\nid\\.pub\n|.*id  id\\.pub\n",
            0,
        ),
        case(
            "echo text > a; openssl enc -aes-256-cbc -pbkdf2 -in a -out b; ls",
            &[
                ("password", "enter AES-256-CBC encryption password:", Secret("own")),
                ("password", "Verifying - enter AES-256-CBC encryption password:", Secret("own")),
            ],
            "enter AES-256-CBC encryption password:\nVerifying - enter AES-256-CBC encryption password:\na  b\n",
            0,
        ),
        case(
            "openssl genrsa -aes256 -out key.pem 1024 2>&1; ls",
            &[("password", "Enter PEM pass phrase:", Secret("own")), ("password", "Verifying - Enter PEM pass phrase:", Secret("own"))],
            "Enter PEM pass phrase:\nVerifying - Enter PEM pass phrase:\nkey\\.pem\n",
            0,
        ),
        case(
            "echo text > a; gpg --pinentry-mode loopback --no-symkey-cache -c a; gpg --pinentry-mode loopback --no-symkey-cache -d a.gpg",
            &[("password", "Enter passphrase:", Secret("own")), ("password", "Enter passphrase:", Secret("own"))],
            ".*encrypted with 1 passphrase\ntext\n",
            0,
        ),
    ];
    play(&config, &cases);
}

#[test]
fn accounts_are_changed_with_passwords_by_name() {
    let (server, config) = device("jft-wait-sudo");
    sudoers("jft-wait", "jft-wait-sudo ALL=(ALL) ALL\nDefaults:jft-wait-sudo timestamp_timeout=0\n");
    let onward = format!(
        "ssh -p {} -o UserKnownHostsFile=known -o GlobalKnownHostsFile=/dev/null -o PreferredAuthentications=password \
         jft-wait-sudo@127.0.0.1 'echo onward; exit 7'",
        server.port
    );
    let onward = Case { command: onward, ..case("", &[], "", 0) };
    let cases = [
        Case {
            questions: &[
                ("yes-no", "Are you sure you want to continue connecting (yes/no/[fingerprint])?", Line("maybe")),
                ("yes-no", "Please type 'yes', 'no' or the fingerprint:", Line("yes")),
                ("remote-password", "jft-wait-sudo@127.0.0.1's password:", Secret("wrong")),
                ("remote-password", "jft-wait-sudo@127.0.0.1's password:", Secret("own")),
            ],
            output: "The authenticity of host .*\\(yes/no/\\[fingerprint\\]\\)\\? maybe\nPlease type .*: yes\nWarning: Permanently added .*\n\
                     .*'s password: \nPermission denied, please try again\\.\n.*'s password: \nonward\n",
            status: 7,
            ..onward
        },
        case(
            "sudo -p 'Password for %p: ' id -un",
            &[("password", "Password for jft-wait-sudo:", Secret("own"))],
            "Password for jft-wait-sudo: \nroot\n",
            0,
        ),
        case(
            "sudo id -un",
            &[("password", "", Secret("wrong")), ("password", "", Secret("wrong")), ("password", "", Secret("own"))],
            "(?:.*Sorry, try again\\.\n){2}.*\nroot\n",
            0,
        ),
    ];
    play(&config, &cases);
    let changed = |user: &'static str| {
        account(user, Path::new("/bin/bash"));
        server.device("web1", user, "linux")
    };
    let wrong = case(
        "passwd",
        &[
            ("password", "Current password:", Secret("own")),
            ("password", "New password:", Secret("new")),
            ("password", "Retype new password:", Secret("wrong")),
        ],
        "Changing password for jft-wait-a\\.\nCurrent password: \nNew password: \nRetype new password: \nSorry, passwords do not match\\.\n\
         passwd: Authentication token manipulation error\npasswd: password unchanged\n",
        10,
    );
    let right = case(
        "passwd",
        &[
            ("password", "Current password:", Secret("own")),
            ("password", "New password:", Secret("new")),
            ("password", "Retype new password:", Secret("new")),
        ],
        "Changing password for jft-wait-b\\.\nCurrent password: \nNew password: \nRetype new password: \npasswd: password updated successfully\n",
        0,
    );
    std::thread::scope(|scope| {
        for (user, case) in [("jft-wait-a", wrong), ("jft-wait-b", right)] {
            let config = changed(user);
            scope.spawn(move || play(&config, &[case]));
        }
    });
}

/// Two packages of our own, one of which needs the other, so that nothing is fetched and `apt-get` asks.
fn repository(server: &Sshd) -> String {
    let folder = server.folder.path().join("repository");
    for (name, version, needs) in [("jft-one", "1", "Depends: jft-two\n"), ("jft-two", "1", ""), ("jft-two", "2", "")] {
        let root = folder.join(format!("{name}-{version}"));
        std::fs::create_dir_all(root.join("DEBIAN")).unwrap();
        std::fs::create_dir_all(root.join("etc")).unwrap();
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.net>\n{needs}Description: a test\n"
        );
        std::fs::write(root.join("DEBIAN/control"), control).unwrap();
        std::fs::write(root.join(format!("etc/{name}.conf")), format!("version {version}\n")).unwrap();
        std::fs::write(root.join("DEBIAN/conffiles"), format!("/etc/{name}.conf\n")).unwrap();
        let status = Command::new("dpkg-deb").args(["--root-owner-group", "-b"]).arg(&root).arg(&folder).output();
        assert!(status.as_ref().is_ok_and(|output| output.status.success()), "{status:?}");
        std::fs::remove_dir_all(&root).unwrap();
    }
    let index = Command::new("dpkg-scanpackages").args(["-m", "."]).current_dir(&folder).output().unwrap().stdout;
    std::fs::write(folder.join("Packages"), index).unwrap();
    let list = server.folder.path().join("list");
    std::fs::write(&list, format!("deb [trusted=yes] file:{} ./\n", folder.display())).unwrap();
    std::fs::create_dir_all(server.folder.path().join("lists/partial")).unwrap();
    let (lists, list) = (server.folder.path().join("lists"), list.display().to_string());
    format!(
        "-o DPkg::Lock::Timeout=120 -o Dir::Etc::sourcelist={list} -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists={} \
         -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0",
        lists.display()
    )
}

#[test]
fn apt_get_and_dpkg_ask_before_they_change_something() {
    account("jft-wait-apt", Path::new("/bin/bash"));
    sudoers("jft-wait-apt", "jft-wait-apt ALL=(ALL) NOPASSWD: ALL\n");
    let (server, config) = device("jft-wait-apt");
    let options = repository(&server);
    // Who installs a package meanwhile would hold it up for longer than a question is waited for, and be held up by it.
    let _turn = crate::support::apt::turn();
    let mut client = Client::start(&format!("{config}policy = \"full\"\n"));
    let root = client.run("web1", "sudo -i bash -c 'id -un'");
    assert_eq!(root["output"], "root\n", "{root}");
    client.run("web1", "sudo dpkg --purge jft-one jft-two 2>/dev/null");
    let updated = client.run("web1", &format!("sudo apt-get {options} update"));
    assert_eq!(updated["exit_code"], 0, "{updated}");
    let apt = |what: &str| format!("sudo apt-get {options} {what}");
    let asks = "Do you want to continue? [Y/n]";
    let steps: [(String, &'static [_], &'static str, i64); 4] = [
        (apt("install jft-one jft-two=1"), &[], ".*Setting up jft-one.*", 0),
        (apt("remove jft-two"), &[("yes-no", "Do you want to continue? [Y/n]", Line("n"))], ".*\\[Y/n\\] n\nAbort\\.\n", 1),
        (
            "sudo sh -c 'echo mine > /etc/jft-two.conf'; ".to_owned() + &apt("install jft-two"),
            &[("menu", "*** jft-two.conf (Y/I/N/O/D/Z) [default=N] ?", Line("n"))],
            ".*Configuration file '/etc/jft-two\\.conf'\n.*\\[default=N\\] \\? n\n.*",
            0,
        ),
        (apt("purge jft-two"), &[("yes-no", "Do you want to continue? [Y/n]", Line("y"))], ".*\\[Y/n\\] y\n.*Removing jft-two.*", 0),
    ];
    for (command, questions, output, status) in steps {
        assert!(questions.iter().all(|(kind, text, _)| *kind == "menu" || *text == asks));
        play_one(&mut client, &Case { command, questions, output, status });
    }
    assert_eq!(client.run("web1", "cat /etc/jft-two.conf")["exit_code"], 1);
    client.run("web1", "sudo dpkg --purge jft-one jft-two");
}

#[test]
fn editors_are_driven_with_keys() {
    let (_server, config) = device("jft-wait-edit");
    let cases = [
        case(
            "printf 'one\\ntwo\\nthree\\n' > text; vim -u NONE text; cat text",
            &[
                ("editor", "text", Typed("A-1", &["esc"])),
                ("editor", "text", Keys(&["down", "down"])),
                ("editor", "text", Typed("A-3", &["esc"])),
                ("editor", "text", Keys(&["up"])),
                ("editor", "text", Typed("dd", &[])),
                ("editor", "", Line(":%s/o/0/gc")),
                ("yes-no", "replace with 0", Typed("a", &[])),
                ("editor", "", Line(":wq")),
            ],
            ".*0ne-1\nthree-3\n",
            0,
        ),
        case(
            "printf 'one\\ntwo\\n' > text; nano text; cat text",
            &[("editor", "", Keys(&["down", "end"])), ("editor", "", Typed(" more", &["ctrl-x"])), ("editor", "", Typed("y", &["enter"]))],
            ".*one\ntwo more\n",
            0,
        ),
        case(
            "printf '\\033[?1h'; IFS= read -rsn3 key; printf '\\033[?1l%q\\n' \"$key\"",
            &[("screen", "", Keys(&["up"]))],
            "\\$'\\\\EOA'\n",
            0,
        ),
        case("read -rsp 'Key? ' -n3 key; printf '%q\\n' \"$key\"", &[("unknown", "Key?", Keys(&["up"]))], "Key\\? \\$'\\\\E\\[A'\n", 0),
    ];
    play(&config, &cases);
}

#[test]
fn menus_and_monitors_on_the_whole_screen_are_told_and_driven() {
    let (_server, config) = device("jft-wait-menu");
    let cases = [
        case(
            "dialog --menu 'Pick one' 12 40 3 a Alpha b Beta c Gamma 2> choice; echo \"status $?\"; cat choice; echo",
            &[("menu", "Pick one", Keys(&["down", "enter"]))],
            ".*status 0\nb\n",
            0,
        ),
        case("whiptail --yesno 'Shall it go on?' 8 40", &[("yes-no", "Shall it go on?", Keys(&["enter"]))], ".*", 0),
        case("whiptail --yesno 'Shall it go on?' 8 40", &[("yes-no", "Shall it go on?", Keys(&["tab", "enter"]))], ".*", 1),
        case("whiptail --inputbox 'A name' 8 40 2> name; cat name; echo", &[("menu", "A name", Typed("bob", &["enter"]))], ".*bob\n", 0),
        case("top", &[("screen", "", Typed("q", &[]))], ".*load average.*", 0),
        case("htop", &[("screen", "", Keys(&["f10"]))], ".*", 0),
    ];
    play(&config, &cases);
}

#[test]
fn pagers_are_turned_to_their_end_and_those_that_cannot_be_are_told() {
    let (_server, config) = device("jft-wait-page");
    let asked = format!("{config}policy = \"full\"\n[plugin.posix-shell]\nconfig = {{ pagers = \"ask\" }}\n");
    let mut client = Client::start(&asked);
    let rows: String = (1..=200).map(|number| format!("row {number}\n")).collect();
    assert_eq!(client.run("web1", "seq -f 'row %g' 200 > rows; less rows")["output"], rows);
    assert_eq!(client.run("web1", "seq -f 'row %g' 200 | ${PAGER:-less}")["output"], rows);
    let (paged, plain) = (client.run("web1", "man bash"), client.run("web1", "man -P cat bash"));
    assert_eq!((paged["state"].as_str(), paged["exit_code"].as_i64()), (Some("done"), Some(0)), "{}", paged["range"]);
    assert_eq!(paged["output"], plain["output"]);
    let endless = client.call("ssh_run", json!({"target": "web1", "command": "yes | less", "wait_s": 1, "max_chars": 100}));
    assert_eq!(endless["state"], "running", "{endless}");
    let stopped = client.call("ssh_interrupt", json!({"session": "web1"}));
    assert_eq!((stopped["state"].as_str(), stopped["prompt_back"].as_bool()), (Some("interrupted"), Some(true)), "{stopped}");
    drop(client);
    let cases = [
        // What follows a file has no end: only a person knows when to leave.
        case("echo first > follow; less +F follow", &[("pager", "Waiting for data", Keys(&["ctrl-c"]))], ".*first\n.*", 0),
        // No pager is named in the line, so no key is typed for it.
        case(
            "printf 'seq 200 | less\\n' > show; chmod +x show; ./show",
            &[("pager", ":", Typed(" ", &[])), ("pager", ":", Typed("q", &[]))],
            "1\n2\n.*",
            0,
        ),
    ];
    play(&config, &cases);
}

#[test]
fn the_answer_to_an_answer_comes_with_it() {
    let (_server, config) = device("jft-wait");
    let mut client = Client::start(&format!("{config}policy = \"full\"\n"));
    let result = client.run("web1", "read -p 'Go on? [y/n] ' one; read -p 'Really? [y/n] ' two; echo $one$two");
    assert_eq!((result["state"].as_str(), result["ask_kind"].as_str()), (Some("needs_input"), Some("yes-no")), "{result}");
    let sent = client.call("ssh_send", json!({"session": "web1", "text": "a", "keys": ["enter"], "wait_s": 20}));
    let told = (sent["state"].as_str(), sent["ask"].as_str(), sent["ask_kind"].as_str());
    assert_eq!(told, (Some("needs_input"), Some("Really? [y/n]"), Some("yes-no")), "{sent}");
    assert!(sent["next"].as_str().unwrap().contains("Really?"), "{sent}");
    let refused = client.error("ssh_send", json!({"session": "web1", "secret": "own"}));
    assert!(refused.contains("no secret `own`"), "{refused}");
    let sent = client.call("ssh_send", json!({"session": "web1", "text": "b", "keys": ["enter"], "wait_s": 20}));
    assert_eq!(sent["state"], "ready", "{sent}");
    let result = client.call("ssh_output", json!({"command_id": result["command_id"]}));
    assert_eq!(result["output"], "Go on? [y/n] a\nReally? [y/n] b\nab\n");
}

#[test]
fn what_is_sent_right_behind_a_command_reaches_the_command() {
    for (user, shell) in [("jft-bash", "/bin/bash"), ("jft-zsh", "/usr/bin/zsh"), ("jft-fish", "/usr/bin/fish"), ("jft-dash", "/bin/dash")]
    {
        account(user, Path::new(shell));
        let server = Sshd::start();
        let mut client = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", user, "linux")));
        client.run("web1", "true");
        for turn in 0..15 {
            let run = client.post("ssh_run", json!({"target": "web1", "command": "sh -c 'read x; echo \"got <$x>\"'", "wait_s": 20}));
            // Neither the shell's line editor nor the next command may get it.
            let send =
                client.post("ssh_send", json!({"session": "web1", "text": format!("touch {turn}"), "keys": ["enter"], "wait_s": 0.2}));
            let answers: std::collections::BTreeMap<u64, Value> = [client.answer(), client.answer()].into();
            assert_eq!(answers[&send]["ok"], true, "{answers:?}");
            let result = &answers[&run];
            let output = result["output"].as_str().unwrap_or_default();
            assert!(output.ends_with(&format!("got <touch {turn}>\n")), "{shell}, turn {turn}: {result}");
            assert_eq!(result["exit_code"], 0, "{result}");
        }
        let files = client.run("web1", "ls");
        assert!(!files["output"].as_str().unwrap().lines().any(|row| row.parse::<u32>().is_ok()), "{files}");
    }
}

/// A secret that is looked up slowly is for what asked for it, and for nothing that stands there when it comes.
#[test]
fn a_secret_that_comes_late_is_not_typed_at_the_prompt() {
    account("jft-late", Path::new("/bin/bash"));
    let server = Sshd::start();
    let slow = "secrets.late = { command = \"sh -c 'sleep 2; echo s3cret-late'\" }\n";
    let mut client = Client::start(&format!("{}policy = \"full\"\n{slow}", server.device("web1", "jft-late", "linux")));
    client.run("web1", "true");
    let asks = "bash -c 'read -rsp \"Password: \" x; echo; echo got:$x'";
    let asked = client.call("ssh_run", json!({"target": "web1", "command": asks, "wait_s": 40}));
    assert_eq!(asked["state"], "needs_input", "{asked}");
    client.call("ssh_send", json!({"session": "web1", "secret": "late", "wait_s": 0}));
    client.call("ssh_interrupt", json!({"session": "web1"}));
    assert_eq!(client.run("web1", "sleep 3; echo fine")["output"], "fine\n");
    let log = client.log();
    assert!(!log.contains("command not found"), "{log}");
    assert!(!client.run("web1", "history")["output"].as_str().unwrap().contains("s3cret"));

    // Whoever waits for it gets it.
    let asked = client.call("ssh_run", json!({"target": "web1", "command": asks, "wait_s": 40}));
    client.call("ssh_send", json!({"session": "web1", "secret": "late", "wait_s": 0}));
    let result = client.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 40}));
    assert_eq!(result["output"], "Password: \ngot:[secret:late]\n", "{result}");
}
