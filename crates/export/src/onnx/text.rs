//! A model as text, for people and for tests: one line for each input, constant, node and output.

use super::proto::{Attr, Data, Graph, Model, Node, Port, Size, Tensor};
use std::fmt::Write;

/// Longer lists of numbers are left out.
const MOST: usize = 8;

impl Model {
    /// What the file says, without the numbers of weights.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("model {:?}    # ONNX {}, IR {}\n", self.graph.name, self.opset, self.ir);
        for (key, text) in &self.about {
            let _ = writeln!(out, "  about {key:?} {text:?}");
        }
        self.graph.write(&mut out, 1);
        out
    }
}

impl Graph {
    fn write(&self, out: &mut String, depth: usize) {
        let pad = "  ".repeat(depth);
        for port in &self.inputs {
            let _ = writeln!(out, "{pad}input {}", port.text());
        }
        for constant in &self.constants {
            let _ = writeln!(out, "{pad}constant {}", constant.text());
        }
        for node in &self.nodes {
            node.write(out, depth);
        }
        for port in &self.outputs {
            let _ = writeln!(out, "{pad}output {}", port.text());
        }
    }
}

impl Port {
    fn text(&self) -> String {
        let dims: Vec<String> = self
            .shape
            .iter()
            .map(|s| match s {
                Size::Batch => "batch".into(),
                Size::Of(n) => n.to_string(),
            })
            .collect();
        let doc =
            if self.doc.is_empty() { String::new() } else { format!("    # {}", self.doc.escape_debug()) };
        format!("{:?} : {}[{}]{doc}", self.name, self.elem.name(), dims.join(","))
    }
}

impl Tensor {
    fn text(&self) -> String {
        let dims: Vec<String> = self.dims.iter().map(ToString::to_string).collect();
        let few = self.dims.iter().product::<usize>() <= MOST && !self.weight;
        let values = match &self.data {
            Data::Numbers(all) if few => format!(" = {all:?}"),
            Data::Whole(all) if few => format!(" = {all:?}"),
            Data::Texts(all) if few => format!(" = {all:?}"),
            Data::Numbers(_) | Data::Whole(_) | Data::Texts(_) => String::new(),
        };
        format!("{:?} : {}[{}]{values}", self.name, self.elem.name(), dims.join(","))
    }
}

impl Node {
    fn write(&self, out: &mut String, depth: usize) {
        let pad = "  ".repeat(depth);
        let names = |all: &[String]| all.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
        let _ = write!(out, "{pad}{} = {}({})", names(&self.outputs), self.op, names(&self.inputs));
        let mut body = None;
        for (key, attr) in &self.attrs {
            let _ = match attr {
                Attr::Int(i) => write!(out, " {key}={i}"),
                Attr::Ints(all) => write!(out, " {key}={all:?}"),
                Attr::Text(text) => write!(out, " {key}={text:?}"),
                Attr::Graph(graph) => {
                    body = Some(graph);
                    Ok(())
                }
            };
        }
        out.push('\n');
        if let Some(body) = body {
            body.write(out, depth + 1);
        }
    }
}
