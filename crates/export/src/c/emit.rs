//! From a graph to loops of C.
//!
//! What is computed element by element, and what only says where elements lie, is written into the expressions that
//! read it; everything else, and what would be computed several times, gets working memory and a nest of loops.

use super::arena::{Tenant, settle};
use super::index::Index;
use crate::package::sizes;
use nnc_graph::{
    Binary, DType, Elementwise, Graph, Indexing, Kind, Leaf, Movement, NodeId, Prim, Reduce, Role, Type,
    Unary,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Deeper expressions are cut in two.
const DEEPEST: usize = 14;

/// Where the elements of a value lie.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The array.
    pub(crate) name: String,
    /// Its room, if it is working memory.
    pub(crate) tenant: Option<usize>,
    /// The element where it begins.
    pub(crate) offset: Index,
    /// Of a weight of whole numbers: the array of what each number along its last axis, which is so long, counts.
    pub(crate) scale: Option<(String, usize)>,
}

impl Place {
    /// An array that is given.
    pub(crate) fn given(name: impl Into<String>) -> Self {
        Self { name: name.into(), tenant: None, offset: Index::constant(0), scale: None }
    }
}

/// A graph, or the body of a loop inside one.
pub(crate) struct Scope<'a> {
    pub(crate) graph: &'a Graph,
    /// Which of its nodes have memory.
    pub(crate) stored: Vec<bool>,
    pub(crate) places: Vec<Option<Place>>,
    /// Of the body of a loop: what its parameters are in the scope around it.
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// An array that goes from step to step.
    Carry(Place),
    /// The part of a node for the step of this number.
    Slice(NodeId, Index),
    /// A node.
    Same(NodeId),
}

/// What was written.
pub(crate) struct Code {
    /// The statements.
    pub(crate) text: String,
    /// Elements of working memory.
    pub(crate) work: usize,
    /// The functions that they call.
    pub(crate) helpers: BTreeSet<&'static str>,
}

/// Where parameters lie, by role and name.
pub(crate) type Given = BTreeMap<(Role, String), Place>;

/// Writes a graph for so many samples: parameters are read where `given` says, results written to arrays; those of
/// `updates` once nothing is read any more, so that they may be arrays that are given.
///
/// # Errors
/// A parameter that is not given, or a size that nothing can hold.
pub(crate) fn emit(
    graph: &Graph,
    batch: usize,
    given: &Given,
    results: &[(NodeId, String)],
    updates: &[(NodeId, String)],
) -> Result<Code, String> {
    let mut e = Emitter {
        scopes: Vec::new(),
        text: String::new(),
        depth: 1,
        tenants: Vec::new(),
        clock: 0,
        loops: 0,
        helpers: BTreeSet::new(),
        batch,
        single: graph.float == DType::F32,
    };
    e.graph(graph, given, results, updates)?;
    let (places, work) = settle(&e.tenants);
    let mut text = String::new();
    for (i, at) in places.iter().enumerate() {
        let _ = writeln!(text, "    real *const w{i} = work + {at};");
    }
    text.push_str(&e.text);
    if places.is_empty() {
        text.insert_str(0, "    (void)work;\n");
    }
    Ok(Code { text, work, helpers: e.helpers })
}

/// The state of writing.
pub(crate) struct Emitter<'a> {
    pub(crate) scopes: Vec<Scope<'a>>,
    pub(crate) text: String,
    pub(crate) depth: usize,
    pub(crate) tenants: Vec<Tenant>,
    /// Counts what was written, for the lives of values.
    pub(crate) clock: usize,
    pub(crate) loops: usize,
    pub(crate) helpers: BTreeSet<&'static str>,
    pub(crate) batch: usize,
    pub(crate) single: bool,
}

