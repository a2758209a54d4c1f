//! A generator of valid programs: their words first, their spaces, newlines and comments afterwards.
//!
//! While words are put together, [`SOME`], [`MAYBE`] and [`END`] stand where blanks may or must be.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// At least one space.
const SOME: char = '\u{e000}';
/// Perhaps spaces.
const MAYBE: char = '\u{e001}';
/// The end of a statement or row.
const END: char = '\u{e002}';
/// Perhaps a newline, even outside of brackets.
const BREAK: char = '\u{e003}';

/// The text of a program without mistakes.
pub(crate) fn program() -> impl Strategy<Value = String> {
    (vec(statement(2), 0..5), vec(any::<u8>(), 1..200)).prop_map(|(stmts, dice)| {
        let text: String = stmts.iter().map(|stmt| format!("{stmt}{END}")).collect();
        blank(&text, &dice)
    })
}

/// Puts blanks where they may stand, as the dice say.
fn blank(text: &str, dice: &[u8]) -> String {
    let mut dice = dice.iter().copied().cycle();
    let mut out = String::new();
    let mut open = Vec::new();
    let mut quoted = false;
    let mut escaped = false;
    for c in text.chars() {
        let throw = if matches!(c, SOME | MAYBE | END | BREAK) { dice.next().unwrap_or(0) } else { 0 };
        match c {
            '"' if !escaped => quoted = !quoted,
            '(' | '[' | '{' if !quoted => open.push(c),
            ')' | ']' | '}' if !quoted => drop(open.pop()),
            _ => {}
        }
        escaped = c == '\\' && quoted && !escaped;
        let in_brackets = matches!(open.last(), Some('(' | '['));
        match c {
            SOME | MAYBE if in_brackets && throw % 16 == 0 => out.push_str("\n   "),
            SOME | MAYBE if in_brackets && throw % 16 == 1 => out.push_str(" # a comment, with ) and \"\n"),
            SOME | MAYBE if in_brackets && throw % 32 == 2 => out.push_str("\n ## not a doc\n"),
            SOME if throw % 4 == 3 => out.push_str("   "),
            SOME => out.push(' '),
            MAYBE if throw % 3 == 0 => {}
            MAYBE => out.push(' '),
            BREAK if throw % 8 == 0 => out.push_str("\n  "),
            BREAK if throw % 8 == 1 => out.push_str("  # broken\n\n"),
            BREAK => out.push(' '),
            END => out.push_str(match throw % 8 {
                0 => "; ",
                1 => "\n\n\n",
                2 => "  # behind\n",
                3 => "\n# above\n",
                4 => "\n\n## documentation\n## in two lines\n",
                5 => ";\r\n",
                _ => "\n",
            }),
            c => out.push(c),
        }
    }
    out
}

fn name() -> impl Strategy<Value = String> {
    select(vec![
        "x", "y", "code", "dense", "relu", "hidden", "w2", "größe", "_t", "batch", "layer", "scan", "data",
    ])
    .prop_map(str::to_owned)
}

/// A name that is no statement word, for the first place of a statement.
fn plain_name() -> impl Strategy<Value = String> {
    select(vec!["x", "y", "code", "dense", "relu", "hidden", "w2", "größe", "_t"]).prop_map(str::to_owned)
}

fn literal() -> impl Strategy<Value = String> {
    let words = [
        "0",
        "16",
        "20_000",
        "0.5",
        "1e-3",
        "2.5E+10",
        "20%",
        "12.5%",
        "3x3",
        "28x28x1",
        "yes",
        "no",
        "it",
        "training",
        "\"\"",
        "\"a b\"",
        "\"q \\\" \\\\ \\n \\t # ( {\"",
    ];
    select(words.to_vec()).prop_map(str::to_owned)
}

fn list_of(
    item: impl Strategy<Value = String>,
    size: std::ops::Range<usize>,
) -> impl Strategy<Value = String> {
    vec(item, size).prop_map(|items| items.join(&format!("{MAYBE},{MAYBE}")))
}

/// A value without operators, of at most `depth` brackets in brackets.
fn atom(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![literal(), name()];
    if depth == 0 {
        return leaf.boxed();
    }
    let list = list_of(expr(depth - 1), 0..4).prop_map(|items| format!("[{MAYBE}{items}{MAYBE}]"));
    let group = chain(depth - 1).prop_map(|inner| format!("({MAYBE}{inner}{MAYBE})"));
    let call = (name(), list_of(call_arg(depth - 1), 0..4))
        .prop_map(|(callee, args)| format!("{callee}({MAYBE}{args}{MAYBE})"));
    let index = (name(), expr(depth - 1)).prop_map(|(base, index)| format!("{base}[{MAYBE}{index}{MAYBE}]"));
    let member = (name(), name()).prop_map(|(base, name)| format!("{base}.{name}"));
    prop_oneof![4 => leaf, 1 => list, 2 => group, 2 => call, 1 => index, 1 => member].boxed()
}

