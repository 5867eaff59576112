//! Commands without a terminal: behind a pipe, and on channels of their own.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::{until, until_gone};
use crate::support::sshd::{Sshd, account, kept};
use crate::support::{find, install_missing};

fn setting(user: &str, shell: &str) -> (Sshd, Client) {
    account(user, Path::new(shell));
    let server = Sshd::start();
    let client = Client::start(&server.device("web1", user, "linux"));
    (server, client)
}

/// What came of a command: output, standard error, status.
fn parts(result: &Value) -> (&str, &str, Option<i64>) {
    let text = |name: &str| result[name].as_str().unwrap_or_else(|| panic!("no {name}: {result}"));
    (text("output"), text("stderr"), result["exit_code"].as_i64())
}

/// Command, output, standard error, status.
const TABLE: [(&str, &str, &str, i64); 17] = [
    ("echo hello", "hello\n", "", 0),
    ("echo out; echo err >&2", "out\n", "err\n", 0),
    ("printf x; printf y >&2", "x", "y", 0),
    ("printf 'x\\001'; printf 'y\\001' >&2", "x\\x01", "y\\x01", 0),
    ("false", "", "", 1),
    ("(exit 7)", "", "", 7),
    ("echo 'a\tb'", "a\tb\n", "", 0),
    ("cat <<'EOF'\nit's\n  two\nEOF", "it's\n  two\n", "", 0),
    ("printf '\\033]133;D;0;ffffffffffffffff\\007'; sleep 0.3; echo on", "on\n", "", 0),
    ("printf 'root@host:~# \\nPassword: \\n--More--\\n'", "root@host:~# \nPassword: \n--More--\n", "", 0),
    ("read x; echo \"got <$x>\"", "got <>\n", "", 0),
    ("cd /tmp; here=1; export there=2", "", "", 0),
    ("pwd; echo $here $there", "/tmp\n1 2\n", "", 0),
    ("sleep 1; echo late", "late\n", "", 0),
    ("echo \"$0\" | grep -c .", "1\n", "", 0),
    ("seq 100000 | tail -n 1", "100000\n", "", 0),
    ("set -x; set +x; echo quiet", "quiet\n", "+ set +x\n", 0),
];

#[test]
fn a_shell_behind_a_pipe_is_exact_and_keeps_its_state() {
    for (user, shell) in [("jft-bash", "/bin/bash"), ("jft-fish", "/usr/bin/fish")] {
        let (_server, mut client) = setting(user, shell);
        let opened = client.call("ssh_open", json!({"host": "web1", "tty": false}));
        assert_eq!((opened["session"].as_str(), opened["state"].as_str()), (Some("web1#pipe"), Some("ready")), "{opened}");
        for (command, output, errors, status) in TABLE {
            let result = client.run("web1#pipe", command);
            let seen = parts(&result);
            let errors = if command.starts_with("set -x") { seen.1 } else { errors };
            assert_eq!(seen, (output, errors, Some(status)), "{shell}: {command}: {result}");
            assert_eq!((result["state"].as_str(), result["confidence"].as_str()), (Some("done"), Some("mark")));
        }
        // As long as callers are told that a command may be, policy included.
        let most = client.call("ssh_info", json!({"topic": "limits"}))["limits"]["command_max_bytes"].as_u64().unwrap();
        let longest = format!("echo {}", "x".repeat(usize::try_from(most).unwrap() - "echo ".len()));
        assert_eq!(client.run("web1#pipe", &longest)["range"]["total"].as_u64(), Some(most - 4));
    }
}

/// The account of a server that has this shell as its `sh`, and no bash.
fn account_with(sh: &str) -> String {
    install_missing(&[("dash", "dash"), ("busybox", "busybox"), ("mksh", "mksh"), ("ksh93", "ksh93u+m"), ("zsh", "zsh")]);
    let user = format!("jft-p-{sh}");
    let home = account(&user, &find("zsh").unwrap());
    let _ = std::fs::create_dir(home.join("bin"));
    let _ = std::os::unix::fs::symlink(find(sh).unwrap(), home.join("bin/sh"));
    // mksh has none of its own.
    let _ = std::os::unix::fs::symlink(find("printf").unwrap(), home.join("bin/printf"));
    kept(&home.join(".zshenv"), "PATH=~/bin\n");
    user
}

