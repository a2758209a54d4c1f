//! Rows for people: encoded numbers back in the terms of the file, predictions beside them.

use crate::execute::runner::{Runner, Runners, internal};
use crate::infer::predictions::{Heading, PredictedRow, Predictions, Reading};
use crate::problem::Outcome;
use nnc_backend::{Slice, State};
use nnc_data::{Column, ColumnKind, ColumnStats, PortId, Role, Stats, Step, Table, Unit};
use nnc_graph::OutputKind;
use nnc_model::{Model, OutputInfo, Parts, Port, Ports};
use nnc_syntax::{Code, Diagnostic};
use std::ops::ControlFlow;

/// Evenly chosen rows, the first among them.
pub(crate) fn evenly_spaced(rows: usize, most: usize) -> Vec<u32> {
    let count = rows.min(most);
    (0..count).map(|i| (i * rows / count) as u32).collect()
}

/// The places of the largest numbers, the largest first; equal ones stay in their order.
pub(crate) fn from_largest(values: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order.truncate(most);
    order
}

/// Encoding the slots of a column are read.
enum Encoding {
    /// One slot per category.
    OneHot,
    /// The number of a class.
    Class,
    /// A class at every step, such as the words of a text.
    Sequence(Words),
    /// Numbers, with their scaling.
    Numbers,
}

/// How classes at steps are written as one text.
#[derive(Clone, Copy)]
struct Words {
    /// Whether there are blanks between them.
    apart: bool,
    /// Whether class 0 is padding.
    padded: bool,
}

impl Words {
    /// Those of a target or input, as its column is cut.
    fn of(port: &Port, stats: Option<&ColumnStats>) -> Self {
        let apart = !matches!(stats.and_then(|s| s.unit), Some(Unit::Characters | Unit::Bytes));
        Self { apart, padded: port.padded }
    }

    fn text(self, names: &[String], classes: impl Iterator<Item = usize>) -> String {
        let there = classes.filter(|class| !(self.padded && *class == 0));
        let all: Vec<&str> = there.map(|class| names.get(class).map_or("", |n| n)).collect();
        all.join(if self.apart { " " } else { "" })
    }
}

/// Reads the slots of one column.
struct ColumnDecoder<'a> {
    heading: Heading,
    port: PortId,
    offset: usize,
    width: usize,
    stats: &'a ColumnStats,
    encoding: Encoding,
}

/// Where a number of the next row comes from: its place in a row of the input, the output and the place there that
/// says it, and the scaling that the input has.
pub(crate) struct NextCell<'a> {
    pub(crate) at: usize,
    pub(crate) output: usize,
    pub(crate) place: usize,
    pub(crate) steps: &'a [Step],
}

/// Reads what the network says.
pub(crate) struct OutputDecoder<'a> {
    pub(crate) heading: Heading,
    classes: Option<&'a [String]>,
    /// How its classes are written, where there is one at every step, and the prediction that says which steps there are.
    words: Option<(Words, Option<String>)>,
    /// What undoes the scaling of each number, where there is one.
    undo: Vec<Vec<Step>>,
}

