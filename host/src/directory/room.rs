//! Room for commands: how many run at once on one device, and in all. Who finds none waits, first come, first served.
//!
//! The commands of one session run one after another, so a session takes room once, however many calls wait for their turn there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime;
use tokio::sync::{oneshot, watch};

use crate::config::Limits;
use crate::ids::SessionId;
use crate::limits::COMMANDS_WAITING_MAX;
use crate::session::command::State;

/// The room that there is.
#[derive(Debug, Default, Clone)]
pub struct Rooms(Arc<Mutex<Floor>>);

#[derive(Debug, Default)]
struct Floor {
    /// How many calls hold room in each session.
    held: BTreeMap<SessionId, usize>,
    waiting: VecDeque<Waiting>,
    /// Those of the newest call.
    limits: Limits,
}

#[derive(Debug)]
struct Waiting {
    session: SessionId,
    granted: oneshot::Sender<Room>,
}

/// Room for one command, given back when it is dropped and the command is over.
#[derive(Debug)]
pub struct Room {
    hold: Option<Hold>,
    command: Option<watch::Receiver<State>>,
}

/// A call's part in a session's room.
#[derive(Debug)]
struct Hold {
    rooms: Rooms,
    session: SessionId,
}

impl Rooms {
    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a command in this session, as soon as there is some.
    ///
    /// # Errors
    ///
    /// When too many wait already.
    pub async fn take(&self, session: &SessionId, limits: Limits) -> Result<Room, String> {
        let (granted, room) = oneshot::channel();
        let ready = {
            let mut floor = self.floor();
            floor.limits = limits;
            if floor.waiting.is_empty() && floor.has_room(session) {
                floor.hold(session);
                return Ok(self.room(session.clone()));
            }
            floor.waiting.retain(|waiting| !waiting.granted.is_closed());
            if floor.waiting.len() >= COMMANDS_WAITING_MAX {
                let crowded = "commands wait for others to end already; nothing was run. Wait for one with ssh_output";
                return Err(format!("{COMMANDS_WAITING_MAX} {crowded}"));
            }
            floor.waiting.push_back(Waiting { session: session.clone(), granted });
            floor.ready()
        };
        self.grant(ready);
        room.await.map_err(|_| "the process ends".to_owned())
    }

    /// Why a command in this session has to wait; `None` where it does not.
    #[must_use]
    pub fn crowd(&self, session: &SessionId) -> Option<String> {
        let floor = self.floor();
        if floor.has_room(session) {
            return None;
        }
        let (here, device) = (floor.on(&session.device), &session.device);
        Some(if here >= floor.limits.commands_per_device {
            format!("{here} commands run on `{device}`, the most that `limits.commands_per_device` allows")
        } else {
            format!("{} commands run, the most that `limits.commands` allows", floor.held.len())
        })
    }

    fn room(&self, session: SessionId) -> Room {
        Room { hold: Some(Hold { rooms: self.clone(), session }), command: None }
    }

    /// Tells them. Who has stopped waiting gives the room back at once, for which the floor must be free.
    fn grant(&self, ready: Vec<Waiting>) {
        for Waiting { session, granted } in ready {
            drop(granted.send(self.room(session)));
        }
    }

    fn give_back(&self, session: &SessionId) {
        let ready = {
            let mut floor = self.floor();
            floor.release(session);
            floor.ready()
        };
        self.grant(ready);
    }
}

impl Floor {
    fn on(&self, device: &str) -> usize {
        self.held.keys().filter(|session| session.device == device).count()
    }

    fn has_room(&self, session: &SessionId) -> bool {
        let limits = &self.limits;
        self.held.contains_key(session) || self.held.len() < limits.commands && self.on(&session.device) < limits.commands_per_device
    }

    fn hold(&mut self, session: &SessionId) {
        *self.held.entry(session.clone()).or_default() += 1;
    }

    fn release(&mut self, session: &SessionId) {
        let Some(calls) = self.held.get_mut(session) else { return };
        *calls -= 1;
        if *calls == 0 {
            self.held.remove(session);
        }
    }

