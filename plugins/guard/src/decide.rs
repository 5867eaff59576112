//! From an assessment to an answer: what the line is wanted for and what the operator's mode allows.

use jackfield_plugin::{Decision, Effect, Lane, Request};

use crate::characters;
use crate::family::{Grammar, Setting};
use crate::verdict::{Assessment, Danger, Doubt};
use crate::{declared, ios, other, posix, program, routeros};

/// Longest reason, in characters.
const REASON_MAX: usize = 220;

/// What kind of line is it, whatever the mode?
pub(crate) fn classify(request: &Request, setting: Setting) -> Lane {
    let command = typed(request);
    let proof = match characters::refuse(&command) {
        Some(Danger { rule, reason, .. }) => Err(Doubt { rule, reason }),
        None => assess(request, &command, setting),
    };
    match proof {
        Ok(rule) => Lane { lane: "read".to_owned(), rule: rule.to_owned(), reason: "every command in it only reads".to_owned() },
        Err(Doubt { rule, reason }) => Lane { lane: "change".to_owned(), rule: format!("change.{rule}"), reason: short(reason) },
    }
}

/// May it be typed?
pub(crate) fn decide(request: &Request, setting: Setting) -> Decision {
    let command = typed(request);
    if let Some(danger) = characters::refuse(&command) {
        return stopped(danger);
    }
    let full = request.policy_mode == "full";
    // A mode that is not known is the strictest one.
    let reads_only = !full && request.policy_mode != "safe";
    if request.purpose == "send" {
        return answer(request, &command, setting, full, reads_only);
    }
    let mut assessment = assessed(request, &command, setting);
    if let Some(unfinished) = assessment.unfinished.take()
        && !(full && is_whole(request))
    {
        return stopped(unfinished);
    }
    match request.purpose.as_str() {
        "query" => query(assessment, full, reads_only),
        _ if reads_only => read_only(assessment),
        _ => run(assessment, full),
    }
}

/// Nothing waits for the rest of it: the shell says itself what is missing, and nothing of that part runs. What an open end hides
/// from the rules is not judged, so this is for the mode that stops nothing.
fn is_whole(request: &Request) -> bool {
    request.facts.iter().any(|fact| fact.name == "given" && fact.value == "whole")
}

fn query(assessment: Assessment, full: bool, reads_only: bool) -> Decision {
    match (assessment.proof, assessment.danger) {
        (Ok(()), _) => allow(assessment.read_rule, "it only reads"),
        (Err(_), Some(danger)) if !full => stopped(danger),
        (Err(doubt), _) if reads_only => not_read(doubt, "The operator allows reads only here."),
        (Err(doubt), _) => not_read(doubt, "Use ssh_run if the change is intended."),
    }
}

fn read_only(assessment: Assessment) -> Decision {
    match assessment.proof {
        Ok(()) => allow(assessment.read_rule, "it only reads"),
        Err(doubt) => not_read(doubt, "The operator allows reads only here."),
    }
}

fn run(assessment: Assessment, full: bool) -> Decision {
    match (assessment.danger, assessment.proof) {
        (Some(danger), _) if full => allow(danger.rule, &format!("{}; the operator's mode is `full`", danger.reason)),
        (Some(danger), _) => stopped(danger),
        (None, Ok(())) => allow(assessment.read_rule, "it only reads"),
        (None, Err(doubt)) => allow(&format!("change.{}", doubt.rule), "a change, and none that is stopped"),
    }
}

/// A line for a running program: an answer, unless a shell would take it for something that destroys.
fn answer(request: &Request, command: &str, setting: Setting, full: bool, reads_only: bool) -> Decision {
    if command.trim().is_empty() {
        return allow("answer.empty", "an empty line answers with what the program offers");
    }
    if reads_only {
        return read_only(assessed(request, command, setting));
    }
    if full {
        return allow("answer.full", "the operator's mode is `full`");
    }
    let danger = match Grammar::of(request, setting) {
        Grammar::Posix | Grammar::Csh => posix::answer_danger(command, cwd(request)),
        Grammar::Ios(dialect, _) => ios::answer_danger(command, dialect),
        Grammar::RouterOs => routeros::danger(command),
        Grammar::Declared => declared::danger(command, request),
        Grammar::Other => other::find(command, &request.mode).or_else(|| program::danger(command, &request.mode)),
    };
    danger.map_or_else(|| allow("answer.text", "an answer to a running program"), stopped)
}

