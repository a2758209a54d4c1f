//! What a server says to a request.

use crate::answers::{Form, Printer};
use crate::failure::Failure;
use crate::serve::batch::{Coming, Queue};
use crate::serve::http::{Request, Response};
use crate::serve::metrics::Metrics;
use crate::serve::page;
use nnc_train::{
    Answer, Answers, Given, Header, Headings, Problem, ProblemKind, Questions, Standing, Told, Unanswered,
    keys, next_row,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// What answering needs.
pub struct Api<'a> {
    /// How it is asked.
    pub questions: Questions,
    /// What the network is called.
    pub name: String,
    /// What answers consist of.
    pub headings: Headings,
    /// Requests that wait for the network.
    pub queue: &'a Queue,
    /// Counts.
    pub metrics: &'a Metrics,
    /// Open connections.
    pub connections: &'a AtomicUsize,
    /// Rows of a request.
    pub most: usize,
}

/// How the rows of a request are called in messages.
const SOURCE: &str = "the request";
const JSON: &str = "application/json";
const JSON_LINES: &str = "application/x-ndjson";
const CSV: &str = "text/csv; charset=utf-8";

/// Why there is no answer: a status, and what is wrong.
pub struct Wrong(u16, Value);

impl Wrong {
    /// A mistake in how the server was asked.
    pub fn new(status: u16, message: impl Into<String>, help: &str) -> Self {
        let mut error = json!({ "message": message.into() });
        if !help.is_empty() {
            error["help"] = json!(help);
        }
        Wrong(status, json!({ "error": error }))
    }

    /// The answer that says it.
    pub fn response(self) -> Response {
        Response::new(self.0, JSON, format!("{}\n", self.1))
    }
}

/// In the words of the terminal.
impl From<Box<Problem>> for Wrong {
    fn from(problem: Box<Problem>) -> Self {
        let status = match problem.kind {
            ProblemKind::Data | ProblemKind::Usage | ProblemKind::Spec => 400,
            ProblemKind::Io | ProblemKind::Memory | ProblemKind::Diverged | ProblemKind::Internal => 500,
        };
        let mut errors: Vec<Value> = problem
            .diagnostics
            .iter()
            .filter(|d| d.is_error())
            .map(|d| {
                let mut error = json!({ "code": d.code.to_string(), "message": d.message });
                if !d.notes.is_empty() {
                    error["causes"] = json!(d.notes);
                }
                if let Some(help) = &d.help {
                    error["help"] = json!(help);
                }
                error
            })
            .collect();
        let first = if errors.is_empty() { json!({ "message": "no answer" }) } else { errors.remove(0) };
        let mut all = json!({ "error": first });
        if !errors.is_empty() {
            all["more"] = json!(errors);
        }
        Wrong(status, all)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Problem { problem, .. } => problem.into(),
            Failure::Closed => Wrong::new(500, "the answer could not be written", ""),
        }
    }
}

