//! What expressions stand for, as far as it is known without running them.

use super::{LONGEST, Run};
use crate::graph::Op;
use crate::python::{Expr, ExprKind, whole};
use crate::step::Step;
use crate::value::{Made, Net, Value};
use std::rc::Rc;

impl Run {
    pub(super) fn made_of(
        &mut self,
        name: &str,
        path: &str,
        args: &[(Option<String>, Expr)],
        line: usize,
    ) -> Rc<Made> {
        let mut places = Vec::new();
        let mut named = Vec::new();
        for (key, e) in args {
            let (starred, of) = match &e.kind {
                ExprKind::Star(of) => (true, of.as_ref()),
                _ => (false, e),
            };
            match (key, self.eval(of)) {
                (_, Value::List(all)) if starred && places.len() + all.len() < LONGEST => places.extend(all),
                (_, Value::Dict(pairs)) if starred => named.extend(pairs),
                _ if starred => {
                    let why = "arguments behind a star are not known without running the program";
                    self.leave(line, name, why);
                }
                (Some(key), value) => named.push((key.clone(), value)),
                (None, value) => places.push(value),
            }
        }
        self.made += 1;
        Rc::new(Made { id: self.made, name: name.into(), path: path.into(), args: places, named, line })
    }

    /// What an expression stands for.
    pub fn eval(&mut self, e: &Expr) -> Value {
        match &e.kind {
            ExprKind::Name(name) => match name.as_str() {
                "None" => Value::None,
                "True" => Value::Bool(true),
                "False" => Value::Bool(false),
                "__name__" => Value::Text("__main__".into()),
                name => self.find(name).cloned().unwrap_or_else(|| Value::Path(name.to_string())),
            },
            ExprKind::Num(x) => Value::Num(*x),
            ExprKind::Text(s) => Value::Text(s.clone()),
            ExprKind::List(all) | ExprKind::Tuple(all) => {
                let mut items = Vec::new();
                for e in all {
                    match &e.kind {
                        // What is not known may be any number of items; one stands for them.
                        ExprKind::Star(of) => match self.eval(of) {
                            Value::List(more) if items.len() + more.len() < LONGEST => items.extend(more),
                            _ => items.push(Value::Unknown),
                        },
                        _ => items.push(self.eval(e)),
                    }
                }
                Value::List(items)
            }
            ExprKind::Dict(pairs) => {
                let mut out = Vec::new();
                for (k, v) in pairs {
                    match self.eval(k) {
                        Value::Text(key) => out.push((key, self.eval(v))),
                        Value::Num(key) => out.push((key.to_string(), self.eval(v))),
                        _ => {}
                    }
                }
                Value::Dict(out)
            }
            ExprKind::Minus(of) => self.eval(of).num().map_or(Value::Unknown, |x| Value::Num(-x)),
            ExprKind::Binary(a, op, b) => {
                let (a, b) = (self.eval(a), self.eval(b));
                self.binary(a, op, b)
            }
            ExprKind::Attr(of, name) => self.attribute(of, name),
            ExprKind::Index(of, inside) => {
                let of = self.eval(of);
                self.index(of, inside, e.line)
            }
            ExprKind::Call(f, args) => self.call(f, args, e.line),
            ExprKind::Star(_) | ExprKind::Other => Value::Unknown,
        }
    }

