//! Between the state of a run and a model file.

use crate::artifact::card::ModelCard;
use crate::binding::load::Loaded;
use crate::binding::resolved;
use crate::execute::runner::refused;
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_artifact::{FormatError, Tensor, TensorFile, Values};
use nnc_backend::{Entry, Layout, Options, Slice, State};
use nnc_graph::{OutputKind, Role};
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic};
use std::path::Path;

/// The first values: what the program says, or a file.
pub(crate) fn initial(
    model: &Model,
    layout: &dyn Layout,
    seed: u64,
    file: Option<&Path>,
) -> Outcome<(Box<dyn State>, Option<Diagnostic>)> {
    let mut state = layout.state();
    begin(model, layout, &mut *state, seed, |_| true)?;
    let mut note = None;
    if let Some(path) = file {
        let file = read(path, None)?;
        note = take(model, &mut *state, &file, path)?;
    }
    Ok((state, note))
}

/// Gives the optimizer of a stage its first memory; weights and states stay as they are.
pub(crate) fn fresh_slots(
    model: &Model,
    layout: &dyn Layout,
    state: &mut dyn State,
    seed: u64,
) -> Outcome<()> {
    begin(model, layout, state, seed, |role| role == Role::Slot)
}

/// Computes first values, and writes those of the wanted roles.
fn begin(
    model: &Model,
    layout: &dyn Layout,
    state: &mut dyn State,
    seed: u64,
    wanted: impl Fn(Role) -> bool,
) -> Outcome<()> {
    let init = layout.compile(&model.init, 1, &Options::default()).map_err(|e| refused(&e))?;
    let mut session = init.session().map_err(|e| refused(&e))?;
    session.run(state, seed, 0).map_err(|e| refused(&e))?;
    for e in layout.entries().iter().filter(|e| wanted(e.role)) {
        if let (Some(values), Some(mut to)) =
            (session.output(OutputKind::Initial, &e.name), state.get_mut(e.role, &e.name))
        {
            to.copy_from(values);
        }
    }
    Ok(())
}

/// Copies those tensors of a file into the weights and states of the same paths that have their shapes, and says what
/// was left and what was drawn anew; where nothing fits, it is the file of another program.
fn take(model: &Model, state: &mut dyn State, file: &TensorFile, path: &Path) -> Outcome<Option<Diagnostic>> {
    let entries: Vec<Entry> = state.entries().iter().filter(|e| kept(e.role)).cloned().collect();
    let fits = |e: &&Entry| file.tensors.get(&*e.name).is_some_and(|t| t.shape == e.dims);
    let taken: Vec<&Entry> = entries.iter().filter(fits).collect();
    if !taken.iter().any(|e| e.role == Role::Weight) && entries.iter().any(|e| e.role == Role::Weight) {
        return Err(mismatch(&entries, file, path));
    }
    for e in &taken {
        copy(state, file, e);
    }
    let lines = differences(&entries, file, 12);
    if lines.is_empty() {
        return Ok(None);
    }
    let (n, all) = (taken.len(), entries.len());
    let message = format!("`{}` has {n} of the {all} weights and states of this program", path.display());
    let mut d = Diagnostic::warning(Code::N0603, message);
    d.notes.extend(lines);
    let frozen = |e: &&Entry| model.parameters.iter().any(|p| p.frozen && *p.name == *e.name);
    if let Some(e) = entries.iter().filter(|e| !fits(e)).find(frozen) {
        d = d.cause(format!("`{}` is drawn anew and frozen, so it stays as it was drawn", e.name));
    }
    Ok(Some(d.cause("what is not in the file is drawn anew")))
}

/// Copies a tensor of a file.
fn copy(state: &mut dyn State, file: &TensorFile, e: &Entry) {
    if let (Some(tensor), Some(mut to)) = (file.tensors.get(&*e.name), state.get_mut(e.role, &e.name)) {
        to.write((0..tensor.values.len()).filter_map(|i| tensor.values.get(i)));
    }
}

/// Reads a file of tensors.
pub(crate) fn read(path: &Path, limit: Option<u64>) -> Outcome<TensorFile> {
    TensorFile::read(path, memory::limit(limit)).map_err(|e| unreadable(path, &e))
}

/// Why a file cannot be read.
pub(crate) fn unreadable(path: &Path, e: &FormatError) -> Box<Problem> {
    let mut d = Diagnostic::error(Code::N0602, format!("`{}` {e}", path.display()));
    if matches!(e, FormatError::Io(e) if e.kind() == std::io::ErrorKind::NotFound) {
        d = Diagnostic::error(Code::N0602, format!("there is no file `{}`", path.display()));
    }
    Problem::new(ProblemKind::Io, d)
}

/// Whether a parameter belongs into a model file.
fn kept(role: Role) -> bool {
    matches!(role, Role::Weight | Role::State)
}

/// Whether a parameter of the best epoch is needed: what belongs into a model file, or stands in for it.
pub(crate) fn matters(e: &Entry) -> bool {
    kept(e.role) || e.name.ends_with(AVERAGE)
}

