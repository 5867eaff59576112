//! A plugin's settings: the operator's over the manifest's defaults, and where they stand in its texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Spec;
use crate::limits::PLUGIN_CONFIG_MAX_BYTES;
use crate::plugin::bindings::jackfield::plugin::types::Diagnostic;
use crate::plugin::fault::LoadError;
use crate::plugin::manifest::{Manifest, SettingSpec, kind};
use crate::plugin::placeholders;

/// The manifest's defaults with the operator's values over them.
pub(super) fn merged(spec: &Spec, manifest: &Manifest) -> Result<Map<String, Value>, LoadError> {
    let mut diagnostics = Vec::new();
    let mut complain = |path: &str, message: String| {
        diagnostics.push(Diagnostic { path: path.to_owned(), message });
    };
    let mut all: Map<_, _> = manifest.config.iter().map(|(key, setting)| (key.clone(), setting.default.clone())).collect();
    let known = || manifest.config.iter().filter(|(_, spec)| !spec.declared).map(|(key, _)| key.clone()).collect::<Vec<_>>().join(", ");
    for (key, value) in &spec.settings {
        match manifest.config.get(key) {
            None | Some(SettingSpec { declared: true, .. }) => {
                complain(key, format!("is not a setting of this plugin; it has: {}", known()))
            }
            Some(setting) if kind(&setting.default) != kind(value) => {
                complain(key, format!("is {}, {} like `{}` is needed", kind(value), kind(&setting.default), setting.default));
            }
            Some(_) => {
                all.insert(key.clone(), value.clone());
            }
        }
    }
    let bytes = serde_json::to_vec(&all).map_or(0, |json| json.len());
    if bytes > PLUGIN_CONFIG_MAX_BYTES {
        complain("", format!("take {bytes} bytes, at most {PLUGIN_CONFIG_MAX_BYTES} are given to a plugin"));
    }
    if diagnostics.is_empty() { Ok(all) } else { Err(LoadError::Config { name: spec.name.clone(), diagnostics }) }
}

/// Puts settings in the place of `{config.KEY}`. What a session knows is filled in when the text is typed.
pub(super) fn fill_in(manifest: &mut Manifest, settings: &Map<String, Value>) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values: BTreeMap<String, String> = settings.iter().map(|(key, value)| (format!("config.{key}"), text(value))).collect();
    let value = |word: &str| values.get(word).map(String::as_str);
    let fill = |text: &mut String| *text = placeholders::fill(text, value);
    manifest.sends.values_mut().for_each(fill);
    manifest.pipe.iter_mut().for_each(|pipe| fill(&mut pipe.setup));
    manifest.queries.iter_mut().for_each(|query| fill(&mut query.answer));
    // A login name has nothing but settings.
    manifest.terminal.login_suffix.iter_mut().for_each(|suffix| *suffix = placeholders::resolve(suffix, value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_typed_as_it_stands_and_a_doubled_brace_is_one() {
        let mut manifest: Manifest = serde_json::from_str(
            r#"{"schema": 1, "name": "p", "version": "1", "config": {"a": {"default": ""}, "n": {"default": 1}},
            "sends": {"value": "{config.a}{config.n}{enter}", "brace": "{{config.a} ${{x}{enter}"},
            "terminal": {"login_suffix": "+{{{config.a}"},
            "pipe": {"start": "sh", "setup": "{{ {config.a}; }{nonce}", "run": "{command}"},
            "query": [{"ask": "?", "answer": "{{{row}{config.a}"}]}"#,
        )
        .unwrap();
        let settings = serde_json::json!({"a": "{enter}{{{config.n}{row}", "n": 1}).as_object().unwrap().clone();
        fill_in(&mut manifest, &settings);
        let typed = |text: &str| placeholders::resolve(text, |word| ["enter", "nonce", "row"].contains(&word).then_some("<>"));
        let value = "{enter}{{{config.n}{row}";
        let sends: Vec<String> = manifest.sends.values().map(|text| typed(text)).collect();
        assert_eq!(sends, ["{config.a} ${x}<>".to_owned(), format!("{value}1<>")]);
        assert_eq!(typed(&manifest.pipe.unwrap().setup), format!("{{ {value}; }}<>"));
        assert_eq!(typed(&manifest.queries.pop().unwrap().answer), format!("{{<>{value}"));
        assert_eq!(manifest.terminal.login_suffix, Some(format!("+{{{value}")));
    }
}
