//! Which line to type after login, and in a shell inside: first the probe, then the line for the shell that answered.

use jackfield_plugin::text::{holds, rows};
use jackfield_plugin::{Ready, View};

use crate::marks::{Marks, Stage};
use crate::memory::{Memory, is_shell};

/// A part of the probe's text that no other line holds.
const PROBE: &str = "133\\073S";
/// The same of the line for plain shells.
const PLAIN: &str = "; __j ";
/// The same of the line for mksh.
const MKSH: &str = "set +o emacs +o vi ";
/// The same of the line that takes marks out of the prompt.
const UNMARK: &str = "; done; }; __jf ";

/// Is this the line that takes marks out of the prompt?
pub(crate) fn unmarks(command: &str) -> bool {
    holds(command, UNMARK)
}

/// The next send, if there is one. Nothing is typed at a prompt that is not proven a shell's.
pub(crate) fn next(at: &Ready, view: &View) -> Option<&'static str> {
    if !is_shell(&at.mode) {
        return None;
    }
    let marks = Marks::read(&view.marks);
    if matches!(marks.stage, Stage::Prompt(_) | Stage::Redrawn(_)) {
        return match at.proof == "mark" {
            false if marks.is_unhooked => Some("bash"),
            false if marks.is_fixed => Some("unmark"),
            true if holds(&view.command, PLAIN) => Some(if marks.is_busybox { "forget" } else { "exec" }),
            true if holds(&view.command, MKSH) => Some("exec"),
            _ => None,
        };
    }
    if let Some(answer) = marks.shell {
        return Some(by_versions(answer));
    }
    if holds(&view.command, PROBE) {
        return by_complaint(&view.recent);
    }
    let nonce = view.fact("nonce");
    let ours = !nonce.is_empty() && holds(&view.command, nonce);
    // The shell is the one that was prepared before.
    let send = if Memory::read(view.memo_text()).is_elsewhere { "tty" } else { "probe" };
    (!ours).then_some(send)
}

/// `S;<nonce>;b<version>;z<version>;f<version>;k<version>`, each version empty but that of the shell that speaks.
fn by_versions(answer: &str) -> &'static str {
    let named = [(b'b', "bash"), (b'z', "zsh"), (b'f', "fish")];
    let has = |letter: u8| answer.split(';').skip(2).any(|field| field.len() > 1 && field.as_bytes().first() == Some(&letter));
    if let Some((_, shell)) = named.into_iter().find(|(letter, _)| has(*letter)) {
        shell
    } else if holds(answer, "MIRBSD") || holds(answer, "LEGACY") {
        "mksh"
    } else if holds(answer, ";kVersion ") {
        "ksh93"
    } else {
        "sh"
    }
}

