//! `callboard export`: contacts in another form.

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::{Failure, block_on, print};
use crate::cli::{ExportCommand, ExportVconArgs};

/// Does it.
///
/// # Errors
/// When there is no such contact, no answer, or no place to write.
pub fn run(command: &ExportCommand) -> Result<(), Failure> {
    match command {
        ExportCommand::Vcon(args) => vcon(args),
    }
}

fn vcon(args: &ExportVconArgs) -> Result<(), Failure> {
    let client = Client::new(&args.to)?.at(args.as_of.as_deref());
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .map_err(|e| Failure::failed(format!("cannot make {}: {e}", folder.display())))?;
    }
    block_on(async {
        for contact in &args.contacts {
            let request = client.request(Method::GET, &["v1", "contacts", contact, "vcon"]);
            let response = client.send(request).await?;
            let text = response
                .text()
                .await
                .map_err(|e| Failure::failed(format!("the answer broke off: {e}")))?;
            let Some(folder) = &args.out else {
                print(&format!("{}\n", text.trim_end()))?;
                continue;
            };
            let vcon: Value = serde_json::from_str(&text)
                .map_err(|e| Failure::failed(format!("the answer is no JSON: {e}")))?;
            let uuid = vcon.get("uuid").and_then(Value::as_str).unwrap_or("vcon");
            // What a server says names no other folder.
            let name: String = uuid
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect();
            let path = folder.join(format!("{name}.vcon.json"));
            std::fs::write(&path, text)
                .map_err(|e| Failure::failed(format!("cannot write {}: {e}", path.display())))?;
            print(&format!("{}\n", path.display()))?;
        }
        Ok(())
    })
}
