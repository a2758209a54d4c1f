//! Rows of a file in C: from numbers and texts to what the network sees, and from what it says to answers.

use super::{Parts, brackets};
use crate::names::{Names, comment, literal};
use crate::package::{Answer, Column, Encoding, Input, Package, Step};
use nnc_graph::DType;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What was written.
pub(crate) struct Rows {
    /// The part of the header.
    pub(crate) header: String,
    /// The part of the source.
    pub(crate) source: String,
    /// Numbers of working memory of all.
    pub(crate) work: usize,
    /// The functions that it calls.
    pub(crate) helpers: BTreeSet<&'static str>,
    /// Whether it calls math.h.
    pub(crate) math: bool,
}

struct Writer<'a> {
    prefix: &'a str,
    out: Rows,
    own: bool,
}

/// Writes the types of rows and answers and the function from one to the other; the network has `run` numbers of
/// working memory.
pub(crate) fn rows(
    package: &Package,
    prefix: &str,
    parts: &Parts,
    run: usize,
    random: bool,
    own: bool,
) -> Rows {
    let out = Rows {
        header: String::new(),
        source: String::new(),
        work: run,
        helpers: BTreeSet::new(),
        math: false,
    };
    let mut w = Writer { prefix, out, own };
    w.vocabularies(package, parts);
    let (row, encode) = w.row(package, parts);
    let (answer, decode) = w.answer(package, parts);
    let (seed, pass) = if random { (", uint64_t seed, uint64_t step", "seed, step, ") } else { ("", "") };
    let header = &mut w.out.header;
    let _ = write!(header, "/* A row of the file. */\ntypedef struct {{\n{row}}} {prefix}_row;\n\n");
    let _ = write!(
        header,
        "/* What the model says of it. */\ntypedef struct {{\n{answer}}} {prefix}_answer;\n\n"
    );
    let _ = writeln!(
        header,
        "/* Answers a row: 0, or the number (from 1) of the member of the row that it cannot read, because it is\n   missing and no rule says what stands in, or because training never saw it. */"
    );
    let signature =
        format!("int {prefix}_predict(const {prefix}_row *row, {prefix}_answer *answer{seed}, NUMBER *work)");
    let real = if package.graph.float == DType::F64 { "double" } else { "float" };
    let _ = writeln!(header, "{};", signature.replace("NUMBER", real));

    let mut body = String::new();
    let mut at = run.next_multiple_of(4);
    let sizes = package.inputs.iter().map(|i| &i.shape).chain(package.answers.iter().map(|a| &a.shape));
    let names: Vec<&String> = parts.inputs.iter().chain(&parts.outputs).collect();
    for (name, shape) in names.iter().zip(sizes) {
        let _ = writeln!(body, "    real *const {name} = work + {at};");
        at += shape.iter().product::<usize>().next_multiple_of(4);
    }
    w.out.work = at;
    let arguments: String = names.iter().map(|n| format!("{n}, ")).collect();
    let own = signature.replace("NUMBER", "real");
    let _ = write!(
        w.out.source,
        "{own}\n{{\n{body}{encode}    {prefix}_run({arguments}{pass}work);\n{decode}    return 0;\n}}\n"
    );
    w.out
}

