//! Where a NaN came from: the last steps run once more, with every value kept.

use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::execute::metrics;
use crate::execute::runner::{Runner, Runners, refused};
use crate::fit::augment::{Augment, feed};
use crate::fit::cause;
use crate::fit::pieces::Pieces;
use crate::fit::report::TrainOptions;
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_backend::{Layout, Options, Slice, State};
use nnc_graph::{Binary, Elementwise, Graph, Movement, NodeId, OutputKind, Prim, Role, passes};
use nnc_model::{Model, Spec};
use nnc_syntax::{Code, Diagnostic, Span};

/// Steps whose gradients are told.
const NORMS: u64 = 5;
/// How far an explanation goes back.
const MAX_HOPS: usize = 6;
/// From here on a number is worth mentioning.
const LARGE: f64 = 1e4;

/// One step of a replay.
struct At {
    epoch: u64,
    /// Its number, from 1 over the whole training.
    step: u64,
    /// Its rows in the order of the epoch.
    start: usize,
    end: usize,
}

/// Where a replay begins.
pub(crate) struct Snapshot {
    pub(crate) state: Box<dyn State>,
    /// The epoch that was about to begin.
    pub(crate) epoch: u64,
    /// The steps done before it.
    pub(crate) step: u64,
}

/// The steps since a snapshot, to be run once more.
pub(crate) struct Replay<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) model: &'a Model,
    pub(crate) options: &'a TrainOptions,
    pub(crate) layout: &'a dyn Layout,
    pub(crate) snapshot: &'a Snapshot,
    /// Becomes what it was at the steps that are run again.
    pub(crate) state: &'a mut dyn State,
    pub(crate) step: &'a mut Runners,
    pub(crate) augment: Option<&'a Augment>,
    /// Becomes the order of the epochs that are run again.
    pub(crate) order: &'a mut Vec<u32>,
    /// The epoch and the step that were the last.
    pub(crate) last: (u64, u64),
    /// The epoch and the step after which the present stage of the training began.
    pub(crate) begin: (u64, u64),
}

