//! Bytes from one end to the other and back, until both have said all.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};

use super::Counts;
use crate::limits::FORWARD_BUFFER_BYTES;

/// A connection's place in the counts.
pub(super) struct Counted<'a>(&'a Counts);

impl<'a> Counted<'a> {
    pub(super) fn new(counts: &'a Counts) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        counts.total.fetch_add(1, Ordering::Relaxed);
        Self(counts)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Carries bytes both ways. An end that says no more may still be told something.
pub(super) async fn relay<A, B>(counts: &Counts, mut from: A, mut to: B)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let done = copy_bidirectional_with_sizes(&mut from, &mut to, FORWARD_BUFFER_BYTES, FORWARD_BUFFER_BYTES).await;
    // A connection that breaks is its ends' matter; they notice.
    if let Ok((sent, received)) = done {
        counts.sent.fetch_add(sent, Ordering::Relaxed);
        counts.received.fetch_add(received, Ordering::Relaxed);
    }
}
