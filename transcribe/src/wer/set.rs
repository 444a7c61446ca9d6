//! The recorded set: its reference, and a run of the recogniser over it.

use super::align::{Errors, align};
use super::normaliser::{normalise, split_digits};
use crate::Leg;
use crate::audio::{ENGINE_RATE, Limits, encode_pcm16};
use crate::engine::{Cancel, Engine, LegJob, LegMessage};
use crate::error::TranscribeError;
use crate::prepare::{LegInput, RecordingInput, prepare};
use crate::turns::{Dropped, heard_words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

/// One leg of one recording, as key of texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LegText {
    /// Name of the recording.
    pub rec: String,
    /// Whose leg.
    pub leg: Leg,
}

/// A recording of the set.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Its name.
    pub rec: String,
    /// Its files.
    pub files: Vec<(Leg, PathBuf)>,
    /// What was said and not muted, by leg, in order.
    pub texts: BTreeMap<Leg, Vec<String>>,
}

/// A piece given to the recogniser, as written beside its sound.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PieceRecord {
    /// File name of its sound.
    pub file: String,
    /// Recording and leg.
    #[serde(flatten)]
    pub of: LegText,
    /// Its length.
    pub ms: u64,
    /// Texts of its segments, where known.
    #[serde(default)]
    pub texts: Vec<String>,
}

/// Figures of one run over a set.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Recordings with a reference.
    pub recordings: usize,
    /// Word errors, numbers as whole words.
    pub errors: Errors,
    /// Word errors, every digit a word.
    pub digit_errors: Errors,
    /// Each leg's own errors, worst first.
    pub legs: Vec<(LegText, Errors)>,
    /// Seconds of sound over all legs.
    pub audio_seconds: f64,
    /// Processor seconds of the recogniser's threads.
    pub cpu_seconds: f64,
    /// What the guards against invented text would drop. The word errors are those of the
    /// recogniser's own output.
    pub dropped: Dropped,
}

/// How a set is run.
#[derive(Debug, Default)]
pub struct RunOptions {
    /// Writes every piece as WAV, with `pieces.jsonl`, into this folder.
    pub pieces: Option<PathBuf>,
}

fn wrong(path: &Path, detail: impl std::fmt::Display) -> TranscribeError {
    TranscribeError::Input(format!("{}: {detail}", path.display()))
}

/// Reads `recordings.jsonl` and `texts.jsonl` of a folder.
///
/// # Errors
/// [`TranscribeError::Input`] with file and line.
pub fn read_set(dir: &Path) -> Result<Vec<Reference>, TranscribeError> {
    #[derive(Deserialize)]
    struct File {
        leg: String,
        path: String,
    }
    #[derive(Deserialize)]
    struct Recording {
        rec: String,
        files: Vec<File>,
    }
    #[derive(Deserialize)]
    struct Text {
        rec: String,
        leg: String,
        start: f64,
        text: String,
        muted: bool,
    }
    let mut texts: Vec<Text> = lines(&dir.join("texts.jsonl"))?;
    texts.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut set = Vec::new();
    for recording in lines::<Recording>(&dir.join("recordings.jsonl"))? {
        let files: Vec<(Leg, PathBuf)> = recording
            .files
            .iter()
            .filter_map(|f| match f.leg.as_str() {
                "both mixed" => None,
                "caller=left,agent=right" => Some((Leg::Both, dir.join(&f.path))),
                leg => Some((leg.parse().ok()?, dir.join(&f.path))),
            })
            .collect();
        let mut by_leg: BTreeMap<Leg, Vec<String>> = BTreeMap::new();
        for text in texts.iter().filter(|t| t.rec == recording.rec && !t.muted) {
            let leg = text
                .leg
                .parse()
                .map_err(|e| wrong(&dir.join("texts.jsonl"), e))?;
            by_leg.entry(leg).or_default().push(text.text.clone());
        }
        set.push(Reference {
            rec: recording.rec,
            files,
            texts: by_leg,
        });
    }
    Ok(set)
}

fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>, TranscribeError> {
    let text = fs::read_to_string(path).map_err(|e| wrong(path, e))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            serde_json::from_str(line).map_err(|e| wrong(path, format!("line {}: {e}", n + 1)))
        })
        .collect()
}

