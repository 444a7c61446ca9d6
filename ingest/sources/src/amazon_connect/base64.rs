//! Base64 as stream deliveries use it: the standard alphabet or the one for addresses, padded or not.

/// The bytes; `None` when a sign is none of the alphabet's.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut held, mut bits) = (0u32, 0u32);
    let mut over = false;
    for sign in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let six = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                over = true;
                continue;
            }
            _ => return None,
        };
        if over {
            return None;
        }
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // A lone sign carries no whole byte.
    (bits < 6).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn known_texts() {
        assert_eq!(decode("eyJhIjoxfQ==").as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(decode("eyJhIjoxfQ").as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(decode("_-8=").as_deref(), Some(&[0xff, 0xef][..]));
        assert_eq!(decode("a"), None);
        assert_eq!(decode("{\"a\":1}"), None);
    }
}
