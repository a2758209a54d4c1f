//! Samples that are never quite the same twice: `data images "dir" 32x32x3 augment=[flip, shift] mixup=0.2`.
//!
//! Only what is trained on is changed, anew in every epoch, by random numbers whose key is the seed, the epoch and
//! the row: neither threads nor a stop in between change them.

use crate::binding::augment::{Asked, asked};
use crate::execute::runner::{Runner, internal};
use crate::fit::mix;
use crate::problem::Outcome;
use nnc_backend::SliceMut;
use nnc_data::Table;
use nnc_graph::random;
use nnc_model::{Ports, Spec};

/// A picture is shifted by at most this share of its sides, as cutting 32x32 out of 40x40 does (He et al. 2015).
const SHARE: usize = 8;

/// How the samples of a batch are changed.
pub(crate) struct Augment {
    inputs: Vec<Changed>,
    asked: Asked,
    seed: u64,
}

struct Changed {
    port: String,
    /// Numbers of a sample.
    size: usize,
    /// Height, width, channels, of a picture.
    shape: Option<[usize; 3]>,
    site: u64,
}

impl Augment {
    /// What the program asks for, if it does.
    pub(crate) fn new(spec: &Spec, ports: &Ports, seed: u64) -> Option<Self> {
        let asked = asked(spec)?;
        let inputs = ports.inputs.iter().filter(|p| p.classes.is_none()).map(|p| Changed {
            port: p.name.clone(),
            size: p.shape.iter().product(),
            shape: <[usize; 3]>::try_from(&p.shape[..]).ok(),
            site: random::site(&format!("augment {}", p.name)),
        });
        Some(Self { inputs: inputs.collect(), asked, seed })
    }

    /// Changes the samples of a batch that was fed: `rows` says which rows they are.
    pub(crate) fn change(&self, runner: &mut Runner, rows: &[u32], epoch: u64) {
        for input in &self.inputs {
            let key = random::Key::new(self.seed, epoch, input.site);
            let Some(shape) = input.shape.filter(|_| self.asked.flip || self.asked.shift) else { continue };
            match runner.input_mut(&input.port) {
                Some(SliceMut::F32(batch)) => self.change_all(batch, shape, key, rows),
                Some(SliceMut::F64(batch)) => self.change_all(batch, shape, key, rows),
                None => {}
            }
        }
        if !self.asked.mixes() {
            return;
        }
        let key = random::Key::new(self.seed, epoch, random::site("mix"));
        let side = self.inputs.first().and_then(|input| input.shape);
        let ways: Vec<mix::Way> =
            rows.iter().map(|&row| mix::way(&self.asked, side, key, u64::from(row))).collect();
        for input in &self.inputs {
            match runner.input_mut(&input.port) {
                Some(SliceMut::F32(batch)) => mix::all(batch, input.size, &ways),
                Some(SliceMut::F64(batch)) => mix::all(batch, input.size, &ways),
                None => {}
            }
        }
        if let Some(mut shares) = runner.share_mut() {
            shares.write(ways.iter().map(mix::Way::share));
        }
    }

    fn change_all<T: Copy + Default>(
        &self,
        batch: &mut [T],
        shape: [usize; 3],
        key: random::Key,
        rows: &[u32],
    ) {
        let size = shape.iter().product();
        for (pixels, &row) in batch.chunks_exact_mut(size).zip(rows) {
            let [a, b, c, _] = key.block(u64::from(row));
            if self.asked.flip && a & 1 == 1 {
                flip(pixels, shape);
            }
            if self.asked.shift {
                shift(pixels, shape, [way(b, shape[0]), way(c, shape[1])]);
            }
        }
    }
}

/// Feeds rows to train on.
pub(crate) fn feed(
    runner: &mut Runner,
    table: &Table,
    rows: &[u32],
    augment: Option<&Augment>,
    epoch: u64,
) -> Outcome<()> {
    runner.feed(table, rows).map_err(|f| internal(&f))?;
    if let Some(augment) = augment {
        augment.change(runner, rows, epoch);
    }
    Ok(())
}

