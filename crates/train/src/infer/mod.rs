//! What a trained model says: evaluation, predictions, generated text.
//!
//! Invariant: uses `binding`, `execute` and `artifact`, never `fit`: a model is used without knowing how it was trained.

pub(crate) mod ahead;
pub(crate) mod beside;
pub(crate) mod decode;
pub(crate) mod examine;
pub(crate) mod generate;
pub(crate) mod inference;
pub(crate) mod lesson;
pub(crate) mod package;
pub(crate) mod predictions;
pub(crate) mod responder;
pub(crate) mod training;
