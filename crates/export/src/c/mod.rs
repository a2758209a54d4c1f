//! Models in C99: one source file and its header.
//!
//! The code allocates nothing and calls nothing but a few functions of math.h. Weights are `const`; what is computed
//! lies in one array that the caller gives. One call answers one sample.

mod arena;
mod convolve;
mod emit;
mod heavy;
mod index;
mod library;
mod loops;
mod rows;
#[cfg(test)]
pub(crate) mod tests;
mod train;
mod value;

use crate::names::{Names, comment, prefix};
use crate::package::{Input, Package, Weights};
use emit::{Given, Place, emit, literal};
use library::functions;
use nnc_graph::{DType, Graph, NodeId, OutputKind, Role};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How the code is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Weights of matrices, kernels and tables as whole numbers from -127 to 127, with a scale for each channel.
    pub int8: bool,
    /// Without math.h.
    pub no_math: bool,
    /// Without rows of the file: inputs and outputs as the network sees them.
    pub plain: bool,
}

/// A model in C.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// The prefix of all its names.
    pub prefix: String,
    /// The source file.
    pub source: String,
    /// The header.
    pub header: String,
    /// Bytes of its weights, which are constant.
    pub weights: usize,
    /// Bytes of working memory.
    pub work: usize,
}

/// The names of a model's parts in C.
pub(crate) struct Parts {
    /// Of the inputs and outputs, in the order of the package.
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
}

/// Writes a model as C; `header` is the name of the file that its header goes to. With a lesson, the code can also go on
/// with the training.
///
/// # Errors
/// What of the model cannot be said in C, as a sentence.
pub fn export(
    package: &Package,
    header: &str,
    options: &Options,
    lesson: Option<&Lesson>,
) -> Result<Source, String> {
    let whole = package;
    let package = package.folded()?;
    let float = package.graph.float;
    let real = if float == DType::F64 { "double" } else { "float" };
    let prefix = prefix(&package.name);
    let capital = prefix.to_ascii_uppercase();
    let mut names = Names::default();
    for taken in ["work", "seed", "step", "row", "answer", "real"] {
        names.free(taken);
    }
    let inputs: Vec<String> = package.inputs.iter().map(|i| names.free(&i.name)).collect();
    let outputs: Vec<String> = package.answers.iter().map(|a| names.free(&a.name)).collect();

    let mut given = Given::new();
    let mut data = String::new();
    let mut bytes = 0;
    for role in [Role::Weight, Role::State] {
        for (name, id) in package.graph.parameters(role) {
            let weights = package.weight(&name, package.graph.ty(id))?;
            let own = names.free(&format!("p_{name}"));
            let quantised = options.int8 && weights.dims.len() >= 2;
            let dims: Vec<String> = weights.dims.iter().map(ToString::to_string).collect();
            let _ = writeln!(data, "/* {} [{}] */", comment(&name), dims.join("]["));
            let mut place = Place::given(own.clone());
            if quantised {
                let last = weights.dims.last().copied().unwrap_or(1);
                let (numbers, scale) = quantise(&weights.values, last);
                table(&mut data, "int8_t", &own, numbers.iter().map(ToString::to_string));
                let counts = names.free(&format!("{own}_scale"));
                table(&mut data, "real", &counts, floats(&scale, float));
                bytes += numbers.len() + scale.len() * size_of(float);
                place.scale = Some((counts, last));
            } else {
                table(&mut data, "real", &own, floats(&weights.values, float));
                bytes += weights.values.len() * size_of(float);
            }
            given.insert((role, name.to_string()), place);
        }
    }
    for (input, name) in package.inputs.iter().zip(&inputs) {
        given.insert((Role::Input, input.name.clone()), Place::given(name.clone()));
    }
    let results: Result<Vec<(NodeId, String)>, String> = package
        .answers
        .iter()
        .zip(&outputs)
        .map(|(answer, name)| {
            let node = package.graph.output(OutputKind::Prediction, &answer.name);
            Ok((node.ok_or_else(|| format!("there is no prediction `{}`", answer.name))?, name.clone()))
        })
        .collect();
    let code = emit(&package.graph, 1, &given, &results?, &[])?;
    let random = code.helpers.contains("uniform") || code.helpers.contains("normal");
    let parts = Parts { inputs, outputs };

    let mut signature: Vec<String> = Vec::new();
    for name in &parts.inputs {
        signature.push(format!("const {real} *{name}"));
    }
    for name in &parts.outputs {
        signature.push(format!("{real} *{name}"));
    }
    if random {
        signature.extend(["uint64_t seed".to_string(), "uint64_t step".to_string()]);
    }
    signature.push(format!("{real} *work"));
    let signature = signature.join(", ");

    let rows = if options.plain {
        None
    } else {
        Some(rows::rows(&package, &prefix, &parts, code.work, random, options.no_math))
    };
    let taught = lesson.map(|l| train::teach(whole, l, &prefix, &parts, options)).transpose()?;
    let mut helpers = code.helpers;
    helpers.extend(taught.iter().flat_map(|t| t.helpers.iter().copied()));
    helpers.extend(rows.iter().flat_map(|r| r.helpers.iter().copied()));
    let (library, mut math) = functions(&helpers, float, options.no_math);
    math |= rows.as_ref().is_some_and(|r| r.math);
    let work = rows.as_ref().map_or(code.work, |r| r.work).max(1);

    let mut head = String::new();
    let title = format!("{} as C, written by nnc {}", comment(&package.name), env!("CARGO_PKG_VERSION"));
    let _ = writeln!(head, "/* {title}");
    for (key, text) in package.about.iter().filter(|(_, text)| !text.contains('\n')) {
        let _ = writeln!(head, "   {}: {}", comment(key), comment(text));
    }
    let _ = writeln!(
        head,
        "   It allocates nothing and keeps no state: calls with memory of their own may run at the same time. */"
    );
    let _ = writeln!(head, "#ifndef {capital}_H\n#define {capital}_H\n\n#include <stdint.h>\n");
    let _ = writeln!(head, "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n");
    let _ = writeln!(head, "/* Numbers of working memory: {} bytes. */", work * size_of(float));
    let _ = writeln!(head, "#define {capital}_WORK {work}\n");
    let _ = writeln!(head, "/* One sample through the network, as it sees samples:");
    for (input, name) in package.inputs.iter().zip(&parts.inputs) {
        let what = if input.columns.is_empty() { &input.what } else { "numbers as the network sees them" };
        let _ = writeln!(head, "   {name}{}: {}", brackets(&input.shape), comment(what));
    }
    for (answer, name) in package.answers.iter().zip(&parts.outputs) {
        let _ = writeln!(head, "   {name}{}: what it says", brackets(&answer.shape));
    }
    if random {
        let _ = writeln!(head, "   seed, step: choose the random numbers that it draws");
    }
    let _ =
        writeln!(head, "   work: {capital}_WORK numbers for its own use\n   The arrays do not overlap. */");
    let _ = writeln!(head, "void {prefix}_run({signature});");
    if let Some(rows) = &rows {
        let _ = write!(head, "\n{}", rows.header);
    }
    if let Some(taught) = &taught {
        let _ = write!(head, "\n{}", taught.header);
    }
    let _ = writeln!(head, "\n#ifdef __cplusplus\n}}\n#endif\n\n#endif");

    let mut source = format!("/* {title} */\n#include \"{header}\"\n\n");
    if math {
        source.push_str("#include <math.h>\n\n");
    }
    let _ = writeln!(source, "typedef {real} real;\n");
    source.push_str(&library);
    source.push_str(&data);
    let own = signature.replace(&format!("{real} *"), "real *restrict ");
    let _ = writeln!(source, "\nvoid {prefix}_run({own})\n{{");
    let used =
        |name: &str| code.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|w| w == name);
    for name in parts.inputs.iter().filter(|n| !used(n)) {
        let _ = writeln!(source, "    (void){name};");
    }
    source.push_str(&code.text);
    source.push_str("}\n");
    if let Some(rows) = &rows {
        source.push('\n');
        source.push_str(&rows.source);
    }
    if let Some(taught) = &taught {
        source.push('\n');
        source.push_str(&taught.source);
    }
    Ok(Source { prefix, source, header: head, weights: bytes, work: work * size_of(float) })
}

