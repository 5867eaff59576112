//! `jackfield attach` and `watch` in a real terminal (tmux).

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::{HERE, House};
use crate::support::install_missing;
use crate::support::process::{children, pause, until};

/// A tmux server of one's own with one window.
struct Tmux {
    name: String,
}

impl Tmux {
    fn start(house: &House, size: (u16, u16), arguments: &[&str]) -> Self {
        install_missing(&[("tmux", "tmux"), ("vim", "vim"), ("less", "less")]);
        let name = format!("jft-{}-{}", std::process::id(), house.state.path().file_name().unwrap().to_string_lossy());
        let tmux = Self { name };
        let mut command = house.command(&[]);
        let program = std::iter::once(env!("CARGO_BIN_EXE_jackfield")).chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ");
        let (columns, rows) = (size.0.to_string(), size.1.to_string());
        let line = format!("{program}; echo ENDED-$?; sleep 1000");
        let variables: Vec<_> = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        command = Command::new("tmux");
        command.envs(variables).env("TERM", "xterm-256color").env_remove("TMUX");
        command.args(["-f", "/dev/null", "-L", &tmux.name, "new-session", "-d", "-x", &columns, "-y", &rows, &line]);
        assert!(command.status().unwrap().success());
        tmux
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.name]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    fn shows(&self, text: &str) {
        let shown = std::panic::catch_unwind(|| until(&format!("the terminal shows {text:?}"), || self.screen().contains(text)));
        assert!(shown.is_ok(), "the terminal never shows {text:?}, but:\n{}", self.screen());
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.name, "kill-server"]).status();
    }
}

#[test]
fn a_person_who_starts_the_server_in_a_terminal_is_told_what_it_waits_for_and_a_client_is_not() {
    let house = House::new(HERE);
    let config = house.config.display().to_string();
    let tmux = Tmux::start(&house, (400, 20), &["mcp", "--config", &config]);
    tmux.shows("jackfield: this speaks MCP to a client and waits for one here; `claude mcp add jackfield -- jackfield mcp --config /");
    tmux.keys(&["C-d"]);
    tmux.shows("ENDED-");
    let client = house.output(&["mcp"]);
    assert!(!String::from_utf8_lossy(&client.stderr).contains("speaks MCP"), "{client:?}");
}

#[test]
fn a_person_attaches_types_resizes_uses_a_full_screen_program_and_leaves() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "cd /usr; echo by the agent");
    let tmux = Tmux::start(&house, (100, 30), &["attach", "here"]);
    tmux.shows("by the agent");
    assert!(!tmux.screen().contains("133;"), "the session's own lines are not shown: {}", tmux.screen());
    tmux.keys(&["echo typed-$((40+2))", "Enter"]);
    tmux.shows("typed-42");
    tmux.keys(&["stty size", "Enter"]);
    tmux.shows("30 100");
    tmux.tmux(&["resize-window", "-x", "70", "-y", "20"]);
    until("the session has that size", || {
        tmux.keys(&["stty size", "Enter"]);
        pause(Duration::from_millis(700));
        tmux.screen().contains("20 70")
    });
    // Agents wait while somebody types.
    let refused = agent.call("ssh_send", json!({"session": "here", "text": "x"}));
    let kept = refused["error"]["message"].as_str().unwrap();
    assert!(kept.contains("person anna is typing here"), "{kept}");
    let first = refused["meanwhile"]["typed"].to_string();
    assert!(first.contains("echo typed-$((40+2))") && first.contains("stty size"), "{refused}");
    let kept = agent.error("ssh_run", json!({"target": "here", "command": "true", "wait_s": 1}));
    assert!(kept.contains("person anna is typing here") && kept.contains("unless they go on"), "{kept}");
    // A pager is the person's to turn.
    tmux.keys(&["seq 300 | less", "Enter"]);
    tmux.shows("\n:");
    assert!(tmux.screen().contains("\n19\n") && !tmux.screen().contains("\n100\n"), "{}", tmux.screen());
    tmux.keys(&["q"]);
    until("less has gone", || house.sessions()[0]["state"] == "ready");
    tmux.keys(&["vim -u NONE -N /tmp/jft-attach", "Enter"]);
    tmux.shows("~\n~\n~");
    tmux.keys(&["ihello from vim", "Escape"]);
    tmux.shows("hello from vim");
    tmux.keys(&[":q!", "Enter"]);
    until("vim has gone", || !tmux.screen().contains("~\n~"));
    tmux.keys(&["C-]", "w"]);
    tmux.shows("here: nobody else");
    // A password that nobody sees.
    tmux.keys(&["read -rsp 'Password: ' x", "Enter"]);
    tmux.shows("Password:");
    tmux.keys(&["pa-ss-wo-rd", "Enter"]);
    tmux.keys(&["C-]", "d"]);
    tmux.shows("left here; it goes on");
    tmux.shows("ENDED-0");
    // On a busy machine the shell may not have read it yet.
    until("the password was read", || house.sessions()[0]["state"] == "ready");
    let told = agent.run("here", "pwd");
    assert_eq!(told["output"], "/usr\n", "{told}\n{}", tmux.screen());
    let typed = told["meanwhile"]["typed"].to_string();
    for line in ["seq 300 | less", "vim -u NONE", "in a full-screen program"] {
        assert!(typed.contains(line), "{typed}");
    }
    assert!(typed.contains("[hidden]") && !told.to_string().contains("pa-ss-wo-rd"), "{typed}");
    agent.has_written_no("pa-ss-wo-rd");
    // Its size is its own again.
    assert_eq!(agent.run("here", "stty size")["output"], "50 200\n");
}

