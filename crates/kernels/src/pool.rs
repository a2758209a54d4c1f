//! Threads that wait for work: a short spin, then parked.

use crate::denormals::Flush;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A task function: called with the number of the task and of the worker that runs it.
type Job<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What the workers share.
struct Shared {
    /// Counts the jobs; workers wait for a change.
    epoch: AtomicUsize,
    job: Mutex<State>,
    wake: Condvar,
    next: AtomicUsize,
    /// Workers that have not finished with the present job.
    busy: AtomicUsize,
    panicked: AtomicBool,
}

struct State {
    epoch: usize,
    tasks: usize,
    job: Option<Job<'static>>,
    stop: bool,
}

/// A fixed number of threads, the caller's among them. Tasks are numbered by the caller, so that results do
/// not depend on who runs them.
pub struct Pool {
    shared: Arc<Shared>,
    /// One job at a time; a second caller runs its own inline.
    running: AtomicBool,
    handles: Vec<std::thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.threads())
    }
}

/// How often a worker looks for work before it sleeps: some 20 microseconds.
const SPINS: usize = 2_000;

impl Pool {
    /// A pool of this many threads (at least one: the caller's). On `wasm32`, always one; fewer when the
    /// system gives no more.
    pub fn new(threads: usize) -> Arc<Self> {
        let shared = Arc::new(Shared {
            epoch: AtomicUsize::new(0),
            job: Mutex::new(State { epoch: 0, tasks: 0, job: None, stop: false }),
            wake: Condvar::new(),
            next: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
        });
        let mut handles = Vec::new();
        if cfg!(not(target_arch = "wasm32")) {
            for worker in 1..threads.min(1024) {
                let shared = shared.clone();
                let thread = std::thread::Builder::new().name(format!("nnc-{worker}"));
                match thread.spawn(move || work(&shared, worker)) {
                    Ok(handle) => handles.push(handle),
                    Err(_) => break,
                }
            }
        }
        Arc::new(Self { shared, running: AtomicBool::new(false), handles })
    }

    /// The number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.handles.len() + 1
    }

    /// Runs `job(task, worker)` for every task below `tasks` and returns when all are done. Workers are
    /// numbered below [`Pool::threads`]; the caller is worker 0.
    ///
    /// # Panics
    /// When a task panics.
    pub fn run(&self, tasks: usize, job: &(dyn Fn(usize, usize) + Sync)) {
        let alone = tasks <= 1 || self.handles.is_empty();
        if alone || self.running.swap(true, Ordering::Acquire) {
            (0..tasks).for_each(|task| job(task, 0));
            return;
        }
        let shared = &*self.shared;
        // SAFETY: the reference outlives its use: this function does not return before every worker has
        // reported that it will not touch the job again (`busy` is 0).
        let job_static = unsafe { std::mem::transmute::<Job<'_>, Job<'static>>(job) };
        shared.next.store(0, Ordering::Relaxed);
        shared.busy.store(self.handles.len(), Ordering::Relaxed);
        {
            let mut state = shared.job.lock().unwrap_or_else(PoisonError::into_inner);
            state.epoch += 1;
            state.tasks = tasks;
            state.job = Some(job_static);
            shared.epoch.store(state.epoch, Ordering::Release);
        }
        shared.wake.notify_all();
        let done = Finish { shared, running: &self.running };
        take_tasks(shared, tasks, job, 0);
        drop(done);
        assert!(!shared.panicked.swap(false, Ordering::Relaxed), "a task panicked");
    }
}

/// Waits for the workers even when the caller's own task panics.
struct Finish<'a> {
    shared: &'a Shared,
    running: &'a AtomicBool,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let mut spins = 0usize;
        while self.shared.busy.load(Ordering::Acquire) != 0 {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        self.running.store(false, Ordering::Release);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        {
            let mut state = self.shared.job.lock().unwrap_or_else(PoisonError::into_inner);
            state.stop = true;
            state.epoch += 1;
            self.shared.epoch.store(state.epoch, Ordering::Release);
        }
        self.shared.wake.notify_all();
        for handle in self.handles.drain(..) {
            // A worker catches the panics of its tasks, so there is nothing to learn here.
            let _ = handle.join();
        }
    }
}

fn take_tasks(shared: &Shared, tasks: usize, job: Job<'_>, worker: usize) {
    loop {
        let task = shared.next.fetch_add(1, Ordering::Relaxed);
        if task >= tasks {
            return;
        }
        job(task, worker);
    }
}

fn work(shared: &Shared, worker: usize) {
    // As in the caller's thread, where `Code::run` does it.
    let _flush = Flush::new();
    let mut seen = 0;
    loop {
        for _ in 0..SPINS {
            if shared.epoch.load(Ordering::Acquire) != seen {
                break;
            }
            std::hint::spin_loop();
        }
        let (tasks, job) = {
            let mut state = shared.job.lock().unwrap_or_else(PoisonError::into_inner);
            while state.epoch == seen {
                state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.stop {
                return;
            }
            seen = state.epoch;
            (state.tasks, state.job)
        };
        if let Some(job) = job {
            let run = std::panic::AssertUnwindSafe(|| take_tasks(shared, tasks, job, worker));
            if std::panic::catch_unwind(run).is_err() {
                shared.panicked.store(true, Ordering::Relaxed);
            }
        }
        shared.busy.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_once() {
        for threads in [1, 2, 3, 5] {
            let pool = Pool::new(threads);
            for tasks in [0, 1, 2, 7, 100] {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                for _ in 0..50 {
                    pool.run(tasks, &|task, worker| {
                        assert!(worker < pool.threads());
                        counts[task].fetch_add(1, Ordering::Relaxed);
                    });
                }
                assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 50));
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let pool = Pool::new(2);
        let run = || pool.run(8, &|task, _| assert_ne!(task, 5));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
        pool.run(8, &|_, _| {});
    }
}
