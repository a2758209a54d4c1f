//! Tables of every kind that people bring, each with what is right about it:
//! rows, columns, values, or the line of a program that reads it.

#![allow(clippy::unwrap_used)]

mod common;

use common::{lines, write};
use nnc_data::{
    ColumnKind, CsvSpec, DataSpec, Dialect, Fault, Kind, Limits, Role, RoleSpec, Separator, Skip, SourceSpec,
    describe, open,
};

/// Rows below a header.
fn rows(header: &str, n: usize, row: impl Fn(usize) -> String) -> String {
    let below: String = (0..n).map(|i| row(i) + "\n").collect();
    format!("{header}\n{below}")
}

fn spec(text: &[u8], dialect: Dialect) -> (tempfile::TempDir, DataSpec) {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", text);
    (folder, DataSpec::new(SourceSpec::Csv(CsvSpec { dialect, ..CsvSpec::new(path) })))
}

/// `3 rows: a 1…3, b 2…6, c {x y}`, or the first mistake and its remedy.
fn read_as(text: impl AsRef<[u8]>, dialect: Dialect) -> String {
    let (_folder, spec) = spec(text.as_ref(), dialect);
    match open(&spec) {
        Ok(data) => {
            let column = |c: &nnc_data::ColumnStats| match c.kind {
                ColumnKind::Number => format!("{} {}…{}", c.name, c.min, c.max),
                ColumnKind::Category
                | ColumnKind::Date
                | ColumnKind::Tensor
                | ColumnKind::Characters
                | ColumnKind::Bytes
                | ColumnKind::Tokens => format!("{} {{{}}}", c.name, c.vocabulary.join(" ")),
            };
            let columns: Vec<String> = data.stats.columns.iter().map(column).collect();
            format!("{} rows: {}", data.train.len(), columns.join(", "))
        }
        Err(faults) => match &faults[0].remedy {
            Some(option) => format!("say {option}"),
            None => format!("mistake: {}", lines(&faults)[0]),
        },
    }
}

fn plain(text: impl AsRef<[u8]>) -> String {
    read_as(text, Dialect::default())
}

