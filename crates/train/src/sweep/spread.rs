//! How figures of several trainings lie, and how those of two programs differ.

/// How values lie: quartiles as numpy's `percentile` (linear between the two nearest).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quartiles {
    /// How many values there are.
    pub count: usize,
    /// The smallest.
    pub least: f64,
    /// A quarter lies below.
    pub lower: f64,
    /// Half lie below.
    pub median: f64,
    /// Three quarters lie below.
    pub upper: f64,
    /// The largest.
    pub most: f64,
}

impl Quartiles {
    /// Of the values that are numbers; none where there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|x| !x.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let at = |share: f64| {
            let place = share * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            // The same number on both sides may be infinite.
            if below == above { below } else { below + (above - below) * place.fract() }
        };
        Some(Self { count: sorted.len(), least, lower: at(0.25), median: at(0.5), upper: at(0.75), most })
    }
}

/// The difference of pairs, the second minus the first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Difference {
    /// How many pairs there are.
    pub pairs: usize,
    /// The mean difference.
    pub mean: f64,
    /// Where the mean of all such pairs lies with 95 % confidence (Student's t for paired samples); infinite for one
    /// pair, of which nothing follows.
    pub interval: [f64; 2],
}

impl Difference {
    /// Of pairs of finite numbers; none where there are none.
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let differences: Vec<f64> = pairs.into_iter().map(|(a, b)| b - a).filter(|d| d.is_finite()).collect();
        let n = differences.len();
        if n == 0 {
            return None;
        }
        let mean = differences.iter().sum::<f64>() / n as f64;
        let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
        let half = match n {
            1 => f64::INFINITY,
            _ => t_95(n as u64 - 1) * (squares / (n - 1) as f64 / n as f64).sqrt(),
        };
        Some(Self { pairs: n, mean, interval: [mean - half, mean + half] })
    }

    /// Whether the interval leaves out 0.
    pub fn is_seen(&self) -> bool {
        self.interval[0] > 0.0 || self.interval[1] < 0.0
    }
}

/// The number that Student's t exceeds in size in 5 % of cases, with `freedom` degrees of freedom.
fn t_95(freedom: u64) -> f64 {
    // Beyond these the normal distribution is as good as any digit shown.
    if freedom > 100_000 {
        return 1.959_963_984_540_054;
    }
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if within(middle, freedom) < 0.95 { low = middle } else { high = middle }
    }
    low.tan() * (freedom as f64).sqrt()
}

/// The share of Student's t within `±√ν tan θ`: a finite sum for whole degrees of freedom ν (Abramowitz and Stegun,
/// 26.7.3 and 26.7.4).
fn within(theta: f64, freedom: u64) -> f64 {
    let (sin, cos) = theta.sin_cos();
    let odd = freedom % 2 == 1;
    // The powers of the cosine begin with the first for odd degrees of freedom, else with the power 0.
    let (mut term, mut power) = if odd { (cos, 1) } else { (1.0, 0) };
    let mut sum = 0.0;
    while power + 2 <= freedom {
        sum += term;
        term *= cos * cos * (power + 1) as f64 / (power + 2) as f64;
        power += 2;
    }
    if odd { (theta + sin * sum) * std::f64::consts::FRAC_2_PI } else { sin * sum }
}

/// How likely it is that pairs that differ in a yes or no are shared out as unevenly as `first` to `second`, or more so,
/// by chance alone: the exact sign test (McNemar 1947 with the binomial distribution).
pub fn by_chance(first: u64, second: u64) -> f64 {
    let (n, few) = (first + second, first.min(second));
    let log2_choose = |k: u64| (1..=k).map(|i| ((n - k + i) as f64 / i as f64).log2()).sum::<f64>();
    let tail: f64 = (0..=few).map(|k| (log2_choose(k) - n as f64).exp2()).sum();
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_numpy() {
        // numpy.percentile([7, 1, 3, 10], [25, 50, 75])
        let q = Quartiles::of([7.0, 1.0, 3.0, f64::NAN, 10.0]).unwrap();
        assert_eq!((q.count, q.least, q.lower, q.median, q.upper, q.most), (4, 1.0, 2.5, 5.0, 7.75, 10.0));
        let q = Quartiles::of([2.0]).unwrap();
        assert_eq!((q.lower, q.median, q.upper), (2.0, 2.0, 2.0));
        assert_eq!(Quartiles::of([f64::INFINITY, f64::INFINITY]).unwrap().median, f64::INFINITY);
        assert_eq!(Quartiles::of([f64::NAN]), None);
    }

    #[test]
    fn quantiles_of_t_are_those_of_the_tables() {
        // scipy.stats.t.ppf(0.975, df)
        let cases = [
            (1, 12.706_204_736_432_095),
            (2, 4.302_652_729_911_275),
            (3, 3.182_446_305_284_263),
            (4, 2.776_445_105_198_054_6),
            (19, 2.093_024_054_408_263),
            (30, 2.042_272_456_301_237_3),
            (1000, 1.962_339_080_526_459_3),
        ];
        for (freedom, want) in cases {
            assert!((t_95(freedom) - want).abs() < 1e-9, "{freedom}: {}", t_95(freedom));
        }
        assert!((t_95(100_000) - t_95(100_001)).abs() < 1e-4);
    }

    #[test]
    fn differences_are_paired() {
        // scipy.stats.ttest_rel([2, 4, 6, 8], [1, 5, 4, 7]).confidence_interval()
        let d = Difference::of([(1.0, 2.0), (5.0, 4.0), (4.0, 6.0), (7.0, 8.0)]).unwrap();
        assert_eq!((d.pairs, d.mean), (4, 0.75));
        assert!((d.interval[0] + 1.2522452253362748).abs() < 1e-9, "{d:?}");
        assert!((d.interval[1] - 2.752245225336275).abs() < 1e-9, "{d:?}");
        assert!(!d.is_seen());
        // The same luck: what always differs alike is seen at once.
        let same = Difference::of([(1.0, 2.0), (5.0, 6.0), (9.0, 10.0)]).unwrap();
        assert!(same.is_seen() && same.interval == [1.0, 1.0]);
        assert!(!Difference::of([(1.0, 5.0)]).unwrap().is_seen());
        assert!(!Difference::of([(1.0, 1.0), (2.0, 2.0)]).unwrap().is_seen());
        assert_eq!(Difference::of([(f64::NAN, 1.0)]), None);
    }

    #[test]
    fn chance_is_binomial() {
        // scipy.stats.binomtest(k, n).pvalue
        for (a, b, want) in
            [(0, 0, 1.0), (1, 1, 1.0), (0, 5, 0.0625), (7, 1, 0.070_312_5), (1, 9, 0.021_484_375)]
        {
            assert!((by_chance(a, b) - want).abs() < 1e-12, "{a} {b}: {}", by_chance(a, b));
        }
        assert!(by_chance(2000, 3000) < 1e-10);
    }
}
