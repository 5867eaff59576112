//! Programs that read lines at a prompt of their own, inside a shell: interpreters, database clients, debuggers.
//!
//! Such a program has no exit status for a line and prints no marks. It is known by the line that started it and by its
//! prompt together, so that output which only looks like a prompt is none. Its mode is the program's name.
//!
//! * `programs`: which programs there are, what starts them, what their prompts look like;
//! * `prompt`: is the program ready, does it want the rest;
//! * `outcome`: the errors of each.

use jackfield_plugin::{Diagnostic, Exchange, Failure, PromptReport, Ready, View};

mod outcome;
mod programs;
mod prompt;

struct Repl;

jackfield_plugin::plugin!(Repl: "
    package jackfield:repl;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/prompt@0.1.0;
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

    fn prepare(_at: Ready, _view: View) -> Vec<String> {
        Vec::new()
    }
}

impl bindings::outcome::Guest for Repl {
    fn judge(exchange: Exchange) -> Option<Failure> {
        outcome::judge(&exchange)
    }
}
