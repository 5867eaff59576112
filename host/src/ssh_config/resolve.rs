//! From a name to all that the files say about it.

use super::jump::{Jump, JumpHost};
use super::run::Run;
use super::statement::Value;
use super::{Asked, ResolveError, Resolved, SshConfig, address, facts, finish, options::Options};
use crate::limits::SSH_CONFIG_NAME_MAX_BYTES;

/// Dots up to which a name is looked for in the domains.
const DOTS: u32 = 1;

pub(super) fn resolve(config: &SshConfig, name: &str, asked: &Asked) -> Result<Resolved, ResolveError> {
    sound(name, asked)?;
    let mut run = Run::new(&config.who, asked, name);
    run.go(&config.sources)?;
    let target = run.target().map_err(|message| ResolveError::Value { keyword: "hostname", message })?;
    let is_name = address::canonical(&target).is_none();
    let host = address::canonical(&target).unwrap_or_else(|| target.to_ascii_lowercase());
    run.options.replace("hostname", Value::Text(host.clone()));
    let canonicalizes = run.options.choice("canonicalizehostname").is_some_and(|choice| choice != "false");
    if canonicalizes && is_name {
        canonicalize(&host, &mut run)?;
    }
    if canonicalizes || run.wants_last {
        run.host.clone_from(&host);
        run.is_last = true;
        run.go(&config.sources)?;
    }
    no_loop(&run, &host)?;
    finish::finish(run, host)
}

/// OpenSSH would now ask the DNS for the name in each domain. This is left to whoever connects; what is certain without it is told.
fn canonicalize(host: &str, run: &mut Run<'_>) -> Result<(), ResolveError> {
    let options = &run.options;
    let always = options.choice("canonicalizehostname") == Some("always");
    if !always && !is_direct(options) {
        return Ok(());
    }
    let anchored = host.ends_with('.');
    let dots = u32::try_from(host.bytes().filter(|byte| *byte == b'.').count()).unwrap_or(u32::MAX);
    if !anchored && dots > options.number("canonicalizemaxdots").unwrap_or(DOTS) {
        return Ok(());
    }
    let domains: Vec<String> = options.words("canonicaldomains").unwrap_or_default().to_vec();
    let none = domains.iter().all(|domain| domain.eq_ignore_ascii_case("none"));
    if none && !anchored {
        return if options.flag("canonicalizefallbacklocal") == Some(false) {
            Err(ResolveError::NoDomain { host: host.to_owned() })
        } else {
            Ok(())
        };
    }
    run.warnings.push(format!(
        "`CanonicalizeHostname` would look `{host}` up in the DNS ({}); the name is kept as it is",
        if anchored { "as it is".to_owned() } else { domains.join(", ") }
    ));
    Ok(())
}

pub(super) fn is_direct(options: &Options) -> bool {
    options.some_text("proxycommand").is_none() && options.jump().is_none()
}

/// A host through which one gets to itself.
fn no_loop(run: &Run<'_>, host: &str) -> Result<(), ResolveError> {
    let Some(Jump::Through { hosts, .. }) = run.options.jump() else { return Ok(()) };
    let Some(JumpHost { user, host: last, port }) = hosts.last() else { return Ok(()) };
    let same_port = run.options.port().unwrap_or(facts::SSH_PORT) == port.unwrap_or(facts::SSH_PORT);
    if last == host && same_port && user.as_deref().unwrap_or_else(|| run.user()) == run.user() {
        return Err(ResolveError::Loop { host: last.clone() });
    }
    Ok(())
}

/// What OpenSSH takes as names on its command line: neither an option nor something that a shell would understand.
fn sound(name: &str, asked: &Asked) -> Result<(), ResolveError> {
    let bad =
        |letter: char| "'`\"$\\;&<>|(){}".contains(letter) || letter.is_ascii_whitespace() || letter == '\x0b' || letter.is_ascii_control();
    if name.is_empty() || name.len() > SSH_CONFIG_NAME_MAX_BYTES || name.starts_with('-') || name.contains(bad) {
        return Err(ResolveError::Name { name: name.to_owned() });
    }
    let Some(user) = &asked.user else { return Ok(()) };
    let option = user.split(|letter: char| letter.is_ascii_whitespace()).any(|word| word.starts_with('-'));
    let shell = user.contains(['\'', '`', '"', ';', '&', '<', '>', '|', '(', ')', '{', '}']) || user.ends_with('\\');
    if user.is_empty() || user.len() > SSH_CONFIG_NAME_MAX_BYTES || option || shell || user.contains('\0') {
        return Err(ResolveError::User { user: user.clone() });
    }
    Ok(())
}
