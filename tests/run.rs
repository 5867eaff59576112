//! Commands on a real sshd: the whole output, the true status, and the call always comes back.

use std::path::Path;

use serde_json::json;

use crate::support::client::Client;
use crate::support::process::{until, until_gone, with_words};
use crate::support::sshd::{PASSWORD, Sshd, account, sudoers};

/// Command, its output, its exit status.
fn table() -> Vec<(&'static str, String, String, i64)> {
    let long = "x".repeat(5000);
    let row = |name, command: &str, output: &str, status| (name, command.to_owned(), output.to_owned(), status);
    vec![
        row("plain", "echo hello", "hello\n", 0),
        row(
            "prompt-like lines",
            r"printf 'root@host:~# \nrouter#\nPassword:\n--More--\ndone\n'",
            "root@host:~# \nrouter#\nPassword:\n--More--\ndone\n",
            0,
        ),
        row("a shell's prompt, then a pause", "printf 'root@host:~# '; sleep 2; echo tail", "root@host:~# tail\n", 0),
        row("a router's prompt, then a pause", "printf 'router#'; sleep 2; echo tail", "router#tail\n", 0),
        row("a password question, then a pause", "printf 'Password: '; sleep 2; echo tail", "Password: tail\n", 0),
        row("a pager's marker, then a pause", "printf -- '--More--'; sleep 2; echo tail", "--More--tail\n", 0),
        row("silence", "echo a; sleep 5; echo b", "a\nb\n", 0),
        row("no final newline", "printf x", "x", 0),
        row("standard error", "echo out; echo err >&2", "out\nerr\n", 0),
        row("status of a subshell", "sh -c 'exit 7'", "", 7),
        row("here-document", "cat <<EOF\nline 1\n  two\nlast\nEOF", "line 1\n  two\nlast\n", 0),
        row("a 5,000-character line", &format!("echo {long}"), &format!("{long}\n"), 0),
        row("blank lines", r"printf '\n\n  x  \n\n'", "\n\n  x  \n\n", 0),
        row("kept directory", "cd /tmp", "", 0),
        row("it is kept", "pwd", "/tmp\n", 0),
        row("a tab", "echo 'a\tb'", "a\tb\n", 0),
        row("several lines", "echo one\necho two\nsh -c 'exit 3'", "one\ntwo\n", 3),
    ]
}

fn check(user: &str, shell: &str, skip: &[&str]) {
    account(user, Path::new(shell));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", user, "linux"));
    for (name, command, output, status) in table() {
        if skip.contains(&name) {
            continue;
        }
        let result = client.run("web1", &command);
        let context = format!("{shell}, {name}: {result}");
        assert_eq!(result["output"].as_str(), Some(output.as_str()), "{context}");
        assert_eq!(result["exit_code"].as_i64(), Some(status), "{context}");
        assert_eq!(result["state"], "done", "{context}");
        assert_eq!(result["confidence"], "mark", "{context}");
    }
}

#[test]
fn bash_gives_exact_output_and_status() {
    check("jft-bash", "/bin/bash", &[]);
}

#[test]
fn zsh_gives_exact_output_and_status() {
    check("jft-zsh", "/usr/bin/zsh", &[]);
}

/// fish has no here-documents, its printf prints `--`, and its editor drops a pasted tab.
#[test]
fn fish_gives_exact_output_and_status() {
    check("jft-fish", "/usr/bin/fish", &["here-document", "a pager's marker, then a pause", "a tab"]);
}

/// dash reads lines through the terminal's queue of 4,095 bytes, where a tab also stays itself; a longer line is refused.
#[test]
fn dash_gives_exact_output_and_status() {
    check("jft-dash", "/bin/dash", &["a 5,000-character line", "a tab"]);
}

#[test]
fn a_command_that_never_ends_comes_back_as_running_and_can_be_stopped() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.run("web1", "true");
    let result = client.call("ssh_run", json!({"target": "web1", "command": "sleep 600", "wait_s": 1}));
    assert_eq!(result["state"], "running");
    let id = result["command_id"].as_str().unwrap().to_owned();
    assert!(result["next"].as_str().unwrap().contains(&id));
    let stopped = client.call("ssh_interrupt", json!({"command_id": id}));
    assert_eq!((stopped["state"].as_str(), stopped["prompt_back"].as_bool()), (Some("interrupted"), Some(true)));
    assert_eq!(client.run("web1", "echo fine")["output"], "fine\n");
}

