//! The Python process, and the pipes to it.

use crate::settings::Settings;
use nnc_backend::{Buffer, Error, ErrorKind, Slice};
use nnc_graph::DType;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const SOURCE: &str = include_str!("worker.py");

/// More than any answer has.
const MOST_BYTES: usize = 1 << 40;

/// A worker that is running.
pub(crate) struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    states: u64,
    modules: u64,
}

impl Worker {
    /// Starts one, and waits until its devices are there.
    pub(crate) fn start(settings: &Settings) -> Result<Self, Error> {
        let named = settings.python.clone().or_else(|| std::env::var_os("NNC_PYTHON").map(PathBuf::from));
        let python = named.unwrap_or_else(|| "python3".into());
        let shown = python.display().to_string();
        let child = Command::new(&python)
            .args(["-c", SOURCE, &settings.json().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|e| missing(format!("`{shown}` cannot be started: {e}")))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::internal("a process without pipes"));
        };
        let mut worker =
            Self { child, stdin: Some(stdin), stdout: BufReader::new(stdout), states: 0, modules: 0 };
        let (head, _) = worker.answer().map_err(|e| match e.kind {
            ErrorKind::Internal => missing(format!("`{shown}` ended without a word")),
            ErrorKind::Missing | ErrorKind::Limit | ErrorKind::Memory { .. } => e,
        })?;
        match head.get("missing").and_then(Value::as_str) {
            Some(why) => Err(missing(format!("`{shown}` has no JAX that can be used: {why}"))),
            None => Ok(worker),
        }
    }

    /// A number for a state.
    pub(crate) fn next_state(&mut self) -> u64 {
        self.states += 1;
        self.states
    }

    /// A number for a module.
    pub(crate) fn next_module(&mut self) -> u64 {
        self.modules += 1;
        self.modules
    }

    /// Sends a message with what belongs to it, and waits for the answer.
    pub(crate) fn ask(&mut self, mut head: Value, payload: &[u8]) -> Result<(Value, Vec<u8>), Error> {
        head["bytes"] = payload.len().into();
        let line = format!("{head}\n");
        let sent = self.stdin.as_mut().map(|pipe| {
            pipe.write_all(line.as_bytes())?;
            pipe.write_all(payload)?;
            pipe.flush()
        });
        match sent {
            Some(Ok(())) => self.answer(),
            _ => Err(gone()),
        }
    }

    fn answer(&mut self) -> Result<(Value, Vec<u8>), Error> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        let head: Option<Value> = read.ok().and_then(|_| serde_json::from_str(&line).ok());
        let Some(head) = head else { return Err(gone()) };
        let count = head.get("bytes").and_then(Value::as_u64).unwrap_or(0) as usize;
        if count > MOST_BYTES {
            return Err(gone());
        }
        let mut payload = vec![0; count];
        self.stdout.read_exact(&mut payload).map_err(|_| gone())?;
        match head.get("error").and_then(Value::as_str) {
            Some(why) => Err(Error { kind: ErrorKind::Limit, message: format!("XLA says: {why}") }),
            None => Ok((head, payload)),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        self.stdin = None;
        let _ = self.child.wait();
    }
}

fn missing(message: String) -> Error {
    Error { kind: ErrorKind::Missing, message }
}

fn gone() -> Error {
    Error::internal("the Python process of XLA has ended")
}

/// Appends the bytes of numbers.
pub(crate) fn append(slice: Slice<'_>, out: &mut Vec<u8>) {
    match slice {
        Slice::F32(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
        Slice::F64(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
    }
}

/// Takes numbers off some bytes; where there are not so many, they are NaN.
pub(crate) fn take(bytes: &mut &[u8], dtype: DType, count: usize) -> Buffer {
    match dtype {
        DType::F64 => {
            let mut out = vec![f64::NAN; count];
            for (to, from) in out.iter_mut().zip(bytes.chunks_exact(8)) {
                *to = f64::from_le_bytes(from.try_into().unwrap_or_default());
            }
            *bytes = bytes.get(8 * count..).unwrap_or_default();
            Buffer::F64(out)
        }
        DType::F32 | DType::I32 | DType::Pred => {
            let mut out = vec![f32::NAN; count];
            for (to, from) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                *to = f32::from_le_bytes(from.try_into().unwrap_or_default());
            }
            *bytes = bytes.get(4 * count..).unwrap_or_default();
            Buffer::F32(out)
        }
    }
}
