//! Figures that a program asks for: each must be in the history of its training.

use crate::declarations::settings::{Condition, Expectation, Named, StopRule};
use crate::elaborate::elab::Elab;
use crate::elaborate::value::Def;
use crate::suggest::nearest;
use nnc_syntax::ast::ExprKind;
use nnc_syntax::{Code, Diagnostic, Span};

impl Elab<'_> {
    /// The figures of a condition, with their places in its text.
    fn places_of(&self, condition: &Condition, span: Span) -> Vec<(String, Span)> {
        let figures = condition.figures().into_iter();
        figures.map(|f| (f.to_string(), self.session.word_in(span, f))).collect()
    }

    /// Checks that every figure that is asked for will be in the history.
    pub(crate) fn check_figures(&mut self, has_valid: bool) {
        let mut known: Vec<String> = vec!["loss".into()];
        known.extend(self.results.top.metrics.iter().map(|m| m.name.clone()));
        let plain = known.clone();
        if has_valid {
            known.extend(plain.iter().map(|k| format!("val_{k}")));
        }
        let mut asked: Vec<(String, Span)> = Vec::new();
        for rule in &self.results.top.settings.stop {
            match rule {
                StopRule::Stalls { metric, span, .. } => asked.push((metric.clone(), *span)),
                StopRule::Holds { condition, span } => {
                    asked.extend(self.places_of(condition, *span));
                }
            }
        }
        let has_test = self.results.top.has_test || self.results.top.settings.split.test > 0.0;
        for e in &self.results.top.settings.expect.clone() {
            if self.asks_for_test(e, has_test, &plain) {
                continue;
            }
            let figures = self.places_of(&e.condition, e.span);
            asked.extend(figures.into_iter().filter(|(f, _)| !(has_test && of_test(f, &plain))));
        }
        asked.extend(self.watched());
        for (name, span) in asked {
            if known.contains(&name) {
                continue;
            }
            let words: Vec<&str> = known.iter().map(String::as_str).collect();
            let near = nearest(&name, &words);
            let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
            let mut d =
                Diagnostic::error(Code::N0410, format!("no figure is called `{name}`")).label(span, label);
            d = d.cause(format!("figures here: {}", known.join(", ")));
            if name.starts_with("val_") && !has_valid && plain.iter().any(|p| name == format!("val_{p}")) {
                d = d.help("there is no validation data: add `split valid=15%` or `valid \"file.csv\"`");
            } else if near.is_none() {
                d = d.help(format!("to have it, ask for it: metrics {name}"));
            }
            self.session.diagnostics.push(d);
        }
    }

    /// The figures that `schedule plateau watch=` and `save best=` wait to get better, with their places.
    fn watched(&self) -> Vec<(String, Span)> {
        let watches = |named: &&Named| match self.scope.globals.defs.get(&named.name.text) {
            Some(Def::Fn(def)) => def.params.iter().any(|p| p.name.text == "watch"),
            _ => false,
        };
        let top = &self.results.top;
        let mut out = Vec::new();
        if let Some(named) = top.schedule.as_ref().filter(watches)
            && let Some(arg) = named.args.iter().find(|a| a.key.as_ref().is_some_and(|k| k.text == "watch"))
            && let ExprKind::Text(figure) = &arg.value.kind
        {
            out.push((figure.to_string(), arg.span));
        }
        if let Some(metric) = &top.settings.save_best {
            out.push((metric.clone(), top.best_at.unwrap_or(self.session.here)));
        }
        out
    }

    /// Checks that it is said of every figure that is to get better which way that is; once the metrics are built.
    pub(crate) fn check_directions(&mut self) {
        let stalls = self.results.top.settings.stop.iter().filter_map(|rule| match rule {
            StopRule::Stalls { metric, span, .. } => Some((metric.clone(), *span)),
            StopRule::Holds { .. } => None,
        });
        let asked: Vec<(String, Span)> = stalls.chain(self.watched()).collect();
        let mut reported = Vec::new();
        for (figure, span) in asked {
            let own = |name: &str| self.results.top.metrics.iter().find(|m| m.name == name);
            let metric = own(&figure).or_else(|| own(figure.strip_prefix("val_")?));
            let Some(metric) = metric.filter(|m| m.better.is_none() && !reported.contains(&m.name)) else {
                continue;
            };
            let name = metric.name.clone();
            let d = Diagnostic::error(Code::N0417, format!("it is not said which way `{name}` gets better"))
                .label(span, "this waits for a better value")
                .label(metric.span, "lower or higher?")
                .help(format!("its function says it: fn {name}(y, target) with better=lower = …"));
            self.session.diagnostics.push(d);
            reported.push(name);
        }
    }

    /// An expectation of the test, `expect test_accuracy >= 97%`, needs test data and is about the end of the
    /// training; whether a mistake was told.
    fn asks_for_test(&mut self, e: &Expectation, has_test: bool, plain: &[String]) -> bool {
        let figures = e.condition.figures();
        let Some(figure) = figures.iter().find(|f| of_test(f, plain)) else { return false };
        let d = Diagnostic::error(Code::N0410, format!("no figure is called `{figure}` here"));
        let d = if !has_test {
            d.label(e.span, "there is no test data").help("add `split test=15%` or `test \"file.csv\"`")
        } else if e.within_epochs.is_some() || e.within_steps.is_some() {
            d.label(e.span, "the test is made once, after the training").help("leave out `within`")
        } else {
            return false;
        };
        self.session.diagnostics.push(d);
        true
    }
}

/// Whether a figure is one of the test, `test_accuracy`.
fn of_test(figure: &str, plain: &[String]) -> bool {
    figure.strip_prefix("test_").is_some_and(|f| plain.iter().any(|p| p == f))
}
