//! What a store stands on.

use std::sync::Arc;

use object_store::ObjectStore;

use crate::lake::Instead;
use crate::storage::{Disk, Storage};

/// What the store stands on: the machine, unless a test puts something else in its place.
#[derive(Clone)]
pub struct Ground {
    /// Where log and state lie.
    pub storage: Arc<dyn Storage>,
    /// Where the lake lies.
    pub lake: LakeGround,
}

/// Where a lake lies.
#[derive(Clone)]
pub enum LakeGround {
    /// Where the options say.
    AsSaid,
    /// In that store, from `/` on.
    Objects(Arc<dyn ObjectStore>),
    /// In tables of another making.
    Instead(Arc<dyn Instead>),
}

impl Default for Ground {
    fn default() -> Self {
        Ground {
            storage: Arc::new(Disk),
            lake: LakeGround::AsSaid,
        }
    }
}
