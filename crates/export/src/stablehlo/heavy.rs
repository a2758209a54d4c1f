//! Convolutions, windows that move, rows by number.

use super::text::{Code, Element, Tensor, Value, list};
use nnc_graph::{ConvDims, Convolve, Direction, Indexing, Window, WindowDims};
use std::fmt::Write;

/// How axes of a convolution are named, and how the window moves.
struct Convolution<'a> {
    axes: [String; 3],
    stride: &'a [usize],
    low: &'a [i64],
    high: &'a [i64],
    lhs_dilation: &'a [usize],
    rhs_dilation: &'a [usize],
    features: usize,
    batches: usize,
}

/// The span of `n` elements that lie `d` apart.
fn span(n: usize, d: usize) -> i64 {
    (n as i64 - 1) * d as i64 + 1
}

impl Code {
    pub(super) fn convolve(&mut self, op: &Convolve, a: &Value, b: &Value, to: &Tensor) -> Value {
        match op {
            Convolve::Convolution(d) => {
                let space = list(0..d.rank());
                let image = format!("[b, {space}, f]");
                let how = Convolution {
                    axes: [image.clone(), format!("[{space}, i, o]"), image],
                    stride: &d.stride,
                    low: &d.low,
                    high: &d.high,
                    lhs_dilation: &d.lhs_dilation,
                    rhs_dilation: &d.rhs_dilation,
                    features: d.groups,
                    batches: 1,
                };
                self.convolution(&how, a, b, to)
            }
            Convolve::ConvolutionKernel(d) => self.convolution_kernel(d, a, b, to),
        }
    }

    /// The channels of the picture are the batch, and the samples what is summed over; the cotangent is the kernel,
    /// as far apart as the window moved.
    fn convolution_kernel(&mut self, d: &ConvDims, x: &Value, g: &Value, to: &Tensor) -> Value {
        let space = list(0..d.rank());
        let high: Vec<i64> = (0..d.rank())
            .map(|i| {
                let picture = span(x.ty.dims[i + 1], d.lhs_dilation[i]);
                let moved = span(g.ty.dims[i + 1], d.stride[i]);
                span(to.dims[i], d.rhs_dilation[i]) - 1 + moved - picture - d.low[i]
            })
            .collect();
        let how = Convolution {
            axes: [format!("[f, {space}, b]"), format!("[i, {space}, o]"), format!("[{space}, b, f]")],
            stride: &d.rhs_dilation,
            low: &d.low,
            high: &high,
            lhs_dilation: &d.lhs_dilation,
            rhs_dilation: &d.stride,
            features: 1,
            batches: d.groups,
        };
        self.convolution(&how, x, g, to)
    }

    fn convolution(&mut self, how: &Convolution<'_>, a: &Value, b: &Value, to: &Tensor) -> Value {
        let [left, right, out] = &how.axes;
        let pad = list(how.low.iter().zip(how.high).map(|(l, h)| format!("[{l}, {h}]")));
        let mut op = format!(
            "stablehlo.convolution({}, {}) dim_numbers = {left}x{right}->{out}, window = {{stride = [{}], pad = [{pad}], lhs_dilate = [{}], rhs_dilate = [{}]}} ",
            a.name,
            b.name,
            list(how.stride),
            list(how.lhs_dilation),
            list(how.rhs_dilation),
        );
        let _ = write!(
            op,
            "{{batch_group_count = {} : i64, feature_group_count = {} : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]}} : ({}, {}) -> {to}",
            how.batches, how.features, a.ty, b.ty
        );
        self.value(to, &op)
    }

    pub(super) fn window(&mut self, op: &Window, x: &[Value], to: &Tensor) -> Value {
        match op {
            Window::ReduceWindow { op, window } => {
                self.reduce_window(op.op().name(), op.identity(), window, &x[0], to)
            }
            Window::SelectAndScatter(window) => self.selected("select_and_scatter", window, &x[0], &x[1], to),
            Window::SelectAndGather(window) => self.selected("select_and_gather", window, &x[0], &x[1], to),
        }
    }

