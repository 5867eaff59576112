//! From a row to a prompt: name, mode, rights.
//!
//! The triggers say what has the form of a prompt. What the text in parentheses means depends on the name:
//! `27N2(2960_PoE)#` is a switch called `27N2(2960_PoE)`, `R1(config)#` is one called `R1`.

use jackfield_plugin::{Hit, View};

use crate::learned::Learned;

/// Longer names do not exist: a row of this length is output.
const NAME_MAX_BYTES: usize = 100;

/// What a row shows, if it is a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The device's name as this prompt gives it, empty where it gives none.
    pub(crate) host: String,
    /// The mode in the words of the manifest's transitions.
    pub(crate) mode: &'static str,
    /// Whether commands run with elevated rights here.
    pub(crate) privileged: bool,
}

/// Reads the last row with the help of the names that are known.
pub(crate) fn read(view: &View, learned: &Learned) -> Option<Row> {
    if view.hit("rommon").is_some() && !learned.is_exec(view.tail.trim_end_matches(['>', ' '])) {
        return Some(Row { host: String::new(), mode: "rommon", privileged: true });
    }
    if let Some(hit) = view.hit("shell") {
        return Some(Row { host: String::new(), mode: "shell", privileged: hit.group("end") == Some("#") });
    }
    exec(view.hit("exec")?, learned, view.phase == "login")
}

fn exec(hit: &Hit, learned: &Learned, at_login: bool) -> Option<Row> {
    let (host, groups, end) = (hit.group("host")?, hit.group("groups").unwrap_or_default(), hit.group("end")?);
    let body = [host, groups].concat();
    if body.len() > NAME_MAX_BYTES {
        return None;
    }
    let known = learned.name_in(&body).unwrap_or(host).to_owned();
    let (state, rest) = split_state(body.strip_prefix(&known)?);
    let row = |host: String, mode, privileged| Some(Row { host, mode, privileged });
    if rest.is_empty() {
        return if end == "#" { row(known, "privileged", true) } else { row(known, "user_exec", false) };
    }
    let (before, context) = last_group(rest)?;
    let name = [&known, before].concat();
    match (context_mode(context, end), end) {
        (Some(mode), _) if is_config_word(context) || context == "tcl" || !at_login => row(name, mode, true),
        // A login does not land in a configuration mode: what is not plainly one belongs to the name.
        (_, "#") => row([&known, state, rest].concat(), "privileged", true),
        _ if is_config_word(context) => None,
        _ => row([&known, state, rest].concat(), "user_exec", false),
    }
}

/// Cuts off what tells a chassis role, an MLAG side or a VRF: `(standby)`, `(s1)`, `(vrf:MGMT)`.
fn split_state(groups: &str) -> (&str, &str) {
    let mut rest = groups;
    while let Some((group, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
        let state =
            matches!(group, "standby" | "boot" | "s1" | "s2") || group.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("vrf:"));
        if !state {
            break;
        }
        rest = after;
    }
    (groups.strip_suffix(rest).unwrap_or_default(), rest)
}

fn last_group(groups: &str) -> Option<(&str, &str)> {
    let (before, last) = groups.rsplit_once('(')?;
    Some((before, last.strip_suffix(')')?))
}

fn context_mode(context: &str, end: &str) -> Option<&'static str> {
    match end {
        _ if context == "tcl" => Some("tclsh"),
        "#" if context.starts_with("config-s-") => Some("config_session"),
        "#" if context.starts_with(|first: char| first.is_ascii_alphabetic()) => Some("config"),
        _ => None,
    }
}

fn is_config_word(context: &str) -> bool {
    context.starts_with("conf") || context.starts_with("cfg")
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;
    use crate::facts::{MODES, NOT_PROMPTS};

    fn row(tail: &str, phase: &str, learned: &Learned) -> Option<Row> {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        phase.clone_into(&mut view.phase);
        read(&view, learned)
    }

    fn fresh(tail: &str, phase: &str) -> Option<Row> {
        row(tail, phase, &Learned::default())
    }

    #[test]
    fn every_known_prompt_has_its_mode() {
        for (mode, prompts) in MODES {
            for prompt in *prompts {
                assert_eq!(fresh(prompt, "running").map(|row| row.mode), Some(*mode), "{prompt:?}");
            }
        }
    }

    #[test]
    fn what_is_no_prompt_of_a_mode_is_not_taken_for_one() {
        for (mode, rows) in NOT_PROMPTS {
            for text in *rows {
                assert_ne!(fresh(text, "running").map(|row| row.mode), Some(*mode), "{text:?}");
            }
        }
    }

    #[test]
    fn rights_follow_the_last_character() {
        assert!(!fresh("R1>", "running").unwrap().privileged);
        for prompt in ["R1#", "R1(config)#", "R1(tcl)#", "rommon 1 >", "bash-4.3# "] {
            assert!(fresh(prompt, "running").unwrap().privileged, "{prompt}");
        }
        assert!(!fresh("[admin@sw ~]$ ", "running").unwrap().privileged);
    }

    #[test]
    fn parentheses_in_a_name_stay_in_the_name_once_it_is_learned() {
        let learned = Learned::parse("exec 27N2(PoE)\nconfig ");
        assert_eq!(row("27N2(PoE)#", "running", &learned).unwrap(), Row { host: "27N2(PoE)".into(), mode: "privileged", privileged: true });
        assert_eq!(row("27N2(PoE)(config)#", "running", &learned).unwrap().mode, "config");
        assert_eq!(row("27N2(PoE)(config)#", "running", &learned).unwrap().host, "27N2(PoE)");
    }

    #[test]
    fn a_fresh_login_is_not_in_a_configuration_mode_of_an_odd_name() {
        assert_eq!(fresh("27N2(PoE)#", "login").unwrap().host, "27N2(PoE)");
        assert_eq!(fresh("27N2(PoE)#", "login").unwrap().mode, "privileged");
        assert_eq!(fresh("R1(config-if)#", "login").unwrap().mode, "config");
        assert_eq!(fresh("27N2(2960_PoE)#", "running").unwrap().mode, "privileged");
    }

    #[test]
    fn chassis_roles_are_no_part_of_the_name() {
        for prompt in ["SW1(standby)#", "SW1(s1)#", "SW1(vrf:MGMT)#", "SW1(s1)(config)#", "SW1(s2)(config-s-a)#", "SW1(boot)>"] {
            assert_eq!(fresh(prompt, "running").unwrap().host, "SW1", "{prompt}");
        }
    }

    #[test]
    fn a_device_that_is_called_like_a_boot_loader_is_believed_once_learned() {
        let learned = Learned::parse("exec loader\nconfig ");
        assert_eq!(row("loader>", "running", &learned).unwrap().mode, "user_exec");
        assert_eq!(fresh("loader>", "running").unwrap().mode, "rommon");
    }

    #[test]
    fn a_row_as_long_as_output_is_no_prompt() {
        assert_eq!(fresh(&format!("{}#", "x".repeat(101)), "running"), None);
        assert!(fresh(&format!("{}#", "x".repeat(100)), "running").is_some());
    }
}
