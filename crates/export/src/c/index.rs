//! Places in memory as C computes them: sums of multiples of loop counters.

/// A whole number that is not negative and is known when the program runs: multiples of atoms and a constant.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Index {
    terms: Vec<(i64, Atom)>,
    constant: i64,
}

/// A counter of a loop, or another expression of C.
#[derive(Clone, PartialEq, Debug)]
struct Atom {
    text: String,
    /// It is from 0 to this.
    most: i64,
}

impl Index {
    /// A known number.
    pub(crate) fn constant(value: usize) -> Self {
        Self { terms: Vec::new(), constant: value as i64 }
    }

    /// A counter, or another expression, from 0 to below `extent`.
    pub(crate) fn counter(text: impl Into<String>, extent: usize) -> Self {
        if extent <= 1 {
            return Self::constant(0);
        }
        Self { terms: vec![(1, Atom { text: text.into(), most: extent as i64 - 1 })], constant: 0 }
    }

    /// The sum.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.constant += other.constant;
        for (times, atom) in &other.terms {
            match out.terms.iter_mut().find(|(_, a)| a == atom) {
                Some((t, _)) => *t += times,
                None => out.terms.push((*times, atom.clone())),
            }
        }
        out.terms.retain(|(t, _)| *t != 0);
        out
    }

    /// The product with a number.
    pub(crate) fn times(&self, by: i64) -> Self {
        if by == 0 {
            return Self::constant(0);
        }
        let terms = self.terms.iter().map(|(t, a)| (t * by, a.clone())).collect();
        Self { terms, constant: self.constant * by }
    }

    /// The sum with a number.
    pub(crate) fn shifted(&self, by: i64) -> Self {
        Self { terms: self.terms.clone(), constant: self.constant + by }
    }

    /// The place of an index in a row-major array.
    pub(crate) fn linear(index: &[Self], dims: &[usize]) -> Self {
        let mut out = Self::constant(0);
        for (i, &n) in index.iter().zip(dims) {
            out = out.times(n as i64).plus(i);
        }
        out
    }

    /// The index of a place in a row-major array.
    pub(crate) fn split(&self, dims: &[usize]) -> Vec<Self> {
        let mut rest = self.clone();
        let mut out = vec![Self::constant(0); dims.len()];
        for (axis, &n) in dims.iter().enumerate().skip(1).rev() {
            let (quotient, remainder) = rest.divided(n as i64);
            out[axis] = remainder;
            rest = quotient;
        }
        if let Some(first) = out.first_mut() {
            *first = if dims[0] == 1 { Self::constant(0) } else { rest };
        }
        out
    }

    fn range(&self) -> (i64, i64) {
        self.terms.iter().fold((self.constant, self.constant), |(low, high), (t, a)| {
            let end = t * a.most;
            if end < 0 { (low + end, high) } else { (low, high + end) }
        })
    }

    /// The quotient and the remainder, as sums where they are.
    fn divided(&self, by: i64) -> (Self, Self) {
        if by == 1 {
            return (self.clone(), Self::constant(0));
        }
        let mut quotient = Self { terms: Vec::new(), constant: self.constant.div_euclid(by) };
        let mut rest = Self { terms: Vec::new(), constant: self.constant.rem_euclid(by) };
        for (t, atom) in &self.terms {
            let part = if t % by == 0 { (&mut quotient, t / by) } else { (&mut rest, *t) };
            part.0.terms.push((part.1, atom.clone()));
        }
        let (low, high) = rest.range();
        if low >= 0 && high < by {
            return (quotient, rest);
        }
        if low < 0 {
            // The whole is not negative, its parts may be.
            (quotient, rest) = (Self::constant(0), self.clone());
        }
        let (text, high) = (rest.text(), rest.range().1);
        let whole = Self::counter(format!("({text}) / {by}"), (high / by + 1) as usize);
        (quotient.plus(&whole), Self::counter(format!("({text}) % {by}"), by as usize))
    }

    /// What a counter is multiplied by; `None` where it stands inside another expression.
    pub(crate) fn stride_of(&self, counter: &str) -> Option<i64> {
        let mut out = 0;
        for (t, atom) in &self.terms {
            if atom.text == counter {
                out = *t;
            } else if has_word(&atom.text, counter) {
                return None;
            }
        }
        Some(out)
    }

    /// Without a counter.
    pub(crate) fn without(&self, counter: &str) -> Self {
        let terms = self.terms.iter().filter(|(_, a)| a.text != counter).cloned().collect();
        Self { terms, constant: self.constant }
    }

    /// The expression.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for (t, atom) in &self.terms {
            let simple = atom.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let atom = if simple { atom.text.clone() } else { format!("({})", atom.text) };
            let sign = if *t < 0 { " - " } else { " + " };
            match (out.is_empty(), *t < 0) {
                (true, true) => out.push('-'),
                (true, false) => {}
                (false, _) => out.push_str(sign),
            }
            out.push_str(&if t.abs() == 1 { atom } else { format!("{} * {atom}", t.abs()) });
        }
        match (out.is_empty(), self.constant) {
            (true, c) => c.to_string(),
            (false, 0) => out,
            (false, c) if c < 0 => format!("{out} - {}", -c),
            (false, c) => format!("{out} + {c}"),
        }
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].bytes().next_back().is_some_and(is_part);
        let after = text[at + word.len()..].bytes().next().is_some_and(is_part);
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let (i, j) = (Index::counter("i", 3), Index::counter("j", 4));
        let at = Index::linear(&[i.clone(), j.clone()], &[3, 4]);
        assert_eq!(at.text(), "4 * i + j");
        assert_eq!(at.split(&[3, 4]), [i.clone(), j.clone()]);
        let texts = |v: Vec<Index>| v.iter().map(Index::text).collect::<Vec<_>>();
        assert_eq!(
            texts(at.split(&[1, 3, 2, 2])),
            ["0", "i", "(j) / 2", "(j) % 2"]
                .map(|t| t.replace("(j) /", "((j) /").replace("(j) %", "((j) %"))
                .map(|t| if t.contains("((") { t + ")" } else { t })
        );
        assert_eq!(texts(at.split(&[12])), ["4 * i + j"]);
        assert_eq!(j.times(-1).shifted(3).text(), "-j + 3");
        assert_eq!(Index::counter("k", 1).text(), "0");
        assert_eq!(at.stride_of("i"), Some(4));
        assert_eq!(at.without("i").text(), "j");
    }
}
