//! Functions, layers and models, called: what they add to the network.

use super::{DEPTH, Run};
use crate::graph::Op;
use crate::python::{Class, Def, ExprKind};
use crate::step::Step;
use crate::value::{Made, Net, Object, Value};
use crate::{Library, data, layers};
use std::collections::BTreeMap;
use std::rc::Rc;

impl Run {
    /// A function of the program, followed.
    pub fn function(&mut self, def: &Rc<Def>, me: Option<Value>, given: &Made) -> Value {
        if self.scopes.len() > DEPTH {
            return Value::Unknown;
        }
        let mut scope = BTreeMap::new();
        let mut params = def.params.as_slice();
        if let (Some(me), Some((first, rest))) = (me, params.split_first()) {
            scope.insert(first.0.clone(), me);
            params = rest;
        }
        for (i, (name, default)) in params.iter().enumerate() {
            let value = match (given.get(i, name), default) {
                (Some(v), _) => v.clone(),
                (None, Some(e)) => self.eval(e),
                (None, None) => Value::Unknown,
            };
            scope.insert(name.clone(), value);
        }
        let now = self.now.clone();
        self.scopes.push(scope);
        let value = self.body(&def.body);
        self.scopes.pop();
        self.now = now;
        value.unwrap_or(Value::None)
    }

    pub(super) fn object(&mut self, class: Rc<Class>, given: &Made) -> Value {
        self.objects.push(Object { class: class.clone(), attrs: BTreeMap::new() });
        let me = Value::Object(self.objects.len() - 1);
        if let Some(init) = class.defs.iter().find(|d| d.name == "__init__") {
            self.function(init, Some(me.clone()), given);
        }
        let network = is_network(&class);
        if network && !self.chosen && self.scopes.len() == 1 {
            self.main = Some(me.clone());
        }
        me
    }

    /// The function of an object that says what it computes.
    pub fn forward(&self, object: usize) -> Option<Rc<Def>> {
        let defs = &self.objects[object].class.defs;
        defs.iter().find(|d| d.name == "forward" || d.name == "call").cloned()
    }

    /// A layer or model, called.
    pub fn apply(&mut self, layer: &Value, given: &Made) -> Value {
        let tensors = |v: &Value| match v {
            Value::Tensor(n) => vec![*n],
            Value::List(all) => all.iter().filter_map(Value::tensor).collect(),
            _ => Vec::new(),
        };
        let inputs: Vec<usize> = given.args.first().map(tensors).unwrap_or_default();
        match layer {
            Value::Made(m) if !inputs.is_empty() && data::is_loss(m) => {
                self.training.loss.get_or_insert((Value::Made(m.clone()), given.line));
                Value::None
            }
            // A loss of what is only known while training.
            Value::Made(m) if inputs.is_empty() => {
                if data::is_loss(m) {
                    self.training.loss.get_or_insert((Value::Made(m.clone()), m.line));
                    self.training.compare(given);
                    return Value::None;
                }
                Value::Unknown
            }
            Value::Made(m) => {
                if m.name == "MultiHeadAttention" && given.args.len() > 1 {
                    return self.attention(m, given);
                }
                let inputs =
                    if inputs.len() > 1 || given.args.len() < 2 { inputs } else { inputs[..1].to_vec() };
                Value::Tensor(self.layer(m, inputs))
            }
            Value::Net(_) | Value::Object(_) if inputs.is_empty() => {
                // A model called on data: what comes out is only known while training.
                self.training
                    .compared
                    .get_or_insert_with(|| given.args.first().cloned().unwrap_or(Value::Unknown));
                Value::Unknown
            }
            Value::Net(n) => self.net(*n, inputs),
            Value::Object(n) => match self.forward(*n) {
                Some(def) => self.function(&def, Some(layer.clone()), given),
                None => Value::Unknown,
            },
            Value::Def(def) => self.function(&def.clone(), None, given),
            _ => Value::Unknown,
        }
    }

