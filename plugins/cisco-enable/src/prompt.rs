//! Is the device ready? A row counts as a prompt when it has the form, its name fits, the echo was
//! seen and it stayed for as long as its proof asks for.

use jackfield_plugin::settle::{Fit, after, shown};
use jackfield_plugin::{PromptReport, Reading, Ready, View};

use crate::learned::Learned;
use crate::row::{self, Row};

/// A prompt behind a banner without a newline, in milliseconds.
const GLUED_MS: u32 = 3_000;

/// What the last row says about the prompt.
pub(crate) fn inspect(view: &View) -> PromptReport {
    let mut learned = Learned::parse(view.memo_text());
    let reading = if view.echoed || !awaits_echo(&view.phase) { judge(view, &mut learned) } else { Reading::NotYet };
    PromptReport::new(reading, learned.memo())
}

/// Was a line typed whose echo must come before the answer? A phase that is not known counts as one.
fn awaits_echo(phase: &str) -> bool {
    !matches!(phase, "login" | "idle")
}

fn judge(view: &View, learned: &mut Learned) -> Reading {
    if let Some(row) = row::read(view, learned) {
        let fit = learned.fit(&row.host, row.mode);
        let reading = after(view, fit.silence_ms(view.settle_ms), || Reading::Ready(ready(&row, fit, &view.tail)));
        if matches!(reading, Reading::Ready(_)) {
            learned.learn(&row.host, row.mode);
        }
        return reading;
    }
    if view.hit("tcl-open").is_some() {
        let what = "the Tcl shell waits for the rest of a block, nothing has run yet";
        return after(view, Fit::Stranger.silence_ms(view.settle_ms), || Reading::Incomplete(what.to_owned()));
    }
    if view.hit("colon").is_some() {
        // The pager role answers, once the colon has stayed.
        return if view.quiet_ms < view.settle_ms { Reading::Settle(view.settle_ms) } else { Reading::NotYet };
    }
    glued(view)
}

/// A prompt behind a banner that ended without a newline. Nothing is learned from it: the banner may have
/// left half a word in front of the name.
fn glued(view: &View) -> Reading {
    let Some(prompt) = view.hit("glued").and_then(|hit| hit.group("prompt")).filter(|_| view.phase == "login") else {
        return Reading::NotYet;
    };
    let privileged = prompt.ends_with('#');
    let mode = if privileged { "privileged" } else { "user_exec" };
    let row = Row { host: String::new(), mode, privileged };
    after(view, GLUED_MS.max(Fit::Stranger.silence_ms(view.settle_ms)), || Reading::Ready(ready(&row, Fit::Stranger, prompt)))
}