#[test]
fn a_hundred_megabytes_are_complete_by_offset() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let line = "0123456789012345678901234567890123456789012345678";
    let mut result = client.call("ssh_run", json!({"target": "web1", "command": format!("yes {line} | head -n 2000000"), "wait_s": 45}));
    let id = result["command_id"].clone();
    while result["state"] == "running" {
        result = client.call("ssh_output", json!({"command_id": id, "wait_s": 45, "tail": 1}));
    }
    let first = client.call("ssh_output", json!({"command_id": id, "max_chars": 1000}));
    let (mut at, mut total) = (first["range"]["start"].as_u64().unwrap(), 0_usize);
    let end = at + first["range"]["total"].as_u64().unwrap();
    let expected = format!("{line}\n").repeat(30_000);
    while at < end {
        let page = client.call("ssh_output", json!({"command_id": id, "offset": at, "max_chars": 1_000_000}));
        let text = page["output"].as_str().unwrap();
        let from = total % 50;
        assert_eq!(text, &expected[from..from + text.len()], "from {at}");
        total += text.len();
        at = page["range"]["next_offset"].as_u64().unwrap();
    }
    assert_eq!(total, 100_000_000);
}

#[test]
fn binary_bytes_come_as_they_are_and_the_session_lives() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    // Every byte but the newline, which a terminal changes, and what switches the terminal's own state: escape, and XOFF.
    let bytes: Vec<u8> = (0..=255).filter(|byte| !matches!(byte, b'\n' | 0x13 | 0x1b)).collect();
    let file = server.folder.path().join("bytes");
    std::fs::write(&file, &bytes).unwrap();
    let result = client.run("web1", &format!("cat {}", file.display()));
    assert_eq!(result["exit_code"], 0, "{result}");
    let raw = client.call("ssh_output", json!({"command_id": result["command_id"], "format": "base64"}));
    let decoded = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, raw["output"].as_str().unwrap()).unwrap();
    assert_eq!(decoded, bytes);
    // With what asks the terminal something: an answer would be typed into the shell.
    assert_eq!(client.run("web1", "printf '\\033[c\\033[6n\\033Z'; head -c 100000 /dev/urandom")["exit_code"], 0);
    assert_eq!(client.run("web1", "echo fine")["output"], "fine\n");
    // So would one to what a recording of a full-screen program has asked, and to what is asked once one has left the screen taken.
    let rows = "~\r\n".repeat(30_000);
    std::fs::write(&file, format!("\x1b[?1049h{rows}\x1b[c\x1b[6n{rows}\x1b[?1049l")).unwrap();
    let asks = "printf '\\033[c\\033[6n'; sleep 0.3";
    for printed in [format!("cat {}; sleep 0.3", file.display()), format!("printf '\\033[?1049h'; {asks}"), asks.to_owned()] {
        assert_eq!(client.run("web1", &printed)["exit_code"], 0, "{printed}");
        assert_eq!(client.run("web1", "echo fine")["output"], "fine\n", "{printed}");
    }
}

#[test]
fn the_pagers_of_git_and_systemctl_lose_nothing() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let asked = "[plugin.posix-shell]\nconfig = { pagers = \"ask\" }\n";
    for plugin in ["", asked] {
        let mut client = Client::start(&format!("{}{plugin}", server.device("web1", "jft-bash", "linux")));
        let repository = "rm -rf ~/paged; git init -q ~/paged; cd ~/paged";
        assert_eq!(client.run("web1", repository)["exit_code"], 0);
        let commits = "for n in $(seq 90); do git -c user.name=a -c user.email=a@b commit -q --allow-empty -m \"change $n\"; done";
        assert_eq!(client.run("web1", commits)["exit_code"], 0);
        // Units of its own: the machine's change while another test installs a package.
        let units =
            "mkdir -p root/etc/systemd/system; for n in $(seq 150); do echo '[Unit]' > root/etc/systemd/system/unit$n.service; done";
        assert_eq!(client.run("web1", units)["exit_code"], 0);
        for (paged, plain) in [
            ("git log", "git --no-pager log"),
            ("systemctl --root=$PWD/root list-unit-files", "systemctl --no-pager --root=$PWD/root list-unit-files"),
        ] {
            let (paged, plain) = (client.run("web1", paged), client.run("web1", plain));
            assert!(plain["output"].as_str().unwrap().lines().count() > 100, "{plain}");
            assert_eq!((&paged["state"], &paged["exit_code"]), (&json!("done"), &json!(0)), "{plugin}");
            assert_eq!(paged["output"], plain["output"], "{plugin}");
        }
    }
}

