//! The elaborator: runs a program at compile time; tensors are nodes of the graph it builds.

use crate::elaborate::frame::Frame;
use crate::elaborate::shared::Shared;
use crate::elaborate::value::{Axis, Def, Func, Init, Shape, Tensor, Value};
use crate::program::attributes::{Better, Range};
use crate::program::data::Ports;
use crate::program::settings::Top;
use crate::step::totals::{Finish, Measuring};
use nnc_graph::{Builder, DType, Dim, NodeId, Origin, Role, Type, random};
use nnc_syntax::ast::{DeclareKind, Expr, Stmt, StmtKind};
use nnc_syntax::{Code, Diagnostic, SourceMap, Span};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// Why a statement has no value.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A mistake, to be told.
    Error(Box<Diagnostic>),
    /// It depends on something whose mistake is already told.
    Poisoned,
}

/// A value or a reason.
pub(crate) type Res<T> = Result<T, Stop>;

/// The call that a node is the result of, for `rewrite`.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub name: String,
    /// The numbers it gives, where its definition says so.
    pub range: Option<Range>,
    pub args: Vec<Value>,
}

/// A learned or carried tensor.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub role: Role,
    pub path: String,
    pub tensor: Tensor,
}

/// One step of the network as the user wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRow {
    /// The name its weights go by, such as `dense1`; a function's name where there are none.
    pub name: String,
    /// The words of the program.
    pub text: String,
    /// Where they stand.
    pub span: Span,
    /// The shape of what it works on, where that is one tensor.
    pub given: Option<Vec<usize>>,
    /// The result's shape for one sample, such as `28x28x1`.
    pub shape: Vec<usize>,
    /// How many numbers it learns.
    pub weights: usize,
    /// Multiplications and additions for one sample.
    pub flops: u64,
    /// Bytes of the activations it makes for one sample.
    pub bytes: u64,
}

/// Definitions and parameters: what every body sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globals {
    pub defs: BTreeMap<String, Def>,
    /// Those of the prelude alone: what its own bodies see, whatever a program calls its things.
    pub library: Rc<BTreeMap<String, Def>>,
    pub params: Vec<(String, Value)>,
    pub rewrites: Vec<Rc<(Expr, Expr)>>,
    /// The doc comment and the whole text of every definition.
    pub docs: BTreeMap<String, (Option<String>, Span)>,
    /// Words that some parameter may be, `param head = point in [point, mixture]`.
    pub words: Vec<String>,
}

impl Globals {
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.params.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

/// How deep calls may nest; a layer that uses itself would never end.
const DEPTH: usize = 64;
/// How many nodes a program may have; `repeat` of anything large meets it.
pub(crate) const NODES: usize = 100_000;
/// How many statements and calls a program may run; most build nothing.
const STEPS: usize = NODES + NODES / 2;
/// How many numbers one tensor may hold for one sample.
pub(crate) const ELEMENTS: usize = 1 << 33;

pub(crate) struct Elab<'a> {
    pub sources: &'a SourceMap,
    /// Sources below this are the prelude.
    pub first_user_source: u16,
    pub globals: Rc<Globals>,
    pub b: Builder,
    pub init: Builder,
    pub training: bool,
    pub diagnostics: Vec<Diagnostic>,
    pub declared: Vec<Declared>,
    /// Positions in `declared` by path.
    paths: HashMap<String, usize>,
    /// New values of states and weights, latest last.
    pub updates: Vec<(String, NodeId)>,
    /// The calls that a node is the result of, the innermost first.
    pub calls: HashMap<NodeId, Vec<Call>>,
    /// Which way the result of a loss or metric gets better.
    pub directions: HashMap<NodeId, Better>,
    pub layers: Vec<LayerRow>,
    /// Whether initialisers are being evaluated, so that `b` is the graph of first values.
    pub initialising: Option<String>,
    trail: Vec<String>,
    /// The user's words at work.
    pub here: Span,
    /// The user's words that called the innermost body.
    used_at: Option<Span>,
    /// How many axes have a mark.
    axes: u32,
    pub sites: BTreeMap<String, u64>,
    /// In the body of a loop: the number of its step, which keys random numbers.
    pub step_key: Option<NodeId>,
    pub steps_run: usize,
    /// Numbers whose derivative was taken.
    pub differentiated: Vec<NodeId>,
    /// Tensors that got a name at the top of the file.
    pub bound: Vec<(String, Span, NodeId)>,
    /// Names that the file binds, with the names that stand in what they are bound to.
    pub binds: Vec<(nnc_syntax::ast::Name, Vec<String>)>,
    /// What the top of the file says about training.
    pub top: Top,
    /// The data's tensors.
    pub ports: Ports,
    /// The metric at work.
    pub measuring: Option<Measuring>,
    /// What metrics of all samples are computed with.
    pub finish: Option<Finish>,
}