/// A whole number from `-side/8` to `side/8`, all equally likely.
fn way(bits: u32, side: usize) -> isize {
    let most = (side / SHARE) as u64;
    let choices = 2 * most + 1;
    ((u64::from(bits) * choices) >> 32) as isize - most as isize
}

/// Left and right exchanged.
fn flip<T>(pixels: &mut [T], [_, width, channels]: [usize; 3]) {
    for line in pixels.chunks_exact_mut(width * channels) {
        for x in 0..width / 2 {
            let other = (width - 1 - x) * channels;
            for c in 0..channels {
                line.swap(x * channels + c, other + c);
            }
        }
    }
}

/// Moved down and to the right; what comes in is 0.
fn shift<T: Copy + Default>(
    pixels: &mut [T],
    [height, width, channels]: [usize; 3],
    [down, right]: [isize; 2],
) {
    let line = width * channels;
    let (keep, from, to) = {
        let moved = right.unsigned_abs().min(width) * channels;
        if right >= 0 { (line - moved, 0, moved) } else { (line - moved, moved, 0) }
    };
    for i in 0..height {
        // A line is written before any other needs what stood in it.
        let y = if down > 0 { height - 1 - i } else { i };
        let target = y * line;
        match y.checked_add_signed(-down).filter(|&y| y < height) {
            None => pixels[target..target + line].fill(T::default()),
            Some(source) => {
                let source = source * line + from;
                pixels.copy_within(source..source + keep, target + to);
                let (empty, end) = if right >= 0 { (0, to) } else { (keep, line) };
                pixels[target + empty..target + end].fill(T::default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 3x4 with one channel: 1 to 12.
    fn picture() -> Vec<f64> {
        (1..=12).map(f64::from).collect()
    }

    fn shifted(way: [isize; 2]) -> Vec<f64> {
        let mut pixels = picture();
        shift(&mut pixels, [3, 4, 1], way);
        pixels
    }

    #[test]
    fn pictures_are_flipped() {
        let mut pixels = picture();
        flip(&mut pixels, [3, 4, 1]);
        assert_eq!(pixels[..4], [4.0, 3.0, 2.0, 1.0]);
        flip(&mut pixels, [3, 4, 1]);
        assert_eq!(pixels, picture());
        let mut colours = picture();
        flip(&mut colours, [2, 3, 2]);
        assert_eq!(colours[..6], [5.0, 6.0, 3.0, 4.0, 1.0, 2.0]);
    }

    #[test]
    fn pictures_are_shifted() {
        let zero = |n: usize| vec![0.0; n];
        assert_eq!(shifted([0, 0]), picture());
        assert_eq!(shifted([1, 0]), [zero(4), picture()[..8].to_vec()].concat());
        assert_eq!(shifted([-2, 0]), [picture()[8..].to_vec(), zero(8)].concat());
        assert_eq!(shifted([0, 1])[..8], [0.0, 1.0, 2.0, 3.0, 0.0, 5.0, 6.0, 7.0]);
        assert_eq!(shifted([0, -3])[..8], [4.0, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0]);
        assert_eq!(shifted([1, -1])[4..], [2.0, 3.0, 4.0, 0.0, 6.0, 7.0, 8.0, 0.0]);
        assert_eq!(shifted([5, 9]), zero(12));
    }

    #[test]
    fn all_ways_are_equally_likely() {
        let ways: Vec<isize> = (0..9u32).map(|i| way((u32::MAX / 9) * i + 5, 32)).collect();
        assert_eq!(ways, (-4..=4).collect::<Vec<_>>());
        assert_eq!((way(0, 7), way(u32::MAX, 7)), (0, 0));
        assert_eq!(way(u32::MAX, 32), 4);
    }
}
