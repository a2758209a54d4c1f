//! What is tried with a program rather than trained for its own sake.

pub(crate) mod expect;
pub(crate) mod measure;