impl<'a> Elab<'a> {
    pub fn new(
        sources: &'a SourceMap,
        first_user_source: u16,
        globals: Rc<Globals>,
        float: DType,
        training: bool,
    ) -> Self {
        Self {
            sources,
            first_user_source,
            globals,
            b: Builder::new(if training { "train" } else { "eval" }, float),
            init: Builder::new("init", float),
            training,
            diagnostics: Vec::new(),
            declared: Vec::new(),
            paths: HashMap::new(),
            updates: Vec::new(),
            calls: HashMap::new(),
            directions: HashMap::new(),
            layers: Vec::new(),
            initialising: None,
            trail: Vec::new(),
            here: Span::default(),
            used_at: None,
            axes: 0,
            sites: BTreeMap::new(),
            step_key: None,
            steps_run: 0,
            differentiated: Vec::new(),
            bound: Vec::new(),
            binds: Vec::new(),
            top: Top::default(),
            ports: Ports::default(),
            measuring: None,
            finish: None,
        }
    }

    // ---- mistakes ----------------------------------------------------------------

    /// Whether the user wrote this place.
    pub fn is_user(&self, span: Span) -> bool {
        span.source.0 >= self.first_user_source
    }

    /// An error at `span`; inside the prelude the user's words come first.
    pub fn error(&self, code: Code, message: impl Into<String>, span: Span, label: &str) -> Diagnostic {
        let d = Diagnostic::error(code, message);
        if self.is_user(span) { d.label(span, label) } else { d.label(self.here, "").related(span, label) }
    }

    /// The place of a word among the user's words at work; all of them when it is not there.
    pub fn word(&self, word: &str) -> Span {
        self.word_in(self.here, word)
    }

    /// The place of a word in a part of the program; all of that when it is not there.
    pub fn word_in(&self, within: Span, word: &str) -> Span {
        let text = self.sources.slice(within);
        let at = text.match_indices(word).map(|(i, _)| i).find(|&i| {
            let part = |c: char| c.is_alphanumeric() || c == '_';
            !text[..i].ends_with(part) && !text[i + word.len()..].starts_with(part)
        });
        match at {
            Some(i) => {
                let start = within.start as usize + i;
                Span::new(within.source, start, start + word.len())
            }
            None => within,
        }
    }

    /// As [`Elab::error`], as a reason to stop.
    pub fn fail<T>(&self, code: Code, message: impl Into<String>, span: Span, label: &str) -> Res<T> {
        Err(Stop::Error(Box::new(self.error(code, message, span, label))))
    }

    /// The user's words that called the body at work.
    pub fn used_at(&self) -> Option<Span> {
        self.used_at
    }

    /// Remembers a mistake.
    pub fn report(&mut self, stop: Stop) {
        if let Stop::Error(d) = stop {
            self.diagnostics.push(*d);
        }
    }

    // ---- where we are --------------------------------------------------------------

    /// Names the user's words at work.
    pub fn at(&mut self, span: Span) {
        if self.is_user(span) {
            self.here = span;
        }
        self.mark();
    }

    /// Gives the builder the origin of what follows.
    fn mark(&mut self) {
        let scope = self.trail.join(" > ");
        let origin = if self.here == Span::default() && !self.is_user(self.here) {
            Origin { scope: scope.into(), ..Origin::default() }
        } else {
            let source = self.sources.get(self.here.source);
            let (line, column) = source.line_column(self.here.start);
            Origin {
                scope: scope.into(),
                file: source.name.as_str().into(),
                line: line as u32,
                column: column as u32,
                length: self.here.len() as u32,
            }
        };
        self.b.set_origin(Arc::new(origin));
    }

    /// Runs `f` one call deeper, under `label`.
    pub fn deeper<T>(&mut self, label: &str, span: Span, f: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.trail.len() >= DEPTH {
            return self.fail(Code::N0305, format!("`{label}` uses itself without end"), span, "called here");
        }
        self.steps_run += 1;
        self.budget(span)?;
        let (here, used_at) = (self.here, self.used_at);
        self.trail.push(label.to_string());
        self.at(span);
        if self.is_user(span) {
            self.used_at = Some(span);
        }
        let out = f(self);
        self.trail.pop();
        self.used_at = used_at;
        if out.is_ok() {
            self.here = here;
        }
        self.mark();
        out
    }