#[test]
fn an_unclosed_quote_is_told_and_the_session_lives() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let result = client.run("web1", "echo \"abc");
    assert!(result["error"]["message"].as_str().unwrap().contains("is not closed"), "policy does not let it through: {result}");
    let result = client.call("ssh_send", json!({"session": "web1", "text": "echo \"abc", "keys": ["enter"]}));
    assert_eq!(result["ok"], false, "{result}");
    assert_eq!(client.run("web1", "echo fine")["output"], "fine\n");
}

#[test]
fn less_and_more_are_paged_to_their_end() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let text: String = (1..=500).map(|n| format!("row {n} of a file that is longer than a screen {}\n", "x".repeat(n % 90))).collect();
    let file = server.folder.path().join("long.txt");
    std::fs::write(&file, &text).unwrap();
    for pager in ["less", "more"] {
        let result = client.run("web1", &format!("{pager} {}", file.display()));
        // `more` itself fills its last page with blank rows.
        assert_eq!(result["output"].as_str().unwrap().trim_end(), text.trim_end(), "{pager}: {}", result["state"]);
    }
}

#[test]
fn sudo_is_answered_once_and_a_wrong_password_is_told() {
    account("jft-sudo", Path::new("/bin/bash"));
    sudoers("jft", "jft-sudo ALL=(ALL) ALL\nDefaults:jft-sudo timestamp_timeout=0\n");
    let server = Sshd::start();
    let config = format!("{}secrets.sudo = {{ env = \"JFT_SUDO\" }}\n", server.device("web1", "jft-sudo", "linux"));
    let mut client = Client::start_with(&config, &[("JFT_SUDO", PASSWORD)]);
    let result = client.run("web1", "sudo id -un");
    assert_eq!(result["output"], "root\n", "{result}");
    assert_eq!(result["exit_code"], 0);
    let mut other = Client::start_with(&config, &[("JFT_SUDO", "wrong password 7")]);
    let result = other.run("web1", "sudo id -un");
    assert_eq!(result["failed"], true, "{result}");
    assert!(result["failure"].as_str().unwrap().contains("sudo"), "{result}");
    assert_eq!(other.run("web1", "echo fine")["output"], "fine\n");
    client.has_written_no(PASSWORD);
    other.has_written_no("wrong password 7");
}

#[test]
fn what_runs_too_long_or_for_nobody_is_stopped_on_the_host() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    for (target, lane) in [("web1", "session"), ("web1#pipe", "session"), ("web1", "exec")] {
        let result = client
            .call("ssh_run", json!({"target": target, "lane": lane, "command": "echo begun; sleep 5733", "kill_after_s": 3, "wait_s": 40}));
        assert_eq!(result["state"], "interrupted", "{target}: {result}");
        // A terminal shows the key that was typed.
        let output = result["output"].as_str().unwrap();
        assert_eq!(output.trim_end_matches("^C\n"), "begun\n", "{target}");
        assert!(result["warnings"].to_string().contains("stopped"), "{result}");
        until_gone("sleep 5733");
        // No time is too long to be told.
        let result = client.call("ssh_run", json!({"target": target, "lane": lane, "command": "true", "kill_after_s": 1e19}));
        assert_eq!(result["exit_code"], 0, "{target}, {lane}: {result}");
    }
    let call = json!({"name": "ssh_run", "arguments": {"target": "web1", "command": "sleep 5714", "wait_s": 40}});
    client.write(&json!({"jsonrpc": "2.0", "id": 9000, "method": "tools/call", "params": call}));
    until("it runs", || {
        client.call("ssh_sessions", json!({}));
        !with_words("sleep 5714").is_empty()
    });
    client.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9000, "reason": "test"}}));
    assert_eq!(client.run("web1", "echo fine")["output"], "fine\n");
    until_gone("sleep 5714");
}

