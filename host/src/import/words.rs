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
            (None, '\\') => word.get_or_insert_default().push(letters.next()?),
            // Between double quotes it is a sign like others before most, as in the name of an account in a domain.
            (Some('"'), '\\') => match letters.next()? {
                escaped @ ('"' | '\\') => word.get_or_insert_default().push(escaped),
                other => word.get_or_insert_default().extend(['\\', other]),
            },
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
    quoted(text).unwrap_or_else(|| text.split(" #").next().unwrap_or_default().trim_end().to_owned())
}

/// What stands between quotes, where nothing but a comment comes behind them.
fn quoted(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let quote = letters.next().filter(|first| matches!(first, '"' | '\''))?;
    let mut inner = String::new();
    loop {
        match letters.next()? {
            '\\' => match letters.next()? {
                escaped if escaped == quote || escaped == '\\' => inner.push(escaped),
                other => inner.extend(['\\', other]),
            },
            end if end == quote => break,
            letter => inner.push(letter),
        }
    }
    let behind = letters.as_str().trim_start();
    (behind.is_empty() || behind.starts_with('#')).then_some(inner)
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
            (r#"u="LAB\ops" p="a\"b\\c""#, Some(vec![r"u=LAB\ops", r#"p=a"b\c"#])),
            ("''", Some(vec![""])),
            ("", Some(vec![])),
            ("a 'b", None),
        ] {
            assert_eq!(split(line), expected.map(|words| words.into_iter().map(str::to_owned).collect()), "{line}");
        }
    }

    #[test]
    fn values_lose_their_quotes() {
        for (text, expected) in [
            ("\"a b\"", "a b"),
            ("'x'", "x"),
            ("a # note", "a"),
            ("-o A=\"b\" -o C=\"d\"", "-o A=\"b\" -o C=\"d\""),
            ("\"a # b\"  # note", "a # b"),
            ("'x' #note", "x"),
            (r#""LAB\\ops \"x\" \d""#, r#"LAB\ops "x" \d"#),
            ("'a' 'b'", "'a' 'b'"),
            ("\"a", "\"a"),
        ] {
            assert_eq!(value(text), expected);
        }
    }
}
