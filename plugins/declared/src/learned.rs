//! What the session has taught about the device's name. It lives in the prompt's memo.

use jackfield_plugin::settle::Fit;
use jackfield_plugin::text::rows;

use crate::declaration::Mode;

/// The learned name and the last mode, empty where nothing is learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Learned<'a> {
    host: &'a str,
    mode: &'a str,
    /// The name was learned in a mode that cuts it to so many bytes.
    cut: usize,
}

impl<'a> Learned<'a> {
    /// From a memo; what is not one teaches nothing.
    pub(crate) fn parse(memo: &'a str) -> Self {
        let line = |key: &str| rows(memo).find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        Self { host: line("host "), mode: line("mode "), cut: line("cut ").parse().unwrap_or_default() }
    }

    /// The memo to keep.
    pub(crate) fn memo(&self) -> String {
        format!("host {}\nmode {}\ncut {}", self.host, self.mode, self.cut)
    }

    /// How well a prompt fits.
    pub(crate) fn fit(&self, host: &str, mode: &Mode) -> Fit {
        if self.mode.is_empty() {
            return Fit::First;
        }
        // A prompt without the device's name proves less, whatever was learned.
        if host.is_empty() {
            return if self.mode == mode.name { Fit::KnownButCommon } else { Fit::Stranger };
        }
        if self.host.is_empty() {
            return Fit::Stranger;
        }
        if host == self.host || self.is_cut_to(host, mode.cut) || self.continues(host, &mode.after_host) {
            Fit::Known
        } else {
            Fit::Stranger
        }
    }

    /// With what an accepted prompt shows.
    pub(crate) fn and(self, host: &'a str, mode: &'a Mode) -> Self {
        let knows_more = self.fit(host, mode) == Fit::Known && (self.cut == 0 || host.len() <= self.host.len());
        if host.is_empty() || knows_more {
            return Self { mode: &mode.name, ..self };
        }
        Self { host, mode: &mode.name, cut: if mode.cut == host.len() { mode.cut } else { 0 } }
    }

    /// One of the two names is the other one, cut.
    fn is_cut_to(&self, host: &str, cut: usize) -> bool {
        let is = |long: &str, short: &str, cut: usize| cut > 0 && short.len() == cut && long.starts_with(short);
        is(self.host, host, cut) || is(host, self.host, self.cut)
    }

    /// The name, and behind it what the mode adds: `name-interface/1`.
    fn continues(&self, host: &str, after: &str) -> bool {
        host.strip_prefix(self.host).is_some_and(|rest| rest.starts_with(|c| after.contains(c)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::made_up;

    fn fit(learned: &[&str], row: &str) -> Fit {
        let declaration = made_up::declaration();
        let mut memo = String::new();
        for row in learned {
            let view = made_up::view(row);
            let (mode, hit) = declaration.mode(&view).unwrap();
            let known = Learned::parse(&memo).and(hit.group("host").unwrap_or_default(), mode);
            let next = known.memo();
            assert_eq!(Learned::parse(&next), known);
            memo = next;
        }
        let view = made_up::view(row);
        let (mode, hit) = declaration.mode(&view).unwrap();
        Learned::parse(&memo).fit(hit.group("host").unwrap_or_default(), mode)
    }

    #[test]
    fn the_first_name_is_learned_and_another_one_is_a_stranger() {
        assert_eq!(fit(&[], "r1>"), Fit::First);
        assert_eq!(fit(&["r1>"], "r1#"), Fit::Known);
        assert_eq!(fit(&["r1>"], "r2#"), Fit::Stranger);
        assert_eq!(fit(&["r1>"], "r#"), Fit::Stranger);
        assert_eq!(fit(&["r1>", "r2#"], "r2>"), Fit::Known);
    }

    #[test]
    fn a_mode_may_cut_the_name() {
        assert_eq!(fit(&["abcdefghij>"], "abcdefgh(conf)#"), Fit::Known);
        assert_eq!(fit(&["abcdefghij>"], "abcdefg(conf)#"), Fit::Stranger);
        assert_eq!(fit(&["abcdefghij>"], "abcdefgh#"), Fit::Stranger);
        assert_eq!(fit(&["abcdefgh(conf)#"], "abcdefghij>"), Fit::Known);
        assert_eq!(fit(&["abcdefgh(conf)#", "abcdefghij>"], "abcdefghkl>"), Fit::Stranger);
        assert_eq!(fit(&["abcdefghij>", "abcdefgh(conf)#"], "abcdefghij>"), Fit::Known);
    }

    #[test]
    fn a_mode_may_add_to_the_name() {
        assert_eq!(fit(&["r1>"], "[r1]"), Fit::Known);
        assert_eq!(fit(&["r1>"], "[r1-port/1]"), Fit::Known);
        assert_eq!(fit(&["r1>"], "[r12]"), Fit::Stranger);
        assert_eq!(fit(&["r1>", "[r1-port/1]"], "r1>"), Fit::Known);
    }

    #[test]
    fn a_prompt_without_a_name_never_proves_as_much() {
        assert_eq!(fit(&["r1>"], "boot>"), Fit::Stranger);
        assert_eq!(fit(&["r1>", "boot>"], "boot>"), Fit::KnownButCommon);
        assert_eq!(fit(&["boot>"], "r1>"), Fit::Stranger);
        assert_eq!(fit(&["r1>", "boot>"], "r1>"), Fit::Known);
    }
}
