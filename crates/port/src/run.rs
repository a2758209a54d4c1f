//! Follows a program as far as it makes layers, tensors and models. Nothing is run: a value that is not known stays
//! unknown, and what only a computer could say is left to the person.

use crate::graph::{Graph, Op};
use crate::python::{Class, Def, Expr, ExprKind, Stmt, StmtKind, whole};
use crate::step::Step;
use crate::training::Training;
use crate::value::{Data, Made, Net, Object, Value};
use crate::{Left, Library, data, layers};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Calls inside of calls.
const DEPTH: usize = 16;
/// Statements that are followed: a loop in a loop ends somewhere.
const STEPS: usize = 2_000;
/// Lists and texts that are put together are no longer.
const LONGEST: usize = 100_000;

/// What is said of arithmetic in a loop that trains.
const REST_OF_LOSS: &str =
    "a loss of several parts is a formula here: loss = mse(output, target) + 0.001 * sum(dense1.w ^ 2)";

/// What is known of a program.
pub struct Run {
    /// The library it is written with.
    pub library: Library,
    /// Its network, of all models.
    pub graph: Graph,
    /// Its models.
    pub nets: Vec<Net>,
    /// Its objects.
    pub objects: Vec<Object>,
    /// What is said about training.
    pub training: Training,
    /// What has no counterpart.
    pub left: Vec<Left>,
    /// The model that is trained, or else the last one.
    pub main: Option<Value>,
    /// Whether that one was trained or compiled.
    pub chosen: bool,
    /// The names that layers were given.
    pub layer_names: BTreeMap<usize, String>,
    /// The last class of models.
    network: Option<Rc<Class>>,
    scopes: Vec<BTreeMap<String, Value>>,
    made: usize,
    steps: usize,
    /// The line that is followed, for what it leaves.
    now: (usize, String),
}

impl Run {
    /// Follows all statements.
    pub fn new(library: Library, program: &[Stmt]) -> Self {
        let mut run = Run {
            library,
            graph: Graph::default(),
            nets: Vec::new(),
            objects: Vec::new(),
            training: Training::default(),
            left: Vec::new(),
            main: None,
            chosen: false,
            layer_names: BTreeMap::new(),
            network: None,
            scopes: vec![BTreeMap::new()],
            made: 0,
            steps: 0,
            now: (0, String::new()),
        };
        run.body(program);
        // A piece that only defines its model means that one.
        if run.main.is_none()
            && let Some(class) = run.network.take()
        {
            let nothing = Made {
                id: 0,
                name: "call".into(),
                path: String::new(),
                args: Vec::new(),
                named: Vec::new(),
                line: 0,
            };
            run.object(class, &nothing);
        }
        run
    }

    /// Notes what has no counterpart.
    pub fn leave(&mut self, line: usize, text: impl Into<String>, why: impl Into<String>) {
        let left = Left { line, text: text.into(), why: why.into() };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }

    fn leave_now(&mut self, why: impl Into<String>) {
        let (line, text) = self.now.clone();
        self.leave(line, text, why);
    }

