//! Appending nodes, each distinct computation once.

use crate::{DType, Graph, Node, NodeId, Origin, OutputKind, Prim, Type};
use std::collections::HashMap;
use std::sync::Arc;

/// Appends nodes to a graph; a node equal to an earlier one is that node.
///
/// The named methods stand with their primitives, in the files of `prim/`. They compute the result's type themselves and panic when operands do not fit: callers check
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
    pub fn try_emit(
        &mut self,
        prim: impl Into<Prim>,
        operands: &[NodeId],
        ty: Type,
    ) -> Result<NodeId, String> {
        let prim = prim.into();
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
    pub fn emit(&mut self, prim: impl Into<Prim>, operands: &[NodeId], ty: Type) -> NodeId {
        match self.try_emit(prim, operands, ty) {
            Ok(id) => id,
            Err(message) => panic!("ill-typed node from {}: {message}", self.origin),
        }
    }
}