impl<'a> Emitter<'a> {
    fn graph(
        &mut self,
        graph: &'a Graph,
        given: &Given,
        results: &[(NodeId, String)],
        updates: &[(NodeId, String)],
    ) -> Result<(), String> {
        let roots: BTreeSet<NodeId> = results.iter().chain(updates).map(|(n, _)| *n).collect();
        let stored = stored(graph, self.batch, &roots);
        let mut places = vec![None; graph.len()];
        for id in graph.ids() {
            let node = graph.node(id);
            if node.ty.count_at(self.batch).is_none_or(|n| n > i32::MAX as usize) {
                return Err(format!("{} is too large", node.ty));
            }
            if let Some((role, name)) = node.prim.parameter() {
                let place = given.get(&(role, name.to_string()));
                places[id.index()] =
                    Some(place.cloned().ok_or_else(|| format!("{} `{name}` is not given", role.name()))?);
            }
        }
        self.scopes.push(Scope { graph, stored, places, arguments: Vec::new() });
        let mut targets: BTreeMap<NodeId, Place> = BTreeMap::new();
        for (node, name) in results {
            targets.entry(*node).or_insert_with(|| Place::given(name.clone()));
        }
        self.nodes(&targets);
        // What is given, known or asked for twice is copied.
        for (node, name) in results {
            let there = self.scopes[0].places[node.index()].as_ref().is_some_and(|p| p.name == *name);
            if !there {
                self.copy(*node, &Place::given(name.clone()));
            }
        }
        self.clock += 1;
        // A parameter that becomes another one is kept from being overwritten.
        let mut kept = Vec::new();
        for (node, _) in updates {
            let moved = graph.node(*node).prim.parameter().is_some();
            kept.push(moved.then(|| {
                let size = self.count(graph.ty(*node));
                let room = self.room(size);
                self.copy(*node, &room);
                room
            }));
        }
        self.clock += 1;
        for ((node, name), kept) in updates.iter().zip(kept) {
            let to = Place::given(name.clone());
            let Some(room) = kept else {
                self.copy(*node, &to);
                continue;
            };
            let size = self.count(graph.ty(*node));
            self.nest(&[size], |e, at| {
                let value = e.at(&room, &at[0]);
                e.assign(&to, &at[0], &value);
            });
        }
        self.scopes.pop();
        Ok(())
    }

    /// Writes the nodes of the innermost scope that have memory; some of them where `targets` says.
    pub(crate) fn nodes(&mut self, targets: &BTreeMap<NodeId, Place>) {
        let graph = self.scope().graph;
        let mut last = String::new();
        for id in graph.ids() {
            if !self.scope().stored[id.index()] || self.scope().places[id.index()].is_some() {
                continue;
            }
            let node = graph.node(id);
            let origin = node.origin.to_string();
            if origin != last && origin != "?" {
                self.line(&format!("/* {} */", crate::names::comment(&origin)));
            }
            last = origin;
            if let Prim::Scan(scan) = &node.prim {
                self.scan(id, scan, targets);
                continue;
            }
            let size = self.count(&node.ty);
            let place = targets.get(&id).cloned().unwrap_or_else(|| self.room(size));
            self.clock += 1;
            self.touch(&place);
            self.node(id, &place);
            self.scope_mut().places[id.index()] = Some(place);
        }
    }

    /// Writes one node into its place.
    pub(crate) fn node(&mut self, id: NodeId, to: &Place) {
        let graph = self.scope().graph;
        let node = graph.node(id);
        let operands = graph.operands(id);
        match &node.prim {
            Prim::Leaf(_) | Prim::Elementwise(_) => self.copy(id, to),
            Prim::Movement(m) => match m {
                Movement::Concatenate { axis } => self.concatenate(&operands, *axis, &node.ty, to),
                Movement::Pad { low } => self.pad(operands[0], low, &node.ty, to),
                Movement::Reshape
                | Movement::Transpose { .. }
                | Movement::BroadcastInDim { .. }
                | Movement::Slice { .. }
                | Movement::Reverse { .. } => self.copy(id, to),
            },
            Prim::Reduce(Reduce::Fold { op, axes }) => self.fold(*op, operands[0], axes, to),
            Prim::Reduce(Reduce::ArgMax { axis }) => self.argmax(operands[0], *axis, to),
            Prim::DotGeneral(dims) => self.dot(operands[0], operands[1], dims, to),
            Prim::Convolve(c) => self.convolve(c, operands[0], operands[1], &node.ty, to),
            Prim::Window(w) => self.window(w, &operands, &node.ty, to),
            Prim::Indexing(Indexing::Gather) => self.gather(operands[0], operands[1], to),
            Prim::Indexing(Indexing::ScatterAdd) => self.scatter(operands[0], operands[1], &node.ty, to),
            Prim::Scan(_) => {}
        }
    }

