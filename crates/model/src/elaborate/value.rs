//! What an expression can be worth at compile time.

use crate::declarations::attributes::Attributes;
use nnc_graph::NodeId;
use nnc_syntax::ast::{FnDef, InitDef, LayerDef, RuleDef};
use nnc_syntax::units;
use std::fmt;
use std::rc::Rc;

/// One axis of a sample: its size, and where the size came from.
///
/// Two axes of equal size and different origin are not the same axis: broadcasting a smaller shape against
/// the end of a larger one reports them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Axis {
    pub size: usize,
    /// The axis of an input it came from, if known.
    pub id: Option<u32>,
}

impl Axis {
    pub fn of(size: usize) -> Self {
        Self { size, id: None }
    }
}

/// A tensor of the graph, as the program sees it: one sample, without the batch.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Tensor {
    pub node: NodeId,
    pub axes: Rc<[Axis]>,
    /// Whether there is one for every sample (activations) or one for all (weights).
    pub batched: bool,
    /// The number of classes, for a class tensor.
    pub classes: Option<usize>,
    /// Which steps are there and no padding, `[B, time]` of ones and zeros, for `[time, …]` of a masked sequence.
    pub mask: Option<NodeId>,
}

impl Tensor {
    pub fn rank(&self) -> usize {
        self.axes.len()
    }

    pub fn sizes(&self) -> Vec<usize> {
        self.axes.iter().map(|a| a.size).collect()
    }
}

/// A shape, and whether it was the shape of a tensor with one value for every sample.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shape {
    pub axes: Vec<Axis>,
    pub batched: bool,
}

/// What can be applied.
#[derive(Clone, Debug)]
pub(crate) enum Func {
    /// A function of Rust.
    Builtin(&'static str),
    /// `fn`
    Fn(Rc<FnDef>),
    /// `layer`
    Layer(Rc<LayerDef>),
    /// `shared`: a layer whose weights exist once.
    Shared(Rc<crate::elaborate::shared::Shared>),
}

impl PartialEq for Func {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Func::Builtin(a), Func::Builtin(b)) => a == b,
            (Func::Fn(a), Func::Fn(b)) => Rc::ptr_eq(a, b),
            (Func::Layer(a), Func::Layer(b)) => Rc::ptr_eq(a, b),
            (Func::Shared(a), Func::Shared(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// An initialiser with its options.
#[derive(Clone, Debug)]
pub(crate) struct Init {
    pub def: Rc<InitDef>,
    pub bound: Vec<(String, Value)>,
}

impl PartialEq for Init {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.def, &other.def) && self.bound == other.bound
    }
}

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Tensor(Tensor),
    Int(i64),
    /// A whole number that is the size of an axis.
    Axis(Axis),
    Num(f64),
    Bool(bool),
    /// `3x3`, `shape(x)`, `[...space]`
    Shape(Shape),
    Text(Rc<str>),
    List(Vec<Value>),
    Func(Func),
    Init(Rc<Init>),
    /// An option such as `same`.
    Symbol(Rc<str>),
    /// Several results.
    Several(Vec<Value>),
    /// The result of a statement whose mistake is already reported.
    Poison,
}

impl Value {
    /// A whole number.
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            Value::Axis(a) => i64::try_from(a.size).ok(),
            Value::Num(x) if x.fract() == 0.0 && x.abs() < 9e15 => Some(*x as i64),
            _ => None,
        }
    }

    /// A number known at compile time.
    pub fn num(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Axis(a) => Some(a.size as f64),
            Value::Num(x) => Some(*x),
            _ => None,
        }
    }

    /// What a person would call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Tensor(t) if t.classes.is_some() => "a class tensor",
            Value::Tensor(_) => "a tensor",
            Value::Int(_) | Value::Axis(_) => "a whole number",
            Value::Num(_) => "a number",
            Value::Bool(_) => "yes or no",
            Value::Shape(_) => "a size",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Func(Func::Layer(_)) => "a layer",
            Value::Func(_) => "a function",
            Value::Init(_) => "an initialiser",
            Value::Symbol(_) => "a word",
            Value::Several(_) => "several tensors",
            Value::Poison => "a broken value",
        }
    }
}

impl Value {
    /// What a person would call it, with what is in it: `a list of two tensors`, `the number 6`.
    pub fn what(&self) -> String {
        match self {
            Value::Int(_) | Value::Axis(_) | Value::Num(_) => format!("the number {self}"),
            Value::Bool(_) => format!("the answer `{self}`"),
            Value::Shape(_) => format!("the size {self}"),
            Value::Text(text) if text.chars().count() <= 40 => format!("the text \"{text}\""),
            Value::List(items) if items.is_empty() => "an empty list".into(),
            Value::List(items) => format!("a list of {}", counted(items)),
            Value::Several(items) => counted(items),
            Value::Func(_) | Value::Init(_) => {
                format!("{} `{self}`", self.kind().replacen("an ", "the ", 1).replacen("a ", "the ", 1))
            }
            other => other.kind().to_string(),
        }
    }
}

/// `two tensors`, `3 numbers`, `two values`
fn counted(items: &[Value]) -> String {
    let all = |is: fn(&Value) -> bool| items.iter().all(is);
    let what = if all(|v| matches!(v, Value::Tensor(_))) {
        "tensor"
    } else if all(|v| v.num().is_some()) {
        "number"
    } else if all(|v| matches!(v, Value::Func(_))) {
        "function"
    } else {
        "value"
    };
    match items.len() {
        1 => format!("one {what}"),
        2 => format!("two {what}s"),
        3 => format!("three {what}s"),
        n => format!("{n} {what}s"),
    }
}

