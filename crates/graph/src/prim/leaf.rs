//! Leaves: parameters, constants, counters, random numbers.

use super::{Kind, Rules, StableHlo, expect};
use crate::array::{Array, Bindings};
use crate::random::Key;
use crate::text::Attributes;
use crate::{Builder, DType, Dim, NodeId, Type};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What is given or known.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Leaf {
    /// A tensor given from outside: data, a weight, a state.
    Parameter {
        /// What it is for.
        role: Role,
        /// Its name, unique within its role.
        name: Arc<str>,
    },
    /// A scalar.
    Constant(Bits),
    /// `0, 1, 2, …` along an axis.
    Iota {
        /// The axis.
        axis: usize,
    },
    /// The number of samples of this step (StableHLO `get_dimension_size`), as a scalar float.
    BatchSize,
    /// Random numbers, keyed by (seed, step, site, element): independent of the order of execution. Operands,
    /// if there are any, are scalars of i32 (the step of a loop) that are mixed into the site one after another.
    Rng {
        /// The law they follow.
        distribution: Distribution,
        /// The call site.
        site: u64,
    },
}

/// What a parameter is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A column or picture of the sample.
    Input,
    /// What the sample should lead to.
    Target,
    /// How much the sample counts, `[B]`.
    SampleWeight,
    /// Learned.
    Weight,
    /// Kept by a layer between steps, such as a running mean.
    State,
    /// Kept by the optimizer between steps, such as a momentum.
    Slot,
    /// The number of this step, from 1: a scalar.
    Step,
    /// In the body of a loop: what goes from step to step.
    Carry,
    /// In the body of a loop: this step's part of a tensor.
    Slice,
    /// In the body of a loop: the same in every step.
    Invariant,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 10] = [
        Role::Input,
        Role::Target,
        Role::SampleWeight,
        Role::Weight,
        Role::State,
        Role::Slot,
        Role::Step,
        Role::Carry,
        Role::Slice,
        Role::Invariant,
    ];

    /// Whether such parameters stand in the bodies of loops.
    pub fn is_of_region(self) -> bool {
        matches!(self, Role::Carry | Role::Slice | Role::Invariant)
    }

    /// Its spelling in a dump.
    pub fn name(self) -> &'static str {
        match self {
            Role::Input => "input",
            Role::Target => "target",
            Role::SampleWeight => "sample_weight",
            Role::Weight => "weight",
            Role::State => "state",
            Role::Slot => "slot",
            Role::Step => "step",
            Role::Carry => "carry",
            Role::Slice => "slice",
            Role::Invariant => "invariant",
        }
    }

    /// The inverse of [`Role::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|r| r.name() == name)
    }
}

/// The law of random numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Distribution {
    /// Uniform in [0, 1).
    Uniform,
    /// Normal with mean 0 and deviation 1.
    Normal,
}

impl Distribution {
    /// All laws.
    pub const ALL: [Distribution; 2] = [Distribution::Uniform, Distribution::Normal];

    /// The primitive's name.
    pub fn name(self) -> &'static str {
        match self {
            Distribution::Uniform => "rng_uniform",
            Distribution::Normal => "rng_normal",
        }
    }
}

/// A double by its bits, so that it can be compared and hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl Bits {
    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        text.parse::<f64>().ok().map(Bits::from)
    }
}

impl From<f64> for Bits {
    fn from(value: f64) -> Self {
        Bits(value.to_bits())
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.get();
        // Shortest text that reads back exactly; very small and large numbers with an exponent.
        if value != 0.0 && value.is_finite() && !(1e-4..1e16).contains(&value.abs()) {
            write!(f, "{value:e}")
        } else {
            write!(f, "{value}")
        }
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Rules for Leaf {
    fn name(&self) -> &'static str {
        match self {
            Leaf::Parameter { .. } => "parameter",
            Leaf::Constant(_) => "constant",
            Leaf::Iota { .. } => "iota",
            Leaf::BatchSize => "get_dimension_size",
            Leaf::Rng { distribution, .. } => distribution.name(),
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Leaf::Parameter { role, name } => {
                vec![("role", role.name().into()), ("name", format!("{name:?}"))]
            }
            Leaf::Constant(bits) => vec![("value", bits.to_string())],
            Leaf::Iota { axis } => vec![("axis", axis.to_string())],
            Leaf::BatchSize => Vec::new(),
            Leaf::Rng { site, .. } => vec![("site", format!("{site:#018x}"))],
        }
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        if let Some(distribution) = Distribution::ALL.into_iter().find(|d| d.name() == name) {
            return Ok(Some(Leaf::Rng { distribution, site: attributes.hex("site")? }));
        }
        Ok(Some(match name {
            "parameter" => Leaf::Parameter {
                role: attributes.parse("role", Role::from_name)?,
                name: attributes.string("name")?,
            },
            "constant" => Leaf::Constant(attributes.parse("value", Bits::from_text)?),
            "iota" => Leaf::Iota { axis: attributes.number("axis")? },
            "get_dimension_size" => Leaf::BatchSize,
            _ => return Ok(None),
        }))
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        if let Leaf::Rng { .. } = self {
            if !result.dtype.is_float() {
                return Err(format!("random numbers are floats, not {result}"));
            }
            let key = Type::scalar(DType::I32);
            return match operands.iter().find(|t| ***t != key) {
                Some(other) => Err(format!("random numbers are keyed by {key}, not by {other}")),
                None => Ok(()),
            };
        }
        if !operands.is_empty() {
            return Err(format!("takes no operand, has {}", operands.len()));
        }
        match self {
            Leaf::Constant(_) if result.rank() != 0 => {
                Err(format!("a constant is a scalar, not {result}; broadcast it"))
            }
            Leaf::BatchSize if !result.dtype.is_float() => {
                Err(format!("the batch size is a float here, not {result}"))
            }
            Leaf::BatchSize => expect(result, &Type::scalar(result.dtype)),
            Leaf::Iota { axis } if *axis >= result.rank() => Err(format!("{result} has no axis {axis}")),
            Leaf::Parameter { role: Role::Step, .. } => expect(result, &Type::scalar(result.dtype)),
            Leaf::Parameter { .. } | Leaf::Constant(_) | Leaf::Iota { .. } | Leaf::Rng { .. } => Ok(()),
        }
    }

    /// Nothing flows into what is given; the keys of random numbers are whole.
    fn vjp(&self, b: &mut Builder, node: NodeId, _: NodeId) -> Vec<Option<NodeId>> {
        vec![None; b.operands(node).len()]
    }

    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        let dims = &to.dims_at(bindings.batch)[..];
        Ok(match self {
            Leaf::Parameter { role: Role::Step, .. } => Array::filled(dims, bindings.step as f64),
            Leaf::Parameter { role, name } => {
                let value = bindings.parameters.get(&(*role, name.to_string()));
                let value = value.ok_or_else(|| format!("{} `{name}` is not bound", role.name()))?;
                if value.dims != dims {
                    return Err(format!("{} `{name}` is {dims:?}, bound to {:?}", role.name(), value.dims));
                }
                value.clone()
            }
            Leaf::Constant(bits) => Array::filled(dims, bits.get()),
            Leaf::Iota { axis } => Array::from_fn(dims, |index| index[*axis] as f64),
            Leaf::BatchSize => Array::filled(dims, bindings.batch as f64),
            Leaf::Rng { distribution, site } => {
                let site = x.iter().fold(*site, |site, k| crate::random::keyed(site, k.data[0] as i64));
                let key = Key::new(bindings.seed, bindings.step, site);
                let mut i = 0;
                Array::from_fn(dims, |_| {
                    i += 1;
                    match distribution {
                        Distribution::Uniform => key.uniform(i - 1),
                        Distribution::Normal => key.normal(i - 1),
                    }
                })
            }
        })
    }

