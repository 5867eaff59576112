//! How a server of sessions stands.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::gate::House;
use super::hello::VERSION;
use crate::session::Phase;

/// How a server stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its process.
    pub process: u32,
    /// Its version.
    pub version: String,
    /// Its configuration file.
    pub file: Option<String>,
    /// It holds sessions for whoever comes.
    pub is_daemon: bool,
    /// Seconds since it started.
    pub up_s: u64,
    /// Clients of the protocol.
    pub clients: usize,
    /// People who watch.
    pub guests: usize,
    /// Open sessions.
    pub sessions: Vec<String>,
    /// Those in which something runs, and what runs beside them: rollouts, which may be between two of them, and transfers.
    pub busy: Vec<String>,
    /// Bytes of memory that it holds (resident).
    pub memory_bytes: u64,
}

impl Status {
    /// Of this process.
    #[must_use]
    pub fn of(house: &Arc<House>) -> Self {
        let open: Vec<_> = house.directory.list().into_iter().filter(|handle| handle.closed().is_none()).collect();
        let busy = open.iter().filter(|handle| matches!(handle.status().phase, Phase::Busy(_)));
        let rollouts = house.directory.rollouts().running().into_iter().map(|id| format!("rollout {id}"));
        let transfers = house.directory.transfers().running().into_iter().map(|id| format!("transfer {id}"));
        Self {
            process: std::process::id(),
            version: VERSION.to_owned(),
            file: house.directory.world().config.file.as_ref().map(|file| file.display().to_string()),
            is_daemon: house.is_daemon,
            up_s: house.since.elapsed().as_secs(),
            clients: house.clients.load(Ordering::Relaxed),
            guests: house.guests.count(),
            busy: busy.map(|handle| handle.id.to_string()).chain(rollouts).chain(transfers).collect(),
            sessions: open.iter().map(|handle| handle.id.to_string()).collect(),
            memory_bytes: resident(),
        }
    }
}

/// The process's resident memory (proc(5), `statm`: in pages, of 4 KiB on the machines that jackfield is for).
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use tokio::runtime::Runtime;
    use tokio::sync::watch;
    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::Config;
    use crate::daemon::control::{DRAIN, about_house};
    use crate::directory::Directory;
    use crate::files::running::{Claim, End, Started};
    use crate::files::transfer::Outcome;
    use crate::guest::Guests;
    use crate::ids::CommandId;
    use crate::renewal::Renewer;
    use crate::startup;

    fn runtime() -> Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn house(runtime: &Runtime) -> Arc<House> {
        let config = Config::parse("", Path::new("jackfield.toml"), None).unwrap();
        let catalog = startup::catalog(&config).unwrap();
        let directory = Arc::new(Directory::new(config, catalog, None));
        let renewer = Arc::new(Renewer::new(Arc::clone(&directory), None));
        let guests = Guests::start(Arc::clone(&directory), runtime.handle().clone()).unwrap();
        Arc::new(House::new(directory, renewer, guests, None, true))
    }

    /// Starts a transfer; its end can be told.
    fn transfer(house: &House) -> (CommandId, watch::Sender<End>) {
        let Ok(Claim::Free(place)) = house.directory.transfers().claim("a", Instant::now()) else { panic!("there is a place") };
        let (tell, end) = watch::channel(None);
        let (id, nobody) = (CommandId::next(), String::new);
        let (progress, stop, since) = (Arc::default(), CancellationToken::new(), Instant::now());
        place.fill(Started { id, caller: nobody(), device: nobody(), session: nobody(), progress, end, next: "", stop, since });
        (id, tell)
    }

    #[test]
    fn a_transfer_counts_as_work_until_it_has_ended() {
        let runtime = runtime();
        let house = house(&runtime);
        let (id, tell) = transfer(&house);
        assert_eq!(Status::of(&house).busy, [format!("transfer {id}")]);
        tell.send_replace(Some(Arc::new(Ok(Outcome::default()))));
        assert!(Status::of(&house).busy.is_empty());
    }

    #[test]
    fn who_asks_for_an_end_without_loss_ends_it_only_while_nothing_runs() {
        let runtime = runtime();
        let house = house(&runtime);
        let (_, tell) = transfer(&house);
        let ends = || {
            runtime.block_on(async {
                about_house(DRAIN, &house).await.unwrap();
                timeout(Duration::from_millis(10), house.stop.notified()).await.is_ok()
            })
        };
        assert!(!ends());
        tell.send_replace(Some(Arc::new(Ok(Outcome::default()))));
        assert!(ends());
    }
}
