//! Recognises statements of other languages, Python above all, and says how they are written here.

use super::Context;
use crate::token::{Token, TokenKind};
use crate::{Code, Diagnostic, Span, foreign};

/// A diagnostic, if this statement is a statement of another language.
pub(super) fn recognise(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    let other = attribute(context, tokens, span)
        .or_else(|| method_call(context, tokens, span))
        .or_else(|| super::notation::recognise(context, tokens, span));
    if other.is_some() {
        return other;
    }
    let (first, second) = (tokens.first()?, tokens.get(1)?);
    // `return = 3` is about somebody's tensor.
    if second.is_operator() && !second.is_sign("-") {
        return None;
    }
    let named = second.word().is_some();
    let found = |message: &str| Diagnostic::error(Code::N0108, message).label(first.span, "");
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
    Diagnostic::error(Code::N0108, "nothing is imported here: this is not Python")
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
    if let Some(found) = of_module(context, object.word()?, &tokens[2..], span) {
        return Some(found);
    }
    let found = Diagnostic::error(
        Code::N0108,
        "this is Python: here nothing has methods, and a layer is a line of its own",
    )
    .label(span, "");
    Some(match method.word()? {
        "add" => match library_layer(context, &tokens[4..], false) {
            Some(step) => found.help(format!("write `{step}`")),
            None => found.help("write for example `dense 16 relu`"),
        },
        "compile" => found.help("write `loss mse`, `optimizer adam` and `metrics accuracy`, each on a line"),
        "fit" | "train" => {
            found.help("write `epochs 500` and `batch 32`; `nnc train FILE` starts the training")
        }
        "evaluate" | "predict" => found.help("delete this line; there are `nnc eval` and `nnc predict`"),
        "summary" => found.help("delete this line; there is `nnc summary FILE`"),
        "backward" | "step" | "zero_grad" => {
            found.help("delete this line; gradients and steps are made by `nnc train FILE`")
        }
        "__init__" => {
            found.help("delete this line; what a layer needs stands after its name: layer rbf(units: int) …")
        }
        _ => return None,
    })
}

/// What modules of Python libraries are usually called.
pub(super) const MODULES: [&str; 11] =
    ["nn", "F", "tf", "keras", "layers", "torch", "np", "numpy", "optim", "models", "K"];

/// `F.relu(x)`
pub(super) fn no_module(object: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::N0108, format!("there is no module `{object}` here, nor any other"))
        .label(span, "everything of the library is there by its own name")
}

/// `nn.Linear(2, 16)`, where `object` stands before the point and `call` is what follows it.
fn of_module(context: &Context<'_>, object: &str, call: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    if !MODULES.contains(&object) {
        return None;
    }
    let found = no_module(object, span);
    Some(match library_layer(context, call, true) {
        Some(step) => found.help(format!("write `{step}`, on a line of its own")),
        None => found.help("a layer is a line such as `dense 16 relu`, a function is called as in `exp(x)`"),
    })
}

/// `self.fc1 = nn.Linear(2, 16)`
fn attribute(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    let [object, point, name, equals, rest @ ..] = tokens else { return None };
    if !(object.is_word("self") && point.is_sign(".") && name.word().is_some() && equals.is_sign("=")) {
        return None;
    }
    let found = Diagnostic::error(
        Code::N0108,
        "there is no `self` here: a layer makes its own weights where it stands",
    )
    .label(span, "");
    let call = match rest {
        [module, point, call @ ..] if point.is_sign(".") && module.word().is_some() => call,
        call => call,
    };
    Some(match library_layer(context, call, true) {
        Some(step) => found.help(format!("write `{step}` where it is used")),
        None => found
            .help("to use the same weights twice: shared encode = dense 16 relu, then x -> encode")
            .help("a number that is kept from step to step: state count[1] = zeros"),
    })
}

/// A layer of Keras or PyTorch as a step: `Dense(16, activation='relu')` is `dense 16 relu`. PyTorch's begin with
/// the number of inputs, which is known here.
fn library_layer(context: &Context<'_>, tokens: &[Token<'_>], torch: bool) -> Option<String> {
    let (name, rest) = tokens.split_first()?;
    let (_, rest) = rest.split_first().filter(|(open, _)| open.is_sign("("))?;
    let ours = foreign::layer(name.word()?);
    let mut numbers = 0;
    let inputs_first =
        torch && matches!(ours.as_str(), "dense" | "conv" | "embed" | "lstm" | "gru" | "conv_transposed");
    let inputs_only = torch && matches!(ours.as_str(), "batchnorm" | "layernorm");
    let mut step = vec![ours];
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
                if at.next_if(|next| next.is_sign("(")).is_some() {
                    at.find(|next| next.is_sign(")"))?;
                } else {
                    at.next_if(|value| value.begins_value() && !matches!(value.kind, TokenKind::Sign(_)))?;
                }
            }
            TokenKind::Int(_) | TokenKind::Float(_) => {
                numbers += 1;
                if !(inputs_only || inputs_first && numbers == 1) {
                    step.push(context.slice(token.span).to_owned());
                }
            }
            TokenKind::Text(text) => step.push(text.clone()),
            // `(3, 3)` is `3x3`
            TokenKind::Sign("(") => {
                let mut sizes = Vec::new();
                loop {
                    let part = at.next()?;
                    match part.kind {
                        TokenKind::Int(_) => sizes.push(context.slice(part.span)),
                        TokenKind::Sign(",") => {}
                        TokenKind::Sign(")") => break,
                        _ => return None,
                    }
                }
                step.push(sizes.join("x"));
            }
            TokenKind::Sign(",") => {}
            TokenKind::Sign(")") => return Some(step.join(" ")),
            _ => return None,
        }
    }
    None
}
