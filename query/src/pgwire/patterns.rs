//! `to_char(time, pattern)` with PostgreSQL's patterns. A pattern that is not known is refused: it
//! would otherwise stand in the answer as if it were a figure.

use chrono::NaiveDateTime;

use self::field::Field;
use crate::error::{Class, QueryError};

mod field;

/// What may stand in a pattern, the longest first where one begins another.
const KEYWORDS: &[(&str, Field)] = &[
    ("SSSSS", Field::SecondOfDay),
    ("SSSS", Field::SecondOfDay),
    ("Y,YYY", Field::YearComma),
    ("IYYY", Field::IsoYear(4)),
    ("YYYY", Field::Year(4)),
    ("A.M.", Field::Half { dots: true }),
    ("P.M.", Field::Half { dots: true }),
    ("HH24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("IDDD", Field::IsoDayOfYear),
    ("MONTH", Field::MonthName { short: false }),
    ("IYY", Field::IsoYear(3)),
    ("YYY", Field::Year(3)),
    ("DDD", Field::DayOfYear),
    ("DAY", Field::DayName { short: false }),
    ("MON", Field::MonthName { short: true }),
    ("TZH", Field::OffsetHour),
    ("TZM", Field::OffsetMinute),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("HH", Field::Hour12),
    ("MI", Field::Minute),
    ("SS", Field::Second),
    ("MS", Field::Fraction(3)),
    ("US", Field::Fraction(6)),
    ("AM", Field::Half { dots: false }),
    ("PM", Field::Half { dots: false }),
    ("IY", Field::IsoYear(2)),
    ("YY", Field::Year(2)),
    ("MM", Field::Month),
    ("DD", Field::Day),
    ("DY", Field::DayName { short: true }),
    ("ID", Field::IsoWeekday),
    ("IW", Field::IsoWeek),
    ("WW", Field::WeekOfYear),
    ("CC", Field::Century),
    ("OF", Field::Offset),
    ("TZ", Field::Zone),
    ("I", Field::IsoYear(1)),
    ("Y", Field::Year(1)),
    ("D", Field::Weekday),
    ("W", Field::WeekOfMonth),
    ("Q", Field::Quarter),
    ("J", Field::Julian),
];

/// How the letters of a word are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
    Title,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field {
        field: Field,
        /// Without leading zeros and trailing blanks.
        bare: bool,
        case: Case,
        /// `st`, `nd`, `rd`, `th` behind the number, in this case.
        ordinal: Option<Case>,
    },
}

/// A local time, and what is known of its zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local<'a> {
    pub(super) at: NaiveDateTime,
    /// Abbreviation of the zone and seconds east of UTC; none for a time without a zone.
    pub(super) zone: Option<(&'a str, i32)>,
}

/// A pattern that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When something in it is no pattern of PostgreSQL and not quoted.
    pub(super) fn read(text: &str) -> Result<Self, QueryError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            if first == '"' {
                let (quoted, behind) = quoted(after);
                pieces.push(Piece::Text(quoted));
                rest = behind;
            } else if first == '\\' && after.starts_with('"') {
                pieces.push(Piece::Text("\"".to_owned()));
                rest = after.get(1..).unwrap_or_default();
            } else if first.is_alphabetic() || first == '%' {
                let (piece, behind) = keyword(rest).ok_or_else(|| unknown(text, rest))?;
                pieces.push(piece);
                rest = behind;
            } else {
                pieces.push(Piece::Text(first.to_string()));
                rest = after;
            }
        }
        Ok(Pattern(pieces))
    }

    /// The time in this form.
    pub(super) fn write(&self, time: Local<'_>) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field {
                    field,
                    bare,
                    case,
                    ordinal,
                } => {
                    let told = field.tell(time, *bare, *case);
                    out.push_str(&told);
                    if let Some(case) = ordinal {
                        out.push_str(&case.of(suffix(&told)));
                    }
                }
            }
        }
        out
    }
}

/// Text up to the closing quote, and what stands behind it.
fn quoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (out, text.get(at + 1..).unwrap_or_default()),
            '\\' => out.extend(chars.next().map(|(_, next)| next)),
            c => out.push(c),
        }
    }
    (out, "")
}

fn unknown(text: &str, rest: &str) -> QueryError {
    let word: String = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '%')
        .collect();
    let hint = if rest.starts_with('%') {
        "patterns are those of PostgreSQL, such as YYYY-MM-DD HH24:MI:SS"
    } else {
        "letters that are to stand as they are go into double quotes"
    };
    QueryError::new(
        Class::Value,
        format!("to_char does not know \"{word}\" in the pattern '{text}'; {hint}"),
    )
}

