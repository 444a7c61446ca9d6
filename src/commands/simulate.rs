//! `callboard simulate`: the events of a contact centre that never was, and the truth.

use std::io::{BufWriter, Write};

use callboard_datasets::simulate::{
    Dials, Disorder, Manifest, Options, Platform, SimulateError, contacts_until, read_date,
    run_until as simulate,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, print};
use crate::cli::{DisorderArg, SimulateArgs};

/// What a source's clock may be wrong by, seconds: beyond, days would overlap.
const MOST_SKEW: u32 = 3600;

/// Does it.
///
/// # Errors
/// When an option means nothing, or the folder cannot be written.
pub fn run(args: &SimulateArgs) -> Result<(), Failure> {
    let options = options(args)?;
    let until_day = args.until_day.map(i64::from);
    let bar = ProgressBar::new(contacts_until(&options, until_day));
    if let Ok(style) =
        ProgressStyle::with_template("{wide_bar} {pos}/{len} contacts {per_sec} {eta}")
    {
        bar.set_style(style);
    }
    let mut progress = |done| bar.set_position(done);
    let result = if args.stream {
        let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
        let stream: &mut dyn Write = &mut out;
        simulate(&options, until_day, Some(stream), &mut progress)
    } else {
        simulate(&options, until_day, None, &mut progress)
    };
    bar.finish_and_clear();
    let manifest = match result {
        Ok(manifest) => manifest,
        // A reader that went away has what it wanted.
        Err(SimulateError::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => {
            return Ok(());
        }
        Err(error) => return Err(Failure::failed(error.to_string())),
    };
    let text = summary(args, &manifest);
    if args.stream {
        eprint!("{text}");
        Ok(())
    } else {
        print(&text)
    }
}

fn options(args: &SimulateArgs) -> Result<Options, Failure> {
    let disorder = match args.disorder {
        DisorderArg::None => Disorder::None,
        DisorderArg::Mild => Disorder::Mild,
        DisorderArg::Wild => Disorder::Wild,
    };
    let poison = share("poison", args.poison, 0.9)?.unwrap_or(disorder.poison());
    let dials = Dials {
        late: share("late", args.late, 1.0)?,
        repeated: share("repeated", args.repeated, 1.0)?,
        conflicts: share("conflicts", args.conflicts, 1.0)?,
        lost_ends: share("lost-ends", args.lost_ends, 1.0)?,
        shuffle: args.shuffle.map(u64::from),
    };
    let first_day = read_date(&args.first_day).ok_or_else(|| {
        Failure::usage(format!(
            "--first-day {} is no date; write one such as 2026-03-07",
            args.first_day
        ))
    })?;
    let skew = args
        .source_clock_skew
        .unwrap_or(if disorder == Disorder::None { 0 } else { 3 });
    if skew > MOST_SKEW {
        return Err(Failure::usage(format!(
            "--source-clock-skew {skew} is more than {MOST_SKEW} seconds"
        )));
    }
    if !(0.1..=10.0).contains(&args.handle_time_factor) {
        return Err(Failure::usage(format!(
            "--handle-time-factor {} lies outside 0.1 to 10; write one such as 1.15",
            args.handle_time_factor
        )));
    }
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        seed: args.seed,
        contacts: args.contacts,
        first_day,
        days: args.days.map(i64::from),
        skip_days: u64::from(args.skip_days),
        handle_permille: (args.handle_time_factor * 1e3).round() as i64,
        open_late: args.open_late,
        disorder,
        dials,
        poison,
        skew: i64::from(skew) * 1_000,
        platform: args.platform.as_deref().and_then(Platform::of),
        out: args.out.clone(),
        threads: args.threads.unwrap_or_else(cores),
    };
    if let Err(why) = options.check() {
        return Err(Failure::usage(format!("--first-day, --days: {why}")));
    }
    let all = options.all_days();
    match args.until_day.map(i64::from) {
        Some(day) if !(1..=all).contains(&day) => Err(Failure::usage(format!(
            "--until-day {day}: the simulation has {all} days; write a number from 1 to {all}"
        ))),
        _ => Ok(options),
    }
}

/// A share, in a million.
fn share(name: &str, given: Option<f64>, most: f64) -> Result<Option<u64>, Failure> {
    match given {
        Some(rate) if !(0.0..=most).contains(&rate) => Err(Failure::usage(format!(
            "--{name} {rate} is no share that there can be; write a number from 0 to {most}, such as 0.01"
        ))),
        rate => Ok(rate.map(|rate| (rate * 1e6).round() as u64)),
    }
}

