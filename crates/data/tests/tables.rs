//! Tables in text and written rows: kinds, roles, statistics, faults.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, row, shared, write};
use nnc_data::{
    Cell, CsvSpec, DataSpec, Decoded, Dialect, Kind, Missing, PortId, Role, RoleSpec, RowSpec, RowsSpec,
    Scaling, SourceSpec, SplitSpec, Stats, Table, Unknown, encode, open,
};

const IN: PortId = PortId::Input(0);
const OUT: PortId = PortId::Target(0);

fn rows(text: &str) -> DataSpec {
    let mut next = 0;
    let mut cell = |word: &str| {
        next += 1;
        match word.parse::<f64>() {
            Ok(x) => Cell::number(x, next),
            Err(_) => Cell::word(word, next),
        }
    };
    let rows = text
        .lines()
        .map(|line| {
            let (inputs, targets) = match line.split_once("->") {
                Some((a, b)) => (a, Some(b.split_whitespace().map(&mut cell).collect())),
                None => (line, None),
            };
            RowSpec {
                inputs: inputs.split_whitespace().map(&mut cell).collect(),
                targets,
                handle: Some(1000),
            }
        })
        .collect();
    DataSpec::new(SourceSpec::Rows(RowsSpec { rows, handle: Some(2000) }))
}

#[test]
fn xor_is_read_as_it_stands() {
    let data = open(&rows("0 0 -> 0\n0 1 -> 1\n1 0 -> 1\n1 1 -> 0")).unwrap();
    assert_eq!(data.schema.inputs.len(), 1);
    assert_eq!((data.schema.inputs[0].name.as_str(), &data.schema.inputs[0].shape), ("input", &vec![2]));
    assert_eq!((data.schema.targets[0].name.as_str(), &data.schema.targets[0].shape), ("target", &vec![1]));
    assert_eq!(all(&data.train, IN), [0., 0., 0., 1., 1., 0., 1., 1.]);
    assert_eq!(all(&data.train, OUT), [0., 1., 1., 0.]);
    let mut half = [0.0f32; 2];
    data.train.gather_f32(OUT, &[2, 0], &mut half).unwrap();
    assert_eq!(half, [1.0, 0.0]);
    assert!(data.train.gather_f32(OUT, &[4], &mut half[..1]).is_err());
    assert!(data.train.gather_f32(OUT, &[1], &mut half).is_err());
}

#[test]
fn written_rows_without_an_arrow_and_with_words() {
    let data = open(&rows("1 2 red\n3 4 blue\n5 6 red")).unwrap();
    let target = &data.schema.targets[0];
    assert_eq!(target.classes.as_deref(), Some(&["blue".to_string(), "red".to_string()][..]));
    assert!(target.shape.is_empty());
    assert_eq!(all(&data.train, OUT), [1., 0., 1.]);
    assert_eq!(data.stats.decode(OUT, 0, 1.0), Some(Decoded::Category("red".into())));
}

#[test]
fn written_rows_have_places() {
    let result = open(&rows("0 0 -> 0\n0 1 1 -> 0\n1 0\n1 1 -> 0 1")).unwrap_err();
    assert_eq!(
        common::lines(&result),
        [
            "[N0501] this row has 3 inputs, the first row has 2 (one too many)",
            "[N0501] this row has 1 input, the first row has 2 (one too few)",
            "[N0501] this row has 2 targets, the first row has 1 (one too many)",
        ]
    );
    let handles: Vec<u64> = result.iter().map(|f| f.place.as_ref().unwrap().handle.unwrap()).collect();
    assert_eq!(handles[1], 1000);
    let bad = open(&rows("0 0 -> 0\n1 O -> 1\n1 1 -> 0")).unwrap_err();
    assert_eq!(common::lines(&bad), ["[N0502] `O` is not a number (a letter O; did you mean 0?)"]);
    assert_eq!(bad[0].place.as_ref().unwrap().handle, Some(6));
}

