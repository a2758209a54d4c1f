//! What definitions say about themselves behind `with`: `fn mse(y, target) with better=lower = …`.
//!
//! Whatever the compiler must know of a function of the prelude beyond its mathematics stands there, so that no name
//! of the prelude stands in Rust, and a program's own definitions can say the same.

use crate::suggest::{certain, nearest};
use nnc_syntax::ast::{Attribute, Program, StmtKind};
use nnc_syntax::{Code, Diagnostic};

/// Which way a figure gets better.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Better {
    /// A smaller value is better, as for a loss.
    Lower,
    /// A larger value is better, as for an accuracy.
    Higher,
}

/// The numbers that a function gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Range {
    /// All of them.
    Any,
    /// 0 or more.
    Positive,
    /// -1 to 1.
    Signed,
    /// 0 to 1, each on its own.
    Unit,
    /// Shares of 1 along the last axis: the probabilities of classes that exclude each other.
    Shares,
    /// The logarithms of such shares.
    LogShares,
}

/// What kind of answer a loss or metric judges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    /// Numbers of any size.
    Numbers,
    /// Yes or no, each output on its own.
    YesNo,
    /// One of several classes.
    Classes,
}

/// The targets that a loss or metric is made for, where not every number is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// Shares of classes, which sum to 1.
    Shares,
    /// 0 to 1.
    Unit,
    /// 0 or 1.
    YesNo,
    /// 0 or more.
    Positive,
    /// -1 or 1, or 0 or 1.
    Sides,
    /// Anything but 0.
    NoZero,
}

/// What a definition is the usual choice as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Usual {
    /// The loss for its task.
    Loss,
    /// The metric for its task.
    Metric,
    /// The optimizer where a program names none.
    Optimizer,
}

/// What of a scaled target a metric needs to be told in the units of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Units {
    /// How far numbers are from each other: where they begin does not matter.
    Differences,
    /// The numbers themselves.
    Values,
    /// The numbers themselves; the output has several parts along its last axis, each like the target.
    Levels,
    /// The numbers themselves; the output is their mean and the logarithm of their variance.
    Law,
    /// Nothing: it is the same of scaled numbers.
    Same,
}

/// What finds the next weights of all of them together, where a rule of one weight cannot say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Solver {
    /// A quasi-Newton direction from the last gradients, and a line search along it.
    Lbfgs,
}

/// The attributes of one definition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Attributes {
    pub better: Option<Better>,
    pub range: Option<Range>,
    pub task: Option<Task>,
    pub usual: Option<Usual>,
    /// The activation whose result a loss takes.
    pub after: Option<String>,
    /// What a metric is told of, where the target is scaled.
    pub units: Option<Units>,
    /// The targets it is made for.
    pub target: Option<Wanted>,
    /// Who computes the step of an optimizer that no rule can say.
    pub solver: Option<Solver>,
}

/// Every attribute with the words it may have; none where it takes the name of a function.
const KNOWN: &[(&str, &[&str])] = &[
    ("better", &["lower", "higher"]),
    ("range", &["any", "positive", "signed", "unit", "shares", "log_shares"]),
    ("task", &["numbers", "yes_no", "classes"]),
    ("usual", &["loss", "metric", "optimizer"]),
    ("after", &[]),
    ("units", &["differences", "values", "levels", "law", "same"]),
    ("target", &["shares", "unit", "yes_no", "positive", "sides", "no_zero"]),
    ("solver", &["quasi_newton"]),
];

