//! What a sweep varies: values of parameters, and the points that come of them.

use nnc_random::{Key, site};
use serde::{Deserialize, Serialize};

/// How many values of a range are tried where nothing says.
const STEPS: usize = 5;
/// From this ratio of its ends on, a range is gone through by factors.
const DECADE: f64 = 10.0;
/// Points beyond these are a mistake in writing.
const MOST: usize = 100_000;

/// One way to set a program: an experiment of it, and values of its parameters.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Point {
    /// The experiment, where one is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Parameters with their values as a person writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<(String, String)>,
}

impl Point {
    /// `deep hidden=32`; the program as it is written is `-`.
    pub fn label(&self) -> String {
        let set = self.set.iter().map(|(name, value)| format!("{name}={value}"));
        let words: Vec<String> = self.experiment.iter().cloned().chain(set).collect();
        if words.is_empty() { "-".into() } else { words.join(" ") }
    }
}

/// A parameter and the values it is given.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// The parameter.
    pub name: String,
    values: Values,
}

#[derive(Clone, PartialEq, Debug)]
enum Values {
    List(Vec<String>),
    /// From the first to the second number; `count` of them in a grid.
    Range {
        ends: [f64; 2],
        whole: bool,
        count: Option<usize>,
    },
}

impl Axis {
    /// Reads `16,32,64`, `[3, 5],[3, 7]`, `1e-3..1e-1` or `1e-3..1e-1/9`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let values = match text.split_once("..") {
            Some((low, rest)) => range(low, rest)?,
            None => Values::List(list(text)?),
        };
        Ok(Self { name: name.trim().to_string(), values })
    }

    /// Whether it is one value only, which is the same at every point.
    pub fn is_single(&self) -> bool {
        matches!(&self.values, Values::List(list) if list.len() == 1)
    }

    /// Which values of a range are tried, where the person did not say how many, or asked for more than there are.
    pub fn remark(&self) -> Option<String> {
        let Values::Range { count, .. } = self.values else { return None };
        let (name, values) = (&self.name, self.grid());
        let shown = || values.join(", ");
        match count {
            None => Some(format!(
                "{name}: {} values of the range, {}; {name}=A..B/N tries N",
                values.len(),
                shown()
            )),
            Some(n) if values.len() < n => {
                Some(format!("{name}: {} whole numbers are all that lie there, {}", values.len(), shown()))
            }
            Some(_) => None,
        }
    }

    /// The values of a grid.
    fn grid(&self) -> Vec<String> {
        match &self.values {
            Values::List(list) => list.clone(),
            &Values::Range { ends, whole, count } => {
                let n = count.unwrap_or(STEPS);
                let share = |i: usize| if n < 2 { 0.0 } else { i as f64 / (n - 1) as f64 };
                let mut out: Vec<String> = (0..n).map(|i| between(ends, whole, share(i))).collect();
                // Few whole numbers lie between 1 and 3.
                out.dedup();
                out
            }
        }
    }

    /// A value by chance; `share` is in `0..1`.
    fn draw(&self, share: f64) -> String {
        match &self.values {
            Values::List(list) => {
                let at = ((share * list.len() as f64) as usize).min(list.len() - 1);
                list[at].clone()
            }
            &Values::Range { ends: [low, high], whole: true, .. } if !by_factors([low, high]) => {
                number((low + (share * (high - low + 1.0)).floor()).min(high))
            }
            &Values::Range { ends, whole, .. } => between(ends, whole, share),
        }
    }
}

fn list(text: &str) -> Result<Vec<String>, String> {
    let mut out = vec![String::new()];
    let mut depth = 0usize;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' | ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        match out.last_mut() {
            Some(last) if c != ',' || depth > 0 || quoted => last.push(c),
            _ => out.push(String::new()),
        }
    }
    let out: Vec<String> = out.iter().map(|v| v.trim().to_string()).collect();
    if out.iter().any(String::is_empty) {
        return Err(format!("a value is missing in `{text}`"));
    }
    match out.iter().enumerate().find(|(i, v)| out[..*i].contains(v)) {
        Some((_, twice)) => Err(format!("`{twice}` stands twice in `{text}`")),
        None => Ok(out),
    }
}

fn range(low: &str, rest: &str) -> Result<Values, String> {
    let (high, count) = match rest.split_once('/') {
        None => (rest, None),
        Some((high, n)) => match n.trim().parse::<usize>() {
            Ok(n) if (2..=1000).contains(&n) => (high, Some(n)),
            _ => return Err(format!("`/{n}`: a range is divided into 2 to 1000 values, as in 0.001..0.1/5")),
        },
    };
    let read = |text: &str| {
        let digits = text.trim().replace('_', "");
        digits.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or(format!("`{text}` is not a number"))
    };
    let ends = [read(low)?, read(high)?];
    if ends[0] >= ends[1] {
        return Err(format!("`{low}..{rest}`: the first end of a range is the smaller one"));
    }
    let whole = |text: &str| text.trim().replace('_', "").parse::<i64>().is_ok();
    Ok(Values::Range { ends, whole: whole(low) && whole(high), count })
}

/// Whether a range is gone through by factors rather than by differences: from a positive number to its tenfold or more.
fn by_factors([low, high]: [f64; 2]) -> bool {
    low > 0.0 && high / low >= DECADE
}

