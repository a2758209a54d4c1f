//! One training and what is said of it: shared by the commands that train.

use crate::args::ResultArgs;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::progress::Reporter;
use crate::{run_page, run_report};
use nnc_model::Model;
use nnc_train::{InferOptions, Loaded, Report, TrainOptions, train};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a run that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;
/// What follows from mistakes before the first step.
pub const NOTHING: &str = "nothing was trained";

/// Trains and tells what came of it; the exit code.
pub fn train_and_report(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    style: ResultArgs,
    out: &mut Output,
) -> Result<u8> {
    let report = trained(loaded, model, options, style, out)?;
    let text = match (style.json, style.quiet) {
        _ if style.json_lines => format!("{}\n", crate::epochs::end(&report)),
        (true, _) => format!("{}\n", run_report::object(&report)),
        (false, true) => run_report::one_line(&report, loaded.spec.overrides()),
        (false, false) => run_report::whole(&report),
    };
    out.result(&text)?;
    Ok(if report.interrupted() { INTERRUPTED } else { 0 })
}

/// Trains with the progress shown, and writes the page of the run.
pub fn trained(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    style: ResultArgs,
    out: &mut Output,
) -> Result<Report> {
    let mut reporter = Reporter::new(out, &loaded.spec.sources, style, |figure| model.better(figure));
    let outcome = train(loaded, model, options, &mut reporter);
    let begun = reporter.finish();
    let report = outcome.map_err(|p| Failure::from(p).with_tail(if begun { "" } else { NOTHING }))?;
    if let Some(folder) = report.run.as_ref().filter(|_| !style.no_report) {
        let asked = InferOptions { data: None, threads: options.threads, memory_limit: options.memory_limit };
        run_page::after_training(folder, Some(loaded), &asked, out);
    }
    Ok(report)
}

/// A flag that Ctrl-C raises; the second Ctrl-C ends the process at once.
pub fn interrupt(out: &mut Output) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    let handled = ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    if let Err(error) = handled {
        out.note(&format!("Ctrl-C will lose this run: {error}"));
    }
    flag
}
