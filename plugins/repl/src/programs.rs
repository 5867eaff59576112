//! The programs, what starts them, and what their prompts look like.

use jackfield_plugin::shell::{self, file_name, operands};
use jackfield_plugin::text::listed;

/// When a program asks for lines instead of ending by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Without operands, or with `-i`: `python3 x.py` runs a file. The options that take a value.
    Alone(&'static str),
    /// With so many operands at most: `sqlite3 file` asks, `sqlite3 file 'select 1'` does not.
    UpTo(usize, &'static str),
    /// Unless one of these options gives it a command.
    Unless(&'static [&'static str]),
    /// With the option `-d`, perhaps in front of others; `-d:Name` runs something else.
    Debugging,
    /// Always, as far as can be told.
    Always,
}

/// One program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The mode; empty where it is the name of the program.
    mode: &'static str,
    names: &'static [&'static str],
    /// Triggers of its prompt, most telling first.
    pub(crate) prompts: &'static [&'static str],
    asks: Asks,
}

const PROGRAMS: &[Program] = &[
    Program { mode: "python", names: &["python", "pypy", "bpython"], prompts: &["python", "pdb", "python_help"], asks: Asks::Alone("WXQ") },
    Program { mode: "ipython", names: &["ipython", "jupyter-console"], prompts: &["ipython", "pdb"], asks: Asks::Alone("") },
    Program { mode: "pdb", names: &["pdb", "ipdb"], prompts: &["pdb"], asks: Asks::Always },
    Program {
        mode: "psql",
        names: &["psql"],
        prompts: &["psql"],
        asks: Asks::Unless(&["-c", "--command", "-f", "--file", "-l", "--list"]),
    },
    Program { mode: "sqlite", names: &["sqlite", "sqlcipher"], prompts: &["sqlite"], asks: Asks::UpTo(1, "") },
    Program { mode: "mysql", names: &["mysql", "mariadb"], prompts: &["mysql"], asks: Asks::Unless(&["-e", "--execute"]) },
    Program { mode: "redis", names: &["redis-cli", "valkey-cli", "keydb-cli"], prompts: &["redis"], asks: Asks::UpTo(0, "hpasunridtD") },
    Program { mode: "gdb", names: &["gdb", "lldb", "gdb-multiarch"], prompts: &["gdb"], asks: Asks::Unless(&["-batch", "--batch"]) },
    Program { mode: "bc", names: &["bc"], prompts: &["empty"], asks: Asks::Always },
    Program { mode: "irb", names: &["irb", "pry", "rails"], prompts: &["irb"], asks: Asks::Always },
    Program { mode: "node", names: &["node", "nodejs", "deno", "bun"], prompts: &["sign"], asks: Asks::Alone("r") },
    Program { mode: "php", names: &["php"], prompts: &["php"], asks: Asks::Unless(&["-r", "-f", "--run"]) },
    Program { mode: "perldb", names: &["perl"], prompts: &["perldb"], asks: Asks::Debugging },
    Program { mode: "", names: &["lua", "luajit", "r", "R", "perl"], prompts: &["sign"], asks: Asks::Alone("el") },
    Program { mode: "", names: &["mongo", "mongosh"], prompts: &["word"], asks: Asks::Unless(&["--eval"]) },
    Program {
        mode: "",
        names: &[
            "scala", "ghci", "jshell", "julia", "guile", "sbcl", "ocaml", "erl", "iex", "tclsh", "octave", "gnuplot", "maxima", "swipl",
        ],
        prompts: &["word", "sign", "own"],
        asks: Asks::Alone(""),
    },
    Program {
        mode: "",
        names: &[
            "ftp",
            "sftp",
            "lftp",
            "smbclient",
            "nslookup",
            "virsh",
            "parted",
            "fdisk",
            "gdisk",
            "birdc",
            "bluetoothctl",
            "nmcli",
            "wpa_cli",
            "bconsole",
            "ipmitool",
            "debugfs",
            "kadmin",
            "kadmin.local",
            "xfs_db",
            "rbd",
            "ceph",
            "zkcli.sh",
            "etcdctl",
            "clickhouse-client",
            "cqlsh",
            "isql",
            "sqlplus",
            "guestfish",
            "ed",
            "dc",
        ],
        prompts: &["word", "sign", "own"],
        asks: Asks::Unless(&["-c", "-e", "-b"]),
    },
];

