//! One contact out of all that the feeds say of its calls.
//!
//! Each feed is read alone, by its own clock, into stays, offers, talks and the rest
//! ([`from_queue_log`], [`from_cel`], [`from_ami`], [`from_cdr`]). [`tell`] then puts what several
//! feeds say of one thing under one identity. Identities are `CALL/q1` for the first stay in a
//! queue, `CALL/q1/offer2`, `CALL/q1/talk`, `CALL/q1/talk/hold1`, `CALL/menu1`, `CALL/voicemail1`,
//! `CALL/talk1` for a talk that no queue gave, `CALL/consult1`, `CALL/park1`, `CALL/callback1`,
//! `CALL/refused1` for a caller who was turned away at the door.

mod from_ami;
mod from_cdr;
mod from_cel;
mod from_queue_log;
mod meetings;
mod plumbing;
mod tell;

use callboard_model::ids::PlatformId;
use callboard_model::statement::{F, Statement, Value};

use super::{Body, Claims, Feed, Mark, Parsed, TOLERANCE};
use plumbing::Channels;

/// One stay in one queue, as one feed tells it.
#[derive(Debug)]
pub(super) struct Stay {
    feed: Feed,
    /// Uniqueid of the waiting channel.
    call: String,
    queue: String,
    /// Start by this feed's clock.
    at: i64,
    /// End, once it has one.
    until: Option<i64>,
    claims: Claims,
    offers: Vec<Offer>,
    talk: Option<Talk>,
    /// Left so quickly that the queue never took it, unless another feed knows of the stay.
    brief: bool,
    /// The mark of its first record.
    first: Mark,
}

/// One offer to one agent, as one feed tells it.
#[derive(Debug)]
pub(super) struct Offer {
    feed: Feed,
    agent: Option<String>,
    /// Uniqueid of the channel that rang.
    channel: Option<String>,
    /// Start of ringing by this feed's clock.
    at: i64,
    open: bool,
    claims: Claims,
}

/// The talk that a stay led to, as one feed tells it.
#[derive(Debug)]
pub(super) struct Talk {
    at: i64,
    until: Option<i64>,
    agent: Option<String>,
    /// Position at entry, by which a line with a changed callid is recognised.
    position: Option<i64>,
    claims: Claims,
    holds: Vec<Hold>,
    /// Ended by a transfer, to this extension or agent (may be empty).
    transferred: Option<String>,
}

/// A hold inside a talk.
#[derive(Debug)]
pub(super) struct Hold {
    open: bool,
    claims: Claims,
}

