//! Text that is not UTF-8, turned into it as it is read.

use std::io::{self, Cursor, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

/// What a file begins with, and the rest of it.
pub(crate) struct Text {
    /// UTF-8, or what stands there where nobody knows better.
    pub(crate) reader: Box<dyn Read + Send>,
    /// The encoding, where it is another than UTF-8, and who said so.
    pub(crate) told: Option<String>,
}

/// Why a label means no encoding.
pub(crate) fn encoding(label: &str) -> Result<&'static Encoding, String> {
    let known = Encoding::for_label(label.trim().as_bytes());
    let known = known.or_else(|| {
        // `latin-1`, `cp1252`, `utf_16`: as Python spells them.
        let bare: String =
            label.to_ascii_lowercase().chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect();
        let bare = match bare.as_str() {
            "utf8sig" => "utf-8",
            "utf16" | "utf16le" => "utf-16le",
            "utf16be" => "utf-16be",
            "mac" | "macroman" => "macintosh",
            "cp932" => "shift_jis",
            "ansi" | "western" => "windows-1252",
            other => match other.strip_prefix("windows").or(other.strip_prefix("cp")) {
                Some(page) => return Encoding::for_label(format!("windows-{page}").as_bytes()),
                None => other,
            },
        };
        Encoding::for_label(bare.as_bytes())
    });
    known.ok_or_else(|| format!("there is no encoding called `{label}`"))
}

/// Reads text by the encoding that was named, or by a byte order mark.
pub(crate) fn open(mut reader: Box<dyn Read + Send>, named: Option<&'static Encoding>) -> io::Result<Text> {
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head)?;
    // UTF-32 is told from UTF-16 by what follows its mark, and is not read.
    let marked = Encoding::for_bom(&head).filter(|_| !looks_like_utf32(&head));
    let whole: Box<dyn Read + Send> = Box::new(Cursor::new(head).chain(reader));
    let (encoding, why) = match (marked, named) {
        // A mark is certain; UTF-16 in the other order is what was meant.
        (Some((marked, _)), _) => (marked, "by its byte order mark"),
        (None, Some(named)) => (named, "as it is said"),
        (None, None) => (UTF_8, ""),
    };
    if encoding == UTF_8 {
        return Ok(Text { reader: whole, told: None });
    }
    let told = format!("{}, {why}", encoding.name());
    let decoder = encoding.new_decoder_with_bom_removal();
    let reader = Decoded {
        reader: whole,
        decoder,
        name: encoding.name(),
        raw: Vec::new(),
        out: Vec::new(),
        at: 0,
        count: 0,
        done: false,
    };
    Ok(Text { reader: Box::new(reader), told: Some(told) })
}

const PIECE: usize = 1 << 16;

/// Decodes as it is read.
struct Decoded {
    reader: Box<dyn Read + Send>,
    decoder: Decoder,
    name: &'static str,
    raw: Vec<u8>,
    out: Vec<u8>,
    /// What of `out` is given away.
    at: usize,
    /// Bytes of the file that are decoded.
    count: u64,
    done: bool,
}

