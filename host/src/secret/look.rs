//! Secrets that the runtime never typed, known by their look: private keys, tokens, password hashes, passwords in addresses.
//!
//! What is the same everywhere stands here. What a vendor's configuration looks like stands in its plugins' manifests, as
//! `[[sensitive]]`. All patterns are regular expressions that take linear time; most text is passed over by one look at a block.

use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::limits::{SENSITIVE_KEY_MAX_BYTES, TRIGGER_COMPILED_MAX_BYTES, TRIGGERS_COMPILED_MAX_BYTES};

/// What is shown in the place of a secret.
pub const SECRET_MARK: &str = "[secret removed]";
/// What is shown in the place of a private key.
pub const KEY_MARK: &str = "[private key removed]";

/// The first line of a private key, in the forms of RFC 7468, OpenSSH and OpenPGP.
const KEY_BEGIN: &str = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----";
/// Its last line.
const KEY_END: &str = r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----";

/// What captures a secret in any text. Each group is taken out; a pattern without one would show the secret.
const EVERYWHERE: [&str; 17] = [
    // A whole key on one row, as in JSON.
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----((?:\\[nr]|\s)*[A-Za-z0-9+/]{16}.*?)(?:-----END|$)",
    // Tokens with a prefix of their own.
    r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b",
    r"\b(gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})",
    r"\b(gl(?:pat|dt|rt|ptt|soat|ft|cbt|agent|imt|oas)-[A-Za-z0-9_.\-]{16,255})",
    r"\b(xox[abeoprs]-[A-Za-z0-9\-]{10,255}|xapp-[0-9]-[A-Za-z0-9\-]{10,255})",
    r"\b(eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]+){1,3})",
    r"\b(sk-(?:ant-|proj-)?[A-Za-z0-9_\-]{24,255}|(?:sk|rk)_live_[A-Za-z0-9]{16,255}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_\-]{32,255})",
    // Password hashes, `$id$salt$hash`.
    r"(\$(?:[1-9]|2[abxy]|14|y|gy|7|apr1|sha1|argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9\-]*)\$[A-Za-z0-9./$=,+\-]{8,})",
    // Headers of HTTP.
    r#"(?i)\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest|negotiate)\s+)?([^\s"',;]{4,}.*)"#,
    r#"(?i)\bbearer\s+([A-Za-z0-9._~+/=\-]{16,})"#,
    r#"(?i)\b(?:x-api-key|x-auth-token|x-vault-token|private-token)["']?\s*:\s*["']?([^\s"',;]{4,})"#,
    // `scheme://user:password@host`.
    r#"\b[A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@"']*:([^\s/@"']+)@"#,
    // Assignments, as in an environment, a command line, a connection string.
    r#"(?:^|[\s;&?,"'{(\-])(?i:[A-Za-z0-9_.\-]*(?:password|passwd|passphrase|secret|secret_?(?:access_?)?key|api_?key|(?:access|auth|session|api|refresh)_?token))=["']?([^\s"'&;,(){}$<]{3,})"#,
    r#"\b[A-Z][A-Z0-9_]*(?:PASS|PWD|TOKEN|SECRET|KEY_ID|ACCESS_KEY|CREDENTIALS)=["']?([^\s"'&;,(){}$<]{3,})"#,
    // The same in a file of settings: at the beginning of a row, with blanks.
    r#"(?i)^\s*[a-z0-9_.\-]*(?:password|passwd|passphrase|client_secret|secret_(?:access_)?key|api_?key|(?:access|auth)_token)\s*=\s+["']?([^\s"'(){}$<]{3,})["']?\s*(?:[#;].*)?$"#,
    // In JSON.
    r#"(?i)"[a-z0-9_.\-]*(?:password|passwd|passphrase|secret|secret_?(?:access_?)?key|api_?key|token)"\s*:\s*"([^"]+)""#,
    // In YAML: an item of a structure, not what a program asks and is answered in the same row.
    r#"^(?:\s+(?:- )?[a-z0-9_.\-]*(?:password|passphrase)|\s*(?:- )?[a-z0-9_.\-]+_(?:password|passphrase)|\s*(?:- )?[a-z0-9_.\-]*(?:client_secret|secret_(?:access_)?key|api_?key|(?:access|auth)_token)):\s+["']?([^\s"'{}\[\]|>&*!$][^\s"']{2,})["']?\s*(?:#.*)?$"#,
];

/// Patterns of one owner, compiled.
#[derive(Debug)]
pub struct Looks {
    /// Does anything in a block of rows deserve a closer look?
    any: RegexSet,
    each: Vec<Regex>,
}

