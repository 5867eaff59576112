//! Sessions that are played, for trying the viewer: real shells, and devices that only look like ones.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf, split};
use tokio::sync::{broadcast, mpsc};

use jackfield::guest::wire::{ApprovalState, Author, AuthorKind, Data, GuestState, LockState, Rule, RunningState, Say, SessionState, Tell};
use jackfield::transport::questions::Question;
use jackfield::viewer::{Guest, House, RecordingInfo, recordings};

mod play;

/// Rows of scroll-back that a screen keeps.
const KEPT_ROWS: usize = 0;

/// Something that guests are told.
#[derive(Debug, Clone)]
enum Event {
    Changed,
    Output(String, Vec<u8>),
    Typed(String, Author, String),
    Resized(String),
    Ended(String, String),
}

/// What a shell is told.
enum Input {
    Bytes(Vec<u8>),
    Size(u16, u16),
}

struct Played {
    state: SessionState,
    screen: vt100::Parser,
    shell: Option<mpsc::Sender<Input>>,
    /// What was typed since the last Enter.
    line: String,
    typed_count: u64,
}

struct World {
    sessions: BTreeMap<String, Played>,
    approvals: Vec<ApprovalState>,
    questions: Vec<Question>,
    panic: Option<String>,
}

/// The played sessions.
#[derive(Clone)]
pub struct Fake {
    world: Arc<Mutex<World>>,
    events: broadcast::Sender<Event>,
    recordings: PathBuf,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake").finish_non_exhaustive()
    }
}

/// Rows or columns as a screen wants them.
fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap_or(NonZero::<u16>::MIN)
}

/// Milliseconds of Unix time.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or_default())
}

fn author(kind: AuthorKind, name: &str) -> Author {
    Author { kind, name: name.to_owned() }
}

impl Fake {
    /// Sessions, and recordings of this folder.
    #[must_use]
    pub fn new(recordings: PathBuf) -> Self {
        let (events, _) = broadcast::channel(256);
        let world = World { sessions: play::sessions(), approvals: play::approvals(), questions: play::questions(), panic: None };
        let fake = Self { world: Arc::new(Mutex::new(world)), events, recordings };
        fake.shell("web1");
        fake
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: Event) {
        // Nobody may be there.
        let _ = self.events.send(event);
    }

    /// Changes a session's state, if it is there.
    fn change(&self, session: &str, change: impl FnOnce(&mut Played)) -> Result<(), String> {
        let mut world = self.world();
        let known = world.sessions.keys().cloned().collect::<Vec<_>>().join(", ");
        let played = world.sessions.get_mut(session).ok_or_else(|| format!("there is no session `{session}`; there are {known}"))?;
        change(played);
        drop(world);
        self.tell(Event::Changed);
        Ok(())
    }

    fn output(&self, session: &str, bytes: &[u8]) {
        if let Some(played) = self.world().sessions.get_mut(session) {
            played.screen.process(bytes);
            played.state.log_bytes += bytes.len() as u64;
        }
        self.tell(Event::Output(session.to_owned(), bytes.to_vec()));
    }

    /// A real shell behind a terminal.
    fn shell(&self, session: &str) {
        let (sender, receiver) = mpsc::channel(256);
        if self.change(session, |played| played.shell = Some(sender)).is_ok() {
            let (fake, name) = (self.clone(), session.to_owned());
            tokio::spawn(async move {
                let why =
                    fake.run_shell(&name, receiver).await.map_or_else(|error| error.to_string(), |()| "the shell has ended".to_owned());
                fake.end(&name, &why);
            });
        }
    }

