//! From a program to its graphs: forward, backward, the whole step, evaluation, first values.

use crate::declarations::attributes::Better;
use crate::declarations::data::{Balanced, Part, Ports};
use crate::declarations::settings::{Lbfgs, Loss, Metric, MetricKind, Named, Settings};
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::results::LayerRow;
use crate::elaborate::totals::{Finish, Measuring, Totals};
use crate::elaborate::value::{Axis, Tensor, Value, shape_text};
use crate::program::names::{binds, check_names};
use crate::program::spec::Spec;
use crate::step::accumulate::Pieces;
use crate::step::clip::clipped;
use crate::step::output::{OutputInfo, output_info, steps_name};
use crate::step::{freeze, lint, solver};
use nnc_graph::{Binary, DType, Graph, NodeId, Origin, OutputKind, Reduction, Role, gradient, passes};
use nnc_syntax::{Code, Diagnostic, Span};
use std::sync::Arc;

/// A program with its data's shapes, as graphs.
#[derive(Clone, Debug)]
pub struct Model {
    /// Losses, metrics and predictions of a batch, as training computes them.
    pub forward: Graph,
    /// With the gradient of every weight.
    pub backward: Graph,
    /// The whole step: forward, backward, the optimizer's update, states. What training runs.
    pub step: Graph,
    /// Losses, metrics and predictions after training.
    pub eval: Graph,
    /// The first value of every weight, state and optimizer slot.
    pub init: Graph,
    /// The network step by step.
    pub layers: Vec<LayerRow>,
    /// Epochs, batch, seed, conditions.
    pub settings: Settings,
    /// What changes the weights, where the step only computes their gradients.
    pub solver: Option<Lbfgs>,
    /// Names of the metrics that are one number, in the order of the program.
    pub metrics: Vec<String>,
    /// Which way each of them gets better, where its definition says so.
    pub directions: Vec<Option<Better>>,
    /// What metrics of all samples together are computed with.
    pub totals: Option<Totals>,
    /// What the classes of targets count in the loss, where the training rows decide it.
    pub balanced: Vec<Balanced>,
    /// Names of the predictions.
    pub outputs: Vec<OutputInfo>,
    /// Names, shapes and learned-or-not of all weights, states and slots.
    pub parameters: Vec<ParameterInfo>,
    /// The stages of the training after this one, each with the network as it is trained then; none of them has later
    /// ones of its own.
    pub later: Vec<Model>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
}

/// A weight, state or slot.
#[derive(Clone, PartialEq, Debug)]
pub struct ParameterInfo {
    /// Its path.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Whether it stays as it is, whatever is trained.
    pub frozen: bool,
}

/// How to elaborate.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The precision of floats.
    pub float: DType,
}

impl Default for Options {
    fn default() -> Self {
        Self { float: DType::F32 }
    }
}

pub(super) struct Run<'a> {
    pub(super) e: Elab<'a>,
    pub(super) frame: Frame,
    outputs: Vec<(String, Tensor)>,
}

impl Spec {
    /// Expands the program into graphs.
    ///
    /// # Errors
    /// Every mistake, with warnings among them.
    pub fn elaborate(&self, ports: &Ports, options: &Options) -> Result<Model, Vec<Diagnostic>> {
        let (mut model, stages) = self.stage(ports, options, 0)?;
        for stage in 1..=stages {
            let (mut later, _) = self.stage(ports, options, stage)?;
            let new = std::mem::take(&mut later.diagnostics).into_iter();
            let new: Vec<Diagnostic> = new.filter(|d| !model.diagnostics.contains(d)).collect();
            model.diagnostics.extend(new);
            model.later.push(later);
        }
        Ok(model)
    }

    /// The steps of the network, as far as they can be told of a program with mistakes.
    pub fn rows(&self, ports: &Ports) -> Vec<LayerRow> {
        self.run(ports, &Options::default(), true, 0).e.results.layers
    }

