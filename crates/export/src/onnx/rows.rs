//! Rows of a file in ONNX: from numbers and texts to what the network sees.

use super::emit::{Emitter, clean, elem};
use super::proto::{Attr, Data, Elem, Port, Size};
use crate::package::{Column, Encoding, Input, Package, Step};
use nnc_graph::Dim;

/// The inputs of a model that takes rows, and where each column is.
pub(crate) struct Rows {
    pub(crate) ports: Vec<Port>,
    /// For every input of the package: the port of each of its columns, or its own.
    members: Vec<Vec<String>>,
}

/// The sizes of a column before its own: samples, and steps of a window.
fn lead(input: &Input) -> Vec<Size> {
    let steps = input.rows.map(Size::Of);
    [Size::Batch].into_iter().chain(steps).collect()
}

/// Names the inputs.
pub(crate) fn ports(e: &mut Emitter<'_>, package: &Package, plain: bool) -> Rows {
    let mut rows = Rows { ports: Vec::new(), members: Vec::new() };
    // A column may be in several inputs.
    let mut seen: Vec<(&str, Option<&str>, Elem, Vec<Size>, String)> = Vec::new();
    for input in &package.inputs {
        let whole: Vec<Size> =
            [Size::Batch].into_iter().chain(input.shape.iter().map(|n| Size::Of(*n))).collect();
        if plain || input.columns.is_empty() {
            let name = e.fresh(&input.name);
            let what = if input.columns.is_empty() { &input.what[..] } else { "numbers as the network sees them" };
            rows.ports.push(Port { name: name.clone(), elem: elem(input.dtype), shape: whole, doc: what.into() });
            rows.members.push(vec![name]);
            continue;
        }
        let mut members = Vec::new();
        for column in &input.columns {
            let (kind, shape) = match &column.encoding {
                Encoding::Number { .. } => (Elem::Double, lead(input)),
                Encoding::OneHot { .. } | Encoding::Class { .. } => (Elem::Text, lead(input)),
                Encoding::Tensor { .. } => (elem(package.graph.float), whole.clone()),
            };
            let part = column.part.as_deref();
            let found = seen.iter().find(|s| (s.0, s.1, s.2, &s.3) == (&column.name[..], part, kind, &shape));
            if let Some((.., name)) = found {
                members.push(name.clone());
                continue;
            }
            let name = e.fresh(&match part {
                Some(part) => format!("{} {part}", column.name),
                None => column.name.clone(),
            });
            let doc = doc(column, input);
            rows.ports.push(Port { name: name.clone(), elem: kind, shape: shape.clone(), doc });
            seen.push((&column.name, part, kind, shape, name.clone()));
            members.push(name);
        }
        rows.members.push(members);
    }
    rows
}

impl Rows {
    /// What the network sees of each input, and which rows can be answered: conditions `[batch]`.
    pub(crate) fn encode(
        &self,
        e: &mut Emitter<'_>,
        package: &Package,
        plain: bool,
    ) -> Result<(Vec<String>, Vec<String>), String> {
        let (mut values, mut valid) = (Vec::new(), Vec::new());
        for (input, members) in package.inputs.iter().zip(&self.members) {
            if plain || input.columns.is_empty() {
                values.push(members[0].clone());
                continue;
            }
            let mut parts = Vec::new();
            let to = elem(input.dtype);
            for (column, member) in input.columns.iter().zip(members) {
                e.from(&format!("rows > {}", clean(&column.name)), "");
                let own = e.column(column, input, member, to, &mut valid);
                parts.extend(own);
            }
            e.from(&format!("rows > {}", clean(&input.name)), "");
            let whole = input.columns.iter().all(|c| matches!(c.encoding, Encoding::Tensor { .. }));
            if let ([one], true) = (&parts[..], whole) {
                values.push(one.clone());
                continue;
            }
            let joined = e.joined(0, &parts, -1);
            let shape: Vec<Dim> =
                [Dim::Batch].into_iter().chain(input.shape.iter().map(|n| Dim::Size(*n))).collect();
            values.push(match (input.rows, &input.shape[..]) {
                (None, [_]) => joined,
                _ => e.reshaped(0, &joined, &shape)?,
            });
        }
        Ok((values, valid))
    }
}

