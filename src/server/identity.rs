//! The files of identities: read at the start, looked at again every second, put into force when
//! they can be read; a broken file leaves what was in force before.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use callboard_query::Engine;
use callboard_query::identity::{FILES, Identity, Settings, SourceSites};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Where the files are and how they are read.
#[derive(Debug, Clone)]
pub struct IdentityOptions {
    /// The folder; it may be missing.
    pub folder: PathBuf,
    /// Zone and window.
    pub settings: Settings,
    /// Sites of sources, as configured.
    pub sites: SourceSites,
}

/// How a file looks from outside: size and time of change; `None` = not there.
type Look = Option<(u64, SystemTime)>;

/// Keeps the identities in force.
pub struct Keeper {
    options: IdentityOptions,
    engine: Engine,
    faults: Mutex<Vec<String>>,
}

impl Keeper {
    /// Reads the files and goes on looking at them until the stop.
    pub fn start(options: IdentityOptions, engine: Engine, stop: CancellationToken) -> Arc<Self> {
        let keeper = Arc::new(Keeper {
            options,
            engine,
            faults: Mutex::default(),
        });
        // These hold whatever the files say, also where they cannot be read.
        if !keeper.options.sites.is_empty() {
            let sites = keeper.options.sites.clone();
            (keeper.engine).set_identity(Identity::default().with_sites(sites));
        }
        let mut seen = keeper.look();
        keeper.read();
        let kept = keeper.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = stop.cancelled() => return,
                }
                let this = kept.clone();
                let before = seen.clone();
                // Files may lie on a slow disk.
                let looked = tokio::task::spawn_blocking(move || {
                    let now = this.look();
                    if now != before {
                        this.read();
                    }
                    now
                });
                match looked.await {
                    Ok(now) => seen = now,
                    Err(error) => tracing::error!(%error, "the files of identities were not read"),
                }
            }
        });
        keeper
    }

    fn look(&self) -> Vec<Look> {
        let of = |name: &&str| {
            let meta = std::fs::metadata(self.options.folder.join(name)).ok()?;
            let changed = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some((meta.len(), changed))
        };
        FILES.iter().map(of).collect()
    }

    fn read(&self) {
        let folder = self.options.folder.display();
        match Identity::read(&self.options.folder, self.options.settings) {
            Ok(found) => {
                let counts = found.counts();
                let was_empty = self.engine.identity().1.counts().is_empty();
                if !counts.is_empty() || !was_empty {
                    tracing::info!(%folder, rows = ?counts, "identities are in force");
                }
                self.faults.lock().clear();
                if !counts.is_empty() || !was_empty {
                    let sites = self.options.sites.clone();
                    self.engine.set_identity(found.with_sites(sites));
                }
            }
            Err(faults) => {
                for fault in &faults {
                    tracing::error!(%folder, "{fault}");
                }
                metrics::counter!("callboard_identity_faults_total").increment(faults.len() as u64);
                *self.faults.lock() = faults;
            }
        }
    }

    /// What is wrong with the files, one sentence each; what was in force before still is.
    pub fn problems(&self) -> Vec<String> {
        let faults = self.faults.lock();
        let told = |fault: &String| {
            format!("identities in force are those read before, because of {fault}")
        };
        faults.iter().take(5).map(told).collect()
    }

    /// What is in force, in words.
    pub fn shown(&self) -> (String, String) {
        let counts = self.engine.identity().1.counts();
        let files: Vec<String> = counts.iter().map(|(f, n)| format!("{f} {n}")).collect();
        let what = match files.is_empty() {
            true => "none".to_owned(),
            false => files.join(", "),
        };
        let folder = self.options.folder.display();
        ("identities".to_owned(), format!("{what} ({folder})"))
    }
}
