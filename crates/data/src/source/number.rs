//! Reading a number from the bytes of a cell.

/// How the numbers of a file are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digits {
    /// `1,5` is one and a half.
    pub(crate) comma: bool,
    /// What groups the digits of large numbers.
    pub(crate) thousands: Option<char>,
}

/// The number in a cell, or `None`. Infinities and NaN are not numbers here.
pub(crate) fn parse(cell: &[u8], digits: Digits) -> Option<f64> {
    if let Some(value) = short(cell, if digits.comma { b',' } else { b'.' }) {
        return Some(value);
    }
    let text = std::str::from_utf8(cell).ok()?;
    // `f64::from_str` knows `inf`, `infinity` and `nan`; a number has digits.
    if !cell.iter().any(u8::is_ascii_digit) {
        return None;
    }
    if let Some(mark) = digits.thousands.filter(|&m| text.contains(|c| is_mark(c, m))) {
        let text = ungrouped(text, mark, if digits.comma { ',' } else { '.' })?;
        return parse(text.as_bytes(), Digits { thousands: None, ..digits });
    }
    let value: f64 = if digits.comma {
        if text.contains('.') {
            return None;
        }
        text.replacen(',', ".", 1).parse().ok()?
    } else {
        text.parse().ok()?
    };
    value.is_finite().then_some(value)
}

/// Whether a character groups digits as `mark` does: blanks that break no line
/// are blanks, and an apostrophe may be curved.
fn is_mark(c: char, mark: char) -> bool {
    let alike = match mark {
        ' ' => matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}'),
        '\'' => c == '\u{2019}',
        _ => false,
    };
    c == mark || alike
}

/// A number without the marks between its groups of digits; `None` where they
/// are not groups: three digits each (two in the middle, as in India).
fn ungrouped(text: &str, mark: char, point: char) -> Option<String> {
    let (whole, rest) = match text.find(point) {
        Some(i) => text.split_at(i),
        None => (text, ""),
    };
    let sign = usize::from(whole.starts_with(['-', '+']));
    let groups: Vec<&str> = whole[sign..].split(|c| is_mark(c, mark)).collect();
    let (first, last) = (groups.first()?, groups.last()?);
    let middle = groups.get(1..groups.len() - 1).unwrap_or_default();
    let sized = (1..=3).contains(&first.len()) && last.len() == 3 && groups.len() > 1;
    let sized = sized && (middle.iter().all(|g| g.len() == 3) || middle.iter().all(|g| g.len() == 2));
    let plain =
        groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_digit())) && !rest.contains(|c| is_mark(c, mark));
    (sized && plain).then(|| text.chars().filter(|&c| !is_mark(c, mark)).collect())
}

/// What stands beside the numbers of a column and is no part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sign {
    Percent,
    Currency(char),
    /// A unit of measure, or the code of a currency.
    Unit(&'static str),
}

impl std::fmt::Display for Sign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent => write!(f, "%"),
            Self::Currency(c) => write!(f, "{c}"),
            Self::Unit(name) => write!(f, "{name}"),
        }
    }
}

impl Sign {
    /// A number with the sign, as an example.
    pub(crate) fn beside(self, number: &str) -> String {
        match self {
            Self::Percent => format!("{number}%"),
            Self::Currency(c) => format!("{c}{number}"),
            Self::Unit(name) => format!("{number} {name}"),
        }
    }
}

const CURRENCIES: [char; 9] = ['$', '€', '£', '¥', '₹', '₽', '₩', '₺', '₿'];

/// Codes of currencies (ISO 4217), before or behind a number.
const CODES: [&str; 22] = [
    "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "CAD", "AUD",
    "NZD", "BRL", "MXN", "RUB", "TRY", "ZAR", "KRW",
];

/// Units behind a number. Those of one letter need a blank before them: `3m`
/// may be a name.
const UNITS: [&str; 44] = [
    "°C", "°F", "°", "kg", "g", "mg", "µg", "lb", "lbs", "oz", "t", "km", "m", "cm", "mm", "mi", "ft",
    "km/h", "kmh", "mph", "m/s", "kW", "kWh", "s", "ms", "min", "h", "hrs", "l", "ml", "cc", "Hz", "kHz",
    "MHz", "GHz", "KB", "MB", "GB", "TB", "hPa", "ppm", "dB", "m²", "bhp",
];

/// A number's unit, and what stands before it.
fn unit(text: &str) -> Option<(Sign, &str)> {
    let begin = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ',')? + 1;
    let word = text[begin..].trim_start_matches(is_blank);
    if word.is_empty() {
        // `CHF 12.50`
        let end = text.find(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'))?;
        let code = CODES.into_iter().find(|c| *c == text[..end].trim_end_matches(is_blank))?;
        return Some((Sign::Unit(code), &text[end..]));
    }
    let close = text.len() == begin + word.len();
    let known = CODES.into_iter().chain(UNITS).find(|u| *u == word)?;
    (!close || known.len() > 1).then_some((Sign::Unit(known), &text[..begin]))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}')
}