#[test]
fn where_no_more_may_run_the_next_command_waits() {
    account("jft-room", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&format!("{}[limits]\ncommands_per_device = 2\n", server.device("web1", "jft-room", "linux")));
    for name in ["one", "two", "three"] {
        client.call("ssh_open", json!({"host": "web1", "name": name}));
    }
    let sleeps = client.call("ssh_run", json!({"target": "web1#one", "command": "sleep 300", "wait_s": 0}));
    assert_eq!(sleeps["output"], "", "what is typed is no output: {sleeps}");
    assert_eq!(sleeps["state"], "running", "{sleeps}");

    // One session after another has the room that is left.
    let calls: Vec<_> = [("two", "sleep 1; echo b"), ("three", "echo c"), ("two", "echo d"), ("three", "echo e")]
        .map(|(name, command)| json!({"target": format!("web1#{name}"), "command": command, "wait_s": 30}))
        .into();
    let results = client.call_all("ssh_run", &calls);
    let mut outputs: Vec<_> = results.iter().filter_map(|result| result["output"].as_str()).collect();
    outputs.sort_unstable();
    assert_eq!(outputs, ["b\n", "c\n", "d\n", "e\n"], "{results:?}");

    // Who waits in vain is told, and has run nothing.
    let other = client.call("ssh_run", json!({"target": "web1#two", "command": "sleep 300", "wait_s": 0}));
    let message = client.error("ssh_run", json!({"target": "web1#three", "command": "touch made", "wait_s": 1}));
    assert_eq!(
        message,
        "2 commands run on `web1`, the most that `limits.commands_per_device` allows; nothing was run. Wait for one with ssh_output, or call again"
    );
    client.call("ssh_interrupt", json!({"session": "web1#two", "command_id": other["command_id"]}));
    let result = client.call("ssh_run", json!({"target": "web1#three", "command": "ls", "wait_s": 40}));
    assert_eq!(result["output"], "", "{result}");
}

#[test]
fn a_command_that_ends_the_shell_says_so() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.run("web1", "cd /tmp");
    let result = client.run("web1", "exit 3");
    assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(3)), "{result}");
    assert!(result["warnings"].to_string().contains("it ended the session: the next command opens a new one"), "{result}");
    assert_eq!(client.run("web1", "true")["warnings"], json!(null));
}

#[test]
fn of_several_lines_none_runs_on_when_one_is_stopped() {
    for (user, shell) in [("jft-bash", "/bin/bash"), ("jft-zsh", "/usr/bin/zsh"), ("jft-dash", "/bin/dash")] {
        account(user, Path::new(shell));
        let server = Sshd::start();
        let mut client = Client::start(&server.device("web1", user, "linux"));
        // It is open before a call has only a moment.
        client.run("web1", "true");
        let text = "sleep 5721\nsleep 5722\nsleep 5723";
        let running = client.call("ssh_run", json!({"target": "web1", "command": text, "wait_s": 1}));
        assert_eq!(running["state"], "running", "{running}");
        let stopped = client.call("ssh_interrupt", json!({"session": "web1"}));
        assert_eq!((stopped["state"].as_str(), stopped["prompt_back"].as_bool()), (Some("interrupted"), Some(true)), "{stopped}");
        let result = client.call("ssh_output", json!({"command_id": running["command_id"]}));
        assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("interrupted"), Some(130)), "{shell}: {result}");
        until_gone("sleep 572[123]");
    }
}

/// A signal reaches what stands in the terminal's foreground, and the shell stays.
#[test]
fn what_does_not_hear_the_interrupt_key_is_ended_by_a_signal() {
    for (user, shell) in [("jft-bash", "/bin/bash"), ("jft-dash", "/bin/dash"), ("jft-zsh", "/usr/bin/zsh"), ("jft-fish", "/usr/bin/fish")]
    {
        account(user, Path::new(shell));
        let server = Sshd::start();
        let mut client = Client::start(&server.device("web1", user, "linux"));
        client.run("web1", "true");
        for (command, how, status) in [
            ("sh -c 'trap \"\" INT QUIT; sleep 33; exit 5'", "term", 143),
            ("sh -c 'trap \"\" INT QUIT TERM; while :; do sleep 33; done'", "kill", 137),
        ] {
            let running = client.call("ssh_run", json!({"target": "web1", "command": command, "wait_s": 3}));
            assert_eq!(running["state"], "running", "{shell} {running}");
            let stopped = client.call("ssh_interrupt", json!({"session": "web1", "how": how}));
            assert_eq!(
                (stopped["state"].as_str(), stopped["prompt_back"].as_bool()),
                (Some("interrupted"), Some(true)),
                "{shell} {stopped}"
            );
            assert_eq!(stopped["sent"][0], format!("signal {}", how.to_uppercase()), "{stopped}");
            let output = client.call("ssh_output", json!({"command_id": running["command_id"]}));
            assert_eq!(output["exit_code"], status, "{shell} {output}");
            let done = client.run("web1", "echo still here");
            assert_eq!((done["output"].as_str(), done["session"].as_str()), (Some("still here\n"), Some("web1")), "{done}");
        }
        // Where it may be another host, what stands in the foreground here is the way there.
        assert_eq!(client.run("web1", "unshare -r bash")["mode"], "remote-shell");
        let running = client.call("ssh_run", json!({"target": "web1", "command": "sleep 33", "wait_s": 1}));
        let stopped = client.call("ssh_interrupt", json!({"session": "web1", "how": "term"}));
        assert_eq!((stopped["state"].as_str(), stopped["sent"].as_array().map(Vec::len)), (Some("running"), Some(0)), "{stopped}");
        assert!(stopped["next"].as_str().unwrap().contains("may be on another host. how=hangup closes the line."), "{stopped}");
        client.call("ssh_interrupt", json!({"command_id": running["command_id"]}));
    }
}

