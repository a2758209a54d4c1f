//! JSON lines and ARFF, which are tables in another form.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, lines, write};
use nnc_data::{
    CsvSpec, DataSpec, Dialect, Kind, Limits, Missing, PortId, Role, RoleSpec, Separator, SourceSpec, encode,
    encode_inputs, open, open_with,
};

const IN: PortId = PortId::Input(0);
const OUT: PortId = PortId::Target(0);

fn spec(path: &str, roles: Vec<RoleSpec>) -> DataSpec {
    DataSpec { roles, ..DataSpec::new(SourceSpec::csv(path)) }
}

fn rows(folder: &tempfile::TempDir, name: &str, text: &str) -> DataSpec {
    spec(&write(folder, name, text), Vec::new())
}

#[test]
fn objects_are_rows() {
    let folder = tempfile::tempdir().unwrap();
    let text = concat!(
        "{\"a\": 1, \"b\": {\"c\": 2.5, \"d\": {\"e\": -1e2}}, \"y\": \"yes, \\\"so\\\"\"}\n",
        "\n",
        "  {\"y\": \"no\\nnever\", \"b\": {\"c\": 3}, \"a\": 4}\r\n",
        "{\"a\": null, \"b\": {\"c\": 0.125, \"d\": {\"e\": 7}}, \"y\": \"no\\nnever\"}",
    );
    let mut data = rows(&folder, "t.jsonl", text);
    data.roles = vec![
        RoleSpec::new(Role::Input, ["a", "b.c", "b.d.e"]).missing(Missing::Number(9.0)),
        RoleSpec::new(Role::Target, ["y"]),
    ];
    let read = open(&data).unwrap();
    assert_eq!(all(&read.train, IN), [1., 2.5, -100., 4., 3., 9., 9., 0.125, 7.]);
    assert_eq!(read.schema.targets[0].classes.as_ref().unwrap(), &["no\nnever", "yes, \"so\""]);
    assert_eq!(all(&read.train, OUT), [1., 0., 0.]);
    // The last key is the target where nothing says so, and a mistake has its line.
    let found = faults(open(&rows(&folder, "t.json", text)));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("t.json:4: row 3, column 1 (`a`)") || found[0].contains("t.json:4"),
        "{found:?}"
    );
    assert!(found[1].contains("t.json:3"), "{found:?}");
}

#[test]
fn a_later_key_is_a_column_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut text: String = (0..5000).map(|i| format!("{{\"a\":{i},\"y\":{}}}\n", i * 2)).collect();
    text.push_str("{\"a\":1,\"y\":2,\"late\":5}\n");
    let mut data = rows(&folder, "t.ndjson", &text);
    data.roles = vec![
        RoleSpec::new(Role::Input, ["a", "late"]).missing(Missing::Number(0.0)),
        RoleSpec::new(Role::Target, ["y"]),
    ];
    let read = open(&data).unwrap();
    assert_eq!((read.train.len(), all(&read.train, IN)[10_001]), (5001, 5.0));
    // Larger than memory, and packed, it is the same.
    let little = open_with(&data, &Limits { memory: 60_000 }).unwrap();
    assert_eq!(all(&little.train, IN), all(&read.train, IN));
}

