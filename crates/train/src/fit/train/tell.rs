//! What the loop tells whoever watches.

use super::{Trainer, weight_count};
use crate::fit::report::{Observer, Progress, Start};

impl Trainer<'_> {
    /// Tells what is to come.
    pub(super) fn begin(&self, observer: &mut dyn Observer) {
        let settings = &self.model.settings;
        let rows = self.order.len();
        let per_epoch = settings.steps_per_epoch(rows);
        if let Some(note) = &self.init_note {
            observer.note(note);
        }
        observer.start(&Start {
            rows,
            valid_rows: self.valid_rows.len(),
            weights: weight_count(self.model),
            batch: settings.batch,
            steps_per_epoch: per_epoch,
            steps: self.all_steps(),
            resumed_at: self.resumed_at,
            epochs: self.epochs(),
            epochs_by_default: settings.epochs.is_none() && settings.steps.is_none(),
            balanced: self.model.balanced.clone(),
            memory: self.memory,
            threads: self.threads,
            run: self.folder.as_ref().map(|f| f.path().to_path_buf()),
        });
        self.tell_stage(None, observer);
    }

    /// Tells how far the run is: after so many rows of the present epoch, or at its end.
    pub(super) fn report_progress(
        &self,
        observer: &mut dyn Observer,
        seconds: f64,
        within: Option<usize>,
        last: bool,
    ) {
        let rows = self.order.len();
        let at = within.unwrap_or(rows);
        let running = match within {
            None => self.history.row(self.history.len() as u64).first().copied(),
            Some(at) => (at > 0).then(|| self.sums[0] / at as f64),
        };
        observer.progress(&Progress {
            epoch: self.epoch,
            epochs: self.epochs(),
            step: self.done,
            steps: self.all_steps(),
            resumed_at: self.resumed_at,
            epoch_steps: (at.div_ceil(self.batch.max(1)) as u64, rows.div_ceil(self.batch.max(1)) as u64),
            rows: self.rows_seen,
            running,
            seconds,
            names: self.history.names(),
            figures: self.history.row(self.history.len() as u64),
            epoch_ended: within.is_none(),
            last,
        });
    }
}
