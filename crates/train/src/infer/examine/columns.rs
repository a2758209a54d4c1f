//! Which numbers of the inputs a column is made of.

use crate::infer::inference::Trained;
use nnc_data::Role;

/// An input column.
pub(super) struct InputColumn {
    pub(super) name: String,
    /// The port it goes into.
    pub(super) port: usize,
    /// Its places in the numbers of a row of the port.
    pub(super) places: Vec<usize>,
}

/// The columns that go into a network whose samples all have one size; none for others.
pub(super) fn input_columns(model: &Trained) -> Vec<InputColumn> {
    let ports = &model.ports.inputs;
    if ports.iter().any(|p| p.ragged) {
        return Vec::new();
    }
    let columns = model.stats.schema.columns.iter().filter(|c| c.role == Role::Input);
    let column = |c: &nnc_data::Column| {
        let port = c.port?;
        let size = ports.get(port)?.size();
        // A window has all columns once for every row of it.
        let rows = model.stats.window.map_or(1, |w| w.length).max(1);
        let one = (size / rows).max(1);
        let places = (0..size / one).flat_map(|row| (0..c.width).map(move |i| row * one + c.offset + i));
        let places: Vec<usize> = places.filter(|at| *at < size).collect();
        (!places.is_empty()).then(|| InputColumn { name: c.name.clone(), port, places })
    };
    columns.filter_map(column).collect()
}
