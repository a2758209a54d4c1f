//! Local simplification: scalars are computed once, nothing is moved that need not move.
//!
//! Every rule is exact: it does not change a bit of any result (`x * 1`, `x / 1`, `-(-x)`, `max` of equals),
//! with one convention: `0 * x`, `x - x` and `x + 0` are left alone, since they decide about NaN and −0.

use super::rebuild;
use crate::prim::elementwise;
use crate::{Binary, Builder, Dim, Graph, NodeId, Prim, Type, Unary};

/// Simplifies node by node, operands first.
pub fn simplify(graph: &Graph) -> Graph {
    rebuild(graph, |_| true, emit)
}

fn emit(b: &mut Builder, prim: Prim, x: &[NodeId], ty: Type) -> NodeId {
    if let Some(id) = through_broadcast(b, &prim, x, &ty) {
        return id;
    }
    if let Some(id) = fold_constants(b, &prim, x, &ty) {
        return id;
    }
    match (&prim, x) {
        (Prim::Unary(Unary::Negate), [a]) => {
            if let (Prim::Unary(Unary::Negate), inner) = (&b.graph().node(*a).prim, b.operands(*a)) {
                return inner[0];
            }
        }
        (Prim::Binary(op), [l, r]) => {
            if let Some(id) = neutral(b, *op, *l, *r) {
                return id;
            }
        }
        (Prim::Reshape | Prim::StopGradient, [a]) if b.ty(*a) == &ty && matches!(prim, Prim::Reshape) => {
            return *a;
        }
        (Prim::Reshape, [a]) if matches!(b.graph().node(*a).prim, Prim::Reshape) => {
            let inner = b.operands(*a)[0];
            return b.reshape(inner, ty.shape);
        }
        (Prim::Transpose { perm }, [a]) => {
            if let Prim::Transpose { perm: first } = &b.graph().node(*a).prim {
                let both: Vec<usize> = perm.iter().map(|&p| first[p]).collect();
                let inner = b.operands(*a)[0];
                return b.transpose(inner, both);
            }
        }
        (Prim::BroadcastInDim { axes }, [a]) => {
            if let Prim::BroadcastInDim { axes: first } = &b.graph().node(*a).prim {
                let both: Vec<usize> = first.iter().map(|&f| axes[f]).collect();
                let inner = b.operands(*a)[0];
                return b.broadcast(inner, both, ty.shape);
            }
        }
        (Prim::Convert, [a]) if b.ty(*a) == &ty => return *a,
        _ => {}
    }
    b.emit(prim, x, ty)
}

/// The scalar that a node repeats, or the node itself when it is a scalar.
fn scalar_of(b: &Builder, id: NodeId) -> Option<NodeId> {
    let node = b.graph().node(id);
    match &node.prim {
        _ if node.ty.rank() == 0 => Some(id),
        Prim::BroadcastInDim { axes } if axes.is_empty() => b.operands(id).first().copied(),
        _ => None,
    }
}

/// An elementwise function of repeated scalars is the repeated function of the scalars.
fn through_broadcast(b: &mut Builder, prim: &Prim, x: &[NodeId], ty: &Type) -> Option<NodeId> {
    let elementwise = matches!(
        prim,
        Prim::Unary(_)
            | Prim::Binary(_)
            | Prim::Compare(_)
            | Prim::Select
            | Prim::Convert
            | Prim::StopGradient
    );
    if !elementwise || ty.rank() == 0 || ty.shape.contains(&Dim::Size(0)) {
        return None;
    }
    let scalars: Option<Vec<NodeId>> = x.iter().map(|&id| scalar_of(b, id)).collect();
    let inner = emit(b, prim.clone(), &scalars?, Type::scalar(ty.dtype));
    Some(b.broadcast(inner, Vec::new(), ty.shape.clone()))
}

/// A function of constants is a constant, computed in double precision and rounded once; only for functions
/// whose double result is the same on every machine.
fn fold_constants(b: &mut Builder, prim: &Prim, x: &[NodeId], ty: &Type) -> Option<NodeId> {
    let value = |id: &NodeId| match b.graph().node(*id).prim {
        Prim::Constant(bits) => Some(bits.get()),
        _ => None,
    };
    let v: Vec<f64> = x.iter().map(value).collect::<Option<_>>()?;
    let folded = match (prim, &v[..]) {
        (Prim::Unary(op @ (Unary::Negate | Unary::Abs | Unary::Sqrt)), [a]) => elementwise::unary(*op, *a),
        (Prim::Binary(op), [l, r]) if *op != Binary::Power => elementwise::binary(*op, *l, *r),
        _ => return None,
    };
    Some(b.constant_of(folded, ty.dtype))
}

/// `x * 1`, `1 * x`, `x / 1`, `x - 0`, `x ^ 1`.
fn neutral(b: &Builder, op: Binary, l: NodeId, r: NodeId) -> Option<NodeId> {
    let is = |id: NodeId, value: f64| {
        scalar_of(b, id)
            .is_some_and(|s| matches!(b.graph().node(s).prim, Prim::Constant(v) if v.get() == value))
    };
    match op {
        Binary::Multiply if is(r, 1.0) => Some(l),
        Binary::Multiply if is(l, 1.0) => Some(r),
        Binary::Divide | Binary::Power if is(r, 1.0) => Some(l),
        Binary::Subtract if is(r, 0.0) => Some(l),
        _ => None,
    }
}
