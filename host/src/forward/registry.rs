//! The forwards that are open: what each is, what it has carried, and how it is ended.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::AbortHandle;

use crate::ids::open_are;
use crate::limits::{FORWARDS_LOST_MAX, FORWARDS_MAX};

/// Which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Listens here; comes out at the device.
    Local,
    /// Listens at the device; comes out here.
    Remote,
    /// Listens here as a SOCKS proxy.
    Socks,
}

impl Kind {
    /// All of them, with their words.
    pub const WORDS: [(&'static str, Self); 3] = [("local", Self::Local), ("remote", Self::Remote), ("socks", Self::Socks)];

    /// The kind of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// One end of a forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Host and port.
    Tcp(String, u16),
    /// A socket's path.
    Socket(PathBuf),
}

impl End {
    /// Reads `host:port`, `[address]:port`, a port alone (then of this machine), or a path.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Socket(PathBuf::from(text)));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("127.0.0.1", text));
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let wrong = || format!("`{text}` is no address: write host:port, a port alone, or the path of a socket");
        let port = port.parse().map_err(|_| wrong())?;
        let is_host = !bare.is_empty() && !bare.starts_with('-') && bare.chars().all(|ch| ch.is_alphanumeric() || ".:-_%".contains(ch));
        if is_host && (bare == host) != bare.contains(':') { Ok(Self::Tcp(bare.to_owned(), port)) } else { Err(wrong()) }
    }

    /// Is it reached from this machine alone?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp(host, _) => host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What somebody wants forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which way.
    pub kind: Kind,
    /// Where it listens; port 0 is any that is free.
    pub listen: End,
    /// Where it comes out; nowhere fixed for SOCKS.
    pub to: Option<End>,
    /// It comes back by itself when the connection was lost.
    pub keep: bool,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.listen)?;
        match &self.to {
            Some(to) => write!(f, " -> {to}"),
            None => Ok(()),
        }
    }
}

/// A forward that is kept and has no connection now.
#[derive(Debug, Clone)]
pub struct Down {
    /// Since when.
    pub since: Instant,
    /// Why, as far as the last try tells.
    pub why: String,
}

/// What a forward has carried.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that are open.
    pub open: AtomicUsize,
    /// Connections so far.
    pub total: AtomicUsize,
    /// Connections that did not come out, or were too many.
    pub failed: AtomicUsize,
    /// Bytes towards where it comes out.
    pub sent: AtomicU64,
    /// Bytes back.
    pub received: AtomicU64,
    /// Why the last one did not come out.
    trouble: Mutex<String>,
    /// It has no connection now, and waits for one.
    down: Mutex<Option<Down>>,
}

impl Counts {
    /// It has no connection, because of this. Says whether it had one before.
    pub(super) fn go_down(&self, why: &str) -> bool {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        let since = down.as_ref().map(|down| down.since);
        *down = Some(Down { since: since.unwrap_or_else(Instant::now), why: why.to_owned() });
        since.is_none()
    }

    /// It has one. Says whether it had none before.
    pub(super) fn come_up(&self) -> bool {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    /// Since when it has no connection and why, where that is so.
    #[must_use]
    pub fn down(&self) -> Option<Down> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn failed(&self, why: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        why.clone_into(&mut self.trouble.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Why the last connection did not come out; empty where all did.
    #[must_use]
    pub fn trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A forward that is open.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Its name: `f3`.
    pub id: String,
    /// The session it belongs to.
    pub session: String,
    /// Who opened it.
    pub caller: String,
    /// What it forwards; `listen` has the port that was found.
    pub wanted: Wanted,
    /// What it has carried.
    pub counts: Arc<Counts>,
    task: AbortHandle,
}

/// A forward that was lost with its connection, or is allowed no longer.
#[derive(Debug)]
struct Lost {
    session: String,
    caller: String,
    told: String,
}

#[derive(Debug, Default)]
struct Kept {
    open: BTreeMap<u64, Forward>,
    made: u64,
    /// Those whose callers have not been told.
    lost: VecDeque<Lost>,
}

impl Kept {
    fn tell(&mut self, lost: Lost) {
        if self.lost.len() >= FORWARDS_LOST_MAX {
            self.lost.pop_front();
        }
        self.lost.push_back(lost);
    }
}

/// A name for a forward that is about to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{}", self.0)
    }
}

/// All forwards of the process.
#[derive(Debug, Clone, Default)]
pub struct Forwards(Arc<Mutex<Kept>>);

impl Forwards {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.open.retain(|_, forward| !forward.task.is_finished());
        kept
    }

    /// Those that are open, of one session or of all.
    #[must_use]
    pub fn list(&self, session: Option<&str>) -> Vec<Forward> {
        let kept = self.kept();
        kept.open.values().filter(|forward| session.is_none_or(|session| session == forward.session)).cloned().collect()
    }

    /// Is there room for another one?
    ///
    /// # Errors
    ///
    /// When there are as many as there may be.
    pub(super) fn has_room(&self) -> Result<(), String> {
        if self.kept().open.len() < FORWARDS_MAX {
            return Ok(());
        }
        Err(format!("{FORWARDS_MAX} forwards are open, the most there may be; close one with ssh_forward action=close"))
    }

    /// The next name.
    pub(super) fn number(&self) -> Number {
        let mut kept = self.kept();
        kept.made += 1;
        Number(kept.made)
    }

