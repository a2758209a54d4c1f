//! The samples that rows make, and their sharing out.

use crate::fault::{Fault, Faults, codes};
use crate::fit;
use crate::raw::{Data, NONE, Raw};
use crate::roles::Use;
use crate::series::Series;
use crate::spans::Spans;
use crate::spec::{DataSpec, Extent, Missing, Role, SourceSpec};
use crate::split::{self, Parts, Ties};
use crate::stats::{Whole, Window};

/// The samples that rows make.
pub(crate) struct Samples {
    /// The rows that are encoded, in their order; all of them where `None`.
    pub(crate) kept: Option<Vec<u32>>,
    pub(crate) rows: usize,
    pub(crate) window: Option<Window>,
    /// Where series end that windows stay within, in encoded rows.
    pub(crate) series: Option<Vec<u32>>,
}

impl Samples {
    /// Of `rows` rows, or those that are `kept`; rows of a series are brought
    /// together.
    pub(crate) fn new(
        rows: usize,
        kept: Option<Vec<u32>>,
        window: Option<Window>,
        series: Option<Series>,
    ) -> Self {
        // Windows have no gaps, so that nothing is left out where there are series.
        let order = series.as_ref().and_then(Series::order);
        Self { kept: order.or(kept), rows, window, series: series.map(|s| s.ends()) }
    }

    /// The same where nothing is known of what comes after a window.
    pub(crate) fn without_targets(self) -> Self {
        Self { window: self.window.map(|w| Window { horizon: 0, until: None, ..w }), ..self }
    }

    fn len(&self) -> usize {
        let rows = self.kept.as_ref().map_or(self.rows, Vec::len);
        match (self.window, &self.series) {
            (None, _) => rows,
            (Some(w), None) => w.samples(rows),
            (Some(w), Some(_)) => self.ranges().map(|series| w.samples(series.len())).sum(),
        }
    }

    /// The encoded rows of every series.
    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<u32>> {
        let mut begin = 0;
        self.series.iter().flatten().map(move |&end| std::mem::replace(&mut begin, end)..end)
    }

    /// The encoded row that every sample begins at, where that is not the one
    /// of its own number.
    pub(crate) fn starts(&self) -> Option<Vec<u32>> {
        let window = self.window.filter(|w| w.whole.is_none() && self.series.is_some())?;
        let of =
            |series: std::ops::Range<u32>| series.start..series.start + window.samples(series.len()) as u32;
        Some(self.ranges().flat_map(of).collect())
    }

    /// The series of every sample.
    fn series_of_samples(&self) -> Option<Vec<u32>> {
        let window = self.window.filter(|w| w.whole.is_none() && self.series.is_some())?;
        let of = |(i, series): (usize, std::ops::Range<u32>)| {
            std::iter::repeat_n(i as u32, window.samples(series.len()))
        };
        Some(self.ranges().enumerate().flat_map(of).collect())
    }

    /// Picks a value per sample from one per row; of windows, the target's.
    fn pick(&self, all: &[u32]) -> Vec<u32> {
        let reach = self.window.map_or(0, Window::reach);
        let row = |at: u32| self.kept.as_ref().map_or(at, |kept| kept[at as usize]);
        let value = |at: u32| all[row(at + reach as u32) as usize];
        if self.window.is_some_and(|w| w.whole.is_some()) {
            return self.ranges().map(|series| value(series.start)).collect();
        }
        match self.starts() {
            Some(starts) => starts.into_iter().map(value).collect(),
            None => (0..self.len() as u32).map(value).collect(),
        }
    }

    /// Of samples that are whole series, the encoded rows of each.
    pub(crate) fn spans(&self) -> Option<Spans> {
        let whole = self.window?.whole?;
        Some(Spans::of_ends(self.series.as_deref()?, whole.limit))
    }

    /// The rows that some samples, by the encoded rows they begin at, are
    /// made of, in order.
    pub(crate) fn covered(&self, samples: &[u32]) -> Vec<u32> {
        let row = |at: u32| self.kept.as_ref().map_or(at, |kept| kept[at as usize]);
        let Some(w) = self.window else { return samples.iter().map(|&s| row(s)).collect() };
        if let Some(spans) = self.spans() {
            let steps = samples.iter().filter_map(|&s| spans.get(s as usize)).flatten();
            let mut rows: Vec<u32> = steps.map(|at| row(at as u32)).collect();
            rows.sort_unstable();
            return rows;
        }
        let mut there = vec![false; self.rows];
        let mut filled = 0; // samples are in order, and windows overlap
        for &s in samples {
            let s = s as usize;
            there[filled.max(s)..s + w.length].fill(true);
            filled = s + w.length;
        }
        samples.iter().for_each(|&s| there[s as usize + w.reach()..=s as usize + w.end()].fill(true));
        let mut rows: Vec<u32> =
            (0u32..).zip(there).filter(|(_, there)| *there).map(|(r, _)| row(r)).collect();
        if self.kept.is_some() {
            rows.sort_unstable();
        }
        rows
    }

    /// A fault where there are none.
    pub(crate) fn nonempty(&self, name: &str, spec: &DataSpec, faults: &mut Faults) -> Option<()> {
        if self.len() > 0 {
            return Some(());
        }
        let handle = spec.train.handle();
        let fault = match self.window {
            Some(w) => {
                let far = w.until.unwrap_or(w.horizon);
                let message = match &self.series {
                    None => format!(
                        "`{name}` has {} rows, too few for one window of {} and a target {far} further on",
                        self.rows, w.length
                    ),
                    Some(_) => format!(
                        "no series of `{name}` has rows enough for one window of {} and a target {far} further on",
                        w.length
                    ),
                };
                Fault::new(codes::EMPTY, message).help("a smaller window=")
            }
            None => {
                let message = format!("`missing=drop` leaves no row of `{name}`");
                Fault::new(codes::EMPTY, message).help("use missing=mean or missing=mode")
            }
        };
        faults.push(fault.at(handle));
        None
    }
}

