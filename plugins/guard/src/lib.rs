//! The policy of every device type: a read is proven by the device's own grammar, what destroys or locks
//! out is stopped.
//!
//! Glue only. The rules: [`family`] chooses the grammar, [`posix`], [`ios`], [`routeros`], [`declared`], [`program`] and
//! [`other`] judge a command each by its own, [`characters`] refuses what is not text, [`commands`] takes a line apart for the
//! operator's rules, [`reach`] sees rights and other machines, [`decide`] puts it together, [`memo`] keeps it for the second question.
//!
//! What it does not know: aliases, functions and variables that an earlier line left behind, what a
//! script or an unknown program does, what the configuration of a known program makes it start (of `git` for example), that mksh
//! computes both sides of a comparison in `[ ]`, and which host a nested session is on.

use std::cell::Cell;

use jackfield_plugin::{Decision, Diagnostic, Lane, Request};

use crate::family::Setting;

mod abbreviation;
mod characters;
mod commands;
#[cfg(test)]
mod corpus;
mod decide;
mod declared;
mod family;
mod filters;
mod ios;
mod memo;
mod other;
mod posix;
mod program;
mod reach;
mod routeros;
mod verdict;

struct Guard;

jackfield_plugin::plugin!(Guard: "
    package jackfield:guard;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/policy@0.1.0;
    }
");

thread_local! {
    /// Set once for each instance, before any role is asked. An instance has one thread.
    static SETTING: Cell<Setting> = const { Cell::new(Setting::Auto) };
}

impl bindings::setup::Guest for Guard {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        SETTING.set(Setting::parse(&json)?);
        Ok(())
    }
}

impl bindings::policy::Guest for Guard {
    fn classify(request: Request) -> Lane {
        decide::classify(&request, SETTING.get())
    }

    fn decide(request: Request) -> Decision {
        decide::decide(&request, SETTING.get())
    }
}