/// The number at a share of a range, 0 at its beginning and 1 at its end.
fn between(ends: [f64; 2], whole: bool, share: f64) -> String {
    let [low, high] = ends;
    let x = if by_factors(ends) { low * (high / low).powf(share) } else { low + (high - low) * share };
    let x = if share >= 1.0 { high } else { x };
    number(if whole { x.round() } else { x })
}

/// A number in four digits, and these are what is trained with: what is shown can be typed.
fn number(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e15 {
        return format!("{x}");
    }
    let rounded: f64 = format!("{x:.3e}").parse().unwrap_or(x);
    if (1e-4..1e6).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// Every combination; the last axis changes fastest.
///
/// # Errors
/// There are too many.
pub fn grid(experiments: &[Option<String>], axes: &[Axis]) -> Result<Vec<Point>, String> {
    let mut out: Vec<Point> =
        experiments.iter().map(|e| Point { experiment: e.clone(), set: Vec::new() }).collect();
    for axis in axes {
        let values = axis.grid();
        if out.len().saturating_mul(values.len()) > MOST {
            return Err(format!("more than {MOST} points; --random N takes N of them by chance"));
        }
        let with = |point: &Point, value: &String| {
            let mut point = point.clone();
            point.set.push((axis.name.clone(), value.clone()));
            point
        };
        out = out.iter().flat_map(|point| values.iter().map(move |value| with(point, value))).collect();
    }
    Ok(out)
}

/// `count` points by chance, no two alike: values of a list are equally likely, those of a range too, or their
/// logarithms where it goes over a factor of ten or more. The seed decides which; more points begin with the same.
pub fn random(experiments: &[Option<String>], axes: &[Axis], count: usize, seed: u64) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::new();
    // Where all that can be drawn is drawn, there is no other.
    for i in 0..count.saturating_mul(64) as u64 {
        let share = |axis: u64| Key::new(seed, i, site("sweep")).uniform(axis);
        let e = ((share(0) * experiments.len() as f64) as usize).min(experiments.len().saturating_sub(1));
        let set = axes.iter().zip(1..).map(|(axis, n)| (axis.name.clone(), axis.draw(share(n))));
        let point = Point { experiment: experiments.get(e).cloned().flatten(), set: set.collect() };
        if !out.contains(&point) {
            out.push(point);
        }
        if out.len() == count {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Result<Vec<String>, String> {
        Axis::read("x", text).map(|axis| axis.grid())
    }

    #[test]
    fn lists_and_ranges_are_read() {
        let cases = [
            ("16,32,64", "16|32|64"),
            ("relu, tanh", "relu|tanh"),
            ("[3, 5],[5, 7]", "[3, 5]|[5, 7]"),
            ("\"a,b\",c", "\"a,b\"|c"),
            ("1e-3..1e-1/3", "0.001|0.01|0.1"),
            ("1e-3..1e-1", "0.001|0.003162|0.01|0.03162|0.1"),
            ("0.0..1.0/3", "0|0.5|1"),
            ("0..1/3", "0|1"),
            ("1..3", "1|2|3"),
            ("8..128/5", "8|16|32|64|128"),
            ("1e-6..1e-5/2", "1e-6|1e-5"),
            ("-1..1/3", "-1|0|1"),
        ];
        for (text, want) in cases {
            assert_eq!(values(text).map(|v| v.join("|")), Ok(want.to_string()), "{text}");
        }
        for wrong in ["", "1,", "1,,2", "1,1", "2..1", "1..x", "1..2/1", "1..2/x", "1..inf", "1..1"] {
            assert!(values(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let axes = [Axis::read("a", "1,2"), Axis::read("b", "x,y,z")].map(Result::unwrap);
        let points = grid(&[None, Some("deep".into())], &axes).unwrap();
        let labels: Vec<String> = points.iter().map(Point::label).collect();
        assert_eq!(labels[..4], ["a=1 b=x", "a=1 b=y", "a=1 b=z", "a=2 b=x"]);
        assert_eq!((labels.len(), labels[11].as_str()), (12, "deep a=2 b=z"));
        let many = Axis::read("a", "0.0..1/1000").unwrap();
        assert!(grid(&[None], &[many.clone(), many.clone(), many]).is_err());
    }

    #[test]
    fn chance_is_within_the_range_and_repeats_itself() {
        let axes = [Axis::read("lr", "1e-4..1e-1"), Axis::read("n", "1..3"), Axis::read("act", "relu,tanh")]
            .map(Result::unwrap);
        let points = random(&[None], &axes, 200, 7);
        assert_eq!(points, random(&[None], &axes, 200, 7));
        assert_eq!(points[..20], random(&[None], &axes, 20, 7));
        assert_ne!(points[..20], random(&[None], &axes, 20, 8));
        let rates: Vec<f64> = points.iter().map(|p| p.set[0].1.parse().unwrap()).collect();
        assert!(rates.iter().all(|x| (1e-4..=1e-1).contains(x)));
        // By factors: about a third of them in each of three decades.
        let below = |x: f64| rates.iter().filter(|r| **r < x).count();
        assert!((40..100).contains(&below(1e-3)) && (100..170).contains(&below(1e-2)), "{rates:?}");
        for n in ["1", "2", "3"] {
            assert!(points.iter().filter(|p| p.set[1].1 == n).count() > 40);
        }
        // Six are all there are.
        assert_eq!(random(&[None], &axes[1..], 50, 1).len(), 6);
    }
}
