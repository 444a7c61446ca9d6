//! Telling MP3 from noise: eleven set bits alone are found in any file.

/// Whether two MPEG audio frames of the same kind follow each other at `at`.
pub(super) fn starts_here(bytes: &[u8], at: usize) -> bool {
    match frame_length(bytes, at) {
        Some(length) => match bytes.get(at + length..at + length + 4) {
            Some(_) => frame_length(bytes, at + length).is_some(),
            // The only frame of a very short file.
            None => at == 0,
        },
        None => false,
    }
}

/// Length in bytes of the MPEG layer III frame whose header lies at `at`.
fn frame_length(bytes: &[u8], at: usize) -> Option<usize> {
    let h = bytes.get(at..at + 4)?;
    if h[0] != 0xFF || h[1] & 0xE0 != 0xE0 {
        return None;
    }
    let version = (h[1] >> 3) & 3; // 3 = MPEG 1, 2 = MPEG 2, 0 = MPEG 2.5
    let layer3 = (h[1] >> 1) & 3 == 1;
    let (bitrate, rate) = ((h[2] >> 4) as usize, ((h[2] >> 2) & 3) as usize);
    if version == 1 || !layer3 || bitrate == 0 || bitrate == 15 || rate == 3 {
        return None;
    }
    const KBIT_1: [usize; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const KBIT_2: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let hz = [44_100, 48_000, 32_000][rate] / [4, 1, 2, 1][version as usize];
    let (kbit, samples) = if version == 3 {
        (KBIT_1[bitrate], 1152)
    } else {
        (KBIT_2[bitrate], 576)
    };
    Some(samples / 8 * kbit * 1000 / hz + ((h[2] >> 1) & 1) as usize)
}

#[cfg(test)]
mod tests {
    use super::starts_here;

    #[test]
    fn frames_are_told_from_noise() {
        // 24 kbit/s, 8 kHz, MPEG 2.5: 72 * 24000 / 8000 = 216 bytes a frame.
        let mut bytes = vec![0u8; 440];
        bytes[..4].copy_from_slice(&[0xFF, 0xE3, 0x38, 0xC4]);
        bytes[216..220].copy_from_slice(&[0xFF, 0xE3, 0x38, 0xC4]);
        assert!(starts_here(&bytes, 0));
        bytes[216] = 0;
        assert!(!starts_here(&bytes, 0));
        assert!(!starts_here(&[0xFF; 64], 0));
    }
}
