//! Intervals as SQL makes them of the store's picture, beside those of the truth: what agents did at
//! every moment, and what became of each stay in a queue.

use std::sync::Arc;
use std::time::Duration;

use callboard_datasets::compare::{Found, Row, compare};
use callboard_query::{Engine, Limits, Principal};
use callboard_store::snapshot::Snapshots;
use callboard_store::store::Store;

use crate::rows::{objects, say};
use crate::world::{COUNTED, World, table};

/// What differs from the truth; an empty text where nothing does. The lake must be in Delta tables,
/// which SQL reads.
pub async fn intervals(store: &Arc<Store>, world: &World) -> Result<String, String> {
    let snapshots: Arc<dyn Snapshots> = store.clone();
    // How long it takes says nothing here.
    let limits = Limits {
        time: Duration::from_secs(3600),
        ..Limits::default()
    };
    let engine = Engine::new(snapshots, limits).map_err(say)?;
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
