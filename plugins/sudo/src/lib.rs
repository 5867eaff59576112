//! The password question of sudo and of sudo-rs.
//!
//! The question is known by the session's nonce, which `posix-shell` puts into SUDO_PROMPT. A device that merely prints
//! `Password:` gets nothing.
//!
//! * `claim`: does a line run a sudo that will ask;
//! * `dialog`: answer once, leave at the second question, say what sudo refused;
//! * `refusal`: the rows in which sudo refuses.

use jackfield_plugin::mode::{SHELL, TCSH};
use jackfield_plugin::{Diagnostic, DialogReport, Question, View};

mod claim;
mod dialog;
mod refusal;

struct Sudo;

jackfield_plugin::plugin!(Sudo: "
    package jackfield:sudo;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/dialog@0.1.0;
    }
");

impl bindings::setup::Guest for Sudo {
    fn configure(_json: String) -> Result<(), Vec<Diagnostic>> {
        Ok(())
    }
}

impl bindings::dialog::Guest for Sudo {
    fn goals() -> Vec<String> {
        vec![dialog::GOAL.to_owned()]
    }

    /// Only in a shell of the device itself: another host or a container that was entered from it must not get its password.
    fn claim(command: String, mode: String) -> Option<String> {
        (matches!(mode.as_str(), SHELL | TCSH) && claim::asks(&command)).then(|| dialog::GOAL.to_owned())
    }

    fn asking(view: View) -> Option<Question> {
        dialog::asking(&view)
    }

    fn next(_goal: String, view: View) -> DialogReport {
        dialog::next(&view)
    }
}