/// Anything else of a call that lasts: menu, voicemail, talk without a queue, ...
#[derive(Debug)]
pub(super) struct Extra {
    feed: Feed,
    call: String,
    /// Last part of its identity without number: `menu`, `voicemail`, `talk` ...
    what: &'static str,
    /// The time by which it is recognised in another feed.
    at: i64,
    /// Start, for what follows what.
    from: i64,
    /// Where a caller who was sent here is: kind of target and its name.
    leads: Option<(&'static str, String)>,
    first: Mark,
    claims: Claims,
    holds: Vec<Hold>,
    /// Who took part in it, for a talk.
    party: Option<usize>,
    until: Option<i64>,
}

/// All that the feeds say.
#[derive(Debug, Default)]
pub(super) struct Story {
    stays: Vec<Stay>,
    extras: Vec<Extra>,
    contact: Claims,
    /// Links to other calls: (kind, linkedid, who says so).
    links: Vec<(&'static str, String, Mark)>,
    /// A customer's contact, not an agent's own call.
    customer: bool,
    /// Muted spans of recordings: from, until.
    mutes: Vec<(Mark, Option<i64>)>,
    /// When a recording was first said to begin.
    announced: Option<Mark>,
    /// Transfers: the party that transferred, and when.
    transfers: Vec<(Option<usize>, Mark)>,
}

/// What the records of one contact say together; nothing when it is not a customer's contact.
pub(super) fn interpret(id: &PlatformId, lines: &[Parsed<'_>]) -> Vec<Statement> {
    let channels = Channels::read(lines);
    let mut story = Story::default();
    from_queue_log::read(lines, &mut story);
    from_cel::read(lines, &channels, &mut story);
    from_ami::read(lines, &channels, &mut story);
    if lines.iter().all(|l| matches!(l.body, Body::Cdr(_))) {
        from_cdr::read_alone(lines, &mut story);
    } else {
        from_cdr::read_beside(lines, &mut story);
    }
    if !story.customer {
        return Vec::new();
    }
    let (_, instance, _) = id.parts();
    tell::tell(story, instance)
}

impl Story {
    /// The latest stay of a feed in that queue, by call.
    fn stay(&mut self, feed: Feed, call: &str, queue: &str) -> Option<&mut Stay> {
        self.stays
            .iter_mut()
            .rev()
            .find(|s| s.feed == feed && s.call == call && s.queue == queue)
    }

    /// Opens a stay.
    fn enter(&mut self, feed: Feed, call: &str, queue: &str, at: i64, first: &Mark) -> &mut Stay {
        let mut claims = Claims::default();
        claims
            .text(first, F::Kind, "queue")
            .text(first, F::Queue, queue);
        self.stays.push(Stay {
            feed,
            call: call.to_owned(),
            queue: queue.to_owned(),
            at,
            until: None,
            claims,
            offers: Vec::new(),
            talk: None,
            brief: false,
            first: first.clone(),
        });
        let last = self.stays.len() - 1;
        &mut self.stays[last]
    }
}

impl Stay {
    /// Says how and when the stay ended.
    fn leave(&mut self, mark: &Mark, outcome: &str, raw: &str) -> &mut Claims {
        self.until = Some(mark.at);
        self.claims
            .at(mark, F::End)
            .text(mark, F::Outcome, outcome)
            .text(mark, F::RawOutcome, raw)
    }

    /// Starts the talk.
    fn answer(&mut self, mark: &Mark, agent: Option<&str>) -> &mut Talk {
        let mut claims = Claims::default();
        claims
            .text(mark, F::Kind, "talk")
            .text(mark, F::Mode, "serve")
            .text(mark, F::Queue, &self.queue)
            .text(mark, F::Agent, agent.unwrap_or(""));
        self.talk.insert(Talk {
            at: mark.at,
            until: None,
            agent: agent.map(str::to_owned),
            position: None,
            claims,
            holds: Vec::new(),
            transferred: None,
        })
    }

    /// Adds an offer.
    fn offer(
        &mut self,
        agent: Option<&str>,
        channel: Option<&str>,
        at: i64,
        mark: &Mark,
    ) -> &mut Offer {
        let mut claims = Claims::default();
        claims
            .text(mark, F::Kind, "offer")
            .text(mark, F::Queue, &self.queue)
            .text(mark, F::Agent, agent.unwrap_or(""));
        self.offers.push(Offer {
            feed: self.feed,
            agent: agent.map(str::to_owned),
            channel: channel.map(str::to_owned),
            at,
            open: true,
            claims,
        });
        let last = self.offers.len() - 1;
        &mut self.offers[last]
    }
}

impl Offer {
    /// Says how and when the offer ended.
    fn end(&mut self, mark: &Mark, outcome: &str, raw: &str) -> &mut Claims {
        self.open = false;
        self.claims
            .at(mark, F::End)
            .text(mark, F::Outcome, outcome)
            .text(mark, F::RawOutcome, raw)
    }
}

impl Talk {
    /// Says when and how the talk ended.
    fn end(&mut self, mark: &Mark, outcome: &str) -> &mut Claims {
        self.until = Some(mark.at);
        self.claims.at(mark, F::End).text(mark, F::Outcome, outcome)
    }
}

impl Extra {
    /// Something of a call that starts or is first seen at `mark`.
    fn new(feed: Feed, call: &str, what: &'static str, kind: &str, mark: &Mark) -> Self {
        let mut claims = Claims::default();
        claims.text(mark, F::Kind, kind);
        Extra {
            feed,
            call: call.to_owned(),
            what,
            at: mark.at,
            from: mark.at,
            leads: None,
            first: mark.clone(),
            claims,
            holds: Vec::new(),
            party: None,
            until: None,
        }
    }
}

/// A menu step that the caller answered.
fn menu(
    feed: Feed,
    call: &str,
    (name, input, target): (&str, &str, &str),
    since: Option<&Mark>,
    mark: &Mark,
) -> Extra {
    let mut extra = Extra::new(feed, call, "menu", "menu", mark);
    let outcome = match target {
        "invalid" | "i" => "invalid",
        "timeout" | "t" => "timeout",
        "hangup" | "h" => "hangup",
        _ => "selected",
    };
    extra
        .claims
        .at(mark, F::End)
        .text(mark, F::Name, name)
        .text(mark, F::Input, input)
        .text(
            mark,
            F::InputType,
            if input.is_empty() { "" } else { "dtmf" },
        )
        .text(mark, F::Outcome, outcome)
        .text(
            mark,
            F::Target,
            if outcome == "selected" { target } else { "" },
        );
    if let Some(since) = since {
        extra
            .claims
            .guess_at(mark, F::Start, since.at, since.precision);
        extra.from = since.at;
    }
    extra
}

/// Attribute of a contact: when the platform said that its recording begins, RFC 3339.
pub const ATTR_RECORDING_ANNOUNCED: &str = "recording_announced";

/// Attribute of a contact: spans in which its recording is muted, JSON array of
/// `{start, end, reason}`, times in RFC 3339, `end` null while it lasts.
pub const ATTR_RECORDING_MUTED: &str = "recording_muted";

/// Whether two feeds' times can be of the same thing.
fn near(a: i64, b: i64) -> bool {
    (a - b).abs() <= TOLERANCE
}

/// A duration of whole seconds.
fn seconds(claims: &mut Claims, mark: &Mark, f: F, s: Option<i64>) {
    if let Some(s) = s {
        claims.millis(
            mark,
            f,
            s.clamp(0, super::GREATEST) * 1000,
            super::WHOLE_SECOND,
        );
    }
}

/// Whether calls that start in a dialplan context come from outside: contexts of trunks are named
/// so by habit (`from-trunk`, `from-pstn`, `ext-did`, `incoming` ...).
fn incoming(context: &str) -> bool {
    let context = context.to_ascii_lowercase();
    [
        "trunk", "pstn", "did", "inbound", "incoming", "external", "outside", "public",
    ]
    .iter()
    .any(|word| context.contains(word))
}

/// Yes.
const YES: Value = Value::Bool(true);
