//! JSON, to be written.

use std::fmt;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Whole(u64),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn text(text: &str) -> Self {
        Json::Text(text.into())
    }

    pub(super) fn texts(texts: &[String]) -> Self {
        Json::List(texts.iter().map(|t| Json::text(t)).collect())
    }

    pub(super) fn maybe(value: Option<Self>) -> Self {
        value.unwrap_or(Json::Null)
    }

    /// Whether it stands on one line.
    fn is_short(&self) -> bool {
        match self {
            Json::Null | Json::Bool(_) | Json::Whole(_) | Json::Number(_) | Json::Text(_) => true,
            Json::List(all) => {
                all.iter().all(|v| matches!(v, Json::Whole(_) | Json::Number(_) | Json::Text(_)))
            }
            Json::Object(all) => all.iter().all(|(_, v)| v.is_short()),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let short = self.is_short();
        let gap = |f: &mut fmt::Formatter<'_>, first: bool, depth: usize| match (short, first) {
            (true, true) => Ok(()),
            (true, false) => f.write_str(", "),
            (false, _) => {
                let comma = if first { "" } else { "," };
                write!(f, "{comma}\n{}", "  ".repeat(depth))
            }
        };
        let end = |f: &mut fmt::Formatter<'_>, empty: bool| {
            if short || empty { Ok(()) } else { write!(f, "\n{}", "  ".repeat(depth)) }
        };
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(b) => write!(f, "{b}"),
            Json::Whole(n) => write!(f, "{n}"),
            // What JSON has no number for is none.
            Json::Number(x) if !x.is_finite() => f.write_str("null"),
            Json::Number(x) => write!(f, "{x:?}"),
            Json::Text(text) => string(f, text),
            Json::List(all) => {
                f.write_str("[")?;
                for (i, value) in all.iter().enumerate() {
                    gap(f, i == 0, depth + 1)?;
                    value.write(f, depth + 1)?;
                }
                end(f, all.is_empty())?;
                f.write_str("]")
            }
            Json::Object(all) => {
                f.write_str("{")?;
                for (i, (key, value)) in all.iter().enumerate() {
                    gap(f, i == 0, depth + 1)?;
                    string(f, key)?;
                    f.write_str(": ")?;
                    value.write(f, depth + 1)?;
                }
                end(f, all.is_empty())?;
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                write!(f, "\\u{:04x}", u32::from(c))?;
            }
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn texts_and_numbers() {
        let all = Json::Object(vec![
            ("a", Json::text("\"\\\n\u{7f}ü")),
            ("b", Json::List(vec![Json::Number(1.0), Json::Number(1e-300), Json::Whole(u64::MAX)])),
            ("c", Json::List(vec![Json::Null, Json::Bool(true), Json::Number(f64::NAN)])),
        ]);
        let text = "{\n  \"a\": \"\\\"\\\\\\n\\u007fü\",\n  \"b\": [1.0, 1e-300, 18446744073709551615],\n  \"c\": [\n    null,\n    true,\n    null\n  ]\n}";
        assert_eq!(all.to_string(), text);
    }
}
