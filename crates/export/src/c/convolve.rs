//! Convolutions in C: blocks of pixels times blocks of output channels, in registers.

use super::emit::{Emitter, Place};
use super::heavy::group;
use super::index::Index;
use nnc_graph::{ConvDims, Convolve, NodeId, Type};

/// The most output channels, and pixels, that a convolution keeps in registers.
const CHANNELS: usize = 16;
const PIXELS: usize = 6;

impl Emitter<'_> {
    /// A convolution, or its adjoint by the kernel.
    pub(crate) fn convolve(&mut self, c: &Convolve, x: NodeId, other: NodeId, ty: &Type, to: &Place) {
        match c {
            Convolve::Convolution(dims) => {
                let (kernel, out) = (self.dims_of(other), self.dims(ty));
                let (from, size) = self.padded(x, dims);
                let weights = self.kernel(other);
                self.clock_on();
                for p in [&from.0, &weights.0, to] {
                    self.touch(p);
                }
                Convolution { dims, size: &size, kernel: &kernel, out: &out, from, weights }.write(self, to);
            }
            Convolve::ConvolutionKernel(dims) => {
                let (kernel, out) = (self.dims(ty), self.dims_of(other));
                let (from, size) = self.padded(x, dims);
                self.fill(to, kernel.iter().product(), 0.0);
                self.kernel_gradient(dims, &from, &size, other, &kernel, &out, to);
            }
        }
    }

    /// A kernel; one of whole numbers keeps its scale where that is one for each output channel.
    fn kernel(&mut self, x: NodeId) -> (Place, Index) {
        let dims = self.dims_of(x);
        let all: Vec<usize> = (0..dims.len()).collect();
        match self.view(x) {
            Some((place, offset, strides))
                if place.scale.is_some() && group(&all, &dims, &strides).is_some_and(|g| g.1 == 1) =>
            {
                (place, offset)
            }
            _ => self.whole(x),
        }
    }

    /// An input with its padding around it, and zeros between its numbers where it is spread.
    fn padded(&mut self, x: NodeId, dims: &ConvDims) -> ((Place, Index), Vec<usize>) {
        let own = self.dims_of(x);
        let n = dims.rank();
        let plain = (0..n).all(|i| dims.low[i] == 0 && dims.high[i] == 0 && dims.lhs_dilation[i] == 1);
        if plain {
            return (self.whole(x), own);
        }
        let mut size = own.clone();
        for i in 0..n {
            let spread = ((own[i + 1] - 1) * dims.lhs_dilation[i] + 1) as i64;
            size[i + 1] = (spread + dims.low[i] + dims.high[i]).max(0) as usize;
        }
        let place = self.room(size.iter().product());
        self.fill(&place, size.iter().product(), 0.0);
        self.nest(&own, |e, at| {
            let mut target = at.to_vec();
            let mut inside = Vec::new();
            for i in 0..n {
                target[i + 1] = at[i + 1].times(dims.lhs_dilation[i] as i64).shifted(dims.low[i]);
                let text = target[i + 1].text();
                if dims.low[i] < 0 {
                    inside.push(format!("{text} >= 0"));
                }
                if dims.high[i] < 0 {
                    inside.push(format!("{text} < {}", size[i + 1]));
                }
            }
            if !inside.is_empty() {
                e.block(&format!("if ({}) ", inside.join(" && ")));
            }
            let value = e.value(x, at);
            e.assign(&place, &Index::linear(&target, &size), &value);
            if !inside.is_empty() {
                e.close();
            }
        });
        ((place, Index::constant(0)), size)
    }

    #[allow(clippy::too_many_arguments, reason = "all of them are sizes or places of one loop")]
    fn kernel_gradient(
        &mut self,
        dims: &ConvDims,
        from: &(Place, Index),
        size: &[usize],
        g: NodeId,
        kernel: &[usize],
        out: &[usize],
        to: &Place,
    ) {
        let n = dims.rank();
        let (inputs, outputs) = (kernel[n], kernel[n + 1]);
        let per_group = outputs / dims.groups;
        let mut walk = vec![out[0]];
        walk.extend(&out[1..=n]);
        walk.extend(&kernel[..n]);
        walk.extend([dims.groups, inputs, per_group]);
        self.nest(&walk, |e, at| {
            let (batch, p, q) = (&at[0], &at[1..=n], &at[n + 1..=2 * n]);
            let [group, c, o] = &at[2 * n + 1..] else { return };
            let channel = group.times(inputs as i64).plus(c);
            let column = group.times(per_group as i64).plus(o);
            let place = pixel(dims, batch, p, q, &channel);
            let read = e.at(&from.0, &from.1.plus(&Index::linear(&place, size)));
            let seen: Vec<Index> =
                std::iter::once(batch).chain(p).cloned().chain(std::iter::once(column.clone())).collect();
            let value = e.value(g, &seen);
            let own: Vec<Index> = q.iter().cloned().chain([c.clone(), column]).collect();
            let target = Index::linear(&own, kernel);
            let before = e.at(to, &target);
            e.assign(to, &target, &format!("{before} + {read} * {value}"));
        });
    }
}

