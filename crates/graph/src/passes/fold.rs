//! Local simplification: scalars are computed once, nothing is moved that need not move.
//!
//! Every rule is exact: it does not change a bit of any result (`x * 1`, `x / 1`, `-(-x)`),
//! with one convention: `0 * x`, `x - x` and `x + 0` are left alone, since they decide about NaN and −0.

use super::rebuild_mapped;
use crate::prim::scan::{Loop, Scan, ScanResult};
use crate::{Binary, Builder, Dim, Elementwise, Graph, Movement, NodeId, Prim, Region, Type, Unary};
use std::collections::HashMap;
use std::sync::Arc;

/// Simplifies node by node, operands first.
pub fn simplify(graph: &Graph) -> Graph {
    simplify_mapped(graph).0
}

/// The new node of each, where there is one.
type New = Vec<Option<NodeId>>;

fn simplify_mapped(graph: &Graph) -> (Graph, New) {
    let mut bodies: HashMap<Arc<Region>, (Arc<Region>, New)> = HashMap::new();
    rebuild_mapped(
        graph,
        |_| true,
        |b, prim, operands, ty| {
            if let Prim::Scan(scan) = prim {
                let (body, new) = bodies.entry(scan.of.body.clone()).or_insert_with(|| {
                    let (simple, new) = simplify_mapped(scan.of.body.graph());
                    // Parameters stay as they are, so that a region stays one.
                    match Region::new(simple) {
                        Ok(region) => (Arc::new(region), new),
                        Err(message) => panic!("a simplified loop is none: {message}"),
                    }
                });
                let result = match scan.result {
                    ScanResult::Stack(n) => ScanResult::Stack(new[n.index()].unwrap_or(n)),
                    last @ ScanResult::Last(_) => last,
                };
                b.emit(Scan { of: Loop { body: body.clone(), ..scan.of }, result }, operands, ty)
            } else {
                emit(b, prim, operands, ty)
            }
        },
    )
}

fn emit(b: &mut Builder, prim: Prim, x: &[NodeId], ty: Type) -> NodeId {
    if let Some(id) = through_broadcast(b, &prim, x, &ty) {
        return id;
    }
    if let Some(id) = fold_constants(b, &prim, x, &ty) {
        return id;
    }
    let inner = |b: &Builder, i: usize| b.graph().node(x[i]).prim.clone();
    let simpler = if let Prim::Elementwise(function) = &prim {
        match function {
            Elementwise::Unary(Unary::Negate) => {
                let negate = Prim::from(Elementwise::Unary(Unary::Negate));
                (inner(b, 0) == negate).then(|| b.operands(x[0])[0])
            }
            Elementwise::Binary(op) => neutral(b, *op, x[0], x[1]),
            Elementwise::Convert => (b.ty(x[0]) == &ty).then_some(x[0]),
            Elementwise::Unary(_)
            | Elementwise::Compare(_)
            | Elementwise::Select
            | Elementwise::StopGradient => None,
        }
    } else if let Prim::Movement(movement) = &prim {
        moved(b, movement, x[0], &ty)
    } else {
        None
    };
    simpler.unwrap_or_else(|| b.emit(prim, x, ty))
}

/// What is moved twice is moved once, and not at all where that leads back.
fn moved(b: &mut Builder, movement: &Movement, x: NodeId, ty: &Type) -> Option<NodeId> {
    let Prim::Movement(first) = b.graph().node(x).prim.clone() else {
        return (*movement == Movement::Reshape && b.ty(x) == ty).then_some(x);
    };
    match (movement, first) {
        (Movement::Reshape, _) if b.ty(x) == ty => Some(x),
        (Movement::Reshape, Movement::Reshape) => {
            let inner = b.operands(x)[0];
            Some(b.reshape(inner, ty.shape.clone()))
        }
        (Movement::Transpose { perm }, Movement::Transpose { perm: first }) => {
            let both: Vec<usize> = perm.iter().map(|&p| first[p]).collect();
            let inner = b.operands(x)[0];
            Some(b.transpose(inner, both))
        }
        (Movement::BroadcastInDim { axes }, Movement::BroadcastInDim { axes: first }) => {
            let both: Vec<usize> = first.iter().map(|&f| axes[f]).collect();
            let inner = b.operands(x)[0];
            Some(b.broadcast(inner, both, ty.shape.clone()))
        }
        (
            Movement::Reshape
            | Movement::Transpose { .. }
            | Movement::BroadcastInDim { .. }
            | Movement::Slice { .. }
            | Movement::Concatenate { .. }
            | Movement::Pad { .. }
            | Movement::Reverse { .. },
            _,
        ) => None,
    }
}

/// The scalar that a node repeats, or the node itself when it is a scalar.
fn scalar_of(b: &Builder, id: NodeId) -> Option<NodeId> {
    let node = b.graph().node(id);
    if node.ty.rank() == 0 {
        return Some(id);
    }
    let repeats = matches!(&node.prim, Prim::Movement(Movement::BroadcastInDim { axes }) if axes.is_empty());
    if repeats { b.operands(id).first().copied() } else { None }
}

/// An elementwise function of repeated scalars is the repeated function of the scalars.
fn through_broadcast(b: &mut Builder, prim: &Prim, x: &[NodeId], ty: &Type) -> Option<NodeId> {
    if !matches!(prim, Prim::Elementwise(_)) || ty.rank() == 0 || ty.shape.contains(&Dim::Size(0)) {
        return None;
    }
    let scalars: Option<Vec<NodeId>> = x.iter().map(|&id| scalar_of(b, id)).collect();
    let inner = emit(b, prim.clone(), &scalars?, Type::scalar(ty.dtype));
    Some(b.broadcast(inner, Vec::new(), ty.shape.clone()))
}

/// A function of constants is a constant, computed in double precision and rounded once; only for functions
/// whose double result is the same on every machine.
fn fold_constants(b: &mut Builder, prim: &Prim, x: &[NodeId], ty: &Type) -> Option<NodeId> {
    let Prim::Elementwise(function) = prim else { return None };
    let v: Vec<f64> = x.iter().map(|&id| b.graph().node(id).prim.constant()).collect::<Option<_>>()?;
    let folded = match function {
        Elementwise::Unary(op @ (Unary::Negate | Unary::Abs | Unary::Sqrt)) => op.of(v[0]),
        Elementwise::Binary(op) if *op != Binary::Power => op.of(v[0], v[1]),
        Elementwise::Unary(_)
        | Elementwise::Binary(_)
        | Elementwise::Compare(_)
        | Elementwise::Select
        | Elementwise::Convert
        | Elementwise::StopGradient => return None,
    };
    Some(b.constant_of(folded, ty.dtype))
}

/// `x * 1`, `1 * x`, `x / 1`, `x - 0`, `x ^ 1`.
fn neutral(b: &Builder, op: Binary, l: NodeId, r: NodeId) -> Option<NodeId> {
    let is = |id: NodeId, value: f64| {
        scalar_of(b, id).is_some_and(|s| b.graph().node(s).prim.constant() == Some(value))
    };
    match op {
        Binary::Multiply if is(r, 1.0) => Some(l),
        Binary::Multiply if is(l, 1.0) => Some(r),
        Binary::Divide | Binary::Power if is(r, 1.0) => Some(l),
        Binary::Subtract if is(r, 0.0) => Some(l),
        Binary::Add
        | Binary::Subtract
        | Binary::Multiply
        | Binary::Divide
        | Binary::Power
        | Binary::Maximum
        | Binary::Minimum
        | Binary::And
        | Binary::Or => None,
    }
}
