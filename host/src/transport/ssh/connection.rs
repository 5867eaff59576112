//! A connection that is logged in, and what can be opened on it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard, Weak};
use std::time::Instant;

use bytes::Bytes;
use russh::client::{Handle, Msg};
use russh::{Channel, ChannelWriteHalf, Disconnect};
use tokio::io::AsyncWrite;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::super::{Line, Reader, Welcome, Writer};
use super::channel::{Asked, ChannelReader, Messages, NoChannel, Opened, ask_for_shell, close_soon, no_way, send, serve};
use super::error::told;
use super::handler::{Handler, Heard, Hearing, heard, listening_name};
use super::places::Places;
use super::wanted::Wanted;
use super::{ConnectError, Greeting, Target};
use crate::limits::{CHANNEL_LATE_MAX, CLOSE_MAX, CONNECT_MAX, CONNECTION_ANSWER_MAX, CONNECTION_HEARD_LATELY, FORWARDS_WAITING_MAX};
use crate::policy::approved::Program;

/// A connection that is logged in. Its channels are lines; it ends with the last of them and itself.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    handle: Handle<Handler>,
    wanted: Wanted,
    /// Keepalives that nobody answers end it, so one that does not answer has gone.
    keeps_alive: bool,
    hearing: Hearing,
    device: String,
    warnings: Vec<String>,
    /// Variables that go along with what is started on it.
    environment: Vec<(String, String)>,
    /// For sessions. Who waits for one is told of every change.
    places: watch::Sender<Places>,
    /// It had a session before.
    has_given: AtomicBool,
    /// Streams through it, which servers do not count.
    streams: AtomicUsize,
}

/// A connection that may have ended.
#[derive(Clone, Default)]
pub struct Known(Weak<Inner>);

/// What a channel is.
#[derive(Debug, Clone, Copy)]
enum Channels {
    Session,
    Stream,
}

/// A channel's place on its connection, given back when it is dropped.
pub struct Ticket {
    of: Arc<Inner>,
    channels: Channels,
    asked_at: Instant,
    /// The server gave none: it is given back already.
    is_refused: bool,
}

impl Ticket {
    /// The server gives no further session beside the others. That, and that this one is none, is known to all at once.
    fn refuse(&mut self) {
        if !std::mem::replace(&mut self.is_refused, true) {
            self.of.places.send_modify(|places| places.refused(self.asked_at, now()));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        match self.channels {
            Channels::Session if self.is_refused => {}
            Channels::Session => self.of.places.send_modify(|places| places.ended(now())),
            Channels::Stream => {
                self.of.streams.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("device", &self.of.device).field("channels", &self.channels).finish_non_exhaustive()
    }
}

/// The runtime's clock.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What the device listens at, or was asked to, as long as the value lives.
#[derive(Debug)]
pub struct Listening {
    connection: Connection,
    /// Where.
    pub address: String,
    /// Its port; 0 until the device has said which one it chose.
    pub port: u16,
    /// What comes in. What nobody takes is closed.
    incoming: mpsc::Receiver<Asked>,
}

impl Listening {
    /// The next stream that comes in; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Stream> {
        let opened = self.incoming.recv().await?.opened()?;
        Some(Stream::new(opened, Some(self.connection.ticket(Channels::Stream))))
    }

    /// What comes in comes over this.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // From here on another one may listen there.
        self.incoming.close();
        if self.port != 0 {
            let (connection, address, port) = (self.connection.clone(), std::mem::take(&mut self.address), self.port);
            tokio::spawn(async move { connection.listen_no_more(&address, port).await });
        }
    }
}

/// A channel as the library has it. It keeps its connection, and closes when it is dropped.
pub struct Halves {
    /// What comes.
    pub read: Messages,
    /// What goes.
    pub write: Arc<ChannelWriteHalf<Msg>>,
    _ticket: Ticket,
}

impl Drop for Halves {
    fn drop(&mut self) {
        let write = Arc::clone(&self.write);
        close_soon(async move { write.close().await });
    }
}

impl std::fmt::Debug for Halves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Halves").finish_non_exhaustive()
    }
}

/// A stream over a channel. It keeps its connection where it has a place there. Unlike the library's it takes nothing more once the other
/// end has closed the channel, also where that has said all before.
pub struct Stream {
    read: Messages,
    /// What came and is not taken yet.
    came: Bytes,
    /// Nothing more comes.
    is_at_end: bool,
    /// Nothing more goes, either.
    is_closed: bool,
    /// The other end was told that all is said.
    has_ended: bool,
    to: Pin<Box<dyn AsyncWrite + Send + Sync>>,
    write: Arc<ChannelWriteHalf<Msg>>,
    _ticket: Option<Ticket>,
}

