//! Shells inside shells, and programs that read lines of their own: what is entered is noticed, named, exact and left again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{PASSWORD, Sshd, account, free_port, sudoers};
use crate::support::{find, install_missing, install_packages, until_listens};

/// How a shell is entered, what it must be called then, and whether it knows `(exit 4)`.
const ENTERED: [(&str, &str, bool); 13] = [
    ("bash", "shell", true),
    ("bash --norc", "shell", true),
    ("sh", "shell", true),
    ("zsh -f", "shell", true),
    ("fish --no-config", "shell", false),
    ("mksh", "shell", true),
    ("ksh93", "shell", true),
    ("tcsh -f", "tcsh", true),
    ("busybox sh", "shell", true),
    ("env TERM=dumb bash", "shell", true),
    ("script -qe /dev/null", "shell", false),
    ("unshare -r bash", "remote-shell", true),
    ("unshare -r zsh -f", "remote-shell", true),
];

/// What a command brought: state, output, status, mode.
fn seen(result: &Value) -> (&str, &str, Option<i64>, &str) {
    let text = |name: &str| result[name].as_str().unwrap_or_default();
    (text("state"), text("output"), result["exit_code"].as_i64(), text("mode"))
}

/// A copy of the server's key that this account's own ssh takes.
fn key_for(server: &Sshd, user: &str) -> PathBuf {
    let key = PathBuf::from("/var/lib").join(user).join(format!("key-{}", server.port));
    let done = Command::new("install").args(["-m", "600", "-o", user]).arg(server.folder.path().join("id")).arg(&key).status().unwrap();
    assert!(done.success());
    key
}

fn onward(server: &Sshd, user: &str, to: &str) -> String {
    let hosts = server.folder.path().join("known_hosts");
    format!("ssh -p {} -i {} -o UserKnownHostsFile={} {to}@127.0.0.1", server.port, key_for(server, user).display(), hosts.display())
}

fn setting(user: &str, shell: &str) -> (Sshd, Client) {
    account(user, Path::new(shell));
    let server = Sshd::start();
    let client = Client::start(&server.device("web1", user, "linux"));
    (server, client)
}

/// In `inner`: statuses, prompts that change, the way back.
fn is_exact_inside(client: &mut Client, outer: &str, (enter, mode, knows_subshells): (&str, &str, bool)) {
    let at = format!("{enter} in {outer}");
    let entered = client.run("web1", enter);
    // Which language it reads is known once it is prepared.
    let at_first = if mode == "tcsh" { "shell" } else { mode };
    assert_eq!((seen(&entered).0, seen(&entered).3), ("done", at_first), "{at}: {entered}");
    let result = client.run("web1", "echo in");
    assert_eq!(seen(&result), ("done", "in\n", Some(0), mode), "{at}: {result}");
    assert_eq!(result["confidence"], "mark", "{at}");
    let (command, status) = if knows_subshells { ("(exit 4)", 4) } else { ("false", 1) };
    let result = client.run("web1", command);
    assert_eq!(seen(&result), ("done", "", Some(status), mode), "{at}: {result}");
    // A row that looks like the prompt of whichever shell.
    let result = client.run("web1", "printf '%s' '$ '; sleep 1; printf '%s\\n' tail");
    assert_eq!(seen(&result), ("done", "$ tail\n", Some(0), mode), "{at}: {result}");
    let left = client.run("web1", "exit 5");
    assert_eq!((seen(&left).0, seen(&left).2, seen(&left).3), ("done", Some(5), "shell"), "{at}: {left}");
    let result = client.run("web1", "echo back");
    assert_eq!(seen(&result), ("done", "back\n", Some(0), "shell"), "{at}: {result}");
}

#[test]
fn a_shell_inside_a_shell_is_as_exact_as_the_first() {
    let outer = [("jft-bash", "/bin/bash"), ("jft-zsh", "/usr/bin/zsh"), ("jft-fish", "/usr/bin/fish"), ("jft-dash", "/bin/dash")];
    // Most of the time is silence that is waited for: the four go side by side.
    std::thread::scope(|scope| {
        for (user, shell) in outer {
            scope.spawn(move || {
                let (_server, mut client) = setting(user, shell);
                for entered in ENTERED {
                    is_exact_inside(&mut client, shell, entered);
                }
            });
        }
    });
}

