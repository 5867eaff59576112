//! Which answers are failures. What is a pattern belongs to `[[failure]]` in `plugin.toml`; here is what a pattern cannot say.

use jackfield_plugin::{Exchange, Failure};

/// A command that was refused says so in its first row.
pub fn judge(exchange: &Exchange) -> Option<Failure> {
    let row = exchange.head.lines().map(str::trim).find(|row| !row.is_empty())?;
    row.starts_with("error:").then(|| Failure { line: row.to_owned(), kind: "error".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_row_is_a_verdict() {
        let judged = |head: &str| {
            judge(&Exchange { command: String::new(), mode: String::new(), head: head.to_owned(), tail: head.to_owned(), status: None })
        };
        assert_eq!(judged("error: no such port\n").map(|failure| failure.kind), Some("error".to_owned()));
        assert!(judged("port 1\nerror: in a log\n").is_none());
    }
}
