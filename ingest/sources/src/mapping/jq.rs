//! jq programs, compiled and run within bounds.
//!
//! A program counts the terms that it evaluates and is ended when it has evaluated too many, so that
//! an endless one ends after the same work on every machine. What a single function can do at once,
//! such as doubling a text forty times, is not bounded here: programs of other people are run in a
//! process of their own that can be ended.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use chrono_tz::Tz;
use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::Fun;
use jaq_core::{Compiler, Ctx, DataT, Filter, Lut, Vars, data::HasLut};
use jaq_json::{Val, read, write};

use super::{functions, regexes};

/// The language: jq over JSON, with what our own functions need to know.
pub(super) struct Lang;

impl DataT for Lang {
    type V<'a> = Val;
    type Data<'a> = Env<'a>;
}

/// What a running program has.
#[derive(Clone, Copy)]
pub(super) struct Env<'a> {
    lut: &'a Lut<Lang>,
    left: &'a Cell<u64>,
    /// Zone of times that are given without one.
    pub zone: Tz,
}

impl<'a> HasLut<'a, Lang> for Env<'a> {
    /// Every term that is evaluated asks for this, so here the steps are counted. There is no other
    /// way out of a loop of jq's than to unwind.
    fn lut(&self) -> &'a Lut<Lang> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => resume_unwind(Box::new(Exhausted)),
        }
        self.lut
    }
}

/// What is thrown when no steps are left.
struct Exhausted;

/// How much a program may do with one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Terms that it may evaluate.
    pub steps: u64,
    /// Outputs.
    pub outputs: usize,
    /// Bytes of all outputs together, as JSON.
    pub bytes: usize,
}

/// Why a program gave no more outputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// It said so itself, or did what cannot be done.
    #[error("{0}")]
    Error(String),
    /// It evaluated too many terms.
    #[error("the expression did not come to an end within {0} steps; is it endless?")]
    Steps(u64),
    /// It gave too much.
    #[error("the expression gave more than {0}; a limit keeps the server alive")]
    TooMuch(String),
}

/// What is wrong with the text of a program: where, in bytes, and what.
pub(super) type Fault = (Range<usize>, String);

/// A compiled program.
pub(super) struct Program {
    filter: Filter<Lang>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Program")
    }
}

/// Functions that would tell a program of the machine or the moment, or end the process; and those
/// that no system's items need, whose libraries are left out with them.
const LEFT_OUT: &[&str] = &[
    "env",
    "now",
    "halt",
    "halt_error",
    "input",
    "inputs",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
    "todate",
    "fromdate",
    "logb",
    "significand",
    "pow10",
    "drem",
    "nexttoward",
    "scalb",
    "gamma",
    "@html",
    "@htmld",
    "@uri",
    "@urid",
    "@base64",
    "@base64d",
];

/// jq's own `range` counts without evaluating a term; this one is counted.
const COUNTED: &str = "def range($from; $to; $by):
    def up: if . < $to then ., (. + $by | up) else empty end;
    def down: if . > $to then ., (. + $by | down) else empty end;
    $from | if $by > 0 then up elif $by < 0 then down else empty end;";

fn definitions() -> Vec<Def<&'static str>> {
    let mut all: Vec<Def<&'static str>> = jaq_core::defs().collect();
    let at = all.iter().position(|d| d.name == "range").unwrap_or(0);
    let counted = load::parse(COUNTED, |p| p.defs()).unwrap_or_default();
    all.splice(at..at, counted);
    let ours = load::parse(functions::DEFINED, |p| p.defs()).unwrap_or_default();
    let rest = jaq_std::defs().chain(jaq_json::defs()).chain(ours);
    all.extend(rest.filter(|d| !LEFT_OUT.contains(&d.name)));
    all
}

fn natives() -> impl Iterator<Item = Fun<Lang>> {
    let theirs = jaq_core::funs::<Lang>()
        .chain(jaq_std::base_funs::<Lang>())
        .chain(jaq_json::funs::<Lang>())
        .filter(|(name, _, _)| *name != "range" && !LEFT_OUT.contains(name));
    theirs.chain(functions::natives()).chain(regexes::natives())
}

/// Whether a text is an expression by itself: its faults otherwise.
pub(super) fn check(code: &str) -> Result<(), Vec<Fault>> {
    let arena = Arena::default();
    let loaded = Loader::new([]).load(&arena, File { code, path: () });
    loaded.map(|_| ()).map_err(|e| load_faults(code, e))
}