#[test]
fn shells_stand_in_one_another_and_are_left_in_turn() {
    let (server, mut client) = setting("jft-bash", "/bin/bash");
    account("jft-zsh", Path::new("/usr/bin/zsh"));
    let ssh = onward(&server, "jft-bash", "jft-zsh");
    for (command, mode, user) in [
        ("bash", "shell", "jft-bash"),
        (&ssh, "remote-shell", "jft-zsh"),
        ("bash", "remote-shell", "jft-zsh"),
        ("fish", "remote-shell", "jft-zsh"),
    ] {
        let entered = client.run("web1", command);
        assert_eq!((seen(&entered).0, seen(&entered).3), ("done", mode), "{command}: {entered}");
        let result = client.run("web1", "id -un; false");
        assert_eq!(seen(&result), ("done", format!("{user}\n").as_str(), Some(1), mode), "{command}");
    }
    let changed = client.run("web1", "function fish_prompt; echo 'weird: '; end");
    assert_eq!(seen(&changed).0, "done", "{changed}");
    for mode in ["remote-shell", "remote-shell", "shell", "shell"] {
        let left = client.run("web1", "exit");
        assert_eq!((seen(&left).0, seen(&left).3), ("done", mode), "{left}");
        assert_eq!(client.run("web1", "echo here")["output"], "here\n");
    }
    // The shell is replaced: it stays the session's own.
    let replaced = client.run("web1", "exec zsh -f");
    assert_eq!((seen(&replaced).0, seen(&replaced).3), ("done", "shell"), "{replaced}");
    assert_eq!(seen(&client.run("web1", "PS1='weird: '; false")), ("done", "", Some(1), "shell"));
    assert_eq!(seen(&client.run("web1", "echo still")), ("done", "still\n", Some(0), "shell"));
}

#[test]
fn a_shell_that_no_word_of_its_line_names_is_told_and_ends_nothing() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.run(
        "web1",
        "cd \"$(mktemp -d)\"; printf '#!/bin/sh\\necho in\\nexec bash\\n' > enter.sh; chmod +x enter.sh; alias r='bash --norc'",
    );
    for (enter, output) in [("./enter.sh", "in\n"), ("r", "")] {
        let asked = client.run("web1", enter);
        assert_eq!((seen(&asked).0, asked["ask_kind"].as_str()), ("needs_input", Some("unknown")), "{enter}: {asked}");
        assert!(asked["ask"].as_str().unwrap().contains("looks like a prompt"), "{asked}");
        assert!(seen(&asked).1.starts_with(output), "{asked}");
        assert!(asked["duration_ms"].as_u64().unwrap() < 20_000, "{asked}");
        // It is the caller's: a line is typed there, and the command goes on up to its own end.
        let sent =
            client.call("ssh_send", json!({"session": "web1", "text": "expr 40 + 2", "keys": ["enter"], "expect": "^42$", "wait_s": 40}));
        assert!(sent["output"].as_str().unwrap().contains("\n42\n"), "{sent}");
        client.call("ssh_send", json!({"session": "web1", "text": "exit 5", "keys": ["enter"], "wait_s": 0}));
        let ended = client.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 40}));
        assert_eq!((seen(&ended).0, seen(&ended).2, seen(&ended).3), ("done", Some(5), "shell"), "{enter}: {ended}");
    }
    // dash asks for no brackets: its prompt has to stand a little longer.
    client.run("web1", "printf '#!/bin/sh\\nexec dash\\n' > plain.sh; chmod +x plain.sh");
    let asked = client.run("web1", "./plain.sh");
    let looks = asked["ask"].as_str().is_some_and(|text| text.contains("looks like a shell"));
    assert!(seen(&asked).0 == "needs_input" && looks, "{asked}");
    client.call("ssh_send", json!({"session": "web1", "text": "exit 6", "keys": ["enter"], "wait_s": 0}));
    let ended = client.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 40}));
    assert_eq!((seen(&ended).0, seen(&ended).2, seen(&ended).3), ("done", Some(6), "shell"), "{ended}");
    // A program that paints a prompt runs on, whatever it paints; one that says that it reads lines may be asked about, no more.
    let prompt = client.run("web1", "true")["prompt"].as_str().unwrap().to_owned();
    for (painted, state) in [("", "running"), ("\\033[?2004h", "needs_input")] {
        let arguments =
            json!({"target": "web1", "command": format!("printf '\\n{painted}%s' '{prompt}'; sleep 9; echo tail; (exit 4)"), "wait_s": 7});
        let painted = client.call("ssh_run", arguments);
        assert_eq!(painted["state"], state, "{painted}");
        // Nobody waits behind a question.
        let ends = Instant::now() + Duration::from_secs(60);
        let ended = loop {
            let seen = client.call("ssh_output", json!({"command_id": painted["command_id"], "wait_s": 20}));
            if seen["state"] != "needs_input" || Instant::now() > ends {
                break seen;
            }
            #[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
            sleep(Duration::from_millis(200));
        };
        assert_eq!((seen(&ended).0, seen(&ended).2), ("done", Some(4)), "{ended}");
        assert!(seen(&ended).1.ends_with(&format!("{prompt}tail\n")), "{ended}");
    }
}

