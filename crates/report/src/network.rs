//! A graph as a drawing: layers hold what they are made of, down to primitives.
//!
//! Which layer a node belongs to is told by its origin, the way from the user's line to it; where that does not say
//! which of several calls it was, the paths of the graph do (`group.rs`).

use crate::drawing::{Band, Drawing, Edge, Held, Item, Kind, Line, Place, shape};
use crate::fold::{Folded, Part};
use crate::group::partition;
use nnc_graph::{Graph, NodeId, Origin, OutputKind, Prim, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A step of the network in the user's program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// The layer's name, such as `dense1`.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// Line and column of its first character, from 1.
    pub start: (u32, u32),
    /// Line and column behind its last character.
    pub end: (u32, u32),
    /// Its words.
    pub text: String,
}

impl Site {
    fn holds(&self, origin: &Origin) -> bool {
        let at = (origin.line, origin.column);
        self.file == *origin.file && self.start <= at && at < self.end
    }
}

/// What a drawing knows of the program: its steps, and its files by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    /// The steps of the network.
    pub sites: Vec<Site>,
    /// Names and texts of the files.
    pub files: Vec<(String, String)>,
}

impl Program {
    /// The innermost step that an origin lies in.
    fn site(&self, origin: &Origin) -> Option<usize> {
        let holding = self.sites.iter().enumerate().filter(|(_, s)| s.holds(origin));
        holding.max_by_key(|(i, s)| (s.start, std::cmp::Reverse(s.end), *i)).map(|(i, _)| i)
    }

    /// The lines that some origins come from, and those that have to do with them besides: what the optimizer computes
    /// for a weight comes from the weight's layer, and has to do with the optimizer.
    pub fn lines<'o>(&self, origins: impl Iterator<Item = &'o Origin>) -> (Vec<Line>, Vec<Line>) {
        let (mut own, mut also) = (BTreeSet::new(), BTreeSet::new());
        for origin in origins.filter(|o| !o.file.is_empty() && o.line > 0) {
            let line = Line { file: origin.file.to_string(), line: origin.line };
            let mut calls = origin.scope.split(" > ");
            let updated = calls.next().filter(|c| *c == OPTIMIZER).and_then(|_| calls.next());
            let layer = updated.map(|weight| weight.split('.').next().unwrap_or(weight));
            let site = layer.and_then(|layer| self.sites.iter().find(|s| s.name == layer));
            match site {
                None => own.insert(line),
                Some(site) => {
                    own.insert(Line { file: site.file.clone(), line: site.start.0 });
                    also.insert(line)
                }
            };
        }
        (own.into_iter().collect(), also.into_iter().collect())
    }

    /// The words that an origin names, on one line.
    fn words(&self, origin: &Origin) -> String {
        let text = self.files.iter().find(|(name, _)| **name == *origin.file).map(|(_, text)| text);
        let line = text.and_then(|t| t.lines().nth((origin.line as usize).checked_sub(1)?));
        let words = line.and_then(|l| l.get((origin.column as usize).saturating_sub(1)..));
        let words = words.map(|w| w.get(..origin.length as usize).unwrap_or(w)).unwrap_or_default();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The scope of what the optimizer computes.
const OPTIMIZER: &str = "optimizer";

/// Draws a graph.
pub fn network(graph: &Graph, program: &Program) -> Drawing {
    Maker::new(graph, program).drawing(graph)
}

/// Draws parts of a graph that someone else has put together, such as the instructions of a plan: the boxes are given
/// in their order and with their nodes; data, weights and edges are found here.
pub fn parts(graph: &Graph, title: &str, items: Vec<Item>) -> Drawing {
    let mut owner = vec![None; graph.len()];
    for (i, item) in items.iter().enumerate() {
        for &node in &item.nodes {
            owner[node] = Some(i);
        }
    }
    let mut data = Vec::new();
    for id in graph.ids() {
        if owner[id.index()].is_some() {
            continue;
        }
        let Some((role, name)) = graph.node(id).prim.parameter() else { continue };
        if !is_held(role) {
            owner[id.index()] = Some(items.len() + data.len());
            data.push(data_item(graph, id, name));
        }
    }
    // Data first, as everywhere.
    let shift = data.len();
    let place = |i: usize| if i < items.len() { i + shift } else { i - items.len() };
    let owner: Vec<Option<usize>> = owner.into_iter().map(|o| o.map(place)).collect();
    let mut all = data;
    all.extend(items);
    let mut edges: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
    for (at, item) in all.iter_mut().enumerate() {
        let mut open: Vec<NodeId> = Vec::new();
        let own: BTreeSet<usize> = item.nodes.iter().copied().collect();
        let (mut seen, mut held) = (BTreeSet::new(), BTreeSet::new());
        open.extend(graph.ids().filter(|id| own.contains(&id.index())).flat_map(|id| graph.operands(id)));
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match (owner[id.index()], graph.node(id).prim.parameter()) {
                (Some(from), _) if from == at => {}
                (Some(from), _) => {
                    edges.entry((from, at)).or_default().insert(shape(graph.ty(id)));
                }
                (None, Some(_)) => held.extend(held_of(graph, id)),
                (None, None) => open.extend(graph.operands(id)),
            }
        }
        item.held = held.into_iter().collect();
    }
    Drawing { title: title.into(), items: all, edges: edges_of(edges) }
}

