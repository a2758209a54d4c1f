//! Products: sums over pairs of contracted axes, with axes that both operands share.

use super::{Kind, Lift, Rules, StableHlo, Summed, arity, count, expect};
use crate::array::{Array, Bindings, each_index};
use crate::text::{Attributes, list};
use crate::{Builder, Dim, NodeId, Type};

/// The axes of a product. The result's axes are the shared ones, then the left operand's own, then the
/// right operand's own (StableHLO `dot_general`).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DotDims {
    /// Left axes that are shared with the right.
    pub left_batch: Vec<usize>,
    /// The right's, in the same order.
    pub right_batch: Vec<usize>,
    /// Left axes that are summed over.
    pub left_contract: Vec<usize>,
    /// The right's, in the same order.
    pub right_contract: Vec<usize>,
}

impl DotDims {
    /// The left operand's own axes.
    pub fn left_free(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|i| !self.left_batch.contains(i) && !self.left_contract.contains(i)).collect()
    }

    /// The right operand's own axes.
    pub fn right_free(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|i| !self.right_batch.contains(i) && !self.right_contract.contains(i)).collect()
    }

    /// The shape of the product.
    pub fn result(&self, left: &[Dim], right: &[Dim]) -> Vec<Dim> {
        let shared = self.left_batch.iter().map(|&i| left[i]);
        let own_left = self.left_free(left.len()).into_iter().map(|i| left[i]);
        let own_right = self.right_free(right.len()).into_iter().map(|i| right[i]);
        shared.chain(own_left).chain(own_right).collect()
    }
}

