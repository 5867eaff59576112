//! A host of an inventory as a device.

use super::super::found::{ENABLE, Found, PASSPHRASE, PASSWORD, SUDO};
use super::super::intake::Intake;
use super::super::types::System;
use super::super::{document, ssh_options};
use super::connection::{self, Reached};
use super::inventory::Variables;
use super::template;
use crate::limits::IMPORT_NAMES_SHOWN;

const HOST: [&str; 2] = ["ansible_host", "ansible_ssh_host"];
const PORT: [&str; 2] = ["ansible_port", "ansible_ssh_port"];
const USER: [&str; 2] = ["ansible_user", "ansible_ssh_user"];
const LOGIN: [&str; 3] = ["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"];
const KEY: [&str; 2] = ["ansible_ssh_private_key_file", "ansible_private_key_file"];
const KEY_PASSPHRASE: [&str; 2] = ["ansible_ssh_private_key_passphrase", "ansible_private_key_passphrase"];
const BECOME: [&str; 5] =
    ["ansible_become_password", "ansible_become_pass", "ansible_sudo_pass", "ansible_sudo_password", "ansible_enable_password"];
/// From the last to the first: of an option that is there twice, ssh takes the first.
const ARGUMENTS: [&str; 3] = ["ansible_ssh_extra_args", "ansible_ssh_common_args", "ansible_ssh_args"];
const CHECKING: [&str; 3] = ["ansible_host_key_checking", "ansible_ssh_host_key_checking", "ansible_paramiko_host_key_checking"];
/// What is dealt with by name elsewhere.
const OTHERS: [&str; 10] = [
    "ansible_connection",
    "ansible_network_os",
    "ansible_become",
    "ansible_become_method",
    "ansible_become_user",
    "ansible_shell_type",
    "ansible_python_interpreter",
    "ansible_group_priority",
    "ansible_paramiko_proxy_command",
    "ansible_network_cli_ssh_type",
];

/// A host with its variables.
pub(super) struct Host<'a> {
    pub(super) name: &'a str,
    pub(super) variables: &'a Variables,
}

impl Host<'_> {
    /// The first of these variables that is there, without templates, and its name.
    fn text(&self, intake: &mut Intake<'_>, keys: &[&str]) -> (String, Option<String>) {
        for key in keys {
            let Some((value, _)) = self.variables.get(*key) else { continue };
            match template::text(self.name, self.variables, value) {
                Ok(Some(text)) => return (format!("`{key}`"), Some(text)),
                Ok(None) => {}
                Err(why) => intake.notes.left(Some(self.name), &format!("`{key}`"), why),
            }
        }
        (String::new(), None)
    }

    pub(super) fn word(&self, key: &str) -> Option<String> {
        let (value, _) = self.variables.get(key)?;
        template::text(self.name, self.variables, value).ok().flatten()
    }

    fn truth(&self, key: &str) -> Option<bool> {
        self.variables.get(key).and_then(|(value, _)| document::truth_of(value))
    }
}

/// The device, if there is one behind this host.
pub(super) fn read(intake: &mut Intake<'_>, name: &str, groups: Vec<String>, variables: &Variables) -> Option<Found> {
    let host = Host { name, variables };
    let mut found = Found::named(name);
    match connection::reached(&host) {
        Reached::Ssh => {}
        Reached::Local => found.local = true,
        Reached::Api(how) => {
            let why = format!("it was reached by {how}; here by SSH, at its usual port");
            intake.notes.changed(Some(name), "`ansible_connection`", &why);
        }
        Reached::Otherwise(how) => {
            intake.notes.left(Some(name), "the host", &format!("it is reached by {how}, which is no terminal"));
            return None;
        }
    }
    found.set_tags("groups", groups, &mut intake.notes);
    if found.local {
        found.kind = Some("linux");
        return Some(found);
    }
    place(intake, &host, &mut found);
    kind(intake, &host, &mut found);
    secrets(intake, &host, &mut found);
    for key in ARGUMENTS {
        if let (what, Some(line)) = host.text(intake, &[key]) {
            ssh_options::read(&mut found, &what, &line, &mut intake.notes);
        }
    }
    if CHECKING.iter().any(|key| host.truth(key) == Some(false)) {
        ssh_options::unchecked(name, "`ansible_host_key_checking` = false", &mut intake.notes);
    }
    rest(intake, &host);
    Some(found)
}