/// Reads encoded rows.
pub(crate) struct Decoder<'a> {
    ports: &'a Ports,
    model: &'a Model,
    inputs: Vec<ColumnDecoder<'a>>,
    targets: Vec<ColumnDecoder<'a>>,
    pub(crate) outputs: Vec<OutputDecoder<'a>>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(stats: &'a Stats, ports: &'a Ports, model: &'a Model) -> Self {
        let parts = |role: Role| {
            let columns = stats.schema.columns.iter().zip(&stats.columns);
            columns
                .filter(|(c, _)| c.role == role)
                .filter_map(|(c, s)| ColumnDecoder::new(c, s, stats, ports))
                .collect()
        };
        let (inputs, targets) = (parts(Role::Input), parts(Role::Target));
        let mut decoder = Self { ports, model, inputs, targets, outputs: Vec::new() };
        decoder.outputs = model.outputs.iter().map(|info| decoder.output_decoder(info)).collect();
        decoder
    }

    /// Reads rows of a table and runs the model on them.
    pub(crate) fn read(
        &self,
        table: &Table,
        rows: &[u32],
        runners: &mut Runners,
        state: &mut dyn State,
    ) -> Outcome<Predictions> {
        let [inputs, targets] = self.cell_headings(table);
        let mut out = Predictions {
            inputs,
            targets,
            outputs: self.outputs.iter().map(|o| o.heading.clone()).collect(),
            rows: Vec::with_capacity(rows.len()),
        };
        for &row in rows {
            let [inputs, targets] = self.cells(table, row)?;
            let row = table.source_row(row as usize).unwrap_or(row as usize);
            out.rows.push(PredictedRow { row, inputs, targets, outputs: Vec::new() });
        }
        let mut at = 0;
        self.each(table, rows, runners, state, |_, outputs| {
            if let (Some(row), Some(outputs)) = (out.rows.get_mut(at), outputs) {
                row.outputs = outputs;
            }
            at += 1;
            ControlFlow::Continue(())
        })?;
        Ok(out)
    }

    /// Headings of the columns of inputs and targets.
    pub(crate) fn cell_headings(&self, table: &Table) -> [Vec<Heading>; 2] {
        let targets = if table.has_targets() { &self.targets[..] } else { &[] };
        let headings = |parts: &[ColumnDecoder<'_>]| parts.iter().map(|p| p.heading.clone()).collect();
        [headings(&self.inputs), headings(targets)]
    }

    /// The columns of a row, in the terms of the file; of a window, of the row that it stands for.
    pub(crate) fn cells(&self, table: &Table, row: u32) -> Outcome<[Vec<Reading>; 2]> {
        let targets = if table.has_targets() { &self.targets[..] } else { &[] };
        let read = |parts: &[ColumnDecoder<'_>]| parts.iter().map(|p| p.read(table, row)).collect();
        let (inputs, targets): (Outcome<_>, Outcome<_>) = (read(&self.inputs), read(targets));
        Ok([inputs?, targets?])
    }

    /// Runs the model on rows and hands what it says about each to `each`, in their order, until that has enough.
    /// `None` is said about rows that cannot be answered.
    pub(crate) fn each(
        &self,
        table: &Table,
        rows: &[u32],
        runners: &mut Runners,
        state: &mut dyn State,
        mut each: impl FnMut(u32, Option<Vec<Reading>>) -> ControlFlow<()>,
    ) -> Outcome<()> {
        runners.over(table, rows, state, |runner, part| {
            let rows = |name: &str| {
                let values = runner.output(OutputKind::Prediction, name)?;
                Some(values.chunks(values.len() / runner.batch().max(1)))
            };
            let mut all = Vec::with_capacity(self.outputs.len());
            for output in &self.outputs {
                let Some(values) = rows(&output.heading.name) else { continue };
                all.push((values, output.steps().and_then(rows), output));
            }
            for &row in part {
                let said = all.iter_mut().filter_map(|(values, steps, output)| {
                    Some(output.read(values.next()?, steps.as_mut().and_then(Iterator::next)))
                });
                let said: Vec<Reading> = said.collect();
                each(row, table.is_answerable(row as usize).then_some(said))?;
            }
            ControlFlow::Continue(())
        })
    }

    /// What the model said about the first row of the batch.
    pub(crate) fn first(&self, runner: &Runner) -> Vec<Reading> {
        let said = self.outputs.iter().filter_map(|output| {
            let first = |name: &str| {
                let values = runner.output(OutputKind::Prediction, name)?;
                values.chunks(values.len() / runner.batch().max(1)).next()
            };
            Some(output.read(first(&output.heading.name)?, output.steps().and_then(first)))
        });
        said.collect()
    }

    /// Where the numbers of the next row of every input come from.
    ///
    /// # Errors
    /// An input that is no plain number, or of which no output says what it will be.
    pub(crate) fn next_row(&self) -> Result<Vec<Vec<NextCell<'a>>>, Box<Diagnostic>> {
        let mut out: Vec<Vec<NextCell<'a>>> = self.ports.inputs.iter().map(|_| Vec::new()).collect();
        for input in &self.inputs {
            let name = input.stats.source();
            let plain = |part: &ColumnDecoder<'_>| {
                matches!(part.encoding, Encoding::Numbers) && part.width == 1 && !part.stats.indicator
            };
            let target = self.targets.iter().find(|t| t.stats.source() == name && plain(t));
            let (true, Some(target)) = (plain(input), target) else {
                let message = match plain(input) {
                    true => format!(
                        "`{name}` is an input and no target, so nothing says what it is in the rows to come"
                    ),
                    false => format!(
                        "`{name}` is no plain number, and `--ahead` carries numbers only into the rows to come"
                    ),
                };
                let d = Diagnostic::error(Code::N0513, message);
                return Err(Box::new(d.help(format!("in the program: target {name}   or   drop {name}"))));
            };
            let PortId::Target(port) = target.port else { continue };
            let output = self.model.outputs.iter().position(|o| self.target_of(o) == Some(port));
            let output = output.filter(|&o| self.outputs.get(o).is_some_and(|o| !o.undo.is_empty()));
            let Some(output) = output else {
                let message = format!("no output of this network is the `{name}` of the next row");
                return Err(Box::new(Diagnostic::error(Code::N0513, message)));
            };
            let cell = NextCell { at: input.offset, output, place: target.offset, steps: &input.stats.steps };
            if let PortId::Input(port) = input.port
                && let Some(cells) = out.get_mut(port)
            {
                cells.push(cell);
            }
        }
        Ok(out)
    }

    /// The target an output is a prediction of: with one of each, that one; with as many outputs as targets, the
    /// one in its place, where every output could be a prediction of the target in its place.
    pub(crate) fn target_of(&self, info: &OutputInfo) -> Option<usize> {
        let (outputs, targets) = (&self.model.outputs, &self.ports.targets);
        if outputs.len() != targets.len() {
            // Several outputs of one target, such as its quantiles: those that the loss compares with it.
            let size = info.shape.iter().product::<usize>();
            let numbers = |p: &Port| {
                p.classes.is_none()
                    && (p.size() == size || info.parts != Parts::One && size % p.size().max(1) == 0)
            };
            return info.of.filter(|&at| !info.probabilities && targets.get(at).is_some_and(numbers));
        }
        let suits = |(output, target): (&OutputInfo, &Port)| {
            let size = output.shape.iter().product::<usize>();
            match &target.classes {
                Some(classes) => {
                    size == 1 && classes.len() == 2 || output.probabilities && size == classes.len()
                }
                None => !output.probabilities && size == target.shape.iter().product::<usize>(),
            }
        };
        let sure = outputs.len() == 1 || outputs.iter().zip(targets).all(suits);
        outputs.iter().position(|o| o.name == info.name).filter(|_| sure)
    }

    /// The classes an output speaks about.
    fn classes(&self, info: &OutputInfo) -> Option<&'a [String]> {
        let classes = self.ports.targets.get(self.target_of(info)?)?.classes.as_deref()?;
        let yes_no = classes.len() == 2 && info.shape.iter().product::<usize>() == 1;
        (yes_no || info.probabilities && (info.shape.len() == 1 || self.is_sequence(info))).then_some(classes)
    }

    /// Whether an output is the probabilities of a class at every step of its target.
    fn is_sequence(&self, info: &OutputInfo) -> bool {
        let target = self.target_of(info).and_then(|at| self.ports.targets.get(at));
        target.is_some_and(|port| {
            matches!(info.shape[..], [steps, k]
            if port.shape == [steps] && port.classes.as_ref().is_some_and(|c| c.len() == k))
        })
    }

    fn output_decoder(&self, info: &OutputInfo) -> OutputDecoder<'a> {
        let classes = self.classes(info);
        let named = classes.map(<[String]>::to_vec);
        let heading = Heading { name: info.name.clone(), shape: info.shape.clone(), classes: named };
        let words = self.is_sequence(info).then(|| {
            let at = self.target_of(info).unwrap_or_default();
            let stats = self.targets.iter().find(|t| t.port == PortId::Target(at)).map(|t| t.stats);
            (Words::of(&self.ports.targets[at], stats), info.steps.clone())
        });
        let undo = if classes.is_none() { self.scalings(info) } else { Vec::new() };
        OutputDecoder { heading, classes, words, undo }
    }

    /// The scaling of every number of an output: a prediction of a target is told in the target's own terms.
    fn scalings(&self, info: &OutputInfo) -> Vec<Vec<Step>> {
        let Some(target) = self.target_of(info) else { return Vec::new() };
        let parts = || self.targets.iter().filter(|p| p.port == PortId::Target(target));
        let one = parts().map(|p| p.width).sum::<usize>();
        let size = info.shape.iter().product::<usize>();
        let whole = self.ports.targets[target].shape.iter().product::<usize>();
        let last = self.ports.targets[target].shape.last().copied().unwrap_or(1);
        let fits = match info.parts {
            Parts::One => size == whole,
            Parts::Levels => last == one && whole > 0 && size % whole == 0,
            Parts::Law => last == one && size == 2 * whole,
        };
        // Of several rows to come, every one has all columns.
        if one == 0 || !fits || size % one != 0 {
            return Vec::new();
        }
        let mut undo: Vec<Vec<Step>> = vec![Vec::new(); size];
        for part in parts().filter(|p| matches!(p.encoding, Encoding::Numbers)) {
            for (at, row) in undo.chunks_mut(one).enumerate() {
                let spread = info.parts == Parts::Law && at % 2 == 1;
                let steps = if spread { variance(&part.stats.steps) } else { part.stats.steps.clone() };
                row.iter_mut().skip(part.offset).take(part.width).for_each(|s| s.clone_from(&steps));
            }
        }
        undo
    }
}

