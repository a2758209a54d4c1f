//! What a comparison says.

use crate::format::{count, number, short};
use crate::table::Table;
use nnc_train::RunInfo;
use nnc_train::sweep::{Difference, Entry, Quartiles, by_chance};
use serde_json::{Map, Value, json};

/// As unlikely as this, chance is no explanation.
const UNLIKELY: f64 = 0.05;

/// One of the two programs with its trainings, in the order of their seeds.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is called.
    pub label: String,
    /// Its trainings.
    pub entries: Vec<Entry>,
}

/// The figures that both have, in the order of the first.
fn figures(a: &Side, b: &Side) -> Vec<String> {
    let mut out = vec!["epochs".to_string()];
    for (name, _) in a.entries.iter().flat_map(|e| &e.figures) {
        if !out.contains(name) && b.entries.iter().any(|e| e.figure(name).is_some()) {
            out.push(name.clone());
        }
    }
    out
}

fn difference(a: &Side, b: &Side, figure: &str) -> Option<Difference> {
    let pairs = a.entries.iter().zip(&b.entries);
    Difference::of(pairs.filter_map(|(a, b)| Some((a.figure(figure)?, b.figure(figure)?))))
}

/// How many pairs succeeded on both sides, on one only, and on none; where both say what a success is.
fn successes(a: &Side, b: &Side) -> Option<[u64; 4]> {
    let mut out = [0; 4];
    for (a, b) in a.entries.iter().zip(&b.entries) {
        out[match (a.succeeded?, b.succeeded?) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        }] += 1;
    }
    Some(out)
}

/// Figures, their differences, and what follows.
pub fn table(a: &Side, b: &Side) -> String {
    let mut out = format!("A: {}\nB: {}\n\n", a.label, b.label);
    let mut table = Table::default()
        .words("")
        .numbers("A median")
        .numbers("B median")
        .numbers("B - A")
        .words("95 % interval")
        .words("");
    let median = |side: &Side, figure: &str| {
        Quartiles::of(side.entries.iter().filter_map(|e| e.figure(figure)))
            .map_or("-".into(), |q| short(q.median))
    };
    for figure in figures(a, b) {
        let Some(d) = difference(a, b, &figure) else { continue };
        let [low, high] = d.interval;
        // Where nothing differs, there is nothing to say of an interval.
        let (interval, verdict) = match () {
            () if d.pairs == 1 => ("of one pair, none".to_string(), "not known"),
            () if low == 0.0 && high == 0.0 => (String::new(), "the same"),
            () if !d.is_seen() => (format!("{} to {}", short(low), short(high)), "no difference seen"),
            () if d.mean > 0.0 => (format!("{} to {}", short(low), short(high)), "B has more"),
            () => (format!("{} to {}", short(low), short(high)), "B has less"),
        };
        table.row(vec![
            figure.clone(),
            median(a, &figure),
            median(b, &figure),
            short(d.mean),
            interval,
            verdict.into(),
        ]);
    }
    out.push_str(&table.text());
    let n = a.entries.len() as u64;
    if let Some([both, only_a, only_b, none]) = successes(a, b) {
        let p = by_chance(only_a, only_b);
        let verdict = match () {
            () if only_a + only_b == 0 => "the same".to_string(),
            () if p >= UNLIKELY => {
                format!("no difference seen (chance alone does this in {} % of cases)", percent(p))
            }
            () => format!(
                "{} succeeds more often (chance alone does this in {} % of cases)",
                if only_a > only_b { "A" } else { "B" },
                percent(p)
            ),
        };
        out.push_str(&format!(
            "\nsucceeded: A {} of {n}, B {} of {n}; both {both}, only A {only_a}, only B {only_b}, neither {none}: {verdict}\n",
            both + only_a,
            both + only_b,
        ));
    }
    let lost = |side: &Side| side.entries.iter().filter(|e| e.diverged).count();
    let (lost_a, lost_b) = (lost(a), lost(b));
    if lost_a + lost_b > 0 {
        out.push_str(&format!(
            "diverged: A {lost_a} of {n}, B {lost_b} of {n}; their pairs are left out above\n"
        ));
    }
    out.push_str(&format!("\n{}, the same for both; B - A is the mean over the pairs\n", count(n, "seed")));
    out
}

fn percent(p: f64) -> String {
    short(format!("{:.1e}", p * 100.0).parse().unwrap_or(p * 100.0))
}

/// The same for other programs.
pub fn object(a: &Side, b: &Side, seed: u64) -> Value {
    let spread = |side: &Side, figure: &str| {
        let values = side.entries.iter().map(|e| e.figure(figure).map_or(Value::Null, number));
        let q = Quartiles::of(side.entries.iter().filter_map(|e| e.figure(figure)));
        json!({
            "values": values.collect::<Vec<Value>>(),
            "lower_quartile": q.map(|q| number(q.lower)),
            "median": q.map(|q| number(q.median)),
            "upper_quartile": q.map(|q| number(q.upper)),
        })
    };
    let mut all = Map::new();
    for figure in figures(a, b) {
        let Some(d) = difference(a, b, &figure) else { continue };
        let object = json!({
            "a": spread(a, &figure),
            "b": spread(b, &figure),
            "pairs": d.pairs,
            "mean_difference": number(d.mean),
            "interval": d.interval.map(number),
            "differs": d.is_seen(),
        });
        all.insert(figure, object);
    }
    let succeeded = successes(a, b).map(|[both, only_a, only_b, neither]| {
        json!({
            "both": both,
            "only_a": only_a,
            "only_b": only_b,
            "neither": neither,
            "p": number(by_chance(only_a, only_b)),
        })
    });
    let side = |side: &Side| json!({ "program": side.label, "diverged": side.entries.iter().filter(|e| e.diverged).count() });
    json!({
        "a": side(a),
        "b": side(b),
        "seed": seed,
        "seeds": a.entries.len(),
        "figures": all,
        "succeeded": succeeded,
    })
}

fn recorded_figures(a: &RunInfo, b: &RunInfo) -> Vec<(String, f64, f64)> {
    let own = ["epochs", "steps", "seconds", "weights"].into_iter().map(String::from);
    let names: Vec<String> = own.chain(a.figures.iter().map(|(n, _)| n.clone())).collect();
    names.into_iter().filter_map(|n| Some((n.clone(), a.figure(&n)?, b.figure(&n)?))).collect()
}

/// Two runs beside each other.
pub fn recorded_table(a: &RunInfo, b: &RunInfo) -> String {
    let label = |run: &RunInfo| format!("{} ({})", run.folder.display(), crate::commands::runs::program(run));
    let mut table = Table::default().words("").numbers("A").numbers("B").numbers("B - A");
    for (name, x, y) in recorded_figures(a, b) {
        table.row(vec![name, short(x), short(y), short(y - x)]);
    }
    format!("A: {}\nB: {}\n\n{}", label(a), label(b), table.text())
}

/// The same for other programs.
pub fn recorded_object(a: &RunInfo, b: &RunInfo) -> Value {
    let figures = recorded_figures(a, b)
        .into_iter()
        .map(|(name, x, y)| (name, json!({ "a": number(x), "b": number(y), "difference": number(y - x) })));
    let side = |run: &RunInfo| json!({ "run": run.folder.display().to_string(), "seed": run.seed });
    json!({ "a": side(a), "b": side(b), "figures": figures.collect::<Map<String, Value>>() })
}
