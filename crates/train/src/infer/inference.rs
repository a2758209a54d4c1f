//! Using a trained model: opening, evaluating, predicting.

use crate::artifact::card::ModelCard;
use crate::artifact::film::Film;
use crate::artifact::run_folder::resolve_model;
use crate::artifact::run_note::RunNote;
use crate::artifact::weights;
use crate::binding::encode::{Asked, Purpose, asked, fault_problem, same_data};
use crate::binding::load::{LoadOptions, input_names, load, output_names};
use crate::binding::marks::Marks;
use crate::binding::ports::{ports, with_counts, with_units};
use crate::execute::metrics::{self, Metrics};
use crate::execute::runner::{Planner, Runners, eval_batch, inference};
use crate::infer::beside::BesideReader;
use crate::infer::decode::Decoder;
use crate::infer::predictions::{Answers, Beside, Predictions, Reading};
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_artifact::{TensorFile, Values};
use nnc_backend::{Layout, State};
use nnc_data::{Stats, Table};
use nnc_graph::DType;
use nnc_model::{Model, Options, Ports, Spec};
use nnc_syntax::{Code, Diagnostic};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A trained model: program, weights, and the statistics of its data.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The file.
    pub path: PathBuf,
    /// The program, as it was trained.
    pub spec: Spec,
    /// The statistics of the data it was trained on.
    pub stats: Stats,
    /// What the data offers to the program.
    pub ports: Ports,
    /// The graphs.
    pub model: Model,
    /// The epoch the weights are of.
    pub epoch: u64,
    /// The steps they have taken.
    pub step: u64,
    pub(crate) file: TensorFile,
    /// Where the data of the program was.
    origin: LoadOptions,
}

/// Which rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// The training part.
    Train,
    /// The validation part.
    Valid,
    /// The test part.
    Test,
    /// All rows of the source named by `data`.
    All,
}

/// How to use a model.
#[derive(Clone, Debug, Default)]
pub struct InferOptions {
    /// A file instead of the program's data, as seen from the present folder; `-` is stdin.
    pub data: Option<String>,
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
    /// Bytes that may be taken; four fifths of the machine's memory where not given.
    pub memory_limit: Option<u64>,
}

/// Loss and metrics of some rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    /// `train`, `valid`, `test`, `all`, or the file.
    pub on: String,
    /// How many rows.
    pub rows: usize,
    /// How many of all rows of the data were left out for a gap in a column that says `missing=drop`, and how many
    /// the data has.
    pub left_out: (usize, usize),
    /// The figures.
    pub figures: Metrics,
    /// What is to be said about how the data was read.
    pub notes: Vec<Diagnostic>,
}

/// Opens a model file, a run's folder, or the newest run of a program.
///
/// # Errors
/// There is none, it is damaged, or its parts do not fit together.
pub fn open_model(path: &Path) -> Outcome<Trained> {
    let path = resolve_model(path)?;
    let file = weights::read(&path, None)?;
    let bad = |what: String| {
        let d = Diagnostic::error(Code::N0602, format!("`{}` is no model of nnc", path.display()));
        Problem::new(ProblemKind::Io, d.cause(what))
    };
    let card = ModelCard::load(&file).map_err(bad)?;
    let stats = Stats::from_json(&card.stats).map_err(bad)?;
    let spec = Spec::read(&card.name, &card.spec, &card.overrides).map_err(|(diagnostics, sources)| {
        Box::new(Problem { kind: ProblemKind::Spec, diagnostics, sources })
    })?;
    let mut ports =
        ports(&stats.schema, &spec).map_err(|d| Problem::at(ProblemKind::Data, d, &spec.sources))?;
    with_units(&mut ports, &stats);
    with_counts(&mut ports, &stats);
    // What the program watches while training is of no concern now.
    ports.has_valid = true;
    ports.trained = true;
    ports.samples = usize::try_from(stats.rows).unwrap_or(usize::MAX);
    let double = file.tensors.values().any(|t| matches!(t.values, Values::F64(_)));
    let float = if double { DType::F64 } else { DType::F32 };
    let model = spec.elaborate(&ports, &Options { float });
    let model = model.map_err(|d| Problem::at(ProblemKind::Spec, d, &spec.sources))?;
    let note = RunNote::beside(&path).unwrap_or_default();
    let origin = LoadOptions {
        data: note.data.as_ref().map(|p| p.to_string_lossy().into_owned()),
        fold: note.fold(),
        base: note.base,
        memory_limit: None,
    };
    let (epoch, step) = (card.epoch, card.step);
    Ok(Trained { path, spec, stats, ports, model, epoch, step, file, origin })
}

