//! Is the device ready? Little is known here, so silence has to prove more than in other plugins, and
//! the mode is always `unknown`.

use jackfield_plugin::{PromptReport, Reading, Ready, View};

use crate::learned::{Fit, Learned};
use crate::row::reads_like_prompt;
use crate::unfinished::is_unfinished;

/// A row has to stay so many settle times, and at least so many milliseconds.
const SAME: (u32, u32) = (2, 100);
/// `# ` alone is also the start of a comment that has not come yet.
const SAME_BUT_SHORT: (u32, u32) = (6, 300);
const KIN: (u32, u32) = (6, 500);
const FIRST: (u32, u32) = (10, 1_000);
const STRANGER: (u32, u32) = (20, 3_000);

/// Prompts of so few characters are short.
const SHORT_MAX_CHARS: usize = 2;

/// What the last row says about the prompt.
pub(crate) fn inspect(view: &View) -> PromptReport {
    let mut learned = Learned::of(view);
    let reading = if view.echoed || !awaits_echo(&view.phase) { judge(view, &mut learned) } else { Reading::NotYet };
    PromptReport::new(reading, learned.memo())
}

/// Was a line typed whose echo must come before the answer? A phase that is not known counts as one.
fn awaits_echo(phase: &str) -> bool {
    !matches!(phase, "login" | "idle")
}

fn judge(view: &View, learned: &mut Learned) -> Reading {
    let row = view.tail.as_str();
    let fit = learned.fit(row);
    let known = fit == Fit::Same;
    if !known && view.hit("unfinished").is_some() && asks_for_more(view) {
        return after(view, STRANGER, || {
            Reading::Incomplete("the line that was typed is not finished: an open quote, bracket or block".to_owned())
        });
    }
    let formed = view.hit("arrow").is_some() && row.ends_with(' ') || view.hit("sign").is_some() && reads_like_prompt(row);
    if !known && !formed {
        return Reading::NotYet;
    }
    let reading = after(view, patience(fit, row), || Reading::Ready(ready(row, known)));
    if matches!(reading, Reading::Ready(_)) {
        learned.learn(shown(row));
    }
    reading
}

/// `> ` is a shell that waits for a quote, or the prompt of a program: the command tells them apart.
/// The other forms are never the first prompt of a program.
fn asks_for_more(view: &View) -> bool {
    let ambiguous = matches!(view.tail.trim_end(), ">" | "?");
    view.phase != "login" && !view.command.is_empty() && (!ambiguous || is_unfinished(&view.command))
}

fn patience(fit: Fit, row: &str) -> (u32, u32) {
    match fit {
        Fit::Same if row.chars().count() <= SHORT_MAX_CHARS => SAME_BUT_SHORT,
        Fit::Same => SAME,
        Fit::Kin => KIN,
        Fit::First => FIRST,
        Fit::Stranger => STRANGER,
    }
}

fn after(view: &View, (times, at_least_ms): (u32, u32), reading: impl FnOnce() -> Reading) -> Reading {
    let silence_ms = view.settle_ms.saturating_mul(times).max(at_least_ms);
    if view.quiet_ms < silence_ms { Reading::Settle(silence_ms) } else { reading() }
}

fn ready(row: &str, known: bool) -> Ready {
    Ready {
        prompt: shown(row).to_owned(),
        mode: "unknown".to_owned(),
        // The sign is a custom only, but the careful reading of it.
        privileged: row.trim_end().ends_with('#'),
        status: None,
        cwd: None,
        proof: if known { "learned" } else { "pattern" }.to_owned(),
    }
}

