//! The function `to_char(time, pattern)`.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringBuilder};
use arrow::datatypes::{DataType, TimeUnit};
use chrono::DateTime;
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;

use super::patterns::{Local, Pattern};
use super::zones::{Zone, micros};

/// Registers it in place of the engine's, whose patterns are not PostgreSQL's.
pub(super) fn register(ctx: &SessionContext) {
    ctx.register_udf(ScalarUDF::from(ToChar {
        signature: Signature::any(2, Volatility::Stable),
    }));
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToChar {
    signature: Signature,
}

impl ScalarUDFImpl for ToChar {
    fn name(&self) -> &str {
        "to_char"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        use DataType::{Date32, Date64, LargeUtf8, Null, Timestamp, Utf8, Utf8View};
        match args {
            [
                Timestamp(..) | Date32 | Date64 | Null,
                Utf8 | LargeUtf8 | Utf8View | Null,
            ] => Ok(Utf8),
            [Timestamp(..) | Date32 | Date64 | Null, other] => {
                plan_err!("to_char wants a pattern as text, not a value of type {other}")
            }
            [other, ..] => {
                plan_err!("to_char writes times and days, not values of type {other}")
            }
            [] => plan_err!("to_char wants a time and a pattern"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [time, pattern] = args.args.as_slice() else {
            return internal_err!("to_char has two arguments");
        };
        let single = matches!(
            (time, pattern),
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_))
        );
        let rows = if single { 1 } else { args.number_rows };
        let time = time.to_array(rows)?;
        let zone = match time.data_type() {
            DataType::Timestamp(_, Some(zone)) => Some(shown(
                zone,
                args.config_options.execution.time_zone.as_deref(),
            )),
            _ => None,
        };
        let times = match time.data_type() {
            DataType::Timestamp(..) => micros(&time)?,
            _ => {
                let plain = DataType::Timestamp(TimeUnit::Microsecond, None);
                micros(&arrow::compute::cast(&time, &plain)?)?
            }
        };
        let patterns = arrow::compute::cast(&pattern.to_array(rows)?, &DataType::Utf8)?;
        let patterns = patterns.as_string::<i32>();
        let mut out = StringBuilder::new();
        let mut read: Option<(&str, Pattern)> = None;
        for (row, at) in times.into_iter().enumerate() {
            let (Some(at), false) = (at, patterns.is_null(row)) else {
                out.append_null();
                continue;
            };
            let text = patterns.value(row);
            // PostgreSQL has NULL for an empty pattern.
            if text.is_empty() {
                out.append_null();
                continue;
            }
            let pattern = match read {
                Some((last, pattern)) if last == text => pattern,
                _ => Pattern::read(text).map_err(|e| DataFusionError::External(Box::new(e)))?,
            };
            out.append_option(told(&pattern, at, zone));
            read = Some((text, pattern));
        }
        let out = out.finish();
        Ok(if single {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&out, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(out))
        })
    }
}

/// The zone in which an instant is shown: that of its type where it was put into one, else that of
/// the session.
fn shown(own: &str, session: Option<&str>) -> Zone {
    match Zone::of_type(own) {
        Some(zone) if zone != Zone::UTC => zone,
        _ => session.and_then(Zone::of_type).unwrap_or(Zone::UTC),
    }
}

fn told(pattern: &Pattern, at: i64, zone: Option<Zone>) -> Option<String> {
    let utc = DateTime::from_timestamp_micros(at)?.naive_utc();
    let there = match zone {
        None => utc,
        Some(zone) => DateTime::from_timestamp_micros(zone.local(at)?)?.naive_utc(),
    };
    let named = zone.map(|zone| zone.at(&utc));
    Some(pattern.write(Local {
        at: there,
        zone: named.as_ref().map(|(east, name)| (name.as_str(), *east)),
    }))
}
