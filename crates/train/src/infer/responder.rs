//! Answers to rows that are given by hand: those of a pipe that never ends, those of whoever asks a server.

use crate::binding::encode::{dialect, fault_problem};
use crate::binding::marks::Marks;
use crate::infer::beside;
use crate::infer::decode::Decoder;
use crate::infer::inference::{InferOptions, Ready, Trained};
use crate::infer::predictions::{Beside, Headings, Reading};
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{
    ColumnKind, Dialect, Fault, Given, Header, Limits, Role, Standing, Stats, Stream, Table, encode_given,
};
use nnc_syntax::{Code, Diagnostic, SourceMap};
use std::io::Read;
use std::ops::ControlFlow;

/// A trained model with its memory, ready to answer. What it says about a row does not depend on which others are
/// asked about with it.
pub struct Responder<'a> {
    model: &'a Trained,
    decoder: Decoder<'a>,
    ready: Ready,
    limits: Limits,
}

/// What the model says about a row, or of a window about the row it speaks of.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    /// Where it stands among the rows that were given.
    pub standing: Standing,
    /// What is said, one for every output; or why nothing is.
    pub said: Result<Vec<Reading>, Unanswered>,
}

/// Why there is no answer to a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unanswered {
    /// The line it stands in, from 1.
    pub line: Option<u64>,
    /// Why, without a place.
    pub why: String,
}

impl Unanswered {
    fn of(fault: &Fault) -> Self {
        let label = fault.label.as_ref().map_or(String::new(), |l| format!(" ({l})"));
        let line = fault.place.as_ref().and_then(|p| p.line);
        Self { line, why: format!("{}{label}", fault.message) }
    }
}

impl std::fmt::Debug for Responder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Responder").field("model", &self.model.path).finish_non_exhaustive()
    }
}

/// How rows for a model are written, as its program says of its file.
pub(crate) fn written(model: &Trained) -> Outcome<Dialect> {
    let inputs = model.stats.columns.iter().filter(|c| c.role == Role::Input);
    let cells = |kind: ColumnKind| match kind {
        ColumnKind::Number | ColumnKind::Category | ColumnKind::Tokens | ColumnKind::Date => true,
        ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes => false,
    };
    if let Some(column) = { inputs }.find(|c| !cells(c.kind)) {
        let message =
            format!("`{}` is no column of a table, and rows of cells are asked for", column.source());
        let d = Diagnostic::error(Code::N0513, message);
        return Err(Problem::new(ProblemKind::Data, d.help("nnc predict answers whole files, pictures too")));
    }
    Ok(dialect(&model.spec))
}

/// What is wrong with what was asked.
fn problem(faults: &[Fault]) -> Box<Problem> {
    Problem::at(ProblemKind::Data, Marks::default().diagnostics(faults), &SourceMap::default())
}

impl Trained {
    /// Whether its samples are several rows of a table, so that no row can be answered alone.
    pub fn is_windowed(&self) -> bool {
        self.stats.window.is_some()
    }

    /// How it is asked about rows.
    ///
    /// # Errors
    /// It reads no table.
    pub fn questions(&self) -> Outcome<Questions> {
        Ok(Questions { stats: self.stats.clone(), dialect: written(self)? })
    }
}

/// How a trained model is asked about rows; threads may share it.
#[derive(Clone, Debug)]
pub struct Questions {
    stats: Stats,
    dialect: Dialect,
}

impl Questions {
    /// The columns that it reads of a table, in the order of the file it was trained on: `number`, `category`, `date`
    /// or `text`, and the categories, where there are any.
    pub fn columns(&self) -> Vec<(&str, &'static str, &[String])> {
        let mut all: Vec<(&str, &'static str, &[String])> = Vec::new();
        for column in self.stats.columns.iter().filter(|c| c.role == Role::Input) {
            let (kind, categories) = match column.kind {
                _ if column.date.is_some() => ("date", &[][..]),
                ColumnKind::Number => ("number", &[][..]),
                ColumnKind::Category => ("category", &column.vocabulary[..]),
                ColumnKind::Date => ("date", &[][..]),
                ColumnKind::Tokens => ("text", &[][..]),
                ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes => ("array", &[][..]),
            };
            if all.iter().all(|(name, ..)| *name != column.source()) {
                all.push((column.source(), kind, categories));
            }
        }
        for column in &self.stats.by {
            if all.iter().all(|(name, ..)| *name != column.name) {
                all.push((&column.name, "category", &[]));
            }
        }
        all
    }

    /// The rows that come from stdin, each as soon as it is there; waits for the first line. Of objects of JSON,
    /// the columns `more` are kept beside those that the model reads.
    ///
    /// # Errors
    /// Nothing can be read, or a column is lacking.
    pub fn rows_of_stdin(&self, more: &[String]) -> Outcome<Stream> {
        Stream::stdin(&self.stats, &self.dialect, more).map_err(|f| problem(&f))
    }

    /// The rows of a table in text; `name` is what it is called in messages.
    ///
    /// # Errors
    /// As [`Questions::rows_of_stdin`].
    pub fn rows_of(&self, reader: Box<dyn Read + Send>, name: &str) -> Outcome<Stream> {
        Stream::open(reader, name, &self.stats, &self.dialect, &[]).map_err(|f| problem(&f))
    }

    /// How the rows of objects of JSON with these keys are read.
    ///
    /// # Errors
    /// A column is lacking.
    pub fn header_of(&self, keys: &[String], name: &str) -> Outcome<Header> {
        Header::of_keys(&self.stats, name, &self.dialect, keys).map_err(|f| problem(&f))
    }
}

/// Waits for the next row of a stream; `None` after the last.
///
/// # Errors
/// Nothing more can be read.
pub fn next_row(stream: &mut Stream) -> Outcome<Option<Given>> {
    stream.next_row().map_err(|f| fault_problem(&f))
}

impl<'a> Responder<'a> {
    /// Plans what is run.
    ///
    /// # Errors
    /// It needs more memory than is allowed, or the model reads no table.
    pub fn new(model: &'a Trained, options: &InferOptions) -> Outcome<Self> {
        written(model)?;
        let decoder = Decoder::new(&model.stats, &model.ports, &model.model);
        let limits = Limits { memory: memory::limit(options.memory_limit) };
        Ok(Self { model, decoder, ready: Ready::new(model, options)?, limits })
    }

