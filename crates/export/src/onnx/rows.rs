//! Rows of a file in ONNX: from numbers and texts to what the network sees.

use super::emit::{Emitter, clean, elem};
use super::proto::{Attr, Data, Elem, Port, Size};
use crate::package::{Column, Encoding, Input, Package, Step, alike};
use nnc_graph::Dim;

/// The inputs of a model that takes rows, and where each column is.
pub(crate) struct Rows {
    pub(crate) ports: Vec<Port>,
    /// For every input of the package: the port of each of its columns, or its own.
    members: Vec<Vec<String>>,
}

/// What makes two columns one input.
type Key<'a> = (&'a str, Option<&'a str>, Elem, Vec<Size>);

/// The sizes of a column before its own: samples, and steps of a window.
fn lead(input: &Input) -> Vec<Size> {
    let steps = input.rows.map(Size::Of);
    [Size::Batch].into_iter().chain(steps).collect()
}

/// Names the inputs.
pub(crate) fn ports(e: &mut Emitter<'_>, package: &Package, plain: bool) -> Rows {
    let mut rows = Rows { ports: Vec::new(), members: Vec::new() };
    // A column may be in several inputs.
    let mut seen: Vec<(Key<'_>, String)> = Vec::new();
    for input in &package.inputs {
        let whole: Vec<Size> =
            [Size::Batch].into_iter().chain(input.shape.iter().map(|n| Size::Of(*n))).collect();
        if plain || input.columns.is_empty() {
            let name = e.fresh(&input.name);
            let what =
                if input.columns.is_empty() { &input.what[..] } else { "numbers as the network sees them" };
            rows.ports.push(Port {
                name: name.clone(),
                elem: elem(input.dtype),
                shape: whole,
                doc: what.into(),
            });
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
            let key = (&column.name[..], part, kind, shape.clone());
            if let Some((_, name)) = seen.iter().find(|s| s.0 == key) {
                members.push(name.clone());
                continue;
            }
            let name = e.fresh(&match part {
                Some(part) => format!("{} {part}", column.name),
                None => column.name.clone(),
            });
            let doc = doc(column, input);
            rows.ports.push(Port { name: name.clone(), elem: kind, shape, doc });
            seen.push((key, name.clone()));
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
            let columns: Vec<(&Column, &String)> = input.columns.iter().zip(members).collect();
            for group in columns.chunk_by(|a, b| side_by_side(a.0, b.0)) {
                let name = if let [(one, _)] = group { &one.name } else { &input.name };
                e.from(&format!("rows > {}", clean(name)), "");
                parts.extend(e.columns(group, input, to, &mut valid));
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

/// Whether two columns are numbers that are scaled alike, up to the numbers in their steps.
fn side_by_side(a: &Column, b: &Column) -> bool {
    match (&a.encoding, &b.encoding) {
        (
            Encoding::Number { steps: a, indicator: false, .. },
            Encoding::Number { steps: b, indicator: false, .. },
        ) => alike(a, b),
        _ => false,
    }
}

impl Emitter<'_> {
    /// Encodes a column, or numbers side by side: what they come to, `[batch, numbers]` or `[batch, steps, numbers]`.
    fn columns(
        &mut self,
        group: &[(&Column, &String)],
        input: &Input,
        to: Elem,
        valid: &mut Vec<String>,
    ) -> Vec<String> {
        let lead = 1 + usize::from(input.rows.is_some());
        let (column, x) = group[0];
        match &column.encoding {
            Encoding::Number { indicator, .. } => {
                let (numbers, missing) = self.numbers(group, lead, to, valid);
                let mut out = vec![numbers];
                if *indicator {
                    out.push(self.cast(0, &missing, to));
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
                let wide = if to == Elem::Double { x.to_string() } else { self.cast(0, x, Elem::Double) };
                let y = self.scaled(&wide, steps);
                let finite = self.finite(&y);
                valid.push(self.per_sample(&finite, 1 + input.shape.len()));
                vec![if to == Elem::Double { y } else { self.cast(0, &y, to) }]
            }
        }
    }

    /// Numbers side by side, scaled, `[batch, …, numbers]`, and which are missing.
    fn numbers(
        &mut self,
        group: &[(&Column, &String)],
        lead: usize,
        to: Elem,
        valid: &mut Vec<String>,
    ) -> (String, String) {
        let mut all: Vec<(&[Step], Option<f64>)> = Vec::new();
        for (column, _) in group {
            if let Encoding::Number { steps, fill, .. } = &column.encoding {
                all.push((steps, *fill));
            }
        }
        let parts: Vec<String> = group.iter().map(|(_, x)| self.last(x, lead)).collect();
        let mut x = self.joined(0, &parts, lead as i64);
        let missing = self.node(0, "IsNaN", &[&x], &[]);
        if all.iter().any(|(_, fill)| fill.is_some()) {
            let fill = self.each(all.iter().map(|(_, fill)| fill.unwrap_or(f64::NAN)).collect());
            x = self.node(0, "Where", &[&missing, &fill, &x], &[]);
        }
        for k in 0..all[0].0.len() {
            let shifts = all.iter().map(|(steps, _)| match steps[k] {
                Step::Shift { minus, over } => Some((minus, over)),
                Step::Log => None,
            });
            x = match shifts.collect::<Option<Vec<(f64, f64)>>>() {
                Some(shifts) => {
                    let minus: Vec<f64> = shifts.iter().map(|s| s.0).collect();
                    let over: Vec<f64> = shifts.iter().map(|s| s.1).collect();
                    self.shifted_by(x, minus, over)
                }
                None => self.node(0, "Log", &[&x], &[]),
            };
        }
        let finite = self.finite(&x);
        valid.push(self.per_sample(&finite, lead + 1));
        (if to == Elem::Double { x } else { self.cast(0, &x, to) }, missing)
    }

    /// A double for each column, or one that is the same for all.
    fn each(&mut self, all: Vec<f64>) -> String {
        if all.iter().all(|x| x.to_bits() == all[0].to_bits()) {
            return self.number(all[0], Elem::Double);
        }
        self.constant("columns", Elem::Double, vec![all.len()], Data::Numbers(all))
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
                Step::Shift { minus, over } => self.shifted_by(x, vec![minus], vec![over]),
                Step::Log => self.node(0, "Log", &[&x], &[]),
            };
        }
        x
    }

    /// `(x - minus) / over`, of what changes anything.
    fn shifted_by(&mut self, mut x: String, minus: Vec<f64>, over: Vec<f64>) -> String {
        if minus.iter().any(|m| *m != 0.0) {
            let minus = self.each(minus);
            x = self.node(0, "Sub", &[&x, &minus], &[]);
        }
        if over.iter().any(|o| *o != 1.0) {
            let over = self.each(over);
            x = self.node(0, "Div", &[&x, &over], &[]);
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
        let rest = match fill == other {
            true => fill,
            false => self.node(0, "Where", &[&missing, &fill, &other], &[]),
        };
        let place = if classes.is_empty() {
            let shape = self.node(0, "Shape", &[x], &[]);
            self.node(0, "Expand", &[&rest, &shape], &[])
        } else {
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
            self.node(0, "Where", &[&found, &at, &rest], &[])
        };
        let least = self.int(0);
        let known = self.node(0, "GreaterOrEqual", &[&place, &least], &[]);
        valid.push(self.per_sample(&known, lead));
        (place, missing)
    }
}

/// What a column takes, for people.
fn doc(column: &Column, input: &Input) -> String {
    let told = match &column.part {
        Some(part) if part == "weekday" => format!("weekday of `{}`, from 0 for Monday", column.name),
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
            let more =
                if classes.len() > 8 { format!(" and {} more", classes.len() - 8) } else { String::new() };
            format!("{}{more}; {other}; {missing}", shown.join(", "))
        }
        Encoding::Tensor { .. } => input.what.clone(),
    };
    format!("{told}; {rule}")
}
