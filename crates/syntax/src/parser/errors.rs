//! What the parser says: every message names the cause in plain words and the next step.

use super::expr::{expr, is_key};
use super::stream::{END, Expected, TokenStream};
use crate::ast::{Arg, Expr, ExprKind, Name};
use crate::token::{Token, TokenKind, is_infix_word};
use crate::{Code, Diagnostic, Head, Span};

/// Statements as they should look, by their first word.
const EXAMPLES: [(&str, &str); 15] = [
    ("param", "a parameter: `param hidden = 16 in 1..64`"),
    ("fn", "a function: `fn swish(x, beta = 1.0) = x * sigmoid(beta * x)`"),
    ("layer", "a layer: `layer rbf(units: int) of x[n] -> [units] { … }`"),
    ("rule", "an optimizer: `rule sgd(lr = 0.01) of w, g { … }`"),
    ("init", "an initialiser: `init small(scale = 0.1) of shape = …`"),
    ("shared", "shared weights: `shared encode = encoder 32`"),
    ("rewrite", "an identity: `rewrite log(softmax(x)) = log_softmax(x)`"),
    ("use", "another file: `use \"blocks.nn\"`"),
    ("weight", "a weight: `weight w[n, units] = glorot`"),
    ("state", "a state: `state mean[c] = zeros`"),
    ("repeat", "a repetition: `repeat 3 { dense 16 relu }`"),
    ("if", "a choice: `if depth > 1 { … } else { … }`, or as a value `if a then b else c`"),
    ("require", "a requirement: `require n > 0 else \"n must be positive, not {n}\"`"),
    ("stop", "an end: `stop when val_loss stalls for 10`, or `stop when accuracy >= 99%`"),
    ("expect", "a promise: `expect accuracy >= 90% within 20 epochs in 9 of 10 seeds`"),
];

/// "Expected this, found that", for everything without words of its own.
pub(super) fn unexpected(at: TokenStream<'_>, expected: Expected, statement: &[Token<'_>]) -> Diagnostic {
    let Some(token) = at.peek() else { return too_early(at, expected, statement) };
    if at.tokens.len() == statement.len() {
        return no_beginning(at, token);
    }
    if token.is_sign(";") {
        return Diagnostic::error(Code::N0101, "a statement cannot end inside brackets")
            .label(token.span, "close the bracket before this `;`");
    }
    if at.context.slice(at.last) == "," {
        return comma_before_nothing(at, token, expected);
    }
    let found = if expected == END {
        superfluous(at, token, statement)
    } else {
        let is_sign = expected.what.starts_with('`');
        let label = if is_sign { "{} must come before this" } else { "this is not {}" };
        Diagnostic::error(Code::N0101, format!("expected {}, but found {}", expected.what, quoted(at, token)))
            .label(at.here(), label.replace("{}", expected.what))
    };
    explained(continued(found, at, statement), expected, statement)
}

/// Says why a line belongs to the one above, where that may be a surprise.
fn continued(found: Diagnostic, at: TokenStream<'_>, statement: &[Token<'_>]) -> Diagnostic {
    let read = statement.len() - at.tokens.len();
    let first = (1..=read).rev().find(|&index| statement.get(index).is_some_and(|token| token.first));
    let above = first.and_then(|first| statement.get(first - 1)).filter(|above| above.continues_line());
    match above {
        Some(above) => {
            found.label(above.span, "the line ends with this, so the statement goes on in the next one")
        }
        None => found,
    }
}

/// The statement ends where something must follow.
fn too_early(at: TokenStream<'_>, expected: Expected, statement: &[Token<'_>]) -> Diagnostic {
    let found = Diagnostic::error(Code::N0101, format!("this ends too early: {} is missing", expected.what))
        .label(at.last, format!("{} must follow this", expected.what));
    explained(found, expected, statement)
}

/// `[1, 2,]`
fn comma_before_nothing(at: TokenStream<'_>, token: &Token<'_>, expected: Expected) -> Diagnostic {
    let found = Diagnostic::error(Code::N0101, format!("{} must follow a comma", expected.what));
    if matches!(token.kind, TokenKind::Sign(")" | "]")) {
        return found.label(at.last, "leave this comma out").fix(at.last, "", true);
    }
    found.label(at.here(), format!("this is not {}", expected.what)).cause(expected.plain)
}

