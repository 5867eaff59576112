//! less, more and man: a space for the next page, and `q` where everything has been shown.

use jackfield_plugin::text::trim_end;
use jackfield_plugin::{Page, View};

use crate::words;

/// The key for the marker in the last row, if it is one.
pub(crate) fn page(view: &View) -> Option<Page> {
    // Markers grow: `(END)` may go on with `- Next: b`, `lines 1-2` with `3/60 37%`, and a row of text may begin like one.
    let stands = view.quiet_ms >= view.settle_ms;
    let hit = |name: &str| view.hit(name).is_some();
    let any = ["less_next", "less_end", "less_lines", "less_colon", "less_return", "more"].into_iter().any(hit);
    let send = if any && view.fact("interrupted") == "yes" {
        // Somebody asked for its end, and pagers take the interrupt key for something else.
        "quit"
    } else if (hit("less_next") && stands) || (hit("less_end") && stands && words::runs(&view.command, "more")) {
        // At the end of each file, more waits as less does. Its `q` would lose the files that follow; this leaves at the last.
        "next_file"
    } else if hit("less_end") && stands {
        // Space only beeps here. Nothing is lost: this is the end.
        "quit"
    } else if ((hit("less_lines") || hit("more")) && (stands || is_complete(&view.tail)))
        || (hit("less_colon") && stands)
        || names_file(view)
    {
        "page"
    } else if hit("less_return") {
        "return"
    } else {
        return None;
    };
    // A key goes only to a program that pages. Where the line names no pager, a marker is a question of an unknown program. It is
    // asked last: reading the line takes longer than all the rest.
    words::may_page(&view.command).then(|| Page { send: send.to_owned(), strip: view.tail.clone() })
}

/// Ends as only a whole marker does: `37%`, `(37%)`, `(Next file: b)`, `q to quit)`.
fn is_complete(tail: &str) -> bool {
    matches!(trim_end(tail).bytes().next_back(), Some(b'%' | b')'))
}

/// Does the row look like a pager's marker, whatever runs? A lone colon is one only on a screen of its own.
pub(crate) fn marker(view: &View) -> bool {
    let hit = |name: &str| view.hit(name).is_some();
    ["less_next", "less_end", "less_lines", "more", "less_follow"].into_iter().any(hit)
        || hit("less_colon") && (view.fact("screen") == "alternate" || view.fact("cursor-keys") == "application")
}

/// The first screen of `less FILE` ends in the file's name. Any other word in the last row is just output.
fn names_file(view: &View) -> bool {
    let file = view.hit("less_name").and_then(|hit| hit.group("file"));
    let named = file.is_some_and(|file| words::has_word(&view.command, file));
    named && view.quiet_ms >= view.settle_ms
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;
    use jackfield_plugin::{Fact, View};

    use super::{marker, page};

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
    fn what_was_interrupted_is_left() {
        for tail in [":", "--More--(37%)", "lines 1-23/60 37%", "(END)"] {
            let mut view = view("yes | less", tail);
            view.facts.push(Fact { name: "interrupted".to_owned(), value: "yes".to_owned() });
            assert_eq!(page(&view).map(|page| page.send).as_deref(), Some("quit"), "{tail}");
        }
    }

    #[test]
    fn the_end_of_a_manual_page_is_no_page_to_turn() {
        let mut view = view("man ls", " Manual page ls(1) line 220/244 (END) (press h for help or q to quit)");
        view.quiet_ms = 0;
        assert_eq!(page(&view), None);
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
        assert_eq!(key("less x", "Press RETURN to continue ").as_deref(), Some("return"));
        assert_eq!(key("./show", "Press RETURN to continue "), None);
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
            ("./show", ":"),
            ("./show", "(END)"),
            ("./show", "(END) - Next: b"),
            ("./show", "--More--(37%)"),
            ("./show", "lines 1-23/60 37%"),
        ] {
            assert_eq!(key(command, tail), None, "{tail}");
        }
    }

    #[test]
    fn a_lone_colon_is_a_marker_on_a_screen_of_its_own() {
        let mut view = view("./show", ":");
        assert!(!marker(&view));
        view.facts.push(Fact { name: "cursor-keys".to_owned(), value: "application".to_owned() });
        assert!(marker(&view));
        assert_eq!(page(&view), None);
    }
}
