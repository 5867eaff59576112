//! less, more and man: a space for the next page, and `q` where everything has been shown.

use jackfield_plugin::{Page, View};

use crate::words;

/// The key for the marker in the last row, if it is one.
pub(crate) fn page(view: &View) -> Option<Page> {
    // Markers grow: `(END)` may go on with `- Next: b`, `lines 1-2` with `3/60 37%`, and a row of text may begin like one.
    let stands = view.quiet_ms >= view.settle_ms;
    let hit = |name: &str| view.hit(name).is_some();
    let send = if (hit("less_next") && stands) || (hit("less_end") && stands && words::runs(&view.command, "more")) {
        // At the end of each file, more waits as less does. Its `q` would lose the files that follow; this leaves at the last.
        "next_file"
    } else if hit("less_end") && stands {
        // Space only beeps here. Nothing is lost: this is the end.
        "quit"
    } else if (words::may_page(&view.command) && (hit("less_lines") || hit("more")) && (stands || is_complete(&view.tail)))
        || (hit("less_colon") && stands && expects_pager(view))
        || names_file(view)
    {
        "page"
    } else if hit("less_return") && expects_return(view) {
        "return"
    } else {
        return None;
    };
    Some(Page { send: send.to_owned(), strip: view.tail.clone() })
}

/// Ends as only a whole marker does: `37%`, `(37%)`, `(Next file: b)`, `q to quit)`.
fn is_complete(tail: &str) -> bool {
    tail.trim_ascii_end().ends_with(['%', ')'])
}

/// A lone colon is also how some dialogs end.
fn expects_pager(view: &View) -> bool {
    words::may_page(&view.command) || (!view.command.is_empty() && view.quiet_ms >= view.settle_ms.max(300))
}

/// The first screen of `less FILE` ends in the file's name. Any other word in the last row is just output.
fn names_file(view: &View) -> bool {
    let file = view.hit("less_name").and_then(|hit| hit.group("file"));
    let named = file.is_some_and(|file| words::has_word(&view.command, file));
    named && words::may_page(&view.command) && view.quiet_ms >= view.settle_ms
}

/// less asks this way at a terminal that it takes for a poor one.
fn expects_return(view: &View) -> bool {
    view.recent.ends_with("WARNING: terminal is not fully functional") || words::may_page(&view.command)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::View;
    use jackfield_plugin::testing::Scene;

    use super::page;

    fn view(command: &str, tail: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.command = command.to_owned();
        view
    }

    fn key(command: &str, tail: &str) -> Option<String> {
        page(&view(command, tail)).map(|page| {
            assert_eq!(page.strip, tail);
            page.send
        })
    }

    #[test]
    fn a_page_is_turned() {
        for (command, tail) in [
            ("less x", ":"),
            ("git log", ":"),
            ("journalctl -u ssh", "lines 1-23/60 37%"),
            ("systemctl status", "lines 24-46"),
            ("man ls", " Manual page ls(1) line 1 (press h for help or q to quit)"),
            ("man ls", " Manual page ls(1) line 24/244 15% (press h for help or q to quit)"),
            ("less /tmp/lines", "/tmp/lines"),
            ("less a b", "a (file 1 of 2)"),
            ("less a b", "a (file 1 of 2) lines 1-23/60 37%"),
            ("more x", "--More--(37%)"),
            ("more x", "--More-- (44% of 471 bytes)"),
            ("cat x | more", "--More--"),
            ("more a b", "--More--(Next file: b)"),
        ] {
            assert_eq!(key(command, tail).as_deref(), Some("page"), "{tail}");
        }
    }

    #[test]
    fn the_end_is_left() {
        for tail in
            ["(END)", "lines 1-10/10 (END)", "/tmp/lines (END)", " Manual page ls(1) line 220/244 (END) (press h for help or q to quit)"]
        {
            assert_eq!(key("less /tmp/lines", tail).as_deref(), Some("quit"), "{tail}");
        }
        assert_eq!(key("less a | tail", "(END)      ").as_deref(), Some("quit"));
        assert_eq!(key("more a b", "(END)   ").as_deref(), Some("next_file"));
        assert_eq!(key("less a b", "(END) - Next: b").as_deref(), Some("next_file"));
        assert_eq!(key("less a b", "a (file 1 of 2) (END) - Next: b").as_deref(), Some("next_file"));
    }

    #[test]
    fn a_marker_that_may_grow_must_stand() {
        let at_once = |command: &str, tail: &str| {
            let mut view = view(command, tail);
            view.quiet_ms = 0;
            page(&view).is_some()
        };
        for tail in ["--More--", "lines 1-2", ":", "(END)", "(END) - Next: b"] {
            assert!(!at_once("more a b", tail) && !at_once("less a b", tail), "{tail}");
        }
        assert!(at_once("more a", "--More--(37%)") && at_once("journalctl", "lines 1-23/60 37%"));
    }

    #[test]
    fn a_poor_terminal_is_answered_with_return() {
        let mut poor = view("./show", "Press RETURN to continue ");
        assert_eq!(page(&poor), None);
        poor.recent = "x\nWARNING: terminal is not fully functional".to_owned();
        assert_eq!(page(&poor).map(|page| page.send).as_deref(), Some("return"));
    }

    #[test]
    fn output_is_not_a_marker() {
        for (command, tail) in [
            ("printf /tmp/lines", "/tmp/lines"),
            ("less /tmp/lines", "other"),
            ("cat x", "See: the END"),
            ("cat x", "--More-- or less"),
            ("make", "lines 1-23 changed"),
            ("make", "Name:"),
            ("", ":"),
        ] {
            assert_eq!(key(command, tail), None, "{tail}");
        }
    }

    #[test]
    fn a_lone_colon_without_a_pager_in_the_line_must_stay() {
        let mut view = view("./show", ":");
        view.quiet_ms = 299;
        assert_eq!(page(&view), None);
        view.quiet_ms = 300;
        assert_eq!(page(&view).map(|page| page.send).as_deref(), Some("page"));
    }
}
