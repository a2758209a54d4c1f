//! Statements, written and read.

use super::chain::{read_links, write_chain};
use super::expr::{read_arg, read_expr, write_arg, write_expr};
use super::{Children, Node, name, named, number, text, unquoted, wrong};
use crate::Span;
use crate::ast::{
    Attribute, Block, Body, Dataset, DeclareKind, Dim, Expr, Flow, FnDef, InitDef, LayerDef, Name, Operand,
    Param, Part, Program, Row, RuleDef, Stmt, StmtKind, StopWhen, Within, Word, WordKind,
};

pub(super) fn write_program(program: &Program) -> Node {
    Node::new("program").with(program.stmts.iter().map(write_stmt))
}

pub(super) fn read_program(node: &Node) -> Result<Program, String> {
    if node.kind != "program" {
        return Err(wrong(node, "the first line is `program`"));
    }
    Ok(Program { stmts: read_stmts(node)? })
}

fn read_stmts(node: &Node) -> Result<Vec<Stmt>, String> {
    node.children.iter().map(read_stmt).collect()
}

pub(super) fn write_block(kind: &str, block: &Block) -> Node {
    Node::new(kind).with(block.stmts.iter().map(write_stmt)).at(block.span)
}

pub(super) fn read_block(kind: &str, children: &mut Children<'_>) -> Result<Block, String> {
    let node = children.next()?;
    if node.kind != kind {
        return Err(wrong(node, &format!("`{kind}` stands here")));
    }
    Ok(Block { stmts: read_stmts(node)?, span: Span::default() })
}

fn write_stmt(stmt: &Stmt) -> Node {
    let mut node = write_kind(&stmt.kind).at(stmt.span);
    if let Some(doc) = &stmt.doc {
        node.children.insert(0, Node::new("doc").text(doc));
    }
    node
}

fn read_stmt(node: &Node) -> Result<Stmt, String> {
    let mut children = Children::of(node);
    let doc = children.next_if("doc").map(|doc| text(doc, 0)).transpose()?;
    let kind = read_kind(node, &mut children)?;
    children.end()?;
    Ok(Stmt { kind, span: Span::default(), doc })
}

fn write_kind(kind: &StmtKind) -> Node {
    match kind {
        StmtKind::Param { name, value, within } => {
            let within = within.as_ref().map(|within| match within {
                Within::List(items) => Node::new("in").with(items.iter().map(write_expr)),
                Within::Range(low, high) => Node::new("range").with([low, high].map(write_expr)),
            });
            Node::new("param").word(&name.text).child(write_expr(value)).with(within)
        }
        StmtKind::Fn(def) => {
            let head = Node::new("fn").word(&def.name.text).with(write_params(&def.params));
            head.with(write_attributes(&def.attributes)).child(write_body(&def.body))
        }
        StmtKind::Layer(def) => Node::new("layer")
            .word(&def.name.text)
            .with(write_params(&def.params))
            .with(def.operands.iter().map(write_operand))
            .with(def.result.as_ref().map(|dims| write_dims("result", dims)))
            .with(write_attributes(&def.attributes))
            .child(write_block("block", &def.body)),
        StmtKind::Rule(def) => Node::new("rule")
            .with_names(&[&def.name, &def.weight, &def.gradient])
            .with(write_params(&def.params))
            .with(write_attributes(&def.attributes))
            .child(write_block("block", &def.body)),
        StmtKind::Init(def) => Node::new("init")
            .with_names(&[&def.name, &def.shape])
            .with(write_params(&def.params))
            .with(write_attributes(&def.attributes))
            .child(write_body(&def.body)),
        StmtKind::Shared { name, chain } => Node::new("shared").word(&name.text).with(write_chain(chain)),
        StmtKind::Rewrite { from, to } => Node::new("rewrite").with([from, to].map(write_expr)),
        StmtKind::Use { path, .. } => Node::new("use").text(path),
        StmtKind::Repeat { count, index, body } => Node::new("repeat")
            .with(index.as_ref().map(|index| Node::new("as").word(&index.text).at(index.span)))
            .child(write_expr(count))
            .child(write_block("block", body)),
        StmtKind::If { cond, then, otherwise } => Node::new("if")
            .child(write_expr(cond))
            .child(write_block("then", then))
            .with(otherwise.as_ref().map(|block| write_block("else", block))),
        StmtKind::Require { cond, message, fix } => Node::new("require")
            .text(message)
            .child(write_expr(cond))
            .with(fix.as_ref().map(|fix| Node::new("fix").text(fix))),
        StmtKind::Declare { kind, name, dims, init } => {
            let kind = if *kind == DeclareKind::Weight { "weight" } else { "state" };
            Node::new(kind).word(&name.text).child(write_dims("shape", dims)).child(write_expr(init))
        }
        StmtKind::Data(data) => write_data(data),
        StmtKind::Setting { head, args } => {
            Node::new("setting").word(&head.text).with(args.iter().map(write_arg))
        }
        StmtKind::LossIs(chain) => Node::new("loss").with(write_chain(chain)),
        StmtKind::Stop(StopWhen::Stalls { metric, patience }) => {
            Node::new("stop-stalls").word(&metric.text).child(write_expr(patience))
        }
        StmtKind::Then(block) => Node::new("stage").child(write_block("block", block)),
        StmtKind::Stop(StopWhen::Holds(cond)) => Node::new("stop-when").child(write_expr(cond)),
        StmtKind::Expect { cond, within, seeds } => {
            let within = within.as_ref().map(|(count, unit)| {
                Node::new("within").word(&unit.text).child(write_expr(count)).at(unit.span)
            });
            let seeds =
                seeds.as_ref().map(|(some, all)| Node::new("seeds").with([some, all].map(write_expr)));
            Node::new("expect").child(write_expr(cond)).with(within).with(seeds)
        }
        StmtKind::Flow(flow) => {
            let kind = match (flow.targets.is_empty(), flow.update) {
                (true, _) => "flow",
                (false, false) => "bind",
                (false, true) => "update",
            };
            let targets: Vec<&Name> = flow.targets.iter().collect();
            Node::new(kind).with_names(&targets).with(write_chain(&flow.chain))
        }
        StmtKind::Error => Node::new("error"),
    }
}

