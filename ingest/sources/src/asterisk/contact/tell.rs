//! The feeds' stories become one: what several say of the same thing gets one identity, what
//! follows from what came next is added, and all is stated.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_model::ids::PlatformId;
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::{SECOND, format_rfc3339};

use super::{
    ATTR_RECORDING_ANNOUNCED, ATTR_RECORDING_MUTED, Extra, Offer, Stay, Story, Talk, near,
};
use crate::asterisk::{Claims, Feed, Mark, instance_source};

/// What a caller was led to lies no further behind the end of what led there, microseconds.
const NEXT: i64 = 3 * SECOND;

/// Something that a caller can be led to: when, what kind of target, its name, who says so.
struct Place {
    from: i64,
    kind: &'static str,
    name: String,
    mark: Mark,
}

/// States the story.
pub(super) fn tell(mut story: Story, instance: &str) -> Vec<Statement> {
    let mut out = Vec::new();
    let stays = same_stays(std::mem::take(&mut story.stays));
    let extras = same_extras(std::mem::take(&mut story.extras));
    let places = places(&stays, &extras);

    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut refusals: BTreeMap<String, usize> = BTreeMap::new();
    for group in stays {
        let call = group[0].call.clone();
        if group.iter().all(|s| s.brief) {
            let n = refusals.entry(call.clone()).or_default();
            *n += 1;
            refused(group, &format!("{call}/refused{n}"), &mut out);
        } else {
            let n = numbers.entry(call.clone()).or_default();
            *n += 1;
            tell_stay(group, &format!("{call}/q{n}"), &places, &mut out);
        }
    }
    let mut numbers: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for group in extras {
        let key = (group[0].call.clone(), group[0].what);
        let n = numbers.entry(key.clone()).or_default();
        *n += 1;
        let id: Arc<str> = format!("{}/{}{n}", key.0, key.1).into();
        let mut claims = Claims::default();
        let mut holds = Vec::new();
        for mut extra in group {
            claims.append(&mut extra.claims);
            holds.append(&mut extra.holds);
        }
        claims.state(&Thing::Segment(id.clone()), &mut out);
        tell_holds(holds, &id, false, &mut out);
    }
    tell_contact(story, instance, &mut out);
    out
}

/// Stays of the same call and queue that several feeds tell of, in order of their start.
fn same_stays(mut stays: Vec<Stay>) -> Vec<Vec<Stay>> {
    stays.sort_by(|a, b| (a.at, a.feed, &a.call, &a.queue).cmp(&(b.at, b.feed, &b.call, &b.queue)));
    let mut groups: Vec<Vec<Stay>> = Vec::new();
    for stay in stays {
        let found = groups.iter_mut().find(|g| {
            g[0].call == stay.call
                && g[0].queue == stay.queue
                && near(g[0].at, stay.at)
                && g.iter().all(|s| s.feed != stay.feed)
        });
        match found {
            Some(group) => group.push(stay),
            None => groups.push(vec![stay]),
        }
    }
    groups
}

/// The same for everything else. A message in a mailbox is told by one feed when it begins and by
/// another when it is kept, so there only the order counts.
fn same_extras(mut extras: Vec<Extra>) -> Vec<Vec<Extra>> {
    extras.sort_by(|a, b| (a.at, a.feed, &a.call, a.what).cmp(&(b.at, b.feed, &b.call, b.what)));
    let mut groups: Vec<Vec<Extra>> = Vec::new();
    for extra in extras {
        let found = groups.iter_mut().find(|g| {
            g[0].call == extra.call
                && g[0].what == extra.what
                && (extra.what == "voicemail" || near(g[0].at, extra.at))
                && g.iter().all(|e| e.feed != extra.feed)
        });
        match found {
            Some(group) => group.push(extra),
            None => groups.push(vec![extra]),
        }
    }
    groups
}

