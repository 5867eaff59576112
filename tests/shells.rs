//! Shells and situations: in each the whole output byte for byte, the true status, and a session that goes on.
//!
//! One table of situations, told to every shell in its own words. A cell that cannot be exact has its expectation in the table
//! all the same, with a note; a cell without words needs a reason in `absent`. So nothing is skipped silently.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

mod table;

use table::{Step, situations};

/// A shell and what it has of its own.
pub struct Shell {
    /// Its name in the table.
    name: &'static str,
    /// Where it is.
    path: &'static str,
    /// Its kin in the table, nearest first.
    kin: &'static [&'static str],
    /// A file in the home folder that sets it up, and the text.
    setup: (&'static str, &'static str),
    /// What lists its history, and the files that keep it.
    history: (&'static str, &'static [&'static str]),
    /// What stays in its history of jackfield's lines.
    stays: Stays,
}

/// What stays in a shell's history of jackfield's lines.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stays {
    /// Nothing.
    Nothing,
    /// The shell lists none. Its file has them as bytes that a mark behind them makes void, until the shell writes it anew.
    Bytes,
    /// The lines: it has no way to take one out.
    Lines,
}

/// What a line is expected to come to.
#[derive(Debug, Clone)]
pub enum End {
    /// It ends with this status.
    Done(i64),
    /// It ends at a prompt that no mark proves: the status is not known.
    Guessed,
    /// It ends with this status, at a prompt whose marks are not where they belong.
    Told(i64),
    /// The session ends with this status.
    Closes(i64),
    /// The line is lost: a signal ended the shell.
    Lost,
    /// It waits for input or goes on until it is interrupted.
    Waits,
    /// Nothing is typed; the error says this.
    Refused(&'static str),
}

const BASH: Shell = Shell {
    name: "bash",
    path: "/bin/bash",
    kin: &["posix"],
    setup: (".bashrc", "HISTCONTROL=; shopt -s histappend; PS1='\\u@\\h:\\w\\$ '\n"),
    history: ("history", &[".bash_history"]),
    stays: Stays::Nothing,
};

/// Two rows, colours, a command substitution, a status, a title, a hook that others already use, an editor that shows its mode.
const THEME: &str = r#"HISTCONTROL=
__theme() { local s=$?; printf '\033]0;%s\007' "$PWD"; branch=$(printf main); PS1='\[\e[1;32m\]┌─[\u@\h] \[\e[34m\]\w\[\e[0m\] ('$branch') '$s'\n\[\e[1;32m\]└─❯\[\e[0m\] '; }
__other() { history -a; }
PROMPT_COMMAND='__theme; __other'
trap 'last_started=$BASH_COMMAND' DEBUG
bind 'set show-mode-in-prompt on'
"#;

const ZSH_RC: &str = "PROMPT='%n@%m:%~%# '\nHISTFILE=~/.zsh_history HISTSIZE=500 SAVEHIST=500\n";

#[expect(clippy::print_stderr, reason = "the counts of the table, seen with --nocapture")]
fn check(shell: &Shell) {
    let user = format!("jft-t-{}", shell.name);
    let path = Path::new(shell.path);
    if shell.path.ends_with("/ash") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = std::os::unix::fs::symlink(crate::support::find("busybox").unwrap(), path);
    }
    let home = account(&user, path);
    let (file, text) = shell.setup;
    std::fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
    std::fs::write(home.join(file), text).unwrap();
    for file in shell.history.1 {
        let _ = std::fs::remove_file(home.join(file));
    }
    let _ = std::process::Command::new("chown").arg("-R").arg(&user).arg(&home).status();
    // The accounts of all shells go there, and none could go on where another one has just begun to make it.
    let deep: String = (1..=6).map(|number| format!("/{number:0199}")).collect();
    std::fs::create_dir_all(format!("/tmp/jft-long{deep}")).unwrap();
    let server = Sshd::start();
    let config = format!("{}policy = \"full\"\n", server.device("web1", &user, "linux"));
    let mut trial = Trial { shell, client: Client::start_agreeing(&config, &[]), wrong: Vec::new(), exact: 0, noted: 0, absent: 0 };
    for situation in situations() {
        trial.play(&situation.name, situation.own, &situation.steps, situation.absent);
    }
    trial.leaves_no_trace();
    let Trial { client, wrong, exact, noted, absent, .. } = trial;
    drop(client);
    let kept: Vec<&str> =
        shell.history.1.iter().copied().filter(|file| traced(&std::fs::read(home.join(file)).unwrap_or_default())).collect();
    eprintln!("{}: {exact} exact, {noted} with a note, {absent} do not exist, {} wrong, traces in {kept:?}", shell.name, wrong.len());
    assert!(kept.is_empty() || shell.stays != Stays::Nothing, "{}: {kept:?} hold what jackfield typed", shell.name);
    assert!(wrong.is_empty(), "{}: {} wrong\n\n{}", shell.name, wrong.len(), wrong.join("\n\n"));
}

