//! From groups of elementwise nodes to drafts of tile programs.

use crate::EngineError;
use crate::fuse::kind;
use crate::lower::{Lower, Value};
use crate::unit::{Draft, DraftLoad, DraftStore, Source, Unit};
use crate::view::{BufferId, View, dense_strides};
use nnc_graph::{
    Binary, DType, Direction, Distribution, Elementwise, Graph, Kind, Leaf, NodeId, Prim, Unary,
};
use nnc_kernels::{BinaryOp, Op, UnaryOp};
use std::collections::BTreeMap;

impl Lower<'_> {
    /// The unit of a group; results that others asked for are written to their buffers.
    pub(crate) fn group(&mut self, group: usize) -> Result<(), EngineError> {
        let members = self.groups.members[group].clone();
        let count = members.first().map_or(0, |id| self.counts[id.index()]);
        let mut draft = Draft { count, ..Draft::default() };
        let mut known: BTreeMap<NodeId, usize> = BTreeMap::new();
        for &id in &members {
            let at = self.member(group, id, &known, &mut draft)?;
            known.insert(id, at);
        }
        for &id in &members {
            draft.ops[known[&id]].output = self.asked(id);
        }
        self.units.push(Unit::draft(draft, members));
        Ok(())
    }

    fn member(
        &mut self,
        group: usize,
        id: NodeId,
        known: &BTreeMap<NodeId, usize>,
        draft: &mut Draft,
    ) -> Result<usize, EngineError> {
        let operands = self.graph.operands(id);
        let mut sources = Vec::with_capacity(operands.len());
        let keyed = matches!(self.graph.node(id).prim, Prim::Leaf(_));
        for &operand in &operands {
            let source = if keyed { self.key(operand) } else { self.source(group, operand, known, draft) };
            sources.push(source?);
        }
        let convert = self.graph.ty(id).dtype;
        let op = if let Prim::Elementwise(function) = &self.graph.node(id).prim {
            match function {
                Elementwise::Unary(u) => Op::Unary(unary(*u)),
                Elementwise::Binary(Binary::Power) => {
                    if let Some(op) = power(sources.get(1)) {
                        sources.truncate(1);
                        Op::Unary(op)
                    } else {
                        Op::Binary(BinaryOp::Power)
                    }
                }
                Elementwise::Binary(b) => Op::Binary(binary(*b)),
                Elementwise::Compare(d) => Op::Binary(compare(*d)),
                Elementwise::Select => {
                    // The kernel takes the predicate last.
                    sources.rotate_left(1);
                    Op::Select
                }
                Elementwise::Convert if convert == DType::Pred => Op::Unary(UnaryOp::Truth),
                Elementwise::Convert => Op::Unary(UnaryOp::Truncate),
                Elementwise::StopGradient => return Err(not_elementwise(self.graph, id)),
            }
        } else if let Prim::Leaf(Leaf::Rng { distribution, site }) = &self.graph.node(id).prim {
            if sources.len() > 3 {
                return Err(EngineError::Internal("random numbers within four loops".into()));
            }
            Op::Random { normal: *distribution == Distribution::Normal, site: *site }
        } else {
            return Err(not_elementwise(self.graph, id));
        };
        Ok(draft.push(op, sources))
    }

    /// What a member of a group reads for an operand.
    fn source(
        &mut self,
        group: usize,
        operand: NodeId,
        known: &BTreeMap<NodeId, usize>,
        draft: &mut Draft,
    ) -> Result<Source, EngineError> {
        let mut from = operand;
        while kind(self.graph, from) == Kind::Alias {
            from = self.graph.operands(from)[0];
        }
        if self.groups.of[from.index()] == Some(group) {
            let at = known.get(&from).copied();
            return at.map(Source::Value).ok_or_else(|| EngineError::Internal("a group out of order".into()));
        }
        Ok(match self.value(operand)? {
            Value::Constant(c) => Source::Constant(c),
            Value::Counter { repeat, modulo } => {
                let op = Op::Counter { repeat, modulo };
                let known = draft.ops.iter().position(|o| o.op == op);
                Source::Value(known.unwrap_or_else(|| draft.push(op, Vec::new())))
            }
            Value::View(view) if view.is_scalar() && draft.count > 1 => Source::Memory(view.spot()),
            Value::View(view) => draft.load(DraftLoad::of(&view)),
        })
    }

    /// A number that random numbers are keyed by.
    fn key(&mut self, operand: NodeId) -> Result<Source, EngineError> {
        Ok(match self.value(operand)? {
            Value::Constant(c) => Source::Constant(c),
            // There is one element, and it is the first.
            Value::Counter { .. } => Source::Constant(0.0),
            Value::View(view) => Source::Memory(view.spot()),
        })
    }

    /// Where a member's value is kept, when anyone asked for it.
    fn asked(&self, id: NodeId) -> Option<DraftStore> {
        match self.known_value(id) {
            Some(Value::View(view)) if self.buffers[view.buffer].count == self.counts[id.index()] => {
                Some(DraftStore::linear(view.spot()))
            }
            Some(Value::View(view)) => Some(DraftStore::part(view)),
            _ => None,
        }
    }

    /// Lets the group that computes all operands of a concatenation write them where they belong, `to`, if there is
    /// one group and nobody has asked for them before.
    pub(crate) fn join(&mut self, id: NodeId, axis: usize, to: BufferId) -> bool {
        let parts = self.graph.operands(id);
        let strides = dense_strides(&self.dims[id.index()]);
        let mut group = None;
        let mut views: BTreeMap<NodeId, View> = BTreeMap::new();
        let mut start = 0;
        for &part in &parts {
            let mut from = part;
            while kind(self.graph, from) == Kind::Alias {
                from = self.graph.operands(from)[0];
            }
            let dims = self.dims[part.index()].clone();
            let offset = start * strides[axis].unsigned_abs();
            start += dims[axis];
            let view = View { dims, strides: strides.clone(), ..View::dense(to, &[]) }.at(offset);
            let Some(view) = view.reshape(&self.dims[from.index()]) else {
                return false;
            };
            let free = self.counts[part.index()] > 0 && self.known_value(from).is_none();
            let same = group.is_none_or(|g| self.groups.of[from.index()] == Some(g));
            if !free || !same || views.insert(from, view).is_some() {
                return false;
            }
            group = self.groups.of[from.index()];
            if group.is_none() {
                return false;
            }
        }
        let joins = parts.len() > 1 && !self.options.keep_all;
        for (from, view) in views.into_iter().filter(|_| joins) {
            self.values[from.index()] = Some(Value::View(view));
        }
        joins
    }
}

