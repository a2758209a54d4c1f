//! The ports that follow from the columns.

use crate::fault::{Fault, Faults, codes};
use crate::roles::Use;
use crate::schema::{Column, ColumnKind, Port, PortId, Schema};
use crate::spec::Role;
use crate::stats::{ColumnStats, Window};

/// Lays the columns out over ports.
pub(crate) fn schema(
    columns: &[ColumnStats],
    uses: &[Use],
    source: &str,
    window: Option<Window>,
    faults: &mut Faults,
) -> Schema {
    let mut list: Vec<Column> = columns
        .iter()
        .map(|s| Column { name: s.name.clone(), role: s.role, kind: s.kind, port: None, offset: 0, width: 0 })
        .collect();
    // Wherever the file lies: the schema is a part of the model.
    let source = source.rsplit(['/', '\\']).next().unwrap_or(source);
    let mut sides = [Vec::new(), Vec::new()];
    for (side, role) in sides.iter_mut().zip([Role::Input, Role::Target]) {
        let default = if role == Role::Input { "input" } else { "target" };
        let wants_own =
            |s: &ColumnStats| uses.iter().any(|u| u.own_port && u.position == s.position && u.role == s.role);
        let of_role: Vec<usize> = (0..columns.len()).filter(|&i| columns[i].role == role).collect();
        let own = |&i: &usize| wants_own(&columns[i]) || columns[i].is_own();
        let groups = group(&of_role, own, |&i| columns[i].sequence);
        let single = groups.len() == 1;
        for (index, members) in groups.iter().enumerate() {
            let mut offset = 0;
            for &i in members {
                list[i].port = Some(index);
                list[i].offset = offset;
                list[i].width = columns[i].width();
                offset += list[i].width;
            }
            let asked = members.iter().any(|&i| wants_own(&columns[i]));
            let alone = members.len() == 1 && (asked || !single);
            let name = if alone { columns[members[0]].name.clone() } else { default.to_string() };
            side.push(port(name, members, columns, offset, source));
        }
    }
    let [mut inputs, mut targets] = sides;
    if let Some(window) = window {
        inputs.iter_mut().for_each(|p: &mut Port| p.shape.insert(0, window.length));
        if window.whole.is_some() {
            inputs.iter_mut().for_each(|p| p.ragged = true);
            targets.iter_mut().filter(|p| p.ragged).for_each(|p| p.shape.insert(0, window.length));
        } else if window.until.is_some() {
            targets.iter_mut().for_each(|p: &mut Port| p.shape.insert(0, window.steps()));
        }
    }
    let weighted = columns.iter().any(|c| c.role == Role::Weight);
    let schema = Schema { inputs, targets, columns: list, weighted };
    let ports = schema.inputs.iter().chain(&schema.targets);
    let names = ports.flat_map(|p| [Some(p.name.clone()), p.ragged.then(|| p.length_name())]);
    let mut names: Vec<String> = names.flatten().collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|w| w[0] == w[1]) {
        let message = format!("two ports of the network would be called `{}`", pair[0]);
        faults.push(Fault::new(codes::ROLES, message).help("rename the column in the file"));
    }
    schema
}

/// The joined columns stand where the first of them stands. Those with a value for every step are joined with their
/// like only.
fn group(
    columns: &[usize],
    own: impl Fn(&usize) -> bool,
    sequence: impl Fn(&usize) -> bool,
) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut joined: [Option<usize>; 2] = [None; 2];
    for i in columns {
        let joined = &mut joined[usize::from(sequence(i))];
        match *joined {
            _ if own(i) => groups.push(vec![*i]),
            Some(at) => groups[at].push(*i),
            None => {
                *joined = Some(groups.len());
                groups.push(vec![*i]);
            }
        }
    }
    groups
}

fn port(name: String, members: &[usize], columns: &[ColumnStats], width: usize, source: &str) -> Port {
    let first = &columns[members[0]];
    // An array of classes has their names; one of numbers has none.
    let classes = first.is_own() && (first.kind != ColumnKind::Tensor || !first.vocabulary.is_empty());
    let shape = match first.kind {
        ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => {
            first.shape.clone()
        }
        ColumnKind::Category if classes => Vec::new(),
        _ => vec![width],
    };
    let about = match members {
        [_] if classes => format!("`{}` of {source}, {} classes", first.name, first.vocabulary.len()),
        [_] => format!("`{}` of {source}", first.name),
        many => format!("{} columns of {source}", many.len()),
    };
    let ragged = first.sequence;
    let padded = first.kind == ColumnKind::Tokens;
    Port { name, shape, classes: classes.then(|| first.vocabulary.clone()), about, ragged, padded }
}

/// The id of the port a column belongs to.
pub(crate) fn port_of(column: &Column) -> Option<PortId> {
    match column.role {
        Role::Input => column.port.map(PortId::Input),
        Role::Target => column.port.map(PortId::Target),
        _ => None,
    }
}