fn edges_of(edges: BTreeMap<(usize, usize), BTreeSet<String>>) -> Vec<Edge> {
    let edge =
        |((from, to), shapes): ((usize, usize), BTreeSet<String>)| Edge { from, to, shape: few(shapes) };
    edges.into_iter().map(edge).collect()
}

/// Two of them, and how many more there are.
fn few(texts: BTreeSet<String>) -> String {
    let more = texts.len().saturating_sub(2);
    let mut out = texts.into_iter().take(2).collect::<Vec<_>>().join(", ");
    if more > 0 {
        out += &format!(", {more} more");
    }
    out
}

fn is_held(role: Role) -> bool {
    match role {
        Role::Weight | Role::State | Role::Slot => true,
        Role::Input | Role::Target | Role::SampleWeight | Role::Step => false,
        Role::Carry | Role::Slice | Role::Invariant => false,
    }
}

fn held_of(graph: &Graph, id: NodeId) -> Option<Held> {
    let (role, name) = graph.node(id).prim.parameter()?;
    let ty = graph.ty(id);
    let count = ty.shape.iter().map(|d| d.at(1) as u64).fold(1, u64::saturating_mul);
    is_held(role).then(|| Held { role, name: name.to_string(), shape: shape(ty), count })
}

fn data_item(graph: &Graph, id: NodeId, name: &str) -> Item {
    let role = graph.node(id).prim.parameter().map(|(role, _)| role);
    let mut item = Item::new(Kind::Data, name);
    if role.is_some_and(Role::is_of_region) {
        item.name = format!("{} {name}", role.map_or("", Role::name));
    }
    item.shape = shape(graph.ty(id));
    item.nodes = vec![id.index()];
    if role == Some(Role::Step) {
        item.band = Band::Update;
    }
    item
}

/// The way to a node: `dense2 > sigmoid (grad)` is `dense2`, `sigmoid` and a gradient.
struct Way {
    steps: Vec<Arc<str>>,
    gradient: bool,
}

struct Maker<'g> {
    folded: Folded<'g>,
    program: &'g Program,
    ways: Vec<Way>,
    bands: Vec<Band>,
    users: Vec<Vec<usize>>,
    results: BTreeMap<usize, Vec<String>>,
    /// The box that a node lies in, as those beside it see it.
    names: Vec<Arc<str>>,
}

/// What nodes of one box have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// At the top: band, whether a gradient, the layer, the step of the program.
    Layer(Band, bool, Arc<str>, Option<usize>),
    /// A formula at the top: band, whether a gradient, line and column.
    Formula(Band, bool, Arc<str>, u32, u32),
    /// Inside: what is called there.
    Call(Arc<str>),
    /// A node by itself.
    Alone(usize),
}

impl Key {
    /// Updates of the weights of one layer stand together, though none takes from another.
    fn is_loose(&self) -> bool {
        matches!(self, Key::Layer(Band::Update, false, _, None))
    }
}

impl<'g> Maker<'g> {
    fn new(graph: &'g Graph, program: &'g Program) -> Self {
        let folded = Folded::new(graph);
        let mut users = vec![Vec::new(); graph.len()];
        for (at, takes) in folded.takes.iter().enumerate() {
            for &from in takes {
                users[from].push(at);
            }
        }
        let mut results: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for output in graph.outputs() {
            let text = match output.kind {
                OutputKind::Prediction | OutputKind::Loss | OutputKind::Metric | OutputKind::Total => {
                    &output.name
                }
                OutputKind::Update if is_slot(graph, &output.name) => continue,
                OutputKind::Update => &output.name,
                OutputKind::Gradient => &Arc::from(format!("gradient of {}", output.name)),
                OutputKind::Objective => &Arc::from("objective"),
                OutputKind::Initial => &Arc::from(format!("first {}", output.name)),
                OutputKind::Next => &Arc::from(format!("next {}", output.name)),
            };
            results.entry(output.node.index()).or_default().push(text.to_string());
        }
        let bands = bands(graph);
        let mut ways: Vec<Way> = graph.ids().map(|id| way(graph, id)).collect();
        // What an optimizer computes of the number of the step alone is the same for all weights.
        for n in clockwork(&folded) {
            if bands[n] == Band::Update && !ways[n].steps.is_empty() {
                ways[n].steps = vec![OPTIMIZER.into()];
            }
        }
        let names = vec![Arc::from(""); graph.len()];
        Self { folded, program, ways, bands, users, results, names }
    }

