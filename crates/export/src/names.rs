//! Names that other languages take.

use std::collections::BTreeSet;

/// Words that are no names in C99, C11, C++ or this code.
const RESERVED: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "compl",
    "const",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "int16_t",
    "int32_t",
    "int64_t",
    "int8_t",
    "long",
    "main",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "size_t",
    "sizeof",
    "static",
    "static_assert",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uint8_t",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
];

/// The beginning of names for C, which is no name by itself: letters of ASCII, digits and single underscores,
/// beginning with a letter.
pub(crate) fn prefix(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
    }
    let trimmed = out.trim_end_matches('_');
    let mut out = trimmed.chars().take(48).collect::<String>();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert_str(0, "v_");
    }
    out.trim_end_matches('_').to_string()
}

/// A name for C.
pub(crate) fn identifier(text: &str) -> String {
    let out = prefix(text);
    if RESERVED.contains(&out.as_str()) { format!("v_{out}") } else { out }
}

/// Names that are told apart, whatever they were.
#[derive(Default)]
pub(crate) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// A name like this one that nothing else has.
    pub(crate) fn free(&mut self, text: &str) -> String {
        let base = identifier(text);
        let mut name = base.clone();
        let mut n = 2;
        while !self.taken.insert(name.to_ascii_lowercase()) {
            name = format!("{base}_{n}");
            n += 1;
        }
        name
    }
}

/// A text inside a comment of C: on one line, and without an end of the comment or a trigraph.
pub(crate) fn comment(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    flat.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").replace('\\', "/")
}

/// A string literal of C with these bytes.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for b in text.bytes() {
        match b {
            b'"' | b'\\' | b'?' => {
                out.push('\\');
                out.push(char::from(b));
            }
            0x20..=0x7e => out.push(char::from(b)),
            _ => out.push_str(&format!("\\{b:03o}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        assert_eq!(identifier("sepal_length"), "sepal_length");
        assert_eq!(identifier("petal length (cm)"), "petal_length_cm");
        assert_eq!(identifier("2nd"), "v_2nd");
        assert_eq!(identifier("double"), "v_double");
        assert_eq!(identifier("größe"), "gr_e");
        assert_eq!(identifier("価格"), "v");
        assert_eq!(identifier("../../etc/passwd\n"), "etc_passwd");
        let mut names = Names::default();
        assert_eq!([names.free("a b"), names.free("a-b"), names.free("A b")], ["a_b", "a_b_2", "A_b_3"]);
    }

    #[test]
    fn texts_end_nothing() {
        assert_eq!(comment("a */ b\n#define x ??/ \\"), "a * / b #define x ? ?/ /");
        assert_eq!(literal("\"a\\b?\n\u{e9}1"), r#""\"a\\b\?\012\303\2511""#);
    }
}
