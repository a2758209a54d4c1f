//! Numbers and pieces of HTML.

pub(crate) use crate::svg::{escape, number};
use std::fmt::Write as _;

/// Four digits that matter; whole numbers stay whole.
pub(crate) fn short(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    if !x.is_finite() {
        return "–".into();
    }
    let scale = x.abs().log10().floor();
    let text = match scale {
        s if (-4.0..7.0).contains(&s) => format!("{x:.*}", (3.0 - s).max(0.0) as usize),
        _ => format!("{x:.2e}"),
    };
    let (digits, power) = text.split_once('e').map_or((text.as_str(), None), |(d, p)| (d, Some(p)));
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    power.map_or(digits.to_string(), |p| format!("{digits}e{p}"))
}

/// A share as `97.5 %`.
pub(crate) fn percent(x: f64) -> String {
    if x.is_finite() { format!("{:.1} %", 100.0 * x) } else { "–".into() }
}

/// The places of the largest numbers, the largest first; equal ones stay in their order.
pub(crate) fn from_largest(values: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order.truncate(most);
    order
}

/// A paragraph of text.
pub(crate) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A table; columns of numbers stand right. Cells are text.
pub(crate) fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let right = |at: usize| {
        let mut cells = rows.iter().filter_map(|r| r.get(at)).filter(|c| !c.is_empty()).peekable();
        cells.peek().is_some() && cells.all(|c| is_number(c))
    };
    let right: Vec<&str> = (0..head.len()).map(|at| if right(at) { " class=\"n\"" } else { "" }).collect();
    let mut out = String::from("<div class=\"wide\"><table>\n");
    let mut line = |cells: &[String], tag: &str| {
        out.push_str("<tr>");
        for (cell, right) in cells.iter().zip(&right) {
            let _ = write!(out, "<{tag}{right}>{}</{tag}>", escape(cell));
        }
        out.push_str("</tr>\n");
    };
    line(head, "th");
    rows.iter().for_each(|row| line(row, "td"));
    out + "</table></div>\n"
}

fn is_number(cell: &str) -> bool {
    cell.trim_end_matches(" %").parse::<f64>().is_ok() || cell == "–"
}

/// Figures beside each other.
pub(crate) fn figures(all: &[String]) -> String {
    format!("<div class=\"figures\">\n{}</div>\n", all.concat())
}

/// Bytes as base64 (RFC 4648).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| three.get(i).copied().map_or(0, u32::from);
        let all = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = DIGITS[(all >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// A picture as an address that holds it: a BMP, which needs no packing. `pixels` are numbers of colours, or, where there are
/// no colours, red, green and blue; row by row from the top.
pub(crate) fn bitmap(width: usize, height: usize, colours: &[[u8; 3]], pixels: &[u8]) -> String {
    let each = if colours.is_empty() { 3 } else { 1 };
    let row = (width * each).div_ceil(4) * 4;
    let begin = 54 + 4 * colours.len();
    let mut out = Vec::with_capacity(begin + row * height);
    out.extend(b"BM");
    for n in [begin + row * height, 0, begin, 40, width, height] {
        out.extend((n as u32).to_le_bytes());
    }
    out.extend([1, 0, 8 * each as u8, 0]);
    for n in [0, row * height, 2835, 2835, colours.len(), 0] {
        out.extend((n as u32).to_le_bytes());
    }
    for [r, g, b] in colours {
        out.extend([*b, *g, *r, 0]);
    }
    for line in pixels.chunks((width * each).max(1)).take(height).rev() {
        let end = out.len() + row;
        match each {
            1 => out.extend(line),
            _ => line.chunks(3).for_each(|rgb| out.extend(rgb.iter().rev())),
        }
        out.resize(end, 0);
    }
    format!("data:image/bmp;base64,{}", base64(&out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.6000000000000001, "0.6"),
            (1234567.0, "1234567"),
            (0.000_123_44, "0.0001234"),
            (1e-7, "1e-7"),
            (-2.5e12, "-2.5e12"),
            (f64::NAN, "–"),
            (100.0, "100"),
        ];
        for (x, text) in cases {
            assert_eq!(short(x), text);
        }
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (text, coded) in cases {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }

    #[test]
    fn pictures_have_rows_of_four_bytes_from_below() {
        let coded = bitmap(1, 2, &[], &[1, 2, 3, 4, 5, 6]);
        let end = base64(&[6, 5, 4, 0, 3, 2, 1, 0]);
        let whole = [&[0u8][..], &[6, 5, 4, 0, 3, 2, 1, 0]].concat();
        assert!(coded.ends_with(&end) || coded.ends_with(&base64(&whole)[2..]), "{coded}");
        assert!(coded.starts_with("data:image/bmp;base64,Qk0"));
    }
}
