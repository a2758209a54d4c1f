//! Programs of Keras and PyTorch, read as text and written in nnc. Nothing is run.
//!
//! ```
//! let text = "from keras import *\nm = Sequential([Dense(16, 'relu'), Dense(1)])\nm.compile('sgd', 'mse')\n";
//! let port = nnc_port::translate(text).unwrap();
//! assert!(port.program.contains("dense 16 relu\ndense 1\n"));
//! ```
//!
//! `python` reads the text, `run` follows it as far as it makes layers, tensors and models, `layers` says what a layer
//! is called here, `training` what `compile` and `fit` are, `emit` writes the program.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "one asks of a value or an expression whether it is of one kind"
)]

mod answer;
mod data;
mod emit;
mod graph;
mod layers;
mod library;
mod python;
mod run;
mod step;
mod told;
mod training;
mod value;

pub use answer::answer;

/// A library that programs are written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// Keras, alone or in TensorFlow
    Keras,
    /// PyTorch
    Torch,
}

impl Library {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Library::Keras => "Keras",
            Library::Torch => "PyTorch",
        }
    }
}

/// A line of the source that has no counterpart in the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its number, from 1.
    pub line: usize,
    /// Its text, or the part of it that is meant.
    pub text: String,
    /// Why, and what to do instead.
    pub why: String,
}

/// A program that was translated.
#[derive(Debug, Clone)]
pub struct Port {
    /// Where it comes from.
    pub library: Library,
    /// The program in nnc.
    pub program: String,
    /// What is not in it, by lines.
    pub left: Vec<Left>,
    /// Whether a network was found.
    pub network: bool,
}

/// Bytes of stack for reading a program.
const STACK: usize = 64 << 20;

/// Which library's program a text is; `None` for anything else, every program in nnc among it.
///
/// A line of Python that no program here has must speak for it, and the library be used.
pub fn detect(text: &str) -> Option<Library> {
    // A program here has no line that begins so.
    let python = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["import", module, ..] | ["from", module, "import", ..] => {
                Some(module.trim_end_matches(',').to_string())
            }
            _ => None,
        }
    };
    // Statements here, with a blank behind their first word.
    let ours = [
        "data ",
        "dense ",
        "conv ",
        "loss ",
        "optimizer ",
        "epochs ",
        "batch ",
        "metrics ",
        "split ",
        "lstm ",
    ];
    let statement = |l: &str| {
        let behind = ours.iter().find_map(|head| l.strip_prefix(head)).map(str::trim_start);
        behind.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '"' || c == '{'))
    };
    if text.lines().any(|l| statement(l) && !l.contains('(')) {
        return None;
    }
    let modules: Vec<String> = text.lines().filter_map(python).collect();
    let imports = |name: &str| modules.iter().any(|m| m.split('.').next() == Some(name));
    if imports("torch") {
        return Some(Library::Torch);
    }
    if imports("keras") || imports("tensorflow") || imports("tf_keras") {
        return Some(Library::Keras);
    }
    // A piece without its imports: calls with brackets, at the beginning of a line, that only Python has.
    let begins = |line: &str, marks: &[&str]| {
        let line = line.trim_start();
        let value = line.split_once('=').map_or("", |(_, v)| v.trim_start());
        marks.iter().any(|m| line.starts_with(m) || value.starts_with(m))
    };
    let any = |marks: &[&str]| text.lines().any(|l| begins(l, marks));
    let torch =
        ["nn.Sequential(", "torch.nn.Sequential(", "nn.Linear(", "torch.optim.", "optim.Adam(", "optim.SGD("];
    let class = text.lines().any(|l| {
        l.starts_with("class ")
            && l.trim_end().ends_with(':')
            && (l.contains("(nn.Module)") || l.contains("(torch.nn.Module)"))
    });
    if class || any(&torch) {
        return Some(Library::Torch);
    }
    let keras = [
        "Sequential(",
        "keras.Sequential(",
        "tf.keras.",
        "keras.",
        "models.Sequential(",
        "model.add(",
        "model.compile(",
        "model.fit(",
        "layers.Dense(",
        "Model(inputs",
        "Input(shape",
    ];
    // One mark alone may be a line that somebody tries; a program has a second.
    let marks = text.lines().filter(|l| begins(l, &keras)).count();
    (marks >= 2).then_some(Library::Keras)
}

/// Translates a program of another library; `None` for a text that is none.
pub fn translate(text: &str) -> Option<Port> {
    let library = detect(text)?;
    // Trees of expressions are walked by recursion of bounded depth, in a stack that holds it in any build.
    std::thread::scope(|scope| {
        let reader =
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || emit::port(library, text));
        reader.ok()?.join().ok()
    })
}