/// The steps of the logarithm of a variance, of a column with these: it is larger by twice the logarithm of what the
/// column was divided by. Of logarithms it is that of the logarithms.
fn variance(steps: &[Step]) -> Vec<Step> {
    let over = steps.iter().fold(1.0, |all: f64, step| match *step {
        Step::Shift { over, .. } => all * over,
        Step::Log => all,
    });
    vec![Step::Shift { minus: 2.0 * over.abs().ln(), over: 1.0 }]
}

impl OutputDecoder<'_> {
    /// The prediction that says which of its steps there are.
    fn steps(&self) -> Option<&str> {
        self.words.as_ref()?.1.as_deref()
    }

    /// The classes it speaks about, whether it says one at every step, and what undoes its scaling.
    pub(crate) fn meaning(&self) -> (Option<Vec<String>>, bool, &[Vec<Step>]) {
        (self.classes.map(<[String]>::to_vec), self.words.is_some(), &self.undo)
    }

    /// Numbers of the target in the terms of the file: the scaling of every `step`-th number of the output is theirs.
    pub(crate) fn undo(&self, values: &mut [f64], step: usize) {
        for (value, steps) in values.iter_mut().zip(self.undo.iter().step_by(step)) {
            *value = steps.iter().rev().fold(*value, |v, s| s.undo(v));
        }
    }

    pub(crate) fn read(&self, values: Slice<'_>, steps: Option<Slice<'_>>) -> Reading {
        let mut values: Vec<f64> = values.iter().collect();
        if let (Some(classes), Some((words, _))) = (self.classes, &self.words) {
            let there = |at: usize| steps.is_none_or(|s| s.get(at) != Some(0.0));
            let all = values.chunks(classes.len().max(1)).enumerate();
            let said = all.filter(|(at, _)| there(*at)).map(|(_, shares)| largest(shares));
            return Reading { class: Some(words.text(classes, said)), values };
        }
        if let Some(classes) = self.classes {
            let class = match &values[..] {
                [p] => usize::from(*p > 0.5),
                all => largest(all),
            };
            return Reading { class: classes.get(class).cloned(), values };
        }
        for (value, steps) in values.iter_mut().zip(&self.undo) {
            *value = steps.iter().rev().fold(*value, |v, s| s.undo(v));
        }
        Reading { values, class: None }
    }
}