/// Nobody else's output is told as a command's own, and the last matches are those that `tail` asks for.
#[test]
fn an_offset_before_a_commands_output_begins_with_it() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.run("web1", "true");
    let done = client.run("web1", "seq 1 200");
    let page = client.call("ssh_output", json!({"command_id": done["command_id"], "offset": 0}));
    assert!(page["output"].as_str().unwrap().starts_with("1\n2\n3\n"), "{page}");
    // Where to go on stands in the text, too, of a session's log as well.
    let page = client.call("ssh_output", json!({"session": "web1", "offset": 0, "max_chars": 100}));
    assert_eq!(page["next"], format!("More follows: ssh_output session=web1 offset={}.", page["range"]["next_offset"]), "{page}");
    // Of jackfield's own lines nothing is there.
    let log = client.call("ssh_output", json!({"session": "web1", "max_chars": 100_000}));
    let shown = log["output"].as_str().unwrap();
    assert!(shown.contains("seq 1 200\n1\n") && !shown.contains("BASH_VERSION") && !shown.contains("__jf"), "{log}");
    let behind = client.call("ssh_output", json!({"command_id": done["command_id"], "offset": 1_000_000_000}));
    assert!(behind["warnings"][0].as_str().unwrap().starts_with("offset=1000000000 lies behind the end, which is "), "{behind}");
    let at_end = client.call("ssh_output", json!({"command_id": done["command_id"], "offset": done["range"]["next_offset"]}));
    assert!(at_end["warnings"].is_null(), "{at_end}");
    // What goes on does so with what chose the part.
    let part = client.call("ssh_output", json!({"command_id": done["command_id"], "grep": "1|2", "max_chars": 20}));
    let (id, offset) = (done["command_id"].as_str().unwrap(), &part["range"]["next_offset"]);
    assert_eq!(part["next"], format!("More follows: ssh_output command_id={id} grep=\"1|2\" offset={offset}."), "{part}");
    // What was searched to its end is not to be read on, also where it ends within a row.
    let rest = client.run("web1", "printf 'one\\ntwo'");
    let found = client.call("ssh_output", json!({"command_id": rest["command_id"], "grep": "one"}));
    assert_eq!((found["output"].as_str(), found["next"].as_str()), (Some("one\n"), Some("")), "{found}");
    let last = client.call("ssh_output", json!({"command_id": done["command_id"], "grep": "0$", "tail": 2}));
    assert_eq!(last["output"], "190\n200\n", "{last}");
    // Those of an output that one call does not search through, too.
    let fills = "yes \"ERROR $(printf 'x%.0s' {1..60})\" | head -n 600000; echo ERROR last";
    let mut filled = client.call("ssh_run", json!({"target": "web1", "command": fills, "wait_s": 45, "max_chars": 100}));
    while filled["state"] == "running" {
        filled = client.call("ssh_output", json!({"command_id": filled["command_id"], "wait_s": 45, "tail": 1}));
    }
    assert_eq!(filled["state"], "done", "{filled}");
    let last = client.call("ssh_output", json!({"command_id": filled["command_id"], "grep": "ERROR", "tail": 3, "max_chars": 500}));
    let row = format!("ERROR {}\n", "x".repeat(60));
    assert_eq!(last["output"].as_str(), Some(format!("{row}{row}ERROR last\n").as_str()), "{last}");
}

