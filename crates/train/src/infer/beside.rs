//! What stands beside an answer: the cells of the file, or, of data that is no text, what was encoded.

use crate::binding::encode::{Asked, fault_problem};
use crate::infer::decode::Decoder;
use crate::infer::predictions::{Answer, Beside, CellHeading, CellValue, Heading, Headings, Reading};
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{Cells, ColumnKind, Following, Header, Standing, Stats, Table};
use nnc_model::suggest::nearest;
use nnc_syntax::{Code, Diagnostic, SourceMap};
use std::collections::{BTreeMap, VecDeque};

/// Reads what is asked for, row by row.
pub(crate) struct BesideReader<'a> {
    beside: &'a Beside,
    stats: &'a Stats,
    file: String,
    cells: Option<Cells>,
    /// The places of the wanted columns: in the file, or among inputs and then targets.
    chosen: Vec<usize>,
    /// Those of them that all rows of a series share.
    shared: Vec<bool>,
    /// Those that the network reads as numbers: what they are in rows to come, it says or nobody knows.
    measured: Vec<bool>,
    /// Rows of the file that are read.
    read: usize,
    /// The last row of every series, in their order, and what stands beside what comes after it.
    last: Vec<(usize, Vec<After>)>,
    /// The cells of the last rows of every series.
    ends: BTreeMap<Vec<String>, VecDeque<Vec<String>>>,
    /// The places in the file of the columns that tell series apart.
    keys: Vec<usize>,
}

/// How a cell goes on after the last row.
#[derive(Clone)]
enum After {
    /// All rows of the series share it.
    Same(String),
    /// Regularly.
    Regular(Following),
    /// Nobody knows.
    Nothing,
}

/// By so many of the last rows it is judged how a column goes on.
const TAIL: usize = 12;

/// What the answers to rows that were read already consist of, and the places of the wanted cells in a row.
pub(crate) fn of_rows(
    header: &Header,
    stats: &Stats,
    beside: &Beside,
    decoder: &Decoder<'_>,
) -> Outcome<(Headings, Vec<usize>)> {
    let reader = BesideReader { file: header.source().to_string(), ..BesideReader::empty(stats, beside) };
    let all = match beside {
        Beside::Nothing => Vec::new(),
        Beside::Columns(_) | Beside::All => reader.text_headings(&header.names(), header.is_named()),
    };
    let chosen = match beside {
        Beside::Nothing | Beside::All => (0..all.len()).collect(),
        Beside::Columns(names) => reader.find(names, &all)?,
    };
    let cells: Vec<CellHeading> = chosen.iter().filter_map(|&i| all.get(i).cloned()).collect();
    let outputs = outputs(decoder, &cells);
    let (windows, series) = (stats.window.is_some(), !stats.by.is_empty());
    Ok((Headings { cells, outputs, windows, series }, chosen))
}

/// The headings of the answers. With the names of other columns, they could not be told from cells.
fn outputs(decoder: &Decoder<'_>, cells: &[CellHeading]) -> Vec<Heading> {
    let mut outputs: Vec<_> = decoder.outputs.iter().map(|o| o.heading.clone()).collect();
    for heading in &mut outputs {
        if cells.iter().any(|c| c.name() == heading.name) {
            heading.name.push_str(".predicted");
        }
    }
    outputs
}

impl<'a> BesideReader<'a> {
    fn empty(stats: &'a Stats, beside: &'a Beside) -> Self {
        Self {
            beside,
            stats,
            file: String::new(),
            cells: None,
            chosen: Vec::new(),
            shared: Vec::new(),
            measured: Vec::new(),
            read: 0,
            last: Vec::new(),
            ends: BTreeMap::new(),
            keys: Vec::new(),
        }
    }

    pub(crate) fn open(asked: &Asked, stats: &'a Stats, beside: &'a Beside) -> Outcome<Self> {
        let cells = if *beside == Beside::Nothing { None } else { asked.cells(stats)? };
        Ok(Self { file: asked.name(), cells, ..Self::empty(stats, beside) })
    }

