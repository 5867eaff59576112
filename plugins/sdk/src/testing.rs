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
