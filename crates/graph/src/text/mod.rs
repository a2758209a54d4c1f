//! The text form of a graph, and its parser.
//!
//! ```text
//! graph "train" f32
//!   %0 = parameter role=input name="x" : f32[B,2]
//!   %1 = parameter role=weight name="dense1.w" : f32[2,16]    @ "dense1" "xor.nn" 9:1+13
//!   %2 = dot_general %0 %1 contract=[1]x[0] : f32[B,16]       @ "dense1" "xor.nn" 9:1+13
//!   output prediction "output" %2
//! ```
//!
//! The bodies of loops stand before the nodes, each once: `region @name`, its nodes and results, `end`.
//! One node a line: its number, primitive, operands, attributes, type; after `@` the origin: scope, file,
//! line, column and length. `#` starts a comment. `parse(print(g)) == g`.

pub mod json;

use crate::{Builder, DType, Dim, Graph, Node, NodeId, Origin, OutputKind, Prim, Region, Type};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Prints a graph.
pub fn print(graph: &Graph) -> String {
    print_with(graph, |_| None)
}

/// Prints a graph with a comment at the end of some lines.
pub fn print_with(graph: &Graph, note: impl Fn(NodeId) -> Option<String>) -> String {
    let mut out = format!("graph {:?} {}", &*graph.name, graph.float.name());
    let batched = graph.ids().any(|id| graph.ty(id).is_batched());
    out.push_str(if batched { "    # B is the batch, added by the compiler\n" } else { "\n" });
    for region in regions(graph) {
        let _ = writeln!(out, "  region {}", region.name());
        print_nodes(&mut out, region.graph(), 4, |_| None);
        out.push_str("  end\n");
    }
    print_nodes(&mut out, graph, 2, note);
    out
}

/// The bodies of all loops, those of inner loops first, each once.
pub(crate) fn regions(graph: &Graph) -> Vec<Arc<Region>> {
    fn visit(graph: &Graph, out: &mut Vec<Arc<Region>>) {
        for id in graph.ids() {
            if let Prim::Scan(scan) = &graph.node(id).prim
                && !out.contains(&scan.of.body)
            {
                visit(scan.of.body.graph(), out);
                out.push(scan.of.body.clone());
            }
        }
    }
    let mut out = Vec::new();
    visit(graph, &mut out);
    out
}

fn print_nodes(out: &mut String, graph: &Graph, indent: usize, note: impl Fn(NodeId) -> Option<String>) {
    let width = graph.len().saturating_sub(1).to_string().len() + 1;
    let lines: Vec<String> = graph.ids().map(|id| line(graph, id, indent, width)).collect();
    let longest = lines.iter().map(|l| l.chars().count()).filter(|&n| n <= 76).max().unwrap_or(0);
    for (id, line) in graph.ids().zip(&lines) {
        out.push_str(line);
        let mut pad = longest.saturating_sub(line.chars().count()) + 2;
        let origin = &graph.node(id).origin;
        if **origin != Origin::default() {
            let _ = write!(out, "{:pad$}@ {}", "", origin_text(origin));
            pad = 2;
        }
        if let Some(note) = note(id) {
            let _ = write!(out, "{:pad$}# {note}", "");
        }
        out.push('\n');
    }
    for output in graph.outputs() {
        let kind = output.kind.name();
        let _ = writeln!(out, "{:indent$}output {kind} {:?} {}", "", &*output.name, output.node);
    }
}

/// A node without its origin.
pub(crate) fn line(graph: &Graph, id: NodeId, indent: usize, width: usize) -> String {
    let node = graph.node(id);
    let mut out = format!("{:indent$}{:width$} = {}", "", id.to_string(), node.prim.name());
    for operand in graph.operands(id) {
        let _ = write!(out, " {operand}");
    }
    for (key, value) in node.prim.attributes() {
        let _ = write!(out, " {key}={value}");
    }
    let _ = write!(out, " : {}", node.ty);
    out
}

fn origin_text(origin: &Origin) -> String {
    let mut out = format!("{:?}", &*origin.scope);
    if !origin.file.is_empty() {
        let _ = write!(out, " {:?} {}:{}+{}", &*origin.file, origin.line, origin.column, origin.length);
    }
    out
}

/// `[1,2,3]`
pub(crate) fn list<T: ToString>(values: &[T]) -> String {
    let inner: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", inner.join(","))
}

/// Attributes of one line, taken one by one.
pub(crate) struct Attributes<'a> {
    words: BTreeMap<&'a str, &'a str>,
    regions: &'a BTreeMap<String, Arc<Region>>,
}

