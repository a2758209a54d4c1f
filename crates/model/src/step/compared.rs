//! Which target an output has the units of: what is subtracted from a price, or compared with it, is a price.

use crate::elaborate::elab::Elab;
use crate::elaborate::value::Tensor;
use nnc_graph::{Binary, Elementwise, Movement, NodeId, Prim, Role};

/// The target that a tensor is subtracted from, or compared with, in the loss or a metric.
pub(crate) fn with_target(e: &Elab<'_>, t: &Tensor) -> Option<usize> {
    let graph = e.b.graph();
    let mut same = vec![t.node];
    let mut at = 0;
    while let Some(&node) = same.get(at) {
        at += 1;
        for user in graph.users(node) {
            let prim = &graph.node(user).prim;
            if rearranges(prim) {
                same.extend((!same.contains(&user)).then_some(user));
            } else if relates(prim) {
                let found = graph.operands(user).iter().find_map(|o| target_behind(e, *o));
                if found.is_some() {
                    return found;
                }
            }
        }
    }
    None
}

/// The same numbers in another arrangement.
fn rearranges(prim: &Prim) -> bool {
    matches!(
        prim,
        Prim::Movement(Movement::Reshape | Movement::BroadcastInDim { .. })
            | Prim::Elementwise(Elementwise::Convert)
    )
}

/// What makes sense for numbers of one unit only.
fn relates(prim: &Prim) -> bool {
    matches!(
        prim,
        Prim::Elementwise(
            Elementwise::Binary(Binary::Subtract | Binary::Maximum | Binary::Minimum)
                | Elementwise::Compare(_)
        )
    )
}

/// The target whose numbers a node holds, arranged in another way perhaps.
fn target_behind(e: &Elab<'_>, node: NodeId) -> Option<usize> {
    let graph = e.b.graph();
    let mut node = node;
    loop {
        let prim = &graph.node(node).prim;
        if let Some((Role::Target, name)) = prim.parameter() {
            return e.session.ports.targets.iter().position(|p| *p.name == **name);
        }
        if !rearranges(prim) {
            return None;
        }
        node = *graph.operands(node).first()?;
    }
}