/// Command, output, standard error, status. Where output goes elsewhere, ends are told all the same.
const ELSEWHERE: [(&str, &str, &str, i64); 15] = [
    ("export PATH=/usr/bin:/bin; cd \"$(mktemp -d)\"", "", "", 0),
    ("ls /proc/self/fd | grep -v '^[0-3]$'", "", "", 1),
    ("exec 2>err; echo said >&2; (exit 4)", "", "", 4),
    ("echo out; cd /; cd - >/dev/null; ls /nosuch || cat err | head -n 1", "out\nsaid\n", "", 0),
    ("exec >out", "", "", 0),
    ("echo hidden; (exit 5)", "", "", 5),
    ("exec 2>&-; exec >&-; (exit 6)", "", "", 6),
    ("exec >>out 2>&1", "", "", 0),
    ("echo more; exit 3", "", "", 3),
    ("cat out; echo now >&2", "hidden\nmore\n", "now\n", 0),
    ("exec 9>lock; echo first >&9", "", "", 0),
    ("echo second >&9; cat lock", "first\nsecond\n", "", 0),
    ("exec >/dev/null 2>&1; set -e; false; echo never", "", "", 1),
    ("set -a; exec 2>/dev/null", "", "", 0),
    ("read x; echo \"<$x>\"; env | grep -c __jfc", "<>\n0\n", "", 1),
];

#[test]
fn redirected_outputs_of_a_shell_behind_a_pipe_are_its_own() {
    let users = ["dash", "busybox", "mksh", "ksh93"].map(account_with);
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    for user in users.iter().map(String::as_str).chain(["jft-bash"]) {
        let mut client = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", user, "linux")));
        client.call("ssh_open", json!({"host": "web1", "tty": false}));
        for (command, output, errors, status) in ELSEWHERE {
            if user.ends_with("ksh93") && command.starts_with("ls ") {
                // Under the name `sh` it gives programs all that is open, and a trap does not have again what was closed for a command.
                continue;
            }
            let call = json!({"target": "web1#pipe", "command": command, "wait_s": 40});
            let result = client.call("ssh_run", call);
            assert_eq!(result["state"], "done", "{user}: {command}: {result}");
            assert_eq!(parts(&result), (output, errors, Some(status)), "{user}: {command}: {result}");
        }
    }
}

#[test]
fn what_ends_the_shell_hurts_only_its_command() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    client.run("web1#pipe", "cd /tmp; export kept=1; lost=2");
    for (command, status) in [("exit 3", 3), ("set -e; false; echo never", 1), ("kill -TERM $$; sleep 1", 143)] {
        let result = client.run("web1#pipe", command);
        assert_eq!((result["exit_code"].as_i64(), result["state"].as_str()), (Some(status), Some("done")), "{command}: {result}");
        assert!(result["warnings"].to_string().contains("ended the shell"), "{result}");
        assert_eq!(parts(&client.run("web1#pipe", "echo $PWD $kept-$lost")), ("/tmp 1-\n", "", Some(0)), "{command}");
    }
    let unclosed = client.run("web1#pipe", "if true; then echo 'x");
    assert_ne!(unclosed["exit_code"], 0, "{unclosed}");
    assert_eq!(parts(&client.run("web1#pipe", "echo fine")), ("fine\n", "", Some(0)));
}

/// A signal that comes when no command runs, as an interrupt that was too late.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn what_ends_the_shell_between_two_commands_is_told_by_the_next_one() {
    let users = ["dash", "busybox", "mksh"].map(account_with);
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    for user in users.iter().map(String::as_str).chain(["jft-bash"]) {
        let mut client = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", user, "linux")));
        client.call("ssh_open", json!({"host": "web1", "tty": false}));
        client.run("web1#pipe", "export PATH=/usr/bin:/bin; cd /tmp; kept=1");
        for name in ["INT", "TERM"] {
            client.run("web1#pipe", &format!("(sleep 0.3; kill -{name} $$) & (exit 3)"));
            std::thread::sleep(Duration::from_secs(1));
            let next = client.run("web1#pipe", "echo $? $kept");
            assert_eq!((parts(&next), &next["warnings"]), (("3 1\n", "", Some(0)), &json!(null)), "{user}: {name}: {next}");
        }
        if user == "jft-bash" {
            client.run("web1#pipe", "(sleep 0.3; echo late; kill -HUP $$) &");
            std::thread::sleep(Duration::from_secs(1));
            let next = client.run("web1#pipe", "echo $PWD $kept-");
            assert_eq!(parts(&next), ("/tmp -\n", "", Some(0)), "{next}");
            let warnings = next["warnings"].to_string();
            assert!(warnings.contains("5 bytes of output came after") && warnings.contains("the shell had ended behind"), "{next}");
            assert_eq!(client.run("web1#pipe", "true")["warnings"], json!(null), "it is told once");
        }
    }
}