#[test]
fn iris_by_its_spec() {
    let Some(path) = shared("iris.csv") else { return };
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Target, ["species"]),
            RoleSpec::rest(Role::Input).scaled(Scaling::Standardize),
        ],
        split: SplitSpec { valid: 0.15, test: 0.15, stratify: true, ..SplitSpec::default() },
        seed: 7,
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let data = open(&spec).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [4]);
    let classes = data.schema.targets[0].classes.clone().unwrap();
    assert_eq!(classes, ["setosa", "versicolor", "virginica"]);
    let (valid, test) = (data.valid.as_ref().unwrap(), data.test.as_ref().unwrap());
    assert_eq!((data.train.len(), valid.len(), test.len()), (104, 23, 23));
    // The training part, and only it, has mean 0 and deviation 1.
    let x = all(&data.train, IN);
    for c in 0..4 {
        let column: Vec<f64> = x.iter().skip(c).step_by(4).copied().collect();
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let var = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 1e-12 && (var - 1.0).abs() < 1e-12, "{mean} {var}");
    }
    // The same file through the saved statistics gives the same bits.
    let stats = Stats::from_json(&data.stats.to_json()).unwrap();
    assert_eq!(stats, data.stats);
    let whole = encode(&stats, &SourceSpec::csv(&path)).unwrap();
    assert!(whole.has_targets() && whole.len() == 150);
    for part in [&data.train, valid, test] {
        for r in 0..part.len() {
            let source = part.source_row(r).unwrap() as u32;
            assert_eq!(row(part, IN, r as u32), row(&whole, IN, source));
            assert_eq!(row(part, OUT, r as u32), row(&whole, OUT, source));
        }
    }
    let again = open(&spec).unwrap();
    assert_eq!(all(&again.train, IN), x);
}

#[test]
fn rows_to_predict_need_no_target() {
    let Some(path) = shared("iris.csv") else { return };
    let data = open(&DataSpec::new(SourceSpec::csv(&path))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let csv = "petal_width,petal_length,sepal_width,sepal_length,note\n0.2,1.4,3.5,5.1,hello\n";
    let table = encode(&data.stats, &SourceSpec::csv(write(&folder, "new.csv", csv))).unwrap();
    assert!(!table.has_targets());
    assert_eq!(all(&table, IN), [5.1, 3.5, 1.4, 0.2]);
    assert_eq!(row(&data.train, IN, 0), [5.1, 3.5, 1.4, 0.2]);
    let written = rows("5.1 3.5 1.4 0.2").train;
    let table = encode(&data.stats, &written).unwrap();
    assert!(!table.has_targets());
    assert_eq!(all(&table, IN), [5.1, 3.5, 1.4, 0.2]);
    let bare = write(&folder, "bare.csv", "5.1,3.5,1.4,0.2\n1,2,3,4\n");
    assert_eq!(encode(&data.stats, &SourceSpec::csv(bare)).unwrap().len(), 2);
    let short = write(&folder, "short.csv", "sepal_lenght,sepal_width,petal_length\n1,2,3\n");
    let faults = encode(&data.stats, &SourceSpec::csv(short)).unwrap_err();
    assert_eq!(
        common::lines(&faults),
        [
            "[N0505] short.csv: `short.csv` has no column `sepal_length`, which the model was trained on (did you mean `sepal_lenght`?)",
            "[N0505] short.csv: `short.csv` has no column `petal_width`, which the model was trained on (did you mean `sepal_width`?)",
        ]
    );
    let odd = write(
        &folder,
        "odd.csv",
        "sepal_length,sepal_width,petal_length,petal_width,species\n1,2,3,4,setossa\n",
    );
    assert_eq!(
        common::lines(&encode(&data.stats, &SourceSpec::csv(odd)).unwrap_err()),
        [
            "[N0511] odd.csv:2: training never saw `setossa` in `species` (did you mean `setosa`?); expected one of setosa versicolor virginica"
        ]
    );
}

#[test]
fn titanic_is_mixed() {
    let Some(path) = shared("titanic.csv") else { return };
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Target, ["survived"]).kind(Kind::Category),
            RoleSpec::new(Role::Input, ["age", "fare"]).scaled(Scaling::Standardize).missing(Missing::Median),
            RoleSpec::new(Role::Input, ["sex", "pclass", "embarked"])
                .kind(Kind::OneHot)
                .missing(Missing::Mode),
        ],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let data = open(&spec).unwrap();
    // pclass 3, sex 2, age 1, fare 1, embarked 3, in the file's order
    assert_eq!(data.schema.inputs[0].shape, [10]);
    let first = row(&data.train, IN, 0);
    assert_eq!(first[..5], [0., 0., 1., 0., 1.]);
    assert_eq!(first[7..], [0., 0., 1.]);
    let age = data.stats.columns.iter().find(|c| c.name == "age").unwrap();
    assert_eq!((age.missing, age.median), (177, Some(28.0)));
    assert_eq!(all(&data.train, OUT)[..4], [0., 1., 1., 1.]);
    let faults = faults(open(&DataSpec {
        roles: vec![RoleSpec::new(Role::Target, ["survived"])],
        ..DataSpec::new(SourceSpec::csv(&path))
    }));
    assert_eq!(faults.len(), 4, "{faults:#?}"); // age embarked deck embark_town
    assert_eq!(
        faults[0],
        "[N0503] titanic.csv:7: `age` has 177 missing cells, and no rule says what stands in (the first is here); fix: input age missing=mean   or   missing=drop\ninput rest   for the other columns"
    );
}