/// The first of the largest.
fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (i, x) in values.iter().enumerate() {
        if *x > values[best] {
            best = i;
        }
    }
    best
}

impl<'a> ColumnDecoder<'a> {
    fn new(column: &Column, stats: &'a ColumnStats, all: &Stats, ports: &Ports) -> Option<Self> {
        let (port, schema) = match column.role {
            Role::Input => (PortId::Input(column.port?), &all.schema.inputs),
            Role::Target => (PortId::Target(column.port?), &all.schema.targets),
            Role::Weight | Role::Drop => return None,
        };
        let origin = schema.get(column.port?)?;
        let port_shape = match port {
            PortId::Input(i) => &ports.inputs.get(i)?.shape,
            PortId::Target(i) => &ports.targets.get(i)?.shape,
        };
        let own = column.width == origin.size();
        let width = column.width - usize::from(stats.indicator && column.width > 1);
        let (encoding, classes, shape) = if let Some(classes) = &origin.classes {
            // Of a window one row is shown.
            let shape = if all.window.is_some() { Vec::new() } else { port_shape.clone() };
            let port = match port {
                PortId::Input(i) => ports.inputs.get(i)?,
                PortId::Target(i) => ports.targets.get(i)?,
            };
            let encoding = match shape[..] {
                [_] => Encoding::Sequence(Words::of(port, Some(stats))),
                _ => Encoding::Class,
            };
            (encoding, Some(classes.clone()), shape)
        } else if stats.one_hot
            && stats.vocabulary.len() <= column.width
            && column.kind == ColumnKind::Category
        {
            (Encoding::OneHot, Some(stats.vocabulary.clone()), Vec::new())
        } else if column.kind == ColumnKind::Tensor && own {
            (Encoding::Numbers, None, port_shape.clone())
        } else {
            let shape = if width == 1 { Vec::new() } else { vec![width] };
            (Encoding::Numbers, None, shape)
        };
        let width = if matches!(encoding, Encoding::OneHot) { stats.vocabulary.len() } else { width };
        let heading = Heading { name: column.name.clone(), shape, classes };
        Some(Self { heading, port, offset: column.offset, width, stats, encoding })
    }