impl Api<'_> {
    /// The answer to a request, and under which path it is counted. `coming` says that it was being read.
    pub fn answer(&self, request: &Request, coming: Coming<'_>) -> (&'static str, Response) {
        let get = matches!(request.method.as_str(), "GET" | "HEAD");
        let (path, allowed) = match request.path.as_str() {
            "/predict" => ("/predict", "POST"),
            "/health" => ("/health", "GET, HEAD"),
            "/metrics" => ("/metrics", "GET, HEAD"),
            "/" => ("/", "GET, HEAD"),
            _ => {
                let wrong =
                    Wrong::new(404, "there is nothing here", "POST /predict, GET /, /health, /metrics");
                return ("other", wrong.response());
            }
        };
        let response = match (path, get, request.method == "POST") {
            ("/predict", _, true) => self.predict(request, coming).unwrap_or_else(Wrong::response),
            ("/health", true, _) => Response::new(200, JSON, "{\"status\":\"ok\"}\n"),
            ("/metrics", true, _) => {
                let text = self.metrics.text(self.connections.load(Ordering::Relaxed));
                Response::new(200, "text/plain; version=0.0.4; charset=utf-8", text)
            }
            ("/", true, _) => Response::new(
                200,
                "text/html; charset=utf-8",
                page::page(&self.name, &self.questions, &self.headings),
            ),
            _ => {
                let help = format!("{allowed} {path}");
                let mut response = Wrong::new(405, "this is asked for otherwise", &help).response();
                response.headers.push(format!("Allow: {allowed}"));
                response
            }
        };
        (path, response)
    }

    fn predict(&self, request: &Request, coming: Coming<'_>) -> Result<Response, Wrong> {
        let begin = Instant::now();
        let given = form(request)?;
        let (header, rows) = match given {
            Form::Json => self.objects(&request.body)?,
            Form::Csv | Form::JsonLines => self.table(&request.body)?,
        };
        if rows.is_empty() {
            return Err(Wrong::new(400, "there are no rows", EXAMPLE));
        }
        let count = rows.len();
        let lines: Vec<u64> =
            if given == Form::Json { Vec::new() } else { rows.iter().map(|r| r.line).collect() };
        let from = self.queue.ask(header, rows);
        drop(coming);
        let stopped = || Wrong::new(503, "the server stops", "");
        let told = from.recv().map_err(|_| stopped())??;
        let unanswered = told.iter().filter(|t| t.said.is_err()).count();
        self.metrics.rows(count, unanswered, begin.elapsed());
        let why: Vec<Value> =
            told.iter().filter_map(|t| Some(reason(t, &lines, t.said.as_ref().err()?))).collect();
        if unanswered == told.len() {
            let message = match (&why[..], told.len()) {
                ([one], _) => one["why"].as_str().unwrap_or_default().to_string(),
                (_, n) => format!("none of the {n} rows can be answered"),
            };
            return Err(Wrong(422, json!({ "error": { "message": message }, "unanswered": why })));
        }
        let form = wanted(request, given);
        let body = self.printed(told, form, &why)?;
        let content_type = match form {
            Form::Json => JSON,
            Form::JsonLines => JSON_LINES,
            Form::Csv => CSV,
        };
        let mut response = Response::new(200, content_type, body);
        if unanswered > 0 {
            response.headers.push(format!("Nnc-Unanswered: {unanswered}"));
        }
        Ok(response)
    }

    /// The rows of `{"rows": [{…}, …]}`, or of the list alone.
    fn objects(&self, body: &[u8]) -> Result<(Header, Vec<Given>), Wrong> {
        let wrong = |why: String| Wrong::new(400, format!("this is no JSON of rows: {why}"), EXAMPLE);
        let parse = |e: serde_json::Error| wrong(e.to_string());
        let text = std::str::from_utf8(body).map_err(|_| wrong("it is not UTF-8".into()))?;
        let rows: Vec<&RawValue> = match text.trim_ascii_start().as_bytes().first() {
            Some(b'[') => serde_json::from_str(text).map_err(parse)?,
            _ => {
                let all: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(parse)?;
                let rows = all.get("rows").ok_or_else(|| wrong("it has no `rows`".into()))?;
                serde_json::from_str(rows.get()).map_err(|e| wrong(format!("`rows` is no list: {e}")))?
            }
        };
        self.few(rows.len())?;
        let names: BTreeSet<String> = rows.iter().flat_map(|row| keys(row.get().as_bytes())).collect();
        let names: Vec<String> = names.into_iter().collect();
        if let Some(at) = rows.iter().position(|row| !row.get().starts_with('{')) {
            return Err(wrong(format!("row {} is no object", at + 1)));
        }
        let header = match rows.is_empty() {
            true => return Err(Wrong::new(400, "there are no rows", EXAMPLE)),
            false => self.questions.header_of(&names, SOURCE)?,
        };
        let rows = rows.iter().zip(1..).map(|(row, line)| header.object(line, row.get().as_bytes()));
        let rows = rows.collect();
        Ok((header, rows))
    }

    /// The rows of a table, or of objects of JSON, one a line.
    fn table(&self, body: &[u8]) -> Result<(Header, Vec<Given>), Wrong> {
        let mut stream = self.questions.rows_of(Box::new(Cursor::new(body.to_vec())), SOURCE)?;
        let mut rows = Vec::new();
        while let Some(row) = next_row(&mut stream)? {
            rows.push(row);
            self.few(rows.len())?;
        }
        Ok((Header::clone(stream.header()), rows))
    }

    fn few(&self, rows: usize) -> Result<(), Wrong> {
        match rows > self.most {
            true => Err(Wrong::new(
                413,
                format!("a request may have {} rows", self.most),
                "nnc predict RUN --data FILE",
            )),
            false => Ok(()),
        }
    }

    /// As `nnc predict` prints it.
    fn printed(&self, told: Vec<Told>, form: Form, why: &[Value]) -> Result<String, Wrong> {
        let mut text = String::new();
        let mut write = |t: &str| {
            text.push_str(t);
            Ok(())
        };
        let mut printer = Printer::new(form, false, &mut write);
        let _ = printer.begin(&self.headings);
        for Told { standing, said } in told {
            let _ = printer.answer(&Answer { standing, cells: Vec::new(), outputs: said.ok() });
        }
        printer.finish()?;
        if form == Form::Json && !why.is_empty() && text.ends_with("]}\n") {
            text.truncate(text.len() - 2);
            text.push_str(&format!(",\"unanswered\":{}}}\n", json!(why)));
        }
        Ok(text)
    }
}

/// How rows are written.
const EXAMPLE: &str = "{\"rows\": [{\"COLUMN\": VALUE, …}, …]}; GET / shows the columns";

/// Which row has no answer, and why.
fn reason(told: &Told, lines: &[u64], why: &Unanswered) -> Value {
    let row = match told.standing {
        Standing::Row(row) => row,
        Standing::After(last, ahead) => last + ahead,
    };
    let mut all = json!({ "row": row + 1 });
    if let Some(line) = lines.get(row) {
        all["line"] = json!(line);
    }
    all["why"] = json!(why.why);
    all
}

/// How the rows of a request are written, by what it says, or else by how they begin.
fn form(request: &Request) -> Result<Form, Wrong> {
    match request.content_type.as_str() {
        "application/json" | "text/json" => Ok(Form::Json),
        "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => Ok(Form::JsonLines),
        "text/csv" | "text/tab-separated-values" => Ok(Form::Csv),
        // What curl says where nobody says anything.
        "" | "application/x-www-form-urlencoded" | "text/plain" | "application/octet-stream" => {
            match request.body.trim_ascii_start().first() {
                Some(b'{' | b'[') => Ok(Form::Json),
                _ => Ok(Form::Csv),
            }
        }
        other => {
            let other: String = other.chars().take(60).flat_map(char::escape_debug).collect();
            let message = format!("rows are not read as `{other}`");
            Err(Wrong::new(415, message, "Content-Type: application/json, application/x-ndjson or text/csv"))
        }
    }
}

/// How answers are wanted: the first that is understood, or else as the rows are written.
fn wanted(request: &Request, given: Form) -> Form {
    let known = |accepted: &str| match accepted.split(';').next().unwrap_or_default().trim() {
        "application/json" | "text/json" => Some(Form::Json),
        "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => Some(Form::JsonLines),
        "text/csv" => Some(Form::Csv),
        _ => None,
    };
    request.accept.split(',').find_map(known).unwrap_or(given)
}
