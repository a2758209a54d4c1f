//! What is said while a network trains.

use crate::args::ResultArgs;
use crate::epochs::Sinks;
use crate::format::{bytes, count, grouped, short};
use crate::output::Output;
use crate::render::columns;
use nnc_model::Better;
use nnc_model::data::Balanced;
use nnc_syntax::{Diagnostic, SourceMap};
use nnc_train::{Observer, Progress, StageStart, Start, StopReason};
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthStr;

/// Where lines cannot be written over, a line comes at least this often.
const PATIENCE: Duration = Duration::from_secs(30);
/// On a terminal, where another line moves meanwhile, the line of an epoch stays at least this often.
const LIVE_PATIENCE: Duration = Duration::from_secs(2);
/// All epochs of a run with no more than these stay on a terminal.
const FEW: u64 = 30;
/// Marks of the curve.
const CURVE: usize = 12;

/// Tells on stderr how training goes: epochs that stay and, on a terminal, a line below them that moves.
#[derive(Debug)]
pub struct Reporter<'a> {
    out: &'a mut Output,
    sources: &'a SourceMap,
    /// Whether every epoch is told.
    every: bool,
    sinks: Sinks,
    epochs: u64,
    next: u64,
    reported: u64,
    last: Instant,
    line: bool,
    begun: bool,
    curve: Curve,
    notable: Notable<'a>,
}

impl<'a> Reporter<'a> {
    /// Says nothing yet; `better` knows of a figure whether more or less of it is better.
    pub fn new(
        out: &'a mut Output,
        sources: &'a SourceMap,
        style: ResultArgs,
        better: impl Fn(&str) -> Option<Better> + 'a,
    ) -> Self {
        Self {
            out,
            sources,
            every: style.verbose,
            sinks: Sinks::new(style),
            epochs: 0,
            next: 1,
            reported: 0,
            last: Instant::now(),
            line: false,
            begun: false,
            curve: Curve::default(),
            notable: Notable::new(better),
        }
    }

    /// Leaves the line that was written over, says what is worth knowing of the epochs as a whole, and tells whether
    /// training began.
    pub fn finish(mut self) -> bool {
        self.clear();
        for line in self.notable.lines() {
            self.out.note(&line);
        }
        self.begun
    }

    fn clear(&mut self) {
        if self.line {
            self.out.over("");
            self.line = false;
        }
    }

    fn epoch_line(&mut self, epoch: u64, names: &[String], values: &[f64]) {
        self.clear();
        let wide = grouped(self.epochs).len();
        let line = format!("epoch {:>wide$}/{}", grouped(epoch), grouped(self.epochs));
        let room = if self.out.live() { columns().saturating_sub(1) } else { usize::MAX };
        self.out.note(&fitted(line, &pairs(names, values), room));
        self.reported = epoch;
        self.last = Instant::now();
    }
}

