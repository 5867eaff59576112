//! Cisco IOS, IOS-XE and what speaks like them: Arista EOS, FRR.
//!
//! Glue only. The rules: `row` and `learned` make a prompt of a row, `prompt` says when it counts,
//! `prepare` what is typed after login, `pager` turns pages, `enable` and `login` carry the two goals
//! through, `questions` names what is asked otherwise, `outcome` finds the refused commands.

use std::cell::Cell;

use jackfield_plugin::{Diagnostic, DialogReport, Exchange, Failure, Page, PromptReport, Question, Ready, Step, View};

use crate::config::Config;

mod config;
mod enable;
#[cfg(test)]
mod facts;
mod learned;
mod login;
mod outcome;
mod pager;
mod prepare;
mod prompt;
mod questions;
mod row;
#[cfg(test)]
mod secrets;
mod words;

struct CiscoEnable;

jackfield_plugin::plugin!(CiscoEnable: "
    package jackfield:cisco-enable;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/prompt@0.1.0;
        export jackfield:plugin/pager@0.1.0;
        export jackfield:plugin/dialog@0.1.0;
        export jackfield:plugin/outcome@0.1.0;
    }
");

thread_local! {
    /// Set once for each instance, before any role is asked. An instance has one thread.
    static CONFIG: Cell<Config> = const { Cell::new(Config::DEFAULT) };
}

impl bindings::setup::Guest for CiscoEnable {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        CONFIG.set(Config::parse(&json)?);
        Ok(())
    }
}

impl bindings::prompt::Guest for CiscoEnable {
    fn inspect(view: View) -> PromptReport {
        prompt::inspect(&view)
    }

    fn prepare(at: Ready, view: View) -> Vec<String> {
        prepare::next_send(&at, &view, CONFIG.get())
    }
}

impl bindings::pager::Guest for CiscoEnable {
    fn inspect(view: View) -> Option<Page> {
        pager::inspect(&view, CONFIG.get())
    }
}

impl bindings::dialog::Guest for CiscoEnable {
    fn goals() -> Vec<String> {
        vec!["login".to_owned(), "enable".to_owned()]
    }

    fn claim(command: String, mode: String) -> Option<String> {
        enable::claims(&command, &mode).then(|| "enable".to_owned())
    }

    fn asking(view: View) -> Option<Question> {
        questions::asking(&view, enable::claims(&view.command, &view.mode))
    }

    fn next(goal: String, view: View) -> DialogReport {
        match goal.as_str() {
            "enable" => enable::next(&view, CONFIG.get().dialect(&view)),
            "login" => login::next(&view),
            _ => DialogReport::new(Step::Failed(format!("`cisco-enable` knows no goal `{goal}`")), ""),
        }
    }
}

impl bindings::outcome::Guest for CiscoEnable {
    fn judge(exchange: Exchange) -> Option<Failure> {
        outcome::judge(&exchange)
    }
}