    /// One stage of the training, from 0, and how many there are after the first.
    fn stage(
        &self,
        ports: &Ports,
        options: &Options,
        stage: usize,
    ) -> Result<(Model, usize), Vec<Diagnostic>> {
        let mut train = self.run(ports, options, true, stage);
        if train.e.session.failed() {
            if !train.e.session.hopeless() {
                check_names(&mut train.e, &mut train.frame);
                train.e.check_figures(ports.has_valid || train.e.results.top.settings.split.valid > 0.0);
            }
            nnc_syntax::limit(&mut train.e.session.diagnostics);
            return Err(train.e.session.diagnostics);
        }
        let built = self.build_training(&mut train);
        if let Err(stop) = built {
            train.e.report(stop);
        }
        train.e.drop_tables();
        train.e.check_figures(ports.has_valid || train.e.results.top.settings.split.valid > 0.0);
        if !train.e.session.failed() {
            train.e.check_directions();
        }
        if train.e.session.failed() {
            return Err(train.e.session.diagnostics);
        }
        lint::run(&mut train.e, &train.outputs);
        if train.e.session.failed() {
            return Err(train.e.session.diagnostics);
        }
        let forward = passes::sweep(train.e.b.graph());

        let solver = match solver::asked(&mut train.e) {
            Ok(solver) => solver,
            Err(stop) => {
                train.e.report(stop);
                return Err(train.e.session.diagnostics);
            }
        };
        let (backward, step) = match self.build_step(&mut train, solver.is_some()) {
            Ok(graphs) => graphs,
            Err(stop) => {
                train.e.report(stop);
                return Err(train.e.session.diagnostics);
            }
        };

        let mut eval = self.run(ports, options, false, stage);
        if !eval.e.session.failed() {
            let built = self.build_training(&mut eval);
            if let Err(stop) = built {
                eval.e.report(stop);
            }
        }
        if eval.e.session.failed() {
            return Err(eval.e.session.diagnostics);
        }
        let mut eval_graph = eval.e.b.graph().clone();
        eval_graph.retain_outputs(|o| o.kind != OutputKind::Objective && o.kind != OutputKind::Update);

        let outputs = train.outputs.iter().map(|(name, t)| output_info(&train.e, name, t)).collect();
        let parameters = train.e.results.declared.iter().map(|d| ParameterInfo {
            name: d.path.clone(),
            role: d.role,
            shape: d.tensor.sizes(),
            frozen: d.frozen,
        });
        let stages = train.e.results.top.stages.len();
        let model = Model {
            forward,
            backward,
            step,
            eval: passes::standard(&eval_graph),
            init: passes::standard(train.e.init.graph()),
            layers: train.e.results.layers.clone(),
            settings: train.e.results.top.settings.clone(),
            solver,
            metrics: train.e.results.top.metrics.iter().map(|m| m.name.clone()).collect(),
            directions: train.e.results.top.metrics.iter().map(|m| m.better).collect(),
            totals: eval.e.results.finish.and_then(Finish::done),
            balanced: train.e.results.balanced.clone(),
            outputs,
            parameters: parameters.collect(),
            later: Vec::new(),
            diagnostics: train.e.session.diagnostics,
        };
        Ok((model, stages))
    }

