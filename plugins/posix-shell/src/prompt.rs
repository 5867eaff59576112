//! Is the shell ready? Marks say it exactly; without them the look of the last row has to do.

use jackfield_plugin::text::{trim, trim_end};
use jackfield_plugin::{PromptReport, Reading, Ready, View, text};

use crate::marks::{Done, Marks, Stage};
use crate::memory::{Memory, is_shell, mode_of};
use crate::{unmarked, words};

/// A shell without a mark for the start of output redraws its prompt, marks included, when a key makes it redraw the
/// line: only behind the echo it means the end. So long is waited where the echo cannot be told.
const ECHO_MS: u32 = 500;
/// A prompt without an end of a command before it: a redraw is followed by the command's own mark within this time.
const REDRAW_MS: u32 = 500;
/// The same where a mark told that output started: then an end is due too, and without it the prompt is rather a text that was
/// printed. A shell that once has lost its hook is known by it.
const LOST_MS: u32 = 4_000;
/// The end came, the prompt is still being made: themes ask slow programs.
const THEME_MS: u32 = 2_000;
/// The same where no text of a prompt comes: it may be empty.
const EMPTY_MS: u32 = 5_000;

/// How long a shell may take from the end of its prompt to its line editor.
const PASTE_MS: u32 = 100;

/// The verdict, and the memo for the next question.
pub(crate) fn inspect(view: &View) -> PromptReport {
    let marks = Marks::read(&view.marks);
    let mut memory = Memory::read(view.memo_text());
    let mut reading = reading(view, &marks, &memory);
    if let Reading::Ready(ready) = &mut reading {
        match marks.stage {
            Stage::Prompt(_) | Stage::Redrawn(_) => {
                memory.on_marked(marks.number, marks.is_csh, view).clone_into(&mut ready.mode);
                memory.has_lost_hook = marks.started && matches!(marks.stage, Stage::Redrawn(_));
            }
            Stage::Ended(_) => {}
            Stage::Unknown if unmarked::goes_elsewhere(view) => memory.is_elsewhere = true,
            Stage::Unknown | Stage::Running | Stage::Rest if view.phase == "setup" && is_shell(&ready.mode) => memory.on_plain(),
            Stage::Unknown | Stage::Running | Stage::Rest => {}
        }
    }
    PromptReport::new(reading, memory.text())
}

fn reading(view: &View, marks: &Marks<'_>, memory: &Memory<'_>) -> Reading {
    match marks.stage {
        // Some shells ask for pasted text in brackets only behind their prompt: then it is not whole yet.
        Stage::Prompt(_) | Stage::Rest if marks.late && view.quiet_ms < PASTE_MS => Reading::Settle(PASTE_MS),
        Stage::Prompt(_) if paste_is_due(view) && view.quiet_ms < PASTE_MS => Reading::Settle(PASTE_MS),
        Stage::Rest => Reading::Incomplete(rest(&view.tail)),
        Stage::Prompt(done) if marks.started || view.echoed || view.quiet_ms >= ECHO_MS => ready(view, marks, done, memory),
        Stage::Prompt(_) => Reading::Settle(ECHO_MS),
        Stage::Redrawn(done) => {
            let wait_ms = if marks.started && !memory.has_lost_hook { LOST_MS } else { REDRAW_MS };
            if view.quiet_ms >= wait_ms { ready(view, marks, done, memory) } else { Reading::Settle(wait_ms) }
        }
        Stage::Ended(done) => ended(view, marks, done, memory),
        Stage::Unknown | Stage::Running => unmarked::inspect(view, memory.knows_marks()),
    }
}

/// Did the shell take pasted text in brackets at earlier prompts, and does not yet at this one?
fn paste_is_due(view: &View) -> bool {
    view.fact("bracketed-paste") == "off"
}

/// What to say about an unfinished line; `row` is the continuation prompt.
pub(crate) fn rest(row: &str) -> String {
    let row = trim(row);
    let what = "the rest of an unfinished line (an open quote, bracket, block, heredoc or a trailing operator)";
    if row.is_empty() { what.to_owned() } else { [what, "; the shell shows `", row, "`"].concat() }
}

/// The command ended, but the mark at the prompt's end is missing: a prompt that does not let itself be changed, or one
/// that is still being made.
fn ended(view: &View, marks: &Marks<'_>, done: Done<'_>, memory: &Memory<'_>) -> Reading {
    // A prompt that was empty before, after all that time, is so again.
    let familiar = view.prompt.as_deref().is_some_and(|prompt| view.tail == prompt);
    let wait_ms = match (familiar, trim(&view.tail).is_empty()) {
        (true, _) => REDRAW_MS,
        (false, false) => THEME_MS,
        (false, true) => EMPTY_MS,
    };
    if view.quiet_ms < wait_ms { Reading::Settle(wait_ms) } else { ready(view, marks, done, memory) }
}

