//! Blocks of a file on disk that are kept in memory for a while, so that rows
//! that stand near each other are read together.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::Mutex;

use crate::disk::{DiskFile, Fixed};

/// Bytes of a block, about.
pub(crate) const BLOCK: usize = 1 << 17;

/// Runs of neighbours whose rows are mixed in an epoch.
pub(crate) const RUNS: usize = 64;

/// Blocks that are kept: a run touches two or three, where a split has taken
/// rows out of it.
const KEPT: usize = 3 * RUNS;

/// Bytes that all blocks of one port may take.
pub(crate) const MOST: usize = KEPT * BLOCK;

/// The blocks of one port.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    inner: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    /// Only looked up. The first is the place in `kept`.
    index: HashMap<u64, usize>,
    kept: Vec<(u64, Vec<u8>)>,
    /// The place that is given up next.
    next: usize,
}

/// Numbers that are read from a file, or from a block of it.
pub(crate) enum Bytes<'a> {
    File(&'a DiskFile),
    /// Bytes, and where in the file they begin.
    Block(&'a [u8], u64),
}

impl Bytes<'_> {
    /// Hands the numbers of a range of the file to `f`, one after the other.
    pub(crate) fn each<T: Fixed>(&self, range: Range<u64>, mut f: impl FnMut(T)) -> io::Result<()> {
        match self {
            Self::File(file) => file.each(range, f),
            Self::Block(bytes, from) => {
                let place = |x: u64| usize::try_from((x * T::SIZE as u64).checked_sub(*from)?).ok();
                let part = place(range.start).zip(place(range.end)).and_then(|(a, b)| bytes.get(a..b));
                let part = part.ok_or(io::ErrorKind::UnexpectedEof)?;
                part.chunks_exact(T::SIZE).for_each(|bytes| f(T::take(bytes)));
                Ok(())
            }
        }
    }
}

impl Cache {
    /// Hands the bytes of a block to `read`; they are those of `bytes`, a
    /// range of the file that block `block` always has.
    pub(crate) fn with<R>(
        &self,
        file: &DiskFile,
        block: u64,
        bytes: Range<u64>,
        read: impl FnOnce(&Bytes<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        // A thread that panicked has left nothing half done that matters: what
        // is in a block is checked by its length.
        let mut blocks = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let place = match blocks.index.get(&block) {
            Some(&place) => place,
            None => blocks.load(file, block, bytes.clone())?,
        };
        read(&Bytes::Block(&blocks.kept[place].1, bytes.start))
    }
}

impl Blocks {
    fn load(&mut self, file: &DiskFile, block: u64, bytes: Range<u64>) -> io::Result<usize> {
        let size = (bytes.end - bytes.start) as usize;
        let most = (MOST / size.max(1)).clamp(1, KEPT);
        let place = if self.kept.len() < most { self.kept.len() } else { self.next % most };
        if place == self.kept.len() {
            self.kept.push((block, Vec::new()));
        } else {
            let old = self.kept[place].0;
            self.index.remove(&old);
        }
        self.next = place + 1;
        self.kept[place].0 = block;
        file.read_bytes(bytes, &mut self.kept[place].1)?;
        self.index.insert(block, place);
        Ok(place)
    }
}
