//! Activations and initialisers, by their names here.

use crate::value::{Value, written};
use nnc_syntax::foreign;

/// An activation's name here; `None` for none at all.
pub fn activation(v: &Value) -> Result<Option<String>, String> {
    let word = match v {
        Value::Def(def) => {
            return Err(format!("its activation is a function of the program, `{}`", def.name));
        }
        v => v.word().ok_or("its activation is not known")?,
    };
    let known = [
        "relu",
        "relu6",
        "elu",
        "selu",
        "silu",
        "mish",
        "softsign",
        "softplus",
        "sigmoid",
        "tanh",
        "hard_sigmoid",
        "hard_silu",
        "softmax",
        "log_softmax",
        "glu",
        "leaky_relu",
        "gelu",
        "exp",
    ];
    if word == "linear" || word == "Identity" {
        return Ok(None);
    }
    let ours = if known.contains(&word) { word.to_string() } else { foreign::layer(word) };
    if known.contains(&ours.as_str()) {
        Ok(Some(ours))
    } else {
        Err(format!("there is no activation `{word}` here"))
    }
}

/// An initialiser's name here.
pub(super) fn initialiser(v: &Value) -> Option<String> {
    let word = v.word()?;
    let arg = |name: &str, default: f64| match v {
        Value::Made(m) => m.named(name).and_then(Value::num).unwrap_or(default),
        _ => default,
    };
    let plain = ["zeros", "ones", "identity", "orthogonal", "he_normal", "lecun_normal", "glorot_normal"];
    let ours = match word {
        "RandomNormal" | "random_normal" => format!("normal({})", written(arg("stddev", 0.05))),
        "RandomUniform" | "random_uniform" | "uniform" => {
            format!("uniform({})", written(arg("maxval", 0.05)))
        }
        "TruncatedNormal" | "truncated_normal" => {
            format!("truncated_normal({})", written(arg("stddev", 0.05)))
        }
        "Constant" | "constant" => format!("constant({})", written(arg("value", 0.0))),
        "Zeros" | "zero" => "zeros".into(),
        "Ones" | "one" => "ones".into(),
        "Identity" | "Orthogonal" => word.to_lowercase(),
        word if plain.contains(&word) => word.into(),
        word => foreign::NAMES.iter().find(|(t, _)| *t == word).map(|(_, o)| o.to_string())?,
    };
    let known = ["glorot", "he", "lecun", "zeros", "ones", "identity", "orthogonal"];
    let fits = known.contains(&ours.as_str()) || plain.contains(&ours.as_str()) || ours.contains('(');
    fits.then_some(ours)
}
