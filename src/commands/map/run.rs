//! Where the expressions of mappings are run: with bounds that the system keeps, on a stack of their
//! own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use callboard_sources::mapping::wire;
use rustix::process::{Resource, Rlimit, getppid, getrlimit, setrlimit};

use crate::commands::Failure;

/// Most address space that such a process may have, bytes: the program, its stack and what the
/// allocator reserves count too.
const MEMORY: u64 = 4 * 1024 * 1024 * 1024;

/// Stack of the thread that evaluates, bytes: expressions may call themselves deeply.
const STACK: usize = 512 * 1024 * 1024;

/// How often it is looked whether the one who asks is still there.
const LOOK: Duration = Duration::from_secs(1);

/// Looks at one piece of work after which a process gives itself up.
const PATIENCE: u64 = 120;

/// Lets this process have only so much memory.
fn bound_memory() {
    let hard = getrlimit(Resource::As).maximum;
    let most = hard.map_or(MEMORY, |hard| hard.min(MEMORY));
    let limit = Rlimit {
        current: Some(most),
        maximum: hard,
    };
    // Where the system refuses, the steps that are counted and the server's patience remain.
    let _ = setrlimit(Resource::As, limit);
}

/// Does work that runs expressions, within bounds.
///
/// # Errors
/// What the work gives; or that it could not be done.
pub fn bounded<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    bound_memory();
    let thread = std::thread::Builder::new()
        .name("mapping".to_owned())
        .stack_size(STACK)
        .spawn(work)?;
    thread
        .join()
        .unwrap_or_else(|_| Err(Failure::failed("the mapping could not be evaluated")))
}

/// `callboard map run`: answers a server until it asks no more.
///
/// # Errors
/// When what is asked cannot be read.
pub fn run() -> Result<(), Failure> {
    let done = Arc::new(AtomicU64::new(0));
    let seen = done.clone();
    // Whoever asked may be gone while an expression goes on: nobody would end this process then.
    std::thread::Builder::new().spawn(move || {
        let parent = getppid();
        let (mut last, mut looks) = (0, 0);
        loop {
            std::thread::sleep(LOOK);
            let now = seen.load(Ordering::Relaxed);
            looks = if now == last { looks + 1 } else { 0 };
            last = now;
            // An odd number: at work. A process that waits for a question may wait.
            if getppid() != parent || (now % 2 == 1 && looks > PATIENCE) {
                std::process::exit(3);
            }
        }
    })?;
    bounded(move || {
        let waits = move |at_work: bool| {
            let next = done.load(Ordering::Relaxed) / 2 * 2 + 2 + u64::from(at_work);
            done.store(next, Ordering::Relaxed);
        };
        let input = std::io::BufReader::new(std::io::stdin().lock());
        let output = std::io::BufWriter::new(std::io::stdout().lock());
        wire::serve(input, output, &waits).map_err(Failure::from)
    })
}