/// Whether the text begins with this keyword; only names tell small letters from capitals.
fn begins(text: &str, word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn keyword(text: &str) -> Option<(Piece, &str)> {
    let (mut rest, mut bare) = (text, false);
    // FM: nothing is filled up. TM: names in the language of the server, which is English.
    while begins(rest, "FM") || begins(rest, "TM") {
        bare |= begins(rest, "FM");
        rest = rest.get(2..)?;
    }
    let (word, field) = KEYWORDS.iter().find(|(word, _)| begins(rest, word))?;
    let written = rest.get(..word.len())?;
    rest = rest.get(word.len()..)?;
    let case = Case::read(written);
    let mut ordinal = None;
    if field.counts() && begins(rest, "TH") {
        ordinal = Some(Case::read(rest.get(..2)?));
        rest = rest.get(2..)?;
    }
    let piece = Piece::Field {
        field: *field,
        bare,
        case,
        ordinal,
    };
    Some((piece, rest))
}

impl Case {
    fn read(word: &str) -> Self {
        let mut letters = word.chars().filter(|c| c.is_alphabetic());
        match (letters.next(), letters.next()) {
            (Some(first), _) if first.is_lowercase() => Case::Lower,
            (_, Some(second)) if second.is_lowercase() => Case::Title,
            _ => Case::Upper,
        }
    }

    fn of(self, word: &str) -> String {
        match self {
            Case::Upper => word.to_uppercase(),
            Case::Lower => word.to_lowercase(),
            Case::Title => word.to_owned(),
        }
    }
}

/// `st`, `nd`, `rd` or `th` for a number as it stands.
fn suffix(number: &str) -> &'static str {
    let digit = |back: usize| number.chars().rev().nth(back);
    if digit(1) == Some('1') {
        return "th";
    }
    match digit(0) {
        Some('1') => "st",
        Some('2') => "nd",
        Some('3') => "rd",
        _ => "th",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> String {
        let at = chrono::NaiveDate::from_ymd_opt(2026, 3, 2)
            .and_then(|d| d.and_hms_micro_opt(14, 5, 9, 40_250))
            .unwrap();
        let zone = Some(("IST", 19_800));
        Pattern::read(pattern).unwrap().write(Local { at, zone })
    }

    #[test]
    fn every_pattern_is_written_as_postgres_writes_it() {
        for (pattern, told) in [
            ("YYYY-MM-DD HH24:MI:SS", "2026-03-02 14:05:09"),
            ("yyyy-mm-dd hh24:mi:ss", "2026-03-02 14:05:09"),
            (
                "HH12:MI AM|hh:mi pm|A.M.|p.m.",
                "02:05 PM|02:05 pm|P.M.|p.m.",
            ),
            ("MS|US|FF1|FF3|FF6", "040|040250|0|040|040250"),
            ("FMHH24:FMMI:FMSS|FMMM/FMDD", "14:5:9|3/2"),
            (
                "Day|DAY|day|Dy|DY|dy",
                "Monday   |MONDAY   |monday   |Mon|MON|mon",
            ),
            ("FMDay, DDth FMMonth YYYY", "Monday, 02nd March 2026"),
            ("Month|FMMONTH|Mon|MON|mon", "March    |MARCH|Mar|MAR|mar"),
            ("D|ID|DDD|IDDD|W|WW|IW", "2|1|061|064|1|09|10"),
            ("IYYY-\"W\"IW-ID", "2026-W10-1"),
            (
                "Q|CC|YYY|YY|Y|Y,YYY|IYY|IY|I",
                "1|21|026|26|6|2,026|026|26|6",
            ),
            ("J|SSSS|SSSSS", "2461102|50709|50709"),
            ("TZ|tz|OF|TZH:TZM", "IST|ist|+05:30|+05:30"),
            ("YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"", "2026-03-02T14:05:09Z"),
            ("\"a \\\" b\" \\\"Q\\\"", "a \" b \"1\""),
            ("DDTH|FMDDth", "02ND|2nd"),
            ("YYYYMMDD", "20260302"),
            ("", ""),
        ] {
            assert_eq!(of(pattern), told, "{pattern}");
        }
    }

    #[test]
    fn numbers_have_their_own_endings() {
        for (number, end) in [
            ("01", "st"),
            ("11", "th"),
            ("12", "th"),
            ("23", "rd"),
            ("40", "th"),
        ] {
            assert_eq!(suffix(number), end, "{number}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (pattern, word) in [
            ("%Y-%m-%d", "%Y"),
            ("YYYY-MM-DD\"T\"HH24hMI", "hMI"),
            ("YYYY xx", "xx"),
            ("RM", "RM"),
        ] {
            let e = Pattern::read(pattern).unwrap_err();
            assert_eq!(e.class, Class::Value);
            assert!(e.message.contains(&format!("\"{word}\"")), "{e}");
        }
    }
}
