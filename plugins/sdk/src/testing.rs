//! Views for native tests. The triggers are those of the plugin's own `plugin.toml`, so a test
//! shows what the host would show.

use regex::Regex;

use crate::{Fact, Hit, View};

/// Makes views as the host does.
#[derive(Debug)]
pub struct Scene {
    triggers: Vec<Trigger>,
}

#[derive(Debug)]
struct Trigger {
    name: String,
    pattern: Regex,
    veto: Option<Regex>,
}

impl Scene {
    /// From the text of `plugin.toml`: `Scene::new(include_str!("../plugin.toml"))`.
    ///
    /// # Panics
    ///
    /// When the manifest is not TOML or a trigger is not a regular expression.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test helper fails by panic")]
    pub fn new(manifest: &str) -> Self {
        let manifest: toml::Table = manifest.parse().expect("plugin.toml is TOML");
        let triggers = manifest.get("trigger").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let text = |trigger: &toml::Value, key: &str| trigger.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let compile = |pattern: &str| Regex::new(pattern).expect("a trigger is a regular expression");
        Self {
            triggers: triggers
                .iter()
                .map(|trigger| Trigger {
                    name: text(trigger, "name").expect("a trigger has a name"),
                    pattern: compile(&text(trigger, "match").expect("a trigger has a match")),
                    veto: text(trigger, "veto").map(|veto| compile(&veto)),
                })
                .collect(),
        }
    }

    /// A view of this last row, echoed and quiet for a second, with nothing else known.
    #[must_use]
    pub fn view(&self, tail: &str) -> View {
        View {
            tail: tail.to_owned(),
            recent: String::new(),
            hits: self.hits(tail),
            marks: Vec::new(),
            phase: "running".to_owned(),
            prompt: None,
            mode: String::new(),
            command: String::new(),
            echoed: true,
            bytes_since_send: tail.len() as u64,
            quiet_ms: 1_000,
            settle_ms: 50,
            facts: vec![Fact { name: "nonce".to_owned(), value: "0123456789abcdef".to_owned() }],
            memo: Vec::new(),
        }
    }

    /// The names of the triggers that match this row.
    #[must_use]
    pub fn names(&self, tail: &str) -> Vec<String> {
        self.hits(tail).into_iter().map(|hit| hit.trigger).collect()
    }

    fn hits(&self, tail: &str) -> Vec<Hit> {
        let hit = |trigger: &Trigger| {
            let found = trigger.pattern.captures(tail)?;
            if trigger.veto.as_ref().is_some_and(|veto| veto.is_match(tail)) {
                return None;
            }
            let captures = trigger
                .pattern
                .capture_names()
                .flatten()
                .filter_map(|name| Some(Fact { name: name.to_owned(), value: found.name(name)?.as_str().to_owned() }))
                .collect();
            Some(Hit { trigger: trigger.name.clone(), captures })
        };
        self.triggers.iter().filter_map(hit).collect()
    }
}

/// What a manifest's `[[sensitive]]` take out of a row.
#[derive(Debug)]
pub struct Secrets(Scene);

impl Secrets {
    /// Of a manifest whose `[[sensitive]]` stand at its end. They become triggers whose groups have names, so that what they capture is
    /// seen.
    ///
    /// # Panics
    ///
    /// When one is no pattern.
    #[must_use]
    pub fn of(manifest: &str) -> Self {
        let looks = manifest.split_once("[[sensitive]]").map_or("", |(_, looks)| looks);
        let mut triggers = String::from("[[trigger]]\nname = \"look\"");
        let (mut before, mut in_class, mut groups) = (' ', false, 0);
        for line in looks.replace("[[sensitive]]", "[[trigger]]\nname = \"look\"").split_inclusive('\n') {
            let is_pattern = line.starts_with("match = ");
            let mut signs = line.chars().peekable();
            while let Some(sign) = signs.next() {
                triggers.push(sign);
                if is_pattern && before != '\\' {
                    in_class = (in_class || sign == '[') && sign != ']';
                    if sign == '(' && !in_class && signs.peek() != Some(&'?') {
                        groups += 1;
                        triggers.extend(["?P<g", &groups.to_string(), ">"]);
                    }
                }
                before = if before == '\\' { ' ' } else { sign };
            }
        }
        Self(Scene::new(&triggers))
    }

    /// The row with `@` in the place of what is not shown.
    #[must_use]
    pub fn hidden(&self, row: &str) -> String {
        let hits = self.0.view(row).hits;
        let secrets = hits.iter().flat_map(|hit| &hit.captures).map(|capture| &capture.value);
        secrets.filter(|secret| !secret.is_empty()).fold(row.to_owned(), |row, secret| row.replace(secret.as_str(), "@"))
    }
}