    /// Writes the elements of a node, as an expression, into a place.
    pub(crate) fn copy(&mut self, id: NodeId, to: &Place) {
        let ty = self.scope().graph.ty(id).clone();
        let dims = self.dims(&ty);
        if self.is_in_order(id) {
            let n = dims.iter().product();
            self.nest(&[n], |e, at| {
                let index = at[0].split(&dims);
                let value = e.value(id, &index);
                e.assign(to, &at[0], &value);
            });
            return;
        }
        self.nest(&dims, |e, at| {
            let value = e.value(id, at);
            e.assign(to, &Index::linear(at, &dims), &value);
        });
    }

    fn concatenate(&mut self, parts: &[NodeId], axis: usize, ty: &Type, to: &Place) {
        let dims = self.dims(ty);
        let mut begin = 0;
        for &part in parts {
            let own = self.dims_of(part);
            self.nest(&own, |e, at| {
                let value = e.value(part, at);
                let mut target = at.to_vec();
                target[axis] = target[axis].shifted(begin);
                e.assign(to, &Index::linear(&target, &dims), &value);
            });
            begin += own[axis] as i64;
        }
    }

    fn pad(&mut self, x: NodeId, low: &[usize], ty: &Type, to: &Place) {
        let dims = self.dims(ty);
        self.fill(to, dims.iter().product(), 0.0);
        let own = self.dims_of(x);
        self.nest(&own, |e, at| {
            let value = e.value(x, at);
            let target: Vec<Index> = at.iter().zip(low).map(|(i, &l)| i.shifted(l as i64)).collect();
            e.assign(to, &Index::linear(&target, &dims), &value);
        });
    }

    /// Writes one number everywhere.
    pub(crate) fn fill(&mut self, to: &Place, count: usize, value: f64) {
        let value = self.number(value);
        self.nest(&[count], |e, at| e.assign(to, &at[0], &value));
    }

    // --- expressions ---

    /// A call of one of our functions.
    pub(crate) fn call(&mut self, name: &'static str, arguments: &[&str]) -> String {
        self.helpers.insert(name);
        let bare = |a: &&str| {
            let inner = a.strip_prefix('(').and_then(|a| a.strip_suffix(')'));
            inner.filter(|i| is_balanced(i)).unwrap_or(a).to_string()
        };
        format!("nn_{name}({})", arguments.iter().map(bare).collect::<Vec<_>>().join(", "))
    }

    /// A number as C writes it, exactly.
    pub(crate) fn number(&mut self, x: f64) -> String {
        if x.is_nan() || x.is_infinite() {
            let sign = if x < 0.0 { "-" } else { "" };
            let name = if x.is_nan() { "nan" } else { "infinity" };
            let call = self.call(name, &[]);
            return if sign.is_empty() { call } else { format!("({sign}{call})") };
        }
        let text = literal(x, self.single);
        if x < 0.0 { format!("({text})") } else { text }
    }

    // --- statements ---