fn not_elementwise(graph: &Graph, id: NodeId) -> EngineError {
    EngineError::Internal(format!("{} is not elementwise", graph.node(id).prim.name()))
}

fn unary(u: Unary) -> UnaryOp {
    match u {
        Unary::Negate => UnaryOp::Negate,
        Unary::Abs => UnaryOp::Abs,
        Unary::Sign => UnaryOp::Sign,
        Unary::Exponential => UnaryOp::Exp,
        Unary::ExponentialMinusOne => UnaryOp::ExpM1,
        Unary::Log => UnaryOp::Ln,
        Unary::LogPlusOne => UnaryOp::Ln1p,
        Unary::Sqrt => UnaryOp::Sqrt,
        Unary::Rsqrt => UnaryOp::Rsqrt,
        Unary::Sine => UnaryOp::Sin,
        Unary::Cosine => UnaryOp::Cos,
        Unary::Tanh => UnaryOp::Tanh,
        Unary::Logistic => UnaryOp::Logistic,
        Unary::Softplus => UnaryOp::Softplus,
        Unary::Erf => UnaryOp::Erf,
        Unary::Floor => UnaryOp::Floor,
        Unary::Round => UnaryOp::Round,
        Unary::Not => UnaryOp::Not,
    }
}

fn binary(b: Binary) -> BinaryOp {
    match b {
        Binary::Add => BinaryOp::Add,
        Binary::Subtract => BinaryOp::Subtract,
        Binary::Multiply => BinaryOp::Multiply,
        Binary::Divide => BinaryOp::Divide,
        Binary::Power => BinaryOp::Power,
        Binary::Maximum => BinaryOp::Maximum,
        Binary::Minimum => BinaryOp::Minimum,
        Binary::And => BinaryOp::And,
        Binary::Or => BinaryOp::Or,
    }
}

fn compare(d: Direction) -> BinaryOp {
    match d {
        Direction::Eq => BinaryOp::Eq,
        Direction::Ne => BinaryOp::Ne,
        Direction::Lt => BinaryOp::Lt,
        Direction::Le => BinaryOp::Le,
        Direction::Gt => BinaryOp::Gt,
        Direction::Ge => BinaryOp::Ge,
    }
}

/// Powers that are cheaper as products.
fn power(exponent: Option<&Source>) -> Option<UnaryOp> {
    match exponent {
        Some(Source::Constant(c)) if *c == 2.0 => Some(UnaryOp::Square),
        Some(Source::Constant(c)) if *c == 3.0 => Some(UnaryOp::Cube),
        Some(Source::Constant(c)) if *c == -1.0 => Some(UnaryOp::Reciprocal),
        _ => None,
    }
}
