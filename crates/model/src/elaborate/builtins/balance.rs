//! By how much the classes of a target count in a loss.

use crate::declarations::data::{Balanced, Counts, PARTNER};
use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::{Elementwise, Movement, Prim, Role};
use nnc_syntax::{Code, Span};

/// The word for weights that the data decides.
const BALANCED: &str = "balanced";

/// The numbers by which classes count: those of a list, which are checked; or for the word `balanced` such that all
/// classes of the training rows count alike, n / (k * count) (King and Zeng 2001; scikit-learn:
/// `class_weight="balanced"`). With `yes_no` the answers no and yes of every number of the target are the classes.
pub(super) fn class_weights(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "class_weights_of", 2, 2, &["yes_no"])?;
    let yes_no = e.switch(args, "class_weights_of", "yes_no")?;
    let target = e.tensor_arg(args, 1, "class_weights_of")?;
    let span = e.session.here;
    match &args.positional[0].0 {
        Value::Symbol(word) if **word == *BALANCED => balanced(e, &target, yes_no, span),
        Value::List(items) => {
            let items = items.clone();
            given(e, &items, &target, yes_no, span)?;
            Ok(Value::List(items))
        }
        other => {
            let message = format!(
                "`class_weights` is a list of numbers or the word `{BALANCED}`, not {}",
                other.what()
            );
            e.fail(Code::N0205, message, span, "")
        }
    }
}

/// Checks a list: a number for each class, none of them negative.
fn given(e: &Elab<'_>, items: &[Value], target: &Tensor, yes_no: bool, span: Span) -> Res<()> {
    if items.is_empty() {
        return Ok(());
    }
    let classes = match (yes_no, target.classes) {
        (true, _) => Some(2),
        (false, Some(k)) => Some(k),
        (false, None) => target.axes.last().map(|a| a.size),
    };
    if classes.is_some_and(|k| k != items.len()) {
        let (n, k) = (items.len(), classes.unwrap_or(0));
        let numbers = if n == 1 { "1 number".to_string() } else { format!("{n} numbers") };
        let (message, help) = match yes_no {
            true => (
                format!("`class_weights` has {numbers}; for yes or no it takes two"),
                "what no counts, then what yes counts: class_weights=[1, 5]",
            ),
            false => (
                format!("`class_weights` has {numbers}, and there are {k} classes"),
                "a number for each class, in their order; or class_weights=balanced",
            ),
        };
        let d = e.error(Code::N0205, message, span, "").help(help);
        return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
    }
    if let Some(bad) = items.iter().find(|v| v.num().is_none_or(|x| !(x >= 0.0 && x.is_finite()))) {
        let message = format!("`class_weights` are numbers from 0, and one of them is {}", bad.what());
        return e.fail(Code::N0205, message, span, "");
    }
    Ok(())
}

fn balanced(e: &mut Elab<'_>, target: &Tensor, yes_no: bool, span: Span) -> Res<Value> {
    let at = port_behind(e, target);
    let counts = match (at, &e.session.ports.counts[..]) {
        // The data was not looked at: a program that is only read.
        (Some(at), []) => Some(unknown(e, at, target)),
        (Some(at), counts) => counts.get(at).cloned().flatten(),
        (None, _) => None,
    };
    let Some(counts) = counts else {
        let d = e
            .error(
                Code::N0205,
                "`class_weights=balanced` counts the classes of a target, and here there are none to count",
                span,
                "",
            )
            .help("it works where the loss is given a target as the data has it: classes, or numbers from 0 to 1")
            .help("numbers of your own: class_weights=[1, 5]");
        return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
    };
    let port = &e.session.ports.targets[at.unwrap_or(0)];
    let (name, classes) = (port.name.clone(), port.classes.clone());
    let (weights, told) = if yes_no {
        let [no, yes] = both(&counts, classes.is_some());
        let noes = no.iter().zip(&yes).map(|(n, y)| weight(*n, n + y, present(&[*n, *y])));
        let noes: Vec<f64> = noes.collect();
        let yeses = no.iter().zip(&yes).map(|(n, y)| weight(*y, n + y, present(&[*n, *y])));
        let yeses: Vec<f64> = yeses.collect();
        let told = told_answers(classes.as_deref(), &counts.names, &noes, &yeses);
        let same = |v: &[f64]| v.iter().all(|x| *x == v[0]);
        let one = same(&noes) && same(&yeses);
        (vec![along(e, &noes, one, target, span)?, along(e, &yeses, one, target, span)?], told)
    } else {
        let all: f64 = counts.each.iter().sum();
        let k = present(&counts.each);
        let weights: Vec<f64> = counts.each.iter().map(|c| weight(*c, all, k)).collect();
        let names = classes.as_ref().unwrap_or(&counts.names);
        let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| i.to_string());
        let told = weights.iter().enumerate().map(|(i, w)| (name(i), *w)).collect();
        (weights.into_iter().map(Value::Num).collect(), told)
    };
    let row = Balanced { target: name, weights: told };
    if !e.results.balanced.contains(&row) {
        e.results.balanced.push(row);
    }
    Ok(Value::List(weights))
}