/// Recognises every recording of the set (all legs at once through the engine's threads) and
/// compares. Nothing recognised leaves memory, but for the pieces' sound when asked for.
///
/// # Errors
/// The first recording that cannot be read or recognised.
pub fn run(
    set: &[Reference],
    engine: &Engine,
    options: &RunOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Report, TranscribeError> {
    let (reply, messages) = channel();
    let mut keys: Vec<LegText> = Vec::new();
    let mut audio_seconds = 0.0;
    for reference in set {
        let mut input = RecordingInput::new(Vec::new());
        for (leg, path) in &reference.files {
            input.legs.push(LegInput::new(
                *leg,
                fs::read(path).map_err(|e| wrong(path, e))?,
            ));
        }
        for leg in prepare(&input, &Limits::default())?.legs {
            audio_seconds += leg.samples.len() as f64 / f64::from(ENGINE_RATE);
            keys.push(LegText {
                rec: reference.rec.clone(),
                leg: leg.leg,
            });
            engine.submit(LegJob {
                samples: leg.samples,
                cancel: Cancel::default(),
                reply: reply.clone(),
                tag: keys.len() - 1,
            });
        }
    }
    drop(reply);
    let mut heard: BTreeMap<LegText, Vec<String>> = BTreeMap::new();
    let mut pieces: Vec<PieceRecord> = Vec::new();
    let (mut done, mut cpu_ms) = (0, 0);
    let mut dropped = Dropped::default();
    for message in messages {
        let LegMessage::Done { tag, result } = message else {
            continue;
        };
        let speech = result?;
        cpu_ms += speech.cpu_ms.unwrap_or(0);
        dropped.add(heard_words(keys[tag].leg, 0, &speech).1);
        let texts = heard.entry(keys[tag].clone()).or_default();
        for (piece, segments) in &speech.pieces {
            if let Some(dir) = &options.pieces {
                pieces.push(write_piece(dir, pieces.len(), &keys[tag], &piece.samples)?);
            }
            texts.extend(segments.iter().map(crate::engine::RawSegment::text));
        }
        done += 1;
        progress(done, keys.len());
    }
    if let Some(dir) = &options.pieces {
        let path = dir.join("pieces.jsonl");
        let mut file = fs::File::create(&path).map_err(|e| wrong(&path, e))?;
        for piece in &pieces {
            let line = serde_json::to_string(piece).map_err(|e| wrong(&path, e))?;
            writeln!(file, "{line}").map_err(|e| wrong(&path, e))?;
        }
    }
    let mut report = score(set, &heard);
    report.dropped = dropped;
    report.audio_seconds = audio_seconds;
    report.cpu_seconds = cpu_ms as f64 / 1000.0;
    Ok(report)
}

fn write_piece(
    dir: &Path,
    n: usize,
    of: &LegText,
    samples: &[f32],
) -> Result<PieceRecord, TranscribeError> {
    fs::create_dir_all(dir).map_err(|e| wrong(dir, e))?;
    let file = format!("{n:04}.wav");
    let path = dir.join(&file);
    fs::write(&path, encode_pcm16(&[samples], ENGINE_RATE)).map_err(|e| wrong(&path, e))?;
    let ms = samples.len() as u64 * 1000 / u64::from(ENGINE_RATE);
    Ok(PieceRecord {
        file,
        of: of.clone(),
        ms,
        texts: Vec::new(),
    })
}

/// Another recogniser's texts of the same pieces: lines as in `pieces.jsonl`, with `texts`.
///
/// # Errors
/// [`TranscribeError::Input`] with file and line.
pub fn read_hypotheses(path: &Path) -> Result<BTreeMap<LegText, Vec<String>>, TranscribeError> {
    let mut heard: BTreeMap<LegText, Vec<String>> = BTreeMap::new();
    for piece in lines::<PieceRecord>(path)? {
        heard.entry(piece.of).or_default().extend(piece.texts);
    }
    Ok(heard)
}

/// Compares what was heard with what was said.
pub fn score(set: &[Reference], heard: &BTreeMap<LegText, Vec<String>>) -> Report {
    let words = |texts: &[String]| texts.iter().flat_map(|t| normalise(t)).collect::<Vec<_>>();
    let mut report = Report {
        recordings: set.len(),
        errors: Errors::default(),
        digit_errors: Errors::default(),
        legs: Vec::new(),
        audio_seconds: 0.0,
        cpu_seconds: 0.0,
        dropped: Dropped::default(),
    };
    for reference in set {
        let mut legs: Vec<Leg> = reference.texts.keys().copied().collect();
        legs.extend(
            heard
                .keys()
                .filter(|k| k.rec == reference.rec && !reference.texts.contains_key(&k.leg))
                .map(|k| k.leg),
        );
        for leg in legs {
            let key = LegText {
                rec: reference.rec.clone(),
                leg,
            };
            let said = words(reference.texts.get(&leg).map_or(&[], Vec::as_slice));
            let got = words(heard.get(&key).map_or(&[], Vec::as_slice));
            let errors = align(&said, &got);
            report.errors.add(errors);
            report
                .digit_errors
                .add(align(&split_digits(&said), &split_digits(&got)));
            report.legs.push((key, errors));
        }
    }
    report
        .legs
        .sort_by(|a, b| b.1.percent().total_cmp(&a.1.percent()));
    report
}
