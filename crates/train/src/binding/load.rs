//! From a program's `data` statements to a dataset and the ports it offers.

use crate::binding::augment;
use crate::binding::cache::{Anew, DataCache, Read};
use crate::binding::classes;
use crate::binding::marks::Marks;
use crate::binding::ports::{guessed, ports, with_counts, with_units};
use crate::binding::roles::{self, roles};
use crate::binding::source::{Sources, as_written, replaced};
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{
    ColumnName, CsvSpec, DataSpec, Dataset, Fault, Limits, PortId, Role, RoleSpec, SourceSpec, SplitSpec,
    Stats,
};
use nnc_graph::DType;
use nnc_model::data::{Part, PortDecl};
use nnc_model::suggest::nearest;
use nnc_model::{Model, Options, Ports, Spec};
use nnc_syntax::{Code, Diagnostic};
use std::path::PathBuf;

/// Where the data is.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `--data`: a file instead of the program's, as seen from the present folder; `-` is stdin.
    pub data: Option<String>,
    /// The folder of the program, where its relative paths begin.
    pub base: PathBuf,
    /// Bytes that may be taken; four fifths of the machine's memory where not given.
    pub memory_limit: Option<u64>,
    /// Fold `i` (from 0) of `k`: the validation part of a cross-validation, in the place of the program's.
    pub fold: Option<(usize, usize)>,
}

/// A program with its data.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The program.
    pub spec: Spec,
    /// Its data.
    pub data: Dataset,
    /// What the data offers to the program.
    pub ports: Ports,
    /// What was noticed about the data; points into the program's texts.
    pub notes: Vec<Diagnostic>,
    /// Where the data came from.
    pub options: LoadOptions,
}

impl Loaded {
    /// The program's graphs for this data.
    ///
    /// # Errors
    /// All mistakes in the program that show with its data.
    pub fn model(&self, float: DType) -> Outcome<Model> {
        let model = self.spec.elaborate(&self.ports, &Options { float });
        model.map_err(|d| Problem::at(ProblemKind::Spec, d, &self.spec.sources))
    }

    /// A name for every number that goes in, where there is one input of columns.
    pub fn input_names(&self) -> Option<Vec<String>> {
        input_names(&self.ports, &self.data.stats)
    }

    /// A name for every class, or number, of the target, where there is one.
    pub fn output_names(&self) -> Option<Vec<String>> {
        output_names(&self.ports, &self.data.stats)
    }

    /// The statistics of the training part.
    pub fn stats(&self) -> &Stats {
        &self.data.stats
    }
}

/// A name for every number of the only input.
pub(crate) fn input_names(ports: &Ports, stats: &Stats) -> Option<Vec<String>> {
    (ports.inputs.len() == 1).then(|| stats.slot_names(PortId::Input(0))).flatten()
}

/// A name for every class, or number, of the only target; of two classes the second, which one number speaks of.
pub(crate) fn output_names(ports: &Ports, stats: &Stats) -> Option<Vec<String>> {
    let [port] = &ports.targets[..] else { return None };
    match &port.classes {
        Some(classes) => Some(classes.clone()),
        None => stats.slot_names(PortId::Target(0)),
    }
}

/// Opens the data a program asks for.
///
/// # Errors
/// Everything that is wrong with the declarations and with the data.
pub fn load(spec: Spec, options: &LoadOptions) -> Outcome<Loaded> {
    load_by(spec, options, &mut Anew)
}

/// As [`load`], with what was read before where nothing of it has changed.
///
/// # Errors
/// As [`load`].
pub fn load_again(spec: Spec, options: &LoadOptions, cache: &mut DataCache) -> Outcome<Loaded> {
    load_by(spec, options, cache)
}

