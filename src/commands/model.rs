//! `callboard model list|download`.

use std::path::{Path, PathBuf};

use callboard_transcribe::models;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, print};
use crate::cli::ModelCommand;

/// Does it.
///
/// # Errors
/// What went wrong and what to do.
pub fn run(command: ModelCommand) -> Result<(), Failure> {
    match command {
        ModelCommand::List { models } => print(&list(&folder(models)?)),
        ModelCommand::Download { name, models } => download(&name, &folder(models)?),
    }
}

/// Where downloads lie: named, or the user's data folder.
fn folder(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        return Ok(folder);
    }
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let data = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .ok_or_else(|| {
            Failure::usage("neither XDG_DATA_HOME nor HOME is set; name a folder with --models")
        })?;
    Ok(data.join("callboard/models"))
}

fn list(folder: &Path) -> String {
    let mut out = format!(
        "{:<24} {:>9}  {:<8} {:<10} {}\n",
        "NAME", "SIZE", "LANGUAGE", "STATE", "WHAT FOR"
    );
    for model in models::list() {
        let state = match (model.download, folder.join(model.file).exists()) {
            (false, _) => "comes with",
            (true, true) => "here",
            (true, false) => "",
        };
        let size = match model.bytes {
            0 => String::new(),
            bytes => format!("{} MiB", bytes.div_ceil(1 << 20)),
        };
        let line = format!(
            "{:<24} {size:>9}  {:<8} {state:<10} {}",
            model.name, model.language, model.about
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push_str(&format!("\nDownloads lie in {}\n", folder.display()));
    out
}

fn download(name: &str, folder: &Path) -> Result<(), Failure> {
    let bar = ProgressBar::no_length();
    let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    let path = models::download(name, folder, None, &mut |progress| {
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let path = path.map_err(|e| Failure::failed(e.to_string()))?;
    print(&format!(
        "{}\nchecked. Use it with --model {0}\n",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_model_is_listed_with_its_state() {
        let dir = tempfile::tempdir().unwrap();
        let known = models::list().iter().find(|m| m.download).unwrap();
        std::fs::write(dir.path().join(known.file), b"").unwrap();
        let text = list(dir.path());
        for model in models::list() {
            assert!(text.contains(model.name), "{}", model.name);
        }
        let line = text
            .lines()
            .find(|l| l.starts_with(&format!("{} ", known.name)))
            .unwrap();
        assert!(line.contains(" here "), "{line}");
    }

    #[test]
    fn an_unknown_model_is_a_failure_that_names_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let failure = download("huge.en", dir.path()).unwrap_err();
        assert!(
            failure.message.contains("model list"),
            "{}",
            failure.message
        );
    }
}
