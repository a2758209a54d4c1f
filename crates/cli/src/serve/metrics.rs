//! What a server has done, in the text that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Upper ends of the classes of times, in seconds.
const TIMES: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counts.
#[derive(Debug, Default)]
pub struct Metrics {
    state: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// By path and status.
    requests: BTreeMap<(&'static str, u16), u64>,
    rows: u64,
    unanswered: u64,
    batches: u64,
    times: [u64; TIMES.len()],
    seconds: f64,
    count: u64,
}

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A request was answered.
    pub fn request(&self, path: &'static str, status: u16) {
        *self.lock().requests.entry((path, status)).or_default() += 1;
    }

    /// Rows were asked about, and some of them had no answer; so long it took.
    pub fn rows(&self, rows: usize, unanswered: usize, time: Duration) {
        let mut all = self.lock();
        all.rows += rows as u64;
        all.unanswered += unanswered as u64;
        let seconds = time.as_secs_f64();
        (all.seconds, all.count) = (all.seconds + seconds, all.count + 1);
        if let Some(at) = TIMES.iter().position(|most| seconds <= *most) {
            all.times[at] += 1;
        }
    }

    /// Rows of some requests went through the network together.
    pub fn batch(&self) {
        self.lock().batches += 1;
    }

    /// Everything, as text; so many connections are open.
    pub fn text(&self, connections: usize) -> String {
        let all = self.lock();
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str, about: &str| {
            let _ = writeln!(out, "# HELP {name} {about}\n# TYPE {name} {kind}");
        };
        head(&mut out, "nnc_requests_total", "counter", "Requests by path and status.");
        for ((path, status), n) in &all.requests {
            let _ = writeln!(out, "nnc_requests_total{{path=\"{path}\",status=\"{status}\"}} {n}");
        }
        let errors: u64 = all.requests.iter().filter(|((_, status), _)| *status >= 400).map(|(_, n)| n).sum();
        for (name, about, n) in [
            ("nnc_errors_total", "Requests that had no answer.", errors),
            ("nnc_rows_total", "Rows that were asked about.", all.rows),
            ("nnc_rows_unanswered_total", "Rows without an answer.", all.unanswered),
            ("nnc_batches_total", "Times that rows went through the network together.", all.batches),
        ] {
            head(&mut out, name, "counter", about);
            let _ = writeln!(out, "{name} {n}");
        }
        head(&mut out, "nnc_connections", "gauge", "Open connections.");
        let _ = writeln!(out, "nnc_connections {connections}");
        let name = "nnc_predict_seconds";
        head(&mut out, name, "histogram", "From the last byte of a request for answers to the answer.");
        let mut sum = 0;
        for (most, n) in TIMES.iter().zip(all.times) {
            sum += n;
            let _ = writeln!(out, "{name}_bucket{{le=\"{most}\"}} {sum}");
        }
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {}", all.count);
        let _ = writeln!(out, "{name}_sum {}\n{name}_count {}", all.seconds, all.count);
        out
    }
}
