//! Connections on which something moves. One whose client neither sends nor reads for long is
//! closed: it may have vanished without a word, and would hold memory and a file for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::places::{Place, Places};

/// A listener whose connections are closed when nothing moves on them for so long, and who has no
/// place for more than so many.
pub struct Patient<L> {
    listener: L,
    patience: Duration,
    places: Places,
}

impl<L> Patient<L> {
    /// Connections of that listener, with that patience, as many as have a place.
    pub fn new(listener: L, patience: Duration, places: Places) -> Self {
        Patient {
            listener,
            patience,
            places,
        }
    }
}

impl<L: Listener<Addr = SocketAddr>> Listener for Patient<L> {
    type Io = Moving<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (inner, address) = self.listener.accept().await;
            match self.places.take(address.ip()) {
                Some(place) => {
                    let mut moving = Moving::new(inner, self.patience);
                    moving.place = Some(place);
                    return (moving, address);
                }
                None => self.places.refuse(inner),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl<L: Listener<Addr = SocketAddr>> Connected<IncomingStream<'_, Patient<L>>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Patient<L>>) -> Self {
        Peer(*stream.remote_addr())
    }
}

/// A connection that ends with an error when nothing moves on it.
pub struct Moving<S> {
    inner: S,
    patience: Duration,
    moved: Instant,
    end: Pin<Box<Sleep>>,
    /// Given back with the connection.
    place: Option<Place>,
}

impl<S> Moving<S> {
    fn new(inner: S, patience: Duration) -> Self {
        Moving {
            inner,
            patience,
            moved: Instant::now(),
            end: Box::pin(sleep(patience)),
            place: None,
        }
    }

    /// Notes what came of a call, and whether there was patience left for one that waits.
    fn seen<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.moved = Instant::now();
            return result;
        }
        loop {
            ready!(self.end.as_mut().poll(cx));
            let end = self.moved + self.patience;
            if Instant::now() >= end {
                let what = "nothing moved on the connection";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, what)));
            }
            // The clock is wound only when it rings, not at every byte.
            self.end.as_mut().reset(end);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Moving<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.seen(cx, result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Moving<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.seen(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.seen(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    // A flush that has nothing to do is no sign of life.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn what_moves_goes_on_and_what_stands_still_ends() {
        let (mut client, server) = duplex(8);
        let mut server = Moving::new(server, Duration::from_millis(200));
        let mut buf = [0; 4];
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            client.write_all(b"word").await.unwrap();
            assert_eq!(server.read(&mut buf).await.unwrap(), 4);
        }
        let error = server.read(&mut buf).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // Nobody reads what is written.
        server.write_all(b"12345678").await.unwrap();
        let error = server.write_all(b"9").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
