//! Answers in ONNX: from what the network says to numbers in the units of the file and names of classes.

use super::emit::{At, Emitter, elem};
use super::proto::{Attr, Data, Elem, Port, Size};
use crate::package::{Answer, Package, Step, alike};
use nnc_graph::{Dim, OutputKind};

/// The names of the outputs, which stand before those of nodes are given.
pub(crate) struct Names {
    numbers: Vec<String>,
    classes: Vec<Option<String>>,
    valid: Option<String>,
}

/// Names the outputs.
pub(crate) fn names(e: &mut Emitter<'_>, package: &Package, plain: bool) -> Names {
    let numbers: Vec<String> = package.answers.iter().map(|a| e.fresh(&a.name)).collect();
    let classes = package
        .answers
        .iter()
        .zip(&numbers)
        .map(|(a, name)| {
            ((a.classes.is_some() || a.steps.is_some()) && !plain).then(|| e.fresh(&format!("{name}_name")))
        })
        .collect();
    let valid = (!plain).then(|| e.fresh("valid"));
    Names { numbers, classes, valid }
}

impl Names {
    /// Writes the outputs of a model, whose graph was written; `valid` are conditions `[batch]`.
    pub(crate) fn write(
        &self,
        e: &mut Emitter<'_>,
        package: &Package,
        valid: &[String],
    ) -> Result<Vec<Port>, String> {
        let mut ports = Vec::new();
        e.from("answers", "");
        let holds = match (&self.valid, valid) {
            (None, _) => None,
            (Some(_), []) => {
                let (yes, shape) = (Data::Numbers(vec![1.0]), e.shape(&[Dim::Batch])?);
                let yes = e.constant("true", Elem::Bool, Vec::new(), yes);
                Some(e.node(0, "Expand", &[&yes, &shape], &[]))
            }
            (Some(_), [first, rest @ ..]) => {
                let mut all = first.clone();
                for one in rest {
                    all = e.node(0, "And", &[&all, one], &[]);
                }
                Some(all)
            }
        };
        let checked = holds.as_ref().filter(|_| !valid.is_empty());
        for ((answer, name), class) in package.answers.iter().zip(&self.numbers).zip(&self.classes) {
            let node = package.graph.output(OutputKind::Prediction, &answer.name);
            let at: At = (0, node.ok_or_else(|| format!("there is no prediction `{}`", answer.name))?);
            e.from(&format!("answers > {}", answer.name), "");
            let ty = e.ty(at);
            let mut of = elem(ty.dtype);
            let mut said = e.canonical(at)?;
            let mut doc = "what the network says";
            if self.valid.is_some() && answer.scaling.iter().any(|s| !s.is_empty()) {
                said = e.cast(0, &said, Elem::Double);
                of = Elem::Double;
                said = e.undone(&said, answer, &ty.shape)?;
                doc = "in the units of the file";
            }
            let label = match (class, &answer.classes, &answer.steps) {
                (Some(_), Some(classes), _) => Some(e.label(&said, answer, classes, of)?),
                (Some(_), None, Some(classes)) => Some(e.labels(&said, answer, classes)),
                (None, ..) | (_, None, None) => None,
            };
            if let (Some(holds), true) = (checked, matches!(of, Elem::Float | Elem::Double)) {
                let holds = e.with_axes(holds, ty.rank());
                let nan = e.number(f64::NAN, of);
                said = e.node(0, "Where", &[&holds, &said, &nan], &[]);
            }
            e.push(0, "Identity", name, &[&said], vec![name.clone()], Vec::new());
            let shape = super::emit::sizes(&ty.shape);
            ports.push(Port { name: name.clone(), elem: of, shape, doc: doc.into() });
            if let (Some(name), Some(mut label)) = (class, label) {
                let shape = if answer.classes.is_some() { &[] } else { &ty.shape[1..ty.rank() - 1] };
                let shape = [&[Dim::Batch], shape].concat();
                if let Some(holds) = checked {
                    let gap = e.constant("gap", Elem::Text, Vec::new(), Data::Texts(vec![String::new()]));
                    let holds = e.with_axes(holds, shape.len());
                    label = e.node(0, "Where", &[&holds, &label, &gap], &[]);
                }
                e.push(0, "Identity", name, &[&label], vec![name.clone()], Vec::new());
                let doc = match answer.classes {
                    Some(_) => format!("the class that `{}` says", answer.name),
                    None => format!("the class that `{}` says at every step", answer.name),
                };
                let shape = super::emit::sizes(&shape);
                ports.push(Port { name: name.clone(), elem: Elem::Text, shape, doc });
            }
        }
        if let (Some(name), Some(holds)) = (&self.valid, &holds) {
            e.push(0, "Identity", name, &[holds], vec![name.clone()], Vec::new());
            let doc = "false where a row cannot be answered: a gap without a rule, a category that training never saw, a scaling that is not finite";
            ports.push(Port {
                name: name.clone(),
                elem: Elem::Bool,
                shape: vec![Size::Batch],
                doc: doc.into(),
            });
        }
        Ok(ports)
    }
}

