//! Reading what the command line names: programs, and networks where a program may stand.

use crate::args::{Precision, SpecArgs};
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::port;
use nnc_model::suggest::nearest;
use nnc_model::{Model, Overrides, Spec};
use nnc_syntax::{Code, Diagnostic};
use nnc_train::{LoadOptions, Loaded, Problem, ProblemKind, load, open_model, used};
use std::fs::{self, File};
use std::io::{self, Read, stdin};
use std::path::{Path, PathBuf};

/// What a program is called that has no file.
const COMMAND_LINE: &str = "<command line>";
/// What a program is called that comes from stdin.
const STDIN: &str = "<stdin>";
/// A program longer than this is no program.
const LONGEST: u64 = 16 << 20;

/// Epochs and steps, where a command has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Length {
    /// `--epochs`
    pub epochs: Option<u64>,
    /// `--steps`
    pub steps: Option<u64>,
}

/// A program with its data and its graphs.
#[derive(Debug)]
pub struct Compiled {
    /// The program; its sources draw its diagnostics.
    pub spec: Spec,
    /// The data; a finished model has done without.
    pub loaded: Option<Loaded>,
    /// The graphs.
    pub model: Model,
}

/// Reads the program; warnings are said at once.
pub fn spec(args: &SpecArgs, length: Length, out: &mut Output) -> Result<Spec> {
    if let Some(path) =
        args.spec.as_deref().filter(|p| args.text.is_none() && is_data(p) && Path::new(p).is_file())
    {
        return Err(data_as_program(path));
    }
    let (name, text) = source(args)?;
    if let Some(failure) = port::answer(&name, &text) {
        return Err(failure);
    }
    let batch = match args.batch.map(usize::try_from) {
        None => None,
        Some(Ok(batch)) => Some(batch),
        Some(Err(_)) => return Err(Failure::usage("--batch is larger than any memory", "try --batch 32")),
    };
    let overrides = Overrides {
        set: args.set.clone(),
        experiment: args.experiment.clone(),
        epochs: length.epochs,
        steps: length.steps,
        batch,
        seed: args.seed,
    };
    let base = base(args);
    let spec = Spec::read_with(&name, &text, &overrides, &|path| used(&base, path))
        .map_err(|(diagnostics, sources)| Problem::at(ProblemKind::Spec, diagnostics, &sources))?;
    out.diagnostics(&spec.diagnostics, &spec.sources);
    Ok(spec)
}

/// Endings of files that hold data, whatever is in them.
const DATA: [&str; 22] = [
    "csv", "tsv", "tab", "data", "dat", "npy", "npz", "idx", "gz", "json", "jsonl", "ndjson", "arff",
    "parquet", "feather", "arrow", "xlsx", "xls", "ods", "zip", "h5", "sqlite",
];

/// Whether a path ends as a file of data does.
pub fn is_data(path: &str) -> bool {
    let ending = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    DATA.contains(&ending.to_ascii_lowercase().as_str())
}

/// Whether a file is a program without mistakes in its grammar, and speaks of data: many tables of words are one
/// without.
pub fn is_program(path: &str) -> bool {
    let text = File::open(path).and_then(read_limited).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.is_some_and(|text| {
        Spec::read_with(path, &text, &Overrides::default(), &|p| used(Path::new(""), p))
            .is_ok_and(|spec| !spec.data.is_empty())
    })
}

/// Whether a file is no text.
pub fn is_binary(path: &Path) -> bool {
    let bytes = File::open(path).and_then(|f| {
        let mut bytes = Vec::new();
        f.take(4096).read_to_end(&mut bytes).map(|_| bytes)
    });
    bytes.is_ok_and(|b| b.contains(&0) || b.starts_with(b"PK") || b.first().is_some_and(|c| *c >= 0x80))
}

/// What is said where data stands in the place of a program.
fn data_as_program(path: &str) -> Failure {
    let d = Diagnostic::error(Code::N0701, format!("`{path}` is a file of data, not a program"));
    let d = d.help(format!("what is in it: nnc data {path}"));
    Failure::one(
        ProblemKind::Usage,
        d.help(format!("a program that trains on it, say net.nn:\n  data \"{path}\"\n  dense 16 relu\n  dense 1\n  loss mse")),
    )
}

/// Opens the data that the program asks for.
pub fn data(args: &SpecArgs, spec: Spec, out: &mut Output) -> Result<Loaded> {
    fold(args, spec, None, out)
}

/// Opens one fold of the data, or all of it.
pub fn fold(args: &SpecArgs, spec: Spec, fold: Option<(usize, usize)>, out: &mut Output) -> Result<Loaded> {
    let loaded = load(spec, &LoadOptions { fold, ..options(args) })?;
    out.diagnostics(&loaded.notes, &loaded.spec.sources);
    Ok(loaded)
}

/// Where the data of a program is.
pub fn options(args: &SpecArgs) -> LoadOptions {
    LoadOptions { data: args.data.clone(), base: base(args), memory_limit: args.memory, fold: None }
}

/// The folder of the program, where the paths in it begin.
fn base(args: &SpecArgs) -> PathBuf {
    match &args.spec {
        Some(path) if path != "-" => Path::new(path).parent().map(Path::to_path_buf).unwrap_or_default(),
        _ => PathBuf::new(),
    }
}

