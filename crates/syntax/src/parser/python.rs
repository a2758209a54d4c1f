//! Recognises statements of other languages, Python above all, and says how they are written here.

use super::Context;
use crate::token::{Token, TokenKind};
use crate::{Diagnostic, Span};

/// A diagnostic, if this statement is a statement of another language.
pub(super) fn recognise(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    if let Some(found) = method_call(context, tokens, span) {
        return Some(found);
    }
    let (first, second) = (tokens.first()?, tokens.get(1)?);
    // `return = 3` is about somebody's tensor.
    if second.is_operator() && !second.is_sign("-") {
        return None;
    }
    let named = second.word().is_some();
    let found = |message: &str| Diagnostic::error("N0108", message).label(first.span, "");
    Some(match first.word()? {
        "import" if named => nothing_to_import(span),
        "from" if named && tokens.iter().any(|t| t.is_word("import")) => nothing_to_import(span),
        "def" | "function" | "func" if named => {
            found("a function is defined with `fn`, a layer with `layer`")
                .help("fn swish(x, beta = 1.0) = x * sigmoid(beta * x)")
                .help("layer rbf(units: int) of x[n] -> [units] { … }")
        }
        "class" if named => found("there are no classes here; a layer is defined with `layer`")
            .help("layer rbf(units: int) of x[n] -> [units] { … }"),
        "for" | "while" if named || second.is_sign("(") => found("loops are written with `repeat`")
            .help("repeat 3 { dense 16 relu }")
            .help("repeat 3 as i { … }, where `i` counts 0, 1, 2"),
        "return" => found("a body's last tensor is its result").help("leave `return` out").fix(
            Span { end: second.span.start, ..first.span },
            "",
            true,
        ),
        "elif" => found("`elif` is written `else if`").help("if a { … } else if b { … } else { … }"),
        "let" | "var" | "const" | "val"
            if named && tokens.get(2).is_some_and(|t| t.is_sign("=") && !t.tight) =>
        {
            found("a name needs no announcement: write `x = …`")
                .help("a value to be set from outside is `param x = …`")
                .fix(Span { end: second.span.start, ..first.span }, "", true)
        }
        _ => return None,
    })
}

fn nothing_to_import(span: Span) -> Diagnostic {
    Diagnostic::error("N0108", "nothing is imported here: this is not Python")
        .label(span, "delete this line")
        .help("every layer is there already; definitions from another file come with `use \"blocks.nn\"`")
        .fix(span, "", false)
}

/// `model.add(Dense(16))`
fn method_call(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    let [object, point, method, bracket, ..] = tokens else { return None };
    let is_call = point.is_sign(".") && point.tight && bracket.is_sign("(") && bracket.tight;
    if object.word().is_none() || !is_call {
        return None;
    }
    let found = Diagnostic::error(
        "N0108",
        "this is Python: here nothing has methods, and a layer is a line of its own",
    )
    .label(span, "");
    Some(match method.word()? {
        "add" => match keras_layer(context, &tokens[4..]) {
            Some(step) => found.help(format!("write `{step}`")),
            None => found.help("write for example `dense 16 relu`"),
        },
        "compile" => found.help("write `loss mse`, `optimizer adam` and `metrics accuracy`, each on a line"),
        "fit" | "train" => {
            found.help("write `epochs 500` and `batch 32`; `nnc train FILE` starts the training")
        }
        "evaluate" | "predict" => found.help("delete this line; there are `nnc eval` and `nnc predict`"),
        "summary" => found.help("delete this line; there is `nnc graph FILE --stage layers`"),
        _ => return None,
    })
}

/// `Dense(16, activation='relu')` as a step: `dense 16 relu`.
fn keras_layer(context: &Context<'_>, tokens: &[Token<'_>]) -> Option<String> {
    let (name, rest) = tokens.split_first()?;
    let (_, rest) = rest.split_first().filter(|(open, _)| open.is_sign("("))?;
    let mut step = vec![name.word()?.to_lowercase()];
    let mut at = rest.iter().peekable();
    while let Some(token) = at.next() {
        match &token.kind {
            // The keyword says nothing that the argument does not say.
            TokenKind::Name("activation" | "units" | "filters") => {
                at.next_if(|next| next.is_sign("="))?;
            }
            // What has another name here, or none.
            TokenKind::Name(_) => {
                at.next_if(|next| next.is_sign("="))?;
                at.next_if(|value| value.begins_value() && !matches!(value.kind, TokenKind::Sign(_)))?;
            }
            TokenKind::Int(_) | TokenKind::Float(_) => step.push(context.slice(token.span).to_owned()),
            TokenKind::Text(text) => step.push(text.clone()),
            TokenKind::Sign(",") => {}
            TokenKind::Sign(")") => return Some(step.join(" ")),
            _ => return None,
        }
    }
    None
}
