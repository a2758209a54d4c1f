//! What is allowed and probably not meant; and what a wrong loss should be told.

use crate::declarations::attributes::{Attributes, Range, Task, Usual};
use crate::declarations::settings::{Loss, Named};
use crate::elaborate::builtins;
use crate::elaborate::elab::{Elab, Stop};
use crate::elaborate::value::{Def, Tensor, Value, numbers_text};
use nnc_graph::{Graph, NodeId, Role};
use nnc_syntax::{Code, Diagnostic, SourceId, Span};
use std::collections::BTreeSet;

/// All lints over a program whose loss stands.
pub(crate) fn run(e: &mut Elab<'_>, outputs: &[(String, Tensor)]) {
    no_optimizer(e);
    loss_and_activation(e, outputs);
    linear_network(e, outputs);
    unused(e);
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

/// The numbers that a tensor can hold, as far as what made it says so; anything where nothing did.
fn range(e: &Elab<'_>, t: &Tensor) -> Option<Range> {
    e.results.maker(t).map_or(Some(Range::Any), |call| call.range)
}

/// The usual loss or metric for a task.
fn usual(e: &Elab<'_>, task: Task, what: Usual) -> String {
    let fits = |def: &Def| {
        let Attributes { task: of, usual, .. } = def.attributes();
        of == Some(task) && usual == Some(what)
    };
    e.scope.globals.library.iter().find(|(_, def)| fits(def)).map_or(String::new(), |(name, _)| name.clone())
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
    d = match range(e, output) {
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

/// A choice among classes where the output is one number; yes or no where there are several.
pub(crate) fn one_of_one(e: &mut Elab<'_>, named: &Named, what: &str, output: &Tensor) -> Result<(), Stop> {
    let name = named.name.text.as_str();
    if matches!(e.scope.globals.defs.get(name), Some(Def::Fn(def)) if e.is_user(def.name.span)) {
        return Ok(());
    }
    let width = output.axes.last().map_or(1, |a| a.size);
    let classes = e.session.ports.targets.iter().find_map(|p| p.classes.as_ref().map(Vec::len));
    let attributes = e.scope.globals.defs.get(name).map(Def::attributes).unwrap_or_default();
    match (attributes.task, width) {
        (Some(Task::Classes), 1) => {
            let what = if what == "metric" { Usual::Metric } else { Usual::Loss };
            let instead = usual(e, Task::YesNo, what);
            let d = e
                .error(
                    Code::N0414,
                    format!("`{name}` chooses among classes, and the output is one number"),
                    named.name.span,
                    "the largest of one number is always that number",
                )
                .help(match classes.filter(|k| *k > 2) {
                    Some(k) => format!("for the {k} classes of the target: dense {k} softmax"),
                    None => format!("for yes or no: {instead}"),
                });
            let d = if classes.is_none_or(|k| k <= 2) { d.fix(named.name.span, instead, false) } else { d };
            Err(Stop::Error(Box::new(d)))
        }
        (Some(Task::YesNo), 2..)
            if attributes.usual == Some(Usual::Metric)
                && range(e, output) == Some(Range::Shares)
                && e.session.training =>
        {
            let instead = usual(e, Task::Classes, Usual::Metric);
            let d = Diagnostic::warning(Code::N0414, format!("`{name}` counts every output on its own"))
                .label(named.name.span, format!("of {width} probabilities, most are rightly below one half"))
                .help(format!("{instead} counts the samples whose largest output is the right class"));
            e.session.diagnostics.push(d.fix(named.name.span, instead, false));
            Ok(())
        }
        _ => Ok(()),
    }
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

/// A crossentropy of something that is no probability.
fn loss_and_activation(e: &mut Elab<'_>, outputs: &[(String, Tensor)]) {
    let Some(Loss::Named(named)) = e.results.top.loss.clone() else { return };
    let output = &outputs[0].1;
    let name = &named.name.text;
    let Some(wanted) = e.scope.globals.defs.get(name).and_then(|def| def.attributes().after) else { return };
    let example = format!("dense {} {wanted}", output.axes.last().map_or(1, |a| a.size));
    let made = maker(e, output).unwrap_or("");
    let made = made.strip_prefix("own ").unwrap_or(made).to_string();
    let given = range(e, output);
    let last = e.results.layers.last().map(|r| r.span);
    let outside = match given {
        Some(Range::Any) => Some("the last layer gives any number".to_string()),
        Some(Range::Positive) => Some(format!("`{made}` gives 0 or more")),
        Some(Range::Signed) => Some(format!("`{made}` gives -1 to 1")),
        Some(Range::Unit | Range::Shares | Range::LogShares) | None => None,
    };
    if let Some(how) = outside {
        let mut d = Diagnostic::error(Code::N0408, format!("`{name}` needs probabilities, and {how}"))
            .label(named.span, "takes the logarithm of the output");
        if let Some(span) = last {
            d = d.label(span, "the output is made here");
            // A last layer without any activation: the one that the loss asks for is missing.
            let words = e.session.sources.slice(span);
            let bare = words.strip_prefix("dense ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
            if bare && e.is_user(span) {
                let end = nnc_syntax::Span { start: span.end, ..span };
                d = d.fix(end, format!(" {wanted}"), true);
            }
        }
        e.session.diagnostics.push(d.help(format!("end with a {wanted}: {example}")));
    } else if given == Some(Range::Unit) && range_of(e, &wanted) == Some(Range::Shares) {
        let mut d =
            Diagnostic::warning(Code::N0408, format!("`{name}` of a {made}: the outputs do not sum to 1"))
                .label(named.span, "compares probabilities of classes that exclude each other");
        if let Some(span) = last {
            d = d.label(span, "each output on its own here");
        }
        e.session.diagnostics.push(d.help(format!("end with a {wanted}: {example}")));
    }
}

/// The numbers that a function gives.
fn range_of(e: &Elab<'_>, name: &str) -> Option<Range> {
    let said = e.scope.globals.defs.get(name).map(|def| def.attributes().range);
    said.unwrap_or_else(|| builtins::range(name))
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