    /// Whether the table has to hold targets, as there is no text to take them from.
    pub(crate) fn wants_decoded(&self) -> bool {
        *self.beside != Beside::Nothing && self.cells.is_none()
    }

    /// What is to come.
    pub(crate) fn headings(
        &mut self,
        table: &Table,
        decoder: &Decoder<'_>,
        windows: bool,
    ) -> Outcome<Headings> {
        let all = match &self.cells {
            _ if *self.beside == Beside::Nothing => Vec::new(),
            Some(cells) => self.text_headings(cells.names(), cells.is_named()),
            None => decoder.cell_headings(table).into_iter().flatten().map(CellHeading::Reading).collect(),
        };
        self.chosen = match self.beside {
            Beside::Nothing | Beside::All => (0..all.len()).collect(),
            Beside::Columns(names) => self.find(names, &all)?,
        };
        let is_key = |h: &CellHeading| self.stats.by.iter().any(|c| c.name == h.name());
        self.shared = self.chosen.iter().map(|&i| is_key(&all[i])).collect();
        let is_measured = |h: &CellHeading| matches!(h, CellHeading::Text { number: true, .. });
        self.measured = self.chosen.iter().map(|&i| is_measured(&all[i])).collect();
        if windows && !self.chosen.is_empty() && self.cells.is_some() {
            let by = |h: &CellHeading| self.stats.by.iter().any(|c| c.name == h.name());
            self.keys = (0..all.len()).filter(|&i| by(&all[i])).collect();
            let after = (0..table.len()).filter_map(|row| match table.standing(row)? {
                Standing::After(last, _) => Some((last, Vec::new())),
                Standing::Row(_) => None,
            });
            self.last = after.collect();
            self.last.sort_by_key(|(row, _)| *row);
            self.last.dedup_by_key(|(row, _)| *row);
        }
        let cells: Vec<CellHeading> = self.chosen.iter().map(|&i| all[i].clone()).collect();
        let outputs = outputs(decoder, &cells);
        Ok(Headings { cells, outputs, windows, series: !self.stats.by.is_empty() })
    }

    fn text_headings(&self, names: &[String], named: bool) -> Vec<CellHeading> {
        let heading = |(i, name): (usize, &String)| {
            let column = self.stats.columns.iter().find(|c| match named {
                true => c.source() == name,
                false => c.position == i,
            });
            // What the program calls a column without a name.
            let name = column.filter(|_| !named).map_or(name.as_str(), |c| c.source());
            let number = column.is_some_and(|c| c.kind == ColumnKind::Number);
            CellHeading::Text { name: name.to_string(), number }
        };
        names.iter().enumerate().map(heading).collect()
    }

    fn find(&self, names: &[String], all: &[CellHeading]) -> Outcome<Vec<usize>> {
        let known: Vec<&str> = all.iter().map(CellHeading::name).collect();
        let mut diagnostics = Vec::new();
        let mut found = Vec::new();
        for name in names {
            match known.iter().position(|k| k == name) {
                Some(at) => found.push(at),
                None => {
                    let d = Diagnostic::error(Code::N0505, format!("`{}` has no column `{name}`", self.file));
                    diagnostics.push(match nearest(name, &known) {
                        Some(near) => d.help(format!("--with {near}")),
                        None => d.help(format!("it has {}", known.join(" "))),
                    });
                }
            }
        }
        if diagnostics.is_empty() {
            return Ok(found);
        }
        Err(Problem::at(ProblemKind::Data, diagnostics, &SourceMap::default()))
    }

    /// The answer to a row of the table; those to rows of the source come in its order, others after them.
    pub(crate) fn answer(
        &mut self,
        table: &Table,
        decoder: &Decoder<'_>,
        row: u32,
        outputs: Option<Vec<Reading>>,
    ) -> Outcome<Answer> {
        let standing = table.standing(row as usize).unwrap_or(Standing::Row(row as usize));
        self.answer_at(table, decoder, row, standing, outputs)
    }