    /// Adds one that is served by this task.
    pub(super) fn add(&self, number: Number, of: (String, &str), wanted: Wanted, counts: Arc<Counts>, task: AbortHandle) -> Forward {
        let (session, caller) = of;
        let forward = Forward { id: number.to_string(), session, caller: caller.to_owned(), wanted, counts, task };
        self.kept().open.insert(number.0, forward.clone());
        forward
    }

    /// One was lost with its connection: who opened it is told.
    pub(super) fn lose(&self, number: Number, (session, caller): (String, String), wanted: &Wanted, why: &str) {
        let again = if wanted.keep { "" } else { ", with keep=true if it is to come back by itself" };
        let told = format!("the forward {number} ({wanted}) was lost: {why}. Open it again with ssh_forward{again}");
        self.kept().tell(Lost { session, caller, told });
    }

    /// Closes one that is allowed no longer: who opened it is told.
    pub(super) fn withdraw(&self, forward: &Forward, why: &str) {
        let Forward { id, session, caller, wanted, .. } = forward;
        // It may have ended meanwhile.
        if self.close(id).is_ok() {
            let told = format!("the forward {id} ({wanted}) was closed: the configuration was read again, and {why}");
            self.kept().tell(Lost { session: session.clone(), caller: caller.clone(), told });
        }
    }

    /// What this caller should know of lost forwards of a session; each is told once.
    #[must_use]
    pub fn take_lost(&self, session: &str, caller: &str) -> Vec<String> {
        let mut kept = self.kept();
        let (own, others) =
            std::mem::take(&mut kept.lost).into_iter().partition::<VecDeque<_>, _>(|lost| lost.session == session && lost.caller == caller);
        kept.lost = others;
        own.into_iter().map(|lost| lost.told).collect()
    }

    /// Closes one; what goes through it ends.
    ///
    /// # Errors
    ///
    /// When there is none of this name.
    pub fn close(&self, id: &str) -> Result<Forward, String> {
        let mut kept = self.kept();
        let number = kept.open.iter().find(|(_, forward)| forward.id == id).map(|(number, _)| *number);
        let Some(forward) = number.and_then(|number| kept.open.remove(&number)) else {
            let open: Vec<&str> = kept.open.values().map(|forward| forward.id.as_str()).collect();
            return Err(format!("there is no forward `{id}`; {}", open_are(&open)));
        };
        forward.task.abort();
        Ok(forward)
    }

    /// Closes those of a session that was closed, also those that wait for another connection.
    pub fn close_of(&self, session: &str) {
        self.kept().open.retain(|_, forward| {
            let is_kept = forward.session != session;
            if !is_kept {
                forward.task.abort();
            }
            is_kept
        });
    }

    /// Closes all of them.
    pub fn close_all(&self) {
        for (_, forward) in std::mem::take(&mut self.kept().open) {
            forward.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_opened_a_lost_forward_is_told_once() {
        let forwards = Forwards::default();
        let end = || End::parse("80").unwrap();
        let wanted = |keep| Wanted { kind: Kind::Local, listen: end(), to: Some(end()), keep };
        let of = |session: &str, caller: &str| (session.to_owned(), caller.to_owned());
        let number = forwards.number();
        forwards.lose(number, of("web1", "a"), &wanted(false), "gone");
        forwards.lose(forwards.number(), of("web1", "b"), &wanted(true), "gone");
        assert!(forwards.take_lost("web2", "a").is_empty());
        let told = forwards.take_lost("web1", "a");
        assert!(told[0].starts_with("the forward f1 (local 127.0.0.1:80 -> 127.0.0.1:80) was lost: gone. "), "{told:?}");
        assert!(told.len() == 1 && told[0].contains("keep=true"));
        assert!(forwards.take_lost("web1", "a").is_empty());
        for _ in 0..FORWARDS_LOST_MAX {
            forwards.lose(number, of("web1", "a"), &wanted(false), "gone");
        }
        assert!(forwards.take_lost("web1", "b").is_empty(), "the oldest make room");
        assert_eq!(forwards.take_lost("web1", "a").len(), FORWARDS_LOST_MAX);
    }

    #[test]
    fn what_is_down_says_since_when_and_why_last() {
        let counts = Counts::default();
        assert!(counts.down().is_none() && !counts.come_up());
        assert!(counts.go_down("first") && !counts.go_down("second"));
        assert_eq!(counts.down().map(|down| down.why).as_deref(), Some("second"));
        assert!(counts.come_up() && counts.down().is_none());
    }

    #[test]
    fn ends_are_read() {
        let of = |text: &str| End::parse(text).map(|end| end.to_string());
        for (text, shown) in [
            ("8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            ("db1.example:5432", "db1.example:5432"),
            ("[::1]:22", "[::1]:22"),
            ("/run/x.sock", "/run/x.sock"),
        ] {
            assert_eq!(of(text).unwrap(), shown);
        }
        for text in ["", "db1", "db1:", ":80", "db1:70000", "::1:22", "[db1]:22", "-x:22", "a b:22", "x;y:1"] {
            assert!(of(text).unwrap_err().contains("is no address"), "{text}");
        }
        assert!(End::parse("localhost:1").unwrap().is_loopback() && End::parse("[::1]:1").unwrap().is_loopback());
        assert!(!End::parse("0.0.0.0:1").unwrap().is_loopback() && !End::parse("[::]:1").unwrap().is_loopback());
    }
}
