//! Rows that are encoded, and how many at once.

use std::ops::Range;

use crate::fault::Fault;
use crate::raw::Raw;

/// Rows of `raw` that no `missing=drop` column lacks; `None` is all of them.
pub(crate) fn kept_rows(raw: &Raw, dropping: impl Fn(usize) -> bool) -> Result<Option<Vec<u32>>, Box<Fault>> {
    let mut gone = vec![false; raw.len];
    for (_, data) in raw.columns.iter().enumerate().filter(|(i, _)| dropping(*i)) {
        for rows in chunks(raw.len, data.is_spilled()) {
            let (base, data) = data.part(rows.clone())?;
            let Some(missing) = data.missing() else { break };
            rows.for_each(|r| gone[r] |= missing(r - base));
        }
    }
    if !gone.contains(&true) {
        return Ok(None);
    }
    Ok(Some((0..raw.len as u32).filter(|&i| !gone[i as usize]).collect()))
}

/// Rows that are encoded at once where not all are in memory.
pub(crate) const CHUNK: usize = 1 << 16;

/// All rows in pieces; one piece where they are in memory.
pub(crate) fn chunks(len: usize, spilled: bool) -> impl Iterator<Item = Range<usize>> {
    let step = if spilled { CHUNK } else { len.max(1) };
    (0..len).step_by(step).map(move |at| at..(at + step).min(len))
}
