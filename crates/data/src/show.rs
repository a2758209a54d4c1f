//! A description of data as text for a terminal.

use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

use crate::describe::{BINS, ColumnView, Description, short};
use crate::printed::{CELL, clip, clip_to, printable};
use crate::schema::{ColumnKind, Port};
use crate::spec::Role;
use crate::tokens::{PADDING, UNKNOWN};

/// How a terminal is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Characters in a line.
    pub width: usize,
    /// Whether escape codes may colour it.
    pub colour: bool,
    /// Whether there are other characters than those of ASCII.
    pub unicode: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 120, colour: false, unicode: true }
    }
}

/// Classes that get a bar.
const MOST_CLASSES: usize = 12;
/// The longest bar.
const BAR: usize = 30;
/// Narrower lines would say nothing.
const NARROW: usize = 40;

impl Description {
    /// The text for a terminal.
    pub fn text(&self, style: Style) -> String {
        let style = Style { width: style.width.max(NARROW), ..style };
        let mut out = String::new();
        let [train, valid, test] = self.parts;
        let _ = write!(out, "{}   {} rows, {} columns", printable(&self.source), self.rows, self.width);
        let _ = writeln!(out, "   train {train}, valid {valid}, test {test}");
        for line in &self.reading {
            let _ = writeln!(out, "  {}", clip(line, style.width - 2));
        }
        out.push('\n');
        self.roles_lines(style, &mut out);
        self.columns_table(style, &mut out);
        out.push('\n');
        for (side, ports) in [("input", &self.inputs), ("target", &self.targets)] {
            for port in ports {
                let dims: Vec<String> = port.shape.iter().map(ToString::to_string).collect();
                let (name, from) = (clip(&port.name, CELL), printable(&port.about));
                let _ = writeln!(out, "  {side:<7} {name:<10} [{}]  {from}", dims.join(", "));
            }
        }
        for column in self.columns.iter().filter(|c| c.role == Role::Target) {
            balance(column, style, &mut out);
        }
        self.rows_before(style, &mut out);
        self.rows_after(style, &mut out);
        out
    }

    /// For every number of a row the names of its classes, where it is a
    /// piece of a text.
    fn names_of<'a>(&'a self, ports: &'a [Port]) -> impl Iterator<Item = Option<&'a [String]>> + 'a {
        let names = |port: &'a Port| {
            let classes = port.classes.as_deref().filter(|c| c.first().is_some_and(|n| n == PADDING));
            std::iter::repeat_n(classes, port.shape.iter().product())
        };
        ports.iter().flat_map(names).chain(std::iter::repeat(None))
    }

    /// Which column is for what, in more than one line only where it does not fit.
    fn roles_lines(&self, style: Style, out: &mut String) {
        let room = style.width - 3;
        let mut line = String::new();
        for part in self.roles.split("; ") {
            if !line.is_empty() && line.width() + 2 + part.width() > room {
                let _ = writeln!(out, "  {line};");
                line.clear();
            }
            line.push_str(if line.is_empty() { "" } else { "; " });
            line.push_str(&clip_to(part, room, style.more()));
        }
        let _ = writeln!(out, "  {line}\n");
    }

    fn columns_table(&self, style: Style, out: &mut String) {
        let mut table =
            Table::new(&["column", "role", "kind", "encoded", "missing", "", "values for training"]);
        table.right = vec![4];
        for c in &self.columns {
            table.lines.push(vec![
                clip(&c.name, CELL),
                role_word(c.role).into(),
                kind_word(c.kind).into(),
                c.encoding.clone(),
                if c.missing == 0 { dot(style).into() } else { c.missing.to_string() },
                spark(&c.histogram, style),
                values(c, style),
            ]);
        }
        table.bars = Some(5);
        // Where there is no room for all, the histogram goes first, and then the encoding.
        for column in [5, 3] {
            if table.before_last() + 12 > style.width {
                table.lines.iter_mut().for_each(|line| drop(line.remove(column)));
                table.right = vec![if column == 5 { 4 } else { 3 }];
                table.bars = None;
            }
        }
        table.render(style, out);
    }

    fn rows_before(&self, style: Style, out: &mut String) {
        if self.before.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n  {}\n", style.strong("first training rows, as they stand in the source"));
        let head: Vec<String> =
            std::iter::once("row".to_string()).chain(self.names.iter().cloned()).collect();
        let mut table = Table { lines: vec![head], ..Table::default() };
        for (row, cells) in self.first.iter().zip(&self.before) {
            table.lines.push(std::iter::once(row.to_string()).chain(cells.iter().cloned()).collect());
        }
        table.right = vec![0];
        table.whole_columns(style);
        table.render(style, out);
    }

    fn rows_after(&self, style: Style, out: &mut String) {
        if self.after.is_empty() {
            return;
        }
        let windows = !self.windows.is_empty();
        let _ = writeln!(out, "\n  {}\n", style.strong("the same rows, as the network sees them"));
        let [inputs, targets] = &self.slots;
        let mut head: Vec<String> = windows.then(|| "rows".to_string()).into_iter().collect();
        head.extend(inputs.iter().cloned());
        if !targets.is_empty() {
            head.push(style.arrow().into());
            head.extend(windows.then(|| "row".to_string()));
            head.extend(targets.iter().cloned());
        }
        let mut table = Table { lines: vec![head], ..Table::default() };
        for (i, [inputs, targets]) in self.after.iter().enumerate() {
            let rows = self.windows.get(i);
            let mut line: Vec<String> = rows.map(|[rows, _]| row_list(rows)).into_iter().collect();
            line.extend(inputs.iter().zip(self.names_of(&self.inputs)).map(with_name));
            if !targets.is_empty() {
                line.push(style.arrow().into());
                line.extend(rows.map(|[_, rows]| row_list(rows)));
                line.extend(targets.iter().zip(self.names_of(&self.targets)).map(with_name));
            }
            table.lines.push(line);
        }
        table.kept = targets.len() + 1 + usize::from(windows);
        table.right = (0..table.lines[0].len()).collect();
        table.whole_columns(style);
        table.render(style, out);
    }
}

