//! `nnc graph`: what the compiler makes of a program, stage by stage.

use crate::args::{Precision, SpecArgs};
use crate::commands::Run;
use crate::commands::summary::layer;
use crate::drawing;
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::input::{self, Compiled, Length, compile};
use crate::output::Output;
use crate::stage;
use clap::{Args, ValueEnum};
use nnc_backend::Executable;
use nnc_graph::Graph;
use nnc_model::suggest::nearest;
use nnc_model::{Model, Spec};
use nnc_report::{Drawing, Program};
use nnc_syntax::{Code, Diagnostic};
use nnc_train::{ProblemKind, plan_graph, plan_step};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the compiler makes of a program, stage by stage
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc graph xor.nn                               the forward pass
  nnc graph xor.nn --stage step                  forward, backward and the optimizer
  nnc graph xor.nn --stage step --out xor.svg    a picture, one box for each layer
  nnc graph xor.nn --out xor.html                a page: all stages, zoom, search, the program beside them
  nnc graph runs/xor/1 --stage neurons --out xor.svg    neurons, connections coloured by their weights
  nnc graph gpt.nn --around transformer1 --depth 2 --out part.svg")]
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
    /// How to print it: text where neither this nor the ending of --out says it
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// In pictures: open boxes down to this depth; 1 shows layers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub depth: Option<u16>,
    /// In pictures: only the boxes of this name and those beside them
    #[arg(long, value_name = "NAME")]
    pub around: Option<String>,
    /// Write it to this file
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
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
    /// A picture of a small network of dense layers: neurons and connections, by their weights where it is trained
    Neurons,
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
    /// A picture for Mermaid, which GitHub draws
    Mermaid,
    /// A picture for browsers and pages, which needs nothing else
    Svg,
    /// A page with all stages and the program beside them, to zoom, search and open; needs nothing else
    Html,
    /// Data for programs
    Json,
}

impl GraphArgs {
    /// The format that is asked for, or that the file's name asks for.
    fn format(&self) -> Format {
        let ending = self.out.as_deref().and_then(|path| path.extension()?.to_str());
        self.format.unwrap_or(match ending {
            Some("svg") => Format::Svg,
            Some("html" | "htm") => Format::Html,
            Some("dot" | "gv") => Format::Dot,
            Some("mmd" | "mermaid") => Format::Mermaid,
            Some("json") => Format::Json,
            Some(_) | None => Format::Text,
        })
    }
}

impl Format {
    fn is_picture(self) -> bool {
        match self {
            Format::Text | Format::Json => false,
            Format::Dot | Format::Mermaid | Format::Svg | Format::Html => true,
        }
    }
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
    if !args.format().is_picture() {
        let flag = if args.depth.is_some() { "--depth" } else { "--around" };
        if args.depth.is_some() || args.around.is_some() {
            let help = "pictures have both: --format svg, --format html, --format dot, --format mermaid";
            return Err(Failure::usage(format!("{flag} is about pictures, not about text and data"), help));
        }
    }
    let text = match args.stage {
        Stage::Neurons => neurons(args, out)?,
        _ if args.format() == Format::Html => page(args, out)?,
        Stage::Ast => ast(args, out)?,
        Stage::Layers => layers(&compile(&args.spec, args.precision, out)?, args)?,
        Stage::Forward | Stage::Backward | Stage::Step => {
            let compiled = compile(&args.spec, args.precision, out)?;
            let graph = chosen(of_stage(&compiled.model, args)?, args);
            match args.format() {
                Format::Text => nnc_graph::text::print(graph),
                Format::Json => pretty(&data(serde_json::to_value(nnc_graph::text::json::data(graph)))?),
                Format::Dot | Format::Mermaid | Format::Svg | Format::Html => picture(
                    nnc_report::network(graph, &drawing::program(&compiled.spec, &compiled.model)),
                    args,
                    None,
                )?,
            }
        }
        Stage::Plan => {
            let mut compiled = compile(&args.spec, args.precision, out)?;
            compiled.model = of_stage(&compiled.model, args)?.clone();
            planned(&*plan_of(&compiled, args)?, &drawing::program(&compiled.spec, &compiled.model), args)?
        }
    };
    match &args.out {
        Some(path) => write(path, &text)?,
        None => out.result(&text)?,
    }
    Ok(0)
}

/// Neurons and connections, which are a picture only.
fn neurons(args: &GraphArgs, out: &mut Output) -> Result<String> {
    let svg = args.format() == Format::Svg || args.format.is_none() && args.out.is_none();
    if !svg || args.depth.is_some() || args.around.is_some() {
        let help = "nnc graph runs/xor/1 --stage neurons --out xor.svg";
        return Err(Failure::usage("neurons are drawn as a whole, and as SVG", help));
    }
    crate::neurons::svg(&args.spec, args.precision, out)
}

/// Writes a picture or text into a file; a program is never written over.
fn write(path: &Path, text: &str) -> Result<()> {
    let help = "nnc graph xor.nn --out xor.svg names a file for a picture";
    if path.extension().is_some_and(|e| e == "nn") {
        return Err(Failure::usage(format!("`{}` is a place for programs", path.display()), help));
    }
    nnc_artifact::write_atomic(path, text.as_bytes())
        .map_err(|e| Failure::usage(format!("`{}` cannot be written: {e}", path.display()), help))
}

