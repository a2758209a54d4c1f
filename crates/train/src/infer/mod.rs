//! Using a trained model.

pub(crate) mod decode;
pub(crate) mod generate;
pub(crate) mod inference;
