//! Calls of the library, and of methods of tensors.

use crate::graph::Op;
use crate::run::Run;
use crate::step::Step;
use crate::value::{Made, Net, Value};
use crate::{Library, data, layers};
use std::rc::Rc;

/// Longer ranges are not followed.
const RANGE: f64 = 1e6;

/// Optimizers of PyTorch.
const OPTIMIZERS: [&str; 11] =
    ["Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "Rprop", "RAdam", "LBFGS"];

impl Run {
    /// A call of a name that the program did not make.
    pub fn library_call(&mut self, made: Rc<Made>) -> Value {
        let first = made.args.first().cloned().unwrap_or(Value::None);
        let tensors = match &first {
            Value::Tensor(n) => vec![*n],
            Value::List(all) => all.iter().filter_map(Value::tensor).collect(),
            _ => Vec::new(),
        };
        let camel = made.name.starts_with(char::is_uppercase);
        match made.name.as_str() {
            "Sequential" => {
                let layers = match (&first, made.args.len()) {
                    (Value::List(all), 1) => all.clone(),
                    (Value::Made(m), 1) if m.name == "OrderedDict" => {
                        let pairs = m.args.first().map(Value::items).unwrap_or_default();
                        pairs.into_iter().filter_map(|p| p.items().into_iter().nth(1)).collect()
                    }
                    _ => made.args.clone(),
                };
                let layers = made.named("layers").map(Value::items).unwrap_or(layers);
                for (i, layer) in layers.iter().enumerate() {
                    if !layer.is_layer() {
                        let what = format!("layer {} of {}", i + 1, made.name);
                        self.leave(made.line, what, "it is not known without running the program");
                    }
                }
                return self.model(Net::Chain(layers));
            }
            "Model" | "Functional" if made.get(0, "inputs").is_some() => {
                let nodes = |v: Option<&Value>| -> Vec<usize> {
                    let all = match v {
                        Some(Value::Dict(pairs)) => pairs.iter().map(|(_, v)| v.clone()).collect(),
                        Some(v) => v.items(),
                        None => Vec::new(),
                    };
                    all.iter().filter_map(Value::tensor).collect()
                };
                let inputs = nodes(made.get(0, "inputs").or(made.named("input")));
                let outputs = nodes(made.get(1, "outputs").or(made.named("output")));
                if outputs.is_empty() {
                    self.leave(made.line, "Model", "what it gives is not known without running the program");
                    return Value::Unknown;
                }
                return self.model(Net::Graph(inputs, outputs));
            }
            "Input" => {
                let shape = made.get(0, "shape").and_then(Value::sizes).unwrap_or_default();
                let node = self.graph.add(Op::Input(shape), Vec::new(), None);
                self.graph.nodes[node].name = made.named("name").and_then(Value::text).map(str::to_string);
                return Value::Tensor(node);
            }
            "range" => {
                let all: Vec<f64> = made.args.iter().filter_map(Value::num).collect();
                let (from, to) = match all.as_slice() {
                    [to] => (0.0, *to),
                    [from, to] => (*from, *to),
                    _ => return Value::Unknown,
                };
                if !(0.0..=RANGE).contains(&(to - from)) {
                    return Value::Unknown;
                }
                return Value::List((0..(to - from) as u64).map(|i| Value::Num(from + i as f64)).collect());
            }
            "tqdm" | "trange" | "list" | "tuple" if matches!(first, Value::List(_)) => return first,
            "enumerate" | "tqdm" => {
                if let Value::List(all) = first {
                    let pair = |(i, v): (usize, Value)| Value::List(vec![Value::Num(i as f64), v]);
                    return Value::List(all.into_iter().enumerate().map(pair).collect());
                }
                return Value::Made(made);
            }
            "len" => {
                return match first {
                    Value::List(all) => Value::Num(all.len() as f64),
                    _ => Value::Unknown,
                };
            }
            "int" | "float" => {
                return first
                    .num()
                    .map_or(Value::Unknown, |x| Value::Num(if made.name == "int" { x.trunc() } else { x }));
            }
            "ModuleList" => return first,
            "train_test_split" => {
                if let Some(share) =
                    made.named("test_size").and_then(Value::num).filter(|s| *s > 0.0 && *s < 1.0)
                {
                    self.training.test_share = Some(share);
                }
                let parts = made.args.iter().flat_map(|v| [v.clone(), v.clone()]);
                return Value::List(parts.collect());
            }
            "array" | "asarray" | "tensor" | "FloatTensor" | "LongTensor" | "Tensor" | "constant"
            | "from_numpy" | "as_tensor" | "expand_dims" | "convert_to_tensor"
                if matches!(first, Value::List(_) | Value::Data(_)) && tensors.is_empty() =>
            {
                return first;
            }
            name if OPTIMIZERS.contains(&name) && self.library == Library::Torch => {
                self.training.optimizer = Some(made.clone());
                return Value::Made(made);
            }
            _ if camel && data::is_loss(&made) && self.library == Library::Torch => {
                self.training.made.get_or_insert((Value::Made(made.clone()), made.line));
                return Value::Made(made);
            }
            "DataLoader" => {
                self.training.loader.get_or_insert(made.clone());
                return Value::Made(made);
            }
            _ => {}
        }
        if !tensors.is_empty() && !camel {
            return self.functional(&made, tensors);
        }
        if data::is_loss(&made) && !camel && self.library == Library::Torch {
            self.training.loss.get_or_insert((Value::Made(made.clone()), made.line));
            self.training.compare(&made);
            return Value::None;
        }
        if let Some(d) = data::source(&made) {
            return Value::Data(Rc::new(d));
        }
        // What is made of data is data, but a set of samples is asked for its parts.
        let given = made.args.iter().chain(made.named.iter().map(|(_, v)| v));
        let from = given.clone().find_map(|v| if let Value::Data(d) = v { Some(d.clone()) } else { None });
        match from {
            Some(d) if !camel || made.name == "StandardScaler" => Value::Data(d),
            _ => Value::Made(made),
        }
    }

    /// A function on tensors: `F.relu(x)`, `torch.cat([a, b], dim=1)`, `layers.add([a, b])`.
    fn functional(&mut self, made: &Rc<Made>, tensors: Vec<usize>) -> Value {
        if data::is_loss(made) {
            self.training.loss.get_or_insert((Value::Made(made.clone()), made.line));
            return Value::None;
        }
        let class = match made.name.as_str() {
            "max_pool2d" => "MaxPool2d",
            "max_pool1d" => "MaxPool1d",
            "avg_pool2d" => "AvgPool2d",
            "avg_pool1d" => "AvgPool1d",
            "adaptive_avg_pool2d" => "AdaptiveAvgPool2d",
            "dropout" => "Dropout",
            "dropout2d" => "Dropout2d",
            "leaky_relu" => "LeakyReLU",
            "elu" => "ELU",
            "flatten" => "Flatten",
            "cat" | "concat" | "concatenate" => "Concatenate",
            "hardswish" => "Hardswish",
            "hardsigmoid" => "Hardsigmoid",
            "log_softmax" => "LogSoftmax",
            "softmax" => "Softmax",
            name => name,
        };
        let two = ["add", "mul", "multiply", "subtract", "sub", "maximum", "minimum"];
        let mut tensors = tensors;
        let mut args: Vec<Value> = made.args.iter().skip(1).cloned().collect();
        if two.contains(&class)
            && let Some(Value::Tensor(n)) = args.first()
        {
            tensors.push(*n);
            args.remove(0);
        }
        let class = match class {
            "mul" => "multiply",
            "sub" => "subtract",
            class => class,
        };
        let mut named = made.named.clone();
        if class == "Concatenate"
            && let Some(axis) = made.get(1, "dim").cloned()
        {
            // Channels of pictures stand second there and last here.
            named = vec![("axis".into(), if axis.num() == Some(1.0) { Value::Num(-1.0) } else { axis })];
            args.clear();
        }
        let layer =
            Made { id: made.id, name: class.into(), path: made.path.clone(), args, named, line: made.line };
        let node = self.layer(&layer, tensors);
        self.graph.nodes[node].layer = None;
        Value::Tensor(node)
    }

    /// A method of a tensor: `x.view(-1, 784)`.
    pub fn tensor_method(&mut self, n: usize, given: &Made) -> Value {
        let step =
            |run: &mut Run, step: Step| Value::Tensor(run.graph.add(Op::Steps(vec![step]), vec![n], None));
        match given.name.as_str() {
            "view" | "reshape" => {
                let args = match given.args.as_slice() {
                    [Value::List(all)] => all.clone(),
                    all => all.to_vec(),
                };
                let sizes: Vec<i64> = args.iter().skip(1).filter_map(|v| v.num().map(|x| x as i64)).collect();
                match (args.len(), sizes.as_slice()) {
                    (2, _) => step(self, Step::plain("flatten")),
                    (4, [1, h, w]) if *h > 0 && *w > 0 => {
                        step(self, Step::plain(format!("reshape {h}x{w}x1")))
                    }
                    (3, [t, d]) if *t > 0 && *d > 0 => step(self, Step::plain(format!("reshape {t}x{d}"))),
                    _ => {
                        let why = "axes stand in another order here: [height, width, channels], without the batch's axis";
                        self.leave(given.line, given.name.clone(), why);
                        Value::Tensor(self.graph.add(
                            Op::Missing(format!("line {}: {}", given.line, given.name)),
                            vec![n],
                            None,
                        ))
                    }
                }
            }
            "flatten" => step(self, Step::plain("flatten")),
            "mean" => {
                let over = given.get(0, "dim").and_then(Value::sizes).unwrap_or_default();
                match over.as_slice() {
                    [2, 3] | [-2, -1] | [-1, -2] => step(self, Step::plain("global_avgpool")),
                    [1] => step(self, Step::plain("mean(it, axis=0)")),
                    _ => {
                        self.leave(
                            given.line,
                            "mean",
                            "axes are counted without the batch here: mean(it, axis=0)",
                        );
                        Value::Tensor(self.graph.add(
                            Op::Missing(format!("line {}: mean", given.line)),
                            vec![n],
                            None,
                        ))
                    }
                }
            }
            "size" | "dim" | "numel" => Value::Unknown,
            "squeeze" | "contiguous" | "to" | "float" | "unsqueeze" | "clone" | "cuda" | "long" => {
                Value::Tensor(n)
            }
            name => match layers::activation(&Value::Text(name.into())) {
                Ok(Some(word)) => step(self, Step::activation(word)),
                _ => {
                    self.leave(given.line, name, layers::reason(name));
                    Value::Tensor(self.graph.add(
                        Op::Missing(format!("line {}: {name}", given.line)),
                        vec![n],
                        None,
                    ))
                }
            },
        }
    }
}
