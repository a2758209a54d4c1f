//! What a network says in the plane of its two inputs.

use crate::page::chart::{Axis, Behind, Chart, Form, Series};
use crate::page::text::{bitmap, short};
use std::fmt::Write as _;

/// Shades of a colour.
const SHADES: usize = 14;
/// Shades of numbers.
const RAMP: usize = 64;
/// The colours of classes, as the style has them on paper.
const CLASSES: [[u8; 3]; 8] = [
    [31, 119, 180],
    [217, 115, 13],
    [42, 154, 75],
    [194, 51, 77],
    [130, 86, 200],
    [138, 90, 68],
    [194, 72, 155],
    [107, 116, 128],
];
/// Between these colours numbers lie, the least first (viridis).
const STOPS: [[u8; 3]; 5] = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/// A grid of points in the plane with what is said at each, and rows of the data.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plane {
    /// The names of the inputs, the one to the right first.
    pub names: [String; 2],
    /// From where to where the grid goes, to the right and up.
    pub ranges: [(f64, f64); 2],
    /// Points of the grid in a row, and rows.
    pub size: usize,
    /// The classes; empty where numbers are said.
    pub classes: Vec<String>,
    /// What is said: a number for every class, or one, of each point, row by row from the top.
    pub said: Vec<f64>,
    /// Points of a smaller grid in a row, and rows.
    pub frame: usize,
    /// Epochs with what was said after them at the points of the smaller grid.
    pub film: Vec<(u64, Vec<f64>)>,
    /// Rows of the data.
    pub points: Vec<Spot>,
}

/// A row of the data in the plane.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Spot {
    /// Where it lies.
    pub at: (f64, f64),
    /// The number of its class.
    pub class: usize,
    /// Whether something else is said of it.
    pub wrong: bool,
    /// What is told of it.
    pub about: String,
}

impl Plane {
    pub(crate) fn figure(&self) -> String {
        let [x, y] = self.ranges;
        let (about, colours, shade) = if self.classes.is_empty() { self.numbers() } else { self.shares() };
        let width = self.classes.len().max(1);
        let picture = |size: usize, said: &[f64]| {
            bitmap(size, size, &colours, &said.chunks(width).map(&shade).collect::<Vec<u8>>())
        };
        let href = picture(self.size, &self.said);
        let dots = |name: &str, colour, form, chosen: &dyn Fn(&&Spot) -> bool| {
            let spots: Vec<&Spot> = self.points.iter().filter(chosen).collect();
            let mut series = Series::new(name, colour, form, spots.iter().map(|s| s.at).collect());
            series.titles = spots.iter().map(|s| s.about.clone()).collect();
            series
        };
        let mut series: Vec<Series> = match self.classes.len() {
            0 => vec![dots("", 7, Form::Dots, &|_| true)],
            _ => self
                .classes
                .iter()
                .enumerate()
                .map(|(i, name)| dots(name, i, Form::Dots, &|s| s.class == i))
                .collect(),
        };
        if self.points.iter().any(|s| s.wrong) {
            series.push(dots("taken for another", 3, Form::Rings, &|s| s.wrong));
        }
        let chart = Chart {
            title: format!("{} and {}", self.names[0], self.names[1]),
            about,
            x: Axis::new(self.names[0].clone()).within(x.0, x.1),
            y: Axis::new(self.names[1].clone()).within(y.0, y.1),
            series,
            behind: Some(Behind { x, y, href }),
        };
        let mut out = chart.figure();
        if !self.film.is_empty() {
            let _ = write!(out, "<div class=\"film\" data-epochs=\"");
            self.film.iter().for_each(|(epoch, _)| _ = write!(out, "{epoch} "));
            out.push_str("\">");
            for (_, said) in &self.film {
                let _ = write!(out, "<template>{}</template>", picture(self.frame, said));
            }
            out.push_str("</div>\n");
        }
        out
    }

    /// Every point in the colour of its class, the deeper the surer.
    fn shares(&self) -> Colouring<'_> {
        let k = self.classes.len();
        let colours = CLASSES.iter().take(k).flat_map(|c| {
            (0..SHADES).map(|s| {
                let share = 0.12 + 0.6 * s as f64 / (SHADES - 1) as f64;
                c.map(|v| (255.0 - share * (255.0 - f64::from(v))) as u8)
            })
        });
        let shade = |scores: &[f64]| {
            let best = scores.iter().enumerate().fold(0, |b, (i, x)| if *x > scores[b] { i } else { b });
            let others = scores.iter().enumerate().filter(|(i, _)| *i != best);
            let second = others.fold(f64::NEG_INFINITY, |m, (_, x)| m.max(*x));
            let sure = (scores[best] - second).clamp(0.0, 1.0);
            ((best % CLASSES.len()) * SHADES + (sure * (SHADES - 1) as f64).round() as usize) as u8
        };
        let about = "The colour is the class that is said, the deeper the surer; dots are rows of the data.";
        (about.into(), colours.collect(), Box::new(shade))
    }

    /// Every point by its number.
    fn numbers(&self) -> Colouring<'_> {
        let finite = self.said.iter().copied().filter(|x| x.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let colours = (0..RAMP).map(|i| ramp(i as f64 / (RAMP - 1) as f64)).collect();
        let shade = move |said: &[f64]| {
            let share = (said[0] - low) / (high - low).max(1e-300);
            (share.clamp(0.0, 1.0) * (RAMP - 1) as f64).round() as u8
        };
        let about =
            format!("From {} (dark) to {} (bright); dots are rows of the data.", short(low), short(high));
        (about, colours, Box::new(shade))
    }
}

/// What is said of the colours, the colours, and which of them a point has.
type Colouring<'a> = (String, Vec<[u8; 3]>, Box<dyn Fn(&[f64]) -> u8 + 'a>);

fn ramp(share: f64) -> [u8; 3] {
    let at = share * (STOPS.len() - 1) as f64;
    let below = (at as usize).min(STOPS.len() - 2);
    let part = at - below as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))) as u8;
    std::array::from_fn(|i| mix(STOPS[below][i], STOPS[below + 1][i]))
}