fn load_by(spec: Spec, options: &LoadOptions, read: &mut impl Read) -> Outcome<Loaded> {
    let mut opener = Opener::new(&spec, options);
    let plan = opener.plan();
    let failed = opener.diagnostics.iter().any(Diagnostic::is_error);
    let Some(plan) = plan.filter(|_| !failed) else {
        opener.diagnostics.extend(beside(&spec, None, options, read));
        return Err(Problem::at(ProblemKind::Data, opener.diagnostics, &spec.sources));
    };
    let sources = plan.data.clone();
    let choices: Vec<Vec<RoleSpec>> =
        std::iter::once(plan.data.roles.clone()).chain(plan.otherwise.clone()).collect();
    let limits = Limits { memory: memory::limit(options.memory_limit) };
    let opened = opener.open(plan, |data, limits| read.open(data, limits));
    let Opener { marks, mut diagnostics, .. } = opener;
    let data = match opened {
        Ok(data) => data,
        Err(faults) => {
            diagnostics.extend(marks.diagnostics(&faults).into_iter().map(|d| misspelt(d, &spec)));
            diagnostics.extend(beside(&spec, Some(&sources), options, read));
            return Err(Problem::at(ProblemKind::Data, diagnostics, &spec.sources));
        }
    };
    diagnostics.extend(marks.diagnostics(&data.notes));
    let mut ports = match ports(&data.schema, &spec) {
        Ok(ports) => ports,
        Err(more) => {
            diagnostics.extend(more);
            diagnostics.extend(spec.wrong_names());
            return Err(Problem::at(ProblemKind::Data, diagnostics, &spec.sources));
        }
    };
    let wrong = augment::mistakes(&spec, &ports);
    if !wrong.is_empty() {
        diagnostics.extend(wrong);
        return Err(Problem::at(ProblemKind::Data, diagnostics, &spec.sources));
    }
    let mixed = augment::asked(&spec).is_some_and(|asked| asked.mixes());
    let look = |data: &Dataset, ports: &mut Ports, read: &mut _| {
        ports.mixed = mixed;
        with_units(ports, &data.stats);
        with_counts(ports, &data.stats);
        ports.has_valid = data.valid.is_some();
        ports.samples = data.train.len();
        Read::look(read, data, ports);
    };
    look(&data, &mut ports, read);
    let wanted = classes::wanted(&spec, &ports, &data.schema);
    let (mut data, mut ports) = (data, ports);
    if !wanted.is_empty() {
        let again = choices.iter().find_map(|roles| {
            let roles = classes::roles(roles, &wanted, &data.schema);
            read.open(&DataSpec { roles, ..sources.clone() }, &limits).ok()
        });
        // Where they cannot be classes after all, the program's mistake is told.
        if let Some(again) = again
            && let Ok(mut named) = self::ports(&again.schema, &spec)
        {
            look(&again, &mut named, read);
            (data, ports) = (again, named);
        }
    }
    Ok(Loaded { spec, data, ports, notes: diagnostics, options: options.clone() })
}

/// What a program sees of its data, with the first `rows` training rows; and the warnings and notes about it.
///
/// # Errors
/// As [`load`].
pub fn describe(
    spec: &Spec,
    options: &LoadOptions,
    rows: usize,
) -> Outcome<(nnc_data::Description, Vec<Diagnostic>)> {
    let mut opener = Opener::new(spec, options);
    let plan = opener.plan();
    let failed = opener.diagnostics.iter().any(Diagnostic::is_error);
    let Some(plan) = plan.filter(|_| !failed) else {
        return Err(Problem::at(ProblemKind::Data, opener.diagnostics, &spec.sources));
    };
    let described = opener.open(plan, |data, limits| nnc_data::describe(data, limits, rows));
    let Opener { marks, mut diagnostics, .. } = opener;
    match described {
        Ok(description) => {
            diagnostics.extend(marks.diagnostics(&description.notes));
            Ok((description, diagnostics))
        }
        Err(faults) => {
            diagnostics.extend(marks.diagnostics(&faults).into_iter().map(|d| misspelt(d, spec)));
            Err(Problem::at(ProblemKind::Data, diagnostics, &spec.sources))
        }
    }
}

/// What would make a table readable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// These options of `data`.
    Options(String),
    /// This column is no number.
    Text(String),
}

/// What the mistakes of a program's data say would mend them; nothing where they say nothing, or there are none.
pub fn remedies(spec: &Spec, options: &LoadOptions) -> Vec<Remedy> {
    let mut opener = Opener::new(spec, options);
    let Some(plan) = opener.plan() else { return Vec::new() };
    let described = opener.open(plan, |data, limits| nnc_data::describe(data, limits, 0));
    let mut out = Vec::new();
    for fault in described.err().unwrap_or_default() {
        let column = fault.place.and_then(|p| p.column_name).filter(|_| fault.code == Code::N0502);
        let remedy = fault.remedy.map(Remedy::Options).or(column.map(Remedy::Text));
        out.extend(remedy.filter(|r| !out.contains(r)));
    }
    // One option may mend what else is wrong.
    if out.iter().any(|r| matches!(r, Remedy::Options(_))) {
        out.retain(|r| matches!(r, Remedy::Options(_)));
    }
    out
}