impl Observer for Reporter<'_> {
    fn start(&mut self, start: &Start) {
        self.sinks.start(start, self.out);
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
        for row in &start.balanced {
            self.out.note(&balanced(row));
        }
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
        self.sinks.stage(stage, self.out);
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
        self.sinks.flush(self.out);
        if p.last && p.epoch_ended && self.reported != p.epoch {
            self.epoch_line(p.epoch, p.names, p.figures);
        } else if self.out.live() && !p.last {
            let style = LineStyle { room: columns().saturating_sub(1), unicode: self.out.unicode() };
            let line = live_line(p, &self.curve, style);
            self.out.over(&line);
            self.line = true;
        }
    }

    fn epoch(&mut self, epoch: u64, names: &[String], values: &[f64]) {
        self.notable.look(epoch, names, values);
        self.sinks.epoch(epoch, names, values, self.out);
        if let Some(loss) = values.first() {
            self.curve.push(*loss);
        }
        let live = self.out.live();
        let told = self.every || live && self.epochs <= FEW || epoch >= self.next || {
            // The clock is read seldom.
            let looked = epoch.is_multiple_of(64) || epoch <= 1000;
            looked && self.last.elapsed() >= if live { LIVE_PATIENCE } else { PATIENCE }
        };
        if !told {
            return;
        }
        while self.next <= epoch {
            self.next = after(self.next);
        }
        self.epoch_line(epoch, names, values);
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

/// What the classes of a target count: `class weights of species, balanced: setosa 0.67, virginica 2`.
fn balanced(row: &Balanced) -> String {
    const MOST: usize = 10;
    let some = row.weights.iter().take(MOST).map(|(class, weight)| format!("{class} {}", short(*weight)));
    let some = some.collect::<Vec<_>>().join(", ");
    let more = if row.weights.len() > MOST { ", …" } else { "" };
    format!("class weights of {}, balanced: {some}{more}", row.target)
}

fn pairs(names: &[String], values: &[f64]) -> Vec<String> {
    names.iter().zip(values).map(|(name, x)| format!("  {name} {}", short(*x))).collect()
}

/// A line and as many further parts as fit; `…` where some do not. Of the parts that do not all fit, the first, and then
/// those of the validation part say most.
fn fitted(mut line: String, parts: &[String], room: usize) -> String {
    let whole: usize = line.width() + parts.iter().map(|p| p.width()).sum::<usize>();
    if whole <= room {
        line.extend(parts.iter().map(String::as_str));
        return line;
    }
    let half = parts.len() / 2;
    let twice = parts.len() > 1 && parts[half..].iter().all(|p| p.starts_with("  val_"));
    let order: Vec<usize> =
        if twice { (0..half).flat_map(|i| [i, half + i]).collect() } else { (0..parts.len()).collect() };
    for i in order {
        if line.width() + parts[i].width() + 2 > room {
            line.push_str(" …");
            break;
        }
        line.push_str(&parts[i]);
    }
    line
}

/// How a line on a terminal may look.
#[derive(Clone, Copy, Debug)]
struct LineStyle {
    /// Columns.
    room: usize,
    /// Whether the terminal has more than ASCII.
    unicode: bool,
}

/// `epoch 12/500  ━━━━━━────  34/60  loss 0.0123  █▆▃▂▁  1:12 left  23,000 rows/s`: what does not fit is left out, the
/// last first. The loss is of this epoch, as far as it has come.
fn live_line(p: &Progress<'_>, curve: &Curve, style: LineStyle) -> String {
    let mut parts: Vec<(u8, String)> = Vec::new();
    parts.push((0, format!("epoch {}/{}", grouped(p.epoch), grouped(p.epochs))));
    let (done, all) = p.epoch_steps;
    // A bar over the steps of an epoch, or, where that is over in an instant, over all epochs.
    let (done, all) = if all > 1 { (done, all) } else { (p.epoch, p.epochs) };
    parts.push((3, bar(done, all, style)));
    if p.epoch_steps.1 > 1 {
        parts.push((5, format!("{}/{}", grouped(p.epoch_steps.0), grouped(p.epoch_steps.1))));
    }
    if let Some(loss) = p.running {
        parts.push((1, format!("loss {}", short(loss))));
    }
    if style.unicode && curve.marks.len() > 1 {
        parts.push((6, curve.text()));
    }
    if p.seconds > 0.05 && p.step > p.resumed_at {
        let speed = (p.step - p.resumed_at) as f64 / p.seconds;
        let left = (p.steps.saturating_sub(p.step)) as f64 / speed;
        if left >= 1.0 {
            let left = left.min(3.6e7) as u64;
            parts.push((2, format!("{}:{:02} left", left / 60, left % 60)));
        }
        let rows = p.rows as f64 / p.seconds;
        let digits = if rows < 10.0 { short(rows) } else { grouped(rows as u64) };
        parts.push((4, format!("{digits} rows/s")));
    }
    let width = |parts: &[(u8, String)]| parts.iter().map(|(_, t)| t.width() + 2).sum::<usize>();
    while parts.len() > 1 && width(&parts) > style.room + 2 {
        let least = (0..parts.len()).max_by_key(|i| parts[*i].0).unwrap_or(0);
        parts.remove(least);
    }
    parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("  ")
}

/// Ten marks.
fn bar(done: u64, all: u64, style: LineStyle) -> String {
    let full = (done.saturating_mul(10) / all.max(1)).min(10) as usize;
    let (mark, rest) = if style.unicode { ("━", "─") } else { ("#", "-") };
    format!("{}{}", mark.repeat(full), rest.repeat(10 - full))
}

/// The loss of the epochs so far in a few marks, of which each stands for as many epochs.
#[derive(Clone, Debug, Default)]
struct Curve {
    marks: Vec<f64>,
    /// Epochs of a mark, less one.
    each: u64,
    seen: u64,
}

impl Curve {
    fn push(&mut self, loss: f64) {
        if !self.seen.is_multiple_of(self.each + 1) {
            self.seen += 1;
            return;
        }
        self.seen += 1;
        if self.marks.len() == CURVE {
            let kept: Vec<f64> = self.marks.iter().copied().step_by(2).collect();
            self.marks = kept;
            self.each = 2 * self.each + 1;
        }
        self.marks.push(loss);
    }

    /// From the least to the largest, as logarithms where all are positive.
    fn text(&self) -> String {
        let logs = self.marks.iter().all(|x| *x > 0.0);
        let values: Vec<f64> = self.marks.iter().map(|x| if logs { x.ln() } else { *x }).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let level = |x: f64| match high - low {
            range if range > 0.0 => ((x - low) / range * 7.0).round().clamp(0.0, 7.0) as usize,
            _ => 0,
        };
        values.iter().map(|x| ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][level(*x)]).collect()
    }
}

