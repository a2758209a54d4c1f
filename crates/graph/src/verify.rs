//! What every graph promises.
//!
//! 1. Operands come before their users: the order of ids is topological.
//! 2. Operand positions of a node are 0, 1, 2, … without a gap.
//! 3. Every node's type follows from its primitive and its operands' types.
//! 4. No two nodes are the same parameter (role and name).
//! 5. Every result names a node of the graph; no two results have the same kind and name.
//! 6. An update has the type of the parameter (weight, state or slot) that it is for.
//! 7. Every float in the graph has the graph's precision.
//! 8. The body of a loop keeps all of this, and what is said of regions (`region.rs`); its floats are the graph's.
//! 9. Stand-ins, carries, slices and invariants are parameters of regions alone: no result of a graph depends on one.

use crate::{Graph, NodeId, OutputKind, Role};
use petgraph::Direction::Incoming;
use petgraph::graph::NodeIndex;
use std::collections::{BTreeMap, BTreeSet};

/// Checks the promises at the head of this file.
///
/// # Errors
/// Every promise that is broken, a line each.
pub fn verify(graph: &Graph) -> Result<(), Vec<String>> {
    let mut broken = Vec::new();
    let parameters = check_nodes(graph, &mut broken);
    check_outputs(graph, &parameters, &mut broken);
    for region in crate::text::regions(graph) {
        let inner = region.graph();
        let mut found = Vec::new();
        check_nodes(inner, &mut found);
        if inner.float != graph.float {
            found.push(format!("floats are {} in a graph of {}", inner.float.name(), graph.float.name()));
        }
        broken.extend(found.into_iter().map(|e| format!("region {}: {e}", region.name())));
    }
    if !broken.is_empty() {
        return Err(broken);
    }
    let live = graph.live();
    for ((role, name), id) in &parameters {
        if role.is_of_region() && live[id.index()] {
            broken.push(format!("{id}: {} `{name}` outside of a region", role.name()));
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(broken) }
}

fn check_nodes(graph: &Graph, broken: &mut Vec<String>) -> Parameters {
    let mut parameters = BTreeMap::new();
    for id in graph.ids() {
        let node = graph.node(id);
        let mut ports: Vec<u32> =
            graph.dag.edges_directed(NodeIndex::new(id.index()), Incoming).map(|e| *e.weight()).collect();
        ports.sort_unstable();
        if ports != (0..ports.len() as u32).collect::<Vec<_>>() {
            broken.push(format!("{id}: operand positions are {ports:?}"));
        }
        let operands = graph.operands(id);
        if operands.iter().any(|&o| o >= id) {
            broken.push(format!("{id}: uses a later node"));
            continue;
        }
        let types: Vec<_> = operands.iter().map(|&o| graph.ty(o)).collect();
        if let Err(e) = node.prim.check(&types, &node.ty) {
            broken.push(format!("{id} {}: {e}", node.prim.name()));
        }
        if node.ty.dtype.is_float() && node.ty.dtype != graph.float {
            broken.push(format!("{id}: {} in a graph of {}", node.ty, graph.float.name()));
        }
        if let Some((role, name)) = node.prim.parameter()
            && parameters.insert((role, name.clone()), id).is_some()
        {
            broken.push(format!("{id}: a second {} `{name}`", role.name()));
        }
    }
    parameters
}

type Parameters = BTreeMap<(Role, std::sync::Arc<str>), NodeId>;

fn check_outputs(graph: &Graph, parameters: &Parameters, broken: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for output in graph.outputs() {
        let (kind, name) = (output.kind, &output.name);
        if !seen.insert((kind, name.clone())) {
            broken.push(format!("a second {} `{name}`", kind.name()));
        }
        if output.node.index() >= graph.len() {
            broken.push(format!("{} `{name}` names {}, which is not there", kind.name(), output.node));
            continue;
        }
        if kind == OutputKind::Update {
            let of = [Role::Weight, Role::State, Role::Slot]
                .iter()
                .find_map(|&r| parameters.get(&(r, name.clone())));
            match of {
                None => broken.push(format!("update `{name}` has no parameter")),
                Some(&p) if graph.ty(p) != graph.ty(output.node) => {
                    broken.push(format!("update `{name}` is {}, not {}", graph.ty(output.node), graph.ty(p)));
                }
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Binary, Bits, Builder, DType, Elementwise, Leaf, Node, Prim, Type, Unary};
    use std::sync::Arc;

    fn ty(sizes: &[usize]) -> Type {
        Type::new(DType::F32, sizes.iter().map(|&n| n.into()).collect::<Vec<_>>())
    }

    fn node(prim: impl Into<Prim>, ty: Type) -> Node {
        Node { prim: prim.into(), ty, origin: Arc::default() }
    }

    fn weight(name: &str, ty: Type) -> Node {
        node(Leaf::Parameter { role: Role::Weight, name: name.into() }, ty)
    }

    /// A graph with one weight `w` of two numbers.
    fn one() -> Graph {
        let mut g = Graph::new("g", DType::F32);
        g.push(weight("w", ty(&[2])), &[]);
        g
    }

    fn broken(g: &Graph, words: &str) {
        let found = verify(g).expect_err("this graph keeps its promises");
        assert!(found.iter().any(|f| f.contains(words)), "{found:?} does not say `{words}`");
    }

    #[test]
    fn a_sound_graph_passes() {
        let mut b = Builder::new("g", DType::F32);
        let w = b.parameter(Role::Weight, "w", ty(&[2]));
        let next = b.unary(Unary::Negate, w);
        b.output(OutputKind::Update, "w", next);
        assert_eq!(verify(b.graph()), Ok(()));
    }

    #[test]
    fn operands_come_first() {
        let mut g = one();
        let id = g.push(node(Elementwise::Unary(Unary::Negate), ty(&[2])), &[]);
        let later = g.push(node(Elementwise::Unary(Unary::Negate), ty(&[2])), &[NodeId(0)]);
        g.dag.add_edge(NodeIndex::new(later.index()), NodeIndex::new(id.index()), 0);
        broken(&g, "uses a later node");
    }

    #[test]
    fn operand_positions_have_no_gap() {
        let mut g = one();
        let id = g.push(node(Elementwise::Binary(Binary::Add), ty(&[2])), &[NodeId(0)]);
        g.dag.add_edge(NodeIndex::new(0), NodeIndex::new(id.index()), 2);
        broken(&g, "operand positions are [0, 2]");
    }

    #[test]
    fn types_follow_from_operands() {
        let mut g = one();
        g.push(node(Elementwise::Unary(Unary::Negate), ty(&[3])), &[NodeId(0)]);
        broken(&g, "the result is f32[2], not f32[3]");
    }

    #[test]
    fn parameters_stand_once() {
        let mut g = one();
        g.push(weight("w", ty(&[2])), &[]);
        broken(&g, "a second weight `w`");
    }

    #[test]
    fn results_name_nodes() {
        let mut g = one();
        g.add_output(OutputKind::Metric, "m", NodeId(7));
        broken(&g, "names %7, which is not there");
    }

    #[test]
    fn results_stand_once() {
        let mut g = one();
        g.add_output(OutputKind::Metric, "m", NodeId(0));
        g.add_output(OutputKind::Metric, "m", NodeId(0));
        broken(&g, "a second metric `m`");
    }

    #[test]
    fn updates_have_a_parameter() {
        let mut g = one();
        g.add_output(OutputKind::Update, "v", NodeId(0));
        broken(&g, "update `v` has no parameter");
    }

    #[test]
    fn updates_have_the_type_of_their_parameter() {
        let mut g = one();
        let id = g.push(node(Leaf::Constant(Bits::from(1.0)), ty(&[])), &[]);
        g.add_output(OutputKind::Update, "w", id);
        broken(&g, "update `w` is f32[], not f32[2]");
    }

    #[test]
    fn floats_have_one_precision() {
        let mut g = one();
        g.push(node(Leaf::Constant(Bits::from(1.0)), Type::scalar(DType::F64)), &[]);
        broken(&g, "f64[] in a graph of f32");
    }
}
