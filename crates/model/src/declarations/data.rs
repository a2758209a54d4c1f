//! What a program says about data, and what the data says to a program.

use nnc_syntax::Span;
use std::collections::BTreeMap;

pub use nnc_syntax::Port;
pub use nnc_syntax::ast::Part;

/// What a value of a data declaration is, once parameters and sizes are known.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `100`, `0.1`, `20%`
    Number(f64),
    /// `"f.csv"`
    Text(String),
    /// `moons`
    Word(String),
    /// `28x28x1`
    Size(Vec<usize>),
    /// `yes`
    Bool(bool),
    /// `[flip, shift]`
    List(Vec<Literal>),
    /// `1..3`
    Range(f64, f64),
}

/// `input left 28x28x1`, `target same`: a column, or a group of them, under a name of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct PortDecl {
    /// The name.
    pub name: String,
    /// Whether it is a target.
    pub target: bool,
    /// The promised shape.
    pub shape: Option<Vec<usize>>,
    /// Where it stands.
    pub span: Span,
}

/// What the values of a port are, over all rows that were looked at, as the network sees them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Domain {
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Whether all are 0 or 1.
    pub binary: bool,
    /// Whether all are -1, 0 or 1.
    pub signs: bool,
    /// Whether all are whole numbers.
    pub whole: bool,
    /// Whether all are bytes of a picture, shares of 255.
    pub bytes: bool,
    /// Whether the numbers along the last axis sum to 1, up to rounding.
    pub shares: bool,
    /// How many are 0.
    pub zeros: usize,
}

impl Domain {
    /// The domain of values in runs of `width`, the size of the last axis; `None` where there are none.
    pub fn of(values: impl IntoIterator<Item = f64>, width: usize) -> Option<Self> {
        let mut out: Option<Self> = None;
        let (mut sum, mut at) = (0.0, 0);
        for x in values {
            let d = out.get_or_insert(Self {
                low: x,
                high: x,
                binary: true,
                signs: true,
                whole: true,
                bytes: true,
                shares: true,
                zeros: 0,
            });
            d.low = d.low.min(x);
            d.high = d.high.max(x);
            d.binary &= x == 0.0 || x == 1.0;
            d.signs &= x == 0.0 || x.abs() == 1.0;
            d.whole &= x.fract() == 0.0;
            d.bytes &= (0.0..=1.0).contains(&x) && (x * 255.0 - (x * 255.0).round()).abs() < 1e-6;
            d.zeros += usize::from(x == 0.0);
            sum += x;
            at += 1;
            if at == width.max(1) {
                d.shares &= (sum - 1.0).abs() < 1e-3;
                (sum, at) = (0.0, 0);
            }
        }
        out
    }

    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            binary: self.binary && other.binary,
            signs: self.signs && other.signs,
            whole: self.whole && other.whole,
            bytes: self.bytes && other.bytes,
            shares: self.shares && other.shares,
            zeros: self.zeros + other.zeros,
        }
    }
}

/// How a number of a port is brought back to what stands in the file: times `over`, plus `minus`, and then, of
/// logarithms, the exponential.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unscale {
    /// Multiplied with first.
    pub over: f64,
    /// Added then.
    pub minus: f64,
    /// Whether that is a logarithm.
    pub log: bool,
}

impl Unscale {
    /// A number as it stands in the file.
    pub const PLAIN: Self = Self { over: 1.0, minus: 0.0, log: false };
}

/// How often each class of a target comes in the rows that are trained on.
#[derive(Clone, PartialEq, Debug)]
pub struct Counts {
    /// For every class how often it is there; for every number along the last axis of a target of numbers from 0 to 1
    /// their sum.
    pub each: Vec<f64>,
    /// How many values each number along the last axis has; of classes how many there are in all.
    pub of: f64,
    /// What the numbers along the last axis are called, where they are columns.
    pub names: Vec<String>,
}

/// By how much the classes of a target count so that all of them count alike.
#[derive(Clone, PartialEq, Debug)]
pub struct Balanced {
    /// The target.
    pub target: String,
    /// Every class and what it counts.
    pub weights: Vec<(String, f64)>,
}

/// What is behind the name of a target to name that of the sample mixed in.
pub const PARTNER: &str = ".partner";
/// The name of the share of itself that every sample of a mixed batch is.
pub const SHARE: &str = "mixed.share";

/// What the data gives.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ports {
    /// What samples are made of.
    pub inputs: Vec<Port>,
    /// What they should lead to; empty when there is none.
    pub targets: Vec<Port>,
    /// For every target, how each number along its last axis comes back to the file's; empty where none is scaled.
    pub units: Vec<Vec<Unscale>>,
    /// For every target how often its classes come, where that can be counted; empty where the data was not looked at.
    pub counts: Vec<Option<Counts>>,
    /// Whether the samples of a training batch are mixed with others: then there are their targets too
    /// ([`PARTNER`]), and by how much each is itself ([`SHARE`]).
    pub mixed: bool,
    /// Whether rows have weights.
    pub weighted: bool,
    /// The name of the column of weights.
    pub weight: Option<String>,
    /// Whether there is validation data.
    pub has_valid: bool,
    /// How many samples there are to train on.
    pub samples: usize,
    /// Whether the training is over: how its steps were cut is of no concern any more.
    pub trained: bool,
    /// What the values of ports of numbers are, by their names, where that is known.
    pub domains: BTreeMap<String, Domain>,
}
