//! Reads a request's body as a stream of decoded chunks, within the bounds: bytes as sent, bytes
//! after decompression, and time without a byte.

use std::io::Write as _;
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures::StreamExt as _;

use super::limits::Limits;
use super::problem::Problem;

/// Compressed bytes decoded at once: at most about a thousandfold of it is held.
const GZIP_STEP: usize = 1024;

/// Decoded bytes that are given at once: whoever reads lines makes far more of many short ones, and
/// looks only after each piece whether that is enough.
const PIECE: usize = 4096;

/// A body must come at this pace at least, bytes a second: one that drips would hold its place
/// among the requests for ever.
const PACE: u64 = 4096;

/// Of a refused body so much is read and let go of, and for so long: a sender that is still writing
/// when the connection closes may never see why it was refused.
const DRAIN_BYTES: u64 = 256 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A body's decoded chunks.
pub struct Chunks {
    stream: BodyDataStream,
    gzip: Option<Box<MultiGzDecoder<Vec<u8>>>>,
    held: Bytes,
    /// Decoded, and not given yet.
    ready: Bytes,
    sent: u64,
    decoded: u64,
    ended: bool,
    /// The length that the request states.
    stated: u64,
    /// Whether the sender waits for a word before it sends the body.
    waits: bool,
    /// How long it was waited for bytes so far.
    waited: Duration,
    limits: Limits,
}

impl Chunks {
    /// The chunks of this body.
    ///
    /// # Errors
    /// 415 when the encoding is not known.
    pub fn new(headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Self, Problem> {
        let stated = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse::<u64>().ok());
        let waits = headers
            .get(header::EXPECT)
            .is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        Ok(Chunks {
            stream: body.into_data_stream(),
            gzip: decoder(headers)?,
            held: Bytes::new(),
            ready: Bytes::new(),
            sent: 0,
            decoded: 0,
            ended: false,
            stated: stated.unwrap_or(0),
            waits,
            waited: Duration::ZERO,
            limits: limits.clone(),
        })
    }

    /// The next decoded bytes; `None` at the end.
    ///
    /// # Errors
    /// A [`Problem`] when a bound is passed, the sender stopped, or the gzip is broken.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if !self.ready.is_empty() {
                let piece = self.ready.len().min(PIECE);
                return Ok(Some(self.ready.split_to(piece)));
            }
            if self.held.is_empty() && !self.ended {
                self.receive().await?;
            }
            let chunk = match self.gzip.as_mut() {
                None => std::mem::take(&mut self.held),
                Some(gzip) => {
                    let step = self.held.split_to(self.held.len().min(GZIP_STEP));
                    Bytes::from(decode(gzip, &step, self.ended && self.held.is_empty())?)
                }
            };
            self.decoded += chunk.len() as u64;
            if self.decoded > self.limits.decoded_bytes {
                return Err(Problem::too_large(
                    "decoded_too_large",
                    format!(
                        "the body has more than {} bytes after decompression; send it in parts",
                        self.limits.decoded_bytes
                    ),
                ));
            }
            self.ready = chunk;
            if self.ready.is_empty() && self.ended && self.held.is_empty() {
                return Ok(None);
            }
        }
    }

    async fn receive(&mut self) -> Result<(), Problem> {
        if self.stated > self.limits.body_bytes {
            self.drain().await;
            return Err(body_too_large(&self.limits));
        }
        let idle = self.limits.idle;
        let earned = idle + Duration::from_millis(self.sent * 1000 / PACE);
        let patience = earned.saturating_sub(self.waited).min(idle);
        let began = Instant::now();
        let next = tokio::time::timeout(patience, self.stream.next()).await;
        self.waited += began.elapsed();
        match next {
            Err(_) if patience < idle => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_slow",
                format!(
                    "{} bytes of the body came in {} s of waiting, less than {PACE} a second; send smaller requests",
                    self.sent,
                    self.waited.as_secs()
                ),
            )),
            Err(_) => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_idle",
                format!(
                    "no byte of the body for {} s; send it again",
                    self.limits.idle.as_secs()
                ),
            )),
            Ok(None) => {
                self.ended = true;
                Ok(())
            }
            Ok(Some(Err(e))) => Err(Problem::bad(
                "body_cut",
                format!("the body could not be read to its end: {e}; send it again"),
            )),
            Ok(Some(Ok(chunk))) => {
                self.sent += chunk.len() as u64;
                if self.sent > self.limits.body_bytes {
                    self.drain().await;
                    return Err(body_too_large(&self.limits));
                }
                self.held = chunk;
                Ok(())
            }
        }
    }

    /// Reads what is left of a body that is refused, within bounds, and lets it go.
    pub async fn drain(&mut self) {
        // Who waits for a word sends nothing when it hears of the refusal first.
        let silent = self.waits && self.sent == 0;
        if self.ended || silent || self.stated > DRAIN_BYTES {
            return;
        }
        (self.held, self.ready) = (Bytes::new(), Bytes::new());
        let mut left = DRAIN_BYTES;
        let all = async {
            while let Some(Ok(chunk)) = self.stream.next().await {
                left = left.saturating_sub(chunk.len() as u64);
                if left == 0 {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(DRAIN_TIME, all).await;
        self.ended = true;
    }

    /// The whole body, at most `most` bytes.
    ///
    /// # Errors
    /// As [`Chunks::next`]; `None` inside means that it has more than `most` bytes.
    pub async fn whole(&mut self, most: usize) -> Result<Option<Vec<u8>>, Problem> {
        let mut all = Vec::new();
        while let Some(chunk) = self.next().await? {
            if all.len() + chunk.len() > most {
                return Ok(None);
            }
            all.extend_from_slice(&chunk);
        }
        Ok(Some(all))
    }

    /// Whether the body is compressed, so that its stated length says little.
    pub fn is_compressed(&self) -> bool {
        self.gzip.is_some()
    }

    /// Bytes received so far, as sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }
}

fn body_too_large(limits: &Limits) -> Problem {
    Problem::too_large(
        "body_too_large",
        format!(
            "the body has more than {} bytes; send it in parts",
            limits.body_bytes
        ),
    )
}

fn decoder(headers: &HeaderMap) -> Result<Option<Box<MultiGzDecoder<Vec<u8>>>>, Problem> {
    let coding = headers
        .get(header::CONTENT_ENCODING)
        .map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase());
    match coding.as_deref().map(str::trim) {
        None | Some("" | "identity") => Ok(None),
        Some("gzip" | "x-gzip") => Ok(Some(Box::new(MultiGzDecoder::new(Vec::new())))),
        Some(other) => Err(Problem::media(format!(
            "Content-Encoding {other} is not known; send gzip or none"
        ))),
    }
}

fn decode(gzip: &mut MultiGzDecoder<Vec<u8>>, step: &[u8], last: bool) -> Result<Vec<u8>, Problem> {
    let broken = |e: std::io::Error| {
        Problem::bad(
            "bad_gzip",
            format!("the body is not the gzip that Content-Encoding says: {e}"),
        )
    };
    gzip.write_all(step).map_err(broken)?;
    if last {
        gzip.try_finish().map_err(broken)?;
    }
    Ok(std::mem::take(gzip.get_mut()))
}
