//! Pages about trainings: values in, one HTML file out that needs nothing else.
//!
//! * [`run`]: a run, with its curves, what it says about rows, its network and its program.
//! * [`runs`]: several runs, and sweeps.
//! * `chart`: charts as SVG; `classes`, `numbers`: what follows from answers; `plane`: two inputs; `importance`:
//!   columns.

pub mod boxes;
pub(crate) mod chart;
pub mod classes;
mod curves;
mod frame;
pub mod importance;
pub mod numbers;
pub mod plane;
pub mod run;
pub mod runs;
mod text;

pub use curves::Curves;