/// What stands beside a sign: `1,234.50` in `$1,234.50`, `-5` in `($5)`.
pub(crate) fn unsigned(cell: &[u8]) -> Option<(Sign, String)> {
    let text = std::str::from_utf8(cell).ok()?;
    let (negative, text) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (true, inner.trim()),
        None => match text.strip_prefix('-') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        },
    };
    let is = |c: char| CURRENCIES.contains(&c);
    let (sign, rest) = match (text.chars().next()?, text.chars().next_back()?) {
        (_, '%') => (Sign::Percent, &text[..text.len() - 1]),
        (c, _) if is(c) => (Sign::Currency(c), &text[c.len_utf8()..]),
        (_, c) if is(c) => (Sign::Currency(c), &text[..text.len() - c.len_utf8()]),
        _ => unit(text)?,
    };
    let rest = rest.trim_matches(is_blank);
    let twice = negative && rest.starts_with('-');
    let digits = rest.bytes().any(|b| b.is_ascii_digit()) && !twice;
    digits.then(|| (sign, if negative { format!("-{rest}") } else { rest.to_string() }))
}

/// The number beside a sign.
pub(crate) fn signed(cell: &[u8], digits: Digits) -> Option<(Sign, f64)> {
    let (sign, rest) = unsigned(cell)?;
    Some((sign, parse(rest.as_bytes(), digits)?))
}

/// What a program has to say for cells that are no numbers as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spelling {
    /// `decimal_comma`
    pub(crate) comma: bool,
    /// `thousands="."`
    pub(crate) thousands: Option<char>,
}

impl Spelling {
    /// As a program writes it.
    pub(crate) fn option(self) -> String {
        let mark = self.thousands.map(|m| format!("thousands=\"{m}\""));
        let words = self.comma.then(|| "decimal_comma".to_string()).into_iter().chain(mark);
        words.collect::<Vec<_>>().join(" ")
    }

    /// The digits of a number that is written so, with a point.
    pub(crate) fn plain(self, number: &str) -> String {
        let bare = number.chars().filter(|&c| !self.thousands.is_some_and(|m| is_mark(c, m)));
        bare.map(|c| if self.comma && c == ',' { '.' } else { c }).collect()
    }
}

