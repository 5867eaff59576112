//! Links and logins of browsers. Both are 128 random bits; time is passed in.

use std::time::Instant;

use subtle::ConstantTimeEq;

use crate::hex;
use crate::limits::{VIEWER_LINK_MAX, VIEWER_LINKS_MAX, VIEWER_LOGIN_IDLE_MAX, VIEWER_LOGINS_MAX};

/// What lets a browser in.
#[derive(Default)]
pub(super) struct Keys {
    /// Oldest first.
    links: Vec<Link>,
    /// In no order.
    logins: Vec<Login>,
    /// How many browsers were logged in so far.
    count: u64,
}

struct Link {
    token: String,
    may_type: bool,
    made: Instant,
}

struct Login {
    cookie: String,
    visitor: Visitor,
    seen: Instant,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Visitor {
    /// Counted from 1, in the order of logging in.
    pub(super) number: u64,
    pub(super) may_type: bool,
}

impl Keys {
    /// A new token for a link.
    pub(super) fn add_link(&mut self, may_type: bool, now: Instant) -> Result<String, String> {
        self.forget(now);
        if self.links.len() >= VIEWER_LINKS_MAX {
            self.links.remove(0);
        }
        let token = random()?;
        self.links.push(Link { token: token.clone(), may_type, made: now });
        Ok(token)
    }

    /// The cookie for a token, which is worth nothing afterwards. The browser's cookie from before goes.
    pub(super) fn log_in(&mut self, token: &str, before: Option<&str>, now: Instant) -> Result<Option<String>, String> {
        self.forget(now);
        let Some(at) = find(self.links.iter().map(|link| link.token.as_str()), token) else { return Ok(None) };
        let cookie = random()?;
        let link = self.links.remove(at);
        if let Some(at) = before.and_then(|before| find(self.cookies(), before)) {
            self.logins.swap_remove(at);
        }
        if self.logins.len() >= VIEWER_LOGINS_MAX {
            let oldest = self.logins.iter().enumerate().min_by_key(|(_, login)| login.seen).map(|(at, _)| at);
            oldest.map(|at| self.logins.swap_remove(at));
        }
        self.count += 1;
        let visitor = Visitor { number: self.count, may_type: link.may_type };
        self.logins.push(Login { cookie: cookie.clone(), visitor, seen: now });
        Ok(Some(cookie))
    }

    /// Whose cookie this is. The browser counts as seen.
    pub(super) fn visitor(&mut self, cookie: &str, now: Instant) -> Option<Visitor> {
        self.forget(now);
        let at = find(self.cookies(), cookie)?;
        let login = self.logins.get_mut(at)?;
        login.seen = now;
        Some(login.visitor.clone())
    }

    /// The browser of this number is there.
    pub(super) fn see(&mut self, number: u64, now: Instant) {
        if let Some(login) = self.logins.iter_mut().find(|login| login.visitor.number == number) {
            login.seen = now;
        }
    }

    fn cookies(&self) -> impl Iterator<Item = &str> {
        self.logins.iter().map(|login| login.cookie.as_str())
    }

    fn forget(&mut self, now: Instant) {
        self.links.retain(|link| now.saturating_duration_since(link.made) < VIEWER_LINK_MAX);
        self.logins.retain(|login| now.saturating_duration_since(login.seen) < VIEWER_LOGIN_IDLE_MAX);
    }
}

/// Which one it is. The time it takes does not tell how much of one was guessed.
fn find<'a>(known: impl Iterator<Item = &'a str>, given: &str) -> Option<usize> {
    let mut found = None;
    for (at, secret) in known.enumerate() {
        if bool::from(secret.as_bytes().ct_eq(given.as_bytes())) {
            found = Some(at);
        }
    }
    found
}

fn random() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system has no random bytes: {error}; try again"))?;
    Ok(hex::digits(&bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_link_logs_in_once() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        let token = keys.add_link(true, now).unwrap();
        assert_eq!(token.len(), 32);
        assert_eq!(keys.log_in("0123456789abcdef0123456789abcdef", None, now), Ok(None));
        let cookie = keys.log_in(&token, None, now).unwrap().unwrap();
        assert_ne!(cookie, token);
        assert_eq!(keys.log_in(&token, None, now), Ok(None));
        assert_eq!(keys.visitor(&cookie, now), Some(Visitor { number: 1, may_type: true }));
        assert_eq!(keys.visitor(&token, now), None);
        assert_eq!(keys.visitor("", now), None);
    }

    #[test]
    fn links_and_logins_end() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        let second = Duration::from_secs(1);
        let (early, late) = (keys.add_link(false, now).unwrap(), keys.add_link(false, now).unwrap());
        let used = now + VIEWER_LINK_MAX - second;
        let cookie = keys.log_in(&early, None, used).unwrap().unwrap();
        assert_eq!(keys.log_in(&late, None, used + second), Ok(None));
        let seen = used + VIEWER_LOGIN_IDLE_MAX - second;
        assert_eq!(keys.visitor(&cookie, seen), Some(Visitor { number: 1, may_type: false }));
        assert!(keys.visitor(&cookie, seen + VIEWER_LOGIN_IDLE_MAX - second).is_some(), "being seen prolongs it");
        let (day, number) = (2 * VIEWER_LOGIN_IDLE_MAX, 1);
        for hour in 1..48 {
            keys.see(number, seen + Duration::from_secs(hour * 3600));
        }
        assert!(keys.visitor(&cookie, seen + day).is_some(), "so does an open WebSocket");
        assert_eq!(keys.visitor(&cookie, seen + 2 * day), None);
    }

    #[test]
    fn too_many_push_the_oldest_out() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        let tokens: Vec<String> = (0..=VIEWER_LINKS_MAX).map(|_| keys.add_link(true, now).unwrap()).collect();
        assert_eq!(keys.log_in(&tokens[0], None, now), Ok(None));
        let first = keys.log_in(&tokens[1], None, now).unwrap().unwrap();
        let moment = |at: usize| now + Duration::from_millis(at as u64);
        for at in 1..=VIEWER_LOGINS_MAX {
            let token = keys.add_link(true, moment(at)).unwrap();
            assert!(keys.log_in(&token, None, moment(at)).unwrap().is_some());
            assert_eq!(keys.logins.len(), (at + 1).min(VIEWER_LOGINS_MAX));
        }
        assert_eq!(keys.visitor(&first, moment(VIEWER_LOGINS_MAX)), None);
    }

    #[test]
    fn a_browser_that_logs_in_again_is_one_login() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        let token = keys.add_link(true, now).unwrap();
        let before = keys.log_in(&token, None, now).unwrap().unwrap();
        let token = keys.add_link(false, now).unwrap();
        let after = keys.log_in(&token, Some(&before), now).unwrap().unwrap();
        assert_eq!(keys.visitor(&before, now), None);
        assert_eq!(keys.visitor(&after, now), Some(Visitor { number: 2, may_type: false }));
    }
}