    fn flops(&self, _: &[&Type], _: &Type, _: usize) -> u64 {
        0
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        match self {
            Leaf::Parameter { .. } | Leaf::Constant(_) | Leaf::Iota { .. } | Leaf::BatchSize => Kind::Leaf,
            Leaf::Rng { .. } => Kind::Elementwise,
        }
    }

    fn is_affine(&self, _: &[bool]) -> bool {
        match self {
            Leaf::Parameter { .. } => true,
            Leaf::Constant(_) | Leaf::Iota { .. } | Leaf::BatchSize | Leaf::Rng { .. } => false,
        }
    }

    fn rows(&self, _: &[&Type], result: &Type) -> Option<Dim> {
        match self {
            Leaf::Iota { axis } if result.dtype == DType::I32 => Some(result.shape[*axis]),
            Leaf::Parameter { .. }
            | Leaf::Constant(_)
            | Leaf::Iota { .. }
            | Leaf::BatchSize
            | Leaf::Rng { .. } => None,
        }
    }

    fn is_free(&self) -> bool {
        match self {
            Leaf::Constant(_) | Leaf::Iota { .. } | Leaf::BatchSize => true,
            Leaf::Parameter { .. } | Leaf::Rng { .. } => false,
        }
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Leaf::Parameter { .. } => StableHlo::Expansion("an argument of the function"),
            Leaf::Constant(_) => StableHlo::Op("constant"),
            Leaf::Iota { .. } => StableHlo::Op("iota"),
            Leaf::BatchSize => StableHlo::Expansion("a constant: one module for each batch size"),
            Leaf::Rng { distribution: Distribution::Uniform, .. } => StableHlo::Expansion(
                "Philox 4x32-10 on ui32 and ui64 with the key of (seed, site, operands) and the step, then 24 bits to [0, 1)",
            ),
            Leaf::Rng { distribution: Distribution::Normal, .. } => StableHlo::Expansion(
                "Philox 4x32-10 as for rng_uniform, then Box and Muller's transform in f64",
            ),
        }
    }
}

impl Builder {
    /// A tensor given from outside.
    pub fn parameter(&mut self, role: Role, name: impl Into<Arc<str>>, ty: Type) -> NodeId {
        self.emit(Leaf::Parameter { role, name: name.into() }, &[], ty)
    }

    /// A scalar of the graph's float type.
    pub fn constant(&mut self, value: f64) -> NodeId {
        let float = self.graph().float;
        self.constant_of(value, float)
    }

    /// A scalar of some element type.
    pub fn constant_of(&mut self, value: f64, dtype: DType) -> NodeId {
        self.emit(Leaf::Constant(Bits::from(value)), &[], Type::scalar(dtype))
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
        self.emit(Leaf::Iota { axis }, &[], ty)
    }

    /// The number of samples as a scalar.
    pub fn batch_size(&mut self) -> NodeId {
        let ty = Type::scalar(self.graph().float);
        self.emit(Leaf::BatchSize, &[], ty)
    }

    /// Random numbers of a call site.
    pub fn rng(&mut self, distribution: Distribution, site: u64, shape: Vec<Dim>) -> NodeId {
        self.rng_keyed(distribution, site, &[], shape)
    }

    /// Random numbers of a call site and of scalars of i32, such as the step of a loop.
    pub fn rng_keyed(
        &mut self,
        distribution: Distribution,
        site: u64,
        keys: &[NodeId],
        shape: Vec<Dim>,
    ) -> NodeId {
        let ty = Type::new(self.graph().float, shape);
        self.emit(Leaf::Rng { distribution, site }, keys, ty)
    }
}
