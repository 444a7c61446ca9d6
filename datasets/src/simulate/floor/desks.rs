//! Agents: who is free, who rests, who goes home.

use callboard_model::cloudevents::words::AgentState;

use super::{Due, Floor, Moment, TEAM_MEETING, say};

impl Floor<'_> {
    pub(super) fn login(&mut self, a: usize, t: i64) {
        let desk = &mut self.desks[a];
        desk.on = true;
        desk.since = t;
        say(&mut desk.points, t, AgentState::Available, "");
        self.look_for_work(a, t);
    }

    pub(super) fn due(&mut self, a: usize, due: Due, t: i64) {
        self.desks[a].due.push_back(due);
        self.settle(a, t);
    }

    pub(super) fn back(&mut self, a: usize, t: i64) {
        let desk = &mut self.desks[a];
        desk.paused = false;
        desk.meets = false;
        desk.since = t;
        // Straight from a pause home, or back to work first.
        if desk.due.front() != Some(&Due::Leave) {
            say(&mut desk.points, t, AgentState::Available, "");
        }
        self.settle(a, t);
        self.look_for_work(a, t);
    }

    /// One contact less in his hands.
    pub(super) fn free(&mut self, a: usize, t: i64) {
        let desk = &mut self.desks[a];
        desk.load -= 1;
        desk.since = t;
        self.settle(a, t);
        self.look_for_work(a, t);
    }

    /// Does what is due, once his hands are free.
    pub(super) fn settle(&mut self, a: usize, t: i64) {
        let desk = &mut self.desks[a];
        if desk.load > 0 || desk.paused || !desk.on {
            return;
        }
        match desk.due.pop_front() {
            None => {}
            Some(Due::Leave) => {
                desk.on = false;
                desk.due.clear();
                say(&mut desk.points, t, AgentState::Offline, "");
            }
            Some(Due::Pause(reason, lasts)) => {
                desk.paused = true;
                desk.meets = reason == TEAM_MEETING;
                let at = say(&mut desk.points, t, AgentState::Paused, reason);
                self.at(at + lasts, Moment::Back(a));
            }
        }
    }

    /// Whether another contact can be given to him.
    pub(super) fn idle(&self, a: usize) -> bool {
        let desk = &self.desks[a];
        desk.on && !desk.paused && desk.due.is_empty() && desk.load < self.site.agents[a].slots
    }

    /// Whether anybody who serves this queue is logged in, and does not sit with all the others.
    pub(super) fn manned(&self, q: usize) -> bool {
        let serves = |a: usize| self.site.agents[a].skills.contains(&q);
        let there = |a: usize| self.desks[a].on && !self.desks[a].meets;
        (0..self.desks.len()).any(|a| there(a) && serves(a))
    }

    /// Who takes the next of a queue: who has least, then who waits longest.
    pub(super) fn next_for(&self, q: usize) -> Option<usize> {
        (0..self.desks.len())
            .filter(|a| self.site.agents[*a].skills.contains(&q) && self.idle(*a))
            .min_by_key(|a| (self.desks[*a].load, self.desks[*a].since, *a))
    }

    /// Somebody for a call that is in no queue.
    pub(super) fn anybody(&self, but: Option<usize>) -> Option<usize> {
        (0..self.desks.len())
            .filter(|a| Some(*a) != but && self.site.agents[*a].slots == 1 && self.idle(*a))
            .min_by_key(|a| (self.desks[*a].since, *a))
    }

    /// Takes who waits longest in his queues.
    pub(super) fn look_for_work(&mut self, a: usize, t: i64) {
        while self.idle(a) {
            let entered = |q: usize| {
                let c = *self.waiting[q].front()?;
                let call = &self.calls[c];
                Some((call.story.parts[call.part].start, q, c))
            };
            let skills = &self.site.agents[a].skills;
            let Some((_, q, c)) = skills.iter().filter_map(|q| entered(*q)).min() else {
                return;
            };
            self.waiting[q].pop_front();
            self.offer(c, a, t);
        }
    }
}
