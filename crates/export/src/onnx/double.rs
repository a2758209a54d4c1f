//! What runtimes have in single precision alone, in operators that they have in double precision too.

use super::emit::{At, Emitter, Val};
use super::proto::{Data, Elem};
use nnc_graph::eval::each_index;
use nnc_graph::{ConvDims, Dim, Type};

/// Points at which the integral of the error function is taken.
const POINTS: usize = 40;

impl Emitter<'_> {
    /// The error function: 2 x / sqrt(pi) times the integral of exp(-(x t)²) for t from 0 to 1, by Gauss' points.
    pub(crate) fn wide_erf(&mut self, level: usize, x: &str) -> String {
        let (points, weights) = gauss(POINTS);
        let half = |p: f64| 0.5 * (1.0 + p);
        let points: Vec<f64> = points.into_iter().map(half).collect();
        let scale = std::f64::consts::FRAC_2_SQRT_PI * 0.5;
        let weights: Vec<f64> = weights.into_iter().map(|w| w * scale).collect();
        let points = self.constant("gauss.points", Elem::Double, vec![POINTS], Data::Numbers(points));
        let weights = self.constant("gauss.weights", Elem::Double, vec![POINTS], Data::Numbers(weights));
        // Farther out it is 1.
        let (low, high) = (self.number(-6.0, Elem::Double), self.number(6.0, Elem::Double));
        let near = self.node(level, "Max", &[x, &low], &[]);
        let near = self.node(level, "Min", &[&near, &high], &[]);
        let last = self.ints(&[-1]);
        let each = self.node(level, "Unsqueeze", &[&near, &last], &[]);
        let each = self.node(level, "Mul", &[&each, &points], &[]);
        let square = self.node(level, "Mul", &[&each, &each], &[]);
        let minus = self.node(level, "Neg", &[&square], &[]);
        let bell = self.node(level, "Exp", &[&minus], &[]);
        let sum = self.node(level, "MatMul", &[&bell, &weights], &[]);
        self.node(level, "Mul", &[&near, &sum], &[])
    }

    /// A convolution: a product of matrices for each place of the window.
    pub(crate) fn wide_convolution(
        &mut self,
        level: usize,
        d: &ConvDims,
        x: At,
        k: At,
        ty: &Type,
    ) -> Result<Val, String> {
        let (n, shape) = (d.rank(), self.ty(k).shape.clone());
        let size = |a: usize| shape[a].at(0);
        let parts = self.seen(level, d, x, &shape[..n], &ty.shape[1..=n])?;
        let kernel = self.canonical(k)?;
        let places: usize = (0..n).map(size).product();
        let rows = [places, size(n), size(n + 1)].map(Dim::Size);
        let kernel = self.reshaped(level, &kernel, &rows)?;
        let (inputs, outputs) = (size(n), size(n + 1) / d.groups);
        let mut sum: Option<String> = None;
        for (q, part) in parts.iter().enumerate() {
            let at = self.int(q as i64);
            let own = self.node(level, "Gather", &[&kernel, &at], &[("axis", super::proto::Attr::Int(0))]);
            let mut groups = Vec::new();
            for g in 0..d.groups {
                let (x, w) = match d.groups {
                    1 => (part.clone(), own.clone()),
                    _ => {
                        let x = self.block(level, part, n + 1, g, inputs);
                        (x, self.block(level, &own, 1, g, outputs))
                    }
                };
                groups.push(self.node(level, "MatMul", &[&x, &w], &[]));
            }
            let all = self.joined(level, &groups, n as i64 + 1);
            sum = Some(match sum {
                None => all,
                Some(sum) => self.node(level, "Add", &[&sum, &all], &[]),
            });
        }
        Ok(Val::plain(sum.unwrap_or_default(), n + 2))
    }

    /// The adjoint of a convolution by its kernel: for each place of the window, pixels times what came of them.
    pub(crate) fn wide_kernel(
        &mut self,
        level: usize,
        d: &ConvDims,
        x: At,
        g: At,
        ty: &Type,
    ) -> Result<Val, String> {
        let (n, shape) = (d.rank(), self.ty(g).shape.clone());
        let (inputs, outputs) = (ty.shape[n].at(0), ty.shape[n + 1].at(0));
        let parts = self.seen(level, d, x, &ty.shape[..n], &shape[1..=n])?;
        let came = self.canonical(g)?;
        let came = self.reshaped(level, &came, &[Dim::Batch, Dim::Size(outputs)])?;
        let mut places = Vec::new();
        for part in &parts {
            let rows = self.reshaped(level, part, &[Dim::Batch, Dim::Size(inputs * d.groups)])?;
            let mut groups = Vec::new();
            for i in 0..d.groups {
                let x = self.block(level, &rows, 1, i, inputs);
                let y = self.block(level, &came, 1, i, outputs / d.groups);
                let x = self.node(level, "Transpose", &[&x], &[]);
                groups.push(self.node(level, "MatMul", &[&x, &y], &[]));
            }
            let all = self.joined(level, &groups, 1);
            let first = self.ints(&[0]);
            places.push(self.node(level, "Unsqueeze", &[&all, &first], &[]));
        }
        let all = self.joined(level, &places, 0);
        Ok(Val::plain(self.reshaped(level, &all, &ty.shape)?, n + 2))
    }

    /// For each place of the window in row-major order, what it sees at every position: `[b, positions…, c]`.
    fn seen(
        &mut self,
        level: usize,
        d: &ConvDims,
        x: At,
        window: &[Dim],
        positions: &[Dim],
    ) -> Result<Vec<String>, String> {
        let n = d.rank();
        let (pixels, shape) = (self.canonical(x)?, self.ty(x).shape.clone());
        let (pixels, _) = self.spread(level, pixels, shape, 1, &d.lhs_dilation)?;
        let sides = |pads: &[i64]| [&[0], pads, &[0]].concat();
        let pixels = self.pad(level, &pixels, &sides(&d.low), &sides(&d.high), None);
        let window: Vec<usize> = window.iter().map(|d| d.at(0)).collect();
        let mut parts = Vec::new();
        each_index(&window, |q| {
            let cuts: Vec<(usize, i64, i64, i64)> = (0..n)
                .map(|i| {
                    let start = q[i] * d.rhs_dilation[i];
                    let end = start + (positions[i].at(0) - 1) * d.stride[i] + 1;
                    (i + 1, start as i64, end as i64, d.stride[i] as i64)
                })
                .collect();
            parts.push(self.cut(level, &pixels, &cuts));
        });
        Ok(parts)
    }

    /// Part `i` of an axis in parts of this size.
    fn block(&mut self, level: usize, x: &str, axis: usize, i: usize, size: usize) -> String {
        self.cut(level, x, &[(axis, (i * size) as i64, ((i + 1) * size) as i64, 1)])
    }
}

/// The points and weights of Gauss' quadrature from -1 to 1: the zeros of Legendre's polynomial, by Newton's steps.
fn gauss(n: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut points, mut weights) = (Vec::new(), Vec::new());
    for i in 0..n {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut p) = (1.0, x);
            for k in 2..=n {
                let k = k as f64;
                (before, p) = (p, ((2.0 * k - 1.0) * x * p - (k - 1.0) * before) / k);
            }
            slope = n as f64 * (x * p - before) / (x * x - 1.0);
            let step = p / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        points.push(x);
        weights.push(2.0 / ((1.0 - x * x) * slope * slope));
    }
    (points, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_are_those_of_tables() {
        let (points, weights) = gauss(3);
        assert!((points[0] - 0.6f64.sqrt()).abs() < 1e-15 && points[1].abs() < 1e-15, "{points:?}");
        assert!(
            (weights[0] - 5.0 / 9.0).abs() < 1e-15 && (weights[1] - 8.0 / 9.0).abs() < 1e-15,
            "{weights:?}"
        );
        let (_, weights) = gauss(POINTS);
        assert!((weights.iter().sum::<f64>() - 2.0).abs() < 1e-14);
    }
}
