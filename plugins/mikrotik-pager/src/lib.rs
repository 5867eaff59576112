//! MikroTik RouterOS 6 and 7.
//!
//! Glue only. The rules: `name` compares identities, `prompt` says when a prompt counts, `pager` chooses
//! the key, `login` answers the first questions, `questions` names the others, `outcome` finds the refused
//! commands, `banner` recognises a router.
//!
//! No RouterOS runs offline: the tests play rows that real routers are known to print.

use std::cell::Cell;

use jackfield_plugin::{Diagnostic, DialogReport, Exchange, Failure, Level, Page, PromptReport, Question, Ready, Step, View};

use crate::config::Config;

mod banner;
mod config;
#[cfg(test)]
mod facts;
mod login;
mod name;
mod outcome;
mod pager;
mod prompt;
mod questions;
#[cfg(test)]
mod secrets;

struct MikrotikPager;

jackfield_plugin::plugin!(MikrotikPager: "
    package jackfield:mikrotik-pager;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/identify@0.1.0;
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

impl bindings::setup::Guest for MikrotikPager {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        CONFIG.set(Config::parse(&json)?);
        Ok(())
    }
}

impl bindings::identify::Guest for MikrotikPager {
    fn score(server_id: String, banner: String, screen: View) -> u32 {
        banner::score(&server_id, &banner, &screen)
    }
}

impl bindings::prompt::Guest for MikrotikPager {
    fn inspect(view: View) -> PromptReport {
        prompt::inspect(&view)
    }

    /// No command turns paging off for a session: the login suffix and the terminal's size do.
    fn prepare(_at: Ready, _view: View) -> Vec<String> {
        Vec::new()
    }
}

impl bindings::pager::Guest for MikrotikPager {
    fn inspect(view: View) -> Option<Page> {
        pager::inspect(&view, CONFIG.get())
    }
}

impl bindings::dialog::Guest for MikrotikPager {
    fn goals() -> Vec<String> {
        vec!["login".to_owned()]
    }

    fn claim(_command: String, _mode: String) -> Option<String> {
        None
    }

    fn asking(view: View) -> Option<Question> {
        questions::asking(&view)
    }

    fn next(goal: String, view: View) -> DialogReport {
        if goal != "login" {
            return DialogReport::new(Step::Failed(format!("`mikrotik-pager` knows no goal `{goal}`")), "");
        }
        let report = login::next(&view);
        if report.step == Step::Send("break".to_owned()) {
            jackfield_plugin::log(
                Level::Warn,
                "the router wants a new password for this account; the question was left with Ctrl-C, nothing was set",
            );
        }
        report
    }
}

impl bindings::outcome::Guest for MikrotikPager {
    fn judge(exchange: Exchange) -> Option<Failure> {
        outcome::judge(&exchange)
    }
}
