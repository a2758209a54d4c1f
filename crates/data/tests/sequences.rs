//! Samples of different lengths.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, row, write};
use nnc_data::{
    ColumnName, CsvSpec, DataSpec, Extent, Kind, Limits, PortId, Role, RoleSpec, Scaling, SourceSpec,
    SplitSpec, Standing, Stats, encode, encode_inputs, open,
};

const IN: PortId = PortId::Input(0);
const OUT: PortId = PortId::Target(0);

/// Three series, the second of which stands apart.
const MIXED: &str = "id,v,kind,tag\n1,1,a,p\n1,2,a,q\n2,10,b,p\n3,5,a,q\n3,6,a,q\n3,7,a,p\n2,20,b,q\n";

fn series(path: &str, max_length: Option<usize>) -> DataSpec {
    let by = vec![ColumnName::new("id", None)];
    let csv = CsvSpec { window: Some(Extent::Series), max_length, by, ..CsvSpec::new(path) };
    let roles = vec![RoleSpec::new(Role::Input, ["v"]), RoleSpec::new(Role::Target, ["kind"])];
    DataSpec { roles, ..DataSpec::new(SourceSpec::Csv(csv)) }
}

fn lengths(table: &nnc_data::Table, port: PortId) -> Vec<f64> {
    let rows: Vec<u32> = (0..table.len() as u32).collect();
    let mut out = vec![0.0; rows.len()];
    table.gather_lengths_f64(port, &rows, &mut out).unwrap();
    out
}

#[test]
fn a_series_is_a_sample() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "s.csv", MIXED);
    let data = open(&series(&path, None)).unwrap();
    let input = &data.schema.inputs[0];
    assert_eq!((&input.shape, input.ragged), (&vec![3, 1], true));
    assert!(!data.schema.targets[0].ragged);
    assert_eq!(all(&data.train, IN), [1., 2., 0., 10., 20., 0., 5., 6., 7.]);
    assert_eq!(lengths(&data.train, IN), [2., 2., 3.]);
    assert_eq!(all(&data.train, OUT), [0., 1., 0.]);
    assert!(data.train.gather_lengths_f32(OUT, &[0], &mut [0.0]).is_err());
    // A class counts once for a series.
    let kind = &data.stats.columns[1];
    assert_eq!((kind.counts.as_slice(), kind.count), ([2, 1].as_slice(), 3));
    assert_eq!(data.train.standing(1), Some(Standing::Row(2)));
    assert_eq!(data.train.rows_of(1).unwrap()[0], [2, 6]);
    // A shorter buffer is a shorter sample.
    let mut short = [0.0; 2];
    data.train.gather_f64(IN, &[2], &mut short).unwrap();
    assert_eq!(short, [5., 6.]);
}

#[test]
fn a_target_may_have_a_value_for_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "s.csv", MIXED);
    let mut spec = series(&path, None);
    spec.roles[1] = RoleSpec { sequence: true, ..RoleSpec::new(Role::Target, ["tag"]) };
    spec.roles.push(RoleSpec::new(Role::Target, ["kind"]).own_port());
    let data = open(&spec).unwrap();
    let tag = data.schema.find("tag").unwrap();
    assert_eq!(
        (all(&data.train, tag), lengths(&data.train, tag)),
        (vec![0., 1., 0., 0., 1., 0., 1., 1., 0.], vec![2., 2., 3.])
    );
    assert_eq!(data.stats.columns.iter().find(|c| c.name == "tag").unwrap().counts, [3, 4]);
    spec.roles[1].sequence = false;
    assert_eq!(
        faults(open(&spec)),
        [
            "[N0510] s.csv:3: `tag` changes within a series, and a series has one value of it (another value than in the first row); fix: target tag sequence   where it has a value for every row; and 2 more"
        ]
    );
}

#[test]
fn statistics_are_those_of_the_training_series() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "s.csv", MIXED);
    let mut spec = series(&path, Some(2));
    spec.roles[0] = RoleSpec::new(Role::Input, ["v"]).scaled(Scaling::MinMax);
    spec.split = SplitSpec { valid: 0.4, ordered: true, ..SplitSpec::default() };
    let data = open(&spec).unwrap();
    // Of series 1 and 2; of series 3 two rows are read.
    assert_eq!(all(&data.train, IN), [0., 1. / 19., 9. / 19., 1.]);
    assert_eq!(all(data.valid.as_ref().unwrap(), IN), [4. / 19., 5. / 19.]);
    assert_eq!(data.notes[0].message, "1 of 3 series are longer than 2 rows, of which the first 2 are read");
    assert_eq!(data.schema.inputs[0].shape, [2, 1]);
}

