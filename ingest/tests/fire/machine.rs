//! The machine that is lost again and again: a disk, an object store, a clock and their power.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use callboard_model::record::Interpreter;
use callboard_sources::registry::Registry;
use callboard_store::datafolder::DataFolderError;
use callboard_store::sim::calls::{Fault, Image};
use callboard_store::sim::disk::SimDisk;
use callboard_store::sim::objects::Faulty;
use callboard_store::sim::shaking::{Refusal, Shaking, When};
use callboard_store::sim::tables::{Kept, MemoryTables};
use callboard_store::sim::{Power, Rng};
use callboard_store::storage::Storage;
use callboard_store::store::{Clock, Ground, LakeGround, Store, StoreError, StoreOptions};
use object_store::memory::InMemory;
use parking_lot::Mutex;

use crate::lies::{Credulous, Lie, LyingDisk};

/// Long after everything that is simulated, microseconds.
pub const NOW: i64 = 1_790_000_000_000_000;

pub struct Hand(AtomicI64);

impl Hand {
    pub fn later(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// It shows at least this, UTC microseconds.
    pub fn reach(&self, at: i64) {
        self.0.fetch_max(at, Ordering::SeqCst);
    }

    /// Somebody sets it.
    pub fn set(&self, at: i64) {
        self.0.store(at, Ordering::SeqCst);
    }

    /// Somebody sets the clock an hour back.
    pub fn earlier(&self) {
        self.later(-3_600);
    }
}

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What the lake's tables are kept in.
enum Lake {
    /// Delta tables in an object store.
    Delta(Arc<InMemory>),
    /// The same promises without Delta.
    Plain(Kept),
}

/// What happened on a machine.
#[derive(Default)]
pub struct Counts {
    /// Times that the lake refused for a while.
    pub away: AtomicU64,
    /// Calls of disks that failed, but for those of the present one.
    broken: AtomicU64,
    /// Flushes into a slow lake.
    pub slow: AtomicU64,
    /// Files of the lake that vacuums removed.
    pub vacuumed: AtomicU64,
}

impl Counts {
    pub fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// A lake that is away while the store starts: what it says, and to how many calls.
pub type AtStart = Option<(Refusal, u64)>;

/// What a machine is like.
#[derive(Clone, Copy, Default)]
pub struct Traits {
    /// By which everything comes about.
    pub seed: u64,
    /// The lake is in Delta tables.
    pub delta: bool,
    /// Files that no present version needs are removed at every upkeep.
    pub vacuums: bool,
    /// A planted fault.
    pub lie: Option<Lie>,
}

pub struct Machine {
    /// Holds the lock alone; everything else is in memory.
    folder: tempfile::TempDir,
    disk: SimDisk,
    /// The disk as it was after the last power cut.
    base: SimDisk,
    lake: Lake,
    pub clock: Arc<Hand>,
    pub traits: Traits,
    pub counts: Counts,
    /// Bounds that a start is told beside the usual ones.
    pub bounds: fn(&mut StoreOptions),
    /// What shook the lake last.
    shaking: Mutex<Option<Arc<Shaking>>>,
}

/// A machine that runs.
pub struct Running {
    pub store: Arc<Store>,
    /// What shakes the lake.
    pub lake: Arc<Shaking>,
    pub disk: SimDisk,
    pub power: Power,
}

impl Machine {
    pub fn new(traits: Traits) -> Machine {
        // In memory where the machine has a folder for that: its syncs prove nothing here.
        let memory = PathBuf::from("/dev/shm");
        let place = Some(memory).filter(|p| p.is_dir());
        let folder = tempfile::tempdir_in(place.unwrap_or_else(std::env::temp_dir)).unwrap();
        Machine {
            folder,
            disk: SimDisk::default(),
            base: SimDisk::default(),
            lake: match traits.delta {
                true => Lake::Delta(Arc::new(InMemory::new())),
                false => Lake::Plain(Kept::default()),
            },
            clock: Arc::new(Hand(AtomicI64::new(NOW))),
            traits,
            counts: Counts::default(),
            bounds: |_| {},
            shaking: Mutex::default(),
        }
    }

