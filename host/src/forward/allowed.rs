//! May this be forwarded? The operator's table first, then the policy mode of the device.

use super::{End, Kind, Wanted};
use crate::config::{ForwardSettings, PolicyMode};
use crate::plugin::roles::{Decision, Effect};
use crate::wildcard::fits;

/// What the configuration says of it.
#[must_use]
pub fn decide(settings: &ForwardSettings, mode: PolicyMode, wanted: &Wanted) -> Decision {
    let say = |effect, rule: &str, reason: String| Decision { effect, rule: format!("forward.{rule}"), reason };
    let kind = wanted.kind.word();
    if !settings.kinds.iter().any(|known| known == kind) {
        let known = if settings.kinds.is_empty() { "none".to_owned() } else { settings.kinds.join(", ") };
        return say(Effect::Deny, "kinds", format!("the operator allows no {kind} forwards; allowed are: {known}"));
    }
    if !wanted.listen.is_loopback() && !settings.beyond_loopback {
        let reason = format!(
            "{} is reached from other machines; listen at 127.0.0.1, or the operator sets `forward.beyond_loopback`",
            wanted.listen
        );
        return say(Effect::Deny, "loopback", reason);
    }
    let here = if wanted.kind == Kind::Remote { wanted.to.as_ref() } else { Some(&wanted.listen) };
    if matches!(here, Some(End::Socket(_))) && !settings.sockets {
        let reason = "a socket's file on this machine needs `forward.sockets` of the operator; use a port".to_owned();
        return say(Effect::Deny, "sockets", reason);
    }
    if let Some(to) = wanted.to.as_ref().filter(|to| !may_come_out(settings, to)) {
        return say(Effect::Deny, "to", format!("the operator does not allow forwards to {to}; allowed are: {}", settings.to.join(", ")));
    }
    match mode {
        PolicyMode::ReadOnly => say(Effect::Deny, "mode", "in mode read-only nothing is forwarded".to_owned()),
        PolicyMode::Safe => say(Effect::Ask, "mode", "in mode safe a person looks at every forward".to_owned()),
        PolicyMode::Full => say(Effect::Allow, "mode", "mode full".to_owned()),
    }
}

/// May a connection come out there? Asked again for each connection of a SOCKS forward.
#[must_use]
pub(super) fn may_come_out(settings: &ForwardSettings, to: &End) -> bool {
    let shown = to.to_string().to_ascii_lowercase();
    settings.to.is_empty() || settings.to.iter().any(|pattern| fits(pattern.to_ascii_lowercase(), &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_mode_decide() {
        let usual = ForwardSettings::default();
        let narrow = ForwardSettings { kinds: vec!["local".to_owned()], to: vec!["db*:5432".to_owned()], ..usual.clone() };
        let wanted = |kind, listen: &str, to: &str| Wanted {
            kind,
            listen: End::parse(listen).unwrap(),
            to: (!to.is_empty()).then(|| End::parse(to).unwrap()),
            keep: false,
        };
        let local = |listen, to| wanted(Kind::Local, listen, to);
        for (settings, mode, wanted, effect, rule) in [
            (&usual, PolicyMode::Full, local("0", "db1:80"), Effect::Allow, "forward.mode"),
            (&usual, PolicyMode::Safe, local("0", "db1:80"), Effect::Ask, "forward.mode"),
            (&usual, PolicyMode::ReadOnly, local("0", "db1:80"), Effect::Deny, "forward.mode"),
            (&usual, PolicyMode::Full, local("0.0.0.0:0", "db1:80"), Effect::Deny, "forward.loopback"),
            (&usual, PolicyMode::Full, local("/tmp/x", "db1:80"), Effect::Deny, "forward.sockets"),
            (&usual, PolicyMode::Full, local("0", "/run/docker.sock"), Effect::Allow, "forward.mode"),
            (&usual, PolicyMode::Full, wanted(Kind::Remote, "0", "/run/docker.sock"), Effect::Deny, "forward.sockets"),
            (&narrow, PolicyMode::Full, local("0", "DB1:5432"), Effect::Allow, "forward.mode"),
            (&narrow, PolicyMode::Full, local("0", "web1:5432"), Effect::Deny, "forward.to"),
            (&narrow, PolicyMode::Full, wanted(Kind::Socks, "0", ""), Effect::Deny, "forward.kinds"),
        ] {
            let said = decide(settings, mode, &wanted);
            assert_eq!((said.effect, said.rule.as_str()), (effect, rule), "{wanted}");
        }
    }
}