fn read_kind(node: &Node, children: &mut Children<'_>) -> Result<StmtKind, String> {
    Ok(match node.kind.as_str() {
        "param" => {
            let value = read_expr(children.next()?)?;
            StmtKind::Param { name: name(node, 0)?, value, within: read_within(children)? }
        }
        "fn" => StmtKind::Fn(FnDef {
            name: name(node, 0)?,
            params: read_params(children)?,
            attributes: read_attributes(children)?,
            body: read_body(children)?,
        }),
        "layer" => StmtKind::Layer(LayerDef {
            name: name(node, 0)?,
            params: read_params(children)?,
            operands: children.all("operand").iter().map(read_operand).collect::<Result<_, _>>()?,
            result: children.next_if("result").map(read_dims).transpose()?,
            attributes: read_attributes(children)?,
            body: read_block("block", children)?,
        }),
        "rule" => StmtKind::Rule(RuleDef {
            name: name(node, 0)?,
            weight: name(node, 1)?,
            gradient: name(node, 2)?,
            params: read_params(children)?,
            attributes: read_attributes(children)?,
            body: read_block("block", children)?,
        }),
        "init" => StmtKind::Init(InitDef {
            name: name(node, 0)?,
            shape: name(node, 1)?,
            params: read_params(children)?,
            attributes: read_attributes(children)?,
            body: read_body(children)?,
        }),
        "shared" => StmtKind::Shared { name: name(node, 0)?, chain: read_links(children)? },
        "rewrite" => {
            StmtKind::Rewrite { from: read_expr(children.next()?)?, to: read_expr(children.next()?)? }
        }
        "use" => StmtKind::Use { path: text(node, 0)?, path_span: Span::default() },
        "repeat" => {
            let index = children.next_if("as").map(|index| name(index, 0)).transpose()?;
            StmtKind::Repeat {
                index,
                count: read_expr(children.next()?)?,
                body: read_block("block", children)?,
            }
        }
        "if" => {
            let (cond, then) = (read_expr(children.next()?)?, read_block("then", children)?);
            let otherwise =
                if children.ahead.is_empty() { None } else { Some(read_block("else", children)?) };
            StmtKind::If { cond, then, otherwise }
        }
        "require" => StmtKind::Require {
            message: text(node, 0)?,
            cond: read_expr(children.next()?)?,
            fix: children.next_if("fix").map(|fix| text(fix, 0)).transpose()?,
        },
        "weight" | "state" => StmtKind::Declare {
            kind: if node.kind == "weight" { DeclareKind::Weight } else { DeclareKind::State },
            name: name(node, 0)?,
            dims: read_dims(children.next()?)?,
            init: read_expr(children.next()?)?,
        },
        "data" | "valid" | "test" => {
            let part = Part::from_word(&node.kind).unwrap_or(Part::Train);
            StmtKind::Data(read_data(part, children)?)
        }
        "setting" => {
            let args = children.rest().iter().map(read_arg).collect::<Result<_, _>>()?;
            StmtKind::Setting { head: name(node, 0)?, args }
        }
        "loss" => StmtKind::LossIs(read_links(children)?),
        "stop-stalls" => {
            let patience = read_expr(children.next()?)?;
            StmtKind::Stop(StopWhen::Stalls { metric: name(node, 0)?, patience })
        }
        "stage" => StmtKind::Then(read_block("block", children)?),
        "stop-when" => StmtKind::Stop(StopWhen::Holds(read_expr(children.next()?)?)),
        "expect" => read_expect(children)?,
        "flow" | "bind" | "update" => StmtKind::Flow(Flow {
            targets: node.words.iter().map(|word| named(word)).collect(),
            update: node.kind == "update",
            chain: read_links(children)?,
        }),
        "error" => StmtKind::Error,
        _ => return Err(wrong(node, "no statement is of this kind")),
    })
}

