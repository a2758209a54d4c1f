//! What a program says: its outputs, and what their numbers are.

use crate::declarations::attributes::{Range, Units};
use crate::elaborate::elab::Elab;
use crate::elaborate::value::Tensor;
use crate::step::compared;

/// A prediction.
#[derive(Clone, PartialEq, Debug)]
pub struct OutputInfo {
    /// Its name: `output`, or the tensor's.
    pub name: String,
    /// Its shape for one sample.
    pub shape: Vec<usize>,
    /// Whether it is the probabilities of the classes of the target (a softmax as wide as they are many).
    pub probabilities: bool,
    /// The target that it is subtracted from or compared with, and so has the units of.
    pub of: Option<usize>,
    /// The name of the prediction that says which of its steps are there, 1, and which are padding, 0, where that is known.
    pub steps: Option<String>,
    /// What it is of that target, where it is not one number for each of the target's.
    pub parts: Parts,
}

/// What an output says of the target that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Parts {
    /// The target itself.
    #[default]
    One,
    /// Several numbers like the target, one behind another along the last axis, such as its quantiles.
    Levels,
    /// The mean, and then the logarithm of the variance.
    Law,
}

/// The name of the mask of an output.
pub(super) fn steps_name(output: &str) -> String {
    format!("{output}.steps")
}

/// What is known of an output.
pub(super) fn output_info(e: &Elab<'_>, name: &str, t: &Tensor) -> OutputInfo {
    let shares =
        e.results.calls.get(&t.node).is_some_and(|c| c.iter().any(|c| c.range == Some(Range::Shares)));
    let width = t.axes.last().map(|a| a.size);
    let classes =
        e.session.ports.targets.iter().any(|p| p.classes.as_ref().map(Vec::len) == width && width.is_some());
    let described = e.results.described.get(&t.node).copied();
    OutputInfo {
        name: name.to_string(),
        shape: t.sizes(),
        probabilities: shares && classes,
        steps: t.mask.map(|_| steps_name(name)),
        of: described.map(|(at, _)| at).or_else(|| compared::with_target(e, t)),
        parts: match described {
            Some((_, Units::Levels)) => Parts::Levels,
            Some((_, Units::Law)) => Parts::Law,
            _ => Parts::One,
        },
    }
}
