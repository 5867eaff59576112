//! A browser's WebSocket: carries messages to the holder of the sessions as lines, and lines back as messages.
//!
//! Nothing is kept here but one message each way. A slow browser makes this task stop reading; the holder of the sessions sees that
//! and skips to the latest screen.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::keys::Visitor;
use super::pages::sentence;
use super::{Guest, Shared};
use crate::guest::wire::{Say, Tell};
use crate::limits::{
    VIEWER_LINE_MAX_BYTES, VIEWER_MESSAGE_MAX_BYTES, VIEWER_PING_EVERY, VIEWER_SILENCE_MAX, VIEWER_SOCKETS_MAX, VIEWER_STREAM_BYTES,
};

/// Refusals of our own on their way to the browser.
const REFUSALS: usize = 8;

/// Why a connection ends, as the browser is told.
#[derive(Debug)]
enum End {
    /// The browser has gone, or sent what no page of ours sends: a message without end.
    Gone,
    /// The holder of the sessions has gone, or the viewer ends.
    Over,
}

/// Answers the request for a WebSocket.
pub(super) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    socket: WebSocketUpgrade,
) -> Response {
    let Ok(place) = Arc::clone(&shared.sockets).try_acquire_owned() else {
        let why = format!("{VIEWER_SOCKETS_MAX} pages of the viewer are open already; close one.");
        return sentence(StatusCode::SERVICE_UNAVAILABLE, &why);
    };
    let socket = socket.max_message_size(VIEWER_MESSAGE_MAX_BYTES).max_frame_size(VIEWER_MESSAGE_MAX_BYTES).write_buffer_size(0);
    socket.on_upgrade(async move |socket| {
        serve(socket, &shared, &visitor).await;
        drop(place);
    })
}

async fn serve(socket: WebSocket, shared: &Shared, visitor: &Visitor) {
    let (ours, theirs) = duplex(VIEWER_STREAM_BYTES);
    let guest = Guest { name: format!("browser {}", visitor.number), by: "viewer", may_type: visitor.may_type };
    shared.house.serve_guest(guest, theirs);
    let (lines, said) = split(ours);
    let (mut sink, messages) = socket.split();
    let (refuse, refused) = mpsc::channel(REFUSALS);
    let end = tokio::select! {
        end = inward(messages, said, (shared, visitor), refuse) => end,
        end = outward(BufReader::new(lines), &mut sink, refused) => end,
        () = shared.stop.cancelled() => End::Over,
    };
    if matches!(end, End::Gone) {
        return;
    }
    let frame = CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("jackfield has ended") };
    // It may have gone meanwhile.
    let _ = timeout(VIEWER_PING_EVERY, sink.send(Message::Close(Some(frame)))).await;
}

/// What the browser says.
async fn inward(
    mut messages: SplitStream<WebSocket>,
    mut said: WriteHalf<DuplexStream>,
    (shared, visitor): (&Shared, &Visitor),
    refuse: mpsc::Sender<Tell>,
) -> End {
    loop {
        let message = timeout(VIEWER_SILENCE_MAX, messages.next()).await;
        // An open page keeps its browser logged in.
        shared.keys().see(visitor.number, Instant::now());
        let text = match message {
            Ok(Some(Ok(Message::Text(text)))) => text,
            // Answers to pings show that somebody is there.
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_)))) => continue,
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return End::Gone,
        };
        let line = match line(&text, visitor.may_type) {
            Ok(line) => line,
            Err(why) => {
                if refuse.send(Tell::Refused { why }).await.is_err() {
                    return End::Gone;
                }
                continue;
            }
        };
        // Who holds the sessions reads at once, unless it is gone or stuck.
        if !matches!(timeout(VIEWER_SILENCE_MAX, said.write_all(line.as_bytes())).await, Ok(Ok(()))) {
            return End::Over;
        }
    }
}

/// What the browser says as a line, if this guest may say it.
fn line(text: &str, may_type: bool) -> Result<String, String> {
    let unknown = |error: serde_json::Error| format!("the viewer does not know this message: {error}; load the page again");
    let say: Say = serde_json::from_str(text).map_err(unknown)?;
    let say = match say {
        say if may_type => say,
        Say::List | Say::Leave => say,
        // Who only looks does not give the session a size either.
        Say::Enter { session, .. } => Say::Enter { session, columns: 0, rows: 0 },
        _ => return Err("this link only looks; `jackfield viewer` makes one that may type".to_owned()),
    };
    serde_json::to_string(&say).map(|line| line + "\n").map_err(unknown)
}

/// What the holder of the sessions tells.
async fn outward(
    mut lines: BufReader<ReadHalf<DuplexStream>>,
    sink: &mut SplitSink<WebSocket, Message>,
    mut refused: mpsc::Receiver<Tell>,
) -> End {
    let mut pings = interval(VIEWER_PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut line = Vec::new();
    loop {
        let room = VIEWER_LINE_MAX_BYTES.saturating_sub(line.len() as u64);
        let mut bounded = (&mut lines).take(room);
        let message = tokio::select! {
            // What was read of a line stays in `line` when another branch comes first.
            read = bounded.read_until(b'\n', &mut line) => match (read, line.pop()) {
                (Ok(_), Some(b'\n')) => text(std::mem::take(&mut line)),
                // The end, or a line that is longer than lines are.
                _ => return End::Over,
            },
            Some(tell) = refused.recv() => serde_json::to_string(&tell).ok().map(|text| Message::Text(text.into())),
            _ = pings.tick() => Some(Message::Ping(bytes::Bytes::new())),
        };
        let Some(message) = message else { return End::Over };
        match timeout(VIEWER_SILENCE_MAX, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return End::Gone,
        }
    }
}

fn text(line: Vec<u8>) -> Option<Message> {
    Utf8Bytes::try_from(bytes::Bytes::from(line)).ok().map(Message::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_can_only_look() {
        let enter = line(r#"{"do":"enter","session":"web1","columns":80,"rows":24}"#, false).unwrap();
        assert_eq!(enter, "{\"do\":\"enter\",\"session\":\"web1\",\"columns\":0,\"rows\":0}\n");
        assert_eq!(line(r#"{"do":"list"}"#, false).unwrap(), "{\"do\":\"list\"}\n");
        assert_eq!(line(r#"{"do":"leave"}"#, false).unwrap(), "{\"do\":\"leave\"}\n");
        for say in [
            r#"{"do":"type","data":"bHMK"}"#,
            r#"{"do":"resize","columns":80,"rows":24}"#,
            r#"{"do":"lock","session":"web1","rule":"people"}"#,
            r#"{"do":"unlock","session":"web1"}"#,
            r#"{"do":"panic","on":true}"#,
            r#"{"do":"decide","id":"a1","allow":true}"#,
            r#"{"do":"interrupt","session":"web1"}"#,
            r#"{"do":"open","session":"web1"}"#,
            r#"{"do":"close","session":"web1"}"#,
            r#"{"do":"note","session":"web1","text":""}"#,
        ] {
            assert!(line(say, false).unwrap_err().contains("only looks"), "{say}");
            assert_eq!(line(say, true).unwrap().lines().count(), 1, "{say}");
        }
    }

    #[test]
    fn what_is_no_message_is_not_passed_on() {
        for text in ["", "{}", "[]", r#"{"do":"shout"}"#, r#"{"do":"type","data":"***"}"#, "{\"do\":\"list\"}\n{\"do\":\"list\"}"] {
            assert!(line(text, true).unwrap_err().contains("does not know"), "{text}");
        }
    }
}
