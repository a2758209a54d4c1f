//! "Did you mean": near names of ours, and what Keras and PyTorch call our things.

use nnc_syntax::foreign::NAMES;

/// What other libraries call a thing of ours, such as `Dense`, `Linear` for `dense`.
pub fn foreign_names(ours: &str) -> Vec<&'static str> {
    let names = NAMES.iter().filter(|(_, o)| *o == ours).map(|(theirs, _)| *theirs);
    names.filter(|n| n.starts_with(char::is_uppercase)).collect()
}

/// What another library's name is called here, if it is among `known`.
pub fn foreign<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    NAMES
        .iter()
        .filter(|(theirs, _)| *theirs == name || theirs.to_lowercase() == lower)
        .find_map(|(_, ours)| known.iter().find(|k| *k == ours).copied())
}

/// The nearest of `known`, if it is near enough to be meant.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().filter_map(|k| Some((distance_to(name, k)?, *k))).min().map(|(_, k)| k)
}

/// The nearest of `known`, where it is certainly meant: the name of another library, or one slip of the keyboard
/// away from one name and from no other.
pub fn certain<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = nearest(name, known)?;
    let far = distance_to(name, near)?;
    let rivals = known.iter().filter(|k| **k != near && distance_to(name, k) == Some(far));
    (far == 0 || far <= SLIP && rivals.count() == 0).then_some(near)
}

/// How far a name may be from the one that is certainly meant.
const SLIP: usize = 2;
/// The distance of what is only a guess.
const GUESS: usize = 100;

/// How far a name is from one of ours that may be meant: 0 for the name another library has for it, else the
/// number of slips and one, more where only the beginning is the same; `None` where it is none of these.
pub(crate) fn distance_to(name: &str, ours: &str) -> Option<usize> {
    let (lower, ours_lower) = (name.to_lowercase(), ours.to_lowercase());
    let foreign = |(theirs, o): &(&str, &str)| *o == ours && theirs.to_lowercase() == lower;
    if lower == ours_lower || NAMES.iter().any(foreign) {
        return Some(0);
    }
    // Every letter is near every other: one letter is meant only if it is the same one, and of two one is a guess.
    let letters = name.chars().count();
    if letters < 2 || ours.chars().count() < 2 {
        return None;
    }
    let slips = distance(&lower, &ours_lower);
    if slips <= (letters / 3).max(1) {
        return Some(if letters < 3 { GUESS } else { 1 + slips });
    }
    (letters >= 3 && ours_lower.starts_with(&lower)).then_some(GUESS)
}

/// Edits between the beginnings of two words: insert, delete, replace, swap neighbours.
fn distance(a: &str, b: &str) -> usize {
    let beginning = |word: &str| word.chars().take(40).collect::<String>();
    strsim::osa_distance(&beginning(a), &beginning(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_foreign_names() {
        let known = ["dense", "conv", "dropout", "epochs", "relu"];
        assert_eq!(nearest("dens", &known), Some("dense"));
        assert_eq!(nearest("Linear", &known), Some("dense"));
        assert_eq!(nearest("fc", &known), Some("dense"));
        assert_eq!(nearest("nb_epoch", &known), Some("epochs"));
        assert_eq!(nearest("Conv2D", &known), Some("conv"));
        assert_eq!(nearest("rleu", &known), Some("relu"));
        assert_eq!(nearest("banana", &known), None);
        assert_eq!(nearest("t", &["u", "x"]), None);
        assert_eq!(nearest("X", &["u", "x"]), Some("x"));
        assert_eq!(nearest("x", &["a", "xs", "X"]), Some("X"));
    }

    #[test]
    fn one_slip_is_certain_where_there_is_no_other() {
        let known = ["dense", "conv", "cos", "concat", "relu", "elu", "selu", "crossentropy"];
        for (name, meant) in [
            ("dens", Some("dense")),
            ("Linear", Some("dense")),
            ("rleu", Some("relu")),
            ("con", None),
            ("crossentrpoy", Some("crossentropy")),
            ("corssentorpy", None),
            ("cross", None),
        ] {
            assert_eq!(certain(name, &known), meant, "{name}");
            assert!(name == "corssentorpy" || nearest(name, &known).is_some(), "{name}");
        }
    }
}
