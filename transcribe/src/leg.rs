//! Who is heard.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// The agent's side.
    Agent,
    /// The customer's side.
    Customer,
    /// Both in one sound: who speaks is not known.
    Both,
}

impl Leg {
    /// `agent`, `customer` or `both`.
    pub fn name(self) -> &'static str {
        match self {
            Leg::Agent => "agent",
            Leg::Customer => "customer",
            Leg::Both => "both",
        }
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Leg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "agent" => Ok(Leg::Agent),
            "customer" | "caller" => Ok(Leg::Customer),
            "both" | "mixed" | "stereo" => Ok(Leg::Both),
            _ => Err(format!("leg '{text}' is none of agent, customer, both")),
        }
    }
}
