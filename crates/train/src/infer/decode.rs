//! Rows for people: encoded numbers back in the terms of the file, predictions beside them.

use crate::execute::runner::{Runners, internal};
use crate::infer::predictions::{Heading, PredictedRow, Predictions, Reading};
use crate::problem::Outcome;
use nnc_backend::{Slice, State};
use nnc_data::{Column, ColumnKind, ColumnStats, PortId, Role, Stats, Table};
use nnc_graph::OutputKind;
use nnc_model::{Model, OutputInfo, Port, Ports};

/// Evenly chosen rows, the first among them.
pub(crate) fn evenly_spaced(rows: usize, most: usize) -> Vec<u32> {
    let count = rows.min(most);
    (0..count).map(|i| (i * rows / count) as u32).collect()
}

/// Encoding the slots of a column are read.
enum Encoding {
    /// One slot per category.
    OneHot,
    /// The number of a class.
    Class,
    /// Numbers, with their scaling.
    Numbers,
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

/// Reads encoded rows.
pub(crate) struct Decoder<'a> {
    ports: &'a Ports,
    model: &'a Model,
    inputs: Vec<ColumnDecoder<'a>>,
    targets: Vec<ColumnDecoder<'a>>,
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
        Self { ports, model, inputs: parts(Role::Input), targets: parts(Role::Target) }
    }

    /// Reads rows of a table and runs the model on them.
    pub(crate) fn read(
        &self,
        table: &Table,
        rows: &[u32],
        runners: &mut Runners,
        state: &mut dyn State,
    ) -> Outcome<Predictions> {
        let targets = if table.has_targets() { &self.targets[..] } else { &[] };
        let headings = |parts: &[ColumnDecoder<'_>]| parts.iter().map(|p| p.heading.clone()).collect();
        let mut out = Predictions {
            inputs: headings(&self.inputs),
            targets: headings(targets),
            outputs: self.model.outputs.iter().map(|o| self.output_heading(o)).collect(),
            rows: Vec::with_capacity(rows.len()),
        };
        for &row in rows {
            out.rows.push(PredictedRow {
                row: table.source_row(row as usize).unwrap_or(row as usize),
                inputs: self.inputs.iter().map(|p| p.read(table, row)).collect::<Outcome<_>>()?,
                targets: targets.iter().map(|p| p.read(table, row)).collect::<Outcome<_>>()?,
                outputs: Vec::new(),
            });
        }
        let mut at = 0;
        runners.over(table, rows, state, |runner, part| {
            for info in &self.model.outputs {
                let Some(values) = runner.output(OutputKind::Prediction, &info.name) else {
                    continue;
                };
                let width = values.len() / runner.batch().max(1);
                for (values, row) in values.chunks(width).zip(&mut out.rows[at..]).take(part.len()) {
                    row.outputs.push(self.output(info, values));
                }
            }
            at += part.len();
        })?;
        Ok(out)
    }

    /// The target an output is a prediction of: with one of each, that one; with as many outputs as targets, the
    /// one in its place, where every output could be a prediction of the target in its place.
    fn target_of(&self, info: &OutputInfo) -> Option<usize> {
        let (outputs, targets) = (&self.model.outputs, &self.ports.targets);
        if outputs.len() != targets.len() {
            return None;
        }
        let suits = |(output, target): (&OutputInfo, &Port)| {
            let size = output.shape.iter().product::<usize>();
            match &target.classes {
                Some(classes) => {
                    output.probabilities && (size == classes.len() || size == 1 && classes.len() == 2)
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
        (yes_no || info.probabilities && info.shape.len() == 1).then_some(classes)
    }

    fn output_heading(&self, info: &OutputInfo) -> Heading {
        let classes = self.classes(info).map(<[String]>::to_vec);
        Heading { name: info.name.clone(), shape: info.shape.clone(), classes }
    }

    fn output(&self, info: &OutputInfo, values: Slice<'_>) -> Reading {
        let mut values: Vec<f64> = values.iter().collect();
        if let Some(classes) = self.classes(info) {
            let class = match &values[..] {
                [p] => usize::from(*p > 0.5),
                all => largest(all),
            };
            return Reading { class: classes.get(class).cloned(), values };
        }
        // A prediction of the target is told in the target's own terms.
        let Some(target) = self.target_of(info) else { return Reading { values, class: None } };
        let parts = || self.targets.iter().filter(|p| p.port == PortId::Target(target));
        if parts().map(|p| p.width).sum::<usize>() == values.len() {
            for part in parts().filter(|p| matches!(p.encoding, Encoding::Numbers)) {
                let slots = values.iter_mut().skip(part.offset).take(part.width);
                slots.for_each(|v| *v = part.undo(*v));
            }
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
            (Encoding::Class, Some(classes.clone()), port_shape.clone())
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
        let mut all = vec![0.0; table.width(self.port).unwrap_or(0)];
        table.gather_f64(self.port, &[row], &mut all).map_err(|f| internal(&f))?;
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