impl Looks {
    /// Compiles them.
    ///
    /// # Errors
    ///
    /// The pattern that is not a regular expression, is too large or captures nothing, and why.
    pub fn compile<'p>(patterns: impl Iterator<Item = &'p str> + Clone) -> Result<Self, String> {
        let mut each = Vec::new();
        for pattern in patterns.clone() {
            let mut builder = RegexBuilder::new(pattern);
            let compiled = builder.unicode(false).multi_line(true).size_limit(TRIGGER_COMPILED_MAX_BYTES).build();
            let compiled = compiled.map_err(|error| format!("sensitive `{pattern}`: {error}"))?;
            if compiled.captures_len() < 2 {
                return Err(format!("sensitive `{pattern}` captures nothing: put what is to be taken out in parentheses"));
            }
            each.push(compiled);
        }
        let any = set(patterns).map_err(|error| format!("the sensitive patterns together: {error}"))?;
        Ok(Self { any, each })
    }

    /// Where secrets stand in one row.
    fn in_row(&self, row: &[u8], found: &mut Vec<Range<usize>>) {
        for index in &self.any.matches(row) {
            let Some(pattern) = self.each.get(index) else { continue };
            for captures in pattern.captures_iter(row) {
                found.extend(captures.iter().skip(1).flatten().map(|group| group.range()).filter(|range| !range.is_empty()));
            }
        }
    }
}

fn set<'p>(patterns: impl Iterator<Item = &'p str>) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(patterns).unicode(false).multi_line(true).size_limit(TRIGGERS_COMPILED_MAX_BYTES).build()
}

/// The patterns that hold for every device.
static GENERIC: LazyLock<Option<Arc<Looks>>> = LazyLock::new(|| Looks::compile(EVERYWHERE.into_iter()).ok().map(Arc::new));
/// Where a private key may begin, and where it ends.
static KEY: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| Some((Regex::new(KEY_BEGIN).ok()?, Regex::new(KEY_END).ok()?)));

/// All that is looked for on a device: the general looks, and those of its plugins.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    looks: Vec<Arc<Looks>>,
    /// All of them at once, made when it is first needed: most text has none, and is looked at once then. None where they are too many.
    any: Arc<OnceLock<Option<RegexSet>>>,
}

/// A part that is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u64,
    /// Behind its last one.
    pub end: u64,
    /// It is the inside of a private key.
    pub is_key: bool,
}

impl Span {
    /// What is shown in its place.
    #[must_use]
    pub fn mark(&self) -> &'static str {
        if self.is_key { KEY_MARK } else { SECRET_MARK }
    }
}

impl Mask {
    /// The general looks and these.
    #[must_use]
    pub fn with(own: impl Iterator<Item = Arc<Looks>>) -> Self {
        Self { looks: GENERIC.iter().cloned().chain(own).collect(), any: Arc::default() }
    }

    /// The text with each secret taken out, and how many there were.
    #[must_use]
    pub fn text(&self, text: &str) -> (String, usize) {
        let spans = self.spans(text.as_bytes());
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for span in &spans {
            let (start, end) = (place(span.start), place(span.end));
            // The general patterns end at whole characters; those of a plugin may not, and then the character goes along.
            let start = (at..=start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(at);
            let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            out.push_str(text.get(at..start).unwrap_or_default());
            out.push_str(span.mark());
            at = end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        (out, spans.len())
    }

    /// Where the secrets of a whole text are.
    #[must_use]
    pub fn spans(&self, text: &[u8]) -> Vec<Span> {
        let mut finder = Finder::new(self);
        finder.rows(text, |at| at as u64);
        finder.finish();
        finder.spans
    }

    /// The secrets of a whole text, but for private keys.
    #[must_use]
    pub fn secrets<'t>(&self, text: &'t [u8]) -> Vec<&'t [u8]> {
        let spans = self.spans(text);
        spans.iter().filter(|span| !span.is_key).filter_map(|span| text.get(place(span.start)..place(span.end))).collect()
    }

