//! How many lines a plugin may log: so many a call, and so many a minute for all of its instances together.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::diagnostics::plugin_line;
use crate::limits::{PLUGIN_LOG_LINE_MAX_BYTES, PLUGIN_LOG_LINES_MAX, PLUGIN_LOG_MINUTE_MAX, PLUGIN_LOG_WINDOW};
use crate::terminal::text::{escaped, first_bytes};

/// The log lines of one plugin, shared by its instances.
#[derive(Debug)]
pub struct Lines {
    plugin: String,
    minute: Mutex<Minute>,
}

#[derive(Debug)]
struct Minute {
    began: Instant,
    lines: usize,
    dropped: usize,
}

impl Lines {
    /// For a plugin that has logged nothing yet.
    #[must_use]
    pub fn new(plugin: &str, now: Instant) -> Self {
        Self { plugin: plugin.to_owned(), minute: Mutex::new(Minute { began: now, lines: 0, dropped: 0 }) }
    }

    /// Writes a line, unless it is one too many. `in_call` counts those of the same call, this one included.
    pub fn write(&self, level: &str, message: &str, in_call: usize, now: Instant) {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(minute.began) >= PLUGIN_LOG_WINDOW {
            if minute.dropped > 0 {
                plugin_line(&self.plugin, "warn", &format!("{} lines of it were dropped: it logs too much", minute.dropped));
            }
            *minute = Minute { began: now, lines: 0, dropped: 0 };
        }
        if in_call > PLUGIN_LOG_LINES_MAX || minute.lines >= PLUGIN_LOG_MINUTE_MAX {
            minute.dropped += 1;
            if minute.dropped == 1 {
                plugin_line(&self.plugin, "warn", "it logs too much; lines of it are dropped for a minute");
            }
            return;
        }
        minute.lines += 1;
        plugin_line(&self.plugin, level, &escaped(first_bytes(message, PLUGIN_LOG_LINE_MAX_BYTES)).replace('\n', " "));
    }

    /// Lines dropped in this minute.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_dropped_and_a_new_minute_begins_anew() {
        let start = Instant::now();
        let lines = Lines::new("flood", start);
        for count in 1..=PLUGIN_LOG_LINES_MAX + 5 {
            lines.write("debug", "x", count, start);
        }
        assert_eq!(lines.dropped(), 5);
        for _ in 0..PLUGIN_LOG_MINUTE_MAX {
            lines.write("debug", "x", 1, start);
        }
        assert_eq!(lines.dropped(), 5 + PLUGIN_LOG_LINES_MAX);
        lines.write("debug", "x", 1, start + PLUGIN_LOG_WINDOW);
        assert_eq!(lines.dropped(), 0);
    }
}
