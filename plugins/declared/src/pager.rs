//! Turns pages.

use jackfield_plugin::{Page, View};

use crate::declaration::Declaration;

/// The key for the marker that the last row shows, if it is one.
pub(crate) fn inspect(view: &View, declaration: &Declaration) -> Option<Page> {
    // A line that was typed while the marker stood is read as keys: nothing may be added to it.
    if !view.echoed {
        return None;
    }
    let (hit, send, pager) = view.hits.iter().find_map(|hit| {
        let at = |prefix: &str, send: &str| hit.trigger.strip_prefix(prefix).map(|pager| (hit, [send, pager].concat(), pager));
        at("pager:", "pager-").or_else(|| at("pager-end:", "pager-end-"))
    })?;
    // Output may begin like this: it must stay.
    if declaration.pager_stays(pager, &view.mode) && view.quiet_ms < view.settle_ms {
        return None;
    }
    Some(Page { send, strip: hit.group("strip").unwrap_or(&view.tail).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::made_up;

    fn page(tail: &str, quiet_ms: u32, echoed: bool) -> Option<(String, String)> {
        let mut view = made_up::view(tail);
        (view.quiet_ms, view.echoed) = (quiet_ms, echoed);
        inspect(&view, &made_up::declaration()).map(|page| (page.send, page.strip))
    }

    fn is(send: &str, strip: &str) -> Option<(String, String)> {
        Some((send.to_owned(), strip.to_owned()))
    }

    #[test]
    fn a_marker_has_its_key_and_the_last_one_another() {
        assert_eq!(page(":", 50, true), is("pager-0", ":"));
        assert_eq!(page("(END)", 50, true), is("pager-end-0", "(END)"));
        assert_eq!(page("a: b", 50, true), None);
    }

    #[test]
    fn what_output_may_begin_with_must_stay() {
        assert_eq!(page(":", 49, true), None);
        assert_eq!(page("--more--", 0, true), is("pager-1", "--more--"));
    }

    #[test]
    fn a_marker_where_paging_was_turned_off_must_stay_too() {
        let mut view = made_up::view("--more--");
        (view.mode, view.quiet_ms) = ("user".to_owned(), 49);
        assert_eq!(inspect(&view, &made_up::declaration()), None);
        view.mode = "boss".to_owned();
        assert!(inspect(&view, &made_up::declaration()).is_some());
    }

    #[test]
    fn only_the_marker_is_taken_out() {
        assert_eq!(page("row of text --more--", 0, true), is("pager-1", "--more--"));
    }

    #[test]
    fn no_key_is_pressed_into_a_line_that_was_not_echoed() {
        assert_eq!(page(":", 50, false), None);
    }
}
