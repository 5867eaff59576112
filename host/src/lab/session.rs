//! One channel on a scripted device: carries bytes and time between the connection and the machine.

use std::time::Duration;

use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::device::Device;
use super::faults::Cutter;
use super::journal::Journal;

/// A session and what it needs.
pub(super) struct Session {
    pub(super) device: Device,
    pub(super) cutter: Cutter,
    pub(super) journal: Journal,
    pub(super) name: String,
    pub(super) number: u64,
}

/// Why the loop ends.
enum End {
    /// The device ended the session.
    Closed(u32),
    /// The client or the lab ended it.
    Gone,
}

impl Session {
    /// Plays the device until one side ends it.
    pub(super) async fn play(mut self, channel: Channel<Msg>, cancel: CancellationToken) {
        let (mut read, write) = channel.split();
        let end = tokio::select! {
            end = self.run(&mut read, &write) => end,
            () = cancel.cancelled() => End::Gone,
        };
        // The connection may be gone already; there is nobody to tell then.
        if let End::Closed(status) = end {
            let _gone = write.exit_status(status).await;
            let _gone = write.eof().await;
        }
        let _gone = write.close().await;
    }

    async fn run(&mut self, read: &mut ChannelReadHalf, write: &ChannelWriteHalf<Msg>) -> End {
        let started = Instant::now();
        loop {
            self.device.advance(since_ms(started));
            for entry in self.device.take_entries() {
                self.journal.record(&self.name, self.number, entry).await;
            }
            if self.device.waiting_bytes() > 0 {
                if !self.send(read, write).await {
                    return End::Gone;
                }
                continue;
            }
            if let Some(status) = self.device.closed() {
                return End::Closed(status);
            }
            let deadline = self.device.deadline_ms().map(|ms| started + Duration::from_millis(ms));
            let message = tokio::select! {
                message = read.wait() => message,
                () = sleep_until(deadline.unwrap_or(started)), if deadline.is_some() => continue,
            };
            if !self.take(message) {
                return End::Gone;
            }
        }
    }

    /// Sends one piece, and takes what comes in meanwhile: a client that does not read may still type. False at the end.
    async fn send(&mut self, read: &mut ChannelReadHalf, write: &ChannelWriteHalf<Msg>) -> bool {
        let length = self.cutter.next_length(self.device.waiting_bytes());
        let piece = self.device.take(length);
        let pause = self.cutter.pause();
        let sending = async {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            write.data_bytes(piece).await.is_ok()
        };
        tokio::pin!(sending);
        loop {
            tokio::select! {
                sent = &mut sending => return sent && !self.cutter.is_broken(),
                message = read.wait() => if !self.take(message) {
                    return false;
                },
            }
        }
    }

    /// Gives a message to the device; false when the channel is closed.
    fn take(&mut self, message: Option<ChannelMsg>) -> bool {
        match message {
            Some(ChannelMsg::Data { data }) => self.device.on_input(&data),
            Some(ChannelMsg::WindowChange { col_width, row_height, .. }) => self.device.on_resize(col_width, row_height),
            Some(ChannelMsg::Eof) => self.device.on_eof(),
            Some(ChannelMsg::Close) | None => return false,
            Some(_) => {}
        }
        true
    }
}

fn since_ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
