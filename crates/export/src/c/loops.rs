//! Loops of graphs as loops of C.

use super::emit::{Argument, Emitter, Place, Scope, stored};
use super::index::Index;
use nnc_graph::{NodeId, Prim, Scan};
use std::collections::{BTreeMap, BTreeSet};

impl<'a> Emitter<'a> {
    /// Writes a loop: all its results at once.
    pub(crate) fn scan(&mut self, id: NodeId, scan: &'a Scan, targets: &BTreeMap<NodeId, Place>) {
        let graph = self.scope().graph;
        let operands = graph.operands(id);
        let body = &scan.of.body;
        let results: Vec<(NodeId, nnc_graph::ScanResult)> = graph
            .ids()
            .filter_map(|n| match &graph.node(n).prim {
                Prim::Scan(s) => Some((n, s)),
                Prim::Leaf(_)
                | Prim::Elementwise(_)
                | Prim::Movement(_)
                | Prim::Reduce(_)
                | Prim::DotGeneral(_)
                | Prim::Convolve(_)
                | Prim::Window(_)
                | Prim::Indexing(_) => None,
            })
            .filter(|(n, s)| s.of == scan.of && graph.operands(*n) == operands)
            .map(|(n, s)| (n, s.result))
            .collect();
        self.clock += 1;
        let start = self.clock;
        // Carries.
        let mut carries = Vec::new();
        for (i, &operand) in operands.iter().enumerate().take(body.carries()) {
            let size = self.count(body.parameter(i));
            let place = self.room(size);
            self.touch(&place);
            self.copy(operand, &place);
            carries.push(place);
        }
        // Stacks: one for each node of the body that is asked for.
        let mut stacks: BTreeMap<NodeId, Place> = BTreeMap::new();
        for (n, result) in &results {
            match *result {
                nnc_graph::ScanResult::Last(i) => {
                    self.scope_mut().places[n.index()] = Some(carries[i].clone());
                }
                nnc_graph::ScanResult::Stack(inner) => {
                    let size = self.count(graph.ty(*n));
                    let room = match stacks.get(&inner) {
                        Some(place) => place.clone(),
                        None => targets.get(n).cloned().unwrap_or_else(|| self.room(size)),
                    };
                    self.touch(&room);
                    stacks.insert(inner, room.clone());
                    self.scope_mut().places[n.index()] = Some(room);
                }
            }
        }
        let n = self.loops;
        self.loops += 1;
        let length = scan.of.length;
        let counter = format!("t{n}");
        self.line(&match scan.of.reverse {
            false => format!("for (int {counter} = 0; {counter} < {length}; {counter}++) {{"),
            true => format!("for (int {counter} = {}; {counter} >= 0; {counter}--) {{", length - 1),
        });
        self.depth += 1;
        let step = Index::counter(counter, length);
        let slices = body.carries()..body.carries() + body.slices();
        let arguments = operands.iter().enumerate().map(|(i, &o)| match i {
            i if i < slices.start => Argument::Carry(carries[i].clone()),
            i if slices.contains(&i) => Argument::Slice(o, step.clone()),
            _ => Argument::Same(o),
        });
        let arguments: Vec<Argument> = arguments.collect();
        let inner = body.graph();
        let computed = |n: NodeId| inner.node(n).prim.parameter().is_none();
        let mut roots: BTreeSet<NodeId> = body.next().iter().copied().filter(|&n| computed(n)).collect();
        roots.extend(stacks.keys().copied().filter(|&n| computed(n)));
        let stored = stored(inner, self.batch, &roots);
        let places = vec![None; inner.len()];
        self.scopes.push(Scope { graph: inner, stored, places, arguments });
        let mut inner_targets = BTreeMap::new();
        for (&node, place) in &stacks {
            let size = self.count(inner.ty(node));
            let at = place.offset.plus(&step.times(size as i64));
            inner_targets.insert(node, Place { offset: at, ..place.clone() });
        }
        self.nodes(&inner_targets);
        for (&node, place) in &inner_targets {
            let there = self.scope().places[node.index()].as_ref().is_some_and(|p| p.name == place.name);
            if !there {
                self.clock += 1;
                self.touch(place);
                self.copy(node, place);
            }
        }
        self.carry_on(body.next(), &carries);
        self.scopes.pop();
        self.depth -= 1;
        self.line("}");
        self.clock += 1;
        let end = self.clock;
        // What is read in some step is read in the last.
        for tenant in &mut self.tenants {
            if tenant.from <= start && tenant.until >= start {
                tenant.until = tenant.until.max(end);
            }
        }
    }

    /// At the end of a step: what the carries become.
    fn carry_on(&mut self, next: &[NodeId], carries: &[Place]) {
        self.clock += 1;
        // A carry that becomes another one is kept from being overwritten.
        let mut sources: Vec<Option<Place>> = Vec::new();
        for (i, &node) in next.iter().enumerate() {
            let moved = node.index() < carries.len() && node.index() != i;
            sources.push(moved.then(|| {
                let ty = self.scope().graph.ty(node).clone();
                let size = self.count(&ty);
                let room = self.room(size);
                self.touch(&room);
                self.copy(node, &room);
                room
            }));
        }
        self.clock += 1;
        for (i, &node) in next.iter().enumerate() {
            if node.index() == i {
                continue;
            }
            self.touch(&carries[i]);
            match &sources[i] {
                None => self.copy(node, &carries[i]),
                Some(room) => {
                    let ty = self.scope().graph.ty(node).clone();
                    let n = self.count(&ty);
                    self.nest(&[n], |e, at| {
                        let from = e.at(room, &at[0]);
                        e.assign(&carries[i], &at[0], &from);
                    });
                }
            }
        }
    }
}
