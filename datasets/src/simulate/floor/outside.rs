//! What leads out of the house and back: outbound calls, callbacks, messages.

use callboard_model::cloudevents::words::{Direction, EndedBy, LinkKind, SegmentKind};

use super::super::calendar::{MINUTE, SECOND};
use super::super::durations::{EXPONENTIAL, TALK};
use super::super::story::Part;
use super::{Floor, Moment};

/// How often somebody is looked for who could dial, and how often a callback is tried.
const LOOKS: u32 = 20;
const TRIES: u32 = 3;

impl Floor<'_> {
    /// Calls a customer, when somebody is free to.
    pub(super) fn dial(&mut self, c: usize, look: u32, t: i64) {
        let Some(a) = self.anybody(None) else {
            if look < LOOKS && t < self.close {
                return self.at(t + 30 * SECOND, Moment::Dial(c, look + 1));
            }
            let mut part = Part::new(SegmentKind::Dial, t);
            part.end = t + 200;
            part.outcome = "canceled";
            let end = part.end;
            self.add(c, part);
            return self.over(c, end, EndedBy::System);
        };
        self.desks[a].load += 1;
        let call = &mut self.calls[c];
        call.dials += 1;
        let promised = call.direct.is_some();
        let mut part = Part::new(SegmentKind::Dial, t + 1);
        part.agent = Some(a);
        part.name = if promised {
            "callback"
        } else {
            "spring campaign"
        };
        let chance = &mut call.chance;
        let how = chance.weighted(if promised {
            &[70, 5, 25, 0, 0]
        } else {
            &[55, 10, 25, 5, 5]
        });
        part.outcome = ["answered", "busy", "no_answer", "failed", "machine"][how];
        part.end = part.start
            + if how == 2 {
                25 * SECOND
            } else {
                chance.between(2_000, 18_000)
            };
        let end = part.end;
        let again = promised && how != 0 && call.dials < TRIES && end + 2 * MINUTE < self.close;
        let lasts = TALK.draw(&mut call.chance, 200 * SECOND);
        let lasts = self.site.handling(lasts).max(2 * SECOND);
        let dial = self.add(c, part);
        if how == 0 {
            let mut talk = Part::new(SegmentKind::Talk, end);
            talk.agent = Some(a);
            talk.parent = Some(dial);
            talk.mode = "outbound";
            talk.end = end + lasts;
            talk.outcome = "completed";
            let ends = talk.end;
            let talk = self.add(c, talk);
            self.wrap_up(c, talk);
            return self.over(c, ends, EndedBy::Customer);
        }
        self.at(end, Moment::Free(a));
        if again {
            self.at(end + 2 * MINUTE, Moment::Dial(c, 1));
        } else {
            self.over(c, end, EndedBy::System);
        }
    }

    /// Promises to call back; the customer hangs up.
    pub(super) fn promise(&mut self, c: usize, q: usize, t: i64) {
        let call = &mut self.calls[c];
        let due = t + 2 * MINUTE + EXPONENTIAL.draw(&mut call.chance, 20 * MINUTE);
        let mut part = Part::new(SegmentKind::Callback, t);
        part.queue = Some(q);
        let kept = due < self.close;
        part.end = due.min(self.close.max(t + 1));
        part.outcome = if kept { "dialled" } else { "expired" };
        let end = part.end;
        self.add(c, part);
        self.over(c, end, EndedBy::System);
        if kept {
            let child = self.child(c, LinkKind::Callback, Direction::Outbound, end + 5, end);
            self.calls[child].direct = Some(q);
            self.at(end + 5, Moment::Dial(child, 1));
        }
    }

    /// Leaves a message.
    pub(super) fn message(&mut self, c: usize, t: i64) {
        let chance = &mut self.calls[c].chance;
        let mut part = Part::new(SegmentKind::Voicemail, t);
        part.end = t + 3 * SECOND + EXPONENTIAL.draw(chance, 25 * SECOND);
        part.outcome = ["left", "empty", "hangup"][chance.weighted(&[7, 1, 2])];
        part.name = "shared mailbox";
        let end = part.end;
        self.add(c, part);
        self.over(c, end, EndedBy::Customer);
    }
}
