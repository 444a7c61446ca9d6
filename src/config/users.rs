//! Users: a name and a salted hash of the password. The hash is PBKDF2 with HMAC-SHA-256, which
//! is also the salted password of SCRAM-SHA-256, so that one entry serves HTTP and the
//! PostgreSQL wire.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_query::pgwire::PgUser;
use ring::pbkdf2;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;

/// Rounds of hashing: those that the PostgreSQL wire tells its clients.
const ROUNDS: u32 = 100_000;
const SCHEME: &str = "pbkdf2-sha256";

/// A user.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Name.
    pub name: String,
    /// What `callboard config password` printed.
    pub password: Hash,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({}, ***)", self.name)
    }
}

impl User {
    /// The same user for the PostgreSQL wire.
    pub fn for_postgres(&self) -> PgUser {
        PgUser::from_salted(&self.name, &self.password.salt, &self.password.salted)
    }
}

/// A salted password: `pbkdf2-sha256$ROUNDS$SALT$HASH`, both in base64.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Hash {
    salt: Vec<u8>,
    salted: Vec<u8>,
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(***)")
    }
}

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The text may be a password in clear: it is not repeated in the message.
        let wrong = || {
            "not a password hash; write what `callboard config password` prints, never the password"
                .to_owned()
        };
        let parts: Vec<&str> = text.split('$').collect();
        let [SCHEME, rounds, salt, salted] = parts[..] else {
            return Err(wrong());
        };
        if rounds != ROUNDS.to_string() {
            return Err(format!(
                "a password hash of {ROUNDS} rounds is needed; hash the password again with `callboard config password`"
            ));
        }
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| wrong());
        let hash = Hash {
            salt: bytes(salt)?,
            salted: bytes(salted)?,
        };
        if hash.salted.len() != 32 || hash.salt.len() < 8 {
            return Err(wrong());
        }
        Ok(hash)
    }
}

fn rounds() -> NonZeroU32 {
    NonZeroU32::new(ROUNDS).unwrap_or(NonZeroU32::MIN)
}

impl Hash {
    /// Hashes a new password with a salt of its own.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(password: &str) -> Result<Self, String> {
        let mut salt = vec![0u8; 16];
        SystemRandom::new()
            .fill(&mut salt)
            .map_err(|_| "the system gives no random numbers".to_owned())?;
        let mut salted = vec![0u8; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds(),
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        Ok(Hash { salt, salted })
    }

    /// Whether that is the password; takes the same time either way.
    pub fn verify(&self, password: &str) -> bool {
        pbkdf2::verify(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds(),
            &self.salt,
            password.as_bytes(),
            &self.salted,
        )
        .is_ok()
    }

    /// As it stands in the configuration.
    pub fn text(&self) -> String {
        format!(
            "{SCHEME}${ROUNDS}${}${}",
            STANDARD.encode(&self.salt),
            STANDARD.encode(&self.salted)
        )
    }
}
