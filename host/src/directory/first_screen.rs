//! What a line shows before its session begins.

use crate::limits::FIRST_SCREEN_MAX_BYTES;
use crate::plugin::device_type::DeviceType;
use crate::plugin::identify::Evidence;
use crate::policy::{self, approved::Payload};
use crate::session::log::ByteLog;
use crate::session::stream::Stream;
use crate::terminal::text::escaped;
use crate::transport::{Line, Order, Welcome};

/// The first screen as it comes.
pub(super) struct FirstScreen {
    pub(super) stream: Stream,
    /// All that came.
    pub(super) bytes: Vec<u8>,
    rows: u16,
}

impl FirstScreen {
    pub(super) fn new((columns, rows): (u16, u16)) -> Self {
        Self { stream: Stream::new(ByteLog::in_memory(), "").on_columns(columns), bytes: Vec::new(), rows }
    }

    /// Takes what came before, whose queries are answered already.
    pub(super) fn seen(&mut self, bytes: &[u8]) {
        self.stream.push(bytes);
        self.bytes.extend_from_slice(bytes);
        drop(self.stream.take_queries());
    }

    /// Takes a chunk and answers what a terminal answers.
    pub(super) fn take(&mut self, bytes: &[u8], line: &Line, plain: &DeviceType) {
        self.stream.push(bytes);
        self.bytes.extend_from_slice(bytes);
        for query in self.stream.take_queries() {
            let answer = policy::answer(&query, plain, (self.stream.cursor_column(), self.rows));
            if let Some(Payload::Bytes(bytes)) = answer.as_ref().map(policy::approved::Approved::payload) {
                // A line that is gone tells that itself.
                let _ = line.writer.order(Order::Write(bytes.clone().into()));
            }
        }
    }

    /// What it tells of the device's type.
    pub(super) fn evidence(&self, told: &Welcome) -> Evidence {
        let end = self.stream.log().end();
        let text = self.stream.source().from(0, end, FIRST_SCREEN_MAX_BYTES).map(|rendered| rendered.text).unwrap_or_default();
        let rows = text.rsplit_once('\n').map_or("", |(rows, _)| rows);
        Evidence { server_id: told.server_id.clone(), banner: told.banner.clone(), rows: rows.to_owned(), tail: self.stream.tail() }
    }

    /// Why the line ended, and its last words.
    pub(super) fn ended(&self, why: &str) -> String {
        let last = self.last_words();
        let last = if last.is_empty() { String::new() } else { format!("; its last words: `{}`", escaped(&last)) };
        format!("{why}{last}")
    }

    /// The last row that is not empty.
    pub(super) fn last_words(&self) -> String {
        let recent = self.stream.recent();
        let last =
            [self.stream.tail(), recent.lines().last().unwrap_or_default().to_owned()].into_iter().find(|row| !row.trim().is_empty());
        last.unwrap_or_default().trim().to_owned()
    }
}