impl Attributes<'_> {
    fn take(&mut self, key: &str) -> Result<&str, String> {
        self.words.remove(key).ok_or_else(|| format!("`{key}=` is missing"))
    }

    pub(crate) fn parse<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let text = self.take(key)?;
        read(text).ok_or_else(|| format!("`{key}={text}` has no meaning"))
    }

    pub(crate) fn number(&mut self, key: &str) -> Result<usize, String> {
        self.parse(key, |t| t.parse().ok())
    }

    pub(crate) fn hex(&mut self, key: &str) -> Result<u64, String> {
        self.parse(key, |t| u64::from_str_radix(t.strip_prefix("0x")?, 16).ok())
    }

    pub(crate) fn string(&mut self, key: &str) -> Result<Arc<str>, String> {
        self.parse(key, |t| unquote(t).map(Arc::from))
    }

    pub(crate) fn list(&mut self, key: &str) -> Result<Vec<usize>, String> {
        self.parse(key, numbers)
    }

    pub(crate) fn region(&mut self, key: &str) -> Result<Arc<Region>, String> {
        let regions = self.regions;
        self.parse(key, |t| regions.get(t).cloned())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.words.contains_key(key)
    }

    pub(crate) fn optional_list(&mut self, key: &str) -> Result<Option<Vec<usize>>, String> {
        if self.has(key) { self.list(key).map(Some) } else { Ok(None) }
    }

    pub(crate) fn pair(&mut self, key: &str) -> Result<(Vec<usize>, Vec<usize>), String> {
        self.parse(key, |t| {
            let (a, b) = t.split_once('x')?;
            Some((numbers(a)?, numbers(b)?))
        })
    }
}

/// `[1,0]x[1,-1]`
pub(crate) fn signed(text: &str) -> Option<(Vec<i64>, Vec<i64>)> {
    let (a, b) = text.split_once('x')?;
    Some((numbers(a)?, numbers(b)?))
}

fn numbers<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner.split(',').map(|n| n.parse().ok()).collect()
}

/// The inverse of `{:?}` for the strings we print.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '0' => out.push('\0'),
            'u' => {
                let code: String = chars.by_ref().skip(1).take_while(|&c| c != '}').collect();
                out.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
            }
            c => out.push(c),
        }
    }
    Some(out)
}

/// Reads what [`print()`] wrote; comments are left out.
///
/// # Errors
/// The line and what is wrong with it.
pub fn parse(text: &str) -> Result<Graph, String> {
    let mut reader = Reader::default();
    for (number, raw) in text.lines().enumerate() {
        let read = words(raw).and_then(|words| reader.line(&words));
        read.map_err(|e| format!("line {}: {e}", number + 1))?;
    }
    match (reader.graph, reader.region) {
        (Some(graph), None) => Ok(graph),
        (_, Some((name, _))) => Err(format!("region {name} has no `end`")),
        (None, None) => Err("there is no `graph` line".into()),
    }
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    graph: Option<Graph>,
    /// The region at hand, with its name.
    region: Option<(String, Graph)>,
    regions: BTreeMap<String, Arc<Region>>,
}

impl Reader {
    fn line(&mut self, words: &[&str]) -> Result<(), String> {
        let Some(graph) = &mut self.graph else {
            return match words {
                [] => Ok(()),
                ["graph", name, float] => {
                    let float = DType::from_name(float).ok_or("floats are f32 or f64")?;
                    self.graph = Some(Graph::new(unquote(name).ok_or("a name in quotes")?, float));
                    Ok(())
                }
                _ => Err("the first line is `graph \"name\" f32`".into()),
            };
        };
        match words {
            [] => Ok(()),
            ["region", name] if self.region.is_none() => {
                self.region = Some(((*name).to_string(), Graph::new("", graph.float)));
                Ok(())
            }
            ["end"] => {
                let (name, graph) = self.region.take().ok_or("`end` without a region")?;
                let region = Region::new(graph)?;
                if region.name() != name {
                    return Err(format!("this region's name is {}, not {name}", region.name()));
                }
                self.regions.insert(name, Arc::new(region));
                Ok(())
            }
            ["output", kind, name, node] => {
                let graph = self.region.as_mut().map_or(graph, |(_, region)| region);
                let kind =
                    OutputKind::from_name(kind).ok_or_else(|| format!("no output is called `{kind}`"))?;
                let node = node_id(node, graph.len())?;
                graph.add_output(kind, unquote(name).ok_or("a name in quotes")?, node);
                Ok(())
            }
            [id, "=", name, rest @ ..] => {
                let graph = self.region.as_mut().map_or(graph, |(_, region)| region);
                read_node(graph, &self.regions, id, name, rest)
            }
            words => Err(format!("`{}` is neither a node nor an output", words.join(" "))),
        }
    }
}

