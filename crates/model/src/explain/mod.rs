//! Words about programs: what a name means, and what every line of a program does.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "an expression of another kind is said nothing special about"
)]

mod definition;
mod name;
mod settings;
mod walk;
mod words;

pub use definition::{Definition, DefinitionKind, definitions, library};
pub use name::{Argument, Topic, foreign_row, name, names, option};
pub use walk::{Explained, walk};
