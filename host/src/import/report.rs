//! What came of an import: devices, what was left behind and why, and which secrets are still to be set.

use std::collections::BTreeMap;

use serde::Serialize;

/// The whole. It holds names and places, never a value of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The files that were read for devices.
    pub files: Vec<FileRead>,
    /// The devices, in the order of the configuration.
    pub devices: Vec<Carried>,
    /// What was changed or left behind.
    pub notes: Vec<Note>,
    /// What the devices need to log in.
    pub secrets: Vec<Needed>,
    /// What to do now, in order.
    pub next: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRead {
    /// Its path.
    pub path: String,
    /// The word of its kind.
    pub kind: &'static str,
    /// What it is.
    pub title: &'static str,
    /// How many of its devices are in the configuration.
    pub devices: usize,
}

/// A device of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// Its name.
    pub name: String,
    /// Its name in the file, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// The file.
    pub file: String,
}

/// What became of a part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Changed on the way, or left behind.
    pub fate: Fate,
    /// A key, an option, or a thing.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
    /// The devices that it is about; none where it is about the file.
    pub devices: Vec<String>,
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is there in another form.
    Changed,
    /// It is not there.
    Left,
}

/// A secret that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// `keyring`, `env`, `file` or `command`.
    pub from: &'static str,
    /// The entry, variable, path or command.
    pub name: String,
    /// What it is for: `password`, or a name of `secrets`.
    pub role: &'static str,
    /// The devices.
    pub devices: Vec<String>,
    /// Where the value is, in words; not the value.
    pub origin: String,
    /// It has been put into the keyring.
    pub stored: bool,
}

/// Notes as they come, one for each reason.
#[derive(Default)]
pub(super) struct Notes {
    order: Vec<Note>,
    places: BTreeMap<(Fate, String, String), usize>,
}

impl Notes {
    /// Something is not in the configuration.
    pub(super) fn left(&mut self, device: Option<&str>, what: &str, why: &str) {
        self.add(Fate::Left, device, what, why);
    }

    /// Something is there in another form.
    pub(super) fn changed(&mut self, device: Option<&str>, what: &str, why: &str) {
        self.add(Fate::Changed, device, what, why);
    }

    /// All of them; devices bear the names that they have now.
    pub(super) fn finish(self, now: impl Fn(&str) -> String) -> Vec<Note> {
        let named = |mut note: Note| {
            for device in &mut note.devices {
                *device = now(device);
            }
            note.devices.dedup();
            note
        };
        self.order.into_iter().map(named).collect()
    }

    fn add(&mut self, fate: Fate, device: Option<&str>, what: &str, why: &str) {
        let next = self.order.len();
        let place = *self.places.entry((fate, what.to_owned(), why.to_owned())).or_insert(next);
        if place == next {
            self.order.push(Note { fate, what: what.to_owned(), why: why.to_owned(), devices: Vec::new() });
        }
        if let (Some(note), Some(device)) = (self.order.get_mut(place), device)
            && note.devices.last().is_none_or(|last| last != device)
        {
            note.devices.push(device.to_owned());
        }
    }
}
