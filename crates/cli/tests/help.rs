//! The help of every command, word for word.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

/// The commands that `nnc --help` lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.split("Commands:\n").nth(1).unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_string());
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_command_tells_what_it_may_be_given() {
    let place = Place::new();
    let top = place.nnc(&["--help"]).fine();
    let names = commands(&top);
    assert!(names.len() > 10, "{top}");
    let mut all = format!("$ nnc --help\n{top}");
    for name in &names {
        for flag in ["-h", "--help"] {
            all += &format!("\n$ nnc {name} {flag}\n{}", place.nnc(&[name, flag]).fine());
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn help_is_a_command_too() {
    let place = Place::new();
    for name in commands(&place.nnc(&["--help"]).fine()) {
        assert_eq!(place.nnc(&["help", &name]).fine(), place.nnc(&[&name, "--help"]).fine());
    }
    assert_eq!(place.nnc(&["help"]).fine(), place.nnc(&["--help"]).fine());
    assert_eq!(place.nnc(&["help", "trian"]).code, 2);
    // Nothing at all is a question too.
    assert_eq!(place.nnc(&[]).code, 2);
}

#[test]
fn shells_complete_every_command() {
    let place = Place::new();
    let names = commands(&place.nnc(&["--help"]).fine());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.nnc(&["completions", shell]).fine();
        assert!(script.len() > 10_000, "{shell}");
        assert!(names.iter().all(|name| script.contains(name.as_str())), "{shell}");
        let path = place.write(&format!("nnc.{shell}"), &script);
        // As far as the shell is there, it reads what was written for it.
        if shell == "bash" && std::process::Command::new("bash").arg("--version").output().is_ok() {
            let read = std::process::Command::new("bash").arg("-n").arg(path).output().unwrap();
            assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        }
    }
    assert_eq!(place.nnc(&["completions", "cmd"]).code, 2);
}

#[test]
fn every_command_has_a_page_of_the_manual() {
    let place = Place::new();
    let names = commands(&place.nnc(&["--help"]).fine());
    place.nnc(&["man", "--out", "pages"]).fine();
    let top = std::fs::read_to_string(place.path("pages/nnc.1")).unwrap();
    assert!(top.contains(".TH nnc 1") && top == place.nnc(&["man"]).fine(), "{top}");
    for name in &names {
        let page = std::fs::read_to_string(place.path(&format!("pages/nnc-{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH nnc-{name} 1")), "{name}\n{}", &page[..200]);
        assert_eq!(page, place.nnc(&["man", name]).fine());
    }
    assert_eq!(std::fs::read_dir(place.path("pages")).unwrap().count(), names.len() + 1);
    assert_eq!(place.nnc(&["man", "trian"]).code, 2);
}

#[test]
fn the_version_tells_more_where_it_is_asked() {
    let place = Place::new();
    let version = format!("nnc {}\n", env!("CARGO_PKG_VERSION"));
    for args in [&["--version"][..], &["-V"]] {
        assert_eq!(place.nnc(args).fine(), version);
    }
    for args in [&["--version", "--verbose"][..], &["-Vv"], &["-V", "-v"], &["-v", "-V"]] {
        let more = place.nnc(args).fine();
        assert!(more.starts_with(&version), "{more}");
        for word in ["target", "features", "vectors", "threads", "memory"] {
            assert!(more.lines().any(|l| l.starts_with(word)), "{word}\n{more}");
        }
    }
    assert_eq!(place.nnc(&["-v"]).code, 2);
}
