//! A trained network and its training as a folder: modules, a manifest that says what is what, a script that runs them.

use super::json::Json;
use super::{Module, module};
use crate::package::{Answer, Column, Encoding, Input, Package, Step};
use nnc_graph::Graph;

/// A training, to be written as modules.
#[derive(Clone, Debug)]
pub struct Training {
    /// What it is called: the name of its program.
    pub name: String,
    /// The file of its program, without folders.
    pub program: String,
    /// What the network says.
    pub predict: Graph,
    /// What it says, loss and metrics, as they are computed after training.
    pub eval: Graph,
    /// A step of the training.
    pub step: Graph,
    /// The first values of weights, states and slots.
    pub init: Graph,
    /// What samples are made of.
    pub inputs: Vec<Input>,
    /// What they should lead to.
    pub targets: Vec<Input>,
    /// What the predictions say, each with the target that it is about.
    pub answers: Vec<(Answer, Option<String>)>,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Samples that are computed at a time.
    pub batch: usize,
    /// Samples of the last batch of an epoch, where they are fewer.
    pub rest: Option<usize>,
    /// In how many pieces a step is computed.
    pub pieces: usize,
    /// Rows of the training.
    pub rows: u64,
    /// Steps of the whole training, which schedules know.
    pub steps: u64,
    /// Whether the step only computes gradients, and a solver outside changes the weights.
    pub solver: bool,
    /// How many stages the training has; the step is that of the first one.
    pub stages: usize,
    /// The epoch and the step after which weights and states are as they are in the file.
    pub taken: (u64, u64),
}

impl Training {
    /// Modules, manifest and script: the names of files, and what stands in them.
    ///
    /// # Errors
    /// What cannot be said in StableHLO, as a sentence.
    pub fn files(&self) -> Result<Vec<(String, String)>, String> {
        let mut files = Vec::new();
        let mut modules = Vec::new();
        let mut add = |what: &str, name: String, graph: &Graph, batch: usize| -> Result<(), String> {
            let made = module(graph, batch)?;
            modules.push(about(what, &name, batch, &made));
            files.push((name, made.text));
            Ok(())
        };
        add("predict", "predict.mlir".into(), &self.predict, self.batch)?;
        add("eval", "eval.mlir".into(), &self.eval, self.batch)?;
        add("step", "step.mlir".into(), &self.step, self.batch)?;
        if let Some(rest) = self.rest {
            add("step", format!("step_{rest}.mlir"), &self.step, rest)?;
        }
        add("init", "init.mlir".into(), &self.init, 1)?;
        let manifest = Json::Object(vec![
            ("format", Json::Whole(1)),
            ("name", Json::text(&self.name)),
            ("program", Json::text(&self.program)),
            ("precision", Json::text(self.step.float.name())),
            ("seed", Json::Whole(self.seed)),
            ("batch", whole(self.batch)),
            ("pieces", whole(self.pieces)),
            ("rows", Json::Whole(self.rows)),
            ("steps", Json::Whole(self.steps)),
            ("solver", Json::Bool(self.solver)),
            ("stages", whole(self.stages)),
            ("weights", Json::text(WEIGHTS)),
            ("epoch", Json::Whole(self.taken.0)),
            ("step", Json::Whole(self.taken.1)),
            ("modules", Json::List(modules)),
            ("inputs", Json::List(self.inputs.iter().map(input).collect())),
            ("targets", Json::List(self.targets.iter().map(input).collect())),
            ("answers", Json::List(self.answers.iter().map(answer).collect())),
        ]);
        files.push(("manifest.json".into(), manifest.to_string() + "\n"));
        files.push(("run.py".into(), include_str!("run.py").into()));
        Ok(files)
    }
}

/// The file of weights, states and slots, beside the others.
pub const WEIGHTS: &str = "init.safetensors";

fn whole(n: usize) -> Json {
    Json::Whole(n as u64)
}

fn sizes(shape: &[usize]) -> Json {
    Json::List(shape.iter().map(|&n| whole(n)).collect())
}

