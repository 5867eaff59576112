//! What the host made of the declaration: settings under the names of the triggers they belong to.

use jackfield_plugin::{Diagnostic, Hit, Settings, View, words};

/// The settings. All but `paging` are written by the host.
#[derive(Debug, Default)]
pub(crate) struct Declaration {
    settings: Settings,
    /// Looked up whenever the screen is looked at, and so read once.
    modes: Vec<Mode>,
    /// Leave paging on and turn the pages.
    keep_pages: bool,
}

/// A mode and what is said of it.
#[derive(Debug)]
pub(crate) struct Mode {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What the device waits for, where it waits for the rest of a line.
    pub(crate) meaning: String,
    /// Characters that may follow the device's name, with more behind them.
    pub(crate) after_host: String,
    /// Commands run with elevated rights.
    pub(crate) privileged: bool,
    /// The device's name is cut to so many bytes here, 0 = not at all.
    pub(crate) cut: usize,
}

/// What a mode is to whoever types, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Recovery,
    Incomplete,
    Shell,
    Ready,
}

/// A dialog to carry through.
#[derive(Clone, Debug)]
pub(crate) struct Goal<'a> {
    pub(crate) name: &'a str,
    /// The mode that it leads to.
    pub(crate) to: &'a str,
    /// The secret that it gives.
    pub(crate) secret: &'a str,
    /// The send that leaves its question, where there is one.
    pub(crate) leave: Option<String>,
    /// How often that may take.
    pub(crate) tries: u32,
}

impl Declaration {
    /// Reads the settings.
    pub(crate) fn parse(json: &str) -> Result<Self, Vec<Diagnostic>> {
        let settings = Settings::parse(json).map_err(|problem| vec![problem])?;
        if settings.flag("declared") != Some(true) {
            let message = "this plugin serves declared device types: give the type a `declared = \"FILE.toml\"`".to_owned();
            return Err(vec![Diagnostic { path: String::new(), message }]);
        }
        let keep_pages = settings.choice("paging", &["off", "pages"]).map_err(|problem| vec![problem])? == "pages";
        let names = settings.keys().filter_map(|key| key.strip_prefix("mode.")?.strip_suffix(".kind"));
        let modes = names.map(|name| Mode::read(name, &settings)).collect();
        Ok(Self { settings, modes, keep_pages })
    }

    /// The mode that the row shows, with the hit of its trigger. Where several fit, one of a narrower kind comes first.
    pub(crate) fn mode<'a>(&'a self, view: &'a View) -> Option<(&'a Mode, &'a Hit)> {
        let named = |name: &str| self.modes.iter().find(|mode| mode.name == name);
        let modes = view.hits.iter().filter_map(|hit| Some((named(hit.trigger.strip_prefix("mode:")?)?, hit)));
        modes.min_by_key(|(mode, _)| mode.kind)
    }

    /// Sends to type after login in this mode.
    pub(crate) fn setup(&self, mode: &str) -> impl Iterator<Item = &str> {
        let what = if self.keep_pages { "setup-pages" } else { "setup" };
        self.text(&["mode.", mode, ".", what]).unwrap_or_default().split_ascii_whitespace()
    }

    /// Must the marker of this pager stay before it counts? Where paging was turned off in this mode, a marker is not expected:
    /// it is more likely a row of text that a read happened to end behind.
    pub(crate) fn pager_stays(&self, pager: &str, mode: &str) -> bool {
        let sends = |what: &str| self.text(&["mode.", mode, what]).unwrap_or_default();
        let is_off = !self.keep_pages && sends(".setup") != sends(".setup-pages");
        is_off || self.settings.flag(&["pager.", pager, ".stays"].concat()) == Some(true)
    }

    /// Kind and silence of a question.
    pub(crate) fn question(&self, question: &str) -> (&str, u32) {
        let after = self.settings.number(&["question.", question, ".after"].concat());
        let kind = self.text(&["question.", question, ".kind"]).unwrap_or("unknown");
        (kind, after.and_then(|ms| u32::try_from(ms).ok()).unwrap_or(2_500))
    }

    /// Is this question answered at login?
    pub(crate) fn is_answered(&self, question: &str) -> bool {
        self.settings.flag(&["question.", question, ".answered"].concat()) == Some(true)
    }

    /// Names of the goals.
    pub(crate) fn goals(&self) -> impl Iterator<Item = &str> {
        self.settings.text("goals").unwrap_or_default().split_ascii_whitespace()
    }

    /// A goal.
    pub(crate) fn goal<'a>(&'a self, name: &str) -> Option<Goal<'a>> {
        let name = self.goals().find(|known| *known == name)?;
        let tries = self.settings.number(&["goal.", name, ".tries"].concat()).and_then(|tries| u32::try_from(tries).ok());
        let leave = tries.map(|_| ["leave-", name].concat());
        Some(Goal {
            name,
            to: self.text(&["goal.", name, ".to"])?,
            secret: self.text(&["goal.", name, ".secret"])?,
            leave,
            tries: tries.unwrap_or_default(),
        })
    }

    /// The goal that this line starts in this mode.
    pub(crate) fn claimed(&self, command: &str, mode: &str) -> Option<Goal<'_>> {
        let starts = |name: &&str| {
            let from = self.text(&["goal.", name, ".from"]).unwrap_or_default();
            let pattern = self.text(&["goal.", name, ".command"]).unwrap_or_default();
            from.split(' ').any(|from| from == mode) && words::begin(pattern, command)
        };
        self.goals().find(starts).and_then(|name| self.goal(name))
    }

    fn text(&self, key: &[&str]) -> Option<&str> {
        self.settings.text(&key.concat())
    }
}

