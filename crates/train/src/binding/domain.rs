//! What the values of the ports are: a loss that takes no negative targets is told of some before any training.

use nnc_data::{Dataset, PortId, Table};
use nnc_model::Ports;
use nnc_model::data::Domain;

/// So many numbers of a target are looked at in each part, and a quarter of it of an input.
const NUMBERS: usize = 1 << 22;

/// Fills in the domains of the ports, which stand in the order of the data's.
pub(crate) fn look(data: &Dataset, ports: &mut Ports) {
    let parts = || [Some(&data.train), data.valid.as_ref(), data.test.as_ref()].into_iter().flatten();
    for (i, port) in ports.targets.iter().enumerate().filter(|(_, p)| p.classes.is_none()) {
        let last = port.shape.last().copied().unwrap_or(1);
        let each = parts().filter_map(|table| domain(table, PortId::Target(i), last, NUMBERS));
        ports.domains.extend(each.reduce(Domain::with).map(|d| (port.name.clone(), d)));
    }
    for (i, port) in ports.inputs.iter().enumerate().filter(|(_, p)| p.classes.is_none()) {
        let last = port.shape.last().copied().unwrap_or(1);
        let found = domain(&data.train, PortId::Input(i), last, NUMBERS / 4);
        ports.domains.extend(found.map(|d| (port.name.clone(), d)));
    }
}

/// The domain of a port in the first rows of a table.
fn domain(table: &Table, port: PortId, last: usize, most: usize) -> Option<Domain> {
    const BLOCK: usize = 1 << 10;
    let width = table.width(port).filter(|w| *w > 0)?;
    let rows = table.len().min(most / width).min(u32::MAX as usize);
    let mut out: Option<Domain> = None;
    let mut values: Vec<f64> = Vec::new();
    for first in (0..rows).step_by(BLOCK) {
        let some: Vec<u32> = (first as u32..rows.min(first + BLOCK) as u32).collect();
        values.resize(some.len() * width, 0.0);
        // A row that cannot be read is told of when it is needed.
        table.gather_f64(port, &some, &mut values).ok()?;
        let here = Domain::of(values.iter().copied(), last)?;
        out = Some(out.map_or(here, |d| d.with(here)));
    }
    out
}
