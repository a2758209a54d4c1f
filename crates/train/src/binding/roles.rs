//! The lines between the braces of `data "f.csv" { … }`: which column is for what.

use crate::binding::args::whole;
use crate::binding::marks::Marks;
use nnc_data::{ColumnName, Columns, Kind, Missing, Role, RoleSpec, Scaling, Schema, Tokens, Unit, Unknown};
use nnc_model::data::{Literal, Part, PortDecl};
use nnc_model::suggest::nearest;
use nnc_model::{Ports, Spec};
use nnc_syntax::ast::{Row, Word, WordKind};
use nnc_syntax::{Code, Diagnostic, Span};

/// Words that begin a line.
pub(crate) const ROLES: [(&str, Role); 4] =
    [("input", Role::Input), ("target", Role::Target), ("weight", Role::Weight), ("drop", Role::Drop)];

/// Words that say what is done with the columns of a line.
pub(crate) const WORDS: [&str; 12] = [
    "standardize",
    "minmax",
    "log",
    "one_hot",
    "category",
    "number",
    "date",
    "words",
    "characters",
    "bytes",
    "indicator",
    "sequence",
];

/// Options with a value.
pub(crate) const KEYS: [&str; 6] = ["scale", "missing", "unknown", "order", "vocabulary", "length"];

/// Whether a word means something in a line of columns, so that a column of that name stands in quotes.
pub(crate) fn is_word(word: &str) -> bool {
    word == "rest" || WORDS.contains(&word) || ROLES.iter().any(|(role, _)| *role == word)
}

/// The lines of a program's training data.
pub(crate) fn lines(spec: &Spec) -> &[Row<Literal>] {
    let mut train = spec.data.iter().filter(|d| d.part == Part::Train);
    train.find(|d| !d.roles().is_empty()).map_or(&[], |d| d.roles())
}

/// The roles of some lines. A line whose columns are ports of their own in part becomes two.
pub(crate) fn roles(
    lines: &[Row<Literal>],
    ports: &[PortDecl],
    marks: &mut Marks,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<RoleSpec> {
    let mut out = Vec::new();
    for line in lines {
        match Line::read(line, marks) {
            Ok(role) => out.extend(own_ports(role, ports)),
            Err(d) => diagnostics.push(*d),
        }
    }
    out
}

/// Splits off the columns that an `input NAME` or `target NAME` asks for.
fn own_ports(role: RoleSpec, ports: &[PortDecl]) -> Vec<RoleSpec> {
    let target = match role.role {
        Role::Input => false,
        Role::Target => true,
        Role::Weight | Role::Drop => return vec![role],
    };
    let Columns::Names(names) = &role.columns else { return vec![role] };
    if names.is_empty() {
        return vec![role]; // `target none`
    }
    let asked = |c: &ColumnName| ports.iter().any(|p| p.target == target && p.name == c.name);
    let (own, joined): (Vec<_>, Vec<_>) = names.iter().cloned().partition(asked);
    let part = |names: Vec<ColumnName>, own_port| {
        (!names.is_empty()).then(|| RoleSpec { columns: Columns::Names(names), own_port, ..role.clone() })
    };
    [part(own, true), part(joined, false)].into_iter().flatten().collect()
}

/// A port that is one column, which the program names, goes by that name: after `{ input t }` it is `t`, and
/// `input` all the same.
pub(crate) fn name_after_columns(ports: &mut Ports, schema: &Schema, spec: &Spec) {
    let lines = lines(spec);
    for (word, role) in [("input", Role::Input), ("target", Role::Target)] {
        let (side, other) = match role {
            Role::Target => (&mut ports.targets, &ports.inputs),
            _ => (&mut ports.inputs, &ports.targets),
        };
        let [port] = &mut side[..] else { continue };
        let mut columns = schema.columns.iter().filter(|c| c.role == role);
        let (Some(column), None) = (columns.next(), columns.next()) else { continue };
        let said = |line: &Row<Literal>| {
            let is = |word: &Word<Literal>, wanted: &str| match &word.kind {
                WordKind::Name { name, value } => value.is_none() && name.text == wanted,
                WordKind::Text(text) => text == wanted,
                WordKind::Number(_) => false,
            };
            line.words.first().is_some_and(|w| is(w, word))
                && line.words[1..].iter().any(|w| is(w, &column.name))
        };
        // A series may be what goes in and what comes out.
        let taken = other.iter().any(|p| p.name == column.name)
            || schema.columns.iter().any(|c| {
                c.role != role && matches!(c.role, Role::Input | Role::Target) && c.name == column.name
            });
        if port.name == word && !taken && lines.iter().any(said) {
            port.name.clone_from(&column.name);
        }
    }
}

struct Line<'a> {
    role: RoleSpec,
    names: Vec<ColumnName>,
    rest: bool,
    /// `target none`
    none: bool,
    encoded: bool,
    /// `vocabulary=5000` and `length=200`, with their places.
    sizes: [Option<(usize, Span)>; 2],
    marks: &'a mut Marks,
}

