//! Rows of a table by number, and the adjoint.
//!
//! An index outside the table reads zeros and adds nothing, in every evaluator: data is checked before.

use super::{Kind, Lift, Rules, StableHlo, Summed, arity, count, expect};
use crate::array::{Array, Bindings, each_index};
use crate::text::Attributes;
use crate::{Builder, DType, Dim, NodeId, Type};

/// What reads or adds rows by number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Indexing {
    /// `gather(table[k, …], index[…])`: row `index` of the table for every element of the index.
    Gather,
    /// `scatter_add(index[…], rows[…, …])`: the adjoint of gather: a table of the sums of the rows.
    ScatterAdd,
}

impl Rules for Indexing {
    fn name(&self) -> &'static str {
        match self {
            Indexing::Gather => "gather",
            Indexing::ScatterAdd => "scatter_add",
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Indexing::Gather | Indexing::ScatterAdd => Vec::new(),
        }
    }

    fn from_text(name: &str, _: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        Ok(match name {
            "gather" => Some(Indexing::Gather),
            "scatter_add" => Some(Indexing::ScatterAdd),
            _ => None,
        })
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        let [a, b] = arity(operands)?;
        match self {
            Indexing::Gather => {
                if b.dtype != DType::I32 || a.rank() == 0 || a.is_batched() {
                    return Err(format!("gathers rows of a table by i32, not {b} from {a}"));
                }
                let shape = b.shape.iter().chain(&a.shape[1..]).copied().collect::<Vec<Dim>>();
                expect(result, &a.with_shape(shape))
            }
            Indexing::ScatterAdd => {
                let fits = a.dtype == DType::I32
                    && result.rank() > 0
                    && !result.is_batched()
                    && b.rank() + 1 == a.rank() + result.rank()
                    && b.dtype == result.dtype
                    && b.shape[..a.rank()] == a.shape[..]
                    && b.shape[a.rank()..] == result.shape[1..];
                if fits { Ok(()) } else { Err(format!("cannot add rows {b} at {a} into {result}")) }
            }
        }
    }

    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        let x = b.operands(node);
        match self {
            Indexing::Gather => {
                let table = b.ty(x[0]).clone();
                vec![Some(b.scatter_add(x[1], g, table.shape)), None]
            }
            Indexing::ScatterAdd => vec![None, Some(b.gather(g, x[0]))],
        }
    }

    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        let dims = &to.dims_at(bindings.batch)[..];
        Ok(match self {
            Indexing::Gather => {
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
            Indexing::ScatterAdd => {
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
        })
    }

    fn flops(&self, operands: &[&Type], _: &Type, batch: usize) -> u64 {
        match self {
            Indexing::Gather => 0,
            Indexing::ScatterAdd => operands.last().map_or(0, |rows| count(rows, batch)),
        }
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        Kind::Heavy
    }

    fn is_affine(&self, _: &[bool]) -> bool {
        false
    }

    fn rows(&self, operands: &[&Type], result: &Type) -> Option<Dim> {
        match self {
            Indexing::Gather => operands.first().and_then(|table| table.shape.first().copied()),
            Indexing::ScatterAdd => result.shape.first().copied(),
        }
    }

    /// Rows of one table can be read for all steps; tables of their own in every step stay in the loop.
    fn lift(&self, varies: &[bool]) -> Lift {
        match self {
            Indexing::Gather if varies == [false, true] => Lift::AsIs((*self).into()),
            Indexing::Gather | Indexing::ScatterAdd => Lift::Never,
        }
    }

    fn summed(&self, varies: &[bool]) -> Summed {
        match self {
            Indexing::ScatterAdd if varies == [false, true] => Summed::Linear(1),
            Indexing::ScatterAdd => Summed::Scatter,
            Indexing::Gather => Summed::Never,
        }
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Indexing::Gather => {
                StableHlo::Expansion("gather of whole rows, then 0 where the index lies outside: it clamps")
            }
            Indexing::ScatterAdd => StableHlo::Expansion(
                "scatter of whole rows into zeros by add; it leaves out what lies outside",
            ),
        }
    }
}

impl Builder {
    /// Rows of a table.
    pub fn gather(&mut self, table: NodeId, index: NodeId) -> NodeId {
        let shape = [&self.ty(index).shape[..], &self.ty(table).shape[1..]].concat();
        let ty = self.ty(table).with_shape(shape);
        self.emit(Indexing::Gather, &[table, index], ty)
    }

    /// A table of the sums of rows.
    pub fn scatter_add(&mut self, index: NodeId, rows: NodeId, shape: Vec<Dim>) -> NodeId {
        let ty = self.ty(rows).with_shape(shape);
        self.emit(Indexing::ScatterAdd, &[index, rows], ty)
    }
}