/// A shell that tells no start of a command: what runs is known by the marks that its own prompt would have.
#[test]
fn a_plain_shell_in_a_plain_shell_that_no_word_names_is_told_and_ends_nothing() {
    let (_server, mut client) = setting("jft-dash", "/bin/dash");
    client.run("web1", "cd \"$(mktemp -d)\"; printf '#!/bin/sh\\nexec dash\\n' > plain.sh; chmod +x plain.sh");
    let asked = client.run("web1", "./plain.sh");
    let looks = asked["ask"].as_str().is_some_and(|text| text.contains("looks like a shell"));
    assert!(seen(&asked).0 == "needs_input" && looks, "{asked}");
    let sent =
        client.call("ssh_send", json!({"session": "web1", "text": "expr 40 + 2", "keys": ["enter"], "expect": "^42$", "wait_s": 40}));
    assert!(sent["output"].as_str().unwrap().contains("\n42\n"), "{sent}");
    client.call("ssh_send", json!({"session": "web1", "text": "exit 6", "keys": ["enter"], "wait_s": 0}));
    let ended = client.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 40}));
    assert_eq!((seen(&ended).0, seen(&ended).2, seen(&ended).3), ("done", Some(6), "shell"), "{ended}");
    // A prompt that the line itself has made another one is the shell's own.
    let renamed = client.run("web1", "PS1='# '");
    assert_eq!((seen(&renamed).0, seen(&renamed).3), ("done", "shell"), "{renamed}");
}

/// A prompt that is exported brings our marks into the shells below, which nobody has prepared.
#[test]
fn a_shell_that_has_its_prompt_from_the_environment_is_a_shell_of_its_own() {
    for (shell, inner) in [("/bin/bash", "bash --norc"), ("/bin/dash", "dash"), ("/bin/dash", "env PS4=x dash")] {
        let user = format!("jft-env-{}", shell.rsplit('/').next().unwrap());
        account(&user, Path::new(shell));
        let server = Sshd::start();
        let mut client = Client::start_agreeing(&server.device("web1", &user, "linux"), &[]);
        client.run("web1", "export PS1");
        client.run("web1", "outer=1");
        let entered = client.run("web1", inner);
        assert_eq!((seen(&entered).0, seen(&entered).1, seen(&entered).3), ("done", "", "shell"), "{inner}: {entered}");
        assert_eq!(seen(&client.run("web1", "echo \"<$outer>\"; (exit 3)")), ("done", "<>\n", Some(3), "shell"), "{inner}");
        // Our marks stand in its prompt once.
        let prompt = client.run("web1", "PS4=; case $PS1 in *133*133*133*133*) echo twice;; esac");
        assert_eq!(prompt["output"], "", "{inner}: {prompt}");
        assert_eq!(seen(&client.run("web1", "exit 5")).2, Some(5), "{inner}");
        assert_eq!(seen(&client.run("web1", "echo \"<$outer>\"")), ("done", "<1>\n", Some(0), "shell"), "{inner}");
    }
}

