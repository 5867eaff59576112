//! A login name as it was sent, with the options that some devices read behind it.

use super::limits::{COLUMNS_MAX, ROWS_MAX};
use super::spec::Suffix;

/// Who logs in, and with which terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    /// Name without options.
    pub(super) user: String,
    /// Columns, 0 = not known.
    pub(super) columns: u32,
    /// Rows, 0 = not known.
    pub(super) rows: u32,
    /// No colours.
    pub(super) no_colour: bool,
    /// No terminal queries.
    pub(super) no_queries: bool,
    /// Plain echo.
    pub(super) dumb: bool,
}

impl Login {
    /// A name without options.
    pub(super) fn named(user: &str) -> Self {
        Self { user: user.to_owned(), ..Self::default() }
    }

    /// Reads a login name. Nothing when it is neither `user` nor `user` with options that the suffix rule knows.
    pub(super) fn parse(sent: &str, user: &str, suffix: Option<&Suffix>) -> Option<Self> {
        let mut login = Self::named(user);
        let rest = sent.strip_prefix(user)?;
        if rest.is_empty() {
            return Some(login);
        }
        let suffix = suffix?;
        let mut number = 0;
        for letter in rest.strip_prefix(suffix.separator)?.chars() {
            if let Some(digit) = letter.to_digit(10) {
                number = digit.saturating_add(u32::saturating_mul(number, 10));
                continue;
            }
            login.set(letter, std::mem::take(&mut number), suffix)?;
        }
        (number == 0).then_some(login)
    }

    /// The size that the terminal request gave. Options of the name win.
    pub(super) fn with_terminal(mut self, columns: u32, rows: u32) -> Self {
        self.columns = if self.columns == 0 { columns } else { self.columns };
        self.rows = if self.rows == 0 { rows } else { self.rows };
        self
    }

    /// The size where nobody gave one; all sizes are inside the bounds afterwards.
    pub(super) fn with_defaults(self, columns: u32, rows: u32) -> Self {
        let mut login = self.with_terminal(columns, rows);
        login.columns = login.columns.clamp(1, COLUMNS_MAX);
        login.rows = login.rows.clamp(1, ROWS_MAX);
        login
    }

    fn set(&mut self, letter: char, number: u32, suffix: &Suffix) -> Option<()> {
        let letter = Some(letter);
        if letter == suffix.no_colour {
            self.no_colour = true;
        } else if letter == suffix.no_queries {
            self.no_queries = true;
        } else if letter == suffix.dumb {
            self.dumb = true;
        } else if letter == suffix.columns && number > 0 {
            self.columns = number;
        } else if letter == suffix.rows && number > 0 {
            self.rows = number;
        } else {
            return None;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sent: &str, expected: &str) {
        let letters = |letter| Some(letter);
        let suffix = Suffix {
            separator: '+',
            no_colour: letters('c'),
            no_queries: letters('t'),
            dumb: letters('e'),
            columns: letters('w'),
            rows: letters('h'),
        };
        let told = Login::parse(sent, "router1", Some(&suffix));
        let told = told.map_or_else(
            || "refused".to_owned(),
            |login| format!("{}x{} c{} t{} e{}", login.columns, login.rows, login.no_colour, login.no_queries, login.dumb),
        );
        assert_eq!(told, expected, "{sent}");
    }

    #[test]
    fn options_behind_the_name_are_read() {
        check("router1", "0x0 cfalse tfalse efalse");
        check("router1+ct511w4098h", "511x4098 ctrue ttrue efalse");
        check("router1+cte999w255h", "999x255 ctrue ttrue etrue");
    }

    #[test]
    fn other_names_and_options_are_refused() {
        check("router2", "refused");
        check("router1x", "refused");
        check("router1+z", "refused");
        check("router1+w", "refused");
        check("router1+511", "refused");
        assert_eq!(Login::parse("router1+c", "router1", None), None);
    }

    #[test]
    fn the_option_wins_over_the_terminal_and_both_have_bounds() {
        let login = Login { columns: 511, ..Login::named("a") }.with_terminal(80, 24).with_defaults(1, 1);
        assert_eq!((login.columns, login.rows), (511, 24));
        assert_eq!(Login::named("a").with_terminal(u32::MAX, 0).with_defaults(80, 24).columns, COLUMNS_MAX);
    }
}