/// Where the operator stops nothing: nobody waits for the rest, so the shell says itself what is missing.
#[test]
fn an_open_quote_ends_with_the_shells_own_words_and_the_next_command_runs() {
    for (user, shell) in [("jft-bash", "/bin/bash"), ("jft-dash", "/bin/dash")] {
        account(user, Path::new(shell));
        let server = Sshd::start();
        let mut client = Client::start(&format!("{}\n[policy]\nmode = \"full\"\n", server.device("web1", user, "linux")));
        client.call("ssh_open", json!({"host": "web1", "tty": false}));
        for lane in [json!({"target": "web1#pipe"}), json!({"target": "web1", "lane": "exec"})] {
            let mut run = |command: &str| {
                let mut call = lane.clone();
                call["command"] = command.into();
                client.call("ssh_run", call)
            };
            let result = run("echo \"abc");
            let (output, errors, status) = parts(&result);
            assert_eq!((output, result["state"].as_str(), result["failed"].as_bool()), ("", Some("done"), Some(true)), "{result}");
            assert!(status.is_some_and(|status| status != 0) && !errors.is_empty(), "{shell}: {result}");
            assert_eq!(parts(&run("echo after")), ("after\n", "", Some(0)), "{shell}");
        }
        assert!(client.error("ssh_run", json!({"target": "web1", "command": "echo \"abc"})).contains("is not closed"));
    }
}

#[test]
fn a_channel_of_its_own_tells_both_outputs_and_the_protocols_status() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    let mut run = |command: &str| {
        let result = client.call("ssh_run", json!({"target": "web1", "command": command, "lane": "exec"}));
        assert_eq!(result["session"], "web1#exec");
        result
    };
    assert_eq!(parts(&run("echo out; echo err >&2; exit 7")), ("out\n", "err\n", Some(7)));
    assert_eq!(parts(&run("cd /tmp; x=1")), ("", "", Some(0)));
    assert_eq!(parts(&run("echo \"<$x>\"; pwd")), ("<>\n/var/lib/jft-bash\n", "", Some(0)));
    assert_eq!(run("kill -KILL $$")["failure"], "the program was ended by signal KILL");
    assert_eq!(run("rm -rf /")["state"], "approval_needed");
    let history = client.call("ssh_history", json!({}));
    let known = |command: &str| history["entries"].as_array().unwrap().iter().find(|entry| entry["command"] == command).cloned();
    assert_eq!(known("echo out; echo err >&2; exit 7").unwrap()["exit_code"], 7, "{history}");
    assert_eq!(known("rm -rf /").unwrap()["state"], "approval_needed", "{history}");
}

/// Command, output, standard error, status: read as a POSIX shell and bash read it, by whatever shell the account has.
const JUDGED: [(&str, &str, &str, i64); 8] = [
    ("echo \"a\\\"; touch jft-made; #\"", "a\"; touch jft-made; #\n", "", 0),
    ("ls jft-none 2>&1 | grep -c jft-none", "1\n", "", 0),
    ("printf '%s' 'it'\\''s !x \\ @ %20 $HOME `x` \"q\" é日😀\n\ty'", "it's !x \\ @ %20 $HOME `x` \"q\" é日😀\n\ty", "", 0),
    ("cat <<'EOF'\nit's\n  \\two\nEOF\n", "it's\n  \\two\n", "", 0),
    ("set -o pipefail; false | true", "", "", 1),
    ("[[ a == a ]] && cat <(echo within)", "within\n", "", 0),
    ("read x; echo \"<$x> $#\" >&2", "", "<> 0\n", 0),
    ("test \"$LOGNAME\" = \"$(id -un)\" && test -n \"$SSH_CONNECTION\"; (exit 7)", "", "", 7),
];

