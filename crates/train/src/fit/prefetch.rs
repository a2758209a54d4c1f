//! Rows that lie on disk are read and decoded by a thread of their own, while the step before them is computed.

use crate::execute::runner::{Batch, Feeds};
use nnc_data::{Fault, Table};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Batches that are ready or on their way: this bounds the memory.
const AHEAD: usize = 4;

/// The batches of one epoch, in their order: which thread reads them decides nothing about their numbers.
pub(crate) struct Prefetch {
    ready: Option<Receiver<Result<Batch, Box<Fault>>>>,
    used: SyncSender<Batch>,
    thread: Option<JoinHandle<()>>,
}

impl Prefetch {
    /// Begins to read `order` from `at` on, `batch` rows at a time.
    pub(crate) fn new(
        table: &Table,
        order: &Arc<Vec<u32>>,
        at: usize,
        batch: usize,
        feeds: &Arc<Feeds>,
    ) -> std::io::Result<Self> {
        let (send, ready) = sync_channel(AHEAD);
        let (used, empty) = sync_channel(AHEAD);
        for _ in 0..AHEAD {
            // Room for all of them was made above.
            let _ = used.send(Batch::default());
        }
        let (table, order, feeds) = (table.clone(), Arc::clone(order), Arc::clone(feeds));
        let thread = std::thread::Builder::new().name("rows".into()).spawn(move || {
            let rows = order.get(at..).unwrap_or_default();
            for rows in rows.chunks(batch.max(1)) {
                let Ok(mut batch) = empty.recv() else { return };
                let read = feeds.read(&table, rows, &mut batch).map(|()| batch);
                if send.send(read).is_err() {
                    return; // nobody waits any more
                }
            }
        })?;
        Ok(Self { ready: Some(ready), used, thread: Some(thread) })
    }

    /// The next batch; `None` after the last.
    pub(crate) fn next(&mut self) -> Option<Result<Batch, Box<Fault>>> {
        self.ready.as_ref()?.recv().ok()
    }

    /// Gives a batch back, so that its memory is used again.
    pub(crate) fn give_back(&self, batch: Batch) {
        let _ = self.used.try_send(batch);
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        // A thread that waits to be heard ends when nobody listens.
        self.ready = None;
        let (closed, _) = sync_channel(1);
        self.used = closed;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
