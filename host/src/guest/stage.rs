//! A session that is watched: its picture, and what comes, for everybody who watches it.
//!
//! Whoever is too slow for what comes gets the picture again instead of what was missed. Nobody gets what asks a terminal something: each
//! one's terminal would type an answer, to what was asked long ago and to what the session has answered itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::{Notify, broadcast};
use tokio::time::sleep;

use super::wire::{Data, GuestState, Tell};
use super::{Guest, Guests};
use crate::author::Author;
use crate::ids::SessionId;
use crate::limits::{AUDIENCE_PAST_BYTES, FRAME_BYTES, FRAME_EVERY, FRAMES_BEHIND, GUESTS_MAX, SHOWN_STRING_MAX_BYTES};
use crate::screen::Screen;
use crate::session::SessionHandle;
use crate::session::audience::{Scene, Watched};
use crate::session::handover::TypedLine;
use crate::terminal::sieve::Sieve;

/// Something new to see.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// Bytes for the terminal, and how many the session has brought in all with them.
    Output(Bytes, u64),
    /// Somebody typed a line.
    Typed(TypedLine),
    /// The whole picture is to be drawn again.
    Redraw,
    /// The session is over; why.
    Ended(String),
}

/// What the terminal shows.
struct Picture {
    screen: Screen,
    sieve: Sieve,
    /// The newest bytes for those who watch, for scrolling back.
    past: BytesMut,
    is_cut: bool,
    /// How many bytes the session has brought in all.
    total: u64,
}

/// A session that is watched.
pub(super) struct Stage {
    pub(super) handle: SessionHandle,
    picture: Mutex<Picture>,
    frames: broadcast::Sender<Frame>,
    seats: Mutex<Vec<(u64, GuestState)>>,
    last_seat: AtomicU64,
    /// Somebody has gone.
    left: Notify,
    /// The size before guests changed it.
    size: (u16, u16),
    /// They have.
    is_resized: AtomicBool,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("session", &self.handle.id).finish_non_exhaustive()
    }
}

impl Picture {
    fn of(watched: &Watched) -> Self {
        let (screen, sieve) = (Screen::blank(watched.size), Sieve::new(SHOWN_STRING_MAX_BYTES));
        let mut picture = Self { screen, sieve, past: BytesMut::new(), is_cut: watched.is_cut, total: watched.end };
        picture.draw(&watched.past);
        picture
    }

    /// Takes what has come; gives what of it is for those who watch.
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.total += bytes.len() as u64;
        self.draw(bytes)
    }

    fn draw(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.screen.on_bytes(bytes);
        let mut shown = Vec::with_capacity(bytes.len());
        self.sieve.add(bytes, &mut shown);
        self.past.extend_from_slice(&shown);
        if self.past.len() > 2 * AUDIENCE_PAST_BYTES {
            let _ = self.past.split_to(self.past.len() - AUDIENCE_PAST_BYTES);
            self.is_cut = true;
        }
        shown
    }

    /// What draws it on an empty terminal. The past of which nothing is missing does so by itself.
    fn drawn(&self) -> Vec<u8> {
        if !self.is_cut {
            return self.past.to_vec();
        }
        // From the first whole row on: the bytes before it may be the middle of anything.
        let start = memchr::memchr(b'\n', &self.past).map_or(0, |at| at + 1);
        let mut drawn = self.past.get(start..).unwrap_or_default().to_vec();
        drawn.extend_from_slice(self.screen.drawn().as_bytes());
        drawn
    }
}

/// Closes a stage however its playing ends, also by a fault: who watches is told, and who comes later gets a new one.
struct Curtain {
    stage: Arc<Stage>,
    guests: Arc<Guests>,
    why: String,
}

impl Curtain {
    fn of(stage: &Arc<Stage>, guests: &Arc<Guests>) -> Self {
        let why = "what it shows cannot be drawn any further, and it may go on; enter it again to see it".to_owned();
        Self { stage: Arc::clone(stage), guests: Arc::clone(guests), why }
    }