impl Mode {
    fn read(name: &str, settings: &Settings) -> Self {
        let key = |what: &str| ["mode.", name, what].concat();
        let text = |what: &str| settings.text(&key(what)).unwrap_or_default();
        Self {
            name: name.to_owned(),
            kind: match text(".kind") {
                "recovery" => Kind::Recovery,
                "incomplete" => Kind::Incomplete,
                "shell" => Kind::Shell,
                _ => Kind::Ready,
            },
            meaning: text(".meaning").to_owned(),
            after_host: text(".after").to_owned(),
            privileged: settings.flag(&key(".privileged")) == Some(true),
            cut: settings.number(&key(".cut")).and_then(|cut| usize::try_from(cut).ok()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
pub(crate) mod made_up {
    //! A device of no vendor, as the host would make it from a declaration.

    use jackfield_plugin::View;
    use jackfield_plugin::testing::Scene;

    use super::Declaration;

    pub(crate) const TRIGGERS: &str = r##"
        [[trigger]]
        name = "mode:user"
        match = '^(?P<host>[a-z0-9\-]+)> *$'
        [[trigger]]
        name = "mode:boss"
        match = '^(?P<host>[a-z0-9\-]+)# ?$'
        [[trigger]]
        name = "mode:config"
        match = '^(?P<host>[a-z0-9\-]+)\(conf\)# ?$'
        [[trigger]]
        name = "mode:view"
        match = '^\[(?P<host>[a-z0-9/\-]+)\] ?$'
        [[trigger]]
        name = "mode:both"
        match = '^(?P<host>[a-z0-9\-]+)(?P<priv>[%!]) ?$'
        [[trigger]]
        name = "mode:boot"
        match = '^(?:boot|loader)> ?$'
        [[trigger]]
        name = "mode:open"
        match = '^\.\.\.> ?$'
        [[trigger]]
        name = "pager-end:0"
        match = '^\(END\)$'
        [[trigger]]
        name = "pager:0"
        match = '^(?::|\(END\))$'
        [[trigger]]
        name = "pager:1"
        match = '(?P<strip>--more--)$'
        [[trigger]]
        name = "goal:rights"
        match = '^Password: ?$'
        [[trigger]]
        name = "question:0"
        match = 'licen[cs]e\? \[y/n\]$'
        [[trigger]]
        name = "question:1"
        match = '\[y/n\]$'
        [[trigger]]
        name = "question:2"
        match = '^[Pp]assword: ?$'
    "##;

    pub(crate) const SETTINGS: &str = r##"{
        "declared": true, "paging": "off", "goals": "rights",
        "mode.user.kind": "ready", "mode.user.setup": "setup-0 setup-1", "mode.user.setup-pages": "setup-1",
        "mode.boss.kind": "ready", "mode.boss.privileged": true,
        "mode.config.kind": "ready", "mode.config.privileged": true, "mode.config.cut": 8,
        "mode.view.kind": "ready", "mode.view.after": "-/",
        "mode.both.kind": "ready",
        "mode.boot.kind": "recovery",
        "mode.open.kind": "incomplete", "mode.open.meaning": "an open quote",
        "pager.0.stays": true,
        "goal.rights.command": "ri[ghts] ..", "goal.rights.from": "user", "goal.rights.to": "boss", "goal.rights.secret": "boss",
        "goal.rights.tries": 2,
        "question.0.kind": "yes-no", "question.0.after": 300, "question.0.answered": true,
        "question.1.kind": "yes-no", "question.1.after": 300,
        "question.2.kind": "password", "question.2.after": 2500
    }"##;

    pub(crate) fn declaration() -> Declaration {
        Declaration::parse(SETTINGS).unwrap()
    }

    pub(crate) fn view(tail: &str) -> View {
        Scene::new(TRIGGERS).view(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_declaration_there_is_nothing_to_serve() {
        assert!(Declaration::parse("{}").unwrap_err().first().unwrap().message.contains("declared = "));
        assert!(Declaration::parse(r#"{"declared":true,"paging":"of"}"#).is_err());
    }

    #[test]
    fn a_narrower_kind_comes_first() {
        let (declaration, view) = (made_up::declaration(), made_up::view("boot> "));
        assert_eq!(view.hits.len(), 2);
        assert_eq!(declaration.mode(&view).map(|(mode, _)| mode.name.as_str()), Some("boot"));
    }

    #[test]
    fn paging_is_left_on_where_the_operator_wants_it() {
        let sends = |json: &str| Declaration::parse(json).unwrap().setup("user").collect::<Vec<_>>().join(" ");
        assert_eq!(sends(made_up::SETTINGS), "setup-0 setup-1");
        assert_eq!(sends(&made_up::SETTINGS.replace(r#""paging": "off""#, r#""paging": "pages""#)), "setup-1");
    }

    #[test]
    fn a_goal_is_claimed_by_its_line_in_its_mode() {
        let declaration = made_up::declaration();
        let claimed = |command, mode| declaration.claimed(command, mode).map(|goal| goal.name.to_owned());
        assert_eq!(claimed("rights", "user").as_deref(), Some("rights"));
        assert_eq!(claimed("ri 15", "user").as_deref(), Some("rights"));
        for (command, mode) in [("rights", "boss"), ("r", "user"), ("rightsx", "user"), ("show rights", "user"), ("", "user")] {
            assert_eq!(claimed(command, mode), None, "{command} in {mode}");
        }
    }
}
