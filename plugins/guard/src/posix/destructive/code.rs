//! Code that comes as a text: arguments, pipes, here-documents.

use crate::family::{Dialect, Place};
use crate::ios;
use crate::program;
use crate::verdict::{Danger, listed};
use jackfield_plugin::text::Search;

use super::paths::{TRUSTED, UNKNOWN};
use super::source::Source;
use super::{Finder, Input, WRITE_IT_OUT, base_name, danger, shown};

const FETCH_FIRST: &str = "Write the code to a file, look at it, then run the file.";

/// Options of ssh that take a value.
const SSH_VALUES: &str = "BbcDEeFIiJLlmOoPpQRSWw";

impl Finder {
    pub(super) fn code(&mut self, program: &str, line: &[String], input: &Input) -> Option<Danger> {
        match program {
            "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "mksh" | "rbash" | "fish" | "csh" | "tcsh" | "pwsh" => self.shell(line, input),
            "su" | "runuser" | "sg" | "script" | "flock" | "newgrp" => self.with_command_option(line, input),
            "eval" => self.hidden(line, &line.get(1..)?.join(" ")),
            "." | "source" => from_data(line.get(1), line, input),
            "trap" | "alias" => line.iter().skip(1).find_map(|word| self.text(word.split_once('=').map_or(word, |(_, text)| text))),
            "watch" | "entr" => self.joined(line, "nq"),
            "ssh" | "mosh" | "slogin" => self.remote(line, input),
            // What it names by itself is a read.
            "nslookup" => {
                self.fed_client(line, input);
                None
            }
            "vtysh" => vtysh(line, input),
            "ip" => self.batch(line, input),
            "xargs" | "gxargs" => self.xargs(line, input),
            "parallel" => self.parallel(line, input),
            "at" | "batch" => self.fed_shell(line, input),
            "docker" | "podman" | "nerdctl" | "kubectl" | "oc" | "lxc" | "crictl" | "pct" | "machinectl" | "docker-compose" | "vagrant" => {
                self.contained(line, input)
            }
            "tmux" | "screen" | "expect" | "vim" | "vi" | "nvim" | "ex" | "ed" | "pdsh" | "ansible" | "salt" | "tar" | "rsync" | "gdb" => {
                self.any_text(line)
            }
            "awk" | "gawk" | "mawk" | "nawk" => line.iter().skip(1).find_map(|word| self.embedded(line, word)),
            "psql" | "mysql" | "mariadb" | "sqlite3" | "clickhouse-client" | "cqlsh" | "redis-cli" => self.query(line, input),
            _ if is_interpreter(program) => self.interpreter(line, input),
            _ if program.starts_with(UNKNOWN) => self.any_shell(line),
            _ => None,
        }
    }

