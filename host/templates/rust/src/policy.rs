//! What may be typed. Several policy plugins judge a line: deny, then ask, then allow; who has nothing to say abstains.

use jackfield_plugin::{Decision, Effect, Lane, Request};

/// Only what is proven to read counts as a read.
pub fn classify(request: &Request) -> Lane {
    let reads = request.command.split_whitespace().next() == Some("show") && !request.command.contains(['\n', '>', '|']);
    let (lane, rule, reason) = if reads {
        ("read", "show", "`show` changes nothing")
    } else {
        ("change", "unknown", "it is not known to change nothing")
    };
    let commands = request.command.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    Lane { lane: lane.to_owned(), rule: rule.to_owned(), reason: reason.to_owned(), commands, shortens: false }
}

/// The one command that nobody wants an agent to type.
pub fn decide(request: &Request) -> Decision {
    let wipes = request.command.lines().any(|line| line.trim_start().starts_with("factory-reset"));
    let (effect, rule, reason) = if wipes {
        (Effect::Deny, "wipe", "it deletes the configuration; do it at the console")
    } else {
        (Effect::Abstain, "other", "another policy plugin decides")
    };
    Decision { effect, rule: rule.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(command: &str) -> Request {
        Request {
            device: "box".to_owned(),
            device_type: "{{type}}".to_owned(),
            mode: String::new(),
            privileged: true,
            command: command.to_owned(),
            purpose: "run".to_owned(),
            caller: "test".to_owned(),
            policy_mode: "safe".to_owned(),
            facts: Vec::new(),
        }
    }

    #[test]
    fn what_wipes_is_denied_and_what_shows_is_a_read() {
        assert_eq!(decide(&request("show version\nfactory-reset now")).effect, Effect::Deny);
        assert_eq!(classify(&request("show version")).lane, "read");
        assert_eq!(classify(&request("show version\nreboot")).lane, "change");
    }
}