    fn set(&mut self, name: &str, value: Value) {
        match &value {
            Value::Tensor(n) if self.graph.nodes[*n].name.is_none() => {
                self.graph.nodes[*n].name = Some(name.to_string())
            }
            Value::Made(m) => {
                self.layer_names.entry(m.id).or_insert_with(|| name.to_string());
            }
            _ => {}
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string(), value);
        }
    }

    fn find(&self, name: &str) -> Option<&Value> {
        let own = self.scopes.last().and_then(|s| s.get(name));
        own.or_else(|| self.scopes.first().and_then(|s| s.get(name)))
    }

    /// Follows statements; what a `return` gives, if one is met.
    fn body(&mut self, body: &[Stmt]) -> Option<Value> {
        for stmt in body {
            self.steps += 1;
            if self.steps > STEPS {
                if self.steps == STEPS + 1 {
                    self.leave(
                        stmt.line,
                        stmt.text.clone(),
                        "from here on the program is too long to be followed",
                    );
                }
                return None;
            }
            // Inside of a function the line that stands there is meant.
            self.now = (stmt.line, stmt.text.clone());
            if let Some(value) = self.statement(stmt) {
                return Some(value);
            }
        }
        None
    }

    fn statement(&mut self, stmt: &Stmt) -> Option<Value> {
        match &stmt.kind {
            StmtKind::Nothing => {}
            StmtKind::Unread => {
                let why = self.why(&stmt.text);
                self.leave_now(why);
            }
            StmtKind::Def(def) => self.set(&def.name.clone(), Value::Def(def.clone())),
            StmtKind::Class(class) => {
                if is_network(class) {
                    self.network = Some(class.clone());
                }
                self.set(&class.name.clone(), Value::Class(class.clone()))
            }
            StmtKind::Block(body) => return self.body(body),
            StmtKind::Return(e) => return Some(self.eval(e)),
            StmtKind::Assign(targets, e) => {
                let value = self.eval(e);
                if matches!(value, Value::Unknown) {
                    let why = self.why(&stmt.text);
                    self.leave(stmt.line, stmt.text.clone(), why);
                }
                for target in targets {
                    self.assign(target, value.clone());
                }
            }
            StmtKind::Augment(target, op, e) => {
                let (a, b) = (self.eval(target), self.eval(e));
                let value = self.binary(a, &op.to_string(), b);
                self.assign(target, value);
            }
            StmtKind::Expr(e) => self.expression(e, &stmt.text),
            StmtKind::If(condition, body, otherwise) => match self.truth(condition) {
                Some(true) => return self.body(body),
                Some(false) => return self.body(otherwise),
                None => self.leave_now("which branch is taken is not known without running the program"),
            },
            StmtKind::For(target, over, body) => return self.repeat(target, over, body),
        }
        None
    }

    /// `if __name__ == "__main__"` is so; other conditions only where they are known.
    fn truth(&mut self, e: &Expr) -> Option<bool> {
        match self.eval(e) {
            Value::Bool(b) => Some(b),
            Value::None => Some(false),
            Value::Num(x) => Some(x != 0.0),
            _ => None,
        }
    }

    fn assign(&mut self, target: &Expr, value: Value) {
        match &target.kind {
            ExprKind::Name(name) => match value {
                Value::Data(d) => self.set(name, crate::library::named(&d, name)),
                value => self.set(name, value),
            },
            ExprKind::Tuple(names) | ExprKind::List(names) => {
                let items = match value {
                    Value::List(items) if items.len() == names.len() => items,
                    Value::Data(d) => vec![Value::Data(d); names.len()],
                    // Outputs and state: what is done with the state is said where it is used.
                    Value::Tensor(n) if self.library == Library::Torch => {
                        let mut items = vec![Value::Unknown; names.len()];
                        if let Some(first) = items.first_mut() {
                            *first = Value::Tensor(n);
                        }
                        items
                    }
                    _ => vec![Value::Unknown; names.len()],
                };
                for (name, item) in names.iter().zip(items) {
                    // Pairs of data are named by what they are unpacked into.
                    let item = match (&name.kind, item) {
                        (ExprKind::Name(n), Value::Data(d)) => {
                            Value::Data(Rc::new(Data { name: n.clone(), file: d.file.clone(), line: d.line }))
                        }
                        (_, item) => item,
                    };
                    self.assign(name, item);
                }
            }
            ExprKind::Attr(of, attribute) => {
                if let Value::Object(object) = self.eval(of) {
                    if let Value::Made(m) = &value {
                        self.layer_names.entry(m.id).or_insert_with(|| attribute.clone());
                    }
                    self.objects[object].attrs.insert(attribute.clone(), value);
                } else if attribute == "trainable" && value.is(false) {
                    self.leave_now("give the layer a name and write `freeze NAME`");
                }
            }
            _ => {}
        }
    }

    /// A loop: over known numbers and lists it is followed, one that trains gives its epochs.
    fn repeat(&mut self, target: &Expr, over: &Expr, body: &[Stmt]) -> Option<Value> {
        let range = self.eval(over);
        let text: Vec<&str> = body.iter().flat_map(texts).collect();
        let trains = text
            .iter()
            .any(|t| t.contains(".backward(") || t.contains(".step(") || t.contains(".zero_grad("));
        if trains {
            return self.training_loop(&range, body);
        }
        let Value::List(items) = range else {
            self.leave_now("how often this is done is not known without running the program");
            return None;
        };
        let (before, epochs) = (self.training.loop_line, items.len() as f64);
        for item in items {
            if self.steps > STEPS {
                break;
            }
            self.assign(target, item);
            if let Some(value) = self.body(body) {
                return Some(value);
            }
            // A function that trains for one epoch was called.
            if before.is_none() && self.training.loop_line.is_some() {
                self.training.epochs.get_or_insert(epochs);
                break;
            }
        }
        None
    }

    /// `for epoch in range(20):` with a step of the optimizer in it, for each batch of a loader or for all rows.
    fn training_loop(&mut self, range: &Value, body: &[Stmt]) -> Option<Value> {
        let (line, _) = self.now;
        match range {
            Value::List(items) if self.training.epochs.is_none() => {
                self.training.epochs = Some(items.len() as f64)
            }
            Value::Made(loader) if loader.name == "DataLoader" => {}
            Value::Made(_) | Value::Data(_) => {}
            Value::Path(_) => {}
            _ if self.training.epochs.is_none() => {
                let why = "how many epochs is not known without running the program: `epochs 10`";
                self.leave_now(why);
            }
            _ => {}
        }
        if let Value::Made(over) = range {
            self.training.batches = true;
            match (over.name.as_str(), over.args.first()) {
                ("DataLoader", _) => self.training.loader = Some(over.clone()),
                (_, Some(Value::Made(loader))) => self.training.loader = Some(loader.clone()),
                _ => {}
            }
        }
        if matches!(range, Value::Data(_) | Value::Path(_)) {
            self.training.batches = true;
        }
        self.training.loop_line = Some(line);
        for stmt in body {
            self.now = (stmt.line, stmt.text.clone());
            match &stmt.kind {
                // The batches inside of an epoch.
                StmtKind::For(_, inner, rest) => {
                    let range = self.eval(inner);
                    let loader = match &range {
                        Value::Made(m) if m.name != "DataLoader" => m.args.first().cloned(),
                        _ => None,
                    };
                    if rest.iter().flat_map(texts).any(|t| t.contains(".step(") || t.contains(".backward(")) {
                        self.training.batches = true;
                        self.training_loop(&loader.unwrap_or(range), rest);
                    } else {
                        self.leave_now("rows for validation are a statement: split valid=20%");
                    }
                }
                StmtKind::Assign(targets, e) => {
                    self.eval(e);
                    if !targets.iter().all(|t| matches!(t.kind, ExprKind::Name(_) | ExprKind::Tuple(_))) {
                        let why = self.why(&stmt.text);
                        self.leave_now(why);
                    } else if matches!(e.kind, ExprKind::Binary(..)) {
                        self.leave_now(REST_OF_LOSS);
                    }
                }
                StmtKind::Augment(_, _, e) => {
                    self.eval(e);
                    // Sums for a report are told by every run.
                    if !stmt.text.contains(".item(") {
                        self.leave_now(REST_OF_LOSS);
                    }
                }
                StmtKind::Expr(e) => self.in_loop(e, &stmt.text),
                StmtKind::Block(inner) => {
                    self.training_loop(range, inner);
                }
                StmtKind::If(..) => {
                    self.leave_now("which branch is taken is not known without running the program");
                }
                StmtKind::Def(_) | StmtKind::Class(_) | StmtKind::Return(_) | StmtKind::Unread => {
                    let why = self.why(&stmt.text);
                    self.leave_now(why);
                }
                StmtKind::Nothing => {}
            }
        }
        None
    }

    /// A call inside of a loop that trains.
    fn in_loop(&mut self, e: &Expr, text: &str) {
        if let ExprKind::Call(f, args) = &e.kind {
            let (of, name) = match &f.kind {
                ExprKind::Attr(of, name) => (Some(of.as_ref()), name.as_str()),
                ExprKind::Name(name) => (None, name.as_str()),
                _ => (None, ""),
            };
            match (of, name) {
                (Some(of), "backward") => {
                    self.eval(of);
                    return;
                }
                (Some(of), "step") => match self.eval(of) {
                    Value::Made(m) if m.path.contains("lr_scheduler") || m.name.ends_with("LR") => {
                        return self
                            .leave_now("schedules are factors on the rate here: `nnc explain schedule`");
                    }
                    _ => return,
                },
                (Some(_), "append" | "update") => {
                    for (_, e) in args {
                        self.eval(e);
                    }
                    return;
                }
                (Some(_), "zero_grad" | "train" | "eval" | "set_description" | "set_postfix") => return,
                (_, "clip_grad_norm_" | "clip_grad_value_") => {
                    if let Some(x) = args.get(1).and_then(|(_, e)| self.eval(e).num()) {
                        let kind = if name == "clip_grad_norm_" { "" } else { "value=" };
                        self.training.clip = Some(format!("clip {kind}{}", crate::value::written(x)));
                        return;
                    }
                }
                _ => {}
            }
        }
        let why = self.why(text);
        self.leave_now(why);
    }

    /// A statement that is an expression: a call for what it does.
    fn expression(&mut self, e: &Expr, text: &str) {
        let ExprKind::Call(f, args) = &e.kind else {
            let why = self.why(text);
            return self.leave_now(why);
        };
        if let ExprKind::Attr(of, method) = &f.kind {
            let mut on = self.eval(of);
            // A piece that begins behind `model = Sequential()`.
            if let (Value::Path(name), "add") = (&on, method.as_str())
                && !name.contains('.')
            {
                let name = name.clone();
                on = self.model(Net::Chain(Vec::new()));
                self.set(&name, on.clone());
            }
            match (&on, method.as_str()) {
                (Value::Net(n), "add" | "append") => {
                    let layer = args.first().map(|(_, e)| self.eval(e)).unwrap_or(Value::Unknown);
                    let unknown = matches!(layer, Value::Unknown);
                    if let Net::Chain(layers) = &mut self.nets[*n] {
                        layers.push(layer);
                    }
                    if unknown {
                        self.leave_now("what is added is not known without running the program");
                    }
                    return;
                }
                (Value::Net(_) | Value::Object(_), "compile" | "fit" | "fit_generator") => {
                    let made = self.made_of(method, "", args, e.line);
                    self.choose(on);
                    self.training.told(made);
                    return;
                }
                (Value::Net(_) | Value::Object(_), "train" | "eval" | "to" | "cuda" | "build") => return,
                (Value::List(items), "append") => {
                    let mut items = items.clone();
                    items.push(args.first().map(|(_, e)| self.eval(e)).unwrap_or(Value::Unknown));
                    self.assign(of, Value::List(items));
                    return;
                }
                // What a class says of itself.
                (_, "__init__") => return,
                _ => {}
            }
        }
        let name = match &f.kind {
            ExprKind::Name(name) => name.as_str(),
            ExprKind::Attr(_, name) => name.as_str(),
            _ => "",
        };
        // A function of the program may do all of the work.
        if let (ExprKind::Name(n), Some(Value::Def(_))) = (&f.kind, self.find(name).cloned().as_ref()) {
            let _ = n;
            self.eval(e);
            return;
        }
        let why = self.why(text);
        self.leave_now(why);
    }

    /// Why a line has no counterpart, by the words in it.
    fn why(&self, text: &str) -> String {
        // What a line does stands at its beginning.
        let text: String = text.chars().take(400).collect();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
        let words: Vec<&str> = words.collect();
        let called = |w: &&&str| text.contains(&format!("{w}(")) && **w != "print";
        let known = words.iter().filter(called).find_map(|w| nnc_syntax::habits::find(w));
        if let Some(habit) = known {
            let lines = habit.written(&[]);
            return format!("{} Here: {}", habit.about, lines.first().cloned().unwrap_or_default());
        }
        if words.first() == Some(&"print") {
            return "what is printed is said by the commands: `nnc train`, `nnc predict`, `nnc summary`"
                .into();
        }
        "it makes no layer, loss or data that is known here".into()
    }

    /// The model that is trained.
    pub fn choose(&mut self, model: Value) {
        self.main = Some(model);
        self.chosen = true;
    }

    fn made_of(&mut self, name: &str, path: &str, args: &[(Option<String>, Expr)], line: usize) -> Rc<Made> {
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
                    if let Value::Text(key) = self.eval(k) {
                        out.push((key, self.eval(v)));
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

    fn binary(&mut self, a: Value, op: &str, b: Value) -> Value {
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

    fn object(&mut self, class: Rc<Class>, given: &Made) -> Value {
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
fn is_network(class: &Class) -> bool {
    class.bases.iter().any(|b| {
        let name = match &b.kind {
            ExprKind::Name(n) | ExprKind::Attr(_, n) => n.as_str(),
            _ => "",
        };
        matches!(name, "Module" | "Model" | "LightningModule")
    })
}

/// The texts of a statement and of all in it.
fn texts(stmt: &Stmt) -> Vec<&str> {
    let mut out = vec![stmt.text.as_str()];
    match &stmt.kind {
        StmtKind::For(_, _, body) | StmtKind::Block(body) => out.extend(body.iter().flat_map(texts)),
        StmtKind::If(_, a, b) => out.extend(a.iter().chain(b).flat_map(texts)),
        _ => {}
    }
    out
}
