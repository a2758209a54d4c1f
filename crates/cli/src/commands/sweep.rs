//! `nnc sweep`: many trainings of one program, over values of its parameters and over seeds.

use crate::args::{Engine, Precision, SpecArgs, assignment, positive, size};
use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::{count, duration, grouped};
use crate::input::Length;
use crate::output::Output;
use crate::run_page::{after_training, or_say, write_own};
use crate::runs_page::of_sweep;
use crate::sweep_report;
use crate::training::{INTERRUPTED, NOTHING, interrupt};
use crate::variants::{Count, Variant, at_point};
use clap::Args;
use nnc_train::InferOptions;
use nnc_train::sweep::{Axis, JobOptions, Point, SweepPlan, SweepRecord, grid, random, run as run_jobs};
use std::path::PathBuf;

/// Train a program many times, over values of its parameters and over seeds
#[derive(Args, Debug)]
#[command(after_help = "\
Every point is trained with the same seeds, so that no point has better luck than another. The table shows, for
every figure, the median and the quartiles over the seeds, and how many trainings did what the program expects:
its `expect` statements, or without any its `stop when`.

A sweep that was stopped, even by kill -9, goes on when the same command is given again.

Examples:
  nnc sweep xor.nn --seeds 20                             one program, 20 seeds
  nnc sweep xor-experiments.nn --experiments --seeds 20   its experiments beside each other
  nnc sweep net.nn --set hidden=16,32,64 --set act=relu,tanh
  nnc sweep net.nn --set lr=1e-4..1e-1/7                  7 values, each a factor from the next
  nnc sweep net.nn --set lr=1e-4..1e-1 --set hidden=8..128 --random 30

The folder runs/<program>/sweep-<n> holds:
  results.csv   every training
  table.csv     least, quartiles, median and most of every figure at every point
  sweep.json    what was asked
  point-1/seed-0/ and so on: the runs themselves, with --keep")]
pub struct SweepArgs {
    /// The program, a .nn file; `-` reads it from stdin
    #[arg(value_name = "SPEC", required_unless_present = "text")]
    pub spec: Option<String>,
    /// The program itself, instead of a file
    #[arg(
        short = 'e',
        long = "program",
        value_name = "TEXT",
        conflicts_with = "spec",
        allow_hyphen_values = true
    )]
    pub text: Option<String>,
    /// Take the data from this file instead
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Values of a `param` of the program: a list, or a range A..B or A..B/N
    #[arg(long, value_name = "NAME=VALUES", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Experiments of the program, separated by commas
    #[arg(long = "as", value_name = "EXPERIMENTS", value_delimiter = ',')]
    pub chosen: Vec<String>,
    /// The program as it is written, and every experiment of it
    #[arg(long, conflicts_with = "chosen")]
    pub experiments: bool,
    /// Train each point with N seeds, counted up from the program's own
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub seeds: u64,
    /// The first seed, instead of the program's own
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Take N points by chance, instead of every combination
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub random: Option<u64>,
    /// Trainings at a time; 0 takes as many as the machine has processors
    #[arg(long, short, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// Passes over the data
    #[arg(long, value_name = "N", value_parser = positive)]
    pub epochs: Option<u64>,
    /// Steps of one batch
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<u64>,
    /// Samples in a step
    #[arg(long, value_name = "N", value_parser = positive)]
    pub batch: Option<u64>,
    /// The most memory that each training may take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
    /// What computes
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub engine: Engine,
    /// Take the rows in their order, in every epoch
    #[arg(long)]
    pub no_shuffle: bool,
    /// Keep every run: its model, its history, its checkpoint
    #[arg(long)]
    pub keep: bool,
    /// The folder of the sweep, instead of the next one in runs/
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Train everything again, whatever is there of the same sweep
    #[arg(long)]
    pub fresh: bool,
    /// Do not write a page about the sweep, nor about the runs that are kept
    #[arg(long)]
    pub no_report: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print the table only
    #[arg(short, long)]
    pub quiet: bool,
}

impl Run for SweepArgs {
    fn quiet(&self) -> bool {
        self.quiet
    }

    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

impl SweepArgs {
    fn program(&self) -> SpecArgs {
        SpecArgs {
            spec: self.spec.clone(),
            text: self.text.clone(),
            data: self.data.clone(),
            batch: self.batch,
            seed: self.seed,
            memory: self.memory,
            ..SpecArgs::default()
        }
    }

