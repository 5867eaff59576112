//! What is refused whoever asks, and what every answer says to the browser about itself.
//!
//! A page of another origin can have a browser ask us: under a name of its own that leads here (`Host`), by a WebSocket or a form
//! (`Origin`), or by naming an address of ours in its own text (`Sec-Fetch-Site`). A cookie alone proves nothing against that,
//! because browsers send it to every port of a host.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::pages::sentence;

/// What a page of ours may load: our own files, and nothing written into the page. `pages` adds a nonce for the terminal's rules.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

const SAID: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Refuses what a foreign page may have caused; adds what every answer says.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match refusal(shared.address, request.method(), request.headers()) {
        Some(why) => sentence(StatusCode::FORBIDDEN, why),
        None => next.run(request).await,
    };
    for (name, value) in SAID {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response.into_response()
}

/// Why a request is refused, if it is.
fn refusal(address: SocketAddr, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let Some(host) = only(headers, &header::HOST).filter(|host| is_own(address, host)) else {
        return Some("This address is not the viewer's: open the link that `jackfield viewer` prints.");
    };
    let changes = *method != Method::GET && *method != Method::HEAD;
    if (changes || headers.contains_key(header::UPGRADE) || headers.contains_key(header::ORIGIN))
        && only(headers, &header::ORIGIN).and_then(|origin| origin.strip_prefix("http://")) != Some(host)
    {
        return Some("This request comes from another page than the viewer's.");
    }
    let is_foreign = matches!(only(headers, &SEC_FETCH_SITE), Some("cross-site" | "same-site"));
    // A link on another page may lead here: what it opens is a page of ours, which that other page cannot read.
    if is_foreign && only(headers, &SEC_FETCH_MODE) != Some("navigate") {
        return Some("Another page has asked for this.");
    }
    None
}

/// A header that stands there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

fn is_own(address: SocketAddr, host: &str) -> bool {
    let name = host.strip_suffix(&address.port().to_string()).and_then(|rest| rest.strip_suffix(':'));
    matches!(name, Some("127.0.0.1" | "localhost" | "[::1]")) || host == address.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &Method, headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        refusal(SocketAddr::from(([127, 0, 0, 1], 7000)), method, &map).is_some()
    }

    #[test]
    fn only_own_names_with_the_port_are_answered() {
        for host in ["127.0.0.1:7000", "localhost:7000", "[::1]:7000"] {
            assert!(!refused(&Method::GET, &[("host", host)]), "{host}");
        }
        for host in
            ["", "127.0.0.1", "127.0.0.1:70", "127.0.0.1:17000", "localhost:7000.evil.example", "evil.example:7000", "localhost7000"]
        {
            assert!(refused(&Method::GET, &[("host", host)]), "{host}");
        }
        assert!(refused(&Method::GET, &[]));
        assert!(refused(&Method::GET, &[("host", "localhost:7000"), ("host", "localhost:7000")]));
    }

    #[test]
    fn what_changes_something_and_websockets_come_from_the_own_page() {
        let host = ("host", "localhost:7000");
        for (method, upgrade) in [(Method::POST, false), (Method::GET, true)] {
            let mut headers = vec![host];
            if upgrade {
                headers.push(("upgrade", "websocket"));
            }
            assert!(refused(&method, &headers), "without an origin");
            for origin in ["null", "http://evil.example", "https://localhost:7000", "http://localhost:7001", "http://127.0.0.1:7000"] {
                assert!(refused(&method, &[headers.as_slice(), &[("origin", origin)]].concat()), "{origin}");
            }
            assert!(!refused(&method, &[headers.as_slice(), &[("origin", "http://localhost:7000")]].concat()));
        }
    }

    #[test]
    fn another_page_may_lead_here_and_nothing_else() {
        for site in ["cross-site", "same-site"] {
            let headers = [("host", "localhost:7000"), ("sec-fetch-site", site)];
            assert!(!refused(&Method::GET, &[headers.as_slice(), &[("sec-fetch-mode", "navigate")]].concat()));
            for mode in ["no-cors", "cors", "websocket"] {
                assert!(refused(&Method::GET, &[headers.as_slice(), &[("sec-fetch-mode", mode)]].concat()), "{site} {mode}");
            }
        }
    }
}