/// tcsh, and every shell that was told `set -u`, refuse a variable that is not set, each in its own words. The probe names
/// such variables, so the refusal tells the shell as well as an answer would.
fn by_complaint(recent: &str) -> Option<&'static str> {
    let rows: Vec<&str> = rows(recent).collect();
    let said = |words: &str| rows.iter().rev().take(4).find(|row| holds(row, "_VERSION: ") && row.ends_with(words));
    if said("Undefined variable.").is_some() {
        Some("tcsh")
    } else if said("unbound variable").is_some() {
        Some("bash")
    } else {
        let row = said("parameter not set")?;
        let known = [("zsh", "zsh"), ("mksh", "mksh"), ("ksh93", "ksh93")];
        Some(known.iter().find(|(name, _)| holds(row, name)).map_or("sh", |(_, send)| send))
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;
    use jackfield_plugin::{Ready, View};

    use super::next;
    use crate::sends::typed;

    fn at(mode: &str) -> Ready {
        Ready { prompt: "$ ".to_owned(), mode: mode.to_owned(), privileged: false, status: None, cwd: None, proof: "pattern".to_owned() }
    }

    fn view(command: &str, recent: &str, marks: &[&str]) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view("$ ");
        view.command = command.to_owned();
        view.recent = recent.to_owned();
        view.marks = marks.iter().map(|mark| (*mark).to_owned()).collect();
        view
    }

    const PROBED: &str = r#" printf '\033]133\073S\0730123456789abcdef\073b%s' "$BASH_VERSION""#;

    #[test]
    fn the_probe_comes_first_and_only_in_a_shell() {
        assert_eq!(next(&at("shell"), &view("", "", &[])), Some("probe"));
        assert_eq!(next(&at("unknown"), &view("", "", &[])), None);
        assert_eq!(next(&at("shell"), &view("exec zsh", "", &[])), Some("probe"));
    }

    #[test]
    fn each_shell_gets_its_own_line() {
        for (answer, send) in [
            ("S;n;b5.2.15(1)-release;z;f;k", "bash"),
            ("S;n;b;z5.9;f;k", "zsh"),
            ("S;n;b;z;f3.6.0;k", "fish"),
            ("S;n;b;z;f;k@(#)MIRBSD KSH R59", "mksh"),
            ("S;n;b;z;f;k@(#)LEGACY KSH R59", "mksh"),
            ("S;n;b;z;f;kVersion AJM 93u+m/1.0.4 2022-10-22", "ksh93"),
            ("S;n;b;z;f;k@(#)PD KSH v5.2.14 99/07/13.2", "sh"),
            ("S;n;b;z;f;k", "sh"),
        ] {
            assert_eq!(next(&at("shell"), &view(PROBED, "", &[answer])), Some(send));
        }
    }

    #[test]
    fn a_shell_that_refuses_unset_variables_is_known_by_its_words() {
        for (row, send) in [
            ("KSH_VERSION: Undefined variable.", Some("tcsh")),
            ("-bash: KSH_VERSION: unbound variable", Some("bash")),
            ("zsh: KSH_VERSION: parameter not set", Some("zsh")),
            ("dash: 1: KSH_VERSION: parameter not set", Some("sh")),
            ("-sh: KSH_VERSION: parameter not set", Some("sh")),
            ("E: mksh: BASH_VERSION: parameter not set", Some("mksh")),
            ("-ksh93: BASH_VERSION: parameter not set", Some("ksh93")),
            ("Unknown command.", None),
        ] {
            assert_eq!(next(&at("shell"), &view(PROBED, &format!("motd\n{PROBED}\n{row}"), &[])), send, "{row}");
        }
    }

    #[test]
    fn marks_in_the_middle_of_a_prompt_are_taken_out_before_it_gets_new_ones() {
        let fixed = ["D;0;n;/", "A;n;max=;pid=9;uid=0", "B;n"];
        assert_eq!(next(&at("shell"), &view("", "", &fixed)), Some("unmark"));
        let proven = Ready { proof: "mark".to_owned(), ..at("shell") };
        assert_eq!(next(&proven, &view("", "", &fixed)), None);
        let unhooked = ["C;n", "D;0;n;/", "A;n;uid=0;pid=9;st=0;h=", "B;n"];
        assert_eq!(next(&at("shell"), &view("", "", &unhooked)), Some("bash"));
        assert_eq!(next(&proven, &view("", "", &unhooked)), None);
        let line = typed("unmark");
        assert!(super::unmarks(&line) && !line.contains("0123456789abcdef"), "{line}");
        assert_eq!(next(&at("shell"), &view(&line, "", &[])), Some("probe"));
        for other in ["probe", "sh", "mksh"] {
            assert!(!super::unmarks(&typed(other)), "{other}");
        }
    }

    #[test]
    fn one_more_line_follows_in_a_plain_shell() {
        let proven = Ready { proof: "mark".to_owned(), ..at("shell") };
        let after = |line: &str, max: &str| {
            let start = format!("A;n;max={max};pid=9;uid=0");
            next(&proven, &view(line, "", &["D;0;n;/", &start, "B;n"]))
        };
        assert_eq!((after(&typed("sh"), "1023"), after(&typed("sh"), "511")), (Some("forget"), Some("forget")));
        assert_eq!((after(&typed("sh"), ""), after(&typed("mksh"), "")), (Some("exec"), Some("exec")));
        for other in ["forget", "exec", "probe", "tty", "unmark", "ksh93"] {
            assert_eq!((after(&typed(other), "1023"), after(&typed(other), "")), (None, None), "{other}");
        }
    }

    #[test]
    fn a_prompt_that_goes_elsewhere_has_its_marks_on_the_terminal() {
        let mut sent = view("", "", &[]);
        sent.memo = b"71  >".to_vec();
        assert_eq!(next(&at("shell"), &sent), Some("tty"));
        sent.command = typed("tty");
        assert_eq!(next(&at("shell"), &sent), None);
    }

    #[test]
    fn nothing_follows_when_marks_came_or_the_line_had_no_effect() {
        let done = ["D;0;n;/", "A;n", "B;n"];
        assert_eq!(next(&at("shell"), &view(" __jfd() 0123456789abcdef", "", &done)), None);
        assert_eq!(next(&at("shell"), &view(" __jfd() 0123456789abcdef", "", &[])), None);
        assert_eq!(next(&at("shell"), &view(PROBED, "", &[])), None);
    }
}