impl Replay<'_> {
    /// The problem of a loss, or a weight, that is no number any more.
    pub(crate) fn diverged(&mut self) -> Box<Problem> {
        let (epoch, step) = self.last;
        match self.explain() {
            Ok(d) => Problem::at(ProblemKind::Diverged, vec![d], &self.loaded.spec.sources),
            // The explanation needs more memory than the training did.
            Err(_) => Problem::new(
                ProblemKind::Diverged,
                cause::helps(headline(epoch, step, "no number"), None, ""),
            ),
        }
    }

    fn explain(&mut self) -> Outcome<Diagnostic> {
        let failed = self.find_step()?;
        let norms = self.gradients(&failed)?;
        self.replay(failed.step - 1, |_, _, _| Ok(()))?;
        let keep = Options { keep_all: true, ..Options::default() };
        // Without loops, so that a step of one is told by the line of its body.
        let graph = passes::sweep(&passes::unroll(&self.model.step));
        self.shuffle(failed.epoch);
        let mut state = self.state.snapshot();
        let pieces = Pieces::new(&self.model.settings);
        let mut found = None;
        for piece in pieces.of(failed.step, failed.start, failed.end) {
            let mut runner = self.extra(&graph, piece.end - piece.start, &keep)?;
            self.feed(&mut runner, &self.order[piece.start..piece.end], failed.epoch)?;
            pieces.tell(&mut *state, &piece, failed.end - failed.start, failed.step);
            runner.run(&mut *state, self.model.settings.seed, piece.key)?;
            let broken = runner.first_non_finite().is_some();
            found = Some(runner);
            if broken {
                break;
            }
        }
        let Some(runner) = found else { return Ok(headline(failed.epoch, failed.step, "no number")) };
        let explanation = Explanation { spec: &self.loaded.spec, graph: runner.graph(), runner: &runner };
        let (mut d, node) = explanation.diagnostic(failed.epoch, failed.step);
        if !norms.is_empty() {
            let norms: Vec<String> = norms.iter().map(|n| short(*n)).collect();
            let steps =
                if norms.len() == 1 { "last step".into() } else { format!("last {} steps", norms.len()) };
            d = d.cause(format!("size of the gradient, {steps}: {}", norms.join("  ")));
        }
        let why = node.and_then(|n| cause::cause(runner.graph(), &runner, n, &norms));
        let words = d.labels.first().map_or("", |l| self.loaded.spec.sources.slice(l.span));
        Ok(cause::helps(d.clone(), why, words))
    }

    /// The first step whose loss is no number, or that leaves a weight that is none.
    fn find_step(&mut self) -> Outcome<At> {
        let mut found = None;
        let last = self.last.1;
        self.replay(last, |replay, at, sums| {
            let broken = !sums[0].is_finite() || !weights::are_finite(replay.state);
            if broken && found.is_none() {
                found = Some(At { ..at });
            }
            Ok(())
        })?;
        let per_epoch = self.model.settings.steps_per_epoch(self.order.len());
        Ok(found.unwrap_or_else(|| self.at(last.max(1), per_epoch)))
    }

    /// Runs the steps after the snapshot again, up to a step; `each` sees every one after it ran.
    fn replay(
        &mut self,
        last: u64,
        mut each: impl FnMut(&mut Self, At, &[f64]) -> Outcome<()>,
    ) -> Outcome<()> {
        let per_epoch = self.model.settings.steps_per_epoch(self.order.len());
        self.state.copy_from(&*self.snapshot.state).map_err(|e| refused(&e))?;
        let mut epoch = 0;
        let mut sums = vec![0.0; metrics::width(self.model)];
        for step in self.snapshot.step + 1..=last {
            let at = self.at(step, per_epoch);
            if at.epoch != epoch {
                epoch = at.epoch;
                self.shuffle(epoch);
            }
            sums.fill(0.0);
            self.run(&at, &mut sums)?;
            each(self, at, &sums)?;
        }
        Ok(())
    }

    /// Runs one step.
    fn run(&mut self, at: &At, sums: &mut [f64]) -> Outcome<()> {
        let pieces = Pieces::new(&self.model.settings);
        for piece in pieces.of(at.step, at.start, at.end) {
            let rows = &self.order[piece.start..piece.end];
            let Some(runner) = self.step.of(rows.len()) else { continue };
            feed(runner, &self.loaded.data.train, rows, self.augment, at.epoch)?;
            pieces.tell(self.state, &piece, at.end - at.start, at.step);
            runner.run(self.state, self.model.settings.seed, piece.key)?;
            runner.add_sums(rows.len(), sums);
        }
        Ok(())
    }

    fn shuffle(&mut self, epoch: u64) {
        if self.options.shuffle {
            self.loaded.data.train.order(self.model.settings.seed, epoch, self.order);
        }
    }

    fn at(&self, step: u64, per_epoch: u64) -> At {
        let batch = self.model.settings.batch;
        let within = step - 1 - self.begin.1;
        let (epoch, within) = (self.begin.0 + within / per_epoch + 1, within % per_epoch);
        let start = within as usize * batch;
        At { epoch, step, start, end: self.order.len().min(start + batch) }
    }

    /// The norms of the gradient in the last steps before and at the broken one.
    fn gradients(&mut self, failed: &At) -> Outcome<Vec<f64>> {
        let first = failed.step.saturating_sub(NORMS).max(self.snapshot.step);
        let per_epoch = self.model.settings.steps_per_epoch(self.order.len());
        self.replay(first, |_, _, _| Ok(()))?;
        let mut norms = Vec::new();
        for step in first + 1..=failed.step {
            let at = self.at(step, per_epoch);
            self.shuffle(at.epoch);
            let mut runner = self.extra(&self.model.backward, at.end - at.start, &Options::default())?;
            let rows = &self.order[at.start..at.end];
            self.feed(&mut runner, rows, at.epoch)?;
            let mut state = self.state.snapshot();
            runner.run(&mut *state, self.model.settings.seed, step)?;
            norms.push(norm(&runner, &self.model.backward));
            self.run(&at, &mut vec![0.0; metrics::width(self.model)])?;
        }
        Ok(norms)
    }

    fn feed(&self, runner: &mut Runner, rows: &[u32], epoch: u64) -> Outcome<()> {
        feed(runner, &self.loaded.data.train, rows, self.augment, epoch)
    }

    fn extra(&self, graph: &Graph, batch: usize, options: &Options) -> Outcome<Runner> {
        let options = Options { memory_limit: memory::limit(self.options.memory_limit), ..*options };
        let executable = self.layout.compile(graph, batch, &options).map_err(|e| refused(&e))?;
        Runner::new(executable, &self.loaded.ports, self.model)
    }
}

