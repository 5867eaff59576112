//! `ssh_file_read` and `ssh_file_write`: what is asked for becomes a line that policy judges, then work on files.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use regex::bytes::RegexBuilder;
use serde_json::{Map, Value, json};

use super::Caller;
use super::bounds::capped;
use super::desk::{Desk, READS, Stop, Underway, WRITES, Way, path_of, with_base, word};
use super::reply::{self, Reply};
use super::tools::Arguments;
use crate::audit::record::Filed;
use crate::directory::Directory;
use crate::files::name::{sha2_hex, shown};
use crate::files::read::{Item, Part};
use crate::files::remote::Remote;
use crate::files::wire::{Attrs, Kind};
use crate::files::write::{Change, Content, Expect, Prepared, prepare, resolve};
use crate::files::{FilesError, read, search};
use crate::limits::{DIFF_MAX_CHARS, ENTRIES_SHOWN_MAX, FILE_READ_CHARS};
use crate::policy::Purpose;
use crate::session::errand::Permit;
use crate::session::search::no_expression;

/// Lines or entries that are shown.
const LIMIT_DEFAULT: u64 = 400;

pub(super) async fn read(directory: &Directory, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let wait = arguments.usual_wait(caller.ceiling_s);
    let target = arguments.text_or_empty("target");
    let work = read_now(directory, caller, arguments);
    match caller.wait(wait, || format!("reading from {target}"), work).await {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(stop)) => stop.reply(),
        None => Err(format!("reading from `{target}` took longer than {} s; nothing was changed. Read a part of it", wait.as_secs())),
    }
}

async fn read_now(directory: &Directory, caller: &Caller, arguments: &Arguments) -> Result<Reply, Stop> {
    let path = path_of(arguments.text_or_empty("path"))?;
    let desk = Desk::open(directory, caller, arguments).await?;
    read_at(directory, &desk, &path, arguments).await.map_err(|stop| stop.concealed(desk.errand.known()))
}

async fn read_at(directory: &Directory, desk: &Desk, path: &[u8], arguments: &Arguments) -> Result<Reply, Stop> {
    let pattern = arguments.text("grep");
    let line = match pattern {
        Some(pattern) => desk.line(&format!("grep -rn -e {} {}", word(pattern.as_bytes()), word(path))),
        None => desk.whole_line(READS, path)?,
    };
    let verdict = desk.judge(&line, desk.reading()).await;
    let permit = Arc::new(desk.admit(&line, desk.reading(), verdict).await?);
    let begun = Underway::new(desk, &permit, "its caller waited no longer");
    let done = async {
        let way = desk.way(directory, &permit).await?;
        match pattern {
            Some(pattern) => find_lines(desk, &way, path, pattern, capped(directory, FILE_READ_CHARS)).await,
            None => show(directory, desk, &way, path, arguments).await,
        }
    };
    let done = done.await;
    let failure = done.as_ref().err().map(|stop| stop.why().to_owned());
    let (reply, files) = match done {
        Ok((reply, filed)) => (Ok(reply), vec![filed]),
        Err(stop) => {
            desk.stopped(&permit, &stop);
            (Err(desk.hinted(stop)), Vec::new())
        }
    };
    begun.ended(failure.as_deref(), files);
    reply.map(|reply| with_base(reply, desk, &permit))
}

