//! The router's name as its prompt shows it: `user@identity`, or what is left of it at a narrow width.
//!
//! The memo of the prompt holds the longest form that was accepted.

use jackfield_plugin::Hit;

/// How a prompt names the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    text: String,
    cut: bool,
}

/// How well a name fits the learned one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is the learned one, perhaps cut.
    Known,
    /// Nothing is learned.
    First,
    /// Another one is learned.
    Stranger,
}

impl Name {
    /// From a hit of a prompt trigger.
    pub(crate) fn of(hit: &Hit) -> Option<Self> {
        let whole = hit.group("name").map(|text| Self { text: text.to_owned(), cut: false });
        whole.or_else(|| hit.group("rest").map(|text| Self { text: text.to_owned(), cut: true }))
    }

    /// From the memo, absent before the first prompt. A cut name is marked with `<`, as in the prompt.
    pub(crate) fn learned(memo: &str) -> Option<Self> {
        let (text, cut) = memo.strip_prefix('<').map_or((memo, false), |rest| (rest, true));
        (!text.is_empty()).then(|| Self { text: text.to_owned(), cut })
    }

    /// The memo to keep.
    pub(crate) fn memo(&self) -> String {
        let mark = if self.cut { "<" } else { "" };
        [mark, &self.text].concat()
    }

    /// Does it fit what is learned?
    pub(crate) fn fit(&self, learned: Option<&Self>) -> Fit {
        let Some(learned) = learned else { return Fit::First };
        let same = match (self.cut, learned.cut) {
            (false, false) => self.text == learned.text,
            (true, false) => learned.text.ends_with(&self.text),
            (false, true) => self.text.ends_with(&learned.text),
            (true, true) => self.text.ends_with(&learned.text) || learned.text.ends_with(&self.text),
        };
        if same { Fit::Known } else { Fit::Stranger }
    }

    /// What to keep after this name was accepted: the whole name where both are the same router.
    pub(crate) fn or_longer(self, learned: Option<Self>) -> Self {
        match learned {
            Some(learned) if self.fit(Some(&learned)) == Fit::Known && learned.text.len() > self.text.len() => learned,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Name {
        Name { text: text.to_owned(), cut: false }
    }

    fn cut(text: &str) -> Name {
        Name { text: text.to_owned(), cut: true }
    }

    #[test]
    fn survives_its_memo() {
        for name in [whole("user@Test, Router (main).lab"), cut("SYSTEM-IDENTITY-NAME")] {
            assert_eq!(Name::learned(&name.memo()), Some(name));
        }
        assert_eq!(Name::learned(""), None);
        assert_eq!(Name::learned("<"), None);
    }

    #[test]
    fn a_name_cut_on_the_left_is_the_same_router() {
        let learned = whole("admin@MY_VERY-LONG-NAME");
        assert_eq!(cut("LONG-NAME").fit(Some(&learned)), Fit::Known);
        assert_eq!(cut("LONG-NAM").fit(Some(&learned)), Fit::Stranger);
        assert_eq!(learned.fit(Some(&cut("LONG-NAME"))), Fit::Known);
        assert_eq!(cut("G-NAME").fit(Some(&cut("LONG-NAME"))), Fit::Known);
        assert_eq!(whole("admin@MikroTik").fit(None), Fit::First);
        assert_eq!(whole("admin@new").fit(Some(&whole("admin@old"))), Fit::Stranger);
        assert_eq!(whole("LONG-NAME").fit(Some(&learned)), Fit::Stranger);
    }

    #[test]
    fn the_longer_form_is_kept_and_a_rename_replaces_it() {
        let long = whole("admin@MY_VERY-LONG-NAME");
        assert_eq!(cut("LONG-NAME").or_longer(Some(long.clone())), long);
        assert_eq!(long.clone().or_longer(Some(cut("LONG-NAME"))), long);
        assert_eq!(whole("admin@new").or_longer(Some(long)), whole("admin@new"));
        assert_eq!(cut("X").or_longer(None), cut("X"));
    }
}
