//! Who can reach the server: on loopback without users anyone, anywhere else nobody without
//! credentials and an encrypted connection.

use std::net::SocketAddr;

use super::Config;

impl Config {
    /// Whether what is configured may be served; called with the addresses that will be used.
    ///
    /// # Errors
    /// What is missing, one sentence each.
    pub fn check_exposure(&self) -> Result<(), Vec<String>> {
        let mut missing = Vec::new();
        for (name, address) in [("http", self.http.listen), ("pg", self.pg.listen)] {
            missing.extend(self.missing_for(name, address));
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing)
        }
    }

    fn missing_for(&self, name: &str, address: SocketAddr) -> Vec<String> {
        let mut missing = Vec::new();
        if address.ip().is_loopback() {
            return missing;
        }
        let reach = format!("[{name}] listen = \"{address}\" can be reached from other machines");
        if self.users.is_empty() {
            missing.push(format!(
                "{reach}, but no [[user]] is configured; add one (see `callboard config password`) or listen on 127.0.0.1"
            ));
        }
        if self.tls.is_none() {
            missing.push(format!(
                "{reach}, but there is no [tls]; give cert and key, or listen on 127.0.0.1 behind a proxy that encrypts"
            ));
        }
        missing
    }
}
