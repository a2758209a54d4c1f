//! `nnc predict`: what a trained network says, as CSV or JSON.

use crate::args::TargetArgs;
use crate::commands::Run;
use crate::commands::eval::options;
use crate::failure::Result;
use crate::format::{exact, number};
use crate::output::Output;
use clap::Args;
use nnc_train::{Heading, Predictions, Reading, open_model, predict};
use serde_json::{Map, Value, json};

/// What a trained network says
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc predict xor.nn --round
  nnc predict runs/iris/1 --data new.csv > answers.csv
  cat new.csv | nnc predict runs/iris/1/model.safetensors --data - --json")]
pub struct PredictArgs {
    /// Which network.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Round numbers to whole ones; of a class, give the name only
    #[arg(long)]
    pub round: bool,
    /// Print inputs and targets beside the predictions
    #[arg(long)]
    pub full: bool,
}

/// Lines are written in portions of about this many bytes.
const PORTION: usize = 1 << 16;

impl Run for PredictArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Predicts and prints.
fn run(args: &PredictArgs, out: &mut Output) -> Result<u8> {
    let trained = open_model(&args.target.target)?;
    let predictions = predict(&trained, &options(&args.target))?;
    let style = Style { round: args.round, full: args.full };
    if args.target.json {
        out.json(&style.object(&predictions))?;
    } else {
        style.csv(&predictions, &mut |text| out.result(text))?;
    }
    Ok(0)
}

#[derive(Clone, Copy)]
struct Style {
    round: bool,
    full: bool,
}

impl Style {
    fn csv(self, p: &Predictions, write: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let mut names: Vec<String> = Vec::new();
        if self.full {
            p.inputs.iter().for_each(|h| titles(h, false, &mut names));
            p.targets.iter().for_each(|h| titles(h, false, &mut names));
        }
        p.outputs.iter().for_each(|h| titles(h, !self.round, &mut names));
        let mut text = line(&names);
        for row in &p.rows {
            let mut cells: Vec<String> = Vec::new();
            if self.full {
                cells_of(&p.inputs, &row.inputs, false, false, &mut cells);
                cells_of(&p.targets, &row.targets, false, false, &mut cells);
            }
            cells_of(&p.outputs, &row.outputs, !self.round, self.round, &mut cells);
            text.push_str(&line(&cells));
            if text.len() > PORTION {
                write(&text)?;
                text.clear();
            }
        }
        write(&text)
    }

    fn object(self, p: &Predictions) -> Value {
        let rows = p.rows.iter().map(|row| {
            let mut out = Map::new();
            out.insert("row".into(), json!(row.row + 1));
            if self.full {
                insert(&mut out, &p.inputs, &row.inputs, false, false);
                insert(&mut out, &p.targets, &row.targets, false, false);
            }
            insert(&mut out, &p.outputs, &row.outputs, !self.round, self.round);
            Value::Object(out)
        });
        json!({ "rows": rows.collect::<Vec<Value>>() })
    }
}

/// A class has a column for its name and, if wanted, one for every probability.
fn titles(heading: &Heading, probabilities: bool, out: &mut Vec<String>) {
    let name = &heading.name;
    if let Some(classes) = &heading.classes {
        out.push(name.clone());
        if probabilities {
            out.extend(shares(heading).map(|i| match (classes.len(), wide(heading)) {
                (2, 1) => format!("{name}.{}", classes[1]),
                _ => classes.get(i).map_or_else(|| format!("{name}.{i}"), |class| format!("{name}.{class}")),
            }));
        }
        return;
    }
    match wide(heading) {
        1 => out.push(name.clone()),
        n => out.extend((1..=n).map(|i| format!("{name}.{i}"))),
    }
}

fn shares(heading: &Heading) -> std::ops::Range<usize> {
    0..if heading.shape.is_empty() { 0 } else { wide(heading) }
}

fn wide(heading: &Heading) -> usize {
    heading.shape.iter().product()
}

