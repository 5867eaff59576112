//! Channels of a connection: a terminal, a program, and what carries a line's bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::super::{LineEvent, Order, tell_of, write_all};
use super::connection::Ticket;
use super::error::{WORDS_MAX_BYTES, told, words};
use super::handler::{Hearing, heard};
use super::{Connection, Target};
use crate::limits::{CLOSE_MAX, EARLY_MAX_BYTES, EARLY_MESSAGES_MAX, WAY_AHEAD_MAX_BYTES, WAY_AHEAD_MESSAGES_MAX};
use crate::policy::approved::Program;

/// Why a channel is not there.
pub(super) enum NoChannel {
    /// The server gives no further one.
    Full(String),
    /// Anything else.
    Failed(String),
}

impl NoChannel {
    pub(super) fn of(error: &russh::Error) -> Self {
        match error {
            russh::Error::ChannelOpenFailure(why) => Self::Full(match why {
                russh::ChannelOpenFailure::AdministrativelyProhibited => "it does not allow it".to_owned(),
                russh::ChannelOpenFailure::ConnectFailed => "it has no room for it".to_owned(),
                russh::ChannelOpenFailure::UnknownChannelType => "it knows no sessions".to_owned(),
                russh::ChannelOpenFailure::ResourceShortage => "it has no room for it".to_owned(),
                russh::ChannelOpenFailure::Other { reason, .. } => words(reason, WORDS_MAX_BYTES),
            }),
            other => Self::Failed(told(other)),
        }
    }
}

/// Why a server does not lead on to somewhere.
pub(super) fn no_way(error: &russh::Error) -> String {
    use russh::ChannelOpenFailure as Why;
    match error {
        russh::Error::ChannelOpenFailure(why) => match why {
            Why::AdministrativelyProhibited => "it does not allow it".to_owned(),
            Why::ConnectFailed => "it cannot connect there".to_owned(),
            Why::UnknownChannelType => "it leads nowhere".to_owned(),
            Why::ResourceShortage => "it has no room for it".to_owned(),
            Why::Other { reason, .. } => words(reason, WORDS_MAX_BYTES),
        },
        other => told(other),
    }
}

/// A channel that is there and not yet of use. Unless somebody takes it, it is closed: the library drops one without a word, and the
/// server counts it as long as the connection lives.
pub(super) struct Asked {
    /// Gone once it is taken or closed.
    channel: Option<Channel<Msg>>,
    early: VecDeque<ChannelMsg>,
    early_bytes: usize,
}

impl Asked {
    pub(super) fn new(channel: Channel<Msg>) -> Self {
        Self { channel: Some(channel), early: VecDeque::new(), early_bytes: 0 }
    }

    /// What requests go over.
    pub(super) fn channel(&self) -> Result<&Channel<Msg>, String> {
        self.channel.as_ref().ok_or_else(closed)
    }

    /// Waits for the answer to a request. Some servers start what is asked for before they answer: what it says is kept.
    pub(super) async fn answered(&mut self, request: &str) -> Result<(), String> {
        loop {
            let message = match &mut self.channel {
                Some(channel) => channel.wait().await,
                None => return Err(closed()),
            };
            match message {
                Some(ChannelMsg::Success) => return Ok(()),
                Some(ChannelMsg::Failure) => return Err(format!("it refuses {request}")),
                // It is over already: its end was told.
                Some(ChannelMsg::Close) if self.early.iter().any(is_end) => {
                    self.early.push_back(ChannelMsg::Close);
                    return Ok(());
                }
                Some(ChannelMsg::Close) => return Err(format!("it closed the channel instead of an answer to the request for {request}")),
                Some(message) => self.keep(message, request)?,
                None => return Err(format!("the connection ended before it answered the request for {request}")),
            }
        }
    }

    fn keep(&mut self, message: ChannelMsg, request: &str) -> Result<(), String> {
        self.early_bytes += match &message {
            ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => data.len(),
            ChannelMsg::WindowAdjusted { .. } => return Ok(()),
            _ => 0,
        };
        if self.early_bytes > EARLY_MAX_BYTES || self.early.len() >= EARLY_MESSAGES_MAX {
            return Err(format!("it sends and sends, and does not answer the request for {request}"));
        }
        self.early.push_back(message);
        Ok(())
    }

    /// For whoever keeps it from here on, when what was asked for has come; else it is closed before anything else is asked of the
    /// server, which then has room for that.
    pub(super) async fn taken(mut self, asked: Result<(), String>) -> Result<Opened, String> {
        match asked {
            Ok(()) => self.opened().ok_or_else(closed),
            Err(why) => {
                let channel = self.channel.take().ok_or_else(closed)?;
                // The connection may have ended already.
                let _ = timeout(CLOSE_MAX, channel.close()).await;
                Err(why)
            }
        }
    }

