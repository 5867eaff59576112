//! What sessions say to agents, in words for people: an agent has tools, a person has the command line.

use crate::session::Refusal;

/// What a process that was started for somebody begins its sentence with. Who started it does so too.
const OWN_NAME: &str = "jackfield: ";
/// Parts of sentences that name an agent's tools, and the same for a person.
const TOOLS: [(&str, &str); 6] = [
    ("?; ssh_hosts lists them", "? `jackfield devices` lists them"),
    ("ssh_hosts lists them", "`jackfield devices` lists them"),
    ("close one with ssh_close", "close one with `jackfield close`"),
    ("; call ssh_open host=", "; run jackfield open "),
    ("ssh_interrupt how=hangup closes the line", "`jackfield close` closes the line"),
    ("send keys with ssh_send", "press keys with `jackfield attach`"),
];

/// The sentence for a person.
#[must_use]
pub fn for_people(text: &str) -> String {
    let text = text.strip_prefix(OWN_NAME).unwrap_or(text);
    TOOLS.iter().fold(text.to_owned(), |text, (tool, command)| text.replace(tool, command))
}

/// Why a command is refused, likewise.
#[must_use]
pub fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Denied(verdict) => format!("denied by rule {}: {}", verdict.decision.rule, verdict.decision.reason),
        Refusal::ApprovalNeeded(_, request) => request.reason.clone(),
        Refusal::Cannot(why) => for_people(why),
        Refusal::Closed(why) => format!("the session is closed: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::OpenError;

    #[test]
    fn no_tool_of_an_agent_is_named_to_a_person() {
        let device = || "web1".to_owned();
        let errors = [
            OpenError::UnknownDevice { name: device(), near: String::new() },
            OpenError::UnknownDevice { name: device(), near: "; did you mean `web2`?".to_owned() },
            OpenError::NotSeenYet { device: device() },
            OpenError::Full { most: 9 },
        ];
        let told: Vec<String> = errors.iter().map(|error| for_people(&error.to_string())).collect();
        assert!(told.iter().all(|sentence| !sentence.contains("ssh_") && sentence.contains("jackfield ")), "{told:#?}");
        assert_eq!(told[1], "there is no device `web1`; did you mean `web2`? `jackfield devices` lists them");
    }

    #[test]
    fn the_program_is_named_once_in_what_another_process_of_it_says() {
        assert_eq!(for_people("jackfield: cannot read `x`"), "cannot read `x`");
    }
}
