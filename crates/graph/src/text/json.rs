//! A graph as plain data for programs.

use crate::Graph;
use serde::Serialize;

/// One node.
#[derive(Serialize, Debug)]
pub struct NodeData {
    /// Its number.
    pub id: usize,
    /// The primitive's StableHLO name.
    pub op: &'static str,
    /// The numbers of its operands.
    pub operands: Vec<usize>,
    /// Attributes by name, as in the text form.
    pub attributes: Vec<(&'static str, String)>,
    /// `f32[B,16]`
    #[serde(rename = "type")]
    pub ty: String,
    /// The way through the program, such as `dense2 > sigmoid`.
    pub scope: String,
    /// `xor.nn:10:1`, empty when unknown.
    pub place: String,
}

/// One named result.
#[derive(Serialize, Debug)]
pub struct OutputData {
    /// What it is for.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The node's number.
    pub node: usize,
}

/// A graph.
#[derive(Serialize, Debug)]
pub struct GraphData {
    /// Its name.
    pub graph: String,
    /// `f32` or `f64`
    pub float: &'static str,
    /// The bodies of loops, those of inner loops first; `body=` of a `scan` names one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<GraphData>,
    /// The nodes in topological order.
    pub nodes: Vec<NodeData>,
    /// The named results.
    pub outputs: Vec<OutputData>,
}

/// The graph as data.
pub fn data(graph: &Graph) -> GraphData {
    let region = |r: std::sync::Arc<crate::Region>| GraphData { graph: r.name(), ..nodes(r.graph()) };
    let regions = crate::text::regions(graph).into_iter().map(region).collect();
    GraphData { regions, ..nodes(graph) }
}

fn nodes(graph: &Graph) -> GraphData {
    let nodes = graph.ids().map(|id| {
        let node = graph.node(id);
        let o = &node.origin;
        let place =
            if o.file.is_empty() { String::new() } else { format!("{}:{}:{}", o.file, o.line, o.column) };
        NodeData {
            id: id.index(),
            op: node.prim.name(),
            operands: graph.operands(id).iter().map(|o| o.index()).collect(),
            attributes: node.prim.attributes(),
            ty: node.ty.to_string(),
            scope: o.scope.to_string(),
            place,
        }
    });
    let outputs = graph.outputs().iter().map(|o| OutputData {
        kind: o.kind.name(),
        name: o.name.to_string(),
        node: o.node.index(),
    });
    GraphData {
        graph: graph.name.to_string(),
        float: graph.float.name(),
        regions: Vec::new(),
        nodes: nodes.collect(),
        outputs: outputs.collect(),
    }
}