impl Emitter<'_> {
    /// Numbers `[batch, …]` in the units of the file.
    fn undone(&mut self, x: &str, answer: &Answer, shape: &[Dim]) -> Result<String, String> {
        let all = &answer.scaling;
        if all.iter().all(|s| alike(s, &all[0])) {
            return Ok(self.undo(x, all, &answer.shape));
        }
        let size = all.len();
        let mut x = self.reshaped(0, x, &[Dim::Batch, Dim::Size(size)])?;
        let mut parts = Vec::new();
        let mut first = 0;
        for end in 1..=size {
            if end == size || !alike(&all[end], &all[first]) {
                let part = self.cut(0, &x, &[(1, first as i64, end as i64, 1)]);
                parts.push(self.undo(&part, &all[first..end], &[end - first]));
                first = end;
            }
        }
        x = self.joined(0, &parts, 1);
        self.reshaped(0, &x, shape)
    }

    /// Undoes scalings that differ in their numbers alone.
    fn undo(&mut self, x: &str, scaling: &[Vec<Step>], shape: &[usize]) -> String {
        let mut x = x.to_string();
        for k in (0..scaling[0].len()).rev() {
            let numbers = |e: &mut Self, of: fn(&Step) -> f64| {
                let each: Vec<f64> = scaling.iter().map(|s| of(&s[k])).collect();
                match each.iter().all(|x| x.to_bits() == each[0].to_bits()) {
                    true => e.number(each[0], Elem::Double),
                    false => e.constant("scaling", Elem::Double, shape.to_vec(), Data::Numbers(each)),
                }
            };
            x = match scaling[0][k] {
                Step::Log => self.node(0, "Exp", &[&x], &[]),
                Step::Shift { .. } => {
                    let plain = |by: f64, of: fn(&Step) -> f64| scaling.iter().all(|s| of(&s[k]) == by);
                    let over = |s: &Step| if let Step::Shift { over, .. } = s { *over } else { 1.0 };
                    let minus = |s: &Step| if let Step::Shift { minus, .. } = s { *minus } else { 0.0 };
                    if !plain(1.0, over) {
                        let over = numbers(self, over);
                        x = self.node(0, "Mul", &[&x, &over], &[]);
                    }
                    if !plain(0.0, minus) {
                        let minus = numbers(self, minus);
                        x = self.node(0, "Add", &[&x, &minus], &[]);
                    }
                    x
                }
            };
        }
        x
    }

    /// Conditions `[batch]` with axes of size 1 for all others of so many.
    fn with_axes(&mut self, holds: &str, rank: usize) -> String {
        if rank <= 1 {
            return holds.to_string();
        }
        let axes: Vec<i64> = (1..rank as i64).collect();
        let axes = self.ints(&axes);
        self.node(0, "Unsqueeze", &[holds, &axes], &[])
    }

    /// The names of the classes at every step: those of the first largest number along the last axis.
    fn labels(&mut self, x: &str, answer: &Answer, classes: &[String]) -> String {
        let attrs = [("axis", Attr::Int(answer.shape.len() as i64)), ("keepdims", Attr::Int(0))];
        let place = self.node(0, "ArgMax", &[x], &attrs);
        let mut names = classes.to_vec();
        names.resize(names.len().max(answer.shape.last().copied().unwrap_or(1)), String::new());
        let count = names.len();
        let list = self.constant("classes", Elem::Text, vec![count], Data::Texts(names));
        self.node(0, "Gather", &[&list, &place], &[("axis", Attr::Int(0))])
    }

    /// The name of the class: one number above 0.5 says the second of two, several say that of the first largest.
    fn label(&mut self, x: &str, answer: &Answer, classes: &[String], of: Elem) -> Result<String, String> {
        let size: usize = answer.shape.iter().product();
        let place = if size == 1 {
            let flat = self.reshaped(0, x, &[Dim::Batch])?;
            let half = self.number(0.5, of);
            let above = self.node(0, "Greater", &[&flat, &half], &[]);
            self.cast(0, &above, Elem::Int64)
        } else {
            let flat = match answer.shape.len() {
                1 => x.to_string(),
                _ => self.reshaped(0, x, &[Dim::Batch, Dim::Size(size)])?,
            };
            self.node(0, "ArgMax", &[&flat], &[("axis", Attr::Int(1)), ("keepdims", Attr::Int(0))])
        };
        let mut names = classes.to_vec();
        names.resize(names.len().max(size).max(2), String::new());
        let count = names.len();
        let list = self.constant("classes", Elem::Text, vec![count], Data::Texts(names));
        Ok(self.node(0, "Gather", &[&list, &place], &[("axis", Attr::Int(0))]))
    }
}
