//! `nnc compare`: whether one program trains better than another, or only had more luck.

use crate::args::{Precision, SpecArgs, assignment, positive};
use crate::commands::Run;
use crate::compare_report::{self, Side};
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::input::Length;
use crate::output::Output;
use crate::training::{INTERRUPTED, NOTHING, interrupt};
use crate::variants::{Count, Variant, at_point};
use clap::Args;
use nnc_train::list_runs;
use nnc_train::sweep::{Axis, Entry, JobOptions, grid, run as run_jobs};
use std::path::{Path, PathBuf};

/// Seeds where nothing is said.
const SEEDS: u64 = 20;

/// Train two programs with the same seeds, and say whether they differ
#[derive(Args, Debug)]
#[command(after_help = "\
Both are trained with the same seeds: weights of the same name begin alike, and rows come in the same order. What
is compared is the difference of each pair, the second minus the first, with the interval in which its mean lies
with 95 % confidence. Where that interval holds 0, no difference was seen.

Examples:
  nnc compare xor-experiments.nn --set hidden=16,32    one program, two values
  nnc compare xor-experiments.nn --as wide,deep        two of its experiments
  nnc compare small.nn large.nn --seeds 50             two programs
  nnc compare net.nn:deep other.nn                     an experiment of one, and another program
  nnc compare runs/net/1 runs/net/2                    the figures of two runs
  nnc compare runs/net/1 runs/net/2 --seeds 20         both trained again, 20 times each")]
pub struct CompareArgs {
    /// Two programs (NAME.nn or NAME.nn:EXPERIMENT) or runs; or one program with two values of --set or --as
    #[arg(value_name = "A B", required = true, num_args = 1..=2)]
    pub sides: Vec<String>,
    /// A value of a `param` for both, or two values, one for each
    #[arg(long, value_name = "NAME=VALUES", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Two experiments of the program, separated by a comma
    #[arg(long = "as", value_name = "EXPERIMENTS", value_delimiter = ',')]
    pub chosen: Vec<String>,
    /// Train each N times; 20 where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub seeds: Option<u64>,
    /// The first seed, instead of the first program's own
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Take the data of both from this file instead
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Passes over the data
    #[arg(long, value_name = "N", value_parser = positive)]
    pub epochs: Option<u64>,
    /// Steps of one batch
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<u64>,
    /// Trainings at a time; 0 takes as many as the machine has processors
    #[arg(long, short, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print the comparison only
    #[arg(short, long)]
    pub quiet: bool,
}

