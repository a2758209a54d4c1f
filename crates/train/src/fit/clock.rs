//! Time, read seldom: a small problem makes a step in a microsecond.

use std::time::{Duration, Instant};

/// How often a person is reported.
const REPORT: Duration = Duration::from_millis(100);
/// How often the run's files are written, at least.
const SAVE: Duration = Duration::from_secs(5);

/// A clock that is asked at every step and looked at only now and then.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    looked: Duration,
    reported: Option<Duration>,
    saved: Duration,
    save_every: Duration,
    /// Steps until the next look.
    left: u32,
    stride: u32,
    /// Whether the last step looked.
    fresh: bool,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
            looked: Duration::ZERO,
            reported: None,
            saved: Duration::ZERO,
            save_every: SAVE,
            left: 1,
            stride: 1,
            fresh: false,
        }
    }

    /// Counts a step; says the time at about every few milliseconds of steps.
    pub(crate) fn step(&mut self) -> Option<Duration> {
        self.left -= 1;
        self.fresh = self.left == 0;
        if !self.fresh {
            return None;
        }
        let now = self.start.elapsed();
        let passed = now.saturating_sub(self.looked);
        if passed < Duration::from_millis(2) {
            self.stride = (self.stride * 2).min(1 << 16);
        } else if passed > Duration::from_millis(20) {
            self.stride = (self.stride / 2).max(1);
        }
        self.looked = now;
        self.left = self.stride;
        Some(now)
    }

    /// The time, if the last step looked at the clock.
    pub(crate) fn now_if_looked(&self) -> Option<Duration> {
        self.fresh.then_some(self.looked)
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Whether it is time to tell a person.
    pub(crate) fn report_due(&mut self, now: Duration) -> bool {
        let due = self.reported.is_none_or(|reported| now >= reported + REPORT);
        if due {
            self.reported = Some(now);
        }
        due
    }

    /// Whether it is time to save; `looked` is good enough.
    pub(crate) fn save_due(&self) -> bool {
        self.looked >= self.saved + self.save_every
    }

    /// Remembers that all was saved. Saving takes at most a twentieth of the time.
    pub(crate) fn saved(&mut self, took: Duration) {
        self.saved = self.start.elapsed();
        self.save_every = SAVE.max(took * 20);
    }
}
