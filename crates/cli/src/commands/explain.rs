//! `nnc explain`: what a name, a diagnostic or a program means.

use crate::args::{MachineArgs, Precision, SpecArgs, assignment};
use crate::commands::{Run, explain_run};
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::input::{self, Length};
use crate::output::Output;
use crate::pages::{self, fill};
use clap::Args;
use nnc_graph::Role;
use nnc_model::explain::{self, Topic};
use nnc_model::suggest::nearest;
use nnc_model::{Overrides, Spec};
use nnc_syntax::habits;
use nnc_train::{Problem, ProblemKind};
use std::fmt::Write as _;
use std::path::Path;

/// What a name, a diagnostic or a program means
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc explain                    all that can be explained
  nnc explain dense              a layer: arguments, weights, Keras' name for it, its definition
  nnc explain Conv2D             names of Keras and PyTorch are understood
  nnc explain epochs             a statement
  nnc explain N0301              a diagnostic, with a wrong and a mended program
  nnc explain xor.nn             a program, line by line
  nnc explain kan --in my.nn     a name that a program defines
  nnc explain runs/xor/1 --row 3     a row's way through a trained network
  nnc explain runs/xor/1 --step 12   what a training step did, to the bit

A run is its folder, or a program (its newest run).")]
pub struct ExplainArgs {
    /// A name, a code such as N0301, a program, or a run
    #[arg(value_name = "NAME|CODE|SPEC|RUN")]
    pub topic: Option<String>,
    /// Look the name up in this program too
    #[arg(long = "in", value_name = "SPEC")]
    pub within: Option<String>,
    /// Take the program's data from this file instead
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Give a `param` of the program a value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Take the parameters of an `experiment` of the program
    #[arg(long = "as", value_name = "EXPERIMENT")]
    pub experiment: Option<String>,
    /// Of a run: what its network makes of this row of the data, layer by layer, and what it would learn from it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "topic")]
    pub row: Option<u64>,
    /// Of a run: do this training step again, and tell its rows, gradients and weights
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..), requires = "topic", conflicts_with = "row")]
    pub step: Option<u64>,
    /// Print one JSON object; for `--row` and `--step`
    #[arg(long)]
    pub json: bool,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

/// Wider lines are hard to read.
const WIDEST: usize = 96;

impl Run for ExplainArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Prints a page.
fn run(args: &ExplainArgs, out: &mut Output) -> Result<u8> {
    match (args.topic.as_deref(), args.row, args.step) {
        (Some(run), Some(row), _) => {
            return explain_run::row(run, row, args.data.clone(), args.machine, args.json, out);
        }
        (Some(run), _, Some(step)) => return explain_run::step(run, step, args.machine, args.json, out),
        _ => {}
    }
    if args.json {
        let message = "`--json` is for `--row` and `--step`";
        return Err(Failure::usage(message, "nnc explain runs/xor/1 --step 12 --json"));
    }
    let width = crate::output::width().min(WIDEST);
    let text = match args.topic.as_deref() {
        None => list(&library(args, out)?, width),
        Some(topic) if is_program(topic) => program(topic, args, width, out)?,
        Some(topic) => page(topic, args, width, out)?,
    };
    out.result(&text)?;
    Ok(0)
}

fn is_program(topic: &str) -> bool {
    topic == "-" || topic.ends_with(".nn") || topic.contains(['/', '\\']) || Path::new(topic).is_file()
}

/// The definitions that names are looked up in: the library, and those of a program that is given.
fn library(args: &ExplainArgs, out: &mut Output) -> Result<Spec> {
    if let Some(spec) = &args.within {
        let args = SpecArgs { spec: Some(spec.clone()), ..SpecArgs::default() };
        return input::spec(&args, Length::default(), out);
    }
    Spec::read("<library>", "dense 1\n", &Overrides::default())
        .map_err(|(found, sources)| Problem::at(ProblemKind::Internal, found, &sources).into())
}

