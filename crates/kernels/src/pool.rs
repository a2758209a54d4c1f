//! Threads that wait for work: a short spin, then parked. While a loop runs they stay awake.

use crate::denormals::Flush;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A task function: called with the number of the task and of the worker that runs it.
type Job<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What the workers share.
struct Shared {
    /// The number of the present job times [`JOB`], plus [`SHUT`] when it takes no more workers, plus how many
    /// workers are at it.
    gate: AtomicU64,
    /// The number of tasks and what they do.
    job: UnsafeCell<(usize, Job<'static>)>,
    next: AtomicUsize,
    /// Jobs from this number on keep the workers awake.
    awake_from: AtomicU64,
    /// Workers that have begun to wait for their first job.
    started: AtomicUsize,
    /// Workers that sleep or are about to.
    sleepers: AtomicUsize,
    bed: Mutex<()>,
    wake: Condvar,
    panicked: AtomicBool,
}

// SAFETY: `job` is written by the thread that holds `Pool::running`, while the gate is shut and nobody is at
// work, and read by workers that came through the open gate.
unsafe impl Sync for Shared {}
// SAFETY: as above; the job itself may be called from any thread.
unsafe impl Send for Shared {}

/// The gate of a job that takes no more workers.
const SHUT: u64 = 1 << 15;
/// The workers at a job.
const AT_WORK: u64 = SHUT - 1;
/// From one job's gate to the next.
const JOB: u64 = 1 << 16;
/// The gate of a pool that ends.
const STOP: u64 = u64::MAX;

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

/// How often a thread looks for a change before it gives its core to others: some 20 microseconds.
const SPINS: usize = 2_000;

/// The workers of a pool do not sleep between jobs before this is dropped.
pub(crate) struct Awake<'a>(Option<&'a Shared>);

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.awake_from.store(u64::MAX, Ordering::Relaxed);
        }
    }
}

impl Pool {
    /// A pool of this many threads (at least one: the caller's). On `wasm32`, always one; fewer when the
    /// system gives no more.
    pub fn new(threads: usize) -> Arc<Self> {
        let shared = Arc::new(Shared {
            gate: AtomicU64::new(SHUT),
            job: UnsafeCell::new((0, &|_, _| {})),
            next: AtomicUsize::new(0),
            awake_from: AtomicU64::new(u64::MAX),
            started: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            bed: Mutex::new(()),
            wake: Condvar::new(),
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
        // What starting a thread allocates belongs here, not to the first jobs.
        while shared.started.load(Ordering::Acquire) < handles.len() {
            std::thread::yield_now();
        }
        Arc::new(Self { shared, running: AtomicBool::new(false), handles })
    }

    /// The number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.handles.len() + 1
    }

    /// Keeps workers awake that have been woken for a job from now on.
    pub(crate) fn stay_awake(&self) -> Awake<'_> {
        let shared = &*self.shared;
        let next = shared.gate.load(Ordering::Relaxed) / JOB + 1;
        let free = !self.handles.is_empty()
            && shared
                .awake_from
                .compare_exchange(u64::MAX, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        Awake(free.then_some(shared))
    }

    /// Runs `job(task, worker)` for every task below `tasks`, spread over the threads, and waits for the end.
    /// `worker` is below [`Pool::threads`]; the caller is worker 0.
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
        // SAFETY: the reference outlives its use: this function does not return before the gate is shut and
        // every worker that came through it has left.
        let job_static = unsafe { std::mem::transmute::<Job<'_>, Job<'static>>(job) };
        // SAFETY: we hold `running`, and the gate is shut: nobody else touches the cell.
        unsafe { *shared.job.get() = (tasks, job_static) };
        shared.next.store(0, Ordering::Relaxed);
        let number = shared.gate.load(Ordering::Relaxed) / JOB + 1;
        // Either a worker on its way to bed sees the open gate, or we see the worker.
        shared.gate.store(number * JOB, Ordering::SeqCst);
        if shared.sleepers.load(Ordering::SeqCst) > 0 {
            shared.wake_all();
        }
        let done = Finish { shared, running: &self.running };
        take_tasks(shared, tasks, job, 0);
        drop(done);
        assert!(!shared.panicked.swap(false, Ordering::Relaxed), "a task panicked");
    }
}

/// Shuts the gate and waits for the workers, even when the caller's own task panics.
struct Finish<'a> {
    shared: &'a Shared,
    running: &'a AtomicBool,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let mut gate = self.shared.gate.fetch_or(SHUT, Ordering::AcqRel);
        let mut spins = 0usize;
        while gate & AT_WORK != 0 {
            spins += 1;
            if spins < SPINS {
                std::hint::spin_loop()
            } else {
                std::thread::yield_now()
            }
            gate = self.shared.gate.load(Ordering::Acquire);
        }
        self.running.store(false, Ordering::Release);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.gate.store(STOP, Ordering::SeqCst);
        self.shared.wake_all();
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

impl Shared {
    fn wake_all(&self) {
        // Whoever saw the old gate is asleep once we have the lock.
        drop(self.bed.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }

    /// The gate as soon as it is open for another job than `seen`, or the pool ends.
    fn wait(&self, seen: u64) -> u64 {
        let news = |gate: u64| (gate & SHUT == 0 && gate / JOB != seen) || gate == STOP;
        let mut spins = 0usize;
        loop {
            let gate = self.gate.load(Ordering::Acquire);
            if news(gate) {
                return gate;
            }
            spins += 1;
            if spins < SPINS {
                std::hint::spin_loop();
            } else if gate / JOB >= self.awake_from.load(Ordering::Relaxed) {
                std::thread::yield_now();
            } else {
                let bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
                self.sleepers.fetch_add(1, Ordering::SeqCst);
                if !news(self.gate.load(Ordering::SeqCst)) {
                    drop(self.wake.wait(bed).unwrap_or_else(PoisonError::into_inner));
                }
                self.sleepers.fetch_sub(1, Ordering::SeqCst);
                // The job may be done already; the next one comes soon.
                spins = 0;
            }
        }
    }
}

fn work(shared: &Shared, worker: usize) {
    // As in the caller's thread, where `Code::run` does it.
    let _flush = Flush::new();
    shared.started.fetch_add(1, Ordering::Release);
    let mut seen = 0;
    loop {
        let gate = shared.wait(seen);
        if gate == STOP {
            return;
        }
        // Only as long as the gate is open, and to the same job.
        if shared.gate.compare_exchange(gate, gate + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            continue;
        }
        seen = gate / JOB;
        // SAFETY: nobody writes the cell while a worker is counted at the gate.
        let (tasks, job) = unsafe { *shared.job.get() };
        let run = std::panic::AssertUnwindSafe(|| take_tasks(shared, tasks, job, worker));
        if std::panic::catch_unwind(run).is_err() {
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.gate.fetch_sub(1, Ordering::Release);
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
