//! Reading and writing safetensors.

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::Path;

/// The elements of a tensor.
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl Values {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(v) => v.len(),
            Values::F64(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One element in double precision.
    pub fn get(&self, at: usize) -> Option<f64> {
        match self {
            Values::F32(v) => v.get(at).map(|&x| f64::from(x)),
            Values::F64(v) => v.get(at).copied(),
        }
    }

    fn dtype(&self) -> (&'static str, usize) {
        match self {
            Values::F32(_) => ("F32", 4),
            Values::F64(_) => ("F64", 8),
        }
    }

    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Values::F32(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
            Values::F64(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
        }
    }
}

/// Numbers with a shape.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// The size of every axis.
    pub shape: Vec<usize>,
    /// The elements in row-major order.
    pub values: Values,
}

/// A safetensors file in memory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TensorFile {
    /// The tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Texts by name.
    pub metadata: BTreeMap<String, String>,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum FormatError {
    /// It cannot be read.
    Io(std::io::Error),
    /// It is larger than allowed.
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// It is no safetensors file, or a damaged one.
    Damaged(String),
    /// A tensor of another element type than F32 and F64.
    Dtype {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: String,
    },
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Io(e) => write!(f, "cannot be read: {e}"),
            FormatError::TooLarge { bytes, limit } => {
                write!(f, "has {bytes} bytes, {limit} are allowed")
            }
            FormatError::Damaged(what) => write!(f, "is no safetensors file, or a damaged one: {what}"),
            FormatError::Dtype { name, dtype } => {
                write!(f, "holds `{name}` as {dtype}; only F32 and F64 are read")
            }
        }
    }
}

impl std::error::Error for FormatError {}

impl From<SafeTensorError> for FormatError {
    fn from(e: SafeTensorError) -> Self {
        FormatError::Damaged(e.to_string())
    }
}

impl TensorFile {
    /// The bytes of the file. Names are sorted, so equal contents are equal bytes (the `safetensors` crate
    /// writes its metadata in the order of a hash map).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut order: Vec<(&String, &Tensor)> = self.tensors.iter().collect();
        // Wider elements first, so that all are aligned.
        order.sort_by_key(|(_, t)| std::cmp::Reverse(t.values.dtype().1));
        let mut header = serde_json::Map::new();
        if !self.metadata.is_empty() {
            header.insert("__metadata__".into(), serde_json::json!(self.metadata));
        }
        let mut end = 0;
        let mut described = BTreeMap::new();
        for (name, tensor) in &order {
            let (dtype, width) = tensor.values.dtype();
            let start = end;
            end += tensor.values.len() * width;
            let info =
                serde_json::json!({ "dtype": dtype, "shape": tensor.shape, "data_offsets": [start, end] });
            described.insert((*name).clone(), info);
        }
        header.extend(described);
        let mut header = serde_json::Value::Object(header).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut out = Vec::with_capacity(8 + header.len() + end);
        out.extend_from_slice(&(header.len() as u64).to_le_bytes());
        out.extend_from_slice(&header);
        order.iter().for_each(|(_, t)| t.values.append(&mut out));
        out
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// They are no safetensors file, or hold other elements than F32 and F64.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::from_bytes_as(bytes, false)
    }

    /// `foreign`: floats of half the width become F32, and whole numbers, which are counters, are left out.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the format gets new types, which are refused by name")]
    fn from_bytes_as(bytes: &[u8], foreign: bool) -> Result<Self, FormatError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let parsed = SafeTensors::deserialize(bytes)?;
        let metadata = header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut tensors = BTreeMap::new();
        for (name, view) in parsed.iter() {
            let data = view.data();
            let values = match view.dtype() {
                Dtype::F32 => Values::F32(elements(data, f32::from_le_bytes)),
                Dtype::F64 => Values::F64(elements(data, f64::from_le_bytes)),
                Dtype::BF16 if foreign => Values::F32(elements(data, |b| bf16::from_le_bytes(b).to_f32())),
                Dtype::F16 if foreign => Values::F32(elements(data, |b| f16::from_le_bytes(b).to_f32())),
                Dtype::BOOL
                | Dtype::U8
                | Dtype::I8
                | Dtype::I16
                | Dtype::U16
                | Dtype::I32
                | Dtype::U32
                | Dtype::I64
                | Dtype::U64
                    if foreign =>
                {
                    continue;
                }
                other => return Err(FormatError::Dtype { name: name.into(), dtype: format!("{other:?}") }),
            };
            let shape = view.shape().to_vec();
            if shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) != Some(values.len()) {
                return Err(FormatError::Damaged(format!("`{name}` has another length than its shape")));
            }
            tensors.insert(name.to_string(), Tensor { shape, values });
        }
        Ok(Self { tensors, metadata })
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`TensorFile::from_bytes`], and where it cannot be read or is larger.
    pub fn read(path: &Path, limit: u64) -> Result<Self, FormatError> {
        Self::from_bytes(&contents(path, limit)?)
    }

    /// Reads a file of another library: floats of half the width become F32, and whole numbers, which are counters
    /// such as PyTorch's `num_batches_tracked`, are left out.
    ///
    /// # Errors
    /// As [`TensorFile::read`].
    pub fn read_foreign(path: &Path, limit: u64) -> Result<Self, FormatError> {
        Self::from_bytes_as(&contents(path, limit)?, true)
    }
}

