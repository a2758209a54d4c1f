//! Data that was read before, for who asks about one program again and again while it is being written.

use crate::binding::domain;
use nnc_data::{DataSpec, Dataset, Fault, Limits, Schema, SourceSpec, codes};
use nnc_model::Ports;
use nnc_model::data::Domain;
use std::collections::BTreeMap;
use std::fs;
use std::time::SystemTime;

/// What reads data.
pub(crate) trait Read {
    /// Reads, splits and encodes.
    fn open(&mut self, spec: &DataSpec, limits: &Limits) -> Result<Dataset, Vec<Fault>>;
    /// The ports of data with mistakes.
    fn sketch(&mut self, spec: &DataSpec, limits: &Limits) -> Option<Schema>;
    /// Fills in the domains of the ports of the data that was opened last.
    fn look(&mut self, data: &Dataset, ports: &mut Ports);
}

/// Reads everything when it is asked for.
pub(crate) struct Anew;

impl Read for Anew {
    fn open(&mut self, spec: &DataSpec, limits: &Limits) -> Result<Dataset, Vec<Fault>> {
        nnc_data::open_with(spec, limits)
    }

    fn sketch(&mut self, spec: &DataSpec, limits: &Limits) -> Option<Schema> {
        nnc_data::sketch(spec, limits)
    }

    fn look(&mut self, data: &Dataset, ports: &mut Ports) {
        domain::look(data, ports);
    }
}

/// So many readings are kept.
const KEPT: usize = 4;
/// Readings of more bytes than this altogether are not kept beside each other.
const BYTES: u64 = 1 << 30;

/// What was read of data files, by what was asked of them; read anew when a file has another time of change or
/// another length.
#[derive(Debug, Default)]
pub struct DataCache {
    /// The one that was used last stands last.
    kept: Vec<Kept>,
    reads: usize,
    /// Whether stdin is taken for other things than data.
    without_stdin: bool,
}

#[derive(Debug)]
struct Kept {
    spec: DataSpec,
    limits: Limits,
    stamps: Vec<Stamp>,
    opened: Result<Dataset, Vec<Fault>>,
    sketch: Option<Option<Schema>>,
    /// By the shapes and names of ports of numbers.
    domains: Vec<(Ports, BTreeMap<String, Domain>)>,
}

/// A file, and when it was written; nothing where it cannot be asked.
type Stamp = (String, Option<(SystemTime, u64)>);

fn stamps(spec: &DataSpec) -> Vec<Stamp> {
    let stamp = |path: String| {
        let about = fs::metadata(&path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
        (path, about)
    };
    nnc_data::files(spec).into_iter().map(stamp).collect()
}

/// Whether a source is read from stdin, which an editor uses for other things.
fn stdin(spec: &DataSpec) -> bool {
    let is = |source: &SourceSpec| match source {
        SourceSpec::Csv(csv) => csv.path == "-" || csv.more.iter().any(|path| path == "-"),
        SourceSpec::Text(text) => text.path == "-",
        SourceSpec::Rows(_)
        | SourceSpec::Generator(_)
        | SourceSpec::Idx(_)
        | SourceSpec::Npy(_)
        | SourceSpec::Npz(_)
        | SourceSpec::Images(_) => false,
    };
    [Some(&spec.train), spec.valid.as_ref(), spec.test.as_ref()].into_iter().flatten().any(is)
}

impl DataCache {
    /// For who speaks with others through stdin: a program that takes its data from there is told that it cannot be.
    pub fn without_stdin() -> Self {
        Self { without_stdin: true, ..Self::default() }
    }

    /// How often data was read so far.
    pub fn reads(&self) -> usize {
        self.reads
    }

    /// What is kept for a spec, as the last; read where it is not kept, or has changed.
    fn kept(&mut self, spec: &DataSpec, limits: &Limits) -> &mut Kept {
        let stamps = stamps(spec);
        let found = self.kept.iter().position(|k| k.spec == *spec && k.limits == *limits);
        let kept = match found.map(|at| self.kept.remove(at)).filter(|k| k.stamps == stamps) {
            Some(kept) => kept,
            None => {
                self.reads += 1;
                Kept {
                    spec: spec.clone(),
                    limits: *limits,
                    stamps,
                    opened: nnc_data::open_with(spec, limits),
                    sketch: None,
                    domains: Vec::new(),
                }
            }
        };
        self.kept.push(kept);
        let bytes = |kept: &[Kept]| {
            kept.iter().map(|k| k.opened.as_ref().map_or(0, Dataset::bytes)).fold(0, u64::saturating_add)
        };
        while self.kept.len() > 1 && (self.kept.len() > KEPT || bytes(&self.kept) > BYTES) {
            self.kept.remove(0);
        }
        let last = self.kept.len() - 1;
        &mut self.kept[last]
    }
}

impl Read for DataCache {
    fn open(&mut self, spec: &DataSpec, limits: &Limits) -> Result<Dataset, Vec<Fault>> {
        if self.without_stdin && stdin(spec) {
            let fault = Fault::new(codes::NO_FILE, "data from stdin is not read here");
            return Err(vec![fault]);
        }
        self.kept(spec, limits).opened.clone()
    }

    fn sketch(&mut self, spec: &DataSpec, limits: &Limits) -> Option<Schema> {
        if self.without_stdin && stdin(spec) {
            return None;
        }
        let kept = self.kept(spec, limits);
        kept.sketch.get_or_insert_with(|| nnc_data::sketch(spec, limits)).clone()
    }

    fn look(&mut self, data: &Dataset, ports: &mut Ports) {
        let Some(kept) = self.kept.last_mut() else { return domain::look(data, ports) };
        let sides = |p: &Ports| (p.inputs.clone(), p.targets.clone());
        let asked = sides(ports);
        if let Some((_, domains)) = kept.domains.iter().find(|(p, _)| sides(p) == asked) {
            ports.domains.clone_from(domains);
            return;
        }
        domain::look(data, ports);
        let (inputs, targets) = asked;
        kept.domains.push((Ports { inputs, targets, ..Ports::default() }, ports.domains.clone()));
    }
}
