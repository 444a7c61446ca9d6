//! G.711: the telephone network's two logarithmic codes (ITU-T G.711).

/// One µ-law byte as a 16-bit sample.
pub const fn mulaw(byte: u8) -> i16 {
    let u = !byte;
    let t = ((((u & 0x0F) as i32) << 3) + 0x84) << ((u & 0x70) >> 4);
    (if u & 0x80 != 0 { 0x84 - t } else { t - 0x84 }) as i16
}

/// One A-law byte as a 16-bit sample.
pub const fn alaw(byte: u8) -> i16 {
    let a = byte ^ 0x55;
    let m = ((a & 0x0F) as i32) << 4;
    let exponent = (a & 0x70) >> 4;
    let m = match exponent {
        0 => m + 8,
        1 => m + 0x108,
        _ => (m + 0x108) << (exponent - 1),
    };
    (if a & 0x80 != 0 { m } else { -m }) as i16
}

const fn table(alaw_law: bool) -> [f32; 256] {
    let mut table = [0f32; 256];
    let mut i = 0;
    while i < 256 {
        let sample = if alaw_law {
            alaw(i as u8)
        } else {
            mulaw(i as u8)
        };
        table[i] = sample as f32 / 32768.0;
        i += 1;
    }
    table
}

/// All 256 µ-law bytes as samples between -1 and 1.
pub(super) static MULAW: [f32; 256] = table(false);
/// All 256 A-law bytes as samples between -1 and 1.
pub(super) static ALAW: [f32; 256] = table(true);

#[cfg(test)]
mod tests {
    use super::{alaw, mulaw};

    #[test]
    fn published_check_values_hold() {
        let got: Vec<i16> = [0xFF, 0x7F, 0x00, 0x80].into_iter().map(mulaw).collect();
        assert_eq!(got, [0, 0, -32124, 32124]);
        let got: Vec<i16> = [0xD5, 0x55, 0x2A, 0xAA].into_iter().map(alaw).collect();
        assert_eq!(got, [8, -8, -32256, 32256]);
    }
}
