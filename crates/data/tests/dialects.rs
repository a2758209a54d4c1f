//! Tables as people write them: headers, lines that are no rows, words for
//! missing cells, numbers with marks in them, encodings.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, lines, write};
use nnc_data::{
    CsvSpec, DataSpec, Dataset, Dialect, Fault, Limits, Missing, PortId, Role, RoleSpec, Separator, Skip,
    SourceSpec, Stats, describe, encode, open,
};

const IN: PortId = PortId::Input(0);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn spec(&self, text: impl AsRef<[u8]>, dialect: Dialect) -> DataSpec {
        let path = write(&self.0, "t.csv", text);
        DataSpec::new(SourceSpec::Csv(CsvSpec { dialect, ..CsvSpec::new(path) }))
    }

    fn open(&self, text: impl AsRef<[u8]>, dialect: Dialect) -> Result<Dataset, Vec<Fault>> {
        open(&self.spec(text, dialect))
    }

    /// Rows and the names of the columns that are read.
    fn read(&self, text: impl AsRef<[u8]>, dialect: Dialect) -> (usize, String) {
        let data = self.open(text, dialect).unwrap_or_else(|f| panic!("{:?}", lines(&f)));
        let names: Vec<&str> = data.stats.columns.iter().map(|c| c.name.as_str()).collect();
        (data.train.len(), names.join(" "))
    }

    fn plain(&self, text: impl AsRef<[u8]>) -> (usize, String) {
        self.read(text, Dialect::default())
    }

    fn faults(&self, text: impl AsRef<[u8]>, dialect: Dialect) -> Vec<Fault> {
        self.open(text, dialect).unwrap_err()
    }
}

fn said(faults: &[Fault]) -> String {
    lines(faults).join("\n")
}

/// Rows made by a rule, below a header or not.
fn rows(header: &str, n: usize, row: impl Fn(usize) -> String) -> String {
    let below: String = (0..n).map(|i| row(i) + "\n").collect();
    format!("{header}{}{below}", if header.is_empty() { "" } else { "\n" })
}

#[test]
fn a_first_line_of_numbers_over_other_numbers_is_a_header() {
    let place = Place::new();
    let class = |i: usize| if i.is_multiple_of(3) { "sick" } else { "well" };
    let reals = |i: usize| format!("{}.{},-{}.5,{}", i % 3, i % 7, i % 4, class(i));
    assert_eq!(place.plain(rows("0,1,label", 30, reals)), (30, "0 1 label".into()));
    let years = |i: usize| format!("C{i},{},{},{}", 10 + i, 12 + i, 15 + i);
    assert_eq!(place.plain(rows("country,1990,2000,2010", 12, years)), (12, "country 1990 2000 2010".into()));
    let bare = |i: usize| format!("{},{},{}", 10 + i, 12 + 2 * i, 15 + i % 3);
    assert_eq!(place.plain(rows("2008,2009,2010", 12, bare)), (12, "2008 2009 2010".into()));
    assert_eq!(place.plain(rows("1995,2000", 12, |i| format!("{i},{}", 3 * i))), (12, "1995 2000".into()));
    let four = |i: usize| format!("0.{i},1.{i},2.{i},0.5");
    assert_eq!(place.plain(rows("0,1,2,3", 12, four)), (12, "0 1 2 3".into()));
    // A share of votes, one year.
    let shares = |i: usize| format!("S{i},{}.5", i as f64 - 6.0);
    assert_eq!(place.plain(rows("state,2018", 12, shares)), (12, "state 2018".into()));
    // Wavelengths.
    let spectrum = |i: usize| format!("0.{i},0.1{i},0.2{i},0.3{i},{}", class(i));
    assert_eq!(
        place.plain(rows("400.5,402.5,404.5,406.5,kind", 12, spectrum)),
        (12, "400.5 402.5 404.5 406.5 kind".into())
    );
}

#[test]
fn an_index_without_a_name_is_under_a_header() {
    let place = Place::new();
    let (n, names) = place.plain(rows(",0,1", 12, |i| format!("{i},0.{i},red")));
    assert_eq!((n, names.as_str()), (12, "c1 0 1"));
    let (n, names) = place.plain(rows(",word,colour", 12, |i| format!("{i},w{i},red")));
    assert_eq!((n, names.as_str()), (12, "c1 word colour"));
}

