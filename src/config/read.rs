//! Reads the file and the environment; every error says where it is and what to do.

use std::path::{Path, PathBuf};

use super::Config;

/// Prefix of environment variables that stand for keys: `CALLBOARD__HTTP__LISTEN`.
const PREFIX: &str = "CALLBOARD__";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("{path}: {error}; correct --config, or leave it away to use the defaults")]
    File {
        /// Path.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Its content.
    #[error("{place}: {detail}")]
    Content {
        /// File and line, or variable.
        place: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// What it means.
    #[error("{}", .0.join("\n"))]
    Meaning(Vec<String>),
}

/// The configuration of that file (or the defaults), with what the environment adds, checked.
///
/// # Errors
/// [`ConfigError`].
pub fn load(
    path: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let text = match path {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            error,
        })?,
    };
    let name = path.map_or("defaults".to_owned(), |p| p.display().to_string());
    // The file alone first: its errors have a line.
    let mut config: Config = toml::from_str(&text).map_err(|e| content(&name, Some(&text), &e))?;
    let mut variables: Vec<_> = environment
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    variables.sort();
    if !variables.is_empty() {
        let mut table: toml::Table =
            toml::from_str(&text).map_err(|e| content(&name, Some(&text), &e))?;
        for (variable, value) in &variables {
            set(&mut table, variable, value)?;
            config = toml::Value::Table(table.clone())
                .try_into()
                .map_err(|e| content(&format!("environment variable {variable}"), None, &e))?;
        }
    }
    let faults = config.faults();
    if faults.is_empty() {
        Ok(config)
    } else {
        let named = |fault: String| format!("{name}: {fault}");
        Err(ConfigError::Meaning(
            faults.into_iter().map(named).collect(),
        ))
    }
}

/// Sets the key that a variable names.
fn set(table: &mut toml::Table, variable: &str, value: &str) -> Result<(), ConfigError> {
    let keys: Vec<String> = variable[PREFIX.len()..]
        .split("__")
        .map(str::to_ascii_lowercase)
        .collect();
    let wrong = |detail: &str| ConfigError::Content {
        place: format!("environment variable {variable}"),
        detail: detail.to_owned(),
    };
    let (last, before) = keys.split_last().ok_or_else(|| wrong("names no key"))?;
    let mut at = table;
    for key in before {
        at = at
            .entry(key.clone())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| wrong("lists such as [[queue]] can only stand in the file"))?;
    }
    // A value is what TOML says it is; what TOML does not know is a text.
    let parsed: Option<toml::Value> = toml::from_str::<toml::Table>(&format!("v = {value}"))
        .ok()
        .and_then(|mut t| t.remove("v"));
    at.insert(
        last.clone(),
        parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())),
    );
    Ok(())
}

fn content(name: &str, text: Option<&str>, error: &toml::de::Error) -> ConfigError {
    let line = text.zip(error.span()).map(|(text, span)| {
        let before = &text.as_bytes()[..span.start.min(text.len())];
        1 + before.iter().filter(|b| **b == b'\n').count()
    });
    let place = match line {
        Some(line) => format!("{name} line {line}"),
        None => name.to_owned(),
    };
    let message = error.message().trim().to_owned();
    let detail = match suggestion(&message) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    };
    ConfigError::Content { place, detail }
}

/// The known key nearest to an unknown one, out of the parser's own message.
fn suggestion(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once('`')?;
    rest.split('`')
        .skip(1)
        .step_by(2)
        .map(|known| (distance(unknown, known), known))
        .min()
        .filter(|(far, known)| *far <= 1 + known.len() / 3)
        .map(|(_, known)| known.to_owned())
}

/// Edits that lead from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
