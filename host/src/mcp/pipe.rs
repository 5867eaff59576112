//! The protocol's pipe: a message is a line. Tool calls, which come by the thousand, are read straight into their type.
//!
//! Everything else, and every call that is not quite as usual, goes the library's way, which tries one kind of message after the
//! other.
//!
//! The library knows what is in flight by its id alone. A second request with the id of one that is in flight would never be answered,
//! and the first's end would cancel it: it is refused here. It also ends the connection of a client that says anything but requests before
//! the conversation has begun, such as that a probe is cancelled: that is left out here.

use std::collections::HashSet;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use crossbeam_queue::ArrayQueue;
use rmcp::model::{
    CallToolRequest, CallToolRequestMethod, CallToolRequestParams, ClientNotification, ClientRequest, ErrorData, GetMeta as _,
    JsonRpcMessage, JsonRpcRequest, JsonRpcVersion2_0, ProtocolVersion, RequestId,
};
use rmcp::service::{RoleServer, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};

use crate::limits::CALL_LINE_MAX_BYTES;

/// The call that was read and not taken yet, or what nobody can read.
type Slot = Arc<ArrayQueue<Result<RxJsonRpcMessage<RoleServer>, Unreadable>>>;

/// An answer that is being written.
type Writing = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Messages over a pair of streams.
pub struct Pipe<R: AsyncRead + Unpin, W: AsyncWrite> {
    others: AsyncRwTransport<RoleServer, Lines<R>, W>,
    call: Slot,
    /// Requests that were taken and have no answer yet.
    in_flight: HashSet<RequestId>,
    /// A request has come with which a conversation begins.
    has_begun: bool,
    /// What a request is refused with.
    refusal: Option<Writing>,
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
        Self { others: AsyncRwTransport::new(lines, write), call, in_flight: HashSet::new(), has_begun: false, refusal: None }
    }

    /// The next message, whatever it is.
    async fn next(&mut self) -> Option<Result<RxJsonRpcMessage<RoleServer>, Unreadable>> {
        let Self { others, call, .. } = self;
        let mut other = pin!(others.receive());
        std::future::poll_fn(|context| match other.as_mut().poll(context) {
            Poll::Ready(message) => Poll::Ready(message.map(Ok)),
            // The lines wait behind a call until it is taken here.
            Poll::Pending => call.pop().map_or(Poll::Pending, |call| Poll::Ready(Some(call))),
        })
        .await
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
        let answered = match &message {
            JsonRpcMessage::Response(answer) => Some(&answer.id),
            JsonRpcMessage::Error(answer) => answer.id.as_ref(),
            _ => None,
        };
        // Before it is written: who has read it may use the id again at once.
        if let Some(id) = answered {
            self.in_flight.remove(id);
        }
        self.others.send(message)
    }

    // It may be dropped wherever it waits: what it has begun is kept.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(refusal) = &mut self.refusal {
                // Nothing more is read before it is written. That the other side has gone is noticed by who reads.
                let _ = refusal.await;
                self.refusal = None;
            }
            let message = match self.next().await? {
                Ok(message) => message,
                Err(unreadable) => {
                    self.refusal = Some(Box::pin(self.others.send(unreadable.answer())));
                    continue;
                }
            };
            match &message {
                JsonRpcMessage::Request(request) if !self.in_flight.insert(request.id.clone()) => {
                    self.refusal = Some(Box::pin(self.others.send(refused(&request.id))));
                    continue;
                }
                JsonRpcMessage::Request(request) => self.has_begun |= begins(&request.request),
                // It is about nothing that goes on.
                _ if !self.has_begun => continue,
                JsonRpcMessage::Notification(told) => {
                    // What is cancelled gets no answer.
                    if let ClientNotification::CancelledNotification(cancelled) = &told.notification
                        && let Some(id) = &cancelled.params.request_id
                    {
                        self.in_flight.remove(id);
                    }
                }
                _ => {}
            }
            return Some(message);
        }
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
                && let Some(read) = call(&this.line).map(Ok).or_else(|| unreadable(&this.line).map(Err))
            {
                this.line.clear();
                // It is empty: nothing is read before the last one was taken.
                let _ = this.call.push(read);
                return Poll::Pending;
            }
            if is_whole || is_over || this.is_inside || this.line.len() > CALL_LINE_MAX_BYTES {
                std::mem::swap(&mut this.line, &mut this.others);
                this.is_inside = !is_whole;
            }
        }
    }
}

