//! Sharing rows out into training, validation and test.

use crate::fault::{Fault, Faults, codes};
use crate::rng::{Purpose, Stream, permute};
use crate::spec::SplitSpec;

/// The rows of each part, in ascending order within a part so that files
/// are read forwards; the order of an epoch is another matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) train: Vec<u32>,
    pub(crate) valid: Vec<u32>,
    pub(crate) test: Vec<u32>,
}

/// What binds rows together: the class of each row, or its group.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ties<'a> {
    None,
    Classes(&'a [u32]),
    Groups(&'a [u32]),
}

/// Checks the fractions before anything is read.
pub(crate) fn check(spec: &SplitSpec, faults: &mut Faults) {
    let mut wrong = |message: String, help: &str| {
        faults.push(Fault::new(codes::SPLIT, message).at(spec.handle).help(help));
    };
    for (name, part) in [("valid", spec.valid), ("test", spec.test)] {
        if !(0.0..1.0).contains(&part) {
            wrong(format!("`{name}={part}` is not a part of the rows"), "write 10% or 0.1");
        }
    }
    if spec.valid + spec.test >= 1.0 {
        let sum = spec.valid + spec.test;
        wrong(format!("{sum} of the rows are taken away, and none is left to train on"), "take less");
    }
    if spec.ordered && spec.stratify {
        wrong("`ordered` and `stratify` contradict each other".into(), "keep one of the two");
    }
    if spec.group.is_some() && (spec.ordered || spec.stratify) {
        wrong("`group` does not go with `ordered` or `stratify`".into(), "keep one of them");
    }
    if let Some((i, k)) = spec.fold
        && (k < 2 || i >= k)
    {
        wrong(format!("fold {i} of {k} does not exist"), "folds are at least 2");
    }
}

/// Shares `n` rows out.
pub(crate) fn split(n: usize, spec: &SplitSpec, ties: Ties<'_>, seed: u64) -> Result<Parts, Box<Fault>> {
    let (valid, test) = sizes(n, spec);
    if valid + test >= n && n > 0 || spec.fold.is_some_and(|_| valid == 0) {
        let rows = if n == 1 { "1 row is".to_string() } else { format!("{n} rows are") };
        let message = format!("{rows} too few to be split: none is left to train on");
        return Err(Box::new(Fault::new(codes::SPLIT, message).at(spec.handle)));
    }
    if spec.valid == 0.0 && spec.test == 0.0 && spec.fold.is_none() {
        let train = (0..n as u32).collect();
        return Ok(Parts { train, ..Parts::default() });
    }
    let stream = Stream::new(seed, Purpose::Split, 0);
    let mut order: Vec<u32> = vec![0; n];
    if spec.ordered {
        order.iter_mut().enumerate().for_each(|(i, r)| *r = i as u32);
    } else {
        permute(&stream, &mut order);
    }
    match ties {
        Ties::Classes(classes) => order = interleave(&order, classes),
        Ties::Groups(groups) => return group_split(&order, groups, spec, valid, test),
        Ties::None => {}
    }
    let mut parts = divide(&order, spec, valid, test);
    parts.sort();
    Ok(parts)
}

impl Parts {
    fn sort(&mut self) {
        self.train.sort_unstable();
        self.valid.sort_unstable();
        self.test.sort_unstable();
    }
}

/// Rows for validation and test: the fraction, rounded, but at least one.
fn sizes(n: usize, spec: &SplitSpec) -> (usize, usize) {
    let rows = |part: f64| match part {
        p if p > 0.0 => ((n as f64 * p).round() as usize).max(1),
        _ => 0,
    };
    let test = rows(spec.test);
    match spec.fold {
        Some((i, k)) => {
            let range = fold(n - test.min(n), i, k);
            (range.end - range.start, test)
        }
        None => (rows(spec.valid), test),
    }
}

/// The rows of fold `i` of `k`; sizes differ by at most one.
fn fold(n: usize, i: usize, k: usize) -> std::ops::Range<usize> {
    let at = |i: usize| (n as u128 * i as u128 / k.max(1) as u128) as usize;
    at(i)..at(i + 1)
}

/// The order is training, validation, test from front to back, so that
/// `ordered` keeps the latest rows for the test.
fn divide(order: &[u32], spec: &SplitSpec, valid: usize, test: usize) -> Parts {
    let (rest, tail) = order.split_at(order.len() - test);
    let held = match spec.fold {
        Some((i, k)) => fold(rest.len(), i, k),
        None => rest.len() - valid..rest.len(),
    };
    Parts {
        train: rest[..held.start].iter().chain(&rest[held.end..]).copied().collect(),
        valid: rest[held].to_vec(),
        test: tail.to_vec(),
    }
}

/// Orders rows so that every stretch has the classes in about the same
/// proportion: the `j`-th of the `m` rows of a class goes to `(j + 1/2) / m`.
fn interleave(order: &[u32], classes: &[u32]) -> Vec<u32> {
    let class = |row: u32| classes.get(row as usize).copied().unwrap_or(0) as usize;
    let most = order.iter().map(|&r| class(r)).max().unwrap_or(0);
    let mut total = vec![0u64; most + 1];
    for &row in order {
        total[class(row)] += 1;
    }
    let mut seen = vec![0u64; most + 1];
    // Compared as fractions of 2^32; equals are ordered by class.
    let mut keyed: Vec<(u64, usize, u32)> = order
        .iter()
        .map(|&row| {
            let c = class(row);
            let key = (((2 * seen[c] + 1) << 31) / total[c], c, row);
            seen[c] += 1;
            key
        })
        .collect();
    keyed.sort_unstable_by_key(|&(key, class, _)| (key, class));
    keyed.into_iter().map(|(_, _, row)| row).collect()
}

/// Whole groups go to the test until it is full, then to validation.
fn group_split(
    order: &[u32],
    groups: &[u32],
    spec: &SplitSpec,
    valid: usize,
    test: usize,
) -> Result<Parts, Box<Fault>> {
    let most = groups.iter().copied().max().unwrap_or(0) as usize;
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); most + 1];
    let mut turn: Vec<usize> = Vec::new();
    for &row in order {
        let g = groups[row as usize] as usize;
        if members[g].is_empty() {
            turn.push(g);
        }
        members[g].push(row);
    }
    let mut parts = Parts::default();
    let mut rest = Vec::new();
    for g in turn {
        if parts.test.len() < test {
            parts.test.extend(&members[g]);
        } else {
            rest.push(g);
        }
    }
    let held = spec.fold.map(|(i, k)| fold(rest.len(), i, k));
    for (at, g) in rest.into_iter().enumerate() {
        let out = match &held {
            Some(range) => range.contains(&at),
            None => parts.valid.len() < valid,
        };
        let part = if out { &mut parts.valid } else { &mut parts.train };
        part.extend(&members[g]);
    }
    if parts.train.is_empty() {
        let message = "there are too few groups to be split: none is left to train on";
        return Err(Box::new(Fault::new(codes::SPLIT, message).at(spec.handle)));
    }
    parts.sort();
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(valid: f64, test: f64) -> SplitSpec {
        SplitSpec { valid, test, ..SplitSpec::default() }
    }

    fn all(parts: &Parts) -> Vec<u32> {
        let mut all = [parts.train.clone(), parts.valid.clone(), parts.test.clone()].concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn every_row_is_in_one_part() {
        for n in [3usize, 10, 150, 1001] {
            let parts = split(n, &spec(0.15, 0.2), Ties::None, 7).unwrap();
            assert_eq!(all(&parts), (0..n as u32).collect::<Vec<_>>());
        }
        let parts = split(150, &spec(0.15, 0.15), Ties::None, 7).unwrap();
        assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (104, 23, 23));
        assert_ne!(parts, split(150, &spec(0.15, 0.15), Ties::None, 8).unwrap());
    }

    #[test]
    fn ordered_takes_the_tail() {
        let ordered = SplitSpec { ordered: true, ..spec(0.2, 0.1) };
        let parts = split(10, &ordered, Ties::None, 0).unwrap();
        assert_eq!(parts.train, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((parts.valid, parts.test), (vec![7, 8], vec![9]));
    }

    #[test]
    fn stratified_parts_have_the_proportions() {
        let classes: Vec<u32> = (0..200).map(|i| u32::from(i < 20)).collect();
        let wanted = SplitSpec { stratify: true, ..spec(0.1, 0.2) };
        let parts = split(200, &wanted, Ties::Classes(&classes), 1).unwrap();
        let rare = |rows: &[u32]| rows.iter().filter(|&&r| r < 20).count();
        assert_eq!((rare(&parts.test), rare(&parts.valid), rare(&parts.train)), (4, 2, 14));
        assert_eq!(all(&parts).len(), 200);
    }

    #[test]
    fn groups_stay_together() {
        let groups: Vec<u32> = (0..100).map(|i| i / 7).collect();
        let parts = split(100, &spec(0.2, 0.2), Ties::Groups(&groups), 1).unwrap();
        assert_eq!(all(&parts).len(), 100);
        for g in 0..15 {
            let has = |rows: &[u32]| rows.iter().any(|&r| groups[r as usize] == g);
            let in_parts = [&parts.train, &parts.valid, &parts.test].iter().filter(|p| has(p)).count();
            assert_eq!(in_parts, 1);
        }
    }

    #[test]
    fn folds_cover_the_rows_once() {
        let mut held = Vec::new();
        for i in 0..4 {
            let fold = SplitSpec { fold: Some((i, 4)), ..SplitSpec::default() };
            let parts = split(10, &fold, Ties::None, 3).unwrap();
            assert_eq!(parts.train.len() + parts.valid.len(), 10);
            held.extend(parts.valid);
        }
        held.sort_unstable();
        assert_eq!(held, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn too_few_rows_are_a_fault() {
        assert!(split(2, &spec(0.1, 0.1), Ties::None, 0).is_err());
        let mut faults = Faults::new();
        check(&spec(0.6, 0.4), &mut faults);
        check(&spec(-0.1, 2.0), &mut faults);
        assert_eq!(faults.into_vec().len(), 4);
    }
}
