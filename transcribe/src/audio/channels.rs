//! What the channels of a recording hold: two people, one sound twice, or nothing.

use crate::Leg;
use serde::{Deserialize, Serialize};

/// Which channel of a two-channel file is whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StereoMap {
    /// Left is the customer, right the agent (Asterisk, Amazon Connect).
    CustomerLeft,
    /// Left is the agent, right the customer.
    AgentLeft,
}

impl StereoMap {
    /// Legs of left and right.
    pub fn legs(self) -> [Leg; 2] {
        match self {
            StereoMap::CustomerLeft => [Leg::Customer, Leg::Agent],
            StereoMap::AgentLeft => [Leg::Agent, Leg::Customer],
        }
    }
}

/// Smallest amplitude that counts as sound: -70 dBFS.
const DEAD: f32 = 0.000_316;

/// Nothing louder than -70 dBFS: a tap that was never connected.
pub fn is_dead(samples: &[f32]) -> bool {
    samples.iter().all(|s| s.abs() < DEAD)
}

/// Whether two channels hold one and the same sound: all but nothing of their energy is common.
/// Lossy codecs make equal channels differ a little, so equality of bytes is not asked for. Two
/// dead channels are not the same sound.
pub fn same_sound(left: &[f32], right: &[f32]) -> bool {
    let n = left.len().min(right.len());
    if n == 0 || left.len().abs_diff(right.len()) > n / 50 + 1 {
        return false;
    }
    let (mut energy, mut difference) = (0f64, 0f64);
    for (l, r) in left.iter().zip(right) {
        energy += f64::from(l * l).max(f64::from(r * r));
        difference += f64::from((l - r) * (l - r));
    }
    energy / n as f64 > f64::from(DEAD * DEAD) && difference < energy * 0.001
}

/// Raises a quiet leg: where speech (frames above -60 dBFS) has an RMS below -35 dBFS it is
/// brought to -23 dBFS, by at most 20 dB, with peaks held at -1 dBFS. The voice detector misses
/// quiet speech otherwise. Returns the gain in dB (0 when nothing was done).
pub fn raise_quiet(samples: &mut [f32], rate: u32) -> f32 {
    let frame = (rate as usize / 50).max(1);
    let (mut sum, mut count) = (0f64, 0usize);
    for chunk in samples.chunks(frame) {
        let energy: f64 = chunk.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
        if energy / chunk.len() as f64 > 1e-6 {
            sum += energy;
            count += chunk.len();
        }
    }
    if count == 0 {
        return 0.0;
    }
    let level = 10.0 * (sum / count as f64).log10();
    if level >= -35.0 {
        return 0.0;
    }
    let gain_db = (-23.0 - level).min(20.0);
    let gain = 10f64.powf(gain_db / 20.0) as f32;
    for sample in samples.iter_mut() {
        *sample = (*sample * gain).clamp(-0.891, 0.891);
    }
    gain_db as f32
}

#[cfg(test)]
mod tests {
    use super::{is_dead, raise_quiet, same_sound};

    fn tone(n: usize, amplitude: f32, step: f32) -> Vec<f32> {
        (0..n)
            .map(|i| (i as f32 * step).sin() * amplitude)
            .collect()
    }

    #[test]
    fn one_sound_twice_is_told_from_two_people_and_from_silence() {
        let left = tone(8_000, 0.5, 0.3);
        let nearly: Vec<f32> = left.iter().map(|s| s + 0.001).collect();
        assert!(same_sound(&left, &nearly));
        assert!(!same_sound(&left, &tone(8_000, 0.5, 0.37)));
        assert!(!same_sound(&left, &vec![0.0; 8_000]));
        assert!(!same_sound(&vec![0.0; 8_000], &vec![0.0; 8_000]));
        assert!(is_dead(&vec![0.0001; 100]) && !is_dead(&left));
    }

    #[test]
    fn only_quiet_legs_are_raised() {
        let mut loud = tone(16_000, 0.3, 0.3);
        assert_eq!(raise_quiet(&mut loud, 16_000), 0.0);
        let mut quiet = tone(16_000, 0.01, 0.3);
        let gain = raise_quiet(&mut quiet, 16_000);
        assert!((19.0..=20.0).contains(&gain), "{gain}");
        assert!(quiet.iter().fold(0f32, |m, s| m.max(s.abs())) > 0.09);
    }
}