impl Writer<'_> {
    /// The names of what inputs and outputs are numbers of: characters, words.
    fn vocabularies(&mut self, package: &Package, parts: &Parts) {
        let inputs = package.inputs.iter().zip(&parts.inputs).map(|(i, name)| (&i.classes, name));
        let outputs = package.answers.iter().zip(&parts.outputs).map(|(a, name)| (&a.steps, name));
        for (classes, name) in inputs.chain(outputs) {
            let Some(classes) = classes else { continue };
            let list = format!("const char *const {}_{name}_classes[{}]", self.prefix, classes.len().max(1));
            let _ =
                writeln!(self.out.header, "/* What the numbers of {name} stand for. */\nextern {list};\n");
            let texts: Vec<String> = classes.iter().map(|c| format!("    {},\n", literal(c))).collect();
            let _ = writeln!(self.out.source, "{list} = {{\n{}}};\n", texts.concat());
        }
    }

    /// The members of a row, and the code that encodes them.
    fn row(&mut self, package: &Package, parts: &Parts) -> (String, String) {
        let mut names = Names::default();
        let (mut members, mut code) = (String::new(), String::new());
        let mut number = 0;
        // A column may be in several inputs.
        let mut known: Vec<(String, Option<String>, String, usize)> = Vec::new();
        for (input, array) in package.inputs.iter().zip(&parts.inputs) {
            if input.columns.is_empty() {
                number += 1;
                let name = names.free(&input.name);
                let size: usize = input.shape.iter().product();
                let real = if package.graph.float == DType::F64 { "double" } else { "float" };
                let _ = writeln!(
                    members,
                    "    const {real} *{name}; /* {number}: {}{} */",
                    comment(&input.what),
                    brackets(&input.shape)
                );
                let _ = writeln!(code, "    for (int i = 0; i < {size}; i++) {array}[i] = row->{name}[i];");
                continue;
            }
            let (lines, width) = (input.rows.unwrap_or(1), row_width(input));
            for column in &input.columns {
                let key = (column.name.clone(), column.part.clone());
                let seen = known.iter().find(|k| (k.0.as_str(), &k.1) == (key.0.as_str(), &key.1));
                let (member, place) = match seen {
                    Some((_, _, member, place)) => (member.clone(), *place),
                    None => {
                        number += 1;
                        let label = match &column.part {
                            Some(part) => format!("{} {part}", column.name),
                            None => column.name.clone(),
                        };
                        let member = names.free(&label);
                        known.push((key.0, key.1, member.clone(), number));
                        members.push_str(&declaration(column, input, &member, number));
                        (member, number)
                    }
                };
                self.column(&mut code, column, input, array, &member, place, (lines, width));
            }
        }
        (members, code)
    }

    /// Code that encodes a column.
    #[allow(clippy::too_many_arguments, reason = "the places of one value")]
    fn column(
        &mut self,
        code: &mut String,
        column: &Column,
        input: &Input,
        array: &str,
        member: &str,
        number: usize,
        (lines, width): (usize, usize),
    ) {
        let several = input.rows.is_some();
        let mut pad = "    ".to_string();
        let (cell, base) = match several {
            true => {
                let _ = writeln!(code, "{pad}for (int t = 0; t < {lines}; t++) {{");
                pad.push_str("    ");
                (format!("row->{member}[t]"), format!("t * {width} + {}", column.offset))
            }
            false => (format!("row->{member}"), column.offset.to_string()),
        };
        let slot = |i: usize| match (several, i) {
            (_, 0) => format!("{array}[{base}]"),
            (true, i) => format!("{array}[{base} + {i}]"),
            (false, i) => format!("{array}[{}]", column.offset + i),
        };
        match &column.encoding {
            Encoding::Number { steps, fill, indicator } => {
                let _ = writeln!(code, "{pad}{{");
                let _ = writeln!(code, "{pad}    double x = {cell};");
                if *indicator {
                    let _ = writeln!(code, "{pad}    {} = x != x ? 1 : 0;", slot(1));
                }
                match fill {
                    Some(fill) => {
                        let _ = writeln!(code, "{pad}    if (x != x) x = {};", wide(*fill));
                    }
                    None => {
                        let _ = writeln!(code, "{pad}    if (x != x) return {number};");
                    }
                }
                for step in steps {
                    let _ = writeln!(code, "{pad}    x = {};", self.step(*step, "x"));
                }
                let _ = writeln!(code, "{pad}    if (x - x != 0) return {number};");
                let _ = writeln!(code, "{pad}    {} = (real)x;\n{pad}}}", slot(0));
            }
            Encoding::OneHot { classes, other, fill, indicator } => {
                let list = self.classes(member, classes);
                let _ = writeln!(code, "{pad}{{");
                let _ = writeln!(
                    code,
                    "{pad}    const int place = {}({cell}, {list}, {}, {}, {});",
                    self.find(),
                    classes.len(),
                    or_none(*other),
                    or_none(*fill)
                );
                let _ = writeln!(code, "{pad}    if (place < 0) return {number};");
                let _ = writeln!(
                    code,
                    "{pad}    for (int i = 0; i < {}; i++) {array}[{base} + i] = i == place ? 1 : 0;",
                    classes.len()
                );
                if *indicator {
                    let missing = self.missing();
                    let _ = writeln!(code, "{pad}    {} = {missing}({cell}) ? 1 : 0;", slot(classes.len()));
                }
                let _ = writeln!(code, "{pad}}}");
            }
            Encoding::Class { classes, other, fill } => {
                let list = self.classes(member, classes);
                let _ = writeln!(code, "{pad}{{");
                let _ = writeln!(
                    code,
                    "{pad}    const int place = {}({cell}, {list}, {}, {}, {});",
                    self.find(),
                    classes.len(),
                    or_none(*other),
                    or_none(*fill)
                );
                let _ = writeln!(code, "{pad}    if (place < 0) return {number};");
                let _ = writeln!(code, "{pad}    {} = (real)place;\n{pad}}}", slot(0));
            }
            Encoding::Tensor { steps } => {
                let size: usize = input.shape.iter().product();
                let _ = writeln!(code, "{pad}for (int i = 0; i < {size}; i++) {{");
                let _ = writeln!(code, "{pad}    double x = row->{member}[i];");
                for step in steps {
                    let _ = writeln!(code, "{pad}    x = {};", self.step(*step, "x"));
                }
                let _ = writeln!(code, "{pad}    if (x - x != 0) return {number};");
                let _ = writeln!(code, "{pad}    {array}[i] = (real)x;\n{pad}}}");
            }
        }
        if several {
            let _ = writeln!(code, "    }}");
        }
    }

    /// The members of an answer, and the code that makes them.
    fn answer(&mut self, package: &Package, parts: &Parts) -> (String, String) {
        let mut names = Names::default();
        let (mut members, mut code) = (String::new(), String::new());
        for (answer, array) in package.answers.iter().zip(&parts.outputs) {
            let name = names.free(&answer.name);
            let size: usize = answer.shape.iter().product();
            let what =
                if answer.scaling.iter().all(Vec::is_empty) { "" } else { " /* in the units of the file */" };
            let _ = writeln!(members, "    double {name}{};{what}", brackets(&answer.shape));
            let target = match &answer.shape[..] {
                [] => format!("&answer->{name}"),
                shape => format!("&answer->{name}{}", "[0]".repeat(shape.len())),
            };
            let _ = writeln!(code, "    {{\n        double *const to = {target};");
            let _ = writeln!(code, "        for (int i = 0; i < {size}; i++) to[i] = (double){array}[i];");
            for (first, last, steps) in runs(answer) {
                let _ = writeln!(
                    code,
                    "        for (int i = {first}; i < {last}; i++) {{\n            double x = to[i];"
                );
                for step in steps.iter().rev() {
                    let back = match *step {
                        Step::Shift { minus, over } => format!("x * {} + {}", wide(over), wide(minus)),
                        Step::Log => self.exponential("x"),
                    };
                    let _ = writeln!(code, "            x = {back};");
                }
                let _ = writeln!(code, "            to[i] = x;\n        }}");
            }
            if let Some(classes) = &answer.classes {
                let (class, text) =
                    (names.free(&format!("{name}_class")), names.free(&format!("{name}_name")));
                let list = self.classes(&format!("{name}_names"), classes);
                let _ =
                    writeln!(members, "    int {class}; /* from 0 to {} */", classes.len().saturating_sub(1));
                let _ = writeln!(members, "    const char *{text};");
                match size {
                    1 => {
                        let _ = writeln!(code, "        answer->{class} = to[0] > 0.5 ? 1 : 0;");
                    }
                    _ => {
                        let _ = writeln!(code, "        answer->{class} = 0;");
                        let _ = writeln!(
                            code,
                            "        for (int i = 1; i < {size}; i++)\n            if (to[i] > to[answer->{class}]) answer->{class} = i;"
                        );
                    }
                }
                let _ = writeln!(code, "        answer->{text} = {list}[answer->{class}];");
            }
            code.push_str("    }\n");
        }
        (members, code)
    }

    /// A list of classes, written once.
    fn classes(&mut self, name: &str, classes: &[String]) -> String {
        let list = format!("{}_of_{name}", self.prefix);
        let head = format!("static const char *const {list}[{}]", classes.len().max(1));
        if !self.out.source.contains(&head) {
            let texts: Vec<String> = classes.iter().map(|c| format!("    {},\n", literal(c))).collect();
            self.out.source.insert_str(0, &format!("{head} = {{\n{}}};\n\n", texts.concat()));
        }
        list
    }

    fn find(&mut self) -> &'static str {
        const FIND: &str = "\
/* The place of a text in a list; -1 where there is none. */
static int nn_find(const char *text, const char *const *list, int count, int other, int missing)
{
    if (text == 0 || text[0] == 0) return missing;
    for (int i = 0; i < count; i++) {
        const char *a = text, *b = list[i];
        while (*a && *a == *b) a++, b++;
        if (*a == *b) return i;
    }
    return other;
}

