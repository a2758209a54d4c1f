//! The elaborator: runs a program at compile time; tensors are nodes of the graph it builds.

pub(crate) use crate::elaborate::session::{Res, Stop};

use crate::elaborate::results::{Declared, Results};
use crate::elaborate::scope::{Globals, Scope};
use crate::elaborate::session::{DEPTH, ELEMENTS, NODES, STEPS, Session};
use crate::elaborate::value::{Axis, Tensor, shape_text};
use nnc_graph::{Builder, DType, Dim, NodeId, Origin};
use nnc_syntax::{Code, Diagnostic, SourceMap, Span};
use std::rc::Rc;
use std::sync::Arc;

/// One run of a program: what it is given, where it is, what it has built and collected.
pub(crate) struct Elab<'a> {
    pub session: Session<'a>,
    pub scope: Scope,
    pub results: Results,
    /// The graph that is built.
    pub b: Builder,
    /// The graph of first values; while one is computed, `b` is that and this the other.
    pub init: Builder,
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
            session: Session::new(sources, first_user_source, training),
            scope: Scope::new(globals),
            results: Results::default(),
            b: Builder::new(if training { "train" } else { "eval" }, float),
            init: Builder::new("init", float),
        }
    }

    // ---- mistakes ----------------------------------------------------------------

    /// Whether the user wrote this place.
    pub fn is_user(&self, span: Span) -> bool {
        self.session.is_user(span)
    }

    /// An error at `span`; inside the prelude the user's words come first.
    pub fn error(&self, code: Code, message: impl Into<String>, span: Span, label: &str) -> Diagnostic {
        self.session.error(code, message, span, label)
    }

    /// As [`Elab::error`], as a reason to stop.
    pub fn fail<T>(&self, code: Code, message: impl Into<String>, span: Span, label: &str) -> Res<T> {
        Err(Stop::Error(Box::new(self.error(code, message, span, label))))
    }

    /// Remembers a mistake.
    pub fn report(&mut self, stop: Stop) {
        self.session.report(stop);
    }

    /// Looks a weight or state up by its path.
    pub fn find_declared(&self, path: &str) -> Option<&Declared> {
        self.results.find_declared(path)
    }

    // ---- where we are --------------------------------------------------------------

    /// Names the user's words at work.
    pub fn at(&mut self, span: Span) {
        if self.is_user(span) {
            self.session.here = span;
        }
        self.mark();
    }

    /// Gives the builder the origin of what follows.
    pub fn mark(&mut self) {
        let scope = self.scope.trail.join(" > ");
        let origin = if self.session.here == Span::default() && !self.is_user(self.session.here) {
            Origin { scope: scope.into(), ..Origin::default() }
        } else {
            let source = self.session.sources.get(self.session.here.source);
            let (line, column) = source.line_column(self.session.here.start);
            Origin {
                scope: scope.into(),
                file: source.name.as_str().into(),
                line: line as u32,
                column: column as u32,
                length: self.session.here.len() as u32,
            }
        };
        self.b.set_origin(Arc::new(origin));
    }

    /// Runs `f` one call deeper, under `label`.
    pub fn deeper<T>(&mut self, label: &str, span: Span, f: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.scope.trail.len() >= DEPTH {
            return self.fail(Code::N0305, format!("`{label}` uses itself without end"), span, "called here");
        }
        self.counted(span)?;
        let (here, used_at) = (self.session.here, self.session.used_at);
        self.scope.trail.push(label.to_string());
        self.at(span);
        if self.is_user(span) {
            self.session.used_at = Some(span);
        }
        let out = f(self);
        self.scope.trail.pop();
        self.session.used_at = used_at;
        if out.is_ok() {
            self.session.here = here;
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

    /// Counts a statement or call: the program must still be short enough, in what it has run and in what it has built.
    pub fn counted(&mut self, span: Span) -> Res<()> {
        self.session.steps_run += 1;
        let built = self.b.graph().len().max(self.init.graph().len());
        if built <= NODES && self.session.steps_run <= STEPS {
            return Ok(());
        }
        let message = format!("this program is too long: more than {NODES} operations");
        let span = if self.is_user(span) { span } else { self.session.here };
        self.fail(Code::N0307, message, span, "reached here")
    }

    /// The float type.
    pub fn float(&self) -> DType {
        self.b.graph().float
    }

    /// A shape in the graph.
    pub fn dims(axes: &[Axis], batched: bool) -> Vec<Dim> {
        let lead = batched.then_some(Dim::Batch);
        lead.into_iter().chain(axes.iter().map(|a| Dim::Size(a.size))).collect()
    }

    /// A tensor of a node, whose shape it must have.
    pub fn tensor(&self, node: NodeId, axes: impl Into<Rc<[Axis]>>, batched: bool) -> Tensor {
        Tensor { node, axes: axes.into(), batched, classes: None, mask: None }
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
                let shape = shape_text(axes);
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
}