fn about(what: &str, file: &str, batch: usize, module: &Module) -> Json {
    let arguments = module.arguments.iter().map(|a| {
        Json::Object(vec![
            ("role", Json::text(a.role)),
            ("name", Json::text(&a.name)),
            ("dtype", Json::text(a.dtype)),
            ("shape", sizes(&a.shape)),
            ("batch_axis", Json::maybe(a.batch_axis.map(whole))),
            ("replaced_by", Json::maybe(a.replaced_by.map(whole))),
        ])
    });
    let results = module.results.iter().map(|r| {
        Json::Object(vec![
            ("kind", Json::text(r.kind.name())),
            ("name", Json::text(&r.name)),
            ("dtype", Json::text(r.dtype)),
            ("shape", sizes(&r.shape)),
        ])
    });
    Json::Object(vec![
        ("what", Json::text(what)),
        ("file", Json::text(file)),
        ("batch", whole(batch)),
        ("arguments", Json::List(arguments.collect())),
        ("results", Json::List(results.collect())),
    ])
}

fn input(input: &Input) -> Json {
    Json::Object(vec![
        ("name", Json::text(&input.name)),
        ("dtype", Json::text(input.dtype.name())),
        ("shape", sizes(&input.shape)),
        ("what", Json::text(&input.what)),
        ("classes", Json::maybe(input.classes.as_deref().map(Json::texts))),
        ("rows", Json::maybe(input.rows.map(whole))),
        ("columns", Json::List(input.columns.iter().map(column).collect())),
    ])
}

fn column(column: &Column) -> Json {
    let mut all = vec![
        ("name", Json::text(&column.name)),
        ("part", Json::maybe(column.part.as_deref().map(Json::text))),
        ("offset", whole(column.offset)),
    ];
    let place = |place: &Option<usize>| Json::maybe(place.map(whole));
    all.extend(match &column.encoding {
        Encoding::Number { steps, fill, indicator } => vec![
            ("kind", Json::text("number")),
            ("scaling", scaling(steps)),
            ("fill", Json::maybe(fill.map(Json::Number))),
            ("indicator", Json::Bool(*indicator)),
        ],
        Encoding::OneHot { classes, other, fill, indicator } => vec![
            ("kind", Json::text("one_hot")),
            ("classes", Json::texts(classes)),
            ("other", place(other)),
            ("fill", place(fill)),
            ("indicator", Json::Bool(*indicator)),
        ],
        Encoding::Class { classes, other, fill } => vec![
            ("kind", Json::text("class")),
            ("classes", Json::texts(classes)),
            ("other", place(other)),
            ("fill", place(fill)),
        ],
        Encoding::Tensor { steps } => vec![("kind", Json::text("array")), ("scaling", scaling(steps))],
    });
    Json::Object(all)
}

fn scaling(steps: &[Step]) -> Json {
    let step = |step: &Step| match step {
        Step::Shift { minus, over } => {
            Json::Object(vec![("minus", Json::Number(*minus)), ("over", Json::Number(*over))])
        }
        Step::Log => Json::text("log"),
    };
    Json::List(steps.iter().map(step).collect())
}

fn answer((answer, target): &(Answer, Option<String>)) -> Json {
    Json::Object(vec![
        ("name", Json::text(&answer.name)),
        ("shape", sizes(&answer.shape)),
        ("target", Json::maybe(target.as_deref().map(Json::text))),
        ("classes", Json::maybe(answer.classes.as_deref().map(Json::texts))),
        ("classes_of_steps", Json::maybe(answer.steps.as_deref().map(Json::texts))),
        ("scaling", Json::List(answer.scaling.iter().map(|s| scaling(s)).collect())),
    ])
}

/// Whether a network can be written, for a list of formats: the number of lines of its predictions.
///
/// # Errors
/// What cannot be said in StableHLO, as a sentence.
pub fn possible(package: &Package) -> Result<usize, String> {
    Ok(module(&package.graph, 1)?.text.lines().count())
}
