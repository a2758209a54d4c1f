//! Rows that come after training, by the statistics of training.

use crate::binding::load::{LoadOptions, Opener, no_data};
use crate::binding::marks::Marks;
use crate::binding::source::{Sources, replaced};
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{Fault, GeneratorSpec, Limits, Role, SourceSpec, Stats, Table};
use nnc_model::Spec;
use nnc_model::data::Part;
use std::path::PathBuf;

/// What rows are encoded for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// To be compared with their targets.
    Measure,
    /// To be predicted; targets are shown where they are there.
    Predict,
}

fn encode(
    stats: &Stats,
    source: &SourceSpec,
    limits: &Limits,
    purpose: Purpose,
) -> Result<Table, Vec<Fault>> {
    let stdin = matches!(source, SourceSpec::Csv(csv) if csv.path == "-");
    match purpose {
        Purpose::Measure => nnc_data::encode_with(stats, source, limits),
        // The last window of a series is the one that is asked for, and nothing is known after it.
        Purpose::Predict if stats.window.is_some() => nnc_data::encode_inputs(stats, source, limits),
        // What comes from stdin can be read once only.
        Purpose::Predict if stdin => nnc_data::encode_with(stats, source, limits),
        // Targets that are not filled in yet are no mistake.
        Purpose::Predict => match nnc_data::encode_with(stats, source, limits) {
            Err(faults) => nnc_data::encode_inputs(stats, source, limits).map_err(|_| faults),
            table => table,
        },
    }
}

/// A file in the encoding of a model.
///
/// # Errors
/// It cannot be read, or has not the columns the model was trained on.
pub(crate) fn encode_file(
    stats: &Stats,
    spec: &Spec,
    path: &str,
    memory: Option<u64>,
    purpose: Purpose,
) -> Outcome<Table> {
    let train = spec.data.iter().find(|d| d.part == Part::Train);
    let mut marks = Marks::default();
    let mut diagnostics = Vec::new();
    let declared = train.and_then(|decl| {
        let base = PathBuf::new();
        let mut sources = Sources { base: &base, marks: &mut marks, diagnostics: &mut diagnostics };
        sources.source(decl).ok()
    });
    let source = replaced(declared, path);
    let limits = Limits { memory: memory::limit(memory) };
    encode(stats, &source, &limits, purpose)
        .map_err(|f| Problem::at(ProblemKind::Data, Marks::default().diagnostics(&f), &spec.sources))
}

/// The whole training source of a program, every row in the order of the file.
pub(crate) fn encode_own(
    stats: &Stats,
    spec: &Spec,
    options: &LoadOptions,
    purpose: Purpose,
) -> Outcome<Table> {
    if let Some(path) = &options.data {
        return encode_file(stats, spec, path, options.memory_limit, purpose);
    }
    let mut opener = Opener::new(spec, options);
    let Some(source) = opener.part(Part::Train) else {
        if opener.diagnostics.is_empty() {
            opener.diagnostics.push(no_data(spec));
        }
        return Err(Problem::at(ProblemKind::Data, opener.diagnostics, &spec.sources));
    };
    let source = match source {
        // What a generator draws depends on the number of inputs, which the roles may have said.
        SourceSpec::Generator(g) if g.dims.is_none() => {
            let dims = stats.columns.iter().filter(|c| c.role == Role::Input).count();
            SourceSpec::Generator(GeneratorSpec { dims: Some(dims), ..g })
        }
        other => other,
    };
    let limits = Limits { memory: memory::limit(options.memory_limit) };
    encode(stats, &source, &limits, purpose)
        .map_err(|f| Problem::at(ProblemKind::Data, opener.marks.diagnostics(&f), &spec.sources))
}

/// Whether statistics are of the same data; from where its files were seen is of no concern.
pub(crate) fn same_data(a: &Stats, b: &Stats) -> bool {
    let bare = |stats: &Stats| {
        let mut stats = stats.clone();
        let schema = &mut stats.schema;
        schema.inputs.iter_mut().chain(&mut schema.targets).for_each(|p| p.describe.clear());
        stats
    };
    bare(a) == bare(b)
}

/// A mistake in what was given beside the program.
pub(crate) fn fault_problem(fault: &Fault) -> Box<Problem> {
    let diagnostics = Marks::default().diagnostics(std::slice::from_ref(fault));
    Problem::at(ProblemKind::Data, diagnostics, &nnc_syntax::SourceMap::default())
}
