//! A device type: its plugins, loaded and in order, and what their manifests say together.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use regex::Regex;

use super::blocks::Blocks;
use super::catalog::Catalog;
use super::fault::LoadError;
use super::load::Plugin;
use super::manifest::{CopySpec, EchoStyle, PipeSpec, QuerySpec, SignalSpec};
use super::modes::Modes;
use crate::secret::look::Mask;

/// The bytes of the Enter key unless a manifest says otherwise.
const ENTER: &str = "\r";
/// `TERM` unless a manifest says otherwise.
const TERMINAL: &str = "xterm-256color";
/// The terminal's size unless a manifest or the caller says otherwise.
const SIZE: (u16, u16) = (200, 50);

/// Roles that decide how a session comes out. What policy says is the operator's own, and a recording is played without it.
const PLAYED_ROLES: [&str; 4] = ["prompt", "pager", "dialog", "outcome"];

/// What a device's terminal is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// `TERM`.
    pub kind: String,
    /// Columns; `None` leaves it to the caller.
    pub columns: Option<u16>,
    /// Rows; `None` leaves it to the caller.
    pub rows: Option<u16>,
    /// Bytes of the Enter key.
    pub enter: String,
    /// Typed lines come back.
    pub echoes: bool,
    /// Added to the login name.
    pub login_suffix: String,
}

impl Terminal {
    /// The size: what the type needs, else what the caller wants, else the default.
    #[must_use]
    pub fn size(&self, columns: Option<u16>, rows: Option<u16>) -> (u16, u16) {
        (self.columns.or(columns).unwrap_or(SIZE.0), self.rows.or(rows).unwrap_or(SIZE.1))
    }
}

/// A send of one of the plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendName {
    /// The plugin.
    pub plugin: String,
    /// The send.
    pub name: String,
}

/// A device type.
#[derive(Debug)]
pub struct DeviceType {
    /// Its name.
    pub name: String,
    /// Its plugins; the order decides who is asked first.
    pub plugins: Vec<Arc<Plugin>>,
    /// Its terminal.
    pub terminal: Terminal,
    /// What stops a command, in the order to try.
    pub cancel: Vec<SendName>,
    /// What empties a half-typed line without running it.
    pub clear_line: Option<SendName>,
    /// Characters that act at once and are refused in a command.
    pub live_keys: Vec<String>,
    /// The longest line in bytes, 0 when not known.
    pub line_max: usize,
    /// Rows before the prompt that belong to it.
    pub context: Option<Regex>,
    /// Terminal queries and their answers.
    pub queries: Vec<QuerySpec>,
    /// How commands run without a terminal.
    pub pipe: Option<PipeSpec>,
    /// How a signal reaches what runs in a terminal.
    pub signal: Option<SignalSpec>,
    /// How files are copied where there is neither a file service nor a shell.
    pub copy: Option<CopySpec>,
    /// Texts that it takes behind a line.
    pub blocks: Blocks,
    /// What policy plugins are told of a device of this type.
    pub facts: Vec<(String, String)>,
    /// Its modes and the ways between them.
    pub modes: Modes,
    /// What is not shown of its output.
    pub mask: Mask,
}

impl DeviceType {
    /// Loads the plugins of a type.
    ///
    /// # Errors
    ///
    /// When one of them does not load, or two call themselves the same.
    pub async fn load(name: &str, plugins: &[String], catalog: &Catalog) -> Result<Self, LoadError> {
        let mut loaded: Vec<Arc<Plugin>> = Vec::with_capacity(plugins.len());
        // Whoever opens the first session of a type waits for them.
        let all = join_all(plugins.iter().map(|plugin| catalog.plugin_of(name, plugin).boxed())).await;
        for (plugin, next) in plugins.iter().zip(all) {
            let next = next?;
            // What is typed for a plugin, and what it remembers, goes by its own name.
            if let Some((_, first)) = loaded.iter().zip(plugins).find(|(other, _)| other.name() == next.name()) {
                let (kind, own) = (name.to_owned(), next.name().to_owned());
                return Err(LoadError::Namesakes { kind, first: first.clone(), second: plugin.clone(), own });
            }
            loaded.push(next);
        }
        Ok(Self::of(name, loaded))
    }