    fn drawing(mut self, graph: &Graph) -> Drawing {
        let nodes: Vec<usize> = (0..graph.len()).filter(|&n| self.folded.is_drawn(n)).collect();
        let keys = self.keys_of_layers(&nodes);
        let parts = partition(&nodes, |n| &self.folded.takes[n], &keys, Key::is_loose);
        for part in &parts {
            let name: Arc<str> = self.name(part).into();
            for &n in part {
                self.names[n] = name.clone();
            }
        }
        let items = parts.iter().map(|part| self.item(part, 1)).collect();
        let edges = self.edges(&parts, |n| &self.folded.takes[n]);
        Drawing { title: graph.name.to_string(), items, edges }
    }

    fn origin(&self, node: usize) -> &Origin {
        &self.node(node).origin
    }

    fn node(&self, node: usize) -> &nnc_graph::Node {
        self.folded.graph.node(self.id(node))
    }

    fn id(&self, node: usize) -> NodeId {
        // Ids are given out in their order.
        self.folded.graph.ids_from(node).next().unwrap_or_else(|| unreachable!("a node of the graph"))
    }

    fn keys_of_layers(&self, nodes: &[usize]) -> Vec<Key> {
        let site = |n: usize| self.program.site(self.origin(n));
        // Inside a definition of the program, lines are those of its body and say nothing of who called it.
        let mut bodies = BTreeSet::new();
        for &n in nodes.iter().filter(|&&n| site(n).is_none()) {
            bodies.insert((self.bands[n], self.ways[n].gradient, self.layer(n)));
        }
        let key = |&n: &usize| {
            if self.node(n).prim.parameter().is_some() {
                return Key::Alone(n);
            }
            let (band, gradient, layer) = (self.bands[n], self.ways[n].gradient, self.layer(n));
            if layer.is_empty() {
                let o = self.origin(n);
                return match site(n) {
                    Some(site) => Key::Layer(band, gradient, layer, Some(site)),
                    None => Key::Formula(band, gradient, o.file.clone(), o.line, o.column),
                };
            }
            let body = bodies.contains(&(band, gradient, layer.clone()));
            Key::Layer(band, gradient, layer, site(n).filter(|_| !body))
        };
        nodes.iter().map(key).collect()
    }

    fn layer(&self, node: usize) -> Arc<str> {
        self.ways[node].steps.first().cloned().unwrap_or_else(|| "".into())
    }

    /// The name of a box at the top.
    fn name(&self, part: &[usize]) -> String {
        let first = part[0];
        if let Some((role, name)) = self.node(first).prim.parameter() {
            return if role.is_of_region() { format!("{} {name}", role.name()) } else { name.to_string() };
        }
        let layer = self.layer(first);
        if !layer.is_empty() {
            return layer.to_string();
        }
        let words = match self.program.site(self.origin(first)) {
            Some(site) => self.program.sites[site].text.clone(),
            None => self.program.words(self.origin(first)),
        };
        if words.is_empty() { self.node(first).prim.name().to_string() } else { words }
    }

