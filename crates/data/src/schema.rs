//! What the network's side sees: inputs and targets with their shapes.

use crate::spec::Role;
use serde::{Deserialize, Serialize};

pub use nnc_syntax::Port;

/// The ports of a dataset and the columns they were made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// What goes into the network.
    pub inputs: Vec<Port>,
    /// What should come out.
    pub targets: Vec<Port>,
    /// Every column that was read, in file order.
    pub columns: Vec<Column>,
    /// Whether rows carry weights.
    pub weighted: bool,
}

impl Schema {
    /// The port of this name.
    pub fn find(&self, name: &str) -> Option<PortId> {
        let at = |ports: &[Port]| ports.iter().position(|p| p.name == name);
        at(&self.inputs).map(PortId::Input).or_else(|| at(&self.targets).map(PortId::Target))
    }

    /// The port behind an id.
    pub fn port(&self, id: PortId) -> Option<&Port> {
        match id {
            PortId::Input(i) => self.inputs.get(i),
            PortId::Target(i) => self.targets.get(i),
        }
    }
}

/// Names a port of a [`Schema`] and of its tables by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortId {
    /// The `i`-th input.
    Input(usize),
    /// The `i`-th target.
    Target(usize),
}

/// One column that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// What it holds.
    pub kind: ColumnKind,
    /// Its port (among inputs or targets, as the role says).
    pub port: Option<usize>,
    /// Its first slot in the port.
    pub offset: usize,
    /// How many slots it takes.
    pub width: usize,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// A number per row.
    Number,
    /// A category per row.
    Category,
    /// A date or time per row.
    Date,
    /// An array of numbers per row.
    Tensor,
    /// A list of characters per row.
    Characters,
    /// A list of bytes, as classes, per row.
    Bytes,
    /// A text of the table, as classes, per row.
    Tokens,
}
