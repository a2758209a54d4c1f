//! Chains, links and expressions.

use super::Formatter;
use super::doc::{Doc, cat};
use crate::Head;
use crate::ast::{Arg, BinaryOp, Chain, Expr, ExprKind, Link, Scan, Step, UnaryOp};

/// A pair of brackets.
#[derive(Clone, Copy)]
pub(super) struct Bracket {
    open: &'static str,
    close: &'static str,
    /// Where it closes, if that is known.
    end: Option<u32>,
    /// Whether a line takes as many items as fit.
    fill: bool,
}

pub(super) const ROUND: Bracket = Bracket { open: "(", close: ")", end: None, fill: false };
const SQUARE: Bracket = Bracket { open: "[", close: "]", end: None, fill: false };

impl Bracket {
    fn until(self, end: u32) -> Self {
        Bracket { end: Some(end), ..self }
    }
}

impl Formatter<'_> {
    /// `a -> b -> c` on one line, or one link a line.
    pub(super) fn chain(&mut self, chain: &Chain) -> Doc {
        let mut docs = Vec::new();
        for link in &chain.links {
            if docs.is_empty() {
                docs.push(self.link(link));
            } else {
                let gap = self.gap(link.span().start, Doc::Line);
                docs.push(cat([gap, Doc::text("-> "), self.link(link)]).nest());
            }
        }
        cat(docs).group()
    }

    /// The chain behind `name =`.
    pub(super) fn value_of_binding(&mut self, chain: &Chain) -> Doc {
        let gap = self.gap(chain.span.start, Doc::text(" "));
        cat([gap, self.chain(chain)]).nest_if_broken()
    }

    /// The expression behind `=`.
    pub(super) fn after_sign(&mut self, value: &Expr) -> Doc {
        let gap = self.gap(value.span.start, Doc::text(" "));
        cat([gap, self.expr(value)]).nest_if_broken()
    }

    fn link(&mut self, link: &Link) -> Doc {
        match link {
            Link::Step(Step { name, args, .. }) => cat([Doc::text(&name.text), self.spaced_args(args)]),
            Link::Scan(scan) => self.scan(scan),
            Link::Exprs(exprs) => match exprs.as_slice() {
                [Expr { kind: ExprKind::Call { callee, args }, .. }] if self.is_layer_call(callee, args) => {
                    self.layer_step(callee, args)
                }
                [only] => self.expr(only),
                exprs => self.separated(exprs, false, |expr| expr.span.start, Self::expr).nest().group(),
            },
        }
    }

    /// Whether `dense(16, relu)` may become a step. A statement word may not: it would become a head.
    fn is_layer_call(&self, callee: &Expr, args: &[Arg]) -> bool {
        match &callee.kind {
            ExprKind::Name(name) => !args.is_empty() && Head::of(name).is_none() && (self.is_layer)(name),
            _ => false,
        }
    }

    fn layer_step(&mut self, callee: &Expr, args: &[Arg]) -> Doc {
        let mut docs = vec![self.expr(callee)];
        for arg in args {
            docs.push(Doc::text(arg.key.as_ref().map_or(" ".to_owned(), |key| format!(" {}=", key.text))));
            docs.push(if is_argument(&arg.value, arg.key.is_some()) {
                self.expr(&arg.value)
            } else {
                self.bracketed(ROUND, &[&arg.value], |value| value.span.start, |f, value| f.expr(value))
            });
        }
        cat(docs)
    }

    fn scan(&mut self, scan: &Scan) -> Doc {
        let mut docs = vec![Doc::text(format!("scan {} in ", scan.item.text)), self.expr(&scan.over)];
        for (at, (name, first)) in scan.carried.iter().enumerate() {
            let before = if at == 0 { " with" } else { "," };
            docs.push(Doc::text(format!("{before} {} = ", name.text)));
            docs.push(self.expr(first));
        }
        docs.extend([Doc::text(" "), self.block(&scan.body)]);
        cat(docs).group()
    }

    /// `key=value` or `value`
    pub(super) fn arg(&mut self, arg: &Arg) -> Doc {
        let key = arg.key.as_ref().map_or(String::new(), |key| format!("{}=", key.text));
        cat([Doc::text(key), self.expr(&arg.value)])
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Doc {
        let end = expr.span.end.saturating_sub(1);
        match &expr.kind {
            ExprKind::Text(text) => Doc::text(quoted(text)),
            ExprKind::List(items) => self.list_of(items, Some(end)),
            ExprKind::Range(first, last) => cat([self.expr(first), Doc::text(".."), self.expr(last)]),
            ExprKind::Group(chain) => {
                self.bracketed(ROUND.until(end), &[chain], |c| c.span.start, |f, c| f.chain(c))
            }
            ExprKind::If { .. } => self.choice(expr).group(),
            ExprKind::Unary { op, of } => {
                let sign = if *op == UnaryOp::Neg { "-" } else { "not " };
                cat([Doc::text(sign), self.expr(of)])
            }
            ExprKind::Binary { op: BinaryOp::Pow, left, right, .. } => {
                cat([self.expr(left), Doc::text("^"), self.expr(right)])
            }
            ExprKind::Binary { op, left, right, .. } => {
                cat([self.expr(left), Doc::text(format!(" {}", op.sign())), self.part(right)])
            }
            ExprKind::Call { callee, args } => {
                let callee = self.expr(callee);
                let args = self.bracketed(ROUND.until(end), args, |arg| arg.span.start, Self::arg);
                cat([callee, args])
            }
            ExprKind::Index { base, index } => {
                let base = self.expr(base);
                let index = self.bracketed(SQUARE.until(end), &[index], |i| i.span.start, |f, i| f.expr(i));
                cat([base, index])
            }
            ExprKind::Member { base, name } => cat([self.expr(base), Doc::text(format!(".{}", name.text))]),
            // Numbers keep their spelling, as in `20_000`.
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Percent(_)
            | ExprKind::Size(_)
            | ExprKind::Bool(_)
            | ExprKind::It
            | ExprKind::Training
            | ExprKind::Name(_) => Doc::text(self.slice(expr.span)),
        }
    }

    /// `if c then a else b` on one line, or each part on a line of its own.
    fn choice(&mut self, expr: &Expr) -> Doc {
        let ExprKind::If { cond, then, otherwise } = &expr.kind else {
            let gap = self.gap(expr.span.start, Doc::Line);
            return cat([gap, self.expr(expr)]).nest();
        };
        let cond = cat([Doc::text("if "), self.expr(cond), Doc::text(" then")]);
        let gap = self.gap(then.span.start, Doc::Line);
        let then = cat([gap, self.expr(then)]).nest();
        let before = if matches!(otherwise.kind, ExprKind::If { .. }) { "else " } else { "else" };
        cat([cond, then, Doc::Line, Doc::text(before), self.choice(otherwise)])
    }

    /// What follows an operator: on the next line, if it does not fit on this one.
    fn part(&mut self, expr: &Expr) -> Doc {
        let gap = self.gap(expr.span.start, Doc::Line);
        cat([gap, self.expr(expr)]).nest().group()
    }

    /// `[a, b]`; `end` is where the bracket closes, if that is known.
    pub(super) fn list_of(&mut self, items: &[Expr], end: Option<u32>) -> Doc {
        let bracket = Bracket { end, fill: items.iter().all(is_plain), ..SQUARE };
        self.bracketed(bracket, items, |item| item.span.start, Self::expr)
    }

    /// Items between brackets: on one line, or indented on lines of their own.
    pub(super) fn bracketed<T>(
        &mut self,
        bracket: Bracket,
        items: &[T],
        start: impl Fn(&T) -> u32,
        item: impl FnMut(&mut Self, &T) -> Doc,
    ) -> Doc {
        let (open, close) = (Doc::text(bracket.open), Doc::text(bracket.close));
        let end = bracket.end.unwrap_or(0);
        let Some(first) = items.first() else {
            return cat([open, self.gap(end, Doc::nil()), close]);
        };
        let before = self.gap(start(first), Doc::Soft);
        let inner = cat([before, self.separated(items, bracket.fill, start, item)]).nest();
        cat([open, inner, self.gap(end, Doc::Soft), close]).group()
    }

    /// `a, b`
    fn separated<T>(
        &mut self,
        items: &[T],
        fill: bool,
        start: impl Fn(&T) -> u32,
        mut item: impl FnMut(&mut Self, &T) -> Doc,
    ) -> Doc {
        let mut docs = Vec::new();
        for one in items {
            if docs.is_empty() {
                docs.push(item(self, one));
                continue;
            }
            docs.push(Doc::text(","));
            let part = cat([self.gap(start(one), Doc::Line), item(self, one)]);
            docs.push(if fill { part.group() } else { part });
        }
        cat(docs)
    }
}

/// A text between quotes.
pub(super) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{escaped}\"")
}

/// Whether an expression can be the argument of a step without brackets.
fn is_argument(expr: &Expr, has_key: bool) -> bool {
    match &expr.kind {
        ExprKind::If { .. } | ExprKind::Binary { .. } | ExprKind::Unary { op: UnaryOp::Not, .. } => false,
        ExprKind::Unary { of, .. } => has_key && is_argument(of, false),
        _ => true,
    }
}

/// Whether an expression is a single word, of which many go on a line.
fn is_plain(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Unary { op: UnaryOp::Neg, of } => is_plain(of),
        ExprKind::List(_)
        | ExprKind::Range(..)
        | ExprKind::Group(_)
        | ExprKind::If { .. }
        | ExprKind::Unary { .. }
        | ExprKind::Binary { .. }
        | ExprKind::Call { .. }
        | ExprKind::Index { .. }
        | ExprKind::Member { .. } => false,
        _ => true,
    }
}
