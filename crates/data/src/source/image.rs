//! One picture: decoding it, turning it upright, and bringing it to a size.
//!
//! `png`, `zune-jpeg`, `gif` and `image-webp` are what the `image` crate
//! stands on; without it the binary has no colour management it would not use.

use std::io::{BufReader, Cursor, Read};
use std::num::NonZeroU64;

use super::orientation::{self, Orientation};
use zune_bmp::BmpDecoder;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// More pixels than this are not decoded: 40 million are 120 MB.
const MOST_PIXELS: u64 = 40_000_000;

/// A file longer than this is no picture of that size.
const MOST_BYTES: u64 = 256 << 20;

/// The endings of files that are taken for pictures.
pub(crate) const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "webp"];

/// Height, width, channels, and the bytes row by row.
pub(crate) struct Image {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    pub(super) data: Vec<u8>,
}

/// Why a picture cannot be read.
pub(crate) enum Trouble {
    Io(std::io::Error),
    /// Not a picture that is read, or damaged.
    Damaged(String),
    /// So many pixels.
    TooBig(u64, u64),
}

/// Reads a picture and brings it to `shape`: height, width, channels.
pub(crate) fn read(path: &std::path::Path, shape: [usize; 3]) -> Result<Vec<u8>, Trouble> {
    let file = std::fs::File::open(path).map_err(Trouble::Io)?;
    let mut file = BufReader::new(file.take(MOST_BYTES));
    let mut magic = [0u8; 8];
    file.read_exact(&mut magic).map_err(|_| Trouble::Damaged("it is too short".into()))?;
    let whole = Cursor::new(magic).chain(file);
    let image = match magic {
        [0x89, b'P', b'N', b'G', ..] => png(whole)?,
        [0xff, 0xd8, 0xff, ..] => jpeg(rest(whole)?)?,
        [b'G', b'I', b'F', b'8', ..] => gif(rest(whole)?)?,
        [b'R', b'I', b'F', b'F', ..] => webp(rest(whole)?)?,
        [b'B', b'M', ..] => bmp(rest(whole)?)?,
        _ => return Err(Trouble::Damaged("it is no PNG, JPEG, GIF, BMP or WebP".into())),
    };
    Ok(image.resized(shape[0], shape[1]).with_channels(shape[2]))
}

fn rest(mut reader: impl Read) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(Trouble::Io)?;
    Ok(bytes)
}

fn check(width: u64, height: u64) -> Result<(), Trouble> {
    if width == 0 || height == 0 {
        return Err(Trouble::Damaged("it has no pixels".into()));
    }
    if width.saturating_mul(height) > MOST_PIXELS {
        return Err(Trouble::TooBig(width, height));
    }
    Ok(())
}

/// `png` asks for `Seek`, which it does not need here; the rest of the file
/// is read into memory, packed as it is.
fn png(mut reader: impl Read) -> Result<Image, Trouble> {
    let damaged = |e: png::DecodingError| Trouble::Damaged(e.to_string());
    let mut head = [0u8; 33];
    let short = |_| Trouble::Damaged("it is cut short".into());
    reader.read_exact(&mut head).map_err(short)?;
    let size =
        |at: usize| u64::from(u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    check(size(16), size(20))?;
    let mut bytes = head.to_vec();
    reader.read_to_end(&mut bytes).map_err(Trouble::Io)?;
    // The limit is for text and profiles beside the pixels.
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: 8 << 20 });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (u64::from(reader.info().width), u64::from(reader.info().height));
    check(width, height)?;
    let size = reader.output_buffer_size().ok_or(Trouble::TooBig(width, height))?;
    let mut data = vec![0; size];
    let info = reader.next_frame(&mut data).map_err(damaged)?;
    data.truncate(info.buffer_size());
    let mut image = Image {
        height: info.height as usize,
        width: info.width as usize,
        channels: info.color_type.samples(),
        data,
    };
    image = image.checked()?;
    // The block may stand behind the pixels.
    if reader.info().exif_metadata.is_none() {
        let _ = reader.finish();
    }
    let exif = reader.info().exif_metadata.as_deref();
    Ok(image.turned(exif.map_or(Orientation::default(), orientation::read)))
}

