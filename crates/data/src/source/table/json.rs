//! JSON, one object a line, as lines of cells: the keys are the columns, and
//! those of objects within objects have dots: `user.age`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufReader, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::MAX_COLUMNS;
use super::lines::{Lines, put_cell, read_line};
use crate::fault::{Fault, Place, Told, codes};

/// What a key holds.
enum Value<'a> {
    Missing,
    /// A number, `true` or `false`, as it is written.
    Bare(&'a str),
    Text(Cow<'a, str>),
    /// A list, as it is written.
    List(&'a str),
}

/// An object with its keys in their order.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    all.push((Cow::Owned(key), value));
                }
                Ok(Object(all))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// Objects within objects deeper than this are no table.
const DEEPEST: usize = 32;

/// Every value of an object, with the names of its keys.
fn flatten<'a>(
    text: &'a str,
    prefix: &str,
    depth: usize,
    out: &mut impl FnMut(String, Value<'a>) -> Result<(), String>,
) -> Result<(), String> {
    let Object(pairs) = serde_json::from_str(text).map_err(|e| problem(&e))?;
    for (key, value) in pairs {
        let name = if prefix.is_empty() { key.into_owned() } else { format!("{prefix}.{key}") };
        let raw = value.get();
        match raw.as_bytes().first() {
            Some(b'{') if depth == DEEPEST => {
                return Err(format!("`{name}` lies in more than {DEEPEST} objects"));
            }
            Some(b'{') => flatten(raw, &name, depth + 1, out)?,
            Some(b'[') => out(name, Value::List(raw))?,
            Some(b'"') => {
                let text: String = serde_json::from_str(raw).map_err(|e| problem(&e))?;
                out(name, Value::Text(text.into()))?;
            }
            Some(b'n') => out(name, Value::Missing)?,
            _ => out(name, Value::Bare(raw))?,
        }
    }
    Ok(())
}

/// What a mistake in a line is, where in the line, and nothing of the line's
/// own number, which is another.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    match error.column() {
        0 => said.to_string(),
        column => format!("{said}, at character {column}"),
    }
}

/// The object of a line; `None` where the line is empty.
fn object(line: &[u8]) -> Result<Option<&str>, String> {
    let line = line.trim_ascii();
    match line.first() {
        None => Ok(None),
        Some(b'{') => std::str::from_utf8(line).map(Some).map_err(|_| "it is not UTF-8".to_string()),
        Some(_) => Err("an object begins with `{`".to_string()),
    }
}

fn told(line: u64, why: &str) -> io::Error {
    let fault = Fault::new(codes::DAMAGED, format!("this line is no object of JSON: {why}"))
        .place(Place { line: Some(line), ..Place::default() })
        .help("each line is one object: {\"a\": 1, \"b\": \"x\"}");
    Told::error(fault)
}

/// The keys of an object, as the names of columns; none where it is no object.
pub(super) fn names(text: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let _ = object(text).map(|text| {
        flatten(text.unwrap_or_default(), "", 0, &mut |name, _| {
            names.push(name);
            Ok(())
        })
    });
    names
}

/// The values of an object as cells, each where its key says; those of other keys are left away.
pub(super) fn cells(
    text: &[u8],
    index: &HashMap<String, usize>,
    width: usize,
) -> Result<Vec<Vec<u8>>, String> {
    let mut cells = vec![Vec::new(); width];
    let mut filled = vec![false; width];
    let text = object(text)?.ok_or("there is nothing")?;
    flatten(text, "", 0, &mut |name, value| {
        let Some(&at) = index.get(&name) else { return Ok(()) };
        if std::mem::replace(&mut filled[at], true) {
            return Err(format!("it has `{name}` twice"));
        }
        cells[at] = match value {
            Value::Missing => Vec::new(),
            Value::Bare(text) | Value::List(text) => text.as_bytes().to_vec(),
            Value::Text(text) => text.trim_ascii().as_bytes().to_vec(),
        };
        Ok(())
    })?;
    match filled.contains(&true) {
        true => Ok(cells),
        false => Err("it has none of the columns that the model reads".into()),
    }
}

/// The keys of a file.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) names: Vec<String>,
    /// For each the first line where it holds a list.
    pub(super) lists: Vec<Option<u64>>,
}