/// Does it hold a part of what jackfield typed?
fn traced(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    ["__jf", "133\\073S", "jackfield-"].iter().any(|part| text.contains(part))
}

struct Trial<'a> {
    shell: &'a Shell,
    client: Client,
    wrong: Vec<String>,
    exact: usize,
    noted: usize,
    absent: usize,
}

impl Trial<'_> {
    fn play(&mut self, name: &str, own: bool, steps: &[Step], absent: &[(&str, &str)]) {
        let keys: Vec<&str> = [self.shell.name].iter().chain(self.shell.kin).copied().chain(["all"]).collect();
        if let Some((_, why)) = absent.iter().find(|(who, _)| keys.contains(who)) {
            assert!(!why.is_empty());
            self.absent += 1;
            return;
        }
        let target = if own { format!("web1#{}", name.replace(|ch: char| !ch.is_ascii_alphanumeric(), "-")) } else { "web1".to_owned() };
        let before = self.wrong.len();
        let mut noted = false;
        for (number, step) in steps.iter().enumerate() {
            let Some(line) = pick(&step.line, &keys) else { continue };
            let output = pick(&step.output, &keys).cloned().unwrap_or_default();
            let end = pick(&step.end, &keys).cloned().unwrap_or(End::Done(0));
            noted |= matches!(end, End::Guessed | End::Told(_) | End::Refused(_)) || step.notes.iter().any(|(who, _)| keys.contains(who));
            let wanted = Wanted { line: line.clone(), output, end, cwd: pick(&step.cwd, &keys).copied(), wait_s: step.wait_s };
            if let Err(why) = self.step(&target, &wanted) {
                self.wrong.push(format!("{}, {name}, step {}: {why}", self.shell.name, number + 1));
            }
        }
        let wanted = Wanted { line: "echo usable".to_owned(), output: "usable\n".to_owned(), end: End::Done(0), cwd: None, wait_s: 20 };
        if let Err(why) = self.step(&target, &wanted) {
            self.wrong.push(format!("{}, {name}, usable afterwards: {why}", self.shell.name));
            self.client.call("ssh_interrupt", json!({"session": target, "how": "hangup"}));
        }
        if own {
            self.client.call("ssh_close", json!({"session": target}));
        }
        match (self.wrong.len() == before, noted) {
            (true, true) => self.noted += 1,
            (true, false) => self.exact += 1,
            (false, _) => {}
        }
    }

    fn step(&mut self, target: &str, wanted: &Wanted) -> Result<(), String> {
        let mut line = wanted.line.clone();
        if line.contains("{prompt}") {
            let prompt = self.client.run(target, "true")["prompt"].as_str().unwrap_or_default().to_owned();
            assert!(!prompt.is_empty() && !prompt.contains('\''), "{prompt:?}");
            line = line.replace("{prompt}", &prompt);
            return self.line(
                target,
                &line,
                &Wanted { output: wanted.output.replace("{prompt}", &prompt), line: line.clone(), ..wanted.clone() },
            );
        }
        self.line(target, &line, wanted)
    }

    fn line(&mut self, target: &str, line: &str, wanted: &Wanted) -> Result<(), String> {
        let arguments = json!({"target": target, "command": line, "max_chars": 1_000_000, "wait_s": wanted.wait_s});
        let result = self.client.call("ssh_run", arguments);
        let found = judge(&result, wanted);
        if found.is_ok() && !matches!(wanted.end, End::Waits) {
            return Ok(());
        }
        // What did not end is ended, so that the rest can be seen.
        if matches!(result["state"].as_str(), Some("running" | "needs_input")) {
            let stopped = self.client.call("ssh_interrupt", json!({"command_id": result["command_id"]}));
            if stopped["prompt_back"] != true {
                self.client.call("ssh_interrupt", json!({"session": target, "how": "hangup"}));
                found?;
                return Err(format!("{line:?} was not stopped: {stopped}"));
            }
        }
        found
    }

    /// Neither the list nor the file of the shell's history holds what jackfield typed.
    fn leaves_no_trace(&mut self) {
        let (line, _) = self.shell.history;
        if line.is_empty() {
            return;
        }
        let result = self.client.run("web1#history", line);
        let output = result["output"].as_str().unwrap_or_default();
        let traces: Vec<&str> = output.lines().filter(|row| traced(row.as_bytes())).collect();
        if traces.is_empty() == (self.shell.stays == Stays::Lines) {
            self.wrong.push(format!("{}, history: {traces:?}", self.shell.name));
        }
    }
}