fn cells_of(
    headings: &[Heading],
    readings: &[Reading],
    probabilities: bool,
    round: bool,
    out: &mut Vec<String>,
) {
    let nothing = Reading::default();
    for (i, heading) in headings.iter().enumerate() {
        let reading = readings.get(i).unwrap_or(&nothing);
        let value = |j: usize| reading.values.get(j).map_or(String::new(), |x| exact(rounded(*x, round)));
        if heading.classes.is_some() {
            out.push(reading.class.clone().unwrap_or_else(|| value(0)));
            if probabilities {
                out.extend(shares(heading).map(value));
            }
        } else {
            out.extend((0..wide(heading)).map(value));
        }
    }
}

/// The nearest whole number; of two, the even one, so that 0.5 is not above one half.
fn rounded(x: f64, round: bool) -> f64 {
    // Adding zero makes -0 a plain 0.
    if round { x.round_ties_even() + 0.0 } else { x }
}

fn insert(
    out: &mut Map<String, Value>,
    headings: &[Heading],
    readings: &[Reading],
    probabilities: bool,
    round: bool,
) {
    for (heading, reading) in headings.iter().zip(readings) {
        let mut values: Vec<Value> = reading.values.iter().map(|x| number(rounded(*x, round))).collect();
        let value = match (&reading.class, values.len()) {
            (Some(class), _) => json!(class),
            (None, 1) => values.remove(0),
            (None, _) => Value::Array(std::mem::take(&mut values)),
        };
        out.insert(heading.name.clone(), value);
        if probabilities && reading.class.is_some() && !heading.shape.is_empty() {
            out.insert(format!("{}.values", heading.name), Value::Array(values));
        }
    }
}

/// A line of CSV; quoted where a cell asks for it.
fn line(cells: &[String]) -> String {
    let mut out = String::new();
    for (i, cell) in cells.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            out.push_str(&format!("\"{}\"", cell.replace('"', "\"\"")));
        } else {
            out.push_str(cell);
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_train::PredictedRow;

    fn heading(name: &str, shape: &[usize], classes: Option<&[&str]>) -> Heading {
        let classes = classes.map(|c| c.iter().map(|s| (*s).to_string()).collect());
        Heading { name: name.into(), shape: shape.to_vec(), classes }
    }

    fn csv(p: &Predictions, round: bool, full: bool) -> String {
        let mut text = String::new();
        let style = Style { round, full };
        style
            .csv(p, &mut |t| {
                text.push_str(t);
                Ok(())
            })
            .unwrap();
        text
    }

    #[test]
    fn numbers_and_inputs() {
        let reading = |x: f64| Reading { values: vec![x], class: None };
        let p = Predictions {
            inputs: vec![heading("a,b", &[1], None)],
            targets: vec![heading("y", &[1], None)],
            outputs: vec![heading("output", &[1], None)],
            rows: vec![PredictedRow {
                row: 0,
                inputs: vec![reading(1.0)],
                targets: vec![],
                outputs: vec![reading(f64::from(0.7f32))],
            }],
        };
        assert_eq!(csv(&p, false, false), "output\n0.7\n");
        assert_eq!(csv(&p, true, true), "\"a,b\",y,output\n1,,1\n");
    }

    #[test]
    fn classes_and_their_probabilities() {
        let p = Predictions {
            outputs: vec![heading("kind", &[3], Some(&["x", "y", "z"]))],
            rows: vec![PredictedRow {
                outputs: vec![Reading { values: vec![0.25, 0.5, 0.25], class: Some("y".into()) }],
                ..PredictedRow::default()
            }],
            ..Predictions::default()
        };
        assert_eq!(csv(&p, false, false), "kind,kind.x,kind.y,kind.z\ny,0.25,0.5,0.25\n");
        assert_eq!(csv(&p, true, false), "kind\ny\n");
        let object = Style { round: false, full: false }.object(&p);
        assert_eq!(object.to_string(), r#"{"rows":[{"row":1,"kind":"y","kind.values":[0.25,0.5,0.25]}]}"#);
    }
}
