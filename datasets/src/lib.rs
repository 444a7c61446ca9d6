//! Data to try and to test with: a recorded shift, model weights, and a simulator that writes the
//! truth beside its events.

pub mod compare;
pub mod simulate;