/// Builds the graphs.
pub fn model(loaded: &Loaded, precision: Precision, out: &mut Output) -> Result<Model> {
    let model = loaded.model(precision.dtype())?;
    if model.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(Problem::at(ProblemKind::Spec, model.diagnostics, &loaded.spec.sources).into());
    }
    out.diagnostics(&model.diagnostics, &loaded.spec.sources);
    Ok(model)
}

/// Everything up to the graphs, from a program or from a finished model.
pub fn compile(args: &SpecArgs, precision: Precision, out: &mut Output) -> Result<Compiled> {
    if let Some(path) = args.spec.as_deref().filter(|p| is_model(Path::new(p))) {
        fixed(args)?;
        let trained = open_model(Path::new(path))?;
        return Ok(Compiled { spec: trained.spec, loaded: None, model: trained.model });
    }
    let spec = spec(args, Length::default(), out)?;
    let loaded = data(args, spec, out)?;
    let model = model(&loaded, precision, out)?;
    Ok(Compiled { spec: loaded.spec.clone(), loaded: Some(loaded), model })
}

/// Whether a path names a finished model rather than a program.
pub fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "safetensors") || path.is_dir()
}

/// Refuses to change what is already trained.
fn fixed(args: &SpecArgs) -> Result<()> {
    let changed = args.data.is_some()
        || !args.set.is_empty()
        || args.experiment.is_some()
        || args.batch.is_some()
        || args.seed.is_some();
    if changed {
        let help = "leave out --data, --set, --as, --batch and --seed, or name the program instead";
        return Err(Failure::usage("a trained network cannot be changed any more", help));
    }
    Ok(())
}

/// The name and the text of the program.
fn source(args: &SpecArgs) -> Result<(String, String)> {
    if let Some(text) = &args.text {
        return Ok((COMMAND_LINE.into(), text.clone()));
    }
    let path = args.spec.as_deref().unwrap_or("-");
    if path == "-" && args.data.as_deref() == Some("-") {
        let help = "put one of the two into a file";
        return Err(Failure::usage("the program and the data cannot both come from stdin", help));
    }
    named(path)
}

/// The name and the text of a program file, or of stdin where it is called `-`.
pub fn named(path: &str) -> Result<(String, String)> {
    if path == "-" {
        let bytes = read_limited(stdin().lock()).map_err(|e| unreadable(STDIN, &e))?;
        return Ok((STDIN.into(), decode(STDIN, bytes)?));
    }
    let file = Path::new(path);
    if file.is_dir() {
        return Err(directory(file));
    }
    let opened = File::open(file).map_err(|e| missing(file, &e))?;
    let bytes = read_limited(opened).map_err(|e| unreadable(path, &e))?;
    Ok((path.to_string(), decode(path, bytes)?))
}

fn read_limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other(format!("a program has at most {} MiB", LONGEST >> 20)));
    }
    Ok(bytes)
}

fn decode(name: &str, bytes: Vec<u8>) -> Result<String> {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let at = error.utf8_error().valid_up_to();
    let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
    let d = Diagnostic::error(Code::N0701, format!("`{name}` is not text: line {line} is not UTF-8"))
        .cause(format!("the first byte that is none is byte {}", at + 1));
    let d = match Path::new(name).extension().and_then(|e| e.to_str()) {
        Some("nn") => d.help("save it as UTF-8"),
        _ => d.help("a program is a text file, usually with a name that ends in .nn"),
    };
    Err(Failure::one(ProblemKind::Io, d))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    let d = Diagnostic::error(Code::N0701, format!("`{name}` cannot be read: {error}"));
    Failure::one(ProblemKind::Io, d)
}

fn directory(path: &Path) -> Failure {
    let d = Diagnostic::error(Code::N0701, format!("`{}` is a folder, not a program", path.display()));
    let programs = programs_in(path);
    let d = match programs.first() {
        Some(_) => d.help(format!("programs in it: {}", programs.join(", "))),
        None => d.help("name a .nn file"),
    };
    Failure::one(ProblemKind::Io, d)
}

/// A file that is not there: with names in its folder that are like it.
fn missing(path: &Path, error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::NotFound {
        return unreadable(&path.display().to_string(), error);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut d = Diagnostic::error(Code::N0701, format!("there is no file `{}`", path.display()));
    if !folder.is_dir() {
        return Failure::one(
            ProblemKind::Io,
            d.help(format!("there is no folder `{}` either", folder.display())),
        );
    }
    let programs = programs_in(folder);
    let names: Vec<&str> = programs.iter().map(String::as_str).collect();
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let with_ending = format!("{name}.nn");
    let near = names.iter().find(|n| **n == with_ending).copied().or_else(|| nearest(name, &names));
    d = match near {
        Some(near) => d.help(format!("did you mean `{}`?", path.with_file_name(near).display())),
        None if !names.is_empty() => d.help(format!("programs there: {}", some(&names))),
        None => d.help("`nnc new xor` writes a first program"),
    };
    Failure::one(ProblemKind::Io, d)
}

fn some(names: &[&str]) -> String {
    let more = if names.len() > 8 { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(8)].join(", "))
}

/// The names of the programs of a folder, sorted.
fn programs_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().take(10_000).filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|n| n.ends_with(".nn")).collect();
    names.sort();
    names
}
