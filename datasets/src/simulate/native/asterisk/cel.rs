//! The channel event log of the calls that come in, as `cel_custom` writes it with every column: when
//! channels begin, are answered, meet in a bridge and end, keys, the applications Queue and
//! VoiceMail, transfers. It has no word for holds, for wrap-up, and for who serves which queue.

use callboard_model::cloudevents::words::{EndedBy, SegmentKind, TargetKind};
use serde_json::{Value, json};

use super::{channel_id, customer_id, member, queue_name};
use crate::simulate::native::Pen;
use crate::simulate::story::{Part, Story};

/// A channel of the call.
#[derive(Clone)]
struct Channel {
    name: String,
    id: String,
}

/// What a row says beside its channel.
#[derive(Default)]
struct What<'w> {
    context: &'w str,
    exten: &'w str,
    app: &'w str,
    data: String,
    detail: &'w str,
    extra: Value,
}

struct Log<'l, 'p> {
    pen: &'l mut Pen<'p>,
    story: &'l Story,
    number: usize,
    customer: Channel,
}

/// Tells a call.
pub(super) fn tell(pen: &mut Pen<'_>, number: usize, story: &Story) {
    let id = customer_id(number, story);
    pen.name("contact", format!("{}-{id}", pen.site.name), &story.id);
    let name = format!("PJSIP/trunk-{}", pen.hex(8, &["trunk", &story.id]));
    let mut log = Log {
        pen,
        story,
        number,
        customer: Channel { name, id },
    };
    log.call();
}

