//! ONNX models as values, and their bytes: the messages of `onnx.proto` that a model needs, by their field numbers.

/// What one element is; the numbers are those of `TensorProto.DataType`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Elem {
    Float = 1,
    Int32 = 6,
    Int64 = 7,
    Text = 8,
    Bool = 9,
    Double = 11,
    UInt64 = 13,
}

impl Elem {
    /// Its name in texts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Elem::Float => "float",
            Elem::Int32 => "int32",
            Elem::Int64 => "int64",
            Elem::Text => "string",
            Elem::Bool => "bool",
            Elem::Double => "double",
            Elem::UInt64 => "uint64",
        }
    }
}

/// The elements of a constant.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Data {
    /// Numbers of any type, as doubles.
    Numbers(Vec<f64>),
    /// Whole numbers that doubles do not hold.
    Whole(Vec<i64>),
    Texts(Vec<String>),
}

/// A constant.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) elem: Elem,
    pub(crate) dims: Vec<usize>,
    pub(crate) data: Data,
    /// Whether it was learned: a text leaves its numbers out.
    pub(crate) weight: bool,
}

/// An attribute of a node.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Attr {
    Int(i64),
    Ints(Vec<i64>),
    Text(String),
    Graph(Box<Graph>),
}

/// An operation.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) op: &'static str,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) attrs: Vec<(&'static str, Attr)>,
    pub(crate) doc: String,
}

/// The size of an axis of an input or output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Size {
    Batch,
    Of(usize),
}

/// An input or output of a graph.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) elem: Elem,
    pub(crate) shape: Vec<Size>,
    pub(crate) doc: String,
}

/// A graph.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct Graph {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) constants: Vec<Tensor>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

/// A model.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Model {
    pub(crate) ir: i64,
    pub(crate) opset: i64,
    pub(crate) producer: String,
    pub(crate) version: String,
    pub(crate) doc: String,
    pub(crate) graph: Graph,
    /// Keys and texts.
    pub(crate) about: Vec<(String, String)>,
}

/// A message that is being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }

    fn int(&mut self, field: u64, x: i64) {
        self.varint(field << 3);
        self.varint(x as u64);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    fn message(&mut self, field: u64, message: Message) {
        self.bytes(field, &message.0);
    }
}

impl Model {
    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Message::default();
        out.int(1, self.ir);
        out.text(2, &self.producer);
        out.text(3, &self.version);
        out.text(6, &self.doc);
        out.message(7, self.graph.message());
        let mut opset = Message::default();
        opset.bytes(1, b"");
        opset.int(2, self.opset);
        out.message(8, opset);
        for (key, value) in &self.about {
            let mut entry = Message::default();
            entry.text(1, key);
            entry.text(2, value);
            out.message(14, entry);
        }
        out.0
    }
}

impl Graph {
    fn message(&self) -> Message {
        let mut out = Message::default();
        for node in &self.nodes {
            out.message(1, node.message());
        }
        out.text(2, &self.name);
        for constant in &self.constants {
            out.message(5, constant.message());
        }
        out.text(10, &self.doc);
        for (field, ports) in [(11, &self.inputs), (12, &self.outputs)] {
            for port in ports {
                out.message(field, port.message());
            }
        }
        out
    }
}

impl Node {
    fn message(&self) -> Message {
        let mut out = Message::default();
        for input in &self.inputs {
            out.bytes(1, input.as_bytes());
        }
        for output in &self.outputs {
            out.bytes(2, output.as_bytes());
        }
        out.text(3, &self.name);
        out.text(4, self.op);
        for (name, attr) in &self.attrs {
            let mut a = Message::default();
            a.text(1, name);
            // The last number says which field is in use.
            let kind = match attr {
                Attr::Int(i) => {
                    a.int(3, *i);
                    2
                }
                Attr::Text(text) => {
                    a.bytes(4, text.as_bytes());
                    3
                }
                Attr::Graph(graph) => {
                    a.message(6, graph.message());
                    5
                }
                Attr::Ints(all) => {
                    all.iter().for_each(|i| a.int(8, *i));
                    7
                }
            };
            a.int(20, kind);
            out.message(5, a);
        }
        out.text(6, &self.doc);
        out
    }
}

impl Tensor {
    /// Bytes of its elements.
    pub(crate) fn size(&self) -> usize {
        let each = match self.elem {
            Elem::Float | Elem::Int32 => 4,
            Elem::Double | Elem::Int64 | Elem::UInt64 => 8,
            Elem::Bool => 1,
            Elem::Text => 16,
        };
        self.dims.iter().fold(each, |n, d| n.saturating_mul(*d))
    }

    fn message(&self) -> Message {
        let mut out = Message::default();
        self.dims.iter().for_each(|d| out.int(1, *d as i64));
        out.int(2, self.elem as i64);
        out.text(8, &self.name);
        let raw: Vec<u8> = match &self.data {
            Data::Texts(texts) => {
                texts.iter().for_each(|t| out.bytes(6, t.as_bytes()));
                return out;
            }
            Data::Whole(all) => all.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::Numbers(all) => match self.elem {
                Elem::Float => all.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect(),
                Elem::Double => all.iter().flat_map(|x| x.to_le_bytes()).collect(),
                Elem::Int32 => all.iter().flat_map(|&x| (x as i32).to_le_bytes()).collect(),
                Elem::Int64 | Elem::Text => all.iter().flat_map(|&x| (x as i64).to_le_bytes()).collect(),
                Elem::UInt64 => all.iter().flat_map(|&x| (x as u64).to_le_bytes()).collect(),
                Elem::Bool => all.iter().map(|&x| u8::from(x != 0.0)).collect(),
            },
        };
        out.bytes(9, &raw);
        out
    }
}

impl Port {
    fn message(&self) -> Message {
        let mut shape = Message::default();
        for size in &self.shape {
            let mut dim = Message::default();
            match size {
                Size::Of(n) => dim.int(1, *n as i64),
                Size::Batch => dim.bytes(2, b"batch"),
            }
            shape.message(1, dim);
        }
        let mut tensor = Message::default();
        tensor.int(1, self.elem as i64);
        tensor.message(2, shape);
        let mut ty = Message::default();
        ty.message(1, tensor);
        let mut out = Message::default();
        out.text(1, &self.name);
        out.message(2, ty);
        out.text(3, &self.doc);
        out
    }
}
