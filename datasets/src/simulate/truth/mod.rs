//! The truth: rows of every table, from what was decided and from what of it could be known.

pub mod agents;
mod closing;
mod contacts;
pub mod queues;
mod recordings;
mod states;
pub mod tables;

pub use contacts::rows;
pub use recordings::recording;
pub use states::states;
