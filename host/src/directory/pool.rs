//! Connections that several sessions share: one for interactive work, one for bulk, one for those behind a jump host.
//!
//! An interactive connection ends with its last session, a jump host's with the last one behind it. One for bulk stays for a while:
//! the next transfer comes soon. A bulk stream would hold up every key typed on the same connection, so they are never the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::{Mutex as Turn, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::error::failed_at;
use super::host_keys::keep_up_to_date;
use super::{OpenError, World};
use crate::audit::Audit;
use crate::limits::{BULK_IDLE, CONNECTS_AT_ONCE, CONNECTS_TO_ONE_HOST, CONNECTS_WAITING_MAX};
use crate::secret::book::SecretBook;
use crate::transport::ssh::{ConnectError, Connection, Known, Target, Way};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Terminals and commands.
    Interactive,
    /// Files and forwards.
    Bulk,
    /// The way to other devices.
    Jump,
}

/// The connections of one device for one use.
#[derive(Debug, Default)]
struct Shelf {
    /// Held while one connects, so that the next one finds what it made, or hears why there is none.
    turn: Turn<Kept>,
    /// So many tries have failed.
    failed: AtomicU64,
}

/// What tries came to.
#[derive(Debug, Default)]
struct Kept {
    shared: Vec<Shared>,
    failed: Option<Failed>,
}

/// The last try that failed.
#[derive(Debug)]
struct Failed {
    /// Its place among those that failed, from 1.
    number: u64,
    made_for: String,
    why: OpenError,
}

/// A connection and what it was made for: another address or account is another connection.
#[derive(Debug, Clone)]
struct Shared {
    connection: Known,
    made_for: String,
    /// The newest configuration under which somebody was given it.
    made_in: Weak<World>,
}

impl Shared {
    /// The connection, if it has room and was made for this.
    fn usable(&self, made_for: &str) -> Option<Connection> {
        self.connection.get().filter(|connection| self.made_for == made_for && connection.has_room())
    }
}

/// All shared connections.
#[derive(Debug)]
pub(super) struct Pool {
    shelves: Mutex<BTreeMap<(String, Use), Arc<Shelf>>>,
    /// Connections that are being made: in all, and to each address.
    connecting: Arc<Semaphore>,
    connecting_to: Mutex<BTreeMap<(String, u16), Arc<Semaphore>>>,
    queue: Mutex<Queue>,
    audit: Audit,
}

/// Those who wait for a turn to connect, in the order in which they came.
#[derive(Debug, Default)]
struct Queue {
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    device: String,
    address: (String, u16),
    /// It has its host's turn, and waits for one of those that there are in all.
    is_next_to_host: bool,
}

/// A place in the queue, given up when it is dropped.
struct Waits<'a> {
    queue: &'a Mutex<Queue>,
    number: u64,
}

impl Waits<'_> {
    fn has_hosts_turn(&self) {
        if let Some(waiting) = locked(self.queue).waiting.get_mut(&self.number) {
            waiting.is_next_to_host = true;
        }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        locked(self.queue).waiting.remove(&self.number);
    }
}

impl Queue {
    /// How many get their turn before this device does; `None` where it does not wait.
    fn before(&self, device: &str) -> Option<usize> {
        let (number, own) = self.waiting.iter().find(|(_, waiting)| waiting.device == device)?;
        let is_before = |other: &&Waiting| match own.is_next_to_host {
            true => other.is_next_to_host,
            false => other.address == own.address,
        };
        Some(self.waiting.range(..number).map(|(_, other)| other).filter(is_before).count())
    }
}

/// A turn to connect, given back when it is dropped.
#[derive(Debug)]
pub(super) struct MayConnect {
    _to_host: OwnedSemaphorePermit,
    _at_all: OwnedSemaphorePermit,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            shelves: Mutex::default(),
            connecting: Arc::new(Semaphore::new(CONNECTS_AT_ONCE)),
            connecting_to: Mutex::default(),
            queue: Mutex::default(),
            audit: Audit::default(),
        }
    }
}

impl Pool {
    /// What follows from logins is noted there.
    pub(super) fn audited_by(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }

    fn shelf(&self, device: &str, purpose: Use) -> Arc<Shelf> {
        let mut shelves = locked(&self.shelves);
        Arc::clone(shelves.entry((device.to_owned(), purpose)).or_default())
    }