impl Stream {
    pub(super) fn new(opened: Opened, ticket: Option<Ticket>) -> Self {
        let (read, write) = opened.split();
        let write = Arc::new(write);
        let to = Box::pin(write.make_writer());
        Self { read, came: Bytes::new(), is_at_end: false, is_closed: false, has_ended: false, to, write, _ticket: ticket }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let write = Arc::clone(&self.write);
        // Where both ends have said all the other one closes it, too. As long as a connection lives the library keeps something of each
        // channel that was closed here first, and thousands go over a forward.
        let closes_there = self.is_at_end && self.has_ended && !self.is_closed;
        let rest = closes_there.then(|| self.read.hand_over());
        // It ends with the connection, if that has no time for it before.
        tokio::spawn(async move {
            if let Some(mut rest) = rest {
                let _ = timeout(CLOSE_MAX, rest.closed()).await;
            }
            write.close().await
        });
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("device", &self.0.device).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Known").field(&self.get()).finish()
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Known {
    /// The connection, if it lives.
    #[must_use]
    pub fn get(&self) -> Option<Connection> {
        self.0.upgrade().map(Connection).filter(|connection| !connection.is_closed())
    }
}

impl Connection {
    pub(super) fn new(handle: Handle<Handler>, hearing: Hearing, wanted: Wanted, target: &Target, mut warnings: Vec<String>) -> Self {
        let device = target.device.clone();
        let weak = heard(&hearing).weak.clone();
        if !weak.is_empty() {
            warnings.push(format!("the connection to `{device}` uses weak algorithms: {}", weak.join(", ")));
        }
        Self(Arc::new(Inner {
            handle,
            wanted,
            keeps_alive: target.keepalives_missed() > 0,
            hearing,
            device,
            warnings,
            environment: target.manner.environment.clone(),
            places: watch::Sender::new(Places::default()),
            has_given: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
        }))
    }

    /// Connects and logs in.
    ///
    /// # Errors
    ///
    /// The step that failed.
    pub async fn open(target: &Target) -> Result<Self, ConnectError> {
        Greeting::open(target).await?.login(target).await
    }

    /// A name for it that does not keep it.
    #[must_use]
    pub fn known(&self) -> Known {
        Known(Arc::downgrade(&self.0))
    }

    /// The device at its other end.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.0.device
    }

    /// A word for it that no other connection has as long as this one is there.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{} {:p}", self.0.device, Arc::as_ptr(&self.0))
    }

