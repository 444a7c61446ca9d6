//! The mappings that come with callboard.

use super::program::Mapping;

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Names and texts of the mappings that come with callboard.
        pub const SHIPPED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../mappings/", $name, ".toml")))),+
        ];
    };
}

shipped![
    "anywhere365",
    "computertalk",
    "enghouse",
    "five9",
    "landis",
    "luware",
    "nice-cxone",
    "tendfor",
];

/// The text of the mapping of that name.
pub fn shipped(name: &str) -> Option<&'static str> {
    let found = SHIPPED.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

/// All that come with callboard, read.
///
/// # Errors
/// Name and faults of the first that cannot be used.
pub fn all() -> Result<Vec<Mapping>, String> {
    let read = |(name, text): &(&str, &str)| {
        Mapping::parse(text).map_err(|faults| format!("{name}: {}", faults.join("; ")))
    };
    SHIPPED.iter().map(read).collect()
}
