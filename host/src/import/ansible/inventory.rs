//! Hosts, groups, and which value of a variable counts for a host.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::found::Scope;
use crate::limits::{IMPORT_DEVICES_MAX, IMPORT_NESTING_MAX};

/// Groups that say nothing of a host.
const EVERYBODY: [&str; 2] = ["all", "ungrouped"];

/// An inventory.
#[derive(Default)]
pub(super) struct Inventory {
    /// The number of the file that is read now.
    pub(super) file: usize,
    order: Vec<String>,
    hosts: BTreeMap<String, Host>,
    groups: BTreeMap<String, Group>,
}

#[derive(Default)]
struct Host {
    file: usize,
    variables: Map<String, Value>,
    /// Of `host_vars`, which count more.
    beside: Map<String, Value>,
}

#[derive(Default)]
struct Group {
    hosts: BTreeSet<String>,
    children: BTreeSet<String>,
    variables: Map<String, Value>,
    /// Of `group_vars`, which count more.
    beside: Map<String, Value>,
}

/// Variables of a host, and who each is from.
pub(super) type Variables = BTreeMap<String, (Value, Scope)>;

impl Inventory {
    /// A host that is there from now on, in this group.
    pub(super) fn host(&mut self, name: &str, group: &str) -> Result<(), String> {
        if !self.hosts.contains_key(name) {
            if self.hosts.len() >= IMPORT_DEVICES_MAX {
                return Err(format!("has more than {IMPORT_DEVICES_MAX} hosts"));
            }
            self.order.push(name.to_owned());
            self.hosts.insert(name.to_owned(), Host { file: self.file, ..Host::default() });
        }
        self.groups.entry(group.to_owned()).or_default().hosts.insert(name.to_owned());
        Ok(())
    }

    /// A variable of a host that is there.
    pub(super) fn set(&mut self, host: &str, key: &str, value: Value) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.variables.insert(key.to_owned(), value);
        }
    }

    /// A group, perhaps without anything yet.
    pub(super) fn group(&mut self, name: &str) {
        self.groups.entry(name.to_owned()).or_default();
    }

    /// A variable of a group.
    pub(super) fn set_group(&mut self, group: &str, key: &str, value: Value) {
        self.groups.entry(group.to_owned()).or_default().variables.insert(key.to_owned(), value);
    }

    /// A group within a group.
    pub(super) fn child(&mut self, parent: &str, child: &str) {
        self.group(child);
        self.groups.entry(parent.to_owned()).or_default().children.insert(child.to_owned());
    }

    /// Variables of `group_vars`.
    pub(super) fn beside_group(&mut self, group: &str, variables: Map<String, Value>) {
        self.groups.entry(group.to_owned()).or_default().beside.extend(variables);
    }

    /// Variables of `host_vars`, if there is such a host.
    pub(super) fn beside_host(&mut self, host: &str, variables: Map<String, Value>) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.beside.extend(variables);
        }
    }

    /// Which groups each host is in, and what counts more: to be asked when all is read.
    pub(super) fn index(&self) -> Index<'_> {
        let mut index = Index { inventory: self, parents: BTreeMap::new(), own: BTreeMap::new(), depths: BTreeMap::new() };
        for (name, group) in &self.groups {
            for host in &group.hosts {
                index.own.entry(host).or_default().push(name);
            }
            for child in &group.children {
                index.parents.entry(child).or_default().push(name);
            }
        }
        // Groups in a circle would deepen each other without an end.
        for _ in 0..IMPORT_NESTING_MAX {
            let below = |parent: &&str| 1 + index.depths.get(parent).copied().unwrap_or_default();
            let deepest = |parents: &Vec<&'_ str>| parents.iter().filter(|parent| **parent != "all").map(below).max();
            let depths: BTreeMap<&str, usize> =
                index.parents.iter().filter_map(|(child, parents)| Some((*child, deepest(parents)?))).collect();
            if depths == index.depths {
                break;
            }
            index.depths = depths;
        }
        index
    }

    fn priority(&self, group: &str) -> i64 {
        let of = |group: &Group| group.variables.get("ansible_group_priority").and_then(super::super::document::text_of);
        self.groups.get(group).and_then(of).and_then(|text| text.parse().ok()).unwrap_or(1)
    }
}

/// One of the two tables of a group.
type Part = fn(&Group) -> &Map<String, Value>;

/// An inventory that is read, with what its groups mean for each host.
pub(super) struct Index<'i> {
    inventory: &'i Inventory,
    /// The groups that each group is in.
    parents: BTreeMap<&'i str, Vec<&'i str>>,
    /// The groups that name each host.
    own: BTreeMap<&'i str, Vec<&'i str>>,
    /// How deep each group lies below the outermost one.
    depths: BTreeMap<&'i str, usize>,
}

impl<'i> Index<'i> {
    /// The hosts in the order of the files.
    pub(super) fn names(&self) -> &'i [String] {
        &self.inventory.order
    }

    /// The groups of a host that say something of it, in the order of their names.
    pub(super) fn groups_of(&self, host: &str) -> BTreeSet<&'i str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = self.own.get(host).cloned().unwrap_or_default();
        while let Some(group) = open.pop() {
            if found.insert(group) {
                open.extend(self.parents.get(group).into_iter().flatten());
            }
        }
        found.retain(|group| !EVERYBODY.contains(group));
        found
    }

    /// The file of a host, and its variables: of `all`, then of groups from the outer to the inner ones, then its own.
    pub(super) fn resolve(&self, host: &str) -> (usize, Variables) {
        let depth = |name: &str| self.depths.get(name).copied().unwrap_or_default();
        let mut groups: Vec<&str> = self.groups_of(host).into_iter().collect();
        groups.sort_by_cached_key(|name| (depth(name), self.inventory.priority(name)));
        let mut variables = Variables::new();
        let mut add = |from: &Map<String, Value>, scope: &Scope| {
            variables.extend(from.iter().map(|(key, value)| (key.clone(), (value.clone(), scope.clone()))));
        };
        // The order of Ansible: what the inventory says of all groups, then the folders beside it, then the host.
        let layers: [(&[&str], Part); 4] = [
            (&EVERYBODY, |group| &group.variables),
            (&groups, |group| &group.variables),
            (&EVERYBODY, |group| &group.beside),
            (&groups, |group| &group.beside),
        ];
        for (names, part) in layers {
            for name in names {
                if let Some(group) = self.inventory.groups.get(*name) {
                    add(part(group), &Scope::Shared((*name).to_owned()));
                }
            }
        }
        let Some(found) = self.inventory.hosts.get(host) else { return (self.inventory.file, variables) };
        add(&found.variables, &Scope::Device);
        add(&found.beside, &Scope::Device);
        (found.file, variables)
    }
}
