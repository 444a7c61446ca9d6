//! Listening, TLS, start-up of connections, and their end.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::api::auth::StartupHandler;
use datafusion_postgres::pgwire::api::auth::sasl::SASLAuthStartupHandler;
use datafusion_postgres::pgwire::api::auth::sasl::scram::ScramAuth;
use datafusion_postgres::pgwire::api::cancel::{CancelHandler, DefaultCancelHandler};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::{
    ClientInfo, ConnectionManager, ErrorHandler, PgWireServerHandlers, RandomPidSecretKeyGenerator,
};
use datafusion_postgres::pgwire::error::PgWireError;
use datafusion_postgres::pgwire::tokio::{TlsAcceptor, process_socket};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::handler::{Extended, Planner, Wire};
use super::startup::{Parameters, Startup};
use super::users::{PgUser, ROUNDS, Users};
use crate::Engine;

/// Certificate and key in PEM.
#[derive(Debug, Clone)]
pub struct PgTls {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// How to listen.
#[derive(Debug, Clone)]
pub struct PgOptions {
    /// Address; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Who may connect; empty = anyone on this machine, without a password.
    pub users: Vec<PgUser>,
    /// TLS; must be there beyond this machine.
    pub tls: Option<PgTls>,
    /// Most connections at once.
    pub connections: usize,
}

impl PgOptions {
    /// Listening on this machine only, without users.
    pub fn loopback(addr: SocketAddr) -> Self {
        PgOptions {
            addr,
            users: Vec::new(),
            tls: None,
            connections: 64,
        }
    }
}

/// A client that says nothing is asked after so long whether it is still there ...
const ASKED_AFTER: Duration = Duration::from_secs(60);
/// ... and so often, nine times, before it is taken for gone.
const ASKED_EVERY: Duration = Duration::from_secs(15);
/// For how long bytes may lie that a client does not take.
const LIES_FOR: Duration = Duration::from_secs(300);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// Beyond this machine without users or TLS.
    #[error(
        "PostgreSQL would listen on {0}, which others can reach: configure users and TLS, or listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The certificate or key cannot be used; never served in clear text instead.
    #[error("TLS for PostgreSQL cannot be used: {path}: {reason}")]
    Tls {
        /// File.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The address cannot be taken.
    #[error("PostgreSQL cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
}

/// A listening server.
#[derive(Debug)]
pub struct PgServer {
    /// The address it took.
    pub addr: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl PgServer {
    /// Waits until it has stopped, connections included.
    pub async fn stopped(self) {
        // The task neither panics nor is it aborted.
        let _ = self.task.await;
    }
}

/// Listens and serves until `shutdown` is cancelled; returns once the address is taken.
///
/// # Errors
/// [`PgError`] before anything is served.
pub async fn serve(
    engine: Engine,
    options: PgOptions,
    shutdown: CancellationToken,
) -> Result<PgServer, PgError> {
    let open = !options.addr.ip().is_loopback();
    if open && (options.users.is_empty() || options.tls.is_none()) {
        return Err(PgError::Open(options.addr));
    }
    let tls = options.tls.as_ref().map(acceptor).transpose()?;
    let listener = TcpListener::bind(options.addr)
        .await
        .map_err(|e| PgError::Listen(options.addr, e))?;
    let addr = listener
        .local_addr()
        .map_err(|e| PgError::Listen(options.addr, e))?;
    let manager = Arc::new(ConnectionManager::new());
    let wire = Arc::new(Wire {
        engine,
        verified: !options.users.is_empty(),
    });
    let door = Arc::new(Door {
        extended: Arc::new(Extended {
            wire: wire.clone(),
            planner: Arc::new(Planner { wire: wire.clone() }),
        }),
        wire,
        users: (!options.users.is_empty()).then(|| Users::new(&options.users)),
        must_tls: open,
        cancel: Arc::new(DefaultCancelHandler::new(manager.clone())),
        manager,
        pids: Arc::new(RandomPidSecretKeyGenerator::default()),
    });
    let places = Arc::new(Semaphore::new(options.connections));
    let task = tokio::spawn(accept(listener, door, tls, places, shutdown));
    Ok(PgServer { addr, task })
}

/// So many at once are told that there is no place.
const TOLD_AT_ONCE: usize = 16;

async fn accept(
    listener: TcpListener,
    door: Arc<Door>,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
) {
    let telling = Arc::new(Semaphore::new(TOLD_AT_ONCE));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let socket = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    if let Err(e) = watched(&socket) {
                        tracing::debug!("PostgreSQL: a connection is not watched for its end: {e}");
                    }
                    socket
                }
                Err(e) => {
                    // Out of file handles, mostly: wait for some to come free.
                    tracing::warn!("PostgreSQL: a connection was not accepted: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            ::metrics::counter!("callboard_pg_connections_refused_total").increment(1);
            // More are closed without a word: files are not theirs.
            if let Ok(turn) = telling.clone().try_acquire_owned() {
                connections.spawn(async move {
                    let _turn = turn;
                    full(socket).await;
                });
            }
            continue;
        };
        let (door, tls, stop) = (door.clone(), tls.clone(), shutdown.clone());
        connections.spawn(async move {
            let _place = place;
            tokio::select! {
                ended = process_socket(socket, tls, door) => {
                    if let Err(e) = ended {
                        tracing::debug!("PostgreSQL: a connection ended: {e}");
                    }
                }
                () = stop.cancelled() => {}
            }
        });
    }
    while connections.join_next().await.is_some() {}
}

/// Lets the system end a connection whose client vanished without a word, or lets bytes lie.
fn watched(socket: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(socket);
    let asked = TcpKeepalive::new().with_time(ASKED_AFTER);
    socket.set_tcp_keepalive(&asked.with_interval(ASKED_EVERY))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(LIES_FOR))?;
    Ok(())
}

