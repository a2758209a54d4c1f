//! The figures of every epoch for other programs: JSON lines on stdout, event files for TensorBoard.

use crate::args::ResultArgs;
use crate::format::number;
use crate::output::Output;
use crate::run_report::object;
use nnc_artifact::EventFile;
use nnc_train::{Report, StageStart, Start};
use serde_json::{Map, Value, json};
use std::io;
use std::path::Path;
use std::time::{Instant, SystemTime};

/// Where figures go beside the screen.
#[derive(Debug)]
pub struct Sinks {
    lines: bool,
    tensorboard: bool,
    events: Option<EventFile>,
    begin: Instant,
}

impl Sinks {
    /// Those that are asked for.
    pub fn new(style: ResultArgs) -> Self {
        Self { lines: style.json_lines, tensorboard: style.tensorboard, events: None, begin: Instant::now() }
    }

    /// Begins.
    pub fn start(&mut self, start: &Start, out: &mut Output) {
        self.begin = Instant::now();
        self.line(out, || {
            json!({
                "event": "start",
                "rows": start.rows,
                "valid_rows": start.valid_rows,
                "weights": start.weights,
                "batch": start.batch,
                "steps_per_epoch": start.steps_per_epoch,
                "steps": start.steps,
                "epochs": start.epochs,
                "resumed_at": start.resumed_at,
                "memory": start.memory,
                "threads": start.threads,
                "run": start.run.as_ref().map(|run| run.display().to_string()),
            })
        });
        if let Some(run) = start.run.as_ref().filter(|_| self.tensorboard) {
            let file = create(run);
            self.keep(file, out);
        }
    }

    /// A later stage of the training begins.
    pub fn stage(&mut self, stage: &StageStart, out: &mut Output) {
        self.line(out, || {
            json!({
                "event": "stage",
                "stage": stage.stage,
                "of": stage.of,
                "after_epoch": stage.after.0,
                "after_step": stage.after.1,
                "learned": stage.learned.0,
                "frozen": stage.learned.1,
            })
        });
    }

    /// The figures of an epoch.
    pub fn epoch(&mut self, epoch: u64, names: &[String], values: &[f64], out: &mut Output) {
        let begin = self.begin;
        self.line(out, || {
            let mut line = Map::new();
            line.insert("event".into(), json!("epoch"));
            line.insert("epoch".into(), json!(epoch));
            line.insert("seconds".into(), json!(begin.elapsed().as_secs_f64()));
            line.extend(names.iter().zip(values).map(|(name, x)| (name.clone(), number(*x))));
            Value::Object(line)
        });
        if let Some(mut events) = self.events.take() {
            let tags: Vec<String> = names.iter().map(|name| tag(name)).collect();
            let figures = tags.iter().map(String::as_str).zip(values.iter().copied());
            let written = events.scalars(now(), epoch, figures);
            self.keep(written.map(|()| events), out);
        }
    }

    /// Makes all of it readable for others.
    pub fn flush(&mut self, out: &mut Output) {
        if self.lines && out.flush().is_err() {
            self.lines = false;
        }
        if let Some(mut events) = self.events.take() {
            let flushed = events.flush();
            self.keep(flushed.map(|()| events), out);
        }
    }

    fn line(&mut self, out: &mut Output, line: impl FnOnce() -> Value) {
        // Whoever read the lines has gone away: the training goes on.
        if self.lines && out.line(&line().to_string()).is_err() {
            self.lines = false;
        }
    }

    fn keep(&mut self, events: io::Result<EventFile>, out: &mut Output) {
        match events {
            Ok(events) => self.events = Some(events),
            Err(error) => out.say(&format!("nothing more is written for TensorBoard: {error}")),
        }
    }
}

/// A new event file in the folder of a run; a run that goes on gets a further one, which TensorBoard reads after it.
fn create(run: &Path) -> io::Result<EventFile> {
    let seconds = now();
    let mut file = Err(io::Error::from(io::ErrorKind::AlreadyExists));
    for n in 0..1000 {
        let name = format!("events.out.tfevents.{:010}.nnc.{n}", seconds as u64);
        file = EventFile::create(&run.join(name), seconds);
        if !matches!(&file, Err(e) if e.kind() == io::ErrorKind::AlreadyExists) {
            break;
        }
    }
    file
}

/// Figures of the same name stand together: `loss/train`, `loss/validation`.
fn tag(name: &str) -> String {
    name.strip_prefix("val_").map_or_else(|| format!("{name}/train"), |name| format!("{name}/validation"))
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// The last line.
pub fn end(report: &Report) -> Value {
    let mut end = object(report);
    end["event"] = json!("end");
    end
}