#[test]
fn penguins_with_missing_rows_left_out() {
    let Some(path) = shared("penguins.csv") else { return };
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Target, ["species"]),
            RoleSpec::rest(Role::Input).scaled(Scaling::MinMax).missing(Missing::Drop),
        ],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let data = open(&spec).unwrap();
    assert_eq!(data.train.len(), 333);
    assert_eq!(data.train.source_row(3), Some(4)); // row 3 lacks everything
    assert_eq!(data.schema.inputs[0].shape, [3 + 4 + 2]);
    let notes: Vec<String> = data.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    // The two rows that lack all, and nine that lack the sex only.
    assert!(
        notes[1].contains("leaves out 11 of 344 rows") && notes[1].contains("`sex` is missing in 11"),
        "{notes:?}"
    );
    assert!(all(&data.train, IN).iter().all(|x| (0.0..=1.0).contains(x)));
}

#[test]
fn scaled_targets_can_be_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "houses.csv", "area,price\n50,100000\n60,150000\n80,250000\n");
    let spec = DataSpec {
        roles: vec![RoleSpec::new(Role::Target, ["price"]).scaled(Scaling::Log).scaled(Scaling::Standardize)],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let data = open(&spec).unwrap();
    let y = all(&data.train, OUT);
    for (y, price) in y.iter().zip([100000.0, 150000.0, 250000.0]) {
        let Some(Decoded::Number(x)) = data.stats.decode(OUT, 0, *y) else { panic!() };
        assert!((x - price).abs() < 1e-6);
    }
    let spec = DataSpec {
        roles: vec![RoleSpec::new(Role::Target, ["price"]).scaled(Scaling::Scale(1000.0))],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    assert_eq!(all(&open(&spec).unwrap().train, OUT), [100., 150., 250.]);
}

#[test]
fn weights_ports_and_categories() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        &folder,
        "t.csv",
        "id;a;shop;w;y\r\n1;1.5;north;1;0\r\n2;2.5;south;2;1\r\n3;3.5;north;0.5;1\r\n",
    );
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Drop, ["id"]),
            RoleSpec::new(Role::Weight, ["w"]),
            RoleSpec::new(Role::Input, ["a"]),
            RoleSpec::new(Role::Input, ["shop"]).kind(Kind::Category),
        ],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let data = open(&spec).unwrap();
    let names: Vec<&str> = data.schema.inputs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["a", "shop"]);
    assert_eq!(all(&data.train, PortId::Input(1)), [0., 1., 0.]);
    assert!(data.schema.weighted);
    let mut weights = [0.0; 3];
    data.train.gather_weights(&[2, 1, 0], &mut weights).unwrap();
    assert_eq!(weights, [0.5, 2.0, 1.0]);
    assert_eq!(data.schema.find("shop"), Some(PortId::Input(1)));
}

#[test]
fn headers_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let width = |name: &str, text: &str| {
        let data = open(&DataSpec::new(SourceSpec::csv(write(&folder, name, text)))).unwrap();
        (data.train.len(), data.schema.columns[0].name.clone())
    };
    assert_eq!(width("a.csv", "1,2\n3,4\n"), (2, "c1".into()));
    assert_eq!(width("b.csv", "x,y\n3,4\n"), (1, "x".into()));
    assert_eq!(width("c.csv", "5.1,setosa\n3,virginica\n"), (2, "c1".into()));
    assert_eq!(width("d.csv", "name,kind\nbob,red\nann,blue\n"), (2, "name".into()));
    assert_eq!(width("e.csv", "red,yes\nblue,yes\nred,no\n"), (3, "c1".into()));
    assert_eq!(width("f.csv", "id,1990,sum\n1,2,3\n"), (1, "id".into()));
    assert_eq!(width("g.tsv", "x\ty\n1\t2\n"), (1, "x".into()));
    let forced = SourceSpec::Csv(CsvSpec {
        dialect: Dialect { header: Some(true), ..Dialect::default() },
        ..CsvSpec::new(write(&folder, "h.csv", "1,2\n3,4\n"))
    });
    assert_eq!(open(&DataSpec::new(forced)).unwrap().train.len(), 1);
    let comma = SourceSpec::Csv(CsvSpec {
        dialect: Dialect { decimal_comma: Some(true), ..Dialect::default() },
        ..CsvSpec::new(write(&folder, "i.csv", "x;y\n1,5;2\n"))
    });
    assert_eq!(all(&open(&DataSpec::new(comma)).unwrap().train, IN), [1.5]);
}

