//! The samples that rows make, and their sharing out.

use crate::fault::{Fault, Faults, codes};
use crate::fit;
use crate::raw::{Data, NONE, Raw};
use crate::roles::Use;
use crate::spec::{DataSpec, Missing, SourceSpec};
use crate::split::{self, Parts, Ties};
use crate::stats::Window;

/// The samples that rows make.
pub(crate) struct Samples {
    pub(crate) kept: Option<Vec<u32>>,
    pub(crate) rows: usize,
    pub(crate) window: Option<Window>,
}

impl Samples {
    fn len(&self) -> usize {
        let rows = self.kept.as_ref().map_or(self.rows, Vec::len);
        self.window.map_or(rows, |w| w.samples(rows))
    }

    /// Picks a value per sample from one per row; of windows, the target's.
    fn pick(&self, all: &[u32]) -> Vec<u32> {
        match (&self.kept, self.window) {
            (Some(kept), _) => kept.iter().map(|&r| all[r as usize]).collect(),
            (None, Some(w)) => all.iter().skip(w.reach()).copied().collect(),
            (None, None) => all.to_vec(),
        }
    }

    /// The rows some samples are made of, in order.
    pub(crate) fn covered(&self, samples: &[u32]) -> Vec<u32> {
        match (&self.kept, self.window) {
            (Some(kept), _) => samples.iter().map(|&s| kept[s as usize]).collect(),
            (None, None) => samples.to_vec(),
            (None, Some(w)) => {
                let mut there = vec![false; self.rows];
                let mut filled = 0; // samples are in order, and windows overlap
                for &s in samples {
                    let s = s as usize;
                    there[filled.max(s)..s + w.length].fill(true);
                    filled = s + w.length;
                }
                samples.iter().for_each(|&s| there[s as usize + w.reach()] = true);
                (0u32..).zip(there).filter(|(_, there)| *there).map(|(r, _)| r).collect()
            }
        }
    }

    /// A fault where there are none.
    pub(crate) fn nonempty(&self, name: &str, spec: &DataSpec, faults: &mut Faults) -> Option<()> {
        if self.len() > 0 {
            return Some(());
        }
        let handle = spec.train.handle();
        let fault = match self.window {
            Some(w) => {
                let message = format!(
                    "`{name}` has {} rows, too few for one window of {} and a target {} further on",
                    self.rows, w.length, w.horizon
                );
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
    let length = csv.window?;
    if length == 0 {
        let fault = Fault::new(codes::OPTION, "`window=0` is no number of rows").at(csv.handle);
        faults.push(fault.help("window=24"));
        return None;
    }
    Some(Window { length, horizon: csv.horizon })
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
    match at.and_then(|u| raw.columns.get(u.position)) {
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
    let classes = if spec.stratify { fit::target_classes(raw, uses) } else { None };
    let classes = classes.map(|c| rows.pick(&c));
    if spec.stratify && classes.is_none() {
        let fault = Fault::new(codes::SPLIT, "`stratify` needs a target of classes").at(spec.handle);
        faults.push(fault.help("take `stratify` away; a shuffled split suits numbers"));
        return None;
    }
    let group = group.map(|g| rows.pick(&g));
    let ties = match (&classes, &group) {
        (Some(c), _) => Ties::Classes(c),
        (None, Some(g)) => Ties::Groups(g),
        (None, None) => Ties::None,
    };
    split::split(rows.len(), spec, ties, seed).map_err(|f| faults.push(*f)).ok()
}
