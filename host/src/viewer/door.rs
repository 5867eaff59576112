//! Takes connections, as many as there may be, and gives each request to its page.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::{Shared, pages};
use crate::limits::{VIEWER_CONNECTIONS_MAX, VIEWER_HEAD_MAX, VIEWER_HEAD_MAX_BYTES};

/// After the system refused to take a connection, for want of files for one.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Until the viewer is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let pages = pages::router(Arc::clone(&shared));
    let places = Arc::new(Semaphore::new(VIEWER_CONNECTIONS_MAX));
    let stop = shared.stop.clone();
    // What is too much waits in the system's queue.
    while let Some(Ok(place)) = stop.run_until_cancelled(Arc::clone(&places).acquire_owned()).await {
        let stream = match stop.run_until_cancelled(listener.accept()).await {
            None => return,
            Some(Ok((stream, _))) => stream,
            Some(Err(_)) => {
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let (pages, stop) = (pages.clone(), stop.clone());
        tokio::spawn(async move {
            // A browser that goes away is no trouble of ours.
            let _ = stop.run_until_cancelled(connection(stream, pages)).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, pages: Router) -> Result<(), Infallible> {
    // Keys and their echo are small: each goes at once.
    let _ = stream.set_nodelay(true);
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(VIEWER_HEAD_MAX).max_buf_size(VIEWER_HEAD_MAX_BYTES);
    // What a browser did wrong it has been told as far as it could be.
    let _ = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages)).with_upgrades().await;
    Ok(())
}
