//! Search in text. The standard library's own is made for long texts and patterns: with it a plugin carries a tenth more, and takes longer
//! to begin than most rows of a device are to be read.

/// Where the part begins in the text for the first time.
#[must_use]
#[inline(never)]
pub fn find(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let Some((first, others)) = part.split_first() else { return Some(0) };
    let last = text.len().checked_sub(part.len())?;
    let starts = text.get(..=last).unwrap_or_default();
    let is_here = |at: usize| text.get(at + 1..).is_some_and(|rest| rest.starts_with(others));
    starts.iter().enumerate().find(|(at, byte)| *byte == first && is_here(*at)).map(|(at, _)| at)
}

/// Is the part somewhere in the text?
#[must_use]
pub fn holds(text: &str, part: &str) -> bool {
    find(text, part).is_some()
}

/// Does the text begin with one of these?
#[must_use]
#[inline(never)]
pub fn begins(text: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| text.starts_with(beginning))
}

/// What stands before the part and behind it.
#[must_use]
pub fn split_once<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, part)?;
    Some((text.get(..at)?, text.get(at + part.len()..)?))
}

/// The text without ASCII white space at its ends.
#[must_use]
#[inline(never)]
pub fn trim(text: &str) -> &str {
    text.trim_ascii()
}

/// The text without ASCII white space at its end.
#[must_use]
#[inline(never)]
pub fn trim_end(text: &str) -> &str {
    text.trim_ascii_end()
}

/// The pieces between the places of the part.
#[must_use]
pub fn split<'a>(text: &'a str, part: &str) -> Vec<&'a str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((piece, behind)) = split_once(rest, part).filter(|_| !part.is_empty()) {
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

/// The rows of a text, without what ends them.
pub fn rows(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    core::iter::from_fn(move || next_row(&mut rest))
}

#[inline(never)]
fn next_row<'a>(rest: &mut &'a str) -> Option<&'a str> {
    if rest.is_empty() {
        return None;
    }
    let (row, behind) = split_where(rest, |byte| byte == b'\n');
    *rest = behind.get(1..).unwrap_or_default();
    Some(if behind.is_empty() { row } else { row.strip_suffix('\r').unwrap_or(row) })
}

/// Does a list of words with single blanks between hold this one? Such lists are small, and short to read.
#[must_use]
#[inline(never)]
pub fn listed(list: &str, word: &str) -> bool {
    let (mut rest, word) = (list.as_bytes(), word.as_bytes());
    loop {
        if rest.first() == word.first()
            && let Some(behind) = rest.strip_prefix(word)
            && matches!(behind.first(), None | Some(b' '))
        {
            // Two words are not one of the list.
            return !word.contains(&b' ');
        }
        let Some(blank) = rest.iter().position(|byte| *byte == b' ') else { return false };
        rest = rest.get(blank + 1..).unwrap_or_default();
    }
}

/// A whole number with at most a minus in front.
#[must_use]
#[inline(never)]
pub fn whole(digits: &str) -> Option<i64> {
    let (digits, sign) = digits.strip_prefix('-').map_or((digits, 1), |digits| (digits, -1));
    let digit = |byte: u8| char::from(byte).to_digit(10).map(i64::from);
    let add = |number: i64, byte: u8| number.checked_mul(10)?.checked_add(sign * digit(byte)?);
    if digits.is_empty() { None } else { digits.bytes().try_fold(0, add) }
}

/// The same searches as methods of the text, each compiled once and not wherever something is looked for.
pub trait Search {
    /// Does it hold this sign?
    fn has(&self, sign: char) -> bool;
    /// Does it hold one of these ASCII signs?
    fn has_any(&self, signs: &str) -> bool;
    /// Is the part somewhere in it?
    fn holds(&self, part: &str) -> bool;
    /// It with another text in each place of the part.
    fn replaced(&self, part: &str, with: &str) -> String;
}