impl Program {
    /// The trigger of the row that asks for the rest.
    pub(crate) fn rests(&self) -> impl Iterator<Item = String> {
        self.prompts.iter().map(|prompt| format!("{prompt}_rest"))
    }

    /// Its mode, where it goes by this name.
    fn called(&self, name: &str) -> Option<&'static str> {
        let known = self.names.iter().find(|known| **known == name)?;
        Some(if self.mode.is_empty() { known } else { self.mode })
    }

    /// The mode, where it is one of this program's.
    fn named(&self, mode: &str) -> Option<&'static str> {
        if self.mode == mode { Some(self.mode) } else { self.called(mode) }
    }
}

/// A program with the mode that its prompt stands for.
pub(crate) type Named = (&'static Program, &'static str);

/// The program of this mode.
pub(crate) fn of_mode(mode: &str) -> Option<Named> {
    if mode.is_empty() {
        return None;
    }
    PROGRAMS.iter().find_map(|program| program.named(mode).filter(|named| *named == mode).map(|named| (program, named)))
}

/// The program that this line starts and that will ask for lines. Of several the last one.
pub(crate) fn started(line: &str) -> Option<Named> {
    let commands = shell::commands(line);
    commands.iter().rev().filter(|command| !command.fed).find_map(|command| by_words(command.program()))
}

