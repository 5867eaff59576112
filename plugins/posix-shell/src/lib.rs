//! Linux and BSD shells.
//!
//! A few lines are typed after login, and in a shell that a command has started: `probe` asks which shell it is, the second one makes that shell print
//! marks (OSC 133) with the session's nonce. From then on the start, the end, the exit status and the working
//! directory of a command are told, not guessed. Where no mark comes, the row's look and silence have to do. In a shell that
//! cannot put its marks round a prompt that was changed, they are taken out and it is prepared again. Where a shell's prompt was
//! sent to a file, a line has it print its marks on the terminal.
//!
//! * `marks`: what the marks of one command say;
//! * `prompt`: is the shell ready; `unmarked`: the same where no mark says it;
//! * `memory`: the shells that stand in one another; `started`: what a line starts that has a prompt of its own;
//! * `prepare`: which line to type after login;
//! * `pager`: less, more, man;
//! * `asking`: questions, which only the caller answers; `full_screen`: the same on the screen of an editor or a menu;
//! * `outcome`: refusals, where no exit status is known;
//! * `words`: what a command line runs.

use jackfield_plugin::{Diagnostic, DialogReport, Exchange, Failure, Page, PromptReport, Question, Ready, Step, View};

mod asking;
mod config;
mod full_screen;
mod marks;
mod memory;
mod outcome;
mod pager;
mod prepare;
mod prompt;
#[cfg(test)]
mod sends;
mod started;
mod unmarked;
mod words;

struct PosixShell;

jackfield_plugin::plugin!(PosixShell: "
    package jackfield:posix-shell;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/prompt@0.1.0;
        export jackfield:plugin/pager@0.1.0;
        export jackfield:plugin/dialog@0.1.0;
        export jackfield:plugin/outcome@0.1.0;
    }
");

impl bindings::setup::Guest for PosixShell {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        config::check(&json)
    }
}

impl bindings::prompt::Guest for PosixShell {
    fn inspect(view: View) -> PromptReport {
        prompt::inspect(&view)
    }

    fn prepare(at: Ready, view: View) -> Vec<String> {
        prepare::next(&at, &view).map(str::to_owned).into_iter().collect()
    }
}

impl bindings::pager::Guest for PosixShell {
    fn inspect(view: View) -> Option<Page> {
        pager::page(&view)
    }
}

impl bindings::dialog::Guest for PosixShell {
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

impl bindings::outcome::Guest for PosixShell {
    fn judge(exchange: Exchange) -> Option<Failure> {
        outcome::judge(&exchange)
    }
}