impl Search for str {
    #[inline(never)]
    fn has(&self, sign: char) -> bool {
        if sign.is_ascii() { self.bytes().any(|byte| char::from(byte) == sign) } else { holds(self, sign.encode_utf8(&mut [0; 4])) }
    }

    #[inline(never)]
    fn has_any(&self, signs: &str) -> bool {
        self.bytes().any(|byte| signs.as_bytes().contains(&byte))
    }

    fn holds(&self, part: &str) -> bool {
        holds(self, part)
    }

    #[inline(never)]
    fn replaced(&self, part: &str, with: &str) -> String {
        let (mut text, mut rest) = (String::new(), self);
        while let Some((before, behind)) = split_once(rest, part).filter(|_| !part.is_empty()) {
            text.push_str(before);
            text.push_str(with);
            rest = behind;
        }
        text.push_str(rest);
        text
    }
}

/// The words between white space.
#[must_use]
#[inline(never)]
pub fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The text without white space in front.
#[must_use]
#[inline(never)]
pub fn trim_start(text: &str) -> &str {
    text.trim_start()
}

/// Is the character one of these signs, which are all ASCII?
#[must_use]
#[inline(never)]
pub fn is_one_of(c: char, signs: &str) -> bool {
    signs.bytes().any(|sign| char::from(sign) == c)
}

/// The text before the first byte of this kind, which begins a character, and the text from there on.
pub(crate) fn split_where(text: &str, is_end: fn(u8) -> bool) -> (&str, &str) {
    split_at(text, text.bytes().position(is_end).unwrap_or(text.len()))
}

#[inline(never)]
fn split_at(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_the_standard_library_finds() {
        for text in ["", "a", "aab", "aaab", "é☃", "abcabd", "ab"] {
            for part in ["", "a", "b", "aab", "☃", "é☃", "abd", "abcabdx"] {
                assert_eq!(find(text, part), text.find(part), "{part} in {text}");
                assert_eq!(split_once(text, part), text.split_once(part), "{part} in {text}");
                assert_eq!(holds(text, part), text.contains(part), "{part} in {text}");
            }
        }
    }

    #[test]
    fn methods_find_what_the_standard_library_finds() {
        for text in ["", "a", "aab", "é☃", "a,b,,c", "{}x{}"] {
            for sign in ['a', ',', 'é', '☃'] {
                assert_eq!(text.has(sign), text.contains(sign), "{sign} in {text}");
            }
            assert_eq!(text.has_any(",b"), text.contains([',', 'b']), "{text}");
            for part in ["a", ",", "{}", "☃", "aa"] {
                assert_eq!(split(text, part), text.split(part).collect::<Vec<_>>(), "{part} in {text}");
                assert_eq!(text.replaced(part, "+"), text.replace(part, "+"), "{part} in {text}");
            }
        }
        assert_eq!("ab".replaced("", "+"), "ab");
    }

    #[test]
    fn rows_are_those_of_the_standard_library() {
        for text in ["", "\n", "a", "a\n", "a\nb", "a\r\n\r\nb\r", "\n\né\n", "a\rb\n"] {
            assert!(rows(text).eq(text.lines()), "{text:?}");
        }
    }

    #[test]
    fn a_word_of_a_list_is_a_whole_one() {
        let list = "cat head tail-f a";
        for word in ["cat", "head", "tail-f", "a", "", "tail", "-f", "cat head", "ca", "b", "a ", " "] {
            assert_eq!(listed(list, word), list.split(' ').any(|known| known == word), "{word}");
        }
        assert!(listed("", "") && !listed("", "a"));
    }

    #[test]
    fn whole_numbers_are_read_up_to_the_largest() {
        for digits in ["0", "-1", "007", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "", "-", "--1", "1.5", "1e3"]
        {
            assert_eq!(whole(digits), digits.parse().ok(), "{digits}");
        }
    }

    #[test]
    fn signs_are_single_characters() {
        assert!(is_one_of('b', "abc") && !is_one_of('d', "abc") && !is_one_of('é', "abc") && !is_one_of('a', ""));
    }
}
