//! Functions of single elements, and programs of them that run tile by tile.

pub(crate) mod interpret;
pub(crate) mod math;
pub(crate) mod tile;
