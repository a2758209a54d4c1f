//! Why a command ends early.

use nnc_syntax::{Code, Diagnostic};
use nnc_train::{Problem, ProblemKind};
use std::io;

/// The end of a command that has no result.
#[derive(Debug)]
pub enum Failure {
    /// Mistakes, to be shown.
    Problem {
        /// What is wrong.
        problem: Box<Problem>,
        /// What follows from it, for the line that counts the mistakes: `nothing was trained`.
        tail: &'static str,
    },
    /// Whoever read our output has gone away, as `head` does; that is their right.
    Closed,
}

/// A result, or the reason why there is none.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// One mistake that points nowhere.
    pub fn one(kind: ProblemKind, diagnostic: Diagnostic) -> Self {
        Problem::new(kind, diagnostic).into()
    }

    /// One mistake in how the command was called.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::one(ProblemKind::Usage, Diagnostic::error(Code::N0702, message).help(help))
    }

    /// Says what follows from the mistakes.
    #[must_use]
    pub fn with_tail(self, tail: &'static str) -> Self {
        match self {
            Failure::Problem { problem, .. } => Failure::Problem { problem, tail },
            Failure::Closed => Failure::Closed,
        }
    }
}

impl From<Box<Problem>> for Failure {
    fn from(problem: Box<Problem>) -> Self {
        Failure::Problem { problem, tail: "" }
    }
}

/// A result that could not be written.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::Closed;
        }
        let d =
            Diagnostic::error(Code::N0703, format!("the result cannot be written to the output: {error}"));
        Failure::one(ProblemKind::Io, d)
    }
}
