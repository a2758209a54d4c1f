//! The gradients of a program against differences.

use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::engine::Engine;
use crate::execute::runner::{Planner, Runner, internal, refused};
use crate::infer::decode::evenly_spaced;
use crate::memory;
use crate::problem::Outcome;
use nnc_backend::{Slice, State};
use nnc_graph::passes::{Held, hold};
use nnc_graph::{DType, OutputKind, Role};

/// How thoroughly to check gradients.
#[derive(Clone, Debug)]
pub struct GradientOptions {
    /// Rows of the batch.
    pub rows: usize,
    /// The most weights of one tensor to check; evenly chosen where there are more.
    pub cap: usize,
}

impl Default for GradientOptions {
    fn default() -> Self {
        Self { rows: 4, cap: 200 }
    }
}

/// One tensor of weights, checked.
#[derive(Clone, PartialEq, Debug)]
pub struct TensorCheck {
    /// Its path.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How many of its weights were checked.
    pub checked: usize,
    /// How many it has.
    pub total: usize,
    /// The largest difference, on the scale of the larger of both gradients (at least a thousandth of the
    /// largest gradient of the tensor, so that a rounded zero is no error).
    pub max_relative: f64,
    /// The largest difference.
    pub max_absolute: f64,
}

/// The graph's gradients against central differences.
#[derive(Clone, PartialEq, Debug)]
pub struct GradientReport {
    /// Rows of the batch.
    pub rows: usize,
    /// Every tensor of weights, in the order of the program.
    pub tensors: Vec<TensorCheck>,
    /// The largest of all.
    pub max_relative: f64,
}

/// Compares the gradient of every weight with a central difference, in double precision, at the first
/// weights. What `stop_gradient` holds back is held for the difference too.
///
/// # Errors
/// Mistakes in the program that show with its data; too little memory.
pub fn check_gradients(loaded: &Loaded, options: &GradientOptions) -> Outcome<GradientReport> {
    let model = loaded.model(DType::F64)?;
    let backend = Engine::Cpu.backend(1);
    let layout = backend.layout(&[&model.init, &model.step, &model.eval, &model.backward]);
    let layout = layout.map_err(|e| refused(&e))?;
    let rows = evenly_spaced(loaded.data.train.len(), options.rows.max(1));
    let limit = memory::limit(loaded.options.memory_limit);
    let mut planner = Planner::new(&*layout, limit);
    let plan = planner.plan(&model.backward, rows.len())?;
    let held = hold(&model.forward);
    let plans = held.as_ref().map(|held| -> Outcome<_> {
        Ok((planner.plan(&held.values, rows.len())?, planner.plan(&held.objective, rows.len())?))
    });
    let plans = plans.transpose()?;
    planner.need.add("weights", layout.bytes());
    planner.need.check(limit)?;
    let mut runner = Runner::new(plan, &loaded.ports, &model)?;
    let (mut state, _) = weights::initial(&model, &*layout, model.settings.seed, None)?;
    // Biases of zero stand exactly on relu's corner, where there is no derivative to compare with.
    nudge(&mut *state);
    runner.feed(&loaded.data.train, &rows).map_err(|f| internal(&f))?;
    let seed = model.settings.seed;
    runner.run(&mut *state, seed, 1)?;
    let names: Vec<_> = model.parameters.iter().filter(|p| p.role == Role::Weight).collect();
    let gradients: Vec<Vec<f64>> = names
        .iter()
        .map(|p| runner.output(OutputKind::Gradient, &p.name).into_iter().flat_map(Slice::iter).collect())
        .collect();
    if let (Some((values, objective)), Some(Held { names, .. })) = (plans, &held) {
        let mut values = Runner::new(values, &loaded.ports, &model)?;
        values.feed(&loaded.data.train, &rows).map_err(|f| internal(&f))?;
        values.run(&mut *state, seed, 1)?;
        runner = Runner::new(objective, &loaded.ports, &model)?;
        runner.feed(&loaded.data.train, &rows).map_err(|f| internal(&f))?;
        for name in names {
            if let (Some(from), Some(mut to)) =
                (values.output(OutputKind::Prediction, name), runner.input_mut(name))
            {
                to.write(from.iter());
            }
        }
    }
    let mut tensors = Vec::new();
    for (p, gradient) in names.iter().zip(&gradients) {
        let mut check = TensorCheck {
            name: p.name.clone(),
            shape: p.shape.clone(),
            checked: 0,
            total: gradient.len(),
            max_relative: 0.0,
            max_absolute: 0.0,
        };
        let floor = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs())) * 1e-3;
        for i in evenly_spaced(gradient.len(), options.cap.max(1)) {
            let i = i as usize;
            let numeric = difference(&mut runner, &mut *state, seed, &p.name, i)?;
            let (error, scale) = ((numeric - gradient[i]).abs(), numeric.abs().max(gradient[i].abs()));
            check.checked += 1;
            check.max_absolute = check.max_absolute.max(error);
            let relative = error / scale.max(floor).max(1e-8);
            // A NaN on either side must not look like agreement.
            check.max_relative =
                if relative.is_nan() { f64::INFINITY } else { check.max_relative.max(relative) };
        }
        tensors.push(check);
    }
    let max_relative = tensors.iter().fold(0.0, |m: f64, t| m.max(t.max_relative));
    Ok(GradientReport { rows: rows.len(), tensors, max_relative })
}

/// Moves every weight by a little, each by another amount.
fn nudge(state: &mut dyn State) {
    let names: Vec<_> = state.entries().iter().filter(|e| e.role == Role::Weight).cloned().collect();
    let mut n = 0u32;
    for entry in names {
        let Some(mut values) = state.get_mut(Role::Weight, &entry.name) else { continue };
        let nudged: Vec<f64> = values
            .read()
            .iter()
            .map(|x| {
                n = n.wrapping_add(1);
                // A golden-ratio sequence: spread evenly, the same on every machine.
                x + 0.02 * ((f64::from(n) * 0.618_033_988_749_894_9).fract() - 0.5)
            })
            .collect();
        values.write(nudged);
    }
}

fn difference(runner: &mut Runner, state: &mut dyn State, seed: u64, name: &str, at: usize) -> Outcome<f64> {
    let Some(start) = state.get(Role::Weight, name).and_then(|w| w.get(at)) else { return Ok(f64::NAN) };
    let set = |state: &mut dyn State, x: f64| {
        if let Some(mut values) = state.get_mut(Role::Weight, name) {
            values.set(at, x);
        }
    };
    let h = 1e-5 * start.abs().max(0.1);
    let mut objective = |x: f64| -> Outcome<f64> {
        set(state, x);
        runner.run(state, seed, 1)?;
        let value = runner.output(OutputKind::Objective, "objective");
        Ok(value.and_then(|v| v.get(0)).unwrap_or(f64::NAN))
    };
    let (above, below) = (objective(start + h)?, objective(start - h)?);
    set(state, start);
    Ok((above - below) / (2.0 * h))
}
