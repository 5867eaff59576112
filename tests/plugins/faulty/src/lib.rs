//! A plugin for the tests: it does what its settings say, mostly wrong things.

use std::cell::{Cell, RefCell};

use jackfield_plugin::{Decision, Diagnostic, Effect, Lane, PromptReport, Reading, Ready, Request, Settings, View};

jackfield_plugin::plugin!(Faulty: "
    package jackfield:faulty;
    world plugin {
        include jackfield:plugin/base@0.1.0;
        export jackfield:plugin/identify@0.1.0;
        export jackfield:plugin/prompt@0.1.0;
        export jackfield:plugin/policy@0.1.0;
    }
");

struct Faulty;

thread_local! {
    static FAULT: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
    static SCORE: Cell<u32> = const { Cell::new(0) };
}

/// Goes wrong if this role is the faulty one.
fn misbehave(role: &str) -> String {
    let (fault, faulty_role) = FAULT.with_borrow(Clone::clone);
    if faulty_role != role {
        return String::new();
    }
    match fault.as_str() {
        "trap" => assert_eq!(role, "", "the setting asks for a trap"),
        "loop" => loop {
            std::hint::spin_loop();
        },
        "memory" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 1 << 20]);
                std::hint::black_box(&hoard);
            }
        }
        _ => {}
    }
    fault
}

impl bindings::setup::Guest for Faulty {
    fn configure(json: String) -> Result<(), Vec<Diagnostic>> {
        let settings = Settings::parse(&json);
        let text = |key: &str| settings.as_ref().ok().and_then(|settings| settings.text(key)).unwrap_or_default().to_owned();
        FAULT.set((text("fault"), text("role")));
        SCORE.set(
            settings
                .as_ref()
                .ok()
                .and_then(|settings| settings.number("score"))
                .and_then(|score| u32::try_from(score).ok())
                .unwrap_or_default(),
        );
        Ok(())
    }
}

impl bindings::identify::Guest for Faulty {
    fn score(_server_id: String, _banner: String, _screen: View) -> u32 {
        misbehave("identify");
        SCORE.get()
    }
}

impl bindings::prompt::Guest for Faulty {
    fn inspect(view: View) -> PromptReport {
        let fault = misbehave("prompt");
        let mode = if fault == "long-mode" { "m".repeat(100) } else { "test".to_owned() };
        let memo = if fault == "big-memo" { vec![0; 2000] } else { Vec::new() };
        if view.quiet_ms < view.settle_ms || !view.tail.ends_with(['$', '#', ' ']) {
            return PromptReport::new(Reading::Settle(view.settle_ms), memo);
        }
        let ready = Ready { prompt: view.tail, mode, privileged: false, status: None, cwd: None, proof: "pattern".to_owned() };
        PromptReport::new(Reading::Ready(ready), memo)
    }

    fn prepare(_at: Ready, _view: View) -> Vec<String> {
        if misbehave("prompt") == "no-send" { vec!["no-such-send".to_owned()] } else { Vec::new() }
    }
}

impl bindings::policy::Guest for Faulty {
    fn classify(_request: Request) -> Lane {
        misbehave("policy");
        Lane {
            lane: "read".to_owned(),
            rule: "test".to_owned(),
            reason: "everything is a read here".to_owned(),
            commands: Vec::new(),
            shortens: false,
        }
    }

    fn decide(_request: Request) -> Decision {
        misbehave("policy");
        Decision { effect: Effect::Allow, rule: "test".to_owned(), reason: "everything is allowed here".to_owned() }
    }
}