/// The same for offers: by the channel that rang, else by agent and time. Feeds that know
/// channels come first, so that the others find them.
fn same_offers(mut offers: Vec<Offer>) -> Vec<Vec<Offer>> {
    let order = |feed: Feed| match feed {
        Feed::Ami | Feed::Ari => 0,
        Feed::Cel => 1,
        Feed::QueueLog => 2,
        Feed::Cdr => 3,
    };
    offers.sort_by(|a, b| {
        let key = |o: &Offer| (o.channel.is_none(), order(o.feed), o.at);
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.agent, &a.channel).cmp(&(&b.agent, &b.channel)))
    });
    let mut groups: Vec<Vec<Offer>> = Vec::new();
    for offer in offers {
        let free = |g: &[Offer]| g.iter().all(|o| o.feed != offer.feed);
        let by_channel = groups
            .iter()
            .position(|g| offer.channel.is_some() && g.iter().any(|o| o.channel == offer.channel));
        let agrees = |g: &[Offer]| {
            let apart = |o: &Offer| o.channel.is_some() && offer.channel.is_some();
            free(g) && near(g[0].at, offer.at) && !g.iter().any(apart)
        };
        let by_agent = || {
            groups.iter().position(|g| {
                agrees(g) && offer.agent.is_some() && g.iter().any(|o| o.agent == offer.agent)
            })
        };
        let nameless = || {
            groups
                .iter()
                .position(|g| agrees(g) && g.iter().all(|o| o.agent.is_none()))
        };
        match by_channel.or_else(by_agent).or_else(nameless) {
            Some(n) => groups[n].push(offer),
            None => groups.push(vec![offer]),
        }
    }
    groups.sort_by(|a, b| {
        let key = |g: &[Offer]| (g[0].at, g[0].agent.clone(), g[0].channel.clone());
        key(a).cmp(&key(b))
    });
    groups
}

/// Where callers can be led to.
fn places(stays: &[Vec<Stay>], extras: &[Vec<Extra>]) -> Vec<(String, Place)> {
    let mut all = Vec::new();
    for group in stays {
        let s = &group[0];
        all.push((
            s.call.clone(),
            Place {
                from: s.at,
                kind: "voice_app",
                name: s.queue.clone(),
                mark: s.first.clone(),
            },
        ));
    }
    for group in extras {
        let e = &group[0];
        if let Some((kind, name)) = &e.leads {
            all.push((
                e.call.clone(),
                Place {
                    from: e.from,
                    kind,
                    name: name.clone(),
                    mark: e.first.clone(),
                },
            ));
        }
    }
    all.sort_by(|a, b| (a.1.from, a.1.kind, &a.1.name).cmp(&(b.1.from, b.1.kind, &b.1.name)));
    all
}

/// Says where a caller was led to from something that ended at `until`.
fn led(claims: &mut Claims, call: &str, until: i64, own: i64, places: &[(String, Place)]) {
    let next = places.iter().find(|(c, p)| {
        c == call && p.from > own && (until - NEXT..=until + NEXT).contains(&p.from)
    });
    if let Some((_, place)) = next {
        claims.text(&place.mark, F::TargetKind, place.kind).text(
            &place.mark,
            F::Target,
            &place.name,
        );
    }
}

fn tell_stay(group: Vec<Stay>, id: &str, places: &[(String, Place)], out: &mut Vec<Statement>) {
    let segment: Arc<str> = id.into();
    let (call, at) = (group[0].call.clone(), group[0].at);
    let until = group.iter().filter_map(|s| s.until).max();
    let mut claims = Claims::default();
    let mut offers: Vec<Offer> = Vec::new();
    let mut talks: Vec<Talk> = Vec::new();
    for mut stay in group {
        claims.append(&mut stay.claims);
        offers.append(&mut stay.offers);
        talks.extend(stay.talk);
    }
    let went_on = matches!(
        claims.winner(&F::Outcome),
        Some("timeout" | "no_agents" | "key_exit" | "withdrawn")
    );
    if let Some(until) = until.filter(|_| went_on && talks.is_empty()) {
        led(&mut claims, &call, until, at, places);
    }
    claims.state(&Thing::Segment(segment.clone()), out);
    for (n, group) in same_offers(offers).into_iter().enumerate() {
        let mut claims = Claims::default();
        for mut offer in group {
            claims.append(&mut offer.claims);
        }
        let id = format!("{id}/offer{}", n + 1);
        child(claims, &id, &segment, out);
    }
    if !talks.is_empty() {
        tell_talk(talks, &format!("{id}/talk"), &segment, &call, places, out);
    }
}

