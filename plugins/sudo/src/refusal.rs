//! Rows in which sudo says that it will not run the command.

use jackfield_plugin::View;

/// How many rows before the prompt are looked at.
const ROWS: usize = 8;

/// What sudo itself reports begins with its name.
const AFTER_NAME: &[&str] = &[
    "Sorry, user ",
    "I'm sorry ",
    "a password is required",
    "a terminal is required",
    "no tty present",
    "interactive authentication is required",
    "account validation failure",
    "incorrect password attempt",
    "incorrect authentication attempts",
    "Authentication failed",
    "PAM ",
    "unable to initialize PAM",
    "no valid sudoers sources found",
    "the \"no new privileges\" flag is set",
    "must be owned by uid 0",
    "effective uid is not 0",
    "you do not exist in the passwd database",
];

/// The row in which sudo refused the line that just ended, if it did.
pub(crate) fn row(view: &View) -> Option<&str> {
    if status(view) == Some(0) {
        return None;
    }
    let rows: Vec<&str> = view.recent.lines().map(str::trim_ascii_end).collect();
    let start = rows.iter().rposition(|row| begins_here(row, view)).map_or(0, |at| at + 1);
    let own = rows.get(start..)?;
    own.iter().rev().take(ROWS).find(|row| refuses(row)).copied()
}

/// The echo of the line, or sudo's question in it: what stands before belongs to another command.
fn begins_here(row: &str, view: &View) -> bool {
    let typed = view.command.lines().next().unwrap_or_default().trim_ascii();
    let nonce = view.fact("nonce");
    (!typed.is_empty() && row.ends_with(typed)) || (!nonce.is_empty() && holds(row, nonce))
}

fn refuses(row: &str) -> bool {
    match row.strip_prefix("sudo: ") {
        Some(said) => AFTER_NAME.iter().any(|words| holds(said, words)),
        None => {
            row.ends_with(" is not in the sudoers file.")
                || holds(row, " is not in the sudoers file.  This incident")
                || (row.starts_with("Sorry, user ") && (holds(row, " is not allowed to ") || holds(row, " may not run ")))
        }
    }
}

/// Is the part somewhere in the text? Does without the search machinery of `str`, which would be a fifth of the component.
pub(crate) fn holds(text: &str, part: &str) -> bool {
    part.is_empty() || text.as_bytes().windows(part.len()).any(|window| window == part.as_bytes())
}

/// The exit status that the shell's mark told.
fn status(view: &View) -> Option<i32> {
    let mark = view.marks.iter().rev().find(|mark| mark.starts_with("D;"))?;
    mark.split(';').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::View;
    use jackfield_plugin::testing::Scene;

    use super::row;

    fn view(recent: &str, status: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view("$ ");
        view.command = "sudo id".to_owned();
        view.recent = recent.to_owned();
        view.marks = vec![format!("D;{status};0123456789abcdef;/")];
        view
    }

    #[test]
    fn both_programs_refuse_in_their_own_words() {
        for line in [
            "alice is not in the sudoers file.",
            "alice is not in the sudoers file.  This incident will be reported.",
            "Sorry, user alice is not allowed to execute '/usr/bin/id' as root on vm.",
            "Sorry, user alice may not run sudo on vm.",
            "sudo: I'm sorry alice. I'm afraid I can't do that",
            "sudo: Sorry, user alice may not run sudo on vm.",
            "sudo: 3 incorrect password attempts",
            "sudo: account validation failure, is your account locked?",
            "sudo: a terminal is required to read the password; either use the -S option",
        ] {
            assert_eq!(row(&view(&format!("$ sudo id\n{line}"), "1")), Some(line));
        }
    }

    #[test]
    fn a_command_that_failed_was_not_refused() {
        for line in ["", "sudo: unable to resolve host vm: Name or service not known", "id: no such user", "Sorry, user not found"] {
            assert_eq!(row(&view(&format!("$ sudo id\n{line}"), "1")), None, "{line}");
        }
        assert_eq!(row(&view("$ sudo id\nalice is not in the sudoers file.", "0")), None);
    }

    #[test]
    fn an_older_refusal_does_not_count() {
        let older = "$ sudo ls\nalice is not in the sudoers file.\n$ sudo id\nid: no such user";
        assert_eq!(row(&view(older, "1")), None);
        let asked = "alice is not in the sudoers file.\njackfield-0123456789abcdef: \nid: no such user";
        assert_eq!(row(&view(asked, "1")), None);
    }
}
