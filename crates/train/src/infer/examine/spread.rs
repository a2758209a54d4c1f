//! How the numbers of weights lie, before training and after.

use crate::artifact::run_note::RunNote;
use crate::artifact::weights;
use crate::execute::runner::inference;
use crate::infer::decode::from_largest;
use crate::infer::inference::Trained;
use crate::problem::Outcome;
use nnc_backend::Slice;
use nnc_graph::Role;

/// Bins of a histogram.
const BINS: usize = 40;
/// Tensors that are told, the largest ones.
const TENSORS: usize = 12;

/// How the numbers of a tensor of weights lie.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WeightSpread {
    /// Its path.
    pub name: String,
    /// How many numbers it has.
    pub count: usize,
    /// The first edge of the bins, and their width.
    pub bins: (f64, f64),
    /// How many are in each bin before the first step; empty where `--init` named a file that is not there any more.
    pub start: Vec<usize>,
    /// How many are in each bin of the weights that were kept.
    pub end: Vec<usize>,
}

/// How the numbers of the largest tensors of weights lie, in the order of the program. Those before the first step are
/// computed anew from the seed.
///
/// # Errors
/// There is no memory for them.
pub fn weight_spread(model: &Trained) -> Outcome<Vec<WeightSpread>> {
    let layout = inference(&model.model, 1)?;
    let end = model.state(&*layout)?;
    let init = RunNote::beside(&model.path).and_then(|note| note.init);
    let start = weights::initial(&model.model, &*layout, model.model.settings.seed, init.as_deref());
    let start = start.ok().map(|(state, _)| state);
    let size = |name: &str| end.get(Role::Weight, name).map_or(0, Slice::len);
    let names = model.model.parameters.iter().filter(|p| p.role == Role::Weight).map(|p| p.name.as_str());
    let names: Vec<&str> = names.filter(|name| size(name) > 1).collect();
    let sizes: Vec<f64> = names.iter().map(|name| size(name) as f64).collect();
    let largest = from_largest(&sizes, TENSORS);
    let spread = |name: &str| {
        let end = end.get(Role::Weight, name)?;
        let start = start.as_ref().and_then(|s| s.get(Role::Weight, name));
        let all = || start.into_iter().flat_map(Slice::iter).chain(end.iter()).filter(|x| x.is_finite());
        let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if low > high {
            return None;
        }
        let width = if high > low { (high - low) / BINS as f64 } else { low.abs().max(1.0) * 0.01 };
        let count = |values: Slice<'_>| {
            let mut counts = vec![0; BINS];
            for x in values.iter().filter(|x| x.is_finite()) {
                counts[(((x - low) / width) as usize).min(BINS - 1)] += 1;
            }
            counts
        };
        Some(WeightSpread {
            name: name.to_string(),
            count: end.len(),
            bins: (low, width),
            start: start.map(count).unwrap_or_default(),
            end: count(end),
        })
    };
    let shown = (0..names.len()).filter(|at| largest.contains(at));
    Ok(shown.filter_map(|at| spread(names[at])).collect())
}