#[test]
fn words_over_texts_are_a_header_where_they_never_come_back() {
    let place = Place::new();
    let texts = |i: usize| format!("{},{}", ["red", "blue"][i % 2], ["yes", "no"][i / 2 % 2]);
    assert_eq!(place.plain(rows("colour,answer", 12, texts)), (12, "colour answer".into()));
    assert_eq!(place.plain(rows("", 12, texts)), (12, "c1 c2".into()));
    // Codes below; the names are built alike.
    let codes = |i: usize| format!("A{},B{}", 1 + i % 2, 1 + i / 2 % 2);
    assert_eq!(place.plain(rows("V1,V2", 12, codes)), (12, "V1 V2".into()));
    // Dates over dates are no names.
    let dates = |i: usize| format!("2024-01-{:02},x{i}", i + 1);
    assert_eq!(place.plain(rows("", 12, dates)), (12, "c1 c2".into()));
}

#[test]
fn cells_without_a_value_are_no_names() {
    let place = Place::new();
    for word in ["?", "NA", "null", "--", "", "n/a", "\\N"] {
        let text = rows(&format!("{word},red,big"), 20, |i| {
            format!("{},{},{}", i % 9, ["red", "blue"][i % 2], ["big", "small"][i / 2 % 2])
        });
        let role = RoleSpec::new(Role::Input, ["c1", "c2"]).missing(Missing::Mode);
        let spec = DataSpec { roles: vec![role], ..place.spec(text, Dialect::default()) };
        let data = open(&spec).unwrap_or_else(|f| panic!("{word}: {}", said(&f)));
        assert_eq!(data.train.len(), 21, "{word}");
    }
    let dash = Dialect { na: Some(vec!["gone".into()]), ..Dialect::default() };
    let text = rows("gone,red", 20, |i| format!("{},{}", i % 9, ["red", "blue"][i % 2]));
    let role = RoleSpec::new(Role::Input, ["c1"]).missing(Missing::Drop);
    let data = open(&DataSpec { roles: vec![role], ..place.spec(text, dash) }).unwrap();
    assert_eq!(data.train.len(), 20);
}

#[test]
fn what_is_in_doubt_is_told() {
    let place = Place::new();
    let told = |text: String| {
        let data = place.open(text, Dialect::default()).unwrap();
        data.notes.iter().filter(|n| n.code.name() == "N0560").map(|n| n.message.clone()).collect::<Vec<_>>()
    };
    // Each text stands there once.
    assert_eq!(told("bob,red\nann,blue\n".into()).len(), 1);
    // One word too many for a row, and a number that is no label.
    let odd = rows("5.5,species", 20, |i| format!("{}.1,{}", i % 3, ["cat", "dog"][i % 2]));
    assert_eq!(told(odd).len(), 1);
    // Cosines, written by a language that leaves `.0` away.
    let cosine = rows("0,1", 12, |i| format!("0.{},0.9{}", i + 1, 9 - i % 10));
    assert_eq!(told(cosine).len(), 1);
    for sure in [
        rows("a,b", 12, |i| format!("{i},{i}.5")),
        rows("", 12, |i| format!("{i}.5,{}", ["cat", "dog"][i % 2])),
        rows("", 4, |i| format!("{},{},{}", i / 2, i % 2, i % 2)),
    ] {
        assert_eq!(told(sure.clone()), Vec::<String>::new(), "{sure}");
    }
    let yes = Dialect { header: Some(true), ..Dialect::default() };
    assert_eq!(place.read(rows("0,1", 12, |i| format!("0.{i},0.5")), yes), (12, "0 1".into()));
}

