//! Which part is which group.

#![allow(clippy::needless_range_loop, reason = "numbers of layers index several tables at once")]

use super::fit::{Tensors, fit};
use super::parts::{Group, Part, matches};
use std::collections::BTreeMap;

/// Why a file is not the program's.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Unpaired {
    /// What of the program has no partner, a line each.
    pub ours: Vec<String>,
    /// What of the file has no partner, a line each.
    pub theirs: Vec<String>,
    /// Parts and groups that fit each other in several ways; empty where it is no question of order.
    pub ambiguous: Vec<(String, String)>,
    /// A word of `map` that names nothing, or does not fit.
    pub map: Option<String>,
}

/// For each group its part and its tensors.
pub(super) fn pairs(
    parts: &[Part],
    groups: &[Group],
    map: &[(String, String)],
) -> Result<Vec<(usize, Tensors)>, Unpaired> {
    let fits: Vec<Vec<Option<Tensors>>> =
        groups.iter().map(|g| parts.iter().map(|p| fit(p, g)).collect()).collect();
    let mut s = State { parts, groups, chosen: vec![None; groups.len()], used: vec![false; parts.len()] };
    s.by_map(map, &fits)?;
    s.by_name(&fits);
    let open = s.by_shape(&fits);
    let unpaired = s.chosen.contains(&None) || s.used.contains(&false);
    if unpaired {
        return Err(s.unpaired(open));
    }
    let tensors = s.chosen.iter().zip(fits).map(|(c, mut row)| {
        let part = (*c)?;
        Some((part, row.get_mut(part)?.take()?))
    });
    tensors.collect::<Option<Vec<_>>>().ok_or_else(Unpaired::default)
}

struct State<'a> {
    parts: &'a [Part],
    groups: &'a [Group],
    chosen: Vec<Option<usize>>,
    used: Vec<bool>,
}

type Fits = [Vec<Option<Tensors>>];

