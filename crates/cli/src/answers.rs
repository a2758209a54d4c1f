//! Answers as text: CSV, one JSON object, or one a line.

use crate::failure::Result;
use crate::format::{number, write_exact};
use nnc_train::{Answer, Answers, CellHeading, CellValue, Heading, Headings, Reading, Standing};
use serde_json::{Map, Number, Value, json};
use std::ops::ControlFlow;

/// How answers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Lines of cells below a line of names.
    Csv,
    /// One object that holds all rows.
    Json,
    /// An object for every row, one a line.
    JsonLines,
}

/// Lines are written in portions of about this many bytes.
const PORTION: usize = 1 << 16;

/// Writes answers as they come.
pub struct Printer<'a> {
    form: Form,
    round: bool,
    /// Whether only rows to come are told, with how far ahead they are.
    pub ahead: bool,
    headings: Headings,
    /// What is not written yet.
    text: String,
    begun: bool,
    write: &'a mut dyn FnMut(&str) -> Result<()>,
    failed: Result<()>,
}

impl<'a> Printer<'a> {
    /// Nothing is written before the answers begin.
    pub fn new(form: Form, round: bool, write: &'a mut dyn FnMut(&str) -> Result<()>) -> Self {
        let headings = Headings::default();
        Self { form, round, ahead: false, headings, text: String::new(), begun: false, write, failed: Ok(()) }
    }

    /// Writes what is left; not where nothing was begun.
    pub fn finish(mut self) -> Result<()> {
        if self.form == Form::Json && self.begun {
            self.text.push_str("]}\n");
        }
        self.failed?;
        (self.write)(&self.text)
    }

    /// Writes what there is, now.
    pub fn now(&mut self) -> Result<()> {
        let _ = self.flush(1);
        std::mem::replace(&mut self.failed, Ok(()))
    }

    fn flush(&mut self, least: usize) -> ControlFlow<()> {
        if self.text.len() < least {
            return ControlFlow::Continue(());
        }
        let written = (self.write)(&self.text);
        self.text.clear();
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failed = Err(failure);
                ControlFlow::Break(())
            }
        }
    }

    /// The line above the answers.
    fn titles(&mut self, headings: &Headings) {
        let mut line = CsvLine::new(&mut self.text);
        if self.ahead {
            line.cell("ahead");
        } else if headings.windows && !headings.cells.is_empty() {
            line.cell("row");
        }
        for heading in &headings.cells {
            match heading {
                CellHeading::Text { name, .. } => line.cell(name),
                CellHeading::Reading(heading) => titles(heading, false, &mut line),
            }
        }
        headings.outputs.iter().for_each(|h| titles(h, !self.round, &mut line));
        line.end();
    }

    /// The number of a row, from 1. One that is not in the file has the next number; not so where it is of one of
    /// several series.
    fn row(&self, standing: Standing) -> Option<usize> {
        match standing {
            Standing::Row(row) => Some(row + 1),
            Standing::After(last, ahead) => (!self.headings.series).then_some(last + ahead + 1),
        }
    }

    fn csv(&mut self, answer: &Answer) {
        let row = self.row(answer.standing);
        let mut line = CsvLine::new(&mut self.text);
        if let (true, Standing::After(_, ahead)) = (self.ahead, answer.standing) {
            line.cell(&ahead.to_string());
        } else if self.headings.windows && !self.headings.cells.is_empty() {
            line.cell(&row.map_or(String::new(), |row| row.to_string()));
        }
        let nothing = Reading::default();
        for (heading, cell) in self.headings.cells.iter().zip(&answer.cells) {
            match (heading, cell) {
                (CellHeading::Reading(heading), CellValue::Reading(reading)) => {
                    cells_of(heading, reading, false, false, &mut line);
                }
                (_, CellValue::Text(text)) => line.cell(text),
                (_, CellValue::Reading(_)) => line.cell(""),
            }
        }
        for (i, heading) in self.headings.outputs.iter().enumerate() {
            let reading = answer.outputs.as_ref().and_then(|o| o.get(i)).unwrap_or(&nothing);
            cells_of(heading, reading, !self.round, self.round, &mut line);
        }
        line.end();
    }

    fn object(&mut self, answer: &Answer) {
        let mut out = Map::new();
        out.insert("row".into(), json!(self.row(answer.standing)));
        if let Standing::After(last, ahead) = answer.standing {
            out.insert("after".into(), json!(last + 1));
            out.insert("ahead".into(), json!(ahead));
        }
        for (heading, cell) in self.headings.cells.iter().zip(&answer.cells) {
            match (heading, cell) {
                (CellHeading::Reading(heading), CellValue::Reading(reading)) => {
                    insert(&mut out, heading, Some(reading), false, false);
                }
                (CellHeading::Text { name, number }, CellValue::Text(text)) => {
                    out.insert(name.clone(), json_cell(text, *number));
                }
                (heading, _) => drop(out.insert(heading.name().into(), Value::Null)),
            }
        }
        for (i, heading) in self.headings.outputs.iter().enumerate() {
            let reading = answer.outputs.as_ref().and_then(|o| o.get(i));
            insert(&mut out, heading, reading, !self.round, self.round);
        }
        self.text.push_str(&Value::Object(out).to_string());
    }
}

