//! Which columns a network leans on.

use crate::page::text::{escape, paragraph, percent, short};
use std::fmt::Write as _;

/// Columns with how much they matter, the most important first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Importance {
    /// What was done, in a sentence or two.
    pub about: String,
    /// The columns.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How much the loss rises when it is shuffled: the mean, and the standard deviation over repetitions.
    pub rise: (f64, f64),
    /// Its share of what gradients put down to columns.
    pub share: Option<f64>,
}

impl Importance {
    pub(crate) fn section(&self) -> String {
        if self.columns.is_empty() {
            return String::new();
        }
        let most = self.columns.iter().map(|c| c.rise.0).fold(1e-300, f64::max);
        let shares = self.columns.iter().any(|c| c.share.is_some());
        let last = if shares { "<th class=\"n\">integrated gradients</th>" } else { "" };
        let mut out = paragraph(&self.about);
        let _ = writeln!(
            out,
            "<div class=\"wide\"><table class=\"meters\"><tr><th>column</th><th class=\"n\">loss rises by</th>\
             <th class=\"n\">±</th>{last}</tr>"
        );
        let meter = |share: f64, text: String| {
            let width = (100.0 * share).clamp(0.0, 100.0);
            format!("<td class=\"n meter\" style=\"--w:{width:.1}%\">{text}</td>")
        };
        for c in &self.columns {
            let share = c.share.map(|s| meter(s, percent(s))).unwrap_or_default();
            let rise = meter(c.rise.0 / most, short(c.rise.0));
            let name = escape(&c.name);
            let _ = writeln!(
                out,
                "<tr><td>{name}</td>{rise}<td class=\"n\">{}</td>{share}</tr>",
                short(c.rise.1)
            );
        }
        out + "</table></div>\n"
    }
}
