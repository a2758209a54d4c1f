//! What common names do, in the words of someone who has just met them.
//!
//! Everything else is said with the first lines of its doc comment in the prelude.

use nnc_syntax::units;
pub(super) use nnc_syntax::units::count;

/// `1 number`, `16 numbers`, `a 28x28x1 picture`-like sizes.
pub(super) fn shape(sizes: &[usize]) -> String {
    match sizes {
        [] => "one number".into(),
        [1] => "1 number".into(),
        [n] => format!("{} numbers", grouped(*n)),
        many => format!("{} numbers", units::sizes(many)),
    }
}

/// `1,234`
pub(super) fn grouped(n: usize) -> String {
    units::grouped(n as u64)
}

/// Layers whose sentence is made of what they work on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sentence {
    /// So many neurons, each of which looks at all numbers.
    Neurons,
    /// A share of the numbers set to 0.
    Zeroed,
}

/// How a layer is told of, where that is more than one text.
pub(super) fn sentence(name: &str) -> Option<Sentence> {
    match name {
        "dense" => Some(Sentence::Neurons),
        "dropout" => Some(Sentence::Zeroed),
        _ => None,
    }
}

/// Whether an activation changes nothing, so that it is not worth a word.
pub(super) fn is_identity(name: &str) -> bool {
    name == "linear"
}

/// What an activation does to a number.
pub(super) fn activation(name: &str) -> Option<&'static str> {
    Some(match name {
        "relu" => "`relu` leaves what is above 0 as it is and makes the rest 0",
        "sigmoid" => "`sigmoid` presses any number between 0 and 1, so the result can be read as no or yes",
        "tanh" => "`tanh` presses any number between -1 and 1",
        "softmax" => "`softmax` makes probabilities of them: all positive, and 1 together",
        "linear" => "`linear` changes nothing: no activation",
        "gelu" => "`gelu` is a `relu` with a soft bend",
        "silu" => "`silu` is a `relu` with a soft bend",
        "leaky_relu" => "`leaky_relu` leaves what is above 0 as it is and makes the rest small",
        "elu" => "`elu` leaves what is above 0 as it is and bends the rest softly towards -1",
        _ => return None,
    })
}

/// What a layer does; `{in}` and `{out}` stand for shapes, `{n}` for its first number.
pub(super) fn layer(name: &str) -> Option<&'static str> {
    Some(match name {
        "flatten" => "All numbers in one row, as `dense` wants them; the numbers stay the same.",
        "reshape" => "The same numbers in another shape.",
        "conv" => {
            "{n} small windows slide over the picture, each looking for a pattern of its own. Every window gives \
             one number at every place."
        }
        "maxpool" => {
            "Of every small window only the largest number stays: the picture gets smaller, and it matters less \
             where exactly something was."
        }
        "avgpool" => "Of every small window only the mean stays: the picture gets smaller.",
        "global_avgpool" => "Of every channel only the mean over the whole picture stays.",
        "batchnorm" => {
            "Shifts and scales every channel so that over a batch it has mean 0 and deviation 1, then as far \
             back as it learns to. It also keeps running statistics, for the time after the training."
        }
        "layernorm" => {
            "Shifts and scales the numbers of each sample so that they have mean 0 and deviation 1."
        }
        "embed" => "Every class gets a learned row of {n} numbers, and is replaced by it.",
        "positions" => "Adds a learned row of numbers for each place, so that the network knows the order.",
        "lstm" => {
            "Reads a sequence step by step and carries {n} numbers along, its memory; gates that it learns \
             decide what is kept, what is forgotten and what is said."
        }
        "gru" => "Reads a sequence step by step and carries {n} numbers along, its memory.",
        "attention" => {
            "Every place of the sequence looks at the others, decides how much each matters to it, and takes a \
             mixture of them."
        }
        "transformer" => {
            "A block of a transformer: attention among the places, then two dense layers at each place, both \
             with a way around them."
        }
        "concat" => "Puts tensors one behind the other.",
        "add" => "The sum, number by number: a way around the lines in between.",
        _ => return None,
    })
}

/// What a loss or metric measures.
pub(super) fn figure(name: &str) -> Option<&'static str> {
    Some(match name {
        "mse" => {
            "mean squared error: how far the answers are from the targets, squared and averaged. 0 would be perfect"
        }
        "mae" => "mean absolute error: how far the answers are from the targets, on average",
        "binary_crossentropy" => {
            "how surprising the right answers were to the network: 0 where it was sure and right, large where it \
             was sure and wrong; always saying 0.5 gives ln 2 = 0.693"
        }
        "crossentropy" => {
            "how surprising the right class was to the network: 0 where it was sure and right, large where it was \
             sure and wrong"
        }
        "binary_accuracy" => "the share of answers that are on the right side of 0.5",
        "accuracy" => "the share of samples whose class is guessed rightly",
        _ => return None,
    })
}

/// How an optimizer changes the weights.
pub(super) fn optimizer(name: &str) -> Option<&'static str> {
    Some(match name {
        "sgd" => "each weight moves a little way down the slope of the loss: `lr` times the slope",
        "adam" => {
            "each weight moves down the slope of the loss with a step of its own, that follows from the slopes of \
             the last steps: large where they agree, small where they do not"
        }
        "lbfgs" => {
            "all weights move together, in a direction that follows from how the slopes changed in the last steps, as far \
             as the loss keeps falling; it needs all samples in every step"
        }
        "adamw" => "as `adam`, and all weights shrink a little with every step",
        _ => return None,
    })
}

/// How first values are made.
pub(super) fn first(words: &str) -> String {
    let name = words.split(['(', ' ']).next().unwrap_or(words);
    match name {
        "zeros" => "at first 0".into(),
        "ones" => "at first 1".into(),
        "glorot" | "glorot_normal" | "he" | "he_normal" | "lecun" | "lecun_normal" | "uniform" | "normal"
        | "truncated_normal" | "orthogonal" => format!("at first random ({words})"),
        _ => format!("at first {words}"),
    }
}

/// With a capital letter, where the first word is not the name of an argument.
pub(super) fn capital(text: &str) -> String {
    if text.split(' ').next().is_some_and(|word| word.len() == 1 && word != "a") {
        return text.to_string();
    }
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

/// With a small letter, where the first word is an ordinary one.
pub(super) fn small(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or("");
    if first.chars().skip(1).any(|c| c.is_uppercase()) || first == "Adam" {
        return text.to_string();
    }
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
}
