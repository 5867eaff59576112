//! Programs that print what a session lives by: prompts, marks, markers, questions. None of it may end a command, give it a
//! status, turn a page or have a secret typed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{PASSWORD, Sshd, account, sudoers};

/// Programs for each shell.
const PROGRAMS: u64 = 30;
/// Sessions that they run in, side by side.
const SESSIONS: u64 = 10;
/// The random numbers start here; a failure tells the program's own seed.
const SEED: u64 = 41_000;

/// A program and what must come of it.
struct Program {
    seed: u64,
    /// What is typed.
    command: String,
    /// The file's text, for the message of a failure.
    text: String,
    /// Every byte that it prints, as a terminal passes it on.
    output: Vec<u8>,
    status: i64,
}

/// What the pieces are made of.
struct Maker<'a> {
    random: fastrand::Rng,
    prompt: &'a str,
    user: &'a str,
    text: String,
    output: Vec<u8>,
}

impl Maker<'_> {
    /// A line of shell that prints these bytes, whatever they are.
    fn print(&mut self, bytes: &[u8]) {
        let octal = bytes.iter().fold(String::new(), |mut octal, byte| {
            write!(octal, "\\{byte:03o}").unwrap();
            octal
        });
        writeln!(self.text, "printf '{octal}'").unwrap();
        for byte in bytes {
            if *byte == b'\n' {
                self.output.push(b'\r');
            }
            self.output.push(*byte);
        }
    }

    fn pause(&mut self) {
        let seconds = *self.random.choice(["0.02", "0.1", "0.35", "0.7", "1.4"].as_slice()).unwrap();
        writeln!(self.text, "sleep {seconds}").unwrap();
    }

    fn any<'b>(&mut self, of: &[&'b str]) -> &'b str {
        self.random.choice(of).unwrap()
    }

    /// A mark of shell integration that is not the session's.
    fn mark(&mut self) -> String {
        let nonce = self.any(&["", ";ffffffffffffffff", ";0123456789abcdef", ";aid=7"]);
        let body = self.any(&["A", "B", "C", "D", "D;0", "D;1", "P;k=c", "S", "C;D;0;A;B"]);
        let end = self.any(&["\x07", "\x1b\\"]);
        format!("\x1b]133;{body}{nonce}{end}")
    }

    fn piece(&mut self) {
        match self.random.u8(..11) {
            0 => {
                let before = self.any(&["", "\n", "\r", "x", "\x1b[0m\r\x1b[K"]);
                let prompt = format!("{before}{}", self.prompt);
                self.print(prompt.as_bytes());
                self.pause();
            }
            1 => {
                let marks: String = (0..self.random.usize(1..5)).map(|_| self.mark()).collect();
                let prompt = if self.random.bool() { self.prompt } else { "" };
                let text = format!("{marks}{prompt}");
                self.print(text.as_bytes());
                self.pause();
            }
            2 => {
                // Cut in the middle, with time between the halves.
                let mark = self.mark();
                let (first, second) = mark.split_at(self.random.usize(1..mark.len()));
                self.print(first.as_bytes());
                self.pause();
                self.print(second.as_bytes());
            }
            3 => {
                let marker = self.any(&[":", "(END)", "--More--", "--More--(37%)", "lines 1-23/60 37%", "lines 1-23", "x (file 1 of 2)"]);
                self.print(format!("\n{marker}").as_bytes());
                self.pause();
                self.print(b"\n");
            }
            4 => {
                let user = self.user;
                let forms = ["Password: ", "jackfield-ffffffffffffffff: ", "[sudo] password for {user}: ", "{user}@127.0.0.1's password: "];
                let question = self.any(&forms).replace("{user}", user);
                self.print(format!("\n{question}").as_bytes());
                self.pause();
                self.print(b"\n");
            }
            5 => {
                // A typed line as the terminal sends it back, and what a shell would print next.
                let (mark, prompt) = (self.mark(), self.prompt);
                let echo = format!("{prompt}echo fine\n\x1b[?2004l\r{mark}fine\n{prompt}");
                self.print(echo.as_bytes());
                self.pause();
            }
            6 => {
                let inside = self.any(&[":", "Password: ", "text", "~\n~\n~"]);
                let text = format!("\x1b[?1049h\x1b[H\x1b[2J{inside}");
                self.print(text.as_bytes());
                self.pause();
                self.print(b"\x1b[?1049l");
            }
            7 => {
                let moves = self.any(&[
                    "\x1b[5A\x1b[2K",
                    "\x1b[H\x1b[J",
                    "\x1b[1;1r\x1b[r",
                    "\x1b7\x1b[9;9Hx\x1b8",
                    "a\x08b\r",
                    "\x1b[?1h\x1b=\x1b[?1l\x1b>",
                ]);
                self.print(moves.as_bytes());
            }
            8 => {
                let question = self.any(&["Go on? [y/N] ", "Name: ", "#? ", "Are you sure you want to continue connecting (yes/no)? "]);
                self.print(question.as_bytes());
                self.pause();
            }
            9 => {
                let many = "0123456789 root@host:~# \n".repeat(self.random.usize(1..400));
                // By a file: the line would be long.
                writeln!(self.text, "yes '0123456789 root@host:~# ' | head -n {}", many.lines().count()).unwrap();
                self.output.extend_from_slice(many.replace('\n', "\r\n").as_bytes());
            }
            _ => {
                let rest = self.any(&["> ", "... ", ">>> ", "mysql> ", "sw1#", "$ ", "# ", "❯ ", "root@host:~# "]);
                self.print(rest.as_bytes());
                self.pause();
            }
        }
    }
}

