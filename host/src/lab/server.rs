//! The SSH side: who may log in, which channels and requests a device takes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use russh::keys::Certificate;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session as Connection};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::description::Description;
use super::device::Device;
use super::faults::Cutter;
use super::home::Home;
use super::journal::Journal;
use super::limits::CHANNELS_MAX;
use super::login::Login;
use super::program::{on_pipes, on_terminal};
use super::session::Session;
use super::spec::{Auth as AuthKind, Spec};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) seats: Vec<Arc<Seat>>,
    pub(super) port: u16,
    pub(super) journal: Journal,
    pub(super) sessions: AtomicU64,
    pub(super) cancel: CancellationToken,
}

/// A device that can be logged in to.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) description: Description,
    pub(super) password: String,
    pub(super) home: Option<Home>,
}

/// One connection.
pub(super) struct Client {
    shared: Arc<Shared>,
    seat: Option<(Arc<Seat>, Login)>,
    open: HashSet<ChannelId>,
    /// Channels without a program yet.
    waiting: HashMap<ChannelId, Waiting>,
    /// Ends with the connection.
    tasks: JoinSet<()>,
}

/// A channel before its shell, exec or subsystem request.
struct Waiting {
    channel: Channel<Msg>,
    term: String,
    columns: u32,
    rows: u32,
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, seat: None, open: HashSet::new(), waiting: HashMap::new(), tasks: JoinSet::new() }
    }

    /// The device that a login name chooses.
    fn find(&self, sent: &str) -> Option<(Arc<Seat>, Login)> {
        self.shared.seats.iter().find_map(|seat| {
            let description = &seat.description;
            let login = Login::parse(sent, description.user(), description.script.spec.suffix.as_ref())?;
            Some((seat.clone(), login))
        })
    }

    /// Accepts when the device asks in this way and the password is right.
    fn decide(&mut self, user: &str, password: &str, way: AuthKind) -> Auth {
        let Some((seat, login)) = self.find(user) else { return Auth::reject() };
        let kind = seat.description.script.spec.auth;
        if kind == way && is_same(&seat.password, password) {
            self.seat = Some((seat, login));
            return Auth::Accept;
        }
        Auth::Reject { proceed_with_methods: Some(methods(kind)), partial_success: false }
    }

    fn spec(&self) -> Option<&Spec> {
        self.seat.as_ref().map(|(seat, _)| &seat.description.script.spec)
    }

    /// Starts what a shell request asks for; false when the device has no shell.
    fn start_shell(&mut self, id: ChannelId) -> bool {
        let (Some((seat, login)), Some(waiting)) = (self.seat.clone(), self.waiting.remove(&id)) else { return false };
        let cutter = Cutter::new(seat.description.faults);
        let cancel = self.shared.cancel.clone();
        if let Some(home) = &seat.home {
            let Some(program) = home.shell(&waiting.term) else { return false };
            let size = (waiting.columns.max(1), waiting.rows.max(1));
            self.tasks.spawn(on_terminal(waiting.channel, program, size, cutter, cancel));
            return true;
        }
        let login = login.with_terminal(waiting.columns, waiting.rows);
        let device = Device::shell(&seat.description, login);
        self.play(&seat, device, waiting.channel)
    }

    fn start_exec(&mut self, id: ChannelId, command: &str) -> bool {
        let (Some((seat, _)), true) = (self.seat.clone(), self.spec().is_some_and(|spec| spec.exec)) else { return false };
        let Some(waiting) = self.waiting.remove(&id) else { return false };
        if let Some(home) = &seat.home {
            let Some(program) = home.exec(command) else { return false };
            self.tasks.spawn(on_pipes(waiting.channel, program, self.shared.cancel.clone()));
            return true;
        }
        let device = Device::exec(&seat.description, &seat.description.script.start, command);
        self.play(&seat, device, waiting.channel)
    }

    fn start_subsystem(&mut self, id: ChannelId, name: &str) -> bool {
        let Some((seat, _)) = self.seat.clone() else { return false };
        let Some(program) = seat.home.as_ref().and_then(|home| home.subsystem(name)) else { return false };
        let Some(waiting) = self.waiting.remove(&id) else { return false };
        self.tasks.spawn(on_pipes(waiting.channel, program, self.shared.cancel.clone()));
        true
    }

    fn play(&mut self, seat: &Seat, device: Option<Device>, channel: Channel<Msg>) -> bool {
        let Some(device) = device else { return false };
        let session = Session {
            device,
            cutter: Cutter::new(seat.description.faults),
            journal: self.shared.journal.clone(),
            name: seat.description.name().to_owned(),
            number: self.shared.sessions.fetch_add(1, Ordering::Relaxed) + 1,
        };
        self.tasks.spawn(session.play(channel, self.shared.cancel.clone()));
        true
    }

    /// Takes the channel when the device allows one more.
    fn admit(&mut self, channel: Channel<Msg>) -> bool {
        let most = match self.spec().map_or(0, |spec| spec.channels) {
            0 => CHANNELS_MAX,
            most => most.min(CHANNELS_MAX),
        };
        if self.open.len() >= most {
            return false;
        }
        let id = channel.id();
        self.open.insert(id);
        self.waiting.insert(id, Waiting { channel, term: String::new(), columns: 0, rows: 0 });
        true
    }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.decide(user, password, AuthKind::Password))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        if let Some(mut answers) = response {
            let answer = answers.next().unwrap_or_default();
            return Ok(self.decide(user, &String::from_utf8_lossy(&answer), AuthKind::KeyboardInteractive));
        }
        let Some((seat, _)) = self.find(user) else { return Ok(Auth::reject()) };
        let spec = &seat.description.script.spec;
        if spec.auth != AuthKind::KeyboardInteractive {
            return Ok(Auth::Reject { proceed_with_methods: Some(methods(spec.auth)), partial_success: false });
        }
        let question = Cow::Owned(spec.auth_question.clone());
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: Cow::Owned(vec![(question, false)]) })
    }

    async fn auth_publickey_offered(&mut self, _user: &str, _offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::reject())
    }

    async fn auth_openssh_certificate(&mut self, _user: &str, _certificate: &Certificate) -> Result<Auth, Self::Error> {
        Ok(Auth::reject())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Connection,
    ) -> Result<(), Self::Error> {
        if self.admit(channel) {
            reply.accept().await;
        } else {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
        }
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Connection) -> Result<(), Self::Error> {
        self.open.remove(&id);
        self.waiting.remove(&id);
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _from_host: &str,
        _from_port: u32,
        reply: ChannelOpenHandle,
        _: &mut Connection,
    ) -> Result<(), Self::Error> {
        let own = u32::from(self.shared.port) == port && matches!(host, "127.0.0.1" | "localhost");
        if !own || !self.spec().is_some_and(|spec| spec.jump) || self.tasks.len() >= CHANNELS_MAX {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        }
        reply.accept().await;
        let port = self.shared.port;
        self.tasks.spawn(async move {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await {
                // Either side may break off; the other one learns it by the end of its stream.
                let _ended = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut stream).await;
            }
        });
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        let Some(waiting) = self.waiting.get_mut(&id) else { return connection.channel_failure(id) };
        (waiting.columns, waiting.rows) = (columns, rows);
        term.clone_into(&mut waiting.term);
        connection.channel_success(id)
    }

    async fn env_request(&mut self, id: ChannelId, _: &str, _: &str, connection: &mut Connection) -> Result<(), Self::Error> {
        connection.channel_failure(id)
    }

    async fn shell_request(&mut self, id: ChannelId, connection: &mut Connection) -> Result<(), Self::Error> {
        let started = self.start_shell(id);
        answer(id, started, connection)
    }

    async fn exec_request(&mut self, id: ChannelId, command: &[u8], connection: &mut Connection) -> Result<(), Self::Error> {
        let started = self.start_exec(id, &String::from_utf8_lossy(command));
        answer(id, started, connection)
    }

    async fn subsystem_request(&mut self, id: ChannelId, name: &str, connection: &mut Connection) -> Result<(), Self::Error> {
        let started = self.start_subsystem(id, name);
        answer(id, started, connection)
    }
}

fn answer(id: ChannelId, started: bool, connection: &mut Connection) -> Result<(), russh::Error> {
    if started { connection.channel_success(id) } else { connection.channel_failure(id) }
}

fn methods(kind: AuthKind) -> MethodSet {
    let method = match kind {
        AuthKind::Password => MethodKind::Password,
        AuthKind::KeyboardInteractive => MethodKind::KeyboardInteractive,
    };
    MethodSet::from([method].as_slice())
}

/// Compares in a time that does not tell where the difference is.
fn is_same(known: &str, sent: &str) -> bool {
    known.len() == sent.len() && known.bytes().zip(sent.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}