impl Style {
    fn strong(self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_string() }
    }

    fn bar(self, text: &str) -> String {
        if self.colour { format!("\x1b[36m{text}\x1b[0m") } else { text.to_string() }
    }

    fn arrow(self) -> &'static str {
        "->"
    }

    fn more(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }
}

/// A number in few characters, with the word it stands for.
fn with_name((x, names): (&f64, Option<&[String]>)) -> String {
    match names.and_then(|names| names.get(*x as usize)) {
        Some(name) if *x > 0.0 => format!("{x}={}", clip(name, 16)),
        _ => short(*x),
    }
}

fn dot(style: Style) -> &'static str {
    if style.unicode { "·" } else { "." }
}

/// `1-3`, `4`, `1 4 7`, or `1 … 28` where there are many with gaps.
fn row_list(rows: &[usize]) -> String {
    match rows {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] if last.wrapping_sub(*first).wrapping_add(1) == rows.len() => {
            format!("{first}-{last}")
        }
        some if some.len() <= 4 => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        [first, .., last] => format!("{first} … {last}"),
    }
}

/// Lines of cells in columns.
#[derive(Default)]
struct Table {
    /// The heading is the first.
    lines: Vec<Vec<String>>,
    /// Columns whose cells stand right.
    right: Vec<usize>,
    /// The column of histograms.
    bars: Option<usize>,
    /// Columns at the end that stay when there is no room for all.
    kept: usize,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self { lines: vec![head.iter().map(ToString::to_string).collect()], ..Self::default() }
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.lines.iter().map(Vec::len).max().unwrap_or(0);
        let width = |i: usize| self.lines.iter().filter_map(|l| l.get(i)).map(|c| c.width()).max();
        (0..columns).map(|i| width(i).unwrap_or(0)).collect()
    }

    /// The room that all columns but the last take.
    fn before_last(&self) -> usize {
        let widths = self.widths();
        1 + widths[..widths.len().saturating_sub(1)].iter().map(|w| w + 2).sum::<usize>()
    }

    /// Leaves columns out of the middle until the lines fit.
    fn whole_columns(&mut self, style: Style) {
        for cell in self.lines.iter_mut().flatten() {
            *cell = clip(cell, CELL);
        }
        let widths = self.widths();
        let total = |from: &[usize]| from.iter().map(|w| w + 2).sum::<usize>();
        if total(&widths) + 2 <= style.width {
            return;
        }
        let tail = widths.len().saturating_sub(self.kept).max(1);
        // What stays may itself be too much: then its end goes, down to two columns.
        let half = style.width / 2;
        let fits = |n: &usize| total(&widths[tail..tail + n]) + 5 <= half;
        let kept = (0..=widths.len() - tail).take_while(fits).last().unwrap_or(0).max(2);
        if total(&widths[tail..]) > half && tail + kept < widths.len() {
            for line in &mut self.lines {
                line.truncate(tail + kept);
                line.push(style.more().to_string());
            }
        }
        let widths = self.widths();
        let room = style.width.saturating_sub(2 + 5 + total(&widths[tail..]));
        let mut used = 0;
        let mut shown = 0;
        while shown < tail && used + widths[shown] + 2 <= room {
            used += widths[shown] + 2;
            shown += 1;
        }
        let left = tail - shown;
        for line in &mut self.lines {
            let end = line.len().min(tail);
            let mark = style.more().to_string();
            line.splice(shown.min(end)..end, (left > 0).then_some(mark));
        }
    }

    fn render(&self, style: Style, out: &mut String) {
        let widths = self.widths();
        for (n, line) in self.lines.iter().enumerate() {
            let mut text = String::from(" ");
            let mut used = 1;
            for (i, (cell, &width)) in line.iter().zip(&widths).enumerate() {
                let last = i + 1 == line.len();
                let room = style.width.saturating_sub(used + 1);
                let cell = if last { clip_to(cell, room, style.more()) } else { cell.clone() };
                let gap = " ".repeat(width.saturating_sub(cell.width()));
                used += width + 2;
                let cell = match () {
                    () if n == 0 => style.strong(&cell),
                    () if self.bars == Some(i) => style.bar(&cell),
                    () => cell,
                };
                let (before, after) = if self.right.contains(&i) { (&*gap, "") } else { ("", &*gap) };
                let _ = write!(text, " {before}{cell}{after} ");
            }
            let _ = writeln!(out, "{}", text.trim_end());
        }
    }
}

