//! Loops in ONNX: one Scan for all results of a loop. What is the same in every step is read from outside of it.

use super::emit::{At, Emitter, Scope, Val, elem, sizes};
use super::proto::{Attr, Elem, Graph, Port};
use nnc_graph::{Dim, NodeId, Prim, Scan, ScanResult};
use std::collections::BTreeMap;

impl Emitter<'_> {
    /// Writes a loop, and remembers all its results; what one of them comes to.
    pub(crate) fn scan(&mut self, at: At, scan: &Scan) -> Result<Val, String> {
        let (level, id) = at;
        let graph = self.scopes[level].graph;
        let operands = self.operands(at);
        let Prim::Scan(own) = self.prim(at) else { return Err("no loop".into()) };
        let body = &own.of.body;
        let mut results: Vec<(NodeId, ScanResult)> = Vec::new();
        for other in graph.ids() {
            if let Prim::Scan(s) = self.prim((level, other))
                && s.of == scan.of
                && self.operands((level, other)) == operands
            {
                results.push((other, s.result));
            }
        }
        let (carries, slices) = (body.carries(), body.slices());
        let given: Result<Vec<String>, String> =
            operands[..carries + slices].iter().map(|&o| self.canonical(o)).collect();
        let mut given = given?;
        let (origin, doc) = (self.origin.clone(), self.doc.clone());

        // The body.
        let inner = body.graph();
        let mut scope =
            Scope { graph: inner, vals: vec![None; inner.len()], same: BTreeMap::new(), nodes: Vec::new() };
        let mut inputs = Vec::new();
        for (i, operand) in operands.iter().enumerate() {
            let (node, ty) = (body.parameter_node(i), body.parameter(i));
            if i >= carries + slices {
                scope.same.insert(node, operand.1);
                continue;
            }
            let label = if i < carries { "carry" } else { "slice" };
            let name = self.fresh(&format!("{origin}/{label}"));
            inputs.push(Port {
                name: name.clone(),
                elem: elem(ty.dtype),
                shape: sizes(&ty.shape),
                doc: String::new(),
            });
            scope.vals[node.index()] = Some(Val::plain(name, ty.rank()));
        }
        if slices == 0 {
            // A loop runs over something.
            let counted = self.counter(own.of.length)?;
            given.push(counted);
            let name = self.fresh(&format!("{origin}/step"));
            inputs.push(Port { name, elem: Elem::Int64, shape: Vec::new(), doc: String::new() });
        }
        self.scopes.push(scope);
        self.graph(level + 1)?;
        self.from("", "");
        self.origin.clone_from(&origin);
        let mut outputs = Vec::new();
        let mut asked: Vec<NodeId> = Vec::new();
        for (_, result) in &results {
            if let ScanResult::Stack(node) = *result
                && !asked.contains(&node)
            {
                asked.push(node);
            }
        }
        for (i, &node) in body.next().iter().chain(&asked).enumerate() {
            let label = if i < carries { "next" } else { "said" };
            let ty = inner.ty(node);
            let value = self.canonical((level + 1, node))?;
            let name = self.fresh(&format!("{origin}/{label}"));
            self.push(level + 1, "Identity", &name, &[&value], vec![name.clone()], Vec::new());
            let shape = sizes(&ty.shape);
            outputs.push(Port { name, elem: elem(ty.dtype), shape, doc: String::new() });
        }
        let said: Vec<String> = outputs.iter().map(|o| o.name.clone()).collect();
        let nodes = self.close(&said);
        let name = self.fresh(&format!("{origin}/step"));
        let body = Graph { name, nodes, inputs, outputs, ..Graph::default() };

        // The loop.
        self.origin = origin;
        self.doc = doc;
        let over = given.len() - carries;
        let name = self.fresh(&format!("{}/scan", self.origin));
        let says: Vec<String> = (0..said.len()).map(|i| self.fresh(&format!("{name}.{i}"))).collect();
        let mut attrs =
            vec![("body", Attr::Graph(Box::new(body))), ("num_scan_inputs", Attr::Int(over as i64))];
        if own.of.reverse {
            attrs.push(("scan_input_directions", Attr::Ints(vec![1; over])));
            attrs.push(("scan_output_directions", Attr::Ints(vec![1; asked.len()])));
        }
        if asked.is_empty() {
            attrs.retain(|(name, _)| *name != "scan_output_directions");
        }
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        self.push(level, "Scan", &name, &given, says.clone(), attrs);
        let mut mine = None;
        for (other, result) in results {
            let place = match result {
                ScanResult::Last(i) => i,
                ScanResult::Stack(node) => carries + asked.iter().position(|a| *a == node).unwrap_or(0),
            };
            let val = Val::plain(says[place].clone(), graph.ty(other).rank());
            if other == id {
                mine = Some(val.clone());
            }
            self.scopes[level].vals[other.index()] = Some(val);
        }
        mine.ok_or_else(|| "a loop without its result".into())
    }

    /// 0, 1, 2, …
    fn counter(&mut self, length: usize) -> Result<String, String> {
        let all: Vec<i64> = (0..length as i64).collect();
        Ok(self.ints(&all))
    }

    /// The elements of a shape, as one number.
    pub(crate) fn count(&mut self, level: usize, shape: &[Dim]) -> Result<String, String> {
        let sizes = self.shape(shape)?;
        let keep = [("keepdims", Attr::Int(0))];
        Ok(self.node(level, "ReduceProd", &[&sizes], &keep))
    }
}
