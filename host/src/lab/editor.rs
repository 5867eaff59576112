//! The line being typed and what the device writes back for each key.

use super::limits::LINE_BYTES_MAX;
use super::spec::{Echo, Editor};
use super::text::expand;

/// The line typed so far.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    /// Characters of it that stand on the screen; fewer than it has once a long line was shifted.
    shown: usize,
}

/// What the line is drawn with.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// The prompt, filled.
    pub(super) prompt: String,
    /// Width of the terminal.
    pub(super) columns: usize,
    /// Keys and templates.
    pub(super) editor: &'a Editor,
    /// Plain echo whatever the style is.
    pub(super) dumb: bool,
}

impl Line {
    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The finished text; the line is empty afterwards.
    pub(super) fn take(&mut self) -> String {
        self.shown = 0;
        std::mem::take(&mut self.text)
    }

    /// Adds to the line without drawing.
    pub(super) fn push(&mut self, more: &str) {
        self.text.push_str(more);
    }

    /// A typed character. Nothing is written when the line is full.
    pub(super) fn insert(&mut self, key: &str, view: &View<'_>) -> String {
        let most = if view.editor.line_max == 0 { LINE_BYTES_MAX } else { view.editor.line_max };
        if self.text.len() + key.len() > most {
            return String::new();
        }
        self.text.push_str(key);
        self.shown += 1;
        let drawn = view.draw(&view.editor.on_key, self, key);
        format!("{drawn}{}", self.shift(view))
    }

    /// The last character goes.
    pub(super) fn erase(&mut self, view: &View<'_>) -> String {
        if self.text.pop().is_none() {
            return String::new();
        }
        self.shown = self.shown.saturating_sub(1);
        if view.is_redrawn() { view.draw(&view.editor.on_key, self, "") } else { "\u{8} \u{8}".to_owned() }
    }

    /// All characters go.
    pub(super) fn clear(&mut self, view: &View<'_>) -> String {
        let wiped = "\u{8} \u{8}".repeat(self.shown);
        self.take();
        if view.is_redrawn() { view.draw(&view.editor.on_key, self, "") } else { wiped }
    }

    /// The prompt with the line behind it.
    pub(super) fn prompt(&mut self, view: &View<'_>) -> String {
        self.shown = self.text.chars().count();
        view.draw(&view.editor.on_prompt, self, "")
    }

    /// Draws the line once more.
    pub(super) fn again(&self, view: &View<'_>) -> String {
        view.draw(&view.editor.on_key, self, "")
    }

    /// What Enter writes.
    pub(super) fn enter(&self, view: &View<'_>) -> String {
        if view.dumb { "\r\n".to_owned() } else { view.draw(&view.editor.on_enter, self, "") }
    }

    /// Shifts a line that reached the edge: back to the prompt, a mark, the second half, spaces over the rest.
    fn shift(&mut self, view: &View<'_>) -> String {
        let room = view.columns.saturating_sub(width(&view.prompt)).saturating_sub(1);
        let Some(mark) = view.editor.scroll.as_ref().filter(|_| self.shown >= room && room >= 4) else { return String::new() };
        let kept = room / 2;
        let skip = self.text.chars().count().saturating_sub(kept);
        let tail: String = self.text.chars().skip(skip).collect();
        let back = "\u{8}".repeat(self.shown);
        let now = mark.chars().count() + kept;
        let blank = self.shown.saturating_sub(now);
        self.shown = now;
        format!("{back}{mark}{tail}{}{}", " ".repeat(blank), "\u{8}".repeat(blank))
    }
}

