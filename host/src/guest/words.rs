//! What sessions say to agents, in words for people: an agent has tools, a person has the command line.
//!
//! Whoever writes a sentence with a tool's name in it says here what a person is told instead, or why no person hears it: a test looks
//! through the sources.

use crate::session::Refusal;

/// Parts of sentences that name an agent's tools, and the same for a person. A longer part stands before one that it holds.
const SENTENCES: [(&str, &str); 12] = [
    ("ssh_hosts lists them", "`jackfield devices` lists them"),
    ("close one with ssh_close", "close one with `jackfield close`"),
    ("; call ssh_open host=", "; run jackfield open "),
    ("use ssh_run without `lane`, and ssh_open without `tty`", "`jackfield run` and `jackfield attach` use one"),
    ("ssh_interrupt how=hangup closes the line", "`jackfield close` closes the line"),
    ("send keys with ssh_send", "press keys with `jackfield attach`"),
    ("Wait with ssh_output command_id=", "Wait for "),
    (
        " wait_s=30, stop it with ssh_interrupt, or open another session with ssh_open",
        ", stop it with Ctrl-C in `jackfield attach`, or open another session with `jackfield open DEVICE#NAME`",
    ),
    (
        "Look with ssh_screen, answer with ssh_send, stop it with ssh_interrupt, or open another session with ssh_open",
        "Answer or stop it in `jackfield attach`, or open another session with `jackfield open DEVICE#NAME`",
    ),
    (
        "Look with ssh_screen, answer with ssh_send, or ssh_close and check",
        "`jackfield attach` shows it and takes the answer; else `jackfield close` it and check",
    ),
    ("look with ssh_screen, or call again", "look with `jackfield attach`, or try again"),
    ("Look with ssh_screen", "Look with `jackfield attach`"),
];

/// What is nearest to a tool for a person, where a sentence was forgotten above. Files and forwards are for agents alone.
const NEAREST: [(&str, &str); 14] = [
    ("ssh_close", "`jackfield close`"),
    ("ssh_fleet", "`jackfield fleet`"),
    ("ssh_history", "`jackfield history`"),
    ("ssh_hosts", "`jackfield devices`"),
    ("ssh_info", "`jackfield doctor`"),
    ("ssh_interrupt", "Ctrl-C in `jackfield attach`"),
    ("ssh_lock", "`jackfield lock`"),
    ("ssh_open", "`jackfield open`"),
    ("ssh_output", "`jackfield log`"),
    ("ssh_query", "`jackfield run`"),
    ("ssh_run", "`jackfield run`"),
    ("ssh_screen", "`jackfield watch`"),
    ("ssh_send", "`jackfield attach`"),
    ("ssh_sessions", "`jackfield ps`"),
];

/// The sentence for a person.
#[must_use]
pub fn for_people(text: &str) -> String {
    if !text.contains("ssh_") {
        return text.to_owned();
    }
    SENTENCES.iter().chain(&NEAREST).fold(text.to_owned(), |text, (tool, command)| text.replace(tool, command))
}

