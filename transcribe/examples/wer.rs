//! Word error rate over a recorded set: `cargo run -p callboard-transcribe --example wer -- SET
//! MODELS [--greedy] [--gap MS] [--pieces DIR] [--worst N]`, or `score SET HYPOTHESES.jsonl` for
//! another recogniser's texts of the same pieces.

use callboard_transcribe::engine::{Decoding, Engine, EngineConfig};
use callboard_transcribe::wer::{Report, RunOptions, read_hypotheses, read_set, run, score};
use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        args.iter()
            .position(|a| a == name)
            .and_then(|i| args.get(i + 1))
            .cloned()
    };
    let usage = "wer SET MODELS [--greedy] [--beam N] [--gap MS] [--threads N] [--model FILE] [--pieces DIR] [--worst N] | wer score SET HYPOTHESES.jsonl";
    let (Some(first), Some(second)) = (args.first(), args.get(1)) else {
        return Err(usage.into());
    };
    let worst: usize = value("--worst").map_or(Ok(0), |n| n.parse())?;
    if first == "score" {
        let set = read_set(Path::new(second))?;
        let heard = read_hypotheses(Path::new(args.get(2).ok_or(usage)?))?;
        print(&score(&set, &heard), worst);
        return Ok(());
    }
    let models = Path::new(second);
    let model =
        value("--model").map_or_else(|| models.join("ggml-tiny.en-q8_0.bin"), PathBuf::from);
    let mut config = EngineConfig::new(model, models.join("ggml-silero-v6.2.0.bin"));
    if args.iter().any(|a| a == "--greedy") {
        config.decoding = Decoding::Greedy;
    }
    if let Some(beam) = value("--beam") {
        config.decoding = Decoding::Beam(beam.parse()?);
    }
    if let Some(gap) = value("--gap") {
        config.max_gap_ms = gap.parse()?;
    }
    if let Some(threads) = value("--threads") {
        config.threads = threads.parse()?;
    }
    let set = read_set(Path::new(first))?;
    let engine = Engine::start(config)?;
    println!("{:?}", engine.facts());
    let options = RunOptions {
        pieces: value("--pieces").map(PathBuf::from),
    };
    let report = run(&set, &engine, &options, &mut |done, of| {
        eprint!("\r{done}/{of} legs ")
    })?;
    eprintln!();
    print(&report, worst);
    Ok(())
}

fn print(report: &Report, worst: usize) {
    for (name, errors) in [
        ("words", report.errors),
        ("digits apart", report.digit_errors),
    ] {
        println!(
            "WER {:.2} % ({name}): {} substituted, {} deleted, {} inserted of {} words",
            errors.percent(),
            errors.substitutions,
            errors.deletions,
            errors.insertions,
            errors.words
        );
    }
    if report.audio_seconds > 0.0 {
        println!(
            "{} recordings, {:.0} s of legs, {:.1} CPU s, {:.1} audio seconds per CPU second",
            report.recordings,
            report.audio_seconds,
            report.cpu_seconds,
            report.audio_seconds / report.cpu_seconds
        );
    }
    if report.audio_seconds > 0.0 {
        println!(
            "the guards against invented text would drop: {:?}",
            report.dropped
        );
    }
    for (leg, errors) in report.legs.iter().take(worst) {
        println!(
            "{:6.1} % {} {} {errors:?}",
            errors.percent(),
            leg.rec,
            leg.leg
        );
    }
}
