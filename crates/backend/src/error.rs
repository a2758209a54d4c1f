//! Why a graph is not compiled or run.

use std::fmt;

/// What is to be made of an [`Error`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// More memory than allowed.
    Memory {
        /// Bytes that values, inputs and state need together.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// A size that this backend cannot compute with, whatever memory there is.
    Limit,
    /// Something that the backend needs and that is not there, such as a library.
    Missing,
    /// A mistake of the backend, or of who calls it.
    Internal,
}

/// Why a graph is not compiled or run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// What is to be made of it.
    pub kind: ErrorKind,
    /// What is wrong, in words.
    pub message: String,
}

impl Error {
    /// A size that cannot be computed with.
    pub fn limit(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Limit, message: message.into() }
    }

    /// A mistake in the calls of this crate.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Internal, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
