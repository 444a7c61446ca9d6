//! Places at which the proof against crashes lets the process end, as if it was killed there, and
//! the clock that it lets jump, and sizes that it makes small. In builds without debug assertions
//! nothing of it is left.
//!
//! `CALLBOARD_DIE_AT=flush.commit:3` ends the process, by SIGKILL, when it passes that step for the
//! third time.

/// Passes a step.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn pass(_step: &str) {}

/// Passes a step, or ends the process there.
#[cfg(debug_assertions)]
pub(crate) fn pass(step: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct End {
        step: String,
        left: AtomicU32,
    }
    static END: OnceLock<Option<End>> = OnceLock::new();

    let end = END.get_or_init(|| {
        let text = std::env::var("CALLBOARD_DIE_AT").ok()?;
        let (step, times) = text.rsplit_once(':')?;
        Some(End {
            step: step.to_owned(),
            left: AtomicU32::new(times.parse().ok()?),
        })
    });
    if let Some(end) = end
        && end.step == step
        && end.left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        let me = rustix::process::getpid();
        // A process that cannot be killed goes the other way, as suddenly.
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        std::process::abort();
    }
}

/// What the machine's clock is wrong by, microseconds.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn clock_is_off() -> i64 {
    0
}

/// What the machine's clock is wrong by, microseconds: the seconds that stand in the file that
/// `CALLBOARD_CLOCK_OFF` names. It is read anew each time, so that a clock can jump.
#[cfg(debug_assertions)]
pub(crate) fn clock_is_off() -> i64 {
    use std::path::PathBuf;
    use std::sync::OnceLock;

    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();

    let file = FILE.get_or_init(|| std::env::var_os("CALLBOARD_CLOCK_OFF").map(PathBuf::from));
    let text = file.as_ref().and_then(|f| std::fs::read_to_string(f).ok());
    let seconds = text.and_then(|t| t.trim().parse::<i64>().ok());
    seconds.unwrap_or(0) * 1_000_000
}

/// The size of the log's segments that the environment wants.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn segment_bytes() -> Option<u64> {
    None
}

/// The size of the log's segments that the environment wants, `CALLBOARD_SEGMENT_BYTES`: a log of
/// small ones is trimmed by a small shift.
#[cfg(debug_assertions)]
pub(crate) fn segment_bytes() -> Option<u64> {
    std::env::var("CALLBOARD_SEGMENT_BYTES").ok()?.parse().ok()
}