    /// A number before its scaling.
    fn undo(&self, value: f64) -> f64 {
        self.stats.steps.iter().rev().fold(value, |v, s| s.undo(v))
    }

    fn read(&self, table: &Table, row: u32) -> Outcome<Reading> {
        let mut all = Vec::new();
        table.named_row(self.port, row as usize, &mut all).map_err(|f| internal(&f))?;
        let slots = all.get(self.offset..self.offset + self.width).unwrap_or(&[]);
        let names = self.heading.classes.as_deref().unwrap_or_default();
        Ok(match (&self.encoding, slots) {
            (Encoding::Class, [class]) => {
                Reading { values: slots.to_vec(), class: names.get(*class as usize).cloned() }
            }
            (Encoding::OneHot, slots) => {
                let at = largest(slots);
                let class = slots.get(at).filter(|x| **x > 0.0).and_then(|_| names.get(at).cloned());
                Reading { values: slots.to_vec(), class }
            }
            (Encoding::Sequence(words), slots) => {
                let class = words.text(names, slots.iter().map(|x| *x as usize));
                Reading { values: slots.to_vec(), class: Some(class) }
            }
            (Encoding::Class, slots) => Reading { values: slots.to_vec(), class: None },
            (Encoding::Numbers, slots) => {
                Reading { values: slots.iter().map(|x| self.undo(*x)).collect(), class: None }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread() {
        assert_eq!(evenly_spaced(4, 8), [0, 1, 2, 3]);
        assert_eq!(evenly_spaced(80, 8), [0, 10, 20, 30, 40, 50, 60, 70]);
        assert!(evenly_spaced(0, 8).is_empty());
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(largest(&[0.1, 0.4, 0.4]), 1);
        assert_eq!(largest(&[]), 0);
    }
}