    async fn run_shell(&self, session: &str, mut inputs: mpsc::Receiver<Input>) -> Result<(), pty_process::Error> {
        let (pty, pts) = pty_process::open()?;
        let size = self.world().sessions.get(session).map_or((24, 80), |played| (played.state.rows, played.state.columns));
        pty.resize(pty_process::Size::new(size.0, size.1))?;
        let prompt = format!("\\[\\e[32m\\]{session}\\[\\e[0m\\]:\\w$ ");
        let mut shell = pty_process::Command::new("env")
            // Who starts this in the background may have had it ignore Ctrl-C, which programs pass on.
            .args(["--default-signal=INT,QUIT", "bash", "--norc", "--noprofile", "-i"])
            .env("PS1", prompt)
            .env("TERM", "xterm-256color")
            .env("HISTFILE", "/dev/null")
            .current_dir("/tmp")
            .kill_on_drop(true)
            .spawn(pts)?;
        let (mut from, mut to) = pty.into_split();
        let mut buffer = vec![0; 8192];
        loop {
            tokio::select! {
                read = from.read(&mut buffer) => match read {
                    Ok(count @ 1..) => self.output(session, buffer.get(..count).unwrap_or_default()),
                    _ => break,
                },
                input = inputs.recv() => match input {
                    None => break,
                    Some(Input::Bytes(bytes)) => to.write_all(&bytes).await?,
                    Some(Input::Size(columns, rows)) => to.resize(pty_process::Size::new(rows, columns))?,
                },
            }
        }
        let _ = shell.start_kill();
        Ok(())
    }

    fn end(&self, session: &str, why: &str) {
        let ended = self.change(session, |played| {
            played.shell = None;
            played.state.state = "closed".to_owned();
            played.state.detail = why.to_owned();
            played.state.running = None;
        });
        if ended.is_ok() {
            self.tell(Event::Ended(session.to_owned(), why.to_owned()));
        }
    }

    fn send(&self, session: &str, input: Input) -> Result<(), String> {
        let shell = self.world().sessions.get(session).and_then(|played| played.shell.clone());
        let shell = shell.ok_or_else(|| format!("nothing can be typed into `{session}`: it has no terminal now"))?;
        shell.try_send(input).map_err(|_| "the line is busy; try again".to_owned())
    }

    /// Types as somebody, and tells the lines.
    fn type_as(&self, session: &str, by: &Author, bytes: &[u8]) -> Result<(), String> {
        self.send(session, Input::Bytes(bytes.to_vec()))?;
        let mut lines = Vec::new();
        let mut count = 0;
        self.change(session, |played| {
            for ch in String::from_utf8_lossy(bytes).chars() {
                match ch {
                    '\r' | '\n' => lines.push(std::mem::take(&mut played.line)),
                    '\u{7f}' => drop(played.line.pop()),
                    '\u{3}' => {
                        played.line.clear();
                        lines.push("\u{3}".to_owned());
                    }
                    ch if ch.is_control() => {}
                    ch => played.line.push(ch),
                }
            }
            played.typed_count += 1;
            count = played.typed_count;
            played.state.idle_s = 0;
            if by.kind == AuthorKind::Person {
                played.state.lock.typing = true;
                played.state.lock.holder.get_or_insert_with(|| by.clone());
            }
        })?;
        for line in lines {
            self.tell(Event::Typed(session.to_owned(), by.clone(), line));
        }
        let (fake, name) = (self.clone(), session.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            // It was the last key so far.
            let _ = fake.change(&name, |played| {
                if played.typed_count == count {
                    played.state.lock.typing = false;
                    if played.state.lock.rule == Rule::Everyone {
                        played.state.lock.holder = None;
                    }
                }
            });
        });
        Ok(())
    }

    fn sessions(&self) -> Tell {
        let world = self.world();
        Tell::Sessions {
            sessions: world.sessions.values().map(|played| played.state.clone()).collect(),
            approvals: world.approvals.clone(),
            questions: world.questions.clone(),
            panic: world.panic.clone(),
            devices: ["core-sw1", "db1", "edge2", "lab-olt", "rb1", "web1", "web2"].map(str::to_owned).to_vec(),
        }
    }

    fn screen(&self, session: &str, skipped: u64) -> Option<Tell> {
        let world = self.world();
        let played = world.sessions.get(session)?;
        let data = Data(played.screen.screen().state_formatted().into_bytes());
        Some(Tell::Screen { session: session.to_owned(), columns: played.state.columns, rows: played.state.rows, data, skipped })
    }

    fn state(&self, session: &str) -> Option<Tell> {
        self.world().sessions.get(session).map(|played| Tell::State { session: Box::new(played.state.clone()) })
    }
}