/// What `window=` and `horizon=` ask for.
pub(crate) fn window(source: &SourceSpec, faults: &mut Faults) -> Option<Window> {
    let SourceSpec::Csv(csv) = source else { return None };
    let length = match csv.window? {
        Extent::Rows(length) => length,
        // How many it are shows when the series are known.
        Extent::Series => {
            let whole = Some(Whole { limit: csv.max_length });
            return Some(Window { length: 1, horizon: 0, until: None, whole });
        }
    };
    if length == 0 {
        let fault = Fault::new(codes::OPTION, "`window=0` is no number of rows").at(csv.handle);
        faults.push(fault.help("window=24"));
        return None;
    }
    if let Some(until) = csv.until.filter(|&until| until < csv.horizon) {
        let message = format!("`horizon={}..{until}` is no rows at all", csv.horizon);
        faults.push(
            Fault::new(codes::OPTION, message).at(csv.handle).help("the first comes first: horizon=1..3"),
        );
        return None;
    }
    Some(Window { length, horizon: csv.horizon, until: csv.until, whole: None })
}

/// Where nothing is a target, windows reach no further than their own rows.
pub(crate) fn towards(
    window: Option<Window>,
    uses: &[Use],
    spec: &DataSpec,
    faults: &mut Faults,
) -> Option<Window> {
    let w = window?;
    if uses.iter().any(|u| u.role == Role::Target) {
        return window;
    }
    if w.whole.is_none() && (w.horizon != 1 || w.until.is_some()) {
        let message = "`horizon=` says which rows are the target, and no column is one";
        let fault = Fault::new(codes::OPTION, message).at(spec.train.handle());
        faults.push(fault.help("target NAME   or   no horizon="));
    }
    Some(Window { horizon: 0, until: None, ..w })
}

/// Windows are of rows that follow each other.
pub(crate) fn no_gaps(uses: &[Use], window: Option<Window>, faults: &mut Faults) {
    let dropping = uses.iter().find(|u| u.missing == Some(Missing::Drop));
    if let (Some(used), Some(_)) = (dropping, window) {
        let message = "`missing=drop` would leave gaps in the windows";
        let fault = Fault::new(codes::ENCODING, message).at(used.handle);
        faults.push(fault.help("missing=mean, or fill the gaps in the file"));
    }
}

/// The group of every row of the raw table.
fn group_column(raw: &Raw, uses: &[Use], spec: &DataSpec, faults: &mut Faults) -> Option<Vec<u32>> {
    let name = spec.split.group.as_ref()?;
    let at = uses.iter().find(|u| u.name == name.name);
    let part = at.and_then(|u| raw.columns.get(u.position)).map(|d| d.part(0..raw.len));
    let part = part.transpose().map_err(|f| faults.push(*f)).ok()?;
    match part.as_ref().map(|(_, data)| data.as_ref()) {
        Some(Data::Text { codes, vocabulary }) => {
            let missing = vocabulary.len() as u32;
            Some(codes.iter().map(|&c| if c == NONE { missing } else { c }).collect())
        }
        Some(Data::Numbers(values)) => {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            sorted.dedup();
            let at = |x: &f64| sorted.partition_point(|y| y.total_cmp(x).is_lt()) as u32;
            Some(values.iter().map(at).collect())
        }
        _ => {
            let message = format!("`split group={0}` needs a column `{0}` that is read", name.name);
            faults.push(Fault::new(codes::SPLIT, message).at(name.handle.or(spec.split.handle)));
            None
        }
    }
}

/// Shares the samples out.
pub(crate) fn share(
    raw: &Raw,
    uses: &[Use],
    rows: &Samples,
    spec: &DataSpec,
    faults: &mut Faults,
) -> Option<Parts> {
    let group = group_column(raw, uses, spec, faults);
    if !faults.is_empty() {
        return None;
    }
    let (spec, seed) = (&spec.split, spec.seed);
    let classes = if spec.stratify { fit::target_classes(raw, uses, faults) } else { None };
    let classes = classes.map(|c| rows.pick(&c));
    if spec.stratify && classes.is_none() {
        let fault = Fault::new(codes::SPLIT, "`stratify` needs a target of classes").at(spec.handle);
        faults.push(fault.help("take `stratify` away; a shuffled split suits numbers"));
        return None;
    }
    let group = group.map(|g| rows.pick(&g));
    // The last rows of a table of series are those of the last series; what
    // is meant are the last of each.
    let series = if spec.ordered { rows.series_of_samples() } else { None };
    let ties = match (&classes, &group, &series) {
        (Some(c), ..) => Ties::Classes(c),
        (None, Some(g), _) => Ties::Groups(g),
        (None, None, Some(s)) => Ties::Classes(s),
        (None, None, None) => Ties::None,
    };
    let mut parts = split::split(rows.len(), spec, ties, seed).map_err(|f| faults.push(*f)).ok()?;
    if let Some(starts) = rows.starts() {
        let samples = parts.train.iter_mut().chain(&mut parts.valid).chain(&mut parts.test);
        samples.for_each(|s| *s = starts[*s as usize]);
    }
    Some(parts)
}
