//! The situations. A cell's first part names a shell, its kin (`posix`, `csh`, `plain-sh`) or `all`; the nearest one counts.

use super::End::{self, Closes, Done, Guessed, Lost, Refused, Told, Waits};

/// A cell of the table.
type Cell<T> = (&'static str, T);

/// A situation.
pub struct Situation {
    /// Its name.
    pub name: String,
    /// It changes the shell for good, so it has a session of its own.
    pub own: bool,
    /// What is typed, in order.
    pub steps: Vec<Step>,
    /// Who does not have it, and why.
    pub absent: &'static [Cell<&'static str>],
}

/// A command and what it comes to.
#[derive(Default)]
pub struct Step {
    /// What is typed. Who has no words here leaves the step out.
    pub line: Vec<Cell<String>>,
    /// The output; `{n}` is any number. None is nothing.
    pub output: Vec<Cell<String>>,
    /// How it ends; status 0 where it is not said.
    pub end: Vec<Cell<End>>,
    /// The working directory behind it; empty where none is told.
    pub cwd: Vec<Cell<&'static str>>,
    /// How long is waited.
    pub wait_s: u32,
    /// Cells that are not what one would wish, and why.
    pub notes: &'static [Cell<&'static str>],
}

impl Step {
    fn end<const N: usize>(mut self, cells: [Cell<End>; N]) -> Self {
        self.end = cells.to_vec();
        self
    }

    fn wait(mut self, wait_s: u32) -> Self {
        self.wait_s = wait_s;
        self
    }

    fn cwd(self, cwd: &'static str) -> Self {
        self.cwds([("all", cwd)])
    }

    fn cwds<const N: usize>(mut self, cells: [Cell<&'static str>; N]) -> Self {
        self.cwd = cells.to_vec();
        self
    }

    fn note(mut self, notes: &'static [Cell<&'static str>]) -> Self {
        self.notes = notes;
        self
    }
}

fn owned<const N: usize>(cells: [Cell<&str>; N]) -> Vec<Cell<String>> {
    cells.map(|(who, text)| (who, text.to_owned())).to_vec()
}

/// A step with its words for each shell.
fn step<const N: usize, const M: usize>(line: [Cell<&str>; N], output: [Cell<&str>; M]) -> Step {
    Step { line: owned(line), output: owned(output), wait_s: 20, ..Step::default() }
}

/// The same words and the same output everywhere.
fn all(line: &str, output: &str) -> Step {
    step([("all", line)], [("all", output)])
}

fn situation<const N: usize>(name: &str, steps: [Step; N]) -> Situation {
    Situation { name: name.to_owned(), own: false, steps: steps.into(), absent: &[] }
}

/// One with a session of its own.
fn own<const N: usize>(name: &str, steps: [Step; N]) -> Situation {
    Situation { own: true, ..situation(name, steps) }
}

fn but(situation: Situation, absent: &'static [Cell<&'static str>]) -> Situation {
    Situation { absent, ..situation }
}

/// All of them, in the order in which they are played.
pub fn situations() -> Vec<Situation> {
    [results(), looks_like_a_prompt(), texts(), long_lines(), several_lines(), kept(), options(), prompts(), endings()]
        .into_iter()
        .flatten()
        .collect()
}