/// Adds what is meant by the expected thing, and how the whole statement should look.
fn explained(found: Diagnostic, expected: Expected, statement: &[Token<'_>]) -> Diagnostic {
    let found = if expected.plain.is_empty() { found } else { found.cause(expected.plain) };
    match example(statement) {
        Some(example) if found.help.is_none() => found.help(example),
        _ => found,
    }
}

fn example(statement: &[Token<'_>]) -> Option<&'static str> {
    let head = statement.first()?.word()?;
    EXAMPLES.iter().find(|(word, _)| *word == head).map(|(_, example)| *example)
}

/// A token as it is written, shortened.
fn quoted(at: TokenStream<'_>, token: &Token<'_>) -> String {
    if matches!(token.kind, TokenKind::Block(_)) {
        return "a block `{ … }`".to_owned();
    }
    let text = at.context.slice(token.span);
    match text.char_indices().nth(24) {
        Some((cut, _)) => format!("`{}…`", &text[..cut]),
        None => format!("`{text}`"),
    }
}

/// The first token of a statement begins no statement.
fn no_beginning(at: TokenStream<'_>, token: &Token<'_>) -> Diagnostic {
    let found = Diagnostic::error(Code::N0101, format!("no statement begins with {}", quoted(at, token)));
    match token.kind {
        TokenKind::Sign("->") => found
            .label(token.span, "leave this arrow out")
            .cause("a step works on the result of the line above without an arrow; an arrow needs a tensor before it"),
        TokenKind::Name("else") => {
            found.label(token.span, "it belongs behind the `}` of an `if`").help("if a { … } else { … }")
        }
        TokenKind::Sign(_) if token.is_operator() => found
            .label(token.span, "a value is missing before it")
            .help("to go on with the line above, put the operator at its end"),
        TokenKind::Block(_) => found
            .label(at.here(), "a block belongs to a `layer`, `repeat`, `if` …")
            .help("put its `{` at the end of the line it belongs to"),
        _ => found.label(token.span, "a statement begins with a name or a value, as in `dense 16 relu`"),
    }
}

/// A token behind the end of a statement.
fn superfluous(at: TokenStream<'_>, token: &Token<'_>, statement: &[Token<'_>]) -> Diagnostic {
    let found = Diagnostic::error(Code::N0101, format!("{} does not belong here", quoted(at, token)));
    let before = statement.iter().rev().nth(at.tokens.len());
    let after_block = before.is_some_and(|t| matches!(t.kind, TokenKind::Block(_)));
    let literal = before.is_some_and(|t| matches!(t.kind, TokenKind::Int(_) | TokenKind::Float(_)));
    match token.kind {
        TokenKind::Block(_) => found
            .label(at.here(), "this statement has no block")
            .cause("blocks belong to `layer`, `fn`, `rule`, `init`, `repeat`, `if`, `scan` and `data`"),
        TokenKind::Sign("=" | ":=") => found
            .label(token.span, format!("only names can stand left of {}", quoted(at, token)))
            .help("a name: `y = x`; a function: `fn f(x) = 2 * x`; a comparison: `==`"),
        TokenKind::Sign(":") => colon_for_block(at),
        TokenKind::Sign("..") => {
            found.label(token.span, "a range stands behind `in`, as in `param layers = 1 in 1..4`, or is an option, as in `horizon=1..3`")
        }
        TokenKind::Sign(".") => found.label(token.span, "a point follows its name without a space"),
        TokenKind::Sign("(") if literal => found.label(token.span, "to multiply, write `*` before it"),
        TokenKind::Sign("->") if after_block => found
            .label(token.span, "this goes on with the statement above, which is complete")
            .help("leave the arrow out: a step works on the last tensor by itself"),
        _ if after_block => found
            .label(token.span, "a new statement begins here, without a separation")
            .help("put it on a line of its own, or put `;` before it"),
        TokenKind::Name("else") => found
            .label(token.span, "it belongs behind the `}` of an `if`, or behind `then`")
            .help("if a { … } else { … }, or as a value `if a then b else c`"),
        TokenKind::Name(word) if is_infix_word(word) => {
            found.label(token.span, format!("nothing before it asks for `{word}`"))
        }
        _ if token.begins_value() => found
            .label(token.span, "an operator or a comma is missing before it")
            .cause("only a step has values side by side, and it begins with its name: `dense 16 relu`"),
        _ => found.label(token.span, "the statement is complete before this"),
    }
}

/// A word with a fixed meaning where a new name is wanted.
pub(super) fn reserved(i: TokenStream<'_>, word: &str) -> Diagnostic {
    let cause = match word {
        "it" => "`it` is always the last tensor computed",
        "yes" | "no" => "`yes` and `no` are the two answers",
        "training" => "`training` says which of the two graphs is built",
        _ => "the words `and or not in then else as of with if` join the parts of a statement",
    };
    Diagnostic::error(Code::N0110, format!("`{word}` cannot be the name of something else"))
        .label(i.here(), "choose another name")
        .cause(cause)
}

/// `a < b < c`
pub(super) fn two_comparisons(i: TokenStream<'_>) -> Diagnostic {
    Diagnostic::error(Code::N0101, "one comparison compares two values")
        .label(i.here(), "this is the second comparison")
        .help("write `a < b and b < c`")
}

/// `a + not b`
pub(super) fn not_in_arithmetic(i: TokenStream<'_>) -> Diagnostic {
    Diagnostic::error(Code::N0101, "`not` behind an operator takes brackets")
        .label(i.here(), "write `(not …)`")
}

/// `f(x -> dense 3)`: `before` is the argument that goes on with an arrow.
pub(super) fn chain_in_call(i: TokenStream<'_>, before: Option<&Arg>) -> Diagnostic {
    let found =
        Diagnostic::error(Code::N0101, "a chain among the arguments of a call takes brackets of its own");
    let end = i.tokens.get(argument_len(i.tokens)).map_or(i.here(), |end| end.span);
    let Some(before) = before else { return found.label(i.here(), "put the chain in brackets") };
    let span = Span { start: before.value.span.start, end: end.start, ..end };
    let text = i.context.slice(span);
    found.label(i.here(), format!("write `({text})`")).fix(span, format!("({text})"), true)
}

/// How many tokens come before the comma or bracket that ends an argument.
fn argument_len(tokens: &[Token<'_>]) -> usize {
    let mut open = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Sign("(" | "[") => open += 1,
            TokenKind::Sign("," | ")" | "]") if open == 0 => return at,
            TokenKind::Sign(")" | "]") => open -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// `x.reshape(2)`
pub(super) fn method(i: TokenStream<'_>, base: &Expr, name: &Name, span: Span) -> Diagnostic {
    let object = i.context.slice(base.span);
    let call = i.context.slice(Span { start: name.span.end, ..span });
    let args = call.trim_start_matches('(');
    let comma = if args.trim_start() == ")" { "" } else { ", " };
    if super::python::MODULES.contains(&object) {
        let found = super::python::no_module(object, span);
        let ours = crate::foreign::layer(&name.text);
        // Functions begin with a small letter, layers with a capital one.
        if matches!(ours.as_str(), "sequential" | "model" | "module") {
            return found.help("a network is the lines of the file, in their order");
        }
        return match name.text.starts_with(char::is_uppercase) {
            true => found
                .help(format!("`{}` is `{ours}` here, a line of its own such as `dense 16 relu`", name.text)),
            false => found.help(format!("write `{ours}{call}`")),
        };
    }
    if object == "super()" {
        return Diagnostic::error(Code::N0108, "there is nothing above a layer that had to be called")
            .label(span, "delete this line");
    }
    if object == "self" {
        let args = args.trim_end().trim_end_matches(')');
        return Diagnostic::error(
            Code::N0108,
            "there is no `self` here: a tensor goes into a layer by an arrow",
        )
        .label(span, "")
        .help(format!("write `{args} -> {}`, where `{}` was made with `shared`", name.text, name.text));
    }
    Diagnostic::error(
        Code::N0108,
        "nothing has methods here; a function is called with the value in brackets",
    )
    .label(span, "")
    .help(format!("write `{}({object}{comma}{args}`", name.text))
}

/// `Dense(16)(x)`
pub(super) fn call_of_call(i: TokenStream<'_>, callee: &Expr, span: Span) -> Diagnostic {
    let layer = i.context.slice(callee.span);
    let tensor = i.context.slice(Span { start: callee.span.end, ..span });
    let tensor = tensor.trim().trim_start_matches('(').trim_end_matches(')');
    let name = layer.split('(').next().unwrap_or(layer);
    let ours = crate::foreign::layer(name);
    Diagnostic::error(
        Code::N0108,
        "a layer is not called with a tensor here: the tensor stands before an arrow",
    )
    .label(span, "")
    .help(format!("{tensor} -> {ours} …, for example x -> dense 16 relu"))
}

/// `True`, `false`
pub(super) fn foreign_bool(i: TokenStream<'_>, word: &str) -> Diagnostic {
    let here = if word.eq_ignore_ascii_case("true") { "yes" } else { "no" };
    Diagnostic::error(Code::N0108, format!("`{word}` is called `{here}` here"))
        .label(i.here(), format!("write `{here}`"))
        .fix(i.here(), here, true)
}

/// `if x > 3:`
pub(super) fn colon_for_block(i: TokenStream<'_>) -> Diagnostic {
    Diagnostic::error(Code::N0108, "a block stands between `{` and `}`, not behind a colon")
        .label(i.here(), "write `{` here, and `}` where the block ends")
        .help("if depth > 1 { dense 16 relu }")
}

/// `if head = mixture {`
pub(super) fn equals_in_condition(i: TokenStream<'_>) -> Diagnostic {
    Diagnostic::error(Code::N0108, "a comparison is written `==`")
        .label(i.here(), "`=` gives a name to something")
        .fix(i.here(), "==", true)
}

/// `2024-01-05` in a row of data.
pub(super) fn glued_words(i: TokenStream<'_>) -> Diagnostic {
    let glued = i.tokens.iter().take_while(|t| t.tight && !matches!(t.kind, TokenKind::Sign("," | "->")));
    let span = glued.fold(i.last, |span, token| span.to(token.span));
    Diagnostic::error(Code::N0109, "two values of a row need a space between them")
        .label(span, "is this one value or several?")
        .help("a text, such as a date or a name with `-` in it, stands between quotes: \"2024-01-05\"")
}

/// `dense 16, relu`
pub(super) fn comma_between_arguments(i: TokenStream<'_>, head: &Name) -> Diagnostic {
    let comma = i.here();
    let found =
        Diagnostic::error(Code::N0101, format!("the arguments of `{}` are separated by spaces", head.text));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
    let before = i.context.slice(i.last);
    let Some(next) = i.second() else { return found.label(comma, "no comma here").fix(comma, "", true) };
    let after = i.context.slice(next.span);
    if next.tight && is_number(before) && is_number(after) {
        let span = i.last.to(next.span);
        let whole = if after.len() == 3 { format!("{before}_{after}") } else { format!("{before}.{after}") };
        return found
            .label(span, format!("did you mean `{whole}`?"))
            .help("a decimal point is a point, and long numbers are written `20_000`")
            .fix(span, whole, false);
    }
    let found = found.label(comma, "no comma here").fix(comma, if next.tight { " " } else { "" }, true);
    if Head::of(&head.text).is_some_and(Head::is_setting) {
        return found;
    }
    found.help("to join several tensors put the step in brackets: `(dense 3), x -> concat`")
}

/// `dense 4*d`: `last` stands before the argument that goes on with an operator.
pub(super) fn arithmetic_in_argument(
    i: TokenStream<'_>,
    head: &Name,
    args: &[Arg],
    last: TokenStream<'_>,
) -> Diagnostic {
    let found = Diagnostic::error(
        Code::N0105,
        format!("arithmetic in an argument of `{}` takes brackets", head.text),
    );
    let Some(next) = i.second() else {
        return found.label(i.here(), "and a value must follow this");
    };
    if i.at_sign("-") && next.tight && !i.tokens[0].tight {
        return negative_argument(i, next);
    }
    if let [Arg { key: None, value: Expr { kind: ExprKind::Group(_), span }, .. }] = args {
        return call_with_space(found, i, head, *span);
    }
    let start = if is_key(last) { TokenStream { tokens: &last.tokens[2..], ..last } } else { last };
    let Ok((_, whole)) = expr(start) else {
        return found.label(i.here(), "put what belongs together in brackets");
    };
    let text = i.context.slice(whole.span);
    if matches!(head.text.as_str(), "input" | "target" | "output" | "data") && !text.contains(' ') {
        return Diagnostic::error(Code::N0105, "a name has no operator in it")
            .label(whole.span, format!("if this is a column, write \"{text}\""))
            .fix(whole.span, format!("\"{text}\""), false);
    }
    if let Some(found) = of_a_setting(head, &whole, text) {
        return found;
    }
    let found = found.label(whole.span, format!("write `({text})`")).cause(format!(
        "arguments are separated by spaces; without brackets this one would end before `{}`",
        i.context.slice(i.here())
    ));
    // `x w + b` is perhaps no step at all.
    let product = matches!(args, [Arg { key: None, value: Expr { kind: ExprKind::Name(_), .. }, .. }]);
    let found = match args.first().filter(|_| product) {
        Some(arg) => {
            let factor = i.context.slice(arg.span);
            found.help(format!(
                "if `{0}` is no layer, a product is `{0} * {factor}` or `{0} @ {factor}`",
                head.text
            ))
        }
        None => found,
    };
    found.fix(whole.span, format!("({text})"), !product)
}

/// `split 80/20`, `loss mse + mae`: no number in brackets is meant.
fn of_a_setting(head: &Name, whole: &Expr, text: &str) -> Option<Diagnostic> {
    let ExprKind::Binary { left, right, .. } = &whole.kind else { return None };
    match (head.text.as_str(), &left.kind, &right.kind) {
        ("split", ExprKind::Int(a), ExprKind::Int(b)) if *a > 0 && *b > 0 => {
            let share = 100.0 * *b as f64 / (*a + *b) as f64;
            let share = (share * 100.0).round() / 100.0;
            let d = Diagnostic::error(Code::N0105, "`split` takes the share of each part under its name");
            Some(d.label(whole.span, "").help(format!("split valid={share}%")))
        }
        ("loss", ..) => {
            let formula = called(text);
            if formula == text {
                return None;
            }
            let d = Diagnostic::error(Code::N0105, "a loss that is computed is a formula, behind `loss =`");
            Some(d.label(whole.span, "").help(format!("loss = {formula}")))
        }
        _ => None,
    }
}

/// `0.5*mse + mae` with the arguments of each name.
fn called(formula: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut out = String::new();
    let mut rest = formula;
    while let Some(at) = rest.find(is_part) {
        let (before, after) = rest.split_at(at);
        let (word, after) = after.split_at(after.find(|c| !is_part(c)).unwrap_or(after.len()));
        let name = word.starts_with(|c: char| c.is_alphabetic()) && !after.starts_with('(');
        out.push_str(&format!("{before}{word}{}", if name { "(output, target)" } else { "" }));
        rest = after;
    }
    out + rest
}

/// `leaky 3 -1`
fn negative_argument(i: TokenStream<'_>, next: &Token<'_>) -> Diagnostic {
    let span = i.here().to(next.span);
    let text = i.context.slice(span);
    Diagnostic::error(Code::N0105, "a negative number as an argument takes brackets")
        .label(span, format!("write `({text})`"))
        .cause("otherwise it would be a subtraction")
        .fix(span, format!("({text})"), false)
}

/// `softmax (x) + 1`: rather a call, written with a space.
fn call_with_space(found: Diagnostic, i: TokenStream<'_>, head: &Name, group: Span) -> Diagnostic {
    let argument = i.context.slice(group);
    let space = Span { start: head.span.end, end: group.start, ..group };
    found
        .label(space.to(i.here()), format!("with a space, `{} {argument}` is a step", head.text))
        .help(format!("a call has no space: `{}{argument}`", head.text))
        .help(format!("an argument with arithmetic: `{} ({argument} …)`", head.text))
        .fix(space, "", false)
}
