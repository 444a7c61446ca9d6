//! `callboard backup` and `callboard restore`: a data folder copied while its server goes on, and
//! put back.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use callboard_store::backup::{RestoreError, Restored, check, restore};
use callboard_store::datafolder::sync_dir;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use reqwest::Method;

use super::client::{Client, Trouble};
use super::{Failure, block_on, print};
use crate::cli::{BackupArgs, RestoreArgs};
use crate::server::backup::BYTES;

/// Fetches a backup, reads it again and says what it holds.
///
/// # Errors
/// When the server gives none, the file is there already, or what came is not whole.
pub fn run(args: &BackupArgs) -> Result<(), Failure> {
    if args.file.exists() && !args.replace {
        return Err(Failure::usage(format!(
            "{} is there already; name another file, or add --replace",
            args.file.display()
        )));
    }
    let mut part = args.file.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let done = block_on(fetch(args, &part)).and_then(|()| whole(&part, &args.file));
    if done.is_err() {
        // It is of no use, and may not be there.
        let _ = std::fs::remove_file(&part);
    }
    let done = done?;
    print(&format!(
        "{}: {} files, {}, read again and whole\n",
        args.file.display(),
        done.files,
        HumanBytes(done.bytes)
    ))
}

fn bar(length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> Failure + use<'_> {
    move |e| Failure::failed(format!("{}: {e}", path.display()))
}

async fn fetch(args: &BackupArgs, part: &Path) -> Result<(), Failure> {
    let client = Client::new(&args.to)?;
    let request = client.request(Method::POST, &["v1", "backup"]);
    let mut answer = client.send(request).await?;
    let length = answer.headers().get(BYTES);
    let length = length.and_then(|v| v.to_str().ok()?.parse().ok());
    let bar = bar(length);
    bar.set_message("copying");
    let mut file = File::create(part).map_err(at(part))?;
    loop {
        let piece = answer.chunk().await.map_err(|_| {
            Failure::from(Trouble::Never(format!(
                "{} broke off in the middle of the backup; its log says why",
                client.url()
            )))
        })?;
        let Some(piece) = piece else { break };
        file.write_all(&piece).map_err(at(part))?;
        bar.inc(piece.len() as u64);
    }
    bar.finish_and_clear();
    file.sync_all().map_err(at(part))
}

/// Reads a backup again and gives it its name.
fn whole(part: &Path, name: &Path) -> Result<Restored, Failure> {
    let file = File::open(part).map_err(at(part))?;
    let done = check(BufReader::new(file)).map_err(at(part))?;
    std::fs::rename(part, name).map_err(at(name))?;
    let folder = name.parent().filter(|p| !p.as_os_str().is_empty());
    sync_dir(folder.unwrap_or(Path::new("."))).map_err(at(name))?;
    Ok(done)
}

/// Puts a backup back.
///
/// # Errors
/// When it is not whole, or the folder is not empty.
pub fn put_back(args: &RestoreArgs) -> Result<(), Failure> {
    let file = File::open(&args.file).map_err(at(&args.file))?;
    let bar = bar(file.metadata().ok().map(|m| m.len()));
    bar.set_message("putting back");
    let done = restore(BufReader::new(bar.wrap_read(file)), &args.data);
    bar.finish_and_clear();
    let done = done.map_err(|error| match error {
        RestoreError::Tape(error) => at(&args.file)(error),
        error @ RestoreError::Folder { .. } => Failure::failed(error.to_string()),
    })?;
    print(&format!(
        "{} files, {}, are in {data}\nGo on with: callboard serve --data {data}\n",
        done.files,
        HumanBytes(done.bytes),
        data = args.data.display()
    ))
}