fn jpeg(bytes: Vec<u8>) -> Result<Image, Trouble> {
    let damaged =
        |e: zune_jpeg::errors::DecodeErrors| Trouble::Damaged(format!("{e:?}").trim_end().to_string());
    let most = u16::MAX as usize;
    let options = DecoderOptions::default().set_max_width(most).set_max_height(most);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(&bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let info = decoder.info().ok_or_else(|| Trouble::Damaged("it has no header".into()))?;
    check(u64::from(info.width), u64::from(info.height))?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let space = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let data = decoder.decode().map_err(damaged)?;
    let image = Image {
        height: usize::from(info.height),
        width: usize::from(info.width),
        channels: if grey { 1 } else { 3 },
        data,
    };
    let upright = decoder.exif().map_or(Orientation::default(), |e| orientation::read(e));
    Ok(image.checked()?.turned(upright))
}

/// The first frame, on a canvas as large as the picture.
fn gif(bytes: Vec<u8>) -> Result<Image, Trouble> {
    let damaged = |e: gif::DecodingError| Trouble::Damaged(e.to_string());
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    if let Some(most) = NonZeroU64::new(MOST_PIXELS * 4) {
        options.set_memory_limit(gif::MemoryLimit::Bytes(most));
    }
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(damaged)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check(width as u64, height as u64)?;
    let frame = decoder.read_next_frame().map_err(damaged)?;
    let frame = frame.ok_or_else(|| Trouble::Damaged("it has no picture".into()))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (wide, high) = (usize::from(frame.width), usize::from(frame.height));
    let mut data = vec![0u8; width * height * 4];
    let lines = frame.buffer.chunks_exact(wide.max(1) * 4).take(high.min(height.saturating_sub(top)));
    for (y, line) in lines.enumerate() {
        let begin = ((top + y) * width + left.min(width)) * 4;
        let n = wide.min(width.saturating_sub(left)) * 4;
        data[begin..begin + n].copy_from_slice(&line[..n]);
    }
    Image { height, width, channels: 4, data }.checked()
}

/// A picture, or the first frame of several.
fn webp(bytes: Vec<u8>) -> Result<Image, Trouble> {
    let damaged = |e: image_webp::DecodingError| Trouble::Damaged(e.to_string());
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check(u64::from(width), u64::from(height))?;
    decoder.set_memory_limit(MOST_BYTES as usize);
    let size = decoder.output_buffer_size().ok_or(Trouble::TooBig(width.into(), height.into()))?;
    let mut data = vec![0; size];
    decoder.read_image(&mut data).map_err(damaged)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let image = Image { height: height as usize, width: width as usize, channels, data }.checked()?;
    let exif = decoder.exif_metadata().ok().flatten();
    Ok(image.turned(exif.map_or(Orientation::default(), |e| orientation::read(&e))))
}

fn bmp(mut bytes: Vec<u8>) -> Result<Image, Trouble> {
    // The decoder reads as much as the longest header has, which the smallest
    // pictures lack behind theirs. One that is cut off stays so.
    const LONGEST: usize = 14 + 124;
    let says = bytes.get(2..6).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    if bytes.len() < LONGEST && says.is_some_and(|n| n as usize <= bytes.len()) {
        bytes.resize(LONGEST, 0);
    }
    let damaged = |e: zune_bmp::BmpDecoderErrors| Trouble::Damaged(format!("{e:?}").trim_end().to_string());
    let most = u16::MAX as usize;
    let options = DecoderOptions::default().set_max_width(most).set_max_height(most);
    let mut decoder = BmpDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().unwrap_or((0, 0));
    check(width as u64, height as u64)?;
    let channels = decoder.colorspace().map_or(3, |c| c.num_components());
    let data = decoder.decode().map_err(damaged)?;
    Image { height, width, channels, data }.checked()
}

impl Image {
    /// The picture as it is meant to be seen.
    fn turned(self, to: Orientation) -> Self {
        let (height, width, data) = to.apply((self.height, self.width, self.channels), self.data);
        Self { height, width, channels: self.channels, data }
    }

    fn checked(self) -> Result<Self, Trouble> {
        if self.data.len() == self.height * self.width * self.channels && self.channels <= 4 {
            return Ok(self);
        }
        Err(Trouble::Damaged("it has another number of pixels than it says".into()))
    }

    /// 1 or 3 channels; what is transparent is not treated otherwise.
    fn with_channels(self, channels: usize) -> Vec<u8> {
        let has_colour = self.channels >= 3;
        if self.channels == channels {
            return self.data;
        }
        let pixels = self.data.chunks_exact(self.channels);
        match (has_colour, channels) {
            (true, 1) => pixels.map(|p| grey(p[0], p[1], p[2])).collect(),
            (true, _) => pixels.flat_map(|p| [p[0], p[1], p[2]]).collect(),
            (false, 1) => pixels.map(|p| p[0]).collect(),
            (false, _) => pixels.flat_map(|p| [p[0]; 3]).collect(),
        }
    }

    /// Every new pixel is the mean of the old ones around it, weighted with
    /// a triangle as wide as a new pixel, and at least as an old one.
    fn resized(self, height: usize, width: usize) -> Self {
        if (self.height, self.width) == (height, width) {
            return self;
        }
        let channels = self.channels;
        let across = Filter::new(self.width, width);
        let mut wide = vec![0f32; self.height * width * channels];
        let rows = self.data.chunks_exact(self.width * channels);
        for (from, to) in rows.zip(wide.chunks_exact_mut(width * channels)) {
            for (x, pixel) in to.chunks_exact_mut(channels).enumerate() {
                let (start, weights) = across.at(x);
                let old = from[start * channels..].chunks_exact(channels);
                for (old, w) in old.zip(weights) {
                    pixel.iter_mut().zip(old).for_each(|(p, &o)| *p += w * f32::from(o));
                }
            }
        }
        let down = Filter::new(self.height, height);
        let mut data = Vec::with_capacity(height * width * channels);
        let mut line = vec![0f32; width * channels];
        for y in 0..height {
            line.fill(0.0);
            let (start, weights) = down.at(y);
            let old = wide[start * width * channels..].chunks_exact(width * channels);
            for (old, w) in old.zip(weights) {
                line.iter_mut().zip(old).for_each(|(p, o)| *p += w * o);
            }
            data.extend(line.iter().map(|p| p.round().clamp(0.0, 255.0) as u8));
        }
        Self { height, width, channels, data }
    }
}

/// Brightness as the eye sees it (ITU-R 601), in whole numbers.
fn grey(r: u8, g: u8, b: u8) -> u8 {
    ((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114 + 500) / 1000) as u8
}

/// The weights of the old pixels for each new one, along one axis.
struct Filter {
    starts: Vec<usize>,
    ends: Vec<usize>,
    weights: Vec<f32>,
}

impl Filter {
    fn new(old: usize, new: usize) -> Self {
        let scale = old as f64 / new as f64;
        let reach = scale.max(1.0);
        let (mut starts, mut ends, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..new {
            let middle = (i as f64 + 0.5) * scale;
            let first = (middle - reach).floor().max(0.0) as usize;
            let last = ((middle + reach).ceil() as usize).min(old);
            let weight = |j: usize| (1.0 - ((j as f64 + 0.5 - middle) / reach).abs()).max(0.0);
            let sum: f64 = (first..last).map(weight).sum();
            starts.push(first);
            weights.extend((first..last).map(|j| (weight(j) / sum) as f32));
            ends.push(weights.len());
        }
        Self { starts, ends, weights }
    }

    fn at(&self, i: usize) -> (usize, &[f32]) {
        let begin = if i == 0 { 0 } else { self.ends[i - 1] };
        (self.starts[i], &self.weights[begin..self.ends[i]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_evenly() {
        let flat = Image { height: 5, width: 7, channels: 3, data: vec![200; 105] };
        for (h, w) in [(5, 7), (1, 1), (2, 3), (11, 20)] {
            let flat = Image { data: flat.data.clone(), ..flat };
            let new = flat.resized(h, w);
            assert_eq!(new.data, vec![200; h * w * 3]);
        }
        let ramp = Image { height: 1, width: 4, channels: 1, data: vec![0, 0, 100, 100] };
        assert_eq!(ramp.resized(1, 2).data, [14, 86]);
    }

    #[test]
    fn channels_change() {
        let colour = |channels, data: &[u8]| Image { height: 1, width: 1, channels, data: data.to_vec() };
        assert_eq!(colour(4, &[10, 20, 30, 0]).with_channels(3), [10, 20, 30]);
        assert_eq!(colour(3, &[255, 255, 255]).with_channels(1), [255]);
        assert_eq!(colour(2, &[7, 0]).with_channels(3), [7, 7, 7]);
        assert_eq!(colour(2, &[7, 0]).with_channels(1), [7]);
    }
}