    fn reduce_window(&mut self, op: &str, from: f64, w: &WindowDims, x: &Value, to: &Tensor) -> Value {
        let element = Tensor::scalar(x.ty.element);
        let around = |space: &[i64], rest: i64| [&[rest], space, &[rest]].concat();
        let whole = |n: &[usize]| n.iter().map(|&n| n as i64).collect::<Vec<i64>>();
        let (mut low, mut high) = (w.low.clone(), w.high.clone());
        let mut x = x.clone();
        // Where numbers are cut off or lie apart, this is done before: only sums say so, and they begin with 0.
        if w.dilation.iter().any(|d| *d != 1) || low.iter().chain(&high).any(|p| *p < 0) {
            let zero = self.fill(0.0, &element);
            let apart: Vec<i64> = w.dilation.iter().map(|&d| d as i64 - 1).collect();
            x = self.pad(&x, &zero, &around(&low, 0), &around(&high, 0), &around(&apart, 0));
            low.fill(0);
            high.fill(0);
        }
        let from = self.fill(from, &element);
        let pad = list(around(&low, 0).iter().zip(around(&high, 0)).map(|(l, h)| format!("[{l}, {h}]")));
        let name = self.free();
        self.line(&format!(
            "{name} = \"stablehlo.reduce_window\"({}, {}) <{{padding = dense<[{pad}]> : tensor<{}x2xi64>, window_dimensions = array<i64: {}>, window_strides = array<i64: {}>}}> ({{",
            x.name,
            from.name,
            x.ty.rank(),
            list(around(&whole(&w.size), 1)),
            list(around(&whole(&w.stride), 1)),
        ));
        self.fold_body(op, &element);
        self.line(&format!("}}) : ({}, {element}) -> {to}", x.ty));
        Value { name, ty: to.clone() }
    }

    /// The region that folds two elements into one.
    fn fold_body(&mut self, op: &str, element: &Tensor) {
        self.line(&format!("^bb0(%a: {element}, %b: {element}):"));
        self.inside(|code| {
            let given = |name: &str| Value { name: format!("%{name}"), ty: element.clone() };
            let both = code.binary(op, &given("a"), &given("b"));
            code.line(&format!("stablehlo.return {} : {element}", both.name));
        });
    }

    /// The adjoints of the largest of a window: the places of the window one after another in row-major order, each a
    /// strided slice, so that of equal numbers the first one wins. StableHLO's own `select_and_scatter` does not promise
    /// that.
    fn selected(&mut self, op: &str, w: &WindowDims, x: &Value, other: &Value, to: &Tensor) -> Value {
        let signature = format!(
            "{op}_{}_{}_{}_{}_{}",
            x.ty.short(),
            list(&w.size),
            list(&w.stride),
            list(&w.low),
            list(&w.high)
        );
        let name: String = signature.replace(", ", "x");
        let write = |code: &mut Self, given: &[Value]| {
            let places = Places::new(w, &x.ty);
            let chosen = code.places(&places, &given[0]);
            vec![match op {
                "select_and_scatter" => code.scatter_back(&places, &chosen, &given[1], to),
                _ => code.gather_at(&places, &chosen, &given[1]),
            }]
        };
        self.call(&name, &[x.clone(), other.clone()], write, std::slice::from_ref(to)).swap_remove(0)
    }

