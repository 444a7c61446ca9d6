//! What an agent did in a conversation, by his session: offer, dial, talk, holds, wrap-up, and
//! listening to another.

use callboard_model::statement::{F, Statement};

use super::{Piece, Session};
use crate::genesys::contact::Told;
use crate::genesys::words;
use crate::payload::value::{flag, text};

/// Says what an agent's session holds.
pub(in crate::genesys) fn tell(s: &Session<'_>, internal: bool, told: &mut Told) {
    let disconnect = s.disconnect();
    let talks = s.of(&["interact", "hold"]);
    let outbound = text(s.v, "direction").eq_ignore_ascii_case("outbound");
    offer(s, &talks, &disconnect, told);
    if beside(s, told) {
        return;
    }
    let dial = s.of(&["dialing", "contacting"]);
    if !dial.is_empty() {
        let outcome = match talks.is_empty() {
            false => "answered",
            true => words::not_dialled(&disconnect),
        };
        let number = [text(s.v, "dnis"), text(s.v, "remote")];
        let number = number.iter().find(|n| !n.is_empty()).cloned();
        told.out.push(
            s.span(s.about("dial", format!("dial/{}", s.id)), &dial)
                .text(F::Agent, &s.agent)
                .text(F::Target, words::address(&number.unwrap_or_default()))
                .text(F::Outcome, outcome)
                .text(F::RawOutcome, &disconnect),
        );
    }
    if !talks.is_empty() {
        talk(s, &talks, &disconnect, (internal, outbound), told);
    }
    wrapup(s, !talks.is_empty(), told);
    let parked = s.of(&["parked"]);
    for (n, g) in parked.iter().enumerate() {
        let id = format!("park/{}/{n}", s.id);
        told.out
            .push(s.span(s.about("park", id), &[g]).text(F::Agent, &s.agent));
    }
}

fn offer(s: &Session<'_>, talks: &[&Piece<'_>], disconnect: &str, told: &mut Told) {
    let alerts = s.of(&["alert"]);
    if alerts.is_empty() {
        return;
    }
    let outcome = match talks.is_empty() {
        false => "accepted",
        true if s.metric("tNotResponding").is_some() => "no_answer",
        true => words::missed(disconnect),
    };
    let raw = if talks.is_empty() { disconnect } else { "" };
    told.out.push(
        s.span(s.about("offer", format!("offer/{}", s.id)), &alerts)
            .text(F::Agent, &s.agent)
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, raw),
    );
}

/// Who listens, coaches or barges in has a session of that alone.
fn beside(s: &Session<'_>, told: &mut Told) -> bool {
    let mut only = false;
    for (kind, mode) in [
        ("monitoring", "listen"),
        ("coaching", "whisper"),
        ("barging", "barge"),
    ] {
        let parts = s.of(&[kind]);
        if !parts.is_empty() {
            only = true;
            let id = format!("monitor/{}/{mode}", s.id);
            told.out.push(
                s.span(s.about("monitor", id), &parts)
                    .text(F::Agent, &s.agent)
                    .text(F::Mode, mode),
            );
        }
    }
    let shared = s.of(&["sharing", "screenmonitoring"]);
    if !shared.is_empty() {
        only = true;
        let id = format!("share/{}", s.id);
        told.out.push(
            s.span(s.about("share", id), &shared)
                .text(F::Agent, &s.agent)
                .text(F::Mode, "screen"),
        );
    }
    only
}

fn talk(
    s: &Session<'_>,
    parts: &[&Piece<'_>],
    disconnect: &str,
    (internal, outbound): (bool, bool),
    told: &mut Told,
) {
    let id = format!("talk/{}", s.id);
    let mode = if internal {
        "internal"
    } else if parts.iter().any(|g| flag(g.v, "conference")) {
        "conference"
    } else if outbound {
        "outbound"
    } else {
        "serve"
    };
    let mut said = s
        .span(s.about("talk", id.clone()), parts)
        .text(F::Agent, &s.agent)
        .text(F::Mode, mode);
    let ended = parts.iter().all(|g| g.end.is_some());
    if ended && !disconnect.is_empty() {
        let outcome = if words::is_transfer(disconnect) {
            "transferred"
        } else if words::is_error(disconnect) {
            "dropped"
        } else {
            "completed"
        };
        said = said
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, disconnect)
            .text(F::EndedBy, words::ended_by_agents(disconnect));
    }
    if let Some(ms) = s.metric("tAlert") {
        said = said.millis(F::Ring, ms, 1_000);
    }
    let holds: Vec<_> = parts.iter().filter(|g| g.kind == "hold").collect();
    if holds.is_empty() && ended {
        // Where the segments are not given, the sum is.
        let sum = s.metric("tHeldComplete").or(s.metric("tHeld"));
        said = said.millis(F::Hold, sum.unwrap_or(0), 1_000);
        said = said.int(F::HoldCount, i64::from(sum.is_some_and(|ms| ms > 0)));
    }
    told.out.push(said);
    for g in holds {
        let Some((at, _)) = g.start else { continue };
        let hung_up = !text(g.v, "disconnectType").is_empty();
        let outcome = match (g.end.is_some(), hung_up) {
            (false, _) => "",
            (true, true) if words::is_transfer(disconnect) => "transferred",
            (true, true) => "hangup",
            (true, false) => "resumed",
        };
        told.holds.push((s.id.clone(), at));
        told.out.push(
            s.span(s.about("hold", hold_id(&s.id, at)), &[g])
                .text(F::Agent, &s.agent)
                .text(F::Parent, &id)
                .text(F::Outcome, outcome)
                .text(F::RawOutcome, &text(g.v, "disconnectType")),
        );
    }
}

/// Identity of a hold: its session and when it began.
pub(in crate::genesys) fn hold_id(session: &str, at: i64) -> String {
    format!("hold/{session}/{}", at / 1_000)
}

fn wrapup(s: &Session<'_>, talked: bool, told: &mut Told) {
    let parts = s.of(&["wrapup"]);
    let id = format!("wrapup/{}", s.id);
    let parent = |said: Statement| match talked {
        true => said.text(F::Parent, &format!("talk/{}", s.id)),
        false => said,
    };
    let codes = || {
        let given = s.pieces.iter().rev();
        given
            .map(|g| text(g.v, "wrapUpCode"))
            .find(|c| !c.is_empty())
            .unwrap_or_default()
    };
    if parts.is_empty() {
        if flag(s.v, "acwSkipped") && talked {
            let end = s.pieces.iter().filter_map(|g| g.end).max();
            let mut said = s.about("wrapup", id).text(F::Agent, &s.agent);
            if let Some((us, p)) = end {
                said = said.time(F::Start, us, p).time(F::End, us, p);
            }
            told.out.push(
                parent(said)
                    .text(F::Outcome, "skipped")
                    .text(F::Reason, &codes()),
            );
        }
        return;
    }
    let said = s
        .span(s.about("wrapup", id), &parts)
        .text(F::Agent, &s.agent)
        .text(F::Reason, &codes())
        .text(F::Input, &super::first(&parts, "wrapUpNote"));
    let done = parts.iter().all(|g| g.end.is_some());
    told.out
        .push(parent(said).text(F::Outcome, if done { "completed" } else { "" }));
}
