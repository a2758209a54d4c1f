//! `nnc graph`: what the compiler makes of a program, stage by stage.

use crate::args::{Format, GraphArgs, Mode, Stage};
use crate::commands::summary::layer;
use crate::failure::{Failure, Result};
use crate::input::{self, Compiled, Length, compile};
use crate::output::Output;
use crate::stage;
use nnc_engine::{EngineError, Layout, Plan, PlanOptions, plan};
use nnc_graph::Graph;
use nnc_model::{Model, Spec};
use nnc_syntax::Diagnostic;
use nnc_train::{ProblemKind, plan_step};
use serde_json::{Value, json};
use std::path::Path;

/// Prints the stage.
pub fn run(args: &GraphArgs, out: &mut Output) -> Result<u8> {
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
            graph(chosen(&model, args), args.format)?
        }
        Stage::Plan => {
            let compiled = compile(&args.spec, args.precision, out)?;
            planned(&plan_of(&compiled, args)?, args.format)?
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
        Format::Dot => nnc_graph::dot::print(graph),
        Format::Json => pretty(&data(serde_json::to_value(nnc_graph::json::data(graph)))?),
    })
}

/// The plan of a training step, or of the evaluation of a batch.
fn plan_of(compiled: &Compiled, args: &GraphArgs) -> Result<Plan> {
    let model = &compiled.model;
    if let (Mode::Train, Some(loaded)) = (args.mode, &compiled.loaded) {
        return Ok(plan_step(loaded, model)?);
    }
    let graph = if args.mode == Mode::Train { &model.step } else { &model.eval };
    let options =
        PlanOptions { memory_limit: args.spec.memory.unwrap_or(u64::MAX), ..PlanOptions::default() };
    let planned = Layout::new(&[&model.init, &model.step, &model.eval])
        .and_then(|layout| plan(graph, &layout, model.settings.batch, &options));
    planned.map_err(|error| refused(&error))
}

fn refused(error: &EngineError) -> Failure {
    Failure::one(ProblemKind::Memory, Diagnostic::error("N0705", format!("there is no plan: {error}")))
}

fn planned(plan: &Plan, format: Format) -> Result<String> {
    Ok(match format {
        Format::Text => plan.text(),
        Format::Dot => stage::plan_dot(plan),
        Format::Json => {
            let graph = data(serde_json::to_value(nnc_graph::json::data(plan.graph())))?;
            pretty(&stage::plan_data(plan, graph))
        }
    })
}

fn data(value: serde_json::Result<Value>) -> Result<Value> {
    value.map_err(|error| {
        let d = Diagnostic::error("N0705", format!("this stage cannot be said in JSON: {error}"));
        Failure::one(ProblemKind::Internal, d)
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
