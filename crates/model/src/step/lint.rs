//! What is allowed and probably not meant; and what a wrong loss should be told.

use crate::declarations::attributes::Range;
use crate::declarations::settings::{Loss, Named};
use crate::elaborate::elab::{Elab, Stop};
use crate::elaborate::value::{Def, Tensor, Value, numbers_text};
use nnc_graph::{Graph, NodeId, OutputKind, Role};
use nnc_syntax::{Code, Diagnostic, SourceId, Span};
use std::collections::BTreeSet;

/// All lints over a program whose loss stands.
pub(crate) fn run(e: &mut Elab<'_>, outputs: &[(String, Tensor)]) {
    no_optimizer(e);
    linear_network(e, outputs);
    unused(e);
    unused_values(e);
    nothing_learns(e);
    unused_targets(e);
    many_weights(e);
}

/// Far more weights than samples can learn them by heart.
fn many_weights(e: &mut Elab<'_>) {
    let samples = e.session.ports.samples;
    let weights: usize = e
        .results
        .declared
        .iter()
        .filter(|d| d.role == Role::Weight)
        .map(|d| d.tensor.sizes().iter().product::<usize>())
        .sum();
    if samples >= 50 && weights > samples.saturating_mul(100) {
        let d = Diagnostic::note(Code::N0412, format!("{weights} weights for {samples} samples"))
            .cause("a network this large can learn its samples by heart without learning what they have in common")
            .help("watch data it does not train on: split valid=15%")
            .help("or make it smaller, or add `dropout 0.5`");
        e.session.diagnostics.push(d);
    }
}

/// The function that made a tensor.
fn maker<'e>(e: &'e Elab<'_>, t: &Tensor) -> Option<&'e str> {
    e.results.maker(t).map(|call| call.name.as_str())
}

/// "there is no `loss`", with those that fit.
pub(crate) fn no_loss(e: &Elab<'_>, outputs: &[(String, Tensor)], source: SourceId) -> Stop {
    let end = e.session.sources.get(source).text.trim_end().len();
    let mut d = Diagnostic::error(Code::N0401, "there is no `loss`, so there is nothing to train towards")
        .label(Span::new(source, end, end), "the file ends here");
    let output = &outputs[0].1;
    let shape = numbers_text(&output.sizes());
    d = match e.range(output) {
        Some(Range::Unit) => d
            .cause(format!("the output is {shape} between 0 and 1"))
            .help("loss binary_crossentropy        usual for yes or no")
            .help("loss mse                        as in the XOR post"),
        Some(Range::Shares) => d
            .cause(format!("the output is {shape} that sum to 1, probabilities"))
            .help("loss crossentropy               usual for classes"),
        _ => d
            .cause(format!("the output is {shape}"))
            .help("loss mse                        usual for numbers"),
    };
    Stop::Error(Box::new(d))
}

/// A loss by name in a program without a target.
pub(crate) fn no_target(e: &Elab<'_>, named: &Named) -> Stop {
    let d = if e.session.ports.targets.is_empty() {
        e.error(Code::N0406, "the data has no target to compare the output with", named.span, "")
            .help("name the column in the data block: data \"f.csv\" { target NAME }")
            .help("or write a loss of your own: loss = mean((output - input)^2)")
    } else {
        let names: Vec<&str> = e.session.ports.targets.iter().map(|p| p.name.as_str()).collect();
        e.error(
            Code::N0405,
            format!("`loss {}` needs one target, and there are several", named.name.text),
            named.span,
            "",
        )
        .help(format!("say which: loss = {}(output, {})", named.name.text, names[0]))
    };
    Stop::Error(Box::new(d))
}

