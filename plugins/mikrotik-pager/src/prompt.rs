//! Is the router ready? It draws its prompt, wipes it with spaces and draws it again, so a known prompt too
//! has to stay for a moment.

use jackfield_plugin::{PromptReport, Reading, Ready, View};

use crate::name::{Fit, Name};

/// A row has to stay so many settle times, and at least so many milliseconds.
const KNOWN: (u32, u32) = (2, 100);
const FIRST: (u32, u32) = (3, 300);
const STRANGER: (u32, u32) = (10, 1_000);

/// The triggers of prompts and the modes that they show.
const MODES: [(&str, &str); 3] = [("safe", "safe_mode"), ("root", "root_menu"), ("menu", "menu")];

/// What the last row says about the prompt.
pub(crate) fn inspect(view: &View) -> PromptReport {
    let early = !view.echoed && !matches!(view.phase.as_str(), "login" | "idle");
    let (reading, memo) = if early { (Reading::NotYet, None) } else { judge(view) };
    PromptReport::new(reading, memo.unwrap_or_else(|| view.memo_text().to_owned()))
}

fn judge(view: &View) -> (Reading, Option<String>) {
    let Some((name, mode)) = prompt(view) else { return (open_line(view), None) };
    let learned = Name::learned(view.memo_text());
    let fit = name.fit(learned.as_ref());
    let needed = match fit {
        Fit::Known => KNOWN,
        Fit::First => FIRST,
        Fit::Stranger => STRANGER,
    };
    match missing_silence(view, needed) {
        Some(silence_ms) => (Reading::Settle(silence_ms), None),
        None => (Reading::Ready(ready(&view.tail, mode, fit)), Some(name.or_longer(learned).memo())),
    }
}

fn prompt(view: &View) -> Option<(Name, &'static str)> {
    MODES.iter().find_map(|(trigger, mode)| Some((Name::of(view.hit(trigger)?)?, *mode)))
}

/// An open bracket or quote: the router waits for the rest.
fn open_line(view: &View) -> Reading {
    if view.hit("open").is_none() {
        return Reading::NotYet;
    }
    let what = "a bracket or a quote of the line is open; Ctrl-C throws the line away";
    missing_silence(view, STRANGER).map_or_else(|| Reading::Incomplete(what.to_owned()), Reading::Settle)
}

fn missing_silence(view: &View, (times, at_least_ms): (u32, u32)) -> Option<u32> {
    let silence_ms = view.settle_ms.saturating_mul(times).max(at_least_ms);
    (view.quiet_ms < silence_ms).then_some(silence_ms)
}

