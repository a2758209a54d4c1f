//! The meaning of `.nn` programs: names, kinds, shapes, lints; programs and the prelude become graphs.
//!
//! [`Spec::read`] reads a program as far as it goes without its data; [`Spec::elaborate`] takes the shapes of
//! the data ([`Ports`]) and yields a [`Model`]: the graphs of a training step, of evaluation, and of first
//! values. All diagnostics about meaning arise here.

mod declarations;
mod elaborate;
pub mod explain;
mod program;
mod step;
pub mod suggest;

pub use declarations::attributes::Better;
pub use declarations::data::{self, Port, Ports};
pub use declarations::settings::{Condition, Expectation, Lbfgs, Plateau, Settings, Split, StopRule};
pub use elaborate::results::LayerRow;
pub use elaborate::totals::{TableInfo, Total, Totals};
pub use program::library;
pub use program::prelude::PRELUDE;
pub use program::spec::{Overrides, Spec};
pub use step::build::{Model, Options, ParameterInfo};
pub use step::output::{OutputInfo, Parts};