#[test]
fn objects_that_are_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let fault = |text: &str| faults(open(&rows(&folder, "t.jsonl", text))).remove(0);
    let first = "{\"a\": 1, \"y\": 2}\n";
    for (second, part) in [
        ("{\"a\": 1, \"y\": }", "t.jsonl:2: this line is no object of JSON: expected value, at character 15"),
        ("[1, 2]", "t.jsonl:2: this line is no object of JSON: an object begins with `{`"),
        ("{\"a\": 1} {\"a\": 2}", "t.jsonl:2: this line is no object of JSON: trailing characters"),
        ("{\"a\": 1, \"a\": 2, \"y\": 1}", "t.jsonl:2: this line is no object of JSON: it has `a` twice"),
        ("{\"a\": 1, \"y\": 2", "t.jsonl:2: this line is no object"),
        (
            "{\"a\": [1, 2], \"y\": 2}",
            "t.jsonl:2: `a` holds a list, and a cell of a table has one value; fix: drop a",
        ),
        ("{\"a\": \"x\", \"y\": 2}", "`x` is not a number"),
    ] {
        let found = fault(&format!("{first}{second}\n{first}{first}"));
        assert!(found.contains(part), "{second}: {found}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    assert!(fault(&deep).contains("lies in more than 32 objects"));
    assert!(fault("{}\n{}\n").contains("[N0506]"));
    assert!(fault("").contains("is empty"));
    // What is dropped may be anything.
    let text = "{\"tags\": [1], \"a\": 1, \"y\": 2}\n{\"tags\": \"x\", \"a\": 2, \"y\": 4}\n";
    let mut data = rows(&folder, "t.jsonl", text);
    data.roles = vec![RoleSpec::new(Role::Drop, ["tags"])];
    assert_eq!(all(&open(&data).unwrap().train, IN), [1., 2.]);
    // Options that say how lines are cut mean nothing here, and that is said.
    let mut csv = CsvSpec::new(write(&folder, "u.jsonl", "{\"a\": 1, \"y\": 2}\n{\"a\": 3, \"y\": -1}\n"));
    csv.dialect =
        Dialect { separator: Some(Separator::Byte(b';')), na: Some(vec!["-1".into()]), ..Dialect::default() };
    let role = RoleSpec::new(Role::Target, ["y"]).missing(Missing::Drop);
    let data =
        DataSpec { roles: vec![role, RoleSpec::rest(Role::Input)], ..DataSpec::new(SourceSpec::Csv(csv)) };
    let read = open(&data).unwrap();
    assert_eq!(read.train.len(), 1);
    assert!(lines(&read.notes)[0].contains("`separator` has no effect on"), "{:?}", lines(&read.notes));
}

#[test]
fn objects_for_a_model_of_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let table = write(&folder, "t.csv", "a,b,y\n1,2,u\n3,4,v\n5,6,u\n");
    let roles = vec![
        RoleSpec::new(Role::Input, ["a", "b"]).missing(Missing::Mean),
        RoleSpec::new(Role::Target, ["y"]),
    ];
    let data = open(&spec(&table, roles)).unwrap();
    let new = write(&folder, "new.jsonl", "{\"b\": 20, \"a\": 10}\n{\"a\": 30}\n");
    let table = encode(&data.stats, &SourceSpec::csv(&new)).unwrap();
    assert_eq!(all(&table, IN), [10., 20., 30., 4.]);
    // A key that no row has is missing in every row.
    let new = write(&folder, "new.jsonl", "{\"b\": 20}\n{\"b\": 40}\n");
    let table = encode_inputs(&data.stats, &SourceSpec::csv(&new), &Limits::default()).unwrap();
    assert_eq!(all(&table, IN), [3., 20., 3., 40.]);
    let new = write(&folder, "new.jsonl", "{\"z\": 20}\n");
    let two =
        CsvSpec { more: vec![new], ..CsvSpec::new(write(&folder, "old.jsonl", "{\"a\": 1, \"b\": 2}\n")) };
    let found = encode(&data.stats, &SourceSpec::Csv(two)).unwrap_err();
    assert!(lines(&found)[0].contains("the files before this one have no key `z`"), "{found:?}");
}

const WEATHER: &str = "% Made up.
@RELATION 'the weather'

@attribute outlook {sunny, overcast, 'light rain'}
@attribute 'wind speed' numeric
@attribute temperature real
@ATTRIBUTE play {yes,no}
@data
% rows
sunny, 10, 30.5, no
'light rain', ?, 20, yes
overcast,7,?,yes
sunny,1e1,25,?
";

fn weather() -> Vec<RoleSpec> {
    vec![
        RoleSpec::new(Role::Input, ["wind speed", "temperature"]).missing(Missing::Number(-1.0)),
        RoleSpec::new(Role::Input, ["outlook"]),
        RoleSpec::new(Role::Target, ["play"]).missing(Missing::Drop),
    ]
}

