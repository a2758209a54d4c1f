//! The order of units, and which results are written straight into the store.

use crate::EngineError;
use crate::arena::{Life, assign};
use crate::lower::{Lower, Value};
use crate::unit::{Home, Unit, Work};
use crate::view::{BufferId, Spot};
use nnc_graph::{NodeId, OutputKind, Role};
use nnc_kernels::LANES;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Who reads and writes what, and who must come before whom.
pub(crate) struct Dependencies {
    after: Vec<Vec<usize>>,
    writer: Vec<Option<usize>>,
    /// Ascending.
    readers: Vec<Vec<usize>>,
    /// A topological numbering, once asked for.
    rank: Vec<usize>,
    /// The units that have high ranks where there is a choice.
    late: Vec<bool>,
}

impl Dependencies {
    fn new(units: &[Unit], buffers: usize) -> Result<Self, EngineError> {
        let mut out = Self {
            after: vec![Vec::new(); units.len()],
            writer: vec![None; buffers],
            readers: vec![Vec::new(); buffers],
            rank: Vec::new(),
            late: vec![false; units.len()],
        };
        for (u, unit) in units.iter().enumerate() {
            for &b in &unit.writes {
                if out.writer[b].replace(u).is_some() {
                    return Err(EngineError::Internal(format!("buffer {b} is written twice")));
                }
            }
            for &b in &unit.reads {
                out.readers[b].push(u);
            }
        }
        for (u, unit) in units.iter().enumerate() {
            for &b in &unit.reads {
                if let Some(w) = out.writer[b].filter(|&w| w != u) {
                    out.after[w].push(u);
                }
            }
        }
        Ok(out)
    }

    /// Numbers the units in a topological order in which what computes new values comes as late as it can: then
    /// hardly any of the edges from readers of old values to writers of new ones goes backwards.
    fn number(&mut self) {
        let mut waits = vec![0usize; self.after.len()];
        for next in self.after.iter().flatten() {
            waits[*next] += 1;
        }
        let late = &self.late;
        let key = |u: usize| Reverse((late[u], u));
        let mut ready: BinaryHeap<_> = (0..waits.len()).filter(|&u| waits[u] == 0).map(key).collect();
        self.rank = vec![usize::MAX; waits.len()];
        let mut rank = 0;
        while let Some(Reverse((_, u))) = ready.pop() {
            self.rank[u] = rank;
            rank += 1;
            for &next in &self.after[u] {
                waits[next] -= 1;
                if waits[next] == 0 {
                    ready.push(key(next));
                }
            }
        }
    }

    /// Whether some way leads from a unit to another one that reads a buffer; units that have no lower rank than
    /// all of these are no part of it.
    fn reaches(&self, from: usize, buffer: BufferId) -> bool {
        let targets = &self.readers[buffer];
        let ranks = targets.iter().filter(|&&t| t != from).map(|&t| self.rank[t]);
        let Some(highest) = ranks.max() else { return false };
        let mut seen = BTreeSet::new();
        let mut todo = vec![from];
        while let Some(u) = todo.pop().filter(|&u| self.rank[u] < highest) {
            for &next in &self.after[u] {
                if next != from && targets.binary_search(&next).is_ok() {
                    return true;
                }
                if self.rank[next] < highest && seen.insert(next) {
                    todo.push(next);
                }
            }
        }
        false
    }

    /// Lets a unit wait for all others that read a buffer.
    fn readers_first(&mut self, buffer: BufferId, writer: usize) {
        let mut in_order = true;
        for &reader in self.readers[buffer].iter().filter(|&&r| r != writer) {
            self.after[reader].push(writer);
            in_order &= self.rank[reader] < self.rank[writer];
        }
        if !in_order {
            self.number();
        }
    }
}

/// One new value of something that lasts: a weight, a state, a slot, a carry or a stack of a loop.
pub(crate) struct Update {
    pub(crate) node: NodeId,
    /// The buffer of the old value, if the graph reads it and the new one takes its place.
    pub(crate) old: Option<BufferId>,
    /// Where the new value belongs.
    pub(crate) to: Home,
    pub(crate) count: usize,
    /// The buffer of the new value and its first element.
    pub(crate) new: (BufferId, usize),
}