/// Where one prompt is the end of another, and where output stands before it.
#[test]
fn a_prompt_is_told_whole_and_alone() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    let mut prompt = |line: &str| client.run("web1", line)["prompt"].as_str().unwrap().to_owned();
    let outer = prompt("true");
    let inner = prompt("dash");
    assert!(outer != inner && outer.ends_with(&inner), "{outer:?} {inner:?}");
    for line in ["exit", "true", "printf x"] {
        assert_eq!(prompt(line), outer, "{line}");
    }
    // As virtual environments do it.
    assert_eq!(prompt("PS1=\"(venv) $PS1\""), format!("(venv) {outer}"));
    // What went to the terminal while the prompt went elsewhere has left no end of row.
    for line in ["exec 2>elsewhere", "true"] {
        prompt(line);
    }
    assert_eq!(prompt("exec 2>/dev/tty"), format!("(venv) {outer}"));
}

#[test]
fn another_user_is_entered_with_a_password_and_another_host_gets_none() {
    account("jft-sudo", Path::new("/bin/bash"));
    sudoers("jft", "jft-sudo ALL=(ALL) ALL\nDefaults:jft-sudo timestamp_timeout=0\n");
    let server = Sshd::start();
    let config = format!("{}secrets.sudo = {{ env = \"JFT_SUDO\" }}\n", server.device("web1", "jft-sudo", "linux"));
    let mut client = Client::start_with(&config, &[("JFT_SUDO", PASSWORD)]);
    let entered = client.run("web1", "sudo -i");
    assert_eq!((seen(&entered).0, seen(&entered).1, seen(&entered).3), ("done", "", "shell"), "{entered}");
    assert_eq!(seen(&client.run("web1", "id -un; (exit 3)")), ("done", "root\n", Some(3), "shell"));
    // Root asks nobody.
    assert_eq!(seen(&client.run("web1", "su - jft-sudo")).3, "shell");
    assert_eq!(client.run("web1", "id -un")["output"], "jft-sudo\n");
    assert_eq!(client.run("web1", "sudo id -un")["output"], "root\n", "the device's own sudo, three shells deep");
    assert_eq!(seen(&client.run("web1", "exit")).3, "shell");
    assert_eq!(seen(&client.run("web1", "exit")).3, "shell");
    // A password question on the way in is the caller's to answer.
    let asked = client.run("web1", "su - jft-sudo");
    assert_eq!((seen(&asked).0, asked["ask_kind"].as_str()), ("needs_input", Some("password")), "{asked}");
    let sent = client.call("ssh_send", json!({"session": "web1", "secret": "sudo"}));
    assert_eq!(sent["ok"], true, "{sent}");
    assert_eq!(seen(&client.run("web1", "echo in; false")), ("done", "in\n", Some(1), "shell"));
    assert_eq!(seen(&client.run("web1", "exit")).3, "shell");
    // The same account on another host: its sudo asks in our words, and gets no password all the same.
    let entered = client.run("web1", &onward(&server, "jft-sudo", "jft-sudo"));
    assert_eq!(seen(&entered).3, "remote-shell", "{entered}");
    let asked = client.run("web1", "sudo id -un");
    assert_eq!((seen(&asked).0, asked["ask_kind"].as_str()), ("needs_input", Some("password")), "{asked}");
    let refused = client.error("ssh_send", json!({"session": "web1", "secret": "sudo"}));
    assert!(refused.contains("`remote-shell`") && refused.contains("secrets_elsewhere"), "{refused}");
    client.call("ssh_interrupt", json!({"session": "web1"}));
    assert_eq!(seen(&client.run("web1", "exit 0")).3, "shell");
    assert_eq!(client.run("web1", "sudo id -un")["output"], "root\n");
    // Nor does the other host's login.
    let by_password = onward(&server, "jft-sudo", "jft-sudo").replace("ssh -p", "ssh -o PubkeyAuthentication=no -p");
    let asked = client.run("web1", &by_password);
    assert_eq!(asked["ask_kind"], "remote-password", "{asked}");
    let refused = client.error("ssh_send", json!({"session": "web1", "secret": "sudo"}));
    assert!(refused.contains("another host asks") && refused.contains("secrets_elsewhere"), "{refused}");
    client.call("ssh_interrupt", json!({"session": "web1"}));
    client.has_written_no(PASSWORD);
    // The operator may say otherwise.
    let config = format!("{config}secrets_elsewhere = [\"sudo\"]\n");
    let mut client = Client::start_with(&config, &[("JFT_SUDO", PASSWORD)]);
    let asked = client.run("web1", &by_password);
    assert_eq!(asked["ask_kind"], "remote-password", "{asked}");
    let sent = client.call("ssh_send", json!({"session": "web1", "secret": "sudo", "wait_s": 40, "expect": "jft-sudo@"}));
    assert_eq!(sent["ok"], true, "{sent}");
    assert_eq!(seen(&client.run("web1", "id -un")), ("done", "jft-sudo\n", Some(0), "remote-shell"));
    client.has_written_no(PASSWORD);
}

