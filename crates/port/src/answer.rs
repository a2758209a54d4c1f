//! What is said where a program of another library stands in the place of one in nnc.

use crate::translate;
use nnc_syntax::{Code, Diagnostic};
use std::path::Path;

/// What is said where a Keras or PyTorch program stands in the place of one in nnc; nothing for any other text.
pub fn answer(name: &str, text: &str) -> Option<Diagnostic> {
    // Of a piece without a network the grammar says more, line by line.
    let port = translate(text).filter(|port| port.network)?;
    let library = port.library.name();
    let d =
        Diagnostic::error(Code::N0108, format!("`{name}` is a {library} program (Python), not one in nnc"));
    let shown = port.program.trim_end();
    let d = d.help(format!("here is the same in nnc:\n\n{shown}\n"));
    let d = match (name.starts_with('<'), port.left.len()) {
        (true, _) => d,
        (false, 0) => d.help(format!("{} writes it", command(name))),
        (false, left) => {
            let things = if left == 1 { "thing" } else { "things" };
            d.help(format!("{} writes it, and tells of {left} {things} that it does not have", command(name)))
        }
    };
    Some(d)
}

/// The command that translates a file.
fn command(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or("net");
    let to = if name.ends_with(".py") { format!("{stem}.nn") } else { format!("{stem}-nnc.nn") };
    format!("nnc import {name} -o {to}")
}