/// A training that the code can go on with.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// A step: the objective, and the next value of what is trained and kept.
    pub step: Graph,
    /// The samples of a step.
    pub batch: usize,
    /// The seed of all random numbers.
    pub seed: u64,
    /// What samples should lead to.
    pub targets: Vec<Input>,
    /// Weights, states and the optimizer's memory, as they begin.
    pub state: BTreeMap<String, Weights>,
}

/// Bytes of a number.
fn size_of(float: DType) -> usize {
    if float == DType::F64 { 8 } else { 4 }
}

/// `[2][3]`, or nothing for one number.
pub(crate) fn brackets(shape: &[usize]) -> String {
    shape.iter().map(|n| format!("[{n}]")).collect()
}

/// An array of constants.
fn table(out: &mut String, element: &str, name: &str, values: impl Iterator<Item = String>) {
    let values: Vec<String> = values.collect();
    let _ = writeln!(out, "static const {element} {name}[{}] = {{", values.len().max(1));
    let mut line = String::from("   ");
    for value in &values {
        if line.len() + value.len() + 2 > 110 {
            let _ = writeln!(out, "{line}");
            line = String::from("   ");
        }
        let _ = write!(line, " {value},");
    }
    let _ = writeln!(out, "{line}\n}};");
}

fn floats(values: &[f64], float: DType) -> impl Iterator<Item = String> + use<'_> {
    values.iter().map(move |&x| match x {
        // The only numbers without a literal; networks that diverged hold them.
        x if x.is_nan() => "0.0f / 0.0f".into(),
        x if x.is_infinite() => (if x > 0.0 { "1.0f / 0.0f" } else { "-1.0f / 0.0f" }).into(),
        x => literal(x, float == DType::F32),
    })
}

/// Whole numbers from -127 to 127, and what each column's count: its largest number is 127.
pub(crate) fn quantise(values: &[f64], last: usize) -> (Vec<i8>, Vec<f64>) {
    let mut most = vec![0.0f64; last];
    for row in values.chunks(last) {
        most.iter_mut().zip(row).for_each(|(m, x)| *m = m.max(x.abs()));
    }
    let scale: Vec<f64> = most
        .iter()
        .map(|&m| if m > 0.0 && m.is_finite() { f64::from((m / 127.0) as f32) } else { 1.0 })
        .collect();
    let numbers = values
        .chunks(last)
        .flat_map(|row| {
            row.iter().zip(&scale).map(|(x, s)| (x / s).round_ties_even().clamp(-127.0, 127.0) as i8)
        })
        .collect();
    (numbers, scale)
}

/// The weights that [`Options::int8`] rounds, as they are then.
pub fn rounded(package: &Package) -> BTreeMap<String, Weights> {
    let several = package.weights.iter().filter(|(_, w)| w.dims.len() >= 2);
    several
        .map(|(name, w)| {
            let (numbers, scale) = quantise(&w.values, w.dims.last().copied().unwrap_or(1));
            let values = numbers.iter().zip(scale.iter().cycle()).map(|(&n, s)| f64::from(n) * s).collect();
            (name.clone(), Weights { dims: w.dims.clone(), values })
        })
        .collect()
}