fn norm(runner: &Runner, graph: &Graph) -> f64 {
    let gradients = graph.outputs_of(OutputKind::Gradient);
    let values = gradients.filter_map(|o| runner.output(OutputKind::Gradient, &o.name));
    values.flat_map(Slice::iter).map(|x| x * x).sum::<f64>().sqrt()
}

/// Two digits are enough for a size.
fn short(x: f64) -> String {
    if x == 0.0 {
        "0".into()
    } else if (0.01..1e4).contains(&x) {
        let digits = if x >= 10.0 {
            0
        } else if x >= 1.0 {
            1
        } else {
            3
        };
        format!("{x:.digits$}")
    } else {
        format!("{x:.1e}")
    }
}

fn headline(epoch: u64, step: u64, what: &str) -> Diagnostic {
    Diagnostic::error(Code::N0601, format!("the loss became {what} at epoch {epoch}, step {step}"))
}

/// The sign that stands between two numbers.
fn infix(op: Binary) -> Option<&'static str> {
    match op {
        Binary::Add => Some(" + "),
        Binary::Subtract => Some(" - "),
        Binary::Multiply => Some(" * "),
        Binary::Divide => Some(" / "),
        Binary::Power | Binary::Maximum | Binary::Minimum | Binary::And | Binary::Or => None,
    }
}

/// How a value that is no number came to be.
struct Explanation<'a> {
    spec: &'a Spec,
    graph: &'a Graph,
    runner: &'a Runner,
}

