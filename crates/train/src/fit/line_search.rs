//! How far along a direction: a point where the loss has fallen enough and the slope has flattened enough (the strong
//! Wolfe conditions; Nocedal and Wright 2006, chapter 3), found as PyTorch's `LBFGS` finds it.
//!
//! A loss that is no number, or infinite, counts as one that is too high, so that the search comes back from it;
//! PyTorch's goes on with NaN.

use crate::problem::Outcome;

/// The share of the slope's promise that the loss must have kept.
const ARMIJO: f64 = 1e-4;
/// The share of the slope that may be left.
const CURVATURE: f64 = 0.9;
/// A bracket in which no weight moves by more than this is not looked into.
const NARROW: f64 = 1e-9;

/// A point on the way: how far it is, with the loss, its gradient, and the slope along the direction.
#[derive(Clone)]
pub(crate) struct Point {
    pub(crate) t: f64,
    pub(crate) loss: f64,
    pub(crate) gradient: Vec<f64>,
    pub(crate) slope: f64,
}

/// Looks for a point from `start` on, trying `t` first, with at most `most` tries and one; `longest` is the largest
/// number of the direction. Gives the best point found, and how often `at` was called.
pub(crate) fn strong_wolfe(
    start: &Point,
    mut t: f64,
    longest: f64,
    most: u64,
    mut at: impl FnMut(f64) -> Outcome<Point>,
) -> Outcome<(Point, u64)> {
    let mut used = 0;
    let mut try_at = |t: f64| {
        used += 1;
        let mut point = at(t)?;
        if !point.loss.is_finite() || !point.slope.is_finite() {
            (point.loss, point.slope) = (f64::INFINITY, f64::NAN);
        }
        Outcome::Ok(point)
    };
    let too_high = |p: &Point| p.loss > start.loss + ARMIJO * p.t * start.slope;
    let flat = |p: &Point| p.slope.abs() <= -CURVATURE * start.slope;

    // Longer and longer steps, until the minimum lies between two of them.
    let mut new = try_at(t)?;
    let mut last = start.clone();
    let mut tries = 0;
    let mut found: Option<[Point; 2]> = None;
    while tries < most {
        if too_high(&new) || (tries > 1 && new.loss >= last.loss) {
            found = Some([last.clone(), new.clone()]);
            break;
        }
        if flat(&new) {
            return Ok((new, used));
        }
        if new.slope >= 0.0 {
            found = Some([last.clone(), new.clone()]);
            break;
        }
        let bounds = (t + 0.01 * (t - last.t), t * 10.0);
        t = cubic(&last, &new, Some(bounds));
        last = std::mem::replace(&mut new, try_at(t)?);
        tries += 1;
    }
    let mut bracket = found.unwrap_or_else(|| [start.clone(), new]);
    let order = |b: &[Point; 2]| if b[0].loss <= b[1].loss { (0, 1) } else { (1, 0) };
    let (mut low, mut high) = order(&bracket);

    // Narrower and narrower around it.
    let mut little = false;
    while tries < most {
        if (bracket[1].t - bracket[0].t).abs() * longest < NARROW {
            break;
        }
        t = cubic(&bracket[0], &bracket[1], None);
        let (left, right) = (bracket[0].t.min(bracket[1].t), bracket[0].t.max(bracket[1].t));
        // A step of its own where it lies twice at the edge.
        let margin = 0.1 * (right - left);
        let at_edge = (right - t).min(t - left) < margin;
        if at_edge && (little || t >= right || t <= left) {
            t = if (t - right).abs() < (t - left).abs() { right - margin } else { left + margin };
            little = false;
        } else {
            little = at_edge;
        }
        let new = try_at(t)?;
        tries += 1;
        if too_high(&new) || new.loss >= bracket[low].loss {
            bracket[high] = new;
            (low, high) = order(&bracket);
            continue;
        }
        let done = flat(&new);
        if !done && new.slope * (bracket[high].t - bracket[low].t) >= 0.0 {
            bracket[high] = bracket[low].clone();
        }
        bracket[low] = new;
        if done {
            break;
        }
    }
    let [a, b] = bracket;
    Ok((if low == 0 { a } else { b }, used))
}

/// The minimum of the cubic through two points with these slopes, within bounds; the middle where it has none.
fn cubic(a: &Point, b: &Point, bounds: Option<(f64, f64)>) -> f64 {
    let (x1, x2) = (a.t, b.t);
    let (least, most) = bounds.unwrap_or((x1.min(x2), x1.max(x2)));
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (x1 - x2);
    let square = d1 * d1 - a.slope * b.slope;
    if square.is_nan() || square < 0.0 {
        return (least + most) / 2.0;
    }
    let d2 = square.sqrt();
    let at = if x1 <= x2 {
        x2 - (x2 - x1) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2))
    } else {
        x1 - (x1 - x2) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2.0 * d2))
    };
    at.max(least).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of one number as a point of the search.
    fn point(f: impl Fn(f64) -> (f64, f64)) -> impl FnMut(f64) -> Outcome<Point> {
        move |t| {
            let (loss, slope) = f(t);
            Ok(Point { t, loss, gradient: vec![slope], slope })
        }
    }

    fn search(f: impl Fn(f64) -> (f64, f64) + Copy, t: f64) -> Point {
        let start = point(f)(0.0).unwrap();
        let (found, used) = strong_wolfe(&start, t, 1.0, 25, point(f)).unwrap();
        assert!(used <= 26);
        assert!(found.loss <= start.loss + ARMIJO * found.t * start.slope);
        assert!(found.slope.abs() <= -CURVATURE * start.slope);
        found
    }

    #[test]
    fn a_point_with_both_conditions_is_found_from_near_and_far() {
        let bowl = |t: f64| ((t - 3.0).powi(2), 2.0 * (t - 3.0));
        for t in [1e-4, 0.5, 3.0, 5.9, 100.0, 1e6] {
            search(bowl, t);
        }
        let bumps = |t: f64| {
            (0.1 * t + (t - 2.0).powi(2) + (3.0 * t).sin(), 0.1 + 2.0 * (t - 2.0) + 3.0 * (3.0 * t).cos())
        };
        search(move |t| bumps(t + 0.9), 1.0);
    }

    #[test]
    fn it_comes_back_from_where_there_is_no_number() {
        // The logarithm ends at 0.5.
        let wall = |t: f64| (-(t + 0.1) - (0.5 - t).ln() * 0.1, -1.0 + 0.1 / (0.5 - t));
        assert!(search(wall, 1.0).t < 0.5);
        let infinite =
            |t: f64| if t < 0.2 { (t * t - t, 2.0 * t - 1.0) } else { (f64::INFINITY, f64::INFINITY) };
        assert!(search(infinite, 1.0).t < 0.2);
    }
}