/// The mistakes of a program whose data has mistakes. Where the data does not even say what its ports are, only
/// those that no data could mend.
fn beside(
    spec: &Spec,
    data: Option<&DataSpec>,
    options: &LoadOptions,
    read: &mut impl Read,
) -> Vec<Diagnostic> {
    let limits = Limits { memory: memory::limit(options.memory_limit) };
    let sketched = data.and_then(|data| read.sketch(data, &limits));
    let known = sketched.and_then(|schema| ports(&schema, spec).ok());
    let sure = known.is_some();
    let mut ports = known.unwrap_or_else(|| guessed(&spec.ports));
    // Whether the program watches a part that is not there, data without mistakes will tell.
    (ports.has_valid, ports.samples) = (true, 1 << 20);
    let mistakes = match spec.elaborate(&ports, &Options { float: DType::F32 }) {
        Ok(model) => model.diagnostics,
        Err(diagnostics) => diagnostics,
    };
    let mut out = if sure { Vec::new() } else { spec.wrong_names() };
    for d in mistakes.into_iter().filter(|d| d.is_error() && (sure || d.code == Code::N0401)) {
        let place = |d: &Diagnostic| (d.code, d.labels.first().map(|l| l.span));
        if !out.iter().any(|known| place(known) == place(&d)) {
            out.push(d);
        }
    }
    out
}

/// Reads the `data` statements of a program.
pub(crate) struct Opener<'a> {
    spec: &'a Spec,
    options: &'a LoadOptions,
    pub(crate) marks: Marks,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// A spec for the data crate, and what to try where that has no such columns.
struct Plan {
    data: DataSpec,
    otherwise: Option<Vec<RoleSpec>>,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(spec: &'a Spec, options: &'a LoadOptions) -> Self {
        Self { spec, options, marks: Marks::default(), diagnostics: Vec::new() }
    }

    fn plan(&mut self) -> Option<Plan> {
        let train = self.part(Part::Train);
        let (valid, test) = match &self.options.data {
            // A file of one's own is all the data there is.
            Some(path) => {
                self.unread(path);
                (None, None)
            }
            None => {
                let parts = [self.part(Part::Valid), self.part(Part::Test)];
                let [valid, test] = parts.map(|part| as_training(part, train.as_ref()));
                (valid, test)
            }
        };
        // What is validated with is the fold.
        let valid = valid.filter(|_| self.options.fold.is_none());
        let train = match (&self.options.data, train) {
            (Some(path), declared) => Some(replaced(declared, path)),
            (None, declared) => declared,
        };
        let declared = self.spec.data.iter().any(|d| d.part == Part::Train);
        if train.is_none() && !declared {
            self.diagnostics.push(no_data(self.spec));
        }
        let (roles, otherwise) = self.roles(train.as_ref());
        let settings = &self.spec.settings;
        let split = SplitSpec {
            valid: if self.options.fold.is_some() { 0.0 } else { settings.split.valid },
            test: settings.split.test,
            stratify: settings.split.stratify,
            ordered: settings.split.ordered,
            group: settings.split.group.as_ref().map(|g| {
                let handle = settings.split.span.and_then(|s| self.marks.mark(s));
                ColumnName::new(g.clone(), handle)
            }),
            fold: self.options.fold,
            handle: settings.split.span.and_then(|s| self.marks.mark(s)),
        };
        let data = DataSpec { train: train?, valid, test, roles, split, seed: settings.seed };
        Some(Plan { data, otherwise })
    }

    /// Says which files of the program `--data` leaves unread.
    fn unread(&mut self, path: &str) {
        let parts: Vec<_> = self.spec.data.iter().filter(|d| d.part != Part::Train).collect();
        let Some(first) = parts.first() else { return };
        let words: Vec<String> = parts.iter().map(|d| format!("`{}`", d.part.word())).collect();
        let is = if parts.len() == 1 { "is" } else { "are" };
        let message = format!(
            "{} of this program {is} not read: with --data, `{path}` is all the data there is",
            words.join(" and ")
        );
        let shares: Vec<String> = parts.iter().map(|d| format!("{}=20%", d.part.word())).collect();
        let d = Diagnostic::warning(Code::N0561, message).label(first.span, "");
        let d = parts[1..].iter().fold(d, |d, part| d.label(part.span, ""));
        self.diagnostics.push(d.help(format!("split {}   takes a part of its rows", shares.join(" "))));
    }

