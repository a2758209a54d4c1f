//! Memory plan, schedule and execution of a graph.
//!
//! ```text
//! Graph ─► plan ─► Plan ─► Executor ─► numbers
//!            ▲                ▲
//!          Layout           Store (weights, states, slots)
//! ```
//!
//! * [`Layout`], [`Store`]: what outlives a step.
//! * [`plan`]: which instruction runs when and where every value lies; the whole memory need is known then.
//! * [`Executor`]: runs a plan; nothing is allocated while it runs.
//! * [`Cpu`]: all of it behind the seam of `nnc_backend`, in either precision.

mod arena;
mod backend;
mod body;
mod error;
mod exec;
mod fuse;
mod group;
mod heavy;
mod layout;
mod loops;
mod lower;
mod place;
mod plan;
mod program;
mod schedule;
mod spatial;
mod unit;
mod view;

pub use backend::Cpu;
pub use error::EngineError;
pub use exec::Executor;
pub use layout::{Layout, Store};
pub use nnc_kernels::{Pool, Real, vectors};
pub use plan::{Plan, PlanOptions, plan};
