//! Rows that are encoded, and how many at once.

use std::ops::Range;

use crate::fault::{Fault, codes};
use crate::raw::Raw;
use crate::spec::Handle;
use nnc_syntax::units::{count, grouped};

/// Which rows are encoded, and why the others are not.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Rows that no `missing=drop` column lacks; `None` is all of them.
    pub(crate) rows: Option<Vec<u32>>,
    /// The columns that lack cells, and how many.
    lack: Vec<(usize, usize)>,
}

/// Columns and rows that are told by name.
const NAMED: usize = 4;

impl Kept {
    /// Looks for gaps in the columns that leave rows out.
    pub(crate) fn of(raw: &Raw, dropping: impl Fn(usize) -> bool) -> Result<Self, Box<Fault>> {
        let mut gone = vec![false; raw.len];
        let mut lack = Vec::new();
        for (i, data) in raw.columns.iter().enumerate().filter(|(i, _)| dropping(*i)) {
            let mut lacking = 0;
            for rows in chunks(raw.len, data.is_spilled()) {
                let (base, data) = data.part(rows.clone())?;
                let Some(missing) = data.missing() else { break };
                for r in rows.filter(|r| missing(r - base)) {
                    gone[r] = true;
                    lacking += 1;
                }
            }
            lack.extend((lacking > 0).then_some((i, lacking)));
        }
        if lack.is_empty() {
            return Ok(Self::default());
        }
        // The columns that cost most rows are named first.
        lack.sort_by_key(|&(_, lacking)| std::cmp::Reverse(lacking));
        Ok(Self { rows: Some((0..raw.len as u32).filter(|&i| !gone[i as usize]).collect()), lack })
    }

    /// What is said where rows are left out; a warning where they are many.
    /// `name` gives a column's.
    pub(crate) fn note<'n>(
        &self,
        raw: &Raw,
        name: impl Fn(usize) -> &'n str,
        handle: Option<Handle>,
    ) -> Option<Fault> {
        let kept = self.rows.as_ref()?.len();
        let columns = self.lack.iter().take(NAMED).enumerate().map(|(at, &(i, n))| {
            let is = if at == 0 { " is missing" } else { "" };
            format!("`{}`{is} in {}", name(i), grouped(n as u64))
        });
        let mut columns = columns.collect::<Vec<_>>().join(", ");
        if self.lack.len() > NAMED {
            let more = (self.lack.len() - NAMED) as u64;
            columns.push_str(&format!(" and {}", count(more, "more column")));
        }
        let (gone, all) = (grouped((raw.len - kept) as u64), count(raw.len as u64, "row"));
        let of = match raw.places.paths.as_slice() {
            [one] => format!(" of `{one}`"),
            _ => String::new(),
        };
        let message = format!("`missing=drop` leaves out {gone} of {all}{of}: {columns}");
        let fault = Fault::new(codes::DROPPED, message).at(handle);
        Some(match kept * 5 < raw.len * 4 {
            true => fault
                .warning()
                .help("`drop` the column with the gaps, or fill them: missing=mean, missing=mode"),
            false => fault.note(),
        })
    }
}

/// Rows that are encoded at once where not all are in memory.
pub(crate) const CHUNK: usize = 1 << 16;

/// All rows in pieces; one piece where they are in memory.
pub(crate) fn chunks(len: usize, spilled: bool) -> impl Iterator<Item = Range<usize>> {
    let step = if spilled { CHUNK } else { len.max(1) };
    (0..len).step_by(step).map(move |at| at..(at + step).min(len))
}