#[test]
fn a_channel_of_its_own_reads_a_command_as_policy_does_whatever_the_login_shell_is() {
    for (user, shell) in [
        ("jft-l-bash", "/bin/bash"),
        ("jft-l-dash", "/bin/dash"),
        ("jft-l-fish", "/usr/bin/fish"),
        ("jft-l-zsh", "/usr/bin/zsh"),
        ("jft-l-tcsh", "/usr/bin/tcsh"),
        ("jft-l-mksh", "/usr/bin/mksh"),
    ] {
        let home = account(user, Path::new(shell));
        let made = ["jft-made", "1"].map(|name| home.join(name));
        made.iter().for_each(|file| drop(std::fs::remove_file(file)));
        let server = Sshd::start();
        let mut client = Client::start(&server.device("web1", user, "linux"));
        let mut run = |command: &str| client.call("ssh_run", json!({"target": "web1", "command": command, "lane": "exec", "wait_s": 40}));
        for (command, output, errors, status) in JUDGED {
            let result = run(command);
            assert_eq!(parts(&result), (output, errors, Some(status)), "{shell}: {command}: {result}");
        }
        // What runs is the process that the server has started, so a signal reaches it.
        assert_eq!(run("kill -KILL $$")["failure"], "the program was ended by signal KILL", "{shell}");
        assert!(!made.iter().any(|file| file.exists()), "{shell}: {made:?}");
    }
}

#[test]
fn a_channel_of_its_own_has_sh_where_there_is_no_bash() {
    let users = ["dash", "busybox", "mksh", "ksh93"].map(account_with);
    let server = Sshd::start();
    for user in &users {
        let mut client = Client::start(&server.device("web1", user, "linux"));
        let command = "printf '%s\\n' 'it'\\''s \\ !'\ntest -n \"$BASH_VERSION\" || echo none";
        let result = client.call("ssh_run", json!({"target": "web1", "command": command, "lane": "exec"}));
        assert_eq!(parts(&result), ("it's \\ !\nnone\n", "", Some(0)), "{user}: {result}");
    }
}

#[test]
fn a_command_waits_for_a_channel_of_its_own_where_the_server_gives_few() {
    account("jft-bash", Path::new("/bin/bash"));
    for most in [1, 2] {
        let server = Sshd::start_with(|_| format!("MaxSessions {most}"));
        let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
        let call = |command: &str, wait_s: f64| json!({"target": "web1", "command": command, "lane": "exec", "wait_s": wait_s});
        client.call("ssh_run", call("true", 40.0));
        let all: Vec<Value> = (0..5).map(|number| call(&format!("sleep 1; echo {number}"), 40.0)).collect();
        let results = client.call_all("ssh_run", &all);
        let mut outputs: Vec<&str> = results.iter().map(|result| parts(result).0).collect();
        outputs.sort_unstable();
        assert_eq!(outputs, ["0\n", "1\n", "2\n", "3\n", "4\n"], "{most}: {results:?}");
        // It waits as long as its caller does.
        let mut begun = || client.call("ssh_run", call("sleep 4714", 1.0))["command_id"].as_str().unwrap().to_owned();
        let running: Vec<String> = (0..most).map(|_| begun()).collect();
        let why = client.error("ssh_run", call("echo late", 1.0));
        assert!(why.contains("busy") && why.contains("nothing was typed"), "{most}: {why}");
        for id in &running {
            client.call("ssh_interrupt", json!({"command_id": id}));
        }
    }
    until_gone("sleep 4714");
}

#[test]
fn commands_on_channels_of_their_own_run_side_by_side_and_each_can_be_stopped() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    // The connection is there before a call has only a moment.
    client.call("ssh_run", json!({"target": "web1", "command": "true", "lane": "exec"}));
    let mut start = |command: &str, wait_s: f64| {
        let result = client.call("ssh_run", json!({"target": "web1", "command": command, "lane": "exec", "wait_s": wait_s}));
        (result["command_id"].as_str().unwrap().to_owned(), result)
    };
    let (first, result) = start("sleep 4711", 0.2);
    assert_eq!(result["state"], "running");
    let (second, result) = start("sleep 4712", 0.2);
    assert_eq!(result["state"], "running");
    assert_eq!(start("echo meanwhile", 40.0).1["output"], "meanwhile\n");
    for id in [&second, &first] {
        let stopped = client.call("ssh_interrupt", json!({"command_id": id}));
        assert_eq!(stopped["state"], "interrupted", "{stopped}");
    }
    // Nothing is left on the host.
    until_gone("sleep 471[12]");
}

