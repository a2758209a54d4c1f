//! Programs of Keras and PyTorch, where a program in nnc may stand.

use crate::failure::Failure;
use crate::format::count;
use crate::output::Output;
use nnc_port::Port;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;
use std::path::Path;

/// What is said where a Keras or PyTorch program stands in the place of one in nnc; nothing for any other text.
pub fn answer(name: &str, text: &str) -> Option<Failure> {
    // Of a piece without a network the grammar says more, line by line.
    let port = nnc_port::translate(text).filter(|port| port.network)?;
    let library = port.library.name();
    let d =
        Diagnostic::error(Code::N0108, format!("`{name}` is a {library} program (Python), not one in nnc"));
    let shown = port.program.trim_end();
    let d = d.help(format!("here is the same in nnc:\n\n{shown}\n"));
    let d = match (name.starts_with('<'), port.left.len()) {
        (true, _) => d,
        (false, 0) => d.help(format!("{} writes it", command(name))),
        (false, left) => {
            let left = count(left as u64, "thing");
            d.help(format!("{} writes it, and tells of {left} that it does not have", command(name)))
        }
    };
    Some(Failure::one(ProblemKind::Spec, d))
}

/// A program in which no network was found.
fn nothing(d: Diagnostic) -> Diagnostic {
    d.cause("no network was found in it that can be followed without running it")
        .help("what is understood: Sequential, the functional form, nn.Sequential, and an nn.Module whose forward is a chain")
        .help("layers by hand: `nnc explain Conv2D` tells what a name is here, `nnc new xor` writes a first program")
}

/// What is said where no network was found.
pub fn without_network(name: &str, port: &Port) -> Failure {
    let message = format!("`{name}` is a {} program, and nothing of it was translated", port.library.name());
    Failure::one(ProblemKind::Spec, nothing(Diagnostic::error(Code::N0108, message)))
}

/// The command that translates a file.
fn command(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or("net");
    let to = if name.ends_with(".py") { format!("{stem}.nn") } else { format!("{stem}-nnc.nn") };
    format!("nnc import {name} -o {to}")
}

/// Tells which lines of the source the program does not have.
pub fn account(name: &str, port: &Port, out: &mut Output) {
    if port.left.is_empty() {
        return out.note(&format!("{name}: all of it is translated"));
    }
    out.note(&format!("{name}: {} not in the program:", count(port.left.len() as u64, "thing")));
    for left in &port.left {
        let text: String = left.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = text.chars().take(60).collect();
        let more = if short.len() < text.len() { " …" } else { "" };
        out.note(&format!(
            "  {name}:{}: {}{more}: {}",
            left.line,
            crate::excerpt::printable(&short),
            left.why
        ));
    }
}