fn ready(view: &View, marks: &Marks<'_>, done: Done<'_>, memory: &Memory<'_>) -> Reading {
    let prompt = prompt_of(view);
    // What is not proven by a mark is prepared, which puts the marks where they belong.
    let is_displaced =
        marks.is_unhooked && is_behind_line(view) || marks.is_fixed && (has_moved(view) || is_inherited(view, marks, memory));
    let proof = if is_displaced { "pattern" } else { "mark" };
    Reading::Ready(Ready {
        privileged: marks.root.unwrap_or_else(|| trim_end(&prompt).ends_with('#')),
        prompt,
        mode: mode_of(view).to_owned(),
        status: done.status,
        cwd: done.cwd.map(str::to_owned),
        proof: proof.to_owned(),
    })
}

/// Has a line of the caller been typed? Without a mark the host wants its echo.
fn is_behind_line(view: &View) -> bool {
    matches!(view.phase.as_str(), "running" | "goal") && view.echoed
}

/// Has the line entered a shell that has its prompt, marks and all, from the environment? Nobody has prepared it.
fn is_inherited(view: &View, marks: &Marks<'_>, memory: &Memory<'_>) -> bool {
    is_behind_line(view) && marks.number.is_some_and(|number| !memory.knows(number))
}

/// May the line have put text before the prompt's marks, or behind them?
fn has_moved(view: &View) -> bool {
    if !is_behind_line(view) {
        return false;
    }
    let known = view.prompt.as_deref().unwrap_or_default();
    let is_other = trim_end(known) != trim_end(&view.tail);
    let builds_on = || ["$PS1", "${PS1"].iter().any(|name| text::holds(&view.command, name));
    words::sets(&view.command, "PS1") && (is_other || builds_on()) || words::runs_unseen(&view.command) && unmarked::has_grown(view)
}

/// The row without what a command left before the prompt: `printf x` prints no newline, so the prompt follows its `x`. fish draws
/// a line that it cannot read behind the prompt once more, before it is taken out.
fn prompt_of(view: &View) -> String {
    let Some(known) = view.prompt.as_deref().filter(|known| !trim(known).is_empty()) else { return view.tail.clone() };
    let has_left = view.tail.ends_with(known);
    let is_drawn = || view.tail.strip_prefix(known).is_some_and(|line| trim(line) == trim(&view.command));
    if has_left || is_drawn() { known.to_owned() } else { view.tail.clone() }
}

#[cfg(test)]
mod tests {

    use jackfield_plugin::testing::Scene;
    use jackfield_plugin::{Reading, Ready, View};

    use super::inspect;

