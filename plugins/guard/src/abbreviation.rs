//! Words that a device lets a user shorten.

/// A command by its full words and by the shortest form that must already be stopped.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// Full words, lower case.
    pub(crate) full: &'static str,
    /// As many words or fewer, each the beginning of the full one.
    pub(crate) least: &'static str,
    /// The rule that stops it.
    pub(crate) rule: &'static str,
}

impl Stopped {
    /// Do these typed words mean it? A typed word fits when it is the beginning of the full word and is
    /// not shorter than the least one. Chosen to stop too much: some of the short forms are ambiguous.
    pub(crate) fn is(&self, typed: &[&str]) -> bool {
        let first = |text: &str| text.bytes().next().map(|byte| byte.to_ascii_lowercase());
        // Most words of a list begin otherwise.
        if typed.first().is_some_and(|word| first(word) != first(self.full)) {
            return false;
        }
        let mut words = typed.iter();
        let mut full = self.full.split(' ');
        self.least.split(' ').all(|least| match (words.next(), full.next()) {
            (Some(word), Some(full)) => shortens(word, full, least.len()),
            _ => false,
        })
    }
}

/// Is the typed word the full one or a beginning of it with at least so many letters? Case does not count.
pub(crate) fn shortens(typed: &str, full: &str, least: usize) -> bool {
    typed.len() >= least && full.get(..typed.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(typed))
}

/// `sh -c x` and `sh ./x` call a shell where there is one, though `sh` is short for `show` elsewhere.
pub(crate) fn calls_shell(words: &[&str]) -> bool {
    words.windows(2).any(|pair| matches!(pair, [sh, given] if sh.eq_ignore_ascii_case("sh") && given.starts_with(['-', '/', '.', '~'])))
}

/// Counters of some platforms are shown and cleared at once, all of them or some: `clear_drop`.
pub(crate) fn clears(words: &[&str]) -> bool {
    let is_clear = |word: &&str| shortens(word, "clear", 3) || word.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("clear_"));
    words.len() > 2 && words.last().is_some_and(is_clear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_may_be_shortened_down_to_the_least_form() {
        for (typed, fits) in
            [("reload", true), ("rel", true), ("RELO", true), ("re", false), ("reloads", false), ("relay", false), ("réload", false)]
        {
            assert_eq!(shortens(typed, "reload", 3), fits, "{typed}");
        }
    }

    #[test]
    fn every_word_of_the_least_form_must_be_there() {
        let erase = Stopped { full: "write erase", least: "wr e", rule: "wipe" };
        for (typed, fits) in [
            (&["write", "erase"][..], true),
            (&["wr", "er", "now"], true),
            (&["wr"], false),
            (&["w", "e"], false),
            (&["write", "memory"], false),
            (&[], false),
        ] {
            assert_eq!(erase.is(typed), fits, "{typed:?}");
        }
    }
}