    /// Puts loaded plugins together.
    #[must_use]
    pub fn of(name: &str, plugins: Vec<Arc<Plugin>>) -> Self {
        let specs = || plugins.iter().map(|plugin| &plugin.manifest.terminal);
        let terminal = Terminal {
            kind: specs().find_map(|spec| spec.kind.clone()).unwrap_or_else(|| TERMINAL.to_owned()),
            columns: specs().find_map(|spec| spec.columns),
            rows: specs().find_map(|spec| spec.rows),
            enter: specs().find_map(|spec| spec.enter.clone()).unwrap_or_else(|| ENTER.to_owned()),
            echoes: specs().find_map(|spec| spec.echo) != Some(EchoStyle::None),
            login_suffix: specs().find_map(|spec| spec.login_suffix.clone()).unwrap_or_default(),
        };
        let send = |plugin: &Arc<Plugin>, name: &String| SendName { plugin: plugin.name().to_owned(), name: name.clone() };
        let first = |has: fn(&Plugin) -> bool| plugins.iter().find(|plugin| has(plugin));
        let cancel = first(|plugin| !plugin.manifest.cancel.is_empty())
            .map(|plugin| plugin.manifest.cancel.iter().map(|name| send(plugin, name)).collect())
            .unwrap_or_default();
        let clear_line = plugins.iter().find_map(|plugin| plugin.manifest.clear_line.as_ref().map(|name| send(plugin, name)));
        let live_keys = first(|plugin| !plugin.manifest.live_keys.is_empty()).map(|plugin| plugin.manifest.live_keys.clone());
        let line_max = first(|plugin| plugin.manifest.line_max > 0).map_or(0, |plugin| plugin.manifest.line_max);
        let queries = plugins.iter().flat_map(|plugin| plugin.manifest.queries.clone()).collect();
        let live_keys = live_keys.unwrap_or_default();
        let context = plugins.iter().find_map(|plugin| plugin.context.clone());
        let pipe = plugins.iter().find_map(|plugin| plugin.manifest.pipe.clone());
        let signal = plugins.iter().find_map(|plugin| plugin.manifest.signal.clone());
        let of_type = |copy: &&CopySpec| Catalog::holds_for(&copy.types, name);
        let copy = plugins.iter().find_map(|plugin| plugin.manifest.copy.as_ref().filter(of_type).cloned());
        let blocks = Blocks::of(name, plugins.iter().map(|plugin| &plugin.blocks));
        let facts = plugins.iter().flat_map(|plugin| plugin.manifest.facts.clone()).collect();
        let modes = Modes::of(name, plugins.iter().map(|plugin| (plugin.name(), &plugin.manifest)));
        let mask = Mask::with(plugins.iter().filter_map(|plugin| plugin.sensitive.clone()));
        Self {
            name: name.to_owned(),
            modes,
            mask,
            plugins,
            terminal,
            cancel,
            clear_line,
            live_keys,
            line_max,
            context,
            queries,
            pipe,
            signal,
            copy,
            blocks,
            facts,
        }
    }

    /// A plugin of this type.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.plugins.iter().find(|plugin| plugin.name() == name)
    }

    /// Plugins whose settings decide how a session comes out, and these as JSON: what a recording needs to be played.
    #[must_use]
    pub fn played_settings(&self) -> Vec<(String, String)> {
        let is_played = |plugin: &&Arc<Plugin>| plugin.settings() != "{}" && PLAYED_ROLES.iter().any(|role| plugin.has(role));
        self.plugins.iter().filter(is_played).map(|plugin| (plugin.name().to_owned(), plugin.settings().to_owned())).collect()
    }

    /// Secrets that the plugins may ask for.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut names: Vec<String> = self.plugins.iter().flat_map(|plugin| plugin.secrets.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}
