//! Takes connections, as many as there may be, and gives each request to its page.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{Shared, pages, peer};
use crate::limits::{VIEWER_CONNECTIONS_MAX, VIEWER_HEAD_MAX, VIEWER_HEAD_MAX_BYTES};

/// After the system refused to take a connection, for want of files for one.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What another account is told.
const STRANGER: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
     This viewer is for the account that runs jackfield alone; the browser belongs to another account of this machine.\n";

/// Until the viewer is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let pages = pages::router(Arc::clone(&shared));
    let places = Arc::new(Semaphore::new(VIEWER_CONNECTIONS_MAX));
    let stop = shared.stop.clone();
    // What is too much waits in the system's queue.
    while let Some(Ok(place)) = stop.run_until_cancelled(Arc::clone(&places).acquire_owned()).await {
        let (stream, from) = match stop.run_until_cancelled(listener.accept()).await {
            None => return,
            Some(Ok(accepted)) => accepted,
            Some(Err(_)) => {
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let (pages, stop, to, own) = (pages.clone(), stop.clone(), shared.address, shared.account);
        tokio::spawn(async move {
            let served = async {
                if spawn_blocking(move || peer::is_own(from, to, own)).await.unwrap_or(false) {
                    connection(stream, pages).await;
                } else {
                    refuse(stream).await;
                }
            };
            // A browser that goes away is no trouble of ours.
            let _ = stop.run_until_cancelled(served).await;
            drop(place);
        });
    }
}

async fn refuse(mut stream: TcpStream) {
    // What is asked is not looked at.
    let _ = timeout(VIEWER_HEAD_MAX, stream.read(&mut vec![0; VIEWER_HEAD_MAX_BYTES])).await;
    // So little always has room in a new connection.
    let _ = stream.write_all(STRANGER.as_bytes()).await;
    let _ = stream.shutdown().await;
    // A rest of the question that nobody has read would take the answer along.
    let mut rest = stream.take(VIEWER_HEAD_MAX_BYTES as u64);
    let _ = timeout(VIEWER_HEAD_MAX, copy(&mut rest, &mut sink())).await;
}

async fn connection(stream: TcpStream, pages: Router) {
    // Keys and their echo are small: each goes at once.
    let _ = stream.set_nodelay(true);
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(VIEWER_HEAD_MAX).max_buf_size(VIEWER_HEAD_MAX_BYTES);
    // What a browser did wrong it has been told as far as it could be.
    let _ = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages)).with_upgrades().await;
}
