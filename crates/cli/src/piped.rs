//! Answers to rows that come through a pipe, each as soon as it is there.

use crate::answers::{Form, Printer};
use crate::failure::{Failure, Result};
use crate::output::Output;
use nnc_train::{
    Answer, Answers, Beside, CellValue, Given, InferOptions, Outcome, Responder, Standing, Trained, next_row,
};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// Bytes of rows that may wait to be answered.
const WAITING: usize = 4 << 20;

/// Rows that are read and not yet answered. Whoever reads waits where there are many.
#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    rows: VecDeque<Given>,
    bytes: usize,
    /// How the reading ended.
    end: Option<Outcome<()>>,
}

fn bytes(row: &Given) -> usize {
    row.cells.iter().flatten().map(|cell| cell.len() + 48).sum::<usize>() + 64
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nobody leaves it half changed.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait<'a>(&self, state: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn put(&self, row: Given, most: usize) {
        let mut state = self.lock();
        while state.rows.len() >= most || state.bytes > WAITING {
            state = self.wait(state);
        }
        state.bytes += bytes(&row);
        state.rows.push_back(row);
        self.changed.notify_all();
    }

    fn end(&self, end: Outcome<()>) {
        self.lock().end = Some(end);
        self.changed.notify_all();
    }

    /// What waits, at most so many rows, and at least one; none at the end.
    fn take(&self, most: usize) -> Outcome<Vec<Given>> {
        let mut state = self.lock();
        loop {
            let count = state.rows.len().min(most);
            if count > 0 {
                let rows: Vec<Given> = state.rows.drain(..count).collect();
                state.bytes = state.rows.iter().map(bytes).sum();
                self.changed.notify_all();
                return Ok(rows);
            }
            match state.end.take() {
                Some(end) => return end.map(|()| Vec::new()),
                None => state = self.wait(state),
            }
        }
    }
}

/// Answers the rows of stdin until there are no more, or nobody reads the answers.
pub fn answer(
    trained: &Trained,
    options: &InferOptions,
    beside: &Beside,
    json: bool,
    round: bool,
    out: &mut Output,
) -> Result<u8> {
    if trained.is_windowed() {
        let message = "this network reads several rows at once, and --stream answers each row alone";
        return Err(Failure::usage(message, "nnc predict RUN --data FILE answers every window of a file"));
    }
    let mut responder = Responder::new(trained, options)?;
    let more = match beside {
        Beside::Columns(names) => &names[..],
        Beside::Nothing | Beside::All => &[],
    };
    let mut stream = trained.questions()?.rows_of_stdin(more)?;
    if stream.is_json() && *beside == Beside::All {
        let message = "--full is for a table, whose columns are known from its header";
        return Err(Failure::usage(message, "name them: --with id,time"));
    }
    let header = Arc::clone(stream.header());
    let (headings, chosen) = responder.headings(&header, beside)?;
    let form = if json || stream.is_json() { Form::JsonLines } else { Form::Csv };
    let most = responder.batch();
    let queue = Arc::new(Queue::default());
    let filled = Arc::clone(&queue);
    thread::spawn(move || {
        let end = loop {
            match next_row(&mut stream) {
                Ok(Some(row)) => filled.put(row, 2 * most),
                Ok(None) => break Ok(()),
                Err(problem) => break Err(problem),
            }
        };
        filled.end(end);
    });
    let mut write = |text: &str| Output::write(text);
    let mut printer = Printer::new(form, round, &mut write);
    let _ = printer.begin(&headings);
    printer.now()?;
    let mut number = 0;
    loop {
        let rows = queue.take(most)?;
        if rows.is_empty() {
            return Ok(0);
        }
        let asked: Vec<&Given> = rows.iter().collect();
        for (told, row) in responder.answer(&header, &asked)?.into_iter().zip(&rows) {
            let cell = |&at: &usize| {
                let cell = row.cells.as_ref().ok().and_then(|cells| cells.get(at));
                CellValue::Text(cell.map_or(String::new(), |c| String::from_utf8_lossy(c).into_owned()))
            };
            let cells = chosen.iter().map(cell).collect();
            if let Err(why) = &told.said {
                let line = why.line.map_or(String::new(), |line| format!(":{line}"));
                out.say(&format!("{}{line}: row {}: {}", header.source(), number + 1, why.why));
            }
            let _ =
                printer.answer(&Answer { standing: Standing::Row(number), cells, outputs: told.said.ok() });
            number += 1;
        }
        printer.now()?;
    }
}
