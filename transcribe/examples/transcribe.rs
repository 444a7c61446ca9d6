//! A recording as text: `cargo run -p callboard-transcribe --example transcribe -- MODELS FILE`
//! for a stereo or mixed file, `... MODELS CUSTOMER_FILE AGENT_FILE` for one file a leg; `--json`
//! or `--vtt` for the other forms.

use callboard_transcribe::audio::{Limits, raw_format_of_name};
use callboard_transcribe::engine::EngineConfig;
use callboard_transcribe::{
    Leg, LegInput, RecordingInput, Transcriber, TranscriberConfig, to_json, to_text, to_vtt,
};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let (options, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let legs: &[Leg] = match paths.len() {
        2 => &[Leg::Both],
        3 => &[Leg::Customer, Leg::Agent],
        _ => {
            return Err(
                "transcribe MODELS FILE | MODELS CUSTOMER_FILE AGENT_FILE [--json|--vtt]".into(),
            );
        }
    };
    let models = Path::new(&paths[0]);
    let mut input = RecordingInput::new(Vec::new());
    for (leg, path) in legs.iter().zip(&paths[1..]) {
        let mut file = LegInput::new(*leg, std::fs::read(path)?);
        file.raw = raw_format_of_name(path);
        input.legs.push(file);
    }
    let engine = EngineConfig::new(
        models.join("ggml-tiny.en-q8_0.bin"),
        models.join("ggml-silero-v6.2.0.bin"),
    );
    let config = TranscriberConfig {
        engine,
        limits: Limits::default(),
        keywords: Vec::new(),
    };
    let conversation = Transcriber::start(config)?.transcribe(&input)?;
    let wanted = |name: &str| options.iter().any(|o| o == name);
    if wanted("--json") {
        println!("{}", to_json(&conversation)?);
    } else if wanted("--vtt") {
        print!("{}", to_vtt(&conversation));
    } else {
        print!("{}", to_text(&conversation));
        eprintln!("{:?}", conversation.timings);
    }
    Ok(())
}
