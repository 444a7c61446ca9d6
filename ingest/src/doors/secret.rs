//! Secrets that a platform and a door share. They are compared and signed with, and never shown:
//! not in logs, errors, figures, nor by `Debug`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use ring::hmac;
use serde::Deserialize;

/// Shortest secret, bytes.
pub const LEAST_BYTES: usize = 8;
/// Most secrets of one door: the one in use and those that it replaces, or is replaced by.
const MOST: usize = 16;
/// Longest file of secrets, bytes.
const FILE_BYTES: u64 = 64 * 1024;
/// Files are looked at no more often.
const LOOK: Duration = Duration::from_secs(1);

/// One secret.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text)
    }
}

impl Secret {
    /// The bytes, for signing.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text, for keys that are written in base64.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether that is the secret. Takes as long wherever the first difference lies: what is
    /// compared are codes of both under a key.
    pub fn is(&self, given: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"callboard: one secret or another");
        let ours = hmac::sign(&key, self.bytes());
        hmac::verify(&key, given, ours.as_ref()).is_ok()
    }

    /// Whether it is long enough to be one.
    pub fn is_long_enough(&self) -> bool {
        self.0.len() >= LEAST_BYTES
    }
}

/// The secrets of a door: those that are configured, and those in files, which are read again when
/// they change, so that a secret is replaced or revoked without a restart.
#[derive(Debug, Default)]
pub struct Secrets {
    fixed: Vec<Secret>,
    files: Vec<PathBuf>,
    read: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    looked: Option<Instant>,
    files: Vec<Option<(Mark, Vec<Secret>)>>,
}

type Mark = (Option<SystemTime>, u64);

impl Secrets {
    /// These secrets, and those in these files.
    ///
    /// # Errors
    /// A sentence that names the file that cannot be read or holds none; never its content.
    pub fn open(fixed: Vec<Secret>, files: Vec<PathBuf>) -> Result<Self, String> {
        if fixed.iter().any(|s| !s.is_long_enough()) {
            return Err(format!(
                "a secret is shorter than {LEAST_BYTES} characters; make a longer one"
            ));
        }
        let mut kept = Vec::new();
        for file in &files {
            let read = read(file)?;
            if read.1.is_empty() {
                return Err(format!(
                    "{} holds no secret; write one a line",
                    file.display()
                ));
            }
            kept.push(Some(read));
        }
        Ok(Secrets {
            fixed,
            files,
            read: Mutex::new(Kept {
                looked: None,
                files: kept,
            }),
        })
    }

    /// Whether a secret is asked for at all.
    pub fn are_wanted(&self) -> bool {
        !(self.fixed.is_empty() && self.files.is_empty())
    }

    /// Those that hold now.
    pub fn now(&self) -> Vec<Secret> {
        let mut kept = self.read.lock();
        let due = kept.looked.is_none_or(|at| at.elapsed() >= LOOK);
        if due {
            kept.looked = Some(Instant::now());
            for (file, was) in self.files.iter().zip(&mut kept.files) {
                look(file, was);
            }
        }
        let read = kept.files.iter().flatten().flat_map(|(_, all)| all.iter());
        self.fixed.iter().chain(read).take(MOST).cloned().collect()
    }
}

/// Reads a file again that has changed. What cannot be read stays as it was.
fn look(file: &Path, was: &mut Option<(Mark, Vec<Secret>)>) {
    let now = mark(file).ok();
    if now.is_some() && now == was.as_ref().map(|(mark, _)| *mark) {
        return;
    }
    match read(file) {
        Ok(new) => *was = Some(new),
        Err(why) => tracing::error!("the secrets of before stay in force: {why}"),
    }
}

fn mark(file: &Path) -> Result<Mark, String> {
    let unread = |e: std::io::Error| format!("{} cannot be read: {e}", file.display());
    let data = std::fs::metadata(file).map_err(unread)?;
    Ok((data.modified().ok(), data.len()))
}

/// The secrets in a file, one a line.
fn read(file: &Path) -> Result<(Mark, Vec<Secret>), String> {
    let mark = mark(file)?;
    if mark.1 > FILE_BYTES {
        return Err(format!(
            "{} has more than {FILE_BYTES} bytes; a file of secrets has one a line",
            file.display()
        ));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let secrets: Vec<Secret> = lines.map(|l| Secret(l.to_owned())).collect();
    if let Some(n) = secrets.iter().position(|s| !s.is_long_enough()) {
        return Err(format!(
            "{}: secret {} is shorter than {LEAST_BYTES} characters; make a longer one",
            file.display(),
            n + 1
        ));
    }
    Ok((mark, secrets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::from("correct horse".to_owned());
        let all = Secrets::open(vec![secret.clone()], Vec::new()).unwrap();
        for shown in [format!("{secret:?}"), format!("{all:#?}")] {
            assert!(!shown.contains("horse"), "{shown}");
        }
        assert!(secret.is(b"correct horse"));
        for other in [&b"correct hors"[..], b"correct horsf", b""] {
            assert!(!secret.is(other));
        }
    }

    #[test]
    fn a_file_is_read_again_when_it_changes_and_stays_in_force_when_it_cannot_be() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secrets");
        std::fs::write(&file, "first-secret\n\n second-secret \n").unwrap();
        let all = Secrets::open(Vec::new(), vec![file.clone()]).unwrap();
        let again = |all: &Secrets| {
            all.read.lock().looked = None;
            all.now().iter().map(|s| s.0.clone()).collect::<Vec<_>>()
        };
        assert_eq!(again(&all), ["first-secret", "second-secret"]);
        std::fs::write(&file, "third-secret\n").unwrap();
        assert_eq!(again(&all), ["third-secret"]);
        std::fs::write(&file, "short\n").unwrap();
        assert_eq!(again(&all), ["third-secret"]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(again(&all), ["third-secret"]);
        std::fs::write(&file, "").unwrap();
        assert_eq!(again(&all), [""; 0], "all are revoked");
        let why = Secrets::open(Vec::new(), vec![file]).unwrap_err();
        assert!(why.contains("holds no secret"), "{why}");
    }
}
