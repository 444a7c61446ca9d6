//! What the module of a platform offers to doors and to the store, and the list of all.
//!
//! Asterisk came first and has readers of its own for files that grow line by line
//! ([`lines`](crate::lines)); platforms that send documents are adapters.

use callboard_model::ids::Key;
use callboard_model::record::{Record, Refusal, Routing};
use callboard_model::statement::Statement;

use crate::lines::NewLine;

/// What the operator declares of a source, beside what its bytes say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Instance of the platform: two tenants whose ids are equal differ in it.
    pub instance: String,
    /// IANA zone of times that the bytes give without one; empty = UTC.
    pub zone: String,
    /// Name of the file or object that holds the bytes; empty = unknown. Some platforms say only
    /// there which contact a file is of.
    pub name: String,
}

/// What a platform is answered that asks whether it may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// JSON.
    Json(String),
    /// Plain text.
    Text(String),
}

/// Reads what one platform sends. Pure: no I/O, no clock.
pub trait Adapter: Send + Sync {
    /// Name of the platform: its `[[source]] adapter`, the first part of its ids and of its formats,
    /// as in `amazon-connect/contact-event`.
    fn platform(&self) -> &'static str;

    /// The records in a request body or a file, each with an identity that the same thing has
    /// whenever it is sent again, and what can be none.
    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine>;

    /// The answer to a request by which the platform asks whether it may send here, told by its
    /// query (without `?`: a text) or its body (JSON). Nothing is taken of the body of one that asks by
    /// its query; what else stands beside a question in a body, [`split`](Adapter::split) gives.
    fn handshake(&self, query: &str, body: &[u8]) -> Option<Handshake> {
        let _ = (query, body);
        None
    }

    /// What a record speaks of; and, when it stands alone, what it says.
    ///
    /// # Errors
    /// A [`Refusal`] when the bytes cannot be read: the record becomes a dead letter.
    fn route(&self, record: &Record) -> Result<Routing, Refusal>;

    /// What a key's records of this platform say together; nothing where each stands alone.
    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let _ = (key, set);
        Vec::new()
    }
}

/// All adapters.
pub static ADAPTERS: &[&dyn Adapter] = &[
    &crate::acs::Acs,
    &crate::amazon_connect::AmazonConnect,
    &crate::freeswitch::FreeSwitch,
    &crate::genesys::Genesys,
    &crate::mapping::Mapped,
    &crate::sheet::Sheet,
    &crate::siprec::Siprec,
    &crate::teams::Teams,
    &crate::twilio::Twilio,
    &crate::vcon::Vcon,
];

/// The adapter of a platform.
pub fn of_platform(name: &str) -> Option<&'static dyn Adapter> {
    ADAPTERS.iter().copied().find(|a| a.platform() == name)
}

/// The adapter that reads a format, `platform/feed`.
pub fn of_format(format: &str) -> Option<&'static dyn Adapter> {
    of_platform(format.split_once('/')?.0)
}
