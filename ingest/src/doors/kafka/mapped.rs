//! Messages that a mapping reads: by the processes that read what comes over HTTP, within the same
//! bounds, and in a time in which the group does not miss its member.

use std::sync::Arc;
use std::time::Duration;

use callboard_sources::adapter::Declared;
use callboard_sources::lines::NewLine;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::KafkaOptions;
use super::message::Adapted;
use crate::doors::mapping::Mappings;

/// Setting after which the group gives up a member that asks for nothing.
const MISSED: &str = "max.poll.interval.ms";
/// What it is where nobody set it.
const MISSED_AFTER: Duration = Duration::from_secs(300);
/// Longest time for one message.
const PATIENCE: Duration = Duration::from_secs(100);

/// Runs one mapping for a thread that is no task.
#[derive(Clone)]
pub struct Mapper {
    mappings: Arc<Mappings>,
    name: String,
    patience: Duration,
    runtime: Handle,
    stop: CancellationToken,
}

impl Mapper {
    /// Of these options; none where no mapping reads.
    pub fn of(
        options: &KafkaOptions,
        mappings: &Arc<Mappings>,
        runtime: &Handle,
        stop: &CancellationToken,
    ) -> Option<Self> {
        let Adapted::Mapping(name) = &options.adapter else {
            return None;
        };
        Some(Mapper {
            mappings: mappings.clone(),
            name: name.clone(),
            patience: patience(&options.settings),
            runtime: runtime.clone(),
            stop: stop.clone(),
        })
    }

    /// Whether the mapping can be run now.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn ready(&self) -> Result<(), String> {
        self.wait(self.mappings.ready(&self.name))
    }

    /// What the mapping makes of a message.
    ///
    /// # Errors
    /// When it cannot be run, which is no fault of the message: it is to be read again.
    pub fn split(&self, bytes: &[u8], declared: &Declared) -> Result<Vec<NewLine>, String> {
        self.wait(async {
            let patience = self.patience;
            let split = self.mappings.split(&self.name, bytes, declared, patience);
            // Beside its own time it waits for others that run mappings.
            match tokio::time::timeout(patience * 2, split).await {
                Ok(split) => split.map_err(|problem| problem.detail),
                Err(_) => Err("mappings have too much to do; it is tried again".to_owned()),
            }
        })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        self.runtime.block_on(async {
            tokio::select! {
                () = self.stop.cancelled() => Err("the server stops".to_owned()),
                done = work => done,
            }
        })
    }
}

/// How long one message may take, with these settings: a third of the time after which the member
/// is missed, since it may have to wait as long for its turn.
fn patience(settings: &[(String, String)]) -> Duration {
    let set = settings.iter().rev().find(|(name, _)| name == MISSED);
    let set = set.and_then(|(_, value)| value.trim().parse().ok());
    let missed = set.map_or(MISSED_AFTER, Duration::from_millis);
    (missed / 3).min(PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_given_up_before_the_member_is_missed() {
        let set = |text: &str| vec![(MISSED.to_owned(), text.to_owned())];
        assert_eq!(patience(&[]), Duration::from_secs(100));
        assert_eq!(patience(&set("30000")), Duration::from_secs(10));
        assert_eq!(patience(&set("86400000")), PATIENCE);
        assert_eq!(patience(&set("soon")), PATIENCE);
    }
}
