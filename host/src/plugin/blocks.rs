//! Texts that a device takes behind a line, up to an end: a banner, a certificate.
//!
//! The rows of such a text are no commands. They are typed only once the device has said that it takes them: where it refused the
//! line that opens the text, each of them would run.

use regex::Regex;

use super::catalog::Catalog;
use super::manifest::BlockSpec;
use super::triggers;
use crate::policy::approved::Behind;

/// The group of `opens` that holds what ends the text.
const END: &str = "end";

/// The texts of a plugin, or of a device type.
#[derive(Debug, Clone, Default)]
pub struct Blocks(Vec<Block>);

#[derive(Debug, Clone)]
struct Block {
    opens: Regex,
    /// The whole line that ends it; else the group says what ends it.
    end: Option<String>,
    behind: Behind,
    types: Vec<String>,
}

/// What is typed at once of a caller's lines.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// A command.
    Line(&'a str),
    /// The rows of a text, and what the device shows where it takes them.
    Text(Vec<&'a str>, &'a Behind),
}

/// What ends a text.
enum End<'a> {
    /// A row that holds this.
    Sign(&'a str),
    /// This row.
    Line(&'a str),
}

impl End<'_> {
    fn is_in(&self, row: &str) -> bool {
        match self {
            Self::Sign(sign) => row.contains(sign),
            Self::Line(line) => row.trim() == *line,
        }
    }
}

impl std::fmt::Display for End<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sign(sign) => write!(f, "the next `{sign}`"),
            Self::Line(line) => write!(f, "a line `{line}`"),
        }
    }
}

impl Blocks {
    /// Compiles them.
    ///
    /// # Errors
    ///
    /// What is wrong with one.
    pub fn compile(specs: &[BlockSpec]) -> Result<Self, String> {
        let pattern = |key: &str, text: &str| {
            triggers::compile(text).map_err(|error| format!("`{key}` of [[block]]: {}", triggers::in_short(&error.to_string())))
        };
        let block = |spec: &BlockSpec| {
            let block = Block {
                opens: pattern("opens", &spec.opens)?,
                end: spec.end.clone(),
                behind: Behind::new(pattern("shows", &spec.shows)?, &spec.sign),
                types: spec.types.clone(),
            };
            check_end(&block.opens, spec.end.as_deref()).map(|()| block)
        };
        specs.iter().map(block).collect::<Result<_, _>>().map(Self)
    }

    /// Those of several plugins that count for a type.
    #[must_use]
    pub fn of<'a>(name: &str, all: impl Iterator<Item = &'a Self>) -> Self {
        Self(all.flat_map(|blocks| &blocks.0).filter(|block| Catalog::holds_for(&block.types, name)).cloned().collect())
    }

    /// Does the line open a text?
    #[must_use]
    pub fn is_opened_by(&self, line: &str) -> bool {
        self.opened(line).is_some()
    }

    /// What ends the text that the line opens, and what the device shows where it takes it.
    fn opened<'a>(&'a self, line: &'a str) -> Option<(End<'a>, &'a Behind)> {
        let line = line.trim();
        self.0.iter().find_map(|block| {
            let found = block.opens.captures(line)?;
            let end = match &block.end {
                Some(end) => End::Line(end),
                None => {
                    let sign = found.name(END).filter(|sign| !sign.is_empty())?;
                    // A text that ends in the same line is not one that follows.
                    let rest = line.get(sign.end()..).unwrap_or_default();
                    (!rest.contains(sign.as_str())).then_some(End::Sign(sign.as_str()))?
                }
            };
            Some((end, &block.behind))
        })
    }

    /// Takes the caller's lines apart: commands one by one, a text as a whole.
    ///
    /// # Errors
    ///
    /// A sentence when a text has no end: the device would take all that follows for a part of it.
    pub fn parts<'a>(&'a self, mut lines: impl Iterator<Item = &'a str>) -> Result<Vec<Part<'a>>, String> {
        let mut parts = Vec::new();
        while let Some(line) = lines.next() {
            parts.push(Part::Line(line));
            let Some((end, behind)) = self.opened(line) else { continue };
            let mut rows = Vec::new();
            let has_end = lines.by_ref().any(|row| {
                rows.push(row);
                end.is_in(row)
            });
            if !has_end {
                let line = line.trim();
                return Err(format!("behind `{line}` the device takes text up to {end}, and there is none; add the text and its end"));
            }
            parts.push(Part::Text(rows, behind));
        }
        Ok(parts)
    }
}

