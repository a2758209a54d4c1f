//! Drawings of networks: values in, text out.
//!
//! ```text
//! graph ─► fold ─► group ─► Drawing ─► dot, mermaid
//!                              └─► layout ─► svg, html
//! ```
//!
//! * [`mod@network`]: a graph as a [`Drawing`]: a box for a layer, which holds a drawing of what is in it, down to single
//!   primitives.
//! * [`dot`], [`mermaid`]: a drawing as source for Graphviz and for Mermaid.
//! * [`layout()`], [`svg`]: where everything lies, and the picture.
//! * [`neurons`]: a small network as circles and lines, by its weights.
//! * [`html`]: the drawings of all stages and the program beside them as one page.
//! * [`page`]: what came of a training as one page: charts, tables, the drawing, the program.
//!
//! This crate knows nothing of files, of the language, or of what computes a graph.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod dot;
pub mod drawing;
mod fold;
mod group;
pub mod html;
pub mod layout;
pub mod mermaid;
pub mod network;
pub mod neurons;
pub mod page;
pub mod svg;

pub use drawing::{Band, Drawing, Edge, Held, Item, Kind, Line, Place};
pub use layout::layout;
pub use network::{Program, Site, network, parts};
