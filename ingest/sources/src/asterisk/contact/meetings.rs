//! Who met a customer's channels in a bridge, and when they parted for good.

use std::collections::BTreeMap;

use super::plumbing::{Channels, What, Wire, side};
use crate::asterisk::{Feed, Mark};

/// A party in a bridge together with a customer's channel.
#[derive(Debug)]
pub(super) struct Meeting<'a> {
    /// The customer's channel.
    pub customer: &'a str,
    /// A channel of the party: the first that met him.
    pub channel: &'a str,
    pub party: usize,
    pub start: &'a Mark,
    /// Last time that they were parted, if they are parted for good.
    pub end: Option<&'a Mark>,
    stepped_aside: bool,
}

/// Who met a customer's channels. A party that leaves the bridge and comes back (an agent who
/// asks a colleague) has met him once.
pub(super) fn meetings<'a>(
    wires: &[Wire<'a>],
    customers: &[&str],
    channels: &Channels,
    feed: Feed,
) -> Vec<Meeting<'a>> {
    let mut inside: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    let mut found: Vec<Meeting<'a>> = Vec::new();
    for wire in wires {
        match &wire.what {
            What::Enter(bridge) => {
                let members = inside.entry(bridge.as_str()).or_default();
                let pairs: Vec<(&'a str, &'a str)> = if customers.contains(&wire.channel) {
                    members
                        .iter()
                        .filter(|m| !customers.contains(*m))
                        .map(|m| (wire.channel, *m))
                        .collect()
                } else {
                    members
                        .iter()
                        .filter(|m| customers.contains(*m))
                        .map(|m| (*m, wire.channel))
                        .collect()
                };
                members.push(wire.channel);
                for (customer, channel) in pairs {
                    let Some(party) = channels.party(channel) else {
                        continue;
                    };
                    match found
                        .iter_mut()
                        .rev()
                        .find(|m| m.customer == customer && m.party == party)
                    {
                        Some(again) => {
                            again.end = None;
                            again.stepped_aside = false;
                        }
                        None => found.push(Meeting {
                            customer,
                            channel,
                            party,
                            start: wire.mark,
                            end: None,
                            stepped_aside: false,
                        }),
                    }
                }
            }
            What::Leave(bridge) => {
                let Some(members) = inside.get_mut(bridge.as_str()) else {
                    continue;
                };
                members.retain(|m| *m != wire.channel);
                let party = channels.party(wire.channel);
                for meeting in &mut found {
                    if meeting.end.is_none() && meeting.customer == wire.channel {
                        meeting.end = Some(wire.mark);
                        meeting.stepped_aside = false;
                    } else if party == Some(meeting.party)
                        && (meeting.end.is_none() || meeting.stepped_aside)
                    {
                        // He may ask a colleague in another bridge: he was with the call until
                        // he left his last one.
                        meeting.end = Some(wire.mark);
                        meeting.stepped_aside = true;
                    }
                }
            }
            _ => {}
        }
    }
    // Nobody is parted for good before he or the customer has hung up.
    let n = side(feed);
    for meeting in &mut found {
        let customer_gone = channels
            .get(meeting.customer)
            .is_some_and(|c| c.ended[n].is_some());
        if meeting.stepped_aside && !customer_gone && !channels.party_ended(meeting.party, feed) {
            meeting.end = None;
        }
    }
    found
}
