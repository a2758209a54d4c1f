//! What a loss or metric of the library is made for, and what it is given: checked where it is called, whatever
//! stands around the call.

use crate::declarations::attributes::{Attributes, Range, Task, Usual, Wanted};
use crate::declarations::data::{Domain, Port};
use crate::elaborate::builtins;
use crate::elaborate::elab::{Elab, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Tensor, Value};
use nnc_graph::{Binary, Elementwise, Movement, NodeId, Prim, Role};
use nnc_syntax::ast::FnDef;
use nnc_syntax::{Code, Diagnostic, Span};

impl Elab<'_> {
    /// Looks at a call of a function of the library that a program makes: whether the output is what the function
    /// takes, and the target, whose values are known, what it is made for.
    pub(crate) fn fits_its_use(
        &mut self,
        frame: &Frame,
        def: &FnDef,
        values: &[Value],
        span: Span,
    ) -> Result<(), Stop> {
        let attributes = Attributes::of(&def.attributes);
        let name = def.name.text.as_str();
        if let Some(Value::Tensor(output)) = values.first() {
            self.one_of_one(name, &attributes, output, span)?;
        }
        if !self.session.training {
            return Ok(());
        }
        let target = match values.get(1) {
            Some(Value::Tensor(t)) => self.port_of(t),
            _ => None,
        };
        let domain = target.as_ref().filter(|p| p.classes.is_none()).and_then(|p| self.domain_of(p));
        // What is known of a scaled target says nothing about its numbers in the file.
        let scaled =
            matches!(values.get(1), Some(Value::Tensor(t)) if self.results.units.contains_key(&t.node));
        let unscaled = scaled && attributes.units.is_some() && self.results.measuring.is_some();
        let domain = domain.filter(|_| !unscaled);
        if let Some(Value::Tensor(output)) = values.first() {
            self.yes_no_of_shares(name, &attributes, output, span);
            let last = matches!(&frame.it, Some(Value::Tensor(t)) if t.node == output.node);
            self.no_probability(name, &attributes, output, domain, last, span);
        }
        if let (Some(wanted), Some(domain), Some(port)) = (attributes.target, domain, &target) {
            let given = values.first().and_then(|v| match v {
                Value::Tensor(t) => Some(t.clone()),
                _ => None,
            });
            self.outside(name, &attributes, wanted, &domain, port, given.as_ref(), span);
        }
        Ok(())
    }

    /// Adds a diagnostic that is not told yet.
    fn tell(&mut self, d: Diagnostic) {
        let place = |d: &Diagnostic| d.labels.first().map(|l| l.span);
        let same = |k: &Diagnostic| k.code == d.code && k.message == d.message && place(k) == place(&d);
        if !self.session.diagnostics.iter().any(same) {
            self.session.diagnostics.push(d);
        }
    }

    /// The column or columns that a tensor is, unchanged.
    pub(crate) fn port_of(&self, t: &Tensor) -> Option<Port> {
        let graph = self.b.graph();
        let mut node = t.node;
        while let Prim::Elementwise(Elementwise::Convert) = graph.node(node).prim {
            node = *graph.operands(node).first()?;
        }
        let (role, name) = graph.node(node).prim.parameter()?;
        let ports = &self.session.ports;
        let list = match role {
            Role::Input => &ports.inputs,
            Role::Target => &ports.targets,
            _ => return None,
        };
        list.iter().find(|p| *p.name == **name).cloned()
    }

    /// The column or columns whose numbers a tensor holds: as they are, in other places, or with its padding made 0.
    /// All of these leave classes what they are.
    pub(crate) fn port_behind(&self, t: &Tensor) -> Option<Port> {
        let graph = self.b.graph();
        let moved = |mut node: NodeId| loop {
            node = match &graph.node(node).prim {
                Prim::Elementwise(Elementwise::Convert) => graph.operands(node)[0],
                Prim::Movement(m) if !matches!(m, Movement::Concatenate { .. } | Movement::Pad { .. }) => {
                    graph.operands(node)[0]
                }
                _ => return node,
            }
        };
        let mut node = moved(t.node);
        let there = t.mask.map(moved).and_then(|mask| match &graph.node(mask).prim {
            Prim::Elementwise(Elementwise::Compare(_)) => Some(moved(graph.operands(mask)[0])),
            _ => None,
        });
        if let (Prim::Elementwise(Elementwise::Binary(Binary::Multiply)), Some(there)) =
            (&graph.node(node).prim, there)
            && let [numbers, mask] = graph.operands(node)[..]
            && moved(mask) == there
        {
            node = moved(numbers);
        }
        self.port_of(&Tensor { node, ..t.clone() })
    }

    /// What the values of a port are, where that is known.
    pub(crate) fn domain_of(&self, port: &Port) -> Option<Domain> {
        self.session.ports.domains.get(&port.name).copied()
    }

    /// The numbers that a tensor can hold, as far as what made it, or the data, says so.
    pub(crate) fn range(&self, t: &Tensor) -> Option<Range> {
        if let Some(call) = self.results.maker(t) {
            return call.range;
        }
        match self.port_of(t) {
            Some(port) => self.domain_of(&port).map(|d| match d.low >= 0.0 && d.high <= 1.0 {
                true if d.shares => Range::Shares,
                true => Range::Unit,
                false => Range::Any,
            }),
            None => Some(Range::Any),
        }
    }

    /// The numbers that a function gives.
    fn range_of(&self, name: &str) -> Option<Range> {
        let said = self.scope.globals.defs.get(name).map(|def| def.attributes().range);
        said.unwrap_or_else(|| builtins::range(name))
    }

    /// The usual loss or metric for a task.
    pub(crate) fn usual(&self, task: Task, what: Usual) -> String {
        let fits = |def: &Def| {
            let Attributes { task: of, usual, .. } = def.attributes();
            of == Some(task) && usual == Some(what)
        };
        let mut library = self.scope.globals.library.iter();
        library.find(|(_, def)| fits(def)).map_or(String::new(), |(name, _)| name.clone())
    }

    /// A choice among classes where the output is one number.
    fn one_of_one(
        &mut self,
        name: &str,
        attributes: &Attributes,
        output: &Tensor,
        span: Span,
    ) -> Result<(), Stop> {
        let width = output.axes.last().map_or(1, |a| a.size);
        if attributes.task != Some(Task::Classes) || width != 1 {
            return Ok(());
        }
        let classes = self.session.ports.targets.iter().find_map(|p| p.classes.as_ref().map(Vec::len));
        let what = if attributes.usual == Some(Usual::Metric) { Usual::Metric } else { Usual::Loss };
        let instead = self.usual(Task::YesNo, what);
        let d = self
            .error(
                Code::N0414,
                format!("`{name}` chooses among classes, and the output is one number"),
                self.name_in(name, span),
                "the largest of one number is always that number",
            )
            .help(match classes.filter(|k| *k > 2) {
                Some(k) => format!("for the {k} classes of the target: dense {k} softmax"),
                None => format!("for yes or no: {instead}"),
            });
        let place = self.name_in(name, span);
        let d = if classes.is_none_or(|k| k <= 2) { d.fix(place, instead, false) } else { d };
        Err(Stop::Error(Box::new(d)))
    }

    /// The name of a function in the words that call it.
    fn name_in(&self, name: &str, span: Span) -> Span {
        match self.session.sources.slice(span).starts_with(name) && self.is_user(span) {
            true => Span { end: span.start + name.len() as u32, ..span },
            false => span,
        }
    }

    /// A metric for yes or no that is given the shares of classes.
    fn yes_no_of_shares(&mut self, name: &str, attributes: &Attributes, output: &Tensor, span: Span) {
        let width = output.axes.last().map_or(1, |a| a.size);
        let metric = attributes.task == Some(Task::YesNo) && attributes.usual == Some(Usual::Metric);
        if !metric || width < 2 || self.range(output) != Some(Range::Shares) {
            return;
        }
        let instead = self.usual(Task::Classes, Usual::Metric);
        let place = self.name_in(name, span);
        let d = Diagnostic::warning(Code::N0414, format!("`{name}` counts every output on its own"))
            .label(place, format!("of {width} probabilities, most are rightly below one half"))
            .help(format!("{instead} counts the samples whose largest output is the right class"));
        self.tell(d.fix(place, instead, false));
    }

    /// A crossentropy of something that is no probability. What the target is decides about the remedy.
    #[allow(clippy::too_many_arguments)]
    fn no_probability(
        &mut self,
        name: &str,
        attributes: &Attributes,
        output: &Tensor,
        target: Option<Domain>,
        last: bool,
        span: Span,
    ) {
        let Some(wanted) = &attributes.after else { return };
        let width = output.axes.last().map_or(1, |a| a.size);
        let made = self.results.maker(output).map_or("", |call| call.name.as_str());
        let made = made.strip_prefix("own ").unwrap_or(made).to_string();
        let given = self.range(output);
        let shares = self.range_of(wanted) == Some(Range::Shares);
        // Several answers of yes or no, which do not exclude each other.
        let each = shares && target.is_some_and(|d| d.binary && !d.shares && width > 1);
        let (yes_no, sigmoid) = self.yes_no();
        let row = self.results.layers.last().map(|r| r.span).filter(|_| last);
        let outside = match given {
            Some(Range::Any) if !last => Some("this can be any number".to_string()),
            Some(Range::Any) => Some("the last layer gives any number".to_string()),
            Some(Range::Positive) => Some(format!("`{made}` gives 0 or more")),
            Some(Range::Signed) => Some(format!("`{made}` gives -1 to 1")),
            Some(Range::LogShares) => Some(format!("`{made}` gives their logarithms")),
            Some(Range::Unit | Range::Shares) | None => None,
        };
        let here = if self.is_user(span) { span } else { self.session.here };
        if let Some(how) = outside {
            let mut d = Diagnostic::error(Code::N0408, format!("`{name}` needs probabilities, and {how}"))
                .label(here, "takes the logarithm of the output");
            if let Some(span) = row {
                d = d.label(span, "the output is made here");
                // A last layer without any activation: the one that the loss asks for is missing.
                let words = self.session.sources.slice(span);
                let bare =
                    words.strip_prefix("dense ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
                if bare && self.is_user(span) && !each {
                    let end = Span { start: span.end, ..span };
                    d = d.fix(end, format!(" {wanted}"), true);
                }
            }
            self.tell(match each {
                true => d
                    .cause("the targets are 0 and 1, and a row can have several 1s: each is a question of its own")
                    .help(format!("end with a {sigmoid}: dense {width} {sigmoid}"))
                    .help(format!("and judge each output by itself: loss {yes_no}")),
                false => d.help(format!("end with a {wanted}: dense {width} {wanted}")),
            });
        } else if given == Some(Range::Unit) && shares {
            let mut d = Diagnostic::warning(
                Code::N0408,
                format!("`{name}` of a {made}: the outputs do not sum to 1"),
            )
            .label(here, "compares probabilities of classes that exclude each other");
            if let Some(span) = row {
                d = d.label(span, "each output on its own here");
            }
            let one_of = format!("end with a {wanted}: dense {width} {wanted}");
            let d = match target {
                _ if each => {
                    let place = self.name_in(name, span);
                    let named = self.is_user(place) && self.session.sources.slice(place) == name;
                    let d = d
                        .cause("the targets are 0 and 1, and a row can have several 1s: each is a question of its own")
                        .help(format!("judge each output by itself: loss {yes_no}"));
                    if named { d.fix(place, yes_no, true) } else { d }
                }
                // Each row is one class: a class column, or rows with one 1.
                Some(_) => d.help(one_of),
                None if self.session.ports.targets.iter().any(|p| p.classes.is_some()) => d.help(one_of),
                None => d
                    .help(format!("for classes that exclude each other: dense {width} {wanted}"))
                    .help(format!("for answers that do not: loss {yes_no}")),
            };
            self.tell(d);
        }
    }

    /// The usual loss for yes or no, and the activation before it.
    fn yes_no(&self) -> (String, String) {
        let loss = self.usual(Task::YesNo, Usual::Loss);
        let after = self.scope.globals.library.get(&loss).and_then(|def| def.attributes().after);
        (loss, after.unwrap_or_default())
    }

    /// A target whose values are not what a function is made for.
    #[allow(clippy::too_many_arguments)]
    fn outside(
        &mut self,
        name: &str,
        attributes: &Attributes,
        wanted: Wanted,
        d: &Domain,
        port: &Port,
        output: Option<&Tensor>,
        span: Span,
    ) {
        let is_metric = attributes.better == Some(crate::declarations::attributes::Better::Higher)
            || attributes.usual == Some(Usual::Metric);
        let word = if is_metric { "metrics" } else { "loss" };
        let file = self.in_the_file(port, d);
        let (low, high) = file.unwrap_or((d.low, d.high));
        let mut values = match low == high {
            true => format!("is always {}", plain(low)),
            false => format!("has values from {} to {}", plain(low), plain(high)),
        };
        if file.is_some() {
            values += &format!(", which are scaled to {} to {}", plain(d.low), plain(d.high));
        }
        let here = if self.is_user(span) { span } else { self.session.here };
        let numbers = if is_metric { "metrics mae rmse" } else { "loss mse" };
        let error = |what: &str| {
            Diagnostic::error(Code::N0418, format!("`{name}` {what}, and `{}` {values}", port.name))
                .label(here, "")
        };
        let unit = d.low >= 0.0 && d.high <= 1.0;
        let same = output.and_then(|t| t.axes.last()).map(|a| a.size) == port.shape.last().copied();
        if wanted == Wanted::Shares && !(same && port.shape.last() > Some(&1)) {
            return; // These are no shares of the output's classes, which is told of where shapes are compared.
        }
        let found = match wanted {
            Wanted::Shares if !unit => {
                Some(error("compares shares of classes, from 0 to 1").help(format!("for numbers: {numbers}")))
            }
            Wanted::Shares if !d.shares => {
                let (yes_no, sigmoid) = self.yes_no();
                let metric = self.usual(Task::YesNo, Usual::Metric);
                let width = port.shape.last().copied().unwrap_or(1);
                let softmax = output.and_then(|t| self.range(t)) == Some(Range::Shares);
                let w = Diagnostic::warning(
                    Code::N0418,
                    format!(
                        "`{name}` takes one class to be right, and the rows of `{}` do not sum to 1",
                        port.name
                    ),
                )
                .label(here, "compares shares of classes that exclude each other");
                let w = match (d.binary, is_metric) {
                    (true, true) => w.help(format!("where several can be right: metrics {metric}")),
                    (true, false) if softmax => w.help(format!(
                        "where several can be right: dense {width} {sigmoid}, then loss {yes_no}"
                    )),
                    // A sigmoid before it is told of by itself.
                    (true, false) => return,
                    (false, _) => w.help(format!("for numbers: {numbers}")),
                };
                Some(w)
            }
            Wanted::Unit if !unit => {
                let e = error("takes targets from 0, no, to 1, yes");
                let e = if d.signs {
                    e.help("for -1 and 1: loss hinge, with a last layer without activation")
                } else {
                    e
                };
                let classes = d.whole && d.low >= 0.0 && d.high < 1000.0;
                let e = match classes {
                    true => {
                        e.help(format!("for class numbers: target {} category, then crossentropy", port.name))
                    }
                    false => e,
                };
                Some(e.help(format!("for numbers: {numbers}")))
            }
            Wanted::YesNo if !d.binary => {
                let e = error("counts answers that are yes or no, 1 or 0");
                Some(match unit {
                    true => e.cause("a share such as 0.3 is neither").help("for shares: metrics mae"),
                    false => e.help(format!("for numbers: {numbers}")),
                })
            }
            Wanted::Positive if d.low < 0.0 => {
                Some(error("takes targets from 0").help(format!("for numbers of any sign: {numbers}")))
            }
            Wanted::Sides if !d.signs => {
                Some(error("takes targets of -1 and 1, or 0 and 1").help(format!("for numbers: {numbers}")))
            }
            Wanted::NoZero if d.zeros > 0 => {
                let w = Diagnostic::warning(
                    Code::N0418,
                    format!("`{name}` divides by the target, and {} of its values are 0", d.zeros),
                )
                .label(here, "these count ten million times as much as others");
                Some(w.help(format!("{word} mae")))
            }
            _ => None,
        };
        if let Some(mut d) = found {
            // The numbers of the file are what is wanted; their scaling is what is wrong.
            let least = match wanted {
                Wanted::Shares | Wanted::Unit | Wanted::YesNo => Some((0.0, 1.0)),
                Wanted::Positive => Some((0.0, f64::INFINITY)),
                Wanted::Sides => Some((-1.0, 1.0)),
                Wanted::NoZero => None,
            };
            if file.is_some() && least.is_some_and(|(from, to)| low >= from && high <= to) {
                let rest = d.help.take();
                d = d.help(format!(
                    "leave `{}` unscaled: its numbers in the file are what is wanted",
                    port.name
                ));
                d = rest.into_iter().fold(d, Diagnostic::help);
            }
            self.tell(d);
        }
    }

    /// The smallest and the largest value of a scaled port as they stand in the file, where all of its columns have
    /// one scaling.
    fn in_the_file(&self, port: &Port, d: &Domain) -> Option<(f64, f64)> {
        let ports = &self.session.ports;
        let at = ports.targets.iter().position(|p| p.name == port.name)?;
        let units = ports.units.get(at)?;
        let first = units.first()?;
        if !units.iter().all(|u| u == first) {
            return None;
        }
        let back = |x: f64| {
            let x = x * first.over + first.minus;
            if first.log { x.exp() } else { x }
        };
        let (a, b) = (back(d.low), back(d.high));
        Some((a.min(b), a.max(b)))
    }
}

/// A number with few digits.
fn plain(x: f64) -> String {
    let rounded = format!("{x:.4e}").parse::<f64>().unwrap_or(x);
    format!("{rounded}")
}
