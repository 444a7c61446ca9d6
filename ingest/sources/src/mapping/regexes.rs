//! What jq's `test`, `match`, `capture`, `sub` and `split` are made of, by the `regex` crate, whose
//! work grows with the text and not beyond.

use std::cell::RefCell;
use std::collections::HashMap;

use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Cv, Error};
use jaq_json::Val;
use regex::{Captures, Regex, RegexBuilder};

use super::jq::Lang;

/// Compiled expressions that are kept.
const KEPT: usize = 256;

/// Largest compiled expression, bytes.
const LARGEST: usize = 1024 * 1024;

thread_local! {
    static COMPILED: RefCell<HashMap<(String, String), Regex>> = RefCell::default();
}

pub(super) fn natives() -> Vec<Fun<Lang>> {
    vec![
        run(("matches", v(2), |cv| bome(matched(cv, false, true)))),
        run(("split_matches", v(2), |cv| bome(matched(cv, true, true)))),
        run(("split_", v(2), |cv| bome(matched(cv, true, false)))),
    ]
}

fn text(v: &Val) -> Result<&str, Error<Val>> {
    match v {
        Val::TStr(s) => std::str::from_utf8(s).map_err(|_| Error::typ(v.clone(), "string")),
        _ => Err(Error::typ(v.clone(), "string")),
    }
}

fn compiled(re: &str, flags: &str) -> Result<Regex, Error<Val>> {
    let key = (re.to_owned(), flags.to_owned());
    if let Some(known) = COMPILED.with_borrow(|all| all.get(&key).cloned()) {
        return Ok(known);
    }
    let mut builder = RegexBuilder::new(re);
    builder.size_limit(LARGEST);
    for flag in flags.chars() {
        match flag {
            'g' | 'n' => {}
            'i' => drop(builder.case_insensitive(true)),
            'm' => drop(builder.multi_line(true)),
            's' => drop(builder.dot_matches_new_line(true)),
            'p' => drop(builder.multi_line(true).dot_matches_new_line(true)),
            'l' => drop(builder.swap_greed(true)),
            'x' => drop(builder.ignore_whitespace(true)),
            other => return Err(Error::str(format!("\"{other}\" is no flag of a pattern"))),
        }
    }
    let made = builder
        .build()
        .map_err(|e| Error::str(format!("the pattern cannot be used: {e}")))?;
    COMPILED.with_borrow_mut(|all| {
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(key, made.clone());
    });
    Ok(made)
}

/// Matches, each a list of the whole and its groups; between them the texts that do not match.
fn matched(mut cv: Cv<'_, Lang>, between: bool, matches: bool) -> Result<Val, Error<Val>> {
    let flags = cv.0.pop_var();
    let re = cv.0.pop_var();
    let flags = text(&flags)?;
    let re = compiled(text(&re)?, flags)?;
    let text = text(&cv.1)?;
    let mut out: Vec<Val> = Vec::new();
    let mut last = 0;
    for found in re.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        if whole.is_empty() && flags.contains('n') {
            continue;
        }
        if between {
            out.push(string(text.get(last..whole.start()).unwrap_or("")));
            last = whole.end();
        }
        if matches {
            out.push(groups(text, &re, &found)?);
        }
        if !flags.contains('g') {
            break;
        }
    }
    if between {
        out.push(string(text.get(last..).unwrap_or("")));
    }
    Ok(out.into_iter().collect())
}

fn string(text: &str) -> Val {
    Val::utf8_str(text.to_owned().into_bytes())
}

fn groups(text: &str, re: &Regex, found: &Captures<'_>) -> Result<Val, Error<Val>> {
    let chars = |at: usize| text.get(..at).map_or(0, |t| t.chars().count());
    let all = found
        .iter()
        .zip(re.capture_names())
        .filter_map(|(part, name)| {
            let part = part?;
            let mut fields = vec![
                (string("offset"), Val::from(chars(part.start()) as isize)),
                (
                    string("length"),
                    Val::from(part.as_str().chars().count() as isize),
                ),
                (string("string"), string(part.as_str())),
            ];
            fields.extend(name.map(|name| (string("name"), string(name))));
            Some(<Val as jaq_core::ValT>::from_map(fields))
        });
    all.collect()
}