impl Rules for DotDims {
    fn name(&self) -> &'static str {
        "dot_general"
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let pair = |a: &[usize], b: &[usize]| format!("{}x{}", list(a), list(b));
        let mut out = vec![("contract", pair(&self.left_contract, &self.right_contract))];
        if !self.left_batch.is_empty() {
            out.push(("batch", pair(&self.left_batch, &self.right_batch)));
        }
        out
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        if name != "dot_general" {
            return Ok(None);
        }
        let (left_contract, right_contract) = attributes.pair("contract")?;
        let (left_batch, right_batch) = attributes.pair("batch").unwrap_or_default();
        Ok(Some(Self { left_batch, right_batch, left_contract, right_contract }))
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        let [a, b] = arity(operands)?;
        if a.dtype != b.dtype || !a.dtype.is_float() {
            return Err(format!("multiplies floats of one type, not {a} and {b}"));
        }
        let pairs = [(&self.left_batch, &self.right_batch), (&self.left_contract, &self.right_contract)];
        for (left, right) in pairs {
            if left.len() != right.len() {
                return Err("axes come in pairs".into());
            }
            for (&i, &j) in left.iter().zip(right) {
                match (a.shape.get(i), b.shape.get(j)) {
                    (Some(m), Some(n)) if m == n => {}
                    _ => return Err(format!("axis {i} of {a} does not match axis {j} of {b}")),
                }
            }
        }
        for (used, rank) in [
            ([&self.left_batch[..], &self.left_contract[..]].concat(), a.rank()),
            ([&self.right_batch[..], &self.right_contract[..]].concat(), b.rank()),
        ] {
            let mut seen = vec![false; rank];
            for i in used {
                if std::mem::replace(&mut seen[i], true) {
                    return Err(format!("axis {i} is named twice"));
                }
            }
        }
        expect(result, &a.with_shape(self.result(&a.shape, &b.shape)))
    }

    /// With z = a · b: ∂a = g · b over b's own axes, ∂b = a · g over a's own axes; both then transposed back.
    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        let x = b.operands(node);
        let (left, right) = (b.ty(x[0]).clone(), b.ty(x[1]).clone());
        let (nb, lf, rf) =
            (self.left_batch.len(), self.left_free(left.rank()), self.right_free(right.rank()));
        let g_batch: Vec<usize> = (0..nb).collect();
        let g_left: Vec<usize> = (nb..nb + lf.len()).collect();
        let g_right: Vec<usize> = (nb + lf.len()..nb + lf.len() + rf.len()).collect();

        let da = b.dot(
            g,
            x[1],
            DotDims {
                left_batch: g_batch.clone(),
                right_batch: self.right_batch.clone(),
                left_contract: g_right,
                right_contract: rf.clone(),
            },
        );
        // Axes now: shared, left's own, then the right's contracted axes in ascending order.
        let contracted = in_order_of(&self.right_contract, &self.left_contract);
        let da = put_back(b, da, [&self.left_batch[..], &lf[..], &contracted[..]].concat());

        let db = b.dot(
            x[0],
            g,
            DotDims {
                left_batch: self.left_batch.clone(),
                right_batch: g_batch,
                left_contract: lf,
                right_contract: g_left,
            },
        );
        // Axes now: shared, the left's contracted axes in ascending order, then the right's own.
        let contracted = in_order_of(&self.left_contract, &self.right_contract);
        let db = put_back(b, db, [&self.right_batch[..], &contracted[..], &rf[..]].concat());
        vec![Some(da), Some(db)]
    }

    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        let dims = &to.dims_at(bindings.batch)[..];
        let (a, b) = (x[0], x[1]);
        let (lf, rf) = (self.left_free(a.dims.len()), self.right_free(b.dims.len()));
        let inner: Vec<usize> = self.left_contract.iter().map(|&i| a.dims[i]).collect();
        Ok(Array::from_fn(dims, |index| {
            let (mut at, mut bt) = (vec![0; a.dims.len()], vec![0; b.dims.len()]);
            let nb = self.left_batch.len();
            for k in 0..nb {
                at[self.left_batch[k]] = index[k];
                bt[self.right_batch[k]] = index[k];
            }
            for (k, &axis) in lf.iter().enumerate() {
                at[axis] = index[nb + k];
            }
            for (k, &axis) in rf.iter().enumerate() {
                bt[axis] = index[nb + lf.len() + k];
            }
            let mut sum = 0.0;
            each_index(&inner, |c| {
                for (k, &i) in c.iter().enumerate() {
                    at[self.left_contract[k]] = i;
                    bt[self.right_contract[k]] = i;
                }
                sum += a.at(&at) * b.at(&bt);
            });
            sum
        }))
    }

    fn flops(&self, operands: &[&Type], result: &Type, batch: usize) -> u64 {
        let left = operands[0];
        let inner = self.left_contract.iter().map(|&i| left.shape[i].at(batch) as u64);
        inner.fold(count(result, batch).saturating_mul(2), u64::saturating_mul)
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        Kind::Heavy
    }

    fn is_affine(&self, moves: &[bool]) -> bool {
        moves != [true, true]
    }

    fn rows(&self, _: &[&Type], _: &Type) -> Option<Dim> {
        None
    }

    fn lift(&self, _: &[bool]) -> Lift {
        Lift::Product(self.clone())
    }

    fn summed(&self, varies: &[bool]) -> Summed {
        match varies {
            [true, true] => Summed::Product(self.clone()),
            [false, ..] => Summed::Linear(1),
            _ => Summed::Linear(0),
        }
    }

    fn stablehlo(&self) -> StableHlo {
        StableHlo::Op("dot_general")
    }
}

/// `values` in the ascending order of their `keys`.
fn in_order_of(keys: &[usize], values: &[usize]) -> Vec<usize> {
    let mut pairs: Vec<(usize, usize)> = keys.iter().copied().zip(values.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, v)| v).collect()
}

/// Transposes so that axis `i`, which belongs at `places[i]`, gets there.
fn put_back(b: &mut Builder, x: NodeId, places: Vec<usize>) -> NodeId {
    let mut perm = vec![0; places.len()];
    for (i, &place) in places.iter().enumerate() {
        perm[place] = i;
    }
    b.transpose(x, perm)
}

impl Builder {
    /// A product.
    pub fn dot(&mut self, a: NodeId, b: NodeId, dims: DotDims) -> NodeId {
        let ty = self.ty(a).with_shape(dims.result(&self.ty(a).shape, &self.ty(b).shape));
        self.emit(dims, &[a, b], ty)
    }
}
