//! Aligned columns.

use unicode_width::UnicodeWidthStr;

/// A table: a heading and rows of cells; words stand left, numbers right.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Clone, Debug)]
struct Column {
    title: String,
    right: bool,
}

impl Table {
    /// Adds a column of words.
    #[must_use]
    pub fn words(mut self, title: impl Into<String>) -> Self {
        self.columns.push(Column { title: title.into(), right: false });
        self
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn numbers(mut self, title: impl Into<String>) -> Self {
        self.columns.push(Column { title: title.into(), right: true });
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines.
    pub fn text(&self) -> String {
        let titles: Vec<String> = self.columns.iter().map(|c| c.title.clone()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&titles).chain(&self.rows).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|i| lines.iter().filter_map(|l| l.get(i)).map(|c| c.width()).max().unwrap_or(0))
            .collect();
        let mut out = String::new();
        for line in lines {
            let mut text = String::new();
            for ((column, cell), wide) in self.columns.iter().zip(line).zip(&widths) {
                let gap = " ".repeat(wide.saturating_sub(cell.width()));
                let (before, after) = if column.right { (&*gap, "") } else { ("", &*gap) };
                text.push_str(&format!("{before}{cell}{after}  "));
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::default().words("layer").numbers("weights");
        table.row(vec!["dense 16 relu".into(), "48".into()]);
        table.row(vec!["dense".into(), "1,024".into()]);
        assert_eq!(table.text(), "layer          weights\ndense 16 relu       48\ndense            1,024\n");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let mut table = Table::default().words("name").numbers("n");
        table.row(vec!["日本".into(), "1".into()]);
        table.row(vec!["ab".into(), "22".into()]);
        assert_eq!(table.text(), "name   n\n日本   1\nab    22\n");
    }
}
