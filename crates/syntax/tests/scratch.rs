#![allow(missing_docs)]
mod common;
#[test]
fn stack() {
    let Ok(case) = std::env::var("CASE") else { return };
    let kb: usize = std::env::var("KB").unwrap().parse().unwrap();
    let t = [
        "(".repeat(27) + "x" + &")".repeat(27),
        "dense (".repeat(27) + "x" + &")".repeat(27),
        "f(".repeat(27) + "x" + &")".repeat(27),
        "-".repeat(240) + "x",
        "x + ".repeat(240) + "x",
        "repeat 2 { ".repeat(30) + "relu" + &" }".repeat(30),
        "if a { b } else ".repeat(110) + "{ c }",
        "(scan x in y { ".repeat(12) + "relu" + &" })".repeat(12),
        "x^".repeat(240) + "x",
        "if a then b else ".repeat(110) + "x",
        "not ".repeat(240) + "x",
    ][case.parse::<usize>().unwrap()]
    .clone();
    std::thread::Builder::new()
        .stack_size(kb << 10)
        .spawn(move || {
            let (p, _) = common::read(&t);
            println!("{:?}", p.diagnostics.len());
        })
        .unwrap()
        .join()
        .unwrap();
}
#[test]
fn scratch() {
    for text in std::fs::read_to_string("/tmp/bad.txt").unwrap().split("====\n") {
        println!("-----\n{text}\n{}", common::render(text));
    }
}
