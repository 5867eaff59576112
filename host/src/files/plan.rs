//! What a transfer would do, from what lies on both sides. Pure: nothing is asked and nothing is changed here.

use std::collections::{BTreeMap, BTreeSet};

use super::name::shown;
use super::tree::{Entry, Tree};
use super::wire::Kind;

/// What is wanted of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// What is alike already is left alone.
    pub sync: bool,
    /// What only the destination has is removed.
    pub delete: bool,
}

/// One file to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its path from the top; empty if the top is the file.
    pub path: Vec<u8>,
    /// What it is at the source.
    pub entry: Entry,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is in the way: a file where a folder comes, or the reverse. Deepest first.
    pub in_the_way: Vec<(Vec<u8>, Kind)>,
    /// Folders to make, from the top.
    pub folders: Vec<Vec<u8>>,
    /// Files to copy.
    pub copies: Vec<Copy>,
    /// Links to make, and where they lead.
    pub links: Vec<(Vec<u8>, Vec<u8>)>,
    /// What only the destination has. Deepest first.
    pub removals: Vec<(Vec<u8>, Kind)>,
    /// Folders whose mode and time are set at the end. Deepest first.
    pub finish: Vec<(Vec<u8>, Entry)>,
    /// Of these, those that are there already with another mode or time.
    pub altered: BTreeSet<Vec<u8>>,
    /// Files that are alike already.
    pub skipped: usize,
    /// Files whose bytes are alike, but not the mode or time.
    pub touch: Vec<(Vec<u8>, Entry)>,
    /// What is not copied, and why.
    pub left_out: Vec<String>,
}

impl Plan {
    /// Bytes to copy.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.copies.iter().map(|copy| copy.entry.size).sum()
    }

    /// It as lines, at most so many.
    #[must_use]
    pub fn lines(&self, most: usize) -> Vec<String> {
        let at = |path: &[u8]| if path.is_empty() { ".".to_owned() } else { shown(path) };
        let removed = |(path, kind): &(Vec<u8>, Kind)| format!("delete {} {}", kind.word(), at(path));
        let all = self.in_the_way.iter().map(removed);
        let all = all.chain(self.folders.iter().map(|path| format!("make folder {}", at(path))));
        let all = all.chain(self.copies.iter().map(|copy| format!("copy {} ({} bytes)", at(&copy.path), copy.entry.size)));
        let all = all.chain(self.links.iter().map(|(path, to)| format!("link {} -> {}", at(path), shown(to))));
        let all = all.chain(self.touch.iter().map(|(path, _)| format!("set mode and time of {}", at(path))));
        let all = all.chain(self.removals.iter().map(removed));
        let all = all.chain(self.altered().map(|path| format!("set mode and time of folder {}", at(path))));
        let total = self.steps();
        let mut lines: Vec<String> = all.take(most).collect();
        if total > most {
            lines.push(format!("and {} more", total - most));
        }
        lines
    }

    /// How many steps it has.
    #[must_use]
    pub fn steps(&self) -> usize {
        let made = self.in_the_way.len() + self.folders.len() + self.copies.len() + self.links.len();
        made + self.touch.len() + self.removals.len() + self.altered().count()
    }

    /// Folders that are there already and get another mode or time.
    pub fn altered(&self) -> impl Iterator<Item = &[u8]> {
        self.finish.iter().map(|(path, _)| path.as_slice()).filter(|path| self.altered.contains(*path))
    }

    /// Takes these out of what has to go. What they lie in stays too, and nothing can come in its place: these paths come back.
    pub fn keep_in_the_way(&mut self, kept: &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
        let holds_any = |path: &[u8]| kept.iter().any(|kept| kept == path || is_below(kept, path));
        let all = self.in_the_way.iter().filter(|(path, _)| holds_any(path)).map(|(path, _)| path.clone()).collect();
        self.in_the_way.retain(|(path, _)| !kept.contains(path));
        all
    }

    /// Takes out all that would be done at these paths or below: how many steps that are, by path.
    pub fn leave_out(&mut self, tops: &BTreeSet<Vec<u8>>) -> BTreeMap<Vec<u8>, usize> {
        let mut counts = BTreeMap::new();
        let mut stays = |path: &[u8], steps: usize| match top_of(path, tops) {
            Some(top) => {
                *counts.entry(top.clone()).or_insert(0) += steps;
                false
            }
            None => true,
        };
        self.in_the_way.retain(|(path, _)| stays(path, 1));
        self.folders.retain(|path| stays(path, 1));
        self.copies.retain(|copy| stays(&copy.path, 1));
        self.links.retain(|(path, _)| stays(path, 1));
        self.touch.retain(|(path, _)| stays(path, 1));
        self.removals.retain(|(path, _)| stays(path, 1));
        let altered = &self.altered;
        self.finish.retain(|(path, _)| stays(path, usize::from(altered.contains(path))));
        counts.retain(|_, steps| *steps > 0);
        counts
    }
}