#[test]
fn how_a_table_is_read_is_told_in_a_line() {
    let place = Place::new();
    let reading =
        |text: &str| describe(&place.spec(text, Dialect::default()), &Limits::default(), 1).unwrap().reading;
    assert_eq!(reading("a,b\n1,2\n"), ["header: line 1 (`a`, `b` stand over numbers)"]);
    assert_eq!(reading("1,2\n3,4\n"), ["no header: `1` is a number; write header=yes if line 1 holds names"]);
    assert_eq!(
        reading("x y\n1 2\n3 4\n"),
        [
            "separator: runs of blanks (every line has 2 words)",
            "header: line 1 (`x`, `y` stand over numbers)"
        ]
    );
}

#[test]
fn a_model_knows_whether_there_is_a_header() {
    let place = Place::new();
    let texts = |i: usize| {
        format!("{},{},{}", ["red", "blue"][i % 2], ["big", "small"][i / 2 % 2], ["y", "n"][i / 3 % 2])
    };
    let later = |stats: &Stats, name: &str, text: &str| {
        let table = encode(stats, &SourceSpec::csv(write(&place.0, name, text)));
        table.map(|t| t.len()).map_err(|f| said(&f))
    };
    // Without one.
    let stats = place.open(rows("", 12, texts), Dialect::default()).unwrap().stats;
    assert_eq!(later(&stats, "one.csv", "red,big,y\n"), Ok(1));
    assert_eq!(later(&stats, "two.csv", "red,big,y\nblue,small,n\n"), Ok(2));
    assert_eq!(later(&stats, "inputs.csv", "red,big\nblue,small\n"), Ok(2));
    assert_eq!(later(&stats, "names.csv", "c2,c1\nbig,red\n"), Ok(1));
    // With one.
    let stats = place.open(rows("colour,size,t", 12, texts), Dialect::default()).unwrap().stats;
    let stats = Stats::from_json(&stats.to_json()).unwrap();
    assert_eq!(later(&stats, "one.csv", "colour,size,t\nred,big,y\n"), Ok(1));
    assert_eq!(later(&stats, "order.csv", "size,id,colour\nbig,5,red\nbig,6,red\n"), Ok(2));
    assert_eq!(later(&stats, "semicolon.csv", "size;colour\nbig;red\n"), Ok(1));
    // Nothing of the names is there, and the cells are what they should be.
    assert_eq!(later(&stats, "bare.csv", "red,big\n"), Ok(1));
    let wrong = later(&stats, "other.csv", "colours,size\nred,big\n").unwrap_err();
    assert!(wrong.contains("no column `colour`") && wrong.contains("did you mean `colours`?"), "{wrong}");
    // Names over numbers that the model does not know are no row.
    let stats = place
        .open(rows("a,b,y", 12, |i| format!("{i},{},{}", i * i, i % 3)), Dialect::default())
        .unwrap()
        .stats;
    let wrong = later(&stats, "names.csv", "p,q\n1,2\n").unwrap_err();
    assert!(wrong.contains("no column `a`"), "{wrong}");
    assert_eq!(later(&stats, "bare.csv", "1,2\n3,4\n"), Ok(2));
    assert_eq!(later(&stats, "numbers.csv", "b,a\n1,2\n"), Ok(1));
}

#[test]
fn line_ends_of_every_machine() {
    let place = Place::new();
    for text in
        ["x,y\r1,2\r2,4\r3,6", "x,y\r1,2\r2,4\r3,6\r", "x,y\r1,2\r2,4\r3,6\n", "x,y\n1,2\r2,4\r\n3,6\n"]
    {
        let data = place.open(text, Dialect::default()).unwrap();
        assert_eq!(all(&data.train, IN), [1.0, 2.0, 3.0], "{text:?}");
    }
    let places = place.faults("x,y\r1,2\r\n2,a\rb,6\r4,8\r5,10\r6,12\r7,9\r", Dialect::default());
    assert!(said(&places).contains("t.csv:3:") && said(&places).contains("t.csv:4:"), "{}", said(&places));
}