impl Line<'_> {
    fn read(decl: &Row<Literal>, marks: &mut Marks) -> Result<RoleSpec, Box<Diagnostic>> {
        let kinds: Vec<&str> = ROLES.iter().map(|(word, _)| *word).collect();
        let (first, words) = match decl.words.split_first() {
            Some((Word { kind: WordKind::Name { name, value: None }, span }, words)) => {
                let word = &name.text;
                match ROLES.iter().find(|(w, _)| w == word) {
                    Some((_, role)) => (*role, words),
                    None => {
                        let label =
                            nearest(word, &kinds).map_or(String::new(), |n| format!("did you mean `{n}`?"));
                        let d = Diagnostic::error(
                            Code::N0507,
                            format!("a line of columns does not begin with `{word}`"),
                        );
                        return Err(Box::new(d.label(*span, label).help(example())));
                    }
                }
            }
            _ => {
                let d = Diagnostic::error(Code::N0507, "a line of columns begins with what they are for");
                return Err(Box::new(d.label(decl.span, "").help(example())));
            }
        };
        if let Some(word) = decl.to.iter().flatten().next() {
            let d = Diagnostic::error(Code::N0507, "a line of columns has no `->`");
            return Err(Box::new(d.label(word.span, "give this a line of its own").help(example())));
        }
        let mut role = RoleSpec::rest(first);
        role.handle = marks.mark(decl.span);
        let mut line = Line {
            role,
            names: Vec::new(),
            rest: false,
            none: false,
            encoded: false,
            sizes: [None; 2],
            marks,
        };
        for word in words {
            line.word(word)?;
        }
        line.finish(decl)
    }

    fn finish(self, decl: &Row<Literal>) -> Result<RoleSpec, Box<Diagnostic>> {
        let problem = match (self.rest, self.names.is_empty()) {
            _ if self.none && (self.rest || self.encoded || !self.names.is_empty()) => {
                "`target none` says that there is no target; a column called so stands in quotes"
            }
            _ if self.none => "",
            (true, false) => "`rest` is every column no line names; it stands alone",
            (false, true) => "this line names no column",
            _ => "",
        };
        if !problem.is_empty() {
            let d = Diagnostic::error(Code::N0507, problem).label(decl.span, "");
            return Err(Box::new(d.help(example())));
        }
        let mut kind = self.role.kind;
        match (&mut kind, self.sizes) {
            (Kind::Tokens(tokens), [vocabulary, length]) => {
                (tokens.vocabulary, tokens.length) = (vocabulary.map(|v| v.0), length.map(|l| l.0));
                if let (Unit::Bytes, Some((_, span))) = (tokens.unit, vocabulary) {
                    let d = Diagnostic::error(
                        Code::N0510,
                        "bytes have 257 classes, and `vocabulary` has no effect",
                    );
                    return Err(Box::new(d.label(span, "").help("leave it out")));
                }
            }
            (_, [None, None]) => {}
            (_, [vocabulary, length]) => {
                let (word, at) = match (vocabulary, length) {
                    (Some((_, span)), _) => ("vocabulary", span),
                    (None, Some((_, span))) => ("length", span),
                    (None, None) => ("length", decl.span),
                };
                let message = format!("`{word}` is about a text, and nothing says what it is cut into");
                let d = Diagnostic::error(Code::N0510, message).label(at, "");
                return Err(Box::new(
                    d.help("input review words vocabulary=5000 length=200\nor `characters`, or `bytes`"),
                ));
            }
        }
        let columns = if self.rest { Columns::Rest } else { Columns::Names(self.names) };
        Ok(RoleSpec { columns, kind, ..self.role })
    }

    fn word(&mut self, written: &Word<Literal>) -> Result<(), Box<Diagnostic>> {
        let word = match &written.kind {
            WordKind::Name { name, value: Some(value) } => {
                return self.option(&name.text, value, written.span);
            }
            WordKind::Name { name, value: None } => name.text.as_str(),
            WordKind::Text(name) => return self.column(name, written.span),
            WordKind::Number(_) => {
                let message = "a column that is not called by a name stands in quotes";
                let d = Diagnostic::error(Code::N0507, message).label(written.span, "");
                return Err(Box::new(d.help("input \"2024\"")));
            }
        };
        match word {
            "rest" => {
                self.rest = true;
                Ok(())
            }
            "none" if self.role.role == Role::Target && self.names.is_empty() => {
                self.none = true;
                Ok(())
            }
            // What comes first is a column, whatever it is called: `drop date`, `input date date`.
            _ if WORDS.contains(&word) && !self.is_column() => {
                self.encoded = true;
                self.encoding(word);
                Ok(())
            }
            _ if self.encoded => {
                let near = nearest(word, &WORDS);
                let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
                let d = Diagnostic::error(
                    Code::N0510,
                    format!("`{word}` is nothing that can be done with a column"),
                );
                let d = d
                    .label(written.span, label)
                    .help(format!("columns come first, then {}", WORDS.join(", ")))
                    .help("a column of such a name that is not the first stands in quotes: input price \"date\"");
                Err(Box::new(d))
            }
            _ => self.column(word, written.span),
        }
    }

    fn column(&mut self, name: &str, span: Span) -> Result<(), Box<Diagnostic>> {
        let handle = self.marks.mark(span);
        self.names.push(ColumnName::new(name, handle));
        Ok(())
    }

    /// Whether a word names a column wherever it may: the first of a line does, and all that are dropped.
    fn is_column(&self) -> bool {
        self.names.is_empty() && !self.rest || self.role.role == Role::Drop
    }

    fn encoding(&mut self, word: &str) {
        match word {
            "standardize" => self.role.scaling.push(Scaling::Standardize),
            "minmax" => self.role.scaling.push(Scaling::MinMax),
            "log" => self.role.scaling.push(Scaling::Log),
            "one_hot" => self.role.kind = Kind::OneHot,
            "category" => self.role.kind = Kind::Category,
            "number" => self.role.kind = Kind::Number,
            "date" => self.role.kind = Kind::Date,
            "words" => self.role.kind = Kind::Tokens(Tokens::new(Unit::Words)),
            "characters" => self.role.kind = Kind::Tokens(Tokens::new(Unit::Characters)),
            "sequence" => self.role.sequence = true,
            "bytes" => self.role.kind = Kind::Tokens(Tokens::new(Unit::Bytes)),
            _ => self.role.indicator = true,
        }
    }

    fn option(&mut self, key: &str, value: &Literal, span: Span) -> Result<(), Box<Diagnostic>> {
        self.encoded = true;
        if self.role.role == Role::Drop {
            let d = Diagnostic::error(
                Code::N0510,
                format!("what is dropped is not read, so `{key}` has no effect"),
            );
            return Err(Box::new(d.label(span, "").help("leave it out")));
        }
        match (key, value) {
            ("scale", Literal::Number(by)) => self.role.scaling.push(Scaling::Scale(*by)),
            ("missing", Literal::Number(x)) => self.role.missing = Some(Missing::Number(*x)),
            ("missing", Literal::Text(text)) => self.role.missing = Some(Missing::Text(text.clone())),
            ("missing", Literal::Word(word)) => {
                self.role.missing = Some(match word.as_str() {
                    "mean" => Missing::Mean,
                    "median" => Missing::Median,
                    "mode" => Missing::Mode,
                    "drop" => Missing::Drop,
                    _ => {
                        let near = nearest(word, &["mean", "median", "mode", "drop"]);
                        let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
                        let d = Diagnostic::error(Code::N0510, format!("`missing={word}` is no rule"));
                        let d = d.label(span, label);
                        return Err(Box::new(
                            d.help("missing=mean, median, mode, drop, a number, or \"a word\""),
                        ));
                    }
                });
            }
            ("unknown", Literal::Word(word)) if word == "other" => self.role.unknown = Unknown::Bucket,
            ("order", Literal::List(items)) if items.len() > 1 => {
                let name = |item: &Literal| match item {
                    Literal::Word(text) | Literal::Text(text) => Some(text.clone()),
                    Literal::Number(x) => Some(x.to_string()),
                    Literal::Bool(b) => Some(if *b { "yes" } else { "no" }.to_string()),
                    Literal::Size(_) | Literal::List(_) | Literal::Range(..) => None,
                };
                let Some(names) = items.iter().map(name).collect::<Option<Vec<String>>>() else {
                    return Err(wrong(span, "`order` is a list of categories", "order=[low, middle, high]"));
                };
                if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
                    let d = Diagnostic::error(Code::N0510, format!("`order` has `{}` twice", names[i]));
                    return Err(Box::new(d.label(span, "each category has one place")));
                }
                if self.role.kind == Kind::Auto {
                    self.role.kind = Kind::Category;
                }
                self.role.order = names;
            }
            ("category", value) => {
                let message = "`category` stands alone; `order` says in which order categories are";
                let example = match value {
                    Literal::List(items) if !items.is_empty() => {
                        format!("order=[{}]", items.iter().map(written).collect::<Vec<_>>().join(", "))
                    }
                    _ => "order=[low, middle, high]".to_string(),
                };
                return Err(wrong(span, message, &example));
            }
            ("order", _) => {
                return Err(wrong(span, "`order` is a list of categories", "order=[low, middle, high]"));
            }
            ("vocabulary" | "length", value) => {
                // Classes are kept as 16 bits, and two of them are no tokens.
                let (least, most) = if key == "vocabulary" { (3, 1 << 16) } else { (1, 1 << 24) };
                let Some(n) = whole(value).filter(|n| (least..=most).contains(n)) else {
                    let message = format!("`{key}` is a whole number from {least} to {most}");
                    return Err(wrong(span, &message, "input review words vocabulary=5000 length=200"));
                };
                self.sizes[usize::from(key == "length")] = Some((n, span));
            }
            ("scale", _) => return Err(wrong(span, "`scale` is a number to divide by", "scale=1000")),
            ("missing", _) => return Err(wrong(span, "`missing` is a rule or a number", "missing=mean")),
            ("unknown", _) => return Err(wrong(span, "`unknown` knows one rule", "unknown=other")),
            _ => {
                let label = nearest(key, &KEYS).map_or(String::new(), |n| format!("did you mean `{n}`?"));
                let d = Diagnostic::error(Code::N0510, format!("a column has no option `{key}`"));
                return Err(Box::new(d.label(span, label).help(format!("options are {}", KEYS.join(", ")))));
            }
        }
        Ok(())
    }
}

/// A value as it stands in a list.
fn written(value: &Literal) -> String {
    match value {
        Literal::Word(word) => word.clone(),
        Literal::Text(text) => format!("\"{text}\""),
        Literal::Number(x) => x.to_string(),
        Literal::Bool(b) => if *b { "yes" } else { "no" }.to_string(),
        Literal::Size(_) | Literal::List(_) | Literal::Range(..) => "…".to_string(),
    }
}

fn wrong(span: Span, message: &str, example: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(Code::N0510, message).label(span, "").help(format!("for example: {example}")))
}

fn example() -> &'static str {
    "input area rooms standardize missing=mean\ntarget price scale=1000\ndrop id\ninput rest"
}
