//! The page of a run: what it holds, that it is right, and that training does not depend on it.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::Place;
use common::browser::{Look, browser, load, title};
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands between two texts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split(from).nth(1).and_then(|t| t.split(to).next()).unwrap_or_else(|| panic!("no {from}"))
}

/// The texts of the cells of the table of confusion, row by row.
fn confusion(page: &str) -> Vec<Vec<usize>> {
    let table = between(page, "<table class=\"matrix\">", "</table>");
    let body = between(table, "<tbody>", "</tbody>");
    let row = |row: &str| -> Vec<usize> {
        row.split("<td").skip(1).map(|cell| cell.split(['>', '<']).nth(1).unwrap().parse().unwrap()).collect()
    };
    body.split("<tr>").skip(1).map(row).collect()
}

/// How many rows of each class were taken for each, by `nnc predict`.
fn counted(place: &Place, args: &[&str], truth: &str) -> BTreeMap<(String, String), usize> {
    let out = place.nnc(args).fine();
    let mut lines = out.lines().map(|l| l.split(',').map(String::from).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let at = |name: &str| head.iter().position(|h| h == name).unwrap();
    let mut counts = BTreeMap::new();
    for row in lines {
        *counts.entry((row[at(truth)].clone(), row[at("output")].clone())).or_default() += 1;
    }
    counts
}

#[test]
fn a_run_has_a_page_that_is_made_again_as_it_was() {
    let place = Place::new();
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "--out", "run"]).fine();
    let page = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    for id in ["figures", "curves", "confusion", "roc", "worst", "weights", "network", "program", "run"] {
        assert!(page.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
    let run: Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("run/run.json")).unwrap()).unwrap();
    assert!(page.contains(&format!("<dt>version of nnc</dt><dd>{}</dd>", run["nnc"].as_str().unwrap())));
    assert!(page.contains("<dt>seed</dt><dd>0</dd>") && page.contains("<dt>epochs</dt><dd>500</dd>"));
    assert!(page.contains("<li>loss mse        # the mean of (answer - target)^2</li>"), "the program");
    // A row of the program stands in a line of it.
    assert!(
        page.contains("xor.nn:9<") && page.contains("xor.nn:12<"),
        "{}",
        between(&page, "id=\"worst\"", "</section>")
    );
    assert!(page.len() < 1 << 20);
    // Names of formats look like addresses; nothing is fetched.
    assert_eq!(page.matches("http").count(), page.matches("http://www.w3.org/2000/svg").count());
    let told = place.nnc(&["report", "run"]).fine();
    assert_eq!(told, format!("{}\n", std::path::Path::new("run").join("report.html").display()));
    assert_eq!(std::fs::read_to_string(place.path("run/report.html")).unwrap(), page, "the same once more");
    place.nnc(&["report", "xor.nn", "--out", "a.html"]).code.checked_sub(2).unwrap();
    place.nnc(&["report", "run", "--out", "a.html"]).fine();
    assert_eq!(std::fs::read_to_string(place.path("a.html")).unwrap(), page);
}

#[test]
fn training_does_not_depend_on_its_page() {
    let place = Place::new();
    place.spec("moons.nn");
    let args = ["train", "moons.nn", "--epochs", "3", "--out"];
    place.nnc(&[&args[..], &["with"]].concat()).fine();
    place.nnc(&[&args[..], &["without", "--no-report"]].concat()).fine();
    assert!(place.path("with/report.html").is_file() && !place.path("without/report.html").exists());
    for file in ["model.safetensors", "history.csv", "spec.nn"] {
        let read = |folder: &str| std::fs::read(place.path(folder).join(file)).unwrap();
        assert!(read("with") == read("without"), "{file}");
    }
    // A page that cannot be written is told, and the run is fine.
    std::fs::create_dir_all(place.path("blocked/report.html/x")).unwrap();
    let ran = place.nnc(&[&args[..], &["blocked", "--overwrite"]].concat());
    assert!(
        ran.err.contains("report.html could not be written") && ran.err.contains("nnc report blocked"),
        "{}",
        ran.err
    );
    assert!(place.path("blocked/model.safetensors").is_file());
    ran.fine();
}