fn by_words(words: &[String]) -> Option<Named> {
    let (name, arguments) = words.split_first()?;
    let name = file_name(name);
    match name {
        // Who runs another program as somebody else or somewhere else. Options with a value of their own are few.
        "sudo" | "doas" | "runuser" => return by_words(shell::program(operands(arguments, shell::SUDO_VALUED))),
        "docker" | "podman" | "kubectl" | "nerdctl" | "oc" | "ssh" => return inside(arguments),
        _ => {}
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let called = |program: &'static Program| [name, stem].iter().find_map(|name| program.called(name)).map(|mode| (program, mode));
    // A program may ask in several ways.
    PROGRAMS.iter().filter_map(called).find(|(program, _)| program.asks.for_lines(arguments))
}

/// The program behind `docker exec -it c psql -U x` and `ssh -t host psql`: where a terminal was asked for.
fn inside(arguments: &[String]) -> Option<Named> {
    let terminal = shell::has_letter(arguments, 't') || arguments.iter().any(|word| word == "--tty");
    let at = (0..arguments.len()).filter(|at| arguments.get(*at).is_some_and(|word| !word.starts_with('-')));
    at.filter(|_| terminal).find_map(|at| by_words(arguments.get(at..).unwrap_or_default()))
}

/// Options of more than one letter, of those programs, that take a value of their own.
const VALUED: &str = "--user --pass --cacert --cacertdir --cert --key --sni --tls-ciphers -cmd -init -separator -newline -nullvalue -vfs";

/// How many operands there are.
fn without_values(arguments: &[String], valued: &str) -> usize {
    let mut rest = operands(arguments, valued);
    while let Some(at) = arguments.len().checked_sub(rest.len() + 1) {
        let is_value = arguments.get(at).is_some_and(|option| listed(VALUED, option));
        if !is_value || rest.is_empty() {
            break;
        }
        rest = operands(rest.get(1..).unwrap_or_default(), valued);
    }
    rest.len()
}

impl Asks {
    fn for_lines(self, arguments: &[String]) -> bool {
        let ends = |word: &String| matches!(word.as_str(), "--version" | "--help" | "-V");
        if arguments.iter().any(ends) {
            return false;
        }
        match self {
            Self::Always => true,
            // `-m pdb`, `-m asyncio` ask, `-c` and `-e` do not.
            Self::Alone(valued) => {
                let options: Vec<&String> = arguments.iter().take_while(|word| word.starts_with('-')).collect();
                let kept = options.iter().any(|word| matches!(word.as_str(), "-i" | "-m" | "--interactive"));
                let code = options.iter().any(|word| matches!(word.as_str(), "-c" | "-e" | "-p" | "--eval" | "--print" | "-"));
                kept || (!code && operands(arguments, valued).is_empty())
            }
            Self::Debugging => {
                let mut options = arguments.iter().take_while(|word| word.starts_with('-'));
                options.any(|word| word.starts_with("-d") && !word.contains(':'))
            }
            Self::UpTo(most, valued) => without_values(arguments, valued) <= most,
            Self::Unless(options) => {
                let given = |word: &String| {
                    let name = word.split('=').next().unwrap_or_default();
                    options
                        .iter()
                        .any(|option| name == *option || (option.len() == 2 && !word.starts_with("--") && word.starts_with(option)))
                };
                !arguments.iter().any(given)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PROGRAMS, of_mode, started};

    fn mode(line: &str) -> Option<&'static str> {
        started(line).map(|(_, mode)| mode)
    }

    #[test]
    fn a_program_that_asks_for_lines_is_known() {
        for (line, expected) in [
            ("python3", "python"),
            ("/usr/bin/python3.11 -q -X utf8", "python"),
            ("python3 -i x.py", "python"),
            ("python3 -m pdb x.py", "python"),
            ("psql -U postgres shop", "psql"),
            ("sudo -u postgres psql", "psql"),
            ("cd /x && PGUSER=a psql", "psql"),
            ("docker exec -it db psql -U x", "psql"),
            ("ssh -t db1 mysql", "mysql"),
            ("sqlite3", "sqlite"),
            ("sqlite3 -header x.db", "sqlite"),
            ("sqlite3 -cmd '.mode box' -init x x.db", "sqlite"),
            ("redis-cli --tls --cacert /x --cert /y --key /z -h cache", "redis"),
            ("redis-cli --user bob -p 6380 --pass x", "redis"),
            ("sudo kadmin.local", "kadmin.local"),
            ("kadmin -p admin/admin", "kadmin"),
            ("mysql -u root -psecret shop", "mysql"),
            ("redis-cli -h cache -p 6379", "redis"),
            ("gdb ./a.out 17", "gdb"),
            ("node", "node"),
            ("bc; node", "node"),
            ("sftp web2", "sftp"),
            ("ghci", "ghci"),
            ("perl", "perl"),
            ("perl -d x.pl 1", "perldb"),
            ("perl -T -de 0", "perldb"),
        ] {
            assert_eq!(mode(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_program_that_ends_by_itself_is_not() {
        for line in [
            "python3 x.py",
            "python3 -c 'print(1)'",
            "python3 --version",
            "echo 1 | python3",
            "python3 <x.py",
            "python3 <<E\n1\nE",
            "echo python3",
            "psql -c 'select 1'",
            "psql -ctrue",
            "psql --file=x",
            "sqlite3 x.db 'select 1'",
            "mysql -e 'select 1'",
            "redis-cli get x",
            "redis-cli --user bob get x",
            "sqlite3 -cmd '.mode box' x.db 'select 1'",
            "redis-cli -h cache ping",
            "gdb -batch -ex bt ./a.out",
            "node x.js",
            "node -e 1",
            "perl x.pl -d",
            "perl -e 'print 1'",
            "perl -d:NYTProf x.pl",
            "docker exec db psql",
            "ls",
            "",
        ] {
            assert_eq!(mode(line), None, "{line}");
        }
    }

    #[test]
    fn modes_and_triggers_belong_together() {
        let manifest = include_str!("../plugin.toml");
        for program in PROGRAMS {
            for prompt in program.prompts {
                assert!(manifest.contains(&format!("name = \"{prompt}\"\n")), "{prompt}");
            }
            for name in program.names {
                let mode = if program.mode.is_empty() { name } else { program.mode };
                assert_eq!(of_mode(mode), Some((program, mode)));
            }
        }
    }
}