impl Decoded {
    fn more(&mut self) -> io::Result<()> {
        self.raw.resize(PIECE, 0);
        let n = loop {
            match self.reader.read(&mut self.raw) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                n => break n?,
            }
        };
        let room = self.decoder.max_utf8_buffer_length_without_replacement(n);
        self.out.resize(room.unwrap_or(PIECE * 4), 0);
        let last = n == 0;
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(&self.raw[..n], &mut self.out, last);
        self.out.truncate(written);
        self.at = 0;
        self.done = last;
        let place = self.count + read as u64;
        self.count = place;
        match result {
            DecoderResult::InputEmpty => Ok(()),
            DecoderResult::OutputFull | DecoderResult::Malformed(..) => {
                let message = format!("byte {place} is not {}", self.name);
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }
}

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() && !self.done {
            self.more()?;
        }
        let n = out.len().min(self.out.len() - self.at);
        out[..n].copy_from_slice(&self.out[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Whether bytes look like UTF-16 without a mark: every other one is 0.
pub(crate) fn looks_like_utf16(head: &[u8]) -> Option<&'static str> {
    let pairs = head.len().min(4096) / 2;
    let zeros = |offset: usize| (0..pairs).filter(|i| head[i * 2 + offset] == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match pairs > 3 {
        true if odd * 10 > pairs * 7 && even * 10 < pairs => Some("utf-16le"),
        true if even * 10 > pairs * 7 && odd * 10 < pairs => Some("utf-16be"),
        _ => None,
    }
}

/// The encoding that bytes which are no UTF-8 are most likely in, and what
/// else they may be in.
pub(crate) fn likely(bytes: &[u8]) -> (&'static str, &'static str) {
    // Words of the West have few letters above ASCII, and others nothing but.
    let letters = || bytes.split(u8::is_ascii).filter(|run| run.len() > 2);
    let foreign = letters().map(<[u8]>::len).sum::<usize>() * 2 > bytes.iter().filter(|b| **b > 0x40).count();
    let others = match foreign {
        true => {
            "\"windows-1251\" (Cyrillic), \"shift_jis\", \"gbk\", \"big5\", \"euc-kr\", …: what the text is in"
        }
        false => "",
    };
    // Latin-1 has nothing there, and Windows has quotes, dashes and the euro.
    let windows = bytes.iter().any(|b| (0x80..0xa0).contains(b));
    (if windows { "windows-1252" } else { "latin1" }, others)
}

/// Whether bytes are UTF-32, by their mark or by their zeros.
pub(crate) fn looks_like_utf32(head: &[u8]) -> bool {
    let little = head.starts_with(&[0xff, 0xfe, 0, 0]);
    let places = |at: usize| head.chunks_exact(4).take(1024).filter(|c| c[at] == 0).count();
    let units = head.len().min(4096) / 4;
    let zeros = |a, b, c| units > 3 && [a, b, c].into_iter().all(|at| places(at) * 10 > units * 9);
    little || head.starts_with(&[0, 0, 0xfe, 0xff]) || zeros(1, 2, 3) || zeros(0, 1, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], named: Option<&str>) -> io::Result<String> {
        let mut out = String::new();
        let named = named.map(|n| encoding(n).unwrap());
        open(Box::new(Cursor::new(bytes.to_vec())), named)?.reader.read_to_string(&mut out)?;
        Ok(out)
    }

    #[test]
    fn texts_are_decoded() {
        assert_eq!(read(b"Gr\xf6\xdfe,\x80", Some("latin1")).unwrap(), "Größe,€");
        assert_eq!(read(b"\xff\xfea\0\xf6\0", None).unwrap(), "aö");
        assert_eq!(read(b"\xfe\xff\0a\0\xf6", Some("utf-16")).unwrap(), "aö");
        assert_eq!(read(b"a\0\xf6\0", Some("UTF_16")).unwrap(), "aö");
        assert_eq!(read("\u{feff}a".as_bytes(), Some("latin1")).unwrap(), "\u{feff}a");
        assert_eq!(read(b"", Some("utf-16")).unwrap(), "");
        let long: Vec<u8> = (0..200_000).map(|i| if i % 7 == 0 { 0xe9 } else { b'x' }).collect();
        assert_eq!(read(&long, Some("cp1252")).unwrap().chars().count(), 200_000);
        // A half of a pair is no character, and is not passed over.
        assert!(read(b"\xff\xfea\0\x00\xd8b\0", None).is_err());
        assert!(read(b"\xff\xfea\0b", None).is_err());
        for (label, name) in [
            ("latin-1", "windows-1252"),
            ("cp1251", "windows-1251"),
            ("ISO-8859-2", "ISO-8859-2"),
            ("cp932", "Shift_JIS"),
        ] {
            assert_eq!(encoding(label).unwrap().name(), name, "{label}");
        }
        assert!(encoding("klingon").is_err());
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(looks_like_utf16(b"a\0,\0b\0\n\0"), Some("utf-16le"));
        assert_eq!(looks_like_utf16(b"\0a\0,\0b\0\n"), Some("utf-16be"));
        assert_eq!(looks_like_utf16(b"a,b\n1,2\n"), None);
        assert_eq!((likely(b"caf\xe9").0, likely(b"\x93\xe9t\xe9").0), ("latin1", "windows-1252"));
        assert_eq!((likely(b"Gr\xf6\xdfe").1, likely(b"\x93caf\xe9\x94").1), ("", ""));
        assert!(likely(b"\xf6\xe5\xed\xe0").1.contains("windows-1251"));
        assert!(looks_like_utf32(b"a\0\0\0,\0\0\0b\0\0\0\n\0\0\0"));
        assert!(looks_like_utf32(b"\xff\xfe\0\0a\0\0\0") && !looks_like_utf32(b"\xff\xfea\0,\0"));
        assert!(!looks_like_utf32(b"a\0,\0b\0\n\0c\0,\0") && !looks_like_utf32(b"a,b\n1,2\n"));
    }
}