impl Attributes {
    /// What a list says; words that mean nothing are reported by [`check`].
    pub fn of(list: &[Attribute]) -> Self {
        let mut out = Self::default();
        for Attribute { name, value } in list {
            match (name.text.as_str(), value.text.as_str()) {
                ("better", "lower") => out.better = Some(Better::Lower),
                ("better", "higher") => out.better = Some(Better::Higher),
                ("range", "any") => out.range = Some(Range::Any),
                ("range", "positive") => out.range = Some(Range::Positive),
                ("range", "signed") => out.range = Some(Range::Signed),
                ("range", "unit") => out.range = Some(Range::Unit),
                ("range", "shares") => out.range = Some(Range::Shares),
                ("range", "log_shares") => out.range = Some(Range::LogShares),
                ("task", "numbers") => out.task = Some(Task::Numbers),
                ("task", "yes_no") => out.task = Some(Task::YesNo),
                ("task", "classes") => out.task = Some(Task::Classes),
                ("usual", "loss") => out.usual = Some(Usual::Loss),
                ("usual", "metric") => out.usual = Some(Usual::Metric),
                ("usual", "optimizer") => out.usual = Some(Usual::Optimizer),
                ("target", "shares") => out.target = Some(Wanted::Shares),
                ("target", "unit") => out.target = Some(Wanted::Unit),
                ("target", "yes_no") => out.target = Some(Wanted::YesNo),
                ("target", "positive") => out.target = Some(Wanted::Positive),
                ("target", "sides") => out.target = Some(Wanted::Sides),
                ("target", "no_zero") => out.target = Some(Wanted::NoZero),
                ("units", "differences") => out.units = Some(Units::Differences),
                ("units", "values") => out.units = Some(Units::Values),
                ("units", "levels") => out.units = Some(Units::Levels),
                ("units", "law") => out.units = Some(Units::Law),
                ("units", "same") => out.units = Some(Units::Same),
                ("solver", "quasi_newton") => out.solver = Some(Solver::Lbfgs),
                ("after", function) => out.after = Some(function.to_string()),
                _ => {}
            }
        }
        out
    }
}

/// Reports attributes that mean nothing, and those that are given twice.
#[allow(clippy::wildcard_enum_match_arm, reason = "other statements have no attributes")]
pub(crate) fn check(program: &Program, diagnostics: &mut Vec<Diagnostic>) {
    for stmt in &program.stmts {
        let (name, list) = match &stmt.kind {
            StmtKind::Fn(def) => (&def.name, &def.attributes),
            StmtKind::Layer(def) => (&def.name, &def.attributes),
            StmtKind::Rule(def) => (&def.name, &def.attributes),
            StmtKind::Init(def) => (&def.name, &def.attributes),
            _ => continue,
        };
        for (i, attribute) in list.iter().enumerate() {
            if list[..i].iter().any(|a| a.name.text == attribute.name.text) {
                let message = format!("`{}` says twice what is `{}`", name.text, attribute.name.text);
                let d = Diagnostic::error(Code::N0203, message).label(attribute.name.span, "again here");
                diagnostics.push(d);
            } else {
                diagnostics.extend(unknown(attribute));
            }
        }
    }
}

fn unknown(attribute: &Attribute) -> Option<Diagnostic> {
    let Attribute { name, value } = attribute;
    let Some((_, words)) = KNOWN.iter().find(|(known, _)| *known == name.text) else {
        let known: Vec<&str> = KNOWN.iter().map(|(known, _)| *known).collect();
        let near = nearest(&name.text, &known);
        let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
        let d = Diagnostic::error(Code::N0203, format!("there is no attribute `{}`", name.text))
            .label(name.span, label)
            .help(format!("attributes are {}", known.join(", ")));
        return Some(match near {
            Some(n) => d.fix(name.span, n, certain(&name.text, &known) == Some(n)),
            None => d,
        });
    };
    if words.is_empty() || words.contains(&value.text.as_str()) {
        return None;
    }
    let near = nearest(&value.text, words);
    let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
    let message = format!("`{}` is one of {}, and `{}` is not", name.text, words.join(", "), value.text);
    let d = Diagnostic::error(Code::N0205, message).label(value.span, label);
    Some(match near {
        Some(n) => d.fix(value.span, n, certain(&value.text, words) == Some(n)),
        None => d,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_syntax::{SourceId, parse};

    /// Every word of the table means something, and nothing else does.
    #[test]
    fn each_known_word_says_something() {
        for (name, words) in KNOWN {
            for value in words.iter().chain(&["sigmoid"][usize::from(!words.is_empty())..]) {
                let text = format!("fn f(x) with {name}={value} = x");
                let program = parse(&text, SourceId::default()).program;
                let StmtKind::Fn(def) = &program.stmts[0].kind else { panic!("{text}") };
                assert_ne!(Attributes::of(&def.attributes), Attributes::default(), "{text}");
                let mut found = Vec::new();
                check(&program, &mut found);
                assert!(found.is_empty(), "{text}: {found:?}");
            }
        }
        for text in ["fn f(x) with bettr=lower = x", "fn f(x) with better=smaller = x"] {
            let mut found = Vec::new();
            check(&parse(text, SourceId::default()).program, &mut found);
            assert_eq!(found.len(), 1, "{text}");
        }
    }
}
