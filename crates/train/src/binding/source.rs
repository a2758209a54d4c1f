//! `data …` as a source: which words mean what.

use crate::binding::args::{self, ArgCursor, Reported, Res, whole};
use crate::binding::dialect;
use crate::binding::marks::Marks;
use nnc_data::{
    Cell, ColumnName, CsvSpec, Extent, GeneratorKind, GeneratorSpec, IdxSpec, ImagesSpec, NpySpec, NpzSpec,
    RowSpec, RowsSpec, SourceSpec, TextSpec,
};
use nnc_model::data::{Literal, Part};
use nnc_model::suggest::nearest;
use nnc_syntax::ast::{Arg, Dataset, Row, Word, WordKind};
use nnc_syntax::{Code, Diagnostic, Span};
use std::path::{Path, PathBuf};

/// Kinds of files.
const FILES: [&str; 6] = ["csv", "idx", "npy", "npz", "images", "text"];

/// The options of a table.
const TABLE: [&str; 15] = {
    let mut all = ["window"; 15];
    let mut i = 0;
    while i < dialect::WORDS.len() {
        all[i] = dialect::WORDS[i];
        i += 1;
    }
    all[i] = "horizon";
    all[i + 1] = "by";
    all[i + 2] = "max_length";
    all[i + 3] = "mixup";
    all
};

/// The options of a kind of source.
pub(crate) fn options(kind: &str) -> &'static [&'static str] {
    match kind {
        "csv" | "jsonl" | "arff" => &TABLE,
        "text" => &["window", "stride", "bytes"],
        "idx" | "npy" | "npz" | "images" => &["augment", "mixup", "cutmix"],
        _ => &["noise", "classes", "low", "high", "dims", "seed", "mixup"],
    }
}

/// The kinds of source: of files, and of what is made up.
pub(crate) fn kinds() -> Vec<&'static str> {
    FILES.into_iter().chain(GeneratorKind::ALL.iter().map(|(name, _)| *name)).collect()
}

/// Turns declarations into sources.
pub(crate) struct Sources<'a> {
    /// Where relative paths begin.
    pub(crate) base: &'a Path,
    pub(crate) marks: &'a mut Marks,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
}

/// The kind a path's ending means.
pub(crate) fn kind_of(path: &str) -> &'static str {
    let lower = path.to_ascii_lowercase();
    let lower = lower.strip_suffix(".gz").unwrap_or(&lower);
    let name = lower.rsplit(['/', '\\']).next().unwrap_or(lower);
    if name.ends_with(".npy") {
        "npy"
    } else if name.ends_with(".npz") {
        "npz"
    } else if name.ends_with(".idx")
        || ["-idx1-ubyte", "-idx3-ubyte", ".idx1-ubyte", ".idx3-ubyte"].iter().any(|e| name.ends_with(e))
    {
        "idx"
    } else {
        "csv"
    }
}

/// Another file in the place of a declared source, read as that was where the ending allows it.
pub(crate) fn replaced(declared: Option<SourceSpec>, path: &str) -> SourceSpec {
    let (path, handle) = (path.to_string(), None);
    let other = kind_of(&path);
    let declared = match declared {
        Some(SourceSpec::Csv(csv)) => Some(SourceSpec::Csv(as_written(&path, csv))),
        other => other,
    };
    match (declared, other) {
        (Some(SourceSpec::Text(text)), _) => SourceSpec::Text(TextSpec { path, handle, ..text }),
        (Some(SourceSpec::Images(images)), _) => SourceSpec::Images(ImagesSpec { path, handle, ..images }),
        (_, "npy") => SourceSpec::Npy(NpySpec { inputs: path, targets: None, handle, targets_handle: None }),
        (_, "npz") => SourceSpec::Npz(NpzSpec { path, handle }),
        (_, "idx") => SourceSpec::Idx(IdxSpec { inputs: path, targets: None, handle, targets_handle: None }),
        (Some(SourceSpec::Csv(csv)), _) => SourceSpec::Csv(CsvSpec { path, more: Vec::new(), handle, ..csv }),
        _ => SourceSpec::Csv(CsvSpec::new(path)),
    }
}

/// The words of a table in lines of cells are not about JSON lines and ARFF in its place.
pub(crate) fn as_written(path: &str, mut csv: CsvSpec) -> CsvSpec {
    let low = path.to_ascii_lowercase();
    let low = low.strip_suffix(".gz").unwrap_or(&low);
    if [".jsonl", ".ndjson", ".arff"].iter().any(|e| low.ends_with(e)) {
        let d = &mut csv.dialect;
        (d.separator, d.header, d.comment, d.skip) = (None, None, None, None);
    }
    csv
}

