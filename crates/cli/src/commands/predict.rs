//! `nnc predict`: what a trained network says, as CSV or JSON.

use crate::answers::{Form, Printer};
use crate::args::TargetArgs;
use crate::commands::Run;
use crate::commands::eval::options;
use crate::failure::Result;
use crate::output::Output;
use crate::piped;
use clap::Args;
use nnc_train::{Beside, open_model, predict_ahead, predict_each};

/// What a trained network says
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc predict xor.nn --round
  nnc predict runs/iris/1 --data new.csv > answers.csv
  nnc predict runs/iris/1 --data new.csv --with id,name
  nnc predict runs/sales/1 --ahead 12
  cat new.csv | nnc predict runs/iris/1/model.safetensors --data - --json
  tail -n +1 -f measured.csv | nnc predict runs/pump/4 --stream --with time

There is one answer for every row, in the order of the file. A row that cannot be
answered, because a cell is missing or holds a category that training never saw,
has an empty one (null in JSON), and stderr says why. Of a series there is one
answer for every window, and the last says what comes after the last row.

With --stream, rows are lines of CSV below a header, or objects of JSON, one a
line; so are the answers, which come at once, for input that never ends.")]
pub struct PredictArgs {
    /// Which network.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Round numbers to whole ones; of a class, give the name only
    #[arg(long)]
    pub round: bool,
    /// Print every cell of the file beside the predictions
    #[arg(long)]
    pub full: bool,
    /// Say what comes in the N rows after the last one; each forecast is a row of the next window
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with = "full")]
    pub ahead: Option<u32>,
    /// Answer rows from stdin one by one, each as soon as it is there, for as long as they come
    #[arg(long, conflicts_with_all = ["data", "ahead"])]
    pub stream: bool,
    /// Print these columns of the file beside the predictions
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', conflicts_with = "full")]
    pub with: Vec<String>,
}

impl Run for PredictArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Predicts and prints.
fn run(args: &PredictArgs, out: &mut Output) -> Result<u8> {
    let trained = open_model(&args.target.target)?;
    let beside = match (args.full, args.with.is_empty()) {
        (true, _) => Beside::All,
        (false, true) => Beside::Nothing,
        (false, false) => Beside::Columns(args.with.clone()),
    };
    if args.stream {
        return piped::answer(&trained, &options(&args.target), &beside, args.target.json, args.round, out);
    }
    let mut write = |text: &str| out.result(text);
    let form = if args.target.json { Form::Json } else { Form::Csv };
    let mut printer = Printer::new(form, args.round, &mut write);
    printer.ahead = args.ahead.is_some();
    let said = match args.ahead {
        Some(n) => predict_ahead(&trained, &options(&args.target), n as usize, &beside, &mut printer)
            .map(|()| Vec::new()),
        None => predict_each(&trained, &options(&args.target), &beside, &mut printer),
    };
    let printed = printer.finish();
    let notes = said?;
    printed?;
    out.diagnostics(&notes, &trained.spec.sources);
    Ok(0)
}