fn results() -> Vec<Situation> {
    vec![
        situation("plain", [all("echo hello", "hello\n")]),
        situation("nothing at all", [all("true", "")]),
        situation("a false command", [all("false", "").end([("all", Done(1))])]),
        situation("the status of a program", [all("sh -c 'exit 7'", "").end([("all", Done(7))])]),
        situation("the status of a subshell", [step([("all", "(exit 5)"), ("fish", "fish -c 'exit 5'")], []).end([("all", Done(5))])]),
        situation(
            "the status of a program that a signal ended",
            [step(
                [("all", "sh -c 'kill -9 $$'")],
                [
                    ("all", "Killed\n"),
                    ("zsh", "zsh: killed     sh -c 'kill -9 $$'\n"),
                    ("fish", "fish: Job 1, 'sh -c 'kill -9 $$'' terminated by signal SIGKILL (Forced quit)\n"),
                    ("mksh", "Killed \n"),
                ],
            )
            .end([("all", Done(137)), ("ksh93", Done(265))])],
        ),
        situation(
            "an unknown command",
            [step(
                [("all", "jft-no-such")],
                [
                    ("bash", "-bash: jft-no-such: command not found\n"),
                    ("zsh", "zsh: command not found: jft-no-such\n"),
                    ("fish", "fish: Unknown command: jft-no-such\n"),
                    ("dash", "-dash: {n}: jft-no-such: not found\n"),
                    ("ash", "-ash: jft-no-such: not found\n"),
                    ("ksh93", "-ksh93: jft-no-such: not found\n"),
                    ("mksh", "E: mksh: jft-no-such: inaccessible or not found\n"),
                    ("tcsh", "jft-no-such: Command not found.\n"),
                ],
            )
            .end([("all", Done(127)), ("tcsh", Done(1))])],
        ),
        situation(
            "standard error",
            [step(
                [("all", "echo out; echo err >&2; echo out"), ("csh", "echo out; sh -c 'echo err >&2'; echo out")],
                [("all", "out\nerr\nout\n")],
            )],
        ),
        situation("no final newline", [all("printf x", "x"), all("printf 'a\\nb'", "a\nb")]),
        situation("silence", [all("echo a; sleep 3; echo b", "a\nb\n")]),
        situation(
            "a megabyte",
            [Step {
                output: vec![("all", "0123456789012345678901234567890123456789012345678\n".repeat(19_900))],
                ..all("sh -c 'yes 0123456789012345678901234567890123456789012345678 | head -n 19900'", "")
            }
            .wait(45)],
        ),
    ]
}

fn looks_like_a_prompt() -> Vec<Situation> {
    vec![
        situation(
            "rows that look like prompts",
            [all(r"printf 'root@host:~# \nrouter#\nPassword:\n--More--\ndone\n'", "root@host:~# \nrouter#\nPassword:\n--More--\ndone\n")],
        ),
        situation("a root prompt, then a pause", [all("printf 'root@host:~# '; sleep 2; echo tail", "root@host:~# tail\n")]),
        situation("a router's prompt, then a pause", [all("printf 'router#'; sleep 2; echo tail", "router#tail\n")]),
        situation("a password question, then a pause", [all("printf 'Password: '; sleep 2; echo tail", "Password: tail\n")]),
        situation("a pager's marker, then a pause", [all("printf %s --More--; sleep 2; echo tail", "--More--tail\n")]),
        situation("the shell's own prompt", [all("printf '%s\\n' '{prompt}'", "{prompt}\n")]),
        situation("the shell's own prompt, then a pause", [all("printf %s '{prompt}'; sleep 2; echo tail", "{prompt}tail\n")]),
        situation(
            "the prompt in a row of its own, then a pause",
            [all("printf '\\n%s' '{prompt}'; sleep 2; echo tail", "\n{prompt}tail\n")],
        ),
        situation(
            "foreign marks",
            [all(
                r"printf '\033]133;D;9;ffffffffffffffff;/\007\033]133;A;ffffffffffffffff\007$ \033]133;B\007'; sleep 2; echo tail",
                "$ tail\n",
            )],
        ),
        situation("an unfinished line's prompt, then a pause", [all("printf '> '; sleep 2; echo tail", "> tail\n")]),
    ]
}

