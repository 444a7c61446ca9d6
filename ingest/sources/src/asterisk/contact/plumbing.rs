//! Channels and bridges: which channels are one party, and who met whom when. CEL and AMI write
//! the same events of them, so both are read by the same rules.

use std::collections::BTreeMap;

use crate::asterisk::{Body, Feed, Mark, Parsed};

/// One event of a channel.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    pub mark: &'a Mark,
    pub channel: &'a str,
    pub name: &'a str,
    pub linkedid: &'a str,
    pub what: What,
}

/// What happened to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    Start,
    Enter(String),
    Leave(String),
    End,
    Other,
}

/// What is known of one channel.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub name: String,
    pub linkedid: String,
    /// Started, ended, by feed (CEL, AMI).
    pub started: [Option<i64>; 2],
    pub ended: [Option<i64>; 2],
    /// Rung by the application Queue.
    pub member: bool,
    party: usize,
}

/// The channels of a contact.
#[derive(Debug, Default)]
pub(super) struct Channels {
    by_id: BTreeMap<String, Channel>,
    /// Agent of a party, where a feed names him.
    agents: BTreeMap<usize, String>,
    /// Agent of a device.
    devices: BTreeMap<String, String>,
}

/// Place of a feed in the pairs of times.
pub(super) fn side(feed: Feed) -> usize {
    usize::from(feed == Feed::Ami)
}

