//! Functions of zones: `timezone(zone, time)`, which is what AT TIME ZONE means, and those that are
//! written into the statements of a connection in another zone than UTC (`zoned.rs`).

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray, TimestampMicrosecondArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, internal_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::prelude::SessionContext;

use super::zoned::with_seconds;
use super::zones::{Zone, micros};

/// What a function does with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// An instant to the time of the clock there, a time of the clock there to the instant.
    Timezone,
    /// Text, day or time of the clock there to the instant.
    Instant,
    /// An instant to the same one, whose days and hours are those of the zone.
    Here,
    /// An instant to the time of the clock there; all else stays.
    Local,
    /// The second argument as [`Kind::Instant`] where it stands beside an instant, else as it is.
    Alike,
}

/// The functions by name.
const ALL: [(&str, Kind, usize); 5] = [
    ("timezone", Kind::Timezone, 2),
    ("callboard_instant", Kind::Instant, 2),
    ("callboard_here", Kind::Here, 2),
    ("callboard_local", Kind::Local, 2),
    ("callboard_alike", Kind::Alike, 3),
];

#[derive(Debug, PartialEq, Eq, Hash)]
struct Zoning {
    name: &'static str,
    kind: Kind,
    signature: Signature,
}

impl Zoning {
    fn of((name, kind, arguments): (&'static str, Kind, usize)) -> ScalarUDF {
        ScalarUDF::from(Zoning {
            name,
            kind,
            signature: Signature::any(arguments, Volatility::Stable),
        })
    }
}

/// Registers them.
pub(super) fn register(ctx: &SessionContext) {
    for one in ALL {
        ctx.register_udf(Zoning::of(one));
    }
}

fn stamp(zone: Option<&str>) -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into))
}

fn is_instant(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(_, Some(_)))
}

