//! The pager: `-- [Q quit|D dump|down]`.
//!
//! `D` shows the rest without pages and is the default key. One key for a whole answer is not only the
//! cheapest but the safest: each further key is one more that may come too late and reach what runs next, where a
//! space stops a ping and is left in the line otherwise. It also ends pages that go to the right, which no
//! key turns one by one. `page` is for those who want the host's limit of pages to hold.

use jackfield_plugin::{Page, View};

use crate::config::Config;

/// The words that offer a next page.
const NEXT_PAGE: [&str; 3] = ["down", "space", "return"];

/// The key for the marker that the last row shows, if it is one and has a key.
pub(crate) fn inspect(view: &View, config: Config) -> Option<Page> {
    if !view.echoed {
        return None;
    }
    let send = key(view.hit("bracket")?.group("keys").unwrap_or_default(), config)?;
    Some(Page { send: send.to_owned(), strip: view.tail.clone() })
}

fn key(keys: &str, config: Config) -> Option<&'static str> {
    let offers = |wanted: &str| keys.split('|').any(|word| word == wanted);
    let dump = offers("D dump").then_some("dump");
    let page = NEXT_PAGE.iter().any(|word| offers(word)).then_some("page");
    if config.page_by_page { page.or(dump) } else { dump.or(page) }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;
    use crate::facts::MARKERS;

    const PAGE: Config = Config { page_by_page: true };

    fn send(tail: &str, config: Config) -> Option<String> {
        inspect(&Scene::new(include_str!("../plugin.toml")).view(tail), config).map(|page| page.send)
    }

    #[test]
    fn every_known_marker_is_dumped_and_stripped() {
        for marker in MARKERS {
            let page = inspect(&Scene::new(include_str!("../plugin.toml")).view(marker), Config::DEFAULT);
            assert_eq!(page, Some(Page { send: "dump".into(), strip: (*marker).into() }), "{marker:?}");
        }
    }

    #[test]
    fn one_to_four_words_are_understood() {
        for marker in ["-- [Q quit|down]", "-- [Q quit|D dump|down]", "-- [Q quit|D dump|up|down]", "-- [Q quit|D dump|right|up|down]"] {
            assert_eq!(send(marker, PAGE).as_deref(), Some("page"), "{marker}");
        }
        assert_eq!(send("-- [Q quit|down]", Config::DEFAULT).as_deref(), Some("page"));
    }

    #[test]
    fn a_page_to_the_right_is_dumped_in_any_case() {
        assert_eq!(send("-- [Q quit|D dump|right]", PAGE).as_deref(), Some("dump"));
    }

    #[test]
    fn a_marker_that_only_quits_gets_no_key() {
        assert_eq!(send("-- [Q quit]", PAGE), None);
        assert_eq!(send("-- [Q quit]", Config::DEFAULT), None);
        assert_eq!(send("-- [Q quit|right]", PAGE), None);
    }

    #[test]
    fn live_views_and_text_around_a_marker_are_no_pages() {
        for row in [
            "-- [Q quit|D dump|C-z pause]",
            "x -- [Q quit|D dump|down]",
            "-- [Q quit|D dump|down] x",
            "-- [Q quit|D dump|down",
            "[Q quit|D dump|down]",
        ] {
            assert_eq!(send(row, Config::DEFAULT), None, "{row}");
        }
    }

    #[test]
    fn before_the_echo_no_key_is_pressed() {
        let mut early = Scene::new(include_str!("../plugin.toml")).view("-- [Q quit|D dump|down]");
        early.echoed = false;
        assert_eq!(inspect(&early, Config::DEFAULT), None);
    }
}
