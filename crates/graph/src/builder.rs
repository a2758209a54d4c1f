//! Appending nodes, each distinct computation once.

use crate::prim::{self, Bits, Distribution};
use crate::{
    Binary, DType, Dim, Direction, DotDims, Graph, Node, NodeId, Origin, OutputKind, Prim, Reduction, Role,
    Type, Unary,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Appends nodes to a graph; a node equal to an earlier one is that node.
///
/// The named methods compute the result's type themselves and panic when operands do not fit: callers check
/// shapes first, where they can explain them. [`Builder::try_emit`] reports instead.
#[derive(Clone, Debug)]
pub struct Builder {
    graph: Graph,
    known: HashMap<(Prim, Type, Vec<NodeId>), NodeId>,
    origin: Arc<Origin>,
}

impl Builder {
    /// A builder of an empty graph.
    pub fn new(name: impl Into<Arc<str>>, float: DType) -> Self {
        Self { graph: Graph::new(name, float), known: HashMap::new(), origin: Arc::default() }
    }

    /// Goes on with a graph.
    pub fn from_graph(graph: Graph) -> Self {
        let known = graph
            .ids()
            .map(|id| ((graph.node(id).prim.clone(), graph.ty(id).clone(), graph.operands(id)), id))
            .collect();
        Self { graph, known, origin: Arc::default() }
    }

    /// The graph so far.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The finished graph.
    pub fn finish(self) -> Graph {
        self.graph
    }

    /// Who asks for the nodes that follow.
    pub fn set_origin(&mut self, origin: Arc<Origin>) {
        self.origin = origin;
    }

    /// Who asks at present.
    pub fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// A node's type.
    pub fn ty(&self, id: NodeId) -> &Type {
        self.graph.ty(id)
    }

    /// A node's operands.
    pub fn operands(&self, id: NodeId) -> Vec<NodeId> {
        self.graph.operands(id)
    }

    /// Names a result.
    pub fn output(&mut self, kind: OutputKind, name: impl Into<Arc<str>>, node: NodeId) {
        self.graph.add_output(kind, name, node);
    }

    /// Appends a node.
    ///
    /// # Errors
    /// What does not fit, when the operands or the type are not what the primitive takes.
    pub fn try_emit(&mut self, prim: Prim, operands: &[NodeId], ty: Type) -> Result<NodeId, String> {
        let types: Vec<&Type> = operands.iter().map(|&id| self.graph.ty(id)).collect();
        prim.check(&types, &ty).map_err(|e| format!("{}: {e}", prim.name()))?;
        let key = (prim, ty, operands.to_vec());
        if let Some(&id) = self.known.get(&key) {
            return Ok(id);
        }
        let node = Node { prim: key.0.clone(), ty: key.1.clone(), origin: self.origin.clone() };
        let id = self.graph.push(node, operands);
        self.known.insert(key, id);
        Ok(id)
    }

    /// Appends a node.
    ///
    /// # Panics
    /// When the operands or the type are not what the primitive takes.
    pub fn emit(&mut self, prim: Prim, operands: &[NodeId], ty: Type) -> NodeId {
        match self.try_emit(prim, operands, ty) {
            Ok(id) => id,
            Err(message) => panic!("ill-typed node from {}: {message}", self.origin),
        }
    }

    /// A tensor given from outside.
    pub fn parameter(&mut self, role: Role, name: impl Into<Arc<str>>, ty: Type) -> NodeId {
        self.emit(Prim::Parameter { role, name: name.into() }, &[], ty)
    }

    /// A scalar of the graph's float type.
    pub fn constant(&mut self, value: f64) -> NodeId {
        let float = self.graph.float;
        self.constant_of(value, float)
    }

    /// A scalar of some element type.
    pub fn constant_of(&mut self, value: f64, dtype: DType) -> NodeId {
        self.emit(Prim::Constant(Bits::from(value)), &[], prim::leaf::constant_type(dtype))
    }

    /// A tensor of one value with the type of `like`.
    pub fn scalar_like(&mut self, value: f64, like: NodeId) -> NodeId {
        let ty = self.ty(like).clone();
        self.filled(value, ty)
    }

    /// A tensor of one value.
    pub fn filled(&mut self, value: f64, ty: Type) -> NodeId {
        let scalar = self.constant_of(value, ty.dtype);
        self.broadcast(scalar, Vec::new(), ty.shape)
    }

    /// `0, 1, 2, …` along an axis.
    pub fn iota(&mut self, axis: usize, ty: Type) -> NodeId {
        self.emit(Prim::Iota { axis }, &[], ty)
    }

    /// The number of samples as a scalar.
    pub fn batch_size(&mut self) -> NodeId {
        let ty = Type::scalar(self.graph.float);
        self.emit(Prim::BatchSize, &[], ty)
    }

    /// Random numbers of a call site.
    pub fn rng(&mut self, distribution: Distribution, site: u64, shape: Vec<Dim>) -> NodeId {
        let ty = Type::new(self.graph.float, shape);
        self.emit(Prim::Rng { distribution, site }, &[], ty)
    }

    /// A function of one operand.
    pub fn unary(&mut self, op: Unary, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        self.emit(Prim::Unary(op), &[x], ty)
    }

    /// A function of two operands of one type.
    pub fn binary(&mut self, op: Binary, a: NodeId, b: NodeId) -> NodeId {
        let ty = self.ty(a).clone();
        self.emit(Prim::Binary(op), &[a, b], ty)
    }

    /// A comparison of two operands of one type.
    pub fn compare(&mut self, direction: Direction, a: NodeId, b: NodeId) -> NodeId {
        let ty = self.ty(a).with_dtype(DType::Pred);
        self.emit(Prim::Compare(direction), &[a, b], ty)
    }

    /// `a` where `pred` holds, else `b`.
    pub fn select(&mut self, pred: NodeId, a: NodeId, b: NodeId) -> NodeId {
        let ty = self.ty(a).clone();
        self.emit(Prim::Select, &[pred, a, b], ty)
    }

    /// Other elements; the operand itself when they are these already.
    pub fn convert(&mut self, x: NodeId, dtype: DType) -> NodeId {
        if self.ty(x).dtype == dtype {
            return x;
        }
        let ty = self.ty(x).with_dtype(dtype);
        self.emit(Prim::Convert, &[x], ty)
    }

    /// A constant for reverse mode.
    pub fn stop_gradient(&mut self, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        self.emit(Prim::StopGradient, &[x], ty)
    }

    /// Folds axes (ascending) away; the operand itself when there are none.
    pub fn reduce(&mut self, op: Reduction, x: NodeId, axes: Vec<usize>) -> NodeId {
        if axes.is_empty() {
            return x;
        }
        let ty = self.ty(x).with_shape(prim::reduce::without(&self.ty(x).shape, &axes));
        self.emit(Prim::Reduce { op, axes }, &[x], ty)
    }

    /// The index of the first largest element along an axis.
    pub fn argmax(&mut self, x: NodeId, axis: usize) -> NodeId {
        let ty = Type::new(DType::I32, prim::reduce::without(&self.ty(x).shape, &[axis]));
        self.emit(Prim::ArgMax { axis }, &[x], ty)
    }

    /// A product.
    pub fn dot(&mut self, a: NodeId, b: NodeId, dims: DotDims) -> NodeId {
        let ty = self.ty(a).with_shape(dims.result(&self.ty(a).shape, &self.ty(b).shape));
        self.emit(Prim::DotGeneral(dims), &[a, b], ty)
    }

    /// Another shape; the operand itself when it has that shape already.
    pub fn reshape(&mut self, x: NodeId, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Prim::Reshape, &[x], ty)
    }

    /// Another order of axes; the operand itself when it is the same.
    pub fn transpose(&mut self, x: NodeId, perm: Vec<usize>) -> NodeId {
        if perm.iter().enumerate().all(|(i, &p)| i == p) {
            return x;
        }
        let shape: Vec<Dim> = perm.iter().map(|&p| self.ty(x).shape[p]).collect();
        let ty = self.ty(x).with_shape(shape);
        self.emit(Prim::Transpose { perm }, &[x], ty)
    }

    /// Repeats along new axes; the operand itself when it has that shape already.
    pub fn broadcast(&mut self, x: NodeId, axes: Vec<usize>, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Prim::BroadcastInDim { axes }, &[x], ty)
    }

    /// A part of a tensor.
    pub fn slice(&mut self, x: NodeId, start: Vec<usize>, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Prim::Slice { start }, &[x], ty)
    }

    /// A tensor with zeros around it.
    pub fn pad(&mut self, x: NodeId, low: Vec<usize>, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Prim::Pad { low }, &[x], ty)
    }

    /// Operands one after another along an axis.
    pub fn concatenate(&mut self, parts: &[NodeId], axis: usize) -> NodeId {
        if let [only] = parts {
            return *only;
        }
        let size = parts.iter().filter_map(|&p| self.ty(p).shape[axis].fixed()).sum::<usize>();
        let mut ty = self.ty(parts[0]).clone();
        ty.shape[axis] = Dim::Size(size);
        self.emit(Prim::Concatenate { axis }, parts, ty)
    }

    /// The order of some axes turned round.
    pub fn reverse(&mut self, x: NodeId, axes: Vec<usize>) -> NodeId {
        let ty = self.ty(x).clone();
        self.emit(Prim::Reverse { axes }, &[x], ty)
    }

    /// Rows of a table.
    pub fn gather(&mut self, table: NodeId, index: NodeId) -> NodeId {
        let shape = [&self.ty(index).shape[..], &self.ty(table).shape[1..]].concat();
        let ty = self.ty(table).with_shape(shape);
        self.emit(Prim::Gather, &[table, index], ty)
    }

    /// A table of the sums of rows.
    pub fn scatter_add(&mut self, index: NodeId, rows: NodeId, shape: Vec<Dim>) -> NodeId {
        let ty = self.ty(rows).with_shape(shape);
        self.emit(Prim::ScatterAdd, &[index, rows], ty)
    }
}
