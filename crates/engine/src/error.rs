//! What can be wrong with a request, said before anything is allocated.

use nnc_graph::DType;
use std::fmt;

/// Why a graph cannot be planned or run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EngineError {
    /// A number of elements or bytes does not fit the machine's words.
    TooLarge {
        /// Which tensor.
        what: String,
    },
    /// More memory than allowed.
    Memory {
        /// Bytes that arena, inputs and store need together.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// A table whose row numbers are not exact in single precision.
    Table {
        /// Which node.
        what: String,
        /// Its number of rows.
        rows: usize,
        /// The largest number of rows.
        limit: usize,
    },
    /// A window that moves over more axes than the loops know.
    Axes {
        /// Which node.
        what: String,
        /// Its axes of space.
        axes: usize,
    },
    /// The graph's floats are not those of the memory or executor.
    Precision {
        /// The graph's.
        graph: DType,
        /// What was asked for.
        asked: DType,
    },
    /// A parameter has two types in two graphs.
    Conflict {
        /// Role and name.
        what: String,
    },
    /// A parameter that the layout does not have.
    Missing {
        /// Role and name.
        what: String,
    },
    /// A mistake of the planner itself, found by its own checks.
    Internal(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::TooLarge { what } => {
                write!(f, "{what} has more elements than this machine can count")
            }
            EngineError::Memory { needed, limit } => {
                write!(f, "needs {needed} bytes of memory, {limit} are allowed")
            }
            EngineError::Table { what, rows, limit } => {
                write!(
                    f,
                    "{what} has {rows} rows; row numbers are exact only up to {limit} in single precision"
                )
            }
            EngineError::Axes { what, axes } => {
                write!(f, "{what} moves a window over {axes} axes of space; up to 3 can be computed")
            }
            EngineError::Precision { graph, asked } => {
                write!(f, "the graph computes in {}, not in {}", graph.name(), asked.name())
            }
            EngineError::Conflict { what } => write!(f, "{what} has different shapes in two graphs"),
            EngineError::Missing { what } => write!(f, "{what} is not in the layout"),
            EngineError::Internal(message) => write!(f, "the plan is wrong (a bug in nnc): {message}"),
        }
    }
}

impl std::error::Error for EngineError {}
