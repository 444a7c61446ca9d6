//! Card numbers by their own rules (ISO/IEC 7812).

/// The Luhn check: from the right every second digit is doubled, 9 taken off above 9; the sum is
/// a multiple of ten. False for anything but digits.
pub fn luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (i, b) in digits.bytes().rev().enumerate() {
        if !b.is_ascii_digit() {
            return false;
        }
        let d = u32::from(b - b'0') * if i % 2 == 1 { 2 } else { 1 };
        sum += if d > 9 { d - 9 } else { d };
    }
    !digits.is_empty() && sum % 10 == 0
}

/// Whether a number of this length and beginning is issued by one of the large card schemes.
pub fn card_range(digits: &str) -> bool {
    let n = digits.len();
    let lead = |k: usize| {
        digits
            .get(..k)
            .and_then(|d| d.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let (one, two, three, four, six) = (lead(1), lead(2), lead(3), lead(4), lead(6));
    (one == 4 && [13, 16, 19].contains(&n))
        || (n == 16 && ((51..=55).contains(&two) || (2221..=2720).contains(&four)))
        || (n == 15 && (two == 34 || two == 37))
        || ((16..=19).contains(&n)
            && (four == 6011
                || (644..=649).contains(&three)
                || two == 65
                || two == 62
                || (622_126..=622_925).contains(&six)
                || (3528..=3589).contains(&four)))
        || ((14..=19).contains(&n)
            && ((300..=305).contains(&three)
                || four == 3095
                || two == 36
                || two == 38
                || two == 39))
        || ((12..=19).contains(&n) && (two == 50 || (56..=58).contains(&two) || one == 6))
}

#[cfg(test)]
mod tests {
    use super::{card_range, luhn};

    #[test]
    fn public_test_numbers_pass() {
        for number in [
            "4111111111111111",
            "5555555555554444",
            "378282246310005",
            "6011111111111117",
            "30569309025904",
        ] {
            assert!(luhn(number) && card_range(number), "{number}");
        }
        assert!(!luhn("4111111111111112") && !luhn("") && !luhn("12a4"));
        assert!(!card_range("1234567890123456") && !card_range("411111"));
    }
}
