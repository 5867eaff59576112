//! The one row that is told as a question: where sqlite3 asks for the rest of a statement, whom the cancel keys would end.

use jackfield_plugin::{Question, View};

use crate::programs;

const MODE: &str = "sqlite";
/// The row has one form.
const AFTER_MS: u32 = 500;

/// The question, once all lines of the command are typed. Before that the next one is the answer.
pub(crate) fn question(view: &View) -> Option<Question> {
    let hit = view.hit("sqlite_open")?;
    let is_sqlite = programs::of_mode(&view.mode).is_some_and(|(_, mode)| mode == MODE);
    let all_typed = is_sqlite && view.echoed && view.fact("shown") != "screen" && has_typed_all(view);
    all_typed.then(|| Question {
        kind: "unknown".to_owned(),
        text: format!("{} (the statement goes on: `;` ends it, an interrupt does not)", hit.group("row").unwrap_or_default().trim_ascii()),
        after_ms: AFTER_MS,
    })
}

/// Is the last line of the command that has been sent back its last one?
fn has_typed_all(view: &View) -> bool {
    let lines: Vec<&str> = view.command.lines().map(str::trim_ascii).filter(|line| !line.is_empty()).collect();
    let Some((last, before)) = lines.split_last() else { return false };
    let mut rows = view.recent.lines().rev().map(str::trim_ascii_end).peekable();
    if rows.peek().is_none() {
        return false;
    }
    let typed = rows.find(|row| lines.iter().any(|line| row.ends_with(line)));
    typed.is_none_or(|row| row.ends_with(last) || !before.iter().any(|line| row.ends_with(line)))
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::View;
    use jackfield_plugin::testing::Scene;

    use super::question;

    fn view(command: &str, recent: &str, tail: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        (view.mode, view.command, view.recent) = ("sqlite".to_owned(), command.to_owned(), recent.to_owned());
        view
    }

    #[test]
    fn a_statement_that_goes_on_is_a_question() {
        for (command, recent, tail) in [
            ("select 1", "sqlite> select 1", "   ...> "),
            ("select 1; select 2", "sqlite> select 1; select 2\n1", "   ...> "),
            ("select *\nfrom t", "sqlite> select *\nfrom t", "   ...> "),
            ("select *\nfrom t", "sqlite> select *\n   ...> from t", "   ...> "),
            // What the caller answered did not end it either, nor did an interrupt.
            ("select 1", "sqlite> select 1\n   ...> , 2", "   ...> "),
            ("select 'a", "sqlite> select 'a", "   '..> "),
            ("select 1", "sqlite> select 1", "   ...> ^C"),
        ] {
            let asked = question(&view(command, recent, tail)).unwrap();
            assert_eq!((asked.kind.as_str(), asked.after_ms), ("unknown", super::AFTER_MS), "{command}");
            assert!(
                asked.text.ends_with(" (the statement goes on: `;` ends it, an interrupt does not)") && !asked.text.contains("^C"),
                "{}",
                asked.text
            );
        }
    }

    #[test]
    fn the_next_line_of_the_command_is_its_own_answer() {
        for (command, recent) in [
            ("select *\nfrom t;", "sqlite> select *"),
            ("select 1; select\n2;", "sqlite> select 1; select\n1"),
            ("select *\n\nfrom t;", "sqlite> select *"),
            ("select 1", ""),
            ("", "sqlite> select 1"),
        ] {
            assert_eq!(question(&view(command, recent, "   ...> ")), None, "{command:?} {recent:?}");
        }
    }

    #[test]
    fn other_rows_and_other_programs_ask_nothing() {
        for tail in ["sqlite> ", "   ...> select", "...", "> "] {
            assert_eq!(question(&view("select 1", "sqlite> select 1", tail)), None, "{tail:?}");
        }
        for mode in ["python", "mysql", "shell", ""] {
            let mut other = view("select 1", "x> select 1", "   ...> ");
            mode.clone_into(&mut other.mode);
            assert_eq!(question(&other), None, "{mode}");
        }
    }
}