    /// As [`Elab::deeper`], into the body of a definition: a mistake in the body of a user's own also shows the
    /// line that used it.
    pub fn deeper_into<T>(
        &mut self,
        name: &nnc_syntax::ast::Name,
        label: &str,
        span: Span,
        f: impl FnOnce(&mut Self) -> Res<T>,
    ) -> Res<T> {
        let out = self.deeper(label, span, f);
        if !self.is_user(name.span) || !self.is_user(span) {
            return out;
        }
        out.map_err(|stop| match stop {
            Stop::Error(mut d) => {
                let inside =
                    |at: Span| at.source == span.source && span.start <= at.start && at.end <= span.end;
                let places = d.labels.iter().chain(&d.related);
                if !places.into_iter().any(|l| inside(l.span)) && d.code != Code::N0305 {
                    *d = d.related(span, format!("`{}` is used here", name.text));
                }
                Stop::Error(d)
            }
            stop => stop,
        })
    }

    /// A fresh number for a call of a random function, the same in every run of the program.
    pub fn site(&mut self) -> u64 {
        if let Some(path) = &self.initialising {
            // The first draw of a weight goes by its path alone.
            let n = self.sites.entry(format!("init {path}")).or_insert(0);
            *n += 1;
            return if *n == 1 { random::site(path) } else { random::site(&format!("{path}#{n}")) };
        }
        let scope = self.trail.join(">");
        let n = self.sites.entry(scope.clone()).or_insert(0);
        *n += 1;
        random::site(&format!("{scope}#{n}"))
    }

    // ---- tensors -------------------------------------------------------------------

    /// The float type.
    pub fn float(&self) -> DType {
        self.b.graph().float
    }

    /// A shape in the graph.
    pub fn dims(axes: &[Axis], batched: bool) -> Vec<Dim> {
        let lead = batched.then_some(Dim::Batch);
        lead.into_iter().chain(axes.iter().map(|a| Dim::Size(a.size))).collect()
    }

    /// A mark for an axis that is not the part of any other.
    pub fn fresh_axis(&mut self) -> u32 {
        self.axes += 1;
        self.axes
    }

    /// A tensor of a node, whose shape it must have.
    pub fn tensor(&self, node: NodeId, axes: impl Into<Rc<[Axis]>>, batched: bool) -> Tensor {
        Tensor { node, axes: axes.into(), batched, classes: None }
    }

    /// Whether a shape is small enough; the message names the product.
    pub fn check_size(&self, axes: &[Axis], span: Span) -> Res<usize> {
        if axes.iter().any(|a| a.size == 0) {
            return self.fail(Code::N0204, "a size is at least 1, not 0", span, "this size");
        }
        let count = axes.iter().try_fold(1usize, |n, a| n.checked_mul(a.size)).filter(|n| *n <= ELEMENTS);
        match count {
            Some(n) => Ok(n),
            None => {
                let shape = crate::elaborate::value::shape_text(axes);
                let d = self
                    .error(
                        Code::N0306,
                        format!("a tensor of {shape} numbers is too large"),
                        span,
                        "this size",
                    )
                    .help(format!("one tensor may hold {ELEMENTS} numbers for one sample"));
                Err(Stop::Error(Box::new(d)))
            }
        }
    }

    /// `weight` and `state`: a parameter of the step, its first value in the graph of first values.
    pub fn declare(
        &mut self,
        frame: &mut Frame,
        role: Role,
        name: &str,
        axes: Vec<Axis>,
        init: &Init,
        span: Span,
    ) -> Res<Tensor> {
        let path = frame.join(name);
        if let Some(known) = self.find_declared(&path) {
            if frame.sharing && known.tensor.sizes() == axes.iter().map(|a| a.size).collect::<Vec<_>>() {
                return Ok(known.tensor.clone());
            }
            let message = if frame.sharing {
                format!(
                    "`{path}` is shared, but is {} here and was {}",
                    crate::elaborate::value::shape_text(&axes),
                    crate::elaborate::value::shape_text(&known.tensor.axes)
                )
            } else {
                format!("there are two weights called `{path}`")
            };
            if frame.sharing && !self.is_user(span) {
                let d = Diagnostic::error(Code::N0304, message)
                    .label(self.here, "these weights are used twice")
                    .help("shared weights have one shape: give them tensors of one width");
                return Err(Stop::Error(Box::new(d)));
            }
            return self.fail(Code::N0304, message, span, "the second one");
        }
        self.check_size(&axes, span)?;
        let ty = Type::new(self.float(), Self::dims(&axes, false));
        let node = self.b.parameter(role, path.as_str(), ty);
        let tensor = self.tensor(node, axes.clone(), false);
        self.initialise(&path, &axes, init, span)?;
        self.paths.insert(path.clone(), self.declared.len());
        self.declared.push(Declared { role, path, tensor: tensor.clone() });
        Ok(tensor)
    }

