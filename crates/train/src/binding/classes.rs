//! Arrays of whole numbers that a program takes for classes: what it embeds, or compares with the classes of a softmax.
//!
//! An array says nothing about what its numbers are. Where the program wants classes of it and its numbers can be such,
//! the data is opened once more with the array as a category, as if the program said so.

use nnc_data::{ColumnName, Columns, Kind, Role, RoleSpec, Schema};
use nnc_model::{Ports, Spec};

/// The columns of a schema that the program takes for classes.
pub(crate) fn wanted(spec: &Spec, ports: &Ports, schema: &Schema) -> Vec<(Role, String)> {
    let array = |role: Role, at: usize| {
        let of = |c: &&nnc_data::Column| c.role == role && c.port == Some(at);
        let column = schema.columns.iter().find(of)?;
        (column.kind == nnc_data::ColumnKind::Tensor).then(|| column.name.clone())
    };
    let side = |role: Role, ports: &[nnc_model::Port]| {
        let open = ports.iter().enumerate().filter(|(_, p)| p.classes.is_none());
        open.filter_map(|(at, p)| Some((p.name.clone(), role, array(role, at)?))).collect::<Vec<_>>()
    };
    let arrays = [side(Role::Input, &ports.inputs), side(Role::Target, &ports.targets)].concat();
    if arrays.is_empty() {
        return Vec::new();
    }
    let names = spec.wants_classes(ports);
    arrays
        .into_iter()
        .filter(|(port, ..)| names.contains(port))
        .map(|(_, role, column)| (role, column))
        .collect()
}

/// The roles that say so.
pub(crate) fn roles(roles: &[RoleSpec], wanted: &[(Role, String)], schema: &Schema) -> Vec<RoleSpec> {
    let is_wanted = |role: Role, name: &str| wanted.iter().any(|(r, n)| *r == role && n == name);
    let mut out = Vec::new();
    let mut named: Vec<(Role, String)> = Vec::new();
    for line in roles {
        let Columns::Names(names) = &line.columns else {
            out.push(line.clone());
            continue;
        };
        named.extend(names.iter().map(|n| (line.role, n.name.clone())));
        let (classes, rest): (Vec<ColumnName>, Vec<ColumnName>) =
            names.iter().cloned().partition(|n| is_wanted(line.role, &n.name));
        if !rest.is_empty() {
            out.push(RoleSpec { columns: Columns::Names(rest), ..line.clone() });
        }
        if !classes.is_empty() {
            let kind = if line.kind == Kind::Auto { Kind::Category } else { line.kind };
            out.push(RoleSpec { columns: Columns::Names(classes), kind, ..line.clone() });
        }
    }
    let has_rest = roles.iter().any(|r| r.columns == Columns::Rest);
    for column in &schema.columns {
        let wanted = is_wanted(column.role, &column.name);
        let known = named.iter().any(|(r, n)| *r == column.role && *n == column.name);
        if known || has_rest && !wanted {
            continue;
        }
        let line = RoleSpec::new(column.role, [column.name.clone()]);
        out.push(if wanted { RoleSpec { kind: Kind::Category, ..line } } else { line });
    }
    out
}