/// Whether it is a time once a zone is known.
fn wants_zone(kind: &DataType) -> bool {
    use DataType::{Date32, Date64, LargeUtf8, Timestamp, Utf8, Utf8View};
    matches!(
        kind,
        Utf8 | LargeUtf8 | Utf8View | Date32 | Date64 | Timestamp(_, None)
    )
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

impl Zoning {
    /// Type of the answer; the zone is known where it is a constant.
    fn answer(&self, types: &[&DataType], zone: Option<&str>) -> Result<DataType> {
        let Some(value) = types.get(1) else {
            return plan_err!("{} wants a zone and a time", self.name);
        };
        let instant = is_instant(value);
        Ok(match self.kind {
            Kind::Timezone if matches!(value, DataType::Timestamp(_, None)) => stamp(Some("UTC")),
            Kind::Timezone if instant || wants_zone(value) || value.is_null() => stamp(None),
            Kind::Timezone => {
                return plan_err!("AT TIME ZONE wants a time, not a value of type {value}");
            }
            Kind::Instant => stamp(Some("UTC")),
            Kind::Here if instant => stamp(zone),
            Kind::Local if instant => stamp(None),
            Kind::Alike if wants_zone(value) && types.get(2).is_some_and(|t| is_instant(t)) => {
                stamp(Some("UTC"))
            }
            _ => (*value).clone(),
        })
    }
}

fn constant(value: Option<&ScalarValue>) -> Option<&str> {
    value.and_then(|v| v.try_as_str()).flatten()
}

/// The zone of that name.
///
/// # Errors
/// When nobody knows it. An offset is refused: PostgreSQL counts one that is given as text westward.
fn zone(name: &str) -> Result<Zone> {
    Zone::named(name).ok_or_else(|| {
        exec_datafusion_err!(
            "time zone \"{name}\" not recognized; name one such as Europe/Berlin or UTC"
        )
    })
}

impl ScalarUDFImpl for Zoning {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        internal_err!("the type follows from the arguments")
    }
    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<&DataType> = args.arg_fields.iter().map(|f| f.data_type()).collect();
        let zone = constant(args.scalar_arguments.first().copied().flatten());
        let kind = self.answer(&types, zone)?;
        Ok(Arc::new(Field::new(self.name, kind, true)))
    }

    fn simplify(&self, mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let types: Vec<DataType> = args
            .iter()
            .map(|a| info.get_data_type(a))
            .collect::<Result<_>>()?;
        let Some(value) = types.get(1) else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        // What changes nothing must not stand between a column and its index.
        match self.kind {
            Kind::Here | Kind::Local if !is_instant(value) => {
                Ok(ExprSimplifyResult::Simplified(args.swap_remove(1)))
            }
            Kind::Alike if wants_zone(value) && types.get(2).is_some_and(is_instant) => {
                args.truncate(2);
                let instant = Zoning::of(("callboard_instant", Kind::Instant, 2));
                Ok(ExprSimplifyResult::Simplified(instant.call(args)))
            }
            Kind::Alike => Ok(ExprSimplifyResult::Simplified(args.swap_remove(1))),
            _ => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [names, value, ..] = args.args.as_slice() else {
            return internal_err!("{} has too few arguments", self.name);
        };
        if value.data_type() == *args.return_type() && self.kind != Kind::Instant {
            return Ok(value.clone());
        }
        let single = args
            .args
            .iter()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if single { 1 } else { args.number_rows };
        let session = args.config_options.execution.time_zone.as_deref();
        let value = value.to_array(rows)?;
        let zones = zones(names, rows)?;
        let told = if is_instant(value.data_type()) {
            micros(&value)?
        } else {
            // Texts are read in a zone: for AT TIME ZONE that of the session, else the one named.
            let reading = match self.kind {
                Kind::Timezone => session.and_then(Zone::of_type),
                _ => zones.first().copied().flatten(),
            };
            clock(&value, reading.unwrap_or(Zone::UTC))?
        };
        let text = is_text(value.data_type());
        let instant = is_instant(value.data_type()) || text;
        let naive = matches!(value.data_type(), DataType::Timestamp(_, None));
        let turn = |zone: Zone, at: i64| match self.kind {
            Kind::Timezone if instant => zone.local(at),
            Kind::Timezone if naive => zone.instant(at),
            // A day is the instant of its midnight in the session's zone.
            Kind::Timezone => session
                .and_then(Zone::of_type)
                .unwrap_or(Zone::UTC)
                .instant(at)
                .and_then(|at| zone.local(at)),
            Kind::Local => zone.local(at),
            Kind::Instant | Kind::Alike if !instant => zone.instant(at),
            Kind::Instant | Kind::Alike | Kind::Here => Some(at),
        };
        let out: TimestampMicrosecondArray = told
            .into_iter()
            .zip(zones)
            .map(|(at, zone)| turn(zone?, at?))
            .collect();
        let out = match args.return_type() {
            DataType::Timestamp(_, Some(zone)) => out.with_timezone(zone.clone()),
            _ => out,
        };
        let out: ArrayRef = Arc::new(out);
        Ok(if single {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&out, 0)?)
        } else {
            ColumnarValue::Array(out)
        })
    }
}

/// The zones row by row.
fn zones(names: &ColumnarValue, rows: usize) -> Result<Vec<Option<Zone>>> {
    if let ColumnarValue::Scalar(name) = names {
        let one = constant(Some(name)).map(zone).transpose()?;
        return Ok(vec![one; rows]);
    }
    let names = arrow::compute::cast(&names.to_array(rows)?, &DataType::Utf8)?;
    names
        .as_string::<i32>()
        .iter()
        .map(|name| name.map(zone).transpose())
        .collect()
}

/// Microseconds: of texts the instant, read in that zone, of days and times what the clock shows.
fn clock(value: &ArrayRef, reading: Zone) -> Result<Vec<Option<i64>>> {
    let text = is_text(value.data_type());
    let to = stamp(text.then(|| reading.name()).as_deref());
    let mut value = value.clone();
    if text {
        let texts = arrow::compute::cast(&value, &DataType::Utf8)?;
        let texts: StringArray = texts
            .as_string::<i32>()
            .iter()
            .map(|text| text.map(|t| with_seconds(t).map_or(Cow::Borrowed(t), Cow::Owned)))
            .collect();
        value = Arc::new(texts);
    }
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok(micros(&cast_with_options(&value, &to, &strict)?)?)
}