/// How many rows each class of a target has.
fn balance(c: &ColumnView, style: Style, out: &mut String) {
    if c.kind != ColumnKind::Category || c.categories.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {}\n", style.strong(&format!("classes of {}", clip(&c.name, CELL))));
    let all: u64 = c.categories.iter().map(|(_, n)| n).sum();
    let mut order: Vec<&(String, u64)> = c.categories.iter().collect();
    if order.len() > MOST_CLASSES {
        order.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    }
    let most = order.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let shown = &order[..order.len().min(MOST_CLASSES)];
    let name = shown.iter().map(|(name, _)| clip(name, CELL).width()).max().unwrap_or(0);
    let digits = most.to_string().len();
    let room = style.width.saturating_sub(name + digits + 16).min(BAR);
    for (class, n) in shown {
        let share = *n as f64 * 100.0 / all.max(1) as f64;
        let length = (u128::from(*n) * room as u128).div_ceil(u128::from(most)) as usize;
        let bar = if style.unicode { "█" } else { "#" }.repeat(length);
        let class = clip(class, CELL);
        let gap = " ".repeat(name.saturating_sub(class.width()));
        let line = format!("    {class}{gap}  {n:>digits$}  {share:>5.1}%  {}", style.bar(&bar));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if order.len() > shown.len() {
        let _ = writeln!(out, "    and {} more", order.len() - shown.len());
    }
}

/// A histogram in one line.
fn spark(counts: &[u64], style: Style) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const PLAIN: [char; 8] = ['.', ':', '-', '=', '+', '*', '#', '@'];
    let bars = if style.unicode { BARS } else { PLAIN };
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&n: &u64| match n {
        0 => ' ',
        n => bars[((u128::from(n) * 8).div_ceil(u128::from(most)) as usize).clamp(1, 8) - 1],
    };
    counts.iter().take(BINS).map(bar).collect()
}

