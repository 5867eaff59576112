//! Words of a line, as a shell and Ansible split them: by blanks, with quotes and backslashes.

/// The words. `#` at the begin of a word ends the line. Nothing where a quote is never closed.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().push(letters.next()?),
            (Some(_), letter) => word.get_or_insert_default().push(letter),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (None, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A value of an INI file: without the quotes around it, or up to a comment.
pub(super) fn value(text: &str) -> String {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
            && !inner.contains(quote)
        {
            return inner.to_owned();
        }
    }
    text.split(" #").next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (line, expected) in [
            ("a b  c", Some(vec!["a", "b", "c"])),
            ("web1 args='-o ProxyCommand=\"ssh -W %h:%p b\"'", Some(vec!["web1", "args=-o ProxyCommand=\"ssh -W %h:%p b\""])),
            ("a # the rest", Some(vec!["a"])),
            ("a#b", Some(vec!["a#b"])),
            (r"a\ b", Some(vec!["a b"])),
            ("''", Some(vec![""])),
            ("", Some(vec![])),
            ("a 'b", None),
        ] {
            assert_eq!(split(line), expected.map(|words| words.into_iter().map(str::to_owned).collect()), "{line}");
        }
    }

    #[test]
    fn values_lose_their_quotes() {
        for (text, expected) in [("\"a b\"", "a b"), ("'x'", "x"), ("a # note", "a"), ("-o A=\"b\" -o C=\"d\"", "-o A=\"b\" -o C=\"d\"")] {
            assert_eq!(value(text), expected);
        }
    }
}
