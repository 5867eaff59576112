//! A plugin's settings: the operator's over the manifest's defaults, and where they stand in its texts.

use serde_json::{Map, Value};

use super::Spec;
use crate::limits::PLUGIN_CONFIG_MAX_BYTES;
use crate::plugin::bindings::jackfield::plugin::types::Diagnostic;
use crate::plugin::fault::LoadError;
use crate::plugin::manifest::{Manifest, SettingSpec, kind};

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

/// Puts settings in the place of `{config.KEY}`.
pub(super) fn fill_in(manifest: &mut Manifest, settings: &Map<String, Value>) {
    let fill = |text: &mut String| {
        for (key, value) in settings {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            *text = text.replace(&format!("{{config.{key}}}"), &value);
        }
    };
    manifest.sends.values_mut().for_each(fill);
    manifest.terminal.login_suffix.iter_mut().for_each(fill);
    manifest.pipe.iter_mut().for_each(|pipe| fill(&mut pipe.setup));
    manifest.queries.iter_mut().for_each(|query| fill(&mut query.answer));
}
