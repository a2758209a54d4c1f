//! Where boxes and edges of a drawing lie: a layered layout, the same on every machine.
//!
//! Boxes stand in columns so that edges lead to the right (`columns.rs`), ordered within a column so that few edges
//! cross (`order.rs`), at heights that keep edges straight (`heights.rs`), after Sugiyama, Tagawa and Toda, "Methods for
//! visual understanding of hierarchical system structures", 1981. A training step is three bands over the same columns:
//! forward to the right, backward to the left beneath it, a layer's gradient under the layer, and beneath it its update.
//! What flows between bands runs in the gutters between columns and in the gaps between bands (`route.rs`).

mod columns;
mod heights;
mod order;
mod route;

use crate::drawing::{Band, Drawing, Item, Kind};

/// Height of a line of text.
pub const LINE: f64 = 17.0;
/// Between a box and its text.
pub const PADDING: f64 = 10.0;
/// Between boxes of a column.
const GAP: f64 = 22.0;
/// Between columns, at least.
const GUTTER: f64 = 56.0;
/// The longest line of a box in characters; the rest is cut off.
pub const LONGEST: usize = 34;

/// A rectangle; `x` and `y` are its left upper corner, in CSS pixels.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rect {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// The height at which edges come and go.
    pub fn middle(&self) -> f64 {
        self.y + self.h / 2.0
    }

    /// Whether it shares an inner point with another one.
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// How an edge runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Wire {
    /// Its position in the drawing.
    pub edge: usize,
    /// The points it goes through, the first and the last at its boxes.
    pub points: Vec<(f64, f64)>,
    /// Whether it leads from one band to another: its parts are level or upright.
    pub across: bool,
    /// Its shape, where it is to be written: once for all edges of a box with the same shape.
    pub label: Option<String>,
}

/// Where everything of a drawing lies.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layout {
    /// Width of everything.
    pub width: f64,
    /// Height of everything.
    pub height: f64,
    /// A rectangle for every box.
    pub boxes: Vec<Rect>,
    /// The layout of what is in a box, its origin at the box's corner moved by [`inset`].
    pub inside: Vec<Option<Layout>>,
    /// A way for every edge.
    pub wires: Vec<Wire>,
    /// The bands with their tops, where there is more than one.
    pub bands: Vec<(Band, f64)>,
}

/// The width of a text in pixels: an estimate that errs to the large side.
pub fn text_width(text: &str) -> f64 {
    let wide = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' | '(' | ')' | '[' | ']' | 'f' | 't'
        | 'r' | '·' => 4.6,
        'm' | 'w' | 'M' | 'W' | '→' | '…' | '@' => 11.5,
        c if c.is_ascii_uppercase() => 9.2,
        c if c.is_ascii() || c == '×' => 7.4,
        _ => 12.5,
    };
    text.chars().map(wide).sum()
}

/// A line of a box, cut to [`LONGEST`] characters.
pub fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_string(),
    }
}

/// From a box's corner to what is in it.
pub fn inset(item: &Item) -> (f64, f64) {
    (PADDING * 1.5, PADDING * 1.5 + LINE * item.lines().len() as f64)
}

/// The lines of a box as they are written: data also says its shape.
pub fn lines(item: &Item) -> Vec<String> {
    let mut lines = item.lines();
    if item.kind == Kind::Data && !item.shape.is_empty() {
        lines.push(item.shape.clone());
    }
    lines.iter().map(|l| cut(l)).collect()
}

/// The size of a box that is closed.
fn closed(item: &Item) -> (f64, f64) {
    let lines = lines(item);
    // The first line is bold.
    let bold = lines.first().map_or(0.0, |l| text_width(l) * 1.12);
    let w = lines.iter().map(|l| text_width(l)).fold(bold.max(36.0), f64::max) + 2.0 * PADDING;
    (w.ceil(), LINE * lines.len() as f64 + 2.0 * PADDING - 4.0)
}

/// Lays a drawing out, with whatever is in its boxes.
pub fn layout(drawing: &Drawing) -> Layout {
    let inside: Vec<Option<Layout>> = drawing.items.iter().map(|i| i.inside.as_ref().map(layout)).collect();
    let sizes = drawing.items.iter().zip(&inside).map(|(item, inside)| {
        let (w, h) = closed(item);
        match inside {
            None => (w, h),
            Some(inside) => {
                let (x, y) = inset(item);
                (w.max(inside.width + 2.0 * x), y + inside.height + PADDING * 1.5)
            }
        }
    });
    place(drawing, &sizes.collect::<Vec<_>>(), inside)
}

