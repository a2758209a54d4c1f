//! Made-up data. Sample `i` is of class `i % classes`, so that every part of
//! an ordered split has them all; everything random comes by counter.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use super::{Source, too_big};
use crate::Limits;
use crate::fault::{Fault, Faults, codes};
use crate::raw::{Data, Head, Places, Raw, Want};
use crate::rng::{Purpose, Stream};
use crate::spec::{GeneratorKind, GeneratorSpec, Role};

struct Generator {
    spec: GeneratorSpec,
    heads: Vec<Head>,
    dims: usize,
    classes: usize,
    noise: f64,
}

/// Checks the options.
pub(crate) fn open(spec: &GeneratorSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    use GeneratorKind as K;
    let (dims, classes) = match spec.kind {
        K::Moons | K::Circles | K::Xor => (2, 2),
        K::Spiral => (2, spec.classes.unwrap_or(2)),
        K::Blobs => (spec.dims.unwrap_or(2), spec.classes.unwrap_or(3)),
        K::Sine => (1, 0),
        K::Uniform => (spec.dims.unwrap_or(1), 0),
    };
    let noise = spec.noise.unwrap_or(if spec.kind == K::Blobs { 1.0 } else { 0.0 });
    check(spec, dims, classes, noise, limits).done(())?;
    let mut heads: Vec<Head> = (1..=dims)
        .map(|i| Head::made_up(if dims == 1 { "x".into() } else { format!("x{i}") }, Some(Role::Input)))
        .collect();
    match spec.kind {
        K::Uniform => {}
        K::Sine => heads.push(Head::made_up("y", Some(Role::Target))),
        _ => heads.push(Head::made_up("class", Some(Role::Target))),
    }
    Ok(Box::new(Generator { spec: spec.clone(), heads, dims, classes, noise }))
}

fn check(spec: &GeneratorSpec, dims: usize, classes: usize, noise: f64, limits: &Limits) -> Faults {
    let mut faults = Faults::new();
    let name = spec.kind.name();
    let mut wrong = |message: String| faults.push(Fault::new(codes::OPTION, message).at(spec.handle));
    if spec.count == 0 {
        wrong(format!("`{name}` needs a number of samples above 0, as in `data {name} 500`"));
    }
    if !(noise.is_finite() && noise >= 0.0) {
        wrong(format!("`noise={noise}` is a standard deviation: 0 or more"));
    }
    if dims == 0 || dims > 100_000 {
        wrong(format!("`{name}` cannot have {dims} numbers per sample"));
    }
    let kinds = matches!(spec.kind, GeneratorKind::Spiral | GeneratorKind::Blobs);
    if kinds && !(1..=65_535).contains(&classes) {
        wrong(format!("`{name}` cannot have {classes} classes"));
    }
    if spec.classes.is_some_and(|n| n != classes) {
        wrong(format!("`{name}` has no choice of classes"));
    }
    let (low, high) = bounds(spec);
    let ranged = low.is_finite() && high.is_finite() && (high - low).is_finite() && low < high;
    if !ranged {
        wrong(format!("`low={low} high={high}` is no range: `low` is below `high`"));
    }
    let rows = spec.count as u64;
    let need = rows.saturating_mul(dims as u64 + 1).saturating_mul(16);
    if need > limits.memory || rows > u64::from(u32::MAX) {
        faults.push(too_big(&format!("{rows} samples of `{name}`"), need, limits).at(spec.handle));
    }
    faults
}

/// The range of the inputs of `uniform` (0 to 1) and `sine` (0 to 2 pi).
fn bounds(spec: &GeneratorSpec) -> (f64, f64) {
    let high = if spec.kind == GeneratorKind::Sine { TAU } else { 1.0 };
    (spec.low.unwrap_or(0.0), spec.high.unwrap_or(high))
}

impl Source for Generator {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        self.spec.kind.name()
    }

    fn read(self: Box<Self>, wants: &[Want], _: &mut Faults) -> Option<Raw> {
        let n = self.spec.count;
        let mut inputs = vec![Vec::with_capacity(n); self.dims];
        let mut targets = Vec::with_capacity(n);
        let noise = Stream::new(self.spec.seed, Purpose::Generator, 1);
        for i in 0..n {
            targets.push(self.sample(i, &noise, &mut inputs));
        }
        let mut columns: Vec<Data> = inputs.into_iter().map(Data::Numbers).collect();
        if self.heads.len() > self.dims {
            let number = wants.get(self.dims) == Some(&Want::Number);
            columns.push(if self.classes > 0 && !number {
                Data::Text {
                    codes: targets.into_iter().map(|k| k as u32).collect(),
                    vocabulary: Arc::new((0..self.classes).map(|k| k.to_string()).collect()),
                }
            } else {
                Data::Numbers(targets)
            });
        }
        for (column, want) in columns.iter_mut().zip(wants) {
            if *want == Want::Skip {
                *column = Data::Skipped;
            }
        }
        let places = Places { handle: self.spec.handle, ..Places::default() };
        Some(Raw { columns, len: n, places, notes: Vec::new() })
    }
}