    fn may_have(&self, block: &[u8]) -> bool {
        let all = || self.looks.iter().flat_map(|looks| &looks.each).map(Regex::as_str);
        let looks_like_one = match self.any.get_or_init(|| set(all()).ok()) {
            Some(any) => any.is_match(block),
            None => self.looks.iter().any(|looks| looks.any.is_match(block)),
        };
        looks_like_one || KEY.as_ref().is_some_and(|(begin, _)| begin.is_match(block))
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// A private key whose end has not come yet.
#[derive(Debug, Clone, Copy, Default)]
struct OpenKey {
    /// Where its inside begins, once a row has come.
    start: Option<u64>,
    /// Behind the last row.
    end: u64,
    /// Behind the last of those rows that look like a key, as long as no other one has come.
    sure_end: Option<u64>,
    /// A row has come that does not.
    doubtful: bool,
    bytes: usize,
}

/// Looks through rows in order, block by block.
#[derive(Debug)]
pub struct Finder<'m> {
    mask: &'m Mask,
    key: Option<OpenKey>,
    /// What was found, in order, without overlaps.
    pub spans: Vec<Span>,
}

impl<'m> Finder<'m> {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(mask: &'m Mask) -> Self {
        Self { mask, key: None, spans: Vec::new() }
    }

    /// Has a key begun whose end is still to come?
    #[must_use]
    pub fn is_inside_key(&self) -> bool {
        self.key.is_some()
    }

    /// Looks through whole rows, which line feeds part. `offset` says where each byte of the text comes from.
    pub fn rows(&mut self, text: &[u8], offset: impl Fn(usize) -> u64) {
        if self.key.is_none() && !self.mask.may_have(text) {
            return;
        }
        let mut found = Vec::new();
        let mut at = 0;
        for row in text.split(|byte| *byte == b'\n') {
            if !self.in_key(row, at, &offset) {
                for looks in &self.mask.looks {
                    looks.in_row(row, &mut found);
                }
                found.sort_by_key(|range| (range.start, range.end));
                for range in found.drain(..) {
                    // The last byte's own offset and one: between two bytes of a row there may be what is no text.
                    let end = offset(at + range.end.saturating_sub(1)) + 1;
                    self.add(Span { start: offset(at + range.start), end, is_key: false });
                }
            }
            at += row.len() + 1;
        }
    }

    /// Nothing more comes for now: a key without an end is one as far as it looks like one.
    pub fn finish(&mut self) {
        if let Some(key) = self.key {
            self.add_key(key.start, key.sure_end);
        }
    }

    /// Does the row belong to a key, or begin one?
    fn in_key(&mut self, row: &[u8], at: usize, offset: &impl Fn(usize) -> u64) -> bool {
        let Some((begin, end)) = KEY.as_ref() else { return false };
        let Some(mut key) = self.key else {
            if begin.is_match(row) && !end.is_match(row) {
                self.key = Some(OpenKey::default());
            }
            return false;
        };
        if end.is_match(row) {
            self.add_key(key.start, Some(key.end));
            self.key = None;
            return true;
        }
        key.bytes += row.len() + 1;
        if key.bytes > SENSITIVE_KEY_MAX_BYTES {
            self.add_key(key.start, key.sure_end);
            self.key = None;
            return false;
        }
        if !row.is_empty() {
            key.start = key.start.or_else(|| Some(offset(at)));
            key.end = offset(at + row.len() - 1) + 1;
            key.doubtful |= !is_keyish(row);
            if !key.doubtful {
                key.sure_end = Some(key.end);
            }
        }
        self.key = Some(key);
        // A row of an open key may still turn out to be none: its own secrets are taken out in any case.
        false
    }

    fn add_key(&mut self, start: Option<u64>, end: Option<u64>) {
        if let (Some(start), Some(end)) = (start, end) {
            self.add(Span { start, end, is_key: true });
        }
    }