impl Explanation<'_> {
    fn diagnostic(&self, epoch: u64, step: u64) -> (Diagnostic, Option<NodeId>) {
        let loss = self.runner.output(OutputKind::Loss, "loss").unwrap_or(Slice::F64(&[]));
        let loss_broken = !loss.is_finite();
        let node = self.first(loss_broken).or_else(|| self.runner.first_non_finite());
        let Some(node) = node else { return (headline(epoch, step, "no number"), None) };
        let what = match (loss_broken, loss.iter().any(|x| x.is_nan())) {
            (true, true) => "NaN",
            (true, false) => "infinite",
            (false, _) => "no number (a weight first)",
        };
        let mut d = headline(epoch, step, what);
        let text = format!("{}; first seen here", self.seen(node));
        d = match self.span(node) {
            Some(span) => d.label(span, text),
            None => d.cause(text),
        };
        (d.cause(format!("from: {}", self.chain(node))), Some(node))
    }

    fn values(&self, node: NodeId) -> Slice<'_> {
        self.runner.value(node).unwrap_or(Slice::F64(&[]))
    }

    /// The first node that is not finite although its operands are, among those the loss depends on: the
    /// gradient of a broken loss is broken too, but it is not where to look.
    fn first(&self, loss_broken: bool) -> Option<NodeId> {
        let target = self.graph.output(OutputKind::Loss, "loss").filter(|_| loss_broken)?;
        let mut leads = vec![false; self.graph.len()];
        leads[target.index()] = true;
        for id in self.graph.ids().rev().filter(|id| id.index() <= target.index()) {
            if leads[id.index()] {
                self.graph.operands(id).into_iter().for_each(|o| leads[o.index()] = true);
            }
        }
        let broken = |id: &NodeId| {
            let constant = self.graph.node(*id).prim.constant().is_some();
            let values = self.values(*id);
            !constant && !values.is_finite()
        };
        let mut own = self.graph.ids().filter(|id| leads[id.index()] && broken(id));
        own.find(|id| !self.graph.operands(*id).iter().any(broken))
    }

    /// `log(0) is -inf`
    fn seen(&self, node: NodeId) -> String {
        let values = self.values(node);
        let at = values.iter().position(|x| x.is_nan());
        let at = at.or_else(|| values.iter().position(|x| !x.is_finite())).unwrap_or(0);
        let result = values.get(at).unwrap_or(f64::NAN);
        let prim = &self.graph.node(node).prim;
        let operand = |id: NodeId| {
            let other = self.runner.value(id)?;
            let same = other.len() == values.len();
            other.get(if same { at } else { 0 }).filter(|_| same).map(number)
        };
        let operands: Vec<String> = self.graph.operands(node).into_iter().filter_map(operand).collect();
        if operands.is_empty() || prim.parameter().is_some() {
            return format!("{} is {}", self.name(node), number(result));
        }
        let infix = if let Prim::Elementwise(Elementwise::Binary(op)) = prim { infix(*op) } else { None };
        let Some(infix) = infix else {
            return format!("{}({}) is {}", prim.name(), operands.join(", "), number(result));
        };
        format!("{} is {}", operands.join(infix), number(result))
    }

    /// What a node is called in an explanation.
    fn name(&self, node: NodeId) -> String {
        let prim = &self.graph.node(node).prim;
        match (prim.parameter(), prim.constant()) {
            (Some((Role::Weight, name)), _) => format!("the weight {name}"),
            (Some((role, name)), _) if role.name() == &**name => format!("the {name}"),
            (Some((role, name)), _) => format!("the {} {name}", role.name()),
            (None, Some(x)) => number(x),
            (None, None) if matches!(prim, Prim::DotGeneral(_)) => "product".to_string(),
            (None, None) => prim.name().to_string(),
        }
    }

    /// `log <- logistic, exactly 0 in 3 of 128 <- dense2`
    fn chain(&self, node: NodeId) -> String {
        let mut parts = vec![self.name(node)];
        let mut at = node;
        let mut scope = self.graph.node(node).origin.scope.clone();
        let mut hops = 0;
        while let Some(next) = self.follow(at) {
            at = next;
            let n = self.graph.node(at);
            let plain = matches!(
                n.prim,
                Prim::Movement(
                    Movement::Reshape | Movement::BroadcastInDim { .. } | Movement::Transpose { .. }
                ) | Prim::Elementwise(Elementwise::Convert | Elementwise::StopGradient)
            );
            if plain {
                continue;
            }
            let mut part = self.name(at);
            if n.origin.scope != scope && !n.origin.scope.is_empty() && n.prim.parameter().is_none() {
                part.push_str(&format!(" ({})", n.origin.scope));
                scope = n.origin.scope.clone();
            }
            part.push_str(&self.remark(at, hops == 0));
            parts.push(part);
            hops += 1;
            if hops == MAX_HOPS {
                break;
            }
        }
        parts.join(" <- ")
    }

    /// The operand to blame: one that is no number, else a huge one, else a computed one; the first of equals.
    fn follow(&self, node: NodeId) -> Option<NodeId> {
        let floats = self.graph.operands(node).into_iter().filter(|id| self.graph.ty(*id).dtype.is_float());
        let weight = |id: NodeId| {
            let values = self.values(id);
            let largest = values.iter().map(f64::abs).fold(0.0, f64::max);
            let prim = &self.graph.node(id).prim;
            if !values.is_finite() {
                4.0
            } else if prim.constant().is_some() {
                0.0
            } else if largest >= LARGE {
                3.0 - 1.0 / largest
            } else if prim.parameter().is_some() {
                1.0
            } else {
                2.0
            }
        };
        let mut best: Option<(f64, NodeId)> = None;
        for id in floats {
            let w = weight(id);
            if w > 0.0 && best.is_none_or(|(b, _)| w > b) {
                best = Some((w, id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// What is unusual about a value; zeros matter only to the operation they go into.
    fn remark(&self, node: NodeId, direct: bool) -> String {
        let values = self.values(node);
        let count = |what: &dyn Fn(f64) -> bool| values.iter().filter(|x| what(*x)).count();
        let (zeros, broken) = (count(&|x| x == 0.0), count(&|x| !x.is_finite()));
        let largest = values.iter().map(f64::abs).fold(0.0, f64::max);
        if broken > 0 {
            format!(", not finite in {broken} of {}", values.len())
        } else if zeros > 0 && direct {
            format!(", exactly 0 in {zeros} of {}", values.len())
        } else if largest >= LARGE {
            format!(", up to {}", short(largest))
        } else {
            String::new()
        }
    }

    /// The user's words a node came from.
    fn span(&self, node: NodeId) -> Option<Span> {
        let origin = &self.graph.node(node).origin;
        let source = self.spec.sources.get(self.spec.source);
        if origin.line == 0 || *origin.file != *source.name {
            return None;
        }
        let before =
            source.text.split_inclusive('\n').take(origin.line as usize - 1).map(str::len).sum::<usize>();
        let line = source.text.get(before..)?;
        let column = line.char_indices().nth(origin.column.saturating_sub(1) as usize).map_or(0, |(i, _)| i);
        let start = before + column;
        let end = (start + origin.length as usize).min(source.text.len());
        Some(Span::new(self.spec.source, start, end))
    }
}

fn number(x: f64) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if x == 0.0 {
        return "0".into();
    }
    if (1e-3..1e5).contains(&x.abs()) {
        let text = format!("{x:.4}");
        return text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    format!("{x:.2e}")
}
