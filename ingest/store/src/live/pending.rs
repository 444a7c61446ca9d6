//! Records and dead letters that are not in the lake yet, as batches that grow at the end.

use callboard_model::record::Stamp;
use callboard_model::tables::{DeadLetterRow, Instant, RecordRow, Row};
use deltalake::arrow::array::RecordBatch;
use deltalake::arrow::error::ArrowError;

use super::{Routed, natives};

/// Rows of one frozen batch.
const CHUNK: usize = 2048;

/// One table's rows that only grow at the end and go away at the front, by log sequence.
struct Growing<R> {
    frozen: Vec<(u64, RecordBatch)>,
    /// Rows after these, and the sequence of each.
    tail: Vec<R>,
    seqs: Vec<u64>,
    made: Option<(usize, RecordBatch)>,
}

impl<R> Default for Growing<R> {
    fn default() -> Self {
        Growing {
            frozen: Vec::new(),
            tail: Vec::new(),
            seqs: Vec::new(),
            made: None,
        }
    }
}

impl<R: Row> Growing<R> {
    fn push(&mut self, seq: u64, row: R) {
        self.tail.push(row);
        self.seqs.push(seq);
        // As a batch the rows take a part of the memory, and the flush finds them made.
        if self.tail.len() >= CHUNK
            && let Ok(batch) = R::batch(&self.tail)
        {
            self.frozen.push((seq, batch));
            self.tail.clear();
            self.seqs.clear();
            self.made = None;
        }
    }

    /// All rows as batches.
    fn batches(&mut self) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut all: Vec<RecordBatch> = self.frozen.iter().map(|(_, b)| b.clone()).collect();
        if !self.tail.is_empty() {
            match &self.made {
                Some((n, batch)) if *n == self.tail.len() => all.push(batch.clone()),
                _ => {
                    let batch = R::batch(&self.tail)?;
                    self.made = Some((self.tail.len(), batch.clone()));
                    all.push(batch);
                }
            }
        }
        Ok(all)
    }

    /// All rows up to and with `upto`, the sequence of the newest row, as batches: those that are
    /// frozen are never split.
    fn freeze(&mut self, upto: u64) -> Result<Vec<RecordBatch>, ArrowError> {
        let split = self.seqs.partition_point(|seq| *seq <= upto);
        if split > 0 {
            self.frozen.push((upto, R::batch(&self.tail[..split])?));
            self.tail.drain(..split);
            self.seqs.drain(..split);
            self.made = None;
        }
        let parts = self.frozen.iter().filter(|(seq, _)| *seq <= upto);
        Ok(parts.map(|(_, batch)| batch.clone()).collect())
    }

    fn drop_upto(&mut self, upto: u64) {
        self.frozen.retain(|(seq, _)| *seq > upto);
        let gone = self.seqs.partition_point(|seq| *seq <= upto);
        self.tail.drain(..gone);
        self.seqs.drain(..gone);
        self.made = None;
    }

    fn len(&self) -> usize {
        self.tail.len() + self.frozen.iter().map(|(_, b)| b.num_rows()).sum::<usize>()
    }
}

/// What arrived since the last flush.
#[derive(Default)]
pub struct Unflushed {
    records: Growing<RecordRow>,
    dead: Growing<DeadLetterRow>,
}

impl Unflushed {
    /// Adds a record.
    pub fn push(&mut self, routed: &Routed) {
        let r = &routed.record;
        let names = natives(&routed.routing);
        let received_at = Instant(r.received_at);
        let plain = *r.stamp == Stamp::default();
        let stamp = match plain {
            true => None,
            false => serde_json::to_string(&*r.stamp).ok(),
        };
        self.records.push(
            routed.seq,
            RecordRow {
                key: names.first().cloned().unwrap_or_default(),
                source: r.source.to_string(),
                id: r.id.to_string(),
                received_at,
                format: r.format.to_string(),
                stamp,
                natives: names,
                content_hash: r.content_hash() as i64,
                bytes: r.bytes.to_vec(),
                day: received_at.day(),
            },
        );
    }

    /// Adds a dead letter.
    pub fn push_dead(&mut self, seq: u64, row: DeadLetterRow) {
        self.dead.push(seq, row);
    }

    /// Rows as batches, by table.
    ///
    /// # Errors
    /// When a row type and its table disagree.
    pub fn batches(&mut self) -> Result<[(&'static str, Vec<RecordBatch>); 2], ArrowError> {
        Ok([
            ("records", self.records.batches()?),
            ("dead_letters", self.dead.batches()?),
        ])
    }

    /// Batches per table of all rows up to and with that sequence.
    ///
    /// # Errors
    /// When a row type and its table disagree.
    pub fn upto(&mut self, upto: u64) -> Result<[(&'static str, Vec<RecordBatch>); 2], ArrowError> {
        Ok([
            ("records", self.records.freeze(upto)?),
            ("dead_letters", self.dead.freeze(upto)?),
        ])
    }

    /// Forgets records and dead letters up to and with these sequences: they are in the lake.
    pub fn drop_upto(&mut self, records: u64, dead: u64) {
        self.records.drop_upto(records);
        self.dead.drop_upto(dead);
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.records.len() == 0 && self.dead.len() == 0
    }
}