/// Of texts: their lengths, the classes, and the commonest of them.
fn texts(c: &ColumnView, [min, max]: [f64; 2], style: Style) -> String {
    let to = if style.unicode { "…" } else { "to" };
    let all: u64 = c.categories.iter().map(|(_, n)| n).sum();
    let unknown: u64 = c.categories.iter().filter(|(name, _)| name == UNKNOWN).map(|(_, n)| n).sum();
    let share = unknown as f64 * 100.0 / all.max(1) as f64;
    let mut order: Vec<&(String, u64)> = c.categories.iter().filter(|(name, _)| name != UNKNOWN).collect();
    order.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let shown: Vec<String> =
        order.iter().take(4).map(|(name, n)| format!("{} {n}", clip(name, 16))).collect();
    let (classes, shown) = (c.categories.len(), shown.join(", "));
    format!("{} {to} {} long; {classes} classes, {}% unknown; {shown}", short(min), short(max), short(share))
}

fn values(c: &ColumnView, style: Style) -> String {
    if let (ColumnKind::Tokens, Some(lengths)) = (c.kind, c.range) {
        return texts(c, lengths, style);
    }
    if let (Some([min, max]), Some([mean, std])) = (c.range, c.mean) {
        let (to, about) = if style.unicode { ("…", "±") } else { ("to", "+-") };
        return format!("{} {to} {}, mean {} {about} {}", short(min), short(max), short(mean), short(std));
    }
    if c.categories.is_empty() {
        return String::new();
    }
    let mut order: Vec<&(String, u64)> = c.categories.iter().collect();
    if order.len() > 4 {
        order.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    }
    let shown: Vec<String> =
        order.iter().take(4).map(|(name, n)| format!("{} {n}", clip(name, 16))).collect();
    let more = order.len().saturating_sub(4);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn kind_word(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Category => "category",
        ColumnKind::Date => "date",
        ColumnKind::Tensor => "array",
        ColumnKind::Characters => "characters",
        ColumnKind::Bytes => "bytes",
        ColumnKind::Tokens => "text",
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Input => "input",
        Role::Target => "target",
        Role::Weight => "weight",
        Role::Drop => "drop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-12.345, "-12.3"),
            (0.000_123_45, "0.000123"),
            (123_456.7, "123457"),
            (1e9, "1.00e9"),
            (150.0, "150"),
            (0.5, "0.5"),
        ] {
            assert_eq!(short(x), text);
        }
    }

    #[test]
    fn histograms_fit_a_line() {
        let style = Style::default();
        assert_eq!(spark(&[0, 1, 4, 8], style), " ▁▄█");
        assert_eq!(spark(&[], style), "");
        assert_eq!(spark(&[u64::MAX, 1], style), "█▁");
        assert_eq!(spark(&[8, 1], Style { unicode: false, ..style }), "@.");
    }

    #[test]
    fn large_targets_lose_their_end() {
        let line: Vec<String> = ["row", "a", "b", "->"].map(String::from).into();
        let targets = (0..400).map(|i| format!("t{i}"));
        let mut table =
            Table { lines: vec![line.into_iter().chain(targets).collect()], kept: 401, ..Table::default() };
        let style = Style { width: 60, ..Style::default() };
        table.whole_columns(style);
        assert_eq!(table.lines[0], ["row", "a", "b", "->", "t0", "t1", "t2", "t3", "t4", "…"]);
        let mut out = String::new();
        table.render(style, &mut out);
        assert!(out.trim_end().chars().count() <= 60, "{out}");
    }

    #[test]
    fn wide_tables_lose_their_middle() {
        let line: Vec<String> = (0..30).map(|i| format!("column{i}")).collect();
        let mut table = Table { lines: vec![line], kept: 2, ..Table::default() };
        let style = Style { width: 60, ..Style::default() };
        table.whole_columns(style);
        assert_eq!(table.lines[0], ["column0", "column1", "column2", "…", "column28", "column29"]);
        let mut out = String::new();
        table.render(style, &mut out);
        assert!(out.trim_end().chars().count() <= 60, "{out}");
    }
}