    /// Builds the first value of `path` in the graph of first values.
    fn initialise(&mut self, path: &str, axes: &[Axis], init: &Init, span: Span) -> Res<()> {
        std::mem::swap(&mut self.b, &mut self.init);
        let calls = std::mem::take(&mut self.calls);
        self.initialising = Some(path.to_string());
        let value = self.call_init(init, Shape { axes: axes.to_vec(), batched: false }, span);
        let value = value
            .and_then(|v| self.tensor_of(&v, span))
            .map(|t| self.floats(&t))
            .and_then(|t| self.spread(&t, axes, false, span));
        self.initialising = None;
        self.calls = calls;
        std::mem::swap(&mut self.b, &mut self.init);
        let node = value?;
        self.init.output(nnc_graph::OutputKind::Initial, path, node);
        self.mark();
        Ok(())
    }

    /// The share of the learning rate that the trainer lowers, a scalar.
    pub fn lowered(&mut self) -> Tensor {
        let path = crate::program::settings::Plateau::SLOT;
        if let Some(known) = self.find_declared(path) {
            return known.tensor.clone();
        }
        let node = self.b.parameter(Role::Slot, path, Type::scalar(self.float()));
        let one = self.init.constant(1.0);
        self.init.output(nnc_graph::OutputKind::Initial, path, one);
        let tensor = self.tensor(node, Vec::new(), false);
        self.paths.insert(path.to_string(), self.declared.len());
        self.declared.push(Declared { role: Role::Slot, path: path.to_string(), tensor: tensor.clone() });
        tensor
    }

    /// Looks a weight or state up by its path.
    pub fn find_declared(&self, path: &str) -> Option<&Declared> {
        self.paths.get(path).map(|&i| &self.declared[i])
    }

    /// Whether the program is still short enough, in what it has run and in what it has built.
    fn budget(&self, span: Span) -> Res<()> {
        let built = self.b.graph().len().max(self.init.graph().len());
        if built <= NODES && self.steps_run <= STEPS {
            return Ok(());
        }
        let message = format!("this program is too long: more than {NODES} operations");
        let span = if self.is_user(span) { span } else { self.here };
        self.fail(Code::N0307, message, span, "reached here")
    }

    /// Whether what follows is not worth a look: the program is too long, or has more mistakes than anyone reads.
    pub fn hopeless(&self) -> bool {
        let errors = self.diagnostics.iter().filter(|d| d.is_error());
        self.diagnostics.iter().any(|d| d.code == Code::N0307) || errors.count() > nnc_syntax::MAX_DIAGNOSTICS
    }

    // ---- statements of bodies --------------------------------------------------------

    /// Runs the statements of a body; the first mistake ends it.
    pub fn block(&mut self, frame: &mut Frame, stmts: &[Stmt]) -> Res<()> {
        for stmt in stmts {
            self.statement(frame, stmt)?;
        }
        Ok(())
    }

