//! Prompts without marks: at login, in shells that were not integrated, in programs that run inside one that was.
//!
//! Only the last, unterminated row is looked at, and it must stay for a time that grows as the evidence gets weaker.

use jackfield_plugin::mode::{REMOTE_SHELL, SHELL};
use jackfield_plugin::text::{trim, trim_end};
use jackfield_plugin::{Reading, Ready, View, settle, text};

use crate::marks::Marks;
use crate::memory::{UNKNOWN, is_shell, mode_of};
use crate::started::{Started, started};
use crate::{asking, pager, prepare, prompt, words};

/// From the answer to the probe to the prompt, and the same where it is the prompt that was seen before.
const PROBED_MS: u32 = 300;
const PROBED_SAME_MS: u32 = 50;
/// A shell whose marks stand in its prompt alone loses them with it. Then its next prompt is told by the silence behind it,
/// where the line has set one.
const RENAMED_MS: u32 = 1_000;

/// The same where nothing tells a shell's prompt but the known one at its end, behind what a file that was run has put there.
const GROWN_MS: u32 = 3_000;

/// A line editor that asks for pasted text in brackets does so right before its prompt.
const EDITOR_MS: u32 = 150;
/// The same behind the login, where nothing else can have asked for brackets: it waits for the rest of a prompt that comes in pieces. Were a
/// part of one taken for the whole, the answer to the probe would still come from the shell that reads.
const FIRST_EDITOR_MS: u32 = 10;

/// How surely the row is a prompt by its look.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Look {
    /// User, host and directory, or another form that hardly anything but a shell prints.
    Shell,
    /// That of a router or of a program: `sw1#`, `mysql> `.
    Program,
    /// One sign and a space.
    Bare,
    /// Ends in a sign that prompts of taste end in.
    Sign,
}

/// Judges a row that no mark speaks about. `known` says that the session's own shell prints marks.
pub(crate) fn inspect(view: &View, known: bool) -> Reading {
    if view.phase == "setup" && Marks::read(&view.marks).shell.is_some() {
        // The shell has answered the probe, so its prompt follows, whatever it looks like.
        let known_row = view.prompt.as_deref().is_some_and(|before| !trim(before).is_empty() && same_row(before, &view.tail));
        if known_row && view.takes_paste() {
            // The shell took the brackets off with the probe's line. They are on again and its prompt stands: it reads.
            return ready(view, mode_of(view), "pattern");
        }
        let wait_ms = if known_row { PROBED_SAME_MS } else { PROBED_MS };
        return shell_after(view, wait_ms);
    }
    if view.phase == "setup" && view.echoed && prepare::unmarks(&view.command) {
        return shell_after(view, PROBED_MS);
    }
    // A program with a prompt of its own, which another plugin reads.
    if !matches!(view.mode.as_str(), "" | UNKNOWN) && !is_shell(&view.mode) {
        return Reading::NotYet;
    }
    // What is prepared again has lost its marks.
    let known = known && view.phase != "setup";
    if known
        && is_shell(&view.mode)
        && let Some(wait_ms) = replaced(view)
    {
        return shell_after(view, wait_ms);
    }
    if trim(&view.tail).is_empty() || asking::question(view).is_some() || pager::page(view).is_some() {
        return Reading::NotYet;
    }
    let first = view.phase == "login";
    if !first && !view.echoed {
        return Reading::NotYet;
    }
    if let Some(before) = view.prompt.as_deref().filter(|before| !trim(before).is_empty() && same_row(before, &view.tail)) {
        return learned(view, known, before);
    }
    if !first && is_rest(view, known) {
        return settle::at_least(view, 300, || Reading::Incomplete(prompt::rest(&view.tail)));
    }
    // With a line editor's brackets a text at the right shows a prompt, whatever the one at the left ends in.
    let with_right = || (first && view.takes_paste() && view.hit("right").is_some()).then_some(Look::Sign);
    let Some(look) = look(view).or_else(with_right) else { return Reading::NotYet };
    if look == Look::Program && is_shell(&view.mode) && started(&view.command) == Started::Nothing {
        return Reading::NotYet;
    }
    if first && view.takes_paste() && look == Look::Shell {
        // The line's round trip is not known yet, but the editor and the look together need no more.
        return settle::after(view, FIRST_EDITOR_MS, || ready(view, SHELL, "pattern"));
    }
    let wait_ms = if known { nested(view, look) } else { Some(open(view, look)) };
    wait_ms.map_or(Reading::NotYet, |wait_ms| settle::at_least(view, wait_ms, || ready(view, mode(view, known, look), "pattern")))
}

