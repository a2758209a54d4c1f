//! Pictures of every kind that is read, and what is said about other files.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, lines, row};
use nnc_data::{DataSpec, ImagesSpec, PortId, SourceSpec, open};
use nnc_syntax::Severity;
use std::path::Path;

const IN: PortId = PortId::Input(0);
const H: usize = 4;
const W: usize = 6;

fn images(path: &Path) -> DataSpec {
    let path = path.to_string_lossy().into_owned();
    DataSpec::new(SourceSpec::Images(ImagesSpec { path, shape: [H, W, 3], handle: Some(5) }))
}

/// Colours that tell every pixel from the others.
fn pixels() -> Vec<u8> {
    (0..H * W).flat_map(|i| [i as u8 * 10, 255 - i as u8 * 7, (i * i % 251) as u8]).collect()
}

fn bmp() -> Vec<u8> {
    bmp_of(&pixels(), W, H)
}

fn bmp_of(pixels: &[u8], w: usize, h: usize) -> Vec<u8> {
    let stride = (w * 3).div_ceil(4) * 4;
    let mut out = b"BM".to_vec();
    out.extend((54 + stride as u32 * h as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(54u32.to_le_bytes());
    out.extend(40u32.to_le_bytes());
    out.extend((w as i32).to_le_bytes());
    out.extend((h as i32).to_le_bytes());
    out.extend([1, 0, 24, 0]);
    out.extend([0; 24]);
    for line in pixels.chunks(w * 3).rev() {
        let mut line: Vec<u8> = line.chunks(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
        line.resize(stride, 0);
        out.extend(line);
    }
    out
}

#[test]
fn the_smallest_pictures_are_read() {
    for (w, h) in [(1, 1), (2, 1), (1, 2), (3, 2)] {
        let pixels: Vec<u8> = (0..w * h * 3).map(|i| 40 + 9 * i as u8).collect();
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "x/a.bmp", bmp_of(&pixels, w, h));
        put(folder.path(), "x/b.png", png(&pixels, (w, h), 8, None));
        let path = folder.path().to_string_lossy().into_owned();
        let spec = ImagesSpec { path, shape: [h, w, 3], handle: None };
        let data = open(&DataSpec::new(SourceSpec::Images(spec))).unwrap();
        for r in 0..2 {
            let read: Vec<u8> = row(&data.train, IN, r).iter().map(|x| (x * 255.0).round() as u8).collect();
            assert_eq!(read, pixels, "{w}x{h}");
        }
        // Without its last pixel it is cut off.
        let cut = bmp_of(&pixels, w, h);
        put(folder.path(), "x/a.bmp", &cut[..54]);
        assert!(open(&images(folder.path())).is_err(), "{w}x{h}");
    }
}

fn webp() -> Vec<u8> {
    let mut out = Vec::new();
    let encoder = image_webp::WebPEncoder::new(&mut out);
    encoder.encode(&pixels(), W as u32, H as u32, image_webp::ColorType::Rgb8).unwrap();
    out
}

/// A colour of its own for every pixel, in a frame that begins at `left`.
fn gif(left: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let wide = W as u16 - left;
    let kept: Vec<u8> = (0..H * W).filter(|i| i % W >= usize::from(left)).map(|i| i as u8).collect();
    let mut encoder = gif::Encoder::new(&mut out, W as u16, H as u16, &pixels()).unwrap();
    let mut frame = gif::Frame::from_indexed_pixels(wide, H as u16, kept, None);
    frame.left = left;
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    out
}

/// `depth` 8 or 16, and a block of EXIF.
fn png(pixels: &[u8], (w, h): (usize, usize), depth: usize, exif: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut info = png::Info::with_size(w as u32, h as u32);
    info.color_type = png::ColorType::Rgb;
    info.bit_depth = if depth == 16 { png::BitDepth::Sixteen } else { png::BitDepth::Eight };
    info.exif_metadata = exif.map(|e| e.to_vec().into());
    let wide: Vec<u8> = pixels.iter().flat_map(|&b| vec![b; depth / 8]).collect();
    let mut writer = png::Encoder::with_info(&mut out, info).unwrap().write_header().unwrap();
    writer.write_image_data(&wide).unwrap();
    writer.finish().unwrap();
    out
}

fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    block.push(orientation);
    block.extend([0; 6]);
    block
}

fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn every_kind_has_the_same_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = [
        ("a.bmp", bmp()),
        ("b.gif", gif(0)),
        ("c.webp", webp()),
        ("d.png", png(&pixels(), (W, H), 8, None)),
        ("e.PNG", png(&pixels(), (W, H), 16, None)),
        // What it is stands in its first bytes.
        ("f.jpg", webp()),
        ("g.png", gif(0)),
    ];
    for (name, bytes) in &kinds {
        put(folder.path(), &format!("x/{name}"), bytes);
    }
    let data = open(&images(folder.path())).unwrap();
    assert_eq!(data.train.len(), kinds.len());
    for (r, (name, _)) in kinds.iter().enumerate() {
        let read: Vec<u8> =
            row(&data.train, IN, r as u32).iter().map(|x| (x * 255.0).round() as u8).collect();
        assert_eq!(read, pixels(), "{name}");
    }
    for bytes in [bmp(), gif(2), webp()] {
        for n in 0..bytes.len() {
            put(folder.path(), "x/a.bmp", &bytes[..n]);
            let _ = open(&images(folder.path()));
            let mut bad = bytes.clone();
            bad[n] ^= 0x55;
            put(folder.path(), "x/a.bmp", bad);
            let _ = open(&images(folder.path()));
        }
    }
    put(folder.path(), "x/a.bmp", b"MZ not a picture at all");
    assert!(faults(open(&images(folder.path())))[0].contains("no PNG, JPEG, GIF, BMP or WebP"));
}

