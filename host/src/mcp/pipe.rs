//! The protocol's pipe: a message is a line. Tool calls, which come by the thousand, are read straight into their type.
//!
//! Everything else, and every call that is not quite as usual, goes the library's way, which tries one kind of message after the
//! other.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use crossbeam_queue::ArrayQueue;
use rmcp::model::{
    CallToolRequest, CallToolRequestMethod, CallToolRequestParams, ClientRequest, JsonRpcMessage, JsonRpcRequest, JsonRpcVersion2_0,
    RequestId,
};
use rmcp::service::{RoleServer, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};

use crate::limits::CALL_LINE_MAX_BYTES;

/// The call that was read and not taken yet.
type Slot = Arc<ArrayQueue<RxJsonRpcMessage<RoleServer>>>;

/// Messages over a pair of streams.
pub struct Pipe<R: AsyncRead + Unpin, W: AsyncWrite> {
    others: AsyncRwTransport<RoleServer, Lines<R>, W>,
    call: Slot,
}

impl<R, W> Pipe<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// Reads from the one, writes to the other. `ended` is set before anybody hears of the end of what is read.
    pub fn new(read: R, write: W, ended: Arc<AtomicBool>) -> Self {
        let call: Slot = Arc::new(ArrayQueue::new(1));
        let lines = Lines {
            from: BufReader::new(read),
            line: Vec::new(),
            others: Vec::new(),
            passed: 0,
            is_inside: false,
            call: Arc::clone(&call),
            ended,
        };
        Self { others: AsyncRwTransport::new(lines, write), call }
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite> std::fmt::Debug for Pipe<R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipe").finish_non_exhaustive()
    }
}

impl<R, W> Transport<RoleServer> for Pipe<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        self.others.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let Self { others, call } = self;
        let mut other = pin!(others.receive());
        std::future::poll_fn(|context| match other.as_mut().poll(context) {
            Poll::Ready(message) => Poll::Ready(message),
            // The lines wait behind a call until it is taken here.
            Poll::Pending => call.pop().map_or(Poll::Pending, |call| Poll::Ready(Some(call))),
        })
        .await
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.others.close().await
    }
}

/// Reads lines: keeps the calls for [`Pipe::receive`] and passes the others on.
struct Lines<R> {
    from: BufReader<R>,
    /// The beginning of a line.
    line: Vec<u8>,
    /// What is passed on, and how much of it was.
    others: Vec<u8>,
    passed: usize,
    /// The beginning of this line was passed on already.
    is_inside: bool,
    call: Slot,
    ended: Arc<AtomicBool>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Lines<R> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if let Some(left) = this.others.get(this.passed..).filter(|left| !left.is_empty()) {
                let count = left.len().min(buffer.remaining());
                buffer.put_slice(left.get(..count).unwrap_or_default());
                this.passed += count;
                return Poll::Ready(Ok(()));
            }
            this.others.clear();
            this.passed = 0;
            let filled = ready!(Pin::new(&mut this.from).poll_fill_buf(context));
            if filled.as_ref().map_or(true, |available| available.is_empty()) {
                this.ended.store(true, Ordering::Release);
            }
            let available = filled?;
            let is_over = available.is_empty();
            if is_over && this.line.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let newline = memchr::memchr(b'\n', available);
            let count = newline.map_or(available.len(), |at| at + 1);
            this.line.extend_from_slice(available.get(..count).unwrap_or_default());
            Pin::new(&mut this.from).consume(count);
            let is_whole = newline.is_some();
            if is_whole
                && !this.is_inside
                && let Some(call) = call(&this.line)
            {
                this.line.clear();
                // It is empty: nothing is read before the last one was taken.
                let _ = this.call.push(call);
                return Poll::Pending;
            }
            if is_whole || is_over || this.is_inside || this.line.len() > CALL_LINE_MAX_BYTES {
                std::mem::swap(&mut this.line, &mut this.others);
                this.is_inside = !is_whole;
            }
        }
    }
}

/// A usual call of a tool, as the library would have read it.
fn call(line: &[u8]) -> Option<RxJsonRpcMessage<RoleServer>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Call {
        jsonrpc: JsonRpcVersion2_0,
        id: RequestId,
        #[serde(rename = "method")]
        _method: CallToolRequestMethod,
        params: CallToolRequestParams,
    }
    memchr::memmem::find(line, b"\"tools/call\"")?;
    let Call { jsonrpc, id, mut params, .. } = serde_json::from_slice(line).ok()?;
    let meta = params.meta.take();
    let mut request = CallToolRequest::new(params);
    if let Some(meta) = meta {
        request.extensions.insert(meta);
    }
    Some(JsonRpcMessage::Request(JsonRpcRequest { jsonrpc, id, request: ClientRequest::CallToolRequest(request) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"ssh_run","arguments":{"target":"web1","command":"true"},"_meta":{"progressToken":"p"}}}"#;

    #[test]
    fn a_call_is_read_as_the_library_reads_it() {
        let odd = CALL.replace("\"id\":7", "\"id\":\"seven\"").replace("\"_meta\":{\"progressToken\":\"p\"}", "\"task\":{}");
        let plain = r#"{"id":1,"params":{"name":"ssh_hosts"},"method":"tools/call","jsonrpc":"2.0"}"#;
        for line in [CALL, &odd, plain] {
            let theirs: RxJsonRpcMessage<RoleServer> = serde_json::from_str(line).unwrap();
            let ours = call(line.as_bytes()).expect(line);
            assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        }
    }

    #[test]
    fn what_is_no_usual_call_goes_the_librarys_way() {
        for line in [
            r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"ssh_run"},"result":{}}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"ssh_run"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"tools/call"}}"#,
            r#"not JSON "tools/call""#,
        ] {
            assert!(call(line.as_bytes()).is_none(), "{line}");
        }
    }

    /// Calls and others keep their order, wherever the bytes are cut and however long a line is.
    #[tokio::test]
    async fn messages_keep_their_order_wherever_they_are_cut() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let long = CALL.replace("true", &"x".repeat(2 * CALL_LINE_MAX_BYTES));
        let text = format!("{CALL}\n{ping}\r\n\n{{\"nonsense\n{CALL}\n{CALL}\n{long}\n{ping}\n{CALL}\n{ping}");
        let kind = |message: &RxJsonRpcMessage<RoleServer>| match message {
            JsonRpcMessage::Request(JsonRpcRequest { request: ClientRequest::CallToolRequest(_), .. }) => "call",
            JsonRpcMessage::Request(_) => "ping",
            _ => "other",
        };
        for piece in [1, 7, 100, 4096, usize::MAX] {
            let (mut far, near) = tokio::io::duplex(64 * 1024);
            let bytes = text.clone().into_bytes();
            let writing = tokio::spawn(async move {
                for part in bytes.chunks(piece.min(bytes.len())) {
                    tokio::io::AsyncWriteExt::write_all(&mut far, part).await.unwrap();
                    if piece > 1 {
                        tokio::task::yield_now().await;
                    }
                }
            });
            let mut pipe = Pipe::new(near, tokio::io::sink(), Arc::default());
            let mut seen = Vec::new();
            while let Some(message) = pipe.receive().await {
                seen.push(kind(&message));
            }
            writing.await.unwrap();
            assert_eq!(seen, ["call", "ping", "call", "call", "call", "ping", "call"], "in pieces of {piece}");
        }
    }
}
