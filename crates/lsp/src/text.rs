//! A text with its lines, and places in it as editors count them: columns in units of UTF-16.

use lsp_types::{Position, Range, TextDocumentContentChangeEvent};
use nnc_syntax::Span;

/// A text that an editor has open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text {
    text: String,
    /// The first byte of every line.
    starts: Vec<usize>,
}

impl Text {
    /// A text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// The line of a byte, from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// Where a line begins and ends, without its newline.
    pub fn line_span(&self, line: usize) -> (usize, usize) {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let next = self.starts.get(line + 1).copied();
        let end = next.map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(start..end).unwrap_or("");
        (start, start + text.trim_end_matches('\r').len())
    }

    /// The place of a byte; inside a character, that of its beginning.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_of(offset);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        let column = if before.is_ascii() { before.len() } else { before.encode_utf16().count() };
        Position::new(u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// The byte of a place; behind the end of its line, that end.
    pub fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        if line >= self.starts.len() {
            return self.text.len();
        }
        let (start, end) = self.line_span(line);
        let mut units = 0;
        for (at, c) in self.text.get(start..end).unwrap_or("").char_indices() {
            let next = units + c.len_utf16();
            if next > position.character as usize {
                return start + at;
            }
            units = next;
        }
        end
    }

    /// The places of a span, which is cut where it leaves the text.
    pub fn range(&self, span: Span) -> Range {
        self.range_of(span.start as usize, span.end as usize)
    }

    /// The places of two bytes.
    pub fn range_of(&self, start: usize, end: usize) -> Range {
        Range::new(self.position(start), self.position(end.max(start)))
    }

    /// What stands between two bytes; nothing where these are no places of it.
    pub fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or("")
    }

    /// The text after a change.
    #[must_use]
    pub fn changed(&self, change: &TextDocumentContentChangeEvent) -> Self {
        let Some(range) = change.range else { return Self::new(change.text.clone()) };
        let start = self.offset(range.start);
        let end = self.offset(range.end).max(start);
        let mut text = String::with_capacity(self.text.len() + change.text.len());
        text.push_str(self.slice(0, start));
        text.push_str(&change.text);
        text.push_str(self.slice(end, self.text.len()));
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_in_utf_16() {
        let text = Text::new("# größe 𝒳 x\r\ndense 1");
        let x = text.as_str().find(" x").unwrap() + 1;
        assert_eq!(text.position(x), Position::new(0, 11));
        assert_eq!(text.offset(Position::new(0, 11)), x);
        // Half of a pair is before it.
        assert_eq!(text.offset(Position::new(0, 9)), text.offset(Position::new(0, 8)));
        // Far behind the end of the line, and of the text.
        assert_eq!(text.position(text.offset(Position::new(0, 999))), Position::new(0, 12));
        assert_eq!(text.offset(Position::new(9, 0)), text.as_str().len());
        assert_eq!(text.position(usize::MAX), Position::new(1, 7));
        for at in 0..=text.as_str().len() {
            if text.as_str().is_char_boundary(at) && !text.slice(0, at).ends_with('\r') {
                assert_eq!(text.offset(text.position(at)), at);
            }
        }
    }

    #[test]
    fn changes_are_made_where_they_are_meant() {
        let change = |line: u32, from: u32, to: u32, text: &str| TextDocumentContentChangeEvent {
            range: Some(Range::new(Position::new(line, from), Position::new(line, to))),
            range_length: None,
            text: text.into(),
        };
        let text = Text::new("ä = dense 8\ndense 1\n").changed(&change(0, 4, 9, "conv"));
        assert_eq!(text.as_str(), "ä = conv 8\ndense 1\n");
        assert_eq!(text.changed(&change(1, 6, 7, "")).as_str(), "ä = conv 8\ndense \n");
        assert_eq!(text.changed(&change(7, 0, 0, "x")).as_str(), "ä = conv 8\ndense 1\nx");
        let whole = TextDocumentContentChangeEvent { range: None, range_length: None, text: "y".into() };
        assert_eq!(text.changed(&whole).as_str(), "y");
    }
}
