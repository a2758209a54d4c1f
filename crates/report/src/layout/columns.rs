//! In which column a box stands.

use crate::drawing::{Band, Drawing};
use std::collections::BTreeMap;

/// The column of every box, from 0.
pub fn columns(drawing: &Drawing) -> Vec<usize> {
    let n = drawing.items.len();
    let band = |i: usize| drawing.items[i].band;
    let (mut takes, mut gives) = (vec![Vec::new(); n], vec![Vec::new(); n]);
    for e in drawing.edges.iter().filter(|e| band(e.from) == band(e.to)) {
        takes[e.to].push(e.from);
        gives[e.from].push(e.to);
    }
    let of = |wanted: Band| (0..n).filter(move |&i| band(i) == wanted);
    let mut at = vec![0i64; n];
    // Forward: behind all that is taken; what takes nothing stands right before its first user.
    for i in of(Band::Forward) {
        at[i] = takes[i].iter().map(|&t| at[t] + 1).max().unwrap_or(0);
    }
    for i in of(Band::Forward).collect::<Vec<_>>().into_iter().rev() {
        if takes[i].is_empty() {
            at[i] = gives[i].iter().map(|&g| at[g] - 1).min().unwrap_or(0);
        }
    }
    let last = of(Band::Forward).map(|i| at[i]).max().unwrap_or(0);
    let mut home: BTreeMap<&str, i64> = BTreeMap::new();
    for i in of(Band::Forward) {
        home.entry(&drawing.items[i].name).or_insert(at[i]);
    }
    // Without a forward band, gradients and updates flow to the right as everything does.
    let alone = home.is_empty();
    for i in of(Band::Backward) {
        let before = takes[i].iter().map(|&t| at[t]);
        at[i] = match alone {
            true => before.max().map_or(0, |c| c + 1),
            false => {
                let home = home.get(&*drawing.items[i].name).copied();
                let before = before.min().map(|c| c - 1);
                match (home, before) {
                    (Some(home), Some(before)) => home.min(before),
                    (Some(at), None) | (None, Some(at)) => at,
                    (None, None) => last,
                }
            }
        };
    }
    if alone {
        for i in of(Band::Update) {
            at[i] = takes[i].iter().map(|&t| at[t] + 1).max().unwrap_or(0);
        }
    } else {
        for i in of(Band::Update).collect::<Vec<_>>().into_iter().rev() {
            let after = gives[i].iter().map(|&g| at[g] + 1).max();
            let home = home.get(&*drawing.items[i].name).copied();
            at[i] = match (home, after) {
                (Some(home), Some(after)) => home.max(after),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => last,
            };
        }
    }
    let least = at.iter().min().copied().unwrap_or(0);
    let columns: Vec<usize> = at.into_iter().map(|c| (c - least) as usize).collect();
    // Columns without any box are left out.
    let mut used: Vec<usize> = columns.clone();
    used.sort_unstable();
    used.dedup();
    columns.into_iter().map(|c| used.binary_search(&c).unwrap_or(c)).collect()
}