/// Loss and metrics of a trained model: on `--data`, on a part of its own data, or, where nothing is asked
/// for, on the part it was trained least on.
///
/// # Errors
/// The data cannot be read, lacks targets, or does not fit the model.
pub fn evaluate(model: &Trained, on: Option<On>, options: &InferOptions) -> Outcome<Evaluation> {
    let whole = |name: String| -> Outcome<(String, Table, Vec<Diagnostic>)> {
        let asked = model.asked(options)?;
        let table = asked.table(&model.stats, Purpose::Measure)?;
        let notes = asked.notes(&table);
        Ok((name, table, notes))
    };
    let (name, table, notes) = match (&options.data, on) {
        (Some(path), _) => whole(path.clone())?,
        (None, Some(On::All)) => whole("all".into())?,
        (None, on) => part(model, on, options)?,
    };
    if !table.has_targets() && !model.ports.targets.is_empty() {
        let d = Diagnostic::error(Code::N0513, format!("`{name}` has no targets to compare with"));
        return Err(Problem::new(ProblemKind::Data, d.help("nnc predict needs none")));
    }
    let rows: Vec<u32> = (0..table.len() as u32).collect();
    let mut ready = Ready::new(model, options)?;
    let mut sums = vec![0.0; metrics::width(&model.model)];
    ready.runners.sums(&table, &rows, &mut *ready.state, &mut sums)?;
    let figures = metrics::metrics(&model.model, &sums, table.len())?;
    let left_out = (table.left_out(), table.source_rows());
    Ok(Evaluation { on: name, rows: table.len(), left_out, figures, notes })
}

/// What a trained model says about every row of `--data`, or of its own data, with the columns it reads; all of it in
/// memory. [`predict_each`] needs none.
///
/// # Errors
/// The data cannot be read, or does not fit the model.
pub fn predict(model: &Trained, options: &InferOptions) -> Outcome<Predictions> {
    let table = model.asked(options)?.table(&model.stats, Purpose::Predict)?;
    let decoder = Decoder::new(&model.stats, &model.ports, &model.model);
    let mut ready = Ready::new(model, options)?;
    decoder.read(&table, &table.in_source_order(), &mut ready.runners, &mut *ready.state)
}

/// Tells what a trained model says about every row of `--data`, or of its own data, in the order of the rows, as it is
/// computed. Gives what is to be said about rows without an answer.
///
/// # Errors
/// The data cannot be read, does not fit the model, or lacks a column that is asked for.
pub fn predict_each(
    model: &Trained,
    options: &InferOptions,
    beside: &Beside,
    to: &mut dyn Answers,
) -> Outcome<Vec<Diagnostic>> {
    let asked = model.asked(options)?;
    if *beside != Beside::Nothing && asked.is_stdin() {
        nnc_data::keep_stdin().map_err(|f| fault_problem(&f))?;
    }
    let decoder = Decoder::new(&model.stats, &model.ports, &model.model);
    let mut ready = Ready::new(model, options)?;
    let mut cells = BesideReader::open(&asked, &model.stats, beside)?;
    let purpose = if cells.wants_decoded() { Purpose::Predict } else { Purpose::Answer };
    let table = asked.table(&model.stats, purpose)?;
    let headings = cells.headings(&table, &decoder, model.stats.window.is_some())?;
    if to.begin(&headings).is_break() {
        return Ok(Vec::new());
    }
    let mut failed = None;
    let mut unanswered = 0;
    decoder.each(
        &table,
        &table.in_source_order(),
        &mut ready.runners,
        &mut *ready.state,
        |row, outputs| {
            unanswered += usize::from(outputs.is_none());
            match cells.answer(&table, &decoder, row, outputs) {
                Ok(answer) => to.answer(&answer),
                Err(problem) => {
                    failed = Some(problem);
                    ControlFlow::Break(())
                }
            }
        },
    )?;
    match failed {
        Some(problem) => Err(problem),
        None => Ok(asked.notes(&table).into_iter().chain(asked.unanswered(&table, unanswered)).collect()),
    }
}

impl Trained {
    /// A name for every number that goes in, where there is one input of columns.
    pub fn input_names(&self) -> Option<Vec<String>> {
        input_names(&self.ports, &self.stats)
    }

    /// A name for every class, or number, of the target, where there is one.
    pub fn output_names(&self) -> Option<Vec<String>> {
        output_names(&self.ports, &self.stats)
    }

    /// A state with the model's weights.
    pub(crate) fn state(&self, layout: &dyn Layout) -> Outcome<Box<dyn State>> {
        let mut state = layout.state();
        weights::load(&mut *state, &self.file, &self.path)?;
        Ok(state)
    }