impl House for Fake {
    fn serve_guest(&self, guest: Guest, stream: DuplexStream) {
        let visit = Visit { fake: self.clone(), guest, at: None };
        tokio::spawn(visit.serve(stream));
    }

    fn recordings(&self) -> Vec<RecordingInfo> {
        recordings::list(&self.recordings)
    }

    fn recording(&self, name: &str) -> Result<PathBuf, String> {
        recordings::path(&self.recordings, name)
    }
}

/// A guest's connection.
struct Visit {
    fake: Fake,
    guest: Guest,
    at: Option<String>,
}

type Lines = WriteHalf<DuplexStream>;

impl Visit {
    async fn serve(mut self, stream: DuplexStream) {
        let (from, mut to) = split(stream);
        let mut lines = BufReader::new(from).lines();
        let mut events = self.fake.events.subscribe();
        let welcome = Tell::Welcome { you: self.guest.name.clone(), may_type: self.guest.may_type, version: "0.1.0".to_owned() };
        let mut going = tell(&mut to, Some(welcome)).await;
        let mut lists = false;
        while going {
            tokio::select! {
                line = lines.next_line() => {
                    let Ok(Some(line)) = line else { break };
                    let Ok(say) = serde_json::from_str::<Say>(&line) else { break };
                    lists |= say == Say::List;
                    going = self.on_say(say, &mut to).await;
                }
                event = events.recv() => going = match event {
                    Ok(Event::Changed) if lists => {
                        let state = self.at.as_deref().and_then(|at| self.fake.state(at));
                        tell(&mut to, state).await && tell(&mut to, Some(self.fake.sessions())).await
                    }
                    Ok(event) => self.on_event(event, &mut to).await,
                    Err(broadcast::error::RecvError::Lagged(skipped)) => {
                        tell(&mut to, self.at.as_deref().and_then(|at| self.fake.screen(at, skipped * 4096))).await
                    }
                    Err(broadcast::error::RecvError::Closed) => false,
                },
            }
        }
        self.leave();
    }

    async fn on_event(&self, event: Event, to: &mut Lines) -> bool {
        let at = self.at.as_deref();
        let message = match event {
            Event::Output(session, data) if at == Some(&session) => Some(Tell::Output { data: Data(data) }),
            Event::Typed(session, by, text) if at == Some(&session) => Some(Tell::Typed { by, text }),
            Event::Resized(session) if at == Some(&session) => self.fake.screen(&session, 0),
            Event::Ended(session, why) if at == Some(&session) => Some(Tell::Ended { why }),
            _ => None,
        };
        tell(to, message).await
    }

    fn leave(&mut self) {
        let Some(at) = self.at.take() else { return };
        let name = self.guest.name.clone();
        let _ = self.fake.change(&at, |played| played.state.guests.retain(|guest| guest.name != name));
    }

    async fn on_say(&mut self, say: Say, to: &mut Lines) -> bool {
        let reply = match say {
            Say::List => Ok(Some(self.fake.sessions())),
            Say::Leave => {
                self.leave();
                Ok(None)
            }
            Say::Enter { session, columns, rows } => return self.enter(&session, (columns, rows), to).await,
            say => self.act(say).map(|done| done.map(|text| Tell::Done { text })),
        };
        tell(to, reply.unwrap_or_else(|why| Some(Tell::Refused { why }))).await
    }

    async fn enter(&mut self, session: &str, size: (u16, u16), to: &mut Lines) -> bool {
        self.leave();
        let Guest { name, by, may_type } = self.guest.clone();
        let guest = GuestState { name, by: by.to_owned(), may_type };
        if let Err(why) = self.fake.change(session, |played| played.state.guests.push(guest)) {
            return tell(to, Some(Tell::Refused { why })).await;
        }
        self.at = Some(session.to_owned());
        if size.0 > 0 {
            let _ = self.resize(size);
        }
        let mut messages = vec![self.fake.screen(session, 0), self.fake.state(session)];
        messages.extend(play::typed_before(session).into_iter().map(Some));
        for message in messages {
            if !tell(to, message).await {
                return false;
            }
        }
        true
    }

