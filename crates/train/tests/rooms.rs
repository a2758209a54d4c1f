//! The rooms of this crate use each other in one direction only.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

/// Every room with those it may use. What lies beside the rooms may be used by all and uses none.
const ROOMS: [(&str, &[&str]); 7] = [
    ("binding", &[]),
    ("execute", &[]),
    ("artifact", &["binding", "execute"]),
    ("infer", &["binding", "execute", "artifact"]),
    ("fit", &["binding", "execute", "artifact", "infer"]),
    ("check", &["binding", "execute", "artifact", "infer", "fit"]),
    ("sweep", &["binding", "execute", "artifact", "infer", "fit", "check"]),
];

/// The first name behind every `crate::` of a file.
fn used(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let behind = text.split("crate::").skip(1);
    behind.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.filter(|p| p.extension().is_some_and(|e| e == "rs")).collect()
}

#[test]
fn rooms_use_those_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_room = |name: &str| ROOMS.iter().any(|(room, _)| *room == name);
    for (room, may) in ROOMS {
        for file in files(&src.join(room)) {
            for name in used(&file) {
                let fine = name == room || !is_room(&name) || may.contains(&name.as_str());
                assert!(fine, "{} uses the room {name}", file.display());
            }
        }
    }
    for file in files(&src).into_iter().filter(|f| !f.ends_with("lib.rs")) {
        assert!(!used(&file).iter().any(|name| is_room(name)), "{} uses a room", file.display());
    }
    let rooms = std::fs::read_dir(&src).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(rooms, ROOMS.len(), "every room stands in the list");
}
