//! PostgreSQL's wire: psql, psycopg, SQLAlchemy, Excel and the like connect to database
//! `callboard` and read the public views. Every statement passes a [`crate::Session`].

pub(crate) mod catalogue;
mod functions;
mod handler;
mod local;
mod parameters;
mod patterns;
mod rewrite;
mod rows;
mod server;
mod settings;
mod startup;
mod statement;
mod to_char;
mod transaction;
mod users;
mod zoned;
pub(crate) mod zones;

pub use server::{PgError, PgOptions, PgServer, PgTls, serve};
pub use users::PgUser;

/// The version of PostgreSQL whose behaviour clients may expect.
pub(crate) const SERVER_VERSION: &str = "16.6";