    fn shell(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let mut rest = line.iter().skip(1);
        let mut takes_text = false;
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-o" | "+o" | "-O" | "+O" | "--rcfile" | "--init-file" => drop(rest.next()),
                "--" | "-" => {}
                _ if word.starts_with(['-', '+']) => {
                    takes_text |= !word.starts_with("--") && word.starts_with('-') && word.has('c') || word == "--command";
                }
                _ if takes_text => return self.hidden(line, word),
                _ if is_stdin(word) => return self.fed_shell(line, input),
                _ => return from_data(Some(word), line, input),
            }
        }
        if takes_text { None } else { self.fed_shell(line, input) }
    }

    /// A text that a shell reads: nothing of what it runs may be left open.
    fn hidden(&mut self, line: &[String], text: &str) -> Option<Danger> {
        let open = text.split([';', '\n', '|', '&']).any(|command| {
            let word = command.split_whitespace().next().unwrap_or_default();
            word.starts_with(UNKNOWN)
        });
        self.ends_at(open.then(|| known_later(line))).or_else(|| self.text(text))
    }

    /// A shell that reads its input.
    pub(super) fn fed_shell(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        match input {
            Input::From(Source::Text(text)) => self.hidden(line, text),
            Input::From(Source::Data(from)) => Some(unseen(line, from)),
            Input::From(Source::Paths(_)) => Some(unseen(line, "find")),
            Input::Terminal | Input::From(Source::File | Source::Trusted) => None,
        }
    }

    /// `su -c 'text'`, or a shell without it.
    fn with_command_option(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let mut rest = line.iter().skip(1);
        while let Some(word) = rest.next() {
            let text = match word.strip_prefix("--command=") {
                Some(text) => Some(text.to_owned()),
                None if word == "--command" || word.starts_with('-') && !word.starts_with("--") && word.ends_with('c') => {
                    rest.next().cloned()
                }
                None => None,
            };
            if let Some(text) = text {
                return self.hidden(line, &text);
            }
        }
        match base_name(line.first()?) {
            "su" => self.fed_shell(line, input),
            "runuser" => self.command(behind_options(line, "ugGs"), input),
            _ => None,
        }
    }

    /// Words behind the options that a shell reads as one text.
    fn joined(&mut self, line: &[String], values: &str) -> Option<Danger> {
        let rest = behind_options(line, values);
        self.text(&rest.join(" "))
    }

    /// It hands what it is fed with to another machine.
    fn fed_client(&mut self, line: &[String], input: &Input) {
        // A text stands in the line, where everybody sees it.
        if matches!(input, Input::From(Source::File | Source::Data(_) | Source::Paths(_))) {
            self.sends.get_or_insert_with(|| line.to_vec());
        }
    }

    /// `ip -batch -`: lines of its own.
    fn batch(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let Input::From(Source::Text(text)) = input else { return None };
        let reads = line.iter().any(|word| word.len() > 1 && "-batch".starts_with(word.as_str()));
        let command = |row: &str| core::iter::once("ip").chain(row.split_whitespace()).map(str::to_owned).collect::<Vec<_>>();
        text.lines().filter(|_| reads).find_map(|row| self.command(&command(row), &Input::Terminal))
    }

    fn remote(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let rest = behind_options(line, SSH_VALUES);
        let options = line.get(1..line.len() - rest.len()).unwrap_or_default().iter().filter_map(|word| word.strip_prefix('-'));
        let reads_none = options.flat_map(|letters| letters.chars().take_while(|c| !SSH_VALUES.has(*c))).any(|c| matches!(c, 'n' | 'f'));
        if !reads_none {
            self.fed_client(line, input);
        }
        let command = behind_options(rest, SSH_VALUES);
        if command.is_empty() {
            self.fed_shell(line, input)
        } else {
            self.hidden(line, &command.join(" ")).or_else(|| self.command(command, input))
        }
    }

    /// A command inside a container: it begins with a word that is known to be dangerous or a shell.
    fn contained(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        const STARTS: [&str; 10] = ["rm", "sh", "bash", "ash", "dash", "dd", "find", "env", "sudo", "vtysh"];
        let begins = line.iter().skip(1).any(|word| matches!(word.as_str(), "exec" | "run" | "ssh" | "shell" | "create"));
        let place =
            line.iter().skip(2).position(|word| STARTS.contains(&base_name(word)) || word.starts_with("mkfs")).filter(|_| begins)?;
        let inner = line.get(place + 2..)?.to_vec();
        self.command(&inner, input)
    }

    /// Programs that give some of their words to a shell.
    fn any_text(&mut self, line: &[String]) -> Option<Danger> {
        let escapes = |word: &String| {
            // `--checkpoint-action=exec=rm x`
            let head = word.split(' ').next().unwrap_or_default();
            let text = head.rfind('=').filter(|_| head.starts_with("--")).and_then(|at| word.get(at + 1..)).unwrap_or(word);
            let text = text.trim_start_matches([':', '+', '!']);
            text.strip_prefix("shell ").unwrap_or(text).to_owned()
        };
        line.iter().skip(1).filter(|word| word.has(' ')).map(escapes).collect::<Vec<_>>().iter().find_map(|word| self.text(word))
    }

    /// A program that is not known, used like a shell.
    fn any_shell(&mut self, line: &[String]) -> Option<Danger> {
        let text = line.iter().skip_while(|word| *word != "-c").nth(1)?.clone();
        self.hidden(line, &text)
    }

    fn interpreter(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let mut rest = line.iter().skip(1);
        while let Some(word) = rest.next() {
            let takes_text = word.starts_with('-') && !word.starts_with("--") && word.ends_with(['c', 'e', 'E', 'r'])
                || word == "--eval"
                || word == "--print";
            if takes_text {
                let text = rest.next()?;
                self.ends_at(text.starts_with(UNKNOWN).then(|| known_later(line)));
                return self.embedded(line, text);
            }
            if word == "-m" || !word.starts_with('-') && !is_stdin(word) {
                return from_data(Some(word), line, input);
            }
        }
        match input {
            Input::From(Source::Text(text)) => self.embedded(line, text),
            Input::From(Source::Data(from)) => Some(unseen(line, from)),
            _ => None,
        }
    }

    fn query(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        if let Input::From(Source::Text(text)) = input
            && let Some(danger) = self.database(line, text)
        {
            return Some(danger);
        }
        let mode = match base_name(line.first()?) {
            "mariadb" => "mysql",
            "sqlite3" => "sqlite",
            "redis-cli" => "redis",
            name => name,
        };
        let piped = if let Input::From(Source::Text(text)) = input { Some(text.clone()) } else { None };
        // Of the words of Redis each is one by itself.
        let given = if mode == "redis" { vec![behind_options(line, "hpnasuri").join(" ")] } else { texts_given(line) };
        let found = piped.into_iter().chain(given).find_map(|text| program::given_danger(&text, mode));
        self.ends_at(found).or_else(|| line.iter().skip(1).find_map(|word| self.database(line, word)))
    }
}