fn ready(row: &Row, fit: Fit, prompt: &str) -> Ready {
    Ready {
        prompt: shown(prompt).to_owned(),
        mode: row.mode.to_owned(),
        privileged: row.privileged,
        status: None,
        cwd: None,
        proof: fit.proof().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jackfield_plugin::testing::Scene;

    use super::*;

    const KNOWS_R1: &str = "exec R1\nconfig ";

    /// Compiled once: some tests show thousands of rows.
    static SCENE: LazyLock<Scene> = LazyLock::new(|| Scene::new(include_str!("../plugin.toml")));

    fn view(tail: &str, phase: &str, memo: &str, quiet_ms: u32) -> View {
        let mut view = SCENE.view(tail);
        phase.clone_into(&mut view.phase);
        view.memo = memo.as_bytes().to_vec();
        view.quiet_ms = quiet_ms;
        view
    }

    fn reading(tail: &str, phase: &str, memo: &str, quiet_ms: u32) -> Reading {
        inspect(&view(tail, phase, memo, quiet_ms)).reading
    }

    fn accepted(tail: &str, phase: &str, memo: &str, quiet_ms: u32) -> (Ready, String) {
        let report = inspect(&view(tail, phase, memo, quiet_ms));
        let Reading::Ready(ready) = report.reading else { panic!("{tail:?} gave {:?}", report.reading) };
        (ready, String::from_utf8_lossy(&report.memo).into_owned())
    }

    #[test]
    fn a_learned_prompt_is_ready_after_the_settle_time() {
        assert_eq!(reading("R1#", "running", KNOWS_R1, 49), Reading::Settle(50));
        let (ready, _) = accepted("R1#", "running", KNOWS_R1, 50);
        assert_eq!((ready.prompt.as_str(), ready.mode.as_str(), ready.proof.as_str()), ("R1#", "privileged", "learned"));
        assert!(ready.privileged);
    }

    #[test]
    fn the_first_prompt_settles_longer_and_is_learned() {
        assert_eq!(reading("R1>", "login", "", 149), Reading::Settle(150));
        let (ready, memo) = accepted("R1>", "login", "", 150);
        assert_eq!((ready.mode.as_str(), ready.proof.as_str()), ("user_exec", "pattern"));
        assert_eq!(memo, KNOWS_R1);
    }

    #[test]
    fn nothing_is_learned_before_the_prompt_is_accepted() {
        let report = inspect(&view("R1>", "login", "", 10));
        assert_eq!(report.memo, Learned::default().memo().into_bytes());
    }

    #[test]
    fn another_name_settles_for_a_second_and_is_then_learned() {
        assert_eq!(reading("R2#", "running", KNOWS_R1, 999), Reading::Settle(1_000));
        let (ready, memo) = accepted("R2#", "running", KNOWS_R1, 1_000);
        assert_eq!(ready.proof, "pattern");
        assert_eq!(accepted("R2#", "running", &memo, 50).0.proof, "learned");
    }

    #[test]
    fn on_a_slow_line_a_stranger_settles_longer_than_a_second() {
        let mut slow = view("R2#", "running", KNOWS_R1, 1_500);
        slow.settle_ms = 300;
        assert_eq!(inspect(&slow).reading, Reading::Settle(3_000));
    }

    #[test]
    fn before_the_echo_nothing_is_ready() {
        for phase in ["running", "goal", "setup", "a-word-of-tomorrow"] {
            let mut early = view("R1#", phase, KNOWS_R1, 5_000);
            early.echoed = false;
            assert_eq!(inspect(&early), PromptReport::new(Reading::NotYet, KNOWS_R1), "{phase}");
        }
    }

    #[test]
    fn the_table_header_of_a_factory_named_switch_is_no_prompt() {
        let knows = "exec Switch\nconfig ";
        assert_eq!(reading("Switch#   Role    Mac Address     Priority Version  State ", "running", knows, 5_000), Reading::NotYet);
        assert_eq!(reading("Switch#", "running", knows, 50), Reading::Settle(200));
        assert_eq!(accepted("Switch#", "running", knows, 200).0.proof, "learned");
    }

    #[test]
    fn spaces_that_a_wiped_pager_marker_left_are_no_part_of_the_prompt() {
        for (tail, prompt) in [("R1#   ", "R1#"), ("R1#       ", "R1#"), ("R1# ", "R1# "), ("R1#", "R1#")] {
            let (ready, _) = accepted(tail, "running", KNOWS_R1, 50);
            assert_eq!((ready.prompt.as_str(), ready.proof.as_str()), (prompt, "learned"), "{tail:?}");
        }
        assert_eq!(accepted("R1(config)#    ", "running", KNOWS_R1, 50).0.mode, "config");
        assert_eq!(accepted("rommon 1 >    ", "running", KNOWS_R1, 1_000).0.mode, "rommon");
    }

    #[test]
    fn a_host_called_as_is_like_any_other() {
        let (_, memo) = accepted("AS>", "login", "", 1_000);
        assert_eq!(accepted("AS#", "running", &memo, 50).0.mode, "privileged");
        assert_eq!(reading("pASsword: ", "running", &memo, 5_000), Reading::NotYet);
        assert_eq!(reading("Password: ", "running", &memo, 5_000), Reading::NotYet);
    }

    #[test]
    fn a_long_name_is_ready_at_once_in_configuration_mode() {
        let (_, memo) = accepted("ABCDEFGHIJ-KLMNOPQRS-TUVW#", "login", "", 1_000);
        let (ready, memo) = accepted("ABCDEFGHIJ-KLMNOPQRS(config)#", "running", &memo, 50);
        assert_eq!((ready.mode.as_str(), ready.proof.as_str()), ("config", "learned"));
        assert_eq!(accepted("ABCDEFGHIJ-KLMNOPQRS-TUVW#", "running", &memo, 50).0.proof, "learned");
    }

    #[test]
    fn a_banner_without_a_newline_hides_the_first_prompt_only_for_a_while() {
        let banner = "**DO NOT ATTEMPT LOGIN UNLESS AUTHORIZED. ALL LOGIN ATTEMPTS ARE LOGGED!!**algona.rtr#";
        assert_eq!(reading(banner, "login", "", 2_999), Reading::Settle(3_000));
        let (ready, memo) = accepted(banner, "login", "", 3_000);
        assert_eq!((ready.prompt.as_str(), ready.mode.as_str(), ready.proof.as_str()), ("algona.rtr#", "privileged", "pattern"));
        assert_eq!(memo, Learned::default().memo());
        assert_eq!(reading(banner, "running", "", 9_000), Reading::NotYet);
    }

    #[test]
    fn output_is_no_prompt_however_long_it_stays() {
        // A name and its sign alone is a prompt of another mode than the one it is listed for.
        let other_mode = |row: &str| {
            let row = row.trim_end();
            row.starts_with(|first: char| first.is_ascii_alphanumeric()) && !row.contains(' ') && row.ends_with(['#', '>'])
        };
        for (_, rows) in crate::facts::NOT_PROMPTS {
            for row in rows.iter().filter(|row| !other_mode(row)) {
                assert_eq!(reading(row, "running", KNOWS_R1, 60_000), Reading::NotYet, "{row:?}");
            }
        }
        for row in crate::facts::NEVER_A_PROMPT {
            assert_eq!(reading(row, "running", KNOWS_R1, 60_000), Reading::NotYet, "{row:?}");
        }
        assert_eq!(reading("* IOSv is strictly limited to use for evaluation *******^C", "login", "", 60_000), Reading::NotYet);
    }

    #[test]
    fn wherever_a_read_ends_inside_a_row_of_output_nothing_is_ready_within_a_second() {
        use crate::facts::{BANNERS, ERRORS, NOT_ERRORS, NOT_PROMPTS};
        let rows = NOT_PROMPTS.iter().flat_map(|(_, rows)| *rows).chain(ERRORS).chain(NOT_ERRORS).chain(BANNERS);
        for row in rows {
            for (end, _) in row.char_indices() {
                let read = row.get(..end).unwrap_or_default();
                assert!(!matches!(reading(read, "running", KNOWS_R1, 999), Reading::Ready(_)), "{read:?} of {row:?}");
            }
        }
    }

    #[test]
    fn boot_loaders_and_shells_are_strangers_for_ever() {
        for (tail, mode) in
            [("rommon 1 >", "rommon"), ("switch: ", "rommon"), ("[guestshell@guestshell ~]$ ", "shell"), ("bash-4.3# ", "shell")]
        {
            assert_eq!(reading(tail, "running", KNOWS_R1, 999), Reading::Settle(1_000));
            let (ready, memo) = accepted(tail, "running", KNOWS_R1, 1_000);
            assert_eq!((ready.mode.as_str(), ready.proof.as_str(), memo.as_str()), (mode, "pattern", KNOWS_R1));
        }
    }

    #[test]
    fn an_open_tcl_block_is_incomplete_input() {
        assert_eq!(reading("+>", "running", KNOWS_R1, 50), Reading::Settle(1_000));
        assert!(matches!(reading("+>", "running", KNOWS_R1, 1_000), Reading::Incomplete(_)));
    }

    #[test]
    fn a_lone_colon_is_asked_about_again_and_is_never_a_prompt() {
        assert_eq!(reading(":", "running", KNOWS_R1, 0), Reading::Settle(50));
        assert_eq!(reading(":", "running", KNOWS_R1, 60_000), Reading::NotYet);
    }
}
