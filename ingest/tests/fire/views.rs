//! Intervals as SQL makes them of the store's picture, beside those of the truth: what agents did at
//! every moment, and what became of each stay in a queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use callboard_datasets::compare::{Found, Row, compare};
use callboard_query::{Engine, Limits, Principal};
use callboard_store::snapshot::{AsOfError, Snapshot, Snapshots};
use callboard_store::store::Store;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::rows::{as_live, objects, say};
use crate::world::{COUNTED, World, table};

/// One picture after another, of whichever store.
struct Shown {
    picture: Mutex<Arc<Snapshot>>,
    changes: watch::Sender<u64>,
}

#[async_trait]
impl Snapshots for Shown {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.picture.lock().clone()
    }

    async fn as_of(&self, _at: i64) -> Result<Arc<Snapshot>, AsOfError> {
        Err(AsOfError::Failed("a simulated picture has no past".into()))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// An engine for many histories: to plan its views takes longer than most of them.
struct Shared {
    engine: Engine,
    shown: Arc<Shown>,
}

/// One history asks at a time.
static SHARED: OnceLock<tokio::sync::Mutex<Option<Shared>>> = OnceLock::new();
/// No two pictures have the same version, by which the engine knows them.
static VERSION: AtomicU64 = AtomicU64::new(1);

/// What differs from the truth where the lake is in memory, which SQL does not read; an empty text
/// where nothing does.
pub async fn intervals_in_memory(store: &Store, world: &World) -> Result<String, String> {
    let mut picture = as_live(store).await?;
    picture.version = VERSION.fetch_add(1, Ordering::SeqCst);
    let picture = Arc::new(picture);
    let mut shared = SHARED.get_or_init(tokio::sync::Mutex::default).lock().await;
    let Shared { engine, shown } = match shared.take() {
        Some(shared) => shared,
        None => {
            let shown = Arc::new(Shown {
                picture: Mutex::new(picture.clone()),
                changes: watch::Sender::default(),
            });
            let engine = engine(shown.clone())?;
            Shared { engine, shown }
        }
    };
    *shown.picture.lock() = picture;
    let wrong = differing(&engine, world).await;
    *shared = Some(Shared { engine, shown });
    wrong
}

/// The same where the lake is in Delta tables.
pub async fn intervals(store: Arc<Store>, world: &World) -> Result<String, String> {
    differing(&engine(store)?, world).await
}

fn engine(snapshots: Arc<dyn Snapshots>) -> Result<Engine, String> {
    // How long it takes says nothing here.
    let limits = Limits {
        time: Duration::from_secs(3600),
        ..Limits::default()
    };
    Engine::new(snapshots, limits).map_err(say)
}

async fn differing(engine: &Engine, world: &World) -> Result<String, String> {
    let session = engine.session(Principal::local());
    let mut wrong = String::new();
    for name in COUNTED {
        let table = table(name);
        let columns: Vec<String> = table.compared().map(|c| format!("\"{c}\"")).collect();
        let sql = format!("SELECT {} FROM {name}", columns.join(", "));
        let answer = session.collect(&sql, Vec::new()).await.map_err(say)?;
        let ours = answer.batches.iter().flat_map(objects);
        let ours = ours.map(|object| Row::of(table, &object)).collect();
        let mut found = Found::default();
        if world.rows[name].is_empty() {
            return Err(format!("the truth has no {name}"));
        }
        compare(table, world.rows[name].clone(), ours, 3, &mut found);
        if found.differing > 0 {
            wrong += &format!("{name}: {} rows differ\n", found.differing);
            for difference in &found.shown {
                wrong += &difference.text(table);
            }
        }
    }
    Ok(wrong)
}
