//! Reading a number from the bytes of a cell.

/// The number in a cell, or `None`. Infinities and NaN are not numbers here.
pub(crate) fn parse(cell: &[u8], decimal_comma: bool) -> Option<f64> {
    if let Some(value) = short(cell, if decimal_comma { b',' } else { b'.' }) {
        return Some(value);
    }
    let text = std::str::from_utf8(cell).ok()?;
    // `f64::from_str` knows `inf`, `infinity` and `nan`; a number has digits.
    if !cell.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let value: f64 = if decimal_comma {
        if text.contains('.') {
            return None;
        }
        text.replacen(',', ".", 1).parse().ok()?
    } else {
        text.parse().ok()?
    };
    value.is_finite().then_some(value)
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Numbers of at most 15 digits without exponent: both the digits and the
/// power of ten are exact, so one division rounds correctly (Clinger 1990).
fn short(cell: &[u8], point: u8) -> Option<f64> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let mut mantissa = 0u64;
    let mut count = 0;
    let mut after: Option<usize> = None;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + u64::from(digit);
            count += 1;
            if let Some(n) = &mut after {
                *n += 1;
            }
        } else if byte == point && after.is_none() {
            after = Some(0);
        } else {
            return None;
        }
    }
    if count == 0 || count > 15 {
        return None;
    }
    let value = mantissa as f64 / POWERS[after.unwrap_or(0)];
    Some(if negative { -value } else { value })
}

/// What a cell that is not a number may have meant.
pub(crate) fn meant(cell: &str, decimal_comma: bool) -> Option<String> {
    let fixed: String = cell
        .chars()
        .map(|c| match c {
            'O' | 'o' => '0',
            'l' | 'I' => '1',
            c => c,
        })
        .collect();
    let try_number = |text: &str| parse(text.as_bytes(), decimal_comma).map(|_| text.to_string());
    if fixed != cell
        && let Some(n) = try_number(&fixed)
    {
        let letter = if cell.contains(['O', 'o']) { "a letter O" } else { "a letter for a 1" };
        return Some(format!("{letter}; did you mean {n}?"));
    }
    let bare: String =
        cell.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '_' | '$' | '€' | '£' | '\'')).collect();
    if bare != cell
        && let Some(n) = try_number(&bare)
    {
        return Some(format!("did you mean {n}?"));
    }
    if let Some(part) = cell.strip_suffix('%')
        && let Some(n) = try_number(part.trim())
    {
        return Some(format!("a percentage; write {n} in a column of its own unit"));
    }
    if !decimal_comma && cell.matches(',').count() == 1 {
        let dotted = cell.replace(',', ".");
        if let Some(n) = try_number(&dotted) {
            return Some(format!("a comma for a point? did you mean {n}?"));
        }
    }
    let grouped: String = cell.chars().filter(|&c| c != ',').collect();
    if grouped != cell
        && let Some(n) = try_number(&grouped)
    {
        return Some(format!("did you mean {n}?"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_as_exact_as_the_library() {
        for text in [
            "0",
            "-0",
            "1",
            "12.5",
            "-3.25",
            "0.1",
            "123456789012345",
            "0.000000000000001",
            "99.99",
            ".5",
            "5.",
            "1e3",
            "-1E-7",
            "1234567890123456789",
            "+4",
            "0.30000000000000004",
        ] {
            let expected: f64 = text.parse().unwrap();
            let got = parse(text.as_bytes(), false).unwrap();
            assert_eq!(got.to_bits(), expected.to_bits(), "{text}");
        }
        for text in ["", ".", "-", "inf", "nan", "-infinity", "1e999", "O", "1,5", "0x10", "1 2"] {
            assert_eq!(parse(text.as_bytes(), false), None, "{text}");
        }
        assert_eq!(parse(b"1,5", true), Some(1.5));
        assert_eq!(parse(b"1.5", true), None);
    }

    #[test]
    fn random_decimals_agree_with_the_library() {
        let stream = crate::rng::Stream::new(5, crate::rng::Purpose::Generator, 0);
        for i in 0..20_000 {
            let digits = stream.below(2 * i, 1_000_000_000_000_000);
            let point = stream.below(2 * i + 1, 15) as usize;
            let mut text = format!("{digits:016}");
            text.insert(point + 1, '.');
            let text = text.trim_start_matches('0');
            let expected: f64 = text.parse().unwrap();
            assert_eq!(parse(text.as_bytes(), false), Some(expected), "{text}");
        }
    }

    #[test]
    fn slips_are_recognised() {
        assert_eq!(meant("O", false).unwrap(), "a letter O; did you mean 0?");
        assert_eq!(meant("1O5", false).unwrap(), "a letter O; did you mean 105?");
        assert_eq!(meant("$12.50", false).unwrap(), "did you mean 12.50?");
        assert!(meant("1,5", false).unwrap().contains("1.5"));
        assert_eq!(meant("12,345,678", false).unwrap(), "did you mean 12345678?");
        assert_eq!(meant("hello", false), None);
    }
}