/// The shell's own prompt, once the row has stayed.
#[inline(never)]
fn shell_after(view: &View, wait_ms: u32) -> Reading {
    settle::at_least(view, wait_ms, || ready(view, mode_of(view), "pattern"))
}

/// May the row be the shell's own prompt, which the line has made another one, without the marks? Then the silence that this takes.
pub(crate) fn replaced(view: &View) -> Option<u32> {
    if !view.echoed || !view.marks.is_empty() {
        return None;
    }
    let look = look(view);
    let emptied = trim(&view.tail).is_empty() && words::empties(&view.command, "PS1") || goes_elsewhere(view);
    let unseen = words::runs_unseen(&view.command);
    if emptied || look.is_some() && words::sets(&view.command, "PS1") || look == Some(Look::Shell) && unseen {
        return Some(RENAMED_MS);
    }
    (unseen && has_grown(view)).then_some(GROWN_MS)
}

/// Has the line sent the prompt elsewhere, marks and all? Where none come behind a line that takes no time, it is that.
pub(crate) fn goes_elsewhere(view: &View) -> bool {
    view.phase == "running" && trim(&view.tail).is_empty() && words::only_redirects(&view.command)
}

/// Is the row the known prompt with something before it?
pub(crate) fn has_grown(view: &View) -> bool {
    let known = view.prompt.as_deref().filter(|known| !trim(known).is_empty());
    known.is_some_and(|known| view.tail.len() > known.len() && view.tail.ends_with(known))
}

/// The very prompt that was accepted before. Where the shell prints marks, its own prompt cannot come without them: then
/// it is that of an inner shell, or output that looks alike.
fn learned(view: &View, known: bool, before: &str) -> Reading {
    if known && is_shell(&view.mode) {
        let inside = started(&view.command);
        return match look(view) {
            Some(look) if inside != Started::Nothing => {
                let wait_ms = if view.takes_paste() { EDITOR_MS } else { 1_000 };
                settle::at_least(view, wait_ms, || ready(view, entered(view, look, inside), "pattern"))
            }
            _ => Reading::NotYet,
        };
    }
    let wait_ms = if trim(before).len() < 3 { 200 } else { 50 };
    let mode = if is_shell(&view.mode) { mode_of(view) } else { mode(view, known, Look::Sign) };
    settle::at_least(view, wait_ms, || ready(view, mode, "learned"))
}

/// Is it the second row of a line that is not finished?
fn is_rest(view: &View, known: bool) -> bool {
    let inner = view.mode == UNKNOWN;
    if view.hit("program_rest").is_some() {
        return inner;
    }
    // A shell with marks has them in its continuation prompt too, so a bare `> ` is a program that just started.
    view.hit("rest").is_some() && (inner || !known)
}

fn look(view: &View) -> Option<Look> {
    let hit = |names: &[&str]| names.iter().any(|name| view.hit(name).is_some());
    if hit(&["user_host", "shell"]) {
        Some(Look::Shell)
    } else if hit(&["bare"]) {
        Some(Look::Bare)
    } else if hit(&["program"]) {
        Some(Look::Program)
    } else if hit(&["sign", "sign_right", "rest"]) {
        Some(Look::Sign)
    } else {
        None
    }
}

/// How long the row must stay where the shell prints no marks. After login a prompt that differs from the learned one is
/// suspicious, unless it is the same user's on the same host.
fn open(view: &View, look: Look) -> u32 {
    let login = matches!(view.phase.as_str(), "login" | "setup");
    match look {
        _ if view.phase == "login" && view.takes_paste() => EDITOR_MS,
        Look::Shell if login => 150,
        Look::Bare if login => 300,
        Look::Program | Look::Sign if login => 1_000,
        Look::Shell if !moved(view) => 300,
        Look::Shell => 1_000,
        Look::Bare | Look::Program | Look::Sign => 2_000,
    }
}