    /// Has it ended?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.handle.is_closed()
    }

    /// Waits until it has ended; why, as far as it is known.
    pub async fn ended(&self) -> String {
        let alive = self.heard().alive.clone();
        if let Some(mut alive) = alive {
            // Nobody sends anything: it is closed once the library's task has ended.
            while alive.changed().await.is_ok() {}
        }
        self.heard().end.clone().unwrap_or_else(|| "the connection has ended".to_owned())
    }

    /// Does the server still answer? It may have gone without a word, which keepalives find out much later. Of one that has nobody is
    /// given this connection any more; what goes on there ends with it.
    pub async fn answers(&self) -> bool {
        if !self.0.keeps_alive || self.0.wanted.silent() < CONNECTION_HEARD_LATELY {
            return !self.is_closed();
        }
        let asked = timeout(CONNECTION_ANSWER_MAX, self.0.handle.send_ping()).await.is_ok();
        // Behind much output the answer may come late, but something comes.
        let answers = asked || self.0.wanted.silent() < CONNECTION_ANSWER_MAX;
        if !answers {
            self.give_to_nobody();
        }
        answers && !self.is_closed()
    }

    /// May somebody who comes open another session on it?
    #[must_use]
    pub fn has_room(&self) -> bool {
        let places = self.0.places.borrow();
        !places.is_left() && places.has_one(now())
    }

    /// Its places for sessions, which tell when they change.
    #[must_use]
    pub fn places(&self) -> watch::Receiver<Places> {
        self.0.places.subscribe()
    }

    /// A place for a session: from here on it counts.
    #[must_use]
    pub fn place(&self) -> Ticket {
        self.ticket(Channels::Session)
    }

    /// Channels that are open.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.0.places.borrow().open() + self.0.streams.load(Ordering::Acquire)
    }

    /// How the account was proven.
    #[must_use]
    pub fn logged_in_by(&self) -> String {
        self.heard().logged_in_by.clone()
    }

    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        heard(&self.0.hearing)
    }

    pub(super) fn handle(&self) -> &Handle<Handler> {
        &self.0.handle
    }

    /// A terminal with a login shell.
    ///
    /// # Errors
    ///
    /// When the device gives none; [`ConnectError::Full`] when another connection may have one.
    pub async fn terminal(&self, target: &Target) -> Result<Line, ConnectError> {
        let mut ticket = self.place();
        let opening = async {
            let mut asked = self.asked(&mut ticket).await?;
            let answer = ask_for_shell(target, &mut asked).await;
            asked.taken(answer).await.map_err(|what| self.cut(&what))
        };
        let opened = super::step(target, "session request", opening).await;
        if matches!(opened, Err(ConnectError::Timeout { .. })) {
            self.give_to_nobody();
        }
        let opened = opened?;
        self.0.has_given.store(true, Ordering::Release);
        Ok(self.line(ticket, opened))
    }

    /// A program on a channel without a terminal (RFC 4254 section 6.5).
    ///
    /// # Errors
    ///
    /// When the device starts none.
    pub async fn program(&self, program: &Program) -> Result<Line, ConnectError> {
        self.program_at(self.place(), program).await
    }

    /// The same, at a place of this connection that was asked for before.
    ///
    /// # Errors
    ///
    /// When the device starts none.
    pub async fn program_at(&self, mut ticket: Ticket, program: &Program) -> Result<Line, ConnectError> {
        let opened = self.started(&mut ticket, program).await?;
        Ok(self.line(ticket, opened))
    }

    /// A subsystem of the server, `sftp` for one (RFC 4254 section 6.5).
    ///
    /// # Errors
    ///
    /// When the server has none of this name.
    pub async fn subsystem(&self, name: &str) -> Result<Stream, ConnectError> {
        let mut ticket = self.place();
        let opened = self.session(&mut ticket, async |asked| {
            asked.channel()?.request_subsystem(true, name).await.map_err(|error| told(&error))?;
            asked.answered(&format!("the subsystem `{name}`")).await
        });
        let opened = opened.await?;
        Ok(Stream::new(opened, Some(ticket)))
    }

    /// A program on a channel of its own, with its streams apart.
    ///
    /// # Errors
    ///
    /// When the device does not start it.
    pub async fn execute(&self, program: &Program) -> Result<Halves, ConnectError> {
        let mut ticket = self.place();
        let (read, write) = self.started(&mut ticket, program).await?.split();
        Ok(Halves { read, write: Arc::new(write), _ticket: ticket })
    }

    /// A connection from the device to a host and port (RFC 4254 section 7.2).
    ///
    /// # Errors
    ///
    /// When the device does not reach them, or does not allow it.
    pub async fn tcp(&self, host: &str, port: u16, from: (&str, u16)) -> Result<Stream, ConnectError> {
        let to = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let (host, from, from_port) = (host.to_owned(), from.0.to_owned(), u32::from(from.1));
        self.stream(to, |connection| async move {
            let handle = &connection.0.handle;
            handle.channel_open_direct_tcpip(host, port.into(), from, from_port).await
        })
        .await
    }

    /// The way to another host, for a connection that is made there. Where somebody takes nothing of what comes over that, it takes nothing
    /// from here either, and this one would wait for it with all others behind the same device. So what comes is taken all the same: that
    /// is not more than the windows of its channels.
    ///
    /// # Errors
    ///
    /// When the device does not reach the host, or does not allow it.
    pub async fn way(&self, host: &str, port: u16) -> Result<Stream, ConnectError> {
        let mut stream = self.tcp(host, port, ("127.0.0.1", 0)).await?;
        stream.read.take_ahead();
        Ok(stream)
    }

    /// A connection from the device to a socket there.
    ///
    /// # Errors
    ///
    /// When the device does not reach it, or does not allow it.
    pub async fn socket(&self, path: &str) -> Result<Stream, ConnectError> {
        let (to, path) = (path.to_owned(), path.to_owned());
        self.stream(to, |connection| async move { connection.0.handle.channel_open_direct_streamlocal(path).await }).await
    }

    /// Has the device listen (RFC 4254 section 7.1).
    ///
    /// # Errors
    ///
    /// When the device does not allow it.
    pub async fn listen(&self, address: &str, port: u16) -> Result<Listening, ConnectError> {
        let (sender, incoming) = mpsc::channel(FORWARDS_WAITING_MAX);
        let name = |port: u16| listening_name(address, port.into());
        // Somebody may connect there before the answer is here.
        if port != 0 && !self.heard().expect(name(port), sender.clone()) {
            return Err(ConnectError::Listening { device: self.0.device.clone(), at: name(port) });
        }
        // Where nobody waits for the answer, or it does not come in time, the server may listen all the same.
        let mut listening = Listening { connection: self.clone(), address: address.to_owned(), port, incoming };
        let asked = timeout(CONNECT_MAX, self.0.handle.tcpip_forward(address, port.into())).await;
        let bound = asked.map_err(|_| self.late())?.map_err(|error| self.failed(&told(&error)))?;
        // The port is told only where the device was to choose one.
        if port == 0 {
            listening.port = u16::try_from(bound).unwrap_or_default();
        }
        self.heard().listening.insert(name(listening.port), sender);
        Ok(listening)
    }

    /// Has the device listen no more for somebody who waits no longer.
    async fn listen_no_more(&self, address: &str, port: u16) {
        self.heard().forget(&listening_name(address, port.into()));
        let _ = timeout(CLOSE_MAX, self.0.handle.cancel_tcpip_forward(address, port.into())).await;
    }

    /// Lets it go. Who is the last one says goodbye to the server.
    pub async fn leave(self) {
        if let Some(inner) = Arc::into_inner(self.0) {
            let _ = timeout(CLOSE_MAX, inner.handle.disconnect(Disconnect::ByApplication, "session closed", "en")).await;
        }
    }

    /// A channel on which a program has started.
    async fn started(&self, ticket: &mut Ticket, program: &Program) -> Result<Opened, ConnectError> {
        self.session(ticket, async |asked| {
            send(&self.0.environment, asked.channel()?).await.map_err(|error| told(&error))?;
            asked.channel()?.exec(true, program.text()).await.map_err(|error| told(&error))?;
            asked.answered("a program").await
        })
        .await
    }

    /// A channel for something that the server starts.
    async fn session(
        &self,
        ticket: &mut Ticket,
        start: impl AsyncFnOnce(&mut Asked) -> Result<(), String>,
    ) -> Result<Opened, ConnectError> {
        let opening = async {
            let mut asked = self.asked(ticket).await?;
            self.0.has_given.store(true, Ordering::Release);
            let answer = start(&mut asked).await;
            asked.taken(answer).await.map_err(|what| self.failed(&what))
        };
        timeout(CONNECT_MAX, opening).await.unwrap_or_else(|_| {
            self.give_to_nobody();
            Err(self.late())
        })
    }

    /// It does not answer. What goes on there may come to an end; who comes next is given another one.
    fn give_to_nobody(&self) {
        self.0.places.send_modify(Places::leave);
    }

    /// A channel on which nothing was asked for yet.
    async fn asked(&self, ticket: &mut Ticket) -> Result<Asked, ConnectError> {
        let opening = self.opened(|connection| async move { connection.0.handle.channel_open_session().await });
        opening.await.map_err(|error| self.no_channel(ticket, NoChannel::of(&error)))
    }

    /// A stream through the server, to there.
    async fn stream<F>(&self, to: String, open: impl FnOnce(Self) -> F) -> Result<Stream, ConnectError>
    where
        F: Future<Output = Result<Channel<Msg>, russh::Error>> + Send + 'static,
    {
        let ticket = self.ticket(Channels::Stream);
        let beyond = |what: String| {
            let what = self.heard().end.clone().unwrap_or(what);
            ConnectError::Beyond { device: self.0.device.clone(), to: to.clone(), what }
        };
        let opening = async {
            let asked = self.opened(open).await.map_err(|error| beyond(no_way(&error)))?;
            asked.taken(Ok(())).await.map_err(&beyond)
        };
        let late = |_| Err(beyond(format!("no answer within {} s", CONNECT_MAX.as_secs())));
        let opened = timeout(CONNECT_MAX, opening).await.unwrap_or_else(late)?;
        Ok(Stream::new(opened, Some(ticket)))
    }

    /// Has a channel opened. One that comes when nobody waits for it any more is closed.
    async fn opened<F>(&self, open: impl FnOnce(Self) -> F) -> Result<Asked, russh::Error>
    where
        F: Future<Output = Result<Channel<Msg>, russh::Error>> + Send + 'static,
    {
        let (hand_over, handed_over) = oneshot::channel();
        let opening = open(self.clone());
        tokio::spawn(async move {
            if let Ok(opened) = timeout(CHANNEL_LATE_MAX, opening).await {
                // What nobody takes is dropped here, and closed with that.
                let _ = hand_over.send(opened.map(Asked::new));
            }
        });
        handed_over.await.unwrap_or(Err(russh::Error::Disconnect))
    }

    fn ticket(&self, channels: Channels) -> Ticket {
        match channels {
            Channels::Session => self.0.places.send_modify(Places::take),
            Channels::Stream => {
                self.0.streams.fetch_add(1, Ordering::AcqRel);
            }
        }
        Ticket { of: Arc::clone(&self.0), channels, asked_at: now(), is_refused: false }
    }

    /// A server that gives no further channel has shown how many it gives.
    fn no_channel(&self, ticket: &mut Ticket, why: NoChannel) -> ConnectError {
        match why {
            NoChannel::Failed(what) => self.cut(&what),
            NoChannel::Full(what) => {
                ticket.refuse();
                let device = self.0.device.clone();
                if self.0.has_given.load(Ordering::Acquire) {
                    ConnectError::Full { device, what }
                } else {
                    ConnectError::Channel { device, what }
                }
            }
        }
    }

    /// Something failed on it before a session was there. Where it has ended nothing was done.
    fn cut(&self, what: &str) -> ConnectError {
        if self.is_closed() {
            let what = self.heard().end.clone().unwrap_or_else(|| what.to_owned());
            return ConnectError::Gone { device: self.0.device.clone(), what };
        }
        self.failed(what)
    }

    /// Why the connection ended, if it has, says more than that something failed on it.
    fn failed(&self, what: &str) -> ConnectError {
        let what = self.heard().end.clone().unwrap_or_else(|| what.to_owned());
        ConnectError::Channel { device: self.0.device.clone(), what }
    }

    fn late(&self) -> ConnectError {
        self.failed(&format!("no answer within {} s", CONNECT_MAX.as_secs()))
    }

    fn line(&self, ticket: Ticket, opened: Opened) -> Line {
        let (messages, write) = opened.split();
        let (writer, orders) = Writer::new();
        let (leaving, left) = oneshot::channel();
        tokio::spawn(serve(self.clone(), ticket, write, orders, leaving));
        let reader = Reader::Ssh(ChannelReader::new(messages, left, &self.0.hearing));
        Line { reader, writer, welcome: self.welcome(), seen: Vec::new() }
    }

    /// What the connection showed when it opened.
    #[must_use]
    pub fn welcome(&self) -> Arc<Welcome> {
        let heard = self.heard();
        Arc::new(Welcome {
            server_id: heard.server_id.get().cloned().unwrap_or_default(),
            banner: heard.banner.clone(),
            host_key: heard.host_key.clone(),
            agreed: heard.agreed.clone(),
            warnings: self.0.warnings.clone(),
        })
    }
}