/// Lays a drawing out with all boxes closed; what is in them has layouts of their own, which are not counted in.
pub fn folded(drawing: &Drawing) -> Layout {
    let size = |item: &Item| {
        let (w, h) = closed(item);
        // The sign that opens it stands in its corner.
        (if item.inside.is_some() { w + 2.0 * PADDING } else { w }, h)
    };
    let sizes: Vec<(f64, f64)> = drawing.items.iter().map(size).collect();
    let inside = drawing.items.iter().map(|i| i.inside.as_ref().map(folded)).collect();
    place(drawing, &sizes, inside)
}

fn place(drawing: &Drawing, sizes: &[(f64, f64)], inside: Vec<Option<Layout>>) -> Layout {
    let columns = columns::columns(drawing);
    let count = columns.iter().map(|c| c + 1).max().unwrap_or(0);
    let mut widths = vec![0f64; count];
    let mut gutters = vec![GUTTER; count];
    for (i, &c) in columns.iter().enumerate() {
        widths[c] = widths[c].max(sizes[i].0);
    }
    for e in &drawing.edges {
        let c = columns[e.from].min(count - 1);
        // The label of an edge to the left stands in the gutter before its box.
        let c = if columns[e.to] < columns[e.from] { c.saturating_sub(1) } else { c };
        gutters[c] = gutters[c].max(text_width(&e.shape) * 0.85 + 26.0);
    }
    let lanes = route::lanes(drawing, &columns);
    for (gutter, lanes) in gutters.iter_mut().zip(&lanes) {
        *gutter += route::LANE * *lanes as f64;
    }
    let mut lefts = Vec::with_capacity(count);
    let mut x = 0.0;
    for c in 0..count {
        lefts.push(x);
        x += widths[c] + gutters[c];
    }
    let crossed = lanes.iter().any(|l| *l > 0);
    let width = x - gutters.last().filter(|_| !crossed).copied().unwrap_or(0.0);
    let mut out =
        Layout { width, inside, boxes: vec![Rect::default(); drawing.items.len()], ..Layout::default() };
    let mut top = 0.0;
    let bands = [Band::Forward, Band::Backward, Band::Update];
    let used: Vec<Band> =
        bands.into_iter().filter(|band| drawing.items.iter().any(|i| i.band == *band)).collect();
    let mut bends: Vec<Vec<(f64, f64)>> = vec![Vec::new(); drawing.edges.len()];
    let mut gaps = Vec::new();
    for band in &used {
        if used.len() > 1 {
            out.bands.push((*band, top));
            top += LINE * 1.6;
        }
        let mut rows = order::rows(drawing, *band, &columns, count);
        let heights = heights::heights(&mut rows, |node| match node {
            order::Node::Item(i) => sizes[i].1,
            order::Node::Bend(..) => 6.0,
        });
        let mut bottom = top;
        for (c, row) in rows.columns.iter().enumerate() {
            for (node, y) in row.iter().zip(&heights[c]) {
                let y = y + top;
                match *node {
                    order::Node::Item(i) => {
                        let (w, h) = sizes[i];
                        // Boxes of a column have one middle line.
                        out.boxes[i] = Rect { x: lefts[c] + (widths[c] - w) / 2.0, y, w, h };
                        bottom = f64::max(bottom, y + h);
                    }
                    order::Node::Bend(e, _) => {
                        let (l, r) = (lefts[c], lefts[c] + widths[c]);
                        let points = [(l, y + 3.0), (r, y + 3.0)];
                        let back = columns[drawing.edges[e].to] < columns[drawing.edges[e].from];
                        bends[e].extend(if back { [points[1], points[0]] } else { points });
                        bottom = f64::max(bottom, y + 6.0);
                    }
                }
            }
        }
        gaps.push(bottom + GAP / 2.0);
        top = bottom + GAP + route::gap(drawing, *band);
    }
    for (e, bends) in bends.iter_mut().enumerate() {
        let back = columns[drawing.edges[e].to] < columns[drawing.edges[e].from];
        if back {
            // Bends were met from the left to the right, each pair already turned round.
            let pairs: Vec<(f64, f64)> = bends.chunks(2).rev().flatten().copied().collect();
            *bends = pairs;
        }
    }
    let rights: Vec<f64> = lefts.iter().zip(&widths).map(|(x, w)| x + w).collect();
    out.wires = route::wires(drawing, &out.boxes, &columns, &rights, bends, &used, &gaps);
    let lowest = out.wires.iter().flat_map(|w| &w.points).map(|p| p.1).fold(0.0, f64::max);
    out.height = out.boxes.iter().map(|b| b.y + b.h).fold(lowest, f64::max);
    out
}
