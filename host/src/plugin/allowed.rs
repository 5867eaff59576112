//! An `allowed_signers` file, as ssh-keygen(1) describes it: whose keys may sign, for what, and when.
//!
//! A line has principals (patterns with `*` and `?`, separated by commas, `!` excludes), options, and a key. `namespaces`, `valid-after` and
//! `valid-before` are followed. A line with `cert-authority` is for certificates, which are not signatures' keys here: it allows nothing.

use std::fmt;
use std::time::{Duration, SystemTime};

use russh::keys::ssh_key::PublicKey;

use crate::wildcard;

/// The lines that allow something.
#[derive(Debug, Default)]
pub struct AllowedSigners {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    principals: Vec<String>,
    authority: bool,
    namespaces: Option<Vec<String>>,
    after: Option<Instant>,
    before: Option<Instant>,
    key: PublicKey,
}

/// An instant as it is compared and as it was written.
#[derive(Debug, Clone)]
struct Instant {
    at: SystemTime,
    text: String,
}

/// Why a key does not count.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody's line has it.
    Nobody,
    /// It is others' key.
    Others {
        /// Who was demanded.
        wanted: String,
        /// Whose it is.
        whose: Vec<String>,
    },
    /// It is allowed for something else only.
    Purpose,
    /// It does not count yet.
    TooEarly(String),
    /// It does not count any more.
    Expired(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("which is in no line of the allowed signers; add the vendor's line if you trust the key"),
            Self::Others { wanted, whose } => write!(f, "which is the key of `{}` and not of `{wanted}`", whose.join("`, `")),
            Self::Purpose => f.write_str("which the allowed signers give to other `namespaces` only"),
            Self::TooEarly(when) => write!(f, "which counts only after {when}"),
            Self::Expired(when) => write!(f, "which has expired: it counted before {when}"),
        }
    }
}

impl AllowedSigners {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// The first line that cannot be understood: a line that is skipped in silence is one that somebody relies on.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                entries.push(Entry::parse(line).map_err(|what| format!("line {}: {what}", index + 1))?);
            }
        }
        Ok(Self { entries })
    }

    /// May this name sign with this key?
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn may_sign(&self, principal: &str, key: &PublicKey, namespace: &str, now: SystemTime) -> Result<(), Refused> {
        let mut refused = None;
        for entry in self.of(key).filter(|entry| fits(&entry.principals, principal)) {
            match entry.counts(namespace, now) {
                Ok(()) => return Ok(()),
                Err(why) => refused = Some(why),
            }
        }
        let whose: Vec<String> = self.of(key).flat_map(|entry| entry.principals.clone()).collect();
        let others = || if whose.is_empty() { Refused::Nobody } else { Refused::Others { wanted: principal.to_owned(), whose } };
        Err(refused.unwrap_or_else(others))
    }

    /// Whose key is it?
    ///
    /// # Errors
    ///
    /// Why it is nobody's.
    pub fn principals(&self, key: &PublicKey, namespace: &str, now: SystemTime) -> Result<Vec<String>, Refused> {
        let mut refused = Refused::Nobody;
        let mut names = Vec::new();
        for entry in self.of(key) {
            match entry.counts(namespace, now) {
                Ok(()) => names.extend(entry.principals.iter().cloned()),
                Err(why) => refused = why,
            }
        }
        if names.is_empty() { Err(refused) } else { Ok(names) }
    }

    fn of<'a>(&'a self, key: &'a PublicKey) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(|entry| !entry.authority && entry.key.key_data() == key.key_data())
    }
}

impl Entry {
    fn parse(line: &str) -> Result<Self, String> {
        let (principals, rest) = field(line);
        let (second, after_second) = field(rest);
        let (options, key) = if is_key_type(second) { ("", rest) } else { (second, after_second) };
        let key: Vec<&str> = key.split_whitespace().take(2).collect();
        let key = PublicKey::from_openssh(&key.join(" ")).map_err(|error| {
            // As it stands in the file of a public key.
            let help = "; a line begins with whose key it is, as in `plugins@acme.example ssh-ed25519 …`";
            let help = if is_key_type(principals) { help } else { "" };
            format!("no public key behind `{principals}` ({error}){help}")
        })?;
        let mut entry = Self { principals: list(principals), authority: false, namespaces: None, after: None, before: None, key };
        for option in split_outside_quotes(options).filter(|option| !option.is_empty()) {
            entry.option(option)?;
        }
        Ok(entry)
    }

    fn option(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => self.authority = true,
            "namespaces" => self.namespaces = Some(list(value)),
            "valid-after" => self.after = Some(Instant::parse(value)?),
            "valid-before" => self.before = Some(Instant::parse(value)?),
            _ => return Err(format!("`{name}` is no option; known are cert-authority, namespaces, valid-after, valid-before")),
        }
        Ok(())
    }

    fn counts(&self, namespace: &str, now: SystemTime) -> Result<(), Refused> {
        if self.namespaces.as_ref().is_some_and(|patterns| !fits(patterns, namespace)) {
            return Err(Refused::Purpose);
        }
        match (&self.after, &self.before) {
            (Some(after), _) if now < after.at => Err(Refused::TooEarly(after.text.clone())),
            (_, Some(before)) if now >= before.at => Err(Refused::Expired(before.text.clone())),
            _ => Ok(()),
        }
    }
}