    /// Those of the waiting, in their order, for whom there is room now. It is theirs from here on.
    fn ready(&mut self) -> Vec<Waiting> {
        let mut ready = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            if self.has_room(&waiting.session) {
                self.hold(&waiting.session);
                ready.push(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        ready
    }
}

impl Room {
    /// This command has it, until it is over, whoever waits for that.
    pub fn is_for(&mut self, command: watch::Receiver<State>) {
        self.command = Some(command);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(mut command) = self.command.take().filter(|command| !command.borrow().is_over()) else { return };
        // Without a runtime there is nobody left who runs anything.
        let Ok(runtime) = runtime::Handle::try_current() else { return };
        let hold = self.hold.take();
        runtime.spawn(async move {
            // A session that ends has no commands.
            let _ = command.wait_for(|state| state.is_over()).await.is_ok();
            drop(hold);
        });
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.rooms.give_back(&self.session);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    const FEW: Limits =
        Limits { calls_per_minute: 1, commands_per_device: 2, commands: 3, devices_per_hour: 1, denials: 1, output_chars: 1, sessions: 1 };

    fn session(name: &str) -> SessionId {
        SessionId::parse(name)
    }

    async fn takes(rooms: &Rooms, name: &str) -> Room {
        rooms.take(&session(name), FEW).await.unwrap()
    }

    #[tokio::test]
    async fn who_finds_no_room_waits_for_the_first_that_ends() {
        let rooms = Rooms::default();
        let (first, _second) = (takes(&rooms, "a#1").await, takes(&rooms, "a#2").await);
        assert_eq!(rooms.crowd(&session("a#3")).unwrap(), "2 commands run on `a`, the most that `limits.commands_per_device` allows");
        let (mut third, mut fourth) = (pin!(takes(&rooms, "a#3")), pin!(takes(&rooms, "a#4")));
        assert!(third.as_mut().now_or_never().is_none());
        assert!(fourth.as_mut().now_or_never().is_none());
        drop(first);
        assert!(fourth.as_mut().now_or_never().is_none(), "the third was first");
        let third = third.await;
        drop(third);
        let _fourth = fourth.await;
    }

    #[tokio::test]
    async fn another_device_is_not_kept_waiting_but_by_the_bound_for_all() {
        let rooms = Rooms::default();
        let (_first, _second) = (takes(&rooms, "a#1").await, takes(&rooms, "a#2").await);
        let mut waits = pin!(takes(&rooms, "a#3"));
        assert!(waits.as_mut().now_or_never().is_none());
        let third = takes(&rooms, "b").await;
        assert_eq!(rooms.crowd(&session("c")).unwrap(), "3 commands run, the most that `limits.commands` allows");
        let mut other = pin!(takes(&rooms, "c"));
        assert!(other.as_mut().now_or_never().is_none());
        drop(third);
        let _other = other.await;
        assert!(waits.as_mut().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_session_takes_room_once() {
        let rooms = Rooms::default();
        let (one, again, _second) = (takes(&rooms, "a#1").await, takes(&rooms, "a#1").await, takes(&rooms, "a#2").await);
        let again_too = takes(&rooms, "a#1").await;
        drop((one, again));
        assert!(takes(&rooms, "a#3").now_or_never().is_none());
        drop(again_too);
        let _third = takes(&rooms, "a#3").await;
    }

    #[tokio::test]
    async fn a_command_that_goes_on_keeps_its_room() {
        let rooms = Rooms::default();
        let (state, command) = watch::channel(State::Running);
        let mut first = takes(&rooms, "a#1").await;
        first.is_for(command);
        drop(first);
        let _second = takes(&rooms, "a#2").await;
        let mut third = pin!(takes(&rooms, "a#3"));
        tokio::task::yield_now().await;
        assert!(third.as_mut().now_or_never().is_none());
        state.send(State::Done).unwrap();
        let _third = third.await;
    }

    #[tokio::test]
    async fn who_stops_waiting_loses_nothing_for_the_others() {
        let rooms = Rooms::default();
        let (first, second) = (takes(&rooms, "a#1").await, takes(&rooms, "a#2").await);
        let mut gives_up = Box::pin(takes(&rooms, "a#3"));
        assert!(gives_up.as_mut().now_or_never().is_none());
        let mut waits = pin!(takes(&rooms, "a#4"));
        assert!(waits.as_mut().now_or_never().is_none());
        drop(first);
        drop(gives_up);
        let _waits = waits.await;
        drop(second);
        let _fifth = takes(&rooms, "a#5").await;
    }

    #[tokio::test]
    async fn there_is_an_end_to_waiting_lines() {
        let rooms = Rooms::default();
        let (_first, _second) = (takes(&rooms, "a#1").await, takes(&rooms, "a#2").await);
        let mut waiting: Vec<_> = (0..COMMANDS_WAITING_MAX).map(|n| Box::pin(takes_of(&rooms, n))).collect();
        for waits in &mut waiting {
            assert!(waits.as_mut().now_or_never().is_none());
        }
        let why = rooms.take(&session("a#last"), FEW).await.unwrap_err();
        assert!(why.contains("commands wait for others to end already; nothing was run"), "{why}");
        drop(waiting);
        assert!(rooms.take(&session("a#last"), FEW).now_or_never().is_none(), "who has gone counts no more");
    }

    async fn takes_of(rooms: &Rooms, n: usize) -> Room {
        takes(rooms, &format!("a#w{n}")).await
    }
}
