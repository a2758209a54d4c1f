//! ARFF, Weka's format: what each column is stands above the rows.

use std::io::{self, BufReader, Read};

use super::MAX_COLUMNS;
use super::lines::{Columns, Lines, Turned, Turning, put_cell, read_line};
use crate::fault::{Fault, Place, Told, codes};
use crate::missing::is_missing;
use crate::raw::Declared;
use crate::source::number::{self, Digits};

/// Whether a text begins as such a file: with comments, and `@relation` or
/// `@attribute`.
pub(super) fn begins(text: &[u8]) -> bool {
    let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.find(|l| !l.is_empty() && l[0] != b'%').unwrap_or_default();
    let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    word.eq_ignore_ascii_case(b"@relation") || word.eq_ignore_ascii_case(b"@attribute")
}

/// An `@attribute`.
struct Attribute {
    name: String,
    declared: Declared,
    line: u64,
}

/// Reads as far as `@data`.
pub(super) fn open(reader: Box<dyn Read + Send>) -> io::Result<Turned> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let (mut line, mut at, mut attributes) = (Vec::new(), 0, Vec::new());
    loop {
        if !read_line(&mut reader, &mut line, at + 1)? {
            return Err(told(at, "the file ends here, and has no `@data`", "its rows stand under `@data`"));
        }
        at += 1;
        let text = std::str::from_utf8(&line).map_err(|_| {
            told(at, "this line is not UTF-8", "data \"…\" encoding=\"latin1\", if it is written so")
        })?;
        let text = text.trim();
        if text.is_empty() || text.starts_with('%') {
            continue;
        }
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match word.to_ascii_lowercase().as_str() {
            "@relation" => {}
            "@attribute" if attributes.len() == MAX_COLUMNS => {
                return Err(told(at, &format!("at most {MAX_COLUMNS} columns are read"), "leave some out"));
            }
            "@attribute" => attributes.push(attribute(rest, at)?),
            "@data" => break,
            _ => {
                let help = "above `@data` stand `@relation`, `@attribute` and comments with `%`";
                return Err(told(at, &format!("`{word}` means nothing here"), help));
            }
        }
    }
    if attributes.is_empty() {
        return Err(told(at, "no `@attribute` stands above `@data`", "@attribute age numeric"));
    }
    let names: Vec<String> = attributes.iter().map(|a| a.name.clone()).collect();
    let declared = attributes.iter().map(|a| a.declared.clone()).collect();
    let lists = vec![None; names.len()];
    let rows = Rows { reader, line: Vec::new(), at, attributes, cells: Vec::new() };
    let reader = Box::new(Turning::new(&names, rows));
    let why = "ARFF: the columns are its attributes";
    Ok(Turned { reader, line: at, columns: Columns { names, declared, lists, why } })
}

fn told(line: u64, message: &str, help: &str) -> io::Error {
    let place = Place { line: Some(line), ..Place::default() };
    Told::error(Fault::new(codes::DAMAGED, message).place(place).help(help))
}

/// A name and what it holds.
fn attribute(text: &str, line: u64) -> io::Result<Attribute> {
    let help = "@attribute age numeric, or @attribute kind {red, green, 'dark blue'}";
    let wrong = |why: &str| told(line, why, help);
    let text = text.trim_start();
    let (name, rest) = match text.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            unquote(text, quote).ok_or_else(|| wrong("a quote is opened here and never closed"))?
        }
        _ => {
            let end = text.find(|c: char| c.is_whitespace() || c == '{').unwrap_or(text.len());
            (text[..end].to_string(), &text[end..])
        }
    };
    if name.is_empty() {
        return Err(wrong("this `@attribute` has no name"));
    }
    let kind = rest.trim();
    if let Some(list) = kind.strip_prefix('{') {
        let Some(list) = list.trim_end().strip_suffix('}') else {
            return Err(wrong("the list of values is not closed by `}`"));
        };
        let mut values = Vec::new();
        for cell in cells(list).ok_or_else(|| wrong("a quote is opened here and never closed"))? {
            if values.contains(&cell.text) {
                return Err(wrong(&format!("the values of `{name}` have `{}` twice", cell.text)));
            }
            values.push(cell.text);
        }
        return Ok(Attribute { name, declared: Declared::Classes(values), line });
    }
    let word = kind.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let declared = match word.as_str() {
        "numeric" | "real" | "integer" => Declared::Number,
        "string" => Declared::Text,
        "date" => Declared::Date(order(kind)),
        "relational" => return Err(wrong(&format!("`{name}` is relational: a table within a table"))),
        "" => return Err(wrong(&format!("what `{name}` holds is not said"))),
        _ => return Err(wrong(&format!("`{word}` is nothing that `{name}` can hold"))),
    };
    Ok(Attribute { name, declared, line })
}

/// Whether the form behind `date` has the day before the month; `None` where
/// it has neither, or the month as a name.
fn order(kind: &str) -> Option<bool> {
    let form = kind.get("date".len()..)?;
    let (day, month) = (form.find('d')?, form.find('M')?);
    (!form[month..].starts_with("MMM")).then_some(day < month)
}

/// A text in quotes at the beginning of another, and what comes after it.
fn unquote(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((i, c)) = characters.next() {
        match c {
            '\\' => match characters.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                other => out.push(other),
            },
            c if c == quote => return Some((out, &text[i + c.len_utf8()..])),
            c => out.push(c),
        }
    }
    None
}

struct Cell {
    text: String,
    quoted: bool,
}