impl Instant {
    /// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS` in UTC, which a `Z` says.
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_matches('"');
        let wrong = || format!("`{text}` is no instant; write it in UTC as 20270131Z, 202701312359Z or 20270131235959Z");
        let digits = text.strip_suffix(['Z', 'z']).ok_or_else(wrong)?;
        if !matches!(digits.len(), 8 | 12 | 14) {
            return Err(wrong());
        }
        let number = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<u64>().ok());
        let parts = [(0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14)].map(|(from, to)| number(from, to));
        let [Some(year), Some(month @ 1..=12), Some(day @ 1..=31), Some(hour @ 0..=23), Some(minute @ 0..=59), Some(second @ 0..=59)] =
            parts
        else {
            return Err(wrong());
        };
        if year < 1970 {
            return Err(wrong());
        }
        let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
        Ok(Self { at: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds), text: text.to_owned() })
    }
}

/// Days from 1970 to a day of the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let before: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30];
    let months: u64 = (1..month).zip(lengths).map(|(_, length)| length).sum();
    before + months + day - 1
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| word.starts_with(prefix))
}

/// The text up to the first space that is not in quotes, and what follows it.
fn field(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text.find(|ch: char| {
        quoted ^= ch == '"';
        ch.is_whitespace() && !quoted
    });
    let (first, rest) = text.split_at(end.unwrap_or(text.len()));
    (first, rest.trim_start())
}

fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |ch: char| {
        quoted ^= ch == '"';
        ch == ',' && !quoted
    })
}

fn list(text: &str) -> Vec<String> {
    text.trim_matches('"').split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Does a pattern of the list fit, and none with `!`?
fn fits(patterns: &[String], name: &str) -> bool {
    let glob = |pattern: &str| wildcard::fits(pattern, name);
    let excluded = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')).any(glob);
    !excluded && patterns.iter().filter(|pattern| !pattern.starts_with('!')).any(|pattern| glob(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    fn key() -> PublicKey {
        PublicKey::from_openssh(KEY).unwrap()
    }

    fn at(text: &str) -> SystemTime {
        Instant::parse(text).unwrap().at
    }

    fn sign(line: &str, principal: &str) -> Result<(), Refused> {
        AllowedSigners::parse(line).unwrap().may_sign(principal, &key(), "jackfield-plugin", at("20260601Z"))
    }

    #[test]
    fn a_line_allows_its_principals_for_its_purpose_and_time() {
        let lines =
            |options: &str| format!("# vendors\n\nplugins@acme.example,*@lab.example,!guest@lab.example {options} {KEY} comment here");
        assert_eq!(sign(&lines(""), "plugins@acme.example"), Ok(()));
        assert_eq!(sign(&lines(""), "ops@lab.example"), Ok(()));
        assert!(matches!(sign(&lines(""), "guest@lab.example"), Err(Refused::Others { .. })));
        assert_eq!(sign(&lines("namespaces=\"file,jackfield-*\""), "plugins@acme.example"), Ok(()));
        assert_eq!(sign(&lines("namespaces=\"file,git\""), "plugins@acme.example"), Err(Refused::Purpose));
        assert_eq!(sign(&lines("valid-before=\"20260601Z\""), "plugins@acme.example"), Err(Refused::Expired("20260601Z".to_owned())));
        assert_eq!(sign(&lines("valid-after=20260602Z"), "plugins@acme.example"), Err(Refused::TooEarly("20260602Z".to_owned())));
        assert_eq!(sign(&lines("valid-after=\"20260101Z\",valid-before=\"202606010001Z\""), "plugins@acme.example"), Ok(()));
        assert_eq!(sign(&lines("cert-authority"), "plugins@acme.example"), Err(Refused::Nobody));
        assert_eq!(sign("", "plugins@acme.example"), Err(Refused::Nobody));
    }

    #[test]
    fn a_line_that_is_not_understood_is_told() {
        for (line, wrong) in [
            ("plugins@acme.example", "no public key"),
            (&format!("{KEY} plugins@acme.example") as &str, "begins with whose key it is"),
            (&format!("a valid-before=20260601 {KEY}") as &str, "write it in UTC"),
            (&format!("a touch-required {KEY}"), "is no option"),
        ] {
            let error = AllowedSigners::parse(line).unwrap_err();
            assert!(error.starts_with("line 1: ") && error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let seconds = |text: &str| at(text).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(seconds("19700101Z"), 0);
        assert_eq!(seconds("20000301Z"), 951_868_800);
        assert_eq!(seconds("20261121134500Z"), 1_795_268_700);
    }
}
