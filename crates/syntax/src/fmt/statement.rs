//! Statements and blocks.

use super::doc::{Doc, cat};
use super::expr::{ROUND, quoted};
use super::{Formatter, joined};
use crate::ast::{
    Arg, Attribute, Block, Body, Dataset, DeclareKind, Dim, Expr, Flow, Name, Operand, Param, Stmt, StmtKind,
    StopWhen, Within,
};

impl Formatter<'_> {
    /// A statement as a group of its own.
    pub(super) fn statement(&mut self, stmt: &Stmt) -> Doc {
        self.kind(stmt).group()
    }

    fn kind(&mut self, stmt: &Stmt) -> Doc {
        match &stmt.kind {
            StmtKind::Param { name, value, within } => self.param(name, value, within.as_ref()),
            StmtKind::Fn(def) => {
                let head = [
                    Doc::text(format!("fn {}", def.name.text)),
                    self.params(&def.params),
                    attributes(&def.attributes),
                ];
                self.with_body(cat(head), &def.body)
            }
            StmtKind::Layer(def) => {
                let mut head =
                    vec![Doc::text(format!("layer {}", def.name.text)), self.some_params(&def.params)];
                head.push(self.operands(&def.operands));
                if let Some(dims) = &def.result {
                    head.extend([Doc::text(" -> "), self.dims(dims)]);
                }
                head.extend([attributes(&def.attributes), Doc::text(" "), self.block(&def.body)]);
                cat(head)
            }
            StmtKind::Rule(def) => cat([
                Doc::text(format!("rule {}", def.name.text)),
                self.some_params(&def.params),
                Doc::text(format!(" of {}, {}", def.weight.text, def.gradient.text)),
                attributes(&def.attributes),
                Doc::text(" "),
                self.block(&def.body),
            ]),
            StmtKind::Init(def) => {
                let head = [
                    Doc::text(format!("init {}", def.name.text)),
                    self.some_params(&def.params),
                    Doc::text(format!(" of {}", def.shape.text)),
                    attributes(&def.attributes),
                ];
                self.with_body(cat(head), &def.body)
            }
            StmtKind::Shared { name, chain } => {
                cat([Doc::text(format!("shared {} =", name.text)), self.value_of_binding(chain)])
            }
            StmtKind::Rewrite { from, to } => {
                cat([Doc::text("rewrite "), self.expr(from), Doc::text(" ="), self.after_sign(to)])
            }
            StmtKind::Use { path, .. } => Doc::text(format!("use {}", quoted(path))),
            StmtKind::Repeat { count, index, body } => {
                let count = cat([Doc::text("repeat "), self.expr(count)]);
                let index = index.as_ref().map_or(String::new(), |index| format!(" as {}", index.text));
                cat([count, Doc::text(index + " "), self.block(body)])
            }
            StmtKind::If { cond, then, otherwise } => self.if_block(cond, then, otherwise.as_ref()),
            StmtKind::Require { cond, message, fix } => {
                let cond = cat([Doc::text("require "), self.expr(cond), Doc::text(" else")]);
                let fix = fix.as_ref().map_or(String::new(), |fix| format!(" fix {}", quoted(fix)));
                cat([cond, cat([Doc::Line, Doc::text(quoted(message) + &fix)]).nest()])
            }
            StmtKind::Declare { kind, name, dims, init } => {
                let kind = if *kind == DeclareKind::Weight { "weight" } else { "state" };
                let head = [Doc::text(format!("{kind} {}", name.text)), self.dims(dims), Doc::text(" =")];
                cat(head.into_iter().chain([self.after_sign(init)]))
            }
            StmtKind::Data(data) => self.dataset(data),
            StmtKind::Setting { head, args } => cat([Doc::text(&head.text), self.spaced_args(args)]),
            StmtKind::LossIs(chain) => cat([Doc::text("loss ="), self.value_of_binding(chain)]),
            StmtKind::Stop(StopWhen::Stalls { metric, patience }) => {
                cat([Doc::text(format!("stop when {} stalls for ", metric.text)), self.expr(patience)])
            }
            StmtKind::Stop(StopWhen::Holds(cond)) => cat([Doc::text("stop when "), self.expr(cond)]),
            StmtKind::Expect { cond, within, seeds } => self.expect(cond, within.as_ref(), seeds.as_ref()),
            StmtKind::Then(block) => cat([Doc::text("then "), self.block(block)]),
            StmtKind::Flow(flow) => self.flow(flow),
            // Never reached: a text with mistakes is not formatted.
            StmtKind::Error => Doc::text(self.slice(stmt.span)),
        }
    }

    fn param(&mut self, name: &Name, value: &Expr, within: Option<&Within>) -> Doc {
        let mut docs = vec![Doc::text(format!("param {} =", name.text)), self.after_sign(value)];
        match within {
            Some(Within::List(items)) => docs.extend([Doc::text(" in "), self.list_of(items, None)]),
            Some(Within::Range(low, high)) => {
                docs.extend([Doc::text(" in "), self.expr(low), Doc::text(".."), self.expr(high)]);
            }
            None => {}
        }
        cat(docs)
    }

    fn flow(&mut self, flow: &Flow) -> Doc {
        if flow.targets.is_empty() {
            return self.chain(&flow.chain);
        }
        let names: Vec<&str> = flow.targets.iter().map(|name| name.text.as_str()).collect();
        let sign = if flow.update { ":=" } else { "=" };
        cat([Doc::text(format!("{} {sign}", names.join(", "))), self.value_of_binding(&flow.chain)])
    }

    fn expect(&mut self, cond: &Expr, within: Option<&(Expr, Name)>, seeds: Option<&(Expr, Expr)>) -> Doc {
        let mut docs = vec![Doc::text("expect "), self.expr(cond)];
        if let Some((count, unit)) = within {
            docs.extend([Doc::text(" within "), self.expr(count), Doc::text(format!(" {}", unit.text))]);
        }
        if let Some((some, all)) = seeds {
            docs.extend([
                Doc::text(" in "),
                self.expr(some),
                Doc::text(" of "),
                self.expr(all),
                Doc::text(" seeds"),
            ]);
        }
        cat(docs)
    }

    /// `= chain` on the next line where it does not fit on this one, or a block.
    fn with_body(&mut self, head: Doc, body: &Body) -> Doc {
        match body {
            Body::Chain(chain) => {
                let gap = self.gap(chain.span.start, Doc::Line);
                cat([head, Doc::text(" ="), cat([gap, self.chain(chain)]).nest().group()])
            }
            Body::Block(block) => cat([head, Doc::text(" "), self.block(block)]),
        }
    }

    /// `(a, b)`, or nothing when there are no parameters.
    fn some_params(&mut self, params: &[Param]) -> Doc {
        if params.is_empty() { Doc::nil() } else { self.params(params) }
    }

    fn params(&mut self, params: &[Param]) -> Doc {
        self.bracketed(ROUND, params, |param| param.span.start, Self::one_param)
    }

    fn one_param(&mut self, param: &Param) -> Doc {
        let mut docs = vec![self.pattern(&param.name, param.dims.as_deref(), param.classes.as_ref())];
        if let Some(kind) = &param.kind {
            docs.push(Doc::text(format!(": {}", kind.text)));
        }
        if let Some(default) = &param.default {
            docs.extend([Doc::text(" = "), self.expr(default)]);
        }
        if let Some(options) = &param.options {
            docs.extend([Doc::text(" in "), self.list_of(options, None)]);
        }
        cat(docs)
    }

    fn operands(&mut self, operands: &[Operand]) -> Doc {
        let mut docs = Vec::new();
        for operand in operands {
            docs.push(Doc::text(if docs.is_empty() { " of " } else { ", " }));
            docs.push(self.pattern(&operand.name, operand.dims.as_deref(), operand.classes.as_ref()));
        }
        cat(docs)
    }

    fn pattern(&mut self, name: &Name, dims: Option<&[Dim]>, classes: Option<&Name>) -> Doc {
        let mut docs = vec![Doc::text(&name.text)];
        docs.extend(dims.map(|dims| self.dims(dims)));
        docs.extend(classes.map(|classes| Doc::text(format!(" in {}", classes.text))));
        cat(docs)
    }

    /// A shape; it is too short to be broken.
    fn dims(&mut self, dims: &[Dim]) -> Doc {
        let mut docs = Vec::new();
        for dim in dims {
            docs.push(Doc::text(if docs.is_empty() { "[" } else { ", " }));
            docs.push(match dim {
                Dim::Rest(name, _) => {
                    Doc::text(format!("...{}", name.as_ref().map_or("", |name| &name.text)))
                }
                Dim::Size(size) => self.expr(size),
            });
        }
        docs.push(Doc::text(if dims.is_empty() { "[]" } else { "]" }));
        cat(docs)
    }

    /// Arguments behind their head, each with a space before it.
    pub(super) fn spaced_args(&mut self, args: &[Arg]) -> Doc {
        cat(args.iter().flat_map(|arg| [Doc::text(" "), self.arg(arg)]).collect::<Vec<_>>())
    }

    fn dataset(&mut self, data: &Dataset) -> Doc {
        let mut docs = vec![Doc::text(data.part.word()), self.spaced_args(&data.args)];
        if !data.to.is_empty() {
            docs.extend([Doc::text(" ->"), self.spaced_args(&data.to)]);
        }
        if let (Some(rows), Some(span)) = (&data.rows, data.rows_span) {
            docs.extend([Doc::text(" "), self.rows(rows, span)]);
        }
        cat(docs)
    }

    /// Both blocks are on one line, or both are not.
    fn if_block(&mut self, cond: &Expr, then: &Block, otherwise: Option<&Block>) -> Doc {
        let mut docs = vec![Doc::text("if "), self.expr(cond), Doc::text(" "), self.block(then)];
        if let Some(block) = otherwise {
            docs.push(Doc::text(" else "));
            docs.push(match block.stmts.as_slice() {
                // `else if` and `else repeat` have no braces of their own.
                [only] if only.span == block.span => self.kind(only),
                _ => self.block(block),
            });
        }
        cat(docs)
    }

    /// A block; on one line if it was and still can be.
    pub(super) fn block(&mut self, block: &Block) -> Doc {
        let (start, end) = (block.span.start, block.span.end.saturating_sub(1));
        let one_line = self.lines.line(start) == self.lines.line(end) && !self.has_comment_before(end);
        if !one_line {
            let open = crate::Span { end: start + 1, ..block.span };
            return expanded(self.statements(&block.stmts, Some(open), end));
        }
        let stmts: Vec<Doc> = block.stmts.iter().map(|stmt| self.statement(stmt)).collect();
        on_one_line(stmts)
    }
}

/// ` with better=lower`, or nothing.
fn attributes(list: &[Attribute]) -> Doc {
    let words = list.iter().map(|a| format!(" {}={}", a.name.text, a.value.text));
    Doc::text(if list.is_empty() { String::new() } else { format!(" with{}", words.collect::<String>()) })
}

/// A block over several lines; its content begins with a newline.
pub(super) fn expanded(content: Doc) -> Doc {
    cat([Doc::text("{"), content.nest(), Doc::Hard, Doc::text("}")])
}

/// `{ a; b }`
pub(super) fn on_one_line(items: Vec<Doc>) -> Doc {
    if items.is_empty() {
        return Doc::text("{}");
    }
    cat([Doc::text("{"), cat([Doc::Line, joined(items)]).nest(), Doc::Line, Doc::text("}")])
}