fn call_arg(depth: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => expr(depth),
        1 => (name(), expr(depth)).prop_map(|(key, value)| format!("{key}{MAYBE}={MAYBE}{value}")),
    ]
}

fn power(depth: u32) -> impl Strategy<Value = String> {
    let sign = prop_oneof![3 => Just(String::new()), 1 => Just(format!("-{MAYBE}"))];
    let exponent = proptest::option::weighted(0.2, atom(depth));
    (sign, atom(depth), exponent).prop_map(|(sign, base, exponent)| match exponent {
        Some(exponent) => format!("{sign}{base}{MAYBE}^{MAYBE}{exponent}"),
        None => format!("{sign}{base}"),
    })
}

/// Operands joined by operators of one kind of level.
fn run(operand: BoxedStrategy<String>, signs: &'static [&'static str]) -> BoxedStrategy<String> {
    let rest = prop_oneof![2 => Just(Vec::new()), 1 => vec((select(signs), operand.clone()), 1..3)];
    (operand, rest)
        .prop_map(|(first, rest)| {
            rest.into_iter().fold(first, |left, (sign, right)| {
                // A line may end behind an operator.
                format!("{left}{SOME}{sign}{BREAK}{right}")
            })
        })
        .boxed()
}

fn expr(depth: u32) -> BoxedStrategy<String> {
    let sum = run(run(power(depth).boxed(), &["*", "/", "@"]), &["+", "-"]);
    let compared = (sum.clone(), select(vec!["==", "!=", "<", "<=", ">", ">="]), sum.clone())
        .prop_map(|(left, sign, right)| format!("{left}{MAYBE}{sign}{BREAK}{right}"));
    let cmp = prop_oneof![6 => sum, 1 => compared];
    let negated = prop_oneof![8 => cmp.clone(), 1 => cmp.prop_map(|cmp| format!("not{SOME}{cmp}"))].boxed();
    let logic = prop_oneof![8 => negated.clone(), 1 => run(run(negated, &["and"]), &["or"])].boxed();
    let choice = (logic.clone(), logic.clone(), logic.clone())
        .prop_map(|(c, a, b)| format!("if{SOME}{c}{SOME}then{BREAK}{a}{SOME}else{BREAK}{b}"));
    prop_oneof![8 => logic, 1 => choice].boxed()
}

/// An expression that does not begin with `if`, which would begin a statement.
fn tame_expr(depth: u32) -> impl Strategy<Value = String> {
    (plain_name(), expr(depth)).prop_map(|(name, expr)| {
        match expr.starts_with("if") || expr.starts_with("not") {
            true => format!("{name}{SOME}+{SOME}({MAYBE}{expr}{MAYBE})"),
            false => format!("{name}{SOME}*{BREAK}({MAYBE}{expr})"),
        }
    })
}

/// An argument of a step; a minus only behind a key.
fn arg(depth: u32) -> impl Strategy<Value = String> {
    let keyed = (name(), prop::bool::ANY, atom(depth)).prop_map(|(key, minus, value)| {
        let minus = if minus { "-" } else { "" };
        format!("{key}{MAYBE}={MAYBE}{minus}{value}")
    });
    prop_oneof![3 => atom(depth), 1 => keyed]
}

fn args(depth: u32, size: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(arg(depth), size).prop_map(|args| args.into_iter().map(|arg| format!("{SOME}{arg}")).collect())
}

fn step(depth: u32) -> impl Strategy<Value = String> {
    (plain_name(), args(depth, 1..4)).prop_map(|(name, args)| name + &args)
}

fn link(depth: u32) -> BoxedStrategy<String> {
    let exprs = prop_oneof![3 => tame_expr(depth), 1 => list_of(tame_expr(depth), 2..3)];
    if depth == 0 {
        return prop_oneof![step(0), exprs].boxed();
    }
    let carried =
        list_of((name(), expr(0)).prop_map(|(name, first)| format!("{name}{MAYBE}={MAYBE}{first}")), 1..3);
    let scan = (name(), atom(depth - 1), proptest::option::of(carried), block(depth - 1)).prop_map(
        |(item, over, carried, body)| {
            let carried = carried.map_or(String::new(), |carried| format!("with{SOME}{carried}{SOME}"));
            format!("scan{SOME}{item}{SOME}in{SOME}{over}{SOME}{carried}{body}")
        },
    );
    prop_oneof![4 => step(depth), 4 => exprs, 1 => scan].boxed()
}

