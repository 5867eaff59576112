//! How far the goal `enable` is. It lives in the dialog's memo.

/// What was done last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The line was typed.
    #[default]
    Start,
    /// The secret was given.
    Sent,
    /// The secret was wrong, the question is being left.
    Wrong,
    /// There is no secret, the question is being left.
    Lacking,
    /// The caller answers, from here on every question is his.
    Caller,
    /// The device was asked for its level.
    Proving,
}

/// The stages and their words in the memo.
const WORDS: [(Stage, &str); 6] = [
    (Stage::Start, "start"),
    (Stage::Sent, "sent"),
    (Stage::Wrong, "wrong"),
    (Stage::Lacking, "lacking"),
    (Stage::Caller, "caller"),
    (Stage::Proving, "proving"),
];

/// The whole memo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What was done last.
    pub(crate) stage: Stage,
    /// Empty lines that were sent to leave the question.
    pub(crate) empty_lines: u32,
    /// The mode in which the first question was asked, empty before it.
    pub(crate) started_in: String,
}

impl Progress {
    /// From a memo. What cannot be read counts as taken over by the caller: then no secret is given.
    pub(crate) fn parse(memo: &str) -> Self {
        if memo.is_empty() {
            return Self::default();
        }
        let mut words = memo.split(' ');
        let word = words.next().unwrap_or_default();
        let stage = WORDS.iter().find(|(_, known)| *known == word).map_or(Stage::Caller, |(stage, _)| *stage);
        let empty_lines = words.next().and_then(|count| count.parse().ok()).unwrap_or_default();
        Self { stage, empty_lines, started_in: words.next().unwrap_or_default().to_owned() }
    }

    /// The memo to keep.
    pub(crate) fn memo(&self) -> String {
        let word = WORDS.iter().find(|(stage, _)| *stage == self.stage).map_or("caller", |(_, word)| word);
        format!("{word} {} {}", self.empty_lines, self.started_in)
    }

    /// The same at another stage.
    pub(crate) fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// The same, with the mode that the goal started in.
    pub(crate) fn from(mut self, mode: &str) -> Self {
        mode.clone_into(&mut self.started_in);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_survives_its_memo() {
        for (stage, _) in WORDS {
            let progress = Progress { stage, empty_lines: 2, started_in: "user_exec".to_owned() };
            assert_eq!(Progress::parse(&progress.memo()), progress);
        }
        assert_eq!(Progress::parse(&Progress::default().memo()), Progress::default());
    }

    #[test]
    fn an_empty_memo_is_the_start_and_a_strange_one_gives_no_secret() {
        assert_eq!(Progress::parse("").stage, Stage::Start);
        assert_eq!(Progress::parse("word of tomorrow").stage, Stage::Caller);
    }
}
