//! Pages of several runs and of sweeps.

use crate::format::{count, duration, grouped, short};
use crate::run_page::{curves, facts};
use nnc_report::page::boxes::Spread;
use nnc_report::page::runs::{One, Runs, Sweep, print, print_sweep};
use nnc_train::RunInfo;
use nnc_train::sweep::{Entry, Quartiles, SweepRecord};
use std::path::{Path, PathBuf};

/// Figures of which boxes are drawn.
const FIGURES: usize = 16;

/// The page of several runs: their figures, what differs, their curves over each other.
pub fn of_runs(title: &str, runs: &[RunInfo]) -> String {
    let common = common(runs);
    let one = |info: &RunInfo| {
        let mut settings = facts(info);
        settings.retain(|(name, _)| !["folder", "parameters", "data"].contains(&name.as_str()));
        settings.extend(info.set.iter().cloned());
        let name = info.folder.strip_prefix(&common).unwrap_or(&info.folder).display().to_string();
        One { name, settings, figures: info.figures.clone(), curves: curves(&info.folder, info) }
    };
    let mut files: Vec<(String, String)> = Vec::new();
    for info in runs {
        let text = std::fs::read_to_string(info.folder.join("spec.nn")).unwrap_or_default();
        if !text.is_empty() && files.iter().all(|(_, known)| *known != text) {
            files.push((info.spec.rsplit(['/', '\\']).next().unwrap_or_default().to_string(), text));
        }
    }
    let beneath =
        if common.as_os_str().is_empty() { String::new() } else { format!(" in {}", common.display()) };
    print(&Runs {
        title: title.to_string(),
        about: format!("{}{beneath}", count(runs.len() as u64, "run")),
        runs: runs.iter().map(one).collect(),
        files,
    })
}

/// The folder that all runs lie in.
fn common(runs: &[RunInfo]) -> PathBuf {
    let mut folders = runs.iter().map(|r| r.folder.parent().unwrap_or(Path::new("")));
    let first = folders.next().unwrap_or(Path::new("")).to_path_buf();
    folders.fold(first, |common, folder| {
        let shared = common.components().zip(folder.components()).take_while(|(a, b)| a == b);
        shared.map(|(a, _)| a).collect()
    })
}

/// The page of a sweep.
pub fn of_sweep(record: &SweepRecord) -> String {
    let (plan, entries) = (&record.plan, &record.entries);
    let groups: Vec<Vec<&Entry>> = (0..plan.points.len()).map(|i| record.of(i)).collect();
    let label = |i: usize| {
        let label = plan.points[i].label();
        if label.is_empty() { "as it is written".to_string() } else { label }
    };
    let mut names = record.figures();
    let vary = entries.windows(2).any(|w| w[0].figure("epochs") != w[1].figure("epochs"));
    names.retain(|name| name != "epochs" || vary);
    let quartiles = |group: &[&Entry], name: &str| Quartiles::of(group.iter().filter_map(|e| e.figure(name)));
    let spread = |name: &str, i: usize| Spread {
        label: label(i),
        quartiles: quartiles(&groups[i], name).map(|q| [q.least, q.lower, q.median, q.upper, q.most]),
        values: groups[i]
            .iter()
            .filter_map(|e| Some((e.figure(name)?, format!("seed {}", e.seed))))
            .collect(),
    };
    let told = entries.iter().any(|e| e.succeeded.is_some());
    let diverged = entries.iter().any(|e| e.diverged);
    let mut head = if record.has_experiments() { vec!["experiment".to_string()] } else { Vec::new() };
    head.extend(record.parameters());
    head.push("trainings".into());
    head.extend(told.then(|| "succeeded".to_string()));
    head.extend(diverged.then(|| "diverged".to_string()));
    head.extend(names.iter().map(|n| format!("{n}, median")));
    let row = |i: usize| {
        let group = &groups[i];
        let number = |of: &dyn Fn(&&&Entry) -> bool| group.iter().filter(of).count().to_string();
        let mut cells = record.cells(&plan.points[i]);
        cells.push(group.len().to_string());
        cells.extend(told.then(|| number(&|e| e.succeeded == Some(true))));
        cells.extend(diverged.then(|| number(&|e| e.diverged)));
        cells.extend(names.iter().map(|n| quartiles(group, n).map_or("–".into(), |q| short(q.median))));
        cells
    };
    let seconds: f64 = entries.iter().map(|e| e.seconds).sum();
    let mut facts = vec![
        ("program".to_string(), plan.spec.clone()),
        ("folder".to_string(), record.folder.display().to_string()),
        ("seeds".to_string(), format!("{}, from {}", grouped(plan.seeds), plan.seed)),
        ("trainings".to_string(), format!("{} of {}", entries.len(), plan.trainings().len())),
        ("time of all".to_string(), duration(seconds)),
        ("version of nnc".to_string(), plan.nnc.clone()),
    ];
    let shown = |value: &String| if value.is_empty() { "yes".to_string() } else { value.clone() };
    facts.extend(plan.options.iter().map(|(name, value)| (format!("--{name}"), shown(value))));
    let name = plan.spec.rsplit(['/', '\\']).next().unwrap_or_default().to_string();
    let points = 0..plan.points.len();
    print_sweep(&Sweep {
        title: format!("{name}: a sweep"),
        about: format!(
            "{}, {}, {}",
            count(plan.points.len() as u64, "point"),
            count(plan.seeds, "seed"),
            count(entries.len() as u64, "training")
        ),
        table: (head, points.clone().map(row).collect()),
        figures: names
            .iter()
            .take(FIGURES)
            .map(|n| (n.clone(), points.clone().map(|i| spread(n, i)).collect()))
            .collect(),
        files: vec![(name, plan.program.clone())],
        facts,
    })
}