fn chain(depth: u32) -> BoxedStrategy<String> {
    vec(link(depth), 1..4).prop_map(|links| links.join(&format!("{BREAK}->{BREAK}"))).boxed()
}

fn block(depth: u32) -> BoxedStrategy<String> {
    let stmts = vec(statement(depth.saturating_sub(1)), 0..4);
    (stmts, prop::bool::ANY)
        .prop_map(|(stmts, close)| {
            let body = stmts.join(&END.to_string());
            let end = if close { END } else { MAYBE };
            // The opening brace may end its line.
            if body.is_empty() { format!("{{{MAYBE}}}") } else { format!("{{{MAYBE}{body}{end}}}") }
        })
        .boxed()
}

fn dims() -> impl Strategy<Value = String> {
    let dim = prop_oneof![
        name(),
        Just("...".to_owned()),
        Just("...space".to_owned()),
        Just(format!("4{SOME}*{SOME}n"))
    ];
    list_of(dim, 1..4).prop_map(|dims| format!("[{MAYBE}{dims}{MAYBE}]"))
}

fn params() -> impl Strategy<Value = String> {
    let pattern = (name(), dims()).prop_map(|(name, dims)| format!("{name}{dims}{SOME}in{SOME}k"));
    let typed = (name(), expr(1))
        .prop_map(|(name, value)| format!("{name}{MAYBE}:{MAYBE}size{MAYBE}={MAYBE}{value}"));
    let options = name().prop_map(|name| format!("{name}{SOME}={SOME}same{SOME}in{SOME}[same,{MAYBE}valid]"));
    list_of(prop_oneof![name(), pattern, typed, options], 0..5)
        .prop_map(|params| format!("({MAYBE}{params}{MAYBE})"))
}

fn definition(depth: u32) -> BoxedStrategy<String> {
    let within = select(vec!["", " in [1, 2]", " in 1..4", " in -1 .. (2 * 3)"]);
    let param = (name(), expr(2), within)
        .prop_map(|(name, value, within)| format!("param{SOME}{name}{MAYBE}={BREAK}{value}{within}"));
    let body = prop_oneof![chain(1).prop_map(|chain| format!("={BREAK}{chain}")), block(depth)];
    let function = (name(), params(), body.clone())
        .prop_map(|(name, params, body)| format!("fn {name}{params}{SOME}{body}"));
    let init = (name(), params(), body)
        .prop_map(|(name, params, body)| format!("init {name}{params} of shape{SOME}{body}"));
    let layer = (name(), proptest::option::of(params()), proptest::option::of(dims()), block(depth))
        .prop_map(|(name, params, dims, body)| {
            let of = dims.map_or(String::new(), |dims| format!(" of x{dims}, y in k{BREAK}->{SOME}{dims}"));
            format!("layer {name}{}{of}{SOME}{body}", params.unwrap_or_default())
        });
    let rule = (name(), block(depth)).prop_map(|(name, body)| format!("rule {name} of w, g{SOME}{body}"));
    let declare = (select(vec!["weight", "state"]), name(), dims(), expr(1))
        .prop_map(|(kind, name, dims, init)| format!("{kind} {name}{dims}{MAYBE}={MAYBE}{init}"));
    let shared = (name(), chain(1)).prop_map(|(name, chain)| format!("shared {name} = {chain}"));
    let rewrite = (expr(1), expr(1)).prop_map(|(from, to)| format!("rewrite ({from}) = {to}"));
    prop_oneof![
        param,
        function,
        init,
        layer,
        rule,
        declare,
        shared,
        rewrite,
        Just("use \"blocks.nn\"".to_owned())
    ]
    .boxed()
}

