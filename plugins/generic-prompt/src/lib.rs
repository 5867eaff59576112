//! The plugin of last resort, for every device type: prompts and questions by their look alone.
//!
//! Glue only. The rules: `row` tells whether a row reads like a prompt, `learned` keeps the rows that
//! were accepted, `unfinished` looks for open quotes in the command, `prompt` puts them together; `questions` names what the plugins
//! that know the device have no word for.

use jackfield_plugin::{Diagnostic, DialogReport, PromptReport, Question, Ready, Step, View};

#[cfg(test)]
mod facts;
mod learned;
mod prompt;
mod questions;
mod row;
mod unfinished;

struct GenericPrompt;

jackfield_plugin::plugin!(GenericPrompt: "
    package jackfield:generic-prompt;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/prompt@0.1.0;
        export jackfield:plugin/dialog@0.1.0;
    }
");

impl bindings::setup::Guest for GenericPrompt {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        // Every key of an object stands in quotes, so without one there is none.
        if !json.contains('"') {
            return Ok(());
        }
        Err(vec![Diagnostic { path: String::new(), message: "this plugin has no settings".to_owned() }])
    }
}

impl bindings::prompt::Guest for GenericPrompt {
    fn inspect(view: View) -> PromptReport {
        prompt::inspect(&view)
    }

    /// Nothing is typed into a device that is not known.
    fn prepare(_at: Ready, _view: View) -> Vec<String> {
        Vec::new()
    }
}

impl bindings::dialog::Guest for GenericPrompt {
    fn goals() -> Vec<String> {
        Vec::new()
    }

    fn claim(_command: String, _mode: String) -> Option<String> {
        None
    }

    fn asking(view: View) -> Option<Question> {
        questions::asking(&view)
    }

    fn next(_goal: String, _view: View) -> DialogReport {
        DialogReport::new(Step::Wait, "")
    }
}
