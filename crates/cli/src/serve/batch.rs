//! Requests that wait share a run of the network.

use crate::serve::metrics::Metrics;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::{Given, Header, Problem, ProblemKind, Responder, Standing, Told};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What is said about the rows of a request.
pub type Said = Result<Vec<Told>, Box<Problem>>;

struct Job {
    header: Header,
    rows: Vec<Given>,
    to: SyncSender<Said>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Requests that have begun and are not read yet.
    coming: usize,
    closed: bool,
}

/// Requests that wait.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

/// A request that is being read.
pub struct Coming<'a>(&'a Queue);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.coming = state.coming.saturating_sub(1);
        self.0.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nobody leaves it half changed.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Says that a request is being read, until what is given is dropped.
    pub fn coming(&self) -> Coming<'_> {
        self.lock().coming += 1;
        Coming(self)
    }

    /// Asks, and gives what the answer comes through.
    pub fn ask(&self, header: Header, rows: Vec<Given>) -> Receiver<Said> {
        let (to, from) = sync_channel(1);
        let mut state = self.lock();
        if !state.closed {
            state.jobs.push_back(Job { header, rows, to });
            self.changed.notify_all();
        }
        from
    }

    /// Lets whoever answers go, after what waits.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Requests that fit together, at most so many rows where there are several; none at the end. Where others are
    /// being read, they are waited for, but no longer than `window`.
    fn take(&self, most: usize, window: Duration, together: bool) -> Vec<Job> {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return Vec::new();
            }
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        let until = Instant::now() + window;
        while together && state.coming > 0 && state.jobs.iter().map(|j| j.rows.len()).sum::<usize>() < most {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        let mut taken: Vec<Job> = state.jobs.pop_front().into_iter().collect();
        let mut rows: usize = taken.iter().map(|j| j.rows.len()).sum();
        let mut rest = VecDeque::new();
        for job in std::mem::take(&mut state.jobs) {
            let fits = together && taken[0].header == job.header && rows + job.rows.len() <= most;
            if fits {
                rows += job.rows.len();
                taken.push(job);
            } else {
                rest.push_back(job);
            }
        }
        state.jobs = rest;
        taken
    }

    /// Answers until the queue is closed and nothing waits. Windows of one request know nothing of another's rows.
    pub fn serve(&self, responder: &mut Responder<'_>, window: Duration, together: bool, metrics: &Metrics) {
        loop {
            let jobs = self.take(responder.batch(), window, together);
            if jobs.is_empty() {
                return;
            }
            metrics.batch();
            match said(responder, &jobs) {
                Err(_) if jobs.len() > 1 => {
                    for job in jobs {
                        let said = said(responder, std::slice::from_ref(&job));
                        let _ = job.to.send(said);
                    }
                }
                Err(problem) => {
                    jobs.into_iter().take(1).for_each(|job| drop(job.to.send(Err(problem.clone()))))
                }
                Ok(told) => {
                    let mut told = told.into_iter();
                    let mut first = 0;
                    let alone = jobs.len() == 1;
                    for job in jobs {
                        let count = job.rows.len();
                        let own: Vec<Told> = match alone {
                            true => told.by_ref().collect(),
                            false => told.by_ref().take(count).map(|t| from(t, first)).collect(),
                        };
                        first += count;
                        // Whoever asked may be gone.
                        let _ = job.to.send(Ok(own));
                    }
                }
            }
        }
    }
}

/// A row of a request, counted from its first.
fn from(told: Told, first: usize) -> Told {
    let standing = match told.standing {
        Standing::Row(row) => Standing::Row(row.saturating_sub(first)),
        Standing::After(row, ahead) => Standing::After(row.saturating_sub(first), ahead),
    };
    Told { standing, ..told }
}

/// What is said about the rows of some requests; a mistake of ours ends no server.
fn said(responder: &mut Responder<'_>, jobs: &[Job]) -> Said {
    let Some(job) = jobs.first() else { return Ok(Vec::new()) };
    let rows: Vec<&Given> = jobs.iter().flat_map(|j| &j.rows).collect();
    catch_unwind(AssertUnwindSafe(|| responder.answer(&job.header, &rows))).unwrap_or_else(|_| {
        let d = Diagnostic::error(Code::N0901, "this is a mistake in nnc itself, not in what was asked");
        Err(Problem::new(ProblemKind::Internal, d))
    })
}