impl Node {
    fn with_names(self, names: &[&Name]) -> Self {
        names.iter().fold(self, |node, name| node.word(&name.text))
    }
}

fn read_within(children: &mut Children<'_>) -> Result<Option<Within>, String> {
    if let Some(list) = children.next_if("in") {
        return Ok(Some(Within::List(list.children.iter().map(read_expr).collect::<Result<_, _>>()?)));
    }
    children
        .next_if("range")
        .map(|range| read_pair(range).map(|(low, high)| Within::Range(low, high)))
        .transpose()
}

fn read_pair(node: &Node) -> Result<(Expr, Expr), String> {
    let mut children = Children::of(node);
    let pair = (read_expr(children.next()?)?, read_expr(children.next()?)?);
    children.end()?;
    Ok(pair)
}

fn read_expect(children: &mut Children<'_>) -> Result<StmtKind, String> {
    let cond = read_expr(children.next()?)?;
    let within = children
        .next_if("within")
        .map(|node| Ok::<_, String>((read_expr(Children::of(node).next()?)?, name(node, 0)?)));
    let seeds = children.next_if("seeds").map(read_pair);
    Ok(StmtKind::Expect { cond, within: within.transpose()?, seeds: seeds.transpose()? })
}

fn write_body(body: &Body) -> Node {
    match body {
        Body::Chain(chain) => Node::new("is").with(write_chain(chain)).at(chain.span),
        Body::Block(block) => write_block("block", block),
    }
}

fn read_body(children: &mut Children<'_>) -> Result<Body, String> {
    match children.next_if("is") {
        Some(is) => Ok(Body::Chain(read_links(&mut Children::of(is))?)),
        None => Ok(Body::Block(read_block("block", children)?)),
    }
}

fn write_attributes(attributes: &[Attribute]) -> impl Iterator<Item = Node> {
    attributes.iter().map(|a| Node::new("attribute").with_names(&[&a.name, &a.value]).at(a.name.span))
}

fn read_attributes(children: &mut Children<'_>) -> Result<Vec<Attribute>, String> {
    let read = |node: &Node| Ok(Attribute { name: name(node, 0)?, value: name(node, 1)? });
    children.all("attribute").iter().map(read).collect()
}

fn write_params(params: &[Param]) -> impl Iterator<Item = Node> {
    params.iter().map(|param| {
        Node::new("parameter")
            .word(&param.name.text)
            .with(param.dims.as_ref().map(|dims| write_dims("shape", dims)))
            .with(
                param
                    .classes
                    .as_ref()
                    .map(|classes| Node::new("classes").word(&classes.text).at(classes.span)),
            )
            .with(param.kind.as_ref().map(|kind| Node::new("kind").word(&kind.text).at(kind.span)))
            .with(param.default.as_ref().map(|default| Node::new("default").child(write_expr(default))))
            .with(
                param
                    .options
                    .as_ref()
                    .map(|options| Node::new("options").with(options.iter().map(write_expr))),
            )
            .at(param.span)
    })
}

fn read_params(children: &mut Children<'_>) -> Result<Vec<Param>, String> {
    children.all("parameter").iter().map(read_param).collect()
}

fn read_param(node: &Node) -> Result<Param, String> {
    let mut children = Children::of(node);
    let Operand { name, dims, classes, span } = read_pattern(node, &mut children)?;
    let kind = children.next_if("kind").map(|kind| super::name(kind, 0)).transpose()?;
    let default =
        children.next_if("default").map(|default| read_expr(Children::of(default).next()?)).transpose()?;
    let options = children.next_if("options").map(|options| options.children.iter().map(read_expr).collect());
    children.end()?;
    Ok(Param { name, dims, classes, kind, default, options: options.transpose()?, span })
}