mod stream {
    //! The stream's bytes are the channel's.

    use std::io;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, ready};

    use russh::ChannelMsg;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Stream;

    impl Stream {
        fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Option<ChannelMsg>> {
            let mut next = pin!(self.read.wait());
            next.as_mut().poll(context)
        }

        fn hear(&mut self, message: Option<ChannelMsg>) {
            match message {
                Some(ChannelMsg::Data { data }) => self.came = data,
                Some(ChannelMsg::Eof) => self.is_at_end = true,
                Some(ChannelMsg::Close) | None => (self.is_at_end, self.is_closed) = (true, true),
                Some(_) => {}
            }
        }
    }

    impl AsyncRead for Stream {
        fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            while this.came.is_empty() && !this.is_at_end {
                let message = ready!(this.poll_message(context));
                this.hear(message);
                if this.is_at_end {
                    // Who waits to write listens from here on.
                    context.waker().wake_by_ref();
                }
            }
            let some = this.came.split_to(this.came.len().min(buffer.remaining()));
            buffer.put_slice(&some);
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Stream {
        fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let this = self.get_mut();
            // Nobody reads any more, and that it is closed comes behind the end.
            while this.is_at_end && !this.is_closed {
                match this.poll_message(context) {
                    Poll::Ready(message) => this.hear(message),
                    Poll::Pending => break,
                }
            }
            if this.is_closed {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            this.to.as_mut().poll_write(context, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.get_mut().to.as_mut().poll_flush(context)
        }

        fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            let done = this.to.as_mut().poll_shutdown(context);
            this.has_ended |= done.is_ready();
            done
        }
    }
}
