//! What the devices' words mean.

use jackfield_plugin::text::begins;

/// How a secret or an account is not accepted, in small letters.
const REJECTIONS: [&str; 13] = [
    "access denied",
    "bad secret",
    "bad password",
    "bad enable password",
    "error in authentication",
    "no password set",
    "authentication fail",
    "authorization denied",
    "authorization failed",
    "password:  timeout expired",
    "denied",
    "sorry",
    "incorrect",
];

/// The words for a secret or an account that is not accepted.
pub(crate) fn is_rejection(row: &str) -> bool {
    let Some(text) = row.strip_prefix('%').map(str::trim_start) else { return false };
    let small = text.to_ascii_lowercase();
    begins(&small, &REJECTIONS)
}

/// The words for a line that the device does not know.
pub(crate) fn is_refusal(row: &str) -> bool {
    let Some(text) = row.strip_prefix('%').map(str::trim_start) else { return false };
    begins(text, &["Invalid", "Incomplete", "Ambiguous", "Unknown", "Unrecognized"])
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::answer::{quote, rows as answer_rows};
    use jackfield_plugin::testing::Scene;

    use super::*;

    fn rows(recent: &str, command: &str) -> Vec<String> {
        let mut view = Scene::new("").view("");
        recent.clone_into(&mut view.recent);
        command.clone_into(&mut view.command);
        answer_rows(&view).map(str::to_owned).collect()
    }

    #[test]
    fn only_what_follows_the_last_echo_is_the_answer() {
        assert_eq!(rows("R1>enable\n% Bad secrets\n\nR1>enable\n\n% Access denied\n", "enable"), ["% Access denied"]);
        assert_eq!(rows("R1>enable \n% Access denied", "enable"), ["% Access denied"]);
        assert!(rows("% Bad secrets\nR1>enable", "enable").is_empty());
    }

    #[test]
    fn without_an_echo_all_rows_count() {
        assert_eq!(rows("% Access denied\n", "enable"), ["% Access denied"]);
        assert_eq!(rows("one\ntwo", ""), ["one", "two"]);
    }

    #[test]
    fn every_known_rejection_is_one() {
        for row in crate::facts::REJECTIONS {
            assert!(is_rejection(row), "{row}");
        }
        for row in
            ["", "Password: ", "%SYS-5-CONFIG_I: Configured from console", "sorry", "% Generating 2048 bit RSA keys", "% Invalid input"]
        {
            assert!(!is_rejection(row), "{row}");
        }
    }

    #[test]
    fn a_refusal_is_a_line_that_the_device_does_not_know() {
        for row in ["% Invalid input detected at '^' marker.", "% Unknown command.", "% Incomplete command.", "%Ambiguous command"] {
            assert!(is_refusal(row), "{row}");
        }
        assert!(!is_refusal("% The \"terminal length\" command is deprecated"));
        assert!(!is_refusal("Invalid"));
    }

    #[test]
    fn a_quote_is_bounded() {
        assert_eq!(quote(&"ä".repeat(500)).chars().count(), 160);
    }
}