    /// Writes loops over a shape, and inside what `inner` writes, given the index.
    pub(crate) fn nest(&mut self, dims: &[usize], inner: impl FnOnce(&mut Self, &[Index])) {
        let mut index = Vec::with_capacity(dims.len());
        let mut open = 0;
        for &n in dims {
            let name = ["i", "j", "k", "l", "m", "n", "o", "p"].get(open).copied().unwrap_or("q");
            let name = if name == "q" { format!("q{open}") } else { name.to_string() };
            if n != 1 {
                self.open(&name, n);
                open += 1;
            }
            index.push(Index::counter(name, n));
        }
        inner(self, &index);
        for _ in 0..open {
            self.close();
        }
    }

    /// Begins a loop.
    pub(crate) fn open(&mut self, counter: &str, count: usize) {
        self.line(&format!("for (int {counter} = 0; {counter} < {count}; {counter}++) {{"));
        self.depth += 1;
    }

    /// Begins a block.
    pub(crate) fn block(&mut self, head: &str) {
        self.line(&format!("{head}{{"));
        self.depth += 1;
    }

    /// Ends a loop or block.
    pub(crate) fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// Says that one of our functions, or macros, is used.
    pub(crate) fn use_helper(&mut self, name: &'static str) {
        self.helpers.insert(name);
    }

    /// Tells what is written later from what was written before, for the lives of values.
    pub(crate) fn clock_on(&mut self) {
        self.clock += 1;
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:1$}{text}", "", 4 * self.depth);
    }

    /// Writes an assignment.
    pub(crate) fn assign(&mut self, to: &Place, at: &Index, value: &str) {
        let inner = value.strip_prefix('(').and_then(|a| a.strip_suffix(')')).filter(|i| is_balanced(i));
        let target = to.offset.plus(at).text();
        self.line(&format!("{}[{target}] = {};", to.name, inner.unwrap_or(value)));
    }

    /// An element.
    pub(crate) fn at(&mut self, place: &Place, at: &Index) -> String {
        self.touch(place);
        let text = format!("{}[{}]", place.name, place.offset.plus(at).text());
        match &place.scale {
            None => text,
            Some((scale, last)) => {
                let column = at.split(&[usize::MAX >> 1, *last])[1].text();
                format!("((real){text} * {scale}[{column}])")
            }
        }
    }

    /// Where a place begins, as a pointer.
    pub(crate) fn pointer(&mut self, place: &Place, at: &Index) -> String {
        self.touch(place);
        match place.offset.plus(at).text() {
            zero if zero == "0" => place.name.clone(),
            text => format!("{} + {text}", place.name),
        }
    }

    /// New working memory.
    pub(crate) fn room(&mut self, size: usize) -> Place {
        let tenant = self.tenants.len();
        self.tenants.push(Tenant { size, from: self.clock, until: self.clock });
        Place { tenant: Some(tenant), ..Place::given(format!("w{tenant}")) }
    }

    /// Says that a place is needed now.
    pub(crate) fn touch(&mut self, place: &Place) {
        if let Some(tenant) = place.tenant {
            self.tenants[tenant].until = self.tenants[tenant].until.max(self.clock);
        }
    }

    /// The sizes of a node of the innermost scope.
    pub(crate) fn dims_of(&self, id: NodeId) -> Vec<usize> {
        self.dims(self.scope().graph.ty(id))
    }

    /// The sizes of a type.
    pub(crate) fn dims(&self, ty: &Type) -> Vec<usize> {
        sizes(&ty.shape, self.batch)
    }

    pub(crate) fn count(&self, ty: &Type) -> usize {
        ty.count_at(self.batch).unwrap_or(0)
    }

    pub(crate) fn scope(&self) -> &Scope<'a> {
        &self.scopes[self.scopes.len() - 1]
    }

    pub(crate) fn scope_mut(&mut self) -> &mut Scope<'a> {
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }
}

/// A number as C writes it; the shortest text that reads as the same number.
pub(crate) fn literal(x: f64, single: bool) -> String {
    let text = if single { format!("{:?}", x as f32) } else { format!("{x:?}") };
    if single { format!("{text}f") } else { text }
}

