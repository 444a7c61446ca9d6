//! Start-up of a connection: what clients are told, and what they must bring.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::auth::sasl::SASLAuthStartupHandler;
use datafusion_postgres::pgwire::api::auth::{
    ServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use datafusion_postgres::pgwire::api::{
    ClientInfo, ConnectionGuard, ConnectionHandle, ConnectionManager, METADATA_USER,
    PidSecretKeyGenerator, RandomPidSecretKeyGenerator,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::Sink;

use super::settings;
use crate::catalog::DATABASE;

/// What clients are told at start-up.
pub(super) struct Parameters;

impl ServerParameterProvider for Parameters {
    fn server_parameters<C>(&self, client: &C) -> Option<HashMap<String, String>>
    where
        C: ClientInfo,
    {
        let mut told: HashMap<String, String> = [
            ("server_version", super::SERVER_VERSION),
            ("server_encoding", "UTF8"),
            ("client_encoding", "UTF8"),
            ("integer_datetimes", "on"),
            ("in_hot_standby", "off"),
            ("is_superuser", "off"),
            ("default_transaction_read_only", "on"),
            ("search_path", "callboard"),
            ("DateStyle", "ISO, MDY"),
            ("IntervalStyle", "postgres"),
            ("standard_conforming_strings", "on"),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
        let zone = settings::zone(client.metadata());
        told.insert("TimeZone".to_owned(), zone.name());
        for (key, name) in [
            ("application_name", "application_name"),
            (METADATA_USER, "session_authorization"),
        ] {
            if let Some(value) = client.metadata().get(key) {
                told.insert(name.to_owned(), value.clone());
            }
        }
        Some(told)
    }
}

/// Start-up of one connection: the right database, TLS where it must be, then the password.
pub(super) struct Startup {
    pub(super) sasl: Option<SASLAuthStartupHandler<Parameters>>,
    pub(super) must_tls: bool,
    pub(super) manager: Arc<ConnectionManager>,
    pub(super) pids: Arc<RandomPidSecretKeyGenerator>,
}

fn fatal(code: &str, message: String) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new(
        "FATAL".to_owned(),
        code.to_owned(),
        message,
    )))
}

#[async_trait]
impl StartupHandler for Startup {
    async fn on_startup<C>(
        &self,
        client: &mut C,
        message: PgWireFrontendMessage,
    ) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if let PgWireFrontendMessage::Startup(startup) = &message {
            let named = startup.parameters.get("database");
            let user = startup.parameters.get("user");
            // libpq names the user's own database when none is given.
            let database = named.or(user).map_or("", String::as_str);
            if database != DATABASE {
                return Err(fatal(
                    "3D000",
                    format!(
                        "database \"{database}\" does not exist; connect to database \"{DATABASE}\""
                    ),
                ));
            }
            if self.must_tls && !client.is_secure() {
                return Err(fatal(
                    "28000",
                    "TLS is compulsory here; connect with sslmode=require".to_owned(),
                ));
            }
        }
        if let Some(sasl) = &self.sasl {
            return sasl.on_startup(client, message).await;
        }
        if let PgWireFrontendMessage::Startup(startup) = &message {
            protocol_negotiation(client, startup).await?;
            save_startup_parameters_to_metadata(client, startup);
            let (pid, key) = self.pids.generate(client);
            client.set_pid_and_secret_key(pid, key.clone());
            let (handle, guard) = self.manager.register(pid, key);
            let extensions = client.session_extensions();
            extensions.insert::<Arc<ConnectionHandle>>(handle);
            extensions.insert::<ConnectionGuard>(guard);
            finish_authentication(client, &Parameters).await?;
        }
        Ok(())
    }
}