/// Tells a client that there is no place: an error message as at start-up, then the end.
async fn full(socket: TcpStream) {
    let mut body = Vec::new();
    for (kind, text) in [
        (b'S', "FATAL"),
        (b'V', "FATAL"),
        (b'C', "53300"),
        (b'M', "too many connections to Callboard; try again later"),
    ] {
        body.push(kind);
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message = vec![b'E'];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(&body);
    let polite = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut socket = socket;
        // The start-up packet is read first, so that closing does not reset the answer away.
        let mut start = [0_u8; 1024];
        let _ = socket.read(&mut start).await;
        let _ = socket.write_all(&message).await;
        let _ = socket.shutdown().await;
    };
    // A client that says nothing is not waited for.
    let _ = tokio::time::timeout(Duration::from_secs(2), polite).await;
}

fn acceptor(tls: &PgTls) -> Result<TlsAcceptor, PgError> {
    let bad = |path: &PathBuf, reason: String| PgError::Tls {
        path: path.display().to_string(),
        reason,
    };
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(|all| all.collect::<Result<Vec<_>, _>>())
        .map_err(|e| bad(&tls.certificate, e.to_string()))?;
    if chain.is_empty() {
        return Err(bad(&tls.certificate, "it holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| bad(&tls.key, e.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(&tls.certificate, e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| bad(&tls.certificate, e.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What every connection goes through.
struct Door {
    wire: Arc<Wire>,
    extended: Arc<Extended>,
    users: Option<Arc<Users>>,
    must_tls: bool,
    manager: Arc<ConnectionManager>,
    cancel: Arc<DefaultCancelHandler>,
    pids: Arc<RandomPidSecretKeyGenerator>,
}

impl PgWireServerHandlers for Door {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        self.wire.clone()
    }
    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        self.extended.clone()
    }
    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        // A new one for each connection: it holds the state of the password exchange.
        let sasl = self.users.clone().map(|users| {
            let mut scram = ScramAuth::new(users);
            scram.set_iterations(ROUNDS);
            SASLAuthStartupHandler::new(Arc::new(Parameters))
                .with_scram(scram)
                .with_pid_secret_key_generator(self.pids.clone())
                .with_connection_manager(self.manager.clone())
        });
        Arc::new(Startup {
            sasl,
            must_tls: self.must_tls,
            manager: self.manager.clone(),
            pids: self.pids.clone(),
        })
    }
    fn error_handler(&self) -> Arc<impl ErrorHandler> {
        Arc::new(Errors)
    }
    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        self.cancel.clone()
    }
}

/// Errors are told to the client; nothing of a statement reaches the log.
struct Errors;

impl ErrorHandler for Errors {
    fn on_error<C>(&self, _client: &C, _error: &mut PgWireError)
    where
        C: ClientInfo,
    {
        ::metrics::counter!("callboard_pg_errors_total").increment(1);
    }
}