impl Answers for Printer<'_> {
    fn begin(&mut self, headings: &Headings) -> ControlFlow<()> {
        self.headings = headings.clone();
        self.begun = true;
        match self.form {
            Form::Json => self.text.push_str("{\"rows\":["),
            Form::JsonLines => {}
            Form::Csv => self.titles(headings),
        }
        ControlFlow::Continue(())
    }

    fn answer(&mut self, answer: &Answer) -> ControlFlow<()> {
        match self.form {
            Form::Json => {
                if !self.text.ends_with('[') {
                    self.text.push(',');
                }
                self.object(answer);
            }
            Form::JsonLines => {
                self.object(answer);
                self.text.push('\n');
            }
            Form::Csv => self.csv(answer),
        }
        self.flush(PORTION)
    }
}

/// A cell of the file: a number where the model reads one and JSON writes numbers so, else the text.
fn json_cell(text: &str, number: bool) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    match number.then(|| serde_json::from_str::<Number>(text).ok()).flatten() {
        Some(number) => Value::Number(number),
        None => json!(text),
    }
}

/// A class has a column for its name and, if wanted, one for every probability.
fn titles(heading: &Heading, probabilities: bool, line: &mut CsvLine<'_>) {
    let name = &heading.name;
    if let Some(classes) = &heading.classes {
        line.cell(name);
        if probabilities {
            for i in shares(heading) {
                line.cell(&match (classes.len(), &heading.shape[..]) {
                    (2, [1]) => format!("{name}.{}", classes[1]),
                    // A class at every step.
                    (k, [_, _]) => format!("{name}.{}.{}", i / k + 1, classes[i % k]),
                    _ => classes
                        .get(i)
                        .map_or_else(|| format!("{name}.{i}"), |class| format!("{name}.{class}")),
                });
            }
        }
        return;
    }
    match wide(heading) {
        1 => line.cell(name),
        n => (1..=n).for_each(|i| line.cell(&format!("{name}.{i}"))),
    }
}

fn shares(heading: &Heading) -> std::ops::Range<usize> {
    0..if heading.shape.is_empty() { 0 } else { wide(heading) }
}

fn wide(heading: &Heading) -> usize {
    heading.shape.iter().product()
}

fn cells_of(heading: &Heading, reading: &Reading, probabilities: bool, round: bool, line: &mut CsvLine<'_>) {
    let value = |line: &mut CsvLine<'_>, j: usize| match reading.values.get(j) {
        Some(x) => line.number(rounded(*x, round)),
        None => line.cell(""),
    };
    if heading.classes.is_some() {
        match &reading.class {
            Some(class) => line.cell(class),
            None => value(line, 0),
        }
        if probabilities {
            shares(heading).for_each(|j| value(line, j));
        }
    } else {
        (0..wide(heading)).for_each(|j| value(line, j));
    }
}

/// The nearest whole number; of two, the even one, so that 0.5 is not above one half.
fn rounded(x: f64, round: bool) -> f64 {
    // Adding zero makes -0 a plain 0.
    if round { x.round_ties_even() + 0.0 } else { x }
}

fn insert(
    out: &mut Map<String, Value>,
    heading: &Heading,
    reading: Option<&Reading>,
    probabilities: bool,
    round: bool,
) {
    let values = format!("{}.values", heading.name);
    let has_values = probabilities && heading.classes.is_some() && !heading.shape.is_empty();
    let Some(reading) = reading else {
        out.insert(heading.name.clone(), Value::Null);
        if has_values {
            out.insert(values, Value::Null);
        }
        return;
    };
    let sequence = heading.shape.len() == 2;
    let mut numbers: Vec<Value> = reading.values.iter().map(|x| number(rounded(*x, round))).collect();
    let value = match (&reading.class, numbers.len()) {
        (Some(class), _) => json!(class),
        (None, 1) => numbers.remove(0),
        (None, _) => nested(std::mem::take(&mut numbers), &heading.shape),
    };
    out.insert(heading.name.clone(), value);
    if has_values && reading.class.is_some() {
        out.insert(values, if sequence { nested(numbers, &heading.shape) } else { Value::Array(numbers) });
    }
}

