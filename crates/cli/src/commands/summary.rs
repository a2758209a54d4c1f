//! `nnc summary`: the layers with their shapes, weights and costs.

use crate::args::{Precision, SpecArgs};
use crate::commands::Run;
use crate::failure::Result;
use crate::format::{bytes, count, grouped, shape};
use crate::input::{Compiled, compile};
use crate::output::Output;
use crate::stage::{flat, place};
use crate::table::Table;
use clap::Args;
use nnc_graph::Role;
use nnc_model::{LayerRow, Model};
use serde_json::{Value, json};

/// The layers with their shapes, weights and costs
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc summary xor.nn
  nnc summary xor-experiments.nn --as deep
  nnc summary runs/xor/1 --json")]
pub struct SummaryArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Run for SummaryArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Prints the table.
fn run(args: &SummaryArgs, out: &mut Output) -> Result<u8> {
    let compiled = compile(&args.spec, Precision::F32, out)?;
    if args.json {
        out.json(&object(&compiled))?;
    } else {
        out.result(&table(&compiled.model))?;
    }
    Ok(0)
}

fn table(model: &Model) -> String {
    let mut table = Table::default()
        .words("layer")
        .words("shape")
        .numbers("weights")
        .numbers("FLOPs")
        .numbers("bytes")
        .words("name");
    for row in &model.layers {
        table.row(vec![
            flat(&row.text),
            shape(&row.shape),
            grouped(row.weights as u64),
            grouped(row.flops),
            grouped(row.bytes),
            row.name.clone(),
        ]);
    }
    let total = Total::of(model);
    let kept = bytes(total.weights.saturating_mul(4));
    let frozen = match total.frozen {
        0 => String::new(),
        n => format!(", of which {} frozen", grouped(n)),
    };
    format!(
        "{}\n{} ({kept}){frozen}; for one sample forward: {} FLOPs, {} of activations\n",
        table.text(),
        count(total.weights, "weight"),
        grouped(total.flops),
        bytes(total.bytes)
    )
}

struct Total {
    weights: u64,
    frozen: u64,
    flops: u64,
    bytes: u64,
}

impl Total {
    /// Of a whole network; weights declared at the top of a file belong to no row.
    fn of(model: &Model) -> Self {
        let sum = |of: fn(&LayerRow) -> u64| model.layers.iter().map(of).fold(0, u64::saturating_add);
        let weights = |frozen: bool| {
            let weights = model.parameters.iter().filter(|p| p.role == Role::Weight && (p.frozen || !frozen));
            weights.map(|p| p.shape.iter().product::<usize>() as u64).fold(0, u64::saturating_add)
        };
        Self {
            weights: weights(false),
            frozen: weights(true),
            flops: sum(|r| r.flops),
            bytes: sum(|r| r.bytes),
        }
    }
}

fn object(compiled: &Compiled) -> Value {
    let total = Total::of(&compiled.model);
    let layers = compiled.model.layers.iter().map(|row| layer(compiled, row));
    json!({
        "layers": layers.collect::<Vec<Value>>(),
        "weights": total.weights,
        "frozen": total.frozen,
        "flops": total.flops,
        "bytes": total.bytes,
    })
}

/// A layer as data.
pub fn layer(compiled: &Compiled, row: &LayerRow) -> Value {
    json!({
        "name": row.name,
        "text": flat(&row.text),
        "shape": row.shape,
        "weights": row.weights,
        "flops": row.flops,
        "bytes": row.bytes,
        "place": place(&compiled.spec, row.span),
    })
}