/// The answer to a request with the id of one that is in flight.
fn refused(id: &RequestId) -> TxJsonRpcMessage<RoleServer> {
    let shown = id.clone().into_json_value();
    let why = format!(
        "a request with the id {shown} is in flight and goes on; this one was not taken. Send it again with an id of its own, or once that one is answered"
    );
    JsonRpcMessage::error(ErrorData::invalid_request(why, None), Some(id.clone()))
}

/// Does the library take up the conversation with this request? Before, it answers each by itself.
fn begins(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        // In the era without a handshake each says its version, and what else that one wants. Where something is missing, or nobody here
        // has that version, the library says so, and goes on waiting.
        request => {
            let meta = request.get_meta();
            let is_known = || meta.protocol_version().is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version));
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty() && is_known()
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

/// A request that is no JSON as the library reads it, although it can be told that it is one: half of a surrogate pair, as clients in
/// JavaScript send it, or a number that is too large. The library drops it without a word, and its client would wait for the answer.
struct Unreadable {
    id: RequestId,
    why: String,
}

impl Unreadable {
    fn answer(self) -> TxJsonRpcMessage<RoleServer> {
        let why = format!("the request cannot be read as JSON, and nothing was done: {}", self.why);
        JsonRpcMessage::error(ErrorData::parse_error(why, None), Some(self.id))
    }
}

fn unreadable(line: &[u8]) -> Option<Unreadable> {
    #[derive(Deserialize)]
    struct Outline {
        id: RequestId,
        #[serde(rename = "method")]
        _method: IgnoredAny,
    }
    let why = serde_json::from_slice::<Value>(line).err()?.to_string();
    // What is not looked at may be anything.
    let Outline { id, .. } = serde_json::from_slice(line).ok()?;
    Some(Unreadable { id, why })
}

#[cfg(test)]
mod tests {
    use rmcp::model::ServerResult;
    use serde_json::json;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

    use super::*;

    const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
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