impl State<'_> {
    fn choose(&mut self, group: usize, part: usize) {
        self.chosen[group] = Some(part);
        self.used[part] = true;
    }

    fn by_map(&mut self, map: &[(String, String)], fits: &Fits) -> Result<(), Unpaired> {
        for (theirs, ours) in map {
            let wrong = |what: String| Unpaired { map: Some(what), ..Unpaired::default() };
            let mut from: Vec<usize> = (0..self.parts.len())
                .filter(|&i| !self.used[i] && matches(theirs, &self.parts[i].name))
                .collect();
            let mut to: Vec<usize> = (0..self.groups.len())
                .filter(|&i| self.chosen[i].is_none() && matches(ours, &self.groups[i].name))
                .collect();
            from.sort_by_key(|&i| shape_of(&self.parts[i].name).1);
            to.sort_by_key(|&i| shape_of(&self.groups[i].name).1);
            if from.is_empty() || to.is_empty() {
                let (name, side) = if from.is_empty() { (theirs, "the file") } else { (ours, "the program") };
                return Err(wrong(format!("{side} has no `{name}`")));
            }
            if from.len() != to.len() {
                return Err(wrong(format!(
                    "`{theirs}` names {} layers of the file, `{ours}` {} of the program",
                    from.len(),
                    to.len()
                )));
            }
            for (part, group) in from.into_iter().zip(to) {
                if fits[group][part].is_none() {
                    let (p, g) = (&self.parts[part], &self.groups[group]);
                    return Err(wrong(format!("`{}` does not fit `{}`", p.name, g.name)));
                }
                self.choose(group, part);
            }
        }
        Ok(())
    }

    /// A layer that has the same name on both sides, `/` being `.`.
    fn by_name(&mut self, fits: &Fits) {
        for (group, fits) in fits.iter().enumerate() {
            let same = |p: &Part| p.name.replace('/', ".") == self.groups[group].name;
            let part = self.parts.iter().position(same);
            if let Some(part) =
                part.filter(|&p| self.chosen[group].is_none() && !self.used[p] && fits[p].is_some())
            {
                self.choose(group, part);
            }
        }
    }

    /// By shape where that leaves one choice, else by the numbers in names. What cannot be told apart is given back.
    fn by_shape(&mut self, fits: &Fits) -> Vec<(String, String)> {
        let mut open = Vec::new();
        loop {
            let mut moved = false;
            open.clear();
            for (groups, parts) in self.components(fits) {
                if groups.len() != parts.len() {
                    continue;
                }
                let complete = groups.iter().all(|&g| parts.iter().all(|&p| fits[g][p].is_some()));
                let found = match complete {
                    true => self.in_order(&groups, &parts),
                    false => self.forced(&groups, &parts, fits),
                };
                if found.is_empty() {
                    open.extend(
                        groups
                            .iter()
                            .zip(&parts)
                            .map(|(&g, &p)| (self.parts[p].name.clone(), self.groups[g].name.clone())),
                    );
                }
                moved |= !found.is_empty();
                found.into_iter().for_each(|(g, p)| self.choose(g, p));
            }
            if !moved {
                return open;
            }
        }
    }

    /// Groups and parts that fit each other, directly or by way of others.
    fn components(&self, fits: &Fits) -> Vec<(Vec<usize>, Vec<usize>)> {
        let free = |g: usize, p: usize| self.chosen[g].is_none() && !self.used[p] && fits[g][p].is_some();
        let mut seen = vec![false; self.groups.len()];
        let mut out = Vec::new();
        for start in 0..self.groups.len() {
            if seen[start] || self.chosen[start].is_some() {
                continue;
            }
            let (mut groups, mut parts) = (vec![start], Vec::new());
            seen[start] = true;
            let mut at = 0;
            while at < groups.len() {
                for p in 0..self.parts.len() {
                    if !free(groups[at], p) || parts.contains(&p) {
                        continue;
                    }
                    parts.push(p);
                    for (g, seen) in seen.iter_mut().enumerate() {
                        if free(g, p) && !*seen {
                            *seen = true;
                            groups.push(g);
                        }
                    }
                }
                at += 1;
            }
            groups.sort_unstable();
            parts.sort_unstable();
            if !parts.is_empty() {
                out.push((groups, parts));
            }
        }
        out
    }

    /// Groups with one part that fits, or parts with one group.
    fn forced(&self, groups: &[usize], parts: &[usize], fits: &Fits) -> Vec<(usize, usize)> {
        let only = |it: Vec<usize>| if let [one] = it[..] { Some(one) } else { None };
        for &g in groups {
            let p = only(parts.iter().copied().filter(|&p| fits[g][p].is_some()).collect());
            if let Some(p) = p {
                return vec![(g, p)];
            }
        }
        for &p in parts {
            let g = only(groups.iter().copied().filter(|&g| fits[g][p].is_some()).collect());
            if let Some(g) = g {
                return vec![(g, p)];
            }
        }
        Vec::new()
    }

    /// Layers of one shape: those named alike but for numbers are paired in the order of the numbers, or of the
    /// program. Several kinds of names are told apart by their last word, or by how many there are.
    fn in_order(&self, groups: &[usize], parts: &[usize]) -> Vec<(usize, usize)> {
        let ours = alike(groups.iter().map(|&g| (g, shape_of(&self.groups[g].name))));
        let mut theirs = alike(parts.iter().map(|&p| (p, shape_of(&self.parts[p].name))));
        // All alike there: their numbers are the program's order, as Keras counts its layers.
        if theirs.len() == 1 {
            return groups.iter().copied().zip(theirs.into_values().flatten()).collect();
        }
        let mut out = Vec::new();
        let mut left: Vec<(Vec<String>, Vec<usize>)> = ours.into_iter().collect();
        let word = |name: &[String]| direction(name).map(String::from).or_else(|| name.last().cloned());
        loop {
            let found = left.iter().enumerate().find_map(|(i, (name, own))| {
                let same = theirs.iter().filter(|(_, t)| t.len() == own.len());
                let same: Vec<_> = same.collect();
                let rivals = left.iter().filter(|(_, o)| o.len() == own.len()).count();
                let spoken: Vec<_> = same.iter().filter(|(n, _)| word(n) == word(name)).collect();
                let alone =
                    left.iter().filter(|(n, o)| o.len() == own.len() && word(n) == word(name)).count();
                match (&same[..], &spoken[..]) {
                    ([one], _) if rivals == 1 => Some((i, one.0.clone())),
                    (_, [one]) if alone == 1 => Some((i, one.0.clone())),
                    _ => None,
                }
            });
            let Some((i, name)) = found else { break };
            let (_, own) = left.remove(i);
            let their = theirs.remove(&name).unwrap_or_default();
            out.extend(own.into_iter().zip(their));
        }
        out
    }

    fn unpaired(&self, ambiguous: Vec<(String, String)>) -> Unpaired {
        let shape = |s: &[usize]| {
            let sizes: Vec<String> = s.iter().map(ToString::to_string).collect();
            format!("[{}]", sizes.join(","))
        };
        let groups = self.groups.iter().zip(&self.chosen).filter(|(_, c)| c.is_none());
        let ours = groups.flat_map(|(g, _)| g.tensors.values());
        let parts = self.parts.iter().zip(&self.used).filter(|(_, used)| !**used);
        let theirs = parts.flat_map(|(p, _)| p.names.iter().zip(self.shapes(p)));
        Unpaired {
            ours: ours.map(|w| format!("{} {}", w.name, shape(&w.shape))).collect(),
            theirs: theirs.map(|(n, s)| format!("{n} {}", shape(&s))).collect(),
            ambiguous,
            map: None,
        }
    }

    /// The shapes of a part's tensors in the order of their names.
    fn shapes(&self, part: &Part) -> Vec<Vec<usize>> {
        let of = |name: &String| {
            let leaf = part.tensors.iter().filter(|(leaf, _)| leaves(name, leaf));
            leaf.map(|(leaf, a)| (leaf.len(), a.shape.clone())).max().map(|(_, s)| s).unwrap_or_default()
        };
        part.names.iter().map(of).collect()
    }
}

