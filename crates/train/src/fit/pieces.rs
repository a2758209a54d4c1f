//! A step whose samples are computed in pieces: `batch 32 accumulate=4`.

use nnc_backend::State;
use nnc_graph::Role;
use nnc_model::Settings;

/// How the samples of a step are cut, and what the step graph is told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieces {
    size: usize,
    most: u64,
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    /// Its rows among those of the epoch.
    pub(crate) start: usize,
    /// The row after the last.
    pub(crate) end: usize,
    /// What keys its random numbers: the number of the step, or, in pieces, one of its own.
    pub(crate) key: u64,
    last: bool,
}

impl Pieces {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { size: settings.piece().max(1), most: settings.accumulate.max(1) as u64 }
    }

    /// Samples that are computed at a time.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The pieces of a step, from 1, with these rows.
    pub(crate) fn of(self, step: u64, start: usize, end: usize) -> impl Iterator<Item = Piece> {
        (start..end).step_by(self.size).zip(0u64..).map(move |(at, i)| Piece {
            start: at,
            end: end.min(at + self.size),
            key: (step - 1).saturating_mul(self.most) + i + 1,
            last: at + self.size >= end,
        })
    }

    /// Tells the step graph, before a piece of a step of so many samples is computed.
    pub(crate) fn tell(&self, state: &mut dyn State, piece: &Piece, samples: usize, step: u64) {
        if self.most == 1 {
            return;
        }
        let values = [f64::from(u8::from(piece.last)), samples as f64, step as f64];
        for (slot, value) in Settings::PIECE_SLOTS.iter().zip(values) {
            if let Some(mut slot) = state.get_mut(Role::Slot, slot) {
                slot.fill(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_cut() {
        let pieces = Pieces::new(&Settings { batch: 12, accumulate: 4, ..Settings::default() });
        let cut = |step, start, end| -> Vec<(usize, usize, u64, bool)> {
            pieces.of(step, start, end).map(|p| (p.start, p.end, p.key, p.last)).collect()
        };
        assert_eq!(cut(1, 0, 12), [(0, 3, 1, false), (3, 6, 2, false), (6, 9, 3, false), (9, 12, 4, true)]);
        assert_eq!(cut(2, 12, 17), [(12, 15, 5, false), (15, 17, 6, true)]);
        let whole = Pieces::new(&Settings { batch: 12, ..Settings::default() });
        assert_eq!(whole.of(7, 12, 24).map(|p| (p.end, p.key)).collect::<Vec<_>>(), [(24, 7)]);
    }
}