    /// Lets one of the disk's next calls fail: a write, a sync, a new name, in the log or in the state.
    pub fn break_disk(&self, rng: &mut Rng) {
        let kinds = [io::ErrorKind::Other, io::ErrorKind::StorageFull];
        self.disk.set_fault(Some(Fault {
            call: self.disk.calls() + rng.below(40),
            kind: kinds[rng.below(2)],
            lasting: false,
        }));
    }

    /// From here on no call of the disk fails.
    pub fn mend_disk(&self) {
        self.disk.set_fault(None);
    }

    /// How many calls of the disk have failed.
    pub fn broken(&self) -> u64 {
        self.counts.broken.load(Ordering::SeqCst) + self.disk.failed()
    }

    /// Whether the lake failed in the start that was tried last.
    pub fn lake_failed(&self) -> bool {
        let shaking = self.shaking.lock();
        shaking.as_ref().is_some_and(|shaking| shaking.met() > 0)
    }

    /// Starts the store, with so much power, on a lake that may be away.
    pub async fn start(
        &self,
        power: Power,
        when: When,
        away: AtStart,
    ) -> Result<Running, StoreError> {
        let mut options = StoreOptions::new(self.folder.path());
        options.log.segment_bytes = 48 << 10;
        // The next segment is written beforehand, full of zeros, in every second pair of seeds.
        options.log.preallocate = self.traits.seed & 2 == 0;
        if !self.traits.delta {
            // So that the seed alone says what comes before what. Delta has threads of its own;
            // beside those the log's own is tried.
            options.log.by_hand = Some(self.traits.seed ^ self.clock.now().unsigned_abs());
            options.log.gather = Duration::ZERO;
            options.log.idle_seal = Duration::from_secs(3600);
        }
        options.replay_bytes = 96 << 10;
        options.lake_options.checkpoint_interval = 5;
        options.lake_options.small_files = 3;
        if self.traits.vacuums {
            options.lake_options.retention = Duration::ZERO;
            options.lake_options.vacuum_every = Duration::ZERO;
        }
        (self.bounds)(&mut options);
        self.disk.set_power(power.clone());
        let (lake, shaking) = match &self.lake {
            Lake::Delta(objects) => {
                let faulty = Faulty::new(objects.clone(), when);
                let shaking = faulty.shaking.clone();
                (LakeGround::Objects(Arc::new(faulty)), shaking)
            }
            Lake::Plain(kept) => {
                let shaking = Arc::new(Shaking::new(when));
                let tables = MemoryTables::open(kept.clone(), shaking.clone());
                (LakeGround::Instead(Arc::new(tables)), shaking)
            }
        };
        shaking.set_power(power.clone());
        if let Some((says, calls)) = away {
            Counts::one(&self.counts.away);
            shaking.away(says, when, calls);
        }
        *self.shaking.lock() = Some(shaking.clone());
        let storage: Arc<dyn Storage> = match self.traits.lie {
            Some(lie) => Arc::new(LyingDisk::new(self.disk.clone(), lie)),
            None => Arc::new(self.disk.clone()),
        };
        let interpreter: Arc<dyn Interpreter> = match self.traits.lie {
            Some(lie) => Arc::new(Credulous::new(lie)),
            None => Arc::new(Registry),
        };
        loop {
            let ground = Ground {
                storage: storage.clone(),
                lake: lake.clone(),
            };
            let clock = self.clock.clone();
            match Store::open_on(ground, options.clone(), interpreter.clone(), clock).await {
                Ok(store) => {
                    return Ok(Running {
                        store,
                        lake: shaking,
                        disk: self.disk.clone(),
                        power,
                    });
                }
                // Tasks of the life before let go of the folder a moment later.
                Err(StoreError::Folder(DataFolderError::Locked { .. })) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The process died amid a call. Either the power went with it, which it says: what is left on the
    /// disk is what was synced, all that was written, or any part of it. Or the machine goes on, shows
    /// what was written, and may yet lose what nobody has stored.
    pub fn cut(&mut self, rng: &mut Rng) -> bool {
        if rng.below(4) == 0 {
            return false;
        }
        let image = match rng.below(3) {
            0 => Image::SyncedOnly,
            1 => Image::AllWritten,
            _ => Image::Mixed(rng.draw()),
        };
        let failed = &self.counts.broken;
        failed.fetch_add(self.disk.failed(), Ordering::SeqCst);
        self.disk = SimDisk::after(&self.base, &self.disk.ops(), image);
        self.base = self.disk.copy();
        true
    }
}
