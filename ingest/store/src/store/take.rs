//! What is durable is taken in.

use callboard_model::tables::DeadLetterRow;

use super::Store;
use crate::live::Routed;
use crate::positions::Position;

impl Store {
    /// Takes durable records and dead letters in: all of one append together, in the order of the
    /// log, so that no flush falls between them.
    pub fn take(&self, records: Vec<Routed>, dead: Vec<(u64, DeadLetterRow)>) {
        self.take_read(records, dead, Vec::new());
    }

    /// As [`Store::take`], with how far their sources were read.
    pub fn take_read(
        &self,
        records: Vec<Routed>,
        dead: Vec<(u64, DeadLetterRow)>,
        positions: Vec<(u64, Position)>,
    ) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        inner.torn = true;
        for routed in records {
            inner.folded = inner.folded.max(routed.seq);
            inner.fresh.note(&routed.record, &routed.routing);
            let settled = &inner.settled;
            inner.live.fold(routed, &|name| settled.holds(name));
        }
        for (seq, row) in dead {
            inner.folded = inner.folded.max(seq);
            inner.live.unflushed.push_dead(seq, row);
            inner.live.version += 1;
        }
        for (seq, position) in positions {
            inner.folded = inner.folded.max(seq);
            inner.positions.set(position);
        }
        inner.torn = false;
        self.changes.send_replace(inner.live.version);
        crate::steps::pass("live.published");
        if self.load(inner) > 1.0 {
            self.pressure.notify_one();
        }
    }

    /// Offset of the first message of a partition that is not durable here; none where none is.
    pub fn position(&self, source: &str, topic: &str, partition: i32) -> Option<i64> {
        self.inner.lock().positions.next(source, topic, partition)
    }
}