/// Compares both sides. `alike` says of two files of the same size whether their bytes are known to be the same, where that was looked at.
///
/// # Errors
///
/// When a folder, device, pipe or socket would have to go for something else and deleting is not wanted.
pub fn plan(source: &Tree, destination: &Tree, wanted: Wanted, alike: &dyn Fn(&[u8]) -> Option<bool>) -> Result<Plan, String> {
    let mut plan = Plan::default();
    // Below here all goes anyway.
    let mut replaced: BTreeSet<&[u8]> = BTreeSet::new();
    for (path, entry) in &source.entries {
        let gone = is_below_any(path, &replaced);
        let there = destination.entries.get(path).filter(|_| !gone);
        // Nothing comes in the place of what is in the way of something that is not copied.
        let clash = there.filter(|there| there.kind != entry.kind && entry.kind != Kind::Other);
        if let Some(there) = clash {
            if matches!(there.kind, Kind::Folder | Kind::Other) && !wanted.delete {
                let what = if there.kind == Kind::Folder { "a folder" } else { "a device, pipe or socket" };
                return Err(format!(
                    "`{}` is {what} at the destination and a {} at the source; set delete=true to have it replaced, or choose another destination",
                    shown(path),
                    entry.kind.word()
                ));
            }
            if there.kind == Kind::Folder {
                plan.in_the_way.extend(below(destination, path).map(|(below, entry)| (below.clone(), entry.kind)));
            }
            plan.in_the_way.push((path.clone(), there.kind));
            replaced.insert(path);
        }
        one(&mut plan, path, entry, there.filter(|_| clash.is_none()), wanted, alike);
    }
    plan.in_the_way.sort_by(|one, other| other.0.cmp(&one.0));
    plan.in_the_way.dedup();
    if wanted.delete && source.problems.is_empty() && !source.entries.is_empty() {
        let only_there = destination.entries.iter().filter(|(path, _)| !source.entries.contains_key(*path));
        let only_there = only_there.filter(|(path, _)| !is_below_any(path, &replaced));
        plan.removals.extend(only_there.map(|(path, entry)| (path.clone(), entry.kind)));
        plan.removals.reverse();
    } else if wanted.delete {
        plan.left_out.push("nothing is deleted, because not all of the source could be looked at".to_owned());
    }
    plan.finish.reverse();
    plan.left_out.extend(source.problems.iter().cloned());
    Ok(plan)
}

fn one(plan: &mut Plan, path: &[u8], entry: &Entry, there: Option<&Entry>, wanted: Wanted, alike: &dyn Fn(&[u8]) -> Option<bool>) {
    match entry.kind {
        Kind::Folder => {
            match there {
                None => plan.folders.push(path.to_vec()),
                Some(there) if there.mode != entry.mode || there.is_of_another_time(entry) => {
                    plan.altered.insert(path.to_vec());
                }
                Some(_) => {}
            }
            plan.finish.push((path.to_vec(), entry.clone()));
        }
        Kind::File => {
            let of_one_time = |there: &Entry| there.mtime.is_some() && there.mtime == entry.mtime;
            let is_same = |there: &Entry| there.size == entry.size && alike(path).unwrap_or_else(|| of_one_time(there));
            if !wanted.sync || !there.is_some_and(is_same) {
                plan.copies.push(Copy { path: path.to_vec(), entry: entry.clone() });
            } else {
                plan.skipped += 1;
                if there.is_some_and(|there| there.is_of_another_time(entry) || there.mode != entry.mode) {
                    plan.touch.push((path.to_vec(), entry.clone()));
                }
            }
        }
        Kind::Link => {
            if there.is_some_and(|there| there.leads_to == entry.leads_to) {
                plan.skipped += 1;
            } else {
                plan.links.push((path.to_vec(), entry.leads_to.clone()));
            }
        }
        Kind::Other => plan.left_out.push(format!("`{}` is a device, pipe or socket, which is not copied", shown(path))),
    }
}