    /// The number of the chosen place of every window.
    fn places(&mut self, places: &Places, x: &Value) -> Value {
        let out = x.ty.sized(&places.out);
        let number = out.with(Element::I32);
        let padded = self.padded(places, x);
        let inside = places.is_padded().then(|| {
            // Which numbers are no padding: the same for all samples and channels.
            let dims = [&[1], &x.ty.dims[1..x.ty.rank() - 1], &[1]].concat();
            let all = self.fill(1.0, &Tensor::new(Element::Pred, &dims));
            self.padded(places, &all)
        });
        let mut best: Option<(Value, Value)> = None;
        for (at, start) in places.starts.iter().enumerate() {
            let here = self.part(places, &padded, start);
            let at = self.fill(at as f64, &number);
            let real = inside.as_ref().map(|inside| {
                let real = self.part(places, inside, start);
                let space = self.reshape(&real, &places.out[1..places.out.len() - 1]);
                let axes: Vec<usize> = (1..places.out.len() - 1).collect();
                self.broadcast(&space, &axes, &places.out)
            });
            let (top, chosen) = match best {
                None => {
                    let none = self.fill(-1.0, &number);
                    match &real {
                        None => (here, at),
                        Some(real) => {
                            let chosen = self.select(real, &at, &none);
                            (here, chosen)
                        }
                    }
                }
                Some((top, chosen)) => {
                    let larger = self.compare(Direction::Gt, &here, &top);
                    let (strange, sane) =
                        (self.compare(Direction::Ne, &here, &here), self.compare(Direction::Eq, &top, &top));
                    let strange = self.binary("and", &strange, &sane);
                    let mut better = self.binary("or", &larger, &strange);
                    if let Some(real) = real {
                        let zero = self.fill(0.0, &number);
                        let none = self.compare(Direction::Lt, &chosen, &zero);
                        better = self.binary("or", &better, &none);
                        better = self.binary("and", &better, &real);
                    }
                    (self.select(&better, &here, &top), self.select(&better, &at, &chosen))
                }
            };
            best = Some((top, chosen));
        }
        match best {
            Some((_, chosen)) => chosen,
            None => self.fill(-1.0, &number),
        }
    }

    /// The numbers with those around them that windows reach: the smallest number, or false.
    fn padded(&mut self, places: &Places, x: &Value) -> Value {
        let least = if x.ty.element == Element::Pred { 0.0 } else { f64::NEG_INFINITY };
        let least = self.fill(least, &Tensor::scalar(x.ty.element));
        self.pad(x, &least, &places.low, &places.high, &vec![0; x.ty.rank()])
    }

    /// What stands at one place of all windows.
    fn part(&mut self, places: &Places, x: &Value, start: &[usize]) -> Value {
        let mut count = places.out.clone();
        (count[0], count[x.ty.rank() - 1]) = (x.ty.dims[0], x.ty.dims[x.ty.rank() - 1]);
        self.slice(x, start, &count, &places.stride)
    }

    fn scatter_back(&mut self, places: &Places, chosen: &Value, g: &Value, to: &Tensor) -> Value {
        let zeros = self.fill(0.0, &g.ty);
        let zero = self.fill(0.0, &Tensor::scalar(g.ty.element));
        let mut sum = self.fill(0.0, to);
        for (at, start) in places.starts.iter().enumerate() {
            let number = self.fill(at as f64, &chosen.ty);
            let is_here = self.compare(Direction::Eq, chosen, &number);
            let here = self.select(&is_here, g, &zeros);
            let low: Vec<i64> = start.iter().zip(&places.low).map(|(&s, l)| s as i64 - l).collect();
            let interior: Vec<i64> = places.stride.iter().map(|&s| s as i64 - 1).collect();
            let high: Vec<i64> = (0..low.len())
                .map(|i| to.dims[i] as i64 - low[i] - span(g.ty.dims[i], places.stride[i]))
                .collect();
            let back = self.pad(&here, &zero, &low, &high, &interior);
            sum = self.binary("add", &sum, &back);
        }
        sum
    }

    fn gather_at(&mut self, places: &Places, chosen: &Value, h: &Value) -> Value {
        let padded = self.padded(places, h);
        let mut out = self.fill(0.0, &h.ty.sized(&places.out));
        for (at, start) in places.starts.iter().enumerate() {
            let here = self.part(places, &padded, start);
            let number = self.fill(at as f64, &chosen.ty);
            let is_here = self.compare(Direction::Eq, chosen, &number);
            out = self.select(&is_here, &here, &out);
        }
        out
    }

