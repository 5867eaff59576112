//! A secret that is to be typed: looked up while the line is read on, and typed only where what asked for it still does.

use std::future::Future;
use std::pin::Pin;

use super::{Actor, Author, CommandId, Entry, Order, now};
use crate::limits::SECRET_STANDS;
use crate::secret::{self, Secret};
use crate::transport::Typed;

type Looking = Pin<Box<dyn Future<Output = Found> + Send + Sync>>;

/// A secret with its value, or why there is none.
pub(super) type Found = (Wanted, Result<Secret, String>);

/// A secret that is to be typed, and what asked for it.
pub(super) struct Wanted {
    name: String,
    enter: Vec<u8>,
    by: Author,
    asker: Asker,
}

/// What asks for a secret.
#[derive(PartialEq, Eq)]
struct Asker {
    command: Option<CommandId>,
    /// Rows before the last one.
    rows_done: u64,
    /// The last row.
    row: String,
}

/// The secret that is looked up, where one is: the newest that was asked for.
#[derive(Default)]
pub(super) struct Lookup(Option<Looking>);

impl Lookup {
    /// Looks a secret's value up.
    fn begin(&mut self, wanted: Wanted, value: impl Future<Output = Result<Secret, String>> + Send + Sync + 'static) {
        self.0 = Some(Box::pin(async move {
            // What does not wait for an answer has gone on by then.
            let (secret, ()) = tokio::join!(value, tokio::time::sleep(SECRET_STANDS));
            (wanted, secret)
        }));
    }

    /// Nothing wants it any more.
    pub(super) fn give_up(&mut self) {
        self.0 = None;
    }

    /// Waits until it is there, without end where none is looked up. Who stops waiting may go on later.
    pub(super) async fn found(&mut self) -> Found {
        let Some(looking) = &mut self.0 else { return std::future::pending().await };
        let found = looking.await;
        self.0 = None;
        found
    }
}

impl Actor {
    /// Looks a secret's value up without stopping to read the line.
    pub(super) fn look_up(&mut self, name: String, enter: Vec<u8>, by: Author) {
        let source = self.profile.secrets.get(&name).cloned();
        let (device, asked) = (self.profile.id.device.clone(), name.clone());
        let allowed = self.profile.book.check(&device, &name, now());
        let value = async move {
            match allowed {
                Ok(()) => secret::resolve_of(&device, &asked, source.as_ref()).await,
                Err(why) => Err(why),
            }
        };
        let asker = self.asker();
        self.lookup.begin(Wanted { name, enter, by, asker }, value);
    }

    pub(super) async fn on_secret(&mut self, (Wanted { name, enter, by, asker }, secret): Found) {
        // It is known from here on, whatever becomes of it.
        if let Ok(secret) = &secret {
            self.profile.teach_mask(&name, secret);
        }
        let goal = self.machine.running().and_then(|running| running.goal.clone());
        // The lookup took its time, and so does its record: only what asked for it, and still does, may have it.
        let gone = || Err(format!("the secret `{name}` was not typed: what asked for it had gone on when it was there"));
        let secret = match (secret, self.stops_secret(&by)) {
            (Ok(_), _) if !self.still_asks(&asker) => gone(),
            (Ok(_), Some(why)) => Err(format!("the secret `{name}` was not typed: {why}")),
            (Ok(secret), None) => self.profile.witness_secret(&name, goal, asker.command).await.map(|()| secret),
            (Err(why), _) => Err(why),
        };
        let secret = match secret {
            Ok(_) if !self.still_asks(&asker) => gone(),
            secret => secret,
        };
        self.machine.on_secret_over();
        match secret {
            Ok(secret) => {
                self.cast.input(&[format!("[secret:{name}]").as_bytes(), &enter].concat(), now());
                self.tape(|tape| tape.note(Entry::Secret { name: name.clone(), enter: enter.clone() }, now()));
                self.order(Order::Write(Typed::secret(&secret, &enter)));
            }
            Err(why) => {
                if asker.command.is_none() {
                    // The login has no command whose result could tell it.
                    self.profile.commons.ended(Some(why.clone()));
                }
                let effects = self.machine.on_secret_missing(now(), &why);
                self.perform(effects).await;
            }
        }
    }

    /// A person may have stopped the input of whoever a secret is typed for, while it was looked up: of who has given it, or of whose
    /// command asks for it.
    fn stops_secret(&self, by: &Author) -> Option<String> {
        let (commons, running) = (&self.profile.commons, self.machine.running().map(|running| running.id));
        let whose = commons.activity().running.filter(|started| Some(started.id) == running).map(|started| started.by);
        [Some(by), whose.as_ref()].into_iter().flatten().find_map(|author| commons.lock.stops(author, now()))
    }

    /// Does what asked for a secret ask for it still, with all that has come by now?
    fn still_asks(&mut self, asker: &Asker) -> bool {
        self.take_what_came();
        self.ended.is_none() && self.asker() == *asker
    }

    fn asker(&self) -> Asker {
        let stream = self.machine.stream();
        let command = self.machine.running().map(|running| running.id);
        Asker { command, rows_done: stream.rows_done(), row: stream.tail().trim_end().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    fn wanted(name: &str) -> Wanted {
        let asker = Asker { command: None, rows_done: 0, row: "Password:".to_owned() };
        Wanted { name: name.to_owned(), enter: b"\r".to_vec(), by: Author::runtime(), asker }
    }

    async fn found(lookup: &mut Lookup) -> Option<(String, String)> {
        let (wanted, secret) = timeout(SECRET_STANDS * 2, lookup.found()).await.ok()?;
        Some((wanted.name, secret.err().unwrap_or_default()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_secret_that_was_asked_for_comes_after_a_moment_and_once() {
        let mut lookup = Lookup::default();
        assert_eq!(found(&mut Lookup::default()).await, None);
        for name in ["old", "new"] {
            lookup.begin(wanted(name), async move { Err(format!("{name} is missing")) });
        }
        // Who waits is interrupted by other things.
        let begun = Instant::now();
        assert!(timeout(SECRET_STANDS / 2, lookup.found()).await.is_err());
        assert_eq!(found(&mut lookup).await, Some(("new".to_owned(), "new is missing".to_owned())));
        assert!(begun.elapsed() >= SECRET_STANDS);
        assert_eq!(found(&mut lookup).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_nothing_wants_any_more_does_not_come() {
        let mut lookup = Lookup::default();
        lookup.begin(wanted("enable"), async { Err("it is missing".to_owned()) });
        lookup.give_up();
        assert_eq!(found(&mut lookup).await, None);
    }
}
