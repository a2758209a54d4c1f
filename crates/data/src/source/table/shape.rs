//! Lines that are no rows: comments and titles above a table, units below
//! its header; and rows with one cell more than the header has names.

use super::{Line, header, line_to_write, separator};
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

/// A fault for texts between single quotes that hold the separator.
fn single_quotes(sample: &[Line], width: usize) -> Option<Fault> {
    let torn = |l: &&Line| {
        let open = l.cells.iter().position(|c| c.starts_with(b"'") && !(c.len() > 1 && c.ends_with(b"'")));
        open.is_some_and(|i| l.cells[i + 1..].iter().any(|c| c.ends_with(b"'")))
    };
    let line = sample.iter().find(torn).filter(|_| sample.iter().any(|l| l.cells.len() != width))?;
    let place = Place { line: Some(line.line), ..Place::default() };
    let fault = Fault::new(codes::ROW_WIDTH, "a text between single quotes holds the separator").place(place);
    Some(fault.help(
        "texts stand between double quotes; with pandas: pd.read_csv(…, quotechar=\"'\").to_csv(…, index=False)",
    ))
}

/// Lines at the beginning that a table begins below of: titles that a
/// spreadsheet filled up with separators, and comments that hold some.
fn above(sample: &[Line], width: usize, cells: &Cells) -> Option<usize> {
    let title = |l: &Line| width > 2 && l.cells.iter().filter(|c| !c.is_empty()).count() < 2;
    let first = mark(sample.first()?.cells.first()?);
    let comment =
        |l: &Line| first.is_some() && mark(l.cells.first().map_or(&b""[..], Vec::as_slice)) == first;
    let lines = sample.iter().take_while(|l| title(l) || comment(l)).count();
    let (header, rows) = sample.get(lines..)?.split_first()?;
    let rows: Vec<&Line> = rows.iter().collect();
    let fits = lines > 0 && header.cells.len() == width && header::stands_over_numbers(header, &rows, cells);
    fits.then_some(lines)
}

/// A fault for a header that stands in the table again, as where files were
/// put together.
pub(super) fn again(sample: &[Line], cells: &Cells, spec: &CsvSpec) -> Option<Fault> {
    let (first, rest) = sample.split_first()?;
    let (same, others): (Vec<&Line>, Vec<&Line>) = rest.iter().partition(|l| l.cells == first.cells);
    if same.is_empty()
        || spec.dialect.header == Some(false)
        || !header::stands_over_numbers(first, &others, cells)
    {
        return None;
    }
    let lines: Vec<String> = same.iter().map(|l| l.line.to_string()).collect();
    let what = match lines.as_slice() {
        [one] => format!("line {one} is"),
        [one, ..] => format!("line {one} and {} more are", lines.len() - 1),
        [] => return None,
    };
    let options = format!("skip=[{}]", lines.join(", "));
    let place = Place { line: Some(same[0].line), ..Place::default() };
    let fault = Fault::new(codes::NOT_A_NUMBER, format!("{what} the header again")).place(place);
    Some(fault.help(line_to_write(spec, &options)).remedy(options))
}

/// A fault for lines whose cells are separated by what few people write.
pub(super) fn unusual(sample: &[Line], cells: &Cells, spec: &CsvSpec) -> Option<Fault> {
    if spec.dialect.separator.is_some() || sample.iter().any(|l| l.cells.len() != 1) {
        return None;
    }
    let lines: Vec<Vec<u8>> = sample.iter().map(|l| l.cells[0].clone()).collect();
    let (mark, width) = separator::unusual(&lines)?;
    let number = |i: usize| {
        let part = |l: &Vec<u8>| {
            let cell = l.split(|b| *b == mark).nth(i).unwrap_or_default().trim_ascii();
            number::parse(cell, cells.digits).is_some() || cells.lacks(cell)
        };
        lines[1..].iter().all(part)
    };
    if !(0..width).any(number) {
        return None;
    }
    let option = |mark: u8| format!("separator=\"{}\"", char::from(mark));
    let message = format!("every line has {width} cells with `{}` between them", char::from(mark));
    let help = format!(
        "{}\nif it is one column: {}",
        line_to_write(spec, &option(mark)),
        line_to_write(spec, &option(b','))
    );
    Some(Fault::new(codes::ROW_WIDTH, message).help(help).remedy(option(mark)))
}

/// Takes a mark of a comment away that stands before the names of columns.
pub(super) fn unmark(sample: &mut [Line]) {
    let width = width(sample);
    if let Some(first) = sample.first_mut()
        && first.cells.len() == width + 1
        && separator::MARKS.contains(&first.cells[0].as_slice())
    {
        first.cells.remove(0);
    }
}

/// A fault for lines above the table. With one cell fewer than the rows, the
/// first line is a header of a table whose rows have names.
pub(super) fn lead(sample: &[Line], cells: &Cells, spec: &CsvSpec) -> Option<Fault> {
    let width = width(sample);
    if let Some(fault) = single_quotes(sample, width) {
        return Some(fault);
    }
    let above = above(sample, width, cells).filter(|_| spec.dialect.header != Some(false));
    let lead = above.or_else(|| sample.iter().position(|l| l.cells.len() == width))?;
    let rest = &sample[lead..];
    let same = rest.iter().filter(|l| l.cells.len() == width).count();
    let one_fewer = one_fewer(sample);
    // A title above a header has one cell fewer by chance.
    let second = |sample: &[Line]| header::decide(&sample[1], &sample[2..], cells);
    let titled = one_fewer
        && sample[0].cells.len() == 1
        && sample.len() > 2
        && (mark(&sample[0].cells[0]).is_some() || second(sample).header);
    let one_fewer = one_fewer && !titled && above.is_none();
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
        true if has == width => format!("line {first} is no row, and no header"),
        true => format!("line {first} is no row: it has {has} {cells}, and the other lines have {width}"),
        false if has == width => format!("lines {first} to {last} are no rows, and no header"),
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
    let help = format!(
        "{}   leaves a line of units or of second names out\nif the names stand there: {}",
        line_to_write(spec, &options),
        line_to_write(spec, "skip=1")
    );
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

/// Columns without a name and without a cell, such as the separator at the end
/// of every line makes, are not read.
pub(super) fn hollow(first: &[Vec<u8>], heads: &mut [Head], rows: &[Line]) -> Option<Fault> {
    let empty = |i: usize| rows.iter().all(|l| l.cells.get(i).is_none_or(Vec::is_empty));
    let hollow: Vec<usize> = (0..first.len()).filter(|&i| first[i].is_empty() && empty(i)).collect();
    if hollow.is_empty() || hollow.len() == heads.len() || rows.is_empty() {
        return None;
    }
    hollow.iter().for_each(|&i| heads[i].aside = true);
    let last = first.len() - 1;
    let message = match hollow.as_slice() {
        [one] if *one == last => {
            "every line ends with a separator; the empty column behind it is not read".to_string()
        }
        all => {
            let names: Vec<String> = all.iter().take(4).map(|&i| format!("`{}`", heads[i].name)).collect();
            let is = if all.len() == 1 {
                "has no name and no cell, and is"
            } else {
                "have no name and no cell, and are"
            };
            format!("{} {is} not read", names.join(", "))
        }
    };
    Some(Fault::new(codes::READING, message).help(format!("`input {}` reads it", heads[hollow[0]].name)))
}
