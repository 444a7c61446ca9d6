//! Talks: holds, wrap-up, transfers, consultations, conferences.

use callboard_model::cloudevents::words::{
    Channel, Direction, EndedBy, LinkKind, SegmentKind, TargetKind,
};

use super::super::calendar::SECOND;
use super::super::durations::{CHAT, EXPONENTIAL, TALK, WRAP};
use super::super::story::Part;
use super::{Floor, Moment};

impl Floor<'_> {
    /// The offer was accepted.
    pub(super) fn answered(&mut self, c: usize, a: usize, t: i64) {
        let call = &mut self.calls[c];
        let (q, stay) = (call.queue, call.part);
        call.stay += 1;
        let part = &mut call.story.parts[stay];
        part.end = t;
        part.outcome = "answered";
        part.raw = "CONNECT";
        let voice = call.story.channel == Channel::Voice;
        let chance = &mut call.chance;
        let lasts = match call.story.channel {
            Channel::Voice => TALK.draw(chance, 240 * SECOND),
            Channel::Email => CHAT.draw(chance, 600 * SECOND),
            _ => CHAT.draw(chance, 420 * SECOND),
        };
        let lasts = self.site.handling(lasts);
        let end = t + lasts.max(2 * SECOND);
        let mut talk = Part::new(SegmentKind::Talk, t);
        talk.queue = Some(q);
        talk.agent = Some(a);
        talk.parent = Some(stay);
        talk.stay = Some(stay);
        talk.mode = "serve";
        talk.end = end;
        let plan = if voice {
            chance.weighted(&[820, 60, 20, 15, 20, 40, 12, 5])
        } else {
            chance.weighted(&[960, 0, 40])
        };
        let gap = chance.between(50, 900);
        match plan {
            1 | 2 => {
                let to = if plan == 2 { q } else { self.other_queue(c, q) };
                self.transferred(
                    c,
                    talk,
                    TargetKind::Queue,
                    self.site.queues[to].name.clone(),
                );
                self.at(end + gap, Moment::Enter(c, to));
            }
            3 => {
                self.transferred(c, talk, TargetKind::External, "+999000000002".to_owned());
                self.over(c, end, EndedBy::Agent);
            }
            4 => {
                let to = self.other_queue(c, q);
                self.transferred(
                    c,
                    talk,
                    TargetKind::Queue,
                    self.site.queues[to].name.clone(),
                );
                self.over(c, end, EndedBy::Agent);
                let child = self.child(c, LinkKind::Transfer, Direction::Inbound, end + gap, end);
                self.calls[child].direct = Some(to);
                self.calls[child].queue = to;
                self.at(end + gap, Moment::Arrive(child));
            }
            5 => {
                // Whether anybody can be consulted shows then.
                let part = self.add(c, talk);
                self.at(t + lasts.max(2 * SECOND) * 6 / 10, Moment::Consult(c, part));
            }
            6 => {
                let part = self.plain(c, talk, "completed");
                self.at(t + (end - t) / 2, Moment::Join(c, part));
            }
            7 => {
                self.plain(c, talk, "dropped");
            }
            _ => {
                self.plain(c, talk, "completed");
            }
        }
    }

    fn other_queue(&mut self, c: usize, q: usize) -> usize {
        let voice: Vec<usize> = (0..self.site.queues.len())
            .filter(|to| *to != q && self.site.queues[*to].voice())
            .collect();
        if voice.is_empty() {
            q
        } else {
            *self.calls[c].chance.pick(&voice)
        }
    }

    /// A talk after which the customer leaves.
    fn plain(&mut self, c: usize, mut talk: Part, outcome: &'static str) -> usize {
        let by = match outcome {
            "dropped" => EndedBy::Platform,
            _ if self.calls[c].chance.percent(60) => EndedBy::Customer,
            _ => EndedBy::Agent,
        };
        talk.outcome = outcome;
        let end = talk.end;
        let part = self.add(c, talk);
        self.holds(c, part);
        self.wrap_up(c, part);
        self.over(c, end, by);
        part
    }

    fn transferred(&mut self, c: usize, mut talk: Part, kind: TargetKind, to: String) {
        talk.outcome = "transferred";
        talk.target = Some((kind, to));
        let part = self.add(c, talk);
        self.holds(c, part);
        self.wrap_up(c, part);
    }

    /// Puts the customer on hold now and then.
    fn holds(&mut self, c: usize, talk: usize) {
        let call = &mut self.calls[c];
        let part = &call.story.parts[talk];
        let (start, end, q, a) = (part.start, part.end, part.queue, part.agent);
        let voice = call.story.channel == Channel::Voice;
        if !voice || !self.site.tells_holds || !call.chance.percent(20) {
            return;
        }
        let mut from = start + 2 * SECOND;
        for _ in 0..call.chance.between(1, 3) {
            let begins = from + EXPONENTIAL.draw(&mut call.chance, 60 * SECOND) + 500;
            let ends = begins + EXPONENTIAL.draw(&mut call.chance, 35 * SECOND) + 400;
            if ends + 500 > end {
                return;
            }
            let mut hold = Part::new(SegmentKind::Hold, begins);
            hold.end = ends;
            hold.outcome = "resumed";
            (hold.queue, hold.agent, hold.parent) = (q, a, Some(talk));
            call.story.parts.push(hold);
            from = ends;
        }
    }

    /// Wrap-up after a talk; then the agent is free.
    pub(super) fn wrap_up(&mut self, c: usize, talk: usize) {
        let call = &mut self.calls[c];
        let part = &call.story.parts[talk];
        let (end, q, agent) = (part.end, part.queue, part.agent);
        let Some(a) = agent else { return };
        if call.chance.percent(92) {
            let mut wrap = Part::new(SegmentKind::Wrapup, end);
            let lasts = WRAP.draw(&mut call.chance, 30 * SECOND);
            wrap.end = end + self.site.handling(lasts).max(700);
            wrap.outcome = if call.chance.percent(85) {
                "completed"
            } else {
                "timeout"
            };
            (wrap.queue, wrap.agent, wrap.parent) = (q, agent, Some(talk));
            wrap.stay = part.stay;
            let free = wrap.end;
            call.story.parts.push(wrap);
            self.at(free, Moment::Free(a));
        } else {
            self.at(end, Moment::Free(a));
        }
    }

    /// Asks a colleague while the customer holds, and hands the customer over.
    pub(super) fn consult(&mut self, c: usize, talk: usize, t: i64) {
        let part = &self.calls[c].story.parts[talk];
        let (q, stay, end, first) = (part.queue, part.stay, part.end, part.agent);
        let Some((b, a)) = self.anybody(first).zip(first) else {
            // Nobody there: the agent goes on alone.
            self.calls[c].story.parts[talk].outcome = "completed";
            self.wrap_up(c, talk);
            return self.over(c, end, EndedBy::Customer);
        };
        self.desks[b].load += 1;
        let name = self.site.agents[b].name.clone();
        let call = &mut self.calls[c];
        let rings = call.chance.between(1_500, 6_000);
        let picked = t + 700 + rings;
        let handed = picked + call.chance.between(10 * SECOND, 80 * SECOND);
        let joined = handed + call.chance.between(50, 400);
        let lasts = TALK.draw(&mut call.chance, 150 * SECOND);
        let lasts = self.site.handling(lasts).max(2 * SECOND);
        let told = &mut call.story.parts[talk];
        told.end = handed;
        told.outcome = "transferred";
        told.target = Some((TargetKind::Agent, name));
        if self.site.tells_holds {
            let mut hold = Part::new(SegmentKind::Hold, t);
            hold.end = handed;
            hold.outcome = "transferred";
            (hold.queue, hold.agent, hold.parent) = (q, first, Some(talk));
            self.add(c, hold);
        }
        self.wrap_up(c, talk);
        let mut second = Part::new(SegmentKind::Talk, joined);
        (second.queue, second.agent, second.stay, second.parent) = (q, Some(b), stay, stay);
        second.mode = "serve";
        second.end = joined + lasts;
        self.plain(c, second, "completed");
        self.consultation(c, (a, b), [t, t + 700, picked, handed, joined]);
    }

    /// The call between the two agents, a contact of its own.
    fn consultation(
        &mut self,
        c: usize,
        (a, b): (usize, usize),
        [start, rings, picked, handed, joined]: [i64; 5],
    ) {
        let child = self.child(c, LinkKind::Consult, Direction::Internal, start, start);
        self.calls[child].story.customer.clear();
        self.calls[child].story.name = "";
        self.calls[child].story.survey = None;
        let talk = |agent, start, end| {
            let mut part = Part::new(SegmentKind::Talk, start);
            part.agent = Some(agent);
            part.mode = "internal";
            part.end = end;
            part.outcome = "completed";
            part
        };
        let mut offer = Part::new(SegmentKind::Offer, rings);
        offer.agent = Some(b);
        offer.end = picked;
        offer.outcome = "accepted";
        self.add(child, talk(a, start, handed));
        self.add(child, offer);
        self.add(child, talk(b, picked, joined));
        self.over(child, joined, EndedBy::Agent);
        self.calls[child].story.recorded = false;
    }

    /// A colleague joins a talk.
    pub(super) fn join(&mut self, c: usize, talk: usize, t: i64) {
        let part = &self.calls[c].story.parts[talk];
        let (q, stay, end) = (part.queue, part.stay, part.end);
        let Some(b) = self.anybody(part.agent).filter(|_| end - t > SECOND) else {
            return;
        };
        self.desks[b].load += 1;
        let mut second = Part::new(SegmentKind::Talk, t);
        (second.queue, second.agent, second.stay, second.parent) = (q, Some(b), stay, stay);
        second.mode = "conference";
        // The second agent leaves first, and never in the same moment as the other.
        let stays = (end - t) * self.calls[c].chance.between(30, 90) / 100;
        second.end = t + stays.max(1);
        second.outcome = "left";
        let second = self.add(c, second);
        self.wrap_up(c, second);
    }
}
