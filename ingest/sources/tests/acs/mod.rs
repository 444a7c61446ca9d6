//! The adapter of Azure Communication Services against captures: bodies to records, statements, rows.

mod calls;
mod damage;
mod envelopes;
mod jobs;
mod journeys;
mod messages;
mod pipe;
mod recordings;