/// A drawing in the format that is asked for, opened to the depth that is asked for, or else to `depth`.
fn picture(drawing: Drawing, args: &GraphArgs, depth: Option<usize>) -> Result<String> {
    let drawing = match &args.around {
        None => drawing,
        Some(name) => drawing.around(name).ok_or_else(|| no_box(name, drawing.names()))?,
    };
    let drawing = match args.depth.map(usize::from).or(depth) {
        Some(depth) => drawing.closed(depth),
        None => drawing,
    };
    Ok(match args.format() {
        Format::Mermaid => nnc_report::mermaid::print(&drawing),
        // With all boxes open, a picture is for those who ask for it.
        Format::Svg => {
            nnc_report::svg::print(&if args.depth.is_none() { drawing.closed(1) } else { drawing })
        }
        Format::Text | Format::Json | Format::Html | Format::Dot => nnc_report::dot::print(&drawing),
    })
}

fn no_box(name: &str, names: Vec<String>) -> Failure {
    let help = match nearest(name, &names.iter().map(String::as_str).collect::<Vec<_>>()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", names.iter().take(12).cloned().collect::<Vec<_>>().join(", ")),
    };
    Failure::usage(format!("no box of this picture is called `{name}`"), help)
}

/// A page with all stages; the one that is asked for is seen first, and a box that is asked for is searched.
fn page(args: &GraphArgs, out: &mut Output) -> Result<String> {
    let mut compiled = compile(&args.spec, args.precision, out)?;
    let program = drawing::program(&compiled.spec, &compiled.model);
    compiled.model = of_stage(&compiled.model, args)?.clone();
    let model = &compiled.model;
    let stage = |stage, name: &str, about: &str, drawing| {
        (stage, nnc_report::html::Stage { name: name.into(), about: about.into(), drawing })
    };
    let graph = |graph| nnc_report::network(graph, &program);
    let tree =
        drawing::tree(&compiled.spec, &nnc_syntax::ast_text(&compiled.spec.program, &compiled.spec.sources));
    let mut stages = vec![stage(Stage::Ast, "program", "the statements as they were read", tree)];
    match args.mode {
        Mode::Train => stages.extend([
            stage(Stage::Forward, "forward", "predictions, loss and metrics", graph(&model.forward)),
            stage(Stage::Backward, "backward", "with the gradient of every weight", graph(&model.backward)),
            stage(Stage::Step, "step", "with the optimizer: what training runs", graph(&model.step)),
        ]),
        Mode::Eval => {
            stages.push(stage(
                Stage::Forward,
                "forward",
                "as it is computed after training",
                graph(&model.eval),
            ));
        }
    }
    let plan = plan_of(&compiled, args)?;
    let about = format!("instructions for a batch of {}", plan.batch());
    stages.push(stage(Stage::Plan, "plan", &about, drawing::plan(&*plan, &program)));
    let wanted = if args.stage == Stage::Layers { Stage::Forward } else { args.stage };
    let first = stages.iter().position(|(stage, _)| *stage == wanted).unwrap_or(0);
    if let Some(name) = &args.around {
        let names = stages[first].1.drawing.names();
        if !names.contains(name) {
            return Err(no_box(name, names));
        }
    }
    Ok(nnc_report::html::print(&nnc_report::html::Page {
        title: compiled.spec.sources.get(compiled.spec.source).name.clone(),
        files: drawing::own_files(&compiled.spec),
        stages: stages.into_iter().map(|(_, stage)| stage).collect(),
        first,
        depth: args.depth.map_or(1, usize::from),
        search: args.around.clone().unwrap_or_default(),
    }))
}

fn ast(args: &GraphArgs, out: &mut Output) -> Result<String> {
    let finished = args.spec.spec.as_deref().is_some_and(|path| input::is_model(Path::new(path)));
    let spec: Spec = match finished {
        true => compile(&args.spec, args.precision, out)?.spec,
        false => input::spec(&args.spec, Length::default(), out)?,
    };
    let text = nnc_syntax::ast_text(&spec.program, &spec.sources);
    Ok(match args.format() {
        Format::Text => text,
        Format::Json => pretty(&data(serde_json::to_value(&spec.program))?),
        Format::Dot | Format::Mermaid | Format::Svg | Format::Html => {
            picture(drawing::tree(&spec, &text), args, None)?
        }
    })
}

/// The layers: the forward pass with all boxes closed.
fn layers(compiled: &Compiled, args: &GraphArgs) -> Result<String> {
    Ok(match args.format() {
        Format::Text => stage::layers_text(compiled),
        Format::Json => {
            let rows = compiled.model.layers.iter().map(|row| layer(compiled, row));
            pretty(&json!({ "layers": rows.collect::<Vec<Value>>() }))
        }
        Format::Dot | Format::Mermaid | Format::Svg | Format::Html => picture(
            nnc_report::network(&compiled.model.forward, &drawing::program(&compiled.spec, &compiled.model)),
            args,
            Some(1),
        )?,
    })
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

fn planned(plan: &dyn Executable, program: &Program, args: &GraphArgs) -> Result<String> {
    Ok(match args.format() {
        Format::Text => plan.text(),
        Format::Json => {
            let graph = data(serde_json::to_value(nnc_graph::text::json::data(plan.graph())))?;
            pretty(&stage::plan_data(plan, graph))
        }
        Format::Dot | Format::Mermaid | Format::Svg | Format::Html => {
            picture(drawing::plan(plan, program), args, None)?
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
