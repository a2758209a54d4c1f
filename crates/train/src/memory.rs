//! How much memory there is, and whether a run fits into it.

use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_syntax::units::bytes;
use nnc_syntax::{Code, Diagnostic};
use sysinfo::System;

/// Bytes a run may take: what was asked for, or four fifths of the machine's memory.
pub(crate) fn limit(asked: Option<u64>) -> u64 {
    asked.unwrap_or_else(|| physical().map_or(8 << 30, |bytes| bytes / 5 * 4))
}

/// The machine's memory, or what a container leaves of it, where the system says it.
fn physical() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let total = system.total_memory();
    // A control group without a limit may say any large number.
    let limit = system.cgroup_limits().map_or(total, |limits| limits.total_memory);
    Some(total.min(limit)).filter(|&bytes| bytes > 0)
}

/// What a run needs, part by part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Need {
    parts: Vec<(String, u64)>,
}

impl Need {
    pub(crate) fn add(&mut self, what: impl Into<String>, bytes: u64) {
        self.parts.push((what.into(), bytes));
    }

    pub(crate) fn extend(&mut self, other: Need) {
        self.parts.extend(other.parts);
    }

    pub(crate) fn total(&self) -> u64 {
        self.parts.iter().fold(0, |n, (_, b)| n.saturating_add(*b))
    }

    /// Whether it fits; nothing has been allocated yet.
    pub(crate) fn check(&self, limit: u64) -> Outcome<()> {
        let total = self.total();
        if total <= limit {
            return Ok(());
        }
        let message = format!("this run needs {} of memory, and {} are allowed", bytes(total), bytes(limit));
        let mut d = Diagnostic::error(Code::N0707, message);
        let mut parts = self.parts.clone();
        parts.sort_by_key(|(_, b)| std::cmp::Reverse(*b));
        for (what, need) in parts.iter().filter(|(_, b)| *b > 0).take(5) {
            d = d.cause(format!("{:>10}  {what}", bytes(*need)));
        }
        let d = d.help("a smaller `batch` needs less; so does a smaller network");
        Err(Problem::new(ProblemKind::Memory, d))
    }
}