#[test]
fn the_plane_has_a_film_that_goes_on() {
    let place = Place::new();
    place.spec("spiral.nn");
    let train =
        |epochs: &str, out: &str| place.nnc(&["train", "spiral.nn", "--epochs", epochs, "--out", out]).fine();
    train("20", "straight");
    train("5", "halted");
    let page = |run: &str| std::fs::read_to_string(place.path(run).join("report.html")).unwrap();
    assert!(page("halted").contains("data-epochs=\"1 2 3 4 \""));
    place.nnc(&["resume", "halted", "--epochs", "20"]).fine();
    let films = ["straight", "halted"].map(|run| {
        let page = page(run);
        assert!(page.contains("data-epochs=\"1 2 3 4 6 8 12 16 \""), "{run}");
        let frames: Vec<String> =
            page.split("<template>").skip(1).map(|t| t.split('<').next().unwrap().into()).collect();
        frames
    });
    assert_eq!(films[0].len(), 8);
    assert!(films[0] == films[1], "the same pictures");
    assert!(films[0].windows(2).all(|w| w[0] != w[1]), "it learns");
    // Without a page, and of networks that are not in the plane, no weights are kept.
    place.nnc(&["train", "spiral.nn", "--epochs", "2", "--out", "none", "--no-report"]).fine();
    place.spec("blobs.nn");
    place.nnc(&["train", "blobs.nn", "--epochs", "2", "--out", "three"]).fine();
    assert!(place.path("straight/film.safetensors").is_file());
    assert!(!place.path("none/film.safetensors").exists() && !place.path("three/film.safetensors").exists());
    place.nnc(&["runs", "--remove", "straight"]).fine();
}