    /// Keeps the list in order, and joins what overlaps.
    fn add(&mut self, mut span: Span) {
        if span.end <= span.start {
            return;
        }
        let first = self.spans.partition_point(|other| other.end <= span.start);
        let behind = self.spans.partition_point(|other| other.start < span.end);
        for other in self.spans.drain(first..behind.max(first)) {
            span.start = span.start.min(other.start);
            span.end = span.end.max(other.end);
            span.is_key |= other.is_key;
        }
        self.spans.insert(first, span);
    }
}

/// Is it a row as keys have them: letters of base64 or a heading, whatever stands before it?
fn is_keyish(row: &[u8]) -> bool {
    const RUN_MIN: usize = 16;
    let row = row.trim_ascii();
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let longest = row.split(|byte| !is_letter(byte)).map(<[u8]>::len).max().unwrap_or_default();
    let heading = [&b"Proc-Type:"[..], b"DEK-Info:", b"Comment:", b"Version:", b"X-"];
    row.iter().all(is_letter) || longest >= RUN_MIN || heading.iter().any(|word| row.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        Mask::with(std::iter::empty())
    }

    fn shown(text: &str) -> String {
        mask().text(text).0
    }

    #[test]
    fn every_general_pattern_compiles() {
        assert_eq!(Looks::compile(EVERYWHERE.into_iter()).map(|looks| looks.each.len()), Ok(EVERYWHERE.len()));
        assert!(KEY.is_some() && GENERIC.is_some());
    }

    #[test]
    fn secrets_are_taken_out_and_nothing_else() {
        for (text, expected) in [
            ("key AKIAIOSFODNN7EXAMPLE end", "key [secret removed] end"),
            ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[secret removed]"),
            ("token: glpat-abcdefghij0123456789", "token: [secret removed]"),
            ("xoxb-1234567890-abcdefghij", "[secret removed]"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl ok", "jwt [secret removed] ok"),
            ("root:$6$salt$hashhashhash/x.y:19000:0:", "root:[secret removed]:19000:0:"),
            ("root:$y$j9T$abcdefgh$ijklmnopqr:19000:", "root:[secret removed]:19000:"),
            ("Authorization: Bearer abc.def-123456789", "Authorization: Bearer [secret removed]"),
            ("curl -H 'Authorization: token abcd1234'", "curl -H 'Authorization: token [secret removed]"),
            ("postgres://app:s3cr3t@db:5432/x", "postgres://app:[secret removed]@db:5432/x"),
            ("PGPASSWORD=hunter2 psql", "PGPASSWORD=[secret removed] psql"),
            ("mysql --password=hunter2 -u root", "mysql --password=[secret removed] -u root"),
            ("AWS_SECRET_ACCESS_KEY='abc/def+123'", "AWS_SECRET_ACCESS_KEY='[secret removed]'"),
            ("DB_PASS=hunter2", "DB_PASS=[secret removed]"),
            ("password = hunter2", "password = [secret removed]"),
            ("{\"user\": \"a\", \"password\": \"hunter2\"}", "{\"user\": \"a\", \"password\": \"[secret removed]\"}"),
            ("  db_password: hunter2", "  db_password: [secret removed]"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "passwd:         files systemd",
            "PasswordAuthentication yes",
            "Password: ",
            "Password: tail",
            "password: wrong",
            "-rw-r--r-- 1 root root 1234 Nov 21 17:00 password.txt",
            "Change the password = a good idea",
            "echo \"$1$2$3\"",
            "the price is $5$ or $6",
            "http://example.com:8080/a@b",
            "ssh://git@example.com:22/x",
            "let token = next();",
            "password = getpass()",
            "secret = ${SECRET}",
            "PWD=/home/deploy",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
            "the first row is -----BEGIN RSA PRIVATE KEY----- as in RFC 7468,\nand so on: no key at all\n",
            "sk-short",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    const KEY_TEXT: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\nAAAAB3NzaC1lZDI1NTE5\nab==\n-----END OPENSSH PRIVATE KEY-----\n";

    #[test]
    fn a_private_key_is_one_mark_between_its_lines() {
        let around = format!("before\n{KEY_TEXT}after\n");
        let expected = format!("before\n-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_MARK}\n-----END OPENSSH PRIVATE KEY-----\nafter\n");
        assert_eq!(mask().text(&around), (expected.clone(), 1));
        let numbered: String = around.lines().enumerate().map(|(number, line)| format!("{number:6}\t{line}\n")).collect();
        assert!(!shown(&numbered).contains("b3Blbn"), "{}", shown(&numbered));
        let json = format!("{{\"k\": \"{}\"}}", KEY_TEXT.replace('\n', "\\n"));
        assert!(!shown(&json).contains("b3Blbn"), "{}", shown(&json));
    }

    #[test]
    fn a_key_without_an_end_is_taken_out_as_far_as_it_looks_like_one() {
        let cut = KEY_TEXT.split("ab==").next().unwrap();
        let text = format!("{cut}and now for something else entirely\n");
        assert_eq!(shown(&text), format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_MARK}\nand now for something else entirely\n"));
    }

    #[test]
    fn a_pattern_must_capture_what_is_taken_out() {
        let error = Looks::compile(["community .*"].into_iter()).unwrap_err();
        assert!(error.contains("`community .*` captures nothing"), "{error}");
        let error = Looks::compile(["(\\w{0,500}){20}"].into_iter()).unwrap_err();
        assert!(error.starts_with("sensitive `"), "{error}");
        let own = Arc::new(Looks::compile([r"^community (\S+)"].into_iter()).unwrap());
        assert_eq!(Mask::with(std::iter::once(own)).text("community public RO\n").0, "community [secret removed] RO\n");
    }
}
