//! Addresses of files.

use lsp_types::Uri;
use std::path::{Path, PathBuf};

/// The file that an address names; nothing where it names something else.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = rest.find('/').map(|at| &rest[at..])?;
    let path = decoded(path.split(['?', '#']).next().unwrap_or(path))?;
    // `/c:/programs` is a path of Windows.
    let drive =
        path.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) && path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if drive { &path[1..] } else { &path }))
}

/// The address of a file; nothing where its path is not known from the root.
pub(crate) fn uri_of(path: &Path) -> Option<Uri> {
    let path = std::path::absolute(path).ok()?;
    let text = path.to_str()?.replace('\\', "/");
    let root = if text.starts_with('/') { "" } else { "/" };
    format!("file://{root}{}", encoded(&text)).parse().ok()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
        match (first, hex(after.first()), hex(after.get(1))) {
            (b'%', Some(a), Some(b)) => {
                bytes.push(u8::try_from(a * 16 + b).ok()?);
                rest = after.get(2..).unwrap_or(&[]);
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back() {
        for path in ["/a/b.nn", "/größe und mehr/x y.nn", "/100%/a#b?.nn"] {
            let uri = uri_of(Path::new(path)).unwrap();
            assert_eq!(path_of(&uri), Some(PathBuf::from(path)), "{}", uri.as_str());
        }
        assert_eq!(path_of(&"file:///c%3A/x.nn".parse().unwrap()), Some(PathBuf::from("c:/x.nn")));
        assert_eq!(path_of(&"untitled:Untitled-1".parse().unwrap()), None);
    }
}