    /// For whoever keeps it from here on.
    pub(super) fn opened(mut self) -> Option<Opened> {
        let channel = self.channel.take()?;
        Some(Opened { channel, early: std::mem::take(&mut self.early) })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(channel) = self.channel.take() {
            close_soon(async move { channel.close().await });
        }
    }
}

/// Has a channel closed for somebody who cannot wait for it.
pub(super) fn close_soon(closing: impl Future<Output = Result<(), russh::Error>> + Send + 'static) {
    tokio::spawn(async move {
        // The other side may be gone already.
        let _ = timeout(CLOSE_MAX, closing).await;
    });
}

fn closed() -> String {
    "its channel is closed".to_owned()
}

/// A channel and what came on it before the server had answered the requests.
pub(super) struct Opened {
    pub(super) channel: Channel<Msg>,
    early: VecDeque<ChannelMsg>,
}

/// Sends variables for what is started next. Servers take those that their `AcceptEnv` names, and do not say which.
pub(super) async fn send(environment: &[(String, String)], channel: &Channel<Msg>) -> Result<(), russh::Error> {
    for (name, value) in environment {
        channel.set_env(false, name, value).await?;
    }
    Ok(())
}

/// Asks for a terminal with a login shell in it.
pub(super) async fn ask_for_shell(target: &Target, asked: &mut Asked) -> Result<(), String> {
    let channel = asked.channel()?;
    let (columns, rows) = target.size;
    let requests = async {
        if target.forward_agent {
            channel.agent_forward(false).await?;
        }
        channel.request_pty(true, &target.terminal, columns.into(), rows.into(), 0, 0, &[]).await?;
        send(&target.manner.environment, channel).await?;
        channel.request_shell(true).await
    };
    requests.await.map_err(|error| told(&error))?;
    for request in ["a terminal", "a shell"] {
        asked.answered(request).await?;
    }
    Ok(())
}

/// What comes on a channel, in its order.
#[derive(Debug)]
pub struct Messages {
    /// What came before the channel was ready.
    early: VecDeque<ChannelMsg>,
    source: Source,
}

impl Messages {
    /// The next one; `None` when the connection has ended.
    pub async fn wait(&mut self) -> Option<ChannelMsg> {
        match self.early.pop_front() {
            Some(early) => Some(early),
            None => self.source.next().await,
        }
    }

    /// Hears them out until the other end has closed the channel.
    pub(super) async fn closed(&mut self) {
        while let Some(message) = self.wait().await {
            if matches!(message, ChannelMsg::Close) {
                return;
            }
        }
    }

    /// Those that are left, for somebody else. None is left here.
    pub(super) fn hand_over(&mut self) -> Self {
        let (_, none) = mpsc::channel(1);
        std::mem::replace(self, Self { early: VecDeque::new(), source: Source::Ahead(none) })
    }

    /// From here on they are taken as they come, up to a bound, so that the connection does not wait for whoever reads them.
    pub(super) fn take_ahead(&mut self) {
        let (ahead, taken) = mpsc::channel(WAY_AHEAD_MESSAGES_MAX);
        let source = std::mem::replace(&mut self.source, Source::Ahead(taken));
        tokio::spawn(take(source, ahead));
    }
}

/// Where messages come from.
#[derive(Debug)]
enum Source {
    /// The library's queue. Its connection waits for room there, with all that goes over it.
    Channel(ChannelReadHalf),
    /// A queue of our own, which is filled from that.
    Ahead(mpsc::Receiver<Taken>),
}

/// A message, and the room that its bytes have.
type Taken = (ChannelMsg, OwnedSemaphorePermit);

impl Source {
    async fn next(&mut self) -> Option<ChannelMsg> {
        match self {
            Self::Channel(channel) => channel.wait().await,
            Self::Ahead(taken) => taken.recv().await.map(|(message, _)| message),
        }
    }
}

/// Takes what comes until nobody reads it any more, which the library does not tell of.
async fn take(mut source: Source, ahead: mpsc::Sender<Taken>) {
    let room = Arc::new(Semaphore::new(WAY_AHEAD_MAX_BYTES));
    loop {
        let message = tokio::select! {
            message = source.next() => message,
            () = ahead.closed() => None,
        };
        let Some(message) = message else { return };
        let bytes = match &message {
            ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => data.len().min(WAY_AHEAD_MAX_BYTES),
            _ => 0,
        };
        let Ok(place) = Arc::clone(&room).acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX)).await else { return };
        if ahead.send((message, place)).await.is_err() {
            return;
        }
    }
}

/// Reads a channel.
#[derive(Debug)]
pub struct ChannelReader {
    messages: Messages,
    /// Says why the channel is closed at this end. The library passes nothing on from then on, not even that the other end has closed it
    /// too.
    left: oneshot::Receiver<String>,
    hearing: Hearing,
    exit: Option<Result<i32, String>>,
    closed: bool,
    /// Why it is, where this end has closed it.
    why: Option<String>,
}