/// Reads a file once for its keys.
pub(super) fn keys(reader: impl Read) -> io::Result<Keys> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let (mut keys, mut index) = (Keys::default(), HashMap::<String, usize>::new());
    let (mut line, mut at) = (Vec::new(), 0);
    let (mut objects, mut of_columns) = (0, None);
    while read_line(&mut reader, &mut line, at + 1)? {
        at += 1;
        let read = object(&line).and_then(|text| {
            let Some(text) = text else { return Ok(()) };
            flatten(text, "", 0, &mut |name, value| {
                let i = match index.get(&name) {
                    Some(&i) => i,
                    None if keys.names.len() == MAX_COLUMNS => {
                        return Err(format!("with it the file has more than {MAX_COLUMNS} keys"));
                    }
                    None => {
                        index.insert(name.clone(), keys.names.len());
                        keys.names.push(name);
                        keys.lists.push(None);
                        keys.names.len() - 1
                    }
                };
                if matches!(value, Value::List(_)) {
                    keys.lists[i].get_or_insert(at);
                }
                Ok(())
            })
        });
        read.map_err(|why| told(at, &why))?;
        if objects == 0 && object(&line).is_ok_and(|t| t.is_some_and(is_of_columns)) {
            of_columns = Some(at);
        }
        objects += u64::from(!line.trim_ascii().is_empty());
    }
    match of_columns.filter(|_| objects == 1) {
        Some(at) => Err(Told::error(columnwise(at))),
        None => Ok(keys),
    }
}

/// Whether an object is a whole table, as pandas writes it: each key holds a
/// list, or an object with the numbers of the rows.
fn is_of_columns(text: &str) -> bool {
    let Ok(Object(pairs)) = serde_json::from_str(text) else { return false };
    let rows = |value: &RawValue| {
        let raw = value.get();
        match raw.as_bytes().first() {
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(raw).map_or(0, |list| list.len()),
            Some(b'{') => match serde_json::from_str(raw) {
                Ok(Object(rows)) if rows.iter().all(|(k, _)| k.bytes().all(|b| b.is_ascii_digit())) => {
                    rows.len()
                }
                _ => 0,
            },
            _ => 0,
        }
    };
    let mut counts = pairs.iter().map(|(_, value)| rows(value));
    let first = counts.next().unwrap_or(0);
    first > 1 && pairs.len() > 1 && counts.all(|n| n == first)
}

fn columnwise(line: u64) -> Fault {
    let fault =
        Fault::new(codes::DAMAGED, "this is one object of JSON that holds whole columns, and not one a row");
    fault.place(Place { line: Some(line), ..Place::default() }).help(
        "with pandas: pd.read_json(…).to_json(…, orient=\"records\", lines=True), or .to_csv(…, index=False)",
    )
}

/// Turns objects into lines of cells.
pub(super) struct Json<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    at: u64,
    /// Looked up only.
    index: HashMap<String, usize>,
    cells: Vec<Vec<u8>>,
    filled: Vec<bool>,
}

impl<R: Read> Json<R> {
    pub(super) fn new(reader: R, names: &[String]) -> Self {
        Self {
            reader: BufReader::with_capacity(1 << 16, reader),
            line: Vec::new(),
            at: 0,
            index: names.iter().cloned().zip(0..).collect(),
            cells: vec![Vec::new(); names.len()],
            filled: vec![false; names.len()],
        }
    }
}

impl<R: Read> Lines for Json<R> {
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if !read_line(&mut self.reader, &mut self.line, self.at + 1)? {
            return Ok(false);
        }
        self.at += 1;
        let Some(text) = object(&self.line).map_err(|why| told(self.at, &why))? else {
            out.push(b'\n');
            return Ok(true);
        };
        let (index, cells, filled) = (&self.index, &mut self.cells, &mut self.filled);
        cells.iter_mut().for_each(Vec::clear);
        filled.fill(false);
        let mut strange = None;
        let read = flatten(text, "", 0, &mut |name, value| {
            let Some(&i) = index.get(&name) else {
                strange.get_or_insert(name);
                return Ok(());
            };
            if filled[i] {
                return Err(format!("it has `{name}` twice"));
            }
            filled[i] = true;
            match value {
                Value::Missing => {}
                Value::Bare(text) => put_cell(&mut cells[i], text.as_bytes(), false),
                Value::Text(text) => put_cell(&mut cells[i], text.as_bytes(), true),
                Value::List(text) => put_cell(&mut cells[i], text.as_bytes(), true),
            }
            Ok(())
        });
        read.map_err(|why| told(self.at, &why))?;
        if let Some(name) = strange {
            let fault =
                Fault::new(codes::MISMATCH, format!("the files before this one have no key `{name}`"));
            return Err(Told::error(fault.place(Place { line: Some(self.at), ..Place::default() })));
        }
        for (i, cell) in cells.iter().enumerate() {
            out.extend((i > 0).then_some(b','));
            // A line of nothing would be no row.
            out.extend_from_slice(if cells.len() == 1 && cell.is_empty() { b"\"\"" } else { cell });
        }
        out.push(b'\n');
        Ok(true)
    }
}
