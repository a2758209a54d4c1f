//! Programs without their data: definitions, parameters, data declarations, settings, names.

pub(crate) mod attributes;
pub(crate) mod blind;
pub mod data;
pub mod library;
pub(crate) mod names;
pub(crate) mod settings;
pub(crate) mod spec;
pub(crate) mod top;
