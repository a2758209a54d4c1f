//! Weights of Keras and PyTorch: whose tensor is whose, and in which order its numbers stand.
//!
//! 1. The file's tensors are put together into parts, such as a `Linear` with its bias (`parts`); the program's into
//!    groups, such as `dense1`.
//! 2. A part fits a group if its numbers, brought into our order (`fit`), have the group's shapes.
//! 3. Parts and groups that fit are paired (`pair`): by what the user says, by equal names, by shape where that leaves
//!    one choice, else in the order of the numbers in their names. What stays open is an error that names both sides.

mod fit;
mod pair;
mod parts;

pub use pair::Unpaired;

use crate::TensorFile;
use std::collections::BTreeMap;

/// Where a file comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Library {
    /// `save_file(model.state_dict(), …)`
    Torch,
    /// `save_file({v.path: v.numpy() for v in model.variables}, …)`
    Keras,
}

/// A weight or running statistic of the program.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    /// Its path.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Where its first axis is a picture or sequence in one row, `[…space, channels]`: PyTorch has the channels first.
    pub flattened: Option<Vec<usize>>,
}

/// Numbers in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub struct Array {
    /// The size of every axis.
    pub shape: Vec<usize>,
    /// The numbers.
    pub data: Vec<f64>,
}

/// What goes where.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Imported {
    /// Our tensors by path.
    pub tensors: BTreeMap<String, Array>,
    /// The names of a part and of its group, in the program's order.
    pub pairs: Vec<(String, String)>,
}

/// Finds a tensor of the file for each of the program.
///
/// `map` pairs parts with groups by name; a `*` on both sides stands for numbers, in their order. `skip` names parts
/// (with `*`) that are to be left out.
///
/// # Errors
/// What is left over on both sides, and what cannot be told apart.
pub fn import(
    file: &TensorFile,
    from: Library,
    wanted: &[Wanted],
    map: &[(String, String)],
    skip: &[String],
) -> Result<Imported, Unpaired> {
    let parts = parts::parts(file, from, skip);
    let together = parts.iter().any(parts::Part::is_attention);
    let groups = parts::groups(wanted, together);
    let pairs = pair::pairs(&parts, &groups, map)?;
    let mut out = Imported::default();
    for (group, (part, tensors)) in groups.iter().zip(pairs) {
        out.pairs.push((parts[part].name.clone(), group.name.clone()));
        out.tensors.extend(tensors);
    }
    Ok(out)
}
