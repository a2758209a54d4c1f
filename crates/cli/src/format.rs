//! Numbers, sizes and predictions as words.

pub use nnc_syntax::units::{bytes, count, grouped};
use nnc_train::{Heading, Metrics, Reading, TableMetric};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Five digits that matter; whole numbers stay whole.
pub fn short(x: f64) -> String {
    if !x.is_finite() {
        return if x.is_nan() { "NaN".into() } else { format!("{x}") };
    }
    if x == 0.0 {
        return "0".into();
    }
    let scale = x.abs().log10().floor();
    if !(-4.0..9.0).contains(&scale) {
        let text = format!("{x:.3e}");
        return match text.split_once('e') {
            Some((digits, power)) => format!("{}e{power}", trimmed(digits)),
            None => text,
        };
    }
    let decimals = (4.0 - scale).max(0.0) as usize;
    trimmed(&format!("{x:.decimals$}")).to_string()
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// The shortest digits that read back as the same number, of single precision where it is one.
pub fn exact(x: f64) -> String {
    let mut text = String::new();
    write_exact(&mut text, x);
    text
}

/// The digits of [`exact`] behind a text.
pub fn write_exact(out: &mut String, x: f64) {
    let single = x as f32;
    let plain = x == 0.0 || (1e-5..1e16).contains(&x.abs()) || !x.is_finite();
    // Writing to a string does not fail.
    let _ = match (f64::from(single) == x, plain) {
        (true, true) => write!(out, "{single}"),
        (true, false) => write!(out, "{single:e}"),
        (false, true) => write!(out, "{x}"),
        (false, false) => write!(out, "{x:e}"),
    };
}

/// A JSON number with the digits of [`exact`]; what JSON has no number for is null.
pub fn number(x: f64) -> Value {
    serde_json::from_str(&exact(x)).unwrap_or(Value::Null)
}

/// `12.3 s`, `45 ms`, `6.2 µs`, `3 min 20 s`
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{} µs", short((s * 1e8).round() / 100.0)),
        s if s < 1.0 => format!("{} ms", short((s * 1e5).round() / 100.0)),
        s if s < 120.0 => format!("{s:.1} s"),
        s => format!("{} min {} s", (s / 60.0).floor(), (s % 60.0).floor()),
    }
}

/// `28x28x1`; `number` for a single one.
pub fn shape(sizes: &[usize]) -> String {
    if sizes.is_empty() {
        return "number".into();
    }
    nnc_syntax::units::sizes(sizes)
}

/// `loss 0.0123  accuracy 0.98`
pub fn line(figures: &Metrics) -> String {
    let mut out = format!("loss {}", short(figures.loss));
    for (name, value) in &figures.metrics {
        out.push_str(&format!("  {name} {}", short(*value)));
    }
    out
}