/// All that lies below a path.
fn below<'t>(tree: &'t Tree, folder: &[u8]) -> impl Iterator<Item = (&'t Vec<u8>, &'t Entry)> {
    let start = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
    let from = tree.entries.range(start.clone()..);
    from.take_while(move |(path, _)| path.starts_with(&start)).filter(|(path, _)| !path.is_empty())
}

fn is_below_any(path: &[u8], folders: &BTreeSet<&[u8]>) -> bool {
    if folders.is_empty() || path.is_empty() {
        return false;
    }
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    std::iter::once(0).chain(ends).any(|at| path.get(..at).is_some_and(|above| folders.contains(above)))
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| !rest.is_empty() && (folder.is_empty() || rest.starts_with(b"/")))
}

/// The one of these that a path is, or lies below.
#[must_use]
pub fn top_of<'t>(path: &[u8], tops: &'t BTreeSet<Vec<u8>>) -> Option<&'t Vec<u8>> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    std::iter::once(0).chain(ends).chain(std::iter::once(path.len())).find_map(|at| tops.get(path.get(..at)?))
}

/// May a link at this path lead out of its tree? Then what is written or read through it later is elsewhere.
///
/// A `..` behind a name goes up from where that name leads, which a link among others may have moved.
#[must_use]
pub fn leads_out(path: &[u8], to: &[u8]) -> bool {
    if to.first() == Some(&b'/') || to.is_empty() {
        return true;
    }
    let mut depth = path.iter().filter(|byte| **byte == b'/').count();
    let mut is_named = false;
    for part in to.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1).filter(|_| !is_named) {
                Some(less) => depth = less,
                None => return true,
            },
            _ => is_named = true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, size: u64, mtime: u32) -> Entry {
        Entry { kind, size, mode: 0o644, mtime: Some(mtime), leads_to: Vec::new() }
    }

    fn tree(entries: &[(&str, Kind, u64, u32)]) -> Tree {
        let entries = entries.iter().map(|(path, kind, size, mtime)| (path.as_bytes().to_vec(), entry(*kind, *size, *mtime)));
        Tree { entries: entries.collect(), problems: Vec::new() }
    }

    fn lines(source: &Tree, destination: &Tree, wanted: Wanted) -> Vec<String> {
        plan(source, destination, wanted, &|_| None).unwrap().lines(100)
    }

    const SYNC: Wanted = Wanted { sync: true, delete: false };
    const MIRROR: Wanted = Wanted { sync: true, delete: true };

    #[test]
    fn only_what_differs_is_copied_and_only_when_wanted_is_anything_deleted() {
        let source = tree(&[
            ("", Kind::Folder, 0, 1),
            ("a", Kind::File, 5, 1),
            ("b", Kind::File, 5, 2),
            ("d", Kind::Folder, 0, 1),
            ("d/x", Kind::File, 1, 1),
        ]);
        let there = tree(&[
            ("", Kind::Folder, 0, 1),
            ("a", Kind::File, 5, 1),
            ("b", Kind::File, 5, 1),
            ("old", Kind::Folder, 0, 1),
            ("old/f", Kind::File, 1, 1),
        ]);
        assert_eq!(lines(&source, &there, SYNC), ["make folder d", "copy b (5 bytes)", "copy d/x (1 bytes)"]);
        assert_eq!(lines(&source, &there, MIRROR)[3..], ["delete file old/f", "delete folder old"]);
        assert_eq!(lines(&source, &there, Wanted { sync: false, delete: false }).len(), 4);
    }

    #[test]
    fn a_folder_goes_for_a_file_only_when_deleting_is_wanted() {
        let source = tree(&[("", Kind::Folder, 0, 1), ("a", Kind::File, 5, 1)]);
        let there = tree(&[("", Kind::Folder, 0, 1), ("a", Kind::Folder, 0, 1), ("a/x", Kind::File, 1, 1)]);
        assert!(plan(&source, &there, SYNC, &|_| None).unwrap_err().contains("delete=true"));
        assert_eq!(lines(&source, &there, MIRROR), ["delete file a/x", "delete folder a", "copy a (5 bytes)"]);
        // A device is no file that a copy may replace unasked.
        let device = tree(&[("", Kind::Other, 0, 1)]);
        let file = tree(&[("", Kind::File, 5, 1)]);
        assert!(plan(&file, &device, SYNC, &|_| None).unwrap_err().contains("is a device, pipe or socket at the destination"));
        assert_eq!(lines(&file, &device, MIRROR), ["delete other .", "copy . (5 bytes)"]);
        assert!(lines(&device, &file, SYNC).is_empty() && lines(&device, &file, MIRROR).is_empty());
        // The reverse: what lies in the folder is new.
        assert_eq!(lines(&there, &source, SYNC), ["delete file a", "make folder a", "copy a/x (1 bytes)"]);
    }

    #[test]
    fn folders_that_get_another_mode_or_time_are_steps() {
        let source =
            tree(&[("", Kind::Folder, 0, 2), ("d", Kind::Folder, 0, 1), ("new", Kind::Folder, 0, 5), ("same", Kind::Folder, 0, 1)]);
        let mut there = tree(&[("", Kind::Folder, 0, 1), ("d", Kind::Folder, 0, 1), ("same", Kind::Folder, 0, 1)]);
        there.entries.get_mut(b"d".as_slice()).unwrap().mode = 0o700;
        let mut plan = plan(&source, &there, SYNC, &|_| None).unwrap();
        assert_eq!(plan.lines(100), ["make folder new", "set mode and time of folder d", "set mode and time of folder ."]);
        assert_eq!((plan.steps(), plan.finish.len()), (3, 4));
        assert_eq!(plan.leave_out(&paths(&["d", "same"])), BTreeMap::from([(b"d".to_vec(), 1)]));
        assert_eq!((plan.steps(), plan.finish.len()), (2, 2));
    }

    fn paths(paths: &[&str]) -> BTreeSet<Vec<u8>> {
        paths.iter().map(|path| path.as_bytes().to_vec()).collect()
    }

    #[test]
    fn what_lies_below_what_is_left_out_is_left_out() {
        let source = tree(&[
            ("", Kind::Folder, 0, 1),
            ("a", Kind::File, 5, 1),
            ("d", Kind::Folder, 0, 1),
            ("d-x", Kind::File, 2, 1),
            ("d/e", Kind::Folder, 0, 1),
            ("d/e/x", Kind::File, 1, 1),
            ("d/l", Kind::Link, 0, 1),
        ]);
        let there = tree(&[("", Kind::Folder, 0, 1), ("a", Kind::Folder, 0, 1), ("a/x", Kind::File, 1, 1), ("a/y", Kind::File, 1, 1)]);
        let mut without = plan(&source, &there, MIRROR, &|_| None).unwrap();
        let counts = without.leave_out(&paths(&["d"]));
        assert_eq!(counts, BTreeMap::from([(b"d".to_vec(), 4)]));
        let rest = ["delete file a/y", "delete file a/x", "delete folder a", "copy a (5 bytes)", "copy d-x (2 bytes)"];
        assert_eq!(without.lines(100), rest);
        assert!(without.finish.iter().all(|(path, _)| path.is_empty()));
        // What has to stay in a folder keeps the folder.
        let mut kept = plan(&source, &there, MIRROR, &|_| None).unwrap();
        let tops = kept.keep_in_the_way(&paths(&["a/x"]));
        assert_eq!(tops, paths(&["a", "a/x"]));
        kept.leave_out(&tops);
        assert_eq!(kept.lines(2), ["make folder d", "make folder d/e", "and 3 more"]);
        // The top holds everything.
        assert_eq!(kept.leave_out(&paths(&[""])), BTreeMap::from([(Vec::new(), 5)]));
        assert_eq!(kept.steps(), 0);
    }

    #[test]
    fn nothing_is_deleted_when_the_source_was_not_seen_whole() {
        let mut source = tree(&[("", Kind::Folder, 0, 1)]);
        source.problems.push("cannot read `x`".to_owned());
        let there = tree(&[("", Kind::Folder, 0, 1), ("keep", Kind::File, 1, 1)]);
        assert!(lines(&source, &there, MIRROR).is_empty());
        assert!(lines(&Tree::default(), &there, MIRROR).is_empty());
    }

    #[test]
    fn links_that_lead_out_are_known() {
        for (path, to) in
            [("a", "/etc"), ("a", ".."), ("d/a", "../../x"), ("a", "b/../../c"), ("a", ""), ("z", "d1/d2/s/../.ssh"), ("a", "./d/../b")]
        {
            assert!(leads_out(path.as_bytes(), to.as_bytes()), "{path} -> {to}");
        }
        for (path, to) in [("a", "b"), ("d/a", "../b"), ("d/e/a", "../../b"), ("d/a", ".././b/c/.")] {
            assert!(!leads_out(path.as_bytes(), to.as_bytes()), "{path} -> {to}");
        }
    }
}
