//! What a program asks to be done to the samples that it is trained on: `augment=[flip, shift]`, `mixup=0.2`, `cutmix=1`.

use nnc_model::data::{Literal, Part};
use nnc_model::{Port, Ports, Spec};
use nnc_syntax::ast::{Arg, Dataset};
use nnc_syntax::{Code, Diagnostic};

/// What can be done to a picture.
const KINDS: [&str; 2] = ["flip", "shift"];
/// The largest parameter of a share: beyond it all of them are near a half.
const MOST: f64 = 4.0;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Asked {
    /// Left and right exchanged, in one picture of two.
    pub(crate) flip: bool,
    /// Moved a little.
    pub(crate) shift: bool,
    /// Mixed with another sample, by a share of the distribution Beta(a, a).
    pub(crate) mixup: Option<f64>,
    /// A rectangle of another picture in its place, of an area of Beta(a, a).
    pub(crate) cutmix: Option<f64>,
}

impl Asked {
    /// Whether samples are mixed with others, and so are their losses.
    pub(crate) fn mixes(&self) -> bool {
        self.mixup.is_some() || self.cutmix.is_some()
    }
}

/// An argument of a declaration.
fn argument<'a>(decl: &'a Dataset<Literal>, key: &str) -> Option<&'a Arg<Literal>> {
    decl.args.iter().chain(&decl.to).find(|a| a.key() == Some(key))
}

/// The words of `augment=`.
fn words(arg: &Arg<Literal>) -> Vec<&str> {
    match &arg.value {
        Literal::List(items) => items.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn text(literal: &Literal) -> &str {
    match literal {
        Literal::Word(word) | Literal::Text(word) => word,
        _ => "",
    }
}

/// The number of `mixup=` or `cutmix=`.
fn share(decl: &Dataset<Literal>, key: &str) -> Option<f64> {
    match argument(decl, key)?.value {
        Literal::Number(alpha) if alpha > 0.0 && alpha <= MOST => Some(alpha),
        _ => None,
    }
}

/// What the program asks for, if it does.
pub(crate) fn asked(spec: &Spec) -> Option<Asked> {
    let train = spec.data.iter().find(|d| d.part == Part::Train)?;
    let words = argument(train, "augment").map(words).unwrap_or_default();
    let asked = Asked {
        flip: words.contains(&"flip"),
        shift: words.contains(&"shift"),
        mixup: share(train, "mixup"),
        cutmix: share(train, "cutmix"),
    };
    (asked.flip || asked.shift || asked.mixes()).then_some(asked)
}

fn is_picture(port: &Port) -> bool {
    port.shape.len() == 3 && port.classes.is_none()
}

/// What is wrong with the `augment=`, `mixup=` and `cutmix=` of a program whose data offers these ports.
pub(crate) fn mistakes(spec: &Spec, ports: &Ports) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for decl in &spec.data {
        for key in ["augment", "mixup", "cutmix"] {
            let Some(arg) = argument(decl, key) else { continue };
            let at =
                |message: String, label: &str| Diagnostic::error(Code::N0514, message).label(arg.span, label);
            if decl.part != Part::Train {
                let d = at("only what is trained on is augmented".into(), "leave this out");
                out.push(d.cause("the network is judged on data as it is"));
            } else if key == "augment" {
                out.extend(augment(arg, ports, &at));
            } else {
                out.extend(mixing(key, arg, ports, &at));
            }
        }
    }
    out
}

fn augment(arg: &Arg<Literal>, ports: &Ports, at: &dyn Fn(String, &str) -> Diagnostic) -> Option<Diagnostic> {
    if let Some(word) = words(arg).into_iter().find(|w| !KINDS.contains(w)) {
        let d = |what: &str| at(format!("`augment` knows {}, not `{what}`", KINDS.join(" and ")), "");
        return Some(match word {
            "mixup" => d(word).help("this is an option of its own: mixup=0.2"),
            "cutmix" => d(word).help("this is an option of its own: cutmix=1"),
            "" => d("this").help("for example: augment=[flip, shift]"),
            word => d(word).help("for example: augment=[flip, shift]"),
        });
    }
    if !ports.inputs.iter().any(is_picture) {
        let d = at("`augment` is for pictures, and no input is one".into(), "");
        return Some(d.help("columns become a picture by a shape: input image 28x28x1"));
    }
    None
}

fn mixing(
    key: &str,
    arg: &Arg<Literal>,
    ports: &Ports,
    at: &dyn Fn(String, &str) -> Diagnostic,
) -> Option<Diagnostic> {
    let usual = if key == "mixup" { "mixup=0.2" } else { "cutmix=1" };
    let all = || ports.inputs.iter().chain(&ports.targets);
    Some(match arg.value {
        Literal::Number(alpha) if alpha > 0.0 && alpha <= MOST => {
            if let Some(port) = ports.inputs.iter().find(|p| p.classes.is_some()) {
                at(format!("`{key}` mixes numbers, and `{}` is classes", port.name), "")
                    .help("as one_hot columns categories are numbers")
            } else if let Some(port) = all().find(|p| p.ragged || p.padded) {
                at(
                    format!("`{key}` cannot mix samples of different lengths, as `{}` has them", port.name),
                    "",
                )
            } else if ports.weighted {
                at(format!("`{key}` and a weight for every row do not go together"), "")
                    .cause("a mixed sample is of two rows, with a weight each")
            } else if ports.targets.is_empty() {
                at(format!("`{key}` mixes the losses by two targets, and there is no target"), "")
            } else if key == "cutmix" && !matches!(&ports.inputs[..], [one] if is_picture(one)) {
                at("`cutmix` is for one picture as the only input".into(), "")
                    .help("`mixup` mixes numbers of any kind")
            } else {
                return None;
            }
        }
        Literal::Number(_) => at(format!("`{key}` is a number above 0 and at most {MOST}"), "")
            .cause("the share of each sample is drawn from the distribution Beta(a, a)")
            .help(format!("for example: {usual}")),
        _ => at(format!("`{key}` is a number"), "").help(format!("for example: {usual}")),
    })
}
