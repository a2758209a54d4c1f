//! Samples mixed with others of their batch: mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019).
//!
//! Every sample is mixed with the one at the next place of the batch; the last with the first. Rows are shuffled, so
//! that is any other. The share of itself is the larger one of `s` and `1 - s`, so that a sample's own class is the one
//! that metrics are about; as every pair of samples is as likely as the pair the other way round, the distribution of
//! mixed samples is that of the papers.

use crate::binding::augment::Asked;
use nnc_graph::random::Key;

/// How a sample is mixed with its partner.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Way {
    /// This share of itself, the rest of the partner.
    Blend(f64),
    /// A rectangle of the partner in a picture.
    Paste {
        /// Height, width, channels.
        shape: [usize; 3],
        /// The first line and the first column of the rectangle.
        from: [usize; 2],
        /// What is behind the last.
        to: [usize; 2],
    },
}

impl Way {
    /// By how much the sample is still itself, from 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        match self {
            Way::Blend(share) => *share,
            Way::Paste { shape, from, to } => {
                let area = (to[0] - from[0]) * (to[1] - from[1]);
                1.0 - area as f64 / (shape[0] * shape[1]) as f64
            }
        }
    }
}

/// How a row is mixed; where both ways are asked for, each is taken half of the time.
pub(crate) fn way(asked: &Asked, picture: Option<[usize; 3]>, key: Key, row: u64) -> Way {
    let [coin, down, right, _] = key.block(row);
    match (asked.mixup, asked.cutmix.zip(picture)) {
        (Some(alpha), None) => Way::Blend(larger(beta(alpha, key, row))),
        (Some(alpha), Some(_)) if coin & 1 == 0 => Way::Blend(larger(beta(alpha, key, row))),
        (_, Some((alpha, shape))) => {
            let side = (1.0 - larger(beta(alpha, key, row))).sqrt();
            let [(top, bottom), (left, end)] = [(shape[0], down), (shape[1], right)].map(|(n, bits)| {
                let long = (n as f64 * side) as usize;
                let middle = ((u64::from(bits) * n as u64) >> 32) as usize;
                (middle.saturating_sub(long / 2), n.min(middle + long.div_ceil(2)))
            });
            Way::Paste { shape, from: [top, left], to: [bottom, end] }
        }
        (None, None) => Way::Blend(1.0),
    }
}

fn larger(share: f64) -> f64 {
    share.max(1.0 - share)
}

/// A number of the distribution Beta(a, a) (Joehnk 1964).
fn beta(alpha: f64, key: Key, row: u64) -> f64 {
    // Of the largest `alpha` there is, one try in 70 is taken: 4,096 of them fail once in 10^25 times.
    for turn in 1..4096u64 {
        let [a, b, c, d] = key.block(row | turn << 32);
        for pair in [[a, b], [c, d]] {
            let [x, y] = pair.map(|bits| ((f64::from(bits) + 0.5) / 4_294_967_296.0).powf(1.0 / alpha));
            if x + y <= 1.0 && x + y > 0.0 {
                return x / (x + y);
            }
        }
    }
    0.5
}

/// A number of a sample.
pub(crate) trait Real: Copy {
    /// This share of one, the rest of the other.
    fn blend(self, other: Self, share: f64) -> Self;
}

impl Real for f32 {
    fn blend(self, other: Self, share: f64) -> Self {
        (share * f64::from(self) + (1.0 - share) * f64::from(other)) as f32
    }
}

impl Real for f64 {
    fn blend(self, other: Self, share: f64) -> Self {
        share * self + (1.0 - share) * other
    }
}

/// Mixes all samples of a batch, of `size` numbers each.
pub(crate) fn all<T: Real>(batch: &mut [T], size: usize, ways: &[Way]) {
    let Some(first) = batch.get(..size).map(<[T]>::to_vec) else { return };
    let mut rest = batch;
    for way in ways {
        let Some((sample, after)) = rest.split_at_mut_checked(size) else { return };
        let partner = after.get(..size).unwrap_or(&first);
        match way {
            Way::Blend(share) => {
                sample.iter_mut().zip(partner).for_each(|(x, y)| *x = x.blend(*y, *share));
            }
            Way::Paste { shape: [_, width, channels], from, to } => {
                for y in from[0]..to[0] {
                    let line = (y * width + from[1]) * channels..(y * width + to[1]) * channels;
                    if let (Some(here), Some(there)) = (sample.get_mut(line.clone()), partner.get(line)) {
                        here.copy_from_slice(there);
                    }
                }
            }
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mixup: Option<f64>, cutmix: Option<f64>) -> Asked {
        Asked { flip: false, shift: false, mixup, cutmix }
    }

    #[test]
    fn samples_are_mixed_with_the_next_and_the_last_with_the_first() {
        let mut batch = [0.0, 1.0, 10.0, 11.0, 20.0, 21.0];
        all(&mut batch, 2, &[Way::Blend(0.75), Way::Blend(1.0), Way::Blend(0.5)]);
        assert_eq!(batch, [2.5, 3.5, 10.0, 11.0, 10.0, 11.0]);
    }

    #[test]
    fn a_rectangle_comes_from_the_partner() {
        let mut batch: Vec<f64> = (0..24).map(f64::from).collect();
        let way = Way::Paste { shape: [3, 4, 1], from: [1, 2], to: [3, 4] };
        all(&mut batch, 12, &[way, Way::Blend(1.0)]);
        assert_eq!(batch[..12], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 18.0, 19.0, 8.0, 9.0, 22.0, 23.0]);
        assert_eq!(batch[12..], (12..24).map(f64::from).collect::<Vec<_>>()[..]);
        assert!((way.share() - (1.0 - 4.0 / 12.0)).abs() < 1e-15);
    }

    /// The mean and the variance of Beta(a, a) are 1/2 and 1 / (4 (2a + 1)).
    #[test]
    fn shares_have_their_distribution() {
        for alpha in [0.2, 1.0, 4.0] {
            let key = Key::new(1, 2, 3);
            let all: Vec<f64> = (0..20_000).map(|row| beta(alpha, key, row)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
            assert!((mean - 0.5).abs() < 0.01, "{alpha}: {mean}");
            assert!((variance * 4.0 * (2.0 * alpha + 1.0) - 1.0).abs() < 0.03, "{alpha}: {variance}");
        }
    }

    /// Of rectangles that are cut off at the border, the share counts what is there.
    #[test]
    fn the_rectangle_lies_in_the_picture() {
        let (key, shape) = (Key::new(7, 0, 0), [28, 30, 3]);
        let ways: Vec<Way> =
            (0..500).map(|row| way(&asked(None, Some(1.0)), Some(shape), key, row)).collect();
        for way in &ways {
            let Way::Paste { from, to, .. } = way else { panic!("{way:?}") };
            assert!(from[0] <= to[0] && to[0] <= 28 && from[1] <= to[1] && to[1] <= 30, "{way:?}");
            assert!((0.5..=1.0).contains(&way.share()), "{way:?}");
        }
        let pasted = ways.iter().filter(|way| way.share() < 1.0).count();
        assert!(pasted > 450, "{pasted}");
        // Both ways: about half and half.
        let both = |row| way(&asked(Some(0.2), Some(1.0)), Some(shape), key, row);
        let blended = (0..500).filter(|&row| matches!(both(row), Way::Blend(_))).count();
        assert!((200..300).contains(&blended), "{blended}");
    }
}
