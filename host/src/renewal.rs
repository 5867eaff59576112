//! The configuration is read again while sessions live: a whole new one counts, or the last good one stays in force.
//!
//! Plugins that changed are loaded beside those in force, through the whole pipeline, and then take over: at once for what is judged,
//! and in a session when nothing runs there. One that does not load leaves the one before in force.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::audit::record::Configuration;
use crate::bounded;
use crate::config::{Config, Digest, TOOLS};
use crate::directory::{Directory, World};
use crate::forward;
use crate::limits::PLUGIN_FILE_MAX_BYTES;
use crate::plugin::catalog;
use crate::startup;

/// Where the configuration comes from, and whose it is.
#[derive(Debug)]
pub struct Renewer {
    directory: Arc<Directory>,
    /// What `--config` named.
    file: Option<PathBuf>,
    /// The configuration that the process began with: some of it counts until it ends.
    begun: Arc<Config>,
    /// One at a time; with what a developer is at work on.
    turn: Mutex<Option<Dev>>,
}

/// A developer's files, whose pins are skipped as long as he is there.
#[derive(Debug)]
struct Dev {
    files: Vec<PathBuf>,
    /// What was in force before, to go back to.
    pinned: Arc<World>,
}

/// What came of it, for whoever asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The server's process.
    pub process: u32,
    /// Its configuration file.
    pub file: Option<String>,
    /// Why nothing was taken: the last good configuration stays in force.
    pub complaints: Vec<String>,
    /// What became of each plugin that was in use, changed or is unusable.
    pub plugins: Vec<Changed>,
    /// What became of devices and live sessions.
    pub changes: Vec<String>,
}

/// What became of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Its name in the configuration.
    pub name: String,
    /// `kept`, `swapped`, `refused` or `unusable`.
    pub what: String,
    /// The digests, or why.
    pub why: String,
}

impl Report {
    /// Did something not go as the file wants it?
    #[must_use]
    pub fn has_failed(&self) -> bool {
        !self.complaints.is_empty() || self.plugins.iter().any(|plugin| matches!(plugin.what.as_str(), "refused" | "unusable"))
    }

    /// Line by line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.complaints.iter().map(|complaint| format!("wrong     {complaint}")).collect();
        if !self.complaints.is_empty() {
            lines.push("kept      the last good configuration stays in force; nothing has changed".to_owned());
        }
        lines.extend(self.plugins.iter().map(|plugin| format!("{:<9} {}: {}", plugin.what, plugin.name, plugin.why)));
        lines.extend(self.changes.iter().cloned());
        lines
    }
}

impl Renewer {
    /// For a directory whose configuration `--config` named, or which was found.
    #[must_use]
    pub fn new(directory: Arc<Directory>, file: Option<&Path>) -> Self {
        let begun = Arc::clone(&directory.world().config);
        Self { directory, file: file.map(Path::to_owned), begun, turn: Mutex::default() }
    }

    /// Reads the configuration again and has it take effect.
    pub async fn renew(&self) -> Report {
        let turn = self.turn.lock().await;
        let files = turn.as_ref().map(|dev| dev.files.as_slice()).unwrap_or_default();
        self.renew_from(&self.directory.world(), files).await
    }

    /// The same with the pins of these files skipped, from now on until [`end_dev`](Self::end_dev). Only one may be at work.
    ///
    /// # Errors
    ///
    /// When another one is.
    pub async fn begin_dev(&self, files: Vec<PathBuf>) -> Result<Report, String> {
        let mut turn = self.turn.lock().await;
        if let Some(dev) = turn.as_ref() {
            let files = dev.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
            return Err(format!("another `jackfield plugin dev` is at work on {files}; end that one first"));
        }
        let pinned = self.directory.world();
        let report = self.renew_from(&pinned, &files).await;
        *turn = Some(Dev { files, pinned });
        Ok(report)
    }

