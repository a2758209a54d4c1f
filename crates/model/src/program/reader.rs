//! Statements that must be known before the data is read.

use crate::declarations::data::{Literal, PortDecl};
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::Value;
use nnc_syntax::ast::{Arg, Dataset, Expr, ExprKind, Name, Stmt, StmtKind, WordKind};
use nnc_syntax::{Code, Span};

/// Reads what must be known before the data.
pub(crate) struct Reader<'a> {
    pub e: Elab<'a>,
    pub frame: Frame,
    pub data: Vec<Dataset<Literal>>,
    pub ports: Vec<PortDecl>,
    pub experiments: Vec<(Name, Vec<Arg>)>,
}

impl Reader<'_> {
    /// Statements that must be known before the data is read.
    pub fn declaration(&mut self, stmt: &Stmt) -> Res<()> {
        self.e.at(stmt.span);
        match &stmt.kind {
            StmtKind::Data(dataset) => {
                let decl = self.dataset(dataset)?;
                self.data.push(decl);
                Ok(())
            }
            StmtKind::Setting { head, args } => match head.text.as_str() {
                "epochs" | "steps" | "batch" | "seed" | "split" => {
                    // What depends on the network is reported when that is elaborated.
                    self.e.setting(&mut self.frame, head, args, stmt.span)
                }
                "input" | "target" => self.port(head, args, stmt.span),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn port(&mut self, head: &Name, args: &[Arg], span: Span) -> Res<()> {
        let name = match args.first() {
            Some(Arg { key: None, value: Expr { kind: ExprKind::Name(text), .. }, .. }) => text.clone(),
            _ => {
                return self.e.fail(
                    Code::N0204,
                    format!("`{0}` takes a name: {0} left", head.text),
                    span,
                    "",
                );
            }
        };
        if let Some(more) = args.get(2).or_else(|| args.get(1).filter(|a| a.key.is_some())) {
            let d = self.e.error(
                Code::N0204,
                format!("`{} {name}` takes a shape and nothing else", head.text),
                more.span,
                "this would have no effect",
            );
            let d = d.help(format!("{} {name} 28x28x1", head.text)).help(format!(
                "how a column is read stands with its data: data \"f.csv\" {{ {} {name} standardize }}",
                head.text
            ));
            return Err(Stop::Error(Box::new(d)));
        }
        let shape = match args.get(1) {
            None => None,
            Some(arg) => {
                let value = self.e.expr(&mut self.frame, &arg.value)?;
                let shape = self.e.shape_arg(&value, arg.span)?;
                self.e.check_size(&shape.axes, arg.span)?;
                Some(shape.axes.iter().map(|a| a.size).collect())
            }
        };
        self.ports.push(PortDecl { name, target: head.text == "target", shape, span });
        Ok(())
    }

    fn dataset(&mut self, dataset: &Dataset) -> Res<Dataset<Literal>> {
        let rows = dataset.cells().unwrap_or_default();
        for word in rows.iter().flat_map(|row| row.words.iter().chain(row.to.iter().flatten())) {
            if let WordKind::Name { name, value: Some(_) } = &word.kind {
                let message = format!("`{}=` does not belong into a row", name.text);
                return self.e.fail(Code::N0501, message, word.span, "");
            }
        }
        dataset.try_map(|value| self.e.literal(&mut self.frame, value))
    }
}

impl Elab<'_> {
    /// The value of a compile-time number or word, for data declarations.
    pub(crate) fn literal(&mut self, frame: &mut Frame, expr: &Expr) -> Res<Literal> {
        if let ExprKind::Name(name) = &expr.kind {
            return Ok(match self.scope.globals.param(name).cloned() {
                Some(value) => literal_of(&value).unwrap_or(Literal::Word(name.clone())),
                None => Literal::Word(name.clone()),
            });
        }
        if let ExprKind::List(items) = &expr.kind {
            return Ok(Literal::List(items.iter().map(|e| self.literal(frame, e)).collect::<Res<_>>()?));
        }
        if let ExprKind::Range(first, last) = &expr.kind {
            let ends = [self.literal(frame, first)?, self.literal(frame, last)?];
            return match ends {
                [Literal::Number(first), Literal::Number(last)] => Ok(Literal::Range(first, last)),
                _ => self.fail(Code::N0205, "a range has a number at both ends", expr.span, "horizon=1..3"),
            };
        }
        let value = self.expr(frame, expr)?;
        if let Value::Shape(shape) = &value {
            self.check_size(&shape.axes, expr.span)?;
        }
        match literal_of(&value) {
            Some(literal) => Ok(literal),
            None => {
                self.fail(Code::N0205, format!("{} says nothing about data", value.kind()), expr.span, "")
            }
        }
    }
}

fn literal_of(value: &Value) -> Option<Literal> {
    Some(match value {
        Value::Text(text) => Literal::Text(text.to_string()),
        Value::Symbol(word) => Literal::Word(word.to_string()),
        Value::Bool(b) => Literal::Bool(*b),
        Value::Shape(s) => Literal::Size(s.axes.iter().map(|a| a.size).collect()),
        other => Literal::Number(other.num()?),
    })
}
