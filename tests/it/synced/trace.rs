//! System calls as `strace -f -y` writes them down, and what a power cut would leave of them.
//!
//! The rules are those that every file system keeps, not the better manners of one: bytes are safe
//! once their file was synced after they were written, a name once its folder was synced after it
//! was given, and a folder like a name in the folder above.

use std::collections::{BTreeMap, HashMap};

/// What a call did, with the paths that it did it to.
#[derive(Clone, Debug, PartialEq)]
pub enum Did {
    Wrote(String),
    Synced(String),
    Named { from: String, to: String },
    Made(String),
    Removed(String),
}

/// A call that succeeded, and the lines of the trace at which it began and was done. Two calls of
/// two threads stand in an order only where one was done before the other began.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub did: Did,
    pub begun: usize,
    pub done: usize,
}

/// The calls of [`Did`] as `strace` is asked for them; a machine may lack the older ones.
pub const CALLS: &str = "trace=?rename,?renameat,renameat2,?link,linkat,?mkdir,mkdirat,?unlink,unlinkat,\
     fsync,fdatasync,write,writev,pwrite64,pwritev,pwritev2,ftruncate";

/// The calls of a trace that succeeded and that speak of paths, in the order in which they ended.
pub fn calls(trace: &str) -> Vec<Call> {
    let mut open: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut all = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ') else {
            continue;
        };
        let text = text.trim_start();
        if let Some(begin) = text.strip_suffix("<unfinished ...>") {
            // The rest comes when others have had their lines. A second such line is of a thread
            // that was killed amid the call.
            open.insert(thread, (line, begin));
            continue;
        }
        let (begun, text) = match text.strip_prefix("<... ") {
            None => (line, text.to_owned()),
            Some(rest) => {
                let end = rest.split_once(" resumed>").map_or("", |(_, end)| end);
                let Some((begun, begin)) = open.remove(thread) else {
                    continue;
                };
                (begun, format!("{begin}{end}"))
            }
        };
        if let Some(did) = succeeded(&text) {
            let done = line;
            all.push(Call { did, begun, done });
        }
    }
    all
}

/// What a whole call did; None when it failed, was only said to be done, or is none of a path.
fn succeeded(text: &str) -> Option<Did> {
    let (call, result) = text.rsplit_once(" = ")?;
    if !result.starts_with(|c: char| c.is_ascii_digit()) || result.contains("INJECTED") {
        return None;
    }
    let (name, args) = call.split_once('(')?;
    let quoted = |n: usize| Some(args.split('"').nth(2 * n + 1)?.to_owned());
    // `14</data/lake>`: what the number stands for; sockets and pipes stand for no path.
    let open = || {
        let (_, path) = args.split_once('<')?;
        let (path, _) = path.split_once('>')?;
        path.starts_with('/').then(|| path.to_owned())
    };
    Some(match name {
        "fsync" | "fdatasync" => Did::Synced(open()?),
        "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" | "ftruncate" => {
            Did::Wrote(open()?)
        }
        "rename" | "renameat" | "renameat2" | "link" | "linkat" => Did::Named {
            from: quoted(0)?,
            to: quoted(1)?,
        },
        "mkdir" | "mkdirat" => Did::Made(quoted(0)?),
        "unlink" | "unlinkat" => Did::Removed(quoted(0)?),
        _ => return None,
    })
}

/// A commit of a table's log, as its file says.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The files that it adds.
    pub adds: Vec<String>,
    /// Whether it is of a flush.
    pub flushed: bool,
}

/// What a name in the lake is.
pub fn kind(lake: &str, path: &str) -> Option<&'static str> {
    let below = path.strip_prefix(lake)?.strip_prefix('/')?;
    Some(if below.starts_with("_sums/") {
        "checksums"
    } else if below.ends_with("/_last_checkpoint") {
        "hints"
    } else if below.ends_with(".checkpoint.parquet") {
        "checkpoints"
    } else if below.contains("/_delta_log/") {
        "commits"
    } else {
        "data files"
    })
}

/// A name that was given.
struct Name<'a> {
    from: &'a str,
    to: &'a str,
    begun: usize,
    done: usize,
}

/// When calls began and were done, by path.
type Times<'a> = HashMap<&'a str, Vec<(usize, usize)>>;

/// All calls, by what they did.
#[derive(Default)]
struct Past<'a> {
    writes: Times<'a>,
    syncs: Times<'a>,
    made: HashMap<&'a str, usize>,
    names: Vec<Name<'a>>,
    removed: Vec<(&'a str, usize, usize)>,
}

impl<'a> Past<'a> {
    fn of(calls: impl Iterator<Item = &'a Call>) -> Self {
        let mut past = Past::default();
        for Call { did, begun, done } in calls {
            let (begun, done) = (*begun, *done);
            match did {
                Did::Wrote(path) => past.writes.entry(path).or_default().push((begun, done)),
                Did::Synced(path) => past.syncs.entry(path).or_default().push((begun, done)),
                Did::Made(path) => {
                    past.made.insert(path, done);
                }
                Did::Removed(path) => past.removed.push((path, begun, done)),
                Did::Named { from, to } => past.names.push(Name {
                    from,
                    to,
                    begun,
                    done,
                }),
            }
        }
        past
    }