/// Is it known what ends a text, and in one way only?
///
/// # Errors
///
/// When it is not.
pub fn check_end(opens: &Regex, end: Option<&str>) -> Result<(), String> {
    let grouped = opens.capture_names().flatten().any(|name| name == END);
    if grouped != end.is_some() {
        return Ok(());
    }
    Err(format!("[[block]] `{opens}` needs either `end` or a group `(?P<{END}>...)` in `opens`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(opens: &str, end: Option<&str>) -> BlockSpec {
        let (opens, end) = (opens.to_owned(), end.map(str::to_owned));
        BlockSpec { opens, end, shows: "^Enter".to_owned(), ..BlockSpec::default() }
    }

    fn blocks() -> Blocks {
        Blocks::compile(&[spec(r"^banner +[a-z]+ +(?P<end>\S)", None), spec("^certificate ", Some("quit"))]).unwrap()
    }

    fn parts(text: &str) -> Result<Vec<Vec<String>>, String> {
        let blocks = blocks();
        let lines = |part| match part {
            Part::Line(line) => vec![line.to_owned()],
            Part::Text(rows, _) => rows.into_iter().map(str::to_owned).collect(),
        };
        Ok(blocks.parts(text.split('\n'))?.into_iter().map(lines).collect())
    }

    #[test]
    fn a_text_goes_up_to_its_end() {
        let text = "hostname a\nbanner motd #\nno\nreload #\nend";
        assert_eq!(parts(text).unwrap(), [vec!["hostname a"], vec!["banner motd #"], vec!["no", "reload #"], vec!["end"]]);
        let text = "certificate self-signed 01\n 3082\n  quit\nend";
        assert_eq!(parts(text).unwrap(), [vec!["certificate self-signed 01"], vec![" 3082", "  quit"], vec!["end"]]);
    }

    #[test]
    fn a_text_is_typed_behind_the_sign_of_its_device() {
        let signed = BlockSpec { sign: ">".to_owned(), ..spec(r"^banner +(?P<end>\S)", None) };
        for (spec, shown) in [(spec(r"^banner +(?P<end>\S)", None), false), (signed, true)] {
            let blocks = Blocks::compile(&[spec]).unwrap();
            let parts = blocks.parts("banner #\nno\n#".split('\n')).unwrap();
            let Some(Part::Text(_, behind)) = parts.last() else { panic!("{parts:?}") };
            assert!(behind.is_shown("Enter TEXT message.", ""));
            assert_eq!(behind.is_shown("Enter TEXT message.", "> "), shown);
        }
    }

    #[test]
    fn one_that_ends_in_its_line_is_a_command() {
        assert_eq!(parts("banner motd #hi#\nreload").unwrap(), [vec!["banner motd #hi#"], vec!["reload"]]);
    }

    #[test]
    fn one_without_an_end_is_told() {
        let why = parts("banner motd #\nhello").unwrap_err();
        assert_eq!(why, "behind `banner motd #` the device takes text up to the next `#`, and there is none; add the text and its end");
        assert!(parts("certificate ca 01").unwrap_err().contains("up to a line `quit`"));
    }

    #[test]
    fn an_end_is_needed_and_only_one() {
        for wrong in [spec("^banner", None), spec("^banner (?P<end>.)", Some("EOF"))] {
            assert!(Blocks::compile(&[wrong]).unwrap_err().contains("needs either `end` or a group"));
        }
    }
}