fn summary(args: &SimulateArgs, manifest: &Manifest) -> String {
    let counts = &manifest.counts;
    let out = args.out.display();
    let days = match manifest.until_day {
        Some(until) => format!("the first {until} of {} days", manifest.days),
        None => format!("{} days", manifest.days),
    };
    let mut text = format!(
        "{} contacts of {} sites in {days}: {} lines, of them {} new events, {} repeats, {} conflicts, {} dead letters\n",
        counts.contacts,
        manifest.sites,
        counts.lines,
        counts.taken,
        counts.repeated,
        counts.conflicts,
        counts.refused
    );
    if counts.blank > 0 {
        text += &format!("{} blank lines between them\n", counts.blank);
    }
    if let Some(platform) = &args.platform {
        // Amazon Connect names its instance in every document.
        let instance = match platform.as_str() {
            "amazon-connect" => "",
            _ => "?instance=site1",
        };
        return text
            + &format!(
                "send them: for f in {out}/told/site1/*; do curl --data-binary @$f 'http://127.0.0.1:8080/v1/sources/{platform}{instance}'; done\n"
            )
            + &format!("what ids stand for: {out}/names.ndjson; the truth: {out}/truth\n");
    }
    if !args.stream {
        text += &format!("send them: callboard send --source events {out}/events\n");
    }
    text + &format!("and then:  callboard verify --truth {out} --wait 120\n")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn asked(line: &str) -> Result<Options, Failure> {
        let words = ["callboard", "simulate", "--out", "d"];
        let cli = Cli::try_parse_from(words.into_iter().chain(line.split_whitespace())).unwrap();
        let Command::Simulate(args) = cli.command else {
            panic!("not simulate")
        };
        options(&args)
    }

    #[test]
    fn what_is_not_said_follows_from_the_disorder() {
        let none = asked("").unwrap();
        assert_eq!(
            (none.poison, none.skew, none.disorder),
            (0, 0, Disorder::None)
        );
        let wild = asked("--disorder wild --poison 0.01").unwrap();
        assert_eq!((wild.poison, wild.skew), (10_000, 3_000));
        assert_eq!(none.platform, None);
        let told = asked("--as amazon-connect").unwrap();
        assert_eq!(told.platform, Some(Platform::AmazonConnect));
        let changed = asked("--handle-time-factor 1.15 --skip-days 28").unwrap();
        assert_eq!((changed.handle_permille, changed.skip_days), (1_150, 28));
        assert_eq!((none.handle_permille, none.skip_days), (1_000, 0));
        assert_eq!(asked("--handle-time-factor 0").unwrap_err().code, 2);
        let cut = asked("--contacts 10000000 --until-day 41").unwrap();
        assert_eq!((cut.contacts, cut.all_days()), (10_000_000, 90));
        assert_eq!(asked("--until-day 0").unwrap_err().code, 2);
        assert_eq!(asked("--days 3 --until-day 4").unwrap_err().code, 2);
        assert!(asked("--days 3 --until-day 3").is_ok());
        assert_eq!(asked("--poison 1.5").unwrap_err().code, 2);
        assert_eq!(asked("--poison 0.95").unwrap_err().code, 2);
        assert_eq!(asked("--poison NaN").unwrap_err().code, 2);
        assert!(none.dials.is_empty() && wild.dials.is_empty());
        let set = asked("--late 0.5 --lost-ends 0 --shuffle 9").unwrap().dials;
        let all = (set.late, set.lost_ends, set.shuffle, set.repeated);
        assert_eq!(all, (Some(500_000), Some(0), Some(9), None));
        assert_eq!(asked("--late 1.1").unwrap_err().code, 2);
        assert_eq!(asked("--source-clock-skew 3601").unwrap_err().code, 2);
        assert_eq!(asked("--first-day 2026-02-30").unwrap_err().code, 2);
    }

    #[test]
    fn days_of_which_no_event_may_tell_are_refused() {
        for days in [
            "--first-day 20000-01-01",
            "--first-day 1990-01-03",
            "--first-day 1969-12-31",
            "--first-day 2099-12-27",
            "--first-day 2099-12-01 --days 27",
        ] {
            let why = asked(days).unwrap_err();
            assert_eq!(why.code, 2, "{days}");
            let text = why.message;
            assert!(text.contains("1990-01-04 to 2099-12-26"), "{days}: {text}");
        }
        for days in [
            "--first-day 1990-01-04",
            "--first-day 2099-12-26",
            "--first-day 2099-12-01 --days 26",
        ] {
            assert!(asked(days).is_ok(), "{days}");
        }
    }
}
