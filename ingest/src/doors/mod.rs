//! Doors: where bytes come in. A door checks who, how much, and whether it can be a record at
//! all, hands it to the [`intake`] and acknowledges only what is durable. What the bytes mean is
//! not its business.

pub mod answer;
pub mod batch;
pub mod binary;
pub mod body;
pub mod budget;
pub mod documents;
pub mod ended;
pub mod event;
pub mod follow;
pub mod gate;
mod handshake;
pub mod http;
pub mod intake;
pub mod kafka;
pub mod limits;
pub mod mapping;
pub mod platform;
pub mod problem;
pub mod proof;
pub mod recordings;
pub mod secret;
pub mod split;

#[cfg(test)]
pub(crate) mod published;
#[cfg(test)]
pub(crate) mod testing;