    #[tokio::test]
    async fn an_id_in_flight_is_taken_by_one_request_alone() {
        let (mut far, near) = tokio::io::duplex(64 * 1024);
        let (answers, written) = tokio::io::duplex(64 * 1024);
        let mut answers = BufReader::new(answers).lines();
        let mut pipe = Pipe::new(near, written, Arc::default());
        let other = CALL.replace("\"id\":7", "\"id\":\"7\"");
        let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"7"}}"#;
        let lines = format!("{HELLO}\n{CALL}\n{other}\n{CALL}\n{ping}\n{other}\n{cancelled}\n{other}\n");
        far.write_all(lines.as_bytes()).await.unwrap();
        let id = |message: Option<RxJsonRpcMessage<RoleServer>>| match message {
            Some(JsonRpcMessage::Request(request)) => request.id.into_json_value(),
            _ => Value::Null,
        };
        for taken in [json!(0), json!(7), json!("7"), Value::Null, json!("7")] {
            assert_eq!(id(pipe.receive().await), taken);
        }
        for refused in [json!(7), json!(7), json!("7")] {
            let line = answers.next_line().await.unwrap().unwrap();
            let refusal: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&refusal["id"], &refusal["error"]["code"]), (&refused, &json!(-32600)), "{line}");
            assert!(refusal["error"]["message"].as_str().unwrap().contains(&format!("the id {refused} is in flight")), "{line}");
        }
        // Its answer sets it free.
        pipe.send(JsonRpcMessage::response(ServerResult::empty(()), RequestId::Number(7))).await.unwrap();
        far.write_all(format!("{CALL}\n{ping}\n").as_bytes()).await.unwrap();
        drop(far);
        assert_eq!(id(pipe.receive().await), json!(7));
        assert!(pipe.receive().await.is_none() && pipe.in_flight.len() == 3);
    }

    #[tokio::test]
    async fn what_is_no_request_is_left_out_before_the_conversation_begins() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        let result = r#"{"jsonrpc":"2.0","id":5,"result":{}}"#;
        let saying = |id: u8, version: &str, rest: &str| {
            let meta = format!("\"_meta\":{{\"io.modelcontextprotocol/protocolVersion\":\"{version}\"{rest}");
            CALL.replace("\"id\":7", &format!("\"id\":{id}")).replace("\"_meta\":{\"progressToken\":\"p\"", &meta)
        };
        let capabilities = ",\"io.modelcontextprotocol/clientCapabilities\":{}";
        // The library answers both that they cannot be served so.
        let (unfinished, unknown) = (saying(2, "2026-07-28", ""), saying(3, "2999-01-01", capabilities));
        let without_handshake = saying(7, "2026-07-28", capabilities);
        for (first, id) in [(HELLO, 0), (without_handshake.as_str(), 7)] {
            let (mut far, near) = tokio::io::duplex(64 * 1024);
            let before = format!("{initialized}\n{ping}\n{cancelled}\n{result}\n{unfinished}\n{cancelled}\n{unknown}\n{cancelled}\n");
            let lines = format!("{before}{first}\n{initialized}\n");
            far.write_all(lines.as_bytes()).await.unwrap();
            drop(far);
            let mut pipe = Pipe::new(near, tokio::io::sink(), Arc::default());
            let mut taken = Vec::new();
            while let Some(message) = pipe.receive().await {
                taken.push(match message {
                    JsonRpcMessage::Request(request) => request.id.into_json_value(),
                    _ => Value::Null,
                });
            }
            assert_eq!(taken, [json!(1), json!(2), json!(3), json!(id), Value::Null], "{first}");
        }
    }

    #[tokio::test]
    async fn a_request_that_cannot_be_read_is_answered() {
        let (mut far, near) = tokio::io::duplex(64 * 1024);
        let (answers, written) = tokio::io::duplex(64 * 1024);
        let mut answers = BufReader::new(answers).lines();
        let mut pipe = Pipe::new(near, written, Arc::default());
        let half = CALL.replace("true", r"echo \ud83d");
        let huge = CALL.replace("\"id\":7", "\"id\":\"huge\"").replace("\"true\"", "1e400");
        let ping = r#"{"jsonrpc":"2.0","id":8,"method":"ping"}"#;
        far.write_all(format!("{half}\n{huge}\n{ping}\n").as_bytes()).await.unwrap();
        let Some(JsonRpcMessage::Request(request)) = pipe.receive().await else { panic!("no request") };
        assert_eq!(request.id.into_json_value(), json!(8));
        for id in [json!(7), json!("huge")] {
            let line = answers.next_line().await.unwrap().unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(-32700)), "{line}");
            assert!(answer["error"]["message"].as_str().unwrap().contains("cannot be read as JSON, and nothing was done"), "{line}");
        }
    }

    /// Calls and others keep their order, wherever the bytes are cut and however long a line is.
    #[tokio::test]
    async fn messages_keep_their_order_wherever_they_are_cut() {
        let ping = |id: u64| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}");
        let call = |id: u64| CALL.replace("\"id\":7", &format!("\"id\":{id}"));
        let long = call(5).replace("true", &"x".repeat(2 * CALL_LINE_MAX_BYTES));
        let text = [
            format!("{}\n{}\r\n\n{{\"nonsense\n", call(1), ping(2)),
            format!("{}\n{}\n{long}\n{}\n{}\n{}", call(3), call(4), ping(6), call(7), ping(8)),
        ]
        .concat();
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