/// A shape as a person writes it: `28x28x1`, `16`, and `one number` for no axes.
pub(crate) fn shape_text(axes: &[Axis]) -> String {
    if axes.is_empty() {
        return "one number".into();
    }
    units::sizes(&axes.iter().map(|a| a.size).collect::<Vec<_>>())
}

/// How many numbers a shape holds, in words: `one number`, `3 numbers`, `28x28x1 numbers`.
pub(crate) fn numbers_text(sizes: &[usize]) -> String {
    match sizes {
        [] | [1] => "one number".into(),
        many => format!("{} numbers", units::sizes(many)),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Tensor(t) => f.write_str(&shape_text(&t.axes)),
            Value::Int(n) => write!(f, "{n}"),
            Value::Axis(a) => write!(f, "{}", a.size),
            Value::Num(x) => write!(f, "{x}"),
            Value::Bool(b) => f.write_str(if *b { "yes" } else { "no" }),
            Value::Shape(s) => f.write_str(&shape_text(&s.axes)),
            Value::Text(t) => f.write_str(t),
            Value::List(items) | Value::Several(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Value::Func(Func::Builtin(name)) => f.write_str(name),
            Value::Func(Func::Fn(def)) => f.write_str(&def.name.text),
            Value::Func(Func::Layer(def)) => f.write_str(&def.name.text),
            Value::Func(Func::Shared(shared)) => f.write_str(&shared.name),
            Value::Init(init) => f.write_str(&init.def.name.text),
            Value::Symbol(s) => f.write_str(s),
            Value::Poison => f.write_str("?"),
        }
    }
}

/// Kinds of parameters, for positional arguments that go to the first free parameter that accepts them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Tensor,
    Int,
    Number,
    Bool,
    Size,
    Text,
    Function,
    Init,
    Option,
    List,
    Mask,
    Any,
}

impl Kind {
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "tensor" => Kind::Tensor,
            "int" => Kind::Int,
            "number" => Kind::Number,
            "bool" => Kind::Bool,
            "size" => Kind::Size,
            "text" => Kind::Text,
            "function" => Kind::Function,
            "init" => Kind::Init,
            "list" => Kind::List,
            "mask" => Kind::Mask,
            "any" => Kind::Any,
            _ => return None,
        })
    }

    /// The kind of a default.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Tensor(_) | Value::Several(_) => Kind::Tensor,
            Value::Int(_) | Value::Axis(_) => Kind::Int,
            Value::Num(_) => Kind::Number,
            Value::Bool(_) => Kind::Bool,
            Value::Shape(_) => Kind::Size,
            Value::Text(_) => Kind::Text,
            Value::List(_) => Kind::List,
            Value::Func(_) => Kind::Function,
            Value::Init(_) => Kind::Init,
            Value::Symbol(_) => Kind::Option,
            Value::Poison => Kind::Any,
        }
    }

    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Poison) | (Kind::Any, _) => true,
            (Kind::Tensor, v) => {
                matches!(v, Value::Tensor(_) | Value::Int(_) | Value::Axis(_) | Value::Num(_))
            }
            (Kind::Int, v) => matches!(v, Value::Int(_) | Value::Axis(_)),
            (Kind::Number, v) => {
                matches!(v, Value::Int(_) | Value::Axis(_) | Value::Num(_) | Value::Tensor(_))
            }
            (Kind::Bool, v) => matches!(v, Value::Bool(_)),
            (Kind::Size, v) => matches!(v, Value::Int(_) | Value::Axis(_) | Value::Shape(_)),
            (Kind::Text, v) => matches!(v, Value::Text(_)),
            (Kind::Function, v) => matches!(v, Value::Func(_)),
            (Kind::Init, v) => matches!(v, Value::Init(_)),
            (Kind::Option, v) => matches!(v, Value::Symbol(_)),
            (Kind::List, v) => matches!(v, Value::List(_)),
            (Kind::Mask, v) => matches!(v, Value::Tensor(_) | Value::Bool(false)),
        }
    }

    /// What a person would call it.
    pub fn describe(self) -> &'static str {
        match self {
            Kind::Tensor => "a tensor",
            Kind::Int => "a whole number",
            Kind::Number => "a number",
            Kind::Bool => "yes or no",
            Kind::Size => "a size such as 3x3",
            Kind::Text => "a text in quotes",
            Kind::Function => "a function such as relu",
            Kind::Init => "an initialiser such as glorot",
            Kind::Option => "a word",
            Kind::List => "a list",
            Kind::Mask => "a tensor with a number for each step, 0 where it is padding",
            Kind::Any => "a value",
        }
    }
}

/// What can be found under a name at the top of a file.
#[derive(Clone, Debug)]
pub(crate) enum Def {
    Fn(Rc<FnDef>),
    Layer(Rc<LayerDef>),
    Rule(Rc<RuleDef>),
    Init(Rc<InitDef>),
}

impl Def {
    /// What it says about itself.
    pub fn attributes(&self) -> Attributes {
        Attributes::of(match self {
            Def::Fn(def) => &def.attributes,
            Def::Layer(def) => &def.attributes,
            Def::Rule(def) => &def.attributes,
            Def::Init(def) => &def.attributes,
        })
    }
}
