//! A trained model as exporters are given it.

use crate::infer::decode::Decoder;
use crate::infer::inference::Trained;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_artifact::{Tensor, Values};
use nnc_data::{ColumnKind, ColumnStats, Fill, PortId, Role as Use};
use nnc_export::{Answer, Column, Encoding, Input, Package, Step, Weights};
use nnc_graph::passes::standard;
use nnc_graph::{Dim, OutputKind, Role, Type};
use nnc_syntax::{Code, Diagnostic, Port};
use std::collections::BTreeMap;

impl Trained {
    /// The model with all that its answers need: graph, weights, and what rows and answers are in the terms of the
    /// file.
    ///
    /// # Errors
    /// It has no prediction, or what it says depends on its targets.
    pub fn package(&self) -> Outcome<Package> {
        let mut graph = self.model.eval.clone();
        let is_output = |name: &str| self.model.outputs.iter().any(|o| o.name == name);
        graph.retain_outputs(|o| o.kind == OutputKind::Prediction && is_output(&o.name));
        let graph = standard(&graph);
        if let Some((role, name)) = [Role::Target, Role::SampleWeight]
            .into_iter()
            .find_map(|role| Some((role, graph.parameters(role).into_iter().next()?.0)))
        {
            let message = format!("what this network says depends on the {} `{name}`", role.name());
            return Err(refused(message));
        }
        if graph.outputs().is_empty() {
            return Err(refused("this network says nothing that could be exported".into()));
        }
        let mut order = Vec::new();
        for (name, id) in graph.parameters(Role::Input) {
            order.push(self.port(Role::Input, &name, graph.ty(id))?);
        }
        order.sort_by_key(|(at, _)| *at);
        let inputs = order.into_iter().map(|(_, input)| input).collect();
        let decoder = Decoder::new(&self.stats, &self.ports, &self.model);
        let answers = decoder.outputs.iter().map(|o| o.answer()).collect();
        let mut weights = BTreeMap::new();
        for role in [Role::Weight, Role::State] {
            for (name, _) in graph.parameters(role) {
                if let Some(tensor) = self.file.tensors.get(&*name) {
                    let values = (0..tensor.values.len()).filter_map(|i| tensor.values.get(i)).collect();
                    weights.insert(name.to_string(), Weights { dims: tensor.shape.clone(), values });
                }
            }
        }
        let program = &self.spec.sources.get(self.spec.source).name;
        let stem = program.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = stem.strip_suffix(".nn").unwrap_or(stem);
        let name = if name.is_empty() || name == "-" { "model".to_string() } else { name.to_string() };
        let about = vec![("program".into(), program.clone()), ("epoch".into(), self.epoch.to_string())];
        Ok(Package { name, graph, weights, inputs, answers, about })
    }

    /// The same model with other weights.
    #[must_use]
    pub fn with_weights(&self, weights: &BTreeMap<String, Weights>) -> Self {
        let mut out = self.clone();
        for (name, new) in weights {
            if let Some(tensor) = out.file.tensors.get_mut(name) {
                let values = match tensor.values {
                    Values::F32(_) => Values::F32(new.values.iter().map(|&x| x as f32).collect()),
                    Values::F64(_) => Values::F64(new.values.clone()),
                };
                *tensor = Tensor { shape: new.dims.clone(), values };
            }
        }
        out
    }

    /// A parameter that rows go to, with the columns that it is made of, and its place among the ports; the last of all
    /// for what is none.
    pub(super) fn port(&self, role: Role, name: &str, ty: &Type) -> Outcome<(usize, Input)> {
        let shape: Vec<usize> = ty.shape.iter().skip(1).filter_map(|d| d.fixed()).collect();
        if ty.shape.first() != Some(&Dim::Batch) || shape.len() + 1 != ty.rank() {
            let message = format!("the {} `{name}` is {ty}, which is no row for each sample", role.name());
            return Err(refused(message));
        }
        let is_target = role == Role::Target;
        let ports = if is_target { &self.ports.targets } else { &self.ports.inputs };
        let id = |at| if is_target { PortId::Target(at) } else { PortId::Input(at) };
        let at = ports.iter().position(|p| p.name == *name);
        let input = Input {
            name: name.to_string(),
            columns: Vec::new(),
            rows: None,
            what: match at {
                Some(at) => about(&ports[at], self.stats.columns_of(id(at)).next()),
                None if is_target => "made of another target when samples are mixed".into(),
                None => "how many of its rows there are; the rest is padding".into(),
            },
            classes: at.and_then(|at| ports[at].classes.clone()),
            shape,
            dtype: ty.dtype,
        };
        Ok(match at {
            Some(at) => (at, self.with_columns(id(at), input)),
            None => (usize::MAX, input),
        })
    }