impl Generator {
    /// Adds the inputs of sample `i` and gives back its target.
    fn sample(&self, i: usize, noise: &Stream, inputs: &mut [Vec<f64>]) -> f64 {
        let n = self.spec.count;
        let class = i.checked_rem(self.classes).unwrap_or(0);
        // The how-manieth of its class, and how many of it there are.
        let at = (i / self.classes.max(1)) as f64;
        let of = ((n - class).div_ceil(self.classes.max(1))) as f64;
        // From 0 to 1, both ends there.
        let t = if of > 1.0 { at / (of - 1.0) } else { 0.0 };
        let jitter = |j: usize| {
            let place = (i as u64).wrapping_mul(self.dims as u64).wrapping_add(j as u64);
            if self.noise > 0.0 { self.noise * noise.normal(place) } else { 0.0 }
        };
        let point = match self.spec.kind {
            GeneratorKind::Moons => moon(class, t),
            GeneratorKind::Circles => circle(class, at / of),
            GeneratorKind::Spiral => arm(class, self.classes, t),
            GeneratorKind::Xor => [((i / 2) % 2) as f64, (((i / 2) + i) % 2) as f64],
            GeneratorKind::Sine => return self.sine(i, jitter(0), inputs),
            GeneratorKind::Blobs | GeneratorKind::Uniform => {
                self.cloud(i, class, &jitter, inputs);
                return class as f64;
            }
        };
        for (j, (input, x)) in inputs.iter_mut().zip(point).enumerate() {
            input.push(x + jitter(j));
        }
        class as f64
    }

    fn sine(&self, i: usize, noise: f64, inputs: &mut [Vec<f64>]) -> f64 {
        let (low, high) = bounds(&self.spec);
        let last = self.spec.count.saturating_sub(1).max(1);
        let x = low + (high - low) * (i as f64 / last as f64);
        inputs[0].push(x);
        libm::sin(x) + noise
    }

    fn cloud(&self, i: usize, class: usize, jitter: &dyn Fn(usize) -> f64, inputs: &mut [Vec<f64>]) {
        let blobs = self.spec.kind == GeneratorKind::Blobs;
        let (low, high) = if blobs { (-10.0, 10.0) } else { bounds(&self.spec) };
        let stream = Stream::new(self.spec.seed, Purpose::Generator, if blobs { 2 } else { 0 });
        let row = if blobs { class } else { i };
        for (j, input) in inputs.iter_mut().enumerate() {
            let place = (row as u64).wrapping_mul(self.dims as u64).wrapping_add(j as u64);
            input.push(low + (high - low) * stream.uniform(place) + jitter(j));
        }
    }
}

/// The half circles of scikit-learn's `make_moons`.
fn moon(class: usize, t: f64) -> [f64; 2] {
    let (x, y) = (libm::cos(PI * t), libm::sin(PI * t));
    if class == 0 { [x, y] } else { [1.0 - x, 0.5 - y] }
}

/// Circles of radius 1 and 0.5.
fn circle(class: usize, t: f64) -> [f64; 2] {
    let r = if class == 0 { 1.0 } else { 0.5 };
    [r * libm::cos(TAU * t), r * libm::sin(TAU * t)]
}

/// Arm `class` turns by four radians on its way from the middle to radius 1.
fn arm(class: usize, classes: usize, t: f64) -> [f64; 2] {
    let angle = TAU * class as f64 / classes as f64 + 4.0 * t;
    [t * libm::sin(angle), t * libm::cos(angle)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spec: &GeneratorSpec) -> Raw {
        let source = open(spec, &Limits::default()).unwrap();
        let wants = vec![Want::Auto; source.heads().len()];
        source.read(&wants, &mut Faults::new()).unwrap()
    }

    fn numbers(data: &Data) -> &[f64] {
        match data {
            Data::Numbers(v) => v,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn xor_has_its_table() {
        let raw = read(&GeneratorSpec::new(GeneratorKind::Xor, 8));
        let (a, b) = (numbers(&raw.columns[0]), numbers(&raw.columns[1]));
        let Data::Text { codes, .. } = &raw.columns[2] else { panic!() };
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..8 {
            assert_eq!((a[i] != b[i]) as u32, codes[i]);
            seen.insert((a[i] as u8, b[i] as u8));
        }
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn moons_are_scikit_learns() {
        // make_moons(6, shuffle=False, noise=None)
        let raw = read(&GeneratorSpec::new(GeneratorKind::Moons, 6));
        let (x, y) = (numbers(&raw.columns[0]), numbers(&raw.columns[1]));
        let expected = [(1.0, 0.0), (0.0, 0.5), (0.0, 1.0), (1.0, -0.5), (-1.0, 0.0), (2.0, 0.5)];
        for (i, (ex, ey)) in expected.into_iter().enumerate() {
            assert!((x[i] - ex).abs() < 1e-12 && (y[i] - ey).abs() < 1e-12, "{i}");
        }
    }

    #[test]
    fn every_kind_works_and_repeats() {
        for (name, kind) in GeneratorKind::ALL {
            let mut spec = GeneratorSpec::new(kind, 37);
            spec.noise = Some(0.1);
            let (a, b) = (read(&spec), read(&spec));
            assert_eq!(a.len, 37);
            for (a, b) in a.columns.iter().zip(&b.columns) {
                if let (Data::Numbers(a), Data::Numbers(b)) = (a, b) {
                    assert_eq!(a, b, "{name}");
                    assert!(a.len() == 37 && a.iter().all(|x| x.is_finite()));
                }
            }
        }
    }

    #[test]
    fn nonsense_is_a_fault() {
        let mut spec = GeneratorSpec::new(GeneratorKind::Uniform, 0);
        (spec.noise, spec.low, spec.high) = (Some(f64::NAN), Some(1.0), Some(-1.0));
        let faults = open(&spec, &Limits::default()).err().unwrap();
        assert_eq!(faults.len(), 3);
        spec = GeneratorSpec::new(GeneratorKind::Blobs, usize::MAX);
        spec.classes = Some(0);
        assert_eq!(open(&spec, &Limits::default()).err().unwrap().len(), 2);
    }
}