#[test]
fn arff_is_read_as_it_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "w.arff", WEATHER);
    let data = open(&spec(&path, weather())).unwrap();
    // The order of the declaration, not of the alphabet.
    assert_eq!(data.schema.targets[0].classes.as_ref().unwrap(), &["yes", "no"]);
    assert_eq!(all(&data.train, OUT), [1., 0., 0.]);
    assert_eq!(all(&data.train, IN), [1., 0., 0., 10., 30.5, 0., 0., 1., -1., 20., 0., 1., 0., 7., -1.]);
    assert_eq!(lines(&data.notes).len(), 1, "{:?}", data.notes); // a quarter of the rows is left out
    let stats = &data.stats.columns;
    assert_eq!(stats[0].vocabulary, ["sunny", "overcast", "light rain"]);
    // Whole numbers may be classes, and texts may be numbers.
    let text = "@relation r\n@attribute k {2,1,0}\n@attribute y {0,1}\n@data\n0,1\n1,0\n2,0\n2,1\n";
    let data = open(&rows(&folder, "k.arff", text)).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [3]);
    assert_eq!(all(&data.train, IN)[..6], [0., 0., 1., 0., 1., 0.]);
    assert_eq!(data.schema.targets[0].classes.as_ref().unwrap(), &["0", "1"]);
    let mut own = rows(&folder, "k.arff", text);
    own.roles =
        vec![RoleSpec::new(Role::Input, ["k"]).kind(Kind::Number), RoleSpec::new(Role::Target, ["y"])];
    assert_eq!(all(&open(&own).unwrap().train, IN), [0., 1., 2., 2.]);
}

#[test]
fn declared_values_are_values() {
    let folder = tempfile::tempdir().unwrap();
    // Weka's only gap is `?`; Namibia is a country.
    let text = "@relation r\n@attribute c {NA,null,b}\n@attribute x numeric\n@attribute y {NaN,n/a}\n@data\n\
        NA,1,NaN\nnull,2,n/a\nb,3,NaN\n?,4,n/a\n";
    let mut data = rows(&folder, "na.arff", text);
    data.roles = vec![
        RoleSpec::new(Role::Input, ["c"]).missing(Missing::Drop),
        RoleSpec::new(Role::Input, ["x"]),
        RoleSpec::new(Role::Target, ["y"]),
    ];
    let read = open(&data).unwrap();
    assert_eq!(all(&read.train, IN), [1., 0., 0., 1., 0., 1., 0., 2., 0., 0., 1., 3.]);
    assert_eq!(all(&read.train, OUT), [0., 1., 0.]);
    // A model that knows the class finds it in a table of another form.
    let new = write(&folder, "new.csv", "c,x,y\nNA,7,NaN\nb,8,n/a\n");
    let table = encode(&read.stats, &SourceSpec::csv(new)).unwrap();
    assert_eq!(all(&table, IN), [1., 0., 0., 7., 0., 0., 1., 8.]);
    assert_eq!(all(&table, OUT), [0., 1.]);
    // So does a program that names it.
    let path = write(&folder, "t.csv", "c,y\nNA,1\nDE,2\nNA,3\n");
    let role = RoleSpec { order: vec!["DE".into(), "NA".into()], ..RoleSpec::new(Role::Input, ["c"]) };
    let role = role.kind(Kind::OneHot);
    assert_eq!(all(&open(&spec(&path, vec![role])).unwrap().train, IN), [0., 1., 1., 0., 0., 1.]);
}

#[test]
fn sparse_rows_of_arff() {
    let folder = tempfile::tempdir().unwrap();
    let text = "@relation r\n@attribute a numeric\n@attribute k {red,'dark, blue'}\n@attribute b real\n\
        @attribute y {no,yes}\n@data\n{0 2.5, 3 yes}\n{}\n1,red,4,no\n{ 1 'dark, blue' , 2 ? }\n";
    let mut data = rows(&folder, "s.arff", text);
    let role = RoleSpec::new(Role::Input, ["a", "b"]).missing(Missing::Number(-1.0));
    data.roles = vec![role, RoleSpec::new(Role::Input, ["k"]), RoleSpec::new(Role::Target, ["y"])];
    let read = open(&data).unwrap();
    assert_eq!(all(&read.train, IN), [2.5, 1., 0., 0., 0., 1., 0., 0., 1., 1., 0., 4., 0., 0., 1., -1.]);
    assert_eq!(all(&read.train, OUT), [1., 0., 0., 0.]);
    let text = "@relation r\n@attribute a numeric\n@attribute s string\n@data\n{0 1}\n";
    let found = faults(open(&rows(&folder, "s.arff", text))).remove(0);
    assert!(found.contains("`s` is not given, and a text or a date has no 0"), "{found}");
}

