//! `nnc graph`: what the compiler makes of a program, stage by stage.

use crate::args::{Precision, SpecArgs};
use crate::commands::Run;
use crate::commands::summary::layer;
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::input::{self, Compiled, Length, compile};
use crate::output::Output;
use crate::stage;
use clap::{Args, ValueEnum};
use nnc_backend::Executable;
use nnc_graph::Graph;
use nnc_model::{Model, Spec};
use nnc_syntax::{Code, Diagnostic};
use nnc_train::{ProblemKind, plan_graph, plan_step};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// What the compiler makes of a program, stage by stage
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc graph xor.nn                               the forward pass
  nnc graph xor.nn --stage step                  forward, backward and the optimizer
  nnc graph xor.nn --format dot | dot -Tsvg > xor.svg")]
pub struct GraphArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How far to compile
    #[arg(long, value_name = "STAGE", value_enum, default_value_t)]
    pub stage: Stage,
    /// Of which stage of the training, from 1, where a program has `then { … }`
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub of: u64,
    /// For training, or for use afterwards (forward and plan only)
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    pub mode: Mode,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
}

/// How far to compile.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    /// The statements as they were read
    Ast,
    /// The network, layer by layer
    Layers,
    /// Predictions, loss and metrics
    #[default]
    Forward,
    /// With the gradient of every weight
    Backward,
    /// With the optimizer: what training runs
    Step,
    /// The instructions and where their values lie in memory
    Plan,
}

/// For what the graph is.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// As training computes it
    #[default]
    Train,
    /// As it is computed afterwards
    Eval,
}

/// How to print a stage.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Lines that parse back
    #[default]
    Text,
    /// A picture for Graphviz
    Dot,
    /// Data for programs
    Json,
}

impl Run for GraphArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Prints the stage.
fn run(args: &GraphArgs, out: &mut Output) -> Result<u8> {
    if args.mode == Mode::Eval && !matches!(args.stage, Stage::Forward | Stage::Plan) {
        let help = "--mode eval goes with --stage forward and --stage plan";
        return Err(Failure::usage("only the forward pass and its plan differ after training", help));
    }
    let text = match args.stage {
        Stage::Ast => ast(args, out)?,
        Stage::Layers => {
            let compiled = compile(&args.spec, args.precision, out)?;
            layers(&compiled, args.format)
        }
        Stage::Forward | Stage::Backward | Stage::Step => {
            let model = compile(&args.spec, args.precision, out)?.model;
            graph(chosen(of_stage(&model, args)?, args), args.format)?
        }
        Stage::Plan => {
            let mut compiled = compile(&args.spec, args.precision, out)?;
            compiled.model = of_stage(&compiled.model, args)?.clone();
            planned(&*plan_of(&compiled, args)?, args.format)?
        }
    };
    out.result(&text)?;
    Ok(0)
}

fn ast(args: &GraphArgs, out: &mut Output) -> Result<String> {
    let finished = args.spec.spec.as_deref().is_some_and(|path| input::is_model(Path::new(path)));
    let spec: Spec = match finished {
        true => compile(&args.spec, args.precision, out)?.spec,
        false => input::spec(&args.spec, Length::default(), out)?,
    };
    let text = nnc_syntax::ast_text(&spec.program, &spec.sources);
    Ok(match args.format {
        Format::Text => text,
        Format::Dot => stage::tree_dot(&text),
        Format::Json => pretty(&data(serde_json::to_value(&spec.program))?),
    })
}

fn layers(compiled: &Compiled, format: Format) -> String {
    match format {
        Format::Text => stage::layers_text(compiled),
        Format::Dot => stage::layers_dot(compiled),
        Format::Json => {
            let rows = compiled.model.layers.iter().map(|row| layer(compiled, row));
            pretty(&json!({ "layers": rows.collect::<Vec<Value>>() }))
        }
    }
}

/// The model as the wanted stage of the training has it.
fn of_stage<'m>(model: &'m Model, args: &GraphArgs) -> Result<&'m Model> {
    let wanted = usize::try_from(args.of).ok().and_then(|n| model.stages().nth(n.saturating_sub(1)));
    wanted.ok_or_else(|| {
        let stages = model.later.len() + 1;
        let message =
            format!("there is no stage {}: the program has {}", args.of, count(stages as u64, "stage"));
        Failure::usage(message, "each `then { … }` is a further stage")
    })
}

fn chosen<'m>(model: &'m Model, args: &GraphArgs) -> &'m Graph {
    match (args.stage, args.mode) {
        (Stage::Backward, _) => &model.backward,
        (Stage::Step, _) => &model.step,
        (_, Mode::Eval) => &model.eval,
        (_, Mode::Train) => &model.forward,
    }
}

fn graph(graph: &Graph, format: Format) -> Result<String> {
    Ok(match format {
        Format::Text => nnc_graph::text::print(graph),
        Format::Dot => nnc_graph::text::graphviz::print(graph),
        Format::Json => pretty(&data(serde_json::to_value(nnc_graph::text::json::data(graph)))?),
    })
}

/// The plan of a training step, or of the evaluation of a batch.
fn plan_of(compiled: &Compiled, args: &GraphArgs) -> Result<Arc<dyn Executable>> {
    let model = &compiled.model;
    if let (Mode::Train, Some(loaded)) = (args.mode, &compiled.loaded) {
        return Ok(plan_step(loaded, model)?);
    }
    let graph = if args.mode == Mode::Train { &model.step } else { &model.eval };
    let planned = plan_graph(model, graph, model.settings.batch, args.spec.memory.unwrap_or(u64::MAX));
    planned.map_err(|error| {
        let d = Diagnostic::error(Code::N0705, format!("there is no plan: {error}"));
        Failure::one(ProblemKind::Memory, d)
    })
}

fn planned(plan: &dyn Executable, format: Format) -> Result<String> {
    Ok(match format {
        Format::Text => plan.text(),
        Format::Dot => stage::plan_dot(plan),
        Format::Json => {
            let graph = data(serde_json::to_value(nnc_graph::text::json::data(plan.graph())))?;
            pretty(&stage::plan_data(plan, graph))
        }
    })
}

fn data(value: serde_json::Result<Value>) -> Result<Value> {
    value.map_err(|error| {
        let d = Diagnostic::error(Code::N0901, format!("this stage cannot be said in JSON: {error}"));
        Failure::one(ProblemKind::Internal, d)
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
