//! Amazon Connect: captures, what they say, and the rows that follow.

mod agents;
mod contacts;
mod coverage;
mod damage;
mod deliveries;
pub mod fold;
mod lens;
mod lens_older;
mod other_contacts;