fn control(depth: u32) -> BoxedStrategy<String> {
    let repeat = (atom(1), block(depth)).prop_map(|(count, body)| format!("repeat {count} as i{SOME}{body}"));
    let choice = (expr(1), block(depth), proptest::option::of(block(depth)), proptest::option::of(expr(0)));
    let choice = choice.prop_filter("`then` would make it a value", |(cond, ..)| !cond.starts_with("if"));
    let choice = choice.prop_map(|(cond, then, otherwise, second)| {
        let otherwise = match (otherwise, second.filter(|second| !second.starts_with("if"))) {
            (Some(block), Some(second)) => format!("{BREAK}else if ({second}){SOME}{{}} else{SOME}{block}"),
            (Some(block), None) => format!("{BREAK}else{SOME}{block}"),
            (None, _) => String::new(),
        };
        format!("if {cond}{SOME}{then}{otherwise}")
    });
    let require = tame_expr(1).prop_map(|cond| format!("require {cond}{SOME}else{BREAK}\"not so: {{n}}\""));
    prop_oneof![repeat, choice, require].boxed()
}

fn data() -> impl Strategy<Value = String> {
    let number = select(vec!["0", "-1", "0.25", "-1e-3", "1_000", "50%"]).prop_map(str::to_owned);
    let role = prop_oneof![
        name(),
        Just("\"two words\"".to_owned()),
        (name(), literal()).prop_map(|(key, value)| format!("{key}{MAYBE}={MAYBE}{value}")),
        Just(format!("missing=[1,{MAYBE}two]")),
    ];
    let words =
        |word: BoxedStrategy<String>| vec(word, 1..5).prop_map(|words| words.join(&SOME.to_string())).boxed();
    let numbers = (words(number.clone().boxed()), proptest::option::of(words(number.boxed())));
    let row = prop_oneof![
        numbers.prop_map(|(row, to)| to.map_or(row.clone(), |to| format!("{row}{MAYBE}->{MAYBE}{to}"))),
        words(role.boxed()),
    ];
    let rows =
        vec(row, 0..5).prop_map(|rows| rows.into_iter().map(|row| format!("{row}{END}")).collect::<String>());
    let to = proptest::option::of(args(0, 1..3))
        .prop_map(|to| to.map_or(String::new(), |to| format!("{BREAK}->{to}")));
    let rows = proptest::option::of(rows)
        .prop_map(|rows| rows.map_or(String::new(), |rows| format!("{SOME}{{{MAYBE}{rows}}}")));
    // Without arguments, `data -> …` would be a chain.
    let source =
        prop_oneof![3 => (args(1, 1..3), to).prop_map(|(args, to)| args + &to), 1 => Just(String::new())];
    (select(vec!["data", "valid", "test"]), source, rows)
        .prop_map(|(role, source, rows)| role.to_owned() + &source + &rows)
}

fn setting(depth: u32) -> impl Strategy<Value = String> {
    let heads = [
        "loss",
        "optimizer",
        "schedule",
        "metrics",
        "epochs",
        "steps",
        "batch",
        "seed",
        "clip",
        "save",
        "split",
        "input",
        "target",
        "output",
        "experiment",
        "language",
    ];
    let plain = (select(heads.to_vec()), args(depth, 0..4)).prop_map(|(head, args)| format!("{head}{args}"));
    let loss = chain(depth).prop_map(|chain| format!("loss{MAYBE}={BREAK}{chain}"));
    let stop = prop_oneof![
        Just("stop when val_loss stalls for 10".to_owned()),
        tame_expr(depth).prop_map(|cond| format!("stop when {cond}")),
    ];
    let expect =
        select(vec!["", " within 500 epochs", " in 9 of 10 seeds", " within 3 steps in 1 of 2 seeds"]);
    let expect = (tame_expr(depth), expect).prop_map(|(cond, rest)| format!("expect{SOME}{cond}{rest}"));
    prop_oneof![3 => plain, 1 => loss, 1 => stop, 1 => expect]
}

fn flow(depth: u32) -> impl Strategy<Value = String> {
    let targets = list_of(name(), 1..4);
    let bound = (targets, select(vec!["=", ":="]), chain(depth))
        .prop_map(|(targets, sign, chain)| format!("{targets}{MAYBE}{sign}{BREAK}{chain}"))
        .prop_filter("`loss =` is a statement of its own", |text| !text.starts_with("loss"));
    prop_oneof![2 => chain(depth), 2 => bound, 1 => (atom(0), atom(0)).prop_map(|(a, b)| format!("conv({a}, {b})"))]
}

fn statement(depth: u32) -> BoxedStrategy<String> {
    if depth == 0 {
        return prop_oneof![flow(0), setting(0)].boxed();
    }
    prop_oneof![4 => flow(depth), 2 => setting(depth - 1), 2 => definition(depth - 1), 1 => control(depth - 1), 1 => data()].boxed()
}
