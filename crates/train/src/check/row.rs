//! One row's way through a trained network: what every layer makes of it, its loss, and what it would teach.

use crate::artifact::checkpoint::{Longer, open_checkpoint};
use crate::artifact::weights;
use crate::binding::encode::Purpose;
use crate::check::step::{RowSeen, rows_seen};
use crate::engine::Engine;
use crate::execute::runner::{Runner, internal, layout, refused};
use crate::fit::pieces::Pieces;
use crate::fit::train::{StepWeight, numbers_of, weights_of};
use crate::infer::inference::{InferOptions, Trained};
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_backend::{Layout, Options, State};
use nnc_graph::{Graph, NodeId, OutputKind, Role};
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic, Span};
use std::path::Path;

/// What a layer makes of a row.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerValue {
    /// Its name, such as `dense1`.
    pub name: String,
    /// The words of the program.
    pub text: String,
    /// Where they stand.
    pub span: Span,
    /// The shape of the result.
    pub shape: Vec<usize>,
    /// The result.
    pub values: Vec<f64>,
}

/// A row, explained.
#[derive(Clone, PartialEq, Debug)]
pub struct RowExplained {
    /// Its number in the source, from 0.
    pub row: usize,
    /// Its place and its cells, where the data is text.
    pub seen: RowSeen,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The layers in the order of the program, as a trained network computes them.
    pub layers: Vec<LayerValue>,
    /// The loss and the metrics that are one number for a row; nothing where the data has no targets.
    pub figures: Vec<(String, f64)>,
    /// What one training step with this row alone would do, from these weights on, with what the optimizer remembers of
    /// the training where the run's folder has it. Empty where the data has no targets, or where the optimizer sees all
    /// rows at once.
    pub weights: Vec<StepWeight>,
    /// Whether the optimizer's memory is that of the training.
    pub remembered: bool,
}

/// Explains what a trained network makes of a row of its data, or of `--data`. `row` counts the rows of the source from 0.
///
/// # Errors
/// The data cannot be read or does not fit the model; there is no such row.
pub fn explain_row(
    trained: &Trained,
    options: &InferOptions,
    row: usize,
    engine: Engine,
) -> Outcome<RowExplained> {
    let asked = trained.asked(options)?;
    let measured = asked.table(&trained.stats, Purpose::Measure);
    let table = measured.or_else(|_| asked.table(&trained.stats, Purpose::Predict))?;
    let at = (0..table.len()).find(|&i| table.source_row(i) == Some(row));
    let Some(at) = at else { return Err(no_row(&asked.name(), row, table.source_rows())) };
    let (columns, mut seen) = rows_seen(&asked, &trained.stats, &[row])?;
    let backend = engine.backend(options.threads);
    let layout = layout(&*backend, &trained.model)?;
    let mut state = trained.state(&*layout)?;
    let limit = memory::limit(options.memory_limit);
    let model = &trained.model;
    let run = |model: &Model, graph: &Graph, state: &mut dyn State, keep_all: bool| -> Outcome<Runner> {
        let options = Options { memory_limit: limit, keep_all };
        let plan = layout.compile(graph, 1, &options).map_err(|e| refused(&e))?;
        let mut runner = Runner::new(plan, &trained.ports, model)?;
        runner.feed(&table, &[at as u32]).map_err(|f| internal(&f))?;
        let pieces = Pieces::new(&model.settings);
        let step = trained.step + 1;
        let key = pieces.of(step, 0, 1).next().map_or(step, |piece| {
            pieces.tell(state, &piece, 1, step);
            piece.key
        });
        runner.run(state, model.settings.seed, key)?;
        Ok(runner)
    };
    let runner = run(model, &model.eval, &mut *state.snapshot(), true)?;
    let layers = layers(model, trained, &runner);
    let targets = table.has_targets() || trained.ports.targets.is_empty();
    let mut explained = RowExplained {
        row,
        seen: seen.remove(&row).unwrap_or_default(),
        columns,
        layers,
        figures: Vec::new(),
        weights: Vec::new(),
        remembered: false,
    };
    if !targets {
        return Ok(explained);
    }
    let kinds = [OutputKind::Loss, OutputKind::Metric];
    for output in kinds.iter().flat_map(|kind| model.eval.outputs_of(*kind)) {
        let value = runner.output(output.kind, &output.name).and_then(|v| v.get(0));
        explained.figures.extend(value.map(|x| (output.name.to_string(), x)));
    }
    weights::fresh_slots(model, &*layout, &mut *state, model.settings.seed)?;
    let stage = remember(&trained.path, &*layout, &mut *state);
    explained.remembered = stage.is_some();
    let model = model.stages().nth(stage.unwrap_or(0)).unwrap_or(model);
    if model.solver.is_some() {
        return Ok(explained);
    }
    let mut all = weights_of(model, &*state);
    let runner = run(model, &model.backward, &mut *state.snapshot(), false)?;
    for weight in &mut all {
        let gradient = runner.output(OutputKind::Gradient, &weight.name);
        weight.gradient = gradient.map_or(Vec::new(), |g| g.iter().collect());
    }
    run(model, &model.step, &mut *state, false)?;
    for weight in &mut all {
        weight.after = numbers_of(&*state, weight);
    }
    explained.weights = all;
    Ok(explained)
}