#[test]
fn faults_of_tables() {
    let folder = tempfile::tempdir().unwrap();
    let csv = |name: &str, text: &str| DataSpec::new(SourceSpec::csv(write(&folder, name, text)));
    assert_eq!(
        faults(open(&csv("ragged.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n"))),
        [
            "[N0501] ragged.csv:3: this row has 1 cell, the header has 2 (one too few)",
            "[N0501] ragged.csv:4: this row has 3 cells, the header has 2 (one too many)",
        ]
    );
    assert_eq!(
        faults(open(&csv("letter.csv", "a,b\n1,2\n3,1O\n5,6\n"))),
        [
            "[N0502] letter.csv:3: `1O` is not a number (a letter O; did you mean 10?); fix: correct the cell; if `b` is no number, give it `one_hot` or `category`"
        ]
    );
    assert_eq!(
        faults(open(&csv("quote.csv", "a,b\n1,2\n\"3,4\n5,6\n"))),
        [
            "[N0508] quote.csv:3: a quote is opened here and never closed; fix: close it, or write a quote inside of a cell twice: \"\""
        ]
    );
    assert_eq!(faults(open(&csv("empty.csv", ""))), ["[N0506] empty.csv: `empty.csv` is empty"]);
    assert_eq!(
        faults(open(&csv("head.csv", "a,b\n"))),
        ["[N0506] head.csv: `head.csv` has a header and no rows"]
    );
    assert_eq!(
        faults(open(&csv("inf.csv", "a,b\n1,2\n2,inf\n"))),
        [
            "[N0502] inf.csv:3: `inf` is not a number (the other cells of this column are numbers); fix: correct the cell; if `b` is no number, give it `one_hot` or `category`"
        ]
    );
    let many: String = (0..50).map(|i| format!("1,{i}\n1,x{i}\n")).collect();
    let result = open(&csv("many.csv", &format!("a,b\n0,0\n{many}"))).unwrap_err();
    assert_eq!((result.len(), result[9].more), (10, 40));
    write(&folder, "flowers.csv", "a,b\n1,2\n");
    let wrong = folder.path().join("flower.csv").to_string_lossy().into_owned();
    let result = open(&DataSpec::new(SourceSpec::csv(&wrong))).unwrap_err();
    assert_eq!(result[0].code.name(), "N0504");
    assert!(result[0].help.as_ref().unwrap().contains("flowers.csv"), "{:?}", result[0].help);
    let folder_as_file = folder.path().to_string_lossy().into_owned();
    assert_eq!(open(&DataSpec::new(SourceSpec::csv(folder_as_file))).unwrap_err()[0].code.name(), "N0504");
    std::fs::write(folder.path().join("latin.csv"), b"a,b\n1,caf\xe9\n2,tea\n").unwrap();
    let latin = folder.path().join("latin.csv").to_string_lossy().into_owned();
    assert_eq!(open(&DataSpec::new(SourceSpec::csv(latin))).unwrap_err()[0].code.name(), "N0508");
}

