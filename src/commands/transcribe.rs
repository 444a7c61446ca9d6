//! `callboard transcribe`: recordings to transcripts, here, without a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use callboard_transcribe::audio::{Limits, raw_format_of_name};
use callboard_transcribe::engine::{Cancel, EngineConfig};
use callboard_transcribe::{
    Conversation, Leg, LegInput, RecordingInput, Transcriber, TranscriberConfig, to_json, to_text,
    to_vtt,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, print};
use crate::cli::{TranscribeArgs, TranscriptFormat};

/// Endings of file names that say whose leg it is.
const ENDINGS: [(&str, Leg); 4] = [
    ("-rx", Leg::Customer),
    ("-tx", Leg::Agent),
    ("-customer", Leg::Customer),
    ("-agent", Leg::Agent),
];

/// A recording on the command line: its name, and its files.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    name: String,
    files: Vec<(Leg, PathBuf)>,
}

/// Does it. All files are tried; one that cannot be read does not stop the others.
///
/// # Errors
/// When a model or a file cannot be used.
pub fn run(args: &TranscribeArgs) -> Result<(), Failure> {
    let model = match &args.model {
        Some(model) => model.clone(),
        None => shipped(WHISPER)?,
    };
    let mut engine = EngineConfig::new(model, shipped(SILERO)?);
    engine.threads = args.threads.max(1);
    let transcriber = Transcriber::start(TranscriberConfig {
        engine,
        limits: Limits::default(),
        keywords: Vec::new(),
    })
    .map_err(|e| Failure::failed(e.to_string()))?;
    let transcriber = Arc::new(transcriber);
    let recordings = group(&args.files);
    let several = recordings.len() > 1;
    let mut failures = Vec::new();
    for recording in &recordings {
        match one(&transcriber, recording) {
            Ok(conversation) => print(&written(args.format, recording, &conversation, several)?)?,
            Err(reason) => failures.push(format!("{}: {reason}", recording.name)),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::failed(failures.join("\ncallboard: ")))
    }
}

/// Legs of one conversation together, in the order in which they were named.
fn group(files: &[PathBuf]) -> Vec<Named> {
    let leg_of = |path: &Path| {
        let stem = path.file_stem()?.to_str()?.to_owned();
        let (ending, leg) = ENDINGS.iter().find(|(ending, _)| stem.ends_with(ending))?;
        let base = path.with_file_name(&stem[..stem.len() - ending.len()]);
        Some((base.display().to_string(), *leg))
    };
    let mut legs: BTreeMap<String, Vec<Leg>> = BTreeMap::new();
    for (base, leg) in files.iter().filter_map(|f| leg_of(f)) {
        legs.entry(base).or_default().push(leg);
    }
    let mut out: Vec<Named> = Vec::new();
    for file in files {
        let paired = leg_of(file)
            .filter(|(base, _)| legs.get(base).is_some_and(|l| l.len() == 2 && l[0] != l[1]));
        let (name, leg) = paired.unwrap_or_else(|| (file.display().to_string(), Leg::Both));
        match out.iter_mut().find(|named| named.name == name) {
            Some(named) => named.files.push((leg, file.clone())),
            None => out.push(Named {
                name,
                files: vec![(leg, file.clone())],
            }),
        }
    }
    out
}

fn one(transcriber: &Transcriber, recording: &Named) -> Result<Conversation, String> {
    let mut legs = Vec::new();
    for (leg, path) in &recording.files {
        let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut input = LegInput::new(*leg, bytes);
        input.raw = raw_format_of_name(&path.to_string_lossy());
        legs.push(input);
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} s of speech {eta}")
    {
        bar.set_style(style);
    }
    bar.set_message(recording.name.clone());
    let result = transcriber.transcribe_with(
        &RecordingInput::new(legs),
        &Cancel::default(),
        &mut |progress| {
            bar.set_length(progress.speech_ms.div_ceil(1000));
            bar.set_position(progress.done_ms / 1000);
        },
    );
    bar.finish_and_clear();
    result.map_err(|e| e.to_string())
}

fn written(
    format: TranscriptFormat,
    recording: &Named,
    conversation: &Conversation,
    several: bool,
) -> Result<String, Failure> {
    let text = match format {
        TranscriptFormat::Text => to_text(conversation),
        TranscriptFormat::Vtt => to_vtt(conversation),
        TranscriptFormat::Json => {
            to_json(conversation).map_err(|e| Failure::failed(e.to_string()))?
        }
    };
    let mut text = text.trim_end().to_owned() + "\n";
    // A heading in JSON would make it no JSON: there, one document follows the other.
    match (several, format) {
        (true, TranscriptFormat::Text) => text = format!("== {}\n{text}\n", recording.name),
        (true, TranscriptFormat::Vtt) => {
            text = text.replacen("WEBVTT", &format!("WEBVTT {}", recording.name), 1) + "\n";
        }
        _ => {}
    }
    Ok(text)
}

/// The recogniser that comes with callboard.
pub const WHISPER: &str = "ggml-tiny.en-q8_0.bin";
/// The voice detector that comes with callboard.
pub const SILERO: &str = "ggml-silero-v6.2.0.bin";

/// A model that comes with callboard: beside the program, or in the project it was built in.
///
/// # Errors
/// When it is at none of these places.
pub fn shipped(file: &str) -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_path_buf));
    let mut places: Vec<PathBuf> = Vec::new();
    places.extend(std::env::var_os("CALLBOARD_SHIPPED").map(PathBuf::from));
    if let Some(beside) = beside {
        places.push(beside.join("models"));
        places.push(beside.join("../share/callboard/models"));
        // Built in the project: target/PROFILE/callboard.
        places.push(beside.join("../../datasets/models"));
    }
    places.push(PathBuf::from("datasets/models"));
    let found = places
        .iter()
        .map(|place| place.join(file))
        .find(|p| p.exists());
    found.ok_or_else(|| {
        let looked: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
        Failure::failed(format!(
            "{file}, which comes with callboard, is in none of {}; set CALLBOARD_SHIPPED to the folder that holds it",
            looked.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_of_one_conversation_are_found_by_name() {
        let files: Vec<PathBuf> = [
            "a-rx.wav",
            "solo.wav",
            "d/b-agent.wav",
            "a-tx.wav",
            "c-rx.wav",
        ]
        .map(PathBuf::from)
        .into();
        let named = group(&files);
        let names: Vec<_> = named
            .iter()
            .map(|n| (n.name.as_str(), n.files.len()))
            .collect();
        assert_eq!(
            names,
            [
                ("a", 2),
                ("solo.wav", 1),
                ("d/b-agent.wav", 1),
                ("c-rx.wav", 1)
            ]
        );
        assert_eq!(named[0].files[0].0, Leg::Customer);
        assert_eq!(named[3].files[0].0, Leg::Both);
    }

    #[test]
    fn the_models_that_come_with_it_are_found() {
        assert!(shipped(WHISPER).is_ok() && shipped(SILERO).is_ok());
        assert!(
            shipped("none.bin")
                .unwrap_err()
                .message
                .contains("CALLBOARD_SHIPPED")
        );
    }
}
