//! Settings that are written as other languages write values: `epochs = 500`, `optimizer = Adam(lr=0.01)`.

use crate::elaborate::elab::Elab;
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Value};
use nnc_syntax::ast::{Arg, BinaryOp, Chain, Expr, ExprKind, Link, Name};
use nnc_syntax::{Code, Diagnostic, Head, Span, foreign};

impl Elab<'_> {
    /// `epochs = 500`, `optimizer = "adam"`, where a tensor may be called `epochs`, but this is none.
    pub fn setting_with_equals(&self, frame: &Frame, name: &Name, chain: &Chain) -> Option<Diagnostic> {
        let head = Head::of(&name.text)?;
        let [Link::Exprs(exprs)] = &chain.links[..] else { return None };
        let [value] = &exprs[..] else { return None };
        let words = match head {
            Head::Data | Head::Valid | Head::Test => match &value.kind {
                ExprKind::Text(_) => self.session.sources.slice(value.span).to_string(),
                _ => return None,
            },
            Head::Split => format!("valid={}", self.share(value)?),
            _ if head.is_training() => self.setting_words(frame, value)?,
            _ => return None,
        };
        let between = Span { start: name.span.end, end: value.span.start, ..name.span };
        let whole = Span { start: name.span.end, ..value.span };
        let d = self
            .error(
                Code::N0220,
                format!("the setting `{}` is written without `=`", name.text),
                between,
                "no `=` here",
            )
            .help(format!("{} {words}", name.text))
            .fix(whole, format!(" {words}"), true);
        Some(d)
    }

    /// Whether a chain is one word, text or number that is no tensor.
    pub fn is_setting_value(&self, frame: &Frame, chain: &Chain) -> bool {
        let [Link::Exprs(exprs)] = &chain.links[..] else { return false };
        let [value] = &exprs[..] else { return false };
        self.setting_words(frame, value).is_some()
    }

    /// How a value is written behind the word of a setting; `None` where it may be a tensor.
    fn setting_words(&self, frame: &Frame, value: &Expr) -> Option<String> {
        let text = self.session.sources.slice(value.span);
        match &value.kind {
            ExprKind::Int(_) | ExprKind::Float(_) => Some(text.to_string()),
            ExprKind::Text(name) if is_word(name) => Some(ours(name).to_string()),
            ExprKind::Name(name) => self.is_choice(frame, name).then(|| ours(name).to_string()),
            ExprKind::List(items) if !items.is_empty() => {
                let words: Option<Vec<String>> =
                    items.iter().map(|item| self.setting_words(frame, item)).collect();
                words.map(|words| words.join(" "))
            }
            ExprKind::Call { callee, args } => match &callee.kind {
                ExprKind::Name(name) if self.is_rule(ours(name)) => {
                    let args = args.iter().map(|arg| self.argument(arg));
                    Some(std::iter::once(ours(name).to_string()).chain(args).collect::<Vec<_>>().join(" "))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a name is known and no tensor, or a choice that another library names so.
    fn is_choice(&self, frame: &Frame, name: &str) -> bool {
        match self.lookup(frame, name) {
            Some(Value::Tensor(_) | Value::Poison | Value::Several(_)) => false,
            Some(_) => true,
            None => {
                self.is_rule(ours(name)) || ours(name) != name && self.lookup(frame, ours(name)).is_some()
            }
        }
    }

    fn is_rule(&self, name: &str) -> bool {
        matches!(self.scope.globals.defs.get(name), Some(Def::Rule(_)))
    }

    /// `learning_rate=0.01` as `lr=0.01`
    fn argument(&self, arg: &Arg) -> String {
        let value = self.session.sources.slice(arg.value.span);
        match &arg.key {
            Some(key) => format!("{}={value}", ours(&key.text)),
            None => value.to_string(),
        }
    }

    /// `20%`, `0.2`, `80/20`
    fn share(&self, value: &Expr) -> Option<String> {
        match &value.kind {
            ExprKind::Float(x) if (0.0..1.0).contains(x) => {
                Some(self.session.sources.slice(value.span).to_string())
            }
            ExprKind::Binary { op: BinaryOp::Div, left, right, .. } => match (&left.kind, &right.kind) {
                (ExprKind::Int(a), ExprKind::Int(b)) if *a > 0 && *b > 0 => {
                    let share = 100.0 * *b as f64 / (*a as f64 + *b as f64);
                    Some(format!("{}%", (share * 100.0).round() / 100.0))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a name of another library is called here.
fn ours(name: &str) -> &str {
    foreign::NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