#[test]
fn faults_of_roles() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", "area,rooms,price\n1,2,3\n4,5,6\n");
    let with = |roles: Vec<RoleSpec>| {
        faults(open(&DataSpec { roles, ..DataSpec::new(SourceSpec::csv(&path)) }))
            .into_iter()
            .map(|l| l.replace(&path, "t.csv"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        with(vec![RoleSpec::new(Role::Input, ["areas", "age"])]),
        [
            "[N0505] `t.csv` has no column `areas` (did you mean `area`?)",
            "[N0505] `t.csv` has no column `age`; fix: it has area rooms price",
        ]
    );
    assert_eq!(
        with(vec![RoleSpec::new(Role::Input, ["area", "price"]), RoleSpec::new(Role::Target, ["price"])]),
        [
            "[N0507] `price` is an input and also a target; fix: a network that sees its target learns to copy it; keep one of the two"
        ]
    );
    assert_eq!(
        with(vec![RoleSpec::new(Role::Drop, ["area", "rooms"]), RoleSpec::new(Role::Target, ["price"])]),
        ["[N0507] `t.csv` has no column left to be an input; fix: name one: `input NAME`, or `input rest`"]
    );
    let log = RoleSpec::new(Role::Input, ["area"]).scaled(Scaling::Log);
    let zero = write(&folder, "zero.csv", "area,price\n1,3\n0,6\n-1,2\n");
    let spec = DataSpec { roles: vec![log], ..DataSpec::new(SourceSpec::csv(zero)) };
    assert_eq!(
        faults(open(&spec)),
        ["[N0510] zero.csv:3: `log` needs numbers above 0, and `area` has 0; and 1 more"]
    );
}

#[test]
fn dates_are_taken_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", "when,y\n31/12/2023 06:30,1\n01/02/2024 18:00,2\n,3\n");
    let role = RoleSpec::new(Role::Input, ["when"]).kind(Kind::Date).missing(Missing::Drop);
    let spec = DataSpec { roles: vec![role], ..DataSpec::new(SourceSpec::csv(&path)) };
    let data = open(&spec).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [5]);
    assert_eq!(all(&data.train, IN), [2023., 12., 31., 6., 6.5, 2024., 2., 1., 3., 18.]);
    let names: Vec<&str> = data.schema.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["when.year", "when.month", "when.day", "when.weekday", "when.hour", "y"]);
    // The order of day and month is remembered; a single row does not show it.
    let stats = Stats::from_json(&data.stats.to_json()).unwrap();
    let one = write(&folder, "one.csv", "when\n03/04/2024 12:00\n");
    assert_eq!(all(&encode(&stats, &SourceSpec::csv(one)).unwrap(), IN), [2024., 4., 3., 2., 12.]);
    let bad = write(&folder, "bad.csv", "when,y\n31/12/2023,1\n99/99/2024,2\n2024-02-01,3\n");
    let spec = DataSpec { train: SourceSpec::csv(bad), ..spec };
    assert_eq!(
        faults(open(&spec)),
        [
            "[N0510] bad.csv:2: in `when` it cannot be told which number is the day and which the month; fix: data \"bad.csv\" day_first=yes   where `31/12/2023` is 2023-12-31\ndata \"bad.csv\" day_first=no"
        ]
    );
    let bad = write(&folder, "bad.csv", "when,y\n2024-02-30,1\n2024-02-01,3\n");
    let spec = DataSpec { train: SourceSpec::csv(bad), ..spec };
    assert_eq!(
        faults(open(&spec)),
        [
            "[N0502] bad.csv:2: `2024-02-30` is no date; expected a date like 2024-03-31, 2024-03, 20240331, 31.03.2024, 3/31/24, 31-Mar-2024 or Mar 31, 2024, alone or with a time such as 14:05, 14:05:30.5, 2:05 PM or 18.00.00"
        ]
    );
}