#[test]
fn what_is_cut_of_standard_error_is_read_from_there() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    let call = json!({"target": "web1", "command": "seq 5000 >&2; echo out", "lane": "exec", "wait_s": 40});
    let result = client.call("ssh_run", call);
    let (before, marker) = parts(&result).1.split_once("\n[... ").unwrap();
    let words = marker.lines().next().unwrap();
    let offset: u64 = words.rsplit("offset=").next().unwrap().trim_end_matches(" ...]").parse().unwrap();
    assert!(words.contains(&format!("ssh_output command_id={} stream=stderr ", result["command_id"].as_str().unwrap())), "{words}");
    let call = json!({"command_id": result["command_id"], "stream": "stderr", "offset": offset, "max_chars": 100});
    let page = client.call("ssh_output", call);
    let number = |line: Option<&str>| line.unwrap().parse::<u64>().unwrap();
    assert_eq!(number(page["output"].as_str().unwrap().lines().next()), number(before.lines().next_back()) + 1, "{page}");
    assert!(page["next"].as_str().unwrap().contains(" stream=stderr offset="), "{page}");
    client.run("web1", "true");
    let message = client.error("ssh_output", json!({"session": "web1", "stream": "stderr"}));
    assert!(message.contains("standard error comes with the output"), "{message}");
}

#[test]
fn a_command_behind_a_pipe_can_be_stopped() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    let result = client.call("ssh_run", json!({"target": "web1#pipe", "command": "while :; do sleep 4713; done", "wait_s": 0.3}));
    assert_eq!(result["state"], "running");
    let stopped = client.call("ssh_interrupt", json!({"command_id": result["command_id"]}));
    assert_eq!((stopped["state"].as_str(), stopped["prompt_back"].as_bool()), (Some("interrupted"), Some(true)), "{stopped}");
    assert_eq!(client.run("web1#pipe", "echo fine")["output"], "fine\n");
    until_gone("sleep 4713");
}

#[test]
fn what_needs_a_terminal_is_told_so() {
    let (server, client) = setting("jft-bash", "/bin/bash");
    drop(client);
    let mut client = Client::start(&(server.device("web1", "jft-bash", "linux") + &server.device("sw1", "jft-bash", "cisco_ios")));
    let message = client.error("ssh_open", json!({"host": "sw1", "tty": false}));
    assert!(message.contains("only in a terminal"), "{message}");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    let message = client.error("ssh_send", json!({"session": "web1#pipe", "text": "x"}));
    assert!(message.contains("has no terminal"), "{message}");
    let message = client.error("ssh_screen", json!({"session": "web1#pipe"}));
    assert!(message.contains("no screen") && message.contains("ssh_output command_id"), "{message}");
}

#[test]
fn what_does_not_stop_without_a_terminal_is_looked_at_by_its_output() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    for lane in [json!({"target": "web1#pipe"}), json!({"target": "web1", "lane": "exec"})] {
        let mut arguments = lane.clone();
        (arguments["command"], arguments["wait_s"]) = ("bash -c 'trap \"\" INT; sleep 300.4714; true'".into(), 3.into());
        let running = client.call("ssh_run", arguments);
        let id = &running["command_id"];
        let stopped = client.call("ssh_interrupt", json!({"command_id": id}));
        let next = stopped["next"].as_str().unwrap_or_default();
        assert!(stopped["state"] == "running" && next.contains("ssh_output") && !next.contains("ssh_screen"), "{lane}: {stopped}");
        client.call("ssh_interrupt", json!({"command_id": id, "how": "kill"}));
    }
}

