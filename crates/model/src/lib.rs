//! The meaning of `.nn` programs: names, kinds, shapes, lints; programs and the prelude become graphs.
//!
//! [`Spec::read`] reads a program as far as it goes without its data; [`Spec::elaborate`] takes the shapes of
//! the data ([`Ports`]) and yields a [`Model`]: the graphs of a training step, of evaluation, and of first
//! values. All diagnostics about meaning arise here.

mod elaborate;
pub mod explain;
mod program;
mod step;
pub mod suggest;

pub use elaborate::elab::LayerRow;
pub use program::attributes::Better;
pub use program::data::{Port, Ports};
pub use program::settings::{Condition, Expectation, Plateau, Settings, Split, StopRule};
pub use program::spec::{Overrides, PRELUDE, Spec};
pub use program::{data, library};
pub use step::totals::{TableInfo, Total, Totals};
pub use step::{Model, Options, OutputInfo, ParameterInfo};
