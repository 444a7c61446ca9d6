//! Recognition stands behind everything else on the machine.

use std::fs;

/// Gives the calling thread (on Linux: it alone) the lowest priority. Ingest, queries and pages
/// then get the processor whenever they want it. Returns false where the system refused.
pub fn be_background() -> bool {
    rustix::process::setpriority_process(None, 19).is_ok()
}

/// Processor time of the calling thread in milliseconds, where the system tells it.
pub fn thread_cpu_ms() -> Option<u64> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = stat.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nice() -> i64 {
        let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
        // Field 19; the name in brackets may hold blanks.
        stat.rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .nth(16)
            .unwrap()
            .parse()
            .unwrap()
    }

    #[test]
    fn only_the_thread_itself_steps_back() {
        let before = nice();
        let inside = std::thread::spawn(|| {
            assert!(be_background());
            nice()
        });
        assert_eq!(inside.join().unwrap(), 19);
        assert_eq!(nice(), before);
    }
}