#[test]
fn lines_that_are_no_rows_are_named_with_the_option() {
    let place = Place::new();
    let options = |text: &str| {
        let faults = place.faults(text, Dialect::default());
        assert_eq!(faults.len(), 1, "{}", said(&faults));
        faults[0].remedy.clone().unwrap()
    };
    assert_eq!(options("# made by us\n# in May\na,b\n1,2\n3,4\n5,6\n"), "comment=\"#\"");
    assert_eq!(options("Table 3\n\na,b\n1,2\n3,4\n5,6\n"), "skip=1");
    assert_eq!(options("Table 3\nof 2020; all\na,b\n1,2\n3,4\n5,6\n"), "skip=2");
    assert_eq!(options("a,b\nkm,s\n1,2\n3,4\n5,6\n"), "skip=[2]");
    assert_eq!(options("a,b\n1,2\n3,4\n5,6\nTotal,12\n"), "skip_last=1");
    assert_eq!(options("a,b\n1,2\n3,4\n5,6\n7,8\nSource: us\n"), "skip_last=1");
    for total in ["TOTAL", "Grand total", "Итого", "合計", "Σ"] {
        let rows = format!("a,b,c\n1,2,3\n3,4,2\n5,6,1\n7,8,2\n{total},20,8\n");
        assert_eq!(options(&rows), "skip_last=1", "{total}");
    }
    assert_eq!(options("a,b\n1,2\n# half\n3,4\n5,6\n7,8\n"), "comment=\"#\"");
}

#[test]
fn lines_that_are_no_rows_can_be_left_out() {
    let place = Place::new();
    let want = (3, "a b".to_string());
    let none = Dialect::default;
    let comment = Dialect { comment: Some("#".into()), ..none() };
    assert_eq!(place.read("# us\na,b # names\n1,2\n # half\n3,4 # 5\n5,6 #\n", comment), want);
    let skip = |s| Dialect { skip: Some(s), ..none() };
    assert_eq!(place.read("Table \"3\nof us\na,b\n1,2\n3,4\n5,6\n", skip(Skip::First(2))), want);
    assert_eq!(place.read("a,b\nkm,s\n1,2\n3,4\n5,6\n", skip(Skip::Lines(vec![2]))), want);
    let last = Dialect { skip_last: Some(2), ..none() };
    assert_eq!(place.read("a,b\n1,2\n3,4\n5,6\nTotal,12\nSource: us\n", last.clone()), want);
    // Longer than what is looked at first.
    let long = rows("a,b", 5000, |i| format!("{i},{}", i * 2)) + "Total,12\nSource: us\n";
    assert_eq!(place.read(long, last), (5000, "a b".into()));
    assert_eq!(place.plain("sep=;\na;b\n1;2\n3;4\n5;6\n"), want);
    assert_eq!(place.plain("\"sep=|\"\r\na|b\r\n1|2\r\n3|4\r\n5|6\r\n"), want);
    assert_eq!(place.plain("a,b\n1,2\n   \n3,4\n5,6\n \n"), want);
}

#[test]
fn rows_may_have_names() {
    let place = Place::new();
    let text = "x,y\nr1,1,2\nr2,2,4\nr3,3,6\n";
    let data = place.open(text, Dialect::default()).unwrap();
    assert_eq!(all(&data.train, IN), [1.0, 2.0, 3.0]);
    assert!(said(&data.notes).contains("called `row` and not read"), "{}", said(&data.notes));
    // In a file to predict, too.
    let later = write(&place.0, "later.csv", "x,y\nr9,7,2\n");
    assert_eq!(all(&encode(&data.stats, &SourceSpec::csv(later)).unwrap(), IN), [7.0]);
    // They can be asked for.
    let role = RoleSpec::new(Role::Input, ["row", "x"]);
    let spec = DataSpec { roles: vec![role], ..place.spec(text, Dialect::default()) };
    assert_eq!(open(&spec).unwrap().schema.inputs[0].shape, [4]);
    let trailing = place.open("x,y\n1,2,\n2,4,\n3,6,\n", Dialect::default()).unwrap();
    assert_eq!(all(&trailing.train, IN), [1.0, 2.0, 3.0]);
}

