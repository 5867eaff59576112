//! Times as the file writes them.

use std::time::Duration;

use toml::de::DeValue;

use super::reader::{Place, Reader};
use super::value;

/// Longest time that is accepted: with more than a year somebody meant another unit.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// A time after which something happens, or that it does not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Written as `0` or `"never"`.
    Never,
    /// Never zero.
    After(Duration),
}

impl Delay {
    /// The time, if there is one.
    pub fn duration(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(duration) => Some(duration),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Self> {
        let parsed = match found {
            DeValue::Integer(_) => value::integer(found).and_then(|seconds| u64::try_from(seconds).ok()).and_then(Self::from_seconds),
            DeValue::String(text) => Self::from_text(text),
            _ => {
                reader.wrong_type(at, found, "a time", &example(at));
                return None;
            }
        };
        if parsed.is_none() {
            let help = format!("write seconds, or a number with `s`, `m`, `h` or `d`, up to 366 days: `{}`; `0` means never", example(at));
            reader.error(at, format!("{} is no time", at.shown()), Some(help));
        }
        parsed
    }

    fn from_seconds(seconds: u64) -> Option<Self> {
        let duration = Duration::from_secs(seconds);
        match seconds {
            0 => Some(Self::Never),
            _ => (duration <= DELAY_MAX).then_some(Self::After(duration)),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        if text == "never" {
            return Some(Self::Never);
        }
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = match text.get(digits.len()..) {
            Some("" | "s") => 1,
            Some("m") => 60,
            Some("h") => 3600,
            Some("d") => 24 * 3600,
            _ => return None,
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = digits.parse().ok().filter(|_| is_number)?;
        Self::from_seconds(number.checked_mul(unit)?)
    }
}

fn example(at: &Place) -> String {
    format!("{} = \"5m\"", at.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        let after = |seconds| Some(Delay::After(Duration::from_secs(seconds)));
        for (text, expected) in [
            ("90", after(90)),
            ("90s", after(90)),
            ("5m", after(300)),
            ("2h", after(7200)),
            ("1d", after(86_400)),
            ("366d", after(366 * 86_400)),
            ("0", Some(Delay::Never)),
            ("0m", Some(Delay::Never)),
            ("never", Some(Delay::Never)),
            ("367d", None),
            ("+5", None),
            ("-5s", None),
            ("5 m", None),
            ("5ms", None),
            ("1.5h", None),
            ("s", None),
            ("", None),
            ("99999999999999999999", None),
            ("9999999999999999999d", None),
        ] {
            assert_eq!(Delay::from_text(text), expected, "{text}");
        }
    }
}