/// How long inside a shell with marks. There the absence of a mark says that the command still runs, so a look
/// counts only where the line has started something that may prompt.
fn nested(view: &View, look: Look) -> Option<u32> {
    if view.mode != UNKNOWN && started(&view.command) == Started::Nothing {
        return None;
    }
    match look {
        // The shell has taken the brackets off when it started the line. They are on again: a line editor waits.
        _ if view.takes_paste() => Some(EDITOR_MS),
        Look::Shell | Look::Program | Look::Bare => Some(500),
        Look::Sign => Some(1_000),
    }
}

/// `shell` only where it is proven one: the operator has said so of the first prompt, a shell that was not left stays one, and
/// so does what a line has started that names one.
fn mode(view: &View, known: bool, look: Look) -> &'static str {
    if matches!(view.phase.as_str(), "login" | "setup") {
        return if known { UNKNOWN } else { mode_of(view) };
    }
    if !is_shell(&view.mode) {
        return UNKNOWN;
    }
    // What the line starts is read last: that takes longer than all the rest.
    if !known && !moved(view) {
        return mode_of(view);
    }
    match started(&view.command) {
        Started::Nothing if known => UNKNOWN,
        Started::Nothing => mode_of(view),
        inside => entered(view, look, inside),
    }
}

/// The mode behind a line that has started something with a prompt.
fn entered(view: &View, look: Look, inside: Started) -> &'static str {
    match inside {
        Started::Shell => mode_of(view),
        Started::ElsewhereShell => REMOTE_SHELL,
        Started::Elsewhere if shows_shell(view, look) => REMOTE_SHELL,
        Started::Elsewhere | Started::Nothing => UNKNOWN,
    }
}

/// Is it no router's prompt? Those show neither a directory nor a shell's name. Where they have a line editor that asks for brackets,
/// their prompts end in `#` or `>`.
fn shows_shell(view: &View, look: Look) -> bool {
    let row = trim_end(&view.tail);
    let shows_directory = look == Look::Shell && row.bytes().any(|byte| matches!(byte, b'~' | b'/'));
    let ends_as_shells_do = || row.ends_with(|sign: char| matches!(sign, '$' | '%') || !sign.is_ascii());
    shows_directory || view.hit("shell").is_some() || view.takes_paste() && ends_as_shells_do()
}

/// Does the new prompt speak for another user or host, or look different from the one before?
fn moved(view: &View) -> bool {
    let Some(before) = view.prompt.as_deref() else { return false };
    match view.hit("user_host") {
        Some(hit) => {
            let here = [hit.group("user").unwrap_or_default(), "@", hit.group("host").unwrap_or_default()].concat();
            !text::holds(before, &here)
        }
        None => trim(before) != trim(&view.tail),
    }
}

/// ksh fills the row with spaces when the window's size changes.
fn same_row(one: &str, other: &str) -> bool {
    trim_end(one) == trim_end(other)
}

/// The row with at most one space at its end.
fn one_space(row: &str) -> String {
    let text = trim_end(row);
    let space = if text.len() < row.len() { " " } else { "" };
    [text, space].concat()
}

fn ready(view: &View, mode: &str, proof: &str) -> Reading {
    Reading::Ready(Ready {
        prompt: one_space(&view.tail),
        mode: mode.to_owned(),
        privileged: trim_end(&view.tail).ends_with('#'),
        status: None,
        cwd: None,
        proof: proof.to_owned(),
    })
}

#[cfg(test)]
mod tests {

    use jackfield_plugin::testing::Scene;
    use jackfield_plugin::{Reading, Ready, View};

    use super::inspect;

    fn view(phase: &str, tail: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.phase = phase.to_owned();
        view.quiet_ms = 60_000;
        view
    }

    /// A command that runs in a shell with marks.
    fn inner(command: &str, tail: &str) -> View {
        let mut view = view("running", tail);
        view.mode = "shell".to_owned();
        view.prompt = Some("alice@web1:~$ ".to_owned());
        view.command = command.to_owned();
        view
    }

    fn ready(view: &View, known: bool) -> Ready {
        match inspect(view, known) {
            Reading::Ready(ready) => ready,
            other => panic!("{:?}: {other:?}", view.tail),
        }
    }

    fn waits(view: &mut View, known: bool) -> u32 {
        view.quiet_ms = 0;
        match inspect(view, known) {
            Reading::Settle(wait_ms) => wait_ms,
            other => panic!("{:?}: {other:?}", view.tail),
        }
    }

