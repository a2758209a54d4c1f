//! What the data offers to a program: its ports, under the names the program has for them.

use crate::binding::roles::name_after_columns;
use nnc_data::{ColumnKind, ColumnStats, Fill, PortId, Role, Schema, Stats, Step};
use nnc_model::data::{Counts, PortDecl, Unscale};
use nnc_model::{Port, Ports, Spec};
use nnc_syntax::{Code, Diagnostic};

/// What a schema offers to a program that may have names of its own for it.
pub(crate) fn ports(schema: &Schema, spec: &Spec) -> Result<Ports, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut side = |ports: &[Port], target: bool| -> Vec<Port> {
        let mut ports = ports.to_vec();
        for decl in spec.ports.iter().filter(|d| d.target == target) {
            if let Err(d) = name_port(&mut ports, decl) {
                diagnostics.push(*d);
            }
        }
        ports
    };
    let (inputs, targets) = (side(&schema.inputs, false), side(&schema.targets, true));
    if diagnostics.is_empty() {
        let mut ports = Ports {
            inputs,
            targets,
            weighted: schema.weighted,
            has_valid: false,
            samples: 0,
            ..Ports::default()
        };
        let weight = schema.columns.iter().find(|c| c.role == Role::Weight);
        ports.weight = weight.map(|c| c.name.clone());
        name_after_columns(&mut ports, schema, spec);
        return Ok(ports);
    }
    Err(diagnostics)
}

/// How the targets come back to the units of the file, which only the statistics of the data know.
pub(crate) fn with_units(ports: &mut Ports, stats: &Stats) {
    let of = |at: usize| -> Vec<Unscale> {
        let columns = stats.schema.columns.iter().zip(&stats.columns);
        let own = columns.filter(|(c, _)| c.role == Role::Target && c.port == Some(at));
        let units: Vec<Unscale> =
            own.flat_map(|(c, s)| std::iter::repeat_n(unscale(&s.steps), c.width)).collect();
        match units.iter().all(|u| *u == Unscale::PLAIN) {
            true => Vec::new(),
            false => units,
        }
    };
    ports.units = (0..ports.targets.len()).map(of).collect();
}

/// How often the classes of the targets come in the training part, which only its statistics know.
pub(crate) fn with_counts(ports: &mut Ports, stats: &Stats) {
    ports.counts = ports.targets.iter().enumerate().map(|(at, port)| counts(stats, at, port)).collect();
}

fn counts(stats: &Stats, at: usize, port: &Port) -> Option<Counts> {
    let columns: Vec<&ColumnStats> = stats.columns_of(PortId::Target(at)).collect();
    if port.classes.is_some() {
        let [column] = columns[..] else { return None };
        // The characters of a text are counted in all of it.
        let of_text = matches!(column.kind, ColumnKind::Characters | ColumnKind::Bytes);
        let mut each: Vec<f64> = column.counts.iter().map(|n| *n as f64).collect();
        // Padding is no class that a loss sees.
        if let (Some(_), Some(padding)) = (column.unit, each.first_mut()) {
            *padding = 0.0;
        }
        let of = each.iter().sum();
        return (!of_text && of > 0.0).then_some(Counts { each, of, names: Vec::new() });
    }
    let (mut each, mut names, mut of) = (Vec::new(), Vec::new(), None);
    for column in columns {
        let (totals, count) = totals(column)?;
        if *of.get_or_insert(count) != count {
            return None;
        }
        match column.vocabulary.len() == totals.len() {
            true => names.extend(column.vocabulary.iter().cloned()),
            false => names.extend(totals.iter().map(|_| column.name.clone())),
        }
        each.extend(totals);
    }
    let width = port.shape.last().copied().unwrap_or(1);
    // Several rows of one column.
    if each.len() == 1 && width > 1 {
        each = vec![each[0]; width];
    }
    (each.len() == width).then_some(Counts { each, of: of?, names })
}