/// Whether a tensor of this name is this leaf of its part.
fn leaves(name: &str, leaf: &str) -> bool {
    let name = name.split(':').next().unwrap_or(name);
    let plain = name.rsplit_once("_l").map(|(n, _)| n).filter(|n| n.ends_with("ih") || n.ends_with("hh"));
    plain.unwrap_or(name).ends_with(leaf)
}

/// Which way a recurrent layer reads.
fn direction(name: &[String]) -> Option<&'static str> {
    ["forward", "backward"].into_iter().find(|way| name.iter().any(|word| word.starts_with(way)))
}

/// A name without its numbers, and the numbers: `layers.0.norm1` is (`layers`, ``, `norm`) and (0, 0, 1); Keras' first
/// of a kind has none, so that `dense` goes before `dense_1`.
fn shape_of(name: &str) -> (Vec<String>, Vec<u64>) {
    let words = name.split(['.', '/']).map(|word| {
        let base = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = word[base.len()..].parse().unwrap_or(0);
        (base.trim_end_matches('_').to_string(), number)
    });
    words.unzip()
}

/// Names by what they are without their numbers; each kind in the order of the numbers.
fn alike(names: impl Iterator<Item = (usize, (Vec<String>, Vec<u64>))>) -> BTreeMap<Vec<String>, Vec<usize>> {
    let mut kinds: BTreeMap<Vec<String>, Vec<(Vec<u64>, usize)>> = BTreeMap::new();
    for (id, (name, numbers)) in names {
        kinds.entry(name).or_default().push((numbers, id));
    }
    let sorted = |mut ids: Vec<(Vec<u64>, usize)>| {
        ids.sort();
        ids.into_iter().map(|(_, id)| id).collect()
    };
    kinds.into_iter().map(|(name, ids)| (name, sorted(ids))).collect()
}
