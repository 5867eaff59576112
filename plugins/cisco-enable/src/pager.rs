//! Turns pages: `--More--` everywhere, less in vtysh.

use jackfield_plugin::{Page, View};

use crate::config::{Config, Dialect};

/// The key for the marker that the last row shows, if it is one.
pub(crate) fn inspect(view: &View, config: Config) -> Option<Page> {
    // A line that was typed while the marker stood is read as keys: nothing may be added to it.
    if !view.echoed {
        return None;
    }
    let send = if view.hit("more").is_some() { more(view)? } else { less(view, config)? };
    Some(Page { send: send.to_owned(), strip: view.tail.clone() })
}

/// A marker that ends in its blank is whole. Without one it may be a row of text that a read happened to end behind: it has to stay.
fn more(view: &View) -> Option<&'static str> {
    (view.tail.ends_with(' ') || view.quiet_ms >= view.settle_ms).then_some("next-page")
}

/// At its end less waits for `q` alone, and by then nothing is lost by it. A lone colon counts only when it
/// stays: an IPv6 route begins like that.
fn less(view: &View, config: Config) -> Option<&'static str> {
    let hit = view.hit("less").filter(|_| config.dialect(view) == Dialect::Vtysh)?;
    if hit.group("colon").is_some() && view.quiet_ms < view.settle_ms {
        return None;
    }
    Some(if hit.group("end").is_some() { "leave-end" } else { "next-page" })
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;
    use jackfield_plugin::testing::Scene;

    use super::*;

    fn view(tail: &str, device_type: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.facts.push(Fact { name: "device-type".into(), value: device_type.into() });
        view
    }

    fn key(tail: &str, device_type: &str) -> Option<String> {
        inspect(&view(tail, device_type), Config::DEFAULT).map(|page| page.send)
    }

    #[test]
    fn each_more_marker_turns_a_page_and_is_stripped() {
        for marker in crate::facts::MORE_MARKERS {
            for device_type in ["cisco_ios", "cisco_xe", "arista_eos", "frr_vty"] {
                let page = inspect(&view(marker, device_type), Config::DEFAULT);
                assert_eq!(page, Some(Page { send: "next-page".into(), strip: (*marker).into() }), "{marker:?}");
            }
        }
    }

    #[test]
    fn text_around_a_marker_is_output() {
        for row in ["foo --More-- ", " --More-- bar", "--More-- or --Less--", "-- More --", "   --More--"] {
            assert_eq!(key(row, "cisco_ios"), None, "{row:?}");
        }
    }

    #[test]
    fn less_is_answered_in_vtysh_only() {
        for marker in crate::facts::LESS_MARKERS {
            assert!(key(marker, "frr_vtysh").is_some(), "{marker:?}");
            assert_eq!(key(marker, "cisco_ios"), None, "{marker:?}");
        }
    }

    #[test]
    fn less_is_left_at_its_end_only() {
        assert_eq!(key("(END)", "frr_vtysh").as_deref(), Some("leave-end"));
        assert_eq!(key("lines 24-60/60 (END)", "frr_vtysh").as_deref(), Some("leave-end"));
        assert_eq!(key("lines 1-23/60 37%", "frr_vtysh").as_deref(), Some("next-page"));
        assert_eq!(key(":", "frr_vtysh").as_deref(), Some("next-page"));
    }

    #[test]
    fn a_colon_that_just_came_may_be_the_start_of_an_address() {
        let mut young = view(":", "frr_vtysh");
        young.quiet_ms = 49;
        assert_eq!(inspect(&young, Config::DEFAULT), None);
    }

    #[test]
    fn a_marker_without_its_blank_has_to_stay() {
        let mut young = view(" --More--", "arista_eos");
        young.quiet_ms = 49;
        assert_eq!(inspect(&young, Config::DEFAULT), None);
        let mut whole = view(" --More-- ", "arista_eos");
        whole.quiet_ms = 0;
        assert!(inspect(&whole, Config::DEFAULT).is_some());
    }

    #[test]
    fn no_key_is_pressed_into_a_line_that_was_not_echoed() {
        let mut early = view(" --More-- ", "cisco_ios");
        early.echoed = false;
        assert_eq!(inspect(&early, Config::DEFAULT), None);
    }
}