#[derive(Clone)]
struct Wanted {
    line: String,
    output: String,
    end: End,
    cwd: Option<&'static str>,
    wait_s: u32,
}

/// The nearest kin's cell.
fn pick<'a, T>(cells: &'a [(&'static str, T)], keys: &[&str]) -> Option<&'a T> {
    keys.iter().find_map(|key| cells.iter().find(|(who, _)| who == key)).map(|(_, cell)| cell)
}

fn judge(result: &Value, wanted: &Wanted) -> Result<(), String> {
    let mut wrong = Vec::new();
    let mut see = |what: &str, found: Value, right: Value| {
        if found != right {
            wrong.push(format!("{what} is {found}, not {right}"));
        }
    };
    match &wanted.end {
        End::Done(status) => {
            see("state", result["state"].clone(), "done".into());
            see("status", result["exit_code"].clone(), (*status).into());
            see("confidence", result["confidence"].clone(), "mark".into());
        }
        End::Guessed => {
            see("state", result["state"].clone(), "done".into());
            see("status", result["exit_code"].clone(), Value::Null);
            see("confidence", result["confidence"].clone(), "pattern".into());
        }
        End::Told(status) => {
            see("state", result["state"].clone(), "done".into());
            see("status", result["exit_code"].clone(), (*status).into());
            see("confidence", result["confidence"].clone(), "pattern".into());
        }
        End::Closes(status) => {
            see("state", result["state"].clone(), "done".into());
            see("status", result["exit_code"].clone(), (*status).into());
        }
        End::Lost => see("state", result["state"].clone(), "lost".into()),
        End::Waits => {
            see("over", result["state"].as_str().is_none_or(|state| !["running", "needs_input"].contains(&state)).into(), false.into())
        }
        End::Refused(part) => {
            see("refused", result["error"]["message"].as_str().is_some_and(|message| message.contains(part)).into(), true.into());
        }
    }
    let output = result["output"].as_str().unwrap_or_default();
    if !alike(output, &wanted.output) {
        wrong.push(format!("output is {:?}, not {:?}", short(output), short(&wanted.output)));
    }
    if let Some(cwd) = wanted.cwd
        && result["cwd"].as_str().unwrap_or_default() != cwd
    {
        wrong.push(format!("cwd is {}, not {cwd}", result["cwd"]));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{:?}: {}\n  {}", short(&wanted.line), wrong.join("; "), short(&result.to_string())))
    }
}

/// Equal, where `{n}` stands for a number, also a hexadecimal one, that nobody knows before.
fn alike(found: &str, wanted: &str) -> bool {
    let mut rest = found;
    for (index, part) in wanted.split("{n}").enumerate() {
        if index > 0 {
            let digits = rest.trim_start_matches(|ch: char| ch.is_ascii_hexdigit());
            if digits.len() == rest.len() {
                return false;
            }
            rest = digits;
        }
        let Some(after) = rest.strip_prefix(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

fn short(text: &str) -> String {
    if text.len() < 900 { text.to_owned() } else { format!("{}…", text.chars().take(900).collect::<String>()) }
}

#[test]
fn bash_is_exact_in_every_situation() {
    check(&BASH);
}

#[test]
fn bash_with_a_theme_is_exact_in_every_situation() {
    check(&Shell { name: "bash-theme", kin: &["bash", "posix"], setup: (".bashrc", THEME), ..BASH });
}

#[test]
fn zsh_is_exact_in_every_situation() {
    let history = ("fc -l 1", &[".zsh_history"][..]);
    check(&Shell { name: "zsh", path: "/usr/bin/zsh", kin: &["posix"], setup: (".zshrc", ZSH_RC), history, stays: Stays::Nothing });
}

#[test]
fn fish_is_exact_in_every_situation() {
    let history = ("history | cat", &[".local/share/fish/fish_history"][..]);
    check(&Shell {
        name: "fish",
        path: "/usr/bin/fish",
        kin: &[],
        setup: (".config/fish/config.fish", ""),
        history,
        stays: Stays::Nothing,
    });
}

#[test]
fn dash_is_exact_in_every_situation() {
    check(&Shell {
        name: "dash",
        path: "/bin/dash",
        kin: &["plain-sh", "posix"],
        setup: (".profile", ""),
        history: ("", &[]),
        stays: Stays::Nothing,
    });
}

#[test]
fn ash_of_busybox_is_exact_in_every_situation() {
    let history = ("history", &[".ash_history"][..]);
    check(&Shell {
        name: "ash",
        path: "/var/lib/jft-busybox/ash",
        kin: &["plain-sh", "posix"],
        setup: (".profile", ""),
        history,
        stays: Stays::Lines,
    });
}

#[test]
fn ksh93_is_exact_in_every_situation() {
    let history = ("fc -l -N 200", &[".sh_history"][..]);
    check(&Shell { name: "ksh93", path: "/usr/bin/ksh93", kin: &["posix"], setup: (".profile", ""), history, stays: Stays::Bytes });
}

#[test]
fn mksh_is_exact_in_every_situation() {
    let profile = "PS1='box$ ' HISTFILE=~/.mksh_history HISTSIZE=500\n";
    let history = ("fc -l 1", &[".mksh_history"][..]);
    check(&Shell {
        name: "mksh",
        path: "/usr/bin/mksh",
        kin: &["plain-sh", "posix"],
        setup: (".mkshrc", profile),
        history,
        stays: Stays::Nothing,
    });
}

#[test]
fn tcsh_is_exact_in_every_situation() {
    let history = ("history", &[".history"][..]);
    check(&Shell {
        name: "tcsh",
        path: "/usr/bin/tcsh",
        kin: &["csh"],
        setup: (".tcshrc", "set prompt='%n@%m:%~%# '\nset savehist=(500 merge) correct=all\n"),
        history,
        stays: Stays::Nothing,
    });
}

/// The line that prepares ksh93, as the host fills it in; nobody presses Enter.
fn ksh93_line() -> String {
    crate::support::install();
    let manifest: toml::Table = toml::from_str(include_str!("../plugins/posix-shell/plugin.toml")).unwrap();
    let mut line = manifest["sends"]["ksh93"].as_str().unwrap().replace("{{", "\u{1}");
    for (name, value) in [("{nonce}", "0123456789abcdef"), ("{config.pagers}", "off"), ("{enter}", ""), ("\u{1}", "{")] {
        line = line.replace(name, value);
    }
    line.trim().to_owned()
}

/// Its prompt for the rest of a line may be made of what it was.
#[test]
fn ksh93_marks_whatever_becomes_of_the_prompt_for_the_rest_of_a_line() {
    let script = format!("{}\nfor PS2 in 'a> ' \"b $PS2\" \"c $PS2\"; do printf %s \"$PS2\"; done", ksh93_line());
    let done = std::process::Command::new("ksh93").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(said.replace("\u{1b}]133;P;k=c;late=1;0123456789abcdef\u{7}", "|"), "|a> |b > |c > ", "{said:?}");
}

/// It would make a number of the sign.
#[test]
fn ksh93_leaves_out_a_directory_whose_name_its_prompt_would_change() {
    let folder = tempfile::tempdir().unwrap();
    for (name, is_told) in [("plain;x", true), ("a!b", false)] {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).unwrap();
        let script = format!("{}\neval \"printf %s \\\"$PS1\\\"\"", ksh93_line());
        let done = std::process::Command::new("ksh93").args(["-c", &script]).current_dir(&place).output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(said.contains("]133;D;0;0123456789abcdef;"), "{said:?}");
        assert_eq!(said.contains(name), is_told, "{said:?}");
    }
}

/// Their lists are read again from their files, so that what is there already is neither lost nor written away.
#[test]
fn what_a_shell_has_remembered_stays_and_nothing_of_the_login_comes_to_it() {
    let zsh = "PROMPT='%n@%m:%~%# '\n";
    let kept = "HISTFILE=~/.zsh_history HISTSIZE=500 SAVEHIST=500\n";
    let tcsh = "set prompt='%n@%m:%~%# ' history=100 savehist=500";
    let stamped = ("#+1600000000\nold one\n", ": 1600000000:0;old one\n");
    for (name, shell, setup, list, old) in [
        ("z-none", "zsh", zsh.to_owned(), "fc -ln 1", None),
        ("z-file", "zsh", format!("{zsh}{kept}setopt extendedhistory\n"), "fc -ln 1", Some(stamped.1)),
        ("z-share", "zsh", format!("{zsh}{kept}setopt sharehistory extendedhistory\n"), "fc -ln 1", Some(stamped.1)),
        ("z-each", "zsh", format!("{zsh}{kept}setopt incappendhistory extendedhistory\n"), "fc -ln 1", Some(stamped.1)),
        ("z-time", "zsh", format!("{zsh}{kept}setopt incappendhistorytime extendedhistory\n"), "fc -ln 1", Some(stamped.1)),
        ("z-lock", "zsh", format!("{zsh}{kept}setopt sharehistory histfcntllock extendedhistory\n"), "fc -ln 1", Some(stamped.1)),
        ("t-file", "tcsh", format!("{tcsh}\n"), "history -h", Some(stamped.0)),
        ("t-correct", "tcsh", format!("{tcsh} correct=all\n"), "history -h", Some(stamped.0)),
        ("t-complete", "tcsh", format!("{tcsh} correct=complete\n"), "history -h", Some(stamped.0)),
    ] {
        let user = format!("jft-h-{name}");
        let home = account(&user, &Path::new("/usr/bin").join(shell));
        std::fs::write(home.join(format!(".{shell}rc")), setup).unwrap();
        let file = home.join(if shell == "zsh" { ".zsh_history" } else { ".history" });
        std::fs::write(&file, old.unwrap_or_default()).unwrap();
        let _ = std::process::Command::new("chown").arg(&user).arg(&file).status();
        let server = Sshd::start();
        let mut client = Client::start_agreeing(&format!("{}policy = \"full\"\n", server.device("web1", &user, "linux")), &[]);
        client.run("web1", "echo one");
        let listed = client.run("web1", list);
        let rows: Vec<&str> = listed["output"].as_str().unwrap().lines().map(str::trim).filter(|row| *row != list).collect();
        let wanted: Vec<&str> = old.map(|_| "old one").into_iter().chain(["echo one"]).collect();
        assert_eq!(rows, wanted, "{name}: {listed}");
        client.run("web1", "exit");
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(!traced(written.as_bytes()), "{name}: {written}");
        assert!(written.starts_with(old.unwrap_or_default()), "{name}: {written}");
        assert_eq!(written.contains("echo one\n"), old.is_some(), "{name}: {written}");
    }
}

/// The probe's line is in no history there, so that there is nothing to take out is no failure.
#[test]
fn a_shell_that_ends_at_each_failure_is_prepared() {
    for (name, path, file, text) in [
        ("bash", "/bin/bash", ".bashrc", "HISTCONTROL=ignoreboth; set -e\n"),
        ("ksh93", "/usr/bin/ksh93", ".profile", "HISTFILE=/proc/none; set -e\n"),
    ] {
        let user = format!("jft-e-{name}");
        let home = account(&user, Path::new(path));
        std::fs::write(home.join(file), text).unwrap();
        let server = Sshd::start();
        let mut client = Client::start_agreeing(&server.device("web1", &user, "linux"), &[]);
        for (line, output) in [("echo a", "a\n"), ("echo $-", "e")] {
            let result = client.run("web1", line);
            let seen = (result["exit_code"].as_i64(), result["confidence"].as_str());
            assert_eq!(seen, (Some(0), Some("mark")), "{name}: {line}: {result}");
            assert!(result["output"].as_str().is_some_and(|text| text.contains(output)), "{name}: {line}: {result}");
        }
    }
}

/// It has no marks then: what runs before it tells the end.
#[test]
fn a_prompt_that_is_readonly_leaves_every_status_exact() {
    for (name, path, file) in [("bash", "/bin/bash", ".bashrc"), ("zsh", "/usr/bin/zsh", ".zshrc")] {
        let user = format!("jft-fixed-{name}");
        let home = account(&user, Path::new(path));
        std::fs::write(home.join(file), "PS1='fixed$ '; readonly PS1\n").unwrap();
        let server = Sshd::start();
        let mut client = Client::start_agreeing(&server.device("web1", &user, "linux"), &[]);
        for (line, output, status) in [("echo a", "a\n", 0), ("printf x; (exit 3)", "x", 3), ("echo one\necho two", "one\ntwo\n", 0)] {
            let result = client.run("web1", line);
            let seen = (result["output"].as_str(), result["exit_code"].as_i64(), result["confidence"].as_str());
            assert_eq!(seen, (Some(output), Some(status), Some("mark")), "{name}: {line}: {result}");
        }
    }
}