fn page(topic: &str, args: &ExplainArgs, width: usize, out: &mut Output) -> Result<String> {
    if let Some(page) = pages::code(topic) {
        return Ok(page.show(width));
    }
    if let Some(list) = group(topic) {
        return Ok(list);
    }
    let spec = library(args, out)?;
    let statement = pages::statement(topic).map(|p| p.show(width));
    let about = |name: &str| explain::name(&spec, name).map(|text| pages::reflow(&text, width));
    let name = about(topic);
    if let Some(text) = both(statement, name) {
        return Ok(text);
    }
    let topics = explain::names(&spec);
    let mut known: Vec<&str> = topics.iter().map(|t| t.name.as_str()).collect();
    known.extend(pages::statements().map(|p| p.name));
    // `nn.Linear` and `keras.layers.Dense` are the last of their words, and `MSE` is `mse`.
    let bare = nnc_syntax::habits::bare(topic);
    let last = bare.rsplit('.').next().unwrap_or(bare);
    let ours = |name: &str| known.iter().find(|k| k.eq_ignore_ascii_case(name)).copied();
    let foreign = nnc_model::suggest::foreign(last, &known);
    let foreign = foreign.or_else(|| ours(last).filter(|_| last == bare || habits::find(topic).is_none()));
    if foreign.is_none()
        && let Some(text) = elsewhere(&spec, topic, width)
    {
        return Ok(text);
    }
    if let Some(ours) = foreign.or_else(|| nearest(topic, &known)) {
        let said = match foreign {
            Some(_) => format!("`{topic}` is `{ours}` here.\n\n"),
            None => format!("There is no `{topic}`; this is `{ours}`.\n\n"),
        };
        let statement = pages::statement(ours).map(|p| p.show(width));
        if (foreign.is_some() || nnc_model::suggest::certain(topic, &known) == Some(ours))
            && let Some(text) = both(statement, about(ours))
        {
            return Ok(said + &text);
        }
        return Err(unknown(topic, format!("did you mean `nnc explain {ours}`?")));
    }
    Err(unknown(topic, "`nnc explain` lists what there is"))
}

/// A word of another library, with the lines to write here.
fn elsewhere(spec: &Spec, topic: &str, width: usize) -> Option<String> {
    let name = habits::bare(topic);
    let row = explain::foreign_row(name).map(|text| fill(text.trim_end(), "", width));
    let Some(habit) = habits::find(topic) else {
        let last = name.rsplit('.').next().unwrap_or(name);
        let ours = nnc_syntax::foreign::NAMES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(last));
        let ours = ours.map_or(last, |(_, ours)| ours);
        let options = explain::option(spec, ours);
        let options = options.map(|lines| format!("{topic}: an option, `{ours}`, of\n\n{lines}"));
        return options.or_else(|| row.map(|row| format!("{topic}: a word of another library\n\n{row}")));
    };
    let mut out = format!(
        "{topic}: a word of another library\n\n{}\nHere one writes:\n\n",
        fill(habit.about, "", width)
    );
    for line in habit.written(&[]) {
        let _ = writeln!(out, "    {line}");
    }
    if let Some(row) = row {
        let _ = write!(out, "\n{row}");
    }
    Some(out)
}

/// A word may be a statement and a function: `split`.
fn both(statement: Option<String>, name: Option<String>) -> Option<String> {
    match (statement, name) {
        (Some(a), Some(b)) => Some(format!("{a}\n---- and another thing of that name ----\n\n{b}")),
        (a, b) => a.or(b),
    }
}

fn unknown(topic: &str, help: impl Into<String>) -> Failure {
    let topic = crate::excerpt::printable(topic);
    let code =
        topic.len() > 1 && topic.starts_with(['N', 'n']) && topic[1..].bytes().all(|b| b.is_ascii_digit());
    let message = match code {
        true => format!("there is no diagnostic with the code `{topic}`"),
        false => format!("there is nothing called `{topic}` to explain"),
    };
    Failure::usage(message, help)
}

