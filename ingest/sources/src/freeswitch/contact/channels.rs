//! What channels add to the callcenter's story.

use callboard_model::statement::{F, Statement, Thing};

use super::{Seen, Talk, Walk};
use crate::payload::value::tidy;

impl Walk {
    /// Events of channels: holds, and the end of the customer's leg.
    pub(super) fn channel(&mut self, s: &Seen<'_>) {
        let channel = s.event.get("Unique-ID");
        let (us, p) = s.at;
        match s.event.name() {
            "CHANNEL_HOLD" if !self.held.contains_key(channel) => {
                let goes_on = |t: &&Talk| t.start <= us && t.end.is_none_or(|end| us <= end);
                let talk = self.talks.iter().filter(goes_on).max_by_key(|t| t.start);
                let Some(talk) = talk else { return };
                let id = format!("hold/{channel}/{us}");
                let said = Statement::new(Thing::Segment(id.as_str().into()), &s.by)
                    .text(F::Kind, "hold")
                    .text(F::Queue, &tidy(&talk.queue))
                    .text(F::Agent, &tidy(&talk.agent))
                    .text(F::Parent, &talk.id)
                    .time(F::Start, us, p);
                self.out.push(said);
                self.held.insert(channel.to_owned(), id);
            }
            "CHANNEL_UNHOLD" => {
                if let Some(id) = self.held.remove(channel) {
                    let said = Statement::new(Thing::Segment(id.into()), &s.by);
                    self.out
                        .push(said.time(F::End, us, p).text(F::Outcome, "resumed"));
                }
            }
            "CHANNEL_HANGUP_COMPLETE" if self.customers.contains(channel) => {
                let said = Statement::new(Thing::Contact, &s.by)
                    .time(F::End, us, p)
                    .text(F::EndReason, &tidy(s.event.get("Hangup-Cause")));
                self.out.push(said);
            }
            _ => {}
        }
    }
}
