//! When the device waits for the next line.

use jackfield_plugin::settle::{self, Fit};
use jackfield_plugin::{PromptReport, Reading, Ready, View};

/// The triggers and the modes that they mean.
const MODES: [(&str, &str); 2] = [("user", "exec"), ("privileged", "privileged")];

/// A row that a trigger knows is a prompt once it has stayed: the memo holds the device's name, and the better the row fits it, the less
/// silence is asked for.
pub fn inspect(view: &View) -> PromptReport {
    let found = MODES.iter().find_map(|(trigger, mode)| Some((view.hit(trigger)?, *mode)));
    // Before the echo came back, a prompt is the old one.
    let Some((hit, mode)) = found.filter(|_| view.echoed || view.phase == "login") else {
        return PromptReport::new(Reading::NotYet, view.memo.clone());
    };
    let host = hit.group("host").unwrap_or_default();
    let fit = match view.memo_text() {
        "" => Fit::First,
        learned if learned == host => Fit::Known,
        _ => Fit::Stranger,
    };
    let reading = settle::after(view, fit.silence_ms(view.settle_ms), || {
        Reading::Ready(Ready {
            prompt: view.tail.clone(),
            mode: mode.to_owned(),
            privileged: mode == "privileged",
            status: None,
            cwd: None,
            proof: fit.proof().to_owned(),
        })
    });
    let memo = if matches!(reading, Reading::Ready(_)) { host } else { view.memo_text() };
    PromptReport::new(reading, memo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_plugin::testing::Scene;

    #[test]
    fn a_prompt_counts_once_it_has_stayed() {
        let scene = Scene::new(include_str!("../plugin.toml"));
        let mut view = scene.view("box#");
        view.quiet_ms = 0;
        assert!(matches!(inspect(&view).reading, Reading::Settle(_)));
        view.quiet_ms = 10_000;
        let report = inspect(&view);
        assert!(matches!(&report.reading, Reading::Ready(ready) if ready.mode == "privileged" && ready.proof == "pattern"));
        view.memo = report.memo;
        view.quiet_ms = view.settle_ms;
        assert!(matches!(&inspect(&view).reading, Reading::Ready(ready) if ready.proof == "learned"));
    }

    #[test]
    fn other_rows_are_no_prompts() {
        let scene = Scene::new(include_str!("../plugin.toml"));
        for row in ["", "box", "box# show", "a box>", "100%"] {
            assert!(matches!(inspect(&scene.view(row)).reading, Reading::NotYet), "{row}");
        }
    }
}
