//! What outlives a step: weights, states and the optimizer's slots in one memory.

use crate::EngineError;
use nnc_backend::Entry;
use nnc_graph::{DType, Graph, Role};
use nnc_kernels::{Buffer, Real};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Where every weight, state and slot of some graphs lies: weights first, in the order of the graphs, then
/// states, then slots.
#[derive(Clone, Debug)]
pub struct Layout {
    entries: Vec<Entry>,
    /// Where each entry lies, in elements.
    places: Vec<Range<usize>>,
    index: HashMap<(Role, Arc<str>), usize>,
    float: DType,
    len: usize,
}

/// Entries begin at whole lanes.
const LINE: usize = nnc_kernels::LANES;

impl Layout {
    /// The layout of everything that appears in any of the graphs.
    ///
    /// # Errors
    /// Two graphs disagree about a type or their precision; sizes overflow or depend on the batch.
    pub fn new(graphs: &[&Graph]) -> Result<Self, EngineError> {
        let float = graphs.first().map_or(DType::F32, |g| g.float);
        let mut layout =
            Self { entries: Vec::new(), places: Vec::new(), index: HashMap::new(), float, len: 0 };
        for role in [Role::Weight, Role::State, Role::Slot] {
            for graph in graphs {
                if graph.float != float {
                    return Err(EngineError::Precision { graph: graph.float, asked: float });
                }
                layout.add(graph, role)?;
            }
        }
        Ok(layout)
    }

    fn add(&mut self, graph: &Graph, role: Role) -> Result<(), EngineError> {
        for (name, id) in graph.parameters(role) {
            let what = || format!("{} `{name}`", role.name());
            let ty = graph.ty(id);
            let count = ty.count_at(0).filter(|_| !ty.is_batched());
            let count = count.ok_or_else(|| EngineError::TooLarge { what: what() })?;
            let dims = ty.dims_at(0);
            if let Some(&at) = self.index.get(&(role, name.clone())) {
                if self.entries[at].dims != dims || self.entries[at].dtype != ty.dtype {
                    return Err(EngineError::Conflict { what: what() });
                }
                continue;
            }
            self.index.insert((role, name.clone()), self.entries.len());
            let offset = self.len;
            self.len = count
                .checked_next_multiple_of(LINE)
                .and_then(|n| n.checked_add(offset))
                .filter(|&n| n <= isize::MAX as usize / 8)
                .ok_or_else(|| EngineError::TooLarge { what: what() })?;
            self.entries.push(Entry { role, name, dtype: ty.dtype, dims });
            self.places.push(offset..offset + count);
        }
        Ok(())
    }

    /// All parameters in the order of memory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The parameter of this role and name, and where its elements lie.
    pub fn find(&self, role: Role, name: &str) -> Option<(&Entry, Range<usize>)> {
        self.index.get(&(role, Arc::from(name))).map(|&at| (&self.entries[at], self.places[at].clone()))
    }

    /// The number of elements of the memory, gaps included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Elements to allocate: tiles are read in whole lanes, wherever they begin.
    pub(crate) fn memory_len(&self) -> usize {
        self.len + LINE
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The precision of floats.
    pub fn float(&self) -> DType {
        self.float
    }

    /// The number of bytes of the memory.
    pub fn bytes(&self) -> u64 {
        self.len as u64 * if self.float == DType::F64 { 8 } else { 4 }
    }
}

/// The memory of a [`Layout`]. A clone is a snapshot.
#[derive(Debug)]
pub struct Store<T> {
    layout: Arc<Layout>,
    data: Buffer<T>,
}

impl<T: Real> Clone for Store<T> {
    fn clone(&self) -> Self {
        Self { layout: self.layout.clone(), data: self.data.clone() }
    }
}

impl<T: Real> Store<T> {
    /// Zeros everywhere. [`crate::plan`] says beforehand whether the memory is allowed.
    pub fn new(layout: &Layout) -> Self {
        Self { layout: Arc::new(layout.clone()), data: Buffer::zeros(layout.memory_len()) }
    }

    /// What lies where.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A parameter's elements.
    pub fn get(&self, role: Role, name: &str) -> Option<&[T]> {
        self.layout.find(role, name).map(|(_, place)| &self.data[place])
    }

    /// A parameter's elements, to change them.
    pub fn get_mut(&mut self, role: Role, name: &str) -> Option<&mut [T]> {
        let (_, place) = self.layout.find(role, name)?;
        Some(&mut self.data[place])
    }

    /// All parameters with their elements, in the order of memory.
    pub fn iter(&self) -> impl Iterator<Item = (&Entry, &[T])> {
        let places = self.layout.places.iter().cloned();
        self.layout.entries.iter().zip(places.map(|place| &self.data[place]))
    }

    /// Takes over the elements of another memory of the same layout without allocating.
    ///
    /// # Panics
    /// When the layouts have different lengths.
    pub fn copy_from(&mut self, other: &Self) {
        self.data.copy_from_slice(&other.data);
    }

    pub(crate) fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }
}
