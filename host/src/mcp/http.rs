//! The HTTP door: the protocol's streamable HTTP transport, for clients that cannot start a process.
//!
//! Nothing comes in without the token. The library checks `Host` and `Origin` behind it, so that a page in somebody's browser does nothing
//! here even if it knows the token. Both eras of the protocol are served: the older one in sessions, which end when they are not used.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::ServerHandler;
use rmcp::model::ProtocolVersion;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Server;
use crate::config::HttpSettings;
use crate::directory::Directory;
use crate::limits::{
    ACCEPT_PAUSE, HTTP_BODY_MAX, HTTP_BODY_MAX_BYTES, HTTP_CONNECTIONS_MAX, HTTP_HEAD_MAX, HTTP_HEAD_MAX_BYTES, HTTP_SESSION_IDLE,
    HTTP_SESSIONS_MAX, HTTP_TOKEN_MIN_BYTES,
};
use crate::secret::{self, Secret};

/// The only path that answers.
const PATH: &str = "/mcp";
/// Names of the loopback interface.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// The header that names a session of the older era.
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// The header that names the revision.
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// A door that is open as long as the value lives.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    _ends: DropGuard,
}

impl Door {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client is given.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }
}

/// The word that each request must bring. Only its digest stays in memory.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// Takes a secret for it.
    ///
    /// # Errors
    ///
    /// When it is too short to be safe, or no header can carry it.
    pub fn new(secret: &Secret) -> Result<Self, String> {
        let word = secret.expose();
        if word.len() < HTTP_TOKEN_MIN_BYTES || !word.iter().all(u8::is_ascii_graphic) {
            return Err(format!(
                "the token must have at least {HTTP_TOKEN_MIN_BYTES} letters, digits and signs, without spaces; `openssl rand -hex 32` makes one"
            ));
        }
        Ok(Self(Sha256::digest(word).into()))
    }

    /// Does the request bring it, as `Authorization: Bearer`? How long this takes tells nothing of the token.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (all.next(), all.next()) else { return false };
        let Some((scheme, word)) = value.as_bytes().split_at_checked("bearer ".len()) else { return false };
        let given: [u8; 32] = Sha256::digest(word.trim_ascii()).into();
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(given.ct_eq(&self.0))
    }
}

/// Opens the door that the configuration wants, if it wants one, and keeps it open until the future is dropped. What goes wrong is told to
/// the operator: clients on the pipe do without it.
pub async fn keep_open(directory: Arc<Directory>) {
    let config = Arc::clone(&directory.world().config);
    let Some(settings) = &config.http else { return };
    match listen(directory, settings).await {
        Ok(door) => {
            crate::diagnostics::warn(&format!("the HTTP door is open at {}", door.url()));
            std::future::pending::<()>().await;
        }
        Err(why) => crate::diagnostics::error(&format!("the HTTP door stays closed: {why}")),
    }
}

/// Opens a door to the tools of this directory.
///
/// # Errors
///
/// A sentence, when the token is not there or nothing can listen at the address.
pub async fn listen(directory: Arc<Directory>, settings: &HttpSettings) -> Result<Door, String> {
    let secret = secret::resolve(&settings.token).await.map_err(|error| error.to_string())?;
    let token = Token::new(&secret)?;
    let server = Server::new(directory);
    open(settings, token, move || server.beside()).await
}

/// The same to any handler of the protocol, which is made for each session and each request outside of one.
///
/// # Errors
///
/// A sentence, when nothing can listen at the address.
pub async fn open<H: ServerHandler>(
    settings: &HttpSettings,
    token: Token,
    handler: impl Fn() -> H + Send + Sync + 'static,
) -> Result<Door, String> {
    let listening = async {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        Ok::<_, io::Error>((listener, address))
    };
    let (listener, address) = listening.await.map_err(|error| {
        format!(
            "nothing can listen at {}: {error}; another server of yours may have it: `listen` in [http] names another port",
            settings.listen
        )
    })?;
    let ends = CancellationToken::new();
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(HTTP_SESSION_IDLE);
    let sessions = Arc::new(sessions);
    let rules = rules(settings, address).with_cancellation_token(ends.clone());
    let service = StreamableHttpService::new(move || Ok(handler()), Arc::clone(&sessions), rules);
    tokio::spawn(accept(listener, Arc::new(Gate { token, sessions, service }), ends.clone()));
    Ok(Door { address, _ends: ends.drop_guard() })
}

/// Who may call: clients that know the door by a name of its own, and pages that came from it, of which there are none.
fn rules(settings: &HttpSettings, address: SocketAddr) -> StreamableHttpServerConfig {
    let own = Some(address.ip().to_string()).filter(|_| !address.ip().is_unspecified());
    let hosts: Vec<String> = LOOPBACK.map(str::to_owned).into_iter().chain(own).chain(settings.hosts.iter().cloned()).collect();
    let bracketed = |host: &String| if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let plain = hosts.iter().map(|host| format!("http://{}:{}", bracketed(host), address.port()));
    // A proxy with TLS has names of its own.
    let proxied = settings.hosts.iter().map(|host| format!("https://{}:*", bracketed(host)));
    let origins: Vec<String> = plain.chain(proxied).collect();
    StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(HTTP_BODY_MAX_BYTES)
}

async fn accept<H: ServerHandler>(listener: TcpListener, gate: Arc<Gate<H>>, ends: CancellationToken) {
    let room = Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX));
    loop {
        // Who finds no room waits in the system's queue.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ends.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            // The process has no file left, or the client has gone already.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (gate, ends) = (Arc::clone(&gate), ends.clone());
        tokio::spawn(async move {
            serve(stream, gate, ends).await;
            drop(place);
        });
    }
}

