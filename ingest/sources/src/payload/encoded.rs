//! Texts that stand for other bytes.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes of base64, in the standard alphabet or that for addresses, padded or not, with breaks
/// or without; nothing where the text is none.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let plain: Vec<u8> = text
        .bytes()
        .filter(|b| !b.is_ascii_whitespace())
        .map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    TOLERANT.decode(plain).ok()
}

/// Undoes percent signs; what is no UTF-8 then is replaced.
pub fn percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Undoes the encoding of forms and queries, where `+` is a space.
pub fn form(text: &str) -> String {
    let spaced: Cow<'_, str> = match text.contains('+') {
        true => text.replace('+', " ").into(),
        false => text.into(),
    };
    percent(&spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_in_both_alphabets_padded_or_not() {
        for (text, bytes) in [
            ("eyJhIjoxfQ==", &b"{\"a\":1}"[..]),
            ("eyJhIjoxfQ", b"{\"a\":1}"),
            ("eyJh\r\nIjox fQ", b"{\"a\":1}"),
            ("_-8=", &[0xff, 0xef]),
            ("/+8", &[0xff, 0xef]),
            ("aGk/", b"hi?"),
            ("aGl", b"hi"),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes), "{text}");
        }
        for text in ["a", "a*", "{\"a\":1}", "aG=k"] {
            assert_eq!(base64(text), None, "{text}");
        }
    }

    #[test]
    fn percent_signs_that_say_nothing_stay() {
        assert_eq!(percent("a%20b+c%zz%4"), "a b+c%zz%4");
        assert_eq!(form("%C3%A4+b%2B"), "ä b+");
        assert_eq!(form("%ff"), "\u{fffd}");
    }
}