fn texts() -> Vec<Situation> {
    vec![
        situation("blank rows and spaces", [all(r"printf '\n\n  x  \n\n'", "\n\n  x  \n\n")]),
        situation("spaces in the line", [all("echo 'a   b'   'c  '", "a   b c  \n")]),
        situation("UTF-8 in the output", [all(r"printf '\303\244\303\266 \342\202\254 \346\227\245\n'", "äö € 日\n")]),
        situation("UTF-8 in the line", [all("echo 'äöü € 日本'", "äöü € 日本\n")]),
        situation("a tab in the output", [all(r"printf 'a\tb\n'", "a\tb\n")]),
        situation(
            "a tab in the line",
            [step([("all", "echo 'a\tb'")], [("posix", "a\tb\n"), ("fish", "ab\n"), ("plain-sh", ""), ("ksh93", ""), ("csh", "")])
                .end([
                    ("posix", Done(0)),
                    ("fish", Done(0)),
                    ("plain-sh", Refused("\\t")),
                    ("ksh93", Refused("\\t")),
                    ("csh", Refused("\\t")),
                ])
                .note(&[("fish", "fish's editor drops a pasted tab")])],
        ),
        situation(
            "quotes and backslashes",
            [step(
                [
                    ("all", r#"printf '%s\n' "it's" 'say "x"' 'back\slash' '$HOME' '`x`' '*'"#),
                    ("fish", r#"printf '%s\n' "it's" 'say "x"' 'back\slash' '$HOME' '`x`' '*'"#),
                ],
                [("all", "it's\nsay \"x\"\nback\\slash\n$HOME\n`x`\n*\n")],
            )],
        ),
        situation("an exclamation mark", [all("echo 'wow!' a!b", "wow! a!b\n")]),
        situation("colours are taken out", [all(r"printf '\033[31mred\033[0m\n'", "red\n")]),
        situation("a comment", [step([("all", "echo a # b"), ("zsh", "echo a"), ("csh", "echo a")], [("all", "a\n")])]),
    ]
}

fn long_lines() -> Vec<Situation> {
    let long = |length: usize| {
        let text = "x".repeat(length);
        Step { line: vec![("all", format!("echo {text}"))], output: vec![("all", format!("{text}\n"))], wait_s: 20, ..Step::default() }
    };
    // Debian's busybox takes 1,023 bytes and would run what is left of a longer line; ksh93 draws one as no echo can be told.
    let short = |mut step: Step| {
        step.output.push(("ash", String::new()));
        step.end.push(("ash", Refused("takes 1023")));
        step.output.push(("ksh93", String::new()));
        step.end.push(("ksh93", Refused("takes 1000")));
        step
    };
    vec![
        situation("a line of 500 characters", [long(495)]),
        situation("a line of 1,000 characters", [long(995)]),
        situation("a line of 1,500 characters", [short(long(1_495))]),
        situation("a line of 2,500 characters", [short(long(2_495))]),
        situation("a line of 4,000 characters", [short(long(3_995))]),
        situation(
            "a line of 5,000 characters",
            [{
                let mut step = short(long(4_995));
                for who in ["plain-sh", "csh"] {
                    step.output.push((who, String::new()));
                    step.end.push((who, Refused("takes 4094")));
                }
                step
            }],
        ),
    ]
}

fn several_lines() -> Vec<Situation> {
    vec![
        situation("several lines", [all("echo one\necho two\nsh -c 'exit 3'", "one\ntwo\n").end([("all", Done(3))])]),
        situation("several lines with silence", [all("echo one\nsleep 1\nprintf two\nsleep 1\necho three", "one\ntwothree\n")]),
        situation(
            "a here-document",
            [step(
                [("all", "cat << EOF\nline 1\n  two\nlast\nEOF"), ("fish", "echo 'line 1\n  two\nlast'")],
                [("all", "line 1\n  two\nlast\n")],
            )
            .note(&[("fish", "fish has no here-documents; a quoted text of several rows is its way")])],
        ),
        situation(
            "a loop",
            [step(
                [
                    ("posix", "for i in 1 2 3\ndo\n  echo \"n $i\"\ndone"),
                    ("fish", "for i in 1 2 3\n  echo \"n $i\"\nend"),
                    ("csh", "foreach i (1 2 3)\necho \"n $i\"\nend"),
                ],
                [("all", "n 1\nn 2\nn 3\n")],
            )],
        ),
        situation(
            "a condition",
            [step(
                [
                    ("posix", "if true; then\n  echo yes\nelse\n  echo no\nfi"),
                    ("fish", "if true\n  echo yes\nelse\n  echo no\nend"),
                    ("csh", "if (1) then\n  echo yes\nelse\n  echo no\nendif"),
                ],
                [("all", "yes\n")],
            )],
        ),
        situation(
            "a function",
            [step(
                [
                    ("posix", "f() {\n  echo \"in f $1\"\n  return 4\n}\nf x"),
                    ("fish", "function f\n  echo \"in f $argv[1]\"\n  return 4\nend\nf x"),
                    ("csh", "alias f 'echo in f x; sh -c \"exit 4\"'\nf"),
                ],
                [("all", "in f x\n")],
            )
            .end([("all", Done(4))])],
        ),
        situation("a backslash at the end of a row", [all("echo a \\\nb", "a b\n")]),
    ]
}

fn kept() -> Vec<Situation> {
    vec![
        situation("a directory is kept", [all("cd /usr/lib", "").cwd("/usr/lib"), all("pwd", "/usr/lib\n").cwd("/usr/lib")]),
        situation(
            "a variable is kept",
            [step([("posix", "kept=v1"), ("fish", "set kept v1"), ("csh", "set kept=v1")], []), all("echo \"[$kept]\"", "[v1]\n")],
        ),
        situation(
            "a directory with a space and a semicolon",
            [
                all("mkdir -p '/tmp/jft a;b'", ""),
                all("cd '/tmp/jft a;b'", "").cwd("/tmp/jft a;b"),
                all("pwd", "/tmp/jft a;b\n").cwd("/tmp/jft a;b"),
            ],
        ),
        situation(
            "a directory whose name would end a mark early",
            [
                all("printf '/tmp/jft-bell\\al' | xargs mkdir -p", ""),
                all("cd /tmp/jft-bell*l", "").cwd(""),
                all("echo usable", "usable\n").cwd(""),
                step([("all", "cd /")], [("all", ""), ("fish", "l")])
                    .cwd("/")
                    .note(&[("fish", "the title fish writes itself ends early at the name's bell; a terminal shows the rest")]),
            ],
        ),
        situation(
            "a directory with signs and umlauts",
            [
                all("mkdir -p '/tmp/jft %s \\x $HOME ü'", ""),
                all("cd '/tmp/jft %s \\x $HOME ü'", "")
                    .cwds([("all", "/tmp/jft %s \\x $HOME ü"), ("ash", "/tmp/jft %s ? $HOME ü")])
                    .note(&[("ash", "a backslash in the directory's name means something to its prompt")]),
                all("cd /", "").cwd("/"),
            ],
        ),
        situation(
            "a job in the background that prints later",
            [
                step(
                    [("all", "sh -c 'sleep 4; echo late' &"), ("posix", "(sleep 4; echo late) &")],
                    [
                        ("all", ""),
                        ("bash", "[1] {n}\n"),
                        ("zsh", "[1] {n}\n"),
                        ("ksh93", "[1]\t{n}\n"),
                        ("mksh", "[1] {n}\n"),
                        ("csh", "[1] {n}\n"),
                    ],
                ),
                all("echo now", "now\n"),
                step(
                    [("all", "sleep 6; echo then")],
                    [
                        ("bash", "late\n[1]+  Done                    ( sleep 4; echo late )\nthen\n"),
                        ("zsh", "late\n[1]  + done       ( sleep 4; echo late; )\nthen\n"),
                        ("fish", "late\nthen\n\nfish: Job 1, 'sh -c 'sleep 4; echo late' &' has ended\n"),
                        ("dash", "late\nthen\n[1] + Done                       (sleep 4; echo late)\n"),
                        ("ash", "late\nthen\n[1]+  Done                       (sleep 4; echo late)\n"),
                        ("mksh", "late\nthen\n[1] + Done                 ( \\sleep 4 ; \\echo late )\n"),
                        ("ksh93", "late\nthen\n[1] +  Done                    (sleep 4; echo late) &\n"),
                        ("csh", "late\nthen\n[1]  + Done                          sh -c sleep 4; echo late\n"),
                    ],
                ),
            ],
        ),
    ]
}

/// It gives a program the terminal through standard error.
const NO_TERMINAL: &str = "ksh93 can start no program while its standard error is no terminal";

/// What tcsh says of jackfield's own line.
const TRACED: &str = "printf \\033]133\\073D\\073%s\\073{n}\\073\\073%s//\\007 0 /var/lib/jft-t-tcsh\n";

fn options() -> Vec<Situation> {
    vec![
        but(
            own(
                "functions of the caller's own",
                [
                    step([("posix", "printf() { echo mine; }"), ("fish", "function printf; echo mine; end")], []),
                    all("echo a; sh -c 'exit 3'", "a\n").end([("all", Done(3))]),
                    all("printf x", "mine\n"),
                ],
            ),
            &[("csh", "it has none"), ("mksh", "its printf is a program, which its functions replace in our parts too")],
        ),
        but(
            own(
                "variables with short names",
                [
                    step([("posix", "n=1 e=2 g=3 l=4 r=5 m=6 h=7")], []),
                    step([("posix", "PS1='new> '")], []).end([("plain-sh", Guessed)]),
                    all("echo \"[$n$e$g$l$r$m$h]\"", "[1234567]\n"),
                ],
            ),
            &[("fish", "it has other words for variables"), ("csh", "it has other words for variables")],
        ),
        but(
            own(
                "a directory that is too long for a mark",
                [
                    step(
                        [(
                            "posix",
                            "for i in 1 2 3 4 5 6 7 8; do d=/tmp/jft-long$(printf '/%0199d' 1 2 3 4 5 6); done; mkdir -p $d && cd $d",
                        )],
                        [],
                    ),
                    all("sh -c 'exit 3'", "").end([("all", Done(3))]),
                    all("pwd | wc -c", "1214\n"),
                    all("cd /", "").cwd("/"),
                ],
            ),
            &[("fish", "it has other words for it"), ("csh", "it has other words for it")],
        ),
        but(
            own(
                "standard error goes to a file",
                [
                    all("exec 2>~/jft-errors", ""),
                    all("echo a; sh -c 'exit 3'", "a\n").end([("all", Done(3)), ("ksh93", Done(126))]).note(&[("ksh93", NO_TERMINAL)]),
                    all("cd /usr; pwd", "/usr\n").cwd("/usr"),
                    all("exec 2>/dev/tty", ""),
                    all("sh -c 'echo b >&2; exit 3'", "b\n").end([("all", Done(3))]),
                    all("exec 2>>~/jft-errors; (exit 6)", "").end([("all", Done(6))]),
                    all("(exit 4)", "").end([("all", Done(4))]),
                ],
            ),
            &[("fish", "it has no such words"), ("csh", "it has no such words")],
        ),
        but(
            own(
                "a trap on each command",
                [
                    step([("bash", "trap 'echo DBG' DEBUG")], []),
                    all("echo b", "DBG\nb\n"),
                    all("sh -c 'exit 3'", "DBG\n").end([("all", Done(3))]),
                    all("trap - DEBUG", "DBG\n"),
                ],
            ),
            &[
                ("zsh", "it runs for each part of our functions too"),
                ("fish", "it has none"),
                ("csh", "it has none"),
                ("plain-sh", "it has none"),
                ("ksh93", "it has none"),
            ],
        ),
        but(
            own(
                "a trap on each failure",
                [
                    step([("bash", "trap 'failures=$((failures+1))' ERR")], []),
                    all("sh -c 'exit 3'", "").end([("all", Done(3))]),
                    all("echo $failures", "1\n"),
                ],
            ),
            &[
                ("zsh", "its trap has another name"),
                ("fish", "it has none"),
                ("csh", "it has none"),
                ("plain-sh", "not all of them have it"),
                ("ksh93", "nothing is run before its prompt"),
            ],
        ),
        but(
            own(
                "readonly variables with short names",
                [
                    step([("posix", "readonly a=1 b=1 c=1 d=1 e=1 m=1 p=1 q=1 v=1 x=1 z=1")], []),
                    all("echo on", "on\n"),
                    all("printf x; sh -c 'exit 3'", "x").end([("all", Done(3))]),
                ],
            ),
            &[("fish", "it has no such words"), ("csh", "it has no such words")],
        ),
        but(
            own("a failing command after set -e", [all("set -e", ""), all("echo a", "a\n"), all("false", "").end([("all", Closes(1))])]),
            &[("fish", "fish has no such option"), ("csh", "it can only be given when csh starts")],
        ),
        own(
            "commands are traced",
            [
                step([("posix", "set -x"), ("fish", "set fish_trace 1"), ("csh", "set echo")], [("csh", TRACED)])
                    .note(&[("csh", "the trace of the line that prints the mark comes before the mark")]),
                step(
                    [("all", "echo a")],
                    [
                        ("posix", "+ echo a\na\n"),
                        ("bash-theme", "++ last_started='echo a'\n+ echo a\na\n"),
                        ("zsh", "+-zsh:{n}> echo a\na\n"),
                        ("fish", "> echo a\na\n"),
                        ("csh", "echo a\na\nprintf \\033]133\\073D\\073%s\\073{n}\\073\\073%s//\\007 0 /var/lib/jft-t-tcsh\n"),
                    ],
                ),
                step(
                    [("posix", "set +x"), ("fish", "set -e fish_trace"), ("csh", "unset echo")],
                    [
                        ("posix", "+ set +x\n"),
                        ("bash-theme", "++ last_started='set +x'\n+ set +x\n"),
                        ("ksh93", ""),
                        ("zsh", "+-zsh:{n}> set +x\n"),
                        ("fish", "> set -e fish_trace\n"),
                        ("csh", "unset echo\n"),
                    ],
                ),
                all("echo a", "a\n"),
            ],
        ),
        but(
            own(
                "lines are shown as they are read",
                [
                    step([("posix", "set -v")], []),
                    step(
                        [("all", "echo a")],
                        [
                            ("posix", "a\n"),
                            ("bash-theme", "last_started=$BASH_COMMAND\na\n"),
                            ("plain-sh", "echo a\na\n"),
                            ("ksh93", "echo a\na\n"),
                        ],
                    ),
                    step(
                        [("all", "printf x; sh -c 'exit 3'")],
                        [
                            ("posix", "x"),
                            ("bash-theme", "last_started=$BASH_COMMAND\nxlast_started=$BASH_COMMAND\n"),
                            ("plain-sh", "printf x; sh -c 'exit 3'\nx"),
                            ("ksh93", "printf x; sh -c 'exit 3'\nx"),
                        ],
                    )
                    .end([("all", Done(3))]),
                    step(
                        [("all", "set +v")],
                        [("bash-theme", "last_started=$BASH_COMMAND\n"), ("plain-sh", "set +v\n"), ("ksh93", "set +v\n")],
                    ),
                    all("echo a", "a\n"),
                ],
            ),
            &[("fish", "it has no such option"), ("csh", "it has another word for it, and shows jackfield's own lines, too")],
        ),
        but(
            own("unset variables are errors", [all("set -u", ""), all("echo a", "a\n"), all("sh -c 'exit 2'", "").end([("all", Done(2))])]),
            &[("fish", "fish has no such option"), ("csh", "it is always so")],
        ),
        own(
            "the terminal does not echo",
            [
                all("stty -echo", ""),
                all("echo quiet", "quiet\n"),
                all("printf x; sh -c 'exit 6'", "x").end([("all", Done(6))]),
                all("stty echo", ""),
                all("echo loud", "loud\n"),
            ],
        ),
        own(
            "a dumb terminal",
            [
                step([("posix", "export TERM=dumb"), ("fish", "set -gx TERM dumb"), ("csh", "setenv TERM dumb")], []),
                all("echo a", "a\n"),
                all("printf x; sh -c 'exit 3'", "x").end([("all", Done(3))]),
            ],
        ),
        own(
            "another editor's keys",
            [
                step(
                    [
                        ("posix", "set -o vi"),
                        ("zsh", "bindkey -v"),
                        ("fish", "set -g fish_key_bindings fish_vi_key_bindings"),
                        ("csh", "bindkey -v"),
                        ("dash", "true"),
                    ],
                    [],
                ),
                all("echo a", "a\n"),
                all("printf x; sh -c 'exit 3'", "x").end([("all", Done(3))]),
            ],
        ),
    ]
}

/// The hook runs for the first time before anything can be put in front of it.
const FIRST: &str = "what the hook prints first is taken for output of the command that set it";
const REPLACED: &str = "the marks go with the prompt; the end is guessed once, then the shell is prepared again";
/// Nothing puts the marks of these shells round what becomes of the prompt.
const MOVED: &str = "what stands before the marks is taken for output once, then the shell is prepared again";

fn prompts() -> Vec<Situation> {
    let afterwards = || all("printf x; sh -c 'exit 3'", "x").end([("all", Done(3))]);
    let enter = || {
        // As virtual environments do it.
        let fish = r#"functions -c fish_prompt _old_fish_prompt; function fish_prompt; set -l s $status; echo -n '(env) '; echo "exit $s" | .; _old_fish_prompt; end"#;
        let csh = r#"set jft_old="$prompt"; set prompt="(env) $prompt""#;
        step([("posix", ". ./jft-env"), ("fish", fish), ("csh", csh)], [("plain-sh", "(env) "), ("mksh", "")])
            .end([("plain-sh", Told(0)), ("mksh", Guessed)])
            .note(&[("plain-sh", MOVED)])
    };
    vec![
        own(
            "another prompt",
            [
                step([("posix", "PS1='new> '"), ("fish", "function fish_prompt; echo -n 'new> '; end"), ("csh", "set prompt='new> '")], [])
                    .end([("plain-sh", Guessed)])
                    .note(&[("plain-sh", REPLACED)]),
                all("echo a", "a\n"),
                afterwards(),
            ],
        ),
        own(
            "a text in front of the prompt, as a virtual environment has it",
            [
                step(
                    [
                        ("bash", "PS1=\"(b) $PS1\""),
                        ("zsh", "PS1=\"(b) $PS1\""),
                        ("dash", "PS1=\"(b) $PS1\""),
                        ("fish", "functions -c fish_prompt old_prompt; function fish_prompt; echo -n '(b) '; old_prompt; end"),
                    ],
                    [("dash", "(b) ")],
                )
                .end([("dash", Told(0))])
                .note(&[("dash", MOVED)]),
                all("echo a", "a\n"),
                afterwards(),
            ],
        ),
        own(
            "a prompt of two rows",
            [
                step(
                    [
                        ("posix", "PS1='top\nbottom> '"),
                        ("bash", "PS1='\\u top\\nbottom> '"),
                        ("fish", "function fish_prompt; echo top; echo -n 'bottom> '; end"),
                        ("csh", "set prompt='top\\nbottom> '"),
                    ],
                    [("plain-sh", "top\n")],
                )
                .end([("plain-sh", Guessed)])
                .note(&[("plain-sh", REPLACED)]),
                all("echo a", "a\n"),
                afterwards(),
            ],
        ),
        own(
            "no prompt",
            [
                step([("posix", "PS1="), ("fish", "function fish_prompt; end"), ("csh", "set prompt=''")], [])
                    .end([("plain-sh", Guessed)])
                    .note(&[("plain-sh", REPLACED)]),
                all("echo a", "a\n"),
                all("echo one\necho two", "one\ntwo\n"),
                step([("csh", "unset prompt")], []),
                step([("csh", "echo one\necho two")], [("csh", "one\ntwo\n")]),
                afterwards(),
            ],
        ),
        own(
            "an environment in the prompt, entered, left and entered again",
            [
                step([("posix", r#"printf '%s\n' 'jft_old=$'PS1 P'S1="(env) $'PS1'"' >jft-env"#)], []),
                enter(),
                all("echo a", "a\n"),
                afterwards(),
                step(
                    [
                        ("posix", "PS1=$jft_old"),
                        ("fish", "functions -e fish_prompt; functions -c _old_fish_prompt fish_prompt; functions -e _old_fish_prompt"),
                        ("csh", "set prompt=\"$jft_old\""),
                    ],
                    [],
                )
                .end([("plain-sh", Told(0)), ("mksh", Done(0))]),
                all("echo a", "a\n"),
                afterwards(),
                enter(),
                all("echo a", "a\n"),
                afterwards(),
            ],
        ),
        but(
            own(
                "a prompt that is not filled in",
                [
                    step([("bash", "shopt -u promptvars")], []),
                    all("echo a", "a\n"),
                    afterwards(),
                    step([("bash", "shopt -s promptvars")], []),
                    all("echo a", "a\n"),
                    afterwards(),
                ],
            ),
            &[
                ("zsh", "it fills in signs of its own, whatever is set"),
                ("fish", "its prompt is a function"),
                ("plain-sh", "it has no such option"),
                ("ksh93", "it has no such option"),
                ("csh", "it has no such option"),
            ],
        ),
        but(
            own(
                "a prompt at the right",
                [
                    step(
                        [("zsh", "RPROMPT='right'"), ("fish", "function fish_right_prompt; echo right; end"), ("csh", "set rprompt=right")],
                        [],
                    ),
                    all("echo a", "a\n"),
                    afterwards(),
                ],
            ),
            &[("bash", "it has none"), ("plain-sh", "it has none"), ("ksh93", "it has none")],
        ),
        but(
            own(
                "a hook before the prompt",
                [
                    step(
                        [
                            ("bash", "PROMPT_COMMAND='echo hooked'"),
                            ("zsh", "precmd() { echo hooked; }"),
                            ("fish", "function hook --on-event fish_prompt; echo hooked; end"),
                            ("csh", "alias precmd 'echo hooked'"),
                        ],
                        [("all", "hooked\n"), ("fish", "")],
                    )
                    .note(&[("bash", FIRST), ("zsh", FIRST), ("csh", FIRST)]),
                    step([("all", "echo a")], [("all", "a\n"), ("csh", "a\nhooked\n")])
                        .note(&[("csh", "nothing can stand before `precmd`")]),
                    step([("all", "printf x; sh -c 'exit 3'")], [("all", "x"), ("csh", "xhooked\n")]).end([("all", Done(3))]),
                    step([("csh", "unalias precmd")], []),
                ],
            ),
            &[("plain-sh", "it has none"), ("ksh93", "it has none")],
        ),
        but(
            own(
                "a prompt that is as it was is not looked through",
                [
                    step(
                        [("bash", r#"n=_; n=_${n}jfx; eval "jft$(declare -f $n); $n() { looked=\$((looked+1)); jft$n \"\$@\"; }""#)],
                        [("bash", "")],
                    ),
                    all("sh -c 'exit 3'", "").end([("all", Done(3))]),
                    all("cd /usr", "").cwd("/usr"),
                    all("echo \"<$looked>\"", "<>\n"),
                    all("export PS1", ""),
                    all("env | grep -c ^PS1", "0\n").end([("all", Done(1))]),
                    all("PS1='new> '", ""),
                    all("echo \"<$looked>\"", "<2>\n"),
                    afterwards(),
                ],
            ),
            &[
                ("bash-theme", "its theme makes the prompt anew each time"),
                ("zsh", "it is wrapped in another way"),
                ("fish", "it is wrapped in another way"),
                ("csh", "it is wrapped in another way"),
                ("plain-sh", "nothing wraps its prompt anew"),
                ("ksh93", "its variable wraps itself"),
            ],
        ),
        but(
            own(
                "a list of hooks before the prompt",
                [
                    step([("bash", "PROMPT_COMMAND=('echo hooked' 'printf again')")], [("bash", "hooked\nagain")])
                        .end([("all", Told(0))])
                        .note(&[("bash", FIRST)]),
                    step([("all", "echo a; (exit 4)")], [("all", "a\n")]).end([("all", Done(4))]),
                    step([("all", "PROMPT_COMMAND+=('echo third')")], [("all", "")]),
                    all("printf x", "x"),
                    step([("all", "PROMPT_COMMAND=('' 'echo other')")], [("all", "other\n")]).end([("all", Told(0))]),
                    all("echo a", "a\n"),
                    step([("all", "unset PROMPT_COMMAND; false")], [("all", "")]).end([("all", Told(1))]),
                    afterwards(),
                ],
            ),
            &[
                ("zsh", "it has lists of functions"),
                ("fish", "it has events"),
                ("csh", "it has one alias"),
                ("plain-sh", "it has none"),
                ("ksh93", "it has none"),
            ],
        ),
        but(
            own(
                "a hook added before the prompt",
                [
                    step(
                        [
                            ("bash", "PROMPT_COMMAND=\"${PROMPT_COMMAND:-true}; echo hooked\""),
                            ("zsh", "h() { echo hooked; }; precmd_functions+=(h)"),
                            ("fish", "function hook2 --on-event fish_prompt; echo hooked; end"),
                        ],
                        [("bash", "hooked\n"), ("bash-theme", "")],
                    )
                    .note(&[("bash", FIRST)]),
                    all("echo a", "a\n"),
                    afterwards(),
                ],
            ),
            &[("plain-sh", "it has none"), ("ksh93", "it has none"), ("csh", "it has one alias, not a list")],
        ),
    ]
}

fn endings() -> Vec<Situation> {
    vec![
        situation(
            "a quote that is not closed",
            [all("echo \"abc", "").end([("all", Refused("is not closed"))]), all("echo 'abc", "").end([("all", Refused("is not closed"))])],
        ),
        situation(
            "a bracket that nothing has opened",
            [step(
                [("all", "echo )")],
                [
                    ("bash", "-bash: syntax error near unexpected token `)'\n"),
                    ("zsh", "zsh: parse error near `)'\n"),
                    ("fish", "fish: Unexpected ')' for unopened parenthesis\necho )\n     ^\n"),
                    ("dash", "-dash: {n}: Syntax error: \")\" unexpected\n"),
                    ("ash", "-ash: syntax error: unexpected \")\"\n"),
                    ("ksh93", "-ksh93: syntax error: `)' unexpected\n"),
                    ("mksh", "E: mksh: syntax error: unexpected ')'\n"),
                    ("csh", "Too many )'s.\n"),
                ],
            )
            .end([
                ("bash", Done(2)),
                ("fish", Done(127)),
                ("dash", Done(2)),
                ("ash", Done(2)),
                ("ksh93", Done(3)),
                ("all", Done(1)),
            ])],
        ),
        situation(
            "a command that reads",
            [step([("posix", "read x"), ("fish", "read x"), ("csh", "set x = $<")], [("fish", "read> ")]).end([("all", Waits)]).wait(2)],
        ),
        situation("a program that reads", [all("cat", "").end([("all", Waits)]).wait(2)]),
        situation("a long sleep is stopped", [all("sleep 300", "").end([("all", Waits)]).wait(1)]),
        own(
            "the shell is left",
            [step([("all", "exit 3")], [("all", ""), ("bash", "logout\n"), ("csh", "logout\n")]).end([("all", Closes(3))])],
        ),
        own("the shell is killed", [all("sh -c 'kill -9 $PPID'; sleep 9", "").end([("all", Lost)])]),
    ]
}
