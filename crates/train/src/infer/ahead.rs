//! Forecasts further on than a network was trained for: what it says of the next row is the last row of the next
//! window.

use crate::binding::encode::Purpose;
use crate::execute::runner::internal;
use crate::infer::beside::BesideReader;
use crate::infer::decode::{Decoder, NextCell};
use crate::infer::inference::{InferOptions, Ready, Trained};
use crate::infer::predictions::{Answers, Beside};
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{PortId, Standing, Table};
use nnc_syntax::{Code, Diagnostic};

/// Tells what a trained model says about the `ahead` rows after the last one, of every series where there are several:
/// its own forecasts become rows of its windows, scaled as the inputs are.
///
/// # Errors
/// The data cannot be read or does not fit the model; the model has no windows, its target is not the row after them,
/// or it has an input that is no target too, so that nothing says what comes next.
pub fn predict_ahead(
    model: &Trained,
    options: &InferOptions,
    ahead: usize,
    beside: &Beside,
    to: &mut dyn Answers,
) -> Outcome<()> {
    let length = window(model)?;
    let decoder = Decoder::new(&model.stats, &model.ports, &model.model);
    let next = decoder.next_row().map_err(|d| Problem::new(ProblemKind::Data, *d))?;
    let asked = model.asked(options)?;
    let keys: Vec<String> = model.stats.by.iter().map(|c| c.name.clone()).collect();
    let keys = Beside::Columns(keys);
    let beside = if *beside == Beside::Nothing && !model.stats.by.is_empty() { &keys } else { beside };
    if *beside != Beside::Nothing && asked.is_stdin() {
        nnc_data::keep_stdin().map_err(|f| crate::binding::encode::fault_problem(&f))?;
    }
    let mut ready = Ready::new(model, options)?;
    let mut cells = BesideReader::open(&asked, &model.stats, beside)?;
    let table = asked.table(&model.stats, Purpose::Answer)?;
    if to.begin(&cells.headings(&table, &decoder, true)?).is_break() {
        return Ok(());
    }
    for row in table.in_source_order() {
        let Some(Standing::After(last, 1)) = table.standing(row as usize) else { continue };
        let mut windows = windows_of(model, &table, row)?;
        for step in 1..=ahead {
            let said = match table.is_answerable(row as usize) {
                true => Some(ready.said(model, &decoder, &windows)?),
                false => None,
            };
            let standing = Standing::After(last, step);
            let answer = cells.answer_at(&table, &decoder, row, standing, said)?;
            if to.answer(&answer).is_break() {
                return Ok(());
            }
            let Some(said) = answer.outputs else { continue };
            for (window, cells) in windows.iter_mut().zip(&next) {
                let width = window.len() / length;
                window.rotate_left(width);
                let begin = window.len() - width;
                for NextCell { at, output, place, steps } in cells {
                    let value =
                        said.get(*output).and_then(|r| r.values.get(*place)).copied().unwrap_or(f64::NAN);
                    window[begin + at] = steps.iter().fold(value, |v, s| s.apply(v));
                }
            }
        }
    }
    Ok(())
}

/// The rows of a window whose target is the row after it.
fn window(model: &Trained) -> Outcome<usize> {
    let message = match model.stats.window {
        Some(w) if w.horizon == 1 && w.until.is_none() => return Ok(w.length),
        Some(_) => {
            "the target of this network is not the one row after its window, so that its forecasts do not follow each other"
        }
        None => "`--ahead` is for a network of windows, which says what the next row is",
    };
    let d = Diagnostic::error(Code::N0513, message)
        .help("in the program: data \"f.csv\" window=24 horizon=1 { input score; target score }");
    Err(Problem::new(ProblemKind::Data, d))
}

/// The numbers of a window, of every input.
fn windows_of(model: &Trained, table: &Table, row: u32) -> Outcome<Vec<Vec<f64>>> {
    let all = model.ports.inputs.iter().enumerate().map(|(i, port)| {
        let mut window = vec![0.0; port.shape.iter().product()];
        table.gather_f64(PortId::Input(i), &[row], &mut window).map_err(|f| internal(&f))?;
        Ok(window)
    });
    all.collect()
}