/// Takes the optimizer's memory from the checkpoint beside a model, and says which stage of the training that is of.
fn remember(path: &Path, layout: &dyn Layout, state: &mut dyn State) -> Option<usize> {
    let checkpoint = open_checkpoint(path.parent()?, Longer::default()).ok()?;
    let mut then = layout.state();
    checkpoint.restore(&mut *then, None).ok()?;
    let slots: Vec<_> = state.entries().iter().filter(|e| e.role == Role::Slot).cloned().collect();
    for slot in slots {
        if let (Some(from), Some(mut to)) =
            (then.get(Role::Slot, &slot.name), state.get_mut(Role::Slot, &slot.name))
        {
            to.copy_from(from);
        }
    }
    Some(checkpoint.stages().len())
}

/// The results of the layers in a graph whose values are all kept.
fn layers(model: &Model, trained: &Trained, runner: &Runner) -> Vec<LayerValue> {
    let graph = runner.graph();
    let line = |span: Span| trained.spec.sources.get(span.source).line_column(span.start).0;
    let mut out: Vec<LayerValue> = Vec::new();
    for (at, layer) in model.layers.iter().enumerate() {
        // Of several with one name in one line, as in `repeat`, the last is meant by that name.
        let same = |other: &nnc_model::LayerRow| other.name == layer.name && other.span == layer.span;
        if model.layers.iter().skip(at + 1).any(same) {
            continue;
        }
        let found = result(graph, &layer.name, line(layer.span), &layer.shape);
        if let Some(values) = found.and_then(|node| runner.value(node)) {
            out.push(LayerValue {
                name: layer.name.clone(),
                text: layer.text.clone(),
                span: layer.span,
                shape: layer.shape.clone(),
                values: values.iter().collect(),
            });
        }
    }
    out
}

/// The last node of a layer that has its shape.
fn result(graph: &Graph, name: &str, line: usize, shape: &[usize]) -> Option<NodeId> {
    let own = |id: &NodeId| {
        let origin = &graph.node(*id).origin;
        let top = origin.scope.split(" > ").next().unwrap_or_default();
        let sizes = graph.ty(*id).shape.iter();
        let fixed: Vec<usize> = sizes.filter_map(|d| d.fixed()).collect();
        top == name && origin.line as usize == line && fixed == shape
    };
    graph.ids().rev().find(own)
}

fn no_row(name: &str, row: usize, rows: usize) -> Box<Problem> {
    let d = match row < rows {
        true => Diagnostic::error(Code::N0513, format!("row {} of `{name}` is no sample", row + 1))
            .cause("it was left out for a gap, or lies within the first window"),
        false => Diagnostic::error(Code::N0513, format!("`{name}` has {rows} rows, and no row {}", row + 1)),
    };
    Problem::new(ProblemKind::Data, d)
}
