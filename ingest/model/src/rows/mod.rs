//! State becomes rows. Pure: the same state gives the same rows, whenever they are asked for.

mod agents;
mod contacts;
mod measured;
mod recordings;

pub use agents::{AGENT_DEVICE, agent_rows, forget_before, silent_from, target_rows, told_until};
pub use contacts::{ContactRows, contact_rows};
pub use measured::{
    MOST_MEASUREMENTS, customer_rows, evaluation_rows, figure_rows, lease_rows, measurement_rows,
    schedule_rows,
};
pub use recordings::{RecordingRows, note_rows, recording_rows, survey_rows};
