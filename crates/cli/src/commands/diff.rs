//! `nnc diff`: in what two programs differ.

use crate::args::{Precision, SpecArgs};
use crate::commands::Run;
use crate::failure::Result;
use crate::format::{grouped, shape};
use crate::input::{Compiled, compile};
use crate::output::Output;
use crate::stage::flat;
use crate::table::Table;
use clap::Args;
use nnc_graph::{Graph, Role};
use nnc_model::{LayerRow, Model, Spec};
use nnc_syntax::ast::StmtKind;
use serde_json::{Value, json};

/// In what two programs differ: layers, shapes, weights, cost, statements
#[derive(Args, Debug)]
#[command(after_help = "\
A side is a program, an experiment of one (net.nn:deep), or a run.

Examples:
  nnc diff a.nn b.nn
  nnc diff xor-experiments.nn xor-experiments.nn:deep
  nnc diff runs/xor/1 xor.nn            what has changed since that run

Lines with - are of the first only, with + of the second only; with ~ the words are
the same and the shape or the weights differ.

Exit codes: 0 no difference, 1 some, 2 a mistake in what was given.")]
pub struct DiffArgs {
    /// A program, an experiment of one, or a run
    #[arg(value_name = "A")]
    pub first: String,
    /// Another
    #[arg(value_name = "B")]
    pub second: String,
    /// Take the data of both from this file instead
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Layers that are the same are shown up to this number of all.
const ALL: usize = 24;

impl Run for DiffArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// `net.nn:deep` is a program and an experiment of it.
fn split(side: &str) -> (&str, Option<&str>) {
    match side.rsplit_once(".nn:") {
        Some((path, experiment)) => (&side[..path.len() + 3], Some(experiment)),
        None => (side, None),
    }
}

fn read(side: &str, data: Option<&str>, out: &mut Output) -> Result<Compiled> {
    let (path, experiment) = split(side);
    let args = SpecArgs {
        spec: Some(path.to_string()),
        experiment: experiment.map(str::to_string),
        data: data.map(str::to_string),
        ..SpecArgs::default()
    };
    compile(&args, Precision::F32, out)
}

fn run(args: &DiffArgs, out: &mut Output) -> Result<u8> {
    let a = read(&args.first, args.data.as_deref(), out)?;
    let b = read(&args.second, args.data.as_deref(), out)?;
    let difference = Difference::of(&a, &b);
    if args.json {
        out.json(&difference.json(&args.first, &args.second))?;
    } else {
        out.result(&difference.text(&args.first, &args.second, same_text(&a.spec, &b.spec)))?;
    }
    Ok(u8::from(!difference.is_nothing()))
}

/// What a line of a comparison is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    Same,
    /// The words are the same, not what comes of them.
    Other,
    First,
    Second,
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Mark::Same => " ",
            Mark::Other => "~",
            Mark::First => "-",
            Mark::Second => "+",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Mark::Same => "same",
            Mark::Other => "changed",
            Mark::First => "removed",
            Mark::Second => "added",
        }
    }
}

/// A line of two lists that were laid beside each other: their places in both.
type Pair = (Mark, Option<usize>, Option<usize>);

