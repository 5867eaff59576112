//! The operator's settings: the flat JSON object that `setup.configure` gets.
//!
//! A small reader instead of a JSON crate: the object holds text, whole numbers and truth values only,
//! and a plugin should stay small.

use crate::Diagnostic;
use crate::text::{split_where, whole};

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
        let mut reader = Reader { rest: json, key: String::new() };
        match reader.object() {
            Ok(entries) => Ok(Self { entries }),
            Err(message) => Err(Diagnostic { path: reader.key, message }),
        }
    }

    /// The keys, in the order in which they are written.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
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
        found.copied().ok_or_else(|| Diagnostic { path: key.to_owned(), message: listed("must be one of `", words) })
    }

    /// One diagnostic for each key that is not among the known ones.
    #[must_use]
    pub fn unknown(&self, known: &[&str]) -> Vec<Diagnostic> {
        let stray = self.entries.iter().filter(|(key, _)| !known.contains(&key.as_str()));
        stray.map(|(key, _)| Diagnostic { path: key.clone(), message: unknown_key(known) }).collect()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        find(&self.entries, key)
    }
}

/// One by one: most names differ in their length, and those of one part of a declaration begin alike, which an ordered search compares.
fn find<'a>(entries: &'a [(String, Value)], key: &str) -> Option<&'a Value> {
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn unknown_key(known: &[&str]) -> String {
    if known.is_empty() { "this plugin has no settings".to_owned() } else { listed("unknown setting, known are `", known) }
}

fn listed(what: &str, words: &[&str]) -> String {
    let mut text = what.to_owned();
    for (place, word) in words.iter().enumerate() {
        text.push_str(if place == 0 { "" } else { "`, `" });
        text.push_str(word);
    }
    text.push('`');
    text
}

/// What is left of the object. It works on bytes and puts its few sentences together itself: every plugin carries it.
struct Reader<'a> {
    rest: &'a str,
    /// Whose value is being read, empty between them.
    key: String,
}

impl<'a> Reader<'a> {
    fn object(&mut self) -> Result<Vec<(String, Value)>, String> {
        let mut entries = Vec::new();
        self.expect("{")?;
        if !self.take("}") {
            self.entry(&mut entries)?;
            while !self.take("}") {
                self.expect(",")?;
                self.entry(&mut entries)?;
            }
        }
        self.skip_space();
        if self.rest.is_empty() { Ok(entries) } else { Err(["`", self.rest, "` after the end of the settings"].concat()) }
    }

    fn entry(&mut self, into: &mut Vec<(String, Value)>) -> Result<(), String> {
        self.key = self.string()?;
        self.expect(":")?;
        let value = self.value()?;
        if find(into, &self.key).is_some() {
            return Err("is given twice".to_owned());
        }
        into.push((core::mem::take(&mut self.key), value));
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        self.skip_space();
        match self.rest.as_bytes().first() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.flag(),
        }
    }

    fn flag(&mut self) -> Result<Value, String> {
        match self.before(|byte| !byte.is_ascii_lowercase()) {
            "true" => Ok(Value::Flag(true)),
            "false" => Ok(Value::Flag(false)),
            _ => Err("must be a text, a whole number, true or false".to_owned()),
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let digits = self.before(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')));
        whole(digits).map(Value::Number).ok_or_else(|| ["`", digits, "` is not a whole number"].concat())
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.before(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')));
            match self.next_byte() {
                Some(b'"') => return Ok(text),
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err("a text is not closed".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        match self.next_byte() {
            Some(sign @ (b'"' | b'\\' | b'/')) => Ok(char::from(sign)),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => self.unicode(),
            _ => Err(UNKNOWN_ESCAPE.to_owned()),
        }
    }

    /// Behind `\u`. Pairs for characters beyond four digits are refused: the host writes such characters as they are.
    fn unicode(&mut self) -> Result<char, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next_byte().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or(UNKNOWN_ESCAPE)?;
        }
        char::from_u32(code).ok_or_else(|| "half a character in a text".to_owned())
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(["`", wanted, "` is missing"].concat()) }
    }

    fn take(&mut self, wanted: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.before(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// What stands before the first byte of this kind.
    fn before(&mut self, is_end: fn(u8) -> bool) -> &'a str {
        let (taken, rest) = split_where(self.rest, is_end);
        self.rest = rest;
        taken
    }

    /// None at the end, and where a character of several bytes begins: no sign of the format is one.
    fn next_byte(&mut self) -> Option<u8> {
        let byte = *self.rest.as_bytes().first()?;
        self.rest = self.rest.get(1..)?;
        Some(byte)
    }
}

const UNKNOWN_ESCAPE: &str = "unknown escape in a text";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_value() {
        let settings = Settings::parse(r#" { "paging" : "off", "rows": 50, "low": -3 , "strict":true,"lax": false } "#).unwrap();
        assert_eq!(settings.keys().collect::<Vec<_>>(), ["paging", "rows", "low", "strict", "lax"]);
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