async fn show(directory: &Directory, desk: &Desk, way: &Way, path: &[u8], arguments: &Arguments) -> Result<(Reply, Filed), Stop> {
    let remote = &way.remote;
    let found = remote.stat(path).await;
    if search::is_pattern(path) && found.as_ref().is_err_and(FilesError::is_missing) {
        let items = search::glob(remote, path).await?;
        let (items, notes) = judged_items(desk, remote, items).await?;
        return Ok((listing(path, &items, None, arguments).with_warnings(&notes), Desk::filed("read", path)));
    }
    let attrs = found?;
    let real = remote.whole_path(path).await?;
    desk.judge_real(READS, path, &real, desk.reading(), "").await?;
    // What is shown is what was judged, wherever the path leads by now.
    let (place, attrs) = if real == path { (real.clone(), attrs) } else { look_at_judged(desk, remote, &real).await? };
    let (offset, limit) = range(arguments);
    if attrs.kind() == Kind::Folder {
        let (items, total) = read::folder(remote, &place, offset, limit).await?;
        return Ok((listing(path, &items, Some(total), arguments), Desk::filed("read", &real)));
    }
    let part = Part { offset, limit, max_chars: capped(directory, FILE_READ_CHARS) };
    let mut file = read::file(remote, &place, &attrs, part).await?;
    file.conceal(desk.errand.known());
    let filed = Filed { bytes: attrs.size.unwrap_or(0), sha256: file.sha256.clone(), ..Desk::filed("read", &real) };
    let (text, hidden) = file.masked(desk.errand.mask());
    let mut notes = file.notes;
    if hidden > 0 {
        notes.push(format!("{hidden} parts look like secrets and are not shown"));
    }
    let mut fields = about(&attrs, None);
    let put = |fields: &mut Map<String, Value>, name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put(&mut fields, "path", shown(path).into());
    if real != path {
        put(&mut fields, "real_path", shown(&real).into());
    }
    put(&mut fields, "encoding", file.encoding.into());
    for (name, value) in [
        ("sha256", file.sha256.clone().map(Value::from)),
        ("lines", file.lines.map(Value::from)),
        ("next_offset", file.next_offset.map(Value::from)),
    ] {
        if let Some(value) = value {
            put(&mut fields, name, value);
        }
    }
    let words: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))).collect();
    let mut shown_text = format!("{}\n{}", words.join(" "), reply::fenced(&text));
    for note in &notes {
        shown_text = format!("{shown_text}\nnote: {note}");
    }
    put(&mut fields, "text", text.into());
    if !notes.is_empty() {
        put(&mut fields, "warnings", notes.into());
    }
    let next = file.next_offset.map(|next| more(arguments, next)).unwrap_or_default();
    Ok((Reply::new(fields.into(), shown_text).with_next(&next), filed))
}

/// Those that a pattern has found where policy lets the caller look: a wildcard or a link may have led into folders that the pattern does
/// not name.
async fn judged_items(desk: &Desk, remote: &Remote, mut items: Vec<Item>) -> Result<(Vec<Item>, Vec<String>), Stop> {
    let folder_of = |item: &Item| {
        let end = item.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        item.path.get(..end).filter(|folder| !folder.is_empty()).map(<[u8]>::to_vec)
    };
    let folders: BTreeSet<Vec<u8>> = items.iter().filter_map(folder_of).collect();
    let mut places = Vec::new();
    for folder in &folders {
        places.push(remote.whole_path(folder).await?);
    }
    let mut notes = Vec::new();
    for (at, verdict) in desk.refused(READS, &places, desk.reading()).await? {
        let (Some(folder), Some(real)) = (folders.iter().nth(at), places.get(at)) else { continue };
        items.retain(|item| folder_of(item).as_ref() != Some(folder));
        let leads = if real == folder { String::new() } else { format!(" leads to `{}`, which", shown(real)) };
        let (reason, rule) = (&verdict.decision.reason, &verdict.decision.rule);
        notes.push(format!("`{}`{leads} is not listed: {reason} (rule {rule})", shown(folder)));
    }
    Ok((items, notes))
}

/// What lies at a path that was judged. What a program had of its own in `/proc` has ended with it: then that of the next one is meant.
async fn look_at_judged(desk: &Desk, remote: &Remote, real: &[u8]) -> Result<(Vec<u8>, Attrs), Stop> {
    let gone = match remote.stat(real).await {
        Ok(attrs) => return Ok((real.to_vec(), attrs)),
        Err(error) => error,
    };
    let Some(own) = of_own_process(real).filter(|_| gone.is_missing()) else { return Err(gone.into()) };
    desk.judge_real(READS, real, &own, desk.reading(), "").await?;
    let attrs = remote.stat(&own).await?;
    Ok((own, attrs))
}

