//! Connections that Callboard itself opens: Asterisk's manager and REST interfaces, files of the same
//! Asterisk from which a gap is filled, and prefixes of object stores that are followed.
//!
//! What arrives goes through the same [`Intake`] as what doors bring, in the same form: an event
//! heard live is the same record as its line in a capture. A connection that is lost is opened again,
//! at growing intervals, and what nobody heard meanwhile is said: in [`link::Links`] for people, and
//! as a `callboard.source.changed` event with state `gap` for good.

pub mod ami;
pub mod ari;
mod backoff;
pub mod files;
mod hand;
pub mod link;
pub mod objects;
pub mod prefix;
#[cfg(test)]
mod testing;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::doors::intake::Intake;
use crate::doors::limits::Limits;
use crate::doors::mapping::Mappings;
use link::Links;

/// What every connection is given.
#[derive(Clone)]
pub struct Given {
    /// Where records go.
    pub intake: Arc<dyn Intake>,
    /// Bounds.
    pub limits: Limits,
    /// Runs mappings, for what they read.
    pub mappings: Arc<Mappings>,
    /// Folder in which is remembered how far things were read.
    pub state: PathBuf,
    /// What is known of each connection.
    pub links: Links,
    /// Ends all.
    pub stop: CancellationToken,
}

/// What is opened for one source.
#[derive(Debug, Clone)]
pub enum Opened {
    /// Asterisk's manager interface.
    Ami(ami::AmiOptions),
    /// Asterisk's REST interface.
    Ari(ari::AriOptions),
    /// Files that Asterisk writes.
    Files(files::FilesOptions),
    /// A prefix of an object store.
    Prefix(prefix::PrefixOptions),
}

/// Opens all of them; each runs until told to stop.
pub fn start(all: Vec<Opened>, given: &Given) {
    for one in all {
        let given = given.clone();
        match one {
            Opened::Ami(options) => drop(tokio::spawn(ami::run(options, given))),
            Opened::Ari(options) => drop(tokio::spawn(ari::run(options, given))),
            Opened::Files(options) => drop(tokio::spawn(files::run(options, given))),
            Opened::Prefix(options) => drop(tokio::spawn(prefix::run(options, given))),
        }
    }
}
