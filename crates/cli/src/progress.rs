//! What is said while a network trains.

use crate::format::{bytes, count, grouped, short};
use crate::output::Output;
use crate::render::columns;
use nnc_syntax::{Diagnostic, SourceMap};
use nnc_train::{Observer, Progress, StageStart, Start, StopReason};
use std::time::{Duration, Instant};

/// Where lines cannot be written over, a line comes at least this often.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells on stderr how training goes: one line that changes on a terminal, a few lines elsewhere.
#[derive(Debug)]
pub struct Reporter<'a> {
    out: &'a mut Output,
    sources: &'a SourceMap,
    epochs: u64,
    next: u64,
    reported: u64,
    last: Instant,
    line: bool,
    begun: bool,
}

impl<'a> Reporter<'a> {
    /// Says nothing yet.
    pub fn new(out: &'a mut Output, sources: &'a SourceMap) -> Self {
        Self {
            out,
            sources,
            epochs: 0,
            next: 1,
            reported: 0,
            last: Instant::now(),
            line: false,
            begun: false,
        }
    }

    /// Leaves the line that was written over, and tells whether training began.
    pub fn finish(mut self) -> bool {
        self.clear();
        self.begun
    }

    fn clear(&mut self) {
        if self.line {
            self.out.over("");
            self.line = false;
        }
    }

    fn epoch_line(&mut self, epoch: u64, names: &[String], values: &[f64]) {
        let wide = grouped(self.epochs).len();
        let mut line = format!("epoch {:>wide$}/{}", grouped(epoch), grouped(self.epochs));
        line.push_str(&pairs(names, values));
        self.out.note(&line);
        self.reported = epoch;
        self.last = Instant::now();
    }
}

impl Observer for Reporter<'_> {
    fn start(&mut self, start: &Start) {
        (self.epochs, self.begun) = (start.epochs, true);
        let valid = match start.valid_rows {
            0 => String::new(),
            n => format!(" ({} to validate with)", grouped(n as u64)),
        };
        let rows = format!("{}{valid}", count(start.rows as u64, "row"));
        let weights = count(start.weights as u64, "weight");
        let steps = count(start.steps_per_epoch, "step");
        let threads = count(start.threads as u64, "thread");
        let epochs = count(start.epochs, "epoch");
        let memory = bytes(start.memory);
        self.out.note(&format!("{weights}, {rows}: {epochs} of {steps}, {threads}, {memory}"));
        if start.resumed_at > 0 {
            self.out.note(&format!("going on after step {}", grouped(start.resumed_at)));
            while self.next <= start.resumed_at / start.steps_per_epoch.max(1) {
                self.next = after(self.next);
            }
        }
        if start.epochs_by_default {
            self.out.note("neither `epochs` nor `steps` is given: 100 epochs");
        }
    }

    fn stage(&mut self, stage: &StageStart) {
        self.clear();
        self.epochs = stage.total_epochs;
        let (learned, frozen) = stage.learned;
        let frozen = match frozen {
            0 => String::new(),
            n => format!(" ({} frozen)", grouped(n as u64)),
        };
        let ended = match &stage.ended {
            None | Some(StopReason::Finished) => String::new(),
            Some(reason) => format!(" after epoch {}: {reason}", grouped(stage.after.0)),
        };
        self.out.note(&format!(
            "stage {} of {}{ended}: {} learn{frozen}, {} of {}",
            stage.stage,
            stage.of,
            count(learned as u64, "weight"),
            count(stage.epochs, "epoch"),
            count(stage.steps_per_epoch, "step")
        ));
    }

    fn progress(&mut self, p: &Progress<'_>) {
        if self.out.live() {
            let line = live_line(p);
            let room = columns().saturating_sub(1);
            self.out.over(&line.chars().take(room).collect::<String>());
            self.line = true;
        } else if p.last && p.epoch_ended && self.reported != p.epoch {
            self.epoch_line(p.epoch, p.names, p.figures);
        }
    }

    fn epoch(&mut self, epoch: u64, names: &[String], values: &[f64]) {
        if epoch < self.next && (!epoch.is_multiple_of(64) && epoch > 1000 || self.last.elapsed() < PATIENCE)
        {
            return;
        }
        while self.next <= epoch {
            self.next = after(self.next);
        }
        if !self.out.live() {
            self.epoch_line(epoch, names, values);
        }
    }

    fn note(&mut self, diagnostic: &Diagnostic) {
        self.clear();
        self.out.diagnostics(std::slice::from_ref(diagnostic), self.sources);
    }
}

/// 1, 2, 5, 10, 20, 50, …
fn after(n: u64) -> u64 {
    let leading = n / 10u64.pow(n.max(1).ilog10());
    if leading == 2 { n / 2 * 5 } else { n.saturating_mul(2) }
}

fn pairs(names: &[String], values: &[f64]) -> String {
    names.iter().zip(values).map(|(name, x)| format!("  {name} {}", short(*x))).collect()
}

/// `epoch 12/500  loss 0.0123  23,000 steps/s  1:12 left`
fn live_line(p: &Progress<'_>) -> String {
    let mut line = format!("epoch {}/{}", grouped(p.epoch), grouped(p.epochs));
    line.push_str(&pairs(p.names, p.figures));
    if p.seconds > 0.05 && p.step > p.resumed_at {
        let speed = (p.step - p.resumed_at) as f64 / p.seconds;
        let digits = if speed < 10.0 { short(speed) } else { grouped(speed as u64) };
        line.push_str(&format!("  {digits} steps/s"));
        let left = (p.steps.saturating_sub(p.step)) as f64 / speed;
        if left >= 1.0 {
            let left = left.min(3.6e7) as u64;
            line.push_str(&format!("  {}:{:02} left", left / 60, left % 60));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_that_are_told() {
        let mut reported = vec![1];
        while reported.len() < 9 {
            reported.extend(reported.last().map(|n| after(*n)));
        }
        assert_eq!(reported, [1, 2, 5, 10, 20, 50, 100, 200, 500]);
    }

    #[test]
    fn the_line_of_a_terminal() {
        let names = ["loss".to_string()];
        let p = Progress {
            epoch: 3,
            epochs: 1000,
            step: 3000,
            steps: 1_000_000,
            resumed_at: 0,
            seconds: 1.0,
            names: &names,
            figures: &[0.125],
            epoch_ended: true,
            last: false,
        };
        assert_eq!(live_line(&p), "epoch 3/1,000  loss 0.125  3,000 steps/s  5:32 left");
    }
}
