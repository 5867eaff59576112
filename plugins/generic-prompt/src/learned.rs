//! The prompts that were accepted in this session. They live in the memo, one on a line, newest last.

use jackfield_plugin::View;
use jackfield_plugin::text::rows;

use crate::row::device_name;

/// A prompt changes with the directory; so many of its forms are kept.
const ROWS_MAX: usize = 4;
/// Longer prompts are not kept, so that the memo stays below its bound of 1 KiB.
const ROW_MAX_BYTES: usize = 240;

/// The rows that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Learned {
    rows: Vec<String>,
}

/// How well a row fits what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Exactly the same was accepted before.
    Same,
    /// The same device in another directory or mode.
    Kin,
    /// Nothing is known.
    First,
    /// Something else is known.
    Stranger,
}

impl Learned {
    /// From the memo; before it holds anything, from the prompt that another plugin had accepted.
    pub(crate) fn of(view: &View) -> Self {
        let known = if view.memo.is_empty() { view.prompt.as_deref().unwrap_or_default() } else { view.memo_text() };
        let fits = |row: &&str| !row.is_empty() && row.len() <= ROW_MAX_BYTES;
        Self { rows: rows(known).filter(fits).take(ROWS_MAX).map(str::to_owned).collect() }
    }

    /// The memo to keep.
    pub(crate) fn memo(&self) -> String {
        self.rows.join("\n")
    }

    /// How well this row fits.
    pub(crate) fn fit(&self, row: &str) -> Fit {
        let name = device_name(row);
        if self.rows.iter().any(|known| is_same(known, row)) {
            Fit::Same
        } else if self.rows.is_empty() {
            Fit::First
        } else if self.rows.iter().any(|known| is_kin(device_name(known), name)) {
            Fit::Kin
        } else {
            Fit::Stranger
        }
    }

    /// Keeps an accepted row, the oldest one goes.
    pub(crate) fn learn(&mut self, row: &str) {
        if row.len() > ROW_MAX_BYTES {
            return;
        }
        self.rows.retain(|known| !is_same(known, row));
        self.rows.push(row.to_owned());
        let surplus = self.rows.len().saturating_sub(ROWS_MAX);
        self.rows.drain(..surplus);
    }
}

/// Spaces at the end may be what a wiped pager marker left. A sign alone needs the ones it has.
fn is_same(known: &str, row: &str) -> bool {
    let text = known.trim_end_matches(' ');
    text == row.trim_end_matches(' ') && (text.chars().count() > 1 || row.len() >= known.len())
}

/// The same name, or one that goes on with the place in the configuration: `[HUAWEI]`, `[HUAWEI-vlan1]`.
fn is_kin(known: &str, name: &str) -> bool {
    let goes_on = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']));
    known.len() >= 2 && name.len() >= 2 && (goes_on(name, known) || goes_on(known, name))
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;

    fn knows(rows: &[&str]) -> Learned {
        Learned { rows: rows.iter().map(|row| (*row).to_owned()).collect() }
    }

    #[test]
    fn survives_its_memo_with_every_space() {
        let learned = knows(&["alice@web1:~$ ", "R1#"]);
        let mut view = Scene::new("").view("");
        view.memo = learned.memo().into_bytes();
        assert_eq!(Learned::of(&view), learned);
    }

    #[test]
    fn with_nothing_of_its_own_it_starts_from_the_accepted_prompt() {
        let mut view = Scene::new("").view("");
        assert_eq!(Learned::of(&view), Learned::default());
        view.prompt = Some("R1# ".to_owned());
        assert_eq!(Learned::of(&view), knows(&["R1# "]));
    }

    #[test]
    fn rows_fit_by_text_and_then_by_name() {
        let learned = knows(&["alice@web1:~$ "]);
        assert_eq!(learned.fit("alice@web1:~$ "), Fit::Same);
        assert_eq!(learned.fit("alice@web1:~$      "), Fit::Same);
        assert_eq!(knows(&["# "]).fit("#"), Fit::Stranger);
        assert_eq!(knows(&["# "]).fit("#    "), Fit::Same);
        assert_eq!(learned.fit("alice@web1:/var/log$ "), Fit::Kin);
        assert_eq!(learned.fit("root@web1:~# "), Fit::Kin);
        assert_eq!(learned.fit("web10# "), Fit::Stranger);
        assert_eq!(learned.fit("> "), Fit::Stranger);
        assert_eq!(knows(&["[HUAWEI]"]).fit("[HUAWEI-Vlanif1]"), Fit::Kin);
        assert_eq!(Learned::default().fit("R1#"), Fit::First);
    }

    #[test]
    fn one_letter_names_make_no_kin() {
        assert_eq!(knows(&["A:router# "]).fit("A> "), Fit::Stranger);
    }

    #[test]
    fn only_the_newest_are_kept_and_the_memo_stays_small() {
        let mut learned = Learned::default();
        for number in 0..9 {
            learned.learn(&format!("{}{number}# ", "x".repeat(230)));
        }
        learned.learn(&"y".repeat(241));
        assert_eq!(learned.rows.len(), 4);
        assert!(learned.memo().len() <= 1_024 && learned.memo().ends_with("8# "));
        let mut view = Scene::new(include_str!("../plugin.toml")).view("R1#");
        view.prompt = Some("z".repeat(1_024));
        assert_eq!(Learned::of(&view).memo(), "");
        learned.learn("R1#");
        learned.learn("R1#");
        assert_eq!(learned.rows.iter().filter(|row| *row == "R1#").count(), 1);
    }
}
