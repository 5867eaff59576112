//! Errors: a line in such a program has no exit status, so the program's own words are all there is.

use jackfield_plugin::{Exchange, Failure};

/// How each program's error line begins.
const ERRORS: &[(&str, &[&str])] = &[
    ("psql", &["ERROR:  ", "FATAL:  ", "PANIC:  ", "invalid command \\", "psql: error: "]),
    ("sqlite", &["Parse error", "Runtime error", "Error: ", "SQL error: "]),
    ("mysql", &["ERROR ", "ERROR: ", "Unknown command '"]),
    ("bc", &["Runtime error", "(standard_in) "]),
    ("redis", &["(error) ", "Could not connect to Redis"]),
    ("node", &["Uncaught "]),
    (
        "gdb",
        &[
            "Undefined command: ",
            "No symbol ",
            "A syntax error in expression",
            "No executable file specified",
            "The program is not being run.",
        ],
    ),
    ("php", &["PHP Parse error: ", "PHP Fatal error: ", "Parse error: ", "Fatal error: ", "Warning: Uncaught "]),
    ("sftp", &["Couldn't ", "Invalid command.", "?Invalid command", "File \""]),
];

/// The first line that is an error of the program in whose mode the line was typed.
pub(crate) fn judge(exchange: &Exchange) -> Option<Failure> {
    if exchange.status.is_some() {
        return None;
    }
    let line = match exchange.mode.as_str() {
        "python" | "ipython" | "pdb" => python(&exchange.head, &exchange.tail),
        mode => {
            let (_, starts) = ERRORS.iter().find(|(of, _)| *of == mode)?;
            let is_error = |row: &&str| starts.iter().any(|start| row.starts_with(start));
            exchange.head.lines().chain(exchange.tail.lines()).find(is_error)
        }
    }?;
    Some(Failure { line: line.trim_ascii_end().to_owned(), kind: "error".to_owned() })
}

/// Behind the last traceback, or the arrow under a line that cannot be read, the first row that is not indented names the exception: what
/// follows is the rest of its text, or the output of the next line.
fn python<'a>(head: &'a str, tail: &'a str) -> Option<&'a str> {
    let begins = |row: &str| {
        row.starts_with("Traceback (most recent call last)")
            || row.starts_with("  File \"<stdin>\"")
            || row.starts_with("  File \"<python-input")
    };
    let rows: Vec<&str> = tail.lines().filter(|row| !row.trim_ascii().is_empty()).collect();
    let last = rows.iter().rposition(|&row| begins(row));
    let named = match last {
        Some(at) => rows.into_iter().skip(at + 1).find(|row| !row.starts_with(' ')),
        // It begins before the part that is shown.
        None if head.lines().any(begins) => rows.last().copied(),
        None => None,
    }?;
    let name = named.split([':', '(']).next().unwrap_or_default();
    let is_exception =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_') && !named.starts_with(' ');
    is_exception.then_some(named)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Exchange;

    use super::judge;

    fn line(mode: &str, output: &str) -> Option<String> {
        let text = || output.to_owned();
        judge(&Exchange { command: "x".to_owned(), mode: mode.to_owned(), head: text(), tail: text(), status: None })
            .map(|failure| failure.line)
    }

    #[test]
    fn each_program_has_its_own_words() {
        for (mode, output, expected) in [
            (
                "python",
                "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nZeroDivisionError: division by zero\n",
                "ZeroDivisionError: division by zero",
            ),
            ("python", "  File \"<stdin>\", line 1\n    1 +\n       ^\nSyntaxError: invalid syntax\n", "SyntaxError: invalid syntax"),
            (
                "python",
                "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nKeyboardInterrupt\n",
                "KeyboardInterrupt",
            ),
            (
                "python",
                "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\n  File \"/x/m.py\", line 4, in f\n    g()\n\
                 sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: x\n[SQL: select * from x]\n\
                 (Background on this error at: https://sqlalche.me/e/20/e3q8)\n",
                "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: x",
            ),
            (
                "python",
                "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nKeyError: 'a'\n\nDuring handling of the above \
                 exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"<stdin>\", line 3, in <module>\n\
                 ValueError: two\n  rows\nnext line\n",
                "ValueError: two",
            ),
            ("psql", "ERROR:  relation \"x\" does not exist\nLINE 1: select * from x;\n", "ERROR:  relation \"x\" does not exist"),
            ("sqlite", "Parse error: no such table: x\n  select * from x;\n", "Parse error: no such table: x"),
            ("mysql", "ERROR 1146 (42S02): Table 'a.x' doesn't exist\n", "ERROR 1146 (42S02): Table 'a.x' doesn't exist"),
            ("redis", "(error) ERR unknown command 'x'\n", "(error) ERR unknown command 'x'"),
            ("node", "Uncaught ReferenceError: x is not defined\n", "Uncaught ReferenceError: x is not defined"),
            ("gdb", "Undefined command: \"x y\".  Try \"help\".\n", "Undefined command: \"x y\".  Try \"help\"."),
        ] {
            assert_eq!(line(mode, output).as_deref(), Some(expected), "{mode}");
        }
    }

    #[test]
    fn output_is_no_error() {
        for (mode, output) in [
            ("python", "SyntaxError: as text\n"),
            ("psql", " ERROR\n-------\n x\n"),
            ("mysql", ""),
            ("shell", "ERROR 1 x"),
            ("python", "3\n"),
        ] {
            assert_eq!(line(mode, output), None, "{mode} {output:?}");
        }
    }
}