    /// The box of some nodes that came together at a depth: their ways agree before it.
    fn item(&mut self, part: &[usize], depth: usize) -> Item {
        let graph = self.folded.graph;
        let first = part[0];
        let id = self.id(first);
        if let Some((_, name)) = graph.node(id).prim.parameter() {
            return data_item(graph, id, name);
        }
        let one = part.len() == 1;
        let mut item = Item::new(if one { Kind::Operation } else { Kind::Layer }, &*self.names[first]);
        item.band = self.bands[first];
        let origin = self.origin(first).clone();
        if !origin.file.is_empty() {
            item.place =
                Some(Place { file: origin.file.to_string(), line: origin.line, column: origin.column });
        }
        let origins: Vec<Origin> = part.iter().map(|&n| self.origin(n).clone()).collect();
        (item.lines, item.also) = self.program.lines(origins.iter());
        item.text = match (one, depth) {
            (_, 1) if item.band == Band::Forward => match self.program.site(&origin) {
                Some(site) => self.program.sites[site].text.clone(),
                None => self.program.words(&origin),
            },
            (_, 1) if *item.name == *OPTIMIZER => self.program.words(&origin),
            (_, 1) if item.band == Band::Backward => "gradient".into(),
            (_, 1) => "update".into(),
            (true, _) => self.folded.text(id),
            (false, _) => String::new(),
        };
        let inner: BTreeSet<usize> = part.iter().copied().collect();
        let leaves =
            |n: &&usize| self.users[**n].iter().any(|u| !inner.contains(u)) || self.results.contains_key(*n);
        item.shape = few(part.iter().filter(leaves).map(|&n| shape(&self.node(n).ty)).collect());
        let held = part.iter().flat_map(|&n| self.folded.held(self.id(n)));
        let held: BTreeSet<Held> = held.filter_map(|id| held_of(graph, id)).collect();
        item.held = held.into_iter().collect();
        item.results = part.iter().filter_map(|n| self.results.get(n)).flatten().cloned().collect();
        item.flops = part.iter().map(|&n| graph.flops(self.id(n), 1)).fold(0, u64::saturating_add);
        item.nodes = part.to_vec();
        item.inside = match (&graph.node(id).prim, one) {
            (Prim::Scan(scan), true) if graph.is_first_of_loop(id) => {
                Some(network(scan.of.body.graph(), self.program))
            }
            (_, true) => None,
            (_, false) => Some(self.inside(part, depth, &item.name)),
        };
        item
    }

    /// What is in a box, with what it takes and gives.
    fn inside(&mut self, part: &[usize], depth: usize, title: &str) -> Drawing {
        let inner: BTreeSet<usize> = part.iter().copied().collect();
        let outside: BTreeSet<usize> = part
            .iter()
            .flat_map(|&n| &self.folded.takes[n])
            .copied()
            .filter(|n| !inner.contains(n))
            .collect();
        // What goes outside is a node behind all others, so that the promise about paths holds for it too.
        let gives: Vec<(usize, String)> =
            part.iter().filter_map(|&n| Some((n, self.given(n, &inner)?))).collect();
        let behind = self.folded.graph.len();
        let ends: Vec<[usize; 1]> = gives.iter().map(|(n, _)| [*n]).collect();
        let nodes: BTreeSet<usize> =
            part.iter().chain(&outside).copied().chain(behind..behind + gives.len()).collect();
        let nodes: Vec<usize> = nodes.into_iter().collect();
        let mut depth = depth;
        let parts = loop {
            let key = |&n: &usize| match self.ways.get(n).and_then(|way| way.steps.get(depth)) {
                Some(call) if inner.contains(&n) => Key::Call(call.clone()),
                _ => Key::Alone(n),
            };
            let takes = |n: usize| match n.checked_sub(behind) {
                Some(end) => &ends[end][..],
                None if inner.contains(&n) => &self.folded.takes[n],
                None => &[],
            };
            let parts = partition(&nodes, takes, &nodes.iter().map(key).collect::<Vec<Key>>(), |_| false);
            depth += 1;
            if parts.len() > 1 + outside.len() + gives.len() {
                break parts;
            }
        };
        let from: BTreeMap<usize, Arc<str>> = outside.iter().map(|&n| (n, self.names[n].clone())).collect();
        let before: Vec<Arc<str>> = part.iter().map(|&n| self.names[n].clone()).collect();
        for p in parts.iter().filter(|p| inner.contains(&p[0])) {
            let call = self.ways[p[0]].steps.get(depth - 1).cloned();
            let name = call.unwrap_or_else(|| self.node(p[0]).prim.name().into());
            for &n in p {
                self.names[n] = name.clone();
            }
        }
        let mut items = Vec::with_capacity(parts.len());
        for p in &parts {
            let (kind, name, node) = match (p[0].checked_sub(behind), from.get(&p[0])) {
                (Some(end), _) => (Kind::To, gives[end].1.clone(), gives[end].0),
                (None, Some(name)) => (Kind::From, name.to_string(), p[0]),
                (None, None) => {
                    items.push(self.item(p, depth.max(2)));
                    continue;
                }
            };
            let mut item = Item::new(kind, name);
            (item.shape, item.band) = (shape(&self.node(node).ty), self.bands[part[0]]);
            item.nodes = vec![node];
            items.push(item);
        }
        for (&n, name) in part.iter().zip(before) {
            self.names[n] = name;
        }
        let takes = |n: usize| match n.checked_sub(behind) {
            Some(end) => &ends[end][..],
            None if inner.contains(&n) => &self.folded.takes[n],
            None => &[],
        };
        let edges = self.edges(&parts, takes);
        Drawing { title: title.to_string(), items, edges }
    }