    /// A connection with room for a channel that is there already and was made under this configuration. Nothing that logging in
    /// needs is looked up for it.
    pub(super) async fn at_hand(&self, device: &str, purpose: Use, world: &Arc<World>) -> Option<Connection> {
        let shelf = self.shelf(device, purpose);
        let kept = shelf.turn.lock().await;
        let made_now = |one: &&Shared| std::ptr::eq(one.made_in.as_ptr(), Arc::as_ptr(world));
        for one in kept.shared.iter().filter(made_now) {
            let Some(connection) = one.connection.get().filter(Connection::has_room) else { continue };
            if connection.answers().await {
                return Some(connection);
            }
        }
        None
    }

    /// A connection with room for a channel: one that is there, else a new one, which is at hand as long as this configuration counts.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(super) async fn connection(
        &self,
        (device, purpose): (&str, Use),
        target: &Target,
        book: &SecretBook,
        made_in: Weak<World>,
    ) -> Result<Connection, OpenError> {
        let shelf = self.shelf(device, purpose);
        let failed_before = shelf.failed.load(Ordering::Acquire);
        let mut kept = shelf.turn.lock().await;
        kept.shared.retain(|one| one.connection.get().is_some());
        let made_for = made_for(target);
        // One that does not answer is not found again.
        while let Some((connection, known_in)) = kept.shared.iter_mut().find_map(|one| Some((one.usable(&made_for)?, &mut one.made_in))) {
            // Whoever comes next under this configuration finds it without looking anything up.
            *known_in = made_in.clone();
            if connection.answers().await {
                return Ok(connection);
            }
        }
        // All who waited for this try hear how it ended. One after another they would send a wrong password until the account is locked,
        // and the last one would wait for a host that is down as often as there are others.
        if let Some(failed) = kept.failed.as_ref().filter(|failed| failed.number > failed_before && failed.made_for == made_for) {
            return Err(failed.why.clone());
        }
        let connection = match self.connect(target, book).await {
            Ok(connection) => connection,
            Err(why) => {
                let number = shelf.failed.fetch_add(1, Ordering::AcqRel) + 1;
                kept.failed = Some(Failed { number, made_for, why: why.clone() });
                return Err(why);
            }
        };
        kept.shared.push(Shared { connection: connection.known(), made_for, made_in });
        if purpose == Use::Bulk {
            tokio::spawn(keep(connection.clone()));
        }
        Ok(connection)
    }

    /// A connection of its own, which nobody else is given.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(super) async fn connect(&self, target: &Target, book: &SecretBook) -> Result<Connection, OpenError> {
        let _turn = self.turn_to_log_in(target, book).await?;
        let connection = came_to(Connection::open(target).await, target, book)?;
        keep_up_to_date(&connection, target, &self.audit);
        Ok(connection)
    }

    /// A turn to connect for somebody who logs in. Password and answers may have been refused to others while this one waited.
    pub(super) async fn turn_to_log_in(&self, target: &Target, book: &SecretBook) -> Result<MayConnect, OpenError> {
        let turn = self.turn(&target.device, (&target.host, target.port)).await?;
        for name in target.secrets() {
            book.check(&target.device, name, Instant::now()).map_err(OpenError::Failed)?;
        }
        Ok(turn)
    }

    /// A turn to connect: jump hosts and servers refuse those who all come at once.
    pub(super) async fn turn(&self, device: &str, address: (&str, u16)) -> Result<MayConnect, OpenError> {
        let to_host = self.connecting_to(address);
        let at_once = || {
            let to_host = Arc::clone(&to_host).try_acquire_owned().ok()?;
            Some(MayConnect { _to_host: to_host, _at_all: Arc::clone(&self.connecting).try_acquire_owned().ok()? })
        };
        if let Some(turn) = at_once() {
            return Ok(turn);
        }
        let place = self.wait(device, address).ok_or_else(|| {
            OpenError::Failed(format!(
                "`{device}` has to wait, and {CONNECTS_WAITING_MAX} connections wait before it ({CONNECTS_TO_ONE_HOST} are made to one host at \
                 once, {CONNECTS_AT_ONCE} in all); try again soon"
            ))
        })?;
        let closed = |_| OpenError::Failed("the process ends".to_owned());
        // The host's turn first: those who wait for a busy host hold up nobody else.
        let to_host = Arc::clone(&to_host).acquire_owned().await.map_err(closed)?;
        place.has_hosts_turn();
        Ok(MayConnect { _to_host: to_host, _at_all: Arc::clone(&self.connecting).acquire_owned().await.map_err(closed)? })
    }

    /// How many connections are made before that of this device; `None` where it does not wait for its turn.
    pub(super) fn before(&self, device: &str) -> Option<usize> {
        locked(&self.queue).before(device)
    }

    fn wait(&self, device: &str, (host, port): (&str, u16)) -> Option<Waits<'_>> {
        let mut queue = locked(&self.queue);
        if queue.waiting.len() >= CONNECTS_WAITING_MAX {
            return None;
        }
        let number = queue.next;
        queue.next += 1;
        queue.waiting.insert(number, Waiting { device: device.to_owned(), address: (host.to_owned(), port), is_next_to_host: false });
        Some(Waits { queue: &self.queue, number })
    }

    fn connecting_to(&self, (host, port): (&str, u16)) -> Arc<Semaphore> {
        let mut hosts = locked(&self.connecting_to);
        // Nobody holds a turn there or waits for one.
        hosts.retain(|_, turns| Arc::strong_count(turns) > 1);
        let turns = hosts.entry((host.to_owned(), port)).or_insert_with(|| Arc::new(Semaphore::new(CONNECTS_TO_ONE_HOST)));
        Arc::clone(turns)
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a login came to, or the sentence for one that failed. Secrets that were refused are counted until somebody is let in: there
/// the server's own count ends, too.
pub(super) fn came_to(login: Result<Connection, ConnectError>, target: &Target, book: &SecretBook) -> Result<Connection, OpenError> {
    match &login {
        Ok(_) => target.secrets().for_each(|name| book.on_login(&target.device, name)),
        Err(ConnectError::Refused { secrets_refused, .. }) => {
            let names: BTreeSet<&String> = secrets_refused.iter().collect();
            names.into_iter().for_each(|name| book.on_login_failure(&target.device, name, Instant::now()));
        }
        Err(_) => {}
    }
    login.map_err(|error| failed_at(&error, target))
}

/// Keeps a connection until nothing has used it for a while.
async fn keep(connection: Connection) {
    loop {
        sleep(BULK_IDLE).await;
        if connection.channels() == 0 || connection.is_closed() {
            break;
        }
    }
    connection.leave().await;
}

/// What must be the same for a connection to be shared.
fn made_for(target: &Target) -> String {
    let keys: Vec<_> = target.keys.iter().map(|key| key.path.display().to_string()).collect();
    let way = match &target.way {
        // Another connection of the same name may lead to another machine of the same address.
        Way::Through(connection) => connection.identity(),
        other => format!("{other:?}"),
    };
    let Target { host, port, offer, manner, certificates, known_hosts, revoked, .. } = target;
    // An agent is lent with the connection, and only one that was lent serves there.
    let lent = target.forward_agent.then_some(&target.agents);
    format!(
        "{}@{host}:{port} {:?} {way} {offer:?} {manner:?} {keys:?} {certificates:?} {known_hosts:?} {revoked:?} {lent:?}",
        target.login_name(),
        target.host_key_name()
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use russh::Channel;
    use russh::keys::PrivateKey;
    use russh::keys::ssh_key::private::Ed25519Keypair;
    use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, Session, run_stream};
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::super::Directory;
    use super::*;
    use crate::config::{Config, PASSWORD};
    use crate::limits::{CONNECTION_ANSWER_MAX, CONNECTION_HEARD_LATELY, SECRET_FAILURES_MAX};
    use crate::secret::Secret;
    use crate::startup;

    /// A host that closes each connection at once, and how many there were.
    async fn closing() -> (Target, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tries = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&tries);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::AcqRel);
                drop(stream);
            }
        });
        let lines = format!("[device.gate]\nhost = \"127.0.0.1\"\nport = {port}\nagent = false\nknown_hosts = \"/dev/null\"\n");
        let config = Config::parse(&lines, Path::new("jackfield.toml"), None).unwrap();
        let catalog = startup::catalog(&config).unwrap();
        (Directory::new(config, catalog, None).sight("gate").await.unwrap(), tries)
    }

    #[tokio::test]
    async fn those_who_wait_for_a_connection_that_fails_hear_why_and_do_not_all_try_it() {
        let (target, tries) = closing().await;
        let (pool, book) = (Pool::default(), SecretBook::default());
        let connect = || pool.connection(("gate", Use::Jump), &target, &book, Weak::new());
        let (one, two, three) = tokio::join!(connect(), connect(), connect());
        let told = [one, two, three].map(|connected| connected.unwrap_err().to_string());
        assert!(told[0].contains("`gate`") && told.iter().all(|why| *why == told[0]), "{told:?}");
        assert_eq!(tries.load(Ordering::Acquire), 1);
        // Who comes later tries it, and so does who wants another way there.
        let other = Target { user: "somebody-else".to_owned(), ..target.clone() };
        let connect_as_other = pool.connection(("gate", Use::Jump), &other, &book, Weak::new());
        let (one, two) = tokio::join!(connect(), connect_as_other);
        assert!(one.is_err() && two.is_err());
        assert_eq!(tries.load(Ordering::Acquire), 3);
    }

    #[tokio::test]
    async fn a_password_that_was_refused_too_often_while_somebody_waited_is_not_sent() {
        let (target, tries) = closing().await;
        let target = Target { password: Some(Arc::new(Secret::from_bytes(b"wrong horse".to_vec()))), ..target };
        let (pool, book) = (Pool::default(), SecretBook::default());
        for _ in 0..SECRET_FAILURES_MAX {
            book.on_failure("gate", PASSWORD, Instant::now());
        }
        let why = pool.connect(&target, &book).await.unwrap_err().to_string();
        assert!(why.contains("so that no account is locked"), "{why}");
        assert_eq!(tries.load(Ordering::Acquire), 0);
    }

    /// Lets anybody in; who wants to go on from there hears nothing more.
    struct Stuck(Arc<Notify>);

    impl Handler for Stuck {
        type Error = russh::Error;

        async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
            Ok(Auth::Accept)
        }

        async fn channel_open_direct_tcpip(
            &mut self,
            _: Channel<Msg>,
            _: &str,
            _: u32,
            _: &str,
            _: u32,
            _: ChannelOpenHandle,
            _: &mut Session,
        ) -> Result<(), Self::Error> {
            self.0.notify_one();
            std::future::pending().await
        }
    }

    /// A jump host, how many have logged in there, and what tells that it is stuck.
    async fn stuck(folder: &Path) -> (Target, Arc<AtomicUsize>, Arc<Notify>) {
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&[9; 32]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let known = folder.join("known_hosts");
        std::fs::write(&known, format!("[127.0.0.1]:{port} {}\n", key.public_key().to_openssh().unwrap())).unwrap();
        let (logins, is_stuck) = (Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
        let (counted, told) = (Arc::clone(&logins), Arc::clone(&is_stuck));
        let config = Arc::new(russh::server::Config { keys: vec![key], ..russh::server::Config::default() });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::AcqRel);
                let session = run_stream(Arc::clone(&config), stream, Stuck(Arc::clone(&told))).await.unwrap();
                tokio::spawn(session);
            }
        });
        let known = known.display();
        let lines = format!("[device.gate]\nhost = \"127.0.0.1\"\nport = {port}\nagent = false\nknown_hosts = \"{known}\"\n");
        let config = Config::parse(&lines, Path::new("jackfield.toml"), None).unwrap();
        let catalog = startup::catalog(&config).unwrap();
        (Directory::new(config, catalog, None).sight("gate").await.unwrap(), logins, is_stuck)
    }

    /// Has so much time pass at once.
    async fn pass(time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    #[tokio::test]
    async fn a_connection_whose_other_end_has_gone_without_a_word_is_left_for_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (target, logins, is_stuck) = stuck(folder.path()).await;
        let (pool, book) = (Pool::default(), SecretBook::default());
        let connect = || async {
            let connected = pool.connection(("gate", Use::Jump), &target, &book, Weak::new()).await;
            connected.unwrap()
        };
        let first = connect().await;
        for silent in [Duration::ZERO, CONNECTION_HEARD_LATELY] {
            pass(silent).await;
            assert_eq!(connect().await.identity(), first.identity(), "it answers");
        }
        assert_eq!(logins.load(Ordering::Acquire), 1);
        let goes_on = first.clone();
        let going = tokio::spawn(async move { goes_on.tcp("192.0.2.1", 22, ("127.0.0.1", 0)).await.is_ok() });
        is_stuck.notified().await;
        pass(CONNECTION_HEARD_LATELY).await;
        let (second, ()) = tokio::join!(connect(), pass(CONNECTION_ANSWER_MAX));
        assert_ne!(second.identity(), first.identity());
        assert!(!first.has_room() && !first.is_closed(), "what goes on there may come to its end");
        assert_eq!(connect().await.identity(), second.identity());
        assert_eq!(logins.load(Ordering::Acquire), 2);
        going.abort();
    }

    async fn taken(pool: &Pool, host: &str) -> Option<MayConnect> {
        tokio::time::timeout(Duration::from_millis(1), pool.turn("x", (host, 22))).await.ok().map(Result::unwrap)
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_host_holds_up_nobody_else() {
        let pool = Pool::default();
        let mut busy = turns(&pool, CONNECTS_TO_ONE_HOST).await;
        assert!(taken(&pool, "busy").await.is_none());
        assert!(taken(&pool, "other").await.is_some());
        drop(busy.pop());
        assert!(taken(&pool, "busy").await.is_some());
        let mut many = Vec::new();
        for host in 0..CONNECTS_AT_ONCE - busy.len() {
            many.push(taken(&pool, &host.to_string()).await.unwrap());
        }
        assert!(taken(&pool, "one more").await.is_none());
        drop((busy, many));
        assert!(taken(&pool, "one more").await.is_some());
        assert_eq!(pool.connecting_to.lock().unwrap().len(), 1, "hosts are kept as long as somebody connects to them");
    }

    #[tokio::test]
    async fn so_many_wait_and_the_next_one_is_told() {
        let pool = Arc::new(Pool::default());
        let _busy = turns(&pool, CONNECTS_TO_ONE_HOST).await;
        let waiting: Vec<_> = (0..CONNECTS_WAITING_MAX)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { pool.turn("x", ("busy", 22)).await.map(drop) })
            })
            .collect();
        while locked(&pool.queue).waiting.len() < CONNECTS_WAITING_MAX {
            tokio::task::yield_now().await;
        }
        let told = pool.turn("last", ("busy", 22)).await.unwrap_err().to_string();
        assert!(told.contains("`last` has to wait") && told.contains("try again soon"), "{told}");
        assert_eq!(pool.before("last"), None, "it does not wait");
        for one in waiting {
            one.abort();
            let _ = one.await;
        }
        assert!(locked(&pool.queue).waiting.is_empty(), "who does not wait any longer leaves the queue");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_knows_how_many_are_before_it() {
        let pool = Arc::new(Pool::default());
        let mut busy = turns(&pool, CONNECTS_TO_ONE_HOST).await;
        let wait = |device: &'static str, host: &'static str| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.turn(device, (host, 22)).await.unwrap() })
        };
        let (first, second) = (wait("first", "busy"), wait("second", "busy"));
        tokio::task::yield_now().await;
        assert_eq!(["first", "second", "x"].map(|device| pool.before(device)), [Some(0), Some(1), None]);
        drop(busy.pop());
        let first = first.await.unwrap();
        assert_eq!(["first", "second"].map(|device| pool.before(device)), [None, Some(0)]);
        // All turns that there are: those who have their host's count among themselves.
        let mut all = Vec::new();
        for host in 0..CONNECTS_AT_ONCE - busy.len() - 1 {
            all.push(taken(&pool, &host.to_string()).await.unwrap());
        }
        let (third, fourth) = (wait("third", "a"), wait("fourth", "b"));
        tokio::task::yield_now().await;
        assert_eq!(["second", "third", "fourth"].map(|device| pool.before(device)), [Some(0), Some(0), Some(1)]);
        drop((first, all, busy));
        for one in [second, third, fourth] {
            drop(one.await.unwrap());
        }
        assert!(locked(&pool.queue).waiting.is_empty());
    }

    async fn turns(pool: &Pool, count: usize) -> Vec<MayConnect> {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(pool.turn("x", ("busy", 22)).await.unwrap());
        }
        taken
    }
}