    /// The weights of some epochs, where its run has kept them.
    pub(crate) fn film(&self) -> BTreeMap<u64, TensorFile> {
        let film = self.path.parent().map(|folder| Film::read(folder, &self.file));
        film.unwrap_or_default().frames()
    }

    /// Whether the rows it was trained on came from stdin, and are gone.
    pub fn is_of_stdin(&self) -> bool {
        self.origin.data.as_deref() == Some("-")
    }

    /// Whether rows are asked for that are not those of the program.
    pub(crate) fn of_other_data(&self, options: &InferOptions) -> bool {
        options.data.is_some() || self.origin.data.is_some()
    }

    pub(crate) fn origin(&self, options: &InferOptions) -> LoadOptions {
        LoadOptions { memory_limit: options.memory_limit, ..self.origin.clone() }
    }

    /// `--data`, or the data it was trained on.
    pub(crate) fn asked(&self, options: &InferOptions) -> Outcome<Asked> {
        asked(&self.stats, &self.spec, &self.origin(options), options.data.as_deref())
    }
}

/// A part of the data the model was trained on.
pub(crate) fn part(
    model: &Trained,
    on: Option<On>,
    options: &InferOptions,
) -> Outcome<(String, Table, Vec<Diagnostic>)> {
    let loaded = load(model.spec.clone(), &model.origin(options))?;
    if !same_data(&loaded.data.stats, &model.stats) {
        let d = Diagnostic::error(Code::N0513, "the data has changed since this model was trained");
        let d = d.help("--data F, or --on all, measures the model on what is there now");
        return Err(Problem::new(ProblemKind::Data, d));
    }
    let data = loaded.data;
    let of = |name: &str, table: Option<Table>| match table {
        Some(table) => {
            let notes = Marks::default().diagnostics(table.notes());
            Ok((name.to_string(), table, notes))
        }
        None => {
            let d = Diagnostic::error(Code::N0513, format!("this program has no {name} part"));
            Err(Problem::new(ProblemKind::Data, d.help(format!("in the program: split {name}=20%"))))
        }
    };
    match on {
        Some(On::Valid) => of("valid", data.valid),
        Some(On::Test) => of("test", data.test),
        None if data.test.is_some() => of("test", data.test),
        None if data.valid.is_some() => of("valid", data.valid),
        _ => of("train", Some(data.train)),
    }
}

/// A model with its memory.
pub(crate) struct Ready {
    runners: Runners,
    state: Box<dyn State>,
    layout: Arc<dyn Layout>,
    batch: usize,
    /// Multiplications and additions of a row.
    flops: u64,
}

impl Ready {
    pub(crate) fn new(model: &Trained, options: &InferOptions) -> Outcome<Self> {
        let layout = inference(&model.model, options.threads)?;
        let limit = memory::limit(options.memory_limit);
        let mut planner = Planner::new(&*layout, limit);
        let batch = eval_batch(&model.model);
        let plans = vec![planner.plan(&model.model.eval, batch)?];
        let flops = plans.iter().flat_map(|p| p.operations()).map(|o| o.flops).sum::<u64>() / batch as u64;
        planner.need.add("weights", layout.bytes());
        planner.need.check(limit)?;
        let state = model.state(&*layout)?;
        let runners = Runners::new(plans, batch, &model.ports, &model.model)?;
        Ok(Self { runners, state, layout, batch, flops })
    }

    /// Multiplications and additions of a row.
    pub(crate) fn flops(&self) -> u64 {
        self.flops
    }

    /// How many rows are run at once, and where the weights lie.
    pub(crate) fn batch_and_layout(&self) -> (usize, Arc<dyn Layout>) {
        (self.batch, self.layout.clone())
    }

    /// What runs, and the weights.
    pub(crate) fn parts(&mut self) -> (&mut Runners, &mut dyn State) {
        (&mut self.runners, &mut *self.state)
    }

    /// What the model says of one sample, given as the numbers of its inputs.
    pub(crate) fn said(
        &mut self,
        model: &Trained,
        decoder: &Decoder<'_>,
        inputs: &[Vec<f64>],
    ) -> Outcome<Vec<Reading>> {
        let batch = eval_batch(&model.model);
        let Some(runner) = self.runners.of(batch) else { return Ok(Vec::new()) };
        for (port, values) in model.ports.inputs.iter().zip(inputs) {
            if let Some(mut out) = runner.input_mut(&port.name) {
                out.write(std::iter::repeat_n(values, batch).flatten().copied());
            }
        }
        runner.run(&mut *self.state, 0, 0)?;
        Ok(decoder.first(runner))
    }
}
