//! `[limits]`: how much callers may do. Every key may only make the program's own bound smaller, or set one where there is none.

use std::num::NonZeroU64;

use super::reader::{Reader, Section};
use super::value;
use crate::limits::{
    CALLS_PER_MINUTE, COMMANDS_AT_ONCE, COMMANDS_PER_DEVICE, DENIALS_MAX, DEVICES_PER_HOUR, OUTPUT_MAX_CHARS, SESSIONS_DEFAULT,
    SESSIONS_MAX,
};

/// The bounds that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls of one caller in a minute.
    pub calls_per_minute: usize,
    /// Commands that run at once on one device.
    pub commands_per_device: usize,
    /// Commands that run at once in all.
    pub commands: usize,
    /// Devices that one caller runs something on within an hour.
    pub devices_per_hour: usize,
    /// Refusals by policy within ten minutes after which a caller is stopped for as long.
    pub denials: usize,
    /// Characters of output in one reply.
    pub output_chars: usize,
    /// Sessions in one process.
    pub sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_minute: CALLS_PER_MINUTE,
            commands_per_device: COMMANDS_PER_DEVICE,
            commands: COMMANDS_AT_ONCE,
            devices_per_hour: DEVICES_PER_HOUR,
            denials: DENIALS_MAX,
            output_chars: OUTPUT_MAX_CHARS,
            sessions: SESSIONS_DEFAULT,
        }
    }
}

/// The keys of the section.
pub(super) const KEYS: [&str; 7] =
    ["calls_per_minute", "commands_per_device", "commands", "devices_per_hour", "denials", "output_chars", "sessions"];

impl Limits {
    /// The smaller of both, each by itself.
    pub(super) fn under(self, most: &Self) -> Self {
        Self {
            calls_per_minute: self.calls_per_minute.min(most.calls_per_minute),
            commands_per_device: self.commands_per_device.min(most.commands_per_device),
            commands: self.commands.min(most.commands),
            devices_per_hour: self.devices_per_hour.min(most.devices_per_hour),
            denials: self.denials.min(most.denials),
            output_chars: self.output_chars.min(most.output_chars),
            sessions: self.sessions.min(most.sessions),
        }
    }

    /// Reads the section.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        let mut limits = Self::default();
        reader.only_keys(section, &KEYS);
        let values: [(&mut usize, Option<usize>); 7] = [
            (&mut limits.calls_per_minute, None),
            (&mut limits.commands_per_device, None),
            (&mut limits.commands, None),
            (&mut limits.devices_per_hour, None),
            (&mut limits.denials, None),
            (&mut limits.output_chars, Some(OUTPUT_MAX_CHARS)),
            (&mut limits.sessions, Some(SESSIONS_MAX)),
        ];
        for (key, (value, most)) in KEYS.into_iter().zip(values) {
            let read = |reader: &mut Reader<'_>, at: &super::reader::Place, found: &toml::de::DeValue<'_>| {
                let number: NonZeroU64 = value::positive(reader, at, found, "a positive integer", &value.to_string())?;
                let number = usize::try_from(number.get()).unwrap_or(usize::MAX);
                if let Some(most) = most.filter(|most| number > *most) {
                    let message = format!("{} cannot be more than {most}", at.shown());
                    reader.error(at, message, Some("this program holds no more".to_owned()));
                    return None;
                }
                Some(number)
            };
            if let Some(number) = reader.field(section, key, read) {
                *value = number;
            }
        }
        limits
    }
}
