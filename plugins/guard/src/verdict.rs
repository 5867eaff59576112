//! What a grammar says about a command.

pub(crate) use jackfield_plugin::text::listed;

/// Longest piece of a command that a reason repeats, in characters.
pub(crate) const EXCERPT_MAX: usize = 40;

/// Proven to change nothing, or the first thing that stands in the way of the proof.
pub(crate) type Proof = Result<(), Doubt>;

/// Why a command is not proven to be a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// Without the `change.` in front: `posix.redirect`.
    pub(crate) rule: &'static str,
    /// A fragment that names the word: "`sed -i` writes".
    pub(crate) reason: String,
}

impl Doubt {
    pub(crate) fn new(rule: &'static str, reason: impl Into<String>) -> Self {
        Self { rule, reason: reason.into() }
    }
}

/// Why a command must not run where changes may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Danger {
    /// A stable name: `posix.wipe`.
    pub(crate) rule: &'static str,
    /// A fragment that names the word: "`rm -rf /etc` removes a system directory".
    pub(crate) reason: String,
    /// What to do instead, a sentence.
    pub(crate) advice: &'static str,
    /// A heavier one that stands behind it: this one is what is told where there are rules, and hides nothing where there are none.
    behind: Option<Box<Self>>,
}

/// Where nothing but the operator's mode helps.
pub(crate) const ASK_OPERATOR: &str = "Plan without it, or have the operator do it.";

/// What a danger calls for, the heaviest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// A person should agree where there are rules.
    Risks,
    /// What runs cannot be seen from the line, so nobody can agree to it either where there are rules.
    Unseen,
    /// Not all of the line was read: what destroys may stand in the rest.
    Unread,
    /// It destroys, stops or locks out: a person must agree even where everything else runs.
    Destroys,
}

/// The heaviest of the dangers of one line, and the first of equally heavy ones: a small one in front hides no great one.
pub(crate) fn heaviest(mut dangers: impl Iterator<Item = Danger>) -> Option<Danger> {
    heaviest_of(&mut dangers)
}

#[inline(never)]
fn heaviest_of(dangers: &mut dyn Iterator<Item = Danger>) -> Option<Danger> {
    let mut kept: Option<Danger> = None;
    for danger in dangers {
        if danger.weight() == Weight::Destroys {
            return Some(danger);
        }
        kept = Some(match kept {
            Some(kept) if kept.weight() >= danger.weight() => kept.before(danger),
            Some(kept) => danger.before(kept),
            None => danger,
        });
    }
    kept
}

/// The first of the dangers of one line, with what destroys behind it: where it is denied nothing is asked instead.
pub(crate) fn first(mut dangers: impl Iterator<Item = Danger>) -> Option<Danger> {
    first_of(&mut dangers)
}

#[inline(never)]
fn first_of(dangers: &mut dyn Iterator<Item = Danger>) -> Option<Danger> {
    let mut told: Option<Danger> = None;
    for danger in dangers {
        let found = danger.after(told);
        if found.worst().weight() == Weight::Destroys {
            return Some(found);
        }
        told = Some(found);
    }
    told
}

impl Danger {
    /// How much it weighs: by the last part of its rule's name.
    #[inline(never)]
    pub(crate) fn weight(&self) -> Weight {
        match self.rule.rsplit('.').next().unwrap_or_default() {
            "wipe" | "outage" | "lockout" | "device-write" | "critical-file" | "fork-bomb" => Weight::Destroys,
            "code" | "remove" | "persist" => Weight::Risks,
            "too-complex" | "too-deep" => Weight::Unread,
            _ => Weight::Unseen,
        }
    }

    /// The heaviest of it and what stands behind it.
    pub(crate) fn worst(&self) -> &Self {
        self.behind.as_deref().unwrap_or(self)
    }

    /// The same without the other one.
    pub(crate) fn into_worst(mut self) -> Self {
        self.behind.take().map_or(self, |behind| *behind)
    }

    /// It where it counts, or what stands behind it where that does.
    pub(crate) fn counted(mut self, counts: impl Fn(&Self) -> bool) -> Option<Self> {
        if counts(&self) { Some(self) } else { self.behind.take().map(|behind| *behind).filter(counts) }
    }

    /// It with the one in front of it.
    #[inline(never)]
    pub(crate) fn after(self, told: Option<Self>) -> Self {
        match told {
            Some(told) => told.before(self),
            None => self,
        }
    }

    /// It with the other one behind it, where that is what must not be hidden.
    fn before(mut self, other: Self) -> Self {
        let other = other.into_worst();
        let is_hidden = other.weight() >= Weight::Unread && other.weight() > self.worst().weight();
        if is_hidden {
            self.behind = Some(Box::new(other));
        }
        self
    }

    pub(crate) fn new(rule: &'static str, reason: impl Into<String>) -> Self {
        Self { rule, reason: reason.into(), advice: ASK_OPERATOR, behind: None }
    }

    pub(crate) fn advise(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }
}

/// All that a grammar says about one command.
#[derive(Clone, Debug)]
pub(crate) struct Assessment {
    /// Is it a read?
    pub(crate) proof: Proof,
    /// The rule that says so when it is: `read.posix.allowed`.
    pub(crate) read_rule: &'static str,
    /// The device would wait for the rest of it. Nothing has run then, and the next line would be
    /// judged in the wrong state.
    pub(crate) unfinished: Option<Danger>,
    /// It destroys, cuts off or hides what it does.
    pub(crate) danger: Option<Danger>,
}

/// A piece of the command for a reason: on one line, short, in backquotes.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown = String::from("`");
    for (count, c) in text.trim().chars().enumerate() {
        if count == EXCERPT_MAX {
            shown.push('…');
            break;
        }
        shown.push(match c {
            '`' => '\'',
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        });
    }
    shown.push('`');
    shown
}

/// Several words as one excerpt.
pub(crate) fn excerpt_of(words: &[String]) -> String {
    // A reason shows the beginning only, so no more than that is put together.
    let mut text = String::new();
    for word in words.iter().take(EXCERPT_MAX) {
        if text.chars().count() > EXCERPT_MAX {
            break;
        }
        text.push_str(word);
        text.push(' ');
    }
    excerpt(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(" ls\t-l\n`x` "), "`ls -l 'x'`");
        assert_eq!(excerpt(&"a".repeat(EXCERPT_MAX)), format!("`{}`", "a".repeat(EXCERPT_MAX)));
        assert_eq!(excerpt(&"é".repeat(EXCERPT_MAX + 1)), format!("`{}…`", "é".repeat(EXCERPT_MAX)));
        assert_eq!(excerpt_of(&["rm".to_owned(), "-rf".to_owned(), "/".to_owned()]), "`rm -rf /`");
        assert_eq!(excerpt_of(&vec!["ab".to_owned(); 10_000]).chars().count(), EXCERPT_MAX + 3);
    }
}