/// The channel events of one feed, in order.
pub(super) fn wires<'a>(lines: &'a [Parsed<'_>], feed: Feed) -> Vec<Wire<'a>> {
    lines
        .iter()
        .filter_map(|line| {
            let mark = &line.mark;
            match &line.body {
                Body::Cel(r) if feed == Feed::Cel => Some(Wire {
                    mark,
                    channel: &r.uniqueid,
                    name: &r.channel,
                    linkedid: &r.linkedid,
                    what: match &*r.event {
                        "CHAN_START" => What::Start,
                        "BRIDGE_ENTER" => What::Enter(r.extra().bridge_id),
                        "BRIDGE_EXIT" => What::Leave(r.extra().bridge_id),
                        "CHAN_END" => What::End,
                        _ => What::Other,
                    },
                }),
                Body::Ami(e) if feed == Feed::Ami && !e.get("Uniqueid").is_empty() => Some(Wire {
                    mark,
                    channel: e.get("Uniqueid"),
                    name: e.get("Channel"),
                    linkedid: e.get("Linkedid"),
                    what: match e.name() {
                        "Newchannel" => What::Start,
                        "BridgeEnter" => What::Enter(e.get("BridgeUniqueid").to_owned()),
                        "BridgeLeave" => What::Leave(e.get("BridgeUniqueid").to_owned()),
                        "Hangup" => What::End,
                        _ => What::Other,
                    },
                }),
                _ => None,
            }
        })
        .collect()
}

/// The device of a channel: its name without the part that changes from call to call.
pub(super) fn device(name: &str) -> &str {
    let name = name.split(';').next().unwrap_or(name);
    name.rsplit_once('-').map_or(name, |(device, _)| device)
}

impl Channels {
    /// Gathers the channels of both feeds, the parties they form and the agents' names.
    pub fn read(lines: &[Parsed<'_>]) -> Self {
        let mut all = Channels::default();
        for feed in [Feed::Cel, Feed::Ami] {
            for wire in wires(lines, feed) {
                let channel = all.touch(wire.channel, wire.name, wire.linkedid);
                match wire.what {
                    What::Start => channel.started[side(feed)] = Some(wire.mark.at),
                    What::End => channel.ended[side(feed)] = Some(wire.mark.at),
                    _ => {}
                }
            }
        }
        all.join_halves();
        all.join_dialled(lines);
        for line in lines {
            match &line.body {
                Body::QueueLog(l) if l.event == "CONNECT" => {
                    if let Some(agent) = l.member() {
                        all.name_agent(l.data(1), agent);
                    }
                }
                Body::Ami(e) if e.name().starts_with("Agent") => {
                    let (channel, agent) = (e.get("DestUniqueid"), e.get("MemberName"));
                    if !channel.is_empty() {
                        all.touch(channel, e.get("DestChannel"), e.get("DestLinkedid"))
                            .member = true;
                    }
                    if !agent.is_empty() {
                        all.name_agent(channel, agent);
                        let interface = e.get("Interface");
                        let interface = interface.strip_suffix("/n").unwrap_or(interface);
                        all.devices.insert(interface.to_owned(), agent.to_owned());
                    }
                }
                Body::Cel(r) if r.app == "AppQueue" && r.channel.ends_with(";2") => {}
                Body::Cel(r) if r.app == "AppQueue" => {
                    all.touch(&r.uniqueid, &r.channel, &r.linkedid).member = true;
                }
                _ => {}
            }
        }
        all
    }

    fn touch(&mut self, id: &str, name: &str, linkedid: &str) -> &mut Channel {
        let next = self.by_id.len();
        let channel = self.by_id.entry(id.to_owned()).or_insert_with(|| Channel {
            party: next,
            ..Channel::default()
        });
        if channel.name.is_empty() {
            name.clone_into(&mut channel.name);
        }
        if channel.linkedid.is_empty() {
            linkedid.clone_into(&mut channel.linkedid);
        }
        channel
    }

    fn unite(&mut self, a: &str, b: &str) {
        let (Some(x), Some(y)) = (self.party(a), self.party(b)) else {
            return;
        };
        if x != y {
            let (keep, drop) = (x.min(y), x.max(y));
            for channel in self.by_id.values_mut() {
                if channel.party == drop {
                    channel.party = keep;
                }
            }
        }
    }

    /// The two halves of a Local channel are one party.
    fn join_halves(&mut self) {
        let mut stems: BTreeMap<String, String> = BTreeMap::new();
        let mut pairs = Vec::new();
        for (id, channel) in &self.by_id {
            if let Some((stem, _)) = channel.name.split_once(';') {
                match stems.get(stem) {
                    Some(other) => pairs.push((other.clone(), id.clone())),
                    None => {
                        stems.insert(stem.to_owned(), id.clone());
                    }
                }
            }
        }
        for (a, b) in pairs {
            self.unite(&a, &b);
        }
    }

    /// What the inner half of a Local channel dials is the same party.
    fn join_dialled(&mut self, lines: &[Parsed<'_>]) {
        let mut bridges: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
        let mut pairs: Vec<(String, String)> = Vec::new();
        for line in lines {
            match &line.body {
                Body::Cel(r) if r.event == "BRIDGE_ENTER" => {
                    let sides = bridges.entry(r.extra().bridge_id).or_default();
                    if r.app == "AppDial" {
                        sides.1.push(r.uniqueid.to_string());
                    } else if r.app == "Dial" && r.channel.ends_with(";2") {
                        sides.0.push(r.uniqueid.to_string());
                    }
                }
                Body::Ami(e) if e.name() == "DialBegin" && e.get("Channel").ends_with(";2") => {
                    pairs.push((
                        e.get("Uniqueid").to_owned(),
                        e.get("DestUniqueid").to_owned(),
                    ));
                }
                _ => {}
            }
        }
        for (inner, phones) in bridges.into_values() {
            if let Some(inner) = inner.first() {
                pairs.extend(phones.into_iter().map(|p| (inner.clone(), p)));
            }
        }
        for (a, b) in pairs {
            self.unite(&a, &b);
        }
    }

    fn name_agent(&mut self, channel: &str, agent: &str) {
        let Some(party) = self.party(channel) else {
            return;
        };
        self.agents.insert(party, agent.to_owned());
        let members: Vec<String> = self
            .by_id
            .values()
            .filter(|c| c.party == party)
            .map(|c| device(&c.name).to_owned())
            .collect();
        for name in members {
            self.devices.insert(name, agent.to_owned());
        }
    }

    /// A channel.
    pub fn get(&self, id: &str) -> Option<&Channel> {
        self.by_id.get(id)
    }

    /// Party of a channel.
    pub fn party(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).map(|c| c.party)
    }

    /// Agent's name of a channel's party, as far as any feed tells it.
    pub fn agent(&self, id: &str) -> Option<&str> {
        let party = self.party(id)?;
        if let Some(agent) = self.agents.get(&party) {
            return Some(agent);
        }
        self.by_id
            .values()
            .filter(|c| c.party == party)
            .find_map(|c| self.devices.get(device(&c.name)).map(String::as_str))
    }

    /// What to call a party that no feed names: its phone, else the Local channel that led to it.
    pub fn device_of(&self, id: &str) -> String {
        let party = self.party(id);
        let mut names: Vec<&str> = self
            .by_id
            .values()
            .filter(|c| Some(c.party) == party && !c.name.is_empty())
            .map(|c| device(&c.name))
            .collect();
        names.sort_by_key(|n| (n.starts_with("Local/"), *n));
        names.first().map(|n| (*n).to_owned()).unwrap_or_default()
    }

    /// Whether a channel is rung by a queue.
    pub fn is_member(&self, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|c| c.member)
    }

    /// Name of the channel of a party that a queue rang, if it rang one.
    pub fn member_of(&self, party: usize) -> Option<&str> {
        self.by_id
            .values()
            .find(|c| c.party == party && c.member)
            .map(|c| c.name.as_str())
    }

    /// Whether every channel of a party that a feed saw start has ended there.
    pub fn party_ended(&self, party: usize, feed: Feed) -> bool {
        let n = side(feed);
        self.by_id
            .values()
            .filter(|c| c.party == party && c.started[n].is_some())
            .all(|c| c.ended[n].is_some())
    }
}
