//! Refusals of a shell, where no exit status is known. With a status there is nothing to guess.

use jackfield_plugin::shell::file_name;
use jackfield_plugin::text::{holds, rows, trim_end};
use jackfield_plugin::{Exchange, Failure};

/// How a shell says that there is no such command: what stands before the name, or behind it.
const NOT_FOUND: &[(&str, &str)] = &[
    ("", ": command not found"),
    ("", ": not found"),
    ("", ": Command not found."),
    ("", ": inaccessible or not found"),
    ("zsh: command not found: ", ""),
    ("fish: Unknown command: ", ""),
    ("fish: Unknown command ", ""),
];
/// How it says that it has one and may not run it, or could not read the line.
const REFUSED: &[&str] = &[": Permission denied", ": cannot execute: Permission denied", "Exec format error", ": restricted"];
const UNREADABLE: &[&str] = &["syntax error", "Syntax error", "parse error", "Unmatched", "fish: Unexpected", "fish: Expected"];
/// The programs that speak in these words.
const SHELLS: &[&str] = &["bash", "-bash", "sh", "-sh", "dash", "-dash", "ash", "-ash", "zsh", "-zsh", "ksh", "-ksh", "mksh", "fish", "E"];

/// The shell's own line, if it is the only one: the output of a program may say anything.
pub(crate) fn judge(exchange: &Exchange) -> Option<Failure> {
    if exchange.status.is_some() {
        return None;
    }
    let mut rows = rows(&exchange.head).map(trim_end).filter(|row| !row.is_empty());
    let row = rows.next()?;
    if rows.next().is_some() && !from_shell(row) {
        return None;
    }
    let first = exchange.command.split_whitespace().next().unwrap_or_default();
    let missing = NOT_FOUND.iter().any(|(before, behind)| row.starts_with(before) && row.ends_with(behind)) && about(row, first);
    let kind = if missing || (from_shell(row) && REFUSED.iter().any(|words| holds(row, words))) {
        "refused"
    } else if from_shell(row) && UNREADABLE.iter().any(|words| holds(row, words)) {
        "error"
    } else {
        return None;
    };
    Some(Failure { line: row.to_owned(), kind: kind.to_owned() })
}

/// `bash: line 3: ...`, `-sh: ...`, `/bin/dash: 7: ...`.
fn from_shell(row: &str) -> bool {
    let Some((speaker, _)) = row.split_once(':') else { return false };
    SHELLS.contains(&file_name(speaker))
}

/// Does the row speak of the command that was typed?
fn about(row: &str, command: &str) -> bool {
    !command.is_empty() && holds(row, command) || from_shell(row)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Exchange;

    use super::judge;

    fn kind(command: &str, output: &str, status: Option<i32>) -> Option<String> {
        let exchange =
            Exchange { command: command.to_owned(), mode: "shell".to_owned(), head: output.to_owned(), tail: output.to_owned(), status };
        judge(&exchange).map(|failure| failure.kind)
    }

    #[test]
    fn a_missing_command_is_refused() {
        for row in [
            "bash: nosuch: command not found",
            "-bash: nosuch: command not found",
            "/bin/dash: 2: nosuch: not found",
            "ash: nosuch: not found",
            "zsh: command not found: nosuch",
            "fish: Unknown command: nosuch",
            "nosuch: Command not found.",
            "E: /bin/mksh: nosuch: inaccessible or not found",
        ] {
            assert_eq!(kind("nosuch -x", &format!("{row}\n"), None).as_deref(), Some("refused"), "{row}");
        }
        assert_eq!(kind("./x", "-sh: ./x: Permission denied", None).as_deref(), Some("refused"));
        assert_eq!(kind("echo )", "dash: 3: Syntax error: \")\" unexpected", None).as_deref(), Some("error"));
    }

    #[test]
    fn output_is_no_refusal() {
        for row in
            ["0 errors, 0 warnings", "file not found in cache, downloading", "a: not found", "grep: x: Permission denied\nfound 3", ""]
        {
            assert_eq!(kind("check", row, None), None, "{row}");
        }
    }

    #[test]
    fn a_status_says_all() {
        assert_eq!(kind("nosuch", "bash: nosuch: command not found", Some(127)), None);
        assert_eq!(kind("nosuch", "bash: nosuch: command not found", Some(0)), None);
    }
}
