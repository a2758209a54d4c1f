//! The meaning of `.nn` programs: names, kinds, shapes, lints; programs and the prelude become graphs.
//!
//! [`Spec::read`] reads a program as far as it goes without its data; [`Spec::elaborate`] takes the shapes of
//! the data ([`Ports`]) and yields a [`Model`]: the graphs of a training step, of evaluation, and of first
//! values. All diagnostics about meaning arise here.

mod arith;
mod blind;
mod builtins;
mod call;
pub mod data;
mod elab;
mod eval;
pub mod explain;
mod expr;
mod frame;
pub mod library;
mod lint;
mod lookup;
mod names;
mod pattern;
mod rows;
mod scan;
mod settings;
mod shared;
mod spec;
mod step;
pub mod suggest;
mod top;
mod totals;
mod value;

pub use data::{Port, Ports};
pub use elab::LayerRow;
pub use settings::{Condition, Expectation, Plateau, Settings, Split, StopRule};
pub use spec::{Overrides, PRELUDE, Spec};
pub use step::{Model, Options, OutputInfo, ParameterInfo};
pub use totals::{TableInfo, Total, Totals};