impl Sources<'_> {
    /// The source of a declaration.
    pub(crate) fn source(&mut self, decl: &Dataset<Literal>) -> Res<SourceSpec> {
        if let Some(rows) = decl.cells() {
            return Ok(SourceSpec::Rows(self.rows(rows, decl.span)));
        }
        let Some(first) = decl.args.first().filter(|a| a.key.is_none()) else {
            return self.fail(decl.span, "`data` names its source first", &help());
        };
        let (kind, rest) = match &first.value {
            Literal::Text(path) => (kind_of(path).to_string(), &decl.args[..]),
            Literal::Word(word) => (word.clone(), &decl.args[1..]),
            Literal::Number(share) if decl.part != Part::Train && (0.0..100.0).contains(share) => {
                let part = decl.part.word();
                let percent = if *share < 1.0 { share * 100.0 } else { *share };
                let line = format!("split {part}={}%", (percent * 100.0).round() / 100.0);
                let message = "this is no source of data: a share of the rows is kept by `split`";
                return self.fail(first.span, message, &line);
            }
            _ => return self.fail(first.span, "this is no source of data", &help()),
        };
        let mut words = ArgCursor::new(rest, &decl.to, first.span);
        let source = match (kind.as_str(), GeneratorKind::from_name(&kind)) {
            (_, Some(generator)) => self.generator(generator, decl.part, &mut words)?,
            // What a table is written in shows in the file.
            ("csv" | "jsonl" | "arff", _) => self.csv(&mut words)?,
            ("idx" | "npy", _) => self.arrays(&kind, &mut words)?,
            ("npz", _) => {
                let (path, span) = self.path(&mut words, &kind)?;
                SourceSpec::Npz(NpzSpec { path, handle: self.marks.mark(span) })
            }
            ("images", _) => self.images(&mut words)?,
            ("text", _) => self.text(&mut words)?,
            _ => return self.unknown_kind(&kind, first.span),
        };
        // Looked at when the shapes are known.
        let changes: &[&str] = match kind.as_str() {
            "images" | "idx" | "npy" | "npz" => &["augment", "mixup", "cutmix"],
            "text" => &[],
            _ => &["mixup"],
        };
        for key in changes {
            words.key(key);
        }
        self.nothing_left(&kind, &words)?;
        Ok(source)
    }

    fn rows(&mut self, rows: &[Row<Literal>], span: Span) -> RowsSpec {
        let cells = |words: &[Word<Literal>], marks: &mut Marks| -> Vec<Cell> {
            let cell = |word: &Word<Literal>| {
                let handle = marks.mark(word.span);
                match &word.kind {
                    WordKind::Number(x) => Cell::number(*x, handle),
                    WordKind::Text(text) => Cell::word(text.clone(), handle),
                    WordKind::Name { name, .. } => Cell::word(name.text.clone(), handle),
                }
            };
            words.iter().map(cell).collect()
        };
        let rows = rows.iter().map(|row| RowSpec {
            inputs: cells(&row.words, self.marks),
            targets: row.to.as_ref().map(|t| cells(t, self.marks)),
            handle: self.marks.mark(row.span),
        });
        RowsSpec { rows: rows.collect(), handle: self.marks.mark(span) }
    }

    fn csv(&mut self, words: &mut ArgCursor<'_>) -> Res<SourceSpec> {
        let (path, span) = self.path(words, "csv")?;
        let mut csv = CsvSpec::new(path);
        csv.handle = self.marks.mark(span);
        while let Some((path, _)) = words.text() {
            csv.more.push(self.resolve(&path));
        }
        csv.window = match words.key("window") {
            None => None,
            Some(Arg { value: Literal::Word(word), .. }) if word == "all" => Some(Extent::Series),
            Some(arg) => match whole(&arg.value) {
                Some(rows) => Some(Extent::Rows(rows)),
                None => {
                    let message = "`window` is a number of rows, or `all` rows of a series";
                    return self.fail(arg.span, message, "window=24, window=all by=NAME");
                }
            },
        };
        csv.max_length = self.count(words, "max_length")?;
        if csv.max_length == Some(0) {
            return self.fail(words.span, "`max_length=0` leaves nothing to read", "max_length=200");
        }
        self.horizon(words, &mut csv)?;
        if let Some(arg) = words.key("by") {
            csv.by = self.columns(arg)?;
        }
        csv.dialect = dialect::read(words, self.diagnostics)?;
        Ok(SourceSpec::Csv(csv))
    }

    fn arrays(&mut self, kind: &str, words: &mut ArgCursor<'_>) -> Res<SourceSpec> {
        let (inputs, span) = self.path(words, kind)?;
        let mut targets_handle = None;
        let targets = match words.target() {
            None => None,
            Some(Arg { key: None, value: Literal::Text(path), span }) => {
                targets_handle = self.marks.mark(*span);
                Some(self.resolve(path))
            }
            Some(arg) => {
                let example = format!("data {kind} \"inputs\" -> \"targets\"");
                return self.fail(arg.span, "after `->` stands the file of the targets", &example);
            }
        };
        let handle = self.marks.mark(span);
        Ok(if kind == "idx" {
            SourceSpec::Idx(IdxSpec { inputs, targets, handle, targets_handle })
        } else {
            SourceSpec::Npy(NpySpec { inputs, targets, handle, targets_handle })
        })
    }

    fn images(&mut self, words: &mut ArgCursor<'_>) -> Res<SourceSpec> {
        let (path, span) = self.path(words, "images")?;
        let shape = match words.next() {
            Some(Arg { value: Literal::Size(sizes), span, .. }) => match sizes[..] {
                [h, w] => [h, w, 3],
                [h, w, c @ (1 | 3)] => [h, w, c],
                _ => return self.fail(*span, "pictures have height, width and 1 or 3 channels", "64x64x3"),
            },
            other => {
                let span = other.map_or(span, |a| a.span);
                return self.fail(span, "how large are the pictures to be?", "data images \"dir\" 64x64x3");
            }
        };
        Ok(SourceSpec::Images(ImagesSpec { path, shape, handle: self.marks.mark(span) }))
    }

    fn text(&mut self, words: &mut ArgCursor<'_>) -> Res<SourceSpec> {
        let (path, span) = self.path(words, "text")?;
        let stride = self.count(words, "stride")?;
        let bytes = words.flag("bytes");
        let Some(window) = self.count(words, "window")? else {
            return self.fail(span, "a text is cut into windows", "data text \"f.txt\" window=100");
        };
        Ok(SourceSpec::Text(TextSpec { path, window, stride, bytes, handle: self.marks.mark(span) }))
    }

    fn generator(&mut self, kind: GeneratorKind, part: Part, words: &mut ArgCursor<'_>) -> Res<SourceSpec> {
        let span = words.span;
        let count = match words.next() {
            None => 500,
            Some(arg) => match whole(&arg.value) {
                Some(n) => n,
                None => {
                    let example = format!("data {} 500", kind.name());
                    return self.fail(arg.span, "this is no number of samples", &example);
                }
            },
        };
        let mut g = GeneratorSpec::new(kind, count);
        // Parts must not hold the same samples.
        g.seed = match part {
            Part::Train => 0,
            Part::Valid => 1,
            Part::Test => 2,
        };
        g.handle = self.marks.mark(span);
        g.noise = self.number(words, "noise")?;
        g.low = self.number(words, "low")?;
        g.high = self.number(words, "high")?;
        g.classes = self.count(words, "classes")?;
        g.dims = self.count(words, "dims")?;
        if let Some(seed) = self.count(words, "seed")? {
            g.seed = seed as u64;
        }
        Ok(SourceSpec::Generator(g))
    }

    /// `horizon=3`, or `horizon=1..3` for all rows from the first to the third.
    fn horizon(&mut self, words: &mut ArgCursor<'_>, csv: &mut CsvSpec) -> Res<()> {
        let Some(arg) = words.key("horizon") else { return Ok(()) };
        let (first, last) = match &arg.value {
            Literal::Range(first, last) => {
                (whole(&Literal::Number(*first)), whole(&Literal::Number(*last)).map(Some))
            }
            one => (whole(one), Some(None)),
        };
        let (Some(first), Some(last)) = (first, last) else {
            return self.fail(
                arg.span,
                "`horizon` is a whole number, or a range of them",
                "horizon=1, horizon=1..3",
            );
        };
        if csv.window == Some(Extent::Series) {
            let message =
                "`horizon` counts rows from the end of a window, and `window=all` is all rows of a series";
            return self.fail(arg.span, message, "window=24 horizon=1");
        }
        if csv.window.is_none() {
            let message = "`horizon` counts rows from the end of a window, and there is no `window=`";
            return self.fail(arg.span, message, "window=24 horizon=1");
        }
        (csv.horizon, csv.until) = (first, last);
        Ok(())
    }

    /// `by=shop`, `by="the shop"`, or `by=[shop, item]`.
    fn columns(&mut self, arg: &Arg<Literal>) -> Res<Vec<ColumnName>> {
        let items = match &arg.value {
            Literal::List(items) => &items[..],
            one => std::slice::from_ref(one),
        };
        let handle = self.marks.mark(arg.span);
        let name = |item: &Literal| match item {
            Literal::Word(name) | Literal::Text(name) => Some(ColumnName::new(name.clone(), handle)),
            _ => None,
        };
        match items.iter().map(name).collect::<Option<Vec<_>>>() {
            Some(names) if !names.is_empty() => Ok(names),
            _ => self.fail(arg.span, "`by` names columns", "by=shop, by=[shop, item]"),
        }
    }

    fn path(&mut self, words: &mut ArgCursor<'_>, kind: &str) -> Res<(String, Span)> {
        match words.text() {
            Some((path, span)) => Ok((self.resolve(&path), span)),
            None => {
                let example = format!("data {kind} \"path\"");
                self.fail(words.span, format!("`{kind}` needs a path in quotes"), &example)
            }
        }
    }

    /// Paths of a program begin in its folder.
    fn resolve(&self, path: &str) -> String {
        resolve(self.base, path)
    }

    fn number(&mut self, words: &mut ArgCursor<'_>, key: &str) -> Res<Option<f64>> {
        match words.key(key) {
            None => Ok(None),
            Some(Arg { value: Literal::Number(x), .. }) => Ok(Some(*x)),
            Some(arg) => self.fail(arg.span, format!("`{key}` is a number"), &format!("{key}=0.5")),
        }
    }

    fn count(&mut self, words: &mut ArgCursor<'_>, key: &str) -> Res<Option<usize>> {
        args::count(words, key, self.diagnostics)
    }

    fn nothing_left(&mut self, kind: &str, words: &ArgCursor<'_>) -> Res<()> {
        let known = options(kind);
        let mut clean = Ok(());
        for arg in words.left() {
            let word = match (arg.key(), &arg.value) {
                (Some(key), _) => key,
                (None, Literal::Word(word)) => word,
                (None, _) => "",
            };
            let message = if word.is_empty() {
                format!("`data {kind}` does not know what to do with this")
            } else {
                format!("`data {kind}` has no option `{word}`")
            };
            let near = nearest(word, known);
            let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
            let mut d = Diagnostic::error(Code::N0514, message).label(arg.span, label);
            if word == "group" && known == TABLE {
                let column = match &arg.value {
                    Literal::Word(name) if arg.key().is_some() => name.as_str(),
                    _ => "NAME",
                };
                d = d.help(format!("to keep windows within one `{column}`: by={column}")).help(format!(
                    "to keep its rows in one part of the data: split valid=10% group={column}"
                ));
            } else if near.is_none() && !known.is_empty() {
                d = d.help(format!("options are {}", known.join(", ")));
            }
            self.diagnostics.push(d);
            clean = Err(Reported);
        }
        clean
    }

    fn unknown_kind<T>(&mut self, kind: &str, span: Span) -> Res<T> {
        let known = kinds();
        let label = nearest(kind, &known).map_or(String::new(), |n| format!("did you mean `{n}`?"));
        let d = Diagnostic::error(Code::N0514, format!("there is no source of data called `{kind}`"));
        self.diagnostics.push(d.label(span, label).help(help()));
        Err(Reported)
    }

    fn fail<T>(&mut self, span: Span, message: impl Into<String>, example: &str) -> Res<T> {
        args::fail(span, message, example, self.diagnostics)
    }
}

fn help() -> String {
    let generators: Vec<&str> = GeneratorKind::ALL.iter().map(|(name, _)| *name).collect();
    format!(
        "rows: data {{ 0 1 -> 1 }}\na file: data \"f.csv\", data {} \"path\"\nmade up: data moons 500 noise=0.1 (or {})",
        FILES[1..].join("|"),
        generators.join(", ")
    )
}

/// A path as seen from `base`; `-` is stdin.
pub(crate) fn resolve(base: &Path, path: &str) -> String {
    if path == "-" || base.as_os_str().is_empty() || base == Path::new(".") || Path::new(path).is_absolute() {
        return path.to_string();
    }
    let joined: PathBuf = base.join(path);
    joined.to_string_lossy().into_owned()
}