impl Lower<'_> {
    /// The new values of weights, states and slots.
    pub(crate) fn updates(&mut self) -> Result<Vec<Update>, EngineError> {
        // The buffers of what the store holds before the step, by their first elements.
        let mut stored: BTreeMap<usize, BufferId> = BTreeMap::new();
        for (b, info) in self.buffers.iter().enumerate().filter(|(_, i)| i.given && i.count > 0) {
            if let Home::Store(offset) = info.home {
                stored.entry(offset).or_insert(b);
            }
        }
        let mut out = Vec::new();
        for output in self.graph.outputs_of(OutputKind::Update).cloned().collect::<Vec<_>>() {
            let roles = [Role::Weight, Role::State, Role::Slot];
            let entry = roles.iter().find_map(|&r| self.layout.find(r, &output.name));
            let what = || format!("`{}`", output.name);
            let (entry, place) = entry.ok_or_else(|| EngineError::Missing { what: what() })?;
            if entry.dims != self.dims[output.node.index()] {
                return Err(EngineError::Conflict { what: what() });
            }
            let view = self.dense(output.node)?;
            let old = stored.get(&place.start).copied();
            let same = old == Some(view.buffer) && view.offset == 0;
            if !place.is_empty() && !same {
                let (to, count) = (Home::Store(place.start), place.len());
                let new = (view.buffer, view.offset);
                out.push(Update { node: output.node, old, to, count, new });
            }
        }
        Ok(out)
    }

    /// Lets updates write where they belong and orders all units.
    pub(crate) fn schedule(&mut self, mut updates: Vec<Update>) -> Result<Vec<usize>, EngineError> {
        // A new value that is an old value of another parameter is saved before that one is written.
        for u in &mut updates {
            if self.buffers[u.new.0].given && self.buffers[u.new.0].home.lasts() {
                let view = self.dense(u.node)?;
                u.new = (self.copy_of(&Value::View(view), u.node).buffer, 0);
            }
        }
        let mut deps = Dependencies::new(&self.units, self.buffers.len())?;
        for writer in updates.iter().filter_map(|u| deps.writer[u.new.0]) {
            deps.late[writer] = true;
        }
        deps.number();
        let mut later = Vec::new();
        for u in updates {
            if !self.write_directly(&u, &mut deps) {
                later.push(u);
            }
        }
        let mut hazards = Vec::new();
        for u in later {
            let to = self.buffer(u.count, u.to);
            let dims = self.dims[u.node.index()].clone();
            let view = crate::view::View::dense(u.new.0, &dims).at(u.new.1);
            let unit = self.copy_to(&Value::View(view), u.count, Spot::first(to), u.node);
            self.units.push(unit);
            hazards.push((u.old, self.units.len() - 1));
        }
        let direct: Vec<(Option<BufferId>, usize)> = (0..deps.writer.len())
            .filter_map(|b| Some((Some(self.buffers[b].overwrites?), deps.writer[b]?)))
            .collect();
        let mut deps = Dependencies::new(&self.units, self.buffers.len())?;
        for (old, writer) in hazards.into_iter().chain(direct) {
            for &reader in old.iter().flat_map(|&b| &deps.readers[b]).filter(|&&r| r != writer) {
                deps.after[reader].push(writer);
            }
        }
        self.order(&deps)
    }

    /// Lets the unit that computes a new value write it over the old one, when nobody needs the old one
    /// afterwards.
    fn write_directly(&mut self, u: &Update, deps: &mut Dependencies) -> bool {
        let new = &self.buffers[u.new.0];
        if self.options.keep_all || new.home != Home::Arena || u.new.1 != 0 || new.count != u.count {
            return false;
        }
        let Some(writer) = deps.writer[u.new.0] else {
            return false;
        };
        if let Some(old) = u.old {
            let safe = match &self.units[writer].work {
                Work::Draft(draft) if !draft.scatters() => !draft.scattered().contains(&old),
                Work::Draft(_) | Work::Fixed(_) | Work::Loop(_) => !self.units[writer].reads.contains(&old),
            };
            if !safe || deps.reaches(writer, old) {
                return false;
            }
            deps.readers_first(old, writer);
        }
        self.buffers[u.new.0].home = u.to;
        self.buffers[u.new.0].overwrites = u.old;
        true
    }

    /// A topological order: what ends in the store as soon as it can run, else the order of the graph.
    fn order(&self, deps: &Dependencies) -> Result<Vec<usize>, EngineError> {
        let n = self.units.len();
        let mut waits = vec![0usize; n];
        for next in deps.after.iter().flatten() {
            waits[*next] += 1;
        }
        let key = |u: usize| {
            let unit = &self.units[u];
            let stores = unit.writes.iter().all(|&b| self.buffers[b].home.lasts());
            Reverse((!stores, unit.nodes.last().copied(), u))
        };
        let mut ready: BinaryHeap<_> = (0..n).filter(|&u| waits[u] == 0).map(key).collect();
        let mut order = Vec::with_capacity(n);
        while let Some(Reverse((_, _, u))) = ready.pop() {
            order.push(u);
            for &next in &deps.after[u] {
                waits[next] -= 1;
                if waits[next] == 0 {
                    ready.push(key(next));
                }
            }
        }
        if order.len() != n {
            return Err(EngineError::Internal("units wait for each other".into()));
        }
        Ok(self.delay(order, deps))
    }

    /// Moves units that read nothing of the arena (copies of weights, random numbers) to just before the
    /// first unit that needs them.
    fn delay(&self, order: Vec<usize>, deps: &Dependencies) -> Vec<usize> {
        let mut place = vec![0usize; order.len()];
        for (i, &u) in order.iter().enumerate() {
            place[u] = i;
        }
        let mut keyed: Vec<(usize, usize, usize)> = Vec::with_capacity(order.len());
        for (i, &u) in order.iter().enumerate() {
            let leaf = self.units[u].reads.iter().all(|&b| self.buffers[b].given);
            let first = deps.after[u].iter().map(|&next| place[next]).min();
            match first.filter(|_| leaf) {
                // Before the unit at that place, after all that stand before it.
                Some(first) => keyed.push((first, 0, i)),
                None => keyed.push((i, 1, i)),
            }
        }
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, _, i)| order[i]).collect()
    }

    /// First and last place in the order at which every buffer is needed.
    pub(crate) fn lifetimes(&self, order: &[usize]) -> Vec<Option<(usize, usize)>> {
        let mut out: Vec<Option<(usize, usize)>> = vec![None; self.buffers.len()];
        for (at, &u) in order.iter().enumerate() {
            for &b in self.units[u].reads.iter().chain(&self.units[u].writes) {
                out[b] = Some(out[b].map_or((at, at), |(first, _)| (first, at)));
            }
        }
        for (b, life) in self.buffers.iter().zip(&mut out) {
            match b.home {
                Home::Arena => {}
                Home::Pinned if b.given => *life = Some((0, order.len())),
                Home::Pinned => *life = life.map(|(first, _)| (first, order.len())),
                Home::Store(_) | Home::Outside(_) => *life = None,
            }
        }
        out
    }

    /// Gives every buffer of the arena its first element; the second result is the size of the arena.
    pub(crate) fn place(&self, order: &[usize]) -> Result<(Vec<Option<usize>>, usize), EngineError> {
        let mut lives = self.lifetimes(order);
        let heirs = self.inherit(order, &mut lives);
        let live: Vec<usize> = (0..lives.len()).filter(|&b| lives[b].is_some()).collect();
        let life = |&b: &usize| {
            let (first, last) = lives[b].unwrap_or((0, 0));
            Life { size: self.buffers[b].count.next_multiple_of(LANES), first, last }
        };
        let assigned = assign(&live.iter().map(life).collect::<Vec<_>>());
        let (offsets, total) = assigned.ok_or_else(|| EngineError::TooLarge { what: "the arena".into() })?;
        let mut at: Vec<Option<usize>> = vec![None; lives.len()];
        for (b, offset) in live.into_iter().zip(offsets) {
            at[b] = Some(offset);
        }
        for (b, heir) in heirs.into_iter().rev() {
            at[b] = at[heir];
        }
        Ok((at, total))
    }

    /// Lets an elementwise result take the memory of an operand that is not needed afterwards: pairs of the
    /// result and the buffer that it takes over.
    fn inherit(&self, order: &[usize], lives: &mut [Option<(usize, usize)>]) -> Vec<(usize, usize)> {
        // A result's memory may pass on in turn: the first owner of each.
        let mut owner: Vec<usize> = (0..self.buffers.len()).collect();
        let mut out = Vec::new();
        for (now, &u) in order.iter().enumerate() {
            let Work::Draft(draft) = &self.units[u].work else {
                continue;
            };
            let scattered = draft.scattered();
            let mut taken = BTreeSet::new();
            // What does not fit one result fits none of the others.
            let mut candidates = draft.loads.iter().map(|l| l.first.buffer);
            for &to in &self.units[u].writes {
                if lives[to].is_none() || self.buffers[to].count != draft.count {
                    continue;
                }
                let fits = |from: BufferId| {
                    let info = &self.buffers[from];
                    info.home == Home::Arena
                        && info.count == draft.count
                        && !scattered.contains(&from)
                        && !taken.contains(&from)
                        && lives[owner[from]].is_some_and(|l| l.1 == now)
                };
                let from = candidates.find(|&b| fits(b));
                if let (Some(from), Some((_, end))) = (from, lives[to]) {
                    taken.insert(from);
                    let first = owner[from];
                    lives[first] = lives[first].map(|(start, _)| (start, end));
                    lives[to] = None;
                    owner[to] = first;
                    out.push((to, first));
                }
            }
        }
        out
    }
}
