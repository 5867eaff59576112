//! Names of devices and of entries in the keyring: each fits, and means one thing.

use std::collections::{BTreeMap, BTreeSet};

use super::fits;
use super::found::{PASSWORD, Scope};

/// Names that are given once each.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
    /// The number that is tried next behind a name.
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// The nearest name that fits and is free.
    pub(super) fn give(&mut self, wanted: &str) -> String {
        let name = fits::name_like(wanted);
        let mut given = name.clone();
        while !self.taken.insert(given.clone()) {
            let number = self.numbers.entry(name.clone()).or_insert(2);
            given = fits::numbered(&name, *number);
            *number += 1;
        }
        given
    }
}

/// Entries of the keyring, one for each owner of a secret.
#[derive(Default)]
pub(super) struct Entries {
    names: Names,
    given: BTreeMap<(usize, Scope, String, &'static str), String>,
}

impl Entries {
    /// The entry of a secret: what a group shares has one entry for all of its devices.
    pub(super) fn name(&mut self, file: usize, scope: &Scope, device: &str, role: &'static str) -> String {
        let (owner, of) = match scope {
            Scope::Device => (device, device.to_owned()),
            Scope::Shared(group) => (group.as_str(), String::new()),
        };
        let names = &mut self.names;
        let given = self.given.entry((file, scope.clone(), of, role)).or_insert_with(|| {
            let wanted = if role == PASSWORD { owner.to_owned() } else { format!("{owner}-{role}") };
            names.give(&wanted)
        });
        given.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once() {
        let mut names = Names::default();
        assert_eq!(["a b", "a-b", "a/b"].map(|wanted| names.give(wanted)), ["a-b", "a-b-2", "a-b-3"]);
        assert_eq!(names.give("a-b-2"), "a-b-2-2");
    }

    #[test]
    fn a_group_shares_an_entry_and_its_name_is_not_that_of_a_device() {
        let mut entries = Entries::default();
        let group = Scope::Shared("core".to_owned());
        assert_eq!(entries.name(0, &group, "sw1", PASSWORD), "core");
        assert_eq!(entries.name(0, &group, "sw2", PASSWORD), "core");
        assert_eq!(entries.name(0, &Scope::Device, "core", PASSWORD), "core-2");
        assert_eq!(entries.name(0, &Scope::Device, "core", "enable"), "core-enable");
        assert_eq!(entries.name(1, &group, "sw1", PASSWORD), "core-3");
    }
}