    /// Runs a statement that may stand in a body.
    pub fn statement(&mut self, frame: &mut Frame, stmt: &Stmt) -> Res<()> {
        self.at(stmt.span);
        self.steps_run += 1;
        self.budget(stmt.span)?;
        match &stmt.kind {
            StmtKind::Flow(flow) => self.flow(frame, flow, stmt.span),
            StmtKind::Declare { kind, name, dims, init } => {
                let role = match kind {
                    DeclareKind::Weight => Role::Weight,
                    DeclareKind::State if frame.slots => Role::Slot,
                    DeclareKind::State => Role::State,
                };
                let shape = self.shape_of_dims(frame, dims)?;
                let init = self.initialiser(frame, init)?;
                let tensor = self.declare(frame, role, &name.text, shape.axes, &init, name.span)?;
                frame.set(&name.text, Value::Tensor(tensor));
                Ok(())
            }
            StmtKind::Require { cond, message, fix } => {
                if self.truth(frame, cond)? {
                    return Ok(());
                }
                let message = self.fill_holes(frame, message);
                // Inside a definition the line that used it comes first, whoever wrote the definition.
                let d = match &self.used_at {
                    Some(at) if self.is_user(cond.span) => Diagnostic::error(Code::N0301, message)
                        .label(*at, "")
                        .related(cond.span, "this does not hold"),
                    _ => self.error(Code::N0301, message, cond.span, "this does not hold"),
                };
                let d = match (fix, d.labels.first().map(|l| l.span)) {
                    (Some(text), Some(step)) if self.is_step_of(frame, step) => {
                        d.fix(Span { end: step.start, ..step }, text.as_str(), true)
                    }
                    _ => d,
                };
                Err(Stop::Error(Box::new(d)))
            }
            StmtKind::If { cond, then, otherwise } => {
                let body = if self.truth(frame, cond)? { Some(then) } else { otherwise.as_ref() };
                body.map_or(Ok(()), |body| self.scopeless(frame, &body.stmts))
            }
            StmtKind::Repeat { count, index, body } => self.repeat(frame, count, index.as_ref(), &body.stmts),
            StmtKind::Shared { name, chain } => {
                let shared = Shared { name: name.text.clone(), chain: chain.clone(), span: name.span };
                frame.set(&name.text, Value::Func(Func::Shared(Rc::new(shared))));
                Ok(())
            }
            StmtKind::Error => Err(Stop::Poisoned),
            _ => {
                let d = self
                    .error(
                        Code::N0206,
                        "this statement belongs at the top of the file, not into a body",
                        stmt.span,
                        "",
                    )
                    .help(
                        "a body has steps, names, `weight`, `state`, `repeat`, `if`, `require` and `shared`",
                    );
                Err(Stop::Error(Box::new(d)))
            }
        }
    }

    /// Whether a place is a step of the user's that names the definition whose body this frame is.
    fn is_step_of(&self, frame: &Frame, place: Span) -> bool {
        let words = self.sources.slice(place);
        self.is_user(place) && words.split([' ', '(']).next() == Some(&frame.callee)
    }

    /// The body of `if` or `repeat`: at the top of the file each statement's mistake is told on its own.
    fn scopeless(&mut self, frame: &mut Frame, stmts: &[Stmt]) -> Res<()> {
        if !frame.top {
            return self.block(frame, stmts);
        }
        for stmt in stmts {
            self.top_statement(frame, stmt);
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        frame: &mut Frame,
        count: &Expr,
        index: Option<&nnc_syntax::ast::Name>,
        stmts: &[Stmt],
    ) -> Res<()> {
        let value = self.expr(frame, count)?;
        if value.num().is_some_and(|n| n > 100_000.0) {
            return self.fail(
                Code::N0307,
                format!("`repeat {value}` is too often"),
                count.span,
                "at most 100000",
            );
        }
        let Some(n) = value.int().filter(|n| *n >= 0) else {
            return self.fail(
                Code::N0204,
                match &value {
                    Value::Int(_) | Value::Num(_) => format!("`repeat {value}` has no meaning"),
                    _ => format!("`repeat` takes a whole number, not {}", value.kind()),
                },
                count.span,
                "how often: 0, 1, 2, …, known before training",
            );
        };
        for i in 0..n {
            if let Some(name) = index {
                frame.set(&name.text, Value::Int(i));
            }
            let before = self.diagnostics.len();
            self.scopeless(frame, stmts)?;
            if self.diagnostics[before..].iter().any(Diagnostic::is_error) {
                break; // the same mistake again would say nothing new
            }
        }
        Ok(())
    }

    /// `{name}` and `{shape(x)}` in a message.
    fn fill_holes(&mut self, frame: &mut Frame, message: &str) -> String {
        let mut out = String::new();
        let mut rest = message;
        // A message has few holes; one that has thousands is not read anyway.
        let mut holes = 0;
        while let Some((before, after)) = rest.split_once('{') {
            holes += 1;
            if holes > 100 {
                break;
            }
            out.push_str(before);
            let Some((hole, after)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            let parsed = nnc_syntax::parse(hole, nnc_syntax::SourceId(0));
            let value = match parsed.program.stmts.first().map(|s| &s.kind) {
                Some(StmtKind::Flow(flow)) => self.chain(frame, &flow.chain).ok(),
                _ => None,
            };
            match value {
                Some(value) => out.push_str(&value.to_string()),
                None => out.push_str(hole),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}
