//! `POST /v1/backup`: the data folder as it is now, as a stream.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use callboard_ingest::doors::problem::Problem;
use callboard_store::backup::Backup;
use callboard_store::store::Store;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes of a piece.
const PIECE: usize = 256 << 10;
/// Pieces that wait for the reader.
const AHEAD: usize = 4;
/// A reader that takes nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// Says how many bytes the files have, before they come.
pub const BYTES: &str = "callboard-bytes";

#[derive(Clone)]
struct Door {
    store: Arc<Store>,
    /// One at a time: each keeps files from going.
    place: Arc<Semaphore>,
}

/// The route.
pub fn router(store: Arc<Store>) -> Router {
    let place = Arc::new(Semaphore::new(1));
    Router::new()
        .route("/v1/backup", post(give))
        .with_state(Door { store, place })
}

async fn give(State(door): State<Door>) -> Response {
    let Ok(place) = door.place.clone().try_acquire_owned() else {
        let what = "a backup is under way already; ask again when it has ended";
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "backup_under_way", what);
        problem.retry_after_s = Some(30);
        return problem.into_response();
    };
    let backup = match door.store.backup().await {
        Ok(backup) => backup,
        Err(error) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Problem::new(status, "no_backup", error.to_string()).into_response();
        }
    };
    let bytes = backup.bytes();
    let (out, mut pieces) = mpsc::channel(AHEAD);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || copy(&backup, out, runtime, place));
    let stream = futures::stream::poll_fn(move |cx| pieces.poll_recv(cx));
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-tar"),
    );
    headers.insert(BYTES, HeaderValue::from(bytes));
    response
}

fn copy(
    backup: &Backup,
    out: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    _place: OwnedSemaphorePermit,
) {
    let pieces = Pieces {
        out: out.clone(),
        runtime: runtime.clone(),
    };
    let written = backup.write(io::BufWriter::with_capacity(PIECE, pieces));
    match written {
        Ok(()) => {
            tracing::info!(
                files = backup.files(),
                bytes = backup.bytes(),
                "gave a backup"
            );
        }
        Err(error) => {
            tracing::warn!(%error, "a backup was cut off");
            // Nobody may be there to be told.
            let _ = runtime.block_on(out.send_timeout(Err(error), PATIENCE));
        }
    }
}

/// Gives what is written to the reader, and waits for it.
struct Pieces {
    out: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        let sent = self
            .runtime
            .block_on(self.out.send_timeout(piece, PATIENCE));
        match sent {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "its reader went away or takes nothing",
            )),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