    /// The pins count again. A file that is not the pinned one gives way to what was in force before.
    pub async fn end_dev(&self) {
        let mut turn = self.turn.lock().await;
        let Some(dev) = turn.take() else { return };
        let report = self.renew_from(&dev.pinned, &[]).await;
        if !report.complaints.is_empty() {
            // Whatever is wrong with the file, what nobody has pinned does not outlive the developer.
            self.pin_again(&dev.pinned).await;
        }
    }

    /// The last good configuration stays in force, with the pins that stand in it.
    async fn pin_again(&self, before: &World) {
        let now = self.directory.world();
        if now.unpinned.is_empty() {
            return;
        }
        let mut config = Config::clone(&now.config);
        for (name, pin) in &now.unpinned {
            if let Some(entry) = config.plugins.get_mut(name) {
                entry.digest = *pin;
            }
        }
        let catalog = startup::catalog_with(&config, before.catalog.loader());
        let world = World { config: Arc::new(config), catalog, unpinned: BTreeMap::new() };
        let report = Report { process: std::process::id(), ..Report::default() };
        let report = self.put_in_force(report, world, before).await;
        self.record(&report);
    }

    /// Reads the configuration and takes it, and the audit record has it.
    async fn renew_from(&self, before: &World, files: &[PathBuf]) -> Report {
        let report = self.take(before, files).await;
        self.record(&report);
        report
    }

    /// The audit record has what came of it, and what is in force now.
    fn record(&self, report: &Report) {
        let world = self.directory.world();
        let told = |plugins: &[Changed]| plugins.iter().map(|plugin| format!("{} {}: {}", plugin.what, plugin.name, plugin.why)).collect();
        self.directory.audit().configuration(&Configuration {
            complaints: report.complaints.clone(),
            changes: [told(&report.plugins), report.changes.clone()].concat(),
            ..startup::in_force(&world.config)
        });
    }

    /// `before` has the plugins that stay where nothing has changed or the new one does not load.
    async fn take(&self, before: &World, files: &[PathBuf]) -> Report {
        let folder = std::env::current_dir().unwrap_or_default();
        let read = Config::load(self.file.as_deref(), &|name| std::env::var_os(name), &folder);
        let mut report = Report { process: std::process::id(), ..Report::default() };
        let mut config = match read {
            Ok(config) => config,
            Err(error) => {
                report.complaints = error.to_string().lines().map(str::to_owned).collect();
                return told(report);
            }
        };
        report.file = config.file.as_ref().map(|file| file.display().to_string());
        let unpinned = match skip_pins(&mut config, files) {
            Ok(unpinned) => unpinned,
            Err(complaints) => {
                report.complaints = complaints;
                return told(report);
            }
        };
        let catalog = startup::catalog_with(&config, before.catalog.loader());
        let wrong = startup::check_names(&config, &catalog);
        if !wrong.is_empty() {
            // A type may be unknown only because the plugin that brings it cannot be read.
            let broken = catalog.broken().into_iter().map(|(_, error)| error.to_string());
            report.complaints = broken.chain(wrong.iter().map(ToString::to_string)).collect();
            return told(report);
        }
        self.put_in_force(report, World { config: Arc::new(config), catalog, unpinned }, before).await
    }

    /// Has plugins and live sessions go over to what was read.
    async fn put_in_force(&self, mut report: Report, world: World, before: &World) -> Report {
        report.plugins = world.catalog.take_over(&before.catalog).await.into_iter().map(changed).collect();
        report.changes = world.unpinned.keys().map(|name| format!("UNPINNED  {name}: its digest is not asked for")).collect();
        let now = self.directory.world();
        let config = &world.config;
        if self.begun.audit.folder != config.audit.folder {
            report.changes.push("later     [audit] folder counts when the server is started again".to_owned());
        }
        if self.begun.http != config.http {
            report.changes.push("later     [http] counts when the server is started again".to_owned());
        }
        report.changes.extend(tools(&now.config, config));
        report.changes.extend(devices(&now.config, config));
        self.directory.casts().keep(&config.audit);
        let world = Arc::new(world);
        self.directory.replace_world(Arc::clone(&world));
        for handle in self.directory.list().iter().filter(|handle| handle.closed().is_none()) {
            report.changes.extend(world.adopt(&now, handle).await);
        }
        report.changes.extend(forward::withdraw(&self.directory));
        told(report)
    }
}