/// What a client is given to run: behind its option, or a word of several.
fn texts_given(line: &[String]) -> Vec<String> {
    const OPTIONS: [&str; 4] = ["--command=", "--execute=", "-c", "-e"];
    let is_option = |word: &str| matches!(word, "-c" | "-e" | "--command" | "--execute");
    let mut before = "";
    let mut texts = Vec::new();
    for word in line.iter().skip(1) {
        if is_option(before) || word.has(' ') {
            let text = OPTIONS.iter().find_map(|option| word.strip_prefix(option)).unwrap_or(word);
            texts.push(text.to_owned());
        }
        before = word;
    }
    texts
}

/// `vtysh -c 'clear bgp *'`: what FRR's own prompt would be asked about.
fn vtysh(line: &[String], input: &Input) -> Option<Danger> {
    let mut rows: Vec<&str> = Vec::new();
    let mut words = line.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        match word.strip_prefix("--command=").or_else(|| word.strip_prefix("-c")) {
            Some(row) if !row.is_empty() => rows.push(row),
            None if word != "--command" => {}
            _ => rows.extend(words.next()),
        }
    }
    if let Input::From(Source::Text(text)) = input
        && rows.is_empty()
    {
        rows.push(text);
    }
    ios::answer_danger(&rows.join("\n"), Dialect::Frr, Place::Exec)
}

/// `curl … | sudo -s`: nothing is left to start but a shell.
pub(super) fn login_shell(line: &[String], input: &Input) -> Option<Danger> {
    let shell = line.iter().any(|word| matches!(word.as_str(), "-s" | "-i" | "--shell" | "--login" | "chroot" | "nsenter" | "unshare"));
    match input {
        Input::From(Source::Data(from)) if shell => Some(unseen(line, from)),
        _ => None,
    }
}

/// A script of which nothing is known but that it comes out of a pipe.
fn from_data(script: Option<&String>, line: &[String], input: &Input) -> Option<Danger> {
    let script = script?;
    let pipe = script.strip_prefix("/dev/fd/").is_some_and(|rest| rest.starts_with(UNKNOWN));
    match input {
        Input::From(Source::Data(from)) if is_stdin(script) => Some(unseen(line, from)),
        _ if pipe => Some(unseen(line, "a pipe")),
        _ => None,
    }
}

fn known_later(line: &[String]) -> Danger {
    danger("posix.hidden-code", line, "runs code that is only known later").advise(WRITE_IT_OUT)
}

fn unseen(line: &[String], from: &str) -> Danger {
    danger("posix.code-from-data", line, &format!("runs what {} prints, unseen", shown(from))).advise(FETCH_FIRST)
}

fn is_stdin(path: &str) -> bool {
    matches!(path, "-" | "-s" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0")
}

fn is_interpreter(program: &str) -> bool {
    const NAMES: &str = "python pypy perl ruby node nodejs php lua luajit tclsh deno bun Rscript osascript groovy";
    listed(NAMES, program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')) && !program.has(TRUSTED)
}

/// What stands behind the options, without the first word.
fn behind_options<'a>(line: &'a [String], values: &str) -> &'a [String] {
    let mut rest = line.get(1..).unwrap_or_default();
    while let Some((option, behind)) = rest.split_first() {
        let Some(letters) = option.strip_prefix('-') else { break };
        let takes_next = letters.len() == 1 && values.holds(letters);
        rest = if takes_next { behind.get(1..).unwrap_or_default() } else { behind };
    }
    rest
}
