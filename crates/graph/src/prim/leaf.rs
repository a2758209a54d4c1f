//! Leaves: parameters, constants, counters, random numbers.

use super::{Prim, expect};
use crate::eval::Array;
use crate::{DType, Type};
use serde::{Deserialize, Serialize};
use std::fmt;

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
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 7] =
        [Role::Input, Role::Target, Role::SampleWeight, Role::Weight, Role::State, Role::Slot, Role::Step];

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

pub(super) fn check(prim: &Prim, operands: &[&Type], result: &Type) -> Result<(), String> {
    if !operands.is_empty() {
        return Err(format!("takes no operand, has {}", operands.len()));
    }
    match prim {
        Prim::Constant(_) if result.rank() != 0 => {
            Err(format!("a constant is a scalar, not {result}; broadcast it"))
        }
        Prim::BatchSize if !result.dtype.is_float() => {
            Err(format!("the batch size is a float here, not {result}"))
        }
        Prim::BatchSize => expect(result, &Type::scalar(result.dtype)),
        Prim::Iota { axis } if *axis >= result.rank() => Err(format!("{result} has no axis {axis}")),
        Prim::Rng { .. } if !result.dtype.is_float() => {
            Err(format!("random numbers are floats, not {result}"))
        }
        Prim::Parameter { role: Role::Step, .. } => expect(result, &Type::scalar(result.dtype)),
        _ => Ok(()),
    }
}

pub(super) fn eval(prim: &Prim, dims: &[usize]) -> Array {
    match prim {
        Prim::Constant(bits) => Array::filled(dims, bits.get()),
        Prim::Iota { axis } => Array::from_fn(dims, |index| index[*axis] as f64),
        // Bound by the evaluator before it asks.
        _ => Array::filled(dims, f64::NAN),
    }
}

/// The element type a scalar constant of `value` has beside tensors of `dtype`.
pub(crate) fn constant_type(dtype: DType) -> Type {
    Type::scalar(dtype)
}