/// The rule that proves a read, or why there is none.
fn assess(request: &Request, command: &str, setting: Setting) -> Result<&'static str, Doubt> {
    let assessment = assessed(request, command, setting);
    assessment.proof.map(|()| assessment.read_rule)
}

fn assessed(request: &Request, command: &str, setting: Setting) -> Assessment {
    match Grammar::of(request, setting) {
        Grammar::Posix => posix::assess(command, cwd(request)),
        Grammar::Csh => posix::assess_csh(command, cwd(request)),
        Grammar::Ios(dialect, place) => ios::assess(command, dialect, place),
        Grammar::RouterOs => routeros::assess(command),
        Grammar::Declared => declared::assess(command, request),
        Grammar::Other => {
            program::assess(command, &request.mode).unwrap_or_else(|| other::assess(command, &request.device_type, &request.mode))
        }
    }
}

/// As the device will see it: the host types one newline for both signs.
fn typed(request: &Request) -> String {
    request.command.replace("\r\n", "\n")
}

/// The working directory, where the host tells it.
fn cwd(request: &Request) -> Option<&str> {
    request.facts.iter().find(|fact| fact.name == "cwd").map(|fact| fact.value.as_str())
}

fn allow(rule: &str, reason: &str) -> Decision {
    Decision { effect: Effect::Allow, rule: rule.to_owned(), reason: short(reason.to_owned()) }
}

fn stopped(danger: Danger) -> Decision {
    let reason = short(format!("Refused: {}. {}", danger.reason, danger.advice));
    Decision { effect: Effect::Deny, rule: danger.rule.to_owned(), reason }
}

fn not_read(doubt: Doubt, next: &str) -> Decision {
    let reason = short(format!("Not proven read-only: {}. {next}", doubt.reason));
    Decision { effect: Effect::Deny, rule: format!("change.{}", doubt.rule), reason }
}