#[test]
fn dates_of_arff_have_the_order_of_their_form() {
    let folder = tempfile::tempdir().unwrap();
    for (form, want) in [("\"dd/MM/yyyy\"", [2024., 5., 1.]), ("'MM/dd/yyyy'", [2024., 1., 5.])] {
        let text = format!(
            "@relation r\n@attribute d date {form}\n@attribute y numeric\n@data\n'01/05/2024',1\n01/05/2024,2\n"
        );
        let read = open(&rows(&folder, "d.arff", &text)).unwrap();
        assert_eq!(all(&read.train, IN)[..3], want, "{form}");
    }
    let text =
        "@relation r\n@attribute d date\n@attribute y numeric\n@data\n\"2024-05-01T12:30:00\",1\n?,2\n";
    let mut data = rows(&folder, "d.arff", text);
    data.roles =
        vec![RoleSpec::new(Role::Input, ["d"]).missing(Missing::Drop), RoleSpec::new(Role::Target, ["y"])];
    assert_eq!(all(&open(&data).unwrap().train, IN), [2024., 5., 1., 2., 12.5]);
}

#[test]
fn arff_that_is_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let fault = |text: &str| faults(open(&spec(&write(&folder, "w.arff", text), weather()))).remove(0);
    let with = |row: &str| fault(&format!("{WEATHER}{row}\n"));
    for (row, part) in [
        ("{1 10, 7 no}", "w.arff:14: `7` is no place of this row: it has 0 to 3"),
        ("{1 10, 1 20}", "w.arff:14: place 1 stands here twice"),
        ("{1 10, 3 no", "w.arff:14: this sparse row is not closed"),
        ("{0 snow}", "`snow` is none of the values that line 4 gives `outlook`"),
        ("sunny,1,2,no,{3}", "w.arff:14: the weight of a row in braces is not read"),
        ("snow,1,2,no", "w.arff:14:1: column `outlook`, `snow`"),
        ("snow,1,2,no", "`snow` is none of the values that line 4 gives `outlook`"),
        ("sunny,fast,2,no", "`fast` is not a number, and line 5 says that `wind speed` is"),
        ("sunny,1,2", "w.arff:14: this row has 3 cells, the header has 4"),
        ("'sunny,1,2,no", "a quote is opened here and never closed"),
    ] {
        let found = with(row);
        let parts = part.split("; ");
        for part in parts {
            let place = found.contains(part) || part.contains("column") && found.contains("w.arff:14");
            assert!(place, "{row}: {found}");
        }
    }
    for (text, part) in [
        ("@relation r\n@attribute a numeric\n", "has no `@data`"),
        ("@relation r\n@data\n1\n", "no `@attribute` stands above `@data`"),
        ("@relation r\n@attribute a {x,x}\n@data\nx\n", "have `x` twice"),
        ("@relation r\n@attribute a relational\n@data\nx\n", "is relational"),
        ("@relation r\n@attribute a nominal\n@data\nx\n", "`nominal` is nothing that `a` can hold"),
        ("@relation r\n@attribute a {x\n@data\nx\n", "is not closed by `}`"),
        ("@relation r\n@attribute a numeric\n1\n@data\n1\n", "w.arff:3: `1` means nothing here"),
        ("@relation r\n@attribute a numeric\n@data\n", "[N0506]"),
    ] {
        let found = fault(text);
        assert!(found.contains(part), "{text}: {found}");
    }
}

/// Whatever a file holds, it is read or refused.
#[test]
fn broken_files_end_in_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let json = "{\"a\": 1, \"b\": {\"c\": \"x\\u00e9\"}, \"y\": [1]}\n{\"a\": null}\n";
    for (name, text) in [("t.jsonl", json), ("t.arff", WEATHER)] {
        let bytes = text.as_bytes();
        for i in 0..bytes.len() {
            for change in [b'"', b'{', b'\n', b',', 0xff, 0] {
                let mut bad = bytes.to_vec();
                bad[i] = change;
                let _ = open(&spec(&write(&folder, name, bad), Vec::new()));
            }
            let _ = open(&spec(&write(&folder, name, &bytes[..i]), Vec::new()));
        }
    }
}
