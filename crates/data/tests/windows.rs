//! Samples of several rows.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, row, write};
use nnc_data::{
    CsvSpec, DataSpec, Extent, Kind, Limits, Missing, PortId, Role, RoleSpec, Scaling, SourceSpec, SplitSpec,
    Stats, encode, encode_inputs, open,
};

const IN: PortId = PortId::Input(0);
const OUT: PortId = PortId::Target(0);

fn series(path: &str, window: usize, horizon: usize) -> DataSpec {
    let csv = CsvSpec { window: Some(Extent::Rows(window)), horizon, handle: Some(1), ..CsvSpec::new(path) };
    DataSpec::new(SourceSpec::Csv(csv))
}

#[test]
fn one_column_predicts_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "s.csv", "v\n1\n2\n3\n4\n5\n6\n");
    let data = open(&series(&path, 3, 1)).unwrap();
    assert_eq!((&data.schema.inputs[0].shape, &data.schema.targets[0].shape), (&vec![3, 1], &vec![1]));
    assert_eq!(all(&data.train, IN), [1., 2., 3., 2., 3., 4., 3., 4., 5.]);
    assert_eq!(all(&data.train, OUT), [4., 5., 6.]);
    assert_eq!(data.train.source_row(0), Some(3));
    // To predict, the last window needs no row after it.
    let stats = Stats::from_json(&data.stats.to_json()).unwrap();
    let SourceSpec::Csv(_) = &series(&path, 3, 1).train else { panic!() };
    let table = encode_inputs(&stats, &SourceSpec::csv(&path), &Limits::default()).unwrap();
    assert_eq!((table.len(), row(&table, IN, 3)), (4, vec![4., 5., 6.]));
    assert_eq!(encode(&stats, &SourceSpec::csv(&path)).unwrap().len(), 3);
    let short = write(&folder, "short.csv", "v\n1\n2\n");
    assert_eq!(encode(&stats, &SourceSpec::csv(short)).unwrap_err()[0].code.name(), "N0506");
    assert_eq!(open(&series(&path, 6, 1)).unwrap_err()[0].code.name(), "N0506");
    assert_eq!(open(&series(&path, 0, 1)).unwrap_err()[0].code.name(), "N0514");
    assert_eq!(open(&series(&path, 5, 1)).unwrap().train.len(), 1);
    assert_eq!(all(&open(&series(&path, 2, 3)).unwrap().train, OUT), [5., 6.]);
    assert_eq!(open(&series(&path, usize::MAX, usize::MAX)).unwrap_err()[0].code.name(), "N0506");
}

#[test]
fn several_columns_and_an_ordered_split() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..20).map(|i| format!("{i},{},{}\n", i * 10, ["a", "b"][i % 2])).collect();
    let path = write(&folder, "s.csv", format!("t,v,kind\n{text}"));
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Input, ["v"]).scaled(Scaling::MinMax),
            RoleSpec::new(Role::Input, ["kind"]).kind(Kind::OneHot),
            RoleSpec::new(Role::Target, ["v"]).scaled(Scaling::Scale(10.0)),
        ],
        split: SplitSpec { valid: 0.25, ordered: true, ..SplitSpec::default() },
        ..series(&path, 4, 1)
    };
    let data = open(&spec).unwrap();
    let valid = data.valid.as_ref().unwrap();
    assert_eq!((data.train.len(), valid.len()), (12, 4));
    assert_eq!(data.schema.inputs[0].shape, [4, 3]);
    assert_eq!(all(valid, OUT), [16., 17., 18., 19.]);
    // Rows 0 to 15 are in training windows: the largest is 150.
    assert_eq!(row(&data.train, IN, 11)[9], 140.0 / 150.0);
    assert_eq!(row(&data.train, IN, 0)[..6], [0., 1., 0., 10. / 150., 0., 1.]);
    let embedded = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Input, ["kind"]).kind(Kind::Category),
            RoleSpec::new(Role::Target, ["v"]),
        ],
        ..spec.clone()
    };
    let data = open(&embedded).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [4]);
    assert_eq!(row(&data.train, IN, 0), [0., 1., 0., 1.]);
    let gaps = DataSpec { roles: vec![RoleSpec::rest(Role::Input).missing(Missing::Drop)], ..spec };
    assert_eq!(
        faults(open(&gaps)),
        [
            "[N0510] `missing=drop` would leave gaps in the windows; fix: missing=mean, or fill the gaps in the file"
        ]
    );
}
