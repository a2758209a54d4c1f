//! What the expressions of a program stand for, as far as a network needs it.

use crate::python::{Class, Def};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// A number
    Num(f64),
    /// A text
    Text(String),
    /// A list or tuple, also of tensors
    List(Vec<Value>),
    /// A dictionary with texts or numbers as keys; numbers are written out
    Dict(Vec<(String, Value)>),
    /// A name that the program did not make: `keras.layers`
    Path(String),
    /// What a call of such a name made: a layer, an optimizer, a loss
    Made(Rc<Made>),
    /// A tensor of the network: a node
    Tensor(usize),
    /// A model
    Net(usize),
    /// A function of the program
    Def(Rc<Def>),
    /// A class of the program
    Class(Rc<Class>),
    /// An object of a class of the program
    Object(usize),
    /// Samples: where they come from, in words
    Data(Rc<Data>),
    /// What is not known
    Unknown,
}

/// Samples of the program.
#[derive(Debug)]
pub struct Data {
    /// The name it had first.
    pub name: String,
    /// The file, where there is one, with its ending.
    pub file: Option<String>,
    /// The line.
    pub line: usize,
}

/// A call of something of the library.
#[derive(Debug)]
pub struct Made {
    /// A number of its own: the layer with its weights.
    pub id: usize,
    /// The last part of its name: `Dense`.
    pub name: String,
    /// What stands before it: `nn`, `keras.layers`.
    pub path: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// Its arguments with names.
    pub named: Vec<(String, Value)>,
    /// The line.
    pub line: usize,
}

impl Data {
    /// The same under the name of the variable that holds it.
    pub fn named(&self, name: &str) -> Value {
        Value::Data(Rc::new(Data { name: name.into(), file: self.file.clone(), line: self.line }))
    }
}

impl Made {
    /// The argument in a place or of a name.
    pub fn get(&self, place: usize, name: &str) -> Option<&Value> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, v)| v).or_else(|| self.args.get(place))
    }

    /// An argument that has no place.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.get(usize::MAX, name)
    }
}

/// A model.
#[derive(Debug)]
pub enum Net {
    /// Layers, one behind the other
    Chain(Vec<Value>),
    /// From inputs to outputs
    Graph(Vec<usize>, Vec<usize>),
}

/// An object: its class and what was given to `self`.
#[derive(Debug)]
pub struct Object {
    /// Its class.
    pub class: Rc<Class>,
    /// Its attributes.
    pub attrs: BTreeMap<String, Value>,
}

impl Value {
    /// A number.
    pub fn num(&self) -> Option<f64> {
        match self {
            Value::Num(x) => Some(*x),
            _ => None,
        }
    }

    /// The node of a tensor.
    pub fn tensor(&self) -> Option<usize> {
        match self {
            Value::Tensor(n) => Some(*n),
            _ => None,
        }
    }

    /// Whether it may stand in a chain of layers; a tensor there is an input.
    pub fn is_layer(&self) -> bool {
        matches!(
            self,
            Value::Made(_)
                | Value::Net(_)
                | Value::Object(_)
                | Value::Def(_)
                | Value::Tensor(_)
                | Value::None
        )
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(s) => Some(s),
            _ => None,
        }
    }

    /// A truth.
    pub fn is(&self, wanted: bool) -> bool {
        matches!(self, Value::Bool(b) if *b == wanted)
    }

    /// What it is called in the library: a text, a function, or a call of one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Value::Text(s) => Some(s.rsplit('.').next().unwrap_or(s)),
            Value::Path(p) => p.rsplit('.').next(),
            Value::Made(m) => Some(&m.name),
            _ => None,
        }
    }

    /// Whole numbers: of a list, or one alone.
    pub fn sizes(&self) -> Option<Vec<i64>> {
        let whole = |v: &Value| v.num().filter(|x| x.fract() == 0.0 && x.abs() < 1e12).map(|x| x as i64);
        match self {
            Value::List(all) => all.iter().map(whole).collect(),
            one => whole(one).map(|n| vec![n]),
        }
    }

    /// Its items: of a list, or itself alone.
    pub fn items(&self) -> Vec<Value> {
        match self {
            Value::List(all) => all.clone(),
            Value::None => Vec::new(),
            one => vec![one.clone()],
        }
    }
}

/// A number as one writes it: `16`, `0.001`, `1e-8`.
pub fn written(x: f64) -> String {
    if x != 0.0 && (x.abs() < 1e-4 || x.abs() >= 1e15) { format!("{x:e}") } else { format!("{x}") }
}