/// What a program has of its own in `/proc`, as the program that looks has it.
fn of_own_process(path: &[u8]) -> Option<Vec<u8>> {
    let below = path.strip_prefix(b"/proc/")?;
    let digits = below.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = below.get(digits..)?;
    let is_one = digits > 0 && (rest.is_empty() || rest.starts_with(b"/"));
    is_one.then(|| [b"/proc/self".as_slice(), rest].concat())
}

/// From which line or entry on, and how many at most. What a reply has no room for comes with the next one.
fn range(arguments: &Arguments) -> (u64, u64) {
    let limit = arguments.count("limit").unwrap_or(LIMIT_DEFAULT);
    (arguments.count("offset").unwrap_or(1).max(1), limit.clamp(1, ENTRIES_SHOWN_MAX))
}

/// The call that goes on.
fn more(arguments: &Arguments, next: impl std::fmt::Display) -> String {
    format!("More: ssh_file_read{} offset={next}.", arguments.again(&["target", "path", "limit", "sudo"]))
}

/// What is said of a file.
fn about(attrs: &Attrs, leads_to: Option<&Vec<u8>>) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("kind", Some(attrs.kind().word().into()));
    put("size", attrs.size.map(Value::from));
    put("mode", attrs.mode.map(|mode| format!("{:04o}", mode & 0o7777).into()));
    put("owner", attrs.owner.map(|(user, group)| format!("{user}:{group}").into()));
    let time = |(_, written): (u32, u32)| {
        DateTime::from_timestamp(written.into(), 0).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true).into())
    };
    put("mtime", attrs.times.and_then(time));
    put("leads_to", leads_to.map(|to| shown(to).into()));
    fields
}

/// A page of a folder with so many entries, or of all that a pattern has found. A folder's name may look like a pattern.
fn listing(path: &[u8], items: &[Item], entries_in_all: Option<usize>, arguments: &Arguments) -> Reply {
    let (offset, limit) = range(arguments);
    let (is_glob, total) = (entries_in_all.is_none(), entries_in_all.unwrap_or(items.len()));
    let from = if is_glob { usize::try_from(offset - 1).unwrap_or(usize::MAX) } else { 0 };
    let page: Vec<&Item> = items.iter().skip(from).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let entry = |item: &&Item| {
        let mut fields = about(&item.attrs, item.leads_to.as_ref());
        fields.insert("name".to_owned(), shown(&item.path).into());
        Value::Object(fields)
    };
    let entries: Vec<Value> = page.iter().map(entry).collect();
    let text = |entry: &Value, name: &str| entry[name].as_str().map(str::to_owned).unwrap_or_default();
    let row = |entry: &Value| {
        let to = entry["leads_to"].as_str().map(|to| format!(" -> {to}")).unwrap_or_default();
        let size = entry["size"].as_u64().unwrap_or(0);
        format!(
            "{:<6} {} {:>9} {:>12} {} {}{to}",
            text(entry, "kind"),
            text(entry, "mode"),
            text(entry, "owner"),
            size,
            text(entry, "mtime"),
            text(entry, "name")
        )
    };
    let rows: Vec<String> = entries.iter().map(row).collect();
    let end = usize::try_from(offset - 1).unwrap_or(usize::MAX).saturating_add(page.len());
    let next_offset = (end < total).then_some(end + 1);
    let head = format!("{}: {} of {total} entries", shown(path), page.len());
    let kind = if is_glob { "glob" } else { "folder" };
    let mut fields = json!({"kind": kind, "path": shown(path), "entries": entries, "total": total});
    if let (Some(next), Some(fields)) = (next_offset, fields.as_object_mut()) {
        fields.insert("next_offset".to_owned(), next.into());
    }
    let next = next_offset.map(|next| more(arguments, next)).unwrap_or_default();
    Reply::new(fields, format!("{head}\n{}", reply::fenced(&rows.join("\n")))).with_next(&next)
}