    /// When the first sync was done that began later than that.
    fn synced_after(&self, path: &str, time: usize) -> Option<usize> {
        let syncs = self.syncs.get(path)?.iter();
        let later = syncs.filter(|(begun, _)| *begun > time);
        later.map(|(_, done)| *done).min()
    }

    /// What is wrong with the bytes of a file at the moment at which it got its name.
    fn unsafe_bytes(&self, name: &Name<'_>) -> Option<String> {
        let writes = self.writes.get(name.from).into_iter().flatten();
        let before = writes.filter(|(begun, _)| *begun < name.begun);
        let Some(last) = before.map(|(_, done)| *done).max() else {
            return Some(format!("nobody saw {} being written", name.to));
        };
        let synced = self.synced_after(name.from, last);
        if synced.is_some_and(|done| done < name.begun) {
            return None;
        }
        Some(format!("{} got its name before it was synced", name.to))
    }

    /// From when on a power cut leaves a name; None when never.
    fn lasts_from(&self, name: &Name<'_>) -> Option<usize> {
        let mut folder = parent(name.to);
        let mut from = self.synced_after(folder, name.done)?;
        while !folder.is_empty() {
            // One that the server did not make was there before.
            if let Some(made) = self.made.get(folder) {
                from = from.max(self.synced_after(parent(folder), *made)?);
            }
            folder = parent(folder);
        }
        Some(from)
    }

    /// Whether a name was there for good before some moment.
    fn lasts_before(&self, name: &Name<'_>, time: usize) -> bool {
        self.lasts_from(name).is_some_and(|from| from < time)
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Where a power cut would leave less than was promised: what is wrong, with the files' names. `data`
/// is the data folder, empty at first, `commits` what the files of the tables' logs say.
pub fn faults<'a>(
    calls: impl Iterator<Item = &'a Call>,
    data: &str,
    commits: &BTreeMap<String, Commit>,
) -> Vec<String> {
    let past = Past::of(calls);
    let (lake, counts) = (format!("{data}/lake"), format!("{data}/state/commit.json"));
    let mut faults = Vec::new();
    let mut named: HashMap<&str, &Name<'_>> = HashMap::new();
    for name in &past.names {
        named.entry(name.to).or_insert(name);
        let kind = kind(&lake, name.to);
        // Checksums are only missed where a power cut takes them.
        if kind == Some("checksums") || !name.to.starts_with(data) {
            continue;
        }
        faults.extend(past.unsafe_bytes(name));
        if past.lasts_from(name).is_none() {
            faults.push(format!("the folder of {} was not synced", name.to));
        }
        let early = |needed: &Name<'_>| {
            let early = !past.lasts_before(needed, name.begun);
            early.then(|| format!("{} counts before {} lasts", name.to, needed.to))
        };
        let before = past.names.iter().filter(|n| n.begun < name.begun);
        match kind {
            // A commit that can be read names only files that can be read.
            Some("commits") => {
                for file in commits.get(name.to).iter().flat_map(|c| &c.adds) {
                    faults.extend(match named.get(file.as_str()) {
                        Some(needed) => early(needed),
                        None => Some(format!("{} names {file} before it is", name.to)),
                    });
                }
            }
            Some("hints") => {
                let folder = parent(name.to);
                let own = before.filter(|n| parent(n.to) == folder);
                let own = own.filter(|n| n.to.ends_with(".checkpoint.parquet"));
                faults.extend(own.filter_map(early));
            }
            // From here on the log need not hold what the flush wrote.
            None if name.to == counts => {
                let flushed = before.filter(|n| commits.get(n.to).is_some_and(|c| c.flushed));
                faults.extend(flushed.filter_map(early));
            }
            _ => {}
        }
    }
    let own = format!("{lake}/");
    let written = past.writes.keys().filter(|path| path.starts_with(&own));
    let open = written.filter(|path| !path.contains('#'));
    faults.extend(open.map(|path| format!("{path} was written under its name")));
    for (path, begun, done) in &past.removed {
        if parent(path) == format!("{data}/log") && path.ends_with(".seg") {
            let before = past
                .names
                .iter()
                .filter(|n| n.to == counts && n.begun < *begun);
            let early = before.filter(|n| !past.lasts_before(n, *begun));
            faults.extend(early.map(|n| format!("{path} was trimmed before {} lasts", n.to)));
        }
        let Some(below) = path.strip_prefix(&format!("{lake}/_sums/")) else {
            continue;
        };
        // Checksums that come back must not speak of another file of that name.
        let file = format!("{lake}/{below}");
        let next = past.names.iter().find(|n| n.to == file && n.begun > *done);
        if let Some(next) = next {
            let gone = past.synced_after(parent(path), *done);
            if gone.is_none_or(|gone| gone > next.begun) {
                faults.push(format!("{file} was named while {path} may come back"));
            }
        }
    }
    faults
}