#[test]
fn the_order_of_days_and_months_can_be_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", "when,y\n01/05/2024 2:30 PM,1\n02/06/2024 12:00 AM,2\n");
    let role = RoleSpec::new(Role::Input, ["when"]).kind(Kind::Date);
    let with = |day_first| {
        let dialect = Dialect { day_first, ..Dialect::default() };
        let train = SourceSpec::Csv(CsvSpec { dialect, ..CsvSpec::new(&path) });
        open(&DataSpec { roles: vec![role.clone()], ..DataSpec::new(train) })
    };
    let told = faults(with(None)).join("");
    assert!(told.contains("day_first=yes   where `01/05/2024 2:30 PM` is 2024-05-01 14:30"), "{told}");
    let dayful = with(Some(true)).unwrap();
    assert_eq!(all(&dayful.train, IN), [2024., 5., 1., 2., 14.5, 2024., 6., 2., 6., 0.]);
    let monthly = with(Some(false)).unwrap();
    assert_eq!(all(&monthly.train, IN)[..5], [2024., 1., 5., 4., 14.5]);
    // It is said for columns that do not say it themselves: 8/15/24 has the month first.
    let both = write(&folder, "both.csv", "a,b,y\n8/15/24,01/05/2024,1\n8/9/24,02/06/2024,2\n");
    let dialect = Dialect { day_first: Some(true), ..Dialect::default() };
    let train = SourceSpec::Csv(CsvSpec { dialect, ..CsvSpec::new(&both) });
    let role = RoleSpec::new(Role::Input, ["a", "b"]).kind(Kind::Date);
    let mixed = open(&DataSpec { roles: vec![role], ..DataSpec::new(train.clone()) }).unwrap();
    let months = |table: &Table| -> Vec<f64> {
        let numbers = all(table, IN);
        [1, 5, 9, 13].map(|i| numbers[i]).to_vec()
    };
    assert_eq!(months(&mixed.train), [8., 5., 8., 6.]);
    assert_eq!(months(&encode(&mixed.stats, &train).unwrap()), [8., 5., 8., 6.]);
    // A file that is read later has the order of training.
    assert_eq!(all(&encode(&dayful.stats, &SourceSpec::csv(&path)).unwrap(), IN)[1], 5.0);
    // What looks like dates is told to be.
    let plain = open(&DataSpec::new(SourceSpec::csv(&path))).unwrap();
    assert!(plain.notes[0].help.as_ref().unwrap().contains("input when date"), "{:?}", plain.notes);
}

#[test]
fn missing_values_by_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", "a,s,y\n1,x,1\n,y,2\n4,,3\n1,y,4\nNA,y,5\n");
    let filled = |number: Missing, text: Missing| {
        let numbers = RoleSpec { indicator: true, ..RoleSpec::new(Role::Input, ["a"]).missing(number) };
        let texts = RoleSpec::new(Role::Input, ["s"]).kind(Kind::OneHot).missing(text);
        let spec = DataSpec { roles: vec![numbers, texts], ..DataSpec::new(SourceSpec::csv(&path)) };
        let table = open(&spec).unwrap().train;
        (all(&table, IN), table.width(IN).unwrap())
    };
    let column = |(data, width): (Vec<f64>, usize), i: usize| -> Vec<f64> {
        data.chunks(width).map(|row| row[i]).collect()
    };
    let mode = || filled(Missing::Mode, Missing::Mode);
    assert_eq!(mode().1, 4); // a, whether it was missing, x, y
    assert_eq!(column(mode(), 0), [1., 1., 4., 1., 1.]);
    assert_eq!(column(mode(), 1), [0., 1., 0., 0., 1.]);
    assert_eq!(column(mode(), 3), [0., 1., 1., 1., 1.]);
    assert_eq!(column(filled(Missing::Mean, Missing::Mode), 0), [1., 2., 4., 1., 2.]);
    assert_eq!(column(filled(Missing::Median, Missing::Mode), 0), [1., 1., 4., 1., 1.]);
    assert_eq!(column(filled(Missing::Number(-1.0), Missing::Mode), 0), [1., -1., 4., 1., -1.]);
    let named = filled(Missing::Mode, Missing::Text("none".into()));
    assert_eq!(named.1, 5);
    assert_eq!(column(named, 2), [0., 0., 1., 0., 0.]);
    let dropped = filled(Missing::Drop, Missing::Drop);
    assert_eq!(column(dropped, 0), [1., 1.]);
    let roles = vec![RoleSpec::rest(Role::Input).missing(Missing::Mean)];
    let spec = DataSpec { roles, ..DataSpec::new(SourceSpec::csv(&path)) };
    assert_eq!(
        faults(open(&spec))[0],
        "[N0510] t.csv: `s` is text, has missing cells, and text has no mean; fix: input s one_hot missing=mode"
    );
}

#[test]
fn unknown_categories_may_have_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", "s,y\nred,1\nblue,2\n");
    let new = write(&folder, "new.csv", "s\ngreen\nred\n");
    let with = |unknown| {
        let role = RoleSpec { unknown, ..RoleSpec::new(Role::Input, ["s"]).kind(Kind::OneHot) };
        let spec = DataSpec { roles: vec![role], ..DataSpec::new(SourceSpec::csv(&path)) };
        encode(&open(&spec).unwrap().stats, &SourceSpec::csv(&new))
    };
    assert_eq!(all(&with(Unknown::Bucket).unwrap(), IN), [0., 0., 1., 0., 1., 0.]);
    assert_eq!(with(Unknown::Fault).unwrap_err()[0].code.name(), "N0511");
}