    fn here(&self) -> Result<String, String> {
        self.at.clone().ok_or_else(|| "you are at no session; enter one first".to_owned())
    }

    fn me(&self) -> Author {
        author(AuthorKind::Person, &self.guest.name)
    }

    fn resize(&self, (columns, rows): (u16, u16)) -> Result<(), String> {
        let at = self.here()?;
        self.fake.send(&at, Input::Size(columns, rows))?;
        self.fake.change(&at, |played| {
            (played.state.columns, played.state.rows) = (columns, rows);
            played.screen.screen_mut().set_size(cells(rows), cells(columns));
        })?;
        self.fake.tell(Event::Resized(at));
        Ok(())
    }

    fn act(&self, say: Say) -> Result<Option<String>, String> {
        let fake = &self.fake;
        match say {
            Say::Type { data } => fake.type_as(&self.here()?, &self.me(), &data.0).map(|()| None),
            Say::Resize { columns, rows } => self.resize((columns, rows)).map(|()| None),
            // No page says these.
            Say::Bring { .. } | Say::Run { .. } | Say::Log { .. } => Ok(None),
            Say::Lock { session, rule, seconds, .. } => {
                let lock = LockState { rule, holder: Some(self.me()), seconds_left: seconds, typing: false };
                fake.change(&session, |played| played.state.lock = lock)?;
                Ok(Some(format!("people only type into {session} now")))
            }
            Say::Unlock { session } => {
                fake.change(&session, |played| played.state.lock = LockState::default())?;
                Ok(Some(format!("agents and people may type into {session}")))
            }
            Say::Panic { on } => {
                fake.world().panic = on.then(|| self.guest.name.clone());
                fake.tell(Event::Changed);
                Ok(Some(if on { "no agent may type anywhere" } else { "agents may type again" }.to_owned()))
            }
            Say::Decide { id, allow } => self.decide(&id, allow).map(Some),
            Say::Answer { id, .. } => {
                fake.world().questions.retain(|question| question.id != id);
                fake.tell(Event::Changed);
                Ok(Some(format!("answered {id}")))
            }
            Say::Interrupt { session, .. } => fake.type_as(&session, &self.me(), b"\x03").map(|()| Some("interrupted".to_owned())),
            Say::Open { session } => {
                let played = play::shell_session(&session);
                fake.world().sessions.insert(session.clone(), played);
                fake.shell(&session);
                Ok(Some(format!("{session} is open")))
            }
            Say::Close { session } => {
                fake.end(&session, &format!("closed by {}", self.guest.name));
                Ok(Some(format!("{session} is closed")))
            }
            Say::Note { session, text } => {
                fake.change(&session, |played| played.state.note = text)?;
                Ok(Some("noted".to_owned()))
            }
            Say::List | Say::Enter { .. } | Say::Leave => Ok(None),
        }
    }

    fn decide(&self, id: &str, allow: bool) -> Result<String, String> {
        let mut world = self.fake.world();
        let at = world.approvals.iter().position(|approval| approval.id == id).ok_or("it was answered already, or is over")?;
        let approval = world.approvals.remove(at);
        drop(world);
        self.fake.tell(Event::Changed);
        if allow && approval.target == "web1" {
            let agent = author(AuthorKind::Agent, &approval.caller);
            self.fake.type_as("web1", &agent, format!("{}\r", approval.text).as_bytes())?;
        }
        Ok(format!("{} on {}", if allow { "allowed once" } else { "denied" }, approval.target))
    }
}

async fn tell(to: &mut Lines, message: Option<Tell>) -> bool {
    let Some(message) = message else { return true };
    let Ok(line) = serde_json::to_string(&message) else { return false };
    to.write_all((line + "\n").as_bytes()).await.is_ok()
}

/// A command that runs.
fn running(text: &str, seconds: u64) -> RunningState {
    RunningState {
        id: "c41".to_owned(),
        text: text.to_owned(),
        by: author(AuthorKind::Agent, "claude-code"),
        since_ms: now_ms() - seconds * 1000,
    }
}