/// The bytes of a file of at most `limit` bytes.
fn contents(path: &Path, limit: u64) -> Result<Vec<u8>, FormatError> {
    let file = std::fs::File::open(path).map_err(FormatError::Io)?;
    let meta = file.metadata().map_err(FormatError::Io)?;
    if meta.is_dir() {
        return Err(FormatError::Io(std::io::Error::new(std::io::ErrorKind::IsADirectory, "a folder")));
    }
    if meta.len() > limit {
        return Err(FormatError::TooLarge { bytes: meta.len(), limit });
    }
    // A pipe has no size that could be believed.
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(FormatError::Io)?;
    if bytes.len() as u64 > limit {
        return Err(FormatError::TooLarge { bytes: bytes.len() as u64, limit });
    }
    Ok(bytes)
}

fn elements<T, const N: usize>(data: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = data.as_chunks::<N>();
    chunks.iter().map(|c| read(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> TensorFile {
        let mut file = TensorFile::default();
        let w = Tensor { shape: vec![2, 2], values: Values::F32(vec![1.0, -2.5, 3.0, f32::MIN_POSITIVE]) };
        let v = Tensor { shape: vec![], values: Values::F64(vec![0.1]) };
        file.tensors.insert("dense1.w".into(), w);
        file.tensors.insert("dense1.z".into(), v);
        for i in 0..20 {
            file.metadata.insert(format!("key{i}"), format!("ä\n\"{i}\""));
        }
        file
    }

    #[test]
    fn a_file_reads_back_and_is_the_same_bytes() {
        let file = sample();
        let bytes = file.to_bytes();
        assert_eq!(TensorFile::from_bytes(&bytes).expect("reads back"), file);
        assert_eq!(bytes, sample().to_bytes());
        assert_eq!((8 + bytes[0] as usize + 256 * bytes[1] as usize) % 8, 0);
    }

    fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
        let mut out = (header.len() as u64).to_le_bytes().to_vec();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(data);
        out
    }

    #[test]
    fn lying_files_are_errors() {
        let mut huge = u64::MAX.to_le_bytes().to_vec();
        huge.extend_from_slice(b"{}");
        let good = sample().to_bytes();
        let cases: Vec<Vec<u8>> = vec![
            vec![],
            vec![1, 2, 3],
            huge,
            good[..good.len() - 1].to_vec(),
            [good.clone(), vec![0]].concat(),
            with_header("{", &[]),
            with_header("[]", &[]),
            with_header(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, &[0; 4]),
            with_header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, &[0; 4]),
            with_header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}}"#, &[0; 4]),
            with_header(
                r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                &[0; 4],
            ),
            with_header(
                r#"{"a":{"dtype":"F32","shape":[18446744073709551615,18446744073709551615],"data_offsets":[0,4]}}"#,
                &[0; 4],
            ),
            with_header(r#"{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,4]}}"#, &[0; 4]),
        ];
        for (i, case) in cases.iter().enumerate() {
            assert!(TensorFile::from_bytes(case).is_err(), "case {i}");
        }
        let ints = with_header(r#"{"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#, &[0; 4]);
        let error = TensorFile::from_bytes(&ints).expect_err("no floats");
        assert_eq!(error.to_string(), "holds `a` as I32; only F32 and F64 are read");
    }

    #[test]
    fn narrow_floats_are_read_from_other_libraries() {
        let header = r#"{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]},"h":{"dtype":"F16","shape":[6],"data_offsets":[2,14]},"n":{"dtype":"I64","shape":[],"data_offsets":[14,22]}}"#;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.safetensors");
        let halves = [0x3c00u16, 0xc000, 0x0001, 0x7bff, 0x3555, 0x7c00];
        let data =
            [vec![0x80, 0x3f], halves.iter().flat_map(|h| h.to_le_bytes()).collect(), vec![0; 8]].concat();
        std::fs::write(&path, with_header(header, &data)).expect("written");
        let file = TensorFile::read_foreign(&path, 1000).expect("reads");
        assert_eq!(file.tensors.len(), 2);
        assert_eq!(file.tensors["a"].values, Values::F32(vec![1.0]));
        let singles = vec![1.0, -2.0, 5.960_464_5e-8, 65504.0, 0.333_251_95, f32::INFINITY];
        assert_eq!(file.tensors["h"].values, Values::F32(singles));
        assert!(TensorFile::read(&path, 1000).is_err());
    }

    #[test]
    fn every_cut_and_many_flips_are_errors_or_files() {
        let good = sample().to_bytes();
        for cut in 0..good.len() {
            assert!(TensorFile::from_bytes(&good[..cut]).is_err());
        }
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                let _ = TensorFile::from_bytes(&bad);
            }
        }
    }

    #[test]
    fn a_file_larger_than_allowed_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("m.safetensors");
        let bytes = sample().to_bytes();
        std::fs::write(&path, &bytes).expect("written");
        assert!(TensorFile::read(&path, bytes.len() as u64).is_ok());
        let error = TensorFile::read(&path, 100).expect_err("too large");
        assert!(matches!(error, FormatError::TooLarge { .. }));
    }
}
