//! Elements as expressions of C, and where they lie.

use super::emit::{Argument, Emitter, Place};
use super::index::Index;
use crate::package::sizes;
use nnc_graph::{
    Binary, DType, Direction, Distribution, Elementwise, Leaf, Movement, NodeId, Prim, Type, Unary,
};

impl Emitter<'_> {
    /// Whether all that an expression reads has its elements in the same order, so that one counter is enough.
    pub(crate) fn is_in_order(&self, id: NodeId) -> bool {
        let level = self.scopes.len() - 1;
        self.in_order(level, id)
    }

    pub(crate) fn in_order(&self, level: usize, id: NodeId) -> bool {
        let scope = &self.scopes[level];
        if scope.places[id.index()].is_some() {
            return true;
        }
        let node = scope.graph.node(id);
        match &node.prim {
            Prim::Leaf(Leaf::Parameter { .. }) => match &scope.arguments[id.index()] {
                Argument::Carry(_) => true,
                Argument::Slice(o, _) | Argument::Same(o) => self.in_order(level - 1, *o),
            },
            Prim::Leaf(Leaf::Constant(_) | Leaf::BatchSize | Leaf::Rng { .. }) => true,
            Prim::Leaf(Leaf::Iota { .. }) => node.ty.rank() == 1,
            Prim::Elementwise(_) | Prim::Movement(Movement::Reshape) => {
                scope.graph.operands(id).iter().all(|&o| self.in_order(level, o))
            }
            // One number everywhere.
            Prim::Movement(Movement::BroadcastInDim { .. }) => {
                scope.graph.operands(id).iter().all(|&o| scope.graph.ty(o).count_at(self.batch) == Some(1))
            }
            Prim::Movement(_)
            | Prim::Reduce(_)
            | Prim::DotGeneral(_)
            | Prim::Convolve(_)
            | Prim::Window(_)
            | Prim::Indexing(_)
            | Prim::Scan(_) => false,
        }
    }

    /// The number at an index of a node of the innermost scope.
    pub(crate) fn value(&mut self, id: NodeId, index: &[Index]) -> String {
        self.value_in(self.scopes.len() - 1, id, index)
    }

    fn value_in(&mut self, level: usize, id: NodeId, index: &[Index]) -> String {
        let graph = self.scopes[level].graph;
        let node = graph.node(id);
        if let Some((place, at)) = self.located(level, id, index) {
            return self.at(&place, &at);
        }
        let operands = graph.operands(id);
        match &node.prim {
            Prim::Leaf(leaf) => match leaf {
                Leaf::Parameter { .. } => match self.scopes[level].arguments[id.index()].clone() {
                    Argument::Carry(_) => unreachable!("a carry has a place"),
                    Argument::Slice(o, step) => {
                        let outer: Vec<Index> = std::iter::once(step).chain(index.iter().cloned()).collect();
                        self.value_in(level - 1, o, &outer)
                    }
                    Argument::Same(o) => self.value_in(level - 1, o, index),
                },
                Leaf::Constant(bits) => self.number(bits.get()),
                Leaf::Iota { axis } => match index[*axis].text() {
                    number if number.bytes().all(|b| b.is_ascii_digit()) => {
                        self.number(number.parse().unwrap_or(0.0))
                    }
                    text => format!("(real)({text})"),
                },
                Leaf::BatchSize => self.number(self.batch as f64),
                Leaf::Rng { distribution, site } => {
                    let dims = sizes(&node.ty.shape, self.batch);
                    let at = Index::linear(index, &dims).text();
                    let mut key = format!("{site:#018x}ULL");
                    for &k in &operands {
                        let k = self.value_in(level, k, &[]);
                        key = self.call("keyed", &[&key, &format!("(int64_t)({k})")]);
                    }
                    let name = match distribution {
                        Distribution::Uniform => "uniform",
                        Distribution::Normal => "normal",
                    };
                    self.call(name, &["seed", "step", &key, &format!("(uint64_t)({at})")])
                }
            },
            Prim::Elementwise(op) => self.elementwise(level, *op, &operands, &node.ty, index),
            Prim::Movement(m) => {
                let (x, at) = (operands[0], self.through(level, m, operands[0], &node.ty, index));
                self.value_in(level, x, &at)
            }
            Prim::Reduce(_)
            | Prim::DotGeneral(_)
            | Prim::Convolve(_)
            | Prim::Window(_)
            | Prim::Indexing(_)
            | Prim::Scan(_) => unreachable!("what is no expression has memory"),
        }
    }

    /// The index in the operand of what only says where elements lie.
    pub(crate) fn through(
        &self,
        level: usize,
        m: &Movement,
        x: NodeId,
        ty: &Type,
        index: &[Index],
    ) -> Vec<Index> {
        let from = sizes(&self.scopes[level].graph.ty(x).shape, self.batch);
        match m {
            Movement::Reshape => Index::linear(index, &sizes(&ty.shape, self.batch)).split(&from),
            Movement::Transpose { perm } => {
                let mut at = vec![Index::constant(0); index.len()];
                for (i, &p) in perm.iter().enumerate() {
                    at[p] = index[i].clone();
                }
                at
            }
            Movement::BroadcastInDim { axes } => axes.iter().map(|&a| index[a].clone()).collect(),
            Movement::Slice { start } => index.iter().zip(start).map(|(i, &s)| i.shifted(s as i64)).collect(),
            Movement::Reverse { axes } => {
                let mut at = index.to_vec();
                for &a in axes {
                    at[a] = at[a].times(-1).shifted(from[a] as i64 - 1);
                }
                at
            }
            Movement::Concatenate { .. } | Movement::Pad { .. } => unreachable!("it has memory"),
        }
    }

    /// The place of an element that lies in memory, behind nothing but ways of reading.
    pub(crate) fn located(&self, level: usize, id: NodeId, index: &[Index]) -> Option<(Place, Index)> {
        let scope = &self.scopes[level];
        let node = scope.graph.node(id);
        let dims = || sizes(&node.ty.shape, self.batch);
        if let Some(place) = &scope.places[id.index()] {
            return Some((place.clone(), Index::linear(index, &dims())));
        }
        match &node.prim {
            Prim::Leaf(Leaf::Parameter { .. }) => match scope.arguments.get(id.index())? {
                Argument::Carry(place) => Some((place.clone(), Index::linear(index, &dims()))),
                Argument::Slice(o, step) => {
                    let outer: Vec<Index> =
                        std::iter::once(step.clone()).chain(index.iter().cloned()).collect();
                    self.located(level - 1, *o, &outer)
                }
                Argument::Same(o) => self.located(level - 1, *o, index),
            },
            Prim::Movement(Movement::Reshape) if !scope.stored[id.index()] => {
                let x = *scope.graph.operands(id).first()?;
                self.linearly(level, x, Index::linear(index, &dims()))
            }
            Prim::Movement(m) if !scope.stored[id.index()] => {
                let x = *scope.graph.operands(id).first()?;
                let at = self.through(level, m, x, &node.ty, index);
                self.located(level, x, &at)
            }
            Prim::Elementwise(Elementwise::StopGradient) => {
                self.located(level, *scope.graph.operands(id).first()?, index)
            }
            Prim::Leaf(_)
            | Prim::Elementwise(_)
            | Prim::Movement(_)
            | Prim::Reduce(_)
            | Prim::DotGeneral(_)
            | Prim::Convolve(_)
            | Prim::Window(_)
            | Prim::Indexing(_)
            | Prim::Scan(_) => None,
        }
    }

    /// The place of an element by its number in the order of a node.
    pub(crate) fn linearly(&self, level: usize, id: NodeId, at: Index) -> Option<(Place, Index)> {
        let scope = &self.scopes[level];
        let node = scope.graph.node(id);
        if let Some(place) = &scope.places[id.index()] {
            return Some((place.clone(), at));
        }
        let count = node.ty.count_at(self.batch)? as i64;
        match (&node.prim, scope.arguments.get(id.index())) {
            (Prim::Leaf(Leaf::Parameter { .. }), Some(Argument::Carry(place))) => Some((place.clone(), at)),
            (Prim::Leaf(Leaf::Parameter { .. }), Some(Argument::Slice(o, step))) => {
                self.linearly(level - 1, *o, step.times(count).plus(&at))
            }
            (Prim::Leaf(Leaf::Parameter { .. }), Some(Argument::Same(o))) => self.linearly(level - 1, *o, at),
            (Prim::Movement(Movement::Reshape), _) if !scope.stored[id.index()] => {
                self.linearly(level, *scope.graph.operands(id).first()?, at)
            }
            _ => self.located(level, id, &at.split(&sizes(&node.ty.shape, self.batch))),
        }
    }

    /// How a node lies in memory: the array, where it begins, and the distance of elements along every axis.
    pub(crate) fn view(&mut self, id: NodeId) -> Option<(Place, Index, Vec<i64>)> {
        let dims = self.dims_of(id);
        let names: Vec<String> = (0..dims.len()).map(|a| format!("axis{a}")).collect();
        let index: Vec<Index> =
            names.iter().zip(&dims).map(|(n, &d)| Index::counter(n.as_str(), d)).collect();
        let (place, mut at) = self.located(self.scopes.len() - 1, id, &index)?;
        let strides: Option<Vec<i64>> = names.iter().map(|n| at.stride_of(n)).collect();
        for name in &names {
            at = at.without(name);
        }
        Some((place, at, strides?))
    }

    fn elementwise(
        &mut self,
        level: usize,
        op: Elementwise,
        x: &[NodeId],
        ty: &Type,
        index: &[Index],
    ) -> String {
        let from = self.scopes[level].graph.ty(x[0]).dtype;
        match op {
            Elementwise::Unary(Unary::Not)
            | Elementwise::Binary(Binary::And | Binary::Or)
            | Elementwise::Compare(_) => {
                let holds = self.condition(level, op, x, index);
                format!("(real){holds}")
            }
            Elementwise::Unary(op) => {
                let a = self.value_in(level, x[0], index);
                let name = match op {
                    Unary::Negate => return format!("(-{a})"),
                    Unary::Rsqrt => return format!("(1 / {})", self.call("sqrt", &[&a])),
                    Unary::Abs => "abs",
                    Unary::Sign => "sign",
                    Unary::Exponential => "exp",
                    Unary::ExponentialMinusOne => "expm1",
                    Unary::Log => "log",
                    Unary::LogPlusOne => "log1p",
                    Unary::Sqrt => "sqrt",
                    Unary::Sine => "sin",
                    Unary::Cosine => "cos",
                    Unary::Tanh => "tanh",
                    Unary::Logistic => "logistic",
                    Unary::Softplus => "softplus",
                    Unary::Erf => "erf",
                    Unary::Floor => "floor",
                    Unary::Round => "round",
                    Unary::Not => unreachable!("it is a condition"),
                };
                self.call(name, &[&a])
            }
            Elementwise::Binary(op) => {
                let (a, b) = (self.value_in(level, x[0], index), self.value_in(level, x[1], index));
                match op {
                    Binary::Add => format!("({a} + {b})"),
                    Binary::Subtract => format!("({a} - {b})"),
                    Binary::Multiply => format!("({a} * {b})"),
                    Binary::Divide => format!("({a} / {b})"),
                    Binary::Power => self.call("pow", &[&a, &b]),
                    Binary::Maximum => self.call("max", &[&a, &b]),
                    Binary::Minimum => self.call("min", &[&a, &b]),
                    Binary::And | Binary::Or => unreachable!("they are conditions"),
                }
            }
            Elementwise::Select => {
                let holds = self.holds(level, x[0], index);
                let (a, b) = (self.value_in(level, x[1], index), self.value_in(level, x[2], index));
                format!("({holds} ? {a} : {b})")
            }
            Elementwise::Convert => match ty.dtype {
                DType::Pred => {
                    let holds = self.condition(level, op, x, index);
                    format!("(real){holds}")
                }
                DType::I32 if from.is_float() => {
                    let a = self.value_in(level, x[0], index);
                    self.call("trunc", &[&a])
                }
                DType::I32 | DType::F32 | DType::F64 => self.value_in(level, x[0], index),
            },
            Elementwise::StopGradient => self.value_in(level, x[0], index),
        }
    }

    /// A condition of C, in parentheses, for a predicate.
    fn holds(&mut self, level: usize, id: NodeId, index: &[Index]) -> String {
        let graph = self.scopes[level].graph;
        let node = graph.node(id);
        let written = self.scopes[level].places[id.index()].is_none();
        if let Prim::Elementwise(op) = node.prim
            && !matches!(op, Elementwise::Select | Elementwise::StopGradient)
            && written
        {
            return self.condition(level, op, &graph.operands(id), index);
        }
        if let Prim::Movement(m) = &node.prim
            && written
        {
            let x = graph.operands(id)[0];
            let at = self.through(level, m, x, &node.ty, index);
            return self.holds(level, x, &at);
        }
        format!("({} != 0)", self.value_in(level, id, index))
    }

    fn condition(&mut self, level: usize, op: Elementwise, x: &[NodeId], index: &[Index]) -> String {
        match op {
            Elementwise::Unary(_) => format!("(!{})", self.holds(level, x[0], index)),
            Elementwise::Binary(op) => {
                let (a, b) = (self.holds(level, x[0], index), self.holds(level, x[1], index));
                let sign = if op == Binary::And { "&&" } else { "||" };
                format!("({a} {sign} {b})")
            }
            Elementwise::Compare(direction) => {
                let (a, b) = (self.value_in(level, x[0], index), self.value_in(level, x[1], index));
                let sign = match direction {
                    Direction::Eq => "==",
                    Direction::Ne => "!=",
                    Direction::Lt => "<",
                    Direction::Le => "<=",
                    Direction::Gt => ">",
                    Direction::Ge => ">=",
                };
                format!("({a} {sign} {b})")
            }
            Elementwise::Convert | Elementwise::Select | Elementwise::StopGradient => {
                format!("({} != 0)", self.value_in(level, x[0], index))
            }
        }
    }
}
