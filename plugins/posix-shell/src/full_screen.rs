//! The question on the screen of a full-screen program: an editor, a menu, a pager, or something that only shows.
//!
//! The view's last row is the cursor's, its other rows are all that the screen shows.

use jackfield_plugin::text::{rows, trim};
use jackfield_plugin::{Question, View};

use crate::{asking, pager, words};

/// What the program waits for. It holds the screen and is silent, so it waits for something.
pub(crate) fn question(view: &View) -> Question {
    let row = trim(&view.tail);
    if words::edits(&view.command) {
        return editor(view, row);
    }
    let has_written = words::has_written(&view.command);
    if pager::marker(view) && !has_written {
        return told("pager", row);
    }
    let buttons = buttons(view);
    if !buttons.is_empty() {
        let has = |word: &str| buttons.iter().any(|button| button.eq_ignore_ascii_case(word));
        return told(if has("yes") && has("no") { "yes-no" } else { "menu" }, &boxed(view));
    }
    // Behind the boxes: what signs the text may ask for a passphrase in one.
    if has_written {
        return editor(view, row);
    }
    if let Some(question) = asking::known(view, if view.fact("screen") == "alternate" { "unknown" } else { "" }) {
        return question;
    }
    if words::may_page(&view.command) {
        return told("pager", row);
    }
    told("screen", if row.is_empty() { status_row(view).unwrap_or_default() } else { row })
}

/// The text being edited may read like any question; a file that must be confirmed is asked for in these forms.
fn editor(view: &View, row: &str) -> Question {
    asking::known(view, TEXTS).unwrap_or_else(|| told("editor", status_row(view).unwrap_or(row)))
}

/// Kinds whose questions a text may hold.
const TEXTS: &str = "password code username menu filename unknown pager";
/// What boxes are drawn with, and the shadow behind them.
const BORDERS: &str = "─│┌┐└┘├┤┬┴┼━┃┏┓┗┛║═╔╗╚╝█▒░ |+-";

fn told(kind: &str, text: &str) -> Question {
    Question { kind: kind.to_owned(), text: text.to_owned(), after_ms: 0 }
}

/// Texts of the buttons `<Yes>`, `<  OK  >`, `[ Cancel ]` in the rows.
fn buttons(view: &View) -> Vec<&str> {
    let mut found = Vec::new();
    for row in rows(&view.recent) {
        for (open, close) in [('<', '>'), ('[', ']')] {
            let texts = row.split(open).skip(1).map(|part| trim(part.split(close).next().unwrap_or_default()));
            found.extend(texts.filter(is_button));
        }
    }
    found
}

fn is_button(text: &&str) -> bool {
    BUTTONS.iter().any(|known| known.eq_ignore_ascii_case(text))
}

const BUTTONS: [&str; 8] = ["yes", "no", "ok", "cancel", "exit", "continue", "back", "help"];

/// The rows without what frames them.
fn boxed(view: &View) -> String {
    let mut text = String::new();
    for row in rows(&view.recent) {
        let inner = row.trim_matches(is_border);
        if !inner.is_empty() {
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(inner);
        }
    }
    text
}

#[inline(never)]
fn is_border(c: char) -> bool {
    BORDERS.chars().any(|border| border == c)
}

/// Where editors and monitors say what they show.
fn status_row(view: &View) -> Option<&str> {
    let mut status = None;
    for row in rows(&view.recent).map(trim) {
        status = if row.contains(is_letter) { Some(row) } else { status };
    }
    status
}

/// A letter or a digit. Beyond ASCII it is told by where signs, drawings and private characters are: the tables of Unicode are as large as all
/// that is asked here.
fn is_letter(c: char) -> bool {
    const SIGNS: [(char, char); 7] = [
        ('\u{80}', '\u{bf}'),
        ('\u{2000}', '\u{2bff}'),
        ('\u{2e00}', '\u{2e7f}'),
        ('\u{3000}', '\u{3030}'),
        ('\u{e000}', '\u{f8ff}'),
        ('\u{fe00}', '\u{fe6f}'),
        ('\u{1f000}', '\u{1faff}'),
    ];
    let is_sign = |(first, last): &(char, char)| (*first..=*last).contains(&c);
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { !SIGNS.iter().any(is_sign) }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;
    use jackfield_plugin::{Fact, View};

    use crate::asking;

    fn view(command: &str, tail: &str, rows: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.command = command.to_owned();
        view.recent = rows.to_owned();
        for (name, value) in [("shown", "screen"), ("screen", "alternate")] {
            view.facts.push(Fact { name: name.to_owned(), value: value.to_owned() });
        }
        view
    }

    fn asked(command: &str, tail: &str, rows: &str) -> (String, String) {
        let question = asking::question(&view(command, tail, rows)).unwrap();
        (question.kind, question.text)
    }

    fn pair(kind: &str, text: &str) -> (String, String) {
        (kind.to_owned(), text.to_owned())
    }

    #[test]
    fn an_editor_is_one_whatever_its_text_is() {
        let rows = "Password: \n~\n~\n\"x\" 1L, 10B";
        assert_eq!(asked("vim x", "Password: ", rows), pair("editor", "\"x\" 1L, 10B"));
        assert_eq!(asked("sudo -u a nano x", "", "  GNU nano 7.2   x\n^X Exit"), pair("editor", "^X Exit"));
        assert_eq!(asked("vim x", "replace with b (y/n/a/q/l/^E/^Y)?", "b\nreplace with b (y/n/a/q/l/^E/^Y)?").0, "yes-no");
        let enter = "Press ENTER or type command to continue";
        assert_eq!(asked("vim x", enter, enter), pair("any-key", enter));
    }

    #[test]
    fn the_editor_of_a_program_that_has_a_pager_too_is_one() {
        let text = "\n# Please enter the commit message for your changes.\n~\n\".git/COMMIT_EDITMSG\" 8L, 200B";
        assert_eq!(asked("cd x && git commit", "", text), pair("editor", "\".git/COMMIT_EDITMSG\" 8L, 200B"));
        assert_eq!(asked("git commit", ":", ":").0, "editor");
        assert_eq!(asked("git log", "", text).0, "pager");
        assert_eq!(asked("git log", ":", "commit 1\n:").0, "pager");
        let box_of_gpg = "│ Passphrase: ____ │\n│ <OK>  <Cancel> │";
        assert_eq!(asked("git commit -S", "│ Passphrase: ____ │", box_of_gpg).0, "menu");
    }

    #[test]
    fn a_box_with_buttons_is_a_menu_or_asks_yes_or_no() {
        let yes_no = "┌──┤ Title ├──┐\n│ Go on?      │\n│ <Yes>  <No> │\n└─────────────┘";
        assert_eq!(asked("whiptail x", "│ <Yes>  <No> │", yes_no), pair("yes-no", "Title\nGo on?\n<Yes>  <No>"));
        let menu = "│ 1  One │\n│ 2  Two │\n│ <  OK  > <Cancel> │";
        assert_eq!(asked("dialog x", "│ 1  One │", menu), pair("menu", "1  One\n2  Two\n<  OK  > <Cancel>"));
    }

    #[test]
    fn a_pager_that_is_not_turned_and_a_monitor_are_told_apart() {
        assert_eq!(asked("less +F x", "Waiting for data... (interrupt to abort)", "a\nWaiting for data...").0, "pager");
        assert_eq!(asked("./show", "(END)", "a\n(END)").0, "pager");
        assert_eq!(asked("top", "", "top - 10:31\n  1 root"), pair("screen", "1 root"));
        assert_eq!(asked("./ask", "Password: ", "Password: ").0, "password");
    }
}
