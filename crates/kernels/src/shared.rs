//! What tasks share.

/// A pointer that tasks share.
pub(crate) struct Shared<T>(pub(crate) *mut T);

// SAFETY: tasks that share it write disjoint elements and read what nobody writes.
unsafe impl<T> Sync for Shared<T> {}
