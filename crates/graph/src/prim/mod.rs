//! The closed set of primitives.
//!
//! Names and meaning are StableHLO's, so that a graph can be handed op by op to any XLA device. Where the
//! field's numerics need an own primitive (softplus), it has one, with its expansion for export.
//!
//! Primitives stand in families, one enum and one file of this folder each. A family's file holds every duty
//! of its primitives, listed by `Rules`, and the [`Builder`]'s methods that emit them. The `match`es there
//! have no wildcard arm: the compiler lists what a new primitive still lacks.

pub(crate) mod contract;
pub(crate) mod convolve;
pub(crate) mod elementwise;
pub(crate) mod indexing;
pub(crate) mod leaf;
pub(crate) mod movement;
pub(crate) mod reduce;
pub(crate) mod scan;
pub(crate) mod window;

pub use contract::DotDims;
pub use convolve::{ConvDims, Convolve};
pub use elementwise::{Binary, Direction, Elementwise, Unary};
pub use indexing::Indexing;
pub use leaf::{Bits, Distribution, Leaf, Role};
pub use movement::Movement;
pub use reduce::{Reduce, Reduction};
pub use scan::{Loop, Scan, ScanResult};
pub use window::{Window, WindowDims};

use crate::eval::{Array, Bindings};
use crate::text::Attributes;
use crate::{Builder, NodeId, Type};
use std::sync::Arc;

/// An operation with its attributes. Two nodes with equal primitive, type and operands compute the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Prim {
    /// Given or known: parameters, constants, counters, random numbers.
    Leaf(Leaf),
    /// Element by element.
    Elementwise(Elementwise),
    /// The same elements elsewhere.
    Movement(Movement),
    /// Axes folded away.
    Reduce(Reduce),
    /// A sum of products over contracted axes.
    DotGeneral(DotDims),
    /// A convolution, or its adjoint by the kernel.
    Convolve(Convolve),
    /// Folds of a window that moves, and their adjoints.
    Window(Window),
    /// Rows of a table by number.
    Indexing(Indexing),
    /// A result of a loop.
    Scan(Box<Scan>),
}

/// What every primitive owes; a family answers for all of its own.
pub(crate) trait Rules {
    /// The name in texts: StableHLO's, where it has the operation.
    fn name(&self) -> &'static str;

    /// The attributes as text, `key=value` each.
    fn attributes(&self) -> Vec<(&'static str, String)>;

    /// The inverse of [`Rules::name`] and [`Rules::attributes`]; `None` for a name of another family.
    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String>
    where
        Self: Sized;

    /// The type rule: whether `result` is a type it can have for these operands. The error is a sentence that
    /// says what does not fit.
    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String>;

    /// Emits the cotangents of the operands of `node`, given the cotangent `g` of its result: one for every
    /// operand, `None` where nothing flows.
    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>>;

    /// The value of type `to` in plain double precision loops: the meaning that kernels are compared with.
    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String>;

    /// Multiplications and additions for `batch` samples: two for every product, one for every element of an
    /// elementwise function or a fold, none for moving elements.
    fn flops(&self, operands: &[&Type], result: &Type, batch: usize) -> u64;

    /// What it becomes in StableHLO.
    fn stablehlo(&self) -> StableHlo;
}

/// What a primitive becomes in StableHLO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StableHlo {
    /// The operation of this name, with the same operands and attributes.
    Op(&'static str),
    /// Other operations, said in short.
    Expansion(&'static str),
}

impl Prim {
    fn rules(&self) -> &dyn Rules {
        match self {
            Prim::Leaf(p) => p,
            Prim::Elementwise(p) => p,
            Prim::Movement(p) => p,
            Prim::Reduce(p) => p,
            Prim::DotGeneral(p) => p,
            Prim::Convolve(p) => p,
            Prim::Window(p) => p,
            Prim::Indexing(p) => p,
            Prim::Scan(p) => &**p,
        }
    }

    /// The StableHLO name.
    pub fn name(&self) -> &'static str {
        self.rules().name()
    }

    /// Checks that `result` is a type this primitive can have for these operands.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        self.rules().check(operands, result)
    }

    /// What it becomes in StableHLO.
    pub fn stablehlo(&self) -> StableHlo {
        self.rules().stablehlo()
    }

    /// Multiplications and additions of a node with these types for `batch` samples: two for every product of a
    /// `dot_general`, one for every element of an elementwise function or a fold, none for moving elements.
    pub fn flops(&self, operands: &[&Type], result: &Type, batch: usize) -> u64 {
        self.rules().flops(operands, result, batch)
    }

    /// The role and name, of a parameter.
    pub fn parameter(&self) -> Option<(Role, &Arc<str>)> {
        if let Prim::Leaf(Leaf::Parameter { role, name }) = self { Some((*role, name)) } else { None }
    }

    /// The number, of a constant.
    pub fn constant(&self) -> Option<f64> {
        if let Prim::Leaf(Leaf::Constant(bits)) = self { Some(bits.get()) } else { None }
    }

    pub(crate) fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        self.rules().vjp(b, node, g)
    }

    pub(crate) fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        self.rules().eval(x, to, bindings)
    }

    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        self.rules().attributes()
    }

    /// The inverse of [`Prim::name`] and [`Prim::attributes`].
    pub(crate) fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Self, String> {
        fn read<P: Rules + Into<Prim>>(name: &str, a: &mut Attributes<'_>) -> Result<Option<Prim>, String> {
            Ok(P::from_text(name, a)?.map(Into::into))
        }
        for family in [
            read::<Leaf>,
            read::<Elementwise>,
            read::<Movement>,
            read::<Reduce>,
            read::<DotDims>,
            read::<Convolve>,
            read::<Window>,
            read::<Indexing>,
            read::<Scan>,
        ] {
            if let Some(prim) = family(name, attributes)? {
                return Ok(prim);
            }
        }
        Err(format!("there is no primitive `{name}`"))
    }
}

macro_rules! families {
    ($($variant:ident: $family:ident,)*) => {
        $(impl From<$family> for Prim {
            fn from(p: $family) -> Self {
                Prim::$variant(p)
            }
        })*
    };
}

families! {
    Leaf: Leaf,
    Elementwise: Elementwise,
    Movement: Movement,
    Reduce: Reduce,
    DotGeneral: DotDims,
    Convolve: Convolve,
    Window: Window,
    Indexing: Indexing,
}

/// Says how many operands were expected.
pub(crate) fn arity<const N: usize>(operands: &[&Type]) -> Result<[Type; N], String> {
    let owned: Vec<Type> = operands.iter().map(|&t| t.clone()).collect();
    let found = owned.len();
    owned.try_into().map_err(|_| format!("takes {N} operands, has {found}"))
}

/// Says which type was expected.
pub(crate) fn expect(result: &Type, wanted: &Type) -> Result<(), String> {
    if result == wanted { Ok(()) } else { Err(format!("the result is {wanted}, not {result}")) }
}

/// The number of elements, for a cost.
fn count(ty: &Type, batch: usize) -> u64 {
    ty.count_at(batch).unwrap_or(usize::MAX) as u64
}