    #[test]
    fn prompts_at_login() {
        let shells = "alice@web1:~$ |[alice@web1 log]$ |(venv) alice@web1:~/app$ |bash-5.1$ |cumulus@cumulus:mgmt:~$ |username@hostname~$|\
            root@db01:~# |[root@db01 log]# |sh-4.4# |alice@web1 ~ % |➜  ~ |➜  app git:(main) ✗ |root@vm ~# |alice@web1 ~> |\
            alice@web1 /v/log (main)> |root@vm ~ [127]# |~ # |/ # |/var/log $ |DOMAIN\\\\bob@web1:~$ |[alice@web1 ~]% ";
        for tail in shells.split('|').map(str::trim_ascii_start).filter(|tail| !tail.is_empty()) {
            let mut view = view("login", tail);
            let at = ready(&view, false);
            assert_eq!((at.mode.as_str(), at.proof.as_str(), at.prompt.as_str()), ("shell", "pattern", tail));
            assert_eq!(at.privileged, tail.contains('#'), "{tail}");
            assert_eq!(waits(&mut view, false), 150, "{tail}");
        }
        for tail in ["bash-5.2$ ", "-bash-5.2# "] {
            assert_eq!(waits(&mut view("login", tail), false), 150, "{tail}");
        }
        for tail in ["$ ", "# ", "% ", "vm# ", "web1% "] {
            assert_eq!(waits(&mut view("login", tail), false), 300, "{tail}");
        }
        for tail in ["❯ ", "λ ", "└─$ ", "╰─ ", "~/src on main ❯", "> ", "web1:~> ", "web1%                  12:31:07", "=^.^= $ "]
        {
            assert_eq!(waits(&mut view("login", tail), false), 1_000, "{tail}");
        }
    }