/// Equal numbers of all classes.
fn unknown(e: &Elab<'_>, at: usize, target: &Tensor) -> Counts {
    let port = &e.session.ports.targets[at];
    match &port.classes {
        Some(classes) => {
            Counts { each: vec![1.0; classes.len()], of: classes.len() as f64, names: Vec::new() }
        }
        None => {
            let width = target.axes.last().map_or(1, |a| a.size);
            Counts { each: vec![1.0; width], of: 2.0, names: Vec::new() }
        }
    }
}

/// How many answers of each number are no, and how many yes.
fn both(counts: &Counts, classes: bool) -> [Vec<f64>; 2] {
    match classes {
        true => {
            let at = |i: usize| counts.each.get(i).copied().unwrap_or(0.0);
            [vec![at(0)], vec![at(1)]]
        }
        false => [counts.each.iter().map(|yes| counts.of - yes).collect(), counts.each.clone()],
    }
}

/// How many of the classes occur.
fn present(counts: &[f64]) -> f64 {
    counts.iter().filter(|c| **c > 0.0).count() as f64
}

/// A class that does not occur counts nothing.
fn weight(count: f64, all: f64, classes: f64) -> f64 {
    if count > 0.0 { all / (classes * count) } else { 0.0 }
}

fn told_answers(
    classes: Option<&[String]>,
    columns: &[String],
    noes: &[f64],
    yeses: &[f64],
) -> Vec<(String, f64)> {
    let answer = |i: usize, word: &str| match (classes, columns.get(i)) {
        (Some(classes), _) => classes.get(usize::from(word == "yes")).cloned().unwrap_or_else(|| word.into()),
        (None, Some(column)) if columns.len() > 1 => format!("{column} {word}"),
        _ if noes.len() > 1 => format!("{} {word}", i + 1),
        _ => word.to_string(),
    };
    let each = noes.iter().zip(yeses).enumerate();
    each.flat_map(|(i, (no, yes))| [(answer(i, "no"), *no), (answer(i, "yes"), *yes)]).collect()
}

/// Numbers along the last axis of the target; one number where all are alike.
fn along(e: &mut Elab<'_>, numbers: &[f64], one: bool, target: &Tensor, span: Span) -> Res<Value> {
    if one {
        return Ok(Value::Num(numbers[0]));
    }
    let list = Value::List(numbers.iter().copied().map(Value::Num).collect());
    let mut t = e.tensor_of(&list, span)?;
    if let Some(last) = target.axes.last().filter(|a| a.size == numbers.len()) {
        t.axes = vec![*last].into();
    }
    Ok(Value::Tensor(t))
}

/// The place among the targets of the one that a tensor is, under whatever shape of its classes.
fn port_behind(e: &Elab<'_>, t: &Tensor) -> Option<usize> {
    let graph = e.b.graph();
    let mut node = t.node;
    while let Prim::Elementwise(Elementwise::Convert) | Prim::Movement(Movement::Reshape) =
        &graph.node(node).prim
    {
        node = *graph.operands(node).first()?;
    }
    match graph.node(node).prim.parameter()? {
        (Role::Target, name) => {
            let name = name.strip_suffix(PARTNER).unwrap_or(name);
            e.session.ports.targets.iter().position(|p| *p.name == *name)
        }
        _ => None,
    }
}
