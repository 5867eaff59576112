//! The operator's rules: which lines are allowed, asked about or denied, where, when and for whom.
//!
//! Glue only. [`rule`] reads the rules as the host writes them, [`scope`] says where one counts, [`pattern`] which commands it
//! means, [`decide`] puts them together.

use std::cell::RefCell;

use jackfield_plugin::{Decision, Diagnostic, Lane, Request, Settings};

use crate::rule::Rule;

mod decide;
mod pattern;
mod rule;
mod scope;

struct Rules;

jackfield_plugin::plugin!(Rules: "
    package jackfield:rules;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/policy@0.1.0;
    }
");

thread_local! {
    /// Set once for each instance, before any role is asked. An instance has one thread.
    static RULES: RefCell<Vec<Rule>> = const { RefCell::new(Vec::new()) };
}

impl bindings::setup::Guest for Rules {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        let settings = Settings::parse(&json).map_err(|problem| vec![problem])?;
        let stray = settings.unknown(&["rules"]);
        if !stray.is_empty() {
            return Err(stray);
        }
        let rules = rule::read(settings.text("rules").unwrap_or_default())
            .map_err(|message| vec![Diagnostic { path: "rules".to_owned(), message }])?;
        RULES.set(rules);
        Ok(())
    }
}

impl bindings::policy::Guest for Rules {
    /// It knows no grammar: the lane is left to others.
    fn classify(_: Request) -> Lane {
        Lane { lane: String::new(), rule: String::new(), reason: String::new(), commands: Vec::new(), shortens: false }
    }

    fn decide(request: Request) -> Decision {
        RULES.with_borrow(|rules| decide::decide(rules, &request))
    }
}