#[test]
fn a_router_behind_ssh_is_no_shell() {
    // What is entered is a program that draws a router's prompt; nothing is typed into it but the caller's lines.
    let (server, mut client) = setting("jft-bash", "/bin/bash");
    let router =
        "bash -c 'printf \"sw1#\"; while read -r line; do printf \"got <%s>\\nsw1#\" \"$line\"; test \"$line\" = exit && exit 9; done'";
    let ssh = onward(&server, "jft-bash", "jft-bash").replace("ssh -p", "ssh -t -p");
    let entered = client.run("web1", &format!("{ssh} {}", shell_quoted(router)));
    assert_eq!((seen(&entered).0, seen(&entered).3), ("done", "unknown"), "{entered}");
    let result = client.run("web1", "show version");
    assert_eq!((seen(&result).0, seen(&result).1, seen(&result).3), ("done", "got <show version>\n", "unknown"), "{result}");
    let left = client.run("web1", "exit");
    assert_eq!((seen(&left).2, seen(&left).3), (Some(9), "shell"), "{left}");
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A server of one's own that ends with its value.
struct Server {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(command: &mut Command, folder: tempfile::TempDir, ready: impl Fn() -> bool) -> Self {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { process, _folder: folder };
        for _ in 0..4800 {
            if ready() {
                return server;
            }
            #[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
            sleep(Duration::from_millis(25));
        }
        panic!("{command:?} did not come up");
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        assert!(Command::new("chown").arg("nobody").arg(folder.path()).status().unwrap().success());
        assert!(Command::new("chmod").arg("755").arg(folder.path()).status().unwrap().success());
        folder
    }
}

fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]).arg(program);
    command
}

fn postgres() -> (Server, String) {
    let newest = || glob("/usr/lib/postgresql").into_iter().map(|version| version.join("bin")).max();
    if newest().is_none_or(|bin| !bin.join("initdb").exists()) || find("psql").is_none() {
        install_packages(&["postgresql", "postgresql-client"]);
    }
    let bin = newest().expect("PostgreSQL is installed");
    let folder = Server::folder();
    let data = folder.path().join("data");
    let made = as_nobody(&bin.join("initdb")).args(["-U", "jft", "-A", "trust", "-D"]).arg(&data).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let socket = folder.path().join(".s.PGSQL.5432");
    let enter = format!("psql -X -h {} -U jft postgres", folder.path().display());
    let mut command = as_nobody(&bin.join("postgres"));
    command.args(["-c", "listen_addresses=", "-k"]).arg(folder.path()).arg("-D").arg(&data);
    let check = enter.clone();
    let answers = move || {
        socket.exists() && Command::new("sh").args(["-c", &format!("{check} -c 'select 1'")]).output().is_ok_and(|out| out.status.success())
    };
    (Server::start(&mut command, folder, answers), enter)
}

