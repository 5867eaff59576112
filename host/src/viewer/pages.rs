//! What the viewer answers to requests.
//!
//! | path | who | |
//! |---|---|---|
//! | `/login?token=…` | whoever has a link | a cookie for it, and on to `/` |
//! | `/` | logged in | the page |
//! | `/me` | logged in | who one is: the page asks when its WebSocket is lost |
//! | `/ws` | logged in | the WebSocket ([`relay`]) |
//! | `/recordings`, `/recordings/NAME` | logged in | the list as JSON; an asciicast |
//! | other files of the page | all | they are the same everywhere |

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::assets::asset;
use super::keys::Visitor;
use super::{Shared, guard, recordings, relay};
use crate::hex;
use crate::limits::VIEWER_RECORDING_MAX_BYTES;

/// Where the page's text has the place for its nonce.
const NONCE: &str = "{nonce}";

const LOG_IN: &str = "You are not logged in here, or no longer. `jackfield viewer` opens the viewer, and prints a link that logs one \
     browser in, once, within five minutes.";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let inside = Router::new()
        .route("/", get(page))
        .route("/me", get(me))
        .route("/recordings", get(list))
        .route("/recordings/{name}", get(recording))
        .route("/ws", get(relay::upgrade))
        .route_layer(from_fn_with_state(Arc::clone(&shared), known));
    let all = inside.route("/login", get(login)).fallback(file).layer(from_fn(only_get));
    all.layer(from_fn_with_state(Arc::clone(&shared), guard::guard)).with_state(shared)
}

/// A short page with a sentence.
pub(super) fn sentence(status: StatusCode, text: &str) -> Response {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    // What stands between back quotes is code.
    let text: String =
        text.split('`').enumerate().map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect();
    let page = String::from_utf8_lossy(asset("/message.html").map_or(b"{text}", |asset| asset.content)).replace("{text}", &text);
    (status, Html(page)).into_response()
}

/// Lets those in who are logged in, and tells the request who it is.
async fn known(State(shared): State<Arc<Shared>>, mut request: Request, next: axum::middleware::Next) -> Response {
    let visitor = cookie(&shared, request.headers()).and_then(|cookie| shared.keys().visitor(cookie, Instant::now()));
    let Some(visitor) = visitor else { return sentence(StatusCode::UNAUTHORIZED, LOG_IN) };
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// Everything is read; what changes something goes over the WebSocket.
async fn only_get(request: Request, next: axum::middleware::Next) -> Response {
    if *request.method() != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response();
    }
    next.run(request).await
}

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    token: String,
}

async fn login(State(shared): State<Arc<Shared>>, Query(login): Query<Login>, headers: HeaderMap) -> Response {
    let before = cookie(&shared, &headers);
    let now = Instant::now();
    // In a statement of its own: the lock ends with it.
    let made = shared.keys().log_in(&login.token, before, now);
    match made {
        Err(why) => sentence(StatusCode::SERVICE_UNAVAILABLE, &why),
        Ok(Some(cookie)) => {
            let cookie = format!("{}={cookie}; HttpOnly; SameSite=Strict; Path=/", cookie_name(&shared));
            ([(header::SET_COOKIE, cookie)], onward(&headers)).into_response()
        }
        // Somebody goes back to the link that has let this browser in.
        Ok(None) if before.is_some_and(|cookie| shared.keys().visitor(cookie, now).is_some()) => onward(&headers),
        Ok(None) => sentence(
            StatusCode::UNAUTHORIZED,
            "This link was used already, or is older than five minutes. `jackfield viewer` makes another one.",
        ),
    }
}

/// To the page. Where another site has led here a redirect would still count as that site's, and go without the cookie: so the
/// browser gets a page of ours that goes on.
fn onward(headers: &HeaderMap) -> Response {
    let site = headers.get(HeaderName::from_static("sec-fetch-site")).and_then(|site| site.to_str().ok());
    match (site, asset("/onward.html")) {
        (Some("cross-site" | "same-site"), Some(asset)) => Html(asset.content).into_response(),
        _ => Redirect::to("/").into_response(),
    }
}

async fn page() -> Response {
    let mut bytes = [0; 16];
    let (Some(asset), Ok(())) = (asset("/index.html"), getrandom::fill(&mut bytes)) else {
        return sentence(StatusCode::SERVICE_UNAVAILABLE, "The system has no random bytes; try again.");
    };
    let nonce = hex::digits(&bytes);
    // The terminal writes rules of its own into the page: sizes of cells, colours. They carry this nonce.
    let policy = guard::POLICY.replace("style-src 'self'", &format!("style-src 'self' 'nonce-{nonce}'"));
    let text = String::from_utf8_lossy(asset.content).replace(NONCE, &nonce);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(text)).into_response()
}

async fn file(request: Request) -> Response {
    match asset(request.uri().path()).filter(|asset| asset.kind != "text/html") {
        Some(asset) => ([(header::CONTENT_TYPE, asset.kind)], asset.content).into_response(),
        None => sentence(StatusCode::NOT_FOUND, "There is no such page. The sessions are at `/`."),
    }
}

async fn me(axum::Extension(visitor): axum::Extension<Visitor>) -> Response {
    json(&serde_json::json!({"number": visitor.number, "may_type": visitor.may_type}).to_string())
}

async fn list(State(shared): State<Arc<Shared>>) -> Response {
    let house = Arc::clone(&shared.house);
    let listed = tokio::task::spawn_blocking(move || serde_json::to_string(&house.recordings())).await;
    match listed {
        Ok(Ok(text)) => json(&text),
        _ => sentence(StatusCode::INTERNAL_SERVER_ERROR, "The recordings cannot be listed; the log of jackfield says why."),
    }
}

async fn recording(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    let absent = |why: &str| sentence(StatusCode::NOT_FOUND, why);
    if !recordings::is_name(&name) {
        return absent("A recording's name ends with .cast or .cast.part and has letters, digits and -._ before it: see `/recordings`.");
    }
    let path = match shared.house.recording(&name) {
        Ok(path) => path,
        Err(why) => return absent(&why),
    };
    let opened = async {
        let file = tokio::fs::File::open(&path).await?;
        let bytes = file.metadata().await?.len();
        Ok::<_, std::io::Error>((file, bytes))
    };
    let Ok((file, bytes)) = opened.await else { return absent("This recording is gone: recordings are kept for a while only.") };
    if bytes > VIEWER_RECORDING_MAX_BYTES {
        let why = format!(
            "This recording has {bytes} bytes, a browser is given {VIEWER_RECORDING_MAX_BYTES} at most. `jackfield replay {name}` plays \
             it in a terminal."
        );
        return sentence(StatusCode::PAYLOAD_TOO_LARGE, &why);
    }
    // One that is still written grows: what was there when it was asked for is sent.
    let content = Body::from_stream(ReaderStream::new(tokio::io::AsyncReadExt::take(file, bytes)));
    ([(header::CONTENT_TYPE, "application/x-asciicast")], content).into_response()
}

fn json(text: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_owned()).into_response()
}

/// Browsers send cookies to every port of a host: the name has the port, so that several viewers run side by side.
fn cookie_name(shared: &Shared) -> String {
    format!("jackfield-{}", shared.address.port())
}

fn cookie<'a>(shared: &Shared, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = cookie_name(shared);
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(found, _)| *found == name).map(|(_, cookie)| cookie)
}
