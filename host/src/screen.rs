//! The terminal as a person would see it now, for full-screen programs, menus and questions.
//!
//! Built from the log only once somebody asks, then kept up to date.

use std::num::NonZeroU16;

use crate::limits::LOG_MEMORY_BYTES;
use crate::session::log::ByteLog;
use crate::session::report::ScreenReport;
use crate::terminal::text::escaped;

#[cfg(test)]
mod properties;

/// A rendered terminal.
pub struct Screen {
    parser: vt100::Parser<Title>,
    revision: u64,
    /// Each row with the revision in which it was last seen changed.
    rows: Vec<(u64, String)>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("revision", &self.revision).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Title(String);

impl vt100::Callbacks for Title {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0 = String::from_utf8_lossy(title).into_owned();
    }
}

impl Screen {
    /// From the newest bytes of the log.
    #[must_use]
    pub fn replay(log: &ByteLog, (columns, rows): (u16, u16)) -> Self {
        let at_least_one = |size: u16| NonZeroU16::new(size).unwrap_or(NonZeroU16::MIN);
        let parser = vt100::Parser::new_with_callbacks(at_least_one(rows), at_least_one(columns), 0, Title::default());
        let mut screen = Self { parser, revision: 0, rows: Vec::new() };
        let from = log.end().saturating_sub(LOG_MEMORY_BYTES as u64);
        // What cannot be read is not shown.
        if let Ok((_, bytes)) = log.read(from, log.end()) {
            screen.on_bytes(&bytes);
        }
        screen.revision = log.end();
        screen
    }

    /// Takes the next bytes.
    pub fn on_bytes(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.revision += bytes.len() as u64;
    }

    /// The cursor's row, and all rows with text.
    #[must_use]
    pub fn shown(&self) -> (String, String) {
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let at = usize::from(screen.cursor_position().0);
        let rows: Vec<String> = screen.rows(0, columns.get()).map(|row| escaped(row.trim_end())).collect();
        let cursor = rows.get(at).cloned().unwrap_or_default();
        let text: Vec<String> = rows.into_iter().filter(|row| !row.is_empty()).collect();
        (cursor, text.join("\n"))
    }

    /// The rows that changed since a revision, all of them without one.
    pub fn report(&mut self, since: Option<u64>) -> ScreenReport {
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let now: Vec<String> = screen.rows(0, columns.get()).map(|row| escaped(row.trim_end())).collect();
        let revision = self.revision;
        self.rows.resize(now.len(), (0, String::new()));
        for (kept, text) in self.rows.iter_mut().zip(now) {
            if kept.1 != text {
                *kept = (revision, text);
            }
        }
        let last = self.rows.iter().rposition(|(_, text)| !text.is_empty()).map_or(0, |last| last + 1);
        let numbered = (0_u16..).zip(&self.rows).take(last.max(1));
        let changed = numbered.filter(|(_, (at, _))| since.is_none_or(|since| *at > since));
        let rows = changed.map(|(number, (_, text))| (number, text.clone())).collect();
        ScreenReport {
            rows,
            cursor: screen.cursor_position(),
            title: escaped(&self.parser.callbacks().0),
            alternate: screen.alternate_screen(),
            revision,
        }
    }
}
