//! A drawing as SVG that needs nothing else: styles inside, light and dark by the reader's setting.

use crate::drawing::{Band, Drawing, Item, Kind, grouped};
use crate::layout::{self, LINE, Layout, PADDING, Rect, Wire};
use nnc_graph::Role;
use std::fmt::Write as _;

/// Around the drawing.
const MARGIN: f64 = 14.0;
/// Colours and fonts, also of the page.
pub(crate) const STYLE: &str = include_str!("../assets/drawing.css");

/// The drawing with boxes open where they hold something; close them with [`Drawing::closed`].
pub fn print(drawing: &Drawing) -> String {
    let layout = layout::layout(drawing);
    let (w, h) = (layout.width + 2.0 * MARGIN, layout.height + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nnc\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n",
        number(w),
        number(h)
    );
    let _ = writeln!(out, "<title>{}</title>", escape(&drawing.title));
    let _ = writeln!(out, "<style>\n{}</style>", STYLE);
    out.push_str("<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n");
    let _ = writeln!(out, "<rect class=\"paper\" width=\"{}\" height=\"{}\"/>", number(w), number(h));
    inside(&mut out, drawing, &layout, (MARGIN, MARGIN));
    out.push_str("</svg>\n");
    out
}

fn inside(out: &mut String, drawing: &Drawing, layout: &Layout, at: (f64, f64)) {
    let _ = writeln!(out, "<g transform=\"translate({} {})\">", number(at.0), number(at.1));
    for (band, top) in &layout.bands {
        let _ = writeln!(
            out,
            "<text class=\"band\" x=\"0\" y=\"{}\">{}</text>",
            number(top + 11.0),
            band_name(*band)
        );
    }
    for wire in &layout.wires {
        let class = if wire.across { "wire across" } else { "wire" };
        let _ = writeln!(out, "<path class=\"{class}\" d=\"{}\" marker-end=\"url(#arrow)\"/>", path(wire));
    }
    for wire in &layout.wires {
        if let Some(label) = &wire.label {
            let back = wire.points.get(1).is_some_and(|p| p.0 < wire.points[0].0);
            let (x, anchor) = if back { (-5.0, " end") } else { (5.0, "") };
            let (x, y) = (wire.points[0].0 + x, wire.points[0].1 - 5.0);
            let _ = writeln!(
                out,
                "<text class=\"shape{anchor}\" x=\"{}\" y=\"{}\">{}</text>",
                number(x),
                number(y),
                escape(label)
            );
        }
    }
    for (i, item) in drawing.items.iter().enumerate() {
        boxed(out, item, layout.boxes[i]);
        if let (Some(within), Some(lies)) = (&item.inside, &layout.inside[i]) {
            let (x, y) = layout::inset(item);
            inside(out, within, lies, (layout.boxes[i].x + x, layout.boxes[i].y + y));
        }
    }
    out.push_str("</g>\n");
}

/// What a band is called.
pub(crate) fn band_name(band: Band) -> &'static str {
    match band {
        Band::Forward => "forward →",
        Band::Backward => "← gradients",
        Band::Update => "updates",
    }
}

/// The classes of a box, for colours.
pub(crate) fn class(item: &Item) -> String {
    let kind = match item.kind {
        Kind::Data => "data",
        Kind::Layer => "layer",
        Kind::Operation => "operation",
        Kind::From | Kind::To => "end",
    };
    let band = match item.band {
        Band::Forward => "",
        Band::Backward => " backward",
        Band::Update => " update",
    };
    let weights = if item.weights() > 0 && item.band == Band::Forward { " weights" } else { "" };
    let open = if item.inside.is_some() { " open" } else { "" };
    format!("box {kind}{band}{weights}{open}")
}

fn boxed(out: &mut String, item: &Item, r: Rect) {
    let _ = write!(out, "<g class=\"{}\"><title>{}</title>", class(item), escape(&about(item)));
    let _ = write!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
        number(r.x),
        number(r.y),
        number(r.w),
        number(r.h),
        if item.kind == Kind::Data { "14" } else { "6" }
    );
    for (k, line) in layout::lines(item).iter().enumerate() {
        let (x, y) = (r.x + PADDING, r.y + PADDING + LINE * k as f64 + 10.0);
        let class = if k == 0 { " class=\"name\"" } else { "" };
        let _ = write!(out, "<text{class} x=\"{}\" y=\"{}\">{}</text>", number(x), number(y), escape(line));
    }
    out.push_str("</g>\n");
}

/// All that is known of a box, a line each.
pub fn about(item: &Item) -> String {
    let mut lines = vec![item.name.clone()];
    if !item.text.is_empty() && item.text != item.name {
        lines.push(item.text.clone());
    }
    if let Some(place) = &item.place {
        lines.push(format!("{}:{}:{}", place.file, place.line, place.column));
    }
    if !item.shape.is_empty() {
        lines.push(format!("shape {}", item.shape));
    }
    for held in &item.held {
        let role = match held.role {
            Role::Weight => "weight",
            Role::State => "state",
            Role::Slot => "kept by the optimizer:",
            Role::Input | Role::Target | Role::SampleWeight | Role::Step => "data",
            Role::Carry | Role::Slice | Role::Invariant => "of the loop",
        };
        lines.push(format!("{role} {} {}", held.name, held.shape));
    }
    if item.flops > 0 {
        lines.push(format!("{} FLOPs", grouped(item.flops)));
    }
    if !item.results.is_empty() {
        lines.push(format!("→ {}", item.results.join(", ")));
    }
    lines.join("\n")
}

/// The way of an edge: a curve within a band, corners between bands.
pub fn path(wire: &Wire) -> String {
    let mut out = String::new();
    let points = &wire.points;
    for (i, &(x, y)) in points.iter().enumerate() {
        let Some(&(px, py)) = i.checked_sub(1).and_then(|i| points.get(i)) else {
            let _ = write!(out, "M{} {}", number(x), number(y));
            continue;
        };
        if wire.across {
            match points.get(i + 1) {
                None => {
                    let _ = write!(out, "L{} {}", number(x), number(y));
                }
                Some(&(nx, ny)) => {
                    // A corner, rounded where there is room.
                    let (before, after) = ((x - px).abs() + (y - py).abs(), (nx - x).abs() + (ny - y).abs());
                    let r = 5f64.min(before / 2.0).min(after / 2.0);
                    let step = |a: f64, b: f64| if a == b { 0.0 } else { r * (b - a).signum() };
                    let (ax, ay) = (x - step(px, x), y - step(py, y));
                    let (bx, by) = (x + step(x, nx), y + step(y, ny));
                    let n = [ax, ay, x, y, bx, by].map(number);
                    let _ = write!(out, "L{} {}Q{} {} {} {}", n[0], n[1], n[2], n[3], n[4], n[5]);
                }
            }
        } else if py == y {
            let _ = write!(out, "H{}", number(x));
        } else {
            let m = (px + x) / 2.0;
            let n = [m, py, m, y, x, y].map(number);
            let _ = write!(out, "C{} {} {} {} {} {}", n[0], n[1], n[2], n[3], n[4], n[5]);
        }
    }
    out
}

/// A length with at most one digit behind the point.
pub(crate) fn number(x: f64) -> String {
    let text = format!("{x:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.into() }
}

/// Text as XML and HTML want it.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