/// Leaves as many lines as have room, at least one.
fn cut_hits(hits: &mut Vec<search::Hit>, max_chars: usize) -> Option<String> {
    let mut chars = 0;
    let fits = hits.iter().take_while(|hit| {
        // The number and two colons stand between them.
        chars += hit.path.len() + hit.text.chars().count() + 8;
        chars <= max_chars
    });
    let (all, fits) = (hits.len(), fits.count().max(1));
    hits.truncate(fits);
    (fits < all).then(|| format!("{} more lines have no room; make the pattern narrower, or search a part of it", all - fits))
}

async fn find_lines(desk: &Desk, way: &Way, path: &[u8], pattern: &str, max_chars: usize) -> Result<(Reply, Filed), Stop> {
    let wanted = RegexBuilder::new(pattern).size_limit(1 << 20).build();
    let wanted = wanted.map_err(|error| no_expression("grep", &error))?;
    let real = way.remote.whole_path(path).await?;
    desk.judge_real(READS, path, &real, desk.reading(), "").await?;
    let (mut files, mut notes) = search::candidates(&way.remote, &real).await?;
    let paths: Vec<Vec<u8>> = files.iter().map(|(path, _)| path.clone()).collect();
    let refused = desk.refused(READS, &paths, desk.reading()).await?;
    for (at, verdict) in refused.iter().rev() {
        if *at < files.len() {
            let (path, _) = files.remove(*at);
            notes.push(format!("`{}` was not looked through: {} (rule {})", shown(&path), verdict.decision.reason, verdict.decision.rule));
        }
    }
    let mut found = search::search(&way.remote, files, &wanted, desk.errand.mask(), desk.errand.known()).await?;
    notes.extend(found.notes);
    notes.extend(cut_hits(&mut found.hits, max_chars));
    let hits: Vec<Value> = found.hits.iter().map(|hit| json!({"path": shown(&hit.path), "line": hit.line, "text": hit.text})).collect();
    let row =
        |hit: &Value| format!("{}:{}:{}", hit["path"].as_str().unwrap_or_default(), hit["line"], hit["text"].as_str().unwrap_or_default());
    let rows: Vec<String> = hits.iter().map(row).collect();
    let mut text = format!("{} lines in {} files\n{}", rows.len(), found.files, reply::fenced(&rows.join("\n")));
    for note in &notes {
        text = format!("{text}\nnote: {note}");
    }
    let fields = json!({"kind": "search", "path": shown(path), "matches": hits, "files": found.files, "warnings": notes});
    let filed = Filed { files: u64::try_from(found.files).ok(), ..Desk::filed("read", &real) };
    Ok((Reply::new(fields, text), filed))
}

pub(super) async fn write(directory: &Directory, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let wait = arguments.usual_wait(caller.ceiling_s);
    let target = arguments.text_or_empty("target");
    let work = write_now(directory, caller, arguments);
    match caller.wait(wait, || format!("writing to {target}"), work).await {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(stop)) => stop.reply(),
        None => {
            Err(format!("writing to `{target}` took longer than {} s. The file is the old one or the new one: read it", wait.as_secs()))
        }
    }
}

