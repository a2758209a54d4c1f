//! The steps of the network, one row each: what `nnc summary` and "shapes so far" show.

use crate::elaborate::elab::Elab;
use crate::elaborate::frame::Rows;
use crate::elaborate::results::LayerRow;
use crate::elaborate::value::Value;
use nnc_graph::{Graph, NodeId, Prim};
use nnc_syntax::ast::{ExprKind, Link};
use nnc_syntax::{Span, units};

/// Where a row begins.
pub(crate) struct RowStart {
    nodes: usize,
    declared: usize,
    rows: usize,
    /// The shape that goes in.
    given: Option<Vec<usize>>,
}

impl Elab<'_> {
    /// A link that works on a value, if there is one.
    pub(crate) fn row_start(&self, on: Option<&Value>) -> RowStart {
        let given = match on {
            Some(Value::Tensor(t)) => Some(t.sizes()),
            _ => None,
        };
        let (nodes, declared) = (self.b.graph().len(), self.results.declared.len());
        RowStart { nodes, declared, rows: self.results.layers.len(), given }
    }

    /// Notes what a link of the top of the file computed; a mere name (`x`) is no step.
    pub(crate) fn row(&mut self, rows: Rows, start: RowStart, link: &Link, value: &Value) {
        if rows == Rows::None || rows == Rows::Weights && self.results.declared.len() == start.declared {
            return;
        }
        let mention = match link {
            Link::Exprs(exprs) => exprs.iter().all(|e| match &e.kind {
                ExprKind::Name(_) => {
                    self.b.graph().len() == start.nodes && self.results.declared.len() == start.declared
                }
                ExprKind::It | ExprKind::Int(_) | ExprKind::Float(_) => true,
                _ => false,
            }),
            _ => false,
        };
        let t = match value {
            Value::Tensor(t) => t,
            // A layer with several results, such as an LSTM with its states.
            Value::Several(parts) if self.results.declared.len() > start.declared => match parts.first() {
                Some(Value::Tensor(t)) => t,
                _ => return,
            },
            _ => return,
        };
        if mention && !self.is_function_name(link) {
            return;
        }
        let span = link.span();
        let text = self.session.sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let new = &self.results.declared[start.declared..];
        let name = match new.first() {
            Some(d) => d.path.split('.').next().unwrap_or("").to_string(),
            None => first_word(&text),
        };
        let weights = new
            .iter()
            .filter(|d| d.role == nnc_graph::Role::Weight)
            .map(|d| d.tensor.sizes().iter().product::<usize>())
            .sum();
        let graph = self.b.graph();
        let (mut flops, mut bytes) = (0u64, 0u64);
        // What stood for values of a loop while its body was run is no work.
        let hangs = graph.hangs_on_stand_ins(start.nodes);
        for id in graph.ids_from(start.nodes).filter(|id| !hangs[id.index() - start.nodes]) {
            flops = flops.saturating_add(graph.flops(id, 1));
            bytes = bytes.saturating_add(activation_bytes(graph, id));
        }
        // What stood in brackets inside has its own rows.
        let (mut weights, mut name): (usize, String) = (weights, name);
        for inner in &self.results.layers[start.rows..] {
            weights = weights.saturating_sub(inner.weights);
            flops = flops.saturating_sub(inner.flops);
            bytes = bytes.saturating_sub(inner.bytes);
            if inner.name == name {
                name = first_word(&text);
            }
        }
        let shape = t.sizes();
        let given = start.given;
        self.results.layers.push(LayerRow { name, text, span, given, shape, weights, flops, bytes });
    }

    fn is_function_name(&self, link: &Link) -> bool {
        match link {
            Link::Exprs(exprs) => match exprs.first().map(|e| &e.kind) {
                Some(ExprKind::Name(name)) => {
                    self.scope.globals.defs.contains_key(name)
                        || crate::elaborate::builtins::find(name).is_some()
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// The chain of shapes up to a place, for messages about shapes.
    pub(crate) fn shapes_so_far(&self, wanted: Span) -> Vec<String> {
        let mut rows: Vec<(String, String, String)> = Vec::new();
        for port in &self.session.ports.inputs {
            let shape = if port.shape.is_empty() { "one class".into() } else { units::sizes(&port.shape) };
            rows.push((port.name.clone(), shape, port.about.clone()));
        }
        for row in &self.results.layers {
            let (line, _) = self.session.sources.get(row.span.source).line_column(row.span.start);
            let shape = if row.shape.is_empty() { "one number".into() } else { units::sizes(&row.shape) };
            rows.push((row.text.clone(), shape, format!("line {line}")));
        }
        let text = self.session.sources.slice(wanted).split_whitespace().collect::<Vec<_>>().join(" ");
        rows.push((text, "?".into(), String::new()));
        // What led here lately; a long network's beginning is of no help.
        const ROWS: usize = 40;
        if rows.len() > ROWS {
            rows.splice(1..rows.len() - ROWS, [("…".into(), String::new(), String::new())]);
        }
        for row in &mut rows {
            const LONG: usize = 60;
            if let Some((cut, _)) = row.0.char_indices().nth(LONG) {
                row.0.truncate(cut);
                row.0.push('…');
            }
        }
        let a = rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(0);
        let b = rows.iter().map(|r| r.1.chars().count()).max().unwrap_or(0);
        let line =
            |(x, y, z): &(String, String, String)| format!("    {x:a$}  {y:b$}  {z}").trim_end().to_string();
        std::iter::once("shapes so far, for one sample:".to_string()).chain(rows.iter().map(line)).collect()
    }
}

/// Bytes of what a node computes for one sample; those of all steps for the first result of a loop.
fn activation_bytes(graph: &Graph, id: NodeId) -> u64 {
    let own = |graph: &Graph, id: NodeId| {
        if graph.ty(id).is_batched() { graph.ty(id).count_at(1).unwrap_or(0) as u64 * 4 } else { 0 }
    };
    let Prim::Scan(scan) = &graph.node(id).prim else {
        return own(graph, id);
    };
    if !graph.is_first_of_loop(id) {
        return 0;
    }
    let body = scan.of.body.graph();
    let step = body.ids_from(scan.of.body.parameters()).map(|id| activation_bytes(body, id));
    step.fold(0, u64::saturating_add).saturating_mul(scan.of.length as u64)
}

/// The name that a step without weights goes by: its first word; none where it is a formula.
fn first_word(text: &str) -> String {
    let word = text.split([' ', '(']).next().unwrap_or("");
    match word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.') {
        true => word.to_string(),
        false => String::new(),
    }
}