fn glob(folder: &str) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

fn mariadb() -> (Server, String) {
    let folder = Server::folder();
    let data = folder.path().join("data");
    let made = Command::new("mariadb-install-db")
        .args(["--no-defaults", "--user=nobody", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg(format!("--datadir={}", data.display()))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let socket = folder.path().join("s");
    let enter = format!("mariadb --no-defaults -u root -S {}", socket.display());
    let mut command = Command::new(find("mariadbd").unwrap());
    command.args(["--no-defaults", "--user=nobody", "--skip-networking"]);
    command.arg(format!("--datadir={}", data.display())).arg(format!("--socket={}", socket.display()));
    let check = enter.clone();
    let answers = move || Command::new("sh").args(["-c", &format!("{check} -e 'select 1'")]).output().is_ok_and(|out| out.status.success());
    (Server::start(&mut command, folder, answers), enter)
}

fn redis() -> (Server, String) {
    let port = free_port();
    let folder = Server::folder();
    let mut command = as_nobody(&find("redis-server").unwrap());
    command.args(["--save", "", "--port", &port.to_string()]).arg("--dir").arg(folder.path());
    let server = Server::start(&mut command, folder, || true);
    until_listens("127.0.0.1", port, "redis-server");
    (server, format!("redis-cli -p {port}"))
}

/// A command, its output, and what its failure holds if it fails.
type Lines = [(&'static str, &'static str, Option<&'static str>)];

/// Enters a program, runs the lines, leaves it; and what it prints that looks like its own prompt ends nothing.
fn is_exact_in(client: &mut Client, enter: &str, mode: &str, lines: &Lines, leave: &str) {
    let entered = client.run("web1", enter);
    assert_eq!((seen(&entered).0, seen(&entered).3), ("done", mode), "{enter}: {entered}");
    for (command, output, failure) in lines {
        let result = client.run("web1", command);
        assert_eq!((seen(&result).0, seen(&result).3), ("done", mode), "{command}: {result}");
        match failure {
            None => {
                assert_eq!((seen(&result).1, &result["failed"]), (*output, &Value::Bool(false)), "{command}: {result}");
            }
            Some(words) => {
                assert_eq!(result["failed"], true, "{command}: {result}");
                assert!(result["failure"].as_str().unwrap_or_default().contains(words), "{command}: {result}");
            }
        }
    }
    let left = client.run("web1", leave);
    assert_eq!((seen(&left).0, seen(&left).3), ("done", "shell"), "{enter}: {left}");
    assert_eq!(seen(&client.run("web1", "echo back; (exit 4)")), ("done", "back\n", Some(4), "shell"), "{enter}");
}

#[test]
fn interpreters_and_debuggers_are_exact() {
    install_missing(&[("python3", "python3"), ("node", "nodejs"), ("gdb", "gdb"), ("bc", "bc")]);
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    let python: &Lines = &[
        ("1+1", "2\n", None),
        ("print('>>> ')", ">>> \n", None),
        ("def f(x):\n  return x*3\n", "", None),
        ("f(14)", "42\n", None),
        ("for i in range(3): print(i)\n", "0\n1\n2\n", None),
        ("1/0", "", Some("ZeroDivisionError: division by zero")),
        ("1 +", "", Some("SyntaxError")),
        ("x = (1,", "", Some("incomplete input")),
        ("import time; time.sleep(1); print('late')", "late\n", None),
        ("prompt = 1; print('.', end='', flush=True); time.sleep(2)", ".", None),
        ("import sys; sys.ps1 = 'py! '", "", None),
        ("len('abc')", "3\n", None),
    ];
    is_exact_in(&mut client, "python3 -q", "python", python, "exit(0)");
    let node: &Lines = &[
        ("1+1", "2\n", None),
        ("console.log('> ')", "> \nundefined\n", None),
        ("function f() {\n return 3\n}", "undefined\n", None),
        ("f()", "3\n", None),
        ("nosuch", "", Some("Uncaught ReferenceError")),
    ];
    is_exact_in(&mut client, "node", "node", node, ".exit");
    let gdb: &Lines = &[
        ("print 2+3", "$1 = 5\n", None),
        ("echo (gdb) \\n", "(gdb) \n", None),
        ("print 6\nprint 7", "$2 = 6\n$3 = 7\n", None),
        ("print nosuch", "", Some("No symbol")),
        ("nosuch x", "", Some("Undefined command")),
    ];
    is_exact_in(&mut client, "gdb -q", "gdb", gdb, "quit");
    let bc: &Lines =
        &[("2^10", "1024\n", None), ("define f(x) {\nreturn x*2\n}", "", None), ("f(4)", "8\n", None), ("1/0", "", Some("Divide by zero"))];
    is_exact_in(&mut client, "bc -q", "bc", bc, "quit");
    let perl: &Lines = &[("p 1+1", "2\n", None), ("print 'x'", "x\n", None), ("p 2+2\np 3+3", "4\n6\n", None)];
    is_exact_in(&mut client, "perl -de 0", "perldb", perl, "q");
}

#[test]
fn output_without_a_newline_ends_at_the_prompt_behind_it() {
    install_missing(&[("python3", "python3"), ("gdb", "gdb"), ("bc", "bc")]);
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    for (enter, mode, command, prompt, leave) in [
        ("python3 -q", "python", "print('a', end='')", ">>> ", "exit(0)"),
        ("gdb -q", "gdb", "printf \"a\"", "(gdb) ", "quit"),
        ("bc -q", "bc", "print \"a\"", "", "quit"),
    ] {
        assert_eq!(seen(&client.run("web1", enter)).3, mode);
        let result = client.run("web1", command);
        assert_eq!((seen(&result).0, seen(&result).3), ("done", mode), "{command}: {result}");
        assert!(result["warnings"].is_null(), "a program that is known: {result}");
        assert_eq!(result["prompt"].as_str().unwrap_or_default(), prompt, "{command}: {result}");
        assert_eq!(seen(&result).1, "a", "{command}: {result}");
        let result = client.run("web1", "print(4)");
        assert_eq!((seen(&result).0, seen(&result).3), ("done", mode), "{command}: {result}");
        assert!(seen(&result).1.trim_end().ends_with('4') && result["warnings"].is_null(), "{command}: {result}");
        assert_eq!(seen(&client.run("web1", leave)).3, "shell");
    }
}

#[test]
fn a_debugger_asks_and_a_statement_goes_on() {
    install_missing(&[("gdb", "gdb"), ("sqlite3", "sqlite3")]);
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    assert_eq!(seen(&client.run("web1", "gdb -q")).3, "gdb");
    let asked = client.run("web1", "break nosuch");
    assert_eq!((seen(&asked).0, asked["ask_kind"].as_str()), ("needs_input", Some("yes-no")), "{asked}");
    client.call("ssh_send", json!({"session": "web1", "text": "n", "keys": ["enter"], "wait_s": 5}));
    assert_eq!(seen(&client.run("web1", "print 1")), ("done", "$1 = 1\n", None, "gdb"));
    assert_eq!(seen(&client.run("web1", "quit")).3, "shell");
    // In memory: what is there goes with the program.
    assert_eq!(seen(&client.run("web1", "sqlite3")).3, "sqlite");
    assert_eq!(seen(&client.run("web1", "create table t(a); insert into t values(5);")).0, "done");
    let asked = client.run("web1", "select a\nfrom t");
    assert_eq!((seen(&asked).0, asked["ask_kind"].as_str()), ("needs_input", Some("unknown")), "{asked}");
    assert!(asked["ask"].as_str().unwrap_or_default().contains("`;` ends it"), "{asked}");
    client.call("ssh_send", json!({"session": "web1", "text": ";", "keys": ["enter"], "wait_s": 5}));
    let result = client.run("web1", "select count(*) from t;");
    assert_eq!(seen(&result), ("done", "1\n", None, "sqlite"), "{result}");
    assert_eq!(seen(&client.run("web1", ".exit 0")).3, "shell");
}

#[test]
fn database_clients_are_exact() {
    let packages = [
        ("sqlite3", "sqlite3"),
        ("redis-cli", "redis-tools"),
        ("redis-server", "redis-server"),
        ("mariadb", "mariadb-client-core"),
        ("mariadbd", "mariadb-server-core"),
    ];
    install_missing(&packages);
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    let (_postgres, enter) = postgres();
    let psql: &Lines = &[
        ("select 1 as a;", " a \n---\n 1\n(1 row)\n\n", None),
        ("select\n 2 as b;", " b \n---\n 2\n(1 row)\n\n", None),
        ("\\echo postgres=#", "postgres=#\n", None),
        ("select pg_sleep(1);", " pg_sleep \n----------\n \n(1 row)\n\n", None),
        ("select * from nosuch;", "", Some("ERROR:  relation \"nosuch\" does not exist")),
        ("select 3", "", Some("incomplete input")),
        ("begin;", "BEGIN\n", None),
        ("select 1 from nosuch;", "", Some("ERROR:")),
        ("rollback;", "ROLLBACK\n", None),
        ("\\set PROMPT1 'sql! '", "", None),
        ("select 4 as d;", " d \n---\n 4\n(1 row)\n\n", None),
    ];
    is_exact_in(&mut client, &enter, "psql", psql, "\\q");
    let sqlite: &Lines = &[
        ("create table t(a); insert into t values(5);", "", None),
        ("select *\nfrom t;", "5\n", None),
        ("select 'sqlite> ';", "sqlite> \n", None),
        ("select * from nosuch;", "", Some("no such table")),
    ];
    is_exact_in(&mut client, "sqlite3 -batch -interactive", "sqlite", sqlite, ".exit 0");
    let (_mariadb, enter) = mariadb();
    let mysql: &Lines = &[
        ("select 1 as a;", "+---+\n| a |\n+---+\n| 1 |\n+---+\n", None),
        ("select 2\nas b;", "+---+\n| b |\n+---+\n| 2 |\n+---+\n", None),
        ("select * from a.b;", "", Some("ERROR 1146")),
        ("create database s;\nuse s;", "", None),
        (
            "select 'MariaDB [s]> ' as p;",
            "+---------------+\n| p             |\n+---------------+\n| MariaDB [s]>  |\n+---------------+\n",
            None,
        ),
    ];
    is_exact_in(&mut client, &format!("{enter} --skip-progress-reports --silent --table --show-warnings"), "mysql", mysql, "quit");
    let (_redis, enter) = redis();
    let redis: &Lines = &[("set a 5", "OK\n", None), ("get a", "\"5\"\n", None), ("nosuch", "", Some("(error) ERR unknown command"))];
    is_exact_in(&mut client, &enter, "redis", redis, "quit");
}

#[test]
fn a_terminal_multiplexer_is_a_screen_that_keys_are_sent_to() {
    install_missing(&[("tmux", "tmux"), ("screen", "screen")]);
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    // tmux: one server for this test alone.
    let socket = format!("jf{}", std::process::id());
    for (enter, leave) in [(format!("tmux -L {socket} new"), "exit 0"), ("screen bash --norc".to_owned(), "exit 0")] {
        let asked = client.run("web1", &enter);
        assert_eq!((seen(&asked).0, asked["ask_kind"].as_str()), ("needs_input", Some("screen")), "{asked}");
        client.call("ssh_send", json!({"session": "web1", "text": "expr 40 + 2", "keys": ["enter"], "expect": "^42$", "wait_s": 40}));
        let screen = client.call("ssh_screen", json!({"session": "web1"}));
        assert!(screen["rows"].as_array().unwrap().iter().any(|row| row["text"] == "42"), "{screen}");
        client.call("ssh_send", json!({"session": "web1", "text": leave, "keys": ["enter"], "wait_s": 5}));
        let result = client.run("web1", "echo back; (exit 4)");
        assert_eq!(seen(&result), ("done", "back\n", Some(4), "shell"), "{enter}: {result}");
    }
}
