//! Is the program ready? Its prompt, after a silence that is short where it was seen before, and what to type at the first one.

use jackfield_plugin::{PromptReport, Reading, Ready, View, mode, settle};

use crate::changes::sets_prompt;
use crate::programs::{self, Named, Program};

/// Silence behind the first prompt of a program that was just started, behind those that follow, behind one that its own
/// command may have changed, and behind a row that asks for the rest.
const FIRST_MS: u32 = 300;
const KNOWN_MS: u32 = 50;
const CHANGED_MS: u32 = 1_000;
const REST_MS: u32 = 150;
/// Silence behind the known prompt in a row that begins with something else: what the line printed without a newline, or a text
/// that only ends like the prompt, behind which the program goes on or reads. One or two signs end many a text.
const BEHIND_MS: u32 = 1_500;
const BEHIND_SHORT_MS: u32 = 5_000;
const SHORT_BYTES: usize = 2;

/// The memo of a program whose line editor takes pasted text in brackets: it takes them off for the time of a command, so its
/// prompt is none as long as they are.
const EDITOR: &str = "editor";

/// The text of the send `gdb_lines`.
const LINES: &str = "set editing off";

/// Modes of shells, from where a program is started.
const SHELLS: &[&str] = &[mode::SHELL, mode::REMOTE_SHELL, mode::TCSH, "unknown"];

/// The verdict, and the memo for the next question.
pub(crate) fn inspect(view: &View) -> PromptReport {
    let pasted = view.takes_paste();
    let memo = view.memo_text();
    match programs::of_mode(&view.mode) {
        Some(named) => {
            // What is typed at its first prompt may take the editor away.
            let memo = if view.phase == "setup" && !pasted { "" } else { memo };
            let busy = memo == EDITOR && !pasted;
            PromptReport::new(if busy { Reading::NotYet } else { inside(view, named) }, memo)
        }
        None => {
            let entered = SHELLS.contains(&view.mode.as_str()) && matches!(view.phase.as_str(), "running" | "goal") && view.echoed;
            let reading = if entered { first(view) } else { Reading::NotYet };
            PromptReport::new(reading, if pasted { EDITOR } else { "" })
        }
    }
}

/// The send to type at the program's first prompt, one after the other, if there is one.
pub(crate) fn prepare(at: &Ready, view: &View) -> Option<&'static str> {
    if at.mode != "gdb" || at.prompt.trim_ascii() != "(gdb)" {
        return None;
    }
    match view.command.as_str() {
        "" if view.takes_paste() => Some("gdb_lines"),
        LINES => Some("gdb_pages"),
        _ => None,
    }
}

/// The prompt of a program that the line has started.
fn first(view: &View) -> Reading {
    match programs::started(&view.command) {
        Some((program, mode)) if is_prompt(view, program) && (!view.tail.is_empty() || view.takes_paste()) => {
            settle::at_least(view, FIRST_MS, || ready(view, mode, "pattern"))
        }
        _ => Reading::NotYet,
    }
}

/// The next prompt of the program.
fn inside(view: &View, (program, mode): Named) -> Reading {
    if !view.echoed {
        return Reading::NotYet;
    }
    if view.tail.is_empty() && view.memo_text() != EDITOR {
        return Reading::NotYet;
    }
    // A line editor may fill the row up with spaces, and takes none away.
    let fits = |before: &str| view.tail.len() >= before.len() && before.trim_ascii_end() == view.tail.trim_ascii_end();
    let same = view.prompt.as_deref().is_some_and(fits);
    if same || is_prompt(view, program) {
        return settle::at_least(view, KNOWN_MS, || ready(view, mode, "learned"));
    }
    if program.rests().any(|rest| view.hit(&rest).is_some()) {
        return settle::at_least(view, REST_MS, || Reading::Incomplete(rest(mode)));
    }
    // One program may start another: a debugger, a client.
    if let Some((_, other)) = programs::started(&view.command).filter(|(other, _)| is_prompt(view, other)) {
        return settle::at_least(view, FIRST_MS, || ready(view, other, "pattern"));
    }
    if sets_prompt(mode, &view.command) && !view.tail.trim_ascii().is_empty() {
        return settle::at_least(view, CHANGED_MS, || ready(view, mode, "pattern"));
    }
    if let Some(known) = behind_output(view) {
        let wait_ms = match known.trim_ascii().len() {
            // Its brackets are on again, so it reads.
            _ if view.memo_text() == EDITOR => FIRST_MS,
            0..=SHORT_BYTES => BEHIND_SHORT_MS,
            _ => BEHIND_MS,
        };
        return settle::at_least(view, wait_ms, || ready_at(known, mode, "learned"));
    }
    Reading::NotYet
}

