//! The same where a sync fails now and then and the server goes on: what it has seen a moment after
//! is not therefore stored.

use std::time::Duration;

use super::trace::faults;
use super::{calls, commits, traced_by};
use crate::support::scene::{Scene, again, number};
use crate::support::{Server, until};

/// Of the calls of each thread the first that fails, and every so many after it. Logs sync by another
/// call, after which they would take nothing more.
const FAILS: &str = "inject=fsync:error=EIO:when=16+11";

#[test]
fn what_counts_was_synced_though_syncs_fail() {
    let first = number("CALLBOARD_SEED", 3_550);
    for seed in first..first + number("CALLBOARD_FAULT_SEEDS", 1) {
        let what = again(&format!("CALLBOARD_SEED={seed}"), "though_syncs_fail");
        let mut scene = Scene::new(seed, "150");
        let lines = scene.lines();
        let (some, rest) = lines.split_at(lines.len() / 4);
        let pace = Duration::from_millis(number("CALLBOARD_PACE_MS", 100));
        // A folder with all tables, whose making is not what is tried.
        let trace = traced_by(&mut scene, &[]);
        let server = Server::start(scene.serve(""));
        assert!(scene.send(some, pace).join().is_ok(), "{what}");
        server.stop();

        traced_by(&mut scene, &["-e", FAILS]);
        let server = until("a start in which no sync fails", || {
            Server::try_start(scene.serve("")).ok()
        });
        let sending = scene.send(rest, pace);
        until("all is sent, or nothing more is taken", || {
            let ready = server.get("/readyz").0 == 200;
            (sending.is_finished() || !ready).then_some(())
        });
        server.kill();

        traced_by(&mut scene, &[]);
        scene.finish(sending, &what);
        let text = until("the end of the trace", || {
            let text = std::fs::read_to_string(&trace).unwrap();
            text.ends_with(" +++ exited with 0 +++\n").then_some(text)
        });
        let failed = text.lines().filter(|line| line.contains("(INJECTED)"));
        let (of_commits, others): (Vec<&str>, Vec<&str>) =
            failed.partition(|line| line.contains("/_delta_log>"));
        let (n, m) = (of_commits.len(), others.len());
        println!("seed {seed}: {n} syncs of folders of commits failed, and {m} others");
        assert!(n > 0 && m > 0, "{what}: {n} of commits, {m} others");

        let data = scene.data().canonicalize().unwrap();
        let commits = commits(&data.join("lake"));
        let all = calls(&text);
        let said = faults(all.iter(), data.to_str().unwrap(), &commits);
        // What is not built upon may be lost.
        let built = |fault: &&String| {
            [" counts before ", " names ", " got its name before "]
                .iter()
                .any(|of| fault.contains(of))
        };
        let said: Vec<&String> = said.iter().filter(built).collect();
        assert!(said.is_empty(), "{what}: {said:#?}");
    }
}
