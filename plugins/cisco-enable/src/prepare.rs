//! What is typed once after login: paging off, a wide line. One line at a time, because the next one may
//! depend on what the device said to the last.

use jackfield_plugin::answer::rows as answer_rows;
use jackfield_plugin::{Ready, View};

use crate::config::{Config, Dialect};
use crate::words::is_refusal;

/// The next send, none when there is nothing more to do.
pub(crate) fn next_send(at: &Ready, view: &View, config: Config) -> Vec<String> {
    if !matches!(at.mode.as_str(), "user_exec" | "privileged") {
        return Vec::new();
    }
    let next = match config.dialect(view) {
        Dialect::Vtysh => None,
        Dialect::Frr => (view.command.is_empty() && !config.keep_pages).then_some("length"),
        Dialect::Eos | Dialect::Ios => ios(view, config.keep_pages),
    };
    next.map(str::to_owned).into_iter().collect()
}

/// Controller mode knows `screen-length` and `screen-width` instead; it says so by refusing the others.
fn ios(view: &View, keep_pages: bool) -> Option<&'static str> {
    let refused = || answer_rows(view).any(is_refusal);
    match view.command.as_str() {
        "" if keep_pages => Some("width"),
        "" => Some("length"),
        "terminal length 0" if refused() => Some("screen-length"),
        "terminal length 0" => Some("width"),
        "terminal width 512" if refused() => Some("screen-width"),
        "screen-length 0" => Some(if refused() { "width" } else { "screen-width" }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;
    use jackfield_plugin::testing::Scene;

    use super::*;

    fn at(mode: &str) -> Ready {
        Ready { prompt: "R1>".into(), mode: mode.into(), privileged: false, status: None, cwd: None, proof: "pattern".into() }
    }

    /// Every line that is typed, when the device answers as `answer` says.
    fn typed(device_type: &str, mode: &str, config: &str, answer: impl Fn(&str) -> &'static str) -> Vec<String> {
        let manifest: &str = include_str!("../plugin.toml");
        let mut view = Scene::new(manifest).view("R1>");
        view.phase = "setup".into();
        view.facts.push(Fact { name: "device-type".into(), value: device_type.into() });
        let mut lines = Vec::new();
        loop {
            let sends = next_send(&at(mode), &view, Config::parse(config).unwrap());
            let Some(name) = sends.first() else { return lines };
            let text = manifest.lines().find_map(|line| line.strip_prefix(&format!("{name} = \""))).unwrap();
            view.command = text.trim_end_matches("{enter}\"").to_owned();
            view.recent = format!("% Invalid input detected at '^' marker.\nR1>{}\n{}", view.command, answer(&view.command));
            lines.push(view.command.clone());
            assert!(lines.len() < 9, "no end: {lines:?}");
        }
    }

    const REFUSED: &str = "       ^\n% Invalid input detected at '^' marker.\n";

    #[test]
    fn ios_and_eos_get_no_pages_and_a_wide_line() {
        for device_type in ["cisco_ios", "cisco-xe", "arista_eos", "my-switches"] {
            assert_eq!(typed(device_type, "user_exec", "{}", |_| ""), ["terminal length 0", "terminal width 512"]);
            assert_eq!(typed(device_type, "privileged", "{}", |_| ""), ["terminal length 0", "terminal width 512"]);
        }
    }

    #[test]
    fn controller_mode_gets_its_own_words() {
        let answer = |line: &str| if line.starts_with("terminal") { REFUSED } else { "" };
        assert_eq!(typed("cisco_xe", "privileged", "{}", answer), ["terminal length 0", "screen-length 0", "screen-width 512"]);
        assert_eq!(typed("cisco_xe", "privileged", r#"{"paging":"pages"}"#, answer), ["terminal width 512", "screen-width 512"]);
    }

    #[test]
    fn a_device_that_refuses_everything_is_left_alone() {
        let lines = typed("cisco_ios", "user_exec", "{}", |_| REFUSED);
        assert_eq!(lines, ["terminal length 0", "screen-length 0", "terminal width 512", "screen-width 512"]);
    }

    #[test]
    fn with_pages_only_the_width_is_set() {
        assert_eq!(typed("cisco_ios", "user_exec", r#"{"paging":"pages"}"#, |_| ""), ["terminal width 512"]);
        assert!(typed("frr_vty", "user_exec", r#"{"paging":"pages"}"#, |_| "").is_empty());
    }

    #[test]
    fn frr_knows_no_width_and_vtysh_calls_the_length_deprecated() {
        assert_eq!(typed("frr_vty", "user_exec", "{}", |_| ""), ["terminal length 0"]);
        assert!(typed("frr_vtysh", "privileged", "{}", |_| "").is_empty());
    }

    #[test]
    fn in_other_modes_nothing_is_typed() {
        for mode in ["rommon", "config", "shell", "tclsh", "config_session"] {
            assert!(typed("cisco_ios", mode, "{}", |_| "").is_empty(), "{mode}");
        }
    }
}
