//! Values of variables: plain ones, those that name another variable, those that Ansible looks up, and encrypted ones.

use serde_json::Value;
use zeroize::Zeroizing;

use super::super::document;
use super::super::fits;
use super::super::found::{Credential, Scope};
use super::inventory::Variables;
use crate::limits::IMPORT_NESTING_MAX;

/// Is this what ansible-vault writes?
pub(super) fn is_vault(text: &str) -> bool {
    text.trim_start().starts_with("$ANSIBLE_VAULT")
}

/// A text whose templates name variables and nothing else. `Err` where one cannot be told without Ansible.
pub(super) fn text(host: &str, variables: &Variables, value: &Value) -> Result<Option<String>, &'static str> {
    let Some(text) = document::text_of(value) else { return Ok(None) };
    filled(host, variables, &text, &mut { IMPORT_NESTING_MAX }).map(Some)
}

/// `left` templates may be filled in all, so that none grows without an end.
fn filled(host: &str, variables: &Variables, text: &str, left: &mut usize) -> Result<String, &'static str> {
    if is_vault(text) {
        return Err("it is encrypted with ansible-vault, which is not read");
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once("{{") {
        const UNKNOWN: &str = "it is a template that only Ansible can fill; write the value by hand";
        let (inner, tail) = after.split_once("}}").ok_or(UNKNOWN)?;
        *left = left.checked_sub(1).ok_or("it has too many templates, or they name each other without an end")?;
        let filled = match inner.trim() {
            "inventory_hostname" => host.to_owned(),
            "inventory_hostname_short" => host.split('.').next().unwrap_or_default().to_owned(),
            name => {
                let (value, _) = variables.get(name).ok_or(UNKNOWN)?;
                let value = document::text_of(value).ok_or(UNKNOWN)?;
                filled(host, variables, &value, left)?
            }
        };
        out.push_str(head);
        out.push_str(&filled);
        rest = tail;
    }
    if rest.contains("{%") {
        return Err("it is a template that only Ansible can fill; write the value by hand");
    }
    out.push_str(rest);
    Ok(out)
}

/// Where a secret is to come from, of a variable of this name.
pub(super) fn credential(host: &str, variables: &Variables, key: &str) -> Option<Credential> {
    let (value, scope) = variables.get(key)?;
    let raw = document::text_of(value)?;
    // The value belongs to whoever has the variable that a template names.
    let (owner, named) = match only_template(&raw) {
        Some(inner) => match variables.get(inner) {
            Some((value, scope)) => (scope.clone(), value),
            None => return Some(looked_up(inner, scope)),
        },
        None => (scope.clone(), value),
    };
    let kept = |value, origin: String| Credential::Kept { scope: owner.clone(), value, origin };
    Some(match text(host, variables, named) {
        Ok(Some(text)) => kept(Some(Zeroizing::new(text)), format!("`{key}` of {}", whose(&owner))),
        Ok(None) => return None,
        Err(_) if document::text_of(named).is_some_and(|text| is_vault(&text)) => {
            kept(None, format!("`{key}` of {}, encrypted with ansible-vault", whose(&owner)))
        }
        Err(_) => match document::text_of(named).as_deref().and_then(only_template) {
            Some(inner) => looked_up(inner, &owner),
            None => kept(None, format!("`{key}` of {}, a template of Ansible's", whose(&owner))),
        },
    })
}

fn whose(scope: &Scope) -> String {
    match scope {
        Scope::Device => "this host".to_owned(),
        Scope::Shared(group) => format!("the group {}", super::super::intake::key_shown(group)),
    }
}

/// The inside of a text that is one template.
fn only_template(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{")).then_some(inner.trim())
}

/// `lookup('env', 'NAME')` and its like, as a source of ours.
fn looked_up(inner: &str, scope: &Scope) -> Credential {
    let known = || {
        let arguments = inner.split_once('(').filter(|(name, _)| matches!(name.trim(), "lookup" | "query" | "q"))?.1;
        let (arguments, _filters) = arguments.split_once(')')?;
        let mut words = arguments.split(',').map(|word| word.trim().trim_matches(['"', '\'']));
        let (plugin, argument) = (words.next()?, words.next()?);
        match plugin.rsplit('.').next()? {
            "env" if fits::is_variable(argument) => Some(Credential::Env { variable: argument.to_owned(), value: None }),
            "file" if fits::wrong_path(argument).is_none() => Some(Credential::File(argument.to_owned())),
            "passwordstore" if is_pass_name(argument) => Some(Credential::Command(format!("pass show {argument}"))),
            _ => None,
        }
    };
    known().unwrap_or_else(|| Credential::Kept {
        scope: scope.clone(),
        value: None,
        origin: "what a template of Ansible's looks up".to_owned(),
    })
}

/// A name that means nothing to a shell.
fn is_pass_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.@-".contains(&byte))
}
