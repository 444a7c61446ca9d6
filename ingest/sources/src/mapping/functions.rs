//! What mapping files can call beside jq's own functions: names and times as contact centres write
//! them.

use callboard_model::time::{SECOND, believable, parse_rfc3339};
use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Cv, Error, ValXs};
use jaq_json::{Val, write};

use super::jq::Lang;
use crate::payload::value::{epoch, read_time};

/// Functions that jq itself can say.
pub(super) const DEFINED: &str = "
def field($name): named($name);
def at: time_of(null; null);
def at($form): time_of($form; null);
def at($form; $zone): time_of($form; $zone);
def plus($time; $ms): $time | later($ms);
def minus($time; $ms): $time | later(if $ms == null then null else 0 - $ms end);
def span($from; $to): if $from == null or $to == null then null else millis($from; $to) end;
";

/// Longest text that is taken for a time or a duration.
const LONGEST: usize = 80;

type Told = Result<Val, Error<Val>>;

/// Functions in Rust.
pub(super) fn natives() -> Vec<Fun<Lang>> {
    vec![
        run(("named", v(1), |cv| {
            with_one(cv, |v, name| Ok(named(&v, &name)))
        })),
        run(("text", v(0), |cv| bome(Ok(text(cv.1))))),
        run(("yes", v(0), |cv| bome(yes(&cv.1)))),
        run(("ms", v(0), |cv| bome(milliseconds(&cv.1)))),
        run(("later", v(1), |cv| with_one(cv, |v, ms| later(&v, &ms)))),
        run(("millis", v(2), |mut cv| {
            let to = cv.0.pop_var();
            let from = cv.0.pop_var();
            bome(millis(&from, &to))
        })),
        run(("time_of", v(2), |mut cv| {
            let zone = cv.0.pop_var();
            let form = cv.0.pop_var();
            let own = cv.0.data().zone;
            bome(time_of(&cv.1, &form, &zone, own))
        })),
    ]
}

fn with_one<'a>(mut cv: Cv<'a, Lang>, f: fn(Val, Val) -> Told) -> ValXs<'a, Val> {
    let argument = cv.0.pop_var();
    bome(f(cv.1, argument))
}

fn error(text: String) -> Error<Val> {
    Error::str(text)
}

fn as_str(v: &Val) -> Option<&str> {
    match v {
        Val::TStr(s) => std::str::from_utf8(s).ok(),
        _ => None,
    }
}

fn string(text: impl Into<String>) -> Val {
    Val::utf8_str(text.into().into_bytes())
}

/// A value as it is shown in a message.
fn shown(v: &Val) -> String {
    let mut out = Vec::new();
    let _ = write::write(&mut out, &write::Pp::default(), 0, v);
    String::from_utf8_lossy(&out).chars().take(60).collect()
}

/// A field by its name without regard to case, spaces, `_` and `-`; the exact name first.
fn named(v: &Val, name: &Val) -> Val {
    let Val::Obj(fields) = v else {
        return Val::Null;
    };
    if let Some(exact) = fields.get(name) {
        return exact.clone();
    }
    let wanted = as_str(name).map(bare).unwrap_or_default();
    let same = |(k, _): &(&Val, &Val)| as_str(k).is_some_and(|k| bare(k) == wanted);
    fields
        .iter()
        .find(same)
        .map_or(Val::Null, |(_, v)| v.clone())
}