    #[test]
    fn behind_an_editor_the_first_prompt_needs_little_silence() {
        let mut first = view("login", "alice@web1:~$ ");
        assert_eq!(waits(&mut first, false), 150);
        first.facts.push(jackfield_plugin::Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
        assert_eq!(waits(&mut first, false), super::FIRST_EDITOR_MS);
        first.quiet_ms = super::FIRST_EDITOR_MS;
        assert_eq!((ready(&first, false).mode.as_str(), ready(&first, false).proof.as_str()), ("shell", "pattern"));
        // A prompt of taste, one with a text at the right, whatever it ends in.
        for (tail, without) in [("❯ ", Some(1_000)), ("$ ", Some(300)), ("➜  ~ git:(main)              12:31:07", None)] {
            let mut plain = view("login", tail);
            plain.quiet_ms = 0;
            assert_eq!(inspect(&plain, false), without.map_or(Reading::NotYet, Reading::Settle), "{tail}");
            plain.facts.push(jackfield_plugin::Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
            assert_eq!(waits(&mut plain, false), super::EDITOR_MS, "{tail}");
        }
    }

    #[test]
    fn rows_that_are_no_prompt() {
        for tail in [
            "",
            " ",
            "Password: ",
            "login: ",
            "Continue? ",
            "Do you agree [y/n] ",
            "Reading package lists... 50% ",
            "100% ",
            "loading...",
            "#####",
            "=> ",
            "->",
            "[=====>",
            "██████ ",
            "Last login: Wed Jan 16 11:05:19 2019 from 192.0.2.7",
            "Press any key to continue",
            "--More--(37%)",
            "Terms:",
            "Weiter？",
            "Please wait…",
            "────────",
        ] {
            assert_eq!(inspect(&view("login", tail), false), Reading::NotYet, "{tail:?}");
        }
    }

    #[test]
    fn the_learned_prompt_needs_little_silence() {
        let mut view = view("running", "λ ");
        (view.prompt, view.mode) = (Some("λ ".to_owned()), "shell".to_owned());
        assert_eq!((ready(&view, false).proof.as_str(), ready(&view, false).mode.as_str()), ("learned", "shell"));
        assert_eq!(waits(&mut view, false), 200);
        view.tail = "λ          ".to_owned();
        view.quiet_ms = 200;
        assert_eq!(ready(&view, false).prompt, "λ ");
        view.settle_ms = 700;
        assert_eq!(waits(&mut view, false), 700);
        view.echoed = false;
        assert_eq!(inspect(&view, false), Reading::NotYet);
    }

    #[test]
    fn what_a_line_has_entered_is_a_shell_where_that_is_proven() {
        for (command, tail, wait_ms, mode) in [
            ("ssh web2", "bob@web2:~$ ", 500, "remote-shell"),
            ("ssh fw1", "bob@fw1> ", 500, "unknown"),
            ("ssh sw1", "sw1#", 500, "unknown"),
            ("ssh web2", "❯ ", 1_000, "unknown"),
            ("docker exec -it c sh", "# ", 500, "remote-shell"),
            ("su -", "root@web1:~# ", 500, "shell"),
            ("sudo -i", "root@web1:~# ", 500, "shell"),
            ("bash", "alice@web1:~$ ", 1_000, "shell"),
            ("zsh", "❯ ", 1_000, "shell"),
        ] {
            let mut view = inner(command, tail);
            assert_eq!(ready(&view, true).mode, mode, "{command} {tail}");
            assert_eq!(ready(&view, true).proof, "pattern", "{tail}");
            assert_eq!(waits(&mut view, true), wait_ms, "{tail}");
            view.facts.push(jackfield_plugin::Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
            assert_eq!(waits(&mut view, true), super::EDITOR_MS.max(view.settle_ms), "{tail}");
            let mode = if tail == "❯ " && command == "ssh web2" { "remote-shell" } else { mode };
            // What was entered from elsewhere is elsewhere.
            view.mode = "remote-shell".to_owned();
            view.quiet_ms = 60_000;
            let expected = if mode == "shell" { "remote-shell" } else { mode };
            assert_eq!(ready(&view, true).mode, expected, "{command} {tail}");
        }
    }

    #[test]
    fn the_prompt_of_another_program_is_left_to_those_who_know_it() {
        for (command, tail) in
            [("python3", ">>> "), ("mysql -u root", "mysql> "), ("psql", "postgres=# "), ("node", "> "), ("gdb", "(gdb) ")]
        {
            assert_eq!(inspect(&inner(command, tail), true), Reading::NotYet, "{tail}");
            let mut inside = inner("1", tail);
            (inside.mode, inside.prompt) = ("python".to_owned(), Some(tail.to_owned()));
            assert_eq!(inspect(&inside, true), Reading::NotYet, "{tail}");
        }
        assert_eq!(inspect(&inner("mysql", "mysql> "), false), Reading::NotYet);
    }

    #[test]
    fn output_in_a_shell_with_marks_is_no_prompt() {
        for (command, tail) in [
            ("printf 'root@web1:~# '; sleep 9", "root@web1:~# "),
            ("./connect.sh", "bob@web2:~$ "),
            ("printf '# '; sleep 9", "# "),
            ("./build", "step 3 >"),
            ("cat x", "Switch#"),
            ("make", "❯ "),
            ("cat x", "> "),
            ("bash -c 'printf \"# \"; sleep 9'", "# "),
            ("echo ssh; printf '# '; sleep 9", "# "),
        ] {
            assert_eq!(inspect(&inner(command, tail), true), Reading::NotYet, "{tail}");
        }
    }

    #[test]
    fn on_another_host_the_prompt_is_learned() {
        let mut view = inner("show version", "sw1#");
        (view.mode, view.prompt) = ("unknown".to_owned(), Some("sw1#".to_owned()));
        assert_eq!((ready(&view, true).mode.as_str(), ready(&view, true).proof.as_str()), ("unknown", "learned"));
        view.tail = "> ".to_owned();
        view.hits = Scene::new(include_str!("../plugin.toml")).view("> ").hits;
        assert!(matches!(inspect(&view, true), Reading::Incomplete(_)));
    }

    #[test]
    fn a_prompt_that_the_line_has_replaced_is_seen() {
        for (command, tail) in [
            ("PS1='new> '", "new> "),
            (". ./activate", "(venv) bob@web2:~$ "),
            ("cd /x; PS1='$PWD# '", "/x# "),
            ("PS1=", ""),
            ("unset PS1", ""),
            ("exec 2>log", ""),
        ] {
            let mut view = inner(command, tail);
            assert!(!view.hits.is_empty(), "it is asked: {command}");
            let at = ready(&view, true);
            assert_eq!((at.mode.as_str(), at.proof.as_str(), at.status), ("shell", "pattern", None), "{command}");
            assert_eq!(waits(&mut view, true), super::RENAMED_MS, "{command}");
            view.marks = vec!["C;n".to_owned()];
            assert_eq!(inspect(&view, true), Reading::NotYet, "{command}");
        }
        for (command, tail) in [
            ("PS1=x make", ""),
            (". ./x", "step 3 > "),
            ("PS1= make", ""),
            ("./build", "new> "),
            (". ./activate", ""),
            ("exec 2>log; make", ""),
            ("exec 3>pipe", ""),
        ] {
            assert_eq!(inspect(&inner(command, tail), true), Reading::NotYet, "{command}");
        }
        // Nothing but the known prompt at its end tells this one.
        let mut grown = inner(". ./activate", "(venv) :) ");
        grown.prompt = Some(":) ".to_owned());
        assert_eq!((ready(&grown, true).prompt.as_str(), waits(&mut grown, true)), ("(venv) :) ", super::GROWN_MS));
        grown.command = "./build".to_owned();
        assert_eq!(inspect(&grown, true), Reading::NotYet);
    }

    #[test]
    fn behind_the_answer_to_the_probe_stands_a_prompt() {
        let mut view = view("setup", "");
        view.marks = vec!["S;n;b;z;f;k".to_owned()];
        assert_eq!(ready(&view, true).mode, "shell");
        assert_eq!(waits(&mut view, true), super::PROBED_MS);
        view.tail = "web1$ ".to_owned();
        for (before, wait_ms) in [("web1$ ", super::PROBED_SAME_MS), ("login$ ", super::PROBED_MS)] {
            view.prompt = Some(before.to_owned());
            assert_eq!(waits(&mut view, true), wait_ms, "{before}");
        }
        // With brackets a prompt that was seen before needs no silence, another one does.
        view.facts.push(jackfield_plugin::Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
        assert_eq!(waits(&mut view, true), super::PROBED_MS);
        view.prompt = Some("web1$ ".to_owned());
        assert_eq!((ready(&view, true).prompt.as_str(), view.quiet_ms), ("web1$ ", 0));
    }

    #[test]
    fn behind_the_line_that_takes_marks_out_stands_a_prompt() {
        let mut view = view("setup", "(venv) what? ");
        view.command = crate::sends::typed("unmark");
        assert_eq!((ready(&view, true).prompt.as_str(), waits(&mut view, true)), ("(venv) what? ", super::PROBED_MS));
        view.echoed = false;
        assert_eq!(inspect(&view, true), Reading::NotYet);
    }

    #[test]
    fn an_unfinished_line_without_marks_is_seen() {
        for tail in ["> ", "dquote> ", "heredoc> ", "cmdsubst quote> ", "foreach? "] {
            let mut view = inner("echo 'a", tail);
            assert!(matches!(inspect(&view, false), Reading::Incomplete(_)), "{tail}");
            // A shell whose whole prompt is `> ` is ready with it.
            view.prompt = Some(tail.to_owned());
            assert_eq!(ready(&view, false).proof, "learned");
        }
    }

    #[test]
    fn a_shell_without_marks_stays_one_until_it_is_left() {
        let mode = |command: &str, tail: &str| ready(&inner(command, tail), false).mode;
        assert_eq!(mode("cd /srv", "alice@web1:/srv$ "), "shell");
        assert_eq!(mode("sudo id", "alice@web1:/srv$ "), "shell");
        assert_eq!(mode("sudo -i", "root@web1:~# "), "shell");
        assert_eq!(mode("ssh web2", "alice@web2:~$ "), "remote-shell");
        assert_eq!(mode("ssh web2", "-bash-5.2$ "), "remote-shell");
        assert_eq!(mode("ssh sw1", "sw1>"), "unknown");
    }

    #[test]
    fn a_line_editor_and_a_shells_sign_prove_a_shell_on_another_host() {
        for (tail, with, without) in [
            ("web2% ", "remote-shell", "unknown"),
            ("web2$ ", "remote-shell", "unknown"),
            ("web2# ", "unknown", "unknown"),
            ("sw1>", "unknown", "unknown"),
        ] {
            let mut view = inner("ssh web2", tail);
            assert_eq!(ready(&view, true).mode, without, "{tail}");
            view.facts.push(jackfield_plugin::Fact { name: "bracketed-paste".to_owned(), value: "on".to_owned() });
            assert_eq!(ready(&view, true).mode, with, "{tail}");
        }
    }
}