/// Unfinished sequences and characters in which a program may end.
const LOOSE: [&[u8]; 8] = [b"", b"\n", b"\x1b", b"\x1b[", b"\x1b]133;D;0", b"\x1b]0;title", b"\xc3", b"\x1b[?1049h\x1b[?1h"];

fn program(seed: u64, user: &str, prompt: &str, folder: &Path) -> Program {
    let mut maker = Maker { random: fastrand::Rng::with_seed(seed), prompt, user, text: "#!/bin/sh\n".to_owned(), output: Vec::new() };
    for _ in 0..maker.random.usize(2..6) {
        maker.piece();
    }
    // What was typed meanwhile would be there to read, also what the terminal does not show.
    maker.text.push_str(
        "saved=$(stty -g); stty -icanon -echo min 0 time 1; printf '\\ntyped:%s;' \"$(dd bs=99 count=1 2>/dev/null | od -An -tx1)\"\n\
         stty \"$saved\"\n",
    );
    maker.output.extend_from_slice(b"\r\ntyped:;");
    let loose = *maker.random.choice(LOOSE.as_slice()).unwrap();
    maker.print(loose);
    let status = maker.random.i64(0..120);
    writeln!(maker.text, "exit {status}").unwrap();
    let file = folder.join(format!("p{seed}"));
    std::fs::write(&file, &maker.text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = file.display().to_string();
    // A pager in the arguments is none; `sudo true` starts the goal that types a secret at sudo's own question.
    let forms = ["{}", "sh {}", "bash {} less", "sudo true; {}", "sudo {}"];
    let command = forms[maker.random.usize(..forms.len())].replace("{}", &file);
    Program { seed, command, text: maker.text, output: maker.output, status }
}

fn check(user: &str, shell: &str) {
    account(user, Path::new(shell));
    sudoers(user, &format!("{user} ALL=(ALL) NOPASSWD: ALL\n"));
    let server = Sshd::start();
    let secrets = "policy = \"full\"\nsecrets.sudo = { env = \"JFT_SUDO\" }\nsecrets.enable = { env = \"JFT_SUDO\" }\n";
    let config = format!("{}{secrets}", server.device("web1", user, "linux"));
    let mut client = Client::start_with(&config, &[("JFT_SUDO", PASSWORD)]);
    let prompt = client.run("web1", "true")["prompt"].as_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    for round in 0..PROGRAMS.div_ceil(SESSIONS) {
        let seeds = SEED + round * SESSIONS..SEED + PROGRAMS.min((round + 1) * SESSIONS);
        let mut posted = BTreeMap::new();
        for seed in seeds {
            let program = program(seed, user, &prompt, server.folder.path());
            let target = format!("web1#s{}", seed % SESSIONS);
            let arguments = json!({"target": target, "command": program.command, "wait_s": 40, "max_chars": 1_000_000});
            posted.insert(client.post("ssh_run", arguments), (target, program));
        }
        let answers: Vec<(u64, Value)> = (0..posted.len()).map(|_| client.answer()).collect();
        for (call, mut result) in answers {
            let (target, program) = &posted[&call];
            // A question may be told; it must not be answered, and the program goes on.
            let mut looks = 0;
            while matches!(result["state"].as_str(), Some("running" | "needs_input")) && looks < 200 {
                looks += 1;
                let id = result["command_id"].clone();
                result = client.call("ssh_output", json!({"command_id": id, "until": "output", "wait_s": 0.2, "max_chars": 1_000_000}));
            }
            if let Err(why) = judge(&mut client, target, program, &result) {
                wrong.push(format!(
                    "{shell}, seed {}: {why}\n  typed: {}\n  program:\n{}\n  result: {}",
                    program.seed,
                    program.command,
                    program.text,
                    result.to_string().chars().take(1500).collect::<String>()
                ));
            }
        }
    }
    client.has_written_no(PASSWORD);
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

fn judge(client: &mut Client, target: &str, program: &Program, result: &Value) -> Result<(), String> {
    let end = (result["state"].as_str(), result["exit_code"].as_i64(), result["confidence"].as_str());
    if end != (Some("done"), Some(program.status), Some("mark")) {
        let log = client.call("ssh_output", json!({"session": target, "tail": 30}));
        return Err(format!("it ended as {end:?}, not with status {}; the session: {}", program.status, log["output"]));
    }
    let raw = client.call("ssh_output", json!({"command_id": result["command_id"], "format": "base64", "max_chars": 1_000_000}));
    let raw = base64::prelude::BASE64_STANDARD.decode(raw["output"].as_str().unwrap_or_default()).unwrap_or_default();
    // fish sets the title and its colour behind its mark for the start of output.
    let own = b"\x1b(B\x1b[m\r";
    let raw = match raw.windows(own.len()).position(|window| window == own) {
        Some(at) if raw.starts_with(b"\x1b]0;") => raw.get(at + own.len()..).unwrap_or_default().to_vec(),
        _ => raw,
    };
    if raw != program.output {
        let at = raw.iter().zip(&program.output).take_while(|(one, other)| one == other).count();
        let around = |bytes: &[u8]| String::from_utf8_lossy(&bytes[at.saturating_sub(30)..bytes.len().min(at + 80)]).into_owned();
        return Err(format!("the output differs at byte {at}: {:?}, not {:?}", around(&raw), around(&program.output)));
    }
    let after = client.run(target, "echo fine");
    if after["output"] != "fine\n" || after["exit_code"] != 0 {
        return Err(format!("the next command is not exact: {after}"));
    }
    Ok(())
}

#[test]
fn nothing_that_a_program_prints_deceives_a_session_of_bash() {
    check("jft-adv-bash", "/bin/bash");
}

#[test]
fn nothing_that_a_program_prints_deceives_a_session_of_zsh() {
    check("jft-adv-zsh", "/usr/bin/zsh");
}

#[test]
fn nothing_that_a_program_prints_deceives_a_session_of_dash() {
    check("jft-adv-dash", "/bin/dash");
}

#[test]
fn nothing_that_a_program_prints_deceives_a_session_of_fish() {
    check("jft-adv-fish", "/usr/bin/fish");
}

/// Shell, and lines that print its prompt as it stands in its variable or as it is filled in, marks and all.
const OWN: [(&str, &str, &[&str]); 4] = [
    ("jft-adv-bash", "/bin/bash", &["printf %s \"$PS1\"", "printf %s \"${PS1@P}\"", "printf %s \"${PS0@P}${PS1@P}\"", "set | cat"]),
    ("jft-adv-zsh", "/usr/bin/zsh", &["printf %s \"$PS1\"", "print -nP \"$PS1\"", "set | cat"]),
    ("jft-adv-dash", "/bin/dash", &["printf %s \"$PS1\"", "set"]),
    ("jft-adv-fish", "/usr/bin/fish", &["fish_prompt", "functions fish_prompt", "set"]),
];

/// Every byte, alone and as the second of a sequence that may have no end: what follows at once are the marks.
#[test]
fn an_output_may_end_with_any_bytes() {
    let user = "jft-adv-bash";
    account(user, Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", user, "linux")));
    let every = 0..=u8::MAX;
    let mut ends: Vec<Vec<u8>> = every.clone().map(|byte| vec![byte]).collect();
    ends.extend(every.clone().flat_map(|byte| [vec![0x1b, byte], vec![0x01, byte]]));
    for begun in [b"\x1b]".as_slice(), b"\x1b]133;", b"\x1bP", b"\x1b[", b"\xe2", b"\x9d"] {
        ends.extend(every.clone().step_by(5).map(|byte| [begun, &[byte]].concat()));
    }
    for terminal in [true, false] {
        let opened = client.call("ssh_open", json!({"host": "web1", "tty": terminal, "wait_s": 20}));
        let target = opened["session"].as_str().unwrap().to_owned();
        for (end, status) in ends.iter().zip((0..5).cycle()) {
            let octal = end.iter().fold(String::new(), |octal, byte| format!("{octal}\\{byte:03o}"));
            let result = client.run(&target, &format!("printf 'x{octal}'; (exit {status})"));
            let seen = (result["state"].as_str(), result["exit_code"].as_i64());
            assert_eq!(seen, (Some("done"), Some(status)), "terminal: {terminal}, bytes {end:02x?}: {result}");
        }
        assert_eq!(client.run(&target, "echo whole")["output"], json!("whole\n"));
    }
}

#[test]
fn a_prompt_that_a_command_prints_with_its_marks_ends_nothing() {
    for (user, shell, lines) in OWN {
        account(user, Path::new(shell));
        let server = Sshd::start();
        let mut client = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", user, "linux")));
        for line in lines {
            let last = if shell.ends_with("fish") { "sh -c 'exit 4'" } else { "(exit 4)" };
            let result = client.run("web1", &format!("{line}; sleep 2; echo tail; {last}"));
            assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(4)), "{shell}, {line}: {result}");
            assert!(result["output"].as_str().unwrap().ends_with("tail\n"), "{shell}, {line}: {result}");
            assert_eq!(client.run("web1", "echo fine")["output"], "fine\n", "{shell}, {line}");
        }
    }
}
