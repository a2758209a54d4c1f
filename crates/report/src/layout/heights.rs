//! The heights of boxes in their columns: edges as level as they can be.

use super::GAP;
use super::order::{Node, Rows};

/// How often heights are adapted from left to right and back.
const SWEEPS: usize = 8;

/// The top of everything in every column; the least of all is 0.
pub fn heights(rows: &mut Rows, height: impl Fn(Node) -> f64) -> Vec<Vec<f64>> {
    let sizes: Vec<Vec<f64>> = rows.columns.iter().map(|c| c.iter().map(|n| height(*n)).collect()).collect();
    let mut tops: Vec<Vec<f64>> = sizes
        .iter()
        .map(|sizes| {
            let all: f64 = sizes.iter().map(|h| h + GAP).sum();
            let mut y = -all / 2.0;
            let top = |h: &f64| {
                let top = y;
                y += h + GAP;
                top
            };
            sizes.iter().map(top).collect()
        })
        .collect();
    let count = rows.columns.len();
    for sweep in 0..SWEEPS {
        let order: Vec<usize> =
            if sweep % 2 == 0 { (0..count).collect() } else { (0..count).rev().collect() };
        // The last sweeps look to both sides.
        let both = sweep + 2 >= SWEEPS;
        for c in order {
            let mut sums = vec![(0.0, 0.0); rows.columns[c].len()];
            let mut pull = |own: usize, column: usize, other: usize| {
                let weight = match (rows.columns[c][own], rows.columns[column][other]) {
                    (Node::Bend(..), Node::Bend(..)) => 8.0,
                    (Node::Item(_), Node::Item(_)) => 2.0,
                    (Node::Bend(..), Node::Item(_)) | (Node::Item(_), Node::Bend(..)) => 1.0,
                };
                sums[own].0 += weight * (tops[column][other] + sizes[column][other] / 2.0);
                sums[own].1 += weight;
            };
            if c > 0 && (both || sweep % 2 == 0) {
                for &(a, b) in &rows.joins[c - 1] {
                    pull(b, c - 1, a);
                }
            }
            if c + 1 < count && (both || sweep % 2 == 1) {
                for &(a, b) in &rows.joins[c] {
                    pull(a, c + 1, b);
                }
            }
            let wanted: Vec<(f64, f64)> = sums
                .iter()
                .enumerate()
                .map(|(i, (sum, weight))| match *weight > 0.0 {
                    true => (sum / weight - sizes[c][i] / 2.0, *weight),
                    false => (tops[c][i], 0.05),
                })
                .collect();
            tops[c] = apart(&wanted, &sizes[c]);
        }
    }
    let least = tops.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    tops.iter_mut().flatten().for_each(|y| *y -= least);
    tops
}

/// The tops nearest to the wanted ones (by weighted squares) that keep order and distance: neighbours that would overlap
/// are pooled, as in isotonic regression.
fn apart(wanted: &[(f64, f64)], sizes: &[f64]) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(sizes.len());
    let mut y = 0.0;
    for h in sizes {
        offsets.push(y);
        y += h + GAP;
    }
    // Blocks: mean, weight, how many.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((at, weight), offset) in wanted.iter().zip(&offsets) {
        let mut block = (at - offset, *weight, 1);
        while let Some(last) = blocks.last().filter(|last| last.0 > block.0).copied() {
            blocks.pop();
            let weight = last.1 + block.1;
            block = ((last.0 * last.1 + block.0 * block.1) / weight, weight, last.2 + block.2);
        }
        blocks.push(block);
    }
    let flat = blocks.iter().flat_map(|(mean, _, n)| std::iter::repeat_n(*mean, *n));
    flat.zip(&offsets).map(|(mean, offset)| mean + offset).collect()
}
