//! Statements of a connection in a zone: AT TIME ZONE means what it means in PostgreSQL, and days,
//! hours and texts without a zone are those of the connection's. It is written into the statement
//! and not into the engine, so that what the views themselves count by stays as it is.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, TimezoneInfo, Value,
};

use super::rewrite::parsed;

/// Rewrites one expression whose parts have been rewritten; `zone` is the connection's, if it is
/// not UTC. `room` is how many bytes may still be added; false when that is not enough.
#[must_use]
pub(super) fn rewrite(expr: &mut Expr, zone: Option<&str>, room: &mut usize) -> bool {
    if let Expr::AtTimeZone {
        timestamp,
        time_zone,
    } = expr
    {
        if let Some(new) = parsed(&format!("timezone({time_zone}, {timestamp})")) {
            *expr = new;
        }
        return true;
    }
    if let Expr::TypedString(text) = expr
        && let Value::SingleQuotedString(told) = &mut text.value.value
    {
        whole(told);
    }
    if let Expr::Cast {
        expr, data_type, ..
    } = expr
        && (of_the_clock(data_type) || matches!(data_type, DataType::Timestamp(..)))
        && let Expr::Value(value) = expr.as_mut()
        && let Value::SingleQuotedString(told) = &mut value.value
    {
        whole(told);
    }
    let timely = |expr: &Expr| timely(expr) && (zone.is_some() || is_short(expr));
    let elsewhere = zone.is_some();
    let zone = zone.unwrap_or("UTC").replace('\'', "''");
    match expr {
        Expr::Extract { field, expr, .. } if elsewhere && !absolute(&field.to_string()) => {
            wrap(expr, "callboard_local", &zone);
        }
        Expr::Cast {
            expr, data_type, ..
        } if elsewhere && of_the_clock(data_type) => wrap(expr, "callboard_local", &zone),
        Expr::Function(f) if elsewhere => function(f, &zone),
        Expr::BinaryOp { left, op, right } if compares(op) => {
            if timely(right) {
                return alike(right, left, &zone, room);
            } else if timely(left) {
                return alike(left, right, &zone, room);
            }
        }
        Expr::Between {
            expr, low, high, ..
        } => {
            return [low, high]
                .into_iter()
                .filter(|side| timely(side))
                .all(|side| alike(side, expr, &zone, room));
        }
        Expr::InList { expr, list, .. } => {
            return list
                .iter_mut()
                .filter(|item| timely(item))
                .all(|item| alike(item, expr, &zone, room));
        }
        _ => {}
    }
    true
}

/// Whether it is a time that is written without seconds, which the engine does not read.
fn is_short(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(
        &value.value,
        Value::SingleQuotedString(text) if with_seconds(text).is_some()
    ))
}

fn whole(text: &mut String) {
    if let Some(whole) = with_seconds(text) {
        *text = whole;
    }
}

/// The time with its seconds, where only they are missing: `2026-03-02 10:00`, with or without a
/// zone behind it.
pub(super) fn with_seconds(text: &str) -> Option<String> {
    let text = text.trim();
    let (start, rest) = text.split_at_checked("2026-03-02 10:00".len())?;
    let time = start.get(10..)?;
    let is_time = matches!(time.as_bytes(), [b' ' | b'T', h, i, b':', m, n]
        if [h, i, m, n].iter().all(|c| c.is_ascii_digit()));
    (is_time && without_zone(start) && !rest.starts_with(':')).then(|| format!("{start}:00{rest}"))
}

fn wrap(expr: &mut Expr, function: &str, zone: &str) {
    if let Some(new) = parsed(&format!("{function}('{zone}', {expr})")) {
        *expr = new;
    }
}

/// Gives the kind of the other side to a day or time; false when there is no room for it.
fn alike(expr: &mut Expr, other: &Expr, zone: &str, room: &mut usize) -> bool {
    let text = format!("callboard_alike('{zone}', {expr}, {other})");
    let Some(left) = room.checked_sub(text.len()) else {
        return false;
    };
    *room = left;
    if let Some(new) = parsed(&text) {
        *expr = new;
    }
    true
}

/// Fields that are the same in every zone.
fn absolute(field: &str) -> bool {
    let field = field.trim_matches('\'').to_ascii_lowercase();
    field == DateTimeField::Epoch.to_string().to_ascii_lowercase() || field.starts_with("timezone")
}

fn function(f: &mut Function, zone: &str) {
    let name = f.name.to_string().to_ascii_lowercase();
    let name = name.trim_start_matches("pg_catalog.");
    let around = match name {
        "date_trunc" => "callboard_here",
        "date_part" => "callboard_local",
        _ => return,
    };
    let FunctionArguments::List(list) = &mut f.args else {
        return;
    };
    if let [
        FunctionArg::Unnamed(FunctionArgExpr::Expr(field)),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(time)),
    ] = list.args.as_mut_slice()
        && !absolute(&field.to_string())
    {
        wrap(time, around, zone);
    }
}