    /// The source of a part; the second one of a part is a mistake.
    pub(crate) fn part(&mut self, part: Part) -> Option<SourceSpec> {
        let word = part.word();
        let mut decls = self.spec.data.iter().filter(|d| d.part == part);
        let first = decls.next()?;
        if let Some(second) = decls.next() {
            let d = Diagnostic::error(Code::N0514, format!("`{word}` is given twice"));
            self.diagnostics.push(d.label(second.span, "").label(first.span, "the first"));
        }
        if part != Part::Train
            && let Some(line) = first.roles().first()
        {
            let d = Diagnostic::error(Code::N0507, format!("`{word}` has the columns of `data`"));
            self.diagnostics.push(d.label(line.span, "this belongs there"));
        }
        let mut sources =
            Sources { base: &self.options.base, marks: &mut self.marks, diagnostics: &mut self.diagnostics };
        // A mistake has been reported.
        sources.source(first).ok()
    }

    /// The roles of the columns; and the second choice: `target price` may name a column, or give the one
    /// target there is another name.
    fn roles(&mut self, train: Option<&SourceSpec>) -> (Vec<RoleSpec>, Option<Vec<RoleSpec>>) {
        let spec = self.spec;
        let lines = roles(roles::lines(spec), &spec.ports, &mut self.marks, &mut self.diagnostics);
        let named = |decl: &PortDecl| {
            lines.iter().any(|l| match &l.columns {
                nnc_data::Columns::Names(names) => names.iter().any(|n| n.name == decl.name),
                nnc_data::Columns::Rest => false,
            })
        };
        let own_names = matches!(train, Some(SourceSpec::Csv(_) | SourceSpec::Npz(_)));
        let (mut sure, mut maybe) = (lines.clone(), Vec::new());
        for decl in spec.ports.iter().filter(|d| !named(d)) {
            let role = if decl.target { Role::Target } else { Role::Input };
            let mut line = RoleSpec::new(role, Vec::<String>::new()).own_port();
            let handle = self.marks.mark(decl.span);
            line.columns = nnc_data::Columns::Names(vec![ColumnName::new(decl.name.clone(), handle)]);
            line.handle = handle;
            let several = spec.ports.iter().filter(|d| d.target == decl.target).count() > 1;
            let roled = lines.iter().any(|l| l.role == role);
            if several {
                sure.push(line);
            } else if own_names && !roled {
                maybe.push(line);
            }
        }
        if maybe.is_empty() {
            return (sure, None);
        }
        let first = sure.iter().cloned().chain(maybe).collect();
        (first, Some(sure))
    }

    /// Opens the data with the first choice of roles, or else with the second.
    fn open<T>(
        &self,
        plan: Plan,
        mut open: impl FnMut(&DataSpec, &Limits) -> Result<T, Vec<Fault>>,
    ) -> Result<T, Vec<Fault>> {
        let limits = Limits { memory: memory::limit(self.options.memory_limit) };
        let Some(otherwise) = plan.otherwise else { return open(&plan.data, &limits) };
        let faults = match open(&plan.data, &limits) {
            Ok(data) => return Ok(data),
            Err(faults) => faults,
        };
        let stdin = matches!(&plan.data.train, SourceSpec::Csv(csv) if csv.path == "-");
        if stdin || faults.iter().any(|f| f.code != nnc_data::codes::NO_COLUMN) {
            return Err(faults);
        }
        open(&DataSpec { roles: otherwise, ..plan.data }, &limits)
    }
}

/// A table for validation or test is written as the training table, where it does not say otherwise.
fn as_training(part: Option<SourceSpec>, train: Option<&SourceSpec>) -> Option<SourceSpec> {
    Some(match (part?, train) {
        (SourceSpec::Csv(part), Some(SourceSpec::Csv(train))) => {
            let train = as_written(&part.path, train.clone());
            let dialect = part.dialect.clone().or(&train.dialect);
            SourceSpec::Csv(CsvSpec { dialect, ..part })
        }
        (part, _) => part,
    })
}

/// A column that is not there may be a misspelt word of ours.
fn misspelt(d: Diagnostic, spec: &Spec) -> Diagnostic {
    let word = d.labels.first().map(|l| spec.sources.slice(l.span));
    match word.filter(|_| d.code == nnc_data::codes::NO_COLUMN).and_then(|w| nearest(w, &roles::WORDS)) {
        Some(near) => d.help(format!("or is this to be `{near}`?")),
        None => d,
    }
}

/// What is said where nothing says what to train on.
pub(crate) fn no_data(spec: &Spec) -> Diagnostic {
    let d = Diagnostic::error(Code::N0500, "there is no data to train on");
    let file = &spec.sources.get(spec.source).name;
    d.cause(format!("{file} has no `data` statement, and no --data is given"))
        .help("rows in the program: data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }")
        .help("a file: data \"f.csv\"        the last column is the target")
        .help("or for this run only: --data f.csv")
}
