//! The operator's settings.

use jackfield_plugin::{Diagnostic, Settings};

/// What the operator set. The login suffix is the host's business; here it is only checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Turn one page at a time instead of letting the rest come at once.
    pub(crate) page_by_page: bool,
}

impl Config {
    /// What holds when nothing is set.
    pub(crate) const DEFAULT: Self = Self { page_by_page: false };

    /// Reads the settings; unknown keys and words are refused.
    pub(crate) fn parse(json: &str) -> Result<Self, Vec<Diagnostic>> {
        let settings = Settings::parse(json).map_err(|problem| vec![problem])?;
        let mut problems = settings.unknown(&["key", "login_suffix"]);
        let key = settings.choice("key", &["dump", "page"]).unwrap_or_else(|problem| {
            problems.push(problem);
            ""
        });
        if settings.text("login_suffix").is_some_and(|suffix| !is_suffix(suffix)) {
            let message = "must be empty, or `+` and terminal options as in `+ct511w4098h`".to_owned();
            problems.push(Diagnostic { path: "login_suffix".to_owned(), message });
        }
        if problems.is_empty() { Ok(Self { page_by_page: key == "page" }) } else { Err(problems) }
    }
}

/// Nothing else may get into the login name.
fn is_suffix(suffix: &str) -> bool {
    let options = suffix.strip_prefix('+');
    suffix.is_empty() || options.is_some_and(|options| !options.is_empty() && options.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dump_key_is_the_default() {
        assert_eq!(Config::parse("{}").unwrap(), Config::DEFAULT);
        assert_eq!(Config::parse(r#"{"key":"dump","login_suffix":"+ct511w4098h"}"#).unwrap(), Config::DEFAULT);
        assert!(Config::parse(r#"{"key":"page"}"#).unwrap().page_by_page);
    }

    #[test]
    fn suffixes_that_are_known_to_work_are_taken() {
        for suffix in ["", "+ct511w4098h", "+cet1024w", "+cte200w", "+cte999w255h"] {
            assert!(Config::parse(&format!(r#"{{"login_suffix":"{suffix}"}}"#)).is_ok(), "{suffix}");
        }
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let problems = Config::parse(r#"{"keys":"dump","key":"down","login_suffix":"ct"}"#).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), ["keys", "key", "login_suffix"]);
        for suffix in ["+", "+c t", "+c@x", "++"] {
            assert!(Config::parse(&format!(r#"{{"login_suffix":"{suffix}"}}"#)).is_err(), "{suffix}");
        }
    }
}