#[test]
fn words_for_missing_are_counted() {
    let place = Place::new();
    let text = "a,b,y\n1,--,2\n2,na,3\n3,-200,4\n4,5,.\n5,6,6\n6,7,7\n7,8,8\n8,NuLL,9\n";
    let roles = vec![
        RoleSpec::new(Role::Input, ["a", "b"]).missing(Missing::Mean),
        RoleSpec::new(Role::Target, ["y"]).missing(Missing::Drop),
    ];
    let read = |dialect| open(&DataSpec { roles: roles.clone(), ..place.spec(text, dialect) }).unwrap();
    let data = read(Dialect::default());
    assert_eq!((data.train.len(), data.stats.columns[1].missing), (7, 3));
    let note = said(&data.notes);
    assert!(note.contains("`b`, `y`") && note.contains("`--` (1)") && note.contains("`NuLL` (1)"), "{note}");
    let na = ["--", "na", ".", "NuLL", "-200"].map(String::from).to_vec();
    let data = read(Dialect { na: Some(na), ..Dialect::default() });
    assert_eq!((data.train.len(), data.stats.columns[1].missing), (7, 4));
    assert_eq!(data.stats.columns[1].mean, (6.0 + 7.0 + 8.0) / 3.0);
    assert!(!said(&data.notes).contains("N0561"));
    // By value, and among texts.
    let na = Dialect { na: Some(vec!["-1".into(), "unknown".into()]), ..Dialect::default() };
    let text = "n,c,y\n-1.0,unknown,1\n2,red,2\n3,blue,3\n4,-1,4\n";
    let role = RoleSpec::rest(Role::Input).missing(Missing::Mode);
    let data = open(&DataSpec { roles: vec![role], ..place.spec(text, na) }).unwrap();
    let missing: Vec<u64> = data.stats.columns.iter().map(|c| c.missing).collect();
    assert_eq!(missing, [1, 2, 0]);
}

#[test]
fn numbers_with_marks_in_them() {
    let place = Place::new();
    let text = rows("county,labour,jobless,rate", 8, |i| {
        format!("C{i},\"2{i},100\",\"{}\",{i}", if i == 3 { "403".into() } else { format!("1,35{i}") })
    });
    let faults = place.faults(&text, Dialect::default());
    assert_eq!(faults.len(), 1, "{}", said(&faults));
    let fault = said(&faults);
    assert!(fault.contains("`labour`, `jobless` hold numbers such as `20,100`"), "{fault}");
    assert!(
        fault.contains("thousands=\",\"") && fault.contains("is 20100") && !fault.contains("did you mean"),
        "{fault}"
    );
    let thousands = Dialect { thousands: Some(','), ..Dialect::default() };
    let data = place.open(&text, thousands).unwrap();
    assert_eq!((data.stats.columns[1].min, data.stats.columns[1].max), (20100.0, 27100.0));
    assert_eq!(data.stats.columns[2].min, 403.0);
    // Signs are left away, with a note.
    let signs = rows("price,share,y", 8, |i| format!("$1{i}.50,1{i}%,{i}"));
    let data = place.open(&signs, Dialect::default()).unwrap();
    assert_eq!((data.stats.columns[0].min, data.stats.columns[1].max), (10.5, 17.0));
    let note = said(&data.notes);
    assert!(note.contains("8 cells of `price`") && note.contains("`12%` is 12"), "{note}");
    let both = rows("price,y", 8, |i| format!("\"$1,23{i}.50\",{i}"));
    assert_eq!(place.faults(&both, Dialect::default())[0].remedy.as_deref(), Some("thousands=\",\""));
    let thousands = Dialect { thousands: Some(','), ..Dialect::default() };
    assert_eq!(place.open(&both, thousands).unwrap().stats.columns[0].min, 1230.5);
    // A comma for the point, told and read.
    let comma = rows("x;y", 8, |i| format!("1.23{i},5;{i}"));
    assert_eq!(
        place.faults(&comma, Dialect::default())[0].remedy.as_deref(),
        Some("decimal_comma thousands=\".\"")
    );
    let comma_too = Dialect { decimal_comma: Some(true), thousands: Some('.'), ..Dialect::default() };
    assert_eq!(place.open(&comma, comma_too).unwrap().stats.columns[0].max, 1237.5);
    let comma = rows("x;y", 8, |i| format!("1,{i};{i}"));
    assert_eq!(place.faults(&comma, Dialect::default())[0].remedy.as_deref(), Some("decimal_comma"));
    // Texts that somebody calls texts stay what they are.
    let role = RoleSpec::new(Role::Input, ["x"]).kind(nnc_data::Kind::OneHot);
    let spec = DataSpec { roles: vec![role], ..place.spec(&comma, Dialect::default()) };
    assert_eq!(open(&spec).unwrap().schema.inputs[0].shape, [8]);
}