/// The change that a call asks for, and words that bind an approval to it.
fn change_of(arguments: &Arguments) -> Result<(Change, String), String> {
    let path = path_of(arguments.text_or_empty("path"))?;
    let (content, bound) = match (arguments.text("content"), arguments.text("old"), arguments.text("new")) {
        (Some(content), None, None) => {
            let bound = format!(" # {} bytes, sha256 {}", content.len(), sha2_hex(content.as_bytes()));
            (Content::Whole(content.as_bytes().to_vec()), bound)
        }
        (None, Some(old), Some(new)) => {
            let bound = format!(" # text with sha256 {} for text with sha256 {}", sha2_hex(new.as_bytes()), sha2_hex(old.as_bytes()));
            (Content::Replace { old: old.to_owned(), new: new.to_owned() }, bound)
        }
        _ => return Err("give `content` for the whole file, or `old` and `new` for one exact replacement".to_owned()),
    };
    let expect = match arguments.text("expect_sha256") {
        None => Expect::Anything,
        Some("none") => Expect::Absent,
        Some(hash) if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => Expect::Sha256(hash.to_owned()),
        Some(other) => {
            return Err(format!("`expect_sha256` is `{other}`; it takes 64 hexadecimal digits, as ssh_file_read gives them, or `none`"));
        }
    };
    let mode = match arguments.text("mode") {
        None => None,
        Some(text) => match u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777) {
            Some(mode) => Some(mode),
            None => return Err(format!("`mode` is `{text}`; it takes permissions in octal digits, for example 640")),
        },
    };
    let mode_bound = mode.map(|mode| format!(", mode {mode:o}")).unwrap_or_default();
    let backup = arguments.flag("backup") == Some(true);
    Ok((Change { path, content, expect, mode, backup }, bound + &mode_bound))
}

async fn write_now(directory: &Directory, caller: &Caller, arguments: &Arguments) -> Result<Reply, Stop> {
    let (change, bound) = change_of(arguments)?;
    let desk = Desk::open(directory, caller, arguments).await?;
    write_at(directory, &desk, &change, &bound).await.map_err(|stop| stop.concealed(desk.errand.known()))
}

async fn write_at(directory: &Directory, desk: &Desk, change: &Change, bound: &str) -> Result<Reply, Stop> {
    let line = desk.whole_line(WRITES, &change.path)?;
    let verdict = desk.judge(&line, Purpose::Run).await;
    let permit = Arc::new(desk.admit(&format!("{line}{bound}"), Purpose::Run, verdict).await?);
    let begun = Underway::new(desk, &permit, "its caller waited no longer: the file is the old one or the new one");
    let done = carry_out(directory, desk, &permit, change, bound).await;
    match done {
        Ok((reply, filed)) => {
            begun.ended(None, vec![filed]);
            Ok(with_base(reply, desk, &permit))
        }
        Err(stop) => {
            desk.stopped(&permit, &stop);
            begun.ended(Some(stop.why()), Vec::new());
            Err(desk.hinted(stop))
        }
    }
}

async fn carry_out(directory: &Directory, desk: &Desk, permit: &Arc<Permit>, change: &Change, bound: &str) -> Result<(Reply, Filed), Stop> {
    let way = desk.way(directory, permit).await?;
    let (real, _) = resolve(&way.remote, &change.path).await?;
    desk.judge_real(WRITES, &change.path, &real, Purpose::Run, bound).await?;
    let change = Change { path: real.clone(), ..change.clone() };
    let prepared = prepare(&way.remote, &change).await?;
    if prepared.path != real {
        return Err(Stop::Failed(format!("`{}` leads elsewhere than a moment ago; nothing was written", shown(&real))));
    }
    // It must not be ended in the middle because a caller went away.
    let (remote, programs, connection) = (way.remote.clone(), way.programs.clone(), way.connection.clone());
    let work = tokio::spawn(async move {
        let written = if prepared.changes_nothing() { None } else { Some(prepared.carry_out(&remote, programs.as_ref()).await) };
        drop(connection);
        (prepared, written.transpose())
    });
    let (prepared, written) = work.await.map_err(|error| format!("a part of this server failed: {error}"))?;
    let written = written?;
    Ok(told(desk, &prepared, written.as_ref()))
}