/// A name in small letters and digits.
pub(super) fn bare(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// What reports write where there is nothing.
fn blank(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || ["null", "none", "[none]", "[deleted]", "n/a", "-", "--"]
            .iter()
            .any(|b| text.eq_ignore_ascii_case(b))
}

/// A text without white space around it, a number as text; null where there is nothing.
fn text(v: Val) -> Val {
    match &v {
        Val::TStr(_) => match as_str(&v) {
            Some(s) if !blank(s) => string(s.trim()),
            _ => Val::Null,
        },
        Val::Num(_) | Val::Bool(_) => string(shown(&v)),
        _ => Val::Null,
    }
}

/// Whether it says yes; null where it says nothing.
fn yes(v: &Val) -> Told {
    Ok(match v {
        Val::Bool(_) | Val::Null => v.clone(),
        Val::Num(_) => Val::Bool(!matches!(shown(v).as_str(), "0" | "0.0")),
        _ => match as_str(v).map(|s| s.trim().to_ascii_lowercase()).as_deref() {
            Some("true" | "yes" | "y" | "1" | "x") => Val::Bool(true),
            Some("false" | "no" | "n" | "0") => Val::Bool(false),
            Some(s) if blank(s) => Val::Null,
            _ => return Err(error(format!("{} says neither yes nor no", shown(v)))),
        },
    })
}

/// Milliseconds of a duration: `HH:MM:SS`, `MM:SS`, each with a fraction, or seconds.
fn milliseconds(v: &Val) -> Told {
    let given = match v {
        Val::Null => return Ok(Val::Null),
        Val::Num(_) => shown(v),
        _ => match as_str(v) {
            Some(s) if blank(s) => return Ok(Val::Null),
            Some(s) if s.len() <= LONGEST => s.trim().to_owned(),
            _ => return Err(error(format!("{} is no duration", shown(v)))),
        },
    };
    let mut seconds = 0.0;
    let mut parts = given.split(':').rev();
    for unit in [1.0, 60.0, 3600.0, 86_400.0] {
        let Some(part) = parts.next() else { break };
        let n: Option<f64> = part.trim().parse().ok();
        match n.filter(|n| (0.0..1e9).contains(n)) {
            Some(n) => seconds += n * unit,
            None => {
                return Err(error(format!(
                    "{} is no duration: write HH:MM:SS or seconds",
                    shown(v)
                )));
            }
        }
    }
    match parts.next() {
        None => Ok(Val::from((seconds * 1000.0).round() as isize)),
        Some(_) => Err(error(format!("{} is no duration", shown(v)))),
    }
}

/// UTC microseconds and their precision as the text that our events hold.
fn written(us: i64, precision: u32) -> Val {
    let form = match precision {
        p if p >= 1_000_000 => SecondsFormat::Secs,
        p if p >= 1_000 => SecondsFormat::Millis,
        _ => SecondsFormat::Micros,
    };
    match DateTime::<Utc>::from_timestamp_micros(us) {
        Some(at) if believable(us) => string(at.to_rfc3339_opts(form, true)),
        _ => Val::Null,
    }
}

fn read(v: &Val) -> Option<(i64, u32)> {
    parse_rfc3339(as_str(v)?)
}

/// A time that is later by so many milliseconds.
fn later(v: &Val, ms: &Val) -> Told {
    if matches!(v, Val::Null) || matches!(ms, Val::Null) {
        return Ok(Val::Null);
    }
    let n: Option<f64> = shown(ms).parse().ok().filter(|n: &f64| n.abs() < 1e13);
    match (read(v), n) {
        (Some((us, p)), Some(n)) => {
            let fine = if n % 1000.0 == 0.0 { p } else { p.min(1_000) };
            Ok(written(us + (n * 1000.0).round() as i64, fine))
        }
        _ => Err(error(format!(
            "{} and {} are no time and milliseconds",
            shown(v),
            shown(ms)
        ))),
    }
}

/// Milliseconds from one time to another; none when it would be negative.
fn millis(from: &Val, to: &Val) -> Told {
    match (read(from), read(to)) {
        (Some((a, _)), Some((b, _))) if b >= a => Ok(Val::from(((b - a) / 1000) as isize)),
        (Some(_), Some(_)) => Ok(Val::Null),
        _ => Err(error(format!(
            "{} and {} are no times",
            shown(from),
            shown(to)
        ))),
    }
}

/// A time in any common form, or in the form that is given, as RFC 3339 in UTC.
fn time_of(v: &Val, form: &Val, zone: &Val, own: Tz) -> Told {
    let given = match v {
        Val::Null => return Ok(Val::Null),
        Val::Num(_) => {
            let n: Option<f64> = shown(v).parse().ok();
            return match n.and_then(epoch) {
                Some((us, p)) => Ok(written(us, p)),
                None => Err(error(format!("{} is no time since 1970", shown(v)))),
            };
        }
        _ => match as_str(v) {
            Some(s) if blank(s) => return Ok(Val::Null),
            Some(s) if s.len() <= LONGEST => s.trim(),
            _ => return Err(error(format!("{} is no time", shown(v)))),
        },
    };
    let zone = match as_str(zone) {
        None => own,
        Some(name) => name
            .parse()
            .map_err(|_| error(format!("zone \"{name}\" is not known")))?,
    };
    let found = match as_str(form) {
        Some(form) => formed(given, form, zone),
        None => common(given, zone),
    };
    match found.filter(|(us, _)| believable(*us)) {
        Some((us, p)) => Ok(written(us, p)),
        None => Err(error(match as_str(form) {
            Some(form) => format!("{} is no time of the form {form}", shown(v)),
            None => format!(
                "{} is no time that is known; give its form, as in at(\"%d/%m/%Y %H:%M:%S\")",
                shown(v)
            ),
        })),
    }
}

/// A local time in UTC: the first of two, the one before the gap moved on.
fn local(naive: NaiveDateTime, zone: Tz) -> Option<i64> {
    let hour = TimeDelta::hours(1);
    let at = match zone.from_local_datetime(&naive).earliest() {
        Some(at) => at.timestamp_micros(),
        None => {
            let before = zone.from_local_datetime(&naive.checked_sub_signed(hour)?);
            before.earliest()?.timestamp_micros() + 3600 * SECOND
        }
    };
    Some(at)
}

fn precision(form: &str) -> u32 {
    match form.contains("%.") || form.contains("%f") || form.contains("%3f") {
        true => 1_000,
        false if form.contains("%S") || form.contains("%T") || form.contains("%X") => 1_000_000,
        false => 60_000_000,
    }
}

fn formed(text: &str, form: &str, zone: Tz) -> Option<(i64, u32)> {
    // chrono panics on nothing here: a form that it does not know gives an error.
    if let Ok(at) = DateTime::parse_from_str(text, form) {
        return Some((at.timestamp_micros(), precision(form)));
    }
    let naive = NaiveDateTime::parse_from_str(text, form).ok()?;
    Some((local(naive, zone)?, precision(form)))
}

/// Forms of local times that cannot be taken for another.
const LOCAL: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%a, %d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
];

fn common(text: &str, zone: Tz) -> Option<(i64, u32)> {
    for form in LOCAL {
        if let Ok(naive) = NaiveDateTime::parse_from_str(text, form) {
            let precision = match text.contains('.') && form.ends_with("%.f") {
                true => 1_000,
                false if form.contains("%S") => 1_000_000,
                false => 60_000_000,
            };
            return Some((local(naive, zone)?, precision));
        }
    }
    read_time(text)
}
