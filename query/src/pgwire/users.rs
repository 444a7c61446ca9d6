//! Who may connect, and how they prove it: SCRAM-SHA-256. Passwords are never kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::auth::sasl::scram::{gen_salted_password, random_nonce};
use datafusion_postgres::pgwire::api::auth::{AuthSource, LoginInfo, Password};
use datafusion_postgres::pgwire::error::PgWireResult;

/// Rounds of hashing that clients are told.
pub const ROUNDS: usize = 100_000;

/// A user who may connect: name, salt and salted hash.
#[derive(Clone)]
pub struct PgUser {
    name: String,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl PgUser {
    /// A user whose password was salted and hashed with PBKDF2-HMAC-SHA-256 in [`ROUNDS`] rounds.
    pub fn from_salted(name: impl Into<String>, salt: &[u8], hash: &[u8]) -> Self {
        PgUser {
            name: name.into(),
            salt: salt.to_vec(),
            hash: hash.to_vec(),
        }
    }

    /// A user with this password; only its salted hash is kept.
    pub fn from_password(name: impl Into<String>, password: &str) -> Self {
        let salt = random_nonce().into_bytes();
        let hash = gen_salted_password(password, &salt, ROUNDS);
        PgUser {
            name: name.into(),
            salt,
            hash,
        }
    }
}

impl fmt::Debug for PgUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PgUser({})", self.name)
    }
}

/// The users by name.
pub(super) struct Users {
    known: HashMap<String, PgUser>,
    secret: Vec<u8>,
}

impl Users {
    pub(super) fn new(users: &[PgUser]) -> Arc<Self> {
        Arc::new(Users {
            known: users.iter().map(|u| (u.name.clone(), u.clone())).collect(),
            secret: random_nonce().into_bytes(),
        })
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.known.len())
    }
}

#[async_trait]
impl AuthSource for Users {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let name = login.user().unwrap_or("");
        if let Some(user) = self.known.get(name) {
            return Ok(Password::new(Some(user.salt.clone()), user.hash.clone()));
        }
        // An unknown user is asked like a known one, always with the same salt, so that names
        // cannot be found out by trying.
        let salt = gen_salted_password(name, &self.secret, 1);
        let hash = gen_salted_password(&random_nonce(), &salt, ROUNDS);
        Ok(Password::new(Some(salt), hash))
    }
}
