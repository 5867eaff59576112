//! Where, when and for whom a rule counts. What is empty counts everywhere.

use jackfield_plugin::{Effect, Request};

/// The lanes that an `allow` means unless it names others: nothing that destroys or leaves passes by a pattern that is too wide.
const ORDINARY: [&str; 3] = ["read", "change", "privilege"];

/// The bounds of a rule.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) lanes: Vec<String>,
    pub(crate) devices: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) types: Vec<String>,
    pub(crate) modes: Vec<String>,
    pub(crate) callers: Vec<String>,
    pub(crate) days: Vec<String>,
    pub(crate) hours: Vec<Hours>,
}

/// A part of the day, in minutes since midnight. The second one is outside; the part may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    from: u16,
    to: u16,
}

impl Hours {
    /// `08:00-18:00`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let parts = text.split_once('-').and_then(|(from, to)| Some(Self { from: minutes(from)?, to: minutes(to)? }));
        parts.ok_or_else(|| format!("`{text}` is no part of a day; write it like 08:00-18:00"))
    }

    fn holds(self, minute: u16) -> bool {
        if self.from <= self.to { (self.from..self.to).contains(&minute) } else { minute >= self.from || minute < self.to }
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60 || hours == 24 && minutes == 0).then_some(hours * 60 + minutes)
}

impl Scope {
    /// Does the rule count for this request?
    pub(crate) fn holds(&self, effect: Effect, request: &Request) -> bool {
        let lane = fact(request, "lane").unwrap_or_default();
        let lanes = match (self.lanes.is_empty(), effect) {
            (true, Effect::Allow) => ORDINARY.contains(&lane),
            (true, _) => true,
            (false, _) => self.lanes.iter().any(|own| own == lane),
        };
        let same_type = |own: &String| own.replace('-', "_") == request.device_type.replace('-', "_");
        lanes
            && any(&self.devices, |glob| fits(glob, &request.device))
            && any(&self.tags, |tag| facts(request, "tag").any(|own| own == tag))
            && any(&self.types, same_type)
            && any(&self.modes, |glob| fits(glob, &request.mode))
            && any(&self.callers, |glob| fits(glob, &request.caller))
            && self.is_time(effect, request)
    }

    /// Without a clock a rule that lets through does not count, and one that stops does.
    fn is_time(&self, effect: Effect, request: &Request) -> bool {
        let known = |text: Option<&str>, bounds: bool, holds: &dyn Fn(&str) -> bool| match text {
            _ if !bounds => true,
            Some(text) => holds(text),
            None => effect != Effect::Allow,
        };
        let day = |day: &str| self.days.iter().any(|own| own == day);
        let time = |time: &str| minutes(time).is_some_and(|minute| self.hours.iter().any(|hours| hours.holds(minute)));
        known(fact(request, "day"), !self.days.is_empty(), &day) && known(fact(request, "time"), !self.hours.is_empty(), &time)
    }
}

fn any(values: &[String], fits: impl Fn(&String) -> bool) -> bool {
    values.is_empty() || values.iter().any(fits)
}

/// What the host says of a request beside its fields.
pub(crate) fn facts<'a>(request: &'a Request, name: &str) -> impl Iterator<Item = &'a str> {
    request.facts.iter().filter(move |fact| fact.name == name).map(|fact| fact.value.as_str())
}

/// The first of them.
pub(crate) fn fact<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    facts(request, name).next()
}

/// `core-*`: a name where `*` stands for any letters.
fn fits(glob: &str, name: &str) -> bool {
    let mut pieces = glob.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (glob, name, expected) in [
            ("core-*", "core-sw1", true),
            ("core-*", "edge-sw1", false),
            ("*", "", true),
            ("web1", "web1", true),
            ("web1", "web10", false),
            ("*-sw*", "core-sw1", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("*a", "ba", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(glob, name), expected, "{glob} {name}");
        }
    }

    #[test]
    fn hours_may_go_over_midnight() {
        let holds = |text: &str, time: &str| Hours::read(text).unwrap().holds(minutes(time).unwrap());
        assert!(holds("08:00-18:00", "08:00") && !holds("08:00-18:00", "18:00"));
        assert!(holds("22:00-06:00", "23:59") && holds("22:00-06:00", "05:59") && !holds("22:00-06:00", "12:00"));
        assert!(holds("00:00-24:00", "23:59"));
        for wrong in ["", "8", "08:00", "08:00-25:00", "a-b", "08:60-09:00"] {
            assert!(Hours::read(wrong).is_err(), "{wrong}");
        }
    }
}