fn write_operand(operand: &Operand) -> Node {
    Node::new("operand")
        .word(&operand.name.text)
        .with(operand.dims.as_ref().map(|dims| write_dims("shape", dims)))
        .with(
            operand.classes.as_ref().map(|classes| Node::new("classes").word(&classes.text).at(classes.span)),
        )
        .at(operand.span)
}

fn read_operand(node: &Node) -> Result<Operand, String> {
    let mut children = Children::of(node);
    let operand = read_pattern(node, &mut children)?;
    children.end()?;
    Ok(operand)
}

/// The shape and classes of an operand or parameter.
fn read_pattern(node: &Node, children: &mut Children<'_>) -> Result<Operand, String> {
    let dims = children.next_if("shape").map(read_dims).transpose()?;
    let classes = children.next_if("classes").map(|classes| name(classes, 0)).transpose()?;
    Ok(Operand { name: name(node, 0)?, dims, classes, span: Span::default() })
}

fn write_dims(kind: &str, dims: &[Dim]) -> Node {
    Node::new(kind).with(dims.iter().map(|dim| match dim {
        Dim::Rest(rest, span) => Node::new("rest").with_names(&Vec::from_iter(rest)).at(*span),
        Dim::Size(size) => write_expr(size),
    }))
}

fn read_dims(node: &Node) -> Result<Vec<Dim>, String> {
    let read = |node: &Node| match node.kind.as_str() {
        "rest" => Ok(Dim::Rest(node.words.first().map(|word| named(word)), Span::default())),
        _ => read_expr(node).map(Dim::Size),
    };
    node.children.iter().map(read).collect()
}

fn write_data(data: &Dataset) -> Node {
    let to = (!data.to.is_empty()).then(|| Node::new("to").with(data.to.iter().map(write_arg)));
    let rows = data.rows.as_ref().map(|rows| Node::new("rows").with(rows.iter().map(write_row)));
    Node::new(data.part.word()).with(data.args.iter().map(write_arg)).with(to).with(rows)
}

fn read_data(part: Part, children: &mut Children<'_>) -> Result<Dataset, String> {
    let count =
        children.ahead.iter().take_while(|child| !matches!(child.kind.as_str(), "to" | "rows")).count();
    let args = (0..count).map(|_| read_arg(children.next()?)).collect::<Result<_, _>>()?;
    let to = children.next_if("to").map(|to| to.children.iter().map(read_arg).collect());
    let rows: Option<Vec<Row>> =
        children.next_if("rows").map(|rows| rows.children.iter().map(read_row).collect()).transpose()?;
    let rows_span = rows.as_ref().map(|_| Span::default());
    let to = to.transpose()?.unwrap_or_default();
    Ok(Dataset { part, args, to, rows, rows_span, span: Span::default() })
}

/// A row stands on one line; what follows the `=` of a name is a child, in order.
fn write_row(row: &Row) -> Node {
    let node = row.words.iter().fold(Node::new("row"), write_word);
    let node = match &row.to {
        Some(to) => to.iter().fold(node.word("->"), write_word),
        None => node,
    };
    node.at(row.span)
}

fn write_word(node: Node, word: &Word) -> Node {
    match &word.kind {
        WordKind::Number(value) => node.word(value.to_string()),
        WordKind::Text(text) => node.text(text),
        WordKind::Name { name, value: None } => node.word(&name.text),
        WordKind::Name { name, value: Some(value) } => {
            node.word(format!("{}=", name.text)).child(write_expr(value))
        }
    }
}

fn read_row(node: &Node) -> Result<Row, String> {
    let mut children = Children::of(node);
    let arrow = node.words.iter().position(|word| word == "->");
    let (before, after) = node.words.split_at(arrow.unwrap_or(node.words.len()));
    let words = before.iter().map(|word| read_word(node, word, &mut children)).collect::<Result<_, _>>()?;
    let to =
        after.iter().skip(1).map(|word| read_word(node, word, &mut children)).collect::<Result<_, _>>()?;
    children.end()?;
    Ok(Row { words, to: arrow.map(|_| to), span: Span::default() })
}

fn read_word(node: &Node, text: &str, children: &mut Children<'_>) -> Result<Word, String> {
    let kind = if let Some(text) = unquoted(text) {
        WordKind::Text(text)
    } else if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        WordKind::Number(number(node, text)?)
    } else if let Some(name) = text.strip_suffix('=') {
        WordKind::Name { name: named(name), value: Some(Box::new(read_expr(children.next()?)?)) }
    } else {
        WordKind::Name { name: named(text), value: None }
    };
    Ok(Word { kind, span: Span::default() })
}
