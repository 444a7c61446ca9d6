//! HTTP over TLS: a listener for `axum::serve`. Handshakes happen beside each other and beside
//! accepting, with a bound in number, for each address and in time, so that clients that do not
//! finish one hold up nobody.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::Listener;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::config::Tls;
use crate::moving::{Patient, Peer};
use crate::places::Places;

/// Longest handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections whose handshake is done.
struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Reads certificate and key, and accepts on that listener.
    ///
    /// # Errors
    /// A sentence that names the file at fault.
    fn new(listener: TcpListener, tls: &Tls, handshakes: Places) -> Result<Self, String> {
        let acceptor = TlsAcceptor::from(Arc::new(settings(tls)?));
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let (give, ready) = mpsc::channel(handshakes.number());
        tokio::spawn(accept(listener, acceptor, give, handshakes));
        Ok(TlsListener { address, ready })
    }
}

fn settings(tls: &Tls) -> Result<rustls::ServerConfig, String> {
    let wrong = |key: &str, path: &std::path::Path, why: String| {
        format!(
            "[tls] {key} {}: {why}; give a PEM file that can be read",
            path.display()
        )
    };
    let cert = |e: rustls::pki_types::pem::Error| wrong("cert", &tls.cert, e.to_string());
    let chain = CertificateDer::pem_file_iter(&tls.cert)
        .map_err(cert)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(cert)?;
    if chain.is_empty() {
        return Err(wrong("cert", &tls.cert, "holds no certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|e| wrong("key", &tls.key, e.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut settings = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| {
            wrong(
                "key",
                &tls.key,
                format!("does not go with the certificate ({e})"),
            )
        })?;
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(settings)
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    give: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
    handshakes: Places,
) {
    // Who comes while all are taken waits; one address can take half.
    let turns = Arc::new(Semaphore::new(handshakes.number()));
    loop {
        let Ok(turn) = turns.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = give.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: others must end first.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Some(place) = handshakes.take(address.ip()) else {
            metrics::counter!("callboard_http_connections_refused_total").increment(1);
            continue;
        };
        let (acceptor, give) = (acceptor.clone(), give.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    // The server may have stopped meanwhile.
                    let _ = give.send((stream, address)).await;
                }
                Ok(Err(error)) => tracing::debug!(%address, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
            }
            drop((turn, place));
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The accepting task ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Serves the application on that listener until told to stop, over TLS where it is configured.
/// Handlers find the sender as `ConnectInfo<SocketAddr>` either way. A connection on which nothing
/// moves for `patience` is closed, and so is one for which there is no place.
///
/// # Errors
/// When certificate or key cannot be used.
pub fn serve(
    listener: TcpListener,
    tls: Option<&Tls>,
    app: Router,
    patience: Duration,
    places: Places,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, String> {
    Ok(match tls {
        None => served(Patient::new(listener, patience, places), app, stop),
        Some(tls) => {
            let listener = TlsListener::new(listener, tls, places.handshakes())?;
            served(Patient::new(listener, patience, places), app, stop)
        }
    })
}

fn served<L>(listener: Patient<L>, app: Router, stop: CancellationToken) -> JoinHandle<()>
where
    L: Listener<Addr = SocketAddr>,
{
    let service = app
        .layer(axum::middleware::from_fn(known_peer))
        .into_make_service_with_connect_info::<Peer>();
    let until = async move { stop.cancelled().await };
    tokio::spawn(async move {
        let served = axum::serve(listener, service).with_graceful_shutdown(until);
        if let Err(error) = served.await {
            tracing::error!(%error, "the HTTP server ended");
        }
    })
}

async fn known_peer(mut request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<Peer>>()
        .map(|ConnectInfo(Peer(address))| *address);
    if let Some(address) = peer {
        request.extensions_mut().insert(ConnectInfo(address));
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bad_certificate_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let tls = Tls {
            cert: dir.path().join("cert.pem"),
            key: dir.path().join("key.pem"),
        };
        for text in [None, Some("no certificate")] {
            if let Some(text) = text {
                std::fs::write(&tls.cert, text).unwrap();
            }
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let error = TlsListener::new(listener, &tls, Places::new(8))
                .err()
                .unwrap();
            assert!(
                error.contains("cert.pem") && error.contains("[tls] cert"),
                "{error}"
            );
        }
    }

    fn testdata() -> Tls {
        let folder = std::path::Path::new("src/testdata/tls");
        Tls {
            cert: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }

    async fn who(ConnectInfo(address): ConnectInfo<SocketAddr>) -> String {
        address.ip().to_string()
    }

    #[tokio::test]
    async fn requests_are_served_over_tls_and_know_their_sender() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = Router::new().route("/", axum::routing::get(who));
        let stop = CancellationToken::new();
        let serving = serve(
            listener,
            Some(&testdata()),
            app,
            Duration::from_secs(60),
            Places::new(16),
            stop.clone(),
        )
        .unwrap();
        // Those that open connections and say nothing, more than may shake hands, hold up nobody who
        // comes from elsewhere.
        let mut silent = Vec::new();
        for _ in 0..12 {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
            silent.push(socket.connect(([127, 0, 0, 1], port).into()).await.unwrap());
        }
        let authority = std::fs::read(testdata().cert.with_file_name("ca.pem")).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&authority).unwrap()])
            .build()
            .unwrap();
        let url = format!("https://localhost:{port}/");
        let said = client.get(url).send().await.unwrap().text().await.unwrap();
        assert_eq!(said, "127.0.0.1");
        let plain = client.get(format!("http://localhost:{port}/")).send().await;
        assert!(plain.is_err(), "what is not encrypted is not served");
        drop(client);
        stop.cancel();
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_key_of_another_certificate_is_named() {
        let tls = Tls {
            cert: testdata().cert.with_file_name("ca.pem"),
            ..testdata()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let error = TlsListener::new(listener, &tls, Places::new(8))
            .err()
            .unwrap();
        assert!(error.contains("key.pem"), "{error}");
    }
}