/// A loss that does not fit: what output and target are, and which loss fits.
pub(crate) fn explain_loss(e: &Elab<'_>, outputs: &[(String, Tensor)], stop: Stop) -> Stop {
    let Stop::Error(mut d) = stop else { return stop };
    if d.code != Code::N0403 {
        return Stop::Error(d);
    }
    let output = numbers_text(&outputs[0].1.sizes());
    let by = maker(e, &outputs[0].1).filter(|m| m.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let by = by.map_or(String::new(), |m| format!(", made by `{m}`"));
    d.notes.push(format!("the output is {output}{by}"));
    if let Some(port) = e.session.ports.targets.first() {
        let what = match &port.classes {
            Some(names) => format!("one of {} classes ({})", names.len(), short_list(names)),
            None => numbers_text(&port.shape),
        };
        d.notes.push(format!("the target `{}` is {what}", port.name));
    }
    Stop::Error(d)
}

fn short_list(names: &[String]) -> String {
    // Characters of a text are classes too: a line's end and a space are shown as such.
    let plain = |n: &String| !n.is_empty() && n.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let shown = names.iter().take(4).map(|n| if plain(n) { n.clone() } else { format!("{n:?}") });
    let shown: Vec<String> = shown.collect();
    let more = if names.len() > 4 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn no_optimizer(e: &mut Elab<'_>) {
    if e.results.top.optimizer.is_none() && e.results.declared.iter().any(|d| d.role == Role::Weight) {
        let d = Diagnostic::note(Code::N0407, "there is no `optimizer`; this training uses `optimizer adam`")
            .help("to choose: optimizer adam lr=0.001, optimizer sgd lr=0.01 momentum=0.9");
        e.session.diagnostics.push(d);
    }
}

/// A network without a bend is one linear layer, however deep.
fn linear_network(e: &mut Elab<'_>, outputs: &[(String, Tensor)]) {
    let matrices =
        e.results.declared.iter().filter(|d| d.role == Role::Weight && d.tensor.rank() >= 2).count();
    if matrices < 2 {
        return;
    }
    // A sigmoid or softmax at the very end bends the numbers, not the boundary.
    let mut node = outputs[0].1.node;
    let bends = |range: Option<Range>| matches!(range, Some(Range::Unit | Range::Shares));
    if let Some(call) = e.results.calls.get(&node).and_then(|c| c.last()).filter(|c| bends(c.range))
        && let Some(Value::Tensor(t)) = call.args.first()
    {
        node = t.node;
    }
    if !is_affine(e.b.graph(), node) {
        return;
    }
    let rows: Vec<Span> = e.results.layers.iter().filter(|r| r.weights > 0).map(|r| r.span).collect();
    let mut d = Diagnostic::note(
        Code::N0411,
        format!("this network is linear: its {} layers can do no more than one", rows.len().max(2)),
    );
    if let Some(span) = rows.first() {
        d = d.label(*span, "no activation follows");
    }
    d = d
        .cause("a linear function of a linear function is a linear function")
        .cause("on XOR the best a linear network can do is to answer 0.5 everywhere: mse 0.25, and rounding decides")
        .help("give the inner layers an activation: dense 16 relu");
    e.session.diagnostics.push(d);
}

/// Whether a node is a linear function of the inputs plus a constant.
pub(crate) fn is_affine(graph: &Graph, node: NodeId) -> bool {
    let input = |id: NodeId| graph.node(id).prim.parameter().is_some_and(|(role, _)| role == Role::Input);
    nnc_graph::is_affine(graph, node, &input)
}

/// A loss that no weight has a part in.
fn nothing_learns(e: &mut Elab<'_>) {
    let graph = e.b.graph();
    let Some(loss) = graph.output(OutputKind::Loss, "loss") else { return };
    let mut leads = vec![false; graph.len()];
    leads[loss.index()] = true;
    for id in graph.ids().rev() {
        if leads[id.index()] {
            graph.operands(id).iter().for_each(|o| leads[o.index()] = true);
        }
    }
    let mut learned = e.results.declared.iter().filter(|d| d.role == Role::Weight && !d.frozen).peekable();
    if learned.peek().is_none() || learned.any(|d| leads[d.tensor.node.index()]) {
        return;
    }
    let span = e.results.top.given.get("loss").copied();
    let d = Diagnostic::warning(Code::N0413, "the loss depends on no weight, so nothing would learn");
    let d = match span {
        Some(span) => d.label(span, "whatever the weights are, it is the same"),
        None => d,
    };
    e.session
        .diagnostics
        .push(d.help("a loss compares the output with something: loss = mean((output - target)^2)"));
}

/// Numbers, lists and the like whose name stands nowhere else in the file.
fn unused_values(e: &mut Elab<'_>) {
    for (name, what, value) in std::mem::take(&mut e.results.named) {
        let text = &e.session.sources.get(name.span.source).text;
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        if e.is_user(name.span) && words.filter(|w| *w == name.text).count() < 2 {
            let d =
                Diagnostic::warning(Code::N0303, format!("`{}` is named, but nothing uses it", name.text))
                    .label(name.span, what);
            let d = match nnc_syntax::habits::find(&name.text) {
                Some(habit) => {
                    habit.written(&[(None, &value)]).into_iter().fold(d.cause(habit.about), Diagnostic::help)
                }
                None => match applied(e, &name.text, &value) {
                    Some(line) => d.help(format!("to apply it: {line}")),
                    None => d.help("use it, or delete the line"),
                },
            };
            e.session.diagnostics.push(d);
        }
    }
}

/// `dropout = 0.5` is meant to be `dropout 0.5`.
fn applied(e: &Elab<'_>, name: &str, value: &str) -> Option<String> {
    let def = e.scope.globals.defs.get(name)?;
    let step = matches!(def, Def::Layer(_) | Def::Fn(_));
    (step && !value.contains([' ', '"'])).then(|| format!("{name} {value}"))
}

/// Tensors that the loss, the metrics and the predictions do not depend on.
fn unused(e: &mut Elab<'_>) {
    let mut live = e.b.graph().live();
    // The derivative of a sum does not need the sum itself, but what was differentiated is not unused.
    for id in e.results.differentiated.clone() {
        live[id.index()] = true;
    }
    for id in e.b.graph().ids().rev() {
        if live[id.index()] {
            e.b.graph().operands(id).iter().for_each(|o| live[o.index()] = true);
        }
    }
    let mut mentioned: BTreeSet<String> = BTreeSet::new();
    for (name, words) in &e.scope.binds {
        mentioned.extend(words.iter().filter(|w| **w != name.text).cloned());
    }
    for (name, span, node) in e.results.bound.clone() {
        // What another name is computed from is used, if only by that; and a derivative needs no value.
        if live[node.index()] || mentioned.contains(&name) {
            continue;
        }
        let prefix = format!("{name}.");
        let own = e.results.declared.iter().filter(|d| d.role == Role::Weight && d.path.starts_with(&prefix));
        let weights: usize = own.map(|d| d.tensor.sizes().iter().product::<usize>()).sum();
        let label =
            if weights > 0 { format!("{weights} weights that would never learn") } else { String::new() };
        let d = Diagnostic::warning(Code::N0303, format!("`{name}` is computed, but nothing uses it"))
            .label(span, label)
            .help(format!("join it (`add {name}`, `concat {name}`), use it in the loss, or delete it"));
        e.session.diagnostics.push(d);
    }
    let rows: Vec<(String, Span, usize)> = e
        .results
        .layers
        .iter()
        .filter(|r| r.weights > 0)
        .map(|r| (r.name.clone(), r.span, r.weights))
        .collect();
    for (name, span, weights) in rows {
        let prefix = format!("{name}.");
        let mut own = e
            .results
            .declared
            .iter()
            .filter(|d| d.role == Role::Weight && d.path.starts_with(&prefix))
            .peekable();
        let named = e.results.bound.iter().any(|(n, _, _)| *n == name);
        if !named && own.peek().is_some() && own.all(|d| !live[d.tensor.node.index()]) {
            let d = Diagnostic::warning(Code::N0303, format!("`{name}` is computed, but nothing uses it"))
                .label(span, format!("{weights} weights that would never learn"));
            e.session.diagnostics.push(d);
        }
    }
}

/// A target that the loss does not depend on: nothing of it is learned.
fn unused_targets(e: &mut Elab<'_>) {
    let graph = e.b.graph();
    let Some(objective) = graph.output(OutputKind::Objective, "objective") else { return };
    let used = graph.behind(objective);
    let mut found = Vec::new();
    for (name, node) in graph.parameters(Role::Target) {
        if used[node.index()] {
            continue;
        }
        let d = Diagnostic::note(Code::N0419, format!("`{name}` is a target, and the loss does not use it"));
        let port = e.session.ports.targets.iter().find(|p| *p.name == *name);
        let d = port.map_or(d.clone(), |port| d.cause(port.about.clone()));
        found.push(match e.session.ports.targets.len() {
            1 => d.help("target none   in the data block says that there is none"),
            _ => d.help(format!("add its loss to the others, or take the column away: drop {name}")),
        });
    }
    e.session.diagnostics.extend(found);
}

/// A file that ends on a named branch beside an unused one must say which is the output.
pub(crate) fn one_branch(e: &Elab<'_>, output: &Tensor) -> Result<(), Stop> {
    let Some((last, span, _)) = e.results.bound.iter().find(|(_, _, node)| *node == output.node) else {
        return Ok(());
    };
    if e.results.top.loss.as_ref().is_some_and(|l| matches!(l, Loss::Chain(..))) {
        return Ok(());
    }
    let graph = e.b.graph();
    let open = e.results.bound.iter().find(|(name, _, node)| name != last && graph.users(*node).is_empty());
    let Some((other, at, _)) = open else { return Ok(()) };
    let d = e
        .error(
            Code::N0312,
            format!("`{other}` and `{last}` both end here, and only one can be the output"),
            *span,
            "one end",
        )
        .label(*at, "the other")
        .help(format!("say which is meant: output {last}"))
        .help(format!("or name both: output {other} {last}"));
    Err(Stop::Error(Box::new(d)))
}