#[test]
fn a_page_of_ones_own_is_not_written_over() {
    let place = Place::new();
    place.write("net.nn", SMALL);
    place.write("report.html", "mine");
    let ran = place.nnc(&["train", "net.nn", "--out", "."]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    for out in ["a", "b"] {
        place.nnc(&["train", "net.nn", "--out", out, "--no-report"]).fine();
    }
    let ran = place.nnc(&["report", "a", "b"]);
    assert!(ran.code == 2 && ran.err.contains("was not written by nnc"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(place.path("report.html")).unwrap(), "mine");
    place.nnc(&["report", "a", "b", "--out", "report.html"]).fine();
    place.nnc(&["report", "b", "a"]).fine();
}

#[test]
fn counts_of_confusion_are_those_of_predict() {
    let place = Place::new();
    place.write(
        "net.nn",
        "data blobs 300 classes=4 dims=3 noise=2.5 seed=3\ndense 4 softmax\nloss crossentropy\nepochs 5\n",
    );
    place.nnc(&["train", "net.nn"]).fine();
    let page = std::fs::read_to_string(place.path("runs/net/1/report.html")).unwrap();
    assert!(
        page.contains("Of the training part, as no rows were held back, 300 rows."),
        "{}",
        between(&page, "id=\"confusion\"", "<table")
    );
    let counts = counted(&place, &["predict", "net.nn", "--full", "--round"], "class");
    let matrix = confusion(&page);
    let mut off = 0;
    for (i, row) in matrix.iter().enumerate() {
        for (j, n) in row.iter().enumerate() {
            let want = counts.get(&(i.to_string(), j.to_string())).copied().unwrap_or(0);
            assert_eq!(*n, want, "{i} taken for {j}");
            off += if i == j { 0 } else { *n };
        }
    }
    assert_eq!((matrix.len(), matrix.iter().flatten().sum::<usize>()), (4, 300));
    assert!(off > 10, "a test of mistakes has some");
    // Of a file of one's own, with names of classes, of which one line is right by chance only.
    place.write("a.csv", "x,kind\n1,yes\n2,no\n3,yes\n4,no\n");
    place.write("b.csv", "x,kind\n1,yes\n4,yes\n1,no\n");
    place.write(
        "two.nn",
        "data \"a.csv\" { target kind }\ndense 1 sigmoid\nloss binary_crossentropy\nepochs 1\n",
    );
    place.nnc(&["train", "two.nn", "--out", "two"]).fine();
    place.nnc(&["report", "two", "--data", "b.csv", "--out", "b.html"]).fine();
    let page = std::fs::read_to_string(place.path("b.html")).unwrap();
    let counts = counted(&place, &["predict", "two", "--data", "b.csv", "--full", "--round"], "kind");
    for (i, of) in ["no", "yes"].iter().enumerate() {
        for (j, taken) in ["no", "yes"].iter().enumerate() {
            let want = counts.get(&(of.to_string(), taken.to_string())).copied().unwrap_or(0);
            assert_eq!(confusion(&page)[i][j], want, "{of} taken for {taken}");
        }
    }
    assert!(page.contains("b.csv:3") && page.contains("Of b.csv, 3 rows."), "{page}");
}

#[test]
fn steps_of_a_text_are_counted() {
    let place = Place::new();
    place.write("t.txt", &"the cat sat on the mat;\nthe dog lay in the fog;\n".repeat(12));
    place.write(
        "net.nn",
        "data text \"t.txt\" window=8\nsplit valid=30% ordered\nembed 8; dense input.classes softmax\nloss crossentropy\noptimizer adam lr=0.02\nmetrics accuracy\nepochs 20\n",
    );
    let accuracy =
        place.nnc(&["train", "net.nn", "--out", "run", "--json"]).json()["val"]["metrics"]["accuracy"]
            .clone();
    let page = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    let told = between(&page, "<section id=\"confusion\">", " steps of the rows are right");
    let (right, all) = told.rsplit_once(" of ").map(|(r, a)| (r.rsplit('>').next().unwrap(), a)).unwrap();
    let share = right.parse::<f64>().unwrap() / all.parse::<f64>().unwrap();
    assert!((share - accuracy.as_f64().unwrap()).abs() < 1e-6 && share > 0.3, "{right} of {all}: {accuracy}");
    let matrix = confusion(&page);
    let (sum, diagonal) =
        (matrix.iter().flatten().sum::<usize>(), (0..matrix.len()).map(|i| matrix[i][i]).sum::<usize>());
    assert_eq!((diagonal.to_string().as_str(), sum.to_string().as_str()), (right, all));
    assert!(page.contains("<th>␣</th>") && page.contains("<th>↵</th>"), "blanks are seen");
}

#[test]
fn numbers_are_in_the_units_of_the_file() {
    let place = Place::new();
    let rows: Vec<String> = (0..40).map(|i| format!("{i},{}", 1000 + 50 * i)).collect();
    place.write("a.csv", &format!("x,price\n{}\n", rows.join("\n")));
    place.write(
        "net.nn",
        "data \"a.csv\" { target price log standardize; input x standardize }\ndense 1\nloss mse\nmetrics mae\nepochs 40\noptimizer adam lr=0.05\n",
    );
    place.nnc(&["train", "net.nn", "--out", "run"]).fine();
    let page = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    let said: Vec<f64> =
        place.nnc(&["predict", "run"]).fine().lines().skip(1).map(|l| l.parse().unwrap()).collect();
    let mae = said.iter().enumerate().map(|(i, x)| (x - (1000 + 50 * i) as f64).abs()).sum::<f64>() / 40.0;
    let table = between(between(&page, "id=\"residuals\"", "</section>"), "<tr><td>price</td>", "</tr>");
    let told: f64 = between(table, ">", "<").parse().unwrap();
    assert!((told - mae).abs() < mae * 1e-3, "{told} against {mae}");
}

#[test]
fn a_page_without_its_data_says_so() {
    let place = Place::new();
    place.write("a.csv", "x,y\n1,2\n2,4\n3,6\n");
    place.write("net.nn", "data \"a.csv\"\ndense 1\nloss mse\nepochs 2\n");
    place.nnc(&["train", "net.nn", "--out", "run"]).fine();
    place.write("a.csv", "x,y\n1,2\n2,4\n3,7\n");
    let ran = place.nnc(&["report", "run"]);
    assert!(ran.err.contains("the data has changed since this model was trained"), "{}", ran.err);
    ran.fine();
    std::fs::remove_file(place.path("a.csv")).unwrap();
    let ran = place.nnc(&["report", "run"]);
    assert!(ran.err.contains("There are no predictions here: "), "{}", ran.err);
    ran.fine();
    let page = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    assert!(page.contains("<p class=\"note\">There are no predictions here: "));
    assert!(page.contains("<section id=\"curves\">") && !page.contains("<section id=\"residuals\">"));
    // What came from stdin is not waited for.
    let line = ["train", "-e", "dense 1; loss mse; epochs 1", "--data", "-", "--out", "piped"];
    place.nnc_with(&line, "x,y\n1,2\n2,4\n").fine();
    assert!(place.nnc(&["report", "piped"]).err.contains("its rows came from stdin"));
}

/// A program of two numbers that a sweep and several runs are made of.
const SMALL: &str = "param hidden = 4\ndata moons 60 noise=0.2\nsplit valid=25%\ndense hidden tanh; dense 1 sigmoid\nloss binary_crossentropy\noptimizer adam lr=0.02\nmetrics binary_accuracy\nepochs 6\n";

/// Five numbers of the only box of a row: where its parts lie, in the order least, lower, median, upper, most.
fn drawn(svg: &str, row: usize) -> [f64; 5] {
    let path = |class: &str| svg.split(&format!("<path class=\"{class}\" d=\"M")).nth(row + 1).unwrap();
    let numbers = |text: &str| -> Vec<f64> {
        let text = text.split('"').next().unwrap();
        text.split(|c: char| !(c.is_ascii_digit() || c == '.')).filter_map(|n| n.parse().ok()).collect()
    };
    let (whisker, median) = (numbers(path("whisker")), numbers(path("median")));
    [whisker[0], whisker[2], median[0], whisker[3], whisker[5]]
}

#[test]
fn a_sweep_has_box_plots_of_its_points() {
    let place = Place::new();
    place.write("net.nn", SMALL);
    place.nnc(&["sweep", "net.nn", "--set", "hidden=2,8", "--seeds", "4", "--keep", "--out", "s"]).fine();
    let page = std::fs::read_to_string(place.path("s/report.html")).unwrap();
    let csv = std::fs::read_to_string(place.path("s/table.csv")).unwrap();
    let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let cell = |row: usize, name: &str| -> f64 {
        let at = head.iter().position(|h| *h == name).unwrap();
        csv.lines().nth(row + 1).unwrap().split(',').nth(at).unwrap().parse().unwrap()
    };
    let svg = between(&page, "<b>val_loss</b>", "</svg>");
    assert_eq!(svg.matches("<circle").count(), 8);
    // Places are proportional to values: two of them say how, the others are compared.
    let all: Vec<(f64, f64)> = (0..2)
        .flat_map(|row| {
            let parts = ["least", "lower_quartile", "median", "upper_quartile", "most"];
            let values = parts.map(|p| cell(row, &format!("val_loss_{p}")));
            drawn(svg, row).into_iter().zip(values).collect::<Vec<_>>()
        })
        .collect();
    let by =
        |f: fn(f64, f64) -> bool| all.iter().copied().reduce(|a, b| if f(b.1, a.1) { b } else { a }).unwrap();
    let (low, high) = (by(|a, b| a < b), by(|a, b| a > b));
    for (place, value) in &all {
        let want = low.0 + (value - low.1) / (high.1 - low.1) * (high.0 - low.0);
        assert!((place - want).abs() < 0.3, "{value} lies at {place} and not at {want}");
    }
    // Runs that are kept have pages of their own, others have no folder.
    assert!(
        place.path("s/point-1/seed-0/report.html").is_file()
            && place.path("s/point-2/seed-3/report.html").is_file()
    );
    let told = place.nnc(&["report", "s", "--out", "again.html"]).fine();
    assert_eq!(told, "again.html\n");
    assert_eq!(std::fs::read_to_string(place.path("again.html")).unwrap(), page);
    place.nnc(&["sweep", "net.nn", "--seeds", "2", "--out", "t", "--no-report", "--keep"]).fine();
    assert!(!place.path("t/report.html").exists() && !place.path("t/point-1/seed-0/report.html").exists());
    assert_eq!(place.nnc(&["report", "s", "t"]).code, 2);
    // All of it is nnc's, and can be removed.
    place.nnc(&["runs", "--remove", "s"]).fine();
}

#[test]
fn several_runs_stand_on_one_page() {
    let place = Place::new();
    place.write("net.nn", SMALL);
    for (out, hidden) in [("a", "2"), ("b", "8")] {
        place
            .nnc(&["train", "net.nn", "--out", out, "--set", &format!("hidden={hidden}"), "--no-report"])
            .fine();
    }
    assert_eq!(place.nnc(&["report", "a", "b"]).fine(), "report.html\n");
    let page = std::fs::read_to_string(place.path("report.html")).unwrap();
    let settings = between(&page, "<section id=\"settings\">", "</section>");
    assert!(
        settings.contains("<th class=\"n\">hidden</th>")
            && settings.contains("Alike in all: ")
            && settings.contains("seed 0"),
        "{settings}"
    );
    let curve = between(&page, "<b>val_loss</b>", "</svg>");
    assert_eq!((curve.matches("<polyline").count(), curve.matches("data-name=\"a\"").count()), (2, 1));
    for run in ["a", "b"] {
        let json: Value =
            serde_json::from_str(&std::fs::read_to_string(place.path(run).join("run.json")).unwrap())
                .unwrap();
        let loss = json["loss"].as_f64().unwrap();
        let row = between(&page, &format!("<tr><td>{run}</td>"), "</tr>");
        let told: f64 = between(row, ">", "<").parse().unwrap();
        assert!((told - loss).abs() < 1e-3 * loss, "{run}: {told} against {loss}");
    }
    assert_eq!(place.nnc(&["report", "a", "b", "--data", "x.csv"]).code, 2);
    // Folds are several runs.
    place.nnc(&["train", "net.nn", "--folds", "3", "--out", "f"]).fine();
    let page = std::fs::read_to_string(place.path("f/report.html")).unwrap();
    assert!(page.contains("<title>f</title>") && page.contains("<td>fold-3</td>"), "{}", page.len());
    assert!(place.path("f/fold-2/report.html").is_file());
    place.nnc(&["report", "f", "--out", "f.html"]).fine();
    assert_eq!(std::fs::read_to_string(place.path("f.html")).unwrap(), page);
}

/// Leaves what is wider than the window, and which sections there are, in the title.
const MEASURE: &str = r#"<script>
addEventListener('load', () => setTimeout(() => {
  const wide = [...document.querySelectorAll('body *')].filter(e => {
    for (let up = e.parentElement; up; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== 'visible') return false;
    return e.getBoundingClientRect().right > innerWidth + 1;
  });
  const chart = document.querySelector('#curves svg.chart');
  if (chart) {
    const r = chart.getBoundingClientRect();
    chart.dispatchEvent(new PointerEvent('pointermove', { clientX: r.left + r.width / 2, clientY: r.top + r.height / 2 }));
  }
  document.title = JSON.stringify({
    wide: wide.map(e => e.tagName + '.' + e.className).slice(0, 5),
    scroll: document.documentElement.scrollWidth - innerWidth,
    sections: [...document.querySelectorAll('section')].map(s => s.id),
    read: chart && chart.parentElement.querySelector('.read').textContent,
    charts: document.querySelectorAll('svg.chart').length,
    texts: [...document.querySelectorAll('svg.chart')].filter(c => [...c.querySelectorAll('text')].some(t => {
      const a = t.getBoundingClientRect(), b = c.getBoundingClientRect();
      return a.width && (a.left < b.left - 1 || a.right > b.right + 1);
    })).map(c => c.getAttribute('aria-label')),
  });
}, 100));
</script>"#;

#[test]
fn pages_of_runs_are_whole_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here; NNC_BROWSER names one");
        return;
    };
    let shots = std::env::var_os("NNC_SHOTS").map(std::path::PathBuf::from);
    let about_classes = ["confusion", "roc", "importance"];
    let plane = ["confusion", "roc", "importance", "boundary"];
    let shots = shots.as_deref();
    let wanted = [
        ("xor", &plane[..]),
        ("moons", &plane),
        ("spiral", &plane),
        ("blobs", &about_classes),
        ("regression", &["residuals"]),
    ];
    for (name, sections) in wanted {
        let place = Place::new();
        place.spec(&format!("{name}.nn"));
        place.nnc(&["train", &format!("{name}.nn"), "--out", "run"]).fine();
        let always = ["figures", "curves", "worst", "weights", "network", "program", "run"];
        look(&browser, &place, ("run/report.html", name), &[&always, sections].concat(), shots);
    }
    let place = Place::new();
    place.write("net.nn", SMALL);
    place.nnc(&["sweep", "net.nn", "--set", "hidden=2,4,8", "--seeds", "5", "--keep", "--out", "s"]).fine();
    look(&browser, &place, ("s/report.html", "sweep"), &["points", "spread", "program", "run"], shots);
    let runs = [1, 2, 3].map(|point| format!("s/point-{point}/seed-0"));
    place.nnc(&["report", &runs[0], &runs[1], &runs[2]]).fine();
    look(&browser, &place, ("report.html", "several"), &["figures", "settings", "curves", "program"], shots);
}