async fn serve<H: ServerHandler>(stream: TcpStream, gate: Arc<Gate<H>>, ends: CancellationToken) {
    // An answer is one piece of text that somebody waits for.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let gate = Arc::clone(&gate);
        async move { Ok::<_, Infallible>(gate.answer(request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HTTP_HEAD_MAX).max_buf_size(HTTP_HEAD_MAX_BYTES);
    let connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A client that breaks off is its own affair.
        _ = connection => {}
        () = ends.cancelled() => {}
    }
}

/// What stands between a request and the protocol.
struct Gate<H> {
    token: Token,
    sessions: Arc<LocalSessionManager>,
    service: StreamableHttpService<H, LocalSessionManager>,
}

impl<H: ServerHandler> Gate<H> {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if request.uri().path() != PATH {
            return said(StatusCode::NOT_FOUND, &format!("there is nothing here; the door is at {PATH}"));
        }
        if !self.token.is_in(request.headers()) {
            let mut answer = said(
                StatusCode::UNAUTHORIZED,
                "the request brings no token, or a wrong one; send `Authorization: Bearer TOKEN` with the one that `token` in [http] of the \
                 configuration names",
            );
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"jackfield\""));
            return answer;
        }
        if wants_session(&request) && self.sessions.sessions.read().await.len() >= HTTP_SESSIONS_MAX {
            let mut answer = said(
                StatusCode::SERVICE_UNAVAILABLE,
                &format!("{HTTP_SESSIONS_MAX} clients are here, the most that there may be; end one of them, or try again later"),
            );
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(HTTP_HEAD_MAX.as_secs()));
            return answer;
        }
        match whole(request).await {
            Ok(request) => self.service.handle(request).await,
            Err(refused) => refused,
        }
    }
}

/// The request with its body, within bounds.
async fn whole(request: Request<Incoming>) -> Result<Request<Full<Bytes>>, Answer> {
    let (head, body) = request.into_parts();
    match timeout(HTTP_BODY_MAX, Limited::new(body, HTTP_BODY_MAX_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, Full::new(body.to_bytes()))),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(said(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("the message has more than {HTTP_BODY_MAX_BYTES} bytes; ssh_transfer copies files of any size"),
        )),
        Ok(Err(error)) => Err(said(StatusCode::BAD_REQUEST, &format!("the message breaks off: {error}"))),
        Err(_) => Err(said(StatusCode::REQUEST_TIMEOUT, &format!("the message is not complete after {} s", HTTP_BODY_MAX.as_secs()))),
    }
}

/// May this request begin a session? Requests of the newer era never do.
fn wants_session<B>(request: &Request<B>) -> bool {
    let newer = |revision: &HeaderValue| revision.as_bytes() >= ProtocolVersion::V_2026_07_28.as_str().as_bytes();
    let headers = request.headers();
    request.method() == Method::POST && !headers.contains_key(SESSION) && !headers.get(REVISION).is_some_and(newer)
}

/// A refusal in words. What else is on the connection is not read.
fn said(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(format!("{text}\n"))).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "0123456789abcdefghijklmnopqrstuv";

    fn token(word: &str) -> Result<Token, String> {
        Token::new(&Secret::from_bytes(word.as_bytes().to_vec()))
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = token(WORD).unwrap();
        let is_in = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            token.is_in(&headers)
        };
        let whole = format!("Bearer {WORD}");
        assert!(is_in(&[&whole]) && is_in(&[&format!("bearer  {WORD} ")]));
        for wrong in [WORD, "Bearer", "Bearer ", "", &whole[..whole.len() - 1], &format!("{whole}x"), &format!("Basic {WORD}")] {
            assert!(!is_in(&[wrong]), "{wrong}");
        }
        assert!(!is_in(&[]) && !is_in(&[&whole, &whole]), "none, or two");
        assert_eq!(format!("{token:?}"), "Token");
    }

    #[test]
    fn a_token_that_could_be_guessed_or_not_be_sent_is_refused() {
        for weak in ["hunter2", "with a space in the middle of it all", "umläute-und-anderes-mehr-als-genug"] {
            let why = token(weak).unwrap_err();
            assert!(why.contains("openssl rand -hex 32") && !why.contains(weak), "{why}");
        }
    }

    #[test]
    fn only_requests_of_the_older_era_begin_sessions() {
        let wants = |method: Method, headers: &[(HeaderName, &str)]| {
            let mut request = Request::builder().method(method).uri(PATH);
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            wants_session(&request.body(()).unwrap())
        };
        assert!(wants(Method::POST, &[]) && wants(Method::POST, &[(REVISION, "2025-11-25")]));
        assert!(!wants(Method::POST, &[(REVISION, "2026-07-28")]) && !wants(Method::POST, &[(SESSION, "s")]) && !wants(Method::GET, &[]));
    }

    #[test]
    fn the_door_is_called_by_its_own_names() {
        let settings = HttpSettings {
            listen: "0.0.0.0:1".parse().unwrap(),
            token: secret::SecretSource::Input,
            hosts: vec!["jack.example.com".to_owned()],
        };
        let any = rules(&settings, "0.0.0.0:7340".parse().unwrap());
        assert_eq!(any.allowed_hosts, ["localhost", "127.0.0.1", "::1", "jack.example.com"]);
        assert!(any.allowed_origins.contains(&"http://[::1]:7340".to_owned()));
        assert!(any.allowed_origins.contains(&"https://jack.example.com:*".to_owned()));
        let own = rules(&settings, "192.0.2.7:7340".parse().unwrap());
        assert!(own.allowed_hosts.contains(&"192.0.2.7".to_owned()));
    }
}
