//! Characters that are keys or that hide what a line says. They are refused whatever the grammar.

use crate::verdict::Danger;

/// Longest command that is judged, in bytes: the host's own bound. The time for `decide` is short, and nobody reads more than this before
/// he lets it run.
pub(crate) const COMMAND_MAX_BYTES: usize = 32 * 1024;

/// What is wrong with the text itself.
pub(crate) fn refuse(command: &str) -> Option<Danger> {
    if command.len() > COMMAND_MAX_BYTES {
        let reason = format!("the command has {} bytes, at most {COMMAND_MAX_BYTES} are judged", command.len());
        return Some(Danger::new("too-long", reason).advise("Copy a file to the device instead."));
    }
    if let Some(key) = command.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        let reason = format!("the control character U+{:04X} is a key, not text", u32::from(key));
        return Some(Danger::new("control-byte", reason).advise("Leave it out, or press keys with ssh_send."));
    }
    let hidden = command.chars().find(|c| hides(*c))?;
    let reason = format!("the character U+{:04X} makes the line read other than it runs", u32::from(hidden));
    Some(Danger::new("hidden-character", reason).advise("Leave it out."))
}

/// Turns the direction of writing, or is a tag that nobody sees.
fn hides(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(command: &str) -> Option<&'static str> {
        refuse(command).map(|danger| danger.rule)
    }

    #[test]
    fn text_is_taken() {
        for text in ["", "ls -l", "echo 'a\nb'\n", "a\tb", "grep 'é☃😀' x"] {
            assert_eq!(rule(text), None, "{text:?}");
        }
    }

    #[test]
    fn keys_are_refused() {
        for text in ["ls\r", "\u{3}", "a\u{0}b", "rm\u{8}", "\u{1b}[A", "x\u{7f}", "x\u{9b}2J"] {
            assert_eq!(rule(text), Some("control-byte"), "{text:?}");
        }
    }

    #[test]
    fn what_turns_the_writing_is_refused() {
        for text in ["echo \u{202e}x", "a\u{2066}b", "ls \u{e0041}"] {
            assert_eq!(rule(text), Some("hidden-character"), "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert_eq!(rule(&"a".repeat(COMMAND_MAX_BYTES)), None);
        assert_eq!(rule(&"a".repeat(COMMAND_MAX_BYTES + 1)), Some("too-long"));
    }
}
