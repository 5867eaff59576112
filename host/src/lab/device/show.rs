//! Output through the pager.

use super::super::editor::width;
use super::super::keys::is_one_of;
use super::super::lines::Source;
use super::super::spec::{OtherKey, Pager};
use super::{Device, Entry, MESSAGE, State};

/// What a key at the marker means.
enum Press {
    Page,
    Line,
    Quit,
    Dump,
    Ignore,
}

impl Device {
    pub(super) fn print(&mut self, mut source: Source) -> bool {
        if !self.exec && self.is_cancelled() {
            self.cancel();
            return true;
        }
        let Some(line) = source.next_line() else { return true };
        let full = self.page_rows().is_some_and(|rows| self.page.used_rows > 0 && self.page.used_rows + self.rows_of(&line) > rows);
        if full {
            self.write_marker();
            self.state = State::Paging(source, line);
        } else {
            self.print_line(&line);
            self.state = State::Printing(source);
        }
        true
    }

    pub(super) fn page(&mut self, source: Source, line: String) -> bool {
        let script = self.script.clone();
        let (Some(pager), Some(key)) = (&script.spec.pager, self.next_key()) else {
            return self.stay(State::Paging(source, line));
        };
        self.entries.push(Entry::PagerKey { key: String::from_utf8_lossy(&key).into_owned() });
        let press = if is_one_of(&key, &script.spec.editor.cancel) { Press::Quit } else { press(pager, &key) };
        if matches!(press, Press::Ignore) {
            self.state = State::Paging(source, line);
            return true;
        }
        self.wipe_marker(pager);
        match press {
            Press::Page => self.page.used_rows = 0,
            Press::Line => self.page.used_rows = self.page_rows().unwrap_or(0).saturating_sub(self.rows_of(&line)),
            Press::Dump => self.page.off = true,
            Press::Quit | Press::Ignore => {
                self.tasks.clear();
                return true;
            }
        }
        self.print_line(&line);
        self.state = State::Printing(source);
        true
    }

    fn print_line(&mut self, line: &str) {
        self.page.used_rows = self.page.used_rows.saturating_add(self.rows_of(line));
        self.write_line(line);
        self.lines += 1;
        if self.lines.checked_rem(self.faults.syslog_lines) == Some(0) && !self.exec {
            self.write_line(MESSAGE);
        }
    }

    /// Rows of one page, if output is paged now.
    fn page_rows(&self) -> Option<u32> {
        self.script.spec.pager.as_ref().filter(|_| !self.page.off)?;
        let height = self.length.unwrap_or(self.login.rows);
        (height > 0).then(|| height.saturating_sub(1).max(1))
    }

    fn rows_of(&self, line: &str) -> u32 {
        let columns = usize::try_from(self.login.columns).unwrap_or(usize::MAX).max(1);
        u32::try_from(width(line).div_ceil(columns)).unwrap_or(u32::MAX).max(1)
    }

    fn write_marker(&mut self) {
        let script = self.script.clone();
        let Some(pager) = &script.spec.pager else { return };
        let marker = if self.page.pages == 0 { &pager.marker } else { pager.marker_next.as_ref().unwrap_or(&pager.marker) };
        self.write(marker);
        self.page.pages += 1;
    }

    fn wipe_marker(&mut self, pager: &Pager) {
        let turn = self.page.markers.checked_rem(pager.erase.len()).unwrap_or(0);
        self.page.markers += 1;
        let erase = pager.erase.get(turn).cloned().unwrap_or_default();
        self.write(&erase);
    }
}

fn press(pager: &Pager, key: &[u8]) -> Press {
    let known = [(&pager.page, Press::Page), (&pager.line, Press::Line), (&pager.quit, Press::Quit), (&pager.dump, Press::Dump)];
    for (keys, press) in known {
        if is_one_of(key, keys) {
            return press;
        }
    }
    match pager.other {
        OtherKey::Ignore => Press::Ignore,
        OtherKey::Quit => Press::Quit,
        OtherKey::Page => Press::Page,
    }
}