fn ready(prompt: &str, mode: &str, fit: Fit) -> Ready {
    Ready {
        // One space ends a prompt, the others are what the redraw left.
        prompt: format!("{} ", prompt.trim_end_matches(' ')),
        mode: mode.to_owned(),
        // There is no mode with fewer rights: what a line may change depends on the account alone.
        privileged: true,
        status: None,
        cwd: None,
        proof: if fit == Fit::Known { "learned" } else { "pattern" }.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jackfield_plugin::testing::Scene;

    use super::*;
    use crate::facts::{BANNERS, MARKERS, MODES as PROMPTS, NOT_PROMPTS, OPEN_LINES, OUTPUT};

    const KNOWN_MEMO: &str = "admin@MikroTik";

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
    fn every_known_prompt_has_its_mode() {
        for (mode, rows) in PROMPTS {
            for row in *rows {
                let (ready, memo) = accepted(row, "login", "", 60_000);
                assert_eq!((ready.mode.as_str(), ready.prompt.as_str(), ready.privileged), (*mode, *row, true));
                assert_eq!(accepted(row, "running", &memo, 100).0.proof, "learned", "{row:?}");
            }
        }
    }

    #[test]
    fn what_is_no_prompt_of_a_mode_is_not_taken_for_one() {
        for (mode, rows) in NOT_PROMPTS {
            for row in *rows {
                let found = reading(row, "running", KNOWN_MEMO, 60_000);
                assert!(!matches!(found, Reading::Ready(ready) if ready.mode == *mode), "{row:?}");
            }
        }
        for row in BANNERS.iter().chain(MARKERS).chain(OUTPUT) {
            for phase in ["login", "running"] {
                assert_eq!(reading(row, phase, KNOWN_MEMO, 60_000), Reading::NotYet, "{row:?}");
            }
        }
    }

    #[test]
    fn the_redraw_of_a_prompt_has_to_stay() {
        let drawn = "[admin@MikroTik] > ";
        assert_eq!(reading(drawn, "running", KNOWN_MEMO, 99), Reading::Settle(100));
        assert_eq!(accepted(drawn, "running", KNOWN_MEMO, 100).0.proof, "learned");
        // Drawn, wiped with spaces to the width, drawn again: the spaces stay behind it.
        let redrawn = format!("{drawn}{}", " ".repeat(492));
        let (ready, memo) = accepted(&redrawn, "running", KNOWN_MEMO, 100);
        assert_eq!((ready.prompt.as_str(), memo.as_str()), (drawn, KNOWN_MEMO));
        for row in ["[admin@MikroTik] /ip/address>    ", "[admin@MikroTik] <SAFE> >     ", "[admin@MikroTik] <SAFE>     "] {
            assert_eq!(accepted(row, "running", KNOWN_MEMO, 100).0.proof, "learned", "{row:?}");
        }
    }

    #[test]
    fn the_first_name_and_a_new_one_stay_longer_and_are_learned() {
        assert_eq!(reading("[admin@MikroTik] > ", "login", "", 0), Reading::Settle(300));
        let (ready, memo) = accepted("[admin@MikroTik] > ", "login", "", 300);
        assert_eq!((ready.proof.as_str(), memo.as_str()), ("pattern", KNOWN_MEMO));
        assert_eq!(reading("[admin@core] > ", "running", &memo, 999), Reading::Settle(1_000));
        let (ready, memo) = accepted("[admin@core] > ", "running", &memo, 1_000);
        assert_eq!((ready.proof.as_str(), memo.as_str()), ("pattern", "admin@core"));
    }

    #[test]
    fn nothing_is_learned_before_the_prompt_is_accepted() {
        assert!(inspect(&view("[admin@MikroTik] > ", "login", "", 10)).memo.is_empty());
    }

    #[test]
    fn before_the_echo_nothing_is_ready() {
        for phase in ["running", "goal", "setup", "a-word-of-tomorrow"] {
            let mut early = view("[admin@MikroTik] > ", phase, KNOWN_MEMO, 60_000);
            early.echoed = false;
            assert_eq!(inspect(&early), PromptReport::new(Reading::NotYet, KNOWN_MEMO), "{phase}");
        }
    }

    #[test]
    fn wherever_a_read_ends_inside_a_row_of_output_nothing_is_ready() {
        use crate::facts::{ERRORS, NOT_ERRORS};
        let rows = BANNERS.iter().chain(MARKERS).chain(ERRORS).chain(NOT_ERRORS).chain(OUTPUT);
        for row in rows.filter(|row| !row.starts_with("[admin@MikroTik]")) {
            for (end, _) in row.char_indices() {
                let read = row.get(..end).unwrap_or_default();
                assert!(!matches!(reading(read, "running", KNOWN_MEMO, 60_000), Reading::Ready(_)), "{read:?} of {row:?}");
            }
        }
    }

    #[test]
    fn an_open_bracket_is_incomplete_input() {
        for row in OPEN_LINES {
            assert_eq!(reading(row, "running", KNOWN_MEMO, 999), Reading::Settle(1_000), "{row:?}");
            assert!(matches!(reading(row, "running", KNOWN_MEMO, 1_000), Reading::Incomplete(_)), "{row:?}");
        }
    }
}