    /// What is said of every training, for the plan.
    fn options(&self) -> Vec<(String, String)> {
        let number = |name: &str, n: Option<u64>| n.map(|n| (name.to_string(), n.to_string()));
        let word = |name: &str, on: bool| on.then(|| (name.to_string(), String::new()));
        [
            self.data.clone().map(|d| ("data".to_string(), d)),
            number("epochs", self.epochs),
            number("steps", self.steps),
            number("batch", self.batch),
            number("memory", self.memory),
            word("f64", self.precision == Precision::F64),
            word("reference", self.engine == Engine::Reference),
            word("no-shuffle", self.no_shuffle),
            word("keep", self.keep),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The points, of which each is a program without mistakes.
    fn points(&self, variant: &Variant, known: &[String], seed: u64, out: &mut Output) -> Result<Vec<Point>> {
        let mut axes: Vec<Axis> = Vec::new();
        for (name, values) in &self.set {
            if axes.iter().any(|a| a.name == *name) {
                let help = format!("all its values in one: --set {name}=A,B,C");
                return Err(Failure::usage(format!("--set {name} is given twice"), help));
            }
            let axis = Axis::read(name, values);
            let axis = axis.map_err(|why| {
                let help = "a list such as 16,32,64, or a range such as 1e-3..1e-1 or 1e-3..1e-1/9";
                Failure::usage(format!("--set {name}={values}: {why}"), help)
            })?;
            if let Some(remark) = axis.remark().filter(|_| self.random.is_none()) {
                out.note(&remark);
            }
            axes.push(axis);
        }
        let experiments: Vec<Option<String>> = match (self.experiments, &self.chosen[..]) {
            (true, _) if known.is_empty() => {
                let help = "experiment wide hidden=64    declares one, of a `param hidden = 16`";
                return Err(Failure::usage("this program declares no experiments", help));
            }
            (true, _) => std::iter::once(None).chain(known.iter().cloned().map(Some)).collect(),
            (false, []) => vec![None],
            (false, chosen) => chosen.iter().cloned().map(Some).collect(),
        };
        let points = match self.random {
            None => grid(&experiments, &axes).map_err(|why| Failure::usage(why, "fewer values of each"))?,
            Some(_) if axes.is_empty() => {
                let help = "--set lr=1e-4..1e-1 --random 20";
                return Err(Failure::usage("--random draws values, and none is to vary", help));
            }
            Some(n) => {
                let points = random(&experiments, &axes, n as usize, seed);
                if points.len() < n as usize {
                    let all = count(points.len() as u64, "point");
                    out.note(&format!("there are no more than {all} that differ"));
                }
                points
            }
        };
        for point in &points {
            variant.at(point).read(None).map_err(|problem| at_point(problem, &point.label()))?;
        }
        Ok(points)
    }
}

/// Trains all points and shows the table.
fn run(args: &SweepArgs, out: &mut Output) -> Result<u8> {
    let flag = interrupt(out);
    let length = Length { epochs: args.epochs, steps: args.steps };
    let precision = if args.engine == Engine::Reference { Precision::F64 } else { args.precision };
    let (variant, spec) = Variant::of_program(&args.program(), length, precision, out)?;
    let seed = spec.settings.seed;
    let points = args.points(&variant, &spec.experiments, seed, out).map_err(|f| f.with_tail(NOTHING))?;
    // The first is prepared here, so that what there is to say of the data is said once.
    let first = variant.at(&points[0]).prepare(seed).map_err(|p| at_point(p, &points[0].label()));
    let (loaded, model) = first.map_err(|p| Failure::from(p).with_tail(NOTHING))?;
    out.diagnostics(&loaded.notes, &loaded.spec.sources);
    out.diagnostics(&model.diagnostics, &loaded.spec.sources);
    if let Some(roles) = loaded.data.roles() {
        out.note(&roles);
    }
    drop((loaded, model));
    let plan = SweepPlan {
        nnc: env!("CARGO_PKG_VERSION").into(),
        spec: variant.name.clone(),
        program: variant.text.clone(),
        base: std::path::absolute(if variant.data.base.as_os_str().is_empty() {
            ".".as_ref()
        } else {
            variant.data.base.as_path()
        })?,
        options: args.options(),
        points,
        seed,
        seeds: args.seeds,
    };
    let mut record = SweepRecord::open(plan, args.out.as_deref(), args.fresh)?;
    let wanted = record.open_trainings();
    let (all, there) = (record.plan.trainings().len() as u64, record.resumed as u64);
    let points = count(record.plan.points.len() as u64, "point");
    let folder = record.folder.display().to_string();
    match (there, wanted.len()) {
        (0, _) => out.note(&format!("{points}, {}: {}", count(args.seeds, "seed"), count(all, "training"))),
        (_, 0) => {
            out.note(&format!("{folder} has all {} already; --fresh trains again", count(all, "training")))
        }
        (n, _) => {
            out.note(&format!("{folder} goes on: {} of {} are there", grouped(n), count(all, "training")))
        }
    }
    let variants: Vec<Variant> = record.plan.points.iter().map(|p| variant.at(p)).collect();
    let labels: Vec<String> = record.plan.points.iter().map(Point::label).collect();
    let jobs = JobOptions {
        jobs: args.jobs,
        engine: args.engine.plain(),
        shuffle: !args.no_shuffle,
        memory_limit: args.memory,
        interrupt: flag,
    };
    let path = record.folder.clone();
    let prepare =
        |point: usize, seed: u64| variants[point].prepare(seed).map_err(|p| at_point(p, &labels[point]));
    let keep = |point, seed| args.keep.then(|| SweepRecord::run_folder(&path, point, seed));
    let mut counted = Count::new(wanted.len());
    let whole = run_jobs(&wanted, &jobs, &prepare, &keep, &mut |entry| {
        counted.add(&entry, out);
        if let Some(folder) = keep(entry.point, entry.seed).filter(|_| !args.no_report && !entry.diverged) {
            let asked = InferOptions { data: None, threads: 1, memory_limit: args.memory };
            after_training(&folder, None, &asked, out);
        }
        record.add(entry)
    });
    let seconds = counted.seconds();
    counted.finish(out);
    let whole = whole?;
    record.finish()?;
    if !args.no_report {
        or_say(write_own(&record.folder, &of_sweep(&record)).map(|_| ()), &record.folder, out);
    }
    if args.json {
        out.json(&sweep_report::object(&record, whole))?;
    } else {
        out.result(&sweep_report::table(&record, crate::output::width()))?;
        if !wanted.is_empty() {
            let done = count((record.entries.len() - record.resumed) as u64, "training");
            out.note(&format!("{done} in {}", duration(seconds)));
        }
        out.note(&format!("every training: {folder}/results.csv"));
    }
    if !whole {
        out.note("interrupted; the same command goes on");
        return Ok(INTERRUPTED);
    }
    Ok(0)
}