/// The terminal is a person's own: what stood there before can be scrolled back to, and the next prompt stands below the session's rows.
#[test]
fn a_terminal_that_was_lent_keeps_its_own_rows_and_those_of_the_session() {
    let house = House::new(HERE);
    house.client("agent").run("here", "true");
    let tmux = Tmux::start(&house, (100, 30), &["status; seq 100 200;", env!("CARGO_BIN_EXE_jackfield"), "attach", "here"]);
    tmux.shows("# ");
    tmux.keys(&["printf '\\033[H\\033[2J'; printf 'row-%s\\n' 1 2 3 4", "Enter"]);
    tmux.shows("row-4\n");
    tmux.keys(&["C-]", "?"]);
    tmux.shows("d leave");
    tmux.keys(&["C-]", "d"]);
    tmux.shows("ENDED-0");
    let screen = tmux.screen();
    assert!(screen.starts_with("row-1\nrow-2\nrow-3\nrow-4\n"), "{screen}");
    assert!(screen.trim_end().ends_with("left here; it goes on\nENDED-0"), "{screen}");
    let all = tmux.tmux(&["capture-pane", "-p", "-S", "-"]);
    assert!(all.contains("\n101\n"), "{all}");
}

#[test]
fn what_a_person_leaves_unfinished_is_not_part_of_an_agents_command() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    let tmux = Tmux::start(&house, (100, 30), &["attach", "here"]);
    tmux.shows("# ");
    tmux.keys(&["rm -rf /tmp/jft-never "]);
    tmux.shows("jft-never");
    tmux.keys(&["C-]", "d"]);
    tmux.shows("left here");
    let ran = agent.run("here", "echo clean");
    assert_eq!((ran["output"].as_str(), ran["exit_code"].as_i64()), (Some("clean\n"), Some(0)));
}

/// Over a slow connection several keys come at once.
#[test]
fn what_is_typed_right_before_leaving_is_typed() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    let tmux = Tmux::start(&house, (100, 30), &["attach", "here"]);
    tmux.shows("# ");
    tmux.keys(&["echo last-$((40+2))", "Enter", "C-]", "d"]);
    tmux.shows("left here");
    until("the line was typed", || house.said(&["log", "here"]).contains("last-42"));
}

#[test]
fn who_is_ended_from_elsewhere_leaves_the_terminal_as_it_was() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "true");
    let twice = ["attach", "here; echo FIRST-$?; read x;", env!("CARGO_BIN_EXE_jackfield"), "attach", "here"];
    let tmux = Tmux::start(&house, (100, 30), &twice);
    let shell: u32 = tmux.tmux(&["display-message", "-p", "#{pane_pid}"]).trim().parse().unwrap();
    for (signal, ended) in [("-TERM", "FIRST-0"), ("-HUP", "ENDED-0")] {
        until("the session is shown", || tmux.screen().contains("# ") && !tmux.screen().contains("FIRST-"));
        let [attached] = children(shell)[..] else { panic!("one program runs in the terminal") };
        assert!(Command::new("kill").args([signal, &attached.to_string()]).status().unwrap().success());
        tmux.shows("left here; it goes on");
        tmux.shows(ended);
        tmux.keys(&["Enter"]);
    }
    assert_eq!(agent.run("here", "echo on")["output"], "on\n");
}

#[test]
fn somebody_who_watches_sees_all_and_touches_nothing() {
    let house = House::new(HERE);
    let mut agent = house.client("agent");
    agent.run("here", "echo before");
    let tmux = Tmux::start(&house, (200, 50), &["watch", "here"]);
    tmux.shows("before");
    agent.run("here", "echo while; seq 5");
    tmux.shows("while");
    tmux.keys(&["echo not-typed", "Enter"]);
    assert_eq!(house.sessions()[0]["guests"][0]["may_type"], false);
    agent.run("here", "echo after");
    tmux.shows("after");
    assert!(!agent.run("here", "fc -l -5 2>/dev/null; echo end")["output"].as_str().unwrap().contains("not-typed"));
    // What a program of the session has set is not left in the terminal.
    let mouse = || tmux.tmux(&["display-message", "-p", "#{mouse_any_flag}"]).trim().to_owned();
    agent.run("here", r"printf '\033[?1000h'");
    until("the mouse is the program's", || mouse() == "1");
    house.said(&["close", "here"]);
    tmux.shows("here is over");
    assert_eq!(mouse(), "0");
}

#[test]
fn attach_without_a_terminal_says_what_to_use() {
    let house = House::new(HERE);
    assert!(house.complaint(&["attach", "here"]).contains("attach needs a terminal"));
}
