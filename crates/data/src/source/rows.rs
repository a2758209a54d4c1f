//! Rows written in the program.

use super::Source;
use super::number::{self, Digits};
use crate::fault::{Fault, Faults, Place, codes};
use crate::intern::Interner;
use crate::missing::is_missing;
use crate::raw::{Data, Head, Places, Raw, Want};
use crate::spec::{Cell, CellValue, Handle, Role, RowSpec, RowsSpec};

struct Rows {
    heads: Vec<Head>,
    rows: Vec<Vec<Cell>>,
    marks: Vec<Option<Handle>>,
    handle: Option<Handle>,
}

/// The first row decides the width; every other row must agree.
pub(crate) fn open(spec: &RowsSpec) -> Result<Box<dyn Source>, Vec<Fault>> {
    let Some(first) = spec.rows.first() else {
        let fault = Fault::new(codes::EMPTY, "there are no rows here").at(spec.handle);
        return Err(vec![fault.help("write one row per line, like `0 1 -> 1`")]);
    };
    let width = shape(first);
    let mut faults = Faults::new();
    if width.0 == 0 {
        let fault = Fault::new(codes::ROW_WIDTH, "this row has no inputs").at(first.handle);
        faults.push(fault);
    }
    let mut rows = Vec::with_capacity(spec.rows.len());
    for row in &spec.rows {
        check_width(row, width, &mut faults);
        let mut cells = row.inputs.clone();
        cells.extend(row.targets.iter().flatten().cloned());
        rows.push(cells);
    }
    let input = (1..=width.0).map(|i| Head::made_up(format!("x{i}"), Some(Role::Input)));
    let target = (1..=width.1).map(|i| {
        let name = if width.1 == 1 { "y".to_string() } else { format!("y{i}") };
        Head::made_up(name, Some(Role::Target))
    });
    let mut source = Rows {
        heads: input.chain(target).collect(),
        rows,
        marks: spec.rows.iter().map(|r| r.handle).collect(),
        handle: spec.handle,
    };
    if faults.is_empty() {
        return Ok(Box::new(source));
    }
    // The other rows are looked at too, so that one mistake does not hide the next.
    let mut whole = spec.rows.iter().map(|row| shape(row) == width);
    source.rows.retain(|_| whole.next().unwrap_or(false));
    let mut whole = spec.rows.iter().map(|row| shape(row) == width);
    source.marks.retain(|_| whole.next().unwrap_or(false));
    let wants = vec![Want::Auto; source.heads.len()];
    Box::new(source).read(&wants, &mut faults);
    Err(faults.into_vec())
}

/// The rows that have the width of the first, for a look at data with
/// mistakes.
pub(crate) fn whole(spec: &RowsSpec) -> RowsSpec {
    let width = spec.rows.first().map_or((0, 0), shape);
    let rows = spec.rows.iter().filter(|row| shape(row) == width).cloned().collect();
    RowsSpec { rows, handle: spec.handle }
}

/// Inputs and targets of a row; without `->` the last cell is the target.
fn shape(row: &RowSpec) -> (usize, usize) {
    match &row.targets {
        Some(targets) => (row.inputs.len(), targets.len()),
        None => (row.inputs.len().saturating_sub(1), 1.min(row.inputs.len())),
    }
}

fn check_width(row: &RowSpec, width: (usize, usize), faults: &mut Faults) {
    let has = shape(row);
    let parts = [("input", has.0, width.0, 0), ("target", has.1, width.1, has.0)];
    for (what, has, wants, skip) in parts {
        if has == wants {
            continue;
        }
        let mut cells = row.inputs.iter().chain(row.targets.iter().flatten());
        let extra = cells.nth(skip + wants).and_then(|c| c.handle);
        let handle = extra.filter(|_| has > wants).or(row.handle);
        let s = if has == 1 { "" } else { "s" };
        let label = match (has > wants, has.abs_diff(wants)) {
            (true, 1) => "one too many".to_string(),
            (false, 1) => "one too few".to_string(),
            (true, n) => format!("{n} too many"),
            (false, n) => format!("{n} too few"),
        };
        faults.push(
            Fault::new(codes::ROW_WIDTH, format!("this row has {has} {what}{s}, the first row has {wants}"))
                .place(Place { handle, ..Place::default() })
                .label(label),
        );
    }
}

impl Source for Rows {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        "the rows here"
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        let mut places = Places {
            handles: self
                .marks
                .iter()
                .zip(&self.rows)
                .map(|(m, row)| (*m, row.iter().map(|c| c.handle).collect()))
                .collect(),
            handle: self.handle,
            ..Places::default()
        };
        let columns =
            wants.iter().enumerate().map(|(i, &want)| self.column(i, want, &mut places, faults)).collect();
        Some(Raw { columns, len: self.rows.len(), places, notes: Vec::new() })
    }
}

impl Rows {
    fn column(&self, i: usize, want: Want, places: &mut Places, faults: &mut Faults) -> Data {
        let cells = || self.rows.iter().filter_map(|r| r.get(i));
        let numbers = cells().filter(|c| matches!(c.value, CellValue::Number(_)));
        let number = numbers.count() * 2 >= self.rows.len();
        match want {
            Want::Skip | Want::Watch => Data::Skipped,
            Want::Number => self.numbers(i, places, faults),
            Want::Auto | Want::Class if number => self.numbers(i, places, faults),
            Want::Auto | Want::Class | Want::Text | Want::Words | Want::Date => text(cells()),
        }
    }

    fn numbers(&self, i: usize, places: &mut Places, faults: &mut Faults) -> Data {
        let name = &self.heads[i].name;
        let mut values = Vec::with_capacity(self.rows.len());
        for (r, cell) in self.rows.iter().enumerate().filter_map(|(r, row)| Some((r, row.get(i)?))) {
            let value = match &cell.value {
                CellValue::Number(x) if x.is_finite() => *x,
                CellValue::Word(w) if is_missing(w.as_bytes(), true) => f64::NAN,
                other => {
                    let shown = shown(other);
                    places.note_bad(r);
                    faults.push_with(codes::NOT_A_NUMBER, || {
                        places.locate(not_a_number(&shown, Digits::default()), r, i, name)
                    });
                    f64::NAN
                }
            };
            values.push(value);
        }
        Data::Numbers(values)
    }
}

/// The fault for a cell that should be a number.
pub(crate) fn not_a_number(cell: &str, digits: Digits) -> Fault {
    let place = Place { cell: Some(cell.to_string()), ..Place::default() };
    let fault = Fault::new(codes::NOT_A_NUMBER, format!("`{cell}` is not a number")).place(place);
    match number::meant(cell, digits) {
        Some(meant) => fault.label(meant),
        None => fault.label("the other cells of this column are numbers"),
    }
}

/// A cell as it is written.
pub(super) fn shown(value: &CellValue) -> String {
    match value {
        CellValue::Number(x) => x.to_string(),
        CellValue::Word(w) => w.clone(),
    }
}

fn text<'a>(cells: impl Iterator<Item = &'a Cell>) -> Data {
    let mut names = Interner::default();
    for cell in cells {
        let word = shown(&cell.value);
        if is_missing(word.as_bytes(), false) {
            names.push_missing();
        } else {
            names.push(word.as_bytes());
        }
    }
    names.finish()
}