/// The cells of a line; `None` where a quote is never closed.
fn cells(line: &str) -> Option<Vec<Cell>> {
    let mut out = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let first = rest.chars().next();
        let (cell, after) = match first {
            Some(quote @ ('\'' | '"')) => {
                let (text, after) = unquote(rest, quote)?;
                let end = after.find(',').unwrap_or(after.len());
                (Cell { text: text + after[..end].trim_end(), quoted: true }, &after[end..])
            }
            _ => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cell { text: rest[..end].trim_end().to_string(), quoted: false }, &rest[end..])
            }
        };
        out.push(cell);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some(out),
        }
    }
}

/// The cells of a row that names the places of those which are not 0, from 0:
/// `{1 5.5, 3 red}`. Of a nominal attribute 0 is its first value.
fn sparse(text: &str, attributes: &[Attribute], at: u64) -> io::Result<Vec<Cell>> {
    let wrong = |why: &str| told(at, why, "a sparse row is {PLACE VALUE, PLACE VALUE}, with places from 0");
    let Some(pairs) = text.strip_suffix('}') else {
        let why = "this sparse row is not closed by `}`, or has a weight behind it, which is not read";
        return Err(wrong(why));
    };
    let mut values: Vec<Option<Cell>> = attributes.iter().map(|_| None).collect();
    let pairs = if pairs.trim().is_empty() {
        Vec::new()
    } else {
        torn(pairs).ok_or_else(|| wrong("a quote is opened here and never closed"))?
    };
    for pair in pairs {
        let (place, value) = pair.split_once(char::is_whitespace).unwrap_or((pair, ""));
        let Some(slot) = place.parse::<usize>().ok().and_then(|i| values.get_mut(i)) else {
            return Err(wrong(&format!(
                "`{place}` is no place of this row: it has 0 to {}",
                attributes.len() - 1
            )));
        };
        let one = cells(value).and_then(|mut all| if all.len() == 1 { all.pop() } else { None });
        let cell = one.ok_or_else(|| wrong(&format!("`{pair}` is no place with a value")))?;
        if slot.replace(cell).is_some() {
            return Err(wrong(&format!("place {place} stands here twice")));
        }
    }
    let fill = |(value, attribute): (Option<Cell>, &Attribute)| match (value, &attribute.declared) {
        (Some(cell), _) => Ok(cell),
        (None, Declared::Number) => Ok(Cell { text: "0".into(), quoted: false }),
        (None, Declared::Classes(values)) if !values.is_empty() => {
            Ok(Cell { text: values[0].clone(), quoted: true })
        }
        (None, _) => Err(wrong(&format!("`{}` is not given, and a text or a date has no 0", attribute.name))),
    };
    values.into_iter().zip(attributes).map(fill).collect()
}

/// A text cut at its commas outside of quotes; `None` where a quote is never
/// closed.
fn torn(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (i, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == ',' => {
                parts.push(text[begin..i].trim());
                begin = i + 1;
            }
            None => {}
        }
    }
    parts.push(text[begin..].trim());
    quote.is_none().then_some(parts)
}

/// The rows below `@data`.
struct Rows {
    reader: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    at: u64,
    attributes: Vec<Attribute>,
    cells: Vec<Cell>,
}

impl Rows {
    /// That a cell is what its column is declared to hold.
    fn check(&self, i: usize, cell: &Cell) -> io::Result<()> {
        let Some(attribute) = self.attributes.get(i) else { return Ok(()) };
        let (name, line) = (&attribute.name, attribute.line);
        let (message, help) = match &attribute.declared {
            Declared::Classes(values) if !values.contains(&cell.text) => (
                format!("`{}` is none of the values that line {line} gives `{name}`", cell.text),
                "correct the cell, or add the value to the list; `?` is a missing cell",
            ),
            Declared::Number
                if number::parse(cell.text.as_bytes(), Digits::default()).is_none()
                    && !is_missing(cell.text.as_bytes(), true) =>
            {
                (
                    format!("`{}` is not a number, and line {line} says that `{name}` is", cell.text),
                    "correct the cell; `?` is a missing one",
                )
            }
            _ => return Ok(()),
        };
        let place = Place {
            line: Some(self.at),
            column: Some(i + 1),
            column_name: Some(name.clone()),
            cell: Some(cell.text.clone()),
            ..Place::default()
        };
        Err(Told::error(Fault::new(codes::DAMAGED, message).place(place).help(help)))
    }
}

impl Lines for Rows {
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if !read_line(&mut self.reader, &mut self.line, self.at + 1)? {
            return Ok(false);
        }
        self.at += 1;
        let not_utf8 =
            || told(self.at, "this line is not UTF-8", "data \"…\" encoding=\"latin1\", if it is written so");
        let text = std::str::from_utf8(&self.line).map_err(|_| not_utf8())?.trim();
        if text.is_empty() || text.starts_with('%') {
            out.push(b'\n');
            return Ok(true);
        }
        let open =
            || told(self.at, "a quote is opened here and never closed", "a quote in a quoted text is \\'");
        self.cells = match text.strip_prefix('{') {
            Some(pairs) => sparse(pairs, &self.attributes, self.at)?,
            None => cells(text).ok_or_else(open)?,
        };
        if let Some(last) = self.cells.last()
            && !last.quoted
            && last.text.starts_with('{')
            && self.cells.len() == self.attributes.len() + 1
        {
            let help = "make it a column, and say so: weight NAME";
            return Err(told(self.at, "the weight of a row in braces is not read", help));
        }
        let single = self.cells.len() == 1;
        for (i, cell) in self.cells.iter().enumerate() {
            out.extend((i > 0).then_some(b','));
            if !cell.quoted && (cell.text == "?" || cell.text.is_empty()) {
                out.extend_from_slice(if single { b"\"\"" } else { b"" });
                continue;
            }
            self.check(i, cell)?;
            put_cell(out, cell.text.as_bytes(), true);
        }
        out.push(b'\n');
        Ok(true)
    }
}