/// How the slots of averaged weights end.
const AVERAGE: &str = "/ema.average";

/// Copies the tensors of a file into the weights and states of the same paths.
pub(crate) fn load(state: &mut dyn State, file: &TensorFile, path: &Path) -> Outcome<()> {
    let entries: Vec<_> = state.entries().iter().filter(|e| kept(e.role)).cloned().collect();
    let fits = |name: &str, dims: &[usize]| file.tensors.get(name).is_some_and(|t| t.shape == dims);
    let known = |name: &str| entries.iter().any(|e| &*e.name == name);
    // A file of weights alone leaves the states as they begin.
    let wrong = entries.iter().any(|e| {
        let optional = e.role == Role::State && !file.tensors.contains_key(&*e.name);
        !optional && !fits(&e.name, &e.dims)
    });
    if wrong || file.tensors.keys().any(|name| !known(name)) {
        return Err(mismatch(&entries, file, path));
    }
    for e in &entries {
        copy(state, file, e);
    }
    Ok(())
}

/// Both sides, so that a renamed layer is seen at once.
fn mismatch(entries: &[Entry], file: &TensorFile, path: &Path) -> Box<Problem> {
    let mut d = Diagnostic::error(
        Code::N0603,
        format!("the weights in `{}` are not those of this program", path.display()),
    );
    d.notes.extend(differences(entries, file, 12));
    Problem::new(ProblemKind::Data, d)
}

/// What only one side has, or both with different shapes, in at most so many lines and one.
fn differences(entries: &[Entry], file: &TensorFile, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for e in entries {
        let line = match file.tensors.get(&*e.name) {
            None if e.role == Role::State => continue,
            None => format!("{} {}: not in the file", e.name, shape(&e.dims)),
            Some(t) if t.shape != e.dims => {
                format!("{} {}: {} in the file", e.name, shape(&e.dims), shape(&t.shape))
            }
            Some(_) => continue,
        };
        lines.push(line);
    }
    for (name, t) in &file.tensors {
        if !entries.iter().any(|e| *e.name == **name) {
            lines.push(format!("{name} {}: not in the program", shape(&t.shape)));
        }
    }
    let rest = lines.len().saturating_sub(most);
    lines.truncate(most);
    if rest > 0 {
        lines.push(format!("and {rest} more"));
    }
    lines
}

fn shape(dims: &[usize]) -> String {
    let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
    format!("[{}]", dims.join(","))
}

/// Puts fading averages (the rule `ema`) in the place of their weights: the model that is kept is the average, as
/// Keras' optimizers with `use_ema` leave it. Those of the model's own optimizer: that of another stage may have left
/// its averages in the state.
pub(crate) fn average(model: &Model, state: &mut dyn State) {
    let slots = model.parameters.iter().filter(|p| p.role == Role::Slot);
    let averaged: Vec<(String, String)> =
        slots.filter_map(|p| Some((p.name.clone(), p.name.strip_suffix(AVERAGE)?.to_string()))).collect();
    for (slot, weight) in averaged {
        let values = state.get(Role::Slot, &slot).map(Slice::to_buffer);
        if let (Some(values), Some(mut to)) = (values, state.get_mut(Role::Weight, &weight)) {
            to.copy_from(values.as_slice());
        }
    }
}

/// Numbers for a file, in their precision.
pub(crate) fn values(slice: Slice<'_>) -> Values {
    match slice {
        Slice::F32(v) => Values::F32(v.to_vec()),
        Slice::F64(v) => Values::F64(v.to_vec()),
    }
}

/// The bytes of a model file, with averages in the place of their weights.
pub(crate) fn model_bytes(model: &Model, state: &dyn State, card: &ModelCard) -> Vec<u8> {
    let mut state = state.snapshot();
    average(model, &mut *state);
    plain_bytes(&*state, card)
}

/// The bytes of a model file with the weights as they are.
pub(crate) fn plain_bytes(state: &dyn State, card: &ModelCard) -> Vec<u8> {
    let mut file = TensorFile::default();
    for (entry, slice) in state.iter().filter(|(e, _)| kept(e.role)) {
        let tensor = Tensor { shape: entry.dims.clone(), values: values(slice) };
        file.tensors.insert(entry.name.to_string(), tensor);
    }
    card.store(&mut file);
    file.to_bytes()
}

/// Whether all weights and states are numbers.
pub(crate) fn are_finite(state: &dyn State) -> bool {
    state.iter().filter(|(e, _)| kept(e.role)).all(|(_, slice)| slice.is_finite())
}

/// What the model file says about itself, but for the epoch.
pub(crate) fn card(loaded: &Loaded) -> ModelCard {
    let spec = &loaded.spec;
    let name = &spec.sources.get(spec.source).name;
    // Equal runs are equal bytes, wherever the program lies.
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    ModelCard {
        name: name.to_string(),
        spec: spec.whole_text(),
        overrides: resolved::overrides(spec),
        stats: loaded.data.stats.to_json(),
        epoch: 0,
        step: 0,
    }
}
