//! Optimizers that a rule of one weight cannot say: their numbers, and what does not go with them.

use crate::declarations::attributes::Solver;
use crate::declarations::settings::{Lbfgs, Named};
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::Def;
use crate::program::rules::split_rules;
use nnc_graph::{Graph, Leaf, Origin, OutputKind, Prim};
use nnc_syntax::ast::RuleDef;
use nnc_syntax::{Code, Diagnostic, Span};
use std::sync::Arc;

/// The solver that the program's optimizer is, if it is one and all else allows it. Called when the training graph
/// stands.
pub(crate) fn asked(e: &mut Elab<'_>) -> Res<Option<Lbfgs>> {
    let Some(named) = e.results.top.optimizer.clone() else { return Ok(None) };
    let Some(Def::Rule(rule)) = e.scope.globals.defs.get(&named.name.text).cloned() else { return Ok(None) };
    let Some(Solver::Lbfgs) = e.scope.globals.defs.get(&named.name.text).and_then(|d| d.attributes().solver)
    else {
        return Ok(None);
    };
    e.at(named.span);
    let found = numbers(e, &rule, &named)?;
    let name = &named.name.text;
    if let Some(problem) = [mini_batches(e, &named), noise(e, &named)].into_iter().flatten().next() {
        return Err(Stop::Error(Box::new(problem)));
    }
    if let Some((_, _, span)) = e.results.top.clip {
        let d = refused(e, name, "does not go with `clip`", span)
            .cause("it looks for the place where the slope ends, and a shortened gradient is another slope");
        return Err(Stop::Error(Box::new(
            d.help("leave `clip` out: the line search keeps a step from going too far"),
        )));
    }
    if let Some(schedule) = e.results.top.schedule.as_ref().map(|s| s.span) {
        let d = refused(e, name, "does not go with `schedule`", schedule)
            .cause("how far each step goes is found by a search along its direction");
        return Err(Stop::Error(Box::new(d.help("leave `schedule` out"))));
    }
    if e.results.top.settings.accumulate > 1 {
        let span = e.results.top.given.get("batch").copied().unwrap_or(named.span);
        let d = refused(e, name, "does not go with `accumulate`", span);
        return Err(Stop::Error(Box::new(d.help("batch all"))));
    }
    if let Some((rated, _)) = e.results.top.rates.first() {
        let d = refused(e, name, "does not go with `rate`", rated.span)
            .cause("its step is one direction of all weights together");
        return Err(Stop::Error(Box::new(d.help("leave `rate` out"))));
    }
    Ok(Some(found))
}

fn refused(e: &Elab<'_>, name: &str, what: &str, span: Span) -> Diagnostic {
    e.error(Code::N0422, format!("`{name}` {what}"), span, "")
}

/// What the program gives, and the defaults of the rule.
fn numbers(e: &mut Elab<'_>, rule: &RuleDef, named: &Named) -> Res<Lbfgs> {
    let name = rule.name.text.as_str();
    let (own, following) = split_rules(e, rule, &named.args);
    if let Some((next, arg)) = following.first() {
        let what = format!("does not go with `{}`", next.name.text);
        let d = refused(e, name, &what, arg.span);
        return Err(Stop::Error(Box::new(d.cause(
            "what changes the weights after its step makes the loss another one than it has searched",
        ))));
    }
    let (mut outer, mut inner) = (Frame::default(), Frame::default());
    let bound = e.arguments(&mut outer, name, &rule.params, &own, named.span, true)?;
    e.bind_params(&mut inner, name, &rule.params, bound, named.span)?;
    let number = |key: &str, least: f64, usual: f64| match inner.get(key) {
        None => Ok(usual),
        Some(value) => match value.num().filter(|x| *x >= least && x.is_finite()) {
            Some(x) => Ok(x),
            None => {
                let what = if least > 0.0 { "1 or more" } else { "0 or more" };
                let span = own.iter().find(|a| a.key.as_ref().is_some_and(|k| k.text == key));
                let span = span.map_or(named.span, |a| a.span);
                e.fail(Code::N0205, format!("`{key}` of `{name}` is {what}, not {value}"), span, "this value")
            }
        },
    };
    let max_iter = number("max_iter", 1.0, 20.0)?;
    let found = Lbfgs {
        lr: number("lr", 0.0, 1.0)?,
        max_iter: max_iter as u64,
        max_eval: number("max_eval", 1.0, max_iter * 1.25)? as u64,
        tolerance_grad: number("tolerance_grad", 0.0, 1e-7)?,
        tolerance_change: number("tolerance_change", 0.0, 1e-9)?,
        history_size: number("history_size", 1.0, 100.0)? as usize,
    };
    if found.lr == 0.0 {
        return e.fail(Code::N0205, format!("`lr` of `{name}` is above 0"), named.span, "");
    }
    Ok(found)
}

/// That every step sees all samples.
fn mini_batches(e: &Elab<'_>, named: &Named) -> Option<Diagnostic> {
    let (samples, batch) = (e.session.ports.samples, e.results.top.settings.batch);
    if samples <= batch || e.session.ports.trained {
        return None;
    }
    let name = &named.name.text;
    let message = format!("`{name}` needs all {samples} samples in every step, and a batch has {batch}");
    let d = Diagnostic::error(Code::N0422, message)
        .cause("it compares gradients of one step with the next; those of other samples are of another loss");
    Some(match e.results.top.given.get("batch").filter(|s| e.is_user(**s)) {
        Some(batch) => {
            let d = d.label(*batch, "too few").label(named.span, "needs all of them");
            if e.results.top.settings.batch == samples || e.session.sources.slice(*batch).ends_with("all") {
                return Some(d.help("leave out --batch"));
            }
            d.help("batch all").fix(*batch, "batch all", true)
        }
        None => d.label(named.span, "").help("add a line: batch all"),
    })
}

/// That the loss of given weights is always the same.
fn noise(e: &Elab<'_>, named: &Named) -> Option<Diagnostic> {
    let graph = e.b.graph();
    let objective = graph.output(OutputKind::Objective, "objective")?;
    let mut leads = vec![false; graph.len()];
    leads[objective.index()] = true;
    for id in graph.ids().rev().filter(|id| id.index() <= objective.index()) {
        if leads[id.index()] {
            graph.operands(id).into_iter().for_each(|o| leads[o.index()] = true);
        }
    }
    let drawn = graph.ids().filter(|id| leads[id.index()]).find_map(|id| random(graph, id))?;
    let name = &named.name.text;
    let d = refused(e, name, "needs a loss that is the same for the same weights", named.span)
        .cause(format!("random numbers are drawn in every step: {drawn}"))
        .cause("its line search would compare losses that differ by chance");
    Some(d.help("leave `dropout` and noise out, or use `optimizer adam`"))
}

/// Where a node draws random numbers, itself or in the body of a loop.
fn random(graph: &Graph, id: nnc_graph::NodeId) -> Option<Arc<Origin>> {
    let node = graph.node(id);
    if let Prim::Leaf(Leaf::Rng { .. }) = &node.prim {
        return Some(node.origin.clone());
    }
    if let Prim::Scan(scan) = &node.prim {
        let body = scan.of.body.graph();
        return body.ids().find_map(|id| random(body, id));
    }
    None
}