impl View<'_> {
    fn is_redrawn(&self) -> bool {
        self.editor.echo == Echo::Redraw && !self.dumb
    }

    fn draw(&self, template: &str, line: &Line, key: &str) -> String {
        if !self.is_redrawn() {
            let plain = if std::ptr::eq(template, self.editor.on_prompt.as_str()) { "{line}" } else { "{key}" };
            let template = if self.editor.echo == Echo::Redraw { plain } else { template };
            return self.fill(template, line, key);
        }
        self.fill(template, line, key)
    }

    fn fill(&self, template: &str, line: &Line, key: &str) -> String {
        let whole = format!("{}{}", self.prompt, line.text);
        let missing = self.columns.saturating_sub(width(&whole));
        expand(template, |name| match name {
            "line" => Some(whole.clone()),
            "padded" => Some(format!("{whole}{}", " ".repeat(missing))),
            "key" => Some(key.to_owned()),
            _ => None,
        })
    }
}

/// Columns that a text takes, colours not counted.
pub(super) fn width(text: &str) -> usize {
    let mut columns = 0;
    let mut inside = false;
    for character in text.chars() {
        match character {
            '\u{1b}' => inside = true,
            _ if inside => inside = !character.is_ascii_alphabetic(),
            _ => columns += 1,
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redrawing() -> Editor {
        Editor {
            echo: Echo::Redraw,
            on_prompt: "\r\r\r\r{padded}\r{line}".to_owned(),
            on_key: "{key}\r\r{padded}\u{1b}[K\r{line}".to_owned(),
            on_enter: "\r{line}\r\n\r".to_owned(),
            ..Editor::default()
        }
    }

    fn view(editor: &Editor, dumb: bool) -> View<'_> {
        View { prompt: "[a@b] > ".to_owned(), columns: 12, editor, dumb }
    }

    #[test]
    fn full_echo_gives_the_character_back() {
        let editor = Editor::default();
        let (mut line, view) = (Line::default(), view(&editor, false));
        assert_eq!(line.prompt(&view), "[a@b] > ");
        assert_eq!(line.insert("x", &view), "x");
        assert_eq!(line.erase(&view), "\u{8} \u{8}");
        assert_eq!(line.erase(&view), "");
        assert_eq!(line.enter(&view), "\r\n");
    }

    #[test]
    fn redraw_writes_the_whole_line_for_each_key() {
        let editor = redrawing();
        let (mut line, view) = (Line::default(), view(&editor, false));
        assert_eq!(line.prompt(&view), "\r\r\r\r[a@b] >     \r[a@b] > ");
        assert_eq!(line.insert("/", &view), "/\r\r[a@b] > /   \u{1b}[K\r[a@b] > /");
        assert_eq!(line.enter(&view), "\r[a@b] > /\r\n\r");
        assert_eq!(line.clear(&view), "\r\r[a@b] >     \u{1b}[K\r[a@b] > ");
    }

    #[test]
    fn a_dumb_terminal_gets_plain_echo() {
        let editor = redrawing();
        let (mut line, view) = (Line::default(), view(&editor, true));
        assert_eq!(line.prompt(&view), "[a@b] > ");
        assert_eq!(line.insert("/", &view), "/");
        assert_eq!(line.enter(&view), "\r\n");
    }

    #[test]
    fn a_line_at_the_edge_is_shifted_and_keeps_its_text() {
        let editor = Editor { scroll: Some("$".to_owned()), ..Editor::default() };
        let mut line = Line::default();
        let view = View { prompt: "R#".to_owned(), columns: 13, editor: &editor, dumb: false };
        let written: String = "abcdefghij".chars().map(|key| line.insert(&key.to_string(), &view)).collect();
        assert_eq!(written, format!("abcdefghij{}$fghij    {}", "\u{8}".repeat(10), "\u{8}".repeat(4)));
        assert_eq!(line.insert("k", &view), "k");
        assert_eq!(line.text(), "abcdefghijk");
    }

    #[test]
    fn a_full_line_takes_no_more() {
        let editor = Editor { line_max: 2, ..Editor::default() };
        let (mut line, view) = (Line::default(), view(&editor, false));
        assert_eq!(line.insert("a", &view) + &line.insert("b", &view) + &line.insert("c", &view), "ab");
    }

    #[test]
    fn colours_take_no_columns() {
        assert_eq!(width("\u{1b}[36;1mab\u{1b}[m>"), 3);
    }
}