    /// An input with the columns that it is made of, where every one can be said as numbers and categories.
    fn with_columns(&self, port: PortId, input: Input) -> Input {
        let (role, at) = match port {
            PortId::Input(at) => (Use::Input, at),
            PortId::Target(at) => (Use::Target, at),
        };
        let members = self.stats.schema.columns.iter().zip(&self.stats.columns);
        let members = members.filter(|(c, _)| c.role == role && c.port == Some(at));
        let columns: Option<Vec<Column>> = members
            .map(|(column, stats)| {
                let encoding = encoding(stats)?;
                let part = stats.date.as_ref().map(|_| part_of(stats));
                Some(Column { name: stats.source().to_string(), part, offset: column.offset, encoding })
            })
            .collect();
        let rows = match self.stats.window {
            None => None,
            Some(window) if window.whole.is_none() && role == Use::Input => Some(window.length),
            Some(_) => return input,
        };
        let Some(columns) = columns.filter(|c| !c.is_empty()) else { return input };
        let size: usize = input.shape.iter().product();
        let width: usize = columns.iter().map(|c| c.encoding.width(size)).sum();
        let fits = width * rows.unwrap_or(1) == size && self.stats.schema.port(port).is_some();
        if fits { Input { columns, rows, classes: None, ..input } } else { input }
    }
}

fn refused(message: String) -> Box<Problem> {
    Problem::new(ProblemKind::Usage, Diagnostic::error(Code::N0702, message))
}

/// What the numbers of an input are that has no columns.
fn about(port: &Port, stats: Option<&ColumnStats>) -> String {
    let classes = port.classes.as_ref().map(Vec::len);
    match (stats.map(|s| s.kind), classes) {
        (Some(ColumnKind::Characters), Some(n)) => format!("numbers of {n} characters"),
        (Some(ColumnKind::Bytes), _) => "bytes of a text".into(),
        (Some(ColumnKind::Tokens), Some(n)) => format!("numbers of {n} words"),
        (_, Some(n)) => format!("numbers of {n} classes"),
        (Some(ColumnKind::Tensor), None) if stats.is_some_and(|s| s.max > 1.0 && s.min >= 0.0) => {
            format!(
                "numbers as in the file, from {} to {} in training",
                said(stats, |s| s.min),
                said(stats, |s| s.max)
            )
        }
        (Some(ColumnKind::Tensor), None) => "numbers as in the file".into(),
        _ => "numbers as the network sees them".into(),
    }
}

fn said(stats: Option<&ColumnStats>, of: impl Fn(&ColumnStats) -> f64) -> String {
    stats.map(|s| of(s).to_string()).unwrap_or_default()
}

/// The part of a date, as its column is called.
fn part_of(stats: &ColumnStats) -> String {
    let name = stats.name.strip_prefix(stats.source()).unwrap_or(&stats.name);
    name.trim_matches(|c: char| !c.is_alphanumeric()).to_string()
}

/// How a column becomes numbers, where that is a matter of one number or category.
fn encoding(stats: &ColumnStats) -> Option<Encoding> {
    let steps = || stats.steps.iter().map(|s| step(*s)).collect::<Vec<Step>>();
    let category = match stats.fill {
        Fill::Category(k) => Some(k as usize),
        Fill::Fault | Fill::Drop | Fill::Number(_) => None,
    };
    let other = stats.vocabulary.len().checked_sub(1).filter(|_| stats.bucket);
    let classes = || stats.vocabulary.clone();
    Some(match stats.kind {
        ColumnKind::Number | ColumnKind::Date => Encoding::Number {
            steps: steps(),
            fill: match stats.fill {
                Fill::Number(x) => Some(x),
                Fill::Fault | Fill::Drop | Fill::Category(_) => None,
            },
            indicator: stats.indicator,
        },
        ColumnKind::Category if stats.one_hot => {
            Encoding::OneHot { classes: classes(), other, fill: category, indicator: stats.indicator }
        }
        ColumnKind::Category => Encoding::Class { classes: classes(), other, fill: category },
        ColumnKind::Tensor => Encoding::Tensor { steps: steps() },
        ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => return None,
    })
}

/// A step of a scaling.
pub(crate) fn step(step: nnc_data::Step) -> Step {
    match step {
        nnc_data::Step::Shift { minus, over } => Step::Shift { minus, over },
        nnc_data::Step::Log => Step::Log,
    }
}

impl crate::infer::decode::OutputDecoder<'_> {
    /// What it says, for exporters.
    fn answer(&self) -> Answer {
        let (classes, at_steps, undo) = self.meaning();
        let (classes, steps) = if at_steps { (None, classes) } else { (classes, None) };
        Answer {
            name: self.heading.name.clone(),
            shape: self.heading.shape.clone(),
            classes,
            steps,
            scaling: undo.iter().map(|steps| steps.iter().map(|s| step(*s)).collect()).collect(),
        }
    }
}