/// Takes the digest that each of these files has for the pinned one. The names of their plugins, with their pins.
fn skip_pins(config: &mut Config, files: &[PathBuf]) -> Result<BTreeMap<String, Option<Digest>>, Vec<String>> {
    let mut unpinned = BTreeMap::new();
    let mut complaints = Vec::new();
    for file in files {
        let is_it = |path: &Path| path == file || path.canonicalize().is_ok_and(|path| path == *file);
        let mut of: Vec<_> = config.plugins.iter_mut().filter(|(_, entry)| entry.path.as_deref().is_some_and(is_it)).collect();
        if of.is_empty() {
            complaints.push(format!("`{}` is no plugin's `path`; add [plugin.NAME] with it and a type that uses it", file.display()));
        }
        for (name, entry) in &mut of {
            // A file that is named twice has its own digest there by now.
            unpinned.entry((*name).clone()).or_insert(entry.digest);
            match bounded::read(file, entry.max_file_bytes.map_or(PLUGIN_FILE_MAX_BYTES, std::num::NonZeroU64::get)) {
                Ok(wasm) => entry.digest = Some(Digest::new(Sha256::digest(&wasm).into())),
                Err(error) => complaints.push(format!("cannot read `{}`: {error}", file.display())),
            }
            crate::diagnostics::plugin_line(name, "error", "its pin is skipped as long as `jackfield plugin dev` runs");
        }
    }
    if complaints.is_empty() { Ok(unpinned) } else { Err(complaints) }
}

/// The operator's log has it too.
fn told(report: Report) -> Report {
    for line in report.lines() {
        crate::diagnostics::warn(&format!("configuration read again: {line}"));
    }
    report
}

fn changed((name, renewal): (String, catalog::Renewal)) -> Changed {
    let (what, why) = match renewal {
        catalog::Renewal::Kept => ("kept", "it is what the configuration says".to_owned()),
        catalog::Renewal::Swapped(before, after) if before == after => {
            ("swapped", format!("the same file with other settings, sha256:{after}"))
        }
        catalog::Renewal::Swapped(before, after) => ("swapped", format!("sha256:{before} -> sha256:{after}")),
        catalog::Renewal::Refused(why) => ("refused", format!("{why}; the one before stays in force")),
        catalog::Renewal::Unusable(why) => ("unusable", why),
    };
    Changed { name, what: what.to_owned(), why }
}

/// Tools that are offered now, or no longer. Clients that want to know are told.
fn tools(before: &Config, after: &Config) -> Vec<String> {
    let changed = TOOLS.into_iter().filter_map(|tool| match (before.tools.offers(tool), after.tools.offers(tool)) {
        (false, true) => Some(format!("new       tool {tool}")),
        (true, false) => Some(format!("removed   tool {tool}")),
        _ => None,
    });
    changed.collect()
}

/// Devices that are new, changed or gone. They count for sessions that are opened from now on.
fn devices(before: &Config, after: &Config) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, device) in &after.devices {
        match before.devices.get(name) {
            None => changes.push(format!("new       device {name}")),
            Some(old) if old != device => changes.push(format!("changed   device {name}; open sessions go on as they were")),
            Some(_) => {}
        }
    }
    let gone = before.devices.keys().filter(|name| !after.devices.contains_key(*name));
    changes.extend(gone.map(|name| format!("removed   device {name}")));
    changes
}