fn load_faults(code: &str, errors: load::Errors<&str, ()>) -> Vec<Fault> {
    let at = |part: &str| match part.is_empty() {
        true => code.len()..code.len(),
        false => load::span(code, part),
    };
    let mut out = Vec::new();
    for (_, error) in errors {
        match error {
            load::Error::Io(all) => {
                let told = "modules cannot be read here".to_owned();
                out.extend(all.into_iter().map(|(part, _)| (at(part), told.clone())));
            }
            load::Error::Lex(all) => {
                out.extend(all.into_iter().map(|(expected, part)| {
                    (at(part), format!("{} was expected", expected.as_str()))
                }))
            }
            load::Error::Parse(all) => {
                out.extend(all.into_iter().map(|(expected, part)| {
                    (at(part), format!("{} was expected", expected.as_str()))
                }))
            }
        }
    }
    out
}

impl Program {
    /// Compiles a text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn compile(code: &str) -> Result<Program, Vec<Fault>> {
        let arena = Arena::default();
        let modules = Loader::new(definitions())
            .load(&arena, File { code, path: () })
            .map_err(|e| load_faults(code, e))?;
        let filter = Compiler::default()
            .with_funs(natives())
            .compile(modules)
            .map_err(|errors| {
                let all = errors.into_iter().flat_map(|(_, all)| all);
                all.map(|(part, undefined)| {
                    let told = format!("no {} \"{part}\" is known", undefined.as_str());
                    (load::span(code, part), told)
                })
                .collect::<Vec<_>>()
            })?;
        Ok(Program { filter })
    }

    /// All outputs for an input, each as JSON, until the end or what stopped it.
    pub fn run(&self, input: Val, zone: Tz, bounds: Bounds) -> (Vec<Vec<u8>>, Option<Stop>) {
        let mut out = Vec::new();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            self.collect(input, zone, bounds, &mut out)
        }));
        let stop = match ended {
            Ok(stop) => stop,
            Err(thrown) if thrown.is::<Exhausted>() => Some(Stop::Steps(bounds.steps)),
            Err(_) => Some(Stop::Error("the expression cannot be evaluated".to_owned())),
        };
        (out, stop)
    }

    fn collect(
        &self,
        input: Val,
        zone: Tz,
        bounds: Bounds,
        out: &mut Vec<Vec<u8>>,
    ) -> Option<Stop> {
        let left = Cell::new(bounds.steps);
        let env = Env {
            lut: &self.filter.lut,
            left: &left,
            zone,
        };
        let ctx = Ctx::<Lang>::new(env, Vars::new([]));
        let mut room = bounds.bytes;
        for next in self.filter.id.run((ctx, input)) {
            let value = match next {
                Ok(value) => value,
                Err(e) => {
                    return Some(Stop::Error(shortened(&message(e))));
                }
            };
            if out.len() == bounds.outputs {
                return Some(Stop::TooMuch(format!("{} outputs", bounds.outputs)));
            }
            let mut written = Bounded {
                bytes: Vec::new(),
                room,
            };
            if write::write(&mut written, &write::Pp::default(), 0, &value).is_err() {
                return Some(Stop::TooMuch(format!("{} bytes", bounds.bytes)));
            }
            room = written.room;
            out.push(written.bytes);
        }
        None
    }
}

/// What a program says of its error: a text as it stands, anything else as JSON.
fn message(e: jaq_core::Exn<'_, Val>) -> String {
    match e.get_err().map(jaq_core::Error::into_val) {
        Ok(Val::TStr(text)) => String::from_utf8_lossy(&text).into_owned(),
        Ok(other) => other.to_string(),
        Err(_) => "break without its label".to_owned(),
    }
}

/// A message of a program, which may hold the whole input.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Takes bytes while there is room.
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        match self.room.checked_sub(more.len()) {
            Some(left) => self.room = left,
            None => return Err(io::ErrorKind::WriteZero.into()),
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A JSON document as a value of the language; as deep as JSON may be elsewhere.
///
/// # Errors
/// Why it is none.
pub(super) fn value(json: &[u8]) -> Result<Val, String> {
    // The language's own reader follows any depth; this one refuses what is deeper than 128 levels.
    serde_json::from_slice::<serde_json::Value>(json).map_err(|e| format!("no JSON: {e}"))?;
    read::parse_single(json).map_err(|e| format!("no JSON: {e}"))
}
