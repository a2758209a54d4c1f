//! What training needs of `f32` and `f64` beyond arithmetic.

use nnc_artifact::Values;
use nnc_data::{Fault, PortId, Table};
use nnc_engine::Real;

/// A precision to train in.
pub(crate) trait Float: Real {
    /// Copies rows of a port into a batch.
    fn gather(table: &Table, port: PortId, rows: &[u32], out: &mut [Self]) -> Result<(), Box<Fault>>;
    /// Numbers for a file.
    fn values(numbers: &[Self]) -> Values;
}

impl Float for f32 {
    fn gather(table: &Table, port: PortId, rows: &[u32], out: &mut [Self]) -> Result<(), Box<Fault>> {
        table.gather_f32(port, rows, out)
    }

    fn values(numbers: &[Self]) -> Values {
        Values::F32(numbers.to_vec())
    }
}

impl Float for f64 {
    fn gather(table: &Table, port: PortId, rows: &[u32], out: &mut [Self]) -> Result<(), Box<Fault>> {
        table.gather_f64(port, rows, out)
    }

    fn values(numbers: &[Self]) -> Values {
        Values::F64(numbers.to_vec())
    }
}

/// Runs the body with `$t` as the precision `$dtype` asks for.
macro_rules! with_float {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            nnc_graph::DType::F64 => {
                type $t = f64;
                $body
            }
            _ => {
                type $t = f32;
                $body
            }
        }
    };
}
pub(crate) use with_float;
