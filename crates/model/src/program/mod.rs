//! Reading programs: definitions, parameters, data declarations, settings, names; as far as it goes without the data.
//!
//! Invariant: uses `declarations` and `elaborate` (an expression is run to know its value), not `step`.

#![allow(clippy::wildcard_enum_match_arm, reason = "statements of other kinds are none of a reader")]

pub(crate) mod figures;
pub(crate) mod files;
pub(crate) mod inline;
pub mod library;
pub(crate) mod name_check;
pub(crate) mod names;
pub(crate) mod params;
pub(crate) mod prelude;
pub(crate) mod reader;
pub(crate) mod rules;
pub(crate) mod settings;
pub(crate) mod spec;
pub(crate) mod stages;
pub(crate) mod top;