    /// Who takes a node outside of the box that holds these nodes; nobody, if nobody does.
    fn given(&self, node: usize, inner: &BTreeSet<usize>) -> Option<String> {
        let users = self.users[node].iter().filter(|u| !inner.contains(u));
        let mut names: Vec<String> = users.map(|&u| self.names[u].to_string()).collect();
        names.extend(self.results.get(&node).into_iter().flatten().cloned());
        let mut once = BTreeSet::new();
        names.retain(|name| once.insert(name.clone()));
        let more = names.len().saturating_sub(2);
        names.truncate(2);
        let more = if more > 0 { format!(", {more} more") } else { String::new() };
        (!names.is_empty()).then(|| names.join(", ") + &more)
    }

    /// The edges between parts.
    fn edges<'t>(&self, parts: &[Vec<usize>], takes: impl Fn(usize) -> &'t [usize]) -> Vec<Edge> {
        let mut of: BTreeMap<usize, usize> = BTreeMap::new();
        for (i, part) in parts.iter().enumerate() {
            of.extend(part.iter().map(|&n| (n, i)));
        }
        let mut edges: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for &n in parts.iter().flatten() {
            for take in takes(n) {
                if let (Some(&a), Some(&b)) = (of.get(take), of.get(&n))
                    && a != b
                {
                    edges.entry((a, b)).or_default().insert(shape(&self.node(*take).ty));
                }
            }
        }
        edges_of(edges)
    }
}

/// The nodes that depend on nothing but the number of the step.
fn clockwork(folded: &Folded<'_>) -> Vec<usize> {
    let graph = folded.graph;
    let mut clock = vec![false; graph.len()];
    for id in graph.ids() {
        let takes = &folded.takes[id.index()];
        clock[id.index()] = match graph.node(id).prim.parameter() {
            Some((role, _)) => role == Role::Step,
            None => !takes.is_empty() && takes.iter().all(|&t| clock[t]) && folded.held(id).is_empty(),
        };
    }
    (0..graph.len()).filter(|&n| clock[n] && !folded.takes[n].is_empty()).collect()
}

fn is_slot(graph: &Graph, name: &str) -> bool {
    graph.parameters(Role::Slot).iter().any(|(n, _)| **n == *name)
}

fn way(graph: &Graph, id: NodeId) -> Way {
    let scope = &*graph.node(id).origin.scope;
    let (plain, gradient) = match scope.split_once("(grad)") {
        Some((plain, _)) => (plain.trim_end(), true),
        None => (scope, false),
    };
    let mut calls = plain.split(" > ").filter(|s| !s.is_empty());
    let first = calls.next();
    let mut steps: Vec<Arc<str>> = Vec::new();
    match (first, calls.clone().next()) {
        // An optimizer's rule is run for every weight: those of one layer stand together.
        (Some(OPTIMIZER), Some(weight)) => steps.extend(weight.split('.').map(Arc::from)),
        (Some("metric"), Some(metric)) => steps.push(metric.into()),
        (Some(first), _) => {
            steps.push(first.into());
            steps.extend(calls.map(Arc::from));
            return Way { steps, gradient };
        }
        (None, _) => {}
    }
    steps.extend(calls.skip(1).map(Arc::from));
    Way { steps, gradient }
}

/// The band of every node: what leads to a prediction, loss or metric is forward, even when it is a gradient.
fn bands(graph: &Graph) -> Vec<Band> {
    let mut ahead = vec![false; graph.len()];
    for output in graph.outputs() {
        ahead[output.node.index()] |= match output.kind {
            OutputKind::Objective | OutputKind::Loss | OutputKind::Metric | OutputKind::Total => true,
            OutputKind::Prediction | OutputKind::Initial | OutputKind::Next => true,
            OutputKind::Update | OutputKind::Gradient => false,
        };
    }
    for id in graph.ids().rev() {
        if ahead[id.index()] {
            for operand in graph.operands(id) {
                ahead[operand.index()] = true;
            }
        }
    }
    let band = |id: NodeId| match (ahead[id.index()], graph.node(id).origin.scope.ends_with("(grad)")) {
        (true, _) => Band::Forward,
        (false, true) => Band::Backward,
        (false, false) => Band::Update,
    };
    graph.ids().map(band).collect()
}

/// Whether a node gets no box of its own, and why: for tests.
pub fn is_folded(graph: &Graph) -> Vec<bool> {
    Folded::new(graph).parts.iter().map(|p| *p != Part::Drawn).collect()
}