/// `N02`: the codes of a group; `layers`: the names of one.
fn group(topic: &str) -> Option<String> {
    let (title, pages) = pages::codes().into_iter().find(|(_, pages)| {
        pages.first().is_some_and(|p| topic.len() == 3 && p.name[..3].eq_ignore_ascii_case(topic))
    })?;
    let mut out = format!("{}: {title}\n\n", topic.to_ascii_uppercase());
    for page in pages {
        let _ = writeln!(out, "  {}  {}", page.name, page.title);
    }
    out.push_str("\n`nnc explain CODE` shows a wrong and a mended program.\n");
    Some(out)
}

/// What can be explained.
fn list(spec: &Spec, width: usize) -> String {
    let mut out = String::from(
        "nnc explain NAME   what a layer, function, optimizer or statement is\n\
         nnc explain CODE   what a diagnostic means, with a wrong and a mended program\n\
         nnc explain SPEC   a program, line by line\n",
    );
    let statements: Vec<&str> = pages::statements().map(|p| p.name).collect();
    out.push_str(&format!("\nstatements\n{}", fill(&statements.join(" "), "  ", width)));
    let topics = explain::names(spec);
    let mut groups: Vec<&str> = topics.iter().map(|t| t.group.as_str()).collect();
    groups.dedup();
    // Layers first, what the library is written in last.
    groups.sort_by_key(|g| match *g {
        "layers" => 0,
        "sequences" => 1,
        "activations" => 2,
        "losses" => 3,
        "metrics" => 4,
        "optimizers" => 5,
        "schedules" => 6,
        "initialisers" => 7,
        "shapes" => 8,
        "built in" => 9,
        _ => 10,
    });
    for group in groups {
        let names: Vec<&str> = topics.iter().filter(|t| t.group == group).map(|t: &Topic| &*t.name).collect();
        out.push_str(&format!("\n{group}\n{}", fill(&names.join(" "), "  ", width)));
    }
    out.push_str("\ndiagnostics\n");
    for (title, pages) in pages::codes() {
        if let (Some(first), Some(last)) = (pages.first(), pages.last()) {
            let _ = writeln!(out, "  {} to {}  {title}", first.name, last.name);
        }
    }
    out
}

/// A program line by line.
fn program(path: &str, args: &ExplainArgs, width: usize, out: &mut Output) -> Result<String> {
    let spec = SpecArgs {
        spec: Some(path.to_string()),
        data: args.data.clone(),
        set: args.set.clone(),
        experiment: args.experiment.clone(),
        ..SpecArgs::default()
    };
    let read = input::spec(&spec, Length::default(), out)?;
    let loaded = input::data(&spec, read, out)?;
    let model = input::model(&loaded, Precision::F32, out)?;
    let lines = explain::walk(&loaded.spec, &loaded.ports, &model);
    let name = &loaded.spec.sources.get(loaded.spec.source).name;
    let mut text = format!("{name}, line by line\n");
    let wide = lines.iter().map(|l| l.line.to_string().len()).max().unwrap_or(1);
    let indent = " ".repeat(wide + 4);
    for line in &lines {
        let number = if line.line == 0 { String::new() } else { line.line.to_string() };
        let _ = write!(text, "\n{number:>wide$}  {}\n", line.text);
        for paragraph in &line.meaning {
            text.push_str(&fill(paragraph, &indent, width));
        }
    }
    let weights = model.parameters.iter().filter(|p| p.role == Role::Weight);
    let weights: usize = weights.map(|p| p.shape.iter().product::<usize>()).sum();
    let _ = write!(text, "\nAltogether the network learns {}.\n", count(weights as u64, "number"));
    if path != "-" {
        let _ = write!(
            text,
            "\nnnc train {path}      trains it\nnnc explain NAME{}says more about a word\n",
            " ".repeat(path.len().max(2))
        );
    }
    Ok(text)
}
