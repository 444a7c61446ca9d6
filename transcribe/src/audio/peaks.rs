//! The small picture of a recording.

/// `buckets` loudness marks (0 to 255: the largest amplitude of each equal part of the sound).
/// Fewer when there are fewer samples. Make them from silenced samples: a picture of spoken
/// digits is card data too.
pub fn peaks(samples: &[f32], buckets: usize) -> Vec<u8> {
    let buckets = buckets.clamp(1, 8_192).min(samples.len());
    (0..buckets)
        .map(|i| {
            let part = &samples[i * samples.len() / buckets..(i + 1) * samples.len() / buckets];
            (part.iter().fold(0f32, |m, s| m.max(s.abs())).min(1.0) * 255.0).round() as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::peaks;

    #[test]
    fn every_part_gives_its_loudest_sample() {
        let mut samples = vec![0.0f32; 1_000];
        samples[250] = -1.0;
        samples[999] = 0.5;
        assert_eq!(peaks(&samples, 4), [0, 255, 0, 128]);
        assert_eq!(peaks(&[], 4), Vec::<u8>::new());
        assert_eq!(peaks(&[1.0], 4), [255]);
    }
}
