//! Call detail records as `cdr_csv` writes them to `Master.csv`. One row per path between two
//! channels, so a call has many; a fallback where nothing better is logged.

use std::borrow::Cow;

use callboard_model::record::Refusal;
use callboard_model::time::SECOND;
use chrono::{NaiveDateTime, Offset, TimeZone, Utc};

use super::csv;

/// One row.
#[derive(Debug)]
pub struct Row<'a> {
    /// Start, UTC microseconds, whole seconds.
    pub start: i64,
    /// Answer, if answered.
    pub answer: Option<i64>,
    /// End, if written.
    pub end: Option<i64>,
    /// Caller's number.
    pub src: Cow<'a, str>,
    /// Dialled extension.
    pub dst: Cow<'a, str>,
    /// Context of the destination.
    pub context: Cow<'a, str>,
    /// Caller's name and number, `"Name" <number>`.
    pub clid: Cow<'a, str>,
    /// Channel.
    pub channel: Cow<'a, str>,
    /// Channel at the other end; may be empty.
    pub dstchannel: Cow<'a, str>,
    /// Last application.
    pub app: Cow<'a, str>,
    /// Its data.
    pub appdata: Cow<'a, str>,
    /// ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION, CANCEL.
    pub disposition: Cow<'a, str>,
    /// Channel's unique id.
    pub uniqueid: Cow<'a, str>,
    /// User field.
    pub userfield: Cow<'a, str>,
    /// Call's id; the unique id where the file has no such column.
    pub linkedid: Cow<'a, str>,
}

impl Row<'_> {
    /// The name in `clid`, without its quotes and backslashes.
    pub fn caller_name(&self) -> String {
        let name = self
            .clid
            .rsplit_once('<')
            .map_or("", |(name, _)| name)
            .trim();
        let name = name
            .strip_prefix('"')
            .and_then(|n| n.strip_suffix('"'))
            .unwrap_or(name);
        name.replace("\\\"", "\"").replace("\\\\", "\\")
    }

    /// The number that was dialled from outside, where the user field says so (`did:NUMBER`).
    pub fn dialled(&self) -> Option<&str> {
        self.userfield.strip_prefix("did:")
    }
}

/// Reads one row; `zone` is the IANA zone of its wall-clock times, empty for UTC.
///
/// # Errors
/// A refusal when quotes do not close, columns are missing, or the start cannot be read.
pub fn parse<'a>(text: &'a str, zone: &str) -> Result<Row<'a>, Refusal> {
    let fields = csv::fields(text)
        .ok_or_else(|| Refusal::new("not_csv", "a quote of the row does not close"))?;
    if fields.len() < 17 {
        return Err(Refusal::new(
            "columns",
            format!(
                "{} columns, and a call detail record with loguniqueid=yes has at least 17",
                fields.len()
            ),
        ));
    }
    let mut fields = fields.into_iter();
    let mut next = || fields.next().unwrap_or_default();
    let (_account, src, dst, context, clid) = (next(), next(), next(), next(), next());
    let (channel, dstchannel, app, appdata) = (next(), next(), next(), next());
    let (start, answer, end) = (next(), next(), next());
    let (_duration, _billsec, disposition, _flags) = (next(), next(), next(), next());
    let (uniqueid, userfield, _peer, linkedid) = (next(), next(), next(), next());
    let time = |text: &str| local_time(text, zone).map(|(at, _)| at);
    let Some(started) = time(&start) else {
        return Err(Refusal::new(
            "no_time",
            format!("the start {start:?} is not YYYY-MM-DD HH:MM:SS"),
        ));
    };
    if uniqueid.is_empty() {
        return Err(Refusal::new(
            "columns",
            "column 17, the unique id, is empty; set loguniqueid=yes in cdr.conf",
        ));
    }
    Ok(Row {
        start: started,
        answer: time(&answer),
        end: time(&end),
        src,
        dst,
        context,
        clid,
        channel,
        dstchannel,
        app,
        appdata,
        disposition,
        linkedid: if linkedid.is_empty() {
            uniqueid.clone()
        } else {
            linkedid
        },
        uniqueid,
        userfield,
    })
}

/// A wall-clock time `YYYY-MM-DD HH:MM:SS[.ffffff]` of a zone (empty = UTC): UTC microseconds and
/// precision. Of the hour that comes twice in autumn the first is meant; a time in the hour that
/// spring leaves out counts as if the clock had not yet been put forward.
pub fn local_time(text: &str, zone: &str) -> Option<(i64, u32)> {
    let naive = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S%.f").ok()?;
    let precision = match text.split_once('.') {
        Some((_, fraction)) if !fraction.is_empty() => {
            10u32.pow(6u32.saturating_sub(u32::try_from(fraction.len()).unwrap_or(6)))
        }
        _ => 1_000_000,
    };
    let micros = naive.and_utc().timestamp_micros();
    if zone.is_empty() {
        return Some((micros, precision));
    }
    let zone: chrono_tz::Tz = zone.parse().ok()?;
    let offset = match zone.offset_from_local_datetime(&naive).earliest() {
        Some(offset) => offset.fix(),
        None => zone
            .offset_from_utc_datetime(
                &(naive.and_utc() - chrono::Duration::hours(24))
                    .with_timezone(&Utc)
                    .naive_utc(),
            )
            .fix(),
    };
    Some((
        micros - i64::from(offset.local_minus_utc()) * SECOND,
        precision,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_clock_is_read_in_its_zone() {
        let utc = |t, z| local_time(t, z).map(|(us, _)| us / SECOND);
        assert_eq!(utc("2026-11-21 09:39:05", ""), Some(1_795_253_945));
        assert_eq!(
            utc("2026-11-21 04:39:05", "America/New_York"),
            Some(1_795_253_945)
        );
        // 02:30 comes twice on 2026-10-25 in Berlin: the first is summer time.
        assert_eq!(
            utc("2026-10-25 02:30:00", "Europe/Berlin"),
            utc("2026-10-25 00:30:00", "")
        );
        // 02:30 does not exist on 2026-03-29 in Berlin.
        assert_eq!(
            utc("2026-03-29 02:30:00", "Europe/Berlin"),
            utc("2026-03-29 01:30:00", "")
        );
        assert_eq!(utc("2026-11-21 04:39:05", "Mars/Base"), None);
    }

    #[test]
    fn a_quote_in_a_name_is_a_quote() {
        let line = r#""larkfield","5551170","sales","queues","""\""Bobby\"" O'Tables"" <5551170>","IAX2/trunk-4344","Local/102@agents-0000005e;1","Queue","sales,tk,,,40","2026-11-21 09:50:26","2026-11-21 09:50:26","2026-11-21 09:50:58",31,31,"ANSWERED","DOCUMENTATION","1795254626.346","did:5550100","","1795254626.346",394"#;
        let row = parse(line, "").unwrap();
        assert_eq!(row.caller_name(), "\"Bobby\" O'Tables");
        assert_eq!(row.dialled(), Some("5550100"));
        assert_eq!(row.end, Some(1_795_254_658 * SECOND));
    }
}
