//! From a program to its data.

pub(crate) mod load;
pub(crate) mod marks;
pub(crate) mod resolved;
pub(crate) mod roles;
pub(crate) mod source;