fn tell_talk(
    talks: Vec<Talk>,
    id: &str,
    parent: &Arc<str>,
    call: &str,
    places: &[(String, Place)],
    out: &mut Vec<Statement>,
) {
    let mut claims = Claims::default();
    let mut holds = Vec::new();
    let until = talks.iter().filter_map(|t| t.until).max();
    let at = talks.iter().map(|t| t.at).min().unwrap_or(0);
    let transferred = talks.iter().any(|t| t.transferred.is_some());
    for mut talk in talks {
        claims.append(&mut talk.claims);
        holds.append(&mut talk.holds);
    }
    if let Some(until) = until.filter(|_| transferred) {
        led(&mut claims, call, until, at, places);
    }
    child(claims, id, parent, out);
    tell_holds(holds, id, transferred, out);
}

/// Holds; one that a transfer ended has no end of its own.
fn tell_holds(holds: Vec<super::Hold>, talk: &str, transferred: bool, out: &mut Vec<Statement>) {
    let parent: Arc<str> = talk.into();
    for (n, mut hold) in holds.into_iter().enumerate() {
        if hold.open && transferred {
            hold.claims.conclude(F::Outcome, "transferred");
        }
        child(hold.claims, &format!("{talk}/hold{}", n + 1), &parent, out);
    }
}

/// States a segment that belongs to another.
fn child(claims: Claims, id: &str, parent: &Arc<str>, out: &mut Vec<Statement>) {
    let first = out.len();
    claims.state(&Thing::Segment(id.into()), out);
    for said in &mut out[first..] {
        *said = said.clone().text(F::Parent, parent);
    }
}

/// A caller who was turned away at the door: no stay, but a mark of zero length.
fn refused(group: Vec<Stay>, id: &str, out: &mut Vec<Statement>) {
    for stay in group {
        let mark = &stay.first;
        let mut claims = Claims::default();
        claims
            .text(mark, F::Kind, "queue")
            .text(mark, F::Queue, &stay.queue)
            .at(mark, F::Start)
            .at(mark, F::End)
            .text(mark, F::Outcome, "refused")
            .text(mark, F::EndedBy, "system");
        claims.state(&Thing::Segment(id.into()), out);
    }
}

fn tell_contact(story: Story, instance: &str, out: &mut Vec<Statement>) {
    let mut contact = story.contact;
    contact.conclude(F::Source, &instance_source(instance));
    if !story.mutes.is_empty() {
        let spans: Vec<_> = story
            .mutes
            .iter()
            .map(|(from, until)| {
                serde_json::json!({
                    "start": format_rfc3339(from.at),
                    "end": until.map(format_rfc3339),
                    "reason": "muted",
                })
            })
            .collect();
        let json = serde_json::Value::from(spans).to_string();
        let mark = &story.mutes[story.mutes.len() - 1].0;
        contact.text(mark, F::Attr(ATTR_RECORDING_MUTED.into()), &json);
    }
    if let Some(mark) = &story.announced {
        let at = format_rfc3339(mark.at);
        contact.text(mark, F::Attr(ATTR_RECORDING_ANNOUNCED.into()), &at);
    }
    contact.state(&Thing::Contact, out);
    for (kind, call, mark) in story.links {
        let other = PlatformId::new("asterisk", instance, &call).contact_id();
        let link = Thing::Link(kind.into(), other.into());
        out.push(Statement::new(link, &mark.by).time(F::At, mark.at, mark.precision));
    }
}