/// The options under which a cell is a number; two where it may be either.
pub(crate) fn needs(cell: &[u8], digits: Digits) -> Vec<Spelling> {
    let bare = unsigned(cell).map(|(_, rest)| rest);
    let cell = bare.as_deref().map_or(cell, str::as_bytes);
    if digits.thousands.is_some() || !cell.iter().any(u8::is_ascii_digit) || parse(cell, digits).is_some() {
        return Vec::new();
    }
    let mut found: Vec<Spelling> = Vec::new();
    for comma in [false, true] {
        if digits.comma && !comma {
            continue;
        }
        let point = if comma { Some('.') } else { Some(',') };
        let alone = (comma != digits.comma).then_some(None);
        let marks = [point, Some(' '), Some('\''), Some('_')];
        for thousands in alone.into_iter().chain(marks) {
            // What a shorter option reads too needs no longer one.
            let shorter =
                |s: &Spelling| comma != digits.comma && (s.thousands.is_none() || s.thousands == thousands);
            let fits = !(thousands.is_some() && found.iter().any(shorter));
            if fits && parse(cell, Digits { comma, thousands }).is_some() {
                // Not to be said twice.
                found.push(Spelling { comma: comma && !digits.comma, thousands });
            }
        }
    }
    found
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
pub(crate) fn meant(cell: &str, digits: Digits) -> Option<String> {
    let fixed: String = cell
        .chars()
        .map(|c| match c {
            'O' | 'o' => '0',
            'l' | 'I' => '1',
            c => c,
        })
        .collect();
    let try_number = |text: &str| parse(text.as_bytes(), digits).map(|_| text.to_string());
    if fixed != cell
        && let Some(n) = try_number(&fixed)
    {
        let letter = if cell.contains(['O', 'o']) { "a letter O" } else { "a letter for a 1" };
        return Some(format!("{letter}; did you mean {n}?"));
    }
    // A minus or a dash of a typesetter.
    if let Some(rest) = cell.strip_prefix(['−', '–', '—'])
        && let Some(n) = try_number(&format!("-{rest}"))
    {
        return Some(format!("a sign that is no minus of a keyboard; did you mean {n}?"));
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
    // `1,352` may be both; `needs` names the options.
    if !digits.comma && needs(cell.as_bytes(), digits) == [Spelling { comma: true, thousands: None }] {
        return Some(format!("a comma for a point? did you mean {}?", cell.replace(',', ".")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: Digits = Digits { comma: false, thousands: None };
    const COMMA: Digits = Digits { comma: true, thousands: None };

    #[test]
    fn groups_of_digits() {
        let by = |mark| Digits { thousands: Some(mark), ..POINT };
        assert_eq!(parse(b"25,100", by(',')), Some(25100.0));
        assert_eq!(parse(b"-1,234,567.25", by(',')), Some(-1_234_567.25));
        assert_eq!(parse(b"12,34,567", by(',')), Some(1_234_567.0));
        assert_eq!(parse(b"403", by(',')), Some(403.0));
        assert_eq!(parse("1 234,5".as_bytes(), Digits { thousands: Some(' '), ..COMMA }), Some(1234.5));
        assert_eq!(parse(b"1.234,56", Digits { thousands: Some('.'), ..COMMA }), Some(1234.56));
        for bad in ["1,35", "1,3522", "1234,567", ",123", "1,,234", "1,234.5,6", "12,3,456", "-", "1,23a"] {
            assert_eq!(parse(bad.as_bytes(), by(',')), None, "{bad}");
        }
    }

    #[test]
    fn signs_beside_numbers() {
        let read = |cell: &str| signed(cell.as_bytes(), Digits { thousands: Some(','), ..POINT });
        assert_eq!(read("$1,234.50"), Some((Sign::Currency('$'), 1234.5)));
        assert_eq!(read("-$5"), Some((Sign::Currency('$'), -5.0)));
        assert_eq!(read("$-5"), Some((Sign::Currency('$'), -5.0)));
        assert_eq!(read("($5)"), Some((Sign::Currency('$'), -5.0)));
        assert_eq!(read("12 €"), Some((Sign::Currency('€'), 12.0)));
        assert_eq!(read("12.5%"), Some((Sign::Percent, 12.5)));
        assert_eq!(read("12.5 USD"), Some((Sign::Unit("USD"), 12.5)));
        assert_eq!(read("CHF 12.50"), Some((Sign::Unit("CHF"), 12.5)));
        assert_eq!(read("-3.5°C"), Some((Sign::Unit("°C"), -3.5)));
        assert_eq!(read("1,200\u{a0}kg"), Some((Sign::Unit("kg"), 1200.0)));
        assert_eq!(read("7 m"), Some((Sign::Unit("m"), 7.0)));
        for bad in [
            "%",
            "$",
            "5",
            "-$-5",
            "$5$",
            "5%%",
            "$x",
            "",
            "7m",
            "3A",
            "2nd",
            "10 downing st",
            "kg",
            "B 5",
            "é5",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn options_that_make_a_number() {
        let of = |cell: &str, digits| {
            needs(cell.as_bytes(), digits).into_iter().map(Spelling::option).collect::<Vec<_>>()
        };
        assert_eq!(of("1,5", POINT), ["decimal_comma"]);
        assert_eq!(of("1,352", POINT), ["thousands=\",\"", "decimal_comma"]);
        assert_eq!(of("1,234,567", POINT), ["thousands=\",\""]);
        assert_eq!(of("$1,234.50", POINT), ["thousands=\",\""]);
        assert_eq!(of("1.234,56", POINT), ["decimal_comma thousands=\".\""]);
        assert_eq!(of("1 234", POINT), ["thousands=\" \""]);
        assert_eq!(of("1\u{a0}234", POINT), ["thousands=\" \""]);
        assert_eq!(of("1\u{202f}234,5", POINT), ["decimal_comma thousands=\" \""]);
        assert_eq!(of("1\u{2019}234.5", POINT), ["thousands=\"'\""]);
        assert_eq!(of("CHF 1'234.50", POINT), ["thousands=\"'\""]);
        assert_eq!(of("1_234", POINT), ["thousands=\"_\""]);
        assert_eq!(of("1.234", COMMA), ["thousands=\".\""]);
        for none in ["12", "x", "1_2", "a_b", "1,2,3"] {
            assert_eq!(of(none, POINT), Vec::<String>::new(), "{none}");
        }
    }

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
            let got = parse(text.as_bytes(), POINT).unwrap();
            assert_eq!(got.to_bits(), expected.to_bits(), "{text}");
        }
        for text in ["", ".", "-", "inf", "nan", "-infinity", "1e999", "O", "1,5", "0x10", "1 2"] {
            assert_eq!(parse(text.as_bytes(), POINT), None, "{text}");
        }
        assert_eq!(parse(b"1,5", COMMA), Some(1.5));
        assert_eq!(parse(b"1.5", COMMA), None);
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
            assert_eq!(parse(text.as_bytes(), POINT), Some(expected), "{text}");
        }
    }

    #[test]
    fn slips_are_recognised() {
        assert_eq!(meant("O", POINT).unwrap(), "a letter O; did you mean 0?");
        assert_eq!(meant("1O5", POINT).unwrap(), "a letter O; did you mean 105?");
        assert_eq!(meant("$12.50", POINT).unwrap(), "did you mean 12.50?");
        assert!(meant("−2.5", POINT).unwrap().ends_with("did you mean -2.5?"));
        assert!(meant("1,5", POINT).unwrap().contains("1.5"));
        // A thousand times more, or a thousandth: nothing is proposed.
        assert_eq!(meant("1,352", POINT), None);
        assert_eq!(meant("hello", POINT), None);
    }
}
