//! The page of a run: what the trainer knows of it, as `nnc_report` draws it.

use crate::drawing;
use crate::failure::{Failure, Result};
use crate::format::{cell, count, duration, grouped, short};
use crate::output::Output;
use nnc_report::page::classes::Classes;
use nnc_report::page::importance::{Column, Importance};
use nnc_report::page::numbers::Numbers;
use nnc_report::page::plane::{Plane, Spot};
use nnc_report::page::run::{Answers, Figures, Picture, Run, Weights, Worst};
use nnc_report::page::{Curves, run};
use nnc_syntax::Diagnostic;
use nnc_train::{
    Answered, Compared, Examined, InferOptions, Loaded, Problem, RunInfo, Trained, WorstRow, examine,
    open_model, run_info, weight_spread,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The name of the page in the folder of a run.
pub const PAGE: &str = "report.html";
/// Columns of inputs that are told of a row.
const COLUMNS: usize = 6;
/// Pictures are made this small at least.
const PIXELS: usize = 64;

/// Writes the page of a run that has just ended. That it cannot be made is said, and is no failure of the training.
pub fn after_training(folder: &Path, loaded: Option<&Loaded>, options: &InferOptions, out: &mut Output) {
    let made = catch_unwind(AssertUnwindSafe(|| {
        let trained = open_model(folder)?;
        write_own(folder, &of_run(&trained, loaded, options, out)).map(|_| ())
    }));
    // What panicked has been told.
    or_say(made.unwrap_or(Err(Failure::Closed)), folder, out);
}

/// Says why a page could not be written into a folder, where it could not.
pub fn or_say(written: Result<()>, folder: &Path, out: &mut Output) {
    let why = match written {
        Ok(()) => return,
        Err(Failure::Problem { problem, .. }) => message(&problem),
        Err(Failure::Closed) => "see above".into(),
    };
    let folder = folder.display();
    out.say(&format!("{PAGE} could not be written: {why}; `nnc report {folder}` tries again"));
}

/// Writes a page into a folder, and says where; not over a page that nnc did not write.
pub fn write_own(folder: &Path, text: &str) -> Result<PathBuf> {
    let path = folder.join(PAGE);
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if !there.is_empty() && !there.contains("<meta name=\"generator\" content=\"nnc\">") {
        let help = "--out FILE names another file";
        return Err(Failure::usage(format!("`{}` was not written by nnc", path.display()), help));
    }
    write(&path, text)?;
    Ok(path)
}

/// Writes a page into a file, whole or not at all.
pub fn write(path: &Path, text: &str) -> Result<()> {
    nnc_artifact::write_atomic(path, text.as_bytes()).map_err(|e| {
        let help = "--out FILE names another file";
        Failure::usage(format!("`{}` cannot be written: {e}", path.display()), help)
    })
}

fn message(problem: &Problem) -> String {
    problem.diagnostics.first().map_or(String::new(), |d: &Diagnostic| d.message.clone())
}

/// The folder of a run's model.
pub fn folder(trained: &Trained) -> PathBuf {
    trained.path.parent().map_or(PathBuf::new(), Path::to_path_buf)
}

/// The page of a run. Where the data is not to be had, it is a page without predictions, and that is said.
pub fn of_run(
    trained: &Trained,
    loaded: Option<&Loaded>,
    options: &InferOptions,
    out: &mut Output,
) -> String {
    let folder = folder(trained);
    let info = run_info(&folder).unwrap_or_default();
    let spec = &trained.spec;
    let title = spec.sources.get(spec.source).name.clone();
    let mut page = Run {
        about: about(&info),
        title,
        parts: parts(&info),
        curves: curves(&folder, &info),
        network: Some(nnc_report::network(&trained.model.forward, &drawing::program(spec, &trained.model))),
        files: drawing::own_files(spec),
        facts: facts(&info),
        ..Run::default()
    };
    let examined = match trained.is_of_stdin() && loaded.is_none() && options.data.is_none() {
        true => Err("its rows came from stdin, and cannot be read again".to_string()),
        false => examine(trained, loaded, options).map_err(|problem| message(&problem)),
    };
    match examined {
        Ok(examined) => {
            if loaded.is_none() {
                out.diagnostics(&examined.notes, &spec.sources);
            }
            fill(&mut page, &examined);
        }
        Err(why) => {
            let why = format!("There are no predictions here: {why}.");
            out.note(&format!("{}: {why}", folder.join(PAGE).display()));
            page.notes.push(why);
        }
    }
    page.weights = weight_spread(trained).unwrap_or_default().into_iter().map(weights).collect();
    run::print(&page)
}

fn weights(spread: nnc_train::WeightSpread) -> Weights {
    let nnc_train::WeightSpread { name, count, bins, start, end } = spread;
    Weights { name, count, bins, start, end }
}

/// `loss 0.013  val_loss 0.034; 88 epochs in 33 ms`
fn about(info: &RunInfo) -> String {
    if info.ended.is_none() {
        return "a model of which no run is known".into();
    }
    let figures = info.figures.iter().filter_map(|(name, x)| Some(format!("{name} {}", short((*x)?))));
    let figures = figures.collect::<Vec<_>>().join(", ");
    format!("{figures}; {} in {}", count(info.epochs, "epoch"), duration(info.seconds))
}

fn parts(info: &RunInfo) -> Vec<(String, Figures)> {
    let [train, valid] = info.counts;
    let part = |name: &str, prefix: &str, figures: &[(String, Option<f64>)]| {
        let plain = |(n, x): &(String, Option<f64>)| (n.strip_prefix(prefix).unwrap_or(n).to_string(), *x);
        (name.to_string(), figures.iter().map(plain).collect::<Vec<_>>())
    };
    let of = |from: usize, to: usize| info.figures.get(from..to).unwrap_or_default();
    let all = [
        part("training, each batch before its step", "", of(0, train)),
        part("validation", "val_", of(train, train + valid)),
        part("test", "test_", of(train + valid, info.figures.len())),
    ];
    all.into_iter().filter(|(_, figures)| !figures.is_empty()).collect()
}

/// The figures over the epochs.
pub fn curves(folder: &Path, info: &RunInfo) -> Curves {
    let mut columns = nnc_train::history(folder);
    let stage = columns.iter().position(|(name, _)| name == "stage").map(|at| columns.remove(at).1);
    let stage = stage.unwrap_or_default();
    let pairs = stage.windows(2).enumerate().filter(|(_, w)| w[0] != w[1]);
    let stages = pairs.map(|(i, _)| i as u64 + 1).collect();
    Curves { columns, stages, kept: info.best_epoch }
}

/// Settings, versions and times of a run.
pub fn facts(info: &RunInfo) -> Vec<(String, String)> {
    if info.ended.is_none() {
        return Vec::new();
    }
    let set = info.set.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
    let per_second = (info.seconds > 0.0).then(|| info.steps as f64 / info.seconds);
    let named = [
        ("program", Some(info.spec.clone())),
        ("folder", Some(info.folder.display().to_string())),
        ("experiment", info.experiment.clone()),
        ("parameters", (!set.is_empty()).then_some(set)),
        ("seed", Some(info.seed.to_string())),
        ("fold", info.fold.map(|(i, k)| format!("{i} of {k}"))),
        ("epochs", Some(grouped(info.epochs))),
        ("kept", info.best_epoch.map(|epoch| format!("the weights of epoch {}", grouped(epoch)))),
        ("steps", Some(grouped(info.steps))),
        ("time", Some(duration(info.seconds))),
        ("speed", per_second.map(|n| format!("{} steps/s", grouped(n as u64)))),
        ("ended", info.ended.clone()),
        ("ended at", info.when.and_then(date)),
        ("weights", Some(format!("{} numbers", grouped(info.weights as u64)))),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
    named.chain(info.facts.iter().cloned()).map(|(name, value)| (name.to_string(), value)).collect()
}

/// `2026-01-31 12:00 UTC`
fn date(when: SystemTime) -> Option<String> {
    let seconds = when.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    // Days from the civil calendar, counted from 1 March of the year 0 (Hinnant 2013).
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    Some(format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest / 60 % 60))
}

/// What a model says of rows.
fn fill(page: &mut Run, examined: &Examined) {
    let on = match examined.on.as_str() {
        "test" => "the test part",
        "valid" => "the validation part",
        "train" => "the training part, as no rows were held back",
        file => file,
    };
    let rows = count(examined.all as u64, "row");
    page.rows = match examined.rows < examined.all {
        true => format!("Of {on}, {} of its {rows}, evenly chosen.", grouped(examined.rows as u64)),
        false => format!("Of {on}, {rows}."),
    };
    page.answers = examined.answers.iter().map(answers).collect();
    page.worst = worst(examined);
    page.plane = plane(examined, page.answers.first().map(|(_, answers)| answers));
    page.importance = examined.importance.as_ref().map(importance).unwrap_or_default();
}

/// The plane of two inputs with what the first answers say in it.
fn plane(examined: &Examined, answers: Option<&Answers>) -> Option<Plane> {
    let found = examined.boundary.as_ref()?;
    let cells = found.size * found.size;
    let mut plane = Plane {
        names: found.names.clone(),
        ranges: found.ranges,
        size: found.size,
        said: found.said.clone(),
        frame: found.frame,
        film: found.film.clone(),
        ..Plane::default()
    };
    let rows = &examined.answers.first()?.rows;
    let spot = |(i, x, y): &(usize, f64, f64), class, wrong, what: String| Spot {
        at: (*x, *y),
        class,
        wrong,
        about: format!("row {}: {what}", rows.get(*i).map_or(0, |row| row + 1)),
    };
    match answers? {
        Answers::Classes(classes) if !classes.several && classes.names.len() <= 8 => {
            plane.classes.clone_from(&classes.names);
            if plane.said.len() == cells && classes.names.len() == 2 {
                let both = |said: &[f64]| said.iter().flat_map(|p| [1.0 - p, *p]).collect();
                plane.said = both(&plane.said);
                plane.film.iter_mut().for_each(|(_, said)| *said = both(said));
            }
            let of = |point: &(usize, f64, f64)| {
                let (truth, said) = (*classes.truth.get(point.0)?, classes.said(point.0));
                let name = |class: usize| classes.names.get(class).map_or("", String::as_str);
                Some(spot(point, truth, truth != said, format!("{}, said {}", name(truth), name(said))))
            };
            plane.points = found.points.iter().filter_map(of).collect();
        }
        Answers::Numbers(columns) if columns.len() == 1 => {
            let of = |point: &(usize, f64, f64)| {
                let (truth, said) = (*columns[0].truth.get(point.0)?, *columns[0].said.get(point.0)?);
                Some(spot(point, 0, false, format!("{}, said {}", short(truth), short(said))))
            };
            plane.points = found.points.iter().filter_map(of).collect();
        }
        Answers::Classes(_) | Answers::Numbers(_) => return None,
    }
    (plane.said.len() == cells * plane.classes.len().max(1)).then_some(plane)
}

fn importance(found: &nnc_train::Importance) -> Importance {
    let times = found.columns.first().map_or(0, |c| c.rises.len());
    let mut about = format!(
        "How much larger the mean loss of {} ({}) is when the values of a column are shuffled among them: the mean and the standard deviation of {times} shufflings.",
        count(found.rows as u64, "row"),
        short(found.loss)
    );
    if let Some(rest) = found.rest {
        about.push_str(&format!(
            " Beside it, the share of the column in what integrated gradients, from the mean row to each row, put down to all; their sums miss the difference of the outputs by {:.1} %.",
            100.0 * rest
        ));
    }
    if found.columns.len() < found.all {
        about.push_str(&format!(" These are {} of {} columns.", found.columns.len(), found.all));
    }
    let columns = found.columns.iter().map(|c| Column {
        name: c.name.clone(),
        rise: (c.mean(), c.deviation()),
        share: c.share,
    });
    Importance { about, columns: columns.collect() }
}

fn answers(answered: &Answered) -> (String, Answers) {
    let classes = |names: &[String], truth: &[usize], scores: &[f64], several, steps| {
        let names = names.iter().map(|name| visible(name)).collect();
        let (truth, scores) = (truth.to_vec(), scores.to_vec());
        Answers::Classes(Classes { names, truth, scores, several, steps })
    };
    let what = match &answered.what {
        Compared::Classes { names, truth, scores, steps } => classes(names, truth, scores, false, *steps > 1),
        Compared::Questions { names, truth, scores } => classes(names, truth, scores, true, false),
        Compared::Numbers { names, truth, said } => {
            let width = names.len();
            // Numbers of one kind are told together.
            let each = (truth.len() / answered.rows.len().max(1) / width.max(1)).max(1);
            let column = |(at, name): (usize, &String)| Numbers {
                name: name.clone(),
                truth: truth.iter().skip(at).step_by(width).copied().collect(),
                said: said.iter().skip(at).step_by(width).copied().collect(),
                rows: answered.rows.iter().flat_map(|row| std::iter::repeat_n(row + 1, each)).collect(),
            };
            Answers::Numbers(names.iter().enumerate().map(column).collect())
        }
    };
    (answered.output.clone(), what)
}

/// The name of a class, also where it is a blank or the end of a line.
fn visible(name: &str) -> String {
    match name.trim().is_empty() {
        true => name.replace(' ', "␣").replace('\n', "↵").replace('\t', "⇥").replace('\r', "␍"),
        false => name.to_string(),
    }
}

fn worst(examined: &Examined) -> Worst {
    let [inputs, targets, outputs] = &examined.headings;
    let pictures: Vec<Picture> = examined.worst.iter().filter_map(picture).collect();
    let shown = if pictures.is_empty() { inputs.len().min(COLUMNS) } else { 0 };
    let places = examined.worst.iter().any(|w| !w.place.is_empty());
    let mut head = vec![if places { "where" } else { "row" }.to_string()];
    head.extend(inputs[..shown].iter().map(|h| h.name.clone()));
    head.extend((shown > 0 && shown < inputs.len()).then(|| "…".to_string()));
    head.extend(targets.iter().map(|h| format!("{}, true", h.name)));
    head.extend(outputs.iter().map(|h| match h.name.as_str() {
        "output" => "said".to_string(),
        name => format!("{name}, said"),
    }));
    head.push("loss".into());
    let row = |w: &WorstRow| {
        let mut cells = vec![if places { w.place.clone() } else { grouped(w.row as u64 + 1) }];
        let [ins, trues, saids] = &w.cells;
        cells.extend(inputs.iter().zip(ins).take(shown).map(|(h, r)| cell(h, r)));
        cells.extend((shown > 0 && shown < inputs.len()).then(String::new));
        cells.extend(targets.iter().zip(trues).map(|(h, r)| cell(h, r)));
        cells.extend(outputs.iter().zip(saids).map(|(h, r)| cell(h, r)));
        cells.push(short(w.loss));
        cells
    };
    Worst { head, rows: examined.worst.iter().map(row).collect(), pictures }
}

/// The picture of a row, made small by leaving out pixels.
fn picture(row: &WorstRow) -> Option<Picture> {
    let ([h, w, c], values) = row.picture.as_ref()?;
    let finite = values.iter().copied().filter(|x| x.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    // Shares of the brightest, bytes, or whatever there is.
    let (from, to) = match () {
        () if low >= 0.0 && high <= 1.0 => (0.0, 1.0),
        () if low >= 0.0 && high <= 255.0 => (0.0, 255.0),
        () => (low, high),
    };
    let every = h.max(w).div_ceil(PIXELS);
    let (height, width) = (h.div_ceil(every), w.div_ceil(every));
    let mut pixels = Vec::with_capacity(height * width * 3);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y * every, x * every))) {
        for k in 0..3 {
            let value = values.get((y * w + x) * c + k.min(c - 1)).copied().unwrap_or(0.0);
            pixels.push(((value - from) / (to - from).max(1e-12) * 255.0).round() as u8);
        }
    }
    Some(Picture { width, height, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_have_their_dates() {
        let at = |seconds| date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        assert_eq!(at(0), "1970-01-01 00:00 UTC");
        assert_eq!(at(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(at(1_767_225_600), "2026-01-01 00:00 UTC");
    }
}
