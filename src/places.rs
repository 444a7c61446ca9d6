//! Places for connections. There are so many of them and no more, one address may hold half, and
//! who comes beyond is told to come back: files and memory stay for those who have a place. Beside
//! them a quarter as many are told so, and as many shake hands.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Semaphore;

/// What somebody without a place is told, over HTTP/1.1.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 54\r\n\r\n\
    too many connections to Callboard; try again in 2 s.\r\n";
/// Fewer places than this, where more are wanted, are told of.
const FEW: usize = 4_096;
/// How long that may take; a client that says and reads nothing is not waited for.
const POLITE: Duration = Duration::from_secs(2);
/// So many at most are told so at once, and so many shake hands; more are closed without a word, or
/// wait.
const BESIDE: usize = 256;

/// Places for connections.
#[derive(Clone)]
pub struct Places(Arc<Inner>);

struct Inner {
    /// What counts those that are held.
    gauge: &'static str,
    all: usize,
    of_one: usize,
    held: Mutex<Held>,
    telling: Arc<Semaphore>,
}

#[derive(Default)]
struct Held {
    all: usize,
    by: HashMap<IpAddr, usize>,
}

/// A place that somebody has, until it is dropped.
pub struct Place {
    of: Places,
    address: IpAddr,
}

impl Places {
    /// So many places, or a third as many as the process may open files where that is less: with
    /// those beside them it is half, and the lake, the log and queries need the other. The soft limit
    /// of files is raised to the hard one.
    pub fn new(wanted: usize) -> Self {
        let third = files() / 3;
        if third < wanted.min(FEW) {
            tracing::warn!(
                wanted,
                places = third,
                "the process may open too few files for all connections of [limits] connections; \
                 raise its limit (LimitNOFILE= of systemd, ulimit -n)"
            );
        }
        Places::of("callboard_http_connections", wanted.min(third).max(1))
    }

    fn of(gauge: &'static str, all: usize) -> Self {
        Places(Arc::new(Inner {
            gauge,
            all,
            of_one: all.div_ceil(2),
            held: Mutex::default(),
            telling: Arc::new(Semaphore::new(beside(all))),
        }))
    }

    /// Places for those who shake hands before they have one of these.
    pub fn handshakes(&self) -> Places {
        Places::of("callboard_tls_handshakes", beside(self.0.all))
    }

    /// How many there are.
    pub fn number(&self) -> usize {
        self.0.all
    }

    /// A place for a connection from that address, where there is one left for it.
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let address = sender(address);
        let mut held = self.0.held.lock();
        if held.all >= self.0.all {
            return None;
        }
        let of_it = held.by.entry(address).or_default();
        if *of_it >= self.0.of_one {
            return None;
        }
        *of_it += 1;
        held.all += 1;
        metrics::gauge!(self.0.gauge).set(held.all as f64);
        let of = self.clone();
        Some(Place { of, address })
    }

    /// Tells somebody without a place to come back, and closes the connection.
    pub fn refuse<S>(&self, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        metrics::counter!("callboard_http_connections_refused_total").increment(1);
        let Ok(turn) = self.0.telling.clone().try_acquire_owned() else {
            return;
        };
        tokio::spawn(async move {
            let _turn = turn;
            let polite = async {
                // The request is read first, so that closing does not reset the answer away.
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(FULL).await;
                let _ = stream.shutdown().await;
                while matches!(stream.read(&mut request).await, Ok(n) if n > 0) {}
            };
            let _ = tokio::time::timeout(POLITE, polite).await;
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.of.0.held.lock();
        held.all -= 1;
        if let Some(of_it) = held.by.get_mut(&self.address) {
            *of_it -= 1;
            if *of_it == 0 {
                held.by.remove(&self.address);
            }
        }
        metrics::gauge!(self.of.0.gauge).set(held.all as f64);
    }
}

fn beside(all: usize) -> usize {
    (all / 4).clamp(1, BESIDE)
}

/// Whose address it is: in version 6 one sender has as many as he likes of the same first 64 bits.
fn sender(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// How many files the process may open, as many as it is allowed to allow itself.
fn files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let may = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    may.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_half_of_all_places_and_gives_them_back() {
        let places = Places::of("test", 5);
        let one: IpAddr = "127.0.0.1".parse().unwrap();
        // The same address, as a socket that speaks both families tells it.
        let again: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        let other: IpAddr = "127.0.0.2".parse().unwrap();
        let mut held: Vec<Place> = (0..2).map(|_| places.take(one).unwrap()).collect();
        held.push(places.take(again).unwrap());
        assert!(places.take(one).is_none() && places.take(again).is_none());
        held.extend((0..2).map(|_| places.take(other).unwrap()));
        assert!(places.take("127.0.0.3".parse().unwrap()).is_none(), "full");
        drop(held.remove(0));
        assert!(places.take(other).is_some());
        drop(held);
        assert_eq!(places.0.held.lock().all, 0);
        assert!(places.0.held.lock().by.is_empty());
    }

    #[test]
    fn addresses_of_one_network_of_version_6_are_one_sender() {
        let places = Places::of("test", 4);
        let take = |address: &str| places.take(address.parse().unwrap());
        let one = [take("2001:db8::1"), take("2001:db8::ffff:1")];
        assert!(one.iter().all(Option::is_some));
        assert!(take("2001:db8::2").is_none(), "half are taken");
        assert!(take("2001:db8:0:1::1").is_some(), "another network");
    }

    #[tokio::test]
    async fn who_has_no_place_is_told_when_to_come_back() {
        let (mut client, server) = tokio::io::duplex(4096);
        Places::of("test", 1).refuse(server);
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        let said = String::from_utf8(said).unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 2"));
        assert!(head.contains(&format!("content-length: {}", body.len())));
    }
}