/// Looks at a page in light and dark, on a screen and on a phone.
fn look(
    browser: &str,
    place: &Place,
    (file, name): (&str, &str),
    sections: &[&str],
    shots: Option<&std::path::Path>,
) {
    let page = std::fs::read_to_string(place.path(file)).unwrap();
    assert!(page.len() < 1 << 20, "{name}: {}", page.len());
    let measured = place.write("measured.html", &page.replace("</body>", &format!("{MEASURE}</body>")));
    for (size, dark, what) in
        [((1200, 900), false, "light"), ((1200, 900), true, "dark"), ((400, 800), false, "phone")]
    {
        let (dom, console) = load(browser, place, &measured, &Look { size, dark, shot: None });
        let errors: Vec<&str> = console.lines().filter(|l| l.contains("CONSOLE")).collect();
        assert!(errors.is_empty(), "{name}, {what}: {errors:?}");
        let title = title(&dom);
        let found: Value =
            serde_json::from_str(&title).unwrap_or_else(|e| panic!("{name}, {what}: {e}: {title}"));
        assert_eq!(
            (&found["wide"], &found["texts"]),
            (&Value::Array(vec![]), &Value::Array(vec![])),
            "{name}, {what}"
        );
        assert!(found["scroll"].as_i64() <= Some(0), "{name}, {what}: {found}");
        let there: Vec<&str> =
            found["sections"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(
            !there.contains(&"curves") || found["read"].as_str().unwrap().starts_with("epoch "),
            "{name}, {what}: {found}"
        );
        for id in sections {
            assert!(there.contains(id), "{name}, {what}: no {id} in {there:?}");
        }
        if let Some(shots) = shots {
            std::fs::create_dir_all(shots).unwrap();
            let shot = shots.join(format!("report-{name}-{what}.png"));
            let size = (size.0, if what == "phone" { 6000 } else { 4000 });
            load(browser, place, &place.path(file), &Look { size, dark, shot: Some(&shot) });
        }
    }
}
