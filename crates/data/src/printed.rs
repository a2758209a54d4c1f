//! Names and cells of files as they are shown.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most characters of a cell.
pub(crate) const CELL: usize = 24;

/// Names and cells come from files; none may steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_debug()) } else { shown.push(c) }
    }
    shown
}

/// At most so many columns, and no character that moves the cursor.
pub(crate) fn clip(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most + 1).collect();
    clip_to(&printable(&short), most, "…")
}

/// At most so many columns, with `more` at the end where that is not all.
pub(crate) fn clip_to(text: &str, most: usize, more: &str) -> String {
    if text.width() <= most {
        return text.to_string();
    }
    let mut room = most.saturating_sub(more.width());
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    let mut shown: String = text.chars().take_while(fits).collect();
    shown.push_str(more);
    shown
}
