//! Word patterns: commands of devices that let a user shorten words, in one line of text.
//!
//! `req[uest] sys[tem] z[eroize]` fits `request system zeroize` and every shorter form down to `req sys z`; what follows does not
//! matter. `..` stands for any number of words, `<word>` for one, `<count>` for a number above zero, `$` at the end for nothing more.
//! Capital letters do not count.

/// Does the command begin with the pattern?
#[must_use]
pub fn begin(pattern: &str, command: &str) -> bool {
    Pattern::new(pattern).begins(&command.split_ascii_whitespace().collect::<Vec<_>>())
}

/// A pattern that was read once, to be held against many commands.
#[derive(Clone, Debug)]
pub struct Pattern(Vec<Word>);

#[derive(Clone, Debug)]
enum Word {
    /// Nothing more.
    End,
    /// Any number of words.
    Any,
    /// One word, whichever.
    Single,
    /// A number above zero: for many devices zero has no end.
    Count,
    /// One word: what must be typed of it, and what may follow.
    One(String, String),
}

impl Pattern {
    /// Reads a pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let word = |word: &str| match word {
            "$" => Word::End,
            ".." => Word::Any,
            "<word>" => Word::Single,
            "<count>" => Word::Count,
            word => {
                let (least, more) = word.split_once('[').unwrap_or((word, ""));
                Word::One(least.to_owned(), more.trim_end_matches(']').to_owned())
            }
        };
        Self(pattern.split(' ').map(word).collect())
    }

    /// Does a command of these words begin with it?
    #[must_use]
    pub fn begins(&self, words: &[&str]) -> bool {
        fits(&self.0, words)
    }
}

/// Goes back to the last `..` only: what fits before it fits where it stands first, and what is typed may be long.
fn fits(mut pattern: &[Word], mut typed: &[&str]) -> bool {
    // What stands behind it in the pattern, and where it goes on.
    let mut gap: Option<(&[Word], &[&str])> = None;
    while let Some((first, rest)) = pattern.split_first() {
        match (first, typed.split_first()) {
            (Word::End, None) => return true,
            (Word::Any, _) => {
                gap = Some((rest, typed));
                pattern = rest;
            }
            (first, Some((word, others))) if first.is(word) => (pattern, typed) = (rest, others),
            _ => {
                let Some((behind, [_, others @ ..])) = gap else { return false };
                gap = Some((behind, others));
                (pattern, typed) = (behind, others);
            }
        }
    }
    true
}

impl Word {
    /// Does one typed word stand for it?
    fn is(&self, typed: &str) -> bool {
        match self {
            Self::End | Self::Any => false,
            Self::Single => true,
            Self::Count => typed.bytes().all(|digit| digit.is_ascii_digit()) && typed.bytes().any(|digit| digit != b'0'),
            Self::One(least, more) => word_fits(least, more, typed),
        }
    }
}

/// Is the typed word the full one or a shorter form of it that the pattern allows?
fn word_fits(least: &str, more: &str, typed: &str) -> bool {
    let same = |part: &str, whole: &str| whole.get(..part.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(part));
    let Some(tail) = typed.get(least.len()..) else { return false };
    same(least, typed) && same(tail, more)
}

#[cfg(test)]
mod tests {
    use super::begin;

    #[test]
    fn words_may_be_shortened_as_far_as_the_pattern_says() {
        for (pattern, command, expected) in [
            ("req[uest] sys[tem] z[eroize]", "request system zeroize", true),
            ("req[uest] sys[tem] z[eroize]", "REQ Sys z media", true),
            ("req[uest] sys[tem] z[eroize]", "re sys z", false),
            ("req[uest] sys[tem] z[eroize]", "request system", false),
            ("req[uest]", "requests", false),
            ("req[uest]", "réquest", false),
            ("show", "show", true),
            ("show", "sho", false),
            ("show", "showx", false),
            ("", "", false),
        ] {
            assert_eq!(begin(pattern, command), expected, "{pattern} {command}");
        }
    }

    #[test]
    fn any_words_and_the_end_have_signs() {
        for (pattern, command, expected) in [
            ("delete $", "delete", true),
            ("delete $", "delete interfaces", false),
            ("del .. /s", "del /q /S C:\\", true),
            ("del .. /s", "del x", false),
            ("super ..", "super", true),
            ("super .. $", "super 15", true),
            ("e[nable] $", "enable 15", false),
            ("cle[ar] .. bgp .. *", "clear ip bgp x bgp vrf y *", true),
            ("cle[ar] .. bgp .. *", "clear * ip bgp x", false),
            ("a .. b c .. d $", "a b b c d x d", true),
            ("a .. b c .. d $", "a b c d x", false),
            ("fw tab -t <word> -s $", "fw tab -t connections -s", true),
            ("fw tab -t <word> -s $", "fw tab -t -s", false),
            ("sniff .. <count> <count> $", "sniff any 'host 192.0.2.1' 4 10", true),
            ("sniff .. <count> <count> $", "sniff any 'port 80 443' 4", false),
            ("sniff .. <count> <count> $", "sniff any none 4 0", false),
            ("sniff .. <count> <count> $", "sniff any none 4 +1", false),
            ("mon .. rep[eat] <count>", "mon port 1/1/1 rate repeat 3", true),
            ("mon .. rep[eat] <count>", "mon port 1/1/1 repeat", false),
        ] {
            assert_eq!(begin(pattern, command), expected, "{pattern} {command}");
        }
    }

    #[test]
    fn words_that_nearly_fit_in_many_ways_cost_no_time() {
        assert!(!begin("a .. a .. a .. a .. a .. b", &"a ".repeat(10_000)));
    }
}