impl ChannelReader {
    pub(super) fn new(messages: Messages, left: oneshot::Receiver<String>, hearing: &Hearing) -> Self {
        Self { messages, left, hearing: Arc::clone(hearing), exit: None, closed: false, why: None }
    }

    /// The next event.
    pub async fn next(&mut self) -> LineEvent {
        while !self.closed {
            let message = tokio::select! {
                biased;
                message = self.messages.wait() => message,
                why = &mut self.left => {
                    self.why = why.ok();
                    None
                }
            };
            match message {
                Some(ChannelMsg::Data { data }) => return LineEvent::Data(data),
                Some(ChannelMsg::ExtendedData { data, .. }) => return LineEvent::Error(data),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.exit = Some(Ok(i32::try_from(exit_status).unwrap_or(i32::MAX)));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.exit = Some(Err(format!("the program was ended by signal {}", signal(&signal_name))));
                }
                Some(ChannelMsg::Close) | None => self.closed = true,
                Some(_) => {}
            }
        }
        match self.exit.take() {
            Some(exit) => LineEvent::Exit(exit),
            None => {
                let end = heard(&self.hearing).end.clone().or_else(|| self.why.clone());
                LineEvent::Closed(end.unwrap_or_else(|| "the device closed the session".to_owned()))
            }
        }
    }
}

impl Opened {
    /// A channel that the server has opened: nothing is asked for on it.
    pub(super) fn new(channel: Channel<Msg>) -> Self {
        Self { channel, early: VecDeque::new() }
    }

    /// Its reader and its writer.
    pub(super) fn split(self) -> (Messages, ChannelWriteHalf<Msg>) {
        let (channel, write) = self.channel.split();
        (Messages { early: self.early, source: Source::Channel(channel) }, write)
    }
}

fn is_end(message: &ChannelMsg) -> bool {
    matches!(message, ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. })
}

fn signal(name: &russh::Sig) -> String {
    match name {
        russh::Sig::Custom(name) => words(name, WORDS_MAX_BYTES),
        known => format!("{known:?}"),
    }
}

/// Works the orders off; keeps the connection as long as the line. Says at the end why there is no more of it.
pub(super) async fn serve(
    connection: Connection,
    ticket: Ticket,
    channel: ChannelWriteHalf<Msg>,
    mut orders: mpsc::Receiver<Order>,
    leaving: oneshot::Sender<String>,
) {
    let why = loop {
        let done = match orders.recv().await {
            Some(Order::Write(bytes)) => {
                write_all(&bytes, |piece| async { channel.data_bytes(piece).await.map_err(|error| told(&error)) }).await
            }
            Some(Order::Signal(name)) => channel.signal(sig(name)).await.map_err(|error| told(&error)),
            Some(Order::Beside(program, reply)) => {
                tokio::spawn(tell_of(beside(connection.clone(), program), reply));
                Ok(())
            }
            Some(Order::Resize(columns, rows)) => {
                channel.window_change(columns.into(), rows.into(), 0, 0).await.map_err(|error| told(&error))
            }
            Some(Order::End) => channel.eof().await.map_err(|error| told(&error)),
            Some(Order::Close) | None => Err("the line is closed".to_owned()),
        };
        if let Err(why) = done {
            break why;
        }
    };
    if connection.is_closed() {
        // Who reads hears of that by itself, with the reason.
        let _ = timeout(CLOSE_MAX, connection.ended()).await;
    }
    // Who reads is not kept waiting by a device that takes nothing, and may be gone already.
    let _ = leaving.send(why);
    // The other side may be gone already.
    let _ = timeout(CLOSE_MAX, channel.close()).await;
    drop(ticket);
    connection.leave().await;
}

/// Runs a short program on a channel of its own: its exit status, and what it complains of. The channel closes with the future.
async fn beside(connection: Connection, program: Program) -> Result<(Option<i32>, Vec<u8>), String> {
    let mut halves = connection.execute(&program).await.map_err(|error| error.to_string())?;
    let (mut status, mut said) = (None, Vec::new());
    while let Some(message) = halves.read.wait().await {
        match message {
            ChannelMsg::ExtendedData { data, .. } => said.extend(data.iter().take(WORDS_MAX_BYTES.saturating_sub(said.len()))),
            ChannelMsg::ExitStatus { exit_status } => status = i32::try_from(exit_status).ok(),
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    Ok((status, said))
}

fn sig(name: &str) -> russh::Sig {
    match name {
        "INT" => russh::Sig::INT,
        "KILL" => russh::Sig::KILL,
        _ => russh::Sig::TERM,
    }
}
