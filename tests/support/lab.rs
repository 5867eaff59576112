//! Devices of the lab, a configuration for them, and what was typed into them.

use jackfield::demo;
use jackfield::lab::{Description, Entry, JournalEntry, Lab, Options};

use super::client::Client;

/// They are there as long as this is.
pub struct Devices {
    runtime: tokio::runtime::Runtime,
    lab: Lab,
    _folder: tempfile::TempDir,
    /// The configuration: a table for each.
    pub config: String,
}

impl Devices {
    /// Starts these.
    pub fn start(devices: Vec<Description>) -> Self {
        Self::start_with(devices, Options::default())
    }

    /// The same with faults, or whatever else is wanted of the lab.
    pub fn start_with(devices: Vec<Description>, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let lab = runtime.block_on(async { Lab::start(devices, options).unwrap() });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lab.toml");
        demo::write_config(&lab, &file).unwrap();
        let config = std::fs::read_to_string(file).unwrap();
        Self { runtime, lab, _folder: folder, config }
    }

    /// Starts those of the program that have these names.
    pub fn some(names: &[&str]) -> Self {
        let mut devices = demo::descriptions().unwrap();
        devices.retain(|device| names.contains(&device.name()));
        assert_eq!(devices.len(), names.len(), "{names:?}");
        Self::start(devices)
    }

    /// Starts all that the program has.
    pub fn all() -> Self {
        Self::start(demo::descriptions().unwrap())
    }

    /// The program with this in front of the devices' tables.
    pub fn client(&self, before: &str) -> Client {
        Client::start(&format!("{before}{}", self.config))
    }

    /// What happened on all of them.
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.runtime.block_on(self.lab.journal())
    }

    /// What `show` makes of the entries of a device, in order.
    fn entries(&self, device: &str, show: impl Fn(&Entry) -> Option<String>) -> Vec<String> {
        self.journal().iter().filter(|entry| entry.device == device).filter_map(|entry| show(&entry.entry)).collect()
    }

    /// Lines that a device was given, those it refused among them.
    pub fn lines(&self, device: &str) -> Vec<String> {
        self.entries(device, line)
    }

    /// The lines that a device took, each with the mode it was typed in.
    pub fn typed(&self, device: &str) -> Vec<String> {
        self.entries(device, |entry| match entry {
            Entry::Command { mode, line } => Some(format!("{mode}: {line}")),
            _ => None,
        })
    }

    /// Answers that a device was given, as question and text.
    pub fn answers(&self, device: &str) -> Vec<String> {
        self.entries(device, |entry| match entry {
            Entry::Answer { dialog, text } => Some(format!("{dialog} {text}")),
            _ => None,
        })
    }

    /// Lines that any of them was given.
    pub fn all_lines(&self) -> Vec<String> {
        self.journal().iter().filter_map(|entry| line(&entry.entry)).collect()
    }
}

fn line(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Command { line, .. } | Entry::Refused { line } => Some(line.clone()),
        _ => None,
    }
}
