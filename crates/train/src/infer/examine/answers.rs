//! Answers beside what is true, gathered batch by batch.

use super::examined::{Answered, Compared};
use crate::execute::runner::{Runner, internal};
use crate::infer::decode::Decoder;
use crate::infer::inference::Trained;
use crate::problem::Outcome;
use nnc_data::{PortId, Table};
use nnc_graph::OutputKind;
use nnc_model::Parts;

/// Numbers of one row that are told apart; those of larger ones are told together.
const COLUMNS: usize = 16;

/// Gathers what outputs say.
pub(super) struct Gathering<'a> {
    decoder: &'a Decoder<'a>,
    all: Vec<One>,
}

/// An output with its target.
struct One {
    output: usize,
    target: usize,
    /// Numbers of a row of the target.
    width: usize,
    /// The names of the classes, or of the numbers.
    names: Vec<String>,
    classes: bool,
    /// Whether every second number of the output is none of the target's.
    law: bool,
    rows: Vec<usize>,
    truth: Vec<f64>,
    said: Vec<f64>,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(model: &Trained, decoder: &'a Decoder<'a>) -> Self {
        let outputs = model.model.outputs.iter().enumerate();
        let one = |(output, info): (usize, &nnc_model::OutputInfo)| {
            let target = decoder.target_of(info)?;
            let port = model.ports.targets.get(target)?;
            let size = info.shape.iter().product::<usize>();
            let width = port.shape.iter().product::<usize>();
            let classes = decoder.outputs.get(output)?.heading.classes.clone();
            let law = info.parts == Parts::Law && size == 2 * width;
            let numbers = port.classes.is_none() && (info.parts == Parts::One && size == width || law);
            let classes = classes.filter(|names| size == names.len() || size == 1 && names.len() == 2);
            // A class at every step, where no step is padding.
            let at_steps = info.probabilities && width > 1 && !port.padded;
            let of_steps = port.classes.clone().filter(|names| at_steps && size == width * names.len());
            let fits = classes.is_some() && width == 1 || of_steps.is_some() || numbers;
            let classes = of_steps.or(classes);
            if port.ragged || !fits {
                return None;
            }
            let columns = || {
                let columns = model.stats.columns_of(PortId::Target(target));
                let names: Vec<String> = columns.map(|c| c.name.clone()).collect();
                if names.len() == width {
                    names
                } else {
                    (1..=width).map(|i| format!("{} {i}", port.name)).collect()
                }
            };
            Some(One {
                output,
                target,
                width,
                names: classes.clone().unwrap_or_else(columns),
                classes: classes.is_some(),
                law,
                rows: Vec::new(),
                truth: Vec::new(),
                said: Vec::new(),
            })
        };
        Self { decoder, all: outputs.filter_map(one).collect() }
    }

    /// Adds the rows that a runner has just run over.
    pub(super) fn add(&mut self, table: &Table, runner: &Runner, rows: &[u32]) -> Outcome<()> {
        for one in &mut self.all {
            let Some(output) = self.decoder.outputs.get(one.output) else { continue };
            let Some(values) = runner.output(OutputKind::Prediction, &output.heading.name) else { continue };
            let mut truth = vec![0.0; rows.len() * one.width];
            table.gather_f64(PortId::Target(one.target), rows, &mut truth).map_err(|f| internal(&f))?;
            let each = values.len() / runner.batch().max(1);
            for ((row, said), truth) in rows.iter().zip(values.chunks(each)).zip(truth.chunks_mut(one.width))
            {
                one.rows.push(table.source_row(*row as usize).unwrap_or(*row as usize));
                let said = output.read(said, None).values;
                if one.law {
                    one.said.extend(said.iter().step_by(2));
                } else {
                    one.said.extend(said);
                }
                if !one.classes {
                    output.undo(truth, if one.law { 2 } else { 1 });
                }
                one.truth.extend_from_slice(truth);
            }
        }
        Ok(())
    }

    /// All answers.
    pub(super) fn finish(self) -> Vec<Answered> {
        let Self { decoder, all } = self;
        let name =
            |one: &One| decoder.outputs.get(one.output).map_or(String::new(), |o| o.heading.name.clone());
        all.into_iter()
            .filter(|one| !one.rows.is_empty())
            .map(|mut one| Answered {
                output: name(&one),
                rows: std::mem::take(&mut one.rows),
                what: one.compared(),
            })
            .collect()
    }
}

impl One {
    fn compared(self) -> Compared {
        let Self { names, classes, truth, said, width, .. } = self;
        let codes = || truth.iter().map(|x| *x as usize).collect::<Vec<_>>();
        let both = |said: Vec<f64>| said.into_iter().flat_map(|p| [1.0 - p, p]).collect();
        let single = said.len() == truth.len();
        if classes {
            let truth = codes();
            // One number for two classes says how sure the second one is.
            let scores = if single { both(said) } else { said };
            return Compared::Classes { names, truth, scores, steps: width };
        }
        let yes_no =
            truth.iter().all(|x| *x == 0.0 || *x == 1.0) && said.iter().all(|p| (0.0..=1.0).contains(p));
        match (yes_no, width) {
            (true, 1) => {
                let names = ["0", "1"].map(String::from).to_vec();
                Compared::Classes { names, truth: codes(), scores: both(said), steps: 1 }
            }
            (true, 2..=COLUMNS) => Compared::Questions { names, truth: codes(), scores: said },
            (_, 0..=COLUMNS) => Compared::Numbers { names, truth, said },
            // Those of a picture, or of many steps, are of one kind.
            _ => Compared::Numbers { names: vec!["all numbers".into()], truth, said },
        }
    }
}
