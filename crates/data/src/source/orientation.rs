//! Which way up a picture is: cameras write pixels as the sensor lies, and
//! say in a block of EXIF how to turn them.

/// How to bring the pixels upright: mirrored, then turned clockwise so many
/// quarters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orientation {
    mirrored: bool,
    quarters: u8,
}

/// The tag of the orientation.
const TAG: u16 = 0x0112;

/// Entries of the first directory that are looked at; cameras write a dozen.
const MOST_ENTRIES: u16 = 1024;

/// What a block of EXIF says; a damaged one says nothing. TIFF 6.0, section
/// 2 and the tag 274.
pub(crate) fn read(block: &[u8]) -> Orientation {
    let turn = |mirrored, quarters| Orientation { mirrored, quarters };
    match tag(block.strip_prefix(b"Exif\0\0").unwrap_or(block)) {
        Some(2) => turn(true, 0),
        Some(3) => turn(false, 2),
        Some(4) => turn(true, 2),
        Some(5) => turn(true, 3),
        Some(6) => turn(false, 1),
        Some(7) => turn(true, 1),
        Some(8) => turn(false, 3),
        _ => Orientation::default(),
    }
}

fn tag(block: &[u8]) -> Option<u16> {
    let big = match block.get(..4)? {
        b"MM\0\x2a" => true,
        b"II\x2a\0" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let two = [*block.get(at)?, *block.get(at.checked_add(1)?)?];
        Some(if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    };
    let long = |at: usize| {
        let four: [u8; 4] = block.get(at..at + 4)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let count = short(directory)?.min(MOST_ENTRIES);
    let entries = (0..usize::from(count)).map(|i| directory.saturating_add(2).saturating_add(i * 12));
    let mut found = entries.take_while(|at| at.checked_add(12).is_some_and(|end| end <= block.len()));
    let at = found.find(|&at| short(at) == Some(TAG))?;
    short(at + 8)
}

impl Orientation {
    /// Turns the pixels of a picture `[height, width, channels]`: its height
    /// and width then, and its pixels.
    pub(super) fn apply(self, (h, w, c): (usize, usize, usize), pixels: Vec<u8>) -> (usize, usize, Vec<u8>) {
        if self == Self::default() {
            return (h, w, pixels);
        }
        let (height, width) = if self.quarters % 2 == 1 { (w, h) } else { (h, w) };
        let mut data = Vec::with_capacity(pixels.len());
        for y in 0..height {
            for x in 0..width {
                // The pixel that comes to lie here.
                let (row, column) = match self.quarters {
                    0 => (y, x),
                    1 => (h - 1 - x, y),
                    2 => (h - 1 - y, w - 1 - x),
                    _ => (x, w - 1 - y),
                };
                let column = if self.mirrored { w - 1 - column } else { column };
                let at = (row * w + column) * c;
                data.extend_from_slice(&pixels[at..at + c]);
            }
        }
        (height, width, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with one entry, of either byte order.
    fn block(orientation: u16, big: bool) -> Vec<u8> {
        let mut out =
            if big { b"MM\0\x2a\0\0\0\x08\0\x01".to_vec() } else { b"II\x2a\0\x08\0\0\0\x01\0".to_vec() };
        let (tag, value) = if big {
            (b"\x01\x12\0\x03\0\0\0\x01".to_vec(), orientation.to_be_bytes())
        } else {
            (b"\x12\x01\x03\0\x01\0\0\0".to_vec(), orientation.to_le_bytes())
        };
        out.extend(tag);
        out.extend(value);
        out.extend([0; 6]);
        out
    }

    /// What Pillow's `ImageOps.exif_transpose` makes of the same pixels.
    #[test]
    fn pixels_are_turned() {
        let pixels = || vec![1, 2, 3, 4, 5, 6];
        for (tag, width, data) in [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
            (9, 3, [1, 2, 3, 4, 5, 6]),
        ] {
            for big in [true, false] {
                let (_, columns, turned) = read(&block(tag, big)).apply((2, 3, 1), pixels());
                assert_eq!((columns, &turned[..]), (width, &data[..]), "{tag} {big}");
            }
        }
    }

    #[test]
    fn damaged_blocks_say_nothing() {
        let whole = [b"Exif\0\0".to_vec(), block(6, true)].concat();
        assert_ne!(read(&whole), Orientation::default());
        for n in 0..whole.len() - 5 {
            let _ = read(&whole[..n]);
        }
        assert_eq!(read(&whole[..20]), Orientation::default());
        assert_eq!(read(b"MM\0\x2a\xff\xff\xff\xff"), Orientation::default());
        assert_eq!(read(b""), Orientation::default());
    }
}
