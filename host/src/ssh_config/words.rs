//! Cuts a line into its keyword and its arguments.
//!
//! OpenSSH cuts twice, by different rules: the keyword (and the criteria of `Match`) know only double quotes and take one `=` for a
//! blank; arguments know both quotes, backslashes and comments.

/// What stands between words.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// The line without what follows a NUL, and without the blanks at its end. Its first character stays, whatever it is.
pub(super) fn trimmed(line: &str) -> &str {
    let line = line.split('\0').next().unwrap_or_default();
    let mut rest = line;
    while let Some(shorter) = rest.strip_suffix([' ', '\t', '\r', '\n', '\x0c']).filter(|shorter| !shorter.is_empty()) {
        rest = shorter;
    }
    rest
}

/// The keyword in lower case and what follows it; nothing for an empty line, a comment, or a quote without its end.
pub(super) fn keyword(line: &str) -> Option<(String, &str)> {
    let mut rest = Some(line);
    let mut word = next(&mut rest)?;
    // A line that begins with blanks has an empty word before them.
    if word.is_empty() {
        word = next(&mut rest)?;
    }
    if word.is_empty() || word.starts_with('#') {
        return None;
    }
    Some((word.to_ascii_lowercase(), rest.unwrap_or_default().trim_start_matches(BLANKS)))
}

/// Takes the next word up to a blank, a quote or one `=`. Nothing at the end, and where a double quote has no other end.
pub(super) fn next(rest: &mut Option<&str>) -> Option<String> {
    let text = rest.take()?;
    let Some(at) = text.find(|letter| BLANKS.contains(&letter) || matches!(letter, '"' | '=')) else { return Some(text.to_owned()) };
    let (word, after) = text.split_at(at);
    if let Some(quoted) = after.strip_prefix('"') {
        let (inside, after) = quoted.split_once('"')?;
        *rest = Some(after.trim_start_matches(BLANKS));
        return Some(format!("{word}{inside}"));
    }
    let left = match after.strip_prefix('=') {
        Some(left) => left.trim_start_matches(BLANKS),
        None => {
            let left = after.trim_start_matches(BLANKS);
            left.strip_prefix('=').map_or(left, |left| left.trim_start_matches(BLANKS))
        }
    };
    *rest = Some(left);
    Some(word.to_owned())
}

/// The arguments up to a comment; nothing where a quote has no end.
pub(super) fn arguments(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|letter| matches!(letter, ' ' | '\t')).is_some() {}
        if letters.peek().is_none_or(|letter| *letter == '#') {
            return Some(words);
        }
        words.push(argument(&mut letters)?);
    }
}

fn argument(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', _) => {
                let escaped = |next: &char| matches!(next, '\'' | '"' | '\\') || (quote.is_none() && *next == ' ');
                word.push(letters.next_if(escaped).unwrap_or('\\'));
            }
            (' ' | '\t', None) => return Some(word),
            ('"' | '\'', None) => quote = Some(letter),
            (end, Some(begin)) if end == begin => quote = None,
            _ => word.push(letter),
        }
    }
    quote.is_none().then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_ends_at_a_blank_a_quote_or_one_equals_sign() {
        let check = |line: &str, expected: Option<(&str, &str)>| {
            assert_eq!(keyword(trimmed(line)), expected.map(|(word, rest)| (word.to_owned(), rest)), "{line:?}");
        };
        check("Port 22\n", Some(("port", "22")));
        check("\t PORT = 22 \r\n", Some(("port", "22")));
        check("Port=22", Some(("port", "22")));
        check("Port == 22", Some(("port", "= 22")));
        check("\"Port\" 22", Some(("port", "22")));
        check("Po\"rt\"22", Some(("port", "22")));
        check("Po\"rt 22", None);
        check("  = Port 22", Some(("port", "22")));
        check("# Port 22", None);
        check("   # Port 22", None);
        check("Port 22\0x", Some(("port", "22")));
        check("Port", Some(("port", "")));
        check("\x0c", Some(("\x0c", "")));
        check(" \n", None);
        check("", None);
    }

    #[test]
    fn arguments_know_quotes_escapes_and_comments() {
        let check = |text: &str, expected: Option<&[&str]>| {
            assert_eq!(arguments(text), expected.map(|words| words.iter().map(ToString::to_string).collect()), "{text:?}");
        };
        check("a  b\tc", Some(&["a", "b", "c"]));
        check("a # b", Some(&["a"]));
        check("a#b", Some(&["a#b"]));
        check("#a", Some(&[]));
        check(r#""a b" 'c d'"#, Some(&["a b", "c d"]));
        check(r#"a" "b"#, Some(&["a b"]));
        check(r"a\ b", Some(&["a b"]));
        check(r#""a\ b""#, Some(&[r"a\ b"]));
        check(r#"\"a\' \\ \n"#, Some(&["\"a'", r"\", r"\n"]));
        check(r#"'it"s' "it's""#, Some(&["it\"s", "it's"]));
        check(r#""""#, Some(&[""]));
        check("it's", None);
        check("\"a", None);
        check(r"a\", Some(&[r"a\"]));
    }
}