impl Emitter<'_> {
    /// Encodes a column: what it comes to, `[batch, numbers]` or `[batch, steps, numbers]` each.
    fn column(
        &mut self,
        column: &Column,
        input: &Input,
        x: &str,
        to: Elem,
        valid: &mut Vec<String>,
    ) -> Vec<String> {
        let lead = 1 + usize::from(input.rows.is_some());
        match &column.encoding {
            Encoding::Number { steps, fill, indicator } => {
                let missing = self.node(0, "IsNaN", &[x], &[]);
                let mut y = x.to_string();
                if let Some(fill) = fill {
                    let fill = self.number(*fill, Elem::Double);
                    y = self.node(0, "Where", &[&missing, &fill, &y], &[]);
                }
                let y = self.scaled(&y, steps);
                let finite = self.finite(&y);
                valid.push(self.per_sample(&finite, lead));
                let mut out = vec![self.number_column(&y, lead, Elem::Double, to)];
                if *indicator {
                    out.push(self.number_column(&missing, lead, Elem::Bool, to));
                }
                out
            }
            Encoding::OneHot { classes, other, fill, indicator } => {
                let (place, missing) = self.place(x, lead, classes, *other, *fill, valid);
                let all: Vec<i64> = (0..classes.len() as i64).collect();
                let all = self.ints(&all);
                let place = self.last(&place, lead);
                let own = self.node(0, "Equal", &[&place, &all], &[]);
                let mut out = vec![self.cast(0, &own, to)];
                if *indicator {
                    out.push(self.number_column(&missing, lead, Elem::Bool, to));
                }
                out
            }
            Encoding::Class { classes, other, fill } => {
                let (place, _) = self.place(x, lead, classes, *other, *fill, valid);
                vec![self.number_column(&place, lead, Elem::Int64, to)]
            }
            Encoding::Tensor { steps } => {
                let wide = self.cast(0, x, Elem::Double);
                let y = self.scaled(&wide, steps);
                let finite = self.finite(&y);
                valid.push(self.per_sample(&finite, 1 + input.shape.len()));
                vec![self.cast(0, &y, to)]
            }
        }
    }

    /// One number for each row, with an axis of its own.
    fn number_column(&mut self, x: &str, lead: usize, from: Elem, to: Elem) -> String {
        let x = if from == to { x.to_string() } else { self.cast(0, x, to) };
        self.last(&x, lead)
    }

    fn last(&mut self, x: &str, lead: usize) -> String {
        let axes = self.ints(&[lead as i64]);
        self.node(0, "Unsqueeze", &[x, &axes], &[])
    }

    /// A scaling, in double precision.
    fn scaled(&mut self, x: &str, steps: &[Step]) -> String {
        let mut x = x.to_string();
        for step in steps {
            x = match *step {
                Step::Shift { minus, over } => {
                    let (minus, over) = (self.number(minus, Elem::Double), self.number(over, Elem::Double));
                    let moved = self.node(0, "Sub", &[&x, &minus], &[]);
                    self.node(0, "Div", &[&moved, &over], &[])
                }
                Step::Log => self.node(0, "Log", &[&x], &[]),
            };
        }
        x
    }

    /// Whether numbers are neither missing nor infinite.
    fn finite(&mut self, x: &str) -> String {
        let size = self.node(0, "Abs", &[x], &[]);
        let most = self.number(f64::INFINITY, Elem::Double);
        self.node(0, "Less", &[&size, &most], &[])
    }

    /// Whether a condition holds for all of a sample.
    fn per_sample(&mut self, holds: &str, rank: usize) -> String {
        if rank == 1 {
            return holds.to_string();
        }
        let axes: Vec<i64> = (1..rank as i64).collect();
        let axes = self.ints(&axes);
        let each = self.cast(0, holds, Elem::Int32);
        let all = self.node(0, "ReduceMin", &[&each, &axes], &[("keepdims", Attr::Int(0))]);
        self.cast(0, &all, Elem::Bool)
    }

    /// The place of each text among the classes, -1 where it has none, and which are missing.
    fn place(
        &mut self,
        x: &str,
        lead: usize,
        classes: &[String],
        other: Option<usize>,
        fill: Option<usize>,
        valid: &mut Vec<String>,
    ) -> (String, String) {
        let gap = self.constant("gap", Elem::Text, Vec::new(), Data::Texts(vec![String::new()]));
        let missing = self.node(0, "Equal", &[x, &gap], &[]);
        let number = |p: Option<usize>| p.map_or(-1, |p| p as i64);
        let (other, fill) = (self.int(number(other)), self.int(number(fill)));
        let rest = self.node(0, "Where", &[&missing, &fill, &other], &[]);
        if classes.is_empty() {
            return (rest, missing);
        }
        let list = Data::Texts(classes.to_vec());
        let list = self.constant("classes", Elem::Text, vec![classes.len()], list);
        let each = self.last(x, lead);
        let same = self.node(0, "Equal", &[&each, &list], &[]);
        let same = self.cast(0, &same, Elem::Int32);
        let drop = ("keepdims", Attr::Int(0));
        let at = self.node(0, "ArgMax", &[&same], &[("axis", Attr::Int(lead as i64)), drop.clone()]);
        let axes = self.ints(&[lead as i64]);
        let found = self.node(0, "ReduceMax", &[&same, &axes], &[drop]);
        let found = self.cast(0, &found, Elem::Bool);
        let there = self.node(0, "Not", &[&missing], &[]);
        let found = self.node(0, "And", &[&found, &there], &[]);
        let place = self.node(0, "Where", &[&found, &at, &rest], &[]);
        let least = self.int(0);
        let known = self.node(0, "GreaterOrEqual", &[&place, &least], &[]);
        valid.push(self.per_sample(&known, lead));
        (place, missing)
    }
}

/// What a column takes, for people.
fn doc(column: &Column, input: &Input) -> String {
    let told = match &column.part {
        Some(part) => format!("{part} of `{}`", column.name),
        None => format!("`{}`", column.name),
    };
    let rule = match &column.encoding {
        Encoding::Number { fill: Some(fill), .. } => format!("NaN where missing: counts as {fill}"),
        Encoding::Number { fill: None, .. } => "is never missing".into(),
        Encoding::OneHot { classes, other, fill, .. } | Encoding::Class { classes, other, fill } => {
            let name = |k: usize| classes.get(k).map_or(String::new(), |c| format!("`{c}`"));
            let missing = match fill {
                Some(k) => format!("\"\" where missing: counts as {}", name(*k)),
                None => "is never missing".into(),
            };
            let other = match other {
                Some(k) => format!("others count as {}", name(*k)),
                None => "no others".into(),
            };
            let shown: Vec<String> = (0..classes.len().min(8)).map(name).collect();
            let more = if classes.len() > 8 { format!(" and {} more", classes.len() - 8) } else { String::new() };
            format!("{}{more}; {other}; {missing}", shown.join(", "))
        }
        Encoding::Tensor { .. } => input.what.clone(),
    };
    format!("{told}; {rule}")
}
