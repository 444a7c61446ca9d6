//! The truth: rows of every table, from what was decided and from what of it could be known.

pub mod agents;
mod beside;
mod closing;
mod contacts;
pub mod queues;
mod recordings;
pub mod rows;
mod states;
pub mod tables;

pub use beside::{survey, unkept};
pub use contacts::of_contact;
pub use recordings::recording;
pub use states::states;