    /// Attention over itself, or over another sequence.
    fn attention(&mut self, m: &Rc<Made>, given: &Made) -> Value {
        let tensor = |place: usize| given.args.get(place).and_then(Value::tensor);
        let (Some(x), Some(y)) = (tensor(0), tensor(1)) else {
            return Value::Unknown;
        };
        let heads = m.get(0, "num_heads").and_then(Value::num).unwrap_or(1.0);
        let mut step =
            Step::plain(format!("{} {heads}", if x == y { "attention" } else { "cross_attention" }));
        if given.named("use_causal_mask").is_some_and(|v| v.is(true)) {
            step = step.with("causal");
        }
        if m.get(1, "key_dim").is_some() {
            self.leave(
                m.line,
                "key_dim of MultiHeadAttention",
                "each head has the width of the tensor divided by the heads here",
            );
        }
        let inputs = if x == y { vec![x] } else { vec![x, y] };
        Value::Tensor(self.graph.add(Op::Steps(vec![step]), inputs, Some(m.id)))
    }

    /// A node for a layer.
    pub fn layer(&mut self, m: &Made, inputs: Vec<usize>) -> usize {
        let several = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"];
        let lower = ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"];
        let known = several.iter().chain(&lower).position(|n| *n == m.name);
        if let Some(i) = known.filter(|_| !inputs.is_empty()) {
            let ours =
                ["add", "subtract", "multiply", "average", "maximum", "minimum", "concat", "dot"][i % 8];
            let mut step = Step::plain(ours);
            if ours == "dot" && m.named("normalize").is_some_and(|v| v.is(true)) {
                step = step.with("normalize");
            }
            if ours == "concat"
                && m.get(0, "axis").and_then(Value::num).is_some_and(|a| a != -1.0 && a != 1.0)
            {
                step = step.with(format!(
                    "axis={}",
                    m.get(0, "axis").and_then(Value::num).map_or(0.0, |a| if a > 0.0 { a - 1.0 } else { a })
                ));
            }
            return self.graph.add(Op::Steps(vec![step]), inputs, None);
        }
        let node = match layers::render(m, self.library) {
            Ok((steps, left)) => {
                for (what, why) in left {
                    self.leave(m.line, what, why);
                }
                self.graph.add(Op::Steps(steps), inputs, Some(m.id))
            }
            Err(why) => {
                self.leave(m.line, m.name.clone(), why);
                self.graph.add(Op::Missing(format!("line {}: {}", m.line, m.name)), inputs, None)
            }
        };
        let name = m.named("name").and_then(Value::text).map(str::to_string);
        self.graph.nodes[node].name = name;
        node
    }

    /// A model, called on tensors.
    fn net(&mut self, n: usize, inputs: Vec<usize>) -> Value {
        match &self.nets[n] {
            Net::Chain(layers) => {
                let layers = layers.clone();
                let mut now = Value::List(inputs.iter().map(|n| Value::Tensor(*n)).collect());
                if let [one] = inputs.as_slice() {
                    now = Value::Tensor(*one);
                }
                for layer in layers {
                    // An input says its shape, and is told with the data.
                    if matches!(layer, Value::Tensor(_) | Value::None) {
                        continue;
                    }
                    let given = Made {
                        id: 0,
                        name: "call".into(),
                        path: String::new(),
                        args: vec![now.clone()],
                        named: Vec::new(),
                        line: 0,
                    };
                    now = match (self.apply(&layer, &given), now) {
                        (next @ (Value::Tensor(_) | Value::List(_)), _) => next,
                        (_, now) => {
                            let inputs = now.items();
                            let inputs = inputs.iter().filter_map(Value::tensor).collect();
                            Value::Tensor(self.graph.add(Op::Missing("a layer".into()), inputs, None))
                        }
                    };
                }
                now
            }
            Net::Graph(from, to) => {
                let (from, to) = (from.clone(), to.clone());
                let pairs: Vec<(usize, usize)> = from.into_iter().zip(inputs).collect();
                let out = self.graph.again(&pairs, &to);
                let mut out: Vec<Value> = out.into_iter().map(Value::Tensor).collect();
                if out.len() == 1 { out.remove(0) } else { Value::List(out) }
            }
        }
    }

    /// A model of layers or of tensors.
    pub fn model(&mut self, net: Net) -> Value {
        self.nets.push(net);
        let model = Value::Net(self.nets.len() - 1);
        if !self.chosen && (self.scopes.len() == 1 || self.library == Library::Keras) {
            self.main = Some(model.clone());
        }
        model
    }
}

/// Whether a class is one of models.
pub(super) fn is_network(class: &Class) -> bool {
    class.bases.iter().any(|b| {
        let name = match &b.kind {
            ExprKind::Name(n) | ExprKind::Attr(_, n) => n.as_str(),
            _ => "",
        };
        matches!(name, "Module" | "Model" | "LightningModule")
    })
}
