//! The adapter of Azure Communication Services against captures: bodies to records, statements, rows.

mod calls;
mod calls_more;
mod damage;
mod envelopes;
mod jobs;
mod journeys;
mod messages;
pub mod pipe;
mod recordings;
