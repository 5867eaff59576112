//! Programs that read lines at a prompt of their own, inside a shell: interpreters, database clients, debuggers.
//!
//! Such a program has no exit status for a line and prints no marks. It is known by the line that started it and by its
//! prompt together, so that output which only looks like a prompt is none. Its mode is the program's name.
//!
//! * `programs`: which programs there are, what starts them, what their prompts look like;
//! * `prompt`: is the program ready, does it want the rest, what is typed at its first prompt;
//! * `changes`: the lines that replace a prompt;
//! * `asking`: the row that must not be cancelled;
//! * `outcome`: the errors of each.

use jackfield_plugin::{Diagnostic, DialogReport, Exchange, Failure, PromptReport, Question, Ready, Step, View};

mod asking;
mod changes;
mod outcome;
mod programs;
mod prompt;

struct Repl;

jackfield_plugin::plugin!(Repl: "
    package jackfield:repl;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/prompt@0.1.0;
        export jackfield:plugin/dialog@0.1.0;
        export jackfield:plugin/outcome@0.1.0;
    }
");

impl bindings::setup::Guest for Repl {
    fn configure(_json: String) -> Result<(), Vec<Diagnostic>> {
        Ok(())
    }
}

impl bindings::prompt::Guest for Repl {
    fn inspect(view: View) -> PromptReport {
        prompt::inspect(&view)
    }

    fn prepare(at: Ready, view: View) -> Vec<String> {
        prompt::prepare(&at, &view).map(str::to_owned).into_iter().collect()
    }
}

impl bindings::dialog::Guest for Repl {
    fn goals() -> Vec<String> {
        Vec::new()
    }

    fn claim(_command: String, _mode: String) -> Option<String> {
        None
    }

    fn asking(view: View) -> Option<Question> {
        asking::question(&view)
    }

    fn next(_goal: String, _view: View) -> DialogReport {
        DialogReport::new(Step::Wait, "")
    }
}

impl bindings::outcome::Guest for Repl {
    fn judge(exchange: Exchange) -> Option<Failure> {
        outcome::judge(&exchange)
    }
}