/// Which way a figure gets better, by its name.
type Directions<'a> = Box<dyn Fn(&str) -> Option<Better> + 'a>;

/// What is worth knowing of all epochs when they are over: when a share first was whole, and which epoch was the best
/// on the rows that were held back.
struct Notable<'a> {
    better: Directions<'a>,
    /// Of every figure what is better; read once.
    directions: Vec<Option<Better>>,
    whole: Vec<Option<u64>>,
    best: Vec<Option<(f64, u64)>>,
    names: Vec<String>,
    last: u64,
}

impl std::fmt::Debug for Notable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notable").field("whole", &self.whole).field("best", &self.best).finish()
    }
}

impl<'a> Notable<'a> {
    fn new(better: impl Fn(&str) -> Option<Better> + 'a) -> Self {
        Self {
            better: Box::new(better),
            directions: Vec::new(),
            whole: Vec::new(),
            best: Vec::new(),
            names: Vec::new(),
            last: 0,
        }
    }

    fn look(&mut self, epoch: u64, names: &[String], values: &[f64]) {
        if self.names.is_empty() {
            self.names = names.to_vec();
            self.directions = names.iter().map(|n| (self.better)(n)).collect();
            (self.whole, self.best) = (vec![None; names.len()], vec![None; names.len()]);
        }
        self.last = epoch;
        for (i, x) in values.iter().enumerate().take(self.names.len()) {
            let higher = match self.directions[i] {
                Some(Better::Higher) => true,
                Some(Better::Lower) => false,
                None => continue,
            };
            if higher && *x == 1.0 && self.whole[i].is_none() {
                self.whole[i] = Some(epoch);
            }
            let improves = self.best[i].is_none_or(|(best, _)| if higher { *x > best } else { *x < best });
            if improves {
                self.best[i] = Some((*x, epoch));
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (i, name) in self.names.iter().enumerate() {
            if let Some(epoch) = self.whole[i] {
                out.push(format!("{name} was first 1 in epoch {}", grouped(epoch)));
            }
            let held_back = name.starts_with("val_");
            if let Some((value, epoch)) = self.best[i].filter(|(_, epoch)| held_back && *epoch < self.last)
                && self.whole[i].is_none()
            {
                out.push(format!("{name} was best in epoch {}: {}", grouped(epoch), short(value)));
            }
        }
        out
    }
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

    fn progress<'a>(names: &'a [String], figures: &'a [f64]) -> Progress<'a> {
        Progress {
            epoch: 3,
            epochs: 1000,
            step: 2250,
            steps: 1_000_000,
            resumed_at: 0,
            epoch_steps: (250, 1000),
            rows: 72_000,
            running: Some(0.125),
            seconds: 1.0,
            names,
            figures,
            epoch_ended: false,
            last: false,
        }
    }

    #[test]
    fn the_line_of_a_terminal() {
        let names = ["loss".to_string()];
        let p = progress(&names, &[0.5]);
        let mut curve = Curve::default();
        curve.push(1.0);
        curve.push(0.25);
        let line = |room, unicode| live_line(&p, &curve, LineStyle { room, unicode });
        assert_eq!(
            line(88, true),
            "epoch 3/1,000  ━━────────  250/1,000  loss 0.125  █▁  7:23 left  72,000 rows/s"
        );
        assert_eq!(
            line(88, false),
            "epoch 3/1,000  ##--------  250/1,000  loss 0.125  7:23 left  72,000 rows/s"
        );
        assert_eq!(line(39, true), "epoch 3/1,000  loss 0.125  7:23 left");
        for room in 13..100 {
            assert!(line(room, true).width() <= room, "{room}");
        }
        let one_step = Progress { epoch_steps: (1, 1), ..p };
        assert!(
            live_line(&one_step, &curve, LineStyle { room: 80, unicode: true }).contains("3/1,000  ────")
        );
    }

    #[test]
    fn a_curve_keeps_the_shape_of_many_epochs() {
        let mut curve = Curve::default();
        for i in 0..10_000 {
            curve.push(f64::from(10_000 - i));
            assert!(curve.marks.len() <= CURVE);
        }
        assert!(curve.text().starts_with("██") && curve.marks.len() > CURVE / 2, "{}", curve.text());
        assert!(curve.marks.windows(2).all(|w| w[0] > w[1]));
        let flat = Curve { marks: vec![0.5; 3], ..Curve::default() };
        assert_eq!(flat.text(), "▁▁▁");
    }

    #[test]
    fn what_does_not_fit_is_left_out_in_order() {
        let parts: Vec<String> =
            ["loss 1", "acc 2", "val_loss 3", "val_acc 4"].iter().map(|p| format!("  {p}")).collect();
        let line = |room| fitted("epoch 1".into(), &parts, room);
        assert_eq!(line(80), "epoch 1  loss 1  acc 2  val_loss 3  val_acc 4");
        assert_eq!(line(36), "epoch 1  loss 1  val_loss 3  acc 2 …");
        assert_eq!(line(20), "epoch 1  loss 1 …");
    }

    #[test]
    fn notable_epochs() {
        let better = |name: &str| Some(if name.ends_with("loss") { Better::Lower } else { Better::Higher });
        let mut notable = Notable::new(better);
        let names = ["loss", "acc", "val_loss", "val_acc"].map(String::from);
        for (epoch, row) in
            [[0.5, 0.5, 0.4, 0.5], [0.4, 1.0, 0.3, 0.75], [0.3, 1.0, 0.6, 0.5]].iter().enumerate()
        {
            notable.look(epoch as u64 + 1, &names, row);
        }
        assert_eq!(
            notable.lines(),
            [
                "acc was first 1 in epoch 2",
                "val_loss was best in epoch 2: 0.3",
                "val_acc was best in epoch 2: 0.75"
            ]
        );
    }
}