    fn attribute(&mut self, of: &Expr, name: &str) -> Value {
        match self.eval(of) {
            Value::Path(path) => Value::Path(format!("{path}.{name}")),
            Value::Object(n) => self.objects[n].attrs.get(name).cloned().unwrap_or(Value::Unknown),
            Value::Data(d) if name != "shape" => Value::Data(d),
            Value::Net(n) => match (&self.nets[n], name) {
                (Net::Graph(i, _), "input") if i.len() == 1 => Value::Tensor(i[0]),
                (Net::Graph(_, o), "output") if o.len() == 1 => Value::Tensor(o[0]),
                (Net::Chain(layers), "layers") => Value::List(layers.clone()),
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    fn index(&mut self, of: Value, inside: &str, line: usize) -> Value {
        let number = whole(inside, line);
        let at = match self.eval(&number) {
            Value::Num(x) if x.fract() == 0.0 => Some(x as i64),
            _ => None,
        };
        match (of, at) {
            (Value::List(items), Some(i)) => {
                let i = if i < 0 { i + items.len() as i64 } else { i };
                usize::try_from(i).ok().and_then(|i| items.get(i).cloned()).unwrap_or(Value::Unknown)
            }
            (Value::Dict(pairs), None) => {
                let key = inside.trim_matches(['"', '\'']);
                pairs.into_iter().find(|(k, _)| k == key).map_or(Value::Unknown, |(_, v)| v)
            }
            (Value::Data(d), _) => Value::Data(d),
            (Value::Tensor(n), at) => {
                // The last step of a recurrent layer.
                let last: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
                if let Some(step) = self.graph.last_step(n)
                    && step.options.iter().any(|o| o == "sequence")
                    && matches!(last.as_str(), ":,-1,:" | ":,-1")
                {
                    if step.options.iter().any(|o| o == "both") {
                        self.leave(
                            line,
                            format!("[{inside}]"),
                            "of both directions the last results of each are taken here, \
                            where PyTorch takes those of the last place",
                        );
                    }
                    if let Some(step) = self.graph.last_step(n) {
                        step.options.retain(|o| o != "sequence");
                    }
                    return Value::Tensor(n);
                }
                // Outputs of a layer that also gives its state.
                if at == Some(0)
                    && self.graph.last_step(n).is_some_and(|s| s.options.iter().any(|o| o == "sequence"))
                {
                    return Value::Tensor(n);
                }
                self.leave(
                    line,
                    format!("[{inside}]"),
                    "a part of a tensor is written x[…] here, without the batch's axis",
                );
                Value::Tensor(self.graph.add(Op::Missing(format!("[{inside}]")), vec![n], None))
            }
            _ => Value::Unknown,
        }
    }

    pub(super) fn binary(&mut self, a: Value, op: &str, b: Value) -> Value {
        match (a, op, b) {
            (Value::Num(a), op, Value::Num(b)) => match op {
                "+" => Value::Num(a + b),
                "-" => Value::Num(a - b),
                "*" => Value::Num(a * b),
                "/" => Value::Num(a / b),
                "//" => Value::Num((a / b).floor()),
                "%" => Value::Num(a - b * (a / b).floor()),
                "**" => Value::Num(a.powf(b)),
                "==" => Value::Bool(a == b),
                _ => Value::Unknown,
            },
            (Value::Text(a), "==", Value::Text(b)) => Value::Bool(a == b),
            (Value::Text(a), "+", Value::Text(b)) if a.len() + b.len() < LONGEST => Value::Text(a + &b),
            (Value::List(mut a), "+", Value::List(b)) if a.len() + b.len() < LONGEST => {
                a.extend(b);
                Value::List(a)
            }
            (Value::List(a), "*", Value::Num(n)) if n >= 0.0 && n * (a.len() as f64) < LONGEST as f64 => {
                Value::List((0..n as usize).flat_map(|_| a.clone()).collect())
            }
            (Value::Tensor(a), "+" | "*", Value::Tensor(b)) => {
                let step = Step::plain(if op == "+" { "add" } else { "multiply" });
                Value::Tensor(self.graph.add(Op::Steps(vec![step]), vec![a, b], None))
            }
            (Value::Tensor(a), "-", Value::Tensor(b)) => {
                Value::Tensor(self.graph.add(Op::Steps(vec![Step::plain("subtract")]), vec![a, b], None))
            }
            (Value::Tensor(a), "*", Value::Num(x)) | (Value::Num(x), "*", Value::Tensor(a)) => {
                let step = Step::plain(format!("it * {}", crate::value::written(x)));
                Value::Tensor(self.graph.add(Op::Steps(vec![step]), vec![a], None))
            }
            (Value::Tensor(a), "/", Value::Num(x)) => {
                let step = Step::plain(format!("it / {}", crate::value::written(x)));
                Value::Tensor(self.graph.add(Op::Steps(vec![step]), vec![a], None))
            }
            (Value::Data(d), _, _) | (_, _, Value::Data(d)) => Value::Data(d),
            _ => Value::Unknown,
        }
    }

    fn call(&mut self, f: &Expr, args: &[(Option<String>, Expr)], line: usize) -> Value {
        if let ExprKind::Attr(of, method) = &f.kind {
            let on = self.eval(of);
            if let Some(value) = self.method(&on, method, args, line) {
                return value;
            }
        }
        match self.eval(f) {
            Value::Path(path) => {
                let (before, name) = path.rsplit_once('.').unwrap_or(("", &path));
                let made = self.made_of(name, before, args, line);
                self.library_call(made)
            }
            Value::Made(layer) => {
                let given = self.made_of("call", "", args, line);
                self.apply(&Value::Made(layer), &given)
            }
            f @ (Value::Net(_) | Value::Object(_)) => {
                let given = self.made_of("call", "", args, line);
                self.apply(&f, &given)
            }
            Value::Def(def) => {
                let given = self.made_of("call", "", args, line);
                self.function(&def, None, &given)
            }
            Value::Class(class) => {
                let given = self.made_of("call", "", args, line);
                self.object(class, &given)
            }
            Value::Data(d) => {
                for (_, e) in args {
                    self.eval(e);
                }
                Value::Data(d)
            }
            _ => Value::Unknown,
        }
    }

    fn method(
        &mut self,
        on: &Value,
        method: &str,
        args: &[(Option<String>, Expr)],
        line: usize,
    ) -> Option<Value> {
        match (on, method) {
            (Value::Tensor(n), _) => {
                let given = self.made_of(method, "", args, line);
                Some(self.tensor_method(*n, &given))
            }
            (Value::Net(_) | Value::Object(_), "parameters") => {
                let on = on.clone();
                self.choose(on.clone());
                Some(on)
            }
            (Value::Net(_) | Value::Object(_), "to" | "cuda" | "float" | "double" | "train") => {
                Some(on.clone())
            }
            (Value::Net(_) | Value::Object(_), "fit" | "fit_generator" | "compile") => {
                let made = self.made_of(method, "", args, line);
                self.choose(on.clone());
                self.training.told(made);
                Some(Value::None)
            }
            (Value::Object(n), _) => {
                let class = self.objects[*n].class.clone();
                let def = class.defs.iter().find(|d| d.name == method).cloned()?;
                let given = self.made_of(method, "", args, line);
                Some(self.function(&def, Some(on.clone()), &given))
            }
            (Value::Data(d), "batch" | "shuffle") => {
                let given = self.made_of(method, "", args, line);
                if method == "batch" {
                    self.training.batch = given.get(0, "batch_size").and_then(Value::num);
                }
                Some(Value::Data(d.clone()))
            }
            (Value::Data(d), _) => Some(Value::Data(d.clone())),
            // Rows that stand in the program keep what they are.
            (Value::List(_), "astype" | "float" | "long" | "reshape" | "unsqueeze" | "view" | "to") => {
                Some(on.clone())
            }
            (Value::Text(_), _) => Some(Value::Unknown),
            _ => None,
        }
    }
}