/// Why a command is refused, likewise.
#[must_use]
pub fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Denied(verdict) => format!("denied by rule {}: {}", verdict.decision.rule, for_people(&verdict.decision.reason)),
        Refusal::ApprovalNeeded(_, request) => for_people(&request.reason),
        Refusal::Cannot(why) => for_people(why),
        Refusal::Closed(why) => format!("the session is closed: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::config::TOOLS;
    use crate::directory::OpenError;

    /// Files whose sentences no person hears on the command line, or is meant to hear as they are; why.
    const FOR_AGENTS: [(&str, &str); 13] = [
        ("config.rs", "a value of the configuration"),
        ("directory/errand.rs", "files are read and written by agents"),
        ("directory/room.rs", "only calls of agents take rooms"),
        ("files/copy.rs", "files are copied by agents"),
        ("files/read.rs", "files are read and written by agents"),
        ("files/write.rs", "files are read and written by agents"),
        ("fleet.rs", "only rollouts of agents are kept"),
        ("forward.rs", "forwards are opened by agents"),
        ("forward/registry.rs", "forwards are opened by agents"),
        ("policy/explain.rs", "tells a person what the tools of agents do"),
        ("policy/judge.rs", "only ssh_query is told to use ssh_run"),
        ("session/report.rs", "people read an output part by part"),
        ("session/search.rs", "people search where an output is printed"),
    ];
    /// Who speaks to agents alone, and what is no sentence.
    const LEFT_OUT: [&str; 5] = ["mcp/", "mcp.rs", "demo.rs", "config/tools.rs", "guest/words.rs"];

    /// Lines of the sources that name a tool, without remarks and tests: file, number, text.
    fn lines(folder: &Path, root: &Path, out: &mut Vec<(String, usize, String)>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                lines(&path, root, out);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && !name.contains("tests/") {
                let text = fs::read_to_string(&path).unwrap();
                let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let naming = own.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//") && names_a_tool(line));
                out.extend(naming.map(|(at, line)| (name.clone(), at + 1, line.to_owned())));
            }
        }
    }

    fn names_a_tool(text: &str) -> bool {
        let is_word = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
        text.split(|ch| !is_word(ch)).any(|word| TOOLS.contains(&word))
    }

    #[test]
    fn every_sentence_that_names_a_tool_has_words_for_people_or_a_reason_to_have_none() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        lines(&root, &root, &mut found);
        found.retain(|(file, ..)| !LEFT_OUT.iter().any(|left| file.starts_with(left)));
        let is_for_agents = |file: &str| FOR_AGENTS.iter().any(|(own, _)| *own == file);
        let told = |line: &str| SENTENCES.iter().fold(line.to_owned(), |text, (tool, command)| text.replace(tool, command));
        let forgotten: Vec<_> = found.iter().filter(|(file, _, line)| !is_for_agents(file) && names_a_tool(&told(line))).collect();
        assert!(forgotten.is_empty(), "say in SENTENCES what a person is told, or in FOR_AGENTS why no person hears it: {forgotten:#?}");
        for (file, why) in FOR_AGENTS {
            assert!(found.iter().any(|(own, ..)| own == file), "`{file}` names no tool any more: {why}");
        }
        for (part, _) in SENTENCES {
            assert!(found.iter().any(|(.., line)| line.contains(part)), "nobody says `{part}` any more");
        }
    }

    #[test]
    fn a_sentence_that_was_forgotten_names_the_nearest_command() {
        assert_eq!(for_people("look with ssh_screen session=a"), "look with `jackfield watch` session=a");
        assert!(NEAREST.iter().all(|(tool, _)| TOOLS.contains(tool)));
        let without: Vec<&str> = TOOLS.into_iter().filter(|tool| !NEAREST.iter().any(|(known, _)| known == tool)).collect();
        assert_eq!(without, ["ssh_file_read", "ssh_file_write", "ssh_forward", "ssh_transfer"]);
    }

    #[test]
    fn no_tool_of_an_agent_is_named_to_a_person() {
        let device = || "web1".to_owned();
        let errors = [
            OpenError::UnknownDevice { name: device(), near: ";".to_owned() },
            OpenError::UnknownDevice { name: device(), near: "; did you mean `web2`?".to_owned() },
            OpenError::NotSeenYet { device: device() },
            OpenError::Full { most: 9 },
            OpenError::NoPipe { device: device(), kind: "cisco_ios".to_owned() },
        ];
        let told: Vec<String> = errors.iter().map(|error| for_people(&error.to_string())).collect();
        assert!(told.iter().all(|sentence| !sentence.contains("ssh_") && sentence.contains("jackfield ")), "{told:#?}");
        assert_eq!(told[1], "there is no device `web1`; did you mean `web2`? `jackfield devices` lists them");
    }
}
