//! Channels of a connection: a terminal, a program, and what carries a line's bytes.

use std::sync::Arc;

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::{LineEvent, Order, write_all};
use super::connection::Ticket;
use super::handler::{Handler, Hearing, heard};
use super::{Connection, Target};
use crate::limits::CLOSE_MAX;

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
                russh::ChannelOpenFailure::Other { reason, .. } => reason.clone(),
            }),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// A terminal with a login shell in it.
pub(super) async fn shell(target: &Target, handle: &Handle<Handler>) -> Result<Channel<Msg>, NoChannel> {
    let mut channel = handle.channel_open_session().await.map_err(|error| NoChannel::of(&error))?;
    let (columns, rows) = target.size;
    let requests = async {
        if target.forward_agent {
            channel.agent_forward(false).await?;
        }
        channel.request_pty(true, &target.terminal, columns.into(), rows.into(), 0, 0, &[]).await?;
        channel.request_shell(true).await
    };
    requests.await.map_err(|error| NoChannel::Failed(error.to_string()))?;
    for request in ["a terminal", "a shell"] {
        answered(&mut channel, request).await.map_err(NoChannel::Failed)?;
    }
    Ok(channel)
}

/// Waits for the answer to a request.
pub(super) async fn answered(channel: &mut Channel<Msg>, request: &str) -> Result<(), String> {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return Ok(()),
            Some(ChannelMsg::WindowAdjusted { .. }) => {}
            Some(ChannelMsg::Failure) => return Err(format!("it refuses {request}")),
            other => return Err(format!("it answered the request for {request} with {other:?}")),
        }
    }
}

/// Reads a channel.
#[derive(Debug)]
pub struct ChannelReader {
    channel: ChannelReadHalf,
    hearing: Hearing,
    exit: Option<Result<i32, String>>,
    closed: bool,
}

impl ChannelReader {
    pub(super) fn new(channel: ChannelReadHalf, hearing: &Hearing) -> Self {
        Self { channel, hearing: Arc::clone(hearing), exit: None, closed: false }
    }

    /// The next event.
    pub async fn next(&mut self) -> LineEvent {
        while !self.closed {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => return LineEvent::Data(data),
                Some(ChannelMsg::ExtendedData { data, .. }) => return LineEvent::Error(data),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.exit = Some(Ok(i32::try_from(exit_status).unwrap_or(i32::MAX)));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.exit = Some(Err(format!("the program was ended by signal {signal_name:?}")));
                }
                Some(ChannelMsg::Close) | None => self.closed = true,
                Some(_) => {}
            }
        }
        match self.exit.take() {
            Some(exit) => LineEvent::Exit(exit),
            None => {
                let end = heard(&self.hearing).end.clone();
                LineEvent::Closed(end.unwrap_or_else(|| "the device closed the session".to_owned()))
            }
        }
    }
}

/// Works the orders off; keeps the connection as long as the line.
pub(super) async fn serve(connection: Connection, ticket: Ticket, channel: ChannelWriteHalf<Msg>, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        let done = match order {
            Order::Write(bytes) => {
                write_all(&bytes, |piece| async { channel.data_bytes(piece).await.map_err(|error| error.to_string()) }).await
            }
            Order::Signal(name) => channel.signal(sig(name)).await.map_err(|error| error.to_string()),
            Order::Close => break,
        };
        if done.is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = timeout(CLOSE_MAX, channel.close()).await;
    drop(ticket);
    connection.leave().await;
}

fn sig(name: &str) -> russh::Sig {
    match name {
        "INT" => russh::Sig::INT,
        "KILL" => russh::Sig::KILL,
        _ => russh::Sig::TERM,
    }
}