#[test]
fn blanks_separate() {
    let place = Place::new();
    let data = place.open(
        "18.0   8   307.0\t 130.0\n 15.0   8   350.0      165.0  \n16.0   8   304.0 150.0\n",
        Dialect::default(),
    );
    let data = data.unwrap();
    assert_eq!(data.stats.width, 4);
    assert_eq!(all(&data.train, PortId::Target(0)), [130.0, 165.0, 150.0]);
    let spaces = Dialect { separator: Some(Separator::Blanks), ..Dialect::default() };
    assert_eq!(place.read("a  b c\n1 2  3\n", spaces), (1, "a b c".into()));
}

#[test]
fn files_that_are_no_tables_are_named_with_the_way_out() {
    let place = Place::new();
    for (text, what, way) in [
        ("[\n  {\"a\": 0},\n  {\"a\": 1}]", "JSON", "read_json"),
        ("<table>\n<tr><td>1</td></tr></table>", "HTML", "read_html(\"t.csv\")[0]"),
        ("0 1:0 2:0.5\n1 1:1 2:1\n", "LIBSVM", "load_svmlight_file"),
        ("-1 3:1e-3\n", "LIBSVM", "toarray"),
    ] {
        let told = said(&place.faults(text, Dialect::default()));
        assert!(told.contains("N0508") && told.contains(what) && told.contains(way), "{told}");
    }
    // A table with such cells is one.
    assert_eq!(place.plain("{a},[b]\n1,2\n3,4\n").0, 2);
    assert_eq!(place.plain("t,y\n1:30,4\n2:45,5\n").0, 2);
}

#[test]
fn encodings() {
    let place = Place::new();
    let latin = b"Gr\xf6\xdfe,Preis\n1,3\n2,4\n";
    let faults = place.faults(latin, Dialect::default());
    assert_eq!((faults[0].code.name(), faults[0].remedy.as_deref()), ("N0508", Some("encoding=\"latin1\"")));
    let with = |label: &str| Dialect { encoding: Some(label.into()), ..Dialect::default() };
    assert_eq!(place.read(latin, with("latin1")), (2, "Größe Preis".into()));
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    assert_eq!(place.plain(utf16("\u{feff}Größe,y\n1,3\n2,4\n")), (2, "Größe y".into()));
    let bare = utf16("Größe,y\n1,3\n2,4\n");
    assert_eq!(place.faults(&bare, Dialect::default())[0].remedy.as_deref(), Some("encoding=\"utf-16le\""));
    assert_eq!(place.read(&bare, with("utf-16")), (2, "Größe y".into()));
    let windows = b"a,b\n1,caf\xe9 \x93x\x94\n2,tea\n";
    assert_eq!(
        place.faults(windows, Dialect::default())[0].remedy.as_deref(),
        Some("encoding=\"windows-1252\"")
    );
    let wrong = place.faults(latin, with("klingon"));
    assert_eq!(wrong[0].code.name(), "N0514");
}

#[test]
fn a_table_of_one_column_is_read_again_as_it_was() {
    let place = Place::new();
    let input = RoleSpec::new(Role::Input, ["2"]);
    let read = |text: &str| {
        open(&DataSpec {
            roles: vec![input.clone()],
            ..place.spec(text, Dialect { header: Some(true), ..Dialect::default() })
        })
    };
    // No separator fits the lines, so each is one cell; a tab would find the name, too.
    let data = read("\n\t2\ne\n4\t5\t6*72\t8\t9\n").unwrap();
    let again = encode(&data.stats, &SourceSpec::csv(place.0.path().join("t.csv").to_string_lossy()));
    assert_eq!(again.map(|t| t.len()).map_err(|f| said(&f)), Ok(2));
}