    fn view(tail: &str, marks: &[&str]) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.marks = marks.iter().map(|mark| (*mark).to_owned()).collect();
        view.quiet_ms = 0;
        view
    }

    fn ready(view: &View) -> Ready {
        match inspect(view).reading {
            Reading::Ready(ready) => ready,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mark_needs_no_silence() {
        let at = ready(&view("alice@web1:/srv$ ", &["C;n", "D;3;n;/srv", "A;n;uid=1000", "B;n"]));
        assert_eq!((at.prompt.as_str(), at.mode.as_str(), at.proof.as_str()), ("alice@web1:/srv$ ", "shell", "mark"));
        assert_eq!((at.status, at.cwd.as_deref(), at.privileged), (Some(3), Some("/srv"), false));
    }

    #[test]
    fn a_prompt_without_any_text_is_ready() {
        let at = ready(&view("", &["C;n", "D;0;n;/", "A;n;uid=0", "B;n"]));
        assert_eq!((at.prompt.as_str(), at.privileged), ("", true));
    }

    #[test]
    fn a_prompt_that_the_line_has_sent_elsewhere_is_remembered_until_marks_come_back() {
        let mut sent = view("", &[]);
        (sent.mode, sent.command, sent.phase) = ("shell".to_owned(), "exec 2>log".to_owned(), "running".to_owned());
        (sent.memo, sent.prompt, sent.quiet_ms) = (b"71 ".to_vec(), Some("$ ".to_owned()), 60_000);
        assert_eq!((ready(&sent).status, ready(&sent).proof.as_str(), inspect(&sent).memo.as_slice()), (None, "pattern", &b"71  >"[..]));
        let mut back = view("$ ", &["D;0;n;/", "A;n;max=;pid=71;uid=0", "B;n"]);
        back.memo = b"71  >".to_vec();
        assert_eq!(inspect(&back).memo, b"71 ");
    }

    #[test]
    fn root_is_known_by_number_or_else_by_sign() {
        assert!(ready(&view("$ ", &["D;0;n;/", "A;n;uid=0", "B;n"])).privileged);
        assert!(!ready(&view("# ", &["D;0;n;/", "A;n;uid=5", "B;n"])).privileged);
        assert!(ready(&view("# ", &["D;0;n;/", "A;n", "B;n"])).privileged);
    }

    #[test]
    fn an_open_quote_is_incomplete() {
        match inspect(&view("dquote> ", &["P;k=c;n"])).reading {
            Reading::Incomplete(text) => assert!(text.contains("dquote>"), "{text}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_command_left_is_not_part_of_the_prompt() {
        let mut view = view("xalice@web1:~$ ", &["C;n", "D;0;n;/", "A;n;uid=1", "B;n"]);
        view.prompt = Some("alice@web1:~$ ".to_owned());
        assert_eq!(ready(&view).prompt, "alice@web1:~$ ");
        let mut drawn = self::view("alice@web1 ~> echo )", &["D;127;n;/", "A;n;uid=1;pid=9", "B;n"]);
        (drawn.prompt, drawn.command) = (Some("alice@web1 ~> ".to_owned()), "echo )".to_owned());
        assert_eq!((ready(&drawn).prompt.as_str(), ready(&drawn).status), ("alice@web1 ~> ", Some(127)));
    }

    #[test]
    fn marks_in_the_middle_of_a_prompt_are_no_proof() {
        let proof = |command: &str, tail: &str, start: &str| {
            let mut view = view(tail, &["D;3;n;/srv", start, "B;n"]);
            (view.command, view.prompt) = (command.to_owned(), Some("# ".to_owned()));
            // The shell is known.
            view.memo = b"9 ".to_vec();
            let at = ready(&view);
            assert_eq!(
                (at.status, at.cwd.as_deref(), at.prompt.as_str()),
                (Some(3), Some("/srv"), if tail.ends_with("# ") { "# " } else { tail })
            );
            at.proof
        };
        const FIXED: &str = "A;n;max=;pid=9;uid=0";
        for (command, tail) in [
            (". v/bin/activate", "(v) # "),
            ("PS1=\"(b) $PS1\"", "(b) # "),
            ("PS1=\"two\n${PS1}\"", "# "),
            ("PS1=\"$PS1> \"", "# "),
            ("cd /srv && eval \"$setting\"", "x # "),
        ] {
            assert_eq!(proof(command, tail, FIXED), "pattern", "{command}");
            // These shells wrap it themselves.
            assert_eq!(proof(command, tail, "A;n;uid=0;pid=9;st=3"), "mark", "{command}");
        }
        for (command, tail) in
            [(". v/bin/activate", "# "), ("printf x", "x# "), ("PS1=x make", "# "), ("deactivate", "# "), (". ./x", "/srv # y ")]
        {
            assert_eq!(proof(command, tail, FIXED), "mark", "{command}");
        }
        let mut setup = view("(v) # ", &["D;0;n;/", FIXED, "B;n"]);
        (setup.command, setup.prompt, setup.phase) = (". x".to_owned(), Some("# ".to_owned()), "setup".to_owned());
        assert_eq!(ready(&setup).proof, "mark");
    }

    #[test]
    fn a_list_before_the_prompt_that_was_replaced_has_lost_the_marks() {
        for (start, proof) in [("A;n;uid=0;st=3;h=", "pattern"), ("A;n;uid=0;st=3;h=1", "mark"), ("A;n;uid=0;st=3", "mark")] {
            let mut view = view("# ", &["C;n", "D;3;n;/srv", start, "B;n"]);
            view.command = "PROMPT_COMMAND=(date)".to_owned();
            assert_eq!((ready(&view).status, ready(&view).proof.as_str()), (Some(3), proof), "{start}");
            // Its line was typed again.
            view.phase = "setup".to_owned();
            assert_eq!(ready(&view).proof, "mark", "{start}");
        }
    }

    #[test]
    fn a_redraw_of_the_typed_line_waits_for_the_command_to_start() {
        let mut view = view("alice@web1 ~> sleep 9", &["A;n;uid=1;st=0", "B;n"]);
        assert_eq!(inspect(&view).reading, Reading::Settle(500));
        view.marks.push("C;n".to_owned());
        view.quiet_ms = 60_000;
        assert_eq!(inspect(&view).reading, Reading::NotYet);
    }

    #[test]
    fn a_shell_that_lost_its_hook_is_still_ready() {
        let mut view = view("$ ", &["C;n", "A;n;uid=1;st=7", "B;n"]);
        view.quiet_ms = super::LOST_MS;
        assert_eq!(ready(&view).status, Some(7));
        let memo = inspect(&view).memo;
        assert_eq!(memo, b"0  !");
        view.quiet_ms = super::REDRAW_MS;
        assert_eq!(inspect(&view).reading, Reading::Settle(super::LOST_MS));
        view.memo = memo;
        assert_eq!(ready(&view).status, Some(7));
    }

    #[test]
    fn without_a_start_mark_the_echo_must_have_come() {
        let mut view = view("$ ", &["D;0;n;/", "A;n;uid=1", "B;n"]);
        view.echoed = false;
        assert_eq!(inspect(&view).reading, Reading::Settle(500));
        view.echoed = true;
        assert_eq!(ready(&view).status, Some(0));
    }

    #[test]
    fn an_end_without_a_prompt_mark_waits_for_the_prompt() {
        let mut view = view("", &["C;n", "D;2;n;/"]);
        view.quiet_ms = 4_000;
        assert_eq!(inspect(&view).reading, Reading::Settle(5_000));
        view.quiet_ms = 5_000;
        assert_eq!(ready(&view).status, Some(2));
        view.tail = "fixed> ".to_owned();
        assert_eq!((ready(&view).status, ready(&view).proof.as_str()), (Some(2), "mark"));
        view.quiet_ms = 1_000;
        assert_eq!(inspect(&view).reading, Reading::Settle(2_000));
        view.prompt = Some("fixed> ".to_owned());
        assert_eq!(ready(&view).status, Some(2));
        (view.tail, view.prompt) = (String::new(), Some(String::new()));
        assert_eq!(ready(&view).status, Some(2));
        view.quiet_ms = super::REDRAW_MS - 1;
        assert_eq!(inspect(&view).reading, Reading::Settle(super::REDRAW_MS));
    }

    #[test]
    fn a_session_with_marks_is_remembered() {
        assert_eq!(inspect(&view("$ ", &["D;0;n;/", "A;n;pid=71", "B;n"])).memo, b"71 ");
        assert_eq!(inspect(&view("$ ", &["D;0;n;/", "A;n", "B;n"])).memo, b"0 ");
        assert_eq!(inspect(&view("$ ", &[])).memo, b"");
        let mut later = view(">>> ", &["C;n"]);
        later.memo = b"71 ".to_vec();
        assert_eq!(inspect(&later).memo, b"71 ");
    }

    #[test]
    fn a_shell_says_which_it_is() {
        let mut back = view("$ ", &["C;n", "D;0;n;/", "A;n;pid=71", "B;n"]);
        (back.memo, back.mode) = (b"71 9@ ".to_vec(), "remote-shell".to_owned());
        assert_eq!((ready(&back).mode.as_str(), inspect(&back).memo.as_slice()), ("shell", b"71 ".as_slice()));
        let mut there = view("$ ", &["C;n", "D;0;n;/", "A;n;pid=9", "B;n"]);
        (there.memo, there.mode) = (b"71 9@ ".to_vec(), "remote-shell".to_owned());
        assert_eq!((ready(&there).mode.as_str(), inspect(&there).memo.as_slice()), ("remote-shell", b"71 9@ ".as_slice()));
    }

    #[test]
    fn an_editor_that_starts_late_is_waited_for() {
        let mut view = view("$ ", &["D;0;n;/", "A;n;late=1;uid=1", "B;n"]);
        assert_eq!(inspect(&view).reading, Reading::Settle(super::PASTE_MS));
        view.quiet_ms = super::PASTE_MS;
        assert_eq!(ready(&view).status, Some(0));
        view.marks = vec!["P;k=c;late=1;n".to_owned()];
        assert!(matches!(inspect(&view).reading, Reading::Incomplete(_)));
        view.quiet_ms = 0;
        assert_eq!(inspect(&view).reading, Reading::Settle(super::PASTE_MS));
    }

    #[test]
    fn brackets_for_pasted_text_belong_to_the_prompt() {
        let mut view = view("% ", &["C;n", "D;0;n;/", "A;n", "B;n"]);
        view.facts.push(jackfield_plugin::Fact { name: "bracketed-paste".to_owned(), value: "off".to_owned() });
        view.quiet_ms = 0;
        assert_eq!(inspect(&view).reading, Reading::Settle(super::PASTE_MS));
        view.quiet_ms = super::PASTE_MS;
        assert!(matches!(inspect(&view).reading, Reading::Ready(_)));
    }
}