/// Where a server passes no signals on, as old ones do not, hanging up is what is left. It tells nothing of what it then leaves running.
#[test]
fn what_takes_no_signal_is_hung_up_and_what_runs_beside_it_goes_on() {
    account("jft-bash", Path::new("/bin/bash"));
    // OpenSSH sends none to what it starts in place of what was asked for.
    let server = Sshd::start_with(|_| "ForceCommand /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"".to_owned());
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.call("ssh_run", json!({"target": "web1", "command": "true", "lane": "exec"}));
    let mut start = |command: &str, kill_after_s: u64| {
        let call = json!({"target": "web1", "command": command, "lane": "exec", "wait_s": 0.2, "kill_after_s": kill_after_s});
        client.call("ssh_run", call)["command_id"].as_str().unwrap().to_owned()
    };
    let (beside, late, unwanted) = (start("sleep 10; echo on", 0), start("sleep 300.4716", 1), start("sleep 300.4716", 0));
    let hung_up = client.call("ssh_interrupt", json!({"command_id": unwanted, "how": "hangup"}));
    assert_eq!(hung_up["state"], "interrupted", "{hung_up}");
    assert!(hung_up["next"].as_str().unwrap().contains("may go on on the device"), "{hung_up}");
    for (id, state, output) in [(unwanted, "lost", ""), (late, "lost", ""), (beside, "done", "on\n")] {
        let end = client.call("ssh_output", json!({"command_id": id, "wait_s": 20}));
        assert_eq!((end["state"].as_str(), end["output"].as_str()), (Some(state), Some(output)), "{end}");
        // Its session goes on.
        let next = end["next"].as_str().unwrap();
        assert!(!next.contains("was lost") && next.contains("may still run there") == (state == "lost"), "{end}");
    }
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    let piped = client.call("ssh_run", json!({"target": "web1#pipe", "command": "sleep 300.4716", "wait_s": 0.2}));
    let hung_up = client.call("ssh_interrupt", json!({"command_id": piped["command_id"], "how": "hangup"}));
    assert_eq!(hung_up["state"], "interrupted", "{hung_up}");
    assert_eq!(client.run("web1#pipe", "echo fine")["output"], "fine\n", "the next call has a new session");
    let _ = std::process::Command::new("pkill").args(["-f", "sleep 300[.]4716"]).status();
}

#[test]
fn a_hundred_megabytes_come_whole_without_a_terminal() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    let command = "yes 0123456789012345678901234567890123456789012345678 | head -n 2000000; echo end >&2";
    for arguments in [json!({"target": "web1#pipe"}), json!({"target": "web1", "lane": "exec"})] {
        let mut arguments = arguments;
        arguments["command"] = command.into();
        arguments["wait_s"] = 45.into();
        let mut result = client.call("ssh_run", arguments);
        while result["state"] == "running" {
            result = client.call("ssh_output", json!({"command_id": result["command_id"], "wait_s": 45}));
        }
        assert_eq!(
            (result["range"]["total"].as_u64(), result["stderr"].as_str()),
            (Some(100_000_000), Some("end\n")),
            "{}",
            result["range"]
        );
        let id = result["command_id"].clone();
        let page = client.call("ssh_output", json!({"command_id": id, "grep": "^1", "max_chars": 1000}));
        assert_eq!(page["output"], "", "every line is the same");
    }
}

/// Who asks meanwhile, and the caller's own limit, have their turn between two pieces of it.
#[test]
fn output_that_never_pauses_keeps_nobody_waiting() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    client.call("ssh_run", json!({"target": "web1", "command": "true", "lane": "exec"}));
    for lane in [json!({"target": "web1#pipe"}), json!({"target": "web1", "lane": "exec"})] {
        for kill_after_s in [0, 1] {
            let mut arguments = lane.clone();
            (arguments["command"], arguments["wait_s"], arguments["kill_after_s"]) = (json!("yes"), json!(0.5), json!(kill_after_s));
            let running = client.call("ssh_run", arguments);
            assert_eq!(running["state"], "running", "{running}");
            let id = &running["command_id"];
            if kill_after_s == 0 {
                let stopped = client.call("ssh_interrupt", json!({"command_id": id}));
                assert_eq!(stopped["state"], "interrupted", "{stopped}");
            }
            let ended = client.call("ssh_output", json!({"command_id": id, "tail": 1, "wait_s": 20}));
            assert_ne!(ended["state"], "running", "{ended}");
        }
    }
}

#[test]
fn nothing_reads_for_ever_and_what_comes_late_is_told() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    for (command, output) in [("cat; echo end", "end\n"), ("read x; echo \"<$x>\"", "<>\n"), ("grep foo; echo $?", "1\n")] {
        let result = client.call("ssh_run", json!({"target": "web1", "lane": "exec", "command": command, "wait_s": 40}));
        assert_eq!(parts(&result), (output, "", Some(0)), "{command}: {result}");
    }
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    assert_eq!(parts(&client.run("web1#pipe", "(sleep 0.3; echo LATE; echo LERR >&2) & echo now")).0, "now\n");
    client.run("web1", "sleep 3");
    let next = client.run("web1#pipe", "echo next");
    assert_eq!(parts(&next), ("next\n", "", Some(0)));
    let warnings = next["warnings"].to_string();
    assert!(warnings.contains("5 bytes of output came after the last command ended, at offset"), "{next}");
    assert!(warnings.contains("5 bytes of standard error came after the last command ended"), "{next}");
}