impl Run for CompareArgs {
    fn quiet(&self) -> bool {
        self.quiet
    }

    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Whether something names a run rather than a program.
fn is_run(side: &str) -> bool {
    let path = Path::new(side);
    path.is_dir() || path.extension().is_some_and(|e| e == "safetensors")
}

/// `net.nn:deep` is a program and an experiment of it.
fn split(side: &str) -> (&str, Option<&str>) {
    match side.rsplit_once(".nn:") {
        Some((path, experiment)) => (&side[..path.len() + 3], Some(experiment)),
        None => (side, None),
    }
}

fn run(args: &CompareArgs, out: &mut Output) -> Result<u8> {
    let runs = args.sides.iter().filter(|s| is_run(s)).count();
    if runs == 2 && args.seeds.is_none() {
        return recorded(args, out);
    }
    let flag = interrupt(out);
    let (variants, labels, own) = sides(args, out).map_err(|f| f.with_tail(NOTHING))?;
    let seed = args.seed.unwrap_or(own);
    let seeds = args.seeds.unwrap_or(SEEDS);
    for (variant, label) in variants.iter().zip(&labels) {
        let prepared = variant.prepare(seed).map_err(|p| at_point(p, label));
        let (loaded, model) = prepared.map_err(|p| Failure::from(p).with_tail(NOTHING))?;
        out.diagnostics(&loaded.notes, &loaded.spec.sources);
        out.diagnostics(&model.diagnostics, &loaded.spec.sources);
    }
    out.note(&format!("2 programs, {}: {}", count(seeds, "seed"), count(2 * seeds, "training")));
    // Both with a seed, then both with the next.
    let wanted: Vec<(usize, u64)> =
        (0..seeds).flat_map(|i| [0, 1].map(|side| (side, seed.wrapping_add(i)))).collect();
    let jobs = JobOptions {
        jobs: args.jobs,
        engine: nnc_train::Engine::Cpu,
        shuffle: true,
        memory_limit: None,
        interrupt: flag,
    };
    let prepare =
        |side: usize, seed: u64| variants[side].prepare(seed).map_err(|p| at_point(p, &labels[side]));
    let mut entries: Vec<Entry> = Vec::new();
    let mut counted = Count::new(wanted.len());
    let whole = run_jobs(&wanted, &jobs, &prepare, &|_, _| None, &mut |entry| {
        counted.add(&entry, out);
        entries.push(entry);
        Ok(())
    });
    counted.finish(out);
    if !whole? {
        out.note("interrupted: nothing is said of half the trainings");
        return Ok(INTERRUPTED);
    }
    entries.sort_by_key(|e| (e.point, e.seed.wrapping_sub(seed)));
    let half = entries.split_off(seeds as usize);
    let [a, b] = [(entries, 0), (half, 1)].map(|(entries, i)| Side { label: labels[i].clone(), entries });
    if args.json {
        out.json(&compare_report::object(&a, &b, seed))?;
    } else {
        out.result(&compare_report::table(&a, &b))?;
    }
    Ok(0)
}

/// The two programs, what they are called, and the seed of the first.
fn sides(args: &CompareArgs, out: &mut Output) -> Result<(Vec<Variant>, Vec<String>, u64)> {
    let mut axes = Vec::new();
    for (name, values) in &args.set {
        let axis = Axis::read(name, values);
        let help = "one value for both, or two, one for each: --set hidden=16,32";
        axes.push(axis.map_err(|why| Failure::usage(format!("--set {name}={values}: {why}"), help))?);
    }
    let experiments: Vec<Option<String>> = match &args.chosen[..] {
        [] => vec![None],
        chosen => chosen.iter().cloned().map(Some).collect(),
    };
    let points = grid(&experiments, &axes).map_err(|why| Failure::usage(why, "two values are compared"))?;
    let wanted = if args.sides.len() == 2 { 1 } else { 2 };
    if points.len() != wanted {
        let (message, help) = match (wanted, points.len()) {
            (1, n) => (
                format!("two programs are named, and {n} ways to set each"),
                "one value of each parameter for both; or one program, and two values",
            ),
            (_, 1) => (
                "one program is named, and one way to set it: there is nothing to compare with".to_string(),
                "another program, or two values: --set hidden=16,32   --as wide,deep",
            ),
            (_, n) => {
                (format!("{n} ways to set the program"), "two are compared; `nnc sweep` trains any number")
            }
        };
        return Err(Failure::usage(message, help));
    }
    let (mut variants, mut labels, mut seed) = (Vec::new(), Vec::new(), 0);
    for (i, side) in args.sides.iter().enumerate() {
        let (variant, spec) = one(args, side, out)?;
        if i == 0 {
            seed = spec.settings.seed;
        }
        for point in &points {
            let variant = variant.at(point);
            variant.read(None).map_err(|p| at_point(p, &point.label()))?;
            let label = match (wanted, point.label()) {
                (2, label) => label,
                (_, label) if label == "-" => side.clone(),
                (_, label) => format!("{side} {label}"),
            };
            variants.push(variant);
            labels.push(label);
        }
    }
    Ok((variants, labels, seed))
}

/// A program or the program of a run, as it is named.
fn one(args: &CompareArgs, side: &str, out: &mut Output) -> Result<(Variant, nnc_model::Spec)> {
    if is_run(side) {
        let (mut variant, spec) = Variant::of_run(Path::new(side))?;
        if args.epochs.is_some() || args.steps.is_some() {
            (variant.overrides.epochs, variant.overrides.steps) = (args.epochs, args.steps);
        }
        if args.data.is_some() {
            variant.data.data.clone_from(&args.data);
        }
        return Ok((variant, spec));
    }
    let (path, experiment) = split(side);
    let spec = SpecArgs {
        spec: Some(path.to_string()),
        data: args.data.clone(),
        experiment: experiment.map(String::from),
        seed: args.seed,
        ..SpecArgs::default()
    };
    Variant::of_program(&spec, Length { epochs: args.epochs, steps: args.steps }, args.precision, out)
}

/// Two runs by what their folders say.
fn recorded(args: &CompareArgs, out: &mut Output) -> Result<u8> {
    let changed = !args.set.is_empty()
        || !args.chosen.is_empty()
        || args.data.is_some()
        || args.epochs.is_some()
        || args.steps.is_some()
        || args.seed.is_some();
    if changed {
        let help = "--seeds N trains the programs of both runs again";
        return Err(Failure::usage("what two runs have come to cannot be changed any more", help));
    }
    let mut infos = Vec::new();
    for side in &args.sides {
        let model = nnc_train::resolve_model(Path::new(side))?;
        let folder: PathBuf = model.parent().map(Path::to_path_buf).unwrap_or_default();
        let found = list_runs(&folder)?.into_iter().find(|r| r.folder == folder && r.ended.is_some());
        let Some(info) = found else {
            let help = "the folder of a run that has ended has a run.json";
            return Err(Failure::usage(format!("nothing is known of the figures of `{side}`"), help));
        };
        infos.push(info);
    }
    let (a, b) = (&infos[0], &infos[1]);
    if args.json {
        out.json(&compare_report::recorded_object(a, b))?;
        return Ok(0);
    }
    out.result(&compare_report::recorded_table(a, b))?;
    if a.seed == b.seed {
        out.note(&format!("both have the seed {}; one training of each says little", a.seed));
    } else {
        out.note(&format!("the seeds differ: {} and {}; this may be luck", a.seed, b.seed));
    }
    out.note(&format!("nnc compare {} {} --seeds 20   trains both again", args.sides[0], args.sides[1]));
    Ok(0)
}
