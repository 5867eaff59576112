//! Is the device ready? A row counts as a prompt when it fits a mode, carries the learned name, the echo was seen and it stayed for
//! as long as its proof asks for.

use jackfield_plugin::settle::{Fit, after, shown};
use jackfield_plugin::{Hit, PromptReport, Reading, Ready, View};

use crate::declaration::{Declaration, Kind, Mode};
use crate::learned::Learned;

/// What the last row says about the prompt.
pub(crate) fn inspect(view: &View, declaration: &Declaration) -> PromptReport {
    let knows = Learned::parse(view.memo_text());
    let (reading, learned) = match declaration.mode(view) {
        Some((mode, hit)) if view.echoed || !awaits_echo(&view.phase) => judge(view, mode, hit, knows),
        _ => (Reading::NotYet, knows),
    };
    // Mostly it has seen nothing new, and what it wrote is written already.
    let memo = if learned == knows { view.memo.clone() } else { learned.memo().into_bytes() };
    PromptReport::new(reading, memo)
}

/// Was a line typed whose echo must come before the answer? A phase that is not known counts as one.
fn awaits_echo(phase: &str) -> bool {
    !matches!(phase, "login" | "idle")
}

/// What a row is that fits this mode, and what is known once it is looked at.
fn judge<'a>(view: &View, mode: &'a Mode, hit: &'a Hit, knows: Learned<'a>) -> (Reading, Learned<'a>) {
    if mode.kind == Kind::Incomplete {
        let what = || Reading::Incomplete(mode.meaning.clone());
        return (after(view, Fit::Stranger.silence_ms(view.settle_ms), what), knows);
    }
    let host = hit.group("host").unwrap_or_default();
    let fit = knows.fit(host, mode);
    let reading = after(view, fit.silence_ms(view.settle_ms), || Reading::Ready(ready(mode, hit, fit, &view.tail)));
    let learned = if matches!(reading, Reading::Ready(_)) { knows.and(host, mode) } else { knows };
    (reading, learned)
}

fn ready(mode: &Mode, hit: &Hit, fit: Fit, row: &str) -> Ready {
    Ready {
        prompt: shown(row).to_owned(),
        mode: mode.name.clone(),
        privileged: hit.group("priv").map_or(mode.privileged, |sign| sign == "#"),
        status: None,
        cwd: hit.group("cwd").map(str::to_owned),
        proof: fit.proof().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::made_up;

    fn report(tail: &str, phase: &str, memo: &str, quiet_ms: u32) -> PromptReport {
        let mut view = made_up::view(tail);
        phase.clone_into(&mut view.phase);
        view.memo = memo.as_bytes().to_vec();
        view.quiet_ms = quiet_ms;
        inspect(&view, &made_up::declaration())
    }

    fn accepted(tail: &str, memo: &str) -> Ready {
        let report = report(tail, "running", memo, 5_000);
        let Reading::Ready(ready) = report.reading else { panic!("{tail:?} gave {:?}", report.reading) };
        ready
    }

    const KNOWS_R1: &str = "host r1\nmode user\ncut 0";

    #[test]
    fn the_first_prompt_settles_longer_and_is_learned() {
        assert_eq!(report("r1> ", "login", "", 149).reading, Reading::Settle(150));
        let first = report("r1> ", "login", "", 150);
        assert!(matches!(&first.reading, Reading::Ready(ready) if ready.proof == "pattern" && ready.mode == "user"));
        assert_eq!(String::from_utf8_lossy(&first.memo), KNOWS_R1);
        assert_eq!(report("r1#", "running", KNOWS_R1, 49).reading, Reading::Settle(50));
        let ready = accepted("r1#", KNOWS_R1);
        assert_eq!((ready.mode.as_str(), ready.proof.as_str(), ready.privileged), ("boss", "learned", true));
    }

    #[test]
    fn another_name_must_stay_for_a_second() {
        assert_eq!(report("other#", "running", KNOWS_R1, 999).reading, Reading::Settle(1_000));
        assert_eq!(accepted("other#", KNOWS_R1).proof, "pattern");
    }

    #[test]
    fn before_the_echo_nothing_is_ready() {
        let mut view = made_up::view("r1#");
        view.echoed = false;
        assert_eq!(inspect(&view, &made_up::declaration()).reading, Reading::NotYet);
    }

    #[test]
    fn an_unfinished_line_says_what_it_waits_for() {
        assert_eq!(report("...> ", "running", KNOWS_R1, 5_000).reading, Reading::Incomplete("an open quote".to_owned()));
    }

    #[test]
    fn a_sign_may_tell_the_rights() {
        assert!(!accepted("r1%", KNOWS_R1).privileged);
    }

    #[test]
    fn what_a_wiped_marker_left_is_not_part_of_the_prompt() {
        assert_eq!(accepted("r1>        ", KNOWS_R1).prompt, "r1>");
        assert_eq!(accepted("r1> ", KNOWS_R1).prompt, "r1> ");
    }

    #[test]
    fn output_is_no_prompt() {
        for row in ["", "r1> show", "R1>", "interface uplink to core #x", "boot"] {
            assert_eq!(report(row, "running", KNOWS_R1, 5_000).reading, Reading::NotYet, "{row}");
        }
    }
}