/// Two lists beside each other, so that as many as possible stand in both (the longest common subsequence).
fn aligned<T: PartialEq>(a: &[T], b: &[T]) -> Vec<Pair> {
    let (n, m) = (a.len(), b.len());
    // The longest from each pair of places on.
    let mut longest = vec![vec![0u32; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            longest[i][j] = match a[i] == b[j] {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < n || j < m {
        if i < n && j < m && a[i] == b[j] {
            out.push((Mark::Same, Some(i), Some(j)));
            (i, j) = (i + 1, j + 1);
        } else if j == m || i < n && longest[i + 1][j] >= longest[i][j + 1] {
            out.push((Mark::First, Some(i), None));
            i += 1;
        } else {
            out.push((Mark::Second, None, Some(j)));
            j += 1;
        }
    }
    out
}

/// A layer as it is compared.
struct Layer {
    text: String,
    shape: String,
    weights: u64,
}

/// Sums over a network.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Totals {
    weights: u64,
    flops: u64,
    bytes: u64,
}

/// All that differs, and what stands beside it.
struct Difference {
    layers: Vec<(Mark, Option<Layer>, Option<Layer>)>,
    statements: Vec<(Mark, String)>,
    totals: [Totals; 2],
    /// Whether what is trained is the same, operation by operation.
    same_step: bool,
}

impl Difference {
    fn of(a: &Compiled, b: &Compiled) -> Self {
        let rows = [&a.model.layers, &b.model.layers];
        let texts = rows.map(|rows| rows.iter().map(|r| flat(&r.text)).collect::<Vec<_>>());
        let layer = |side: usize, at: Option<usize>| {
            let row: &LayerRow = rows[side].get(at?)?;
            Some(Layer { text: flat(&row.text), shape: shape(&row.shape), weights: row.weights as u64 })
        };
        let layers = aligned(&texts[0], &texts[1]).into_iter().map(|(mark, i, j)| {
            let (first, second) = (layer(0, i), layer(1, j));
            let other = match (&first, &second) {
                (Some(a), Some(b)) => a.shape != b.shape || a.weights != b.weights,
                _ => false,
            };
            (if other { Mark::Other } else { mark }, first, second)
        });
        let lists = [statements(&a.spec), statements(&b.spec)];
        let statements = aligned(&lists[0], &lists[1]).into_iter().filter_map(|(mark, i, j)| {
            let text = i.and_then(|i| lists[0].get(i)).or_else(|| lists[1].get(j?))?;
            (mark != Mark::Same).then(|| (mark, text.clone()))
        });
        Self {
            layers: layers.collect(),
            statements: statements.collect(),
            totals: [totals(&a.model), totals(&b.model)],
            same_step: bare(&a.model.step) == bare(&b.model.step)
                && bare(&a.model.init) == bare(&b.model.init),
        }
    }

    fn is_nothing(&self) -> bool {
        self.layers.iter().all(|(mark, _, _)| *mark == Mark::Same)
            && self.statements.is_empty()
            && self.same_step
    }

    fn text(&self, first: &str, second: &str, same_text: bool) -> String {
        if self.is_nothing() {
            let why = match same_text {
                true => "the texts are the same",
                false => "the texts differ in comments, layout or order only",
            };
            return format!(
                "no difference: layers, shapes, weights, statements, and every operation of a step; {why}\n"
            );
        }
        let mut out = format!("- {first}\n+ {second}\n");
        if self.layers.iter().any(|(mark, _, _)| *mark != Mark::Same) {
            out.push_str(&format!("\nlayers\n{}", self.layers_text()));
        }
        if !self.statements.is_empty() {
            out.push_str("\nstatements\n");
            for (mark, text) in &self.statements {
                out.push_str(&format!("{} {text}\n", mark.sign()));
            }
        }
        let [a, b] = self.totals;
        if a != b {
            let mut table =
                Table::default().words("for one sample").numbers("-").numbers("+").numbers("difference");
            for (name, a, b) in [
                ("weights", a.weights, b.weights),
                ("FLOPs forward", a.flops, b.flops),
                ("bytes of activations", a.bytes, b.bytes),
            ] {
                table.row(vec![name.into(), grouped(a), grouped(b), difference(a, b)]);
            }
            out.push_str(&format!("\n{}", table.text()));
        }
        if self.layers.iter().all(|(mark, _, _)| *mark == Mark::Same) && self.statements.is_empty() {
            out.push_str(
                "\nLayers and statements are the same, and what a step computes is not: a definition, a parameter or the data \
                 differs. `nnc graph … --stage step` of both shows where.\n",
            );
        }
        out
    }

    fn layers_text(&self) -> String {
        let mut table = Table::default().words("").words("layer").words("shape").numbers("weights");
        let near = |at: usize| {
            let from = at.saturating_sub(1);
            self.layers.iter().skip(from).take(at - from + 2).any(|(mark, _, _)| *mark != Mark::Same)
        };
        let mut left_out = false;
        for (at, (mark, first, second)) in self.layers.iter().enumerate() {
            if *mark == Mark::Same && self.layers.len() > ALL && !near(at) {
                if !left_out {
                    table.row(vec![String::new(), "…".into(), String::new(), String::new()]);
                }
                left_out = true;
                continue;
            }
            left_out = false;
            let Some(layer) = first.as_ref().or(second.as_ref()) else { continue };
            let both = |of: fn(&Layer) -> String| match (first, second) {
                (Some(a), Some(b)) if of(a) != of(b) => format!("{} to {}", of(a), of(b)),
                _ => of(layer),
            };
            let weights = |l: &Layer| if l.weights == 0 { String::new() } else { grouped(l.weights) };
            table.row(vec![mark.sign().into(), layer.text.clone(), both(|l| l.shape.clone()), both(weights)]);
        }
        table.text()
    }

    fn json(&self, first: &str, second: &str) -> Value {
        let side = |layer: &Option<Layer>| {
            layer.as_ref().map(|l| json!({"text": l.text, "shape": l.shape, "weights": l.weights}))
        };
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|(mark, a, b)| json!({"is": mark.name(), "first": side(a), "second": side(b)}))
            .collect();
        let statements: Vec<Value> =
            self.statements.iter().map(|(mark, text)| json!({"is": mark.name(), "text": text})).collect();
        let totals = |t: Totals| json!({"weights": t.weights, "flops": t.flops, "bytes": t.bytes});
        json!({
            "first": first,
            "second": second,
            "same": self.is_nothing(),
            "same_step": self.same_step,
            "layers": layers,
            "statements": statements,
            "totals": [totals(self.totals[0]), totals(self.totals[1])],
        })
    }
}

/// `+64 (x1.98)`
fn difference(a: u64, b: u64) -> String {
    let sign = if b >= a { "+" } else { "-" };
    let times = if a > 0 && a != b { format!(" (x{:.2})", b as f64 / a as f64) } else { String::new() };
    format!("{sign}{}{times}", grouped(a.abs_diff(b)))
}

fn totals(model: &Model) -> Totals {
    let weights = model.parameters.iter().filter(|p| p.role == Role::Weight);
    Totals {
        weights: weights.map(|p| p.shape.iter().product::<usize>() as u64).sum(),
        flops: model.layers.iter().map(|r| r.flops).fold(0, u64::saturating_add),
        bytes: model.layers.iter().map(|r| r.bytes).fold(0, u64::saturating_add),
    }
}

/// The statements that are no layers, without comments, and the values of the parameters.
fn statements(spec: &Spec) -> Vec<String> {
    let mut out: Vec<String> =
        spec.params.iter().map(|(name, value)| format!("{name} = {value}   (param)")).collect();
    for stmt in &spec.program.stmts {
        // Parameters are told by the values that they have; layers stand in a list of their own.
        if matches!(stmt.kind, StmtKind::Flow(_) | StmtKind::Param { .. } | StmtKind::Error) {
            continue;
        }
        let text = spec.sources.slice(stmt.span);
        let lines = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
        let text: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
        out.push(flat(&text.join(" ")));
    }
    out
}

fn same_text(a: &Spec, b: &Spec) -> bool {
    a.sources.get(a.source).text == b.sources.get(b.source).text
}

/// A graph without the lines that its nodes come from.
fn bare(graph: &Graph) -> String {
    let text = nnc_graph::text::print(graph);
    let lines = text.lines().map(|line| line.split(" @ ").next().unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_possible_stand_in_both() {
        let signs = |a: &str, b: &str| -> String {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            aligned(&a, &b).iter().map(|(mark, _, _)| mark.sign()).collect()
        };
        assert_eq!(signs("abc", "abc"), "   ");
        assert_eq!(signs("abc", "axc"), " -+ ");
        assert_eq!(signs("", "ab"), "++");
        assert_eq!(signs("abcd", "bd"), "- - ");
        assert_eq!(difference(65, 129), "+64 (x1.98)");
        assert_eq!(difference(5, 5), "+0");
    }
}
