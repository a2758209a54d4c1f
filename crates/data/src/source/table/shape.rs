//! Lines that are no rows: comments and titles above a table, units below
//! its header; and rows with one cell more than the header has names.

use super::{Line, header, line_to_write};
use crate::fault::{Fault, Place, codes};
use crate::raw::Head;
use crate::source::builder::Cells;
use crate::source::number;
use crate::spec::CsvSpec;

/// Lines of units that are looked for.
const UNITS: usize = 3;

/// The commonest number of cells.
pub(super) fn width(sample: &[Line]) -> usize {
    let mut widths: Vec<usize> = sample.iter().map(|l| l.cells.len()).collect();
    widths.sort_unstable();
    let runs = widths.chunk_by(|a, b| a == b);
    runs.max_by_key(|r| r.len()).map_or(0, |r| r[0])
}

/// Whether the first line has one cell fewer than nearly all others.
pub(super) fn one_fewer(sample: &[Line]) -> bool {
    let Some((first, rest)) = sample.split_first() else { return false };
    let more = rest.iter().filter(|l| l.cells.len() == first.cells.len() + 1).count();
    more > 0 && more * 10 >= rest.len() * 9
}

/// A fault for lines above the table. With one cell fewer than the rows, the
/// first line is a header of a table whose rows have names.
pub(super) fn lead(sample: &[Line], cells: &Cells, spec: &CsvSpec) -> Option<Fault> {
    let width = width(sample);
    let lead = sample.iter().position(|l| l.cells.len() == width)?;
    let rest = &sample[lead..];
    let same = rest.iter().filter(|l| l.cells.len() == width).count();
    let one_fewer = one_fewer(sample);
    // A title above a header has one cell fewer by chance.
    let second = |sample: &[Line]| header::decide(&sample[1], &sample[2..], cells);
    let titled = one_fewer
        && sample[0].cells.len() == 1
        && sample.len() > 2
        && (mark(&sample[0].cells[0]).is_some() || second(sample).header);
    let one_fewer = one_fewer && !titled;
    if lead == 0 || one_fewer && spec.dialect.header != Some(false) || width < 2 || same < 2 {
        return None;
    }
    // A table whose rows differ is no table with lines above it.
    if same * 10 < rest.len() * 6 {
        return None;
    }
    let (first, last) = (sample[0].line, sample[lead - 1].line);
    let marks: Option<Vec<&str>> = sample[..lead].iter().map(|l| mark(l.cells.first()?)).collect();
    let mark = marks.filter(|m| m.iter().all(|x| *x == m[0])).map(|m| m[0]);
    let shown: String = String::from_utf8_lossy(sample[0].cells.first()?).chars().take(40).collect();
    let has = sample[0].cells.len();
    let cells = if has == 1 { "cell" } else { "cells" };
    let message = match first == last {
        true => format!("line {first} is no row: it has {has} {cells}, and the other lines have {width}"),
        false => format!("lines {first} to {last} are no rows: the other lines have {width} cells"),
    };
    let place = Place { line: Some(first), ..Place::default() };
    let options = match (mark, spec.dialect.comment.is_some()) {
        (Some(mark), false) => format!("comment=\"{mark}\""),
        _ => format!("skip={last}"),
    };
    let fault = Fault::new(codes::ROW_WIDTH, message).place(place).label(format!("it begins with `{shown}`"));
    Some(fault.help(line_to_write(spec, &options)).remedy(options))
}

/// What a cell begins with if it is a comment.
pub(super) fn mark(cell: &[u8]) -> Option<&'static str> {
    ["#", "//", "%", ";", "!", "*", "--"]
        .into_iter()
        .find(|m| cell.starts_with(m.as_bytes()) && cell.len() > m.len())
}

/// A fault for lines below the header that hold words where all other lines
/// hold numbers: units, or a second line of names.
pub(super) fn units(sample: &[Line], header: bool, cells: &Cells, spec: &CsvSpec) -> Option<Fault> {
    let most = UNITS.min(sample.len().checked_sub(2)?);
    let below = &sample[most..];
    let is_number = |c: &[u8]| number::parse(c, cells.digits).is_some();
    let of_numbers = |i: usize| {
        let there: Vec<&Vec<u8>> =
            below.iter().filter_map(|l| l.cells.get(i)).filter(|c| !cells.lacks(c)).collect();
        !there.is_empty() && there.iter().all(|c| is_number(c))
    };
    let columns: Vec<usize> = (0..sample[0].cells.len()).filter(|&i| of_numbers(i)).collect();
    let word = |c: &Vec<u8>| {
        !is_number(c)
            && !cells.lacks(c)
            && number::signed(c, cells.digits).is_none()
            && number::needs(c, cells.digits).is_empty()
    };
    let is_units = |l: &Line| {
        let n = columns.iter().filter_map(|&i| l.cells.get(i)).filter(|c| word(c)).count();
        n * 2 > columns.len()
    };
    let lines = sample[..most].iter().take_while(|l| is_units(l)).count();
    if lines == 0 || !header || columns.is_empty() {
        return None;
    }
    let shown: Vec<String> = columns
        .iter()
        .filter_map(|&i| sample[0].cells.get(i))
        .filter(|c| word(c))
        .take(3)
        .map(|c| format!("`{}`", String::from_utf8_lossy(c).chars().take(24).collect::<String>()))
        .collect();
    let numbers: Vec<String> = sample[..lines].iter().map(|l| l.line.to_string()).collect();
    let (line, stand) = match lines {
        1 => (format!("line {} is no row", numbers[0]), if shown.len() == 1 { "stands" } else { "stand" }),
        _ => (format!("lines {} are no rows", numbers.join(" and ")), "stand"),
    };
    let message = format!("{line}: {} {stand} where every other line has numbers", shown.join(", "));
    let options = format!("skip=[{}]", numbers.join(", "));
    let place = Place { line: Some(sample[0].line), ..Place::default() };
    let help = format!("{}   leaves a line of units or of second names out", line_to_write(spec, &options));
    Some(Fault::new(codes::NOT_A_NUMBER, message).place(place).help(help).remedy(options))
}

/// Rows have one cell more than the header has names: either the first cell
/// is the row's name, as pandas and R write it, or every row ends with a
/// separator. The column is not read unless a line names it.
pub(super) fn one_more(heads: &mut Vec<Head>, rows: &[Line]) -> Fault {
    let wide = rows.iter().filter(|l| l.cells.len() == heads.len() + 1);
    let trailing = wide.clone().all(|l| l.cells.last().is_some_and(Vec::is_empty));
    let free = |name: &str| heads.iter().all(|h| h.name != name);
    if trailing {
        let name = format!("c{}", heads.len() + 1);
        heads.push(Head::aside(name));
        return Fault::new(
            codes::READING,
            "every row ends with a separator; the empty cell behind it is not read",
        );
    }
    let name = ["row", "row_name", "row.names"].into_iter().find(|n| free(n)).unwrap_or("row name");
    let message = format!(
        "every row has one cell more than the header has names: the first is the row's name, as R and pandas \
         write it; it is called `{name}` and not read"
    );
    heads.insert(0, Head::aside(name));
    Fault::new(codes::READING, message).help(format!("`input {name}` reads it"))
}