    /// How many rows are answered at once.
    pub fn batch(&self) -> usize {
        self.ready.batch_and_layout().0
    }

    /// What answers consist of, and the places of the wanted cells in a row.
    ///
    /// # Errors
    /// A column is asked for that is not there.
    pub fn headings(&self, header: &Header, beside: &Beside) -> Outcome<(Headings, Vec<usize>)> {
        beside::of_rows(header, &self.model.stats, beside, &self.decoder)
    }

    /// What the model says about rows, in their order; of windows, in that of the rows they speak of.
    ///
    /// # Errors
    /// Nothing at all can be said: of windows where the rows are too few.
    pub fn answer(&mut self, header: &Header, rows: &[&Given]) -> Outcome<Vec<Told>> {
        if self.model.is_windowed() {
            let table = self.encode(header, rows.to_vec()).map_err(|f| problem(&f))?;
            let mut told = Vec::with_capacity(table.len());
            let why = table.gaps().first().map(Unanswered::of);
            self.run(&table, |row, said| {
                let standing = table.standing(row as usize).unwrap_or(Standing::Row(row as usize));
                let nobody = || Unanswered { line: None, why: "a row of its window cannot be read".into() };
                let said = said.ok_or_else(|| why.clone().unwrap_or_else(nobody));
                told.push(Told { standing, said });
            })?;
            return Ok(told);
        }
        let reason = |faults: &[Fault]| {
            let unknown = || Unanswered { line: None, why: "the row cannot be read".into() };
            faults.first().map_or_else(unknown, Unanswered::of)
        };
        let mut said: Vec<Option<Result<Vec<Reading>, Unanswered>>> = vec![None; rows.len()];
        // Rows that are no rows, or hold what is no text, must not take the others with them.
        let mut whole: Vec<usize> = (0..rows.len()).collect();
        let table = match self.encode(header, rows.to_vec()) {
            Ok(table) => Some(table),
            Err(faults) if rows.len() == 1 => {
                said[0] = Some(Err(reason(&faults)));
                None
            }
            Err(_) => {
                whole.retain(|&at| match self.encode(header, vec![rows[at]]) {
                    Ok(_) => true,
                    Err(faults) => {
                        said[at] = Some(Err(reason(&faults)));
                        false
                    }
                });
                let kept: Vec<&Given> = whole.iter().map(|&at| rows[at]).collect();
                match kept.is_empty() {
                    true => None,
                    false => Some(self.encode(header, kept).map_err(|f| problem(&f))?),
                }
            }
        };
        if let Some(table) = table {
            let mut without = Vec::new();
            self.run(&table, |row, readings| {
                let Some(&at) = table.source_row(row as usize).and_then(|row| whole.get(row)) else { return };
                match readings {
                    Some(readings) => said[at] = Some(Ok(readings)),
                    None => without.push(at),
                }
            })?;
            for at in without {
                let alone = self.encode(header, vec![rows[at]]);
                said[at] = Some(Err(alone.map_or_else(|faults| reason(&faults), |_| reason(&[]))));
            }
        }
        let told = said.into_iter().zip(rows).enumerate().map(|(at, (said, row))| {
            let said = said.unwrap_or_else(|| Err(reason(&[])));
            let said = said.map_err(|why| Unanswered { line: Some(row.line), ..why });
            Told { standing: Standing::Row(at), said }
        });
        Ok(told.collect())
    }

    fn encode(&self, header: &Header, rows: Vec<&Given>) -> Result<Table, Vec<Fault>> {
        encode_given(&self.model.stats, header, rows, &self.limits)
    }

    fn run(&mut self, table: &Table, mut each: impl FnMut(u32, Option<Vec<Reading>>)) -> Outcome<()> {
        let (runners, state) = self.ready.parts();
        self.decoder.each(table, &table.in_source_order(), runners, state, |row, said| {
            each(row, said);
            ControlFlow::Continue(())
        })
    }
}
