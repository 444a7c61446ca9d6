//! What demos that were killed left behind: a data folder each, named after its process. The next
//! demo takes away those whose process is gone and whose lock nobody holds.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How the folder of a demo is called, before the number of its process.
const NAME: &str = "callboard-demo-";

/// The data folder of the demo of that process.
pub fn folder(process: u32) -> PathBuf {
    std::env::temp_dir().join(format!("{NAME}{process}"))
}

/// Removes the folders of dead demos.
pub fn sweep() {
    sweep_in(&std::env::temp_dir(), is_gone);
}

fn sweep_in(temp: &Path, gone: impl Fn(u32) -> bool) {
    let Ok(entries) = std::fs::read_dir(temp) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|n| n.strip_prefix(NAME));
        let Some(process) = number.and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        if !gone(process) || !is_own(&entry.path()) {
            continue;
        }
        let Some(lock) = free(&entry.path()) else {
            continue;
        };
        // Held until the folder is gone, so that no server begins in what is being removed.
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, path = %entry.path().display(), "an old demo's data folder stays");
        }
        drop(lock);
    }
}

/// Whether no such process runs. Where that cannot be told it is taken to run.
fn is_gone(process: u32) -> bool {
    Path::new("/proc/self").exists() && !Path::new(&format!("/proc/{process}")).exists()
}

/// Whether it is a folder itself, no link to one, and belongs to whoever runs this.
fn is_own(path: &Path) -> bool {
    let owner = std::fs::symlink_metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_dir)
        .map(|m| m.uid());
    owner == Some(rustix::process::geteuid().as_raw())
}

/// The lock of a data folder that no server holds; None when one does, or when it is no data
/// folder.
fn free(path: &Path) -> Option<File> {
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path.join("LOCK"))
        .ok()?;
    lock.try_lock().ok()?;
    Some(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(temp: &Path, process: u32) -> PathBuf {
        let path = temp.join(format!("{NAME}{process}"));
        std::fs::create_dir_all(path.join("lake")).unwrap();
        std::fs::write(path.join("LOCK"), format!("{process}\n")).unwrap();
        path
    }

    #[test]
    fn folders_of_dead_demos_go_and_all_others_stay() {
        let temp = tempfile::tempdir().unwrap();
        let dead = demo(temp.path(), 11);
        let alive = demo(temp.path(), 12);
        let served = demo(temp.path(), 13);
        let held = free(&served).unwrap();
        let foreign = temp.path().join(format!("{NAME}14"));
        std::fs::create_dir(&foreign).unwrap();
        let other = temp.path().join("callboard-demo-mine");
        std::fs::create_dir(&other).unwrap();
        let link = temp.path().join(format!("{NAME}15"));
        std::os::unix::fs::symlink(&alive, &link).unwrap();

        sweep_in(temp.path(), |process| process != 12);
        assert!(!dead.exists());
        for kept in [&alive, &served, &foreign, &other, &link] {
            assert!(kept.exists(), "{}", kept.display());
        }
        drop(held);
        sweep_in(temp.path(), |process| process != 12);
        assert!(!served.exists());
    }

    #[test]
    fn this_process_runs() {
        assert!(!is_gone(std::process::id()));
    }
}
