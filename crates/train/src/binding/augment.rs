//! What a program asks to be done to its pictures: `augment=[flip, shift]`.

use nnc_model::data::{Literal, Part};
use nnc_model::{Ports, Spec};
use nnc_syntax::ast::Dataset;
use nnc_syntax::{Code, Diagnostic, Span};

/// What can be done to a picture.
const KINDS: [&str; 2] = ["flip", "shift"];
/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Left and right exchanged, in one picture of two.
    pub(crate) flip: bool,
    /// Moved a little.
    pub(crate) shift: bool,
}

/// The words of `augment=`, and where they stand.
fn words(decl: &Dataset<Literal>) -> Option<(Vec<&str>, Span)> {
    let arg = decl.args.iter().find(|a| a.key() == Some("augment"))?;
    let words = match &arg.value {
        Literal::List(items) => items.iter().map(text).collect(),
        one => vec![text(one)],
    };
    Some((words, arg.span))
}

fn text(literal: &Literal) -> &str {
    match literal {
        Literal::Word(word) | Literal::Text(word) => word,
        _ => "",
    }
}

/// What the program asks for, if it does.
pub(crate) fn asked(spec: &Spec) -> Option<Asked> {
    let train = spec.data.iter().find(|d| d.part == Part::Train)?;
    let (words, _) = words(train)?;
    Some(Asked { flip: words.contains(&"flip"), shift: words.contains(&"shift") })
}

/// What is wrong with the `augment=` of a program whose data offers these ports.
pub(crate) fn mistakes(spec: &Spec, ports: &Ports) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for decl in &spec.data {
        let Some((words, span)) = words(decl) else { continue };
        let d = if let Some(word) = words.iter().find(|w| !KINDS.contains(w)) {
            let what = if word.is_empty() { "this" } else { word };
            Diagnostic::error(Code::N0514, format!("`augment` knows {}, not `{what}`", KINDS.join(" and ")))
                .label(span, "")
                .help("for example: augment=[flip, shift]")
        } else if decl.part != Part::Train {
            Diagnostic::error(Code::N0514, "only what is trained on is augmented")
                .label(span, "leave this out")
                .cause("the network is judged on pictures as they are")
        } else if !ports.inputs.iter().any(|p| p.shape.len() == 3 && p.classes.is_none()) {
            Diagnostic::error(Code::N0514, "`augment` is for pictures, and no input is one")
                .label(span, "")
                .help("columns become a picture by a shape: input image 28x28x1")
        } else {
            continue;
        };
        out.push(d);
    }
    out
}