";
        if !self.out.source.contains("static int nn_find") {
            self.out.source.insert_str(0, FIND);
        }
        "nn_find"
    }

    fn missing(&mut self) -> &'static str {
        const MISSING: &str =
            "static int nn_missing(const char *text) { return text == 0 || text[0] == 0; }\n\n";
        if !self.out.source.contains("nn_missing(const") {
            self.out.source.insert_str(0, MISSING);
        }
        "nn_missing"
    }

    fn step(&mut self, step: Step, x: &str) -> String {
        match step {
            Step::Shift { minus, over } => format!("({x} - {}) / {}", wide(minus), wide(over)),
            Step::Log if self.own => {
                self.out.helpers.insert("wide_log");
                format!("nn_wide_log({x})")
            }
            Step::Log => {
                self.out.math = true;
                format!("log({x})")
            }
        }
    }

    fn exponential(&mut self, x: &str) -> String {
        if self.own {
            self.out.helpers.insert("wide_exp");
            return format!("nn_wide_exp({x})");
        }
        self.out.math = true;
        format!("exp({x})")
    }
}

fn or_none(place: Option<usize>) -> String {
    place.map_or("-1".into(), |p| p.to_string())
}

/// A number in double precision.
fn wide(x: f64) -> String {
    if x < 0.0 { format!("({x:?})") } else { format!("{x:?}") }
}

