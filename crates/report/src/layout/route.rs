//! How edges run.

use super::{Rect, Wire};
use crate::drawing::{Band, Drawing};
use std::collections::BTreeSet;

/// Between edges that run side by side.
pub const LANE: f64 = 6.0;

/// Whether an edge leads from one band to another, or stays in its column: it runs in gutters.
fn is_across(drawing: &Drawing, columns: &[usize], edge: usize) -> bool {
    let e = &drawing.edges[edge];
    drawing.items[e.from].band != drawing.items[e.to].band || columns[e.from] == columns[e.to]
}

/// How many edges run in the gutter behind each column.
pub fn lanes(drawing: &Drawing, columns: &[usize]) -> Vec<usize> {
    let mut out = vec![0; columns.iter().map(|c| c + 1).max().unwrap_or(0)];
    for (i, e) in drawing.edges.iter().enumerate().filter(|(i, _)| is_across(drawing, columns, *i)) {
        debug_assert!(is_across(drawing, columns, i));
        out[columns[e.from]] += 1;
        if columns[e.to] != columns[e.from] {
            out[columns[e.to]] += 1;
        }
    }
    out
}

/// The height that edges need beneath a band.
pub fn gap(drawing: &Drawing, band: Band) -> f64 {
    let leave = drawing
        .edges
        .iter()
        .filter(|e| drawing.items[e.from].band == band && drawing.items[e.to].band > band);
    LANE * leave.count() as f64
}

/// The ways of all edges. `bends` are the points between the boxes of an edge within a band, `rights` the right ends of
/// columns, `gaps` where the gap beneath each band of `used` begins.
pub fn wires(
    drawing: &Drawing,
    boxes: &[Rect],
    columns: &[usize],
    rights: &[f64],
    bends: Vec<Vec<(f64, f64)>>,
    used: &[Band],
    gaps: &[f64],
) -> Vec<Wire> {
    let mut lane = vec![0usize; rights.len()];
    let mut level = vec![0usize; used.len()];
    let mut labelled = BTreeSet::new();
    let mut out = Vec::with_capacity(bends.len());
    for (edge, bends) in bends.into_iter().enumerate() {
        let e = &drawing.edges[edge];
        let (a, b) = (boxes[e.from], boxes[e.to]);
        let across = is_across(drawing, columns, edge);
        let mut points;
        if across {
            let next = |c: usize, lane: &mut Vec<usize>| {
                lane[c] += 1;
                rights[c] + 8.0 + LANE * lane[c] as f64
            };
            let (from, to) = (columns[e.from], columns[e.to]);
            let first = next(from, &mut lane);
            points = vec![(a.x + a.w, a.middle()), (first, a.middle())];
            if from != to {
                let last = next(to, &mut lane);
                let band = used.iter().position(|band| *band == drawing.items[e.from].band).unwrap_or(0);
                level[band] += 1;
                let y = gaps.get(band).copied().unwrap_or(0.0) + LANE * level[band] as f64;
                points.extend([(first, y), (last, y), (last, b.middle())]);
            } else {
                points.push((first, b.middle()));
            }
            points.push((b.x + b.w, b.middle()));
        } else {
            let back = columns[e.to] < columns[e.from];
            let side = |r: Rect, right: bool| (if right { r.x + r.w } else { r.x }, r.middle());
            points = vec![side(a, !back)];
            points.extend(bends);
            points.push(side(b, back));
        }
        let label = !across && !e.shape.is_empty() && labelled.insert((e.from, e.shape.clone()));
        out.push(Wire { edge, points, across, label: label.then(|| e.shape.clone()) });
    }
    out
}