/// The frame of a GIF may be smaller than its picture.
#[test]
fn a_small_frame_lies_where_it_says() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "x/a.gif", gif(2));
    let data = open(&images(folder.path())).unwrap();
    let read = all(&data.train, IN);
    let expected = pixels();
    for i in 0..H * W {
        let wanted = if i % W < 2 { 0 } else { expected[i * 3 + 1] };
        assert_eq!((read[i * 3 + 1] * 255.0).round() as u8, wanted, "{i}");
    }
}

#[test]
fn pictures_stand_upright() {
    let folder = tempfile::tempdir().unwrap();
    let upright = pixels();
    let at = |x: usize, y: usize| &upright[(y * W + x) * 3..(y * W + x) * 3 + 3];
    // A quarter clockwise makes them upright, so they lie on their left side.
    let lying: Vec<u8> = (0..W)
        .flat_map(|x| (0..H).map(move |y| (W - 1 - x, y)))
        .flat_map(|(x, y)| at(x, y).to_vec())
        .collect();
    let over: Vec<u8> = upright.chunks(3).rev().flatten().copied().collect();
    put(folder.path(), "x/1.png", png(&upright, (W, H), 8, Some(&exif(1))));
    put(folder.path(), "x/3.png", png(&over, (W, H), 8, Some(&exif(3))));
    put(folder.path(), "x/6.png", png(&lying, (H, W), 8, Some(&exif(6))));
    let data = open(&images(folder.path())).unwrap();
    for r in 0..3 {
        let read: Vec<u8> = row(&data.train, IN, r).iter().map(|x| (x * 255.0).round() as u8).collect();
        assert_eq!(read, upright, "{r}");
    }
    // The same block in a JPEG turns what the picture was before.
    let plain =
        std::fs::read(format!("{}/tests/fixtures/images/warm/a.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut turned = plain[..2].to_vec();
    let block = [b"Exif\0\0".to_vec(), exif(3)].concat();
    turned.extend([0xff, 0xe1]);
    turned.extend((block.len() as u16 + 2).to_be_bytes());
    turned.extend(block);
    turned.extend(&plain[2..]);
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "x/a.jpg", &plain);
    put(folder.path(), "x/b.jpg", turned);
    let data = open(&images(folder.path())).unwrap();
    let pixels = |r| row(&data.train, IN, r).chunks(3).map(<[f64]>::to_vec).collect::<Vec<_>>();
    let mut back = pixels(1);
    back.reverse();
    let near = |a: &[Vec<f64>], b: &[Vec<f64>]| {
        a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() < 1.5 / 255.0)
    };
    assert!(near(&pixels(0), &back) && !near(&pixels(0), &pixels(1)));
}

/// Made with Pillow, of the colours below.
#[test]
fn four_inks_become_three_colours() {
    let folder = tempfile::tempdir().unwrap();
    let inks = std::fs::read(format!("{}/tests/fixtures/cmyk.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
    put(folder.path(), "x/a.jpg", inks);
    let data = open(&images(folder.path())).unwrap();
    let read = all(&data.train, IN);
    for (pixel, colour) in [(0, [200, 60, 90]), (W - 1, [30, 60, 90]), (H * W - 1, [30, 180, 90])] {
        for (c, wanted) in colour.into_iter().enumerate() {
            let is = read[pixel * 3 + c] * 255.0;
            assert!((is - f64::from(wanted)).abs() < 8.0, "{pixel} {c}: {is} for {wanted}");
        }
    }
}

#[test]
fn what_is_not_read_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let picture = png(&pixels(), (W, H), 8, None);
    put(root, "cat/1.png", &picture);
    put(root, "dog/1.png", &picture);
    let said = || {
        let data = open(&images(root)).unwrap();
        let notes: Vec<_> = data.notes.iter().map(|n| n.severity).collect();
        (notes, lines(&data.notes).concat())
    };
    assert_eq!(said().0, []);
    put(root, "cat/labels.txt", "");
    let (kind, text) = said();
    assert_eq!(kind, [Severity::Note]);
    assert!(text.contains("not read: 1 .txt in `cat`"), "{text}");
    (0..3).for_each(|i| put(root, &format!("cat/{i}.TIF"), ""));
    put(root, "dog/1.tif", "");
    put(root, "loose.png", &picture);
    std::fs::create_dir(root.join("bird")).unwrap();
    put(root, "cat/more/1.png", &picture);
    let (kind, text) = said();
    assert_eq!(kind, [Severity::Warning]);
    for part in [
        "4 .tif in `cat`, `dog`",
        "1 .txt in `cat`",
        "`bird` has no picture and gives no class",
        "1 picture stands beside the folders of the classes",
        "folders within a class are not looked into",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "train/cat/1.png", &picture);
    let found = faults(open(&images(folder.path())));
    assert!(found[0].contains("folders within a class are not looked into"), "{found:?}");
    assert_eq!(open(&images(&folder.path().join("train"))).unwrap().train.len(), 1);
    let flat = open(&images(&folder.path().join("train/cat"))).unwrap();
    assert!(!flat.train.has_targets());
}
