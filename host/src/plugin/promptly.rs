//! A call that only computes.
//!
//! The deadline of a call counts while the plugin runs. In a host function that waits (a clock, a poll) it would not, and the session
//! would wait along. Nothing that a plugin may import has a reason to wait, so a call that does is ended at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// Why such a call failed.
#[derive(Debug, thiserror::Error)]
#[error("it waits for time to pass, which no plugin may: say `settle` and return")]
pub struct Waits;

/// Runs a call to its end. It may stop only to let others run: then `yielded` was set. The call stays where it is: taken over, it would
/// have its room twice.
pub async fn promptly<T>(yielded: Arc<AtomicBool>, mut call: Pin<&mut impl Future<Output = wasmtime::Result<T>>>) -> wasmtime::Result<T> {
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Pending if !yielded.swap(false, Ordering::Relaxed) => Poll::Ready(Err(wasmtime::Error::new(Waits))),
        other => other,
    })
    .await
}