/// What is said of a table that is read.
fn told(text: impl AsRef<[u8]>) -> String {
    let (_folder, spec) = spec(text.as_ref(), Dialect::default());
    describe(&spec, &Limits::default(), 1)
        .unwrap()
        .notes
        .iter()
        .map(Fault::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn colour(i: usize) -> &'static str {
    ["blue", "red"][i % 2]
}

#[test]
fn headers_of_numbers_over_texts() {
    // As pandas writes columns that have numbers for names.
    let text = rows("1,2,3,4,5", 20, |i| {
        format!("{}.5,{},{},{},{}", i * 3 % 7, i % 5, i % 3, i * i % 11, colour(i))
    });
    assert_eq!(plain(text), "20 rows: 1 0.5…6.5, 2 0…4, 3 0…2, 4 0…9, 5 {blue red}");
    let text = rows("0.0,1.0,2.0,kind", 20, |i| format!("{i}.5,{}.25,{},{}", 2 * i, 3 * i, colour(i)));
    assert_eq!(plain(text), "20 rows: 0.0 0.5…19.5, 1.0 0.25…38.25, 2.0 0…57, kind {blue red}");
    // A first row of the same form is a row.
    let text: String = (0..20).map(|i| format!("{},{},{}\n", i % 4, i % 3, colour(i))).collect();
    assert_eq!(plain(text), "20 rows: c1 0…3, c2 0…2, c3 {blue red}");
}

#[test]
fn separators_that_few_people_write() {
    let with = |mark: &str| ["a,b,c", "1,2,x", "3,4,y", "5,6,x"].join("\n").replace(',', mark);
    for mark in ["~", "^", ":", "!"] {
        assert_eq!(plain(with(mark)), format!("say separator=\"{mark}\""));
        let byte = mark.as_bytes()[0];
        let said = Dialect { separator: Some(Separator::Byte(byte)), ..Dialect::default() };
        assert_eq!(read_as(with(mark), said), "3 rows: a 1…5, b 2…6, c {x y}");
    }
    // Times are times.
    assert!(plain("time\n10:30\n10:45\n11:00\n").starts_with("3 rows: time {"));
    // R writes no name over the names of rows, numpy a mark before the names of columns.
    assert_eq!(plain("mpg cyl\ncar1 21.0 6\ncar2 22.8 4\ncar3 18.5 8\n"), "3 rows: mpg 18.5…22.8, cyl 4…8");
    assert_eq!(plain("# a n y\n0 1 2\n3 4 5\n6 7 8\n"), "3 rows: a 0…6, n 1…7, y 2…8");
    // Numbers with marks in them are no several cells.
    assert_eq!(
        plain(rows("a;b", 12, |i| format!("1.{},5;{i}", 100 + i))),
        "say decimal_comma thousands=\".\""
    );
    assert_eq!(plain(rows("a;b", 12, |i| format!("$1,{};{i}", 200 + i))), "say thousands=\",\"");
}

#[test]
fn marks_within_numbers() {
    for (number, option, least) in [
        ("1'234", "thousands=\"'\"", 1234.0),
        ("1\u{2019}234", "thousands=\"'\"", 1234.0),
        ("1 234", "thousands=\" \"", 1234.0),
        ("1\u{a0}234", "thousands=\" \"", 1234.0),
        ("1\u{202f}234,5", "decimal_comma thousands=\" \"", 1234.5),
        ("1_234", "thousands=\"_\"", 1234.0),
        ("12,34,567", "thousands=\",\"", 1_234_567.0),
        ("CHF 1'234.50", "thousands=\"'\"", 1234.5),
    ] {
        let text = rows("n;y", 12, |i| format!("{number};{i}"));
        assert_eq!(plain(&text), format!("say {option}"), "{number}");
        let mark = option.rsplit_once('=').and_then(|(_, m)| m.chars().nth(1));
        let comma = option.starts_with("decimal_comma");
        let said = Dialect { thousands: mark, decimal_comma: comma.then_some(true), ..Dialect::default() };
        assert_eq!(read_as(text, said), format!("12 rows: n {least}…{least}, y 0…11"), "{number}");
    }
    // One such cell among plain ones.
    let one = rows("n,y", 40, |i| if i == 20 { "\"20,120\",20".into() } else { format!("{i},{i}") });
    assert_eq!(plain(one), "say thousands=\",\"");
}

#[test]
fn units_beside_numbers_are_left_away_and_told() {
    for (cell, unit) in
        [("12.5 USD", "USD"), ("CHF 12.5", "CHF"), ("12.5 kg", "kg"), ("12.5°C", "°C"), ("12.5 km/h", "km/h")]
    {
        let text = rows("n,y", 12, |i| format!("{},{i}", cell.replace("12", &(12 + i).to_string())));
        assert_eq!(plain(&text), "12 rows: n 12.5…23.5, y 0…11", "{cell}");
        let note = told(text);
        assert!(
            note.contains(&format!("12 cells of `n` are numbers with `{unit}`, which is left away")),
            "{note}"
        );
    }
    // Names that end in a letter are names, and two units are a mistake.
    assert!(plain(rows("n,y", 12, |i| format!("{i}m,{i}"))).contains("n {0m 10m"));
    let mixed = rows("n,y", 12, |i| if i == 7 { "7 lb,7".into() } else { format!("{i} kg,{i}") });
    assert!(plain(mixed).contains("`7 lb` is not a number"));
}

#[test]
fn lines_that_are_no_rows() {
    let body = rows("a,n,z", 8, |i| format!("{i},{},{i}.5", i * 10));
    let want = "8 rows: a 0…7, n 0…70, z 0.5…7.5";
    for (above, option) in [
        ("Sales by month,,\n,,\n", "skip=2"),
        ("Report,,\n", "skip=1"),
        ("% made by us, and others\n% v2\n", "comment=\"%\""),
        ("# made by us, in May, for all\n", "comment=\"#\""),
    ] {
        assert_eq!(plain(format!("{above}{body}")), format!("say {option}"), "{above}");
        let said = match option.split_once('=').unwrap() {
            ("skip", n) => Dialect { skip: Some(Skip::First(n.parse().unwrap())), ..Dialect::default() },
            (_, mark) => Dialect { comment: Some(mark.trim_matches('"').into()), ..Dialect::default() },
        };
        assert_eq!(read_as(format!("{above}{body}"), said), want);
    }
    // Files that were put together.
    let again = body.replace("4,40,4.5", "a,n,z");
    assert_eq!(plain(&again), "say skip=[6]");
    let said = Dialect { skip: Some(Skip::Lines(vec![6])), ..Dialect::default() };
    assert_eq!(read_as(again, said), "7 rows: a 0…7, n 0…70, z 0.5…7.5");
    // A row with too few cells.
    assert_eq!(plain(body.replace("4,40,4.5", "4,40")), "say skip=[6]");
    // Units above the names are told both ways.
    let (_folder, spec) = spec(b"s,degC\ntime,temp\n0,20\n1,21\n2,22\n3,23\n", Dialect::default());
    let help = open(&spec).unwrap_err()[0].help.clone().unwrap();
    assert!(help.contains("skip=[2]") && help.contains("skip=1"), "{help}");
}

#[test]
fn the_separator_at_the_end_of_a_line_makes_no_target() {
    let text = rows("a,b,", 8, |i| format!("{i},{},", i * 2));
    assert_eq!(plain(&text), "8 rows: a 0…7, b 0…14");
    assert!(told(text).contains("every line ends with a separator"));
    let text = rows("a,,b,", 8, |i| format!("{i},,{},", i * 2));
    assert_eq!(plain(&text), "8 rows: a 0…7, b 0…14");
    assert!(told(text).contains("`c2`, `c4` have no name and no cell"));
    // A name is a name, and a cell a cell.
    assert!(told(rows("a,b,x", 8, |i| format!("{i},{},", i * 2))).contains("`x` has 8 missing cells"));
    assert!(plain(rows("a,b,", 8, |i| format!("{i},{},{i}", i * 2))).ends_with("c3 0…7"));
}

#[test]
fn last_rows_that_are_totals() {
    let named = rows("shop,n", 8, |i| format!("s{i},{}", i * 10)) + "Total,280\n";
    assert!(
        told(named)
            .contains("looks like a total: it says `Total`; fix: if it is one: data \"t.csv\" skip_last=1")
    );
    let bare = rows("a,n", 8, |i| format!("{i},{}", i * 10)) + ",280\n";
    assert!(told(bare).contains("its numbers are the sums of those above"));
    // A sum alone proves nothing, and neither does a name.
    let sum = rows("a,n", 8, |i| format!("{i},{}", i * 10)) + "8,280\n";
    assert!(!told(sum).contains("total"));
    let shops = rows("shop,n", 8, |i| format!("{},{}", ["all", "some"][i % 2], i * 10));
    assert!(!told(shops).contains("total"));
}

#[test]
fn codes_that_are_written_with_zeros() {
    let zip = rows("zip,y", 8, |i| format!("{:05},{i}", i * 1000 + 17));
    let note = told(zip);
    assert!(
        note.contains("8 cells of `zip` begin with a 0, as codes do: `00017` is read as the number 17")
            && note.contains("input zip category"),
        "{note}"
    );
    let fine = rows("a,y", 8, |i| format!("0.{i},{}", i * 10));
    assert!(!told(fine).contains("codes"));
}

#[test]
fn remarks_behind_numbers() {
    for (mark, option) in [("#", "comment=\"#\""), ("//", "comment=\"//\"")] {
        let text = rows("a,y", 9, |i| {
            format!("{i},{}{}", i * 2, if i % 4 == 1 { format!(" {mark} seen") } else { String::new() })
        });
        assert_eq!(read_as(&text, Dialect::default()), format!("say {option}"));
        let dialect = Dialect { comment: Some(mark.into()), ..Dialect::default() };
        assert_eq!(read_as(&text, dialect), "9 rows: a 0…8, y 0…16");
    }
}

#[test]
fn tables_of_markdown() {
    for rule in ["|---|:--:|--:|", "| --- | --- | ---- |"] {
        let text = format!("| a | b | c |\n{rule}\n| 1 | 2 | u |\n| 3 | 4 | v |\n| 5 | 6 | u |\n");
        assert_eq!(read_as(&text, Dialect::default()), "3 rows: a 1…5, b 2…6, c {u v}");
    }
    // Without bars at the ends, and a row of dashes among the others is none.
    let bare = "a | b\n---|---\n1 | 2\n3 | 4\n";
    assert_eq!(read_as(bare, Dialect::default()), "2 rows: a 1…3, b 2…4");
}

#[test]
fn numbers_that_stand_for_a_gap() {
    for (odd, option) in [("-999", "-999"), ("9999.0", "9999"), ("-1e30", "-1e30"), ("-200", "-200")] {
        let text =
            rows("a,y", 30, |i| if i % 9 == 4 { format!("{odd},{i}") } else { format!("{},{i}", i % 8) });
        let note = told(text);
        assert!(
            note.contains("in 3 rows, and 0 to 7 in all others") && note.contains(&format!("na=[{option}]")),
            "{note}"
        );
    }
    for fine in [
        rows("a,y", 30, |i| format!("{},{i}", i * 37 % 100)),
        rows("a,y", 30, |i| format!("{},{i}", if i == 3 { 999 } else { i })),
        rows("a,y", 30, |i| format!("{},{i}", if i % 9 == 4 { 0 } else { 500 + i })),
    ] {
        assert!(!told(&fine).contains("na=["), "{}", told(fine));
    }
}

#[test]
fn marks_and_words_among_texts_and_numbers() {
    let text = rows("c,y", 20, |i| format!("{},{i}", if i % 7 == 3 { "?" } else { colour(i) }));
    let note = told(text);
    assert!(note.contains("`?` (3) is a category of `c` like any other; fix: if it means that the value is missing: data \"t.csv\" na=[\"?\"]"), "{note}");
    // Two classes.
    assert!(!told(rows("x,y", 20, |i| format!("{i},{}", ["+", "-"][i % 2]))).contains("na="));
    // A word among numbers that nobody knows.
    let (_folder, spec) = spec(
        rows("a,y", 20, |i| if i % 9 == 1 { format!("NR,{i}") } else { format!("{i},{i}") }).as_bytes(),
        Dialect::default(),
    );
    let faults = lines(&open(&spec).unwrap_err());
    assert!(
        faults[0].contains("if it means that a value is missing: data \"t.csv\" na=[\"NR\"]"),
        "{faults:?}"
    );
}

#[test]
fn numbers_that_are_dates_or_names() {
    let text = rows("d,x,y", 12, |i| format!("202401{:02},{},{i}", i + 1, i % 5));
    let note = told(text);
    assert!(
        note.contains("`d` is a number such as 20240101, which looks like a date; fix: input d date"),
        "{note}"
    );
    assert!(!told(rows("d,y", 12, |i| format!("{},{i}", 20_240_190 + i))).contains("date"));
    let ids = rows("id,x,y", 12, |i| format!("{},{},{i}", 123_456_789_012_345_670_u64 + i as u64, i % 5));
    let note = told(ids);
    assert!(
        note.contains(
            "`id` looks like an identifier: its numbers are too large to be told apart; fix: drop id"
        ),
        "{note}"
    );
}

#[test]
fn a_table_of_one_column_has_no_target() {
    assert!(told("x\n1\n2\n3\n").contains("the table has one column, and so no target"));
    let (_folder, spec) = spec(b"x\n1\n2\n3\n", Dialect::default());
    let said = DataSpec { roles: vec![RoleSpec::new(Role::Input, ["x"])], ..spec };
    assert!(!open(&said).unwrap().notes.iter().any(|n| n.message.contains("no target")));
}

#[test]
fn files_that_are_no_tables_are_named() {
    let utf32: Vec<u8> = "a,b\n1,2\n3,4\n".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for (text, what) in [
        (&b"\n  <div><table><tr><td>1</td></tr></table></div>\n"[..], "HTML"),
        (b"<rows><row a='1'/><row a='2'/></rows>\n", "XML"),
        (b"2 qid:1 1:0.5 7:1\n1 qid:1 2:1 7:0.25\n", "LIBSVM"),
        (b"{\"a\":{\"0\":1,\"1\":2},\"y\":{\"0\":3,\"1\":4}}", "holds whole columns"),
        (b"{\"a\":[1,2],\"y\":[3,4]}\n", "holds whole columns"),
        (&utf32, "UTF-32"),
        (b"a,note,y\n1,'two, three',3\n2,'x',4\n3,'a, b',5\n", "single quotes"),
    ] {
        let found = plain(text);
        assert!(found.starts_with("mistake") && found.contains(what), "{what}: {found}");
    }
    // A single row to predict, with an object in it, is a row.
    assert_eq!(plain("{\"user\":{\"age\":5,\"n\":2},\"y\":1}\n"), "1 rows: user.age 5…5, user.n 2…2, y 1…1");
    // A sign before a number is no tag.
    assert_eq!(plain("a,b\n<5,3\n<6,4\n<7,5\n"), "3 rows: a {<5 <6 <7}, b 3…5");
}

#[test]
fn encodings_have_names() {
    let help = |bytes: &[u8]| {
        let (_folder, spec) = spec(bytes, Dialect::default());
        open(&spec).unwrap_err()[0].help.clone().unwrap()
    };
    assert!(help(b"Gr\xf6\xdfe,y\n1,2\n3,4\n").starts_with("data \"t.csv\" encoding=\"latin1\"\n"));
    assert!(help(b"\xe8\xec\xff,\xf6\xe5\xed\xe0\n1,2\n3,4\n").contains("\"windows-1251\" (Cyrillic)"));
    let said = Dialect { encoding: Some("windows-1251".into()), ..Dialect::default() };
    assert_eq!(read_as(b"\xe8\xec\xff,\xf6\xe5\xed\xe0\n1,2\n3,4\n", said), "2 rows: имя 1…3, цена 2…4");
    let wide = |text: &str, big: bool| -> Vec<u8> {
        let units = format!("\u{feff}{text}");
        units.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    for big in [false, true] {
        assert_eq!(plain(wide("größe,y\n1,2\n3,4\n", big)), "2 rows: größe 1…3, y 2…4");
    }
}

#[test]
fn dates_in_many_forms() {
    for (first, want) in [
        ("1949-01", [1949., 1., 1.]),
        ("1/1949", [1949., 1., 1.]),
        ("8/15/14", [2014., 8., 15.]),
        ("20-Mar-06", [2006., 3., 20.]),
        ("20240105", [2024., 1., 5.]),
        ("20240105143000", [2024., 1., 5.]),
        ("\"Jan 5, 2024 3:04 PM\"", [2024., 1., 5.]),
        ("\"Friday, January 5, 2024\"", [2024., 1., 5.]),
        ("5th January 2024", [2024., 1., 5.]),
        ("05.01.2024", [2024., 1., 5.]),
        ("2024-01-05T14:05:30+01:00", [2024., 1., 5.]),
        ("Mon Feb  5 10:00:00 2024", [2024., 2., 5.]),
        ("05/Feb/2024:10:00:00 +0000", [2024., 2., 5.]),
    ] {
        let (_folder, spec) = spec(format!("d,y\n{first},1\n{first},2\n").as_bytes(), Dialect::default());
        let roles =
            vec![RoleSpec::new(Role::Input, ["d"]).kind(Kind::Date), RoleSpec::new(Role::Target, ["y"])];
        let shown = describe(&DataSpec { roles, ..spec }, &Limits::default(), 1).unwrap();
        assert_eq!(shown.after[0][0][..3], want, "{first}");
    }
}
