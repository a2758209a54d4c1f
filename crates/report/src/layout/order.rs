//! The order of boxes within columns: few edges cross.

use crate::drawing::{Band, Drawing};
use std::collections::BTreeMap;

/// What stands in a column: a box, or an edge (by position) that passes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Node {
    /// A box.
    Item(usize),
    /// An edge in a column between those of its boxes.
    Bend(usize, usize),
}

/// The columns of a band, from top to bottom, and what joins neighbouring ones.
pub struct Rows {
    /// What stands in each column.
    pub columns: Vec<Vec<Node>>,
    /// For each column, the positions in it and in the next one that are joined.
    pub joins: Vec<Vec<(usize, usize)>>,
}

/// How often the order is changed from left to right and back.
const SWEEPS: usize = 12;

/// The boxes of a band in a good order.
pub fn rows(drawing: &Drawing, band: Band, at: &[usize], count: usize) -> Rows {
    let mut columns: Vec<Vec<Node>> = vec![Vec::new(); count];
    for (i, _) in drawing.items.iter().enumerate().filter(|(_, item)| item.band == band) {
        columns[at[i]].push(Node::Item(i));
    }
    let mut links: Vec<Vec<(Node, Node)>> = vec![Vec::new(); count];
    for (e, edge) in drawing.edges.iter().enumerate() {
        let (a, b) = (edge.from, edge.to);
        if drawing.items[a].band != band || drawing.items[b].band != band || at[a] == at[b] {
            continue;
        }
        let (a, b) = if at[a] < at[b] { (a, b) } else { (b, a) };
        let mut before = Node::Item(a);
        for c in at[a] + 1..at[b] {
            let bend = Node::Bend(e, c);
            columns[c].push(bend);
            links[c - 1].push((before, bend));
            before = bend;
        }
        links[at[b] - 1].push((before, Node::Item(b)));
    }
    let mut best = Rows { joins: joins(&columns, &links), columns };
    let mut fewest = crossings(&best);
    let mut now = best.columns.clone();
    for sweep in 0..SWEEPS {
        let right = sweep % 2 == 0;
        let order: Vec<usize> =
            if right { (1..count).collect() } else { (0..count.saturating_sub(1)).rev().collect() };
        for c in order {
            let beside = if right { c - 1 } else { c + 1 };
            let place: BTreeMap<Node, usize> = now[beside].iter().enumerate().map(|(i, n)| (*n, i)).collect();
            let mut means: BTreeMap<Node, (f64, f64)> = BTreeMap::new();
            for &(a, b) in &links[c.min(beside)] {
                let (own, other) = if right { (b, a) } else { (a, b) };
                let mean = means.entry(own).or_default();
                mean.0 += place.get(&other).copied().unwrap_or(0) as f64;
                mean.1 += 1.0;
            }
            sort(&mut now[c], &means);
        }
        let rows = Rows { joins: joins(&now, &links), columns: now.clone() };
        let crossed = crossings(&rows);
        if crossed < fewest {
            (fewest, best) = (crossed, rows);
        }
        if fewest == 0 {
            break;
        }
    }
    best
}

/// Sorts by the means of neighbours; what has none keeps its place.
fn sort(row: &mut [Node], means: &BTreeMap<Node, (f64, f64)>) {
    let free: Vec<usize> = (0..row.len()).filter(|&i| means.contains_key(&row[i])).collect();
    let mut moved: Vec<(f64, usize, Node)> =
        free.iter().filter_map(|&i| means.get(&row[i]).map(|(sum, n)| (sum / n, i, row[i]))).collect();
    moved.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (&i, (_, _, node)) in free.iter().zip(&moved) {
        row[i] = *node;
    }
}

fn joins(columns: &[Vec<Node>], links: &[Vec<(Node, Node)>]) -> Vec<Vec<(usize, usize)>> {
    let places: Vec<BTreeMap<Node, usize>> =
        columns.iter().map(|c| c.iter().enumerate().map(|(i, n)| (*n, i)).collect()).collect();
    let join = |(c, links): (usize, &Vec<(Node, Node)>)| {
        let join = |(a, b): &(Node, Node)| Some((*places[c].get(a)?, *places.get(c + 1)?.get(b)?));
        let mut out: Vec<(usize, usize)> = links.iter().filter_map(join).collect();
        out.sort_unstable();
        out
    };
    links.iter().enumerate().map(join).collect()
}

/// How often edges cross: the pairs between two columns in opposite orders, counted by a tree of sums.
fn crossings(rows: &Rows) -> u64 {
    let between = |(c, joins): (usize, &Vec<(usize, usize)>)| {
        let size = rows.columns.get(c + 1).map_or(0, Vec::len);
        let mut tree = vec![0u64; size + 1];
        let (mut out, mut before) = (0, 0);
        let mut i = 0;
        while i < joins.len() {
            let same = joins[i..].iter().take_while(|j| j.0 == joins[i].0).count();
            for &(_, b) in &joins[i..i + same] {
                let (mut at, mut not_below) = (b + 1, 0);
                while at > 0 {
                    not_below += tree[at];
                    at &= at - 1;
                }
                out += before - not_below;
            }
            for &(_, b) in &joins[i..i + same] {
                let mut at = b + 1;
                while at <= size {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                before += 1;
            }
            i += same;
        }
        out
    };
    rows.joins.iter().enumerate().map(between).sum()
}