/// Whether a value of this type is what a clock or a calendar shows.
fn of_the_clock(kind: &DataType) -> bool {
    match kind {
        DataType::Date | DataType::TimestampNtz(_) => true,
        DataType::Timestamp(_, zone) | DataType::Time(_, zone) => {
            matches!(zone, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
        }
        _ => false,
    }
}

fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// Whether it may be a day or a time without a zone, which another zone turns into another instant.
fn timely(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => {
            matches!(&value.value, Value::SingleQuotedString(text) if without_zone(text))
        }
        Expr::TypedString(text) => of_the_clock(&text.data_type),
        Expr::Cast { data_type, .. } => of_the_clock(data_type),
        Expr::Function(f) => f.name.to_string().eq_ignore_ascii_case("current_date"),
        Expr::Nested(inner) => timely(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Plus | BinaryOperator::Minus,
            ..
        } => !matches!(left.as_ref(), Expr::Value(_)) && timely(left),
        _ => false,
    }
}

/// A day, or a day and a time, without a zone.
fn without_zone(text: &str) -> bool {
    let text = text.trim();
    let Some((day, time)) = text.split_at_checked(text.len().min(10)) else {
        return false;
    };
    let digits =
        |part: &str, len: usize| part.len() == len && part.chars().all(|c| c.is_ascii_digit());
    let mut parts = day.split('-');
    let is_day = parts.next().is_some_and(|p| digits(p, 4))
        && parts.next().is_some_and(|p| digits(p, 2))
        && parts.next().is_some_and(|p| digits(p, 2));
    let is_time = time.is_empty()
        || time.strip_prefix(['T', ' ']).is_some_and(|t| {
            let own = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.');
            t.trim().chars().all(own)
        });
    is_day && is_time
}

#[cfg(test)]
mod tests {
    fn of(sql: &str, zone: Option<&str>) -> String {
        super::super::rewrite::rewrite(sql, 1 << 16, zone)
            .unwrap()
            .unwrap()
    }

    #[test]
    fn what_depends_on_the_zone_is_told_it() {
        let here = Some("Europe/Berlin");
        for (sql, told) in [
            (
                "SELECT a AT TIME ZONE 'X' FROM t",
                "SELECT timezone('X', a) FROM t",
            ),
            (
                "SELECT date_trunc('day', a) FROM t",
                "SELECT date_trunc('day', callboard_here('Europe/Berlin', a)) FROM t",
            ),
            (
                "SELECT EXTRACT(HOUR FROM a) FROM t",
                "SELECT EXTRACT(HOUR FROM callboard_local('Europe/Berlin', a)) FROM t",
            ),
            (
                "SELECT EXTRACT(EPOCH FROM a) FROM t",
                "SELECT EXTRACT(EPOCH FROM a) FROM t",
            ),
            (
                "SELECT 1 FROM t WHERE a >= '2026-03-02' AND b = 'x'",
                "SELECT 1 FROM t WHERE a >= callboard_alike('Europe/Berlin', '2026-03-02', a) AND b = 'x'",
            ),
            (
                "SELECT 1 FROM t WHERE a >= '2026-03-02 09:00:00+00'",
                "SELECT 1 FROM t WHERE a >= '2026-03-02 09:00:00+00'",
            ),
        ] {
            assert_eq!(of(sql, here), told);
        }
        assert_eq!(
            of(
                "SELECT '2026-03-02 10:00+01'::TIMESTAMPTZ FROM t WHERE a > '2026-03-02T10:00'",
                None
            ),
            "SELECT '2026-03-02 10:00:00+01'::TIMESTAMPTZ FROM t \
             WHERE a > callboard_alike('UTC', '2026-03-02T10:00', a)"
        );
        let plain = "SELECT date_trunc('day', a) FROM t WHERE a >= '2026-03-02'";
        assert_eq!(of(plain, None), plain);
    }

    #[test]
    fn what_would_grow_without_end_is_refused() {
        let of = |terms: usize| {
            let sql = format!("SELECT a{}", " = '2026-03-02 10:00'".repeat(terms));
            super::super::rewrite::rewrite(&sql, 1 << 16, None)
        };
        assert!(of(3).is_ok());
        let error = of(20).unwrap_err();
        assert_eq!(error.class, crate::error::Class::TooComplex, "{error:?}");
        let long = format!("concat({})", vec!["a"; 10_000].join(", "));
        let list = vec!["'2026-03-02 10:00'"; 200].join(", ");
        let sql = format!("SELECT 1 FROM t WHERE {long} IN ({list})");
        assert!(super::super::rewrite::rewrite(&sql, 1 << 16, None).is_err());
    }
}