/// Numbers of a row of the file in an input.
fn row_width(input: &Input) -> usize {
    let size: usize = input.shape.iter().product();
    size / input.rows.unwrap_or(1).max(1)
}

/// A member of a row.
fn declaration(column: &Column, input: &Input, member: &str, number: usize) -> String {
    let several = input.rows.map(|n| format!("[{n}]")).unwrap_or_default();
    let told = match (&column.part, comment(&column.name)) {
        (Some(part), name) if part == "weekday" => format!("weekday of `{name}`, from 0 for Monday"),
        (Some(part), name) => format!("{} of `{name}`", comment(part)),
        (None, name) => format!("`{name}`"),
    };
    let (kind, rule) = match &column.encoding {
        Encoding::Number { fill, .. } => {
            let rule = match fill {
                Some(fill) => format!("NaN where missing: counts as {fill}"),
                None => "is never missing".into(),
            };
            (format!("double {member}{several};"), rule)
        }
        Encoding::OneHot { classes, other, fill, .. } | Encoding::Class { classes, other, fill } => {
            let name = |k: usize| classes.get(k).map_or(String::new(), |c| format!("`{}`", comment(c)));
            let missing = match fill {
                Some(k) => format!("NULL or \"\" where missing: counts as {}", name(*k)),
                None => "is never missing".into(),
            };
            let other = match other {
                Some(k) => format!("others count as {}", name(*k)),
                None => "no others".into(),
            };
            let shown: Vec<String> = (0..classes.len().min(8)).map(name).collect();
            let more =
                if classes.len() > 8 { format!(" and {} more", classes.len() - 8) } else { String::new() };
            (
                format!("const char *{member}{several};"),
                format!("{}{more}; {other}; {missing}", shown.join(", ")),
            )
        }
        Encoding::Tensor { .. } => {
            (format!("const float *{member};"), format!("{}{}", comment(&input.what), brackets(&input.shape)))
        }
    };
    format!("    {kind} /* {number}: {told}; {rule} */\n")
}

/// Places of an answer with the same scaling, side by side.
fn runs(answer: &Answer) -> Vec<(usize, usize, &[Step])> {
    let mut out: Vec<(usize, usize, &[Step])> = Vec::new();
    for (i, steps) in answer.scaling.iter().enumerate() {
        match out.last_mut() {
            Some((_, end, same)) if *end == i && *same == steps.as_slice() => *end = i + 1,
            _ => out.push((i, i + 1, steps)),
        }
    }
    out.retain(|(_, _, steps)| !steps.is_empty());
    out
}
