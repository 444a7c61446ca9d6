//! Zones: their names, what the clock shows there, and times as PostgreSQL writes them. The wire's
//! own texts know only whole hours of an offset, and a client would read another instant.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, Days, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, TZ_VARIANTS, Tz};
use datafusion_postgres::pgwire::api::results::{FieldFormat, FieldInfo};

/// A zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// One with a name, such as `Europe/Berlin`.
    Named(Tz),
    /// A fixed offset.
    Fixed(FixedOffset),
}

impl Zone {
    pub(super) const UTC: Zone = Zone::Named(Tz::UTC);

    /// The zone of that name, in capitals or not.
    pub(super) fn named(name: &str) -> Option<Self> {
        let tz = TZ_VARIANTS
            .iter()
            .find(|tz| tz.name().eq_ignore_ascii_case(name.trim()))?;
        Some(Zone::Named(*tz))
    }

    /// The zone as the engine writes it into a type: a name or an offset.
    pub(super) fn of_type(text: &str) -> Option<Self> {
        if matches!(text, "Z" | "+00:00") {
            return Some(Zone::UTC);
        }
        Zone::named(text).or_else(|| text.parse().ok().map(Zone::Fixed))
    }

    /// Its name.
    pub(super) fn name(self) -> String {
        match self {
            Zone::Named(tz) => tz.name().to_owned(),
            Zone::Fixed(offset) => offset.to_string(),
        }
    }

    /// Seconds east of UTC at this time of UTC, and the abbreviation in force.
    pub(super) fn at(self, utc: &NaiveDateTime) -> (i32, String) {
        match self {
            Zone::Named(tz) => {
                let offset = tz.offset_from_utc_datetime(utc);
                let name = offset.abbreviation().unwrap_or_default();
                (offset.fix().local_minus_utc(), name.to_owned())
            }
            Zone::Fixed(offset) => (offset.local_minus_utc(), offset.to_string()),
        }
    }

    /// What the clock shows there.
    pub(super) fn local(self, micros: i64) -> Option<i64> {
        let utc = DateTime::from_timestamp_micros(micros)?.naive_utc();
        let (east, _) = self.at(&utc);
        micros.checked_add(i64::from(east) * 1_000_000)
    }

    /// The instant at which the clock there shows this. Of an hour that comes twice it is the
    /// second, that of the standard time; one that is left out is read as if it had not been.
    pub(crate) fn instant(self, local: i64) -> Option<i64> {
        let there = DateTime::from_timestamp_micros(local)?.naive_utc();
        let east = match self {
            Zone::Fixed(offset) => offset.local_minus_utc(),
            Zone::Named(tz) => match tz.offset_from_local_datetime(&there) {
                LocalResult::Single(offset) => offset.fix().local_minus_utc(),
                LocalResult::Ambiguous(a, b) => {
                    let (a, b) = (a.fix().local_minus_utc(), b.fix().local_minus_utc());
                    a.min(b)
                }
                LocalResult::None => self.at(&there.checked_sub_days(Days::new(1))?).0,
            },
        };
        local.checked_sub(i64::from(east) * 1_000_000)
    }
}

/// A time as PostgreSQL writes it: `2026-03-02 10:00:00.5`, with `+01` where it is an instant.
pub(super) fn text(micros: i64, zone: Option<Zone>) -> Option<String> {
    let utc = DateTime::from_timestamp_micros(micros)?.naive_utc();
    let east = zone.map(|zone| zone.at(&utc).0);
    let there = DateTime::from_timestamp_micros(
        micros.checked_add(i64::from(east.unwrap_or(0)) * 1_000_000)?,
    )?;
    let mut out = there.format("%Y-%m-%d %H:%M:%S").to_string();
    let fraction = format!("{:06}", there.timestamp_subsec_micros());
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    if let Some(east) = east {
        let (sign, far) = (if east < 0 { '-' } else { '+' }, east.unsigned_abs());
        out.push_str(&format!("{sign}{:02}", far / 3600));
        if far % 3600 != 0 {
            out.push_str(&format!(":{:02}", far % 3600 / 60));
        }
        if far % 60 != 0 {
            out.push_str(&format!(":{:02}", far % 60));
        }
    }
    Some(out)
}

/// Microseconds of a column of times, whatever its unit.
///
/// # Errors
/// When it is no column of times.
pub(super) fn micros(column: &ArrayRef) -> Result<Vec<Option<i64>>, ArrowError> {
    let DataType::Timestamp(_, zone) = column.data_type() else {
        return Err(ArrowError::CastError("no column of times".to_owned()));
    };
    let exact = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
    let exact = cast(column, &exact)?;
    Ok(exact
        .as_primitive::<TimestampMicrosecondType>()
        .iter()
        .collect())
}

/// The rows as the wire gets them: times that go as text are written here.
///
/// # Errors
/// When a time lies beyond the calendar.
pub(super) fn written(
    batch: RecordBatch,
    fields: &[FieldInfo],
    zone: Zone,
) -> Result<RecordBatch, ArrowError> {
    let as_text = |column: &ArrayRef, field: &FieldInfo| {
        field.format() == FieldFormat::Text && matches!(column.data_type(), DataType::Timestamp(..))
    };
    let mut columns = Vec::with_capacity(fields.len());
    let mut told = Vec::with_capacity(fields.len());
    let schema = batch.schema();
    for ((column, field), own) in batch.columns().iter().zip(fields).zip(schema.fields()) {
        if !as_text(column, field) {
            columns.push(column.clone());
            told.push(own.clone());
            continue;
        }
        let instant = matches!(column.data_type(), DataType::Timestamp(_, Some(_)));
        let mut texts = Vec::with_capacity(column.len());
        for at in micros(column)? {
            texts.push(match at {
                None => None,
                Some(at) => Some(text(at, instant.then_some(zone)).ok_or_else(|| {
                    ArrowError::CastError("a time lies beyond the calendar".to_owned())
                })?),
            });
        }
        columns.push(Arc::new(StringArray::from(texts)) as ArrayRef);
        told.push(Arc::new(Field::new(own.name(), DataType::Utf8, true)));
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(told)), columns, &options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        at.and_utc().timestamp_micros()
    }

    #[test]
    fn texts_are_those_of_postgres() {
        let noon = at("2026-03-02 12:00");
        for (zone, told) in [
            ("UTC", "2026-03-02 12:00:00+00"),
            ("europe/berlin", "2026-03-02 13:00:00+01"),
            ("Asia/Kolkata", "2026-03-02 17:30:00+05:30"),
            ("America/St_Johns", "2026-03-02 08:30:00-03:30"),
        ] {
            assert_eq!(text(noon, Zone::named(zone)).unwrap(), told);
        }
        assert_eq!(
            text(noon + 40_500, None).unwrap(),
            "2026-03-02 12:00:00.0405"
        );
        assert_eq!(Zone::named("Europe/Atlantis"), None);
    }

    #[test]
    fn hours_that_come_twice_or_never_are_read_as_postgres_reads_them() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        for (local, utc) in [
            ("2026-07-01 12:00", "2026-07-01 10:00"),
            ("2026-03-29 02:30", "2026-03-29 01:30"),
            ("2026-10-25 02:30", "2026-10-25 01:30"),
        ] {
            assert_eq!(berlin.instant(at(local)), Some(at(utc)), "{local}");
        }
        assert_eq!(
            berlin.local(at("2026-07-01 10:00")),
            Some(at("2026-07-01 12:00"))
        );
    }
}