    /// As [`BesideReader::answer`], of a row that stands elsewhere: further ahead.
    pub(crate) fn answer_at(
        &mut self,
        table: &Table,
        decoder: &Decoder<'_>,
        row: u32,
        standing: Standing,
        outputs: Option<Vec<Reading>>,
    ) -> Outcome<Answer> {
        let cells = match (*self.beside == Beside::Nothing, self.cells.is_some()) {
            (true, _) => Vec::new(),
            (false, true) => self.of_text(table, standing)?,
            (false, false) => {
                let cells = decoder.cells(table, row)?.into_iter().flatten().collect::<Vec<_>>();
                self.chosen.iter().filter_map(|&i| cells.get(i).cloned().map(CellValue::Reading)).collect()
            }
        };
        Ok(Answer { standing, cells, outputs })
    }

    fn of_text(&mut self, table: &Table, standing: Standing) -> Outcome<Vec<CellValue>> {
        match standing {
            Standing::Row(row) => {
                self.read_until(row + 1)?;
                Ok(self.chosen_cells())
            }
            Standing::After(last, ahead) => {
                self.read_until(table.source_rows())?;
                let known = self.last.binary_search_by_key(&last, |(row, _)| *row);
                let cell = |place: usize| {
                    let after = known.ok().and_then(|at| self.last[at].1.get(place));
                    match after.unwrap_or(&After::Nothing) {
                        After::Same(text) => text.clone(),
                        After::Regular(following) => following.at(ahead).unwrap_or_default(),
                        After::Nothing => String::new(),
                    }
                };
                Ok((0..self.chosen.len()).map(|place| CellValue::Text(cell(place))).collect())
            }
        }
    }

    /// The wanted cells of the present row.
    fn chosen_cells(&self) -> Vec<CellValue> {
        let row = self.cells.as_ref().map_or(&[][..], Cells::row);
        let cell = |&i: &usize| CellValue::Text(row.get(i).cloned().unwrap_or_default());
        self.chosen.iter().map(cell).collect()
    }

    /// Reads as many rows of the file.
    fn read_until(&mut self, rows: usize) -> Outcome<()> {
        let mut next = self.last.partition_point(|(row, _)| *row < self.read);
        while self.read < rows {
            let Some(cells) = &mut self.cells else { return Ok(()) };
            if !cells.next_row().map_err(|f| fault_problem(&f))? {
                let d = Diagnostic::error(Code::N0513, format!("`{}` changed while it was read", self.file));
                return Err(Problem::new(ProblemKind::Data, d));
            }
            if !self.last.is_empty() {
                let row = cells.row();
                let of = |&i: &usize| row.get(i).cloned().unwrap_or_default();
                let key: Vec<String> = self.keys.iter().map(of).collect();
                let chosen: Vec<String> = self.chosen.iter().map(of).collect();
                let end = self.ends.entry(key).or_default();
                if end.len() == TAIL {
                    end.pop_front();
                }
                end.push_back(chosen);
                if self.last.get(next).is_some_and(|(row, _)| *row == self.read) {
                    self.last[next].1 = after(end, &self.shared, &self.measured);
                    next += 1;
                }
            }
            self.read += 1;
        }
        Ok(())
    }
}

/// How every cell goes on after the last rows of a series.
fn after(end: &VecDeque<Vec<String>>, shared: &[bool], measured: &[bool]) -> Vec<After> {
    let column = |place: usize| end.iter().filter_map(move |row| row.get(place)).map(String::as_str);
    let all = shared.iter().zip(measured).enumerate().map(|(place, (shared, measured))| {
        let cells: Vec<&str> = column(place).collect();
        match cells.last() {
            Some(last) if *shared => After::Same((*last).to_string()),
            _ if *measured => After::Nothing,
            _ => Following::of(&cells).map_or(After::Nothing, After::Regular),
        }
    });
    all.collect()
}