#[test]
fn a_model_reads_other_series() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "s.csv", MIXED);
    let new = write(&folder, "new.csv", "id,v\n7,1\n8,1\n7,2\n8,2\n8,3\n8,4\n");
    let stats = |limit| Stats::from_json(&open(&series(&path, limit)).unwrap().stats.to_json()).unwrap();
    let table = encode_inputs(&stats(None), &SourceSpec::csv(&new), &Limits::default()).unwrap();
    assert_eq!((row(&table, IN, 0), table.is_answerable(0)), (vec![1., 2., 0.], true));
    assert!(!table.is_answerable(1));
    assert_eq!(
        table.gaps()[0].message,
        "a series of 4 rows is longer than those the network was made for (3 at most)"
    );
    assert_eq!(encode(&stats(None), &SourceSpec::csv(&new)).unwrap_err()[0].code.name(), "N0513");
    let table = encode(&stats(Some(2)), &SourceSpec::csv(&new)).unwrap();
    assert_eq!(all(&table, IN), [1., 2., 1., 2.]);
}

#[test]
fn categories_and_larger_than_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("id,v,w,k,kind\n");
    for i in 0..400 {
        for t in 0..=(i * 7 % 13 * 6) {
            text += &format!("{i},{},{}.5,{},{}\n", i * t, t, ["x", "y", "z"][(i + t) % 3], i % 2);
        }
    }
    let path = write(&folder, "s.csv", text);
    let mut spec = series(&path, None);
    spec.roles = vec![
        RoleSpec::new(Role::Input, ["v", "w"]).scaled(Scaling::Standardize),
        RoleSpec::new(Role::Input, ["k"]).kind(Kind::Category),
        RoleSpec::new(Role::Target, ["kind"]),
    ];
    let data = open(&spec).unwrap();
    let k = PortId::Input(1);
    assert_eq!(data.schema.inputs[1].shape, [73]);
    assert_eq!(row(&data.train, k, 2)[..9], [2., 0., 1., 2., 0., 1., 2., 0., 0.]);
    assert_eq!(lengths(&data.train, k)[..4], [1., 43., 7., 49.]);
    let small = nnc_data::open_with(&spec, &Limits { memory: 200_000 }).unwrap();
    assert!(small.train.is_on_disk());
    for port in [IN, k, OUT] {
        let (a, b) = (all(&data.train, port), all(&small.train, port));
        assert!(a.iter().zip(&b).all(|(a, b)| *a as f32 == *b as f32), "{port:?}");
    }
    assert_eq!(lengths(&data.train, IN), lengths(&small.train, IN));
}

#[test]
fn what_makes_no_sense_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "s.csv", MIXED);
    let mut spec = series(&path, None);
    let of = |spec: &mut DataSpec, change: &dyn Fn(&mut CsvSpec)| {
        let SourceSpec::Csv(csv) = &mut spec.train else { panic!() };
        change(csv);
    };
    of(&mut spec, &|csv| csv.by.clear());
    assert_eq!(
        faults(open(&spec)),
        [
            "[N0514] `window=all` makes a sample of every series, and nothing says which rows are one; fix: window=all by=NAME"
        ]
    );
    of(&mut spec, &|csv| (csv.window, csv.max_length) = (Some(Extent::Rows(2)), Some(3)));
    assert_eq!(
        faults(open(&spec)),
        [
            "[N0514] `max_length` is about samples that are whole series, and here they are not; fix: window=all by=NAME max_length=200"
        ]
    );
    of(&mut spec, &|csv| (csv.window, csv.max_length) = (None, None));
    spec.roles[1].sequence = true;
    assert_eq!(
        faults(open(&spec)),
        [
            "[N0510] a target has a value for every step where samples are whole series, and here they are not; fix: data \"f.csv\" window=all by=NAME { … }"
        ]
    );
}
