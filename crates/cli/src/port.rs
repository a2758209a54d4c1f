//! Programs of Keras and PyTorch, where a program in nnc may stand.

use crate::failure::Failure;
use crate::format::count;
use crate::output::Output;
use nnc_port::Port;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;

/// What is said where a Keras or PyTorch program stands in the place of one in nnc; nothing for any other text.
pub fn answer(name: &str, text: &str) -> Option<Failure> {
    nnc_port::answer(name, text).map(|d| Failure::one(ProblemKind::Spec, d))
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
