//! The functions of C that the code calls: only those that it needs, and what they need.

use nnc_graph::DType;
use std::collections::{BTreeMap, BTreeSet};

/// All of them: parts that begin with `//@ name: what it needs`, the name with what is special about it: `.f32` and
/// `.f64` are for one precision, `.own` takes the place of what math.h has.
const ALL: &str = include_str!("functions.c");

/// The source of the wanted functions, each after what it needs, and whether they call math.h.
pub(crate) fn functions(wanted: &BTreeSet<&'static str>, float: DType, own: bool) -> (String, bool) {
    let mut parts: BTreeMap<&str, (Vec<&str>, &str)> = BTreeMap::new();
    for part in ALL.split("//@ ").skip(1) {
        let (head, text) = part.split_once('\n').unwrap_or((part, ""));
        let (name, needs) = head.split_once(':').unwrap_or((head, ""));
        parts.insert(name.trim(), (needs.split_whitespace().collect(), text));
    }
    let mut out = String::new();
    let mut done = BTreeSet::new();
    for name in wanted {
        add(name, &parts, float, own, &mut done, &mut out);
    }
    const MATH: [&str; 17] = [
        "sqrtf(", "sqrt(", "floorf(", "floor(", "truncf(", "trunc(", "rintf(", "rint(", "sin(", "cos(",
        "sinf(", "cosf(", "pow(", "powf(", "log(", "exp(", "erf(",
    ];
    let calls = |name: &&str| {
        let own = |at: usize| out[..at].ends_with(|c: char| c == '_' || c.is_ascii_alphanumeric());
        out.match_indices(*name).any(|(at, _)| !own(at))
    };
    let math = MATH.iter().any(calls);
    (out, math)
}

fn add<'a>(
    name: &str,
    parts: &BTreeMap<&'a str, (Vec<&'a str>, &'a str)>,
    float: DType,
    own: bool,
    done: &mut BTreeSet<String>,
    out: &mut String,
) {
    if !done.insert(name.to_string()) {
        return;
    }
    let precision = float.name();
    let variants = [format!("{name}.{precision}.own"), format!("{name}.own")];
    let names = variants.into_iter().filter(|_| own).chain([format!("{name}.{precision}"), name.to_string()]);
    let Some((needs, text)) = names.into_iter().find_map(|n| parts.get(n.as_str())) else { return };
    for need in needs {
        add(need, parts, float, own, done, out);
    }
    out.push_str(text);
    out.push('\n');
}