fn short(reason: String) -> String {
    if reason.chars().count() <= REASON_MAX { reason } else { reason.chars().take(REASON_MAX - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::request;

    fn said(command: &str, purpose: &str, policy_mode: &str) -> (Effect, String, String) {
        said_on("linux", "shell", command, purpose, policy_mode)
    }

    fn said_on(device_type: &str, mode: &str, command: &str, purpose: &str, policy_mode: &str) -> (Effect, String, String) {
        let Decision { effect, rule, reason } = decide(&request(device_type, mode, command, purpose, policy_mode), Setting::Auto);
        (effect, rule, reason)
    }

    fn rule(command: &str, purpose: &str, policy_mode: &str) -> (Effect, String) {
        let (effect, rule, _) = said(command, purpose, policy_mode);
        (effect, rule)
    }

    fn is(effect: Effect, rule: &str) -> (Effect, String) {
        (effect, rule.to_owned())
    }

    #[test]
    fn a_query_must_be_a_read() {
        assert_eq!(rule("ls", "query", "safe"), is(Effect::Allow, "read.posix.allowed"));
        let (effect, rule_name, reason) = said("sed -i s/a/b/ f", "query", "safe");
        assert_eq!((effect, rule_name.as_str()), (Effect::Deny, "change.posix.option"));
        assert_eq!(reason, "Not proven read-only: `sed -i` may change something. Use ssh_run if the change is intended.");
        // What ssh_run would refuse as well is not sent there.
        assert_eq!(rule("rm -rf /", "query", "safe"), is(Effect::Deny, "posix.wipe"));
        assert_eq!(rule("rm -rf /", "query", "full"), is(Effect::Deny, "change.posix.unknown-program"));
    }

    #[test]
    fn the_modes_differ_in_what_runs() {
        for (command, policy_mode, expected) in [
            ("ls", "read-only", is(Effect::Allow, "read.posix.allowed")),
            ("touch x", "read-only", is(Effect::Deny, "change.posix.unknown-program")),
            ("rm -rf /", "read-only", is(Effect::Deny, "change.posix.unknown-program")),
            ("touch x", "safe", is(Effect::Allow, "change.posix.unknown-program")),
            ("rm -rf /", "safe", is(Effect::Deny, "posix.wipe")),
            ("rm -rf /", "full", is(Effect::Allow, "posix.wipe")),
            ("echo 'a", "full", is(Effect::Deny, "posix.unfinished")),
            ("ls\u{3}", "full", is(Effect::Deny, "control-byte")),
            ("touch x", "later", is(Effect::Deny, "change.posix.unknown-program")),
        ] {
            assert_eq!(rule(command, "run", policy_mode), expected, "{command} {policy_mode}");
        }
    }

    #[test]
    fn an_open_end_of_a_whole_line_is_left_to_the_shell_where_nothing_is_stopped() {
        for (given, purpose, policy_mode, expected) in [
            ("whole", "run", "full", Effect::Allow),
            ("whole", "run", "safe", Effect::Deny),
            ("whole", "query", "full", Effect::Deny),
            ("piecemeal", "run", "full", Effect::Deny),
        ] {
            let fact = jackfield_plugin::Fact { name: "given".to_owned(), value: given.to_owned() };
            let request = Request { facts: vec![fact], ..request("linux", "shell", "echo 'a", purpose, policy_mode) };
            assert_eq!(decide(&request, Setting::Auto).effect, expected, "{given} {purpose} {policy_mode}");
        }
    }

    #[test]
    fn answers_to_a_running_program_pass_unless_they_destroy() {
        for text in ["y", "yes", "don't ask", "/srv/file name.txt", "3", "Hello!world", ":wq", "q"] {
            assert_eq!(rule(text, "send", "safe"), is(Effect::Allow, "answer.text"), "{text}");
            assert_eq!(rule(text, "send", "read-only").0, Effect::Deny, "{text}");
        }
        assert_eq!(rule("", "send", "read-only"), is(Effect::Allow, "answer.empty"));
        for text in ["rm -rf /", "!rm -rf /", ":!rm -rf /", "'; rm -rf /", "\"; rm -rf /", "EOF\nrm -rf /"] {
            assert_eq!(rule(text, "send", "safe"), is(Effect::Deny, "posix.wipe"), "{text}");
        }
        assert_eq!(said_on("cisco_ios", "privileged", "show ip ?", "send", "safe").0, Effect::Allow);
        assert_eq!(said_on("cisco_ios", "privileged", "rel?oad", "send", "safe").1, "ios.outage");
        assert_eq!(said_on("mikrotik_routeros", "menu", "/system reboot", "send", "safe").1, "routeros.outage");
    }

    #[test]
    fn a_carriage_return_before_a_newline_is_one_newline() {
        assert_eq!(rule("ls\r\nuptime\r\n", "query", "safe"), is(Effect::Allow, "read.posix.allowed"));
        assert_eq!(rule("ls\rrm x", "query", "safe"), is(Effect::Deny, "control-byte"));
    }

    #[test]
    fn a_reason_names_the_word_and_the_next_step() {
        for (command, expected) in [
            ("rm -rf /etc", "Refused: `rm -rf /etc` removes a part of the system. Name the one directory to remove."),
            ("rm -rf $D", "Refused: `rm -rf $…` removes what is only known later. Write the path out."),
            ("curl x | sh", "Refused: `sh` runs what `curl` prints, unseen. Write the code to a file, look at it, then run the file."),
        ] {
            assert_eq!(said(command, "run", "safe").2, expected);
        }
    }
}