    /// Who comes from now on gets another stage.
    fn close(&self) {
        let mut stages = self.guests.stages();
        if stages.get(&self.stage.handle.id).is_some_and(|stage| Arc::ptr_eq(stage, &self.stage)) {
            stages.remove(&self.stage.handle.id);
        }
    }
}

impl Drop for Curtain {
    fn drop(&mut self) {
        self.close();
        // Nobody may be there just now.
        let _ = self.stage.frames.send(Frame::Ended(std::mem::take(&mut self.why)));
    }
}

/// A seat before a stage: given back when it is dropped.
pub(super) struct Seat {
    pub(super) stage: Arc<Stage>,
    pub(super) frames: broadcast::Receiver<Frame>,
    pub(super) author: Author,
    number: u64,
    /// How many of the session's bytes had come when something was shown last.
    pub(super) seen: Option<u64>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (nobody_types, is_gone) = {
            let mut seats = self.stage.seats();
            seats.retain(|(number, _)| *number != self.number);
            let typing = || seats.iter().map(|(_, guest)| guest).filter(|guest| guest.may_type);
            (typing().next().is_none(), !typing().any(|guest| guest.name == self.author.name))
        };
        // The same person may type on at another terminal.
        if is_gone {
            self.stage.handle.commons.lock.on_left(&self.author);
        }
        // Whoever changed it: the others who type go on with the size that they have.
        if nobody_types && self.stage.is_resized.swap(false, Ordering::Relaxed) {
            let (handle, size) = (self.stage.handle.clone(), self.stage.size);
            tokio::spawn(async move { handle.resize(size).await });
        }
        self.stage.left.notify_one();
    }
}

impl Seat {
    /// The picture as it is now, as a message. What comes after it is in the frames.
    pub(super) fn picture(&mut self) -> Tell {
        let picture = self.stage.picture();
        self.frames = self.stage.frames.subscribe();
        let skipped = self.seen.map_or(0, |seen| picture.total.saturating_sub(seen));
        self.seen = Some(picture.total);
        let (columns, rows) = picture.screen.size();
        Tell::Screen { session: self.stage.handle.id.to_string(), columns, rows, data: Data(picture.drawn()), skipped }
    }

    /// Gives the session this guest's size.
    pub(super) async fn resize(&self, size: (u16, u16)) -> Result<(), String> {
        self.stage.is_resized.store(true, Ordering::Relaxed);
        self.stage.handle.resize(size).await
    }
}