pub(crate) fn is_balanced(text: &str) -> bool {
    let mut depth = 0i32;
    for b in text.bytes() {
        match b {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Which nodes get memory: see the head of this file.
pub(crate) fn stored(graph: &Graph, batch: usize, roots: &BTreeSet<NodeId>) -> Vec<bool> {
    let kind = |id: NodeId| {
        let operands = graph.operands(id);
        let types: Vec<&Type> = operands.iter().map(|&o| graph.ty(o)).collect();
        graph.node(id).prim.kind(&types, graph.ty(id))
    };
    let count = |id: NodeId| graph.ty(id).count_at(batch).unwrap_or(usize::MAX);
    let only_reads =
        |id: NodeId| matches!(kind(id), Kind::View | Kind::Alias) && own_cost(&graph.node(id).prim) == 0;
    // What reads elements of its operands more than once.
    let reads_often = |user: NodeId, operand: NodeId| match &graph.node(user).prim {
        Prim::DotGeneral(_) | Prim::Convolve(_) | Prim::Window(_) | Prim::Scan(_) => true,
        Prim::Indexing(_) => graph.operands(user)[0] == operand,
        Prim::Movement(Movement::BroadcastInDim { .. }) => count(user) > count(operand),
        Prim::Leaf(_) | Prim::Elementwise(_) | Prim::Movement(_) | Prim::Reduce(_) => false,
    };
    let mut often = vec![false; graph.len()];
    for id in graph.ids().rev() {
        often[id.index()] =
            graph.users(id).into_iter().any(|u| reads_often(u, id) || only_reads(u) && often[u.index()]);
    }
    let mut stored = vec![false; graph.len()];
    let mut cost = vec![0usize; graph.len()];
    let mut depth = vec![0usize; graph.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        if matches!(node.prim, Prim::Leaf(Leaf::Parameter { .. })) {
            continue;
        }
        let operands = graph.operands(id);
        let inside = operands.iter().filter(|o| !stored[o.index()]);
        let below: usize = inside.clone().map(|o| cost[o.index()]).sum();
        let deep = inside.map(|o| depth[o.index()] + 1).max().unwrap_or(0);
        let all = below + own_cost(&node.prim);
        let uses = graph.users(id).len();
        stored[id.index()] = kind(id) == Kind::Heavy
            || roots.contains(&id)
            || all > 0 && often[id.index()]
            || all > 1 && uses > 1
            || deep > DEEPEST && all > 0;
        (cost[id.index()], depth[id.index()]) = (all, deep);
    }
    stored
}

/// A rough cost of an element, in additions; 0 for what only says where elements lie.
fn own_cost(prim: &Prim) -> usize {
    match prim {
        Prim::Elementwise(Elementwise::Unary(op)) => match op {
            Unary::Negate | Unary::Abs | Unary::Sign | Unary::Not | Unary::Floor | Unary::Round => 1,
            Unary::Exponential
            | Unary::ExponentialMinusOne
            | Unary::Log
            | Unary::LogPlusOne
            | Unary::Sqrt
            | Unary::Rsqrt
            | Unary::Sine
            | Unary::Cosine
            | Unary::Tanh
            | Unary::Logistic
            | Unary::Softplus
            | Unary::Erf => 10,
        },
        Prim::Elementwise(Elementwise::Binary(Binary::Power)) | Prim::Leaf(Leaf::Rng { .. }) => 50,
        Prim::Elementwise(Elementwise::Binary(_) | Elementwise::Compare(_) | Elementwise::Select) => 1,
        Prim::Elementwise(Elementwise::Convert) => 1,
        Prim::Elementwise(Elementwise::StopGradient)
        | Prim::Leaf(_)
        | Prim::Movement(_)
        | Prim::Reduce(_)
        | Prim::DotGeneral(_)
        | Prim::Convolve(_)
        | Prim::Window(_)
        | Prim::Indexing(_)
        | Prim::Scan(_) => 0,
    }
}
