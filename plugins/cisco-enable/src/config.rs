//! The operator's settings, and which dialect a device speaks.

use jackfield_plugin::{Diagnostic, Settings, View};

/// What the operator set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Leave paging on and turn the pages.
    pub(crate) keep_pages: bool,
    /// The dialect, where the operator named one.
    dialect: Option<Dialect>,
}

/// What differs between the relatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Cisco IOS and IOS-XE, and every type that is not known.
    Ios,
    /// Arista EOS.
    Eos,
    /// A daemon of FRR, whose password question cannot be left.
    Frr,
    /// vtysh, which asks no password and pages with less.
    Vtysh,
}

impl Config {
    /// What holds when nothing is set.
    pub(crate) const DEFAULT: Self = Self { keep_pages: false, dialect: None };

    /// Reads the settings; unknown keys and words are refused.
    pub(crate) fn parse(json: &str) -> Result<Self, Vec<Diagnostic>> {
        let settings = Settings::parse(json).map_err(|problem| vec![problem])?;
        let mut problems = settings.unknown(&["paging", "dialect"]);
        let mut choose = |key, words: &[&'static str]| {
            settings.choice(key, words).unwrap_or_else(|problem| {
                problems.push(problem);
                ""
            })
        };
        let keep_pages = choose("paging", &["off", "pages"]) == "pages";
        let dialect = Dialect::named(choose("dialect", &["auto", "ios", "eos", "frr", "vtysh"]));
        if problems.is_empty() { Ok(Self { keep_pages, dialect }) } else { Err(problems) }
    }

    /// The dialect of the device behind this view.
    pub(crate) fn dialect(self, view: &View) -> Dialect {
        self.dialect.unwrap_or_else(|| Dialect::of_type(view.fact("device-type")))
    }
}

impl Dialect {
    fn named(word: &str) -> Option<Self> {
        match word {
            "ios" => Some(Self::Ios),
            "eos" => Some(Self::Eos),
            "frr" => Some(Self::Frr),
            "vtysh" => Some(Self::Vtysh),
            _ => None,
        }
    }

    fn of_type(device_type: &str) -> Self {
        match device_type.replace('-', "_").as_str() {
            "arista_eos" => Self::Eos,
            "frr_vty" => Self::Frr,
            "frr_vtysh" => Self::Vtysh,
            _ => Self::Ios,
        }
    }

    /// Does an empty line count as one more wrong guess, the last of which gives the prompt back? On FRR
    /// it closes the session instead.
    pub(crate) fn question_can_be_left(self) -> bool {
        matches!(self, Self::Ios | Self::Eos)
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;
    use jackfield_plugin::testing::Scene;

    use super::*;

    fn on(device_type: &str) -> View {
        let mut view = Scene::new("").view("");
        view.facts.push(Fact { name: "device-type".to_owned(), value: device_type.to_owned() });
        view
    }

    #[test]
    fn nothing_set_means_no_paging_and_the_type_s_dialect() {
        let config = Config::parse("{}").unwrap();
        assert!(!config.keep_pages);
        assert_eq!(config.dialect(&on("cisco_xe")), Dialect::Ios);
        assert_eq!(config.dialect(&on("arista-eos")), Dialect::Eos);
        assert_eq!(config.dialect(&on("frr_vty")), Dialect::Frr);
        assert_eq!(config.dialect(&on("frr_vtysh")), Dialect::Vtysh);
        assert_eq!(config.dialect(&on("my-switches")), Dialect::Ios);
        assert_eq!(Config::parse(r#"{"paging":"off","dialect":"auto"}"#).unwrap(), config);
    }

    #[test]
    fn a_named_dialect_wins_over_the_type() {
        for (word, dialect) in [("ios", Dialect::Ios), ("eos", Dialect::Eos), ("frr", Dialect::Frr), ("vtysh", Dialect::Vtysh)] {
            let config = Config::parse(&format!(r#"{{"dialect":"{word}","paging":"pages"}}"#)).unwrap();
            assert!(config.keep_pages);
            assert_eq!(config.dialect(&on("frr_vty")), dialect);
        }
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let problems = Config::parse(r#"{"pagin":"off","paging":"on","dialect":"nxos"}"#).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), ["pagin", "paging", "dialect"]);
        assert!(Config::parse("[]").is_err());
    }

    #[test]
    fn only_ios_and_eos_let_go_of_a_password_question() {
        assert!(Dialect::Ios.question_can_be_left() && Dialect::Eos.question_can_be_left());
        assert!(!Dialect::Frr.question_can_be_left() && !Dialect::Vtysh.question_can_be_left());
    }
}
