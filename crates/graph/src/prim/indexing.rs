//! Rows of a table by number, and the adjoint.
//!
//! An index outside the table reads zeros and adds nothing, in every evaluator: data is checked before.

use super::{Prim, arity, expect};
use crate::eval::{Array, each_index};
use crate::{Builder, DType, Dim, NodeId, Type};

pub(super) fn check(prim: &Prim, operands: &[&Type], result: &Type) -> Result<(), String> {
    let [a, b] = arity(operands)?;
    match prim {
        Prim::Gather => {
            if b.dtype != DType::I32 || a.rank() == 0 || a.is_batched() {
                return Err(format!("gathers rows of a table by i32, not {b} from {a}"));
            }
            let shape = b.shape.iter().chain(&a.shape[1..]).copied().collect::<Vec<Dim>>();
            expect(result, &a.with_shape(shape))
        }
        Prim::ScatterAdd => {
            let fits = a.dtype == DType::I32
                && result.rank() > 0
                && !result.is_batched()
                && b.rank() + 1 == a.rank() + result.rank()
                && b.dtype == result.dtype
                && b.shape[..a.rank()] == a.shape[..]
                && b.shape[a.rank()..] == result.shape[1..];
            if fits { Ok(()) } else { Err(format!("cannot add rows {b} at {a} into {result}")) }
        }
        _ => Ok(()),
    }
}

pub(super) fn vjp(prim: &Prim, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
    let x = b.operands(node);
    match prim {
        Prim::Gather => {
            let table = b.ty(x[0]).clone();
            vec![Some(b.scatter_add(x[1], g, table.shape)), None]
        }
        Prim::ScatterAdd => vec![None, Some(b.gather(g, x[0]))],
        _ => Vec::new(),
    }
}

pub(super) fn eval(prim: &Prim, x: &[&Array], dims: &[usize]) -> Array {
    match prim {
        Prim::Gather => {
            let (table, index) = (x[0], x[1]);
            let lead = index.dims.len();
            Array::from_fn(dims, |at| {
                let row = index.at(&at[..lead]);
                if row < 0.0 || row >= table.dims[0] as f64 {
                    return 0.0;
                }
                let mut from = vec![row as usize];
                from.extend_from_slice(&at[lead..]);
                table.at(&from)
            })
        }
        _ => {
            let (index, rows) = (x[0], x[1]);
            let lead = index.dims.len();
            let mut out = Array::filled(dims, 0.0);
            each_index(&rows.dims, |at| {
                let row = index.at(&at[..lead]);
                if row >= 0.0 && row < dims[0] as f64 {
                    let mut to = vec![row as usize];
                    to.extend_from_slice(&at[lead..]);
                    *out.at_mut(&to) += rows.at(at);
                }
            });
            out
        }
    }
}