impl Stage {
    fn of(handle: SessionHandle, watched: &Watched) -> Arc<Self> {
        Arc::new(Self {
            size: watched.size,
            is_resized: AtomicBool::new(false),
            picture: Mutex::new(Picture::of(watched)),
            frames: broadcast::channel(FRAMES_BEHIND).0,
            seats: Mutex::default(),
            last_seat: AtomicU64::new(0),
            left: Notify::new(),
            handle,
        })
    }

    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seats(&self) -> MutexGuard<'_, Vec<(u64, GuestState)>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who watches.
    pub(super) fn guests(&self) -> Vec<GuestState> {
        self.seats().iter().map(|(_, guest)| guest.clone()).collect()
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (u16, u16) {
        self.picture().screen.size()
    }

    /// A seat for a guest.
    fn seat(self: &Arc<Self>, guest: &Guest) -> Result<Seat, String> {
        let number = self.last_seat.fetch_add(1, Ordering::Relaxed);
        let mut seats = self.seats();
        if seats.len() >= GUESTS_MAX {
            return Err(format!("{GUESTS_MAX} people watch `{}` already", self.handle.id));
        }
        seats.push((number, GuestState { name: guest.name.clone(), by: guest.by.clone(), may_type: guest.may_type }));
        let (frames, author) = (self.frames.subscribe(), Author::person(&guest.name));
        Ok(Seat { stage: Arc::clone(self), frames, author, number, seen: None })
    }

    /// Shows what comes until nobody watches or the session is over.
    async fn play(self: Arc<Self>, mut watched: Watched, guests: Arc<Guests>) {
        let mut curtain = Curtain::of(&self, &guests);
        loop {
            let scene = tokio::select! {
                scene = watched.scenes.recv() => scene,
                () = self.left.notified() => {
                    // Who has just come has a seat: both happen under the same lock.
                    let mut stages = guests.stages();
                    if self.seats().is_empty() {
                        stages.remove(&self.handle.id);
                        return;
                    }
                    continue;
                }
            };
            let Some(scene) = scene else { break };
            let (mut size, has_more) = self.show(scene, &mut watched);
            let is_missed = watched.missed.load(Ordering::Acquire) > 0;
            if is_missed || has_more {
                let Ok(again) = self.handle.watch().await else { break };
                watched = again;
                self.redraw(&watched, is_missed);
                size = FRAME_BYTES;
            }
            if size >= FRAME_BYTES {
                // Nobody reads faster than that.
                sleep(FRAME_EVERY).await;
            }
        }
        curtain.close();
        self.handle.until(|status| matches!(status.phase, crate::session::Phase::Closed(_))).await;
        curtain.why = self.handle.closed().unwrap_or_else(|| "the session has ended".to_owned());
    }

    /// Draws the past again. What was missed of it counts as that; what nobody was to see before does not.
    fn redraw(&self, watched: &Watched, is_missed: bool) {
        let anew = Picture::of(watched);
        {
            let mut picture = self.picture();
            let total = if is_missed { anew.total } else { picture.total };
            *picture = Picture { total, ..anew };
        }
        let _ = self.frames.send(Frame::Redraw);
    }

    /// Shows a scene and all output that is there behind it. Bytes shown, and whether there is more to see in the past.
    fn show(&self, scene: Scene, watched: &mut Watched) -> (usize, bool) {
        let mut output = BytesMut::new();
        let mut next = Some(scene);
        let mut picture = self.picture();
        let (mut shown, mut has_more) = (0, false);
        while let Some(scene) = next.take() {
            match scene {
                Scene::Output(bytes) => output.extend_from_slice(&bytes),
                other => {
                    shown += self.flush(&mut picture, &mut output);
                    match other {
                        Scene::Typed(line) => drop(self.frames.send(Frame::Typed(line))),
                        Scene::Size(columns, rows) => {
                            picture.screen.set_size((columns, rows));
                            let _ = self.frames.send(Frame::Redraw);
                        }
                        Scene::Again => has_more = true,
                        Scene::Output(_) => {}
                    }
                }
            }
            if output.len() < FRAME_BYTES {
                next = watched.scenes.try_recv().ok();
            }
        }
        (shown + self.flush(&mut picture, &mut output), has_more)
    }

    fn flush(&self, picture: &mut Picture, output: &mut BytesMut) -> usize {
        let bytes = output.split();
        let shown = picture.take(&bytes);
        if !bytes.is_empty() {
            // What shows nothing counts too. Nobody may be there just now.
            let _ = self.frames.send(Frame::Output(shown.into(), picture.total));
        }
        bytes.len()
    }
}

impl Guests {
    /// A seat before a session's stage, which is set up for the first guest.
    pub(super) async fn enter(self: &Arc<Self>, id: &SessionId, guest: &Guest) -> Result<Seat, String> {
        let _turn = self.entering.lock().await;
        if let Some(stage) = self.stages().get(id).filter(|stage| stage.handle.closed().is_none()) {
            return stage.seat(guest);
        }
        let handle = self.directory.named(id).map_err(|why| format!("{why}. `jackfield open {}` opens one", id.device))?;
        let watched = handle.watch().await?;
        let stage = Stage::of(handle, &watched);
        let seat = stage.seat(guest)?;
        self.stages().insert(id.clone(), Arc::clone(&stage));
        tokio::spawn(stage.play(watched, Arc::clone(self)));
        Ok(seat)
    }
}

#[cfg(test)]
mod tests;
