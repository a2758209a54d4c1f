//! IDX, the format of MNIST: two zero bytes, a type, the number of axes, the
//! sizes as 32-bit big-endian numbers, and the values.

use std::io::Read;

use super::Source;
use super::array::{Element, Layout, Reading};
use crate::Limits;
use crate::fault::{Fault, Faults, codes};
use crate::input::{self, Input};
use crate::raw::{Data, Head, Places, Raw, Want};
use crate::spec::{Handle, IdxSpec, Role};

struct Idx {
    spec: IdxSpec,
    heads: Vec<Head>,
    inputs: File,
    targets: Option<File>,
}

/// A file whose header is read and believable.
struct File {
    path: String,
    input: Input,
    layout: Layout,
    to_disk: bool,
    handle: Option<Handle>,
}

fn element(code: u8) -> Option<Element> {
    Some(match code {
        0x08 => Element::U8,
        0x09 => Element::I8,
        0x0b => Element::I16,
        0x0c => Element::I32,
        0x0d => Element::F32,
        0x0e => Element::F64,
        _ => return None,
    })
}

/// Reads and checks both headers; no values yet.
pub(crate) fn open(spec: &IdxSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    let mut faults = Faults::new();
    let inputs = header(&spec.inputs, spec.handle, limits, &mut faults);
    let targets = spec
        .targets
        .as_ref()
        .map(|path| header(path, spec.targets_handle.or(spec.handle), limits, &mut faults));
    if let (Some(a), Some(Some(b))) = (&inputs, &targets)
        && a.layout.dims.first() != b.layout.dims.first()
    {
        let message = format!(
            "`{}` has {} samples, and `{}` has {}",
            a.path, a.layout.dims[0], b.path, b.layout.dims[0]
        );
        let fault = Fault::new(codes::MISMATCH, message).path(&b.path).at(b.handle);
        faults.push(fault.help("are they from the same set? `train-…` and `t10k-…` do not mix"));
    }
    faults.done(())?;
    let Some(inputs) = inputs else { return Err(Vec::new()) };
    let mut heads = vec![Head::made_up("input", Some(Role::Input))];
    if targets.is_some() {
        heads.push(Head::made_up("target", Some(Role::Target)));
    }
    Ok(Box::new(Idx { spec: spec.clone(), heads, inputs, targets: targets.flatten() }))
}

fn header(path: &str, handle: Option<Handle>, limits: &Limits, faults: &mut Faults) -> Option<File> {
    match read_header(path, handle, limits) {
        Ok(file) => Some(file),
        Err(fault) => {
            faults.push(fault.at(handle));
            None
        }
    }
}

fn read_header(path: &str, handle: Option<Handle>, limits: &Limits) -> Result<File, Box<Fault>> {
    let mut input = input::open(path, handle)?;
    let mut magic = [0u8; 4];
    let broken = |e: std::io::Error| Box::new(input::broken(path, &e, handle));
    input.reader.read_exact(&mut magic).map_err(broken)?;
    let element = match magic {
        [0, 0, code, _] => element(code),
        _ => None,
    };
    let Some(element) = element else {
        let shown = magic.map(|b| format!("{b:02x}")).join(" ");
        let message = format!("`{path}` is no IDX file: it begins with {shown}");
        let fault = Fault::new(codes::DAMAGED, message).path(path);
        return Err(Box::new(fault.expected("00 00, a type from 08 to 0e, and the number of axes")));
    };
    let mut dims = Vec::new();
    for _ in 0..magic[3] {
        let mut word = [0u8; 4];
        input.reader.read_exact(&mut word).map_err(broken)?;
        dims.push(u32::from_be_bytes(word) as usize);
    }
    let layout = Layout { element, big_endian: true, fortran: false, dims };
    let to_disk = layout.check(path, &input, limits.memory)?;
    Ok(File { path: path.to_string(), input, layout, to_disk, handle })
}

impl Source for Idx {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        &self.spec.inputs
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        let Self { spec, heads, inputs, targets } = *self;
        let len = inputs.layout.dims[0];
        let mut columns = Vec::new();
        let files = std::iter::once(inputs).chain(targets);
        for (mut file, &want) in files.zip(wants) {
            if want == Want::Skip {
                columns.push(Data::Skipped);
                continue;
            }
            let reader = &mut file.input.reader;
            let array = match file.to_disk {
                true => file.layout.spill(&file.path, reader, file.handle, faults),
                false => file.layout.read(&file.path, reader, file.handle),
            };
            match array {
                Ok(array) => {
                    array.check(&file.path, faults);
                    columns.push(array.column(Reading { want, unit: true }));
                }
                Err(fault) => faults.push(*fault),
            }
        }
        (columns.len() == heads.len()).then(|| Raw {
            columns,
            len,
            places: Places { paths: vec![spec.inputs.clone()], handle: spec.handle, ..Places::default() },
            notes: Vec::new(),
        })
    }
}