/// The metrics by name.
pub fn metrics(figures: &Metrics) -> Value {
    Value::Object(figures.metrics.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

/// Metrics of more than one number by name: a list of rows, or of numbers.
pub fn tables(figures: &Metrics) -> Value {
    let of = |t: &TableMetric| match t.shape[..] {
        [_, width] => json!(t.values.chunks(width.max(1)).collect::<Vec<_>>()),
        _ => json!(t.values),
    };
    Value::Object(figures.tables.iter().map(|t| (t.name.clone(), of(t))).collect())
}

/// A metric of more than one number for people: rows below each other, with the names of the classes.
pub fn grid(t: &TableMetric) -> String {
    let width = t.shape.last().copied().unwrap_or(1).max(1);
    let name = |i: usize| t.classes.as_ref().and_then(|c| c.get(i)).map(|c| crate::excerpt::printable(c));
    let head = name(0).map(|_| (0..width).map(|i| name(i).unwrap_or_default()).collect::<Vec<_>>());
    let mut rows: Vec<Vec<String>> = Vec::new();
    if let Some(head) = head {
        rows.push(std::iter::once(String::new()).chain(head).collect());
    }
    for (i, row) in t.values.chunks(width).enumerate() {
        let cells = row.iter().map(|x| short(*x));
        rows.push(name(i).into_iter().chain(cells).collect());
    }
    let wide = rows.iter().flatten().map(|c| c.width()).max().unwrap_or(0);
    let mut out = format!("{}\n", t.name);
    if t.classes.is_some() {
        out = format!("{} (rows are the data, columns what the network says)\n", t.name);
    }
    for row in rows {
        let cells = row.iter().map(|c| format!("{}{c}", " ".repeat(wide - c.width())));
        out.push_str(&format!("  {}\n", cells.collect::<Vec<_>>().join("  ")));
    }
    out
}

/// Loss and metrics in one object.
pub fn object(figures: &Metrics) -> Value {
    let mut out = Map::new();
    out.insert("loss".into(), json!(figures.loss));
    out.insert("metrics".into(), metrics(figures));
    Value::Object(out)
}

/// A text of at most 24 columns: the beginning of a longer one.
fn first_words(text: String) -> String {
    const WIDEST: usize = 24;
    if text.width() <= WIDEST {
        return text;
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + c.width().unwrap_or(0) > WIDEST - 2 {
            break;
        }
        out.push(c);
    }
    format!("{} …", out.trim_end())
}

/// A reading in few characters, for a table.
pub fn cell(heading: &Heading, reading: &Reading) -> String {
    if let Some(class) = &reading.class {
        let class = first_words(crate::excerpt::printable(class));
        return match share(heading, reading) {
            // What would be told as 100.0% says nothing.
            Some(p) if p < 0.9995 => format!("{class} ({:.1}%)", p * 100.0),
            _ => class,
        };
    }
    match reading.values.len() {
        n if n <= 4 => reading.values.iter().map(|x| short(*x)).collect::<Vec<_>>().join(" "),
        _ => shape(&heading.shape),
    }
}

/// The probability of the class that was chosen, where the numbers are probabilities.
fn share(heading: &Heading, reading: &Reading) -> Option<f64> {
    let classes = heading.classes.as_ref()?;
    let class = reading.class.as_ref()?;
    let at = classes.iter().position(|c| c == class)?;
    match (classes.len(), &reading.values[..]) {
        // One number for two classes is the probability of the second.
        (2, [second]) if heading.shape.len() == 1 => Some(if at == 1 { *second } else { 1.0 - second }),
        (n, values) if n == values.len() && n > 1 => values.get(at).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (0.25, "0.25"),
            (0.594_312_34, "0.59431"),
            (12_345.678, "12346"),
            (1e-5, "1e-5"),
            (1.234_567e-7, "1.235e-7"),
            (-0.5, "-0.5"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (0.000_123_456, "0.00012346"),
            (100.0, "100"),
            (2.5e12, "2.5e12"),
        ];
        for (x, text) in cases {
            assert_eq!(short(x), text);
        }
    }

    #[test]
    fn tables_have_their_classes() {
        let classes = Some(["no".to_string(), "yes".to_string()].to_vec());
        let table = TableMetric {
            name: "confusion".into(),
            shape: vec![2, 2],
            values: vec![10.0, 0.0, 2.0, 3.0],
            classes,
        };
        let text = "confusion (rows are the data, columns what the network says)\n\
                    \x20       no  yes\n   no   10    0\n  yes    2    3\n";
        assert_eq!(grid(&table), text);
        let figures = Metrics { tables: vec![table], ..Metrics::default() };
        assert_eq!(tables(&figures), json!({"confusion": [[10.0, 0.0], [2.0, 3.0]]}));
    }

    #[test]
    fn exact_numbers_read_back() {
        assert_eq!(exact(f64::from(0.1f32)), "0.1");
        assert_eq!(exact(0.1), "0.1");
        assert_eq!(exact(1.0 / 3.0).parse::<f64>().ok(), Some(1.0 / 3.0));
        assert_eq!(exact(-1e300), "-1e300");
        assert_eq!(number(f64::NAN), Value::Null);
        assert_eq!(number(0.5), json!(0.5));
    }

    #[test]
    fn amounts_are_readable() {
        assert_eq!(duration(0.0123), "12.3 ms");
        assert_eq!(duration(6.25e-6), "6.25 µs");
        assert_eq!(duration(200.0), "3 min 20 s");
    }
}