#[test]
fn a_session_without_a_terminal_comes_back_without_one() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    client.run("web1#pipe", "kill -9 $$");
    let result = client.run("web1#pipe", "test -t 0 || echo none");
    assert_eq!(parts(&result), ("none\n", "", Some(0)), "{result}");
}

/// As at a terminal: who goes on would think to be in the directory of before.
#[test]
fn a_session_without_a_terminal_that_ended_while_nothing_ran_is_not_replaced_in_silence() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    assert_eq!(client.run("web1#pipe", "cd /usr; (sleep 0.5; kill -9 $$) &")["state"], "done");
    until("its end is told", || client.call("ssh_sessions", json!({"session": "web1#pipe"}))["sessions"][0]["state"] != "ready");
    let next = client.run("web1#pipe", "test $PWD = /usr || echo elsewhere");
    assert_eq!((next["state"].as_str(), next["output"].as_str()), (Some("done"), Some("elsewhere\n")), "{next}");
    assert!(next["warnings"].to_string().contains("ended while nothing ran there"), "{next}");
    assert_eq!(client.run("web1#pipe", "true")["warnings"], json!(null), "it is told once");
}

/// As at a terminal: it lasts as long as a command runs, and each command renews it.
#[test]
fn a_lock_of_a_session_without_a_terminal_lasts_as_long_as_it_is_used() {
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    client.call("ssh_lock", json!({"session": "web1#pipe", "action": "take", "ttl_s": 6}));
    client.run("web1#pipe", "sleep 7");
    let listed = client.call("ssh_sessions", json!({"session": "web1#pipe"}));
    assert_eq!(listed["sessions"][0]["lock"]["rule"], "one_agent", "{listed}");
}

/// What a shell keeps from one command to the next, and what ends it, is as at any prompt.
#[test]
fn statuses_options_and_traps_are_those_of_the_callers_lines_behind_a_pipe() {
    let deep = "d=/tmp/jft-pipe$(printf '/%0199d' 1 2 3 4 5 6); mkdir -p $d && cd $d";
    let (_server, mut client) = setting("jft-bash", "/bin/bash");
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    for (command, output, status) in [
        ("(exit 3)", "", 3),
        ("echo $?", "3\n", 0),
        ("false; true; sh -c 'exit 4' # why", "", 4),
        ("echo $?", "4\n", 0),
        ("x=5; set -e", "", 0),
        ("[ -f /nope ] && echo yes", "", 1),
        ("! true", "", 1),
        ("echo $x; set +e", "5\n", 0),
        ("cat <<E\ntext\nE", "text\n", 0),
        ("printf() { echo mine; }", "", 0),
        ("printf x; unset -f printf", "mine\n", 0),
        (deep, "", 0),
        ("sh -c 'exit 5'", "", 5),
        ("cd /; IFS=6; sh -c 'exit 6'", "", 6),
        ("echo \"$?\"", "6\n", 0),
        ("sh -c 'exit 6'", "", 6),
        ("exit 6", "", 6),
    ] {
        let result = client.run("web1#pipe", command);
        let seen = parts(&result);
        assert_eq!((seen.0, seen.2), (output, Some(status)), "{command}: {result}");
        assert_eq!(result["state"], "done", "{command}: {result}");
    }
    client.run("web1#pipe", "trap 'echo ERR' ERR");
    assert_eq!(parts(&client.run("web1#pipe", "false")), ("ERR\n", "", Some(1)));
}

/// A trap of the caller's own takes the place of ours: the channel's status tells how it ended.
#[test]
fn a_shell_behind_a_pipe_that_ends_itself_tells_its_status() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    let ended = client.run("web1#pipe", "trap 'echo bye' EXIT; exit 5");
    assert_eq!(
        (ended["state"].as_str(), ended["exit_code"].as_i64(), ended["output"].as_str()),
        (Some("done"), Some(5), Some("bye\n")),
        "{ended}"
    );
    assert!(ended["warnings"].to_string().contains("it ended the session"), "{ended}");
    assert_eq!(client.run("web1#pipe", "echo fine")["output"], "fine\n");
}
