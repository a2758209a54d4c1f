//! Reading rows into columns.

use std::sync::Arc;

use super::file::{self, File, scan_fault};
use super::told::{lines, na, not_utf8, passed_over, spelt, taken};
use super::{Line, line_to_write, named, shape, trim};
use crate::Limits;
use crate::disk;
use crate::fault::{Fault, Faults, Place, codes};
use crate::input;
use crate::raw::{Data, Head, Places, Raw, Want};
use crate::source::builder::{Bad, Cells, Column, Look};
use crate::source::number;
use crate::source::rows::not_a_number;
use crate::source::scan::Passed;
use crate::source::too_big;
use crate::spec::CsvSpec;

/// As many rows at the end of a file may be totals or notes.
const TAIL: usize = 5;

/// Reads rows into columns.
pub(super) struct TableReader<'a> {
    spec: &'a CsvSpec,
    limits: &'a Limits,
    heads: &'a [Head],
    cells: &'a Arc<Cells>,
    columns: Vec<Column>,
    /// Of gzip: the size of the file.
    packed: Option<u64>,
    len: usize,
    /// Rows of this file, and which of them had a mistake, as far as is
    /// looked at.
    rows: usize,
    bad: Vec<usize>,
    /// Lines of this file with too many or too few cells, as far as they can be named.
    torn: Vec<u64>,
    /// Words among numbers, which may be somebody's words for missing ones.
    words: Vec<String>,
    /// Cells that are no numbers, and stand where numbers do.
    strange: usize,
    /// Whether there was a mistake that no total or note would make.
    odd: bool,
    /// Lines that are not read because the program says so, and records at
    /// the end.
    passed: Passed,
    held: u64,
    places: Places,
}

impl<'a> TableReader<'a> {
    pub(super) fn new(
        spec: &'a CsvSpec,
        limits: &'a Limits,
        heads: &'a [Head],
        cells: &'a Arc<Cells>,
    ) -> Self {
        Self {
            spec,
            limits,
            heads,
            cells,
            columns: Vec::new(),
            packed: None,
            len: 0,
            rows: 0,
            bad: Vec::new(),
            torn: Vec::new(),
            words: Vec::new(),
            strange: 0,
            odd: false,
            passed: Passed::default(),
            held: 0,
            places: Places { handle: spec.handle, ..Places::default() },
        }
    }

    /// Decides what each column holds by its first rows. `None` where a
    /// program has to say first how its numbers are written.
    pub(super) fn begin(&mut self, wants: &[Want], sample: &[Line], faults: &mut Faults) -> Option<()> {
        let mut needy: Vec<(&str, Look)> = Vec::new();
        for (i, want) in wants.iter().enumerate() {
            let look = || {
                let cells = sample.iter().filter_map(|l| l.cells.get(i));
                Look::at(cells.map(Vec::as_slice), self.cells)
            };
            let (column, look) = match want {
                Want::Skip => (Column::skip(), None),
                Want::Watch => (Column::watch(), None),
                Want::Text | Want::Date => (Column::text(self.cells), None),
                Want::Words => (Column::words_only(self.cells), None),
                Want::Number => {
                    let look = look();
                    (Column::numbers(&look, self.cells), Some(look))
                }
                Want::Auto | Want::Class => {
                    let look = look();
                    (Column::guess(&look, self.cells), Some(look))
                }
            };
            self.columns.push(column);
            needy.extend(look.filter(Look::is_needy).map(|l| (self.heads[i].name.as_str(), l)));
        }
        if needy.is_empty() {
            return Some(());
        }
        faults.push(spelt(&needy, self.spec));
        None
    }

    /// The rows to come are those of a file.
    pub(super) fn open(&mut self, file: &File) {
        self.places.paths.push(file.path.clone());
        self.packed = file.packed;
        self.rows = 0;
        self.bad.clear();
        self.torn.clear();
        self.words.clear();
        self.strange = 0;
        self.odd = false;
    }

    /// The rows to come were read already, and each of their cells is read
    /// as if there were no other.
    pub(super) fn each_alone(&mut self, name: &str) {
        self.places.paths.push(name.to_string());
        self.columns.iter_mut().for_each(Column::take_any_sign);
    }

