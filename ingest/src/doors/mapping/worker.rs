//! A process that runs mappings: asked by lines, ended when it is silent for too long.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use callboard_sources::mapping::wire::{Ask, Said};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longest wait for the items of a body to be found.
const TO_FIND: Duration = Duration::from_secs(60);

/// Longest wait for what an item tells.
const FOR_AN_ITEM: Duration = Duration::from_secs(10);

/// Why no answer came.
pub(super) enum Ended {
    /// The mapping cannot be used.
    Faults(Vec<String>),
    /// The process ended, or was ended.
    Died,
}

/// Such a process. It ends with this value.
pub(super) struct Worker {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts `PROGRAM map run`.
    pub fn start(program: &Path) -> std::io::Result<Self> {
        let mut child = Command::new(program)
            .args(["map", "run"])
            // It needs to know nothing of this machine.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let closed = || std::io::Error::other("it has no input and output");
        Ok(Worker {
            input: child.stdin.take().ok_or_else(closed)?,
            output: BufReader::new(child.stdout.take().ok_or_else(closed)?),
            _child: child,
        })
    }

    /// Asks, and gives on what is said until it is done.
    pub async fn ask(
        &mut self,
        ask: &Ask,
        body: &[u8],
        hear: &mut (dyn FnMut(Said) + Send),
    ) -> Result<(), Ended> {
        let mut line = serde_json::to_vec(ask).map_err(|_| Ended::Died)?;
        line.push(b'\n');
        let writing = async {
            self.input.write_all(&line).await?;
            self.input.write_all(body).await?;
            self.input.flush().await
        };
        match tokio::time::timeout(TO_FIND, writing).await {
            Ok(Ok(())) => {}
            _ => return Err(Ended::Died),
        }
        let mut patience = TO_FIND;
        let mut line = Vec::new();
        loop {
            line.clear();
            let reading = self.output.read_until(b'\n', &mut line);
            match tokio::time::timeout(patience, reading).await {
                Ok(Ok(n)) if n > 0 => {}
                _ => return Err(Ended::Died),
            }
            match serde_json::from_slice(&line).map_err(|_| Ended::Died)? {
                Said::Done => return Ok(()),
                Said::Faults(faults) => return Err(Ended::Faults(faults)),
                said => {
                    patience = FOR_AN_ITEM;
                    hear(said);
                }
            }
        }
    }
}