/// A prompt ends in two spaces at most; more of them are what a wiped pager marker left.
fn shown(row: &str) -> &str {
    let text = row.trim_end_matches(' ');
    if row.len() > text.len() + 2 { text } else { row }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jackfield_plugin::testing::Scene;

    use super::*;

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
    fn the_first_prompt_is_believed_after_a_second_and_learned() {
        assert_eq!(reading("acme-olt> ", "login", "", 999), Reading::Settle(1_000));
        let (ready, memo) = accepted("acme-olt> ", "login", "", 1_000);
        assert_eq!((ready.mode.as_str(), ready.proof.as_str(), ready.privileged), ("unknown", "pattern", false));
        assert_eq!(memo, "acme-olt> ");
    }

    #[test]
    fn the_learned_prompt_is_believed_soon() {
        assert_eq!(reading("acme-olt> ", "running", "acme-olt> ", 99), Reading::Settle(100));
        let (ready, _) = accepted("acme-olt> ", "running", "acme-olt> ", 100);
        assert_eq!((ready.prompt.as_str(), ready.proof.as_str()), ("acme-olt> ", "learned"));
    }

    #[test]
    fn spaces_that_a_wiped_pager_marker_left_are_no_part_of_the_prompt() {
        let (ready, memo) = accepted("acme-olt>      ", "running", "acme-olt> ", 100);
        assert_eq!((ready.prompt.as_str(), ready.proof.as_str(), memo.as_str()), ("acme-olt>", "learned", "acme-olt>"));
        assert_eq!(accepted("acme-olt> ", "running", &memo, 100).0.proof, "learned");
    }

    #[test]
    fn every_known_prompt_is_accepted_at_login() {
        for row in crate::facts::PROMPTS {
            let (ready, memo) = accepted(row, "login", "", 60_000);
            assert_eq!((ready.prompt.as_str(), memo.as_str()), (*row, *row));
        }
        for row in ["➜  ~ ", "➜  app git:(main) ✗ ", "❯ ", "λ ", "~/src ❯ ", "web1 » "] {
            accepted(row, "login", "", 60_000);
        }
    }

    #[test]
    fn kin_and_strangers_have_to_stay_longer() {
        let memo = "alice@web1:~$ ";
        assert_eq!(reading("alice@web1:/tmp$ ", "running", memo, 0), Reading::Settle(500));
        assert_eq!(reading("R2#", "running", memo, 0), Reading::Settle(3_000));
        let (ready, memo) = accepted("R2#", "running", memo, 3_000);
        assert_eq!((ready.proof.as_str(), ready.privileged), ("pattern", true));
        assert_eq!(memo, "alice@web1:~$ \nR2#");
    }

    #[test]
    fn a_slow_line_asks_for_more_silence() {
        let mut slow = view("R2#", "running", "R1#", 0);
        slow.settle_ms = 400;
        assert_eq!(inspect(&slow).reading, Reading::Settle(8_000));
    }

    #[test]
    fn a_prompt_of_one_character_is_also_the_start_of_a_line() {
        assert_eq!(reading("# ", "running", "# ", 0), Reading::Settle(300));
        assert_eq!(accepted("# ", "running", "# ", 300).0.proof, "learned");
    }

    #[test]
    fn where_another_plugin_failed_its_prompt_is_known() {
        let mut degraded = view("R1#", "running", "", 100);
        degraded.prompt = Some("R1#".to_owned());
        assert!(matches!(inspect(&degraded).reading, Reading::Ready(ready) if ready.proof == "learned"));
    }

    #[test]
    fn before_the_echo_nothing_is_ready() {
        for phase in ["running", "goal", "setup", "a-word-of-tomorrow"] {
            let mut early = view("R1#", phase, "R1#", 60_000);
            early.echoed = false;
            assert_eq!(inspect(&early), PromptReport::new(Reading::NotYet, "R1#"), "{phase}");
        }
    }

    #[test]
    fn questions_pagers_and_progress_are_no_prompts() {
        for row in [
            "Password: ",
            "Password:",
            "password for alice: ",
            "Enter passphrase for key '/home/alice/.ssh/id_ed25519': ",
            "Username: ",
            "switch login: ",
            "Verification code: ",
            "Enter PASSCODE: ",
            "Enter enable secret: ",
            "JF-8c1f:code: ",
            "[Y/N]",
            "[y/N]: ",
            "Continue? [Y/n]",
            "Reboot, yes? [y/N]: ",
            "[confirm]",
            "Save? [yes/no/cancel/diff]:",
            "Proceed with reload? [confirm]",
            " --More-- ",
            "(END)",
            ":",
            "-- [Q quit|D dump|down]",
            "[OK]",
            "[ OK ]",
            "[done]",
            "100% ",
            "Reading package lists... 50% ",
            "done 42% ",
            "50% ",
            "3.7%",
            "<cr>",
            "<none>",
            "<not set>",
            "Smart Account: <none>",
            "default RD <not set>",
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "Press any key to continue",
            "new password> ",
            "VPN Filter = <none>",
            "nor   : normal          [1]",
            "Description: ### NOT USED ###",
            "lines 1-23/60 37%",
        ] {
            for phase in ["login", "running"] {
                assert_eq!(reading(row, phase, "R1#", 60_000), Reading::NotYet, "{row:?}");
            }
        }
    }

    #[test]
    fn an_open_quote_makes_the_next_row_incomplete_input() {
        let ask = |command: &str, tail: &str, memo: &str| {
            let mut open = view(tail, "running", memo, 60_000);
            open.command = command.to_owned();
            inspect(&open).reading
        };
        for (command, tail) in [
            ("echo 'a", "> "),
            ("echo 'a", "quote> "),
            ("cat <<EOF", "heredoc> "),
            ("select 1", "    -> "),
            ("def f():", "... "),
            ("copy con", "More? "),
        ] {
            assert!(matches!(ask(command, tail, "alice@web1:~$ "), Reading::Incomplete(_)), "{command} {tail:?}");
        }
        for tail in crate::facts::UNFINISHED {
            assert!(matches!(ask("select 1", tail, "postgres=# "), Reading::Incomplete(_)), "{tail:?}");
        }
        assert!(matches!(ask("node", "> ", "alice@web1:~$ "), Reading::Ready(_)));
        assert!(matches!(ask("echo 'a", "> ", "> "), Reading::Ready(ready) if ready.proof == "learned"));
    }

    #[test]
    fn incomplete_input_is_not_reported_before_it_has_stayed() {
        let mut open = view("> ", "running", "alice@web1:~$ ", 2_999);
        open.command = "echo 'a".to_owned();
        assert_eq!(inspect(&open).reading, Reading::Settle(3_000));
    }
}