/// The index in a padded input of what a convolution reads at position `p` for place `q` of the window.
fn pixel(dims: &ConvDims, batch: &Index, p: &[Index], q: &[Index], channel: &Index) -> Vec<Index> {
    let mut out = vec![batch.clone()];
    for i in 0..dims.rank() {
        let moved = p[i].times(dims.stride[i] as i64);
        out.push(moved.plus(&q[i].times(dims.rhs_dilation[i] as i64)));
    }
    out.push(channel.clone());
    out
}

/// A convolution over a padded input.
struct Convolution<'a> {
    dims: &'a ConvDims,
    /// Sizes of the padded input, of the kernel and of the result.
    size: &'a [usize],
    kernel: &'a [usize],
    out: &'a [usize],
    from: (Place, Index),
    weights: (Place, Index),
}

impl Convolution<'_> {
    /// Writes it: blocks of pixels along the last axis of space, times blocks of output channels.
    fn write(&self, e: &mut Emitter<'_>, to: &Place) {
        let n = self.dims.rank();
        let outputs = self.kernel[n + 1];
        let per_group = outputs / self.dims.groups;
        if self.kernel[n] == 1 && per_group == 1 && outputs > 1 {
            return self.depthwise(e, to);
        }
        let along = self.out[n];
        let wide = CHANNELS.min(per_group);
        let most = if wide <= 8 { 2 * PIXELS } else { PIXELS };
        let tall = along.div_ceil(along.div_ceil(most));
        let lead: Vec<usize> = self.out[..n].iter().copied().chain([self.dims.groups]).collect();
        e.nest(&lead, |e, at| {
            for (pixels, first_pixel, blocks) in cut(along, tall) {
                for (channels, first_channel, columns) in columns(per_group, wide) {
                    self.tile(e, to, at, (pixels, first_pixel, blocks), (channels, first_channel, columns));
                }
            }
        });
    }

    /// Writes the loops over all blocks of one size.
    fn tile(
        &self,
        e: &mut Emitter<'_>,
        to: &Place,
        at: &[Index],
        (pixels, first_pixel, blocks): (usize, usize, usize),
        (channels, first_channel, columns): (usize, usize, usize),
    ) {
        let n = self.dims.rank();
        let (inputs, outputs) = (self.kernel[n], self.kernel[n + 1]);
        let (group, lead) = (&at[n], &at[..n]);
        let per_group = outputs / self.dims.groups;
        let (pb, ob) = (Index::counter("pb", blocks), Index::counter("ob", columns));
        let opened = [("pb", blocks), ("ob", columns)].into_iter().filter(|(_, c)| *c > 1);
        let opened: Vec<_> = opened.collect();
        for (name, count) in &opened {
            e.open(name, *count);
        }
        e.block("");
        // Sums in registers: vectors of eight where the channels are so many, else an array for each pixel.
        let eights = if channels % 8 == 0 && self.weights.0.scale.is_none() { channels / 8 } else { 0 };
        let sums: Vec<String> = match eights {
            0 => (0..pixels).map(|u| format!("s{u}[{channels}] = {{0}}")).collect(),
            _ => (0..pixels).flat_map(|u| (0..eights).map(move |v| format!("s{u}_{v}"))).collect(),
        };
        if eights == 0 {
            e.line(&format!("real {};", sums.join(", ")));
        } else {
            e.use_helper("eight");
            e.line("const real zero[8] = {0};");
            e.line(&format!("nn_eight {};", sums.join(", ")));
            let all: Vec<String> = sums.iter().map(|s| format!("NN_SET({s}, zero);")).collect();
            e.line(&all.join(" "));
        }
        let column =
            group.times(per_group as i64).plus(&ob.times(channels as i64)).shifted(first_channel as i64);
        let step = pb.times(pixels as i64).shifted(first_pixel as i64);
        e.within(&self.kernel[..n], 0, |e, q| {
            e.within(&[inputs], 9, |e, c| {
                let channel = group.times(inputs as i64).plus(&c[0]);
                let mut p = lead[1..].to_vec();
                p.push(step.clone());
                let place = Index::linear(&pixel(self.dims, &lead[0], &p, q, &channel), self.size);
                let place = self.from.1.plus(&place);
                let row: Vec<Index> = q.iter().cloned().chain([c[0].clone(), column.clone()]).collect();
                let row = self.weights.1.plus(&Index::linear(&row, self.kernel));
                let (x, w) = (e.pointer(&self.from.0, &place), &self.weights.0);
                e.line(&format!("const real *const x = {x};"));
                let element = if w.scale.is_some() { "int8_t" } else { "real" };
                let weights = e.pointer(w, &row);
                e.line(&format!("const {element} *const w = {weights};"));
                let far = self.dims.stride[n - 1] * self.size[n + 1];
                let values: Vec<String> = (0..pixels).map(|u| format!("v{u} = x[{}]", u * far)).collect();
                e.line(&format!("const real {};", values.join(", ")));
                for u in 0..pixels * usize::from(eights > 0) {
                    let adds = (0..eights).map(|v| match v {
                        0 => format!("NN_ADD(s{u}_0, v{u}, w);"),
                        v => format!("NN_ADD(s{u}_{v}, v{u}, w + {});", 8 * v),
                    });
                    e.line(&adds.collect::<Vec<_>>().join(" "));
                }
                if eights > 0 {
                    return;
                }
                e.open("o", channels);
                e.line("const real k = (real)w[o];");
                for u in 0..pixels {
                    e.line(&format!("s{u}[o] += v{u} * k;"));
                }
                e.close();
            });
        });
        let scale = self.weights.0.scale.as_ref();
        let scale = scale.map(|(name, _)| format!(" * {name}[{} + o]", column.text())).unwrap_or_default();
        e.touch(to);
        if eights == 0 {
            e.open("o", channels);
        }
        for u in 0..pixels {
            let mut target: Vec<Index> = lead.to_vec();
            target.push(step.shifted(u as i64));
            target.push(column.clone());
            let target = to.offset.plus(&Index::linear(&target, self.out));
            if eights == 0 {
                e.line(&format!("{}[{} + o] = s{u}[o]{scale};", to.name, target.text()));
            }
            let puts = (0..eights)
                .map(|v| format!("NN_PUT({} + {}, s{u}_{v});", to.name, target.shifted(8 * v as i64).text()));
            let puts: Vec<String> = puts.collect();
            if eights > 0 {
                e.line(&puts.join(" "));
            }
        }
        if eights == 0 {
            e.close();
        }
        e.close();
        for _ in opened {
            e.close();
        }
    }

    /// One kernel for each channel.
    fn depthwise(&self, e: &mut Emitter<'_>, to: &Place) {
        let n = self.dims.rank();
        let channels = self.kernel[n + 1];
        let zero = "0".to_string();
        e.nest(&self.out[..=n], |e, at| {
            let place = |c: &Index| {
                let own: Vec<Index> = at.iter().chain([c]).cloned().collect();
                Index::linear(&own, self.out)
            };
            e.within(&[channels], 20, |e, c| e.assign(to, &place(&c[0]), &zero));
            e.within(&self.kernel[..n], 0, |e, q| {
                e.within(&[channels], 20, |e, c| {
                    let source = pixel(self.dims, &at[0], &at[1..], q, &c[0]);
                    let x = e.at(&self.from.0, &self.from.1.plus(&Index::linear(&source, self.size)));
                    let row: Vec<Index> =
                        q.iter().cloned().chain([Index::constant(0), c[0].clone()]).collect();
                    let w = e.at(&self.weights.0, &self.weights.1.plus(&Index::linear(&row, self.kernel)));
                    let before = e.at(to, &place(&c[0]));
                    e.assign(to, &place(&c[0]), &format!("{before} + {x} * {w}"));
                });
            });
        });
    }
}

/// Channels in blocks; of what is left, eight more at once.
fn columns(length: usize, block: usize) -> Vec<(usize, usize, usize)> {
    let mut out = cut(length, block);
    if let Some((rest, first, 1)) = out.last().copied()
        && rest < block
        && rest > 8
    {
        out.pop();
        out.extend([(8, first, 1), (rest - 8, first + 8, 1)]);
    }
    out
}

/// A length in blocks, and the rest: sizes, where they begin, and how many there are.
fn cut(length: usize, block: usize) -> Vec<(usize, usize, usize)> {
    let whole = length / block;
    let rest = length - whole * block;
    [(block, 0, whole), (rest, whole * block, 1)]
        .into_iter()
        .filter(|(size, _, n)| *size > 0 && *n > 0)
        .collect()
}