fn told(desk: &Desk, prepared: &Prepared, written: Option<&crate::files::write::Written>) -> (Reply, Filed) {
    let path = shown(&prepared.path);
    let (diff, hidden) = prepared.difference(desk.errand.mask(), desk.errand.known());
    let shown_diff: String = diff.chars().take(DIFF_MAX_CHARS).collect();
    let mut warnings = written.map(|written| written.warnings.clone()).unwrap_or_default();
    if shown_diff.len() < diff.len() {
        warnings.push(format!("the difference is cut after {DIFF_MAX_CHARS} characters"));
    }
    if hidden > 0 {
        warnings.push(format!("{hidden} parts of the difference look like secrets and are not shown"));
    }
    let state = if written.is_some() { "written" } else { "unchanged" };
    let mut fields = json!({"state": state, "path": path, "sha256_before": prepared.sha256_before(), "sha256_after": prepared.sha256_after,
        "bytes": prepared.bytes(), "diff": shown_diff});
    let backup = written.and_then(|written| written.backup.as_ref()).map(|backup| shown(backup));
    if let Some(fields) = fields.as_object_mut() {
        if let Some(written) = written {
            fields.insert("mode".to_owned(), format!("{:04o}", written.mode).into());
        }
        if let Some(backup) = &backup {
            fields.insert("backup".to_owned(), backup.clone().into());
        }
        if !warnings.is_empty() {
            fields.insert("warnings".to_owned(), warnings.clone().into());
        }
    }
    let mut text = format!("{path} {state} {} bytes sha256={}", prepared.bytes(), prepared.sha256_after);
    text.extend(backup.map(|backup| format!(" backup={backup}")));
    for warning in &warnings {
        text = format!("{text}\nwarning: {warning}");
    }
    let text = format!("{text}\n{}", reply::fenced(&shown_diff));
    let filed = Filed {
        bytes: u64::try_from(prepared.bytes()).unwrap_or(0),
        sha256: Some(prepared.sha256_after.clone()),
        sha256_before: prepared.sha256_before().map(str::to_owned),
        ..Desk::filed("write", &prepared.path)
    };
    (Reply::new(fields, text), filed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_an_end_however_much_is_asked_for() {
        let definition = crate::mcp::tools::TOOLS.iter().find(|tool| tool.name == "ssh_file_read").unwrap();
        let given = json!({"target": "web1", "path": "/x", "limit": 1_000_000});
        let arguments = Arguments::check(definition, given.as_object().cloned().unwrap()).unwrap();
        let item = Item { path: b"f".to_vec(), attrs: Attrs::default(), leads_to: None };
        let reply = listing(b"/x/*", &vec![item; 3000], None, &arguments);
        assert_eq!(reply.fields["entries"].as_array().map(Vec::len), Some(2000));
        assert_eq!((&reply.fields["next_offset"], &reply.fields["total"]), (&json!(2001), &json!(3000)));
        let hit = search::Hit { path: b"/x/f".to_vec(), line: 1, text: "y".repeat(488) };
        for (hits, left, said) in [(10, 10, false), (200, 20, true), (0, 0, false)] {
            let mut hits = vec![hit.clone(); hits];
            let note = cut_hits(&mut hits, 10_000);
            assert_eq!((hits.len(), note.is_some()), (left, said), "{note:?}");
        }
        assert!(cut_hits(&mut vec![hit], 10).is_none());
    }

    #[test]
    fn what_a_program_has_of_its_own_is_known() {
        for (path, own) in [("/proc/41", Some("/proc/self")), ("/proc/41/net/dev", Some("/proc/self/net/dev"))] {
            assert_eq!(of_own_process(path.as_bytes()), own.map(|own| own.as_bytes().to_vec()), "{path}");
        }
        for path in ["/proc/", "/proc/self/x", "/proc/41x/y", "/etc/41", "proc/41"] {
            assert_eq!(of_own_process(path.as_bytes()), None, "{path}");
        }
    }
}