fn place(intake: &mut Intake<'_>, host: &Host<'_>, found: &mut Found) {
    let (key, text) = host.text(intake, &HOST);
    found.set_host(&key, text, &mut intake.notes);
    let is_api = matches!(connection::reached(host), Reached::Api(_));
    let (key, text) = host.text(intake, &PORT);
    found.set_port(&key, text.filter(|_| !is_api), &mut intake.notes);
    let (key, text) = host.text(intake, &USER);
    found.set_user(&key, text, &mut intake.notes);
    let (key, text) = host.text(intake, &KEY);
    found.set_key(&key, text, &mut intake.notes);
}

/// The type: `ansible_network_os`, or what else tells of a server.
fn kind(intake: &mut Intake<'_>, host: &Host<'_>, found: &mut Found) {
    let (key, os) = host.text(intake, &["ansible_network_os"]);
    let is_network = os.is_some();
    found.set_kind(&key, System::Ansible, os, &mut intake.notes);
    let runs_python = ["ansible_python_interpreter", "ansible_become"].iter().any(|key| host.variables.contains_key(*key));
    match host.word("ansible_shell_type").as_deref() {
        Some("powershell" | "cmd") => found.kind = Some("windows_openssh"),
        _ if !is_network && runs_python => found.kind = Some("linux"),
        _ => {}
    }
}

fn secrets(intake: &mut Intake<'_>, host: &Host<'_>, found: &mut Found) {
    let first = |keys: &[&str]| keys.iter().find_map(|key| template::credential(host.name, host.variables, key));
    for (role, keys) in [(PASSWORD, LOGIN.as_slice()), (PASSPHRASE, KEY_PASSPHRASE.as_slice())] {
        if let Some(credential) = first(keys) {
            found.secrets.insert(role, credential);
        }
    }
    let Some(credential) = first(&BECOME) else { return };
    let is_network = host.variables.contains_key("ansible_network_os");
    let method = host.word("ansible_become_method").unwrap_or_else(|| if is_network { "enable" } else { "sudo" }.to_owned());
    match method.rsplit('.').next() {
        Some("enable") => drop(found.secrets.insert(ENABLE, credential)),
        Some("sudo") => drop(found.secrets.insert(SUDO, credential)),
        _ => {
            let why = "only sudo and enable have a place for their password; name others in `secrets`, and give it at the question";
            intake.notes.left(Some(host.name), "`ansible_become_password`", why);
        }
    }
}

/// Says what is not here.
fn rest(intake: &mut Intake<'_>, host: &Host<'_>) {
    if host.word("ansible_become_user").is_some_and(|user| user != "root") {
        intake.notes.left(Some(host.name), "`ansible_become_user`", "a command says itself whom it runs as: `sudo -u USER …`");
    }
    if host.variables.contains_key("ansible_paramiko_proxy_command") {
        intake.notes.left(Some(host.name), "`ansible_paramiko_proxy_command`", "write `via` or `proxy` for it");
    }
    let known: [&[&str]; 9] = [&HOST, &PORT, &USER, &LOGIN, &KEY, &KEY_PASSPHRASE, &BECOME, &ARGUMENTS, &CHECKING];
    let is_known = |key: &str| OTHERS.contains(&key) || known.iter().any(|keys| keys.contains(&key));
    let (mut ours, mut own) = (Vec::new(), 0_usize);
    for key in host.variables.keys().map(String::as_str) {
        match key.strip_prefix("ansible_") {
            Some(_) if !is_known(key) => ours.push(key),
            Some(_) => {}
            // By custom the values of others, which templates name.
            None if key.starts_with("vault_") => {}
            None => own += 1,
        }
    }
    let shown: Vec<&str> = ours.into_iter().take(4 * IMPORT_NAMES_SHOWN).collect();
    intake.no_counterpart(Some(host.name), &shown);
    if own > 0 {
        intake.notes.left(Some(host.name), "variables of your playbooks", "they say nothing of how a host is reached");
    }
}
