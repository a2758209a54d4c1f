//! The statements of bodies.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::shared::Shared;
use crate::elaborate::value::{Func, Value};
use nnc_graph::Role;
use nnc_syntax::ast::{Block, DeclareKind, Expr, Stmt, StmtKind};
use nnc_syntax::{Code, Diagnostic, Span};
use std::rc::Rc;

/// How the statements of a block are run: in a body the first mistake ends it, at the top of the file each is told.
pub(crate) type RunBlock<'a> = fn(&mut Elab<'a>, &mut Frame, &[Stmt]) -> Res<()>;

impl<'a> Elab<'a> {
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
        self.counted(stmt.span)?;
        self.nothing_left_over(frame)?;
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
                let d = match &self.session.used_at {
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
                self.branch(frame, cond, then, otherwise.as_ref(), Self::block)
            }
            StmtKind::Repeat { count, index, body } => {
                self.repeat(frame, count, index.as_ref(), &body.stmts, Self::block)
            }
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

    /// A statement whose value is no tensor, and which is not the last of a body, has no effect: that is a mistake.
    pub fn nothing_left_over(&self, frame: &mut Frame) -> Res<()> {
        let Some((value, span)) = frame.last.take() else { return Ok(()) };
        let text = self.session.sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let several = matches!(value, Value::Several(_));
        let message = match several {
            true => format!("{} without a name: a step leaves one tensor", value.what()),
            false => format!("a step leaves a tensor, and this is {}", value.what()),
        };
        let d = self.error(Code::N0210, message, span, "this would have no effect");
        let d = match &value {
            Value::List(items) | Value::Several(items)
                if !items.is_empty() && items.iter().all(|v| matches!(v, Value::Tensor(_))) =>
            {
                let joined = match several {
                    true => format!("{text} -> concat"),
                    false => format!("concat({text})"),
                };
                let names = ["a", "b", "c", "d", "e", "f"];
                let d = match names.get(..items.len()) {
                    Some(names) => d.help(format!("to name them: {} = {text}", names.join(", "))),
                    None => d.help(format!("to name them together: parts = {text}")),
                };
                d.help(format!("to join them: {joined}"))
            }
            Value::List(items) if items.iter().all(|v| v.num().is_some()) => d
                .help(format!("to scale each feature: it * {text}"))
                .help(format!("to give it a name: factors = {text}")),
            Value::Int(n) if *n > 0 && text == n.to_string() => {
                d.help(format!("a layer of {n} neurons: dense {n}"))
            }
            Value::Int(_) | Value::Num(_) | Value::Axis(_) => d
                .help(match text.starts_with('(') && text.ends_with(')') {
                    true => format!("to scale the tensor: it * {text}"),
                    false => format!("to scale the tensor: it * ({text})"),
                })
                .help(format!("to give it a name: factor = {text}")),
            Value::Shape(_) => d
                .help("to give the tensor another shape: reshape 4x3")
                .help(format!("to give it a name: form = {text}"))
                .help("`nnc summary FILE` shows the shapes of all steps"),
            Value::Bool(_) => d
                .help(format!("to choose by it: if {text} {{ … }} else {{ … }}"))
                .help(format!("to give it a name: flag = {text}")),
            Value::Text(_) => d.help("a comment begins with `#`"),
            Value::Init(_) => d.help(format!("it belongs to a layer: dense 16 init={text}")),
            Value::Func(_) => d.help("to apply it: it -> name"),
            _ => d.help(format!("to give it a name: value = {text}")),
        };
        Err(Stop::Error(Box::new(d)))
    }

    /// Whether a place is a step of the user's that names the definition whose body this frame is.
    fn is_step_of(&self, frame: &Frame, place: Span) -> bool {
        let words = self.session.sources.slice(place);
        self.is_user(place) && words.split([' ', '(']).next() == Some(&frame.callee)
    }

    /// Runs the branch of `if` that is taken, by `run`.
    pub fn branch(
        &mut self,
        frame: &mut Frame,
        cond: &Expr,
        then: &Block,
        otherwise: Option<&Block>,
        run: RunBlock<'a>,
    ) -> Res<()> {
        let body = if self.truth(frame, cond)? { Some(then) } else { otherwise };
        body.map_or(Ok(()), |body| run(self, frame, &body.stmts))
    }

    /// Runs the body of `repeat` by `run`.
    pub fn repeat(
        &mut self,
        frame: &mut Frame,
        count: &Expr,
        index: Option<&nnc_syntax::ast::Name>,
        stmts: &[Stmt],
        run: RunBlock<'a>,
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
            let before = self.session.diagnostics.len();
            run(self, frame, stmts)?;
            if self.session.diagnostics[before..].iter().any(Diagnostic::is_error) {
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
            // In parentheses, a name is no statement of that name, such as `rate`.
            let parsed = nnc_syntax::parse(&format!("({hole})"), nnc_syntax::SourceId(0));
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