    /// A row of which nothing is known but why.
    pub(super) fn unread(&mut self, line: u64, fault: &Fault, faults: &mut Faults) {
        self.places.note_line(self.len as u64, line);
        self.places.note_bad(self.len);
        for column in &mut self.columns {
            let _ = column.push(b"");
        }
        self.len += 1;
        let row = Some(self.len as u64);
        let place = Place { row, ..fault.place.clone().unwrap_or_default() };
        faults.push(Fault { code: codes::ROW_WIDTH, place: Some(place), ..fault.clone() });
    }

    fn names(&self) -> Vec<String> {
        self.heads.iter().filter(|h| !h.aside).map(|h| h.name.clone()).collect()
    }

    fn path(&self) -> String {
        self.places.paths.last().cloned().unwrap_or_default()
    }

    /// The rows of a file that are not read yet.
    pub(super) fn rest(&mut self, file: &mut File, faults: &mut Faults) -> Option<()> {
        let mut spans = Vec::new();
        loop {
            let more = if file.reads_all() {
                let scanner = &mut file.scanner;
                scanner.next(&mut spans).map(|line| {
                    line.map(|line| {
                        let cells = spans.iter().map(|&s| trim(scanner.cell(s)));
                        self.row(line, cells, spans.len(), faults);
                    })
                })
            } else {
                file.next_line().map(|line| {
                    line.map(|l| {
                        self.row(l.line, l.cells.iter().map(Vec::as_slice), l.cells.len(), faults);
                    })
                })
            };
            match more {
                Ok(Some(())) => {}
                Ok(None) => {
                    self.pass(file);
                    self.tail(faults);
                    self.leave_out(faults);
                    self.may_be_missing(faults);
                    return self.check_memory(file, faults);
                }
                Err(e) => {
                    faults.push(scan_fault(e, &self.path(), self.spec));
                    return None;
                }
            }
            if self.len.is_multiple_of(4096) {
                self.check_memory(file, faults)?;
            }
        }
    }

    /// Counts what of a file was not read.
    fn pass(&mut self, file: &File) {
        let Passed { skipped, comments, cut } = file.scanner.passed();
        self.passed.skipped += skipped;
        self.passed.comments += comments;
        self.passed.cut += cut;
        self.held += file.held();
    }

    pub(super) fn another(&mut self, path: &str, header: bool, faults: &mut Faults) -> Option<()> {
        let mut file =
            file::open(self.spec, path, None, Some(&self.names())).map_err(|f| faults.push(*f)).ok()?;
        self.open(&file);
        if header {
            let first = file.next_line().map_err(|e| faults.push(scan_fault(e, path, self.spec))).ok()?;
            let names = named(&first.map_or(Vec::new(), |l| l.cells));
            let of_first = self.heads.iter().filter(|h| !h.aside);
            if !names.iter().map(|h| &h.name).eq(of_first.map(|h| &h.name)) {
                let first = &self.spec.path;
                let fault = Fault::new(codes::MISMATCH, format!("`{path}` has other columns than `{first}`"));
                faults.push(fault.path(path).at(self.spec.handle));
                return None;
            }
        }
        self.rest(&mut file, faults)
    }

    /// Moves the columns to disk where they take too much memory. The encoded
    /// rows will stand beside the raw ones for a while, so half is too much.
    fn check_memory(&mut self, file: &File, faults: &mut Faults) -> Option<()> {
        let need = |columns: &[Column]| columns.iter().map(Column::bytes).sum::<usize>() as u64;
        if need(&self.columns) <= self.limits.memory / 2 {
            return Some(());
        }
        let read = file.scanner.bytes_read();
        if let Some(packed) = self.packed.filter(|p| read / input::PLAUSIBLE_RATIO > *p) {
            let fault = input::bomb(&self.path(), packed, read);
            faults.push(fault.at(self.spec.handle));
            return None;
        }
        for column in &mut self.columns {
            column.spill().map_err(|e| faults.push(*disk::fault(&e))).ok()?;
        }
        let names = need(&self.columns);
        if names <= self.limits.memory / 4 {
            return Some(());
        }
        let what = format!("the different texts in `{}` as far as row {}", self.path(), self.len);
        let fault = too_big(&what, names.saturating_mul(4), self.limits).path(self.path());
        faults.push(fault.at(self.spec.handle).help("drop the columns of long or unique text"));
        None
    }

