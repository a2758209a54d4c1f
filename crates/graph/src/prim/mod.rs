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
pub(crate) mod functions;
pub(crate) mod indexing;
pub(crate) mod leaf;
pub(crate) mod movement;
pub(crate) mod reduce;
pub(crate) mod scan;
pub(crate) mod window;

pub use contract::DotDims;
pub use convolve::{ConvDims, Convolve};
pub use elementwise::Elementwise;
pub use functions::{Binary, Direction, Unary};
pub use indexing::Indexing;
pub use leaf::{Bits, Distribution, Leaf, Role};
pub use movement::Movement;
pub use reduce::{Reduce, Reduction};
pub use scan::{Loop, Scan, ScanResult};
pub use window::{Window, WindowDims};

use crate::array::{Array, Bindings};
use crate::text::Attributes;
use crate::{Builder, Dim, NodeId, Type};
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

    /// What kind of work it is: how its elements come from those of its operands.
    fn kind(&self, operands: &[&Type], result: &Type) -> Kind;

    /// Whether it is a linear function plus a constant of the operands that move, together; the others stay as they are.
    fn is_affine(&self, moves: &[bool]) -> bool;

    /// The number of rows that whole numbers count which it takes or gives: they must be exact.
    fn rows(&self, operands: &[&Type], result: &Type) -> Option<Dim>;

    /// What it is over all steps of a loop at once, where these operands vary from step to step; at least one does.
    /// To stay in the loop is always right.
    fn lift(&self, _varies: &[bool]) -> Lift {
        Lift::Never
    }

    /// What the sum of its results over all steps of a loop is, where these operands vary. To sum all of them is
    /// always right.
    fn summed(&self, _varies: &[bool]) -> Summed {
        Summed::Never
    }

    /// Whether the body of a loop rather does it in every step than be handed what it gives: it is known, or moves
    /// elements that are read from somewhere in any case.
    fn is_free(&self) -> bool {
        false
    }

    /// How reverse mode of a loop gets at its value again. To keep it is always right.
    fn again(&self) -> Again {
        Again::Kept
    }

    /// What it becomes in StableHLO.
    fn stablehlo(&self) -> StableHlo;
}

/// How the elements of a result come from those of its operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Given or known: parameters, constants, counters.
    Leaf,
    /// The operand's elements in the same order, where classes and predicates are numbers: reshape, most conversions.
    Alias,
    /// The operand's elements elsewhere.
    View,
    /// Element by element.
    Elementwise,
    /// Everything else: it needs a kernel of its own.
    Heavy,
}

/// What a primitive is over all steps of a loop at once. Tensors of all steps have the axis of steps first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Lift {
    /// Nothing: it stays in the loop.
    Never,
    /// This, of operands of all steps; those that do not vary are repeated.
    Stacked(Prim),
    /// This, of operands as they are.
    AsIs(Prim),
    /// A product, of a larger matrix where one side is the same in all steps.
    Product(DotDims),
}

/// What the sum of a primitive's results over all steps of a loop is, in terms of sums of its operands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Summed {
    /// Nothing simpler than the sum of all of them.
    Never,
    /// The same of the sums of all operands.
    Each,
    /// The same of the sum of this operand: it is linear in it, and the others are the same in all steps.
    Linear(usize),
    /// A sum over axes: one over the axis of steps as well.
    Fold(Vec<usize>),
    /// A product of two values of every step: one product over the steps as well.
    Product(DotDims),
    /// Rows added to a table in every step: all rows at once.
    Scatter,
}

/// How reverse mode of a loop gets at a forward value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Again {
    /// From a stack: it is dear.
    Kept,
    /// From its operands, once more.
    Computed,
    /// From its operands, which are no larger, whatever they are: it only moves elements or says them otherwise.
    Moved,
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

    /// What kind of work it is, for operands and a result of these types.
    pub fn kind(&self, operands: &[&Type], result: &Type) -> Kind {
        self.rules().kind(operands, result)
    }

    /// The number of rows that whole numbers count which it takes or gives, if it does: row numbers of a table,
    /// indices of a largest element, whole counters. Whoever stores whole numbers as floats must hold them exactly.
    pub fn rows(&self, operands: &[&Type], result: &Type) -> Option<Dim> {
        self.rules().rows(operands, result)
    }

    pub(crate) fn is_affine(&self, moves: &[bool]) -> bool {
        self.rules().is_affine(moves)
    }

    pub(crate) fn lift(&self, varies: &[bool]) -> Lift {
        self.rules().lift(varies)
    }

    pub(crate) fn summed(&self, varies: &[bool]) -> Summed {
        self.rules().summed(varies)
    }

    pub(crate) fn is_free(&self) -> bool {
        self.rules().is_free()
    }

    pub(crate) fn again(&self) -> Again {
        self.rules().again()
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
