//! Words about programs: what a name means, and what every line of a program does.

mod name;
mod settings;
mod walk;
mod words;

pub use name::{Topic, name, names};
pub use walk::{Explained, walk};
