//! The operator's settings: the flat JSON object that `setup.configure` gets.
//!
//! A small reader instead of a JSON crate: the object holds text, whole numbers and truth values only,
//! and a plugin should stay small.

use core::iter::Peekable;
use core::str::Chars;

use crate::Diagnostic;

/// Settings by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settings {
    entries: Vec<(String, Value)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(i64),
    Flag(bool),
}

impl Settings {
    /// Reads the object.
    ///
    /// # Errors
    ///
    /// When it is not an object of text, whole numbers and truth values, or names a key twice. The path is the
    /// key whose value is wrong, empty when the object itself is.
    pub fn parse(json: &str) -> Result<Self, Diagnostic> {
        let mut reader = Reader { rest: json.chars().peekable() };
        let mut settings = Self::default();
        reader.object(&mut settings)?;
        Ok(settings)
    }

    /// The text under this key, if there is one.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.value(key) { Some(text) } else { None }
    }

    /// The whole number under this key, if there is one.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<i64> {
        if let Some(Value::Number(number)) = self.value(key) { Some(*number) } else { None }
    }

    /// The truth value under this key, if there is one.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        if let Some(Value::Flag(flag)) = self.value(key) { Some(*flag) } else { None }
    }

    /// Which of the words stands under this key; the first one when the key is absent.
    ///
    /// # Errors
    ///
    /// When something else stands there. The message names the words.
    pub fn choice<'a>(&self, key: &str, words: &[&'a str]) -> Result<&'a str, Diagnostic> {
        let Some(value) = self.value(key) else { return Ok(words.first().copied().unwrap_or_default()) };
        let found = words.iter().find(|word| matches!(value, Value::Text(text) if text == *word));
        found.copied().ok_or_else(|| Diagnostic { path: key.to_owned(), message: format!("must be one of `{}`", words.join("`, `")) })
    }

    /// One diagnostic for each key that is not among the known ones.
    #[must_use]
    pub fn unknown(&self, known: &[&str]) -> Vec<Diagnostic> {
        let stray = self.entries.iter().filter(|(key, _)| !known.contains(&key.as_str()));
        stray.map(|(key, _)| Diagnostic { path: key.clone(), message: unknown_key(known) }).collect()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

fn unknown_key(known: &[&str]) -> String {
    if known.is_empty() { "this plugin has no settings".to_owned() } else { format!("unknown setting, known are `{}`", known.join("`, `")) }
}

fn at(path: &str) -> impl Fn(String) -> Diagnostic {
    move |message| Diagnostic { path: path.to_owned(), message }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn object(&mut self, into: &mut Settings) -> Result<(), Diagnostic> {
        self.expect('{').map_err(at(""))?;
        if !self.take('}') {
            self.entry(into)?;
            while !self.take('}') {
                self.expect(',').map_err(at(""))?;
                self.entry(into)?;
            }
        }
        self.skip_space();
        self.rest.peek().map_or(Ok(()), |extra| Err(at("")(format!("`{extra}` after the end of the settings"))))
    }

    fn entry(&mut self, into: &mut Settings) -> Result<(), Diagnostic> {
        let key = self.string().map_err(at(""))?;
        self.expect(':').map_err(at(&key))?;
        let value = self.value().map_err(at(&key))?;
        if into.value(&key).is_some() {
            return Err(at(&key)("is given twice".to_owned()));
        }
        into.entries.push((key, value));
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        self.skip_space();
        match self.rest.peek() {
            Some('"') => self.string().map(Value::Text),
            Some('-' | '0'..='9') => self.number(),
            _ => self.flag(),
        }
    }

    fn flag(&mut self) -> Result<Value, String> {
        let mut word = String::new();
        while let Some(letter) = self.rest.next_if(char::is_ascii_lowercase) {
            word.push(letter);
        }
        match word.as_str() {
            "true" => Ok(Value::Flag(true)),
            "false" => Ok(Value::Flag(false)),
            _ => Err("must be a text, a whole number, true or false".to_owned()),
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c)) {
            digits.push(digit);
        }
        digits.parse().map(Value::Number).map_err(|_| format!("`{digits}` is not a whole number"))
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(c) if c >= ' ' => text.push(c),
                _ => return Err("a text is not closed".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        match self.rest.next() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.unicode(),
            _ => Err("unknown escape in a text".to_owned()),
        }
    }

    /// Behind `\u`. Pairs for characters beyond four digits are refused: the host writes such characters as they are.
    fn unicode(&mut self) -> Result<char, String> {
        let mut code = 0;
        for _ in 0..4 {
            code =
                self.rest.next().and_then(|digit| digit.to_digit(16)).map(|digit| code * 16 + digit).ok_or("unknown escape in a text")?;
        }
        char::from_u32(code).ok_or_else(|| "half a character in a text".to_owned())
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(format!("`{wanted}` is missing")) }
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn skip_space(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r')).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_value() {
        let settings = Settings::parse(r#" { "paging" : "off", "rows": 50, "low": -3 , "strict":true,"lax": false } "#).unwrap();
        assert_eq!(settings.text("paging"), Some("off"));
        assert_eq!((settings.number("rows"), settings.number("low")), (Some(50), Some(-3)));
        assert_eq!((settings.flag("strict"), settings.flag("lax")), (Some(true), Some(false)));
    }

    #[test]
    fn a_value_of_another_kind_or_an_absent_one_is_none() {
        let settings = Settings::parse(r#"{"rows": 50}"#).unwrap();
        assert_eq!((settings.text("rows"), settings.flag("rows"), settings.number("columns")), (None, None, None));
        assert_eq!(Settings::parse("{}").unwrap(), Settings::default());
    }

    #[test]
    fn escapes_become_characters() {
        let settings = Settings::parse(r#"{"k\u0065y": "a\"b\\c\/d\n\r\t\b\f\u00e9😀"}"#).unwrap();
        assert_eq!(settings.text("key"), Some("a\"b\\c/d\n\r\t\u{8}\u{c}é😀"));
    }

    #[test]
    fn what_is_not_flat_is_refused() {
        let bad = [
            "",
            "[]",
            "{",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":null}"#,
            r#"{"a":[1]}"#,
            r#"{"a":{}}"#,
            r#"{"a":1.5}"#,
            r#"{"a":1e3}"#,
            r#"{"a":1,}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a":1}x"#,
            r#"{"a":"x}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud83d\ude00"}"#,
            r#"{"a":truely}"#,
            r#"{"a":99999999999999999999}"#,
            "{\"a\":\"line\nbreak\"}",
        ];
        for json in bad {
            assert!(Settings::parse(json).is_err(), "{json} was read");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        for (json, path, message) in [
            (r#"{"a":1,"a":2}"#, "a", "is given twice"),
            (r#"{"a":1,"b":null}"#, "b", "must be a text, a whole number, true or false"),
            (r#"{"a":1,"b":1.5}"#, "b", "`1.5` is not a whole number"),
            (r#"{"a":1;"b":2}"#, "", "`,` is missing"),
        ] {
            let problem = Settings::parse(json).unwrap_err();
            assert_eq!((problem.path.as_str(), problem.message.as_str()), (path, message));
        }
    }

    #[test]
    fn a_choice_is_one_of_its_words() {
        let settings = Settings::parse(r#"{"paging":"pages","wrong":"of"}"#).unwrap();
        assert_eq!(settings.choice("paging", &["off", "pages"]).unwrap(), "pages");
        assert_eq!(settings.choice("absent", &["off", "pages"]).unwrap(), "off");
        let problem = settings.choice("wrong", &["off", "pages"]).unwrap_err();
        assert_eq!((problem.path.as_str(), problem.message.as_str()), ("wrong", "must be one of `off`, `pages`"));
    }

    #[test]
    fn unknown_keys_are_named() {
        let settings = Settings::parse(r#"{"paging":"off","pagin":"off"}"#).unwrap();
        let problems = settings.unknown(&["paging"]);
        assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), ["pagin"]);
        assert!(settings.unknown(&["paging", "pagin"]).is_empty());
    }
}