fn read_node(
    graph: &mut Graph,
    regions: &BTreeMap<String, Arc<Region>>,
    id: &str,
    name: &str,
    rest: &[&str],
) -> Result<(), String> {
    if id.strip_prefix('%').and_then(|n| n.parse().ok()) != Some(graph.len()) {
        return Err(format!("expected %{}, found {id}", graph.len()));
    }
    let colon = rest.iter().position(|w| *w == ":").ok_or("`: type` is missing")?;
    let (before, after) = (&rest[..colon], &rest[colon + 1..]);
    let ty = parse_type(after.first().ok_or("the type is missing")?)?;
    let mut operands = Vec::new();
    let mut attributes = Attributes { words: BTreeMap::new(), regions };
    for word in before {
        match word.split_once('=') {
            Some((key, value)) => drop(attributes.words.insert(key, value)),
            None => operands.push(node_id(word, graph.len())?),
        }
    }
    let prim = Prim::from_text(name, &mut attributes)?;
    if let Some((key, _)) = attributes.words.first_key_value() {
        return Err(format!("{name} has no attribute `{key}`"));
    }
    let types: Vec<&Type> = operands.iter().map(|&o| graph.ty(o)).collect();
    prim.check(&types, &ty)?;
    let origin = Arc::new(parse_origin(&after[1..])?);
    graph.push(Node { prim, ty, origin }, &operands);
    Ok(())
}

fn node_id(text: &str, len: usize) -> Result<NodeId, String> {
    let id: u32 =
        text.strip_prefix('%').and_then(|n| n.parse().ok()).ok_or_else(|| format!("`{text}` is no node"))?;
    if (id as usize) < len { Ok(NodeId(id)) } else { Err(format!("{text} is not there yet")) }
}

fn parse_type(text: &str) -> Result<Type, String> {
    let read = || -> Option<Type> {
        let (dtype, dims) = text.strip_suffix(']')?.split_once('[')?;
        let dim = |d: &str| {
            if d == "B" { Some(Dim::Batch) } else { d.parse().ok().map(Dim::Size) }
        };
        let shape =
            if dims.is_empty() { Vec::new() } else { dims.split(',').map(dim).collect::<Option<_>>()? };
        Some(Type::new(DType::from_name(dtype)?, shape))
    };
    read().ok_or_else(|| format!("`{text}` is no type"))
}

fn parse_origin(words: &[&str]) -> Result<Origin, String> {
    match words {
        [] => Ok(Origin::default()),
        ["@", scope] => {
            Ok(Origin { scope: unquote(scope).ok_or("a scope in quotes")?.into(), ..Origin::default() })
        }
        ["@", scope, file, place] => {
            let read = || -> Option<Origin> {
                let (line, rest) = place.split_once(':')?;
                let (column, length) = rest.split_once('+')?;
                Some(Origin {
                    scope: unquote(scope)?.into(),
                    file: unquote(file)?.into(),
                    line: line.parse().ok()?,
                    column: column.parse().ok()?,
                    length: length.parse().ok()?,
                })
            };
            read().ok_or_else(|| format!("`{}` is no origin", words.join(" ")))
        }
        _ => Err(format!("`{}` is no origin", words.join(" "))),
    }
}

/// Splits at blanks outside quotes; a `#` outside quotes ends the line.
fn words(line: &str) -> Result<Vec<&str>, String> {
    let mut out = Vec::new();
    let (mut start, mut quoted, mut escaped) = (None, false, false);
    for (i, c) in line.char_indices() {
        if quoted {
            (quoted, escaped) = (c != '"' || escaped, c == '\\' && !escaped);
            continue;
        }
        match c {
            '#' => {
                out.extend(start.map(|s| &line[s..i]));
                return Ok(out);
            }
            c if c.is_whitespace() => out.extend(start.take().map(|s: usize| &line[s..i])),
            c => {
                quoted = c == '"';
                start.get_or_insert(i);
            }
        }
    }
    if quoted {
        return Err("a quote is not closed".into());
    }
    out.extend(start.map(|s| &line[s..]));
    Ok(out)
}

/// Reads a graph and goes on building it.
///
/// # Errors
/// As [`parse`].
pub fn parse_into_builder(text: &str) -> Result<Builder, String> {
    parse(text).map(Builder::from_graph)
}