/// A column: in quotes, which are doubled within.
fn column(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

impl Log<'_, '_> {
    fn row(&mut self, event: &str, at: i64, of: &Channel, what: &What<'_>) {
        let theirs = of.id == self.customer.id;
        let (name, number) = match theirs {
            true => (self.story.name, self.story.customer.as_str()),
            false => ("", ""),
        };
        let extra = match &what.extra {
            Value::Null => String::new(),
            extra => extra.to_string(),
        };
        let time = format!("{}.{:03}000", at.div_euclid(1_000), at.rem_euclid(1_000));
        let columns = [
            event,
            &time,
            name,
            number,
            number,
            "",
            "",
            what.exten,
            what.context,
            &of.name,
            what.app,
            &what.data,
            "3",
            "",
            &of.id,
            &self.customer.id,
            "",
            "",
            what.detail,
            &extra,
        ];
        let line: Vec<String> = columns.iter().map(|c| column(c)).collect();
        self.pen.sheet("cel.csv", at, line.join(","));
    }

    fn customers(&mut self, event: &str, at: i64, what: &What<'_>) {
        let of = self.customer.clone();
        self.row(event, at, &of, what);
    }

    /// The channel of an agent's telephone, for a part of the call.
    fn telephone(&self, place: usize, part: &Part) -> Option<Channel> {
        let agent = part.agent?;
        let id = channel_id(self.number, place, part);
        let hex = self.pen.hex(8, &["telephone", &id]);
        let name = format!("PJSIP/{}-{hex}", member(self.pen, agent));
        Some(Channel { name, id })
    }

    fn call(&mut self) {
        let story = self.story;
        let door = What {
            context: "from-trunk",
            exten: "100",
            ..What::default()
        };
        self.customers("CHAN_START", story.start, &door);
        let menu = story.parts.iter().find(|p| p.kind == SegmentKind::Menu);
        // The dialplan answers when it begins to speak.
        let answered = menu.map_or(story.start, |m| m.start);
        self.customers(
            "ANSWER",
            answered,
            &What {
                app: "Answer",
                ..door
            },
        );
        let mut context = "queues";
        for (place, part) in story.parts.iter().enumerate() {
            match part.kind {
                SegmentKind::Menu => {
                    self.keys("ivr-main", part);
                    if part.outcome != "selected" {
                        context = "ivr-main";
                    }
                }
                SegmentKind::Queue => self.stay(place, part),
                SegmentKind::Voicemail => self.message(part),
                _ => {}
            }
        }
        // Who is to be called back has hung up long before that is done.
        let promised = story.parts.iter().find(|p| p.kind == SegmentKind::Callback);
        let end = promised.map_or(story.end, |p| p.start);
        let talks = || story.parts.iter().filter(|p| p.kind == SegmentKind::Talk);
        let source = match story.ended_by {
            EndedBy::Customer => self.customer.name.clone(),
            EndedBy::Agent => talks()
                .max_by_key(|t| t.end)
                .and_then(|t| t.agent)
                .map(|a| format!("PJSIP/{}", member(self.pen, a)))
                .unwrap_or_default(),
            _ => "dialplan/builtin".to_owned(),
        };
        let gone = What {
            context,
            extra: json!({"hangupcause": 16, "hangupsource": source, "dialstatus": ""}),
            ..What::default()
        };
        self.customers("HANGUP", end, &gone);
        for event in ["CHAN_END", "LINKEDID_END"] {
            let what = What {
                context,
                ..What::default()
            };
            self.customers(event, end, &what);
        }
    }

    /// The keys of a menu; the last one ends it.
    fn keys(&mut self, context: &str, menu: &Part) {
        let all: Vec<char> = match menu.outcome {
            "selected" => menu.input.chars().collect(),
            _ => Vec::new(),
        };
        let last = all.len();
        for (n, key) in all.into_iter().enumerate() {
            let at = menu.end - 300 * (last - 1 - n) as i64;
            self.key(context, "BackGround", at, key);
        }
    }

    fn key(&mut self, context: &str, app: &str, at: i64, key: char) {
        let what = What {
            context,
            exten: "s",
            app,
            detail: "Received",
            extra: json!({"digit": key.to_string(), "duration_ms": 120}),
            ..What::default()
        };
        self.customers("DTMF", at, &what);
    }

    /// A stay in a queue, with whom it rang and the talk that it led to.
    fn stay(&mut self, place: usize, part: &Part) {
        let story = self.story;
        let Some(q) = part.queue else { return };
        let queue = queue_name(self.pen, q);
        let longest = self.pen.site.queues[q].longest / 1_000;
        let waits = What {
            context: "queues",
            exten: &queue,
            app: "Queue",
            data: format!("{queue},tk,,,{longest}"),
            ..What::default()
        };
        self.customers("APP_START", part.start, &waits);
        let offers = story.parts.iter().enumerate();
        for (n, offer) in offers.filter(|(_, p)| p.parent == Some(place)) {
            if let (SegmentKind::Offer, Some(phone)) = (offer.kind, self.telephone(n, offer)) {
                self.ring(&phone, offer);
            }
        }
        let led = story.parts.iter().enumerate();
        let talks: Vec<(usize, &Part)> = led
            .filter(|(_, p)| p.kind == SegmentKind::Talk && p.parent == Some(place))
            .collect();
        if part.outcome != "answered" {
            if matches!(part.outcome, "key_exit" | "callback" | "voicemail") {
                self.key("queues", "Queue", part.end, '9');
            }
            return self.customers("APP_END", part.end, &waits);
        }
        let bridge = self.pen.uuid(&["bridge", &story.id, &place.to_string()]);
        for (n, talk) in &talks {
            self.talk(place, (*n, talk), &bridge, &waits);
        }
        let end = talks.iter().map(|(_, t)| t.end).max().unwrap_or(part.end);
        self.customers("APP_END", end, &waits);
    }

    fn ring(&mut self, phone: &Channel, offer: &Part) {
        self.row("CHAN_START", offer.start, phone, &What::default());
        let cause = match offer.outcome {
            "accepted" => {
                let what = What {
                    app: "AppQueue",
                    ..What::default()
                };
                return self.row("ANSWER", offer.end, phone, &what);
            }
            "declined" => 21,
            "unreachable" => 20,
            _ => 16,
        };
        self.gone(phone, offer.end, "AppQueue", cause);
    }

    fn gone(&mut self, phone: &Channel, at: i64, app: &str, cause: i64) {
        let what = What {
            app,
            extra: json!({"hangupcause": cause, "hangupsource": "", "dialstatus": ""}),
            ..What::default()
        };
        self.row("HANGUP", at, phone, &what);
        let what = What {
            app,
            ..What::default()
        };
        self.row("CHAN_END", at, phone, &what);
    }

    /// A talk: he whom the queue rang, or a colleague to whom he hands over or who joins.
    fn talk(&mut self, stay: usize, (place, talk): (usize, &Part), bridge: &str, waits: &What<'_>) {
        let story = self.story;
        let rung = story.parts.iter().enumerate().find(|(_, p)| {
            p.kind == SegmentKind::Offer
                && p.parent == Some(stay)
                && p.outcome == "accepted"
                && p.agent == talk.agent
        });
        let (of, app) = match rung {
            Some((n, offer)) => (self.telephone(n, offer), "AppQueue"),
            None => (self.telephone(place, talk), "AppDial"),
        };
        let Some(phone) = of else { return };
        if app == "AppDial" {
            // Asked before he takes over; the consultation itself is a call of its own.
            let asked = talk.start - 2_000;
            self.row("CHAN_START", asked, &phone, &What::default());
            let what = What {
                app,
                ..What::default()
            };
            self.row("ANSWER", asked + 1_000, &phone, &what);
        }
        let meets = |app| What {
            app,
            extra: json!({"bridge_id": bridge, "bridge_technology": "simple_bridge"}),
            ..What::default()
        };
        self.row("BRIDGE_ENTER", talk.start, &phone, &meets(app));
        if app == "AppQueue" {
            let enters = What {
                context: waits.context,
                exten: waits.exten,
                data: waits.data.clone(),
                ..meets("Queue")
            };
            self.customers("BRIDGE_ENTER", talk.start, &enters);
        }
        if talk.outcome == "transferred" {
            self.handed_on(&phone, talk, bridge);
        }
        self.row("BRIDGE_EXIT", talk.end, &phone, &meets(app));
        self.gone(&phone, talk.end, app, 16);
        let later =
            |p: &Part| p.kind == SegmentKind::Talk && p.parent == Some(stay) && p.end > talk.end;
        if !story.parts.iter().any(later) {
            self.customers("BRIDGE_EXIT", talk.end, &meets("Queue"));
        }
    }

    fn handed_on(&mut self, phone: &Channel, talk: &Part, bridge: &str) {
        let story = self.story;
        let transferee = json!({
            "transferee_channel_name": self.customer.name,
            "transferee_channel_uniqueid": self.customer.id,
        });
        let mut extra = transferee;
        let event = match &talk.target {
            Some((TargetKind::Agent, _)) => {
                let next = story.parts.iter().enumerate().find(|(_, p)| {
                    p.kind == SegmentKind::Talk && p.parent == talk.parent && p.start >= talk.end
                });
                let Some(to) = next.and_then(|(n, p)| self.telephone(n, p)) else {
                    return;
                };
                extra["bridge1_id"] = bridge.into();
                extra["channel2_name"] = phone.name.clone().into();
                extra["channel2_uniqueid"] = phone.id.clone().into();
                extra["transfer_target_channel_name"] = to.name.into();
                extra["transfer_target_channel_uniqueid"] = to.id.into();
                "ATTENDEDTRANSFER"
            }
            Some((_, to)) => {
                let to = match self.pen.queue_of(to) {
                    Some(q) => queue_name(self.pen, q),
                    None => to.clone(),
                };
                extra["bridge_id"] = bridge.into();
                extra["extension"] = to.into();
                extra["context"] = "queues".into();
                "BLINDTRANSFER"
            }
            None => return,
        };
        let what = What {
            app: "AppQueue",
            extra,
            ..What::default()
        };
        self.row(event, talk.end, phone, &what);
    }

    /// A message: the tone after which it is recorded, where the caller waited for it.
    fn message(&mut self, part: &Part) {
        let stay = self
            .story
            .parts
            .iter()
            .rfind(|p| p.kind == SegmentKind::Queue);
        let box_of = stay.and_then(|s| s.queue).unwrap_or_default() + 1;
        let what = || What {
            context: "vm",
            app: "VoiceMail",
            data: format!("box-{box_of},su"),
            ..What::default()
        };
        self.customers("APP_START", part.start, &what());
        let beep = match part.outcome {
            "left" => Some(part.start + 1_000),
            "empty" => Some(part.end - 500),
            _ => None,
        };
        if let Some(at) = beep {
            let tone = What {
                detail: "FILE_STREAM_BEGIN",
                extra: json!({"sound": "beep", "format": "slin", "language": "en"}),
                ..what()
            };
            self.customers("STREAM_BEGIN", at, &tone);
        }
        self.customers("APP_END", part.end, &what());
    }
}

#[cfg(test)]
mod tests {
    use super::column;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(column(r#"J. "Bob""#), r#""J. ""Bob""""#);
    }
}