    /// Runs all statements; once more where some layers are frozen, which is known at the end.
    pub(super) fn run(&self, ports: &Ports, options: &Options, training: bool, stage: usize) -> Run<'_> {
        let mut run = self.run_with(ports, options, training, (stage, Vec::new()));
        if !run.e.results.top.frozen.is_empty() && !run.e.session.failed() {
            let frozen: Vec<String> = run.e.results.top.frozen.iter().map(|n| n.text.clone()).collect();
            run = self.run_with(ports, options, training, (stage, frozen));
            freeze::check(&mut run.e);
        }
        if !run.e.session.failed() {
            freeze::check_rates(&mut run.e);
        }
        run
    }

    fn run_with(
        &self,
        ports: &Ports,
        options: &Options,
        training: bool,
        (stage, frozen): (usize, Vec<String>),
    ) -> Run<'_> {
        let mut e =
            Elab::new(&self.sources, self.first_user_source, self.globals.clone(), options.float, training);
        e.session.ports = ports.clone();
        e.scope.binds = binds(&self.sources, &self.program);
        e.results.top.settings = Settings::default();
        e.scope.frozen = frozen;
        e.results.top.stage = stage;
        e.results.top.has_test = self.data.iter().any(|d| d.part == Part::Test);
        let mut frame = Frame::top();
        e.bind_ports(&mut frame);
        for stmt in &self.program.stmts {
            e.top_statement(&mut frame, stmt);
            if e.session.hopeless() {
                break;
            }
        }
        e.enter_stages(&mut frame);
        let settings = &mut e.results.top.settings;
        self.overrides.apply(settings);
        if settings.whole {
            settings.batch = ports.samples.max(1);
        }
        Run { e, frame, outputs: Vec::new() }
    }

    /// Output, loss, metrics.
    pub(super) fn build_training(&self, run: &mut Run<'_>) -> Res<()> {
        run.outputs = self.outputs(run)?;
        let first = run.outputs[0].1.clone();
        if run.outputs.len() == 1 {
            run.frame.set("output", Value::Tensor(first.clone()));
        }
        let weights =
            run.e.results.declared.iter().filter(|d| d.role == Role::Weight && d.tensor.rank() >= 2);
        let weights = weights.map(|d| Value::Tensor(d.tensor.clone())).collect();
        run.frame.set("weights", Value::List(weights));
        for (name, t) in &run.outputs {
            let t = run.e.floats(t);
            let node = run.e.broadcast_to(&t, &t.axes.clone(), true, run.e.session.here)?;
            run.e.b.output(OutputKind::Prediction, name.as_str(), node);
            if let Some(mask) = t.mask.filter(|_| !run.e.session.training) {
                run.e.b.output(OutputKind::Prediction, steps_name(name), mask);
            }
        }
        run.frame.rows = crate::elaborate::frame::Rows::None;
        let loss = self.loss(run)?;
        run.e.b.output(OutputKind::Loss, "loss", loss);
        for metric in run.e.results.top.metrics.clone() {
            if let Err(stop) = self.metric(run, &metric) {
                run.e.report(stop);
            }
        }
        // The mean is the loss statement's work, whatever stands between.
        let origin = run.e.b.graph().node(loss).origin.clone();
        let scope = origin.scope.split(" > ").next().unwrap_or_default();
        run.e.b.set_origin(Arc::new(Origin { scope: scope.into(), ..(*origin).clone() }));
        let objective = batch_mean_of(&mut run.e, loss);
        run.e.mark();
        run.e.b.output(OutputKind::Objective, "objective", objective);
        for (path, node) in run.e.results.updates.clone() {
            run.e.b.output(OutputKind::Update, path.as_str(), node);
        }
        Ok(())
    }

    fn outputs(&self, run: &mut Run<'_>) -> Res<Vec<(String, Tensor)>> {
        let names = run.e.results.top.outputs.clone();
        if names.is_empty() {
            return match run.frame.it.clone() {
                Some(Value::Tensor(t)) if !run.e.results.layers.is_empty() => {
                    lint::one_branch(&run.e, &t)?;
                    Ok(vec![("output".into(), t)])
                }
                Some(Value::Poison) => Err(Stop::Poisoned),
                _ => {
                    let d = Diagnostic::error(Code::N0404, "there is no layer, so there is no network")
                        .help("the smallest network is one layer: dense 1");
                    Err(Stop::Error(Box::new(d)))
                }
            };
        }
        let mut out = Vec::new();
        for name in names {
            match run.frame.get(&name.text) {
                Some(Value::Tensor(t)) => out.push((name.text.clone(), t.clone())),
                Some(Value::Poison) => return Err(Stop::Poisoned),
                _ => match run.e.lookup(&run.frame, &name.text) {
                    Some(other) => return Err(run.e.no_tensor(&name, &other)),
                    None => {
                        return Err(run.e.unknown(
                            &run.frame,
                            Code::N0202,
                            "no tensor",
                            &name.text,
                            name.span,
                        ));
                    }
                },
            }
        }
        Ok(out)
    }

    /// The loss of every sample.
    fn loss(&self, run: &mut Run<'_>) -> Res<NodeId> {
        run.e.results.losing = run.e.session.training;
        let span = run.e.results.top.loss.as_ref().map(|loss| match loss {
            Loss::Chain(_, span) => *span,
            Loss::Named(named) => named.span,
        });
        let loss = self.mixed_loss(run, span);
        run.e.results.losing = false;
        loss
    }

    /// The loss of every sample by the targets that have their names now.
    pub(super) fn loss_by_target(&self, run: &mut Run<'_>) -> Res<NodeId> {
        let (value, span) = match run.e.results.top.loss.clone() {
            None => return Err(lint::no_loss(&run.e, &run.outputs, self.source)),
            Some(Loss::Chain(chain, span)) => {
                run.e.at(span);
                let frame = &mut run.frame;
                let value = run.e.deeper("loss", span, |e| e.chain(frame, &chain));
                (value?, chain.span)
            }
            Some(Loss::Named(named)) => {
                run.e.at(named.span);
                (self.on_output(run, &named, "loss")?, named.span)
            }
        };
        per_sample(&mut run.e, &value, span, "the loss")
    }

    /// Applies a named loss to output and target.
    fn on_output(&self, run: &mut Run<'_>, named: &Named, what: &str) -> Res<Value> {
        let span = named.span;
        let func = match run.e.lookup(&run.frame, &named.name.text) {
            Some(Value::Func(func)) => func,
            Some(other) => {
                let message = format!("`{}` is {}, not a function", named.name.text, other.kind());
                return run.e.fail(Code::N0209, message, named.name.span, "");
            }
            None => {
                return Err(run.e.unknown(
                    &run.frame,
                    Code::N0202,
                    &format!("no {what}"),
                    &named.name.text,
                    named.name.span,
                ));
            }
        };
        if run.outputs.len() > 1 {
            let d = run
                .e
                .error(
                    Code::N0405,
                    format!("`{what} {}` needs one output, and there are several", named.name.text),
                    span,
                    "",
                )
                .help(format!("say which: loss = {}({}, target)", named.name.text, run.outputs[0].0));
            return Err(Stop::Error(Box::new(d)));
        }
        let Some(target) = run.frame.get("target").cloned() else {
            return Err(lint::no_target(&run.e, named));
        };
        let output = Value::Tensor(run.outputs[0].1.clone());
        let frame = &mut run.frame;
        run.e.at(named.name.span);
        let out = run.e.deeper(what, named.name.span, |e| {
            e.apply(frame, &func, vec![output, target], &named.args, named.name.span, true)
        });
        out.map_err(|stop| lint::explain_loss(&run.e, &run.outputs, stop))
    }

    /// Names the metric, or what it is computed from, as results of the graph.
    fn metric(&self, run: &mut Run<'_>, metric: &Metric) -> Res<()> {
        run.e.at(metric.span);
        run.e.results.measuring = Some(Measuring { name: metric.name.clone(), ..Measuring::default() });
        let value = self.metric_value(run, metric);
        // What follows is no part of this metric, whether it stands or not.
        let measuring = run.e.results.measuring.take();
        let value = value?;
        if !measuring.as_ref().is_some_and(|m| m.in_file_units) {
            run.e.note_scaled(&metric.name, metric.span, &value);
        }
        let better = match (&metric.what, &value) {
            (MetricKind::Named(name), _) => {
                run.e.scope.globals.defs.get(&name.text).and_then(|def| def.attributes().better)
            }
            (MetricKind::Expr(_), Value::Tensor(t)) => run.e.results.directions.get(&t.node).copied(),
            (MetricKind::Expr(_), _) => None,
        };
        if let Some(own) = run.e.results.top.metrics.iter_mut().find(|m| m.name == metric.name) {
            own.better = better;
        }
        if !run.e.end_metric(measuring.unwrap_or_default(), &value, metric.span)? {
            let node = per_sample(&mut run.e, &value, metric.span, "a metric")?;
            run.e.b.output(OutputKind::Metric, metric.name.as_str(), node);
        }
        Ok(())
    }

    fn metric_value(&self, run: &mut Run<'_>, metric: &Metric) -> Res<Value> {
        match &metric.what {
            MetricKind::Named(name) => {
                let named = Named { name: name.clone(), args: Vec::new(), span: metric.span };
                self.on_output(run, &named, "metric")
            }
            MetricKind::Expr(expr) => {
                let frame = &mut run.frame;
                run.e.deeper("metric", metric.span, |e| e.expr(frame, expr))
            }
        }
    }

    /// Gradients and the optimizer, in the same graph; where it is a solver, the gradients are results of the step.
    fn build_step(&self, run: &mut Run<'_>, solver: bool) -> Res<(Graph, Graph)> {
        let weights: Vec<(String, Tensor)> = run
            .e
            .results
            .declared
            .iter()
            .filter(|d| d.role == Role::Weight && !d.frozen)
            .map(|d| (d.path.clone(), d.tensor.clone()))
            .collect();
        let Some(objective) = run.e.b.graph().output(OutputKind::Objective, "objective") else {
            return Err(Stop::Poisoned);
        };
        let seed = run.e.b.constant(1.0);
        let nodes: Vec<NodeId> = weights.iter().map(|(_, t)| t.node).collect();
        let mut gradients = gradient(&mut run.e.b, objective, seed, &nodes);
        for ((path, _), g) in weights.iter().zip(&gradients) {
            run.e.b.output(OutputKind::Gradient, path.as_str(), *g);
        }
        let backward = passes::sweep(run.e.b.graph());

        let mut pieces = Pieces::new(&mut run.e);
        if let Some(pieces) = &mut pieces {
            gradients = pieces.gather(&mut run.e, &weights, &gradients);
        }
        if let Some((what, limit, span)) = run.e.results.top.clip {
            run.e.at(span);
            gradients = clipped(&mut run.e, &gradients, what, limit);
        }
        let optimizer = run.e.results.top.optimizer.clone();
        for ((path, weight), g) in weights.iter().zip(gradients).filter(|_| !solver) {
            self.optimize(run, optimizer.as_ref(), path, weight, g)?;
        }
        if let Some(pieces) = &pieces {
            pieces.hold(&mut run.e);
        }
        let mut step = run.e.b.graph().clone();
        step.retain_outputs(|o| (solver || o.kind != OutputKind::Gradient) && o.kind != OutputKind::Update);
        step.retain_outputs(|o| o.kind != OutputKind::Total || !run.e.is_table(&o.name));
        for (path, node) in run.e.results.updates.clone() {
            step.add_output(OutputKind::Update, path.as_str(), node);
        }
        step.name = "step".into();
        Ok((backward, passes::standard(&step)))
    }
}

