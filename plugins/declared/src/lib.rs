//! Serves any network device that a declaration describes.
//!
//! Why one plugin for many devices: what differs between most of them is a table (prompts by mode, a pager's marker, the questions, the
//! texts of an error), and what is the same is the judgement (has the row the device's own name, did it stay, was the secret already
//! given). So the table is data that an operator can write and check, and the judgement is here, once.
//!
//! Why the plugin has no patterns and no TOML reader: the host matches the triggers of every plugin anyway, on the last row only, and
//! makes them from the declaration. What arrives here is the names of the triggers that hit, and settings that say what each means.
//! A regex engine alone would be as large as the rest of the plugin.
//!
//! What a table cannot say needs a plugin of its own: a prompt that depends on what came before, a second pager inside the first, a
//! login that takes its answers from the screen.
//!
//! Glue only. The rules: `prompt` and `learned` say which mode a row is and whether it is this device's, `prepare` what is typed after
//! login, `pager` turns pages, `goal` carries a privilege dialog through, `questions` names what is asked otherwise.

use std::cell::RefCell;

use jackfield_plugin::{Diagnostic, DialogReport, Page, PromptReport, Question, Ready, View};

use crate::declaration::Declaration;

mod declaration;
mod goal;
mod learned;
mod pager;
mod prepare;
mod prompt;
mod questions;

struct Declared;

jackfield_plugin::plugin!(Declared: "
    package jackfield:declared;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/prompt@0.1.0;
        export jackfield:plugin/pager@0.1.0;
        export jackfield:plugin/dialog@0.1.0;
    }
");

thread_local! {
    /// Set once for each instance, before any role is asked. An instance has one thread.
    static DECLARATION: RefCell<Declaration> = RefCell::default();
}

fn with<T>(ask: impl FnOnce(&Declaration) -> T) -> T {
    DECLARATION.with_borrow(ask)
}

impl bindings::setup::Guest for Declared {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        let declaration = Declaration::parse(&json)?;
        DECLARATION.set(declaration);
        Ok(())
    }
}

impl bindings::prompt::Guest for Declared {
    fn inspect(view: View) -> PromptReport {
        with(|declaration| prompt::inspect(&view, declaration))
    }

    fn prepare(at: Ready, view: View) -> Vec<String> {
        with(|declaration| prepare::next_send(&at, &view, declaration))
    }
}

impl bindings::pager::Guest for Declared {
    fn inspect(view: View) -> Option<Page> {
        with(|declaration| pager::inspect(&view, declaration))
    }
}

impl bindings::dialog::Guest for Declared {
    fn goals() -> Vec<String> {
        with(|declaration| core::iter::once("login").chain(declaration.goals()).map(str::to_owned).collect())
    }

    fn claim(command: String, mode: String) -> Option<String> {
        with(|declaration| declaration.claimed(&command, &mode).map(|goal| goal.name.to_owned()))
    }

    fn asking(view: View) -> Option<Question> {
        with(|declaration| questions::asking(&view, declaration))
    }

    fn next(goal: String, view: View) -> DialogReport {
        with(|declaration| match declaration.goal(&goal) {
            Some(goal) => goal::next(&view, &goal, declaration),
            None => questions::at_login(&view, declaration),
        })
    }
}
