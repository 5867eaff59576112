//! The INI form of an inventory. An error names the line, and repeats nothing of it: it may hold a password.

use serde_json::Value;

use super::super::found::host_and_port;
use super::super::words;
use super::inventory::Inventory;
use super::ranges;

/// What the rows of a section are.
enum Rows {
    Hosts(String),
    Variables(String),
    Children(String),
}

pub(super) fn read(inventory: &mut Inventory, content: &str) -> Result<(), String> {
    let mut rows = Rows::Hosts("ungrouped".to_owned());
    for (index, row) in content.lines().enumerate() {
        let row = row.trim();
        let at = |why: &str| format!("line {} {why}", index + 1);
        if row.is_empty() || row.starts_with(['#', ';']) {
            continue;
        }
        if let Some(heading) = heading(row) {
            rows = section(inventory, heading).ok_or_else(|| at("is no heading: write [GROUP], [GROUP:vars] or [GROUP:children]"))?;
            continue;
        }
        match &rows {
            Rows::Hosts(group) => hosts(inventory, group, row).map_err(|why| at(&why))?,
            Rows::Variables(group) => {
                let (key, value) = row.split_once('=').ok_or_else(|| at("is no variable: it has no `=`"))?;
                inventory.set_group(group, key.trim(), Value::String(words::value(value)));
            }
            Rows::Children(group) => {
                let child = row.split_whitespace().next().unwrap_or_default();
                inventory.child(group, child);
            }
        }
    }
    Ok(())
}

/// What stands between the brackets of a heading. A host may begin with a bracket too: an IPv6 address with its port.
fn heading(row: &str) -> Option<&str> {
    let (inner, after) = row.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    (after.is_empty() || after.starts_with(['#', ';'])).then_some(inner)
}

fn section(inventory: &mut Inventory, heading: &str) -> Option<Rows> {
    let (group, part) = heading.split_once(':').map_or((heading, ""), |(group, part)| (group.trim(), part.trim()));
    if group.is_empty() || group.contains(char::is_whitespace) {
        return None;
    }
    inventory.group(group);
    match part {
        "" => Some(Rows::Hosts(group.to_owned())),
        "vars" => Some(Rows::Variables(group.to_owned())),
        "children" => Some(Rows::Children(group.to_owned())),
        _ => None,
    }
}

fn hosts(inventory: &mut Inventory, group: &str, row: &str) -> Result<(), String> {
    let words = words::split(row).ok_or("has a quote that is never closed")?;
    let Some((pattern, pairs)) = words.split_first() else { return Ok(()) };
    // Its value may be a password, which must not become a name.
    if pattern.contains('=') {
        return Err("begins with a variable where a host belongs; variables of a group stand under [GROUP:vars]".to_owned());
    }
    for name in ranges::expand(pattern)? {
        let (name, port) = host_and_port(&name).ok_or("begins with no name of a host")?;
        inventory.host(&name, group)?;
        if let Some(port) = port {
            inventory.set(&name, "ansible_port", Value::from(port));
        }
        for pair in pairs {
            let (key, value) =
                pair.split_once('=').ok_or("has a word without `=` behind the host; a value with blanks stands in quotes")?;
            inventory.set(&name, key, Value::String(value.to_owned()));
        }
    }
    Ok(())
}