/// Numbers in lists of lists, by the shape.
fn nested(numbers: Vec<Value>, shape: &[usize]) -> Value {
    match shape {
        [_, rest @ ..] if !rest.is_empty() => {
            let one = rest.iter().product::<usize>().max(1);
            Value::Array(numbers.chunks(one).map(|part| nested(part.to_vec(), rest)).collect())
        }
        _ => Value::Array(numbers),
    }
}

/// A line of CSV that is being written; cells are quoted where they ask for it.
struct CsvLine<'a> {
    text: &'a mut String,
    begin: usize,
    first: bool,
}

impl<'a> CsvLine<'a> {
    fn new(text: &'a mut String) -> Self {
        let begin = text.len();
        Self { text, begin, first: true }
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
    }

    fn cell(&mut self, cell: &str) {
        self.next();
        if cell.contains([',', '"', '\n', '\r']) {
            self.text.push('"');
            self.text.push_str(&cell.replace('"', "\"\""));
            self.text.push('"');
        } else {
            self.text.push_str(cell);
        }
    }

    fn number(&mut self, x: f64) {
        self.next();
        write_exact(self.text, x);
    }

    fn end(self) {
        // An empty line would be passed over by whoever reads it.
        if self.text.len() == self.begin {
            self.text.push_str("\"\"");
        }
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(name: &str, shape: &[usize], classes: Option<&[&str]>) -> Heading {
        let classes = classes.map(|c| c.iter().map(|s| (*s).to_string()).collect());
        Heading { name: name.into(), shape: shape.to_vec(), classes }
    }

    fn printed(headings: &Headings, answers: &[Answer], json: bool, round: bool) -> String {
        let form = if json { Form::Json } else { Form::Csv };
        let mut text = String::new();
        let mut write = |t: &str| {
            text.push_str(t);
            Ok(())
        };
        let mut printer = Printer::new(form, round, &mut write);
        assert!(printer.begin(headings).is_continue());
        answers.iter().for_each(|a| assert!(printer.answer(a).is_continue()));
        printer.finish().unwrap();
        text
    }

    #[test]
    fn numbers_and_cells() {
        let headings = Headings {
            cells: vec![
                CellHeading::Text { name: "a,b".into(), number: true },
                CellHeading::Text { name: "id".into(), number: false },
            ],
            outputs: vec![heading("output", &[1], None)],
            ..Headings::default()
        };
        let cells = |a: &str, b: &str| vec![CellValue::Text(a.into()), CellValue::Text(b.into())];
        let reading = |x: f64| Reading { values: vec![x], class: None };
        let answers = [
            Answer {
                standing: Standing::Row(0),
                cells: cells("0.10", "7"),
                outputs: Some(vec![reading(f64::from(0.7f32))]),
            },
            Answer { standing: Standing::Row(1), cells: cells("", "x\"y"), outputs: None },
        ];
        let csv = printed(&headings, &answers, false, false);
        assert_eq!(csv, "\"a,b\",id,output\n0.10,7,0.7\n,\"x\"\"y\",\n");
        assert!(printed(&headings, &answers, false, true).contains("0.10,7,1\n"));
        let json = printed(&headings, &answers, true, false);
        let rows: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(rows["rows"][0], json!({"row": 1, "a,b": 0.1, "id": "7", "output": 0.7}));
        assert_eq!(rows["rows"][1], json!({"row": 2, "a,b": null, "id": "x\"y", "output": null}));
        let bare = Headings { cells: Vec::new(), ..headings };
        let answers = answers.map(|a| Answer { cells: Vec::new(), ..a });
        assert_eq!(printed(&bare, &answers, false, false), "output\n0.7\n\"\"\n");
    }

    #[test]
    fn classes_and_their_probabilities() {
        let headings =
            Headings { outputs: vec![heading("kind", &[3], Some(&["x", "y", "z"]))], ..Headings::default() };
        let said = Reading { values: vec![0.25, 0.5, 0.25], class: Some("y".into()) };
        let answers = [
            Answer { standing: Standing::Row(0), cells: Vec::new(), outputs: Some(vec![said]) },
            Answer { standing: Standing::After(3, 2), cells: Vec::new(), outputs: None },
        ];
        let csv = printed(&headings, &answers, false, false);
        assert_eq!(csv, "kind,kind.x,kind.y,kind.z\ny,0.25,0.5,0.25\n,,,\n");
        assert_eq!(printed(&headings, &answers, false, true), "kind\ny\n\"\"\n");
        let rows = r#"{"rows":[{"row":1,"kind":"y","kind.values":[0.25,0.5,0.25]},{"row":6,"after":4,"ahead":2,"kind":null,"kind.values":null}]}"#;
        assert_eq!(printed(&headings, &answers, true, false), format!("{rows}\n"));
    }
}