/// What runs in the background, or the device says by itself, is waited for at the prompt too.
#[test]
fn what_comes_while_no_command_runs_can_be_waited_for() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.run("web1", "true");
    let begun = client.run("web1", "(sleep 2; echo LA''TE) &");
    assert_eq!(begun["state"], "done", "{begun}");
    let came = client.call("ssh_output", json!({"session": "web1", "grep": "LATE$", "until": "match", "wait_s": 20}));
    assert!(came["output"].as_str().unwrap().contains("LATE"), "{came}");
    // Where its end is waited for it has come to rest.
    let rests = client.call("ssh_output", json!({"session": "web1", "wait_s": 40, "tail": 1}));
    assert!(rests["error"].is_null(), "{rests}");
}

/// The next command says that the session is another one, when the last one has ended by itself.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn a_session_that_ended_while_nothing_ran_is_not_replaced_in_silence() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    for leave in ["cd /usr; X=1; TMOUT=1", "cd /usr; X=1; (sleep 0.5; kill -9 $$) &"] {
        assert_eq!(client.run("web1", leave)["state"], "done");
        std::thread::sleep(std::time::Duration::from_secs(5));
        let next = client.run("web1", "echo X=$X");
        assert_eq!((next["state"].as_str(), next["output"].as_str()), (Some("done"), Some("X=\n")), "{next}");
        assert!(next["warnings"].to_string().contains("ended while nothing ran there"), "{next}");
        assert_eq!(client.run("web1", "true")["warnings"], json!(null), "it is told once");
    }
    // Who closes it knows.
    client.call("ssh_close", json!({"session": "web1"}));
    assert_eq!(client.run("web1", "true")["warnings"], json!(null));
}

/// Lines behind one that starts another shell stay with the first one.
#[test]
fn lines_behind_one_that_enters_a_shell_are_told_and_the_shell_is_known() {
    for (user, shell) in [("jft-bash", "/bin/bash"), ("jft-zsh", "/usr/bin/zsh"), ("jft-dash", "/bin/dash"), ("jft-mksh", "/bin/mksh")] {
        account(user, Path::new(shell));
        let server = Sshd::start();
        let mut client = Client::start(&server.device("web1", user, "linux"));
        let entered = client.run("web1", "bash --norc\necho inner\necho two");
        assert_eq!(entered["state"], "done", "{shell} {entered}");
        let is_told = entered["warnings"].to_string().contains("may not have run");
        assert!(is_told || entered["output"].as_str().unwrap().contains("two"), "{shell} {entered}");
        let mine = client.run("web1", "echo mine");
        assert_eq!((mine["state"].as_str(), mine["output"].as_str()), (Some("done"), Some("mine\n")), "{shell} {mine}");
        assert_eq!(client.run("web1", "exit")["state"], "done", "{shell}");
        assert_eq!(client.run("web1", "cd /\ntrue")["warnings"], json!(null), "{shell}");
        let broken = client.run("web1", "echo first\nif true");
        assert!(!broken["failure"].to_string().contains("nothing"), "{shell} {broken}");
    }
}

/// What a full-screen program has drawn is no part of the prompt behind it.
#[test]
fn the_prompt_behind_a_full_screen_program_is_the_prompt_alone() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let prompt = client.run("web1", "true")["prompt"].clone();
    let top = client.call("ssh_run", json!({"target": "web1", "command": "top", "wait_s": 40}));
    assert_eq!(top["state"], "needs_input", "{top}");
    client.call("ssh_send", json!({"session": "web1", "text": "q", "wait_s": 1}));
    let ended = client.call("ssh_output", json!({"command_id": top["command_id"], "tail": 1, "wait_s": 40, "until": "exit"}));
    assert_eq!((ended["state"].as_str(), &ended["prompt"]), (Some("done"), &prompt), "{ended}");
    // A program that draws and ends without leaving.
    let drawn = client.run("web1", "printf '\\033[H\\033[2J\\033[5;3Hbox\\033[7;1Hrest of a row'");
    assert_eq!(drawn["prompt"], prompt, "{drawn}");
}

/// Why an account cannot log in is what the device says.
#[test]
fn an_account_without_a_login_is_told_in_the_devices_words() {
    account("jft-nologin", Path::new("/usr/sbin/nologin"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-nologin", "linux"));
    let refused = client.call("ssh_run", json!({"target": "web1", "command": "true"}));
    assert!(refused.to_string().contains("it said: This account is currently not available."), "{refused}");
}
