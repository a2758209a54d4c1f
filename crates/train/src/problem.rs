//! Why a run ended without a result.

use nnc_syntax::{Diagnostic, SourceMap};

/// What kind of thing went wrong; decides the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProblemKind {
    /// What was asked for on the command line makes no sense.
    Usage,
    /// The program has no meaning.
    Spec,
    /// The data cannot be used, or does not fit the program or the model.
    Data,
    /// A file that cannot be read or written, or is damaged.
    Io,
    /// More memory than allowed.
    Memory,
    /// The loss is no number any more.
    Diverged,
    /// A mistake of `nnc` itself.
    Internal,
}

/// Everything that is to be told about a run that ended without a result.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// At least one error; warnings and notes may be among them.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts the diagnostics point into.
    pub sources: SourceMap,
}

impl Problem {
    /// A problem of one diagnostic that points nowhere.
    pub fn new(kind: ProblemKind, diagnostic: Diagnostic) -> Box<Self> {
        Box::new(Self { kind, diagnostics: vec![diagnostic], sources: SourceMap::default() })
    }

    /// A problem of several diagnostics that point into `sources`.
    pub fn at(kind: ProblemKind, diagnostics: Vec<Diagnostic>, sources: &SourceMap) -> Box<Self> {
        Box::new(Self { kind, diagnostics, sources: sources.clone() })
    }

    /// 1 where training diverged, else 2.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ProblemKind::Diverged => 1,
            ProblemKind::Usage
            | ProblemKind::Spec
            | ProblemKind::Data
            | ProblemKind::Io
            | ProblemKind::Memory
            | ProblemKind::Internal => 2,
        }
    }
}

/// A result, or the problem.
pub type Outcome<T> = Result<T, Box<Problem>>;
