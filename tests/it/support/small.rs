//! A disk as small as a test wants it: a file system of its own, in a name space of its own, so
//! that nothing of the machine is touched and nothing is left.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What makes the name space and keeps it: it ends when its input does.
const HOLD: &str = "mount -t tmpfs -o size=\"$1\" tmpfs \"$2\" && echo mounted && exec cat";

/// A small disk; it goes with the last program that sees it.
pub struct Small {
    holder: Child,
    user: bool,
    /// Where it lies for programs run by [`Small::by`]; others see an empty folder there.
    pub at: PathBuf,
}

impl Small {
    /// A disk of so many MiB at an empty place.
    pub fn mount(at: &Path, mib: u32) -> Small {
        std::fs::create_dir(at).unwrap();
        let mut said = String::new();
        for user in [false, true] {
            let mut holder = Command::new("unshare");
            if user {
                holder.args(["--user", "--map-root-user"]);
            }
            holder.args(["--mount", "sh", "-c", HOLD, "sh", &format!("{mib}m")]);
            holder.arg(at).stdin(Stdio::piped());
            let pipes = holder.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut holder = pipes.spawn().unwrap_or_else(|e| {
                panic!("this test needs unshare and nsenter of util-linux: {e}")
            });
            let mut line = String::new();
            let mut out = BufReader::new(holder.stdout.take().unwrap());
            out.read_line(&mut line).unwrap();
            if line == "mounted\n" {
                let at = at.to_owned();
                return Small { holder, user, at };
            }
            let mut why = holder.stderr.take().unwrap();
            why.read_to_string(&mut said).unwrap();
            holder.wait().unwrap();
        }
        panic!(
            "this test mounts a small file system in a name space of its own, which this machine \
             forbids: run it as root, or allow user name spaces \
             (sysctl kernel.apparmor_restrict_unprivileged_userns=0)\n{said}"
        );
    }

    /// By what programs are run that see it.
    pub fn by(&self) -> Vec<String> {
        let holder = self.holder.id().to_string();
        let mut by = vec!["nsenter", "--target", &holder, "--mount"];
        if self.user {
            by.extend(["--user", "--preserve-credentials"]);
        }
        by.into_iter().map(str::to_owned).collect()
    }

    /// From now on it can only be read.
    pub fn only_read(&self) {
        let by = self.by();
        let mut mount = Command::new(&by[0]);
        mount.args(&by[1..]).args(["mount", "-o", "remount,ro"]);
        assert!(mount.arg(&self.at).status().unwrap().success());
    }

    /// How a file on it is reached from outside.
    pub fn file(&self, name: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        let inside = self.at.strip_prefix("/").unwrap();
        Path::new(&root).join(inside).join(name)
    }

    fn ballast(&self) -> PathBuf {
        self.file("ballast")
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut options = std::fs::OpenOptions::new();
        let ballast = options.create(true).append(true).open(self.ballast());
        let mut ballast = ballast.unwrap();
        for step in [1 << 20, 4096, 1] {
            let some = vec![7; step];
            while ballast.write_all(&some).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn empty(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