impl Model {
    /// All stages of the training; the first is this model itself.
    pub fn stages(&self) -> impl Iterator<Item = &Model> {
        std::iter::once(self).chain(&self.later)
    }

    /// Epochs of all stages, for `samples` rows.
    pub fn epochs(&self, samples: usize) -> u64 {
        self.stages().fold(0, |n, stage| n.saturating_add(stage.settings.epochs_of(samples)))
    }

    /// Which way a figure of the history gets better: the loss lower, a metric as its definition says; `None` where
    /// that is not said. The figures of other parts, `val_loss` and `test_loss`, go the way of the training's.
    pub fn better(&self, figure: &str) -> Option<Better> {
        let known = |name: &str| match self.metrics.iter().position(|m| m == name) {
            Some(at) => self.directions.get(at).copied().flatten(),
            None => (name == "loss").then_some(Better::Lower),
        };
        let part = figure.strip_prefix("val_").or_else(|| figure.strip_prefix("test_"));
        known(figure).or_else(|| part.and_then(known))
    }
}

/// A value as one number for every sample, `[B]`.
fn per_sample(e: &mut Elab<'_>, value: &Value, span: Span, what: &str) -> Res<NodeId> {
    let t = e.tensor_of(value, span)?;
    let t = e.floats(&t);
    if t.rank() != 0 {
        let d = e
            .error(
                Code::N0405,
                format!("{what} is one number for a sample, and this is {}", many_text(&t.axes)),
                span,
                "",
            )
            .help("mean(…) or sum(…) makes one number of it");
        return Err(Stop::Error(Box::new(d)));
    }
    e.broadcast_to(&t, &[], true, span)
}

/// Several numbers, in words; a vector of one is not yet a number.
fn many_text(axes: &[Axis]) -> String {
    match axes {
        [one] if one.size == 1 => "a vector with one number in it".into(),
        [one] => format!("a vector of {} numbers", one.size),
        many => format!("{} of them", shape_text(many)),
    }
}

/// The mean over the samples; rows with weights count by their weight (Keras' `sum_over_batch_size`).
fn batch_mean_of(e: &mut Elab<'_>, loss: NodeId) -> NodeId {
    let mut loss = loss;
    if e.session.ports.weighted {
        let ty = e.b.ty(loss).clone();
        let weight = e.b.parameter(Role::SampleWeight, "sample_weight", ty);
        loss = e.b.binary(Binary::Multiply, loss, weight);
    }
    let sum = e.b.reduce(Reduction::Add, loss, vec![0]);
    let count = e.b.batch_size();
    e.b.binary(Binary::Divide, sum, count)
}