    pub(super) fn row<'c>(
        &mut self,
        line: u64,
        mut cells: impl Iterator<Item = &'c [u8]>,
        count: usize,
        faults: &mut Faults,
    ) {
        self.rows += 1;
        if count != self.heads.len() {
            let first = cells.next().unwrap_or_default();
            if count == 1 && first.is_empty() && self.heads.len() > 1 {
                self.rows -= 1; // a line of blanks
                return;
            }
            self.wrong_width(line, first, count, faults);
            // Whoever wants an answer for every row goes on, and this one has none.
            self.places.note_line(self.len as u64, line);
            self.places.note_bad(self.len);
            for column in &mut self.columns {
                let _ = column.push(b"");
            }
            self.len += 1;
            return;
        }
        self.places.note_line(self.len as u64, line);
        for (i, cell) in cells.enumerate() {
            let Some(column) = self.columns.get_mut(i) else { break };
            if let Err(bad) = column.push(cell) {
                self.places.note_bad(self.len);
                self.bad_cell(i, cell, bad, faults);
            }
        }
        self.len += 1;
    }

    /// Remembers that the present row has a mistake.
    fn note_bad(&mut self, whole: bool) {
        self.odd |= !whole;
        if self.bad.len() <= TAIL && self.bad.last() != Some(&self.rows) {
            self.bad.push(self.rows);
        }
    }

    fn wrong_width(&mut self, line: u64, first: &[u8], count: usize, faults: &mut Faults) {
        self.note_bad(true);
        if self.torn.len() <= TAIL {
            self.torn.push(line);
        }
        faults.push_with(codes::ROW_WIDTH, || {
            let wants = self.heads.len();
            let cells = if count == 1 { "cell" } else { "cells" };
            let (n, word) = (count.abs_diff(wants), if count > wants { "many" } else { "few" });
            let above = if self.heads.iter().any(|h| h.unnamed) { "the first row" } else { "the header" };
            let n = if n == 1 { "one".to_string() } else { n.to_string() };
            let place = Place {
                line: Some(line),
                row: Some(self.len as u64 + 1),
                column: Some(wants.min(count) + 1),
                handle: self.spec.handle,
                ..Place::default()
            };
            let fault =
                Fault::new(codes::ROW_WIDTH, format!("this row has {count} {cells}, {above} has {wants}"))
                    .path(self.path())
                    .place(place)
                    .label(format!("{n} too {word}"));
            self.maybe_comment(first, fault)
        });
    }

    /// A row that begins like a comment may be one.
    fn maybe_comment(&self, cell: &[u8], fault: Fault) -> Fault {
        match shape::mark(cell).filter(|_| self.spec.dialect.comment.is_none()) {
            Some(mark) => {
                let option = format!("comment=\"{mark}\"");
                let help = format!("if it is a comment: {}", line_to_write(self.spec, &option));
                fault.help(help).remedy(option)
            }
            None => fault,
        }
    }

    /// What stands behind a number may be a comment.
    fn maybe_remark(&self, cell: &[u8], fault: Fault) -> Fault {
        let behind = |mark: &&str| {
            let at = memchr::memmem::find(cell, format!(" {mark}").as_bytes());
            at.is_some_and(|at| number::parse(trim(&cell[..at]), self.cells.digits).is_some())
        };
        match ["#", "//", "%"].into_iter().find(behind).filter(|_| self.spec.dialect.comment.is_none()) {
            Some(mark) => {
                let option = format!("comment=\"{mark}\"");
                let help = format!("if a comment begins there: {}", line_to_write(self.spec, &option));
                fault.help(help).remedy(option)
            }
            None => fault,
        }
    }

    /// A cell of a number column that is no number, or text that is not text.
    fn bad_cell(&mut self, i: usize, cell: &[u8], bad: Bad, faults: &mut Faults) {
        let last = self.bad.last() == Some(&self.rows);
        let worded = || String::from_utf8_lossy(cell).chars().any(char::is_alphabetic);
        self.note_bad(last || i == 0 && worded());
        let name = &self.heads[i].name;
        if bad == Bad::Number {
            let shown: String = String::from_utf8_lossy(cell).chars().take(60).collect();
            self.strange += 1;
            let words = self.words.len() <= TAIL && !self.words.contains(&shown);
            if words && !cell.iter().any(u8::is_ascii_digit) && shown.split_whitespace().count() < 3 {
                self.words.push(shown.clone());
            }
            faults.push_with(codes::NOT_A_NUMBER, || {
                let fault = not_a_number(&shown, self.cells.digits);
                let fault = match number::needs(cell, self.cells.digits).as_slice() {
                    [] => fault.help(format!(
                        "correct the cell; if `{name}` is no number, give it `one_hot` or `category`"
                    )),
                    spellings => {
                        let help = lines(spellings, &shown, self.spec).join("\n");
                        fault.help(format!("correct the cell, or\n{help}")).remedy(spellings[0].option())
                    }
                };
                let fault = if i == 0 { self.maybe_comment(cell, fault) } else { fault };
                let fault = self.maybe_remark(cell, fault);
                self.places.locate(fault, self.len, i, name)
            });
            return;
        }
        faults.push_with(codes::DAMAGED, || {
            let fault = not_utf8(cell, self.spec);
            self.places.locate(fault, self.len, i, name)
        });
    }

    /// Where nothing but the last rows of a file has mistakes, they may be
    /// totals or notes.
    fn tail(&mut self, faults: &mut Faults) {
        let Some(&first) = self.bad.first() else { return };
        let last = self.rows + 1 - first;
        if self.odd
            || self.bad.len() != last
            || last > TAIL
            || last * 2 > self.rows
            || self.spec.dialect.skip_last.is_some()
        {
            return;
        }
        let (what, are) = match last {
            1 => ("the last row".to_string(), "is a total or a note"),
            n => (format!("the last {n} rows"), "are totals or notes"),
        };
        let option = format!("skip_last={last}");
        let help = format!("if {what} {are}: {}", line_to_write(self.spec, &option));
        let path = self.path();
        faults.amend(|f| {
            let of_rows = [codes::ROW_WIDTH, codes::NOT_A_NUMBER].contains(&f.code);
            if of_rows && f.path.as_ref() == Some(&path) && f.remedy.is_none() {
                let before = f.help.take().map_or(String::new(), |h| h + "\n");
                f.help = Some(before + &help);
                f.remedy = Some(option.clone());
            }
        });
    }

    /// A few rows that have another number of cells can be left out.
    fn leave_out(&self, faults: &mut Faults) {
        let few = !self.torn.is_empty() && self.torn.len() <= TAIL && self.torn.len() * 4 <= self.rows;
        if !few || self.spec.dialect.skip.is_some() {
            return;
        }
        let lines: Vec<String> = self.torn.iter().map(u64::to_string).collect();
        let option = format!("skip=[{}]", lines.join(", "));
        let what = if lines.len() == 1 { "the line" } else { "these lines" };
        let help = format!("{}   leaves {what} out", line_to_write(self.spec, &option));
        let path = self.path();
        faults.amend(|f| {
            if f.code == codes::ROW_WIDTH && f.path.as_ref() == Some(&path) && f.remedy.is_none() {
                f.help = Some(f.help.take().map_or(help.clone(), |h| format!("{h}\n{help}")));
                f.remedy = Some(option.clone());
            }
        });
    }

    /// A few words among numbers may mean that the value is missing.
    fn may_be_missing(&self, faults: &mut Faults) {
        let seldom = self.strange * 3 <= self.rows;
        if self.words.is_empty() || self.words.len() > TAIL || !seldom {
            return;
        }
        let said = self.spec.dialect.na.as_deref().unwrap_or_default();
        let words: Vec<&str> = said.iter().chain(&self.words).map(String::as_str).collect();
        let (it, means) = if self.words.len() == 1 { ("it", "means") } else { ("they", "mean") };
        let line = line_to_write(self.spec, &na(&words));
        let path = self.path();
        faults.amend(|f| {
            if f.code == codes::NOT_A_NUMBER && f.path.as_ref() == Some(&path) && f.remedy.is_none() {
                let before = f.help.take().map_or(String::new(), |h| h + "\n");
                f.help = Some(format!("{before}if {it} {means} that a value is missing: {line}"));
            }
        });
    }

    pub(super) fn finish(self, faults: &mut Faults) -> Option<Raw> {
        let notes = taken(&self.columns, self.heads, self.spec);
        let columns: Result<Vec<Data>, _> = self.columns.into_iter().map(Column::finish).collect();
        let columns = columns.map_err(|e| faults.push(*disk::fault(&e))).ok()?;
        let mut notes: Vec<Fault> =
            notes.into_iter().map(|n| n.note().path(&self.spec.path).at(self.spec.handle)).collect();
        // What the program says itself need not be pointed at.
        notes.extend(passed_over(self.passed, self.held, self.spec).map(Fault::note));
        Some(Raw { columns, len: self.len, places: self.places, notes })
    }
}