/// The known prompt at the end of a row that begins with something else. An empty one is told by the editor alone.
fn behind_output(view: &View) -> Option<&str> {
    let known = view.prompt.as_deref().filter(|known| !known.trim_ascii().is_empty() || view.memo_text() == EDITOR)?;
    let before = view.tail.strip_suffix(known)?;
    let typed = view.command.lines().next_back().unwrap_or_default();
    let is_echo = !typed.is_empty() && view.tail.ends_with(typed);
    (!before.is_empty() && !is_echo).then_some(known)
}

fn is_prompt(view: &View, program: &Program) -> bool {
    program.prompts.iter().any(|prompt| view.hit(prompt).is_some())
}

/// What is missing, with what ends it.
fn rest(mode: &str) -> String {
    let end = match mode {
        "python" | "ipython" => "a block ends with an empty line, so end the command with a newline",
        "psql" | "sqlite" | "mysql" => "a statement ends with `;`",
        _ => "a bracket, a quote or a block is open",
    };
    format!("{mode} waits for the rest; {end}")
}

fn ready(view: &View, mode: &str, proof: &str) -> Reading {
    ready_at(&view.tail, mode, proof)
}

fn ready_at(prompt: &str, mode: &str, proof: &str) -> Reading {
    Reading::Ready(Ready {
        prompt: prompt.to_owned(),
        mode: mode.to_owned(),
        privileged: false,
        status: None,
        cwd: None,
        proof: proof.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;
    use jackfield_plugin::{Fact, Reading, Ready, View};

    use super::{inspect, prepare};

    fn view(mode: &str, command: &str, tail: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        (view.phase, view.mode, view.command) = ("running".to_owned(), mode.to_owned(), command.to_owned());
        (view.echoed, view.quiet_ms) = (true, 60_000);
        view
    }

    fn ready(view: &View) -> Ready {
        match inspect(view).reading {
            Reading::Ready(ready) => ready,
            other => panic!("{:?} {:?}: {other:?}", view.command, view.tail),
        }
    }

    #[test]
    fn a_program_is_entered_by_its_line_and_its_prompt() {
        for (command, tail, mode) in [
            ("python3", ">>> ", "python"),
            ("python3", "help> ", "python"),
            ("ipython", "In [1]: ", "ipython"),
            ("psql", "postgres=# ", "psql"),
            ("psql", "shop=> ", "psql"),
            ("psql", "shop=*> ", "psql"),
            ("psql", "!?> ", "psql"),
            ("sqlite3", "sqlite> ", "sqlite"),
            ("mysql", "mysql> ", "mysql"),
            ("mariadb -u x", "MariaDB [(none)]> ", "mysql"),
            ("redis-cli", "127.0.0.1:6379> ", "redis"),
            ("redis-cli -s /run/x", "redis /run/x> ", "redis"),
            ("redis-cli", "not connected> ", "redis"),
            ("gdb", "(gdb) ", "gdb"),
            ("node", "> ", "node"),
            ("php -a", "php > ", "php"),
            ("perl -d x.pl", "  DB<1> ", "perldb"),
            ("perl -de 0", "  DB<<2>> ", "perldb"),
            ("sftp web2", "sftp> ", "sftp"),
            ("swipl", "?- ", "swipl"),
            ("maxima", "(%i1) ", "maxima"),
            ("guestfish", "><fs> ", "guestfish"),
            ("bluetoothctl", "[bluetooth]# ", "bluetoothctl"),
            ("smbclient //nas/share", "smb: \\> ", "smbclient"),
            ("lftp nas", "lftp noc@nas:~> ", "lftp"),
            ("debugfs /dev/sda1", "debugfs:  ", "debugfs"),
            ("kadmin.local", "kadmin.local:  ", "kadmin.local"),
        ] {
            let mut view = view("shell", command, tail);
            assert_eq!((ready(&view).mode.as_str(), ready(&view).proof.as_str()), (mode, "pattern"), "{command}");
            view.quiet_ms = 0;
            assert_eq!(inspect(&view).reading, Reading::Settle(300));
        }
    }

    #[test]
    fn output_that_looks_like_a_prompt_is_none() {
        for (command, tail) in [
            ("cat notes", ">>> "),
            ("python3 x.py", ">>> "),
            ("printf 'mysql> '; sleep 9", "mysql> "),
            ("echo python3; printf '>>> '; sleep 9", ">>> "),
            ("python3", "sqlite> "),
            ("./x", "> "),
        ] {
            assert_eq!(inspect(&view("shell", command, tail)).reading, Reading::NotYet, "{command}");
        }
        let mut unseen = view("shell", "python3", ">>> ");
        unseen.echoed = false;
        assert_eq!(inspect(&unseen).reading, Reading::NotYet);
        assert_eq!(inspect(&view("privileged", "python3", ">>> ")).reading, Reading::NotYet);
    }

    #[test]
    fn inside_its_prompt_needs_little_silence() {
        let mut next = view("python", "print(1)", ">>> ");
        assert_eq!((ready(&next).mode.as_str(), ready(&next).proof.as_str()), ("python", "learned"));
        next.quiet_ms = 0;
        next.settle_ms = 20;
        assert_eq!(inspect(&next).reading, Reading::Settle(super::KNOWN_MS));
        assert_eq!(inspect(&view("python", "print('x')", "x")).reading, Reading::NotYet);
        // Its own prompt, whatever it looks like.
        let mut own = view("python", "1", "next! ");
        own.prompt = Some("next! ".to_owned());
        assert_eq!(ready(&own).proof, "learned");
        assert_eq!(ready(&view("python", "import sys; sys.ps1 = 'next! '", "next! ")).proof, "pattern");
        // What only speaks of prompts goes on.
        for command in ["model.generate(prompt)", "[(print('.', end='', flush=True), time.sleep(3)) for p in prompts]"] {
            assert_eq!(inspect(&view("python", command, "..")).reading, Reading::NotYet, "{command}");
        }
    }

    #[test]
    fn a_program_with_an_editor_is_busy_until_the_brackets_are_back() {
        let brackets = |value: &str| Fact { name: "bracketed-paste".to_owned(), value: value.to_owned() };
        let mut entered = view("shell", "psql", "shop=# ");
        entered.facts.push(brackets("on"));
        let memo = inspect(&entered).memo;
        let mut next = view("psql", "select '\\nshop=# '", "shop=# ");
        next.memo = memo;
        next.facts.push(brackets("off"));
        assert_eq!(inspect(&next).reading, Reading::NotYet);
        next.facts.pop();
        next.facts.push(brackets("on"));
        assert_eq!(ready(&next).mode, "psql");
    }

    #[test]
    fn an_empty_prompt_is_told_by_the_editor_alone() {
        let mut bc = view("shell", "bc -q", "");
        assert_eq!(inspect(&bc).reading, Reading::NotYet);
        bc.facts.push(Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
        assert_eq!(ready(&bc).mode, "bc");
        let mut next = view("bc", "2^10", "");
        next.prompt = Some(String::new());
        assert_eq!(inspect(&next).reading, Reading::NotYet);
        next.facts = bc.facts.clone();
        next.memo = inspect(&bc).memo;
        assert_eq!(ready(&next).proof, "learned");
    }

    #[test]
    fn behind_output_without_a_newline_stands_the_known_prompt() {
        let at = |mode: &str, command: &str, prompt: &str, tail: &str| {
            let mut view = view(mode, command, tail);
            view.prompt = Some(prompt.to_owned());
            view
        };
        for (mode, command, prompt, tail, wait_ms) in [
            ("python", "print('a', end='')", ">>> ", "a>>> ", super::BEHIND_MS),
            ("python", "print('>>> ', end='')", ">>> ", ">>> >>> ", super::BEHIND_MS),
            ("gdb", "printf \"hi\"", "(gdb) ", "hi(gdb) ", super::BEHIND_MS),
            ("mysql", "system printf x", "MariaDB [(none)]> ", "xMariaDB [(none)]> ", super::BEHIND_MS),
            ("lua", "io.write('a')", "> ", "a> ", super::BEHIND_SHORT_MS),
        ] {
            let mut view = at(mode, command, prompt, tail);
            assert_eq!((ready(&view).prompt.as_str(), ready(&view).proof.as_str()), (prompt, "learned"), "{tail}");
            view.quiet_ms = wait_ms - 1;
            assert_eq!(inspect(&view).reading, Reading::Settle(wait_ms), "{tail}");
        }
        for (command, prompt, tail) in [
            ("time.sleep(9)", ">>> ", "a>>> b"),
            ("x = '>>> ", ">>> ", ">>> x = '>>> "),
            ("1", "", "a"),
            ("echo (gdb) ", "(gdb) ", "x(gdb) y"),
        ] {
            assert_eq!(inspect(&at("python", command, prompt, tail)).reading, Reading::NotYet, "{tail}");
        }
    }

    #[test]
    fn an_editor_tells_its_prompt_behind_output_soon() {
        for (mode, command, prompt, tail) in [("bc", "print \"a\"", "", "a"), ("gdb", "printf \"hi\"", "(gdb) ", "hi(gdb) ")] {
            let mut view = view(mode, command, tail);
            (view.prompt, view.memo) = (Some(prompt.to_owned()), super::EDITOR.as_bytes().to_vec());
            assert_eq!(inspect(&view).reading, Reading::NotYet, "it is busy: {tail}");
            view.facts.push(Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
            assert_eq!(ready(&view).prompt, prompt);
            view.quiet_ms = 0;
            assert_eq!(inspect(&view).reading, Reading::Settle(super::FIRST_MS));
        }
        // The row is the echo of the line as long as that has not ended.
        let mut typed = view("bc", "print \"a\"", "print \"a\"");
        (typed.prompt, typed.memo) = (Some(String::new()), super::EDITOR.as_bytes().to_vec());
        typed.facts.push(Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
        assert_eq!(inspect(&typed).reading, Reading::NotYet);
    }

    #[test]
    fn an_editor_that_takes_several_lines_for_one_is_turned_off() {
        let mut first = view("shell", "gdb -q", "(gdb) ");
        let at = ready(&first);
        assert_eq!(prepare(&at, &first), None, "without an editor lines are read one by one");
        first.facts.push(Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
        // So it is asked: nothing is typed yet at this prompt.
        let memo = inspect(&first).memo;
        first.command.clear();
        assert_eq!(prepare(&at, &first), Some("gdb_lines"));
        for (mode, prompt) in [("psql", "shop=# "), ("gdb", "(lldb) ")] {
            let other = Ready { mode: mode.to_owned(), prompt: prompt.to_owned(), ..at.clone() };
            assert_eq!(prepare(&other, &first), None, "{mode}");
        }
        let mut next = view("gdb", "set editing off", "(gdb) ");
        (next.phase, next.memo) = ("setup".to_owned(), memo);
        next.facts.push(Fact { name: "bracketed-paste".to_owned(), value: "off".to_owned() });
        assert_eq!((ready(&next).mode.as_str(), inspect(&next).memo.as_slice()), ("gdb", b"".as_slice()));
        assert_eq!(prepare(&ready(&next), &next), Some("gdb_pages"));
        next.command = "set pagination off".to_owned();
        assert_eq!(prepare(&ready(&next), &next), None);
        // One that stays on is not told a second time.
        next.facts = first.facts;
        assert_eq!(prepare(&at, &next), None);
    }

    #[test]
    fn an_unfinished_input_says_what_ends_it() {
        for (mode, tail, word) in [
            ("python", "... ", "empty line"),
            // It has indented the row.
            ("python", "...   ", "empty line"),
            ("psql", "shop-# ", "`;`"),
            ("psql", "shop'# ", "`;`"),
            ("sqlite", "   ...> ", "`;`"),
            ("mysql", "    -> ", "`;`"),
            ("mysql", "    '> ", "`;`"),
            ("node", "... ", "bracket"),
            ("perldb", "  cont: ", "bracket"),
        ] {
            match inspect(&view(mode, "x", tail)).reading {
                Reading::Incomplete(text) => assert!(text.contains(word), "{text}"),
                other => panic!("{mode} {tail:?}: {other:?}"),
            }
        }
    }
}