    pub(super) fn indexing(&mut self, op: &Indexing, a: &Value, b: &Value, to: &Tensor) -> Value {
        match op {
            Indexing::Gather => self.gather(a, b, to),
            Indexing::ScatterAdd => self.scatter_add(a, b, to),
        }
    }

    /// Rows by number; 0 where there is none: StableHLO would take the nearest one.
    fn gather(&mut self, table: &Value, index: &Value, to: &Tensor) -> Value {
        let (lead, rank) = (index.ty.rank(), to.rank());
        let sizes = [&[1], &table.ty.dims[1..]].concat();
        let op = format!(
            "\"stablehlo.gather\"({}, {}) <{{dimension_numbers = #stablehlo.gather<offset_dims = [{}], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = {lead}>, indices_are_sorted = false, slice_sizes = array<i64: {}>}}> : ({}, {}) -> {to}",
            table.name,
            index.name,
            list(lead..rank),
            list(sizes),
            table.ty,
            index.ty
        );
        let rows = self.value(to, &op);
        let (zero, end) = (self.fill(0.0, &index.ty), self.fill(table.ty.dims[0] as f64, &index.ty));
        let not_before = self.compare(Direction::Ge, index, &zero);
        let not_after = self.compare(Direction::Lt, index, &end);
        let inside = self.binary("and", &not_before, &not_after);
        let inside = self.broadcast(&inside, &(0..lead).collect::<Vec<_>>(), &to.dims);
        let nothing = self.fill(0.0, to);
        self.select(&inside, &rows, &nothing)
    }

    /// Rows added up; those outside are left out, as StableHLO does.
    fn scatter_add(&mut self, index: &Value, rows: &Value, to: &Tensor) -> Value {
        let (lead, rank) = (index.ty.rank(), rows.ty.rank());
        let zeros = self.fill(0.0, to);
        let name = self.free();
        self.line(&format!(
            "{name} = \"stablehlo.scatter\"({}, {}, {}) <{{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [{}], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = {lead}>, unique_indices = false}}> ({{",
            zeros.name,
            index.name,
            rows.name,
            list(lead..rank)
        ));
        self.fold_body("add", &Tensor::scalar(to.element));
        self.line(&format!("}}) : ({to}, {}, {}) -> {to}", index.ty, rows.ty));
        Value { name, ty: to.clone() }
    }
}

/// The places of a window over `[b, space…, c]`.
struct Places {
    /// The sizes of what comes out.
    out: Vec<usize>,
    stride: Vec<usize>,
    /// What is added around so that every place of every window exists; negative to cut off what none reaches.
    low: Vec<i64>,
    high: Vec<i64>,
    /// Where each place is in the first window, in row-major order.
    starts: Vec<Vec<usize>>,
}

impl Places {
    fn new(w: &WindowDims, x: &Tensor) -> Self {
        let n = w.rank();
        let mut out = x.dims.clone();
        let (mut low, mut high, mut stride) = (vec![0; n + 2], vec![0; n + 2], vec![1; n + 2]);
        for i in 0..n {
            let room = x.dims[i + 1] as i64 + w.low[i] + w.high[i] - w.size[i] as i64;
            let count = usize::try_from(room).unwrap_or(0) / w.stride[i].max(1) + 1;
            out[i + 1] = count;
            stride[i + 1] = w.stride[i];
            low[i + 1] = w.low[i];
            let reach = span(count, w.stride[i]) - 1 + w.size[i] as i64;
            high[i + 1] = reach - w.low[i] - x.dims[i + 1] as i64;
        }
        let mut starts = vec![vec![0; n + 2]];
        for i in 0..n {
            starts = starts
                .iter()
                .flat_map(|s| {
                    (0..w.size[i]).map(|q| {
                        let mut s = s.clone();
                        s[i + 1] = q;
                        s
                    })
                })
                .collect();
        }
        Self { out, stride, low, high, starts }
    }

    fn is_padded(&self) -> bool {
        self.low.iter().chain(&self.high).any(|p| *p > 0)
    }
}