/// The sum of each number of a column from 0 to 1 (of -1 and 1 how many are 1), and how many values it has.
fn totals(column: &ColumnStats) -> Option<(Vec<f64>, f64)> {
    let filled = |x: f64| x * column.missing as f64;
    match column.kind {
        ColumnKind::Category if column.one_hot => {
            let each: Vec<f64> = column.counts.iter().map(|n| *n as f64).collect();
            let of = each.iter().sum();
            Some((each, of))
        }
        ColumnKind::Number if column.steps.is_empty() && !column.indicator => {
            let (kept, more) = match column.fill {
                Fill::Number(x) => ((column.count + column.missing) as f64, filled(x)),
                _ => (column.count as f64, 0.0),
            };
            let sum = column.mean * column.count as f64 + more;
            let sides = column.min == -1.0 && column.max <= 1.0;
            match sides {
                true => Some((vec![(kept + sum) / 2.0], kept)),
                false if column.min >= 0.0 && column.max <= 1.0 => Some((vec![sum], kept)),
                false => None,
            }
        }
        ColumnKind::Tensor if !column.totals.is_empty() => {
            let places = column.shape.iter().product::<usize>() / column.totals.len();
            let of = column.count as f64 * places as f64;
            let each = column.totals.iter().map(|t| if column.min < 0.0 { (of + t) / 2.0 } else { *t });
            Some((each.collect(), of))
        }
        _ => None,
    }
}

fn unscale(steps: &[Step]) -> Unscale {
    steps.iter().rev().fold(Unscale::PLAIN, |all, step| match *step {
        Step::Shift { minus, over } => {
            Unscale { over: all.over * over, minus: all.minus * over + minus, ..all }
        }
        // A logarithm is the first of the scalings, and so the last to be undone.
        Step::Log => Unscale { log: true, ..all },
    })
}

/// Finds the port a declaration means, gives it its name and checks its shape.
fn name_port(ports: &mut [Port], decl: &PortDecl) -> Result<(), Box<Diagnostic>> {
    let word = if decl.target { "target" } else { "input" };
    let found = ports.iter().position(|p| p.name == decl.name);
    let at = match (found, &*ports) {
        (Some(at), _) => at,
        (None, [_]) => 0,
        (None, []) => {
            let d = Diagnostic::error(
                Code::N0513,
                format!("the data has no {word}, so it cannot be called `{}`", decl.name),
            );
            return Err(Box::new(d.label(decl.span, "")));
        }
        (None, ports) => {
            let names: Vec<&str> = ports.iter().map(|p| p.name.as_str()).collect();
            let d = Diagnostic::error(Code::N0513, format!("the data has no {word} called `{}`", decl.name));
            return Err(Box::new(d.label(decl.span, "").help(format!("it has {}", names.join(", ")))));
        }
    };
    let port = &mut ports[at];
    port.name.clone_from(&decl.name);
    let Some(shape) = &decl.shape else { return Ok(()) };
    let count = |s: &[usize]| s.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if *shape == port.shape {
        return Ok(());
    }
    // 784 columns may be a picture.
    let steps = !port.ragged || shape.first() == port.shape.first();
    if port.classes.is_none() && steps && count(shape) == count(&port.shape) {
        port.shape.clone_from(shape);
        return Ok(());
    }
    let show = |s: &[usize]| match s {
        [] => "one class".to_string(),
        s => nnc_syntax::units::sizes(s),
    };
    let message = format!("`{}` is {} here and {} in the data", decl.name, show(shape), show(&port.shape));
    let d = Diagnostic::error(Code::N0513, message).label(decl.span, "").cause(port.about.clone());
    Err(Box::new(d))
}

/// Ports of the declared names; any shape will do.
pub(crate) fn guessed(decls: &[PortDecl]) -> Ports {
    let side = |target: bool, default: &str| {
        let port = |name: &str, shape: Option<&Vec<usize>>| Port {
            name: name.to_string(),
            shape: shape.cloned().unwrap_or_else(|| vec![1]),
            classes: None,
            about: String::new(),
            ragged: false,
            padded: false,
        };
        let of_side = decls.iter().filter(|d| d.target == target);
        let mut ports: Vec<Port> = of_side.map(|d| port(&d.name, d.shape.as_ref())).collect();
        if ports.is_empty() {
            ports.push(port(default, None));
        }
        ports
    };
    let (inputs, targets) = (side(false, "input"), side(true, "target"));
    Ports { inputs, targets, weighted: false, has_valid: true, samples: 1, ..Ports::default() }
}
