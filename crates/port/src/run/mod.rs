//! Follows a program as far as it makes layers, tensors and models. Nothing is run: a value that is not known stays
//! unknown, and what only a computer could say is left to the person.

mod apply;
mod eval;
mod loops;

use self::apply::is_network;
use crate::graph::Graph;
use crate::python::{Class, Expr, ExprKind, Stmt, StmtKind};
use crate::told::Training;
use crate::value::{Data, Made, Net, Object, Value};
use crate::{Left, Library};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Calls inside of calls.
const DEPTH: usize = 16;
/// Statements that are followed: a loop in a loop ends somewhere.
const STEPS: usize = 2_000;
/// Lists and texts that are put together are no longer.
const LONGEST: usize = 100_000;

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
                Value::Data(d) => self.set(name, d.named(name)),
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
