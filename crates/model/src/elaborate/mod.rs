//! Running a program at compile time: its tensors are nodes of the graph that is built.
//!
//! An [`elab::Elab`] is one run: a [`session::Session`] (texts, the data's shapes, limits, diagnostics), a
//! [`scope::Scope`] (definitions and the way here), and [`results::Results`] (weights, updates, rows, settings).
//! A file of this room is one kind of thing that can be run, as methods of `Elab`.
//!
//! Invariant: uses `declarations` and no other room. Whatever fails leaves frame, scope and results as if it had not
//! begun, apart from what it has declared.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a value or expression of another kind than asked for is refused, whatever kind it is"
)]

pub(crate) mod arguments;
pub(crate) mod arith;
pub(crate) mod builtins;
pub(crate) mod call;
pub(crate) mod domain;
pub(crate) mod elab;
mod equals;
pub(crate) mod eval;
pub(crate) mod expr;
pub(crate) mod frame;
pub(crate) mod lookup;
pub(crate) mod mask;
pub(crate) mod measure;
pub(crate) mod pattern;
pub(crate) mod results;
pub(crate) mod rewrite;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod scope;
pub(crate) mod session;
pub(crate) mod shared;
pub(crate) mod shares;
pub(crate) mod statement;
pub(crate) mod totals;
mod units;
pub(crate) mod value;
mod weighted;
pub(crate) mod weights;
